#include "lzx_encode.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lzx.h"

#define DEFAULT_BLOCK 0x10000u
#define HASH_BITS     16u
#define HASH_SIZE     (1u << HASH_BITS)
#define CHAIN_DEPTH   48u
#define GOOD_MATCH    32u     /* no look at the next byte for a match of this length */
#define FAR_SHORT     0x2000u /* a match of three bytes further away costs more than literals */
#define NO_POSITION   UINT32_MAX

/* A literal (symbol below 256) or a match as the main tree codes it. */
typedef struct token {
    uint16_t symbol;
    uint8_t length_symbol; /* used if symbol & 7 == 7 */
    uint32_t extra;        /* value of the offset's extra bits */
} token;

typedef struct code {
    uint8_t lengths[WEFT_LZX_MAIN_MAX];
    uint16_t codes[WEFT_LZX_MAIN_MAX];
} code;

typedef struct encoder {
    const uint8_t *in;
    size_t size;
    weft_lzx_options options;
    uint32_t base[WEFT_LZX_MAX_SLOTS + 1];
    unsigned main_count;
    uint32_t recent[3];

    uint32_t *head;     /* hash of three bytes -> latest position */
    uint32_t *previous; /* position -> the one before it with the same hash */

    token *tokens;
    size_t token_count;
    uint8_t old_main[WEFT_LZX_MAIN_MAX]; /* lengths of the block before: trees are sent as deltas */
    uint8_t old_length[WEFT_LZX_LENGTHS];

    uint8_t *out;
    size_t out_size, out_room;
    uint32_t bits;
    unsigned bit_count;
    bool out_of_memory;
    weft_lzx_stream *stream;
} encoder;

/* ---- output ---- */

static void put_byte(encoder *e, uint8_t value)
{
    if (e->out_size == e->out_room) {
        size_t room = e->out_room ? e->out_room * 2 : 0x10000;
        uint8_t *bytes = realloc(e->out, room);
        if (!bytes) {
            e->out_of_memory = true;
            return;
        }
        e->out = bytes;
        e->out_room = room;
    }
    e->out[e->out_size++] = value;
}

/* At most 17 bits; words of 16 go out low byte first. */
static void put_bits(encoder *e, uint32_t value, unsigned count)
{
    for (; count; count--) {
        e->bits = e->bits << 1 | (value >> (count - 1) & 1);
        if (++e->bit_count == 16) {
            put_byte(e, (uint8_t)e->bits);
            put_byte(e, (uint8_t)(e->bits >> 8));
            e->bits = 0;
            e->bit_count = 0;
        }
    }
}

static void align_word(encoder *e)
{
    while (e->bit_count) {
        put_bits(e, 0, 1);
    }
}

static void end_frame(encoder *e, size_t position)
{
    if (position % WEFT_LZX_FRAME == 0 || position == e->size) {
        align_word(e);
        e->stream->frame_ends[e->stream->frame_count++] = e->out_size;
    }
}

/* ---- Huffman codes ---- */

typedef struct leaf {
    uint32_t frequency;
    uint16_t symbol;
} leaf;

static int by_frequency(const void *a, const void *b)
{
    const leaf *x = a, *y = b;
    if (x->frequency != y->frequency) {
        return x->frequency < y->frequency ? -1 : 1;
    }
    return (int)x->symbol - (int)y->symbol;
}

