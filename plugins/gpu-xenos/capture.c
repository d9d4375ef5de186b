#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "endian.h"
#include "pm4.h"
#include "texture_layout.h"

#define PAGE       4096u
#define PAGE_COUNT ((XENOS_PHYSICAL_MASK + 1) / PAGE)

struct xenos_capture {
    int handle;  /* of the file until its frame begins, else -1 */
    gzFile file; /* from then on */
    char *path;
    uint64_t frame;
    uint32_t recording, complete;
    int failed;                 /* errno of the first failure */
    uint8_t *pages[PAGE_COUNT]; /* memory as a replay has it by now; NULL: nothing there yet */
};

xenos_capture *xenos_capture_new(const char *path, uint64_t frame)
{
    xenos_capture *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->frame = frame;
    c->path = strdup(path);
    c->handle = c->path != NULL ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (c->handle < 0) {
        free(c->path);
        free(c);
        return NULL;
    }
    return c;
}

static void fail(xenos_capture *c, int code)
{
    if (!c->failed) {
        c->failed = code ? code : EIO;
    }
}

/* The frame begins: from here on what the file held is lost. */
static void begin(xenos_capture *c)
{
    if (ftruncate(c->handle, 0) != 0 && errno != EINVAL) { /* EINVAL: no regular file */
        fail(c, errno);
    }
    c->file = gzdopen(c->handle, "wb6");
    if (c->file == NULL) {
        fail(c, ENOMEM);
        close(c->handle);
    }
    c->handle = -1;
    c->recording = !c->failed;
}

static void stop(xenos_capture *c)
{
    for (uint32_t i = 0; i < PAGE_COUNT; i++) {
        free(c->pages[i]);
        c->pages[i] = NULL;
    }
    c->recording = 0;
    if (c->file != NULL && gzclose(c->file) != Z_OK) {
        fail(c, errno);
    }
    c->file = NULL;
}

/* A file that has nothing of a frame, or a part of it; one that was there before stays. */
static void remove_file(const xenos_capture *c, int begun)
{
    struct stat state;
    if (stat(c->path, &state) == 0 && S_ISREG(state.st_mode) && (begun || state.st_size == 0)) {
        unlink(c->path);
    }
}

int xenos_capture_free(xenos_capture *c, uint64_t frames, char why[XENOS_CAPTURE_WHY])
{
    if (c == NULL) {
        return 1;
    }
    int begun = c->handle < 0;
    if (!begun) {
        close(c->handle);
    }
    stop(c);
    int good = c->complete && !c->failed;
    if (c->failed) {
        snprintf(why, XENOS_CAPTURE_WHY,
                 "capture %s cannot be written (found: %s, expected room for it)", c->path,
                 strerror(c->failed));
    } else if (!good) {
        snprintf(
            why, XENOS_CAPTURE_WHY,
            "capture %s is not made, its frame did not come (found %llu frames, expected %llu)",
            c->path, (unsigned long long)frames, (unsigned long long)c->frame);
        remove_file(c, begun);
    }
    free(c->path);
    free(c);
    return good;
}

/* ---- records ---- */

static void put_bytes(xenos_capture *c, const void *bytes, uint32_t length)
{
    if (length > 0 && gzwrite(c->file, bytes, length) != (int)length) {
        fail(c, errno);
    }
}

static void put_dword(xenos_capture *c, uint32_t value)
{
    uint8_t bytes[4];
    xenos_store32(bytes, value);
    put_bytes(c, bytes, sizeof bytes);
}

static void put_dwords(xenos_capture *c, const uint32_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put_dword(c, values[i]);
    }
}

static void put_wide(xenos_capture *c, uint64_t value)
{
    put_dword(c, (uint32_t)value);
    put_dword(c, (uint32_t)(value >> 32));
}

static void put_head(xenos_capture *c, uint32_t kind, uint32_t length)
{
    put_dword(c, kind);
    put_dword(c, length);
}

