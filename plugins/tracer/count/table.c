/* table.c: see table.h. */
#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void table_start(table *t, const weft_trace_begin *begin)
{
    table_export *exports = t->exports;
    size_t room = t->export_room;
    idmap places = t->places;
    idmap_clear(&places);
    *t = (table){.begin = begin, .exports = exports, .export_room = room, .places = places};
}

static void count_call(table *t, uint64_t id)
{
    int fresh = 0;
    uint64_t *place = t->export_count < TABLE_EXPORTS ? idmap_at(&t->places, id, &fresh)
                                                      : idmap_find(&t->places, id);
    if (place && fresh && t->export_count == t->export_room) {
        size_t room = t->export_room ? t->export_room * 2 : 256;
        table_export *exports = realloc(t->exports, room * sizeof *exports);
        if (exports) {
            t->exports = exports;
            t->export_room = room;
        }
    }
    if (place && fresh && t->export_count < t->export_room) {
        *place = t->export_count;
        t->exports[t->export_count++] = (table_export){.id = id};
    }
    if (!place || *place >= t->export_count || t->exports[*place].id != id) {
        t->other_calls++; /* the table is full, or memory is */
        return;
    }
    t->exports[*place].calls++;
}

void table_add(table *t, const weft_event *event)
{
    if (t->events++ == 0) {
        t->first_tick = t->last_tick = t->tick_shown = event->tick;
    }
    /* Hardware threads have their own times, so ticks may go back a little. */
    t->last_tick = event->tick > t->last_tick ? event->tick : t->last_tick;
    t->kinds[event->kind < WEFT_EVENT_KIND_END ? event->kind : 0]++;
    if (event->kind == WEFT_EVENT_IMPORT_CALL && event->size >= sizeof *event + 8) {
        count_call(t, *(const uint64_t *)(event + 1));
    }
}

void table_free(table *t)
{
    free(t->exports);
    idmap_free(&t->places);
    *t = (table){0};
}

void table_mark(table *t)
{
    memcpy(t->kinds_shown, t->kinds, sizeof t->kinds_shown);
    for (size_t i = 0; i < t->export_count; i++) {
        t->exports[i].shown = t->exports[i].calls;
    }
    t->other_shown = t->other_calls;
    t->shown = t->events;
    t->tick_shown = t->last_tick;
}

/* A row of what is shown: a name, how many in all, how many in the interval. */
typedef struct row {
    const char *name; /* NULL: `hex`, for an identity without a text */
    size_t length;
    char hex[17];
    uint64_t total, recent;
} row;

static const char *row_name(const row *r)
{
    return r->name ? r->name : r->hex;
}

static int by_total(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->total != y->total) {
        return x->total < y->total ? 1 : -1;
    }
    size_t length = x->length < y->length ? x->length : y->length;
    int order = memcmp(row_name(x), row_name(y), length);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

/* Kinds that were seen; returns their number. */
static size_t kind_rows(const table *t, row rows[WEFT_EVENT_KIND_END])
{
    size_t count = 0;
    for (uint16_t kind = 0; kind < WEFT_EVENT_KIND_END; kind++) {
        const weft_event_kind *known = weft_event_kind_of(kind);
        if (t->kinds[kind] > 0) {
            const char *name = known ? known->name : "unknown";
            rows[count++] = (row){.name = name,
                                  .length = strlen(name),
                                  .total = t->kinds[kind],
                                  .recent = t->kinds[kind] - t->kinds_shown[kind]};
        }
    }
    qsort(rows, count, sizeof *rows, by_total);
    return count;
}

/* An export's name within its text, "module!name(argument,...)#ordinal"; with its module where
 * `module` says so. */
static void name_export(row *r, const table *t, uint64_t id, int module)
{
    const char *text = t->begin->name ? t->begin->name(t->begin->names, id) : NULL;
    if (!text) {
        snprintf(r->hex, sizeof r->hex, "%016llx", (unsigned long long)id);
        r->length = 16;
        return;
    }
    const char *bang = strchr(text, '!');
    r->name = bang && !module ? bang + 1 : text;
    r->length = strcspn(bang ? bang : text, "(") + (size_t)((bang ? bang : text) - r->name);
}

