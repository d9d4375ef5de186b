/* Whole runs of bundled titles, and what every trace of one must satisfy whatever the title does:
 * identities are hashes of what the events say, who runs is who the switches say runs, each wait is
 * ended by the wake that it names. Rules: ARCHITECTURE.md ("Identity is stable"), docs/trace.md,
 * docs/kernel.md. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft_run.h"

#define NAMES_MAX 1024
#define PAIRS_MAX 8192
#define HW_COUNT  6

/* ---- a trace, line by line ---------------------------------------------------------------------
 */

typedef struct name {
    char id[17];
    char text[160];
} name;

/* A number by a text: how many so far, what was last. */
typedef struct pair {
    char key[64];
    char value[64];
} pair;

typedef struct pairs {
    pair rows[PAIRS_MAX];
    int count;
} pairs;

typedef struct walk {
    name names[NAMES_MAX];
    int name_count;
    char current[HW_COUNT][17]; /* who runs, by sched.switch */
    pairs allocated;            /* "THREAD/SITE" -> how many */
    pairs live;                 /* address -> allocation */
    pairs fired;                /* source -> how often */
    pairs woken;                /* thread that waits -> who woke it, "" so far */
    pairs words;                /* watched address -> value */
    int counts[16];             /* of events by this walk's own numbers, below */
} walk;

enum { ALLOCS, FREES, FIRES, WAKES, SWITCHES, CHANGES, COMPLETED, EXCEPTIONS, UNLOADS };

static char *value_of(pairs *p, const char *key)
{
    for (int i = p->count; i-- > 0;) {
        if (strcmp(p->rows[i].key, key) == 0) {
            return p->rows[i].value;
        }
    }
    return NULL;
}

static char *value_make(pairs *p, const char *key)
{
    char *value = value_of(p, key);
    if (!value) {
        assert_true(p->count < PAIRS_MAX);
        snprintf(p->rows[p->count].key, sizeof p->rows[0].key, "%s", key);
        value = p->rows[p->count++].value;
        *value = 0;
    }
    return value;
}

static void value_drop(pairs *p, const char *key)
{
    for (int i = 0; i < p->count; i++) {
        if (strcmp(p->rows[i].key, key) == 0) {
            p->rows[i] = p->rows[--p->count];
            return;
        }
    }
}

static const char *text_in(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(object, key);
    assert_true(cJSON_IsString(item));
    return item->valuestring;
}

static uint64_t number_in(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(object, key);
    assert_true(cJSON_IsNumber(item));
    return (uint64_t)item->valuedouble;
}

static const char *name_of(const walk *w, const char *id)
{
    for (int i = 0; i < w->name_count; i++) {
        if (strcmp(w->names[i].id, id) == 0) {
            return w->names[i].text;
        }
    }
    return "";
}

static void fnv(const char *text, char *hex)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) {
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    }
    snprintf(hex, 17, "%016" PRIx64, hash);
}

/* ---- the rules ---------------------------------------------------------------------------------
 */

static void check_define(walk *w, const cJSON *payload)
{
    char hex[17];
    fnv(text_in(payload, "text"), hex);
    assert_string_equal(text_in(payload, "id"), hex);
    assert_true(w->name_count < NAMES_MAX);
    name *n = &w->names[w->name_count++];
    snprintf(n->id, sizeof n->id, "%s", hex);
    snprintf(n->text, sizeof n->text, "%s", text_in(payload, "text"));
}

/* The identity is the hash of thread, site and how many were made there. */
static void check_alloc(walk *w, const char *thread, const cJSON *payload)
{
    char text[256], key[64], hex[17];
    unsigned site = (unsigned)strtoul(text_in(payload, "site"), NULL, 16);
    unsigned nth = (unsigned)number_in(payload, "nth");
    const char *who = name_of(w, thread);
    snprintf(text, sizeof text, "alloc:%s/%08x/%u", *who ? who : "kernel", site, nth);
    fnv(text, hex);
    assert_string_equal(text_in(payload, "allocation"), hex);
    snprintf(key, sizeof key, "%s/%x", thread, site);
    char *count = value_make(&w->allocated, key);
    assert_int_equal(atoi(count), nth);
    snprintf(count, sizeof w->allocated.rows[0].value, "%u", nth + 1);
    assert_null(value_of(&w->live, text_in(payload, "address")));
    snprintf(value_make(&w->live, text_in(payload, "address")), 17, "%s", hex);
    w->counts[ALLOCS]++;
}

