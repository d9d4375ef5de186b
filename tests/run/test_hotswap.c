/* test_hotswap.c: the tracer of a running title is exchanged as fast as it can be, ten thousand
 * times, and nothing is lost: the proof that ARCHITECTURE.md ("Tracing") asks for.
 *
 * The host runs in this process. Every instance stands behind a witness, which sees what the
 * instance sees: it wants each sequence number once and in order over all instances, hashes the
 * events itself (event.h, "trace_digest", by XXH3 alone), and holds the digests that the host says at
 * every seam against its own. */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include "host/tracers.h"
#include "trace.h"
#include "weft_run.h"

#if defined(__SANITIZE_THREAD__)
#define SWAPS  1000
#define ROUNDS "2000"
#else
#define SWAPS  10000
#define ROUNDS "20000" /* about ten million events, a thousand between two exchanges */
#endif
#define KINDS 4
#define FILES 60 /* instances at the beginning that write real files */
#define FIRST "first.wtr"

/* What all witnesses know together; the drain's while the run lasts. */
typedef struct account {
    XXH3_state_t *hash;
    uint64_t next;  /* sequence that must come */
    uint64_t guest; /* events of class GUEST */
    uint64_t opened, closed, faults;
    char fault[200];
    char *first_path; /* of the tracer before the first witness; read at that one's first event */
} account;

typedef struct witness {
    account *all;
    const weft_tracer_ops *ops;
    void *instance;
    uint64_t first;
    int started;
} witness;

static void fault(account *a, const char *what, uint64_t found, uint64_t expected)
{
    if (a->faults++ == 0) {
        snprintf(a->fault, sizeof a->fault, "%s: found %llu, expected %llu", what,
                 (unsigned long long)found, (unsigned long long)expected);
    }
}

static void digest_of(const account *a, char hex[33])
{
    XXH128_hash_t hash = XXH3_128bits_digest(a->hash);
    snprintf(hex, 33, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
}

static void take(account *a, const weft_event *e)
{
    if (e->sequence != a->next) {
        fault(a, "sequence", e->sequence, a->next);
    }
    a->next = e->sequence + 1;
    if (e->category == WEFT_CLASS_GUEST) {
        uint64_t head[5] = {e->kind, e->hw, e->thread, e->index, e->tick};
        XXH3_128bits_update(a->hash, head, sizeof head);
        XXH3_128bits_update(a->hash, e + 1, e->size - sizeof *e);
        a->guest++;
    }
}

/* What happened before there was a witness stands in the first tracer's file. */
static void read_first(account *a)
{
    weft_trace *t = weft_trace_open(a->first_path);
    const weft_event *e;
    while ((e = weft_trace_next(t)) != NULL) {
        take(a, e);
    }
    if (weft_trace_failed(t, NULL) || !weft_trace_info_of(t)->complete) {
        fault(a, "first file is not whole", 0, 1);
    }
    weft_trace_close(t);
}

static weft_status witness_open(void *self, const weft_trace_begin *begin)
{
    witness *w = self;
    w->all->opened++;
    w->first = begin->first;
    if (w->all->opened > 1) {
        char hex[33];
        digest_of(w->all, hex);
        if (begin->first != w->all->next) {
            fault(w->all, "first of the new tracer", begin->first, w->all->next);
        }
        if (strcmp(hex, begin->digest) != 0) {
            fault(w->all, "digest before the new tracer", begin->first, 0);
        }
    }
    return w->ops->open(w->instance, begin);
}

static void witness_event(void *self, const weft_event *e)
{
    witness *w = self;
    if (w->all->first_path) { /* its tracer is closed by now */
        read_first(w->all);
        w->all->first_path = NULL;
        if (w->first != w->all->next) {
            fault(w->all, "first of the first witness", w->first, w->all->next);
        }
    }
    int repeated = !w->started && e->kind == WEFT_EVENT_DEFINE && e->sequence == 0 && w->first > 0;
    if (!repeated) {
        w->started = 1;
        take(w->all, e);
    }
    w->ops->event(w->instance, e);
}

static void witness_flush(void *self)
{
    witness *w = self;
    w->ops->flush(w->instance);
}

static weft_status witness_close(void *self, uint64_t last, const char *digest)
{
    witness *w = self;
    char hex[33];
    digest_of(w->all, hex);
    w->all->closed++;
    if (last != w->all->next - 1) {
        fault(w->all, "last of the old tracer", last, w->all->next - 1);
    }
    if (strcmp(hex, digest) != 0) {
        fault(w->all, "digest of the old tracer", last, 0);
    }
    return w->ops->close(w->instance, last, digest);
}

static const weft_tracer_ops witness_ops = {.size = sizeof witness_ops,
                                            .open = witness_open,
                                            .event = witness_event,
                                            .flush = witness_flush,
                                            .close = witness_close};

/* ---- a frontend that lets guest time go on only as the exchanges do -----------------------------
 */

typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t vblanks, allowed;
} gate;

