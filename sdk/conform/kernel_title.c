/* kernel_title.c: titles of the kit's own. Small XEX2 files with nothing encrypted and one block of "basic"
 * compression, as Free60Project's wiki and xenia's xex2_info.h describe them; all digests are right. */
#include <string.h>

#include "kernel_kit.h"

/* ---- SHA-1 (FIPS 180-4, 6.1) ------------------------------------------------------------------- */

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static void sha1_block(uint32_t h[5], const uint8_t *block)
{
    uint32_t w[80], v[5];
    for (int i = 0; i < 80; i++) {
        w[i] = i < 16 ? weft_load32(block + 4 * i)
                      : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 80; i++) {
        static const uint32_t constants[] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
        uint32_t b = v[1], c = v[2], d = v[3];
        uint32_t f = i < 20        ? (b & c) | (~b & d)
                     : i / 20 == 2 ? (b & c) | (b & d) | (c & d)
                                   : b ^ c ^ d;
        uint32_t next = rotate(v[0], 5) + f + v[4] + constants[i / 20] + w[i];
        v[4] = d;
        v[3] = c;
        v[2] = rotate(b, 30);
        v[1] = v[0];
        v[0] = next;
    }
    for (int i = 0; i < 5; i++) {
        h[i] += v[i];
    }
}

/* Of two pieces that follow each other. */
static void sha1(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t out[20])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t block[64];
    size_t size = a_size + b_size, used = 0;
    for (size_t i = 0; i < size; i++) {
        block[used++] = i < a_size ? a[i] : b[i - a_size];
        if (used == sizeof block) {
            sha1_block(h, block);
            used = 0;
        }
    }
    block[used++] = 0x80;
    if (used > 56) {
        memset(block + used, 0, sizeof block - used);
        sha1_block(h, block);
        used = 0;
    }
    memset(block + used, 0, 56 - used);
    weft_store64(block + 56, (uint64_t)size * 8);
    sha1_block(h, block);
    for (int i = 0; i < 5; i++) {
        weft_store32(out + 4 * i, h[i]);
    }
}

/* ---- code -------------------------------------------------------------------------------------- */

#define THUNKS  UINT32_C(0x1000) /* offsets in the image */
#define RECORDS UINT32_C(0x1800)
#define CODE    (KIT_ENTRY - KIT_BASE)
#define SECOND  UINT32_C(0x3000)  /* the second thread's code */
#define DATA    UINT32_C(0x10000) /* words that a title may write; two events, a critical section */
#define EVENT_A (DATA + 0x100)
#define EVENT_B (DATA + 0x120)
#define SECTION (DATA + 0x140)

enum { TLS_ALLOC, NOBODY, WAIT, CREATE_THREAD, SET_EVENT, ENTER, LEAVE, INITIALIZE, IMPORTS };

/* xboxkrnl's (xenia src/xenia/kernel/xboxkrnl/xboxkrnl_table.inc); the second is in no table. */
static const uint16_t ordinals[IMPORTS] = {
    [TLS_ALLOC] = 0x152, [NOBODY] = 0x3FE, [WAIT] = 0x0B0,  [CREATE_THREAD] = 0x00D,
    [SET_EVENT] = 0x09D, [ENTER] = 0x125,  [LEAVE] = 0x130, [INITIALIZE] = 0x12E,
};

#define MFLR_R31  UINT32_C(0x7FE802A6)
#define MTLR_R31  UINT32_C(0x7FE803A6)
#define BLR       UINT32_C(0x4E800020)
#define MTCTR_R11 UINT32_C(0x7D6903A6)
#define BCTR      UINT32_C(0x4E800420)
#define SC        UINT32_C(0x44000002)
#define TRAP      UINT32_C(0x7FE00008) /* tw 31,r0,r0 */

typedef struct writer {
    uint8_t *image;
    uint32_t at;
} writer;

static void word(writer *w, uint32_t value)
{
    weft_store32(w->image + w->at, value);
    w->at += 4;
}

/* r = value, in two instructions. */
static void set(writer *w, uint32_t r, uint32_t value)
{
    word(w, 15u << 26 | r << 21 | value >> 16);
    word(w, 24u << 26 | r << 21 | r << 16 | (value & 0xFFFF));
}

static void call(writer *w, uint32_t import)
{
    word(w, 18u << 26 | ((THUNKS + 16 * import - w->at) & 0x3FFFFFC) | 1);
}

static void call_with(writer *w, uint32_t import, uint32_t r3, uint32_t r4)
{
    set(w, 3, r3);
    set(w, 4, r4);
    for (uint32_t r = 5; r < 11; r++) {
        set(w, r, 0);
    }
    call(w, import);
}

static void give_back(writer *w, uint32_t value)
{
    set(w, 3, value);
    word(w, MTLR_R31);
    word(w, BLR);
}

/* The critical section once, then `mine` is set and `other` waited for. */
static void meet(writer *w, uint32_t mine, uint32_t other)
{
    call_with(w, ENTER, KIT_BASE + SECTION, 0);
    call_with(w, LEAVE, KIT_BASE + SECTION, 0);
    call_with(w, SET_EVENT, KIT_BASE + mine, 0);
    call_with(w, WAIT, KIT_BASE + other, 3);
}

