/* perfetto.c: see perfetto.h.
 *
 * Field numbers are facts of the published schema; each stands beside the message that has it. */
#include "perfetto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"
#include "tracks.h"

/* Trace */
#define TRACE_PACKET 1
/* TracePacket */
#define PACKET_TIMESTAMP   8
#define PACKET_SEQUENCE    10 /* trusted_packet_sequence_id */
#define PACKET_TRACK_EVENT 11
#define PACKET_INTERNED    12
#define PACKET_FLAGS       13 /* sequence_flags: 1 state cleared, 2 needs state */
#define PACKET_DESCRIPTOR  60
/* TrackDescriptor */
#define TRACK_UUID     1
#define TRACK_NAME     2
#define TRACK_PROCESS  3
#define TRACK_THREAD   4
#define TRACK_PARENT   5
#define TRACK_COUNTER  8
#define TRACK_ORDERING 11 /* child_ordering: 3 explicit */
#define TRACK_RANK     12 /* sibling_order_rank */
/* ProcessDescriptor, ThreadDescriptor */
#define PROCESS_PID  1
#define PROCESS_NAME 6
#define THREAD_PID   1
#define THREAD_TID   2
#define THREAD_NAME  5
/* CounterDescriptor */
#define COUNTER_UNIT 3 /* 2: count */
/* TrackEvent */
#define EVENT_CATEGORY    3
#define EVENT_ANNOTATION  4
#define EVENT_TYPE        9 /* 1 slice begin, 2 slice end, 3 instant, 4 counter */
#define EVENT_NAME        10
#define EVENT_TRACK       11
#define EVENT_VALUE       30
#define EVENT_FLOW        47 /* fixed64, as the next */
#define EVENT_FLOW_ENDING 48
/* DebugAnnotation */
#define NOTE_NAME    1
#define NOTE_UINT    3
#define NOTE_INT     4
#define NOTE_STRING  6
#define NOTE_POINTER 7
/* InternedData, and the id and name of each of its entries */
#define INTERNED_CATEGORY 1
#define INTERNED_NAME     2
#define INTERNED_NOTE     3
#define ENTRY_ID          1
#define ENTRY_NAME        2

#define PROCESS_UUID   1
#define FIRST_UUID     16 /* of the first track */
#define FIRST_SEQUENCE 2  /* 1 is the process's own */
#define PID            1

#define MOST_SLOTS                                                                                 \
    (1u << 18)        /* names remembered at a time, on all tracks; then all are told anew */
#define MARK_NAMES 64 /* names that one mark may add */

/* A name that a sequence has been told. Known by its hash: two names that share one would show as
 * the first, which hurts nobody but who made them so. */
typedef struct slot {
    uint64_t key;
    uint32_t id, generation;
} slot;

typedef struct sequence {
    uint32_t generation; /* of the slots that its state is in; 0: nothing was told */
    uint32_t names;
} sequence;

struct weft_perfetto {
    stream stream;
    weft_tracks *tracks;
    const weft_trace_begin *begin;
    sequence *sequences; /* by the track's number */
    uint32_t sequence_room;
    slot *slots;
    uint32_t slot_room, slot_count, generation;
    out interned, event; /* of the packet under construction */
};

/* -------------------------------------------------------------------------------------- protobuf
 */

static void varint(out *o, uint64_t value)
{
    char bytes[10];
    size_t n = 0;
    do {
        bytes[n++] = (char)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        value >>= 7;
    } while (value);
    out_raw(o, bytes, n);
}

static void put_uint(out *o, uint32_t field, uint64_t value)
{
    varint(o, (uint64_t)field << 3);
    varint(o, value);
}

static void put_fixed64(out *o, uint32_t field, uint64_t value)
{
    char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (char)(value >> 8 * i);
    }
    varint(o, (uint64_t)field << 3 | 1);
    out_raw(o, bytes, sizeof bytes);
}

static void put_bytes(out *o, uint32_t field, const char *bytes, size_t length)
{
    varint(o, (uint64_t)field << 3 | 2);
    varint(o, length);
    out_raw(o, bytes, length);
}

