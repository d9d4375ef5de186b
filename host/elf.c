/* elf.c: laying out a shared object's segments and data relocations (System V ABI, gABI 4.1
 * chapters 4 and 5; the relocation numbers are those of the psABI of each machine). */
#include "elf.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#if defined(__x86_64__)
#define MACHINE        EM_X86_64
#define RELOC_RELATIVE R_X86_64_RELATIVE
#define RELOC_ABSOLUTE R_X86_64_64
#elif defined(__aarch64__)
#define MACHINE        EM_AARCH64
#define RELOC_RELATIVE R_AARCH64_RELATIVE
#define RELOC_ABSOLUTE R_AARCH64_ABS64
#else
#error "elf.c: name the relocations of this machine"
#endif

#define FILE_LIMIT  (256u << 20)
#define IMAGE_LIMIT (256u << 20)
#define RELR_TAG    36 /* DT_RELR, DT_RELRSZ 35: packed relative relocations (gABI 2022 draft) */
#define RELRSZ_TAG  35

/* What an undefined symbol's address reads as: not NULL, and inside no image. */
#define ELSEWHERE UINT64_MAX

static int inside(size_t length, uint64_t at, uint64_t bytes)
{
    return at <= length && bytes <= length - at;
}

int elf_holds(const elf_image *image, const void *p, size_t length)
{
    uintptr_t at = (uintptr_t)p, start = (uintptr_t)image->bytes;
    return at >= start && inside(image->length, at - start, length);
}

const char *elf_text(const elf_image *image, const char *text)
{
    if (!elf_holds(image, text, 1)) {
        return NULL;
    }
    size_t room = image->length - (size_t)((const uint8_t *)text - image->bytes);
    return memchr(text, 0, room) ? text : NULL;
}

static int lay_out(elf_image *image, const char *file, size_t length, char *why, size_t room)
{
    Elf64_Ehdr head;
    memcpy(&head, file, sizeof head);
    if (head.e_phentsize != sizeof(Elf64_Phdr) ||
        !inside(length, head.e_phoff, (uint64_t)head.e_phnum * sizeof(Elf64_Phdr))) {
        snprintf(why, room, "program headers lie past the end (found %zu bytes, expected more)",
                 length);
        return -1;
    }
    uint64_t end = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < head.e_phnum; i++) {
            Elf64_Phdr p;
            memcpy(&p, file + head.e_phoff + i * sizeof p, sizeof p);
            if (p.p_type != PT_LOAD) {
                continue;
            }
            if (!inside(length, p.p_offset, p.p_filesz) || p.p_filesz > p.p_memsz ||
                !inside(IMAGE_LIMIT, p.p_vaddr, p.p_memsz)) {
                snprintf(why, room,
                         "file is cut off or damaged (found %zu bytes, expected segment %u whole)",
                         length, i);
                return -1;
            }
            if (pass == 1) {
                memcpy(image->bytes + p.p_vaddr, file + p.p_offset, p.p_filesz);
            } else if (p.p_vaddr + p.p_memsz > end) {
                end = p.p_vaddr + p.p_memsz;
            }
        }
        if (pass == 0) {
            image->length = end;
            image->bytes = text_need(end + 1);
        }
    }
    return 0;
}

static uint64_t word_at(const elf_image *image, uint64_t at)
{
    uint64_t word;
    memcpy(&word, image->bytes + at, sizeof word);
    return word;
}

static void add_base(elf_image *image, uint64_t at, uint64_t value)
{
    if (inside(image->length, at, 8)) {
        value += (uintptr_t)image->bytes;
        memcpy(image->bytes + at, &value, sizeof value);
    }
}

static void relocate(elf_image *image, uint64_t table, uint64_t bytes)
{
    if (!inside(image->length, table, bytes)) {
        return; /* unrelocated pointers lie outside the image, and are refused there */
    }
    for (uint64_t i = 0; i + sizeof(Elf64_Rela) <= bytes; i += sizeof(Elf64_Rela)) {
        Elf64_Rela r;
        memcpy(&r, image->bytes + table + i, sizeof r);
        if (ELF64_R_TYPE(r.r_info) == RELOC_RELATIVE) {
            add_base(image, r.r_offset, (uint64_t)r.r_addend);
        } else if (ELF64_R_TYPE(r.r_info) == RELOC_ABSOLUTE &&
                   inside(image->length, r.r_offset, 8)) {
            Elf64_Sym symbol = {0};
            uint64_t at = image->symbols + ELF64_R_SYM(r.r_info) * sizeof symbol;
            if (inside(image->length, at, sizeof symbol)) {
                memcpy(&symbol, image->bytes + at, sizeof symbol);
            }
            if (symbol.st_shndx != SHN_UNDEF) {
                add_base(image, r.r_offset, symbol.st_value + (uint64_t)r.r_addend);
            } else {
                uint64_t elsewhere = ELSEWHERE;
                memcpy(image->bytes + r.r_offset, &elsewhere, sizeof elsewhere);
            }
        }
    }
}

/* Packed form: an even word is an address to relocate; an odd one a bitmap of the 63 words behind.
 */
static void relocate_packed(elf_image *image, uint64_t table, uint64_t bytes)
{
    if (!inside(image->length, table, bytes)) {
        return;
    }
    uint64_t at = 0;
    for (uint64_t i = 0; i + 8 <= bytes; i += 8) {
        uint64_t entry = word_at(image, table + i);
        if ((entry & 1) == 0) {
            if (inside(image->length, entry, 8)) {
                add_base(image, entry, word_at(image, entry));
            }
            at = entry + 8;
            continue;
        }
        for (uint64_t bit = 1; bit < 64; bit++) {
            uint64_t where = at + (bit - 1) * 8;
            if ((entry >> bit & 1) && inside(image->length, where, 8)) {
                add_base(image, where, word_at(image, where));
            }
        }
        at += 63 * 8;
    }
}

