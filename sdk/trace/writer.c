/* writer.c: see writer.h. */
#include "writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "wtr.h"

struct weft_trace_writer {
    int file, error, ended;
    uint32_t group_events;
    uint64_t written;

    canon_own *canon; /* its kinds alone, where the host tells the canonical forms: */
    int32_t (*canon_of)(void *names, weft_event_canon *canon);
    void *canon_names;
    uint32_t partial;
    survey survey; /* of all events; its threads are `threads` here, by place */
    wtr_thread *threads;
    size_t thread_room;

    /* The group at hand. */
    uint32_t *turn; /* places of the threads that have events there, in order of their first */
    size_t turn_count, turn_room;
    uint64_t events, words; /* in the group */
    uint64_t tick;          /* of its first event of class GUEST, UINT64_MAX: there is none */
    uint64_t names;         /* definitions in the group; their texts are in `texts` */
    wtr_bytes texts;
    uint64_t next_sequence;

    wtr_encoder *encoder;
    wtr_packer packer;
    wtr_index index;
    wtr_bytes raw, out;
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
                                         uint32_t group_events)
{
    weft_trace_writer *w = calloc(1, sizeof *w);
    if (!w) {
        return NULL;
    }
    w->file = file;
    w->group_events = group_events;
    w->canon_of = begin->canon;
    w->canon_names = begin->names;
    w->partial = begin->partial;
    w->tick = UINT64_MAX;
    w->canon = canon_own_new();
    w->encoder = wtr_encoder_new();
    if (!w->canon || !w->encoder) {
        w->error = ENOMEM;
        weft_trace_writer_free(w);
        return NULL;
    }
    wtr_put_varint(&w->raw, begin->first);
    wtr_put_varint(&w->raw, (begin->partial ? WTR_PARTIAL : 0u) | (parallel ? WTR_PARALLEL : 0u));
    wtr_put_varint(&w->raw, group_events);
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
    w->raw.used = 0;
    write_out(w);
    return w;
}

/* Compresses `raw` as a record behind those that wait in `out`; returns where it will be. */
static uint64_t put_record(weft_trace_writer *w, uint8_t type)
{
    uint64_t offset = w->written + w->out.used;
    wtr_put_record(&w->out, type, &w->raw, &w->packer);
    w->raw.used = 0;
    return offset;
}

/* Writes the group: the texts of its definitions, a block for each thread, and the mark. */
static void end_group(weft_trace_writer *w)
{
    if (w->events == 0 || w->error) {
        return;
    }
    if (w->names > 0) {
        wtr_put_varint(&w->raw, w->names);
        wtr_put(&w->raw, w->texts.at, w->texts.used);
        w->raw.no_memory |= w->texts.no_memory;
        wtr_index_names_put(&w->index, put_record(w, WTR_NAMES));
    }
    for (size_t i = 0; i < w->turn_count; i++) {
        size_t place = w->turn[i];
        const survey_thread *t = &w->survey.threads[place];
        wtr_thread *of = &w->threads[place];
        wtr_block_put(w->encoder, w->canon->kinds, t->id, of, t->chain, &w->raw);
        uint64_t offset = put_record(w, WTR_BLOCK);
        wtr_index_block_put(&w->index, offset, place, i == 0, of);
        wtr_thread_next(w->encoder, of, t->chain, t->canonical);
    }
    wtr_encoder_next(w->encoder);
    wtr_put_u64(&w->raw, w->next_sequence);
    wtr_put_u64(&w->raw, w->survey.events);
    put_record(w, WTR_MARK);
    write_out(w);
    w->events = w->words = w->names = 0;
    w->tick = UINT64_MAX;
    w->texts.used = 0;
    w->turn_count = 0;
}

/* The thread's part of the group, begun where it has none yet. */
static wtr_thread *part_of(weft_trace_writer *w, size_t place)
{
    if (place >= w->thread_room) {
        size_t room = w->thread_room ? w->thread_room * 2 : 32;
        wtr_thread *more = realloc(w->threads, room * sizeof *more);
        if (!more) {
            return NULL;
        }
        memset(&more[w->thread_room], 0, (room - w->thread_room) * sizeof *more);
        w->threads = more;
        w->thread_room = room;
    }
    wtr_thread *t = &w->threads[place];
    if (t->events == 0) {
        if (w->turn_count == w->turn_room) {
            size_t room = w->turn_room ? w->turn_room * 2 : 32;
            uint32_t *more = realloc(w->turn, room * sizeof *more);
            if (!more) {
                return NULL;
            }
            w->turn = more;
            w->turn_room = room;
        }
        w->turn[w->turn_count++] = (uint32_t)place;
    }
    return t;
}

