/* The printf family over guest arguments, as the Microsoft C runtime of the console's time does it
 * (MSDN "Format Specification Syntax: printf and wprintf Functions"): I64 and w sizes, %S and %Z,
 * exponents of three digits, 1.#INF, and _snprintf without a final NUL when the text does not fit.
 *
 * Every variable argument fills a 64-bit slot: r3..r10, then the stack; a va_list points at such
 * slots (xenia xboxkrnl_strings.cc). Doubles come as their bits in the slot. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "exports.h"

#define NO_LIMIT    UINT64_MAX
#define DEBUG_CHARS 4096 /* of one DbgPrint */
#define REAL_CHARS  1024 /* 309 digits, 512 behind the point, and signs */
#define PRECISION_MAX                                                                              \
    512 /* of a double: none has more digits behind the point that are not zero                    \
           in a text that anybody reads */

/* Where characters go: a guest buffer, a host buffer, or nowhere (only counted). */
typedef struct output {
    kcall *call;
    bool wide;
    uint32_t address; /* of the guest buffer, 0: none */
    char *text;       /* host buffer, NULL: none */
    uint64_t limit, count;
} output;

/* Where arguments come from. */
typedef struct arguments {
    kcall *call;
    unsigned index;   /* of the next one among the call's own arguments */
    uint32_t address; /* of the next slot of a va_list, 0: use index */
} arguments;

typedef struct spec {
    bool left, plus, space, alternate, zero;
    int64_t width, precision; /* precision -1: none given */
    char size;                /* 0, 'h' (short), 'b' (char), 'l', 'q' (64 bits) */
    bool wide_text;           /* w or l in front of c, s, Z */
    bool narrow_text;         /* h in front of them */
} spec;

static bool put(output *out, uint16_t unit)
{
    if (out->count >= out->limit || out->call->faulted) {
        return false;
    }
    if (out->text) {
        out->text[out->count] = (char)unit;
    } else if (out->address && out->wide) {
        kput16(out->call, out->address + (uint32_t)out->count * 2, unit);
    } else if (out->address) {
        kput8(out->call, out->address + (uint32_t)out->count, (uint8_t)unit);
    }
    out->count++;
    return !out->call->faulted;
}

static bool fill(output *out, uint16_t unit, int64_t count)
{
    if (count > 0 && !out->text && !out->address) {
        out->count += (uint64_t)count;
        return true;
    }
    for (; count > 0; count--) {
        if (!put(out, unit)) {
            return false;
        }
    }
    return true;
}

static uint64_t next64(arguments *list)
{
    if (list->address) {
        uint64_t value = kget64(list->call, list->address);
        list->address += 8;
        return value;
    }
    return karg64(list->call, list->index++);
}

static uint32_t next32(arguments *list)
{
    return (uint32_t)next64(list);
}

/* ---- conversions ----------------------------------------------------------------------------- */

/* Sign or prefix, zeros, body, and blanks on one side. */
static bool put_padded(output *out, const spec *s, const char *prefix, int64_t zeros,
                       const char *body, int64_t length)
{
    int64_t used = (int64_t)strlen(prefix) + (zeros > 0 ? zeros : 0) + length;
    int64_t blanks = s->width > used ? s->width - used : 0;
    bool ok = s->left || fill(out, ' ', blanks);
    for (; ok && *prefix; prefix++) {
        ok = put(out, (uint8_t)*prefix);
    }
    ok = ok && fill(out, '0', zeros);
    for (int64_t i = 0; ok && i < length; i++) {
        ok = put(out, (uint8_t)body[i]);
    }
    return ok && (!s->left || fill(out, ' ', blanks));
}

/* The integer that size and signedness make of a slot. */
static uint64_t integer_of(uint64_t slot, char size, bool is_signed)
{
    switch (size) {
    case 'q':
        return slot;
    case 'h':
        return is_signed ? (uint64_t)(int64_t)(int16_t)slot : (uint16_t)slot;
    case 'b':
        return is_signed ? (uint64_t)(int64_t)(int8_t)slot : (uint8_t)slot;
    default:
        return is_signed ? (uint64_t)(int64_t)(int32_t)slot : (uint32_t)slot;
    }
}

