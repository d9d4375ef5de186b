/* sdl_case.h: a frontend-sdl under test. The test links SDL as the plugin does, and so looks into
 * the same library from the other side: events go in by SDL_PushEvent, pixels come back by
 * SDL_RenderReadPixels. */
#ifndef TESTS_SDL_CASE_H
#define TESTS_SDL_CASE_H

#include <SDL.h>

#include "tracer/fake_host.h"

typedef struct sdl_case {
    fake_host fake;
    const weft_frontend_ops *ops;
} sdl_case;

/* cmocka's setup and teardown: an instance, not yet open. */
int sdl_setup(void **state);
int sdl_teardown(void **state);

/* A new instance with an option set, and the window open. */
void sdl_open_with(sdl_case *c, const char *key, const char *value);

/* Opens the window, named after "plasma.xex", and lets the first events pass. */
void sdl_open(sdl_case *c);

/* The plugin's window. */
SDL_Window *sdl_window(void);

/* One round of pump without waiting. */
int32_t sdl_pump(sdl_case *c);

/* Presses or releases a key, by event, and pumps. */
void sdl_key(sdl_case *c, SDL_Scancode key, int down);

/* The pads as the guest sees them. */
weft_pad sdl_pad(sdl_case *c, unsigned port);

/* Presents a picture: left half red, right half blue, the first row green. */
void sdl_present(sdl_case *c, uint32_t width, uint32_t height);

/* Colours of sdl_present, as sdl_pixel gives them. */
#define SDL_RED   0xff0000u
#define SDL_GREEN 0x00ff00u
#define SDL_BLUE  0x0000ffu

/* A pixel of the window, 0xRRGGBB. */
uint32_t sdl_pixel(int x, int y);

#endif
