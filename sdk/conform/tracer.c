/* tracer.c: the kit of tracers (weft/tracer.h): the order of the ops, a swap, payloads of every
 * shape, two instances at once, files that cannot be made or written, memory, stdout. What is
 * written is not judged here: formats are the tests' of `weft trace`.
 *
 * A tracer with an option `path` writes into a folder of the kit's. One that cannot do without an
 * option that has no default refuses to open with WEFT_E_INVALID and says which: it passes as far as
 * that goes, and `weft conform --set key=value` gives it what it needs. */
#include "tracer_kit.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALLS       100000              /* events of each half of the memory check */
#define GROWTH      (UINT64_C(4) << 20) /* bytes; the events of one half have 8 MB */
#define FULL        "/dev/full"         /* writes fail with ENOSPC: full(4) */
#define FULL_EVENTS 30000               /* more than a usual buffer holds */

/* Where the sanitizer is not linked, there is none. */
__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

typedef struct kit {
    const weft_plugin_desc *desc;
    const weft_tracer_ops *ops;
    const weft_host *host;
    weft_conform_report *report;
    char folder[256];
    char paths[4][300]; /* two good ones, one in no folder, and the file for stdout */
    int has_path;
    int writes; /* an ordinary stream leaves something in the file */
} kit;

static void check(const kit *k, int holds, const char *where, const char *got, const char *expected)
{
    if (holds) {
        weft_conform_pass(k->report);
    } else {
        weft_conform_fail(k->report, "tracer.%s: got %s, expected %s", where, got, expected);
    }
}

static void check_ok(const kit *k, const char *where, weft_status status, const kit_host *host)
{
    char got[600];
    snprintf(got, sizeof got, "%s%s%s", weft_status_name(status), host->fails ? ": " : "",
             host->sentence);
    check(k, status == WEFT_OK, where, got, "ok");
}

/* A failure comes with one sentence on one line. */
static void check_said(const kit *k, const char *where, const kit_host *host)
{
    check(k, host->fails > 0 && host->sentence[0] && !strchr(host->sentence, '\n'), where,
          host->fails ? "a failure with an empty sentence" : "a failure without host->fail",
          "one sentence");
}

/* An instance, its host and its stream. */
typedef struct subject {
    kit_host host;
    kit_stream stream;
} subject;

static int make(const kit *k, subject *s, const char *path)
{
    kit_host_start(&s->host, k->host, k->has_path ? path : NULL);
    s->stream = (kit_stream){.ops = k->ops};
    weft_status status = k->desc->create(&s->host.host, &s->stream.instance);
    check_ok(k, "create", status, &s->host);
    return status == WEFT_OK;
}

static void end(const kit *k, const subject *s)
{
    if (k->desc->destroy) {
        k->desc->destroy(s->stream.instance);
    }
}

static void send_all(kit_stream *s)
{
    for (uint32_t round = 0; round < 4; round++) {
        kit_send_kinds(s, round);
        s->ops->flush(s->instance);
    }
    kit_send_odd(s);
}

/* Opens for a stream that begins after the run has. A tracer may need the whole run: it then refuses
 * with WEFT_E_STATE. 1 where it is open. */
static int open_swapped(const kit *k, subject *s, uint64_t first, int told, const char *where)
{
    s->host.fails = 0;
    weft_status status = kit_open(&s->stream, first, told);
    if (status == WEFT_E_STATE && s->host.fails > 0) {
        weft_conform_note(k->report, "tracer.%s: refused: %s", where, s->host.sentence);
        return 0;
    }
    check_ok(k, where, status, &s->host);
    return status == WEFT_OK;
}

/* Everything once, then again in the same instance, as after a swap back to it. Returns 0 where
 * the tracer does not open. */
