/* test_fastfp.c: floating point of interp-blocks, which uses the host's, against that of
 * interp-plain, which works on integers (softfp.h, proven by test_model.c and test_qemu.c): target,
 * FPSCR and CR must agree on a million operand triples per operation. Vectors likewise. */
#include "check.h"

#include <stdlib.h>

#include "ppc.h"

#ifdef __SANITIZE_ADDRESS__
enum { TRIES = 50000 };
#else
enum { TRIES = 1000000 };
#endif

static uint64_t next(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* Doubles where rounding is hard: zeros and other ends of the range, few bits, singles, doubles one
 * step beside a single or beside the middle of two, exponents about those where handlers change. */
static uint64_t number(uint64_t *random)
{
    static const uint16_t corners[] = {0,   1,    2,    599,  600,  874,  896,  897,  898,  899,
                                       970, 1023, 1076, 1149, 1150, 1151, 1446, 1447, 2046, 2047};
    uint64_t x = next(random), bits = next(random), sign = x << 63;
    uint64_t near = (UINT64_C(0x3E0) + (x >> 8) % 64) << 52;
    switch (x >> 1 & 7) {
    case 0:
        return sign | (uint64_t)corners[(x >> 8) % 20] << 52 | (x & 16 ? bits >> 12 : 0);
    case 1: /* exact results and ties */
        return sign | near | (bits & 7) << 49 | (bits >> 3 & 1) << 23;
    case 2: /* singles */
        return sign | near | (bits & UINT64_C(0xFFFFFE0000000));
    case 3: /* about the middle of two singles */
        return sign | (near + (bits & UINT64_C(0xFFFFFE0000000)) + (1 << 28) - 2 + (x >> 16 & 3));
    case 4: /* far apart */
        return sign | (1023 - 128 + (x >> 8) % 256) << 52 | bits >> 12;
    default:
        return sign | near | bits >> 12;
    }
}

/* Mostly the modes that the fast path serves; sticky bits at random. */
static uint32_t status(uint64_t *random)
{
    uint64_t x = next(random);
    uint32_t fpscr = (uint32_t)(x >> 32) & 0x9FF80700u & (uint32_t)(next(random) >> 16);
    return (x & 15) == 0 ? fpscr | (uint32_t)(x >> 4 & 7) : fpscr;
}

static step stop(PPC_ARGS)
{
    return (step){NULL, 0};
}

/* Operands as decode.c gives them: d, a, b, c are f4, f1, f2, f3. */
static void execute(core *c, ppc_handler *run, const uint64_t *f, uint32_t fpscr)
{
    op ops[2] = {{.run = run, .d = 4, .a = 1, .b = 2, .c = 3}, {.run = stop}};
    memcpy(c->s.f + 1, f, 3 * sizeof *f);
    c->s.f[4] = UINT64_C(0x1234567812345678);
    c->s.fpscr = fpscr;
    memset(c->cr, 0, sizeof c->cr);
    c->ops = ops;
    run(c, ops, 1000, NULL, NULL);
}

static void compare(const char *name, ppc_handler *plain)
{
    ppc_handler *fast = ppc_fast_fp(plain);
    core *one = calloc(1, sizeof *one), *two = calloc(1, sizeof *two);
    uint64_t random = UINT64_C(0x9E3779B97F4A7C15);
    uint32_t agree = 0;
    assert_non_null(fast);
    for (uint32_t i = 0; i < TRIES; i++) {
        uint64_t f[3] = {number(&random), number(&random), number(&random)};
        uint32_t fpscr = status(&random);
        if (i % 8 == 0) { /* cancellation */
            f[1] = (f[0] ^ (next(&random) & 3)) ^ UINT64_C(1) << 63;
        }
        execute(one, plain, f, fpscr);
        execute(two, fast, f, fpscr);
        if (one->s.f[4] != two->s.f[4] || one->s.fpscr != two->s.fpscr ||
            memcmp(one->cr, two->cr, sizeof one->cr) != 0) {
            fail_msg(
                "%s %016llx %016llx %016llx fpscr %08x: %016llx %08x, by integers %016llx %08x",
                name, (unsigned long long)f[0], (unsigned long long)f[1], (unsigned long long)f[2],
                fpscr, (unsigned long long)two->s.f[4], two->s.fpscr,
                (unsigned long long)one->s.f[4], one->s.fpscr);
        }
        agree++;
    }
    assert_int_equal(agree, TRIES);
    free(one);
    free(two);
}

/* Four singles: ordinary ones, sums that cancel, and the ends of the range. */
static vec vector(uint64_t *random)
{
    static const uint32_t corners[] = {0,          0x80000000, 0x7F800000, 0x7FC00000, 0x7F800001,
                                       0x00800000, 0x007FFFFF, 0x80000001, 0x7F7FFFFF, 0x00FFFFFF,
                                       0x01000000, 0x3F800000, 0x1F800000, 0xDF800000};
    vec v;
    uint64_t kind = next(random) % 8;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t x = next(random);
        uint32_t narrow = (uint32_t)(x >> 16 & 0x807FFFFF) | (uint32_t)(112 + x % 32) << 23;
        v.w[i] = kind == 0   ? (uint32_t)(x >> 20)
                 : kind == 1 ? corners[x % 14]
                 : kind == 2 ? narrow & 0xFFF80000
                 : kind == 3 ? (narrow & 0x807FFFFF) | (uint32_t)(1 + x % 140) << 23
                             : narrow;
    }
    return v;
}

