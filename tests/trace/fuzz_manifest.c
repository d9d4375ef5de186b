/* fuzz_manifest.c: 'm': a manifest's text, which is written again if it can be read, and must then be
 * read as the same; 'p': a map of threads; anything else: a log, of which a manifest is made. */
#include <stdlib.h>
#include <string.h>

#include "manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static weft_trace_manifest *read_text(const char *text, size_t length)
{
    char why[256];
    size_t at;
    weft_trace_manifest *m = weft_trace_manifest_read(text, length, why, sizeof why, &at);
    if (!m && (why[0] == 0 || (at != SIZE_MAX && at > length))) {
        abort();
    }
    return m;
}

/* What is written can be read, and has the same entries. */
static void write_and_read(weft_trace_manifest *m)
{
    char *text = NULL;
    size_t length = 0, count, again_count;
    const weft_trace_contention *entries = weft_trace_manifest_entries(m, &count);
    FILE *file = open_memstream(&text, &length);
    if (!weft_trace_manifest_write(m, file, "fuzz", "", 0)) {
        abort();
    }
    fclose(file);
    weft_trace_manifest *again =
        length <= WEFT_TRACE_MANIFEST_BYTES ? read_text(text, length) : NULL;
    const weft_trace_contention *other =
        again ? weft_trace_manifest_entries(again, &again_count) : NULL;
    if (!again || again_count != count) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        if (entries[i].tid != other[i].tid || entries[i].index != other[i].index ||
            entries[i].site != other[i].site || entries[i].pointer != other[i].pointer) {
            abort();
        }
    }
    weft_trace_manifest_free(again);
    free(text);
}

static void make(const uint8_t *data, size_t size)
{
    FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
    if (!file) {
        return;
    }
    static const weft_trace_pair pairs[] = {{6, 1}, {7, 2}, {12, 7}};
    weft_trace *trace = weft_trace_from(file, "fuzz");
    weft_trace_manifest *m = weft_trace_manifest_new(pairs, size % 2 ? 3 : 0);
    const weft_event *event;
    while ((event = weft_trace_next(trace)) != NULL) {
        weft_trace_manifest_add(m, trace, event);
    }
    write_and_read(m);
    weft_trace_manifest_free(m);
    weft_trace_close(trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'm') {
        weft_trace_manifest *m = read_text((const char *)data + 1, size - 1);
        if (m) {
            write_and_read(m);
        }
        weft_trace_manifest_free(m);
    } else if (size > 0 && data[0] == 'p') {
        weft_trace_pair pairs[16];
        char *text = strndup((const char *)data + 1, size - 1);
        weft_trace_read_pairs(text, pairs, 16);
        free(text);
    } else {
        make(data, size);
    }
    return 0;
}
