/* Fetches: addresses, filters, levels, against a scalar reference in double precision. */
#include <math.h>

#include "test.h"

#include "texels.h"

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* ---- the reference ---- */

/* The texel that texel number i of a line of n is, by the names of the modes (Mesa a2xx.xml
 * sq_tex_clamp: wrap, mirror, clamp last texel, mirror once last texel, clamp half border, ...). */
static int reference_texel(int i, int n, uint32_t mode, int *border)
{
    *border = 0;
    switch (mode) {
    case 0:
        return (i % n + n) % n;
    case 1:
        i = (i % (2 * n) + 2 * n) % (2 * n);
        return i < n ? i : 2 * n - 1 - i;
    case 3:
    case 5:
    case 7:
        i = i < 0 ? -1 - i : i;
        break;
    default:
        break;
    }
    if (i < 0 || i >= n) {
        *border = mode >= 4;
        i = i < 0 ? 0 : n - 1;
    }
    return i;
}

/* A coordinate in texels, rounded to 1/256, as first texel and 1/256 of the second. */
static void reference_taps(double texel, int n, uint32_t mode, int linear, int *first, int *weight)
{
    if (mode == 4 || mode == 5) { /* half of the border at most */
        double low = mode == 4 ? 0 : -n;
        texel = texel < low ? low : texel > n ? n : texel;
    }
    int64_t fixed = (int64_t)floor(texel * 256 + 0.5) - (linear ? 128 : 0);
    *first = (int)floor((double)fixed / 256);
    *weight = linear ? (int)(fixed - (int64_t)*first * 256) : 0;
}

/* k_8_8_8_8 in rows: one component as the shader gets it. */
static double reference_bytes(const uint8_t *rows, int width, int height, double x, double y,
                              const uint32_t mode[2], int linear, int component, double border)
{
    int fx, fy, wx, wy;
    reference_taps(x, width, mode[0], linear, &fx, &wx);
    reference_taps(y, height, mode[1], linear, &fy, &wy);
    double sum = 0;
    for (int tap = 0; tap < 4; tap++) {
        int bx, by;
        int tx = reference_texel(fx + (tap & 1), width, mode[0], &bx);
        int ty = reference_texel(fy + (tap >> 1), height, mode[1], &by);
        double share = (tap & 1 ? wx : 256 - wx) * (double)(tap >> 1 ? wy : 256 - wy) / 65536;
        double value = bx || by ? border * 255 : rows[(ty * width + tx) * 4 + component];
        sum += share * value;
    }
    return sum / 255;
}

/* ---- a texture of random bytes, its rows for the reference ---- */

typedef struct random_texture {
    texels t;
    texels_constant c;
    uint8_t rows[64 * 64 * 4];
} random_texture;

static void random_open(random_texture *r, uint32_t width, uint32_t height)
{
    uint32_t seed = width * 77 + height;
    texels_open(&r->t);
    r->c = texels_plain(6, width, height);
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t i = 0; i < width * 4; i++) {
            uint8_t v = (uint8_t)next_random(&seed);
            r->rows[y * width * 4 + i] = v;
            r->t.memory.bytes[TEXELS_BASE + y * r->c.pitch * 128 + i] = v;
        }
    }
}

/* Sixteen fetches at places that are well inside a 1/256 of a texel, so that single precision and
 * the reference agree which one; compares all bits. */
