/* Alerts, drivers' exports that mean something here, variables, UTF-8, keys, the disc drive.
 * Expectations: NT's documentation, RFC 3629, [MS-ERREF], homebrew's kernel headers for the console's
 * own. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"

#define U(x)    ((uint64_t)(x))
#define OUT     0x100
#define TIME    0x200
#define TEXT    0x400
#define ALERTED 0x101 /* STATUS_ALERTED */
#define MS      UINT64_C(1000000)

static int setup(void **state)
{
    fixture *f = *state = fixture_open();
    f->thread->object = kobject_create(f->k, NULL, KOBJECT_THREAD, 0, 0xAB0);
    if (!f->thread->object) {
        return -1;
    }
    f->thread->object->data = f->thread;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static uint64_t self(const fixture *f)
{
    return f->thread->object->body;
}

static void delay(fixture *f, uint32_t alertable)
{
    set_quad(f, f->scratch + TIME, (uint64_t)-100000); /* 10 ms */
    invoke(f, ex_KeDelayExecutionThread, 3, U(1), U(alertable), U(f->scratch + TIME));
}

/* ---- alerts ------------------------------------------------------------------------------------
 */

static void an_alert_ends_an_alertable_wait(void **state)
{
    fixture *f = *state;
    delay(f, 1);
    assert_int_equal(f->result, K_WAIT);
    assert_int_equal(invoke(f, ex_KeAlertThread, 2, self(f), U(0)), 0);
    assert_true(resume(f));
    assert_int_equal(f->thread->cpu->r[3], ALERTED);
    assert_int_equal(invoke(f, ex_KeTestAlertThread, 1, U(0)), 0); /* used up */
}

static void an_alert_waits_for_an_alertable_wait(void **state)
{
    fixture *f = *state;
    delay(f, 0);
    invoke(f, ex_KeAlertThread, 2, self(f), U(0));
    assert_false(resume(f));
    pass(f, 11 * MS);
    assert_true(resume(f));
    assert_int_equal(f->thread->cpu->r[3], 0);
    delay(f, 1);
    assert_int_equal(f->result, K_DONE);
    assert_int_equal(f->thread->cpu->r[3], ALERTED);
    delay(f, 1);
    assert_int_equal(f->result, K_WAIT);
}

static void an_alert_is_tested_for(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_KeAlertThread, 2, self(f), U(0)), 0);
    assert_int_equal(invoke(f, ex_KeAlertThread, 2, self(f), U(0)), 1); /* it was already */
    assert_int_equal(invoke(f, ex_KeTestAlertThread, 1, U(0)), 1);
    assert_int_equal(invoke(f, ex_KeTestAlertThread, 1, U(0)), 0);
    assert_int_equal(invoke(f, ex_KeAlertThread, 2, U(0x10), U(0)), 0);
}

/* What is signalled comes before the alert (NT). */
static void a_signal_comes_first(void **state)
{
    fixture *f = *state;
    uint32_t event = f->scratch + OUT;
    invoke(f, ex_KeInitializeEvent, 3, U(event), U(0), U(1));
    invoke(f, ex_KeAlertThread, 2, self(f), U(0));
    assert_int_equal(invoke(f, ex_KeWaitForSingleObject, 5, U(event), U(0), U(1), U(1), U(0)), 0);
    assert_int_equal(invoke(f, ex_KeTestAlertThread, 1, U(0)), 1);
}

static void alert_and_resume(void **state)
{
    fixture *f = *state;
    f->thread->suspended = 2;
    assert_int_equal(invoke(f, ex_KeAlertResumeThread, 1, self(f)), 2);
    assert_int_equal(f->thread->suspended, 1);
    assert_int_equal(invoke(f, ex_KeTestAlertThread, 1, U(0)), 1);
}

static void priorities_are_set(void **state)
{
    fixture *f = *state;
    f->thread->priority = 8;
    assert_int_equal(invoke(f, ex_KeSetPriorityThread, 2, self(f), U(15)), 8);
    assert_int_equal(invoke(f, ex_KeSetPriorityThread, 2, self(f), U(99)), 15);
    assert_int_equal(f->thread->priority, 31);
    assert_int_equal(invoke(f, ex_KeSetPriorityThread, 2, U(0x10), U(1)), 0);
}