/* Lengths of an optimal code for sorted leaves (at least two); returns the longest. */
static unsigned huffman_depths(const leaf *leaves, unsigned count, uint8_t *lengths)
{
    uint32_t weight[2 * WEFT_LZX_MAIN_MAX];
    uint16_t parent[2 * WEFT_LZX_MAIN_MAX];
    unsigned depth[2 * WEFT_LZX_MAIN_MAX];
    unsigned leaf_next = 0, node_next = count, node_end = count, total = 2 * count - 1;

    for (unsigned i = 0; i < count; i++) {
        weight[i] = leaves[i].frequency;
    }
    while (node_end < total) {
        weight[node_end] = 0;
        for (unsigned k = 0; k < 2; k++) {
            bool take_leaf = leaf_next < count &&
                             (node_next == node_end || weight[leaf_next] <= weight[node_next]);
            unsigned child = take_leaf ? leaf_next++ : node_next++;
            weight[node_end] += weight[child];
            parent[child] = (uint16_t)node_end;
        }
        node_end++;
    }
    unsigned longest = 0;
    depth[total - 1] = 0;
    for (unsigned i = total - 1; i-- > 0;) {
        depth[i] = depth[parent[i]] + 1;
        if (i < count) {
            lengths[leaves[i].symbol] = (uint8_t)depth[i];
            longest = depth[i] > longest ? depth[i] : longest;
        }
    }
    return longest;
}

/* A complete code of at most `limit` bits; a single symbol gets a companion, none gives no code. */
static void build_code(const uint32_t *frequencies, unsigned count, unsigned limit, code *c)
{
    leaf leaves[WEFT_LZX_MAIN_MAX];
    unsigned used = 0;
    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < count; i++) {
        if (frequencies[i]) {
            leaves[used++] = (leaf){frequencies[i], (uint16_t)i};
        }
    }
    if (!used) {
        return;
    }
    if (used == 1) {
        leaves[used++] = (leaf){1, leaves[0].symbol ? 0 : 1};
    }
    for (;;) {
        qsort(leaves, used, sizeof *leaves, by_frequency);
        if (huffman_depths(leaves, used, c->lengths) <= limit) {
            break;
        }
        for (unsigned i = 0; i < used; i++) {
            leaves[i].frequency = (leaves[i].frequency + 1) / 2; /* flatter, until it fits */
        }
    }
    uint32_t next = 0;
    for (unsigned length = 1; length <= limit; length++) {
        for (unsigned i = 0; i < count; i++) {
            if (c->lengths[i] == length) {
                c->codes[i] = (uint16_t)next++;
            }
        }
        next <<= 1;
    }
}

static void put_symbol(encoder *e, const code *c, unsigned symbol)
{
    put_bits(e, c->codes[symbol], c->lengths[symbol]);
}

/* ---- trees ---- */

typedef struct length_run {
    uint8_t symbol; /* of the pretree */
    uint8_t extra;
    uint8_t delta; /* after symbol 19 */
} length_run;

static unsigned delta_of(uint8_t old, uint8_t new)
{
    return (old + 17u - new) % 17u;
}

/* Lengths [from, to) as differences from the block before, in runs, under a tree of their own. */
static void put_lengths(encoder *e, uint8_t *old, const uint8_t *new, unsigned from, unsigned to)
{
    length_run runs[WEFT_LZX_MAIN_MAX];
    uint32_t frequencies[WEFT_LZX_PRETREE] = {0};
    unsigned count = 0;
    for (unsigned i = from; i < to;) {
        unsigned n = 1;
        while (i + n < to && new[i + n] == new[i] && n < 51) {
            n++;
        }
        length_run *r = &runs[count++];
        *r = (length_run){.symbol = (uint8_t)delta_of(old[i], new[i])};
        if (!new[i] && n >= 20) {
            *r = (length_run){.symbol = 18, .extra = (uint8_t)(n - 20)};
        } else if (!new[i] && n >= 4) {
            n = n > 19 ? 19 : n;
            *r = (length_run){.symbol = 17, .extra = (uint8_t)(n - 4)};
        } else if (n >= 4) {
            n = n > 5 ? 5 : n;
            *r = (length_run){19, (uint8_t)(n - 4), r->symbol};
            frequencies[r->delta]++;
        } else {
            n = 1;
        }
        frequencies[r->symbol]++;
        i += n;
    }
    code pre;
    build_code(frequencies, WEFT_LZX_PRETREE, 15, &pre);
    for (unsigned i = 0; i < WEFT_LZX_PRETREE; i++) {
        put_bits(e, pre.lengths[i], 4);
    }
    for (unsigned i = 0; i < count; i++) {
        const length_run *r = &runs[i];
        put_symbol(e, &pre, r->symbol);
        if (r->symbol >= 17) {
            put_bits(e, r->extra, r->symbol == 17 ? 4 : r->symbol == 18 ? 5 : 1);
        }
        if (r->symbol == 19) {
            put_symbol(e, &pre, r->delta);
        }
    }
    memcpy(old + from, new + from, to - from);
}