static void compare_lanes(random_texture *r, uint32_t mode_x, uint32_t mode_y, int linear,
                          int normalized, uint32_t *seed)
{
    const uint32_t mode[2] = {mode_x, mode_y};
    const int size[2] = {(int)r->c.width, (int)r->c.height};
    r->c.clamp[0] = mode_x;
    r->c.clamp[1] = mode_y;
    r->c.mag = r->c.min = (uint32_t)linear;
    r->c.border = 1;
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    f.unnormalized = !normalized;
    soft_fetch_state state;
    memset(&state, 0, sizeof state);
    double at[2][SOFT_LANES];
    soft_f coordinate[3];
    coordinate[2] = soft_splat(0);
    for (int d = 0; d < 2; d++) {
        for (int lane = 0; lane < SOFT_LANES; lane++) {
            int range = size[d] * 256 * 5;
            int place = (int)(next_random(seed) % (uint32_t)range) - range / 2;
            at[d][lane] = (place + 0.3) / 256;
            coordinate[d][lane] = (float)(normalized ? at[d][lane] / size[d] : at[d][lane]);
        }
    }
    soft_vec4 result;
    soft_texture_fetch(texels_prepare(&r->t, &r->c), &f, &state, coordinate, SOFT_ALL, &result);
    soft_textures_release(r->t.textures);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        for (int c = 0; c < 4; c++) {
            float want = (float)reference_bytes(r->rows, size[0], size[1], at[0][lane], at[1][lane],
                                                mode, linear, c, 1);
            float is = result.c[c][lane];
            if (memcmp(&is, &want, sizeof is) != 0) {
                print_error("%dx%d modes %u %u linear %d at %g %g: %.9g, not %.9g\n", size[0],
                            size[1], mode_x, mode_y, linear, at[0][lane], at[1][lane], is, want);
                fail();
            }
        }
    }
}

static void filters_of_bytes_are_exact(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{8, 8}, {1, 1}, {5, 3}, {64, 64}, {33, 2}};
    uint32_t seed = 1;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        random_texture r;
        random_open(&r, sizes[s][0], sizes[s][1]);
        for (uint32_t modes = 0; modes < 64; modes++) {
            for (int linear = 0; linear < 2; linear++) {
                compare_lanes(&r, modes & 7, modes >> 3, linear, 1, &seed);
                compare_lanes(&r, modes & 7, modes >> 3, linear, 0, &seed);
            }
        }
        texels_close(&r.t);
    }
}

/* What is kept, in bytes or not at all, does not matter. */
static void textures_that_are_not_kept(void **state)
{
    (void)state;
    uint32_t seed = 9;
    random_texture r;
    random_open(&r, 16, 16);
    soft_textures_limit(r.t.textures, 100);
    assert_int_equal(texels_prepare(&r.t, &r.c)->image->storage, SOFT_MEMORY);
    for (uint32_t mode = 0; mode < 8; mode++) {
        compare_lanes(&r, mode, 7 - mode, 1, 1, &seed);
        compare_lanes(&r, mode, 7 - mode, 0, 1, &seed);
    }
    texels_close(&r.t);
}

