/* XAM's users, notifications, dialogues, content, title data and Win32 functions, called as a title
 * calls them. Expectations: LESSONS 53 and 54, [MS-ERREF] for error numbers, the Win32 pages at
 * learn.microsoft.com, xenia src/xenia/kernel/xam for structures. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

#define U(x) ((uint64_t)(x))

#define PENDING      997  /* ERROR_IO_PENDING */
#define NO_SUCH_USER 1317 /* 0x525 */
#define MS           UINT64_C(1000000)

/* Offsets in the scratch memory. */
#define OVERLAPPED 0x100
#define OUT        0x200
#define TEXT       0x400
#define BUTTONS    0x800
#define BUFFER     0x1000

static weft_status state_create(void *instance, weft_cpu_state **state)
{
    *state = calloc(1, sizeof **state);
    return *state ? WEFT_OK : WEFT_E_NO_MEMORY;
}

static void state_destroy(void *instance, weft_cpu_state *state)
{
    free(state);
}

/* A processor that runs nothing: threads can be made. */
static const weft_cpu_ops still = {
    .size = sizeof still,
    .state_create = state_create,
    .state_destroy = state_destroy,
};

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

/* ---- notifications -----------------------------------------------------------------------------
 */

static uint32_t listener(fixture *f, uint64_t areas)
{
    return (uint32_t)invoke(f, ex_XamNotifyCreateListener, 2, areas, U(10));
}

/* Answers XNotifyGetNext; id and parameter are at OUT. */
static uint32_t next(fixture *f, uint32_t handle, uint32_t wanted)
{
    return (uint32_t)invoke(f, ex_XNotifyGetNext, 4, U(handle), U(wanted), U(f->scratch + OUT),
                            U(f->scratch + OUT + 4));
}

static void expect(fixture *f, uint32_t handle, uint32_t id, uint32_t parameter)
{
    assert_int_equal(next(f, handle, 0), 1);
    assert_int_equal(word(f, f->scratch + OUT), id);
    assert_int_equal(word(f, f->scratch + OUT + 4), parameter);
}

/* LESSONS 53 */
static void test_first_system_listener_is_told_the_state(void **state)
{
    fixture *f = *state;
    uint32_t handle = listener(f, 1);
    expect(f, handle, 0x00000009, 0);
    expect(f, handle, 0x0000000A, 1);
    assert_int_equal(next(f, handle, 0), 0);
}

static void test_first_live_listener_is_told_the_state(void **state)
{
    fixture *f = *state;
    uint32_t handle = listener(f, 2);
    expect(f, handle, 0x02000001, 0x001510F1);
    expect(f, handle, 0x02000003, 0);
    assert_int_equal(next(f, handle, 0), 0);
}

static void test_second_listener_is_told_nothing(void **state)
{
    fixture *f = *state;
    listener(f, 3);
    assert_int_equal(next(f, listener(f, 3), 0), 0);
}

static void test_next_by_id_overtakes(void **state)
{
    fixture *f = *state;
    uint32_t handle = listener(f, 1);
    assert_int_equal(next(f, handle, 0x0000000A), 1);
    assert_int_equal(word(f, f->scratch + OUT), 0x0000000A);
    assert_int_equal(next(f, handle, 0x0000000A), 0);
    expect(f, handle, 0x00000009, 0);
}

static void test_next_without_places_for_answers(void **state)
{
    fixture *f = *state;
    uint32_t handle = listener(f, 1);
    assert_int_equal(invoke(f, ex_XNotifyGetNext, 4, U(handle), U(0), U(0), U(0)), 0);
    assert_int_equal(invoke(f, ex_XNotifyGetNext, 4, U(handle), U(0), U(f->scratch + OUT), U(0)),
                     1);
    assert_int_equal(word(f, f->scratch + OUT), 9);
    assert_int_equal(next(f, 0xF8000FFC, 0), 0); /* no such listener */
}

static void test_notify_goes_by_mask(void **state)
{
    fixture *f = *state;
    uint32_t handle = listener(f, 4); /* friends: area 2 */
    kxam_notify(f->k, 0x00000009, 1); /* area 0 */
    kxam_notify(f->k, 0x02000001, 1); /* area 1 */
    kxam_notify(f->k, 0x04000002, 7); /* area 2: bits 25-30 */
    expect(f, handle, 0x04000002, 7);
    assert_int_equal(next(f, handle, 0), 0);
}

static void test_notify_goes_by_version(void **state)
{
    fixture *f = *state;
    uint32_t old = (uint32_t)invoke(f, ex_XamNotifyCreateListener, 2, U(4), U(3));
    kxam_notify(f->k, 0x04040001, 0); /* version 4: bits 16-24 */
    assert_int_equal(next(f, old, 0), 0);
    kxam_notify(f->k, 0x04030001, 0);
    assert_int_equal(next(f, old, 0), 1);
}