static size_t length_of_varint(uint64_t value)
{
    size_t n = 1;
    while (value >>= 7) {
        n++;
    }
    return n;
}

/* A message in place: its length is put before it once it is known. */
static size_t message_open(out *o, uint32_t field)
{
    varint(o, (uint64_t)field << 3 | 2);
    return o->used;
}

static void message_close(out *o, size_t at)
{
    if (o->no_memory) {
        return;
    }
    size_t length = o->used - at, more = length_of_varint(length);
    if (out_reserve(o, more)) {
        memmove(o->bytes + at + more, o->bytes + at, length);
        o->used = at;
        varint(o, length);
        o->used = at + more + length;
    }
}

/* --------------------------------------------------------------------------------------- packets
 */

static uint64_t timestamp(uint64_t tick)
{
    return tick > INT64_MAX ? INT64_MAX : tick; /* signed inside the trace processor */
}

static int grow_slots(weft_perfetto *p)
{
    uint32_t room = p->slot_room ? p->slot_room * 4 : 1024;
    slot *old = p->slots, *slots = calloc(room, sizeof *slots);
    if (!slots) {
        p->stream.buffer.no_memory = 1;
        return 0;
    }
    for (uint32_t i = 0; i < p->slot_room; i++) {
        if (old[i].generation == p->generation) {
            uint32_t at = (uint32_t)old[i].key & (room - 1);
            while (slots[at].generation) {
                at = (at + 1) & (room - 1);
            }
            slots[at] = old[i];
        }
    }
    free(old);
    p->slots = slots;
    p->slot_room = room;
    return 1;
}

/* Makes room for the names of one mark; 0 without memory. */
static int names_need(weft_perfetto *p)
{
    if ((p->slot_count + MARK_NAMES) * 2 <= p->slot_room) {
        return 1;
    }
    if (p->slot_room < MOST_SLOTS) {
        return grow_slots(p);
    }
    p->generation++; /* every sequence begins anew: old slots count as free */
    p->slot_count = 0;
    return 1;
}

/* The id of a name on a track, told in this packet where it is new. */
static uint64_t name_id(weft_perfetto *p, uint32_t track, uint32_t field, const char *text,
                        size_t length)
{
    sequence *s = &p->sequences[track];
    uint64_t key = weft_fnv1a(text, length) ^ ((uint64_t)track << 2 | field);
    key *= UINT64_C(0x9e3779b97f4a7c15);
    key ^= key >> 32;
    uint32_t at = (uint32_t)key & (p->slot_room - 1);
    while (p->slots[at].generation == p->generation && p->slots[at].key != key) {
        at = (at + 1) & (p->slot_room - 1);
    }
    slot *found = &p->slots[at];
    if (found->generation != p->generation) {
        *found = (slot){.key = key, .id = ++s->names, .generation = p->generation};
        p->slot_count++;
        size_t entry = message_open(&p->interned, field);
        put_uint(&p->interned, ENTRY_ID, found->id);
        put_bytes(&p->interned, ENTRY_NAME, text, length);
        message_close(&p->interned, entry);
    }
    return found->id;
}

/* The place of a track's sequence; 0 without memory. */
static int sequence_need(weft_perfetto *p, uint32_t track)
{
    if (track >= p->sequence_room) {
        uint32_t room = p->sequence_room ? p->sequence_room * 2 : 64;
        sequence *sequences = realloc(p->sequences, room * sizeof *sequences);
        if (!sequences) {
            p->stream.buffer.no_memory = 1;
            return 0;
        }
        memset(sequences + p->sequence_room, 0, (room - p->sequence_room) * sizeof *sequences);
        p->sequences = sequences;
        p->sequence_room = room;
    }
    return 1;
}

static size_t packet_open(weft_perfetto *p, uint32_t number)
{
    out *o = &p->stream.buffer;
    size_t packet = message_open(o, TRACE_PACKET);
    put_uint(o, PACKET_SEQUENCE, number);
    return packet;
}

