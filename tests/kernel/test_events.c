/* What the memory manager, the file exports and watched memory leave in the trace. Expectations:
 * ARCHITECTURE.md ("Identity is stable": an allocation is its thread, call site and n-th there),
 * docs/trace.md, the NT rules for reserving and releasing, and the transfer costs of fake.c: 100000
 * ticks and 100 for each KiB begun. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exports.h"

#define U(x)     ((uint64_t)(x))
#define SITE_A   UINT32_C(0x82001234)
#define SITE_B   UINT32_C(0x82005678)
#define NONALERT 0x20u
#define READ     1u
#define WRITE    2u

/* Offsets in the scratch memory. */
#define HANDLE 0x000
#define IOSB   0x010
#define OBJECT 0x020
#define STRING 0x030
#define OFFSET 0x040
#define BASE   0x050
#define SIZE   0x054
#define SECOND 0x060
#define TEXT   0x100
#define BUFFER 0x10000

typedef struct world {
    fixture *f;
    char *folder;
    uint32_t base;
    uint32_t allocs, frees; /* before the test began */
} world;

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    w->f = fixture_open();
    w->base = w->f->scratch;
    w->folder = folder_make();
    folder_file(w->folder, "data.bin", "0123456789", 10);
    assert_int_equal(vfs_mount_title(w->f->k->vfs, w->folder), STATUS_SUCCESS);
    w->f->thread->cpu->lr = w->f->call.caller = SITE_A;
    w->f->thread->id = weft_fnv1a("thread:main", 11);
    w->allocs = w->f->fake->events[WEFT_EVENT_MEMORY_ALLOC];
    w->frees = w->f->fake->events[WEFT_EVENT_MEMORY_FREE];
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

static void call_from(world *w, uint32_t site)
{
    w->f->thread->cpu->lr = w->f->call.caller = site;
}

static const fake_event *event(const world *w, uint16_t kind, uint32_t n)
{
    const fake_event *e = fake_event_at(w->f->fake, kind, n);
    assert_non_null(e);
    return e;
}