static void test_version_is_at_most_ten(void **state)
{
    fixture *f = *state;
    uint32_t handle = (uint32_t)invoke(f, ex_XamNotifyCreateListener, 2, U(4), U(99));
    kxam_notify(f->k, 0x040B0001, 0); /* 11 */
    assert_int_equal(next(f, handle, 0), 0);
}

static void test_listener_can_be_waited_for(void **state)
{
    fixture *f = *state;
    uint32_t handle = listener(f, 4);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(handle), U(0)), 258);
    kxam_notify(f->k, 0x04000001, 0);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(handle), U(0)), 0);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(handle), U(0)), 0); /* manual */
    next(f, handle, 0);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(handle), U(0)), 258);
}

static void test_full_listener_forgets_the_oldest(void **state)
{
    fixture *f = *state;
    uint32_t handle = listener(f, 4);
    for (uint32_t i = 0; i < 65; i++) {
        kxam_notify(f->k, 0x04000001, i);
    }
    expect(f, handle, 0x04000001, 1);
}

static void test_closed_listener_is_told_nothing(void **state)
{
    fixture *f = *state;
    uint32_t handle = listener(f, 4);
    assert_int_equal(invoke(f, ex_CloseHandle, 1, U(handle)), 1);
    kxam_notify(f->k, 0x04000001, 0);
    assert_null(f->k->xam.listeners);
}

static void test_internal_listener_takes_its_version_third(void **state)
{
    fixture *f = *state;
    uint32_t handle = (uint32_t)invoke(f, ex_XamNotifyCreateListenerInternal, 3, U(4), U(1), U(2));
    kxam_notify(f->k, 0x04030001, 0);
    kxam_notify(f->k, 0x04020001, 5);
    expect(f, handle, 0x04020001, 5);
}

static void test_notice_goes_to_the_log(void **state)
{
    fixture *f = *state;
    set_wide(f, f->scratch + TEXT, "saved");
    invoke(f, ex_XNotifyQueueUI, 5, U(14), U(0), U(2), U(f->scratch + TEXT), U(0));
    assert_string_equal(f->fake->logged, "notice: saved");
}

/* ---- dialogues ---------------------------------------------------------------------------------
 */

static uint32_t overlapped(const fixture *f, uint32_t offset)
{
    return word(f, f->scratch + OVERLAPPED + offset);
}

static uint32_t box(fixture *f, uint32_t count, uint32_t focus, uint32_t flags, bool async)
{
    set_wide(f, f->scratch + TEXT, "Continue?");
    set_wide(f, f->scratch + TEXT + 0x100, "Yes");
    for (uint32_t i = 0; i < 4; i++) {
        set_word(f, f->scratch + BUTTONS + 4 * i, f->scratch + TEXT + 0x100);
    }
    return (uint32_t)invoke(f, ex_XamShowMessageBoxUIEx, 10, U(0), U(0), U(f->scratch + TEXT),
                            U(count), U(f->scratch + BUTTONS), U(focus), U(flags), U(0),
                            U(f->scratch + OUT), U(async ? f->scratch + OVERLAPPED : 0));
}

static void test_message_box_is_answered_later(void **state)
{
    fixture *f = *state;
    set_word(f, f->scratch + OUT, 99);
    assert_int_equal(box(f, 2, 1, 0, true), PENDING);
    assert_int_equal(overlapped(f, 0), PENDING);
    assert_int_equal(word(f, f->scratch + OUT), 99);
    pass(f, 200 * MS);
    assert_int_equal(overlapped(f, 0), 0);
    assert_int_equal(overlapped(f, 0x18), 0);
    assert_int_equal(word(f, f->scratch + OUT), 1); /* the focused button */
}

static uint64_t seven_ms(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    return kind == WEFT_DELAY_OVERLAPPED ? 7 * MS : natural;
}

/* weft/policy.h, WEFT_DELAY_OVERLAPPED. */
static void test_the_policy_says_when_an_overlapped_request_ends(void **state)
{
    static const weft_policy_ops ops = {.size = sizeof ops, .delay = seven_ms};
    fixture *f = *state;
    f->k->policy = &ops;
    assert_int_equal(box(f, 2, 1, 0, true), PENDING);
    pass(f, 7 * MS - 1);
    assert_int_equal(overlapped(f, 0), PENDING);
    pass(f, 1);
    assert_int_equal(overlapped(f, 0), 0);
}

static void test_message_box_says_what_it_asked(void **state)
{
    fixture *f = *state;
    box(f, 1, 0, 0, true);
    assert_non_null(strstr(f->fake->logged, "Continue?"));
    assert_non_null(strstr(f->fake->logged, "\"Yes\""));
}

static void test_message_box_without_focus_takes_the_first(void **state)
{
    fixture *f = *state;
    assert_int_equal(box(f, 2, 7, 0, false), 0);
    assert_int_equal(word(f, f->scratch + OUT), 0);
}

