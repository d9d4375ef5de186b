/* The unwinder on hand-assembled functions. Words are those of powerpc64-linux-gnu-as; what a
 * frame's caller must find follows from what each instruction stores (PowerISA 2.03). */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "unwind.h"

#define IMAGE_SIZE UINT32_C(0x40000)
#define TABLE      0x8000 /* offset of the function table in the image */
#define BIT32      UINT32_C(0x40000000)
#define HANDLER    UINT32_C(0x80000000)

#define MFLR_R12     0x7D8802A6
#define STW_R12_LR   0x9181FFF8 /* stw r12,-8(r1) */
#define STD_R31      0xFBE1FFF0 /* std r31,-16(r1) */
#define STWU_96      0x9421FFA0
#define STWU_256     0x9421FF00
#define ADDI_R31_256 0x3BE1FF00 /* addi r31,r1,-256 */
#define ADDI_R1_96   0x38210060
#define LWZ_R12_LR   0x8181FFF8
#define MTLR_R12     0x7D8803A6
#define LD_R31       0xEBE1FFF0
#define NOP          0x60000000
#define BLR          0x4E800020

/* The routines of a run-time library, shortened. */
#define SAVEGPRLR_29 0x1000
#define RESTGPRLR_29 0x1020
#define SAVEFPR_30   0x1040
#define RESTFPR_30   0x1060
#define FUNCTION     0x2000

typedef struct code {
    fixture *f;
    kfunction_table table;
    weft_cpu_state s;
    uint32_t stack; /* r1 of the function's caller */
} code;

static void put(code *c, uint32_t offset, const uint32_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        set_word(c->f, c->table.base + offset + 4 * i, words[i]);
    }
}

static void entry(code *c, uint32_t offset, uint32_t prologue, uint32_t length, uint32_t flags)
{
    uint32_t at = c->table.entries + 8 * c->table.count++;
    set_word(c->f, at, c->table.base + offset);
    set_word(c->f, at + 4, flags | length << 8 | prologue);
}

#define PUT(c, offset, ...)                                                                        \
    put(c, offset, (const uint32_t[]){__VA_ARGS__},                                                \
        sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* A function of these words, and its entry. */
#define FUNC(c, prologue, ...)                                                                     \
    do {                                                                                           \
        PUT(c, FUNCTION, __VA_ARGS__);                                                             \
        entry(c, FUNCTION, prologue, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),   \
              BIT32);                                                                              \
    } while (0)

static uint32_t bl(uint32_t from, uint32_t to)
{
    return 0x48000001u | ((to - from) & 0x03FFFFFCu);
}

static int setup(void **state)
{
    code *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->f = fixture_open();
    c->table = (kfunction_table){
        .memory = c->f->k->memory,
        .base = c->f->scratch,
        .size = IMAGE_SIZE,
        .entries = c->f->scratch + TABLE,
    };
    PUT(c, SAVEGPRLR_29, 0xFBA1FFE0, 0xFBC1FFE8, STD_R31, STW_R12_LR, BLR);
    PUT(c, RESTGPRLR_29, 0xEBA1FFE0, 0xEBC1FFE8, LD_R31, LWZ_R12_LR, MTLR_R12, BLR);
    PUT(c, SAVEFPR_30, 0xDBCCFFF0, 0xDBECFFF8, BLR);
    PUT(c, RESTFPR_30, 0xCBCCFFF0, 0xCBECFFF8, BLR);
    entry(c, SAVEGPRLR_29, 5, 5, 0);
    entry(c, RESTGPRLR_29, 6, 6, HANDLER);
    entry(c, SAVEFPR_30, 3, 3, 0);
    entry(c, RESTFPR_30, 3, 3, HANDLER);
    c->stack = c->f->scratch + 0x80000;
    for (unsigned i = 0; i < 32; i++) {
        c->s.r[i] = 0xBAD00000u + i;
    }
    c->s.r[1] = c->stack;
    c->s.lr = 0xBAD0;
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    code *c = *state;
    fixture_close(c->f);
    free(c);
    return 0;
}

