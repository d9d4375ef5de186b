/* trace_chain.c: `weft trace digest --chain`: that the files of one run's successive tracers are the
 * whole run: nothing lost, doubled or reordered, within them or between them.
 *
 * A file says which event it begins with and the trace_digest of all events before (docs/trace.md).
 * Here both are held against what the files before it really contain, event by event. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "../text.h"
#include "args.h"
#include "trace_command.h"

typedef struct chain {
    weft_trace_digest *digest;
    uint64_t next;             /* sequence that has to come */
    const char *before;        /* the file before, or NULL */
    weft_trace_info reference; /* of the first file */
} chain;

/* `weft: error: A, B: ...`: where the chain is broken. Returns the exit code for it. */
static int broken(const chain *c, const char *path, const char *what, const char *found,
                  const char *expected)
{
    char *where = c->before ? text_format("%s, %s", c->before, path) : text_copy(path);
    error_print(where, "chain is broken: %s (found %s, expected %s)", what, found, expected);
    free(where);
    return EXIT_DIFFER;
}

static int broken_at(const chain *c, const char *path, const char *what, uint64_t found,
                     uint64_t expected)
{
    char texts[2][24];
    snprintf(texts[0], sizeof texts[0], "%" PRIu64, found);
    snprintf(texts[1], sizeof texts[1], "%" PRIu64, expected);
    return broken(c, path, what, texts[0], texts[1]);
}

/* Files that can prove nothing. */
static int refuse(const char *path, const weft_trace_info *info)
{
    if (info->foreign) {
        error_print(path, "trace has no digests to chain (found engine %s, expected weft)",
                    info->engine);
        return EXIT_INPUT;
    }
    if (info->partial) {
        error_print(path,
                    "trace proves nothing about the whole run (found events that filters hid, "
                    "expected all)");
        return EXIT_INPUT;
    }
    return EXIT_ENDED;
}

/* Does the file begin where the one before ended? */
static int check_seam(chain *c, const char *path, const weft_trace_info *info)
{
    char hex[33];
    weft_trace_digest_now(c->digest, hex);
    if (c->before && strcmp(info->profile_digest, c->reference.profile_digest) != 0) {
        return broken(c, path, "another run's profile", info->profile_digest,
                      c->reference.profile_digest);
    }
    if (c->before && strcmp(info->title, c->reference.title) != 0) {
        return broken(c, path, "another title", info->title, c->reference.title);
    }
    if (info->first != c->next) {
        return broken_at(c, path, "first event", info->first, c->next);
    }
    if (strcmp(info->before, hex) != 0) {
        return broken(c, path, "digest of the events before", info->before, hex);
    }
    return EXIT_ENDED;
}

/* Every event in turn. Definitions are repeated ahead of the first one (sequence 0); they are part of
 * no numbering. */
static int check_events(chain *c, reading *r)
{
    const weft_trace_info *info = weft_trace_info_of(r->trace);
    const weft_event *event;
    while ((event = reading_next(r)) != NULL) {
        int repeated = info->first > 0 && c->next == info->first && event->sequence == 0 &&
                       event->kind == WEFT_EVENT_DEFINE;
        if (repeated) {
            continue;
        }
        if (event->sequence != c->next) {
            c->before = NULL; /* within one file */
            return broken_at(c, r->path,
                             event->sequence > c->next ? "events are missing"
                                                       : "an event is there twice or late",
                             event->sequence, c->next);
        }
        c->next++;
        weft_trace_digest_add(c->digest, event);
    }
    return EXIT_ENDED;
}

static int check_end(chain *c, const char *path, const weft_trace_info *info)
{
    char hex[33];
    weft_trace_digest_now(c->digest, hex);
    c->before = NULL;
    if (!info->complete) {
        return broken(c, path, info->missing[0] ? info->missing : "the file has no end", "none",
                      "trace.end or a footer");
    }
    if (info->last != c->next - 1) {
        return broken_at(c, path, "last event", c->next - 1, info->last);
    }
    if (strcmp(info->digest, hex) != 0) {
        return broken(c, path, "digest at the end", hex, info->digest);
    }
    return EXIT_ENDED;
}

static int check_file(chain *c, const char *path)
{
    reading r;
    reading_open(&r, path);
    const weft_trace_info *info = weft_trace_info_of(r.trace);
    int code = EXIT_ENDED;
    if (!weft_trace_failed(r.trace, NULL)) {
        code = refuse(path, info);
        code = code ? code : check_seam(c, path, info);
        code = code ? code : check_events(c, &r);
        if (!code && !weft_trace_failed(r.trace, NULL)) {
            code = check_end(c, path, info);
        }
        if (!c->reference.engine[0]) {
            c->reference = *info;
        }
    }
    if (code) {
        weft_trace_close(r.trace); /* why is said already */
        return code;
    }
    return reading_close(&r);
}

int trace_chain(const char *const *paths, size_t count)
{
    chain c = {.digest = weft_trace_digest_new()};
    char hex[33];
    int code = EXIT_ENDED;
    for (size_t i = 0; i < count && !code; i++) {
        code = check_file(&c, paths[i]);
        c.before = paths[i];
    }
    uint64_t guest = weft_trace_digest_end(c.digest, hex);
    if (!code) {
        printf("%s %" PRIu64, hex, guest);
        for (size_t i = 0; i < count; i++) {
            printf(" %s", paths[i]);
        }
        printf("\n");
    }
    return code;
}
