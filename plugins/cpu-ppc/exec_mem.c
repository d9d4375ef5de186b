/* exec_mem.c: fixed-point loads and stores, caches; and the slow paths that every kind of access
 * shares. */
#include "mem.h"

step ppc_retire(core *c, const op *o, uint64_t left, int how)
{
    step out = ppc_leave_to(c, pc_of(c, o) + 4, left - 1);
    if (how == MEM_STOP) {
        c->exit = WEFT_CPU_STOPPED;
    }
    return out;
}

/* First byte of the range that may not be accessed so, or `length`. MMIO pages count as refused. */
static uint32_t refused_at(const weft_memory *memory, uint32_t address, uint32_t length,
                           uint8_t need)
{
    uint32_t done = 0;
    while (done < length) {
        if ((guest_page(memory->access, address + done) & (need | WEFT_PAGE_MMIO)) != need) {
            return done;
        }
        done += WEFT_PAGE_SIZE - ((address + done) & (WEFT_PAGE_SIZE - 1));
    }
    return length;
}

/* Copies between guest and host; a range that runs past the top of the address space wraps. What is
 * aligned moves at once, as on the fast paths. */
static uint32_t piece(uint32_t address, uint32_t length)
{
    uint32_t both = address | length;
    return both & 1 ? 1 : both & 2 ? 2 : both & 4 ? 4 : 8;
}

static void copy_out(const uint8_t *base, uint32_t address, uint32_t length, uint8_t *bytes)
{
    uint32_t size = piece(address, length);
    for (uint32_t i = 0; i < length; i += size) {
        const uint8_t *from = base + (uint32_t)(address + i);
        if (size == 8) {
            guest_put64(bytes + i, guest_move64(from));
        } else if (size == 4) {
            guest_put32(bytes + i, guest_move32(from));
        } else if (size == 2) {
            guest_put16(bytes + i, guest_move16(from));
        } else {
            bytes[i] = guest_load8(from);
        }
    }
}

static void copy_in(uint8_t *base, uint32_t address, uint32_t length, const uint8_t *bytes)
{
    uint32_t size = piece(address, length);
    for (uint32_t i = 0; i < length; i += size) {
        uint8_t *to = base + (uint32_t)(address + i);
        if (size == 8) {
            guest_put64(to, guest_move64(bytes + i));
        } else if (size == 4) {
            guest_put32(to, guest_move32(bytes + i));
        } else if (size == 2) {
            guest_put16(to, guest_move16(bytes + i));
        } else {
            guest_store8(to, bytes[i]);
        }
    }
}

int ppc_read(core *c, const op *o, uint64_t left, uint32_t address, uint32_t length, uint8_t *bytes)
{
    const weft_memory *memory = c->engine->memory;
    if (ppc_is_mmio(memory, address) && in_page(address, length)) {
        const weft_cpu_host *calls = c->engine->calls;
        sync_head(c, o, left);
        if (!calls->mmio_read) {
            ppc_leave_fault(c, o, left, address, 0);
            return MEM_FAULT;
        }
        memset(bytes, 0, length);
        return calls->mmio_read(calls->context, &c->s, address, length, bytes) == WEFT_CPU_STOP
                   ? MEM_STOP
                   : MEM_CALLED;
    }
    uint32_t refused = refused_at(memory, address, length, WEFT_PAGE_READ);
    if (refused < length) {
        ppc_leave_fault(c, o, left, address + refused, 0);
        return MEM_FAULT;
    }
    copy_out(memory->base, address, length, bytes);
    return MEM_DONE;
}

