/* test_ctl.c: `weft ctl` against a running weft: what it answers, where its socket is, and that
 * nobody who talks to it can hold it up. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A folder of its own as XDG_RUNTIME_DIR, and a run of the fake kernel that goes on until it is
 * told to end. */
typedef struct bench {
    char folder[64], socket[128];
    pid_t pid;
} bench;

static void sleep_ms(unsigned milliseconds)
{
    usleep(milliseconds * 1000);
}

static pid_t launch(const bench *b, const char *extra)
{
    char command[512];
    snprintf(command, sizeof command,
             "cd '%s' && exec " RUN_FOLDER "/weft run --profile spin.ini --json %s.json %s t.xex "
             ">out.txt 2>run.txt",
             b->folder, *extra ? "other" : "run", extra);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setenv("XDG_RUNTIME_DIR", b->folder, 1);
        alarm(60);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* A connected socket, or -1. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void await_socket(const char *path)
{
    int fd = -1;
    for (int i = 0; i < 1000 && fd < 0; i++) {
        fd = connect_to(path);
        sleep_ms(fd < 0 ? 10 : 0);
    }
    assert_true(fd >= 0);
    close(fd);
}

static bench *bench_start(void)
{
    char path[256];
    bench *b = calloc(1, sizeof *b);
    folder_start(b->folder);
    file_write(b->folder, "spin.ini",
               "[kernel]\nplugin = fake\nend = spin\nevents = 10\n[machine]\nlog = error\n", path);
    b->pid = launch(b, "");
    snprintf(b->socket, sizeof b->socket, "%s/weft/%ld.sock", b->folder, (long)b->pid);
    await_socket(b->socket);
    return b;
}

/* Waits until a run has ended; its exit code. */
static int ended(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static outcome ctl(const bench *b, const char *words)
{
    return process(b->folder, "XDG_RUNTIME_DIR='%s' " RUN_FOLDER "/weft ctl %s", b->folder, words);
}

/* Asks, and wants an exit code and a text on stdout or stderr. */
static void ask(const bench *b, const char *words, int code, const char *text)
{
    outcome o = ctl(b, words);
    if (o.code != code || (!strstr(o.out, text) && !strstr(o.err, text))) {
        fail_msg("%s: exit %d, expected %d and: %s\n%s%s", words, o.code, code, text, o.out, o.err);
    }
    outcome_free(&o);
}

/* The fake has emitted its events; what `weft ctl status` says then. */
static outcome status_of(const bench *b, const char *words, const char *events)
{
    outcome o = ctl(b, words);
    for (int i = 0; i < 1000 && o.code == 0 && !strstr(o.out, events); i++) {
        outcome_free(&o);
        sleep_ms(10);
        o = ctl(b, words);
    }
    return o;
}

/* Ends the run by ctl: it has to be alive and well. */
static void bench_end(bench *b)
{
    char words[160];
    snprintf(words, sizeof words, "--socket %s quit", b->socket);
    ask(b, words, 0, "");
    assert_int_equal(ended(b->pid), 0);
    folder_end(b->folder);
    free(b);
}

/* Sends bytes, and reads what comes until the server hangs up; allocated. */
static char *talk(const bench *b, const char *bytes, size_t length)
{
    int fd = connect_to(b->socket);
    char *answer = calloc(1, 8192);
    size_t got = 0;
    assert_true(fd >= 0);
    for (size_t sent = 0; sent < length;) { /* it may stop listening in the middle */
        ssize_t done = send(fd, bytes + sent, length - sent, MSG_NOSIGNAL);
        if (done <= 0) {
            break;
        }
        sent += (size_t)done;
    }
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (got < 8191 && poll(&ready, 1, 10000) > 0) {
        ssize_t done = recv(fd, answer + got, 8191 - got, 0);
        if (done <= 0) {
            break;
        }
        got += (size_t)done;
    }
    close(fd);
    return answer;
}

static void expect_answer(const bench *b, const char *line, const char *text)
{
    char *answer = talk(b, line, strlen(line));
    assert_contains(answer, text);
    assert_int_equal(answer[strlen(answer) - 1], '\n');
    free(answer);
}

/* ---- what it answers ---------------------------------------------------------------------------
 */

static void test_status(void **state)
{
    bench *b = bench_start();
    outcome o = status_of(b, "status", "10 of class guest");
    assert_int_equal(o.code, 0);
    assert_contains(o.out, b->socket);
    assert_contains(o.out, ": t.xex, process ");
    assert_contains(o.out, "10 of class guest");
    assert_contains(o.out, "tracer tracer-none since event 0\n");
    assert_contains(o.out, "policy policy-default\n");
    outcome_free(&o);
    ask(b, "status --json", 0, "\"title\": \"t.xex\"");
    ask(b, "tracer status", 0, "tracer tracer-none since event 0\n");
    ask(b, "tracer flush", 0, "tracer tracer-none since event 0\n");
    bench_end(b);
}

static void test_quit_ends_the_run_as_a_condition(void **state)
{
    char path[256];
    bench *b = bench_start();
    ask(b, "quit", 0, "");
    assert_int_equal(ended(b->pid), 0);
    snprintf(path, sizeof path, "%s/run.json", b->folder);
    char *report = file_text(path);
    assert_contains(report, "\"reason\": \"ended by weft ctl\"");
    free(report);
    assert_int_equal(access(b->socket, F_OK), -1); /* nothing is left behind */
    folder_end(b->folder);
    free(b);
}

static void test_exchanging_the_tracer(void **state)
{
    char path[256];
    bench *b = bench_start();
    ask(b, "tracer swap fake --set path=a.txt", 0,
        "tracer-fake took over from tracer-none with event ");
    ask(b, "tracer status", 0, "/a.txt\n"); /* whole, though it was given in part */
    ask(b, "tracer swap tracer-fake --set path=b.txt --set slow_us=1", 0,
        "tracer-fake took over from tracer-fake with event ");
    ask(b, "tracer swap fake --set path=b.txt", 2, "file is another tracer's of this run");
    ask(b, "tracer swap fake --set pth=c", 2,
        "weft: error: --set pth: unknown key in [tracer] (found pth, expected path)\n");
    ask(b, "tracer swap fak", 2, "no such plugin (found tracer-fak");
    ask(b, "tracer swap fake --set fault=open", 5,
        "weft: error: tracer-fake.open: no place to write (found none, expected one)\n");
    ask(b, "tracer dump", 5, "keeps nothing to dump");
    ask(b, "tracer status", 0, "/b.txt\n"); /* the one before is still there */
    ask(b, "tracer swap none", 0, "tracer-none took over from tracer-fake");
    snprintf(path, sizeof path, "%s/a.txt", b->folder);
    char *text = file_text(path);
    assert_contains(text, "close ");
    free(text);
    bench_end(b);
}

static void test_usage(void **state)
{
    bench *b = bench_start();
    ask(b, "", 2, "too few arguments");
    ask(b, "stat", 2, "request is unknown (found stat, expected status");
    ask(b, "tracer", 2, "request is unknown (found tracer,");
    ask(b, "tracer swap", 2, "needs the id of a tracer");
    ask(b, "policy", 2, "request is unknown (found policy,");
    ask(b, "policy swap", 2, "needs the id of a policy");
    ask(b, "policy status --set a=b", 2, "settings are for a new tracer or policy");
    ask(b, "policy status", 0, "policy policy-default\n");
    ask(b, "policy swap conservative", 5,
        "kernel exchanges no policy (found no extension policy/1");
    ask(b, "quit now", 2, "needs no more");
    ask(b, "quit --set path=x", 2, "settings are for a new tracer");
    ask(b, "--help", 0, "usage: weft ctl");
    ask(b, "--socket /nowhere status", 2, "no weft answers");
    bench_end(b);
}

/* ---- where it is -------------------------------------------------------------------------------
 */

static unsigned mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    return (unsigned)info.st_mode & 07777;
}

static void test_socket_is_the_user_s_alone(void **state)
{
    char path[256];
    bench *b = bench_start();
    assert_int_equal(mode_of(b->socket), 0600);
    snprintf(path, sizeof path, "%s/weft", b->folder);
    assert_int_equal(mode_of(path), 0700);
    bench_end(b);
}

/* A run without a socket, for `why`. */
static void run_without(const bench *b, const char *why)
{
    outcome o =
        process(b->folder, "XDG_RUNTIME_DIR='%s' " RUN_FOLDER "/weft run --profile end.ini t.xex",
                b->folder);
    assert_int_equal(o.code, 0);
    assert_contains(o.err, "weft: warning: no weft ctl for this run: ");
    assert_contains(o.err, why);
    outcome_free(&o);
}

static void test_folder_of_others_is_not_used(void **state)
{
    char path[256];
    bench b;
    outcome o;
    folder_start(b.folder);
    file_write(b.folder, "end.ini", "[kernel]\nplugin = fake\n", path);
    snprintf(path, sizeof path, "%s/weft", b.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, 0750), 0);
    run_without(&b, "is not the user's alone (found a folder of user ");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("/tmp", path), 0);
    run_without(&b, "is not the user's alone (found something else of user ");
    o = ctl(&b, "status");
    assert_int_equal(o.code, 2);
    assert_contains(o.err, "no weft runs");
    outcome_free(&o);
    folder_end(b.folder);
}

