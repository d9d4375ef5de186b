/* test_memory.c: the guest's address space as weft/memory.h promises it. */
#include "support.h"

#include <xxhash.h>

#include "host/memory.h"

#define MIB UINT32_C(0x100000)

static weft_status view(weft_memory *m, uint32_t base, uint64_t length, uint64_t backing)
{
    const weft_view v = {
        .size = sizeof v, .base = base, .length = length, .backing = backing, .name = "test"};
    return m->view_add(m, &v);
}

/* 1 MiB of physical memory, shown at A0000000 and, one page further on, at E0000000. */
static weft_memory *aliased(void)
{
    weft_memory *m = memory_create();
    assert_non_null(m);
    assert_int_equal(m->declare_physical(m, MIB), WEFT_OK);
    assert_int_equal(view(m, 0xA0000000, MIB, 0), WEFT_OK);
    assert_int_equal(view(m, 0xE0000000, MIB - 4096, 4096), WEFT_OK);
    return m;
}

static void test_views_alias(void **state)
{
    weft_memory *m = aliased();
    weft_store32(m->base + 0xA0003004, 0x11223344);
    assert_int_equal(weft_load32(m->base + 0xE0002004), 0x11223344);
    assert_int_equal(weft_load32(m->physical + 0x3004), 0x11223344);
    memory_destroy(m);
}

static void test_fresh_memory_is_zero_and_unmapped_for_the_guest(void **state)
{
    weft_memory *m = aliased();
    for (uint32_t i = 0; i < MIB; i += 4) {
        assert_int_equal(weft_load32(m->base + 0xA0000000 + i), 0);
    }
    assert_int_equal(m->access[0xA0000], 0);
    assert_false(weft_memory_ok(m, 0xA0000000, 1, WEFT_PAGE_READ));
    memory_destroy(m);
}

static void test_views_are_checked(void **state)
{
    weft_memory *m = memory_create();
    assert_int_equal(view(m, 0x10000, 0x1000, 0), WEFT_E_INVALID); /* no physical memory yet */
    assert_int_equal(m->declare_physical(m, 100), WEFT_E_INVALID);
    assert_int_equal(m->declare_physical(m, MIB), WEFT_OK);
    assert_int_equal(m->declare_physical(m, MIB), WEFT_E_STATE);
    assert_int_equal(view(m, 0x10000, 0x2000, WEFT_BACKING_PRIVATE), WEFT_OK);
    assert_int_equal(view(m, 0x11000, 0x2000, WEFT_BACKING_PRIVATE), WEFT_E_INVALID); /* overlaps */
    assert_int_equal(view(m, 0x20001, 0x1000, WEFT_BACKING_PRIVATE), WEFT_E_INVALID);
    assert_int_equal(view(m, 0x20000, 0x1001, WEFT_BACKING_PRIVATE), WEFT_E_INVALID);
    assert_int_equal(view(m, 0x20000, 0, WEFT_BACKING_PRIVATE), WEFT_E_INVALID);
    assert_int_equal(view(m, 0xFFFFF000, 0x2000, WEFT_BACKING_PRIVATE), WEFT_E_INVALID);
    assert_int_equal(view(m, 0x20000, 0x1000, MIB), WEFT_E_INVALID); /* past physical memory */
    assert_int_equal(view(m, 0xFFFFF000, 0x1000, WEFT_BACKING_PRIVATE),
                     WEFT_OK); /* the last page */
    memory_destroy(m);
}

static void test_protect(void **state)
{
    weft_memory *m = aliased();
    assert_int_equal(m->protect(m, 0xA0001000, 0x2000, WEFT_PAGE_READ), WEFT_OK);
    assert_true(weft_memory_ok(m, 0xA0001000, 0x2000, WEFT_PAGE_READ));
    assert_false(weft_memory_ok(m, 0xA0001000, 0x2001, WEFT_PAGE_READ));
    assert_false(weft_memory_ok(m, 0xA0001000, 4, WEFT_PAGE_WRITE));
    assert_int_equal(m->access[0xE0000], 0); /* access is a view's own */
    assert_int_equal(m->protect(m, 0xA0001000, 0x2000, WEFT_PAGE_MMIO), WEFT_E_INVALID);
    assert_int_equal(m->protect(m, 0xA0001001, 0x1000, WEFT_PAGE_READ), WEFT_E_INVALID);
    assert_int_equal(m->protect(m, 0xA00FF000, 0x2000, WEFT_PAGE_READ), WEFT_E_INVALID);
    memory_destroy(m);
}

