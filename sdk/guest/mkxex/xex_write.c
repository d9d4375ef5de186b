#include "xex_write.h"

#include <stdlib.h>
#include <string.h>

#include "xex.h"
#include "xex_bytes.h"
#include "xex_crypto.h"
#include "xex_layout.h"

#define MAX_LIBRARIES   16u
#define BASIC_GRAIN     0x1000u /* zeros are left out in units of this size */
#define DEFAULT_BLOCK   0x8000u
#define IMAGE_INFO_SIZE 0x174u
/* Versions that XDK titles of 2.0.21119 name in their import records; 2.0.1861 is the least. */
#define LIBRARY_VERSION     0x20527F00u
#define LIBRARY_VERSION_MIN 0x20074500u
#define DEFAULT_STACK       0x40000u

/* A buffer that grows; `failed` is sticky, so that callers check once. */
typedef struct buffer {
    uint8_t *bytes;
    size_t size, room;
    bool failed;
} buffer;

/* Appends size zero bytes and returns where, for the caller to fill; NULL without memory. */
static uint8_t *append(buffer *b, size_t size)
{
    if (b->failed || !size) {
        return NULL;
    }
    if (b->room - b->size < size) {
        size_t room = (b->size + size) * 2;
        uint8_t *bytes = realloc(b->bytes, room);
        if (!bytes) {
            b->failed = true;
            return NULL;
        }
        b->bytes = bytes;
        b->room = room;
    }
    memset(b->bytes + b->size, 0, size);
    b->size += size;
    return b->bytes + b->size - size;
}

static void append_bytes(buffer *b, const void *bytes, size_t size)
{
    uint8_t *p = append(b, size);
    if (p && size) {
        memcpy(p, bytes, size);
    }
}

static void append_be32(buffer *b, uint32_t value)
{
    uint8_t *p = append(b, 4);
    if (p) {
        put_be32(p, value);
    }
}

static void pad_to(buffer *b, size_t align)
{
    append(b, (align - b->size % align) % align);
}

/* The file in the making: image in full pages, imports in their final order. */
typedef struct writer {
    const weft_mkxex_spec *spec;
    uint8_t *image;
    uint32_t image_size, page_size, page_count;
    weft_mkxex_import *imports;
    const char *libraries[MAX_LIBRARIES];
    uint32_t library_count;
    uint8_t file_key[16]; /* decrypted */
    buffer headers, data;
    uint32_t window, first_size; /* LZX */
    uint8_t first_digest[XEX_DIGEST];
    char *err;
} writer;

/* ---- imports ---- */

static int by_library(const void *a, const void *b)
{
    const weft_mkxex_import *x = a, *y = b;
    int names = strcmp(x->library, y->library);
    if (names) {
        return names;
    }
    if (x->ordinal != y->ordinal) {
        return x->ordinal < y->ordinal ? -1 : 1;
    }
    return x->record_address < y->record_address ? -1 : x->record_address > y->record_address;
}

static uint8_t *image_at(const writer *w, uint32_t address, uint32_t length)
{
    if (address < w->spec->base || !in_range(address - w->spec->base, length, w->image_size)) {
        return NULL;
    }
    return w->image + (address - w->spec->base);
}

static int check_import(const writer *w, const weft_mkxex_import *m, uint32_t index)
{
    bool named = m->library[0] && memchr(m->library, 0, sizeof m->library);
    bool record = m->record_address % 4 == 0 && image_at(w, m->record_address, 4);
    bool thunk = m->kind
                     ? m->thunk_address % 4 == 0 && image_at(w, m->thunk_address, XEX_THUNK_SIZE)
                     : !m->thunk_address;
    if (!named || !record || !thunk || m->kind > 1 || m->ordinal > 0xFFFF) {
        return xex_fail(w->err, WEFT_XEX_E_FORMAT,
                        "import %u (found kind %u ordinal %u record 0x%x thunk 0x%x library %s, "
                        "expected aligned addresses in the image)",
                        index, m->kind, m->ordinal, m->record_address, m->thunk_address,
                        named ? m->library : "without a name");
    }
    return 0;
}