static void test_message_box_refuses_bad_counts(void **state)
{
    fixture *f = *state;
    assert_int_equal(box(f, 0, 0, 0, true), 87); /* ERROR_INVALID_PARAMETER */
    assert_int_equal(box(f, 4, 0, 0, true), 87); /* XMB_MAXBUTTONS is 3 */
    assert_null(f->k->xam.requests);
}

static void test_pass_code_is_cancelled(void **state)
{
    fixture *f = *state;
    assert_int_equal(box(f, 0, 0, 0x10000, true), PENDING);
    pass(f, 200 * MS);
    assert_int_equal(overlapped(f, 0), 1223); /* ERROR_CANCELLED */
}

/* The shorter form: the result is the eighth argument, the overlapped the ninth. */
static void test_short_message_box(void **state)
{
    fixture *f = *state;
    set_wide(f, f->scratch + TEXT, "?");
    set_word(f, f->scratch + BUTTONS, f->scratch + TEXT);
    set_word(f, f->scratch + OUT, 9);
    uint32_t answer = (uint32_t)invoke(f, ex_XamShowMessageBoxUI, 9, U(0), U(0),
                                       U(f->scratch + TEXT), U(1), U(f->scratch + BUTTONS), U(0),
                                       U(0), U(f->scratch + OUT), U(f->scratch + OVERLAPPED));
    assert_int_equal(answer, PENDING);
    pass(f, 200 * MS);
    assert_int_equal(word(f, f->scratch + OUT), 0);
}

static void test_dialogue_is_announced_and_withdrawn(void **state)
{
    fixture *f = *state;
    uint32_t handle = listener(f, 1);
    next(f, handle, 0);
    next(f, handle, 0);
    box(f, 1, 0, 0, true);
    expect(f, handle, 0x00000009, 1);
    assert_int_equal(invoke(f, ex_XamIsUIActive, 0), 1);
    pass(f, 150 * MS); /* answered, not yet gone */
    assert_int_equal(overlapped(f, 0), 0);
    assert_int_equal(next(f, handle, 0), 0);
    pass(f, 100 * MS);
    expect(f, handle, 0x00000009, 0);
    assert_int_equal(invoke(f, ex_XamIsUIActive, 0), 0);
}

static void test_completion_signals_the_event(void **state)
{
    fixture *f = *state;
    uint32_t event = (uint32_t)invoke(f, ex_CreateEventA, 4, U(0), U(1), U(1), U(0));
    set_word(f, f->scratch + OVERLAPPED + 12, event);
    box(f, 1, 0, 0, true);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(event), U(0)), 258); /* was reset */
    pass(f, 200 * MS);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(event), U(0)), 0);
}

/* XOVERLAPPED_COMPLETION_ROUTINE(error, length, overlapped), in the thread that began. */
static void test_completion_queues_the_routine(void **state)
{
    fixture *f = *state;
    set_word(f, f->scratch + OVERLAPPED + 16, 0x82001000);
    box(f, 1, 0, 0, true);
    assert_null(f->thread->first_apc);
    pass(f, 200 * MS);
    assert_non_null(f->thread->first_apc);
    assert_int_equal(f->thread->first_apc->routine, 0x82001000);
    assert_int_equal(f->thread->first_apc->context, 0);
    assert_int_equal(f->thread->first_apc->argument2, f->scratch + OVERLAPPED);
    free(f->thread->first_apc);
}

/* The title may free what it handed over: nothing is written then. */
static void test_completion_survives_freed_memory(void **state)
{
    fixture *f = *state;
    uint32_t base = 0, size = 0x1000;
    assert_int_equal(
        mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_COMMIT | MM_RESERVE, MM_PAGE_READWRITE),
        0);
    set_wide(f, f->scratch + TEXT, "?");
    set_word(f, f->scratch + BUTTONS, f->scratch + TEXT);
    invoke(f, ex_XamShowMessageBoxUI, 9, U(0), U(0), U(f->scratch + TEXT), U(1),
           U(f->scratch + BUTTONS), U(0), U(0), U(base), U(base + 0x100));
    assert_int_equal(f->thread->cpu->r[3], PENDING);
    size = 0;
    assert_int_equal(mm_virtual_free(f->k->mm, &base, &size, MM_RELEASE), 0);
    pass(f, 200 * MS);
    assert_null(f->k->xam.requests);
}

static void test_keyboard_keeps_its_default(void **state)
{
    fixture *f = *state;
    set_wide(f, f->scratch + TEXT, "Player");
    memset(at(f, f->scratch + BUFFER), 0xAA, 64);
    uint32_t answer =
        (uint32_t)invoke(f, ex_XamShowKeyboardUI, 8, U(0), U(0), U(f->scratch + TEXT), U(0), U(0),
                         U(f->scratch + BUFFER), U(16), U(f->scratch + OVERLAPPED));
    assert_int_equal(answer, PENDING);
    pass(f, 200 * MS);
    assert_int_equal(overlapped(f, 0), 0);
    assert_memory_equal(at(f, f->scratch + BUFFER), at(f, f->scratch + TEXT), 14);
    assert_int_equal(*at(f, f->scratch + BUFFER + 32), 0xAA); /* 16 characters, no more */
}

