/* Parallel mode (weft/cpu.h, "Parallel mode"): states of several hardware threads in one instance.
 * Where the order matters they run one after the other here, so that it is known; what host threads
 * make of it is the conformance kit's, which runs here on both engines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../host/loader.h"
#include "../../host/memory.h"
#include "asm.h"
#include "conform.h"
#include "machine.h"
#include "ppc.h"

extern const weft_plugin_desc weft_plugin;

#define CODE  UINT32_C(0x82000000)
#define SIZE  UINT32_C(0x200000)
#define DATA  (CODE + 0x100000)
#define ALIAS UINT32_C(0xA2000000)
#define NAMES 2
static const char *const names[NAMES] = {"interp-plain", "interp-blocks"};

#define lwarx(d, b)  X_(20, d, 0, b, 0)
#define stwcx(s, b)  X_(150, s, 0, b, 1)
#define icbi(b)      X_(982, 0, 0, b, 0)
#define isync        0x4C00012Cu
#define li(d, value) addi(d, 0, value)

typedef struct fixture {
    weft_memory *memory;
    weft_host host;
    weft_machine machine;
    weft_cpu_host calls;
    const weft_cpu_ops *cpu;
    void *engine;
    weft_cpu_state *hw[WEFT_HW_COUNT];
    const char *name;
    char log[256];
    uint32_t reports, reported_pc;
    uint64_t reported_retired;
} fixture;

static const char *option_text(const weft_host *host, const char *key)
{
    const fixture *f = host->impl;
    return strcmp(key, "engine") == 0 ? f->name : "";
}

static void log_line(const weft_host *host, uint32_t level, const char *line)
{
    fixture *f = host->impl;
    snprintf(f->log, sizeof f->log, "%s", line);
}

static weft_status fail_line(const weft_host *host, weft_status status, const char *sentence)
{
    fail_msg("%s", sentence);
    return status;
}

static void on_written(void *context, weft_cpu_state *state, uint32_t address, uint32_t length)
{
    fixture *f = context;
    f->reports++;
    f->reported_pc = state->pc;
    f->reported_retired = state->retired;
    f->memory->written(f->memory, address, length);
}

/* The first of code is shown at ALIAS, too. */
static fixture *bare(const char *name)
{
    const uint8_t access = WEFT_PAGE_READ | WEFT_PAGE_WRITE;
    fixture *f = calloc(1, sizeof *f);
    weft_view code = {sizeof code, CODE, SIZE, 0, "code"};
    weft_view alias = {sizeof alias, ALIAS, 0x10000, 0, "alias"};
    assert_non_null(f);
    f->name = name;
    f->memory = memory_create();
    assert_non_null(f->memory);
    assert_int_equal(f->memory->declare_physical(f->memory, SIZE), WEFT_OK);
    assert_int_equal(f->memory->view_add(f->memory, &code), WEFT_OK);
    assert_int_equal(f->memory->view_add(f->memory, &alias), WEFT_OK);
    assert_int_equal(f->memory->protect(f->memory, CODE, SIZE, access), WEFT_OK);
    assert_int_equal(f->memory->protect(f->memory, ALIAS, 0x10000, access), WEFT_OK);
    f->machine = (weft_machine){.size = sizeof f->machine, .mode = WEFT_MODE_PARALLEL};
    f->host = (weft_host){.size = sizeof f->host,
                          .impl = f,
                          .memory = f->memory,
                          .machine = &f->machine,
                          .fail = fail_line,
                          .log = log_line,
                          .option_text = option_text};
    f->calls = (weft_cpu_host){.size = sizeof f->calls, .context = f, .written = on_written};
    f->cpu = weft_plugin.ops;
    return f;
}

static fixture *start(const char *name)
{
    fixture *f = bare(name);
    assert_int_equal(weft_plugin.create(&f->host, &f->engine), WEFT_OK);
    assert_int_equal(f->cpu->attach(f->engine, &f->calls), WEFT_OK);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        assert_int_equal(f->cpu->state_create(f->engine, &f->hw[i]), WEFT_OK);
        f->hw[i]->hw = i;
    }
    return f;
}

static void finish(fixture *f)
{
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        f->cpu->state_destroy(f->engine, f->hw[i]);
    }
    weft_plugin.destroy(f->engine);
    memory_destroy(f->memory);
    free(f);
}

static void put(fixture *f, uint32_t address, const uint32_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        weft_store32(f->memory->base + address + 4 * i, words[i]);
    }
    f->memory->written(f->memory, address, count * 4);
}
#define PUT(f, address, ...)                                                                       \
    put((f), (address), (const uint32_t[]){__VA_ARGS__},                                           \
        (uint32_t)(sizeof((const uint32_t[]){__VA_ARGS__}) / 4))

