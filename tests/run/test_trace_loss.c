/* test_trace_loss.c: what is left of a trace when the run is killed or the disk is full: a file
 * that is read up to where it ends, and that says what is missing. */
#include "weft_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILLS   10 /* of each tracer */
#define KILL_MS 60 /* within so many ms of the file's first bytes */

/* A run of locks under way. */
typedef struct child {
    pid_t pid;
    char *path, *out, *err; /* the trace, and where it says what */
} child;

/* Starts it with tracer.plugin and one more setting, or, where those are NULL, with --trace. */
static child start_with(const char *trace, const char *plugin, const char *set, const char *rounds)
{
    child c = {.path = scratch_file(trace), .out = scratch_file("out"), .err = scratch_file("err")};
    const char *locks = title("locks");
    unlink(c.path);
    c.pid = fork();
    assert_true(c.pid >= 0);
    if (c.pid == 0) {
        alarm(120);
        if (!freopen(c.out, "w", stdout) || !freopen(c.err, "w", stderr)) {
            _exit(126);
        }
        execl(WEFT_BUILD_DIR "/weft", "weft", "run", "--headless", plugin ? "--set" : "--trace",
              plugin ? plugin : c.path, "--set", set ? set : "machine.log=warn", locks, "--",
              rounds, (char *)NULL);
        _exit(127);
    }
    return c;
}

static child start(const char *trace, const char *rounds)
{
    return start_with(trace, NULL, NULL, rounds);
}

/* Its exit status, as waitpid has it. */
static int finish(child *c)
{
    int status;
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    return status;
}

static void child_free(child *c)
{
    free(c->path);
    free(c->out);
    free(c->err);
}

static long file_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

static void sleep_us(long us)
{
    const struct timespec time = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&time, NULL);
}

static void wait_for_bytes(const char *path, long least)
{
    for (int waited = 0; file_size(path) < least; waited++) {
        assert_true(waited < 60000);
        sleep_us(1000);
    }
}

/* `weft trace stat` reads the file up to its end and says that something is missing. Returns
 * how many events it has. */
static double states_its_loss(const char *path, int may_end_in_half_a_line)
{
    weft_run stat = weft("trace", "stat", "--json", path, NULL);
    /* CONTRACTS.md: 3 where an input file is malformed, which half a line is */
    if (stat.status != 0 && !(stat.status == 3 && may_end_in_half_a_line)) {
        fail_msg("stat ends with %d: %s", stat.status, stat.err);
    }
    cJSON *json = cJSON_Parse(stat.out);
    assert_non_null(json);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, "complete")));
    const char *missing = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "missing"));
    assert_non_null(missing);
    assert_true(strlen(missing) > 0);
    const cJSON *events = cJSON_GetObjectItemCaseSensitive(json, "events");
    assert_true(cJSON_IsNumber(events));
    double count = events->valuedouble;
    cJSON_Delete(json);
    weft_free(&stat);
    return count;
}

static uint32_t next_random(uint32_t *seed) /* xorshift32 */
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void kill_at_random(const char *name)
{
    uint32_t seed = 0x5eed;
    for (int i = 0; i < KILLS; i++) {
        child c = start(name, "rounds=100000000"); /* does not end within the test */
        wait_for_bytes(c.path, 1);
        sleep_us((long)(next_random(&seed) % (KILL_MS * 1000)));
        kill(c.pid, SIGKILL);
        int status = finish(&c);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
        states_its_loss(c.path, strstr(name, ".jsonl") != NULL);
        child_free(&c);
    }
}

static void test_a_killed_run_leaves_a_binary_trace(void **state)
{
    kill_at_random("killed.wtr");
}

static void test_a_killed_run_leaves_a_text_trace(void **state)
{
    kill_at_random("killed.jsonl");
}

/* docs/trace.md: a killed run loses the events of the group at hand, fewer than `group_events`. How
 * many there were is known from lines that were written one at a time, by the same run. */
static void test_a_kill_loses_less_than_a_group(void **state)
{
    char set[1024], *text = scratch_file("both.jsonl");
    uint32_t seed = 0x10557;
    for (int i = 0; i < 4; i++) {
        char *path = scratch_file("both.wtr");
        snprintf(set, sizeof set,
                 "tracer.to=jsonl path=%s buffer_kib=0 and binary path=%s "
                 "group_events=1000",
                 text, path);
        free(path);
        child c = start_with("both.wtr", "tracer.plugin=tee", set, "rounds=100000000");
        wait_for_bytes(c.path, 10000);
        sleep_us((long)(next_random(&seed) % 20000));
        kill(c.pid, SIGKILL);
        finish(&c);
        double lines = states_its_loss(text, 1), events = states_its_loss(c.path, 0);
        assert_true(lines >= 1000);
        assert_true(events <= lines + 1); /* a line may have been cut in half */
        assert_true(lines - events < 1000 + 1);
        child_free(&c);
    }
    free(text);
}