/* Two texels of each storage, a quarter of the way: 3/4 of the first and 1/4 of the second. */
static void other_storages_filter_alike(void **state)
{
    (void)state;
    static const struct {
        uint32_t format, signs;
        uint32_t words[8];
        double first, second;
        int storage;
    } rows[] = {
        {24, 0, {0xC0004000}, 0x4000 / 65535., 0xC000 / 65535., SOFT_WORDS},
        {24, 0x55, {0xC0004000}, 0x4000 / 32767., -0x4000 / 32767., SOFT_WORDS},
        {2, 0xFF, {0xFF40}, 64 / 1023., 1, SOFT_WORDS},
        {30, 0, {0x4400BC00}, -1, 4, SOFT_FLOATS},
        {36, 0, {0x41200000, 0x42480000}, 10, 50, SOFT_FLOATS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        texels t;
        texels_open(&t);
        texels_constant c = texels_plain(rows[i].format, 2, 1);
        c.signs = rows[i].signs;
        c.mag = c.min = 1;
        c.clamp[0] = c.clamp[1] = 2;
        texels_put(&t, TEXELS_BASE, rows[i].words, 8);
        xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
        float is[4];
        const soft_texture *texture = texels_prepare(&t, &c);
        assert_int_equal(texture->image->storage, rows[i].storage);
        texels_at(texture, &f, 0.375f, 0.5f, 0, is);
        double want = rows[i].first * 0.75 + rows[i].second * 0.25;
        assert_true(fabs(is[0] - want) <= fabs(want) * 1e-6);
        texels_close(&t);
    }
}

/* ---- levels ---- */

/* Levels of a 16x16 texture that are 0, 51, 102, 153, 204 all over: 0, 0.2, 0.4, 0.6, 0.8. */
static void open_levels(texels *t, texels_constant *c)
{
    texels_open(t);
    *c = texels_plain(2, 16, 16);
    c->mips = TEXELS_MIPS;
    c->max_level = 4;
    c->mag = c->min = 1;
    c->mip = XENOS_FILTER_LINEAR;
    for (uint32_t n = 1; n <= 4; n++) { /* linear: 256 bytes a row, 32 rows */
        memset(t->memory.bytes + TEXELS_MIPS + (n - 1) * 0x2000, (int)(51 * n), 0x2000);
    }
}

/* Quads whose right neighbour is dx texels away, and whose lower one dy. */
static float fetch_spread(texels *t, const texels_constant *c, const xenos_fetch *f, float dx,
                          float dy, float register_lod, int vertices)
{
    soft_fetch_state state;
    memset(&state, 0, sizeof state);
    state.vertices = vertices;
    state.lod = soft_splat(register_lod);
    soft_f coordinate[3] = {soft_splat(0), soft_splat(0), soft_splat(0)};
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        coordinate[0][lane] = 0.5f + (lane & 1 ? dx / 16 : 0);
        coordinate[1][lane] = 0.5f + (lane & 2 ? dy / 16 : 0);
    }
    soft_vec4 result;
    soft_texture_fetch(texels_prepare(t, c), f, &state, coordinate, SOFT_ALL, &result);
    for (int lane = 1; lane < SOFT_LANES; lane++) {
        assert_true(result.c[0][lane] == result.c[0][0]);
    }
    return result.c[0][0];
}

static void levels_follow_gradients(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    open_levels(&t, &c);
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    assert_float_equal(fetch_spread(&t, &c, &f, 1, 0.5f, 0, 0), 0, 0);
    assert_float_equal(fetch_spread(&t, &c, &f, 2, 0, 0, 0), 0.2, 1e-6);
    assert_float_equal(fetch_spread(&t, &c, &f, 0, -4, 0, 0), 0.4, 1e-6);
    /* 2^1.5 texels: half way; log2 to 1/64 */
    assert_float_equal(fetch_spread(&t, &c, &f, 2.8284271f, 1, 0, 0), 0.3, 1e-6);
    assert_float_equal(fetch_spread(&t, &c, &f, 1000, 0, 0, 0), 0.8, 1e-6);
    /* not asked for, or not to be had */
    assert_float_equal(fetch_spread(&t, &c, &f, 4, 0, 0, 1), 0, 0);
    f.computed_lod = 0;
    assert_float_equal(fetch_spread(&t, &c, &f, 4, 0, 0, 0), 0, 0);
    texels_close(&t);
}

/* Biases add up: the constant's has 5 fractional bits, the instruction's 4; the register's is a
 * float. */
static void biases_add_up(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    open_levels(&t, &c);
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    c.bias = 16;     /* 0.5 */
    f.lod_bias = 24; /* 1.5 */
    assert_float_equal(fetch_spread(&t, &c, &f, 2, 0, 0, 0), 0.6, 1e-6);
    c.bias = (uint32_t)-32;
    assert_float_equal(fetch_spread(&t, &c, &f, 2, 0, 0, 0), 0.3, 1e-6);
    f.register_lod = 1;
    assert_float_equal(fetch_spread(&t, &c, &f, 2, 0, 1.25f, 0), 0.55, 1e-6);
    assert_float_equal(fetch_spread(&t, &c, &f, 2, 0, NAN, 0), 0.3, 1e-6);
    assert_float_equal(fetch_spread(&t, &c, &f, 2, 0, INFINITY, 0), 0.8, 1e-6);
    assert_float_equal(fetch_spread(&t, &c, &f, 2, 0, -INFINITY, 0), 0, 0);
    c.adjust_h = 1; /* gradients along x count twice */
    f.register_lod = 0;
    c.bias = 0;
    f.lod_bias = 0;
    assert_float_equal(fetch_spread(&t, &c, &f, 2, 0, 0, 0), 0.4, 1e-6);
    assert_float_equal(fetch_spread(&t, &c, &f, 0, 2, 0, 0), 0.2, 1e-6);
    texels_close(&t);
}

