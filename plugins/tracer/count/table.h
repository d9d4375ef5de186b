/* table.h: counts of events by kind and of calls by export, and how they are shown. */
#ifndef WEFT_COUNT_TABLE_H
#define WEFT_COUNT_TABLE_H

#include "idmap.h"
#include "out.h"
#include "weft/tracer.h"

/* Exports that are counted each for itself; calls of any further one are counted together. The
 * console's libraries have fewer. */
#define TABLE_EXPORTS 8192

typedef struct table_export {
    uint64_t id, calls;
    uint64_t shown; /* calls at the time of the display before */
} table_export;

typedef struct table {
    const weft_trace_begin *begin;
    uint64_t events, shown;
    uint64_t kinds[WEFT_EVENT_KIND_END];       /* 0: kinds without a row */
    uint64_t kinds_shown[WEFT_EVENT_KIND_END]; /* as table_export.shown */
    table_export *exports;
    size_t export_count, export_room;
    uint64_t other_calls, other_shown; /* of exports beyond TABLE_EXPORTS */
    idmap places;                      /* export to its place */
    uint64_t first_tick, last_tick, tick_shown;
} table;

/* Zero counts; `begin` lives as long as they are shown. */
void table_start(table *t, const weft_trace_begin *begin);
void table_add(table *t, const weft_event *event);
void table_free(table *t);

/* How a table is to be shown. */
typedef struct table_look {
    int interval;         /* 1: rates since table_mark, 0: since the start */
    uint64_t host_ns;     /* host time of the rates; 0: no host column */
    uint32_t top;         /* exports at most */
    uint32_t rows;        /* lines at most, 0: any number */
    uint32_t columns;     /* bytes of a line at most, 0: any number */
    const char *line_end; /* "\n", or with what clears the rest of a terminal's line */
} table_look;

/* Lines of text; returns how many. */
uint32_t table_text(const table *t, const table_look *look, out *o);

/* One line: the sums and the three most frequent kinds. */
void table_brief(const table *t, const table_look *look, out *o);

/* One object, without anything that depends on the host. `last` as a tracer's close has it. */
void table_json(const table *t, uint32_t top, uint64_t last, out *o);

/* What is counted from now on makes the next interval. */
void table_mark(table *t);

#endif
