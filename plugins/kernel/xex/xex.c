/* The headers of an XEX2 file and the typed views of its optional headers. */
#include "xex.h"

#include <stdlib.h>
#include <string.h>

#include "xex_bytes.h"
#include "xex_crypto.h"
#include "xex_layout.h"

/* xenia src/xenia/kernel/util/xex2_info.h, xex2_header_keys. */
static const struct {
    uint32_t key;
    const char *name;
} key_names[] = {
    {XEX_KEY_RESOURCES, "RESOURCE_INFO"},
    {XEX_KEY_FILE_FORMAT, "FILE_FORMAT_INFO"},
    {XEX_KEY_DELTA_PATCH, "DELTA_PATCH_DESCRIPTOR"},
    {0x00000405u, "BASE_REFERENCE"},
    {0x000080FFu, "BOUNDING_PATH"},
    {0x00008105u, "DEVICE_ID"},
    {XEX_KEY_ORIGINAL_BASE, "ORIGINAL_BASE_ADDRESS"},
    {XEX_KEY_ENTRY_POINT, "ENTRY_POINT"},
    {XEX_KEY_IMAGE_BASE, "IMAGE_BASE_ADDRESS"},
    {XEX_KEY_IMPORTS, "IMPORT_LIBRARIES"},
    {XEX_KEY_CHECKSUM_TIME, "CHECKSUM_TIMESTAMP"},
    {0x00018102u, "ENABLED_FOR_CALLCAP"},
    {0x00018200u, "ENABLED_FOR_FASTCAP"},
    {XEX_KEY_PE_NAME, "ORIGINAL_PE_NAME"},
    {XEX_KEY_STATIC_LIBS, "STATIC_LIBRARIES"},
    {XEX_KEY_TLS, "TLS_INFO"},
    {XEX_KEY_STACK_SIZE, "DEFAULT_STACK_SIZE"},
    {0x00020301u, "DEFAULT_FILESYSTEM_CACHE_SIZE"},
    {XEX_KEY_HEAP_SIZE, "DEFAULT_HEAP_SIZE"},
    {0x00028002u, "PAGE_HEAP_SIZE_AND_FLAGS"},
    {XEX_KEY_SYSTEM_FLAGS, "SYSTEM_FLAGS"},
    {XEX_KEY_EXECUTION, "EXECUTION_INFO"},
    {0x00040201u, "TITLE_WORKSPACE_SIZE"},
    {XEX_KEY_GAME_RATINGS, "GAME_RATINGS"},
    {XEX_KEY_LAN_KEY, "LAN_KEY"},
    {0x000405FFu, "XBOX360_LOGO"},
    {0x000406FFu, "MULTIDISC_MEDIA_IDS"},
    {0x000407FFu, "ALTERNATE_TITLE_IDS"},
    {0x00040801u, "ADDITIONAL_TITLE_MEMORY"},
    {XEX_KEY_EXPORTS_NAMED, "EXPORTS_BY_NAME"},
};

const char *weft_xex_header_name(uint32_t key)
{
    for (size_t i = 0; i < sizeof key_names / sizeof key_names[0]; i++) {
        if (key_names[i].key == key) {
            return key_names[i].name;
        }
    }
    return NULL;
}

static const weft_xex_header *find_header(const weft_xex *xex, uint32_t key)
{
    for (uint32_t i = 0; i < xex->header_count; i++) {
        if (xex->headers[i].key == key) {
            return &xex->headers[i];
        }
    }
    return NULL;
}

static bool is_inline(uint32_t key)
{
    return (key & 0xFF) <= 1;
}

