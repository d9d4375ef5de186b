/* weave.c: `./dev bench weave`: the founding experiment as a table (docs/policy.md, "The founding
 * experiment"), and what following costs.
 *
 * A title's runs in parallel mode are the references: host threads weave its guest threads as they
 * please. Lockstep runs of the same title are held against them, under policies that know more and more
 * of them: nothing, contended entries, time stamps of several resolutions, numbers (weave_table.c). What
 * matches is counted per thread, up to the first event that differs in canonical form; kinds that say
 * whether a signal found somebody waiting are left out. Each row runs three times, and must come out the
 * same. */
#include "weave.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COST_RUNS 15

/* ---- cost --------------------------------------------------------------------------------------
 * Processor time, of the user and of the system, of whole runs; medians over COST_RUNS rounds in each of
 * which every kind of run takes its turn, so that what else the machine does is shared. */

/* One kind of run, and what it took. */
typedef struct kind {
    const char *settings[3]; /* NULL-ended */
    const char *arguments;
    double seconds[COST_RUNS];
    double reading; /* of that, what is read before the run */
    uint64_t events, slices;
    char digest[40];
} kind;

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(const double *values)
{
    double sorted[COST_RUNS];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, COST_RUNS, sizeof *sorted, by_size);
    return sorted[COST_RUNS / 2];
}

static int take_turns(const bench *b, kind *kinds, int count)
{
    for (int i = 0; i < COST_RUNS; i++) {
        for (int j = 0; j < count; j++) {
            kind *k = &kinds[j];
            if (!weave_run(b, k->settings, NULL, k->arguments, &k->seconds[i])) {
                return 0;
            }
            cJSON *json = weave_json(b, "run.json");
            k->events = weave_number(json, "trace_events");
            k->slices = weave_number(json, "slices");
            snprintf(k->digest, sizeof k->digest, "%s", weave_text(json, "trace_digest"));
            cJSON_Delete(json);
            if (k->events == 0) {
                return weave_failed("weft run", "told of no events");
            }
        }
    }
    return 1;
}

/* Median of how much longer than `base` a kind took for each event, less what reading their files did, in
 * per cent. */
static double dearer(const kind *base, const kind *k)
{
    double ratios[COST_RUNS], scale = (double)base->events / (double)k->events;
    for (int i = 0; i < COST_RUNS; i++) {
        ratios[i] =
            100 * ((k->seconds[i] - k->reading) * scale / (base->seconds[i] - base->reading) - 1);
    }
    return median(ratios);
}

enum { ALONE, OWN, REFERENCE, REPLAY, SHORT, SHORT_OWN, SHORT_REFERENCE, SHORT_REPLAY, KINDS };

static void put_cost(const char *name, const kind *k, const kind *base, const char *what)
{
    printf("%-44s %9" PRIu64 " %8" PRIu64 " %8.1f", name, k->events, k->slices,
           (median(k->seconds) - k->reading) * 1e3);
    if (base) {
        printf(" %+7.1f %%  %s", dearer(base, k), what);
    }
    printf("\n");
}

