/* weft/gpu_tools.h: what a GPU plugin offers to offline tools: captured frames and shader binaries.
 *
 * A plugin answers WEFT_GPU_TOOLS with a weft_gpu_tools. Its instance is created as for a run, with
 * the options of [gpu]; no kernel attaches to it. A capture is the plugin's own format, written by a
 * run whose `capture` option names a file. */
#ifndef WEFT_GPU_TOOLS_H
#define WEFT_GPU_TOOLS_H

#include <stddef.h>

#include "gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_GPU_TOOLS "weft.gpu-tools/1"

/* What a replay did. */
typedef struct weft_gpu_replayed {
    uint32_t size;     /* sizeof(weft_gpu_replayed), set by the caller */
    uint32_t frames;   /* swaps */
    uint32_t compared; /* frames whose pixels the capture knows */
    uint32_t equal;    /* of those, drawn to the same bytes */
    uint64_t packets, draws;
} weft_gpu_replayed;

/* Takes `length` bytes of text, not ended by 0. [main] */
typedef void (*weft_print_fn)(void *context, const char *text, size_t length);

typedef struct weft_gpu_tools {
    uint32_t size; /* sizeof(weft_gpu_tools) */
    uint32_t reserved;

    /* Draws a capture again, `times` over, each time from its beginning; `frame` gets each frame of
     * the last. Errors: FORMAT (host->fail says what and where), IO, NO_MEMORY. [main] */
    weft_status (*replay)(void *instance, const char *path, uint32_t times,
                          void (*frame)(void *context, const weft_frame *frame), void *context,
                          weft_gpu_replayed *done);

    /* Prints a capture: packets, registers by name, shaders, draws; `print` gets the text in pieces.
     * Errors as replay. [main] */
    weft_status (*dump)(void *instance, const char *path, weft_print_fn print, void *context);

    /* Prints the microcode of a shader binary: `stage` "vertex", "pixel", or NULL where the file says
     * so itself. Errors as replay. [main] */
    weft_status (*disassemble)(void *instance, const char *path, const char *stage,
                               weft_print_fn print, void *context);
} weft_gpu_tools;

WEFT_STATIC_ASSERT(sizeof(weft_gpu_replayed) == 32, "ABI: weft_gpu_replayed");
WEFT_STATIC_ASSERT(sizeof(weft_gpu_tools) == 32, "ABI: weft_gpu_tools");

#ifdef __cplusplus
}
#endif
#endif