static gate the_gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, UINT64_MAX};

static void allow(uint64_t vblanks)
{
    pthread_mutex_lock(&the_gate.lock);
    the_gate.allowed = vblanks;
    pthread_cond_signal(&the_gate.moved);
    pthread_mutex_unlock(&the_gate.lock);
}

static void gate_pads(void *instance, weft_pad *pads)
{
    memset(pads, 0, WEFT_PAD_COUNT * sizeof *pads);
    pthread_mutex_lock(&the_gate.lock);
    the_gate.vblanks++;
    while (the_gate.vblanks > the_gate.allowed) {
        pthread_cond_wait(&the_gate.moved, &the_gate.lock);
    }
    pthread_mutex_unlock(&the_gate.lock);
}

static weft_status gate_create(const weft_host *host, void **instance)
{
    *instance = NULL;
    return WEFT_OK;
}

static const weft_frontend_ops gate_ops = {.size = sizeof gate_ops, .pads = gate_pads};
static const weft_plugin_desc gate_desc = {.size = sizeof gate_desc,
                                           .abi_minor = WEFT_ABI_MINOR,
                                           .role = WEFT_ROLE_FRONTEND,
                                           .id = "frontend-gate",
                                           .version = "1",
                                           .summary = "a gate",
                                           .sanitizers = "",
                                           .option_stride = sizeof(weft_option),
                                           .ops = &gate_ops,
                                           .create = gate_create};

/* ---- a run in this process ---------------------------------------------------------------------
 */

typedef struct bench {
    loader loader;
    errors errors;
    ini text;
    profile profile;
    run run;
    account account;
    witness **witnesses;
    uint32_t swaps, vblanks; /* done so far; vblanks of the whole run */
    int loaded_wrongly;
    char *text_of_profile;
} bench;

#define PROFILE                                                                                    \
    "[cpu]\nplugin = ppc\n[kernel]\nplugin = hle\n[gpu]\nplugin = xenos\n[policy]\n"               \
    "plugin = conservative\n[frontend]\nplugin = gate\n[machine]\nvblank_hz = 1000\n"

static bench *bench_start(const char *title_path, const char *tracer,
                          void (*pumped)(void *context, run *r))
{
    bench *b = text_need_aligned(sizeof *b, _Alignof(bench));
    loader_start(&b->loader, WEFT_BUILD_DIR "/plugins");
    plugin *gate_plugin = text_need(sizeof *gate_plugin);
    gate_plugin->desc = &gate_desc;
    gate_plugin->next = b->loader.plugins;
    b->loader.plugins = gate_plugin;
    b->text.errors = &b->errors;
    b->text_of_profile = text_format("%s%s", PROFILE, tracer);
    ini_read_memory(&b->text, "p.ini", b->text_of_profile, strlen(b->text_of_profile));
    if (profile_resolve(&b->profile, &b->text, &b->loader, "p.ini", PROFILE_ALL_ROLES)) {
        fail_msg("%s", b->errors.lines[0]);
    }
    run_options options = {
        .title = title_path, .arguments = "rounds=" ROUNDS, .pumped = pumped, .pumped_context = b};
    assert_int_equal(run_start(&b->run, &b->loader, &b->profile, &options), 0);
    the_gate.vblanks = 0;
    the_gate.allowed = UINT64_MAX;
    return b;
}

