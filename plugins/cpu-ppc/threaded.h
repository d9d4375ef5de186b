/* How a handler reads its operands and how it ends. Included by the exec_*.c files only.
 *
 * With PPC_TAIL_CALLS (optimised builds) the end of a handler is a jump to the next handler; else
 * it returns to a loop in engine.c that calls the next one. Same code, same results; the loop keeps
 * the host stack flat where the compiler does not turn calls into jumps. A handler that takes the
 * address of a local cannot end in a jump: such work goes into a PPC_NOINLINE function. */
#ifndef PPC_THREADED_H
#define PPC_THREADED_H

#include "guest.h"
#include "ppc.h"

#define PPC_NOINLINE __attribute__((noinline))
#define LIKELY(x)    __builtin_expect(!!(x), 1)
#define UNLIKELY(x)  __builtin_expect(!!(x), 0)

#define HANDLER(name) step name(PPC_ARGS)

#if PPC_TAIL_CALLS
#define GO(target) return (target)->run(c, (target), left, base, access)
#else
#define GO(target)                                                                                 \
    return (step)                                                                                  \
    {                                                                                              \
        (target), left                                                                             \
    }
#endif

/* Retires this instruction and goes on at op `target` of the same page. */
#define GO_TO(target)                                                                              \
    do {                                                                                           \
        const op *next_ = (target);                                                                \
        if (UNLIKELY(--left == 0)) {                                                               \
            return ppc_leave_chunk(c, next_, left, base, access);                                  \
        }                                                                                          \
        GO(next_);                                                                                 \
    } while (0)
#define NEXT() GO_TO(o + 1)

/* Retires this instruction and goes on at any guest address. */
#define JUMP(address)                                                                              \
    do {                                                                                           \
        uint32_t to_ = (address) & ~3u;                                                            \
        const code_page *page_ = c->pages[to_ >> WEFT_PAGE_SHIFT];                                 \
        if (UNLIKELY(!page_ || !page_readable(access, to_))) {                                     \
            return ppc_leave_to(c, to_, left - 1);                                                 \
        }                                                                                          \
        c->ops = page_->ops;                                                                       \
        c->page_pc = to_ & ~(WEFT_PAGE_SIZE - 1);                                                  \
        GO_TO(&page_->ops[(to_ >> 2) & (PPC_PAGE_OPS - 1)]);                                       \
    } while (0)

/* Retires this instruction and lets run() look around before the next one: after callbacks. */
#define NEXT_SLOWLY() return ppc_leave_to(c, pc_of(c, o) + 4, left - 1)

static inline uint32_t pc_of(const core *c, const op *o)
{
    return c->page_pc + (uint32_t)((const char *)o - (const char *)c->ops) / (sizeof(op) / 4);
}

/* Makes pc and retired exact, as every callback needs. */
static inline void sync_head(core *c, const op *o, uint64_t left)
{
    c->s.pc = pc_of(c, o);
    c->s.retired = c->until - left;
}

static inline int page_readable(const uint8_t *access, uint32_t address)
{
    return (guest_page(access, address) & (WEFT_PAGE_READ | WEFT_PAGE_MMIO)) == WEFT_PAGE_READ;
}

static inline int page_writable(const uint8_t *access, uint32_t address)
{
    return (guest_page(access, address) & (WEFT_PAGE_WRITE | WEFT_PAGE_MMIO | WEFT_PAGE_WATCH)) ==
           WEFT_PAGE_WRITE;
}

/* True when `length` bytes lie in one page. */
static inline int in_page(uint32_t address, uint32_t length)
{
    return (address & (WEFT_PAGE_SIZE - 1)) <= WEFT_PAGE_SIZE - length;
}

/* General register file with the constant zero at 0; see struct op. */
static inline uint64_t *gpr(core *c)
{
    return &c->zero;
}

#define RD (gpr(c)[o->d])
#define RA (gpr(c)[o->a])
#define RB (gpr(c)[o->b])
#define SI ((int64_t)(int32_t)o->imm)

static inline void set_cr(core *c, unsigned bit, int lt, int gt, int eq)
{
    c->cr[bit] = (uint8_t)lt;
    c->cr[bit + 1] = (uint8_t)gt;
    c->cr[bit + 2] = (uint8_t)eq;
    c->cr[bit + 3] = c->so;
}

/* CR0 of a record form: the sign of the low 32 bits in 32-bit mode, of all 64 in 64-bit mode. */
static inline void set_cr0(core *c, uint64_t value)
{
    int64_t v = (int64_t)(value << c->mode_shift);
    set_cr(c, 0, v<0, v> 0, v == 0);
}

#endif
