/* XAM's messages, overlapped results, texts and what is absent. Expectations: [MS-ERREF] for errors,
 * ISO 3166 and 639 for codes, a calendar for dates, XGetOverlappedResult's page of the XDK as xenia
 * src/xenia/kernel/xam/xam_msg.cc has it. */
#include "fixture.h"

#include <string.h>

#include "exports.h"
#include "xam.h"

#define U(x) ((uint64_t)(x))

#define OVERLAPPED 0x100
#define OUT        0x200
#define TEXT       0x400
#define PENDING    997
#define INCOMPLETE 996

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

/* UTF-16 at OUT, which is ASCII. */
static const char *text(fixture *f)
{
    static char got[128];
    uint32_t i = 0;
    do {
        got[i] = (char)weft_load16(at(f, f->scratch + OUT + 2 * i));
    } while (got[i++] && i < sizeof got);
    return got;
}

/* 100 ns since 1601 of seconds since 1970: 369 years with 89 leap days before it. */
static uint64_t filetime(uint64_t seconds)
{
    return (seconds + UINT64_C(11644473600)) * 10000000;
}

static void a_message_to_nobody_is_not_found(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XMsgInProcessCall, 4, U(0x77), U(1), U(0), U(0)), 1168);
    /* E_FAIL, sign-extended */
    assert_int_equal(invoke(f, ex_XMsgInProcessCall, 4, U(0xFB), U(0xB0071), U(0), U(0)),
                     UINT64_C(0xFFFFFFFF80004005));
    assert_int_equal((uint32_t)invoke(f, ex_XMsgStartIORequest, 5, U(0x77), U(1), U(0), U(0), U(0)),
                     0x80070057);
    assert_int_equal(invoke(f, ex_GetLastError, 0), 1168);
}

static void music_is_idle(void **state)
{
    fixture *f = *state;
    uint32_t buffer = f->scratch + TEXT;
    set_word(f, buffer + 4, f->scratch + OUT);
    set_word(f, f->scratch + OUT, 7);
    assert_int_equal(invoke(f, ex_XMsgInProcessCall, 4, U(0xFA), U(0x70009), U(buffer), U(8)), 0);
    assert_int_equal(word(f, f->scratch + OUT), 0);
}

static void nobody_has_a_context(void **state)
{
    fixture *f = *state;
    uint32_t o = f->scratch + OVERLAPPED;
    assert_int_equal(
        invoke(f, ex_XMsgStartIORequest, 5, U(0xFB), U(0xB0006), U(o), U(f->scratch + TEXT), U(24)),
        PENDING);
    assert_int_equal(word(f, o), PENDING);
    pass(f, 1000000000);
    assert_int_equal(word(f, o), 0x80070525); /* HRESULT of ERROR_NO_SUCH_USER */
}

static void the_result_is_waited_for(void **state)
{
    fixture *f = *state;
    uint32_t o = f->scratch + OVERLAPPED, out = f->scratch + OUT;
    invoke(f, ex_NtCreateEvent, 4, U(out), U(0), U(1), U(0));
    set_word(f, o, PENDING);
    set_word(f, o + 12, word(f, out));
    assert_int_equal(invoke(f, ex_XamGetOverlappedResult, 3, U(o), U(out), U(0)), INCOMPLETE);
    invoke(f, ex_XamGetOverlappedResult, 3, U(o), U(out), U(1));
    assert_int_equal(f->result, K_WAIT);
    set_word(f, o, 0);
    set_word(f, o + 4, 42);
    invoke(f, ex_NtSetEvent, 2, U(word(f, o + 12)), U(0));
    assert_true(resume(f));
    assert_int_equal(f->thread->cpu->r[3], 0);
    assert_int_equal(word(f, out), 42);
}