static void two_threads(writer *w)
{
    call_with(w, INITIALIZE, KIT_BASE + SECTION, 0);
    set(w, 3, KIT_BASE + DATA); /* handle, stack, id, startup, start, context, flags */
    set(w, 4, 0x4000);
    set(w, 5, KIT_BASE + DATA + 4);
    set(w, 6, 0);
    set(w, 7, KIT_BASE + SECOND);
    set(w, 8, 7);
    set(w, 9, 0);
    call(w, CREATE_THREAD);
    for (int i = 0; i < 4; i++) {
        meet(w, EVENT_A, EVENT_B);
    }
    give_back(w, 0);
    w->at = SECOND;
    word(w, MFLR_R31);
    for (int i = 0; i < 4; i++) {
        meet(w, EVENT_B, EVENT_A);
    }
    give_back(w, 0);
}

static void write_code(writer *w, kit_program program)
{
    static const uint32_t odd[] = {0x10, 0xFFFFFFFC, 0x82000001, 0x7FC80000, 0xFFFFFFFF};
    w->at = CODE;
    word(w, MFLR_R31); /* nobody's register but this title's */
    switch (program) {
    case KIT_CALLS:
        for (int i = 0; i < KIT_CALL_COUNT; i++) {
            call(w, TLS_ALLOC);
        }
        give_back(w, KIT_EXIT_CODE);
        break;
    case KIT_SPINS:
        word(w, 18u << 26); /* b . */
        break;
    case KIT_UNKNOWN:
        call(w, NOBODY);
        call(w, NOBODY);
        give_back(w, 0);
        break;
    case KIT_WAITS:
        call_with(w, WAIT, KIT_BASE + EVENT_A, 3);
        give_back(w, 0);
        break;
    case KIT_THREADS:
        two_threads(w);
        break;
    case KIT_STORES:
        set(w, 5, KIT_BASE);
        word(w, 36u << 26 | 3u << 21 | 5u << 16); /* stw r3,0(r5) */
        give_back(w, 0);
        break;
    case KIT_ILLEGAL:
        word(w, 0);
        break;
    case KIT_TRAPS:
        word(w, TRAP);
        give_back(w, 0);
        break;
    case KIT_ASTRAY:
        set(w, 11, 0x10);
        word(w, MTCTR_R11);
        word(w, BCTR);
        break;
    case KIT_NO_STACK:
        set(w, 1, 0);
        /* fallthrough */
    case KIT_LOADS:
        set(w, 5, 0);
        word(w, 32u << 26 | 3u << 21 | 5u << 16); /* lwz r3,0(r5) */
        give_back(w, 0);
        break;
    case KIT_NO_SYSTEM:
        set(w, 1, 0xFFFFFFF0);
        set(w, 13, 0xFFFFFFF0);
        call(w, TLS_ALLOC);
        call_with(w, ENTER, KIT_BASE + SECTION, 0);
        give_back(w, 0);
        break;
    case KIT_POINTERS:
        for (uint32_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
            call_with(w, INITIALIZE, odd[i], 0);
            call_with(w, SET_EVENT, odd[i], 0);
            call_with(w, CREATE_THREAD, odd[i], odd[i]);
            call_with(w, LEAVE, odd[i], 0);
        }
        give_back(w, 0);
        break;
    case KIT_SYSCALL:
        word(w, SC);
        give_back(w, 0);
        break;
    case KIT_PROGRAMS:
        break;
    }
}

/* ---- the image --------------------------------------------------------------------------------- */

static void le16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static void le32(uint8_t *p, uint32_t value)
{
    le16(p, value);
    le16(p + 2, value >> 16);
}

static void write_section(uint8_t *p, const char *name, uint32_t rva, uint32_t size, uint32_t flags)
{
    memcpy(p, name, strlen(name));
    le32(p + 8, size);
    le32(p + 12, rva);
    le32(p + 16, size);
    le32(p + 20, rva);
    le32(p + 36, flags);
}

/* Microsoft's PE/COFF specification; machine 0x1F2 and subsystem 14 are the console's. */
static void write_pe(uint8_t *image)
{
    uint8_t *nt = image + 0x80, *optional = nt + 24;
    memcpy(image, "MZ", 2);
    le32(image + 0x3C, 0x80);
    memcpy(nt, "PE\0\0", 4);
    le16(nt + 4, 0x1F2);
    le16(nt + 6, 2);
    le16(nt + 20, 0xE0);
    le16(nt + 22, 0x102);
    le16(optional, 0x10B);
    le32(optional + 16, CODE);
    le32(optional + 28, KIT_BASE);
    le32(optional + 32, 0x10000);
    le32(optional + 36, 0x200);
    le32(optional + 56, KIT_IMAGE);
    le32(optional + 60, 0x1000);
    le16(optional + 68, 14);
    le32(optional + 72, 0x40000);
    le32(optional + 92, 16);
    write_section(optional + 0xE0, ".text", 0x1000, 0xF000, 0x60000020);
    write_section(optional + 0xE0 + 40, ".data", DATA, 0x10000, 0xC0000040);
}

