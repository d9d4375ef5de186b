/* Golden frames: each title that draws shows the frames of this folder byte by byte, run and replayed.
 * That our own frames come again proves only that nothing changed, so the frames are held against
 * arithmetic too: what the titles' sources say is drawn, pixel by pixel where that can be said.
 *
 *     test-golden --write    renews the files of this folder
 *
 * A frame that differs is left in BUILD/tests/golden. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "picture.h"
#include "weft_run.h"

#define FOLDER   WEFT_SOURCE_DIR "/tests/golden"
#define FOUND_IN WEFT_BUILD_DIR "/tests/golden"
#define EXPECTED "expected-failures"
#define FRAMES   4u /* of a title at most */

typedef struct golden {
    const char *title;
    const char *limit;       /* for the title */
    const char *capture;     /* @frame=N of the one that is replayed */
    uint32_t replayed;       /* the same N */
    uint32_t frames[FRAMES]; /* from 1; 0: no more */
} golden;

static const golden triangle = {"triangle", "frames=30", "@frame=30", 30, {1, 30}};
static const golden cube = {"cube", "frames=24", "@frame=24", 24, {1, 24}};
static const golden targets = {"targets", "frames=2", "@frame=2", 2, {1}};
static const golden formats = {"formats", "frames=1", "@frame=1", 1, {1}};
static const golden *const all[] = {&triangle, &cube, &targets, &formats};
#define TITLES (sizeof all / sizeof all[0])

static void name_of(char name[64], const golden *g, uint32_t frame)
{
    snprintf(name, 64, "%s-frame-%u", g->title, frame);
}

/* ---- expected failures ------------------------------------------------------------------------- */

/* The reason behind a name in the list's text, copied; 0: it is not there. Lines that begin with #
 * say nothing. */
static int reason_of(const char *list, const char *name, char reason[256])
{
    size_t length = strlen(name);
    for (const char *line = list; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        if (size > length && strncmp(line, name, length) == 0 && line[length] == ' ') {
            snprintf(reason, 256, "%.*s", (int)(size - length - 1), line + length + 1);
            return 1;
        }
        line += size + (line[size] == '\n');
    }
    return 0;
}

static char *read_list(void)
{
    FILE *file = fopen(FOLDER "/" EXPECTED, "rb");
    assert_non_null(file);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) < 65535);
    fclose(file);
    return text;
}

/* ---- frames ------------------------------------------------------------------------------------ */

/* What two things a comparison and the list say together: NULL where it is well. */
static const char *verdict(int listed, const difference *d)
{
    if (listed) {
        return d->pixels != 0 ? NULL : "unexpected pass: take it off the list";
    }
    return d->pixels == 0 ? NULL : "the frame is not the golden one";
}

static picture read_frame(const char *folder, uint32_t frame)
{
    char path[512];
    snprintf(path, sizeof path, "%s/frame-%06u.png", folder, frame);
    picture p = picture_read(path);
    assert_non_null(p.rgb);
    return p;
}

static picture read_golden(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.png", FOLDER, name);
    picture p = picture_read(path);
    if (p.rgb == NULL) {
        fail_msg("there is no %s: test-golden --write makes it", path);
    }
    return p;
}

static void keep(const char *folder, const char *name, const picture *p)
{
    char path[512];
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/%s.png", folder, name);
    assert_true(picture_write(path, p));
}

static void check(const char *name, const picture *found)
{
    char reason[256] = "";
    char *list = read_list();
    int listed = reason_of(list, name, reason);
    free(list);
    picture expected = read_golden(name);
    difference d = picture_compare(found, &expected);
    const char *problem = verdict(listed, &d);
    if (d.pixels != 0) {
        keep(FOUND_IN, name, found);
        print_message("%s: %u of %u pixels differ by up to %u; the first at (%u, %u) is %06x, not "
                      "%06x%s%s\n",
                      name, d.pixels, expected.width * expected.height, d.largest, d.first_x,
                      d.first_y, d.found, d.expected, listed ? "; expected: " : "", reason);
    }
    picture_free(&expected);
    if (problem != NULL) {
        fail_msg("%s: %s", name, problem);
    }
}