static char *slurp(const char *path)
{
    char *text = calloc(1, 4096);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, 4095, file) < 4095);
    fclose(file);
    return text;
}

/* A limit on the size of files fails a write midway as a full disk does, and needs no root: the
 * bytes up to it are written, then the error is EFBIG (setrlimit(2)). It is set once the title
 * runs, which it does when the file has some bytes: guest memory is a file too. */
static void full_disk(const char *name, long under_way, uint64_t bytes_free)
{
    char bytes[64];
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN); /* inherited */
    /* 1.5 million events: at least 0.2 s, and more than either file may hold */
    child c = start_with(name, NULL, "machine.pace=yes", "rounds=3000");
    struct rlimit limit = {bytes_free, RLIM_INFINITY};
    wait_for_bytes(c.path, under_way);
    assert_int_equal(prlimit(c.pid, RLIMIT_FSIZE, &limit, NULL), 0);
    int status = finish(&c);
    signal(SIGXFSZ, handler);
    char *out = slurp(c.out), *err = slurp(c.err);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 5); /* CONTRACTS.md: a plugin failed */
    assert_non_null(strstr(out, " ok\n"));    /* the title's own verdict: it ran to its end */
    assert_int_equal(lines_with(err, ""), 1);
    assert_int_equal(lines_with(err, "weft: error: tracer-"), 1);
    snprintf(bytes, sizeof bytes, "expected room beyond the first %ld bytes", file_size(c.path));
    assert_non_null(strstr(err, bytes));
    assert_non_null(strstr(err, strerror(EFBIG)));
    states_its_loss(c.path, 0);
    free(out);
    free(err);
    child_free(&c);
}

static void test_a_full_disk_cuts_a_binary_trace(void **state)
{
    full_disk("full.wtr", 1000, 100000);
}

static void test_a_full_disk_cuts_a_text_trace_behind_a_line(void **state)
{
    full_disk("full.jsonl", 500000, 10000003);
}

/* Without room for a byte: /dev/full takes nothing. */
static void test_a_disk_without_any_room(void **state)
{
    static const char *const tracers[] = {"tracer.plugin=binary", "tracer.plugin=jsonl"};
    for (int i = 0; i < 2; i++) {
        weft_run run = weft_json("--set", tracers[i], "--set", "tracer.path=/dev/full",
                                 title("locks"), "--", "rounds=20", NULL);
        assert_int_equal(run.status, 5);
        assert_int_equal(lines_with(run.err, ""), 1);
        assert_non_null(strstr(run.err, strerror(ENOSPC)));
        weft_free(&run);
    }
}

/* SIGTERM ends a run as a condition that held: the trace is whole. */
static void test_a_signal_loses_nothing(void **state)
{
    static const char *const names[] = {"term.wtr", "term.jsonl"};
    for (int i = 0; i < 2; i++) {
        child c = start(names[i], "rounds=100000000");
        wait_for_bytes(c.path, 1);
        kill(c.pid, SIGTERM);
        int status = finish(&c);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0); /* CONTRACTS.md: a condition held */
        weft_run stat = weft("trace", "stat", "--json", c.path, NULL);
        assert_int_equal(stat.status, 0);
        cJSON *json = cJSON_Parse(stat.out);
        assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "complete")));
        const cJSON *between = cJSON_GetObjectItemCaseSensitive(json, "missing_between");
        assert_true(cJSON_IsNumber(between) && between->valuedouble == 0);
        cJSON_Delete(json);
        weft_free(&stat);
        child_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_killed_run_leaves_a_binary_trace),
        cmocka_unit_test(test_a_killed_run_leaves_a_text_trace),
        cmocka_unit_test(test_a_kill_loses_less_than_a_group),
        cmocka_unit_test(test_a_full_disk_cuts_a_binary_trace),
        cmocka_unit_test(test_a_full_disk_cuts_a_text_trace_behind_a_line),
        cmocka_unit_test(test_a_disk_without_any_room),
        cmocka_unit_test(test_a_signal_loses_nothing),
    };
    return cmocka_run_group_tests_name("trace loss", tests, NULL, NULL);
}
