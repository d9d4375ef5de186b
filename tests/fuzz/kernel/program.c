#include "program.h"

#include <string.h>

#include "exports.h"

/* ---- words of the instruction set (PowerISA, book I) -------------------------------------------
 */

#define MFLR_R12    0x7D8802A6u
#define MTLR_R12    0x7D8803A6u
#define MTCTR_R12   0x7D8903A6u
#define BCTRL       0x4E800421u
#define BLR         0x4E800020u
#define DB16CYC     0x7FFFFB78u /* or r31,r31,r31 */
#define BDNZ_SELF   0x42000000u
#define MTMSREE_R11 0x7D610164u /* mtmsrd r11,1 */
#define FRAME       0x100 /* bytes of a program's frame; arguments from the ninth on at 0x54 */

#define D_FORM(op, t, a, d) ((uint32_t)(op) << 26 | (t) << 21 | (a) << 16 | ((d)&0xFFFFu))
#define ADDI(t, a, d)       D_FORM(14, t, a, d)
#define ADDIS(t, a, d)      D_FORM(15, t, a, d)
#define ORI(t, a, d)        D_FORM(24, a, t, d) /* rS, rA */
#define LWZ(t, a, d)        D_FORM(32, t, a, d)
#define STW(t, a, d)        D_FORM(36, t, a, d)
#define STWU(t, a, d)       D_FORM(37, t, a, d)
#define LFD(t, a, d)        D_FORM(50, t, a, d)
#define CMPLWI(a, d)        D_FORM(10, 0, a, d)
#define BLT(d)              (0x41800000u | ((d)&0xFFFCu))
#define SLDI32(t)           (0x780007C6u | (uint32_t)(t) << 21 | (uint32_t)(t) << 16)

/* ---- the texts ---------------------------------------------------------------------------------
 */

static const char *const texts[] = {
    "game:\\a.txt",
    "game:\\dir\\b.bin",
    "game:\\dir",
    "game:\\dll.xex",
    "game:\\dep.xex",
    "game:\\",
    "cache:\\new.bin",
    "\\Device\\Harddisk0\\Partition1\\a.txt",
    "\\??\\game:\\dir\\..\\a.txt",
    "event",
    "\\BaseNamedObjects\\event",
    "game:\\..\\..\\..\\etc\\passwd",
    "..\\..\\..\\..\\..\\..\\..\\..\\..\\..\\etc\\passwd",
    "game:\\dir\\\\\\b.bin\\",
    "*",
    "game:\\*.x?x",
    "%s%n%1000000d%*.*f%ls%I64x%.2147483647s",
    "%d %5.3lf %c %-08x|%S|%p",
    "xboxkrnl.exe",
    "root",
    "root:\\file",
    "",
    ":",
    "\\",
    "game:",
    "game:\\aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "\xFF\xFE\x80\x01\x7F/\\:",
    "GAME:\\DIR/B.BIN",
};
#define TEXTS (sizeof texts / sizeof texts[0])
_Static_assert(TEXTS <= OBJECT_ATTRIBUTES - OBJECT_STRING, "a string for each text");

uint32_t program_text_count(void)
{
    return TEXTS;
}

const char *program_text(uint32_t n)
{
    return texts[n % TEXTS];
}

static uint32_t text_at(uint32_t n)
{
    return PROGRAM_TEXTS + n % TEXTS * PROGRAM_TEXT_BYTES;
}

/* ---- the structures ----------------------------------------------------------------------------
 */

static void put(world *w, uint32_t address, uint32_t value)
{
    weft_store32(world_kernel(w)->memory->base + address, value);
}

static void put2(world *w, uint32_t address, uint32_t first, uint32_t second)
{
    put(w, address, first);
    put(w, address + 4, second);
}

/* Time-outs in 100 ns: relative ones, absolute ones of 2005, and those at limits. */
static const int64_t times[] = {0,
                                -10000,
                                -10000000,
                                -1,
                                -600000000,
                                INT64_C(127770912000000000),
                                INT64_C(127770912010000000),
                                1,
                                INT64_MIN,
                                INT64_MAX,
                                -4096,
                                0x12345678};
_Static_assert(sizeof times / sizeof times[0] == OBJECT_STRING - OBJECT_TIME, "a slot for each");