static void an_operation_is_completed(void **state)
{
    fixture *f = *state;
    uint32_t o = f->scratch + OVERLAPPED;
    invoke(f, ex_XMsgCompleteIORequest, 4, U(o), U(5), U(0x80070005), U(9));
    pass(f, 1000);
    assert_int_equal(word(f, o), 5);
    assert_int_equal(word(f, o + 4), 9);
    assert_int_equal(word(f, o + 24), 0x80070005);
}

static void countries_and_languages(void **state)
{
    static const struct {
        kexport_fn fn;
        uint32_t id;
        const char *wanted;
    } all[] = {
        {ex_XamGetCountryString, 103, "US"}, {ex_XamGetCountryString, 35, "GB"},
        {ex_XamGetCountryString, 53, "JP"},  {ex_XamGetCountryString, 111, "ZZ"},
        {ex_XamGetLanguageString, 1, "en"},  {ex_XamGetLanguageString, 17, "zh"},
        {ex_XamGetLocaleString, 36, "US"},   {ex_XamGetLocaleString, 43, "AE"},
    };
    fixture *f = *state;
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(invoke(f, all[i].fn, 3, U(all[i].id), U(3), U(f->scratch + OUT)), 0);
        assert_string_equal(text(f), all[i].wanted);
    }
    assert_int_equal(invoke(f, ex_XamGetLocale, 0), 36);
    assert_int_equal(
        (uint32_t)invoke(f, ex_XamGetCountryString, 3, U(103), U(2), U(f->scratch + OUT)),
        0x8007007A);
    assert_int_equal(
        (uint32_t)invoke(f, ex_XamGetCountryString, 3, U(17), U(3), U(f->scratch + OUT)),
        0x80070490);
    assert_int_equal(
        (uint32_t)invoke(f, ex_XamGetCountryString, 3, U(112), U(3), U(f->scratch + OUT)),
        0x80070490);
}

static void dates(void **state)
{
    static const struct {
        uint64_t seconds; /* date -u -d ... +%s */
        const char *date, *time;
    } all[] = {
        {0, "01/01/1970", "00:00"},          {951827640, "02/29/2000", "12:34"},
        {978307199, "12/31/2000", "23:59"},  {1132617600, "11/22/2005", "00:00"},
        {4107542400, "03/01/2100", "00:00"}, {4107542399, "02/28/2100", "23:59"},
    };
    fixture *f = *state;
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        uint64_t time = filetime(all[i].seconds);
        invoke(f, ex_XamFormatDateString, 4, U(0), time, U(f->scratch + OUT), U(16));
        assert_string_equal(text(f), all[i].date);
        invoke(f, ex_XamFormatTimeString, 4, U(0), time, U(f->scratch + OUT), U(16));
        assert_string_equal(text(f), all[i].time);
    }
    invoke(f, ex_XamFormatDateString, 4, U(0), filetime(0), U(f->scratch + OUT), U(4));
    assert_string_equal(text(f), "01/");
}

static void resource_locators(void **state)
{
    fixture *f = *state;
    uint32_t a = set_wide(f, f->scratch + TEXT, "media"),
             b = set_wide(f, f->scratch + 0x500, "a.xui");
    invoke(f, ex_XamBuildResourceLocator, 5, U(0), U(a), U(b), U(f->scratch + OUT), U(64));
    assert_string_equal(text(f), "file://media:/media.xzp#a.xui");
    invoke(f, ex_XamBuildResourceLocator, 5, U(0x82000000), U(a), U(b), U(f->scratch + OUT), U(64));
    assert_string_equal(text(f), "section://82000000,media#a.xui");
}

static void nobody_and_nothing(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XamUserGetMembershipTier, 1, U(0)), 1317);
    assert_int_equal(invoke(f, ex_XamUserGetMembershipTier, 1, U(4)), 87);
    set_word(f, f->scratch + OUT, 9);
    assert_int_equal(invoke(f, ex_XamVoiceCreate, 3, U(0), U(15), U(f->scratch + OUT)), 5);
    assert_int_equal(word(f, f->scratch + OUT), 0);
}

