#include "elf_image.h"

#include <stdlib.h>
#include <string.h>

#include "xex.h"
#include "xex_bytes.h"
#include "xex_layout.h"

/* ELF32: System V ABI, PowerPC processor supplement. */
#define EHDR_SIZE      52u
#define SHDR_SIZE      40u
#define SYM_SIZE       16u
#define ET_EXEC        2u
#define EM_PPC         20u
#define SHT_SYMTAB     2u
#define SHT_NOBITS     8u
#define SHF_WRITE      1u
#define SHF_ALLOC      2u
#define SHF_EXECINSTR  4u
#define SHF_TLS        0x400u
#define IMPORT_SECTION ".weft.imports"
#define IMPORT_SIZE    32u

#define PAGE                0x10000u
#define PE_NT_AT            0x40u /* right behind the DOS header */
#define PE_TABLE_AT         (PE_NT_AT + PE_OPTIONAL_HEADER + PE_OPTIONAL_SIZE)
#define TLS_SLOTS           64u /* what XDK titles ask for */
#define PE_EXECUTABLE_32BIT 0x0102u

typedef struct section {
    const char *name;
    uint32_t type, flags, address, offset, size, link;
    const uint8_t *bytes; /* NULL for NOBITS */
} section;

/* What a PE section is made of, and the kind of its pages. */
typedef enum class { CLASS_RODATA, CLASS_CODE, CLASS_DATA, CLASS_BSS } class;

static const struct {
    const char *name;
    uint32_t flags;
} class_info[] = {
    [CLASS_RODATA] = {".rdata", PE_SCN_DATA | PE_SCN_READ},
    [CLASS_CODE] = {".text", PE_SCN_CODE | PE_SCN_EXECUTE | PE_SCN_READ},
    [CLASS_DATA] = {".data", PE_SCN_DATA | PE_SCN_READ | PE_SCN_WRITE},
    [CLASS_BSS] = {".bss", PE_SCN_BSS | PE_SCN_READ | PE_SCN_WRITE},
};

typedef struct pe_range {
    const char *name;
    class kind;
    uint32_t start, end; /* RVAs */
} pe_range;

typedef struct linker {
    const uint8_t *elf;
    size_t elf_size;
    const weft_mkxex_options *options;
    weft_mkxex_image *out;
    section *sections;
    uint32_t section_count;
    uint32_t base, used; /* used: bytes of the image so far */
    uint32_t room;       /* allocated */
    pe_range ranges[PE_SECTION_MAX];
    uint32_t range_count;
    uint32_t pdata_rva, pdata_size;
    char *err;
} linker;

/* ---- ELF ---- */

static const char *elf_string(const section *table, uint32_t offset)
{
    if (!table->bytes || offset >= table->size ||
        !memchr(table->bytes + offset, 0, table->size - offset)) {
        return NULL;
    }
    return (const char *)table->bytes + offset;
}

static int read_sections(linker *l)
{
    const uint8_t *e = l->elf;
    static const uint8_t ident[7] = {0x7F, 'E', 'L', 'F', 1, 2, 1}; /* ELF32, big-endian */
    if (l->elf_size < EHDR_SIZE || memcmp(e, ident, sizeof ident) || be16(e + 16) != ET_EXEC ||
        be16(e + 18) != EM_PPC) {
        return xex_fail(
            l->err, WEFT_XEX_E_FORMAT,
            "input (found something else, expected a linked big-endian ELF32 executable "
            "for PowerPC)");
    }
    uint32_t table = be32(e + 32), count = be16(e + 48), names = be16(e + 50);
    if (be16(e + 46) != SHDR_SIZE || names >= count ||
        !in_range(table, (uint64_t)count * SHDR_SIZE, l->elf_size)) {
        return xex_fail(l->err, WEFT_XEX_E_FORMAT,
                        "ELF section table at 0x%x (found %u entries, expected a table with names "
                        "inside the file)",
                        table, count);
    }
    l->sections = calloc(count, sizeof *l->sections);
    if (!l->sections) {
        return xex_fail(l->err, WEFT_XEX_E_MEMORY, "no memory for %u sections", count);
    }
    l->section_count = count;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *h = e + table + (size_t)i * SHDR_SIZE;
        section *s = &l->sections[i];
        s->type = be32(h + 4);
        s->flags = be32(h + 8);
        s->address = be32(h + 12);
        s->offset = be32(h + 16);
        s->size = be32(h + 20);
        s->link = be32(h + 24);
        if (s->type == SHT_NOBITS || !s->size) {
            continue;
        }
        if (!in_range(s->offset, s->size, l->elf_size)) {
            return xex_fail(l->err, WEFT_XEX_E_FORMAT,
                            "ELF section %u (found 0x%x bytes at 0x%x, expected inside the file)",
                            i, s->size, s->offset);
        }
        s->bytes = e + s->offset;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = be32(e + table + (size_t)i * SHDR_SIZE);
        l->sections[i].name = elf_string(&l->sections[names], name);
        if (!l->sections[i].name) {
            return xex_fail(l->err, WEFT_XEX_E_FORMAT,
                            "name of ELF section %u (found offset 0x%x, expected a string)", i,
                            name);
        }
    }
    return 0;
}