/* Unwinds from instruction `index` of the function; false if it cannot be. */
static bool unwind_at(code *c, uint32_t offset, uint32_t index, bool called)
{
    kfunction function;
    bool again = true;
    c->s.pc = c->table.base + offset + 4 * index;
    for (unsigned i = 0; again && i < 3; i++) {
        if (!kunwind_lookup(&c->table, c->s.pc - (called ? 4 : 0), &function) ||
            !kunwind_frame(&c->table, &function, called, &c->s, &again)) {
            return false;
        }
    }
    return !again;
}

static void assert_returned(const code *c, uint32_t lr)
{
    assert_int_equal((uint32_t)c->s.r[1], c->stack);
    assert_int_equal(c->s.pc, lr);
}

static void lookup_finds_the_function_around(void **state)
{
    code *c = *state;
    kfunction f;
    uint32_t base = c->table.base;
    entry(c, 0x2000, 3, 8, BIT32);
    entry(c, 0x2028, 2, 4, BIT32 | HANDLER);
    set_word(c->f, base + 0x2020, base + 0x3000);
    set_word(c->f, base + 0x2024, base + 0x4000);
    assert_false(kunwind_lookup(&c->table, base + 0x1FFC, &f));
    assert_true(kunwind_lookup(&c->table, base + 0x2000, &f));
    assert_true(kunwind_lookup(&c->table, base + 0x201C, &f));
    assert_int_equal(f.begin, base + 0x2000);
    assert_int_equal(f.end, base + 0x2020);
    assert_int_equal(f.prologue, base + 0x200C);
    assert_int_equal(f.handler, 0);
    assert_false(kunwind_lookup(&c->table, base + 0x2020, &f));
    assert_true(kunwind_lookup(&c->table, base + 0x2037, &f));
    assert_int_equal(f.handler, base + 0x3000);
    assert_int_equal(f.data, base + 0x4000);
    assert_false(kunwind_lookup(&c->table, base + 0x2038, &f));
    assert_true(kunwind_lookup(&c->table, base + SAVEFPR_30, &f));
    assert_int_equal(f.kind, KFUNCTION_SAVE);
    assert_true(kunwind_lookup(&c->table, base + RESTFPR_30, &f));
    assert_int_equal(f.kind, KFUNCTION_RESTORE);
}

static void simple_prologue_is_undone(void **state)
{
    code *c = *state;
    /* the body's std r30,16(r1) saves nothing for the caller */
    FUNC(c, 4, MFLR_R12, STW_R12_LR, STD_R31, STWU_96, 0xFBC10010, NOP);
    set_word(c->f, c->stack - 8, 0x82001234);
    set_quad(c->f, c->stack - 16, UINT64_C(0x1122334455667788));
    c->s.r[1] = c->stack - 96;
    assert_true(unwind_at(c, FUNCTION, 5, true));
    assert_returned(c, 0x82001234);
    assert_int_equal(c->s.r[30], 0xBAD0001E);
    assert_int_equal(c->s.r[31], UINT64_C(0x1122334455667788));
}

/* Stopped before each instruction: only what has been executed is undone. */
static void half_a_prologue_is_undone(void **state)
{
    code *c = *state;
    FUNC(c, 4, MFLR_R12, STW_R12_LR, STD_R31, STWU_96, NOP);
    for (uint32_t i = 0; i <= 4; i++) {
        c->s.r[1] = i == 4 ? c->stack - 96 : c->stack;
        c->s.lr = i < 1 ? 0x82001234 : 0xBAD0;
        c->s.r[12] = i < 1 ? 0xBAD : 0x82001234;
        c->s.r[31] = i < 3 ? 31 : 0xBAD;
        set_word(c->f, c->stack - 8, i < 2 ? 0xBAD : 0x82001234);
        set_quad(c->f, c->stack - 16, i < 3 ? 0xBAD : 31);
        assert_true(unwind_at(c, FUNCTION, i, false));
        assert_returned(c, 0x82001234);
        assert_int_equal(c->s.r[31], 31);
    }
}

