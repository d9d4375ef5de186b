/* Code is coherent also through other addresses of the same memory ("The CPU contract":
 * a store into decoded code acts on the next instruction). The memory is the host's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../host/memory.h"
#include "machine.h"
#include "ppc.h"

/* The console's views: 0xE0000000 shows physical memory from 0x1000 on. */
#define VIEW_A UINT32_C(0xA0000000)
#define VIEW_E UINT32_C(0xE0000000)
#define CODE   (VIEW_A + 0x1000)
#define ALIAS  VIEW_E
#define SPARE  (VIEW_A + 0x8000)

#define LI_R3(n)  (UINT32_C(0x38600000) | (n))
#define STW_R5_R4 UINT32_C(0x90A40000)

typedef struct fixture {
    weft_memory *memory;
    weft_host host;
    weft_cpu_host calls;
    void *engine;
    weft_cpu_state *state;
    const char *name;
} fixture;

static const char *option_text(const weft_host *host, const char *key)
{
    const fixture *f = host->impl;
    return strcmp(key, "engine") == 0 ? f->name : "";
}

static void map(fixture *f, uint32_t base, uint64_t backing)
{
    weft_view view = {
        .size = sizeof view, .base = base, .length = 0x10000, .backing = backing, .name = "view"};
    assert_int_equal(f->memory->view_add(f->memory, &view), WEFT_OK);
    assert_int_equal(f->memory->protect(f->memory, base, 0x10000, WEFT_PAGE_READ | WEFT_PAGE_WRITE),
                     WEFT_OK);
}

static fixture *start(const char *name)
{
    static const uint32_t code[] = {LI_R3(1), STW_R5_R4, LI_R3(2), WORD_SC};
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->name = name;
    f->memory = memory_create();
    assert_non_null(f->memory);
    assert_int_equal(f->memory->declare_physical(f->memory, 0x20000), WEFT_OK);
    map(f, VIEW_A, 0);
    map(f, VIEW_E, 0x1000);
    f->host = (weft_host){
        .size = sizeof f->host, .impl = f, .memory = f->memory, .option_text = option_text};
    f->calls = (weft_cpu_host){.size = sizeof f->calls, .context = f};
    assert_int_equal(ppc_create(&f->host, &f->engine), WEFT_OK);
    assert_int_equal(ppc_ops.attach(f->engine, &f->calls), WEFT_OK);
    assert_int_equal(ppc_ops.state_create(f->engine, &f->state), WEFT_OK);
    for (int i = 0; i < 4; i++) {
        weft_store32(f->memory->base + CODE + 4 * i, code[i]);
    }
    f->memory->written(f->memory, CODE, sizeof code);
    return f;
}

static void end(fixture *f)
{
    ppc_ops.state_destroy(f->engine, f->state);
    ppc_destroy(f->engine);
    memory_destroy(f->memory);
    free(f);
}

/* Runs the code to its sc with r4 as the store's address and r5 as its word; r3. */
static uint64_t run(fixture *f, uint32_t address, uint32_t word)
{
    f->state->pc = CODE;
    f->state->r[4] = address;
    f->state->r[5] = word;
    f->state->limit = f->state->retired + 100;
    assert_int_equal(ppc_ops.run(f->engine, f->state), WEFT_CPU_SYSCALL);
    return f->state->r[3];
}

static void check_own_store(const char *name)
{
    fixture *f = start(name);
    assert_int_equal(run(f, SPARE, 0), 2); /* decoded now */
    assert_int_equal(run(f, ALIAS + 8, LI_R3(7)), 7);
    assert_int_equal(run(f, CODE + 8, LI_R3(9)), 9);
    assert_int_equal(run(f, ALIAS + 8, LI_R3(11)), 11); /* again: the watch was set anew */
    end(f);
}

static void a_store_through_an_alias_acts_at_once(void **state)
{
    check_own_store("interp-plain");
    check_own_store("interp-blocks");
}

static void check_outside_write(const char *name)
{
    fixture *f = start(name);
    assert_int_equal(run(f, SPARE, 0), 2);
    weft_store32(f->memory->physical + 0x1008, LI_R3(13));
    f->memory->written_physical(f->memory, 0x1008, 4);
    assert_int_equal(run(f, SPARE, 0), 13);
    weft_store32(f->memory->base + ALIAS + 8, LI_R3(15));
    f->memory->written(f->memory, ALIAS + 8, 4);
    assert_int_equal(run(f, SPARE, 0), 15);
    end(f);
}

static void a_write_from_outside_acts_at_once(void **state)
{
    check_outside_write("interp-plain");
    check_outside_write("interp-blocks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_through_an_alias_acts_at_once),
        cmocka_unit_test(a_write_from_outside_acts_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
