#include "replay.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

#include "endian.h"

#define MEMORY_BYTES (XENOS_PHYSICAL_MASK + 1)

/* A machine with nothing but memory and a GPU. */
typedef struct sandbox {
    weft_host host;
    weft_memory memory;
    uint64_t wanted[16]; /* kinds of events: none */
    const weft_host *outer;
    xenos_cp *cp;
    uint32_t *packet;      /* dwords of the latest, in host order */
    uint64_t draws_before; /* the capture */

    void (*frame)(void *context, const weft_frame *frame);
    void *context;
    uint64_t pixels; /* hash of the latest frame */
    uint32_t frames;
} sandbox;

static weft_status host_fail(const weft_host *host, weft_status status, const char *text)
{
    const sandbox *s = host->impl;
    return s->outer->fail(s->outer, status, text);
}

static void host_log(const weft_host *host, uint32_t level, const char *text)
{
    const sandbox *s = host->impl;
    s->outer->log(s->outer, level, text);
}

static void host_emit(const weft_host *host, weft_event *event)
{
}

static void host_present(const weft_host *host, weft_frame *frame)
{
    sandbox *s = host->impl;
    s->frames++;
    frame->number = s->frames;
    s->pixels = XXH3_64bits(frame->pixels, (size_t)frame->height * frame->stride);
    if (s->frame != NULL) {
        s->frame(s->context, frame);
    }
}

static void memory_written(weft_memory *memory, uint32_t start, uint32_t length)
{
}

static weft_status memory_watch(weft_memory *memory, uint32_t start, uint32_t length)
{
    return WEFT_OK;
}

static weft_status memory_listen(weft_memory *memory, weft_written_fn fn, void *context)
{
    return WEFT_E_LIMIT;
}

static void sandbox_end(sandbox *s)
{
    if (s->cp != NULL) {
        xenos_cp_end(s->cp);
    }
    free(s->cp);
    free(s->packet);
    if (s->memory.physical != NULL) {
        munmap(s->memory.physical, MEMORY_BYTES);
    }
}

static weft_status sandbox_begin(sandbox *s, const weft_host *outer, const char *backend,
                                 uint32_t threads)
{
    void *bytes = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *s = (sandbox){
        .outer = outer,
        .memory = {.size = sizeof s->memory,
                   .physical_size = MEMORY_BYTES,
                   .physical = bytes == MAP_FAILED ? NULL : bytes,
                   .written_physical = memory_written,
                   .watch_physical = memory_watch,
                   .listen = memory_listen},
        .cp = calloc(1, sizeof *s->cp),
        .packet = malloc(0x4002 * sizeof *s->packet),
    };
    s->host = (weft_host){
        .size = sizeof s->host,
        .impl = s,
        .memory = &s->memory,
        .wanted = s->wanted,
        .machine = outer->machine,
        .fail = host_fail,
        .log = host_log,
        .emit = host_emit,
        .present = host_present,
    };
    xenos_drawing *drawing =
        s->cp != NULL ? xenos_drawing_new(&s->host, s->cp, backend, threads) : NULL;
    if (s->memory.physical == NULL || s->packet == NULL || drawing == NULL) {
        xenos_drawing_free(drawing);
        free(s->cp);
        s->cp = NULL;
        sandbox_end(s);
        return outer->fail(outer, WEFT_E_NO_MEMORY, "no memory to draw a capture");
    }
    static const xenos_costs free_of_charge = {1, 1, 1, 1, 1, 1, 0};
    xenos_cp_init(s->cp, &s->host, &free_of_charge, drawing);
    return WEFT_OK;
}

static void load_dwords(uint32_t *out, const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        out[i] = xenos_load32(bytes + i * 4);
    }
}

static uint64_t load_wide(const uint8_t *bytes)
{
    return xenos_load32(bytes) | (uint64_t)xenos_load32(bytes + 4) << 32;
}

static weft_status malformed(const sandbox *s, const xenos_record *record, const char *what)
{
    char text[256];
    snprintf(text, sizeof text, "byte %llu of the unpacked capture: %s",
             (unsigned long long)record->offset, what);
    return s->outer->fail(s->outer, WEFT_E_FORMAT, text);
}

static weft_status take_code(sandbox *s, const xenos_record *record)
{
    uint32_t stage = xenos_load32(record->bytes);
    if (stage > 1) {
        return malformed(s, record,
                         "stage of a shader is unknown (found another, expected 0 or 1)");
    }
    xenos_shader *shader = &s->cp->shaders[stage];
    shader->start = xenos_load32(record->bytes + 4);
    shader->size = record->length / 4 - 2;
    load_dwords(shader->code, record->bytes + 8, shader->size);
    xenos_drawing_shader(s->cp->drawing, stage, shader->code, shader->size);
    return WEFT_OK;
}

