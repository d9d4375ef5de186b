/* video.h: the window and the picture in it. Everything here is [main]. */
#ifndef FRONTEND_SDL_VIDEO_H
#define FRONTEND_SDL_VIDEO_H

#include <SDL.h>

#include "frames.h"
#include "weft/host.h"

typedef struct video {
    SDL_Window *window; /* NULL: closed */
    SDL_Renderer *renderer;
    SDL_Texture *texture; /* of the latest picture, or NULL */
    int width, height;    /* of texture */
    char title[208];      /* of the window when nothing is to be said */
} video;

/* Opens the window as the instance's options say. On failure host->fail was called and nothing is
 * left open. */
weft_status video_open(video *v, const weft_host *host, const char *title);

/* Shows a picture, scaled to the window with its shape kept and black at the sides. */
void video_show(video *v, const picture *p);

/* Draws the latest picture again. */
void video_redraw(video *v);

/* The window's surroundings changed: redraws, or starts over where textures were lost. */
void video_event(video *v, const SDL_Event *event);

void video_toggle_fullscreen(video *v);

/* Puts a line for the user into the window's title. */
void video_say(video *v, const char *line);

void video_close(video *v);

/* The largest rectangle of the picture's shape in the middle of the window. */
SDL_Rect video_fit(int window_width, int window_height, int width, int height);

#endif
