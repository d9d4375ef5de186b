/* footer.c: the index at a binary trace's end (docs/trace.md, "Footer"): what the survey has of the
 * run, and where the records are. */
#include <stdlib.h>
#include <string.h>

#include "wtr.h"

static void put_string(wtr_bytes *b, const char *text)
{
    wtr_put_varint(b, strlen(text));
    wtr_put(b, text, strlen(text));
}

static void take_string(wtr_view *v, char *to, size_t room)
{
    uint64_t length = wtr_take_varint(v);
    const uint8_t *bytes = wtr_take(v, length);
    v->bad |= length >= room;
    length = bytes && length < room ? length : 0;
    memcpy(to, length ? bytes : (const uint8_t *)"", (size_t)length);
    to[length] = 0;
}

void wtr_index_block_put(wtr_index *index, uint64_t offset, size_t thread, int begins,
                         const wtr_thread *of)
{
    wtr_put_varint(&index->blocks, offset - index->offset);
    wtr_put_varint(&index->blocks, (uint64_t)thread << 1 | (uint64_t)begins);
    wtr_put_varint(&index->blocks, wtr_zigzag(of->low - index->sequence));
    wtr_put_varint(&index->blocks, of->high - of->low);
    wtr_put_varint(&index->blocks, of->events);
    wtr_put_varint(&index->blocks, of->canonical);
    index->offset = offset;
    index->sequence = of->low;
    index->block_count++;
}

void wtr_index_names_put(wtr_index *index, uint64_t offset)
{
    wtr_put_varint(&index->names, offset - index->name_offset);
    index->name_offset = offset;
    index->name_count++;
}

static void put_threads(wtr_bytes *to, const survey *s, const wtr_thread *threads)
{
    wtr_put_varint(to, s->thread_count);
    for (size_t i = 0; i < s->thread_count; i++) {
        const survey_thread *t = &s->threads[i];
        wtr_put_u64(to, t->id);
        wtr_put_varint(to, t->tid);
        wtr_put_varint(to, t->events);
        wtr_put_varint(to, t->guest);
        wtr_put_varint(to, t->canonical);
        wtr_put_u64(to, t->first_export);
        wtr_put_u64(to, t->chain);
        wtr_put_u64(to, threads[i].chain[0]);
        wtr_put_u64(to, threads[i].chain[1]);
        for (size_t k = 0; k < t->step_count; k++) {
            wtr_put_u64(to, t->steps[k]);
        }
    }
}

