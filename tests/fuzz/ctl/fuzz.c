/* fuzz.c: any bytes on the control socket: a libFuzzer target for host/ctl.c and ctl_request.c.
 *
 * A run without a guest: its socket, its drain and its tracer are real, and one thread is both the
 * client and the main thread that serves it. The first byte of an input says how the client behaves:
 * bit 0: it hangs up without an answer, bits 1-7: after so many bytes it waits (127: it sends nearly as
 * many blanks first as a line may have bytes). The rest is what it sends. Whoever sends a line has to get one: a JSON object that says whether it went well, and of a
 * failure which exit code and why. No path can be asked for: the only tracers are those built in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/ctl.h"
#include "host/run.h"

#define TURNS 20000 /* looks at the clients until the answer has to be there: 2 s and more */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bench {
    loader loader;
    ini text;
    profile profile;
    errors errors;
    run run;
    ctl *ctl;
    char folder[64], socket[128];
} bench;

static void check(int ok, const char *what, const char *text)
{
    if (!ok) {
        fprintf(stderr, "fuzz-ctl: %s: %s\n", what, text);
        abort();
    }
}

/* Leaves the socket's file to the process's end. */
static bench *made;

static void end_bench(void)
{
    unlink(made->socket);
    rmdir(made->folder);
}

static bench *bench_make(void)
{
    static const char text[] = "[kernel]\nplugin = fake\n[machine]\nlog = error\n";
    bench *b = made = calloc(1, sizeof *b);
    check(b != NULL, "no memory", "");
    strcpy(b->folder, "/tmp/weft-fuzz-XXXXXX");
    check(mkdtemp(b->folder) != NULL, "no folder", b->folder);
    snprintf(b->socket, sizeof b->socket, "%s/ctl", b->folder);
    atexit(end_bench);
    loader_start(&b->loader, FAKE_PLUGINS);
    while (b->loader.folder_count > 1) { /* of plugins that exist, only the fake kernel */
        free(b->loader.folders[--b->loader.folder_count]);
    }
    b->text.errors = &b->errors;
    ini_read_memory(&b->text, "fuzz.ini", text, strlen(text));
    profile_resolve(&b->profile, &b->text, &b->loader, "fuzz.ini", PROFILE_ALL_ROLES);
    check(b->errors.count == 0, "profile", b->errors.count ? b->errors.lines[0] : "");
    run_options options = {.title = "t.xex", .arguments = ""};
    check(run_start(&b->run, &b->loader, &b->profile, &options) == 0, "no run", "");
    check(tracers_start(&b->run) == 0, "no tracer", "");
    check(run_create_part(&b->run, WEFT_ROLE_KERNEL) == 0, "no kernel", "");
    check(policies_start(&b->run) == 0, "no policy", "");
    b->ctl = ctl_start(&b->run, b->socket, &b->errors);
    check(b->ctl != NULL, "no socket", b->errors.count ? b->errors.lines[0] : "");
    return b;
}

/* What the main thread does between looks at the window. */
static void turn(bench *b)
{
    tracers_pump(&b->run);
    policies_pump(&b->run);
    ctl_serve(b->ctl, &b->run);
}

/* Sends all of it, as far as anybody takes it. */
static void send_all(bench *b, int fd, const uint8_t *at, size_t length)
{
    for (unsigned i = 0; length > 0 && i < TURNS; i++) {
        ssize_t done = send(fd, at, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0 && errno != EAGAIN) {
            return; /* it was hung up on: too long a line */
        }
        at += done > 0 ? done : 0;
        length -= done > 0 ? (size_t)done : 0;
        turn(b);
    }
}

/* Reads to the end; the length. */
static size_t receive(bench *b, int fd, char *text, size_t room)
{
    size_t length = 0;
    for (unsigned i = 0; i < TURNS; i++) {
        ssize_t got = recv(fd, text + length, room - 1 - length, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            break;
        }
        if (got > 0) {
            length += (size_t)got;
            continue;
        }
        turn(b);
        usleep(i < 100 ? 0 : 100);
        check(i + 1 < TURNS, "no end of the answer", "");
    }
    text[length] = 0;
    return length;
}

static void judge(const char *text, size_t length)
{
    const char *end = NULL;
    check(length > 0 && text[length - 1] == '\n', "answer is no line", text);
    check(memchr(text, '\n', length) == text + length - 1, "answer is several lines", text);
    cJSON *answer = cJSON_ParseWithLengthOpts(text, length - 1, &end, 0);
    check(cJSON_IsObject(answer) && end == text + length - 1, "answer is no object", text);
    const cJSON *ok = cJSON_GetObjectItemCaseSensitive(answer, "ok");
    check(cJSON_IsBool(ok), "answer does not say how it went", text);
    if (cJSON_IsFalse(ok)) {
        const cJSON *code = cJSON_GetObjectItemCaseSensitive(answer, "code");
        const cJSON *errors = cJSON_GetObjectItemCaseSensitive(answer, "errors");
        check(cJSON_IsNumber(code) && code->valueint >= 1 && code->valueint <= 5, "code", text);
        check(cJSON_GetArraySize(errors) > 0 && cJSON_IsString(cJSON_GetArrayItem(errors, 0)),
              "no reason", text);
    }
    cJSON_Delete(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char answer[1 << 20];
    bench *b = made ? made : bench_make();
    uint8_t first = size ? data[0] : 0;
    const uint8_t *at = data + (size > 0), *end = data + size;
    size_t piece = first >> 1;
    int fd = ctl_connect(b->socket);
    check(fd >= 0, "socket is gone", strerror(errno));
    if (piece == 127) {
        static uint8_t blanks[CTL_LINE_LIMIT - 16];
        memset(blanks, ' ', sizeof blanks);
        send_all(b, fd, blanks, sizeof blanks);
    } else if (piece > 0 && piece < (size_t)(end - at)) {
        send_all(b, fd, at, piece);
        at += piece;
    }
    send_all(b, fd, at, (size_t)(end - at));
    int whole = size > 0 && memchr(data + 1, '\n', size - 1) != NULL;
    if (first & 1) {
        close(fd);
        for (unsigned i = 0; i < 8; i++) {
            turn(b);
        }
    } else {
        shutdown(fd, SHUT_WR);
        size_t length = receive(b, fd, answer, sizeof answer);
        if (whole || length > 0) {
            judge(answer, length);
        }
        close(fd);
    }
    if (atomic_exchange(&b->run.stop, 0)) { /* `quit`: once is no reason to make all of it anew */
        free(b->run.stop_reason);
        b->run.stop_reason = NULL;
    }
    return 0;
}
