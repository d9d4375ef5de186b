/* tracks.c: see tracks.h. What each kind of event does to the model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_names.h"
#include "tracks_state.h"
#include "weft/policy.h"

#define NS_PER_MS UINT64_C(1000000)

/* ------------------------------------------------------------------------------ hardware threads
 */

static void need_hardware(weft_tracks *t, uint32_t hw)
{
    const char name[] = {'h', 'w', ' ', (char)('0' + hw), 0};
    tracks_need(t, &t->hardware[hw], WEFT_TRACK_HARDWARE, hw, name);
}

static void run_end(weft_tracks *t, uint32_t hw, uint64_t tick)
{
    lane *l = &t->hardware[hw];
    if (l->depth > 0) {
        if (t->show && tick >= t->from) {
            need_hardware(t, hw);
            lane_show(t, l);
        }
        lane_pop(t, l, tick);
    }
}

static void run_begin(weft_tracks *t, uint32_t hw, uint64_t id, uint64_t tick)
{
    if (t->show) {
        need_hardware(t, hw);
    }
    if (lane_push(t, &t->hardware[hw], (slice){.tick = tick, .id = id, .what = RUN})) {
        tracks_tell_begin(t);
    }
}

/* Who runs where, from the events' hardware threads: from a thread's first event there to its last
 * before another's, or before it waits. */
static void follow_hardware(weft_tracks *t, const weft_event *e)
{
    lane *l;
    if (t->switches || e->hw >= HARDWARE || e->thread == 0) {
        return;
    }
    l = &t->hardware[e->hw];
    int again = e->kind == WEFT_EVENT_INTERRUPT; /* what the one before did has ended */
    if (l->depth > 0 && (again || l->stack[0].id != e->thread)) {
        run_end(t, e->hw, t->hardware_last[e->hw]);
    }
    if (l->depth == 0) {
        run_begin(t, e->hw, e->thread, e->tick);
    }
    t->hardware_last[e->hw] = e->tick;
    if (e->kind == WEFT_EVENT_WAIT_BEGIN || e->kind == WEFT_EVENT_THREAD_EXIT) {
        run_end(t, e->hw, e->tick);
    }
}

static void on_switch(weft_tracks *t, const weft_event *e, const uint64_t *w)
{
    static const char names[HARDWARE][14] = {"ready on hw 0", "ready on hw 1", "ready on hw 2",
                                             "ready on hw 3", "ready on hw 4", "ready on hw 5"};
    if (e->hw >= HARDWARE) {
        return;
    }
    t->switches = 1;
    run_end(t, e->hw, e->tick);
    if (w[1]) {
        run_begin(t, e->hw, w[1], e->tick);
    }
    t->hardware_last[e->hw] = e->tick;
    tracks_count(t, &t->ready[e->hw], names[e->hw], e->hw, e->tick, w[3]);
}

/* ------------------------------------------------------------------------------- calls and waits
 */

static uint8_t role_of(const line_export *e)
{
    static const struct {
        const char *name;
        uint8_t role;
    } roles[] = {
        {"RtlEnterCriticalSection", ENTER},
        {"KfAcquireSpinLock", ENTER},
        {"KeAcquireSpinLockAtRaisedIrql", ENTER},
        {"RtlLeaveCriticalSection", LEAVE},
        {"KfReleaseSpinLock", LEAVE},
        {"KeReleaseSpinLockFromRaisedIrql", LEAVE},
        {"VdSwap", SWAP},
    };
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strlen(roles[i].name) == e->name_length &&
            memcmp(roles[i].name, e->name, e->name_length) == 0) {
            return roles[i].role;
        }
    }
    return PLAIN;
}

static void on_call(weft_tracks *t, thread *th, const weft_event *e, const uint64_t *w)
{
    char room[17];
    line_export text = tracks_export(t, w[0], room);
    slice s = {
        .tick = e->tick,
        .id = w[0],
        .argument = w[1] ? w[2] : 0,
        .what = CALL,
        .role = role_of(&text),
    };
    if (lane_push(t, &th->lane, s)) {
        if (t->show) {
            mark_call(&t->mark, e, &text);
            if (th->caller) {
                mark_word(&t->mark, "caller", 'x', th->caller);
            }
        }
        tracks_tell_begin(t);
    }
    th->caller = 0;
}

