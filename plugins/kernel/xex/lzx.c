#include "lzx.h"

#include <string.h>

#include "xex.h"
#include "xex_bytes.h"

#define FAST_BITS 10u
#define MAX_BITS  16u

/* Canonical Huffman codes of up to 16 bits: a table for the short ones, ranges for the rest. */
typedef struct huffman {
    uint16_t fast[1u << FAST_BITS]; /* symbol << 4 | length, 0 for a longer code */
    uint32_t limit[MAX_BITS + 2];   /* first 16-bit value above the codes of this length */
    uint32_t first[MAX_BITS + 1];   /* 16-bit value of the first code of this length */
    uint16_t index[MAX_BITS + 1];   /* where its symbol stands in sorted */
    uint16_t sorted[WEFT_LZX_MAIN_MAX];
    bool empty;
} huffman;

typedef struct decoder {
    const uint8_t *in;
    size_t in_size;
    size_t in_pos;
    uint64_t bits;  /* the next bit is the top one */
    unsigned count; /* valid bits, the zeros behind the end included */
    unsigned past;  /* how many of them lie behind the end of the input */

    uint8_t *out;
    size_t pos;
    uint32_t recent[3];

    unsigned type; /* of the block, 0 before the first */
    uint32_t length, remaining;

    unsigned main_count;
    uint32_t base[WEFT_LZX_MAX_SLOTS + 1];
    uint8_t
        main_lengths[WEFT_LZX_MAIN_MAX]; /* kept from block to block: trees are sent as deltas */
    uint8_t length_lengths[WEFT_LZX_LENGTHS];
    huffman main, length_tree, aligned, pre;
    char *err;
} decoder;

static int bad(decoder *d, const char *what)
{
    return xex_fail(d->err, WEFT_XEX_E_FORMAT, "lzx: %s at input offset 0x%zx, output offset 0x%zx",
                    what, d->in_pos, d->pos);
}

/* Makes at least 32 bits available. */
static void refill(decoder *d)
{
    while (d->count <= 48) {
        uint64_t word = 0;
        if (d->in_size - d->in_pos >= 2) {
            word = le16(d->in + d->in_pos);
            d->in_pos += 2;
        } else {
            d->past += 16;
        }
        d->bits |= word << (48 - d->count);
        d->count += 16;
    }
}

static void drop(decoder *d, unsigned n)
{
    d->bits <<= n;
    d->count -= n;
}

/* n from 1 to 24. */
static uint32_t take(decoder *d, unsigned n)
{
    if (d->count < n) {
        refill(d);
    }
    uint32_t value = (uint32_t)(d->bits >> (64 - n));
    drop(d, n);
    return value;
}

/* True once bits from behind the end of the input were used. */
static bool ended(const decoder *d)
{
    return d->count < d->past;
}

/* A tree must be complete, as in libmspack; only the length tree may have no code at all. */
static bool huffman_build(huffman *h, const uint8_t *lengths, unsigned symbols)
{
    unsigned per_length[MAX_BITS + 1] = {0};
    for (unsigned i = 0; i < symbols; i++) {
        per_length[lengths[i]]++;
    }
    h->empty = per_length[0] == symbols;
    if (h->empty) {
        return true;
    }
    uint32_t code = 0;
    uint16_t index = 0;
    uint16_t next[MAX_BITS + 1];
    for (unsigned n = 1; n <= MAX_BITS; n++) {
        h->first[n] = code;
        h->index[n] = index;
        next[n] = index;
        index = (uint16_t)(index + per_length[n]);
        code += per_length[n] << (MAX_BITS - n);
        h->limit[n] = code;
    }
    if (code != 1u << MAX_BITS) {
        return false;
    }
    for (unsigned i = 0; i < symbols; i++) {
        if (lengths[i]) {
            h->sorted[next[lengths[i]]++] = (uint16_t)i;
        }
    }
    memset(h->fast, 0, sizeof h->fast);
    for (unsigned n = 1; n <= FAST_BITS; n++) {
        uint32_t at = h->first[n] >> (MAX_BITS - FAST_BITS);
        for (unsigned k = 0; k < per_length[n]; k++) {
            for (uint32_t r = 0; r < 1u << (FAST_BITS - n); r++) {
                h->fast[at++] = (uint16_t)(h->sorted[h->index[n] + k] << 4 | n);
            }
        }
    }
    return true;
}

/* The tree is complete, so every 16-bit value is a code. */
static unsigned huffman_symbol(decoder *d, const huffman *h)
{
    if (d->count < MAX_BITS) {
        refill(d);
    }
    uint32_t value = (uint32_t)(d->bits >> 48);
    uint16_t entry = h->fast[value >> (MAX_BITS - FAST_BITS)];
    if (entry) {
        drop(d, entry & 15u);
        return entry >> 4;
    }
    unsigned n = FAST_BITS + 1;
    while (value >= h->limit[n]) {
        n++;
    }
    drop(d, n);
    return h->sorted[h->index[n] + ((value - h->first[n]) >> (MAX_BITS - n))];
}