static void test_mmio(void **state)
{
    weft_memory *m = aliased();
    assert_int_equal(m->mmio_add(m, 0x7FC80000, 0x10000), WEFT_OK);
    assert_int_equal(m->access[0x7FC80], WEFT_PAGE_MMIO);
    assert_int_equal(m->access[0x7FC8F], WEFT_PAGE_MMIO);
    assert_int_equal(m->access[0x7FC90], 0);
    assert_int_equal(m->mmio_add(m, 0xA0000000, 0x1000), WEFT_E_INVALID);
    assert_int_equal(view(m, 0x7FC8F000, 0x1000, WEFT_BACKING_PRIVATE), WEFT_E_INVALID);
    memory_destroy(m);
}

/* What listeners were told. */
typedef struct told {
    uint32_t count, start[8], length[8];
} told;

static void listen_to(void *context, uint32_t start, uint32_t length)
{
    told *t = context;
    assert_true(t->count < 8);
    t->start[t->count] = start;
    t->length[t->count++] = length;
}

static void test_watch_reports_every_alias_once(void **state)
{
    weft_memory *m = aliased();
    told t = {0};
    m->listen(m, listen_to, &t);
    assert_int_equal(m->watch(m, 0xA0002010, 4), WEFT_OK);
    assert_int_equal(m->access[0xA0002], WEFT_PAGE_WATCH);
    assert_int_equal(m->access[0xE0001], WEFT_PAGE_WATCH);
    m->written(m, 0xA0001000, 16); /* another page */
    assert_int_equal(t.count, 0);
    m->written(m, 0xE0001020, 8);
    assert_int_equal(t.count, 2);
    assert_int_equal(t.start[0], 0xE0001020);
    assert_int_equal(t.start[1], 0xA0002020);
    assert_int_equal(t.length[0], 8);
    assert_int_equal(m->access[0xA0002], 0); /* cleared: told once until watched again */
    m->written(m, 0xE0001020, 8);
    assert_int_equal(t.count, 2);
    memory_destroy(m);
}

static void test_physical_watch_covers_every_view(void **state)
{
    weft_memory *m = aliased();
    told t = {0};
    m->listen(m, listen_to, &t);
    assert_int_equal(m->watch_physical(m, 0x2FFF, 2), WEFT_OK); /* pages 2 and 3 */
    assert_int_equal(m->access[0xA0002], WEFT_PAGE_WATCH);
    assert_int_equal(m->access[0xA0003], WEFT_PAGE_WATCH);
    assert_int_equal(m->access[0xE0001], WEFT_PAGE_WATCH);
    assert_int_equal(m->access[0xA0001], 0);
    m->written(m, 0xE0001020, 8);
    assert_int_equal(t.count, 2);
    assert_int_equal(m->physical_of(m, t.start[0]), 0x2020);
    assert_int_equal(m->physical_of(m, t.start[1]), 0x2020);
    assert_int_equal(m->physical_of(m, 0x10000000), WEFT_NOT_PHYSICAL);
    assert_int_equal(m->watch_physical(m, m->physical_size - 1, 2), WEFT_E_INVALID);
    memory_destroy(m);
}