/* A run of each kind, alone and following; then a long reference matched against. */
static int cost(const bench *b, const char *const *reference, cJSON *json)
{
    double cpu;
    match r = {0};
    char *order = weave_path(b, "long.json"), *own_order = weave_path(b, "own.json");
    char *recording = weave_path(b, "long-ours.wtr");
    char option[320], own_option[320], schedule[320];
    snprintf(option, sizeof option, "policy.order=%s", order);
    snprintf(own_option, sizeof own_option, "policy.order=%s", own_order);
    snprintf(schedule, sizeof schedule, "policy.schedule=%s", recording);
    free(order);
    free(own_order);
    free(recording);
    const char *none[] = {NULL}, *following[] = {"policy.plugin=follow", option, NULL};
    if (!weave_run(b, reference, "long.wtr", b->long_arguments, &cpu) ||
        !weave_manifest(b, "--order", NULL, "long.wtr", "long.json") ||
        !weave_run(b, following, "long-ours.wtr", b->long_arguments, &cpu) ||
        !weave_compare(b, "long.wtr", "long-ours.wtr", &r) ||
        !weave_run(b, none, "own.wtr", b->long_arguments, &cpu) ||
        !weave_manifest(b, "--order", NULL, "own.wtr", "own.json")) {
        return 0;
    }
    kind kinds[KINDS] = {
        [ALONE] = {.arguments = b->long_arguments},
        [OWN] = {.settings = {"policy.plugin=follow", own_option}, .arguments = b->long_arguments},
        [REFERENCE] = {.settings = {"policy.plugin=follow", option},
                       .arguments = b->long_arguments},
        [REPLAY] = {.settings = {"policy.plugin=replay", schedule}, .arguments = b->long_arguments},
        [SHORT] = {.arguments = "rounds=1"},
        [SHORT_OWN] = {.settings = {"policy.plugin=follow", own_option}, .arguments = "rounds=1"},
        [SHORT_REFERENCE] = {.settings = {"policy.plugin=follow", option}, .arguments = "rounds=1"},
        [SHORT_REPLAY] = {.settings = {"policy.plugin=replay", schedule}, .arguments = "rounds=1"},
    };
    if (!take_turns(b, kinds, KINDS)) {
        return 0;
    }
    for (int i = OWN; i <= REPLAY; i++) {
        kinds[i].reading = median(kinds[i + SHORT].seconds) - median(kinds[SHORT].seconds);
    }
    const kind *alone = &kinds[ALONE], *own = &kinds[OWN], *ref = &kinds[REFERENCE];
    const kind *replay = &kinds[REPLAY];
    int same = strcmp(alone->digest, own->digest) == 0;
    int replayed = strcmp(ref->digest, replay->digest) == 0;
    printf("\n%s: %" PRIu64 " events in the order of the reference: %" PRIu64 " of %" PRIu64
           " matched, %.3f %%\n",
           b->long_arguments, ref->events, r.matched, r.total, weave_per_cent(r.matched, r.total));
    printf("\nprocessor time (user + system), medians of %d runs in turns, without what is read "
           "before "
           "the run: manifests in %.1f and %.1f ms, a trace in %.1f ms\n",
           COST_RUNS, own->reading * 1e3, ref->reading * 1e3, replay->reading * 1e3);
    printf("%-44s %9s %8s %8s %9s\n", "", "events", "slices", "ms", "cost");
    put_cost("alone", alone, NULL, NULL);
    put_cost("following its own order", own, alone,
             same ? "of the same events: the digests are equal" : "DIGESTS DIFFER");
    put_cost("following the reference", ref, alone, "for each event, of which it has others");
    put_cost("the same, played back by policy-replay", replay, alone,
             replayed ? "likewise: what that order costs under another policy" : "DIGESTS DIFFER");
    printf("%-44s %9s %8s %8s %+7.1f %%  of the same events\n", "following, against that", "", "",
           "", dearer(replay, ref));
    cJSON_AddNumberToObject(json, "long_events", (double)ref->events);
    cJSON_AddNumberToObject(json, "long_matched", (double)r.matched);
    cJSON_AddNumberToObject(json, "long_total", (double)r.total);
    cJSON_AddNumberToObject(json, "alone_seconds", median(alone->seconds));
    cJSON_AddNumberToObject(json, "own_seconds", median(own->seconds));
    cJSON_AddNumberToObject(json, "own_reading_seconds", own->reading);
    cJSON_AddNumberToObject(json, "own_cost_per_cent", dearer(alone, own));
    cJSON_AddNumberToObject(json, "follow_seconds", median(ref->seconds));
    cJSON_AddNumberToObject(json, "follow_reading_seconds", ref->reading);
    cJSON_AddNumberToObject(json, "follow_cost_per_cent", dearer(alone, ref));
    cJSON_AddNumberToObject(json, "replay_seconds", median(replay->seconds));
    cJSON_AddNumberToObject(json, "replay_reading_seconds", replay->reading);
    cJSON_AddNumberToObject(json, "replay_cost_per_cent", dearer(alone, replay));
    cJSON_AddNumberToObject(json, "follow_against_replay_per_cent", dearer(replay, ref));
    if (!same) {
        return weave_failed("following its own order",
                            "changed the run (expected the same digest)");
    }
    return replayed ||
           weave_failed("playing it back", "gave another run (expected the same digest)");
}

/* What a switch costs: the same work in many more slices, and passes of a token between threads that
 * wait for it. */
static int switches(const bench *b, cJSON *json)
{
    bench work = *b, pass = *b;
    work.title = WEFT_BUILD_DIR "/titles/lockfree.xex";
    pass.title = WEFT_BUILD_DIR "/titles/pingpong.xex";
    kind kinds[] = {
        {.settings = {"schedule.lookahead=20000"}, .arguments = "rounds=60000"},
        {.settings = {"schedule.lookahead=100"}, .arguments = "rounds=60000"},
    };
    kind passes = {.arguments = "rounds=50000"};
    if (!take_turns(&work, kinds, 2) || !take_turns(&pass, &passes, 1)) {
        return 0;
    }
    double ns[COST_RUNS];
    for (int i = 0; i < COST_RUNS; i++) {
        ns[i] = (kinds[1].seconds[i] - kinds[0].seconds[i]) * 1e9 /
                (double)(kinds[1].slices - kinds[0].slices);
    }
    double whole = median(passes.seconds) * 1e9 / (double)passes.slices;
    printf("\na switch: %.0f ns (lockfree, the same work in %" PRIu64 " slices and in %" PRIu64
           "); with a signal, a wait and %.0f events: %.0f ns (pingpong, whole run)\n",
           median(ns), kinds[0].slices, kinds[1].slices,
           (double)passes.events / (double)passes.slices, whole);
    cJSON_AddNumberToObject(json, "switch_ns", median(ns));
    cJSON_AddNumberToObject(json, "pass_ns", whole);
    return 1;
}