/* Reads the table of optional headers and checks that each structure lies inside the headers. */
static int parse_headers(weft_xex *xex, char *err)
{
    const uint8_t *data = xex->data;
    xex->header_count = be32(data + XEX_OFF_HEADER_COUNT);
    if (xex->header_count > (xex->header_size - XEX_OFF_HEADERS) / XEX_HEADER_ENTRY) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "xex: optional header count at 0x14 (found %u, expected at most %u)",
                        xex->header_count, (xex->header_size - XEX_OFF_HEADERS) / XEX_HEADER_ENTRY);
    }
    xex->headers = calloc(xex->header_count + 1u, sizeof *xex->headers);
    if (!xex->headers) {
        return xex_fail(err, WEFT_XEX_E_MEMORY, "xex: no memory for %u headers", xex->header_count);
    }
    for (uint32_t i = 0; i < xex->header_count; i++) {
        uint32_t at = XEX_OFF_HEADERS + i * XEX_HEADER_ENTRY;
        uint32_t key = be32(data + at), value = be32(data + at + 4);
        xex->headers[i].key = key;
        xex->headers[i].value = value;
        if (is_inline(key)) {
            continue;
        }
        uint32_t length = (key & 0xFF) * 4;
        if ((key & 0xFF) == 0xFF) {
            length = in_range(value, 4, xex->header_size) ? be32(data + value) : 4;
        }
        if (length < 4 || !in_range(value, length, xex->header_size)) {
            return xex_fail(
                err, WEFT_XEX_E_FORMAT,
                "xex: optional header 0x%08x at 0x%x (found offset 0x%x size 0x%x, expected "
                "inside the headers of 0x%x bytes)",
                key, at, value, length, xex->header_size);
        }
    }
    return 0;
}

static int parse_security(weft_xex *xex, char *err)
{
    weft_xex_security *s = &xex->security;
    s->offset = be32(xex->data + XEX_OFF_SECURITY);
    if (!in_range(s->offset, XEX_SEC_PAGES, xex->header_size)) {
        return xex_fail(
            err, WEFT_XEX_E_FORMAT,
            "xex: security info offset at 0x10 (found 0x%x, expected 0x%x bytes inside the "
            "headers of 0x%x)",
            s->offset, XEX_SEC_PAGES, xex->header_size);
    }
    const uint8_t *p = xex->data + s->offset;
    s->size = be32(p + XEX_SEC_SIZE);
    s->image_size = be32(p + XEX_SEC_IMAGE_SIZE);
    s->load_address = be32(p + XEX_SEC_LOAD_ADDRESS);
    s->image_flags = be32(p + XEX_SEC_IMAGE_FLAGS);
    s->export_table = be32(p + XEX_SEC_EXPORT_TABLE);
    s->import_count = be32(p + XEX_SEC_IMPORT_COUNT);
    s->region = be32(p + XEX_SEC_REGION);
    s->media_types = be32(p + XEX_SEC_MEDIA);
    memcpy(s->signature, p + XEX_SEC_SIGNATURE, sizeof s->signature);
    memcpy(s->page_digest, p + XEX_SEC_PAGE_DIGEST, XEX_DIGEST);
    memcpy(s->import_digest, p + XEX_SEC_IMPORT_DIGEST, XEX_DIGEST);
    memcpy(s->header_digest, p + XEX_SEC_HEADER_DIGEST, XEX_DIGEST);
    memcpy(s->media_id, p + XEX_SEC_MEDIA_ID, sizeof s->media_id);
    memcpy(s->file_key, p + XEX_SEC_FILE_KEY, sizeof s->file_key);
    if (s->image_size == 0 || s->image_size > XEX_MAX_IMAGE) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "xex: image size at 0x%x (found 0x%x, expected 1 to 0x%x bytes)",
                        s->offset + XEX_SEC_IMAGE_SIZE, s->image_size, XEX_MAX_IMAGE);
    }
    xex->page_size = s->image_flags & XEX_IMAGE_PAGE_4K ? 0x1000 : 0x10000;
    xex->page_run_count = be32(p + XEX_SEC_PAGE_COUNT);
    uint32_t room = (xex->header_size - s->offset - XEX_SEC_PAGES) / XEX_PAGE_ENTRY;
    if (xex->page_run_count > room) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "xex: page descriptor count at 0x%x (found %u, expected at most %u)",
                        s->offset + XEX_SEC_PAGE_COUNT, xex->page_run_count, room);
    }
    xex->page_runs = calloc(xex->page_run_count + 1u, sizeof *xex->page_runs);
    if (!xex->page_runs) {
        return xex_fail(err, WEFT_XEX_E_MEMORY, "xex: no memory for %u pages", xex->page_run_count);
    }
    p += XEX_SEC_PAGES;
    for (uint32_t i = 0; i < xex->page_run_count; i++, p += XEX_PAGE_ENTRY) {
        xex->page_runs[i].kind = be32(p) & 15;
        xex->page_runs[i].count = be32(p) >> 4;
        memcpy(xex->page_runs[i].next_digest, p + 4, XEX_DIGEST);
    }
    return 0;
}