static uint32_t count(const world *w, uint16_t kind)
{
    return w->f->fake->events[kind];
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* The n-th allocation since the test began. */
static const fake_event *alloc(const world *w, uint32_t n)
{
    return event(w, WEFT_EVENT_MEMORY_ALLOC, w->allocs + n);
}

static void assert_alloc(const world *w, uint32_t n, uint32_t site, uint32_t nth, uint32_t address,
                         uint32_t size, const char *what)
{
    const fake_event *e = alloc(w, n);
    char text[80];
    int length = snprintf(text, sizeof text, "alloc:thread:main/%08x/%u", site, nth);
    assert_int_equal(e->words[0], weft_fnv1a(text, (size_t)length));
    assert_int_equal(e->words[1], address);
    assert_int_equal(e->words[2], size);
    assert_int_equal(e->words[4], site);
    assert_int_equal(e->words[5], nth);
    assert_int_equal(e->words[6], strlen(what));
    assert_memory_equal(&e->words[7], what, strlen(what));
    assert_int_equal(e->head.thread, w->f->thread->id);
    assert_int_equal(e->head.tid, 1);
}

/* The n-th release since then gives back what the m-th allocation gave. */
static void assert_free(const world *w, uint32_t n, uint32_t m)
{
    const fake_event *e = event(w, WEFT_EVENT_MEMORY_FREE, w->frees + n);
    assert_int_equal(e->words[0], alloc(w, m)->words[0]);
    assert_int_equal(e->words[1], alloc(w, m)->words[1]);
}

static uint32_t pool(world *w, uint32_t size)
{
    return (uint32_t)invoke(w->f, ex_ExAllocatePool, 1, U(size));
}

static void test_pool_counts_by_site(void **state)
{
    world *w = *state;
    uint32_t a = pool(w, 40), b = pool(w, 0x3000);
    call_from(w, SITE_B);
    uint32_t c = pool(w, 8);
    assert_alloc(w, 0, SITE_A, 0, a, 40, "pool");
    assert_alloc(w, 1, SITE_A, 1, b, 0x3000, "pool");
    assert_alloc(w, 2, SITE_B, 0, c, 8, "pool");
}

/* A number is never given twice: what is freed leaves a gap, its address is given again. */
static void test_freed_memory_gets_a_new_name(void **state)
{
    world *w = *state;
    uint32_t a = pool(w, 40);
    invoke(w->f, ex_ExFreePool, 1, U(a));
    assert_free(w, 0, 0);
    assert_int_equal(pool(w, 40), a);
    assert_alloc(w, 1, SITE_A, 1, a, 40, "pool");
    uint32_t large = pool(w, 0x3000);
    invoke(w->f, ex_ExFreePool, 1, U(large));
    assert_free(w, 1, 2);
}

static void test_freeing_what_is_not_there_leaves_nothing(void **state)
{
    world *w = *state;
    uint32_t a = pool(w, 40);
    invoke(w->f, ex_ExFreePool, 1, U(a + 16));
    invoke(w->f, ex_MmFreePhysicalMemory, 2, U(0), U(0xA1000000));
    assert_int_equal(count(w, WEFT_EVENT_MEMORY_FREE), w->frees);
}

static kstatus virtual_memory(world *w, uint32_t base, uint32_t size, uint32_t type)
{
    set_word(w->f, w->base + BASE, base);
    set_word(w->f, w->base + SIZE, size);
    return (kstatus)invoke(w->f, ex_NtAllocateVirtualMemory, 5, U(w->base + BASE),
                           U(w->base + SIZE), U(type), U(MM_PAGE_READWRITE), U(0));
}

static kstatus virtual_free(world *w, uint32_t base, uint32_t size, uint32_t type)
{
    set_word(w->f, w->base + BASE, base);
    set_word(w->f, w->base + SIZE, size);
    return (kstatus)invoke(w->f, ex_NtFreeVirtualMemory, 4, U(w->base + BASE), U(w->base + SIZE),
                           U(type), U(0));
}

/* One for the reservation, none for commits inside it; released as a whole. */
static void test_a_reservation_is_one_allocation(void **state)
{
    world *w = *state;
    assert_int_equal(virtual_memory(w, 0, 0x20000, MM_RESERVE), STATUS_SUCCESS);
    uint32_t base = word(w->f, w->base + BASE);
    assert_alloc(w, 0, SITE_A, 0, base, 0x20000, "virtual");
    assert_int_equal(virtual_memory(w, base + 0x1000, 0x3000, MM_COMMIT), STATUS_SUCCESS);
    assert_int_equal(virtual_free(w, base + 0x1000, 0x1000, MM_DECOMMIT), STATUS_SUCCESS);
    assert_int_equal(count(w, WEFT_EVENT_MEMORY_ALLOC), w->allocs + 1);
    assert_int_equal(count(w, WEFT_EVENT_MEMORY_FREE), w->frees);
    assert_int_equal(virtual_free(w, base, 0, MM_RELEASE), STATUS_SUCCESS);
    assert_free(w, 0, 0);
}

/* MEM_COMMIT on free memory reserves it too; with an address it is the same event. */
static void test_committing_free_memory_is_an_allocation(void **state)
{
    world *w = *state;
    assert_int_equal(virtual_memory(w, 0x01000000, 0x1800, MM_COMMIT), STATUS_SUCCESS);
    assert_alloc(w, 0, SITE_A, 0, 0x01000000, 0x2000, "virtual");
}

static void test_a_refused_reservation_is_none(void **state)
{
    world *w = *state;
    assert_int_not_equal(virtual_memory(w, w->base, 0x1000, MM_RESERVE), STATUS_SUCCESS);
    assert_int_equal(count(w, WEFT_EVENT_MEMORY_ALLOC), w->allocs);
}

/* `alias` is the physical address: what MmGetPhysicalAddress answers. */
static void test_physical_memory_has_two_addresses(void **state)
{
    world *w = *state;
    uint32_t a = (uint32_t)invoke(w->f, ex_MmAllocatePhysicalMemoryEx, 6, U(0), U(0x1800),
                                  U(MM_PAGE_READWRITE), U(0), U(0x1FFFFFFF), U(0));
    assert_alloc(w, 0, SITE_A, 0, a, 0x2000, "physical");
    uint64_t physical = invoke(w->f, ex_MmGetPhysicalAddress, 1, U(a));
    assert_int_not_equal(physical, 0);
    assert_int_equal(alloc(w, 0)->words[3], physical);
    invoke(w->f, ex_MmFreePhysicalMemory, 2, U(0), U(a));
    assert_free(w, 0, 0);
}

static void test_kernel_stacks(void **state)
{
    world *w = *state;
    uint32_t top = (uint32_t)invoke(w->f, ex_MmCreateKernelStack, 2, U(0x4000), U(0));
    assert_alloc(w, 0, SITE_A, 0, top - 0x4000, 0x4000, "stack");
    invoke(w->f, ex_MmDeleteKernelStack, 2, U(top), U(top - 0x4000));
    assert_free(w, 0, 0);
}

static void test_images(void **state)
{
    world *w = *state;
    assert_int_equal(mm_map_image(w->f->k->mm, w->f->thread, 0x84000000, 0x12345), STATUS_SUCCESS);
    assert_alloc(w, 0, SITE_A, 0, 0x84000000, 0x12345, "image");
    mm_unmap_image(w->f->k->mm, 0x84000000);
    assert_free(w, 0, 0);
}

/* XNetDnsLookup hands out an XNDNS, XNetDnsRelease takes it back. */
static void test_what_xam_gives_out(void **state)
{
    world *w = *state;
    invoke(w->f, ex_NetDll_XNetDnsLookup, 4, U(1), U(0), U(0), U(w->base + SECOND));
    uint32_t dns = word(w->f, w->base + SECOND);
    assert_int_equal(alloc(w, 0)->words[1], dns);
    assert_int_equal(alloc(w, 0)->words[4], SITE_A);
    invoke(w->f, ex_NetDll_XNetDnsRelease, 2, U(1), U(dns));
    assert_free(w, 0, 0);
}

/* RtlAnsiStringToUnicodeString allocates where it is told to. */
static void test_strings_that_rtl_makes(void **state)
{
    world *w = *state;
    set_text(w->f, w->base + TEXT, "abc");
    weft_store16(at(w->f, w->base + STRING), 3);
    weft_store16(at(w->f, w->base + STRING + 2), 4);
    set_word(w->f, w->base + STRING + 4, w->base + TEXT);
    invoke(w->f, ex_RtlAnsiStringToUnicodeString, 3, U(w->base + SECOND), U(w->base + STRING),
           U(1));
    assert_alloc(w, 0, SITE_A, 0, word(w->f, w->base + SECOND + 4), 8, "pool");
    invoke(w->f, ex_RtlFreeUnicodeString, 1, U(w->base + SECOND));
    assert_free(w, 0, 0);
}

/* ---- files ----------------------------------------------------------------------------------- */

static kstatus create(world *w, const char *path, uint32_t access, uint32_t disposition,
                      uint32_t options)
{
    fixture *f = w->f;
    set_text(f, w->base + TEXT, path);
    weft_store16(at(f, w->base + STRING), (uint16_t)strlen(path));
    weft_store16(at(f, w->base + STRING + 2), (uint16_t)(strlen(path) + 1));
    set_word(f, w->base + STRING + 4, w->base + TEXT);
    set_word(f, w->base + OBJECT, 0);
    set_word(f, w->base + OBJECT + 4, w->base + STRING);
    set_word(f, w->base + OBJECT + 8, 0x40);
    return (kstatus)invoke(f, ex_NtCreateFile, 9, U(w->base + HANDLE), U(access),
                           U(w->base + OBJECT), U(w->base + IOSB), U(0), U(0), U(0), U(disposition),
                           U(options));
}

static uint32_t opened(world *w, const char *path, uint32_t access, uint32_t disposition,
                       uint32_t options)
{
    assert_int_equal(create(w, path, access, disposition, options), STATUS_SUCCESS);
    return word(w->f, w->base + HANDLE);
}

static kstatus transfer(world *w, kexport_fn fn, uint32_t handle, uint32_t length, int64_t offset)
{
    if (offset >= 0) {
        set_quad(w->f, w->base + OFFSET, (uint64_t)offset);
    }
    return (kstatus)invoke(w->f, fn, 8, U(handle), U(0), U(0), U(0), U(w->base + IOSB),
                           U(w->base + BUFFER), U(length), U(offset >= 0 ? w->base + OFFSET : 0));
}

/* The object of the n-th handle. */
static uint64_t object(const world *w, uint32_t n)
{
    return event(w, WEFT_EVENT_HANDLE_CREATE, n)->words[0];
}

/* vfs.open: object, path, access, disposition, options, status. */
static void assert_open(const world *w, uint32_t n, uint64_t file, const char *path,
                        uint32_t access, uint32_t disposition, uint32_t options, kstatus status)
{
    const fake_event *e = event(w, WEFT_EVENT_VFS_OPEN, n);
    size_t words = (strlen(path) + 7) / 8;
    const uint64_t expected[] = {access, disposition, options, status};
    assert_int_equal(e->words[0], file);
    assert_int_equal(e->words[1], strlen(path));
    assert_memory_equal(&e->words[2], path, strlen(path));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(e->words[2 + words + i], expected[i]);
    }
    assert_int_equal(e->head.thread, w->f->thread->id);
}

