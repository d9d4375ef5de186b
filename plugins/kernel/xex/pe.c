#include "pe.h"

#include <stdlib.h>
#include <string.h>

#include "xex.h"
#include "xex_bytes.h"
#include "xex_layout.h"

#define DIRECTORIES_AT 96u /* in the optional header, after NumberOfRvaAndSizes */

static int parse_optional(const uint8_t *p, weft_pe *pe, char *err)
{
    if (le16(p) != PE_OPTIONAL_MAGIC) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "pe: optional header magic (found 0x%x, expected 0x%x)", le16(p),
                        PE_OPTIONAL_MAGIC);
    }
    pe->entry_rva = le32(p + 16);
    pe->image_base = le32(p + 28);
    pe->section_alignment = le32(p + 32);
    pe->file_alignment = le32(p + 36);
    pe->image_size = le32(p + 56);
    pe->headers_size = le32(p + 60);
    pe->subsystem = le16(p + 68);
    pe->stack_reserve = le32(p + 72);
    pe->stack_commit = le32(p + 76);
    pe->heap_reserve = le32(p + 80);
    pe->heap_commit = le32(p + 84);
    uint32_t count = le32(p + 92);
    if (count > PE_DIRECTORY_COUNT) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "pe: data directories (found %u, expected at most %u)", count,
                        PE_DIRECTORY_COUNT);
    }
    for (uint32_t i = 0; i < count; i++) {
        pe->directories[i].rva = le32(p + DIRECTORIES_AT + 8 * i);
        pe->directories[i].size = le32(p + DIRECTORIES_AT + 8 * i + 4);
    }
    return 0;
}

static void parse_section(const uint8_t *p, size_t image_size, weft_pe_section *s)
{
    memcpy(s->name, p, 8);
    s->name[8] = '\0';
    s->virtual_size = le32(p + 8);
    s->rva = le32(p + 12);
    s->raw_size = le32(p + 16);
    s->raw_pointer = le32(p + 20);
    s->flags = le32(p + 36);
    s->present = 0;
    if (s->rva < image_size) {
        size_t left = image_size - s->rva;
        s->present = left < s->virtual_size ? (uint32_t)left : s->virtual_size;
    }
}

int weft_pe_parse(const uint8_t *image, size_t size, weft_pe *out, char *err)
{
    memset(out, 0, sizeof *out);
    if (size < PE_DOS_LFANEW + 4 || le16(image) != PE_DOS_MAGIC) {
        return xex_fail(err, WEFT_XEX_E_FORMAT, "pe: DOS header at 0x0 (found %s, expected \"MZ\")",
                        size < PE_DOS_LFANEW + 4 ? "fewer than 64 bytes" : "another magic");
    }
    uint32_t nt = le32(image + PE_DOS_LFANEW);
    if (!in_range(nt, PE_OPTIONAL_HEADER + PE_OPTIONAL_SIZE, size)) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "pe: NT headers at 0x%x (expected 0x%x bytes inside the image of 0x%zx)",
                        nt, PE_OPTIONAL_HEADER + PE_OPTIONAL_SIZE, size);
    }
    const uint8_t *p = image + nt;
    if (le32(p) != PE_MAGIC) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "pe: NT magic at 0x%x (found 0x%08x, expected 0x%08x)", nt, le32(p),
                        PE_MAGIC);
    }
    out->machine = le16(p + PE_FILE_HEADER);
    if (out->machine != PE_MACHINE_POWERPCBE) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "pe: machine at 0x%x (found 0x%04x, expected 0x%04x)", nt + PE_FILE_HEADER,
                        out->machine, PE_MACHINE_POWERPCBE);
    }
    out->timestamp = le32(p + 8);
    out->characteristics = le16(p + 22);
    uint32_t optional_size = le16(p + 20);
    if (optional_size < PE_OPTIONAL_SIZE) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "pe: optional header size at 0x%x (found 0x%x, expected 0x%x)", nt + 20,
                        optional_size, PE_OPTIONAL_SIZE);
    }
    int status = parse_optional(p + PE_OPTIONAL_HEADER, out, err);
    if (status) {
        return status;
    }
    uint32_t count = le16(p + 6);
    uint64_t table = (uint64_t)nt + PE_OPTIONAL_HEADER + optional_size;
    if (count > PE_SECTION_MAX || !in_range(table, (uint64_t)count * PE_SECTION_ENTRY, size)) {
        return xex_fail(
            err, WEFT_XEX_E_FORMAT,
            "pe: section table at 0x%llx (found %u sections, expected at most %u inside the "
            "image of 0x%zx)",
            (unsigned long long)table, count, PE_SECTION_MAX, size);
    }
    for (uint32_t i = 0; i < count; i++) {
        parse_section(image + table + (uint64_t)i * PE_SECTION_ENTRY, size, &out->sections[i]);
    }
    out->section_count = count;
    return 0;
}

