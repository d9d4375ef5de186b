/* events.c: numbering, names, digest and delivery. */
#include "events.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lock.h"
#include "swap.h"
#include "text.h"

#define POLL_MS  10 /* the drain looks into the ring at least this often */
#define FLUSH_MS 30 /* what a tracer holds waits no longer than this and a look */

/* GUEST kinds and DEFINE are always wanted; the rest only while somebody listens, and what must be
 * asked for only where the filter asks. */
static void set_wanted(events *e, const tracer_slot *tracer)
{
    uint64_t words[EVENTS_WANTED] = {0}, passing[EVENTS_WANTED];
    if (tracer->filter) {
        weft_filter_kinds(tracer->filter, passing, EVENTS_WANTED);
    }
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        const weft_event_kind *row = weft_event_kind_of(kind);
        uint64_t bit = UINT64_C(1) << kind % 64;
        int listened =
            tracer->filter ? (passing[kind / 64] & bit) != 0 : !(row->flags & WEFT_KIND_ASKED);
        if (row->category == WEFT_CLASS_GUEST || kind == WEFT_EVENT_DEFINE ||
            (listened && !tracer->deaf)) {
            words[kind / 64] |= bit;
        }
    }
    for (uint32_t i = 0; i < EVENTS_WANTED; i++) {
        atomic_store_explicit(&e->wanted[i], words[i], memory_order_relaxed);
    }
}

/* What passes without asking the filter. Bit 0, which is no kind, stands for numbers that are none. */
static void set_passing(events *e, const tracer_slot *tracer, int partial)
{
    memset(e->passing, 0, sizeof e->passing);
    memset(e->asking, 0, sizeof e->asking);
    if (!partial) {
        memset(e->passing, 0xFF, sizeof e->passing);
    } else if (weft_filter_by_kind(tracer->filter)) {
        weft_filter_kinds(tracer->filter, e->passing, EVENTS_WANTED);
        e->passing[WEFT_EVENT_DEFINE / 64] |= UINT64_C(1) << WEFT_EVENT_DEFINE % 64;
        e->asking[0] = 1;
    } else {
        memset(e->asking, 0xFF, sizeof e->asking);
    }
}

static void note_failure(events *e, const tracer_slot *tracer, const char *op, weft_status status)
{
    leaf_take(&e->lock, "events");
    if (e->status == WEFT_OK) {
        e->status = status;
        e->failed = text_format("%s.%s", tracer->id, op);
    }
    leaf_give(&e->lock);
}

static const char *name_of(void *names, uint64_t id)
{
    events *e = names;
    const uint64_t *place = map_find(&e->names, id);
    return place && *place ? e->definitions[*place - 1].text : NULL;
}

static void digest_now(void *names, char *hex)
{
    events_digest(names, hex);
}

static int32_t canon_of(void *names, weft_event_canon *canon)
{
    const events *e = names;
    if (e->canonical) {
        canon_own_latest(e->canon, e->canon_hash, canon);
    }
    return e->canonical;
}

/* Keeps what a DEFINE says; the first text of an identity stays. */
static void learn(events *e, const weft_event *event)
{
    const uint64_t *words = (const uint64_t *)(event + 1);
    uint64_t count = (event->size - sizeof *event) / 8;
    if (count < 3 || words[1] > (count - 3) * 8) {
        return;
    }
    uint64_t text_at = 2 + (words[1] + 7) / 8;
    if (text_at >= count || words[text_at] > (count - text_at - 1) * 8) {
        return;
    }
    int fresh;
    uint64_t *place = map_at(&e->names, words[0], &fresh);
    if (!fresh) {
        return;
    }
    if ((e->definition_count & (e->definition_count - 1)) == 0) { /* full: a power of two */
        size_t room = e->definition_count ? e->definition_count * 2 : 1;
        e->definitions = text_grow(e->definitions, room * sizeof *e->definitions);
    }
    e->definitions[e->definition_count++] =
        (definition){.id = words[0],
                     .what = text_copy_n((const char *)&words[2], words[1]),
                     .text = text_copy_n((const char *)&words[text_at + 1], words[text_at])};
    *place = e->definition_count;
}

/* trace_digest counts an event's kind, hw, thread, index, tick and payload (event.h). Events are
 * hashed many at a time: one call of XXH3 costs as much as the bytes of several events. */
static void hash_staged(events *e)
{
    digest_add(&e->hash, e->staged, e->staged_words * 8);
    e->staged_words = 0;
}

