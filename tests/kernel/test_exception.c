/* Dispatching with a hand-made image in memory and no CPU: what ends a search, what a handler is
 * given, what hostile tables do. Layouts are winnt.h's; the scope table's is that of XDK code. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exception.h"
#include "exports.h"

#define IMAGE_SIZE UINT32_C(0x20000)
#define TABLE      0x8000
#define FUNCTION   0x2000 /* mflr r12; stw r12,-8(r1); stwu r1,-96(r1); 13 no-ops */
#define HANDLER    0x3000
#define SCOPES     0x4000
#define RECORD     0x5000

typedef struct guest {
    fixture *f;
    weft_cpu_ops cpu;
    kmodule module;
    uint32_t base, stack;
} guest;

static int setup(void **state)
{
    static const uint32_t words[] = {0x7D8802A6, 0x9181FFF8, 0x9421FFA0};
    guest *g = calloc(1, sizeof *g);
    assert_non_null(g);
    fixture *f = g->f = fixture_open();
    g->base = f->scratch;
    g->stack = f->scratch + 0x80000;
    g->module = (kmodule){.base = g->base, .size = IMAGE_SIZE};
    g->cpu = (weft_cpu_ops){.size = sizeof g->cpu};
    f->k->modules = &g->module;
    f->k->cpu = &g->cpu;
    f->k->return_thunk = 0x80001000;
    uint8_t *image = at(f, g->base);
    memcpy(image, "MZ", 2);
    image[0x3C] = 0x80;
    memcpy(image + 0x80, "PE\0\0", 4);
    memcpy(image + 0x80 + 24 + 96 + 24, (const uint8_t[]){0, 0x80, 0, 0, 8, 0, 0, 0}, 8);
    for (uint32_t i = 0; i < 16; i++) {
        set_word(f, g->base + FUNCTION + 4 * i, i < 3 ? words[i] : 0x60000000);
    }
    set_word(f, g->base + FUNCTION - 8, g->base + HANDLER);
    set_word(f, g->base + FUNCTION - 4, g->base + SCOPES);
    set_word(f, g->base + TABLE, g->base + FUNCTION);
    set_word(f, g->base + TABLE + 4, 0xC0000000u | 16 << 8 | 3);
    /* in the function's body, called from nowhere */
    set_word(f, g->stack - 8, 0x1234);
    f->thread->cpu->r[1] = g->stack - 96;
    f->thread->cpu->pc = 0x80002000; /* a thunk */
    f->thread->cpu->lr = g->base + FUNCTION + 32;
    f->call.caller = g->base + FUNCTION + 32;
    set_word(f, g->base + RECORD, 0xE0000001);
    *state = g;
    return 0;
}

static int teardown(void **state)
{
    guest *g = *state;
    kthread *t = g->f->thread;
    kexception_free(t);
    while (t->frame_count) {
        free(t->frames[--t->frame_count]);
    }
    g->f->k->modules = NULL;
    fixture_close(g->f);
    free(g);
    return 0;
}

static void raise_record(guest *g)
{
    invoke(g->f, ex_RtlRaiseException, 1, (uint64_t)(g->base + RECORD));
}

/* What the pushed handler answers. */
static uint32_t answer(guest *g, uint32_t disposition)
{
    kthread *t = g->f->thread;
    assert_true(t->frame_count > 0);
    kframe *frame = t->frames[--t->frame_count];
    kcontinuation cont = frame->cont;
    *t->cpu = frame->saved;
    memcpy(t->cont_data, frame->wait_data, sizeof frame->wait_data);
    free(frame);
    return cont(&g->f->call, disposition);
}

