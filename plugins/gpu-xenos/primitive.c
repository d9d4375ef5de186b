#include "primitive.h"

#include "endian.h"
#include "state.h"

#define NO_RESET UINT32_MAX

int xenos_primitives_known(const xenos_draw *draw)
{
    return (draw->primitive >= XENOS_POINTS && draw->primitive <= XENOS_RECTANGLES) ||
           (draw->primitive >= XENOS_LINE_LOOP && draw->primitive <= XENOS_POLYGON);
}

uint32_t xenos_index_read(const xenos_draw *draw, const xenos_memory *memory, uint32_t position)
{
    if (draw->source == XENOS_INDICES_AUTO) {
        return position;
    }
    if (draw->source == XENOS_INDICES_IMMEDIATE) {
        /* Two 16-bit indices in a dword: the first in its low half (R6xx 3D registers,
         * VGT_IMMED_DATA). */
        uint32_t dword = draw->wide ? position : position / 2;
        if (dword >= draw->immediate_dwords) {
            return 0;
        }
        uint32_t value = draw->immediate[dword];
        return draw->wide ? value : (position & 1 ? value >> 16 : value & 0xFFFF);
    }
    uint32_t bytes = draw->wide ? 4 : 2;
    uint64_t address = (uint64_t)(draw->base & ~(bytes - 1)) + (uint64_t)position * bytes;
    if (address + bytes > memory->size) {
        return 0;
    }
    const uint8_t *p = memory->bytes + address;
    if (draw->wide) {
        return xenos_swap32(xenos_load32(p), draw->endian);
    }
    /* 8in32 acts as 8in16 on indices of 16 bits, 16in32 not at all (xenia primitive_processor.cc). */
    uint32_t endian = draw->endian == XENOS_ENDIAN_8IN32 ? XENOS_ENDIAN_8IN16 : draw->endian;
    return xenos_swap16((uint16_t)(p[0] | p[1] << 8), endian);
}

void xenos_primitives_begin(xenos_primitives *reader, const xenos_draw *draw,
                            const xenos_memory *memory)
{
    const uint32_t *r = draw->registers;
    uint32_t mode = r[XENOS_PA_SU_SC_MODE_CNTL];
    *reader = (xenos_primitives){
        .draw = draw,
        .memory = memory,
        .reset = NO_RESET,
        .offset = xenos_bits(r[XENOS_VGT_INDX_OFFSET], 0, 24),
        .least = xenos_bits(r[XENOS_VGT_MIN_VTX_INDX], 0, 24),
        .most = xenos_bits(r[XENOS_VGT_MAX_VTX_INDX], 0, 24),
        .last = xenos_bits(mode, 19, 1),
    };
    if (xenos_bits(mode, 21, 1) && draw->source != XENOS_INDICES_AUTO) {
        reader->reset = xenos_bits(r[XENOS_VGT_MULTI_PRIM_IB_RESET_INDX], 0, 24);
    }
}

static void emit(xenos_primitives *p, uint32_t shape, uint32_t a, uint32_t b, uint32_t c,
                 uint32_t provoking, uint32_t edges)
{
    p->queue[p->ready++] = (xenos_primitive){
        .shape = (uint8_t)shape,
        .provoking = (uint8_t)provoking,
        .edges = (uint8_t)edges,
        .index = {a, b, c},
    };
}

static void line(xenos_primitives *p, uint32_t a, uint32_t b)
{
    emit(p, XENOS_SHAPE_LINE, a, b, b, p->last ? 1 : 0, 0);
}

/* Corners in order around the quad. */
static void quad(xenos_primitives *p, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t last)
{
    if (last) { /* d provokes */
        emit(p, XENOS_SHAPE_TRIANGLE, a, b, d, 2, 5);
        emit(p, XENOS_SHAPE_TRIANGLE, b, c, d, 2, 3);
    } else {
        emit(p, XENOS_SHAPE_TRIANGLE, a, b, c, 0, 3);
        emit(p, XENOS_SHAPE_TRIANGLE, a, c, d, 0, 6);
    }
}