/* ---- the program ------------------------------------------------------------------------------- */

static const char usage[] =
    "usage: bench weave [--title T.xex] [--rounds N] [--long-rounds N] [--references N]\n"
    "                   [--lockstep] [--table] [--json FILE]\n"
    "\n"
    "The founding experiment: a title's lockstep runs are held against free runs of it, the\n"
    "references, with more and more that they know of these: nothing, the contended entries\n"
    "into critical sections, the order of all operations. Then, what following costs.\n"
    "\n"
    "  as the reference  events like the reference's, up to a thread's first that differs\n"
    "  kept of nothing   the same against the run that knows nothing: what is left of the\n"
    "                    natural path\n"
    "  relaxed, early    order that could not be kept, operations before their turn\n"
    "  three alike       the three runs of a row have one digest, for every reference\n"
    "  replayed ...      what became of the contended entries (docs/policy.md)\n"
    "  parked, for       how often aggressive held a thread at a section that was free; for\n"
    "                    how much guest time in all\n"
    "  guest time        of the run, over that of the run that knows nothing\n"
    "\n"
    "  --title T.xex     one that takes rounds=N (wedge)\n"
    "  --rounds N        of the runs of the table (200)\n"
    "  --long-rounds N   of the runs that tell what following costs (3000)\n"
    "  --references N    free runs differ: draw so many plain ones, and so many whose threads\n"
    "                    stand still at 3 % of their calls; show medians (5; at most 99)\n"
    "  --lockstep        one reference, in lockstep with another lookahead: always the same\n"
    "  --table           the table alone\n"
    "  --json FILE       all numbers, also those of each reference\n";

static int weave(const bench *b, int lockstep, int table_alone, cJSON *json)
{
    weave_source source = lockstep ? WEAVE_LOOKAHEAD : WEAVE_PARALLEL;
    const char *reference[] = {weave_setting(source), NULL};
    printf("%s, %s; events of canonical form up to the first that differs, without " WEAVE_IGNORED
           "\n",
           strrchr(b->title, '/') + 1, b->arguments);
    int good = weave_table(b, source, json);
    if (!lockstep) {
        good &= weave_table(b, WEAVE_STALLED, cJSON_AddObjectToObject(json, "stalled"));
    }
    return table_alone ? good : good & cost(b, reference, json) & switches(b, json);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

int main(int argc, char **argv)
{
    bench b = {.title = WEFT_BUILD_DIR "/titles/wedge.xex", .references = 5};
    unsigned rounds = 200, long_rounds = 3000;
    int lockstep = 0, table_alone = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            b.json = argv[++i];
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--long-rounds") == 0 && i + 1 < argc) {
            long_rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--title") == 0 && i + 1 < argc) {
            b.title = argv[++i];
        } else if (strcmp(argv[i], "--references") == 0 && i + 1 < argc) {
            b.references = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--lockstep") == 0) {
            lockstep = 1;
        } else if (strcmp(argv[i], "--table") == 0) {
            table_alone = 1;
        } else {
            int asked = strcmp(argv[i], "--help") == 0;
            fputs(usage, asked ? stdout : stderr);
            return asked ? 0 : 2;
        }
    }
    if (b.references < 1 || b.references > WEAVE_REFERENCES) {
        fputs(usage, stderr);
        return 2;
    }
    snprintf(b.arguments, sizeof b.arguments, "rounds=%u", rounds);
    snprintf(b.long_arguments, sizeof b.long_arguments, "rounds=%u", long_rounds);
    const char *place = getenv("TMPDIR");
    snprintf(b.folder, sizeof b.folder, "%s/weft-weave-XXXXXX", place ? place : "/tmp");
    if (!strchr(b.title, '/') || access(b.title, R_OK) != 0) {
        return weave_failed(b.title, "cannot be read (expected a title by its path)"), 1;
    }
    if (!mkdtemp(b.folder)) {
        return weave_failed(b.folder, strerror(errno)), 1;
    }
    cJSON *json = cJSON_CreateObject();
    int good = weave(&b, lockstep, table_alone, json);
    if (b.json) {
        char *text = cJSON_Print(json);
        FILE *file = fopen(b.json, "wb");
        good &= file && fputs(text, file) >= 0;
        good &= file && fclose(file) == 0;
        free(text);
    }
    cJSON_Delete(json);
    nftw(b.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return good ? 0 : 1;
}
