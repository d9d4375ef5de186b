/* The level of detail: from gradients, registers and biases, in fixed point.
 *
 * With gradients the footprint of a pixel in texels of level 0 has two sides, and the level is log2 of
 * the longer one (Direct3D 11.3 functional specification 7.18.11; the Xenos's own formula is not
 * public). Gradients are those of the quad, one for all its pixels (getGradients on the console is
 * coarse: xenia spirv_shader_translator_fetch.cc). Levels have 6 fractional bits, as in the
 * Radeon R600's sampler registers; the constant's bias has 5, the instruction's 4. */
#include "part.h"
#include "texture_image.h"

/* log2(1 + i / 128) in 1/2^20, rounded. */
static const uint32_t log2_table[129] = {
    0,       11773,   23454,   35047,   46551,   57968,   69300,   80547,   91711,  102794, 113796,
    124719,  135563,  146330,  157021,  167637,  178179,  188648,  199045,  209372, 219628, 229815,
    239934,  249985,  259971,  269891,  279746,  289537,  299266,  308932,  318537, 328082, 337566,
    346991,  356359,  365668,  374920,  384117,  393257,  402343,  411375,  420353, 429278, 438150,
    446971,  455741,  464460,  473129,  481749,  490320,  498843,  507318,  515745, 524126, 532461,
    540750,  548995,  557194,  565349,  573460,  581529,  589554,  597537,  605478, 613378, 621236,
    629054,  636832,  644570,  652269,  659928,  667549,  675132,  682677,  690185, 697655, 705089,
    712487,  719848,  727174,  734464,  741720,  748941,  756127,  763280,  770399, 777484, 784537,
    791557,  798544,  805500,  812423,  819315,  826176,  833005,  839804,  846573, 853311, 860020,
    866699,  873348,  879969,  886561,  893124,  899658,  906165,  912644,  919095, 925518, 931915,
    938284,  944627,  950944,  957234,  963498,  969736,  975949,  982136,  988298, 994435, 1000547,
    1006635, 1012698, 1018737, 1024752, 1030743, 1036711, 1042655, 1048576,
};

int32_t soft_level_log2(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (bits >> 31 || bits < 0x00800000u || bits > 0x7F800000u) {
        return -128 * 65536;
    }
    uint32_t index = bits >> 16 & 127;
    uint32_t rest = bits & 0xFFFF;
    uint32_t low = log2_table[index];
    uint32_t high = log2_table[index + 1];
    uint32_t fraction = low + (uint32_t)((uint64_t)(high - low) * rest >> 16);
    return ((int32_t)(bits >> 23) - 127) * 65536 + (int32_t)((fraction + 8) >> 4);
}

/* Registers may hold anything: limited, and NaN is 0. */
static int32_t fixed_lod(float lod)
{
    if (!(lod > -64.0f)) {
        return lod != lod ? 0 : -64 * 65536;
    }
    return lod < 64.0f ? (int32_t)(lod * 65536.0f) : 64 * 65536;
}

static uint32_t dimensions(const soft_image *image, const xenos_fetch *fetch)
{
    switch (fetch->dimension) {
    case XENOS_DIMENSION_1D:
        return 1;
    case XENOS_DIMENSION_3D: /* layers of a stack do not count */
        return image->layout.dimension == XENOS_TEXTURE_3D ? 3 : 2;
    default:
        return 2;
    }
}

/* Anisotropic: as many samples as the longer side has of the shorter one, at most `limit`. */
static uint32_t samples_for(float longer, float shorter, uint32_t limit)
{
    uint32_t count = 1;
    while (count < limit && (float)(count * count) * shorter < longer) {
        count++;
    }
    return count;
}

static uint32_t aniso_limit(const soft_texture *texture, const xenos_fetch *fetch)
{
    uint32_t filter =
        fetch->aniso_filter == XENOS_ANISO_CONSTANT ? texture->aniso_filter : fetch->aniso_filter;
    return filter == 0 ? 1 : 1u << ((filter < 5 ? filter : 5) - 1);
}

typedef struct gradients {
    float h[3], v[3]; /* in coordinates */
} gradients;

/* Sets lanes first..end from one pair of gradients. */
static void set_lanes(soft_footprint *out, const gradients *g, const float scale[3],
                      const float adjust[2], uint32_t n, uint32_t limit, int first, int end)
{
    float h = 0;
    float v = 0;
    for (uint32_t c = 0; c < n; c++) {
        float dh = g->h[c] * scale[c] * adjust[0];
        float dv = g->v[c] * scale[c] * adjust[1];
        h += dh * dh;
        v += dv * dv;
    }
    int across = !(v > h);
    float longer = across ? h : v;
    uint32_t count = limit > 1 ? samples_for(longer, across ? v : h, limit) : 1;
    int32_t computed = soft_level_log2(longer) / 2;
    if (count > 1) {
        computed -= soft_level_log2((float)count);
    }
    for (int lane = first; lane < end; lane++) {
        out->computed[lane] = computed;
        out->count[lane] = count;
        for (uint32_t c = 0; c < 3; c++) {
            out->axis[c][lane] = c < n ? (across ? g->h[c] : g->v[c]) : 0;
        }
    }
    out->samples = count > out->samples ? count : out->samples;
}