static void levels_have_limits_and_filters(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    open_levels(&t, &c);
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    c.max_level = 2;
    assert_float_equal(fetch_spread(&t, &c, &f, 16, 0, 0, 0), 0.4, 1e-6);
    c.min_level = 1;
    assert_float_equal(fetch_spread(&t, &c, &f, 1, 0, 0, 0), 0.2, 1e-6);
    c.min_level = 0;
    c.max_level = 4;
    c.mip = XENOS_FILTER_POINT; /* the nearest level */
    assert_float_equal(fetch_spread(&t, &c, &f, 2.7f, 0, 0, 0), 0.2, 1e-6);
    assert_float_equal(fetch_spread(&t, &c, &f, 3, 0, 0, 0), 0.4, 1e-6);
    c.mip = XENOS_FILTER_BASE_MAP;
    assert_float_equal(fetch_spread(&t, &c, &f, 4, 0, 0, 0), 0, 0);
    f.mip_filter = XENOS_FILTER_LINEAR; /* the instruction's goes before the constant's */
    assert_float_equal(fetch_spread(&t, &c, &f, 4, 0, 0, 0), 0.4, 1e-6);
    texels_close(&t);
}

/* Magnified where the level is 0 or below, else minified: texels 0 and 255, three quarters on. */
static void magnified_and_minified(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    texels_constant c = texels_plain(2, 16, 16);
    memset(t.memory.bytes + TEXELS_BASE, 0, 0x800);
    for (uint32_t y = 0; y < 16; y++) {
        for (uint32_t x = 1; x < 16; x += 2) {
            t.memory.bytes[TEXELS_BASE + y * 32 + x] = 255;
        }
    }
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    c.min = 1;
    /* lane 0 is at texel 8.0: texel 8 alone, or 7 and 8 by halves; others differ by whole texels */
    assert_float_equal(fetch_spread(&t, &c, &f, 0, 0, 0, 0), 0, 0);
    assert_float_equal(fetch_spread(&t, &c, &f, 2, 0, 0, 0), 0.5, 1e-6);
    c.min = 0;
    c.mag = 1;
    assert_float_equal(fetch_spread(&t, &c, &f, 0, 0, 0, 0), 0.5, 1e-6);
    assert_float_equal(fetch_spread(&t, &c, &f, 2, 0, 0, 0), 0, 0);
    texels_close(&t);
}

/* Levels may differ from quad to quad. */
static void quads_have_levels_of_their_own(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    open_levels(&t, &c);
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    soft_fetch_state fetch_state;
    memset(&fetch_state, 0, sizeof fetch_state);
    soft_f coordinate[3] = {soft_splat(0), soft_splat(0), soft_splat(0)};
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        coordinate[0][lane] = (float)(lane & 1) * (float)(1 << (lane >> 2)) / 16.0f;
    }
    soft_vec4 result;
    soft_texture_fetch(texels_prepare(&t, &c), &f, &fetch_state, coordinate, SOFT_ALL, &result);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        assert_float_equal(result.c[0][lane], 0.2 * (lane >> 2), 1e-6);
    }
    texels_close(&t);
}

static void gradients_from_registers(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    open_levels(&t, &c);
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    f.register_gradients = 1;
    soft_fetch_state s;
    memset(&s, 0, sizeof s);
    s.vertices = 1; /* they serve vertices too */
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        s.gradient_h[0][lane] = lane < 8 ? 2.0f / 16 : 0;
        s.gradient_v[1][lane] = lane < 8 ? 0 : 8.0f / 16;
    }
    soft_f coordinate[3] = {soft_splat(0.5f), soft_splat(0.5f), soft_splat(0)};
    soft_vec4 result;
    soft_texture_fetch(texels_prepare(&t, &c), &f, &s, coordinate, SOFT_ALL, &result);
    assert_float_equal(result.c[0][0], 0.2, 1e-6);
    assert_float_equal(result.c[0][15], 0.6, 1e-6);
    texels_close(&t);
}

