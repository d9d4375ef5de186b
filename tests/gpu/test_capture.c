/* Frames captured and drawn again (capture.h), and shader containers (container.h). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "container.h"
#include "replay.h"
#include "test.h"
#include "tiling.h"

#define T3(opcode, count) XENOS_TYPE3(XENOS_PM4_##opcode, count)
#define FRONT             0x100000u
#define WIDTH             64u
#define HEIGHT            32u

static char path[] = "/tmp/weft-capture-XXXXXX";

static int make_path(void **state)
{
    int file = mkstemp(path);
    return file < 0 || close(file) != 0;
}

static int remove_path(void **state)
{
    return unlink(path);
}

/* A linear 8_8_8_8 front buffer with red in x. */
static void put_swap(fake *f)
{
    const uint32_t fetch[6] = {2u | (WIDTH / 32) << 22,
                               6u | 2u << 6 | FRONT,
                               (WIDTH - 1) | (HEIGHT - 1) << 13,
                               (0u | 1u << 3 | 2u << 6 | 3u << 9) << 1,
                               0,
                               1u << 9};
    uint8_t slot[XENOS_SWAP_SLOT * 4];
    xenos_swap_slot(slot, fetch, FRONT, WIDTH, HEIGHT);
    for (uint32_t i = 0; i < XENOS_SWAP_SLOT; i++) {
        FAKE_PUT(f, weft_load32(slot + i * 4));
    }
    fake_kick(f);
    fake_settle(f, 1000);
}

static void paint(fake *f, uint32_t seed)
{
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
        fake_poke(f, FRONT + i * 4, i * seed);
    }
}

/* Three frames; the second is kept: constants from memory, an indirect buffer, a wait, a write. */
static void run_frames(fake *f)
{
    paint(f, 3);
    put_swap(f);
    paint(f, 5);
    fake_poke(f, 0x4000, 0x11);
    fake_poke(f, 0x5000, XENOS_TYPE0(0x2101, 1));
    fake_poke(f, 0x5004, 77);
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 1), 9, T3(LOAD_ALU_CONSTANT, 3), 0x4000, 4 << 16 | 0x102, 1,
             T3(INDIRECT_BUFFER, 2), 0x5000, 2, T3(WAIT_REG_MEM, 5), 3, 0x2100, 9, 0xFF, 1,
             T3(MEM_WRITE, 2), (FRONT + 4) | 2, 0x00AABBCC);
    put_swap(f);
    paint(f, 7);
    put_swap(f);
}

typedef struct shown {
    uint32_t frames;
    uint8_t pixels[WIDTH * HEIGHT * 4];
} shown;

static void show(void *context, const weft_frame *frame)
{
    shown *s = context;
    s->frames++;
    assert_int_equal(frame->width, WIDTH);
    assert_int_equal(frame->height, HEIGHT);
    memcpy(s->pixels, frame->pixels, sizeof s->pixels);
}

static void a_frame_is_drawn_again_to_the_same_bytes(void **state)
{
    fake *f = fake_new_capturing(FAKE_MEMORY, NULL, 1, path, 2);
    run_frames(f);
    fake_delete(f);
    fake *other = fake_new();
    shown *s = calloc(1, sizeof *s);
    weft_gpu_replayed done = {.size = sizeof done};
    assert_int_equal(xenos_replay(&other->host, path, "null", 1, 2, show, s, &done), WEFT_OK);
    assert_int_equal(done.frames, 1);
    assert_int_equal(done.compared, 1);
    assert_int_equal(done.equal, 1);
    assert_int_equal(s->frames, 1); /* of the last of two */
    /* Pixel i was i * 5 big-endian, which 8in32 turns to red lowest; pixel 1 was written by a packet. */
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
        uint32_t value = i == 1 ? 0x00AABBCC : i * 5;
        assert_int_equal(s->pixels[i * 4], value & 0xFF);
        assert_int_equal(s->pixels[i * 4 + 1], value >> 8 & 0xFF);
        assert_int_equal(s->pixels[i * 4 + 2], value >> 16 & 0xFF);
    }
    free(s);
    fake_delete(other);
}

static void a_dump_names_what_was_captured(void **state)
{
    fake *f = fake_new_capturing(FAKE_MEMORY, NULL, 1, path, 2);
    run_frames(f);
    fake_delete(f);
    fake *other = fake_new();
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_int_equal(xenos_dump(&other->host, path, out), WEFT_OK);
    fclose(out);
    static const char *const expected[] = {
        "capture of frame 2",
        "0x2100 VGT_MAX_VTX_INDX = 0x00000009",
        "LOAD_ALU_CONSTANT, 3 dwords",
        "0x2101 VGT_MIN_VTX_INDX = 0x0000004D", /* out of the indirect buffer */
        "WAIT_REG_MEM",
        "XE_SWAP",
        "frame shown",
    };
    const char *at = text;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        at = strstr(at, expected[i]);
        assert_non_null(at);
    }
    assert_null(strstr(text, "INDIRECT_BUFFER")); /* followed, not kept */
    free(text);
    fake_delete(other);
}

