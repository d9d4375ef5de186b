/* timeline.c: see timeline.h.
 *
 * Colours are Okabe and Ito's, and tints of them, which people with any colour vision tell apart
 * ("Color Universal Design", 2008); what matters differs in place or shape too. */
#include "timeline.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

#define WIDTH     1200
#define LEFT      150 /* of it for the tracks' names */
#define RIGHT     16
#define TOP       52
#define ROW       16   /* height of a row; nested slices have rows of their own */
#define ROWS      4    /* of a track at most; deeper slices share the last */
#define GAP       7    /* between tracks */
#define CHARACTER 5.6  /* width of one, 10 px sans-serif, on the wide side */
#define RUNNERS   64   /* threads with a colour of their own */
#define TRACKS    4096 /* that are followed */
#define LABEL     48   /* bytes of a label that are kept */
#define TOOLTIP   400

typedef struct box {
    uint64_t from, to;
    uint32_t lane, depth, order;
    char kind; /* first letter of the category: call, wait, run, frame */
    uint8_t colour;
    char *label, *tooltip;
} box;

typedef struct dot {
    uint64_t tick;
    uint32_t lane, depth;
    char kind; /* s sync, f fault, S a swap, o other */
    char *label;
} dot;

typedef struct arrow {
    uint64_t id, from, to;
    uint32_t from_lane, to_lane, from_depth, to_depth;
    int ended;
} arrow;

typedef struct row {
    weft_track track;
    char *name;
    uint32_t open[WEFT_TRACKS_DEPTH]; /* boxes, by depth; UINT32_MAX: one that was left out */
    uint32_t depth, deepest, marks;
    int y;
} row;

struct weft_timeline {
    stream stream;
    weft_tracks *tracks;
    const weft_trace_begin *begin;
    row *rows;
    uint32_t row_count, row_room;
    box *boxes;
    dot *dots;
    arrow *arrows;
    uint32_t box_count, box_room, dot_count, dot_room, arrow_count, arrow_room;
    uint64_t runners[RUNNERS]; /* names of threads that have a colour, hashed */
    uint32_t runner_count;
    uint64_t left_out, from, to;
    int has_from, no_memory;
};

/* ------------------------------------------------------------------------------------- gathering
 */

/* Room for one more in a list; 0 where the limits or memory end. */
static int more(weft_timeline *t, void **list, uint32_t count, uint32_t *room, size_t size,
                uint32_t most)
{
    if (count >= most) {
        t->left_out++;
        return 0;
    }
    if (count < *room) {
        return 1;
    }
    uint32_t wanted = *room ? *room * 2 : 64;
    void *grown = realloc(*list, wanted * size);
    if (!grown) {
        t->no_memory = 1;
        return 0;
    }
    *list = grown;
    *room = wanted;
    return 1;
}

/* Bytes of a text that are kept: at most `most`, cut between two characters. */
static size_t cut(const char *text, size_t length, size_t most)
{
    if (length > most) {
        for (length = most; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;) {
            length--;
        }
    }
    return length;
}

static char *copy(weft_timeline *t, const char *text, size_t length, size_t most)
{
    char *made = strndup(text, cut(text, length, most));
    t->no_memory |= !made;
    return made;
}

static char *tooltip_of(weft_timeline *t, const weft_track_mark *m)
{
    char text[TOOLTIP * 2];
    size_t used = 0;
    for (uint32_t i = 0; i < m->arg_count && used < TOOLTIP; i++) {
        const weft_track_arg *a = &m->args[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s=", i ? ", " : "",
                                 (int)cut(a->name, a->name_length, 64), a->name);
        if (a->type == 's') {
            used += (size_t)snprintf(text + used, sizeof text - used, "%.*s",
                                     (int)cut(a->text, a->length, 240), a->text);
        } else if (a->type == 'x') {
            used += (size_t)snprintf(text + used, sizeof text - used, "0x%llx",
                                     (unsigned long long)a->value);
        } else {
            used +=
                (size_t)snprintf(text + used, sizeof text - used, a->type == 'i' ? "%lld" : "%llu",
                                 (unsigned long long)a->value);
        }
    }
    return copy(t, text, used, TOOLTIP);
}