/* log2 is exact for powers of two and within 2/65536 of libm's elsewhere; what has none is far down. */
static void log2_by_table(void **state)
{
    (void)state;
    for (int e = -126; e < 128; e++) {
        assert_int_equal(soft_level_log2(ldexpf(1, e)), e * 65536);
    }
    uint32_t seed = 3;
    for (int i = 0; i < 20000; i++) {
        uint32_t bits = 0x00800000u + next_random(&seed) % 0x7F0000 * 0x100u;
        float x;
        memcpy(&x, &bits, sizeof x);
        if (x < INFINITY) {
            assert_true(fabs(soft_level_log2(x) - log2(x) * 65536) < 2);
        }
    }
    assert_int_equal(soft_level_log2(0), -128 * 65536);
    assert_int_equal(soft_level_log2(-1), -128 * 65536);
    assert_int_equal(soft_level_log2(NAN), -128 * 65536);
    assert_int_equal(soft_level_log2(INFINITY), 128 * 65536);
}

/* A footprint of 4 texels by 1: at level 0, four samples a texel apart around the centre. */
static void anisotropic_samples(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    texels_constant c = texels_plain(2, 16, 16);
    c.mips = TEXELS_MIPS;
    c.max_level = 4;
    c.mip = XENOS_FILTER_LINEAR;
    memset(t.memory.bytes + TEXELS_MIPS, 255, 0x2000); /* level 1 would show */
    for (uint32_t x = 0; x < 16; x++) {
        for (uint32_t y = 0; y < 16; y++) {
            t.memory.bytes[TEXELS_BASE + y * 32 + x] = (uint8_t)(x * 10);
        }
    }
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    c.aniso = 3; /* 4:1 at most */
    soft_fetch_state s;
    memset(&s, 0, sizeof s);
    soft_f coordinate[3] = {soft_splat(0), soft_splat(8.5f / 16), soft_splat(0)};
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        coordinate[0][lane] = (8.0f + (lane & 1 ? 4 : 0)) / 16;
        coordinate[1][lane] = (8.5f + (lane & 2 ? 1 : 0)) / 16;
    }
    soft_vec4 result;
    soft_texture_fetch(texels_prepare(&t, &c), &f, &s, coordinate, SOFT_ALL, &result);
    /* at 6.5, 7.5, 8.5, 9.5: (60 + 70 + 80 + 90) / 4 */
    assert_float_equal(result.c[0][0], 75 / 255., 1e-6);
    c.aniso = 0; /* level 2, which is 0 */
    soft_texture_fetch(texels_prepare(&t, &c), &f, &s, coordinate, SOFT_ALL, &result);
    assert_float_equal(result.c[0][0], 0, 0);
    texels_close(&t);
}

/* ---- coordinates ---- */

/* Row of texels 0, 10, 20, ... for places of single coordinates. */
static void open_ramp(texels *t, texels_constant *c, uint32_t width)
{
    texels_open(t);
    *c = texels_plain(2, width, 1);
    c->integer = 1;
    for (uint32_t x = 0; x < width; x++) {
        t->memory.bytes[TEXELS_BASE + x] = (uint8_t)(x * 10);
    }
}

/* Half texels; with filters too; and around the edge. */
static void offsets_move_by_half_texels(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    float is[4];
    open_ramp(&t, &c, 8);
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    f.offset_x = 2;
    texels_at(texels_prepare(&t, &c), &f, 2.5f / 8, 0, 0, is);
    assert_float_equal(is[0], 30, 0);
    f.offset_x = -15;
    texels_at(texels_prepare(&t, &c), &f, 2.5f / 8, 0, 0, is); /* -5.0: 3 */
    assert_float_equal(is[0], 30, 0);
    c.mag = c.min = 1;
    f.offset_x = 1;
    texels_at(texels_prepare(&t, &c), &f, 2.5f / 8, 0, 0, is);
    assert_float_equal(is[0], 25, 0);
    texels_close(&t);
}

