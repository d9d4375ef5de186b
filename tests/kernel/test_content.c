/* Content on the storage device: made, mounted, listed, read back, deleted. Expectations: the XDK's
 * dispositions and XCONTENT_DATA as xenia src/xenia/kernel/xam/xam_content.cc and content_manager.h have
 * them, [MS-ERREF] for errors. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"
#include "xam_storage.h"

#define U(x) ((uint64_t)(x))
#define MS   UINT64_C(1000000)

#define NOBODY 0xFE /* XUSER_INDEX_NONE: content for everybody */
#define HDD    1

/* Offsets in the scratch memory. */
#define OUT        0x100
#define ROOT       0x200
#define DATA       0x400
#define OVERLAPPED 0x800
#define PATH       0x900
#define BUFFER     0x1000

enum { CREATE_NEW = 1, CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS, TRUNCATE_EXISTING };

static int setup(void **state)
{
    *state = fixture_open();
    return 0;
}

static int setup_user(void **state)
{
    fixture *f = *state = fixture_open();
    return kxam_user_init(f->k, "Tester") ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

/* XCONTENT_DATA at DATA: device, type, display name, file name. */
static uint32_t data(fixture *f, uint32_t device, uint32_t type, const char *name)
{
    uint32_t at_data = f->scratch + DATA;
    memset(at(f, at_data), 0, 0x134);
    set_word(f, at_data, device);
    set_word(f, at_data + 4, type);
    set_wide(f, at_data + 8, "A name to read");
    memcpy(at(f, at_data + 0x108), name, strlen(name) < 42 ? strlen(name) : 42);
    return at_data;
}

/* The disposition that it answers is at OUT. */
static uint32_t create(fixture *f, uint32_t user, const char *name, uint32_t how)
{
    set_text(f, f->scratch + ROOT, "save");
    uint32_t d = data(f, HDD, 1, name);
    return (uint32_t)invoke(f, ex_XamContentCreateEx, 9, U(user), U(f->scratch + ROOT), U(d),
                            U(how), U(f->scratch + OUT), U(0), U(0), U(0), U(0));
}

static uint32_t close_root(fixture *f)
{
    set_text(f, f->scratch + ROOT, "save");
    return (uint32_t)invoke(f, ex_XamContentClose, 2, U(f->scratch + ROOT), U(0));
}

static uint32_t remove_content(fixture *f, uint32_t user, const char *name)
{
    return (uint32_t)invoke(f, ex_XamContentDelete, 3, U(user), U(data(f, HDD, 1, name)), U(0));
}

/* Writes a file as the kernel's own VFS does. */
static kstatus write_path(fixture *f, const char *path, const char *text)
{
    vfs_file *file;
    uint32_t action, done;
    kstatus status = vfs_open(f->k->vfs, NULL, path, VFS_OVERWRITE_IF, 0, &file, &action);
    if (status == STATUS_SUCCESS) {
        status = vfs_write(file, 0, text, (uint32_t)strlen(text), &done);
        vfs_close(file);
    }
    return status;
}

static bool exists(fixture *f, const char *path)
{
    vfs_info info;
    return vfs_query(f->k->vfs, NULL, path, &info) == STATUS_SUCCESS;
}

/* ---- packages ----------------------------------------------------------------------------------
 */

static void a_new_package_is_mounted(void **state)
{
    fixture *f = *state;
    assert_int_equal(create(f, NOBODY, "slot1", CREATE_NEW), 0);
    assert_int_equal(word(f, f->scratch + OUT), 1); /* created */
    assert_int_equal(write_path(f, "save:\\a.bin", "hello"), STATUS_SUCCESS);
    assert_int_equal(close_root(f), 0);
    assert_false(exists(f, "save:\\a.bin"));
    assert_int_equal(create(f, NOBODY, "SLOT1", OPEN_EXISTING), 0);
    assert_int_equal(word(f, f->scratch + OUT), 2); /* opened */
    assert_true(exists(f, "SAVE:\\A.BIN"));
}

static void dispositions(void **state)
{
    static const struct {
        uint32_t how, there, result, did; /* ERROR_ALREADY_EXISTS 183, PATH_NOT_FOUND 3 */
        bool kept;
    } all[] = {
        {CREATE_NEW, 0, 0, 1, false},        {CREATE_NEW, 1, 183, 0, true},
        {CREATE_ALWAYS, 0, 0, 1, false},     {CREATE_ALWAYS, 1, 0, 1, false},
        {OPEN_EXISTING, 0, 3, 0, false},     {OPEN_EXISTING, 1, 0, 2, true},
        {OPEN_ALWAYS, 0, 0, 1, false},       {OPEN_ALWAYS, 1, 0, 2, true},
        {TRUNCATE_EXISTING, 0, 3, 0, false}, {TRUNCATE_EXISTING, 1, 0, 1, false},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "slot%zu", i);
        if (all[i].there) {
            assert_int_equal(create(f, NOBODY, name, CREATE_NEW), 0);
            assert_int_equal(write_path(f, "save:\\old", "x"), STATUS_SUCCESS);
            assert_int_equal(close_root(f), 0);
        }
        assert_int_equal(create(f, NOBODY, name, all[i].how), all[i].result);
        assert_int_equal(word(f, f->scratch + OUT), all[i].did);
        if (all[i].result == 0) {
            assert_int_equal(exists(f, "save:\\old"), all[i].kept);
            assert_int_equal(close_root(f), 0);
        }
    }
    assert_int_equal(create(f, NOBODY, "slot", 0), 87); /* ERROR_INVALID_PARAMETER */
    assert_int_equal(create(f, NOBODY, "slot", 6), 87);
}

