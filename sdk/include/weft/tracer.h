/* weft/tracer.h: the role that receives events and writes them somewhere.
 *
 * A tracer runs on the drain thread only, sees events in sequence order without a gap from `open`
 * to `close`, and can be exchanged while a title runs: the old one gets close(last = N-1), the new
 * one open(first = N) and then one `define` event for each identity that is already known. It can
 * change nothing about the run. The smallest tracer defines `event` alone. stdout is the title's: what
 * a person should see goes to stderr. docs/trace.md, "Writing a tracer", has the rest.
 *
 * An option called `path`, of type PATH, is the file that the tracer writes: the host refuses to make
 * two tracers of one run with the same regular file, since the second would replace the first's. */
#ifndef WEFT_TRACER_H
#define WEFT_TRACER_H

#include "event.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A word of a payload that has a name in the canonical form (event.h): it is `base` plus an offset
 * inside what `name` identifies. */
typedef struct weft_event_name {
    uint32_t place; /* in the payload, in words */
    uint32_t reserved;
    uint64_t name, base;
} weft_event_name;

/* The canonical form of an event: its hash, and the names of its payload's words in their order. */
typedef struct weft_event_canon {
    uint64_t hash;
    const weft_event_name *named; /* until the op returns */
    uint32_t named_count;
    uint32_t fits; /* 1: the payload is what the kind's row says */
} weft_event_canon;

typedef struct weft_trace_begin {
    uint32_t size;              /* sizeof(weft_trace_begin) */
    uint32_t partial;           /* non-zero: filters of the profile hide some events */
    uint64_t first;             /* sequence of the first event to come */
    const char *engine;         /* "weft" */
    const char *build;          /* version of the program */
    const char *title;          /* file name of the title, without folders */
    const char *profile_digest; /* 32 hex digits */
    const char *digest;         /* trace_digest of all events before `first`, 32 hex digits */

    /* The text of an identity from an earlier `define`, or NULL. Lives until close. [drain] */
    const char *(*name)(void *names, uint64_t id);
    void *names; /* for `name`, `digest_now` and `canon` */

    /* trace_digest up to and with the event that was handed on last, 32 hex digits, whatever the
     * filters hide; for who begins or ends a file between open and close. NULL: not known here.
     * [drain] */
    void (*digest_now)(void *names, char hex[33]);

    /* 1 and the canonical form of the event that is being handed on, where it has one; else 0. The
     * host has it anyway. Its names are those of the whole run, whatever the filters hide. NULL where
     * the tracer did not see the run's first event, since the form depends on what came before.
     * [drain] */
    int32_t (*canon)(void *names, weft_event_canon *canon);
} weft_trace_begin;

typedef struct weft_tracer_ops {
    uint32_t size; /* sizeof(weft_tracer_ops) */
    uint32_t reserved;

    /* Before the first event. NULL: nothing to prepare. A failure (host->fail first) ends the run
     * with exit code 5. `begin` and what it points to live until close returns. [drain] */
    weft_status (*open)(void *instance, const weft_trace_begin *begin);

    /* One event, with its payload behind it. NULL is refused at load. [drain] */
    void (*event)(void *instance, const weft_event *event);

    /* Hand buffered bytes on: the run is idle, or somebody asked. NULL: nothing is buffered.
     * [drain] */
    void (*flush)(void *instance);

    /* After the event with sequence `last` (first - 1 if there was none); `digest` is the
     * trace_digest up to and with it. The only op that may report lost output. NULL: nothing to end.
     * [drain] */
    weft_status (*close)(void *instance, uint64_t last, const char *digest);

    /* State for save files; none is defined in 0.1. NULL: saving is refused, by id. [drain] */
    weft_status (*save)(void *instance, void *buffer, uint64_t *length);

    /* Takes back what save wrote. NULL: loading is refused. [drain] */
    weft_status (*load)(void *instance, const void *buffer, uint64_t length);
} weft_tracer_ops;

/* Extension "dump/1" of a tracer that keeps events and writes them when something happens. */
#define WEFT_TRACER_DUMP "dump/1"

typedef struct weft_tracer_dump {
    uint32_t size; /* sizeof(weft_tracer_dump) */
    uint32_t reserved;

    /* Writes what is kept, between open and close. *path is where, until the next op. A failure:
     * host->fail first; the tracer goes on. [drain] */
    weft_status (*dump)(void *instance, const char **path);
} weft_tracer_dump;

/* Host extension "tracers/1": further tracer instances, for a tracer that hands events on to others
 * (tee). The host finds and checks the plugin and its settings as it does for a profile; the child
 * has a weft_host of its own, whose `fail` also stands for the parent's (with the child's id in
 * front), so that a parent can return a child's status as it is. The parent drives its children:
 * it calls open, event, flush and close where its own are called, with what it was given. */
#define WEFT_HOST_TRACERS "tracers/1"

typedef struct weft_host_tracers {
    uint32_t size; /* sizeof(weft_host_tracers) */
    uint32_t reserved;

    /* Makes an instance of tracer `id` ("tracer-jsonl" or "jsonl"). `settings` has a "key=value" on
     * each line; keys that it does not name have their defaults. *ops has every op, defaults filled
     * in; both live until `end`. On failure host->fail was called for the caller. To be called in
     * create. [main] */
    weft_status (*make)(const weft_host *host, const char *id, const char *settings,
                        const weft_tracer_ops **ops, void **instance);

    /* Ends an instance from make; in destroy at the latest (the host ends what is left then). No op
     * of it runs, and none follows. [main] */
    void (*end)(const weft_host *host, void *instance);

    /* What the child's plugin answers to an extension ("dump/1"), and in *target the instance to
     * call it with; NULL for one that it does not know. [main] */
    const void *(*extension)(const weft_host *host, void *instance, const char *name,
                             void **target);
} weft_host_tracers;

WEFT_STATIC_ASSERT(sizeof(weft_host_tracers) == 32, "ABI: weft_host_tracers");
WEFT_STATIC_ASSERT(sizeof(weft_event_name) == 24, "ABI: weft_event_name");
WEFT_STATIC_ASSERT(sizeof(weft_event_canon) == 24, "ABI: weft_event_canon");
WEFT_STATIC_ASSERT(sizeof(weft_trace_begin) == 88, "ABI: weft_trace_begin");
WEFT_STATIC_ASSERT(sizeof(weft_tracer_dump) == 16, "ABI: weft_tracer_dump");
WEFT_STATIC_ASSERT(sizeof(weft_tracer_ops) == 56, "ABI: weft_tracer_ops");

#ifdef __cplusplus
}
#endif
#endif
