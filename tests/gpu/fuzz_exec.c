/* Shaders of any words, with any constants, for any lanes: no crash, no undefined step, an end. */
#include <stdlib.h>
#include <string.h>

#include "soft/exec.h"
#include "soft/texture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void soft_texture_fetch(const soft_texture *texture, const xenos_fetch *fetch,
                        const soft_fetch_state *state, const soft_f coordinate[3], soft_mask active,
                        soft_vec4 *result)
{
    (void)texture;
    for (int c = 0; c < 4; c++) {
        result->c[c] = coordinate[c % 3] + state->lod;
    }
}

/* Eight bytes of choices, 256 of registers, the rest microcode. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD = 8, CHOICES = 256, MEMORY = 4096 };
    if (size < HEAD + CHOICES + 12 || size > 8192) {
        return 0;
    }
    uint32_t dwords = (uint32_t)(size - HEAD - CHOICES) / 4;
    uint32_t *words = malloc(dwords * 4);
    uint32_t *registers = calloc(XENOS_REGISTER_COUNT, 4);
    uint8_t *bytes = calloc(1, MEMORY);
    soft_group *group = aligned_alloc(64, sizeof *group);
    if (words == NULL || registers == NULL || bytes == NULL || group == NULL) {
        abort();
    }
    memcpy(words, data + HEAD + CHOICES, dwords * 4);
    for (uint32_t n = 0; n < 1024; n++) {
        memcpy(&registers[XENOS_CONSTANT_ALU + 2 * n], data + HEAD + n * 7 % (CHOICES - 4), 4);
    }
    for (uint32_t n = 0; n < 256; n++) {
        memcpy(&registers[XENOS_CONSTANT_FETCH + n], data + HEAD + n % (CHOICES - 4), 4);
    }
    for (uint32_t n = 0; n < 40; n++) { /* loops short, so that runs are */
        memcpy(&registers[XENOS_CONSTANT_BOOL + n], data + HEAD + 4 * n, 4);
        registers[XENOS_CONSTANT_BOOL + n] &= n < 8 ? UINT32_MAX : 0xFFFF03u;
    }
    memset(group, 0, sizeof *group);
    memcpy(&group->r[0], data + HEAD, CHOICES);
    memcpy(&group->r[1], data + HEAD, CHOICES);
    group->active = (uint32_t)data[0] | (uint32_t)data[1] << 8;
    group->real = group->active & ~(uint32_t)data[2];
    xenos_memory memory = {.bytes = bytes, .size = MEMORY};
    const struct soft_texture *textures[32];
    for (int n = 0; n < 32; n++) {
        textures[n] = data[3] >> n % 8 & 1 ? (const void *)bytes : NULL;
    }
    xenos_program *program = xenos_program_new(data[4] & 1, words, dwords);
    soft_program *code = program != NULL ? soft_program_new(program) : NULL;
    if (code == NULL) {
        abort();
    }
    soft_stage stage = {
        .program = program,
        .code = code,
        .registers = registers,
        .memory = &memory,
        .textures = textures,
        .constant_base = data[4] & 1 ? 256 : data[5],
        .constant_count = data[6] + 1u,
    };
    soft_exec(&stage, group);
    soft_program_free(code);
    xenos_program_free(program);
    free(group);
    free(bytes);
    free(registers);
    free(words);
    return 0;
}
