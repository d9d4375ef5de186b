/* frontend-sdl on a real X display: Xvfb is started on a free number, and what the window shows and
 * hears goes through X, with ImageMagick's import and xdotool on the other side. Without them the
 * tests are skipped. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdl_case.h"

typedef struct display {
    pid_t xvfb;
    char missing[64]; /* why the tests are skipped, or "" */
} display;

static int have(const char *program)
{
    char command[128];
    snprintf(command, sizeof command, "command -v %s >/dev/null", program);
    return system(command) == 0;
}

/* Starts Xvfb, which says on a pipe which number it took (Xserver(1), -displayfd). */
static int start_display(void **state)
{
    static display d;
    int ends[2];
    char number[16] = "", name[32];
    *state = &d;
    if (!have("Xvfb") || !have("import") || !have("xdotool")) {
        snprintf(d.missing, sizeof d.missing, "Xvfb, import or xdotool is not installed");
        return 0;
    }
    if (pipe(ends) != 0) {
        return -1;
    }
    d.xvfb = fork();
    if (d.xvfb == 0) {
        char fd[16];
        snprintf(fd, sizeof fd, "%d", ends[1]);
        close(ends[0]);
        if (!freopen("/dev/null", "w", stderr)) {
            _exit(127);
        }
        execlp("Xvfb", "Xvfb", "-noreset", "-displayfd", fd, "-screen", "0", "800x600x24",
               "-nolisten", "tcp", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    /* up to the newline, which comes in a write of its own: a pipe closed before it ends Xvfb */
    size_t got = 0;
    while (got < sizeof number - 1 && !strchr(number, '\n') &&
           read(ends[0], number + got, 1) == 1) {
        got++;
    }
    close(ends[0]);
    if (got == 0) {
        snprintf(d.missing, sizeof d.missing, "Xvfb does not start here");
        return 0;
    }
    number[strcspn(number, "\n")] = 0;
    snprintf(name, sizeof name, ":%s", number);
    setenv("DISPLAY", name, 1);
    return 0;
}

static int stop_display(void **state)
{
    display *d = *state;
    if (d->xvfb > 0) {
        kill(d->xvfb, SIGTERM);
        waitpid(d->xvfb, NULL, 0);
    }
    return 0;
}

typedef struct window_case {
    sdl_case *c;
    int x, y; /* of the window's inside on the screen */
} window_case;

static void open_window(window_case *w, void **state)
{
    display *d = *state;
    void *c = NULL;
    memset(w, 0, sizeof *w);
    if (d->missing[0]) {
        print_message("skipped: %s\n", d->missing);
        skip();
    }
    sdl_setup(&c);
    w->c = c;
    sdl_open(w->c);
    SDL_GetWindowPosition(sdl_window(), &w->x, &w->y);
}

static void close_window(window_case *w)
{
    void *c = w->c;
    sdl_teardown(&c);
}

/* A pixel of the screen, relative to the window, by ImageMagick: 0xRRGGBB. */
static uint32_t screen_pixel(const window_case *w, int x, int y)
{
    char command[256];
    uint8_t rgb[3] = {0};
    snprintf(command, sizeof command,
             "import -silent -window root -crop 1x1+%d+%d -depth 8 rgb:- 2>/dev/null", w->x + x,
             w->y + y);
    FILE *import = popen(command, "r");
    assert_non_null(import);
    size_t got = fread(rgb, 1, 3, import);
    pclose(import);
    assert_int_equal(got, 3);
    return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}

/* Pumps until `done` says so; gives up after some 2 s, and the assertion that follows fails. */
static void pump_until(window_case *w, int (*done)(window_case *w))
{
    for (int i = 0; i < 200 && !done(w); i++) {
        w->c->ops->pump(w->c->fake.instance, 10);
    }
}

static int shows_red(window_case *w)
{
    return screen_pixel(w, 100, 100) == SDL_RED;
}

static int holds_a(window_case *w)
{
    return sdl_pad(w->c, 0).buttons == 0x1000;
}

static int holds_nothing(window_case *w)
{
    return sdl_pad(w->c, 0).buttons == 0;
}

static void frame_reaches_the_screen(void **state)
{
    window_case w;
    open_window(&w, state);
    sdl_present(w.c, 640, 360);
    pump_until(&w, shows_red);
    assert_int_equal(screen_pixel(&w, 10, 0), SDL_GREEN);
    assert_int_equal(screen_pixel(&w, 319, 200), SDL_RED);
    assert_int_equal(screen_pixel(&w, 320, 200), SDL_BLUE);
    assert_int_equal(screen_pixel(&w, 639, 359), SDL_BLUE);
    close_window(&w);
}

static void window_can_be_found_by_its_title(void **state)
{
    window_case w;
    open_window(&w, state);
    assert_int_equal(system("xdotool search --name '^plasma.xex' >/dev/null"), 0);
    close_window(&w);
}

static void key_pressed_in_the_window_reaches_pad_zero(void **state)
{
    window_case w;
    open_window(&w, state);
    assert_int_equal(system("xdotool search --name '^plasma.xex' windowfocus --sync"), 0);
    w.c->ops->pump(w.c->fake.instance, 20);
    assert_int_equal(system("xdotool keydown space"), 0);
    pump_until(&w, holds_a);
    assert_int_equal(sdl_pad(w.c, 0).buttons, 0x1000);
    assert_int_equal(system("xdotool keyup space"), 0);
    pump_until(&w, holds_nothing);
    assert_int_equal(sdl_pad(w.c, 0).buttons, 0);
    close_window(&w);
}

/* libdbus and Mesa keep memory until the process ends; leaks of our own are looked for under the
 * dummy driver. AddressSanitizer asks for this function by name. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_reaches_the_screen),
        cmocka_unit_test(window_can_be_found_by_its_title),
        cmocka_unit_test(key_pressed_in_the_window_reaches_pad_zero),
    };
    setenv("SDL_VIDEODRIVER", "x11", 1);
    return cmocka_run_group_tests_name("frontend-window", tests, start_display, stop_display);
}
