/* disasm.c: text of one instruction, made from its row's form (forms.def), in the assembler's basic
 * mnemonics. */
#include "ppc.h"

#include <stdio.h>

typedef struct text {
    char *at;
    size_t left;
} text;

__attribute__((format(printf, 2, 3))) static void put(text *t, const char *format, ...)
{
    __builtin_va_list list;
    __builtin_va_start(list, format);
    int n = vsnprintf(t->at, t->left, format, list);
    __builtin_va_end(list);
    size_t used = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left - 1;
    t->at += used;
    t->left -= used;
}

/* One operand letter; see forms.def. Returns 0 when the letter stands for itself. */
static int operand(text *t, char letter, uint32_t address, uint32_t w)
{
    uint32_t f6 = w >> 21 & 31, f11 = w >> 16 & 31, f16 = w >> 11 & 31, f21 = w >> 6 & 31;
    int32_t simm = (int16_t)w, five = (int32_t)(w << 11) >> 27;
    switch (letter) {
    case 'T':
        put(t, "r%u", f6);
        break;
    case 'A':
        put(t, "r%u", f11);
        break;
    case 'B':
        put(t, "r%u", f16);
        break;
    case 'Z':
        put(t, f11 ? "r%u" : "0", f11);
        break;
    case 'f':
        put(t, "f%u", f6);
        break;
    case 'g':
        put(t, "f%u", f11);
        break;
    case 'h':
        put(t, "f%u", f16);
        break;
    case 'k':
        put(t, "f%u", f21);
        break;
    case 'v':
        put(t, "v%u", f6);
        break;
    case 'w':
        put(t, "v%u", f11);
        break;
    case 'x':
        put(t, "v%u", f16);
        break;
    case 'y':
        put(t, "v%u", f21);
        break;
    case 'V':
        put(t, "v%u", f6 | (w >> 2 & 3) << 5);
        break;
    case 'W':
        put(t, "v%u", f11 | (w >> 5 & 1) << 5 | (w >> 10 & 1) << 6);
        break;
    case 'X':
        put(t, "v%u", f16 | (w & 3) << 5);
        break;
    case 'Y':
        put(t, "v%u", w >> 6 & 7);
        break;
    case 'i':
    case 'd':
        put(t, "%d", simm);
        break;
    case 'u':
        put(t, "%u", w & 0xFFFF);
        break;
    case 'D':
        put(t, "%d", simm & ~3);
        break;
    case 's':
    case 'U':
        put(t, "%u", letter == 's' ? f16 : f11);
        break;
    case 'S':
        put(t, "%u", f16 | (w & 2) << 4);
        break;
    case 'm':
        put(t, "%u", f21);
        break;
    case 'e':
        put(t, "%u", w >> 1 & 31);
        break;
    case 'M':
        put(t, "%u", f21 | (w & 0x20));
        break;
    case 'c':
        put(t, "cr%u", f6 >> 2);
        break;
    case 'C':
        put(t, "cr%u", f11 >> 2);
        break;
    case 'p':
    case 'o':
        put(t, "%u", f6);
        break;
    case 'q':
        put(t, "%u", f11);
        break;
    case 'r':
        put(t, "%u", f16);
        break;
    case 't':
        put(t, "0x%x", (w & 2 ? 0 : address) + ((uint32_t)((int32_t)(w << 6) >> 6) & ~3u));
        break;
    case 'n':
        put(t, "0x%x", (w & 2 ? 0 : address) + (uint32_t)(simm & ~3));
        break;
    case 'P':
        put(t, "%u", f11 | f16 << 5);
        break;
    case 'F':
        put(t, "%u", w >> 12 & 0xFF);
        break;
    case 'z':
        put(t, "%u", w >> 17 & 0xFF);
        break;
    case 'I':
        put(t, "%u", w >> 12 & 15);
        break;
    case 'G':
        put(t, "%d", five);
        break;
    case 'H':
        put(t, "%u", w >> 6 & 15);
        break;
    case 'N':
        put(t, "%u", f16 ? f16 : 32);
        break;
    case 'j':
        put(t, "%u", f11 | (w >> 6 & 7) << 5);
        break;
    case 'R':
        put(t, "%u", w >> 6 & 3);
        break;
    case 'E':
        put(t, "%u", f11 & 1);
        break;
    default:
        return 0;
    }
    return 1;
}

void ppc_disassemble(const uint16_t *lookup, uint32_t address, uint32_t word, char *out,
                     uint32_t capacity)
{
    static const char *const forms[] = {
#define FORM(name, text) text,
#include "forms.def"
#undef FORM
    };
    const ppc_row *row = ppc_row_find(lookup, word);
    text t = {out, capacity};
    if (!row) {
        put(&t, ".long 0x%08x", word);
        return;
    }
    put(&t, "%s", row->name);
    if (row->variants & PPC_VARIANT_OE && word & 0x400) {
        put(&t, "o");
    }
    if ((row->variants & PPC_VARIANT_RC && word & 1) ||
        (row->variants & PPC_VARIANT_VC && word & 0x400) ||
        (row->variants & PPC_VARIANT_VR && word & 0x40)) {
        put(&t, ".");
    }
    if ((row->form == FORM_I || row->form == FORM_BCN) && word & 2) {
        put(&t, "a");
    }
    const char *form = forms[row->form];
    for (const char *p = form; *p; p++) {
        if (p == form) {
            put(&t, " ");
        }
        if (!operand(&t, *p, address, word)) {
            put(&t, "%c", *p);
        }
    }
}