static void test_place_of_one_s_own(void **state)
{
    char words[256], place[256];
    bench *b = bench_start();
    snprintf(place, sizeof place, "%s/mine", b->folder);
    snprintf(words, sizeof words, "--ctl %s", place);
    pid_t other = launch(b, words);
    await_socket(place);
    assert_int_equal(mode_of(place), 0600);
    ask(b, "quit", 0, ""); /* the only one in the usual place */
    assert_int_equal(ended(b->pid), 0);
    snprintf(words, sizeof words, "--socket %s quit", place);
    ask(b, words, 0, "");
    assert_int_equal(ended(other), 0);
    assert_int_equal(access(place, F_OK), -1);

    snprintf(words, sizeof words, "--ctl none --until seconds=0.05");
    assert_int_equal(ended(launch(b, words)), 0);
    snprintf(words, sizeof words, "--ctl %s/no/folder", b->folder);
    assert_int_equal(ended(launch(b, words)), 2);
    snprintf(words, sizeof words, "--ctl %s/run.json", b->folder); /* a file is not replaced */
    assert_int_equal(ended(launch(b, words)), 2);
    snprintf(words, sizeof words, "--ctl %s/%0100d", b->folder, 0); /* sockaddr_un has 108 bytes */
    assert_int_equal(ended(launch(b, words)), 2);
    folder_end(b->folder);
    free(b);
}

