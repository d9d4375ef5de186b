/* `weft info`: a title described as JSON, without running it. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"
#include "pe.h"
#include "vfs.h"
#include "xex_layout.h"

/* Another module that lies beside the title, and what it exports. */
typedef struct neighbour {
    ktitle_file file;
    weft_xex_export *exports;
    uint32_t count;
} neighbour;

/* A library that cannot be read exports nothing. */
static void neighbour_open(neighbour *n, vfs_device *beside, const char *name)
{
    char err[256];
    if (strpbrk(name, "\\/:") || !kloader_read_file(beside, name, &n->file.bytes, &n->file.size) ||
        kloader_decode(&n->file, err) != WEFT_XEX_OK ||
        weft_xex_exports(n->file.xex, &n->file.image, &n->exports, &n->count, err) != WEFT_XEX_OK) {
        n->exports = NULL;
        n->count = 0;
    }
}

static void neighbour_close(neighbour *n)
{
    free(n->exports);
    kloader_free(&n->file);
}

static const weft_xex_export *neighbour_export(const neighbour *n, uint32_t ordinal)
{
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->exports[i].ordinal == ordinal) {
            return &n->exports[i];
        }
    }
    return NULL;
}

static const char *status_name(const kexport *row)
{
    if (!row) {
        return "missing";
    }
    switch (row->status) {
    case KEXPORT_FULL:
    case KEXPORT_VARIABLE:
        return "implemented";
    case KEXPORT_PARTIAL:
        return "partial";
    default:
        return "missing";
    }
}

/* Name and status of an import from the system (module >= 0) or from a neighbour. */
static void add_status(cJSON *item, int module, const neighbour *n, uint32_t ordinal)
{
    if (module < 0) {
        const weft_xex_export *found = neighbour_export(n, ordinal);
        cJSON_AddStringToObject(item, "name", found && found->name ? found->name : "");
        cJSON_AddStringToObject(item, "status", found ? "implemented" : "missing");
        return;
    }
    const kexport *row = kexport_find((unsigned)module, ordinal);
    const char *known = kexport_ordinal_name((unsigned)module, ordinal);
    cJSON_AddStringToObject(item, "name", row ? row->name : known ? known : "");
    cJSON_AddStringToObject(item, "status", status_name(row));
    if (row && row->status == KEXPORT_PARTIAL) {
        cJSON_AddStringToObject(item, "remark", row->remark);
    }
}

/* How many imports there are of each status. */
static void add_needs(cJSON *root, const cJSON *imports)
{
    static const char *const statuses[] = {"implemented", "partial", "missing"};
    cJSON *needs = cJSON_AddObjectToObject(root, "needs");
    for (unsigned i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        uint32_t count = 0;
        const cJSON *item;
        cJSON_ArrayForEach(item, imports)
        {
            const cJSON *status = cJSON_GetObjectItem(item, "status");
            count += status && strcmp(status->valuestring, statuses[i]) == 0;
        }
        cJSON_AddNumberToObject(needs, statuses[i], count);
    }
}

static void add_imports(cJSON *root, const ktitle_file *t)
{
    cJSON *list = cJSON_CreateArray();
    neighbour *n = calloc(1, sizeof *n);
    unsigned others = 0;
    for (uint32_t i = 0; n && i < t->imports.library_count; i++) {
        const weft_xex_library *library = &t->imports.libraries[i];
        int module = kloader_module_number(library->name);
        memset(n, 0, sizeof *n);
        if (module < 0 && others++ < KMODULES_MAX) { /* what lies beyond could not be loaded */
            neighbour_open(n, t->device, library->name);
        }
        for (uint32_t j = 0; j < library->import_count; j++) {
            const weft_xex_import *import = &library->imports[j];
            cJSON *item = cJSON_CreateObject();
            cJSON_AddStringToObject(item, "library", library->name);
            cJSON_AddNumberToObject(item, "ordinal", import->ordinal);
            cJSON_AddStringToObject(item, "kind",
                                    import->kind == WEFT_XEX_FUNCTION ? "function" : "variable");
            add_status(item, module, n, import->ordinal);
            cJSON_AddItemToArray(list, item);
        }
        neighbour_close(n);
    }
    free(n);
    add_needs(root, list);
    cJSON_AddItemToObject(root, "imports", list);
}

static void add_sections(cJSON *root, const ktitle_file *t)
{
    cJSON *list = cJSON_AddArrayToObject(root, "sections");
    weft_pe *pe = malloc(sizeof *pe);
    char err[256];
    if (pe && weft_pe_parse(t->image.bytes, t->image.size, pe, err) == WEFT_XEX_OK) {
        for (uint32_t i = 0; i < pe->section_count; i++) {
            cJSON *item = cJSON_CreateObject();
            cJSON_AddStringToObject(item, "name", pe->sections[i].name);
            cJSON_AddNumberToObject(item, "address", (double)t->image.base + pe->sections[i].rva);
            cJSON_AddNumberToObject(item, "size", pe->sections[i].virtual_size);
            cJSON_AddNumberToObject(item, "flags", pe->sections[i].flags);
            cJSON_AddItemToArray(list, item);
        }
    }
    free(pe);
}

