/* bytes.c: varints, records and their compression. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#ifdef WEFT_HAVE_ZSTD
#include <zstd.h>
#endif

#include "wtr.h"

#define ZSTD_LEVEL (-1) /* two fifths of the time of 1, a file some 5 % larger */
#define ZLIB_LEVEL 1

uint8_t *wtr_room(wtr_bytes *b, size_t more)
{
    if (b->no_memory) {
        return NULL;
    }
    if (more > b->room - b->used) {
        size_t room = b->room ? b->room : 256;
        while (room - b->used < more) {
            room *= 2;
        }
        uint8_t *at = realloc(b->at, room);
        if (!at) {
            b->no_memory = 1;
            return NULL;
        }
        b->at = at;
        b->room = room;
    }
    return b->at + b->used;
}

void wtr_put(wtr_bytes *b, const void *bytes, size_t length)
{
    uint8_t *to = length ? wtr_room(b, length) : NULL;
    if (to) {
        memcpy(to, bytes, length);
        b->used += length;
    }
}

void wtr_put_varint(wtr_bytes *b, uint64_t value)
{
    uint8_t *to = wtr_room(b, 10);
    if (to) {
        uint8_t *from = to;
        for (; value >= 0x80; value >>= 7) {
            *to++ = (uint8_t)(value | 0x80);
        }
        *to++ = (uint8_t)value;
        b->used += (size_t)(to - from);
    }
}

void wtr_put_u32(wtr_bytes *b, uint32_t value)
{
    uint8_t bytes[4];
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
    wtr_put(b, bytes, sizeof bytes);
}

void wtr_put_u64(wtr_bytes *b, uint64_t value)
{
    wtr_put_u32(b, (uint32_t)value);
    wtr_put_u32(b, (uint32_t)(value >> 32));
}

void wtr_bytes_free(wtr_bytes *b)
{
    free(b->at);
    memset(b, 0, sizeof *b);
}

const uint8_t *wtr_take(wtr_view *v, uint64_t length)
{
    if (length > (uint64_t)(v->end - v->at)) {
        v->bad = 1;
        v->at = v->end;
        return NULL;
    }
    const uint8_t *from = v->at;
    v->at += length;
    return from;
}

uint64_t wtr_take_varint(wtr_view *v)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && v->at < v->end; shift += 7) {
        uint8_t byte = *v->at++;
        if (shift == 63 && byte > 1) {
            break;
        }
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    v->bad = 1;
    return 0;
}

uint32_t wtr_take_u32(wtr_view *v)
{
    const uint8_t *at = wtr_take(v, 4);
    return at ? at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24 : 0;
}

uint64_t wtr_take_u64(wtr_view *v)
{
    uint64_t low = wtr_take_u32(v);
    return low | (uint64_t)wtr_take_u32(v) << 32;
}

/* Packs `raw` behind out->used; returns the stored length, 0 where it did not shrink. */
static size_t pack(wtr_bytes *out, const wtr_bytes *raw, uint8_t *codec, wtr_packer *packer)
{
#ifdef WEFT_HAVE_ZSTD
    size_t bound = ZSTD_compressBound(raw->used);
    uint8_t *to = wtr_room(out, bound);
    *codec = WTR_ZSTD;
    if (!packer->pack) {
        packer->pack = ZSTD_createCCtx();
    }
    if (!to || !packer->pack) {
        out->no_memory = 1;
        return 0;
    }
    size_t length = ZSTD_compressCCtx(packer->pack, to, bound, raw->at, raw->used, ZSTD_LEVEL);
    return ZSTD_isError(length) || length >= raw->used ? 0 : length;
#else
    uLongf length = compressBound((uLong)raw->used);
    uint8_t *to = wtr_room(out, length);
    (void)packer;
    *codec = WTR_ZLIB;
    int failed = !to || compress2(to, &length, raw->at, (uLong)raw->used, ZLIB_LEVEL) != Z_OK;
    return failed || length >= raw->used ? 0 : length;
#endif
}

