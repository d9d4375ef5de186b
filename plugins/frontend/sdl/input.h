/* input.h: keyboard and game controllers as the console's four pads.
 *
 * SDL is asked on [main] alone; what it says is copied into a snapshot that [guest] reads under a
 * lock, and motors travel the other way. */
#ifndef FRONTEND_SDL_INPUT_H
#define FRONTEND_SDL_INPUT_H

#include <SDL.h>
#include <pthread.h>

#include "weft/frontend.h"

typedef struct input_motors {
    uint16_t left, right;
    int changed;      /* 1: not yet handed to SDL */
    uint64_t sent_ms; /* SDL's ticks when it was */
} input_motors;

typedef struct input {
    int keyboard; /* 1: keys are pad 0 */
    int open;     /* 1: SDL's controllers are initialised */
    uint8_t keys[SDL_NUM_SCANCODES];
    SDL_GameController *controllers[WEFT_PAD_COUNT]; /* by port; NULL: free */

    pthread_mutex_t lock; /* guards what follows */
    weft_pad pads[WEFT_PAD_COUNT];
    input_motors motors[WEFT_PAD_COUNT];
} input;

void input_init(input *in, int keyboard);
void input_free(input *in);

/* Starts SDL's controllers; without them the keyboard still works. 0, or SDL's error. [main] */
int input_open(input *in);

void input_close(input *in);

/* Takes note of an event. [main] */
void input_event(input *in, const SDL_Event *event);

/* Brings the snapshot up to date and runs the motors. [main] */
void input_publish(input *in);

/* Copies the snapshot: WEFT_PAD_COUNT records. [guest] */
void input_pads(input *in, weft_pad *pads);

/* Sets the motors of a port. [guest] */
void input_rumble(input *in, uint32_t port, uint16_t left, uint16_t right);

#endif
