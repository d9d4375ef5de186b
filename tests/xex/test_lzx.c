/* LZX: our decoder and encoder against libmspack and against streams written bit by bit here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cabinet.h"
#include "lzx.h"
#include "support.h"

#define MAX_INPUT 0x28000u

/* ---- streams by hand: bits from the top of little-endian words ---- */

typedef struct bit_writer {
    uint8_t bytes[0x1000];
    size_t bits;
} bit_writer;

static void put(bit_writer *w, uint32_t value, unsigned count)
{
    for (; count; count--, w->bits++) {
        if (value >> (count - 1) & 1) {
            size_t word = w->bits / 16, bit = 15 - w->bits % 16;
            w->bytes[word * 2 + bit / 8] |= (uint8_t)(1u << bit % 8);
        }
    }
}

static size_t put_end(const bit_writer *w)
{
    return (w->bits + 15) / 16 * 2;
}

static int decode(const bit_writer *w, uint8_t *out, size_t size)
{
    return weft_lzx_decode(w->bytes, put_end(w), 0x8000, out, size, NULL);
}

/* The pretree codes of put_trees: 9 (an 8-bit length where 0 was) is 0, 17 is 10, 18 is 11. */
enum { PRE_9 = 0, PRE_17 = 2, PRE_18 = 3 };

static void put_pretree(bit_writer *w)
{
    for (unsigned i = 0; i < 20; i++) {
        put(w, i == 9 ? 1 : i == 17 || i == 18 ? 2 : 0, 4);
    }
}

/* Runs of zeros: 18 is 20 + 5 bits of them, 17 is 4 + 4 bits. count must not leave a rest below 4.
 */
static void put_zeros(bit_writer *w, unsigned count)
{
    while (count >= 24 + 20) {
        put(w, PRE_18, 2);
        put(w, 0, 5);
        count -= 20;
    }
    if (count >= 20) {
        put(w, PRE_18, 2);
        put(w, count - 20, 5);
    } else {
        put(w, PRE_17, 2);
        put(w, count - 4, 4);
    }
}

/*
 * A verbatim block whose main tree gives `literals` of the first literals and `matches` of the
 * match symbols eight bits each; literals + matches must be 256, so the code is complete and a
 * symbol's code is its rank. No length tree.
 */
static void put_trees(bit_writer *w, uint32_t length, unsigned literals, unsigned matches)
{
    put(w, 1, 3);
    put(w, length, 24);
    put_pretree(w);
    for (unsigned i = 0; i < literals; i++) {
        put(w, PRE_9, 1);
    }
    if (literals < 256) {
        put_zeros(w, 256 - literals);
    }
    put_pretree(w);
    for (unsigned i = 0; i < matches; i++) {
        put(w, PRE_9, 1);
    }
    put_zeros(w, 240 - matches); /* a window of 32 KiB has 30 slots of 8 symbols */
    put_pretree(w);
    put_zeros(w, 249);
}

static void test_decodes_literals_of_a_verbatim_block(void **state)
{
    bit_writer w = {0};
    uint8_t out[5];
    put(&w, 0, 1);
    put_trees(&w, 5, 256, 0);
    for (unsigned i = 0; i < 5; i++) {
        put(&w, (uint8_t) "hello"[i], 8);
    }
    assert_int_equal(decode(&w, out, 5), 0);
    assert_memory_equal(out, "hello", 5);
}

/* Slot 0 of the first match is R0 = 1: the byte before, again. */
static void test_decodes_a_repeated_offset(void **state)
{
    bit_writer w = {0};
    uint8_t out[6];
    put(&w, 0, 1);
    put_trees(&w, 6, 248, 8);
    put(&w, 'a', 8);
    put(&w, 248 + 3, 8); /* slot 0, length 3 + 2 */
    assert_int_equal(decode(&w, out, 6), 0);
    assert_memory_equal(out, "aaaaaa", 6);
}

/* Slot 4 begins at formatted offset 4 with one extra bit: 4 + 0 - 2 = 2 back, 4 + 1 - 2 = 3 back.
 */