static void handler_is_given_the_exception(void **state)
{
    guest *g = *state;
    fixture *f = g->f;
    f->thread->cpu->r[20] = UINT64_C(0x1122334455667788);
    raise_record(g);
    assert_int_equal(f->result, K_FRAME);
    const weft_cpu_state *cpu = f->thread->cpu;
    assert_int_equal(cpu->pc, g->base + HANDLER);
    assert_int_equal(cpu->lr, f->k->return_thunk);
    assert_int_equal(cpu->r[3], g->base + RECORD);
    assert_int_equal(cpu->r[4], g->stack); /* establisher: the caller's r1 */
    uint32_t context = (uint32_t)cpu->r[5], dispatcher = (uint32_t)cpu->r[6];
    assert_true(cpu->r[1] < context && context < g->stack - 96);
    assert_int_equal(word(f, g->base + RECORD + 12), g->base + FUNCTION + 32);
    assert_int_equal(word(f, context), 0x17);
    assert_int_equal(word(f, context + 8), g->base + FUNCTION + 32);
    assert_int_equal(quad(f, context + 0x18 + 8), g->stack - 96);
    assert_int_equal(quad(f, context + 0x18 + 8 * 20), UINT64_C(0x1122334455667788));
    assert_int_equal(word(f, dispatcher), g->base + FUNCTION + 28); /* the call, not its return */
    assert_int_equal(word(f, dispatcher + 8), g->stack);
    assert_int_equal(word(f, dispatcher + 12), context);
    uint32_t entry = word(f, dispatcher + 4);
    assert_int_equal(word(f, entry), g->base + FUNCTION);
    assert_int_equal(word(f, entry + 12), g->base + SCOPES);
}

static void end_of_the_stack_ends_the_run(void **state)
{
    guest *g = *state;
    raise_record(g);
    assert_int_equal(answer(g, 1), K_GONE);
    assert_int_equal(g->f->k->end, WEFT_END_EXCEPTION);
    assert_non_null(strstr(g->f->k->reason, "0xe0000001"));
    assert_null(g->f->thread->exceptions);
}

static void continuing_takes_the_context(void **state)
{
    guest *g = *state;
    raise_record(g);
    uint32_t context = (uint32_t)g->f->thread->cpu->r[5];
    set_word(g->f, context + 8, 0x82004444);
    set_quad(g->f, context + 0x18 + 8 * 9, 99);
    assert_int_equal(answer(g, 0), K_FRAME);
    assert_int_equal(g->f->thread->cpu->pc, 0x82004444);
    assert_int_equal(g->f->thread->cpu->r[9], 99);
    assert_null(g->f->thread->exceptions);
}

/* A disposition that is none raises 0xC0000026, noncontinuable, about the first record. */
static void foolish_disposition_is_an_exception(void **state)
{
    guest *g = *state;
    raise_record(g);
    assert_int_equal(answer(g, 77), K_FRAME);
    uint32_t record = (uint32_t)g->f->thread->cpu->r[3];
    assert_int_equal(word(g->f, record), 0xC0000026);
    assert_int_equal(word(g->f, record + 4), 1);
    assert_int_equal(word(g->f, record + 8), g->base + RECORD);
}

/* A handler that never makes up its mind: each new exception lies lower on the stack, until that
 * ends. */
static void foolish_for_ever_ends(void **state)
{
    guest *g = *state;
    uint32_t result, rounds = 0;
    raise_record(g);
    while ((result = answer(g, 77)) == K_FRAME) {
        assert_true(++rounds < 1000);
    }
    assert_int_equal(result, K_GONE);
    assert_int_equal(g->f->k->end, WEFT_END_EXCEPTION);
}

/* The function returns to itself, and r1 rises for ever, or stands still. */
static void endless_chains_end(void **state)
{
    guest *g = *state;
    fixture *f = g->f;
    set_word(f, g->base + TABLE + 4, 0x40000000u | 16 << 8 | 3);
    for (uint32_t at = g->stack; at < f->scratch + SCRATCH_BYTES; at += 96) {
        set_word(f, at - 8, g->base + FUNCTION + 32);
    }
    raise_record(g);
    assert_int_equal(f->result, K_GONE);
    assert_int_equal(f->k->end, WEFT_END_EXCEPTION);
    f->k->end = WEFT_END_NONE;
    set_word(f, g->base + FUNCTION + 8, 0x60000000); /* no stwu */
    set_word(f, g->stack - 96 - 8, g->base + FUNCTION + 32);
    f->thread->cpu->r[1] = g->stack - 96;
    f->thread->cpu->lr = f->call.caller = g->base + FUNCTION + 32;
    raise_record(g);
    assert_int_equal(f->result, K_GONE);
    assert_int_equal(f->k->end, WEFT_END_EXCEPTION);
}

