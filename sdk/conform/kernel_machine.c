/* kernel_machine.c: the host of the kit's machine: what a kernel is given, and what it says to it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_kit.h"

#define EVENT_BYTES (UINT32_C(16) << 20) /* GUEST events that are kept */

static kit_machine *machine_of(const weft_host *host)
{
    return host->impl; /* a plugin may keep a copy of its host */
}

void kit_offence(kit_machine *m, int of, const char *format, ...)
{
    if (!m->offence[of][0]) {
        va_list list;
        va_start(list, format);
        vsnprintf(m->offence[of], sizeof m->offence[of], format, list);
        va_end(list);
    }
}

const char *kit_name(const kit_machine *m, uint64_t id)
{
    for (uint32_t i = 0; i < m->name_count; i++) {
        if (m->names[i].id == id) {
            return m->names[i].text;
        }
    }
    return NULL;
}

void kit_name_add(kit_machine *m, uint64_t id, const char *text)
{
    if (kit_name(m, id)) {
        return;
    }
    if (m->name_count == KIT_NAMES) {
        kit_offence(m, KIT_OF_EVENTS, "identities: got more than %d, expected fewer", KIT_NAMES);
        return;
    }
    m->names[m->name_count].id = id;
    snprintf(m->names[m->name_count++].text, sizeof m->names[0].text, "%s", text);
}

kit_source *kit_source_of(kit_machine *m, uint64_t id)
{
    for (uint32_t i = 0; i < m->source_count; i++) {
        if (m->sources[i].id == id) {
            return &m->sources[i];
        }
    }
    if (m->source_count == KIT_THREADS_N) {
        return NULL;
    }
    m->sources[m->source_count].id = id;
    return &m->sources[m->source_count++];
}

/* ---- services ---------------------------------------------------------------------------------- */

static weft_status fail(const weft_host *host, weft_status status, const char *sentence)
{
    kit_machine *m = machine_of(host);
    m->fails++;
    snprintf(m->failed, sizeof m->failed, "%s", sentence ? sentence : "");
    if (!sentence || !*sentence || strchr(sentence, '\n')) {
        kit_offence(m, KIT_OF_HOST,
                    "host.fail: got no sentence or several lines, expected one line");
    }
    return status;
}

static void log_line(const weft_host *host, uint32_t level, const char *line)
{
    if (level > WEFT_LOG_DEBUG || !line) {
        kit_offence(machine_of(host), KIT_OF_HOST,
                    "host.log: got level %u, expected 0 to 3 and a line", level);
    }
}

static int64_t option_int(const weft_host *host, const char *key)
{
    const weft_host *inner = machine_of(host)->inner;
    return inner->option_int ? inner->option_int(inner, key) : 0;
}

static int32_t option_bool(const weft_host *host, const char *key)
{
    const weft_host *inner = machine_of(host)->inner;
    return inner->option_bool ? inner->option_bool(inner, key) : 0;
}

static const char *option_text(const weft_host *host, const char *key)
{
    const weft_host *inner = machine_of(host)->inner;
    return inner->option_text ? inner->option_text(inner, key) : "";
}

static weft_status gpu_attach(void *instance, const weft_gpu_host *calls)
{
    return WEFT_OK;
}

static weft_status gpu_ring(void *instance, uint32_t physical, uint32_t log2_quads)
{
    return WEFT_OK;
}

static void gpu_write_back(void *instance, uint32_t physical, uint32_t log2_quads)
{
}

static uint32_t gpu_read(void *instance, uint32_t offset, uint64_t tick)
{
    return 0;
}

static void gpu_write(void *instance, uint32_t offset, uint32_t value, uint64_t tick)
{
}

static void gpu_stats(void *instance, weft_gpu_stats *stats)
{
    *stats = (weft_gpu_stats){.size = sizeof *stats};
}

static uint64_t gpu_digest(void *instance)
{
    return 0;
}