static void a_frame_that_never_comes_leaves_no_file(void **state)
{
    unlink(path);
    fake *f = fake_new_capturing(FAKE_MEMORY, NULL, 1, path, 9);
    run_frames(f);
    assert_int_equal(f->logs, 0);
    fake_delete(f);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* ---- files from outside ---- */

static size_t unpack(uint8_t *out, size_t room)
{
    gzFile file = gzopen(path, "rb");
    int length = gzread(file, out, (unsigned)room);
    gzclose(file);
    assert_true(length > 0);
    return (size_t)length;
}

static void pack(const uint8_t *bytes, size_t length)
{
    gzFile file = gzopen(path, "wb1");
    assert_int_equal(length == 0 ? 0 : gzwrite(file, bytes, (unsigned)length), (int)length);
    gzclose(file);
}

static weft_status replay_now(fake *f)
{
    weft_gpu_replayed done = {.size = sizeof done};
    return xenos_replay(&f->host, path, "null", 1, 1, NULL, NULL, &done);
}

static void a_cut_or_changed_capture_is_refused(void **state)
{
    enum { ROOM = 4 << 20 };
    fake *f = fake_new_capturing(FAKE_MEMORY, NULL, 1, path, 2);
    run_frames(f);
    fake_delete(f);
    f = fake_new();
    uint8_t *bytes = malloc(ROOM);
    size_t length = unpack(bytes, ROOM);
    /* the unpacked stream cut at places all over it, its last byte included */
    for (size_t cut = 0; cut < length; cut += cut < 64 ? 1 : length / 61) {
        pack(bytes, cut);
        assert_int_equal(replay_now(f), WEFT_E_FORMAT);
    }
    pack(bytes, length);
    assert_int_equal(replay_now(f), WEFT_OK);
    bytes[0] ^= 1; /* not HEAD */
    pack(bytes, length);
    assert_int_equal(replay_now(f), WEFT_E_FORMAT);
    bytes[0] ^= 1;
    bytes[8] = 2; /* version */
    pack(bytes, length);
    assert_int_equal(replay_now(f), WEFT_E_VERSION);
    bytes[8] = 1;
    bytes[20 + 4] ^= 4; /* the length of REGS */
    pack(bytes, length);
    assert_int_equal(replay_now(f), WEFT_E_FORMAT);
    free(bytes);
    fake_delete(f);
}

static void memory_beyond_the_end_is_refused(void **state)
{
    fake *f = fake_new();
    uint8_t bytes[64] = "HEAD\14\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0MEM \10\0\0\0\375\377\377\37";
    pack(bytes, 20 + 8 + 8);
    assert_int_equal(replay_now(f), WEFT_E_FORMAT);
    assert_non_null(strstr(f->last_log, "512 MiB"));
    fake_delete(f);
}

/* ---- containers ---- */

/* The layout of XenosRecomp's shader.h by hand: 48 bytes, head at 36, 24 bytes of microcode. */
static void make_container(uint8_t bytes[72], uint32_t flags)
{
    memset(bytes, 0, 72);
    weft_store32(bytes, flags);
    weft_store32(bytes + 4, 48);
    weft_store32(bytes + 8, 24);
    weft_store32(bytes + 24, 36);
    weft_store32(bytes + 36, 12);
    weft_store32(bytes + 40, 12);
    weft_store32(bytes + 48 + 12, 0xCAFE0001);
}

static void microcode_is_found_in_a_container(void **state)
{
    uint8_t bytes[72];
    xenos_microcode code;
    make_container(bytes, 0x102A1101);
    assert_null(xenos_container_read(bytes, sizeof bytes, &code));
    assert_int_equal(code.stage, XENOS_STAGE_VERTEX);
    assert_int_equal(code.length, 12);
    assert_int_equal(weft_load32(code.bytes), 0xCAFE0001);
    make_container(bytes, 0x102A1100);
    assert_null(xenos_container_read(bytes, sizeof bytes, &code));
    assert_int_equal(code.stage, XENOS_STAGE_PIXEL);
}

static void containers_that_lie_are_refused(void **state)
{
    static const struct {
        uint32_t at, value;
    } rows[] = {{0, 0x102A1001},  {4, 0xFFFFFFF0}, {8, 25},          {24, 41},
                {24, 0xFFFFFFFC}, {36, 13},        {36, 0xFFFFFFF4}, {40, 11}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[72];
        xenos_microcode code;
        make_container(bytes, 0x102A1101);
        weft_store32(bytes + rows[i].at, rows[i].value);
        assert_non_null(xenos_container_read(bytes, sizeof bytes, &code));
    }
    for (size_t length = 0; length < 72; length++) {
        uint8_t bytes[72];
        xenos_microcode code;
        make_container(bytes, 0x102A1101);
        assert_non_null(xenos_container_read(bytes, length, &code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_drawn_again_to_the_same_bytes),
        cmocka_unit_test(a_dump_names_what_was_captured),
        cmocka_unit_test(a_frame_that_never_comes_leaves_no_file),
        cmocka_unit_test(a_cut_or_changed_capture_is_refused),
        cmocka_unit_test(memory_beyond_the_end_is_refused),
        cmocka_unit_test(microcode_is_found_in_a_container),
        cmocka_unit_test(containers_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
