/* The type-3 packets: one row each, one handler each. What they mean: xenia
 * src/xenia/gpu/command_processor.cc and xenos.h, unless a handler names another source. */
#include "pm4.h"

#include <stddef.h>

#include "endian.h"
#include "primitive.h"
#include "state.h"
#include "swap.h"

static uint32_t arg(const xenos_cp *cp, uint32_t index)
{
    return xenos_cp_dword(cp, 1 + index);
}

static xenos_outcome run_nothing(xenos_cp *cp, uint32_t count)
{
    return XENOS_DONE;
}

/* ---- conditions ---- */

static int compare(uint32_t function, uint32_t value, uint32_t reference)
{
    switch (function & 7) {
    case 0:
        return 0;
    case 1:
        return value < reference;
    case 2:
        return value <= reference;
    case 3:
        return value == reference;
    case 4:
        return value != reference;
    case 5:
        return value >= reference;
    case 6:
        return value > reference;
    default:
        return 1;
    }
}

/* {info, address, reference, mask}: info 2:0 the comparison, 4 memory instead of a register. Memory
 * that does not exist matches nothing, -1: a wait for it would never end. */
static int condition(xenos_cp *cp)
{
    uint32_t info = arg(cp, 0);
    uint32_t value;
    if (info & 0x10) {
        if (!xenos_cp_load(cp, arg(cp, 1), &value)) {
            return -1;
        }
    } else {
        value = xenos_cp_get(cp, arg(cp, 1));
    }
    return compare(info, value & arg(cp, 3), arg(cp, 2));
}

static xenos_outcome run_wait_reg_mem(xenos_cp *cp, uint32_t count)
{
    return condition(cp) == 0 ? XENOS_WAIT : XENOS_DONE;
}

/* {register, reference, mask, interval}: Mesa's freedreno a2xx waits so for RBBM_STATUS. */
static xenos_outcome run_wait_reg_eq(xenos_cp *cp, uint32_t count)
{
    return (xenos_cp_get(cp, arg(cp, 0)) & arg(cp, 2)) == arg(cp, 1) ? XENOS_DONE : XENOS_WAIT;
}

static xenos_outcome run_wait_reg_gte(xenos_cp *cp, uint32_t count)
{
    return (xenos_cp_get(cp, arg(cp, 0)) & arg(cp, 2)) >= arg(cp, 1) ? XENOS_DONE : XENOS_WAIT;
}

/* The condition's four dwords, then {address, value}; info bit 8: to memory. */
static xenos_outcome run_cond_write(xenos_cp *cp, uint32_t count)
{
    if (condition(cp) <= 0) {
        return XENOS_DONE;
    }
    if (arg(cp, 0) & 0x100) {
        xenos_cp_store(cp, arg(cp, 4), arg(cp, 5));
    } else {
        xenos_cp_set(cp, arg(cp, 4), arg(cp, 5));
    }
    return XENOS_DONE;
}

/* ---- registers and memory ---- */

/* {info, and, or}: register info[12:0]; info bit 31: `and` names a register, bit 30: `or` does. */
static xenos_outcome run_reg_rmw(xenos_cp *cp, uint32_t count)
{
    uint32_t info = arg(cp, 0);
    uint32_t value = xenos_cp_get(cp, info & 0x1FFF);
    value &= info >> 31 ? xenos_cp_get(cp, arg(cp, 1) & 0x1FFF) : arg(cp, 1);
    value |= info >> 30 & 1 ? xenos_cp_get(cp, arg(cp, 2) & 0x1FFF) : arg(cp, 2);
    xenos_cp_set(cp, info & 0x1FFF, value);
    return XENOS_DONE;
}

/* {register, address}; bits 31:18 of the register: how many behind one another, 0 is 1 (Linux's msm
 * adreno_a2xx.c, REG_TO_MEM_LOOP_COUNT_SHIFT). */
static xenos_outcome run_reg_to_mem(xenos_cp *cp, uint32_t count)
{
    uint32_t number = arg(cp, 0) & 0x3FFFF;
    uint32_t registers = arg(cp, 0) >> 18;
    for (uint32_t i = 0; i < (registers ? registers : 1); i++) {
        if (!xenos_cp_store(cp, arg(cp, 1) + i * 4, xenos_cp_get(cp, number + i))) {
            break;
        }
    }
    return XENOS_DONE;
}