static weft_status part(const weft_host *host, uint32_t role, const void **ops, void **instance)
{
    static const weft_policy_ops none = {.size = sizeof none};
    static const weft_gpu_ops gpu = {
        .size = sizeof gpu,
        .attach = gpu_attach,
        .ring = gpu_ring,
        .read_pointer_write_back = gpu_write_back,
        .register_read = gpu_read,
        .register_write = gpu_write,
        .stats = gpu_stats,
        .digest = gpu_digest,
    };
    static const weft_policy_ops *const policies[] = {
        [KIT_NO_OPS] = &none, [KIT_LOOKS] = &kit_policy_looks, [KIT_ILLICIT] = &kit_policy_illicit};
    kit_machine *m = machine_of(host);
    *ops = m->no_parts                ? NULL
           : role == WEFT_ROLE_CPU    ? (const void *)&kit_cpu_ops
           : role == WEFT_ROLE_GPU    ? (const void *)&gpu
           : role == WEFT_ROLE_POLICY ? (const void *)policies[m->policy]
                                      : NULL;
    *instance = *ops ? m : NULL;
    return *ops ? WEFT_OK : WEFT_E_NOT_FOUND;
}

static void emit(const weft_host *host, weft_event *event)
{
    kit_machine *m = machine_of(host);
    if (!kit_check_event(m, event) || event->category != WEFT_CLASS_GUEST) {
        return;
    }
    kit_source *s = kit_source_of(m, event->thread);
    event->index = s ? s->index++ : 0;
    if (m->event_bytes + event->size <= EVENT_BYTES) {
        memcpy(m->events + m->event_bytes, event, event->size);
        m->event_bytes += event->size;
        m->event_count++;
    }
}

static uint64_t define(const weft_host *host, const char *what, const char *text)
{
    kit_machine *m = machine_of(host);
    if (!what || !*what || !text || !*text) {
        kit_offence(m, KIT_OF_EVENTS, "host.define: got no text, expected one");
        return 0;
    }
    uint64_t id = weft_fnv1a(text, strlen(text));
    kit_name_add(m, id, text);
    return id;
}

static void present(const weft_host *host, weft_frame *frame)
{
}

static void pads(const weft_host *host, uint64_t vblank, uint64_t tick, weft_pad *pad)
{
    memset(pad, 0, WEFT_PAD_COUNT * sizeof *pad);
}

static void rumble(const weft_host *host, uint32_t port, uint16_t left, uint16_t right)
{
}

static void print(const weft_host *host, uint64_t thread, uint32_t tid, uint64_t tick,
                  const char *text, size_t length)
{
    machine_of(host)->printed++;
}

static int32_t stop_requested(const weft_host *host)
{
    const kit_machine *m = machine_of(host);
    return m->stop_after && m->executed >= m->stop_after;
}

static const void *extension(const weft_host *host, const char *name)
{
    return NULL;
}

/* ---- the machine ------------------------------------------------------------------------------- */

kit_machine *kit_machine_create(const weft_host *inner)
{
    kit_machine *m = calloc(1, sizeof *m);
    if (!m) {
        return NULL;
    }
    m->inner = inner;
    m->events = malloc(EVENT_BYTES);
    if (!m->events || !kit_memory_start(m)) {
        kit_machine_destroy(m);
        return NULL;
    }
    m->machine = (weft_machine){
        .size = sizeof m->machine,
        .mode = WEFT_MODE_LOCKSTEP,
        .rtc = UINT64_C(127770912000000000), /* 2005-11-22 */
        .instruction_cost_num = 1,
        .instruction_cost_den = 1,
        .call_cost = 100,
        .io_cost = 100000,
        .io_cost_per_kib = 100,
        .yield_cost = 100,
        .lookahead = 10000,
        .starve = 100000000,
        .reservation_grace = 64,
        .policy_faults = 16,
        .vblank_hz = 60,
        .width = 1280,
        .height = 720,
        .state_folder = "",
    };
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        if (weft_event_kind_of(kind)->category != WEFT_CLASS_LOCAL) {
            m->wanted[kind / 64] |= UINT64_C(1) << kind % 64;
        }
    }
    m->host = (struct weft_host){
        .size = sizeof m->host,
        .impl = m,
        .memory = &m->memory,
        .clock = &m->clock,
        .machine = &m->machine,
        .wanted = m->wanted,
        .fail = fail,
        .log = log_line,
        .option_int = option_int,
        .option_bool = option_bool,
        .option_text = option_text,
        .part = part,
        .emit = emit,
        .define = define,
        .present = present,
        .pads = pads,
        .rumble = rumble,
        .print = print,
        .stop_requested = stop_requested,
        .extension = extension,
    };
    return m;
}

void kit_machine_destroy(kit_machine *m)
{
    kit_memory_end(m);
    free(m->events);
    free(m);
}
