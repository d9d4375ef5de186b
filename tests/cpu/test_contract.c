/* clang-format off */
/* test_contract.c: "The CPU contract" of ARCHITECTURE.md and weft/cpu.h, on every engine that the
 * plugin offers. Which test shows which sentence; in brackets the file where it is not this one:
 *
 *   run returns when retired == limit, at whichever     slices_equal_one_run
 *     instruction that is                               limit_stops_at_any_instruction [engine]
 *   limit <= retired returns LIMIT at once              a_limit_in_the_past_returns_at_once
 *   or earlier with a reason                            traps_name_their_code and others [engine]
 *   no block, trace or tier is visible from outside     slices_equal_one_run
 *                                                       any_code_at_any_limit [engines]
 *                                                       ./dev fuzz cpu
 *   before a callback pc and retired are exact          callbacks_see_the_exact_head
 *     and the host's FP environment is restored         callbacks_see_the_hosts_float_environment
 *   the callback answers CONTINUE or STOP               syscall_callback_moves_on [engine]
 *                                                       mmio_stop_retires_the_access [engine]
 *   and may lower limit                                 mmio_may_lower_the_limit
 *                                                       callback_may_lower_the_limit [engine]
 *   a direct call and an exit are equivalent            callback_and_exit_are_the_same
 *   a call that is held has not retired                 syscall_that_is_held_has_not_retired [engine]
 *   the head is current at every exit and callback      callbacks_see_the_exact_head
 *   cr, xer, fpscr, vscr, v after flush                 the_tail_is_current_after_flush
 *   an instruction happens whole or not at all          a_fault_leaves_the_instruction_undone
 *   a reservation is lost to any stwcx.                 any_stwcx_drops_the_reservation
 *     to another hardware thread's store                reported_write_drops_the_reservation [engine]
 *     and in lockstep when another runs                 another_state_drops_the_reservation [engine]
 *     its own plain stores leave it                     own_stores_leave_the_reservation
 *   a store into decoded code acts on the next          every_store_acts_on_the_next_instruction
 *     instruction, through any alias                    a_store_through_an_alias_acts_at_once [alias]
 *     so do writes from outside                         kernel_writes_act_on_decoded_code [engine]
 *                                                       a_write_from_outside_acts_at_once [alias]
 *   mtmsrd that sets EE with one pending ends the run   enabling_interrupts_ends_the_run [engine]
 *   db16cyc retires and yields                          db16cyc_yields_after_retiring [engine]
 *   MMIO accesses are 1 to 16 bytes wide                mmio_is_as_wide_as_the_instruction
 *   pending returns STOPPED                             pending_stops [engine] */
/* clang-format on */
#include "check.h"

#include <fenv.h>
#include <stdio.h>
#include <string.h>

#define ENGINES 2
static const char *const engine_names[ENGINES] = {"interp-plain", "interp-blocks"};

/* A test body with its machine `m` and state `s`, run on each engine. */
#define EACH_ENGINE(name)                                                                          \
    static void name##_on(machine *m, weft_cpu_state *s);                                          \
    static void name(void **state)                                                                 \
    {                                                                                              \
        for (unsigned i = 0; i < ENGINES; i++) {                                                   \
            machine *m = machine_make_engine(&weft_plugin, engine_names[i]);                       \
            name##_on(m, m->state);                                                                \
            machine_free(m);                                                                       \
        }                                                                                          \
    }                                                                                              \
    static void name##_on(machine *m, weft_cpu_state *s)

/* A loop over every shape of instruction: arithmetic, calls, multiple and string moves, float,
 * vector, MMIO, system call; 3 rounds. */
#define WORDS 15u

static void prepare(machine *m)
{
    weft_cpu_state *s = m->state;
    const uint32_t program[WORDS] = {
        addi(3, 3, 1),
        cmpwi(0, 3, 3),
        stmw(24, 4, 0), /* r4: RAM */
        lmw(24, 4, 4),
        X_(725, 24, 4, 11, 0),  /* stswi r24,r4,11 */
        X_(597, 20, 4, 9, 0),   /* lswi r20,r4,9 */
        A_(63, 21, 1, 2, 3, 0), /* fadd */
        VX_(10, 1, 2, 3),       /* vaddfp */
        lwz(6, 5, 0),           /* r5: MMIO */
        18u << 26 | 12 | 1,     /* bl +12 */
        bc(4, 2, -40),          /* bne to the start */
        WORD_SC,                /* ends */
        mulli(7, 3, 77),        /* the subroutine */
        X_(231, 1, 0, 4, 0),    /* stvx v1,0,r4 */
        blr,
    };
    m->code_at = MACHINE_CODE;
    machine_code(m, program, WORDS);
    s->r[4] = MACHINE_DATA;
    s->r[5] = MACHINE_MMIO;
    for (unsigned i = 20; i < 32; i++) {
        s->r[i] = UINT64_C(0x0123456789ABCDEF) * i;
    }
    s->f[2] = UINT64_C(0x3FF0000000000000);
    s->f[3] = UINT64_C(0x3C90000000000000);
    machine_vector(m, 2, 0x3F800000, 0x40000000, 0x40400000, 0x00000001);
    machine_vector(m, 3, 0x3F800000, 0x33800000, 0x7F800000, 0x80000000);
    s->pc = MACHINE_CODE;
}

