#include "swap.h"

#include <stdlib.h>
#include <xxhash.h>

#include "capture.h"
#include "cp.h"
#include "frontbuffer.h"

static int reserve_pixels(xenos_cp *cp, uint64_t bytes)
{
    if (bytes <= cp->pixels_size) {
        return 1;
    }
    uint32_t *pixels = realloc(cp->pixels, bytes);
    if (pixels == NULL) {
        return 0;
    }
    cp->pixels = pixels;
    cp->pixels_size = bytes;
    return 1;
}

static void emit_swap(xenos_cp *cp, uint32_t front_buffer, uint32_t width, uint32_t height,
                      uint64_t pixels)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_GPU_SWAP);
    weft_event_word(&event, cp->stats.swaps);
    weft_event_word(&event, front_buffer);
    weft_event_word(&event, width);
    weft_event_word(&event, height);
    weft_event_word(&event, pixels);
    xenos_cp_emit(cp, &event);
}

void xenos_swap(xenos_cp *cp, uint32_t front_buffer, uint32_t width, uint32_t height)
{
    const weft_memory *memory = cp->host->memory;
    xenos_surface surface;
    xenos_surface_decode(&surface, &cp->registers[XENOS_CONSTANT_FETCH]);
    const char *problem = xenos_surface_problem(&surface, width, height, memory->physical_size);
    uint64_t bytes = (uint64_t)width * height * 4;
    if (problem == NULL && !reserve_pixels(cp, bytes)) {
        problem = "the host has no memory for the frame";
    }
    if (problem != NULL) {
        xenos_cp_complain(cp, XENOS_SWAP_UNREADABLE, problem);
        return;
    }
    uint8_t *rgba = (uint8_t *)cp->pixels;
    xenos_runner runner = {xenos_drawing_run, cp->drawing};
    xenos_surface_read(&surface, memory->physical, width, height, &cp->gamma, &runner, rgba);
    cp->stats.swaps++;
    cp->counter++;
    uint64_t hash = XXH3_64bits(rgba, bytes);
    emit_swap(cp, front_buffer, width, height, hash);
    if (cp->capture != NULL) {
        xenos_capture_swap(cp->capture, cp, hash);
    }
    weft_frame frame = {
        .size = (uint32_t)sizeof frame,
        .width = width,
        .height = height,
        .stride = width * 4,
        .tick = cp->tick,
        .pixels = rgba,
    };
    cp->host->present(cp->host, &frame);
}
