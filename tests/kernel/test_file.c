/* The file exports, called as a title calls them. Structures and statuses are NT's (ntifs.h); what
 * is the console's own is in LESSONS 24, 25 and 43-50. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exports.h"

#define U(x)     ((uint64_t)(x))
#define ALERT    0x10u
#define NONALERT 0x20u

#define READ_DATA  1u
#define WRITE_DATA 2u

/* Offsets in the scratch memory. */
#define HANDLE 0x000
#define IOSB   0x010
#define OBJECT 0x020 /* OBJECT_ATTRIBUTES */
#define STRING 0x030 /* ANSI_STRING */
#define OFFSET 0x040
#define TEXT   0x100
#define INFO   0x400
#define BUFFER 0x10000

typedef struct world {
    fixture *f;
    char *folder;
    uint32_t base;
} world;

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    w->f = fixture_open();
    w->base = w->f->scratch;
    w->folder = folder_make();
    char large[10000];
    for (size_t i = 0; i < sizeof large; i++) {
        large[i] = (char)(i * 7);
    }
    folder_file(w->folder, "data.bin", "0123456789", 10);
    folder_file(w->folder, "large.bin", large, sizeof large);
    folder_file(w->folder, "sub/one.txt", "1", 1);
    folder_file(w->folder, "sub/two.dat", "22", 2);
    folder_file(w->folder, "sub/three.txt", "333", 3);
    assert_int_equal(vfs_mount_title(w->f->k->vfs, w->folder), STATUS_SUCCESS);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    fixture_close(w->f);
    folder_remove(w->folder);
    free(w);
    return 0;
}

static uint32_t ansi(world *w, uint32_t at_offset, uint32_t text_offset, const char *text)
{
    set_text(w->f, w->base + text_offset, text);
    weft_store16(at(w->f, w->base + at_offset), (uint16_t)strlen(text));
    weft_store16(at(w->f, w->base + at_offset + 2), (uint16_t)(strlen(text) + 1));
    set_word(w->f, w->base + at_offset + 4, w->base + text_offset);
    return w->base + at_offset;
}

static uint32_t attributes(world *w, const char *path)
{
    set_word(w->f, w->base + OBJECT, 0);
    set_word(w->f, w->base + OBJECT + 4, ansi(w, STRING, TEXT, path));
    set_word(w->f, w->base + OBJECT + 8, 0x40); /* OBJ_CASE_INSENSITIVE */
    return w->base + OBJECT;
}

static kstatus create(world *w, const char *path, uint32_t access, uint32_t disposition,
                      uint32_t options)
{
    return (kstatus)invoke(w->f, ex_NtCreateFile, 9, U(w->base + HANDLE), U(access),
                           U(attributes(w, path)), U(w->base + IOSB), U(0), U(0), U(0),
                           U(disposition), U(options));
}

/* An open handle. */
static uint32_t opened(world *w, const char *path, uint32_t access, uint32_t disposition,
                       uint32_t options)
{
    assert_int_equal(create(w, path, access, disposition, options), STATUS_SUCCESS);
    return word(w->f, w->base + HANDLE);
}

static kstatus transfer(world *w, kexport_fn fn, uint32_t handle, uint32_t event, uint32_t length,
                        int64_t offset)
{
    if (offset >= 0) {
        set_quad(w->f, w->base + OFFSET, (uint64_t)offset);
    }
    return (kstatus)invoke(w->f, fn, 8, U(handle), U(event), U(0), U(0), U(w->base + IOSB),
                           U(w->base + BUFFER), U(length), U(offset >= 0 ? w->base + OFFSET : 0));
}

/* A synchronous transfer, waited for. */
static kstatus finished(world *w, kexport_fn fn, uint32_t handle, uint32_t length, int64_t offset)
{
    transfer(w, fn, handle, 0, length, offset);
    if (w->f->result == K_WAIT) {
        pass(w->f, 1000000000);
        assert_true(resume(w->f));
    }
    return (kstatus)w->f->thread->cpu->r[3];
}

static uint32_t io_status(world *w)
{
    return word(w->f, w->base + IOSB);
}

static uint32_t io_information(world *w)
{
    return word(w->f, w->base + IOSB + 4);
}

/* ---- opening --------------------------------------------------------------------------------- */

static void test_create_opens_and_reports(void **state)
{
    world *w = *state;
    assert_int_equal(create(w, "game:\\DATA.bin", READ_DATA, VFS_OPEN, NONALERT), STATUS_SUCCESS);
    assert_int_equal(io_status(w), STATUS_SUCCESS);
    assert_int_equal(io_information(w), VFS_DID_OPEN);
    assert_int_not_equal(word(w->f, w->base + HANDLE), 0);
    assert_int_equal(w->f->fake->events[WEFT_EVENT_HANDLE_CREATE], 1);
}

/* LESSONS 24: create options are the ninth argument, on the stack; here they ask for a folder. */
static void test_create_options_come_from_the_stack(void **state)
{
    world *w = *state;
    assert_int_equal(create(w, "cache:\\dir", READ_DATA, VFS_CREATE, VFS_DIRECTORY_FILE),
                     STATUS_SUCCESS);
    vfs_info info;
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, "cache:\\dir", &info), STATUS_SUCCESS);
    assert_int_equal(info.attributes, VFS_ATTRIBUTE_DIRECTORY);
}