static void bench_end(bench *b)
{
    run_end(&b->run);
    profile_free(&b->profile);
    ini_free(&b->text);
    errors_free(&b->errors);
    loader_end(&b->loader);
    for (uint32_t i = 0; b->witnesses && i < SWAPS; i++) {
        free(b->witnesses[i]);
    }
    free(b->witnesses);
    free(b->text_of_profile);
    free(b);
}

static const char *const kinds[KINDS] = {"tracer-binary", "tracer-jsonl", "tracer-tally",
                                         "tracer-null"};

static int is_loaded(const char *id)
{
    char *folder = text_copy(strcmp(id, "tracer-tally") == 0 ? "tests/plugins" : "plugins");
    char *path = text_format(WEFT_BUILD_DIR "/%s/%s.so", folder, id);
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (library) {
        dlclose(library);
    }
    free(path);
    free(folder);
    return library != NULL;
}

static char *swap_file(uint32_t i)
{
    return text_format("%s/%u.%s", scratch(), i, i % KINDS == 0 ? "wtr" : "jsonl");
}

static void swap_once(bench *b)
{
    uint32_t i = b->swaps, kind = i % KINDS;
    char *path = i < FILES ? swap_file(i) : text_copy("/dev/null");
    char *setting = text_format("path=%s", path);
    errors list = {0};
    int code = 0;
    /* the first ones write files, so that there is a chain of them to be proved */
    if (i < FILES) {
        kind = i % KINDS == 0 ? 0 : 1;
    }
    tracer_wish wish = {.id = kinds[kind], .settings = &setting, .count = kind < 2};
    tracer_instance *t = tracers_make(&b->run, &wish, NULL, &list, &code);
    if (!t) {
        fail_msg("%s", list.lines[0]);
    }
    witness *w = calloc(1, sizeof *w);
    *w = (witness){
        .all = &b->account, .ops = &t->part.plugin->ops.tracer, .instance = t->part.instance};
    b->witnesses[i] = w;
    t->part.ops.tracer = witness_ops;
    t->part.self = w;
    if (tracers_swap(&b->run, t, &list)) {
        fail_msg("%s", list.lines[0]);
    }
    b->swaps++;
    if (i % 50 == 0) {
        for (uint32_t k = 0; k < KINDS; k++) {
            b->loaded_wrongly += is_loaded(kinds[k]) != (k == kind);
        }
    }
    free(setting);
    free(path);
}

/* The main thread's part of the run: as many exchanges as there are, in the time of the title. */
static void swap_all(void *context, run *r)
{
    bench *b = context;
    while (b->swaps < SWAPS && !atomic_load(&r->guest_done)) {
        swap_once(b);
        allow((uint64_t)b->swaps * (b->vblanks - 1) / SWAPS); /* less than all of them */
    }
    allow(UINT64_MAX);
}

static uint32_t open_files(void)
{
    uint32_t count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d)) {
        count++;
    }
    closedir(d);
    return count;
}

/* `weft trace digest --chain` over the files of the first exchanges. */
static void prove_chain(void)
{
    buffer line = {0};
    buffer_format(&line, "%s %s/%s", WEFT_BUILD_DIR "/weft trace digest --chain", scratch(), FIRST);
    for (uint32_t i = 0; i < FILES; i++) {
        char *path = swap_file(i);
        buffer_format(&line, " %s", path);
        free(path);
    }
    buffer_text(&line, " >/dev/null");
    assert_int_equal(system(line.bytes), 0);
    line.length -= strlen(" >/dev/null");
    line.bytes[line.length] = 0;
    char *middle = strstr(line.bytes, "/7.jsonl"); /* without one of them there is a seam */
    assert_non_null(middle);
    char *start = middle;
    while (*start != ' ') {
        start--;
    }
    memset(start, ' ', (size_t)(middle + strlen("/7.jsonl") - start));
    buffer_text(&line, " >/dev/null 2>&1");
    assert_int_equal(WEXITSTATUS(system(line.bytes)), 6);
    buffer_free(&line);
}

