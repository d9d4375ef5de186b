/* frames.h: hands pictures from the guest thread to the window's thread.
 *
 * Three slots: the guest fills one, one waits, the window shows one. Filling and showing touch only
 * their own slot, and the lock is held for an exchange of two numbers, so that neither side ever
 * waits for the other. A picture that was not fetched in time is replaced by the next. */
#ifndef FRONTEND_SDL_FRAMES_H
#define FRONTEND_SDL_FRAMES_H

#include <pthread.h>

#include "weft/gpu.h"

#define FRAMES_MAX_SIDE 8192 /* pixels; no display mode of the console comes near */

typedef struct picture {
    uint8_t *pixels; /* 4 bytes each: red, green, blue, 255; rows without gaps */
    size_t capacity; /* bytes */
    uint32_t width, height;
} picture;

typedef struct frames {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    picture slots[3];
    uint32_t filling, waiting, showing; /* indices in slots, all different */
    int fresh;                          /* 1: `waiting` was not fetched yet */
} frames;

void frames_init(frames *f);
void frames_free(frames *f);

/* Copies a frame in; one of an impossible size, or without memory for it, is dropped. [guest] */
void frames_put(frames *f, const weft_frame *frame);

/* The latest picture if it was not fetched before, else NULL; good until the next call. [main] */
const picture *frames_fetch(frames *f);

/* Returns when a picture waits, or after `milliseconds`. [main] */
void frames_wait(frames *f, uint32_t milliseconds);

#endif
