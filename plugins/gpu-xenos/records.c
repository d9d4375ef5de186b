#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "endian.h"
#include "replay.h"

struct xenos_records {
    const weft_host *host;
    gzFile file;
    uint64_t offset;
    uint32_t seen; /* records */
    uint8_t *bytes;
    uint32_t room;
};

/* Lengths that a kind may have. */
typedef struct record_rule {
    uint32_t kind, least, most;
} record_rule;

#define GAMMA_BYTES ((256 + 128 * 3 + 1) * 4)

static const record_rule rules[] = {
    {XENOS_RECORD_HEAD, 12, 12},
    {XENOS_RECORD_REGS, XENOS_REGISTER_COUNT * 4, XENOS_REGISTER_COUNT * 4},
    {XENOS_RECORD_CODE, 8, 8 + (XENOS_SHADER_DWORDS - 1) * 4},
    {XENOS_RECORD_GAMA, GAMMA_BYTES, GAMMA_BYTES},
    {XENOS_RECORD_STAT, 32, 32},
    {XENOS_RECORD_EDRM, XENOS_EDRAM_BYTES, XENOS_EDRAM_BYTES},
    {XENOS_RECORD_MEM, 4, 4 + 4096},
    {XENOS_RECORD_PACK, 8, 4 + 0x4002 * 4},
    {XENOS_RECORD_SWAP, 8, 8},
    {XENOS_RECORD_END, 0, 0},
};

static weft_status fail(const xenos_records *r, weft_status status, const char *what)
{
    char text[512];
    snprintf(text, sizeof text, "byte %llu of the unpacked capture: %s",
             (unsigned long long)r->offset, what);
    return r->host->fail(r->host, status, text);
}

static weft_status fail_to_read(const weft_host *host, const char *found)
{
    char text[512];
    snprintf(text, sizeof text, "capture cannot be read (found: %s, expected a file)", found);
    host->fail(host, WEFT_E_IO, text);
    return WEFT_E_IO;
}

/* Letters of a kind as they stand in the file; what is no letter is a dot. */
static void kind_text(uint32_t kind, char text[5])
{
    for (int i = 0; i < 4; i++) {
        uint32_t c = kind >> (8 * i) & 0xFF;
        text[i] = c >= 0x20 && c < 0x7F ? (char)c : '.';
    }
    text[4] = 0;
}

xenos_records *xenos_records_open(const weft_host *host, const char *path)
{
    xenos_records *r = calloc(1, sizeof *r);
    gzFile file = r != NULL ? gzopen(path, "rb") : NULL;
    if (file == NULL) {
        fail_to_read(host, r != NULL ? strerror(errno) : "no memory");
        free(r);
        return NULL;
    }
    *r = (xenos_records){.host = host, .file = file};
    return r;
}

void xenos_records_close(xenos_records *r)
{
    if (r == NULL) {
        return;
    }
    gzclose_r(r->file);
    free(r->bytes);
    free(r);
}

static const record_rule *rule_of(uint32_t kind)
{
    for (uint32_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].kind == kind) {
            return &rules[i];
        }
    }
    return NULL;
}

static weft_status check(const xenos_records *r, const xenos_record *record)
{
    const record_rule *rule = rule_of(record->kind);
    char text[160];
    char kind[5];
    kind_text(record->kind, kind);
    if (r->seen == 0 && record->kind != XENOS_RECORD_HEAD) {
        snprintf(text, sizeof text, "file is not a capture (found %s, expected HEAD)", kind);
        return fail(r, WEFT_E_FORMAT, text);
    }
    if (rule == NULL) {
        snprintf(text, sizeof text, "record is of no known kind (found %s, expected %s)", kind,
                 "REGS, CODE, GAMA, STAT, EDRM, MEM, PACK, SWAP or END");
        return fail(r, WEFT_E_FORMAT, text);
    }
    if (record->length < rule->least || record->length > rule->most || record->length % 4 != 0) {
        snprintf(
            text, sizeof text,
            "length of the %s record is wrong (found %u, expected a multiple of 4 from %u to %u)",
            kind, record->length, rule->least, rule->most);
        return fail(r, WEFT_E_FORMAT, text);
    }
    return WEFT_OK;
}

/* What ended the stream too early: an error of the file, or its end. */
static weft_status cut_off(const xenos_records *r, const char *what)
{
    int code = Z_OK;
    const char *zlib = gzerror(r->file, &code);
    if (code == Z_ERRNO) {
        return fail_to_read(r->host, strerror(errno));
    }
    if (code == Z_DATA_ERROR || code == Z_MEM_ERROR) {
        char text[256];
        snprintf(text, sizeof text, "capture cannot be unpacked (found: %s, expected gzip data)",
                 zlib);
        return fail(r, WEFT_E_FORMAT, text);
    }
    return fail(r, WEFT_E_FORMAT, what);
}

weft_status xenos_records_next(xenos_records *r, xenos_record *record)
{
    uint8_t head[8];
    int got = gzread(r->file, head, sizeof head);
    if (got != (int)sizeof head) {
        return cut_off(r, r->seen == 0
                              ? "file is not a capture (found its end, expected a HEAD record)"
                              : "capture is cut off (found its end, expected an END record)");
    }
    record->kind = xenos_load32(head);
    record->length = xenos_load32(head + 4);
    record->offset = r->offset;
    weft_status status = check(r, record);
    if (status != WEFT_OK) {
        return status;
    }
    if (record->length > r->room) {
        uint8_t *bytes = realloc(r->bytes, record->length);
        if (bytes == NULL) {
            return fail(r, WEFT_E_NO_MEMORY, "no memory for a record");
        }
        r->bytes = bytes;
        r->room = record->length;
    }
    if (gzread(r->file, r->bytes, record->length) != (int)record->length) {
        return cut_off(r, "capture is cut off (found its end, expected the rest of a record)");
    }
    record->bytes = r->bytes;
    if (record->kind == XENOS_RECORD_HEAD && xenos_load32(r->bytes) != XENOS_CAPTURE_VERSION) {
        char text[96];
        snprintf(text, sizeof text, "version of the capture is unknown (found %u, expected %u)",
                 xenos_load32(r->bytes), XENOS_CAPTURE_VERSION);
        return fail(r, WEFT_E_VERSION, text);
    }
    r->seen++;
    r->offset += 8 + record->length;
    return WEFT_OK;
}
