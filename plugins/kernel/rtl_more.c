/* Appending and making strings, UTF-8, stack limits, image headers (NT documentation). */
#include <string.h>

#include "exports.h"
#include "mm.h"

#define KTHREAD_STACK_BASE  0x5C
#define KTHREAD_STACK_LIMIT 0x60

/* Appends `length` bytes to the counted string {length, capacity, buffer} at `to`. */
static uint32_t append(kcall *call, uint32_t to, uint32_t from, uint32_t length, bool wide)
{
    uint32_t have = kget16(call, to), room = kget16(call, to + 2), buffer = kget32(call, to + 4);
    if (length == 0 || call->faulted) {
        return kret_status(call, STATUS_SUCCESS);
    }
    if (have + length > room) {
        return kret_status(call, STATUS_BUFFER_TOO_SMALL);
    }
    const void *source = kread(call, from, length);
    void *target = kwrite(call, buffer + have, length);
    if (source && target) {
        memmove(target, source, length);
        kwritten(call->k, buffer + have, length);
        kput16(call, to, (uint16_t)(have + length));
        if (wide && have + length + 2 <= room) {
            kput16(call, buffer + have + length, 0);
        }
    }
    return kret_status(call, STATUS_SUCCESS);
}

static uint32_t append_string(kcall *call, bool wide)
{
    uint32_t from = karg(call, 1);
    uint32_t length = kget16(call, from), buffer = kget32(call, from + 4);
    return append(call, karg(call, 0), buffer, length, wide);
}

uint32_t ex_RtlAppendStringToString(kcall *call)
{
    return append_string(call, false);
}

uint32_t ex_RtlAppendUnicodeStringToString(kcall *call)
{
    return append_string(call, true);
}

/* Bytes of a NUL-ended UTF-16 text, at most what a counted string holds. */
static uint32_t wide_bytes(kcall *call, uint32_t at)
{
    uint32_t length = 0;
    while (length < 0xFFFC && kget16(call, at + length) != 0) {
        length += 2;
    }
    return length;
}

uint32_t ex_RtlAppendUnicodeToString(kcall *call)
{
    uint32_t from = karg(call, 1), length = from ? wide_bytes(call, from) : 0;
    return append(call, karg(call, 0), from, length, true);
}

/* (string out, text): a copy of its own; FALSE without memory. */
uint32_t ex_RtlCreateUnicodeString(kcall *call)
{
    uint32_t to = karg(call, 0), from = karg(call, 1), length = wide_bytes(call, from);
    if (call->faulted || !kwrite(call, to, 8)) {
        return kret(call, 0);
    }
    uint32_t buffer = mm_pool_alloc(call->k->mm, call->thread, length + 2);
    const void *source = length ? kread(call, from, length) : NULL;
    uint8_t *target = buffer ? kwrite(call, buffer, length + 2) : NULL;
    if (!target) {
        return kret(call, 0);
    }
    if (source) {
        memcpy(target, source, length);
    }
    weft_store16(target + length, 0);
    kwritten(call->k, buffer, length + 2);
    kput16(call, to, (uint16_t)length);
    kput16(call, to + 2, (uint16_t)(length + 2));
    kput32(call, to + 4, buffer);
    return kret(call, 1);
}

/* ---- UTF-8 -------------------------------------------------------------------------------------
 */

#define STATUS_SOME_NOT_MAPPED UINT32_C(0x00000107)
#define REPLACEMENT            UINT32_C(0xFFFD)

/* The next character of UTF-16 at `at`, of `left` units; *used of them. Half of a pair is none. */
static uint32_t next_character(kcall *call, uint32_t at, uint32_t left, uint32_t *used)
{
    uint32_t c = kget16(call, at);
    *used = 1;
    if (c < 0xD800 || c > 0xDFFF) {
        return c;
    }
    uint32_t low = c < 0xDC00 && left > 1 ? kget16(call, at + 2) : 0;
    if (low < 0xDC00 || low > 0xDFFF) {
        return UINT32_MAX;
    }
    *used = 2;
    return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
}