/* Runs a title once a program; its frames lie in the folder, its words are kept. */
static const char *run_title(const golden *g, char out[4096])
{
    static char folder[512];
    char words[600];
    snprintf(folder, sizeof folder, "%s/%s", scratch(), g->title);
    snprintf(words, sizeof words, "%s/words", folder);
    FILE *file = fopen(words, "rb");
    if (file == NULL) {
        weft_run r = weft_json("--frames-to", folder, title(g->title), "--", g->limit, NULL);
        assert_string_equal(r.err, "");
        assert_int_equal(r.status, 0);
        file = fopen(words, "w+b");
        assert_non_null(file);
        fputs(r.out, file);
        rewind(file);
        weft_free(&r);
    }
    size_t size = fread(out, 1, 4095, file);
    out[size] = '\0';
    fclose(file);
    return folder;
}

static void run_and_check(const golden *g)
{
    char out[4096], name[64];
    const char *folder = run_title(g, out);
    for (uint32_t i = 0; i < FRAMES && g->frames[i] != 0; i++) {
        picture found = read_frame(folder, g->frames[i]);
        name_of(name, g, g->frames[i]);
        check(name, &found);
        picture_free(&found);
    }
}

static void triangle_is_golden(void **state)
{
    run_and_check(&triangle);
}

static void cube_is_golden(void **state)
{
    run_and_check(&cube);
}

static void targets_is_golden(void **state)
{
    run_and_check(&targets);
}

static void formats_is_golden(void **state)
{
    run_and_check(&formats);
}

/* ---- captures ---------------------------------------------------------------------------------- */

/* Captured, and drawn again by one thread and by two: the frame is that of the run. */
static void replay(const golden *g)
{
    char capture[512], at[600], frames[512], out[4096];
    const char *folder = run_title(g, out);
    snprintf(capture, sizeof capture, "%s/%s.cap", scratch(), g->title);
    snprintf(at, sizeof at, "%s%s", capture, g->capture);
    weft_run r = weft_json("--capture", at, title(g->title), "--", g->limit, NULL);
    assert_string_equal(r.err, "");
    weft_free(&r);
    picture expected = read_frame(folder, g->replayed);
    for (int threads = 1; threads <= 2; threads++) {
        snprintf(frames, sizeof frames, "%s/%s-%d", scratch(), g->title, threads);
        r = weft("gpu", "replay", "--frames-to", frames, "--set",
                 threads == 1 ? "gpu.threads=1" : "gpu.threads=2", capture, NULL);
        assert_string_equal(r.err, "");
        assert_int_equal(r.status, 0);
        weft_free(&r);
        picture found = read_frame(frames, 1);
        assert_int_equal(picture_compare(&found, &expected).pixels, 0);
        picture_free(&found);
    }
    picture_free(&expected);
}

static void triangle_replays(void **state)
{
    replay(&triangle);
}

static void cube_replays(void **state)
{
    replay(&cube);
}

static void targets_replays(void **state)
{
    replay(&targets);
}

static void formats_replays(void **state)
{
    replay(&formats);
}

/* ---- arithmetic --------------------------------------------------------------------------------- */

static picture frame_of(const golden *g, uint32_t frame)
{
    char out[4096];
    return read_frame(run_title(g, out), frame);
}

static void assert_color(const picture *p, uint32_t x, uint32_t y, uint32_t expected,
                         uint32_t within)
{
    uint32_t found = picture_at(p, x, y);
    for (uint32_t shift = 0; shift < 24; shift += 8) {
        uint32_t a = found >> shift & 0xFF, b = expected >> shift & 0xFF;
        if ((a > b ? a - b : b - a) > within) {
            fail_msg("(%u, %u) is %06x, not %06x within %u", x, y, found, expected, within);
        }
    }
}

/* The left and the right edge go through pixel centres, 3/4 pixel outwards a row; a centre on the left
 * one is inside, on the right one it is not (the top-left rule), so row k below the top has the
 * pixels from ceil(160 - 3k/4) to below ceil(160 + 3k/4). The bottom edge is out: rows 31 to 149. The
 * background's blue is 0.2 * 255. */
