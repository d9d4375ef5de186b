/*
 * The PE headers at the start of a decoded XEX image. The image is flat: an RVA is an offset into
 * it, so raw file pointers are reported but never followed. Source: Microsoft's PE/COFF
 * specification; xenia src/xenia/cpu/xex_module.cc (ReadPEHeaders) for what the console expects.
 */
#ifndef WEFT_PE_H
#define WEFT_PE_H

#include <stddef.h>
#include <stdint.h>

typedef struct weft_pe_section {
    char name[9];
    uint32_t rva;
    uint32_t virtual_size;
    uint32_t raw_pointer; /* in the linker's file, not in this image */
    uint32_t raw_size;
    uint32_t flags; /* PE_SCN_* of xex_layout.h */
    /*
     * How many bytes from rva on lie inside the image. .idata, .XBLD and .reloc of real titles lie
     * at or past its end, or under resources: 0 or less than virtual_size is no error.
     */
    uint32_t present;
} weft_pe_section;

typedef struct weft_pe {
    uint16_t machine;
    uint16_t characteristics;
    uint16_t subsystem;
    uint32_t timestamp;
    uint32_t entry_rva;
    uint32_t image_base;
    uint32_t section_alignment;
    uint32_t file_alignment;
    uint32_t image_size; /* SizeOfImage; the XEX image may be larger */
    uint32_t headers_size;
    uint32_t stack_reserve;
    uint32_t stack_commit;
    uint32_t heap_reserve;
    uint32_t heap_commit;
    struct {
        uint32_t rva;
        uint32_t size;
    } directories[16]; /* as in the file, unchecked; see weft_pe_directory */
    uint32_t section_count;
    weft_pe_section sections[96];
} weft_pe;

/*
 * Parses the headers of image[0..size). Copies everything; image may go away afterwards. Returns 0
 * or WEFT_XEX_E_FORMAT with one sentence in err (256 bytes or NULL). [any]
 */
int weft_pe_parse(const uint8_t *image, size_t size, weft_pe *out, char *err);

/*
 * Where data directory `index` lies: 0 and its rva and size if it is present and whole inside
 * image_size bytes, else WEFT_XEX_E_NOT_FOUND. Index 3 is .pdata, 0 the export directory. [any]
 */
int weft_pe_directory(const weft_pe *pe, uint32_t index, size_t image_size, uint32_t *rva,
                      uint32_t *size);

/* The section of that name, or NULL. Lives as long as pe. [any] */
const weft_pe_section *weft_pe_section_find(const weft_pe *pe, const char *name);

/*
 * What an export directory lists. name points into the image, NUL-terminated there, or is NULL for
 * an export by ordinal alone.
 */
typedef struct weft_pe_export {
    uint32_t ordinal;
    uint32_t rva;
    const char *name;
} weft_pe_export;

/*
 * Reads the export directory at `rva`. Its three tables and its names are relative to `origin`: 0
 * for a PE data directory, rva itself for the directory of the XEX header EXPORTS_BY_NAME (xenia
 * src/xenia/cpu/xex_module.cc, GetProcAddress). *out is malloc'ed, *count long, in order of
 * ordinals; the caller frees it. Holes (rva 0) are left out. Returns 0 or a negative status. [any]
 */
int weft_pe_exports(const uint8_t *image, size_t size, uint32_t rva, uint32_t origin,
                    weft_pe_export **out, uint32_t *count, char *err);

#endif