static int parse_format(weft_xex *xex, char *err)
{
    const uint8_t *p;
    uint32_t size;
    weft_xex_format *f = &xex->format;
    if (weft_xex_header_raw(xex, XEX_KEY_FILE_FORMAT, &p, &size)) {
        return 0; /* neither encrypted nor compressed */
    }
    uint32_t at = (uint32_t)(p - xex->data);
    if (size < XEX_FMT_BLOCKS) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "xex: file format info at 0x%x (found %u bytes, expected at least 8)", at,
                        size);
    }
    f->encryption = be16(p + XEX_FMT_ENCRYPTION);
    f->compression = be16(p + XEX_FMT_COMPRESSION);
    if (f->encryption > XEX_ENCRYPTION_AES || f->compression > XEX_COMPRESSION_DELTA) {
        return xex_fail(
            err, WEFT_XEX_E_FORMAT,
            "xex: file format info at 0x%x (found encryption %u compression %u, expected at "
            "most 1 and 3)",
            at, f->encryption, f->compression);
    }
    if (f->compression == XEX_COMPRESSION_BASIC) {
        f->block_count = (size - XEX_FMT_BLOCKS) / 8;
        f->blocks = p + XEX_FMT_BLOCKS;
    } else if (f->compression == XEX_COMPRESSION_LZX) {
        if (size < XEX_FMT_FIRST_BLOCK + XEX_BLOCK_HEADER) {
            return xex_fail(err, WEFT_XEX_E_FORMAT,
                            "xex: file format info at 0x%x (found %u bytes, expected 36 for LZX)",
                            at, size);
        }
        f->window = be32(p + XEX_FMT_WINDOW);
        f->first_size = be32(p + XEX_FMT_FIRST_BLOCK);
        f->first_digest = p + XEX_FMT_FIRST_BLOCK + 4;
    }
    return 0;
}

/* The headers behind the image info, then those before it: what the signature covers in the end. */
static bool check_header_digest(const weft_xex *xex)
{
    uint32_t tail = xex->security.offset + XEX_SEC_MEDIA;
    uint8_t digest[XEX_DIGEST];
    weft_xex_sha1(xex->data + tail, xex->header_size - tail, xex->data,
                  xex->security.offset + XEX_SEC_SIGNATURE, digest);
    return !memcmp(digest, xex->security.header_digest, XEX_DIGEST);
}

/* Each library record carries the digest of the next one; a malformed chain is a mismatch. */
static bool check_import_digests(const weft_xex *xex)
{
    const uint8_t *p;
    uint32_t size;
    if (weft_xex_header_raw(xex, XEX_KEY_IMPORTS, &p, &size)) {
        return true;
    }
    if (size < XEX_IMPORTS_STRINGS) {
        return false;
    }
    uint64_t at = XEX_IMPORTS_STRINGS + (uint64_t)be32(p + XEX_IMPORTS_STRING_SIZE);
    const uint8_t *expected = xex->security.import_digest;
    while (in_range(at, XEX_LIB_RECORDS, size)) {
        const uint8_t *record = p + at;
        uint32_t length = be32(record + XEX_LIB_SIZE);
        uint8_t digest[XEX_DIGEST];
        if (length < XEX_LIB_RECORDS || !in_range(at, length, size)) {
            return false;
        }
        weft_xex_sha1(record + 4, length - 4, NULL, 0, digest);
        if (memcmp(digest, expected, XEX_DIGEST)) {
            return false;
        }
        expected = record + XEX_LIB_NEXT_DIGEST;
        at += length;
    }
    return true;
}

