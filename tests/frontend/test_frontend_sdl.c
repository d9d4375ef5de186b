/* frontend-sdl under SDL's dummy video driver, whose windows are real to SDL and drawn in memory:
 * window, frames, ending. Pads are in test_frontend_pads.c. */
#include <pthread.h>

#include "sdl_case.h"

static void descriptor_says_that_sdl_has_global_state(void **state)
{
    sdl_case *c = *state;
    assert_int_equal(c->fake.desc->flags, WEFT_PLUGIN_SINGLE | WEFT_PLUGIN_PERMANENT);
    assert_int_equal(c->fake.desc->role, WEFT_ROLE_FRONTEND);
}

static void window_is_named_after_the_title(void **state)
{
    sdl_open(*state);
    assert_non_null(strstr(SDL_GetWindowTitle(sdl_window()), "plasma.xex"));
}

/* The fake host's display mode is 640x360. */
static void window_has_the_display_modes_size(void **state)
{
    int width, height;
    sdl_open(*state);
    SDL_GetWindowSize(sdl_window(), &width, &height);
    assert_int_equal(width, 640);
    assert_int_equal(height, 360);
}

static void scale_is_in_percent(void **state)
{
    int width, height;
    sdl_open_with(*state, "scale", "50");
    SDL_GetWindowSize(sdl_window(), &width, &height);
    assert_int_equal(width, 320);
    assert_int_equal(height, 180);
}

static void fullscreen_option_fills_the_screen(void **state)
{
    sdl_open_with(*state, "fullscreen", "yes");
    assert_true(SDL_GetWindowFlags(sdl_window()) & SDL_WINDOW_FULLSCREEN);
}

static void window_starts_black(void **state)
{
    sdl_open(*state);
    assert_int_equal(sdl_pixel(320, 180), 0);
}

static void frame_of_the_windows_size_is_shown_pixel_by_pixel(void **state)
{
    sdl_open(*state);
    sdl_present(*state, 640, 360);
    sdl_pump(*state);
    assert_int_equal(sdl_pixel(0, 0), SDL_GREEN);
    assert_int_equal(sdl_pixel(639, 0), SDL_GREEN);
    assert_int_equal(sdl_pixel(0, 1), SDL_RED);
    assert_int_equal(sdl_pixel(319, 359), SDL_RED);
    assert_int_equal(sdl_pixel(320, 359), SDL_BLUE);
    assert_int_equal(sdl_pixel(639, 359), SDL_BLUE);
}

/* A 4:3 picture in 640x360 is 480 wide: bars of 80 at both sides. */
static void narrow_frame_has_bars_at_the_sides(void **state)
{
    sdl_open(*state);
    sdl_present(*state, 640, 480);
    sdl_pump(*state);
    assert_int_equal(sdl_pixel(78, 180), 0);
    assert_int_equal(sdl_pixel(82, 180), SDL_RED);
    assert_int_equal(sdl_pixel(557, 180), SDL_BLUE);
    assert_int_equal(sdl_pixel(561, 180), 0);
}

/* A 4:1 picture in 640x360 is 160 high: bars of 100 above and below. */
static void wide_frame_has_bars_above_and_below(void **state)
{
    sdl_open(*state);
    sdl_present(*state, 1280, 320);
    sdl_pump(*state);
    assert_int_equal(sdl_pixel(100, 98), 0);
    assert_int_equal(sdl_pixel(100, 110), SDL_RED);
    assert_int_equal(sdl_pixel(600, 257), SDL_BLUE);
    assert_int_equal(sdl_pixel(100, 261), 0);
}

static void small_frame_is_scaled_up(void **state)
{
    sdl_open(*state);
    sdl_present(*state, 64, 36);
    sdl_pump(*state);
    assert_int_equal(sdl_pixel(100, 350), SDL_RED);
    assert_int_equal(sdl_pixel(639, 350), SDL_BLUE);
}

static void latest_of_several_frames_is_shown(void **state)
{
    sdl_open(*state);
    sdl_present(*state, 640, 360);
    sdl_present(*state, 1280, 320);
    sdl_present(*state, 640, 480);
    sdl_pump(*state);
    assert_int_equal(sdl_pixel(10, 180), 0);
    assert_int_equal(sdl_pixel(320, 20), SDL_BLUE);
}

static void frame_stays_while_none_follows(void **state)
{
    sdl_open(*state);
    sdl_present(*state, 640, 360);
    sdl_pump(*state);
    SDL_Event event = {.type = SDL_WINDOWEVENT};
    event.window.event = SDL_WINDOWEVENT_EXPOSED;
    SDL_PushEvent(&event);
    sdl_pump(*state);
    assert_int_equal(sdl_pixel(10, 180), SDL_RED);
}

static void frame_presented_before_open_is_shown_later(void **state)
{
    sdl_present(*state, 640, 360);
    sdl_open(*state);
    assert_int_equal(sdl_pixel(10, 180), SDL_RED);
}

static void frames_of_impossible_sizes_are_dropped(void **state)
{
    sdl_case *c = *state;
    static const uint8_t pixels[64];
    static const weft_frame frames[] = {
        {.width = 0, .height = 4, .stride = 16, .pixels = pixels},
        {.width = 4, .height = 0, .stride = 16, .pixels = pixels},
        {.width = 4, .height = 4, .stride = 15, .pixels = pixels},
        {.width = 0x40000001, .height = 4, .stride = 16, .pixels = pixels},
        {.width = 4, .height = 0x40000001, .stride = 16, .pixels = pixels},
        {.width = 4, .height = 4, .stride = 16, .pixels = NULL},
    };
    sdl_open(c);
    sdl_present(c, 640, 360);
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        c->ops->present(c->fake.instance, &frames[i]);
        sdl_pump(c);
    }
    assert_int_equal(sdl_pixel(10, 180), SDL_RED);
}

