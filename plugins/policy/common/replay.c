/* replay.c: see replay.h. */
#include "replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest.h"

/* Identity of the export, as the kernel defines it (docs/kernel.md, "Identities"). */
#define ENTER_NAME "xboxkrnl.exe!RtlEnterCriticalSection(cs)#293"

/* Events that one of our own contended enters leaves more than a free one: contention.observed,
 * wait.begin, wait.end, and a second sync.op. */
#define OWN_EXTRA 4

/* One thread of ours, and its entries of the manifest. */
typedef struct actor {
    uint64_t id;
    uint64_t enters; /* calls of RtlEnterCriticalSection so far */
    int64_t extra;   /* our index less the reference's */
    size_t next, end;
    const weft_trace_contention *due; /* the call that is going on has this entry; NULL: none */
} actor;

struct replay {
    const weft_host *host;
    weft_trace_manifest *manifest;
    const weft_trace_contention *entries; /* by thread and index */
    size_t count;
    uint64_t enter;  /* identity of the export */
    int64_t foreign; /* events that a contended enter leaves more in the reference */
    int pointers;
    uint32_t who;
    uint64_t outcomes[REPLAY_OUTCOMES];
    uint64_t parks, parked; /* threads made to wait; ticks in all */
    actor *actors;
    uint32_t actor_count, actor_room;
};

/* ---- reading ----------------------------------------------------------------------------------- */

static char *read_text(const char *path, size_t *length, const char **why)
{
    FILE *file = fopen(path, "rb");
    char *text = file ? malloc(WEFT_TRACE_MANIFEST_BYTES + 1) : NULL;
    *why = file ? "no memory" : strerror(errno);
    *length = text ? fread(text, 1, WEFT_TRACE_MANIFEST_BYTES + 1, file) : 0;
    if (text && ferror(file)) {
        *why = strerror(errno);
        free(text);
        text = NULL;
    }
    if (file) {
        fclose(file);
    }
    return text;
}

weft_status replay_create(replay **made, const weft_host *host, uint32_t who)
{
    const char *path = host->option_text(host, "manifest"), *trouble;
    char why[256], sentence[640];
    size_t length, at;
    *made = NULL;
    if (!*path) {
        return WEFT_OK;
    }
    char *text = read_text(path, &length, &trouble);
    if (!text) {
        snprintf(sentence, sizeof sentence, "cannot read %.300s (found %s, expected a manifest)",
                 path, trouble);
        return host->fail(host, WEFT_E_NOT_FOUND, sentence);
    }
    weft_trace_manifest *manifest = weft_trace_manifest_read(text, length, why, sizeof why, &at);
    free(text);
    if (!manifest) {
        snprintf(sentence, sizeof sentence, "%.300s: %s", path, why);
        return host->fail(host, WEFT_E_FORMAT, sentence);
    }
    replay *r = calloc(1, sizeof *r);
    if (!r) {
        weft_trace_manifest_free(manifest);
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for a contention manifest");
    }
    r->host = host;
    r->manifest = manifest;
    r->entries = weft_trace_manifest_entries(manifest, &r->count);
    r->enter = weft_fnv1a(ENTER_NAME, sizeof ENTER_NAME - 1);
    r->foreign = host->option_int(host, "manifest_extra");
    r->pointers = host->option_bool(host, "manifest_pointers");
    r->who = who;
    *made = r;
    return WEFT_OK;
}

void replay_free(replay *r)
{
    char line[400], parks[80] = "";
    if (!r) {
        return;
    }
    uint64_t met = 0;
    for (uint32_t i = 0; i < REPLAY_OUTCOMES; i++) {
        met += r->outcomes[i];
    }
    if (r->who == REPLAY_AGGRESSIVE) {
        snprintf(parks, sizeof parks,
                 "; %" PRIu64 " times parked at a free one, for %" PRIu64 " ticks", r->parks,
                 r->parked);
    }
    snprintf(line, sizeof line,
             "manifest: %zu entries: %" PRIu64 " replayed, %" PRIu64
             " skipped because free, %" PRIu64 " because self-owned, %" PRIu64
             " because the pointer differs, %" PRIu64 " because the site differs, %" PRIu64
             " held in vain, %" PRIu64 " not come to%s",
             r->count, r->outcomes[REPLAY_REPLAYED], r->outcomes[REPLAY_FREE],
             r->outcomes[REPLAY_OWNED], r->outcomes[REPLAY_POINTER], r->outcomes[REPLAY_SITE],
             r->outcomes[REPLAY_VAIN], r->count - met, parks);
    r->host->log(r->host, WEFT_LOG_INFO, line);
    weft_trace_manifest_free(r->manifest);
    free(r->actors);
    free(r);
}

/* ---- threads ----------------------------------------------------------------------------------- */

