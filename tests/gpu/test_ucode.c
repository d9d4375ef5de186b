/* Decoding of single instructions and of whole shaders. Bit positions: xenia src/xenia/gpu/ucode.h, by
 * hand; the instructions of a2xx_words are from freedreno's dumps of Adreno 200 shaders, the same family
 * (github.com/freedreno/freedreno, util/disasm-a2xx.c prints them in that form). */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "test.h"
#include "ucode.h"

/* ---- one field at a time ---- */

typedef struct field {
    uint32_t word, low, width;
    size_t offset;
    uint32_t size; /* of the decoded field */
    int32_t ones;  /* its value where all bits are set */
} field;

#define FIELD(type, word, low, width, name, ones)                                                  \
    {                                                                                              \
        word, low, width, offsetof(type, name), sizeof(((type *)0)->name), ones                    \
    }

static int32_t value_at(const void *decoded, const field *f)
{
    const char *at = (const char *)decoded + f->offset;
    if (f->size == 1) { /* int8_t where negative numbers are expected */
        return f->ones < 0 ? *(const int8_t *)at : *(const uint8_t *)at;
    }
    int32_t wide;
    uint16_t half;
    if (f->size == 2) {
        memcpy(&half, at, 2);
        return half;
    }
    memcpy(&wide, at, 4);
    return wide;
}

static void set_ones(uint32_t *words, const field *f)
{
    for (uint32_t i = 0; i < f->width; i++) {
        words[f->word] |= 1u << (f->low + i);
    }
}

static void alu_fields_alone(void **state)
{
    /* everything unset: all sources are constants */
    static const field fields[] = {
        FIELD(xenos_alu, 0, 0, 6, vector_dest, 63),
        FIELD(xenos_alu, 0, 6, 1, vector_relative, 1),
        FIELD(xenos_alu, 0, 7, 1, source[0].absolute, 1),
        FIELD(xenos_alu, 0, 7, 1, source[2].absolute, 1),
        FIELD(xenos_alu, 0, 8, 6, scalar_dest, 63),
        FIELD(xenos_alu, 0, 14, 1, scalar_relative, 1),
        FIELD(xenos_alu, 0, 15, 1, exports, 1),
        FIELD(xenos_alu, 0, 16, 4, vector_mask, 15),
        FIELD(xenos_alu, 0, 16, 4, raw_vector_mask, 15),
        FIELD(xenos_alu, 0, 20, 4, scalar_mask, 15),
        FIELD(xenos_alu, 0, 20, 4, raw_scalar_mask, 15),
        FIELD(xenos_alu, 0, 24, 1, vector_clamp, 1),
        FIELD(xenos_alu, 0, 25, 1, scalar_clamp, 1),
        FIELD(xenos_alu, 0, 26, 6, scalar_opcode, 63),
        FIELD(xenos_alu, 1, 0, 2, source[2].swizzle[0], 3),
        FIELD(xenos_alu, 1, 10, 2, source[1].swizzle[1], 0), /* (3 + 1) & 3 */
        FIELD(xenos_alu, 1, 20, 2, source[0].swizzle[2], 1),
        FIELD(xenos_alu, 1, 22, 2, source[0].swizzle[3], 2),
        FIELD(xenos_alu, 1, 24, 1, source[2].negate, 1),
        FIELD(xenos_alu, 1, 25, 1, source[1].negate, 1),
        FIELD(xenos_alu, 1, 26, 1, source[0].negate, 1),
        FIELD(xenos_alu, 1, 27, 1, condition, 1),
        FIELD(xenos_alu, 1, 28, 1, predicated, 1),
        FIELD(xenos_alu, 2, 0, 8, source[2].index, 255),
        FIELD(xenos_alu, 2, 8, 8, source[1].index, 255),
        FIELD(xenos_alu, 2, 16, 8, source[0].index, 255),
        FIELD(xenos_alu, 2, 24, 5, vector_opcode, 31),
        FIELD(xenos_alu, 2, 29, 1, source[2].constant, 0),
        FIELD(xenos_alu, 2, 30, 1, source[1].constant, 0),
        FIELD(xenos_alu, 2, 31, 1, source[0].constant, 0),
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint32_t words[3] = {0};
        xenos_alu alu;
        set_ones(words, &fields[i]);
        xenos_alu_decode(words, &alu);
        if (value_at(&alu, &fields[i]) != fields[i].ones) {
            fail_msg("row %zu: %d", i, value_at(&alu, &fields[i]));
        }
    }
}

