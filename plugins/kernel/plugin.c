/* kernel-hle: the console's system software, high level. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "dispatcher.h"
#include "sched.h"
#include "xam.h"

static weft_status create(const weft_host *host, void **instance)
{
    kernel *k = calloc(1, sizeof *k);
    if (!k) {
        return host->fail(host, WEFT_E_NO_MEMORY, "out of memory for the kernel");
    }
    k->host = host;
    k->memory = host->memory;
    k->clock = host->clock;
    k->machine = host->machine;
    weft_status status = kwatch_parse(host, host->option_text(host, "watch"), &k->watches);
    const char *user = host->option_text(host, "user");
    if (status == WEFT_OK && !kxam_user_init(k, user)) {
        char text[256];
        snprintf(
            text, sizeof text,
            "kernel.user: no name for a profile (found \"%.100s\", expected none, or at most 15 "
            "letters, digits and single blanks behind a letter)",
            user);
        status = host->fail(host, WEFT_E_INVALID, text);
    }
    if (status != WEFT_OK) {
        free(k);
        return status;
    }
    *instance = k;
    return WEFT_OK;
}

static void destroy(void *instance)
{
    kernel *k = instance;
    kshutdown(k);
    free(k);
}

static weft_status info(void *instance, const char *path, weft_info_fn sink, void *context)
{
    return kloader_info(instance, path, sink, context);
}

static weft_status find_parts(kernel *k)
{
    const weft_host *host = k->host;
    const void *ops;
    weft_status status = host->part(host, WEFT_ROLE_CPU, &ops, &k->cpu_instance);
    if (status != WEFT_OK) {
        return host->fail(host, status, "the run has no CPU (expected [cpu] plugin = ...)");
    }
    k->cpu = ops;
    status = host->part(host, WEFT_ROLE_GPU, &ops, &k->gpu_instance);
    if (status != WEFT_OK) {
        return host->fail(host, status, "the run has no GPU (expected [gpu] plugin = ...)");
    }
    k->gpu = ops;
    if (host->part(host, WEFT_ROLE_POLICY, &ops, &k->policy_instance) == WEFT_OK) {
        k->policy = ops;
    }
    return WEFT_OK;
}

static weft_status open_title(void *instance, const char *path, const char *arguments)
{
    kernel *k = instance;
    if (strlen(arguments) > 900) {
        return k->host->fail(k->host, WEFT_E_INVALID,
                             "the title's arguments are too long (expected at most 900 bytes)");
    }
    weft_status status = find_parts(k);
    if (status != WEFT_OK) {
        return status;
    }
    status = kboot(k);
    return status == WEFT_OK ? kloader_open(k, path, arguments) : status;
}

static weft_status run(void *instance, const weft_run_limits *limits)
{
    return ksched_run(instance, limits);
}

/* ---- what is left behind -----------------------------------------------------------------------
 */

static void hash_state(XXH3_state_t *hash, kernel *k, weft_cpu_state *cpu)
{
    if (k->cpu->flush) {
        k->cpu->flush(k->cpu_instance, cpu);
    }
    XXH3_64bits_update(hash, cpu->r, sizeof cpu->r);
    XXH3_64bits_update(hash, cpu->f, sizeof cpu->f);
    uint64_t words[] = {cpu->lr, cpu->ctr, cpu->msr,   cpu->retired, cpu->pc,
                        cpu->cr, cpu->xer, cpu->fpscr, cpu->vscr,    cpu->vrsave};
    XXH3_64bits_update(hash, words, sizeof words);
    XXH3_64bits_update(hash, cpu->v, sizeof cpu->v);
}

/* What the kernel keeps of a thread outside guest memory and a title can find out. */
static void hash_thread(XXH3_state_t *hash, kernel *k, const kthread *t)
{
    uint64_t words[] = {
        t->id,         t->state,           t->hw,          (uint64_t)(int64_t)t->priority,
        t->exit_code,  t->affinity,        t->suspended,   t->irql,
        t->ready_at,   t->critical_region, t->frame_count, t->process_type,
        t->cont_ready, t->wait_status,
    };
    XXH3_64bits_update(hash, words, sizeof words);
    XXH3_64bits_update(hash, t->dynamic_tls, sizeof t->dynamic_tls);
    for (uint32_t i = 0; i < t->wait_count; i++) {
        XXH3_64bits_update(hash, &t->waits[i].object->id, sizeof t->waits[i].object->id);
    }
    for (const kapc *apc = t->first_apc; apc; apc = apc->next) {
        uint32_t apc_words[] = {apc->routine,   apc->context, apc->argument1,
                                apc->argument2, apc->body,    apc->timer};
        XXH3_64bits_update(hash, apc_words, sizeof apc_words);
    }
    hash_state(hash, k, t->cpu);
}

/* Handles by slot, timers by place. Identities and guest addresses only: equal in equal runs. */
static void hash_objects(XXH3_state_t *hash, const kernel *k)
{
    for (uint32_t i = 0; i < KHANDLE_MAX; i++) {
        if (k->handles[i]) {
            uint64_t words[] = {i, k->handles[i]->id, k->handles[i]->type};
            XXH3_64bits_update(hash, words, sizeof words);
        }
    }
    for (uint32_t i = 0; i < sizeof k->objects / sizeof k->objects[0]; i++) {
        for (const kobject *o = k->objects[i]; o; o = o->next) {
            const ktimer *timer = o->type == KOBJECT_TIMER ? o->data : NULL;
            if (timer && timer->pending) {
                uint64_t words[] = {o->id, timer->due, timer->period, timer->routine, timer->dpc};
                XXH3_64bits_update(hash, words, sizeof words);
            }
        }
    }
    XXH3_64bits_update(hash, k->tls_used, sizeof k->tls_used);
}