static void an_event_is_set_for_its_first_waiter(void **state)
{
    fixture *f = *state;
    uint32_t event = f->scratch + OUT, out = f->scratch + TEXT;
    invoke(f, ex_KeInitializeEvent, 3, U(event), U(1), U(0));
    invoke(f, ex_KeWaitForSingleObject, 5, U(event), U(0), U(1), U(0), U(0));
    assert_int_equal(f->result, K_WAIT);
    invoke(f, ex_KeSetEventBoostPriority, 2, U(event), U(out));
    assert_int_equal(word(f, out), self(f));
    assert_true(resume(f));
    invoke(f, ex_KeSetEventBoostPriority, 2, U(event), U(out));
    assert_int_equal(word(f, out), 0);
    assert_int_equal(word(f, event + 4), 1);
}

/* ---- for drivers -------------------------------------------------------------------------------
 */

/* As KfAcquireSpinLock: DISPATCH_LEVEL is 2. */
static void the_device_lock_raises_the_irql(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_IoAcquireDeviceObjectLock, 0), 0);
    assert_int_equal(f->result, K_DONE);
    assert_int_equal(f->k->hw[0].irql, 2);
    assert_int_not_equal(word(f, f->k->device_lock), 0);
    invoke(f, ex_IoReleaseDeviceObjectLock, 1, U(0));
    assert_int_equal(f->k->hw[0].irql, 0);
    assert_int_equal(word(f, f->k->device_lock), 0);
}

static void ports_are_found_by_pointer(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    invoke(f, ex_NtCreateIoCompletion, 4, U(out), U(0), U(0), U(0));
    uint32_t port = word(f, out);
    kobject *o = khandle_get(f->k, f->thread, port, KOBJECT_IO_COMPLETION);
    assert_int_equal(
        invoke(f, ex_IoSetIoCompletion, 5, U(o->body), U(1), U(2), U(STATUS_END_OF_FILE), U(4)), 0);
    invoke(f, ex_NtRemoveIoCompletion, 5, U(port), U(out), U(out + 4), U(out + 8), U(0));
    assert_int_equal(word(f, out), 1);
    assert_int_equal(word(f, out + 4), 2);
    assert_int_equal(word(f, out + 8), STATUS_END_OF_FILE);
    assert_int_equal(word(f, out + 12), 4);
    assert_int_equal((uint32_t)invoke(f, ex_IoSetIoCompletion, 5, self(f), U(1), U(2), U(0), U(4)),
                     STATUS_INVALID_PARAMETER);
}

static void caches_are_coherent(void **state)
{
    fixture *f = *state;
    invoke(f, ex_KeFlushCacheRange, 2, U(f->scratch), U(128));
    invoke(f, ex_KeSweepDcacheRange, 2, U(f->scratch), U(128));
    invoke(f, ex_KeSweepIcacheRange, 2, U(0), U(0xFFFFFFFF));
    invoke(f, ex_HalRegisterSMCNotification, 2, U(f->scratch), U(1));
    assert_int_equal(f->result, K_DONE);
    assert_false(f->call.faulted);
}

static void titles_end(void **state)
{
    fixture *f = *state;
    invoke(f, ex_ExTerminateTitleProcess, 1, U(3));
    assert_int_equal(f->result, K_GONE);
    assert_int_equal(f->k->exit_code, 3);
}

static void another_executable_ends_the_title(void **state)
{
    fixture *f = *state;
    set_text(f, f->scratch + TEXT, "game:\\other.xex");
    invoke(f, ex_XexLoadExecutable, 4, U(f->scratch + TEXT), U(f->scratch + OUT), U(0), U(0));
    assert_int_equal(f->result, K_GONE);
    assert_non_null(strstr(f->k->reason, "other.xex"));
}

static void a_package_ends_the_title(void **state)
{
    fixture *f = *state;
    set_text(f, f->scratch + TEXT, "start.xex");
    invoke(f, ex_XamContentLaunchImage, 3, U(0), U(f->scratch), U(f->scratch + TEXT));
    assert_int_equal(f->result, K_GONE);
    assert_non_null(strstr(f->k->reason, "start.xex"));
}

/* ---- variables ---------------------------------------------------------------------------------
 */

static uint32_t variable(fixture *f, unsigned ordinal)
{
    uint32_t count;
    kexport_rows(&count);
    if (!f->k->variables) {
        f->k->variables = calloc(count, sizeof *f->k->variables);
        assert_non_null(f->k->variables);
    }
    return kvariable(f->k, KMODULE_KRNL, ordinal);
}