static void on_track(void *context, const weft_track *track)
{
    weft_timeline *t = context;
    void *list = t->rows;
    if (!more(t, &list, t->row_count, &t->row_room, sizeof *t->rows, TRACKS)) {
        return;
    }
    t->rows = list;
    row *r = &t->rows[t->row_count++]; /* by the track's number, which counts from 0 */
    memset(r, 0, sizeof *r);
    r->track = *track;
    r->name = copy(t, track->name, strlen(track->name), LABEL);
}

static row *row_of(weft_timeline *t, uint32_t track)
{
    return track < t->row_count ? &t->rows[track] : NULL;
}

/* Threads have colours in the order in which they are seen to run. */
static uint8_t colour_of(weft_timeline *t, const char *name, size_t length)
{
    uint64_t key = weft_fnv1a(name, length);
    uint32_t i = 0;
    while (i < t->runner_count && t->runners[i] != key) {
        i++;
    }
    if (i == t->runner_count && i < RUNNERS) {
        t->runners[t->runner_count++] = key;
    }
    return (uint8_t)i;
}

static void on_begin(void *context, const weft_track_mark *m)
{
    weft_timeline *t = context;
    void *list = t->boxes;
    row *r = row_of(t, m->track);
    if (!r) {
        return;
    }
    uint32_t at = UINT32_MAX;
    if (more(t, &list, t->box_count, &t->box_room, sizeof *t->boxes, WEFT_TIMELINE_MARKS)) {
        t->boxes = list;
        at = t->box_count++;
        int runs =
            m->category[0] == 'r' && m->name_length > 7 && memcmp(m->name, "thread:", 7) == 0;
        size_t family = runs ? 7 : 0;
        t->boxes[at] = (box){
            .from = m->tick,
            .to = m->tick,
            .lane = m->track,
            .depth = r->depth,
            .order = at,
            .kind = m->category[0],
            .colour = m->category[0] == 'r' ? colour_of(t, m->name, m->name_length) : 0,
            .label = copy(t, m->name + family, m->name_length - family, LABEL),
            .tooltip = tooltip_of(t, m),
        };
        r->marks++;
    }
    if (r->depth < WEFT_TRACKS_DEPTH) {
        r->open[r->depth] = at;
    }
    r->depth++;
    r->deepest = r->depth > r->deepest ? r->depth : r->deepest;
}

static void on_end(void *context, const weft_track_mark *m)
{
    weft_timeline *t = context;
    row *r = row_of(t, m->track);
    if (!r || r->depth == 0 || --r->depth >= WEFT_TRACKS_DEPTH) {
        return;
    }
    if (r->open[r->depth] != UINT32_MAX) {
        t->boxes[r->open[r->depth]].to = m->tick;
    }
}

static void flow_ends(weft_timeline *t, uint64_t id, const weft_track_mark *m, uint32_t depth)
{
    uint32_t low = 0, high = t->arrow_count; /* numbers rise */
    while (low < high) {
        uint32_t at = low + (high - low) / 2;
        if (t->arrows[at].id < id) {
            low = at + 1;
        } else {
            high = at;
        }
    }
    arrow *a = low < t->arrow_count ? &t->arrows[low] : NULL;
    if (a && a->id == id) {
        a->to = m->tick;
        a->to_lane = m->track;
        a->to_depth = depth;
        a->ended = 1;
    }
}

