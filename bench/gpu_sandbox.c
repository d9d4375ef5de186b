#include "gpu_sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

#define MEMORY_BYTES (XENOS_PHYSICAL_MASK + 1)

static weft_status host_fail(const weft_host *host, weft_status status, const char *text)
{
    fprintf(stderr, "bench: error: gpu: %s\n", text);
    return status;
}

static void host_log(const weft_host *host, uint32_t level, const char *text)
{
    fprintf(stderr, "bench: gpu: %s\n", text);
}

static void host_emit(const weft_host *host, weft_event *event)
{
}

static void host_present(const weft_host *host, weft_frame *frame)
{
    gpu_sandbox *s = host->impl;
    const uint8_t *pixels = frame->pixels;
    size_t middle = (size_t)frame->height / 2 * frame->stride + (size_t)frame->width / 2 * 4;
    s->frames++;
    memcpy(&s->middle, pixels + middle, sizeof s->middle);
    if (s->hashes) {
        s->hash = XXH3_64bits(pixels, (size_t)frame->height * frame->stride);
    }
}

static void memory_written(weft_memory *memory, uint32_t start, uint32_t length)
{
}

static weft_status memory_watch(weft_memory *memory, uint32_t start, uint32_t length)
{
    return WEFT_OK;
}

static weft_status memory_listen(weft_memory *memory, weft_written_fn fn, void *context)
{
    return WEFT_E_LIMIT;
}

int gpu_sandbox_begin(gpu_sandbox *s, uint32_t threads)
{
    static const xenos_costs costs = {1, 1, 1, 1, 1, 1, 0};
    void *bytes = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *s = (gpu_sandbox){
        .memory = {.size = sizeof s->memory,
                   .physical_size = MEMORY_BYTES,
                   .physical = bytes == MAP_FAILED ? NULL : bytes,
                   .written_physical = memory_written,
                   .watch_physical = memory_watch,
                   .listen = memory_listen},
        .cp = calloc(1, sizeof *s->cp),
    };
    s->host = (weft_host){
        .size = sizeof s->host,
        .impl = s,
        .memory = &s->memory,
        .wanted = s->wanted,
        .machine = &s->machine,
        .fail = host_fail,
        .log = host_log,
        .emit = host_emit,
        .present = host_present,
    };
    xenos_drawing *drawing =
        s->cp != NULL ? xenos_drawing_new(&s->host, s->cp, "soft", threads) : NULL;
    if (s->memory.physical == NULL || drawing == NULL) {
        xenos_drawing_free(drawing);
        free(s->cp);
        s->cp = NULL;
        gpu_sandbox_end(s);
        return 0;
    }
    xenos_cp_init(s->cp, &s->host, &costs, drawing);
    return 1;
}

void gpu_sandbox_end(gpu_sandbox *s)
{
    if (s->cp != NULL) {
        xenos_cp_end(s->cp);
        free(s->cp);
        s->cp = NULL;
    }
    if (s->memory.physical != NULL) {
        munmap(s->memory.physical, MEMORY_BYTES);
        s->memory.physical = NULL;
    }
}