static void test_decodes_an_offset_with_extra_bits(void **state)
{
    bit_writer w = {0};
    uint8_t out[11];
    put(&w, 0, 1);
    put_trees(&w, 11, 216, 40);
    put(&w, 'x', 8);
    put(&w, 'y', 8);
    put(&w, 216 + 4 * 8 + 2, 8); /* length 4 */
    put(&w, 0, 1);
    put(&w, 'z', 8);
    put(&w, 216 + 4 * 8 + 2, 8);
    put(&w, 1, 1);
    assert_int_equal(decode(&w, out, 11), 0);
    assert_memory_equal(out, "xyxyxyzxyzx", 11);
}

/* After offsets 2 and then 3, R1 is 2: slot 1 repeats it and swaps it to the front. */
static void test_decodes_the_second_recent_offset(void **state)
{
    bit_writer w = {0};
    uint8_t out[11];
    put(&w, 0, 1);
    put_trees(&w, 11, 216, 40);
    put(&w, 'x', 8);
    put(&w, 'y', 8);
    put(&w, 216 + 4 * 8, 8); /* length 2, offset 2: xy */
    put(&w, 0, 1);
    put(&w, 'z', 8);
    put(&w, 216 + 4 * 8, 8); /* length 2, offset 3: xy */
    put(&w, 1, 1);
    put(&w, 216 + 8, 8); /* slot 1: offset 2: xy */
    put(&w, 216, 8);     /* slot 0: offset 2 again: xy */
    assert_int_equal(decode(&w, out, 11), 0);
    assert_memory_equal(out, "xyxyzxyxyxy", 11);
}

static void test_decodes_an_uncompressed_block(void **state)
{
    bit_writer w = {0};
    uint8_t out[3];
    put(&w, 0, 1);
    put(&w, 3, 3);
    put(&w, 3, 24); /* 28 bits so far: 4 of padding */
    size_t at = 4;
    for (unsigned i = 0; i < 3; i++) {
        w.bytes[at] = 1;
        at += 4;
    }
    memcpy(w.bytes + at, "raw", 3);
    assert_int_equal(weft_lzx_decode(w.bytes, at + 3, 0x8000, out, 3, NULL), 0);
    assert_memory_equal(out, "raw", 3);
}

static void test_refuses_a_match_before_the_output(void **state)
{
    bit_writer w = {0};
    uint8_t out[6];
    char err[256] = "";
    put(&w, 0, 1);
    put_trees(&w, 6, 248, 8);
    put(&w, 248 + 3, 8);
    assert_int_equal(weft_lzx_decode(w.bytes, put_end(&w), 0x8000, out, 6, err), WEFT_XEX_E_FORMAT);
    assert_non_null(strstr(err, "before the start"));
}

static void test_refuses_a_match_past_its_block(void **state)
{
    bit_writer w = {0};
    uint8_t out[5];
    put(&w, 0, 1);
    put_trees(&w, 5, 248, 8);
    put(&w, 'a', 8);
    put(&w, 248 + 3, 8); /* five more bytes where four are left */
    assert_int_equal(decode(&w, out, 5), WEFT_XEX_E_FORMAT);
}

static void test_refuses_an_incomplete_tree(void **state)
{
    bit_writer w = {0};
    uint8_t out[5];
    put(&w, 0, 1);
    put_trees(&w, 5, 240, 8);
    put(&w, 'a', 8);
    assert_int_equal(decode(&w, out, 5), WEFT_XEX_E_FORMAT);
}

static void test_refuses_unknown_block_types(void **state)
{
    const unsigned types[] = {0, 4, 5, 6, 7};
    for (unsigned i = 0; i < 5; i++) {
        bit_writer w = {0};
        uint8_t out[4];
        put(&w, 0, 1);
        put(&w, types[i], 3);
        put(&w, 4, 24);
        put(&w, 0, 32);
        assert_int_equal(decode(&w, out, 4), WEFT_XEX_E_FORMAT);
    }
}

static void test_refuses_bad_windows(void **state)
{
    const uint32_t windows[] = {0, 1, 0x4000, 0x8001, 0xC000, 0x400000, UINT32_MAX};
    uint8_t in[64] = {0}, out[4];
    for (unsigned i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        assert_int_equal(weft_lzx_decode(in, sizeof in, windows[i], out, 4, NULL),
                         WEFT_XEX_E_FORMAT);
    }
}

