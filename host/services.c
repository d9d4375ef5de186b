/* services.c: the weft_host that each plugin instance is given. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "checked/checked.h"
#include "frames.h"
#include "lock.h"
#include "policies.h"
#include "run.h"
#include "tracers.h"

#define LAG_TICKS (WEFT_TICKS_PER_SECOND / 10)

static part *of(const weft_host *host)
{
    return host->impl;
}

/* Children's sentences gather in the parent's until it is read, since several may fail at once. */
static void keep_sentence(part *p, const char *sentence, int from_child)
{
    leaf_take(&p->lock, "a part's sentence");
    char *text = from_child && p->from_children ? text_format("%s; %s", p->sentence, sentence)
                                                : text_copy(sentence);
    free(p->sentence);
    p->sentence = text;
    p->from_children = from_child;
    leaf_give(&p->lock);
    if (p->parent) {
        char *named = text_format("%s: %s", p->plugin->desc->id, sentence);
        keep_sentence(p->parent, named, 1);
        free(named);
    }
}

static weft_status fail(const weft_host *host, weft_status status, const char *sentence)
{
    keep_sentence(of(host), sentence ? sentence : "", 0);
    return status;
}

/* True on the thread that may write to the ring now. In parallel mode only the kernel knows which of
 * the guest threads that is: nothing but what the kernel itself emits goes there. */
static int is_writer(run *r)
{
    return r->profile->machine.mode == WEFT_MODE_LOCKSTEP &&
           (run_thread_tag(r) & WEFT_THREAD_GUEST) != 0;
}

static int wanted(const run *r, uint16_t kind)
{
    return atomic_load_explicit(&r->events.wanted[kind / 64], memory_order_relaxed) >> kind % 64 &
           1;
}

static void log_line(const weft_host *host, uint32_t level, const char *line)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    part *p = of(host);
    run *r = p->run;
    level = level > WEFT_LOG_DEBUG ? WEFT_LOG_DEBUG : level;
    char *text = text_format("%s: %s", p->plugin->desc->id, line);
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
    if (level <= r->profile->log) {
        fprintf(stderr, "weft: %s: %s\n", names[level], text);
    }
    if (r->events.started && wanted(r, WEFT_EVENT_LOG)) {
        weft_event_buffer event;
        weft_event_begin(&event, WEFT_EVENT_LOG);
        weft_event_word(&event, level);
        weft_event_text(&event, text, strlen(text));
        if (is_writer(r)) {
            events_emit(&r->events, &event.head);
        } else {
            events_emit_aside(&r->events, &event.head);
        }
    }
    free(text);
}

static const option_value *option(const weft_host *host, const char *key)
{
    const profile_section *s = of(host)->section;
    for (size_t i = 0; s && i < s->count; i++) {
        if (strcmp(s->values[i].option->key, key) == 0) {
            return &s->values[i].value;
        }
    }
    return NULL;
}

static int64_t option_int(const weft_host *host, const char *key)
{
    const option_value *value = option(host, key);
    return value ? value->number : 0;
}

static int32_t option_bool(const weft_host *host, const char *key)
{
    return option_int(host, key) != 0;
}

static const char *option_text(const weft_host *host, const char *key)
{
    const option_value *value = option(host, key);
    return value ? value->text : "";
}

static weft_status part_of_role(const weft_host *host, uint32_t role, const void **ops,
                                void **instance)
{
    run *r = of(host)->run;
    if (role == 0 || role >= WEFT_ROLE_COUNT || !r->parts[role].created) {
        return WEFT_E_NOT_FOUND;
    }
    *ops = &r->parts[role].ops;
    *instance = r->parts[role].self;
    return WEFT_OK;
}

static void emit(const weft_host *host, weft_event *event)
{
    run *r = of(host)->run;
    if (r->profile->checked) { /* not for checked_service to find out: no call for each event */
        checked_service(of(host), "host.emit", WEFT_THREAD_GUEST);
        checked_alone(of(host), "host.emit", &r->emitting);
    }
    if (atomic_load_explicit(&r->events.started, memory_order_relaxed)) { /* set before it began */
        events_emit(&r->events, event);
    }
    if (r->profile->checked) {
        atomic_store_explicit(&r->emitting, 0, memory_order_relaxed);
    }
}

static uint64_t define(const weft_host *host, const char *what, const char *text)
{
    run *r = of(host)->run;
    checked_service(of(host), "host.define", WEFT_THREAD_GUEST);
    return r->events.started ? events_define(&r->events, what, text)
                             : weft_fnv1a(text, strlen(text));
}