static void a_root_has_one_package(void **state)
{
    fixture *f = *state;
    assert_int_equal(create(f, NOBODY, "one", CREATE_NEW), 0);
    assert_int_equal(create(f, NOBODY, "two", CREATE_NEW), 183);
    assert_int_equal(close_root(f), 0);
    assert_int_equal(create(f, NOBODY, "two", CREATE_NEW), 0); /* it was not made */
    assert_int_equal(word(f, f->scratch + OUT), 1);
}

/* The title's own links cannot be taken, nor roots that are no names. */
static void roots_are_names(void **state)
{
    static const char *const bad[] = {"cache",
                                      "",
                                      "a\\b",
                                      "a:b",
                                      "..\\x",
                                      "with*star",
                                      "a-root-that-is-longer-than-any-title-has"};
    fixture *f = *state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set_text(f, f->scratch + ROOT, bad[i]);
        uint32_t d = data(f, HDD, 1, "slot"), fresh = i == 0 ? CREATE_NEW : OPEN_ALWAYS;
        uint32_t answer = (uint32_t)invoke(f, ex_XamContentCreate, 7, U(NOBODY),
                                           U(f->scratch + ROOT), U(d), U(fresh), U(0), U(0), U(0));
        assert_int_equal(answer, i == 0 ? 183 : 87);
        assert_null(f->k->xam.mounts);
    }
}

/* A name goes into paths: nothing in it may lead elsewhere. */
static void names_are_one_component(void **state)
{
    static const char *const bad[] = {"",       ".",   "..",  "a\\b", "..\\..\\x", "a/b",
                                      "cache:", "a*b", "a?b", "a|b",  "\x01",      "\xFF"};
    fixture *f = *state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(create(f, NOBODY, bad[i], OPEN_ALWAYS), 87);
    }
    assert_int_equal(create(f, NOBODY, "0123456789012345678901234567890123456789AB", CREATE_NEW),
                     0); /* 42 characters, no NUL */
}

static void deletion(void **state)
{
    fixture *f = *state;
    assert_int_equal(remove_content(f, NOBODY, "slot"), 2); /* ERROR_FILE_NOT_FOUND */
    assert_int_equal(create(f, NOBODY, "slot", CREATE_NEW), 0);
    vfs_file *folder;
    uint32_t action;
    assert_int_equal(
        vfs_open(f->k->vfs, NULL, "save:\\deep", VFS_CREATE, VFS_DIRECTORY_FILE, &folder, &action),
        STATUS_SUCCESS);
    vfs_close(folder);
    assert_int_equal(write_path(f, "save:\\deep\\er", "x"), STATUS_SUCCESS);
    assert_int_equal(remove_content(f, NOBODY, "slot"), 5); /* ERROR_ACCESS_DENIED: mounted */
    close_root(f);
    assert_int_equal(remove_content(f, NOBODY, "slot"), 0);
    assert_int_equal(create(f, NOBODY, "slot", OPEN_EXISTING), 3);
}