static void digest_event(events *e, const weft_event *event)
{
    e->canonical = canon_own_add(e->canon, event, &e->canon_hash);
    if (e->canonical) {
        weft_canon_chains_add(e->chains, event->thread, e->canon_hash);
    }
    uint32_t words = (uint32_t)(event->size - sizeof *event) / 8;
    if (e->staged_words + 5 + words > EVENTS_STAGE_WORDS) {
        hash_staged(e);
    }
    uint64_t *to = &e->staged[e->staged_words];
    const uint64_t *payload = (const uint64_t *)(event + 1);
    to[0] = event->kind;
    to[1] = event->hw;
    to[2] = event->thread;
    to[3] = event->index;
    to[4] = event->tick;
    for (uint32_t i = 0; i < words; i++) {
        to[5 + i] = payload[i];
    }
    e->staged_words += 5 + words;
    e->guest++;
}

static inline int passes(events *e, const weft_event *event)
{
    uint32_t kind = event->kind < WEFT_EVENT_KIND_END ? event->kind : 0;
    uint32_t word = kind / 64, bit = kind % 64;
    return (e->passing[word] >> bit & 1) ||
           ((e->asking[word] >> bit & 1) && weft_filter_pass(e->tracer.filter, event, name_of, e));
}

void events_deliver(events *e, weft_event *event)
{
    if (e->plan) {
        swap_when_due(e, event);
    }
    event->sequence = e->sequence++;
    e->canonical = 0;
    if (event->category == WEFT_CLASS_GUEST) {
        digest_event(e, event);
        e->tick = event->tick;
        e->frames += event->kind == WEFT_EVENT_GPU_SWAP;
    } else if (event->kind == WEFT_EVENT_DEFINE) {
        learn(e, event);
    }
    if (passes(e, event)) {
        e->tracer.ops->event(e->tracer.instance, event);
    }
}

weft_status events_open_tracer(events *e, const tracer_slot *tracer)
{
    uint32_t other = e->current ^ 1;
    events_digest(e, e->digest_before[other]);
    e->begin[other] = (weft_trace_begin){
        .size = sizeof(weft_trace_begin),
        .partial = tracer->filter && !weft_filter_is_empty(tracer->filter),
        .first = e->sequence,
        .engine = "weft",
        .build = WEFT_VERSION,
        .title = e->title,
        .profile_digest = e->profile_digest,
        .digest = e->digest_before[other],
        .name = name_of,
        .names = e,
        .digest_now = digest_now,
    };
    if (e->begin[other].first == 0) {
        e->begin[other].canon = canon_of;
    }
    weft_status status = tracer->ops->open(tracer->instance, &e->begin[other]);
    if (status == WEFT_OK) {
        e->current = other;
        e->tracer = *tracer;
        set_wanted(e, tracer);
        set_passing(e, tracer, e->begin[other].partial != 0);
    }
    return status;
}

weft_status events_close_tracer(events *e)
{
    char hex[33];
    events_digest(e, hex);
    return e->tracer.ops->close(e->tracer.instance, e->sequence - 1, hex);
}

static side_event *take_side(events *e, drain_request **request)
{
    leaf_take(&e->lock, "events");
    side_event *list = e->side_first;
    e->side_first = NULL;
    e->side_last = &e->side_first;
    *request = e->request;
    leaf_give(&e->lock);
    return list;
}

/* What came aside, and what somebody asks for. */
static void drain_aside(events *e)
{
    drain_request *request;
    side_event *side = take_side(e, &request);
    while (side) {
        side_event *next = side->next;
        events_deliver(e, &side->event->head);
        free(side->event);
        free(side);
        side = next;
    }
    if (request) {
        request->work(e, request);
        leaf_take(&e->lock, "events");
        request->done = 1;
        e->request = NULL;
        pthread_cond_broadcast(&e->answered);
        leaf_give(&e->lock);
    }
}

/* Everything that is in the ring by now. Room is given back in pieces. */
static void drain_ring(events *e)
{
    ring *r = &e->ring;
    uint64_t head = ring_head(r), step = r->capacity / 16, next = r->at + step;
    weft_event *event;
    while ((event = ring_read(r, head)) != NULL) {
        events_deliver(e, event);
        if (r->at >= next) {
            ring_give_back(r);
            next = r->at + step;
        }
    }
    ring_give_back(r);
}

static uint64_t milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Has the tracer hand on what it holds, now and then. When that is depends on the host's clock: a
 * tracer whose output must not has no flush. */
static void flush_when_due(events *e, uint64_t *last)
{
    uint64_t now = milliseconds_now();
    if (now - *last >= FLUSH_MS) {
        *last = now;
        if (e->flushed != e->sequence) {
            e->tracer.ops->flush(e->tracer.instance);
            e->flushed = e->sequence;
        }
    }
}