static bool put_integer(output *out, const spec *s, char type, uint64_t slot)
{
    bool is_signed = type == 'd' || type == 'i';
    uint64_t value = integer_of(slot, s->size, is_signed);
    const char *prefix = "";
    if (is_signed && (int64_t)value < 0) {
        prefix = "-";
        value = 0 - value;
    } else if (is_signed) {
        prefix = s->plus ? "+" : s->space ? " " : "";
    }
    unsigned base = type == 'o' ? 8 : is_signed || type == 'u' ? 10 : 16;
    const char *digits = type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    if (s->alternate && base == 16 && value != 0) {
        prefix = type == 'X' ? "0X" : "0x";
    }
    char body[24];
    int at = (int)sizeof body;
    while (value != 0) {
        body[--at] = digits[value % base];
        value /= base;
    }
    int64_t length = (int64_t)sizeof body - at;
    int64_t least = s->precision >= 0 ? s->precision : 1;
    int64_t zeros = least > length ? least - length : 0;
    if (s->alternate && base == 8 && zeros == 0) {
        zeros = 1; /* a leading 0, unless there is one */
    }
    if (s->zero && !s->left && s->precision < 0) {
        int64_t used = (int64_t)strlen(prefix) + zeros + length;
        zeros += s->width > used ? s->width - used : 0;
    }
    return put_padded(out, s, prefix, zeros, body + at, length);
}

/* e+5 becomes e+005: this runtime's exponents have three digits. */
static void widen_exponent(char *text, size_t capacity)
{
    char *e = strpbrk(text, "eE");
    size_t digits = e ? strlen(e + 2) : 3;
    if (digits < 3 && strlen(text) + 3 - digits < capacity) {
        memmove(e + 2 + (3 - digits), e + 2, digits + 1);
        memset(e + 2, '0', 3 - digits);
    }
}

static bool put_real(output *out, const spec *s, char type, uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    bool negative = bits >> 63;
    int64_t precision = s->precision < 0 ? 6 : s->precision;
    precision = precision > PRECISION_MAX ? PRECISION_MAX : precision;
    const char *prefix = negative ? "-" : s->plus ? "+" : s->space ? " " : "";
    char body[REAL_CHARS];
    if (!isfinite(value)) {
        /* the quiet NaN that operations make is negative, and called indefinite */
        bool quiet = (bits & UINT64_C(0x0008000000000000)) != 0;
        const char *name = isinf(value)                           ? "1.#INF"
                           : bits == UINT64_C(0xFFF8000000000000) ? "1.#IND"
                           : quiet                                ? "1.#QNAN"
                                                                  : "1.#SNAN";
        int length = snprintf(body, sizeof body, "%s", name);
        if (type != 'g' && type != 'G') {
            /* as many characters behind the point as digits were asked for */
            for (; length < 2 + precision; length++) {
                body[length] = '0';
            }
        }
        return put_padded(out, s, prefix, 0, body, length);
    }
    /* The C library's conversion is exact; one conversion, never a guest's format string. */
    char format[8] = {'%', s->alternate ? '#' : '.', 0};
    snprintf(format, sizeof format, s->alternate ? "%%#.*%c" : "%%.*%c", type == 'F' ? 'f' : type);
    snprintf(body, sizeof body, format, (int)precision, negative ? -value : value);
    if (type != 'a' && type != 'A') {
        widen_exponent(body, sizeof body);
    }
    int64_t length = (int64_t)strlen(body), zeros = 0;
    if (s->zero && !s->left) {
        int64_t used = (int64_t)strlen(prefix) + length;
        zeros = s->width > used ? s->width - used : 0;
    }
    return put_padded(out, s, prefix, zeros, body, length);
}

/* A guest text of `length` units (-1: up to its NUL), cut at the precision. */
static bool put_text(output *out, const spec *s, uint32_t address, int64_t length, bool wide)
{
    kcall *call = out->call;
    int64_t most = s->precision >= 0 ? s->precision : INT64_MAX;
    if (address == 0) {
        static const char null[] = "(null)";
        int64_t n = (int64_t)sizeof null - 1;
        return put_padded(out, s, "", 0, null, n < most ? n : most);
    }
    if (length < 0) {
        length = 0;
        while (length < most && !call->faulted &&
               (wide ? kget16(call, address + (uint32_t)length * 2)
                     : kget8(call, address + (uint32_t)length)) != 0) {
            length++;
        }
    }
    length = length < most ? length : most;
    int64_t blanks = s->width > length ? s->width - length : 0;
    bool ok = s->left || fill(out, s->zero ? '0' : ' ', blanks);
    for (int64_t i = 0; ok && i < length; i++) {
        uint16_t unit =
            wide ? kget16(call, address + (uint32_t)i * 2) : kget8(call, address + (uint32_t)i);
        ok = put(out, !out->wide && unit > 0xFF ? '?' : unit);
    }
    return ok && (!s->left || fill(out, ' ', blanks));
}

