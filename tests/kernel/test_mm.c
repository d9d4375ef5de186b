/* The memory manager: placement, state and protection. Expected addresses are worked out by hand
 * from the layout in mm.h; semantics are NT's (VirtualAlloc, VirtualFree, VirtualProtect,
 * VirtualQuery). */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"

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

static uint32_t virtual_alloc(fixture *f, uint32_t base, uint32_t size, uint32_t type)
{
    if (mm_virtual_alloc(f->k->mm, f->thread, &base, &size, type, MM_PAGE_READWRITE) !=
        STATUS_SUCCESS) {
        return 0;
    }
    return base;
}

static uint8_t access_at(fixture *f, uint32_t address)
{
    return f->k->memory->access[address >> 12];
}

/* The 4 KiB heap starts at 0 but its first 64 KiB are never mapped. */
static void test_first_small_allocation_lies_above_64_kib(void **state)
{
    assert_int_equal(virtual_alloc(*state, 0, 1, MM_COMMIT | MM_RESERVE), 0x00010000);
    assert_int_equal(virtual_alloc(*state, 0, 1, MM_COMMIT | MM_RESERVE), 0x00011000);
}

/* The fixture's scratch memory is the first 1 MiB of the 64 KiB heap. */
static void test_large_pages_use_the_64_kib_heap(void **state)
{
    fixture *f = *state;
    assert_int_equal(f->scratch, 0x40000000);
    assert_int_equal(virtual_alloc(f, 0, 1, MM_COMMIT | MM_LARGE_PAGES), 0x40100000);
    assert_int_equal(virtual_alloc(f, 0, 1, MM_COMMIT | MM_LARGE_PAGES), 0x40110000);
}

static void test_top_down_starts_at_the_heaps_end(void **state)
{
    /* the last page is left out: 0x40000000 - 0x1000 - 0x2000 */
    assert_int_equal(virtual_alloc(*state, 0, 0x2000, MM_RESERVE | MM_TOP_DOWN), 0x3FFFD000);
    assert_int_equal(virtual_alloc(*state, 0, 0x1000, MM_RESERVE | MM_TOP_DOWN), 0x3FFFC000);
}

static void test_sizes_round_up_to_pages(void **state)
{
    fixture *f = *state;
    uint32_t base = 0, size = 0x1001;
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_COMMIT, MM_PAGE_READWRITE),
                     STATUS_SUCCESS);
    assert_int_equal(size, 0x2000);
    base = 0;
    size = 0x1001;
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_COMMIT | MM_LARGE_PAGES,
                                      MM_PAGE_READWRITE),
                     STATUS_SUCCESS);
    assert_int_equal(size, 0x10000);
}

/* VirtualAlloc: the base rounds down, and every page that holds a byte of the range is taken. */
static void test_fixed_base_rounds_down_and_covers_the_range(void **state)
{
    fixture *f = *state;
    uint32_t base = 0x00200FFF, size = 2;
    assert_int_equal(
        mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_COMMIT | MM_RESERVE, MM_PAGE_READWRITE),
        STATUS_SUCCESS);
    assert_int_equal(base, 0x00200000);
    assert_int_equal(size, 0x2000);
}

static void test_reserve_gives_no_access_and_commit_does(void **state)
{
    fixture *f = *state;
    uint32_t base = virtual_alloc(f, 0, 0x10000, MM_RESERVE);
    assert_int_equal(access_at(f, base), 0);
    assert_int_equal(virtual_alloc(f, base + 0x3000, 0x1000, MM_COMMIT), base + 0x3000);
    assert_int_equal(access_at(f, base + 0x2000), 0);
    assert_int_equal(access_at(f, base + 0x3000), WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    assert_int_equal(access_at(f, base + 0x4000), 0);
}

static void test_reserving_twice_conflicts(void **state)
{
    fixture *f = *state;
    uint32_t base = virtual_alloc(f, 0, 0x10000, MM_RESERVE), size = 0x1000;
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_RESERVE, MM_PAGE_READWRITE),
                     STATUS_CONFLICTING_ADDRESSES);
}

