/* What each packet does to registers and memory. Meanings: xenia src/xenia/gpu/command_processor.cc
 * and xenos.h; streams marked libxenon are what its drivers/xenos/xe.c sends to real hardware. */
#include <stdio.h>
#include <string.h>

#include "test.h"

#define T3(opcode, count) XENOS_TYPE3(XENOS_PM4_##opcode, count)

/* ---- the tables ---- */

static void register_table_is_sorted_and_found(void **state)
{
    size_t count;
    const xenos_register *rows = xenos_register_table(&count);
    assert_true(count >= 400);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || rows[i - 1].number < rows[i].number);
        assert_ptr_equal(xenos_register_find(rows[i].number), &rows[i]);
        assert_true(strlen(rows[i].name) > 0 && strlen(rows[i].remark) > 0);
    }
    assert_null(xenos_register_find(0x4000));
}

/* LESSONS 69: numbers that another emulator had wrong. */
static void register_numbers_of_the_lessons(void **state)
{
    static const struct {
        uint32_t number;
        const char *name;
    } rows[] = {
        {0x21FC, "VGT_DRAW_INITIATOR"},
        {0x21FA, "VGT_DMA_BASE"},
        {0x21FB, "VGT_DMA_SIZE"},
        {0x2081, "PA_SC_WINDOW_SCISSOR_TL"},
        {0x2082, "PA_SC_WINDOW_SCISSOR_BR"},
        {0x2003, "RB_COLOR1_INFO"},
        {0x2005, "RB_COLOR3_INFO"},
        {0x2302, "PA_SU_VTX_CNTL"},
        {0x01C5, "CP_RB_WPTR"},
        {0x0578, "SCRATCH_REG0"},
        {0x057F, "SCRATCH_REG7"},
        {0x01DD, "SCRATCH_ADDR"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_non_null(xenos_register_find(rows[i].number));
        assert_string_equal(xenos_register_find(rows[i].number)->name, rows[i].name);
    }
}

static void packet_table_is_sorted_and_named(void **state)
{
    uint32_t count;
    const xenos_packet *rows = xenos_packet_table(&count);
    assert_true(count >= 46);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(i == 0 || rows[i - 1].opcode < rows[i].opcode);
        assert_ptr_equal(xenos_packet_find(rows[i].opcode), &rows[i]);
        assert_true(rows[i].minimum >= 1 && strlen(rows[i].remark) > 0);
    }
    assert_string_equal(xenos_packet_find(0x3C)->name, "WAIT_REG_MEM");
    assert_string_equal(xenos_packet_find(0x58)->name, "EVENT_WRITE_SHD");
    assert_null(xenos_packet_find(0x7F));
}

/* docs/gpu.md lists every packet, with the status that the table gives it. */
static void the_page_lists_every_packet(void **state)
{
    static char page[32768];
    FILE *file = fopen(WEFT_SOURCE_DIR "/docs/gpu.md", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = 0;
    fclose(file);
    uint32_t count;
    const xenos_packet *rows = xenos_packet_table(&count);
    for (uint32_t i = 0; i < count; i++) {
        char line[160];
        snprintf(line, sizeof line, "| 0x%02X | %s | ", rows[i].opcode, rows[i].name);
        const char *at = strstr(page, line);
        assert_non_null(at);
        int none = strncmp(at + strlen(line), "no effect yet", 13) == 0;
        assert_int_equal(none, rows[i].run == NULL);
    }
}

/* ---- types 0, 1, 2 ---- */

/* libxenon, Xe_pSetSurfaceClip: 0x00022080 and three values. */
static void type0_sets_consecutive_registers(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, 0x00022080, 11, 22, 33);
    assert_int_equal(fake_register(f, 0x2080), 11);
    assert_int_equal(fake_register(f, 0x2081), 22);
    assert_int_equal(fake_register(f, 0x2082), 33);
    assert_int_equal(fake_stats(f).packets, 1);
}