void wtr_packer_end(wtr_packer *packer)
{
#ifdef WEFT_HAVE_ZSTD
    ZSTD_freeCCtx(packer->pack);
    ZSTD_freeDCtx(packer->unpack);
#endif
    *packer = (wtr_packer){0};
}

void wtr_put_record(wtr_bytes *out, uint8_t type, const wtr_bytes *raw, wtr_packer *packer)
{
    static const uint8_t zeros[WTR_RECORD];
    size_t start = out->used;
    uint8_t codec;
    out->no_memory |= raw->no_memory;
    wtr_put(out, zeros, sizeof zeros);
    size_t stored = pack(out, raw, &codec, packer);
    if (stored > 0) {
        out->used += stored;
    } else {
        codec = WTR_STORED;
        stored = raw->used;
        wtr_put(out, raw->at, raw->used);
    }
    if (out->no_memory) {
        return;
    }
    size_t end = out->used;
    out->used = start;
    wtr_put_u32(out, WTR_RECORD_MAGIC);
    wtr_put(out, (const uint8_t[]){type, codec, 0, 0}, 4);
    wtr_put_u32(out, (uint32_t)raw->used);
    wtr_put_u32(out, (uint32_t)stored);
    uLong crc = crc32(0, out->at + start, 16);
    crc = crc32(crc, out->at + start + WTR_RECORD, (uInt)stored);
    wtr_put_u32(out, (uint32_t)crc);
    wtr_put_u32(out, 0);
    out->used = end;
}

int wtr_parse_record(const uint8_t bytes[WTR_RECORD], wtr_record *record)
{
    wtr_view v = {.at = bytes, .end = bytes + WTR_RECORD};
    uint32_t magic = wtr_take_u32(&v);
    uint32_t type = wtr_take_u32(&v);
    record->type = (uint8_t)type;
    record->codec = (uint8_t)(type >> 8);
    record->raw = wtr_take_u32(&v);
    record->stored = wtr_take_u32(&v);
    record->crc = wtr_take_u32(&v);
    return magic == WTR_RECORD_MAGIC && type >> 16 == 0 && wtr_take_u32(&v) == 0 &&
           record->type >= WTR_BLOCK && record->type <= WTR_NAMES && record->codec <= WTR_ZSTD &&
           record->raw <= WTR_MAX_RAW && record->stored <= record->raw;
}

const char *wtr_unpack(const uint8_t header[WTR_RECORD], const wtr_record *record,
                       const uint8_t *body, wtr_bytes *raw, wtr_packer *packer)
{
    uLong crc = crc32(crc32(0, header, 16), body, record->stored);
    raw->used = 0;
    if (!wtr_room(raw, 1)) {
        return "no memory";
    }
    if (crc != record->crc) {
        return "its CRC does not match";
    }
    if (record->codec == WTR_STORED) {
        wtr_put(raw, body, record->stored);
        return raw->no_memory             ? "no memory"
               : raw->used == record->raw ? NULL
                                          : "its lengths differ";
    }
    uint8_t *to = wtr_room(raw, (size_t)record->raw + 1);
    if (!to) {
        return "no memory";
    }
    raw->used = record->raw;
    if (record->codec == WTR_ZLIB) {
        uLongf length = record->raw;
        int failed = uncompress(to, &length, body, record->stored) != Z_OK;
        return failed || length != record->raw ? "zlib cannot unpack it" : NULL;
    }
#ifdef WEFT_HAVE_ZSTD
    if (!packer->unpack && !(packer->unpack = ZSTD_createDCtx())) {
        return "no memory";
    }
    size_t length = ZSTD_decompressDCtx(packer->unpack, to, record->raw, body, record->stored);
    return ZSTD_isError(length) || length != record->raw ? "zstd cannot unpack it" : NULL;
#else
    (void)packer;
    return "it is packed with zstd, which this build lacks";
#endif
}
