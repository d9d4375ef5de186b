/* chrome.c: see chrome.h. The format is described in "Trace Event Format" (Google, the document that
 * chrome://tracing links to). */
#include "chrome.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"
#include "tracks.h"

#define RAW(o, literal) out_raw(o, literal, sizeof(literal) - 1)
#define PID             1
#define OTHER_TID       2000000000u         /* of the first track that is no thread */
#define EXACT           (UINT64_C(1) << 53) /* JSON numbers are doubles to most readers */

struct weft_chrome {
    stream stream;
    weft_tracks *tracks;
    uint32_t *tids; /* by the track's number */
    char **names;   /* of counters; NULL for others */
    uint32_t room;
    int entries; /* 1: one was written, the next needs a comma */
};

/* Text that is UTF-8 without control characters already (tracks.h). */
static void put_text(out *o, const char *text, size_t length)
{
    RAW(o, "\"");
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\') {
            RAW(o, "\\");
        }
        out_raw(o, text + i, 1);
    }
    RAW(o, "\"");
}

/* ns as microseconds with three decimals. */
static void put_time(out *o, uint64_t tick)
{
    char decimals[4] = {'.', (char)('0' + tick / 100 % 10), (char)('0' + tick / 10 % 10),
                        (char)('0' + tick % 10)};
    out_u64(o, tick / 1000);
    out_raw(o, decimals, sizeof decimals);
}

static void put_value(out *o, const weft_track_arg *arg)
{
    if (arg->type == 's') {
        put_text(o, arg->text, arg->length);
    } else if (arg->type == 'i') {
        out_i64(o, (int64_t)arg->value);
    } else if (arg->type == 'x' || arg->value > EXACT) {
        out_hex(o, arg->value, 1);
    } else {
        out_u64(o, arg->value);
    }
}

/* `{"ph":"B","cat":"call","pid":1,"tid":7,"ts":1.234`: what every phase has. */
static out *entry_open(weft_chrome *c, const char *phase, const char *category, uint32_t track,
                       uint64_t tick)
{
    out *o = &c->stream.buffer;
    out_str(o, c->entries ? ",\n{\"ph\":\"" : "\n{\"ph\":\"");
    c->entries = 1;
    out_str(o, phase);
    RAW(o, "\",\"cat\":\"");
    out_str(o, category);
    RAW(o, "\",\"pid\":");
    out_u64(o, PID);
    RAW(o, ",\"tid\":");
    out_u64(o, track < c->room ? c->tids[track] : 0);
    RAW(o, ",\"ts\":");
    put_time(o, tick);
    return o;
}

static void entry_close(weft_chrome *c)
{
    RAW(&c->stream.buffer, "}");
    stream_write(&c->stream, 0);
}

static void put_name(out *o, const weft_track_mark *m)
{
    RAW(o, ",\"name\":");
    put_text(o, m->name, m->name_length);
}

static void put_arguments(out *o, const weft_track_mark *m)
{
    if (m->arg_count == 0) {
        return;
    }
    RAW(o, ",\"args\":{");
    for (uint32_t i = 0; i < m->arg_count; i++) {
        if (i > 0) {
            RAW(o, ",");
        }
        put_text(o, m->args[i].name, m->args[i].name_length);
        RAW(o, ":");
        put_value(o, &m->args[i]);
    }
    RAW(o, "}");
}

/* Flows are events of their own, bound to the slice around them. */
static void put_flow(weft_chrome *c, const weft_track_mark *m, const char *phase, uint64_t flow)
{
    out *o = entry_open(c, phase, "flow", m->track, m->tick);
    RAW(o, ",\"name\":\"flow\",\"id\":");
    out_u64(o, flow);
    if (phase[0] == 'f') {
        RAW(o, ",\"bp\":\"e\"");
    }
    entry_close(c);
}

static void on_begin(void *context, const weft_track_mark *m)
{
    weft_chrome *c = context;
    if (c->stream.error == 0) {
        out *o = entry_open(c, "B", m->category, m->track, m->tick);
        put_name(o, m);
        put_arguments(o, m);
        entry_close(c);
    }
}

static void on_end(void *context, const weft_track_mark *m)
{
    weft_chrome *c = context;
    if (c->stream.error == 0) {
        put_arguments(entry_open(c, "E", m->category, m->track, m->tick), m);
        entry_close(c);
    }
}

static void on_instant(void *context, const weft_track_mark *m)
{
    weft_chrome *c = context;
    if (c->stream.error) {
        return;
    }
    int joined = m->flow_out || m->flow_in_count > 0;
    out *o = entry_open(c, joined ? "X" : "i", m->category, m->track, m->tick);
    out_str(o, joined ? ",\"dur\":0" : ",\"s\":\"t\"");
    put_name(o, m);
    put_arguments(o, m);
    entry_close(c);
    for (uint32_t i = 0; i < m->flow_in_count; i++) {
        put_flow(c, m, "f", m->flow_in[i]);
    }
    if (m->flow_out) {
        put_flow(c, m, "s", m->flow_out);
    }
}

