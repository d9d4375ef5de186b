/* The kit of kernels finds what it is there to find: kernel-hle with one rule broken at a time, and the line
 * that names it. The rules are those of weft/kernel.h, event.h, policy.h and host.h. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conform.h"

#undef fail /* cmocka's, in the way of host->fail */

enum fault {
    NONE,
    OPENS_ALL,       /* open answers ok whatever the file */
    WRONG_STATUS,    /* a refusal with a status that open does not have */
    SAYS_NOTHING,    /* a failure without host->fail */
    LATE,            /* one instruction past the limit */
    TIMELESS,        /* no limit of ticks */
    DEAF,            /* does not ask for stop_requested */
    DROPS_CALLS,     /* no kernel.call */
    NAMELESS,        /* identities without a define */
    WRONG_CLASS,     /* an event of another class */
    LONG_EVENT,      /* a word behind the last field */
    SHORT_EVENT,     /* the last field is missing */
    BACK_IN_TIME,    /* kernel.return at tick 0 */
    SEVENTH,         /* an event on hardware thread 7 */
    DIFFERS,         /* an event holds something of the host */
    NOTHING_MISSING, /* no export is ever missing */
    ALWAYS_MISSING,  /* one more is missing, always */
    NO_THREADS,      /* an empty list of threads */
    NO_CODE,         /* exit code 0 */
    NEVER_DEAD,      /* a deadlock is a condition */
    TAKES_ALL,       /* an exception is an exit */
    NO_REASON,       /* a result without a reason */
    NO_VIEW,         /* shows the policy a view of size 0 */
    LISTENS,         /* leaves a listener of memory behind */
    NO_INFO,         /* info says nothing */
    PATCHED,         /* image/1 with one bit changed */
    FAULTS
};

/* What stands for one instance of the kernel. */
typedef struct faulty {
    struct weft_host host; /* first: what the kernel below is given */
    const weft_host *outer;
    enum fault fault;
    void *library;
    const weft_plugin_desc *desc;
    const weft_kernel_ops *ops;
    void *real;
    const weft_policy_ops *policy;
    void *policy_instance;
    weft_policy_ops own_policy;
    uint32_t mark; /* no two instances that live together have the same */
} faulty;

static faulty *faulty_of(const weft_host *host)
{
    return (faulty *)host;
}

/* ---- host services with a fault ---------------------------------------------------------------- */

static weft_status silent_fail(const weft_host *host, weft_status status, const char *sentence)
{
    return status;
}

static int32_t no_stop(const weft_host *host)
{
    return 0;
}

static uint64_t no_define(const weft_host *host, const char *what, const char *text)
{
    return weft_fnv1a(text, strlen(text));
}

static void faulty_emit(const weft_host *host, weft_event *event)
{
    faulty *f = faulty_of(host);
    weft_event_buffer copy = {0};
    if (f->fault == DROPS_CALLS && event->kind == WEFT_EVENT_KERNEL_CALL) {
        return;
    }
    memcpy(&copy, event, event->size);
    if (event->kind == WEFT_EVENT_IMPORT_CALL) {
        copy.head.category = f->fault == WRONG_CLASS ? WEFT_CLASS_LOCAL : copy.head.category;
        copy.head.size += f->fault == LONG_EVENT ? 8 : 0;
        copy.head.size -= f->fault == SHORT_EVENT ? 8 : 0;
        copy.head.hw = f->fault == SEVENTH ? 7 : copy.head.hw;
        copy.words[1] ^= f->fault == DIFFERS ? f->mark & 0xFFF0 : 0;
    }
    if (event->kind == WEFT_EVENT_KERNEL_RETURN && f->fault == BACK_IN_TIME) {
        copy.head.tick = 0;
    }
    f->outer->emit(f->outer, &copy.head);
    event->index = copy.head.index;
}

static uint32_t no_view(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    faulty *f = instance;
    weft_sched_view copy = *view;
    copy.size = 0;
    return f->policy->pick_cpu(f->policy_instance, &copy, slice);
}

static weft_status faulty_part(const weft_host *host, uint32_t role, const void **ops,
                               void **instance)
{
    faulty *f = faulty_of(host);
    weft_status status = f->outer->part(f->outer, role, ops, instance);
    if (f->fault == NO_VIEW && role == WEFT_ROLE_POLICY && status == WEFT_OK) {
        f->policy = *ops;
        f->policy_instance = *instance;
        f->own_policy = (weft_policy_ops){.size = sizeof f->own_policy};
        f->own_policy.pick_cpu = f->policy->pick_cpu ? no_view : NULL;
        *ops = &f->own_policy;
        *instance = f;
    }
    return status;
}