static bool put_character(output *out, const spec *s, uint16_t unit)
{
    int64_t blanks = s->width > 1 ? s->width - 1 : 0;
    return (s->left || fill(out, s->zero ? '0' : ' ', blanks)) &&
           put(out, !out->wide && unit > 0xFF ? '?' : unit) && (!s->left || fill(out, ' ', blanks));
}

/* ---- formats --------------------------------------------------------------------------------- */

typedef struct format {
    kcall *call;
    uint32_t address;
    bool wide;
} format;

static uint16_t peek(format *f)
{
    return f->wide ? kget16(f->call, f->address) : kget8(f->call, f->address);
}

static uint16_t take(format *f)
{
    uint16_t unit = peek(f);
    f->address += f->wide ? 2 : 1;
    return unit;
}

/* Digits or `*`. */
static int64_t take_number(format *f, arguments *list)
{
    if (peek(f) == '*') {
        take(f);
        return (int32_t)next32(list);
    }
    int64_t number = 0;
    while (peek(f) >= '0' && peek(f) <= '9') {
        number = number * 10 + (take(f) - '0');
        number = number > INT32_MAX ? INT32_MAX : number;
    }
    return number;
}

static void take_size(format *f, spec *s)
{
    switch (peek(f)) {
    case 'h':
        take(f);
        s->size = 'h';
        s->narrow_text = true;
        if (peek(f) == 'h') {
            take(f);
            s->size = 'b';
        }
        break;
    case 'l':
        take(f);
        s->size = 'l';
        s->wide_text = true;
        if (peek(f) == 'l') {
            take(f);
            s->size = 'q';
        }
        break;
    case 'L':
        take(f);
        break;
    case 'w':
        take(f);
        s->wide_text = true;
        break;
    case 'I': { /* I64, I32, or I alone for a pointer's size */
        take(f);
        format ahead = *f;
        uint16_t first = take(&ahead), second = take(&ahead);
        if ((first == '6' && second == '4') || (first == '3' && second == '2')) {
            s->size = first == '6' ? 'q' : 'l';
            *f = ahead;
        }
        break;
    }
    default:
        break;
    }
}

static spec take_spec(format *f, arguments *list)
{
    spec s = {.precision = -1};
    for (bool more = true; more;) {
        switch (peek(f)) {
        case '-':
            s.left = true;
            break;
        case '+':
            s.plus = true;
            break;
        case ' ':
            s.space = true;
            break;
        case '#':
            s.alternate = true;
            break;
        case '0':
            s.zero = true;
            break;
        default:
            more = false;
            break;
        }
        if (more) {
            take(f);
        }
    }
    s.width = take_number(f, list);
    if (s.width < 0) { /* from `*`: as with the flag */
        s.left = true;
        s.width = -s.width;
    }
    if (peek(f) == '.') {
        take(f);
        s.precision = take_number(f, list);
        s.precision = s.precision < 0 ? -1 : s.precision;
    }
    take_size(f, &s);
    return s;
}