static xenos_outcome run_mem_write(xenos_cp *cp, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (!xenos_cp_store(cp, arg(cp, 0) + (i - 1) * 4, arg(cp, i))) {
            break;
        }
    }
    return XENOS_DONE;
}

uint32_t xenos_constant_register(uint32_t offset_type)
{
    static const uint32_t bases[] = {XENOS_CONSTANT_ALU, XENOS_CONSTANT_FETCH, XENOS_CONSTANT_BOOL,
                                     XENOS_CONSTANT_LOOP, 0x2000};
    uint32_t type = offset_type >> 16 & 0xFF;
    return type < sizeof bases / sizeof bases[0] ? bases[type] + (offset_type & 0x7FF) : UINT32_MAX;
}

static xenos_outcome run_set_constant(xenos_cp *cp, uint32_t count)
{
    uint32_t number = xenos_constant_register(arg(cp, 0));
    if (number == UINT32_MAX) {
        xenos_cp_complain(cp, XENOS_BAD_CONSTANT, "a constant packet names a type above 4");
        return XENOS_DONE;
    }
    for (uint32_t i = 1; i < count; i++) {
        xenos_cp_set(cp, number + i - 1, arg(cp, i));
    }
    return XENOS_DONE;
}

/* SET_CONSTANT2 and SET_SHADER_CONSTANTS: the register's number itself. */
static xenos_outcome run_set_registers(xenos_cp *cp, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        xenos_cp_set(cp, (arg(cp, 0) & 0xFFFF) + i - 1, arg(cp, i));
    }
    return XENOS_DONE;
}

/* {address, offset and type, dwords}: big-endian values from `first` dwords behind the address. */
static xenos_outcome load_constants(xenos_cp *cp, uint32_t first)
{
    uint32_t number = xenos_constant_register(arg(cp, 1));
    uint32_t size = arg(cp, 2) & 0xFFF;
    if (number == UINT32_MAX) {
        xenos_cp_complain(cp, XENOS_BAD_CONSTANT, "a constant packet names a type above 4");
        return XENOS_DONE;
    }
    for (uint32_t i = 0; i < size; i++) {
        uint32_t value;
        uint32_t address = (arg(cp, 0) & ~UINT32_C(3)) + (first + i) * 4;
        if (!xenos_cp_load(cp, address | XENOS_ENDIAN_8IN32, &value)) {
            break;
        }
        xenos_cp_set(cp, number + i, value);
    }
    cp->extra = cp->costs.dword * size;
    return XENOS_DONE;
}

static xenos_outcome run_load_alu_constant(xenos_cp *cp, uint32_t count)
{
    return load_constants(cp, 0);
}

/* The address is that of a shadow of all constants of the type: the first value lies as far behind it
 * as its constant behind the first (Mesa's fd2_draw.c reads register 0x200F at byte 60). */
static xenos_outcome run_load_constant_context(xenos_cp *cp, uint32_t count)
{
    return load_constants(cp, arg(cp, 1) & 0x7FF);
}

/* ---- shaders ---- */

static void shader_loaded(xenos_cp *cp, uint32_t stage)
{
    xenos_drawing_shader(cp->drawing, stage, cp->shaders[stage].code, cp->shaders[stage].size);
}

/* {address and type, start and size}: type in bits 1:0, 0 vertex, 1 pixel. */
static xenos_outcome run_im_load(xenos_cp *cp, uint32_t count)
{
    uint32_t type = arg(cp, 0) & 3;
    uint32_t size = arg(cp, 1) & 0xFFFF;
    uint32_t at = arg(cp, 0) & XENOS_PHYSICAL_MASK & ~UINT32_C(3);
    const weft_memory *memory = cp->host->memory;
    if (type > 1 || (uint64_t)at + size * UINT64_C(4) > memory->physical_size) {
        xenos_cp_complain(cp, XENOS_BAD_SHADER, "a shader's kind or memory does not exist");
        return XENOS_DONE;
    }
    xenos_shader *shader = &cp->shaders[type];
    shader->start = arg(cp, 1) >> 16;
    shader->size = size;
    for (uint32_t i = 0; i < size; i++) {
        shader->code[i] = weft_load32(memory->physical + at + i * 4);
    }
    shader_loaded(cp, type);
    cp->extra = cp->costs.dword * size;
    return XENOS_DONE;
}

