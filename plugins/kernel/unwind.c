/* Virtual unwinding: what a return from the middle of a function would leave in the registers.
 *
 * The compiler's prologues are straight-line code of a few kinds of instructions, at most 255 long:
 *     mflr r12 | bl __savegprlr_N | stw r12,-8(r1) | std rN,-x(r1) | stfd fN,-x(r1)
 *     addi r12,r1,-x; bl __savefpr_N | li r11,-x; stvx vN,r11,r12 | addi r31,r1,-N | stwu r1,-N(r1)
 * (seen in an XDK sample: all of 3,721 entries). Those that were executed are undone, last first.
 * An instruction that is already in the epilogue is followed forward instead. */
#include <string.h>

#include "unwind.h"

#define PDATA_32BIT     UINT32_C(0x40000000)
#define PDATA_EXCEPTION UINT32_C(0x80000000)
#define EPILOGUE_MAX    512 /* instructions: the longest restore routine has 166 */
#define ROUTINE_MAX     256 /* instructions of a save routine */

/* ---- the table ---------------------------------------------------------------------------------
 */

static bool read32(const weft_memory *memory, uint32_t address, uint32_t *value)
{
    if (address & 3 || !weft_memory_ok(memory, address, 4, WEFT_PAGE_READ)) {
        return false;
    }
    *value = weft_load32(memory->base + address);
    return true;
}

static uint32_t little32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* PE/COFF: e_lfanew at 0x3C; optional header behind 24 bytes; 96 bytes into it the directories, the
 * fourth of which is the exception directory. PE headers are little-endian even here. */
bool kunwind_table(const weft_memory *memory, uint32_t base, uint32_t size, kfunction_table *table)
{
    if (size < 0x200 || !weft_memory_ok(memory, base, 0x200, WEFT_PAGE_READ)) {
        return false;
    }
    const uint8_t *image = memory->base + base;
    uint32_t pe = little32(image + 0x3C);
    if (image[0] != 'M' || image[1] != 'Z' || pe > size - 0x98 ||
        !weft_memory_ok(memory, base + pe, 0x98, WEFT_PAGE_READ) ||
        little32(image + pe) != UINT32_C(0x00004550)) {
        return false;
    }
    uint32_t rva = little32(image + pe + 24 + 96 + 24);
    uint32_t length = little32(image + pe + 24 + 96 + 28);
    if (rva == 0 || rva & 3 || rva >= size || length > size - rva || length < 8) {
        return false;
    }
    *table = (kfunction_table){
        .memory = memory,
        .base = base,
        .size = size,
        .entries = base + rva,
        .count = length / 8,
    };
    return true;
}

bool kunwind_lookup(const kfunction_table *table, uint32_t pc, kfunction *function)
{
    const weft_memory *memory = table->memory;
    uint32_t low = 0, high = table->count, begin, word;
    if (pc - table->base >= table->size) {
        return false;
    }
    /* the last entry that begins at or before pc; unused entries are zero, behind all others */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (!read32(memory, table->entries + 8 * middle, &begin)) {
            return false;
        }
        if (begin != 0 && begin <= pc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return false;
    }
    uint32_t entry = table->entries + 8 * (low - 1);
    if (!read32(memory, entry, &begin) || !read32(memory, entry + 4, &word)) {
        return false;
    }
    uint32_t length = word >> 8 & 0x3FFFFF, prologue = word & 0xFF;
    uint32_t offset = begin - table->base;
    if (begin & 3 || offset >= table->size || 4 * length > table->size - offset ||
        pc - begin >= 4 * length) {
        return false;
    }
    *function = (kfunction){
        .entry = entry,
        .word = word,
        .begin = begin,
        .end = begin + 4 * length,
        .prologue = begin + 4 * (prologue < length ? prologue : length),
    };
    if (!(word & PDATA_32BIT)) {
        function->kind = word & PDATA_EXCEPTION ? KFUNCTION_RESTORE : KFUNCTION_SAVE;
    } else if (word & PDATA_EXCEPTION) {
        if (offset < 8 || !read32(memory, begin - 8, &function->handler) ||
            !read32(memory, begin - 4, &function->data)) {
            return false;
        }
    }
    return true;
}

/* ---- instructions ------------------------------------------------------------------------------
 */

static uint32_t field(uint32_t word, unsigned first_bit)
{
    return word >> (31 - (first_bit + 4)) & 31;
}

static uint32_t displacement(uint32_t word)
{
    return (uint32_t)(int32_t)(int16_t)(word & 0xFFFF);
}