static void check_free(walk *w, const cJSON *payload)
{
    const char *live = value_of(&w->live, text_in(payload, "address"));
    assert_non_null(live);
    assert_string_equal(live, text_in(payload, "allocation"));
    value_drop(&w->live, text_in(payload, "address"));
    w->counts[FREES]++;
}

static void check_fire(walk *w, const char *thread, const cJSON *line, const cJSON *payload)
{
    assert_int_equal(strncmp(name_of(w, thread), "source:", 7), 0);
    assert_int_equal(number_in(line, "tid"), 0);
    assert_int_equal(number_in(line, "hw"), 255);
    char *count = value_make(&w->fired, thread);
    assert_int_equal(atoi(count), number_in(payload, "count"));
    snprintf(count, sizeof w->fired.rows[0].value, "%d", atoi(count) + 1);
    w->counts[FIRES]++;
}

/* A wait that took time was ended by one wake, by the object that the wait names. */
static void check_wait_end(walk *w, const char *thread, const cJSON *payload)
{
    const char *by = value_of(&w->woken, thread);
    assert_non_null(by);
    if (number_in(payload, "wait_ticks")) {
        assert_string_equal(by, text_in(payload, "woken_by_semantic_id"));
    }
    value_drop(&w->woken, thread);
}

static void check_wake(walk *w, const cJSON *payload)
{
    w->counts[WAKES]++;
    if (number_in(payload, "transitioned")) {
        char *by = value_of(&w->woken, text_in(payload, "target"));
        assert_non_null(by);
        assert_string_equal(by, ""); /* it was not woken yet */
        snprintf(by, 17, "%s", text_in(payload, "handle"));
    }
}

static void check_switch(walk *w, unsigned hw, const cJSON *payload)
{
    assert_true(hw < HW_COUNT);
    assert_string_equal(text_in(payload, "from"), w->current[hw]);
    assert_string_not_equal(text_in(payload, "from"), text_in(payload, "to"));
    snprintf(w->current[hw], sizeof w->current[hw], "%s", text_in(payload, "to"));
    w->counts[SWITCHES]++;
}

/* What was there before is what the change before left there. */
static void check_change(walk *w, const cJSON *payload)
{
    unsigned address = (unsigned)strtoul(text_in(payload, "address"), NULL, 16);
    const cJSON *before = cJSON_GetObjectItem(payload, "before");
    const cJSON *after = cJSON_GetObjectItem(payload, "after");
    int words = cJSON_GetArraySize(before);
    assert_int_equal(words, cJSON_GetArraySize(after));
    assert_int_equal(number_in(payload, "length"), 4 * words);
    for (int i = 0; i < words; i++) {
        char key[16];
        snprintf(key, sizeof key, "%x", address + 4 * (unsigned)i);
        const char *was = cJSON_GetArrayItem(before, i)->valuestring;
        char *value = value_make(&w->words, key);
        assert_true(*value == 0 || strcmp(value, was) == 0);
        assert_string_not_equal(was, cJSON_GetArrayItem(after, i)->valuestring);
        snprintf(value, sizeof w->words.rows[0].value, "%s",
                 cJSON_GetArrayItem(after, i)->valuestring);
    }
    w->counts[CHANGES]++;
}