static void vertex_fetch_fields_alone(void **state)
{
    static const field fields[] = {
        FIELD(xenos_fetch, 0, 5, 6, source, 63),
        FIELD(xenos_fetch, 0, 11, 1, source_relative, 1),
        FIELD(xenos_fetch, 0, 12, 6, dest, 63),
        FIELD(xenos_fetch, 0, 18, 1, dest_relative, 1),
        FIELD(xenos_fetch, 0, 20, 5, constant, 93), /* three to a group */
        FIELD(xenos_fetch, 0, 25, 1, constant, 1),
        FIELD(xenos_fetch, 0, 26, 1, constant, 2),
        FIELD(xenos_fetch, 0, 20, 7, constant, 95), /* 96 does not exist */
        FIELD(xenos_fetch, 0, 27, 3, prefetch, 7),
        FIELD(xenos_fetch, 0, 30, 2, source_swizzle[0], 3),
        FIELD(xenos_fetch, 1, 0, 3, dest_swizzle[0], 7),
        FIELD(xenos_fetch, 1, 9, 3, dest_swizzle[3], 7),
        FIELD(xenos_fetch, 1, 12, 1, is_signed, 1),
        FIELD(xenos_fetch, 1, 13, 1, integer, 1),
        FIELD(xenos_fetch, 1, 14, 1, zero_clamp_minus_one_free, 1),
        FIELD(xenos_fetch, 1, 15, 1, round_index, 1),
        FIELD(xenos_fetch, 1, 16, 6, format, 63),
        FIELD(xenos_fetch, 1, 24, 6, exponent, -1),
        FIELD(xenos_fetch, 1, 24, 5, exponent, 31),
        FIELD(xenos_fetch, 1, 30, 1, mini, 1),
        FIELD(xenos_fetch, 1, 31, 1, predicated, 1),
        FIELD(xenos_fetch, 2, 0, 8, stride, 255),
        FIELD(xenos_fetch, 2, 8, 23, offset, -1),
        FIELD(xenos_fetch, 2, 8, 22, offset, 4194303),
        FIELD(xenos_fetch, 2, 31, 1, condition, 1),
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint32_t words[3] = {0};
        xenos_fetch fetch;
        set_ones(words, &fields[i]);
        xenos_fetch_decode(words, &fetch);
        if (value_at(&fetch, &fields[i]) != fields[i].ones) {
            fail_msg("row %zu: %d", i, value_at(&fetch, &fields[i]));
        }
    }
}