static uint32_t branch_target(uint32_t pc, uint32_t word)
{
    uint32_t offset = word & UINT32_C(0x03FFFFFC);
    if (offset & UINT32_C(0x02000000)) {
        offset |= UINT32_C(0xFC000000);
    }
    return word & 2 ? offset : pc + offset;
}

#define OPCODE(word)   ((word) >> 26)
#define RD(word)       field(word, 6)
#define RA(word)       field(word, 11)
#define RB(word)       field(word, 16)
#define IS_BL(word)    (((word)&UINT32_C(0xFC000003)) == UINT32_C(0x48000001))
#define IS_B(word)     (((word)&UINT32_C(0xFC000003)) == UINT32_C(0x48000000))
#define BLR            UINT32_C(0x4E800020)
#define IS_MFLR(word)  (((word)&UINT32_C(0xFC1FFFFF)) == UINT32_C(0x7C0802A6))
#define IS_MTLR(word)  (((word)&UINT32_C(0xFC1FFFFF)) == UINT32_C(0x7C0803A6))
#define IS_MFCR(word)  (((word)&UINT32_C(0xFC1FFFFF)) == UINT32_C(0x7C000026))
#define IS_MTCRF(word) (((word)&UINT32_C(0xFC100FFF)) == UINT32_C(0x7C000120))
#define XO(word)       ((word)&UINT32_C(0x7FE))
#define XO_STVX        (231 * 2)
#define XO_STVXL       (487 * 2)
#define XO_LVX         (103 * 2)
#define XO_LVXL        (359 * 2)
#define XO_OR          (444 * 2)
#define XO_STWUX       (183 * 2)
#define XO_STDUX       (181 * 2)

/* Vector number of an lvx (load) or stvx of either form, -1: it is none. VMX128 form: primary
 * opcode 4, the register's two high bits at 28-29 (xenia src/xenia/cpu/ppc/ppc_opcode_table.cc). */
static int vector_of(uint32_t word, bool load)
{
    if (OPCODE(word) == 31) {
        uint32_t xo = XO(word);
        bool hit = load ? xo == XO_LVX || xo == XO_LVXL : xo == XO_STVX || xo == XO_STVXL;
        return hit ? (int)RD(word) : -1;
    }
    uint32_t xo = word & 0x7F3;
    bool hit = load ? xo == 0x0C3 || xo == 0x2C3 : xo == 0x1C3 || xo == 0x3C3;
    return OPCODE(word) == 4 && hit ? (int)(RD(word) | (word & 0xC) << 3) : -1;
}

static bool load_bytes(const weft_memory *memory, uint32_t address, uint32_t length,
                       const uint8_t **bytes)
{
    if (!weft_memory_ok(memory, address, length, WEFT_PAGE_READ)) {
        return false;
    }
    *bytes = memory->base + address;
    return true;
}

static bool load64(const weft_memory *memory, uint64_t address, uint64_t *value)
{
    const uint8_t *bytes;
    if (!load_bytes(memory, (uint32_t)address, 8, &bytes)) {
        return false;
    }
    *value = weft_load64(bytes);
    return true;
}

static bool load32(const weft_memory *memory, uint64_t address, uint64_t *value)
{
    const uint8_t *bytes;
    if (!load_bytes(memory, (uint32_t)address, 4, &bytes)) {
        return false;
    }
    *value = weft_load32(bytes);
    return true;
}

static bool load_vector(const weft_memory *memory, uint64_t address, uint8_t vector[16])
{
    const uint8_t *bytes;
    if (!load_bytes(memory, (uint32_t)address & ~15u, 16, &bytes)) {
        return false;
    }
    memcpy(vector, bytes, 16);
    return true;
}

/* ---- forward: epilogues ------------------------------------------------------------------------
 */

/* Executes one instruction of the kinds that epilogues consist of. False: it is another, or its
 * memory cannot be read. Branches are the caller's. */