/* Runs a state of hardware thread `hw` for some instructions from `pc`; returns the exit. */
static uint32_t go(fixture *f, uint32_t hw, uint32_t pc, uint64_t instructions)
{
    weft_cpu_state *s = f->hw[hw];
    s->pc = pc;
    s->limit = s->retired + instructions;
    f->cpu->reload(f->engine, s);
    uint32_t exit = f->cpu->run(f->engine, s);
    f->cpu->flush(f->engine, s);
    return exit;
}

static uint32_t get(const fixture *f, uint32_t address)
{
    return weft_load32(f->memory->base + address);
}

#define EACH(test)                                                                                 \
    static void test##_on(fixture *f);                                                             \
    static void test(void **state)                                                                 \
    {                                                                                              \
        for (unsigned i = 0; i < NAMES; i++) {                                                     \
            fixture *f = start(names[i]);                                                          \
            test##_on(f);                                                                          \
            finish(f);                                                                             \
        }                                                                                          \
    }                                                                                              \
    static void test##_on(fixture *f)

/* The plugin says that it may be entered several times at once, and the host's loader hands it on. */
static void the_plugin_says_so(void **state)
{
    loader l;
    char why[512];
    const weft_cpu_ops *ops = weft_plugin.ops;
    assert_true(ops->flags & WEFT_CPU_PARALLEL);
    loader_start(&l, WEFT_BUILD_DIR "/plugins");
    plugin *loaded = loader_find(&l, WEFT_ROLE_CPU, "cpu-ppc", why, sizeof why);
    assert_non_null(loaded);
    assert_int_equal(plugin_open(loaded, why, sizeof why), 0);
    assert_true(loaded->ops.cpu.flags & WEFT_CPU_PARALLEL);
    loader_end(&l);
}

static void reserve_on(fixture *f, uint32_t hw, uint32_t address, uint32_t value)
{
    f->hw[hw]->r[4] = address;
    f->hw[hw]->r[5] = value;
    assert_int_equal(go(f, hw, CODE, 1), WEFT_CPU_LIMIT);
}

/* 1 when the store was done: CR0 is EQ (book II, 3.3.2). */
static uint32_t store_on(fixture *f, uint32_t hw)
{
    assert_int_equal(go(f, hw, CODE + 4, 1), WEFT_CPU_LIMIT);
    return f->hw[hw]->cr >> 29 & 1;
}

/* Another hardware thread's run leaves a reservation alone; its stwcx. does not, even where the
 * value is the old one again: 7, 8, 7. */
EACH(another_stwcx_takes_the_reservation)
{
    PUT(f, CODE, lwarx(3, 4), stwcx(5, 4), WORD_SC);
    PUT(f, DATA, 7);
    reserve_on(f, 0, DATA, 9);
    assert_int_equal(go(f, 1, CODE + 8, 1), WEFT_CPU_SYSCALL);
    assert_int_equal(store_on(f, 0), 1);
    assert_int_equal(get(f, DATA), 9);

    PUT(f, DATA, 7);
    reserve_on(f, 0, DATA, 9);
    reserve_on(f, 1, DATA, 8);
    assert_int_equal(store_on(f, 1), 1);
    reserve_on(f, 2, DATA, 7);
    assert_int_equal(store_on(f, 2), 1);
    assert_int_equal(get(f, DATA), 7);
    assert_int_equal(store_on(f, 0), 0);
    assert_int_equal(get(f, DATA), 7);
}

/* The granule is 128 bytes: a stwcx. to another word of it counts, one that fails does not. */
EACH(a_reservation_is_on_the_granule)
{
    PUT(f, CODE, lwarx(3, 4), stwcx(5, 4), WORD_SC);
    PUT(f, DATA, 1);
    PUT(f, DATA + 124, 2);
    reserve_on(f, 0, DATA, 9);
    reserve_on(f, 1, DATA + 124, 3);
    assert_int_equal(store_on(f, 1), 1);
    assert_int_equal(store_on(f, 0), 0);

    reserve_on(f, 0, DATA, 9);
    f->hw[1]->r[4] = DATA;
    assert_int_equal(store_on(f, 1), 0);
    assert_int_equal(store_on(f, 0), 1);
}

/* Plain stores of others are seen by value. */
EACH(a_plain_store_is_seen_by_value)
{
    PUT(f, CODE, lwarx(3, 4), stwcx(5, 4), stw(5, 4, 0), WORD_SC);
    PUT(f, DATA, 1);
    reserve_on(f, 0, DATA, 9);
    f->hw[1]->r[4] = DATA;
    f->hw[1]->r[5] = 2;
    assert_int_equal(go(f, 1, CODE + 8, 1), WEFT_CPU_LIMIT);
    assert_int_equal(store_on(f, 0), 0);
    assert_int_equal(get(f, DATA), 2);
}

