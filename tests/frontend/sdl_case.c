/* sdl_case.c: see sdl_case.h. */
#include "sdl_case.h"

int sdl_setup(void **state)
{
    sdl_case *c = calloc(1, sizeof *c);
    fake_load(&c->fake, "frontend-sdl");
    c->ops = fake_create(&c->fake);
    *state = c;
    return 0;
}

int sdl_teardown(void **state)
{
    sdl_case *c = *state;
    c->ops->close(c->fake.instance);
    c->fake.desc->destroy(c->fake.instance); /* the .so stays: it is PERMANENT */
    free(c);
    return 0;
}

void sdl_open_with(sdl_case *c, const char *key, const char *value)
{
    c->fake.desc->destroy(c->fake.instance);
    fake_set(&c->fake, key, value);
    fake_create(&c->fake);
    sdl_open(c);
}

void sdl_open(sdl_case *c)
{
    if (c->ops->open(c->fake.instance, "plasma.xex") != WEFT_OK) {
        fail_msg("%s", c->fake.sentence);
    }
    assert_int_equal(sdl_pump(c), 0);
}

SDL_Window *sdl_window(void)
{
    for (uint32_t id = 1; id < 1000; id++) {
        SDL_Window *window = SDL_GetWindowFromID(id);
        if (window) {
            return window;
        }
    }
    return NULL;
}

int32_t sdl_pump(sdl_case *c)
{
    return c->ops->pump(c->fake.instance, 0);
}

void sdl_key(sdl_case *c, SDL_Scancode key, int down)
{
    SDL_Event event = {.type = down ? SDL_KEYDOWN : SDL_KEYUP};
    event.key.state = down ? SDL_PRESSED : SDL_RELEASED;
    event.key.keysym.scancode = key;
    event.key.keysym.sym = SDL_GetKeyFromScancode(key);
    assert_int_equal(SDL_PushEvent(&event), 1);
    sdl_pump(c);
}

weft_pad sdl_pad(sdl_case *c, unsigned port)
{
    weft_pad pads[WEFT_PAD_COUNT];
    c->ops->pads(c->fake.instance, pads);
    return pads[port];
}

void sdl_present(sdl_case *c, uint32_t width, uint32_t height)
{
    uint32_t stride = width * 4 + 12; /* rows with a gap between them */
    uint8_t *pixels = malloc((size_t)stride * height);
    memset(pixels, 0x77, (size_t)stride * height);
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint8_t *p = pixels + (size_t)y * stride + x * 4;
            p[0] = y > 0 && x < width / 2 ? 255 : 0;
            p[1] = y == 0 ? 255 : 0;
            p[2] = y > 0 && x >= width / 2 ? 255 : 0;
            p[3] = 255;
        }
    }
    c->ops->present(c->fake.instance, &(weft_frame){
                                          .size = sizeof(weft_frame),
                                          .width = width,
                                          .height = height,
                                          .stride = stride,
                                          .pixels = pixels,
                                      });
    free(pixels);
}

uint32_t sdl_pixel(int x, int y)
{
    uint8_t rgba[4] = {0};
    SDL_Rect at = {x, y, 1, 1};
    SDL_Renderer *renderer = SDL_GetRenderer(sdl_window());
    assert_non_null(renderer);
    assert_int_equal(SDL_RenderReadPixels(renderer, &at, SDL_PIXELFORMAT_RGBA32, rgba, 4), 0);
    return (uint32_t)rgba[0] << 16 | (uint32_t)rgba[1] << 8 | rgba[2];
}
