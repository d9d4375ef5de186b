/* dump.c: captures and shader binaries as text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "endian.h"
#include "pm4.h"
#include "replay.h"
#include "state.h"

#define FILE_MOST (16u << 20) /* bytes of a shader binary: far more than there is room for */

static void print_program(FILE *out, uint32_t stage, const uint32_t *code, uint32_t dwords)
{
    xenos_program *program = xenos_program_new(stage, code, dwords);
    if (program == NULL) {
        fprintf(out, "    (no memory)\n");
        return;
    }
    fprintf(out, "    %s shader %016llx, %u dwords\n",
            stage == XENOS_STAGE_VERTEX ? "vertex" : "pixel", (unsigned long long)program->hash,
            dwords);
    xenos_disassemble(program, out);
    xenos_program_free(program);
}

/* ---- registers ---- */

static void print_constant_name(FILE *out, uint32_t number)
{
    static const char component[] = "xyzw";
    if (number >= XENOS_CONSTANT_LOOP) {
        fprintf(out, "i%u", number - XENOS_CONSTANT_LOOP);
    } else if (number >= XENOS_CONSTANT_BOOL) {
        fprintf(out, "b%u..%u", (number - XENOS_CONSTANT_BOOL) * 32,
                (number - XENOS_CONSTANT_BOOL) * 32 + 31);
    } else if (number >= XENOS_CONSTANT_FETCH) {
        fprintf(out, "tf%u[%u]", (number - XENOS_CONSTANT_FETCH) / 6,
                (number - XENOS_CONSTANT_FETCH) % 6);
    } else {
        fprintf(out, "c%u.%c", (number - XENOS_CONSTANT_ALU) / 4, component[number % 4]);
    }
}

static void print_register(FILE *out, uint32_t number, uint32_t value)
{
    const xenos_register *row = xenos_register_find(number);
    fprintf(out, "    0x%04X ", number);
    if (number >= XENOS_CONSTANT_ALU && number < XENOS_CONSTANT_LOOP + 32) {
        print_constant_name(out, number);
    } else {
        fprintf(out, "%s", row != NULL ? row->name : "?");
    }
    fprintf(out, " = 0x%08X", value);
    if (number >= XENOS_CONSTANT_ALU && number < XENOS_CONSTANT_FETCH) {
        fprintf(out, " (%.9g)", (double)xenos_float(value));
    }
    fputc('\n', out);
}

static void print_registers(FILE *out, uint32_t first, int same, const uint32_t *values,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        print_register(out, same ? first : first + i, values[i]);
    }
}

/* ---- packets ---- */

static const char *primitive_name(uint32_t type)
{
    static const char *const names[] = {
        [XENOS_POINTS] = "points",
        [XENOS_LINES] = "lines",
        [XENOS_LINE_STRIP] = "line strip",
        [XENOS_TRIANGLES] = "triangles",
        [XENOS_TRIANGLE_FAN] = "triangle fan",
        [XENOS_TRIANGLE_STRIP] = "triangle strip",
        [XENOS_TRIANGLES_W_FLAGS] = "triangles with w flags",
        [XENOS_RECTANGLES] = "rectangles",
        [XENOS_LINE_LOOP] = "line loop",
        [XENOS_QUADS] = "quads",
        [XENOS_QUAD_STRIP] = "quad strip",
        [XENOS_POLYGON] = "polygon",
        [XENOS_LINE_PATCHES] = "line patches",
        [XENOS_TRIANGLE_PATCHES] = "triangle patches",
        [XENOS_QUAD_PATCHES] = "quad patches",
    };
    const char *name = type < sizeof names / sizeof names[0] ? names[type] : NULL;
    return name != NULL ? name : "primitives of another type";
}

static void print_draw(FILE *out, const uint32_t *packet, uint32_t dwords, uint32_t at)
{
    static const char *const sources[] = {"from memory", "in the packet", "counted",
                                          "from nowhere"};
    if (at >= dwords) {
        return;
    }
    uint32_t initiator = packet[at];
    fprintf(out, "    %s, %u indices %s", primitive_name(initiator & 0x3F), initiator >> 16,
            sources[initiator >> 6 & 3]);
    if ((initiator >> 6 & 3) == XENOS_INDICES_MEMORY && at + 2 < dwords) {
        fprintf(out, " at 0x%08X, %u bits, byte order %u", packet[at + 1],
                initiator >> 11 & 1 ? 32u : 16u, packet[at + 2] >> 30);
    }
    fputc('\n', out);
}

static void print_dwords(FILE *out, const uint32_t *packet, uint32_t dwords)
{
    for (uint32_t i = 1; i < dwords; i++) {
        fprintf(out, "%s0x%08X%s", (i - 1) % 8 == 0 ? "    " : " ", packet[i],
                i % 8 == 0 || i + 1 == dwords ? "\n" : "");
    }
}

