/* A captured frame in a steady state: its packets again and again. Memory is put in where it differs,
 * as a title would write it, so textures stay decoded; EDRAM is left as the frame before left it.
 * Every frame must have the pixels of the run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endian.h"
#include "gpu.h"
#include "gpu_sandbox.h"
#include "replay.h"

typedef struct kept {
    uint32_t kind, length;
    uint8_t *bytes;
} kept;

typedef struct captured {
    gpu_bench bench;
    gpu_sandbox sandbox;
    kept *records;
    uint32_t count;
    uint32_t *dwords;
    int begun;
} captured;

static void load(uint32_t *out, const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        out[i] = xenos_load32(bytes + 4 * (size_t)i);
    }
}

static void load_code(captured *c, const kept *r)
{
    uint32_t stage = xenos_load32(r->bytes) & 1;
    xenos_shader *shader = &c->sandbox.cp->shaders[stage];
    shader->start = xenos_load32(r->bytes + 4);
    shader->size = r->length / 4 - 2;
    load(shader->code, r->bytes + 8, shader->size);
    xenos_drawing_shader(c->sandbox.cp->drawing, stage, shader->code, shader->size);
}

static void load_memory(captured *c, const kept *r)
{
    uint32_t address = xenos_load32(r->bytes), length = r->length - 4;
    uint8_t *to = c->sandbox.memory.physical + address;
    if (address <= c->sandbox.memory.physical_size - length &&
        memcmp(to, r->bytes + 4, length) != 0) {
        memcpy(to, r->bytes + 4, length);
        xenos_drawing_changed(c->sandbox.cp->drawing, address, length);
    }
}

/* 0: the frame differs from the run's. */
static int take(captured *c, const kept *r)
{
    xenos_cp *cp = c->sandbox.cp;
    uint32_t wanted[2];
    uint8_t *edram;
    switch (r->kind) {
    case XENOS_RECORD_REGS:
        load(cp->registers, r->bytes, XENOS_REGISTER_COUNT);
        return 1;
    case XENOS_RECORD_CODE:
        load_code(c, r);
        return 1;
    case XENOS_RECORD_GAMA:
        load(cp->gamma.table, r->bytes, 256);
        load(cp->gamma.segment[0], r->bytes + 1024, 128 * 3);
        cp->gamma.component = xenos_load32(r->bytes + 1024 + 1536) % 3;
        return 1;
    case XENOS_RECORD_EDRM:
        edram = c->begun ? NULL : xenos_drawing_edram(cp->drawing);
        if (edram != NULL) {
            memcpy(edram, r->bytes, XENOS_EDRAM_BYTES);
        }
        return 1;
    case XENOS_RECORD_MEM:
        load_memory(c, r);
        return 1;
    case XENOS_RECORD_PACK:
        load(c->dwords, r->bytes + 4, r->length / 4 - 1);
        xenos_cp_execute(cp, c->dwords, r->length / 4 - 1);
        return 1;
    case XENOS_RECORD_SWAP:
        load(wanted, r->bytes, 2);
        return c->begun || c->sandbox.hash == (wanted[0] | (uint64_t)wanted[1] << 32);
    default:
        return 1;
    }
}

static int frame(gpu_bench *bench)
{
    captured *c = (captured *)bench;
    uint64_t first = c->sandbox.hash;
    for (uint32_t i = 0; i < c->count; i++) {
        if (!take(c, &c->records[i])) {
            fprintf(stderr, "bench: error: gpu: the frame is not that of the run\n");
            return 0;
        }
    }
    if (c->begun && c->sandbox.hashes && c->sandbox.hash != first) {
        fprintf(stderr, "bench: error: gpu: the frame differs when it is drawn again\n");
        return 0;
    }
    c->sandbox.hashes = !c->begun; /* the first two are checked */
    c->begun = 1;
    return 1;
}

static void end(gpu_bench *bench)
{
    captured *c = (captured *)bench;
    gpu_sandbox_end(&c->sandbox);
    for (uint32_t i = 0; i < c->count; i++) {
        free(c->records[i].bytes);
    }
    free(c->records);
    free(c->dwords);
    free(c);
}

static int keep(captured *c, const xenos_record *from)
{
    if ((c->count & (c->count + 1)) == 0) {
        kept *more = realloc(c->records, (2 * (size_t)c->count + 2) * sizeof *more);
        if (more == NULL) {
            return 0;
        }
        c->records = more;
    }
    kept *r = &c->records[c->count];
    *r = (kept){from->kind, from->length, malloc(from->length + 1)};
    if (r->bytes == NULL) {
        return 0;
    }
    memcpy(r->bytes, from->bytes, from->length);
    c->count++;
    return 1;
}

gpu_bench *gpu_captured(const char *path, uint32_t threads)
{
    captured *c = calloc(1, sizeof *c);
    if (c == NULL || !gpu_sandbox_begin(&c->sandbox, threads)) {
        free(c);
        return NULL;
    }
    c->bench = (gpu_bench){.frame = frame, .end = end};
    c->sandbox.hashes = 1;
    c->dwords = malloc(0x4002 * sizeof *c->dwords);
    xenos_records *records = xenos_records_open(&c->sandbox.host, path);
    xenos_record record = {.kind = 0};
    int good = records != NULL && c->dwords != NULL;
    while (good && record.kind != XENOS_RECORD_END) {
        good = xenos_records_next(records, &record) == WEFT_OK && keep(c, &record);
    }
    if (records != NULL) {
        xenos_records_close(records);
    }
    if (!good) {
        end(&c->bench);
        return NULL;
    }
    return &c->bench;
}
