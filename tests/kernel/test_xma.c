/* The fields of an XMA context, whose places are those of xenia's xma_context.h: expected words are
 * put together by hand. */
#include "fixture.h"

#include "exports.h"

#define U(x) ((uint64_t)(x))

#define CONTEXT 0x100
#define INIT    0x200

static int setup(void **state)
{
    *state = fixture_open();
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static void a_context_is_initialized(void **state)
{
    fixture *f = *state;
    uint32_t c = f->scratch + CONTEXT, in = f->scratch + INIT;
    uint32_t page = mm_physical_alloc(f->k->mm, NULL, 0x1000, MM_PAGE_READWRITE, 0,
                                      MM_PHYSICAL_BYTES - 1, 0x1000);
    const uint32_t words[] = {page, 5, 0, 0, 32, page, 8, 0, 8, 1, 3, 0x111, 0x222, 0xFF060200};
    for (uint32_t i = 0; i < 14; i++) {
        set_word(f, in + 4 * i, words[i]);
    }
    set_word(f, c, 0xFFFFFFFF);
    assert_int_equal(invoke(f, ex_XMAInitializeContext, 2, U(c), U(in)), 0);
    assert_int_equal(word(f, c), 8u << 22 | 0xFFu << 12 | 5);
    assert_int_equal(word(f, c + 4), 1u << 29 | 3u << 27 | 8u << 20 | 2u << 17 | 6u << 14);
    assert_int_equal(word(f, c + 8), 32);
    assert_int_equal(word(f, c + 12), 0x111);
    assert_int_equal(word(f, c + 16), 0x222);
    assert_int_equal(word(f, c + 20), mm_physical(f->k->mm, page));
    assert_int_equal(word(f, c + 24), 0);
}

static void flags_and_offsets(void **state)
{
    fixture *f = *state;
    uint32_t c = f->scratch + CONTEXT;
    assert_int_equal(invoke(f, ex_XMAIsInputBuffer1Valid, 1, U(c)), 0);
    invoke(f, ex_XMASetInputBuffer1Valid, 1, U(c));
    assert_int_equal(word(f, c), 0x00200000);
    assert_int_equal(invoke(f, ex_XMAIsInputBuffer1Valid, 1, U(c)), 1);
    assert_int_equal(invoke(f, ex_XMAIsInputBuffer0Valid, 1, U(c)), 0);
    invoke(f, ex_XMASetOutputBufferValid, 1, U(c));
    assert_int_equal(word(f, c + 4), 0x80000000);
    invoke(f, ex_XMASetInputBufferReadOffset, 2, U(c), U(0xFFFFFFFF)); /* 26 bits of it */
    assert_int_equal(word(f, c + 8), 0x03FFFFFF);
    set_word(f, c + 8, 0xFC000007);
    assert_int_equal(invoke(f, ex_XMAGetInputBufferReadOffset, 1, U(c)), 7);
    set_word(f, c, 0xF8000000);
    assert_int_equal(invoke(f, ex_XMAGetOutputBufferWriteOffset, 1, U(c)), 31);
    invoke(f, ex_XMAGetPacketMetadata, 1, U(0x10));
    assert_true(f->call.faulted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_context_is_initialized, setup, teardown),
        cmocka_unit_test_setup_teardown(flags_and_offsets, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