static void on_instant(void *context, const weft_track_mark *m)
{
    weft_timeline *t = context;
    row *r = row_of(t, m->track);
    if (!r || strcmp(m->category, "order") == 0) {
        return; /* the count of an object's operations is for tools; what they do has other marks */
    }
    uint32_t depth = r->depth ? r->depth - 1 : 0;
    int swap =
        r->track.kind == WEFT_TRACK_GPU && m->name_length == 4 && memcmp(m->name, "swap", 4) == 0;
    void *list = t->dots;
    if (more(t, &list, t->dot_count, &t->dot_room, sizeof *t->dots, WEFT_TIMELINE_MARKS)) {
        t->dots = list;
        t->dots[t->dot_count++] = (dot){
            .tick = m->tick,
            .lane = m->track,
            .depth = depth,
            .kind = swap                                             ? 'S'
                    : m->category[0] == 's' || m->category[0] == 'f' ? m->category[0]
                                                                     : 'o',
            .label = copy(t, m->name, m->name_length, LABEL),
        };
        r->marks++;
    }
    for (uint32_t i = 0; i < m->flow_in_count; i++) {
        flow_ends(t, m->flow_in[i], m, depth);
    }
    list = t->arrows;
    if (m->flow_out &&
        more(t, &list, t->arrow_count, &t->arrow_room, sizeof *t->arrows, WEFT_TIMELINE_MARKS)) {
        t->arrows = list;
        t->arrows[t->arrow_count++] = (arrow){
            .id = m->flow_out,
            .from = m->tick,
            .from_lane = m->track,
            .from_depth = depth,
        };
    }
}

static void on_counter(void *context, uint32_t track, uint64_t tick, uint64_t value)
{
    /* A picture of a moment shows who does what; curves are for the viewers. */
}

/* --------------------------------------------------------------------------------------- drawing
 */

__attribute__((format(printf, 2, 3))) static void put(weft_timeline *t, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    out_raw(&t->stream.buffer, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
    stream_write(&t->stream, 0);
}

/* Text that is UTF-8 without control characters already (tracks.h). */
static void put_text(weft_timeline *t, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char *entity = text[i] == '<'    ? "&lt;"
                             : text[i] == '>'  ? "&gt;"
                             : text[i] == '&'  ? "&amp;"
                             : text[i] == '"'  ? "&quot;"
                             : text[i] == '\'' ? "&#39;"
                                               : NULL;
        if (entity) {
            out_str(&t->stream.buffer, entity);
        } else {
            out_raw(&t->stream.buffer, text + i, 1);
        }
    }
}

static double x_of(const weft_timeline *t, uint64_t tick)
{
    uint64_t span = t->to > t->from ? t->to - t->from : 1;
    tick = tick < t->from ? t->from : tick > t->to ? t->to : tick;
    return LEFT + (double)(tick - t->from) / (double)span * (WIDTH - LEFT - RIGHT);
}

/* ns in the largest unit that keeps them readable. */
static void put_duration(weft_timeline *t, uint64_t ns)
{
    if (ns < 1000) {
        put(t, "%llu ns", (unsigned long long)ns);
    } else if (ns < 1000000) {
        put(t, "%.6g µs", (double)ns / 1e3);
    } else {
        put(t, "%.9g ms", (double)ns / 1e6);
    }
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++) {
        count += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return count;
}

/* A call's name without the family that most share: EnterCriticalSection of
 * RtlEnterCriticalSection. */
static const char *without_family(const char *name)
{
    size_t n = 1;
    if (*name < 'A' || *name > 'Z') {
        return name;
    }
    while (n < 4 && name[n] >= 'a' && name[n] <= 'z') {
        n++;
    }
    return n > 1 && n < 4 && name[n] >= 'A' && name[n] <= 'Z' ? name + n : name;
}

/* As much of a label as `width` holds, with three dots where it is cut; nothing where that would be
 * less than three letters. */
static void put_label(weft_timeline *t, double x, double y, double width, const char *text,
                      const char *attributes)
{
    size_t all = characters(text), fit = width > 0 ? (size_t)(width / CHARACTER) : 0;
    if (fit < all) {
        text = without_family(text);
        all = characters(text);
    }
    if (fit < all && fit < 5) {
        return;
    }
    size_t bytes = strlen(text);
    if (fit < all) {
        const char *end = text;
        for (size_t n = 0; *end && (n < fit - 1 || ((unsigned char)*end & 0xC0) == 0x80); end++) {
            n += ((unsigned char)*end & 0xC0) != 0x80;
        }
        while (end > text && ((unsigned char)*end & 0xC0) == 0x80) {
            end--;
        }
        bytes = (size_t)(end - text);
    }
    put(t, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y, attributes);
    put_text(t, text, bytes);
    put(t, "%s</text>\n", fit < all ? "…" : "");
}

