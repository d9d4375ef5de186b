/* Win32's files, threads, exceptions and heap among XAM's exports. Expectations:
 * learn.microsoft.com/windows/win32/api, [MS-ERREF] for error numbers, WIN32_FIND_DATAA of minwinbase.h. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

#define U(x) ((uint64_t)(x))

#define READ    U(0x80000000)
#define WRITE   U(0x40000000)
#define INVALID UINT32_C(0xFFFFFFFF)
#define PENDING 997

/* Offsets in the scratch memory. */
#define OUT        0x100
#define OVERLAPPED 0x200
#define TEXT       0x400
#define FOUND      0x800
#define BUFFER     0x1000

enum { CREATE_NEW = 1, CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS, TRUNCATE_EXISTING };

typedef struct world {
    fixture *f;
    char *folder;
} world;

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    w->f = fixture_open();
    w->folder = folder_make();
    folder_file(w->folder, "data.bin", "0123456789", 10);
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

static uint64_t text(world *w, const char *path)
{
    return set_text(w->f, w->f->scratch + TEXT, path);
}

static uint32_t error(world *w)
{
    return w->f->thread->last_error;
}

static uint32_t create(world *w, const char *path, uint64_t access, uint32_t how, uint32_t flags)
{
    return (uint32_t)invoke(w->f, ex_CreateFileA, 7, text(w, path), access, U(0), U(0), U(how),
                            U(flags), U(0));
}

/* A transfer of BUFFER that is waited for; the count is at OUT. */
static uint32_t move(world *w, kexport_fn fn, uint32_t file, uint32_t length)
{
    uint32_t scratch = w->f->scratch;
    invoke(w->f, fn, 5, U(file), U(scratch + BUFFER), U(length), U(scratch + OUT), U(0));
    if (w->f->result == K_WAIT) {
        pass(w->f, 1000000000);
        assert_true(resume(w->f));
    }
    return (uint32_t)w->f->thread->cpu->r[3];
}

static uint32_t count(world *w)
{
    return word(w->f, w->f->scratch + OUT);
}

/* ---- files -------------------------------------------------------------------------------------
 */

static void files_are_written_and_read(void **state)
{
    world *w = *state;
    uint32_t file = create(w, "cache:\\a", READ | WRITE, CREATE_NEW, 0);
    assert_int_not_equal(file, INVALID);
    memcpy(at(w->f, w->f->scratch + BUFFER), "hello", 5);
    assert_int_equal(move(w, ex_WriteFile, file, 5), 1);
    assert_int_equal(count(w), 5);
    assert_int_equal(invoke(w->f, ex_SetFilePointer, 4, U(file), U(1), U(0), U(0)), 1);
    memset(at(w->f, w->f->scratch + BUFFER), 0, 8);
    assert_int_equal(move(w, ex_ReadFile, file, 8), 1);
    assert_int_equal(count(w), 4);
    assert_memory_equal(at(w->f, w->f->scratch + BUFFER), "ello\0", 5);
    assert_int_equal(move(w, ex_ReadFile, file, 8), 1); /* the end is no error, but nothing */
    assert_int_equal(count(w), 0);
    assert_int_equal(invoke(w->f, ex_CloseHandle, 1, U(file)), 1);
}

