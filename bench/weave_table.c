/* weave_table.c: see weave.h. */
#include "weave.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPEATS 3

/* What three runs against the reference came to. */
typedef struct result {
    match match;
    uint64_t relaxed, early;
    char digest[40];
    int stable;
} result;

/* "N WORD" in the log, or 0. */
static uint64_t from_log(const char *text, const char *word)
{
    const char *at = text ? strstr(text, word) : NULL;
    if (!at || at == text) {
        return 0;
    }
    at--; /* the space before it */
    while (at > text && at[-1] >= '0' && at[-1] <= '9') {
        at--;
    }
    return strtoull(at, NULL, 10);
}

/* Three runs under the same settings; the first is compared. */
static int measure(const bench *b, const char *const *settings, result *r)
{
    *r = (result){.stable = 1};
    for (int i = 0; i < REPEATS; i++) {
        double cpu;
        if (!weave_run(b, settings, i == 0 ? "ours.wtr" : NULL, b->arguments, &cpu)) {
            return 0;
        }
        cJSON *json = weave_json(b, "run.json");
        const char *digest = weave_text(json, "trace_digest");
        r->stable &= i == 0 || strcmp(digest, r->digest) == 0;
        snprintf(r->digest, sizeof r->digest, "%s", digest);
        cJSON_Delete(json);
    }
    char *path = weave_path(b, "log.txt"), *log = weave_read(path);
    r->relaxed = from_log(log, "relaxed");
    r->early = from_log(log, "early");
    free(log);
    free(path);
    return weave_compare(b, "ref.wtr", "ours.wtr", &r->match);
}

/* ---- the table --------------------------------------------------------------------------------- */

static int has_policy(const char *id)
{
    char path[512];
    snprintf(path, sizeof path, WEFT_BUILD_DIR "/plugins/policy-%s.so", id);
    return access(path, R_OK) == 0;
}

static void put_row(const char *name, const result *r, cJSON *rows)
{
    printf("%-30s %7" PRIu64 " %6.2f %% %9" PRIu64 " %6.2f %% %8" PRIu64 " %6" PRIu64 "  %s\n",
           name, r->match.main_matched, weave_per_cent(r->match.main_matched, r->match.main_total),
           r->match.matched, weave_per_cent(r->match.matched, r->match.total), r->relaxed, r->early,
           r->stable ? "yes" : "NO");
    fflush(stdout);
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "name", name);
    cJSON_AddNumberToObject(row, "main_matched", (double)r->match.main_matched);
    cJSON_AddNumberToObject(row, "main_events", (double)r->match.main_total);
    cJSON_AddNumberToObject(row, "matched", (double)r->match.matched);
    cJSON_AddNumberToObject(row, "events", (double)r->match.total);
    cJSON_AddNumberToObject(row, "relaxed", (double)r->relaxed);
    cJSON_AddNumberToObject(row, "early", (double)r->early);
    cJSON_AddBoolToObject(row, "stable", r->stable);
    cJSON_AddItemToArray(rows, row);
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

int weave_table(const bench *b, cJSON *json)
{
    static const struct {
        const char *name, *policy, *option, *file, *times;
    } rows[] = {
        {"nothing", "conservative", NULL, NULL, NULL},
        {"contention, conservative", "conservative", "manifest", "contention.json", NULL},
        {"contention, aggressive", "aggressive", "manifest", "contention.json", NULL},
        {"per_cs_yield, all sections", "per_cs_yield", "sections", NULL, NULL},
        {"order from times, 100 us", "follow", "order", "times.json", "100"},
        {"order from times, 10 us", "follow", "order", "times.json", "10"},
        {"order from times, 1 us", "follow", "order", "times.json", "1"},
        {"order from times, 0.1 us", "follow", "order", "times.json", "0.1"},
        {"order by numbers", "follow", "order", "order.json", NULL},
    };
    cJSON *list = cJSON_AddArrayToObject(json, "rows");
    result first = {0}, r;
    int good = 1;
    printf("%-30s %7s %8s %9s %8s %8s %6s  %s\n", "what lockstep knows", "main", "", "all", "",
           "relaxed", "early", "three alike");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char policy[64], option[1400] = "";
        if (!has_policy(rows[i].policy)) {
            printf("%-30s skipped: there is no policy-%s\n", rows[i].name, rows[i].policy);
            continue;
        }
        if (rows[i].times &&
            !weave_manifest(b, "--order", rows[i].times, "ref.wtr", rows[i].file)) {
            return 0;
        }
        snprintf(policy, sizeof policy, "policy.plugin=%s", rows[i].policy);
        if (rows[i].option) {
            char *value = rows[i].file ? weave_path(b, rows[i].file) : sections_of(b);
            snprintf(option, sizeof option, "policy.%s=%s", rows[i].option, value);
            free(value);
        }
        const char *settings[] = {policy, *option ? option : NULL, NULL};
        if (!measure(b, settings, &r)) {
            return 0;
        }
        put_row(rows[i].name, &r, list);
        good &= r.stable;
        if (i == 0) {
            first = r;
        } else if (i == 1 && r.match.matched != first.match.matched) {
            good = weave_failed(rows[i].name, "changed what matches (expected it not to)");
        }
    }
    return good;
}
