#include "stub.h"

#include <string.h>

#define VARIADIC_SLOTS 8 /* words of a variadic call that are taken from the caller's stack */
#define FRAME_MINIMUM  0x60

const char *stub_library(const char *module)
{
    if (strcmp(module, "KRNL") == 0) {
        return "xboxkrnl.exe";
    }
    return strcmp(module, "XAM") == 0 ? "xam.xex" : NULL;
}

static bool is_variable(const stub_row *row)
{
    return strcmp(row->status, "VARIABLE") == 0;
}

/* ---- moving arguments -------------------------------------------------------------------------
 */

/* Makes a 64-bit console value of a word or pair in SysV's registers, in `target`. A pair's halves
 * are joined in its second register (rldimi inserts the first above it). */
static void emit_widen(FILE *out, char type, unsigned target, unsigned source)
{
    if (type == 'q') {
        fprintf(out, "    rldimi %u,%u,32,0\n", source + 1, source);
        if (target != source + 1) {
            fprintf(out, "    mr %u,%u\n", target, source + 1);
        }
    } else if (type == 'i') {
        fprintf(out, "    extsw %u,%u\n", target, source);
    } else {
        fprintf(out, "    clrldi %u,%u,32\n", target, source);
    }
}

/* The same for a value on the caller's stack, `offset` bytes from the stub's own r1. */
static void emit_load(FILE *out, char type, unsigned target, unsigned offset)
{
    const char *load = type == 'q' ? "ld" : type == 'i' ? "lwa" : "lwz";
    fprintf(out, "    %s %u,%u(1)\n", load, target, offset);
}

static void emit_stack_arguments(FILE *out, const signature_place *places, unsigned count,
                                 unsigned frame)
{
    for (unsigned i = 0; i < count; i++) {
        if (places[i].console_stack == 0 || places[i].type == 'd') {
            continue;
        }
        if (places[i].sysv_register != 0) {
            emit_widen(out, places[i].type, 0, places[i].sysv_register);
        } else {
            emit_load(out, places[i].type, 0, places[i].sysv_stack + frame);
        }
        fprintf(out, "    std 0,%u(1)\n", places[i].console_stack);
    }
}

static bool overwrites(const signature_place *places, const bool *done, unsigned count, unsigned i)
{
    for (unsigned j = 0; j < count; j++) {
        unsigned first = places[j].sysv_register;
        unsigned last = first + (places[j].type == 'q' ? 1 : 0);
        if (j != i && !done[j] && first != 0 && places[i].console_register >= first &&
            places[i].console_register <= last) {
            return true;
        }
    }
    return false;
}

/* Both conventions keep the order of the arguments, so that among the moves still to be done one
 * always overwrites no other's source. */
