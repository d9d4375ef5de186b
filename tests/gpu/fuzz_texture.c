/* Arbitrary fetch constants, instructions, coordinates and memory. What is kept and what is read from
 * memory must give the same bits. */
#include <stdlib.h>
#include <string.h>

#include "soft/texture_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY (1u << 20)
#define HEAD   (6 * 4 + 16 + 3 * SOFT_LANES * 4)

/* Sizes that a byte or two of chance seldom give: small ones, at addresses that are in memory. */
static void tame(uint32_t fetch[6], uint8_t how)
{
    fetch[0] = (fetch[0] & ~3u) | 2;
    if (how & 1) {
        fetch[1] &= 0x000FFFFFu;
        fetch[5] &= 0x000FFFFFu;
    }
    if (how & 2) {
        fetch[2] &= 0x0C0F803Fu; /* up to 64x128 */
    }
}

static void fetch_once(soft_textures *textures, const uint32_t fetch[6], const xenos_fetch *f,
                       const soft_fetch_state *state, const soft_f coordinate[3], soft_vec4 *out)
{
    const soft_texture *texture = soft_textures_prepare(textures, fetch);
    soft_texture_fetch(texture, f, state, coordinate, SOFT_ALL, out);
    soft_textures_release(textures);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD) {
        return 0;
    }
    uint32_t fetch[6];
    memcpy(fetch, data, sizeof fetch);
    const uint8_t *b = data + 24;
    tame(fetch, b[0]);
    static const uint8_t opcodes[] = {XENOS_FETCH_TEXTURE,         XENOS_FETCH_TEXTURE,
                                      XENOS_FETCH_BORDER_FRACTION, XENOS_FETCH_COMPUTED_LOD,
                                      XENOS_FETCH_GRADIENTS,       XENOS_FETCH_WEIGHTS};
    xenos_fetch f = {.opcode = opcodes[b[1] % 6],
                     .dimension = b[2] & 3,
                     .unnormalized = b[2] >> 2 & 1,
                     .computed_lod = b[2] >> 3 & 1,
                     .register_lod = b[2] >> 4 & 1,
                     .register_gradients = b[2] >> 5 & 1,
                     .mag_filter = b[3] & 3,
                     .min_filter = b[3] >> 2 & 3,
                     .mip_filter = b[3] >> 4 & 3,
                     .vol_mag_filter = b[3] >> 6,
                     .aniso_filter = b[4] & 7,
                     .vol_min_filter = b[4] >> 3 & 3,
                     .lod_bias = (int8_t)b[5],
                     .offset_x = (int8_t)(b[6] % 32 - 16),
                     .offset_y = (int8_t)(b[7] % 32 - 16),
                     .offset_z = (int8_t)(b[8] % 32 - 16)};
    soft_f coordinate[3];
    soft_fetch_state state;
    memset(&state, 0, sizeof state);
    memcpy(coordinate, data + 40, sizeof coordinate);
    state.vertices = b[9] & 1;
    state.lod = coordinate[2];
    for (int i = 0; i < 3; i++) {
        state.gradient_h[i] = coordinate[i];
        state.gradient_v[i] = coordinate[2 - i] * 0.5f;
    }

    xenos_memory memory = {.size = MEMORY, .bytes = malloc(MEMORY)};
    data += HEAD;
    size -= HEAD;
    for (uint32_t at = 0; at < MEMORY; at++) {
        memory.bytes[at] = size > 0 ? data[at % size] : (uint8_t)at;
    }
    soft_textures *textures = soft_textures_new(&memory);
    soft_textures_limit(textures, 256u << 10); /* decoding more takes long */
    soft_vec4 kept, read;
    fetch_once(textures, fetch, &f, &state, coordinate, &kept);
    soft_textures_written(textures, 0, MEMORY);
    fetch_once(textures, fetch, &f, &state, coordinate, &read);
    int same = memcmp(&kept, &read, sizeof kept) == 0;
    soft_textures_free(textures);
    textures = soft_textures_new(&memory);
    soft_textures_limit(textures, 0);
    fetch_once(textures, fetch, &f, &state, coordinate, &read);
    for (int c = 0; c < 4; c++) { /* NaN's bits may be any NaN's */
        for (int i = 0; i < SOFT_LANES; i++) {
            float a = kept.c[c][i];
            float z = read.c[c][i];
            same = same && (memcmp(&a, &z, sizeof a) == 0 || (a != a && z != z));
        }
    }
    soft_textures_free(textures);
    free(memory.bytes);
    if (!same) {
        abort();
    }
    return 0;
}
