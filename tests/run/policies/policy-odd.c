/* A policy for tests: spins before every n-th entry of a critical section, and goes wrong at the
 * place and in the way that its options say. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft/host.h"

typedef struct odd {
    uint64_t every, at, entries, asked;
    const char *fault;
} odd;

static weft_status create(const weft_host *host, void **instance)
{
    odd *p = calloc(1, sizeof *p);
    *instance = p;
    if (!p) {
        return WEFT_E_NO_MEMORY;
    }
    p->every = (uint64_t)host->option_int(host, "every");
    p->at = (uint64_t)host->option_int(host, "at");
    p->fault = host->option_text(host, "fault");
    if (strcmp(p->fault, "create") == 0) {
        abort();
    }
    return WEFT_OK;
}

static void destroy(void *instance)
{
    odd *p = instance;
    if (strcmp(p->fault, "destroy") == 0) {
        abort();
    }
    free(instance);
}

/* Never comes to an end but by the end of the stack. */
__attribute__((no_sanitize("undefined", "address"))) static uint32_t
deeper(volatile uint32_t *above)
{
    volatile uint32_t here[256];
    here[0] = above[0] + 1;
    return here[0] ? deeper(here) + here[0] : 0;
}

static int goes_wrong(odd *p, const char *how)
{
    return p->asked >= p->at && strcmp(p->fault, how) == 0;
}

/* The faults are meant: no sanitizer is to find them first. */
__attribute__((no_sanitize("undefined", "address"))) static int32_t
pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    odd *p = instance;
    p->asked++;
    if (goes_wrong(p, "crash")) {
        *(volatile uint32_t *)(uintptr_t)(p->every * 64) = 0;
    }
    if (goes_wrong(p, "divide")) {
        volatile uint32_t none = 0;
        return (int32_t)(view->thread_count / none);
    }
    for (volatile uint32_t spin = 0; goes_wrong(p, "loop"); spin++) {
    }
    if (goes_wrong(p, "abort")) {
        abort();
    }
    if (goes_wrong(p, "exit")) {
        exit(0);
    }
    if (goes_wrong(p, "stack")) {
        volatile uint32_t here[1] = {0};
        return (int32_t)deeper(here);
    }
    if (goes_wrong(p, "view")) {
        memset((void *)(uintptr_t)view->threads, 0xff,
               (size_t)view->thread_count * view->thread_stride);
        return -1;
    }
    if (goes_wrong(p, "sleep")) {
        sleep(2);
    }
    if (goes_wrong(p, "nonsense")) {
        return (int32_t)view->thread_count + 7;
    }
    int32_t best = -1;
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *t = weft_view_thread(view, i);
        if (t->hw == hw && t->state <= WEFT_THREAD_RUNNING &&
            (best < 0 || t->order < weft_view_thread(view, (uint32_t)best)->order)) {
            best = (int32_t)i;
        }
    }
    return best;
}

static uint32_t subscribe(void *instance)
{
    return 1u << WEFT_SYNC_ENTER;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    odd *p = instance;
    *amount = 1000;
    return ++p->entries % p->every == 0 ? WEFT_ANSWER_SPIN : WEFT_ANSWER_GO;
}

/* So long that nobody would see the end of it. */
static uint64_t delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    odd *p = instance;
    return strcmp(p->fault, "delay") == 0 ? UINT64_MAX : natural;
}

static const weft_policy_ops ops = {
    .size = sizeof(weft_policy_ops),
    .pick_next = pick_next,
    .subscribe = subscribe,
    .before = before,
    .delay = delay,
};

static const weft_option options[] = {
    {
        .key = "every",
        .type = WEFT_OPTION_INT,
        .default_value = "3",
        .minimum = 1,
        .maximum = 1000,
        .help = "entries from one spin to the next",
    },
    {
        .key = "at",
        .type = WEFT_OPTION_INT,
        .default_value = "100",
        .minimum = 0,
        .maximum = INT64_MAX,
        .help = "askings of pick_next before it goes wrong",
    },
    {
        .key = "fault",
        .type = WEFT_OPTION_CHOICE,
        .default_value = "none",
        .choices =
            "none|crash|divide|loop|nonsense|abort|exit|stack|view|sleep|create|destroy|delay",
        .help = "how it goes wrong",
    },
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-odd",
    .version = "1",
    .summary = "goes wrong where it is told to",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof options[0],
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
