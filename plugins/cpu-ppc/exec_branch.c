/* exec_branch.c: branches, condition register, traps, system call, MSR. */
#include "threaded.h"

/* Targets in the page of the branch: a distance in ops. */
HANDLER(op_b_near)
{
    GO_TO(o + (int32_t)o->imm);
}

HANDLER(op_bl_near)
{
    c->s.lr = (uint32_t)(pc_of(c, o) + 4);
    GO_TO(o + (int32_t)o->imm);
}

HANDLER(op_bt_near)
{
    if (c->cr[o->a]) {
        GO_TO(o + (int32_t)o->imm);
    }
    NEXT();
}

HANDLER(op_bf_near)
{
    if (!c->cr[o->a]) {
        GO_TO(o + (int32_t)o->imm);
    }
    NEXT();
}

/* The CTR test looks at the mode's bits (LESSONS 4). */
static inline int ctr_step(core *c, unsigned bo)
{
    uint64_t left_to_do = --c->s.ctr << c->mode_shift;
    return (left_to_do != 0) ^ (bo >> 1 & 1);
}

HANDLER(op_bdnz_near)
{
    uint64_t left_to_do = --c->s.ctr << c->mode_shift;
    if (left_to_do) {
        GO_TO(o + (int32_t)o->imm);
    }
    NEXT();
}

HANDLER(op_b)
{
    JUMP(o->imm);
}

HANDLER(op_bl)
{
    c->s.lr = (uint32_t)(pc_of(c, o) + 4);
    JUMP(o->imm);
}

/* BO: bit 0x10 no condition, 0x08 its sense, 0x04 no CTR, 0x02 its sense (book I, 2.4). */
static inline int taken(core *c, unsigned bo, unsigned bi)
{
    int ctr_ok = bo & 4 || ctr_step(c, bo);
    int cond_ok = bo & 16 || c->cr[bi] == (bo >> 3 & 1);
    return ctr_ok & cond_ok;
}

HANDLER(op_bc)
{
    int go = taken(c, o->d, o->a);
    if (o->c) {
        c->s.lr = (uint32_t)(pc_of(c, o) + 4);
    }
    if (go) {
        JUMP(o->imm);
    }
    NEXT();
}

HANDLER(op_bclr)
{
    uint32_t target = (uint32_t)c->s.lr;
    int go = taken(c, o->d, o->a);
    if (o->imm & 1) {
        c->s.lr = (uint32_t)(pc_of(c, o) + 4);
    }
    if (go) {
        JUMP(target);
    }
    NEXT();
}

HANDLER(op_blr)
{
    JUMP((uint32_t)c->s.lr);
}

/* The form that counts CTR down is invalid; here it does not count. */
HANDLER(op_bcctr)
{
    uint32_t target = (uint32_t)c->s.ctr;
    int go = taken(c, o->d | 4u, o->a);
    if (o->imm & 1) {
        c->s.lr = (uint32_t)(pc_of(c, o) + 4);
    }
    if (go) {
        JUMP(target);
    }
    NEXT();
}

HANDLER(op_bctr)
{
    JUMP((uint32_t)c->s.ctr);
}

HANDLER(op_bctrl)
{
    c->s.lr = (uint32_t)(pc_of(c, o) + 4);
    JUMP((uint32_t)c->s.ctr);
}

/* Spin hint: retires, then ends the run. */
HANDLER(op_yield)
{
    return ppc_leave(c, o + 1, left - 1, WEFT_CPU_YIELD);
}

/* The callee owns pc and retired; run() goes on from what it left (weft/cpu.h). */
HANDLER(op_sc)
{
    const weft_cpu_host *calls = c->engine->calls;
    step out = ppc_leave(c, o, left, PPC_GO_ON);
    if (!calls->syscall ||
        calls->syscall(calls->context, &c->s, o->imm >> 5 & 0x7F) == WEFT_CPU_STOP) {
        c->exit = WEFT_CPU_SYSCALL;
    }
    return out;
}

/* TO: 16 less, 8 greater, 4 equal, 2 less unsigned, 1 greater unsigned (book I, 3.3.10). */
static inline int trap_holds64(unsigned to, uint64_t a, uint64_t b)
{
    unsigned is = (unsigned)((int64_t)a < (int64_t)b) << 4 |
                  (unsigned)((int64_t)a > (int64_t)b) << 3 | (unsigned)(a == b) << 2 |
                  (unsigned)(a < b) << 1 | (unsigned)(a > b);
    return (to & is) != 0;
}

static inline int trap_holds32(unsigned to, uint64_t a, uint64_t b)
{
    unsigned is =
        (unsigned)((int32_t)a < (int32_t)b) << 4 | (unsigned)((int32_t)a > (int32_t)b) << 3 |
        (unsigned)((uint32_t)a == (uint32_t)b) << 2 | (unsigned)((uint32_t)a < (uint32_t)b) << 1 |
        (unsigned)((uint32_t)a > (uint32_t)b);
    return (to & is) != 0;
}

static step trap(core *c, const op *o, uint64_t left, uint32_t code)
{
    c->s.trap_code = code;
    return ppc_leave(c, o, left, WEFT_CPU_TRAP);
}

HANDLER(op_twi)
{
    if (UNLIKELY(trap_holds32(o->d, RA, (uint64_t)SI))) {
        return trap(c, o, left, o->imm & 0xFFFF);
    }
    NEXT();
}

