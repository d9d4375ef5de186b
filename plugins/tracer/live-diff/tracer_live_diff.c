/* tracer-live-diff: compares a run with a reference trace while it runs (docs/trace.md,
 * "tracer-live-diff"): each thread's canonical events, in its order, with those of its counterpart.
 * A thread's first divergence is told at once, and ends the run where the profile wants that.
 *
 * Nothing is written here but reports: a run that is to be kept is traced besides, with tracer-tee. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live_diff.h"

#define MAX_CONTEXT 100
#define MAX_PENDING 65536 /* events of a thread before its first call */

static weft_status create(const weft_host *host, void **instance)
{
    tracer_live_diff *t = calloc(1, sizeof *t);
    if (!t) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for tracer-live-diff");
    }
    t->host = host;
    t->file = -1;
    t->context = (uint32_t)host->option_int(host, "context");
    t->stop = host->option_bool(host, "stop");
    const char *map = host->option_text(host, "map");
    int pairs = *map ? weft_trace_read_pairs(map, t->map, MAP_ROOM) : 0;
    if (pairs < 0) {
        char sentence[256];
        snprintf(sentence, sizeof sentence,
                 "map cannot be read (found %.100s, expected A=B,... of thread ids)", map);
        free(t);
        return host->fail(host, WEFT_E_INVALID, sentence);
    }
    t->map_count = (uint32_t)pairs;
    *instance = t;
    return WEFT_OK;
}

static void clear(tracer_live_diff *t)
{
    for (size_t i = 0; i < t->count; i++) {
        live_thread *l = &t->threads[i];
        for (uint32_t k = 0; l->kept && k < t->context; k++) {
            free(l->kept[k]);
        }
        free(l->kept);
        free(l->pending);
    }
    free(t->threads);
    t->threads = t->last = NULL;
    t->count = t->room = 0;
    idmap_free(&t->places);
    names_free(&t->names.names);
    t->names = (struct weft_trace){0};
    weft_canon_free(t->canon);
    t->canon = NULL;
    reference_close(&t->reference);
    if (t->begin) {
        pretty_end(&t->pretty);
    }
    if (t->file >= 0) {
        close(t->file);
    }
    t->file = -1;
    t->begin = NULL;
    t->stopped = t->failed = 0;
}

static void destroy(void *instance)
{
    clear(instance);
    free(instance);
}

static weft_status fail_io(tracer_live_diff *t, const char *what, int error, const char *expected)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "cannot %s %.300s (found %s, expected %s)", what,
             t->host->option_text(t->host, "path"), strerror(error), expected);
    return t->host->fail(t->host, WEFT_E_IO, sentence);
}