/* Code lengths [from, to) as differences from those of the block before, themselves coded. */
static int read_lengths(decoder *d, uint8_t *lengths, unsigned from, unsigned to)
{
    uint8_t pre[WEFT_LZX_PRETREE];
    for (unsigned i = 0; i < WEFT_LZX_PRETREE; i++) {
        pre[i] = (uint8_t)take(d, 4);
    }
    if (!huffman_build(&d->pre, pre, WEFT_LZX_PRETREE) || d->pre.empty) {
        return bad(d, "incomplete pretree");
    }
    for (unsigned i = from; i < to;) {
        unsigned code = huffman_symbol(d, &d->pre);
        unsigned run = 1, value = 0;
        if (code == 17) {
            run = take(d, 4) + 4;
        } else if (code == 18) {
            run = take(d, 5) + 20;
        } else {
            if (code == 19) {
                run = take(d, 1) + 4;
                code = huffman_symbol(d, &d->pre);
                if (code > 16) {
                    return bad(d, "run of a run in a code length table");
                }
            }
            value = (lengths[i] + 17u - code) % 17u;
        }
        if (run > to - i) {
            return bad(d, "run past the end of a code length table");
        }
        memset(lengths + i, (int)value, run);
        i += run;
        if (ended(d)) {
            return bad(d, "input ends inside a code length table");
        }
    }
    return 0;
}

static int read_trees(decoder *d)
{
    if (d->type == WEFT_LZX_ALIGNED_BLOCK) {
        uint8_t lengths[WEFT_LZX_ALIGNED];
        for (unsigned i = 0; i < WEFT_LZX_ALIGNED; i++) {
            lengths[i] = (uint8_t)take(d, 3);
        }
        if (!huffman_build(&d->aligned, lengths, WEFT_LZX_ALIGNED) || d->aligned.empty) {
            return bad(d, "incomplete aligned offset tree");
        }
    }
    int status = read_lengths(d, d->main_lengths, 0, 256);
    if (!status) {
        status = read_lengths(d, d->main_lengths, 256, d->main_count);
    }
    if (!status) {
        status = read_lengths(d, d->length_lengths, 0, WEFT_LZX_LENGTHS);
    }
    if (status) {
        return status;
    }
    if (!huffman_build(&d->main, d->main_lengths, d->main_count) || d->main.empty) {
        return bad(d, "incomplete main tree");
    }
    if (!huffman_build(&d->length_tree, d->length_lengths, WEFT_LZX_LENGTHS)) {
        return bad(d, "incomplete length tree");
    }
    return 0;
}

/* Leaves the bit stream for bytes: pads to a word (a whole one if none is begun), gives words back.
 */
static int enter_bytes(decoder *d)
{
    refill(d);
    drop(d, d->count % 16 ? d->count % 16 : 16);
    if (ended(d)) {
        return bad(d, "input ends before an uncompressed block");
    }
    d->in_pos -= (d->count - d->past) / 8;
    d->bits = 0;
    d->count = 0;
    d->past = 0;
    if (!in_range(d->in_pos, 12, d->in_size)) {
        return bad(d, "input ends inside an uncompressed block's offsets");
    }
    for (unsigned i = 0; i < 3; i++, d->in_pos += 4) {
        d->recent[i] = le32(d->in + d->in_pos);
    }
    return 0;
}

static int read_block_header(decoder *d)
{
    if (d->type == WEFT_LZX_UNCOMPRESSED && d->length % 2 && d->in_pos < d->in_size) {
        d->in_pos++;
    }
    d->type = take(d, 3);
    d->length = take(d, 24);
    d->remaining = d->length;
    if (ended(d)) {
        return bad(d, "input ends inside a block header");
    }
    switch (d->type) {
    case WEFT_LZX_VERBATIM:
    case WEFT_LZX_ALIGNED_BLOCK:
        return read_trees(d);
    case WEFT_LZX_UNCOMPRESSED:
        return enter_bytes(d);
    default:
        return bad(d, "unknown block type");
    }
}