static void test_keyboard_cuts_what_does_not_fit(void **state)
{
    fixture *f = *state;
    set_wide(f, f->scratch + TEXT, "Player");
    invoke(f, ex_XamShowKeyboardUI, 8, U(0), U(0), U(f->scratch + TEXT), U(0), U(0),
           U(f->scratch + BUFFER), U(4), U(0));
    assert_int_equal(weft_load16(at(f, f->scratch + BUFFER + 4)), 'a');
    assert_int_equal(weft_load16(at(f, f->scratch + BUFFER + 6)), 0);
}

static void test_keyboard_needs_a_buffer(void **state)
{
    fixture *f = *state;
    assert_int_equal(
        invoke(f, ex_XamShowKeyboardUI, 8, U(0), U(0), U(0), U(0), U(0), U(0), U(16), U(0)), 87);
}

/* ---- users -------------------------------------------------------------------------------------
 */

static void test_nobody_is_signed_in(void **state)
{
    fixture *f = *state;
    for (uint32_t user = 0; user < 5; user++) {
        assert_int_equal(invoke(f, ex_XamUserGetSigninState, 1, U(user)), 0);
    }
}

/* HRESULT_FROM_WIN32(ERROR_NO_SUCH_USER), sign-extended as an HRESULT is. */
static void test_signin_info_of_nobody(void **state)
{
    fixture *f = *state;
    memset(at(f, f->scratch + OUT), 0xAA, 48);
    assert_int_equal(invoke(f, ex_XamUserGetSigninInfo, 3, U(0), U(0), U(f->scratch + OUT)),
                     UINT64_C(0xFFFFFFFF80070525));
    assert_int_equal(quad(f, f->scratch + OUT), 0);
    assert_int_equal(*at(f, f->scratch + OUT + 39), 0); /* XUSER_SIGNIN_INFO has 40 bytes */
    assert_int_equal(*at(f, f->scratch + OUT + 40), 0xAA);
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetSigninInfo, 3, U(0), U(0), U(0)), 0x80070057);
}

static void test_xuid_of_nobody(void **state)
{
    fixture *f = *state;
    set_quad(f, f->scratch + OUT, 1);
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetXUID, 3, U(3), U(7), U(f->scratch + OUT)),
                     0x80070525);
    assert_int_equal(quad(f, f->scratch + OUT), 0);
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetXUID, 3, U(4), U(7), U(f->scratch + OUT)),
                     0x80070057);
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetXUID, 3, U(0), U(7), U(0)), 0x80070057);
}

static void test_name_of_nobody(void **state)
{
    fixture *f = *state;
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetName, 3, U(0), U(f->scratch), U(16)),
                     0x80070525);
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetName, 3, U(4), U(f->scratch), U(16)),
                     0x80070057);
}

static void test_logon_off_succeeds_and_on_fails(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XamUserLogon, 3, U(f->scratch), U(0), U(0)), 0);
    set_quad(f, f->scratch + 8, 0xE000000000000001);
    assert_int_equal(invoke(f, ex_XamUserLogon, 3, U(f->scratch), U(0), U(0)), NO_SUCH_USER);
    assert_int_equal(invoke(f, ex_XamUserLogon, 3, U(0), U(0), U(0)), 87);
}

static void test_logon_overlapped_carries_the_extended_error(void **state)
{
    fixture *f = *state;
    set_quad(f, f->scratch, 0xE000000000000001);
    assert_int_equal(invoke(f, ex_XamUserLogon, 3, U(f->scratch), U(0), U(f->scratch + OVERLAPPED)),
                     PENDING);
    pass(f, 10 * MS);
    assert_int_equal(overlapped(f, 0), NO_SUCH_USER);
    assert_int_equal(overlapped(f, 0x18), 0x80070525);
}

static void test_privileges_of_nobody(void **state)
{
    fixture *f = *state;
    set_word(f, f->scratch, 1);
    assert_int_equal(invoke(f, ex_XamUserCheckPrivilege, 3, U(0), U(254), U(f->scratch)),
                     NO_SUCH_USER);
    assert_int_equal(word(f, f->scratch), 0);
    assert_int_equal(invoke(f, ex_XamUserCheckPrivilege, 3, U(0xFF), U(254), U(f->scratch)), 0);
    assert_int_equal(invoke(f, ex_XamUserCheckPrivilege, 3, U(4), U(254), U(f->scratch)), 87);
}