/* A coordinate a little less than a texel's edge is that edge: rounded to 1/256. */
static void coordinates_round_before_texels_are_chosen(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    float is[4];
    open_ramp(&t, &c, 8);
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    texels_at(texels_prepare(&t, &c), &f, 0.37499997f, 0, 0, is); /* 2.9999998 */
    assert_float_equal(is[0], 30, 0);
    texels_at(texels_prepare(&t, &c), &f, (3 - 0.75f / 256) / 8, 0, 0, is);
    assert_float_equal(is[0], 20, 0);
    texels_close(&t);
}

/* No mode reads outside, whatever comes; NaN is minus infinity, and infinities are ends. */
static void strange_coordinates(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    float is[4];
    open_ramp(&t, &c, 7);
    static const float strange[] = {NAN, -INFINITY, INFINITY, 3e38f, -3e38f, 1e-45f, 16777216.0f};
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    for (uint32_t mode = 0; mode < 8; mode++) {
        for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
            c.clamp[0] = c.clamp[1] = mode;
            c.mag = c.min = i & 1;
            f.unnormalized = i & 1;
            f.offset_x = (int8_t)(i - 3);
            texels_at(texels_prepare(&t, &c), &f, strange[i], strange[i], strange[i], is);
            assert_true(is[0] >= 0 && is[0] <= 60);
        }
    }
    f = texels_fetch(XENOS_DIMENSION_2D);
    c.clamp[0] = c.clamp[1] = 2;
    texels_at(texels_prepare(&t, &c), &f, NAN, 0, 0, is);
    assert_float_equal(is[0], 0, 0);
    texels_at(texels_prepare(&t, &c), &f, INFINITY, 0, 0, is);
    assert_float_equal(is[0], 60, 0);
    texels_close(&t);
}

static void borders_have_four_colours(void **state)
{
    (void)state;
    static const float want[4][4] = {
        {0, 0, 0, 0}, {1, 1, 1, 1}, {0.5f, 0, 0.5f, 0}, {0, 0.5f, 0.5f, 0}};
    texels t;
    texels_open(&t);
    memset(t.memory.bytes + TEXELS_BASE, 0x40, 64);
    texels_constant c = texels_plain(6, 4, 4);
    c.clamp[0] = c.clamp[1] = 6;
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    for (c.signs = 0; c.signs < 0x100; c.signs += 0x55) { /* the colour has no sign */
        for (c.border = 0; c.border < 4; c.border++) {
            float is[4];
            texels_at(texels_prepare(&t, &c), &f, 1.5f, 0.5f, 0, is);
            for (int i = 0; i < 4; i++) {
                assert_float_equal(is[i], want[c.border][i], 1e-6);
            }
        }
    }
    c.border = c.signs = 0;
    c.force_w = 1;
    c.swizzle = 3; /* w, x, x, x */
    float is[4];
    texels_at(texels_prepare(&t, &c), &f, -0.5f, 0.5f, 0, is);
    assert_float_equal(is[0], 1, 0);
    assert_float_equal(is[1], 0, 0);
    texels_close(&t);
}

/* ---- dimensions ---- */

/* Slices 0, 40, 80, 120 of a volume. */
static void open_volume(texels *t, texels_constant *c, int stacked)
{
    texels_open(t);
    *c = texels_plain(2, 4, 4);
    c->dimension = stacked ? XENOS_TEXTURE_2D : XENOS_TEXTURE_3D;
    c->stacked = (uint32_t)stacked;
    c->depth = 4;
    c->integer = 1;
    c->clamp[2] = 2;
    uint32_t stride = stacked ? 0x1000 : 32 * 32;
    for (uint32_t z = 0; z < 4; z++) {
        memset(t->memory.bytes + TEXELS_BASE + z * stride, (int)(z * 40), 32 * 4);
    }
}

/* The third direction has filters of its own. A stack's layers are not 3D slices, but are found the
 * same way. */