static void test_commit_of_free_memory_reserves_it(void **state)
{
    fixture *f = *state;
    assert_int_equal(virtual_alloc(f, 0x00400000, 0x1000, MM_COMMIT), 0x00400000);
    mm_info info;
    assert_int_equal(mm_query(f->k->mm, 0x00400000, &info), STATUS_SUCCESS);
    assert_int_equal(info.allocation_base, 0x00400000);
}

static void test_recommit_keeps_the_contents(void **state)
{
    fixture *f = *state;
    uint32_t base = virtual_alloc(f, 0, 0x1000, MM_COMMIT | MM_RESERVE);
    set_word(f, base, 0x12345678);
    assert_int_equal(virtual_alloc(f, base, 0x1000, MM_COMMIT), base);
    assert_int_equal(word(f, base), 0x12345678);
}

static void test_freed_memory_comes_back_as_zeros(void **state)
{
    fixture *f = *state;
    uint32_t before = mm_pages_used(f->k->mm);
    uint32_t base = virtual_alloc(f, 0, 0x1000, MM_COMMIT | MM_RESERVE), size = 0;
    assert_int_equal(mm_pages_used(f->k->mm), before + 1);
    set_word(f, base, 0x12345678);
    assert_int_equal(mm_virtual_free(f->k->mm, &base, &size, MM_RELEASE), STATUS_SUCCESS);
    assert_int_equal(mm_pages_used(f->k->mm), before);
    assert_int_equal(size, 0x1000);
    assert_int_equal(access_at(f, base), 0);
    assert_int_equal(virtual_alloc(f, 0, 0x1000, MM_COMMIT | MM_RESERVE), base);
    assert_int_equal(word(f, base), 0);
}

static void test_decommit_keeps_the_reservation(void **state)
{
    fixture *f = *state;
    uint32_t base = virtual_alloc(f, 0, 0x3000, MM_COMMIT | MM_RESERVE);
    uint32_t middle = base + 0x1000, size = 0x1000;
    set_word(f, middle, 1);
    assert_int_equal(mm_virtual_free(f->k->mm, &middle, &size, MM_DECOMMIT), STATUS_SUCCESS);
    assert_int_equal(access_at(f, base + 0x1000), 0);
    assert_int_not_equal(access_at(f, base + 0x2000), 0);
    assert_int_equal(virtual_alloc(f, middle, 0x1000, MM_COMMIT), middle);
    assert_int_equal(word(f, middle), 0);
}

static void test_release_needs_the_regions_start(void **state)
{
    fixture *f = *state;
    uint32_t base = virtual_alloc(f, 0, 0x3000, MM_COMMIT | MM_RESERVE) + 0x1000, size = 0;
    assert_int_equal(mm_virtual_free(f->k->mm, &base, &size, MM_RELEASE),
                     STATUS_FREE_VM_NOT_AT_BASE);
}

static void test_free_of_free_memory_is_refused(void **state)
{
    fixture *f = *state;
    uint32_t base = 0x00300000, size = 0;
    assert_int_equal(mm_virtual_free(f->k->mm, &base, &size, MM_RELEASE),
                     STATUS_MEMORY_NOT_ALLOCATED);
    base = 0x80040000; /* the kernel's */
    assert_int_equal(mm_virtual_free(f->k->mm, &base, &size, MM_RELEASE), STATUS_INVALID_PARAMETER);
}

static void test_bad_types_and_protections_are_refused(void **state)
{
    fixture *f = *state;
    uint32_t base = 0, size = 0x1000, none = 0;
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &base, &none, MM_COMMIT, MM_PAGE_READWRITE),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_TOP_DOWN, MM_PAGE_READWRITE),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(
        mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_RESET | MM_COMMIT, MM_PAGE_READWRITE),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_COMMIT, 0),
                     STATUS_INVALID_PAGE_PROTECTION);
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_COMMIT,
                                      MM_PAGE_READONLY | MM_PAGE_READWRITE),
                     STATUS_INVALID_PAGE_PROTECTION);
}