/* ERROR_NOT_LOGGED_ON is 1245. */
static void test_friends_of_nobody(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XamUserAreUsersFriends, 5, U(0), U(f->scratch), U(1),
                            U(f->scratch + OUT), U(0)),
                     1245);
}

/* 8 for the header, 40 a setting, and a string's 0x28 bytes: 8 + 80 + 40. */
static void test_profile_settings_tell_their_size(void **state)
{
    fixture *f = *state;
    set_word(f, f->scratch, 0x10040004);     /* a u32 */
    set_word(f, f->scratch + 4, 0x40280041); /* a string of 0x28 bytes */
    set_word(f, f->scratch + 8, 0);
    assert_int_equal(invoke(f, ex_XamUserReadProfileSettings, 9, U(0), U(0), U(0), U(0), U(2),
                            U(f->scratch), U(f->scratch + 8), U(0), U(0)),
                     122); /* ERROR_INSUFFICIENT_BUFFER */
    assert_int_equal(word(f, f->scratch + 8), 128);
    assert_int_equal(invoke(f, ex_XamUserReadProfileSettings, 9, U(0), U(0), U(0), U(0), U(2),
                            U(f->scratch), U(f->scratch + 8), U(f->scratch + BUFFER), U(0)),
                     NO_SUCH_USER);
    assert_int_equal(invoke(f, ex_XamUserReadProfileSettings, 9, U(0), U(0), U(0), U(0), U(33),
                            U(f->scratch), U(f->scratch + 8), U(0), U(0)),
                     87);
}

/* ---- content -----------------------------------------------------------------------------------
 */

static uint32_t enumerator(fixture *f, uint32_t user, uint32_t device, uint32_t items)
{
    return (uint32_t)invoke(f, ex_XamContentCreateEnumerator, 7, U(user), U(device), U(1), U(0),
                            U(items), U(f->scratch + OUT), U(f->scratch + OUT + 4));
}

/* LESSONS 54 */
static void test_content_enumerator_judges_device_then_user(void **state)
{
    fixture *f = *state;
    set_word(f, f->scratch + OUT, 9);
    assert_int_equal(enumerator(f, 0xFE, 77, 5), 0x80070057);
    assert_int_equal(word(f, f->scratch + OUT), 0);
    assert_int_equal(enumerator(f, 0, 0, 5), NO_SUCH_USER);
    assert_int_equal(word(f, f->scratch + OUT), 5 * 0x134);
    assert_int_equal(enumerator(f, 0xFE, 0, 5), 0);
    assert_int_not_equal(word(f, f->scratch + OUT + 4), 0);
}

/* ERROR_NO_MORE_FILES is 18; the count stays 0. */
static void test_empty_list_has_no_more(void **state)
{
    fixture *f = *state;
    enumerator(f, 0xFE, 0, 1);
    uint32_t handle = word(f, f->scratch + OUT + 4);
    set_word(f, f->scratch, 9);
    assert_int_equal(invoke(f, ex_XamEnumerate, 6, U(handle), U(0), U(f->scratch + BUFFER),
                            U(0x134), U(f->scratch), U(0)),
                     18);
    assert_int_equal(word(f, f->scratch), 0);
    assert_int_equal(invoke(f, ex_XamEnumerate, 6, U(handle), U(0), U(f->scratch + BUFFER),
                            U(0x134), U(0), U(f->scratch + OVERLAPPED)),
                     PENDING);
    assert_int_equal(invoke(f, ex_CloseHandle, 1, U(handle)), 1); /* the request holds it */
    pass(f, 10 * MS);
    assert_int_equal(overlapped(f, 0), 18);
    assert_int_equal(overlapped(f, 0x18), 0x80070012);
}

static void test_enumerate_judges_its_arguments(void **state)
{
    fixture *f = *state;
    enumerator(f, 0xFE, 0, 1);
    uint32_t handle = word(f, f->scratch + OUT + 4);
    assert_int_equal(
        invoke(f, ex_XamEnumerate, 6, U(handle), U(0), U(f->scratch), U(4), U(0), U(0)), 87);
    assert_int_equal(
        invoke(f, ex_XamEnumerate, 6, U(0xF8000FFC), U(0), U(f->scratch), U(4), U(0), U(0)),
        6); /* ERROR_INVALID_HANDLE */
}

static void test_no_licence_is_held(void **state)
{
    fixture *f = *state;
    set_word(f, f->scratch, 1);
    assert_int_equal(invoke(f, ex_XamContentGetLicenseMask, 2, U(f->scratch), U(0)), 0);
    assert_int_equal(word(f, f->scratch), 0);
}

/* ---- the title ---------------------------------------------------------------------------------
 */