static void leave_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void test_sockets_that_were_left_are_removed(void **state)
{
    char gone[256], alive[256], junk[256];
    bench *b = bench_start();
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    ended(child); /* a number that was a process and is none */
    snprintf(gone, sizeof gone, "%s/weft/%ld.sock", b->folder, (long)child);
    snprintf(alive, sizeof alive, "%s/weft/%ld.sock", b->folder, (long)getpid());
    snprintf(junk, sizeof junk, "%s/weft/x.sock", b->folder);
    leave_socket(gone);
    leave_socket(alive);
    leave_socket(junk);
    ask(b, "status", 0, b->socket); /* the only one that answers */
    assert_int_equal(access(gone, F_OK), -1);
    assert_int_equal(access(alive, F_OK), 0); /* may be just beginning */
    assert_int_equal(access(junk, F_OK), 0);  /* none of ours */

    char words[300]; /* a place that a dead run has left is free */
    snprintf(words, sizeof words, "--ctl %s", junk);
    pid_t other = launch(b, words);
    await_socket(junk);
    snprintf(words, sizeof words, "--socket %s quit", junk);
    ask(b, words, 0, "");
    assert_int_equal(ended(other), 0);
    bench_end(b);
}

static void test_two_runs_at_once(void **state)
{
    char words[160], second[160];
    bench *b = bench_start();
    pid_t other = launch(b, "--set kernel.events=20");
    snprintf(second, sizeof second, "%s/weft/%ld.sock", b->folder, (long)other);
    await_socket(second);
    outcome o = ctl(b, "quit");
    assert_int_equal(o.code, 2);
    assert_contains(o.err, "several wefts run (found 2, expected --socket with one of these)");
    assert_contains(o.err, b->socket);
    assert_contains(o.err, second);
    outcome_free(&o);
    o = status_of(b, "status", "20 of class guest");
    assert_int_equal(o.code, 0);
    assert_contains(o.out, b->socket);
    assert_contains(o.out, second);
    assert_contains(o.out, "20 of class guest");
    outcome_free(&o);
    snprintf(words, sizeof words, "--socket %s quit", second);
    ask(b, words, 0, "");
    assert_int_equal(ended(other), 0);
    bench_end(b);
}

/* ---- who means harm ----------------------------------------------------------------------------
 */