/* A synchronization event that is not set; nobody is in its list. */
static void write_event(uint8_t *image, uint32_t at)
{
    image[at] = 1;
    image[at + 2] = 4; /* words */
    weft_store32(image + at + 8, KIT_BASE + at + 8);
    weft_store32(image + at + 12, KIT_BASE + at + 8);
}

static void write_image(kit_program program, uint8_t *image)
{
    writer w = {.image = image};
    write_pe(image);
    for (uint32_t i = 0; i < IMPORTS; i++) {
        weft_store32(image + RECORDS + 4 * i, ordinals[i]);
        w.at = THUNKS + 16 * i;
        word(&w, 1u << 24 | ordinals[i]);
        word(&w, 2u << 24 | ordinals[i]);
        word(&w, MTCTR_R11);
        word(&w, BCTR);
    }
    write_event(image, EVENT_A);
    write_event(image, EVENT_B);
    write_code(&w, program);
}

/* ---- the file ---------------------------------------------------------------------------------- */

#define SECURITY UINT32_C(0x100) /* offsets in the file */
#define FORMAT   UINT32_C(0x300)
#define LIBRARY  UINT32_C(0x340)
#define TITLE    UINT32_C(0x500)

static void write_imports(uint8_t *file)
{
    uint8_t *p = file + LIBRARY, *record = p + 12 + 16;
    uint32_t length = 0x28 + 8 * IMPORTS;
    weft_store32(p, 12 + 16 + length);
    weft_store32(p + 4, 16);
    weft_store32(p + 8, 1);
    memcpy(p + 12, "xboxkrnl.exe", 12);
    weft_store32(record, length);
    weft_store32(record + 0x18, 0x45DC17E0);
    weft_store32(record + 0x1C, 0x20534200); /* 2.0.0x5342.0: an XDK of 2010 */
    weft_store32(record + 0x20, 0x20534200);
    weft_store16(record + 0x26, 2 * IMPORTS);
    for (uint32_t i = 0; i < IMPORTS; i++) {
        weft_store32(record + 0x28 + 8 * i, KIT_BASE + RECORDS + 4 * i);
        weft_store32(record + 0x2C + 8 * i, KIT_BASE + THUNKS + 16 * i);
    }
    weft_store32(file + SECURITY + 0x128, 1);
    sha1(record + 4, length - 4, NULL, 0, file + SECURITY + 0x12C);
}

/* Two runs of pages; each descriptor has the digest of the run after it. */
static void write_security(uint8_t *file)
{
    uint8_t *p = file + SECURITY, *image = file + KIT_HEADER;
    weft_store32(p, 0x184 + 2 * 24);
    weft_store32(p + 4, KIT_IMAGE);
    weft_store32(p + 0x108, 0x174);
    weft_store32(p + 0x110, KIT_BASE);
    weft_store32(p + 0x178, 0xFFFFFFFF);
    weft_store32(p + 0x17C, 0xFFFFFFFF);
    weft_store32(p + 0x180, 2);
    weft_store32(p + 0x184, 1 << 4 | 1); /* code */
    weft_store32(p + 0x19C, 1 << 4 | 2); /* data */
    sha1(image + 0x10000, 0x10000, p + 0x19C, 24, p + 0x188);
    sha1(image, 0x10000, p + 0x184, 24, p + 0x114);
}

void kit_title(kit_program program, uint8_t file[KIT_FILE])
{
    static const uint32_t headers[][2] = {
        {0x000003FF, FORMAT},  {0x00010100, KIT_ENTRY}, {0x00010201, KIT_BASE},
        {0x000103FF, LIBRARY}, {0x00020200, 0x40000},   {0x00040006, TITLE},
    };
    const uint32_t count = sizeof headers / sizeof headers[0];
    memset(file, 0, KIT_FILE);
    memcpy(file, "XEX2", 4);
    weft_store32(file + 4, 1); /* a title */
    weft_store32(file + 8, KIT_HEADER);
    weft_store32(file + 0x10, SECURITY);
    weft_store32(file + 0x14, count);
    for (uint32_t i = 0; i < count; i++) {
        weft_store32(file + 0x18 + 8 * i, headers[i][0]);
        weft_store32(file + 0x1C + 8 * i, headers[i][1]);
    }
    weft_store32(file + FORMAT, 16);
    weft_store16(file + FORMAT + 6, 1); /* basic: data bytes, then zeros */
    weft_store32(file + FORMAT + 8, KIT_IMAGE);
    weft_store32(file + TITLE + 12, 0x4B495400);
    file[TITLE + 18] = file[TITLE + 19] = 1; /* disc 1 of 1 */
    write_image(program, file + KIT_HEADER);
    write_imports(file);
    write_security(file);
    sha1(file + SECURITY + 0x17C, KIT_HEADER - SECURITY - 0x17C, file, SECURITY + 8,
         file + SECURITY + 0x164);
}
