#include "cp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "capture.h"
#include "endian.h"
#include "pm4.h"
#include "state.h"

void xenos_cp_init(xenos_cp *cp, const weft_host *host, const xenos_costs *costs,
                   xenos_drawing *drawing)
{
    cp->host = host;
    cp->costs = *costs;
    cp->drawing = drawing;
    cp->armed = WEFT_TICK_NEVER;
    cp->bin_mask = UINT64_MAX;
    cp->bin_select = UINT64_MAX;
    cp->stats.size = (uint32_t)sizeof cp->stats;
    xenos_gamma_linear(&cp->gamma);
    cp->registers[XENOS_DC_LUT_WRITE_EN_MASK] = 7;
}

void xenos_cp_end(xenos_cp *cp)
{
    free(cp->pixels);
    cp->pixels = NULL;
    xenos_drawing_free(cp->drawing);
    cp->drawing = NULL;
    char why[XENOS_CAPTURE_WHY];
    if (!xenos_capture_free(cp->capture, cp->stats.swaps, why)) {
        cp->host->fail(cp->host, WEFT_E_IO, why);
    }
    cp->capture = NULL;
}

void xenos_cp_complain(xenos_cp *cp, xenos_complaint kind, const char *what)
{
    cp->malformed++;
    if (cp->complained >> kind & 1) {
        return;
    }
    cp->complained |= UINT64_C(1) << kind;
    char line[160];
    snprintf(line, sizeof line, "gpu-xenos: %s (at guest time %llu ns; logged once)", what,
             (unsigned long long)cp->tick);
    cp->host->log(cp->host, WEFT_LOG_WARN, line);
}

void xenos_cp_emit(xenos_cp *cp, weft_event_buffer *event)
{
    event->head.thread = cp->identity;
    event->head.tick = cp->at;
    cp->host->emit(cp->host, &event->head);
}

weft_status xenos_cp_ring(xenos_cp *cp, uint32_t physical, uint32_t log2_quads)
{
    /* CP_RB_CNTL's size field has 6 bits; 1 << 29 bytes is all memory (LESSONS 61). */
    if (log2_quads > 26) {
        return WEFT_E_INVALID;
    }
    uint32_t bytes = UINT32_C(1) << (log2_quads + 3);
    physical &= XENOS_PHYSICAL_MASK & ~UINT32_C(3);
    if ((uint64_t)physical + bytes > cp->host->memory->physical_size) {
        return WEFT_E_INVALID;
    }
    cp->ring_base = physical;
    cp->ring_dwords = bytes / 4;
    cp->read = 0;
    cp->write = 0;
    cp->shown = 0;
    cp->mirrored = 0;
    cp->depth = 0;
    cp->call.size = 0;
    cp->waiting = 0;
    cp->armed = WEFT_TICK_NEVER;
    cp->registers[XENOS_CP_RB_WPTR] = 0;
    return WEFT_OK;
}

void xenos_cp_mirror(xenos_cp *cp, uint32_t physical, uint32_t log2_quads)
{
    cp->mirror = physical & XENOS_PHYSICAL_MASK & ~UINT32_C(3);
    cp->block = log2_quads < 31 ? UINT32_C(1) << log2_quads : UINT32_C(1) << 31;
    cp->mirrored = cp->shown;
}

int xenos_cp_load(xenos_cp *cp, uint32_t address, uint32_t *value)
{
    uint32_t at = address & XENOS_PHYSICAL_MASK & ~UINT32_C(3);
    const weft_memory *memory = cp->host->memory;
    if ((uint64_t)at + 4 > memory->physical_size) {
        xenos_cp_complain(cp, XENOS_BAD_ADDRESS, "a packet names memory that does not exist");
        return 0;
    }
    *value = xenos_swap32(xenos_load32(memory->physical + at), address & 3);
    return 1;
}

void xenos_cp_wrote(xenos_cp *cp, uint32_t start, uint32_t length)
{
    cp->host->memory->written_physical(cp->host->memory, start, length);
    if (cp->capture != NULL) {
        xenos_capture_wrote(cp->capture, cp->host->memory, start, length);
    }
}

int xenos_cp_store(xenos_cp *cp, uint32_t address, uint32_t value)
{
    uint32_t at = address & XENOS_PHYSICAL_MASK & ~UINT32_C(3);
    weft_memory *memory = cp->host->memory;
    if ((uint64_t)at + 4 > memory->physical_size) {
        xenos_cp_complain(cp, XENOS_BAD_ADDRESS, "a packet names memory that does not exist");
        return 0;
    }
    xenos_store32(memory->physical + at, xenos_swap32(value, address & 3));
    xenos_cp_wrote(cp, at, 4);
    return 1;
}