/* mflr r12; bl __savegprlr_29; addi r12,r1,-32; bl __savefpr_30; stwu r1,-256(r1) */
static void saving_function(code *c)
{
    uint32_t at = FUNCTION;
    FUNC(c, 5, MFLR_R12, bl(at + 4, SAVEGPRLR_29), 0x3981FFE0, bl(at + 12, SAVEFPR_30), STWU_256,
         NOP, 0x38210100, 0x3981FFE0, bl(at + 32, RESTFPR_30), bl(at + 36, RESTGPRLR_29) & ~1u);
    for (unsigned i = 29; i < 32; i++) {
        set_quad(c->f, c->stack - 8 * (33 - i), 0x100000000u * i);
    }
    set_word(c->f, c->stack - 8, 0x82001234);
    set_quad(c->f, c->stack - 32 - 16, 3000);
    set_quad(c->f, c->stack - 32 - 8, 3100);
}

static void assert_saved(code *c)
{
    assert_returned(c, 0x82001234);
    for (unsigned i = 29; i < 32; i++) {
        assert_int_equal(c->s.r[i], 0x100000000u * i);
    }
    assert_int_equal(c->s.f[30], 3000);
    assert_int_equal(c->s.f[31], 3100);
}

static void saved_by_routines_is_restored(void **state)
{
    code *c = *state;
    saving_function(c);
    c->s.r[1] = c->stack - 256;
    assert_true(unwind_at(c, FUNCTION, 5, false));
    assert_saved(c);
}

/* In the routine that saves: lr is its own, the caller's return lies in r12. */
static void save_routine_is_left(void **state)
{
    code *c = *state;
    saving_function(c);
    set_quad(c->f, c->stack - 32, 0xBAD); /* r29 is not stored yet */
    c->s.lr = c->table.base + FUNCTION + 8;
    c->s.r[12] = 0x82001234;
    c->s.r[29] = 29;
    assert_true(unwind_at(c, SAVEGPRLR_29, 0, false));
    assert_returned(c, 0x82001234);
    assert_int_equal(c->s.r[29], 29);
}

/* From each instruction of the epilogue, and of the routines that it runs through. */
static void epilogue_is_followed(void **state)
{
    code *c = *state;
    static const struct {
        uint32_t offset, index;
    } places[] = {
        {FUNCTION, 6},   {FUNCTION, 7}, {FUNCTION, 8},     {RESTFPR_30, 0},   {RESTFPR_30, 1},
        {RESTFPR_30, 2}, {FUNCTION, 9}, {RESTGPRLR_29, 0}, {RESTGPRLR_29, 3}, {RESTGPRLR_29, 5},
    };
    saving_function(c);
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        c->s.r[1] = i == 0 ? c->stack - 256 : c->stack;
        c->s.r[12] = i < 2 ? 0xBAD : c->stack - 32;
        c->s.lr = i < 3 ? 0xBAD : c->table.base + FUNCTION + 36;
        c->s.f[30] = i > 3 ? 3000 : 0xBAD;
        c->s.f[31] = i > 4 ? 3100 : 0xBAD;
        for (unsigned r = 29; r < 32; r++) {
            c->s.r[r] = i > 7 ? 0x100000000u * r : 0xBAD;
        }
        if (i == 9) {
            c->s.lr = 0x82001234;
        }
        assert_true(unwind_at(c, places[i].offset, places[i].index, false));
        assert_saved(c);
    }
}