static void *drain_main(void *context)
{
    events *e = context;
    pthread_setname_np(pthread_self(), "weft-drain"); /* for debuggers and profilers */
    atomic_store(&e->drain_id, pthread_self());
    weft_status status = events_open_tracer(e, &e->tracer);
    if (status != WEFT_OK) {
        note_failure(e, &e->tracer, "open", status);
    }
    leaf_take(&e->lock, "events");
    e->opened = 1;
    pthread_cond_broadcast(&e->answered);
    leaf_give(&e->lock);
    if (status != WEFT_OK) {
        return NULL;
    }
    uint64_t last_flush = milliseconds_now();
    for (;;) {
        uint32_t ending = atomic_load(&e->ending); /* before the round: nothing comes after it */
        drain_aside(e);
        drain_ring(e);
        if (ending) {
            break;
        }
        flush_when_due(e, &last_flush);
        ring_wait(&e->ring, POLL_MS);
    }
    status = events_close_tracer(e);
    if (status != WEFT_OK) {
        note_failure(e, &e->tracer, "close", status);
    }
    return NULL;
}

weft_status events_start(events *e, const tracer_slot *tracer, const char *title,
                         const char *profile_digest, uint32_t ring_words)
{
    memset(e, 0, sizeof *e);
    ring_start(&e->ring, ring_words ? ring_words : EVENTS_RING_WORDS);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->answered, NULL);
    e->side_last = &e->side_first;
    int hashing = digest_start(&e->hash);
    e->canon = canon_own_new();
    e->chains = weft_canon_chains_new();
    e->title = text_copy(title);
    snprintf(e->profile_digest, sizeof e->profile_digest, "%s", profile_digest);
    e->tracer = *tracer;
    if (!hashing || !e->canon || !e->chains) {
        return WEFT_E_NO_MEMORY;
    }
    atomic_store(&e->started, 1);
    if (pthread_create(&e->drain, NULL, drain_main, e)) {
        atomic_store(&e->started, 0);
        return WEFT_E_NO_MEMORY;
    }
    leaf_take(&e->lock, "events");
    while (!e->opened) {
        pthread_cond_wait(&e->answered, &e->lock);
    }
    weft_status status = e->status;
    leaf_give(&e->lock);
    if (status != WEFT_OK) {
        pthread_join(e->drain, NULL);
        atomic_store(&e->started, 0);
    }
    return status;
}

weft_status events_finish(events *e)
{
    if (atomic_load(&e->started)) {
        atomic_store(&e->ending, 1);
        ring_wake(&e->ring);
        pthread_join(e->drain, NULL);
        atomic_store(&e->started, 0);
    }
    return e->status;
}

void events_free(events *e)
{
    if (!e->ring.words) {
        return;
    }
    events_finish(e);
    ring_end(&e->ring);
    for (size_t i = 0; i < e->definition_count; i++) {
        free(e->definitions[i].what);
        free(e->definitions[i].text);
    }
    free(e->definitions);
    map_free(&e->names);
    map_free(&e->index);
    map_free(&e->defined);
    digest_end(&e->hash);
    canon_own_free(e->canon);
    weft_canon_chains_free(e->chains);
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->answered);
    free(e->title);
    free(e->failed);
}

void events_emit(events *e, weft_event *event)
{
    assert(event->size >= sizeof *event && event->size % 8 == 0 &&
           event->size <= sizeof(weft_event_buffer));
    event->sequence = 0;
    event->index = 0;
    if (event->category == WEFT_CLASS_GUEST) {
        if (event->thread != e->last_thread || !e->last_index) {
            e->last_index = map_at(&e->index, event->thread, NULL);
            e->last_thread = event->thread;
        }
        event->index = (*e->last_index)++;
    }
    ring_write(&e->ring, event);
}

uint64_t events_define(events *e, const char *what, const char *text)
{
    size_t length = strlen(text);
    uint64_t id = weft_fnv1a(text, length);
    int fresh;
    map_at(&e->defined, id, &fresh);
    if (fresh) {
        weft_event_buffer event;
        weft_event_begin(&event, WEFT_EVENT_DEFINE);
        weft_event_word(&event, id);
        weft_event_text(&event, what, strlen(what));
        weft_event_text(&event, text, length);
        events_emit(e, &event.head);
    }
    return id;
}

void events_emit_aside(events *e, const weft_event *event)
{
    side_event *side = text_need(sizeof *side);
    side->event = text_need(sizeof *side->event);
    memcpy(side->event, event, event->size);
    leaf_take(&e->lock, "events");
    *e->side_last = side;
    e->side_last = &side->next;
    leaf_give(&e->lock);
    ring_wake(&e->ring);
}

void events_digest(events *e, char *hex)
{
    hash_staged(e);
    digest_text(&e->hash, hex);
}

void events_canon_digest(const events *e, char *hex)
{
    hex[0] = 0;
    if (!e->canon->no_memory && !e->canon->live.no_memory) {
        weft_canon_chains_digest(e->chains, hex);
    }
}