static void variables_have_contents(void **state)
{
    fixture *f = *state;
    assert_int_equal(word(f, variable(f, 0x0C)), 0xFF); /* as XGetGameRegion */
    assert_int_equal(invoke(f, ex_XGetGameRegion, 0), 0xFF);
    assert_memory_equal(at(f, variable(f, 0x157)), "\0\2\0\0\7\x60", 6); /* 2.0.1888 */
    assert_memory_equal(at(f, variable(f, 0x112) + 0x10), "Symb", 4);
    assert_memory_equal(at(f, variable(f, 0x3E) + 0x10), "File", 4);
    uint32_t event = variable(f, 0x2DB);
    for (int i = 0; i < 2; i++) { /* stays signalled */
        assert_int_equal(invoke(f, ex_KeWaitForSingleObject, 5, U(event), U(0), U(1), U(0), U(0)),
                         0);
        assert_int_equal(f->result, K_DONE);
    }
    free(f->k->variables);
}

static void object_types_are_told_apart(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    invoke(f, ex_NtCreateIoCompletion, 4, U(out), U(0), U(0), U(0));
    uint32_t port = word(f, out), type = variable(f, 0x36), file = variable(f, 0x3E);
    assert_int_equal(invoke(f, ex_ObReferenceObjectByHandle, 3, U(port), U(type), U(out)), 0);
    assert_int_equal((uint32_t)invoke(f, ex_ObReferenceObjectByHandle, 3, U(port), U(file), U(out)),
                     STATUS_OBJECT_TYPE_MISMATCH);
    free(f->k->variables);
}

/* ---- questions ---------------------------------------------------------------------------------
 */

/* TIMER_BASIC_INFORMATION {time left, state}. */
static void timers_are_asked(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT, due = f->scratch + TIME;
    invoke(f, ex_NtCreateTimer, 3, U(out), U(0), U(0));
    uint32_t timer = word(f, out);
    assert_int_equal(invoke(f, ex_NtQueryTimer, 2, U(timer), U(out)), 0);
    assert_int_equal(quad(f, out), 0);
    assert_int_equal(word(f, out + 8), 0);
    set_quad(f, due, (uint64_t)-100000); /* 10 ms */
    invoke(f, ex_NtSetTimerEx, 8, U(timer), U(due), U(0), U(1), U(0), U(0), U(0), U(0));
    pass(f, 4 * MS);
    assert_int_equal(invoke(f, ex_NtQueryTimer, 2, U(timer), U(out)), 0);
    assert_int_equal(quad(f, out), 60000);
    assert_int_equal(word(f, out + 8), 0);
    pass(f, 7 * MS);
    invoke(f, ex_NtQueryTimer, 2, U(timer), U(out));
    assert_int_equal(quad(f, out), 0);
    assert_int_equal(word(f, out + 8), 1);
    assert_int_equal((uint32_t)invoke(f, ex_NtQueryTimer, 2, U(12), U(out)), STATUS_INVALID_HANDLE);
}

/* ---- UTF-8: RFC 3629 section 7's examples, and pairs -------------------------------------------
 */

static uint32_t convert(fixture *f, const char *utf16, uint32_t length, uint32_t room)
{
    memcpy(at(f, f->scratch + TEXT), utf16, length);
    memset(at(f, f->scratch + 0x800), 0xAA, 64);
    return (uint32_t)invoke(f, ex_RtlUnicodeToUtf8, 5, U(f->scratch + 0x800), U(room),
                            U(f->scratch + OUT), U(f->scratch + TEXT), U(length));
}

static void utf_8(void **state)
{
    static const struct {
        const char *utf16, *utf8;
        uint32_t length, count, status; /* STATUS_SOME_NOT_MAPPED is 0x107 */
    } all[] = {
        {"\0A\x22\x62\x03\x91\0.", "A\xE2\x89\xA2\xCE\x91.", 8, 7, 0},
        {"\xD5\x5C\xAD\x6D\xC5\xB4", "\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4", 6, 9, 0},
        {"\xFE\xFF\xD8\x4C\xDF\xB4", "\xEF\xBB\xBF\xF0\xA3\x8E\xB4", 6, 7, 0},
        {"\xD8\x4C\0A",
         "\xEF\xBF\xBD"
         "A",
         4, 4, 0x107},
        {"\xDF\xB4", "\xEF\xBF\xBD", 2, 3, 0x107},
        {"\xD8\x4C", "\xEF\xBF\xBD", 2, 3, 0x107},
        {"\x07\xFF\x08\x00", "\xDF\xBF\xE0\xA0\x80", 4, 5, 0},
        {"", "", 0, 0, 0},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(convert(f, all[i].utf16, all[i].length, 64), all[i].status);
        assert_int_equal(word(f, f->scratch + OUT), all[i].count);
        assert_memory_equal(at(f, f->scratch + 0x800), all[i].utf8, all[i].count);
        assert_int_equal(*at(f, f->scratch + 0x800 + all[i].count), 0xAA);
        assert_int_equal(invoke(f, ex_RtlUnicodeToUtf8Size, 3, U(f->scratch + OUT),
                                U(f->scratch + TEXT), U(all[i].length)),
                         all[i].status);
        assert_int_equal(word(f, f->scratch + OUT), all[i].count);
    }
}