static void test_opening_is_told_as_the_guest_asked(void **state)
{
    world *w = *state;
    opened(w, "GAME:\\Data.bin", READ, VFS_OPEN, NONALERT);
    assert_open(w, 0, object(w, 0), "GAME:\\Data.bin", READ, VFS_OPEN, NONALERT, STATUS_SUCCESS);
}

static void test_a_refused_opening_has_no_object(void **state)
{
    world *w = *state;
    kstatus status = create(w, "game:\\none.bin", READ, VFS_OPEN, 0);
    assert_int_not_equal(status, STATUS_SUCCESS);
    assert_open(w, 0, 0, "game:\\none.bin", READ, VFS_OPEN, 0, status);
    assert_int_equal(count(w, WEFT_EVENT_HANDLE_CREATE), 0);
}

/* io.complete: object, requester, status, transferred; by the source, at its tick. */
static void assert_complete(const world *w, uint32_t n, uint64_t file, kstatus status,
                            uint32_t transferred, uint64_t tick)
{
    const fake_event *e = event(w, WEFT_EVENT_IO_COMPLETE, n);
    assert_int_equal(e->words[0], file);
    assert_int_equal(e->words[1], w->f->thread->id);
    assert_int_equal(e->words[2], status);
    assert_int_equal(e->words[3], transferred);
    assert_int_equal(e->head.thread, weft_fnv1a("source:io", 9));
    assert_int_equal(e->head.tid, 0);
    assert_int_equal(e->head.hw, WEFT_HW_NONE);
    assert_int_equal(e->head.tick, tick);
}