static int check_order(kit *k)
{
    subject s;
    if (!make(k, &s, k->paths[0])) {
        return 0;
    }
    weft_status status = kit_open(&s.stream, 0, 1);
    if (status != WEFT_OK) {
        check_said(k, "open", &s.host);
        if (s.host.fails > 0 && (status == WEFT_E_INVALID || !k->has_path)) {
            weft_conform_note(k->report, "tracer.open: refused, so events are not checked: %s",
                              s.host.sentence);
        } else {
            check_ok(k, "open", status, &s.host);
        }
        end(k, &s);
        return 0;
    }
    send_all(&s.stream);
    uint64_t next = s.stream.sequence;
    check_ok(k, "close", kit_close(&s.stream), &s.host);
    struct stat state;
    k->writes = k->has_path && stat(k->paths[0], &state) == 0 && state.st_size > 0;

    check(k, s.host.fails == 0, "fail", s.host.sentence, "no failure");

    if (open_swapped(k, &s, next, 0, "open, again after close")) {
        kit_tell_definitions(&s.stream);
        send_all(&s.stream);
        s.stream.ops->flush(s.stream.instance);
        check_ok(k, "close, after a swap", kit_close(&s.stream), &s.host);
    }
    end(k, &s);
    return 1;
}

static void check_without_events(const kit *k)
{
    subject s;
    if (make(k, &s, k->paths[0])) {
        check_ok(k, "open", kit_open(&s.stream, 0, 1), &s.host);
        check_ok(k, "close, without an event", kit_close(&s.stream), &s.host);
        if (open_swapped(k, &s, 77, 1, "open, swapped in")) {
            s.stream.ops->flush(s.stream.instance);
            check_ok(k, "close, swapped out at once", kit_close(&s.stream), &s.host);
        }
        end(k, &s);
    }
}

/* A run that broke off: destroy follows where no close was, and where no open was. */
static void check_broken_off(const kit *k)
{
    subject s;
    if (make(k, &s, k->paths[0])) {
        end(k, &s);
    }
    if (make(k, &s, k->paths[0])) {
        check_ok(k, "open", kit_open(&s.stream, 0, 1), &s.host);
        kit_send_kinds(&s.stream, 1);
        end(k, &s);
    }
}

/* 1 where both files can be read and are equal. */
static int files_equal(const char *a, const char *b)
{
    FILE *one = fopen(a, "rb"), *two = fopen(b, "rb");
    int equal = one && two;
    while (equal) {
        char x[4096], y[4096];
        size_t n = fread(x, 1, sizeof x, one);
        equal = fread(y, 1, sizeof y, two) == n && memcmp(x, y, n) == 0;
        if (n == 0) {
            break;
        }
    }
    if (one) {
        fclose(one);
    }
    if (two) {
        fclose(two);
    }
    return equal;
}

static void check_two_instances(const kit *k)
{
    subject a, b;
    if ((k->desc->flags & WEFT_PLUGIN_SINGLE) || !make(k, &a, k->paths[0])) {
        return;
    }
    if (make(k, &b, k->paths[1])) {
        check_ok(k, "open", kit_open(&a.stream, 0, 1), &a.host);
        check_ok(k, "open, second instance", kit_open(&b.stream, 0, 1), &b.host);
        for (uint32_t round = 0; round < 4; round++) {
            kit_send_kinds(&a.stream, round);
            kit_send_kinds(&b.stream, round);
        }
        check_ok(k, "close", kit_close(&a.stream), &a.host);
        check_ok(k, "close, second instance", kit_close(&b.stream), &b.host);
        end(k, &b);
        if (k->writes && !files_equal(k->paths[0], k->paths[1])) {
            weft_conform_loose(k->report, "tracer: equal streams left different files");
        }
    }
    end(k, &a);
}

static void check_bad_path(const kit *k)
{
    subject s;
    if (!k->has_path || !make(k, &s, k->paths[2])) {
        return;
    }
    weft_status status = kit_open(&s.stream, 0, 1);
    check(k, status < 0, "open, path in no folder", weft_status_name(status), "a failure");
    if (status < 0) {
        check_said(k, "open, path in no folder", &s.host);
    }
    end(k, &s);
}

/* Lost output is reported, by open or by close, and nowhere else. */
static void check_full_disk(const kit *k)
{
    subject s;
    if (!k->writes || access(FULL, W_OK) != 0 || !make(k, &s, FULL)) {
        return;
    }
    weft_status status = kit_open(&s.stream, 0, 1);
    if (status == WEFT_OK) {
        kit_send_kinds(&s.stream, 1);
        kit_send_calls(&s.stream, FULL_EVENTS);
        s.stream.ops->flush(s.stream.instance);
        check(k, s.host.fails == 0, "event, " FULL, "a failure", "it kept for close");
        status = kit_close(&s.stream);
    }
    check(k, status < 0, "close, " FULL, weft_status_name(status), "a failure");
    if (status < 0) {
        check_said(k, "close, " FULL, &s.host);
    }
    end(k, &s);
}