static void escape_ends_the_run(void **state)
{
    sdl_case *c = *state;
    sdl_open(c);
    sdl_key(c, SDL_SCANCODE_ESCAPE, 1);
    assert_int_equal(sdl_pump(c), 1);
}

static void close_button_ends_the_run(void **state)
{
    sdl_case *c = *state;
    SDL_Event event = {.type = SDL_WINDOWEVENT};
    event.window.event = SDL_WINDOWEVENT_CLOSE;
    sdl_open(c);
    SDL_PushEvent(&event);
    assert_int_equal(sdl_pump(c), 1);
}

static void quit_event_ends_the_run(void **state)
{
    sdl_case *c = *state;
    sdl_open(c);
    SDL_PushEvent(&(SDL_Event){.type = SDL_QUIT});
    assert_int_equal(sdl_pump(c), 1);
}

static void f11_switches_fullscreen(void **state)
{
    sdl_open(*state);
    sdl_key(*state, SDL_SCANCODE_F11, 1);
    assert_true(SDL_GetWindowFlags(sdl_window()) & SDL_WINDOW_FULLSCREEN);
    sdl_key(*state, SDL_SCANCODE_F11, 0);
    sdl_key(*state, SDL_SCANCODE_F11, 1);
    assert_false(SDL_GetWindowFlags(sdl_window()) & SDL_WINDOW_FULLSCREEN);
}

static uint32_t toggles;

static int32_t toggle(const weft_host *host, char *line, uint32_t room)
{
    snprintf(line, room, "recording to %u", ++toggles);
    return 1;
}

static const void *extension(const weft_host *host, const char *name)
{
    static const weft_host_record record = {.size = sizeof record, .toggle = toggle};
    return strcmp(name, "record/1") == 0 ? &record : NULL;
}

static void f9_records_and_says_where(void **state)
{
    sdl_case *c = *state;
    c->fake.host.extension = extension;
    toggles = 0;
    sdl_open(c);
    sdl_key(c, SDL_SCANCODE_F9, 1);
    assert_int_equal(toggles, 1);
    assert_string_equal(SDL_GetWindowTitle(sdl_window()), "recording to 1 - plasma.xex - Weft");
    sdl_key(c, SDL_SCANCODE_F9, 0);
    assert_int_equal(toggles, 1);
    sdl_key(c, SDL_SCANCODE_F9, 1);
    assert_int_equal(toggles, 2);
}

static void window_can_be_closed_and_opened_again(void **state)
{
    sdl_case *c = *state;
    sdl_open(c);
    c->ops->close(c->fake.instance);
    assert_null(sdl_window());
    assert_int_equal(sdl_pump(c), 0);
    sdl_open(c);
    sdl_present(c, 640, 360);
    sdl_pump(c);
    assert_int_equal(sdl_pixel(10, 180), SDL_RED);
}

static void unknown_video_driver_is_a_clear_failure(void **state)
{
    sdl_case *c = *state;
    setenv("SDL_VIDEODRIVER", "nonexistent", 1);
    weft_status status = c->ops->open(c->fake.instance, "plasma.xex");
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    assert_int_equal(status, WEFT_E_IO);
    assert_int_equal(c->fake.fails, 1);
    assert_non_null(strstr(c->fake.sentence, "nonexistent"));
}

static void *present_many(void *argument)
{
    for (uint32_t i = 0; i < 300; i++) {
        sdl_present(argument, 64 + i % 7, 36 + i % 5);
    }
    return NULL;
}

static void frames_come_from_another_thread(void **state)
{
    sdl_case *c = *state;
    pthread_t guest;
    sdl_open(c);
    assert_int_equal(pthread_create(&guest, NULL, present_many, c), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(c->ops->pump(c->fake.instance, 1), 0);
    }
    pthread_join(guest, NULL);
    sdl_pump(c);
    assert_int_equal(sdl_pixel(200, 350), SDL_RED);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, sdl_setup, sdl_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(descriptor_says_that_sdl_has_global_state),
        CASE(window_is_named_after_the_title),
        CASE(window_has_the_display_modes_size),
        CASE(scale_is_in_percent),
        CASE(fullscreen_option_fills_the_screen),
        CASE(window_starts_black),
        CASE(frame_of_the_windows_size_is_shown_pixel_by_pixel),
        CASE(narrow_frame_has_bars_at_the_sides),
        CASE(wide_frame_has_bars_above_and_below),
        CASE(small_frame_is_scaled_up),
        CASE(latest_of_several_frames_is_shown),
        CASE(frame_stays_while_none_follows),
        CASE(frame_presented_before_open_is_shown_later),
        CASE(frames_of_impossible_sizes_are_dropped),
        CASE(escape_ends_the_run),
        CASE(close_button_ends_the_run),
        CASE(quit_event_ends_the_run),
        CASE(f11_switches_fullscreen),
        CASE(f9_records_and_says_where),
        CASE(window_can_be_closed_and_opened_again),
        CASE(unknown_video_driver_is_a_clear_failure),
        CASE(frames_come_from_another_thread),
    };
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    return cmocka_run_group_tests_name("frontend-sdl", tests, NULL, NULL);
}