/* The quad's gradients of one coordinate. A neighbour on another face of a cube says nothing. */
static void set_quad(gradients *g, const soft_f coordinate[3], uint32_t n, int cube, int lane)
{
    for (uint32_t c = 0; c < n; c++) {
        g->h[c] = coordinate[c][lane + 1] - coordinate[c][lane];
        g->v[c] = coordinate[c][lane + 2] - coordinate[c][lane];
        if (cube && coordinate[2][lane + 1] != coordinate[2][lane]) {
            g->h[c] = 0;
        }
        if (cube && coordinate[2][lane + 2] != coordinate[2][lane]) {
            g->v[c] = 0;
        }
    }
}

/* Lane n of each lane's quad. */
#if SOFT_PART == 16
#define OF_QUAD(v, n)                                                                              \
    __builtin_shufflevector(v, v, n, n, n, n, 4 + n, 4 + n, 4 + n, 4 + n, 8 + n, 8 + n, 8 + n,     \
                            8 + n, 12 + n, 12 + n, 12 + n, 12 + n)
#elif SOFT_PART == 8
#define OF_QUAD(v, n) __builtin_shufflevector(v, v, n, n, n, n, 4 + n, 4 + n, 4 + n, 4 + n)
#else
#define OF_QUAD(v, n) __builtin_shufflevector(v, v, n, n, n, n)
#endif

/* What set_quad and set_lanes do, for all quads at once, where there is one sample a pixel. */
static void set_plain_quads(soft_footprint *out, const soft_f coordinate[3], const float scale[3],
                            const float adjust[2], uint32_t n)
{
    part_f longer[SOFT_PARTS];
    for (int m = 0; m < SOFT_PARTS; m++) {
        part_f h = {0}, v = {0};
        for (uint32_t c = 0; c < n; c++) {
            part_f at = ((const part_f *)&coordinate[c])[m];
            part_f first = OF_QUAD(at, 0);
            part_f dh = (OF_QUAD(at, 1) - first) * scale[c] * adjust[0];
            part_f dv = (OF_QUAD(at, 2) - first) * scale[c] * adjust[1];
            h += dh * dh;
            v += dv * dv;
        }
        longer[m] = part_select(v > h, v, h);
    }
    for (int lane = 0; lane < SOFT_LANES; lane += 4) {
        int32_t computed = soft_level_log2(((const float *)longer)[lane]) / 2;
        for (int i = 0; i < 4; i++) {
            out->computed[lane + i] = computed;
        }
    }
}

void soft_texture_footprint(const soft_texture *texture, const xenos_fetch *fetch,
                            const soft_fetch_state *state, const soft_f coordinate[3],
                            soft_footprint *out)
{
    const xenos_texture *layout = &texture->image->layout;
    int registers = fetch->register_gradients;
    int computed = registers || !state->vertices;
    if (fetch->opcode != XENOS_FETCH_COMPUTED_LOD) {
        computed = computed && fetch->computed_lod;
    }
    int cube = fetch->dimension == XENOS_DIMENSION_CUBE;
    uint32_t n = dimensions(texture->image, fetch);
    float scale[3] = {1, 1, 1};
    if (!fetch->unnormalized) {
        scale[0] = (float)layout->width;
        scale[1] = (float)layout->height;
        scale[2] = (float)layout->depth;
    }
    uint32_t limit = aniso_limit(texture, fetch);
    int plain = computed && !registers && !cube && limit == 1;
    out->samples = 1; /* lanes' counts and axes matter where there are more */
    if (!plain) {
        memset(out, 0, sizeof *out);
        out->samples = 1;
        for (int lane = 0; lane < SOFT_LANES; lane++) {
            out->count[lane] = 1;
        }
    }
    if (plain) {
        set_plain_quads(out, coordinate, scale, texture->gradient_scale, n);
    } else if (computed && registers) {
        if (cube) { /* directions: a face is two units wide */
            n = 3;
            scale[0] = scale[1] = scale[2] = (float)layout->width * 0.5f;
            limit = 1;
        }
        for (int lane = 0; lane < SOFT_LANES; lane++) {
            gradients g = {{0}, {0}};
            for (uint32_t c = 0; c < n; c++) {
                g.h[c] = state->gradient_h[c][lane];
                g.v[c] = state->gradient_v[c][lane];
            }
            set_lanes(out, &g, scale, texture->gradient_scale, n, limit, lane, lane + 1);
        }
    } else if (computed) {
        for (int lane = 0; lane < SOFT_LANES; lane += 4) {
            gradients g = {{0}, {0}};
            set_quad(&g, coordinate, n, cube, lane);
            set_lanes(out, &g, scale, texture->gradient_scale, n, limit, lane, lane + 4);
        }
    }
    int32_t bias = texture->lod_bias + fetch->lod_bias * 4096;
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        int32_t lod = out->computed[lane] + bias;
        lod += fetch->register_lod ? fixed_lod(state->lod[lane]) : 0;
        out->lod[lane] = (lod + 512) >> 10;
    }
}