/* libxenon, Xe_pGInit6: 0x0002857E, bit 15 set: three values into the one register 0x57E. */
static void type0_one_register(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, 0x0002857E, 0x00010017, 0, 0x03FF02CF);
    assert_int_equal(fake_register(f, 0x57E), 0x03FF02CF);
    assert_int_equal(fake_register(f, 0x57F), 0);
}

static void type1_sets_two_registers(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, 1u << 30 | 0x5C8u << 11 | 0x57Bu, 5, 6);
    assert_int_equal(fake_register(f, 0x57B), 5);
    assert_int_equal(fake_register(f, 0x5C8), 6);
}

static void type2_and_zero_are_one_dword_of_nothing(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE2, 0, 0, XENOS_TYPE2, XENOS_TYPE0(0x2100, 1), 9);
    assert_int_equal(fake_register(f, 0x2100), 9);
    assert_int_equal(fake_register(f, 0), 0);
    assert_int_equal(fake_stats(f).packets, 5);
}

static void nop_skips_its_dwords(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(NOP, 3), 0x00002100, 1, 2, XENOS_TYPE0(0x2101, 1), 7);
    assert_int_equal(fake_register(f, 0x2100), 0);
    assert_int_equal(fake_register(f, 0x2101), 7);
}

/* libxenon, Xe_pGInit: 0xC0114800 and 18 dwords. */
static void me_init_takes_eighteen_dwords(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, 0xC0114800, 0x3FF, 0, 0, 0, 0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x10800,
             7, 0, 0, 0, 0, 0, XENOS_TYPE0(0x2100, 1), 3);
    assert_int_equal(fake_register(f, 0x2100), 3);
    assert_int_equal(fake_stats(f).unknown_packets, 0);
    assert_int_equal(f->logs, 0);
}

/* ---- registers ---- */

/* libxenon, Xe_pGInit5: 0xC0022100 {0x82, and, or}. */
static void reg_rmw_with_immediates(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE0(0x82, 1), 0x0000FF0F, 0xC0022100, 0x82, 0x00000F0F, 0x80010000);
    assert_int_equal(fake_register(f, 0x82), 0x80010F0F);
}

/* Bit 31: the and-mask is a register; bit 30: the or-mask. */
static void reg_rmw_with_registers(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE0(0x100, 3), 0xFF, 0x3C, 0x100, T3(REG_RMW, 3), 0xC0000100, 0x101, 0x102);
    assert_int_equal(fake_register(f, 0x100), 0x13C);
    FAKE_RUN(f, T3(REG_RMW, 3), 0x40000100, 0x0F, 0x102); /* or-mask alone */
    assert_int_equal(fake_register(f, 0x100), 0x10C);
    FAKE_RUN(f, T3(REG_RMW, 3), 0x80000100, 0x102, 0x1); /* and-mask alone */
    assert_int_equal(fake_register(f, 0x100), 0x101);
}

/* Types 0..4: ALU 0x4000, fetch 0x4800, bool 0x4900, loop 0x4908, registers 0x2000. */
static void set_constant_has_five_spaces(void **state)
{
    assert_int_equal(xenos_constant_register(0x00000005), 0x4005);
    assert_int_equal(xenos_constant_register(0x00010006), 0x4806);
    assert_int_equal(xenos_constant_register(0x00020001), 0x4901);
    assert_int_equal(xenos_constant_register(0x00030002), 0x490A);
    assert_int_equal(xenos_constant_register(0x00040200), 0x2200);
    assert_int_equal(xenos_constant_register(0x00050000), UINT32_MAX);
    fake *f = *state;
    FAKE_RUN(f, T3(SET_CONSTANT, 3), 0x00040200, 77, 88);
    assert_int_equal(fake_register(f, 0x2200), 77);
    assert_int_equal(fake_register(f, 0x2201), 88);
}

static uint32_t digest_changes(fake *f, uint64_t before)
{
    return f->ops->digest(f->gpu) != before;
}

