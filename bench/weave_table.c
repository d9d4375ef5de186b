/* weave_table.c: the table of `./dev bench weave`: what each kind of knowledge of a reference is good
 * for, and what it does to the run that knows nothing.
 *
 * Free runs differ, so several references are drawn, and medians shown. */
#include "weave.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPEATS 3

/* What is known of a row, and its name in the JSON file. */
enum {
    MAIN_MATCHED, /* events like the reference's, up to the first that differs */
    MAIN_EVENTS,
    MAIN_PER_CENT,
    MATCHED, /* of all guest threads */
    EVENTS,
    PER_CENT,
    MAIN_KEPT, /* the same against the run that knows nothing */
    MAIN_KEPT_PER_CENT,
    KEPT,
    KEPT_PER_CENT,
    TICKS, /* of guest time */
    TIMES, /* as many as the run that knows nothing has */
    RELAXED,
    EARLY,
    ENTRIES, /* of the contention manifest, and what became of them */
    REPLAYED,
    FREE,
    OWNED,
    POINTER,
    SITE,
    VAIN,
    NOT_MET,
    PARKS,
    PARKED, /* ticks */
    VALUES
};

static const char *const keys[VALUES] = {
    [MAIN_MATCHED] = "main_matched",
    [MAIN_EVENTS] = "main_events",
    [MAIN_PER_CENT] = "main_per_cent",
    [MATCHED] = "matched",
    [EVENTS] = "events",
    [PER_CENT] = "per_cent",
    [MAIN_KEPT] = "main_kept",
    [MAIN_KEPT_PER_CENT] = "main_kept_per_cent",
    [KEPT] = "kept",
    [KEPT_PER_CENT] = "kept_per_cent",
    [TICKS] = "ticks",
    [TIMES] = "times",
    [RELAXED] = "relaxed",
    [EARLY] = "early",
    [ENTRIES] = "entries",
    [REPLAYED] = "replayed",
    [FREE] = "free",
    [OWNED] = "self_owned",
    [POINTER] = "pointer_differs",
    [SITE] = "site_differs",
    [VAIN] = "in_vain",
    [NOT_MET] = "not_met",
    [PARKS] = "parks",
    [PARKED] = "parked_ticks",
};

/* Words behind the numbers in the log (plugins/policy/common/replay.c, follow/policy_follow.c). */
static const char *const words[VALUES] = {
    [RELAXED] = "relaxed",
    [EARLY] = "early",
    [ENTRIES] = "entries:",
    [REPLAYED] = "replayed",
    [FREE] = "skipped because free",
    [OWNED] = "because self-owned",
    [POINTER] = "because the pointer differs",
    [SITE] = "because the site differs",
    [VAIN] = "held in vain",
    [NOT_MET] = "not come to",
    [PARKS] = "times parked",
    [PARKED] = "ticks",
};

/* What three runs came to. */
typedef struct result {
    double values[VALUES];
    char digest[40];
    int stable;
} result;

static const struct {
    const char *name, *policy, *option, *file, *times;
} rows[] = {
    {"nothing", "conservative", NULL, NULL, NULL},
    {"contention, conservative", "conservative", "manifest", "contention.json", NULL},
    {"contention, aggressive", "aggressive", "manifest", "contention.json", NULL},
    {"contention, per_cs_yield", "per_cs_yield", "manifest", "contention.json", NULL},
    {"per_cs_yield, all sections", "per_cs_yield", "sections", NULL, NULL},
    {"order from times, 100 us", "follow", "order", "times.json", "100"},
    {"order from times, 10 us", "follow", "order", "times.json", "10"},
    {"order from times, 1 us", "follow", "order", "times.json", "1"},
    {"order from times, 0.1 us", "follow", "order", "times.json", "0.1"},
    {"order by numbers", "follow", "order", "order.json", NULL},
};

enum {
    NOTHING,
    CONSERVATIVE,
    AGGRESSIVE,
    CONTENTION_ROWS = 4,
    ROWS = sizeof rows / sizeof rows[0]
};

static const struct {
    const char *name, *setting, *words;
} sources[] = {
    [WEAVE_PARALLEL] = {"parallel", "schedule.mode=parallel", "in parallel mode"},
    [WEAVE_STALLED] = {"stalled", "schedule.mode=parallel",
                       "in parallel mode whose threads stand still at 3 % of their kernel calls "
                       "(policy chaos)"},
    [WEAVE_LOOKAHEAD] = {"lookahead", "schedule.lookahead=2000",
                         "in lockstep with another lookahead"},
};