static void assert_transfer(const world *w, uint16_t kind, uint32_t n, uint64_t file,
                            uint64_t offset, uint64_t length)
{
    const fake_event *e = event(w, kind, n);
    assert_int_equal(e->words[0], file);
    assert_int_equal(e->words[1], offset);
    assert_int_equal(e->words[2], length);
    assert_int_equal(e->head.thread, w->f->thread->id);
}

/* The thread asks; the source moves the data, completes, and wakes the thread by the file. */
static void test_a_synchronous_read_is_the_sources_work(void **state)
{
    world *w = *state;
    uint32_t file = opened(w, "game:\\data.bin", READ, VFS_OPEN, NONALERT);
    uint64_t start = w->f->k->hw[0].time;
    transfer(w, ex_NtReadFile, file, 4, 3);
    assert_int_equal(w->f->result, K_WAIT);
    assert_transfer(w, WEFT_EVENT_VFS_READ, 0, object(w, 0), 3, 4);
    assert_int_equal(count(w, WEFT_EVENT_IO_COMPLETE), 0);
    pass(w->f, 1000000);
    assert_complete(w, 0, object(w, 0), STATUS_SUCCESS, 4, start + 100100);
    const fake_event *fire = event(w, WEFT_EVENT_SOURCE_FIRE, 0);
    assert_int_equal(fire->head.thread, weft_fnv1a("source:io", 9));
    const fake_event *wake = event(w, WEFT_EVENT_WAKE_REQUESTED, 0);
    assert_int_equal(wake->head.thread, weft_fnv1a("source:io", 9));
    assert_int_equal(wake->words[0], w->f->thread->id);
    assert_int_equal(wake->words[1], object(w, 0));
    assert_memory_equal(at(w->f, w->base + BUFFER), "3456", 4); /* before the thread runs */
    assert_true(resume(w->f));
    assert_int_equal((kstatus)w->f->thread->cpu->r[3], STATUS_SUCCESS);
}

