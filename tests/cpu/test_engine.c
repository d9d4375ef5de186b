/* test_engine.c: the CPU contract of weft/cpu.h: limits, callbacks, faults, coherence,
 * reservations, exits; branches and special registers. */
#include "check.h"

#include "ppc.h"

#define RW (WEFT_PAGE_READ | WEFT_PAGE_WRITE)

TEST(limit_stops_at_any_instruction)
{
    const uint32_t loop[] = {addi(3, 3, 1), addi(4, 4, 2), bc(4, 2, 4), branch(-12)};
    for (uint64_t n = 0; n < 40; n++) {
        m->code_at = MACHINE_CODE;
        machine_code(m, loop, 4);
        s->pc = MACHINE_CODE;
        s->r[3] = s->retired = 0;
        assert_int_equal(machine_continue(m, n), WEFT_CPU_LIMIT);
        assert_u64(s->retired, n);
        assert_u64(s->pc, MACHINE_CODE + 4 * (n % 4));
        assert_u64(s->r[3], (n + 3) / 4);
    }
}

TEST(long_runs_retire_exactly)
{
    const uint32_t loop[] = {addi(3, 3, 1), branch(-4)};
    machine_code(m, loop, 2);
    s->pc = MACHINE_CODE;
    assert_int_equal(machine_continue(m, 3000001), WEFT_CPU_LIMIT);
    assert_u64(s->retired, 3000001);
    assert_u64(s->r[3], 1500001);
}

TEST(code_crosses_pages)
{
    m->code_at = MACHINE_CODE + 4096 - 8;
    const uint32_t words[] = {addi(3, 0, 1), addi(4, 0, 2), addi(5, 0, 3), WORD_SC};
    machine_code(m, words, 4);
    s->pc = MACHINE_CODE + 4096 - 8;
    assert_int_equal(machine_continue(m, 100), WEFT_CPU_SYSCALL);
    assert_u64(s->r[5], 3);
    assert_u64(s->retired, 3);
    assert_u64(s->pc, MACHINE_CODE + 4096 + 4);
}

TEST(limit_at_the_end_of_a_page)
{
    m->code_at = MACHINE_CODE + 4096 - 8;
    const uint32_t words[] = {nop, nop, addi(5, 0, 3), WORD_SC};
    machine_code(m, words, 4);
    s->pc = MACHINE_CODE + 4096 - 8;
    assert_int_equal(machine_continue(m, 2), WEFT_CPU_LIMIT);
    assert_u64(s->pc, MACHINE_CODE + 4096);
    assert_int_equal(machine_continue(m, 1), WEFT_CPU_LIMIT);
    assert_u64(s->r[5], 3);
}

TEST(syscall_callback_moves_on)
{
    const uint32_t words[] = {nop, 0x44000022 /* sc 1 */, addi(3, 0, 9), 0};
    machine_code(m, words, 4);
    s->pc = MACHINE_CODE;
    m->syscall_answer = WEFT_CPU_CONTINUE;
    assert_int_equal(machine_continue(m, 100), WEFT_CPU_ILLEGAL);
    assert_u64(m->syscall_pc, MACHINE_CODE + 4);
    assert_u64(m->syscall_retired, 1);
    assert_u64(m->syscall_lev, 1);
    assert_u64(s->r[3], 9);
    assert_u64(s->retired, 3);
}

TEST(syscall_that_is_held_has_not_retired)
{
    OK(m, nop);
    assert_u64(s->pc, MACHINE_CODE + 4);
    assert_u64(s->retired, 1);
    assert_int_equal(machine_continue(m, 10), WEFT_CPU_SYSCALL); /* made again */
    assert_u64(m->syscalls, 2);
    assert_u64(s->retired, 1);
}

TEST(callback_may_lower_the_limit)
{
    const uint32_t words[] = {WORD_SC, nop, nop, nop, nop};
    machine_code(m, words, 5);
    s->pc = MACHINE_CODE;
    m->syscall_answer = WEFT_CPU_CONTINUE;
    m->callback_limit = 3;
    assert_int_equal(machine_continue(m, 100), WEFT_CPU_LIMIT);
    assert_u64(s->retired, 3);
}