/* One reference, and what each row came to against it. */
typedef struct drawn {
    double contended; /* entries */
    double within;    /* of them, before their thread's first difference from `nothing` */
    result results[ROWS];
} drawn;

/* ---- one reference ----------------------------------------------------------------------------- */

/* "N WORD" in the log, or 0. */
static double from_log(const char *text, const char *word)
{
    const char *at = text ? strstr(text, word) : NULL;
    if (!at || at == text) {
        return 0;
    }
    at--; /* the space before it */
    while (at > text && at[-1] >= '0' && at[-1] <= '9') {
        at--;
    }
    return (double)strtoull(at, NULL, 10);
}

static void read_log(const bench *b, result *r)
{
    char *path = weave_path(b, "log.txt"), *text = weave_read(path);
    const char *manifest = text ? strstr(text, "manifest: ") : NULL;
    for (int i = 0; i < VALUES; i++) {
        if (words[i]) {
            r->values[i] = from_log(i < ENTRIES ? text : manifest, words[i]);
        }
    }
    free(text);
    free(path);
}

/* Three runs under the same settings; the first leaves `trace`. */
static int measure(const bench *b, const char *const *settings, const char *trace, result *r)
{
    *r = (result){.stable = 1};
    for (int i = 0; i < REPEATS; i++) {
        double cpu;
        if (!weave_run(b, settings, i == 0 ? trace : NULL, b->arguments, &cpu)) {
            return 0;
        }
        cJSON *json = weave_json(b, "run.json");
        const char *digest = weave_text(json, "trace_digest");
        r->stable &= i == 0 || strcmp(digest, r->digest) == 0;
        snprintf(r->digest, sizeof r->digest, "%s", digest);
        r->values[TICKS] = (double)weave_number(json, "ticks");
        cJSON_Delete(json);
    }
    read_log(b, r);
    return 1;
}

/* Against the reference, and against the run that knows nothing. */
static int judge(const bench *b, const char *trace, const result *nothing, result *r)
{
    match own = {0}, ref = {0};
    if (!weave_compare(b, "nothing.wtr", trace, &own) ||
        !weave_compare(b, "ref.wtr", trace, &ref)) {
        return 0;
    }
    r->values[MAIN_MATCHED] = (double)ref.main_matched;
    r->values[MAIN_EVENTS] = (double)ref.main_total;
    r->values[MAIN_PER_CENT] = weave_per_cent(ref.main_matched, ref.main_total);
    r->values[MATCHED] = (double)ref.matched;
    r->values[EVENTS] = (double)ref.total;
    r->values[PER_CENT] = weave_per_cent(ref.matched, ref.total);
    r->values[MAIN_KEPT] = (double)own.main_matched;
    r->values[MAIN_KEPT_PER_CENT] = weave_per_cent(own.main_matched, own.main_total);
    r->values[KEPT] = (double)own.matched;
    r->values[KEPT_PER_CENT] = weave_per_cent(own.matched, own.total);
    r->values[TIMES] = r->values[TICKS] / nothing->values[TICKS];
    return 1;
}

/* Entries of the manifest that lie before their thread's first difference, going by diff.json. An entry
 * is followed by its wait, which is a difference where ours found the section free. */
static double entries_within(const bench *b)
{
    cJSON *manifest = weave_json(b, "contention.json"), *diff = weave_json(b, "diff.json");
    const cJSON *entries = cJSON_GetObjectItem(manifest, "entries"),
                *threads = cJSON_GetObjectItem(diff, "threads");
    double within = 0;
    for (const cJSON *e = entries ? entries->child : NULL; e; e = e->next) {
        for (const cJSON *t = threads ? threads->child : NULL; t; t = t->next) {
            const cJSON *end = cJSON_GetObjectItem(t, "ref_index");
            if (strncmp(weave_text(t, "ref"), "thread:", 7) == 0 &&
                weave_number(t, "ref_tid") == weave_number(e, "tid")) {
                within += !cJSON_IsNumber(end) ||
                          (double)weave_number(e, "tid_event_idx") + 1 < end->valuedouble;
            }
        }
    }
    cJSON_Delete(manifest);
    cJSON_Delete(diff);
    return within;
}

/* Identities of the title's critical sections, which are named by a place in the image, with commas. */
static char *sections_of(const bench *b)
{
    cJSON *json = weave_json(b, "order.json");
    const cJSON *objects = cJSON_GetObjectItem(json, "objects");
    char *list = calloc(1, 1024);
    for (const cJSON *o = objects ? objects->child : NULL; list && o; o = o->next) {
        if (strncmp(weave_text(o, "name"), "event:", 6) == 0 &&
            !strchr(weave_text(o, "name"), '@') && strlen(list) + 20 < 1024) {
            strcat(strcat(list, *list ? "," : ""), weave_text(o, "id"));
        }
    }
    cJSON_Delete(json);
    return list;
}