/* ERROR_FILE_EXISTS 80, ALREADY_EXISTS 183, FILE_NOT_FOUND 2, PATH_NOT_FOUND 3, INVALID_NAME 123. */
static void dispositions(void **state)
{
    world *w = *state;
    assert_int_equal(create(w, "cache:\\a", WRITE, OPEN_EXISTING, 0), INVALID);
    assert_int_equal(error(w), 2);
    assert_int_equal(create(w, "cache:\\a", WRITE, TRUNCATE_EXISTING, 0), INVALID);
    assert_int_equal(create(w, "cache:\\no\\a", WRITE, CREATE_ALWAYS, 0), INVALID);
    assert_int_equal(error(w), 3);
    assert_int_not_equal(create(w, "cache:\\a", WRITE, CREATE_ALWAYS, 0), INVALID);
    assert_int_equal(error(w), 0);
    assert_int_equal(create(w, "cache:\\a", WRITE, CREATE_NEW, 0), INVALID);
    assert_int_equal(error(w), 80);
    assert_int_not_equal(create(w, "cache:\\a", WRITE, CREATE_ALWAYS, 0), INVALID);
    assert_int_equal(error(w), 183);
    assert_int_not_equal(create(w, "cache:\\a", WRITE, OPEN_ALWAYS, 0), INVALID);
    assert_int_equal(error(w), 183);
    assert_int_equal(create(w, "cache:\\a", WRITE, 6, 0), INVALID);
    assert_int_equal(error(w), 87);
    assert_int_equal(create(w, "cache:\\a*", WRITE, OPEN_ALWAYS, 0), INVALID);
    assert_int_equal(error(w), 123);
    assert_int_equal(create(w, "game:\\sub", READ, OPEN_EXISTING, 0), INVALID); /* a folder */
    assert_int_equal(error(w), 5);
    assert_int_not_equal(create(w, "game:\\sub", READ, OPEN_EXISTING, 0x02000000), INVALID);
}

static void rights_are_needed(void **state)
{
    world *w = *state;
    uint32_t file = create(w, "game:\\data.bin", READ, OPEN_EXISTING, 0);
    assert_int_equal(move(w, ex_WriteFile, file, 1), 0);
    assert_int_equal(error(w), 5);
    assert_int_equal(move(w, ex_ReadFile, 12, 1), 0);
    assert_int_equal(error(w), 6);
}

/* FILE_FLAG_OVERLAPPED: the offset is the OVERLAPPED's, its event is signalled. */
static void transfers_may_be_overlapped(void **state)
{
    world *w = *state;
    uint32_t file = create(w, "game:\\data.bin", READ, OPEN_EXISTING, 0x40000000);
    uint32_t o = w->f->scratch + OVERLAPPED;
    uint32_t event = (uint32_t)invoke(w->f, ex_CreateEventA, 4, U(0), U(1), U(0), U(0));
    set_word(w->f, o + 8, 3);
    set_word(w->f, o + 16, event);
    assert_int_equal(
        invoke(w->f, ex_ReadFile, 5, U(file), U(w->f->scratch + BUFFER), U(4), U(0), U(o)), 0);
    assert_int_equal(error(w), PENDING);
    assert_int_equal(invoke(w->f, ex_WaitForSingleObject, 2, U(event), U(0)), 258);
    pass(w->f, 1000000000);
    assert_int_equal(invoke(w->f, ex_WaitForSingleObject, 2, U(event), U(0)), 0);
    assert_int_equal(word(w->f, o), 0);
    assert_int_equal(word(w->f, o + 4), 4);
    assert_memory_equal(at(w->f, w->f->scratch + BUFFER), "3456", 4);
    assert_int_equal(
        invoke(w->f, ex_ReadFile, 5, U(file), U(w->f->scratch + BUFFER), U(4), U(0), U(0)), 0);
    assert_int_equal(error(w), 87); /* there is no position */
}

/* ERROR_NOACCESS is 998. */
static void bad_buffers(void **state)
{
    world *w = *state;
    uint32_t file = create(w, "game:\\data.bin", READ, OPEN_EXISTING, 0);
    invoke(w->f, ex_ReadFile, 5, U(file), U(0x10), U(4), U(w->f->scratch + OUT), U(0));
    pass(w->f, 1000000000);
    assert_true(resume(w->f));
    assert_int_equal(w->f->thread->cpu->r[3], 0);
    assert_int_equal(error(w), 998);
    invoke(w->f, ex_ReadFile, 5, U(file), U(w->f->scratch), U(4), U(0x10), U(0));
    assert_true(w->f->call.faulted);
    invoke(w->f, ex_CreateFileA, 7, U(0x10), READ, U(0), U(0), U(3), U(0), U(0));
    assert_int_equal(w->f->thread->cpu->r[3], UINT64_C(0xFFFFFFFFFFFFFFFF));
}