/* What a call that returns means to others. */
static void on_returned(weft_tracks *t, thread *th, const slice *s, uint64_t tick)
{
    lock_settled(t, th, tick, s->role == ENTER, s->argument);
    if (s->role == LEAVE) {
        lock_released(t, th, tick, s->argument);
    } else if (s->role == SWAP && t->swap_count < MANY_SWAPS) {
        uint64_t flow = t->swaps[t->swap_count++] = flow_new(t);
        if (flow) {
            mark_start(&t->mark, th->lane.track, lane_forward(&th->lane, tick), "sync");
            mark_name(&t->mark, "swap asked for", "", 0);
            t->mark.head.flow_out = flow;
            tracks_tell_instant(t);
        }
    }
}

static void return_value(mark *m, uint64_t value)
{
    char status[16];
    uint32_t severity = (uint32_t)value >> 28; /* of an NTSTATUS: 8 a warning, 12 an error */
    mark_word(m, "return_value", value < UINT64_C(0x10000) ? 'u' : 'x', value);
    if (severity == 8 || severity == 12) {
        snprintf(status, sizeof status, "0x%08x", (unsigned)(uint32_t)value);
        mark_string(m, "status", status, strlen(status));
    }
}

static void on_return(weft_tracks *t, thread *th, const weft_event *e, const uint64_t *w)
{
    lane *l = &th->lane;
    uint32_t at = l->depth;
    if (l->over > 0) {
        l->over--;
        return;
    }
    while (at > 0 && (l->stack[at - 1].what != CALL || l->stack[at - 1].id != w[0])) {
        at--;
    }
    if (at == 0) {
        return; /* its call was before the trace's beginning, or hidden by a filter */
    }
    while (l->depth > at) {
        tracks_pop_thread(t, th,
                          e->tick); /* calls that unwinding left, and waits that filters cut */
    }
    slice s = l->stack[at - 1];
    on_returned(t, th, &s, e->tick);
    if (t->show) {
        mark_start(&t->mark, l->track, lane_forward(l, e->tick), "");
        if (e->kind == WEFT_EVENT_KERNEL_RETURN) {
            return_value(&t->mark, w[1]);
        }
    }
    lane_pop_marked(t, l);
}

static void on_wait_begin(weft_tracks *t, thread *th, const weft_event *e, const uint64_t *w)
{
    const uint64_t *rest = w + 1 + w[0]; /* timeout, all, alertable */
    slice s = {.tick = e->tick,
               .id = w[0] ? w[1] : (int64_t)rest[0] != -1,
               .argument = w[0],
               .what = WAIT};
    lock_left(t, th->id);
    if (!lane_push(t, &th->lane, s)) {
        return;
    }
    th->waits++;
    if (t->show) {
        mark *m = &t->mark;
        mark_identities(m, "objects", w);
        if ((int64_t)rest[0] == -1) {
            mark_string(m, "timeout", "none", 4);
        } else {
            mark_word(m, "timeout_ns", 'i', rest[0]);
        }
        if (w[0] > 1) {
            mark_string(m, "wait_type", rest[1] ? "all" : "any", 3);
        }
        mark_word(m, "alertable", 'u', rest[2]);
    }
    tracks_tell_begin(t);
}

static void on_wait_end(weft_tracks *t, thread *th, const weft_event *e, const uint64_t *w)
{
    lane *l = &th->lane;
    if (l->over > 0) {
        l->over--;
        return;
    }
    if (th->waits == 0) {
        return; /* begun before the trace, or hidden */
    }
    while (l->stack[l->depth - 1].what != WAIT) {
        tracks_pop_thread(t, th, e->tick);
    }
    flow_receive(t, th, e->tick, "woken");
    if (t->show) {
        mark_start(&t->mark, l->track, lane_forward(l, e->tick), "");
        mark_word(&t->mark, "status", 'x', w[0]);
        mark_identity(&t->mark, "woken_by", w[1]);
    }
    th->waits--;
    lane_pop_marked(t, l);
}

/* --------------------------------------------------------------------------------------- the GPU
 */

static void frame_begin(weft_tracks *t, uint64_t tick)
{
    if (lane_push(t, &t->gpu, (slice){.tick = tick, .id = t->frame, .what = FRAME})) {
        tracks_tell_begin(t);
    }
}

static void gpu_instant(weft_tracks *t, const weft_event *e, const char *name, uint64_t flow)
{
    if (t->show) {
        mark_start(&t->mark, t->gpu.track, lane_forward(&t->gpu, e->tick), "gpu");
        mark_name(&t->mark, name, "", 0);
        mark_fields(&t->mark, e, 0);
        if (flow) {
            t->mark.head.flow_in[t->mark.head.flow_in_count++] = flow;
        }
        tracks_tell_instant(t);
    }
}