/* Sorts the imports, numbers their libraries and writes the words that say so into the image. */
static int place_imports(writer *w)
{
    uint32_t count = w->spec->import_count;
    w->imports = calloc(count + 1u, sizeof *w->imports);
    if (!w->imports) {
        return xex_fail(w->err, WEFT_XEX_E_MEMORY, "no memory for %u imports", count);
    }
    for (uint32_t i = 0; i < count; i++) {
        int status = check_import(w, &w->spec->imports[i], i);
        if (status) {
            return status;
        }
        w->imports[i] = w->spec->imports[i];
    }
    if (count) {
        qsort(w->imports, count, sizeof *w->imports, by_library);
    }
    for (uint32_t i = 0; i < count; i++) {
        const weft_mkxex_import *m = &w->imports[i];
        if (!i || strcmp(m->library, w->imports[i - 1].library)) {
            if (w->library_count == MAX_LIBRARIES) {
                return xex_fail(w->err, WEFT_XEX_E_FORMAT, "more than %u import libraries",
                                MAX_LIBRARIES);
            }
            w->libraries[w->library_count++] = m->library;
        }
        uint32_t word = (w->library_count - 1) << 16 | m->ordinal;
        put_be32(image_at(w, m->record_address, 4), XEX_RECORD_VARIABLE << 24 | word);
        if (m->kind) {
            uint8_t *thunk = image_at(w, m->thunk_address, XEX_THUNK_SIZE);
            put_be32(thunk, XEX_RECORD_THUNK << 24 | word);
            put_be32(thunk + 4, 2u << 24 | word);
            put_be32(thunk + 8, XEX_THUNK_MTCTR_R11);
            put_be32(thunk + 12, XEX_THUNK_BCTR);
        }
    }
    return 0;
}

/* The import header with the chain of digests, last record first; *digest is that of the first. */
static void build_imports(const writer *w, buffer *out, uint8_t digest[XEX_DIGEST])
{
    size_t at[MAX_LIBRARIES + 1];
    append(out, XEX_IMPORTS_STRINGS);
    for (uint32_t i = 0; i < w->library_count; i++) {
        append_bytes(out, w->libraries[i], strlen(w->libraries[i]) + 1);
        pad_to(out, 4);
    }
    size_t strings = out->size - XEX_IMPORTS_STRINGS;
    uint32_t import = 0;
    for (uint32_t i = 0; i < w->library_count; i++) {
        at[i] = out->size;
        append(out, XEX_LIB_RECORDS);
        uint32_t records = 0;
        for (;
             import < w->spec->import_count && !strcmp(w->imports[import].library, w->libraries[i]);
             import++) {
            append_be32(out, w->imports[import].record_address);
            records++;
            if (w->imports[import].kind) {
                append_be32(out, w->imports[import].thunk_address);
                records++;
            }
        }
        if (out->failed) {
            return;
        }
        uint8_t *record = out->bytes + at[i];
        put_be32(record + XEX_LIB_VERSION, LIBRARY_VERSION);
        put_be32(record + XEX_LIB_VERSION_MIN, LIBRARY_VERSION_MIN);
        put_be16(record + XEX_LIB_NAME, i);
        put_be16(record + XEX_LIB_COUNT, records);
    }
    at[w->library_count] = out->size;
    put_be32(out->bytes, (uint32_t)out->size);
    put_be32(out->bytes + XEX_IMPORTS_STRING_SIZE, (uint32_t)strings);
    put_be32(out->bytes + XEX_IMPORTS_STRING_COUNT, w->library_count);
    memset(digest, 0, XEX_DIGEST);
    for (uint32_t i = w->library_count; i-- > 0;) {
        uint8_t *record = out->bytes + at[i];
        put_be32(record + XEX_LIB_SIZE, (uint32_t)(at[i + 1] - at[i]));
        memcpy(record + XEX_LIB_NEXT_DIGEST, digest, XEX_DIGEST);
        weft_xex_sha1(record + 4, at[i + 1] - at[i] - 4, NULL, 0, digest);
    }
}

/* ---- image data ---- */

static bool is_zero(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (p[i]) {
            return false;
        }
    }
    return true;
}

/* Data and the block list that tells where zeros were left out. */
static void compress_basic(writer *w, buffer *blocks)
{
    uint32_t p = 0;
    while (p < w->image_size) {
        uint32_t start = p;
        while (p < w->image_size && !is_zero(w->image + p, BASIC_GRAIN)) {
            p += BASIC_GRAIN;
        }
        append_bytes(&w->data, w->image + start, p - start);
        append_be32(blocks, p - start);
        start = p;
        while (p < w->image_size && is_zero(w->image + p, BASIC_GRAIN)) {
            p += BASIC_GRAIN;
        }
        append_be32(blocks, p - start);
    }
}