static void sizes_and_positions(void **state)
{
    world *w = *state;
    uint32_t out = w->f->scratch + OUT, file = create(w, "cache:\\a", READ | WRITE, CREATE_NEW, 0);
    assert_int_equal(invoke(w->f, ex_SetFilePointerEx, 4, U(file), U(10), U(out), U(0)), 1);
    assert_int_equal(quad(w->f, out), 10);
    assert_int_equal(invoke(w->f, ex_SetEndOfFile, 1, U(file)), 1);
    assert_int_equal(invoke(w->f, ex_GetFileSize, 2, U(file), U(out)), 10);
    assert_int_equal(word(w->f, out), 0);
    assert_int_equal(invoke(w->f, ex_GetFileSizeEx, 2, U(file), U(out)), 1);
    assert_int_equal(quad(w->f, out), 10);
    assert_int_equal(invoke(w->f, ex_SetFilePointer, 4, U(file), U(-3), U(0), U(2)), 7);
    assert_int_equal(invoke(w->f, ex_SetFilePointer, 4, U(file), U(2), U(0), U(1)), 9);
    assert_int_equal((uint32_t)invoke(w->f, ex_SetFilePointer, 4, U(file), U(-1), U(0), U(0)),
                     INVALID);
    assert_int_equal(error(w), 87);
    assert_int_equal(invoke(w->f, ex_SetFilePointerEx, 4, U(file), U(-11), U(0), U(2)), 0);
    set_word(w->f, out, 1);
    assert_int_equal(invoke(w->f, ex_SetFilePointer, 4, U(file), U(4), U(out), U(0)), 4);
    assert_int_equal(word(w->f, out), 1); /* 4 GiB and 4 */
    assert_int_equal(invoke(w->f, ex_FlushFileBuffers, 1, U(file)), 1);
    assert_int_equal(invoke(w->f, ex_FlushFileBuffers, 1, U(12)), 0);
    assert_int_equal((uint32_t)invoke(w->f, ex_GetFileSize, 2, U(12), U(0)), INVALID);
    assert_int_equal(error(w), 6);
}

static void names_come_and_go(void **state)
{
    world *w = *state;
    assert_int_equal(invoke(w->f, ex_CreateDirectoryA, 2, text(w, "cache:\\d"), U(0)), 1);
    assert_int_equal(invoke(w->f, ex_CreateDirectoryA, 2, text(w, "cache:\\d"), U(0)), 0);
    assert_int_equal(error(w), 183);
    invoke(w->f, ex_CloseHandle, 1, U(create(w, "cache:\\d\\a", WRITE, CREATE_NEW, 0)));
    assert_int_equal(invoke(w->f, ex_DeleteFileA, 1, text(w, "cache:\\d")), 0); /* no file */
    assert_int_equal(invoke(w->f, ex_DeleteFileA, 1, text(w, "cache:\\d\\a")), 1);
    assert_int_equal(invoke(w->f, ex_DeleteFileA, 1, text(w, "cache:\\d\\a")), 0);
    assert_int_equal(error(w), 2);
    assert_int_equal(invoke(w->f, ex_DeleteFileA, 1, text(w, "game:\\data.bin")), 0);
    assert_int_equal(error(w), 19); /* ERROR_WRITE_PROTECT */
}

