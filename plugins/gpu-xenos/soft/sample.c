/* Samples: coordinates to texels to numbers, as many lanes at a time as the host's vectors have.
 * Lanes are independent of each other, so the number does not change results. */
#include "sampler.h"

#include <string.h>

/* FIRST_HALF, SECOND_HALF and ALL: a vector of from[at] for those lanes. */
#if defined(__AVX512F__)
#define WIDE 16
#define FIRST_HALF(from, at)                                                                       \
    {                                                                                              \
        from[at[0]], from[at[1]], from[at[2]], from[at[3]], from[at[4]], from[at[5]], from[at[6]], \
            from[at[7]]                                                                            \
    }
#define SECOND_HALF(from, at)                                                                      \
    {                                                                                              \
        from[at[8]], from[at[9]], from[at[10]], from[at[11]], from[at[12]], from[at[13]],          \
            from[at[14]], from[at[15]]                                                             \
    }
#define ALL(from, at)                                                                              \
    {                                                                                              \
        from[at[0]], from[at[1]], from[at[2]], from[at[3]], from[at[4]], from[at[5]], from[at[6]], \
            from[at[7]], from[at[8]], from[at[9]], from[at[10]], from[at[11]], from[at[12]],       \
            from[at[13]], from[at[14]], from[at[15]]                                               \
    }
#elif defined(__AVX2__)
#define WIDE 8
#define FIRST_HALF(from, at)                                                                       \
    {                                                                                              \
        from[at[0]], from[at[1]], from[at[2]], from[at[3]]                                         \
    }
#define SECOND_HALF(from, at)                                                                      \
    {                                                                                              \
        from[at[4]], from[at[5]], from[at[6]], from[at[7]]                                         \
    }
#define ALL(from, at)                                                                              \
    {                                                                                              \
        from[at[0]], from[at[1]], from[at[2]], from[at[3]], from[at[4]], from[at[5]], from[at[6]], \
            from[at[7]]                                                                            \
    }
#else
#define WIDE 4
#define FIRST_HALF(from, at)                                                                       \
    {                                                                                              \
        from[at[0]], from[at[1]]                                                                   \
    }
#define SECOND_HALF(from, at)                                                                      \
    {                                                                                              \
        from[at[2]], from[at[3]]                                                                   \
    }
#define ALL(from, at)                                                                              \
    {                                                                                              \
        from[at[0]], from[at[1]], from[at[2]], from[at[3]]                                         \
    }
#endif

typedef float wide_f __attribute__((vector_size(WIDE * 4)));
typedef int32_t wide_i __attribute__((vector_size(WIDE * 4)));
typedef uint32_t wide_u __attribute__((vector_size(WIDE * 4)));
typedef uint16_t wide_h __attribute__((vector_size(WIDE * 4)));
typedef uint64_t wide_q __attribute__((vector_size(WIDE * 4)));

/* Short loops over lanes and components: vectors stay in registers only when they are unrolled. */
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define LIMIT 4194304.0f /* 2^22: coordinates beyond it are it */

/* The two texels of one direction that a lane reads, and the second one's weight. */
typedef struct taps {
    wide_i at[2];
    wide_i border[2]; /* all ones: it is the border */
    wide_f weight;
} taps;

/* One level's sizes for each lane; levels may differ between quads. */
typedef struct level_lanes {
    wide_i number;
    wide_i size[3];
    wide_i first;
    int32_t shift; /* log2 of all lanes' width, or -1 */
} level_lanes;

/* The levels that lanes read, and whether they filter in them and between slices. */
typedef struct choice {
    wide_i level[2];
    wide_f weight;
    wide_i linear[2];
    int same; /* all lanes read the same levels */
    int two;
} choice;

/* ---- vectors ---- */

SOFT_INLINE wide_i splat_i(int32_t v)
{
    return (wide_i){0} + v;
}

SOFT_INLINE wide_f splat(float v)
{
    return (wide_f){0} + v;
}

SOFT_INLINE wide_i pick_i(wide_i condition, wide_i yes, wide_i no)
{
    return (condition & yes) | (~condition & no);
}

SOFT_INLINE wide_f pick(wide_i condition, wide_f yes, wide_f no)
{
    return (wide_f)pick_i(condition, (wide_i)yes, (wide_i)no);
}

SOFT_INLINE wide_i min_i(wide_i a, wide_i b)
{
    return pick_i(a < b, a, b);
}