static void assert_same(machine *a, machine *b)
{
    const weft_cpu_state *x = a->state, *y = b->state;
    assert_memory_equal(x->r, y->r, sizeof x->r);
    assert_memory_equal(x->f, y->f, sizeof x->f);
    assert_memory_equal(x->v, y->v, sizeof x->v);
    assert_int_equal(x->pc, y->pc);
    assert_int_equal(x->lr, y->lr);
    assert_int_equal(x->retired, y->retired);
    assert_int_equal(x->cr, y->cr);
    assert_int_equal(x->xer, y->xer);
    assert_int_equal(x->fpscr, y->fpscr);
    assert_int_equal(a->mmio_count, b->mmio_count);
    assert_memory_equal(machine_at(a, MACHINE_DATA), machine_at(b, MACHINE_DATA), 256);
}

/* One machine runs to each limit in one go, another single-steps there. */
EACH_ENGINE(slices_equal_one_run)
{
    prepare(m);
    for (uint64_t limit = 1; limit < 46; limit++) {
        machine *whole = machine_make_engine(&weft_plugin, m->engine_name);
        prepare(whole);
        uint32_t exit = machine_continue(whole, limit);
        uint32_t step = s->retired == limit - 1 ? machine_continue(m, 1) : exit;
        assert_same(whole, m);
        assert_int_equal(exit, step);
        if (exit == WEFT_CPU_LIMIT) {
            assert_int_equal(whole->state->retired, limit);
        } else {
            assert_int_equal(exit, WEFT_CPU_SYSCALL);
            assert_int_equal(whole->state->retired, 42);
        }
        machine_free(whole);
    }
}

EACH_ENGINE(a_limit_in_the_past_returns_at_once)
{
    prepare(m);
    machine_continue(m, 5);
    uint32_t pc = s->pc;
    s->limit = 3;
    assert_int_equal(m->cpu->run(m->engine, s), WEFT_CPU_LIMIT);
    assert_int_equal(s->retired, 5);
    assert_int_equal(s->pc, pc);
}

typedef struct watcher {
    machine *m;
    uint32_t calls, rounding;
    weft_cpu_state seen; /* the head as it was */
} watcher;

static uint32_t watch_call(void *context, weft_cpu_state *state, uint32_t lev)
{
    watcher *w = context;
    w->seen = *state;
    w->calls++;
    w->rounding = (uint32_t)fegetround();
    state->pc += 4;
    state->retired++;
    return WEFT_CPU_CONTINUE;
}

EACH_ENGINE(callbacks_see_the_exact_head)
{
    watcher w = {.m = m};
    const uint32_t words[] = {addi(3, 0, 7), mtctr(3),
                              mtlr(3),       X63_(72, 4, 0, 5) /* fmr f4,f5 */,
                              WORD_SC,       addi(3, 3, 1)};
    m->calls.syscall = watch_call;
    m->calls.context = &w;
    s->f[5] = UINT64_C(0x4045000000000000);
    s->retired = 100;
    machine_code(m, words, 6);
    s->pc = MACHINE_CODE;
    assert_int_equal(machine_continue(m, 6), WEFT_CPU_LIMIT);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.seen.pc, MACHINE_CODE + 16);
    assert_int_equal(w.seen.retired, 104);
    assert_int_equal(w.seen.limit, 106);
    assert_int_equal(w.seen.r[3], 7);
    assert_int_equal(w.seen.ctr, 7);
    assert_int_equal(w.seen.lr, 7);
    assert_int_equal(w.seen.f[4], s->f[5]);
    assert_int_equal(s->r[3], 8);
}

/* The guest rounds up and divides by zero meanwhile. */
EACH_ENGINE(callbacks_see_the_hosts_float_environment)
{
    watcher w = {.m = m, .rounding = 99};
    const uint32_t words[] = {A_(63, 18, 1, 2, 3, 0) /* fdiv */, VX_(10, 1, 2, 3), WORD_SC,
                              A_(63, 25, 4, 2, 0, 2) /* fmul */};
    m->calls.syscall = watch_call;
    m->calls.context = &w;
    s->fpscr = 2;
    s->f[2] = UINT64_C(0x3FF5555555555555);
    feclearexcept(FE_ALL_EXCEPT);
    machine_code(m, words, 4);
    s->pc = MACHINE_CODE;
    assert_int_equal(machine_continue(m, 4), WEFT_CPU_LIMIT);
    assert_int_equal(w.rounding, FE_TONEAREST);
    assert_int_equal(fegetround(), FE_TONEAREST);
    assert_true(s->fpscr & 0x04000000); /* ZX is the guest's own */
}