static void check_line(walk *w, const cJSON *line)
{
    const char *kind = text_in(line, "kind");
    const cJSON *payload = cJSON_GetObjectItem(line, "payload");
    if (strcmp(kind, "schema_version") == 0 || strcmp(kind, "trace.end") == 0 ||
        strcmp(kind, "log") == 0) {
        return;
    }
    const char *thread = text_in(line, "thread");
    unsigned hw = (unsigned)number_in(line, "hw");
    if (strcmp(kind, "define") == 0) {
        check_define(w, payload);
        return;
    }
    if (strcmp(kind, "sched.switch") == 0) {
        check_switch(w, hw, payload);
        return;
    }
    if (hw < HW_COUNT) { /* whoever acts on a hardware thread runs there */
        assert_string_equal(w->current[hw], thread);
    }
    if (strcmp(kind, "memory.alloc") == 0) {
        check_alloc(w, thread, payload);
    } else if (strcmp(kind, "memory.free") == 0) {
        check_free(w, payload);
    } else if (strcmp(kind, "source.fire") == 0) {
        check_fire(w, thread, line, payload);
    } else if (strcmp(kind, "wait.begin") == 0) {
        *value_make(&w->woken, thread) = 0;
    } else if (strcmp(kind, "wake.requested") == 0) {
        check_wake(w, payload);
    } else if (strcmp(kind, "wait.end") == 0) {
        check_wait_end(w, thread, payload);
    } else if (strcmp(kind, "mem.write") == 0) {
        check_change(w, payload);
    } else if (strcmp(kind, "io.complete") == 0) {
        assert_string_equal(name_of(w, thread), "source:io");
        assert_string_equal(name_of(w, text_in(payload, "requester")), "thread:main");
        w->counts[COMPLETED]++;
    } else if (strcmp(kind, "exception") == 0) {
        w->counts[EXCEPTIONS]++;
    } else if (strcmp(kind, "module.unload") == 0) {
        w->counts[UNLOADS]++;
    }
}

static walk *walk_trace(const char *path)
{
    walk *w = calloc(1, sizeof *w);
    FILE *file = fopen(path, "r");
    assert_non_null(w);
    assert_non_null(file);
    for (int i = 0; i < HW_COUNT; i++) {
        strcpy(w->current[i], "0000000000000000");
    }
    char *text = NULL;
    size_t room = 0;
    while (getline(&text, &room, file) > 0) {
        cJSON *line = cJSON_Parse(text);
        assert_non_null(line);
        check_line(w, line);
        cJSON_Delete(line);
    }
    free(text);
    fclose(file);
    return w;
}

/* ---- titles ------------------------------------------------------------------------------------
 */

static walk *trace_title(const char *which, const char *until)
{
    char *path = scratch_file("events.jsonl");
    weft_run run = weft_json("--trace", path, "--until", until, title(which), NULL);
    assert_int_equal(run.status, 0);
    walk *w = walk_trace(path);
    weft_free(&run);
    free(path);
    return w;
}

/* Opens, reads and closes a file of its own. */
static void hello_keeps_the_rules(void **state)
{
    walk *w = trace_title("hello", "exit");
    assert_int_equal(w->counts[COMPLETED], 1);
    assert_int_equal(w->counts[FIRES], 1);
    assert_int_equal(w->counts[WAKES], 1);
    assert_true(w->counts[ALLOCS] > 20 && w->counts[FREES] >= 3);
    free(w);
}

/* Frames by the vertical blank: 12 of them are 12 firings and at least as many interrupts. */
static void plasma_keeps_the_rules(void **state)
{
    walk *w = trace_title("plasma", "frames=12");
    assert_true(w->counts[FIRES] >= 11);
    assert_true(w->counts[SWITCHES] > 2 * w->counts[FIRES]);
    free(w);
}

static void modules_keeps_the_rules(void **state)
{
    walk *w = trace_title("modules", "exit");
    assert_true(w->counts[UNLOADS] > 0);
    free(w);
}

static void seh_keeps_the_rules(void **state)
{
    walk *w = trace_title("seh", "exit");
    assert_true(w->counts[EXCEPTIONS] > 5);
    free(w);
}

