/* The registers as the CPU sees them. */
#include "cp.h"

#include "endian.h"

/* Lines of a frame, blanking included: 720p has 750, 1080 lines 1125, 480 lines 525 (CEA-861). */
static uint32_t total_lines(uint32_t height)
{
    return height <= 480 ? height * 525 / 480 : height * 25 / 24;
}

/* The line being sent: the blank begins at line `height`, at floor(k * 1e9 / hz) for the k-th. */
static uint32_t scan_line(const weft_machine *machine, uint64_t tick)
{
    uint32_t hz = machine->vblank_hz != 0 ? machine->vblank_hz : 60;
    uint32_t total = total_lines(machine->height);
    /* + 1: at the very tick of a blank, floor has taken up to one tick away from its time. */
    uint64_t phase = (tick % WEFT_TICKS_PER_SECOND + 1) * hz % WEFT_TICKS_PER_SECOND;
    return total == 0
               ? 0
               : (uint32_t)((machine->height + phase * total / WEFT_TICKS_PER_SECOND) % total);
}

uint32_t xenos_mmio_read(xenos_cp *cp, uint32_t offset, uint64_t tick)
{
    uint32_t number = (offset & 0xFFFF) / 4;
    const weft_machine *machine = cp->host->machine;
    /* Constants: xenia src/xenia/gpu/graphics_system.cc ReadRegister, LESSONS 66. */
    switch (number) {
    case XENOS_RBBM_STATUS:
        return XENOS_RBBM_IDLE | (cp->armed != WEFT_TICK_NEVER ? XENOS_RBBM_ACTIVE : 0);
    case XENOS_CP_STAT:
        return cp->armed != WEFT_TICK_NEVER ? 0x80000000u : 0;
    case XENOS_RB_EDRAM_TIMING:
        return 0x08100748;
    case XENOS_RB_BC_CONTROL:
        return 0x0000200E;
    case XENOS_D1MODE_V_COUNTER:
        return scan_line(machine, tick);
    case XENOS_D1MODE_VBLANK_STATUS:
        return 1;
    case XENOS_D1MODE_VIEWPORT_SIZE:
        /* 0 makes the title's interrupt routine divide by zero. */
        return (machine->width & 0xFFF) << 16 | (machine->height & 0xFFF);
    default:
        return xenos_cp_get(cp, number);
    }
}

void xenos_mmio_write(xenos_cp *cp, uint32_t offset, uint32_t value, uint64_t tick)
{
    uint32_t number = (offset & 0xFFFF) / 4;
    cp->tick = tick;
    if (number == XENOS_CP_RB_RPTR) {
        return; /* read only */
    }
    if (number != XENOS_CP_RB_WPTR) {
        xenos_cp_set(cp, number, value);
        return;
    }
    if (cp->ring_dwords == 0) {
        cp->registers[number] = value;
        return;
    }
    if (value >= cp->ring_dwords) {
        xenos_cp_complain(cp, XENOS_WPTR_WILD, "CP_RB_WPTR is set beyond the end of the ring");
    }
    cp->write = value & (cp->ring_dwords - 1);
    cp->registers[number] = cp->write;
    if (cp->armed == WEFT_TICK_NEVER && cp->write != cp->read) {
        /* After the fetch of the first packet; a CPU that lags behind starts nothing in the past.
         */
        cp->armed = (tick > cp->ran ? tick : cp->ran) + cp->costs.packet;
    }
}