/* 512 MiB are all there is, virtual memory included. */
static void test_memory_runs_out(void **state)
{
    fixture *f = *state;
    uint32_t base = 0, size = 0x1E000000;
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_RESERVE, MM_PAGE_READWRITE),
                     STATUS_SUCCESS);
    uint32_t before = mm_pages_used(f->k->mm);
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_COMMIT, MM_PAGE_READWRITE),
                     STATUS_NO_MEMORY);
    assert_int_equal(mm_pages_used(f->k->mm), before);
    base = 0;
    size = 0xFFFFF000;
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_RESERVE, MM_PAGE_READWRITE),
                     STATUS_NO_MEMORY);
}

static void test_protect_changes_access_and_tells_the_old(void **state)
{
    fixture *f = *state;
    uint32_t base = virtual_alloc(f, 0, 0x3000, MM_COMMIT | MM_RESERVE);
    uint32_t start = base + 0x1004, size = 4, old = 0;
    assert_int_equal(mm_virtual_protect(f->k->mm, &start, &size, MM_PAGE_READONLY, &old),
                     STATUS_SUCCESS);
    assert_int_equal(old, MM_PAGE_READWRITE);
    assert_int_equal(start, base + 0x1000);
    assert_int_equal(size, 0x1000);
    assert_int_equal(access_at(f, base), WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    assert_int_equal(access_at(f, base + 0x1000), WEFT_PAGE_READ);
    assert_int_equal(mm_protect_get(f->k->mm, base + 0x1000), MM_PAGE_READONLY);
}

static void test_protect_needs_committed_pages(void **state)
{
    fixture *f = *state;
    uint32_t base = virtual_alloc(f, 0, 0x2000, MM_RESERVE), size = 0x1000, old;
    assert_int_equal(mm_virtual_protect(f->k->mm, &base, &size, MM_PAGE_READONLY, &old),
                     STATUS_NOT_COMMITTED);
}

/* VirtualQuery: the run of pages alike from the page of the address on. */
static void test_query_describes_runs(void **state)
{
    fixture *f = *state;
    uint32_t base = virtual_alloc(f, 0, 0x8000, MM_RESERVE);
    virtual_alloc(f, base + 0x2000, 0x3000, MM_COMMIT);
    mm_info info;
    assert_int_equal(mm_query(f->k->mm, base + 0x2123, &info), STATUS_SUCCESS);
    assert_int_equal(info.base, base + 0x2000);
    assert_int_equal(info.allocation_base, base);
    assert_int_equal(info.region_size, 0x3000);
    assert_int_equal(info.state, MM_COMMIT);
    assert_int_equal(info.protect, MM_PAGE_READWRITE);
    assert_int_equal(info.type, MM_PRIVATE);
    assert_int_equal(mm_query(f->k->mm, base, &info), STATUS_SUCCESS);
    assert_int_equal(info.state, MM_RESERVE);
    assert_int_equal(info.region_size, 0x2000);
    assert_int_equal(mm_query(f->k->mm, base + 0x8000, &info), STATUS_SUCCESS);
    assert_int_equal(info.state, MM_FREE);
    assert_int_equal(info.region_size, 0x40000000 - (base + 0x8000));
    assert_int_equal(mm_query(f->k->mm, 0x7FC80000, &info), STATUS_INVALID_PARAMETER);
}

/* Physical memory above 0x1FCB0000 is the system's (xenia memory.cc: 64 KiB at the top and 0x340000
 * below), so the first 64 KiB that a title gets end there; the 4 KiB view shows physical + 0x1000.
 */
static void test_physical_allocations_go_down_from_the_top(void **state)
{
    fixture *f = *state;
    uint32_t first =
        mm_physical_alloc(f->k->mm, NULL, 0x10000, MM_PAGE_READWRITE, 0, UINT32_MAX, 0);
    assert_int_equal(first, 0xE0000000 + 0x1FCA0000 - 0x1000);
    assert_int_equal(mm_physical_alloc(f->k->mm, NULL, 1, MM_PAGE_READWRITE, 0, UINT32_MAX, 0),
                     first - 0x1000);
}

static void test_page_size_flag_picks_the_view(void **state)
{
    fixture *f = *state;
    assert_int_equal(
        mm_physical_alloc(f->k->mm, NULL, 1, MM_PAGE_READWRITE | MM_LARGE_PAGES, 0, UINT32_MAX, 0),
        0xA0000000 + 0x1FCA0000);
    /* whole 16 MiB pages below 0x1FCA0000: the highest starts at 0x1E000000 */
    assert_int_equal(
        mm_physical_alloc(f->k->mm, NULL, 1, MM_PAGE_READWRITE | MM_16MB_PAGES, 0, UINT32_MAX, 0),
        0xC0000000 + 0x1E000000);
}

/* LESSONS 56: bounds and alignment are physical. */
static void test_physical_bounds_and_alignment_hold(void **state)
{
    fixture *f = *state;
    uint32_t a = mm_physical_alloc(f->k->mm, NULL, 0x1000, MM_PAGE_READWRITE, 0x02000000,
                                   0x02FFFFFF, 0x100000);
    assert_int_equal(mm_physical(f->k->mm, a), 0x02F00000);
    assert_int_equal(
        mm_physical_alloc(f->k->mm, NULL, 0x200000, MM_PAGE_READWRITE, 0x02000000, 0x020FFFFF, 0),
        0);
    assert_int_equal(mm_physical_alloc(f->k->mm, NULL, 0x1000, 0, 0, UINT32_MAX, 0), 0);
}

static void test_physical_address_of_each_view(void **state)
{
    fixture *f = *state;
    assert_int_equal(mm_physical(f->k->mm, 0xA0001234), 0x00001234);
    assert_int_equal(mm_physical(f->k->mm, 0xC0001234), 0x00001234);
    assert_int_equal(mm_physical(f->k->mm, 0xE0001234), 0x00002234);
    assert_int_equal(mm_physical(f->k->mm, 0x00010000), UINT32_MAX);
    assert_int_equal(mm_physical(f->k->mm, 0xFFD00000), UINT32_MAX);
}

static void test_physical_views_show_the_same_bytes(void **state)
{
    fixture *f = *state;
    uint32_t e = mm_physical_alloc(f->k->mm, NULL, 0x1000, MM_PAGE_READWRITE, 0, UINT32_MAX, 0);
    uint32_t p = mm_physical(f->k->mm, e);
    set_word(f, e, 0xCAFEBABE);
    assert_int_equal(word(f, 0xA0000000 + p), 0xCAFEBABE);
    assert_int_equal(word(f, 0xC0000000 + p), 0xCAFEBABE);
    assert_int_equal(access_at(f, 0xA0000000 + p), WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    assert_int_equal(mm_protect_get(f->k->mm, 0xA0000000 + p), MM_PAGE_READWRITE);
}

static void test_physical_free_and_reuse(void **state)
{
    fixture *f = *state;
    uint32_t a = mm_physical_alloc(f->k->mm, NULL, 0x2000, MM_PAGE_READWRITE, 0, UINT32_MAX, 0);
    set_word(f, a, 7);
    assert_false(mm_physical_free(f->k->mm, a + 0x1000));
    assert_true(mm_physical_free(f->k->mm, a));
    assert_false(mm_physical_free(f->k->mm, a));
    assert_int_equal(access_at(f, a), 0);
    assert_int_equal(mm_physical_alloc(f->k->mm, NULL, 0x2000, MM_PAGE_READWRITE, 0, UINT32_MAX, 0),
                     a);
    assert_int_equal(word(f, a), 0);
}

static void test_allocation_size(void **state)
{
    fixture *f = *state;
    uint32_t a = mm_physical_alloc(f->k->mm, NULL, 0x1800, MM_PAGE_READWRITE, 0, UINT32_MAX, 0);
    assert_int_equal(mm_allocation_size(f->k->mm, a + 0x1000), 0x2000);
    assert_int_equal(mm_allocation_size(f->k->mm, 0x00500000), 0);
}

/* Stacks: 64 KiB heap from 0x70000000, a page without access on either side. */
static void test_stacks_have_guards(void **state)
{
    fixture *f = *state;
    uint32_t low = mm_stack_alloc(f->k->mm, NULL, 0, 0x4000);
    assert_int_equal(low, 0x70010000);
    assert_int_equal(access_at(f, low - 1), 0);
    assert_int_equal(access_at(f, low), WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    assert_int_equal(access_at(f, low + 0x10000), 0);
    assert_int_equal(mm_stack_alloc(f->k->mm, NULL, 0, 0x20000), 0x70040000);
    mm_stack_free(f->k->mm, low, 0x4000);
    assert_int_equal(access_at(f, low), 0);
    assert_int_equal(mm_stack_alloc(f->k->mm, NULL, 0, 0x4000), low);
}

static void test_images_are_mapped_once(void **state)
{
    fixture *f = *state;
    assert_int_equal(mm_map_image(f->k->mm, NULL, 0x82000000, 0x12345), STATUS_SUCCESS);
    assert_int_equal(access_at(f, 0x82012000), WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    assert_int_equal(mm_map_image(f->k->mm, NULL, 0x82010000, 0x1000),
                     STATUS_CONFLICTING_ADDRESSES);
    assert_int_equal(mm_map_image(f->k->mm, NULL, 0x80040000, 0x1000),
                     STATUS_CONFLICTING_ADDRESSES);
    assert_int_equal(mm_map_image(f->k->mm, NULL, 0xA0000000, 0x1000), STATUS_INVALID_PARAMETER);
    assert_int_equal(mm_map_image(f->k->mm, NULL, 0x8FFF0000, 0x20000), STATUS_INVALID_PARAMETER);
    /* its protection is what the loader gave its pages */
    f->k->memory->protect(f->k->memory, 0x82000000, 0x1000, WEFT_PAGE_READ);
    assert_int_equal(mm_protect_get(f->k->mm, 0x82000000), MM_PAGE_READONLY);
    assert_int_equal(mm_protect_get(f->k->mm, 0x82001000), MM_PAGE_READWRITE);
}

static void test_places_have_stable_names(void **state)
{
    fixture *f = *state;
    char text[128];
    weft_cpu_state cpu = {.lr = 0x82002000};
    kthread other = {.id = 2, .name = "main/1", .cpu = &cpu};
    kmodule module = {.name = "title.xex", .base = 0x82000000, .size = 0x10000};
    f->thread->cpu->lr = 0x82001234; /* where the title calls from */
    uint32_t a = virtual_alloc(f, 0, 0x1000, MM_COMMIT);
    uint32_t b = virtual_alloc(f, 0, 0x1000, MM_COMMIT), size = 0x1000, c = 0;
    uint32_t pool = mm_pool_alloc(f->k->mm, f->thread, 64);
    mm_virtual_alloc(f->k->mm, &other, &c, &size, MM_COMMIT, MM_PAGE_READWRITE);
    mm_place(f->k->mm, a + 0x10, text, sizeof text);
    assert_string_equal(text, "heap:main/82001234/0+0x10");
    mm_place(f->k->mm, b, text, sizeof text);
    assert_string_equal(text, "heap:main/82001234/1+0x0");
    mm_place(f->k->mm, c, text, sizeof text);
    assert_string_equal(text, "heap:main/1/82002000/0+0x0");
    mm_place(f->k->mm, pool + 8, text, sizeof text); /* the title gets it whole: a strong name */
    assert_string_equal(text, "alloc:main/82001234/2+0x8");
    f->k->modules = &module;
    mm_place(f->k->mm, 0x82000456, text, sizeof text);
    assert_string_equal(text, "title.xex+0x456");
    f->k->modules = NULL;
    f->thread->stack_base = 0x70010000;
    f->thread->stack_size = 0x10000;
    mm_place(f->k->mm, 0x70010040, text, sizeof text);
    assert_string_equal(text, "stack:main+0x40");
    uint32_t e =
        mm_physical_alloc(f->k->mm, f->thread, 0x1000, MM_PAGE_READWRITE, 0, UINT32_MAX, 0);
    mm_place(f->k->mm, 0xA0000000 + mm_physical(f->k->mm, e) + 4, text, sizeof text);
    assert_string_equal(text, "heap:main/82001234/3+0x4");
}

static void test_exports_pass_pointers(void **state)
{
    fixture *f = *state;
    uint32_t base = f->scratch, size = f->scratch + 4, info = f->scratch + 16;
    set_word(f, size, 0x1800);
    assert_int_equal(invoke(f, ex_NtAllocateVirtualMemory, 5, (uint64_t)base, (uint64_t)size,
                            (uint64_t)(MM_COMMIT | MM_RESERVE), (uint64_t)MM_PAGE_READWRITE,
                            (uint64_t)0),
                     STATUS_SUCCESS);
    assert_int_equal(word(f, base), 0x00010000);
    assert_int_equal(word(f, size), 0x2000);
    assert_int_equal(
        invoke(f, ex_NtQueryVirtualMemory, 3, (uint64_t)0x00011000, (uint64_t)info, (uint64_t)0),
        STATUS_SUCCESS);
    assert_int_equal(word(f, info), 0x00011000);      /* BaseAddress */
    assert_int_equal(word(f, info + 4), 0x00010000);  /* AllocationBase */
    assert_int_equal(word(f, info + 12), 0x1000);     /* RegionSize */
    assert_int_equal(word(f, info + 16), MM_COMMIT);  /* State */
    assert_int_equal(word(f, info + 24), MM_PRIVATE); /* Type */
    set_word(f, size, 0);
    assert_int_equal(invoke(f, ex_NtFreeVirtualMemory, 4, (uint64_t)base, (uint64_t)size,
                            (uint64_t)MM_RELEASE, (uint64_t)0),
                     STATUS_SUCCESS);
    assert_int_equal(word(f, size), 0x2000);
}

/* LESSONS 56: 0 for what has no physical address, +0x1000 in the 4 KiB view. */
static void test_physical_address_export(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_MmGetPhysicalAddress, 1, (uint64_t)0xFFCAF000), 0x1FCB0000);
    assert_int_equal(invoke(f, ex_MmGetPhysicalAddress, 1, (uint64_t)0x40000000), 0);
}

static void test_statistics(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch;
    set_word(f, out, 100);
    assert_int_equal((uint32_t)invoke(f, ex_MmQueryStatistics, 1, (uint64_t)out),
                     STATUS_BUFFER_TOO_SMALL);
    set_word(f, out, 104);
    assert_int_equal(invoke(f, ex_MmQueryStatistics, 1, (uint64_t)out), STATUS_SUCCESS);
    assert_int_equal(word(f, out + 4), 0x20000); /* 512 MiB of 4 KiB pages */
    uint32_t available = word(f, out + 12);
    mm_physical_alloc(f->k->mm, NULL, 0x100000, MM_PAGE_READWRITE, 0, UINT32_MAX, 0);
    invoke(f, ex_MmQueryStatistics, 1, (uint64_t)out);
    assert_int_equal(word(f, out + 12), available - 0x100);
    assert_int_equal(word(f, out + 100), 0x1FFFF);
}

static void test_pool_blocks(void **state)
{
    fixture *f = *state;
    uint32_t small = (uint32_t)invoke(f, ex_ExAllocatePoolTypeWithTag, 3, (uint64_t)100,
                                      (uint64_t)0, (uint64_t)0);
    uint32_t large = (uint32_t)invoke(f, ex_ExAllocatePool, 1, (uint64_t)0x1800);
    assert_int_not_equal(small, 0);
    assert_int_equal(small % 16, 0);
    assert_int_equal(large % 0x1000, 0);
    assert_int_equal(invoke(f, ex_ExQueryPoolBlockSize, 1, (uint64_t)small), 100);
    invoke(f, ex_ExFreePool, 1, (uint64_t)small);
    assert_int_equal(invoke(f, ex_ExQueryPoolBlockSize, 1, (uint64_t)small), 0);
    invoke(f, ex_ExFreePool, 1, (uint64_t)large);
    assert_int_equal(access_at(f, large), 0);
    invoke(f, ex_ExFreePool, 1, (uint64_t)0x82000000); /* not a block: nothing happens */
}

static void test_kernel_stacks(void **state)
{
    fixture *f = *state;
    uint32_t top = (uint32_t)invoke(f, ex_MmCreateKernelStack, 2, (uint64_t)0x4000, (uint64_t)0);
    assert_int_equal(top, 0x70004000);
    assert_int_equal(invoke(f, ex_MmDeleteKernelStack, 2, (uint64_t)top, (uint64_t)0x70000000),
                     STATUS_SUCCESS);
    assert_int_equal(
        (uint32_t)invoke(f, ex_MmDeleteKernelStack, 2, (uint64_t)top, (uint64_t)0x70000000),
        STATUS_UNSUCCESSFUL);
}

static void test_set_protect_spares_the_kernel(void **state)
{
    fixture *f = *state;
    invoke(f, ex_MmSetAddressProtect, 3, (uint64_t)0x80040000, (uint64_t)0x1000,
           (uint64_t)MM_PAGE_READONLY);
    assert_int_equal(access_at(f, 0x80040000), WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    invoke(f, ex_MmSetAddressProtect, 3, (uint64_t)f->scratch, (uint64_t)1,
           (uint64_t)MM_PAGE_READONLY);
    assert_int_equal(access_at(f, f->scratch + 0xF000), WEFT_PAGE_READ); /* a whole 64 KiB page */
    assert_int_equal(invoke(f, ex_MmQueryAddressProtect, 1, (uint64_t)f->scratch),
                     MM_PAGE_READONLY);
    assert_int_equal(invoke(f, ex_MmIsAddressValid, 1, (uint64_t)f->scratch), 1);
    assert_int_equal(invoke(f, ex_MmIsAddressValid, 1, (uint64_t)0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first_small_allocation_lies_above_64_kib),
        TEST(test_large_pages_use_the_64_kib_heap),
        TEST(test_top_down_starts_at_the_heaps_end),
        TEST(test_sizes_round_up_to_pages),
        TEST(test_fixed_base_rounds_down_and_covers_the_range),
        TEST(test_reserve_gives_no_access_and_commit_does),
        TEST(test_reserving_twice_conflicts),
        TEST(test_commit_of_free_memory_reserves_it),
        TEST(test_recommit_keeps_the_contents),
        TEST(test_freed_memory_comes_back_as_zeros),
        TEST(test_decommit_keeps_the_reservation),
        TEST(test_release_needs_the_regions_start),
        TEST(test_free_of_free_memory_is_refused),
        TEST(test_bad_types_and_protections_are_refused),
        TEST(test_memory_runs_out),
        TEST(test_protect_changes_access_and_tells_the_old),
        TEST(test_protect_needs_committed_pages),
        TEST(test_query_describes_runs),
        TEST(test_physical_allocations_go_down_from_the_top),
        TEST(test_page_size_flag_picks_the_view),
        TEST(test_physical_bounds_and_alignment_hold),
        TEST(test_physical_address_of_each_view),
        TEST(test_physical_views_show_the_same_bytes),
        TEST(test_physical_free_and_reuse),
        TEST(test_allocation_size),
        TEST(test_stacks_have_guards),
        TEST(test_images_are_mapped_once),
        TEST(test_places_have_stable_names),
        TEST(test_exports_pass_pointers),
        TEST(test_physical_address_export),
        TEST(test_statistics),
        TEST(test_pool_blocks),
        TEST(test_kernel_stacks),
        TEST(test_set_protect_spares_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