static void assert_triangle(const picture *p, uint32_t shift)
{
    for (uint32_t y = 0; y < 180; y++) {
        uint32_t k = y > 30 && y < 150 ? y - 30 : 0;
        uint32_t left = 160 + shift - 3 * k / 4;
        uint32_t right = 160 + shift + (3 * k + 3) / 4;
        for (uint32_t x = 0; x < 320; x++) {
            int inside = k > 0 && x >= left && x < right;
            if ((picture_at(p, x, y) == 0x000033) == inside) {
                fail_msg("(%u, %u) is %06x: %s", x, y, picture_at(p, x, y),
                         inside ? "not drawn" : "drawn");
            }
        }
    }
}

static void triangle_covers_what_the_rule_says(void **state)
{
    for (uint32_t i = 0; i < 2; i++) {
        picture p = frame_of(&triangle, triangle.frames[i]);
        assert_triangle(&p, triangle.frames[i] - 1);
        picture_free(&p);
    }
}

/* Corners (160, 30) red, (70, 150) green, (250, 150) blue. The middle is a third of each. In row 90,
 * half way down, red is a half; green and blue share the rest as the place between the edges. */
static void triangle_blends_its_corners(void **state)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t shift = triangle.frames[i] - 1;
        picture p = frame_of(&triangle, triangle.frames[i]);
        assert_color(&p, 160 + shift, 110, 0x555555, 1);
        assert_color(&p, 115 + shift, 90, 0x808000, 1);
        assert_color(&p, 160 + shift, 90, 0x804040, 1);
        picture_free(&p);
    }
}

/* 2100 draws take 44,100 dwords and 2100 entries of the ring: the command buffer of 32,768 is begun again,
 * and the ring of 2048 goes round. The picture is that of one draw. */
static void triangle_fills_ring_and_buffers(void **state)
{
    char *folder = scratch_file("times");
    weft_run r =
        weft_json("--frames-to", folder, title("triangle"), "--", "frames=2", "times=2100", NULL);
    assert_string_equal(r.err, "");
    assert_int_equal(r.status, 0);
    assert_int_equal((int)report_number(&r, "draws"), 2 * 2102); /* with clear and resolve */
    picture once = frame_of(&triangle, 1), often = read_frame(folder, 1);
    assert_int_equal(picture_compare(&often, &once).pixels, 0);
    picture_free(&once);
    picture_free(&often);
    free(folder);
    weft_free(&r);
}

/* Cell (4, 4) of the checks is light; a cell is 11.25 pixels and the face begins at (115, 45). Light
 * from the front is 0.75 + 0.25, so texels are shown as they are. */
static void cube_shows_its_texture(void **state)
{
    picture p = frame_of(&cube, 1);
    for (uint32_t cell = 0; cell < 36; cell++) {
        uint32_t i = cell % 6, j = cell / 6; /* the glass is over the last two columns */
        uint32_t x = (uint32_t)(115.5 + 11.25 * (i + 0.5)),
                 y = (uint32_t)(45.5 + 11.25 * (j + 0.5));
        assert_color(&p, x, y, (i + j) & 1 ? 0x204080 : 0xE0C040, 0);
    }
    assert_color(&p, 5, 5, 0x1A1A33, 1); /* 0.1, 0.1, 0.2 */
    picture_free(&p);
}

/* The glass is (1, 0.25, 0.25), half of what is seen; its face is 180 / 2.7 = 66.7 pixels wide round
 * (226.7, 90), so (199, y) lies in column 7 of the checks as well. */
static void cube_mixes_the_glass(void **state)
{
    picture p = frame_of(&cube, 1);
    assert_color(&p, 199, 96, 0x904060, 1); /* with 204080 */
    assert_color(&p, 199, 84, 0xF08040, 1); /* with E0C040 */
    assert_color(&p, 240, 60, 0x8D2D3A, 1); /* with the sky */
    picture_free(&p);
}