static void on_gpu(weft_tracks *t, const weft_event *e, const uint64_t *w)
{
    lane *l = &t->gpu;
    if (t->show) {
        tracks_need(t, l, WEFT_TRACK_GPU, 0, "GPU");
        lane_show(t, l);
    }
    if (l->depth == 0) { /* the first frame is made from the run's beginning on */
        uint64_t first = t->begin->first == 0 ? t->first_tick : e->tick;
        frame_begin(t, t->show && first < t->from ? t->from : first);
    }
    if (e->kind != WEFT_EVENT_GPU_SWAP) {
        t->draws_now += e->kind == WEFT_EVENT_GPU_DRAW;
        if (e->kind == WEFT_EVENT_GPU_INTERRUPT) {
            t->raised_tick[1] = e->tick;
        }
        const char *name = e->kind == WEFT_EVENT_GPU_PACKET ? gpu_packet_name(w[1]) : NULL;
        gpu_instant(t, e, name ? name : weft_event_kind_of(e->kind)->name + 4, 0);
        return;
    }
    uint64_t flow = t->swap_count ? t->swaps[0] : 0;
    gpu_instant(t, e, "swap", flow);
    if (t->swap_count && (t->show || !flow)) {
        memmove(t->swaps, t->swaps + 1, --t->swap_count * sizeof t->swaps[0]);
    }
    lane_pop(t, l, e->tick);
    t->frame = w[0] + 1;
    frame_begin(t, e->tick);
    tracks_count(t, &t->frames, "frames", 100, e->tick, w[0]);
    tracks_count(t, &t->draws, "draws in a frame", 101, e->tick, t->draws_now);
    t->draws_now = 0;
}

/* -------------------------------------------------------------------------------------- instants
 */

static void on_asked(weft_tracks *t, const weft_event *e, uint64_t object)
{
    t->outstanding_now++;
    tracks_count(t, &t->outstanding, "outstanding I/O", 102, e->tick, t->outstanding_now);
    for (uint32_t i = 0; t->show && i < MANY_ASKED; i++) {
        asked *a = &t->asked[(t->asked_at + i) % MANY_ASKED];
        if (a->flow == 0) {
            *a = (asked){.object = object, .thread = e->thread, .flow = flow_new(t)};
            t->mark.head.flow_out = a->flow;
            t->asked_at = (t->asked_at + i + 1) % MANY_ASKED;
            return;
        }
    }
}

static void on_completed(weft_tracks *t, const weft_event *e, const uint64_t *w)
{
    asked *first = NULL;
    t->outstanding_now -= t->outstanding_now > 0;
    tracks_count(t, &t->outstanding, "outstanding I/O", 102, e->tick, t->outstanding_now);
    for (uint32_t i = 0; t->show && i < MANY_ASKED; i++) {
        asked *a = &t->asked[i];
        if (a->flow && a->object == w[0] && a->thread == w[1] &&
            (!first || a->flow < first->flow)) {
            first = a; /* flows are numbered in order: the oldest request */
        }
    }
    if (first) {
        t->mark.head.flow_in[t->mark.head.flow_in_count++] = first->flow;
        first->flow = 0;
    }
}

/* A signal and the wake-up that it causes are of one thread and tick, and one arrow. */
static int told(weft_tracks *t, const weft_event *e, uint64_t target)
{
    const thread *to = tracks_thread(t, target);
    return to && to->pending_count > 0 && to->waker == e->thread && to->waker_tick == e->tick;
}

/* The vertical blank may raise an interrupt at the tick of its firing. */
static void on_fire(weft_tracks *t, const weft_event *e)
{
    char room[17];
    if (strcmp(mark_identity_text(&t->mark, e->thread, room), "source:vblank") == 0) {
        t->raised_tick[0] = e->tick;
        t->vblank = e->thread;
    }
}

