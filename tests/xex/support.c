#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xex_bytes.h"

/* Offsets are those of Microsoft's PE/COFF specification, PE32 with 16 directories. */
void make_image(uint8_t image[IMAGE_SIZE])
{
    memset(image, 0, IMAGE_SIZE);
    memcpy(image, "MZ", 2);
    put_le32(image + 0x3C, 0x80);
    uint8_t *nt = image + 0x80;
    memcpy(nt, "PE\0\0", 4);
    put_le16(nt + 4, 0x1F2);
    put_le16(nt + 6, 2);
    put_le32(nt + 8, 0x12345678);
    put_le16(nt + 20, 0xE0);
    put_le16(nt + 22, 0x0102);
    uint8_t *optional = nt + 24;
    put_le16(optional, 0x10B);
    put_le32(optional + 16, 0x1000);
    put_le32(optional + 28, IMAGE_BASE);
    put_le32(optional + 32, 0x1000);
    put_le32(optional + 36, 0x200);
    put_le32(optional + 56, IMAGE_SIZE);
    put_le32(optional + 60, 0x400);
    put_le16(optional + 68, 14);
    put_le32(optional + 72, 0x40000);
    put_le32(optional + 92, 16);
    uint8_t *section = optional + 0xE0;
    memcpy(section, ".text", 5);
    put_le32(section + 8, 0x800);
    put_le32(section + 12, 0x1000);
    put_le32(section + 16, 0x800);
    put_le32(section + 20, 0x600);
    put_le32(section + 36, 0x60000020);
    section += 40;
    memcpy(section, ".data", 5);
    put_le32(section + 8, 0x1800);
    put_le32(section + 12, 0x2000);
    put_le32(section + 36, 0xC0000040);
    for (uint32_t i = 0; i < 0x400; i += 4) {
        put_be32(image + 0x1000 + i, 0x38600000u + i * 7); /* li r3, ... */
    }
    memcpy(image + 0x2800, "data that is not zero", 21);
}

weft_mkxex_spec make_spec(const uint8_t image[IMAGE_SIZE])
{
    return (weft_mkxex_spec){
        .image = image,
        .image_size = IMAGE_SIZE,
        .base = IMAGE_BASE,
        .entry = IMAGE_BASE + 0x1000,
        .small_pages = true,
        .header_align = 16,
    };
}

test_file file_make(const weft_mkxex_spec *spec)
{
    test_file file = {0};
    char err[256] = "";
    if (weft_mkxex_write(spec, &file.bytes, &file.size, err) ||
        weft_xex_open(file.bytes, file.size, &file.xex, err)) {
        fprintf(stderr, "file_make: %s\n", err);
        abort();
    }
    return file;
}

void file_close(test_file *file)
{
    weft_xex_close(file->xex);
    free(file->bytes);
}

uint32_t random_next(uint32_t *state)
{
    uint32_t x = *state ? *state : 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* ELF32: 52 bytes of file header, 40 per section header, 16 per symbol (System V ABI). */
void elf_start(test_elf *elf, uint32_t entry)
{
    memset(elf, 0, sizeof *elf);
    elf->size = 52;
    elf->count = 1; /* section 0 is empty */
    elf->names_size = 1;
    elf->entry = entry;
}

uint32_t elf_section(test_elf *elf, const char *name, uint32_t type, uint32_t flags,
                     uint32_t address, const void *bytes, uint32_t size)
{
    uint32_t i = elf->count++;
    elf->sections[i].name = elf->names_size;
    memcpy(elf->names + elf->names_size, name, strlen(name) + 1);
    elf->names_size += (uint32_t)strlen(name) + 1;
    elf->sections[i].type = type;
    elf->sections[i].flags = flags;
    elf->sections[i].address = address;
    elf->sections[i].offset = elf->size;
    elf->sections[i].size = size;
    if (type != 8) {
        if (bytes) {
            memcpy(elf->bytes + elf->size, bytes, size);
        }
        elf->size += (size + 3) & ~3u;
    }
    return i;
}

void elf_symbol(test_elf *elf, const char *name, uint32_t address)
{
    char strings[64] = "";
    uint8_t table[32] = {0};
    snprintf(strings + 1, sizeof strings - 1, "%s", name);
    uint32_t link = elf_section(elf, ".strtab", 3, 0, 0, strings, sizeof strings);
    put_be32(table + 16, 1);
    put_be32(table + 20, address);
    table[28] = 0x12; /* global function */
    put_be16(table + 30, 1);
    uint32_t symtab = elf_section(elf, ".symtab", 2, 0, 0, table, sizeof table);
    elf->sections[symtab].link = link;
}

uint32_t elf_finish(test_elf *elf)
{
    static const uint8_t ident[7] = {0x7F, 'E', 'L', 'F', 1, 2, 1};
    uint32_t names = elf_section(elf, ".shstrtab", 3, 0, 0, NULL, sizeof elf->names);
    memcpy(elf->bytes + elf->sections[names].offset, elf->names, sizeof elf->names);
    memcpy(elf->bytes, ident, sizeof ident);
    put_be16(elf->bytes + 16, 2);
    put_be16(elf->bytes + 18, 20);
    put_be32(elf->bytes + 20, 1);
    put_be32(elf->bytes + 24, elf->entry);
    put_be32(elf->bytes + 32, elf->size);
    put_be16(elf->bytes + 40, 52);
    put_be16(elf->bytes + 46, 40);
    put_be16(elf->bytes + 48, elf->count);
    put_be16(elf->bytes + 50, names);
    for (uint32_t i = 0; i < elf->count; i++, elf->size += 40) {
        uint8_t *h = elf->bytes + elf->size;
        put_be32(h, elf->sections[i].name);
        put_be32(h + 4, elf->sections[i].type);
        put_be32(h + 8, elf->sections[i].flags);
        put_be32(h + 12, elf->sections[i].address);
        put_be32(h + 16, elf->sections[i].offset);
        put_be32(h + 20, elf->sections[i].size);
        put_be32(h + 24, elf->sections[i].link);
    }
    return elf->size;
}

void elf_import(uint8_t record[32], uint32_t kind, uint32_t ordinal, uint32_t record_address,
                uint32_t thunk_address, const char *library)
{
    memset(record, 0, 32);
    put_be32(record, kind);
    put_be32(record + 4, ordinal);
    put_be32(record + 8, record_address);
    put_be32(record + 12, thunk_address);
    memcpy(record + 16, library, strnlen(library, 16));
}
