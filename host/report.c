/* report.c: `weft run --json`. Identities and addresses are text: JSON numbers end at 2^53. */
#include <inttypes.h>

#include "run.h"

static const char *end_name(uint32_t end)
{
    static const char *const names[] = {"none",     "exit",     "condition", "exception",
                                        "bugcheck", "deadlock", "plugin"};
    return end < sizeof names / sizeof names[0] ? names[end] : "unknown";
}

static const char *thread_state(uint32_t state)
{
    static const char *const names[] = {"ready", "running", "waiting", "suspended", "terminated"};
    return state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

/* The title's own exit code where it has ended by itself, else what weft ends with. */
static unsigned title_exit_code(const run_report *report)
{
    return report->has_result && report->result.end == WEFT_END_EXIT ? report->result.exit_code
                                                                     : (unsigned)report->exit_code;
}

static void add_unimplemented(const run_report *report, buffer *out)
{
    buffer_text(out, "  \"unimplemented\": [");
    for (size_t i = 0; i < report->missing_count; i++) {
        const run_missing_row *row = &report->missing[i];
        buffer_format(out, "%s\n    {\"name\": ", i ? "," : "");
        buffer_json(out, row->name);
        buffer_format(out, ", \"count\": %" PRIu64 ", \"first_caller\": \"0x%08x\"}",
                      row->missing.count, row->missing.first_caller);
    }
    buffer_format(out, "%s],\n", report->missing_count ? "\n  " : "");
}

static void add_threads(const run_report *report, buffer *out)
{
    buffer_text(out, "  \"threads\": [");
    for (size_t i = 0; i < report->thread_count; i++) {
        const weft_run_thread *t = &report->threads[i].thread;
        buffer_format(out, "%s\n    {\"id\": \"%016" PRIx64 "\", \"name\": ", i ? "," : "", t->id);
        buffer_json(out, report->threads[i].name);
        buffer_format(out,
                      ", \"tid\": %u, \"entry\": \"0x%08x\", \"state\": \"%s\", \"retired\": "
                      "%" PRIu64 ", \"pc\": \"0x%08x\", \"priority\": %d}",
                      t->tid, t->entry, thread_state(t->state), t->retired, t->pc, t->priority);
    }
    buffer_format(out, "%s]\n", report->thread_count ? "\n  " : "");
}

void run_report_json(const run *r, buffer *out)
{
    const run_report *report = &r->report;
    const weft_run_result *result = &report->result;
    buffer_text(out, "{\n  \"title\": ");
    buffer_json(out, r->options.title);
    buffer_format(out,
                  ",\n  \"profile_digest\": \"%s\",\n  \"exit_code\": %u,\n  \"status\": %d,\n"
                  "  \"end\": \"%s\",\n  \"reason\": ",
                  report->profile_digest, title_exit_code(report), report->exit_code,
                  end_name(result->end));
    buffer_json(out, report->reason ? report->reason : "");
    buffer_format(out,
                  ",\n  \"instructions\": %" PRIu64 ",\n  \"ticks\": %" PRIu64
                  ",\n  \"frames\": %" PRIu64 ",\n  \"draws\": %" PRIu64
                  ",\n  \"imports_called\": %" PRIu64 ",\n  \"slices\": %" PRIu64 ",\n",
                  result->instructions, result->ticks, report->frames, report->draws,
                  result->imports_called, result->slices);
    add_unimplemented(report, out);
    buffer_format(out,
                  "  \"trace_digest\": \"%s\",\n  \"canon_digest\": \"%s\",\n"
                  "  \"trace_events\": %" PRIu64 ",\n  \"state_digest\": \"%016" PRIx64
                  "\",\n  \"seconds\": %.3f,\n",
                  report->trace_digest, report->canon_digest, report->trace_events,
                  result->state_digest, report->seconds);
    add_threads(report, out);
    buffer_text(out, "}\n");
}