static void volumes_and_stacks(void **state)
{
    (void)state;
    for (int stacked = 0; stacked < 2; stacked++) {
        texels t;
        texels_constant c;
        float is[4];
        open_volume(&t, &c, stacked);
        xenos_fetch f = texels_fetch(XENOS_DIMENSION_3D);
        texels_at(texels_prepare(&t, &c), &f, 0.5f, 0.5f, 0.70f, is); /* slice 2.8 */
        assert_float_equal(is[0], 80, 0);
        c.vol_mag = c.vol_min = 1;
        texels_at(texels_prepare(&t, &c), &f, 0.5f, 0.5f, 0.75f, is); /* between 2 and 3 */
        assert_float_equal(is[0], 100, 0);
        texels_at(texels_prepare(&t, &c), &f, 0.5f, 0.5f, 7, is);
        assert_float_equal(is[0], 120, 0);
        c.clamp[2] = 0;
        texels_at(texels_prepare(&t, &c), &f, 0.5f, 0.5f, 1.375f,
                  is); /* 5.5: slice 1, or the end */
        assert_float_equal(is[0], stacked ? 120 : 40, 0);
        f.dimension = XENOS_DIMENSION_2D;
        texels_at(texels_prepare(&t, &c), &f, 0.5f, 0.5f, 0.9f, is);
        assert_float_equal(is[0], 0, 0);
        texels_close(&t);
    }
}

/* Faces are z; x and y are 1..2, as the cube instruction leaves them. */
static void cubes(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    texels_constant c = texels_plain(2, 4, 4);
    c.dimension = XENOS_TEXTURE_CUBE;
    c.depth = 6;
    c.integer = 1;
    for (uint32_t face = 0; face < 6; face++) {
        memset(t.memory.bytes + TEXELS_BASE + face * 0x1000, (int)(face * 20), 128);
        t.memory.bytes[TEXELS_BASE + face * 0x1000 + 32 * 3 + 1] = 200; /* (1, 3) */
    }
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_CUBE);
    float is[4];
    for (int face = 0; face < 6; face++) {
        texels_at(texels_prepare(&t, &c), &f, 1.5f, 1.5f, (float)face, is);
        assert_float_equal(is[0], face * 20, 0);
        texels_at(texels_prepare(&t, &c), &f, 1 + 1.5f / 4, 1 + 3.5f / 4, (float)face, is);
        assert_float_equal(is[0], 200, 0);
    }
    texels_at(texels_prepare(&t, &c), &f, 1.5f, 1.5f, 99, is);
    assert_float_equal(is[0], 100, 0);
    texels_at(texels_prepare(&t, &c), &f, 0, 9, NAN, is); /* edges clamp */
    assert_float_equal(is[0], 0, 0);
    texels_close(&t);
}

/* A cube instruction on a volume: its level 2 has two slices of the first level's eight. */
static void faces_that_are_not_there(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    texels_constant c = texels_plain(2, 8, 8);
    c.dimension = XENOS_TEXTURE_3D;
    c.depth = 8;
    c.integer = 1;
    c.mips = TEXELS_MIPS;
    c.max_level = 3;
    /* level 1 takes four slices of 32 rows of 256 bytes */
    memset(t.memory.bytes + TEXELS_MIPS + 0x8000, 30, 0x2000);
    memset(t.memory.bytes + TEXELS_MIPS + 0xA000, 90, 0x2000);
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_CUBE);
    f.computed_lod = 0;
    f.lod_bias = 32;
    float is[4];
    texels_at(texels_prepare(&t, &c), &f, 1.5f, 1.5f, 5, is);
    assert_float_equal(is[0], 90, 0);
    texels_at(texels_prepare(&t, &c), &f, 1.5f, 1.5f, 0, is);
    assert_float_equal(is[0], 30, 0);
    texels_close(&t);
}

static void lines(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    float is[4];
    open_ramp(&t, &c, 20);
    c.dimension = XENOS_TEXTURE_1D;
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_1D);
    texels_at(texels_prepare(&t, &c), &f, 0.875f, 12345, NAN, is);
    assert_float_equal(is[0], 170, 0);
    texels_close(&t);
}

