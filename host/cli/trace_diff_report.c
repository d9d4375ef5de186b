/* trace_diff_report.c: see trace_diff_report.h. Text and Markdown say the same: Markdown has the summary
 * table of the reference system's diff, and events in code blocks. */
#include "trace_diff_report.h"

#include <inttypes.h>
#include <string.h>

static const char *const sides[] = {"ref", "ours"};

static const char absorber_warning[] = "Absorbers were asked for. What they passed over is a "
                                       "difference all the same, and may be a real "
                                       "one.";

/* A thread as people know it. */
static const char *thread_name(const char *text, uint64_t id, char room[40])
{
    if (text) {
        return text;
    }
    snprintf(room, 40, "%016" PRIx64, id);
    return id ? room : "the machine";
}

static const char *name_of(const weft_trace_diff_pair *p, int n, char room[40])
{
    return p->present[n] ? thread_name(p->names[n], p->threads[n], room) : "(none)";
}

static uint64_t count_absorbed(const weft_trace_diff_pair *p, int side, const char *rule)
{
    uint64_t count = 0;
    for (size_t i = 0; i < p->absorbed_count; i++) {
        count += p->absorbed[i].side == side && strcmp(p->absorbed[i].rule, rule) == 0;
    }
    return count;
}

static int any_absorbed(const weft_trace_diff *d)
{
    for (size_t i = 0; i < d->pair_count; i++) {
        if (d->pairs[i].absorbed_count) {
            return 1;
        }
    }
    return 0;
}

/* ---- text and Markdown ------------------------------------------------------------------------ */

static void event_line(buffer *b, const char *mark, const weft_diff_event *event)
{
    buffer_format(b, "%s%s\n", mark, event->text ? event->text : "(nothing more)");
}

static void put_divergence(buffer *b, const weft_trace_diff_pair *p)
{
    for (int k = 0; k < DIFF_BEFORE; k++) {
        if (p->before[k].text) {
            event_line(b, "   both  ", &p->before[k]);
        }
    }
    event_line(b, "-> ref   ", &p->at[0]);
    event_line(b, "-> ours  ", &p->at[1]);
    event_line(b, "   ref   ", &p->next[0]);
    event_line(b, "   ours  ", &p->next[1]);
}

static void put_resync(buffer *b, const weft_trace_diff_pair *p)
{
    if (!p->resynced) {
        buffer_format(b, "Nothing matches again within %d events.\n", DIFF_GAP);
        return;
    }
    buffer_format(
        b,
        "Matches again from event %" PRIu64 " of the reference and %" PRIu64 " of ours on: %" PRIu64
        " events within the next %d, with %" PRIu64 " further divergence%s.\n",
        p->resync[0], p->resync[1], p->again, DIFF_WINDOW, p->later, p->later == 1 ? "" : "s");
}

static void put_changes(buffer *b, const weft_trace_diff_pair *p)
{
    for (size_t i = 0; i < p->change_count; i++) {
        const weft_diff_change *c = &p->changes[i];
        for (int n = 0; n < 2; n++) {
            if (c->events[n].text && !(c->what == '=' && n == 1)) {
                const char *mark = c->what == '=' ? "   same     "
                                   : n == 0       ? " - ref      "
                                                  : " + ours     ";
                event_line(b, mark, &c->events[n]);
            }
        }
    }
}

static void put_absorbed(buffer *b, const weft_trace_diff_pair *p)
{
    for (size_t i = 0; i < p->absorbed_count; i++) {
        const weft_diff_absorbed *a = &p->absorbed[i];
        buffer_format(b, "   absorbed by %s, only in %s, behind %" PRIu64 " matches: %s\n", a->rule,
                      sides[a->side], a->matched, a->event.text ? a->event.text : "");
    }
    if (p->absorbed_more) {
        buffer_format(b, "   and %zu more\n", p->absorbed_more);
    }
}

