/* diff_absorb.c: what the reference system's diff passes over at a mismatch (REFERENCE, "Absorbers"):
 * a handle.create or a wait.begin of an object that several threads share, which one engine adopts
 * earlier than the other, and a critical section that one of them enters once more while it cleans up
 * behind a wait. Real differences hide there, so each is named in the report. */
#include <string.h>

#include "canon_shared.h"
#include "diff_parts.h"

#define SHARED_MARKER 0xC01AB005u
#define MOST_SIDS     (1u << 20)

typedef struct sid_scan {
    diff_work *w;
    live_map *sids;
    int no_memory;
} sid_scan;

static void note(sid_scan *s, uint64_t sid, uint64_t thread)
{
    uint64_t *known = live_map_find(s->sids, sid);
    if (known) {
        known[1] |= known[0] != thread;
    } else if (sid != 0 && s->sids->count < MOST_SIDS) {
        s->no_memory |= !live_map_put(s->sids, sid, (const uint64_t[]){thread, 0});
    }
}

static int take_sids(void *context, size_t window, const weft_trace *trace, const weft_event *event,
                     uint64_t canonical, uint64_t hash)
{
    sid_scan *s = context;
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    if ((event->kind == WEFT_EVENT_HANDLE_CREATE || event->kind == WEFT_EVENT_HANDLE_DESTROY) &&
        count > 0) {
        note(s, words[0], event->thread);
    } else if (event->kind == WEFT_EVENT_WAIT_BEGIN && count > 0 && words[0] < count) {
        for (uint64_t i = 0; i < words[0]; i++) {
            note(s, words[1 + i], event->thread);
        }
    }
    return !s->no_memory;
}

int diff_absorb_prepare(diff_work *w)
{
    const weft_trace_window all = {.thread = WEFT_TRACE_ALL, .from = 0, .count = UINT64_MAX};
    diff_fetch fetch = {.fn = take_sids};
    sid_scan scans[2];
    for (int n = 0; n < 2; n++) {
        scans[n] = (sid_scan){.w = w, .sids = &w->sids[n]};
        fetch.windows[n] = &all;
        fetch.counts[n] = 1;
        fetch.contexts[n] = &scans[n];
    }
    int good = diff_fetch_both(w, &fetch);
    w->no_memory |= scans[0].no_memory || scans[1].no_memory;
    return good;
}

/* The identity that the reference system gives to an object by its address alone: marker, address and
 * type, as 32-bit words of either byte order. */
static int is_by_address(uint64_t sid, uint64_t address, uint64_t type)
{
    uint8_t little[12], big[12];
    uint32_t words[3] = {SHARED_MARKER, (uint32_t)address, (uint32_t)type};
    for (int i = 0; i < 12; i++) {
        little[i] = (uint8_t)(words[i / 4] >> i % 4 * 8);
        big[i] = (uint8_t)(words[i / 4] >> (24 - i % 4 * 8));
    }
    return sid == weft_fnv1a(little, sizeof little) || sid == weft_fnv1a(big, sizeof big);
}

/* Whether several threads share what the identity means: more than one has to do with it in either
 * stream, or it is named by where it lies. */
static int is_shared(const diff_work *w, int side, uint64_t sid)
{
    for (int n = 0; n < 2; n++) {
        const uint64_t *known = live_map_find(&w->sids[n], sid);
        if (known && known[1]) {
            return 1;
        }
    }
    const char *text = weft_trace_source_name(w->sides[side].source, sid);
    return text && strchr(text, '~') != NULL; /* adopted, docs/trace.md */
}

static int is_shared_create(const diff_work *w, int side, const weft_event *event)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    return event->kind == WEFT_EVENT_HANDLE_CREATE && count == 3 &&
           (is_shared(w, side, words[0]) || is_by_address(words[0], words[2], words[1]));
}

static int is_shared_wait(const diff_work *w, int side, const weft_event *event)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    if (event->kind != WEFT_EVENT_WAIT_BEGIN || count == 0 || words[0] >= count) {
        return 0;
    }
    for (uint64_t i = 0; i < words[0]; i++) {
        if (is_shared(w, side, words[1 + i])) {
            return 1;
        }
    }
    return 0;
}