static void add_exports(cJSON *root, const ktitle_file *t)
{
    cJSON *list = cJSON_AddArrayToObject(root, "exports");
    weft_xex_export *exports = NULL;
    uint32_t count = 0;
    char err[256];
    if (weft_xex_exports(t->xex, &t->image, &exports, &count, err) == WEFT_XEX_OK) {
        for (uint32_t i = 0; i < count; i++) {
            cJSON *item = cJSON_CreateObject();
            cJSON_AddNumberToObject(item, "ordinal", exports[i].ordinal);
            cJSON_AddNumberToObject(item, "address", exports[i].address);
            if (exports[i].name) {
                cJSON_AddStringToObject(item, "name", exports[i].name);
            }
            cJSON_AddItemToArray(list, item);
        }
        free(exports);
    }
}

static void add_header(cJSON *root, const ktitle_file *t)
{
    static const char *const encryption[] = {"none", "normal"};
    static const char *const compression[] = {"none", "basic", "lzx", "delta"};
    static const char *const keys[] = {"none", "devkit", "retail"};
    const weft_xex_format *format = &t->xex->format;
    char text[300];
    cJSON_AddStringToObject(root, "kind", "xex2");
    cJSON_AddStringToObject(root, "file", t->file);
    if (weft_xex_pe_name(t->xex, text, sizeof text) == WEFT_XEX_OK) {
        cJSON_AddStringToObject(root, "name", text);
    }
    weft_xex_execution execution;
    if (weft_xex_execution_info(t->xex, &execution) == WEFT_XEX_OK) {
        snprintf(text, sizeof text, "%08X", execution.title_id);
        cJSON_AddStringToObject(root, "title_id", text);
    }
    cJSON_AddNumberToObject(root, "base", t->image.base);
    cJSON_AddNumberToObject(root, "entry", weft_xex_entry_point(t->xex));
    cJSON_AddNumberToObject(root, "image_size", t->image.size);
    cJSON_AddStringToObject(root, "encryption",
                            format->encryption < 2 ? encryption[format->encryption] : "unknown");
    cJSON_AddStringToObject(root, "key", keys[t->image.key]);
    cJSON_AddStringToObject(root, "compression",
                            format->compression < 4 ? compression[format->compression] : "unknown");
    cJSON_AddNumberToObject(root, "stack_size", weft_xex_header_u32(t->xex, XEX_KEY_STACK_SIZE, 0));
    cJSON_AddNumberToObject(root, "system_flags",
                            weft_xex_header_u32(t->xex, XEX_KEY_SYSTEM_FLAGS, 0));
    cJSON *hashes = cJSON_AddObjectToObject(root, "hashes");
    cJSON_AddNumberToObject(hashes, "ok", t->image.pages.ok);
    cJSON_AddNumberToObject(hashes, "total", t->image.pages.total);
    cJSON_AddBoolToObject(hashes, "header", t->xex->header_digest_ok);
    cJSON_AddBoolToObject(hashes, "imports", t->xex->import_digest_ok);
}

weft_status kloader_info(kernel *k, const char *path, weft_info_fn sink, void *context)
{
    ktitle_file t;
    weft_status status = kloader_read(k, path, &t);
    if (status != WEFT_OK) {
        return status;
    }
    cJSON *root = cJSON_CreateObject();
    add_header(root, &t);
    add_sections(root, &t);
    add_imports(root, &t);
    add_exports(root, &t);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    kloader_free(&t);
    if (!text) {
        return k->host->fail(k->host, WEFT_E_NO_MEMORY, "out of memory for the description");
    }
    sink(context, text, strlen(text));
    free(text);
    return WEFT_OK;
}

weft_status kloader_image_read(kernel *k, const char *path, uint32_t address, uint32_t length,
                               uint8_t *bytes, uint32_t *done)
{
    ktitle_file t;
    weft_status status = kloader_read(k, path, &t);
    if (status != WEFT_OK) {
        return status;
    }
    uint32_t base = t.image.base, size = t.image.size;
    if (address < base || address - base >= size) {
        char sentence[160];
        snprintf(sentence, sizeof sentence,
                 "address outside the image (found 0x%08x, expected 0x%08x to 0x%08x)", address,
                 base, (uint32_t)(base + (size - 1)));
        kloader_free(&t);
        return k->host->fail(k->host, WEFT_E_INVALID, sentence);
    }
    uint32_t left = size - (address - base);
    *done = length < left ? length : left;
    memcpy(bytes, t.image.bytes + (address - base), *done);
    kloader_free(&t);
    return WEFT_OK;
}