static void full_stack_ends_the_run(void **state)
{
    guest *g = *state;
    fixture *f = g->f;
    f->thread->cpu->r[1] = f->scratch + 0x40; /* the kernel's data would lie below the memory */
    raise_record(g);
    assert_int_equal(f->result, K_GONE);
    assert_int_equal(f->k->end, WEFT_END_EXCEPTION);
}

static void bad_record_is_a_fault(void **state)
{
    guest *g = *state;
    invoke(g->f, ex_RtlRaiseException, 1, (uint64_t)0x10);
    assert_true(g->f->call.faulted);
}

static void unwind_without_target_frame_ends(void **state)
{
    guest *g = *state;
    set_word(g->f, g->base + TABLE + 4, 0x40000000u | 16 << 8 | 3); /* no handler */
    invoke(g->f, ex_RtlUnwind, 4, (uint64_t)(g->stack + 0x1000), (uint64_t)0x82001000, (uint64_t)0,
           (uint64_t)0);
    assert_int_equal(g->f->result, K_GONE);
    assert_non_null(strstr(g->f->k->reason, "not on the stack"));
}

static void unwind_arrives(void **state)
{
    guest *g = *state;
    set_word(g->f, g->base + TABLE + 4, 0x40000000u | 16 << 8 | 3);
    invoke(g->f, ex_RtlUnwind, 4, (uint64_t)g->stack, (uint64_t)(g->base + FUNCTION + 40),
           (uint64_t)0, (uint64_t)55);
    assert_int_equal(g->f->result, K_FRAME);
    assert_int_equal(g->f->thread->cpu->pc, g->base + FUNCTION + 40);
    assert_int_equal(g->f->thread->cpu->r[1], g->stack - 96);
    assert_int_equal(g->f->thread->cpu->r[3], 55);
}

/* ---- __C_specific_handler ----------------------------------------------------------------------
 */

static void scope(guest *g, uint32_t i, uint32_t begin, uint32_t end, uint32_t handler,
                  uint32_t target)
{
    uint32_t at = g->base + SCOPES + 4 + 16 * i;
    set_word(g->f, at, g->base + begin);
    set_word(g->f, at + 4, g->base + end);
    set_word(g->f, at + 8, handler);
    set_word(g->f, at + 12, target);
}

/* The C handler is called with what the dispatcher pushed. */
static uint32_t c_handler(guest *g)
{
    g->f->call.faulted = false;
    return ex___C_specific_handler(&g->f->call);
}

static void scopes_are_tried_from_the_inside(void **state)
{
    guest *g = *state;
    fixture *f = g->f;
    set_word(f, g->base + SCOPES, 4);
    scope(g, 0, FUNCTION + 32, FUNCTION + 64, 0x82000100, 0x82000200); /* begins behind the call */
    scope(g, 1, FUNCTION, FUNCTION + 64, 0x82000110, 0);               /* a finally block */
    scope(g, 2, FUNCTION, FUNCTION + 28, 0x82000120, 0x82000220);      /* ends before it */
    scope(g, 3, FUNCTION + 28, FUNCTION + 32, 0x82000130, 0x82000230);
    raise_record(g);
    assert_int_equal(c_handler(g), K_FRAME);
    assert_int_equal(f->thread->cpu->pc, 0x82000130);
    assert_int_equal(f->thread->cpu->r[12], g->stack);
    uint32_t pointers = (uint32_t)f->thread->cpu->r[3];
    assert_int_equal(word(f, pointers), g->base + RECORD);
    assert_int_equal(answer(g, 0), K_DONE); /* the filter goes on searching */
    assert_int_equal(f->thread->cpu->r[3], 1);
}