static void set_constant2_and_shader_constants_take_numbers(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(SET_CONSTANT2, 2), 0x2180, 5, T3(SET_SHADER_CONSTANTS, 3), 0x2300, 6, 7);
    assert_int_equal(fake_register(f, 0x2180), 5);
    assert_int_equal(fake_register(f, 0x2300), 6);
    assert_int_equal(fake_register(f, 0x2301), 7);
}

static void load_alu_constant_reads_big_endian_memory(void **state)
{
    fake *f = *state;
    fake_poke(f, 0x4000, 0x3F800000);
    fake_poke(f, 0x4004, 0x40000000);
    FAKE_RUN(f, T3(LOAD_ALU_CONSTANT, 3), 0x4000, 0x00040100, 2);
    assert_int_equal(fake_register(f, 0x2100), 0x3F800000);
    assert_int_equal(fake_register(f, 0x2101), 0x40000000);
}

static void shaders_reach_the_sequencer(void **state)
{
    fake *f = *state;
    uint64_t before = f->ops->digest(f->gpu);
    fake_poke(f, 0x5000, 0x00011003);
    FAKE_RUN(f, T3(IM_LOAD, 2), 0x5000 | 1, 3);
    assert_true(digest_changes(f, before));
    before = f->ops->digest(f->gpu);
    FAKE_RUN(f, T3(IM_LOAD_IMMEDIATE, 5), 0, 3, 1, 2, 3);
    assert_true(digest_changes(f, before));
    assert_int_equal(f->logs, 0);
}

/* ---- memory ---- */

/* 0xAABBCCDD written with each byte order, as the CPU (big-endian) then reads it. The GPU's store
 * is little-endian: none gives DDCCBBAA. */
static void mem_write_in_each_byte_order(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(MEM_WRITE, 2), 0x4000 | 0, 0xAABBCCDD, T3(MEM_WRITE, 2), 0x4010 | 1, 0xAABBCCDD,
             T3(MEM_WRITE, 2), 0x4020 | 2, 0xAABBCCDD, T3(MEM_WRITE, 2), 0x4030 | 3, 0xAABBCCDD);
    assert_int_equal(fake_peek(f, 0x4000), 0xDDCCBBAA);
    assert_int_equal(fake_peek(f, 0x4010), 0xCCDDAABB);
    assert_int_equal(fake_peek(f, 0x4020), 0xAABBCCDD);
    assert_int_equal(fake_peek(f, 0x4030), 0xBBAADDCC);
}

static void mem_write_of_several_dwords(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(MEM_WRITE, 4), 0x4000 | 2, 1, 2, 3);
    assert_int_equal(fake_peek(f, 0x4000), 1);
    assert_int_equal(fake_peek(f, 0x4004), 2);
    assert_int_equal(fake_peek(f, 0x4008), 3);
}

/* Decoded code, watches and reservations over the bytes must go (memory.h). */
static void writes_are_reported(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(MEM_WRITE, 2), 0x4440 | 2, 1);
    assert_int_equal(f->written_calls, 1);
    assert_int_equal(f->written_start, 0x4440);
    assert_int_equal(f->written_length, 4);
}

static void addresses_lose_bits_above_512_mib(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(MEM_WRITE, 2), 0xE0004000 | 2, 5);
    assert_int_equal(fake_peek(f, 0x4000), 5);
}

static void reg_to_mem_copies_a_register(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 1), 0x12345678, T3(REG_TO_MEM, 2), 0x2100, 0x4000 | 2);
    assert_int_equal(fake_peek(f, 0x4000), 0x12345678);
}

/* {info, address, reference, mask, to, value}: info 3 equal, 0x10 memory, 0x100 to memory. */
static void cond_write_to_memory_if_memory_matches(void **state)
{
    fake *f = *state;
    fake_poke(f, 0x4000, 0x1234);
    FAKE_RUN(f, T3(COND_WRITE, 6), 0x113, 0x4000 | 2, 0x34, 0xFF, 0x4100 | 2, 7);
    FAKE_RUN(f, T3(COND_WRITE, 6), 0x113, 0x4000 | 2, 0x35, 0xFF, 0x4200 | 2, 7);
    assert_int_equal(fake_peek(f, 0x4100), 7);
    assert_int_equal(fake_peek(f, 0x4200), 0);
}