int weft_xex_open(const uint8_t *data, size_t size, weft_xex **out, char *err)
{
    *out = NULL;
    if (size < XEX_OFF_HEADERS) {
        return xex_fail(err, WEFT_XEX_E_FORMAT, "xex: file (found %zu bytes, expected at least %u)",
                        size, XEX_OFF_HEADERS);
    }
    uint32_t magic = be32(data);
    if (magic != XEX_MAGIC) {
        bool old = magic >> 8 == XEX_MAGIC >> 8; /* XEX1, XEX?, XEX-, XEX%: older consoles' betas */
        return xex_fail(err, old ? WEFT_XEX_E_UNSUPPORTED : WEFT_XEX_E_FORMAT,
                        "xex: magic at 0x0 (found 0x%08x%s, expected 0x%08x \"XEX2\")", magic,
                        old ? ", a pre-release format" : "", XEX_MAGIC);
    }
    weft_xex *xex = calloc(1, sizeof *xex);
    if (!xex) {
        return xex_fail(err, WEFT_XEX_E_MEMORY, "xex: no memory");
    }
    xex->data = data;
    xex->size = size;
    xex->module_flags = be32(data + XEX_OFF_MODULE_FLAGS);
    xex->header_size = be32(data + XEX_OFF_HEADER_SIZE);
    int status = 0;
    if (xex->header_size < XEX_OFF_HEADERS || xex->header_size > size) {
        status = xex_fail(err, WEFT_XEX_E_FORMAT,
                          "xex: header size at 0x8 (found 0x%x, expected 0x18 to the file's 0x%zx)",
                          xex->header_size, size);
    }
    if (!status) {
        status = parse_headers(xex, err);
    }
    if (!status) {
        status = parse_security(xex, err);
    }
    if (!status) {
        status = parse_format(xex, err);
    }
    if (status) {
        weft_xex_close(xex);
        return status;
    }
    xex->image_base = weft_xex_header_u32(xex, XEX_KEY_IMAGE_BASE, xex->security.load_address);
    if (xex->image_base + (xex->security.image_size - 1) < xex->image_base) {
        status = xex_fail(err, WEFT_XEX_E_FORMAT,
                          "xex: image base (found 0x%x with 0x%x bytes, expected below 4 GiB)",
                          xex->image_base, xex->security.image_size);
        weft_xex_close(xex);
        return status;
    }
    xex->header_digest_ok = check_header_digest(xex);
    xex->import_digest_ok = check_import_digests(xex);
    *out = xex;
    return 0;
}

void weft_xex_close(weft_xex *xex)
{
    if (xex) {
        free(xex->headers);
        free(xex->page_runs);
        free(xex);
    }
}

int weft_xex_header_raw(const weft_xex *xex, uint32_t key, const uint8_t **bytes, uint32_t *size)
{
    const weft_xex_header *h = find_header(xex, key);
    if (!h) {
        return WEFT_XEX_E_NOT_FOUND;
    }
    if (is_inline(key)) {
        *bytes = xex->data + XEX_OFF_HEADERS + (size_t)(h - xex->headers) * XEX_HEADER_ENTRY + 4;
        *size = 4;
    } else {
        *bytes = xex->data + h->value;
        *size = (key & 0xFF) == 0xFF ? be32(*bytes) : (key & 0xFF) * 4;
    }
    return 0;
}

uint32_t weft_xex_header_u32(const weft_xex *xex, uint32_t key, uint32_t absent)
{
    const weft_xex_header *h = is_inline(key) ? find_header(xex, key) : NULL;
    return h ? h->value : absent;
}

uint32_t weft_xex_entry_point(const weft_xex *xex)
{
    return weft_xex_header_u32(xex, XEX_KEY_ENTRY_POINT, 0);
}