/* ---- matching ---- */

static uint32_t hash_at(const uint8_t *p)
{
    return ((uint32_t)p[0] << 16 | p[1] << 8 | p[2]) * 2654435761u >> (32 - HASH_BITS);
}

static void remember(encoder *e, size_t position)
{
    if (e->size - position >= 3) {
        uint32_t hash = hash_at(e->in + position);
        e->previous[position] = e->head[hash];
        e->head[hash] = (uint32_t)position;
    }
}

static unsigned match_length(const encoder *e, size_t position, uint32_t offset, unsigned limit)
{
    const uint8_t *a = e->in + position, *b = a - offset;
    unsigned n = 0;
    while (n < limit && a[n] == b[n]) {
        n++;
    }
    return n;
}

/* The best match at a position not yet remembered; 0 if a literal is better. */
static unsigned find_match(const encoder *e, size_t position, unsigned limit, uint32_t *offset)
{
    unsigned best = 0;
    for (unsigned i = 0; i < 3; i++) {
        if (e->recent[i] <= position) {
            unsigned n = match_length(e, position, e->recent[i], limit);
            if (n >= WEFT_LZX_MIN_MATCH && n > best) {
                best = n;
                *offset = e->recent[i];
            }
        }
    }
    if (limit < 3 || best == limit) {
        return best;
    }
    unsigned wanted = best ? best + 1 : 2; /* a repeated offset is worth one byte */
    uint32_t at = e->head[hash_at(e->in + position)];
    for (unsigned depth = 0; depth < CHAIN_DEPTH && at != NO_POSITION; depth++) {
        uint32_t distance = (uint32_t)(position - at);
        if (distance > e->options.window - 3) {
            break;
        }
        unsigned n = match_length(e, position, distance, limit);
        if (n > wanted && (n > 3 || distance < FAR_SHORT)) {
            wanted = n;
            best = n;
            *offset = distance;
            if (n == limit) {
                break;
            }
        }
        at = e->previous[at];
    }
    return best;
}

static unsigned slot_of(const encoder *e, uint32_t formatted)
{
    unsigned slot = 0;
    while (e->base[slot + 1] <= formatted) {
        slot++;
    }
    return slot;
}

static token make_match(encoder *e, unsigned length, uint32_t offset)
{
    token t = {0};
    uint32_t *r = e->recent;
    unsigned slot = offset == r[0] ? 0 : offset == r[1] ? 1 : offset == r[2] ? 2 : 3;
    if (slot < 3) {
        r[slot] = r[0];
    } else {
        slot = slot_of(e, offset + 2);
        t.extra = offset + 2 - e->base[slot];
        r[2] = r[1];
        r[1] = r[0];
    }
    r[0] = offset;
    unsigned header = length - WEFT_LZX_MIN_MATCH < 7 ? length - WEFT_LZX_MIN_MATCH : 7;
    t.symbol = (uint16_t)(256 + slot * 8 + header);
    t.length_symbol = (uint8_t)(header == 7 ? length - WEFT_LZX_MIN_MATCH - 7 : 0);
    return t;
}

static unsigned token_length(token t)
{
    if (t.symbol < 256) {
        return 1;
    }
    unsigned header = (t.symbol - 256u) % 8;
    return WEFT_LZX_MIN_MATCH + header + t.length_symbol;
}

/* No match may cross the end of its frame or block. */
static unsigned match_limit(size_t position, size_t end)
{
    size_t limit = WEFT_LZX_FRAME - position % WEFT_LZX_FRAME;
    limit = end - position < limit ? end - position : limit;
    return limit < WEFT_LZX_MAX_MATCH ? (unsigned)limit : WEFT_LZX_MAX_MATCH;
}