static void cond_write_to_a_register_if_a_register_matches(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 1), 5, T3(COND_WRITE, 6), 0x6, 0x2100, 4, 0xF, 0x2101, 9);
    assert_int_equal(fake_register(f, 0x2101), 9);
}

/* never, <, <=, ==, !=, >=, >, always of 5 against 4, 5 and 6. */
static void the_eight_comparisons(void **state)
{
    static const uint8_t expected[8][3] = {{0, 0, 0}, {0, 0, 1}, {0, 1, 1}, {0, 1, 0},
                                           {1, 0, 1}, {1, 1, 0}, {1, 0, 0}, {1, 1, 1}};
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 1), 5);
    for (uint32_t function = 0; function < 8; function++) {
        for (uint32_t i = 0; i < 3; i++) {
            FAKE_RUN(f, XENOS_TYPE0(0x2101, 1), 0, T3(COND_WRITE, 6), function, 0x2100, 4 + i, 0xFF,
                     0x2101, 1);
            assert_int_equal(fake_register(f, 0x2101), expected[function][i]);
        }
    }
}

/* ---- events ---- */

static void event_write_sets_the_initiator(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(EVENT_WRITE, 1), 0x16 | 0x40);
    assert_int_equal(fake_register(f, 0x21F9), 0x16);
}

/* Linux drivers/gpu/drm/msm a2xx: {CACHE_FLUSH_TS, address, sequence number}. */
static void event_write_of_three_dwords_is_a_fence(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(EVENT_WRITE, 3), 4, 0x4000 | 2, 99);
    assert_int_equal(fake_peek(f, 0x4000), 99);
}

static void event_write_shd_value_in_each_byte_order(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(EVENT_WRITE_SHD, 3), 4, 0x4000, 0x01020304, T3(EVENT_WRITE_SHD, 3), 4, 0x4005,
             0x01020304, T3(EVENT_WRITE_SHD, 3), 4, 0x400A, 0x01020304, T3(EVENT_WRITE_SHD, 3), 4,
             0x400F, 0x01020304);
    assert_int_equal(fake_peek(f, 0x4000), 0x04030201);
    assert_int_equal(fake_peek(f, 0x4004), 0x03040102);
    assert_int_equal(fake_peek(f, 0x4008), 0x01020304);
    assert_int_equal(fake_peek(f, 0x400C), 0x02010403);
}

/* Bit 31 of the initiator: the counter, which vertical blanks advance. */
static void event_write_shd_counter(void **state)
{
    fake *f = *state;
    f->ops->vblank(f->gpu, 1, 16666666);
    f->ops->vblank(f->gpu, 2, 33333333);
    FAKE_RUN(f, T3(EVENT_WRITE_SHD, 3), 0x80000004, 0x4000 | 2, 1234);
    assert_int_equal(fake_peek(f, 0x4000), 2);
    assert_int_equal(fake_register(f, 0x21F9), 4);
    FAKE_RUN(f, T3(EVENT_WRITE_SHD, 3), 0x40000004, 0x4000 | 2, 1234);
    assert_int_equal(fake_peek(f, 0x4000), 1234);
}

/* Six halfwords {0, 8192/8, 0, 8192/8, 0, 1}, big-endian with 8in16. */
static void event_write_ext_reports_the_whole_screen(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(EVENT_WRITE_EXT, 2), 0x1A, 0x4000 | 1);
    assert_int_equal(fake_peek(f, 0x4000), 0x00000400);
    assert_int_equal(fake_peek(f, 0x4004), 0x00000400);
    assert_int_equal(fake_peek(f, 0x4008), 0x00000001);
}