/* One more vertex; `kept` holds what came before it, `held` how many did. */
static void push(xenos_primitives *p, uint32_t v)
{
    uint32_t *k = p->kept;
    uint32_t n = p->held++;
    switch (p->draw->primitive) {
    case XENOS_POINTS:
        emit(p, XENOS_SHAPE_POINT, v, v, v, 0, 0);
        break;
    case XENOS_LINES:
        if (n & 1) {
            line(p, k[0], v);
        }
        k[0] = v;
        break;
    case XENOS_LINE_STRIP:
    case XENOS_LINE_LOOP:
        if (n == 0) {
            k[1] = v;
        } else {
            line(p, k[0], v);
        }
        k[0] = v;
        break;
    case XENOS_TRIANGLES:
    case XENOS_TRIANGLES_W_FLAGS:
    case XENOS_RECTANGLES:
        if (n % 3 == 2) {
            emit(p,
                 p->draw->primitive == XENOS_RECTANGLES ? XENOS_SHAPE_RECTANGLE
                                                        : XENOS_SHAPE_TRIANGLE,
                 k[0], k[1], v, p->last ? 2 : 0, 7);
        } else {
            k[n % 3] = v;
        }
        break;
    case XENOS_TRIANGLE_STRIP:
        /* Every second triangle is turned so that all wind alike. */
        if (n >= 2) {
            if (n & 1) {
                emit(p, XENOS_SHAPE_TRIANGLE, k[1], k[0], v, p->last ? 2 : 1, 7);
            } else {
                emit(p, XENOS_SHAPE_TRIANGLE, k[0], k[1], v, p->last ? 2 : 0, 7);
            }
        }
        k[0] = k[1];
        k[1] = v;
        break;
    case XENOS_TRIANGLE_FAN:
        /* Provoked by the first after the hub (learn.microsoft.com, "Triangle Fans") or the last. */
        if (n == 0) {
            k[0] = v;
        } else {
            if (n >= 2) {
                emit(p, XENOS_SHAPE_TRIANGLE, k[0], k[1], v, p->last ? 2 : 1, 7);
            }
            k[1] = v;
        }
        break;
    case XENOS_POLYGON:
        /* A fan that its first vertex provokes (OpenGL 3.2 compatibility, table 2.12). A triangle is
         * held back until it is known whether its side to the hub is the polygon's. */
        if (n == 0) {
            k[0] = v;
        } else {
            if (n >= 3) {
                emit(p, XENOS_SHAPE_TRIANGLE, k[0], k[1], k[2], 0, n == 3 ? 3 : 2);
            }
            if (n >= 2) {
                k[1] = n == 2 ? k[1] : k[2];
                k[2] = v;
            } else {
                k[1] = v;
            }
        }
        break;
    case XENOS_QUADS:
        if (n % 4 == 3) {
            quad(p, k[0], k[1], k[2], v, p->last);
        } else {
            k[n % 4] = v;
        }
        break;
    case XENOS_QUAD_STRIP:
        /* Around a quad of a strip: first, second, fourth, third. */
        if (n >= 3 && n & 1) {
            if (p->last) {
                quad(p, k[2], k[0], k[1], v, 1);
            } else {
                quad(p, k[0], k[1], v, k[2], 0);
            }
        }
        if (n < 2) {
            k[n] = v;
        } else if (n & 1) {
            k[0] = k[2];
            k[1] = v;
        } else {
            k[2] = v;
        }
        break;
    default:
        break;
    }
}

static uint32_t place(const xenos_primitives *p, uint32_t index)
{
    index = (index + p->offset) & 0xFFFFFF;
    index = index < p->least ? p->least : index;
    return index > p->most ? p->most : index;
}