static void listener(void *context, uint32_t start, uint32_t length)
{
}

/* ---- the kernel -------------------------------------------------------------------------------- */

static weft_status create(const weft_host *host, void **instance)
{
    faulty *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->outer = host;
    f->host = *host;
    f->fault = (enum fault)host->option_int(host, "fault");
    f->library = dlopen(WEFT_BUILD_DIR "/plugins/kernel-hle.so", RTLD_NOW | RTLD_LOCAL);
    assert_non_null(f->library);
    f->desc = dlsym(f->library, "weft_plugin");
    assert_non_null(f->desc);
    f->ops = f->desc->ops;
    uint64_t *made = (uint64_t *)host->option_text(host, "made");
    f->mark = (uint32_t)(16 * ++*made);
    f->host.emit = faulty_emit;
    f->host.part = faulty_part;
    f->host.fail = f->fault == SAYS_NOTHING ? silent_fail : f->host.fail;
    f->host.stop_requested = f->fault == DEAF ? no_stop : f->host.stop_requested;
    f->host.define = f->fault == NAMELESS ? no_define : f->host.define;
    if (f->fault == LISTENS) {
        host->memory->listen(host->memory, listener, f);
    }
    *instance = f;
    return f->desc->create(&f->host, &f->real);
}

static void destroy(void *instance)
{
    faulty *f = instance;
    f->desc->destroy(f->real);
    dlclose(f->library);
    free(f);
}

static void no_text(void *context, const char *text, size_t length)
{
}

static weft_status info(void *instance, const char *path, weft_info_fn sink, void *context)
{
    faulty *f = instance;
    return f->ops->info(f->real, path, f->fault == NO_INFO ? no_text : sink, context);
}

static weft_status open_title(void *instance, const char *path, const char *arguments)
{
    faulty *f = instance;
    weft_status status = f->ops->open(f->real, path, arguments);
    if (status != WEFT_OK && f->fault == OPENS_ALL) {
        return WEFT_OK;
    }
    return status != WEFT_OK && f->fault == WRONG_STATUS ? WEFT_E_STATE : status;
}

static weft_status run(void *instance, const weft_run_limits *limits)
{
    faulty *f = instance;
    weft_run_limits own = *limits;
    own.instructions += f->fault == LATE;
    own.ticks = f->fault == TIMELESS ? 0 : own.ticks;
    return f->ops->run(f->real, &own);
}

static void result(void *instance, weft_run_result *out)
{
    faulty *f = instance;
    f->ops->result(f->real, out);
    out->exit_code = f->fault == NO_CODE ? 0 : out->exit_code;
    if (f->fault == NEVER_DEAD && out->end == WEFT_END_DEADLOCK) {
        out->end = WEFT_END_CONDITION;
    }
    if (f->fault == TAKES_ALL && out->end == WEFT_END_EXCEPTION) {
        out->end = WEFT_END_EXIT;
    }
    out->reason = f->fault == NO_REASON ? NULL : out->reason;
}

static int32_t thread(void *instance, uint32_t index, weft_run_thread *out)
{
    faulty *f = instance;
    return f->fault == NO_THREADS ? 0 : f->ops->thread(f->real, index, out);
}

static int32_t missing(void *instance, uint32_t index, weft_run_missing *out)
{
    faulty *f = instance;
    if (f->fault == ALWAYS_MISSING) {
        *out = (weft_run_missing){sizeof *out, 0x82002000, 2, "xboxkrnl.exe!NtAlways"};
        return 1;
    }
    return f->fault == NOTHING_MISSING ? 0 : f->ops->missing(f->real, index, out);
}

static weft_status image_read(void *instance, const char *path, uint32_t address, uint32_t length,
                              uint8_t *bytes, uint32_t *done)
{
    faulty *f = instance;
    const weft_image_extension *x = f->desc->extension(f->real, WEFT_IMAGE_EXTENSION);
    weft_status status = x->read(f->real, path, address, length, bytes, done);
    if (status == WEFT_OK && f->fault == PATCHED) {
        bytes[0] ^= 1;
    }
    return status;
}

static const void *extension(void *instance, const char *name)
{
    static const weft_image_extension image = {.size = sizeof image, .read = image_read};
    return strcmp(name, WEFT_IMAGE_EXTENSION) == 0 ? &image : NULL;
}

static const weft_kernel_ops faulty_ops = {
    .size = sizeof faulty_ops,
    .info = info,
    .open = open_title,
    .run = run,
    .result = result,
    .thread = thread,
    .missing = missing,
};

