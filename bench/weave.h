/* weave.h: between the files of `./dev bench weave`: runs of the program, and what is read from them. */
#ifndef BENCH_WEAVE_H
#define BENCH_WEAVE_H

#include <cjson/cJSON.h>
#include <stdint.h>

#define WEAVE_IGNORED "wake.requested,signal.match"

#define WEAVE_REFERENCES 99u

typedef struct bench {
    char folder[256];
    const char *title, *json;
    char arguments[64], long_arguments[64];
    unsigned references; /* drawn for a table, 1..WEAVE_REFERENCES */
} bench;

/* How far a trace goes as another one: events up to the first that differs, of guest threads. */
typedef struct match {
    uint64_t main_matched, main_total, matched, total;
} match;

/* What runs the references. */
typedef enum weave_source {
    WEAVE_PARALLEL,  /* parallel mode */
    WEAVE_STALLED,   /* and threads stand still for a while at some of their kernel calls */
    WEAVE_LOOKAHEAD, /* lockstep with another lookahead: the same each time */
} weave_source;

/* Says why on stderr; 0. */
int weave_failed(const char *where, const char *why);
/* The path of a file in the bench's folder, to be freed. */
char *weave_path(const bench *b, const char *name);
char *weave_read(const char *path); /* NULL: it cannot be */
cJSON *weave_json(const bench *b, const char *name);
uint64_t weave_number(const cJSON *json, const char *name); /* 0: there is none */
const char *weave_text(const cJSON *json, const char *name);
double weave_per_cent(uint64_t part, uint64_t whole);

/* What follows is 0 where it failed, and has said so. */

/* A run under `settings` (up to 8, NULL-ended), its report into run.json, its log into log.txt; with
 * `trace`, its events too. *cpu: processor time. */
int weave_run(const bench *b, const char *const *settings, const char *trace,
              const char *title_arguments, double *cpu);
/* `weft trace manifest KIND`, of a trace; `value`: --from-times. */
int weave_manifest(const bench *b, const char *kind, const char *value, const char *reference,
                   const char *name);
/* Thread by thread. diff.json is the report. */
int weave_compare(const bench *b, const char *reference, const char *trace, match *m);

/* The table: what each kind of knowledge of a reference is good for; printed, and into `json`. 0 also
 * where something came out that must not, whatever the references are. */
int weave_table(const bench *b, weave_source source, cJSON *json);
/* The setting that makes a run one of such a source. */
const char *weave_setting(weave_source source);

#endif
