/* Import libraries and exports: the two tables of a file that point into its image. */
#include "xex.h"

#include <stdlib.h>
#include <string.h>

#include "pe.h"
#include "xex_bytes.h"
#include "xex_layout.h"

/* The bytes at a guest address, or NULL unless length bytes from there lie in the image. */
static const uint8_t *at_address(const weft_xex_image *image, uint32_t address, uint32_t length)
{
    if (address < image->base || !in_range(address - image->base, length, image->size)) {
        return NULL;
    }
    return image->bytes + (address - image->base);
}

/* Name number `index` of the string table: NUL-terminated, each padded to four bytes. */
static const char *name_at(const uint8_t *strings, size_t size, uint32_t index)
{
    size_t p = 0;
    for (;; index--) {
        const uint8_t *end = p < size ? memchr(strings + p, 0, size - p) : NULL;
        if (!end) {
            return NULL;
        }
        if (!index) {
            return (const char *)strings + p;
        }
        p = ((size_t)(end - strings) + 4) & ~(size_t)3;
    }
}

static int read_records(const weft_xex *xex, const weft_xex_image *image, const uint8_t *records,
                        uint32_t count, weft_xex_library *lib, char *err)
{
    lib->imports = calloc(count ? count : 1, sizeof *lib->imports);
    if (!lib->imports) {
        return xex_fail(err, WEFT_XEX_E_MEMORY, "xex: no memory for %u imports", count);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t address = be32(records + 4 * (size_t)i);
        const uint8_t *word = at_address(image, address, 4);
        uint32_t type = word ? word[0] : 0;
        if (!word || address % 4 || type > XEX_RECORD_THUNK ||
            (type == XEX_RECORD_THUNK && !at_address(image, address, XEX_THUNK_SIZE))) {
            return xex_fail(
                err, WEFT_XEX_E_FORMAT,
                "xex: import record %u of %s at 0x%zx (found address 0x%x type %u, expected a "
                "word of type 0 or 1 in the image)",
                i, lib->name, (size_t)(records - xex->data) + 4 * (size_t)i, address, type);
        }
        uint32_t ordinal = be16(word + 2);
        weft_xex_import *last = lib->import_count ? &lib->imports[lib->import_count - 1] : NULL;
        if (type == XEX_RECORD_THUNK && last && last->kind == WEFT_XEX_VARIABLE &&
            last->ordinal == ordinal) {
            last->kind = WEFT_XEX_FUNCTION; /* its variable record came just before */
            last->thunk_address = address;
            continue;
        }
        weft_xex_import *import = &lib->imports[lib->import_count++];
        import->ordinal = ordinal;
        import->kind = type == XEX_RECORD_THUNK ? WEFT_XEX_FUNCTION : WEFT_XEX_VARIABLE;
        *(type == XEX_RECORD_THUNK ? &import->thunk_address : &import->record_address) = address;
    }
    return 0;
}

static int read_library(const weft_xex *xex, const weft_xex_image *image, const uint8_t *header,
                        size_t at, uint32_t length, weft_xex_library *lib, char *err)
{
    const uint8_t *record = header + at;
    uint32_t count = be16(record + XEX_LIB_COUNT);
    uint32_t index = be16(record + XEX_LIB_NAME) & 0xFF;
    lib->id = be32(record + XEX_LIB_ID);
    lib->version = be32(record + XEX_LIB_VERSION);
    lib->version_min = be32(record + XEX_LIB_VERSION_MIN);
    lib->name =
        name_at(header + XEX_IMPORTS_STRINGS, be32(header + XEX_IMPORTS_STRING_SIZE), index);
    if (!lib->name || !in_range(XEX_LIB_RECORDS, 4ull * count, length)) {
        return xex_fail(
            err, WEFT_XEX_E_FORMAT,
            "xex: import library at 0x%zx (found name %u%s, %u records, expected all inside its "
            "0x%x bytes)",
            (size_t)(record - xex->data), index, lib->name ? "" : " that is missing", count,
            length);
    }
    return read_records(xex, image, record + XEX_LIB_RECORDS, count, lib, err);
}

int weft_xex_imports(const weft_xex *xex, const weft_xex_image *image, weft_xex_import_list *out,
                     char *err)
{
    memset(out, 0, sizeof *out);
    const uint8_t *p;
    uint32_t size;
    if (weft_xex_header_raw(xex, XEX_KEY_IMPORTS, &p, &size)) {
        return 0;
    }
    if (size < XEX_IMPORTS_STRINGS ||
        !in_range(XEX_IMPORTS_STRINGS, be32(p + XEX_IMPORTS_STRING_SIZE), size)) {
        return xex_fail(
            err, WEFT_XEX_E_FORMAT,
            "xex: import names at 0x%zx (found 0x%x bytes, expected inside the header of 0x%x)",
            (size_t)(p - xex->data), size < XEX_IMPORTS_STRINGS ? 0 : be32(p + 4), size);
    }
    size_t at = XEX_IMPORTS_STRINGS + (size_t)be32(p + XEX_IMPORTS_STRING_SIZE);
    /* Each record takes at least XEX_LIB_RECORDS bytes of the file: that bounds the list. */
    out->libraries = calloc((size - at) / XEX_LIB_RECORDS + 1, sizeof *out->libraries);
    if (!out->libraries) {
        return xex_fail(err, WEFT_XEX_E_MEMORY, "xex: no memory for import libraries");
    }
    while (in_range(at, XEX_LIB_RECORDS, size) && be32(p + at)) {
        uint32_t length = be32(p + at + XEX_LIB_SIZE);
        int status;
        if (length < XEX_LIB_RECORDS || !in_range(at, length, size)) {
            status =
                xex_fail(err, WEFT_XEX_E_FORMAT,
                         "xex: import library at 0x%zx (found 0x%x bytes, expected 0x28 to 0x%zx)",
                         (size_t)(p - xex->data) + at, length, size - at);
        } else {
            status =
                read_library(xex, image, p, at, length, &out->libraries[out->library_count++], err);
        }
        if (status) {
            weft_xex_imports_free(out);
            return status;
        }
        at += length;
    }
    return 0;
}

