/* Appending and making strings, stack limits, image headers (NT documentation). */
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
