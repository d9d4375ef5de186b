/* What a run in parallel mode leaves in the trace: the order of the operations on each lock, and nothing
 * lost when tracers and policies are exchanged meanwhile. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "section_model.h"
#include "trace.h"
#include "weft_run.h"

#define PARALLEL "--set", "schedule.mode=parallel"
#define THREADS  128
#define SWAPS    6

/* ---- the order of operations ------------------------------------------------------------------- */

typedef struct taken {
    uint64_t object, number, thread;
    uint32_t kind;
    bool got;
} taken;

typedef struct operations {
    taken *taken;
    size_t count, room;
    struct {
        uint64_t id, index;
        size_t trying; /* 1 + its TRY whose result is not known yet */
    } threads[THREADS];
} operations;

static size_t thread_of(operations *o, uint64_t id)
{
    size_t i = 0;
    while (i < THREADS && o->threads[i].id && o->threads[i].id != id) {
        i++;
    }
    assert_true(i < THREADS);
    o->threads[i].id = id;
    return i;
}

static void keep(operations *o, size_t thread, const uint64_t *words)
{
    if (o->count == o->room) {
        o->room = o->room ? o->room * 2 : 4096;
        o->taken = realloc(o->taken, o->room * sizeof *o->taken);
        assert_non_null(o->taken);
    }
    o->taken[o->count++] = (taken){
        .object = words[1],
        .number = words[2],
        .thread = o->threads[thread].id,
        .kind = (uint32_t)words[0],
    };
    if (words[0] == WEFT_SYNC_TRY) {
        o->threads[thread].trying = o->count;
    }
}

/* The sync.op of a trace; each thread's events of class guest are there, in its order. */
static void read_operations(operations *o, const char *path)
{
    weft_trace *t = weft_trace_open(path);
    const weft_event *e;
    const char *where;
    memset(o, 0, sizeof *o);
    while ((e = weft_trace_next(t)) != NULL) {
        uint32_t count;
        const uint64_t *words = weft_trace_words(e, &count);
        if (e->category != WEFT_CLASS_GUEST || e->thread == 0) {
            continue;
        }
        size_t thread = thread_of(o, e->thread);
        assert_true(e->index == o->threads[thread].index++);
        if (e->kind == WEFT_EVENT_SYNC_OP && words[1]) {
            keep(o, thread, words);
        } else if (e->kind == WEFT_EVENT_KERNEL_RETURN && o->threads[thread].trying) {
            o->taken[o->threads[thread].trying - 1].got = (uint32_t)words[1] != 0;
            o->threads[thread].trying = 0;
        }
    }
    assert_null(weft_trace_failed(t, &where));
    assert_true(weft_trace_info_of(t)->complete);
    weft_trace_close(t);
}

