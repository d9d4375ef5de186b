/* fuzz.c: any bytes as a trace: read to the end, each event digested, or refused. */
#include "trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
    if (!file) {
        return 0;
    }
    weft_trace *trace = weft_trace_from(file, "fuzz");
    weft_trace_digest *digest = weft_trace_digest_new();
    const weft_event *event;
    char hex[33], room[16];
    while ((event = weft_trace_next(trace)) != NULL) {
        weft_trace_digest_add(digest, event);
        weft_trace_kind(trace, event, room);
    }
    weft_trace_digest_end(digest, hex);
    weft_trace_close(trace);
    return 0;
}