static void texture_fetch_fields_alone(void **state)
{
    static const field fields[] = {
        FIELD(xenos_fetch, 0, 19, 1, valid_only, 1),
        FIELD(xenos_fetch, 0, 20, 5, constant, 31),
        FIELD(xenos_fetch, 0, 25, 1, unnormalized, 1),
        FIELD(xenos_fetch, 0, 26, 2, source_swizzle[0], 3),
        FIELD(xenos_fetch, 0, 28, 2, source_swizzle[1], 3),
        FIELD(xenos_fetch, 0, 30, 2, source_swizzle[2], 3),
        FIELD(xenos_fetch, 1, 12, 2, mag_filter, 3),
        FIELD(xenos_fetch, 1, 14, 2, min_filter, 3),
        FIELD(xenos_fetch, 1, 16, 2, mip_filter, 3),
        FIELD(xenos_fetch, 1, 18, 3, aniso_filter, 7),
        FIELD(xenos_fetch, 1, 21, 3, arbitrary_filter, 7),
        FIELD(xenos_fetch, 1, 24, 2, vol_mag_filter, 3),
        FIELD(xenos_fetch, 1, 26, 2, vol_min_filter, 3),
        FIELD(xenos_fetch, 1, 28, 1, computed_lod, 1),
        FIELD(xenos_fetch, 1, 29, 1, register_lod, 1),
        FIELD(xenos_fetch, 2, 0, 1, register_gradients, 1),
        FIELD(xenos_fetch, 2, 1, 1, sample_center, 1),
        FIELD(xenos_fetch, 2, 2, 7, lod_bias, -1),
        FIELD(xenos_fetch, 2, 2, 6, lod_bias, 63),
        FIELD(xenos_fetch, 2, 14, 2, dimension, 3),
        FIELD(xenos_fetch, 2, 16, 5, offset_x, -1),
        FIELD(xenos_fetch, 2, 21, 5, offset_y, -1),
        FIELD(xenos_fetch, 2, 26, 4, offset_z, 15),
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint32_t words[3] = {XENOS_FETCH_TEXTURE};
        xenos_fetch fetch;
        set_ones(words, &fields[i]);
        xenos_fetch_decode(words, &fetch);
        if (value_at(&fetch, &fields[i]) != fields[i].ones) {
            fail_msg("row %zu: %d", i, value_at(&fetch, &fields[i]));
        }
    }
}