static void attributes(void **state)
{
    world *w = *state;
    uint32_t out = w->f->scratch + FOUND;
    assert_int_equal(invoke(w->f, ex_GetFileAttributesA, 1, text(w, "game:\\sub")) & 0x10, 0x10);
    assert_int_equal(invoke(w->f, ex_GetFileAttributesA, 1, text(w, "game:\\data.bin")) & 0x10, 0);
    assert_int_equal((uint32_t)invoke(w->f, ex_GetFileAttributesA, 1, text(w, "game:\\no")),
                     INVALID);
    assert_int_equal(error(w), 2);
    assert_int_equal(
        invoke(w->f, ex_GetFileAttributesExA, 3, text(w, "game:\\data.bin"), U(0), U(out)), 1);
    assert_int_equal(word(w->f, out + 0x1C), 0);
    assert_int_equal(word(w->f, out + 0x20), 10);
    uint64_t time = w->f->fake->machine.rtc; /* 100 ns, low half first */
    assert_int_equal(word(w->f, out + 4), (uint32_t)time);
    assert_int_equal(word(w->f, out + 8), (uint32_t)(time >> 32));
    assert_int_equal(
        invoke(w->f, ex_GetFileAttributesExA, 3, text(w, "game:\\data.bin"), U(1), U(out)), 0);
}

static uint32_t find(world *w, const char *path)
{
    return (uint32_t)invoke(w->f, ex_FindFirstFileA, 2, text(w, path), U(w->f->scratch + FOUND));
}

static const char *found(world *w)
{
    return (const char *)at(w->f, w->f->scratch + FOUND + 0x2C);
}

static void searching(void **state)
{
    world *w = *state;
    uint32_t handle = find(w, "game:\\sub\\*.txt"), out = w->f->scratch + FOUND;
    assert_int_not_equal(handle, INVALID);
    assert_string_equal(found(w), "one.txt");
    assert_int_equal(word(w->f, out + 0x20), 1);
    assert_int_equal(invoke(w->f, ex_FindNextFileA, 2, U(handle), U(out)), 1);
    assert_string_equal(found(w), "three.txt");
    assert_int_equal(invoke(w->f, ex_FindNextFileA, 2, U(handle), U(out)), 0);
    assert_int_equal(error(w), 18); /* ERROR_NO_MORE_FILES */
    assert_int_equal(invoke(w->f, ex_CloseHandle, 1, U(handle)), 1);
    assert_int_not_equal(find(w, "game:\\d?ta.BIN"), INVALID);
    assert_int_not_equal(find(w, "game:\\*"), INVALID);
    assert_int_equal(find(w, "game:\\none*"), INVALID);
    assert_int_equal(error(w), 2);
    assert_int_equal(find(w, "game:\\none\\*"), INVALID);
    assert_int_equal(error(w), 3);
    assert_int_equal(find(w, "game:\\s*\\one.txt"), INVALID);
    assert_int_equal(error(w), 123);
    assert_int_equal(find(w, "game:\\sub\\"), INVALID);
    assert_int_equal(find(w, ""), INVALID);
    uint32_t file = create(w, "game:\\data.bin", READ, OPEN_EXISTING, 0);
    assert_int_equal(invoke(w->f, ex_FindNextFileA, 2, U(file), U(out)), 0);
    assert_int_equal(error(w), 6);
}

/* ---- threads, modules, exceptions, heap --------------------------------------------------------
 */

static weft_status state_create(void *instance, weft_cpu_state **state)
{
    *state = calloc(1, sizeof **state);
    return *state ? WEFT_OK : WEFT_E_NO_MEMORY;
}

static void state_destroy(void *instance, weft_cpu_state *state)
{
    free(state);
}

static const weft_cpu_ops still = {
    .size = sizeof still,
    .state_create = state_create,
    .state_destroy = state_destroy,
};

static void threads_are_made(void **state)
{
    world *w = *state;
    fixture *f = w->f;
    f->k->cpu = &still;
    uint32_t handle = (uint32_t)invoke(f, ex_CreateThread, 6, U(0), U(0x9000), U(0x82001000),
                                       U(0x1234), U(4), U(f->scratch + OUT));
    kthread *t = f->thread->next;
    assert_non_null(t);
    assert_ptr_equal(khandle_get(f->k, f->thread, handle, KOBJECT_THREAD), t->object);
    assert_int_equal(t->cpu->pc, 0x82001000);
    assert_int_equal(t->cpu->r[3], 0x1234);
    assert_int_equal(t->suspended, 1); /* CREATE_SUSPENDED */
    assert_int_equal(t->stack_size, 0x9000);
    assert_int_equal(count(w), t->tid);
    state_destroy(NULL, t->cpu);
    f->thread->next = NULL;
    free(t);
}

