/* trace_kinds.c: `weft trace kinds`: the table of kinds (sdk/trace/kinds.h). */
#include "../run.h"
#include "../text.h"
#include "args.h"
#include "kinds.h"
#include "trace_command.h"

enum { JSON, MARKDOWN };

static const args_flag flags[] = {
    [JSON] = {"--json", NULL, "an array of JSON"},
    [MARKDOWN] = {"--markdown", NULL, "the table of docs/trace.md"},
    {0},
};

static const args_command command = {
    .name = "trace kinds",
    .positional = "",
    .summary =
        "Prints the kinds of events: number, name, class, flags, fields with types, what they "
        "say.",
    .flags = flags,
};

static int take(void *context, int index, const char *value)
{
    *(int *)context = index;
    return 0;
}

int trace_kinds(int argc, char **argv)
{
    int form = -1;
    out o = {0};
    int parsed = args_parse(&command, argc, argv, take, &form);
    if (parsed) {
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    (form == JSON       ? weft_trace_kinds_json
     : form == MARKDOWN ? weft_trace_kinds_markdown
                        : weft_trace_kinds_text)(&o);
    int good = !o.no_memory && fwrite(o.bytes, 1, o.used, stdout) == o.used && fflush(stdout) == 0;
    out_free(&o);
    if (!good) {
        error_print("stdout", "cannot write (expected room for the table)");
    }
    return good ? EXIT_ENDED : EXIT_INPUT;
}