/* LESSONS 25: NtOpenFile's options are in r7, the fifth argument. */
static void test_open_takes_its_options_from_r7(void **state)
{
    world *w = *state;
    uint32_t oa = attributes(w, "game:\\sub");
    assert_int_equal((kstatus)invoke(w->f, ex_NtOpenFile, 6, U(w->base + HANDLE), U(READ_DATA),
                                     U(oa), U(w->base + IOSB), U(VFS_NON_DIRECTORY_FILE), U(0)),
                     STATUS_FILE_IS_A_DIRECTORY);
    assert_int_equal((kstatus)invoke(w->f, ex_NtOpenFile, 6, U(w->base + HANDLE), U(READ_DATA),
                                     U(oa), U(w->base + IOSB), U(0), U(VFS_NON_DIRECTORY_FILE)),
                     STATUS_SUCCESS);
}

/* LESSONS 46: a miss is OBJECT_NAME_NOT_FOUND, and the status block says DOES_NOT_EXIST. */
static void test_open_of_a_missing_file(void **state)
{
    world *w = *state;
    assert_int_equal(create(w, "game:\\none", READ_DATA, VFS_OPEN, 0),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(io_status(w), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(io_information(w), VFS_DOES_NOT_EXIST);
    assert_int_equal(w->f->fake->events[WEFT_EVENT_HANDLE_CREATE], 0);
}

static void test_bad_names_are_refused(void **state)
{
    world *w = *state;
    assert_int_equal(create(w, "game:\\a*b", READ_DATA, VFS_OPEN, 0), STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(create(w, "game:\\a\tb", READ_DATA, VFS_OPEN, 0), STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(create(w, "game:\\..\\x", READ_DATA, VFS_OPEN, 0), STATUS_OBJECT_NAME_INVALID);
    /* a NUL inside the counted string */
    attributes(w, "game:\\data.bin");
    *at(w->f, w->base + TEXT + 8) = 0;
    assert_int_equal((kstatus)invoke(w->f, ex_NtOpenFile, 5, U(w->base + HANDLE), U(READ_DATA),
                                     U(w->base + OBJECT), U(0), U(0)),
                     STATUS_OBJECT_NAME_INVALID);
    assert_int_equal((kstatus)invoke(w->f, ex_NtOpenFile, 5, U(w->base + HANDLE), U(READ_DATA),
                                     U(0), U(0), U(0)),
                     STATUS_INVALID_PARAMETER);
}

static void test_wild_pointers_fault_the_call(void **state)
{
    world *w = *state;
    invoke(w->f, ex_NtOpenFile, 5, U(w->base + HANDLE), U(READ_DATA), U(0x00001000), U(0), U(0));
    assert_true(w->f->call.faulted);
    assert_int_equal(w->f->call.fault_address, 0x00001000);
}

static void test_names_relative_to_an_open_folder(void **state)
{
    world *w = *state;
    uint32_t folder = opened(w, "game:\\sub", READ_DATA, VFS_OPEN, VFS_DIRECTORY_FILE);
    attributes(w, "two.dat");
    set_word(w->f, w->base + OBJECT, folder);
    assert_int_equal((kstatus)invoke(w->f, ex_NtOpenFile, 5, U(w->base + HANDLE), U(READ_DATA),
                                     U(w->base + OBJECT), U(0), U(0)),
                     STATUS_SUCCESS);
    set_word(w->f, w->base + OBJECT, UINT32_C(0xFFFFFFFD)); /* \??: absolute after all */
    set_word(w->f, w->base + OBJECT + 4, ansi(w, STRING, TEXT, "game:\\data.bin"));
    assert_int_equal((kstatus)invoke(w->f, ex_NtOpenFile, 5, U(w->base + HANDLE), U(READ_DATA),
                                     U(w->base + OBJECT), U(0), U(0)),
                     STATUS_SUCCESS);
}

static void test_the_path_is_kept_for_the_trace(void **state)
{
    world *w = *state;
    create(w, "game:\\sub\\one.txt", READ_DATA, VFS_OPEN, 0);
    assert_string_equal(w->f->call.path, "game:\\sub\\one.txt");
}

/* ---- transfers ------------------------------------------------------------------------------- */

/* 100000 ticks latency and 100 per KiB: the data lands then, not before. */
static void test_synchronous_read_waits_in_guest_time(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, NONALERT);
    transfer(w, ex_NtReadFile, handle, 0, 4, 3);
    assert_int_equal(w->f->result, K_WAIT);
    pass(w->f, 100000);
    assert_false(resume(w->f));
    assert_int_equal(*at(w->f, w->base + BUFFER), 0);
    pass(w->f, 100);
    assert_true(resume(w->f));
    assert_int_equal(w->f->result, K_DONE);
    assert_int_equal(w->f->thread->cpu->r[3], STATUS_SUCCESS);
    assert_memory_equal(at(w->f, w->base + BUFFER), "3456", 4);
    assert_int_equal(io_status(w), STATUS_SUCCESS);
    assert_int_equal(io_information(w), 4);
}

static void test_reads_without_offset_go_on(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, ALERT);
    assert_int_equal(finished(w, ex_NtReadFile, handle, 4, -1), STATUS_SUCCESS);
    assert_int_equal(finished(w, ex_NtReadFile, handle, 4, -1), STATUS_SUCCESS);
    assert_memory_equal(at(w->f, w->base + BUFFER), "4567", 4);
    assert_int_equal(finished(w, ex_NtReadFile, handle, 4, -1), STATUS_SUCCESS);
    assert_int_equal(io_information(w), 2);
    assert_int_equal(finished(w, ex_NtReadFile, handle, 4, -1), STATUS_END_OF_FILE);
    assert_int_equal(io_status(w), STATUS_END_OF_FILE);
    assert_int_equal(io_information(w), 0);
}

/* LESSONS 48: without a synchronous option the call is pending; data, status block and event land
 * together at the completion tick. */
static void test_asynchronous_read_lands_at_its_tick(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    uint32_t event = w->base + 0x60;
    assert_int_equal((kstatus)invoke(w->f, ex_NtCreateEvent, 4, U(event), U(0), U(0), U(1)),
                     STATUS_SUCCESS);
    event = word(w->f, event);
    kobject *object = khandle_get(w->f->k, w->f->thread, event, KOBJECT_EVENT);
    assert_int_equal(word(w->f, object->body + 4), 1);
    assert_int_equal(transfer(w, ex_NtReadFile, handle, event, 10, 0), STATUS_PENDING);
    assert_int_equal(word(w->f, object->body + 4), 0); /* reset when the request starts */
    assert_int_equal(io_status(w), STATUS_PENDING);
    pass(w->f, 100099);
    assert_int_equal(io_status(w), STATUS_PENDING);
    assert_int_equal(*at(w->f, w->base + BUFFER), 0);
    pass(w->f, 1);
    assert_int_equal(io_status(w), STATUS_SUCCESS);
    assert_int_equal(io_information(w), 10);
    assert_memory_equal(at(w->f, w->base + BUFFER), "0123456789", 10);
    assert_int_equal(word(w->f, object->body + 4), 1);
    kobject *file = khandle_get(w->f->k, w->f->thread, handle, KOBJECT_FILE);
    assert_int_equal(word(w->f, file->body + 4), 1); /* the file itself is signalled too */
}

static void test_asynchronous_end_of_file_is_told_in_the_status_block(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    assert_int_equal(transfer(w, ex_NtReadFile, handle, 0, 10, 10), STATUS_PENDING);
    pass(w->f, 1000000);
    assert_int_equal(io_status(w), STATUS_END_OF_FILE);
    assert_int_equal(io_information(w), 0);
}

static void test_asynchronous_completion_queues_the_apc(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    set_quad(w->f, w->base + OFFSET, 0);
    assert_int_equal((kstatus)invoke(w->f, ex_NtReadFile, 8, U(handle), U(0), U(0x82001235),
                                     U(0x1234), U(w->base + IOSB), U(w->base + BUFFER), U(1),
                                     U(w->base + OFFSET)),
                     STATUS_PENDING);
    assert_null(w->f->thread->first_apc);
    pass(w->f, 1000000);
    kapc *apc = w->f->thread->first_apc;
    assert_non_null(apc);
    assert_int_equal(apc->routine, 0x82001234); /* the lowest bit is a flag */
    assert_int_equal(apc->context, 0x1234);
    assert_int_equal(apc->argument1, w->base + IOSB);
    free(apc);
    w->f->thread->first_apc = w->f->thread->last_apc = NULL;
}

static void test_requests_outlive_their_handle(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    assert_int_equal(transfer(w, ex_NtReadFile, handle, 0, 10, 0), STATUS_PENDING);
    assert_int_equal((kstatus)invoke(w->f, ex_NtClose, 1, U(handle)), STATUS_SUCCESS);
    pass(w->f, 1000000);
    assert_int_equal(io_information(w), 10);
}

/* Left pending when the run ends: freed with the kernel (the sanitizers look). */
static void test_requests_may_stay_pending(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    assert_int_equal(transfer(w, ex_NtReadFile, handle, 0, 10, 0), STATUS_PENDING);
}

/* NT: a request holds the file object until it is over, whatever becomes of the handle. */
static void test_closing_during_a_synchronous_wait(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, NONALERT);
    transfer(w, ex_NtReadFile, handle, 0, 4, 0);
    khandle_close(w->f->k, w->f->thread, handle); /* another thread's NtClose */
    pass(w->f, 1000000);
    assert_true(resume(w->f));
    assert_int_equal((kstatus)w->f->thread->cpu->r[3], STATUS_SUCCESS);
    assert_memory_equal(at(w->f, w->base + BUFFER), "0123", 4);
}

/* Pages of 4 KiB at the addresses of the list. */
static void test_scattered_read(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\large.bin", READ_DATA, VFS_OPEN, NONALERT);
    uint32_t a = w->base + 0x20000, b = w->base + 0x30000, c = w->base + 0x24000;
    set_word(w->f, w->base + BUFFER, a);
    set_word(w->f, w->base + BUFFER + 4, b);
    set_word(w->f, w->base + BUFFER + 8, c);
    assert_int_equal(finished(w, ex_NtReadFileScatter, handle, 3 * 4096, 0), STATUS_SUCCESS);
    assert_int_equal(io_information(w), 10000);
    assert_int_equal(*at(w->f, a + 1), 7);
    assert_int_equal(*at(w->f, b), (uint8_t)(4096 * 7));
    assert_int_equal(*at(w->f, c + 1807), (uint8_t)(9999 * 7)); /* 10000 - 8192 = 1808 bytes */
    assert_int_equal(*at(w->f, c + 1808), 0);
}

static void test_write_and_read_back(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "cache:\\save", READ_DATA | WRITE_DATA, VFS_CREATE, NONALERT);
    set_text(w->f, w->base + BUFFER, "hello");
    assert_int_equal(finished(w, ex_NtWriteFile, handle, 5, 0), STATUS_SUCCESS);
    assert_int_equal(io_information(w), 5);
    /* FILE_WRITE_TO_END_OF_FILE is the offset -1 */
    set_quad(w->f, w->base + OFFSET, UINT64_MAX);
    invoke(w->f, ex_NtWriteFile, 8, U(handle), U(0), U(0), U(0), U(w->base + IOSB),
           U(w->base + BUFFER), U(5), U(w->base + OFFSET));
    pass(w->f, 1000000);
    assert_true(resume(w->f));
    assert_int_equal(finished(w, ex_NtReadFile, handle, 64, 0), STATUS_SUCCESS);
    assert_int_equal(io_information(w), 10);
    assert_memory_equal(at(w->f, w->base + BUFFER), "hellohello", 10);
}