static void tokenize(encoder *e, size_t start, size_t end)
{
    e->token_count = 0;
    for (size_t p = start; p < end;) {
        uint32_t offset = 0, next_offset = 0;
        unsigned n = find_match(e, p, match_limit(p, end), &offset);
        remember(e, p);
        if (n && n < GOOD_MATCH && p + 1 < end &&
            find_match(e, p + 1, match_limit(p + 1, end), &next_offset) > n) {
            n = 0;
        }
        if (!n) {
            e->tokens[e->token_count++] = (token){.symbol = e->in[p++]};
            continue;
        }
        e->tokens[e->token_count++] = make_match(e, n, offset);
        for (unsigned i = 1; i < n; i++) {
            remember(e, p + i);
        }
        p += n;
    }
}

/* ---- blocks ---- */

static void put_header(encoder *e, unsigned type, size_t length)
{
    put_bits(e, type, 3);
    put_bits(e, (uint32_t)length >> 8, 16);
    put_bits(e, (uint32_t)length & 0xFF, 8);
}

static void put_uncompressed(encoder *e, size_t start, size_t end)
{
    put_header(e, WEFT_LZX_UNCOMPRESSED, end - start);
    put_bits(e, 0, 16 - e->bit_count); /* a whole word if none is begun */
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned shift = 0; shift < 32; shift += 8) {
            put_byte(e, (uint8_t)(e->recent[i] >> shift));
        }
    }
    for (size_t p = start; p < end;) {
        put_byte(e, e->in[p++]);
        if (p == end && (end - start) % 2 && p != e->size) {
            put_byte(e, 0);
        }
        end_frame(e, p);
    }
}

/* The block's codes, what it would cost in bits as verbatim and as aligned. */
typedef struct plan {
    code main, length, aligned;
    uint64_t verbatim_bits, aligned_bits;
} plan;

static void make_plan(const encoder *e, plan *p)
{
    uint32_t main[WEFT_LZX_MAIN_MAX] = {0}, length[WEFT_LZX_LENGTHS] = {0};
    uint32_t aligned[WEFT_LZX_ALIGNED] = {0};
    uint64_t common = 0, extra_bits = 0, aligned_matches = 0;
    for (size_t i = 0; i < e->token_count; i++) {
        token t = e->tokens[i];
        main[t.symbol]++;
        if (t.symbol >= 256) {
            unsigned extra = weft_lzx_extra_bits((t.symbol - 256u) / 8);
            length[t.length_symbol] += (t.symbol - 256u) % 8 == 7;
            extra_bits += extra;
            if (extra >= 3) {
                aligned[t.extra % 8]++;
                aligned_matches++;
            }
        }
    }
    aligned[0] += !aligned_matches; /* an aligned block must have a tree */
    build_code(main, e->main_count, 16, &p->main);
    build_code(length, WEFT_LZX_LENGTHS, 16, &p->length);
    build_code(aligned, WEFT_LZX_ALIGNED, 7, &p->aligned);
    for (unsigned i = 0; i < e->main_count; i++) {
        common += (uint64_t)main[i] * p->main.lengths[i];
    }
    for (unsigned i = 0; i < WEFT_LZX_LENGTHS; i++) {
        common += (uint64_t)length[i] * p->length.lengths[i];
    }
    p->verbatim_bits = common + extra_bits;
    p->aligned_bits = common + extra_bits - 3 * aligned_matches + 24;
    for (unsigned i = 0; i < WEFT_LZX_ALIGNED; i++) {
        p->aligned_bits += (uint64_t)aligned[i] * p->aligned.lengths[i];
    }
}