/* alloca moves r1 on; the frame pointer says where the frame is. */
static void frame_pointer_outlives_alloca(void **state)
{
    code *c = *state;
    FUNC(c, 5, MFLR_R12, STW_R12_LR, STD_R31, ADDI_R31_256, STWU_256, NOP);
    set_word(c->f, c->stack - 8, 0x82001234);
    set_quad(c->f, c->stack - 16, 31);
    c->s.r[31] = c->stack - 256;
    c->s.r[1] = c->stack - 0x1000;
    assert_true(unwind_at(c, FUNCTION, 5, false));
    assert_returned(c, 0x82001234);
    assert_int_equal(c->s.r[31], 31);
}

/* lis r12,-2; stwux r1,r1,r12: a frame of 128 KiB, found by its back chain. */
static void large_frame_is_undone(void **state)
{
    code *c = *state;
    FUNC(c, 4, MFLR_R12, STW_R12_LR, 0x3D80FFFE, 0x7C21616E, NOP);
    set_word(c->f, c->stack - 8, 0x82001234);
    c->s.r[1] = c->stack - 0x20000;
    set_word(c->f, c->stack - 0x20000, c->stack);
    assert_true(unwind_at(c, FUNCTION, 4, false));
    assert_returned(c, 0x82001234);
}

/* addi r12,r1,-32; li r11,-64; stvx v20,r11,r12; stvx128 v127,r1,r11 (VMX128: CPU-FACTS.md) */
static void vectors_are_restored(void **state)
{
    code *c = *state;
    FUNC(c, 7, MFLR_R12, STW_R12_LR, 0x3981FFE0, 0x3960FFC0, 0x7E8B61CE, 0x13E159CF, STWU_256, NOP);
    set_word(c->f, c->stack - 8, 0x82001234);
    memset(at(c->f, c->stack - 32 - 64), 0x20, 16);
    memset(at(c->f, c->stack - 64), 0x7F, 16);
    c->s.r[1] = c->stack - 256;
    assert_true(unwind_at(c, FUNCTION, 7, false));
    assert_returned(c, 0x82001234);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(c->s.v[20][i], 0x20);
        assert_int_equal(c->s.v[127][i], 0x7F);
    }
}

/* mfcr r12; stw r12,-20(r1) behind the saving of lr through the same register. */
static void condition_register_is_restored(void **state)
{
    code *c = *state;
    FUNC(c, 5, MFLR_R12, STW_R12_LR, 0x7D800026, 0x9181FFEC, STWU_96, NOP);
    set_word(c->f, c->stack - 8, 0x82001234);
    set_word(c->f, c->stack - 20, 0x24000042);
    c->s.r[1] = c->stack - 96;
    assert_true(unwind_at(c, FUNCTION, 5, false));
    assert_returned(c, 0x82001234);
    assert_int_equal(c->s.cr, 0x24000042);
}

/* std r31,-72(r1); mflr r31; stwu r1,-80(r1): lr stays in a register, as in an XDK run-time
 * routine. */
static void return_address_in_a_register(void **state)
{
    code *c = *state;
    FUNC(c, 3, 0xFBE1FFB8, 0x7FE802A6, 0x9421FFB0, NOP, NOP);
    set_quad(c->f, c->stack - 72, 31);
    c->s.r[31] = 0x82001234;
    c->s.r[1] = c->stack - 80;
    assert_true(unwind_at(c, FUNCTION, 4, true));
    assert_returned(c, 0x82001234);
    assert_int_equal(c->s.r[31], 31);
}

/* gcc's order: stwu r1,-32(r1); mflr r0; stw r30,24(r1); stw r0,36(r1). */
static void gcc_prologue_is_undone(void **state)
{
    code *c = *state;
    FUNC(c, 4, 0x9421FFE0, 0x7C0802A6, 0x93C10018, 0x90010024, NOP);
    set_word(c->f, c->stack + 4, 0x82001234);
    set_word(c->f, c->stack - 8, 30);
    c->s.r[1] = c->stack - 32;
    assert_true(unwind_at(c, FUNCTION, 4, false));
    assert_returned(c, 0x82001234);
    assert_int_equal(c->s.r[30], 30);
}

