/* binary.c: reads a binary trace from front to back, a group of blocks at a time.
 *
 * Between two marks lie the blocks of a stretch of the run, one or more for each thread; sorted by
 * sequence they are that stretch. A file that was cut gives its whole blocks up to the cut. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "reader.h"
#include "wtr.h"

#define MAX_TEXTS 65536 /* bytes of the header's texts */

struct binary_reader {
    uint64_t offset; /* in the file, of the next record */
    wtr_bytes body, raw;
    wtr_group group;
    size_t next;     /* event of the group to hand out */
    uint64_t events; /* handed over by the groups so far */
    uint64_t blocks;
    struct chain { /* what each thread's last block ended with */
        uint64_t thread, value[2];
        int used;
    } * chains;
    size_t chain_count, chain_room;
    int ended; /* footer was read, or the file was cut */
    int again; /* 1: reading began behind the first block */
};

/* Reads exactly `length` bytes into `to`; 0 where the file ends before. */
static int read_bytes(weft_trace *t, void *to, size_t length)
{
    return trace_read_all(t, to, length) == length;
}

/* Makes room for and reads a record's body. */
static int read_body(weft_trace *t, wtr_bytes *body, size_t length)
{
    static const uint8_t zeros[4096];
    wtr_put(body, zeros, 1); /* so that an empty one has a place too */
    body->used = 0;
    while (body->used < length) { /* grown as it is read: a hostile length costs nothing */
        size_t step = length - body->used < sizeof zeros ? length - body->used : sizeof zeros;
        size_t at = body->used;
        wtr_put(body, zeros, step);
        if (body->no_memory || !read_bytes(t, body->at + at, step)) {
            return 0;
        }
    }
    return 1;
}

static void take_text(wtr_view *v, char *to, size_t room)
{
    uint64_t length = wtr_take_varint(v);
    const uint8_t *bytes = wtr_take(v, length);
    size_t fits = bytes && length < room ? (size_t)length : bytes ? room - 1 : 0;
    if (fits) {
        memcpy(to, bytes, fits);
    }
    to[fits] = 0;
}

binary_reader *binary_open(weft_trace *t, const char *head, size_t length)
{
    uint8_t fixed[WTR_HEAD];
    memcpy(fixed, head, length);
    if (!read_bytes(t, fixed + length, sizeof fixed - length)) {
        return trace_fail_offset(t, t->bytes, "file ends inside its header (expected %d bytes)",
                                 WTR_HEAD);
    }
    wtr_view v = {.at = fixed + 8, .end = fixed + sizeof fixed};
    uint32_t version = wtr_take_u32(&v), texts = wtr_take_u32(&v), crc = wtr_take_u32(&v);
    if (version != WTR_VERSION) {
        return trace_fail_offset(t, 8, "version cannot be read (found %u, expected %d)", version,
                                 WTR_VERSION);
    }
    if (texts > MAX_TEXTS) {
        return trace_fail_offset(t, 12, "header is too long (found %u bytes, expected %d at most)",
                                 texts, MAX_TEXTS);
    }
    binary_reader *r = calloc(1, sizeof *r);
    if (!r) {
        return trace_fail_offset(t, 0, "no memory for a reader");
    }
    if (!read_body(t, &r->body, texts)) {
        binary_close(r);
        return trace_fail_offset(t, t->bytes, "file ends inside its header (expected %u bytes)",
                                 WTR_HEAD + texts);
    }
    v = (wtr_view){.at = r->body.at, .end = r->body.at + r->body.used};
    if (crc32(crc32(0, NULL, 0), r->body.at, (uInt)r->body.used) != crc) {
        binary_close(r);
        return trace_fail_offset(t, 16, "header's CRC does not match");
    }
    weft_trace_info *info = &t->info;
    info->first = wtr_take_varint(&v);
    uint64_t flags = wtr_take_varint(&v);
    info->partial = (flags & WTR_PARTIAL) != 0;
    info->parallel = (flags & WTR_PARALLEL) != 0;
    info->foreign = 0;
    take_text(&v, info->engine, sizeof info->engine);
    take_text(&v, info->build, sizeof info->build);
    take_text(&v, info->title, sizeof info->title);
    take_text(&v, info->profile_digest, sizeof info->profile_digest);
    take_text(&v, info->before, sizeof info->before);
    if (v.bad || v.at != v.end) {
        binary_close(r);
        return trace_fail_offset(t, WTR_HEAD, "header's texts do not fill it");
    }
    r->offset = t->bytes;
    return r;
}