/* {type, start and size, code ...}. */
static xenos_outcome run_im_load_immediate(xenos_cp *cp, uint32_t count)
{
    uint32_t size = arg(cp, 1) & 0xFFFF;
    if (arg(cp, 0) > 1 || size > count - 2) {
        xenos_cp_complain(cp, XENOS_BAD_SHADER,
                          "a shader's kind or length does not fit its packet");
        return XENOS_DONE;
    }
    xenos_shader *shader = &cp->shaders[arg(cp, 0)];
    shader->start = arg(cp, 1) >> 16;
    shader->size = size;
    for (uint32_t i = 0; i < size; i++) {
        shader->code[i] = arg(cp, 2 + i);
    }
    shader_loaded(cp, arg(cp, 0));
    return XENOS_DONE;
}

/* {address and type, start and size}: what IM_LOAD read goes back, as far as there is any (Linux's
 * msm adreno_a2xx.c saves contexts so). Type 2, shared code, does not exist here. */
static xenos_outcome run_im_store(xenos_cp *cp, uint32_t count)
{
    uint32_t type = arg(cp, 0) & 3;
    uint32_t size = arg(cp, 1) & 0xFFFF;
    if (type > 1) {
        xenos_cp_complain(cp, XENOS_BAD_SHADER, "a shader's kind or memory does not exist");
        return XENOS_DONE;
    }
    const xenos_shader *shader = &cp->shaders[type];
    for (uint32_t i = 0; i < size && i < shader->size; i++) {
        uint32_t address = (arg(cp, 0) & ~UINT32_C(3)) + i * 4;
        if (!xenos_cp_store(cp, address | XENOS_ENDIAN_8IN32, shader->code[i])) {
            break;
        }
    }
    return XENOS_DONE;
}

/* {bases}: how instruction memory is shared out. Each stage has its own here: kept, for the digest. */
static xenos_outcome run_set_shader_bases(xenos_cp *cp, uint32_t count)
{
    cp->shader_bases = arg(cp, 0);
    return XENOS_DONE;
}

/* ---- flow ---- */

/* {address, dwords}: read after this packet, then reading goes on here. */
static xenos_outcome run_indirect_buffer(xenos_cp *cp, uint32_t count)
{
    uint32_t base = arg(cp, 0) & XENOS_PHYSICAL_MASK & ~UINT32_C(3);
    uint32_t size = arg(cp, 1) & 0xFFFFF;
    if ((uint64_t)base + size * UINT64_C(4) > cp->host->memory->physical_size) {
        xenos_cp_complain(cp, XENOS_BAD_IB, "an indirect buffer lies beyond physical memory");
    } else if (cp->depth == XENOS_IB_DEPTH) {
        xenos_cp_complain(cp, XENOS_IB_TOO_DEEP, "indirect buffers are nested deeper than 8");
    } else {
        cp->call = (xenos_ib){.base = base, .next = 0, .size = size};
    }
    return XENOS_DONE;
}

/* {address A >> 2, address B >> 2, reference, dwords}: the dwords behind the packet are executed if
 * memory at A is not 0 and memory at B is below the reference (Linux's msm adreno_ringbuffer.c; Mesa's
 * adreno_pm4.xml). Counted in whole packets. */
static xenos_outcome run_cond_exec(xenos_cp *cp, uint32_t count)
{
    uint32_t enable, value;
    if (!xenos_cp_load(cp, arg(cp, 0) << 2 | XENOS_ENDIAN_8IN32, &enable) ||
        !xenos_cp_load(cp, arg(cp, 1) << 2 | XENOS_ENDIAN_8IN32, &value)) {
        return XENOS_DONE;
    }
    if (enable == 0 || value >= arg(cp, 2)) {
        cp->skip = arg(cp, 3) & 0x3FFF;
    }
    return XENOS_DONE;
}