static void unreadable_stack_fails(void **state)
{
    code *c = *state;
    FUNC(c, 3, MFLR_R12, STW_R12_LR, STWU_96, NOP);
    c->s.r[1] = 0x1000;
    assert_false(unwind_at(c, FUNCTION, 3, false));
    c->s.r[1] = 0xFFFFFFF0;
    assert_false(unwind_at(c, FUNCTION, 3, false));
}

/* ---- hostile tables ----------------------------------------------------------------------------
 */

static void entries_outside_the_image_are_refused(void **state)
{
    code *c = *state;
    kfunction f;
    uint32_t base = c->table.base;
    c->table.count = 0;
    entry(c, 0x2000, 0, 0x3FFFFF, BIT32); /* longer than the image */
    assert_false(kunwind_lookup(&c->table, base + 0x2000, &f));
    c->table.count = 0;
    entry(c, 0u - 0x1000u, 0, 0x3FFFFF, BIT32); /* begins before it */
    assert_false(kunwind_lookup(&c->table, base + 0x100, &f));
    c->table.count = 0;
    entry(c, 0, 0, 16, BIT32 | HANDLER); /* its handler would lie before it */
    assert_false(kunwind_lookup(&c->table, base + 4, &f));
    c->table.count = 0;
    entry(c, 0x2002, 0, 16, BIT32); /* between two instructions */
    assert_false(kunwind_lookup(&c->table, base + 0x2004, &f));
    c->table.count = 0;
    entry(c, 0x2000, 255, 2, BIT32); /* a prologue beyond the function */
    assert_true(kunwind_lookup(&c->table, base + 0x2000, &f));
    assert_int_equal(f.prologue, f.end);
    assert_false(kunwind_lookup(&c->table, base + IMAGE_SIZE, &f));
}

static void unsorted_and_overlapping_tables_end(void **state)
{
    code *c = *state;
    kfunction f;
    c->table.count = 0;
    for (uint32_t i = 0; i < 64; i++) {
        entry(c, (64 - i) * 64 % 0x700, 1, 100, BIT32);
    }
    for (uint32_t pc = 0; pc < 0x1000; pc += 4) {
        if (kunwind_lookup(&c->table, c->table.base + pc, &f)) {
            assert_in_range(c->table.base + pc, f.begin, f.end - 1);
        }
    }
}

/* Unused entries are zero, and lie behind all others. */
static void zero_entries_are_behind(void **state)
{
    code *c = *state;
    kfunction f;
    entry(c, 0x2000, 0, 8, BIT32);
    c->table.count += 100;
    assert_true(kunwind_lookup(&c->table, c->table.base + 0x2004, &f));
    c->table.count = 0;
    assert_false(kunwind_lookup(&c->table, c->table.base + 0x2004, &f));
}

/* A restore routine that calls itself, one that branches to itself, a save routine that is its own
 * caller. */
static void circles_end(void **state)
{
    code *c = *state;
    PUT(c, RESTGPRLR_29, bl(RESTGPRLR_29, RESTGPRLR_29));
    assert_false(unwind_at(c, RESTGPRLR_29, 0, false));
    PUT(c, RESTGPRLR_29, 0x48000000);
    assert_false(unwind_at(c, RESTGPRLR_29, 0, false));
    PUT(c, RESTGPRLR_29, 0xEBA1FFE0, bl(RESTGPRLR_29 + 4, RESTGPRLR_29), BLR);
    c->s.lr = c->table.base + RESTGPRLR_29 + 8;
    assert_false(unwind_at(c, RESTGPRLR_29, 0, false));
    c->s.lr = c->table.base + SAVEGPRLR_29 + 8;
    assert_false(unwind_at(c, SAVEGPRLR_29, 0, false));
}