static void modules_are_found(void **state)
{
    world *w = *state;
    kmodule title = {.name = "title.xex", .handle = 0x80041000};
    w->f->k->modules = w->f->k->title = &title;
    assert_int_equal(invoke(w->f, ex_GetModuleHandleA, 1, U(0)), 0x80041000);
    assert_int_equal(invoke(w->f, ex_GetModuleHandleA, 1, text(w, "TITLE.xex")), 0x80041000);
    assert_int_equal(invoke(w->f, ex_GetModuleHandleA, 1, text(w, "no.xex")), 0);
    assert_int_equal(error(w), 126); /* ERROR_MOD_NOT_FOUND */
    w->f->k->modules = w->f->k->title = NULL;
}

/* A debugger's thread name goes on; its record is EXCEPTION_RECORD with the title's parameters. */
static void exceptions_are_raised(void **state)
{
    world *w = *state;
    uint32_t parameters = w->f->scratch + OUT, r1 = (uint32_t)w->f->thread->cpu->r[1];
    set_word(w->f, parameters, 0x1000);
    set_word(w->f, parameters + 4, 0x5678);
    invoke(w->f, ex_RaiseException, 4, U(0x406D1388), U(0), U(2), U(parameters));
    assert_int_equal(w->f->result, K_DONE);
    uint32_t record = (uint32_t)w->f->thread->cpu->r[3];
    assert_true(record < r1 && r1 - record < 0x680 - 80);
    assert_int_equal(word(w->f, record), 0x406D1388);
    assert_int_equal(word(w->f, record + 16), 2);
    assert_int_equal(word(w->f, record + 20), 0x1000);
    assert_int_equal(word(w->f, record + 24), 0x5678);
    invoke(w->f, ex_RaiseException, 4, U(0x406D1388), U(0), U(99), U(0)); /* no parameters */
    assert_int_equal(word(w->f, record + 16), 0);
    invoke(w->f, ex_RaiseException, 4, U(0x406D1388), U(0), U(2), U(0x10));
    assert_true(w->f->call.faulted);
}

static void the_heap_gives_blocks(void **state)
{
    world *w = *state;
    uint64_t heap = invoke(w->f, ex_GetProcessHeap, 0);
    assert_int_not_equal(heap, 0);
    uint64_t block = invoke(w->f, ex_RtlAllocateHeap, 3, heap, U(0), U(100));
    assert_int_not_equal(block, 0);
    memset(at(w->f, (uint32_t)block), 0xAA, 100);
    assert_true(invoke(w->f, ex_RtlSizeHeap, 3, heap, U(0), block) >= 100);
    assert_int_equal(invoke(w->f, ex_RtlFreeHeap, 3, heap, U(0), block), 1);
    block = invoke(w->f, ex_RtlAllocateHeap, 3, heap, U(8), U(100)); /* HEAP_ZERO_MEMORY */
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(*at(w->f, (uint32_t)block + i), 0);
    }
    assert_int_equal(invoke(w->f, ex_RtlAllocateHeap, 3, U(0), U(0), U(100)), 0);
    assert_int_equal(invoke(w->f, ex_RtlFreeHeap, 3, U(0), U(0), block), 0);
    assert_int_equal(invoke(w->f, ex_RtlFreeHeap, 3, heap, U(0), U(0)), 1);
    assert_int_equal(invoke(w->f, ex_RtlSizeHeap, 3, heap, U(0), U(12)), 0xFFFFFFFF);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_written_and_read),
        TEST(dispositions),
        TEST(rights_are_needed),
        TEST(transfers_may_be_overlapped),
        TEST(bad_buffers),
        TEST(sizes_and_positions),
        TEST(names_come_and_go),
        TEST(attributes),
        TEST(searching),
        TEST(threads_are_made),
        TEST(modules_are_found),
        TEST(exceptions_are_raised),
        TEST(the_heap_gives_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