/* ---- registers ---- */

static void set_scratch(xenos_cp *cp, uint32_t index, uint32_t value)
{
    /* LESSONS 64: the driver arms its swap callback through this mirror. */
    if (cp->registers[XENOS_SCRATCH_UMSK] >> index & 1) {
        uint32_t base = cp->registers[XENOS_SCRATCH_ADDR] & ~UINT32_C(3);
        xenos_cp_store(cp, (base + index * 4) | XENOS_ENDIAN_8IN32, value);
    }
}

void xenos_cp_set(xenos_cp *cp, uint32_t number, uint32_t value)
{
    if (number >= XENOS_REGISTER_COUNT) {
        xenos_cp_complain(cp, XENOS_BAD_REGISTER, "a packet names a register beyond 0x7FFF");
        return;
    }
    cp->registers[number] = value;
    if (number >= XENOS_SCRATCH_REG0 && number <= XENOS_SCRATCH_REG7) {
        set_scratch(cp, number - XENOS_SCRATCH_REG0, value);
        return;
    }
    switch (number) {
    case XENOS_COHER_STATUS_HOST:
        cp->registers[number] |= XENOS_COHER_PENDING;
        break;
    case XENOS_RB_SAMPLE_COUNT_CTL:
        if (value & 1) { /* reset (Mesa a2xx.xml) */
            xenos_drawing_counts(cp->drawing, &cp->counted);
        }
        break;
    case XENOS_DC_LUT_RW_INDEX:
    case XENOS_DC_LUT_SEQ_COLOR:
    case XENOS_DC_LUT_PWL_DATA:
    case XENOS_DC_LUT_30_COLOR:
        cp->registers[XENOS_DC_LUT_RW_INDEX] =
            xenos_gamma_write(&cp->gamma, number, value, cp->registers[XENOS_DC_LUT_RW_INDEX],
                              cp->registers[XENOS_DC_LUT_WRITE_EN_MASK]);
        break;
    default:
        break;
    }
}

uint32_t xenos_cp_get(xenos_cp *cp, uint32_t number)
{
    if (number >= XENOS_REGISTER_COUNT) {
        xenos_cp_complain(cp, XENOS_BAD_REGISTER, "a packet names a register beyond 0x7FFF");
        return 0;
    }
    switch (number) {
    case XENOS_COHER_STATUS_HOST:
        /* There is no cache: whoever looks finds the action done (xenia, MakeCoherent). */
        if (cp->registers[number] & XENOS_COHER_PENDING) {
            cp->registers[number] = 0;
        }
        break;
    case XENOS_RBBM_STATUS:
        /* What stands before a packet is over when it runs: the engines are idle. */
        return XENOS_RBBM_IDLE;
    case XENOS_CP_RB_RPTR:
        return cp->shown;
    default:
        break;
    }
    return cp->registers[number];
}

/* ---- where packets come from ---- */

/* Dwords left in the buffer that is being read. */
static uint32_t available(const xenos_cp *cp)
{
    if (cp->depth > 0) {
        return cp->stack[cp->depth - 1].size - cp->stack[cp->depth - 1].next;
    }
    return cp->ring_dwords != 0 ? (cp->write - cp->read) & (cp->ring_dwords - 1) : 0;
}

uint32_t xenos_cp_dword(const xenos_cp *cp, uint32_t index)
{
    if (cp->direct != NULL) {
        return index < cp->direct_dwords ? cp->direct[index] : 0;
    }
    uint32_t at;
    if (cp->depth > 0) {
        const xenos_ib *ib = &cp->stack[cp->depth - 1];
        at = ib->base + (ib->next + index) * 4;
    } else {
        at = cp->ring_base + ((cp->read + index) & (cp->ring_dwords - 1)) * 4;
    }
    return weft_load32(cp->host->memory->physical + at);
}

static void consume(xenos_cp *cp, uint32_t dwords)
{
    if (cp->depth > 0) {
        cp->stack[cp->depth - 1].next += dwords;
    } else {
        cp->read = (cp->read + dwords) & (cp->ring_dwords - 1);
    }
    /* A call pushes behind its own packet; buffers that are read to the end are left (LESSONS 63).
     */
    if (cp->call.size != 0) {
        cp->stack[cp->depth++] = cp->call;
        cp->call.size = 0;
    }
    while (cp->depth > 0 && cp->stack[cp->depth - 1].next == cp->stack[cp->depth - 1].size) {
        cp->depth--;
    }
}