static xenos_outcome run_interrupt(xenos_cp *cp, uint32_t count)
{
    uint32_t mask = arg(cp, 0) & 0x3F; /* six hardware threads */
    if (mask != 0) {
        weft_event_buffer event;
        weft_event_begin(&event, WEFT_EVENT_GPU_INTERRUPT);
        weft_event_word(&event, mask);
        xenos_cp_emit(cp, &event);
    }
    if (mask != 0 && cp->calls.interrupt != NULL) {
        cp->calls.interrupt(cp->calls.context, WEFT_GPU_INTERRUPT_CP, mask, cp->tick);
    }
    return XENOS_DONE;
}

static void set_low(uint64_t *word, uint32_t value)
{
    *word = (*word & UINT64_C(0xFFFFFFFF00000000)) | value;
}

static void set_high(uint64_t *word, uint32_t value)
{
    *word = (*word & UINT64_C(0xFFFFFFFF)) | (uint64_t)value << 32;
}

static xenos_outcome run_bin_mask(xenos_cp *cp, uint32_t count)
{
    cp->bin_mask = (uint64_t)arg(cp, 0) << 32 | arg(cp, 1);
    return XENOS_DONE;
}

static xenos_outcome run_bin_select(xenos_cp *cp, uint32_t count)
{
    cp->bin_select = (uint64_t)arg(cp, 0) << 32 | arg(cp, 1);
    return XENOS_DONE;
}

static xenos_outcome run_bin_mask_lo(xenos_cp *cp, uint32_t count)
{
    set_low(&cp->bin_mask, arg(cp, 0));
    return XENOS_DONE;
}

static xenos_outcome run_bin_mask_hi(xenos_cp *cp, uint32_t count)
{
    set_high(&cp->bin_mask, arg(cp, 0));
    return XENOS_DONE;
}

static xenos_outcome run_bin_select_lo(xenos_cp *cp, uint32_t count)
{
    set_low(&cp->bin_select, arg(cp, 0));
    return XENOS_DONE;
}

static xenos_outcome run_bin_select_hi(xenos_cp *cp, uint32_t count)
{
    set_high(&cp->bin_select, arg(cp, 0));
    return XENOS_DONE;
}

/* ---- events ---- */

static void initiate(xenos_cp *cp)
{
    xenos_cp_set(cp, XENOS_VGT_EVENT_INITIATOR, arg(cp, 0) & 0x3F);
}

/* {event}, or {event, address, value}: a fence, as Linux's msm a2xx driver writes it. */
static xenos_outcome run_event_write(xenos_cp *cp, uint32_t count)
{
    initiate(cp);
    if (count >= 3) {
        xenos_cp_store(cp, arg(cp, 1), arg(cp, 2));
    }
    return XENOS_DONE;
}

/* {event, address, value}; bit 31 of the event: the counter instead of the value. */
static xenos_outcome run_event_write_shd(xenos_cp *cp, uint32_t count)
{
    initiate(cp);
    uint32_t value = arg(cp, 0) >> 31 ? (uint32_t)cp->counter : arg(cp, 2);
    xenos_cp_store(cp, arg(cp, 1), value);
    return XENOS_DONE;
}

/* {address}: the counter of EVENT_WRITE_SHD. */
static xenos_outcome run_mem_write_cntr(xenos_cp *cp, uint32_t count)
{
    xenos_cp_store(cp, arg(cp, 0), (uint32_t)cp->counter);
    return XENOS_DONE;
}

static uint32_t extent_dword(uint32_t low, uint32_t high)
{
    return (low & 0xFFFF) | high << 16;
}

/* {event, address}: six 16-bit numbers, least and greatest x, y (in 8 pixels) and z of what was drawn
 * since the last such event (US patent 2006/0055701). A back-end without pixels answers with what lets
 * a title leave nothing out, everything: 0..8192 >> 3, z 0..1. */