/* ---- the encoder, with libmspack to say what its streams mean ---- */

/* Text-like, table-like, repetitive and random stretches in turn. */
static uint8_t *make_input(size_t size)
{
    static const char *const words[] = {"guest ", "thread ", "policy ", "weave ", "loom ", "shed "};
    uint8_t *in = malloc(size);
    uint32_t seed = 7;
    size_t p = 0;
    while (p < size) {
        uint32_t r = random_next(&seed);
        size_t run = 50 + r % 3000;
        for (size_t i = 0; i < run && p < size; i++) {
            switch (r >> 16 & 3) {
            case 0:
                in[p] = (uint8_t)words[random_next(&seed) % 6][i % 5];
                break;
            case 1:
                in[p] = (uint8_t)(i % 4 == 3 ? i / 4 : 0);
                break;
            case 2:
                in[p] = p >= 5000 ? in[p - 4321] : 0xE8;
                break;
            default:
                in[p] = (uint8_t)random_next(&seed);
                break;
            }
            p++;
        }
    }
    return in;
}

/* Encodes; libmspack and our decoder must both give the input back. */
static void check_round_trip(const uint8_t *in, size_t size, weft_lzx_options options)
{
    weft_lzx_stream stream;
    uint8_t *ours = malloc(size), *theirs = malloc(size);
    char err[256] = "";
    assert_int_equal(weft_lzx_encode(in, size, &options, &stream), 0);
    assert_int_equal(stream.frame_count, (size + 0x7FFF) / 0x8000);
    assert_true(cabinet_decode(&stream, options.window, theirs, size));
    assert_memory_equal(theirs, in, size);
    if (weft_lzx_decode(stream.bytes, stream.size, options.window, ours, size, err)) {
        fail_msg("%s", err);
    }
    assert_memory_equal(ours, in, size);
    weft_lzx_stream_free(&stream);
    free(ours);
    free(theirs);
}

static void check_type(unsigned type, size_t size, uint32_t block_size)
{
    uint8_t *in = make_input(size);
    check_round_trip(in, size, (weft_lzx_options){0x8000, block_size, type, 0});
    free(in);
}

static void test_mspack_reads_verbatim_blocks(void **state)
{
    check_type(WEFT_LZX_VERBATIM, MAX_INPUT, 0);
}

static void test_mspack_reads_aligned_blocks(void **state)
{
    check_type(WEFT_LZX_ALIGNED_BLOCK, MAX_INPUT, 0);
}

static void test_mspack_reads_uncompressed_blocks(void **state)
{
    check_type(WEFT_LZX_UNCOMPRESSED, MAX_INPUT, 0);
}

static void test_mspack_reads_chosen_blocks(void **state)
{
    check_type(0, MAX_INPUT - 123, 0);
}

static void test_mspack_reads_blocks_across_frames(void **state)
{
    check_type(0, MAX_INPUT, 12345);
    check_type(WEFT_LZX_ALIGNED_BLOCK, MAX_INPUT, 40001);
}

static void test_mspack_reads_odd_uncompressed_blocks(void **state)
{
    check_type(WEFT_LZX_UNCOMPRESSED, 20001, 777);
}

static void test_mspack_reads_every_window(void **state)
{
    uint8_t *in = make_input(0x14000);
    for (unsigned bits = 15; bits <= 21; bits++) {
        check_round_trip(in, 0x14000, (weft_lzx_options){1u << bits, 0, 0, 0});
    }
    free(in);
}

/* A match from the far end of a window of 128 KiB: slots with 15 and more extra bits. */
static void test_mspack_reads_far_matches(void **state)
{
    size_t size = 0x24000;
    uint8_t *in = make_input(size);
    memcpy(in + 0x20100, in + 0x200, 3000);
    memcpy(in + 0x21000, in + 0x5000, 3000);
    check_round_trip(in, size, (weft_lzx_options){0x40000, 0, 0, 0});
    free(in);
}