SOFT_INLINE wide_i max_i(wide_i a, wide_i b)
{
    return pick_i(a > b, a, b);
}

SOFT_INLINE wide_f to_float(wide_i v)
{
    return __builtin_convertvector(v, wide_f);
}

SOFT_INLINE wide_i to_int(wide_f v) /* towards 0; of numbers below 2^31 */
{
    return __builtin_convertvector(v, wide_i);
}

/* NaN gives `low`. */
SOFT_INLINE wide_f clamp(wide_f v, wide_f low, wide_f high)
{
    v = pick(v > low, v, low);
    return pick(v < high, v, high);
}

SOFT_INLINE wide_i floor_i(wide_f v)
{
    wide_i whole = to_int(v);
    return whole + (to_float(whole) > v); /* true is -1 */
}

SOFT_INLINE wide_f fraction(wide_f v)
{
    return v - to_float(floor_i(v));
}

/* a * (1 - w) + b * w, and a where w is 0: what is not read does not matter. With integers that
 * needs no care. */
SOFT_INLINE wide_f mix(wide_f a, wide_f b, wide_f w, int floats)
{
    wide_f mixed = a * (1.0f - w) + b * w;
    return floats ? pick(w == 0.0f, a, mixed) : mixed;
}

/* i modulo n for |i| < 2^24: a quotient of such integers, rounded, has the same floor. */
SOFT_INLINE wide_i modulo(wide_i i, wide_i n)
{
    return i - floor_i(to_float(i) / to_float(n)) * n;
}

/* ---- addresses ---- */

/* Brings a texel's number into the level as the mode says; `border` gets those that stay outside.
 * `far`: it may be more than one level's size away. */
SOFT_INLINE wide_i wrap(wide_i i, wide_i size, uint32_t mode, int far, wide_i *border)
{
    wide_i last = size - 1;
    if (mode == SOFT_REPEAT) {
        if (far) {
            return modulo(i, size);
        }
        i += size & (i < 0);
        return i - (size & (i > last));
    }
    if (mode == SOFT_MIRRORED_REPEAT) {
        if (far) {
            i = modulo(i, size * 2);
        }
        i = pick_i(i < 0, -1 - i, i);
        i = pick_i(i > last, last + size - i, i);
        return max_i(i, splat_i(0));
    }
    if (mode & 1) { /* mirrored once */
        i = pick_i(i < 0, -1 - i, i);
    }
    if (mode >= SOFT_CLAMP_HALFWAY) {
        *border = (i < 0) | (i > last);
    }
    return min_i(max_i(i, splat_i(0)), last);
}

/* One direction's coordinate in texels of the level. */
SOFT_INLINE wide_f texel_coordinate(wide_f coordinate, wide_f size, float base, uint32_t mode,
                                    int normalized, int32_t offset, int tame)
{
    wide_f limit = splat(LIMIT);
    wide_f texel;
    if (normalized) {
        if (mode <= SOFT_MIRRORED_REPEAT && !tame) {
            coordinate = clamp(coordinate, -limit, limit);
        }
        if (mode == SOFT_REPEAT) {
            coordinate = fraction(coordinate);
        } else if (mode == SOFT_MIRRORED_REPEAT) {
            coordinate = fraction(coordinate * 0.5f) * 2.0f;
        }
        texel = coordinate * size;
    } else {
        texel = coordinate * (size / base);
    }
    if (offset != 0) {
        texel = texel + (float)offset * 0.5f;
    }
    if (mode == SOFT_CLAMP_HALFWAY) {
        texel = clamp(texel, splat(0), size);
    } else if (mode == SOFT_MIRROR_HALFWAY) {
        texel = clamp(texel, -size, size);
    }
    if (mode > SOFT_MIRRORED_REPEAT) { /* a line may be 2^24 texels long */
        limit = limit * 8.0f;
    }
    return tame ? texel : clamp(texel, -limit, limit);
}

SOFT_INLINE void address(taps *out, wide_f coordinate, wide_i size, float base, uint32_t mode,
                         int normalized, int32_t offset, int tame, wide_i linear)
{
    int far = !normalized || offset != 0;
    wide_f texel =
        texel_coordinate(coordinate, to_float(size), base, mode, normalized, offset, tame);
    wide_i whole = floor_i(texel);
    wide_f part = texel - to_float(whole);
    wide_i fixed = to_int(part * 256.0f + 0.5f) - (linear & 128);
    whole += fixed >> 8;
    out->weight = to_float(fixed & 255 & linear) * 0x1p-8f;
    out->border[0] = out->border[1] = splat_i(0);
    out->at[0] = wrap(whole, size, mode, far, &out->border[0]);
    /* only lanes that filter have a second texel */
    out->at[1] = wrap(whole - linear, size, mode, far, &out->border[1]);
}