static int all_zero(const uint8_t *bytes, uint32_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

static void put_start(xenos_capture *c, const xenos_cp *cp)
{
    put_head(c, XENOS_RECORD_HEAD, 12);
    put_dword(c, XENOS_CAPTURE_VERSION);
    put_dword(c, (uint32_t)c->frame);
    put_dword(c, 0);
    put_head(c, XENOS_RECORD_REGS, sizeof cp->registers);
    put_dwords(c, cp->registers, XENOS_REGISTER_COUNT);
    for (uint32_t stage = 0; stage < 2; stage++) {
        const xenos_shader *shader = &cp->shaders[stage];
        if (shader->size > 0) {
            put_head(c, XENOS_RECORD_CODE, 8 + shader->size * 4);
            put_dword(c, stage);
            put_dword(c, shader->start);
            put_dwords(c, shader->code, shader->size);
        }
    }
    put_head(c, XENOS_RECORD_GAMA, (256 + 128 * 3 + 1) * 4);
    put_dwords(c, cp->gamma.table, 256);
    put_dwords(c, cp->gamma.segment[0], 128 * 3);
    put_dword(c, cp->gamma.component);
    put_head(c, XENOS_RECORD_STAT, 32);
    put_wide(c, cp->bin_mask);
    put_wide(c, cp->bin_select);
    put_wide(c, cp->counter);
    put_wide(c, cp->stats.draws);
    const uint8_t *edram = xenos_drawing_edram(cp->drawing);
    if (edram != NULL && !all_zero(edram, XENOS_EDRAM_BYTES)) {
        put_head(c, XENOS_RECORD_EDRM, XENOS_EDRAM_BYTES);
        put_bytes(c, edram, XENOS_EDRAM_BYTES);
    }
}

/* ---- memory ---- */

/* Bytes of physical memory that a packet can name. */
static uint64_t present(const weft_memory *memory)
{
    uint64_t most = (uint64_t)PAGE_COUNT * PAGE;
    return memory->physical_size < most ? memory->physical_size : most;
}

/* A packet is about to read bytes: pages that a replay does not have like this are kept. */
static void reads(xenos_capture *c, const weft_memory *memory, uint64_t start, uint64_t length)
{
    uint64_t size = present(memory);
    if (length == 0 || start >= size) {
        return;
    }
    uint64_t end = start + length < size ? start + length : size;
    for (uint64_t page = start / PAGE; page * PAGE < end; page++) {
        const uint8_t *now = memory->physical + page * PAGE;
        if (c->pages[page] == NULL) {
            c->pages[page] = calloc(1, PAGE);
        }
        if (c->pages[page] == NULL) {
            fail(c, ENOMEM);
        } else if (memcmp(c->pages[page], now, PAGE) != 0) {
            memcpy(c->pages[page], now, PAGE);
            put_head(c, XENOS_RECORD_MEM, 4 + PAGE);
            put_dword(c, (uint32_t)page * PAGE);
            put_bytes(c, now, PAGE);
        }
    }
}

void xenos_capture_wrote(xenos_capture *c, const weft_memory *memory, uint32_t start,
                         uint32_t length)
{
    if (!c->recording) {
        return;
    }
    uint64_t end = (uint64_t)start + length;
    end = end < present(memory) ? end : present(memory);
    for (uint64_t at = start; at < end;) {
        uint64_t page = at / PAGE, next = (page + 1) * PAGE < end ? (page + 1) * PAGE : end;
        if (c->pages[page] == NULL) {
            c->pages[page] = calloc(1, PAGE);
        }
        if (c->pages[page] != NULL) {
            memcpy(c->pages[page] + at % PAGE, memory->physical + at, next - at);
        }
        at = next;
    }
}

static void reads_texture(xenos_capture *c, const xenos_cp *cp, uint32_t constant)
{
    xenos_texture texture;
    if (!xenos_texture_decode(&texture, &cp->registers[XENOS_CONSTANT_FETCH + constant * 6])) {
        return;
    }
    for (uint32_t level = texture.min_level; level <= texture.max_level; level++) {
        uint64_t start, end;
        xenos_texture_range(&texture, level, &start, &end);
        reads(c, cp->host->memory, start, end - start);
    }
}

/* A vertex fetch constant: 31:2 of the first dword the address, 25:2 of the second the size in dwords
 * (xenia xenos.h, xe_gpu_vertex_fetch_t). */
static void reads_vertices(xenos_capture *c, const xenos_cp *cp, uint32_t constant)
{
    const uint32_t *fetch = &cp->registers[XENOS_CONSTANT_FETCH + constant * 2];
    reads(c, cp->host->memory, fetch[0] & XENOS_PHYSICAL_MASK & ~UINT32_C(3),
          fetch[1] & UINT32_C(0x03FFFFFC));
}

static void reads_program(xenos_capture *c, const xenos_cp *cp, uint32_t stage)
{
    const xenos_program *program = xenos_drawing_program(cp->drawing, stage);
    if (program == NULL) {
        return;
    }
    for (uint32_t i = 0; i < 96; i++) {
        if (program->vertex_fetches[i / 32] >> i % 32 & 1) {
            reads_vertices(c, cp, i);
        }
    }
    for (uint32_t i = 0; i < 32; i++) {
        if (program->textures >> i & 1) {
            reads_texture(c, cp, i);
        }
    }
}

/* `first`: where in the packet the draw initiator stands. */
static void reads_draw(xenos_capture *c, const xenos_cp *cp, uint32_t first, uint32_t dwords)
{
    uint32_t initiator = xenos_cp_dword(cp, first);
    if ((initiator >> 6 & 3) == XENOS_INDICES_MEMORY && first + 2 < dwords) {
        reads(c, cp->host->memory, xenos_cp_dword(cp, first + 1) & XENOS_PHYSICAL_MASK,
              (uint64_t)(initiator >> 16) * (initiator >> 11 & 1 ? 4 : 2));
    }
    reads_vertices(c, cp, 0); /* the rectangle of a resolve */
    reads_program(c, cp, XENOS_STAGE_VERTEX);
    reads_program(c, cp, XENOS_STAGE_PIXEL);
}

static void reads_packet(xenos_capture *c, const xenos_cp *cp, uint32_t header, uint32_t dwords)
{
    const weft_memory *memory = cp->host->memory;
    const uint32_t a = dwords > 1 ? xenos_cp_dword(cp, 1) & XENOS_PHYSICAL_MASK & ~3u : 0;
    const uint32_t b = dwords > 2 ? xenos_cp_dword(cp, 2) : 0;
    const uint32_t n = dwords > 3 ? xenos_cp_dword(cp, 3) : 0;
    switch (header >> 8 & 0x7F) {
    case XENOS_PM4_LOAD_ALU_CONSTANT:
        reads(c, memory, a, (n & 0xFFF) * 4);
        break;
    case XENOS_PM4_LOAD_CONSTANT_CONTEXT:
        reads(c, memory, a, ((b & 0x7FF) + (n & 0xFFF)) * 4);
        break;
    case XENOS_PM4_IM_LOAD:
        reads(c, memory, a, (b & 0xFFFF) * 4);
        break;
    case XENOS_PM4_COND_EXEC:
        reads(c, memory, xenos_cp_dword(cp, 1) << 2 & XENOS_PHYSICAL_MASK, 4);
        reads(c, memory, b << 2 & XENOS_PHYSICAL_MASK, 4);
        break;
    case XENOS_PM4_COND_WRITE:
        reads(c, memory, b & XENOS_PHYSICAL_MASK & ~3u, 4);
        break;
    case XENOS_PM4_DRAW_INDX:
    case XENOS_PM4_DRAW_INDX_BIN:
        reads_draw(c, cp, 2, dwords);
        break;
    case XENOS_PM4_DRAW_INDX_2:
    case XENOS_PM4_DRAW_INDX_2_BIN:
        reads_draw(c, cp, 1, dwords);
        break;
    case XENOS_PM4_XE_SWAP:
        reads_texture(c, cp, 0);
        break;
    default:
        break;
    }
}

/* ---- what the command processor calls ---- */

void xenos_capture_packet(xenos_capture *c, xenos_cp *cp, uint32_t address, uint32_t dwords)
{
    if (!c->recording) {
        if (c->complete || c->failed || cp->stats.swaps + 1 != c->frame) {
            return;
        }
        begin(c);
        if (c->failed) {
            return;
        }
        put_start(c, cp);
    }
    uint32_t header = xenos_cp_dword(cp, 0);
    if (header >> 30 == 3) {
        uint32_t opcode = header >> 8 & 0x7F;
        if (opcode == XENOS_PM4_INDIRECT_BUFFER || opcode == XENOS_PM4_INDIRECT_BUFFER_PFD) {
            return;
        }
        reads_packet(c, cp, header, dwords);
    }
    put_head(c, XENOS_RECORD_PACK, 4 + dwords * 4);
    put_dword(c, address);
    for (uint32_t i = 0; i < dwords; i++) {
        put_dword(c, xenos_cp_dword(cp, i));
    }
}

void xenos_capture_swap(xenos_capture *c, const xenos_cp *cp, uint64_t pixels)
{
    if (!c->recording || cp->stats.swaps != c->frame) {
        return;
    }
    put_head(c, XENOS_RECORD_SWAP, 8);
    put_wide(c, pixels);
    put_head(c, XENOS_RECORD_END, 0);
    stop(c);
    c->complete = 1;
}