/* ---- the other fetch instructions ---- */

static void weights_and_borders_can_be_asked_for(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    float is[4];
    open_levels(&t, &c);
    c.clamp[0] = 6;
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    f.opcode = XENOS_FETCH_WEIGHTS;
    f.lod_bias = 4; /* a quarter of a level */
    texels_at(texels_prepare(&t, &c), &f, 0, 0, 0, is);
    assert_float_equal(is[0], 0.5, 0);
    f.computed_lod = 0;
    texels_at(texels_prepare(&t, &c), &f, 3.75f / 16, 7.5f / 16, 0, is);
    assert_float_equal(is[0], 0.25, 0);
    assert_float_equal(is[1], 0, 0);
    assert_float_equal(is[2], 0, 0);
    assert_float_equal(is[3], 0.25, 0);
    f.opcode = XENOS_FETCH_BORDER_FRACTION;
    texels_at(texels_prepare(&t, &c), &f, 0, 0.5f, 0, is);
    assert_float_equal(is[0], 0.5, 0);
    texels_at(texels_prepare(&t, &c), &f, -0.25f / 16, 0.5f, 0, is);
    assert_float_equal(is[0], 0.75, 0);
    texels_at(texels_prepare(&t, &c), &f, 0.5f, 0.5f, 0, is);
    assert_float_equal(is[0], 0, 0);
    texels_close(&t);
}

static void levels_and_gradients_can_be_asked_for(void **state)
{
    (void)state;
    texels t;
    texels_constant c;
    open_levels(&t, &c);
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    f.opcode = XENOS_FETCH_COMPUTED_LOD;
    assert_float_equal(fetch_spread(&t, &c, &f, 8, 2, 0, 0), 3, 1e-4);
    assert_float_equal(fetch_spread(&t, &c, &f, 0.25f, 0, 0, 0), -2, 1e-4);
    f.opcode = XENOS_FETCH_GRADIENTS;
    soft_f coordinate[3];
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        coordinate[0][lane] = (float)((lane & 1) * 3 + (lane & 2) * 5 + (lane >> 2));
        coordinate[1][lane] = (float)((lane & 1) * 7 + (lane & 2) * 2);
        coordinate[2][lane] = 0;
    }
    soft_fetch_state s;
    memset(&s, 0, sizeof s);
    soft_vec4 result;
    soft_texture_fetch(texels_prepare(&t, &c), &f, &s, coordinate, SOFT_ALL, &result);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        assert_float_equal(result.c[0][lane], 3, 0);
        assert_float_equal(result.c[1][lane], 10, 0);
        assert_float_equal(result.c[2][lane], 7, 0);
        assert_float_equal(result.c[3][lane], 4, 0);
    }
    texels_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_of_bytes_are_exact),
        cmocka_unit_test(textures_that_are_not_kept),
        cmocka_unit_test(other_storages_filter_alike),
        cmocka_unit_test(levels_follow_gradients),
        cmocka_unit_test(biases_add_up),
        cmocka_unit_test(levels_have_limits_and_filters),
        cmocka_unit_test(magnified_and_minified),
        cmocka_unit_test(quads_have_levels_of_their_own),
        cmocka_unit_test(gradients_from_registers),
        cmocka_unit_test(log2_by_table),
        cmocka_unit_test(anisotropic_samples),
        cmocka_unit_test(offsets_move_by_half_texels),
        cmocka_unit_test(coordinates_round_before_texels_are_chosen),
        cmocka_unit_test(strange_coordinates),
        cmocka_unit_test(borders_have_four_colours),
        cmocka_unit_test(volumes_and_stacks),
        cmocka_unit_test(cubes),
        cmocka_unit_test(faces_that_are_not_there),
        cmocka_unit_test(lines),
        cmocka_unit_test(weights_and_borders_can_be_asked_for),
        cmocka_unit_test(levels_and_gradients_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