static void emit_register_arguments(FILE *out, const signature_place *places, unsigned count,
                                    unsigned frame)
{
    bool done[SIGNATURE_ARGUMENTS] = {false};
    unsigned left = 0;
    for (unsigned i = 0; i < count; i++) {
        done[i] = places[i].console_register == 0 || places[i].sysv_register == 0;
        left += done[i] ? 0 : 1;
    }
    while (left > 0) {
        for (unsigned i = 0; i < count; i++) {
            if (!done[i] && !overwrites(places, done, count, i)) {
                emit_widen(out, places[i].type, places[i].console_register,
                           places[i].sysv_register);
                done[i] = true;
                left--;
            }
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (places[i].console_register != 0 && places[i].sysv_register == 0) {
            emit_load(out, places[i].type, places[i].console_register,
                      places[i].sysv_stack + frame);
        }
    }
}

/* Eight words in registers and eight on the stack, whatever the call has of them. */
static void emit_variadic_arguments(FILE *out, unsigned frame)
{
    for (unsigned i = 0; i < VARIADIC_SLOTS; i++) {
        fprintf(out, "    lwz 0,%u(1)\n", SYSV_STACK_BASE + 4 * i + frame);
        fprintf(out, "    std 0,%u(1)\n", CONSOLE_STACK_BASE + 8 * i);
    }
    for (unsigned r = 3; r <= 10; r++) {
        fprintf(out, "    clrldi %u,%u,32\n", r, r);
    }
}

/* ---- assembly ---------------------------------------------------------------------------------
 */

static void emit_function(FILE *out, const stub_row *row, const signature *s)
{
    signature_place places[SIGNATURE_ARGUMENTS];
    unsigned slots = signature_places(s, places);
    if (s->variadic) {
        slots = VARIADIC_SLOTS;
    }
    unsigned frame = 0;
    if (slots > 0 || s->result == 'q') {
        frame = (CONSOLE_STACK_BASE + 8 * slots + 15) & ~15u;
        frame = frame < FRAME_MINIMUM ? FRAME_MINIMUM : frame;
    }
    fprintf(out, "    .section .text\n    .balign 16\n    .globl %s\n    .type %s,@function\n%s:\n",
            row->name, row->name, row->name);
    if (frame > 0) {
        fprintf(out, "    mflr 0\n    stw 0,4(1)\n    stwu 1,-%u(1)\n", frame);
    }
    if (s->variadic) {
        emit_variadic_arguments(out, frame);
    } else {
        emit_stack_arguments(out, places, s->count, frame);
        emit_register_arguments(out, places, s->count, frame);
    }
    if (frame == 0) {
        /* A tail call: the kernel sees the title's own call site in lr. */
        fprintf(out, "    b __thunk_%s\n", row->name);
    } else {
        fprintf(out, "    bl __thunk_%s\n", row->name);
        if (s->result == 'q') {
            fprintf(out, "    clrldi 4,3,32\n    srdi 3,3,32\n");
        }
        fprintf(out, "    lwz 0,%u(1)\n    mtlr 0\n    addi 1,1,%u\n    blr\n", frame + 4, frame);
    }
    fprintf(out, "    .size %s,.-%s\n", row->name, row->name);
    /* The loader replaces the thunk; what stands here is its form on disc: type 1 and 2 with the
     * ordinal, mtctr r11, bctr (xenia src/xenia/cpu/xex_module.cc). */
    fprintf(out, "    .balign 16\n    .globl __thunk_%s\n__thunk_%s:\n", row->name, row->name);
    fprintf(out, "    .long 0x01%06X,0x02%06X,0x7D6903A6,0x4E800420\n", row->ordinal, row->ordinal);
}

void stub_assembly(FILE *out, const stub_row *row, const signature *s)
{
    bool variable = is_variable(row);
    if (!variable) {
        emit_function(out, row, s);
    }
    fprintf(out, "    .section .rodata\n    .balign 4\n    .globl __imp_%s\n__imp_%s:\n", row->name,
            row->name);
    fprintf(out, "    .long 0x%08X\n", row->ordinal);
    /* What mkxex reads: kind, ordinal, record, thunk, library. Not loaded. */
    fprintf(out, "    .section .weft.imports,\"\",@progbits\n");
    fprintf(out, "    .long %d,0x%X,__imp_%s,", variable ? 0 : 1, row->ordinal, row->name);
    if (variable) {
        fprintf(out, "0\n");
    } else {
        fprintf(out, "__thunk_%s\n", row->name);
    }
    const char *library = stub_library(row->module);
    fprintf(out, "    .ascii \"%s\"\n    .zero %zu\n", library, 16 - strlen(library));
    fprintf(out, "    .section .note.GNU-stack,\"\",@progbits\n");
}

/* ---- C declarations ---------------------------------------------------------------------------
 */

static const char *c_type(char type, bool result)
{
    switch (type) {
    case 'u':
    case 'h':
        return "uint32_t ";
    case 'i':
        return "int32_t ";
    case 'q':
        return "uint64_t ";
    case 'd':
        return "double ";
    case 'p':
        /* The table does not say which pointers are written through. */
        return result ? "void *" : "const void *";
    default:
        return "void ";
    }
}

/* Argument names of the table that C would not take. */
static bool is_reserved(const char *name)
{
    static const char *const words[] = {"register", "default",  "signed", "unsigned", "volatile",
                                        "switch",   "continue", "short",  "long",     "auto"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(name, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

void stub_declaration(FILE *out, const stub_row *row, const signature *s)
{
    fprintf(out, "\n/* %s 0x%03X%s%s%s */\n", stub_library(row->module), row->ordinal,
            strcmp(row->status, "MISSING") == 0 ? ", missing" : "", row->remark[0] ? ": " : "",
            row->remark);
    if (is_variable(row)) {
        fprintf(out, "extern void *const __imp_%s;\n#define %s (__imp_%s)\n", row->name, row->name,
                row->name);
        return;
    }
    fprintf(out, "%s%s(", c_type(s->result, true), row->name);
    for (unsigned i = 0; i < s->count; i++) {
        fprintf(out, "%s%s%s%s", i > 0 ? ", " : "", c_type(s->arguments[i].type, false),
                s->arguments[i].name, is_reserved(s->arguments[i].name) ? "_" : "");
    }
    if (s->variadic) {
        fprintf(out, "%s...", s->count > 0 ? ", " : "");
    } else if (s->count == 0) {
        fprintf(out, "void");
    }
    /* So that a program can ask with #ifdef whether the table has a row. */
    fprintf(out, ");\n#define %s %s\n", row->name, row->name);
}
