/* run.h: one run: the parts, wired together.
 *
 * Threads: the main thread (the process's first, or a test's) loads, creates, pumps the frontend
 * and destroys; the guest thread opens and runs the title; the drain thread (events.h) serves the
 * tracer. While no guest thread runs, the main thread may do what is the guest's. */
#ifndef WEFT_HOST_RUN_H
#define WEFT_HOST_RUN_H

#include "clock.h"
#include "events.h"
#include "input.h"
#include "memory.h"
#include "profile.h"

/* Exit codes (CONTRACTS). */
#define EXIT_ENDED  0
#define EXIT_TITLE  1
#define EXIT_USAGE  2
#define EXIT_INPUT  3
#define EXIT_STUCK  4
#define EXIT_PLUGIN 5
#define EXIT_DIFFER 6

struct run;

/* One part of a run. */
typedef struct part {
    weft_host host;
    struct run *run;
    struct part *parent; /* of a tracer that another one made; else NULL */
    plugin *plugin;      /* NULL: the run has no such part */
    uint32_t role;
    const profile_section *section; /* where its options are */
    void *instance;                 /* what create made */
    int created;
    role_ops ops;        /* what callers use: the plugin's, or the checked wrappers */
    void *self;          /* what callers pass as instance */
    void *checked;       /* the wrapper's state, or NULL */
    weft_filter *filter; /* of a tracer: what it sees */
    pthread_mutex_t lock;
    char *sentence;    /* of host->fail */
    int from_children; /* those of children, not read yet */
} part;

typedef struct run_options {
    const char *title;
    const char *arguments;
    const char *frames_to;                                  /* NULL: frames are not written */
    const char *input;                                      /* NULL: the frontend's controllers */
    uint64_t until_instructions, until_frames, until_ticks; /* 0: no limit */
    double until_seconds;                                   /* 0: no limit */
    int watch_signals; /* SIGINT and SIGTERM end the run as a condition */

    /* Called again and again on the main thread while the title runs, between looks at the
     * frontend; may be NULL. */
    void (*pumped)(void *context, struct run *r);
    void *pumped_context;
} run_options;

typedef struct run_thread_row {
    weft_run_thread thread;
    char *name;
} run_thread_row;

typedef struct run_missing_row {
    weft_run_missing missing;
    char *name;
} run_missing_row;

/* What came out. */
typedef struct run_report {
    int exit_code; /* weft's */
    int has_result;
    weft_run_result result;
    char *reason;
    uint64_t frames, draws;
    char trace_digest[33], canon_digest[33], profile_digest[33];
    uint64_t trace_events;
    double seconds;
    run_thread_row *threads;
    size_t thread_count;
    run_missing_row *missing;
    size_t missing_count;
} run_report;

typedef struct run {
    loader *loader;
    const profile *profile;
    run_options options;
    weft_memory *memory;
    weft_clock *clock;
    events events;
    struct tracers *tracers;   /* tracers.h; parts[WEFT_ROLE_TRACER] is not used by a run */
    struct policies *policies; /* policies.h: those beside parts[WEFT_ROLE_POLICY] */
    part parts[WEFT_ROLE_COUNT];
    input_script input;
    weft_pad pads[WEFT_PAD_COUNT];
    int paced;           /* pace_start is set */
    uint64_t pace_start; /* host's monotonic ns at guest tick 0 */
    uint64_t frames;
    double started; /* host's monotonic seconds when the title was; 0: it was not yet */

    pthread_t main_thread;
    _Atomic(pthread_t) guest_thread;          /* set by itself, valid while guest_runs */
    _Atomic(pthread_t) guests[WEFT_HW_COUNT]; /* the kernel's own, in parallel mode; each valid */
    _Atomic uint32_t guest_taken;             /* while its bit here is set */
    _Atomic uint32_t emitting;                /* checked: a guest thread is handing an event on */
    _Atomic uint32_t guest_runs, guest_done;
    _Atomic int32_t stop;
    pthread_mutex_t lock;
    char *stop_reason; /* under the lock; the first that asked */
    int write_failed;  /* a frame could not be written: exit code 2 */
    int open_failed;   /* kernel->open refused the title: exit code 3 */
    int plugin_failed;
    run_report report;
    _Atomic int32_t judged; /* report.exit_code is there, but for the tracer's own failure */
} run;

/* All zero, for run_start; the caller frees it after run_end. What the guest's thread and the drain write
 * to has cache lines apart in it, hence not from plain malloc. */
run *run_new(void);

/* Makes memory, clock and an empty part per role. -1 after printing an error. */
int run_start(run *r, loader *l, const profile *p, const run_options *options);

/* Opens the plugin of a part whose run, plugin, role and section are set, and makes its instance. -1
 * after adding to `list`. [main] */
int part_create(part *p, errors *list);

/* Ends the instance, if there is one. [main] */
void part_destroy(part *p);

/* Opens, checks and creates one role's plugin. 0 also when the run has no such part. -1 after
 * printing an error. */
int run_create_part(run *r, uint32_t role);

/* The whole of `weft run` after the profile: creates all parts, runs the title, fills the report.
 * Returns weft's exit code. */
int run_title(run *r);

void run_end(run *r);

/* The report as CONTRACTS.md has it for `run --json`. */
void run_report_json(const run *r, buffer *out);

/* services.c: fills a part's weft_host. */
void services_start(part *p);

/* Asks the run to end; the first reason stays. Any thread. */
void run_stop(run *r, const char *reason);

/* Seconds of the host's clock since the title was started; 0 before. */
double run_seconds(const run *r);

/* WEFT_THREAD_* of the calling thread; MAIN|GUEST for the main thread while no guest thread runs.
 */
uint32_t run_thread_tag(run *r);

/* The calling thread is a [guest] one, until it leaves. LIMIT: there is no room for more. */
weft_status run_guest_enter(run *r, const char *name);
void run_guest_leave(run *r);

/* What the part's latest host->fail said, or `otherwise`; allocated. */
char *part_sentence(part *p, const char *otherwise);

/* Prints `weft: error: WHERE: ` and that sentence, or adds the line to `list`. */
void part_error(part *p, const char *where, weft_status status);
void part_add_error(part *p, const char *where, weft_status status, errors *list);

#endif