/* The structures of fixed size below are as long as their keys' low bytes say, checked by open. */
int weft_xex_tls_info(const weft_xex *xex, weft_xex_tls *out)
{
    const uint8_t *p;
    uint32_t size;
    if (weft_xex_header_raw(xex, XEX_KEY_TLS, &p, &size)) {
        return WEFT_XEX_E_NOT_FOUND;
    }
    out->slot_count = be32(p);
    out->data_address = be32(p + 4);
    out->data_size = be32(p + 8);
    out->raw_size = be32(p + 12);
    return 0;
}

int weft_xex_execution_info(const weft_xex *xex, weft_xex_execution *out)
{
    const uint8_t *p;
    uint32_t size;
    if (weft_xex_header_raw(xex, XEX_KEY_EXECUTION, &p, &size)) {
        return WEFT_XEX_E_NOT_FOUND;
    }
    out->media_id = be32(p);
    out->version = be32(p + 4);
    out->base_version = be32(p + 8);
    out->title_id = be32(p + 12);
    out->platform = p[16];
    out->executable_type = p[17];
    out->disc_number = p[18];
    out->disc_count = p[19];
    out->savegame_id = be32(p + 20);
    return 0;
}

int weft_xex_checksum_timestamp(const weft_xex *xex, uint32_t *checksum, uint32_t *timestamp)
{
    const uint8_t *p;
    uint32_t size;
    if (weft_xex_header_raw(xex, XEX_KEY_CHECKSUM_TIME, &p, &size)) {
        return WEFT_XEX_E_NOT_FOUND;
    }
    *checksum = be32(p);
    *timestamp = be32(p + 4);
    return 0;
}

int weft_xex_pe_name(const weft_xex *xex, char *name, size_t name_size)
{
    const uint8_t *p;
    uint32_t size;
    if (!name_size || weft_xex_header_raw(xex, XEX_KEY_PE_NAME, &p, &size)) {
        return WEFT_XEX_E_NOT_FOUND;
    }
    size_t length = strnlen((const char *)p + 4, size - 4);
    if (length >= name_size) {
        length = name_size - 1;
    }
    memcpy(name, p + 4, length);
    name[length] = '\0';
    return 0;
}

/* Entry `index` of a header that is a size word and then entries of 16 bytes. */
static const uint8_t *entry_16(const weft_xex *xex, uint32_t key, uint32_t index)
{
    const uint8_t *p;
    uint32_t size;
    if (weft_xex_header_raw(xex, key, &p, &size) || index >= (size - 4) / 16) {
        return NULL;
    }
    return p + 4 + (size_t)index * 16;
}

int weft_xex_resource_at(const weft_xex *xex, uint32_t index, weft_xex_resource *out)
{
    const uint8_t *p = entry_16(xex, XEX_KEY_RESOURCES, index);
    if (!p) {
        return WEFT_XEX_E_NOT_FOUND;
    }
    memcpy(out->name, p, 8);
    out->name[8] = '\0';
    out->address = be32(p + 8);
    out->size = be32(p + 12);
    return 0;
}

int weft_xex_resource_find(const weft_xex *xex, const char *name, weft_xex_resource *out)
{
    for (uint32_t i = 0; !weft_xex_resource_at(xex, i, out); i++) {
        if (!strcmp(out->name, name)) {
            return 0;
        }
    }
    return WEFT_XEX_E_NOT_FOUND;
}

int weft_xex_static_library_at(const weft_xex *xex, uint32_t index, weft_xex_static_library *out)
{
    const uint8_t *p = entry_16(xex, XEX_KEY_STATIC_LIBS, index);
    if (!p) {
        return WEFT_XEX_E_NOT_FOUND;
    }
    memcpy(out->name, p, 8);
    out->name[8] = '\0';
    for (unsigned i = 0; i < 3; i++) {
        out->version[i] = be16(p + 8 + 2 * i);
    }
    out->approval = p[14];
    out->qfe = p[15];
    return 0;
}