/* A reset, or the end. */
static void finish(xenos_primitives *p)
{
    if (p->draw->primitive == XENOS_LINE_LOOP && p->held >= 2) {
        line(p, p->kept[0], p->kept[1]);
    }
    if (p->draw->primitive == XENOS_POLYGON && p->held >= 3) {
        emit(p, XENOS_SHAPE_TRIANGLE, p->kept[0], p->kept[1], p->kept[2], 0, p->held == 3 ? 7 : 6);
    }
    p->held = 0;
}

int xenos_primitives_next(xenos_primitives *p, xenos_primitive *out)
{
    if (!xenos_primitives_known(p->draw)) {
        return 0;
    }
    while (p->taken == p->ready) {
        p->taken = p->ready = 0;
        if (p->position >= p->draw->count) {
            if (p->held == 0) {
                return 0;
            }
            finish(p);
            continue;
        }
        uint32_t index = xenos_index_read(p->draw, p->memory, p->position++) & 0xFFFFFF;
        if (index == p->reset) {
            finish(p);
            continue;
        }
        push(p, place(p, index));
    }
    *out = p->queue[p->taken++];
    return 1;
}

int xenos_patches_known(const xenos_draw *draw)
{
    const uint32_t *r = draw->registers;
    int explicit_mode =
        draw->primitive >= XENOS_LINE_PATCHES || xenos_bits(r[XENOS_VGT_DRAW_INITIATOR], 8, 2) != 0;
    if (!explicit_mode || xenos_bits(r[XENOS_VGT_OUTPUT_PATH_CNTL], 0, 2) != 1) {
        return 0;
    }
    uint32_t mode = xenos_bits(r[XENOS_VGT_HOS_CNTL], 0, 2);
    switch (draw->primitive) {
    case XENOS_TRIANGLES:
    case XENOS_TRIANGLE_FAN:
    case XENOS_TRIANGLE_STRIP:
    case XENOS_QUADS:
    case XENOS_QUAD_STRIP:
        return mode <= XENOS_PATCHES_CONTINUOUS;
    case XENOS_TRIANGLE_PATCHES:
    case XENOS_QUAD_PATCHES:
        return mode <= XENOS_PATCHES_CONTINUOUS ||
               (mode == XENOS_PATCHES_ADAPTIVE && draw->source != XENOS_INDICES_AUTO && draw->wide);
    default:
        return 0;
    }
}

static uint32_t take(xenos_primitives *p)
{
    return xenos_index_read(p->draw, p->memory, p->position++);
}

static int next_numbered(xenos_primitives *p, xenos_patch *out)
{
    int adaptive =
        xenos_bits(p->draw->registers[XENOS_VGT_HOS_CNTL], 0, 2) == XENOS_PATCHES_ADAPTIVE;
    uint32_t words = adaptive ? out->corners : 1;
    if (p->position >= p->draw->count || p->draw->count - p->position < words) {
        return 0;
    }
    if (!adaptive) {
        out->index[0] = place(p, take(p) & 0xFFFFFF);
        return 1;
    }
    out->index[0] = place(p, p->position / words & 0xFFFFFF);
    for (uint32_t i = 0; i < words; i++) {
        out->factor[i] = take(p);
    }
    return 1;
}

int xenos_patches_next(xenos_primitives *p, xenos_patch *out)
{
    uint32_t type = p->draw->primitive;
    int quads = type == XENOS_QUADS || type == XENOS_QUAD_STRIP || type == XENOS_QUAD_PATCHES;
    *out = (xenos_patch){.corners = quads ? 4 : 3};
    if (type == XENOS_TRIANGLE_PATCHES || type == XENOS_QUAD_PATCHES) {
        return next_numbered(p, out);
    }
    out->indexed = 1;
    p->last = 0; /* so that quads split from their first corner */
    xenos_primitive half;
    if (!xenos_primitives_next(p, &half)) {
        return 0;
    }
    for (uint32_t i = 0; i < 3; i++) {
        out->index[i] = half.index[i];
    }
    if (quads && xenos_primitives_next(p, &half)) {
        out->index[3] = half.index[2];
    }
    return 1;
}