static const weft_plugin_desc faulty_desc = {
    .size = sizeof faulty_desc,
    .role = WEFT_ROLE_KERNEL,
    .ops = &faulty_ops,
    .create = create,
    .destroy = destroy,
    .extension = extension,
};

/* ---- the tests --------------------------------------------------------------------------------- */

typedef struct world {
    struct weft_host host; /* of which the kit takes the options */
    enum fault fault;
    uint64_t made;
    char lines[65536];
    size_t used;
} world;

static int64_t option_int(const weft_host *host, const char *key)
{
    return (int64_t)((const world *)host)->fault;
}

static const char *option_text(const weft_host *host, const char *key)
{
    return strcmp(key, "made") == 0 ? (const char *)&((const world *)host)->made : "";
}

static void print(weft_conform_report *report, const char *line)
{
    world *w = report->context;
    size_t room = sizeof w->lines - w->used;
    int length = snprintf(w->lines + w->used, room, "%s\n", line);
    w->used += length > 0 && (size_t)length < room ? (size_t)length : 0;
}

static weft_conform_report run_kit(world *w, enum fault fault)
{
    weft_conform_report report = {.print = print, .context = w};
    memset(w, 0, sizeof *w);
    w->fault = fault;
    w->host.option_int = option_int;
    w->host.option_text = option_text;
    weft_conform_kernel(&faulty_desc, &faulty_ops, &w->host, &report);
    return report;
}

static void sound_kernel_passes(void **state)
{
    world *w = *state;
    weft_conform_report report = run_kit(w, NONE);
    assert_string_equal(w->lines, "");
    assert_int_equal(report.failed, 0);
    assert_true(report.passed > 500);
}

static void each_fault_is_named(void **state)
{
    static const char *const lines[FAULTS] = {
        [OPENS_ALL] = "kernel.open: no file: got ok, expected not-found\n",
        [WRONG_STATUS] = "kernel.open: an empty file: got state, expected format or io\n",
        [SAYS_NOTHING] = "kernel.open, host->fail: no file: got 0, expected 1\n",
        [LATE] = "kernel.limit, instructions: a title that spins: got 13, expected 12\n",
        [TIMELESS] = "kernel.limit, ticks: a title that spins: got another time",
        [DEAF] = "kernel.stop_requested: a title that spins: got a run that goes on",
        [DROPS_CALLS] = "kernel.calls: a title that calls: got an event too few, expected "
                        "kernel.call\n",
        [NAMELESS] = "an identity that no define told of",
        [WRONG_CLASS] = "emit import.call: got a class that is not the kind's",
        [LONG_EVENT] = "emit import.call: got a payload longer than its fields",
        [SHORT_EVENT] = "emit import.call: got a payload shorter than its fields",
        [BACK_IN_TIME] = "emit kernel.return: got a tick before the thread's latest",
        [SEVENTH] = "emit import.call: got hardware thread, expected 0 to 5 or 0xff: 0x7",
        [DIFFERS] = "kernel.again: a title that calls: got another event number ",
        [NOTHING_MISSING] = "kernel.missing: a call of an ordinal that nobody knows: got none",
        [ALWAYS_MISSING] = "kernel.missing: a title that calls: got xboxkrnl.exe!NtAlways",
        [NO_THREADS] = "kernel.thread: a title that calls: got 0, expected 1\n",
        [NO_CODE] = "kernel.result.exit_code: a title that calls: got 0, expected 42\n",
        [NEVER_DEAD] = "kernel.result.end: a wait for nothing: got 2, expected 5\n",
        [TAKES_ALL] = "kernel.result.end: a load from 0: got 1, expected 3\n",
        [NO_REASON] = "kernel.result: a title that calls: got no reason on one line",
        [NO_VIEW] = "kernel.policy: a wait for nothing: got policy.pick_cpu: got no whole view",
        [LISTENS] = "memory.unlisten: got a listener left, expected none",
        [NO_INFO] = "kernel.info: a title that calls: got ok, expected ok and one JSON object\n",
        [PATCHED] = "kernel.image: the title: got ok, expected its bytes",
    };
    for (enum fault fault = OPENS_ALL; fault < FAULTS; fault++) {
        world *w = *state;
        weft_conform_report report = run_kit(w, fault);
        if (!strstr(w->lines, lines[fault]) || report.failed == 0) {
            print_error("fault %d: %.600s\n", (int)fault, w->lines);
            assert_true(0);
        }
    }
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(world));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sound_kernel_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(each_fault_is_named, setup, teardown),
    };
    return cmocka_run_group_tests_name("kernel-conform", tests, NULL, NULL);
}
