/* writer.c: see writer.h. */
#include "writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "wtr.h"

/* Columns of this many payload words end a block before its count does. */
#define BLOCK_WORDS 262144

struct weft_trace_writer {
    int file, error, ended;
    uint32_t block_events;
    uint64_t written;

    /* Blocks by thread, in the order in which the threads appeared, and where to find them. */
    wtr_block **blocks;
    size_t block_count, block_room;
    uint32_t *places; /* open addressing: number of a block from 1; 0: free */
    size_t place_room;
    wtr_block *defines; /* has definitions that are not in the file; NULL: none has */
    wtr_block *last;    /* the block of the latest event: most events follow one of their thread */

    uint64_t group_events, group_words;
    uint64_t events, records, next_sequence;
    uint64_t footer_offset; /* of the record before, for the index */
    wtr_bytes raw, out, index;
};

/* Hands `out` to the file. After an error nothing more is written. */
static void write_out(weft_trace_writer *w)
{
    size_t done = 0;
    if (w->out.no_memory && w->error == 0) {
        w->error = ENOMEM;
    }
    while (done < w->out.used && w->error == 0) {
        ssize_t n = write(w->file, w->out.at + done, w->out.used - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            w->error = errno;
        }
    }
    w->written += done;
    w->out.used = 0;
}

static void put_string(wtr_bytes *b, const char *text)
{
    wtr_put_varint(b, strlen(text));
    wtr_put(b, text, strlen(text));
}

weft_trace_writer *weft_trace_writer_new(int file, const weft_trace_begin *begin, int parallel,
                                         uint32_t block_events)
{
    weft_trace_writer *w = calloc(1, sizeof *w);
    if (!w) {
        return NULL;
    }
    w->file = file;
    w->block_events = block_events;
    wtr_put_varint(&w->raw, begin->first);
    wtr_put_varint(&w->raw, (begin->partial ? WTR_PARTIAL : 0u) | (parallel ? WTR_PARALLEL : 0u));
    put_string(&w->raw, begin->engine);
    put_string(&w->raw, begin->build);
    put_string(&w->raw, begin->title);
    put_string(&w->raw, begin->profile_digest);
    put_string(&w->raw, begin->digest);
    w->out.no_memory |= w->raw.no_memory;
    wtr_put(&w->out, WTR_MAGIC, 8);
    wtr_put_u32(&w->out, WTR_VERSION);
    wtr_put_u32(&w->out, (uint32_t)w->raw.used);
    wtr_put_u32(&w->out, (uint32_t)crc32(0, w->raw.at, (uInt)w->raw.used));
    wtr_put(&w->out, w->raw.at, w->raw.used);
    write_out(w);
    return w;
}