static uint64_t state_digest(kernel *k)
{
    XXH3_state_t *hash = XXH3_createState();
    if (!hash) {
        return 0;
    }
    XXH3_64bits_reset(hash);
    uint64_t memory = k->memory->digest(k->memory), gpu = k->gpu->digest(k->gpu_instance);
    XXH3_64bits_update(hash, &memory, sizeof memory);
    XXH3_64bits_update(hash, &gpu, sizeof gpu);
    for (kthread *t = k->threads; t; t = t->next) {
        hash_thread(hash, k, t);
    }
    hash_objects(hash, k);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        uint64_t words[] = {k->hw[i].time, k->hw[i].irql, k->hw[i].in_dpc};
        XXH3_64bits_update(hash, words, sizeof words);
        for (const kdpc *d = k->hw[i].first_dpc; d; d = d->next) {
            XXH3_64bits_update(hash, d->arguments, sizeof d->arguments);
            XXH3_64bits_update(hash, &d->routine, sizeof d->routine);
        }
        if (k->hw[i].interrupt) {
            hash_state(hash, k, k->hw[i].interrupt->cpu);
        }
    }
    uint64_t digest = XXH3_64bits_digest(hash);
    XXH3_freeState(hash);
    return digest;
}

static void result(void *instance, weft_run_result *out)
{
    kernel *k = instance;
    uint64_t ticks = 0;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        ticks = k->hw[i].time > ticks ? k->hw[i].time : ticks;
    }
    uint64_t now = k->opened ? k->clock->now(k->clock) : 0;
    *out = (weft_run_result){
        .size = sizeof *out,
        .end = k->end,
        .exit_code = k->exit_code,
        .thread_count = k->thread_count,
        .instructions = k->instructions,
        .ticks = now > ticks ? now : ticks,
        .imports_called = k->imports_called,
        .state_digest = k->opened ? state_digest(k) : 0,
        .reason = k->reason,
        .slices = k->slices,
    };
}

static int32_t thread_at(void *instance, uint32_t index, weft_run_thread *out)
{
    kernel *k = instance;
    for (kthread *t = k->threads; t; t = t->next) {
        if (t->created == index) {
            *out = (weft_run_thread){
                .size = sizeof *out,
                .tid = t->tid,
                .id = t->id,
                .name = t->name,
                .entry = t->entry,
                .state = t->state,
                .retired = t->cpu->retired,
                .pc = t->cpu->pc,
                .priority = t->priority,
            };
            return 1;
        }
    }
    return 0;
}

static int32_t missing_at(void *instance, uint32_t index, weft_run_missing *out)
{
    kernel *k = instance;
    if (index >= k->missing_count) {
        return 0;
    }
    *out = (weft_run_missing){
        .size = sizeof *out,
        .first_caller = k->missing[index].first_caller,
        .count = k->missing[index].count,
        .name = k->missing[index].name,
    };
    return 1;
}

static const weft_kernel_ops ops = {
    .size = sizeof(weft_kernel_ops),
    .info = info,
    .open = open_title,
    .run = run,
    .result = result,
    .thread = thread_at,
    .missing = missing_at,
};

static weft_status image_read(void *instance, const char *path, uint32_t address, uint32_t length,
                              uint8_t *bytes, uint32_t *done)
{
    return kloader_image_read(instance, path, address, length, bytes, done);
}

static weft_status content_read(void *instance, const char *path, weft_info_fn sink, void *context)
{
    return kloader_content(instance, path, sink, context);
}

static weft_status policy_exchange(void *instance, weft_policy_exchange *exchange)
{
    return kpolicy_exchange(instance, exchange);
}

static void policy_eject(void *instance, const char *reason)
{
    kpolicy_eject_later(instance, reason);
}

static uint32_t policy_ejected(void *instance)
{
    const kernel *k = instance;
    return __atomic_load_n(&k->policy_ejected, __ATOMIC_RELAXED);
}

static const void *extension(void *instance, const char *name)
{
    static const weft_image_extension image = {
        .size = sizeof(weft_image_extension),
        .read = image_read,
    };
    static const weft_content_extension content = {
        .size = sizeof(weft_content_extension),
        .read = content_read,
    };
    static const weft_policy_extension policy = {
        .size = sizeof(weft_policy_extension),
        .exchange = policy_exchange,
        .eject = policy_eject,
        .ejected = policy_ejected,
    };
    return strcmp(name, WEFT_IMAGE_EXTENSION) == 0     ? (const void *)&image
           : strcmp(name, WEFT_CONTENT_EXTENSION) == 0 ? (const void *)&content
           : strcmp(name, WEFT_POLICY_EXTENSION) == 0  ? &policy
                                                       : NULL;
}

static const weft_option options[] = {
    {
        .key = "watch",
        .type = WEFT_OPTION_STRING,
        .default_value = "",
        .help = "Ranges whose changes become mem.write events: ADDRESS+LENGTH, ... (at most 16).",
    },
    {
        .key = "user",
        .type = WEFT_OPTION_STRING,
        .default_value = "none",
        .help = "Gamertag of the profile that is signed in as user 0, on this console alone.",
    },
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_KERNEL,
    .id = "kernel-hle",
    .version = "0.1",
    .summary = "xboxkrnl and xam at the export level: threads, memory, files, display",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof options[0],
    .ops = &ops,
    .create = create,
    .destroy = destroy,
    .extension = extension,
};