static void keystrokes(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    f->k->pads[0].connected = true;
    assert_int_equal(invoke(f, ex_XamInputGetKeystroke, 3, U(0xFF), U(1), U(out)), 4306);
    assert_int_equal(invoke(f, ex_XamInputGetKeystroke, 3, U(1), U(1), U(out)), 1167);
    assert_int_equal(invoke(f, ex_XamInputGetKeystroke, 3, U(0), U(2), U(out)), 1167);
    assert_int_equal(invoke(f, ex_XamInputGetCapabilitiesEx, 4, U(1), U(0), U(1), U(out)), 0);
    assert_int_equal(*at(f, out), 1);
}

static void blocks(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XamAlloc, 3, U(0), U(100), U(f->scratch + OUT)), 0);
    uint32_t block = word(f, f->scratch + OUT);
    assert_int_not_equal(block, 0);
    assert_int_equal(invoke(f, ex_XamFree, 1, U(block)), 0);
    assert_int_equal((uint32_t)invoke(f, ex_XamFree, 1, U(block)), 0x80070057);
    assert_int_equal((uint32_t)invoke(f, ex_XamAlloc, 3, U(0), U(0xF0000000), U(f->scratch + OUT)),
                     0x8007000E);
}

static void network_events(void **state)
{
    fixture *f = *state;
    uint32_t event = (uint32_t)invoke(f, ex_NetDll_WSACreateEvent, 0);
    assert_non_null(khandle_get(f->k, f->thread, event, KOBJECT_EVENT));
    assert_int_equal(invoke(f, ex_NetDll_WSACloseEvent, 1, U(event)), 1);
    assert_int_equal(invoke(f, ex_NetDll_WSACloseEvent, 1, U(event)), 0);
}

static void texts_are_converted(void **state)
{
    fixture *f = *state;
    uint32_t from = set_text(f, f->scratch + TEXT, "caf\xE9"), to = f->scratch + OUT;
    assert_int_equal(
        invoke(f, ex_MultiByteToWideChar, 6, U(0), U(0), U(from), U(UINT32_MAX), U(0), U(0)), 5);
    assert_int_equal(invoke(f, ex_MultiByteToWideChar, 6, U(0), U(0), U(from), U(4), U(to), U(4)),
                     4);
    assert_memory_equal(at(f, to), "\0c\0a\0f\0\xE9", 8);
    assert_int_equal(invoke(f, ex_MultiByteToWideChar, 6, U(0), U(0), U(from), U(4), U(to), U(3)),
                     0);
    assert_int_equal(invoke(f, ex_GetLastError, 0), 122);
    weft_store16(at(f, to + 2), 0x3042);
    assert_int_equal(
        invoke(f, ex_WideCharToMultiByte, 8, U(0), U(0), U(to), U(4), U(from), U(9), U(0), U(0)),
        4);
    assert_memory_equal(at(f, from), "c?f\xE9", 4);
}

/* The machine's clock starts at 2005-11-22, a Tuesday. */
static void local_time(void **state)
{
    fixture *f = *state;
    invoke(f, ex_GetLocalTime, 1, U(f->scratch + OUT));
    assert_int_equal(quad(f, f->scratch + OUT), UINT64_C(0x07D5000B00020016));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_to_nobody_is_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(music_is_idle, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_has_a_context, setup, teardown),
        cmocka_unit_test_setup_teardown(the_result_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(an_operation_is_completed, setup, teardown),
        cmocka_unit_test_setup_teardown(countries_and_languages, setup, teardown),
        cmocka_unit_test_setup_teardown(dates, setup, teardown),
        cmocka_unit_test_setup_teardown(resource_locators, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_and_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(keystrokes, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(network_events, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_are_converted, setup, teardown),
        cmocka_unit_test_setup_teardown(local_time, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