static uint64_t bytes_in_use(void)
{
    if (__sanitizer_get_current_allocated_bytes) {
        return __sanitizer_get_current_allocated_bytes();
    }
    struct mallinfo2 info = mallinfo2();
    return (uint64_t)info.uordblks + (uint64_t)info.hblkhd;
}

/* Memory may grow with what is new in a stream, not with its length. */
static void check_memory(const kit *k)
{
    subject s;
    char got[64], expected[64];
    if (!make(k, &s, "/dev/null")) {
        return;
    }
    check_ok(k, "open", kit_open(&s.stream, 0, 1), &s.host);
    kit_send_calls(&s.stream, CALLS);
    s.stream.ops->flush(s.stream.instance);
    uint64_t before = bytes_in_use();
    kit_send_calls(&s.stream, CALLS);
    s.stream.ops->flush(s.stream.instance);
    uint64_t after = bytes_in_use();
    uint64_t growth = after > before ? after - before : 0;
    snprintf(got, sizeof got, "%llu bytes more", (unsigned long long)growth);
    snprintf(expected, sizeof expected, "at most %llu after %d more events",
             (unsigned long long)GROWTH, CALLS);
    check(k, growth <= GROWTH, "memory", got, expected);
    check_ok(k, "close, after many events", kit_close(&s.stream), &s.host);
    end(k, &s);
}

static void run_checks(kit *k)
{
    if (!check_order(k)) {
        return;
    }
    check_without_events(k);
    check_broken_off(k);
    check_two_instances(k);
    check_bad_path(k);
    check_full_disk(k);
    check_memory(k);
}

/* Lines that wait until stdout is the terminal's again. */
typedef struct waiting {
    char *text;
    size_t used;
} waiting;

static void wait_line(weft_conform_report *report, const char *line)
{
    waiting *w = report->context;
    size_t length = strlen(line) + 1;
    char *text = realloc(w->text, w->used + length);
    if (text) {
        memcpy(text + w->used, line, length);
        w->text = text;
        w->used += length;
    }
}

/* Runs the checks with stdout going to a file: a tracer has no business there, which belongs to
 * the title. */
static void run_quietly(kit *k)
{
    waiting lines = {0};
    weft_conform_report *outer = k->report;
    weft_conform_report inner = {.print = wait_line, .context = &lines};
    struct stat state = {0};
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    int file = open(k->paths[3], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int redirected = saved >= 0 && file >= 0 && dup2(file, STDOUT_FILENO) >= 0;
    k->report = &inner;
    run_checks(k);
    k->report = outer;
    fflush(stdout);
    if (redirected) {
        fstat(STDOUT_FILENO, &state);
        dup2(saved, STDOUT_FILENO);
    }
    if (saved >= 0) {
        close(saved);
    }
    if (file >= 0) {
        close(file);
    }
    for (size_t at = 0; at < lines.used; at += strlen(lines.text + at) + 1) {
        outer->print(outer, lines.text + at);
    }
    free(lines.text);
    outer->passed += inner.passed;
    outer->failed += inner.failed;
    outer->loose += inner.loose;
    check(k, redirected && state.st_size == 0, "stdout", redirected ? "output" : "no file for it",
          "nothing: stdout is the title's");
}

static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        char file[600];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        unlink(file);
    }
    if (folder) {
        closedir(folder);
    }
    rmdir(path);
}

int weft_conform_tracer(const weft_plugin_desc *desc, const weft_tracer_ops *ops,
                        const weft_host *host, weft_conform_report *report)
{
    static const char *const names[] = {"one", "two", "none/three", "stdout"};
    kit k = {.desc = desc, .ops = ops, .host = host, .report = report};
    const char *temporary = getenv("TMPDIR");
    k.has_path = kit_has_path(desc);
    snprintf(k.folder, sizeof k.folder, "%.200s/weft-conform-XXXXXX",
             temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(k.folder)) {
        weft_conform_fail(report, "tracer: no folder for files (found none at %s, expected one)",
                          k.folder);
        return 0;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(k.paths[i], sizeof k.paths[i], "%s/%s", k.folder, names[i]);
    }
    run_quietly(&k);
    remove_folder(k.folder);
    return 0;
}