static weft_status take_memory(sandbox *s, const xenos_record *record)
{
    uint32_t address = xenos_load32(record->bytes);
    uint32_t length = record->length - 4;
    if (address > MEMORY_BYTES - length) {
        return malformed(s, record,
                         "page lies outside memory (found more, expected less than 512 MiB)");
    }
    memcpy(s->memory.physical + address, record->bytes + 4, length);
    xenos_drawing_changed(s->cp->drawing, address, length);
    return WEFT_OK;
}

static weft_status take_packet(sandbox *s, const xenos_record *record)
{
    uint32_t dwords = record->length / 4 - 1;
    load_dwords(s->packet, record->bytes + 4, dwords);
    if (xenos_packet_dwords(s->packet[0]) != dwords) {
        return malformed(
            s, record,
            "length of a packet is wrong (found another than its header says, expected that)");
    }
    xenos_cp_execute(s->cp, s->packet, dwords);
    return WEFT_OK;
}

static weft_status take(sandbox *s, const xenos_record *record, weft_gpu_replayed *done)
{
    xenos_cp *cp = s->cp;
    const uint8_t *bytes = record->bytes;
    uint8_t *edram;
    switch (record->kind) {
    case XENOS_RECORD_REGS:
        load_dwords(cp->registers, bytes, XENOS_REGISTER_COUNT);
        return WEFT_OK;
    case XENOS_RECORD_CODE:
        return take_code(s, record);
    case XENOS_RECORD_GAMA:
        load_dwords(cp->gamma.table, bytes, 256);
        load_dwords(cp->gamma.segment[0], bytes + 1024, 128 * 3);
        cp->gamma.component = xenos_load32(bytes + 1024 + 1536) % 3;
        return WEFT_OK;
    case XENOS_RECORD_STAT:
        cp->bin_mask = load_wide(bytes);
        cp->bin_select = load_wide(bytes + 8);
        cp->counter = load_wide(bytes + 16);
        cp->stats.draws = load_wide(bytes + 24);
        s->draws_before = cp->stats.draws;
        return WEFT_OK;
    case XENOS_RECORD_EDRM:
        edram = xenos_drawing_edram(cp->drawing);
        if (edram != NULL) {
            memcpy(edram, bytes, XENOS_EDRAM_BYTES);
        }
        return WEFT_OK;
    case XENOS_RECORD_MEM:
        return take_memory(s, record);
    case XENOS_RECORD_PACK:
        return take_packet(s, record);
    case XENOS_RECORD_SWAP:
        done->compared++;
        done->equal += s->frames > 0 && s->pixels == load_wide(bytes);
        return WEFT_OK;
    default:
        return WEFT_OK;
    }
}

/* A capture from its beginning to its end. */
static weft_status replay_once(const weft_host *host, const char *path, sandbox *s,
                               weft_gpu_replayed *done)
{
    xenos_record record = {.kind = 0};
    xenos_records *records = xenos_records_open(host, path);
    weft_status status = records != NULL ? WEFT_OK : WEFT_E_IO;
    while (status == WEFT_OK && record.kind != XENOS_RECORD_END) {
        status = xenos_records_next(records, &record);
        if (status == WEFT_OK) {
            status = take(s, &record, done);
        }
    }
    xenos_records_close(records);
    done->frames = s->frames;
    done->packets = s->cp->stats.packets;
    done->draws = s->cp->stats.draws - s->draws_before;
    return status;
}

weft_status xenos_replay(const weft_host *host, const char *path, const char *backend,
                         uint32_t threads, uint32_t times,
                         void (*frame)(void *context, const weft_frame *frame), void *context,
                         weft_gpu_replayed *done)
{
    weft_status status = WEFT_OK;
    for (uint32_t i = 0; i < times && status == WEFT_OK; i++) {
        sandbox *s = malloc(sizeof *s);
        *done = (weft_gpu_replayed){.size = sizeof *done};
        if (s == NULL) {
            return host->fail(host, WEFT_E_NO_MEMORY, "no memory to draw a capture");
        }
        status = sandbox_begin(s, host, backend, threads);
        if (status == WEFT_OK) {
            s->frame = i + 1 == times ? frame : NULL;
            s->context = context;
            status = replay_once(host, path, s, done);
            sandbox_end(s);
        }
        free(s);
    }
    return status;
}