EACH_ENGINE(mmio_may_lower_the_limit)
{
    const uint32_t words[] = {nop, lwz(6, 5, 0), nop, nop, nop};
    machine_code(m, words, 5);
    s->r[5] = MACHINE_MMIO;
    s->pc = MACHINE_CODE;
    m->callback_limit = 3;
    assert_int_equal(machine_continue(m, 5), WEFT_CPU_LIMIT);
    assert_int_equal(s->retired, 3);
}

/* The call made inside the callback, and made between two runs. */
EACH_ENGINE(callback_and_exit_are_the_same)
{
    machine *other = machine_make_engine(&weft_plugin, m->engine_name);
    const uint32_t words[] = {addi(3, 0, 1), WORD_SC, addi(3, 3, 1), nop};
    machine_code(m, words, 4);
    machine_code(other, words, 4);
    s->pc = other->state->pc = MACHINE_CODE;
    m->syscall_answer = WEFT_CPU_CONTINUE;
    assert_int_equal(machine_continue(m, 4), WEFT_CPU_LIMIT);
    assert_int_equal(machine_continue(other, 4), WEFT_CPU_SYSCALL);
    other->state->pc += 4;
    other->state->retired++;
    assert_int_equal(machine_continue(other, 2), WEFT_CPU_LIMIT);
    assert_same(m, other);
    machine_free(other);
}

EACH_ENGINE(the_tail_is_current_after_flush)
{
    s->r[3] = 0xFFFFFFFF;
    s->f[2] = s->f[3] = UINT64_C(0x3FF0000000000001);
    machine_vector(m, 2, 0x7FFFFFFF, 0, 0, 0);
    machine_vector(m, 3, 1, 0, 0, 0);
    const uint32_t words[] = {X_(10, 4, 3, 3, 1) | 0x400 /* addco. */, A_(63, 25, 1, 2, 0, 3),
                              VX_(896, 1, 2, 3) /* vaddsws */};
    machine_code(m, words, 3);
    s->pc = MACHINE_CODE;
    assert_int_equal(machine_continue(m, 3), WEFT_CPU_LIMIT);
    assert_int_equal(s->cr, 0x80000000);                 /* the low word is negative */
    assert_int_equal(s->xer, 0x20000000);                /* carry, no overflow: -1 + -1 */
    assert_int_equal(s->fpscr & 0x06020000, 0x02020000); /* XX, FI */
    assert_int_equal(machine_word(m, 1, 0), 0x7FFFFFFF);
    assert_int_equal(s->vscr, 0x10001); /* SAT */
}

/* Multiple, string, update and vector forms whose end faults change neither registers nor memory.
 */
EACH_ENGINE(a_fault_leaves_the_instruction_undone)
{
    const uint32_t words[] = {stmw(20, 4, 0),        lmw(20, 4, 0),       X_(725, 20, 4, 31, 0),
                              X_(597, 20, 4, 31, 0), stwu(3, 4, 14),      lwzu(3, 4, 14),
                              std(3, 4, 12),         X_(1014, 1, 0, 5, 0) /* dcbz128 */};
    uint32_t at = MACHINE_DATA + MACHINE_SIZE - 16;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        weft_cpu_state before;
        uint8_t bytes[16];
        memset(machine_at(m, at), 0x11 * (int)(i + 1), 16);
        memcpy(bytes, machine_at(m, at), 16);
        for (unsigned r = 0; r < 32; r++) {
            s->r[r] = UINT64_C(0xA5A5A5A500000000) + r;
        }
        s->r[4] = at;
        s->r[5] = MACHINE_DATA + MACHINE_SIZE;
        before = *s;
        assert_int_equal(machine_run(m, &words[i], 1), WEFT_CPU_FAULT);
        assert_memory_equal(s->r, before.r, sizeof s->r);
        assert_memory_equal(bytes, machine_at(m, at), 16);
        assert_int_equal(s->retired, before.retired);
        assert_int_equal(s->pc, MACHINE_CODE);
    }
}

EACH_ENGINE(any_stwcx_drops_the_reservation)
{
    s->r[4] = MACHINE_DATA;
    s->r[5] = MACHINE_DATA + 64;
    OK(m, X_(20, 3, 0, 4, 0), X_(150, 3, 0, 5, 1), X_(150, 3, 0, 4, 1));
    assert_int_equal(s->cr >> 28, 0);
    assert_int_equal(s->reservation, 0);
}