static xenos_outcome run_event_write_ext(xenos_cp *cp, uint32_t count)
{
    uint32_t extents[3] = {extent_dword(0, 1024), extent_dword(0, 1024), extent_dword(0, 1)};
    xenos_extents drawn;
    initiate(cp);
    if (xenos_drawing_extents(cp->drawing, &drawn)) {
        extents[0] = extent_dword(drawn.x0 >> 3, (drawn.x1 + 7) >> 3);
        extents[1] = extent_dword(drawn.y0 >> 3, (drawn.y1 + 7) >> 3);
        /* whole numbers: 0 unless everything lies at 1, 1 unless everything lies at 0 */
        extents[2] = extent_dword(drawn.z0 >= 1.0f, drawn.z1 > 0.0f);
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (!xenos_cp_store(cp, arg(cp, 1) + i * 4, extents[i])) {
            break;
        }
    }
    return XENOS_DONE;
}

/* {event}: 8 little-endian counts since RB_SAMPLE_COUNT_CTL reset them (total, z fail, z pass, stencil
 * fail; of render back-end A and B each) to RB_SAMPLE_COUNT_ADDR. A title adds A and B: A has all. */
static xenos_outcome run_event_write_zpd(xenos_cp *cp, uint32_t count)
{
    xenos_counts now;
    initiate(cp);
    xenos_drawing_counts(cp->drawing, &now);
    const uint64_t words[8] = {
        now.total - cp->counted.total,
        0,
        now.z_fail - cp->counted.z_fail,
        0,
        now.z_pass - cp->counted.z_pass,
        0,
        now.stencil_fail - cp->counted.stencil_fail,
        0,
    };
    uint32_t base = cp->registers[XENOS_RB_SAMPLE_COUNT_ADDR] & ~UINT32_C(3);
    for (uint32_t i = 0; i < 8; i++) {
        if (!xenos_cp_store(cp, base + i * 4, (uint32_t)words[i])) {
            break;
        }
    }
    return XENOS_DONE;
}

static uint32_t query_register(uint32_t id)
{
    return id < 32 ? XENOS_VIZ_QUERY_STATUS_0 : XENOS_VIZ_QUERY_STATUS_1;
}

/* {id and end}: bits 5:0 the query, bit 8 its end. The query is visible if a sample passed since it
 * began. A back-end without pixels answers "visible": a title then draws what it would have left out. */
static xenos_outcome run_viz_query(xenos_cp *cp, uint32_t count)
{
    enum { VIZQUERY_START = 7, VIZQUERY_END = 8 };
    uint32_t id = arg(cp, 0) & 0x3F;
    int end = (arg(cp, 0) & 0x100) != 0;
    xenos_counts now;
    int counts = xenos_drawing_counts(cp->drawing, &now);
    xenos_cp_set(cp, XENOS_VGT_EVENT_INITIATOR, end ? VIZQUERY_END : VIZQUERY_START);
    if (!end) {
        cp->query = now;
    } else if (!counts || now.z_pass != cp->query.z_pass) {
        cp->registers[query_register(id)] |= UINT32_C(1) << (id & 31);
    } else {
        cp->registers[query_register(id)] &= ~(UINT32_C(1) << (id & 31));
    }
    return XENOS_DONE;
}

/* ---- drawing ---- */

static void emit_draw(xenos_cp *cp, uint32_t initiator, uint32_t indices)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_GPU_DRAW);
    weft_event_word(&event, cp->stats.draws);
    weft_event_word(&event, initiator);
    weft_event_word(&event, initiator >> 16);
    weft_event_word(&event, indices);
    xenos_cp_emit(cp, &event);
}

/* A draw while RB_MODECONTROL says 6 copies from EDRAM to memory: its vertices are the rectangle
 * (xenia command_processor.cc, IssueCopy). The source is what RB_COPY_CONTROL 2:0 selects: a colour
 * target, or 4 the depth target. */