static const section *find_section(const linker *l, const char *name)
{
    for (uint32_t i = 0; i < l->section_count; i++) {
        if (!strcmp(l->sections[i].name, name)) {
            return &l->sections[i];
        }
    }
    return NULL;
}

static bool is_imports(const section *s)
{
    return !strncmp(s->name, IMPORT_SECTION, strlen(IMPORT_SECTION));
}

/* True for what takes up guest memory. The uninitialised part of TLS has no place in the image. */
static bool is_loaded(const section *s)
{
    return (s->flags & SHF_ALLOC) && s->size && !is_imports(s) &&
           !((s->flags & SHF_TLS) && s->type == SHT_NOBITS);
}

static int symbol_address(const linker *l, const char *name, uint32_t *address)
{
    for (uint32_t i = 0; i < l->section_count; i++) {
        const section *s = &l->sections[i];
        if (s->type != SHT_SYMTAB || !s->bytes || s->link >= l->section_count) {
            continue;
        }
        for (uint32_t k = 0; k + SYM_SIZE <= s->size; k += SYM_SIZE) {
            const char *found = elf_string(&l->sections[s->link], be32(s->bytes + k));
            if (found && !strcmp(found, name) && be16(s->bytes + k + 14)) {
                *address = be32(s->bytes + k + 4);
                return 0;
            }
        }
    }
    return xex_fail(l->err, WEFT_XEX_E_NOT_FOUND, "export %s (found no such symbol in the ELF)",
                    name);
}

/* ---- image ---- */

/* Room for `size` bytes from `rva` on; the image grows by whole pages. */
static int grow(linker *l, uint64_t rva, uint64_t size)
{
    uint64_t end = rva + size;
    uint64_t room = (end + PAGE - 1) / PAGE * PAGE;
    if (room > XEX_MAX_IMAGE) {
        return xex_fail(l->err, WEFT_XEX_E_FORMAT,
                        "image (found 0x%llx bytes, expected at most 0x%x)",
                        (unsigned long long)end, XEX_MAX_IMAGE);
    }
    if (room > l->room) {
        uint8_t *bytes = realloc(l->out->bytes, room);
        uint8_t *kinds = realloc(l->out->page_kinds, room / PAGE);
        l->out->bytes = bytes ? bytes : l->out->bytes;
        l->out->page_kinds = kinds ? kinds : l->out->page_kinds;
        if (!bytes || !kinds) {
            return xex_fail(l->err, WEFT_XEX_E_MEMORY, "no memory for an image of 0x%llx bytes",
                            (unsigned long long)room);
        }
        memset(bytes + l->room, 0, room - l->room);
        memset(kinds + l->room / PAGE, 0, (room - l->room) / PAGE);
        l->room = (uint32_t)room;
    }
    l->used = end > l->used ? (uint32_t)end : l->used;
    return 0;
}

static int classify(const linker *l, const section *s, class *kind)
{
    bool code = s->flags & SHF_EXECINSTR, writable = s->flags & SHF_WRITE;
    if (code && writable) {
        return xex_fail(l->err, WEFT_XEX_E_FORMAT,
                        "ELF section %s (found writable code, expected one or the other)", s->name);
    }
    *kind = code                    ? CLASS_CODE
            : !writable             ? CLASS_RODATA
            : s->type == SHT_NOBITS ? CLASS_BSS
                                    : CLASS_DATA;
    return 0;
}

/* Marks pages; read-only data may share one with code or with data, code and data may not. */
static int mark_pages(linker *l, class kind, const char *name, uint32_t start, uint32_t end)
{
    uint8_t wanted = kind == CLASS_CODE     ? XEX_PAGE_CODE
                     : kind == CLASS_RODATA ? XEX_PAGE_READONLY
                                            : XEX_PAGE_DATA;
    for (uint32_t page = start / PAGE; page <= (end - 1) / PAGE; page++) {
        uint8_t *now = &l->out->page_kinds[page];
        if (*now == 0 || *now == XEX_PAGE_READONLY) {
            *now = wanted;
        } else if (wanted != XEX_PAGE_READONLY && *now != wanted) {
            return xex_fail(
                l->err, WEFT_XEX_E_FORMAT,
                "ELF section %s (found code and data in the page at 0x%x, expected them "
                "64 KiB apart)",
                name, l->base + page * PAGE);
        }
    }
    return 0;
}

