/* reference.h: the trace that a run is compared with while it runs: the canonical hashes of its
 * threads, by number, from a file of any size in bounded memory.
 *
 * The file is read once, as far ahead as the run asks. Hashes of threads that the run has not asked
 * for yet wait in memory up to a limit; what does not fit is read again from the file when it is
 * asked for. */
#ifndef WEFT_LIVE_DIFF_REFERENCE_H
#define WEFT_LIVE_DIFF_REFERENCE_H

#include "idmap.h"
#include "pretty.h"
#include "source.h"

#define REFERENCE_NONE SIZE_MAX

typedef struct reference_thread {
    uint64_t id;
    uint32_t tid;        /* of its first event that has one */
    uint64_t first_call; /* FNV-1a of the bare name of the first export it calls, 0: none so far */
    int claimed;         /* a thread of the run is compared with it */
    int dropped;         /* nobody asks for its hashes any more */
    uint64_t seen;       /* canonical events read so far */
    uint64_t *hashes;    /* those that wait: of number `base` at `head`, and so on */
    uint64_t base;
    size_t head, count, room;
} reference_thread;

typedef struct reference {
    char *path;
    int mode; /* WEFT_CANON_* */
    weft_trace *trace;
    weft_canon *canon;
    reference_thread *threads; /* in order of first appearance, as far as it was read */
    size_t count, room;
    idmap places;
    uint64_t changes;        /* counts threads that got a tid or a first call */
    uint64_t waiting, limit; /* hashes */
    size_t asking;           /* thread whose hash is wanted now */
    int ended;
    int counting;              /* nobody asks any more: hashes do not wait */
    weft_trace_source *source; /* opened when something is to be read again */
    char error[512];           /* "": none */
} reference;

/* Opens a file; `limit` is how many hashes may wait. 0 with `error` set where it is no trace of a
 * whole run that can be compared with. */
int reference_open(reference *r, const char *path, uint64_t limit);
void reference_close(reference *r);

/* Reads one event. 0 at the end, and after an error. */
int reference_read(reference *r);

/* A thread by identity, by thread id, or an unclaimed one by its first call, reading on until it is
 * there; REFERENCE_NONE where there is none. `skip` says which are not meant. */
size_t reference_by_id(reference *r, uint64_t id);
size_t reference_by_tid(reference *r, uint32_t tid);
size_t reference_by_call(reference *r, uint64_t first_call,
                         int (*skip)(void *context, const reference_thread *thread), void *context);

/* The hash of a thread's canonical event; a thread is asked with rising numbers. 0 where it has
 * fewer, or the file cannot be read on. */
int reference_hash(reference *r, size_t thread, uint64_t number, uint64_t *hash);

/* Nobody asks for this thread any more. */
void reference_drop(reference *r, size_t thread);

/* One canonical event of a thread as a line for people, and as a few words. 0 where the file does not
 * give it. */
int reference_describe(reference *r, size_t thread, uint64_t number, pretty *p, out *line,
                       out *words);

/* The text of a thread's identity, or NULL. */
const char *reference_name(const reference *r, size_t thread);

/* "kernel.call NtClose(handle=0x10)": what an event is and says, without when and where. */
void describe_event(out *o, pretty *p, const weft_trace *trace, const weft_event *event);

/* FNV-1a of the bare name of the export that an event calls; 0 where it calls none. */
uint64_t call_of(const weft_trace *trace, const weft_event *event);

#endif
