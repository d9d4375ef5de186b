/* Two front buffers, the ring that the GPU reads commands from, and the wait for vertical blank:
 * what a title needs to show pictures without Direct3D. */
#ifndef PLASMA_DISPLAY_H
#define PLASMA_DISPLAY_H

#include "weft_guest.h"

#define DISPLAY_WIDTH  1280u
#define DISPLAY_HEIGHT 720u

/* A front buffer holds 32x32-pixel tiles of 4096 bytes, row by row; how pixels lie in a tile is
 * said in plasma.c. */
#define DISPLAY_TILE       32u
#define DISPLAY_TILE_BYTES 4096u
#define DISPLAY_TILES_X    (DISPLAY_WIDTH / DISPLAY_TILE)
#define DISPLAY_TILES_Y    ((DISPLAY_HEIGHT + DISPLAY_TILE - 1) / DISPLAY_TILE)

typedef struct display {
    u8 *buffers[2];
    u32 shown;               /* index of the buffer on screen */
    volatile u32 *ring;      /* RING_DWORDS */
    volatile u32 *ring_read; /* where the GPU writes its read pointer */
    u32 ring_write;          /* next dword */
    volatile u32 vblanks;    /* counted by the interrupt */
    kevent vblank;           /* set at each vertical blank */
    kdpc vblank_dpc;
    u32 system_buffer[0x94 / 4]; /* VdGetSystemCommandBuffer clears so much */
    u32 system_token;
} display;

/* Takes over the display. False: out of memory (said on the debug output). */
bool display_open(display *d);

/* The buffer that is not shown, for drawing. */
u8 *display_back(display *d);

/* Shows what was drawn and waits for the next vertical blank. False: the GPU takes no commands. */
bool display_show(display *d);

#endif
