/* Reading captures: drawing them again in a sandbox of their own memory, and printing them. */
#ifndef XENOS_REPLAY_H
#define XENOS_REPLAY_H

#include <stdio.h>

#include "capture.h"
#include "weft/gpu_tools.h"

/* One record after the other. What the file holds is checked: kinds and lengths are those of capture.h.
 */
typedef struct xenos_record {
    uint32_t kind, length;
    const uint8_t *bytes; /* `length` of them; until the next is read */
    uint64_t offset;      /* of its head in the unpacked stream */
} xenos_record;

typedef struct xenos_records xenos_records;

xenos_records *xenos_records_open(const weft_host *host, const char *path); /* NULL: fail called */
void xenos_records_close(xenos_records *records);
/* OK with the next; END is the last. FORMAT, IO or NO_MEMORY: fail was called. */
weft_status xenos_records_next(xenos_records *records, xenos_record *record);

/* The ops of weft_gpu_tools, without the instance. `backend` and `threads` as the options. */
weft_status xenos_replay(const weft_host *host, const char *path, const char *backend,
                         uint32_t threads, uint32_t times,
                         void (*frame)(void *context, const weft_frame *frame), void *context,
                         weft_gpu_replayed *done);
weft_status xenos_dump(const weft_host *host, const char *path, FILE *out);
weft_status xenos_disassemble_file(const weft_host *host, const char *path, const char *stage,
                                   FILE *out);

#endif
