/* exec_spr.c: moves to and from special-purpose registers, by the rows of spr.def. What the rows
 * say, and what unknown numbers do: docs/cpu.md. LR and CTR have handlers of their own in
 * exec_branch.c. */
#include "threaded.h"

enum kind { HELD, XER, LR, CTR, DEC, CTRL, VRSAVE, SPRG, TB, TBU, TB_WRITE, TBU_WRITE, PVR, PIR };
enum { RO = 1, WO = 2, RW = 3, H = 4, HRO = H | RO, HWO = H | WO, HRW = H | RW };

#define PVR_XENON UINT32_C(0x00710800) /* xenia src/xenia/cpu/ppc/ppc_emit_control.cc */

typedef struct spr_row {
    uint16_t number;
    uint8_t access, kind;
} spr_row;

static const spr_row sprs[PPC_SPRS] = {
#define SPR(number, name, access, kind) [SPR_ROW_##name] = {number, access, kind},
#include "spr.def"
#undef SPR
};

/* The row of a move in this direction (RO or WO); NULL, and *exit, where it interrupts. A number
 * that nobody has is privileged or illegal by its bit 0x10 (book III, 4.4.3). */
static const spr_row *allowed(const core *c, uint32_t number, uint32_t direction, uint32_t *exit)
{
    if (number & 0x10 && c->s.msr & MSR_PR) {
        *exit = WEFT_CPU_PRIVILEGED;
        return NULL;
    }
    *exit = WEFT_CPU_ILLEGAL;
    for (uint32_t i = 0; i < PPC_SPRS; i++) {
        if (sprs[i].number == number && sprs[i].access & direction) {
            if (sprs[i].access & H && !(c->s.msr & MSR_HV)) {
                *exit = WEFT_CPU_PRIVILEGED;
                return NULL;
            }
            return &sprs[i];
        }
    }
    return NULL;
}

/* The time base: the machine's, and what was added by writes to TBL and TBU. */
static uint64_t timebase(core *c)
{
    const weft_cpu_host *calls = c->engine->calls;
    uint64_t machine = calls->timebase ? calls->timebase(calls->context, &c->s) : 0;
    return machine + c->spr[SPR_ROW_TB];
}

static PPC_NOINLINE uint64_t read_spr(core *c, const spr_row *row)
{
    switch (row->kind) {
    case XER:
        return ppc_xer_pack(c);
    case LR:
        return c->s.lr;
    case CTR:
        return c->s.ctr;
    case DEC: /* counts down with the time base; nobody is interrupted by it */
        return (uint32_t)(c->spr[SPR_ROW_DEC] - timebase(c));
    case CTRL:
        return c->spr[SPR_ROW_CTRL];
    case VRSAVE:
        return c->s.vrsave;
    case SPRG:
        return c->s.sprg[row->number & 3];
    case TB:
        return timebase(c);
    case TBU:
        return timebase(c) >> 32;
    case PVR:
        return PVR_XENON;
    case PIR:
        return c->s.hw;
    default:
        return c->spr[row - sprs];
    }
}

static PPC_NOINLINE void write_spr(core *c, const spr_row *row, uint64_t value)
{
    uint64_t now;
    switch (row->kind) {
    case XER:
        ppc_xer_unpack(c, (uint32_t)value);
        break;
    case LR:
        c->s.lr = value;
        break;
    case CTR:
        c->s.ctr = value;
        break;
    case DEC:
        c->spr[SPR_ROW_DEC] = timebase(c) + value;
        break;
    case CTRL:
        c->spr[SPR_ROW_CTRL] = (uint32_t)value;
        break;
    case VRSAVE:
        c->s.vrsave = (uint32_t)value;
        break;
    case SPRG:
        c->s.sprg[row->number & 3] = value;
        break;
    case TB_WRITE:
        now = timebase(c);
        c->spr[SPR_ROW_TB] += (uint32_t)value - (now & UINT32_MAX);
        break;
    case TBU_WRITE:
        now = timebase(c);
        c->spr[SPR_ROW_TB] += (value << 32) - (now & ~(uint64_t)UINT32_MAX);
        break;
    default:
        c->spr[row - sprs] = value;
        break;
    }
}

/* The time base is asked from outside: pc and retired are exact, and run looks around after. */
static int asks_outside(const spr_row *row)
{
    return row->kind == DEC || row->kind == TB || row->kind == TBU || row->kind == TB_WRITE ||
           row->kind == TBU_WRITE;
}

#define MOVED      UINT32_C(0x100) /* beside WEFT_CPU_*: done */
#define MOVED_LATE UINT32_C(0x101) /* done, and somebody outside was asked */

static PPC_NOINLINE uint32_t move(core *c, const op *o, uint64_t left, uint32_t number,
                                  uint32_t direction)
{
    uint32_t exit;
    const spr_row *row = allowed(c, number, direction, &exit);
    if (!row) {
        return exit;
    }
    int outside = asks_outside(row);
    if (outside) {
        sync_head(c, o, left);
    }
    if (direction == RO) {
        RD = read_spr(c, row);
    } else {
        write_spr(c, row, RD);
    }
    return outside ? MOVED_LATE : MOVED;
}

#define MOVE(number, direction)                                                                    \
    do {                                                                                           \
        uint32_t how_ = move(c, o, left, (number), (direction));                                   \
        if (UNLIKELY(how_ == MOVED_LATE)) {                                                        \
            NEXT_SLOWLY();                                                                         \
        }                                                                                          \
        if (UNLIKELY(how_ != MOVED)) {                                                             \
            return ppc_leave(c, o, left, how_);                                                    \
        }                                                                                          \
        NEXT();                                                                                    \
    } while (0)

HANDLER(op_mftb)
{
    uint32_t tbr = (o->imm >> 16 & 31) | (o->imm >> 6 & 0x3E0);
    if (tbr != sprs[SPR_ROW_TB].number && tbr != sprs[SPR_ROW_TBU].number) {
        return ppc_leave(c, o, left, WEFT_CPU_ILLEGAL);
    }
    MOVE(tbr, RO);
}

HANDLER(op_mfspr)
{
    MOVE(o->imm, RO);
}

HANDLER(op_mtspr)
{
    MOVE(o->imm, WO);
}
