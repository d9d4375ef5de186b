/* exec_mem.c: fixed-point loads and stores, reservations, caches; and the slow paths that every
 * kind of access shares. */
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
        uint32_t page = (address + done) >> WEFT_PAGE_SHIFT;
        if ((memory->access[page] & (need | WEFT_PAGE_MMIO)) != need) {
            return done;
        }
        done += WEFT_PAGE_SIZE - ((address + done) & (WEFT_PAGE_SIZE - 1));
    }
    return length;
}

static int is_mmio(const weft_memory *memory, uint32_t address)
{
    return memory->access[address >> WEFT_PAGE_SHIFT] & WEFT_PAGE_MMIO;
}

/* Copies between guest and host; a range that runs past the top of the address space wraps. */
static void copy_out(const uint8_t *base, uint32_t address, uint32_t length, uint8_t *bytes)
{
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = base[(uint32_t)(address + i)];
    }
}

static void copy_in(uint8_t *base, uint32_t address, uint32_t length, const uint8_t *bytes)
{
    for (uint32_t i = 0; i < length; i++) {
        base[(uint32_t)(address + i)] = bytes[i];
    }
}

int ppc_read(core *c, const op *o, uint64_t left, uint32_t address, uint32_t length, uint8_t *bytes)
{
    const weft_memory *memory = c->engine->memory;
    if (is_mmio(memory, address) && in_page(address, length)) {
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
void ppc_range_written(core *c, uint32_t address, uint32_t length)
{
    const weft_memory *memory = c->engine->memory;
    uint32_t first = WEFT_PAGE_SIZE - (address & (WEFT_PAGE_SIZE - 1));
    uint32_t held = c->reserve_address >> WEFT_PAGE_SHIFT;
    int current = c->s.reservation && memory->version[held] == c->reserve_version;

    first = first < length ? first : length;
    ppc_written(c->engine, address, first);
    if (first < length) {
        ppc_written(c->engine, address + first, length - first);
    }
    if (current) {
        c->reserve_version = memory->version[held];
    }
}

static int watched(const weft_memory *memory, uint32_t address, uint32_t length)
{
    return (memory->access[address >> WEFT_PAGE_SHIFT] |
            memory->access[(uint32_t)(address + length - 1) >> WEFT_PAGE_SHIFT]) &
           WEFT_PAGE_WATCH;
}

int ppc_write(core *c, const op *o, uint64_t left, uint32_t address, uint32_t length,
              const uint8_t *bytes)
{
    const weft_memory *memory = c->engine->memory;
    if (is_mmio(memory, address) && in_page(address, length)) {
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
        ppc_range_written(c, address, length);
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
    if (refused < length && is_mmio(memory, address + refused)) {
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
static inline uint64_t get8(const uint8_t *p)
{
    return p[0];
}

static inline uint64_t get16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return __builtin_bswap16(v);
}

static inline uint64_t get16s(const uint8_t *p)
{
    return (uint64_t)(int64_t)(int16_t)get16(p);
}

static inline uint64_t get32s(const uint8_t *p)
{
    return (uint64_t)(int64_t)(int32_t)weft_load32(p);
}

static inline uint64_t get16r(const uint8_t *p)
{
    return (uint64_t)(p[0] | p[1] << 8);
}

static inline uint64_t get32r(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

static inline uint64_t get64r(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline void set8(uint8_t *p, uint64_t v)
{
    p[0] = (uint8_t)v;
}

static inline void set16(uint8_t *p, uint64_t v)
{
    uint16_t swapped = __builtin_bswap16((uint16_t)v);
    memcpy(p, &swapped, 2);
}

static inline void set32(uint8_t *p, uint64_t v)
{
    weft_store32(p, (uint32_t)v);
}

static inline void set16r(uint8_t *p, uint64_t v)
{
    uint16_t half = (uint16_t)v;
    memcpy(p, &half, 2);
}

static inline void set32r(uint8_t *p, uint64_t v)
{
    uint32_t word = (uint32_t)v;
    memcpy(p, &word, 4);
}

static inline void set64r(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, 8);
}

#define PUT(value) (RD = (value))

#define LOADS(name, length, get)                                                                   \
    LOAD(op_##name, length, get, PUT, EA_DISP, 0)                                                  \
    LOAD(op_##name##u, length, get, PUT, EA_DISP, 1)                                               \
    LOAD(op_##name##x, length, get, PUT, EA_INDEX, 0)                                              \
    LOAD(op_##name##ux, length, get, PUT, EA_INDEX, 1)

LOADS(lbz, 1, get8)
LOADS(lhz, 2, get16)
LOADS(lha, 2, get16s)
LOADS(lwz, 4, weft_load32)
LOADS(ld, 8, weft_load64)
LOAD(op_lwa, 4, get32s, PUT, EA_DISP, 0)
LOAD(op_lwax, 4, get32s, PUT, EA_INDEX, 0)
LOAD(op_lwaux, 4, get32s, PUT, EA_INDEX, 1)
LOAD(op_lhbrx, 2, get16r, PUT, EA_INDEX, 0)
LOAD(op_lwbrx, 4, get32r, PUT, EA_INDEX, 0)
LOAD(op_ldbrx, 8, get64r, PUT, EA_INDEX, 0)

#define STORES(name, length, set)                                                                  \
    STORE(op_##name, length, set, RD, EA_DISP, 0)                                                  \
    STORE(op_##name##u, length, set, RD, EA_DISP, 1)                                               \
    STORE(op_##name##x, length, set, RD, EA_INDEX, 0)                                              \
    STORE(op_##name##ux, length, set, RD, EA_INDEX, 1)

STORES(stb, 1, set8)
STORES(sth, 2, set16)
STORES(stw, 4, set32)
STORES(std, 8, weft_store64)
STORE(op_sthbrx, 2, set16r, RD, EA_INDEX, 0)
STORE(op_stwbrx, 4, set32r, RD, EA_INDEX, 0)
STORE(op_stdbrx, 8, set64r, RD, EA_INDEX, 0)

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
            gpr(c)[o->d + i] = weft_load32(p + 4 * i);
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
        weft_store32(p + 4 * i, (uint32_t)gpr(c)[o->d + i]);
    }
    if (watched(c->engine->memory, address, count * 4)) {
        ppc_range_written(c, address, count * 4);
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
            word |= (uint32_t)p[i + j] << (24 - 8 * j);
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
        p[i] = (uint8_t)(gpr(c)[number + 1] >> (24 - 8 * (i & 3)));
    }
    if (count && watched(c->engine->memory, address, count)) {
        ppc_range_written(c, address, count);
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

static step misaligned(core *c, const op *o, uint64_t left, uint32_t address)
{
    c->s.fault_address = address;
    return ppc_leave(c, o, left, WEFT_CPU_ALIGNMENT);
}

/* The reservation remembers value, width and the page's version: a write that the memory service
 * was told of, or another value in the granule's word, makes stwcx. fail. Plain stores of other
 * hardware threads cannot come between in lockstep, because their run drops the reservation. */
static PPC_NOINLINE void reserve(core *c, uint32_t address, uint32_t length, uint64_t value)
{
    c->s.reservation = 1;
    c->reserve_address = address;
    c->reserve_length = length;
    c->reserve_value = value;
    c->reserve_version = c->engine->memory->version[address >> WEFT_PAGE_SHIFT];
}

HANDLER(op_lwarx)
{
    uint32_t at = (uint32_t)EA_INDEX;
    if (at & 3 || is_mmio(c->engine->memory, at)) {
        return misaligned(c, o, left, at);
    }
    if (!page_readable(access, at)) {
        return ppc_leave_fault(c, o, left, at, 0);
    }
    uint32_t value = __builtin_bswap32(__atomic_load_n((uint32_t *)(base + at), __ATOMIC_SEQ_CST));
    reserve(c, at, 4, value);
    RD = value;
    NEXT();
}

HANDLER(op_ldarx)
{
    uint32_t at = (uint32_t)EA_INDEX;
    if (at & 7 || is_mmio(c->engine->memory, at)) {
        return misaligned(c, o, left, at);
    }
    if (!page_readable(access, at)) {
        return ppc_leave_fault(c, o, left, at, 0);
    }
    uint64_t value = __builtin_bswap64(__atomic_load_n((uint64_t *)(base + at), __ATOMIC_SEQ_CST));
    reserve(c, at, 8, value);
    RD = value;
    NEXT();
}

/* Stores if the reservation still stands; returns whether it did. Drops it either way. */
static PPC_NOINLINE int store_conditional(core *c, uint32_t at, uint32_t length, uint64_t value)
{
    weft_memory *memory = c->engine->memory;
    int held = c->s.reservation && c->reserve_address == at && c->reserve_length == length &&
               c->reserve_version == memory->version[at >> WEFT_PAGE_SHIFT];
    c->s.reservation = 0;
    if (!held) {
        return 0;
    }
    if (length == 4) {
        uint32_t expected = __builtin_bswap32((uint32_t)c->reserve_value);
        held = __atomic_compare_exchange_n((uint32_t *)(memory->base + at), &expected,
                                           __builtin_bswap32((uint32_t)value), 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    } else {
        uint64_t expected = __builtin_bswap64(c->reserve_value);
        held = __atomic_compare_exchange_n((uint64_t *)(memory->base + at), &expected,
                                           __builtin_bswap64(value), 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }
    if (held && memory->access[at >> WEFT_PAGE_SHIFT] & WEFT_PAGE_WATCH) {
        ppc_range_written(c, at, length);
    }
    return held;
}

#define STORE_CONDITIONAL(name, length)                                                            \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint32_t at = (uint32_t)EA_INDEX;                                                          \
        if ((at & (length - 1)) || is_mmio(c->engine->memory, at)) {                               \
            return misaligned(c, o, left, at);                                                     \
        }                                                                                          \
        if (!(access[at >> WEFT_PAGE_SHIFT] & WEFT_PAGE_WRITE)) {                                  \
            return ppc_leave_fault(c, o, left, at, WEFT_FAULT_STORE);                              \
        }                                                                                          \
        set_cr(c, 0, 0, 0, store_conditional(c, at, length, RD));                                  \
        NEXT();                                                                                    \
    }

STORE_CONDITIONAL(op_stwcx, 4)
STORE_CONDITIONAL(op_stdcx, 8)

/* Clears the block around the address. */
static PPC_NOINLINE int clear_block(core *c, const op *o, uint64_t left, uint32_t size)
{
    uint32_t at = (uint32_t)EA_INDEX & ~(size - 1);
    uint8_t *p = ppc_range(c, o, left, at, size, 1);
    if (!p) {
        return 0;
    }
    memset(p, 0, size);
    if (watched(c->engine->memory, at, size)) {
        ppc_range_written(c, at, size);
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

HANDLER(op_sync)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    NEXT();
}