static bool restore_one(const weft_memory *memory, uint32_t word, weft_cpu_state *s)
{
    uint32_t d = RD(word), a = RA(word);
    uint64_t base = a ? s->r[a] : 0, value;
    bool frame = a == 1 || a == 11 || a == 12 || a == 31;
    int vector = vector_of(word, true);
    if (vector >= 0) {
        return load_vector(memory, base + s->r[RB(word)], s->v[vector]);
    }
    switch (OPCODE(word)) {
    case 14: /* addi, li */
        if (d != 0 && d != 1 && d != 11 && d != 12) {
            return false;
        }
        s->r[d] = base + (uint64_t)(int64_t)(int32_t)displacement(word);
        return true;
    case 32: /* lwz */
        if (!frame || !load32(memory, base + displacement(word), &value)) {
            return false;
        }
        s->r[d] = value;
        return true;
    case 50: /* lfd */
        return frame && load64(memory, base + displacement(word), &s->f[d]);
    case 58: /* ld */
        if ((word & 3) != 0 || !frame || !load64(memory, base + displacement(word), &value)) {
            return false;
        }
        s->r[d] = value;
        return true;
    case 31:
        if (IS_MTLR(word)) {
            s->lr = s->r[d];
            return true;
        }
        if (IS_MTCRF(word)) {
            uint32_t mask = 0;
            for (unsigned i = 0; i < 8; i++) {
                mask |= word >> 12 & 0x80 >> i ? UINT32_C(0xF0000000) >> 4 * i : 0;
            }
            s->cr = (s->cr & ~mask) | ((uint32_t)s->r[d] & mask);
            return true;
        }
        if (XO(word) == XO_OR && d == RB(word) && (a == 1 || a == d)) { /* mr r1,rN; no-ops */
            s->r[a] = s->r[d];
            return true;
        }
        return false;
    case 24: /* ori r0,r0,0 */
        return word == UINT32_C(0x60000000);
    default:
        return false;
    }
}

static bool is_routine(const kfunction_table *table, uint32_t address, uint32_t kind)
{
    kfunction routine;
    return kunwind_lookup(table, address, &routine) && routine.kind == kind;
}

/* True if what lies ahead only restores and returns; *state is then the caller's. Executing what
 * the processor would have executed is right wherever it starts. */
static bool run_epilogue(const kfunction_table *table, const kfunction *function,
                         weft_cpu_state *state)
{
    weft_cpu_state s = *state;
    bool in_routine = function->kind == KFUNCTION_RESTORE;
    for (unsigned i = 0; i < EPILOGUE_MAX; i++) {
        uint32_t word;
        if (!read32(table->memory, s.pc, &word)) {
            return false;
        }
        if (word == BLR) {
            s.pc = (uint32_t)s.lr & ~3u;
            kfunction caller;
            if (in_routine && kunwind_lookup(table, s.pc, &caller) &&
                caller.kind == KFUNCTION_PLAIN && s.pc - caller.begin >= 8 &&
                read32(table->memory, s.pc - 4, &word) && IS_BL(word) &&
                is_routine(table, branch_target(s.pc - 4, word), KFUNCTION_RESTORE)) {
                in_routine = false; /* back from __restfpr_N: the epilogue goes on */
                continue;
            }
            *state = s;
            return true;
        }
        if (IS_B(word) || IS_BL(word)) {
            uint32_t target = branch_target(s.pc, word);
            if (!is_routine(table, target, KFUNCTION_RESTORE)) {
                return false;
            }
            if (IS_BL(word)) {
                s.lr = s.pc + 4;
            }
            in_routine = true;
            s.pc = target;
            continue;
        }
        if (!restore_one(table->memory, word, &s)) {
            return false;
        }
        s.pc += 4;
    }
    return false;
}

/* ---- backward: prologues -----------------------------------------------------------------------
 */

/* Value of `li rN,x` or of `addi rN,r1,x` (relative to the present r1) among the instructions
 * before `at`, the latest; false if there is none. r1 stands still before the stwu. */
static bool prologue_value(const weft_memory *memory, const weft_cpu_state *s, uint32_t begin,
                           uint32_t at, uint32_t reg, uint64_t *value)
{
    uint32_t word;
    while (at > begin && read32(memory, at - 4, &word)) {
        at -= 4;
        if (OPCODE(word) == 14 && RD(word) == reg && (RA(word) == 0 || RA(word) == 1)) {
            uint64_t base = RA(word) ? s->r[1] : 0;
            *value = base + (uint64_t)(int64_t)(int32_t)displacement(word);
            return true;
        }
    }
    return false;
}

/* Address of an indexed or displaced store whose base may be r1 or a register that the prologue
 * set. `outer_begin`, `outer_at`: of the prologue that called the routine, where the base may be
 * set. */
typedef struct prologue_place {
    uint32_t begin, at;
    uint32_t outer_begin, outer_at;
} prologue_place;

static bool base_value(const weft_memory *memory, const weft_cpu_state *s, const prologue_place *p,
                       uint32_t reg, uint64_t *value)
{
    if (reg == 1) {
        *value = s->r[1];
        return true;
    }
    return prologue_value(memory, s, p->begin, p->at, reg, value) ||
           (p->outer_at && prologue_value(memory, s, p->outer_begin, p->outer_at, reg, value));
}

/* Undoes one instruction. False: memory that it had stored to cannot be read. What saves nothing
 * changes nothing. */