static void emit_resolve(xenos_cp *cp)
{
    const uint32_t *r = cp->registers;
    uint32_t select = r[XENOS_RB_COPY_CONTROL] & 7;
    uint32_t source = select == 0  ? XENOS_RB_COLOR_INFO
                      : select < 4 ? XENOS_RB_COLOR1_INFO + select - 1
                                   : XENOS_RB_DEPTH_INFO;
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_GPU_RESOLVE);
    weft_event_word(&event, r[XENOS_RB_COPY_CONTROL]);
    weft_event_word(&event, r[source]);
    weft_event_word(&event, r[XENOS_RB_COPY_DEST_BASE]);
    weft_event_word(&event, r[XENOS_RB_COPY_DEST_PITCH]);
    weft_event_word(&event, r[XENOS_RB_COPY_DEST_INFO]);
    xenos_cp_emit(cp, &event);
}

#define IMMEDIATE_DWORDS 0x4000u

/* Indices in the packet itself, in host order: `dwords` hold `count`, two to a dword if narrow. */
static uint32_t immediate_indices(xenos_cp *cp, xenos_draw *draw, uint32_t first, uint32_t dwords,
                                  uint32_t *room)
{
    for (uint32_t i = 0; i < dwords; i++) {
        room[i] = arg(cp, first + i);
    }
    draw->immediate = room;
    draw->immediate_dwords = dwords;
    uint32_t held = draw->wide ? dwords : dwords * 2;
    return draw->count < held ? draw->count : held;
}

/* {initiator}, then for indices from memory (source 0) {address, size and byte order}, for immediate
 * ones (1) the indices. */
static xenos_outcome draw(xenos_cp *cp, uint32_t first, uint32_t count)
{
    uint32_t initiator = arg(cp, first);
    uint32_t room[IMMEDIATE_DWORDS];
    xenos_resolved done;
    xenos_draw what = {
        .registers = cp->registers,
        .number = cp->stats.draws,
        .primitive = initiator & 0x3F,
        .source = initiator >> 6 & 3,
        .count = initiator >> 16,
        .wide = initiator >> 11 & 1,
    };
    xenos_cp_set(cp, XENOS_VGT_DRAW_INITIATOR, initiator);
    if (what.source == 3 || (what.source == XENOS_INDICES_MEMORY && count < first + 3)) {
        xenos_cp_complain(cp, XENOS_BAD_DRAW, "a draw's index source does not fit its packet");
        return XENOS_DONE;
    }
    if (what.source == XENOS_INDICES_MEMORY) {
        uint32_t size = arg(cp, first + 2);
        xenos_cp_set(cp, XENOS_VGT_DMA_BASE, arg(cp, first + 1));
        xenos_cp_set(cp, XENOS_VGT_DMA_SIZE, size);
        what.base = arg(cp, first + 1) & XENOS_PHYSICAL_MASK & (what.wide ? ~3u : ~1u);
        what.endian = size >> 30;
        what.count = what.count < (size & 0xFFFFFF) ? what.count : size & 0xFFFFFF;
    } else if (what.source == XENOS_INDICES_IMMEDIATE) {
        what.count = immediate_indices(cp, &what, first + 1, count - first - 1, room);
    }
    emit_draw(cp, initiator, what.source == 0 ? arg(cp, first + 1) & XENOS_PHYSICAL_MASK : 0);
    if ((cp->registers[XENOS_RB_MODECONTROL] & 7) == XENOS_MODE_COPY) {
        emit_resolve(cp);
    } else if (!xenos_primitives_known(&what) && !xenos_patches_known(&what)) {
        xenos_cp_complain(cp, XENOS_BAD_PRIMITIVE, "a draw's type of primitive is not drawn");
    }
    xenos_drawing_draw(cp->drawing, cp->registers, &what, &done);
    cp->stats.draws++;
    cp->extra = cp->costs.draw + cp->costs.vertex * what.count;
    return XENOS_DONE;
}

/* A visibility token comes first: bits 5:0 a query; bit 8: nothing is drawn if that was not visible.
 * Behind the draw DRAW_INDX_BIN names bins of its primitives, by which a title spares what lies in no
 * tile that is drawn now; the scissor leaves that out as well. */