static void test_ten_thousand_swaps(void **state)
{
    const char *path = title("locks");
    char *tracer = text_format("[tracer]\nplugin = binary\npath = %s/%s\n", scratch(), FIRST);

    bench *plain = bench_start(path, "", NULL);
    assert_int_equal(run_title(&plain->run), EXIT_ENDED);
    uint32_t vblanks = (uint32_t)the_gate.vblanks;
    assert_true(vblanks > 10); /* the gate works at all */

    uint32_t files = open_files();
    bench *b = bench_start(path, tracer, swap_all);
    b->vblanks = vblanks;
    b->witnesses = calloc(SWAPS, sizeof *b->witnesses);
    b->account.hash = XXH3_createState();
    XXH3_128bits_reset(b->account.hash);
    b->account.first_path = text_format("%s/%s", scratch(), FIRST);
    char *first_path = b->account.first_path;
    the_gate.allowed = 0;
    assert_int_equal(run_title(&b->run), EXIT_ENDED);

    if (b->account.faults) {
        fail_msg("%llu faults, the first: %s", (unsigned long long)b->account.faults,
                 b->account.fault);
    }
    assert_int_equal(b->swaps, SWAPS);
    assert_int_equal(b->account.opened, SWAPS);
    assert_int_equal(b->account.closed, SWAPS);
    char hex[33];
    digest_of(&b->account, hex);
    assert_string_equal(hex, plain->run.report.trace_digest);
    assert_string_equal(hex, b->run.report.trace_digest);
    assert_int_equal(b->account.guest, plain->run.report.trace_events);
    assert_int_equal(b->loaded_wrongly, 0);
    for (uint32_t k = 0; k < KINDS; k++) {
        assert_false(is_loaded(kinds[k]));
    }
    prove_chain();
    XXH3_freeState(b->account.hash);
    free(first_path);
    bench_end(b);
    assert_int_equal(open_files(), files);
    bench_end(plain);
    free(tracer);
}

/* ---- by profile, and what `weft trace digest --chain` says of the files -------------------------
 */

/* locks with three tracers one after the other, into FOLDER/{a.wtr,b.jsonl,c.wtr}. */
static char *run_by_rules(const char *folder)
{
    char *rules = text_format("tracer.swap_at=events=1000 jsonl path=%s/b.jsonl then ticks=1000000 "
                              "binary path=%s/c.wtr",
                              folder, folder);
    char *first = text_format("%s/a.wtr", folder);
    weft_run r = weft_json("--trace", first, "--set", rules, title("locks"), "--", "rounds=20",
                           (char *)NULL);
    assert_int_equal(r.status, 0);
    char *digest =
        text_format("%s %.0f ", report_text(&r, "trace_digest"), report_number(&r, "trace_events"));
    weft_free(&r);
    free(first);
    free(rules);
    return digest;
}

static char *made_folder(const char *name)
{
    char *folder = scratch_file(name);
    assert_int_equal(mkdir(folder, 0700), 0);
    return folder;
}

static void same_bytes(const char *a, const char *b, const char *name)
{
    char *command = text_format("cmp %s/%s %s/%s && test -s %s/%s", a, name, b, name, a, name);
    assert_int_equal(system(command), 0);
    free(command);
}

static void test_equal_runs_leave_equal_files(void **state)
{
    char *one = made_folder("one"), *two = made_folder("two");
    char *first = run_by_rules(one), *second = run_by_rules(two);
    assert_string_equal(first, second);
    same_bytes(one, two, "a.wtr");
    same_bytes(one, two, "b.jsonl");
    same_bytes(one, two, "c.wtr");
    free(one);
    free(two);
    free(first);
    free(second);
}