static void put_cone(buffer *b, const weft_diff_cone *cone, int side)
{
    char rooms[2][40];
    buffer_format(b, "%s, in %" PRIu64 " events%s:%s\n", sides[side], cone->looked_at,
                  cone->whole ? " (all there are)" : "",
                  cone->count == 0 ? " no other thread leads here" : "");
    for (size_t i = 0; i < cone->count; i++) {
        const weft_diff_edge *e = &cone->edges[i];
        buffer_format(b, " %s %-7s %s -> %s\n", e->alone ? "!" : " ", e->what,
                      thread_name(e->names[0], e->threads[0], rooms[0]),
                      thread_name(e->names[1], e->threads[1], rooms[1]));
        event_line(b, "             ", &e->events[0]);
        event_line(b, "          -> ", &e->events[1]);
    }
    if (cone->more) {
        buffer_format(b, "   and %zu farther ones\n", cone->more);
    }
}

/* Whether both sides have the same edges. */
static int same_cones(const weft_trace_diff_pair *p)
{
    for (int n = 0; n < 2; n++) {
        for (size_t i = 0; i < p->cones[n].count; i++) {
            if (p->cones[n].edges[i].alone) {
                return 0;
            }
        }
    }
    return p->cones[0].count == p->cones[1].count && p->cones[0].more == p->cones[1].more;
}

static void put_cones(buffer *b, const weft_trace_diff_pair *p)
{
    put_cone(b, &p->cones[0], 0);
    if (same_cones(p) && p->cones[0].count > 0) {
        buffer_text(b, "ours: the same edges\n");
    } else {
        put_cone(b, &p->cones[1], 1);
    }
}

static const char cone_remark[] = "Edges from other threads, nearest first; ! marks those that the "
                                  "other side lacks, which are the "
                                  "likely cause.";

static void put_missing(buffer *b, const weft_trace_diff *d, const char *mark)
{
    for (size_t i = 0; i < d->missing_count; i++) {
        const weft_trace_diff_missing *m = &d->missing[i];
        buffer_format(b, "%sonly %s has %s %s, %" PRIu64 " %s\n", mark, sides[m->side], m->what,
                      m->name, m->times, strcmp(m->what, "thread") == 0 ? "events" : "times");
    }
}

static void put_index(buffer *b, const weft_trace_diff_pair *p)
{
    for (int n = 0; n < 2; n++) {
        const weft_diff_event *at = &p->at[n];
        if (at->text) {
            buffer_format(b, "%s%s: index %" PRIu64 ", sequence %" PRIu64 ", tick %" PRIu64,
                          n ? "; " : "", sides[n], at->index, at->sequence, at->tick);
        } else {
            buffer_format(b, "%s%s: ends after %" PRIu64 " events", n ? "; " : "", sides[n],
                          p->totals[n]);
        }
    }
    buffer_text(b, "\n");
}

static void text_pair(buffer *b, const weft_trace_diff *d, const weft_trace_diff_pair *p)
{
    char room[40];
    if (!p->diverged && !p->absorbed_count) {
        return;
    }
    buffer_format(b, "\n%s", name_of(p, 0, room));
    if (p->diverged) {
        buffer_format(b, ": event %" PRIu64 " differs in %s%s\n%s\n", p->matched, p->field,
                      d->pair_count > 1 && d->first == (size_t)(p - d->pairs)
                          ? " (the first divergence of the run)"
                          : "",
                      p->category);
        if (p->values[0] && p->values[1]) {
            buffer_format(b, "ref %s, ours %s\n", p->values[0], p->values[1]);
        }
        put_index(b, p);
        put_divergence(b, p);
        put_resync(b, p);
        put_changes(b, p);
    } else {
        buffer_text(b, ": no divergence\n");
    }
    put_absorbed(b, p);
    if (p->cones[0].present) {
        buffer_format(b, "%s\n", cone_remark);
        put_cones(b, p);
    }
}

static void text_report(buffer *b, const weft_trace_diff *d)
{
    char x[40], y[40];
    buffer_format(b, "%10s %10s %10s  threads\n", "matched", "ref", "ours");
    for (size_t i = 0; i < d->pair_count; i++) {
        const weft_trace_diff_pair *p = &d->pairs[i];
        buffer_format(b,
                      "%10" PRIu64 " %10" PRIu64 " %10" PRIu64 "  %s (%" PRIu32 ") = %s (%" PRIu32
                      ")%s%s%s\n",
                      p->matched, p->totals[0], p->totals[1], name_of(p, 0, x), p->tids[0],
                      name_of(p, 1, y), p->tids[1], p->present[0] && p->present[1] ? ", by " : ", ",
                      p->how, p->diverged ? "  DIVERGED" : "");
        if (p->tolerated) {
            buffer_format(b, "%10s %" PRIu64 " returns of exports that one side calls void\n", "",
                          p->tolerated);
        }
        if (p->ignored[0] || p->ignored[1]) {
            buffer_format(b, "%10s ignored: %" PRIu64 " of ref, %" PRIu64 " of ours\n", "",
                          p->ignored[0], p->ignored[1]);
        }
    }
    if (any_absorbed(d)) {
        buffer_format(b, "\n%s\n", absorber_warning);
    }
    for (size_t i = 0; i < d->pair_count; i++) {
        text_pair(b, d, &d->pairs[i]);
    }
    if (d->missing_count) {
        buffer_text(b, "\n");
        put_missing(b, d, "");
    }
}