/* MAX_LAUNCH_DATA_SIZE is 1020; ERROR_NOT_FOUND is 1168. */
static void test_launch_data(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XamLoaderGetLaunchDataSize, 1, U(f->scratch + OUT)), 1168);
    assert_int_equal(invoke(f, ex_XamLoaderGetLaunchData, 2, U(f->scratch), U(4)), 1168);
    assert_int_equal(invoke(f, ex_XamLoaderSetLaunchData, 2, U(f->scratch), U(1021)), 87);
    memcpy(at(f, f->scratch), "0123456789", 10);
    assert_int_equal(invoke(f, ex_XamLoaderSetLaunchData, 2, U(f->scratch), U(10)), 0);
    assert_int_equal(invoke(f, ex_XamLoaderGetLaunchDataSize, 1, U(f->scratch + OUT)), 0);
    assert_int_equal(word(f, f->scratch + OUT), 10);
    assert_int_equal(invoke(f, ex_XamLoaderGetLaunchData, 2, U(f->scratch + BUFFER), U(4)), 0);
    assert_memory_equal(at(f, f->scratch + BUFFER), "0123\0\0", 6);
}

/* 2.0.17559.0 as the kernel's own version says: 2 << 28 | 17559 << 8, 17559 = 0x4497. */
static void test_system_version(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XamGetSystemVersion, 0), 0x20449700);
    assert_int_equal(invoke(f, ex_XamUpdateGetCurrentSystemVersion, 0), 0x20449700);
}

/* Execution info: media id, version, base version, title id @0xC (xex2_info.h). */
static void test_title_id_comes_from_the_header(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XamGetCurrentTitleId, 0), 0); /* no title */
    kmodule title = {.header = f->scratch};
    f->k->title = &title;
    set_word(f, f->scratch + 0x14, 2);
    set_word(f, f->scratch + 0x18, 0x00030000);
    set_word(f, f->scratch + 0x20, 0x00040006);
    set_word(f, f->scratch + 0x24, 0x80);
    set_word(f, f->scratch + 0x80 + 12, 0x415607D1);
    assert_int_equal(invoke(f, ex_XamGetCurrentTitleId, 0), 0x415607D1);
    assert_int_equal(invoke(f, ex_XamGetExecutionId, 1, U(f->scratch + OUT)), 0);
    assert_int_equal(word(f, f->scratch + OUT), f->scratch + 0x80);
    set_word(f, f->scratch + 0x14, 0xFFFFFFFF); /* a title that spoils its own header */
    set_word(f, f->scratch + 0x20, 0);
    assert_int_equal(invoke(f, ex_XamGetCurrentTitleId, 0), 0);
    f->k->title = NULL;
}

static void test_launching_a_package_ends_the_title(void **state)
{
    fixture *f = *state;
    set_text(f, f->scratch, "game:\\pack");
    invoke(f, ex_XamContentLaunchImageFromFileInternal, 2, U(f->scratch), U(0));
    assert_int_equal(f->result, K_GONE);
    assert_int_equal(f->k->end, WEFT_END_EXIT);
    assert_non_null(strstr(f->k->reason, "game:\\pack"));
}

static void test_dash_context_is_kept(void **state)
{
    fixture *f = *state;
    invoke(f, ex_XamSetDashContext, 1, U(6));
    assert_int_equal(invoke(f, ex_XamGetDashContext, 0), 6);
}

static void test_task_is_a_thread(void **state)
{
    fixture *f = *state;
    f->k->cpu = &still;
    invoke(f, ex_XamTaskSchedule, 4, U(0x82001000), U(0x1234), U(0), U(f->scratch + OUT));
    assert_int_equal(f->thread->cpu->r[3], 0);
    kthread *task = f->thread->next;
    assert_non_null(task);
    assert_int_equal(task->cpu->pc, 0x82001000);
    assert_int_equal(task->cpu->r[3], 0x1234);
    uint32_t handle = word(f, f->scratch + OUT);
    assert_ptr_equal(khandle_get(f->k, f->thread, handle, KOBJECT_THREAD), task->object);
    assert_int_equal(invoke(f, ex_XamTaskCloseHandle, 1, U(handle)), 1);
    assert_int_equal(task->state, WEFT_THREAD_READY); /* it lives on (LESSONS 34) */
    assert_int_equal(invoke(f, ex_XamTaskCloseHandle, 1, U(handle)), 0);
    state_destroy(NULL, task->cpu);
    f->thread->next = NULL;
    free(task);
}

/* ---- Win32 -------------------------------------------------------------------------------------
 */

static void test_sleep_takes_its_milliseconds(void **state)
{
    fixture *f = *state;
    invoke(f, ex_Sleep, 1, U(5));
    assert_int_equal(f->result, K_WAIT);
    pass(f, 5 * MS - 1);
    assert_false(resume(f));
    pass(f, 2);
    assert_true(resume(f));
    assert_int_equal(f->result, K_DONE);
}

static void test_sleep_for_ever(void **state)
{
    fixture *f = *state;
    invoke(f, ex_Sleep, 1, U(0xFFFFFFFF));
    pass(f, 10000000 * MS);
    assert_false(resume(f));
}