/* Adjacent sections of one class become one PE section; .pdata keeps its name. */
static int add_range(linker *l, const char *name, class kind, uint32_t start, uint32_t end)
{
    pe_range *last = l->range_count ? &l->ranges[l->range_count - 1] : NULL;
    if (last && last->kind == kind && last->name == name && start >= last->end) {
        last->end = end;
        return 0;
    }
    if (l->range_count == PE_SECTION_MAX) {
        return xex_fail(l->err, WEFT_XEX_E_FORMAT, "more than %u PE sections", PE_SECTION_MAX);
    }
    l->ranges[l->range_count++] = (pe_range){name, kind, start, end};
    return 0;
}

static int place_section(linker *l, const section *s)
{
    class kind = CLASS_RODATA;
    int status = classify(l, s, &kind);
    if (status) {
        return status;
    }
    if (s->address < l->base || s->address - l->base >= XEX_MAX_IMAGE) {
        return xex_fail(l->err, WEFT_XEX_E_FORMAT,
                        "ELF section %s (found address 0x%x, expected 0x%x and up to 256 MiB more)",
                        s->name, s->address, l->base);
    }
    uint32_t rva = s->address - l->base;
    status = grow(l, rva, s->size);
    if (status) {
        return status;
    }
    if (s->bytes) {
        memcpy(l->out->bytes + rva, s->bytes, s->size);
    }
    const char *name = class_info[kind].name;
    if (!strcmp(s->name, ".pdata")) {
        name = ".pdata";
        l->pdata_rva = rva;
        l->pdata_size = s->size;
    }
    status = mark_pages(l, kind, s->name, rva, rva + s->size);
    return status ? status : add_range(l, name, kind, rva, rva + s->size);
}

static int by_address(const void *a, const void *b)
{
    const section *x = *(const section *const *)a, *y = *(const section *const *)b;
    if (x->address != y->address) {
        return x->address < y->address ? -1 : 1;
    }
    return x < y ? -1 : x > y; /* both in one array: the order of the file */
}

static int place_sections(linker *l)
{
    const section **order = calloc(l->section_count + 1u, sizeof *order);
    uint32_t count = 0;
    int status = 0;
    if (!order) {
        return xex_fail(l->err, WEFT_XEX_E_MEMORY, "no memory for sections");
    }
    for (uint32_t i = 0; i < l->section_count; i++) {
        if (is_loaded(&l->sections[i])) {
            order[count++] = &l->sections[i];
        }
    }
    qsort(order, count, sizeof *order, by_address);
    for (uint32_t i = 0; i < count && !status; i++) {
        if (i && order[i - 1]->address + order[i - 1]->size > order[i]->address) {
            status = xex_fail(l->err, WEFT_XEX_E_FORMAT, "ELF sections %s and %s overlap at 0x%x",
                              order[i - 1]->name, order[i]->name, order[i]->address);
        } else {
            status = place_section(l, order[i]);
        }
    }
    if (!status && !count) {
        status = xex_fail(l->err, WEFT_XEX_E_FORMAT, "the ELF has nothing to load");
    }
    free(order);
    return status;
}

/* A new read-only page run behind everything else; *rva is where it begins. */
static int append_readonly(linker *l, uint32_t size, uint32_t *rva)
{
    *rva = l->room;
    int status = grow(l, *rva, size);
    return status ? status : mark_pages(l, CLASS_RODATA, "appended", *rva, *rva + size);
}