/* Modes become constants where they are common, so that those have short code of their own. */
SOFT_INLINE void address_direction(const soft_sampling *s, taps *out, int d, wide_f coordinate,
                                   wide_i size, wide_i linear)
{
    if (s->tame && s->offset[d] == 0 && s->mode[d] == SOFT_REPEAT) {
        address(out, coordinate, size, 1, SOFT_REPEAT, 1, 0, 1, linear);
    } else if (s->tame && s->offset[d] == 0 && s->mode[d] == SOFT_CLAMP_EDGE) {
        address(out, coordinate, size, 1, SOFT_CLAMP_EDGE, 1, 0, 1, linear);
    } else {
        address(out, coordinate, size, s->base[d], s->mode[d], s->normalized, s->offset[d], 0,
                linear);
    }
}

SOFT_INLINE void address_level(const soft_sampling *s, int lane, const choice *chosen,
                               const level_lanes *level, taps t[3])
{
    UNROLL
    for (int d = 0; d < 3; d++) {
        if (d < s->directions) {
            wide_f coordinate;
            memcpy(&coordinate, &s->coordinate[d][lane], sizeof coordinate);
            address_direction(s, &t[d], d, coordinate, level->size[d], chosen->linear[d == 2]);
        } else {
            wide_i at = splat_i(0);
            if (d == 2) {
                memcpy(&at, &s->slice[lane], sizeof at);
                at = min_i(at, level->size[2] - 1); /* a volume's levels have fewer slices */
            }
            t[d] = (taps){.at = {at, at}};
        }
    }
}

SOFT_INLINE void set_level(const soft_sampling *s, level_lanes *out, wide_i numbers, int same)
{
    const soft_image *image = s->image;
    const xenos_texture_level *levels = image->layout.levels;
    out->number = numbers;
    if (same) {
        const xenos_texture_level *level = &levels[numbers[0]];
        uint32_t width = level->width;
        out->size[0] = splat_i((int32_t)width);
        out->size[1] = splat_i((int32_t)level->height);
        out->size[2] = splat_i((int32_t)level->depth);
        out->first = splat_i(image->first[numbers[0]]);
        out->shift = (width & (width - 1)) == 0 ? __builtin_ctz(width) : -1;
        return;
    }
    int32_t values[4][WIDE];
    UNROLL
    for (int i = 0; i < WIDE; i++) {
        const xenos_texture_level *level = &levels[numbers[i]];
        values[0][i] = (int32_t)level->width;
        values[1][i] = (int32_t)level->height;
        values[2][i] = (int32_t)level->depth;
        values[3][i] = image->first[numbers[i]];
    }
    memcpy(out->size, values, sizeof out->size);
    memcpy(&out->first, values[3], sizeof out->first);
    out->shift = -1;
}

/* The texel where a row begins. */
SOFT_INLINE wide_i row_start(const soft_sampling *s, const level_lanes *level, wide_i y, wide_i z)
{
    if (!s->flat) {
        y += z * level->size[1];
    }
    return level->first + (level->shift >= 0 ? y << level->shift : y * level->size[0]);
}

/* Levels of lanes first to last, which may all be the same one. */
SOFT_INLINE void choose_levels(const soft_sampling *s, wide_i lod, choice *out)
{
    int32_t lowest = (int32_t)s->image->layout.min_level;
    int32_t highest = (int32_t)s->image->layout.max_level;
    wide_i at = min_i(max_i(lod, splat_i(lowest * 64)), splat_i(highest * 64));
    out->two = 0;
    out->weight = splat(0);
    if (s->mip_filter == XENOS_FILTER_LINEAR) {
        wide_i rest = at & 63;
        out->level[0] = at >> 6;
        out->weight = to_float(rest) * 0x1p-6f;
        UNROLL
        for (int i = 0; i < WIDE; i++) {
            out->two |= rest[i];
        }
    } else {
        out->level[0] = s->mip_filter == XENOS_FILTER_POINT ? (at + 32) >> 6 : splat_i(lowest);
    }
    out->level[1] = min_i(out->level[0] + 1, splat_i(highest));
}