static size_t find_place(const weft_trace_writer *w, uint64_t thread)
{
    size_t at = (size_t)(thread * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (w->place_room - 1);
    while (w->places[at] && w->blocks[w->places[at] - 1]->thread != thread) {
        at = (at + 1) & (w->place_room - 1);
    }
    return at;
}

static int grow(weft_trace_writer *w)
{
    size_t room = w->place_room ? w->place_room * 2 : 64;
    uint32_t *places = calloc(room, sizeof *places);
    wtr_block **blocks = realloc(w->blocks, room / 2 * sizeof(wtr_block *));
    if (blocks) {
        w->blocks = blocks;
    }
    if (!places || !blocks) {
        free(places);
        return 0;
    }
    free(w->places);
    w->places = places;
    w->place_room = room;
    w->block_room = room / 2;
    for (size_t i = 0; i < w->block_count; i++) {
        w->places[find_place(w, w->blocks[i]->thread)] = (uint32_t)(i + 1);
    }
    return 1;
}

static wtr_block *block_of(weft_trace_writer *w, uint64_t thread)
{
    if (w->last && w->last->thread == thread) {
        return w->last;
    }
    if (w->block_count == w->block_room && !grow(w)) {
        return NULL;
    }
    size_t at = find_place(w, thread);
    if (!w->places[at]) {
        wtr_block *fresh = calloc(1, sizeof *fresh);
        if (!fresh) {
            return NULL;
        }
        fresh->thread = thread;
        w->blocks[w->block_count++] = fresh;
        w->places[at] = (uint32_t)w->block_count;
    }
    return w->last = w->blocks[w->places[at] - 1];
}

static void write_block(weft_trace_writer *w, wtr_block *b)
{
    uint64_t offset = w->written;
    wtr_put_varint(&w->index, offset - w->footer_offset);
    wtr_put_u64(&w->index, b->thread);
    wtr_put_varint(&w->index, b->first);
    wtr_put_varint(&w->index, b->events);
    w->footer_offset = offset;
    w->records++;
    w->raw.used = 0;
    wtr_block_end(b, &w->raw);
    wtr_put_u64(&w->index, b->chain[0]);
    wtr_put_record(&w->out, WTR_BLOCK, &w->raw);
    write_out(w);
}

/* Writes every block begun, then a mark: all events so far are in the file. */
static void end_group(weft_trace_writer *w)
{
    if (w->group_events == 0) {
        return;
    }
    for (size_t i = 0; i < w->block_count; i++) {
        if (w->blocks[i]->events > 0) {
            write_block(w, w->blocks[i]);
        }
    }
    w->raw.used = 0;
    wtr_put_u64(&w->raw, w->next_sequence);
    wtr_put_u64(&w->raw, w->events);
    wtr_put_record(&w->out, WTR_MARK, &w->raw);
    write_out(w);
    w->group_events = 0;
    w->group_words = 0;
}

void weft_trace_writer_add(weft_trace_writer *w, const weft_event *event)
{
    uint32_t count = (event->size - (uint32_t)sizeof *event) / 8;
    if (w->error) {
        return;
    }
    wtr_block *b = count <= WTR_MAX_EVENT_WORDS ? block_of(w, event->thread) : NULL;
    if (!b) {
        w->error = count <= WTR_MAX_EVENT_WORDS ? ENOMEM : EMSGSIZE;
        return;
    }
    wtr_block_add(b, event);
    w->events++;
    w->next_sequence = event->sequence + 1;
    w->group_events++;
    w->group_words += count;
    if (event->kind == WEFT_EVENT_DEFINE) {
        w->defines = b;
    }
    if (b->events == w->block_events || b->words >= BLOCK_WORDS) {
        if (w->defines && w->defines != b && w->defines->events > 0) {
            write_block(w, w->defines); /* a cut file must not name what it does not define */
        }
        w->defines = NULL;
        write_block(w, b);
    }
    if (w->group_events == WTR_GROUP_EVENTS || w->group_words >= WTR_GROUP_WORDS) {
        end_group(w);
    }
}

void weft_trace_writer_end(weft_trace_writer *w, uint64_t last, const char *digest)
{
    end_group(w);
    uint64_t offset = w->written;
    w->raw.used = 0;
    wtr_put_u64(&w->raw, last);
    put_string(&w->raw, digest);
    wtr_put_varint(&w->raw, w->events);
    wtr_put_varint(&w->raw, w->records);
    wtr_put(&w->raw, w->index.at, w->index.used);
    w->raw.no_memory |= w->index.no_memory;
    /* An index beyond a record's limit is left out: its use is speed, and readers must do
     * without it where a run was killed. That is a file of a million blocks. */
    if (w->raw.used > WTR_MAX_RAW) {
        w->raw.used -= w->index.used;
    }
    wtr_put_record(&w->out, WTR_FOOTER, &w->raw);
    wtr_put_u64(&w->out, offset);
    wtr_put(&w->out, WTR_TAIL_MAGIC, 8);
    write_out(w);
    w->ended = 1;
}

int weft_trace_writer_error(const weft_trace_writer *w, uint64_t *written)
{
    *written = w->written;
    return w->error;
}

void weft_trace_writer_free(weft_trace_writer *w)
{
    if (!w->ended) {
        end_group(w);
    }
    for (size_t i = 0; i < w->block_count; i++) {
        wtr_block_free(w->blocks[i]);
    }
    free(w->blocks);
    free(w->places);
    wtr_bytes_free(&w->raw);
    wtr_bytes_free(&w->out);
    wtr_bytes_free(&w->index);
    free(w);
}