/* RFC 3629, section 3: how many bytes. */
static uint32_t encode(uint32_t c, uint8_t *bytes)
{
    if (c < 0x80) {
        bytes[0] = (uint8_t)c;
        return 1;
    }
    uint32_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    bytes[0] = (uint8_t)((0xF0 << (3 - more)) | c >> (6 * more));
    for (uint32_t i = 1; i <= more; i++) {
        bytes[i] = (uint8_t)(0x80 | (c >> (6 * (more - i)) & 0x3F));
    }
    return more + 1;
}

/* Converts `length` bytes of UTF-16; to == 0 only counts. A character that does not fit ends it. */
static kstatus to_utf8(kcall *call, uint32_t to, uint32_t room, uint32_t from, uint32_t length,
                       uint32_t *written)
{
    kstatus status = STATUS_SUCCESS;
    *written = 0;
    for (uint32_t at = 0, used; at + 1 < length && !call->faulted; at += 2 * used) {
        uint8_t bytes[4];
        uint32_t c = next_character(call, from + at, (length - at) / 2, &used);
        status = c == UINT32_MAX ? STATUS_SOME_NOT_MAPPED : status;
        uint32_t count = encode(c == UINT32_MAX ? REPLACEMENT : c, bytes);
        if (to && count > room - *written) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        for (uint32_t i = 0; to && i < count; i++) {
            kput8(call, to + *written + i, bytes[i]);
        }
        *written += count;
    }
    return status;
}

/* (target, its size, bytes written out, UTF-16, its bytes) */
uint32_t ex_RtlUnicodeToUtf8(kcall *call)
{
    uint32_t written, out = karg(call, 2);
    kstatus status =
        to_utf8(call, karg(call, 0), karg(call, 1), karg(call, 3), karg(call, 4), &written);
    if (out) {
        kput32(call, out, written);
    }
    return kret_status(call, status);
}

/* (bytes needed out, UTF-16, its bytes) */
uint32_t ex_RtlUnicodeToUtf8Size(kcall *call)
{
    uint32_t written;
    kstatus status = to_utf8(call, 0, 0, karg(call, 1), karg(call, 2), &written);
    kput32(call, karg(call, 0), written);
    return kret_status(call, status);
}

/* ---- stacks and images -------------------------------------------------------------------------
 */

/* (low out, high out) of the stack that the thread runs on, a fiber's too. */
uint32_t ex_RtlGetStackLimits(kcall *call)
{
    const kthread *t = call->thread;
    uint32_t low = t->stack_base, high = t->stack_base + t->stack_size;
    if (t->object) {
        low = weft_load32(call->k->memory->base + t->object->body + KTHREAD_STACK_LIMIT);
        high = weft_load32(call->k->memory->base + t->object->body + KTHREAD_STACK_BASE);
    }
    kput32(call, karg(call, 0), low);
    kput32(call, karg(call, 1), high);
    return K_DONE;
}

static uint32_t little32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Address of the PE header of the image at `base`, 0: no image. */
static uint32_t pe_header(kcall *call, uint32_t base)
{
    const weft_memory *m = call->k->memory;
    if (!weft_memory_ok(m, base, 64, WEFT_PAGE_READ) || memcmp(m->base + base, "MZ", 2) != 0) {
        return 0;
    }
    uint32_t offset = little32(m->base + base + 0x3C);
    bool there = offset < UINT32_C(0x10000000) && base + offset > base &&
                 weft_memory_ok(m, base + offset, 24 + 224, WEFT_PAGE_READ) &&
                 memcmp(m->base + base + offset, "PE\0\0", 4) == 0;
    return there ? base + offset : 0;
}

uint32_t ex_RtlImageNtHeader(kcall *call)
{
    return kret(call, pe_header(call, karg(call, 0)));
}

/* (base, mapped, entry, size out): address of a data directory's content. The optional header of 32
 * bits has {rva, size} pairs from offset 96 on (PE format). */
uint32_t ex_RtlImageDirectoryEntryToData(kcall *call)
{
    uint32_t base = karg(call, 0), entry = karg(call, 2), header = pe_header(call, base);
    kput32(call, karg(call, 3), 0);
    if (!header || entry > 15) {
        return kret(call, 0);
    }
    const uint8_t *pair = call->k->memory->base + header + 24 + 96 + 8 * entry;
    uint32_t rva = little32(pair), size = little32(pair + 4);
    if (rva == 0) {
        return kret(call, 0);
    }
    kput32(call, karg(call, 3), size);
    return kret(call, base + rva);
}
