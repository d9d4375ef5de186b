/* fuse.h: the micro-ops that the handlers of interp-blocks are put together from.
 *
 * A fused handler executes the two or three instructions from its op on: fewer jumps, and one look
 * at the limit. Every word keeps an op of its own, so entering in the middle is no special case. A
 * micro-op does what the plain handler of its instruction does, or it BAILs before it has changed
 * anything: the instructions before it retire, and the plain handler does it.
 *
 * To keep the kinds few, operands are canonical (fuse.c): addi, li, mr and nop are one kind, a
 * right side of a comparison is RB + imm, and the rarer loads and stores have RA + RB + imm as
 * their address, with the zero register or 0 for what an instruction lacks. */
#ifndef PPC_FUSE_H
#define PPC_FUSE_H

#include "mem.h"

/* Kinds that go on at the next word; those of them that may come second; those that may only end.
 */
#define PPC_KINDS(X)                                                                               \
    X(addi)                                                                                        \
    X(add)                                                                                         \
    X(rlwinm)                                                                                      \
    X(lwz)                                                                                         \
    X(lwzx)                                                                                        \
    X(lwzu) X(lwbrx) X(stw) X(stwu) X(stwx) X(lbz) X(lbzx) X(lbzu) X(stb) X(stbu) X(lhz) X(lha)    \
        X(lhau) X(ld) X(std) X(lfs) X(lfd) X(lvx) X(or) X(and) X(xor) X(ori) X(andi) X(subf)       \
            X(mullw) X(rldicl) X(cmpw) X(cmplw) X(cmpd)