static int has_policy(const char *id)
{
    char path[512];
    snprintf(path, sizeof path, WEFT_BUILD_DIR "/plugins/policy-%s.so", id);
    return access(path, R_OK) == 0;
}

static int run_row(const bench *b, size_t row, const result *nothing, result *r)
{
    char policy[64], option[1400];
    if (rows[row].times &&
        !weave_manifest(b, "--order", rows[row].times, "ref.wtr", rows[row].file)) {
        return 0;
    }
    char *value = rows[row].file ? weave_path(b, rows[row].file) : sections_of(b);
    snprintf(policy, sizeof policy, "policy.plugin=%s", rows[row].policy);
    snprintf(option, sizeof option, "policy.%s=%s", rows[row].option, value);
    free(value);
    const char *settings[] = {policy, option, NULL};
    return measure(b, settings, "ours.wtr", r) && judge(b, "ours.wtr", nothing, r);
}

/* What has to be so whatever reference was drawn. */
static int check(const drawn *d)
{
    const result *nothing = &d->results[NOTHING], *forced = &d->results[AGGRESSIVE];
    int good = 1;
    if (has_policy(rows[CONSERVATIVE].policy) &&
        strcmp(d->results[CONSERVATIVE].digest, nothing->digest) != 0) {
        good = weave_failed(rows[CONSERVATIVE].name,
                            "changed the run (expected the digest of nothing)");
    }
    if (forced->values[PARKED] > 0 && strcmp(forced->digest, nothing->digest) == 0) {
        good = weave_failed(rows[AGGRESSIVE].name,
                            "parked threads and changed nothing (expected another digest)");
    }
    return good;
}

static int draw(const bench *b, weave_source source, unsigned seed, const result *nothing, drawn *d)
{
    double cpu;
    char number[32];
    int stalled = source == WEAVE_STALLED;
    const char *reference[] = {sources[source].setting, stalled ? "policy.plugin=chaos" : NULL,
                               number, NULL};
    snprintf(number, sizeof number, "policy.seed=%u", seed);
    if (!weave_run(b, reference, "ref.wtr", b->arguments, &cpu) ||
        !weave_manifest(b, "--order", NULL, "ref.wtr", "order.json") ||
        !weave_manifest(b, "--enters", NULL, "ref.wtr", "contention.json")) {
        return 0;
    }
    cJSON *json = weave_json(b, "contention.json");
    d->contended =
        (double)weave_number(cJSON_GetObjectItem(json, "summary"), "total_contention_events_kept");
    cJSON_Delete(json);
    d->results[NOTHING] = *nothing;
    if (!judge(b, "nothing.wtr", nothing, &d->results[NOTHING])) {
        return 0;
    }
    d->within = entries_within(b);
    for (size_t i = NOTHING + 1; i < ROWS; i++) {
        if (has_policy(rows[i].policy) && !run_row(b, i, nothing, &d->results[i])) {
            return 0;
        }
    }
    return 1;
}

/* ---- over all of them -------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Of `count` values, which are sorted. */
static double middle(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, by_size);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static result medians(const drawn *all, unsigned count, size_t row)
{
    double values[WEAVE_REFERENCES];
    result r = {.stable = 1};
    for (int v = 0; v < VALUES; v++) {
        for (unsigned i = 0; i < count; i++) {
            values[i] = all[i].results[row].values[v];
        }
        r.values[v] = middle(values, count);
    }
    for (unsigned i = 0; i < count; i++) {
        r.stable &= all[i].results[row].stable;
    }
    return r;
}

static cJSON *json_row(size_t row, const result *r)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", rows[row].name);
    for (int v = 0; v < VALUES; v++) {
        if (v < ENTRIES || (row >= CONSERVATIVE && row < CONTENTION_ROWS)) {
            cJSON_AddNumberToObject(json, keys[v], r->values[v]);
        }
    }
    cJSON_AddBoolToObject(json, "stable", r->stable);
    return json;
}

static cJSON *json_drawn(const drawn *d)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "contended", d->contended);
    cJSON_AddNumberToObject(json, "within", d->within);
    cJSON *list = cJSON_AddArrayToObject(json, "rows");
    for (size_t i = 0; i < ROWS; i++) {
        if (has_policy(rows[i].policy)) {
            cJSON *row = json_row(i, &d->results[i]);
            cJSON_AddStringToObject(row, "trace_digest", d->results[i].digest);
            cJSON_AddItemToArray(list, row);
        }
    }
    return json;
}

