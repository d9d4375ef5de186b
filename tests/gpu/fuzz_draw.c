/* Draws with arbitrary registers, shaders, constants, indices and memory. The input: a count of register
 * writes, the writes (a choice of register and a value), the two shaders, and memory. */
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY (1u << 16)

typedef struct input {
    const uint8_t *at, *end;
} input;

static uint32_t word(input *in)
{
    uint32_t value = 0;
    for (int i = 0; i < 4 && in->at < in->end; i++) {
        value |= (uint32_t)*in->at++ << (8 * i);
    }
    return value;
}

static void nothing(void *context, uint32_t start, uint32_t length)
{
}

/* Registers that draws look at; constants of all kinds are beyond them. */
static uint32_t choose(uint32_t n)
{
    static const uint32_t first[] = {0x2000, 0x2080, 0x2100, 0x2180, 0x2200,
                                     0x2280, 0x2300, 0x2380, 0x4000, 0x4800};
    uint32_t block = first[n % 10];
    return block + n / 10 % (block == 0x4000 ? 0x800 : block == 0x4800 ? 0x128 : 0x40);
}

static xenos_program *shader(input *in, uint32_t stage)
{
    static const uint32_t most = 96;
    uint32_t code[96];
    uint32_t dwords = word(in) % most;
    for (uint32_t i = 0; i < dwords; i++) {
        code[i] = word(in);
    }
    return xenos_program_new(stage, code, dwords);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, data + size};
    uint32_t *registers = calloc(XENOS_REGISTER_COUNT, sizeof *registers);
    uint8_t *bytes = calloc(1, MEMORY);
    xenos_memory memory = {.bytes = bytes, .size = MEMORY, .written = nothing, .watch = nothing};

    /* A draw that has pixels, so that changes to it have some too; small, so that it is quick. */
    registers[XENOS_RB_MODECONTROL] = XENOS_MODE_COLOR_DEPTH;
    registers[XENOS_RB_SURFACE_INFO] = 128;
    registers[XENOS_RB_COLOR_MASK] = 0xFFFF;
    registers[XENOS_RB_COLORCONTROL] = XENOS_ALWAYS;
    registers[XENOS_PA_CL_VTE_CNTL] = 0x700;
    registers[XENOS_PA_CL_CLIP_CNTL] = 1u << 16;
    registers[XENOS_VGT_MAX_VTX_INDX] = 0xFFFFFF;
    registers[XENOS_PA_SC_AA_MASK] = 0xFFFF;
    registers[XENOS_RB_DEPTHCONTROL] = 6 | XENOS_ALWAYS << 4;
    registers[XENOS_SQ_INTERPOLATOR_CNTL] = 0xFFFFFFFF;
    registers[XENOS_CONSTANT_FETCH] = 3; /* vertices: all of memory */
    registers[XENOS_CONSTANT_FETCH + 1] = MEMORY | 2;
    registers[XENOS_SQ_VS_CONST] = 255u << 12;
    registers[XENOS_SQ_PS_CONST] = 255u << 12 | 256;
    for (uint32_t n = word(&in) % 512; n > 0; n--) {
        uint32_t choice = word(&in);
        registers[choose(choice)] = word(&in);
    }
    registers[XENOS_PA_SC_WINDOW_SCISSOR_TL] &= 0x800F000F;
    registers[XENOS_PA_SC_WINDOW_OFFSET] &= 0x000F000F;
    registers[XENOS_PA_SC_WINDOW_SCISSOR_BR] &= 0x007F007F;
    registers[XENOS_PA_SC_WINDOW_SCISSOR_BR] |= 0x00200020;
    registers[XENOS_PA_SC_SCREEN_SCISSOR_BR] = 8192 | 8192u << 16;

    xenos_program *vertex = shader(&in, XENOS_STAGE_VERTEX);
    xenos_program *pixel = shader(&in, XENOS_STAGE_PIXEL);
    uint32_t immediate[16];
    for (int i = 0; i < 16; i++) {
        immediate[i] = word(&in);
    }
    uint32_t kind = word(&in);
    xenos_draw draw = {
        .registers = registers,
        .vertex = vertex,
        .pixel = kind & 1 ? NULL : pixel,
        .primitive = kind >> 1 & 63,
        .source = (kind >> 7) % 3,
        .count = kind >> 9 & 63,
        .wide = kind >> 15 & 1,
        .endian = kind >> 16 & 3,
        .base = word(&in),
        .immediate = immediate,
        .immediate_dwords = 16,
    };
    size_t rest = (size_t)(in.end - in.at);
    if (rest > 0) {
        for (uint32_t i = 0; i < MEMORY; i++) {
            bytes[i] = in.at[i % rest];
        }
    }

    void *soft = xenos_soft_backend.create(&memory, 1);
    if (soft && vertex && pixel) {
        xenos_soft_backend.draw(soft, &draw);
        registers[XENOS_RB_MODECONTROL] = XENOS_MODE_COPY;
        xenos_resolved done;
        xenos_soft_backend.resolve(soft, &draw, &done);
        xenos_counts counts;
        xenos_extents extents;
        xenos_soft_backend.counts(soft, &counts);
        xenos_soft_backend.extents(soft, &extents, 1);
    }
    xenos_soft_backend.destroy(soft);
    xenos_program_free(vertex);
    xenos_program_free(pixel);
    free(bytes);
    free(registers);
    return 0;
}