/* One conversion; false: no more room, or a bad pointer. */
static bool convert(output *out, const spec *s, uint16_t type, arguments *list)
{
    kcall *call = out->call;
    /* c and s have the width of the function, C and S the other; h, l and w override */
    bool other = type == 'C' || type == 'S';
    bool wide = s->wide_text || (!s->narrow_text && out->wide != other);
    switch (type) {
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        return put_integer(out, s, (char)type, next64(list));
    case 'p': {
        spec digits = *s;
        digits.precision = 8;
        digits.alternate = false;
        digits.size = 'l';
        return put_integer(out, &digits, 'X', next64(list));
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        return put_real(out, s, (char)type, next64(list));
    case 'c':
    case 'C': {
        uint32_t unit = next32(list);
        return put_character(out, s, wide ? (uint16_t)unit : (uint8_t)unit);
    }
    case 's':
    case 'S':
        return put_text(out, s, next32(list), -1, wide);
    case 'Z': { /* ANSI_STRING or, with w, UNICODE_STRING; the length is in bytes */
        uint32_t string = next32(list);
        if (string == 0) {
            return put_text(out, s, 0, -1, false);
        }
        uint16_t bytes = kget16(call, string);
        return put_text(out, s, kget32(call, string + 4), s->wide_text ? bytes / 2 : bytes,
                        s->wide_text);
    }
    case 'n':
        kput32(call, next32(list), (uint32_t)out->count);
        return !call->faulted;
    default: /* not a conversion: the character itself */
        return put(out, type);
    }
}

/* Formats; false if the output was full. Stops at a bad pointer. */
static bool format_all(output *out, uint32_t text, arguments *list)
{
    format f = {.call = out->call, .address = text, .wide = out->wide};
    for (;;) {
        uint16_t unit = take(&f);
        if (unit == 0 || out->call->faulted) {
            return true;
        }
        if (unit != '%') {
            if (!put(out, unit)) {
                return false;
            }
            continue;
        }
        spec s = take_spec(&f, list);
        uint16_t type = take(&f);
        if (type == 0) {
            return true;
        }
        if (!convert(out, &s, type, list)) {
            return false;
        }
    }
}

/* ---- exports --------------------------------------------------------------------------------- */

/* Formats into a guest buffer of `limit` units and ends it with NUL where there is room. Answers
 * the count, or -1 if it did not fit. */
static uint32_t print_to(kcall *call, bool wide, uint32_t buffer, uint64_t limit, uint32_t text,
                         arguments list)
{
    output out = {.call = call, .wide = wide, .address = buffer, .limit = limit};
    bool whole = format_all(&out, text, &list);
    if (!whole) {
        return kret64(call, UINT64_MAX);
    }
    if (buffer != 0 && out.count < limit) {
        uint64_t count = out.count;
        put(&out, 0);
        out.count = count;
    }
    return kret(call, (uint32_t)out.count);
}

static arguments after(kcall *call, unsigned index)
{
    return (arguments){.call = call, .index = index};
}

static arguments listed(kcall *call, unsigned index)
{
    uint32_t address = karg(call, index);
    /* a va_list of 0 can only serve a format without conversions: a bad pointer otherwise */
    return (arguments){.call = call, .address = address ? address : UINT32_C(1)};
}

uint32_t ex_sprintf(kcall *call)
{
    return print_to(call, false, karg(call, 0), NO_LIMIT, karg(call, 1), after(call, 2));
}

uint32_t ex__snprintf(kcall *call)
{
    return print_to(call, false, karg(call, 0), karg(call, 1), karg(call, 2), after(call, 3));
}

uint32_t ex__scprintf(kcall *call)
{
    return print_to(call, false, 0, NO_LIMIT, karg(call, 0), after(call, 1));
}

uint32_t ex_swprintf(kcall *call)
{
    return print_to(call, true, karg(call, 0), NO_LIMIT, karg(call, 1), after(call, 2));
}

uint32_t ex__snwprintf(kcall *call)
{
    return print_to(call, true, karg(call, 0), karg(call, 1), karg(call, 2), after(call, 3));
}

uint32_t ex__scwprintf(kcall *call)
{
    return print_to(call, true, 0, NO_LIMIT, karg(call, 0), after(call, 1));
}

uint32_t ex_vsprintf(kcall *call)
{
    return print_to(call, false, karg(call, 0), NO_LIMIT, karg(call, 1), listed(call, 2));
}

uint32_t ex__vsnprintf(kcall *call)
{
    return print_to(call, false, karg(call, 0), karg(call, 1), karg(call, 2), listed(call, 3));
}

uint32_t ex__vscprintf(kcall *call)
{
    return print_to(call, false, 0, NO_LIMIT, karg(call, 0), listed(call, 1));
}

uint32_t ex_vswprintf(kcall *call)
{
    return print_to(call, true, karg(call, 0), NO_LIMIT, karg(call, 1), listed(call, 2));
}

uint32_t ex__vsnwprintf(kcall *call)
{
    return print_to(call, true, karg(call, 0), karg(call, 1), karg(call, 2), listed(call, 3));
}

uint32_t ex__vscwprintf(kcall *call)
{
    return print_to(call, true, 0, NO_LIMIT, karg(call, 0), listed(call, 1));
}

uint32_t ex_DbgPrint(kcall *call)
{
    kernel *k = call->k;
    char text[DEBUG_CHARS];
    output out = {.call = call, .text = text, .limit = sizeof text};
    arguments list = after(call, 1);
    format_all(&out, karg(call, 0), &list);
    if (!call->faulted) {
        k->host->print(k->host, call->thread->id, call->thread->tid, know(k), text,
                       (size_t)out.count);
    }
    return kret_status(call, STATUS_SUCCESS);
}
