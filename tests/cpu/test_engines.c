/* test_engines.c: interp-plain and interp-blocks give the same guest state: random programs,
 * stopped at random limits, by faults, MMIO and stores into their own code. The whole state is
 * compared, and the memory. interp-plain executes one instruction at a time, so it is the
 * expectation here; it is held against the ISA by the other tests. */
#include "check.h"

#include <stdlib.h>

#include "ppc.h"

enum { PROGRAMS = 400, RUNS = 240, WORDS = 1024 };

typedef struct pair {
    machine *m[2];
    uint64_t random;
    const ppc_row *rows;
    uint32_t row_count;
} pair;

static uint32_t next(pair *p)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return (uint32_t)(p->random >> 16);
}

static int set_up(void **state)
{
    pair *p = calloc(1, sizeof *p);
    p->m[0] = machine_make_engine(&weft_plugin, "interp-plain");
    p->m[1] = machine_make_engine(&weft_plugin, "interp-blocks");
    p->random = UINT64_C(0x2545F4914F6CDD1D);
    p->rows = ppc_rows(&p->row_count);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    pair *p = *state;
    machine_free(p->m[0]);
    machine_free(p->m[1]);
    free(p);
    return 0;
}

/* Words that compilers use most, with operands at random: registers 3 to 10 hold numbers, 16 to 23
 * addresses. */
static uint32_t common_word(pair *p)
{
    uint32_t d = 3 + next(p) % 8, a = 3 + next(p) % 8, b = 3 + next(p) % 8, at = 16 + next(p) % 8;
    uint32_t rc = next(p) % 8 == 0, cr = next(p) % 8;
    int32_t i = (int16_t)next(p), near = (int32_t)(next(p) % 64) - 24;
    uint32_t r = next(p);
    switch (next(p) % 30) {
    case 0:
        return addi(d, a, i);
    case 1:
        return addi(d, 0, i);
    case 2:
        return addis(d, r & 1 ? a : 0, i);
    case 3:
        return add(d, a, b) | rc;
    case 4:
        return X_(444, a, d, r & 2 ? a : b, rc); /* or, mr */
    case 5:
        return X_(28, a, d, b, rc);
    case 6:
        return X_(316, a, d, b, rc);
    case 7:
        return X_(40, d, a, b, rc);
    case 8:
        return X_(235, d, a, b, rc);
    case 9:
    case 10:
        return M_(21, d, a, r % 32, r >> 5 & 31, r >> 10 & 31) | rc;
    case 11:
        return MD_(r & 1, d, a, r >> 1 & 63, r >> 7 & 63);
    case 12:
        return r & 1 ? ori(d, a, i) : D_(28, a, d, i); /* andi. */
    case 13:
        return D_(32 + r % 16, d, at, (int32_t)(next(p) & 0xFF) - 16);
    case 14:
        return lwz(d, at, 4 * (int32_t)(next(p) % 16));
    case 15:
        return stw(d, at, 4 * (int32_t)(next(p) % 16));
    case 16:
        return r & 1 ? lbz(d, at, i & 63) : stb(d, at, i & 63);
    case 17: {
        static const uint16_t indexed[] = {23, 87, 279, 343, 21, 151, 215, 407, 149, 534, 599, 535};
        return X_(indexed[r % 12], d, at, 31, 0);
    }
    case 18:
        return r & 1 ? ld(d, at, i & 0x38) : std(d, at, i & 0x38);
    case 19:
        return D_(48 + r % 8, d, at, i & 0x3C); /* lfs to stfdu */
    case 20:
        return X_(r & 1 ? 103 : 231, d, at, 31, 0); /* lvx, stvx */
    case 21:
        return D_(10 + (r & 1), cr << 2 | (r >> 1 & 1), a, i & 7);
    case 22:
        return X_(r & 1 ? 32 : 0, cr << 2 | (r >> 1 & 1), a, b, 0);
    case 23:
        return nop;
    case 24: { /* a comparison's branch, and others */
        static const uint8_t ways[] = {12, 4, 16, 18, 8, 20};
        return bc(ways[r % 6], next(p) % 32, 4 * near);
    }
    case 25:
        return bc(r & 1 ? 12 : 4, 4 * cr + r % 3, 4 * near);
    case 26:
        return r % 4 ? branch(4 * near) | (r >> 8 & 1) : r & 4 ? blr : bctr;
    case 27:
        return mtctr(r & 1 ? 31 : at);
    case 28:
        return A_(r & 1 ? 59 : 63, (const uint8_t[]){21, 20, 25, 18, 29, 28, 31, 30}[r >> 1 & 7], d,
                  a, b, 3 + (r >> 4) % 8);
    default:
        return r & 1 ? mtlr(at) : mflr(d);
    }
}

static uint32_t any_word(pair *p)
{
    const ppc_row *row = &p->rows[next(p) % p->row_count];
    return row->value | (next(p) & ~row->mask);
}

/* The same bits into both states. r16 to r23 point to data, its page ends, MMIO, nothing, and code.
 */