int weft_pe_directory(const weft_pe *pe, uint32_t index, size_t image_size, uint32_t *rva,
                      uint32_t *size)
{
    if (index >= PE_DIRECTORY_COUNT || !pe->directories[index].size ||
        !in_range(pe->directories[index].rva, pe->directories[index].size, image_size)) {
        return WEFT_XEX_E_NOT_FOUND;
    }
    *rva = pe->directories[index].rva;
    *size = pe->directories[index].size;
    return 0;
}

const weft_pe_section *weft_pe_section_find(const weft_pe *pe, const char *name)
{
    for (uint32_t i = 0; i < pe->section_count; i++) {
        if (!strcmp(pe->sections[i].name, name)) {
            return &pe->sections[i];
        }
    }
    return NULL;
}

/* The string at offset, or NULL if its NUL is not inside the image. */
static const char *string_at(const uint8_t *image, size_t size, uint64_t offset)
{
    if (offset >= size || !memchr(image + offset, 0, size - (size_t)offset)) {
        return NULL;
    }
    return (const char *)image + offset;
}

int weft_pe_exports(const uint8_t *image, size_t size, uint32_t rva, uint32_t origin,
                    weft_pe_export **out, uint32_t *count, char *err)
{
    *out = NULL;
    *count = 0;
    if (!in_range(rva, 40, size)) {
        return xex_fail(
            err, WEFT_XEX_E_FORMAT,
            "pe: export directory at 0x%x (expected 40 bytes inside the image of 0x%zx)", rva,
            size);
    }
    const uint8_t *dir = image + rva;
    uint32_t base = le32(dir + 16), functions = le32(dir + 20), names = le32(dir + 24);
    uint64_t function_at = (uint64_t)origin + le32(dir + 28);
    uint64_t name_at = (uint64_t)origin + le32(dir + 32);
    uint64_t ordinal_at = (uint64_t)origin + le32(dir + 36);
    if (!in_range(function_at, 4ull * functions, size) || !in_range(name_at, 4ull * names, size) ||
        !in_range(ordinal_at, 2ull * names, size)) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "pe: export tables of the directory at 0x%x (found %u functions, %u names, "
                        "expected all inside the image of 0x%zx)",
                        rva, functions, names, size);
    }
    weft_pe_export *list = calloc(functions ? functions : 1, sizeof *list);
    if (!list) {
        return xex_fail(err, WEFT_XEX_E_MEMORY, "pe: no memory for %u exports", functions);
    }
    for (uint32_t i = 0; i < functions; i++) {
        list[i].ordinal = base + i;
        list[i].rva = le32(image + function_at + 4ull * i);
    }
    for (uint32_t i = 0; i < names; i++) {
        uint32_t index = le16(image + ordinal_at + 2ull * i);
        const char *name =
            string_at(image, size, (uint64_t)origin + le32(image + name_at + 4ull * i));
        if (index >= functions || !name) {
            free(list);
            return xex_fail(
                err, WEFT_XEX_E_FORMAT,
                "pe: name %u of the export directory at 0x%x (found %s, expected a name of "
                "one of %u functions)",
                i, rva, name ? "a wrong index" : "no string", functions);
        }
        list[index].name = name;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < functions; i++) {
        if (list[i].rva) {
            list[kept++] = list[i];
        }
    }
    *out = list;
    *count = kept;
    return 0;
}