static void test_sleep_zero_goes_on(void **state)
{
    fixture *f = *state;
    invoke(f, ex_Sleep, 1, U(0));
    assert_int_equal(f->result, K_DONE);
    assert_true(f->k->reschedule);
}

/* WAIT_TIMEOUT is 258, WAIT_FAILED -1 with ERROR_INVALID_HANDLE. */
static void test_wait_for_single_object(void **state)
{
    fixture *f = *state;
    uint32_t event = (uint32_t)invoke(f, ex_CreateEventA, 4, U(0), U(0), U(1), U(0));
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(event), U(0)), 0);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(event), U(0)), 258); /* automatic */
    assert_int_equal((uint32_t)invoke(f, ex_WaitForSingleObject, 2, U(12), U(0)), 0xFFFFFFFF);
    assert_int_equal(invoke(f, ex_GetLastError, 0), 6);
}

static void test_wait_times_out_on_time(void **state)
{
    fixture *f = *state;
    uint32_t event = (uint32_t)invoke(f, ex_CreateEventA, 4, U(0), U(1), U(0), U(0));
    invoke(f, ex_WaitForSingleObjectEx, 3, U(event), U(3), U(0));
    assert_int_equal(f->result, K_WAIT);
    pass(f, 3 * MS + 1);
    assert_true(resume(f));
    assert_int_equal(f->thread->cpu->r[3], 258);
}

static void test_events_are_set_and_reset(void **state)
{
    fixture *f = *state;
    uint32_t event = (uint32_t)invoke(f, ex_CreateEventA, 4, U(0), U(1), U(0), U(0));
    assert_int_equal(invoke(f, ex_SetEvent, 1, U(event)), 1);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(event), U(0)), 0);
    assert_int_equal(invoke(f, ex_ResetEvent, 1, U(event)), 1);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(event), U(0)), 258);
    assert_int_equal(invoke(f, ex_SetEvent, 1, U(12)), 0);
    assert_int_equal(invoke(f, ex_GetLastError, 0), 6);
}

static void test_last_error_is_in_the_thread(void **state)
{
    fixture *f = *state;
    kobject *body = kobject_create(f->k, NULL, KOBJECT_THREAD, 0, 0xAB0);
    f->thread->object = body;
    invoke(f, ex_SetLastError, 1, U(1234));
    assert_int_equal(word(f, body->body + 0x160), 1234); /* where titles read it inline */
    set_word(f, body->body + 0x160, 77);
    assert_int_equal(invoke(f, ex_GetLastError, 0), 77);
    f->thread->object = NULL;
}

/* 50 MHz: 20 ns a count. */
static void test_performance_counter(void **state)
{
    fixture *f = *state;
    pass(f, 2000);
    assert_int_equal(invoke(f, ex_QueryPerformanceFrequency, 1, U(f->scratch)), 1);
    assert_int_equal(quad(f, f->scratch), 50000000);
    assert_int_equal(invoke(f, ex_QueryPerformanceCounter, 1, U(f->scratch)), 1);
    assert_int_equal(quad(f, f->scratch), 100);
}

/* FILETIME has its low half first; 2005-11-22 is 127770912000000000. */
static void test_file_time_has_its_low_half_first(void **state)
{
    fixture *f = *state;
    invoke(f, ex_GetSystemTimeAsFileTime, 1, U(f->scratch));
    uint64_t low = word(f, f->scratch), high = word(f, f->scratch + 4);
    assert_int_equal(high << 32 | low, UINT64_C(127770912000000000));
}

static void test_tick_count_is_milliseconds(void **state)
{
    fixture *f = *state;
    pass(f, 1999999);
    assert_int_equal(invoke(f, ex_GetTickCount, 0), 1);
}

static void test_debug_string_is_printed(void **state)
{
    fixture *f = *state;
    set_text(f, f->scratch, "hello\n");
    invoke(f, ex_OutputDebugStringA, 1, U(f->scratch));
    assert_string_equal(f->fake->printed, "hello\n");
}

static void test_mem_copy_answers_its_destination(void **state)
{
    fixture *f = *state;
    set_text(f, f->scratch, "abcdef");
    assert_int_equal(invoke(f, ex_XMemCpy, 3, U(f->scratch + 2), U(f->scratch), U(4)),
                     f->scratch + 2);
    assert_string_equal((char *)at(f, f->scratch), "ababcd");
}

/* ---- hardware ----------------------------------------------------------------------------------
 */

/* free60 "System Management Controller": the reply repeats the command; 0x11 is the power button.
 */