static void test_watch_survives_protect(void **state)
{
    weft_memory *m = aliased();
    m->watch(m, 0xA0000000, 1);
    m->protect(m, 0xA0000000, 0x1000, WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    assert_int_equal(m->access[0xA0000], WEFT_PAGE_READ | WEFT_PAGE_WRITE | WEFT_PAGE_WATCH);
    memory_destroy(m);
}

static void test_versions_count_reported_writes(void **state)
{
    weft_memory *m = aliased();
    m->written(m, 0xA0001FFC, 8); /* crosses into the next page */
    m->written_physical(m, 0x2000, 4);
    assert_int_equal(m->version[0xA0001], 1);
    assert_int_equal(m->version[0xA0002], 2);
    assert_int_equal(m->version[0xE0000], 1);
    assert_int_equal(m->version[0xE0001], 2);
    assert_int_equal(m->version[0xA0003], 0);
    m->written(m, 0xFFFFFFFF, 0xFFFFFFFF); /* past the end: cut there */
    assert_int_equal(m->version[0xFFFFF], 1);
    memory_destroy(m);
}

static void test_discard(void **state)
{
    weft_memory *m = aliased();
    told t = {0};
    memset(m->base + 0xA0001000, 0xAB, 0x3000);
    m->listen(m, listen_to, &t);
    m->watch(m, 0xA0002000, 1);
    assert_int_equal(m->discard(m, 0xA0002000, 0x1000), WEFT_OK);
    assert_int_equal(m->base[0xA0001FFF], 0xAB);
    assert_int_equal(m->base[0xA0002000], 0);
    assert_int_equal(m->base[0xE0001FFF], 0);
    assert_int_equal(m->base[0xA0003000], 0xAB);
    assert_int_equal(t.count, 2);
    assert_int_equal(m->discard(m, 0x10000000, 0x1000), WEFT_E_INVALID);
    memory_destroy(m);
}

static void test_a_listener_can_leave(void **state)
{
    weft_memory *m = aliased();
    told stays = {0}, leaves = {0};
    assert_int_equal(m->listen(m, listen_to, &leaves), WEFT_OK);
    assert_int_equal(m->listen(m, listen_to, &stays), WEFT_OK);
    m->unlisten(m, listen_to, &leaves);
    m->unlisten(m, listen_to, &leaves); /* it is not there any more */
    assert_int_equal(m->watch(m, 0xA0002000, 4), WEFT_OK);
    m->written(m, 0xA0002000, 4);
    assert_int_equal(stays.count, 2); /* the page and its alias */
    assert_int_equal(leaves.count, 0);
    memory_destroy(m);
}

static void test_listeners_are_limited(void **state)
{
    weft_memory *m = memory_create();
    told t;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(m->listen(m, listen_to, &t), WEFT_OK);
    }
    assert_int_equal(m->listen(m, listen_to, &t), WEFT_E_LIMIT);
    memory_destroy(m);
}

static void test_digest_by_hand(void **state)
{
    /* memory.h: (address, bytes) of pages that hold a non-zero byte; memory.c: physical pages by
     * physical address, then private ones by 2^32 + guest address */
    weft_memory *m = aliased();
    assert_int_equal(m->digest(m), XXH3_64bits("", 0));
    assert_int_equal(view(m, 0x10000, 0x4000, WEFT_BACKING_PRIVATE), WEFT_OK);
    m->base[0x12345] = 7;
    m->base[0xE0004000] = 9; /* physical page 5 */
    m->base[0xA0008000] = 0; /* touched, and still zero */
    static uint8_t bytes[2 * (8 + 4096)];
    uint64_t address = 0x5000;
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, &address, 8);
    bytes[8] = 9;
    address = (UINT64_C(1) << 32) + 0x12000;
    memcpy(bytes + 8 + 4096, &address, 8);
    bytes[8 + 4096 + 8 + 0x345] = 7;
    assert_int_equal(m->digest(m), XXH3_64bits(bytes, sizeof bytes));
    memory_destroy(m);
}

static void test_digest_does_not_depend_on_views(void **state)
{
    weft_memory *one = aliased(), *two = memory_create();
    two->declare_physical(two, MIB);
    view(two, 0xE0000000, MIB - 4096, 4096);
    view(two, 0xC0000000, MIB, 0);
    weft_store32(one->base + 0xA0006000, 42);
    weft_store32(two->base + 0xE0005000, 42);
    assert_int_equal(one->digest(one), two->digest(two));
    weft_store32(two->base + 0xE0005000, 43);
    assert_int_not_equal(one->digest(one), two->digest(two));
    memory_destroy(one);
    memory_destroy(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views_alias),
        cmocka_unit_test(test_fresh_memory_is_zero_and_unmapped_for_the_guest),
        cmocka_unit_test(test_views_are_checked),
        cmocka_unit_test(test_protect),
        cmocka_unit_test(test_mmio),
        cmocka_unit_test(test_watch_reports_every_alias_once),
        cmocka_unit_test(test_physical_watch_covers_every_view),
        cmocka_unit_test(test_watch_survives_protect),
        cmocka_unit_test(test_versions_count_reported_writes),
        cmocka_unit_test(test_discard),
        cmocka_unit_test(test_a_listener_can_leave),
        cmocka_unit_test(test_listeners_are_limited),
        cmocka_unit_test(test_digest_by_hand),
        cmocka_unit_test(test_digest_does_not_depend_on_views),
    };
    return cmocka_run_group_tests_name("host memory", tests, NULL, NULL);
}