/* D3D leaves 0xFFFFFEED in the counts and waits until it is gone; nothing is drawn, so zero. */
static void event_write_zpd_writes_zero_counts(void **state)
{
    fake *f = *state;
    for (uint32_t i = 0; i < 9; i++) {
        fake_poke(f, 0x4000 + i * 4, 0xFFFFFEED);
    }
    FAKE_RUN(f, XENOS_TYPE0(0x2325, 1), 0x4000, T3(EVENT_WRITE_ZPD, 1), 0x15);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(fake_peek(f, 0x4000 + i * 4), 0);
    }
    assert_int_equal(fake_peek(f, 0x4020), 0xFFFFFEED);
}

static void viz_query_ends_visible(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(VIZ_QUERY, 1), 5);
    assert_int_equal(fake_register(f, 0x21F9), 7);
    assert_int_equal(fake_register(f, 0x0C44), 0);
    FAKE_RUN(f, T3(VIZ_QUERY, 1), 0x105, T3(VIZ_QUERY, 1), 0x100 | 33);
    assert_int_equal(fake_register(f, 0x21F9), 8);
    assert_int_equal(fake_register(f, 0x0C44), 1u << 5);
    assert_int_equal(fake_register(f, 0x0C45), 1u << 1);
}

/* ---- draws ---- */

/* libxenon, Xe_pDrawIndexedPrimitive: 0xC0032201 {0, initiator, address, size}. */
static void draw_indx_with_indices_from_memory(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, 0xC0032201, 0, 3u << 16 | 4, 0x00123400, 0x40000003);
    assert_int_equal(fake_register(f, 0x21FC), 3u << 16 | 4);
    assert_int_equal(fake_register(f, 0x21FA), 0x00123400);
    assert_int_equal(fake_register(f, 0x21FB), 0x40000003);
    assert_int_equal(fake_stats(f).draws, 1);
}

/* libxenon, Xe_pDrawNonIndexed: 0xC0012201 {0, 0x80 | points << 16 | primitive}; Xe_pGInit2:
 * 0xC0003600 {0x00010081}. */
static void draws_with_automatic_indices(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, 0xC0012201, 0, 0x80 | 3u << 16 | 4, 0xC0003600, 0x00010081);
    assert_int_equal(fake_register(f, 0x21FC), 0x00010081);
    assert_int_equal(fake_stats(f).draws, 2);
}

static void a_draw_without_its_index_buffer_is_none(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(DRAW_INDX, 2), 0, 3u << 16 | 4, T3(DRAW_INDX_2, 1), 0xC4);
    assert_int_equal(fake_stats(f).draws, 0);
    assert_int_equal(f->logs, 1);
}

/* ---- predicates ---- */

static void predicated_packets_need_a_common_bin(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(SET_BIN_MASK, 2), 0, 0x2, T3(SET_BIN_SELECT, 2), 0, 0x1, T3(SET_CONSTANT, 2) | 1,
             0x00040100, 5);
    assert_int_equal(fake_register(f, 0x2100), 0);
    FAKE_RUN(f, T3(SET_BIN_SELECT, 2), 0, 0x3, T3(SET_CONSTANT, 2) | 1, 0x00040100, 6);
    assert_int_equal(fake_register(f, 0x2100), 6);
}

/* libxenon, Xe_pSetBin: 0x60, 0x62, 0x61, 0x63. The high dword is in SET_BIN_MASK's first. */
static void bin_halves_are_set_apart(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, 0xC0006000, 0, 0xC0006200, 0, 0xC0006100, 0x4, 0xC0006300, 0x4,
             T3(SET_CONSTANT, 2) | 1, 0x00040100, 1);
    assert_int_equal(fake_register(f, 0x2100), 1);
    FAKE_RUN(f, T3(SET_BIN_MASK, 2), 0, 4, T3(SET_CONSTANT, 2) | 1, 0x00040100, 2);
    assert_int_equal(fake_register(f, 0x2100), 1);
    FAKE_RUN(f, T3(SET_BIN_MASK, 2), 4, 0, T3(SET_CONSTANT, 2) | 1, 0x00040100, 3);
    assert_int_equal(fake_register(f, 0x2100), 3);
}