static void test_mspack_reads_zeros_and_single_bytes(void **state)
{
    uint8_t *in = calloc(1, 0x18000);
    check_round_trip(in, 0x18000, (weft_lzx_options){0x8000, 0, 0, 0});
    check_round_trip(in, 1, (weft_lzx_options){0x8000, 0, 0, 0});
    check_round_trip(in, 2, (weft_lzx_options){0x8000, 0, WEFT_LZX_VERBATIM, 0});
    check_round_trip(in, 0x8001, (weft_lzx_options){0x8000, 0, WEFT_LZX_ALIGNED_BLOCK, 0});
    free(in);
}

static void test_zeros_become_small(void **state)
{
    uint8_t *in = calloc(1, 0x18000);
    weft_lzx_stream stream;
    assert_int_equal(weft_lzx_encode(in, 0x18000, &(weft_lzx_options){.window = 0x8000}, &stream),
                     0);
    assert_true(stream.size < 1000);
    weft_lzx_stream_free(&stream);
    free(in);
}

/* Skewed counts (Fibonacci) would need codes longer than 16 bits. */
static void test_mspack_reads_codes_of_limited_length(void **state)
{
    size_t size = 0x10000, p = 0;
    uint8_t *in = malloc(size);
    uint32_t a = 1, b = 1, seed = 3;
    for (unsigned symbol = 0; symbol < 22 && p < size; symbol++) {
        for (uint32_t i = 0; i < a && p < size; i++) {
            in[p++] = (uint8_t)(symbol * 11);
        }
        uint32_t next = a + b;
        a = b;
        b = next;
    }
    memset(in + p, 0xFF, size - p);
    for (size_t i = size - 1; i > 0; i--) {
        size_t k = random_next(&seed) % (i + 1);
        uint8_t t = in[i];
        in[i] = in[k];
        in[k] = t;
    }
    check_round_trip(in, size, (weft_lzx_options){0x8000, 0, WEFT_LZX_VERBATIM, 0});
    free(in);
}

/* The translated output is not the input; both decoders must undo it alike. */
static void test_e8_translation_equals_mspack(void **state)
{
    size_t size = 0x1A000;
    uint8_t *in = make_input(size), *ours = malloc(size), *theirs = malloc(size);
    weft_lzx_stream stream;
    weft_lzx_options options = {0x8000, 0, 0, 0x20000};
    for (size_t i = 100; i + 5 < size; i += 97) {
        in[i] = 0xE8; /* a call whose target is below the translation size, and some beyond */
        in[i + 1] = (uint8_t)i;
        in[i + 2] = (uint8_t)(i >> 7);
        in[i + 3] = (uint8_t)(i % 3);
        in[i + 4] = i % 5 ? 0 : 0xFF;
    }
    assert_int_equal(weft_lzx_encode(in, size, &options, &stream), 0);
    assert_true(cabinet_decode(&stream, 0x8000, theirs, size));
    assert_int_equal(weft_lzx_decode(stream.bytes, stream.size, 0x8000, ours, size, NULL), 0);
    assert_memory_equal(ours, theirs, size);
    assert_memory_not_equal(ours, in, size);
    weft_lzx_stream_free(&stream);
    free(in);
    free(ours);
    free(theirs);
}

/*
 * By hand: a call at offset 4 with the absolute target 0x104 is relative 0x100; one with the target
 * -2 is -2 + size. Of 21 bytes the last ten begin no call: the one at offset 11 stays.
 */
static void test_e8_translation_by_hand(void **state)
{
    const uint8_t in[21] = {0,    0xE8, 0xFF, 0xFF, 0xFF, 0xFF, 0xE8, 4, 1, 0, 0,
                            0xE8, 1,    0,    0,    0,    0,    0,    0, 0, 0};
    const uint8_t expected[21] = {0,    0xE8, 0xFF, 0x0F, 0, 0, 0xE8, 0xFE, 0, 0, 0,
                                  0xE8, 1,    0,    0,    0, 0, 0,    0,    0, 0};
    weft_lzx_stream stream;
    uint8_t out[21];
    assert_int_equal(
        weft_lzx_encode(in, sizeof in, &(weft_lzx_options){0x8000, 0, 0, 0x1000}, &stream), 0);
    assert_int_equal(weft_lzx_decode(stream.bytes, stream.size, 0x8000, out, sizeof out, NULL), 0);
    assert_memory_equal(out, expected, sizeof out);
    weft_lzx_stream_free(&stream);
}