/* LESSONS 48, for writes. */
static void test_asynchronous_write_is_pending(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "cache:\\save", WRITE_DATA, VFS_CREATE, 0);
    set_text(w->f, w->base + BUFFER, "hello");
    assert_int_equal(transfer(w, ex_NtWriteFile, handle, 0, 5, 0), STATUS_PENDING);
    pass(w->f, 1000000);
    assert_int_equal(io_status(w), STATUS_SUCCESS);
    assert_int_equal(io_information(w), 5);
}

static void test_rights_are_needed(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "cache:\\save", WRITE_DATA, VFS_CREATE, NONALERT);
    assert_int_equal(transfer(w, ex_NtReadFile, handle, 0, 1, 0), STATUS_ACCESS_DENIED);
    handle = opened(w, "cache:\\save", READ_DATA, VFS_OPEN, NONALERT);
    assert_int_equal(transfer(w, ex_NtWriteFile, handle, 0, 1, 0), STATUS_ACCESS_DENIED);
    assert_int_equal(transfer(w, ex_NtReadFile, 0x1234, 0, 1, 0), STATUS_INVALID_HANDLE);
    assert_int_equal(transfer(w, ex_NtReadFile, handle, 0x1234, 1, 0), STATUS_INVALID_HANDLE);
}

static void test_bad_buffers_are_statuses(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    set_quad(w->f, w->base + OFFSET, 0);
    invoke(w->f, ex_NtReadFile, 8, U(handle), U(0), U(0), U(0), U(w->base + IOSB), U(0xFFFFFFFC),
           U(0xFFFFFFFF), U(w->base + OFFSET));
    pass(w->f, UINT64_C(1) << 40);
    assert_int_equal(io_status(w), STATUS_ACCESS_VIOLATION);
}