static void test_malformed_requests(void **state)
{
    static const char *const rows[][2] = {
        {"\n", "request is malformed"},
        {"{\n", "request is malformed"},
        {"[]\n", "request is malformed"},
        {"\"status\"\n", "request is malformed"},
        {"{} {}\n", "request is malformed"},
        {"{\"request\": \"status\"} x\n", "request is malformed"},
        {"{}\n", "no usable field request"},
        {"{\"request\": 7}\n", "no usable field request"},
        {"{\"request\": \"stats\"}\n", "request is unknown (found stats, expected status)"},
        {"{\"request\": \"policy.swap\"}\n", "no usable field id"},
        {"{\"request\": \"tracer.swap\"}\n", "no usable field id"},
        {"{\"request\": \"tracer.swap\", \"id\": []}\n", "no usable field id"},
        {"{\"request\": \"tracer.swap\", \"id\": \"none\", \"set\": \"x\"}\n",
         "no usable field set"},
        {"{\"request\": \"tracer.swap\", \"id\": \"none\", \"set\": [1]}\n", "no usable field set"},
        {"{\"request\": \"tracer.swap\", \"id\": \"../../etc/x\"}\n",
         "plugin id is not well formed"},
        {"{\"request\": \"tracer.swap\", \"id\": \"\"}\n", "plugin id is not well formed"},
        {"{\"request\": \"tracer.swap\", \"id\": \"fake\", \"set\": [\"path=a\\nb\"]}\n",
         "text without control characters"},
        {"{\"request\": \"a\\nweft: error: forged\"}\n", "found a?weft: error: forged"},
    };
    bench *b = bench_start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_answer(b, rows[i][0], rows[i][1]);
    }
    bench_end(b);
}

static void test_requests_without_measure(void **state)
{
    bench *b = bench_start();
    size_t length = 1 << 20;
    char *big = malloc(length);
    memset(big, '[', length); /* also deep */
    char *answer = talk(b, big, length);
    assert_true(!*answer || strstr(answer, "request is too long")); /* it may hang up meanwhile */
    free(answer);
    big[60000] = '\n';
    answer = talk(b, big, 60001);
    assert_contains(answer, "request is malformed");
    free(answer);
    memset(big, 'x', length);
    memcpy(big, "{\"request\": \"status\", \"", 23);
    memcpy(big + 65000, "\": 1}\n", 6);
    answer = talk(b, big, 65006); /* long, but a request */
    assert_contains(answer, "\"ok\": true");
    free(answer);
    answer = talk(b, "{\"request\": \"status\"}\0\n", 23);
    assert_contains(answer, "request is malformed");
    free(answer);
    free(big);
    bench_end(b);
}

static void test_clients_that_say_nothing(void **state)
{
    int fds[20];
    bench *b = bench_start();
    for (int i = 0; i < 20; i++) { /* more than are served at once */
        fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(address.sun_path, sizeof address.sun_path, "%s", b->socket);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
        connect(fds[i], (struct sockaddr *)&address, sizeof address);
        if (i % 3 == 0) {
            send(fds[i], "{\"request\":", 11, MSG_NOSIGNAL);
        } else if (i % 3 == 1) {
            close(fds[i]);
            fds[i] = -1;
        }
    }
    ask(b, "status", 0, "t.xex"); /* once the patience with them is at its end */
    for (int i = 0; i < 20; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    bench_end(b);
}

static void test_clients_that_hang_up(void **state)
{
    static const char line[] = "{\"request\": \"tracer.swap\", \"id\": \"none\"}\n";
    bench *b = bench_start();
    for (int i = 0; i < 200; i++) {
        int fd = connect_to(b->socket);
        if (fd >= 0) { /* the queue may be full for a moment */
            send(fd, line, i % 2 ? sizeof line - 1 : 10, MSG_NOSIGNAL);
            close(fd);
        }
    }
    ask(b, "status", 0, "tracer-none");
    bench_end(b);
}

/* A client that is being answered when the run ends gets an answer all the same. */
static void test_run_that_ends_meanwhile(void **state)
{
    bench *b = bench_start();
    int fd = connect_to(b->socket);
    const char line[] = "{\"request\": \"quit\"}\n";
    assert_int_equal(send(fd, line, sizeof line - 1, MSG_NOSIGNAL), sizeof line - 1);
    assert_int_equal(ended(b->pid), 0);
    char answer[100] = "";
    assert_true(recv(fd, answer, sizeof answer - 1, 0) > 0);
    assert_string_equal(answer, "{\"ok\": true}\n");
    close(fd);
    folder_end(b->folder);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_quit_ends_the_run_as_a_condition),
        cmocka_unit_test(test_exchanging_the_tracer),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_socket_is_the_user_s_alone),
        cmocka_unit_test(test_folder_of_others_is_not_used),
        cmocka_unit_test(test_place_of_one_s_own),
        cmocka_unit_test(test_sockets_that_were_left_are_removed),
        cmocka_unit_test(test_two_runs_at_once),
        cmocka_unit_test(test_malformed_requests),
        cmocka_unit_test(test_requests_without_measure),
        cmocka_unit_test(test_clients_that_say_nothing),
        cmocka_unit_test(test_clients_that_hang_up),
        cmocka_unit_test(test_run_that_ends_meanwhile),
    };
    return cmocka_run_group_tests_name("host ctl", tests, NULL, NULL);
}