static void test_encoding_is_repeatable(void **state)
{
    uint8_t *in = make_input(0x9000);
    weft_lzx_stream a, b;
    weft_lzx_options options = {.window = 0x10000};
    assert_int_equal(weft_lzx_encode(in, 0x9000, &options, &a), 0);
    assert_int_equal(weft_lzx_encode(in, 0x9000, &options, &b), 0);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.bytes, b.bytes, a.size);
    weft_lzx_stream_free(&a);
    weft_lzx_stream_free(&b);
    free(in);
}

/* The exact-size copy makes a read past the end visible to AddressSanitizer. */
static void test_refuses_every_truncation(void **state)
{
    size_t size = 2000;
    uint8_t *in = make_input(size), *out = malloc(size);
    for (unsigned type = 1; type <= 3; type++) {
        weft_lzx_stream stream;
        weft_lzx_options options = {0x8000, 700, type, 0};
        assert_int_equal(weft_lzx_encode(in, size, &options, &stream), 0);
        for (size_t n = 0; n < stream.size; n++) {
            uint8_t *cut = malloc(n + 1);
            memcpy(cut, stream.bytes, n);
            assert_int_equal(weft_lzx_decode(cut, n, 0x8000, out, size, NULL), WEFT_XEX_E_FORMAT);
            free(cut);
        }
        weft_lzx_stream_free(&stream);
    }
    free(in);
    free(out);
}

/* What we accept of a damaged stream, libmspack must accept too, and give the same bytes. */
static void test_bit_flips_agree_with_mspack(void **state)
{
    size_t size = 3000;
    uint8_t *in = make_input(size), *ours = malloc(size), *theirs = malloc(size);
    unsigned accepted = 0, refused = 0;
    weft_lzx_stream stream;
    assert_int_equal(weft_lzx_encode(in, size, &(weft_lzx_options){0x8000, 1000, 0, 0}, &stream),
                     0);
    for (size_t bit = 0; bit < stream.size * 8; bit += 5) {
        stream.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (weft_lzx_decode(stream.bytes, stream.size, 0x8000, ours, size, NULL)) {
            refused++;
        } else {
            accepted++;
            assert_true(cabinet_decode(&stream, 0x8000, theirs, size));
            assert_memory_equal(ours, theirs, size);
        }
        stream.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(accepted > 10 && refused > 10);
    weft_lzx_stream_free(&stream);
    free(in);
    free(ours);
    free(theirs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decodes_literals_of_a_verbatim_block),
        cmocka_unit_test(test_decodes_a_repeated_offset),
        cmocka_unit_test(test_decodes_an_offset_with_extra_bits),
        cmocka_unit_test(test_decodes_the_second_recent_offset),
        cmocka_unit_test(test_decodes_an_uncompressed_block),
        cmocka_unit_test(test_refuses_a_match_before_the_output),
        cmocka_unit_test(test_refuses_a_match_past_its_block),
        cmocka_unit_test(test_refuses_an_incomplete_tree),
        cmocka_unit_test(test_refuses_unknown_block_types),
        cmocka_unit_test(test_refuses_bad_windows),
        cmocka_unit_test(test_mspack_reads_verbatim_blocks),
        cmocka_unit_test(test_mspack_reads_aligned_blocks),
        cmocka_unit_test(test_mspack_reads_uncompressed_blocks),
        cmocka_unit_test(test_mspack_reads_chosen_blocks),
        cmocka_unit_test(test_mspack_reads_blocks_across_frames),
        cmocka_unit_test(test_mspack_reads_odd_uncompressed_blocks),
        cmocka_unit_test(test_mspack_reads_every_window),
        cmocka_unit_test(test_mspack_reads_far_matches),
        cmocka_unit_test(test_mspack_reads_zeros_and_single_bytes),
        cmocka_unit_test(test_zeros_become_small),
        cmocka_unit_test(test_mspack_reads_codes_of_limited_length),
        cmocka_unit_test(test_e8_translation_equals_mspack),
        cmocka_unit_test(test_e8_translation_by_hand),
        cmocka_unit_test(test_encoding_is_repeatable),
        cmocka_unit_test(test_refuses_every_truncation),
        cmocka_unit_test(test_bit_flips_agree_with_mspack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