static void write_dispatchers(world *w)
{
    for (uint32_t i = 0; i < OBJECT_TIME - OBJECT_DISPATCHER; i++) {
        uint32_t at = program_object(OBJECT_DISPATCHER + i);
        put2(w, at, i % 16 << 24, i == 5 ? 2 : i == 2); /* type; state */
        put2(w, at + 8, at + 8, at + 8);                /* empty list of waiters */
        put(w, at + 0x10, i == 5 ? 4 : 0);              /* a semaphore's limit */
    }
    for (uint32_t i = 0; i < OBJECT_DISPATCHER; i++) {
        uint32_t at = program_object(OBJECT_SECTION + i);
        put(w, at, 1u << 24);
        put2(w, at + 8, at + 8, at + 8);
        put(w, at + 0x10, UINT32_MAX);
    }
}

static void write_strings(world *w)
{
    uint8_t *base = world_kernel(w)->memory->base;
    for (uint32_t i = 0; i < TEXTS; i++) {
        uint32_t length = (uint32_t)strlen(texts[i]), at = program_object(OBJECT_STRING + i);
        memcpy(base + text_at(i), texts[i], length + 1);
        /* two lie about themselves */
        put(w, at, i == 26 ? 0xFFFFFFFFu : i == 25 ? length << 16 : length << 16 | (length + 1));
        put(w, at + 4, i == 24 ? 0xFFFFFFFCu : text_at(i));
        uint32_t attributes = program_object(OBJECT_ATTRIBUTES + i);
        put2(w, attributes, i % 3 ? 0 : 0xFFFFFFFDu, at); /* root: none, or the usual one */
        put(w, attributes + 8, 0x40);                     /* OBJ_CASE_INSENSITIVE */
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t at = program_object(OBJECT_WIDE + i), length = (uint32_t)strlen(texts[i]);
        for (uint32_t j = 0; j <= length && j < 64; j++) {
            weft_store16(base + at + 0x20 + 2 * j, (uint8_t)texts[i][j]);
        }
        put2(w, at, i == 3 ? 0xFFFFFFFEu : length * 2 << 16 | 0x80, at + 0x20);
    }
}

static void write_others(world *w)
{
    for (uint32_t i = 0; i < 4; i++) { /* XOVERLAPPED: event, routine, context */
        uint32_t at = program_object(OBJECT_OVERLAPPED + i);
        put(w, at + 0x10, i & 1 ? world_entry(4 + i) : 0);
        put(w, at + 0x14, i);
    }
    for (uint32_t i = 0; i < 3; i++) { /* code, flags, next, address, parameters */
        uint32_t at = program_object(OBJECT_RECORD + i);
        put2(w, at, 0xE0000001u + i, i);
        put2(w, at + 8, i == 2 ? at : 0, world_entry(0));
        put(w, at + 16, i == 2 ? 0xFFFFu : 2);
    }
    for (uint32_t i = 0; i < 16; i++) {
        put(w, program_object(OBJECT_ARRAY) + 4 * i, program_object(OBJECT_DISPATCHER + i % 6));
        put(w, program_object(OBJECT_ARRAY + 1) + 4 * i, 0xF8000004u + 4 * i);
    }
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t list = program_object(OBJECT_LIST + i), dpc = program_object(OBJECT_DPC + i);
        put2(w, list, list, list);
        put(w, dpc, 0x13u << 24); /* DpcObject */
        put(w, dpc + 12, world_entry(6 + i));
        put(w, program_object(OBJECT_APC + i), 0x12u << 24); /* ApcObject */
    }
    for (uint32_t i = 0; i < 2; i++) { /* device, type; UTF-16 name at 8, file name at 0x108 */
        uint32_t at = program_object(OBJECT_CONTENT + 2 * i);
        put2(w, at, 1, 1 + i);
        put2(w, at + 8, 0x00530061, 0x00760065);
        put(w, at + 0x108, i ? 0x534C4F54 : 0x2E2E5C2E); /* "SLOT", "..\." */
    }
    /* ids: gamer type, a name, what the title keeps; {source, user, id, type, size, address} */
    put2(w, program_object(OBJECT_SETTINGS), 0x10040002, 0x41040040);
    put(w, program_object(OBJECT_SETTINGS) + 8, 0x63E83FFF);
    put2(w, program_object(OBJECT_SETTINGS + 1), 2, 0);
    put2(w, program_object(OBJECT_SETTINGS + 1) + 16, 0x63E83FFF, 0);
    put2(w, program_object(OBJECT_SETTINGS + 1) + 24, 6u << 24, 0);
    put2(w, program_object(OBJECT_SETTINGS + 1) + 32, 16, PROGRAM_FREE);
    put2(w, program_object(OBJECT_HEAP), 0, 0x10000);
    put2(w, program_object(OBJECT_HEAP) + 8, 0x40000000, 0x100000);
}