/* What an instant means to other tracks; the mark is begun. */
static void connect(weft_tracks *t, const weft_event *e, const uint64_t *w)
{
    uint64_t target = 0;
    switch (e->kind) {
    case WEFT_EVENT_SIGNAL_MATCH:
        target = told(t, e, w[1]) ? 0 : w[1];
        break;
    case WEFT_EVENT_THREAD_CREATE:
        target = w[0];
        break;
    case WEFT_EVENT_WAKE_REQUESTED:
        target = told(t, e, w[0]) ? 0 : w[0];
        break;
    case WEFT_EVENT_CONTENTION_OBSERVED:
        if (w[1]) {
            lock_met(t, w[0], e->thread);
        }
        break;
    case WEFT_EVENT_SOURCE_FIRE:
        on_fire(t, e);
        break;
    case WEFT_EVENT_VFS_READ:
    case WEFT_EVENT_VFS_WRITE:
        on_asked(t, e, w[0]);
        break;
    case WEFT_EVENT_IO_COMPLETE:
        on_completed(t, e, w);
        break;
    default:
        break;
    }
    if (target && target != e->thread && t->show && flow_has_room(t, target)) {
        uint64_t flow = flow_new(t);
        flow_send(t, target, flow, e->thread, e->tick);
        t->mark.head.flow_out = flow;
    }
}

static const char *category_of(const char *kind)
{
    static const struct {
        const char *begins, *category;
    } categories[] = {
        {"signal.", "sync"},    {"wake.", "sync"},     {"contention.", "sync"},
        {"thread.", "thread"},  {"handle.", "handle"}, {"memory.", "memory"},
        {"vfs.", "io"},         {"io.", "io"},         {"fault", "fault"},
        {"exception", "fault"}, {"debug.", "text"},    {"log", "text"},
        {"export.", "fault"},   {"policy.", "policy"}, {"sync.", "order"},
    };
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++) {
        if (strncmp(kind, categories[i].begins, strlen(categories[i].begins)) == 0) {
            return categories[i].category;
        }
    }
    return "event";
}

/* An instant's name: the kind, and what makes some of them readable at a glance. */
static void name_instant(weft_tracks *t, const weft_event *e, const uint64_t *w)
{
    static const char *const sources[] = {"vblank", "command processor"};
    static const char *const operations[] = {
        [WEFT_SYNC_ENTER] = "enter",   [WEFT_SYNC_ENTER_CONTENDED] = "enter, contended",
        [WEFT_SYNC_LEAVE] = "leave",   [WEFT_SYNC_WAIT] = "wait",
        [WEFT_SYNC_SIGNAL] = "signal", [WEFT_SYNC_WAKE] = "wake",
        [WEFT_SYNC_CALL] = "call",     [WEFT_SYNC_TRY] = "try",
        [WEFT_SYNC_RESET] = "reset",   [WEFT_SYNC_TIMEOUT] = "time-out",
    };
    const char *kind = weft_event_kind_of(e->kind)->name;
    char room[17];
    if (e->kind == WEFT_EVENT_INTERRUPT && w[0] < 2) {
        mark_name(&t->mark, "interrupt ", sources[w[0]], strlen(sources[w[0]]));
    } else if (e->kind == WEFT_EVENT_SYNC_OP && w[0] < sizeof operations / sizeof operations[0]) {
        mark_name(&t->mark, "op: ", operations[w[0]], strlen(operations[w[0]]));
    } else if (e->kind == WEFT_EVENT_EXPORT_MISSING) {
        line_export text = tracks_export(t, w[0], room);
        mark_name(&t->mark, "missing ", text.name, text.name_length);
    } else {
        mark_name(&t->mark, kind, "", 0);
    }
}

/* The flow from what raised an interrupt to it, told on the track of the former; 0: not known. */
static uint64_t raise_interrupt(weft_tracks *t, const weft_event *e, uint64_t source)
{
    thread *vblank = source == 0 && t->vblank ? tracks_thread(t, t->vblank) : NULL;
    lane *l = vblank ? &vblank->lane : source == 1 ? &t->gpu : NULL;
    if (!t->show || !l || l->track == NO_TRACK || t->raised_tick[source] != e->tick) {
        return 0;
    }
    uint64_t flow = flow_new(t);
    mark_start(&t->mark, l->track, lane_forward(l, e->tick), "sync");
    mark_name(&t->mark, "interrupts", "", 0);
    t->mark.head.flow_out = flow;
    tracks_tell_instant(t);
    return flow;
}

/* `place` is the thread's; connecting may make others and move it. */
static void on_instant(weft_tracks *t, uint32_t place, const weft_event *e, const uint64_t *w)
{
    const char *kind = weft_event_kind_of(e->kind)->name;
    uint64_t flow = e->kind == WEFT_EVENT_INTERRUPT ? raise_interrupt(t, e, w[0]) : 0;
    lane *l = &t->threads[place].lane;
    mark_start(&t->mark, l->track, t->show ? lane_forward(l, e->tick) : e->tick, category_of(kind));
    if (t->show) {
        name_instant(t, e, w);
        mark_fields(&t->mark, e, 0);
    }
    if (flow) {
        t->mark.head.flow_in[t->mark.head.flow_in_count++] = flow;
    }
    connect(t, e, w);
    if (t->show) {
        tracks_tell_instant(t);
    }
}