static void present(const weft_host *host, weft_frame *frame)
{
    run *r = of(host)->run;
    checked_service(of(host), "host.present", WEFT_THREAD_GUEST);
    frame->number = ++r->frames;
    if (r->options.frames_to && !r->write_failed) {
        char why[256];
        if (frame_write(r->options.frames_to, frame, why, sizeof why)) {
            error_print(r->options.frames_to,
                        "frame cannot be written (found: %s, expected room "
                        "for a PNG file)",
                        why);
            r->write_failed = 1;
            run_stop(r, "a frame could not be written");
        }
    }
    part *frontend = &r->parts[WEFT_ROLE_FRONTEND];
    if (frontend->created) {
        frontend->ops.frontend.present(frontend->self, frame);
    }
    policies_frame(r);
    if (r->options.until_frames && r->frames >= r->options.until_frames) {
        char reason[64];
        snprintf(reason, sizeof reason, "reached frames=%llu", (unsigned long long)r->frames);
        run_stop(r, reason);
    }
}

static void emit_input(run *r, uint32_t port, uint64_t tick, const weft_pad *pad)
{
    uint64_t sticks[4] = {(uint16_t)pad->left_x, (uint16_t)pad->left_y, (uint16_t)pad->right_x,
                          (uint16_t)pad->right_y};
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_INPUT);
    event.head.tick = tick;
    weft_event_word(&event, port);
    weft_event_word(&event, pad->buttons | (uint64_t)(pad->connected != 0) << 16);
    weft_event_word(&event, pad->left_trigger | (uint64_t)pad->right_trigger << 8);
    weft_event_array(&event, sticks, 4);
    if (r->events.started) {
        events_emit(&r->events, &event.head);
    }
}

/* Waits until the host's clock has come to guest time `tick`. A run that fell behind by more than
 * LAG_TICKS starts counting anew: it plays on at its pace, and does not race to catch up. */
static void pace(run *r, uint64_t tick)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t host_now = (uint64_t)now.tv_sec * WEFT_TICKS_PER_SECOND + (uint64_t)now.tv_nsec;
    if (!r->paced || host_now > r->pace_start + tick + LAG_TICKS) {
        r->paced = 1;
        r->pace_start = host_now - tick;
        return;
    }
    uint64_t due = r->pace_start + tick;
    if (due > host_now) {
        struct timespec until = {(time_t)(due / WEFT_TICKS_PER_SECOND),
                                 (long)(due % WEFT_TICKS_PER_SECOND)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
}

static void pads(const weft_host *host, uint64_t vblank, uint64_t tick, weft_pad *pad)
{
    run *r = of(host)->run;
    checked_service(of(host), "host.pads", WEFT_THREAD_GUEST);
    if (r->profile->pace && r->profile->machine.mode == WEFT_MODE_LOCKSTEP) {
        pace(r, tick); /* parallel mode keeps the host's time by itself */
    }
    part *frontend = &r->parts[WEFT_ROLE_FRONTEND];
    weft_pad now[WEFT_PAD_COUNT];
    memcpy(now, r->pads, sizeof now);
    if (r->options.input) {
        input_apply(&r->input, vblank, now);
    } else if (frontend->created) {
        memset(now, 0, sizeof now);
        frontend->ops.frontend.pads(frontend->self, now);
    }
    for (uint32_t port = 0; port < WEFT_PAD_COUNT; port++) {
        if (memcmp(&now[port], &r->pads[port], sizeof now[port]) != 0) {
            emit_input(r, port, tick, &now[port]);
        }
    }
    memcpy(r->pads, now, sizeof now);
    memcpy(pad, now, sizeof now);
}

static void rumble(const weft_host *host, uint32_t port, uint16_t left, uint16_t right)
{
    part *frontend = &of(host)->run->parts[WEFT_ROLE_FRONTEND];
    checked_service(of(host), "host.rumble", WEFT_THREAD_GUEST);
    if (frontend->created && port < WEFT_PAD_COUNT) {
        frontend->ops.frontend.rumble(frontend->self, port, left, right);
    }
}

static void print(const weft_host *host, uint64_t thread, uint32_t tid, uint64_t tick,
                  const char *text, size_t length)
{
    run *r = of(host)->run;
    checked_service(of(host), "host.print", WEFT_THREAD_GUEST);
    fwrite(text, 1, length, stdout);
    fflush(stdout);
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_DEBUG_PRINT);
    event.head.thread = thread;
    event.head.tid = tid;
    event.head.tick = tick;
    weft_event_text(&event, text, length);
    if (r->events.started) {
        events_emit(&r->events, &event.head);
    }
}