static void other_devices_are_not_connected(void **state)
{
    fixture *f = *state;
    set_text(f, f->scratch + ROOT, "save");
    uint32_t d = data(f, 2, 1, "slot");
    assert_int_equal(invoke(f, ex_XamContentCreateEx, 9, U(NOBODY), U(f->scratch + ROOT), U(d),
                            U(CREATE_NEW), U(0), U(0), U(0), U(0), U(0)),
                     1167);
}

static void closing_what_is_not_open(void **state)
{
    fixture *f = *state;
    assert_int_equal(close_root(f), 3);
    set_text(f, f->scratch + ROOT, "cache");
    assert_int_equal(invoke(f, ex_XamContentClose, 2, U(f->scratch + ROOT), U(0)), 3);
    assert_true(exists(f, "cache:\\"));
    assert_int_equal(invoke(f, ex_XamContentFlush, 2, U(f->scratch + ROOT), U(0)), 3);
}

/* Overlapped: the disposition is also the length; nothing is mounted before its time. */
static void creation_takes_its_time(void **state)
{
    fixture *f = *state;
    uint32_t o = f->scratch + OVERLAPPED;
    set_text(f, f->scratch + ROOT, "save");
    assert_int_equal(invoke(f, ex_XamContentCreateEx, 9, U(NOBODY), U(f->scratch + ROOT),
                            U(data(f, HDD, 1, "slot")), U(CREATE_ALWAYS), U(f->scratch + OUT), U(0),
                            U(0), U(0), U(o)),
                     997);
    memset(at(f, f->scratch + DATA), 0xFF, 0x134); /* the title may do so */
    memset(at(f, f->scratch + ROOT), 0xFF, 8);
    assert_false(exists(f, "save:\\"));
    pass(f, 10 * MS);
    assert_int_equal(word(f, o), 0);
    assert_int_equal(word(f, o + 4), 1);
    assert_int_equal(word(f, f->scratch + OUT), 1);
    assert_true(exists(f, "save:\\"));
}

/* A title that asks once and ends leaves nothing behind (valgrind and ASan look). */
static void an_operation_may_never_end(void **state)
{
    fixture *f = *state;
    uint32_t o = f->scratch + OVERLAPPED;
    set_text(f, f->scratch + ROOT, "save");
    invoke(f, ex_XamContentCreate, 7, U(NOBODY), U(f->scratch + ROOT), U(data(f, HDD, 1, "slot")),
           U(CREATE_ALWAYS), U(0), U(0), U(o));
    assert_non_null(f->k->xam.requests);
}

static void bad_pointers_are_the_callers(void **state)
{
    fixture *f = *state;
    invoke(f, ex_XamContentCreate, 7, U(NOBODY), U(f->scratch), U(0x10), U(1), U(0), U(0), U(0));
    assert_true(f->call.faulted);
    invoke(f, ex_XamContentCreate, 7, U(NOBODY), U(0x10), U(data(f, HDD, 1, "slot")), U(1), U(0),
           U(0), U(0));
    assert_true(f->call.faulted);
    invoke(f, ex_XamContentDelete, 3, U(NOBODY), U(0x10), U(0));
    assert_true(f->call.faulted);
    assert_null(f->k->xam.mounts);
}

/* ---- lists -------------------------------------------------------------------------------------
 */

static uint32_t list_of(fixture *f, uint32_t user, uint32_t type, uint32_t flags, uint32_t items)
{
    assert_int_equal(invoke(f, ex_XamContentCreateEnumerator, 7, U(user), U(0), U(type), U(flags),
                            U(items), U(f->scratch + OUT), U(f->scratch + OUT + 4)),
                     0);
    assert_int_equal(word(f, f->scratch + OUT), items * 0x134);
    return word(f, f->scratch + OUT + 4);
}

/* Answers XamEnumerate; the count is at OUT. */
static uint32_t next(fixture *f, uint32_t handle, uint32_t size)
{
    return (uint32_t)invoke(f, ex_XamEnumerate, 6, U(handle), U(0), U(f->scratch + BUFFER), U(size),
                            U(f->scratch + OUT), U(0));
}