/* The far end of the floor, 17 away: 32 texels a unit and 1.07 units a pixel downwards, so level 5 and
 * beyond, where every texel is the mean of the checks, (0x80, 0x80, 0x60), times 0.75. */
static void cube_takes_small_mips_far_away(void **state)
{
    picture p = frame_of(&cube, 1);
    for (uint32_t x = 80; x <= 110; x++) { /* the floor begins at 75, the cube at 115 */
        assert_color(&p, x, 106, 0x606048, 1);
    }
    picture_free(&p);
}

/* Which rectangle of targets.c is seen at a pixel: 2 is round the others. */
static uint32_t front(uint32_t x, uint32_t y)
{
    return x >= 8 && x < 72 && y >= 8 && y < 40      ? 0
           : x >= 40 && x < 104 && y >= 24 && y < 56 ? 1
                                                     : 2;
}

/* Depths are fractions of 2^24 - 1 to nearest even: 0.25 is 4194303.75, 0.5 is 8388607.5, 0.125 is
 * 2097151.875. The first two leave 1 and 2 in the stencil; the third, nearer than both, is only where
 * it is 0x5A still. 0.2 * 255 is 51, 0.4 * 255 is 102. */
static void targets_reads_what_was_drawn(void **state)
{
    static const uint32_t words[3][3] = {{0xFFFF0000, 0xFF0000FF, 0xFF333333},
                                         {0xFF00FF00, 0xFFFFFF00, 0xFF666666},
                                         {0x40000001, 0x80000002, 0x2000005A}};
    uint32_t sums[3] = {0, 0, 0};
    for (uint32_t i = 0; i < 128 * 64; i++) {
        for (uint32_t t = 0; t < 3; t++) {
            sums[t] += words[t][front(i % 128, i / 128)] * (2 * i + 1);
        }
    }
    char out[4096], line[128];
    run_title(&targets, out);
    snprintf(line, sizeof line, "targets: colours 0x%08x 0x%08x, depth 0x%08x\n", sums[0], sums[1],
             sums[2]);
    assert_non_null(strstr(out, line));
}

/* 64 * 32; the same less the 32 * 16 that the first hides; the rest of 128 * 64, by stencil. */
static void targets_counts_samples(void **state)
{
    char out[4096];
    run_title(&targets, out);
    assert_non_null(strstr(out, "targets: 2048, 1536, 4608 samples passed\n"));
}

/* The rectangle from (10, 8) to (50, 40), edges through pixel centres. Of the four samples of Direct3D
 * 10.1's pattern, at (-2, -6), (6, -2), (-6, 2), (2, 6) sixteenths from the centre, two are on each
 * side of a line through it, and one in each quadrant: 39 * 31 pixels are whole, 2 * 39 + 2 * 31
 * half, 4 a quarter; 40 * 32 * 4 samples. */
static void targets_covers_edges_in_part(void **state)
{
    char out[4096];
    run_title(&targets, out);
    assert_non_null(strstr(out, "targets: 1209 whole, 140 half, 4 quarter pixels, 5120 samples\n"));
    picture p = frame_of(&targets, 1); /* the texture is at (176, 100) */
    assert_color(&p, 176 + 11, 100 + 9, 0xFFFFFF, 0);
    assert_color(&p, 176 + 10, 100 + 20, 0x808080, 1);
    assert_color(&p, 176 + 50, 100 + 20, 0x808080, 1);
    assert_color(&p, 176 + 30, 100 + 8, 0x808080, 1);
    assert_color(&p, 176 + 30, 100 + 40, 0x808080, 1);
    assert_color(&p, 176 + 10, 100 + 8, 0x404040, 1);
    assert_color(&p, 176 + 9, 100 + 20, 0x000000, 0);
    picture_free(&p);
}