static int by_key(const void *a, const void *b)
{
    const struct live_entry *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* In order of identity: a map's own order is nobody's business. */
static void put_tallies(wtr_bytes *to, const survey *s)
{
    for (int k = 0; k < SURVEY_TALLIES; k++) {
        const live_map *m = &s->tallies[k];
        size_t count = 0;
        struct live_entry *sorted = malloc((m->count + 1) * sizeof *sorted);
        if (!sorted) {
            to->no_memory = 1;
            return;
        }
        for (size_t i = 0; i < m->room; i++) {
            if (m->entries[i].used) {
                sorted[count++] = m->entries[i];
            }
        }
        qsort(sorted, count, sizeof *sorted, by_key);
        wtr_put_varint(to, count);
        for (size_t i = 0; i < count; i++) {
            wtr_put_u64(to, sorted[i].key);
            wtr_put_varint(to, sorted[i].value[0]);
        }
        free(sorted);
    }
}

void wtr_footer_put(wtr_bytes *to, uint64_t last, const char *digest, const survey *s,
                    const wtr_thread *threads, const wtr_index *index)
{
    char canon_digest[33];
    uint64_t kinds = 0;
    survey_digest(s, canon_digest);
    wtr_put_u64(to, last);
    put_string(to, digest);
    put_string(to, canon_digest);
    wtr_put_varint(to, s->events);
    wtr_put_varint(to, s->guest);
    wtr_put_varint(to, s->first_tick);
    wtr_put_varint(to, s->last_tick);
    for (size_t k = 0; k < WEFT_EVENT_KIND_END; k++) {
        kinds += s->kinds[k] > 0;
    }
    wtr_put_varint(to, kinds);
    for (size_t k = 0; k < WEFT_EVENT_KIND_END; k++) {
        if (s->kinds[k] > 0) {
            wtr_put_varint(to, k);
            wtr_put_varint(to, s->kinds[k]);
        }
    }
    put_threads(to, s, threads);
    put_tallies(to, s);
    wtr_put_varint(to, index->name_count);
    wtr_put(to, index->names.at, index->names.used);
    wtr_put_varint(to, index->block_count);
    wtr_put(to, index->blocks.at, index->blocks.used);
    to->no_memory |= index->names.no_memory | index->blocks.no_memory | s->no_memory;
}

/* A count of things that take at least `least` bytes each here, and a record each before `end`: never
 * more than there can be. */
static size_t take_count(wtr_view *v, size_t least, uint64_t end)
{
    uint64_t count = wtr_take_varint(v);
    if (count > (uint64_t)(v->end - v->at) / least || count > end / WTR_RECORD) {
        v->bad = 1;
        return 0;
    }
    return (size_t)count;
}

static const char *take_threads(wtr_footer *f, wtr_view *v, uint64_t end)
{
    survey *s = &f->survey;
    size_t count = take_count(v, 44, end);
    uint64_t events = 0, guest = 0;
    s->threads = calloc(count + 1, sizeof *s->threads);
    f->chains = calloc(count + 1, sizeof *f->chains);
    if (!s->threads || !f->chains) {
        return "no memory";
    }
    for (size_t i = 0; i < count; i++) {
        survey_thread *t = &s->threads[s->thread_count++];
        t->id = wtr_take_u64(v);
        t->tid = (uint32_t)wtr_take_varint(v);
        t->events = wtr_take_varint(v);
        t->guest = wtr_take_varint(v);
        t->canonical = wtr_take_varint(v);
        t->first_export = wtr_take_u64(v);
        t->chain = wtr_take_u64(v);
        f->chains[i][0] = wtr_take_u64(v);
        f->chains[i][1] = wtr_take_u64(v);
        uint64_t steps = t->canonical / WEFT_TRACE_STEP;
        if (v->bad || t->canonical > t->guest || t->guest > t->events ||
            t->events > s->events - events || steps > (uint64_t)(v->end - v->at) / 8 ||
            survey_find(s, t->id) != SIZE_MAX) {
            return "its threads cannot be";
        }
        t->steps = malloc((size_t)(steps + 1) * sizeof *t->steps);
        if (!t->steps || !live_map_put(&s->places, t->id, (const uint64_t[]){i, 0})) {
            return "no memory";
        }
        for (; t->step_count < steps; t->step_count++) {
            t->steps[t->step_count] = wtr_take_u64(v);
        }
        events += t->events;
        guest += t->guest;
    }
    return events == s->events && guest == s->guest ? NULL : "its threads have other events";
}

static const char *take_kinds(wtr_footer *f, wtr_view *v)
{
    size_t count = take_count(v, 2, UINT64_MAX);
    uint64_t events = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t kind = wtr_take_varint(v), times = wtr_take_varint(v);
        if (kind >= WEFT_EVENT_KIND_END) {
            return "it has a kind that this version does not know";
        }
        if (f->survey.kinds[kind] > 0 || times > f->survey.events - events) {
            return "its kinds cannot be";
        }
        f->survey.kinds[kind] = times;
        events += times;
    }
    return NULL;
}

static const char *take_tallies(wtr_footer *f, wtr_view *v)
{
    for (int k = 0; k < SURVEY_TALLIES; k++) {
        size_t count = take_count(v, 9, UINT64_MAX);
        for (size_t i = 0; i < count; i++) {
            uint64_t id = wtr_take_u64(v), times = wtr_take_varint(v);
            if (!live_map_put(&f->survey.tallies[k], id, (const uint64_t[]){times, 0})) {
                return "no memory";
            }
        }
    }
    return NULL;
}

