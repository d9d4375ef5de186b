#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "endian.h"
#include "replay.h"

struct xenos_records {
    const weft_host *host;
    const char *path;
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
    snprintf(text, sizeof text, "capture %s: byte %llu of the unpacked stream: %s", r->path,
             (unsigned long long)r->offset, what);
    return r->host->fail(r->host, status, text);
}

xenos_records *xenos_records_open(const weft_host *host, const char *path)
{
    xenos_records *r = calloc(1, sizeof *r);
    gzFile file = r != NULL ? gzopen(path, "rb") : NULL;
    if (file == NULL) {
        char text[512];
        snprintf(text, sizeof text, "capture %s: cannot be read: %s", path,
                 r != NULL ? strerror(errno) : "no memory");
        free(r);
        host->fail(host, WEFT_E_IO, text);
        return NULL;
    }
    *r = (xenos_records){.host = host, .path = path, .file = file};
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
    if (r->seen == 0 && record->kind != XENOS_RECORD_HEAD) {
        return fail(r, WEFT_E_FORMAT, "this is not a capture (expected a HEAD record first)");
    }
    if (rule == NULL) {
        return fail(r, WEFT_E_FORMAT, "the kind of a record is unknown");
    }
    if (record->length < rule->least || record->length > rule->most || record->length % 4 != 0) {
        return fail(r, WEFT_E_FORMAT, "the length of a record does not fit its kind");
    }
    return WEFT_OK;
}

weft_status xenos_records_next(xenos_records *r, xenos_record *record)
{
    uint8_t head[8];
    int got = gzread(r->file, head, sizeof head);
    if (got != (int)sizeof head) {
        return fail(r, WEFT_E_FORMAT,
                    r->seen == 0 ? "this is not a capture (expected a HEAD record)"
                                 : "the file ends early (expected an END record)");
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
        return fail(r, WEFT_E_FORMAT, "the file ends within a record");
    }
    record->bytes = r->bytes;
    if (record->kind == XENOS_RECORD_HEAD && xenos_load32(r->bytes) != XENOS_CAPTURE_VERSION) {
        return fail(r, WEFT_E_VERSION, "the version is unknown (expected 1)");
    }
    r->seen++;
    r->offset += 8 + record->length;
    return WEFT_OK;
}