static void print_type3(FILE *out, const uint32_t *packet, uint32_t dwords)
{
    uint32_t opcode = packet[0] >> 8 & 0x7F;
    const xenos_packet *row = xenos_packet_find(opcode);
    fprintf(out, "%s%s, %u dwords\n", row != NULL ? row->name : "unknown packet",
            packet[0] & 1 ? " (predicated)" : "", dwords - 1);
    switch (opcode) {
    case XENOS_PM4_SET_CONSTANT:
        if (xenos_constant_register(packet[1]) != UINT32_MAX) {
            print_registers(out, xenos_constant_register(packet[1]), 0, packet + 2, dwords - 2);
        }
        break;
    case XENOS_PM4_SET_CONSTANT2:
    case XENOS_PM4_SET_SHADER_CONSTANTS:
        print_registers(out, packet[1] & 0xFFFF, 0, packet + 2, dwords - 2);
        break;
    case XENOS_PM4_IM_LOAD_IMMEDIATE:
        if (dwords > 3 && packet[1] <= 1 && (packet[2] & 0xFFFF) <= dwords - 3) {
            print_program(out, packet[1], packet + 3, packet[2] & 0xFFFF);
        }
        break;
    case XENOS_PM4_DRAW_INDX:
    case XENOS_PM4_DRAW_INDX_BIN:
        print_dwords(out, packet, dwords);
        print_draw(out, packet, dwords, 2);
        break;
    case XENOS_PM4_DRAW_INDX_2:
    case XENOS_PM4_DRAW_INDX_2_BIN:
        print_dwords(out, packet, dwords < 9 ? dwords : 9);
        print_draw(out, packet, dwords, 1);
        break;
    default:
        print_dwords(out, packet, dwords);
        break;
    }
}

static void print_packet(FILE *out, uint32_t address, const uint32_t *packet, uint32_t dwords)
{
    uint32_t header = packet[0];
    fprintf(out, "%08X: ", address);
    if (header == 0) {
        fprintf(out, "nothing\n");
        return;
    }
    switch (header >> 30) {
    case 0:
        fprintf(out, "registers, %u\n", dwords - 1);
        print_registers(out, header & 0x7FFF, (header & 0x8000) != 0, packet + 1, dwords - 1);
        break;
    case 1:
        fprintf(out, "two registers\n");
        print_register(out, header & 0x7FF, packet[1]);
        print_register(out, header >> 11 & 0x7FF, packet[2]);
        break;
    case 2:
        fprintf(out, "filler\n");
        break;
    default:
        print_type3(out, packet, dwords);
        break;
    }
}

/* ---- a capture ---- */

static void print_state(FILE *out, const uint32_t *registers)
{
    fprintf(out, "registers that are not 0\n");
    for (uint32_t i = 0; i < XENOS_REGISTER_COUNT; i++) {
        if (registers[i] != 0) {
            print_register(out, i, registers[i]);
        }
    }
}

/* IM_LOAD names code in memory; a dump shows what the capture holds there. */
typedef struct dump {
    FILE *out;
    uint8_t *memory[(XENOS_PHYSICAL_MASK + 1) / 4096];
    uint32_t *words; /* of the record in hand */
} dump;

static void keep_memory(dump *d, const xenos_record *record)
{
    uint32_t address = xenos_load32(record->bytes);
    uint32_t length = record->length - 4;
    fprintf(d->out, "memory 0x%08X, %u bytes\n", address, length);
    if (address % 4096 != 0 || length != 4096 || address > XENOS_PHYSICAL_MASK) {
        return;
    }
    uint8_t **page = &d->memory[address / 4096];
    *page = *page != NULL ? *page : malloc(4096);
    if (*page != NULL) {
        memcpy(*page, record->bytes + 4, 4096);
    }
}

static void print_loaded(dump *d, const uint32_t *packet)
{
    uint32_t address = packet[1] & XENOS_PHYSICAL_MASK & ~UINT32_C(3);
    uint32_t size = packet[2] & 0xFFFF;
    uint32_t *code = malloc(((size_t)size + 1) * sizeof *code);
    if ((packet[1] & 3) > 1 || code == NULL) {
        free(code);
        return;
    }
    for (uint32_t i = 0; i < size; i++) {
        uint32_t at = (address + i * 4) & XENOS_PHYSICAL_MASK;
        const uint8_t *page = d->memory[at / 4096];
        code[i] = page != NULL ? weft_load32(page + at % 4096) : 0;
    }
    print_program(d->out, packet[1] & 3, code, size);
    free(code);
}

