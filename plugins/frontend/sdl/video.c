/* video.c: see video.h. */
#include "video.h"

#include <stdio.h>
#include <string.h>

static weft_status fail(const weft_host *host, const char *what)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "cannot open a %s (found SDL: %.300s, expected a display)",
             what, SDL_GetError());
    return host->fail(host, WEFT_E_IO, sentence);
}

/* `scale` percent of the console's display mode. */
static int scaled(uint32_t side, int64_t percent)
{
    int64_t pixels = (int64_t)side * percent / 100;
    return pixels < 1 ? 1 : pixels > FRAMES_MAX_SIDE ? FRAMES_MAX_SIDE : (int)pixels;
}

weft_status video_open(video *v, const weft_host *host, const char *title)
{
    int64_t percent = host->option_int(host, "scale");
    int width = scaled(host->machine->width, percent);
    int height = scaled(host->machine->height, percent);
    uint32_t window_flags = SDL_WINDOW_RESIZABLE;
    uint32_t renderer_flags =
        host->option_bool(host, "vsync") ? (uint32_t)SDL_RENDERER_PRESENTVSYNC : 0;
    if (host->option_bool(host, "fullscreen")) {
        window_flags |= SDL_WINDOW_FULLSCREEN_DESKTOP;
    }
    /* The host ends on signals by itself, and other windows keep their compositor. */
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "linear");
    SDL_SetMainReady();
    if (SDL_InitSubSystem(SDL_INIT_VIDEO) != 0) {
        return fail(host, "window");
    }
    snprintf(v->title, sizeof v->title, "%.200s - Weft", title);
    v->window = SDL_CreateWindow(v->title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, width,
                                 height, window_flags);
    if (!v->window) {
        weft_status status = fail(host, "window");
        video_close(v);
        SDL_QuitSubSystem(SDL_INIT_VIDEO);
        return status;
    }
    v->renderer = SDL_CreateRenderer(v->window, -1, renderer_flags);
    if (!v->renderer) {
        v->renderer = SDL_CreateRenderer(v->window, -1, SDL_RENDERER_SOFTWARE);
    }
    if (!v->renderer) {
        weft_status status = fail(host, "renderer");
        video_close(v);
        return status;
    }
    video_redraw(v);
    return WEFT_OK;
}

SDL_Rect video_fit(int window_width, int window_height, int width, int height)
{
    SDL_Rect rect = {0, 0, window_width, window_height};
    int64_t by_width = (int64_t)window_width * height;
    int64_t by_height = (int64_t)window_height * width;
    if (by_width > by_height) { /* window wider than the picture: bars left and right */
        rect.w = (int)(by_height / height);
        rect.x = (window_width - rect.w) / 2;
    } else {
        rect.h = (int)(by_width / width);
        rect.y = (window_height - rect.h) / 2;
    }
    return rect;
}

void video_redraw(video *v)
{
    int width = 0, height = 0;
    SDL_SetRenderDrawColor(v->renderer, 0, 0, 0, 255);
    SDL_RenderClear(v->renderer);
    if (v->texture && SDL_GetRendererOutputSize(v->renderer, &width, &height) == 0) {
        SDL_Rect to = video_fit(width, height, v->width, v->height);
        SDL_RenderCopy(v->renderer, v->texture, NULL, &to);
    }
    SDL_RenderPresent(v->renderer);
}

static void drop_texture(video *v)
{
    if (v->texture) {
        SDL_DestroyTexture(v->texture);
        v->texture = NULL;
    }
}

void video_show(video *v, const picture *p)
{
    if (v->texture && (v->width != (int)p->width || v->height != (int)p->height)) {
        drop_texture(v);
    }
    if (!v->texture) {
        v->texture = SDL_CreateTexture(v->renderer, SDL_PIXELFORMAT_RGBA32,
                                       SDL_TEXTUREACCESS_STREAMING, (int)p->width, (int)p->height);
        if (!v->texture) {
            return; /* larger than the renderer can: the frame is dropped */
        }
        SDL_SetTextureBlendMode(v->texture, SDL_BLENDMODE_NONE);
        v->width = (int)p->width;
        v->height = (int)p->height;
    }
    SDL_UpdateTexture(v->texture, NULL, p->pixels, (int)p->width * 4);
    video_redraw(v);
}

void video_event(video *v, const SDL_Event *event)
{
    if (event->type == SDL_RENDER_DEVICE_RESET) {
        drop_texture(v); /* the next frame makes a new one */
    } else if (event->type == SDL_RENDER_TARGETS_RESET ||
               (event->type == SDL_WINDOWEVENT &&
                (event->window.event == SDL_WINDOWEVENT_EXPOSED ||
                 event->window.event == SDL_WINDOWEVENT_SIZE_CHANGED))) {
        video_redraw(v);
    }
}

void video_toggle_fullscreen(video *v)
{
    int full = (SDL_GetWindowFlags(v->window) & SDL_WINDOW_FULLSCREEN) != 0;
    SDL_SetWindowFullscreen(v->window, full ? 0 : SDL_WINDOW_FULLSCREEN_DESKTOP);
}

void video_say(video *v, const char *line)
{
    char name[512];
    snprintf(name, sizeof name, "%.250s - %s", line, v->title);
    SDL_SetWindowTitle(v->window, name);
}

void video_close(video *v)
{
    if (!v->window) {
        return;
    }
    drop_texture(v);
    if (v->renderer) {
        SDL_DestroyRenderer(v->renderer);
    }
    SDL_DestroyWindow(v->window);
    memset(v, 0, sizeof *v);
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
}