static int is_export(const diff_work *w, int side, const weft_event *event, const char *wanted)
{
    size_t length;
    const char *name = diff_export_name(w, side, event, &length);
    return length == strlen(wanted) && memcmp(name, wanted, length) == 0;
}

static int is_critical_section(const diff_work *w, int side, const weft_event *event)
{
    return is_export(w, side, event, "RtlEnterCriticalSection") ||
           is_export(w, side, event, "RtlLeaveCriticalSection");
}

/* A wait among the events right before: what follows it is its clean-up. */
static int follows_a_wait(const diff_work *w, int side, const diff_view *view)
{
    for (size_t i = 0; i < view->before.count; i++) {
        const weft_event *event = view->before.at[i].event;
        size_t length;
        const char *name = diff_export_name(w, side, event, &length);
        if (event->kind == WEFT_EVENT_WAIT_BEGIN || memmem(name, length, "WaitFor", 7)) {
            return 1;
        }
    }
    return 0;
}

/* One enter or leave of a critical section, from its first line to its return; how many events. */
static int whole_call(const diff_work *w, int side, const diff_view *view)
{
    const diff_list *list = &view->kept;
    size_t n = 0;
    if (n < list->count && list->at[n].event->kind == WEFT_EVENT_IMPORT_CALL) {
        n++;
    }
    if (n + 1 >= list->count || list->at[n].event->kind != WEFT_EVENT_KERNEL_CALL) {
        return 0;
    }
    uint16_t end = list->at[n + 1].event->kind;
    if (end != WEFT_EVENT_KERNEL_RETURN && end != WEFT_EVENT_KERNEL_RETURN_VOID) {
        return 0;
    }
    for (size_t i = 0; i < n + 2; i++) {
        if (!is_critical_section(w, side, list->at[i].event) ||
            is_export(w, side, list->at[i].event, "RtlEnterCriticalSection") !=
                is_export(w, side, list->at[0].event, "RtlEnterCriticalSection")) {
            return 0;
        }
    }
    return (int)n + 2;
}

/* Of a call that one side makes and the other does not: what comes behind it must match. */
static int nested(const diff_work *w, int side, const diff_view views[2])
{
    const diff_view *mine = &views[side], *other = &views[!side];
    int count = whole_call(w, side, mine);
    if (!count || !follows_a_wait(w, side, mine) || other->hash_count == 0) {
        return 0;
    }
    /* Several in a row may have to go; each is asked for anew. */
    for (size_t at = (size_t)count; at < mine->hash_count && at < mine->kept.count; at++) {
        if (mine->hashes[at] == other->hashes[0]) {
            return count;
        }
        if (!is_critical_section(w, side, mine->kept.at[at].event)) {
            return 0;
        }
    }
    return 0;
}

int diff_absorb(diff_work *w, const diff_view views[2], int *side, const char **rule)
{
    unsigned asked = w->options->absorb;
    const weft_event *first[2];
    for (int n = 0; n < 2; n++) {
        first[n] = views[n].kept.count > 0 ? views[n].kept.at[0].event : NULL;
    }
    for (int n = 0; n < 2; n++) {
        const weft_event *mine = first[n], *other = first[!n];
        *side = n;
        if (!mine || (other && mine->kind == other->kind && mine->kind != WEFT_EVENT_IMPORT_CALL &&
                      mine->kind != WEFT_EVENT_KERNEL_CALL)) {
            continue; /* both have one, and they differ: that stays a difference */
        }
        if (asked & DIFF_ABSORB_CREATE && is_shared_create(w, n, mine)) {
            *rule = "create";
            return 1;
        }
        if (asked & DIFF_ABSORB_WAIT && is_shared_wait(w, n, mine)) {
            *rule = "wait";
            return 1;
        }
    }
    for (int n = 0; n < 2 && asked & DIFF_ABSORB_NESTED; n++) {
        int count = nested(w, n, views);
        if (count) {
            *side = n;
            *rule = "nested";
            return count;
        }
    }
    return 0;
}