static void packages_are_listed(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"b", "c", "a"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(create(f, NOBODY, names[i], CREATE_NEW), 0);
        close_root(f);
    }
    uint32_t handle = list_of(f, NOBODY, 1, 0, 2);
    assert_int_equal(next(f, handle, 2 * 0x134), 0);
    assert_int_equal(word(f, f->scratch + OUT), 2);
    uint32_t first = f->scratch + BUFFER, second = first + 0x134;
    assert_int_equal(word(f, first), HDD);
    assert_int_equal(word(f, first + 4), 1);
    assert_memory_equal(at(f, first + 8), "\0A\0 \0n\0a", 8);
    assert_string_equal((char *)at(f, first + 0x108), "a");
    assert_string_equal((char *)at(f, second + 0x108), "b");
    assert_int_equal(next(f, handle, 2 * 0x134), 0);
    assert_int_equal(word(f, f->scratch + OUT), 1);
    assert_string_equal((char *)at(f, first + 0x108), "c");
    assert_int_equal(next(f, handle, 2 * 0x134), 18);                  /* ERROR_NO_MORE_FILES */
    assert_int_equal(next(f, list_of(f, NOBODY, 2, 0, 1), 0x134), 18); /* another type */
}

static void a_list_fits_the_buffer(void **state)
{
    fixture *f = *state;
    create(f, NOBODY, "a", CREATE_NEW);
    uint32_t handle = list_of(f, NOBODY, 1, 0, 5);
    assert_int_equal(next(f, handle, 0x133), 122); /* ERROR_INSUFFICIENT_BUFFER */
    assert_int_equal(word(f, f->scratch + OUT), 0);
    assert_int_equal(next(f, handle, 0x134), 0);
}

static void a_list_is_as_of_its_making(void **state)
{
    fixture *f = *state;
    uint32_t handle = list_of(f, NOBODY, 1, 0, 5);
    create(f, NOBODY, "a", CREATE_NEW);
    assert_int_equal(next(f, handle, 0x134), 18);
}

static void there_is_one_device(void **state)
{
    fixture *f = *state;
    uint32_t buffer = f->scratch + BUFFER;
    assert_int_equal(invoke(f, ex_XamContentCreateDeviceEnumerator, 5, U(1), U(0), U(4),
                            U(f->scratch + OUT), U(f->scratch + OUT + 4)),
                     0);
    assert_int_equal(word(f, f->scratch + OUT), 4 * 0x50);
    uint32_t handle = word(f, f->scratch + OUT + 4);
    assert_int_equal(next(f, handle, 4 * 0x50), 0);
    assert_int_equal(word(f, f->scratch + OUT), 1);
    assert_int_equal(word(f, buffer), HDD);
    assert_int_equal(word(f, buffer + 4), 1);
    assert_int_equal(quad(f, buffer + 8), UINT64_C(1) << 30);
    assert_int_equal(quad(f, buffer + 0x10), UINT64_C(1) << 30);
    assert_memory_equal(at(f, buffer + 0x18), "\0H\0a\0r\0d\0 \0D\0r\0i\0v\0e\0\0", 22);
    assert_int_equal(next(f, handle, 4 * 0x50), 18);
}

