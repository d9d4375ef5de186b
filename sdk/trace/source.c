/* source.c: see source.h. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "source_parts.h"

int source_fail(weft_trace_source *s, const char *why)
{
    if (!s->error[0]) {
        snprintf(s->error, sizeof s->error, "%s", why);
    }
    return 0;
}

weft_trace_source *weft_trace_source_open(const char *path, int mode,
                                          void (*progress)(uint64_t events))
{
    weft_trace_source *s = calloc(1, sizeof *s);
    if (!s) {
        return NULL;
    }
    s->mode = mode;
    s->trace = weft_trace_open(path);
    if (!s->trace) {
        free(s);
        return NULL;
    }
    if (weft_trace_failed(s->trace, NULL)) {
        return s;
    }
    struct stat status;
    if (fstat(fileno(s->trace->file), &status) != 0 || !S_ISREG(status.st_mode)) {
        source_fail(s, "cannot go back in it (found no regular file, expected one)");
        return s;
    }
    int indexed = mode == WEFT_CANON_OWN && s->trace->binary && source_index_open(s);
    if (!indexed && !weft_trace_source_failed(s, NULL)) {
        source_stream_open(s, progress);
    }
    return s;
}

const char *weft_trace_source_failed(const weft_trace_source *s, const char **where)
{
    const char *why = weft_trace_failed(s->trace, where);
    return why ? why : s->error[0] ? s->error : NULL;
}

const weft_trace_summary *weft_trace_source_summary(const weft_trace_source *s)
{
    return &s->summary;
}

const char *weft_trace_source_name(const weft_trace_source *s, uint64_t id)
{
    return weft_trace_name(s->trace, id);
}

const uint64_t *weft_trace_source_words(weft_trace_source *s, const uint8_t **fields,
                                        uint32_t *count)
{
    *fields = s->fields;
    *count = s->word_count;
    return s->index ? source_index_words(s, count) : s->words;
}

int weft_trace_source_fetch(weft_trace_source *s, const weft_trace_window *windows, size_t count,
                            weft_trace_window_fn fn, void *context)
{
    if (weft_trace_source_failed(s, NULL)) {
        return 0;
    }
    return s->index ? source_index_fetch(s, windows, count, fn, context)
                    : source_stream_fetch(s, windows, count, fn, context);
}

void weft_trace_source_close(weft_trace_source *s)
{
    if (s) {
        source_stream_close(s);
        source_index_close(s);
        survey_free_summary(&s->summary);
        free(s->places.entries);
        weft_trace_close(s->trace);
        free(s);
    }
}