/* ---- reading the input -------------------------------------------------------------------------
 */

typedef struct input {
    const uint8_t *at, *end;
} input;

static uint64_t take(input *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)(in->at < in->end ? *in->at++ : 0) << 8 * i;
    }
    return value;
}

/* ---- writing code ------------------------------------------------------------------------------
 */

typedef struct writer {
    world *w;
    uint32_t at[WORLD_PROGRAMS]; /* where the next word of each goes */
} writer;

static void code(writer *o, uint32_t program, uint32_t word)
{
    if (o->at[program] < world_entry(program) + WORLD_CODE_MAX - 8) {
        put(o->w, o->at[program], word);
        o->at[program] += 4;
    }
}

static void code_word(writer *o, uint32_t program, uint32_t t, uint32_t value)
{
    code(o, program, ADDIS(t, 0, value >> 16));
    code(o, program, ORI(t, t, value));
}

static void code_quad(writer *o, uint32_t program, uint32_t t, uint64_t value)
{
    if ((uint64_t)(int64_t)(int32_t)value == value) {
        code_word(o, program, t, (uint32_t)value);
        return;
    }
    code_word(o, program, t, (uint32_t)(value >> 32));
    code(o, program, SLDI32(t));
    code(o, program, D_FORM(25, t, t, value >> 16)); /* oris */
    code(o, program, ORI(t, t, value));
}

static void code_load(writer *o, uint32_t program, uint32_t t, uint32_t address)
{
    code_word(o, program, 11, address);
    code(o, program, LWZ(t, 11, 0));
}

/* ---- arguments ---------------------------------------------------------------------------------
 */

static const uint32_t edges[] = {
    0,          0x7F,       0x80,       0xFF,       0x100,      0xFFF,      0x1000,     0xFFFF,
    0x10000,    0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC,
    0xFFFFFFF0, 0xFFFFF000, 0xFFFF0000, 0x20000000, 0x1FFFFFFF, 0xF8000000, 0xF8000004, 0xF8000008,
    0xF800FFFC, 0x82000000, 0x90000000, 0xA0000000, 0xC0000000, 0xE0000000, 0xFFD00000, 0x7FEA0000,
    0x7FC80000, 0x7FC80710, 0x40000000, 0x3FFFFFFF, 0x00010000, 0x70000000, 0x8000FFFC, 0x0000003F,
    0x00000040, 0x00000041, 0x00002000, 0x00001000, 0x20001000, 0x00003000, 0x00000004, 0x40000004,
    0x82001000, 0x82001004, 0x82000080, 0x82000098, 0xC0100080, 0x80100080, 0x00100001, 0x00008000,
    0x00100000, 0x10000000, 0x0FFFFFFF, 0x33333333,
};

static uint32_t kernel_address(world *w, uint32_t s)
{
    const kernel *k = world_kernel(w);
    const kthread *t = world_thread(w, s);
    switch (s) {
    case 0:
    case 1:
    case 2:
    case 3:
        return t->object->body;
    case 4:
        return k->hw[0].pcr;
    case 5:
        return k->title->handle;
    case 6:
        return k->title->header;
    case 7:
        return k->time_bundle;
    case 8:
        return t->stack_base;
    case 9:
        return t->tls;
    case 10:
        return k->return_thunk;
    case 11:
        return kthunk(world_kernel(w), KMODULE_KRNL, 0x5A);
    case 12:
        return kvariable(world_kernel(w), KMODULE_KRNL, 0x1C); /* ExThreadObjectType */
    case 13:
        return k->exit_thunk;
    case 14:
        return k->hw[1].interrupt->stack_base;
    default:
        return k->hw[1].pcr;
    }
}

static uint32_t physical_address(uint32_t offset)
{
    static const uint32_t bases[] = {0xA0000000, 0xC0000000, 0xE0000000, 0xBFFF0000,
                                     0xFFCF0000, 0x7FC80000, 0x7FEA0000, 0x00000000};
    return bases[offset & 7] + offset;
}