/* Past the end: asked for at 10, by the file's position, nothing moved. */
static void test_the_offset_is_the_one_that_is_meant(void **state)
{
    world *w = *state;
    uint32_t file = opened(w, "game:\\data.bin", READ, VFS_OPEN, NONALERT);
    transfer(w, ex_NtReadFile, file, 10, 0);
    pass(w->f, 1000000);
    resume(w->f);
    uint64_t start = w->f->k->hw[0].time;
    transfer(w, ex_NtReadFile, file, 4, -1);
    assert_transfer(w, WEFT_EVENT_VFS_READ, 1, object(w, 0), 10, 4);
    pass(w->f, 1000000);
    resume(w->f);
    assert_complete(w, 1, object(w, 0), STATUS_END_OF_FILE, 0, start + 100100);
    assert_int_equal((kstatus)w->f->thread->cpu->r[3], STATUS_END_OF_FILE);
}

static void test_an_asynchronous_write(void **state)
{
    world *w = *state;
    uint32_t file = opened(w, "cache:\\new.bin", READ | WRITE, VFS_CREATE, 0);
    uint64_t start = w->f->k->hw[0].time;
    assert_int_equal(transfer(w, ex_NtWriteFile, file, 2048, 5), STATUS_PENDING);
    assert_transfer(w, WEFT_EVENT_VFS_WRITE, 0, object(w, 0), 5, 2048);
    pass(w->f, 1000000);
    assert_complete(w, 0, object(w, 0), STATUS_SUCCESS, 2048, start + 100200);
    assert_int_equal(count(w, WEFT_EVENT_VFS_READ), 0);
}

static uint32_t hold_twice(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                           uint64_t *amount)
{
    uint32_t *asked = instance;
    assert_int_equal(op->kind, WEFT_SYNC_SIGNAL);
    assert_int_equal(op->thread, weft_fnv1a("source:io", 9));
    return (*asked)++ < 2 ? WEFT_ANSWER_HOLD : WEFT_ANSWER_GO;
}

/* weft/policy.h, WEFT_SYNC_SOURCES: put off twice by 10 us, and nothing of it is done before. */
static void test_the_policy_puts_a_transfer_off(void **state)
{
    static const weft_policy_ops ops = {.size = sizeof ops, .before = hold_twice};
    world *w = *state;
    uint32_t asked = 0, file = opened(w, "cache:\\new.bin", READ | WRITE, VFS_CREATE, 0);
    uint64_t start = w->f->k->hw[0].time;
    w->f->k->policy = &ops;
    w->f->k->policy_instance = &asked;
    w->f->k->policy_mask = w->f->k->ask_mask =
        1u << WEFT_SYNC_SIGNAL | WEFT_SYNC_SOURCES | WEFT_SYNC_NO_VIEW;
    assert_int_equal(transfer(w, ex_NtWriteFile, file, 2048, 5), STATUS_PENDING);
    pass(w->f, 120199);
    assert_int_equal(asked, 2);
    assert_int_equal(count(w, WEFT_EVENT_IO_COMPLETE) + count(w, WEFT_EVENT_SOURCE_FIRE), 0);
    pass(w->f, 1);
    assert_int_equal(asked, 3);
    assert_complete(w, 0, object(w, 0), STATUS_SUCCESS, 2048, start + 120200);
    w->f->k->policy = NULL;
}

/* What is refused is no transfer. */
static void test_a_refused_transfer_leaves_nothing(void **state)
{
    world *w = *state;
    uint32_t file = opened(w, "game:\\data.bin", READ, VFS_OPEN, NONALERT);
    assert_int_equal(transfer(w, ex_NtWriteFile, file, 4, 0), STATUS_ACCESS_DENIED);
    assert_int_equal(transfer(w, ex_NtReadFile, 0xF8000FFC, 4, 0), STATUS_INVALID_HANDLE);
    assert_int_equal(count(w, WEFT_EVENT_VFS_WRITE) + count(w, WEFT_EVENT_VFS_READ), 0);
}