static void on_thread_exit(weft_tracks *t, thread *th, uint64_t tick)
{
    th->lane.over = 0;
    while (th->lane.depth > 0) {
        tracks_pop_thread(t, th, tick); /* the call that ended the thread returns to nobody */
    }
}

/* ----------------------------------------------------------------------------------------- input
 */

static int is_gpu(uint16_t kind)
{
    return kind == WEFT_EVENT_GPU_SWAP || kind == WEFT_EVENT_GPU_DRAW ||
           kind == WEFT_EVENT_GPU_RESOLVE || kind == WEFT_EVENT_GPU_PACKET ||
           kind == WEFT_EVENT_GPU_INTERRUPT;
}

static void of_thread(weft_tracks *t, const weft_event *e, const uint64_t *w)
{
    thread *th = tracks_thread(t, e->thread);
    if (!th) {
        t->left_out++;
        return;
    }
    if (th->tid == 0) {
        th->tid = e->tid;
    }
    if (t->show) {
        tracks_need_thread(t, th);
        lane_show(t, &th->lane);
        if (th->waits == 0) {
            flow_receive(t, th, e->tick, e->index == 0 ? "started" : "goes on");
        }
    }
    switch (e->kind) {
    case WEFT_EVENT_IMPORT_CALL:
        th->caller = w[1];
        break;
    case WEFT_EVENT_KERNEL_CALL:
        on_call(t, th, e, w);
        break;
    case WEFT_EVENT_KERNEL_RETURN:
    case WEFT_EVENT_KERNEL_RETURN_VOID:
        on_return(t, th, e, w);
        break;
    case WEFT_EVENT_WAIT_BEGIN:
        on_wait_begin(t, th, e, w);
        break;
    case WEFT_EVENT_WAIT_END:
        on_wait_end(t, th, e, w);
        break;
    case WEFT_EVENT_THREAD_EXIT:
        on_instant(t, (uint32_t)(th - t->threads), e, w);
        on_thread_exit(t, tracks_thread(t, e->thread), e->tick);
        break;
    default:
        on_instant(t, (uint32_t)(th - t->threads), e, w);
        break;
    }
}

static void follow_rate(weft_tracks *t, uint64_t tick)
{
    uint64_t bucket = tick / NS_PER_MS;
    if (bucket > t->bucket) {
        if (t->bucket_events > 0) {
            tracks_count(t, &t->rate, "events in a ms", 103, t->bucket * NS_PER_MS,
                         t->bucket_events);
        }
        if (bucket > t->bucket + 1) {
            tracks_count(t, &t->rate, "events in a ms", 103, (t->bucket + 1) * NS_PER_MS, 0);
        }
        t->bucket = bucket;
        t->bucket_events = 0;
    }
    t->bucket_events++;
}

void weft_tracks_add(weft_tracks *t, const weft_event *event, int show)
{
    const weft_event_kind *row = weft_event_kind_of(event->kind);
    const uint64_t *w = (const uint64_t *)(event + 1);
    weft_event e = *event;
    if (t->no_memory || event->kind == WEFT_EVENT_DEFINE ||
        event->kind == WEFT_EVENT_SCHEMA_VERSION) {
        return;
    }
    if (!row || !line_fits(&t->table.kinds[event->kind], event)) {
        t->left_out++;
        return;
    }
    t->show = show;
    if (show && !t->has_from) {
        t->has_from = 1;
        t->from = e.tick;
    }
    if (show && e.tick > t->to) {
        t->to = e.tick;
    }
    if (!t->has_first) {
        t->has_first = 1;
        t->first_tick = e.tick;
    }
    follow_rate(t, e.tick);
    follow_hardware(t, event);
    if (is_gpu(e.kind)) {
        on_gpu(t, event, w);
    } else if (e.kind == WEFT_EVENT_SCHED_SWITCH) {
        on_switch(t, event, w);
    } else {
        of_thread(t, event, w);
    }
}

void weft_tracks_show_from(weft_tracks *t, uint64_t tick)
{
    t->has_from = 1;
    t->from = tick;
}

/* ------------------------------------------------------------------------------------------- end
 */

