/* frontend-sdl: a window, a keyboard and game controllers through SDL2.
 *
 * SDL is touched on [main] alone, in open, pump and close. The [guest] side copies pixels and pad
 * states under short locks (frames.h, input.h) and never waits for the display. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "frames.h"
#include "input.h"
#include "video.h"
#include "weft/host.h"

/* How long pump sleeps between looks at SDL's queue while no frame comes. */
#define POLL_MS 4

typedef struct frontend_sdl {
    const weft_host *host;
    frames frames;
    video video;
    input input;
    int32_t ended; /* 1: the user asked to end */
} frontend_sdl;

static weft_status create(const weft_host *host, void **instance)
{
    frontend_sdl *f = calloc(1, sizeof *f);
    if (!f) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for frontend-sdl");
    }
    f->host = host;
    frames_init(&f->frames);
    input_init(&f->input, host->option_bool(host, "keyboard"));
    *instance = f;
    return WEFT_OK;
}

static void frontend_close(void *instance)
{
    frontend_sdl *f = instance;
    input_close(&f->input);
    video_close(&f->video);
}

static void destroy(void *instance)
{
    frontend_sdl *f = instance;
    frontend_close(f);
    input_free(&f->input);
    frames_free(&f->frames);
    free(f);
}

static weft_status frontend_open(void *instance, const char *title)
{
    frontend_sdl *f = instance;
    weft_status status = video_open(&f->video, f->host, title);
    if (status == WEFT_OK && input_open(&f->input) != 0) {
        char line[256];
        snprintf(line, sizeof line, "no game controllers: %.200s", SDL_GetError());
        f->host->log(f->host, WEFT_LOG_WARN, line);
    }
    return status;
}

/* The host decides what recording means; what it says goes into the window's title. */
static void toggle_recording(frontend_sdl *f)
{
    char line[256] = "";
    const weft_host_record *record = f->host->extension(f->host, WEFT_HOST_RECORD);
    if (record) {
        record->toggle(f->host, line, sizeof line);
        video_say(&f->video, line);
    }
}

static void handle(frontend_sdl *f, const SDL_Event *event)
{
    if (event->type == SDL_QUIT ||
        (event->type == SDL_WINDOWEVENT && event->window.event == SDL_WINDOWEVENT_CLOSE)) {
        f->ended = 1;
    } else if (event->type == SDL_KEYDOWN && !event->key.repeat) {
        if (event->key.keysym.scancode == SDL_SCANCODE_ESCAPE) {
            f->ended = 1;
        } else if (event->key.keysym.scancode == SDL_SCANCODE_F11) {
            video_toggle_fullscreen(&f->video);
        } else if (event->key.keysym.scancode == SDL_SCANCODE_F9) {
            toggle_recording(f);
        }
    }
    video_event(&f->video, event);
    input_event(&f->input, event);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int32_t pump(void *instance, uint32_t milliseconds)
{
    frontend_sdl *f = instance;
    uint64_t deadline = now_ms() + milliseconds;
    if (!f->video.window) {
        frames_wait(&f->frames, milliseconds);
        return f->ended;
    }
    for (;;) {
        SDL_Event event;
        while (SDL_PollEvent(&event)) {
            handle(f, &event);
        }
        input_publish(&f->input);
        const picture *latest = frames_fetch(&f->frames);
        if (latest) {
            video_show(&f->video, latest);
        }
        uint64_t now = now_ms();
        if (f->ended || now >= deadline) {
            return f->ended;
        }
        frames_wait(&f->frames, deadline - now < POLL_MS ? (uint32_t)(deadline - now) : POLL_MS);
    }
}

static void present(void *instance, const weft_frame *frame)
{
    frames_put(&((frontend_sdl *)instance)->frames, frame);
}

static void pads(void *instance, weft_pad *out)
{
    input_pads(&((frontend_sdl *)instance)->input, out);
}

static void rumble(void *instance, uint32_t port, uint16_t left, uint16_t right)
{
    input_rumble(&((frontend_sdl *)instance)->input, port, left, right);
}

static const weft_option options[] = {
    {
        .key = "scale",
        .type = WEFT_OPTION_INT,
        .default_value = "100",
        .minimum = 10,
        .maximum = 800,
        .help = "size of the window in percent of the console's display mode",
    },
    {
        .key = "fullscreen",
        .type = WEFT_OPTION_BOOL,
        .default_value = "no",
        .help = "start with the whole screen; F11 changes it",
    },
    {
        .key = "vsync",
        .type = WEFT_OPTION_BOOL,
        .default_value = "no",
        .help = "show frames at the display's refresh only; guest time never waits for it",
    },
    {
        .key = "keyboard",
        .type = WEFT_OPTION_BOOL,
        .default_value = "yes",
        .help = "the keyboard is the controller in port 0, besides a real one",
    },
};

static const weft_frontend_ops ops = {
    .size = sizeof ops,
    .open = frontend_open,
    .pump = pump,
    .present = present,
    .pads = pads,
    .rumble = rumble,
    .close = frontend_close,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_FRONTEND,
    .flags = WEFT_PLUGIN_SINGLE | WEFT_PLUGIN_PERMANENT, /* SDL keeps state of its own */
    .id = "frontend-sdl",
    .version = "0.1",
    .summary = "window, keyboard and game controllers through SDL2",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