static int place_exports(linker *l)
{
    const weft_mkxex_options *o = l->options;
    uint32_t low = UINT32_MAX, high = 0, rva;
    if (!o->export_count) {
        return 0;
    }
    for (uint32_t i = 0; i < o->export_count; i++) {
        low = o->exports[i].ordinal < low ? o->exports[i].ordinal : low;
        high = o->exports[i].ordinal > high ? o->exports[i].ordinal : high;
    }
    if (high > 0xFFFF) {
        return xex_fail(l->err, WEFT_XEX_E_FORMAT, "export ordinal (found %u, expected 0 to 65535)",
                        high);
    }
    uint32_t size = XEX_EXPORT_ENTRIES + 4 * (high - low + 1);
    int status = append_readonly(l, size, &rva);
    if (!status) {
        status = add_range(l, ".edata", CLASS_RODATA, rva, rva + size);
    }
    if (status) {
        return status;
    }
    uint8_t *p = l->out->bytes + rva;
    put_be32(p, XEX_EXPORT_MAGIC_0);
    put_be32(p + 4, XEX_EXPORT_MAGIC_1);
    put_be32(p + 8, XEX_EXPORT_MAGIC_2);
    put_be32(p + XEX_EXPORT_BASE_16, l->base >> 16);
    put_be32(p + XEX_EXPORT_COUNT, high - low + 1);
    put_be32(p + XEX_EXPORT_ORDINAL, low);
    for (uint32_t i = 0; i < o->export_count; i++) {
        uint32_t address = 0;
        uint8_t *slot = p + XEX_EXPORT_ENTRIES + 4 * (size_t)(o->exports[i].ordinal - low);
        status = symbol_address(l, o->exports[i].symbol, &address);
        if (status) {
            return status;
        }
        if (be32(slot) || address <= l->base || address - l->base >= rva) {
            return xex_fail(l->err, WEFT_XEX_E_FORMAT,
                            "export %u=%s (found address 0x%x, expected one in the image and an "
                            "ordinal of its own)",
                            o->exports[i].ordinal, o->exports[i].symbol, address);
        }
        put_be32(slot, address - l->base);
    }
    l->out->spec.export_table = l->base + rva;
    return 0;
}

static int place_files(linker *l)
{
    const weft_mkxex_options *o = l->options;
    l->out->resources = calloc(o->file_count + 1u, sizeof *l->out->resources);
    if (!l->out->resources) {
        return xex_fail(l->err, WEFT_XEX_E_MEMORY, "no memory for resources");
    }
    for (uint32_t i = 0; i < o->file_count; i++) {
        const weft_mkxex_file *f = &o->files[i];
        weft_mkxex_resource *r = &l->out->resources[i];
        uint32_t rva;
        if (!f->name[0] || strlen(f->name) > 8 || !f->size) {
            return xex_fail(
                l->err, WEFT_XEX_E_FORMAT,
                "resource %s (found %zu characters and %u bytes, expected 1 to 8 and at "
                "least 1)",
                f->name, strlen(f->name), f->size);
        }
        int status = append_readonly(l, f->size, &rva);
        if (status) {
            return status;
        }
        memcpy(l->out->bytes + rva, f->bytes, f->size);
        memcpy(r->name, f->name, strlen(f->name));
        r->address = l->base + rva;
        r->size = f->size;
    }
    l->out->spec.resources = l->out->resources;
    l->out->spec.resource_count = o->file_count;
    return 0;
}

static int read_imports(linker *l)
{
    uint32_t total = 0, next = 0;
    for (uint32_t i = 0; i < l->section_count; i++) {
        const section *s = &l->sections[i];
        if (is_imports(s) && (s->size % IMPORT_SIZE || (s->size && !s->bytes))) {
            return xex_fail(l->err, WEFT_XEX_E_FORMAT,
                            "ELF section %s (found 0x%x bytes, expected records of 32)", s->name,
                            s->size);
        }
        total += is_imports(s) ? s->size / IMPORT_SIZE : 0;
    }
    l->out->imports = calloc(total + 1u, sizeof *l->out->imports);
    if (!l->out->imports) {
        return xex_fail(l->err, WEFT_XEX_E_MEMORY, "no memory for %u imports", total);
    }
    for (uint32_t i = 0; i < l->section_count; i++) {
        const section *s = &l->sections[i];
        for (uint32_t k = 0; is_imports(s) && k < s->size; k += IMPORT_SIZE) {
            weft_mkxex_import *m = &l->out->imports[next++];
            m->kind = be32(s->bytes + k);
            m->ordinal = be32(s->bytes + k + 4);
            m->record_address = be32(s->bytes + k + 8);
            m->thunk_address = be32(s->bytes + k + 12);
            memcpy(m->library, s->bytes + k + 16, sizeof m->library);
        }
    }
    l->out->spec.imports = l->out->imports;
    l->out->spec.import_count = total;
    return 0;
}

static void read_tls(linker *l)
{
    const section *data = find_section(l, ".tdata"), *bss = find_section(l, ".tbss");
    weft_mkxex_spec *spec = &l->out->spec;
    uint32_t data_size = data ? data->size : 0, bss_size = bss ? bss->size : 0;
    spec->has_tls = data_size || bss_size;
    if (!spec->has_tls) {
        return;
    }
    uint32_t start = data_size ? data->address : bss->address;
    spec->tls[0] = TLS_SLOTS;
    spec->tls[1] = data_size ? data->address : 0;
    spec->tls[2] = bss_size ? bss->address + bss_size - start : data_size;
    spec->tls[3] = data_size;
}