/* Gives up what is left of a buffer whose packets do not fit it. */
static void abandon(xenos_cp *cp)
{
    if (cp->depth > 0) {
        xenos_cp_complain(cp, XENOS_BAD_IB, "a packet is longer than its indirect buffer");
    } else {
        xenos_cp_complain(cp, XENOS_RING_CORRUPT, "a packet is longer than the ring");
    }
    consume(cp, available(cp));
}

/* Makes the read pointer visible, and mirrors it when a block was read or nothing is left. */
static void publish(xenos_cp *cp)
{
    cp->shown = cp->read;
    if (cp->mirror == 0 || cp->shown == cp->mirrored) {
        return;
    }
    uint32_t gone = (cp->shown - cp->mirrored) & (cp->ring_dwords - 1);
    if (gone >= cp->block || (cp->depth == 0 && cp->shown == cp->write)) {
        cp->mirrored = cp->shown;
        xenos_cp_store(cp, cp->mirror | XENOS_ENDIAN_8IN32, cp->shown);
    }
}

/* ---- packets ---- */

uint32_t xenos_packet_dwords(uint32_t header)
{
    if (header == 0) {
        return 1;
    }
    switch (header >> 30) {
    case 1:
        return 3;
    case 2:
        return 1;
    default:
        return 2 + (header >> 16 & 0x3FFF);
    }
}

static int registers_visible(uint32_t first, uint32_t count)
{
    return first <= XENOS_SCRATCH_REG7 && (uint64_t)first + count > XENOS_SCRATCH_REG0;
}

/* Does the guest notice this packet without asking the GPU? */
static int packet_visible(const xenos_cp *cp, uint32_t header)
{
    switch (header >> 30) {
    case 0:
        return header != 0 && registers_visible(header & 0x7FFF,
                                                header & 0x8000 ? 1 : 1 + (header >> 16 & 0x3FFF));
    case 1:
        return registers_visible(header & 0x7FF, 1) || registers_visible(header >> 11 & 0x7FF, 1);
    case 2:
        return 0;
    default:
        break;
    }
    const xenos_packet *row = xenos_packet_find(header >> 8 & 0x7F);
    if (row != NULL && row->flags & XENOS_PACKET_DRAW) {
        return xenos_drawing_visible(cp->drawing, cp->registers);
    }
    if (row != NULL && row->flags & XENOS_PACKET_REGISTER) {
        return registers_visible(xenos_cp_dword(cp, 1) & 0xFFFF, 1 + (header >> 16 & 0x3FFF));
    }
    return row != NULL && row->flags & XENOS_PACKET_VISIBLE;
}

/* Where a packet's header lies: physical address. */
static uint32_t packet_address(const xenos_cp *cp)
{
    if (cp->depth > 0) {
        const xenos_ib *ib = &cp->stack[cp->depth - 1];
        return ib->base + ib->next * 4;
    }
    return cp->ring_base + cp->read * 4;
}

/* gpu.packet, once for each, also for one that has to wait. `opcode` is that of type 3, else 0. */
static void emit_packet(xenos_cp *cp, uint32_t header, uint32_t dwords)
{
    if (!weft_host_wants(cp->host, WEFT_EVENT_GPU_PACKET) || cp->waiting) {
        return;
    }
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_GPU_PACKET);
    weft_event_word(&event, packet_address(cp));
    weft_event_word(&event, header);
    weft_event_word(&event, header >> 30 == 3 ? header >> 8 & 0x7F : 0);
    weft_event_word(&event, dwords - 1);
    xenos_cp_emit(cp, &event);
}

static void unknown_packet(xenos_cp *cp, uint32_t opcode, uint32_t count)
{
    cp->stats.unknown_packets++;
    if (cp->unknown[opcode >> 6] >> (opcode & 63) & 1) {
        return;
    }
    cp->unknown[opcode >> 6] |= UINT64_C(1) << (opcode & 63);
    char line[160];
    snprintf(line, sizeof line, "gpu-xenos: PM4 packet 0x%02X is not known; %u dwords skipped",
             (unsigned)opcode, (unsigned)count);
    cp->host->log(cp->host, WEFT_LOG_WARN, line);
}

static xenos_outcome run_type3(xenos_cp *cp, uint32_t header)
{
    uint32_t opcode = header >> 8 & 0x7F;
    uint32_t count = 1 + (header >> 16 & 0x3FFF);
    if (header & 1) {
        /* Predicated: only for bins that are drawn now. A swap of ours never is
         * (xenia command_processor.cc, ExecutePacketType3). */
        if ((cp->bin_mask & cp->bin_select) == 0 || opcode == XENOS_PM4_XE_SWAP) {
            return XENOS_DONE;
        }
    }
    const xenos_packet *row = xenos_packet_find(opcode);
    if (row == NULL) {
        unknown_packet(cp, opcode, count);
        return XENOS_DONE;
    }
    if (count < row->minimum) {
        xenos_cp_complain(cp, XENOS_BAD_COUNT, "a packet lacks dwords that its opcode needs");
        return XENOS_DONE;
    }
    return row->run(cp, count);
}