static void put_references(const drawn *all, unsigned count, weave_source source)
{
    printf("\n%u reference%s: run%s %s,\nwith ", count, count == 1 ? "" : "s",
           count == 1 ? "" : "s", sources[source].words);
    for (unsigned i = 0; i < count; i++) {
        printf("%s%.0f", i == 0 ? "" : i + 1 == count ? " and " : ", ", all[i].contended);
    }
    printf(" contended entries; medians\n\n");
}

static int put_matches(const result *all, cJSON *json)
{
    int stable = 1;
    cJSON *list = cJSON_AddArrayToObject(json, "rows");
    printf("%-28s %-37s %s\n", "", "  as the reference", "  kept of nothing");
    printf("%-28s %8s %9s %8s %9s %9s %9s %8s %6s  %s\n", "what lockstep knows", "main", "", "all",
           "", "main", "all", "relaxed", "early", "three alike");
    for (size_t i = 0; i < ROWS; i++) {
        const double *v = all[i].values;
        if (!has_policy(rows[i].policy)) {
            printf("%-28s skipped: there is no policy-%s\n", rows[i].name, rows[i].policy);
            continue;
        }
        printf("%-28s %8.0f %7.2f %% %8.0f %7.2f %% %7.2f %% %7.2f %% %8.0f %6.0f  %s\n",
               rows[i].name, v[MAIN_MATCHED], v[MAIN_PER_CENT], v[MATCHED], v[PER_CENT],
               v[MAIN_KEPT_PER_CENT], v[KEPT_PER_CENT], v[RELAXED], v[EARLY],
               all[i].stable ? "yes" : "NO");
        stable &= all[i].stable;
        cJSON_AddItemToArray(list, json_row(i, &all[i]));
    }
    return stable;
}

static void put_contention(const result *all, double within)
{
    printf("\nwhat became of the contended entries, and what that cost:\n");
    printf("%-28s %7s %8s %6s %5s %8s %6s %8s %8s %7s %11s %10s\n", "", "entries", "replayed",
           "free", "own", "pointer", "site", "in vain", "not met", "parked", "for", "guest time");
    for (size_t i = CONSERVATIVE; i < CONTENTION_ROWS; i++) {
        const double *v = all[i].values;
        if (has_policy(rows[i].policy)) {
            printf("%-28s %7.0f %8.0f %6.0f %5.0f %8.0f %6.0f %8.0f %8.0f %7.0f %8.3f ms %8.2f x\n",
                   rows[i].name, v[ENTRIES], v[REPLAYED], v[FREE], v[OWNED], v[POINTER], v[SITE],
                   v[VAIN], v[NOT_MET], v[PARKS], v[PARKED] / 1e6, v[TIMES]);
        }
    }
    printf("%.0f of them lie before their thread's first difference: an entry that is free here is "
           "one itself,\nas its wait is missing, so what could be enforced always lies behind what "
           "matches\n",
           within);
}

static void put_progress(unsigned done, unsigned count)
{
    if (isatty(2)) {
        fprintf(stderr, "\rreference %u of %u%s", done, count, done == count ? "\r\033[K" : "");
    }
}

const char *weave_setting(weave_source source)
{
    return sources[source].setting;
}

int weave_table(const bench *b, weave_source source, cJSON *json)
{
    unsigned count = source == WEAVE_LOOKAHEAD ? 1 : b->references;
    static const char *const nothing_set[] = {"policy.plugin=conservative", NULL};
    drawn *all = calloc(count, sizeof *all);
    double within[WEAVE_REFERENCES];
    result nothing, rows_medians[ROWS];
    int good = 1;
    if (!all) {
        return weave_failed("the table", "no memory");
    }
    if (!measure(b, nothing_set, "nothing.wtr", &nothing)) {
        free(all);
        return 0;
    }
    cJSON_AddStringToObject(json, "reference", sources[source].name);
    cJSON *list = cJSON_AddArrayToObject(json, "references");
    for (unsigned i = 0; i < count; i++) {
        put_progress(i, count);
        if (!draw(b, source, i + 1, &nothing, &all[i])) {
            free(all);
            return 0;
        }
        good &= check(&all[i]);
        within[i] = all[i].within;
        cJSON_AddItemToArray(list, json_drawn(&all[i]));
    }
    put_progress(count, count);
    for (size_t i = 0; i < ROWS; i++) {
        rows_medians[i] = medians(all, count, i);
    }
    put_references(all, count, source);
    good &= put_matches(rows_medians, json);
    put_contention(rows_medians, middle(within, count));
    fflush(stdout);
    free(all);
    return good;
}