static void compare_vectors(const char *name, ppc_handler *plain)
{
    ppc_handler *fast = ppc_fast_vmx(plain);
    core *one = calloc(1, sizeof *one), *two = calloc(1, sizeof *two);
    uint64_t random = UINT64_C(0x9E3779B97F4A7C15);
    uint32_t agree = 0;
    assert_non_null(fast);
    for (uint32_t i = 0; i < TRIES / 2; i++) {
        const uint64_t f[3] = {0};
        for (unsigned n = 1; n < 4; n++) {
            one->v[n] = two->v[n] = vector(&random);
        }
        one->s.vscr = two->s.vscr = i & 1 ? UINT32_C(0x00010000) : 0;
        execute(one, plain, f, 0);
        execute(two, fast, f, 0);
        if (memcmp(&one->v[4], &two->v[4], sizeof(vec)) != 0) {
            fail_msg("%s %08x %08x %08x: %08x, by integers %08x (lane 0)", name, one->v[1].w[0],
                     one->v[2].w[0], one->v[3].w[0], two->v[4].w[0], one->v[4].w[0]);
        }
        agree++;
    }
    assert_int_equal(agree, TRIES / 2);
    free(one);
    free(two);
}

#define SAME_VECTOR(name)                                                                          \
    static void name##_agrees(void **state)                                                        \
    {                                                                                              \
        compare_vectors(#name, op_##name);                                                         \
    }
#define EACH_VECTOR(X) X(vaddfp) X(vsubfp) X(vmulfp) X(vmaddfp) X(vnmsubfp)
EACH_VECTOR(SAME_VECTOR)

#define SAME(name)                                                                                 \
    static void name##_agrees(void **state)                                                        \
    {                                                                                              \
        compare(#name, op_##name);                                                                 \
    }
#define EACH(X)                                                                                    \
    X(fadd)                                                                                        \
    X(fadds)                                                                                       \
    X(fsub)                                                                                        \
    X(fsubs) X(fmul) X(fmuls) X(fdiv) X(fdivs) X(fsqrt) X(fsqrts) X(fmadd) X(fmadds) X(fmsub)      \
        X(fmsubs) X(fnmadd) X(fnmadds) X(fnmsub) X(fnmsubs) X(frsp) X(fctiwz) X(fcmpu)
EACH(SAME)

int main(void)
{
#define TESTED(name) cmocka_unit_test(name##_agrees),
    const struct CMUnitTest tests[] = {EACH(TESTED) EACH_VECTOR(TESTED)};
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("fma")) {
        print_message("this host has no fused multiply-add: the engine does not use its FP\n");
        return 0;
    }
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