/* Text from a trace within a table or a heading. */
static void escape(buffer *b, const char *text)
{
    for (; *text; text++) {
        if (strchr("|\\`*_<>[]#", *text)) {
            buffer_add(b, "\\", 1);
        }
        buffer_add(b, (unsigned char)*text < 0x20 ? "?" : text, 1);
    }
}

static void markdown_pair(buffer *b, const weft_trace_diff *d, const weft_trace_diff_pair *p)
{
    char room[40];
    if (!p->present[0] || !p->present[1]) {
        return;
    }
    buffer_text(b, "\n## ");
    escape(b, name_of(p, 0, room));
    buffer_text(b, " = ");
    escape(b, name_of(p, 1, room));
    buffer_format(b, "\n\nPaired by %s. %" PRIu64 " events match", p->how, p->matched);
    if (!p->diverged) {
        buffer_text(b, "; no divergence.\n");
    } else {
        buffer_text(b, ".\n\n**");
        escape(b, p->category);
        buffer_text(b, "**");
        if (p->values[0] && p->values[1]) {
            buffer_text(b, ": ref ");
            escape(b, p->values[0]);
            buffer_text(b, ", ours ");
            escape(b, p->values[1]);
        }
        buffer_text(b, "\n\n");
        put_index(b, p);
        buffer_text(b, "\n```\n");
        put_divergence(b, p);
        buffer_text(b, "```\n\n");
        put_resync(b, p);
        if (p->change_count) {
            buffer_text(b, "\n```\n");
            put_changes(b, p);
            buffer_text(b, "```\n");
        }
    }
    if (p->absorbed_count) {
        buffer_format(b, "\n%s\n\n```\n", absorber_warning);
        put_absorbed(b, p);
        buffer_text(b, "```\n");
    }
    if (p->cones[0].present) {
        buffer_format(b, "\n### What led there\n\n%s\n\n```\n", cone_remark);
        put_cones(b, p);
        buffer_text(b, "```\n");
    }
}