/* What is written leaves less: a FATX cluster has 16 KiB. */
static void the_device_fills(void **state)
{
    fixture *f = *state;
    uint32_t buffer = f->scratch + BUFFER;
    create(f, NOBODY, "a", CREATE_NEW);
    assert_int_equal(invoke(f, ex_XamContentGetDeviceData, 2, U(HDD), U(buffer)), 0);
    uint64_t before = quad(f, buffer + 0x10);
    char text[0x8001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_int_equal(write_path(f, "save:\\big", text), STATUS_SUCCESS);
    invoke(f, ex_XamContentGetDeviceData, 2, U(HDD), U(buffer));
    assert_int_equal(before - quad(f, buffer + 0x10), 0x8000);
    assert_int_equal(invoke(f, ex_XamContentGetDeviceData, 2, U(2), U(buffer)), 1167);
}

static void the_device_has_a_name(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + BUFFER;
    assert_int_equal(invoke(f, ex_XamContentGetDeviceName, 3, U(HDD), U(out), U(10)), 122);
    assert_int_equal(invoke(f, ex_XamContentGetDeviceName, 3, U(HDD), U(out), U(11)), 0);
    assert_memory_equal(at(f, out), "\0H\0a\0r\0d\0 \0D\0r\0i\0v\0e\0\0", 22);
    assert_int_equal(invoke(f, ex_XamContentGetDeviceName, 3, U(9), U(out), U(11)), 1167);
    assert_int_equal(invoke(f, ex_XamContentGetDeviceState, 2, U(HDD), U(0)), 0);
    assert_int_equal(invoke(f, ex_XamContentGetDeviceState, 2, U(9), U(0)), 1167);
    assert_int_equal(invoke(f, ex_XamContentGetDeviceVolumePath, 3, U(HDD), U(out), U(64)), 0);
    assert_true(exists(f, (char *)at(f, out)));
    assert_int_equal(invoke(f, ex_XamContentGetDeviceVolumePath, 3, U(HDD), U(out), U(4)), 122);
}

/* The user of the dialogue takes the only device. */
static void the_device_is_chosen(void **state)
{
    fixture *f = *state;
    uint32_t o = f->scratch + OVERLAPPED, out = f->scratch + OUT;
    set_word(f, out, 9);
    assert_int_equal(invoke(f, ex_XamShowDeviceSelectorUI, 6, U(0), U(1), U(0), U(0), U(out), U(o)),
                     997);
    assert_int_equal(word(f, out), 9);
    pass(f, 1000 * MS);
    assert_int_equal(word(f, o), 0);
    assert_int_equal(word(f, out), HDD);
}

/* ---- thumbnails, creators, paths ---------------------------------------------------------------
 */

static uint32_t thumbnail(fixture *f, uint32_t picture, uint32_t size)
{
    set_word(f, f->scratch + OUT, size);
    return (uint32_t)invoke(f, ex_XamContentGetThumbnail, 5, U(NOBODY), U(data(f, HDD, 1, "slot")),
                            U(picture), U(f->scratch + OUT), U(0));
}

static void thumbnails(void **state)
{
    fixture *f = *state;
    uint32_t picture = f->scratch + BUFFER, d = data(f, HDD, 1, "slot");
    memcpy(at(f, picture), "picture", 7);
    assert_int_equal(
        invoke(f, ex_XamContentSetThumbnail, 5, U(NOBODY), U(d), U(picture), U(7), U(0)), 2);
    create(f, NOBODY, "slot", CREATE_NEW);
    assert_int_equal(thumbnail(f, picture, 64), 2);
    assert_int_equal(word(f, f->scratch + OUT), 0);
    memcpy(at(f, picture), "picture", 7);
    assert_int_equal(invoke(f, ex_XamContentSetThumbnail, 5, U(NOBODY), U(data(f, HDD, 1, "slot")),
                            U(picture), U(7), U(0)),
                     0);
    memset(at(f, picture), 0, 16);
    assert_int_equal(thumbnail(f, 0, 0), 0);
    assert_int_equal(word(f, f->scratch + OUT), 7);
    assert_int_equal(thumbnail(f, picture, 6), 122);
    assert_int_equal(thumbnail(f, picture, 7), 0);
    assert_memory_equal(at(f, picture), "picture\0", 8);
    assert_int_equal(
        invoke(f, ex_XamContentSetThumbnail, 5, U(NOBODY), U(d), U(picture), U(0), U(0)), 87);
    close_root(f);
    remove_content(f, NOBODY, "slot");
    create(f, NOBODY, "slot", CREATE_NEW);
    assert_int_equal(thumbnail(f, picture, 7), 2); /* it went with its package */
}

static uint32_t creator(fixture *f, uint32_t user, const char *name)
{
    return (uint32_t)invoke(f, ex_XamContentGetCreator, 5, U(user), U(data(f, HDD, 1, name)),
                            U(f->scratch + OUT), U(f->scratch + OUT + 8), U(0));
}

static void a_save_has_a_creator(void **state)
{
    fixture *f = *state;
    assert_int_equal(creator(f, 0, "slot"), 3); /* ERROR_PATH_NOT_FOUND */
    create(f, 0, "slot", CREATE_NEW);
    assert_int_equal(creator(f, 0, "slot"), 0);
    assert_int_equal(word(f, f->scratch + OUT), 1);
    assert_int_equal(quad(f, f->scratch + OUT + 8), f->k->xam.xuid);
}

static void a_package_lies_somewhere(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + PATH;
    assert_int_equal(
        invoke(f, ex_XamContentResolve, 4, U(NOBODY), U(data(f, HDD, 1, "slot")), U(out), U(128)),
        1168); /* ERROR_NOT_FOUND */
    create(f, NOBODY, "slot", CREATE_NEW);
    assert_int_equal(
        invoke(f, ex_XamContentResolve, 4, U(NOBODY), U(data(f, HDD, 1, "slot")), U(out), U(8)),
        122);
    assert_int_equal(
        invoke(f, ex_XamContentResolve, 4, U(NOBODY), U(data(f, HDD, 1, "slot")), U(out), U(128)),
        0);
    write_path(f, "save:\\x", "x");
    strcat((char *)at(f, out), "\\x");
    assert_true(exists(f, (char *)at(f, out)));
}

/* ---- whose -------------------------------------------------------------------------------------
 */

static void nobody_has_saves(void **state)
{
    fixture *f = *state;
    assert_int_equal(create(f, 0, "slot", CREATE_NEW), 1317); /* ERROR_NO_SUCH_USER */
    assert_int_equal(create(f, 7, "slot", CREATE_NEW), 87);
    assert_int_equal(remove_content(f, 0, "slot"), 1317);
}

static void a_user_has_saves_of_his_own(void **state)
{
    fixture *f = *state;
    assert_int_equal(create(f, NOBODY, "slot", CREATE_NEW), 0);
    write_path(f, "save:\\common", "x");
    close_root(f);
    assert_int_equal(create(f, 0, "slot", OPEN_EXISTING), 0); /* everybody's is his too */
    assert_true(exists(f, "save:\\common"));
    close_root(f);
    assert_int_equal(create(f, 0, "slot", CREATE_NEW), 0);
    assert_false(exists(f, "save:\\common"));
    close_root(f);
    uint32_t handle = list_of(f, 0, 1, 0, 4);
    assert_int_equal(next(f, handle, 4 * 0x134), 0);
    assert_int_equal(word(f, f->scratch + OUT), 2);
    handle = list_of(f, 0, 1, 0x1000, 4); /* XCONTENTFLAG_ENUM_EXCLUDECOMMON */
    next(f, handle, 4 * 0x134);
    assert_int_equal(word(f, f->scratch + OUT), 1);
    assert_int_equal(create(f, 1, "slot", CREATE_NEW), 1317);
}

/* [machine] state: another run finds what this one has left. */
static void saves_are_kept_in_a_folder(void **state)
{
    char *folder = folder_make(), path[300];
    for (int run = 0; run < 2; run++) {
        fake_host *fake = fake_host_create();
        kernel *k = calloc(1, sizeof *k);
        assert_non_null(k);
        k->host = &fake->host;
        k->machine = &fake->machine;
        fake->machine.state_folder = folder;
        k->vfs = vfs_create(k);
        assert_non_null(k->vfs);
        kcontent c;
        uint8_t bytes[0x134] = {0};
        weft_store32(bytes, 1);
        weft_store32(bytes + 4, 1);
        memcpy(bytes + 0x108, "slot", 4);
        assert_int_equal(kcontent_parse(bytes, 0, 0x12345678, &c), 0);
        assert_int_equal(kcontent_exists(k, &c), run);
        assert_int_equal(kcontent_create(k, &c), run ? 183 : 0);
        kcontent_destroy(k);
        vfs_destroy(k->vfs);
        fake_host_destroy(fake);
        free(k);
    }
    snprintf(path, sizeof path, "%s/content/0000000000000000/12345678/00000001.header/slot",
             folder);
    FILE *header = fopen(path, "rb");
    assert_non_null(header);
    fclose(header);
    folder_remove(folder);
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_USER(name) cmocka_unit_test_setup_teardown(name, setup_user, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_package_is_mounted),
        TEST(dispositions),
        TEST(a_root_has_one_package),
        TEST(roots_are_names),
        TEST(names_are_one_component),
        TEST(deletion),
        TEST(other_devices_are_not_connected),
        TEST(closing_what_is_not_open),
        TEST(creation_takes_its_time),
        TEST(an_operation_may_never_end),
        TEST(bad_pointers_are_the_callers),
        TEST(packages_are_listed),
        TEST(a_list_fits_the_buffer),
        TEST(a_list_is_as_of_its_making),
        TEST(there_is_one_device),
        TEST(the_device_fills),
        TEST(the_device_has_a_name),
        TEST(the_device_is_chosen),
        TEST(thumbnails),
        TEST_USER(a_save_has_a_creator),
        TEST(a_package_lies_somewhere),
        TEST(nobody_has_saves),
        TEST_USER(a_user_has_saves_of_his_own),
        cmocka_unit_test(saves_are_kept_in_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