static void hostile_scope_tables_end(void **state)
{
    guest *g = *state;
    set_word(g->f, g->base + SCOPES, 0xFFFFFFFF);
    raise_record(g);
    (void)c_handler(g);
    assert_true(g->f->call.faulted || g->f->result == K_FRAME);
    set_word(g->f, g->base + FUNCTION - 4, 0xFFFFFFFC);
    assert_int_equal(c_handler(g), K_DONE);
    assert_true(g->f->call.faulted);
}

/* ---- the trace -------------------------------------------------------------------------------
 */

/* exception: code, address, flags, by the thread. */
static void assert_event(guest *g, uint32_t n, uint32_t code, uint32_t address, uint32_t flags)
{
    const fake_event *e = fake_event_at(g->f->fake, WEFT_EVENT_EXCEPTION, n);
    assert_non_null(e);
    assert_int_equal(e->words[0], code);
    assert_int_equal(e->words[1], address);
    assert_int_equal(e->words[2], flags);
    assert_int_equal(e->head.thread, g->f->thread->id);
}

/* The record's code and flags; the address is that behind the call (NT: ExceptionAddress). */
static void raised_records_are_told(void **state)
{
    guest *g = *state;
    set_word(g->f, g->base + RECORD + 4, 1);
    raise_record(g);
    assert_event(g, 0, 0xE0000001, g->base + FUNCTION + 32, 1);
    assert_int_equal(g->f->fake->events[WEFT_EVENT_EXCEPTION], 1);
}

/* A handler that answers nonsense raises STATUS_INVALID_DISPOSITION (0xC0000026), noncontinuable. */
static void exceptions_in_handling_are_told_too(void **state)
{
    guest *g = *state;
    raise_record(g);
    answer(g, 77);
    assert_event(g, 1, 0xC0000026, g->base + FUNCTION + 32, 1);
}

/* RtlRaiseStatus is noncontinuable (NT). */
static void raised_statuses_are_told(void **state)
{
    guest *g = *state;
    invoke(g->f, ex_RtlRaiseStatus, 1, (uint64_t)0xC0000123);
    assert_event(g, 0, 0xC0000123, g->base + FUNCTION + 32, 1);
}

/* 0xC0000005 at the instruction that the CPU refused. */
static void faults_that_become_exceptions_are_told(void **state)
{
    guest *g = *state;
    weft_cpu_state *cpu = g->f->thread->cpu;
    cpu->pc = g->base + FUNCTION + 24;
    cpu->fault_address = 0x10;
    kexception_cpu(g->f->k, g->f->thread, WEFT_CPU_FAULT, "access violation");
    assert_event(g, 0, 0xC0000005, g->base + FUNCTION + 24, 0);
}

/* The name of a thread for a debugger: raised, and nobody has to handle it. */
static void a_threads_name_is_told(void **state)
{
    guest *g = *state;
    set_word(g->f, g->base + RECORD, 0x406D1388);
    raise_record(g);
    assert_int_equal(g->f->result, K_DONE);
    assert_event(g, 0, 0x406D1388, g->base + FUNCTION + 32, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(handler_is_given_the_exception, setup, teardown),
        cmocka_unit_test_setup_teardown(end_of_the_stack_ends_the_run, setup, teardown),
        cmocka_unit_test_setup_teardown(continuing_takes_the_context, setup, teardown),
        cmocka_unit_test_setup_teardown(foolish_disposition_is_an_exception, setup, teardown),
        cmocka_unit_test_setup_teardown(foolish_for_ever_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(endless_chains_end, setup, teardown),
        cmocka_unit_test_setup_teardown(full_stack_ends_the_run, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_record_is_a_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(unwind_without_target_frame_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(unwind_arrives, setup, teardown),
        cmocka_unit_test_setup_teardown(scopes_are_tried_from_the_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_scope_tables_end, setup, teardown),
        cmocka_unit_test_setup_teardown(raised_records_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(exceptions_in_handling_are_told_too, setup, teardown),
        cmocka_unit_test_setup_teardown(raised_statuses_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(faults_that_become_exceptions_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_threads_name_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