static xenos_outcome run_draw_indx(xenos_cp *cp, uint32_t count)
{
    uint32_t id = arg(cp, 0) & 0x3F;
    if (arg(cp, 0) & 0x100 && !(cp->registers[query_register(id)] >> (id & 31) & 1)) {
        return XENOS_DONE;
    }
    return draw(cp, 1, count);
}

static xenos_outcome run_draw_indx_2(xenos_cp *cp, uint32_t count)
{
    return draw(cp, 0, count);
}

static xenos_outcome run_bin_base_offset(xenos_cp *cp, uint32_t count)
{
    cp->bin_base = arg(cp, 0);
    return XENOS_DONE;
}

/* Vertical blanks so far: the k-th, from 1 on, is at floor(k * 1e9 / hz) as the kernel counts. */
static uint64_t blanks(const xenos_cp *cp, uint32_t hz)
{
    uint64_t seconds = cp->tick / WEFT_TICKS_PER_SECOND;
    return seconds * hz + (cp->tick % WEFT_TICKS_PER_SECOND + 1) * hz / WEFT_TICKS_PER_SECOND;
}

/* vsync: has a frame been shown since the latest vertical blank? Then the next waits for another. */
static int too_early(xenos_cp *cp)
{
    if (!cp->costs.vsync || cp->direct != NULL) {
        return 0;
    }
    uint32_t hz = cp->host->machine->vblank_hz;
    if (hz == 0) {
        return 0;
    }
    uint64_t now = blanks(cp, hz) + 1;
    if (cp->blank == now) {
        cp->until = weft_clock_periodic(now, WEFT_TICKS_PER_SECOND, hz);
        return 1;
    }
    cp->blank = now;
    return 0;
}

/* swap.h says what the dwords are. */
static xenos_outcome run_xe_swap(xenos_cp *cp, uint32_t count)
{
    if (arg(cp, 0) != XENOS_SWAP_SIGNATURE) {
        xenos_cp_complain(cp, XENOS_BAD_SWAP, "a swap packet lacks its signature 'SWAP'");
        return XENOS_DONE;
    }
    if (too_early(cp)) {
        return XENOS_WAIT;
    }
    xenos_swap(cp, arg(cp, 1), arg(cp, 2), arg(cp, 3));
    return XENOS_DONE;
}

/* ---- the table ---- */

#define V XENOS_PACKET_VISIBLE
#define R XENOS_PACKET_REGISTER
#define D XENOS_PACKET_DRAW
#define ROW(name, minimum, flags, run, remark)                                                     \
    {                                                                                              \
        XENOS_PM4_##name, minimum, flags, #name, run, remark                                       \
    }