static weft_status diff_open(void *instance, const weft_trace_begin *begin)
{
    tracer_live_diff *t = instance;
    const char *path = t->host->option_text(t->host, "reference");
    char sentence[640];
    clear(t);
    if (!*path) {
        return t->host->fail(
            t->host, WEFT_E_INVALID,
            "no reference is named (found an empty `reference`, expected a trace)");
    }
    if (begin->first != 0 || begin->partial) {
        snprintf(sentence, sizeof sentence,
                 "the whole run is needed (found %s, expected every event from the first)",
                 begin->partial ? "filters" : "a swap in its middle");
        return t->host->fail(t->host, WEFT_E_STATE, sentence);
    }
    uint64_t limit = (uint64_t)t->host->option_int(t->host, "memory_mib") * (1024 * 1024 / 8);
    if (!reference_open(&t->reference, path, limit)) {
        snprintf(sentence, sizeof sentence, "reference: %s", t->reference.error);
        reference_close(&t->reference);
        return t->host->fail(t->host, WEFT_E_FORMAT, sentence);
    }
    t->canon = weft_canon_new(t->reference.mode);
    if (!t->canon) {
        return t->host->fail(t->host, WEFT_E_NO_MEMORY, "no memory for tracer-live-diff");
    }
    const char *report = t->host->option_text(t->host, "path");
    t->file = *report ? open(report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    if (*report && t->file < 0) {
        return fail_io(t, "create", errno, "a path that can be written");
    }
    pretty_init(&t->pretty, 0);
    t->begin = begin;
    return WEFT_OK;
}

/* ---- threads ------------------------------------------------------------------------------------
 */

static live_thread *thread_of(tracer_live_diff *t, uint64_t id)
{
    int fresh;
    if (t->last && t->last->id == id) {
        return t->last;
    }
    uint64_t *place = idmap_at(&t->places, id, &fresh);
    if (place && fresh) {
        if (t->count == t->room) {
            size_t room = t->room ? t->room * 2 : 16;
            live_thread *threads = realloc(t->threads, room * sizeof *threads);
            if (!threads) {
                return NULL;
            }
            t->threads = threads;
            t->room = room;
        }
        *place = t->count;
        t->threads[t->count++] = (live_thread){.id = id, .counterpart = REFERENCE_NONE};
    }
    return place && *place < t->count ? t->last = &t->threads[*place] : NULL;
}

/* Threads of the reference that the map gives to others. */
static int is_mapped(void *context, const reference_thread *thread)
{
    const tracer_live_diff *t = context;
    for (uint32_t i = 0; i < t->map_count; i++) {
        if (thread->tid && t->map[i].reference == thread->tid) {
            return 1;
        }
    }
    return 0;
}

/* Whether enough is known to look for the counterpart; if so, looks for it. */
static int find_counterpart(tracer_live_diff *t, live_thread *l)
{
    for (uint32_t i = 0; i < t->map_count; i++) {
        if (l->tid && t->map[i].ours == l->tid) {
            l->counterpart = reference_by_tid(&t->reference, t->map[i].reference);
            return 1;
        }
    }
    if (t->reference.mode == WEFT_CANON_OWN) {
        l->counterpart = reference_by_id(&t->reference, l->id);
        return 1;
    }
    if (!l->first_call && l->pending_count < MAX_PENDING) {
        return 0;
    }
    l->counterpart = l->first_call ? reference_by_call(&t->reference, l->first_call, is_mapped, t)
                                   : REFERENCE_NONE;
    return 1;
}

/* Keeps a copy for the context of a report. */
static void keep(tracer_live_diff *t, live_thread *l, const weft_event *event)
{
    if (t->context == 0) {
        return;
    }
    if (!l->kept && !(l->kept = calloc(t->context, sizeof *l->kept))) {
        t->failed = 1;
        return;
    }
    weft_event **place = &l->kept[l->kept_count % t->context];
    if (!*place || (*place)->size < event->size) {
        free(*place);
        *place = malloc(event->size);
    }
    if (!*place) {
        t->failed = 1;
        return;
    }
    memcpy(*place, event, event->size);
    l->kept_count++;
}

/* The canonical event of this number, if its copy is still there. */
static const weft_event *kept_event(const tracer_live_diff *t, const live_thread *l,
                                    uint64_t number)
{
    if (t->context == 0 || number >= l->kept_count || l->kept_count - number > t->context) {
        return NULL;
    }
    return l->kept[number % t->context];
}

/* ---- comparing ----------------------------------------------------------------------------------
 */

static void put_line(tracer_live_diff *t, out *o, const char *before, const weft_event *event)
{
    out_str(o, before);
    pretty_event(o, &t->pretty, &t->names, event);
    out_str(o, "\n");
}

static void say(const out *o)
{
    if (!o->no_memory) {
        fwrite(o->bytes, 1, o->used, stderr);
        fflush(stderr);
    }
}

static void stop_run(tracer_live_diff *t, const char *name, uint64_t number, const char *words)
{
    char reason[256];
    const weft_host_run *run =
        t->host->extension ? t->host->extension(t->host, WEFT_HOST_RUN) : NULL;
    if (t->stop && run && !t->stopped) {
        snprintf(reason, sizeof reason, "diverged from the reference: %.60s at its event %llu: %s",
                 name, (unsigned long long)number, words);
        run->stop(t->host, reason);
        t->stopped = 1;
    }
}

/* Tells a thread's first divergence, at `matched`. `event` is ours, NULL where it is not kept; the
 * reference has one there unless `ended`. */
static void diverge(tracer_live_diff *t, live_thread *l, const weft_event *event, int ended)
{
    out o = {0}, line = {0}, words = {0};
    char room[NAME_ROOM];
    const char *name = live_thread_name(t, l, room);
    if (event) {
        describe_event(&words, &t->pretty, &t->names, event);
    } else {
        out_str(&words, "an event before its first call");
    }
    out_str(&words, ", reference ");
    int there = !ended && reference_describe(&t->reference, l->counterpart, l->matched, &t->pretty,
                                             &line, &words);
    if (!there) {
        out_str(&words, ended ? "has ended" : "unknown");
    }
    out_raw(&words, "", 1);
    out_str(&o, "weft: tracer-live-diff: ");
    out_str(&o, name);
    out_str(&o, " diverges at its event ");
    out_u64(&o, l->matched);
    out_str(&o, ": ");
    out_str(&o, words.no_memory ? "" : words.bytes);
    out_str(&o, "\n");
    for (uint64_t n = l->matched > t->context ? l->matched - t->context : 0; n < l->matched; n++) {
        const weft_event *before = kept_event(t, l, n);
        if (before) {
            put_line(t, &o, "       ", before);
        }
    }
    if (t->context > 0 && there) {
        out_str(&o, "  ref  ");
        out_raw(&o, line.bytes, line.used);
        out_str(&o, "\n");
    }
    if (t->context > 0 && event) {
        put_line(t, &o, "  here ", event);
    }
    say(&o);
    l->state = DIVERGED;
    reference_drop(&t->reference, l->counterpart);
    stop_run(t, name, l->matched, words.no_memory ? "" : words.bytes);
    out_free(&o);
    out_free(&line);
    out_free(&words);
}

/* A thread that the reference has not. */
static void tell_extra(tracer_live_diff *t, live_thread *l, const weft_event *event)
{
    out o = {0}, words = {0};
    char room[NAME_ROOM];
    const char *name = live_thread_name(t, l, room);
    describe_event(&words, &t->pretty, &t->names, event);
    out_str(&words, ", reference has no such thread");
    out_raw(&words, "", 1);
    out_str(&o, "weft: tracer-live-diff: ");
    out_str(&o, name);
    out_str(&o, " diverges at its event 0: ");
    out_str(&o, words.no_memory ? "" : words.bytes);
    out_str(&o, "\n");
    say(&o);
    l->state = EXTRA;
    stop_run(t, name, 0, words.no_memory ? "" : words.bytes);
    out_free(&o);
    out_free(&words);
}

static void compare(tracer_live_diff *t, live_thread *l, uint64_t hash, const weft_event *event)
{
    uint64_t theirs;
    if (reference_hash(&t->reference, l->counterpart, l->matched, &theirs)) {
        if (hash == theirs) {
            l->matched++;
        } else {
            diverge(t, l, event, 0);
        }
    } else if (!t->reference.error[0]) {
        if (weft_trace_info_of(t->reference.trace)->complete) {
            diverge(t, l, event, 1);
        } else {
            l->state = PAST_END;
        }
    }
}

/* While the counterpart is not known, hashes wait. */
static void await(tracer_live_diff *t, live_thread *l, uint64_t hash, const weft_event *event)
{
    if (l->pending_count == l->pending_room) {
        size_t room = l->pending_room ? l->pending_room * 2 : 16;
        uint64_t *pending = realloc(l->pending, room * sizeof *pending);
        if (!pending) {
            t->failed = 1;
            return;
        }
        l->pending = pending;
        l->pending_room = room;
    }
    l->pending[l->pending_count++] = hash;
    if (!find_counterpart(t, l)) {
        return;
    }
    if (l->counterpart == REFERENCE_NONE) {
        if (!t->reference.error[0]) {
            tell_extra(t, l, event);
        }
    } else {
        l->state = COMPARED;
        t->reference.threads[l->counterpart].claimed = 1;
        for (size_t i = 0; i < l->pending_count && l->state == COMPARED; i++) {
            compare(t, l, l->pending[i],
                    i + 1 == l->pending_count ? event : kept_event(t, l, l->matched));
        }
    }
    free(l->pending);
    l->pending = NULL;
    l->pending_count = l->pending_room = 0;
}

/* Keeps what a define says: id, what, text (weft/event.h). */
static int learn(tracer_live_diff *t, const weft_event *event)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    if (count < 3 || words[1] > (count - 3) * UINT64_C(8)) {
        return 1;
    }
    uint64_t at = 2 + (words[1] + 7) / 8;
    if (at >= count || words[at] > (count - at - 1) * 8) {
        return 1;
    }
    return names_add(&t->names.names, words[0], (const char *)&words[at + 1], (size_t)words[at]);
}