/* Writes the event that is in p->event, with the names that it needs. */
static void packet_event(weft_perfetto *p, uint32_t track, uint64_t tick)
{
    out *o = &p->stream.buffer;
    sequence *s = &p->sequences[track];
    size_t packet = packet_open(p, FIRST_SEQUENCE + track);
    put_uint(o, PACKET_TIMESTAMP, timestamp(tick));
    put_uint(o, PACKET_FLAGS, s->generation == p->generation ? 2 : 3);
    s->generation = p->generation;
    if (p->interned.used) {
        put_bytes(o, PACKET_INTERNED, p->interned.bytes, p->interned.used);
    }
    put_bytes(o, PACKET_TRACK_EVENT, p->event.bytes, p->event.used);
    message_close(o, packet);
    if (p->interned.no_memory || p->event.no_memory) {
        o->no_memory = 1;
    }
    stream_write(&p->stream, 0);
}

/* Starts p->event; 0 without memory. */
static int event_begin(weft_perfetto *p, uint32_t track, uint64_t type)
{
    p->interned.used = p->event.used = 0;
    if (p->stream.error || !sequence_need(p, track) || !names_need(p)) {
        return 0;
    }
    if (p->sequences[track].generation != p->generation) {
        p->sequences[track].names = 0;
    }
    put_uint(&p->event, EVENT_TYPE, type);
    put_uint(&p->event, EVENT_TRACK, FIRST_UUID + track);
    return 1;
}

static void put_note(weft_perfetto *p, uint32_t track, const weft_track_arg *arg)
{
    out *o = &p->event;
    uint64_t name = name_id(p, track, INTERNED_NOTE, arg->name, arg->name_length);
    size_t note = message_open(o, EVENT_ANNOTATION);
    put_uint(o, NOTE_NAME, name);
    if (arg->type == 's') {
        put_bytes(o, NOTE_STRING, arg->text, arg->length);
    } else {
        put_uint(o,
                 arg->type == 'x'   ? NOTE_POINTER
                 : arg->type == 'i' ? NOTE_INT
                                    : NOTE_UINT,
                 arg->value);
    }
    message_close(o, note);
}

static void put_mark(weft_perfetto *p, const weft_track_mark *m, uint64_t type)
{
    out *o = &p->event;
    if (!event_begin(p, m->track, type)) {
        return;
    }
    if (m->name) {
        put_uint(o, EVENT_CATEGORY,
                 name_id(p, m->track, INTERNED_CATEGORY, m->category, strlen(m->category)));
        put_uint(o, EVENT_NAME, name_id(p, m->track, INTERNED_NAME, m->name, m->name_length));
    }
    for (uint32_t i = 0; i < m->arg_count; i++) {
        put_note(p, m->track, &m->args[i]);
    }
    if (m->flow_out) {
        put_fixed64(o, EVENT_FLOW, m->flow_out);
    }
    for (uint32_t i = 0; i < m->flow_in_count; i++) {
        put_fixed64(o, EVENT_FLOW_ENDING, m->flow_in[i]);
    }
    packet_event(p, m->track, m->tick);
}

static void on_begin(void *context, const weft_track_mark *mark)
{
    put_mark(context, mark, 1);
}

static void on_end(void *context, const weft_track_mark *mark)
{
    put_mark(context, mark, 2);
}

static void on_instant(void *context, const weft_track_mark *mark)
{
    put_mark(context, mark, 3);
}

static void on_counter(void *context, uint32_t track, uint64_t tick, uint64_t value)
{
    weft_perfetto *p = context;
    if (event_begin(p, track, 4)) {
        put_uint(&p->event, EVENT_VALUE, value > INT64_MAX ? INT64_MAX : value);
        packet_event(p, track, tick);
    }
}

/* Where a kind's tracks stand among the process's. */
static uint64_t rank_of(const weft_track *track)
{
    static const uint32_t first[] = {
        [WEFT_TRACK_THREAD] = 400000, [WEFT_TRACK_HARDWARE] = 100, [WEFT_TRACK_SOURCE] = 200,
        [WEFT_TRACK_GPU] = 10,        [WEFT_TRACK_MACHINE] = 20,   [WEFT_TRACK_COUNTER] = 200000,
    };
    return first[track->kind] + track->rank;
}