/* Levels and filters of each lane: those whose level of detail is above 0 minify. */
SOFT_INLINE void choose(const soft_sampling *s, int lane, choice *out)
{
    wide_i lod;
    memcpy(&lod, &s->lod[lane], sizeof lod);
    out->same = 1;
    UNROLL
    for (int i = 1; i < WIDE; i++) {
        out->same &= s->lod[lane + i] == s->lod[lane];
    }
    UNROLL
    for (int i = 0; i < 2; i++) {
        int32_t far = -s->linear[i][1];
        int32_t near = -s->linear[i][0];
        out->linear[i] = far == near ? splat_i(far) : pick_i(lod > 0, splat_i(far), splat_i(near));
    }
    choose_levels(s, lod, out);
}

/* ---- texels ---- */

/* Texels of 64 bits: their lower and their upper halves. */
SOFT_INLINE void read_words(const uint64_t *texels, wide_i at, wide_u out[2])
{
    wide_q first = FIRST_HALF(texels, at);
    wide_q second = SECOND_HALF(texels, at);
#if WIDE == 16
    out[0] = __builtin_shufflevector((wide_u)first, (wide_u)second, 0, 2, 4, 6, 8, 10, 12, 14, 16,
                                     18, 20, 22, 24, 26, 28, 30);
    out[1] = __builtin_shufflevector((wide_u)first, (wide_u)second, 1, 3, 5, 7, 9, 11, 13, 15, 17,
                                     19, 21, 23, 25, 27, 29, 31);
#elif WIDE == 8
    out[0] = __builtin_shufflevector((wide_u)first, (wide_u)second, 0, 2, 4, 6, 8, 10, 12, 14);
    out[1] = __builtin_shufflevector((wide_u)first, (wide_u)second, 1, 3, 5, 7, 9, 11, 13, 15);
#else
    out[0] = __builtin_shufflevector((wide_u)first, (wide_u)second, 0, 2, 4, 6);
    out[1] = __builtin_shufflevector((wide_u)first, (wide_u)second, 1, 3, 5, 7);
#endif
}

/* Numbers of one texel for each lane. */
SOFT_INLINE void read_tap(const soft_sampling *s, uint32_t storage, const level_lanes *level,
                          wide_i x, wide_i y, wide_i z, wide_f out[4])
{
    const soft_image *image = s->image;
    float numbers[4][WIDE];
    if (storage == SOFT_MEMORY) {
        UNROLL
        for (int i = 0; i < WIDE; i++) {
            float texel[4];
            soft_image_texel(image, (uint32_t)level->number[i], (uint32_t)x[i], (uint32_t)y[i],
                             (uint32_t)z[i], texel);
            UNROLL
            for (int c = 0; c < 4; c++) {
                numbers[c][i] = texel[c];
            }
        }
        memcpy(out, numbers, sizeof numbers);
        return;
    }
    wide_i at = row_start(s, level, y, z) + x;
    if (storage == SOFT_FLOATS) {
        const float *texels = image->texels;
        UNROLL
        for (int i = 0; i < WIDE; i++) {
            UNROLL
            for (int c = 0; c < 4; c++) {
                numbers[c][i] = texels[(size_t)at[i] * 4 + (size_t)c];
            }
        }
        memcpy(out, numbers, sizeof numbers);
    } else if (storage == SOFT_BYTES) {
        const uint32_t *texels = image->texels;
        wide_u v = ALL(texels, at);
        UNROLL
        for (int c = 0; c < 4; c++) {
            out[c] = to_float((wide_i)(v >> (8 * c)) & 255);
        }
    } else {
        wide_u v[2];
        read_words(image->texels, at, v);
        UNROLL
        for (int c = 0; c < 2; c++) {
            out[c * 2] = to_float((wide_i)(v[c] & 0xFFFF));
            out[c * 2 + 1] = to_float((wide_i)(v[c] >> 16));
        }
    }
}

SOFT_INLINE void read_bordered(const soft_sampling *s, uint32_t storage, int borders,
                               const level_lanes *level, const taps t[3], int dx, int dy, int dz,
                               wide_f out[4])
{
    read_tap(s, storage, level, t[0].at[dx], t[1].at[dy], t[2].at[dz], out);
    if (borders) {
        wide_i outside = t[0].border[dx] | t[1].border[dy] | t[2].border[dz];
        UNROLL
        for (int c = 0; c < 4; c++) {
            out[c] = pick(outside, splat(s->texture->border[c]), out[c]);
        }
    }
}