/* Own reservations outlive own stores: the version that stwcx. compares moves along. */
void ppc_range_written(core *c, const op *o, uint64_t left, uint32_t address, uint32_t length)
{
    const weft_memory *memory = c->engine->memory;
    uint32_t first = WEFT_PAGE_SIZE - (address & (WEFT_PAGE_SIZE - 1));
    int current =
        c->s.reservation && guest_version(memory, c->reserve_address) == c->reserve_version;

    sync_head(c, o, left);
    first = first < length ? first : length;
    ppc_written(c, address, first);
    if (first < length) {
        ppc_written(c, address + first, length - first);
    }
    if (current) {
        c->reserve_version = guest_version(memory, c->reserve_address);
    }
}

static int watched(const weft_memory *memory, uint32_t address, uint32_t length)
{
    return (guest_page(memory->access, address) |
            guest_page(memory->access, address + length - 1)) &
           WEFT_PAGE_WATCH;
}

int ppc_write(core *c, const op *o, uint64_t left, uint32_t address, uint32_t length,
              const uint8_t *bytes)
{
    const weft_memory *memory = c->engine->memory;
    if (ppc_is_mmio(memory, address) && in_page(address, length)) {
        const weft_cpu_host *calls = c->engine->calls;
        sync_head(c, o, left);
        if (!calls->mmio_write) {
            ppc_leave_fault(c, o, left, address, WEFT_FAULT_STORE);
            return MEM_FAULT;
        }
        return calls->mmio_write(calls->context, &c->s, address, length, bytes) == WEFT_CPU_STOP
                   ? MEM_STOP
                   : MEM_CALLED;
    }
    uint32_t refused = refused_at(memory, address, length, WEFT_PAGE_WRITE);
    if (refused < length) {
        ppc_leave_fault(c, o, left, address + refused, WEFT_FAULT_STORE);
        return MEM_FAULT;
    }
    copy_in(memory->base, address, length, bytes);
    if (watched(memory, address, length)) {
        ppc_range_written(c, o, left, address, length);
        return MEM_CALLED;
    }
    return MEM_DONE;
}

/* These instructions are not defined for caching-inhibited storage: MMIO raises an alignment
 * interrupt (book III, 6.5.8). */
uint8_t *ppc_range(core *c, const op *o, uint64_t left, uint32_t address, uint32_t length,
                   int store)
{
    const weft_memory *memory = c->engine->memory;
    uint32_t refused =
        refused_at(memory, address, length, store ? WEFT_PAGE_WRITE : WEFT_PAGE_READ);
    if (refused < length && ppc_is_mmio(memory, address + refused)) {
        c->s.fault_address = address;
        ppc_leave(c, o, left, WEFT_CPU_ALIGNMENT);
        return NULL;
    }
    if (refused < length || (uint64_t)address + length > UINT64_C(1) << 32) {
        ppc_leave_fault(c, o, left, refused < length ? address + refused : address,
                        store ? WEFT_FAULT_STORE : 0);
        return NULL;
    }
    return memory->base + address;
}

/* Guest bytes to registers and back. */
static inline uint64_t get16s(const uint8_t *p)
{
    return (uint64_t)(int64_t)(int16_t)guest_load16(p);
}

static inline uint64_t get32s(const uint8_t *p)
{
    return (uint64_t)(int64_t)(int32_t)guest_load32(p);
}

static inline void set8(uint8_t *p, uint64_t v)
{
    guest_store8(p, (uint8_t)v);
}

static inline void set16(uint8_t *p, uint64_t v)
{
    guest_store16(p, (uint16_t)v);
}

static inline void set32(uint8_t *p, uint64_t v)
{
    guest_store32(p, (uint32_t)v);
}

static inline void set16r(uint8_t *p, uint64_t v)
{
    guest_put16(p, (uint16_t)v);
}

static inline void set32r(uint8_t *p, uint64_t v)
{
    guest_put32(p, (uint32_t)v);
}

#define PUT(value) (RD = (value))