/* Checks that a block follows its thread's last one. */
static int follow(binary_reader *r, uint64_t thread, const uint64_t before[2],
                  const uint64_t chain[2])
{
    if (r->chain_count * 2 >= r->chain_room) {
        size_t room = r->chain_room ? r->chain_room * 2 : 64;
        struct chain *more = calloc(room, sizeof *more);
        if (!more) {
            return 0;
        }
        for (size_t i = 0; i < r->chain_room; i++) {
            if (r->chains[i].used) {
                size_t at = (size_t)(r->chains[i].thread * UINT64_C(0x9e3779b97f4a7c15) >> 32);
                while (more[at &= room - 1].used) {
                    at++;
                }
                more[at] = r->chains[i];
            }
        }
        free(r->chains);
        r->chains = more;
        r->chain_room = room;
    }
    size_t at = (size_t)(thread * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    while (r->chains[at &= r->chain_room - 1].used && r->chains[at].thread != thread) {
        at++;
    }
    struct chain *c = &r->chains[at];
    int good = (r->again && !c->used) || (c->value[0] == before[0] && c->value[1] == before[1]);
    r->chain_count += !c->used;
    *c = (struct chain){.thread = thread, .value = {chain[0], chain[1]}, .used = 1};
    return good;
}

static int by_sequence(const void *a, const void *b)
{
    const struct wtr_place *x = a, *y = b;
    if (x->sequence != y->sequence) {
        return x->sequence < y->sequence ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Puts a group in the run's order. Sequences without a gap, the usual case, find their places
 * without comparing. */
static int sort_group(wtr_group *g)
{
    uint64_t low = UINT64_MAX;
    if (g->events == 0) {
        return 1;
    }
    for (size_t i = 0; i < g->events; i++) {
        low = g->places[i].sequence < low ? g->places[i].sequence : low;
    }
    struct wtr_place *sorted = calloc(g->events, sizeof *sorted);
    if (!sorted) {
        return 0;
    }
    size_t placed = 0;
    for (; placed < g->events; placed++) {
        uint64_t at = g->places[placed].sequence - low;
        if (at >= g->events || sorted[at].order) {
            break;
        }
        sorted[at] = g->places[placed];
        sorted[at].order++;
    }
    if (placed == g->events) {
        memcpy(g->places, sorted, g->events * sizeof *sorted);
    } else {
        qsort(g->places, g->events, sizeof *g->places, by_sequence);
    }
    free(sorted);
    return 1;
}

/* The file ended before its footer: says what that means. */
static void cut(weft_trace *t, binary_reader *r, uint64_t bytes)
{
    uint64_t low = UINT64_MAX, high = 0;
    for (size_t i = 0; i < r->group.events; i++) {
        uint64_t sequence = r->group.places[i].sequence;
        low = sequence < low ? sequence : low;
        high = sequence > high ? sequence : high;
    }
    uint64_t gaps =
        r->group.events && high - low + 1 > r->group.events ? high - low + 1 - r->group.events : 0;
    snprintf(t->info.missing, sizeof t->info.missing,
             "the file was cut: its last whole block ends at byte %llu (%llu bytes behind it are "
             "part of one); %llu events are there, at least %llu among the last %llu are missing, "
             "and all that came later",
             (unsigned long long)r->offset, (unsigned long long)bytes,
             (unsigned long long)(r->events + r->group.events), (unsigned long long)gaps,
             (unsigned long long)(r->group.events + gaps));
    r->ended = 1;
}

static void *bad_record(weft_trace *t, const char *type, const char *why)
{
    return trace_fail_offset(t, t->binary->offset, "%s cannot be read (%s)", type, why);
}

static void read_footer(weft_trace *t, binary_reader *r)
{
    wtr_view v = {.at = r->raw.at, .end = r->raw.at + r->raw.used};
    uint8_t tail[WTR_TAIL], more;
    t->info.last = wtr_take_u64(&v);
    take_text(&v, t->info.digest, sizeof t->info.digest);
    uint64_t events = wtr_take_varint(&v), blocks = wtr_take_varint(&v);
    if (v.bad || events != r->events + r->group.events || (blocks != r->blocks && !r->again)) {
        bad_record(t, "footer", "it counts other events or blocks than there are");
        return;
    }
    r->ended = 1;
    if (!read_bytes(t, tail, sizeof tail)) {
        snprintf(t->info.missing, sizeof t->info.missing,
                 "the file was cut inside its last %d bytes: all events are there", WTR_TAIL);
        return;
    }
    wtr_view end = {.at = tail, .end = tail + 8};
    if (wtr_take_u64(&end) != r->offset || memcmp(tail + 8, WTR_TAIL_MAGIC, 8) != 0 ||
        read_bytes(t, &more, 1)) {
        bad_record(t, "tail", "it does not point to the footer, or more follows it");
        return;
    }
    t->info.complete = 1;
}

/* Reads a record. 1: a block, go on; 0: the group ends here, or the file, or it failed. */
static int read_record(weft_trace *t, binary_reader *r)
{
    uint8_t header[WTR_RECORD];
    wtr_record record;
    uint64_t start = t->bytes;
    if (!read_bytes(t, header, sizeof header)) {
        cut(t, r, t->bytes - start);
        return 0;
    }
    if (!wtr_parse_record(header, &record)) {
        bad_record(t, "record", "its header is none");
        return 0;
    }
    if (!read_body(t, &r->body, record.stored)) {
        cut(t, r, t->bytes - start);
        return 0;
    }
    const char *why = wtr_unpack(header, &record, r->body.at, &r->raw);
    if (why) {
        bad_record(t, "record", why);
        return 0;
    }
    if (record.type == WTR_FOOTER) {
        read_footer(t, r);
        return 0;
    }
    if (record.type == WTR_MARK) {
        wtr_view v = {.at = r->raw.at, .end = r->raw.at + r->raw.used};
        wtr_take_u64(&v);
        if (wtr_take_u64(&v) != r->events + r->group.events || v.bad || v.at != v.end) {
            bad_record(t, "mark", "it counts other events than there are");
        }
    } else {
        uint64_t thread, before[2], chain[2];
        why = wtr_block_read(&r->group, &r->raw, &thread, before, chain);
        if (!why && !follow(r, thread, before, chain)) {
            why = "it does not follow the last block of its thread";
        }
        if (why) {
            bad_record(t, "block", why);
        }
        r->blocks++;
    }
    r->offset = t->bytes;
    return record.type == WTR_BLOCK && !t->error[0];
}

const weft_event *binary_next(weft_trace *t)
{
    binary_reader *r = t->binary;
    while (r->next == r->group.events) {
        if (r->ended) {
            return NULL;
        }
        r->events += r->group.events;
        r->group.events = r->group.words_used = r->next = 0;
        while (read_record(t, r)) {
        }
        if (t->error[0]) {
            return NULL;
        }
        if (!sort_group(&r->group)) {
            return trace_fail_offset(t, r->offset, "no memory for a group");
        }
    }
    return (const weft_event *)(r->group.words + r->group.places[r->next++].at);
}

int binary_place(const weft_trace *t, uint64_t *offset)
{
    *offset = t->binary->offset;
    return t->binary->next == t->binary->group.events;
}

int binary_seek(weft_trace *t, uint64_t offset, uint64_t events)
{
    binary_reader *r = t->binary;
    if (fseeko(t->file, (off_t)offset, SEEK_SET) != 0) {
        trace_fail_offset(t, offset, "cannot go back (found %s, expected a file)", strerror(errno));
        return 0;
    }
    t->bytes = r->offset = offset;
    r->events = events;
    r->group.events = r->group.words_used = r->next = 0;
    r->ended = 0;
    r->chain_count = 0; /* a thread's first block from here on follows one that is not read again */
    for (size_t i = 0; i < r->chain_room; i++) {
        r->chains[i].used = 0;
    }
    r->again = 1;
    t->info.complete = 0;
    return 1;
}

void binary_close(binary_reader *r)
{
    if (r) {
        wtr_bytes_free(&r->body);
        wtr_bytes_free(&r->raw);
        free(r->group.words);
        free(r->group.places);
        free(r->chains);
        free(r);
    }
}