/* Exports by calls, allocated; NULL where there are none or no memory. */
static row *export_rows(const table *t, int module)
{
    row *rows = t->export_count > 0 ? malloc(t->export_count * sizeof *rows) : NULL;
    for (size_t i = 0; rows && i < t->export_count; i++) {
        const table_export *e = &t->exports[i];
        rows[i] = (row){.total = e->calls, .recent = e->calls - e->shown};
        name_export(&rows[i], t, e->id, module);
    }
    if (rows) {
        qsort(rows, t->export_count, sizeof *rows, by_total);
    }
    return rows;
}

/* Calls that no row of its own shows: beyond `top`, and beyond what the table holds. */
static row rest_of(const table *t, const row *exports, uint32_t top)
{
    row rest = {.name = "all others",
                .length = 10,
                .total = t->other_calls,
                .recent = t->other_calls - t->other_shown};
    for (size_t i = top; exports && i < t->export_count; i++) {
        rest.total += exports[i].total;
        rest.recent += exports[i].recent;
    }
    return rest;
}

/* Text being laid out. */
typedef struct sheet {
    out *o;
    const table_look *look;
    uint32_t lines;
} sheet;

__attribute__((format(printf, 2, 3))) static void line(sheet *s, const char *format, ...)
{
    char text[256];
    va_list list;
    if (s->look->rows > 0 && s->lines >= s->look->rows) {
        return;
    }
    va_start(list, format);
    int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    size_t cut = length < (int)sizeof text ? (size_t)length : sizeof text - 1;
    if (s->look->columns > 0 && cut > s->look->columns) {
        cut = s->look->columns;
    }
    out_raw(s->o, text, cut);
    out_str(s->o, s->look->line_end);
    s->lines++;
}

/* "1234" events a second, "-" where no time has passed. */
static const char *rate(uint64_t count, uint64_t ns, char room[32])
{
    if (ns == 0) {
        return "-";
    }
    snprintf(room, 32, "%.0f", (double)count * 1e9 / (double)ns);
    return room;
}

static uint64_t guest_ns(const table *t, const table_look *look)
{
    return t->last_tick - (look->interval ? t->tick_shown : t->first_tick);
}

static void row_line(sheet *s, const table *t, const row *r)
{
    char name[64], guest[32], host[32];
    uint64_t count = s->look->interval ? r->recent : r->total;
    size_t length = r->length < 40 ? r->length : 40;
    memcpy(name, row_name(r), length);
    name[length] = 0;
    for (size_t i = 0; i < length; i++) {
        name[i] = (unsigned char)name[i] < 0x20 || (unsigned char)name[i] > 0x7e ? '?' : name[i];
    }
    line(s, "%-40s %14llu %14s%*s", name, (unsigned long long)r->total,
         rate(count, guest_ns(t, s->look), guest), s->look->host_ns ? 15 : 0,
         s->look->host_ns ? rate(count, s->look->host_ns, host) : "");
}

static void head_line(sheet *s, const char *what, const char *number)
{
    line(s, "%-40s %14s %14s%*s", what, number, "per guest s", s->look->host_ns ? 15 : 0,
         s->look->host_ns ? "per s" : "");
}

uint32_t table_text(const table *t, const table_look *look, out *o)
{
    sheet s = {.o = o, .look = look};
    row kinds[WEFT_EVENT_KIND_END];
    size_t count = kind_rows(t, kinds);
    row *exports = export_rows(t, 0);
    row all = {.name = "all", .length = 3, .total = t->events, .recent = t->events - t->shown};
    row rest = rest_of(t, exports, look->top);
    line(&s, "tracer-count: %.3f s of guest time", (double)(t->last_tick - t->first_tick) / 1e9);
    head_line(&s, "KIND", "events");
    row_line(&s, t, &all);
    for (size_t i = 0; i < count; i++) {
        row_line(&s, t, &kinds[i]);
    }
    if (exports) {
        head_line(&s, "EXPORT", "calls");
    }
    for (size_t i = 0; exports && i < t->export_count && i < look->top; i++) {
        row_line(&s, t, &exports[i]);
    }
    if (rest.total > 0) {
        row_line(&s, t, &rest);
    }
    free(exports);
    return s.lines;
}

