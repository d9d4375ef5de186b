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
    wtr_bytes body, raw, footer;
    wtr_packer packer;
    canon_kind kinds[WEFT_EVENT_KIND_END];
    uint64_t group_events; /* of the writer */
    wtr_group group;
    size_t next;     /* event of the group to hand out */
    uint64_t events; /* handed over by the groups so far */
    uint64_t blocks, footer_offset;
    struct chain { /* what each thread's last block ended with */
        uint64_t thread, value[2], canon, canonical, events;
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
    r->group_events = wtr_take_varint(&v);
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
    canon_own_kinds(r->kinds);
    return r;
}

static struct chain *chain_of(binary_reader *r, uint64_t thread)
{
    size_t at = (size_t)(thread * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    while (r->chains[at &= r->chain_room - 1].used && r->chains[at].thread != thread) {
        at++;
    }
    return &r->chains[at];
}

/* Checks that a block follows its thread's last one. */
static int follow(binary_reader *r, const wtr_block *b)
{
    if (r->chain_count * 2 >= r->chain_room) {
        binary_reader bigger = {.chain_room = r->chain_room ? r->chain_room * 2 : 64};
        bigger.chains = calloc(bigger.chain_room, sizeof *bigger.chains);
        if (!bigger.chains) {
            return 0;
        }
        for (size_t i = 0; i < r->chain_room; i++) {
            if (r->chains[i].used) {
                *chain_of(&bigger, r->chains[i].thread) = r->chains[i];
            }
        }
        free(r->chains);
        r->chains = bigger.chains;
        r->chain_room = bigger.chain_room;
    }
    struct chain *c = chain_of(r, b->thread);
    int good = (r->again && !c->used) ||
               (c->value[0] == b->before[0] && c->value[1] == b->before[1] &&
                c->canon == b->canon_before && c->canonical == b->canonical_before);
    r->chain_count += !c->used;
    *c = (struct chain){
        .thread = b->thread,
        .value = {b->chain[0], b->chain[1]},
        .canon = b->canon_chain,
        .canonical = b->canonical_before + b->canonical_count,
        .events = c->events + b->events,
        .used = 1,
    };
    return good;
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
    char among[96] = "";
    r->ended = 1;
    if (r->footer.used > 0) {
        snprintf(t->info.missing, sizeof t->info.missing,
                 "the file was cut inside its footer, at byte %llu: all %llu events are there",
                 (unsigned long long)t->bytes, (unsigned long long)r->events);
        return;
    }
    if (r->group.events > 0) {
        snprintf(among, sizeof among, ", at least %llu among the last %llu are missing",
                 (unsigned long long)gaps, (unsigned long long)(r->group.events + gaps));
    }
    snprintf(t->info.missing, sizeof t->info.missing,
             "the file was cut: its last whole record ends at byte %llu (%llu bytes behind it are "
             "none); %llu events are there%s; what came later is missing: of a run that was killed "
             "at most %llu events, or those of a guest second, and what was under way; of a full "
             "disk all the rest",
             (unsigned long long)r->offset, (unsigned long long)bytes,
             (unsigned long long)(r->events + r->group.events), among,
             (unsigned long long)(r->group_events ? r->group_events - 1 : 0));
}

static void *bad_record(weft_trace *t, const char *type, const char *why)
{
    return trace_fail_offset(t, t->binary->offset, "%s cannot be read (%s)", type, why);
}

/* Whether the footer is of the blocks that were read. */
static int footer_agrees(binary_reader *r, const wtr_footer *f)
{
    if (f->survey.events != r->events + r->group.events) {
        return 0;
    }
    if (r->again) {
        return 1; /* not all of them were read this time */
    }
    if (f->block_count != r->blocks || f->survey.thread_count != r->chain_count) {
        return 0;
    }
    for (size_t i = 0; i < r->chain_count; i++) {
        const survey_thread *thread = &f->survey.threads[i];
        const struct chain *c = chain_of(r, thread->id);
        if (!c->used || c->value[0] != f->chains[i][0] || c->value[1] != f->chains[i][1] ||
            c->canon != thread->chain || c->canonical != thread->canonical ||
            c->events != thread->events) {
            return 0;
        }
    }
    return 1;
}

/* A part of the footer was read: keeps it; the last one ends the file. */
static void read_footer(weft_trace *t, binary_reader *r)
{
    uint8_t tail[WTR_TAIL], more;
    uint64_t begin = r->footer.used ? r->footer_offset : r->offset;
    int last = r->raw.used > 0 && r->raw.at[0] == 0;
    r->footer_offset = begin;
    wtr_put(&r->footer, r->raw.at + 1, r->raw.used ? r->raw.used - 1 : 0);
    if (r->raw.used < 2 || r->footer.no_memory || r->footer.used > WTR_FOOTER_LIMIT(begin)) {
        bad_record(t, "footer", "it is longer than such a file needs, or empty");
        return;
    }
    if (!last) {
        r->offset = t->bytes;
        return;
    }
    wtr_footer footer = {0};
    const char *why = wtr_footer_read(&footer, &r->footer, begin);
    if (!why && !footer_agrees(r, &footer)) {
        why = "it is not of the blocks that are there";
    }
    t->info.last = footer.last;
    memcpy(t->info.digest, footer.digest, sizeof t->info.digest);
    wtr_footer_end(&footer);
    if (why) {
        bad_record(t, "footer", why);
        return;
    }
    r->ended = 1;
    if (!read_bytes(t, tail, sizeof tail)) {
        snprintf(t->info.missing, sizeof t->info.missing,
                 "the file was cut inside its last %d bytes: all events are there", WTR_TAIL);
        return;
    }
    wtr_view end = {.at = tail, .end = tail + 8};
    if (wtr_take_u64(&end) != begin || memcmp(tail + 8, WTR_TAIL_MAGIC, 8) != 0 ||
        (!t->follow && read_bytes(t, &more, 1))) {
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
    const char *why = wtr_unpack(header, &record, r->body.at, &r->raw, &r->packer);
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
    } else if (record.type == WTR_BLOCK) {
        wtr_block block;
        why = wtr_block_read(&r->group, r->kinds, &r->raw, 0, &block);
        if (!why && !follow(r, &block)) {
            why = "it does not follow the last block of its thread";
        }
        if (why) {
            bad_record(t, "block", why);
        }
        r->blocks++;
    }
    r->offset = t->bytes;
    return record.type != WTR_MARK && !t->error[0];
}

const weft_event *binary_next(weft_trace *t)
{
    binary_reader *r = t->binary;
    while (r->next == r->group.events) {
        if (r->ended) {
            return NULL;
        }
        r->events += r->group.events;
        wtr_group_empty(&r->group);
        r->next = 0;
        while (read_record(t, r)) {
        }
        if (t->error[0]) {
            return NULL;
        }
        if (!wtr_group_sort(&r->group)) {
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
    wtr_group_empty(&r->group);
    r->next = 0;
    r->footer.used = 0;
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
        wtr_bytes_free(&r->footer);
        wtr_packer_end(&r->packer);
        wtr_group_end(&r->group);
        free(r->chains);
        free(r);
    }
}
