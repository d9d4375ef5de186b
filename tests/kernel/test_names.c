/* Named objects, questions to objects, appended strings, image headers. Expectations: NT's
 * documentation (OBJECT_ATTRIBUTES, NtQueryEvent and the like, RtlAppend...), CreateEvent's page at
 * learn.microsoft.com, the PE format's. */
#include "fixture.h"

#include <string.h>

#include "exports.h"
#include "xam.h"

#define U(x) ((uint64_t)(x))

#define ATTRIBUTES 0x100
#define STRING     0x120
#define TEXT       0x140
#define OUT        0x400
#define OPENIF     0x80

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

static uint32_t attributes(fixture *f, const char *name, uint32_t flags)
{
    uint32_t at0 = f->scratch + ATTRIBUTES;
    set_text(f, f->scratch + TEXT, name);
    weft_store16(at(f, f->scratch + STRING), (uint16_t)strlen(name));
    weft_store16(at(f, f->scratch + STRING + 2), (uint16_t)(strlen(name) + 1));
    set_word(f, f->scratch + STRING + 4, f->scratch + TEXT);
    set_word(f, at0, 0xFFFFFFFC);
    set_word(f, at0 + 4, f->scratch + STRING);
    set_word(f, at0 + 8, flags);
    return at0;
}

static kstatus event(fixture *f, const char *name, uint32_t flags)
{
    return (kstatus)invoke(f, ex_NtCreateEvent, 4, U(f->scratch + OUT),
                           U(attributes(f, name, flags)), U(0), U(1));
}

static kobject *made(fixture *f)
{
    return khandle_get(f->k, f->thread, word(f, f->scratch + OUT), 0);
}