void weft_xex_imports_free(weft_xex_import_list *list)
{
    for (uint32_t i = 0; i < list->library_count; i++) {
        free(list->libraries[i].imports);
    }
    free(list->libraries);
    memset(list, 0, sizeof *list);
}

/* A list of exports that grows; ordinals are unique in it. */
typedef struct export_list {
    weft_xex_export *items;
    uint32_t count, room;
} export_list;

static bool append(export_list *list, uint32_t ordinal, uint32_t address, const char *name)
{
    if (list->count == list->room) {
        uint32_t room = list->room ? list->room * 2 : 64;
        weft_xex_export *items = realloc(list->items, room * sizeof *items);
        if (!items) {
            return false;
        }
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = (weft_xex_export){ordinal, address, name};
    return true;
}

static int by_ordinal(const void *a, const void *b)
{
    uint32_t x = ((const weft_xex_export *)a)->ordinal, y = ((const weft_xex_export *)b)->ordinal;
    return x < y ? -1 : x > y;
}

/* The table of the security info: big-endian, by ordinal alone. */
static int read_hv_table(const weft_xex *xex, const weft_xex_image *image, export_list *list,
                         char *err)
{
    uint32_t address = xex->security.export_table;
    const uint8_t *p = at_address(image, address, XEX_EXPORT_ENTRIES);
    if (!p || be32(p) != XEX_EXPORT_MAGIC_0 || be32(p + 4) != XEX_EXPORT_MAGIC_1 ||
        be32(p + 8) != XEX_EXPORT_MAGIC_2) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "xex: export table at address 0x%x (found %s, expected its magic words)",
                        address, p ? "something else" : "no image there");
    }
    uint32_t count = be32(p + XEX_EXPORT_COUNT), ordinal = be32(p + XEX_EXPORT_ORDINAL);
    uint32_t base = be32(p + XEX_EXPORT_BASE_16) << 16;
    uint64_t left = image->size - (uint64_t)(p - image->bytes) - XEX_EXPORT_ENTRIES;
    if (count > left / 4) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "xex: export table at address 0x%x (found %u entries, expected at most %u)",
                        address, count, (uint32_t)(left / 4));
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t offset = be32(p + XEX_EXPORT_ENTRIES + 4 * (size_t)i);
        if (offset && !append(list, ordinal + i, base + offset, NULL)) {
            return xex_fail(err, WEFT_XEX_E_MEMORY, "xex: no memory for %u exports", count);
        }
    }
    return 0;
}

/* A PE export directory: adds what is new, and names what is known. */
static int read_pe_exports(const weft_xex_image *image, uint32_t rva, uint32_t origin,
                           export_list *list, char *err)
{
    weft_pe_export *found;
    uint32_t count;
    int status = weft_pe_exports(image->bytes, image->size, rva, origin, &found, &count, err);
    if (status) {
        return status;
    }
    uint32_t known = list->count;
    for (uint32_t i = 0; i < count && !status; i++) {
        weft_xex_export key = {.ordinal = found[i].ordinal};
        weft_xex_export *old =
            known ? bsearch(&key, list->items, known, sizeof *list->items, by_ordinal) : NULL;
        if (old) {
            old->name = old->name ? old->name : found[i].name;
        } else if (!append(list, found[i].ordinal, image->base + found[i].rva, found[i].name)) {
            status = xex_fail(err, WEFT_XEX_E_MEMORY, "xex: no memory for %u exports", count);
        }
    }
    free(found);
    if (list->count) {
        qsort(list->items, list->count, sizeof *list->items, by_ordinal);
    }
    return status;
}

int weft_xex_exports(const weft_xex *xex, const weft_xex_image *image, weft_xex_export **out,
                     uint32_t *count, char *err)
{
    export_list list = {0};
    int status = 0;
    const uint8_t *named;
    uint32_t rva, size;
    weft_pe pe;
    *out = NULL;
    *count = 0;
    if (xex->security.export_table) {
        status = read_hv_table(xex, image, &list, err);
        if (list.count) {
            qsort(list.items, list.count, sizeof *list.items, by_ordinal); /* the base may wrap */
        }
    }
    if (!status && !weft_xex_header_raw(xex, XEX_KEY_EXPORTS_NAMED, &named, &size)) {
        rva = be32(named);
        status = read_pe_exports(image, rva, rva, &list, err);
    }
    if (!status && !weft_pe_parse(image->bytes, image->size, &pe, NULL) &&
        !weft_pe_directory(&pe, PE_DIR_EXPORT, image->size, &rva, &size)) {
        status = read_pe_exports(image, rva, 0, &list, err);
    }
    if (status) {
        free(list.items);
        return status;
    }
    *out = list.items;
    *count = list.count;
    return 0;
}

uint32_t weft_xex_export_find(const weft_xex_export *list, uint32_t count, uint32_t ordinal)
{
    weft_xex_export key = {.ordinal = ordinal};
    const weft_xex_export *found =
        count ? bsearch(&key, list, count, sizeof *list, by_ordinal) : NULL;
    return found ? found->address : 0;
}