/* LESSONS 49. */
static void test_partition0_reads_nothing_successfully(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "\\Device\\Harddisk0\\partition0", READ_DATA, VFS_OPEN, NONALERT);
    *at(w->f, w->base + BUFFER) = 0x5A;
    assert_int_equal(finished(w, ex_NtReadFile, handle, 0x200, 0x800), STATUS_SUCCESS);
    assert_int_equal(io_information(w), 0);
    assert_int_equal(*at(w->f, w->base + BUFFER), 0x5A);
}

/* ---- information ----------------------------------------------------------------------------- */

static kstatus query(world *w, uint32_t handle, uint32_t class, uint32_t length)
{
    return (kstatus)invoke(w->f, ex_NtQueryInformationFile, 5, U(handle), U(w->base + IOSB),
                           U(w->base + INFO), U(length), U(class));
}

static kstatus set(world *w, uint32_t handle, uint32_t class, uint32_t length)
{
    return (kstatus)invoke(w->f, ex_NtSetInformationFile, 5, U(handle), U(w->base + IOSB),
                           U(w->base + INFO), U(length), U(class));
}

static void test_network_open_information(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    assert_int_equal(query(w, handle, 34, 55), STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(query(w, handle, 34, 56), STATUS_SUCCESS);
    uint32_t info = w->base + INFO;
    assert_int_equal(quad(w->f, info), UINT64_C(127770912000000000)); /* creation */
    assert_int_equal(quad(w->f, info + 16), quad(w->f, info + 24));   /* change = write */
    assert_int_equal(quad(w->f, info + 32), 2048);                    /* allocation */
    assert_int_equal(quad(w->f, info + 40), 10);                      /* end of file */
    assert_int_equal(word(w->f, info + 48), VFS_ATTRIBUTE_READONLY);
    assert_int_equal(io_information(w), 56);
}

static void test_basic_and_standard_information(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\sub", READ_DATA, VFS_OPEN, 0), info = w->base + INFO;
    assert_int_equal(query(w, handle, 4, 40), STATUS_SUCCESS);
    assert_int_equal(word(w->f, info + 32), VFS_ATTRIBUTE_DIRECTORY | VFS_ATTRIBUTE_READONLY);
    assert_int_equal(query(w, handle, 5, 24), STATUS_SUCCESS);
    assert_int_equal(*at(w->f, info + 21), 1);  /* Directory */
    assert_int_equal(word(w->f, info + 16), 1); /* NumberOfLinks */
}

static void test_position_can_be_set_and_read(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, NONALERT);
    set_quad(w->f, w->base + INFO, 6);
    assert_int_equal(set(w, handle, 14, 8), STATUS_SUCCESS);
    assert_int_equal(finished(w, ex_NtReadFile, handle, 2, -1), STATUS_SUCCESS);
    assert_memory_equal(at(w->f, w->base + BUFFER), "67", 2);
    assert_int_equal(query(w, handle, 14, 8), STATUS_SUCCESS);
    assert_int_equal(quad(w->f, w->base + INFO), 8);
    set_quad(w->f, w->base + INFO, UINT64_MAX);
    assert_int_equal(set(w, handle, 14, 8), STATUS_INVALID_PARAMETER);
}