static void scatter(pair *p)
{
    weft_cpu_state *s = p->m[0]->state;
    for (unsigned i = 0; i < 32; i++) {
        s->r[i] = next(p) & 1 ? next(p) & 0xFF : (uint64_t)next(p) << 32 | next(p);
        s->f[i] = (uint64_t)(0x3E0 + next(p) % 64) << 52 | next(p);
    }
    for (unsigned i = 16; i < 24; i++) {
        s->r[i] = MACHINE_DATA + (next(p) & 0xFFF8);
    }
    s->r[17] = MACHINE_DATA + 0x1000 - next(p) % 32;
    s->r[18] = MACHINE_CODE + 4 * (next(p) % WORDS);
    s->r[19] = next(p) & 1 ? MACHINE_MMIO + 16 : MACHINE_DATA + 0xFFF0;
    s->r[31] = next(p) & 0x3C;
    s->lr = s->ctr = next(p) & 1 ? MACHINE_CODE + 4 * (next(p) % WORDS) : next(p) % 9;
    s->msr = next(p) % 4 ? 0 : WEFT_MSR_SF;
    s->cr = next(p);
    s->xer = next(p) & 0xE000007F;
    s->fpscr = next(p) % 4 ? 0 : next(p) & 0x9FF80707;
    for (unsigned i = 0; i < 128; i++) {
        weft_store64(s->v[i], next(p));
        weft_store64(s->v[i] + 8, (uint64_t)next(p) << 32 | next(p));
    }
    s->pc = MACHINE_CODE + 4 * (next(p) % WORDS);
    memcpy(p->m[1]->state, s, sizeof *s);
}

/* 0 while both machines are alike. */
static int differ(const pair *p)
{
    return memcmp(p->m[0]->state, p->m[1]->state, sizeof(weft_cpu_state)) != 0 ||
           p->m[0]->mmio_count != p->m[1]->mmio_count ||
           memcmp(p->m[0]->mmio, p->m[1]->mmio, sizeof p->m[0]->mmio) != 0;
}

static int memory_differs(const pair *p)
{
    return memcmp(machine_at(p->m[0], MACHINE_DATA), machine_at(p->m[1], MACHINE_DATA),
                  MACHINE_SIZE) != 0 ||
           memcmp(machine_at(p->m[0], MACHINE_CODE), machine_at(p->m[1], MACHINE_CODE),
                  MACHINE_SIZE) != 0;
}

static void write_program(pair *p, unsigned one_in)
{
    static uint32_t words[WORDS];
    for (unsigned i = 0; i < WORDS; i++) {
        words[i] = next(p) % one_in ? common_word(p) : any_word(p);
    }
    for (unsigned i = 0; i < 2; i++) {
        p->m[i]->code_at = MACHINE_CODE;
        machine_code(p->m[i], words, WORDS);
    }
}

/* Runs both for the same number of instructions, and goes on behind what ended the run. */
static void run_both(pair *p, uint64_t limit)
{
    uint32_t exits[2], pc = p->m[0]->state->pc;
    for (unsigned i = 0; i < 2; i++) {
        p->m[i]->mmio_count = 0;
        exits[i] = machine_continue(p->m[i], limit);
    }
    if (exits[0] != exits[1] || differ(p)) {
        const weft_cpu_state *a = p->m[0]->state, *b = p->m[1]->state;
        for (unsigned i = 0; i < 32; i++) {
            if (a->r[i] != b->r[i]) {
                print_error("r%u %llx, by blocks %llx\n", i, (unsigned long long)a->r[i],
                            (unsigned long long)b->r[i]);
            }
        }
        fail_msg("from %08x: exit %u at %08x after %llu, by blocks exit %u at %08x after %llu", pc,
                 exits[0], a->pc, (unsigned long long)a->retired, exits[1], b->pc,
                 (unsigned long long)b->retired);
    }
    for (unsigned i = 0; i < 2 && exits[0] != WEFT_CPU_LIMIT; i++) {
        p->m[i]->state->pc += 4;
    }
}

static void random_programs(pair *p, unsigned one_in, uint32_t longest)
{
    uint64_t retired = p->m[0]->state->retired;
    for (unsigned program = 0; program < PROGRAMS; program++) {
        write_program(p, one_in);
        for (unsigned i = 0; i < RUNS; i++) {
            if (i % 8 == 0 || p->m[0]->state->pc - MACHINE_CODE >= 4 * WORDS) {
                scatter(p);
            }
            run_both(p, 1 + next(p) % longest);
        }
        assert_false(memory_differs(p));
    }
    assert_true(p->m[0]->state->retired - retired > PROGRAMS * RUNS);
}

static void common_code_at_short_limits(void **state)
{
    random_programs(*state, 1000, 7);
}

static void common_code_at_long_limits(void **state)
{
    random_programs(*state, 1000, 600);
}

static void any_code_at_any_limit(void **state)
{
    random_programs(*state, 2, 40);
}

/* Each instruction of a program that rewrites the word after next, whatever stands in between. */
static void stores_act_inside_a_fused_group(void **state)
{
    pair *p = *state;
    scatter(p);
    for (unsigned gap = 0; gap < 4; gap++) {
        uint32_t words[8] = {stw(4, 18, 4 + 4 * (int32_t)gap), nop, nop, nop, nop, WORD_SC};
        for (unsigned i = 0; i < 2; i++) {
            weft_cpu_state *s = p->m[i]->state;
            p->m[i]->code_at = MACHINE_CODE;
            machine_code(p->m[i], words, 6);
            s->pc = MACHINE_CODE;
            s->r[3] = 0;
            s->r[18] = MACHINE_DATA;
            s->msr = 0;
            machine_continue(p->m[i], 6); /* decodes it all */
            s->r[18] = MACHINE_CODE;
            s->r[4] = addi(3, 0, 77);
            s->pc = MACHINE_CODE;
            assert_int_equal(machine_continue(p->m[i], 100), WEFT_CPU_SYSCALL);
            assert_u64(s->r[3], 77);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(common_code_at_short_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(common_code_at_long_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_code_at_any_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stores_act_inside_a_fused_group, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