/* Cuts the stream into frames and these into blocks; a block's header names the one after it. */
static int compress_lzx(writer *w)
{
    weft_lzx_options options = w->spec->lzx;
    weft_lzx_stream stream;
    if (!options.window) {
        options.window = 0x8000;
        while (options.window < w->image_size && options.window < 0x80000) {
            options.window *= 2;
        }
    }
    w->window = options.window;
    size_t *starts = calloc(w->image_size / XEX_FRAME_SIZE + 2, sizeof *starts);
    if (!starts || weft_lzx_encode(w->image, w->image_size, &options, &stream)) {
        free(starts);
        return xex_fail(w->err, WEFT_XEX_E_MEMORY, "no memory for LZX");
    }
    size_t least = w->spec->lzx_block ? w->spec->lzx_block : DEFAULT_BLOCK;
    size_t from = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < stream.frame_count;) {
        starts[count++] = w->data.size;
        append(&w->data, XEX_BLOCK_HEADER);
        do {
            size_t length = stream.frame_ends[i] - from;
            uint8_t *p = append(&w->data, 2);
            if (p) {
                put_be16(p, (uint32_t)length);
            }
            append_bytes(&w->data, stream.bytes + from, length);
            from = stream.frame_ends[i++];
        } while (i < stream.frame_count && w->data.size - starts[count - 1] < least);
        append(&w->data, 2);
        pad_to(&w->data, 16); /* blocks of the cipher */
    }
    starts[count] = w->data.size;
    for (uint32_t i = count; i-- > 0 && !w->data.failed;) {
        uint8_t *block = w->data.bytes + starts[i];
        put_be32(block, w->first_size);
        memcpy(block + 4, w->first_digest, XEX_DIGEST);
        w->first_size = (uint32_t)(starts[i + 1] - starts[i]);
        weft_xex_sha1(block, w->first_size, NULL, 0, w->first_digest);
    }
    weft_lzx_stream_free(&stream);
    free(starts);
    return 0;
}

/* Fills w->data and appends the file format header's structure to `format`. */
static int build_data(writer *w, buffer *format)
{
    int status = 0;
    uint8_t *p = append(format, XEX_FMT_BLOCKS);
    if (p) {
        put_be16(p + XEX_FMT_ENCRYPTION,
                 w->spec->encryption ? XEX_ENCRYPTION_AES : XEX_ENCRYPTION_NONE);
        put_be16(p + XEX_FMT_COMPRESSION, w->spec->compression);
    }
    switch (w->spec->compression) {
    case WEFT_MKXEX_BASIC:
        compress_basic(w, format);
        break;
    case WEFT_MKXEX_LZX:
        status = compress_lzx(w);
        append_be32(format, w->window);
        append_be32(format, w->first_size);
        append_bytes(format, w->first_digest, XEX_DIGEST);
        break;
    default:
        append_bytes(&w->data, w->image, w->image_size);
        break;
    }
    if (!format->failed) {
        put_be32(format->bytes, (uint32_t)format->size);
    }
    if (w->spec->encryption && w->data.size) {
        weft_xex_aes_encrypt(w->file_key, w->data.bytes, w->data.bytes, w->data.size);
    }
    return status;
}

/* ---- headers ---- */

typedef struct entry {
    uint32_t key;
    uint32_t value; /* itself, or where the structure begins in `body` */
} entry;

/* The optional headers in the making. Keys must ascend in the file: they are sorted at the end. */
typedef struct header_set {
    entry *entries;
    uint32_t count;
    buffer body;
} header_set;

static bool is_inline(uint32_t key)
{
    return (key & 0xFF) <= 1;
}

static void add_value(header_set *set, uint32_t key, uint32_t value)
{
    set->entries[set->count++] = (entry){key, value};
}

static void add_bytes(header_set *set, uint32_t key, const void *bytes, size_t size)
{
    pad_to(&set->body, 4);
    add_value(set, key, (uint32_t)set->body.size);
    append_bytes(&set->body, bytes, size);
}

/* Words, preceded by the size of the whole for keys that want one. */
static void add_words(header_set *set, uint32_t key, const uint32_t *words, size_t count)
{
    pad_to(&set->body, 4);
    add_value(set, key, (uint32_t)set->body.size);
    for (size_t i = 0; i < count; i++) {
        append_be32(&set->body, words[i]);
    }
}

static int by_key(const void *a, const void *b)
{
    uint32_t x = ((const entry *)a)->key, y = ((const entry *)b)->key;
    return x < y ? -1 : x > y;
}

static void add_resources(header_set *set, const weft_mkxex_spec *spec)
{
    pad_to(&set->body, 4);
    add_value(set, XEX_KEY_RESOURCES, (uint32_t)set->body.size);
    append_be32(&set->body, 4 + 16 * spec->resource_count);
    for (uint32_t i = 0; i < spec->resource_count; i++) {
        append_bytes(&set->body, spec->resources[i].name, 8);
        append_be32(&set->body, spec->resources[i].address);
        append_be32(&set->body, spec->resources[i].size);
    }
}