#define PPC_SECONDS(X, ...)                                                                        \
    X(addi, ##__VA_ARGS__)                                                                         \
    X(add, ##__VA_ARGS__)                                                                          \
    X(rlwinm, ##__VA_ARGS__)                                                                       \
    X(lwz, ##__VA_ARGS__)                                                                          \
    X(lwzx, ##__VA_ARGS__)                                                                         \
    X(stw, ##__VA_ARGS__) X(stwx, ##__VA_ARGS__) X(lbz, ##__VA_ARGS__) X(lbzx, ##__VA_ARGS__)      \
        X(stb, ##__VA_ARGS__) X(stbu, ##__VA_ARGS__) X(lhz, ##__VA_ARGS__) X(lha, ##__VA_ARGS__)   \
            X(ld, ##__VA_ARGS__) X(std, ##__VA_ARGS__) X(lfs, ##__VA_ARGS__) X(lfd, ##__VA_ARGS__) \
                X(lvx, ##__VA_ARGS__) X(or, ##__VA_ARGS__) X(and, ##__VA_ARGS__)                   \
                    X(xor, ##__VA_ARGS__) X(ori, ##__VA_ARGS__) X(andi, ##__VA_ARGS__)             \
                        X(subf, ##__VA_ARGS__) X(mullw, ##__VA_ARGS__) X(rldicl, ##__VA_ARGS__)    \
                            X(cmpw, ##__VA_ARGS__) X(cmplw, ##__VA_ARGS__) X(cmpd, ##__VA_ARGS__)
#define PPC_ENDS(X, ...)                                                                           \
    X(b, ##__VA_ARGS__)                                                                            \
    X(bt, ##__VA_ARGS__)                                                                           \
    X(bf, ##__VA_ARGS__) X(bdnz, ##__VA_ARGS__) X(blr, ##__VA_ARGS__) X(bctr, ##__VA_ARGS__)

#define PPC_KIND(name, ...) KIND_##name,
enum { PPC_KINDS(PPC_KIND) KIND_COUNT, PPC_ENDS(PPC_KIND) KIND_NONE };
#undef PPC_KIND

/* What a conditional branch asks of the comparison before it: LT, GT or EQ, by BI's low bits. */
enum { RELATION_lt, RELATION_gt, RELATION_eq };

/* The instruction at `p`, number `k` of this handler, and all after it are left to run(). */
#define BAIL(p, k) return ppc_single(c, (p), left - (k), base, access)

/* Starts a handler of n instructions. Fewer than n + 1 left: one at a time, so that ends need no
 * look at the limit. */
#define FUSED(name, n)                                                                             \
    static HANDLER(name)                                                                           \
    {                                                                                              \
        if (UNLIKELY(left <= (n))) {                                                               \
            BAIL(o, 0);                                                                            \
        }

/* Ends it, going on at another op of this page. */
#define FUSED_GO(n, target)                                                                        \
    do {                                                                                           \
        const op *next_ = (target);                                                                \
        left -= (n);                                                                               \
        GO(next_);                                                                                 \
    } while (0)
#define FUSED_JUMP(n, address)                                                                     \
    do {                                                                                           \
        left -= (n)-1;                                                                             \
        JUMP(address);                                                                             \
    } while (0)

/* Micro-ops: p is the op, k the number of instructions before it, n that of the handler. */
#define R(n) (gpr(c)[n])
#define F    const op *const f_ =
#define D_   (f_->d)
#define A_   (f_->a)
#define B_   (f_->b)
#define C_   (f_->c)
#define UIMM (f_->imm)
#define IMM  ((uint64_t)(int64_t)(int32_t)f_->imm)
#define RD_  R(D_)
#define RA_  R(A_)
#define RB_  R(B_)
#define SIMPLE(p, result)                                                                          \
    {                                                                                              \
        F(p);                                                                                      \
        RD_ = (result);                                                                            \
    }
#define DO_addi(p, k, n)   SIMPLE(p, RA_ + IMM)
#define DO_add(p, k, n)    SIMPLE(p, RA_ + RB_)
#define DO_subf(p, k, n)   SIMPLE(p, RB_ - RA_)
#define DO_or(p, k, n)     SIMPLE(p, RA_ | RB_)
#define DO_and(p, k, n)    SIMPLE(p, RA_ &RB_)
#define DO_xor(p, k, n)    SIMPLE(p, RA_ ^ RB_)
#define DO_ori(p, k, n)    SIMPLE(p, RA_ | UIMM)
#define DO_mullw(p, k, n)  SIMPLE(p, (uint64_t)((int64_t)(int32_t)RA_ * (int32_t)RB_))
#define DO_rlwinm(p, k, n) SIMPLE(p, fused_rotate32((uint32_t)RA_, C_) & UIMM)
#define DO_rldicl(p, k, n) SIMPLE(p, fused_rotate64(RA_, C_) & UINT64_MAX >> B_)
#define DO_andi(p, k, n)                                                                           \
    {                                                                                              \
        F(p);                                                                                      \
        uint64_t masked_ = RA_ & UIMM;                                                             \
        RD_ = masked_;                                                                             \
        set_cr0(c, masked_);                                                                       \
    }

static inline uint32_t fused_rotate32(uint32_t value, unsigned by)
{
    return value << (by & 31) | value >> (-by & 31);
}

static inline uint64_t fused_rotate64(uint64_t value, unsigned by)
{
    return value << (by & 63) | value >> (-by & 63);
}

/* Guest bytes to registers and back. */
static inline uint64_t get_half_signed(const uint8_t *p)
{
    return (uint64_t)(int64_t)(int16_t)guest_load16(p);
}

static inline void set_byte(uint8_t *p, uint64_t v)
{
    guest_store8(p, (uint8_t)v);
}

static inline void set_word(uint8_t *p, uint64_t v)
{
    guest_store32(p, (uint32_t)v);
}

/* An access that may leave its page is a misaligned one: the cheaper test goes first. */
#define SPLITS(at, length) (UNLIKELY((at) & ((length)-1)) && !in_page(at, length))

#define MICRO_LOAD(p, k, ea, length, update, target, get)                                          \
    {                                                                                              \
        F(p);                                                                                      \
        uint64_t ea_ = (ea);                                                                       \
        uint32_t at_ = (uint32_t)ea_;                                                              \
        if (UNLIKELY(!page_readable(access, at_)) || SPLITS(at_, length)) {                        \
            BAIL(p, k);                                                                            \
        }                                                                                          \
        target = get(base + at_);                                                                  \
        if (update) {                                                                              \
            RA_ = ea_;                                                                             \
        }                                                                                          \
    }
#define MICRO_STORE(p, k, ea, length, update, set, value)                                          \
    {                                                                                              \
        F(p);                                                                                      \
        uint64_t ea_ = (ea);                                                                       \
        uint32_t at_ = (uint32_t)ea_;                                                              \
        if (UNLIKELY(!page_writable(access, at_)) || SPLITS(at_, length)) {                        \
            BAIL(p, k);                                                                            \
        }                                                                                          \
        set(base + at_, value);                                                                    \
        if (update) {                                                                              \
            RA_ = ea_;                                                                             \
        }                                                                                          \
    }
#define EA_D (RA_ + IMM)
#define EA_X (RA_ + RB_)
#define EA_3 (RA_ + RB_ + IMM)

#define DO_lwz(p, k, n)   MICRO_LOAD(p, k, EA_D, 4, 0, RD_, guest_load32)
#define DO_lwzu(p, k, n)  MICRO_LOAD(p, k, EA_D, 4, 1, RD_, guest_load32)
#define DO_lwzx(p, k, n)  MICRO_LOAD(p, k, EA_X, 4, 0, RD_, guest_load32)
#define DO_lwbrx(p, k, n) MICRO_LOAD(p, k, EA_X, 4, 0, RD_, guest_move32)
#define DO_stwu(p, k, n)  MICRO_STORE(p, k, EA_D, 4, 1, set_word, RD_)
#define DO_lbz(p, k, n)   MICRO_LOAD(p, k, EA_D, 1, 0, RD_, guest_load8)
#define DO_lbzu(p, k, n)  MICRO_LOAD(p, k, EA_D, 1, 1, RD_, guest_load8)
#define DO_lbzx(p, k, n)  MICRO_LOAD(p, k, EA_X, 1, 0, RD_, guest_load8)
#define DO_lhz(p, k, n)   MICRO_LOAD(p, k, EA_3, 2, 0, RD_, guest_load16)
#define DO_lha(p, k, n)   MICRO_LOAD(p, k, EA_3, 2, 0, RD_, get_half_signed)
#define DO_lhau(p, k, n)  MICRO_LOAD(p, k, EA_D, 2, 1, RD_, get_half_signed)
#define DO_ld(p, k, n)    MICRO_LOAD(p, k, EA_3, 8, 0, RD_, guest_load64)
#define DO_lfd(p, k, n)   MICRO_LOAD(p, k, EA_3, 8, 0, c->s.f[D_], guest_load64)
#define DO_lvx(p, k, n)   MICRO_LOAD(p, k, EA_X & ~UINT64_C(15), 16, 0, c->v[D_], guest_vector)
#define DO_stw(p, k, n)   MICRO_STORE(p, k, EA_D, 4, 0, set_word, RD_)
#define DO_stwx(p, k, n)  MICRO_STORE(p, k, EA_X, 4, 0, set_word, RD_)
#define DO_stb(p, k, n)   MICRO_STORE(p, k, EA_3, 1, 0, set_byte, RD_)
#define DO_stbu(p, k, n)  MICRO_STORE(p, k, EA_D, 1, 1, set_byte, RD_)
#define DO_std(p, k, n)   MICRO_STORE(p, k, EA_3, 8, 0, guest_store64, RD_)

/* The host's widening is the guest's, but for NaNs, which it would quieten. */
#define DO_lfs(p, k, n)                                                                            \
    {                                                                                              \
        uint32_t word_;                                                                            \
        float narrow_;                                                                             \
        MICRO_LOAD(p, k, EA_3, 4, 0, word_, guest_load32)                                          \
        if (UNLIKELY((word_ & 0x7F800000) == 0x7F800000)) {                                        \
            BAIL(p, k);                                                                            \
        }                                                                                          \
        memcpy(&narrow_, &word_, 4);                                                               \
        double wide_ = narrow_;                                                                    \
        memcpy(&c->s.f[(p)->d], &wide_, 8);                                                        \
    }

/* One comparison writes its CR field as a word: LT is the lowest byte. */
static inline void put_relation(core *c, unsigned bit, int lt, int gt)
{
    uint32_t word = lt ? 1u : gt ? 1u << 8 : 1u << 16;
    word |= (uint32_t)c->so << 24;
    memcpy(c->cr + bit, &word, 4);
}

/* The right side is sign-extended, also for cmplwi, whose immediate is positive. */
#define RIGHT             (RB_ + IMM)
#define TYPE_cmpw         int32_t
#define TYPE_cmplw        uint32_t
#define TYPE_cmpd         int64_t
#define DO_cmpw(p, k, n)  COMPARISON(p, int32_t)
#define DO_cmplw(p, k, n) COMPARISON(p, uint32_t)
#define DO_cmpd(p, k, n)  COMPARISON(p, int64_t)
#define COMPARISON(p, type)                                                                        \
    {                                                                                              \
        F(p);                                                                                      \
        type x_ = (type)RA_, y_ = (type)RIGHT;                                                     \
        put_relation(c, D_, x_<y_, x_> y_);                                                        \
    }

/* Ends. Branches are near ones: distances in ops. */
#define DO_b(p, k, n) FUSED_GO(n, (p) + (int32_t)(p)->imm);
#define DO_bt(p, k, n)                                                                             \
    if (c->cr[(p)->a]) {                                                                           \
        FUSED_GO(n, (p) + (int32_t)(p)->imm);                                                      \
    }                                                                                              \
    FUSED_GO(n, (p) + 1);
#define DO_bf(p, k, n)                                                                             \
    if (!c->cr[(p)->a]) {                                                                          \
        FUSED_GO(n, (p) + (int32_t)(p)->imm);                                                      \
    }                                                                                              \
    FUSED_GO(n, (p) + 1);
#define DO_bdnz(p, k, n)                                                                           \
    if (--c->s.ctr << c->mode_shift) {                                                             \
        FUSED_GO(n, (p) + (int32_t)(p)->imm);                                                      \
    }                                                                                              \
    FUSED_GO(n, (p) + 1);
#define DO_blr(p, k, n)  FUSED_JUMP(n, (uint32_t)c->s.lr);
#define DO_bctr(p, k, n) FUSED_JUMP(n, (uint32_t)c->s.ctr);

#endif