/* Code that leaves the argument in register t. */
static void argument(writer *o, uint32_t p, input *in, uint32_t t)
{
    uint32_t head = (uint32_t)take(in, 1), s = head >> 4, n;
    switch (head & 15) {
    case ARG_SMALL:
        code_word(o, p, t, s);
        break;
    case ARG_EDGE:
        n = (uint32_t)take(in, 1);
        code_word(o, p, t, edges[n % (sizeof edges / sizeof edges[0])]);
        break;
    case ARG_WORD:
        code_word(o, p, t, (uint32_t)take(in, 4));
        break;
    case ARG_OBJECT:
        code_word(o, p, t, program_object((uint32_t)take(in, 1)) + 4 * s);
        break;
    case ARG_DATA:
        code_word(o, p, t, PROGRAM_FREE + (uint32_t)take(in, 2));
        break;
    case ARG_END:
        code_word(o, p, t, WORLD_BASE + WORLD_SIZE - s);
        break;
    case ARG_RESULT:
        code_load(o, p, t, PROGRAM_RESULTS + (uint32_t)take(in, 1) % PROGRAM_OPS * 4);
        code(o, p, ADDI(t, t, 4 * s));
        break;
    case ARG_READ:
        code_load(o, p, t, PROGRAM_FREE + ((uint32_t)take(in, 2) & ~3u));
        code(o, p, ADDI(t, t, 4 * s));
        break;
    case ARG_CODE:
        code_word(o, p, t,
                  s < 8    ? world_entry(s)
                  : s < 12 ? WORLD_HANDLER + 4 * (s - 8)
                           : PROGRAM_FREE + s);
        break;
    case ARG_KERNEL:
        code_word(o, p, t, kernel_address(o->w, s) + 4 * (uint32_t)take(in, 1));
        break;
    case ARG_NEGATIVE:
        code_word(o, p, t, UINT32_MAX - s);
        break;
    case ARG_TEXT:
        code_word(o, p, t, text_at((uint32_t)take(in, 1)));
        break;
    case ARG_PHYSICAL:
        code_word(o, p, t, physical_address((uint32_t)take(in, 2)));
        break;
    case ARG_BIT:
        code_word(o, p, t, (1u << (take(in, 1) & 31)) - (s & 1));
        break;
    case ARG_QUAD:
        code_quad(o, p, t, take(in, 8));
        break;
    default:
        code_word(o, p, t, (uint32_t)take(in, 2));
        break;
    }
}

/* Types of a signature's arguments, in order; varargs count as four. Number of them, at most
 * KARGUMENTS. */
static uint32_t signature_types(const char *signature, char *types)
{
    uint32_t count = 0;
    for (const char *c = strchr(signature, '('); c && *c && count < KARGUMENTS; c++) {
        if (c[0] == ':') {
            types[count++] = c[1];
        } else if (strncmp(c, "...", 3) == 0) {
            for (uint32_t i = 0; i < 4 && count < KARGUMENTS; i++) {
                types[count++] = 'u';
            }
            break;
        }
    }
    return count;
}

/* ---- operations --------------------------------------------------------------------------------
 */

static void result(writer *o, uint32_t p, uint32_t op)
{
    code_word(o, p, 11, PROGRAM_RESULTS + 4 * op);
    code(o, p, STW(3, 11, 0));
}

static void call(writer *o, uint32_t p, uint32_t op, input *in)
{
    uint32_t rows, index = (uint32_t)take(in, 2);
    const kexport *row = &kexport_rows(&rows)[index % rows];
    uint32_t thunk = kthunk(world_kernel(o->w), row->module, row->ordinal);
    char types[KARGUMENTS];
    uint32_t count = signature_types(row->signature, types), reals = 0;
    if (!thunk) {
        return; /* a variable */
    }
    /* those on the stack first: they go through r12 */
    input others = *in;
    for (uint32_t i = 0; i < count; i++) {
        if (i < 8 && types[i] == 'd' && reals < 8) {
            code_word(o, p, 11, PROGRAM_FREE + ((uint32_t)take(&others, 2) & ~7u));
            code(o, p, LFD(1 + reals, 11, 0));
            reals++;
        } else {
            argument(o, p, &others, i < 8 ? 3 + i : 12);
        }
        if (i >= 8) {
            code(o, p, STW(12, 1, 0x54 + 8 * (i - 8)));
        }
    }
    *in = others;
    code_word(o, p, 12, thunk);
    code(o, p, MTCTR_R12);
    code(o, p, BCTRL);
    result(o, p, op);
}