static void on_counter(void *context, uint32_t track, uint64_t tick, uint64_t value)
{
    weft_chrome *c = context;
    if (c->stream.error || track >= c->room) {
        return;
    }
    const char *name = c->names[track] ? c->names[track] : "counter";
    out *o = entry_open(c, "C", "counter", track, tick);
    RAW(o, ",\"name\":");
    put_text(o, name, strlen(name));
    RAW(o, ",\"args\":{\"value\":");
    out_u64(o, value > EXACT ? EXACT : value);
    RAW(o, "}");
    entry_close(c);
}

static int make_room(weft_chrome *c, uint32_t track)
{
    if (track < c->room) {
        return 1;
    }
    uint32_t room = c->room ? c->room * 2 : 64;
    uint32_t *tids = realloc(c->tids, room * sizeof *tids);
    c->tids = tids ? tids : c->tids;
    char **names = tids ? realloc(c->names, room * sizeof *names) : NULL;
    if (!names) {
        c->stream.buffer.no_memory = 1;
        return 0;
    }
    c->names = names;
    memset(tids + c->room, 0, (room - c->room) * sizeof *tids);
    memset(names + c->room, 0, (room - c->room) * sizeof *names);
    c->room = room;
    return 1;
}

static void put_metadata(weft_chrome *c, const char *what, uint32_t track, const char *key,
                         const char *text, uint64_t number)
{
    out *o = entry_open(c, "M", "__metadata", track, 0);
    RAW(o, ",\"name\":\"");
    out_str(o, what);
    RAW(o, "\",\"args\":{\"");
    out_str(o, key);
    RAW(o, "\":");
    if (text) {
        put_text(o, text, strlen(text));
    } else {
        out_u64(o, number);
    }
    RAW(o, "}");
    entry_close(c);
}

static void on_track(void *context, const weft_track *track)
{
    /* The GPU and the machine first, then hardware threads, sources, threads. */
    static const uint32_t order[] = {
        [WEFT_TRACK_THREAD] = 1000, [WEFT_TRACK_HARDWARE] = 100, [WEFT_TRACK_SOURCE] = 200,
        [WEFT_TRACK_GPU] = 10,      [WEFT_TRACK_MACHINE] = 20,   [WEFT_TRACK_COUNTER] = 0,
    };
    weft_chrome *c = context;
    if (c->stream.error || !make_room(c, track->number)) {
        return;
    }
    c->tids[track->number] = track->tid ? track->tid : OTHER_TID + track->number;
    if (track->kind == WEFT_TRACK_COUNTER) {
        c->names[track->number] = strdup(track->name);
        return;
    }
    put_metadata(c, "thread_name", track->number, "name", track->name, 0);
    put_metadata(c, "thread_sort_index", track->number, "sort_index", NULL,
                 order[track->kind] + track->rank);
}

weft_chrome *weft_chrome_new(int file, const weft_trace_begin *begin, size_t buffer)
{
    char title[WEFT_TRACKS_TITLE];
    weft_chrome *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    weft_tracks_sink sink = {
        .context = c,
        .track = on_track,
        .begin = on_begin,
        .end = on_end,
        .instant = on_instant,
        .counter = on_counter,
    };
    c->stream = (stream){.file = file, .threshold = buffer};
    c->tracks = weft_tracks_new(&sink, begin);
    if (!c->tracks) {
        free(c);
        return NULL;
    }
    RAW(&c->stream.buffer, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    put_metadata(c, "process_name", UINT32_MAX, "name", weft_tracks_title(begin, title), 0);
    return c;
}

void weft_chrome_add(weft_chrome *c, const weft_event *event, int show)
{
    weft_tracks_add(c->tracks, event, show);
}

void weft_chrome_from(weft_chrome *c, uint64_t tick)
{
    weft_tracks_show_from(c->tracks, tick);
}

void weft_chrome_flush(weft_chrome *c)
{
    stream_write(&c->stream, 1);
}

void weft_chrome_end(weft_chrome *c, uint64_t tick)
{
    weft_tracks_finish(c->tracks, tick);
    RAW(&c->stream.buffer, "\n]}\n");
    stream_write(&c->stream, 1);
}

int weft_chrome_error(const weft_chrome *c, uint64_t *written, uint64_t *left_out)
{
    int no_memory;
    *written = c->stream.written;
    *left_out = weft_tracks_left_out(c->tracks, &no_memory);
    return c->stream.error ? c->stream.error : no_memory ? ENOMEM : 0;
}

void weft_chrome_free(weft_chrome *c)
{
    if (!c) {
        return;
    }
    for (uint32_t i = 0; i < c->room; i++) {
        free(c->names[i]);
    }
    free(c->names);
    free(c->tids);
    weft_tracks_free(c->tracks);
    out_free(&c->stream.buffer);
    free(c);
}