/* Two states take turns on one hardware thread: the reservation of the one that left is gone. */
EACH(another_state_on_the_hardware_thread_drops_it)
{
    PUT(f, CODE, lwarx(3, 4), stwcx(5, 4), WORD_SC);
    PUT(f, DATA, 1);
    f->hw[1]->hw = 0;
    reserve_on(f, 0, DATA, 9);
    assert_int_equal(go(f, 1, CODE + 8, 1), WEFT_CPU_SYSCALL);
    assert_int_equal(store_on(f, 0), 0);
}

/* Three conditional stores: one without a reservation, one that found another value. */
static void failures_are_counted(void **state)
{
    fixture *f = start(names[0]);
    PUT(f, CODE, lwarx(3, 4), stwcx(5, 4), WORD_SC);
    PUT(f, DATA, 1);
    reserve_on(f, 0, DATA, 9);
    assert_int_equal(store_on(f, 0), 1);
    assert_int_equal(store_on(f, 0), 0);
    reserve_on(f, 0, DATA, 9);
    weft_store32(f->memory->base + DATA, 77);
    assert_int_equal(store_on(f, 0), 0);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        f->cpu->state_destroy(f->engine, f->hw[i]);
    }
    weft_plugin.destroy(f->engine);
    assert_string_equal(f->log, "3 conditional stores: 1 without a reservation or after another's, "
                                "1 found another value");
    memory_destroy(f->memory);
    free(f);
}

/* A store into decoded code acts on the storing thread's next instruction, through the callback,
 * which finds pc at the store and the store not retired. */
EACH(an_own_store_into_code_acts_at_once)
{
    PUT(f, CODE, nop, stw(5, 4, 0), li(3, 1), WORD_SC);
    f->hw[2]->r[4] = CODE + 8;
    f->hw[2]->r[5] = li(3, 1);
    assert_int_equal(go(f, 2, CODE, 10), WEFT_CPU_SYSCALL);
    uint64_t before = f->hw[2]->retired;
    uint32_t reports = f->reports;
    f->hw[2]->r[5] = li(3, 2);
    assert_int_equal(go(f, 2, CODE, 10), WEFT_CPU_SYSCALL);
    assert_int_equal(f->hw[2]->r[3], 2);
    assert_int_equal(f->reports, reports + 1);
    assert_int_equal(f->reported_pc, CODE + 4);
    assert_int_equal(f->reported_retired, before + 1);
}

/* The same for stores that do not go through the plain slow path: stwcx., stvlx, stmw. */
EACH(every_own_store_into_code_acts_at_once)
{
    PUT(f, CODE, lwarx(6, 4), stwcx(5, 4), li(3, 1), WORD_SC);
    f->hw[0]->r[4] = CODE + 8;
    f->hw[0]->r[5] = li(3, 1);
    go(f, 0, CODE, 10);
    f->hw[0]->r[5] = li(3, 2);
    go(f, 0, CODE, 10);
    assert_int_equal(f->hw[0]->r[3], 2);

    PUT(f, CODE, X_(647, 1, 0, 4, 0), li(3, 1), WORD_SC, nop); /* stvlx v1,0,r4 */
    f->hw[0]->r[4] = CODE + 4;
    weft_store32(f->hw[0]->v[1], li(3, 1));
    weft_store32(f->hw[0]->v[1] + 4, WORD_SC);
    go(f, 0, CODE, 10);
    weft_store32(f->hw[0]->v[1], li(3, 4));
    go(f, 0, CODE, 10);
    assert_int_equal(f->hw[0]->r[3], 4);

    PUT(f, CODE, stmw(31, 4, 0), li(3, 1), WORD_SC);
    f->hw[0]->r[31] = li(3, 1);
    go(f, 0, CODE, 10);
    f->hw[0]->r[31] = li(3, 5);
    go(f, 0, CODE, 10);
    assert_int_equal(f->hw[0]->r[3], 5);
}

/* Another hardware thread's store into code, also through an alias, acts at a run's start. */
EACH(anothers_store_acts_on_the_next_run)
{
    PUT(f, CODE, li(3, 1), WORD_SC, stw(5, 4, 0), WORD_SC);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        go(f, i, CODE, 10);
        assert_int_equal(f->hw[i]->r[3], 1);
    }
    f->hw[5]->r[4] = ALIAS;
    f->hw[5]->r[5] = li(3, 6);
    go(f, 5, CODE + 8, 10);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        go(f, i, CODE, 10);
        assert_int_equal(f->hw[i]->r[3], 6);
    }
}

/* Bytes that change while nobody watches the page (here: behind the memory service's back) act after
 * the icbi of any hardware thread. */