static void test_the_last_handle_closes(void **state)
{
    world *w = *state;
    uint32_t file = opened(w, "game:\\data.bin", READ, VFS_OPEN, 0);
    invoke(w->f, ex_NtDuplicateObject, 3, U(file), U(w->base + SECOND), U(0));
    uint32_t second = word(w->f, w->base + SECOND);
    invoke(w->f, ex_NtClose, 1, U(file));
    assert_int_equal(count(w, WEFT_EVENT_VFS_CLOSE), 0);
    invoke(w->f, ex_NtClose, 1, U(second));
    assert_int_equal(count(w, WEFT_EVENT_VFS_CLOSE), 1);
    const fake_event *close = event(w, WEFT_EVENT_VFS_CLOSE, 0);
    assert_int_equal(close->words[0], object(w, 0));
    assert_int_equal(close->head.thread, w->f->thread->id);
    assert_int_equal((close - 1)->head.kind, WEFT_EVENT_HANDLE_DESTROY);
}

/* ---- watched memory -------------------------------------------------------------------------- */

static void watch(world *w, const char *text)
{
    assert_int_equal(kwatch_parse(w->f->k->host, text, &w->f->k->watches), WEFT_OK);
    assert_int_equal(kwatch_start(w->f->k), WEFT_OK);
}

static void watch_scratch(world *w, uint32_t offset, uint32_t length)
{
    char text[40];
    snprintf(text, sizeof text, "0x%x+%u", w->base + offset, length);
    watch(w, text);
}

/* mem.write: address, length, before[], after[]. */
static void assert_change(const world *w, uint32_t n, uint32_t address, uint32_t before,
                          uint32_t after)
{
    const fake_event *e = event(w, WEFT_EVENT_MEM_WRITE, n);
    const uint64_t expected[] = {address, 4, 1, before, 1, after};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(e->words[i], expected[i]);
    }
    assert_int_equal(e->head.category, WEFT_CLASS_LOCAL);
}

/* Each store that changes something, by who makes it; others on the page leave nothing. */
static void test_changes_of_watched_words_are_told(void **state)
{
    world *w = *state;
    watch_scratch(w, 0x2000, 8);
    kput32(&w->f->call, w->base + 0x2000, 0x11223344);
    kput32(&w->f->call, w->base + 0x2000, 0x11223344);
    kput32(&w->f->call, w->base + 0x2100, 5);
    kput8(&w->f->call, w->base + 0x2007, 0xEE);
    assert_int_equal(count(w, WEFT_EVENT_MEM_WRITE), 2);
    assert_change(w, 0, w->base + 0x2000, 0, 0x11223344);
    assert_change(w, 1, w->base + 0x2004, 0, 0xEE);
    assert_int_equal(event(w, WEFT_EVENT_MEM_WRITE, 0)->head.thread, w->f->thread->id);
    kwatch_end(w->f->k);
}

/* 0x2003+2 touches two words. */
static void test_a_range_is_widened_to_words(void **state)
{
    world *w = *state;
    watch_scratch(w, 0x2003, 2);
    kput32(&w->f->call, w->base + 0x2004, 7);
    kput32(&w->f->call, w->base + 0x2008, 8);
    assert_int_equal(count(w, WEFT_EVENT_MEM_WRITE), 1);
    assert_change(w, 0, w->base + 0x2004, 0, 7);
    kwatch_end(w->f->k);
}

/* 100 words changed at once, the 11th not: runs of 10, 64 and 25. */
static void test_a_long_change_is_several_events(void **state)
{
    world *w = *state;
    watch_scratch(w, 0x2000, 400);
    uint8_t *p = kwrite(&w->f->call, w->base + 0x2000, 400);
    memset(p, 1, 400);
    memset(p + 40, 0, 4);
    kwritten(w->f->k, w->base + 0x2000, 400);
    static const uint32_t runs[3][2] = {{0, 10}, {11, 64}, {75, 25}};
    assert_int_equal(count(w, WEFT_EVENT_MEM_WRITE), 3);
    for (uint32_t i = 0; i < 3; i++) {
        const fake_event *e = event(w, WEFT_EVENT_MEM_WRITE, i);
        assert_int_equal(e->words[0], w->base + 0x2000 + 4 * runs[i][0]);
        assert_int_equal(e->words[1], 4 * runs[i][1]);
        assert_int_equal(e->words[2], runs[i][1]);
    }
    kwatch_end(w->f->k);
}