static int by_number(const void *a, const void *b)
{
    const taken *x = a, *y = b;
    if (x->object != y->object) {
        return x->object < y->object ? -1 : 1;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

static bool is_lock(const taken *first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (first[i].kind == WEFT_SYNC_ENTER || first[i].kind == WEFT_SYNC_TRY) {
            return true;
        }
    }
    return false;
}

/* docs/kernel.md, "The order of operations": n operations of an object have the numbers 0 to n - 1, in
 * the order in which they happened: each finds what the ones before it have left. */
static size_t order_fits(operations *o)
{
    size_t locks = 0;
    qsort(o->taken, o->count, sizeof *o->taken, by_number);
    for (size_t from = 0, to; from < o->count; from = to) {
        for (to = from; to < o->count && o->taken[to].object == o->taken[from].object; to++) {
            assert_true(o->taken[to].number == to - from);
        }
        if (!is_lock(&o->taken[from], to - from)) {
            continue;
        }
        section_model m = {0};
        for (size_t i = from; i < to; i++) {
            const taken *t = &o->taken[i];
            if (!section_follows(&m, t->kind, t->thread, t->got)) {
                fail_msg("operation %llu of %016llx cannot be of kind %u, by %016llx",
                         (unsigned long long)t->number, (unsigned long long)t->object, t->kind,
                         (unsigned long long)t->thread);
            }
        }
        locks++;
    }
    free(o->taken);
    return locks;
}

static void order_of(const char *name)
{
    static operations o;
    char *path = scratch_file("order.wtr");
    for (int i = 0; i < 3; i++) {
        weft_run r = weft_json(PARALLEL, "--trace", path, title(name), NULL);
        assert_int_equal(r.status, 0);
        weft_free(&r);
        read_operations(&o, path);
        assert_true(o.count > 50);
        assert_true(order_fits(&o) >= 1);
    }
    free(path);
}

static void order_of_sections(void **state)
{
    order_of("locks");
    order_of("jobs");
}

static void order_of_tries(void **state)
{
    order_of("tryenter");
}

static void order_of_spin_locks(void **state)
{
    order_of("spin");
    order_of("inversion");
}

/* Whether a run in parallel mode, made again in lockstep by the order of its operations, was one that the
 * order determines; the log says so. */
static bool followed(const char *name)
{
    char *ref = scratch_file("ref.wtr"), *ours = scratch_file("ours.wtr");
    char *order = scratch_file("order.json"), set[512];
    weft_run r = weft_json(PARALLEL, "--trace", ref, title(name), NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    r = weft("trace", "manifest", "--order", "--out", order, ref, NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    snprintf(set, sizeof set, "policy.order=%s", order);
    r = weft_json("--set", "policy.plugin=follow", "--set", set, "--trace", ours, title(name),
                  NULL);
    assert_int_equal(r.status, 0);
    bool whole = !strstr(r.err, "order of the reference does not determine the run from tick ");
    weft_free(&r);
    r = weft("trace", "diff", ref, ours, NULL);
    if (whole) { /* sources fire by time, which is another one */
        assert_non_null(strstr(r.out, "thread:main (1) = thread:main (1)"));
        for (char *line = strtok(r.out, "\n"); line; line = strtok(NULL, "\n")) {
            assert_false(strstr(line, " thread:") && strstr(line, "DIVERGED"));
        }
    }
    weft_free(&r);
    free(ref);
    free(ours);
    free(order);
    return whole;
}

/* The wedge is free of races: its order makes its threads again, event for event. One run in many also has an
 * operation that nobody can hold, such as a clock source's. */
static void recorded_run_is_made_again(void **state)
{
    bool whole = false;
    for (int i = 0; i < 5 && !whole; i++) {
        whole = followed("wedge");
    }
    assert_true(whole);
}

/* ---- exchanges --------------------------------------------------------------------------------- */

static void chain_holds(char **files, size_t count, const char *digest)
{
    char command[8192] = WEFT_PROGRAM " trace digest --chain";
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(command);
        snprintf(command + used, sizeof command - used, " %s", files[i]);
    }
    FILE *said = popen(command, "r");
    char line[8192] = "";
    assert_non_null(said);
    assert_non_null(fgets(line, sizeof line, said));
    assert_int_equal(pclose(said), 0);
    if (digest) {
        assert_int_equal(strncmp(line, digest, strlen(digest)), 0);
    }
}

/* docs/trace.md: the files of a run's successive tracers have every event once, and the digest that
 * the run reports. */
static void tracers_by_rule_lose_nothing(void **state)
{
    char *files[] = {scratch_file("a.wtr"), scratch_file("b.jsonl"), scratch_file("c.wtr"),
                     scratch_file("d.wtr")};
    char rules[2048];
    snprintf(rules, sizeof rules,
             "tracer.swap_at=events=5000 jsonl path=%s then events=12000 binary path=%s then "
             "events=20000 binary path=%s",
             files[1], files[2], files[3]);
    weft_run r = weft_json(PARALLEL, "--trace", files[0], "--set", rules, title("jobs"), NULL);
    assert_int_equal(r.status, 0);
    chain_holds(files, 4, report_text(&r, "trace_digest"));
    weft_free(&r);
    for (size_t i = 0; i < 4; i++) {
        free(files[i]);
    }
}

/* docs/policy.md: an exchange leaves policy.swap; the policies differ in what they want to be asked about,
 * so locks are taken with the dispatcher lock and without in turn. */
static void policies_by_rule_keep_the_order(void **state)
{
    static operations o;
    char *path = scratch_file("policies.wtr");
    weft_run r =
        weft_json(PARALLEL, "--trace", path, "--set",
                  "policy.swap_at=decisions=200 follow then decisions=500 default then "
                  "decisions=800 chaos then decisions=1100 round_robin then decisions=1400 follow "
                  "then decisions=1700 conservative",
                  title("locks"), NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, " ok\n"));
    weft_free(&r);
    weft_trace *t = weft_trace_open(path);
    const weft_event *e;
    uint32_t swaps = 0;
    while ((e = weft_trace_next(t)) != NULL) {
        swaps += e->kind == WEFT_EVENT_POLICY_SWAP;
    }
    weft_trace_close(t);
    assert_int_equal(swaps, 6);
    read_operations(&o, path);
    assert_true(order_fits(&o) >= 1);
    free(path);
}

static pid_t launch(const char *first)
{
    const char *path = title("locks");
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(60);
        if (freopen("/dev/null", "w", stdout)) {
            execl(WEFT_PROGRAM, "weft", "run", "--headless", PARALLEL, "--trace", first, path, "--",
                  "rounds=200000", (char *)NULL);
        }
        _exit(127);
    }
    return pid;
}

static void ctl(const char *role, const char *id, const char *setting)
{
    weft_run r = setting ? weft("ctl", role, "swap", id, "--set", setting, NULL)
                         : weft("ctl", role, "swap", id, NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
}

static void asked_from_outside_loses_nothing(void **state)
{
    static const char *const policies[] = {"follow", "default", "chaos"};
    char *files[SWAPS + 1], name[32], setting[1024];
    for (int i = 0; i <= SWAPS; i++) {
        snprintf(name, sizeof name, "ctl%d.wtr", i);
        files[i] = scratch_file(name);
    }
    setenv("XDG_RUNTIME_DIR", scratch(), 1);
    pid_t pid = launch(files[0]);
    for (int i = 0; i < 500; i++) {
        weft_run run = weft("ctl", "status", NULL);
        int status = run.status;
        weft_free(&run);
        if (status == 0) {
            break;
        }
        usleep(10000);
    }
    for (int i = 1; i <= SWAPS; i++) {
        snprintf(setting, sizeof setting, "path=%s", files[i]);
        ctl("tracer", "binary", setting);
        ctl("policy", policies[i % 3], NULL);
    }
    weft_run run = weft("ctl", "quit", NULL);
    assert_int_equal(run.status, 0);
    weft_free(&run);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    chain_holds(files, SWAPS + 1, NULL);
    for (int i = 0; i <= SWAPS; i++) {
        free(files[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_sections),
        cmocka_unit_test(order_of_tries),
        cmocka_unit_test(order_of_spin_locks),
        cmocka_unit_test(recorded_run_is_made_again),
        cmocka_unit_test(tracers_by_rule_lose_nothing),
        cmocka_unit_test(policies_by_rule_keep_the_order),
        cmocka_unit_test(asked_from_outside_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