/* 1 and the hash of an event that has a canonical form. The host has it already, where that form is
 * the one that is compared. */
static int canonical_of(tracer_live_diff *t, const weft_event *record, uint64_t *hash)
{
    if (t->begin->canon && !t->begin->partial && t->reference.mode == WEFT_CANON_OWN) {
        weft_event_canon form;
        int canonical = t->begin->canon(t->begin->names, &form);
        *hash = canonical ? form.hash : 0;
        return canonical;
    }
    return weft_canon_add(t->canon, &t->names, record, hash);
}

static void event(void *instance, const weft_event *record)
{
    tracer_live_diff *t = instance;
    uint64_t hash;
    if (!t->begin || t->reference.error[0] || t->failed || t->stopped) {
        return; /* how far a run gets that was asked to stop depends on the host */
    }
    if (record->kind == WEFT_EVENT_DEFINE && !learn(t, record)) {
        t->failed = 1;
        return;
    }
    int canonical = canonical_of(t, record, &hash);
    live_thread *l = record->category == WEFT_CLASS_GUEST ? thread_of(t, record->thread) : NULL;
    if (weft_canon_no_memory(t->canon) || (!l && record->category == WEFT_CLASS_GUEST)) {
        t->failed = 1;
        return;
    }
    if (l) {
        l->tid = l->tid ? l->tid : record->tid;
        l->first_call = l->first_call ? l->first_call : call_of(&t->names, record);
    }
    if (!l || !canonical) {
        return;
    }
    l->total++;
    if (l->state == WAITING) {
        await(t, l, hash, record);
    } else if (l->state == COMPARED) {
        compare(t, l, hash, record);
    }
    if (l->state == WAITING || l->state == COMPARED) {
        keep(t, l, record);
    }
}

