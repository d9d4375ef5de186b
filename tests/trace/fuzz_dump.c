/* fuzz_dump.c: the first line as lists for a filter ("kinds|threads|exports|objects"), the rest as a
 * trace: each event is filtered, shown to people, and written as a line again. */
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "pretty.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void dump(FILE *file, weft_filter *filter)
{
    weft_trace *trace = weft_trace_from(file, "fuzz");
    weft_trace_begin begin = {.engine = "weft",
                              .build = "",
                              .title = "",
                              .profile_digest = "",
                              .digest = "",
                              .name = weft_trace_name_of,
                              .names = trace};
    pretty *p = malloc(sizeof *p);
    const weft_event *event;
    out o = {0};
    pretty_init(p, 1);
    line_context context = {.table = &p->table, .begin = &begin};
    while ((event = weft_trace_next(trace)) != NULL) {
        if (weft_filter_pass(filter, event, weft_trace_name_of, trace)) {
            pretty_event(&o, p, trace, event);
            line_event(&o, &context, event);
            o.used = 0;
        }
    }
    out_free(&o);
    pretty_end(p);
    free(p);
    weft_trace_close(trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    size_t length = newline ? (size_t)(newline - data) : size;
    char *lists = malloc(length + 1), why[256] = "";
    memcpy(lists, data, length);
    lists[length] = 0;
    const char *texts[4] = {"", "", "", ""};
    char *at = lists;
    for (int i = 0; i < 4 && at; i++) {
        char *bar = strchr(at, '|');
        texts[i] = at;
        if (bar) {
            *bar = 0;
        }
        at = bar ? bar + 1 : NULL;
    }
    weft_filter_texts of = {texts[0], texts[1], texts[2], texts[3]};
    weft_filter *filter = weft_filter_new(&of, why, sizeof why);
    if (!filter != (why[0] != 0)) {
        abort(); /* a refusal has a reason, and nothing else has */
    }
    FILE *file = filter && newline && length + 1 < size
                     ? fmemopen((void *)(uintptr_t)(newline + 1), size - length - 1, "rb")
                     : NULL;
    if (file) {
        uint64_t bits[4];
        weft_filter_kinds(filter, bits, 4);
        dump(file, filter);
    }
    weft_filter_free(filter);
    free(lists);
    return 0;
}