static uint32_t depth_row(uint32_t depth)
{
    return depth < ROWS ? depth : ROWS - 1;
}

static int row_height(const row *r)
{
    uint32_t rows = r->deepest < 1 ? 1 : r->deepest < ROWS ? r->deepest : ROWS;
    return (int)rows * ROW;
}

static double middle(const row *r, uint32_t depth)
{
    return r->y + (depth_row(depth) + 0.5) * ROW;
}

/* Order of tracks from top to bottom: GPU, machine, sources, threads, hardware threads. */
static int order_of(const row *r)
{
    static const int order[] = {
        [WEFT_TRACK_THREAD] = 3, [WEFT_TRACK_HARDWARE] = 4, [WEFT_TRACK_SOURCE] = 2,
        [WEFT_TRACK_GPU] = 0,    [WEFT_TRACK_MACHINE] = 1,  [WEFT_TRACK_COUNTER] = 5,
    };
    return order[r->track.kind];
}

static int compare_rows(const void *left, const void *right)
{
    const row *a = *(const row *const *)left, *b = *(const row *const *)right;
    uint64_t key_a = (uint64_t)order_of(a) << 56 | (uint64_t)a->track.tid << 24 | a->track.rank;
    uint64_t key_b = (uint64_t)order_of(b) << 56 | (uint64_t)b->track.tid << 24 | b->track.rank;
    return key_a < key_b ? -1 : key_a > key_b;
}

/* Gives the rows that have something in them their places; y is -1 for the others. Returns the
 * height, or -1 without memory. */
static int lay_out(weft_timeline *t)
{
    row **sorted = calloc(t->row_count + 1, sizeof *sorted);
    int y = TOP, lanes = 0;
    if (!sorted) {
        return -1;
    }
    for (uint32_t i = 0; i < t->row_count; i++) {
        sorted[i] = &t->rows[i];
    }
    qsort(sorted, t->row_count, sizeof *sorted, compare_rows);
    for (uint32_t i = 0; i < t->row_count; i++) {
        row *r = sorted[i];
        r->y = -1;
        if (r->marks == 0 || r->track.kind == WEFT_TRACK_COUNTER) {
            continue;
        }
        if (lanes == WEFT_TIMELINE_LANES) {
            t->left_out += r->marks;
            continue;
        }
        r->y = y;
        y += row_height(r) + GAP;
        lanes++;
    }
    free(sorted);
    return y;
}

/* Tints, so that black letters can be read on them. */
static const char *thread_colour(uint32_t number)
{
    static const char *const tints[] = {"#9fd3f0", "#f5cf85", "#8fd3bd", "#f7f0a0",
                                        "#e5b8d0", "#8fbbdc", "#f0b08a", "#cfcfcf"};
    return tints[number % (sizeof tints / sizeof tints[0])];
}

static const char *fill_of(const box *b)
{
    return b->kind == 'c'   ? "#56b4e9"
           : b->kind == 'w' ? "#f8dfae"
           : b->kind == 'f' ? "#c9e9de"
                            : thread_colour(b->colour);
}

/* The colour that a thread runs in, before its name. */
static void draw_swatch(weft_timeline *t, const row *r)
{
    const char *name = r->name ? r->name : "", *end = strstr(name, " (tid ");
    uint64_t key = weft_fnv1a(name, end ? (size_t)(end - name) : strlen(name));
    for (uint32_t i = 0; r->track.kind == WEFT_TRACK_THREAD && i < t->runner_count; i++) {
        if (t->runners[i] == key) {
            put(t,
                "<rect x=\"8\" y=\"%d\" width=\"9\" height=\"9\" fill=\"%s\" "
                "stroke=\"#777\" stroke-width=\".6\"/>\n",
                r->y + 4, thread_colour(i));
        }
    }
}