/* One slice of one level, filtered where lanes ask for it. */
SOFT_INLINE void sample_slice(const soft_sampling *s, uint32_t storage, int borders, int linear,
                              const level_lanes *level, const taps t[3], int dz, wide_f out[4])
{
    read_bordered(s, storage, borders, level, t, 0, 0, dz, out);
    if (!linear) {
        return;
    }
    wide_f other[4], below[4], below_other[4];
    read_bordered(s, storage, borders, level, t, 1, 0, dz, other);
    read_bordered(s, storage, borders, level, t, 0, 1, dz, below);
    read_bordered(s, storage, borders, level, t, 1, 1, dz, below_other);
    int floats = storage >= SOFT_FLOATS;
    UNROLL
    for (int c = 0; c < 4; c++) {
        wide_f top = mix(out[c], other[c], t[0].weight, floats);
        wide_f bottom = mix(below[c], below_other[c], t[0].weight, floats);
        out[c] = mix(top, bottom, t[1].weight, floats);
    }
}

/* Texels of four bytes: two components at a time in 16 bits, along x. Integers all the way, so no
 * different from the general way. */
SOFT_INLINE void filter_bytes(const soft_sampling *s, const level_lanes *level, const taps t[3],
                              int dz, wide_f out[4])
{
    const uint32_t *texels = s->image->texels;
    wide_i row = row_start(s, level, t[1].at[0], t[2].at[dz]);
    wide_i below = row_start(s, level, t[1].at[1], t[2].at[dz]);
    wide_i at[4] = {row + t[0].at[0], row + t[0].at[1], below + t[0].at[0], below + t[0].at[1]};
    wide_u v[4] = {ALL(texels, at[0]), ALL(texels, at[1]), ALL(texels, at[2]), ALL(texels, at[3])};
    wide_i weight = to_int(t[0].weight * 256.0f);
    wide_h right = (wide_h)(weight | weight << 16);
    wide_h left = 256 - right;
    wide_f w = t[1].weight;
    UNROLL
    for (int odd = 0; odd < 2; odd++) { /* x and z, then y and w */
        wide_h pair[4];
        UNROLL
        for (int tap = 0; tap < 4; tap++) {
            pair[tap] = (wide_h)((v[tap] >> (odd * 8)) & 0x00FF00FFu);
        }
        wide_u top = (wide_u)(pair[0] * left + pair[1] * right);
        wide_u bottom = (wide_u)(pair[2] * left + pair[3] * right);
        wide_f a = to_float((wide_i)(top & 0xFFFF));
        wide_f b = to_float((wide_i)(bottom & 0xFFFF));
        out[odd] = (a * (1.0f - w) + b * w) * 0x1p-8f;
        a = to_float((wide_i)(top >> 16));
        b = to_float((wide_i)(bottom >> 16));
        out[odd + 2] = (a * (1.0f - w) + b * w) * 0x1p-8f;
    }
}

/* Texels of four words, the same without tricks. */
SOFT_INLINE void filter_words(const soft_sampling *s, const level_lanes *level, const taps t[3],
                              int dz, wide_f out[4])
{
    sample_slice(s, SOFT_WORDS, 0, 1, level, t, dz, out);
}

static void sample_general(const soft_sampling *s, const level_lanes *level, const taps t[3],
                           wide_f out[4])
{
    int linear = s->linear[0][0] | s->linear[0][1];
    wide_f behind[4];
    for (int dz = 0; dz < 2; dz++) {
        wide_f *to = dz == 0 ? out : behind;
        switch (s->image->storage) {
        case SOFT_BYTES:
            sample_slice(s, SOFT_BYTES, s->borders, linear, level, t, dz, to);
            break;
        case SOFT_WORDS:
            sample_slice(s, SOFT_WORDS, s->borders, linear, level, t, dz, to);
            break;
        case SOFT_FLOATS:
            sample_slice(s, SOFT_FLOATS, s->borders, linear, level, t, dz, to);
            break;
        default:
            sample_slice(s, SOFT_MEMORY, s->borders, linear, level, t, dz, to);
            break;
        }
        if (!(s->linear[1][0] | s->linear[1][1])) {
            return;
        }
    }
    UNROLL
    for (int c = 0; c < 4; c++) {
        out[c] = mix(out[c], behind[c], t[2].weight, 1);
    }
}