static const char *take_names(wtr_footer *f, wtr_view *v, uint64_t end)
{
    size_t count = take_count(v, 1, end);
    uint64_t offset = 0;
    f->names = malloc((count + 1) * sizeof *f->names);
    if (!f->names) {
        return "no memory";
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t more = wtr_take_varint(v);
        if (more < WTR_RECORD || more >= end - offset) {
            return "its texts are nowhere";
        }
        f->names[f->name_count++] = offset += more;
    }
    return NULL;
}

/* What a block's entry must agree with: the threads' counts, and the order of the file. */
static const char *take_blocks(wtr_footer *f, wtr_view *v, uint64_t end)
{
    const survey *s = &f->survey;
    size_t count = take_count(v, 6, end);
    uint64_t offset = 0, sequence = 0;
    uint64_t(*there)[2] = calloc(s->thread_count + 1, sizeof *there);
    f->blocks = malloc((count + 1) * sizeof *f->blocks);
    const char *why = there && f->blocks ? NULL : "no memory";
    for (size_t i = 0; i < count && !why; i++) {
        uint64_t more = wtr_take_varint(v), thread = wtr_take_varint(v);
        uint64_t first = sequence + wtr_unzigzag(wtr_take_varint(v));
        uint64_t length = wtr_take_varint(v);
        uint64_t events = wtr_take_varint(v), canonical = wtr_take_varint(v);
        if (more < WTR_RECORD || more >= end - offset || thread >> 1 >= s->thread_count ||
            events == 0 || events > WTR_GROUP_EVENTS || canonical > events ||
            length > UINT64_MAX - first) {
            why = "its blocks cannot be";
            break;
        }
        offset += more;
        sequence = first;
        f->blocks[f->block_count++] = (wtr_index_block){
            .offset = offset,
            .first = first,
            .last = first + length,
            .canonical_before = there[thread >> 1][1],
            .thread = (uint32_t)(thread >> 1),
            .events = (uint32_t)events,
            .canonical = (uint32_t)canonical,
            .begins = thread & 1,
        };
        there[thread >> 1][0] += events;
        there[thread >> 1][1] += canonical;
    }
    for (size_t i = 0; i < s->thread_count && !why; i++) {
        if (there[i][0] != s->threads[i].events || there[i][1] != s->threads[i].canonical) {
            why = "its blocks have other events than its threads";
        }
    }
    free(there);
    return why;
}

const char *wtr_footer_read(wtr_footer *f, const wtr_bytes *bytes, uint64_t end)
{
    wtr_view v = {.at = bytes->at, .end = bytes->at + bytes->used};
    char canon_digest[33];
    f->last = wtr_take_u64(&v);
    take_string(&v, f->digest, sizeof f->digest);
    take_string(&v, f->canon_digest, sizeof f->canon_digest);
    f->survey.events = wtr_take_varint(&v);
    f->survey.guest = wtr_take_varint(&v);
    f->survey.first_tick = wtr_take_varint(&v);
    f->survey.last_tick = wtr_take_varint(&v);
    const char *why = v.bad ? "it is too short" : take_kinds(f, &v);
    why = why ? why : take_threads(f, &v, end);
    why = why ? why : take_tallies(f, &v);
    why = why ? why : take_names(f, &v, end);
    why = why ? why : take_blocks(f, &v, end);
    if (why) {
        return why;
    }
    if (v.bad || v.at != v.end) {
        return "its parts do not fill it";
    }
    survey_digest(&f->survey, canon_digest);
    return strcmp(canon_digest, f->canon_digest) == 0 ? NULL
                                                      : "its canon_digest is not of its chains";
}

void wtr_footer_end(wtr_footer *f)
{
    survey_free(&f->survey);
    free(f->chains);
    free(f->blocks);
    free(f->names);
    *f = (wtr_footer){0};
}