/* Keeps what a definition says: id, what, text (weft/event.h). Its payload fits its row. */
static void keep_text(weft_trace_writer *w, const uint64_t *words)
{
    uint64_t at = 2 + (words[1] + 7) / 8;
    wtr_put_u64(&w->texts, words[0]);
    wtr_put_varint(&w->texts, words[at]);
    wtr_put(&w->texts, &words[at + 1], (size_t)words[at]);
    w->names++;
}

static inline uint32_t known_kind(const weft_event *event)
{
    return event->kind < WEFT_EVENT_KIND_END ? event->kind : 0;
}

/* The event's canonical form: as the host has it, or made here. `canon` is all zero. The host names
 * words by all that happened. The trace of a part has to name them by what is in it: of one that
 * saw nothing begin, the forms without names are the same. */
static inline int canon_form(weft_trace_writer *w, const weft_event *event, weft_event_canon *canon)
{
    if (w->canon_of && (!w->partial || (w->canon->live.changes == 0 &&
                                        w->canon->kinds[known_kind(event)].lasts))) {
        int canonical = w->canon_of(w->canon_names, canon);
        if (!w->partial || canon->named_count == 0) {
            return canonical;
        }
    }
    uint64_t hash;
    int canonical = canon_own_add(w->canon, event, &hash);
    if (canonical) {
        canon_own_latest(w->canon, hash, canon);
    } else {
        canon->named_count = 0;
    }
    return canonical;
}

/* A title that does little is not to lose minutes of its run where it is killed: a group ends with a
 * second of guest time too, which depends on the events alone as the rest does. */
static inline int second_is_over(weft_trace_writer *w, const weft_event *event)
{
    if (event->category != WEFT_CLASS_GUEST) {
        return 0;
    }
    if (w->tick == UINT64_MAX) {
        w->tick = event->tick;
    }
    return event->tick > w->tick && event->tick - w->tick >= WTR_GROUP_TICKS;
}

void weft_trace_writer_add(weft_trace_writer *w, const weft_event *event)
{
    uint32_t count = (event->size - (uint32_t)sizeof *event) / 8;
    const uint64_t *words = (const uint64_t *)(event + 1);
    if (w->error || count > WTR_MAX_EVENT_WORDS) {
        w->error = w->error ? w->error : EMSGSIZE;
        return;
    }
    weft_event_canon canon = {0};
    int canonical = canon_form(w, event, &canon);
    if (!canonical) {
        canon.fits = (uint32_t)canon_own_fits(w->canon->kinds, event);
    }
    size_t place = survey_add(&w->survey, event, canonical, canon.hash);
    wtr_thread *t = place != SIZE_MAX ? part_of(w, place) : NULL;
    if (!t || w->canon->no_memory || w->canon->live.no_memory ||
        !wtr_encoder_add(w->encoder, w->canon->kinds, (uint32_t)place, t, event, &canon,
                         canonical)) {
        w->error = ENOMEM;
        return;
    }
    if (event->kind == WEFT_EVENT_DEFINE && canon.fits) {
        keep_text(w, words);
    }
    w->next_sequence = event->sequence + 1;
    w->events++;
    w->words += count;
    if (w->events == w->group_events || w->words >= WTR_GROUP_WORDS || second_is_over(w, event)) {
        end_group(w);
    }
}

/* The footer in as many records as it takes; each but the last says that more follow. */
static void write_footer(weft_trace_writer *w, uint64_t last, const char *digest)
{
    wtr_bytes footer = {0};
    wtr_footer_put(&footer, last, digest, &w->survey, w->threads, &w->index);
    uint64_t offset = w->written;
    w->raw.no_memory |= footer.no_memory;
    for (size_t at = 0; !footer.no_memory && at < footer.used;) {
        size_t length = footer.used - at < WTR_FOOTER_PART ? footer.used - at : WTR_FOOTER_PART;
        uint8_t more = at + length < footer.used;
        wtr_put(&w->raw, &more, 1);
        wtr_put(&w->raw, footer.at + at, length);
        put_record(w, WTR_FOOTER);
        at += length;
    }
    wtr_bytes_free(&footer);
    wtr_put_u64(&w->out, offset);
    wtr_put(&w->out, WTR_TAIL_MAGIC, 8);
    w->out.no_memory |= w->raw.no_memory;
    write_out(w);
}

void weft_trace_writer_end(weft_trace_writer *w, uint64_t last, const char *digest)
{
    end_group(w);
    if (!w->error) {
        write_footer(w, last, digest);
    }
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
    canon_own_free(w->canon);
    survey_free(&w->survey);
    wtr_encoder_free(w->encoder);
    wtr_packer_end(&w->packer);
    for (size_t i = 0; i < w->thread_room; i++) {
        wtr_thread_end(&w->threads[i]);
    }
    free(w->threads);
    free(w->turn);
    wtr_bytes_free(&w->texts);
    wtr_bytes_free(&w->raw);
    wtr_bytes_free(&w->out);
    wtr_bytes_free(&w->index.blocks);
    wtr_bytes_free(&w->index.names);
    free(w);
}