/* Data that a transfer brings is the I/O source's store. */
static void test_a_source_changes_memory_in_its_own_name(void **state)
{
    world *w = *state;
    uint32_t file = opened(w, "game:\\data.bin", READ, VFS_OPEN, 0);
    watch_scratch(w, BUFFER, 4);
    transfer(w, ex_NtReadFile, file, 4, 0);
    pass(w->f, 1000000);
    assert_int_equal(count(w, WEFT_EVENT_MEM_WRITE), 1);
    assert_change(w, 0, w->base + BUFFER, 0, 0x30313233);
    assert_int_equal(event(w, WEFT_EVENT_MEM_WRITE, 0)->head.thread, weft_fnv1a("source:io", 9));
    kwatch_end(w->f->k);
}

static void test_watch_reads_lists_of_ranges(void **state)
{
    world *w = *state;
    kwatches ranges;
    assert_int_equal(
        kwatch_parse(w->f->k->host, " 0x82001000+0x20 ,\t1073741824 + 4,0xFFFFFFFF+1", &ranges),
        WEFT_OK);
    assert_int_equal(ranges.count, 3);
    assert_int_equal(ranges.rows[0].start, 0x82001000);
    assert_int_equal(ranges.rows[0].length, 0x20);
    assert_int_equal(ranges.rows[1].start, 0x40000000);
    assert_int_equal(ranges.rows[1].length, 4);
    assert_int_equal(ranges.rows[2].start, 0xFFFFFFFC);
    assert_int_equal(ranges.rows[2].length, 4);
    assert_int_equal(kwatch_parse(w->f->k->host, "  ", &ranges), WEFT_OK);
    assert_int_equal(ranges.count, 0);
}

static void test_watch_refuses_what_is_no_range(void **state)
{
    static const char *const bad[] = {
        "0x82001000",    "0x82001000+",  "+4",        "0x+4",      "0x1000+0",
        "0x1000+65537",  "0xFFFFFFFF+2", "0x1000+4,", "ab+4",      "0x1000+4 0x2000+4",
        "0x100000000+4", "0x1000+-4",    "-0x1000+4", "0x1000+4;", ",0x1000+4",
    };
    world *w = *state;
    kwatches ranges;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        w->f->fake->failed[0] = 0;
        assert_int_equal(kwatch_parse(w->f->k->host, bad[i], &ranges), WEFT_E_INVALID);
        assert_non_null(strstr(w->f->fake->failed, "expected ADDRESS+LENGTH"));
    }
    char many[17 * 8 + 1] = "";
    for (int i = 0; i < 17; i++) {
        strcat(many, i ? ",0x100+4" : "0x100+4");
    }
    assert_int_equal(kwatch_parse(w->f->k->host, many, &ranges), WEFT_E_INVALID);
    assert_non_null(strstr(w->f->fake->failed, "at most 16"));
    many[strlen(many) - 8] = 0; /* sixteen are fine */
    assert_int_equal(kwatch_parse(w->f->k->host, many, &ranges), WEFT_OK);
}

/* 0x7FC80000 is the GPU's registers: no view lies there. */
static void test_watch_needs_memory(void **state)
{
    world *w = *state;
    kernel *k = w->f->k;
    assert_int_equal(kwatch_parse(k->host, "0x7FC80000+4", &k->watches), WEFT_OK);
    assert_int_equal(kwatch_start(k), WEFT_E_INVALID);
    assert_non_null(strstr(w->f->fake->failed, "0x7fc80000"));
    kwatch_end(k);
}

/* ---- calls ------------------------------------------------------------------------------------ */

/* Calls an export through its thunk, with addresses of zeros in r3 and up, 0x100 apart and with bits
 * above the low 32, and 1.0, 2.0 in f1 and f2; the event of the call. Its words: export, how many
 * arguments, the arguments, length of the path. */