HANDLER(op_tdi)
{
    if (UNLIKELY(trap_holds64(o->d, RA, (uint64_t)SI))) {
        return trap(c, o, left, o->imm & 0xFFFF);
    }
    NEXT();
}

HANDLER(op_tw)
{
    if (UNLIKELY(trap_holds32(o->d, RA, RB))) {
        return trap(c, o, left, 0xFFFF);
    }
    NEXT();
}

HANDLER(op_td)
{
    if (UNLIKELY(trap_holds64(o->d, RA, RB))) {
        return trap(c, o, left, 0xFFFF);
    }
    NEXT();
}

#define CR_LOGIC(name, result)                                                                     \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint8_t a = c->cr[o->a], b = c->cr[o->b];                                                  \
        c->cr[o->d] = (uint8_t)(result);                                                           \
        NEXT();                                                                                    \
    }

CR_LOGIC(op_crand, a &b)
CR_LOGIC(op_crandc, a &(b ^ 1))
CR_LOGIC(op_creqv, a ^ b ^ 1)
CR_LOGIC(op_crnand, (a & b) ^ 1)
CR_LOGIC(op_crnor, (a | b) ^ 1)
CR_LOGIC(op_cror, a | b)
CR_LOGIC(op_crorc, a | (b ^ 1))
CR_LOGIC(op_crxor, a ^ b)

HANDLER(op_mcrf)
{
    memcpy(c->cr + o->d, c->cr + (o->imm >> 16 & 0x1C), 4);
    NEXT();
}

HANDLER(op_mcrxr)
{
    c->cr[o->d] = c->so;
    c->cr[o->d + 1] = c->ov;
    c->cr[o->d + 2] = c->ca;
    c->cr[o->d + 3] = 0;
    c->so = c->ov = c->ca = 0;
    NEXT();
}

/* mfocrf leaves the fields that were not asked for undefined; all are given here. */
HANDLER(op_mfcr)
{
    RD = ppc_cr_pack(c);
    NEXT();
}

HANDLER(op_mtcrf)
{
    uint32_t value = (uint32_t)RD, fxm = o->imm >> 12 & 0xFF;
    for (unsigned bit = 0; bit < 32; bit++) {
        if (fxm >> (7 - bit / 4) & 1) {
            c->cr[bit] = value >> (31 - bit) & 1;
        }
    }
    NEXT();
}

HANDLER(op_mflr)
{
    RD = c->s.lr;
    NEXT();
}

HANDLER(op_mtlr)
{
    c->s.lr = RD;
    NEXT();
}

HANDLER(op_mfctr)
{
    RD = c->s.ctr;
    NEXT();
}

HANDLER(op_mtctr)
{
    c->s.ctr = RD;
    NEXT();
}

#define MSR_IR  UINT64_C(0x20)
#define MSR_DR  UINT64_C(0x10)
#define MSR_RI  UINT64_C(0x2)
#define MSR_FIX (UINT64_C(1) << 60 | UINT64_C(0x1000) | 1) /* HV, ME, LE: not by mtmsr(d) */

HANDLER(op_mfmsr)
{
    if (c->s.msr & MSR_PR) {
        return ppc_leave(c, o, left, WEFT_CPU_PRIVILEGED);
    }
    RD = c->s.msr;
    NEXT();
}

/* Bits `mask` of MSR come from `value`; retires. EE with an interrupt up ends the run. */
#define MSR_WRITE(value, mask)                                                                     \
    do {                                                                                           \
        uint64_t mask_ = (mask), new_ = (c->s.msr & ~mask_) | ((value)&mask_);                     \
        uint64_t mode_ = (c->s.msr ^ new_) & WEFT_MSR_SF;                                          \
        c->s.msr = new_;                                                                           \
        if (UNLIKELY((new_ & mask_ & WEFT_MSR_EE) &&                                               \
                     __atomic_load_n(&c->s.interrupt, __ATOMIC_RELAXED))) {                        \
            return ppc_leave(c, o + 1, left - 1, WEFT_CPU_INTERRUPT);                              \
        }                                                                                          \
        if (UNLIKELY(mode_)) {                                                                     \
            ppc_mode_update(c);                                                                    \
        }                                                                                          \
        NEXT();                                                                                    \
    } while (0)

/* PR=1 brings EE, IR and DR with it (book III 4.4.3). */
static inline uint64_t msr_of(uint64_t value)
{
    return value & MSR_PR ? value | WEFT_MSR_EE | MSR_IR | MSR_DR : value;
}

HANDLER(op_mtmsr)
{
    if (UNLIKELY(c->s.msr & MSR_PR)) {
        return ppc_leave(c, o, left, WEFT_CPU_PRIVILEGED);
    }
    if (o->imm & 0x10000) {
        MSR_WRITE(RD, WEFT_MSR_EE | MSR_RI);
    }
    MSR_WRITE(msr_of(RD), UINT64_C(0xFFFFFFFF) & ~MSR_FIX);
}

HANDLER(op_mtmsrd)
{
    if (UNLIKELY(c->s.msr & MSR_PR)) {
        return ppc_leave(c, o, left, WEFT_CPU_PRIVILEGED);
    }
    if (o->imm & 0x10000) {
        MSR_WRITE(RD, WEFT_MSR_EE | MSR_RI);
    }
    MSR_WRITE(msr_of(RD), ~MSR_FIX);
}