/* Word 0 and 1 are of the first instruction of a pair. The opcode fills word 1, 15:12. */
static void control_flow_fields_alone(void **state)
{
    static const struct {
        uint32_t opcode;
        field field;
    } rows[] = {
        {XENOS_CF_EXEC, FIELD(xenos_cf, 0, 0, 12, address, 4095)},
        {XENOS_CF_EXEC, FIELD(xenos_cf, 0, 12, 3, count, 7)},
        {XENOS_CF_EXEC, FIELD(xenos_cf, 0, 15, 1, yield, 1)},
        {XENOS_CF_EXEC, FIELD(xenos_cf, 0, 16, 12, sequence, 4095)},
        {XENOS_CF_EXEC, FIELD(xenos_cf, 0, 28, 4, vertex_cache, 15)},
        {XENOS_CF_EXEC, FIELD(xenos_cf, 1, 0, 2, vertex_cache, 48)},
        {XENOS_CF_EXEC, FIELD(xenos_cf, 1, 9, 1, clean, 1)},
        {XENOS_CF_EXEC, FIELD(xenos_cf, 1, 11, 1, absolute, 1)},
        {XENOS_CF_COND_EXEC, FIELD(xenos_cf, 1, 2, 8, boolean, 255)},
        {XENOS_CF_COND_EXEC, FIELD(xenos_cf, 1, 9, 1, clean, 0)},
        {XENOS_CF_COND_EXEC_END, FIELD(xenos_cf, 1, 10, 1, condition, 1)},
        {XENOS_CF_COND_EXEC_PRED, FIELD(xenos_cf, 1, 9, 1, clean, 1)},
        {XENOS_CF_COND_EXEC_PRED_END, FIELD(xenos_cf, 1, 10, 1, condition, 1)},
        {XENOS_CF_COND_EXEC_PRED_CLEAN, FIELD(xenos_cf, 1, 2, 8, boolean, 255)},
        {XENOS_CF_COND_EXEC_PRED_CLEAN_END, FIELD(xenos_cf, 0, 0, 1, clean, 1)},
        {XENOS_CF_LOOP_START, FIELD(xenos_cf, 0, 0, 13, address, 8191)},
        {XENOS_CF_LOOP_START, FIELD(xenos_cf, 0, 13, 1, repeat, 1)},
        {XENOS_CF_LOOP_START, FIELD(xenos_cf, 0, 16, 5, loop, 31)},
        {XENOS_CF_LOOP_END, FIELD(xenos_cf, 0, 0, 13, address, 8191)},
        {XENOS_CF_LOOP_END, FIELD(xenos_cf, 0, 16, 5, loop, 31)},
        {XENOS_CF_LOOP_END, FIELD(xenos_cf, 0, 21, 1, predicated, 1)},
        {XENOS_CF_LOOP_END, FIELD(xenos_cf, 1, 10, 1, condition, 1)},
        {XENOS_CF_COND_CALL, FIELD(xenos_cf, 0, 0, 13, address, 8191)},
        {XENOS_CF_COND_CALL, FIELD(xenos_cf, 0, 13, 1, unconditional, 1)},
        {XENOS_CF_COND_CALL, FIELD(xenos_cf, 0, 14, 1, predicated, 1)},
        {XENOS_CF_COND_CALL, FIELD(xenos_cf, 1, 2, 8, boolean, 255)},
        {XENOS_CF_COND_JMP, FIELD(xenos_cf, 1, 1, 1, backward, 1)},
        {XENOS_CF_COND_JMP, FIELD(xenos_cf, 1, 10, 1, condition, 1)},
        {XENOS_CF_RETURN, FIELD(xenos_cf, 1, 11, 1, absolute, 1)},
        {XENOS_CF_ALLOC, FIELD(xenos_cf, 0, 0, 3, alloc_size, 7)},
        {XENOS_CF_ALLOC, FIELD(xenos_cf, 1, 8, 1, unserialized, 1)},
        {XENOS_CF_ALLOC, FIELD(xenos_cf, 1, 9, 2, alloc, 3)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const field *f = &rows[i].field;
        uint32_t bits[2] = {0, rows[i].opcode << 12};
        set_ones(bits, f);
        xenos_cf pair[2];
        uint32_t first[3] = {bits[0], bits[1], 0};
        xenos_cf_decode(first, pair);
        if (pair[0].opcode != rows[i].opcode || value_at(&pair[0], f) != f->ones) {
            fail_msg("row %zu: first: %d", i, value_at(&pair[0], f));
        }
        uint32_t second[3] = {0, bits[0] << 16, bits[0] >> 16 | bits[1] << 16};
        xenos_cf_decode(second, pair);
        if (pair[1].opcode != rows[i].opcode || value_at(&pair[1], f) != f->ones) {
            fail_msg("row %zu: second: %d", i, value_at(&pair[1], f));
        }
    }
}

/* ---- whole instructions ---- */

/* "4c1f0003 0022001b a1020201: MULv R3 = R2.zyxw, C2; RECIP_IEEE R0.x___ = R1.wwww" */
static void a2xx_words(void **state)
{
    static const uint32_t words[3] = {0x4c1f0003, 0x0022001b, 0xa1020201};
    static const uint8_t zyxw[4] = {2, 1, 0, 3}, xyzw[4] = {0, 1, 2, 3}, wwww[4] = {3, 3, 3, 3};
    xenos_alu alu;
    xenos_alu_decode(words, &alu);
    assert_int_equal(alu.vector_opcode, XENOS_V_MUL);
    assert_int_equal(alu.scalar_opcode, XENOS_S_RCP);
    assert_int_equal(alu.vector_dest, 3);
    assert_int_equal(alu.vector_mask, 15);
    assert_int_equal(alu.scalar_dest, 0);
    assert_int_equal(alu.scalar_mask, 1);
    assert_int_equal(alu.source[0].constant, 0);
    assert_int_equal(alu.source[0].index, 2);
    assert_memory_equal(alu.source[0].swizzle, zyxw, 4);
    assert_int_equal(alu.source[1].constant, 1);
    assert_int_equal(alu.source[1].index, 2);
    assert_memory_equal(alu.source[1].swizzle, xyzw, 4);
    assert_int_equal(alu.source[2].constant, 0);
    assert_int_equal(alu.source[2].index, 1);
    assert_memory_equal(alu.source[2].swizzle, wwww, 4);
}

/* Masks of an export, one component for each of the four cases (ucode.h): x both: 1; y vector; z scalar;
 * w none: 0 with the scalar's relative bit, else untouched. */
static void masks_of_exports(void **state)
{
    uint32_t words[3] = {1u << 15 | 1u << 14 | 0x3u << 16 | 0x5u << 20 | 62, 0, 0};
    xenos_alu alu;
    xenos_alu_decode(words, &alu);
    assert_int_equal(alu.one_mask, 1);
    assert_int_equal(alu.vector_mask, 2);
    assert_int_equal(alu.scalar_mask, 4);
    assert_int_equal(alu.zero_mask, 8);
    assert_int_equal(alu.scalar_relative, 0);
    words[0] &= ~(1u << 14);
    xenos_alu_decode(words, &alu);
    assert_int_equal(alu.zero_mask, 0);
    words[0] &= ~(1u << 15); /* no export: as they are */
    xenos_alu_decode(words, &alu);
    assert_int_equal(alu.vector_mask, 3);
    assert_int_equal(alu.scalar_mask, 5);
    assert_int_equal(alu.one_mask, 0);
}

/* The first constant has bit 31, later ones bit 30; bit 29 chooses a0. */
static void relative_constants(void **state)
{
    xenos_alu alu;
    uint32_t words[3] = {0, 0x80000000, 0}; /* c, c, c */
    xenos_alu_decode(words, &alu);
    assert_int_equal(alu.source[0].relative, XENOS_ADDRESS_LOOP);
    assert_int_equal(alu.source[1].relative, XENOS_ADDRESS_ABSOLUTE);
    assert_int_equal(alu.source[2].relative, XENOS_ADDRESS_ABSOLUTE);
    words[1] = 0x60000000;
    xenos_alu_decode(words, &alu);
    assert_int_equal(alu.source[0].relative, XENOS_ADDRESS_ABSOLUTE);
    assert_int_equal(alu.source[1].relative, XENOS_ADDRESS_A0);
    assert_int_equal(alu.source[2].relative, XENOS_ADDRESS_A0);
    words[1] = 0xA0000000;
    words[2] = 0xC0000000; /* r, r, c */
    xenos_alu_decode(words, &alu);
    assert_int_equal(alu.source[0].relative, XENOS_ADDRESS_ABSOLUTE);
    assert_int_equal(alu.source[2].relative, XENOS_ADDRESS_A0);
    words[2] = 0xC07F4000; /* r63 without, r0 with the loop register */
    words[2] |= 0x80;      /* c128 */
    xenos_alu_decode(words, &alu);
    assert_int_equal(alu.source[0].relative, XENOS_ADDRESS_LOOP);
    assert_int_equal(alu.source[0].index, 63);
    assert_int_equal(alu.source[1].relative, XENOS_ADDRESS_LOOP);
    assert_int_equal(alu.source[1].index, 0);
    assert_int_equal(alu.source[2].index, 128);
}

/* The register of mulsc is in pieces: opcode bit 0, source 3's kind, swizzle bits 5:2. */
static void constant_and_register(void **state)
{
    uint32_t words[3] = {43u << 26, 0x2Cu | 1u << 24, 0xE00000FF};
    xenos_alu alu;
    xenos_alu_decode(words, &alu);
    assert_int_equal(alu.source[2].constant, 1);
    assert_int_equal(alu.source[2].index, 255);
    assert_int_equal(alu.source[2].swizzle[3], 3);
    assert_int_equal(alu.scalar_temporary.index, 0x2F);
    assert_int_equal(alu.scalar_temporary.constant, 0);
    assert_int_equal(alu.scalar_temporary.swizzle[0], 0);
    assert_int_equal(alu.scalar_temporary.negate, 1);
    words[2] = 0xC00000FF;
    words[0] = 42u << 26;
    xenos_alu_decode(words, &alu);
    assert_int_equal(alu.scalar_temporary.index, 0x2C);
}

/* ---- tables ---- */

static void tables_have_the_counts_of_the_issue(void **state)
{
    uint32_t vector = 0, scalar = 0, fetch = 0;
    for (uint32_t i = 0; i < 64; i++) {
        scalar += xenos_scalar_info(i)->name != NULL;
        assert_true((xenos_scalar_info(i)->name == NULL) == (xenos_scalar_info(i)->remark == NULL));
    }
    for (uint32_t i = 0; i < 32; i++) {
        vector += xenos_vector_info(i)->name != NULL;
        fetch += xenos_fetch_name(i) != NULL;
    }
    assert_int_equal(vector, 30);
    assert_int_equal(scalar, 50);
    assert_int_equal(fetch, 9);
    for (uint32_t i = 0; i < 16; i++) {
        assert_non_null(xenos_cf_name(i));
    }
}

/* ---- programs ---- */

#define EXEC(opcode, address, count, sequence)                                                     \
    ((uint64_t)(opcode) << 44 | (uint64_t)(sequence) << 16 | (count) << 12 | (address))

static void put_pair(uint32_t *words, uint64_t a, uint64_t b)
{
    words[0] = (uint32_t)a;
    words[1] = (uint32_t)(a >> 32) | (uint32_t)(b << 16);
    words[2] = (uint32_t)(b >> 16);
}

/* What stands behind the last exec but before the first one's triples is control flow still. */
static void subroutines_behind_the_end_count(void **state)
{
    uint32_t words[12] = {0};
    put_pair(words, EXEC(XENOS_CF_EXEC_END, 2, 1, 0), EXEC(XENOS_CF_EXEC, 3, 1, 0));
    put_pair(words + 3, (uint64_t)XENOS_CF_RETURN << 44, 0);
    xenos_program *p = xenos_program_new(XENOS_STAGE_PIXEL, words, 12);
    assert_int_equal(p->cf_count, 4);
    assert_int_equal(p->cf[2].opcode, XENOS_CF_RETURN);
    assert_int_equal(p->instruction_count, 2);
    assert_int_equal(p->instructions[p->cf[1].first].address, 3);
    xenos_program_free(p);
}

static void empty_execs_end_the_shader(void **state)
{
    uint32_t words[9] = {0};
    put_pair(words, EXEC(XENOS_CF_EXEC_END, 0, 0, 0), ~UINT64_C(0) >> 16);
    memset(words + 3, 0xFF, 24);
    xenos_program *p = xenos_program_new(XENOS_STAGE_VERTEX, words, 9);
    assert_int_equal(p->cf_count, 1);
    assert_int_equal(p->instruction_count, 0);
    xenos_program_free(p);
}

static void execs_that_leave_the_code_are_cut(void **state)
{
    uint32_t words[9] = {0};
    put_pair(words, EXEC(XENOS_CF_EXEC, 1, 6, 0), EXEC(XENOS_CF_EXEC_END, 4095, 7, 0xFFF));
    xenos_program *p = xenos_program_new(XENOS_STAGE_VERTEX, words, 9);
    assert_int_equal(p->cf[0].count, 2);
    assert_int_equal(p->cf[1].count, 0);
    assert_int_equal(p->instruction_count, 2);
    xenos_program_free(p);
    put_pair(words, EXEC(XENOS_CF_EXEC_END, 2, 2, 0), 0); /* by one */
    p = xenos_program_new(XENOS_STAGE_VERTEX, words, 9);
    assert_int_equal(p->cf[0].count, 1);
    xenos_program_free(p);
    p = xenos_program_new(XENOS_STAGE_VERTEX, words, 2); /* not one triple */
    assert_int_equal(p->dwords, 0);
    assert_int_equal(p->cf_count, 0);
    xenos_program_free(p);
}

/* The hash is of the bytes as they lie in the console's memory. */
static void hash_is_of_big_endian_bytes(void **state)
{
    static const uint32_t words[4] = {0x00010203, 0x04050607, 0x08090A0B, 0xFFFFFFFF};
    static const uint8_t bytes[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    xenos_program *p = xenos_program_new(XENOS_STAGE_VERTEX, words, 4);
    assert_int_equal(p->dwords, 3);
    assert_true(p->hash == XXH3_64bits(bytes, 12));
    xenos_program_free(p);
}

/* A mini fetch takes address, constant and stride of the full one before it, in another exec too. */
static void mini_fetches_are_completed(void **state)
{
    uint32_t words[9] = {0};
    put_pair(words, EXEC(XENOS_CF_EXEC, 1, 1, 1), EXEC(XENOS_CF_EXEC_END, 2, 1, 1));
    words[3] = 1u << 25 | 2u << 20 | 5u << 5 | 1u << 30; /* constant 2 * 3 + 1, r5.y */
    words[4] = 1u << 15;
    words[5] = 9; /* stride */
    words[6] = 6u << 12;
    words[7] = 1u << 30;
    words[8] = 3u << 8;
    xenos_program *p = xenos_program_new(XENOS_STAGE_VERTEX, words, 9);
    const xenos_fetch *mini = &p->instructions[1].fetch;
    assert_int_equal(mini->mini, 1);
    assert_int_equal(mini->dest, 6);
    assert_int_equal(mini->offset, 3);
    assert_int_equal(mini->constant, 7);
    assert_int_equal(mini->source, 5);
    assert_int_equal(mini->source_swizzle[0], 1);
    assert_int_equal(mini->stride, 9);
    assert_int_equal(mini->round_index, 1);
    assert_int_equal(p->vertex_fetches[0], 1u << 7);
    assert_int_equal(p->temporaries, 7);
    xenos_program_free(p);
}

static void uses_are_gathered(void **state)
{
    char error[256];
    static const char text[] = "xps_3_0\n"
                               "exec\n"
                               "tfetch2D r9, r1.xy, tf3\n"
                               "tfetch3D r0, r1.xyz, tf31, UseComputedLOD=false\n"
                               "exec\n"
                               "kill_gt r0._, r0, c0\n"
                               "mad eA, r0, c[1+aL], c2\n"
                               "mov eM2, r0\n"
                               "mov oC1._, r0\n"
                               "exece\n"
                               "mov oC0._001, r0\n"
                               "+ movs oC0.x, r12.x\n";
    uint32_t stage, dwords;
    uint32_t *words = xenos_assemble(text, strlen(text), &stage, &dwords, error);
    if (words == NULL) {
        fail_msg("%s", error);
    }
    xenos_program *p = xenos_program_new(stage, words, dwords);
    assert_int_equal(p->textures, 1u << 3 | 1u << 31);
    assert_int_equal(p->gradients, 1);
    assert_int_equal(p->kills, 1);
    assert_int_equal(p->memory_export, 1);
    assert_int_equal(p->relative_constants, 1);
    assert_int_equal(p->temporaries, 13);
    assert_true(p->exports == (UINT64_C(1) << 32 | UINT64_C(1) << 35 | 1));
    xenos_program_free(p);

    /* a vertex shader has no neighbours */
    p = xenos_program_new(XENOS_STAGE_VERTEX, words, dwords);
    assert_int_equal(p->gradients, 0);
    xenos_program_free(p);
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alu_fields_alone),
        cmocka_unit_test(vertex_fetch_fields_alone),
        cmocka_unit_test(texture_fetch_fields_alone),
        cmocka_unit_test(control_flow_fields_alone),
        cmocka_unit_test(a2xx_words),
        cmocka_unit_test(masks_of_exports),
        cmocka_unit_test(relative_constants),
        cmocka_unit_test(constant_and_register),
        cmocka_unit_test(tables_have_the_counts_of_the_issue),
        cmocka_unit_test(subroutines_behind_the_end_count),
        cmocka_unit_test(empty_execs_end_the_shader),
        cmocka_unit_test(execs_that_leave_the_code_are_cut),
        cmocka_unit_test(hash_is_of_big_endian_bytes),
        cmocka_unit_test(mini_fetches_are_completed),
        cmocka_unit_test(uses_are_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