TEST(mmio_load_sees_exact_state)
{
    s->r[5] = MACHINE_MMIO;
    memcpy(m->mmio_bytes, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    OK(m, nop, ld(3, 5, 8), D_(40, 4, 5, 2) /* lhz */);
    assert_int_equal(m->mmio_count, 2);
    assert_u64(m->mmio[0].address, MACHINE_MMIO + 8);
    assert_u64(m->mmio[0].length, 8);
    assert_u64(m->mmio[0].pc, MACHINE_CODE + 4);
    assert_u64(m->mmio[0].retired, 1);
    assert_u64(s->r[3], UINT64_C(0x0102030405060708));
    assert_u64(s->r[4], 0x0102);
}

TEST(mmio_vector_store_is_one_access)
{
    s->r[5] = MACHINE_MMIO + 0x10;
    machine_vector(m, 3, 0x00010203, 0x04050607, 0x08090A0B, 0x0C0D0E0F);
    OK(m, X_(231, 3, 0, 5, 0)); /* stvx */
    assert_int_equal(m->mmio_count, 1);
    assert_u64(m->mmio[0].length, 16);
    assert_u64(m->mmio[0].store, 1);
    assert_u64(weft_load64(m->mmio[0].bytes), UINT64_C(0x0001020304050607));
}

TEST(mmio_stop_retires_the_access)
{
    s->r[5] = MACHINE_MMIO;
    m->mmio_answer = WEFT_CPU_STOP;
    assert_int_equal(RUN(m, stwu(3, 5, 4), nop), WEFT_CPU_STOPPED);
    assert_u64(s->retired, 1);
    assert_u64(s->pc, MACHINE_CODE + 4);
    assert_u64(s->r[5], MACHINE_MMIO + 4);
}

TEST(load_fault_changes_nothing)
{
    s->r[3] = 7;
    s->r[4] = 0x1000;
    assert_int_equal(RUN(m, nop, lwzu(3, 4, 4)), WEFT_CPU_FAULT);
    assert_u64(s->pc, MACHINE_CODE + 4);
    assert_u64(s->retired, 1);
    assert_u64(s->fault_address, 0x1004);
    assert_u64(s->fault_flags, 0);
    assert_u64(s->r[3], 7);
    assert_u64(s->r[4], 0x1000);
}

TEST(store_to_a_read_only_page_faults)
{
    m->memory.protect(&m->memory, MACHINE_DATA, 4096, WEFT_PAGE_READ);
    s->r[4] = MACHINE_DATA;
    assert_int_equal(RUN(m, stw(3, 4, 0)), WEFT_CPU_FAULT);
    assert_u64(s->fault_flags, WEFT_FAULT_STORE);
    OK(m, lwz(3, 4, 0));
}

TEST(crossing_store_faults_before_the_first_byte)
{
    s->r[3] = UINT64_C(0x1122334455667788);
    s->r[4] = MACHINE_DATA + MACHINE_SIZE - 4;
    assert_int_equal(RUN(m, std(3, 4, 0)), WEFT_CPU_FAULT);
    assert_u64(s->fault_address, MACHINE_DATA + MACHINE_SIZE);
    assert_u64(weft_load32(machine_at(m, MACHINE_DATA + MACHINE_SIZE - 4)), 0);
}

TEST(crossing_accesses_between_good_pages_work)
{
    s->r[3] = UINT64_C(0x1122334455667788);
    s->r[4] = MACHINE_DATA + 4096 - 3;
    OK(m, std(3, 4, 0), ld(5, 4, 0), lwz(6, 4, 0));
    assert_u64(s->r[5], s->r[3]);
    assert_u64(s->r[6], 0x11223344);
    assert_int_equal(*machine_at(m, MACHINE_DATA + 4096 - 3), 0x11);
}

TEST(fetch_fault_is_at_the_target)
{
    s->r[3] = 0x5000;
    assert_int_equal(RUN(m, mtctr(3), bctr), WEFT_CPU_FAULT);
    assert_u64(s->pc, 0x5000);
    assert_u64(s->fault_flags, WEFT_FAULT_FETCH);
    assert_u64(s->retired, 2);
}

TEST(code_that_loses_access_faults)
{
    OK(m, nop);
    m->memory.protect(&m->memory, MACHINE_CODE, 4096, 0);
    s->pc = MACHINE_CODE;
    assert_int_equal(machine_continue(m, 10), WEFT_CPU_FAULT);
    assert_u64(s->retired, 1);
}

TEST(stmw_faults_as_a_whole)
{
    for (unsigned i = 29; i < 32; i++) {
        s->r[i] = i;
    }
    s->r[4] = MACHINE_DATA + MACHINE_SIZE - 8;
    assert_int_equal(RUN(m, stmw(29, 4, 0)), WEFT_CPU_FAULT);
    assert_u64(weft_load64(machine_at(m, MACHINE_DATA + MACHINE_SIZE - 8)), 0);
}

/* A store replaces the very next word, which was decoded before. */
TEST(store_acts_on_the_next_instruction)
{
    const uint32_t words[] = {stw(6, 7, 4),  addi(3, 3, 1), cmpwi(0, 5, 0), bc(12, 2, 12),
                              addi(5, 0, 0), branch(-20),   WORD_SC};
    machine_code(m, words, 7);
    s->r[5] = 1;
    s->r[7] = MACHINE_CODE;
    s->r[6] = addi(3, 3, 1);
    s->pc = MACHINE_CODE;
    assert_int_equal(machine_continue(m, 6), WEFT_CPU_LIMIT); /* one round, all decoded */
    assert_u64(s->r[3], 1);
    s->r[6] = addi(3, 3, 100);
    assert_int_equal(machine_continue(m, 100), WEFT_CPU_SYSCALL);
    assert_u64(s->r[3], 101);
}

TEST(kernel_writes_act_on_decoded_code)
{
    OK(m, addi(3, 0, 1), addi(4, 0, 1));
    /* two reported writes to one page: the second may find the watch used up */
    weft_store32(machine_at(m, MACHINE_CODE), addi(3, 0, 2));
    m->memory.written(&m->memory, MACHINE_CODE, 4);
    weft_store32(machine_at(m, MACHINE_CODE + 4), addi(4, 0, 3));
    m->memory.written(&m->memory, MACHINE_CODE + 4, 4);
    s->pc = MACHINE_CODE;
    assert_int_equal(machine_continue(m, 100), WEFT_CPU_SYSCALL);
    assert_u64(s->r[3], 2);
    assert_u64(s->r[4], 3);
}

TEST(reservation_stores_once)
{
    s->r[4] = MACHINE_DATA;
    s->r[5] = 9;
    OK(m, X_(20, 3, 0, 4, 0), X_(150, 5, 0, 4, 1));
    assert_int_equal(s->cr >> 28, 2);
    assert_u64(weft_load32(machine_at(m, MACHINE_DATA)), 9);
    OK(m, X_(150, 4, 0, 4, 1));
    assert_int_equal(s->cr >> 28, 0);
    assert_u64(weft_load32(machine_at(m, MACHINE_DATA)), 9);
}

/* LESSONS 9: reservations carry their width. */
TEST(stwcx_after_ldarx_fails)
{
    s->r[4] = MACHINE_DATA;
    OK(m, X_(84, 3, 0, 4, 0), X_(150, 5, 0, 4, 1));
    assert_int_equal(s->cr >> 28, 0);
}

/* LESSONS 9: reported stores kill reservations. */
TEST(reported_write_drops_the_reservation)
{
    s->r[4] = MACHINE_DATA;
    const uint32_t words[] = {X_(20, 3, 0, 4, 0), X_(150, 5, 0, 4, 1), WORD_SC};
    machine_code(m, words, 3);
    s->pc = MACHINE_CODE;
    machine_continue(m, 1);
    assert_u64(s->reservation, 1);
    m->memory.written(&m->memory, MACHINE_DATA, 4);
    machine_continue(m, 10);
    assert_int_equal(s->cr >> 28, 0);
}

TEST(another_state_drops_the_reservation)
{
    weft_cpu_state *other;
    s->r[4] = MACHINE_DATA;
    const uint32_t words[] = {X_(20, 3, 0, 4, 0), X_(150, 5, 0, 4, 1), WORD_SC};
    machine_code(m, words, 3);
    s->pc = MACHINE_CODE;
    machine_continue(m, 1);
    assert_int_equal(m->cpu->state_create(m->engine, &other), WEFT_OK);
    other->pc = MACHINE_CODE + 8;
    other->limit = 1;
    m->cpu->run(m->engine, other);
    assert_u64(s->reservation, 0);
    machine_continue(m, 10);
    assert_int_equal(s->cr >> 28, 0);
    m->cpu->state_destroy(m->engine, other);
}

TEST(reservation_clear_drops_it)
{
    s->r[4] = MACHINE_DATA;
    OK(m, X_(20, 3, 0, 4, 0));
    m->cpu->reservation_clear(m->engine, s);
    OK(m, X_(150, 5, 0, 4, 1));
    assert_int_equal(s->cr >> 28, 0);
}

TEST(misaligned_lwarx_is_an_alignment_exit)
{
    s->r[4] = MACHINE_DATA + 2;
    assert_int_equal(RUN(m, X_(20, 3, 0, 4, 0)), WEFT_CPU_ALIGNMENT);
    assert_u64(s->fault_address, MACHINE_DATA + 2);
    assert_u64(s->retired, 0);
}

/* LESSONS 10: or r31,r31,r31 is a spin hint. */
TEST(db16cyc_yields_after_retiring)
{
    assert_int_equal(RUN(m, 0x7FFFFB78, nop), WEFT_CPU_YIELD);
    assert_u64(s->retired, 1);
    assert_u64(s->pc, MACHINE_CODE + 4);
}

TEST(traps_name_their_code)
{
    assert_int_equal(RUN(m, D_(3, 31, 0, 22)), WEFT_CPU_TRAP);
    assert_u64(s->trap_code, 22);
    assert_u64(s->pc, MACHINE_CODE);
    assert_u64(s->retired, 0);
    s->r[3] = 1;
    assert_int_equal(RUN(m, X_(4, 8, 3, 4, 0)), WEFT_CPU_TRAP); /* twgt r3,r4 */
    assert_u64(s->trap_code, 0xFFFF);
    OK(m, X_(4, 16, 3, 4, 0)); /* twlt: does not hold */
}

TEST(word_traps_see_32_bits)
{
    s->r[3] = UINT64_C(0x100000000);
    OK(m, D_(3, 8 | 16, 3, 0));                              /* twi lt|gt: equal in 32 bits */
    assert_int_equal(RUN(m, D_(2, 8, 3, 0)), WEFT_CPU_TRAP); /* tdi gt */
}

TEST(enabling_interrupts_ends_the_run)
{
    s->r[3] = WEFT_MSR_EE;
    s->interrupt = 1;
    assert_int_equal(RUN(m, mtmsrd(3, 1), nop), WEFT_CPU_INTERRUPT);
    assert_u64(s->retired, 1);
    assert_u64(s->msr, WEFT_MSR_EE);
    s->interrupt = 0;
    OK(m, mtmsrd(4, 1));
    assert_u64(s->msr, 0);
}

/* CPU-FACTS.md: mtmsrd rN,1 touches EE and RI alone. */
TEST(mtmsrd_1_touches_ee_and_ri)
{
    s->r[3] = UINT64_MAX;
    OK(m, mtmsrd(3, 1), mfmsr(4));
    assert_u64(s->r[4], 0x8002);
}

TEST(mtmsrd_changes_the_mode_at_once)
{
    s->r[3] = WEFT_MSR_SF;
    s->r[4] = UINT64_C(0x100000000);
    OK(m, mtmsrd(3, 0), X_(444, 4, 5, 4, 1));
    assert_int_equal(s->cr >> 28, 4); /* positive in 64 bits, zero in 32 */
}

TEST(problem_state_may_not_touch_msr)
{
    s->msr = 0x4000;
    assert_int_equal(RUN(m, mfmsr(3)), WEFT_CPU_PRIVILEGED);
    assert_u64(s->retired, 0);
}

TEST(special_registers)
{
    s->hw = 4;
    s->r[3] = 0x12345678;
    OK(m, X_(339, 4, 1023 & 31, 1023 >> 5, 0), X_(339, 5, 287 & 31, 287 >> 5, 0),
       X_(467, 3, 272 & 31, 272 >> 5, 0), X_(339, 6, 272 & 31, 272 >> 5, 0),
       X_(467, 3, 256 & 31, 256 >> 5, 0), mtlr(3), mflr(7));
    assert_u64(s->r[4], 4);
    assert_u64(s->r[5], 0x00710800);
    assert_u64(s->r[6], 0x12345678);
    assert_u64(s->vrsave, 0x12345678);
    assert_u64(s->r[7], 0x12345678);
    assert_int_equal(RUN(m, X_(339, 3, 20, 0, 0)), WEFT_CPU_ILLEGAL);
}

#define MFSPR(d, n) X_(339, d, (n)&31, (n) >> 5, 0)
#define MTSPR(s, n) X_(467, s, (n)&31, (n) >> 5, 0)

/* PowerISA 2.03 book III, 4.4.3: numbers with bit 0x10 are privileged; unknown ones are illegal for
 * whoever may ask. */
TEST(special_registers_know_their_privilege)
{
    s->msr = 0x4000; /* problem state */
    assert_int_equal(RUN(m, MFSPR(3, 272)), WEFT_CPU_PRIVILEGED);
    assert_int_equal(RUN(m, MTSPR(3, 26)), WEFT_CPU_PRIVILEGED);
    assert_int_equal(RUN(m, MFSPR(3, 1000)), WEFT_CPU_ILLEGAL);
    assert_int_equal(RUN(m, MFSPR(3, 1016)), WEFT_CPU_PRIVILEGED);
    s->msr = 0;
    assert_int_equal(RUN(m, MFSPR(3, 1016)), WEFT_CPU_ILLEGAL);
    assert_int_equal(RUN(m, MTSPR(3, 287)), WEFT_CPU_ILLEGAL); /* PVR is read-only */
    assert_u64(s->retired, 0);
}

/* The hypervisor's registers: with MSR[HV] alone. */
TEST(hypervisor_registers_need_the_hypervisor)
{
    static const uint32_t held[] = {25, 304, 305, 313, 318, 947, 948, 949, 1008, 1009, 1012, 1017};
    for (unsigned i = 0; i < sizeof held / sizeof *held; i++) {
        s->msr = 0;
        assert_int_equal(RUN(m, MFSPR(3, held[i])), WEFT_CPU_PRIVILEGED);
        s->msr = UINT64_C(1) << 60;
        s->r[3] = UINT64_C(0x123456789ABCDEF0) + i;
        OK(m, MTSPR(3, held[i]), MFSPR(4, held[i]));
        assert_u64(s->r[4], s->r[3]);
    }
}

TEST(supervisor_registers_hold_their_values)
{
    static const uint32_t held[] = {18, 19, 26, 27, 272, 273, 274, 275, 896};
    for (unsigned i = 0; i < sizeof held / sizeof *held; i++) {
        s->r[3] = UINT64_C(0xFEDCBA9876543210) + i;
        OK(m, MTSPR(3, held[i]), MFSPR(4, held[i]));
        assert_u64(s->r[4], s->r[3]);
    }
    OK(m, MFSPR(5, 259)); /* SPRG3 by its user's number */
    assert_u64(s->r[5], UINT64_C(0xFEDCBA9876543210) + 7);
}

TEST(decrementer_counts_down_with_the_time_base)
{
    m->timebase = 1000;
    s->r[3] = 50;
    OK(m, MTSPR(3, 22));
    m->timebase = 1060;
    OK(m, MFSPR(4, 22));
    assert_u64(s->r[4], 0xFFFFFFF6); /* 50 - 60, 32 bits */
}

TEST(time_base_can_be_set_by_the_hypervisor)
{
    m->timebase = UINT64_C(0x500000010);
    s->msr = UINT64_C(1) << 60;
    s->r[3] = 0;
    s->r[4] = 7;
    s->r[5] = 0x100;
    OK(m, MTSPR(3, 284), MTSPR(4, 285), MTSPR(5, 284));
    m->timebase += 3;
    OK(m, X_(371, 6, 268 & 31, 268 >> 5, 0));
    assert_u64(s->r[6], UINT64_C(0x700000103));
}

TEST(timebase_is_asked)
{
    m->timebase = UINT64_C(0x1122334455667788);
    OK(m, X_(371, 3, 268 & 31, 268 >> 5, 0), X_(371, 4, 269 & 31, 269 >> 5, 0));
    assert_u64(s->r[3], m->timebase);
    assert_u64(s->r[4], 0x11223344);
    assert_u64(s->retired, 2);
}

TEST(pending_stops)
{
    s->pending = 1;
    assert_int_equal(RUN(m, nop), WEFT_CPU_STOPPED);
    assert_u64(s->retired, 0);
}

TEST(conditional_branches)
{
    /* bne over one, beq not taken, bdnzt, bclr with condition */
    s->r[3] = 2;
    OK(m, mtctr(3), cmpwi(0, 4, 1), bc(4, 2, 8), addi(5, 5, 100), bc(12, 2, 8), addi(5, 5, 1),
       bc(8, 0, -4) /* bdnzt lt: lt holds, ctr 1 */);
    assert_u64(s->r[5], 2);
    assert_u64(s->ctr, 0);
}

TEST(linked_branches_set_lr_even_when_not_taken)
{
    OK(m, cmpwi(0, 4, 1), bc(12, 2, 8) | 1, nop);
    assert_u64(s->lr, MACHINE_CODE + 8);
}

TEST(blr_goes_to_lr)
{
    s->r[3] = MACHINE_CODE + 16 + 3; /* the low two bits do not count */
    OK(m, mtlr(3), blr, addi(4, 0, 1), addi(4, 0, 1), nop);
    assert_u64(s->r[4], 0);
}

TEST(condition_register_moves)
{
    s->cr = 0x12345678;
    s->r[4] = 0xABCDEF01;
    OK(m, X_(19, 3, 0, 0, 0) /* mfcr */,
       31u << 26 | 4 << 21 | 0x42 << 12 | 144 << 1 /* mtcrf 0x42 */);
    assert_u64(s->r[3], 0x12345678);
    assert_u64(s->cr, 0x1B345608); /* fields 1 and 6 */
}

/* A word of the row: r5 or f5 or v5 as target, r3 the base, r4 the index, other fields zero. */
static uint32_t plain_word(const ppc_row *row)
{
    static const char *const forms[] = {
#define FORM(name, text) text,
#include "forms.def"
#undef FORM
    };
    uint32_t w = row->value;
    for (const char *p = forms[row->form]; *p; p++) {
        w |= *p == 'T' || *p == 'f' || *p == 'v' || *p == 'V' ? 5u << 21 : 0;
        w |= *p == 'A' || *p == 'Z' ? 3u << 16 : 0;
        w |= *p == 'B' ? 4u << 11 : 0;
    }
    return w;
}

/* Handlers end in jumps, not in calls: after a thousand of any kind the host's stack is where it
 * was after none. Rows that leave the straight line are not asked. */
TEST(handlers_keep_the_stack_flat)
{
    enum { TIMES = 1000 };
    static uint32_t words[TIMES + 1];
    uint32_t count;
    const ppc_row *rows = ppc_rows(&count);
    uintptr_t flat = 0;
    words[TIMES] = X_(371, 6, 268 & 31, 268 >> 5, 0); /* mftb */
    for (uint32_t i = 0; i <= count; i++) {
        if (i > 0 && (rows[i - 1].name[0] == 'b' || rows[i - 1].form == FORM_OAB ||
                      rows[i - 1].form == FORM_OAI || rows[i - 1].form == FORM_SC ||
                      rows[i - 1].form == FORM_TSPR || rows[i - 1].form == FORM_SPRT ||
                      rows[i - 1].form == FORM_MSRL)) {
            continue;
        }
        for (unsigned k = 0; k < TIMES; k++) {
            words[k] = i == 0 ? nop : plain_word(&rows[i - 1]);
        }
        memset(s->r, 0, sizeof s->r);
        s->r[3] = MACHINE_DATA + 0x100;
        s->fpscr = 0;
        if (machine_run(m, words, TIMES + 1) != WEFT_CPU_SYSCALL) {
            fail_msg("%s left early", rows[i ? i - 1 : 0].name);
        }
        flat = i == 0 ? m->stack : flat;
        if (flat - m->stack + 2048 > 4096) {
            fail_msg("%s: %ld bytes", rows[i - 1].name, (long)(flat - m->stack));
        }
    }
}

TEST(two_engines_live_side_by_side)
{
    machine *other = machine_make(&weft_plugin);
    OK(m, addi(3, 0, 1));
    OK(other, addi(3, 0, 2));
    assert_u64(s->r[3], 1);
    assert_u64(other->state->r[3], 2);
    machine_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENTRY(limit_stops_at_any_instruction),
        ENTRY(long_runs_retire_exactly),
        ENTRY(code_crosses_pages),
        ENTRY(limit_at_the_end_of_a_page),
        ENTRY(syscall_callback_moves_on),
        ENTRY(syscall_that_is_held_has_not_retired),
        ENTRY(callback_may_lower_the_limit),
        ENTRY(mmio_load_sees_exact_state),
        ENTRY(mmio_vector_store_is_one_access),
        ENTRY(mmio_stop_retires_the_access),
        ENTRY(load_fault_changes_nothing),
        ENTRY(store_to_a_read_only_page_faults),
        ENTRY(crossing_store_faults_before_the_first_byte),
        ENTRY(crossing_accesses_between_good_pages_work),
        ENTRY(fetch_fault_is_at_the_target),
        ENTRY(code_that_loses_access_faults),
        ENTRY(stmw_faults_as_a_whole),
        ENTRY(store_acts_on_the_next_instruction),
        ENTRY(kernel_writes_act_on_decoded_code),
        ENTRY(reservation_stores_once),
        ENTRY(stwcx_after_ldarx_fails),
        ENTRY(reported_write_drops_the_reservation),
        ENTRY(another_state_drops_the_reservation),
        ENTRY(reservation_clear_drops_it),
        ENTRY(misaligned_lwarx_is_an_alignment_exit),
        ENTRY(db16cyc_yields_after_retiring),
        ENTRY(traps_name_their_code),
        ENTRY(word_traps_see_32_bits),
        ENTRY(enabling_interrupts_ends_the_run),
        ENTRY(mtmsrd_1_touches_ee_and_ri),
        ENTRY(mtmsrd_changes_the_mode_at_once),
        ENTRY(problem_state_may_not_touch_msr),
        ENTRY(special_registers),
        ENTRY(special_registers_know_their_privilege),
        ENTRY(hypervisor_registers_need_the_hypervisor),
        ENTRY(supervisor_registers_hold_their_values),
        ENTRY(decrementer_counts_down_with_the_time_base),
        ENTRY(time_base_can_be_set_by_the_hypervisor),
        ENTRY(timebase_is_asked),
        ENTRY(pending_stops),
        ENTRY(conditional_branches),
        ENTRY(linked_branches_set_lr_even_when_not_taken),
        ENTRY(blr_goes_to_lr),
        ENTRY(condition_register_moves),
        ENTRY(handlers_keep_the_stack_flat),
        ENTRY(two_engines_live_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