#define LOADS(name, length, get)                                                                   \
    LOAD(op_##name, length, get, PUT, EA_DISP, 0)                                                  \
    LOAD(op_##name##u, length, get, PUT, EA_DISP, 1)                                               \
    LOAD(op_##name##x, length, get, PUT, EA_INDEX, 0)                                              \
    LOAD(op_##name##ux, length, get, PUT, EA_INDEX, 1)

LOADS(lbz, 1, guest_load8)
LOADS(lhz, 2, guest_load16)
LOADS(lha, 2, get16s)
LOADS(lwz, 4, guest_load32)
LOADS(ld, 8, guest_load64)
LOAD(op_lwa, 4, get32s, PUT, EA_DISP, 0)
LOAD(op_lwax, 4, get32s, PUT, EA_INDEX, 0)
LOAD(op_lwaux, 4, get32s, PUT, EA_INDEX, 1)
LOAD(op_lhbrx, 2, guest_move16, PUT, EA_INDEX, 0)
LOAD(op_lwbrx, 4, guest_move32, PUT, EA_INDEX, 0)
LOAD(op_ldbrx, 8, guest_move64, PUT, EA_INDEX, 0)

#define STORES(name, length, set)                                                                  \
    STORE(op_##name, length, set, RD, EA_DISP, 0)                                                  \
    STORE(op_##name##u, length, set, RD, EA_DISP, 1)                                               \
    STORE(op_##name##x, length, set, RD, EA_INDEX, 0)                                              \
    STORE(op_##name##ux, length, set, RD, EA_INDEX, 1)

STORES(stb, 1, set8)
STORES(sth, 2, set16)
STORES(stw, 4, set32)
STORES(std, 8, guest_store64)
STORE(op_sthbrx, 2, set16r, RD, EA_INDEX, 0)
STORE(op_stwbrx, 4, set32r, RD, EA_INDEX, 0)
STORE(op_stdbrx, 8, guest_put64, RD, EA_INDEX, 0)

/* lmw leaves a base register that is among its targets alone (LESSONS 8). */
static PPC_NOINLINE int load_multiple(core *c, const op *o, uint64_t left)
{
    uint32_t address = (uint32_t)EA_DISP;
    uint32_t count = 33u - o->d;
    const uint8_t *p = ppc_range(c, o, left, address, count * 4, 0);
    if (!p) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (o->a == 0 || o->d + i != o->a) {
            gpr(c)[o->d + i] = guest_load32(p + 4 * i);
        }
    }
    return 1;
}

HANDLER(op_lmw)
{
    if (!load_multiple(c, o, left)) {
        return (step){NULL, 0};
    }
    NEXT();
}

static PPC_NOINLINE int store_multiple(core *c, const op *o, uint64_t left)
{
    uint32_t address = (uint32_t)EA_DISP;
    uint32_t count = 33u - o->d;
    uint8_t *p = ppc_range(c, o, left, address, count * 4, 1);
    if (!p) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        guest_store32(p + 4 * i, (uint32_t)gpr(c)[o->d + i]);
    }
    if (watched(c->engine->memory, address, count * 4)) {
        ppc_range_written(c, o, left, address, count * 4);
    }
    return 1;
}

HANDLER(op_stmw)
{
    if (!store_multiple(c, o, left)) {
        return (step){NULL, 0};
    }
    NEXT_SLOWLY();
}

/* String forms: bytes fill registers from the left, r31 is followed by r0; what a partly filled
 * register does not get is zero. Base registers among the targets keep their value. */
static PPC_NOINLINE int load_string(core *c, const op *o, uint64_t left, uint32_t address,
                                    uint32_t count, unsigned skip)
{
    const uint8_t *p = count ? ppc_range(c, o, left, address, count, 0) : NULL;
    if (count && !p) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i += 4) {
        unsigned number = (o->d - 1u + i / 4) & 31;
        uint32_t word = 0;
        for (uint32_t j = 0; j < 4 && i + j < count; j++) {
            word |= (uint32_t)guest_load8(p + i + j) << (24 - 8 * j);
        }
        if ((o->a == 0 || number + 1 != o->a) && number + 1 != skip) {
            gpr(c)[number + 1] = word;
        }
    }
    return 1;
}

static PPC_NOINLINE int store_string(core *c, const op *o, uint64_t left, uint32_t address,
                                     uint32_t count)
{
    uint8_t *p = count ? ppc_range(c, o, left, address, count, 1) : NULL;
    if (count && !p) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        unsigned number = (o->d - 1u + i / 4) & 31;
        guest_store8(p + i, (uint8_t)(gpr(c)[number + 1] >> (24 - 8 * (i & 3))));
    }
    if (count && watched(c->engine->memory, address, count)) {
        ppc_range_written(c, o, left, address, count);
    }
    return 1;
}

HANDLER(op_lswi)
{
    if (!load_string(c, o, left, (uint32_t)RA, o->c, 0)) {
        return (step){NULL, 0};
    }
    NEXT();
}

HANDLER(op_lswx)
{
    if (!load_string(c, o, left, (uint32_t)EA_INDEX, c->xer_count, o->b)) {
        return (step){NULL, 0};
    }
    NEXT();
}

HANDLER(op_stswi)
{
    if (!store_string(c, o, left, (uint32_t)RA, o->c)) {
        return (step){NULL, 0};
    }
    NEXT_SLOWLY();
}

HANDLER(op_stswx)
{
    if (!store_string(c, o, left, (uint32_t)EA_INDEX, c->xer_count)) {
        return (step){NULL, 0};
    }
    NEXT_SLOWLY();
}

/* Clears the block around the address. */
static PPC_NOINLINE int clear_block(core *c, const op *o, uint64_t left, uint32_t size)
{
    uint32_t at = (uint32_t)EA_INDEX & ~(size - 1);
    uint8_t *p = ppc_range(c, o, left, at, size, 1);
    if (!p) {
        return 0;
    }
    for (uint32_t i = 0; i < size; i += 8) {
        guest_put64(p + i, 0);
    }
    if (watched(c->engine->memory, at, size)) {
        ppc_range_written(c, o, left, at, size);
    }
    return 1;
}

HANDLER(op_dcbz)
{
    if (!clear_block(c, o, left, 32)) {
        return (step){NULL, 0};
    }
    NEXT_SLOWLY();
}

HANDLER(op_dcbz128)
{
    if (!clear_block(c, o, left, 128)) {
        return (step){NULL, 0};
    }
    NEXT_SLOWLY();
}

/* sync orders everything; lwsync all but a store before a load; eieio stores (book II, 3.3.3). On
 * x86 the latter two only keep the compiler from moving accesses. */
HANDLER(op_sync)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    NEXT();
}

HANDLER(op_lwsync)
{
    __atomic_thread_fence(__ATOMIC_ACQ_REL);
    NEXT();
}

/* Forgets what other hardware threads have stored into code by now; with the branch on a loaded
 * value before it, an acquiring fence (book II, 3.3.1 and B.2.1.1). Lockstep: a nop (code.c). */
HANDLER(op_isync)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (UNLIKELY(__atomic_load_n(&c->cache->posted, __ATOMIC_ACQUIRE))) {
        NEXT_SLOWLY();
    }
    NEXT();
}

/* Stands for a reported store to the block, which is complete on all hardware threads before what
 * comes after: a store that found its page unwatched went unreported. Lockstep: a nop (code.c). */
static PPC_NOINLINE int invalidate(core *c, const op *o, uint64_t left)
{
    uint32_t at = (uint32_t)EA_INDEX & ~(PPC_GRANULE - 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!watched(c->engine->memory, at, PPC_GRANULE)) {
        return 0;
    }
    ppc_range_written(c, o, left, at, PPC_GRANULE);
    return 1;
}

HANDLER(op_icbi)
{
    if (invalidate(c, o, left)) {
        NEXT_SLOWLY();
    }
    NEXT();
}