/* Titles that need no more than themselves, with both engines, checked and not: one digest. */
static void engines_and_checks_agree(void **state)
{
    static const char *const titles[] = {"hello", "modules", "seh"};
    static const char *const digests[] = {"trace_digest", "canon_digest", "state_digest"};
    static const char *const settings[][2] = {
        {"cpu.engine=interp-blocks", "machine.checked=no"},
        {"cpu.engine=interp-blocks", "machine.checked=no"},
        {"cpu.engine=interp-plain", "machine.checked=no"},
        {"cpu.engine=interp-plain", "machine.checked=yes"},
    };
    for (size_t t = 0; t < sizeof titles / sizeof titles[0]; t++) {
        char first[3][64];
        for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
            weft_run run =
                weft_json("--set", settings[i][0], "--set", settings[i][1], title(titles[t]), NULL);
            assert_int_equal(run.status, 0);
            for (int d = 0; d < 3; d++) {
                if (i == 0) {
                    snprintf(first[d], sizeof first[d], "%s", report_text(&run, digests[d]));
                }
                assert_string_equal(report_text(&run, digests[d]), first[d]);
            }
            weft_free(&run);
        }
    }
}

static weft_run locks(const char *set, const char *engine, const char *trace)
{
    return weft_json("--set", set, "--set", engine, "--trace", trace, title("locks"), "--",
                     "rounds=8", NULL);
}

static void locks_keeps_the_rules(void **state)
{
    char *path = scratch_file("events.jsonl");
    weft_run run = locks("machine.checked=yes", "cpu.engine=interp-blocks", path);
    assert_int_equal(run.status, 0);
    walk *w = walk_trace(path);
    assert_true(w->counts[WAKES] > 100);
    weft_free(&run);
    free(w);
    free(path);
}

/* ---- watched memory ----------------------------------------------------------------------------
 */

/* Address of the first critical section that `locks` makes. */
static unsigned critical_section(const char *path)
{
    static const char start[] = "\"RtlInitializeCriticalSection\",\"args\":{\"cs\":";
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;
    unsigned address = 0;
    assert_non_null(file);
    while (!address && getline(&text, &room, file) > 0) {
        const char *found = strstr(text, start);
        address = found ? (unsigned)strtoul(found + strlen(start), NULL, 10) : 0;
    }
    free(text);
    fclose(file);
    assert_true(address);
    return address;
}

/* Watching changes nothing else, whichever engine stores; the engines say the same. */
static void watching_changes_nothing(void **state)
{
    static const char *const engines[] = {"cpu.engine=interp-blocks", "cpu.engine=interp-plain"};
    char *path = scratch_file("plain.jsonl"), *watched = scratch_file("watched.jsonl"), set[64];
    weft_run plain = locks("machine.checked=no", engines[0], path);
    assert_int_equal(plain.status, 0);
    snprintf(set, sizeof set, "kernel.watch=0x%x+28", critical_section(path));
    int changes[2];
    for (int i = 0; i < 2; i++) {
        weft_run run = locks(set, engines[i], watched);
        assert_int_equal(run.status, 0);
        assert_string_equal(report_text(&run, "trace_digest"), report_text(&plain, "trace_digest"));
        assert_string_equal(report_text(&run, "state_digest"), report_text(&plain, "state_digest"));
        walk *w = walk_trace(watched);
        changes[i] = w->counts[CHANGES];
        free(w);
        weft_free(&run);
    }
    assert_true(changes[0] > 50);
    assert_int_equal(changes[0], changes[1]);
    weft_free(&plain);
    free(path);
    free(watched);
}

static void a_bad_watch_is_refused(void **state)
{
    weft_run run = weft("run", "--headless", "--set", "kernel.watch=here", title("hello"), NULL);
    assert_int_equal(run.status, 5);
    assert_int_equal(lines_with(run.err, "weft: error:"), 1);
    assert_int_equal(lines_with(run.err, "found \"here\", expected ADDRESS+LENGTH"), 1);
    weft_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_keeps_the_rules),    cmocka_unit_test(plasma_keeps_the_rules),
        cmocka_unit_test(modules_keeps_the_rules),  cmocka_unit_test(seh_keeps_the_rules),
        cmocka_unit_test(locks_keeps_the_rules),    cmocka_unit_test(engines_and_checks_agree),
        cmocka_unit_test(watching_changes_nothing), cmocka_unit_test(a_bad_watch_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
