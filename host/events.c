/* events.c: numbering, names, digest and delivery. */
#include "events.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "text.h"

#define IDLE_MS 50 /* the ring stayed empty this long: the tracer may flush */

/* GUEST kinds and DEFINE are always wanted; the rest only while somebody listens. */
static void set_wanted(events *e, const tracer_slot *tracer)
{
    uint64_t words[EVENTS_WANTED] = {0};
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        const weft_event_kind *row = weft_event_kind_of(kind);
        if (row &&
            (row->category == WEFT_CLASS_GUEST || kind == WEFT_EVENT_DEFINE || !tracer->deaf)) {
            words[kind / 64] |= UINT64_C(1) << kind % 64;
        }
    }
    for (uint32_t i = 0; i < EVENTS_WANTED; i++) {
        atomic_store_explicit(&e->wanted[i], words[i], memory_order_relaxed);
    }
}

static void note_failure(events *e, const tracer_slot *tracer, const char *op, weft_status status)
{
    pthread_mutex_lock(&e->lock);
    if (e->status == WEFT_OK) {
        e->status = status;
        e->failed = text_format("%s.%s", tracer->id, op);
    }
    pthread_mutex_unlock(&e->lock);
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

void events_deliver(events *e, weft_event *event)
{
    event->sequence = e->sequence++;
    if (event->category == WEFT_CLASS_GUEST) {
        uint64_t head[5] = {event->kind, event->hw, event->thread, event->index, event->tick};
        XXH3_128bits_update(e->hash, head, sizeof head);
        XXH3_128bits_update(e->hash, event + 1, event->size - sizeof *event);
        e->guest++;
    } else if (event->kind == WEFT_EVENT_DEFINE) {
        learn(e, event);
    }
    e->tracer.ops->event(e->tracer.instance, event);
    e->unflushed = 1;
}

weft_status events_open_tracer(events *e, const tracer_slot *tracer)
{
    uint32_t other = e->current ^ 1;
    events_digest(e, e->digest_before[other]);
    e->begin[other] = (weft_trace_begin){
        .size = sizeof(weft_trace_begin),
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
    weft_status status = tracer->ops->open(tracer->instance, &e->begin[other]);
    if (status == WEFT_OK) {
        e->current = other;
        e->tracer = *tracer;
        set_wanted(e, tracer);
    }
    return status;
}

weft_status events_close_tracer(events *e)
{
    char hex[33];
    events_digest(e, hex);
    weft_status status = e->tracer.ops->close(e->tracer.instance, e->sequence - 1, hex);
    if (status != WEFT_OK) {
        note_failure(e, &e->tracer, "close", status);
    }
    return status;
}

static side_event *take_side(events *e, swap_request **swap)
{
    pthread_mutex_lock(&e->lock);
    side_event *list = e->side_first;
    e->side_first = NULL;
    e->side_last = &e->side_first;
    *swap = e->swap;
    e->swap = NULL;
    pthread_mutex_unlock(&e->lock);
    return list;
}

/* One round: what came aside, a swap, then everything in the ring. */
static int drain_round(events *e)
{
    int worked = 0;
    swap_request *swap;
    side_event *side = take_side(e, &swap);
    while (side) {
        side_event *next = side->next;
        events_deliver(e, &side->event->head);
        free(side->event);
        free(side);
        side = next;
        worked = 1;
    }
    if (swap) {
        events_do_swap(e, swap);
        worked = 1;
    }
    weft_event *event;
    for (uint32_t i = 0; i < 256 && (event = ring_peek(&e->ring)) != NULL; i++) {
        events_deliver(e, event);
        ring_release(&e->ring, event);
        worked = 1;
    }
    return worked;
}

static void *drain_main(void *context)
{
    events *e = context;
    atomic_store(&e->drain_id, pthread_self());
    weft_status status = events_open_tracer(e, &e->tracer);
    if (status != WEFT_OK) {
        note_failure(e, &e->tracer, "open", status);
    }
    pthread_mutex_lock(&e->lock);
    e->opened = 1;
    pthread_cond_broadcast(&e->answered);
    pthread_mutex_unlock(&e->lock);
    if (status != WEFT_OK) {
        return NULL;
    }
    for (;;) {
        uint32_t ending = atomic_load(&e->ending); /* before the round: nothing comes after it */
        int worked = drain_round(e);
        if (worked) {
            continue;
        }
        if (ending) {
            break;
        }
        ring_wait(&e->ring, IDLE_MS);
        if (e->unflushed && !ring_peek(&e->ring)) {
            e->tracer.ops->flush(e->tracer.instance);
            e->unflushed = 0;
        }
    }
    events_close_tracer(e);
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
    e->hash = XXH3_createState();
    e->title = text_copy(title);
    snprintf(e->profile_digest, sizeof e->profile_digest, "%s", profile_digest);
    e->tracer = *tracer;
    if (!e->hash) {
        return WEFT_E_NO_MEMORY;
    }
    XXH3_128bits_reset(e->hash);
    atomic_store(&e->started, 1);
    if (pthread_create(&e->drain, NULL, drain_main, e)) {
        atomic_store(&e->started, 0);
        return WEFT_E_NO_MEMORY;
    }
    pthread_mutex_lock(&e->lock);
    while (!e->opened) {
        pthread_cond_wait(&e->answered, &e->lock);
    }
    weft_status status = e->status;
    pthread_mutex_unlock(&e->lock);
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
    XXH3_freeState(e->hash);
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
    if (event->category == WEFT_CLASS_GUEST) {
        event->index = (*map_at(&e->index, event->thread, NULL))++;
    } else {
        event->index = 0;
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
    pthread_mutex_lock(&e->lock);
    *e->side_last = side;
    e->side_last = &side->next;
    pthread_mutex_unlock(&e->lock);
    ring_wake(&e->ring);
}

void events_digest(const events *e, char *hex)
{
    XXH128_hash_t hash = XXH3_128bits_digest(e->hash);
    text_hash_hex(hash.high64, hash.low64, hex);
}