static void end_lane(weft_tracks *t, lane *l, uint64_t tick)
{
    lane_show(t, l);
    while (l->depth > 0) {
        mark_start(&t->mark, l->track, lane_forward(l, tick), "");
        mark_word(&t->mark, "cut", 'u', 1); /* it was still open where the trace ends */
        lane_pop_marked(t, l);
    }
}

static void end_thread(weft_tracks *t, thread *th)
{
    if (th->lane.depth == 0 && th->pending_count == 0) {
        return;
    }
    tracks_need_thread(t, th);
    lane_show(t, &th->lane);
    flow_receive(t, th, t->to, "not yet");
    end_lane(t, &th->lane, t->to);
}

/* Flows whose end did not come while something was shown. */
static void end_flows(weft_tracks *t)
{
    for (uint32_t i = 0; i < MANY_HANDED; i++) {
        thread *th =
            t->handed[i].flow && t->handed[i].thread ? tracks_thread(t, t->handed[i].thread) : NULL;
        if (th) {
            tracks_need_thread(t, th);
            lane_show(t, &th->lane);
            flow_end(t, &th->lane, t->to, "not yet", t->handed[i].flow);
        }
    }
    for (uint32_t i = 0; i < MANY_ASKED; i++) {
        thread *th = t->asked[i].flow ? tracks_thread(t, t->asked[i].thread) : NULL;
        if (th) {
            tracks_need_thread(t, th);
            lane_show(t, &th->lane);
            flow_end(t, &th->lane, t->to, "not completed", t->asked[i].flow);
        }
    }
    for (uint32_t i = 0; i < t->swap_count; i++) {
        if (t->swaps[i] == 0) {
            continue;
        }
        tracks_need(t, &t->gpu, WEFT_TRACK_GPU, 0, "GPU");
        lane_show(t, &t->gpu);
        flow_end(t, &t->gpu, t->to, "not swapped", t->swaps[i]);
    }
}

void weft_tracks_finish(weft_tracks *t, uint64_t tick)
{
    t->to = tick > t->to ? tick : t->to;
    t->show = 1;
    end_flows(t);
    for (uint32_t i = 0; i < t->thread_count; i++) {
        end_thread(t, &t->threads[i]);
    }
    for (uint32_t i = 0; i < HARDWARE; i++) {
        run_end(t, i, t->switches ? t->to : t->hardware_last[i]);
    }
    if (t->gpu.depth > 0) {
        tracks_need(t, &t->gpu, WEFT_TRACK_GPU, 0, "GPU");
        end_lane(t, &t->gpu, t->to);
    }
    if (t->bucket_events > 0 && t->bucket * NS_PER_MS >= t->from) {
        tracks_count(t, &t->rate, "events in a ms", 103, t->bucket * NS_PER_MS, t->bucket_events);
    }
}

uint64_t weft_tracks_left_out(const weft_tracks *t, int *no_memory)
{
    *no_memory = t->no_memory;
    return t->left_out;
}

weft_tracks *weft_tracks_new(const weft_tracks_sink *sink, const weft_trace_begin *begin)
{
    weft_tracks *t = calloc(1, sizeof *t);
    if (!t) {
        return NULL;
    }
    t->sink = *sink;
    t->begin = begin;
    line_table_init(&t->table);
    t->mark.table = &t->table;
    t->mark.begin = begin;
    t->frame = begin->first == 0; /* else it is not known how many there were */
    t->gpu.track = NO_TRACK;
    t->frames.track = t->draws.track = t->outstanding.track = t->rate.track = NO_TRACK;
    for (uint32_t i = 0; i < HARDWARE; i++) {
        t->hardware[i].track = t->ready[i].track = NO_TRACK;
    }
    return t;
}

const char *weft_tracks_title(const weft_trace_begin *begin, char room[WEFT_TRACKS_TITLE])
{
    const char *title = begin->title && begin->title[0] ? begin->title : "title";
    room[mark_utf8(room, WEFT_TRACKS_TITLE - 1, title, strlen(title))] = 0;
    return room;
}

void weft_tracks_free(weft_tracks *t)
{
    if (!t) {
        return;
    }
    for (uint32_t i = 0; i < t->thread_count; i++) {
        free(t->threads[i].lane.stack);
    }
    for (uint32_t i = 0; i < HARDWARE; i++) {
        free(t->hardware[i].stack);
    }
    free(t->gpu.stack);
    free(t->threads);
    free(t->places);
    free(t->tids);
    free(t);
}
