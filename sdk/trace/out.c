/* out.c: see out.h. */
#include "out.h"

#include <stdlib.h>
#include <string.h>

void out_free(out *o)
{
    free(o->bytes);
    memset(o, 0, sizeof *o);
}

int out_reserve(out *o, size_t more)
{
    if (o->no_memory) {
        return 0;
    }
    if (more <= o->capacity - o->used) {
        return 1;
    }
    size_t wanted = o->capacity ? o->capacity : 4096;
    while (wanted - o->used < more) {
        if (wanted > SIZE_MAX / 2) {
            o->no_memory = 1;
            return 0;
        }
        wanted *= 2;
    }
    char *bytes = realloc(o->bytes, wanted);
    if (!bytes) {
        o->no_memory = 1;
        return 0;
    }
    o->bytes = bytes;
    o->capacity = wanted;
    return 1;
}

void out_raw(out *o, const char *bytes, size_t length)
{
    if (length > 0 && out_reserve(o, length)) {
        memcpy(o->bytes + o->used, bytes, length);
        o->used += length;
    }
}

void out_str(out *o, const char *text)
{
    out_raw(o, text, strlen(text));
}

void out_u64(out *o, uint64_t value)
{
    char digits[20]; /* 2^64-1 has 20 */
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    out_raw(o, digits + at, sizeof digits - at);
}

void out_i64(out *o, int64_t value)
{
    if (value < 0) {
        out_raw(o, "-", 1);
        out_u64(o, UINT64_C(0) - (uint64_t)value);
    } else {
        out_u64(o, (uint64_t)value);
    }
}

/* Hex digits of value, at least `digits` of them, at the end of a 16-byte field; returns the
 * first one's place. */
static size_t hex_digits(char field[16], uint64_t value, unsigned digits)
{
    size_t at = 16;
    do {
        field[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0 || 16 - at < digits);
    return at;
}

void out_hex(out *o, uint64_t value, unsigned digits)
{
    char field[16];
    size_t at = hex_digits(field, value, digits);
    out_raw(o, "\"0x", 3);
    out_raw(o, field + at, sizeof field - at);
    out_raw(o, "\"", 1);
}

void out_id(out *o, uint64_t id)
{
    char field[18];
    field[0] = field[17] = '"';
    hex_digits(field + 1, id, 16);
    out_raw(o, field, sizeof field);
}

/* The letter of a two-character escape (RFC 8259, 7), or 0. */
static char short_escape(unsigned char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return (char)byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

void out_string(out *o, const char *bytes, size_t length)
{
    if (length > SIZE_MAX / 8 || !out_reserve(o, length * 6 + 2)) {
        o->no_memory = 1;
        return;
    }
    char *to = o->bytes + o->used;
    *to++ = '"';
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        char letter = short_escape(byte);
        if (letter) {
            *to++ = '\\';
            *to++ = letter;
        } else if (byte >= 0x20 && byte < 0x7F) {
            *to++ = (char)byte;
        } else {
            memcpy(to, "\\u00", 4);
            to[4] = "0123456789abcdef"[byte >> 4];
            to[5] = "0123456789abcdef"[byte & 15];
            to += 6;
        }
    }
    *to++ = '"';
    o->used = (size_t)(to - o->bytes);
}