EACH(icbi_reaches_every_cache)
{
    PUT(f, CODE, li(3, 1), WORD_SC);
    PUT(f, DATA, icbi(4), WORD_SC);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        go(f, i, CODE, 10);
    }
    weft_store32(f->memory->base + CODE, li(3, 8));
    f->hw[3]->r[4] = CODE + 0x44; /* anywhere in the block */
    go(f, 3, DATA, 10);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        go(f, i, CODE, 10);
        assert_int_equal(f->hw[i]->r[3], 8);
    }
}

/* What others have stored into code acts at isync, in the middle of a run: here the callback of an
 * MMIO-less store, which runs on the same host thread, stands for the other hardware thread. */
static void store_behind(void *context, weft_cpu_state *state, uint32_t address, uint32_t length)
{
    fixture *f = context;
    weft_store32(f->memory->base + CODE + 8, li(3, 9));
    f->memory->written(f->memory, CODE + 8, 4);
}

static uint64_t time_of(void *context, weft_cpu_state *state)
{
    store_behind(context, state, 0, 0);
    return 0;
}

EACH(isync_lets_others_stores_in)
{
    f->calls.timebase = time_of;
    PUT(f, CODE, X_(371, 6, 12, 8, 0), isync, li(3, 1), WORD_SC); /* mftb r6 */
    go(f, 0, CODE + 4, 10);
    assert_int_equal(f->hw[0]->r[3], 1);
    go(f, 0, CODE, 10);
    assert_int_equal(f->hw[0]->r[3], 9);
}

/* More pages written than a cache keeps in its list of posts (64): all of them are forgotten. */
EACH(many_pages_written_at_once)
{
    for (uint32_t i = 0; i < 100; i++) {
        PUT(f, CODE + 0x1000 * i, li(3, 1), WORD_SC);
        go(f, 0, CODE + 0x1000 * i, 10);
    }
    for (uint32_t i = 0; i < 100; i++) {
        PUT(f, CODE + 0x1000 * i, li(3, 2), WORD_SC);
    }
    for (uint32_t i = 0; i < 100; i++) {
        go(f, 0, CODE + 0x1000 * i, 10);
        assert_int_equal(f->hw[0]->r[3], 2);
    }
}

/* The words of an aligned store to a watched page are never seen in part: a host thread that reads
 * sees one of the two values whole. Here only that slow stores of each size store what fast ones do. */
EACH(slow_stores_equal_fast_ones)
{
    const uint32_t stores[] = {stb(5, 4, 0),    stw(5, 4, 0),        std(5, 4, 0),
                               D_(44, 5, 4, 0), X_(662, 5, 0, 4, 0), X_(231, 1, 0, 4, 0)};
    weft_cpu_state *s = f->hw[0];
    s->r[5] = UINT64_C(0x0123456789ABCDEF);
    for (uint32_t i = 0; i < 16; i++) {
        s->v[1][i] = (uint8_t)(i * 17);
    }
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        for (uint32_t offset = 0; offset < 16; offset++) {
            PUT(f, CODE, stores[i], WORD_SC);
            s->r[4] = DATA + offset;
            go(f, 0, CODE, 10);
            f->memory->watch(f->memory, DATA + 0x1000, 1);
            s->r[4] = DATA + 0x1000 + offset;
            go(f, 0, CODE, 10);
            assert_memory_equal(f->memory->base + DATA, f->memory->base + DATA + 0x1000, 48);
        }
    }
}

static void keep(weft_conform_report *report, const char *line)
{
    print_error("%s\n", line);
}

/* The kit's parallel part: counters, a list, a lock, code that changes; on six host threads. */
static void the_kit_passes(void **state)
{
    for (unsigned i = 0; i < NAMES; i++) {
        fixture *f = bare(names[i]);
        weft_conform_report report = {.print = keep, .context = f};
        f->machine.mode = WEFT_MODE_LOCKSTEP; /* the kit makes its parallel instance */
        assert_int_equal(weft_conform_cpu(&weft_plugin, f->cpu, &f->host, NULL, &report), 0);
        print_message("%s\n", f->log);
        assert_int_equal(report.failed, 0);
        memory_destroy(f->memory);
        free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plugin_says_so),
        cmocka_unit_test(another_stwcx_takes_the_reservation),
        cmocka_unit_test(a_reservation_is_on_the_granule),
        cmocka_unit_test(a_plain_store_is_seen_by_value),
        cmocka_unit_test(another_state_on_the_hardware_thread_drops_it),
        cmocka_unit_test(failures_are_counted),
        cmocka_unit_test(an_own_store_into_code_acts_at_once),
        cmocka_unit_test(every_own_store_into_code_acts_at_once),
        cmocka_unit_test(anothers_store_acts_on_the_next_run),
        cmocka_unit_test(icbi_reaches_every_cache),
        cmocka_unit_test(isync_lets_others_stores_in),
        cmocka_unit_test(many_pages_written_at_once),
        cmocka_unit_test(slow_stores_equal_fast_ones),
        cmocka_unit_test(the_kit_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