static void test_internal_information_names_the_file(void **state)
{
    world *w = *state;
    uint32_t a = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    uint32_t b = opened(w, "D:\\data.bin", READ_DATA, VFS_OPEN, 0);
    uint32_t c = opened(w, "d:\\large.bin", READ_DATA, VFS_OPEN, 0);
    assert_int_equal(query(w, a, 6, 8), STATUS_SUCCESS);
    uint64_t first = quad(w->f, w->base + INFO);
    assert_int_equal(query(w, b, 6, 8), STATUS_SUCCESS);
    assert_int_equal(quad(w->f, w->base + INFO), first);
    assert_int_equal(query(w, c, 6, 8), STATUS_SUCCESS);
    assert_int_not_equal(quad(w->f, w->base + INFO), first);
}

static void test_unknown_classes_and_handles(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    assert_int_equal(query(w, handle, 99, 100), STATUS_INVALID_INFO_CLASS);
    assert_int_equal(query(w, 0, 34, 56), STATUS_INVALID_HANDLE);
    assert_int_equal(set(w, handle, 99, 100), STATUS_INVALID_INFO_CLASS);
    assert_int_equal(set(w, handle, 20, 4), STATUS_INFO_LENGTH_MISMATCH);
}

/* LESSONS 45: class 20 really resizes. */
static void test_end_of_file_resizes(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "cache:\\x", READ_DATA | WRITE_DATA, VFS_CREATE, NONALERT);
    set_quad(w->f, w->base + INFO, 12345);
    assert_int_equal(set(w, handle, 20, 8), STATUS_SUCCESS);
    assert_int_equal(query(w, handle, 34, 56), STATUS_SUCCESS);
    assert_int_equal(quad(w->f, w->base + INFO + 40), 12345);
    assert_int_equal(quad(w->f, w->base + INFO + 32), 0x4000); /* one FATX cluster */
    handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    set_quad(w->f, w->base + INFO, 0);
    assert_int_equal(set(w, handle, 20, 8), STATUS_MEDIA_WRITE_PROTECTED);
}

