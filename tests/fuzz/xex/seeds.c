#include "seeds.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lzx.h"
#include "support.h"
#include "xex_bytes.h"
#include "xex_layout.h"

#define PAGE      0x1000u
#define SHORT     0x800u /* what uncompressed seeds keep of their page */
#define AT(rva)   (IMAGE_BASE + (rva))
#define TABLE     0x640u
#define DIRECTORY 0x680u

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

static const weft_mkxex_import imports[] = {
    {"xam.xex", 1, 0x2DC, AT(0x600), AT(0x610)},
    {"xboxkrnl.exe", 1, 3, AT(0x604), AT(0x620)},
    {"xboxkrnl.exe", 0, 0x193, AT(0x608), 0},
};

static const weft_mkxex_resource resources[] = {{"icon", AT(0x700), 16}, {"58410800", AT(0), 64}};

static const uint8_t lan_key[16] = {1, 2, 3};
static const uint8_t checksum[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t heap[4] = {0, 1, 0, 0};
static const uint8_t exports_named[8] = {0, 0, 6, 0x80, 0, 0, 0, 0x80};
static const uint8_t libraries[36] = {0, 0, 0, 36, 'D', '3', 'D', '9'};
static const weft_mkxex_header headers[] = {
    {XEX_KEY_LAN_KEY, lan_key, 16},       {XEX_KEY_CHECKSUM_TIME, checksum, 8},
    {XEX_KEY_HEAP_SIZE, heap, 4},         {XEX_KEY_EXPORTS_NAMED, exports_named, 8},
    {XEX_KEY_STATIC_LIBS, libraries, 36},
};

typedef struct form {
    unsigned compression, encryption, block_type;
    bool rich; /* with imports, exports, resources, TLS and further headers */
    uint32_t window, e8_size;
} form;

static const form forms[] = {
    {WEFT_MKXEX_LZX, WEFT_MKXEX_PLAIN, 0, true, 0, 0},
    {WEFT_MKXEX_LZX, WEFT_MKXEX_PLAIN, WEFT_LZX_VERBATIM, false, 0, 0},
    {WEFT_MKXEX_LZX, WEFT_MKXEX_PLAIN, WEFT_LZX_ALIGNED_BLOCK, false, 0x200000, 0},
    {WEFT_MKXEX_LZX, WEFT_MKXEX_PLAIN, WEFT_LZX_UNCOMPRESSED, false, 0, 0x1000},
    {WEFT_MKXEX_LZX, WEFT_MKXEX_PLAIN, WEFT_LZX_ALIGNED_BLOCK, true, 0, 0x1000},
    {WEFT_MKXEX_LZX, WEFT_MKXEX_DEVKIT, 0, true, 0, 0},
    {WEFT_MKXEX_LZX, WEFT_MKXEX_RETAIL, 0, false, 0, 0},
    {WEFT_MKXEX_NONE, WEFT_MKXEX_PLAIN, 0, true, 0, 0},
    {WEFT_MKXEX_NONE, WEFT_MKXEX_DEVKIT, 0, false, 0, 0},
    {WEFT_MKXEX_NONE, WEFT_MKXEX_RETAIL, 0, true, 0, 0},
    {WEFT_MKXEX_BASIC, WEFT_MKXEX_PLAIN, 0, true, 0, 0},
    {WEFT_MKXEX_BASIC, WEFT_MKXEX_DEVKIT, 0, false, 0, 0},
};

/* One page of image, with an export table by ordinal and an export directory of its own. */
static void make_page(uint8_t page[PAGE], uint32_t origin)
{
    static const uint32_t table[] = {XEX_EXPORT_MAGIC_0,
                                     XEX_EXPORT_MAGIC_1,
                                     XEX_EXPORT_MAGIC_2,
                                     0,
                                     0,
                                     0,
                                     0,
                                     0,
                                     IMAGE_BASE >> 16,
                                     2,
                                     10,
                                     0x500,
                                     0x520};
    uint8_t image[IMAGE_SIZE];
    uint8_t *d = page + DIRECTORY;
    make_image(image);
    memcpy(page, image, 0x400);
    memset(page + 0x400, 0, PAGE - 0x400);
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        put_be32(page + TABLE + 4 * i, table[i]);
    }
    put_le32(d + 16, 11);
    put_le32(d + 20, 2);
    put_le32(d + 24, 1);
    put_le32(d + 28, DIRECTORY + 0x30 - origin);
    put_le32(d + 32, DIRECTORY + 0x40 - origin);
    put_le32(d + 36, DIRECTORY + 0x44 - origin);
    put_le32(d + 0x30, 0x540);
    put_le32(d + 0x34, 0x560);
    put_le32(d + 0x40, DIRECTORY + 0x50 - origin);
    memcpy(d + 0x50, "named", 6);
    put_le32(page + 0x80 + 24 + 96, origin ? 0 : DIRECTORY);
    put_le32(page + 0x80 + 24 + 100, origin ? 0 : 0x80);
    put_le32(page + 0x80 + 24 + 96 + 24, 0x700); /* .pdata */
    put_le32(page + 0x80 + 24 + 100 + 24, 0x40);
    for (uint32_t i = 0x700; i < 0xD00; i++) {
        page[i] = (uint8_t)(i % 7 ? i % 16 : 0xE8);
    }
    for (uint32_t i = 0x800; i < 0x980; i++) {
        page[i] = page[i - 0x111];
    }
}