/* Each texel of the three is a pixel: at (16, 16), (176, 16), (16, 100). Depth is shown as grey. */
static void targets_shows_textures_texel_by_texel(void **state)
{
    static const uint32_t colors[3][3] = {{0xFF0000, 0x0000FF, 0x333333},
                                          {0x00FF00, 0xFFFF00, 0x666666},
                                          {0x404040, 0x808080, 0x202020}};
    picture p = frame_of(&targets, 1);
    for (uint32_t y = 0; y < 64; y++) {
        for (uint32_t x = 0; x < 128; x++) {
            uint32_t which = front(x, y);
            assert_color(&p, 16 + x, 16 + y, colors[0][which], 0);
            assert_color(&p, 176 + x, 16 + y, colors[1][which], 0);
            assert_color(&p, 16 + x, 100 + y, colors[2][which], 0);
        }
    }
    assert_color(&p, 15, 16, 0x999999, 0);
    assert_color(&p, 144, 16, 0x999999, 0);
    assert_color(&p, 16, 164, 0x999999, 0);
    picture_free(&p);
}

/* What each cell of formats.c holds: components, whether above 1, whether it blends (Microsoft, "Xbox 360
 * Surface Formats": those of 16 and 32 bit floats do not), and how far a step of it is in 1/255. */
static const struct {
    uint32_t components, above_one, blends, within;
} kinds[10] = {
    {4, 0, 1, 1}, /* 8_8_8_8 */
    {4, 0, 1, 2}, /* gamma: 8 codes of 1023 a step */
    {4, 0, 1, 1}, /* 2_10_10_10 */
    {4, 1, 1, 1}, /* 7e3 */
    {2, 1, 1, 1}, /* 16_16 */
    {4, 1, 1, 1}, /* 16_16_16_16 */
    {2, 1, 0, 1}, /* 16_16 of floats */
    {4, 1, 0, 1}, /* 16_16_16_16 of floats */
    {1, 1, 0, 1}, /* 32 */
    {2, 1, 0, 1}, /* 32_32 */
};

/* A colour in 1/1000, as a cell shows it: clamped if the format clamps, halved, clamped, of its
 * components. */
static uint32_t shown(uint32_t cell, const uint32_t thousandth[3])
{
    uint32_t rgb = 0;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t v = i < kinds[cell].components ? thousandth[i] : 0;
        v = v > 1000 && !kinds[cell].above_one ? 1000 : v;
        v = v / 2 > 1000 ? 1000 : v / 2;
        rgb |= (v * 255 + 500) / 1000 << (16 - 8 * i);
    }
    return rgb;
}

static void formats_hold_their_colors(void **state)
{
    static const uint32_t bright[3] = {2000, 500, 250}, purple[3] = {500, 0, 500};
    static const uint32_t mixed[3] = {250, 500, 250}, green[3] = {0, 1000, 0};
    picture p = frame_of(&formats, 1);
    for (uint32_t cell = 0; cell < 10; cell++) {
        uint32_t x0 = cell % 5 * 64, y0 = 5 + cell / 5 * 90, within = kinds[cell].within;
        for (uint32_t i = 0; i < 40 * 56; i++) {
            uint32_t x = i % 56, y = i / 56;
            const uint32_t ramp[3] = {x * 1000 / 56, y * 1000 / 40, 1000 - x * 1000 / 56};
            assert_color(&p, x0 + x, y0 + y, shown(cell, ramp), within);
        }
        for (uint32_t i = 0; i < 20 * 56; i++) {
            uint32_t x = i % 56, y = i / 56;
            assert_color(&p, x0 + x, y0 + 40 + y, shown(cell, bright), within);
            assert_color(&p, x0 + x, y0 + 60 + y,
                         shown(cell, x < 28               ? purple
                                     : kinds[cell].blends ? mixed
                                                          : green),
                         within);
        }
        for (uint32_t i = 0; i < 80 * 8; i++) { /* cleared: targets of 64 bits lay there */
            assert_color(&p, x0 + 56 + i % 8, y0 + i / 8, 0, 0);
        }
    }
    picture_free(&p);
}

/* ---- this program itself ------------------------------------------------------------------------ */