static bool undo_one(const weft_memory *memory, uint32_t word, const prologue_place *place,
                     weft_cpu_state *s)
{
    uint32_t d = RD(word), a = RA(word);
    uint64_t base, index;
    int vector = vector_of(word, false);
    if (vector >= 0) {
        if (!base_value(memory, s, place, RB(word), &index) ||
            (a != 0 && !base_value(memory, s, place, a, &base))) {
            return true; /* a store of the body's that was moved up */
        }
        return load_vector(memory, index + (a ? base : 0), s->v[vector]);
    }
    switch (OPCODE(word)) {
    case 14: /* addi r31,r1,-N before the stwu: the frame pointer, which a body's alloca leaves
                alone */
        if (a == 1 && d >= 14 && displacement(word) & UINT32_C(0x80000000)) {
            s->r[1] = (uint32_t)(s->r[d] - displacement(word));
        }
        return true;
    case 36: /* stw */
        return a != 1 || (d != 0 && d < 11) ||
               load32(memory, s->r[1] + displacement(word), &s->r[d]);
    case 37: /* stwu r1,-N(r1) */
        if (d == 1 && a == 1) {
            s->r[1] = (uint32_t)(s->r[1] - displacement(word));
        }
        return true;
    case 54: /* stfd */
        if (d < 14 || !base_value(memory, s, place, a, &base)) {
            return true;
        }
        return load64(memory, base + displacement(word), &s->f[d]);
    case 62: /* std, stdu */
        if ((word & 3) == 1 && d == 1 && a == 1) {
            s->r[1] = (uint32_t)(s->r[1] - displacement(word & ~3u));
            return true;
        }
        if ((word & 3) != 0 || d < 11 || !base_value(memory, s, place, a, &base)) {
            return true;
        }
        return load64(memory, base + displacement(word), &s->r[d]);
    case 31:
        if (IS_MFLR(word)) {
            s->lr = s->r[d];
        } else if (IS_MFCR(word)) {
            s->cr = (uint32_t)s->r[d];
        } else if ((XO(word) == XO_STWUX || XO(word) == XO_STDUX) && d == 1 && a == 1) {
            /* frames beyond 32 KiB: the back chain says where r1 was */
            return load32(memory, s->r[1] + (XO(word) == XO_STDUX ? 4 : 0), &s->r[1]);
        } else if (XO(word) == XO_OR && d == 1 && RB(word) == 1 && a >= 14) {
            s->r[1] = s->r[a]; /* mr r31,r1 behind the stwu */
        }
        return true;
    default:
        return true;
    }
}

/* A prologue's `bl __savegprlr_N`: undoes the routine from its return back to the target. */
static bool undo_routine(const kfunction_table *table, uint32_t target, const prologue_place *outer,
                         weft_cpu_state *s)
{
    kfunction routine;
    uint32_t word, end = target;
    if (!kunwind_lookup(table, target, &routine) || routine.kind != KFUNCTION_SAVE) {
        return true; /* __chkstk and the like */
    }
    while (end < routine.end && read32(table->memory, end, &word) && word != BLR) {
        end += 4;
    }
    if (end - target > 4 * ROUTINE_MAX) {
        return false;
    }
    for (uint32_t at = end; at > target;) {
        at -= 4;
        prologue_place place = {target, at, outer->begin, outer->at};
        if (!read32(table->memory, at, &word) || !undo_one(table->memory, word, &place, s)) {
            return false;
        }
    }
    return true;
}

static bool undo_prologue(const kfunction_table *table, const kfunction *function,
                          weft_cpu_state *s)
{
    uint32_t at = s->pc < function->prologue ? s->pc : function->prologue;
    while (at > function->begin) {
        at -= 4;
        uint32_t word;
        if (!read32(table->memory, at, &word)) {
            return false;
        }
        prologue_place place = {function->begin, at, 0, 0};
        bool fine = IS_BL(word) ? undo_routine(table, branch_target(at, word), &place, s)
                                : undo_one(table->memory, word, &place, s);
        if (!fine) {
            return false;
        }
    }
    s->pc = (uint32_t)s->lr & ~3u;
    return true;
}

bool kunwind_frame(const kfunction_table *table, const kfunction *function, bool called,
                   weft_cpu_state *state, bool *again)
{
    *again = false;
    if (function->kind == KFUNCTION_SAVE) {
        /* its stores change no register: as if the call had not been made yet */
        state->pc = ((uint32_t)state->lr & ~3u) - 4;
        *again = true;
        return !called;
    }
    if (run_epilogue(table, function, state)) {
        return true;
    }
    return function->kind == KFUNCTION_PLAIN && undo_prologue(table, function, state);
}