static void unpredicated_packets_ignore_the_bins(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(SET_BIN_MASK, 2), 0, 0, T3(SET_CONSTANT, 2), 0x00040100, 5,
             XENOS_TYPE0(0x2101, 1), 6);
    assert_int_equal(fake_register(f, 0x2100), 5);
    assert_int_equal(fake_register(f, 0x2101), 6);
}

/* ---- what is not known ---- */

static void unknown_packets_are_counted_logged_once_and_skipped(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE3(0x7E, 3), 1, 2, 3, XENOS_TYPE3(0x7E, 1), 1, XENOS_TYPE3(0x7D, 1), 1,
             XENOS_TYPE0(0x2100, 1), 4);
    assert_int_equal(fake_stats(f).unknown_packets, 3);
    assert_int_equal(f->logs, 2);
    assert_int_equal(fake_register(f, 0x2100), 4);
}

/* xenia xenos.h and Mesa's adreno_pm4.xml list 46; ours adds the swap of swap.h. */
static void every_real_packet_has_a_handler(void **state)
{
    uint32_t count;
    const xenos_packet *rows = xenos_packet_table(&count);
    assert_int_equal(count, 46 + 1);
    for (uint32_t i = 0; i < count; i++) {
        assert_non_null(rows[i].run);
    }
}

/* Executed when memory at A is not 0 and memory at B is below the reference. */
static void cond_exec_skips_packets(void **state)
{
    static const struct {
        uint32_t a, b;
        int runs;
    } rows[] = {{1, 4, 1}, {1, 5, 0}, {1, 6, 0}, {0, 4, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fake *f = fake_new();
        fake_poke(f, 0x4000, rows[i].a);
        fake_poke(f, 0x4004, rows[i].b);
        FAKE_RUN(f, T3(COND_EXEC, 4), 0x4000 >> 2, 0x4004 >> 2, 5, 5, /* five dwords */
                 XENOS_TYPE0(0x2100, 1), 7, T3(MEM_WRITE, 2), 0x5002, 8, XENOS_TYPE0(0x2101, 1), 9);
        assert_int_equal(fake_register(f, 0x2100), rows[i].runs ? 7 : 0);
        assert_int_equal(fake_peek(f, 0x5000), rows[i].runs ? 8 : 0);
        assert_int_equal(fake_register(f, 0x2101), 9);
        fake_delete(f);
    }
}

/* Register 0x200F is read at byte 60 of the shadow (Mesa fd2_draw.c). */
static void a_constant_context_is_a_shadow(void **state)
{
    fake *f = *state;
    fake_poke(f, 0x4000 + 60, 0x02D00500);
    FAKE_RUN(f, T3(LOAD_CONSTANT_CONTEXT, 3), 0x4000, 4 << 16 | 0xF, 1);
    assert_int_equal(fake_register(f, 0x200F), 0x02D00500);
}

static void im_store_gives_back_what_im_load_took(void **state)
{
    fake *f = *state;
    for (uint32_t i = 0; i < 6; i++) {
        fake_poke(f, 0x4000 + i * 4, 0x100 + i);
    }
    FAKE_RUN(f, T3(IM_LOAD, 2), 0x4001, 6, T3(IM_STORE, 2), 0x5001, 8, T3(IM_STORE, 2), 0x6000, 4,
             T3(IM_STORE, 2), 0x6002, 4);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(fake_peek(f, 0x5000 + i * 4), i < 6 ? 0x100 + i : 0);
        assert_int_equal(fake_peek(f, 0x6000 + i * 4), 0); /* no vertex shader; no type 2 */
    }
}

/* Bits 31:18 count registers (Linux's msm adreno_a2xx.c). */
static void reg_to_mem_loops(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 3), 5, 6, 7, T3(REG_TO_MEM, 2), 3 << 18 | 0x2100, 0x4002);
    assert_int_equal(fake_peek(f, 0x4000), 5);
    assert_int_equal(fake_peek(f, 0x4008), 7);
    assert_int_equal(fake_peek(f, 0x400C), 0);
}