EACH_ENGINE(own_stores_leave_the_reservation)
{
    s->r[4] = MACHINE_DATA;
    s->r[6] = 5;
    OK(m, X_(20, 3, 0, 4, 0), stw(6, 4, 8), X_(150, 6, 0, 4, 1));
    assert_int_equal(s->cr >> 28, 2);
}

/* A word that was decoded and executed before is replaced by each kind of store, right before it
 * is executed again. */
EACH_ENGINE(every_store_acts_on_the_next_instruction)
{
    const uint32_t fresh = addi(3, 3, 100), stale = addi(3, 3, 1);
    const uint32_t stores[] = {
        stw(6, 4, 0),         stwu(6, 4, 0),       X_(151, 6, 0, 4, 0), X_(725, 6, 4, 4, 0),
        X_(661, 6, 0, 4, 0),  stmw(31, 4, 0),      X_(662, 7, 0, 4, 0), D_(44, 9, 4, 2),
        stb(10, 4, 3),        X_(983, 6, 0, 4, 0), stfs(8, 4, 0),       X_(199, 5, 0, 4, 0),
        X_(135, 6, 0, 11, 0),
    };
    for (unsigned i = 0; i < sizeof stores / sizeof *stores; i++) {
        const uint32_t words[] = {nop, stores[i], stale, WORD_SC};
        m->code_at = MACHINE_CODE;
        machine_code(m, words, 4);
        s->pc = MACHINE_CODE + 8;
        assert_int_equal(machine_continue(m, 10), WEFT_CPU_SYSCALL); /* decoded */
        s->r[3] = 0;
        s->r[4] = MACHINE_CODE + 8;
        s->r[11] = MACHINE_CODE + 11;
        s->r[6] = s->r[31] = fresh;
        s->r[7] = __builtin_bswap32(fresh);
        s->r[9] = fresh & 0xFFFF;
        s->r[10] = fresh & 0xFF;
        s->xer = 4;
        s->f[6] = fresh;
        /* as a single in double format: 0x38630064 */
        s->f[8] = UINT64_C(0x3F0C600C80000000);
        machine_vector(m, 5, fresh, fresh, fresh, fresh);
        machine_vector(m, 6, fresh, fresh, fresh, fresh);
        s->pc = MACHINE_CODE;
        assert_int_equal(machine_continue(m, 10), WEFT_CPU_SYSCALL);
        if (s->r[3] != 100) {
            fail_msg("%s: store %u (%08x) gave %d", m->engine_name, i, stores[i], (int)s->r[3]);
        }
    }
}

EACH_ENGINE(mmio_is_as_wide_as_the_instruction)
{
    const struct {
        uint32_t word, length;
    } accesses[] = {{lbz(3, 5, 0), 1},        {D_(40, 3, 5, 0), 2}, {lwz(3, 5, 0), 4},
                    {ld(3, 5, 0), 8},         {lfs(1, 5, 0), 4},    {X_(103, 1, 0, 5, 0), 16},
                    {stb(3, 5, 0), 1},        {stw(3, 5, 0), 4},    {std(3, 5, 0), 8},
                    {X_(231, 1, 0, 5, 0), 16}};
    for (unsigned i = 0; i < sizeof accesses / sizeof *accesses; i++) {
        s->r[5] = MACHINE_MMIO + 0x20;
        m->mmio_count = 0;
        assert_int_equal(machine_run(m, &accesses[i].word, 1), WEFT_CPU_SYSCALL);
        assert_int_equal(m->mmio_count, 1);
        assert_int_equal(m->mmio[0].length, accesses[i].length);
        assert_int_equal(m->mmio[0].address, MACHINE_MMIO + 0x20);
        assert_int_equal(m->mmio[0].pc, MACHINE_CODE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_equal_one_run),
        cmocka_unit_test(a_limit_in_the_past_returns_at_once),
        cmocka_unit_test(callbacks_see_the_exact_head),
        cmocka_unit_test(callbacks_see_the_hosts_float_environment),
        cmocka_unit_test(mmio_may_lower_the_limit),
        cmocka_unit_test(callback_and_exit_are_the_same),
        cmocka_unit_test(the_tail_is_current_after_flush),
        cmocka_unit_test(a_fault_leaves_the_instruction_undone),
        cmocka_unit_test(any_stwcx_drops_the_reservation),
        cmocka_unit_test(own_stores_leave_the_reservation),
        cmocka_unit_test(every_store_acts_on_the_next_instruction),
        cmocka_unit_test(mmio_is_as_wide_as_the_instruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