static void differences_are_counted(void **state)
{
    uint8_t a[18] = {0}, b[18] = {0};
    picture x = {3, 2, a}, y = {3, 2, b};
    assert_int_equal(picture_compare(&x, &y).pixels, 0);
    a[3 * 1 + 1] = 7;  /* (1, 0) green */
    b[3 * 5 + 2] = 40; /* (2, 1) blue */
    difference d = picture_compare(&x, &y);
    assert_int_equal(d.pixels, 2);
    assert_int_equal(d.first_x, 1);
    assert_int_equal(d.first_y, 0);
    assert_int_equal(d.found, 0x000700);
    assert_int_equal(d.expected, 0);
    assert_int_equal(d.largest, 40);
    y.width = 2;
    y.height = 3;
    assert_int_equal(picture_compare(&x, &y).pixels, 6);
}

static void unexpected_passes_are_failures(void **state)
{
    difference same = {0}, other = {.pixels = 1};
    assert_null(verdict(0, &same));
    assert_null(verdict(1, &other));
    assert_non_null(verdict(0, &other));
    assert_non_null(strstr(verdict(1, &same), "unexpected pass"));
}

static void reasons_are_found(void **state)
{
    static const char list[] = "# cube-frame-1 is no line\ncube-frame-10 ten\ntargets-frame-1 mips";
    char reason[256] = "";
    assert_int_equal(reason_of(list, "cube-frame-1", reason), 0);
    assert_int_equal(reason_of(list, "cube-frame-10", reason), 1);
    assert_string_equal(reason, "ten");
    assert_int_equal(reason_of(list, "targets-frame-1", reason), 1);
    assert_string_equal(reason, "mips");
}

/* Each line of the list that is about a title's frame names one that is compared, and has a reason. */
static void list_names_frames(void **state)
{
    char *list = read_list(), *rest = NULL;
    for (char *line = strtok_r(list, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        int known = line[0] == '#' || strstr(line, "-frame-") == NULL;
        for (size_t t = 0; t < TITLES; t++) {
            for (uint32_t i = 0; i < FRAMES && all[t]->frames[i] != 0; i++) {
                char name[64], reason[256];
                name_of(name, all[t], all[t]->frames[i]);
                known |= reason_of(line, name, reason) && reason[0] != '\0';
            }
        }
        if (!known) {
            fail_msg("no golden frame, or no reason: %s", line);
        }
    }
    free(list);
}

/* ---- --write ------------------------------------------------------------------------------------ */

static void write_all(void **state)
{
    for (size_t t = 0; t < TITLES; t++) {
        char out[4096], name[64];
        const char *folder = run_title(all[t], out);
        for (uint32_t i = 0; i < FRAMES && all[t]->frames[i] != 0; i++) {
            picture p = read_frame(folder, all[t]->frames[i]);
            name_of(name, all[t], all[t]->frames[i]);
            keep(FOLDER, name, &p);
            print_message("wrote %s/%s.png\n", FOLDER, name);
            picture_free(&p);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest writing[] = {cmocka_unit_test(write_all)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_counted),
        cmocka_unit_test(unexpected_passes_are_failures),
        cmocka_unit_test(reasons_are_found),
        cmocka_unit_test(list_names_frames),
        cmocka_unit_test(triangle_is_golden),
        cmocka_unit_test(triangle_covers_what_the_rule_says),
        cmocka_unit_test(triangle_blends_its_corners),
        cmocka_unit_test(triangle_fills_ring_and_buffers),
        cmocka_unit_test(triangle_replays),
        cmocka_unit_test(cube_is_golden),
        cmocka_unit_test(cube_shows_its_texture),
        cmocka_unit_test(cube_mixes_the_glass),
        cmocka_unit_test(cube_takes_small_mips_far_away),
        cmocka_unit_test(cube_replays),
        cmocka_unit_test(targets_is_golden),
        cmocka_unit_test(targets_reads_what_was_drawn),
        cmocka_unit_test(targets_counts_samples),
        cmocka_unit_test(targets_covers_edges_in_part),
        cmocka_unit_test(targets_shows_textures_texel_by_texel),
        cmocka_unit_test(targets_replays),
        cmocka_unit_test(formats_is_golden),
        cmocka_unit_test(formats_hold_their_colors),
        cmocka_unit_test(formats_replays),
    };
    if (argc > 1 && strcmp(argv[1], "--write") == 0) {
        return cmocka_run_group_tests(writing, NULL, NULL);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