static void draw_lanes(weft_timeline *t)
{
    for (uint32_t i = 0; i < t->row_count; i++) {
        const row *r = &t->rows[i];
        if (r->y < 0) {
            continue;
        }
        put(t, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", LEFT, r->y,
            WIDTH - LEFT - RIGHT, row_height(r),
            r->track.kind == WEFT_TRACK_HARDWARE ? "#ececec" : "#f5f5f5");
        const char *name = r->name ? r->name : "";
        name += strncmp(name, "thread:", 7) == 0 ? 7 : 0;
        draw_swatch(t, r);
        put_label(t, 22, r->y + ROW - 4.5, (LEFT - 26) * .87, name, " class=\"n\"");
    }
}

/* A grid of 1, 2 or 5 times a power of ten, some eight lines. */
static void draw_axis(weft_timeline *t, int bottom)
{
    uint64_t span = t->to > t->from ? t->to - t->from : 1, step = 1;
    static const uint64_t factors[] = {2, 5, 10};
    for (uint64_t base = 1; span / step > 9 && base < UINT64_MAX / 100; base *= 10) {
        for (int i = 0; i < 3 && span / step > 9; i++) {
            step = base * factors[i];
        }
    }
    for (uint64_t tick = (t->from + step - 1) / step * step; tick <= t->to && tick >= t->from;
         tick += step) {
        double x = x_of(t, tick);
        put(t, "<path d=\"M%.1f %d V%d\" stroke=\"#d0d0d0\"/>\n", x, TOP - 8, bottom);
        put(t, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" class=\"a\">", x, TOP - 13);
        put_duration(t, tick);
        put(t, "</text>\n");
        if (tick > UINT64_MAX - step) {
            break;
        }
    }
}

static const char *edge_of(const box *b)
{
    return b->kind == 'c'   ? "#0072b2"
           : b->kind == 'w' ? "#e69f00"
           : b->kind == 'f' ? "#009e73"
                            : "#777";
}

static void draw_box(weft_timeline *t, const box *b, double room)
{
    const row *r = &t->rows[b->lane];
    double x = x_of(t, b->from), width = x_of(t, b->to) - x;
    double y = r->y + depth_row(b->depth) * ROW + 1, shown = width < 2 ? 2 : width;
    put(t,
        "<g><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\" stroke=\"%s\" "
        "stroke-width=\".6\"/><title>",
        x, y, shown, ROW - 2, fill_of(b), edge_of(b));
    put_text(t, b->label ? b->label : "", b->label ? strlen(b->label) : 0);
    put(t, ": ");
    put_duration(t, b->from);
    put(t, " + ");
    put_duration(t, b->to - b->from);
    if (b->tooltip && b->tooltip[0]) {
        put(t, "; ");
        put_text(t, b->tooltip, strlen(b->tooltip));
    }
    put(t, "</title></g>\n");
    if (b->label && width >= 5 * CHARACTER) {
        put_label(t, x + 3, y + ROW - 5.5, width - 5, b->label, "");
    } else if (b->label) { /* beside it, where nothing stands */
        put_label(t, x + shown + 2, y + ROW - 5.5, room - shown - 4, b->label, " class=\"o\"");
    }
}

static int compare_boxes(const void *left, const void *right)
{
    const box *a = left, *b = right;
    uint64_t key_a = (uint64_t)a->lane << 16 | depth_row(a->depth);
    uint64_t key_b = (uint64_t)b->lane << 16 | depth_row(b->depth);
    if (key_a != key_b) {
        return key_a < key_b ? -1 : 1;
    }
    return a->order < b->order ? -1 : 1; /* of one track in order of time */
}

static void draw_boxes(weft_timeline *t)
{
    if (t->box_count) {
        qsort(t->boxes, t->box_count, sizeof *t->boxes, compare_boxes);
    }
    for (uint32_t i = 0; i < t->box_count; i++) {
        const box *b = &t->boxes[i];
        const box *next = i + 1 < t->box_count ? b + 1 : NULL;
        int same = next && next->lane == b->lane && depth_row(next->depth) == depth_row(b->depth);
        double end = same ? x_of(t, next->from) : WIDTH - RIGHT;
        if (t->rows[b->lane].y >= 0) {
            draw_box(t, b, end - x_of(t, b->from));
        }
    }
}