unsigned xex_seed_count(void)
{
    return sizeof forms / sizeof forms[0];
}

/* Uncompressed pages are cut so that the file stays small; their digests then do not match. */
static void shorten(uint8_t *bytes, size_t *size, unsigned compression)
{
    weft_xex *xex;
    if (compression == WEFT_MKXEX_LZX || weft_xex_open(bytes, *size, &xex, NULL)) {
        return;
    }
    put_be32(bytes + xex->security.offset + XEX_SEC_IMAGE_SIZE, SHORT);
    if (xex->format.block_count) {
        put_be32(bytes + (xex->format.blocks - bytes), SHORT - 0x100);
        put_be32(bytes + (xex->format.blocks - bytes) + 4, 0x100);
    }
    *size = xex->header_size + SHORT;
    weft_xex_close(xex);
}

uint8_t *xex_seed_make(unsigned index, size_t *size)
{
    const form *f = &forms[index % xex_seed_count()];
    uint8_t page[PAGE], *bytes = NULL;
    make_page(page, index % 2 ? 0 : DIRECTORY);
    weft_mkxex_spec spec = {
        .image = page,
        .image_size = PAGE,
        .base = IMAGE_BASE,
        .entry = AT(0x500),
        .small_pages = true,
        .header_align = 16,
        .compression = f->compression,
        .encryption = f->encryption,
        .lzx = {f->window ? f->window : 0x8000, 0x500, f->block_type, f->e8_size},
    };
    if (f->rich) {
        spec.name = "seed.exe";
        spec.system_flags = 0x10;
        spec.has_title_id = true;
        spec.has_tls = true;
        spec.tls[0] = 64;
        spec.export_table = AT(TABLE);
        spec.imports = imports;
        spec.import_count = sizeof imports / sizeof imports[0];
        spec.resources = resources;
        spec.resource_count = 2;
        spec.headers = headers;
        spec.header_count = sizeof headers / sizeof headers[0];
    }
    if (weft_mkxex_write(&spec, &bytes, size, NULL)) {
        abort();
    }
    shorten(bytes, size, f->compression);
    return bytes;
}

unsigned pe_seed_count(void)
{
    return 2;
}

uint8_t *pe_seed_make(unsigned index, size_t *size)
{
    uint8_t page[PAGE], *bytes = malloc(SHORT);
    make_page(page, index % 2 ? DIRECTORY : 0);
    memcpy(bytes, page, SHORT);
    *size = SHORT;
    return bytes;
}

static const uint32_t interesting[] = {
    0,     1,          3,     4,          0x17,       0x18,       0x28,      0x7F,
    0x80,  0xFF,       0x100, 0x1000,     0x8000,     0xFFFF,     0x10000,   0x10101,
    0x1FF, 0x82000000, AT(4), 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF};

size_t xex_mutate(uint8_t *data, size_t size, size_t room, uint32_t seed,
                  uint8_t *(*make)(unsigned, size_t *), unsigned count)
{
    uint32_t state = seed * 2654435761u + 1;
    uint32_t choice = random_next(&state) % 64;
    if (size < 64 || choice == 0) {
        size_t seed_size;
        uint8_t *bytes = make(random_next(&state) % count, &seed_size);
        if (seed_size <= room) {
            memcpy(data, bytes, seed_size);
            size = seed_size;
        }
        free(bytes);
        return size;
    }
    if (choice < 24) { /* a word, more often in the headers */
        size_t limit = choice < 16 && size > 0x400 ? 0x400 : size;
        size_t at = random_next(&state) % (limit / 4) * 4;
        uint32_t value = interesting[random_next(&state) % (sizeof interesting / 4)];
        if (choice % 4 == 0) {
            value = be32(data + at) + random_next(&state) % 33 - 16;
        }
        (choice % 2 ? put_be32 : put_le32)(data + at, value);
        return size;
    }
    if (choice < 44) {
        data[random_next(&state) % size] ^= (uint8_t)(1u << random_next(&state) % 8);
        return size;
    }
    return LLVMFuzzerMutate(data, size, room);
}