static int add_headers(writer *w, header_set *set, const buffer *format, const buffer *imports)
{
    const weft_mkxex_spec *spec = w->spec;
    add_bytes(set, XEX_KEY_FILE_FORMAT, format->bytes, format->size);
    if (spec->entry) {
        add_value(set, XEX_KEY_ENTRY_POINT, spec->entry);
    }
    add_value(set, XEX_KEY_IMAGE_BASE, spec->base);
    if (w->library_count) {
        add_bytes(set, XEX_KEY_IMPORTS, imports->bytes, imports->size);
    }
    if (spec->name) {
        size_t length = (strlen(spec->name) + 1 + 3) & ~(size_t)3;
        add_words(set, XEX_KEY_PE_NAME, (const uint32_t[]){(uint32_t)(4 + length)}, 1);
        append_bytes(&set->body, spec->name, strlen(spec->name) + 1);
        pad_to(&set->body, 4);
    }
    if (spec->has_tls) {
        add_words(set, XEX_KEY_TLS, spec->tls, 4);
    }
    add_value(set, XEX_KEY_STACK_SIZE, spec->stack_size ? spec->stack_size : DEFAULT_STACK);
    if (spec->system_flags) {
        add_value(set, XEX_KEY_SYSTEM_FLAGS, spec->system_flags);
    }
    if (spec->has_title_id) {
        const uint32_t words[6] = {0, 0, 0, spec->title_id, 0x00000101u, 0}; /* disc 1 of 1 */
        add_words(set, XEX_KEY_EXECUTION, words, 6);
    }
    if (spec->resource_count) {
        add_resources(set, spec);
    }
    for (uint32_t i = 0; i < spec->header_count; i++) {
        const weft_mkxex_header *h = &spec->headers[i];
        if (is_inline(h->key)) {
            if (h->size != 4) {
                return xex_fail(w->err, WEFT_XEX_E_FORMAT,
                                "header 0x%08x (found %u bytes, expected 4)", h->key, h->size);
            }
            add_value(set, h->key, be32(h->bytes));
        } else {
            add_bytes(set, h->key, h->bytes, h->size);
        }
    }
    qsort(set->entries, set->count, sizeof *set->entries, by_key);
    return 0;
}

static void build_pages(const writer *w, uint8_t *security)
{
    uint8_t digest[XEX_DIGEST] = {0};
    for (uint32_t i = w->page_count; i-- > 0;) {
        uint8_t *p = security + XEX_SEC_PAGES + (size_t)i * XEX_PAGE_ENTRY;
        uint32_t kind = w->spec->page_kinds ? w->spec->page_kinds[i] : XEX_PAGE_DATA;
        put_be32(p, 1u << 4 | kind);
        memcpy(p + 4, digest, XEX_DIGEST);
        weft_xex_sha1(w->image + (size_t)i * w->page_size, w->page_size, p, XEX_PAGE_ENTRY, digest);
    }
    memcpy(security + XEX_SEC_PAGE_DIGEST, digest, XEX_DIGEST);
}

static void build_security(const writer *w, uint8_t *p, const uint8_t import_digest[XEX_DIGEST])
{
    put_be32(p + XEX_SEC_SIZE, XEX_SEC_PAGES + w->page_count * XEX_PAGE_ENTRY);
    put_be32(p + XEX_SEC_IMAGE_SIZE, w->image_size);
    put_be32(p + XEX_SEC_INFO_SIZE, IMAGE_INFO_SIZE);
    put_be32(p + XEX_SEC_IMAGE_FLAGS, w->spec->small_pages ? XEX_IMAGE_PAGE_4K : 0);
    put_be32(p + XEX_SEC_LOAD_ADDRESS, w->spec->base);
    put_be32(p + XEX_SEC_IMPORT_COUNT, w->library_count);
    memcpy(p + XEX_SEC_IMPORT_DIGEST, import_digest, XEX_DIGEST);
    if (w->spec->encryption) {
        const uint8_t *console =
            w->spec->encryption == WEFT_MKXEX_RETAIL ? weft_xex_retail_key : weft_xex_devkit_key;
        weft_xex_aes_encrypt(console, w->file_key, p + XEX_SEC_FILE_KEY, 16);
    }
    put_be32(p + XEX_SEC_EXPORT_TABLE, w->spec->export_table);
    put_be32(p + XEX_SEC_REGION, 0xFFFFFFFFu);
    put_be32(p + XEX_SEC_MEDIA, 0xFFFFFFFFu);
    put_be32(p + XEX_SEC_PAGE_COUNT, w->page_count);
    build_pages(w, p);
}