static void a_name_is_opened_again(void **state)
{
    fixture *f = *state;
    assert_int_equal(event(f, "go", OPENIF), STATUS_SUCCESS);
    kobject *first = made(f);
    uint32_t handle = word(f, f->scratch + OUT);
    assert_int_equal(event(f, "go", OPENIF), STATUS_OBJECT_NAME_EXISTS);
    assert_ptr_equal(made(f), first);
    assert_int_not_equal(word(f, f->scratch + OUT), handle);
    assert_int_equal(event(f, "go", 0), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(event(f, "Go", OPENIF), STATUS_SUCCESS);
    assert_ptr_not_equal(made(f), first);
}

static void a_name_belongs_to_a_type(void **state)
{
    fixture *f = *state;
    event(f, "go", OPENIF);
    assert_int_equal((kstatus)invoke(f, ex_NtCreateSemaphore, 4, U(f->scratch + OUT),
                                     U(attributes(f, "go", OPENIF)), U(0), U(1)),
                     STATUS_OBJECT_TYPE_MISMATCH);
}

static void a_name_goes_with_its_last_handle(void **state)
{
    fixture *f = *state;
    event(f, "go", OPENIF);
    kobject *first = made(f);
    kobject_retain(first); /* by a pointer, which keeps the object and not its name */
    invoke(f, ex_NtClose, 1, U(word(f, f->scratch + OUT)));
    assert_int_equal(event(f, "go", OPENIF), STATUS_SUCCESS);
    assert_ptr_not_equal(made(f), first);
    kobject_release(f->k, first);
}

static void long_names_are_told_apart(void **state)
{
    char a[128], b[128];
    fixture *f = *state;
    memset(a, 'n', 127);
    a[127] = 0;
    memcpy(b, a, sizeof b);
    b[126] = 'm';
    assert_int_equal(event(f, a, OPENIF), STATUS_SUCCESS);
    assert_int_equal(event(f, b, OPENIF), STATUS_SUCCESS);
    assert_int_equal(event(f, a, OPENIF), STATUS_OBJECT_NAME_EXISTS);
}

static void names_that_cannot_be_read(void **state)
{
    fixture *f = *state;
    assert_int_equal(
        (kstatus)invoke(f, ex_NtCreateEvent, 4, U(f->scratch + OUT), U(0x10), U(0), U(0)),
        STATUS_ACCESS_VIOLATION);
    assert_int_equal(event(f, "", OPENIF), STATUS_SUCCESS); /* no name */
    assert_int_equal(event(f, "", OPENIF), STATUS_SUCCESS);
}

static void open_by_name(void **state)
{
    fixture *f = *state;
    event(f, "go", OPENIF);
    kobject *first = made(f);
    assert_int_equal(invoke(f, ex_ObOpenObjectByName, 4, U(attributes(f, "go", 0)), U(0), U(0),
                            U(f->scratch + OUT)),
                     0);
    assert_ptr_equal(made(f), first);
    assert_int_equal((kstatus)invoke(f, ex_ObOpenObjectByName, 4, U(attributes(f, "no", 0)), U(0),
                                     U(0), U(f->scratch + OUT)),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(invoke(f, ex_ObOpenObjectByName, 4, U(attributes(f, "GO", 0x40)), U(0), U(0),
                            U(f->scratch + OUT)),
                     0);
    attributes(f, "go", 0);
    assert_int_equal(invoke(f, ex_ObReferenceObjectByName, 5, U(f->scratch + STRING), U(0), U(0),
                            U(0), U(f->scratch + OUT)),
                     0);
    assert_int_equal(word(f, f->scratch + OUT), first->body);
    invoke(f, ex_ObDereferenceObject, 1, U(first->body));
    assert_int_equal(invoke(f, ex_ObIsTitleObject, 1, U(first->body)), 1);
}

/* CreateEvent's page: the handle of the one that is there, and ERROR_ALREADY_EXISTS. */
static void create_event_finds_it(void **state)
{
    fixture *f = *state;
    event(f, "go", OPENIF);
    kobject *first = made(f);
    uint32_t text = set_text(f, f->scratch + TEXT, "go");
    uint32_t handle = (uint32_t)invoke(f, ex_CreateEventA, 4, U(0), U(0), U(0), U(text));
    assert_ptr_equal(khandle_get(f->k, f->thread, handle, 0), first);
    assert_int_equal(invoke(f, ex_GetLastError, 0), 183);
    set_text(f, f->scratch + TEXT, "new");
    assert_int_not_equal(invoke(f, ex_CreateEventA, 4, U(0), U(0), U(0), U(text)), 0);
    assert_int_equal(invoke(f, ex_GetLastError, 0), 0);
}

static void what_objects_are_in(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT, info = f->scratch + 0x500;
    invoke(f, ex_NtCreateEvent, 4, U(out), U(0), U(1), U(1));
    uint32_t handle = word(f, out);
    assert_int_equal(invoke(f, ex_NtQueryEvent, 2, U(handle), U(info)), 0);
    assert_int_equal(word(f, info), 1); /* SynchronizationEvent */
    assert_int_equal(word(f, info + 4), 1);
    assert_int_equal((kstatus)invoke(f, ex_NtQuerySemaphore, 2, U(handle), U(info)),
                     STATUS_OBJECT_TYPE_MISMATCH);
    invoke(f, ex_NtCreateSemaphore, 4, U(out), U(0), U(3), U(9));
    assert_int_equal(invoke(f, ex_NtQuerySemaphore, 2, U(word(f, out)), U(info)), 0);
    assert_int_equal(quad(f, info), UINT64_C(0x0000000300000009));
    invoke(f, ex_NtCreateMutant, 3, U(out), U(0), U(0));
    assert_int_equal(invoke(f, ex_NtQueryMutant, 2, U(word(f, out)), U(info)), 0);
    assert_int_equal(word(f, info), 1);
    assert_int_equal(*at(f, info + 4), 0);
    invoke(f, ex_NtCreateIoCompletion, 4, U(out), U(0), U(0), U(0));
    invoke(f, ex_NtSetIoCompletion, 5, U(word(f, out)), U(0), U(0), U(0), U(0));
    assert_int_equal(invoke(f, ex_NtQueryIoCompletion, 2, U(word(f, out)), U(info)), 0);
    assert_int_equal(word(f, info), 1);
    assert_int_equal((kstatus)invoke(f, ex_NtQueryEvent, 2, U(0xF8001000), U(info)),
                     STATUS_INVALID_HANDLE);
}

static void counted(fixture *f, uint32_t at0, uint16_t length, uint16_t room, uint32_t buffer)
{
    weft_store16(at(f, at0), length);
    weft_store16(at(f, at0 + 2), room);
    set_word(f, at0 + 4, buffer);
}

static void strings_are_appended(void **state)
{
    fixture *f = *state;
    uint32_t to = f->scratch, from = f->scratch + 16,
             text = set_text(f, f->scratch + TEXT, "abcdef");
    counted(f, to, 2, 5, f->scratch + OUT);
    set_text(f, f->scratch + OUT, "xy");
    counted(f, from, 3, 3, text);
    assert_int_equal(invoke(f, ex_RtlAppendStringToString, 2, U(to), U(from)), 0);
    assert_memory_equal(at(f, f->scratch + OUT), "xyabc", 5);
    assert_int_equal((kstatus)invoke(f, ex_RtlAppendStringToString, 2, U(to), U(from)),
                     STATUS_BUFFER_TOO_SMALL);
    counted(f, to, 0, 8, f->scratch + OUT);
    set_wide(f, f->scratch + TEXT, "hi");
    assert_int_equal(invoke(f, ex_RtlAppendUnicodeToString, 2, U(to), U(text)), 0);
    assert_memory_equal(at(f, f->scratch + OUT), "\0h\0i\0\0", 6);
    assert_int_equal(weft_load16(at(f, to)), 4);
    assert_int_equal(invoke(f, ex_RtlCreateUnicodeString, 2, U(from), U(text)), 1);
    assert_int_equal(word(f, from), 0x00040006);
    assert_memory_equal(at(f, word(f, from + 4)), "\0h\0i\0\0", 6);
}

static void image_headers(void **state)
{
    fixture *f = *state;
    uint32_t base = f->scratch + 0x10000;
    assert_int_equal(invoke(f, ex_RtlImageNtHeader, 1, U(base)), 0);
    memcpy(at(f, base), "MZ", 2);
    *at(f, base + 0x3C) = 0x80;
    memcpy(at(f, base + 0x80), "PE\0\0", 4);
    /* directory 3, the exceptions, at rva 0x8000, 0x10 bytes */
    memcpy(at(f, base + 0x80 + 24 + 96 + 24), (const uint8_t[]){0, 0x80, 0, 0, 0x10, 0, 0, 0}, 8);
    assert_int_equal(invoke(f, ex_RtlImageNtHeader, 1, U(base)), base + 0x80);
    assert_int_equal(
        invoke(f, ex_RtlImageDirectoryEntryToData, 4, U(base), U(1), U(3), U(f->scratch + OUT)),
        base + 0x8000);
    assert_int_equal(word(f, f->scratch + OUT), 0x10);
    *at(f, base + 0x3F) = 0xF0; /* far away */
    assert_int_equal(invoke(f, ex_RtlImageNtHeader, 1, U(base)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_is_opened_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_belongs_to_a_type, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_goes_with_its_last_handle, setup, teardown),
        cmocka_unit_test_setup_teardown(long_names_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(names_that_cannot_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(open_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(create_event_finds_it, setup, teardown),
        cmocka_unit_test_setup_teardown(what_objects_are_in, setup, teardown),
        cmocka_unit_test_setup_teardown(strings_are_appended, setup, teardown),
        cmocka_unit_test_setup_teardown(image_headers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