static void on_track(void *context, const weft_track *track)
{
    weft_perfetto *p = context;
    out *o = &p->stream.buffer;
    size_t name = strlen(track->name);
    size_t packet = packet_open(p, FIRST_SEQUENCE + track->number);
    size_t descriptor = message_open(o, PACKET_DESCRIPTOR);
    put_uint(o, TRACK_UUID, FIRST_UUID + track->number);
    put_uint(o, TRACK_PARENT, PROCESS_UUID);
    if (track->kind == WEFT_TRACK_THREAD) {
        size_t thread = message_open(o, TRACK_THREAD);
        put_uint(o, THREAD_PID, PID);
        put_uint(o, THREAD_TID, track->tid);
        put_bytes(o, THREAD_NAME, track->name, name);
        message_close(o, thread);
    } else {
        put_bytes(o, TRACK_NAME, track->name, name);
    }
    if (track->kind == WEFT_TRACK_COUNTER) {
        size_t counter = message_open(o, TRACK_COUNTER);
        put_uint(o, COUNTER_UNIT, 2);
        message_close(o, counter);
    }
    put_uint(o, TRACK_RANK, rank_of(track));
    message_close(o, descriptor);
    message_close(o, packet);
    stream_write(&p->stream, 0);
}

static void put_process(weft_perfetto *p, const char *title)
{
    out *o = &p->stream.buffer;
    size_t packet = packet_open(p, 1);
    size_t descriptor = message_open(o, PACKET_DESCRIPTOR);
    put_uint(o, TRACK_UUID, PROCESS_UUID);
    size_t process = message_open(o, TRACK_PROCESS);
    put_uint(o, PROCESS_PID, PID);
    put_bytes(o, PROCESS_NAME, title, strlen(title));
    message_close(o, process);
    put_uint(o, TRACK_ORDERING, 3);
    message_close(o, descriptor);
    message_close(o, packet);
}

/* ---------------------------------------------------------------------------------------- public
 */

weft_perfetto *weft_perfetto_new(int file, const weft_trace_begin *begin, size_t buffer)
{
    char title[WEFT_TRACKS_TITLE];
    weft_perfetto *p = calloc(1, sizeof *p);
    if (!p) {
        return NULL;
    }
    weft_tracks_sink sink = {
        .context = p,
        .track = on_track,
        .begin = on_begin,
        .end = on_end,
        .instant = on_instant,
        .counter = on_counter,
    };
    p->stream = (stream){.file = file, .threshold = buffer};
    p->begin = begin;
    p->generation = 1;
    p->tracks = weft_tracks_new(&sink, begin);
    if (!p->tracks) {
        free(p);
        return NULL;
    }
    put_process(p, weft_tracks_title(begin, title));
    return p;
}

void weft_perfetto_add(weft_perfetto *p, const weft_event *event, int show)
{
    weft_tracks_add(p->tracks, event, show);
}

void weft_perfetto_from(weft_perfetto *p, uint64_t tick)
{
    weft_tracks_show_from(p->tracks, tick);
}

void weft_perfetto_flush(weft_perfetto *p)
{
    stream_write(&p->stream, 1);
}

void weft_perfetto_end(weft_perfetto *p, uint64_t tick)
{
    weft_tracks_finish(p->tracks, tick);
    stream_write(&p->stream, 1);
}

int weft_perfetto_error(const weft_perfetto *p, uint64_t *written, uint64_t *left_out)
{
    int no_memory;
    *written = p->stream.written;
    *left_out = weft_tracks_left_out(p->tracks, &no_memory);
    return p->stream.error ? p->stream.error : no_memory ? ENOMEM : 0;
}

void weft_perfetto_free(weft_perfetto *p)
{
    if (!p) {
        return;
    }
    weft_tracks_free(p->tracks);
    out_free(&p->stream.buffer);
    out_free(&p->interned);
    out_free(&p->event);
    free(p->sequences);
    free(p->slots);
    free(p);
}
