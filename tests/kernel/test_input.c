/* Controllers by device context. Expectations: homebrew's use of XInputdPowerDownDevice(0x10000000 |
 * user), XINPUT_GAMEPAD's layout (xinput.h), [MS-ERREF] for errors. */
#include "fixture.h"

#include <string.h>

#include "exports.h"
#include "input.h"

#define U(x)          ((uint64_t)(x))
#define CONTEXT(user) U(0x10000000 | (user))
#define NOT_CONNECTED UINT32_C(0xC000009D) /* STATUS_DEVICE_NOT_CONNECTED */
#define E_NOT_PRESENT UINT32_C(0x8007048F) /* HRESULT of ERROR_DEVICE_NOT_CONNECTED, 1167 */
#define OUT           0x100

static int setup(void **state)
{
    fixture *f = *state = fixture_open();
    f->k->pads[1] = (weft_pad){.connected = 1, .buttons = 0x1234, .left_trigger = 0x56};
    f->k->pads[1].right_y = -2;
    f->k->pad_packet[1] = 99;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static void a_controller_has_a_context(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    assert_int_equal(invoke(f, ex_XamUserGetDeviceContext, 3, U(1), U(0), U(out)), 0);
    assert_int_equal(word(f, out), 0x10000001);
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetDeviceContext, 3, U(0), U(0), U(out)),
                     E_NOT_PRESENT);
    assert_int_equal(word(f, out), 0);
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetDeviceContext, 3, U(4), U(0), U(out)),
                     0x80070057);
    assert_int_equal(invoke(f, ex_XamUserLookupDevice, 3, CONTEXT(1), U(0), U(out)), 0);
    assert_int_equal(word(f, out), 1);
    assert_int_equal((uint32_t)invoke(f, ex_XamUserLookupDevice, 3, U(7), U(0), U(out)),
                     E_NOT_PRESENT);
}

static void its_state_is_read(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    assert_int_equal(invoke(f, ex_XInputdReadState, 4, CONTEXT(1), U(out), U(out + 4), U(0)), 0);
    assert_int_equal(word(f, out), 99);
    assert_memory_equal(at(f, out + 4), "\x12\x34\x56\0\0\0\0\0\0\0\xFF\xFE", 12);
    assert_int_equal(
        (uint32_t)invoke(f, ex_XInputdReadState, 4, CONTEXT(0), U(out), U(out + 4), U(0)),
        NOT_CONNECTED);
}

static void one_that_is_off_is_gone_until_it_is_woken(void **state)
{
    fixture *f = *state;
    weft_pad pads[WEFT_PAD_COUNT];
    memset(pads, 0, sizeof pads);
    pads[1] = (weft_pad){.connected = 1, .buttons = 0x1000};
    invoke(f, ex_XInputdPowerDownDevice, 1, CONTEXT(1));
    kinput_sampled(f->k, pads);
    assert_int_equal(pads[1].connected, 0);
    assert_int_equal(pads[1].buttons, 0);
    pads[1] = (weft_pad){.connected = 1, .buttons = 0x0400}; /* guide */
    kinput_sampled(f->k, pads);
    assert_int_equal(pads[1].connected, 1);
    pads[1].buttons = 0;
    kinput_sampled(f->k, pads);
    assert_int_equal(pads[1].connected, 1);
}

static void one_that_was_unplugged_comes_back(void **state)
{
    fixture *f = *state;
    weft_pad pads[WEFT_PAD_COUNT];
    memset(pads, 0, sizeof pads);
    invoke(f, ex_XInputdPowerDownDevice, 1, CONTEXT(1));
    kinput_sampled(f->k, pads);
    pads[1].connected = 1;
    kinput_sampled(f->k, pads);
    assert_int_equal(pads[1].connected, 1);
}

static void what_is_no_controller_stays_on(void **state)
{
    fixture *f = *state;
    invoke(f, ex_XInputdPowerDownDevice, 1, U(1));
    invoke(f, ex_XInputdPowerDownDevice, 1, CONTEXT(0));
    invoke(f, ex_XInputdPowerDownDevice, 1, U(0xFFFFFFFF));
    assert_int_equal(f->k->pads_off, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_controller_has_a_context),
        TEST(its_state_is_read),
        TEST(one_that_is_off_is_gone_until_it_is_woken),
        TEST(one_that_was_unplugged_comes_back),
        TEST(what_is_no_controller_stays_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
