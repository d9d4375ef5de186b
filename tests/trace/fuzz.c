/* fuzz.c: any bytes as a trace: read to the end, each event digested, or refused. Text is read by
 * both of its parsers, which must agree. */
#include <stdlib.h>
#include <string.h>

#include "reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
    if (!file) {
        return 0;
    }
    weft_trace *trace = weft_trace_from(file, "fuzz"), *plain = NULL;
    if (!trace->binary) {
        plain = weft_trace_from(fmemopen((void *)(uintptr_t)data, size, "rb"), "fuzz");
        jsonl_plain(plain);
    }
    weft_trace_digest *digest = weft_trace_digest_new();
    const weft_event *event;
    char hex[33], room[16];
    while ((event = weft_trace_next(trace)) != NULL) {
        weft_trace_digest_add(digest, event);
        weft_trace_kind(trace, event, room);
        const weft_event *other = plain ? weft_trace_next(plain) : event;
        if (!other || event->size != other->size || memcmp(event, other, event->size) != 0) {
            abort();
        }
    }
    if (plain && (weft_trace_next(plain) || strcmp(plain->error, trace->error) != 0)) {
        abort();
    }
    weft_trace_close(plain);
    weft_trace_digest_end(digest, hex);
    weft_trace_close(trace);
    return 0;
}