static void draw_dots(weft_timeline *t, int bottom)
{
    for (uint32_t i = 0; i < t->dot_count; i++) {
        const dot *d = &t->dots[i];
        const row *r = &t->rows[d->lane];
        double x = x_of(t, d->tick), y = r->y + depth_row(d->depth) * ROW + 1;
        if (r->y < 0) {
            continue;
        }
        if (d->kind == 'S') {
            put(t,
                "<path d=\"M%.1f %d V%d\" stroke=\"#009e73\" stroke-width=\"1.4\" "
                "stroke-dasharray=\"5 3\"/>\n",
                x, TOP - 6, bottom);
        }
        if (d->kind == 'f') {
            put(t, "<g><path d=\"M%.1f %.1f l5 7 l-5 7 l-5 -7 Z\" fill=\"#d55e00\"/><title>", x, y);
        } else {
            put(t, "<g><path d=\"M%.1f %.1f l2.6 4.5 h-5.2 Z\" fill=\"%s\"/><title>", x, y,
                d->kind == 's' ? "#d55e00" : "#333");
        }
        put_text(t, d->label ? d->label : "", d->label ? strlen(d->label) : 0);
        put(t, ": ");
        put_duration(t, d->tick);
        put(t, "</title></g>\n");
    }
}

static void draw_arrows(weft_timeline *t)
{
    for (uint32_t i = 0; i < t->arrow_count; i++) {
        const arrow *a = &t->arrows[i];
        if (!a->ended || t->rows[a->from_lane].y < 0 || t->rows[a->to_lane].y < 0) {
            continue;
        }
        double x1 = x_of(t, a->from), x2 = x_of(t, a->to);
        double y1 = middle(&t->rows[a->from_lane], a->from_depth);
        double y2 = middle(&t->rows[a->to_lane], a->to_depth);
        double bend = x2 - x1 > 30 ? (x2 - x1) / 2 : 0; /* else a straight line */
        double rise = bend > 0 ? 0 : (y2 - y1) / 3;
        put(t,
            "<path d=\"M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f\" class=\"w\" "
            "marker-end=\"url(#h)\"/>\n",
            x1, y1, x1 + bend, y1 + rise, x2 - bend, y2 - rise, x2, y2);
    }
}

static void draw_legend(weft_timeline *t, int y)
{
    static const struct {
        const char *shape, *text;
        int width;
    } items[] = {
        {"<rect width=\"18\" height=\"12\" fill=\"#56b4e9\" stroke=\"#0072b2\"/>", "call", 55},
        {"<rect width=\"18\" height=\"12\" fill=\"#f8dfae\" stroke=\"#e69f00\"/>", "wait", 55},
        {"<rect width=\"18\" height=\"12\" fill=\"#c9e9de\" stroke=\"#009e73\"/>", "frame", 62},
        {"<path d=\"M9 -2 V14\" stroke=\"#009e73\" stroke-width=\"1.4\" "
         "stroke-dasharray=\"5 3\"/>",
         "swap", 58},
        {"<path d=\"M1 6 H16\" class=\"w\" marker-end=\"url(#h)\"/>",
         "hands on: signal to wait, create to start, request to completion", 345},
        {"<path d=\"M9 2 l3 6 h-6 Z\" fill=\"#333\"/>", "event", 60},
        {"<path d=\"M9 -1 l5 7 l-5 7 l-5 -7 Z\" fill=\"#d55e00\"/>", "fault", 55},
        {"<rect width=\"18\" height=\"12\" fill=\"#cfcfcf\" stroke=\"#777\"/>",
         "hw: who runs there (one colour a thread)", 240},
    };
    int x = LEFT;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        put(t, "<g transform=\"translate(%d %d)\">%s<text x=\"23\" y=\"10\">%s</text></g>\n", x, y,
            items[i].shape, items[i].text);
        x += items[i].width;
    }
}