/* clang-format off */
static const xenos_packet rows[] = {
    ROW(NOP, 1, 0, run_nothing, "skips its dwords"),
    ROW(REG_RMW, 3, V, run_reg_rmw, "a register, masked by one operand, with the other set in it"),
    ROW(DRAW_INDX, 2, D, run_draw_indx, "draws, or resolves in copy mode; may ask a query"),
    ROW(VIZ_QUERY, 1, V, run_viz_query, "visible if a sample passed"),
    ROW(SET_STATE, 1, 0, run_nothing, "skipped: no public text says what its blocks hold"),
    ROW(WAIT_FOR_IDLE, 1, 0, run_nothing, "the engines are always idle here"),
    ROW(IM_LOAD, 2, 0, run_im_load, "microcode from memory"),
    ROW(IM_LOAD_IMMEDIATE, 2, 0, run_im_load_immediate, "microcode in the packet"),
    ROW(IM_STORE, 2, V, run_im_store, "microcode back to memory"),
    ROW(SET_CONSTANT, 1, 0, run_set_constant, "constants or registers by type and offset"),
    ROW(LOAD_CONSTANT_CONTEXT, 3, 0, run_load_constant_context, "constants from a shadow in memory"),
    ROW(LOAD_ALU_CONSTANT, 3, 0, run_load_alu_constant, "constants from memory"),
    ROW(DRAW_INDX_BIN, 2, D, run_draw_indx, "as DRAW_INDX; bins are not looked at"),
    ROW(DRAW_INDX_2_BIN, 1, D, run_draw_indx_2, "as DRAW_INDX_2; bins are not looked at"),
    ROW(DRAW_INDX_2, 1, D, run_draw_indx_2, "as DRAW_INDX, without a query"),
    ROW(INDIRECT_BUFFER_PFD, 2, 0, run_indirect_buffer, "as INDIRECT_BUFFER"),
    ROW(INVALIDATE_STATE, 1, 0, run_nothing, "no state is cached"),
    ROW(WAIT_REG_MEM, 4, V, run_wait_reg_mem, "looks again every poll_interval"),
    ROW(MEM_WRITE, 2, V, run_mem_write, "dwords to memory"),
    ROW(REG_TO_MEM, 2, V, run_reg_to_mem, "a register to memory"),
    ROW(INDIRECT_BUFFER, 2, 0, run_indirect_buffer, "up to 8 inside each other"),
    ROW(COND_EXEC, 4, V, run_cond_exec, "skips packets unless memory says otherwise"),
    ROW(COND_WRITE, 6, V, run_cond_write, "a write if a condition holds"),
    ROW(EVENT_WRITE, 1, V, run_event_write, "event, with 3 dwords also a fence"),
    ROW(ME_INIT, 1, 0, run_nothing, "the micro-engine needs no set-up"),
    ROW(SET_SHADER_BASES, 1, 0, run_set_shader_bases, "kept; each stage has its own memory"),
    ROW(SET_BIN_BASE_OFFSET, 1, 0, run_bin_base_offset, "kept; for DRAW_INDX_BIN"),
    ROW(MEM_WRITE_CNTR, 1, V, run_mem_write_cntr, "the counter of EVENT_WRITE_SHD"),
    ROW(SET_BIN_MASK, 2, 0, run_bin_mask, "64 bits, high dword first"),
    ROW(SET_BIN_SELECT, 2, 0, run_bin_select, "64 bits, high dword first"),
    ROW(WAIT_REG_EQ, 3, V, run_wait_reg_eq, "looks again every poll_interval"),
    ROW(WAIT_REG_GTE, 3, V, run_wait_reg_gte, "looks again every poll_interval"),
    ROW(INTERRUPT, 1, V, run_interrupt, "to the hardware threads of a mask"),
    ROW(SET_CONSTANT2, 1, R, run_set_registers, "registers from a 16-bit number"),
    ROW(SET_SHADER_CONSTANTS, 1, R, run_set_registers, "registers from a 16-bit number"),
    ROW(EVENT_WRITE_SHD, 3, V, run_event_write_shd, "fence: value or counter"),
    ROW(EVENT_WRITE_CFL, 3, V, run_event_write_shd, "as EVENT_WRITE_SHD, after a cache flush"),
    ROW(EVENT_WRITE_EXT, 2, V, run_event_write_ext, "screen extents of draws, before the window scissor"),
    ROW(EVENT_WRITE_ZPD, 1, V, run_event_write_zpd, "sample counts"),
    ROW(WAIT_UNTIL_READ, 1, 0, run_nothing, "reads are never outstanding"),
    ROW(WAIT_IB_PFD_COMPLETE, 1, 0, run_nothing, "reads are never outstanding"),
    ROW(CONTEXT_UPDATE, 1, 0, run_nothing, "one context"),
    ROW(SET_BIN_MASK_LO, 1, 0, run_bin_mask_lo, "bits 31:0"),
    ROW(SET_BIN_MASK_HI, 1, 0, run_bin_mask_hi, "bits 63:32"),
    ROW(SET_BIN_SELECT_LO, 1, 0, run_bin_select_lo, "bits 31:0"),
    ROW(SET_BIN_SELECT_HI, 1, 0, run_bin_select_hi, "bits 63:32"),
    ROW(XE_SWAP, 4, V, run_xe_swap, "shows a frame; written by VdSwap (swap.h)"),
};
/* clang-format on */

const xenos_packet *xenos_packet_table(uint32_t *count)
{
    *count = (uint32_t)(sizeof rows / sizeof rows[0]);
    return rows;
}

const xenos_packet *xenos_packet_find(uint32_t opcode)
{
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].opcode == opcode) {
            return &rows[i];
        }
    }
    return NULL;
}