/* ---- the end ------------------------------------------------------------------------------------
 */

/* errno, or 0. */
static int write_report(tracer_live_diff *t)
{
    out o = {0};
    summary_json(t, &o);
    int error = o.no_memory ? ENOMEM : 0;
    for (size_t done = 0; done < o.used && !error;) {
        ssize_t n = write(t->file, o.bytes + done, o.used - done);
        done += n > 0 ? (size_t)n : 0;
        error = n < 0 && errno != EINTR ? errno : 0;
    }
    if (close(t->file) != 0 && !error) {
        error = errno;
    }
    t->file = -1;
    out_free(&o);
    return error;
}

static weft_status diff_close(void *instance, uint64_t last, const char *digest)
{
    tracer_live_diff *t = instance;
    weft_status status = WEFT_OK;
    if (!t->begin) {
        return WEFT_OK;
    }
    t->reference.counting = 1;
    while (!t->stopped && reference_read(&t->reference)) {
    }
    summary_print(t);
    int error = t->file >= 0 ? write_report(t) : 0;
    if (error) {
        status = fail_io(t, "write", error, "room for a report");
    } else if (t->reference.error[0]) {
        char sentence[600];
        snprintf(sentence, sizeof sentence, "reference: %s", t->reference.error);
        status = t->host->fail(t->host, WEFT_E_FORMAT, sentence);
    } else if (t->failed) {
        status = t->host->fail(t->host, WEFT_E_NO_MEMORY, "no memory for tracer-live-diff");
    }
    clear(t);
    return status;
}

static const weft_option options[] = {
    {
        .key = "reference",
        .type = WEFT_OPTION_PATH,
        .default_value = "",
        .help = "trace to compare with, .wtr or JSONL, of this engine or another",
    },
    {
        .key = "map",
        .type = WEFT_OPTION_STRING,
        .default_value = "",
        .help = "A=B,...: thread A of the reference is thread B of the run, by thread id",
    },
    {
        .key = "stop",
        .type = WEFT_OPTION_BOOL,
        .default_value = "no",
        .help = "end the run at the first divergence, as a condition that held",
    },
    {
        .key = "context",
        .type = WEFT_OPTION_INT,
        .default_value = "5",
        .minimum = 0,
        .maximum = MAX_CONTEXT,
        .help = "events before a divergence that are shown; 0: one line for each divergence",
    },
    {
        .key = "path",
        .type = WEFT_OPTION_PATH,
        .default_value = "",
        .help = "file for the summary at the end, as one JSON object; empty: none",
    },
    {
        .key = "memory_mib",
        .type = WEFT_OPTION_INT,
        .default_value = "64",
        .minimum = 1,
        .maximum = 4096,
        .help = "MiB for what was read ahead of the run; beyond it the file is read again",
    },
};

static const weft_tracer_ops ops = {
    .size = sizeof ops,
    .open = diff_open,
    .event = event,
    .close = diff_close,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-live-diff",
    .version = "0.1",
    .summary = "compares a run with a reference trace while it runs",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
