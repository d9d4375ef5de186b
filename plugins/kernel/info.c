/* `weft info`: a title described as JSON, without running it. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "loader.h"
#include "pe.h"
#include "xex_layout.h"

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

static void add_imports(cJSON *root, const ktitle_file *t)
{
    cJSON *list = cJSON_AddArrayToObject(root, "imports");
    for (uint32_t i = 0; i < t->imports.library_count; i++) {
        const weft_xex_library *library = &t->imports.libraries[i];
        int module = kloader_module_number(library->name);
        for (uint32_t j = 0; j < library->import_count; j++) {
            const weft_xex_import *import = &library->imports[j];
            const kexport *row =
                module < 0 ? NULL : kexport_find((unsigned)module, import->ordinal);
            const char *known =
                module < 0 ? NULL : kexport_ordinal_name((unsigned)module, import->ordinal);
            cJSON *item = cJSON_CreateObject();
            cJSON_AddStringToObject(item, "library", library->name);
            cJSON_AddNumberToObject(item, "ordinal", import->ordinal);
            cJSON_AddStringToObject(item, "name", row ? row->name : known ? known : "");
            cJSON_AddStringToObject(
                item, "kind", import->kind == WEFT_XEX_FUNCTION ? "function" : "variable");
            cJSON_AddStringToObject(item, "status", status_name(row));
            if (row && row->status == KEXPORT_PARTIAL) {
                cJSON_AddStringToObject(item, "remark", row->remark);
            }
            cJSON_AddItemToArray(list, item);
        }
    }
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
    cJSON_AddNumberToObject(root, "stack_size",
                            weft_xex_header_u32(t->xex, XEX_KEY_STACK_SIZE, 0));
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