static void test_smc_knows_why_it_woke(void **state)
{
    fixture *f = *state;
    *at(f, f->scratch) = 0x01;
    memset(at(f, f->scratch + OUT), 0xAA, 17);
    invoke(f, ex_HalSendSMCMessage, 2, U(f->scratch), U(f->scratch + OUT));
    assert_int_equal(word(f, f->scratch + OUT), 0x01110000);
    assert_int_equal(*at(f, f->scratch + OUT + 16), 0xAA);
    memset(at(f, f->scratch + OUT), 0, 16);
    invoke(f, ex_HalGetPowerUpCause, 1, U(f->scratch + OUT));
    assert_int_equal(word(f, f->scratch + OUT), 0x01110000);
}

/* 2001-01-01 to 2005-11-22 are 4 * 365 + 1 + 325 = 1786 days of 86,400,000 ms */
static void test_smc_tells_the_time(void **state)
{
    fixture *f = *state;
    *at(f, f->scratch) = 0x04;
    invoke(f, ex_HalSendSMCMessage, 2, U(f->scratch), U(f->scratch + OUT));
    uint64_t now = 0;
    for (unsigned i = 5; i > 0; i--) {
        now = now << 8 | *at(f, f->scratch + OUT + i);
    }
    assert_int_equal(now, UINT64_C(1786) * 86400000);
}

static void test_smc_powers_down(void **state)
{
    fixture *f = *state;
    *at(f, f->scratch) = 0x82;
    invoke(f, ex_HalSendSMCMessage, 2, U(f->scratch), U(0));
    assert_int_equal(f->result, K_GONE);
    assert_int_equal(f->k->end, WEFT_END_EXIT);
}

static void test_key_vault_is_empty(void **state)
{
    fixture *f = *state;
    assert_int_equal(
        (uint32_t)invoke(f, ex_XeKeysGetKey, 3, U(0x14), U(f->scratch), U(f->scratch + OUT)),
        0xC0000225); /* STATUS_NOT_FOUND */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first_system_listener_is_told_the_state),
        TEST(test_first_live_listener_is_told_the_state),
        TEST(test_second_listener_is_told_nothing),
        TEST(test_next_by_id_overtakes),
        TEST(test_next_without_places_for_answers),
        TEST(test_notify_goes_by_mask),
        TEST(test_notify_goes_by_version),
        TEST(test_version_is_at_most_ten),
        TEST(test_listener_can_be_waited_for),
        TEST(test_full_listener_forgets_the_oldest),
        TEST(test_closed_listener_is_told_nothing),
        TEST(test_internal_listener_takes_its_version_third),
        TEST(test_notice_goes_to_the_log),
        TEST(test_message_box_is_answered_later),
        TEST(test_the_policy_says_when_an_overlapped_request_ends),
        TEST(test_message_box_says_what_it_asked),
        TEST(test_message_box_without_focus_takes_the_first),
        TEST(test_message_box_refuses_bad_counts),
        TEST(test_pass_code_is_cancelled),
        TEST(test_short_message_box),
        TEST(test_dialogue_is_announced_and_withdrawn),
        TEST(test_completion_signals_the_event),
        TEST(test_completion_queues_the_routine),
        TEST(test_completion_survives_freed_memory),
        TEST(test_keyboard_keeps_its_default),
        TEST(test_keyboard_cuts_what_does_not_fit),
        TEST(test_keyboard_needs_a_buffer),
        TEST(test_nobody_is_signed_in),
        TEST(test_signin_info_of_nobody),
        TEST(test_xuid_of_nobody),
        TEST(test_name_of_nobody),
        TEST(test_logon_off_succeeds_and_on_fails),
        TEST(test_logon_overlapped_carries_the_extended_error),
        TEST(test_privileges_of_nobody),
        TEST(test_friends_of_nobody),
        TEST(test_profile_settings_tell_their_size),
        TEST(test_content_enumerator_judges_device_then_user),
        TEST(test_empty_list_has_no_more),
        TEST(test_enumerate_judges_its_arguments),
        TEST(test_no_licence_is_held),
        TEST(test_launch_data),
        TEST(test_system_version),
        TEST(test_title_id_comes_from_the_header),
        TEST(test_launching_a_package_ends_the_title),
        TEST(test_dash_context_is_kept),
        TEST(test_task_is_a_thread),
        TEST(test_sleep_takes_its_milliseconds),
        TEST(test_sleep_for_ever),
        TEST(test_sleep_zero_goes_on),
        TEST(test_wait_for_single_object),
        TEST(test_wait_times_out_on_time),
        TEST(test_events_are_set_and_reset),
        TEST(test_last_error_is_in_the_thread),
        TEST(test_performance_counter),
        TEST(test_file_time_has_its_low_half_first),
        TEST(test_tick_count_is_milliseconds),
        TEST(test_debug_string_is_printed),
        TEST(test_mem_copy_answers_its_destination),
        TEST(test_smc_knows_why_it_woke),
        TEST(test_smc_tells_the_time),
        TEST(test_smc_powers_down),
        TEST(test_key_vault_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