static void draw(weft_timeline *t)
{
    char title[WEFT_TRACKS_TITLE];
    int bottom = lay_out(t);
    if (bottom < 0) {
        t->no_memory = 1;
        return;
    }
    put(t,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
        "viewBox=\"0 0 %d %d\" font-family=\"DejaVu Sans, Verdana, sans-serif\" "
        "font-size=\"9.5\">\n",
        WIDTH, bottom + 34, WIDTH, bottom + 34);
    put(t, "<style>.n{font-size:11px}.a{fill:#555}.o{fill:#333}.w{fill:none;stroke:#d55e00;"
           "stroke-width:1.3}</style>\n"
           "<defs><marker id=\"h\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"6\" "
           "markerHeight=\"6\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 Z\" fill=\"#d55e00\"/>"
           "</marker></defs>\n"
           "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n");
    put(t, "<text x=\"8\" y=\"20\" font-size=\"14\" font-weight=\"bold\">");
    const char *name = weft_tracks_title(t->begin, title);
    put_text(t, name, strlen(name));
    put(t, "</text><text x=\"%d\" y=\"20\" class=\"a\">guest time, ", LEFT);
    put_duration(t, t->from);
    put(t, " to ");
    put_duration(t, t->to);
    put(t, t->left_out ? "; %llu marks are left out: choose a shorter range" : "",
        (unsigned long long)t->left_out);
    put(t, "</text>\n");
    draw_lanes(t);
    draw_axis(t, bottom - GAP);
    draw_boxes(t);
    draw_dots(t, bottom - GAP);
    draw_arrows(t);
    draw_legend(t, bottom + 10);
    put(t, "</svg>\n");
}

/* ---------------------------------------------------------------------------------------- public
 */

weft_timeline *weft_timeline_new(int file, const weft_trace_begin *begin, size_t buffer)
{
    weft_timeline *t = calloc(1, sizeof *t);
    if (!t) {
        return NULL;
    }
    weft_tracks_sink sink = {
        .context = t,
        .track = on_track,
        .begin = on_begin,
        .end = on_end,
        .instant = on_instant,
        .counter = on_counter,
    };
    t->stream = (stream){.file = file, .threshold = buffer};
    t->begin = begin;
    t->tracks = weft_tracks_new(&sink, begin);
    if (!t->tracks) {
        free(t);
        return NULL;
    }
    return t;
}

void weft_timeline_from(weft_timeline *t, uint64_t tick)
{
    weft_tracks_show_from(t->tracks, tick);
    t->has_from = 1;
    t->from = tick;
}

void weft_timeline_add(weft_timeline *t, const weft_event *event, int show)
{
    if (show && event->kind != WEFT_EVENT_DEFINE) {
        t->from = t->has_from && t->from <= event->tick ? t->from : event->tick;
        t->to = event->tick > t->to ? event->tick : t->to;
        t->has_from = 1;
    }
    weft_tracks_add(t->tracks, event, show);
}

void weft_timeline_end(weft_timeline *t, uint64_t tick)
{
    t->to = tick > t->to ? tick : t->to;
    weft_tracks_finish(t->tracks, tick);
    draw(t);
    stream_write(&t->stream, 1);
}

int weft_timeline_error(const weft_timeline *t, uint64_t *written, uint64_t *left_out)
{
    int no_memory;
    *written = t->stream.written;
    *left_out = weft_tracks_left_out(t->tracks, &no_memory) + t->left_out;
    return t->stream.error ? t->stream.error : no_memory || t->no_memory ? ENOMEM : 0;
}

void weft_timeline_free(weft_timeline *t)
{
    if (!t) {
        return;
    }
    for (uint32_t i = 0; i < t->row_count; i++) {
        free(t->rows[i].name);
    }
    for (uint32_t i = 0; i < t->box_count; i++) {
        free(t->boxes[i].label);
        free(t->boxes[i].tooltip);
    }
    for (uint32_t i = 0; i < t->dot_count; i++) {
        free(t->dots[i].label);
    }
    weft_tracks_free(t->tracks);
    out_free(&t->stream.buffer);
    free(t->rows);
    free(t->boxes);
    free(t->dots);
    free(t->arrows);
    free(t);
}
