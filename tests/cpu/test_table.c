/* test_table.c: the instruction table against itself, and decoding and disassembly against words
 * assembled by hand or by powerpc64-linux-gnu-as. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "ppc.h"

static void rows_do_not_overlap(void **state)
{
    /* pairs in which the first row is a special case of the second, and comes before it */
    static const char *const special[] = {"dcbz128 dcbz", "lwsync sync", "ptesync sync",
                                          "vupkhsh128 vupkhsb128", "vupklsh128 vupklsb128"};
    uint32_t count;
    const ppc_row *rows = ppc_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = i + 1; j < count; j++) {
            int overlap = ((rows[i].value ^ rows[j].value) & rows[i].mask & rows[j].mask) == 0;
            char pair[64];
            int known = 0;
            snprintf(pair, sizeof pair, "%s %s", rows[i].name, rows[j].name);
            for (unsigned k = 0; k < sizeof special / sizeof *special; k++) {
                known |= strcmp(pair, special[k]) == 0;
            }
            if (overlap && !known) {
                fail_msg("%s", pair);
            }
        }
    }
}

static void rows_decode_to_themselves(void **state)
{
    uint32_t count;
    const ppc_row *rows = ppc_rows(&count);
    uint16_t *lookup = ppc_lookup_make();
    for (uint32_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < 64; k++) {
            /* free bits in several patterns; the rows that are special cases avoid all-ones */
            uint32_t fill = k == 0 ? 0 : k * UINT32_C(2654435761);
            const ppc_row *found = ppc_row_find(lookup, rows[i].value | (fill & ~rows[i].mask));
            assert_non_null(found);
            if (found != &rows[i]) {
                assert_true(found < &rows[i]); /* a special case of it */
                assert_true((found->mask & rows[i].mask) == rows[i].mask);
            }
        }
        assert_ptr_equal(ppc_row_find(lookup, rows[i].value), &rows[i]);
        assert_int_equal(rows[i].value & ~rows[i].mask, 0);
    }
    free(lookup);
}

static void rows_have_all_handlers(void **state)
{
    uint32_t count;
    const ppc_row *rows = ppc_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        unsigned variants = rows[i].variants & PPC_VARIANT_OE ? 4 : rows[i].variants ? 2 : 1;
        for (unsigned k = 0; k < variants; k++) {
            assert_non_null(rows[i].run[k]);
        }
    }
}

/* CPU-FACTS.md, "Size of the set": VMX 146 with 18 loads and stores... counted by name here. */
static void set_is_complete(void **state)
{
    uint32_t count, vmx128 = 0;
    const ppc_row *rows = ppc_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        size_t length = strlen(rows[i].name);
        vmx128 +=
            rows[i].name[0] != 'd' && length > 3 && strcmp(rows[i].name + length - 3, "128") == 0;
    }
    assert_int_equal(vmx128, 77);
    assert_true(count >= 455);
}

static void unknown_words_are_illegal(void **state)
{
    static const uint32_t words[] = {0x00000000, 0x04000000, 0x7C0003FF & ~1u, 0xFC000020,
                                     0xEC000000, 0x7C00007E, 0x1000002D};
    uint16_t *lookup = ppc_lookup_make();
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        op out;
        ppc_decode(lookup, 0, words[i], &out);
        if (ppc_row_find(lookup, words[i])) {
            fail_msg("%08x is %s", words[i], ppc_row_find(lookup, words[i])->name);
        }
        assert_ptr_equal(out.run, op_illegal);
    }
    free(lookup);
}

/* LESSONS 13: VD 6-10|28-29, VA 11-15|26|21, VB 16-20|30-31. */
static void vmx128_registers_are_split(void **state)
{
    uint16_t *lookup = ppc_lookup_make();
    for (uint32_t n = 0; n < 128; n++) {
        op out;
        ppc_decode(lookup, 0, V128_(0x14000010, n, 127 - n, n ^ 0x55), &out); /* vaddfp128 */
        assert_int_equal(out.d, n);
        assert_int_equal(out.a, 127 - n);
        assert_int_equal(out.b, n ^ 0x55);
    }
    free(lookup);
}

/* Words by powerpc64-linux-gnu-as; VMX128 by hand from xenia docs/ppc/vmx128.txt. */
static void disassembly_reads_as_assembled(void **state)
{
    static const struct {
        uint32_t word;
        const char *text;
    } cases[] = {
        {0x38610008, "addi r3,r1,8"},
        {0x3860FFFF, "addi r3,0,-1"},
        {0x7C632A14, "add r3,r3,r5"},
        {0x7C632E15, "addo. r3,r3,r5"},
        {0x80A30010, "lwz r5,16(r3)"},
        {0xF821FF91, "stdu r1,-112(r1)"},
        {0x5463103A, "rlwinm r3,r3,2,0,29"},
        {0x78630020, "rldicl r3,r3,0,32"},
        {0x7C631E76, "sradi r3,r3,35"},
        {0x4E800020, "bclr 20,0"},
        {0x4182000C, "bc 12,2,0x8200000c"},
        {0x48000010, "b 0x82000010"},
        {0x4BFFFFF1, "bl 0x81fffff0"},
        {0xFC22182A, "fadd f1,f2,f3"},
        {0xFC2220FA, "fmadd f1,f2,f3,f4"},
        {0x10432484, "vor v2,v3,v4"},
        {0x104326C6, "vcmpgtfp. v2,v3,v4"},
        {0x7C0004AC, "sync"},
        {0x7C2004AC, "lwsync"},
        {0x7C001FEC, "dcbz 0,r3"},
        {0x7C201FEC, "dcbz128 0,r3"},
        {0x17FFFC3F, "vaddfp128 v127,v127,v127"},
        {0x00000000, ".long 0x00000000"},
    };
    uint16_t *lookup = ppc_lookup_make();
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        if (cases[i].text) {
            ppc_disassemble(lookup, 0x82000000, cases[i].word, text, sizeof text);
            assert_string_equal(text, cases[i].text);
        }
    }
    free(lookup);
}

static void disassembly_fits_any_capacity(void **state)
{
    uint16_t *lookup = ppc_lookup_make();
    for (uint32_t capacity = 1; capacity < 20; capacity++) {
        char text[20];
        memset(text, 'x', sizeof text);
        ppc_disassemble(lookup, 0, 0x5463103A, text, capacity);
        assert_true(strlen(text) < capacity);
        assert_int_equal(strncmp("rlwinm r3,r3,2,0,29", text, strlen(text)), 0);
    }
    free(lookup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_do_not_overlap),
        cmocka_unit_test(rows_decode_to_themselves),
        cmocka_unit_test(rows_have_all_handlers),
        cmocka_unit_test(set_is_complete),
        cmocka_unit_test(unknown_words_are_illegal),
        cmocka_unit_test(vmx128_registers_are_split),
        cmocka_unit_test(disassembly_reads_as_assembled),
        cmocka_unit_test(disassembly_fits_any_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