static void test_disposition_deletes(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "cache:\\x", WRITE_DATA, VFS_CREATE, NONALERT);
    *at(w->f, w->base + INFO) = 1;
    assert_int_equal(set(w, handle, 13, 1), STATUS_SUCCESS);
    invoke(w->f, ex_NtClose, 1, U(handle));
    assert_int_equal(create(w, "cache:\\x", READ_DATA, VFS_OPEN, 0), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* LESSONS 45: {replace u8@0, root handle@4, ANSI_STRING@8}. */
static void test_rename_information(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "cache:\\x", WRITE_DATA, VFS_CREATE, NONALERT);
    *at(w->f, w->base + INFO) = 0;
    set_word(w->f, w->base + INFO + 4, 0);
    ansi(w, INFO + 8, TEXT, "cache:\\new\\y");
    assert_int_equal(set(w, handle, 10, 16), STATUS_SUCCESS);
    assert_int_equal(create(w, "cache:\\new\\y", READ_DATA, VFS_OPEN, 0), STATUS_SUCCESS);
    assert_int_equal(create(w, "cache:\\x", READ_DATA, VFS_OPEN, 0), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* LESSONS 44: a miss is NO_SUCH_FILE here. */
static void test_full_attributes(void **state)
{
    world *w = *state;
    assert_int_equal((kstatus)invoke(w->f, ex_NtQueryFullAttributesFile, 2,
                                     U(attributes(w, "game:\\large.bin")), U(w->base + INFO)),
                     STATUS_SUCCESS);
    assert_int_equal(quad(w->f, w->base + INFO + 40), 10000);
    assert_int_equal(quad(w->f, w->base + INFO + 32), 10240); /* five sectors of 2 KiB */
    assert_int_equal((kstatus)invoke(w->f, ex_NtQueryFullAttributesFile, 2,
                                     U(attributes(w, "game:\\nothing")), U(w->base + INFO)),
                     STATUS_NO_SUCH_FILE);
    assert_int_equal((kstatus)invoke(w->f, ex_NtQueryFullAttributesFile, 2,
                                     U(attributes(w, "game:\\a\\b")), U(w->base + INFO)),
                     STATUS_NO_SUCH_FILE);
}

static kstatus list(world *w, uint32_t handle, uint32_t length, const char *pattern, bool restart)
{
    uint32_t name = pattern ? ansi(w, STRING, TEXT, pattern) : 0;
    return (kstatus)invoke(w->f, ex_NtQueryDirectoryFile, 9, U(handle), U(0), U(0), U(0),
                           U(w->base + IOSB), U(w->base + INFO), U(length), U(name), U(restart));
}

static void test_directory_listing(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\sub", READ_DATA, VFS_OPEN, VFS_DIRECTORY_FILE | NONALERT);
    uint32_t info = w->base + INFO;
    assert_int_equal(list(w, handle, 71, NULL, false), STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(list(w, handle, 0x100, "*.TXT", false), STATUS_SUCCESS);
    assert_int_equal(word(w->f, info), 0);           /* NextEntryOffset */
    assert_int_equal(quad(w->f, info + 0x28), 1);    /* EndOfFile */
    assert_int_equal(quad(w->f, info + 0x30), 2048); /* AllocationSize */
    assert_int_equal(word(w->f, info + 0x3C), 7);    /* FileNameLength */
    assert_memory_equal(at(w->f, info + 0x40), "one.txt", 7);
    assert_int_equal(io_information(w), 0x47);
    assert_int_equal(list(w, handle, 0x100, NULL, false), STATUS_SUCCESS);
    assert_memory_equal(at(w->f, info + 0x40), "three.txt", 9);
    assert_int_equal(list(w, handle, 0x100, NULL, false), STATUS_NO_MORE_FILES);
    assert_int_equal(list(w, handle, 0x100, "*.none", true), STATUS_NO_SUCH_FILE);
    assert_int_equal(list(w, handle, 0x100, "*", true), STATUS_SUCCESS);
    assert_memory_equal(at(w->f, info + 0x40), "one.txt", 7);
}

static void test_directory_names_that_do_not_fit(void **state)
{
    world *w = *state;
    folder_file(w->folder, "sub/a-rather-long-name.bin", "", 0);
    uint32_t handle = opened(w, "game:\\sub", READ_DATA, VFS_OPEN, VFS_DIRECTORY_FILE | NONALERT);
    *at(w->f, w->base + INFO + 72) = 0x5A;
    assert_int_equal(list(w, handle, 72, NULL, false), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(word(w->f, w->base + INFO + 0x3C), 22); /* the whole length */
    assert_memory_equal(at(w->f, w->base + INFO + 0x40), "a-rather", 8);
    assert_int_equal(*at(w->f, w->base + INFO + 72), 0x5A);
}

static kstatus volume(world *w, uint32_t handle, uint32_t class, uint32_t length)
{
    return (kstatus)invoke(w->f, ex_NtQueryVolumeInformationFile, 5, U(handle), U(w->base + IOSB),
                           U(w->base + INFO), U(length), U(class));
}

/* XCTD code of the XDK wants 512-byte sectors (xenia xboxkrnl_io_info.cc). */
static void test_volume_information(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\", READ_DATA, VFS_OPEN, 0), info = w->base + INFO;
    assert_int_equal(volume(w, handle, 3, 24), STATUS_SUCCESS);
    assert_int_equal(word(w->f, info + 16), 4);
    assert_int_equal(word(w->f, info + 20), 512);
    assert_int_equal(volume(w, handle, 5, 16), STATUS_SUCCESS);
    assert_int_equal(word(w->f, info + 8), 4);
    assert_memory_equal(at(w->f, info + 12), "GDFX", 4);
    assert_int_equal(volume(w, handle, 1, 24), STATUS_SUCCESS);
    assert_int_equal(volume(w, handle, 2, 24), STATUS_INVALID_INFO_CLASS);
    handle = opened(w, "cache:\\", READ_DATA, VFS_OPEN, 0);
    assert_int_equal(volume(w, handle, 3, 24), STATUS_SUCCESS);
    assert_int_equal(quad(w->f, info), 0x10000); /* 1 GiB of 16 KiB */
    assert_int_equal(quad(w->f, info + 8), 0x10000);
}

/* LESSONS 48: geometry 0xFF000/512 sectors of 512 bytes; partition size 0xFF000 at +8. The output
 * pointer and its length are on the stack (LESSONS 24). */
static void test_device_control(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "\\Device\\Harddisk0\\Cache0", READ_DATA, VFS_OPEN, NONALERT);
    uint32_t info = w->base + INFO;
    const struct {
        uint32_t code, length;
        kstatus status;
    } calls[] = {
        {0x70000, 7, STATUS_BUFFER_TOO_SMALL},
        {0x74004, 15, STATUS_BUFFER_TOO_SMALL},
        {0x12345, 64, STATUS_INVALID_DEVICE_REQUEST},
        {0x70000, 8, STATUS_SUCCESS},
        {0x74004, 16, STATUS_SUCCESS},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        assert_int_equal((kstatus)invoke(w->f, ex_NtDeviceIoControlFile, 10, U(handle), U(0), U(0),
                                         U(0), U(w->base + IOSB), U(calls[i].code), U(0), U(0),
                                         U(info), U(calls[i].length)),
                         calls[i].status);
        if (calls[i].code == 0x70000 && calls[i].status == STATUS_SUCCESS) {
            assert_int_equal(word(w->f, info), 0xFF000 / 512);
            assert_int_equal(word(w->f, info + 4), 512);
        }
    }
    assert_int_equal(quad(w->f, info), 0);
    assert_int_equal(quad(w->f, info + 8), 0xFF000);
}

static void test_symbolic_link_exports(void **state)
{
    world *w = *state;
    uint32_t target = ansi(w, 0x80, 0x200, "\\Device\\Harddisk0\\Partition1\\sub");
    uint32_t name = ansi(w, STRING, TEXT, "\\??\\sub:");
    assert_int_equal((kstatus)invoke(w->f, ex_ObCreateSymbolicLink, 2, U(name), U(target)),
                     STATUS_SUCCESS);
    assert_int_equal(create(w, "sub:\\two.dat", READ_DATA, VFS_OPEN, 0), STATUS_SUCCESS);
    assert_int_equal((kstatus)invoke(w->f, ex_NtOpenSymbolicLinkObject, 2, U(w->base + HANDLE),
                                     U(attributes(w, "\\??\\sub:"))),
                     STATUS_SUCCESS);
    uint32_t out = w->base + 0x90;
    weft_store16(at(w->f, out), 0);
    weft_store16(at(w->f, out + 2), 64);
    set_word(w->f, out + 4, w->base + 0x300);
    assert_int_equal((kstatus)invoke(w->f, ex_NtQuerySymbolicLinkObject, 2,
                                     U(word(w->f, w->base + HANDLE)), U(out)),
                     STATUS_SUCCESS);
    assert_int_equal(weft_load16(at(w->f, out)), 32);
    assert_memory_equal(at(w->f, w->base + 0x300), "\\Device\\Harddisk0\\Partition1\\sub", 32);
    name = ansi(w, STRING, TEXT, "\\??\\sub:");
    assert_int_equal((kstatus)invoke(w->f, ex_ObDeleteSymbolicLink, 1, U(name)), STATUS_SUCCESS);
    assert_int_equal((kstatus)invoke(w->f, ex_ObDeleteSymbolicLink, 1, U(name)),
                     STATUS_OBJECT_NAME_NOT_FOUND);
}

static void test_flush(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "cache:\\x", WRITE_DATA, VFS_CREATE, NONALERT);
    assert_int_equal((kstatus)invoke(w->f, ex_NtFlushBuffersFile, 2, U(handle), U(w->base + IOSB)),
                     STATUS_SUCCESS);
    assert_int_equal((kstatus)invoke(w->f, ex_NtFlushBuffersFile, 2, U(0), U(0)),
                     STATUS_INVALID_HANDLE);
}

/* ---- pages, cancelling, deleting ----------------------------------------------------------------
 */

/* FILE_SEGMENT_ELEMENT: one address a page of 4 KiB; the list is at BUFFER. */
static void test_gathered_write(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "cache:\\pages", READ_DATA | WRITE_DATA, VFS_CREATE, NONALERT);
    uint32_t pages = w->base + 0x20000;
    for (uint32_t i = 0; i < 3; i++) {
        set_word(w->f, w->base + BUFFER + 4 * i, pages + (2 - i) * 0x2000); /* backwards */
        memset(at(w->f, pages + (2 - i) * 0x2000), (int)('a' + i), 4096);
    }
    assert_int_equal(finished(w, ex_NtWriteFileGather, handle, 3 * 4096 - 96, 0), STATUS_SUCCESS);
    assert_int_equal(word(w->f, w->base + IOSB + 4), 3 * 4096 - 96);
    assert_int_equal(finished(w, ex_NtReadFile, handle, 16384, 0), STATUS_SUCCESS);
    assert_int_equal(word(w->f, w->base + IOSB + 4), 3 * 4096 - 96);
    for (uint32_t i = 0; i < 3 * 4096 - 96; i++) {
        assert_int_equal(*at(w->f, w->base + BUFFER + i), 'a' + i / 4096);
    }
    set_word(w->f, w->base + BUFFER, 0x10);
    assert_int_equal(finished(w, ex_NtWriteFileGather, handle, 4096, 0), STATUS_ACCESS_VIOLATION);
    uint32_t reading = opened(w, "cache:\\pages", READ_DATA, VFS_OPEN, NONALERT);
    assert_int_equal(transfer(w, ex_NtWriteFileGather, reading, 0, 4096, 0), STATUS_ACCESS_DENIED);
}

/* [MS-ERREF]: STATUS_CANCELLED 0xC0000120. The data never come; what was told is told once. */
static void test_cancelled_transfers_end(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    invoke(w->f, ex_NtCreateEvent, 4, U(w->base + OBJECT), U(0), U(0), U(0));
    uint32_t event = word(w->f, w->base + OBJECT);
    memset(at(w->f, w->base + BUFFER), 0x55, 16);
    assert_int_equal(transfer(w, ex_NtReadFile, handle, event, 4, 0), STATUS_PENDING);
    assert_int_equal(invoke(w->f, ex_NtCancelIoFile, 2, U(handle), U(w->base + INFO)), 0);
    assert_int_equal(io_status(w), 0xC0000120);
    assert_int_equal(word(w->f, w->base + INFO), 0);
    assert_int_equal(invoke(w->f, ex_WaitForSingleObject, 2, U(event), U(0)), 0);
    set_word(w->f, w->base + IOSB, 7);
    pass(w->f, 1000000000);
    assert_int_equal(io_status(w), 7);
    assert_int_equal(*at(w->f, w->base + BUFFER), 0x55);
    assert_null(w->f->k->file_requests);
    assert_int_equal((kstatus)invoke(w->f, ex_NtCancelIoFile, 2, U(0), U(w->base + INFO)),
                     STATUS_INVALID_HANDLE);
}

/* By status block, whoever began it; none is STATUS_NOT_FOUND (0xC0000225). */
static void test_one_transfer_is_cancelled(void **state)
{
    world *w = *state;
    uint32_t handle = opened(w, "game:\\data.bin", READ_DATA, VFS_OPEN, 0);
    transfer(w, ex_NtReadFile, handle, 0, 4, 0);
    assert_int_equal((kstatus)invoke(w->f, ex_NtCancelIoFileEx, 3, U(handle), U(w->base + IOSB + 8),
                                     U(w->base + INFO)),
                     0xC0000225);
    assert_int_equal(
        invoke(w->f, ex_NtCancelIoFileEx, 3, U(handle), U(w->base + IOSB), U(w->base + INFO)), 0);
    assert_int_equal(io_status(w), 0xC0000120);
    assert_int_equal(
        (kstatus)invoke(w->f, ex_NtCancelIoFileEx, 3, U(handle), U(0), U(w->base + INFO)),
        0xC0000225); /* it is over */
    assert_int_equal(invoke(w->f, ex_NtClose, 1, U(handle)), 0);
    pass(w->f, 1000000000);
}

static void test_deleting_by_name(void **state)
{
    world *w = *state;
    invoke(w->f, ex_NtClose, 1, U(opened(w, "cache:\\gone", WRITE_DATA, VFS_CREATE, NONALERT)));
    assert_int_equal(invoke(w->f, ex_NtDeleteFile, 1, U(attributes(w, "cache:\\gone"))), 0);
    assert_int_equal((kstatus)invoke(w->f, ex_NtDeleteFile, 1, U(attributes(w, "cache:\\gone"))),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal((kstatus)invoke(w->f, ex_NtDeleteFile, 1, U(attributes(w, "game:\\data.bin"))),
                     STATUS_MEDIA_WRITE_PROTECTED);
}

static void test_io_create_file(void **state)
{
    world *w = *state;
    assert_int_equal(invoke(w->f, ex_IoCreateFile, 10, U(w->base + HANDLE), U(READ_DATA),
                            U(attributes(w, "game:\\data.bin")), U(w->base + IOSB), U(0), U(0),
                            U(0), U(VFS_OPEN), U(NONALERT), U(0)),
                     0);
    assert_int_equal(finished(w, ex_NtReadFile, word(w->f, w->base + HANDLE), 4, 0), 0);
    assert_memory_equal(at(w->f, w->base + BUFFER), "0123", 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create_opens_and_reports),
        TEST(test_create_options_come_from_the_stack),
        TEST(test_open_takes_its_options_from_r7),
        TEST(test_open_of_a_missing_file),
        TEST(test_bad_names_are_refused),
        TEST(test_wild_pointers_fault_the_call),
        TEST(test_names_relative_to_an_open_folder),
        TEST(test_the_path_is_kept_for_the_trace),
        TEST(test_synchronous_read_waits_in_guest_time),
        TEST(test_reads_without_offset_go_on),
        TEST(test_asynchronous_read_lands_at_its_tick),
        TEST(test_asynchronous_end_of_file_is_told_in_the_status_block),
        TEST(test_asynchronous_completion_queues_the_apc),
        TEST(test_requests_outlive_their_handle),
        TEST(test_requests_may_stay_pending),
        TEST(test_closing_during_a_synchronous_wait),
        TEST(test_scattered_read),
        TEST(test_write_and_read_back),
        TEST(test_asynchronous_write_is_pending),
        TEST(test_rights_are_needed),
        TEST(test_bad_buffers_are_statuses),
        TEST(test_partition0_reads_nothing_successfully),
        TEST(test_network_open_information),
        TEST(test_basic_and_standard_information),
        TEST(test_position_can_be_set_and_read),
        TEST(test_internal_information_names_the_file),
        TEST(test_unknown_classes_and_handles),
        TEST(test_end_of_file_resizes),
        TEST(test_disposition_deletes),
        TEST(test_rename_information),
        TEST(test_full_attributes),
        TEST(test_directory_listing),
        TEST(test_directory_names_that_do_not_fit),
        TEST(test_volume_information),
        TEST(test_device_control),
        TEST(test_symbolic_link_exports),
        TEST(test_flush),
        TEST(test_gathered_write),
        TEST(test_cancelled_transfers_end),
        TEST(test_one_transfer_is_cancelled),
        TEST(test_deleting_by_name),
        TEST(test_io_create_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