/* The first entry of a thread id that is not less. */
static size_t first_of(const replay *r, uint64_t tid)
{
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->entries[middle].tid < tid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* NULL: it has no entries, or there is no memory. */
static actor *actor_of(replay *r, const weft_sched_view *view, uint64_t id)
{
    for (uint32_t i = 0; i < r->actor_count; i++) {
        if (r->actors[i].id == id) {
            return &r->actors[i];
        }
    }
    const weft_sched_thread *thread = pick_thread(view, id);
    if (!thread) {
        return NULL;
    }
    if (r->actor_count == r->actor_room) {
        uint32_t room = r->actor_room ? r->actor_room * 2 : 16;
        actor *more = realloc(r->actors, room * sizeof *more);
        if (!more) {
            return NULL;
        }
        r->actors = more;
        r->actor_room = room;
    }
    actor *a = &r->actors[r->actor_count++];
    *a = (actor){
        .id = id,
        .next = first_of(r, thread->tid),
        .end = first_of(r, (uint64_t)thread->tid + 1),
    };
    return a;
}

/* ---- meeting ----------------------------------------------------------------------------------- */

uint32_t replay_subscribe(const replay *r)
{
    return r ? ENTERS | 1u << WEFT_SYNC_CALL : 0;
}

static void report(replay *r, const weft_sched_view *view, const weft_sync_op *op, uint32_t outcome)
{
    weft_event_buffer event;
    r->outcomes[outcome]++;
    weft_event_begin(&event, WEFT_EVENT_POLICY_REPLAY);
    event.head.thread = op->thread;
    event.head.tick = view->now;
    weft_event_word(&event, r->who);
    weft_event_word(&event, outcome);
    weft_event_word(&event, op->object);
    weft_event_word(&event, op->sequence);
    r->host->emit(r->host, &event.head);
}

/* The entry for the enter that the thread has just called. Entries that lie behind are passed. */
static const weft_trace_contention *find(const replay *r, actor *a, uint64_t index)
{
    for (; a->next < a->end; a->next++) {
        const weft_trace_contention *e = &r->entries[a->next];
        int counted = e->enter != WEFT_TRACE_NO_ENTER;
        uint64_t key = counted ? e->enter : e->index;
        uint64_t here = counted ? a->enters : index - (uint64_t)a->extra;
        if (key >= here) {
            return key == here ? e : NULL;
        }
    }
    return NULL;
}

/* A call begins. One before it that the manifest named, and that asked for nothing, was for a critical
 * section that the thread had. */
static void begin_call(replay *r, const weft_sched_view *view, actor *a, const weft_sync_op *op)
{
    if (a->due) {
        report(r, view, op, REPLAY_OWNED);
        a->extra -= r->foreign;
        a->due = NULL;
    }
    if (op->object == r->enter) {
        a->due = find(r, a, op->event);
        a->next += a->due != NULL;
        a->enters++;
    }
}

int replay_meets(replay *r, const weft_sched_view *view, const weft_sync_op *op)
{
    if (!(ENTERS >> op->kind & 1)) {
        return 0;
    }
    actor *a = actor_of(r, view, op->thread);
    const weft_trace_contention *e = a ? a->due : NULL;
    if (!e) {
        return 0;
    }
    if (e->enter != WEFT_TRACE_NO_ENTER && e->site <= UINT32_MAX && e->site != op->site) {
        replay_tell(r, view, op, REPLAY_SITE);
        return 0;
    }
    if (r->pointers && e->pointer != op->pointer) {
        replay_tell(r, view, op, REPLAY_POINTER);
        return 0;
    }
    return 1;
}

void replay_tell(replay *r, const weft_sched_view *view, const weft_sync_op *op, uint32_t outcome)
{
    for (uint32_t i = 0; i < r->actor_count; i++) {
        if (r->actors[i].id == op->thread && r->actors[i].due) {
            report(r, view, op, outcome);
            r->actors[i].extra -= r->foreign;
            r->actors[i].due = NULL;
        }
    }
}

void replay_parked(replay *r, uint64_t ticks)
{
    r->parks++;
    r->parked += ticks;
}

void replay_after(replay *r, const weft_sched_view *view, const weft_sync_op *op)
{
    if (!r || !((ENTERS | 1u << WEFT_SYNC_CALL) >> op->kind & 1)) {
        return;
    }
    actor *a = actor_of(r, view, op->thread);
    if (!a) {
        return;
    }
    if (op->kind == WEFT_SYNC_CALL) {
        begin_call(r, view, a, op);
    } else if (op->kind == WEFT_SYNC_ENTER_CONTENDED) {
        a->extra += OWN_EXTRA;
    }
}

void replay_thread_end(replay *r, uint64_t thread)
{
    for (uint32_t i = 0; r && i < r->actor_count; i++) {
        if (r->actors[i].id == thread) {
            r->actors[i] = r->actors[--r->actor_count];
            return;
        }
    }
}