static void operation(writer *o, uint32_t op, input *in)
{
    uint32_t head = (uint32_t)take(in, 1), p = head & 7, n;
    /* where the handler goes on: patched below */
    uint32_t resume = o->at[p];
    code_word(o, p, 31, 0);
    switch (head >> 3) {
    case OP_STORE:
        argument(o, p, in, 3);
        argument(o, p, in, 4);
        code(o, p, STW(3, 4, 0));
        break;
    case OP_WORK:
        code_word(o, p, 12, 1 + 16 * (uint32_t)take(in, 1));
        code(o, p, MTCTR_R12);
        code(o, p, BDNZ_SELF);
        break;
    case OP_YIELD:
        code(o, p, DB16CYC);
        break;
    case OP_EE:
        code_word(o, p, 11, take(in, 1) & 1 ? (uint32_t)WEFT_MSR_EE : 0);
        code(o, p, MTMSREE_R11);
        break;
    case OP_WORD:
        code(o, p, (uint32_t)take(in, 4));
        break;
    case OP_AGAIN:
        n = (uint32_t)take(in, 1);
        code_word(o, p, 11, PROGRAM_COUNTERS + 4 * op);
        code(o, p, LWZ(12, 11, 0));
        code(o, p, ADDI(12, 12, 1));
        code(o, p, STW(12, 11, 0));
        code(o, p, CMPLWI(12, n));
        code(o, p, BLT(world_entry(p) + 12 - o->at[p])); /* behind the prologue */
        break;
    case OP_LOAD:
        argument(o, p, in, 3);
        code(o, p, LWZ(3, 3, 0));
        result(o, p, op);
        break;
    case OP_JUMP:
        argument(o, p, in, 12);
        code(o, p, MTCTR_R12);
        code(o, p, BCTRL);
        break;
    default:
        call(o, p, op, in);
        break;
    }
    put(o->w, resume, ADDIS(31, 0, o->at[p] >> 16));
    put(o->w, resume + 4, ORI(31, 31, o->at[p]));
}

static void begin(writer *o, uint32_t p)
{
    o->at[p] = world_entry(p);
    code(o, p, MFLR_R12);
    code(o, p, STW(12, 1, -8));
    code(o, p, STWU(1, 1, -FRAME));
}

static void end(writer *o, uint32_t p)
{
    if (p == 0) { /* the others live a while after the title's first thread is through */
        code(o, p, ADDI(3, 0, 1));
        code(o, p, ADDI(4, 0, 1));
        code_word(o, p, 5, program_object(OBJECT_TIME + 2));
        code_word(o, p, 12, kthunk(world_kernel(o->w), KMODULE_KRNL, 0x5A));
        code(o, p, MTCTR_R12);
        code(o, p, BCTRL);
    }
    code(o, p, ADDI(1, 1, FRAME));
    code(o, p, LWZ(12, 1, -8));
    code(o, p, MTLR_R12);
    code(o, p, BLR);
}

uint64_t program_ticks(uint8_t first)
{
    static const uint64_t limits[] = {2000000, 50000000, UINT64_C(1500000000),
                                      UINT64_C(6000000000)};
    return limits[first & 3];
}

void program_write(world *w, const uint8_t *data, size_t size)
{
    writer o = {.w = w};
    input in = {data + (size > 0), data + size};
    write_dispatchers(w);
    for (uint32_t i = 0; i < OBJECT_STRING - OBJECT_TIME; i++) {
        weft_store64(world_kernel(w)->memory->base + program_object(OBJECT_TIME + i),
                     (uint64_t)times[i]);
    }
    write_strings(w);
    write_others(w);
    for (uint32_t p = 0; p < WORLD_PROGRAMS; p++) {
        begin(&o, p);
    }
    for (uint32_t op = 0; op < PROGRAM_OPS && in.at < in.end; op++) {
        operation(&o, op, &in);
    }
    for (uint32_t p = 0; p < WORLD_PROGRAMS; p++) {
        end(&o, p);
    }
    kwritten(world_kernel(w), WORLD_BASE, WORLD_SIZE);
}