void table_brief(const table *t, const table_look *look, out *o)
{
    sheet s = {.o = o, .look = look};
    row kinds[WEFT_EVENT_KIND_END] = {0};
    char guest[32], host[32], most[160] = "";
    uint64_t count = look->interval ? t->events - t->shown : t->events;
    size_t seen = kind_rows(t, kinds);
    for (size_t i = 0, used = 0; i < seen && i < 3; i++) {
        used += (size_t)snprintf(most + used, sizeof most - used, "%s %s %llu", i ? "," : ";",
                                 kinds[i].name, (unsigned long long)kinds[i].total);
    }
    line(&s, "tracer-count: %.3f s of guest time, %llu events, %s per guest s, %s per s%s",
         (double)(t->last_tick - t->first_tick) / 1e9, (unsigned long long)t->events,
         rate(count, guest_ns(t, look), guest), rate(count, look->host_ns, host), most);
}

/* ,"calls":12,"per_guest_second":3.0 */
static void json_numbers(out *o, const char *what, uint64_t count, uint64_t ns)
{
    char text[32];
    out_str(o, ",\"");
    out_str(o, what);
    out_str(o, "\":");
    out_u64(o, count);
    snprintf(text, sizeof text, "%.1f", ns ? (double)count * 1e9 / (double)ns : 0.0);
    out_str(o, ",\"per_guest_second\":");
    out_str(o, text);
}

void table_json(const table *t, uint32_t top, uint64_t last, out *o)
{
    static const char *const classes[] = {"guest", "decision", "local"};
    const table_look whole = {.interval = 0};
    uint64_t ns = guest_ns(t, &whole);
    row *exports = export_rows(t, 1);
    out_str(o, "{\"title\":");
    out_string(o, t->begin->title, strlen(t->begin->title));
    out_str(o, ",\"first\":");
    out_u64(o, t->begin->first);
    out_str(o, ",\"last\":");
    out_u64(o, last);
    out_str(o, t->begin->partial ? ",\"partial\":true" : ",\"partial\":false");
    out_str(o, ",\"guest_ns\":");
    out_u64(o, ns);
    json_numbers(o, "events", t->events, ns);
    out_str(o, ",\"kinds\":[");
    for (uint32_t i = 1, some = 0; i <= WEFT_EVENT_KIND_END; i++) {
        uint16_t kind = (uint16_t)(i % WEFT_EVENT_KIND_END); /* the unknown ones last */
        const weft_event_kind *known = weft_event_kind_of(kind);
        if (t->kinds[kind] > 0) {
            out_str(o, some++ ? ",{\"kind\":\"" : "{\"kind\":\"");
            out_str(o, known ? known->name : "unknown");
            out_str(o, "\",\"class\":\"");
            out_str(o, known ? classes[known->category] : "unknown");
            out_str(o, "\"");
            json_numbers(o, "events", t->kinds[kind], ns);
            out_str(o, "}");
        }
    }
    out_str(o, "],\"exports\":[");
    for (size_t i = 0; exports && i < t->export_count && i < top; i++) {
        out_str(o, i ? ",{\"export\":" : "{\"export\":");
        out_string(o, row_name(&exports[i]), exports[i].length);
        json_numbers(o, "calls", exports[i].total, ns);
        out_str(o, "}");
    }
    out_str(o, "],\"other_calls\":");
    out_u64(o, rest_of(t, exports, top).total);
    out_str(o, "}\n");
    free(exports);
}