/* The number of dynamic symbols is written nowhere but in the hash tables. */
static size_t count_symbols(const elf_image *image, uint64_t hash, uint64_t gnu)
{
    uint32_t head[4];
    if (hash && inside(image->length, hash, 8)) {
        memcpy(head, image->bytes + hash, 8);
        return head[1];
    }
    if (!gnu || !inside(image->length, gnu, sizeof head)) {
        return 0;
    }
    memcpy(head, image->bytes + gnu, sizeof head); /* buckets, first symbol, bloom words, shift */
    uint64_t buckets = gnu + sizeof head + (uint64_t)head[2] * 8;
    uint64_t chains = buckets + (uint64_t)head[0] * 4;
    uint32_t last = 0, value;
    for (uint32_t i = 0; i < head[0] && inside(image->length, buckets + i * 4ull, 4); i++) {
        memcpy(&value, image->bytes + buckets + i * 4ull, 4);
        last = value > last ? value : last;
    }
    if (last < head[1]) {
        return last;
    }
    for (uint64_t at = chains + (uint64_t)(last - head[1]) * 4; inside(image->length, at, 4);
         at += 4) {
        memcpy(&value, image->bytes + at, 4);
        last++;
        if (value & 1) { /* the end of a chain */
            break;
        }
    }
    return last;
}

static int read_dynamic(elf_image *image, const char *file, char *why, size_t room)
{
    Elf64_Ehdr head;
    memcpy(&head, file, sizeof head);
    uint64_t value[64] = {0}; /* by tag, for the tags below 64 */
    uint64_t gnu = 0;
    int found = 0;
    for (uint32_t i = 0; i < head.e_phnum; i++) {
        Elf64_Phdr p;
        memcpy(&p, file + head.e_phoff + i * sizeof p, sizeof p);
        if (p.p_type != PT_DYNAMIC || !inside(image->length, p.p_vaddr, p.p_memsz)) {
            continue;
        }
        found = 1;
        for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= p.p_memsz; at += sizeof(Elf64_Dyn)) {
            Elf64_Dyn entry;
            memcpy(&entry, image->bytes + p.p_vaddr + at, sizeof entry);
            if (entry.d_tag == DT_NULL) {
                break;
            }
            if (entry.d_tag > 0 && entry.d_tag < 64) {
                value[entry.d_tag] = entry.d_un.d_val;
            } else if (entry.d_tag == DT_GNU_HASH) {
                gnu = entry.d_un.d_val;
            }
        }
    }
    if (!found || !value[DT_SYMTAB] || !value[DT_STRTAB] ||
        !inside(image->length, value[DT_STRTAB], value[DT_STRSZ])) {
        snprintf(why, room, "file has no dynamic symbols (found none, expected weft_plugin)");
        return -1;
    }
    image->symbols = value[DT_SYMTAB];
    image->strings = value[DT_STRTAB];
    image->strings_size = value[DT_STRSZ];
    image->symbol_count = count_symbols(image, value[DT_HASH], gnu);
    relocate(image, value[DT_RELA], value[DT_RELASZ]);
    relocate_packed(image, value[RELR_TAG], value[RELRSZ_TAG]);
    return 0;
}

int elf_read(elf_image *image, const char *path, char *why, size_t room)
{
    *image = (elf_image){0};
    size_t length;
    char *file = text_read_file(path, FILE_LIMIT, &length);
    if (!file) {
        snprintf(why, room, "plugin cannot be read (found: %s, expected a shared object)",
                 strerror(errno));
        return -1;
    }
    int failed = -1;
    Elf64_Ehdr head = {0};
    memcpy(&head, file, length < sizeof head ? length : sizeof head);
    if (length < SELFMAG || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) {
        snprintf(why, room, "file is no shared object (found no ELF header, expected one)");
    } else if (length < sizeof head) {
        snprintf(why, room, "file is cut off or damaged (found %zu bytes, expected an ELF header)",
                 length);
    } else if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB ||
               head.e_machine != MACHINE) {
        snprintf(why, room, "file is for another machine (found ELF machine %u, expected %u)",
                 head.e_machine, MACHINE);
    } else if (head.e_type != ET_DYN) {
        snprintf(why, room, "file is no shared object (found ELF type %u, expected %u)",
                 head.e_type, ET_DYN);
    } else {
        failed =
            lay_out(image, file, length, why, room) ? -1 : read_dynamic(image, file, why, room);
    }
    free(file);
    if (failed) {
        elf_free(image);
    }
    return failed;
}

const void *elf_symbol(const elf_image *image, const char *name, size_t *size)
{
    size_t length = strlen(name) + 1;
    for (size_t i = 0; i < image->symbol_count; i++) {
        Elf64_Sym symbol;
        uint64_t at = image->symbols + i * sizeof symbol;
        if (!inside(image->length, at, sizeof symbol)) {
            break;
        }
        memcpy(&symbol, image->bytes + at, sizeof symbol);
        if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT ||
            ELF64_ST_BIND(symbol.st_info) == STB_LOCAL ||
            !inside(image->strings_size, symbol.st_name, length) ||
            memcmp(image->bytes + image->strings + symbol.st_name, name, length) != 0) {
            continue;
        }
        if (inside(image->length, symbol.st_value, symbol.st_size)) {
            *size = symbol.st_size;
            return image->bytes + symbol.st_value;
        }
    }
    return NULL;
}

void elf_free(elf_image *image)
{
    free(image->bytes);
    *image = (elf_image){0};
}