static const uint64_t *call_thunk(world *w, const char *name)
{
    kernel *k = w->f->k;
    weft_cpu_state *cpu = w->f->thread->cpu;
    const kexport *row = kexport_named(KMODULE_KRNL, name);
    uint32_t before = count(w, WEFT_EVENT_KERNEL_CALL);
    assert_non_null(row);
    for (unsigned i = 0; i < 8; i++) {
        cpu->r[3 + i] = U(0xFFFF000000000000) + w->base + 0x100 * i;
    }
    cpu->f[1] = U(0x3FF0000000000000);
    cpu->f[2] = U(0x4000000000000000);
    cpu->pc = kthunk(k, KMODULE_KRNL, row->ordinal);
    assert_int_not_equal(cpu->pc, 0);
    kcall_syscall(k, cpu, 0);
    assert_int_equal(count(w, WEFT_EVENT_KERNEL_CALL), before + 1);
    return event(w, WEFT_EVENT_KERNEL_CALL, before)->words;
}

/* docs/trace.md, kernel.call: the arguments are those of the signature (exports, *.def), words as 32
 * bits; what lies in further registers is none. */
static void test_a_call_has_the_arguments_of_its_signature(void **state)
{
    static const struct {
        const char *name;
        uint64_t count;
    } calls[] = {
        {"KeQueryPerformanceFrequency", 0},  /* u() */
        {"NtClose", 1},                      /* u(handle:h) */
        {"RtlInitializeCriticalSection", 1}, /* v(cs:p) */
        {"DbgPrint", 1},                     /* u(format:p,...) */
        {"NtSetEvent", 2},                   /* u(event:h,previous_out:p) */
        {"NtReleaseSemaphore", 3},           /* u(semaphore:h,count:i,previous_out:p) */
    };
    world *w = *state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const uint64_t *words = call_thunk(w, calls[i].name);
        assert_int_equal(words[1], calls[i].count);
        for (uint32_t n = 0; n < calls[i].count; n++) {
            assert_int_equal(words[2 + n], w->base + 0x100 * n);
        }
        assert_int_equal(words[2 + calls[i].count], 0); /* no path */
    }
    kcall_destroy(w->f->k);
}

/* A double is in f1, though it uses up a register's place (LESSONS 24): "u(a:u,b:u,c:d,d:u,e:u)". */
static void test_a_double_is_told_from_its_own_register(void **state)
{
    world *w = *state;
    const uint64_t *words = call_thunk(w, "VdSetDisplayModeOverride");
    assert_int_equal(words[1], 5);
    assert_int_equal(words[3], w->base + 0x100);
    assert_int_equal(words[4], U(0x3FF0000000000000));
    assert_int_equal(words[5], w->base + 0x300);
    assert_int_equal(words[6], w->base + 0x400);
    kcall_destroy(w->f->k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pool_counts_by_site),
        TEST(test_freed_memory_gets_a_new_name),
        TEST(test_freeing_what_is_not_there_leaves_nothing),
        TEST(test_a_reservation_is_one_allocation),
        TEST(test_committing_free_memory_is_an_allocation),
        TEST(test_a_refused_reservation_is_none),
        TEST(test_physical_memory_has_two_addresses),
        TEST(test_kernel_stacks),
        TEST(test_images),
        TEST(test_what_xam_gives_out),
        TEST(test_strings_that_rtl_makes),
        TEST(test_opening_is_told_as_the_guest_asked),
        TEST(test_a_refused_opening_has_no_object),
        TEST(test_a_synchronous_read_is_the_sources_work),
        TEST(test_the_offset_is_the_one_that_is_meant),
        TEST(test_an_asynchronous_write),
        TEST(test_the_policy_puts_a_transfer_off),
        TEST(test_a_refused_transfer_leaves_nothing),
        TEST(test_the_last_handle_closes),
        TEST(test_changes_of_watched_words_are_told),
        TEST(test_a_range_is_widened_to_words),
        TEST(test_a_long_change_is_several_events),
        TEST(test_a_source_changes_memory_in_its_own_name),
        TEST(test_watch_reads_lists_of_ranges),
        TEST(test_watch_refuses_what_is_no_range),
        TEST(test_watch_needs_memory),
        TEST(test_a_call_has_the_arguments_of_its_signature),
        TEST(test_a_double_is_told_from_its_own_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