static void dump_record(dump *d, const xenos_record *record)
{
    const uint8_t *bytes = record->bytes;
    uint32_t count = record->length / 4;
    for (uint32_t i = 0; i < count && record->kind != XENOS_RECORD_EDRM; i++) {
        d->words[i] = xenos_load32(bytes + i * 4);
    }
    switch (record->kind) {
    case XENOS_RECORD_HEAD:
        fprintf(d->out, "capture of frame %u\n", d->words[1]);
        break;
    case XENOS_RECORD_REGS:
        print_state(d->out, d->words);
        break;
    case XENOS_RECORD_CODE:
        print_program(d->out, d->words[0] & 1, d->words + 2, count - 2);
        break;
    case XENOS_RECORD_EDRM:
        fprintf(d->out, "EDRAM, not all of it 0\n");
        break;
    case XENOS_RECORD_MEM:
        keep_memory(d, record);
        break;
    case XENOS_RECORD_PACK:
        if (xenos_packet_dwords(d->words[1]) == count - 1) {
            print_packet(d->out, d->words[0], d->words + 1, count - 1);
            if (d->words[1] >> 30 == 3 && (d->words[1] >> 8 & 0x7F) == XENOS_PM4_IM_LOAD &&
                count >= 4) {
                print_loaded(d, d->words + 1);
            }
        } else {
            fprintf(d->out, "a packet whose length does not fit its header\n");
        }
        break;
    case XENOS_RECORD_SWAP:
        fprintf(d->out, "frame shown, pixels %08x%08x\n", d->words[1], d->words[0]);
        break;
    default:
        break;
    }
}

weft_status xenos_dump(const weft_host *host, const char *path, FILE *out)
{
    xenos_records *records = xenos_records_open(host, path);
    if (records == NULL) {
        return WEFT_E_IO;
    }
    dump *d = calloc(1, sizeof *d);
    uint32_t *words = malloc(XENOS_REGISTER_COUNT * 4 + XENOS_SHADER_DWORDS * 4);
    weft_status status = WEFT_OK;
    if (d == NULL || words == NULL) {
        status = host->fail(host, WEFT_E_NO_MEMORY, "no memory to print a capture");
    } else {
        d->out = out;
        d->words = words;
    }
    xenos_record record = {.kind = 0};
    while (status == WEFT_OK && record.kind != XENOS_RECORD_END) {
        status = xenos_records_next(records, &record);
        if (status == WEFT_OK) {
            dump_record(d, &record);
        }
    }
    for (uint32_t i = 0; d != NULL && i < sizeof d->memory / sizeof d->memory[0]; i++) {
        free(d->memory[i]);
    }
    free(words);
    free(d);
    xenos_records_close(records);
    return status;
}

/* ---- a shader binary ---- */

static weft_status fail_to_read(const weft_host *host)
{
    char text[256];
    snprintf(text, sizeof text, "shader cannot be read (found: %s, expected a file)",
             strerror(errno));
    return host->fail(host, WEFT_E_IO, text);
}

static uint8_t *read_file(const weft_host *host, const char *path, size_t *length,
                          weft_status *status)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = file != NULL ? malloc(FILE_MOST + 1) : NULL;
    if (bytes == NULL) {
        *status = file != NULL ? host->fail(host, WEFT_E_NO_MEMORY, "no memory to read it")
                               : fail_to_read(host);
    } else {
        *length = fread(bytes, 1, FILE_MOST + 1, file);
        if (ferror(file)) { /* a folder, say */
            *status = fail_to_read(host);
            free(bytes);
            bytes = NULL;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return bytes;
}

weft_status xenos_disassemble_file(const weft_host *host, const char *path, const char *stage,
                                   FILE *out)
{
    size_t length = 0;
    weft_status status = WEFT_OK;
    uint8_t *bytes = read_file(host, path, &length, &status);
    if (bytes == NULL) {
        return status;
    }
    xenos_microcode code = {.bytes = bytes, .length = (uint32_t)length};
    const char *problem = NULL;
    if (length == 0) {
        problem = "file is not a shader (found nothing, expected a container or microcode)";
    } else if (length > FILE_MOST) {
        problem = "file is too long for a shader (found more, expected at most 16 MiB)";
    } else if (xenos_container_is(bytes, length)) {
        problem = xenos_container_read(bytes, length, &code);
    } else if (stage == NULL) {
        problem =
            "bare microcode does not say its stage (found no container, expected --stage vertex or "
            "--stage pixel)";
    } else if (length % 12 != 0) {
        problem =
            "bare microcode is cut off (found a part of an instruction, expected 12 bytes each)";
    }
    if (problem == NULL && stage != NULL) {
        code.stage = strcmp(stage, "vertex") == 0 ? XENOS_STAGE_VERTEX : XENOS_STAGE_PIXEL;
    }
    uint32_t *words = problem == NULL ? malloc(code.length + 4) : NULL;
    if (problem == NULL && words == NULL) {
        problem = "no memory to decode it";
    }
    if (problem != NULL) {
        free(bytes);
        return host->fail(host, WEFT_E_FORMAT, problem);
    }
    for (uint32_t i = 0; i < code.length / 4; i++) {
        words[i] = weft_load32(code.bytes + i * 4);
    }
    xenos_program *program = xenos_program_new(code.stage, words, code.length / 4);
    if (program == NULL) {
        status = host->fail(host, WEFT_E_NO_MEMORY, "no memory to decode it");
    } else {
        xenos_disassemble(program, out);
    }
    xenos_program_free(program);
    free(words);
    free(bytes);
    return status;
}
