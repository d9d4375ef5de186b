/* Between the command processor and a back-end: which one draws, shaders decoded once, guest memory
 * as the back-end sees it, and the answers that depend on what was drawn. */
#ifndef XENOS_DRAWING_H
#define XENOS_DRAWING_H

#include "draw.h"
#include "weft/host.h"

struct xenos_cp;

typedef struct xenos_drawing xenos_drawing;

/* The back-end called `name` ("soft", "null"; "soft-plain" and the like for one instruction set of
 * soft_backend.h that this host has) over the host's memory, with that many threads (0: as
 * the host has cores, at most 8). `host` may have no memory yet; it has when the first draw comes.
 * `cp` hears of what the back-end writes. NULL: no such name, or no memory. */
xenos_drawing *xenos_drawing_new(const weft_host *host, struct xenos_cp *cp, const char *name,
                                 uint32_t threads);
void xenos_drawing_free(xenos_drawing *drawing);

/* New microcode of a stage; decoded when a draw needs it. */
void xenos_drawing_shader(xenos_drawing *drawing, uint32_t stage, const uint32_t *code,
                          uint32_t dwords);
/* The program of a stage, NULL while none was loaded or without memory. */
const xenos_program *xenos_drawing_program(xenos_drawing *drawing, uint32_t stage);

/* Does the draw that the registers describe change guest memory (resolve, memory export)? */
int xenos_drawing_visible(xenos_drawing *drawing, const uint32_t *registers);

/* Draws or resolves as RB_MODECONTROL says. `draw` has all but registers, programs and number. */
void xenos_drawing_draw(xenos_drawing *drawing, uint32_t *registers, xenos_draw *draw,
                        xenos_resolved *done);

/* Physical memory changed by other means than a store that the host reports: a replay's. */
void xenos_drawing_changed(xenos_drawing *drawing, uint32_t start, uint32_t length);

/* What was drawn so far. 0: this back-end has no pixels, and the counts mean nothing. */
int xenos_drawing_counts(xenos_drawing *drawing, xenos_counts *counts);
int xenos_drawing_extents(xenos_drawing *drawing, xenos_extents *extents);

/* Calls the job for items 0..items-1, on the back-end's threads where it has some; returns when all
 * are done. */
void xenos_drawing_run(void *drawing, xenos_job job, void *context, uint32_t items);

/* EDRAM, or NULL: this back-end has none, or there is no memory. */
uint8_t *xenos_drawing_edram(xenos_drawing *drawing);

#endif