/* No character is cut. */
static void utf_8_that_does_not_fit(void **state)
{
    fixture *f = *state;
    assert_int_equal(convert(f, "\0A\x22\x62", 4, 3), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(word(f, f->scratch + OUT), 1);
    assert_memory_equal(at(f, f->scratch + 0x800), "A\xAA", 2);
}

/* ---- keys, the disc drive ----------------------------------------------------------------------
 */

static void there_are_no_keys(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    assert_int_equal(invoke(f, ex_XeKeysGetConsoleType, 1, U(out)), 0);
    assert_int_equal(word(f, out), 2); /* retail */
    assert_int_equal((uint32_t)invoke(f, ex_XeKeysGetConsoleID, 2, U(out), U(0)), STATUS_NOT_FOUND);
    assert_int_equal((uint32_t)invoke(f, ex_XeKeysGetMediaID, 2, U(out), U(0)), STATUS_NOT_FOUND);
    assert_int_equal((uint32_t)invoke(f, ex_XeKeysSetKey, 3, U(1), U(out), U(16)),
                     STATUS_NOT_FOUND);
    assert_int_equal(invoke(f, ex_XeKeysGetKeyProperties, 1, U(1)), 0);
}

static void there_is_no_disc(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    set_word(f, out, 9);
    set_word(f, out + 4, 9);
    invoke(f, ex_XamLoaderGetMediaInfo, 2, U(out), U(out + 4));
    assert_int_equal(word(f, out), 0); /* DVD_MEDIA_TYPE_NONE */
    assert_int_equal(word(f, out + 4), 0);
    invoke(f, ex_XamLoaderGetMediaInfo, 2, U(out), U(0));
    assert_false(f->call.faulted);
    assert_int_equal(invoke(f, ex_XamLoaderGetDvdTrayState, 0), 0);
}

static void packages_in_files_are_not_read(void **state)
{
    fixture *f = *state;
    set_text(f, f->scratch + TEXT, "cache:\\none");
    assert_int_equal(invoke(f, ex_XamContentOpenFile, 7, U(0), U(f->scratch), U(f->scratch + TEXT),
                            U(0), U(0), U(0), U(0)),
                     2); /* ERROR_FILE_NOT_FOUND */
    set_text(f, f->scratch + TEXT, "cache:\\");
    assert_int_equal(invoke(f, ex_XamContentOpenFile, 7, U(0), U(f->scratch), U(f->scratch + TEXT),
                            U(0), U(0), U(0), U(0)),
                     50); /* ERROR_NOT_SUPPORTED */
}

static void the_staging_mode_is_kept(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XamGetStagingMode, 0), 0);
    invoke(f, ex_XamSetStagingMode, 1, U(1));
    assert_int_equal(invoke(f, ex_XamGetStagingMode, 0), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_alert_ends_an_alertable_wait),
        TEST(an_alert_waits_for_an_alertable_wait),
        TEST(an_alert_is_tested_for),
        TEST(a_signal_comes_first),
        TEST(alert_and_resume),
        TEST(priorities_are_set),
        TEST(an_event_is_set_for_its_first_waiter),
        TEST(the_device_lock_raises_the_irql),
        TEST(ports_are_found_by_pointer),
        TEST(caches_are_coherent),
        TEST(titles_end),
        TEST(another_executable_ends_the_title),
        TEST(a_package_ends_the_title),
        TEST(variables_have_contents),
        TEST(object_types_are_told_apart),
        TEST(timers_are_asked),
        TEST(utf_8),
        TEST(utf_8_that_does_not_fit),
        TEST(there_are_no_keys),
        TEST(there_is_no_disc),
        TEST(packages_in_files_are_not_read),
        TEST(the_staging_mode_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
