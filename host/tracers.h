/* tracers.h: a run's tracer instances: the one in service, those that take over later, and the
 * children of those that hand events on. The main thread's, all of it.
 *
 * An instance that goes out of service is destroyed, and its library unloaded where no other
 * instance needs it: what is exchanged may be built anew meanwhile. */
#ifndef WEFT_HOST_TRACERS_H
#define WEFT_HOST_TRACERS_H

#include "run.h"
#include "swap.h"

typedef struct tracer_instance {
    part part;               /* must be first */
    profile_section section; /* its own settings; empty where part.section is the profile's */
    struct tracer_instance *next;
    uint64_t file; /* key of the file that it writes, 0: none */
    int served;    /* it was opened by the drain */
    char *folder;  /* from which it and its children mean relative paths; NULL: the run's */
} tracer_instance;

/* Told once an exchange is over: `code` is 0, or the exit code for what the lines of `list` say. */
typedef void (*tracers_told)(void *context, int code, const swap_request *swap, const errors *list);

typedef struct tracers {
    tracer_instance *list; /* all that live */
    swap_plan plan;
    size_t seen;       /* steps of the plan that were looked after */
    swap_request swap; /* on its way where `swapping` */
    int swapping;
    tracers_told told;
    void *context;
    map files;  /* regular files that a tracer of this run writes or wrote: 1 by hash of the path */
    int failed; /* one that was exchanged lost something, or a rule's tracer did not open */
} tracers;

/* Makes the profile's tracer and those of its rules, and starts the events with them. -1 after
 * printing an error. */
int tracers_start(run *r);

/* Makes an instance that is not in service yet. A relative path among its settings is meant from
 * `folder`, where that is not NULL. NULL after adding to `list`, with the exit code in *code. */
tracer_instance *tracers_make(run *r, const tracer_wish *wish, const char *folder, errors *list,
                              int *code);

/* Ends one that was made, and never put on its way into service. */
void tracers_drop(run *r, tracer_instance *t);

/* Puts an instance into service. -1: another one is on its way. `told`, which may be NULL, is called
 * from tracers_pump, or from whatever else waits for the exchange. */
int tracers_swap_begin(run *r, tracer_instance *next, tracers_told told, void *context);

/* The same, at once. Returns 0, or the exit code after adding to `list`. */
int tracers_swap(run *r, tracer_instance *next, errors *list);

/* Looks after what the drain has exchanged. */
void tracers_pump(run *r);

/* Ends the events and every instance. Non-zero after printing why output was lost. */
int tracers_finish(run *r);
void tracers_free(run *r);

/* The file that a tracer of this run writes, or NULL: it writes none, or is no more. */
const char *tracers_file(run *r, const tracer_slot *slot);

/* Asks the tracer in service for what it keeps (weft_tracer_dump). */
typedef struct tracers_dump_request {
    drain_request request; /* must be first */
    weft_status status;
    char *path; /* after: where it is; allocated */
    char *why;  /* after a failure: one line; allocated */
} tracers_dump_request;

tracers_dump_request tracers_dump_of(void);

/* The tracer that writes files of this name: "tracer-jsonl" for .jsonl, "tracer-binary" for .wtr;
 * NULL for others. */
const char *tracers_for_file(const char *path);

/* The record key (weft_host_record). */
int32_t tracers_record(run *r, char *line, uint32_t room);

/* Host extension "tracers/1". */
const weft_host_tracers *tracers_extension(void);

#endif