enum { GENERAL, LINEAR_BYTES, LINEAR_WORDS, VOLUME_BYTES, VOLUME_WORDS };

SOFT_INLINE void sample_level(const soft_sampling *s, int lane, int kind, const choice *chosen,
                              wide_i numbers, wide_f out[4])
{
    level_lanes level;
    taps t[3];
    set_level(s, &level, numbers, chosen->same);
    address_level(s, lane, chosen, &level, t);
    if (kind == GENERAL) {
        sample_general(s, &level, t, out);
        return;
    }
    wide_f behind[4];
    if (kind == LINEAR_BYTES || kind == VOLUME_BYTES) {
        filter_bytes(s, &level, t, 0, out);
    } else {
        filter_words(s, &level, t, 0, out);
    }
    if (kind == LINEAR_BYTES || kind == LINEAR_WORDS) {
        return;
    }
    if (kind == VOLUME_BYTES) {
        filter_bytes(s, &level, t, 1, behind);
    } else {
        filter_words(s, &level, t, 1, behind);
    }
    UNROLL
    for (int c = 0; c < 4; c++) {
        out[c] = mix(out[c], behind[c], t[2].weight, 0);
    }
}

SOFT_INLINE void sample_lanes(const soft_sampling *s, int kind, soft_vec4 *number)
{
    for (int lane = 0; lane < SOFT_LANES; lane += WIDE) {
        choice chosen;
        wide_f out[4], next[4];
        choose(s, lane, &chosen);
        sample_level(s, lane, kind, &chosen, chosen.level[0], out);
        if (chosen.two) {
            sample_level(s, lane, kind, &chosen, chosen.level[1], next);
        }
        UNROLL
        for (int c = 0; c < 4; c++) {
            if (chosen.two) {
                out[c] = mix(out[c], next[c], chosen.weight, kind == GENERAL);
            }
            memcpy((float *)&number->c[c] + lane, &out[c], sizeof out[c]);
        }
    }
}

#define SAMPLE(NAME, KIND)                                                                         \
    static void NAME(const soft_sampling *s, soft_vec4 *number)                                    \
    {                                                                                              \
        sample_lanes(s, KIND, number);                                                             \
    }

SAMPLE(sample_any, GENERAL)
SAMPLE(sample_linear_bytes, LINEAR_BYTES)
SAMPLE(sample_linear_words, LINEAR_WORDS)
SAMPLE(sample_volume_bytes, VOLUME_BYTES)
SAMPLE(sample_volume_words, VOLUME_WORDS)

void soft_sample(const soft_sampling *s, soft_vec4 *number)
{
    int plain = !s->borders && (s->linear[0][0] | s->linear[0][1]);
    int volume = s->linear[1][0] | s->linear[1][1];
    if (plain && s->image->storage == SOFT_BYTES) {
        (volume ? sample_volume_bytes : sample_linear_bytes)(s, number);
    } else if (plain && s->image->storage == SOFT_WORDS) {
        (volume ? sample_volume_words : sample_linear_words)(s, number);
    } else {
        sample_any(s, number);
    }
}

void soft_sample_weights(const soft_sampling *s, soft_vec4 *weights, soft_f *border)
{
    for (int lane = 0; lane < SOFT_LANES; lane += WIDE) {
        choice chosen;
        level_lanes level;
        taps t[3];
        choose(s, lane, &chosen);
        set_level(s, &level, chosen.level[0], chosen.same);
        address_level(s, lane, &chosen, &level, t);
        wide_f sum = splat(0);
        for (int tap = 0; tap < 8; tap++) {
            wide_f share = splat(1);
            wide_i outside = splat_i(0);
            UNROLL
            for (int d = 0; d < 3; d++) {
                int second = tap >> d & 1;
                share = share * (second ? t[d].weight : 1.0f - t[d].weight);
                outside |= t[d].border[second];
            }
            sum = sum + pick(outside, share, splat(0));
        }
        memcpy((float *)border + lane, &sum, sizeof sum);
        UNROLL
        for (int d = 0; d < 3; d++) {
            memcpy((float *)&weights->c[d] + lane, &t[d].weight, sizeof t[d].weight);
        }
        memcpy((float *)&weights->c[3] + lane, &chosen.weight, sizeof chosen.weight);
    }
}