/* Lays out file header, header table, security info and structures; then the header digest. */
static void assemble(writer *w, header_set *set, const uint8_t import_digest[XEX_DIGEST])
{
    buffer *out = &w->headers;
    append(out, XEX_OFF_HEADERS + (size_t)set->count * XEX_HEADER_ENTRY);
    pad_to(out, 8);
    size_t security = out->size;
    append(out, XEX_SEC_PAGES + (size_t)w->page_count * XEX_PAGE_ENTRY);
    pad_to(out, 8);
    size_t body = out->size;
    append_bytes(out, set->body.bytes, set->body.size);
    pad_to(out, w->spec->header_align ? w->spec->header_align : 0x1000);
    if (out->failed) {
        return;
    }
    uint8_t *p = out->bytes;
    put_be32(p + XEX_OFF_MAGIC, XEX_MAGIC);
    put_be32(p + XEX_OFF_MODULE_FLAGS,
             w->spec->module_flags ? w->spec->module_flags : XEX_MODULE_TITLE);
    put_be32(p + XEX_OFF_HEADER_SIZE, (uint32_t)out->size);
    put_be32(p + XEX_OFF_SECURITY, (uint32_t)security);
    put_be32(p + XEX_OFF_HEADER_COUNT, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        const entry *e = &set->entries[i];
        put_be32(p + XEX_OFF_HEADERS + 8 * i, e->key);
        put_be32(p + XEX_OFF_HEADERS + 8 * i + 4,
                 is_inline(e->key) ? e->value : (uint32_t)body + e->value);
    }
    build_security(w, p + security, import_digest);
    size_t tail = security + XEX_SEC_MEDIA;
    weft_xex_sha1(p + tail, out->size - tail, p, security + XEX_SEC_SIGNATURE,
                  p + security + XEX_SEC_HEADER_DIGEST);
}

static int build(writer *w)
{
    header_set set = {0};
    buffer format = {0}, imports = {0};
    uint8_t digest[XEX_DIGEST] = {0};
    int status = place_imports(w);

    /* The file's key only has to exist: taken from the image, so that equal input gives equal
     * output. */
    uint8_t image_digest[XEX_DIGEST];
    weft_xex_sha1(w->image, w->image_size, NULL, 0, image_digest);
    memcpy(w->file_key, image_digest, sizeof w->file_key);

    if (!status) {
        status = build_data(w, &format);
    }
    if (!status && w->library_count) {
        build_imports(w, &imports, digest);
    }
    set.entries = calloc(16u + w->spec->header_count, sizeof *set.entries);
    if (!status && set.entries && !format.failed && !imports.failed) {
        status = add_headers(w, &set, &format, &imports);
        if (!status) {
            assemble(w, &set, digest);
        }
    }
    if (!status && (!set.entries || format.failed || imports.failed || set.body.failed ||
                    w->headers.failed || w->data.failed)) {
        status = xex_fail(w->err, WEFT_XEX_E_MEMORY, "no memory for the file");
    }
    free(set.entries);
    free(set.body.bytes);
    free(format.bytes);
    free(imports.bytes);
    return status;
}

int weft_mkxex_write(const weft_mkxex_spec *spec, uint8_t **out, size_t *size, char *err)
{
    writer w = {
        .spec = spec,
        .page_size = spec->small_pages ? 0x1000 : 0x10000,
        .err = err,
    };
    if (!spec->image_size || spec->image_size > XEX_MAX_IMAGE || spec->base % w.page_size) {
        return xex_fail(
            err, WEFT_XEX_E_FORMAT,
            "image (found 0x%x bytes at 0x%x, expected 1 to 0x%x at a multiple of 0x%x)",
            spec->image_size, spec->base, XEX_MAX_IMAGE, w.page_size);
    }
    w.page_count = (spec->image_size + w.page_size - 1) / w.page_size;
    w.image_size = w.page_count * w.page_size;
    w.image = calloc(1, w.image_size);
    if (!w.image) {
        return xex_fail(err, WEFT_XEX_E_MEMORY, "no memory for an image of 0x%x", w.image_size);
    }
    memcpy(w.image, spec->image, spec->image_size);
    int status = build(&w);
    if (!status) {
        append_bytes(&w.headers, w.data.bytes, w.data.size);
        if (w.headers.failed) {
            status = xex_fail(err, WEFT_XEX_E_MEMORY, "no memory for the file");
        }
    }
    free(w.image);
    free(w.imports);
    free(w.data.bytes);
    if (status) {
        free(w.headers.bytes);
        return status;
    }
    *out = w.headers.bytes;
    *size = w.headers.size;
    return 0;
}