/* A draw that asks for the result of a query is left out when nothing was visible. */
static void a_draw_may_depend_on_a_query(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(DRAW_INDX, 2), 0x100 | 3, 3 << 16 | 2 << 6 | 4);
    assert_int_equal(fake_stats(f).draws, 0);
    FAKE_RUN(f, T3(VIZ_QUERY, 1), 3, T3(VIZ_QUERY, 1), 0x100 | 3, T3(DRAW_INDX, 2), 0x100 | 3,
             3 << 16 | 2 << 6 | 4, T3(DRAW_INDX_BIN, 6), 0, 3 << 16 | 4, 0x4000, 3, 0x5000, 3,
             T3(DRAW_INDX_2_BIN, 1), 3 << 16 | 2 << 6 | 4);
    assert_int_equal(fake_stats(f).draws, 3); /* without pixels every query is visible */
}

static void packets_that_are_too_short_do_nothing(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(EVENT_WRITE_SHD, 1), 0x4000, XENOS_TYPE0(0x2100, 1), 4);
    assert_int_equal(f->written_calls, 0);
    assert_int_equal(f->logs, 1);
    assert_int_equal(fake_register(f, 0x2100), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(register_table_is_sorted_and_found),
        cmocka_unit_test(register_numbers_of_the_lessons),
        cmocka_unit_test(packet_table_is_sorted_and_named),
        cmocka_unit_test(the_page_lists_every_packet),
        FAKE_TEST(type0_sets_consecutive_registers),
        FAKE_TEST(type0_one_register),
        FAKE_TEST(type1_sets_two_registers),
        FAKE_TEST(type2_and_zero_are_one_dword_of_nothing),
        FAKE_TEST(nop_skips_its_dwords),
        FAKE_TEST(me_init_takes_eighteen_dwords),
        FAKE_TEST(reg_rmw_with_immediates),
        FAKE_TEST(reg_rmw_with_registers),
        FAKE_TEST(set_constant_has_five_spaces),
        FAKE_TEST(set_constant2_and_shader_constants_take_numbers),
        FAKE_TEST(load_alu_constant_reads_big_endian_memory),
        FAKE_TEST(shaders_reach_the_sequencer),
        FAKE_TEST(mem_write_in_each_byte_order),
        FAKE_TEST(mem_write_of_several_dwords),
        FAKE_TEST(writes_are_reported),
        FAKE_TEST(addresses_lose_bits_above_512_mib),
        FAKE_TEST(reg_to_mem_copies_a_register),
        FAKE_TEST(cond_write_to_memory_if_memory_matches),
        FAKE_TEST(cond_write_to_a_register_if_a_register_matches),
        FAKE_TEST(the_eight_comparisons),
        FAKE_TEST(event_write_sets_the_initiator),
        FAKE_TEST(event_write_of_three_dwords_is_a_fence),
        FAKE_TEST(event_write_shd_value_in_each_byte_order),
        FAKE_TEST(event_write_shd_counter),
        FAKE_TEST(event_write_ext_reports_the_whole_screen),
        FAKE_TEST(event_write_zpd_writes_zero_counts),
        FAKE_TEST(viz_query_ends_visible),
        FAKE_TEST(draw_indx_with_indices_from_memory),
        FAKE_TEST(draws_with_automatic_indices),
        FAKE_TEST(a_draw_without_its_index_buffer_is_none),
        FAKE_TEST(predicated_packets_need_a_common_bin),
        FAKE_TEST(bin_halves_are_set_apart),
        FAKE_TEST(unpredicated_packets_ignore_the_bins),
        FAKE_TEST(unknown_packets_are_counted_logged_once_and_skipped),
        FAKE_TEST(every_real_packet_has_a_handler),
        FAKE_TEST(cond_exec_skips_packets),
        FAKE_TEST(a_constant_context_is_a_shadow),
        FAKE_TEST(im_store_gives_back_what_im_load_took),
        FAKE_TEST(reg_to_mem_loops),
        FAKE_TEST(a_draw_may_depend_on_a_query),
        FAKE_TEST(packets_that_are_too_short_do_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