static void put_tokens(encoder *e, const plan *p, unsigned type, size_t position)
{
    for (size_t i = 0; i < e->token_count; i++) {
        token t = e->tokens[i];
        put_symbol(e, &p->main, t.symbol);
        if (t.symbol >= 256) {
            unsigned extra = weft_lzx_extra_bits((t.symbol - 256u) / 8);
            if ((t.symbol - 256u) % 8 == 7) {
                put_symbol(e, &p->length, t.length_symbol);
            }
            if (type == WEFT_LZX_ALIGNED_BLOCK && extra >= 3) {
                put_bits(e, t.extra >> 3, extra - 3);
                put_symbol(e, &p->aligned, t.extra % 8);
            } else {
                put_bits(e, t.extra, extra);
            }
        }
        position += token_length(t);
        end_frame(e, position);
    }
}

static void encode_block(encoder *e, size_t start, size_t end)
{
    uint32_t recent[3];
    plan p;
    memcpy(recent, e->recent, sizeof recent);
    tokenize(e, start, end);
    make_plan(e, &p);
    unsigned type = e->options.block_type;
    if (!type) {
        bool aligned = p.aligned_bits < p.verbatim_bits;
        uint64_t bits = aligned ? p.aligned_bits : p.verbatim_bits;
        type = aligned ? WEFT_LZX_ALIGNED_BLOCK : WEFT_LZX_VERBATIM;
        if (bits / 8 + 64 > end - start) { /* 64 bytes: about what the trees take */
            type = WEFT_LZX_UNCOMPRESSED;
        }
    }
    if (type == WEFT_LZX_UNCOMPRESSED) {
        memcpy(e->recent, recent, sizeof recent);
        put_uncompressed(e, start, end);
        return;
    }
    put_header(e, type, end - start);
    if (type == WEFT_LZX_ALIGNED_BLOCK) {
        for (unsigned i = 0; i < WEFT_LZX_ALIGNED; i++) {
            put_bits(e, p.aligned.lengths[i], 3);
        }
    }
    put_lengths(e, e->old_main, p.main.lengths, 0, 256);
    put_lengths(e, e->old_main, p.main.lengths, 256, e->main_count);
    put_lengths(e, e->old_length, p.length.lengths, 0, WEFT_LZX_LENGTHS);
    put_tokens(e, &p, type, start);
}

int weft_lzx_encode(const uint8_t *in, size_t size, const weft_lzx_options *options,
                    weft_lzx_stream *out)
{
    encoder e = {
        .in = in,
        .size = size,
        .options = *options,
        .recent = {1, 1, 1},
        .stream = out,
    };
    size_t block = options->block_size ? options->block_size : DEFAULT_BLOCK;
    memset(out, 0, sizeof *out);
    e.main_count = 256 + 8 * weft_lzx_slots(options->window, e.base);
    e.head = malloc(HASH_SIZE * sizeof *e.head);
    e.previous = malloc((size + 1) * sizeof *e.previous);
    e.tokens = malloc(block * sizeof *e.tokens);
    out->frame_ends = malloc((size / WEFT_LZX_FRAME + 2) * sizeof *out->frame_ends);
    e.out_of_memory = !e.head || !e.previous || !e.tokens || !out->frame_ends;
    if (!e.out_of_memory) {
        memset(e.head, 0xFF, HASH_SIZE * sizeof *e.head);
        put_bits(&e, options->e8_size != 0, 1);
        if (options->e8_size) {
            put_bits(&e, options->e8_size >> 16, 16);
            put_bits(&e, options->e8_size & 0xFFFF, 16);
        }
        for (size_t p = 0; p < size; p += block) {
            encode_block(&e, p, size - p < block ? size : p + block);
        }
    }
    free(e.head);
    free(e.previous);
    free(e.tokens);
    out->bytes = e.out;
    out->size = e.out_size;
    if (e.out_of_memory) {
        weft_lzx_stream_free(out);
        return -1;
    }
    return 0;
}

void weft_lzx_stream_free(weft_lzx_stream *stream)
{
    free(stream->bytes);
    free(stream->frame_ends);
    memset(stream, 0, sizeof *stream);
}