static uint32_t read_offset(decoder *d, unsigned slot)
{
    uint32_t *r = d->recent;
    uint32_t offset = r[0];
    if (slot == 0) {
        return offset;
    }
    if (slot <= 2) {
        offset = r[slot];
        r[slot] = r[0];
        r[0] = offset;
        return offset;
    }
    unsigned extra = weft_lzx_extra_bits(slot);
    offset = d->base[slot] - 2;
    if (d->type == WEFT_LZX_ALIGNED_BLOCK && extra >= 3) {
        if (extra > 3) {
            offset += take(d, extra - 3) << 3;
        }
        offset += huffman_symbol(d, &d->aligned);
    } else if (extra) {
        offset += take(d, extra);
    }
    r[2] = r[1];
    r[1] = r[0];
    r[0] = offset;
    return offset;
}

static int decode_symbols(decoder *d, size_t end)
{
    while (d->pos < end) {
        unsigned symbol = huffman_symbol(d, &d->main);
        if (symbol < 256) {
            d->out[d->pos++] = (uint8_t)symbol;
        } else {
            symbol -= 256;
            size_t length = symbol % 8;
            if (length == 7) {
                if (d->length_tree.empty) {
                    return bad(d, "long match without a length tree");
                }
                length += huffman_symbol(d, &d->length_tree);
            }
            length += WEFT_LZX_MIN_MATCH;
            uint32_t offset = read_offset(d, symbol / 8);
            if (offset == 0 || offset > d->pos) {
                return bad(d, "match before the start of the output");
            }
            if (length > end - d->pos) {
                return bad(d, "match past the end of its block or frame");
            }
            uint8_t *to = d->out + d->pos;
            const uint8_t *from = to - offset;
            for (size_t i = 0; i < length; i++) {
                to[i] = from[i]; /* overlaps on purpose */
            }
            d->pos += length;
        }
        if (ended(d)) {
            return bad(d, "input ends inside a block");
        }
    }
    return 0;
}

static int decode_frame(decoder *d, size_t end)
{
    while (d->pos < end) {
        while (d->remaining == 0) {
            int status = read_block_header(d);
            if (status) {
                return status;
            }
        }
        size_t run = end - d->pos < d->remaining ? end - d->pos : d->remaining;
        if (d->type == WEFT_LZX_UNCOMPRESSED) {
            if (!in_range(d->in_pos, run, d->in_size)) {
                return bad(d, "input ends inside an uncompressed block");
            }
            memcpy(d->out + d->pos, d->in + d->in_pos, run);
            d->in_pos += run;
            d->pos += run;
        } else {
            int status = decode_symbols(d, d->pos + run);
            if (status) {
                return status;
            }
        }
        d->remaining -= (uint32_t)run;
    }
    drop(d, d->count % 16);
    return 0;
}

/*
 * Undoes the encoder's translation of x86 call targets, frame by frame, after all frames are
 * decoded: matches refer to the untranslated bytes. Only the first 32768 frames take part, and in
 * each of them no byte of the last ten begins a call.
 */
static void undo_e8(uint8_t *out, size_t size, int32_t file_size)
{
    for (size_t start = 0; start < size && start / WEFT_LZX_FRAME < 32768;
         start += WEFT_LZX_FRAME) {
        size_t length = size - start < WEFT_LZX_FRAME ? size - start : WEFT_LZX_FRAME;
        if (length <= 10) {
            break;
        }
        for (size_t i = start; i < start + length - 10;) {
            if (out[i] != 0xE8) {
                i++;
                continue;
            }
            int32_t target = (int32_t)le32(out + i + 1), at = (int32_t)i;
            if (target >= -at && target < file_size) {
                put_le32(out + i + 1, (uint32_t)target +
                                          (target >= 0 ? 0u - (uint32_t)at : (uint32_t)file_size));
            }
            i += 5;
        }
    }
}

int weft_lzx_decode(const uint8_t *in, size_t in_size, uint32_t window, uint8_t *out,
                    size_t out_size, char *err)
{
    if (window < WEFT_LZX_WINDOW_MIN || window > WEFT_LZX_WINDOW_MAX || (window & (window - 1))) {
        return xex_fail(
            err, WEFT_XEX_E_FORMAT,
            "lzx: window size (found 0x%x, expected a power of two from 0x8000 to 0x200000)",
            window);
    }
    decoder d = {
        .in = in,
        .in_size = in_size,
        .out = out,
        .recent = {1, 1, 1},
        .err = err,
    };
    d.main_count = 256 + 8 * weft_lzx_slots(window, d.base);
    int32_t e8_size = 0;
    if (take(&d, 1)) {
        uint32_t high = take(&d, 16);
        e8_size = (int32_t)(high << 16 | take(&d, 16));
    }
    while (d.pos < out_size) {
        size_t left = out_size - d.pos;
        int status = decode_frame(&d, d.pos + (left < WEFT_LZX_FRAME ? left : WEFT_LZX_FRAME));
        if (status) {
            return status;
        }
    }
    if (e8_size) {
        undo_e8(out, out_size, e8_size);
    }
    return 0;
}