static xenos_outcome run_packet(xenos_cp *cp, uint32_t header)
{
    if (header == 0) {
        return XENOS_DONE;
    }
    switch (header >> 30) {
    case 0:
        for (uint32_t i = 0; i <= (header >> 16 & 0x3FFF); i++) {
            uint32_t number = (header & 0x7FFF) + (header & 0x8000 ? 0 : i);
            xenos_cp_set(cp, number, xenos_cp_dword(cp, 1 + i));
        }
        return XENOS_DONE;
    case 1:
        xenos_cp_set(cp, header & 0x7FF, xenos_cp_dword(cp, 1));
        xenos_cp_set(cp, header >> 11 & 0x7FF, xenos_cp_dword(cp, 2));
        return XENOS_DONE;
    case 2:
        return XENOS_DONE;
    default:
        return run_type3(cp, header);
    }
}

uint64_t xenos_cp_run(xenos_cp *cp, uint64_t tick)
{
    cp->tick = tick;
    cp->ran = tick;
    publish(cp);
    uint64_t spent = 0;
    while (spent < cp->costs.batch) {
        uint32_t left = available(cp);
        if (left == 0) {
            break;
        }
        uint32_t header = xenos_cp_dword(cp, 0);
        uint32_t dwords = xenos_packet_dwords(header);
        if (dwords > left) {
            if (cp->depth == 0 && dwords < cp->ring_dwords) {
                break; /* the CPU has not written it to the end */
            }
            abandon(cp);
            spent += cp->costs.packet;
            continue;
        }
        int visible = packet_visible(cp, header);
        if (visible && spent > 0) {
            break;
        }
        cp->extra = 0;
        cp->until = 0;
        cp->at = tick + spent;
        emit_packet(cp, header, dwords);
        if (cp->capture != NULL && !cp->waiting) {
            xenos_capture_packet(cp->capture, cp, packet_address(cp), dwords);
        }
        if (cp->skip > 0) {
            cp->skip -= dwords < cp->skip ? dwords : cp->skip;
        } else if (run_packet(cp, header) == XENOS_WAIT) {
            cp->waiting = 1;
            cp->armed = cp->until > tick ? cp->until : tick + cp->costs.poll;
            return cp->armed;
        }
        cp->waiting = 0;
        cp->stats.packets++;
        consume(cp, dwords);
        spent += cp->costs.packet + cp->costs.dword * dwords + cp->extra;
        if (visible) {
            break;
        }
    }
    cp->armed = spent > 0 ? tick + spent : WEFT_TICK_NEVER;
    return cp->armed;
}

void xenos_cp_execute(xenos_cp *cp, const uint32_t *packet, uint32_t dwords)
{
    cp->direct = packet;
    cp->direct_dwords = dwords;
    if (cp->skip > 0) {
        cp->skip -= dwords < cp->skip ? dwords : cp->skip;
    } else {
        run_packet(cp, packet[0]);
    }
    cp->stats.packets++;
    cp->call.size = 0;
    cp->direct = NULL;
}

uint64_t xenos_cp_digest(const xenos_cp *cp)
{
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL) {
        return 0;
    }
    const uint64_t words[] = {cp->ring_base, cp->ring_dwords, cp->read,       cp->write,
                              cp->shown,     cp->mirror,      cp->block,      cp->mirrored,
                              cp->depth,     cp->bin_mask,    cp->bin_select, cp->counter};
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, words, sizeof words);
    XXH3_64bits_update(state, cp->stack, cp->depth * sizeof cp->stack[0]);
    XXH3_64bits_update(state, &cp->gamma, sizeof cp->gamma);
    XXH3_64bits_update(state, cp->registers, sizeof cp->registers);
    for (uint32_t i = 0; i < 2; i++) {
        const xenos_shader *shader = &cp->shaders[i];
        XXH3_64bits_update(state, shader, 8 + shader->size * sizeof shader->code[0]);
    }
    const uint8_t *edram = xenos_drawing_edram(cp->drawing);
    if (edram != NULL) {
        XXH3_64bits_update(state, edram, XENOS_EDRAM_BYTES);
    }
    uint64_t digest = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return digest;
}