static int32_t stop_requested(const weft_host *host)
{
    return atomic_load_explicit(&of(host)->run->stop, memory_order_relaxed);
}

static void stop_run(const weft_host *host, const char *reason)
{
    run_stop(of(host)->run, reason);
}

static int32_t run_exit_code(const weft_host *host)
{
    run *r = of(host)->run;
    return atomic_load(&r->judged) ? r->report.exit_code : -1;
}

static weft_status guest_enter(const weft_host *host, const char *name)
{
    return run_guest_enter(of(host)->run, name);
}

static void guest_leave(const weft_host *host)
{
    checked_service(of(host), "threads.leave", WEFT_THREAD_GUEST);
    run_guest_leave(of(host)->run);
}

static int32_t record(const weft_host *host, char *line, uint32_t room)
{
    checked_service(of(host), "record.toggle", WEFT_THREAD_MAIN);
    return tracers_record(of(host)->run, line, room);
}

static const void *extension(const weft_host *host, const char *name)
{
    static const weft_host_run run_extension = {
        .size = sizeof run_extension,
        .stop = stop_run,
        .exit_code = run_exit_code,
    };
    static const weft_host_record record_extension = {.size = sizeof record_extension,
                                                      .toggle = record};
    static const weft_host_threads threads_extension = {
        .size = sizeof threads_extension, .enter = guest_enter, .leave = guest_leave};
    return strcmp(name, WEFT_HOST_THREADS) == 0   ? (const void *)&threads_extension
           : strcmp(name, WEFT_HOST_RUN) == 0     ? (const void *)&run_extension
           : strcmp(name, WEFT_HOST_LOCKS) == 0   ? (const void *)lock_extension()
           : strcmp(name, WEFT_HOST_TRACERS) == 0 ? (const void *)tracers_extension()
           : strcmp(name, WEFT_HOST_RECORD) == 0  ? (const void *)&record_extension
                                                  : NULL;
}

void services_start(part *p)
{
    run *r = p->run;
    p->host = (weft_host){
        .size = sizeof(weft_host),
        .impl = p,
        .memory = r->memory,
        .clock = r->clock,
        .machine = &r->profile->machine,
        .wanted = (const uint64_t *)r->events.wanted,
        .fail = fail,
        .log = log_line,
        .option_int = option_int,
        .option_bool = option_bool,
        .option_text = option_text,
        .part = part_of_role,
        .emit = emit,
        .define = define,
        .present = present,
        .pads = pads,
        .rumble = rumble,
        .print = print,
        .stop_requested = stop_requested,
        .extension = extension,
    };
}

char *part_sentence(part *p, const char *otherwise)
{
    leaf_take(&p->lock, "a part's sentence");
    char *text = text_copy(p->sentence && *p->sentence ? p->sentence : otherwise);
    p->from_children = 0;
    leaf_give(&p->lock);
    return text;
}

/* What a plugin that passes a status on without a word of its own may have heard: the kernel calls the
 * CPU's and the GPU's ops. */
static char *sentence_of_others(const part *p, weft_status status)
{
    static const uint32_t roles[] = {WEFT_ROLE_CPU, WEFT_ROLE_GPU};
    run *r = p->run;
    for (size_t i = 0; p == &r->parts[WEFT_ROLE_KERNEL] && i < 2; i++) {
        part *other = &r->parts[roles[i]];
        char *sentence = other->plugin ? part_sentence(other, "") : NULL;
        if (sentence && *sentence) {
            char *text = text_format("%s: %s", other->plugin->desc->id, sentence);
            free(sentence);
            return text;
        }
        free(sentence);
    }
    return text_format("plugin gave no reason (found status %s, expected ok)",
                       weft_status_name(status));
}

void part_add_error(part *p, const char *where, weft_status status, errors *list)
{
    char *otherwise = sentence_of_others(p, status);
    char *sentence = part_sentence(p, otherwise);
    size_t length = strlen(where); /* a sentence that begins with the place says it once */
    int named = strncmp(sentence, where, length) == 0 && strncmp(sentence + length, ": ", 2) == 0;
    errors_add(list, where, "%s", sentence + (named ? length + 2 : 0));
    free(sentence);
    free(otherwise);
}

void part_error(part *p, const char *where, weft_status status)
{
    errors list = {0};
    part_add_error(p, where, status, &list);
    errors_print(&list, stderr);
    errors_free(&list);
}
