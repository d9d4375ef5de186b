/* [kernel] watch: ranges of guest memory whose changes become mem.write events. */
#ifndef WEFT_KERNEL_WATCH_H
#define WEFT_KERNEL_WATCH_H

#include <stdint.h>

#include "weft/plugin.h"

#define KWATCH_MAX       16
#define KWATCH_BYTES_MAX UINT32_C(0x10000) /* of one range */

typedef struct kernel kernel;
struct weft_host;

/* A range, widened to whole words, and what was in it when it was last looked at. */
typedef struct kwatch {
    uint32_t start, length;
    uint8_t *shadow;
} kwatch;

typedef struct kwatches {
    kwatch rows[KWATCH_MAX];
    uint32_t count;
} kwatches;

/* Reads "ADDRESS+LENGTH, ..."; numbers are hexadecimal with 0x and decimal without. INVALID, and a
 * sentence for the host, where it is not that. */
weft_status kwatch_parse(const struct weft_host *host, const char *text, kwatches *out);

/* Begins to look, once the views are there. INVALID, and a sentence: no view has a range. */
weft_status kwatch_start(kernel *k);
void kwatch_end(kernel *k);

#endif