static void markdown_report(buffer *b, const weft_trace_diff *d, const char *const paths[2])
{
    buffer_text(b, "# Comparison of two traces\n\n| | ref | ours |\n|---|---|---|\n| file | ");
    escape(b, paths[0]);
    buffer_text(b, " | ");
    escape(b, paths[1]);
    buffer_text(b, " |\n| engine | ");
    for (int n = 0; n < 2; n++) {
        escape(b, d->info[n].engine);
        buffer_text(b, " ");
        escape(b, d->info[n].build);
        buffer_text(b, n ? " |\n" : " | ");
    }
    buffer_text(b, "\n| ref_tid | ours_tid | matched | ref_total | ours_total | "
                   "first_divergence_at | floating_create (r/o) | floating_wait (r/o) | "
                   "floating_nested (r/o) | thread |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < d->pair_count; i++) {
        const weft_trace_diff_pair *p = &d->pairs[i];
        char room[40];
        for (int n = 0; n < 2; n++) {
            if (p->present[n]) {
                buffer_format(b, "| %" PRIu32 " ", p->tids[n]);
            } else {
                buffer_text(b, "| none ");
            }
        }
        buffer_format(b, "| %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | ", p->matched, p->totals[0],
                      p->totals[1]);
        if (p->diverged) {
            buffer_format(b, "%" PRIu64, p->matched);
        }
        static const char *const rules[] = {"create", "wait", "nested"};
        for (int r = 0; r < 3; r++) {
            buffer_format(b, " | %" PRIu64 "/%" PRIu64, count_absorbed(p, 0, rules[r]),
                          count_absorbed(p, 1, rules[r]));
        }
        buffer_text(b, " | ");
        escape(b, name_of(p, p->present[0] ? 0 : 1, room));
        buffer_text(b, " |\n");
    }
    for (size_t i = 0; i < d->pair_count; i++) {
        markdown_pair(b, d, &d->pairs[i]);
    }
    if (d->missing_count) {
        buffer_text(b, "\n## What only one side has\n\n```\n");
        put_missing(b, d, "");
        buffer_text(b, "```\n");
    }
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static void json_text(buffer *b, const char *key, const char *text)
{
    buffer_format(b, "\"%s\": ", key);
    if (text) {
        buffer_json(b, text);
    } else {
        buffer_text(b, "null");
    }
}

static void json_resync(buffer *b, const weft_trace_diff_pair *p)
{
    buffer_format(b, ",\n \"window\": [%" PRIu64 ", %" PRIu64 "], \"resync\": ", p->window[0],
                  p->window[1]);
    if (!p->resynced) {
        buffer_text(b, "null");
        return;
    }
    buffer_format(b,
                  "{\"ref_at\": %" PRIu64 ", \"ours_at\": %" PRIu64 ", \"matched\": %" PRIu64
                  ", \"divergences\": %" PRIu64 ", \"changes\": [",
                  p->resync[0], p->resync[1], p->again, p->later);
    for (size_t i = 0; i < p->change_count; i++) {
        const weft_diff_change *c = &p->changes[i];
        buffer_format(b, "%s{\"what\": \"%s\", ", i ? ",\n  " : "",
                      c->what == '-'   ? "removed"
                      : c->what == '+' ? "inserted"
                      : c->what == '~' ? "changed"
                                       : "same");
        json_text(b, "ref", c->events[0].text);
        buffer_text(b, ", ");
        json_text(b, "ours", c->events[1].text);
        buffer_text(b, "}");
    }
    buffer_text(b, "]}");
}

static void json_absorbed(buffer *b, const weft_trace_diff_pair *p)
{
    buffer_text(b, ",\n \"absorbed\": [");
    for (size_t i = 0; i < p->absorbed_count; i++) {
        const weft_diff_absorbed *a = &p->absorbed[i];
        buffer_format(b, "%s{\"rule\": \"%s\", \"only\": \"%s\", \"matched\": %" PRIu64 ", ",
                      i ? ", " : "", a->rule, sides[a->side], a->matched);
        json_text(b, "event", a->event.text);
        buffer_text(b, "}");
    }
    buffer_format(b, "], \"absorbed_more\": %zu", p->absorbed_more);
}

static void json_cone(buffer *b, const weft_diff_cone *cone, int side)
{
    char room[40];
    buffer_format(b,
                  "%s\"%s\": {\"events\": %" PRIu64 ", \"whole\": %s, \"more\": %zu, \"edges\": [",
                  side ? ",\n  " : "", sides[side], cone->looked_at, cone->whole ? "true" : "false",
                  cone->more);
    for (size_t i = 0; i < cone->count; i++) {
        const weft_diff_edge *e = &cone->edges[i];
        buffer_format(b, "%s{\"what\": \"%s\", \"alone\": %s, ", i ? ",\n   " : "", e->what,
                      e->alone ? "true" : "false");
        json_text(b, "from_thread", thread_name(e->names[0], e->threads[0], room));
        buffer_text(b, ", ");
        json_text(b, "from", e->events[0].text);
        buffer_text(b, ", ");
        json_text(b, "to_thread", thread_name(e->names[1], e->threads[1], room));
        buffer_text(b, ", ");
        json_text(b, "to", e->events[1].text);
        buffer_text(b, "}");
    }
    buffer_text(b, "]}");
}

static void json_divergence(buffer *b, const weft_trace_diff_pair *p)
{
    buffer_text(b, ",\n ");
    json_text(b, "field", p->field);
    buffer_text(b, ", ");
    json_text(b, "category", p->category);
    buffer_text(b, ", ");
    for (int n = 0; n < 2; n++) {
        char key[16];
        const weft_diff_event *at = &p->at[n];
        snprintf(key, sizeof key, "%s_value", sides[n]);
        json_text(b, key, p->values[n]);
        if (at->text) {
            buffer_format(b,
                          ", \"%s_index\": %" PRIu64 ", \"%s_sequence\": %" PRIu64
                          ", \"%s_tick\": %" PRIu64 ",\n ",
                          sides[n], at->index, sides[n], at->sequence, sides[n], at->tick);
        } else {
            buffer_format(b, ", \"%s_index\": null, ", sides[n]);
        }
    }
    buffer_text(b, "\"before\": [");
    for (int k = 0, any = 0; k < DIFF_BEFORE; k++) {
        if (p->before[k].text) {
            buffer_text(b, any++ ? ",\n  " : "");
            buffer_json(b, p->before[k].text);
        }
    }
    buffer_text(b, "],\n ");
    json_text(b, "ref_event", p->at[0].text);
    buffer_text(b, ",\n ");
    json_text(b, "ours_event", p->at[1].text);
    buffer_text(b, ",\n ");
    json_text(b, "ref_next", p->next[0].text);
    buffer_text(b, ",\n ");
    json_text(b, "ours_next", p->next[1].text);
    json_resync(b, p);
    if (p->cones[0].present) {
        buffer_text(b, ",\n \"cone\": {");
        json_cone(b, &p->cones[0], 0);
        json_cone(b, &p->cones[1], 1);
        buffer_text(b, "}");
    }
}

static void json_pair(buffer *b, const weft_trace_diff_pair *p)
{
    char room[40];
    buffer_text(b, "{");
    for (int n = 0; n < 2; n++) {
        json_text(b, sides[n], p->present[n] ? name_of(p, n, room) : NULL);
        if (p->present[n]) {
            buffer_format(b, ", \"%s_tid\": %" PRIu32, sides[n], p->tids[n]);
        } else {
            buffer_format(b, ", \"%s_tid\": null", sides[n]);
        }
        buffer_format(b,
                      ", \"%s_total\": %" PRIu64 ", \"%s_events\": %" PRIu64
                      ", \"%s_ignored\": %" PRIu64 ", ",
                      sides[n], p->totals[n], sides[n], p->events[n], sides[n], p->ignored[n]);
    }
    json_text(b, "how", p->how);
    buffer_format(
        b, ", \"matched\": %" PRIu64 ", \"tolerated\": %" PRIu64 ", \"first_divergence_at\": ",
        p->matched, p->tolerated);
    if (p->diverged) {
        buffer_format(b, "%" PRIu64, p->matched);
        json_divergence(b, p);
    } else {
        buffer_text(b, "null");
    }
    json_absorbed(b, p);
    buffer_text(b, "}");
}

static void json_report(buffer *b, const weft_trace_diff *d, const char *const paths[2])
{
    buffer_format(b, "{\"divergent\": %s, ", d->divergent ? "true" : "false");
    for (int n = 0; n < 2; n++) {
        json_text(b, sides[n], paths[n]);
        buffer_format(b, ", ");
    }
    json_text(b, "ref_engine", d->info[0].engine);
    buffer_text(b, ", ");
    json_text(b, "ours_engine", d->info[1].engine);
    buffer_text(b, ", \"first\": ");
    if (d->first == SIZE_MAX) {
        buffer_text(b, "null");
    } else {
        buffer_format(b, "%zu", d->first);
    }
    if (any_absorbed(d)) {
        buffer_text(b, ", ");
        json_text(b, "warning", absorber_warning);
    }
    buffer_text(b, ",\n\"threads\": [");
    for (size_t i = 0; i < d->pair_count; i++) {
        buffer_text(b, i ? ",\n" : "\n");
        json_pair(b, &d->pairs[i]);
    }
    buffer_text(b, "],\n\"missing\": [");
    for (size_t i = 0; i < d->missing_count; i++) {
        buffer_format(b, "%s{\"only\": \"%s\", \"what\": \"%s\", \"times\": %" PRIu64 ", ",
                      i ? ",\n" : "", sides[d->missing[i].side], d->missing[i].what,
                      d->missing[i].times);
        json_text(b, "name", d->missing[i].name);
        buffer_text(b, "}");
    }
    buffer_text(b, "]}\n");
}

void report_diff(buffer *b, int format, const weft_trace_diff *diff, const char *const paths[2])
{
    switch (format) {
    case REPORT_JSON:
        json_report(b, diff, paths);
        break;
    case REPORT_MARKDOWN:
        markdown_report(b, diff, paths);
        break;
    default:
        text_report(b, diff);
        break;
    }
}