static void headers_are_checked(void **state)
{
    code *c = *state;
    kfunction_table t;
    uint32_t base = c->table.base;
    uint8_t *image = at(c->f, base);
    const weft_memory *memory = c->table.memory;
    assert_false(kunwind_table(memory, base, IMAGE_SIZE, &t));
    memcpy(image, "MZ", 2);
    image[0x3C] = 0x80;
    memcpy(image + 0x80, "PE\0\0", 4);
    uint8_t *directory = image + 0x80 + 24 + 96 + 24; /* little-endian rva, size */
    memcpy(directory, (const uint8_t[]){0x00, 0x80, 0, 0, 0x20, 0, 0, 0}, 8);
    assert_true(kunwind_table(memory, base, IMAGE_SIZE, &t));
    assert_int_equal(t.entries, base + TABLE);
    assert_int_equal(t.count, 4);
    static const uint8_t wrong[][8] = {
        {0, 0, 0, 0, 0x20, 0, 0, 0}, /* none */
        {0, 0, 4, 0, 0x20, 0, 0, 0}, /* behind the image */
        {0, 0x80, 0, 0, 0, 0, 4, 0}, /* reaches behind it */
        {0, 0x80, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF},
        {2, 0x80, 0, 0, 0x20, 0, 0, 0}, /* not aligned */
        {0, 0x80, 0, 0, 7, 0, 0, 0},    /* less than an entry */
    };
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        memcpy(directory, wrong[i], 8);
        assert_false(kunwind_table(memory, base, IMAGE_SIZE, &t));
    }
    memcpy(image + 0x3C, (const uint8_t[]){0xF0, 0xFF, 0xFF, 0xFF}, 4);
    assert_false(kunwind_table(memory, base, IMAGE_SIZE, &t));
    assert_false(kunwind_table(memory, base, 0x100, &t));
    assert_false(kunwind_table(memory, 0x1000, IMAGE_SIZE, &t));
}

/* Tables, code and registers of noise: answers of any kind, but answers. */
static void noise_ends(void **state)
{
    code *c = *state;
    uint32_t x = 12345;
    c->table.count = 32;
    for (unsigned round = 0; round < 2000; round++) {
        for (uint32_t i = 0; i < 64; i++) {
            x = x * 1664525u + 1013904223u;
            bool address = i % 2 == 0;
            set_word(c->f, c->table.entries + 4 * i,
                     address ? c->table.base + (x >> 16 & 0x7FFC) : x & 0xC0003FFF);
            set_word(c->f, c->table.base + (x >> 8 & 0x7FFC), x);
        }
        for (unsigned i = 0; i < 32; i++) {
            x = x * 1664525u + 1013904223u;
            c->s.r[i] = i & 1 ? x : c->table.base + (x >> 12);
        }
        c->s.lr = c->table.base + (x >> 17);
        (void)unwind_at(c, x >> 18 & 0x3FFC, 0, x & 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lookup_finds_the_function_around, setup, teardown),
        cmocka_unit_test_setup_teardown(simple_prologue_is_undone, setup, teardown),
        cmocka_unit_test_setup_teardown(half_a_prologue_is_undone, setup, teardown),
        cmocka_unit_test_setup_teardown(saved_by_routines_is_restored, setup, teardown),
        cmocka_unit_test_setup_teardown(save_routine_is_left, setup, teardown),
        cmocka_unit_test_setup_teardown(epilogue_is_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(frame_pointer_outlives_alloca, setup, teardown),
        cmocka_unit_test_setup_teardown(large_frame_is_undone, setup, teardown),
        cmocka_unit_test_setup_teardown(vectors_are_restored, setup, teardown),
        cmocka_unit_test_setup_teardown(condition_register_is_restored, setup, teardown),
        cmocka_unit_test_setup_teardown(return_address_in_a_register, setup, teardown),
        cmocka_unit_test_setup_teardown(gcc_prologue_is_undone, setup, teardown),
        cmocka_unit_test_setup_teardown(unreadable_stack_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_outside_the_image_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(unsorted_and_overlapping_tables_end, setup, teardown),
        cmocka_unit_test_setup_teardown(zero_entries_are_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(circles_end, setup, teardown),
        cmocka_unit_test_setup_teardown(headers_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(noise_ends, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