/* Runs a shell line in a folder that has the three files; then --chain over `files`. */
static void chain(const char *folder, const char *line, const char *files, int code,
                  const char *text)
{
    char *command = text_format("cd %s && { %s; } && " WEFT_BUILD_DIR
                                "/weft trace digest --chain %s >chain.txt 2>&1",
                                folder, line, files);
    char *path = text_format("%s/chain.txt", folder);
    int status = system(command);
    char *said = text_read_file(path, 1 << 20, &(size_t){0});
    assert_non_null(said);
    if (WEXITSTATUS(status) != code || !strstr(said, text)) {
        fail_msg("%s; %s: exit %d, expected %d and: %s\nin: %s", line, files, WEXITSTATUS(status),
                 code, text, said);
    }
    free(said);
    free(path);
    free(command);
}

static void test_chain_holds_and_breaks(void **state)
{
    char *folder = made_folder("chain");
    char *digest = run_by_rules(folder);
    chain(folder, ":", "a.wtr b.jsonl c.wtr", 0, digest); /* equal to run --json */
    chain(folder, ":", "a.wtr", 0, " a.wtr\n");
    chain(folder, WEFT_BUILD_DIR "/weft trace dump --json c.wtr >c.jsonl", "a.wtr b.jsonl c.jsonl",
          0, digest); /* a text of the same events */
    chain(folder, ":", "a.wtr c.wtr", 6, "a.wtr, c.wtr: chain is broken: first event (found ");
    chain(folder, ":", "a.wtr b.jsonl b.jsonl", 6,
          "b.jsonl, b.jsonl: chain is broken: first event");
    chain(folder, ":", "b.jsonl c.wtr", 6,
          "b.jsonl: chain is broken: first event (found 1000, "
          "expected 0)");
    chain(folder, "sed 900d b.jsonl >x.jsonl", "a.wtr x.jsonl c.wtr", 6,
          "x.jsonl: chain is broken: events are missing (found ");
    chain(folder, "sed 900p b.jsonl >x.jsonl", "a.wtr x.jsonl c.wtr", 6,
          "x.jsonl: chain is broken: an event is there twice or late (found ");
    chain(folder, "sed '900{h;d};901{G}' b.jsonl >x.jsonl", "a.wtr x.jsonl c.wtr", 6,
          "x.jsonl: chain is broken: events are missing (found ");
    chain(folder, "sed '900s/\"tick\":/\"tick\":1/' b.jsonl >x.jsonl", "a.wtr x.jsonl c.wtr", 6,
          "x.jsonl: chain is broken: digest at the end (found ");
    chain(folder, "sed '1s/\"digest\":\"./\"digest\":\"z/' b.jsonl >x.jsonl", "a.wtr x.jsonl c.wtr",
          6, "a.wtr, x.jsonl: chain is broken: digest of the events before (found z");
    chain(folder, "sed '1s/locks/lucks/' b.jsonl >x.jsonl", "a.wtr x.jsonl c.wtr", 6,
          "a.wtr, x.jsonl: chain is broken: another title (found lucks.xex, expected locks.xex)");
    chain(folder, "head -n 900 b.jsonl >x.jsonl", "a.wtr x.jsonl c.wtr", 6,
          "x.jsonl: chain is broken: ");
    chain(folder, "sed '1s/\"partial\":false/\"partial\":true/' b.jsonl >x.jsonl",
          "a.wtr x.jsonl c.wtr", 3, "x.jsonl: trace proves nothing about the whole run");
    chain(folder, "sed 's/\"engine\":\"weft\"/\"engine\":\"canary\"/' b.jsonl >x.jsonl",
          "a.wtr x.jsonl c.wtr", 3, "x.jsonl: trace has no digests to chain (found engine canary");
    chain(folder, "head -c 9000 b.jsonl >x.jsonl", "a.wtr x.jsonl c.wtr", 3, "x.jsonl:");
    chain(folder, ":", "a.wtr nothing.wtr", 3, "nothing.wtr: cannot open");
    chain(folder, ":", "--md5 a.wtr", 2, "--chain: ");
    free(digest);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_thousand_swaps),
        cmocka_unit_test(test_equal_runs_leave_equal_files),
        cmocka_unit_test(test_chain_holds_and_breaks),
    };
    return cmocka_run_group_tests_name("run hotswap", tests, NULL, NULL);
}
