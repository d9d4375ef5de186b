/* What is kept from draw to draw: never anything but what memory holds. */
#include "test.h"

#include "texels.h"

/* Ranges that were watched, as a host would keep them. */
typedef struct watched {
    uint32_t start, end, count;
} watched;

static void on_watch(void *context, uint32_t start, uint32_t length)
{
    watched *w = context;
    w->start = start;
    w->end = start + length;
    w->count++;
}

static float read_first(texels *t, const texels_constant *c)
{
    float is[4];
    texels_read(t, c, 0, 0, is);
    soft_textures_release(t->textures);
    return is[0];
}

static void writes_are_seen(void **state)
{
    (void)state;
    texels t;
    watched w = {0};
    texels_open(&t);
    t.memory.context = &w;
    t.memory.watch = on_watch;
    texels_constant c = texels_plain(2, 40, 33);
    c.integer = 1;
    t.memory.bytes[TEXELS_BASE] = 7;
    assert_float_equal(read_first(&t, &c), 7, 0);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.start, TEXELS_BASE);
    assert_int_equal(w.end, TEXELS_BASE + 32 * 64 + 40); /* 33 rows of 64 bytes */
    t.memory.bytes[TEXELS_BASE] = 8;
    assert_float_equal(read_first(&t, &c), 7, 0); /* nobody said so */
    soft_textures_written(t.textures, TEXELS_BASE + 32 * 64 + 40, 4096);
    assert_float_equal(read_first(&t, &c), 7, 0); /* behind it */
    soft_textures_written(t.textures, TEXELS_BASE - 4, 5);
    assert_float_equal(read_first(&t, &c), 8, 0);
    assert_int_equal(w.count, 2); /* and watches again */
    texels_close(&t);
}

static void levels_are_watched_too(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    texels_constant c = texels_plain(2, 16, 16);
    c.integer = 1;
    c.mips = TEXELS_MIPS;
    c.max_level = c.min_level = 1;
    t.memory.bytes[TEXELS_MIPS] = 3;
    assert_float_equal(read_first(&t, &c), 3, 0);
    t.memory.bytes[TEXELS_MIPS] = 4;
    soft_textures_written(t.textures, TEXELS_MIPS, 1);
    assert_float_equal(read_first(&t, &c), 4, 0);
    texels_close(&t);
}

/* How a texture is sampled makes no second copy; what it holds does. */
static void only_what_decides_texels_makes_a_copy(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    texels_constant c = texels_plain(6, 16, 16);
    const soft_image *image = texels_prepare(&t, &c)->image;
    c.clamp[0] = 3;
    c.mag = 1;
    c.aniso = 2;
    c.bias = 5;
    c.border = 1;
    assert_ptr_equal(texels_prepare(&t, &c)->image, image);
    c.signs = 1;
    assert_ptr_not_equal(texels_prepare(&t, &c)->image, image);
    c.signs = 0;
    c.mips = TEXELS_MIPS;
    image = texels_prepare(&t, &c)->image;
    c.max_level = 1;
    assert_ptr_not_equal(texels_prepare(&t, &c)->image, image);
    texels_close(&t);
}

/* Thirty textures of 1 KiB with room for four: what is read is what was there, every time. */
static void results_do_not_depend_on_room(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    soft_textures_limit(t.textures, 4096);
    texels_constant c = texels_plain(6, 16, 16);
    c.integer = 1;
    for (uint32_t i = 0; i < 30; i++) {
        t.memory.bytes[TEXELS_BASE + i * 0x1000] = (uint8_t)(i + 1);
    }
    for (uint32_t n = 0; n < 200; n++) {
        uint32_t i = n * n % 30;
        c.base = TEXELS_BASE + i * 0x1000;
        assert_float_equal(read_first(&t, &c), i + 1, 0);
    }
    texels_close(&t);
}

/* A draw that uses more than there is room for reads the rest from memory; the next draw keeps what
 * it needs. What a draw has got stays until it is released. */
static void a_draw_keeps_what_it_has(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    soft_textures_limit(t.textures, 2048);
    texels_constant c = texels_plain(6, 16, 16);
    const soft_texture *got[4];
    for (uint32_t i = 0; i < 4; i++) {
        t.memory.bytes[TEXELS_BASE + i * 0x1000] = (uint8_t)(i + 1);
        c.base = TEXELS_BASE + i * 0x1000;
        c.integer = 1;
        got[i] = texels_prepare(&t, &c);
    }
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    for (uint32_t i = 0; i < 4; i++) {
        float is[4];
        assert_int_equal(got[i]->image->storage, i < 2 ? SOFT_BYTES : SOFT_MEMORY);
        texels_at(got[i], &f, 0, 0, 0, is);
        assert_float_equal(is[0], i + 1, 0);
    }
    soft_textures_release(t.textures);
    assert_int_equal(texels_prepare(&t, &c)->image->storage, SOFT_BYTES);
    texels_close(&t);
}

/* More than a draw can name, and the views of one draw are each their own. */
static void many_views_of_a_draw(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    const soft_texture *views[200];
    texels_constant c = texels_plain(6, 16, 16);
    for (uint32_t i = 0; i < 200; i++) {
        c.bias = i;
        views[i] = texels_prepare(&t, &c);
    }
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(views[i]->lod_bias, (int32_t)i * 2048);
    }
    soft_textures_release(t.textures);
    assert_ptr_equal(texels_prepare(&t, &c), views[0]);
    texels_close(&t);
}

/* Sixty-four layers of 8192x8192 texels: larger than memory, never kept, zeros beyond the end. */
static void monstrous_textures(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    texels_constant c = texels_plain(18, 8192, 8192);
    c.stacked = 1;
    c.depth = 64;
    c.tiled = 1;
    c.mips = TEXELS_MIPS;
    c.max_level = 13;
    c.pitch = 256;
    memset(t.memory.bytes, 0xFF, t.memory.size); /* DXT1: transparent black */
    memset(t.memory.bytes + TEXELS_BASE, 0, 4);  /* its ends equal, 0: black; index 3 is clear */
    const soft_texture *texture = texels_prepare(&t, &c);
    assert_int_equal(texture->image->storage, SOFT_MEMORY);
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_3D);
    float is[4];
    texels_at(texture, &f, 0.9f, 0.9f, 0.99f, is);
    assert_float_equal(is[3], 1, 0); /* a block of zeros is opaque black */
    texels_at(texture, &f, 0, 0, 0, is);
    assert_float_equal(is[3], 0, 0);
    texels_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_are_seen),
        cmocka_unit_test(levels_are_watched_too),
        cmocka_unit_test(only_what_decides_texels_makes_a_copy),
        cmocka_unit_test(results_do_not_depend_on_room),
        cmocka_unit_test(a_draw_keeps_what_it_has),
        cmocka_unit_test(many_views_of_a_draw),
        cmocka_unit_test(monstrous_textures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