static void write_pe_section(uint8_t *p, const pe_range *r)
{
    strncpy((char *)p, r->name, 8); /* eight bytes, not terminated when full */
    put_le32(p + 8, r->end - r->start);
    put_le32(p + 12, r->start);
    if (r->kind != CLASS_BSS) {
        put_le32(p + 16, r->end - r->start);
        put_le32(p + 20, r->start); /* a flat image: where it is loaded is where it lies */
    }
    put_le32(p + 36, class_info[r->kind].flags);
}

static int write_pe_headers(linker *l)
{
    uint32_t end = PE_TABLE_AT + l->range_count * PE_SECTION_ENTRY;
    if (l->ranges[0].start < end) {
        return xex_fail(
            l->err, WEFT_XEX_E_FORMAT,
            "first section at 0x%x (expected room for 0x%x bytes of PE headers from the "
            "base 0x%x on)",
            l->base + l->ranges[0].start, end, l->base);
    }
    uint8_t *p = l->out->bytes;
    put_le16(p, PE_DOS_MAGIC);
    put_le32(p + PE_DOS_LFANEW, PE_NT_AT);
    p += PE_NT_AT;
    put_le32(p, PE_MAGIC);
    put_le16(p + 4, PE_MACHINE_POWERPCBE);
    put_le16(p + 6, l->range_count);
    put_le16(p + 20, PE_OPTIONAL_SIZE);
    put_le16(p + 22, PE_EXECUTABLE_32BIT);
    p += PE_OPTIONAL_HEADER;
    put_le16(p, PE_OPTIONAL_MAGIC);
    put_le32(p + 16, be32(l->elf + 24) - l->base);
    put_le32(p + 28, l->base);
    put_le32(p + 32, PAGE);
    put_le32(p + 36, 0x200);
    put_le32(p + 56, l->room);
    put_le32(p + 60, end);
    put_le16(p + 68, PE_SUBSYSTEM_XBOX);
    put_le32(p + 92, PE_DIRECTORY_COUNT);
    put_le32(p + 96 + 8 * PE_DIR_EXCEPTION, l->pdata_rva);
    put_le32(p + 100 + 8 * PE_DIR_EXCEPTION, l->pdata_size);
    for (uint32_t i = 0; i < l->range_count; i++) {
        write_pe_section(l->out->bytes + PE_TABLE_AT + (size_t)i * PE_SECTION_ENTRY, &l->ranges[i]);
    }
    return mark_pages(l, CLASS_RODATA, "headers", 0, end);
}

static int link_image(linker *l)
{
    int status = read_sections(l);
    status = status ? status : place_sections(l);
    status = status ? status : place_exports(l);
    status = status ? status : place_files(l);
    status = status ? status : read_imports(l);
    status = status ? status : write_pe_headers(l);
    if (status) {
        return status;
    }
    for (uint32_t i = 0; i < l->room / PAGE; i++) {
        uint8_t *kind = &l->out->page_kinds[i];
        *kind = *kind ? *kind : XEX_PAGE_READONLY; /* gaps */
    }
    uint32_t entry = be32(l->elf + 24);
    if (entry && (entry < l->base || entry - l->base >= l->used)) {
        return xex_fail(l->err, WEFT_XEX_E_FORMAT,
                        "ELF entry point (found 0x%x, expected an address in the image)", entry);
    }
    read_tls(l);
    weft_mkxex_spec *spec = &l->out->spec;
    spec->image = l->out->bytes;
    spec->image_size = l->room;
    spec->page_kinds = l->out->page_kinds;
    spec->base = l->base;
    spec->entry = entry;
    return 0;
}

int weft_mkxex_from_elf(const uint8_t *elf, size_t size, const weft_mkxex_options *options,
                        weft_mkxex_image *out, char *err)
{
    linker l = {
        .elf = elf,
        .elf_size = size,
        .options = options,
        .out = out,
        .base = options->base ? options->base : WEFT_MKXEX_BASE,
        .err = err,
    };
    memset(out, 0, sizeof *out);
    int status = link_image(&l);
    free(l.sections);
    if (status) {
        weft_mkxex_image_free(out);
    }
    return status;
}

void weft_mkxex_image_free(weft_mkxex_image *image)
{
    free(image->bytes);
    free(image->page_kinds);
    free(image->imports);
    free(image->resources);
    memset(image, 0, sizeof *image);
}
