/* ctl.c: `weft ctl`: asks a running weft, over its socket (docs/trace.md). */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../ctl.h"
#include "args.h"

#define ANSWER_LIMIT (1 << 20) /* bytes */
#define ANSWER_MS    60000     /* a tracer that ends may have much to write */
#define WORDS        4

enum { SOCKET, SET, JSON };

static const args_flag flags[] = {
    [SOCKET] = {"--socket", "S", "the run's socket; without it, the only weft that runs"},
    [SET] = {"--set", "key=value", "a setting of the new tracer or policy; may repeat"},
    [JSON] = {"--json", NULL, "print the answer as it came"},
    {0},
};

static const args_command command = {
    .name = "ctl",
    .positional = "REQUEST",
    .summary = "Asks a running weft:\n\n"
               "  status                what runs, and how far it is; of all that run\n"
               "  quit                  end the run\n"
               "  tracer swap ID        put another tracer into service, without losing an event\n"
               "  tracer status         which one is in service\n"
               "  tracer flush          have it hand on what it holds\n"
               "  tracer dump           have it write what it keeps (tracer-ring)\n"
               "  policy swap ID        put another policy into service, between two slices\n"
               "  policy status         which one is in service",
    .flags = flags,
    .least = 1,
    .most = WORDS - 1,
};

typedef struct asking {
    const char *socket;
    const char *words[WORDS];
    const char **sets;
    size_t word_count, set_count;
    int json;
} asking;

static int take(void *context, int index, const char *value)
{
    asking *q = context;
    switch (index) {
    case SOCKET:
        q->socket = value;
        break;
    case SET:
        q->sets = text_grow(q->sets, (q->set_count + 1) * sizeof *q->sets);
        q->sets[q->set_count++] = value;
        break;
    case JSON:
        q->json = 1;
        break;
    default:
        q->words[q->word_count++] = value;
        break;
    }
    return 0;
}

/* ---- what is asked -----------------------------------------------------------------------------
 */

static const struct {
    const char *words[2];
    const char *request;
    int takes_id;
} requests[] = {
    {{"status", NULL}, "status", 0},          {{"quit", NULL}, "quit", 0},
    {{"tracer", "status"}, "status", 0},      {{"tracer", "swap"}, "tracer.swap", 1},
    {{"tracer", "flush"}, "tracer.flush", 0}, {{"tracer", "dump"}, "tracer.dump", 0},
    {{"policy", "status"}, "status", 0},      {{"policy", "swap"}, "policy.swap", 1},
};
#define REQUESTS (sizeof requests / sizeof requests[0])

static int same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The row of the words, or -1 after printing what is wrong with them. */
static int find_request(const asking *q)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        size_t fixed = requests[i].words[1] ? 2 : 1;
        size_t expected = fixed + (size_t)requests[i].takes_id;
        if (!same(q->words[0], requests[i].words[0]) ||
            (fixed == 2 && !same(q->words[1], requests[i].words[1]))) {
            continue;
        }
        if (q->word_count != expected) {
            error_print("weft ctl", "%s needs %s (found %zu words, expected %zu)",
                        requests[i].request,
                        !requests[i].takes_id                ? "no more"
                        : strcmp(q->words[0], "tracer") == 0 ? "the id of a tracer"
                                                             : "the id of a policy",
                        q->word_count, expected);
            return -1;
        }
        if (q->set_count > 0 && !requests[i].takes_id) {
            error_print(
                "--set",
                "settings are for a new tracer or policy (found %s, expected tracer swap or "
                "policy swap)",
                requests[i].request);
            return -1;
        }
        return (int)i;
    }
    error_print("weft ctl",
                "request is unknown (found %s%s%s, expected status, quit, tracer swap, status, "
                "flush or dump, or policy swap or status)",
                q->words[0], q->words[1] ? " " : "", q->words[1] ? q->words[1] : "");
    return -1;
}

/* The line to send. Relative paths among the settings are meant from here. */
static void write_request(const asking *q, int row, buffer *out)
{
    char *folder = realpath(".", NULL);
    buffer_text(out, "{\"request\": ");
    buffer_json(out, requests[row].request);
    if (requests[row].takes_id) {
        buffer_text(out, ", \"id\": ");
        buffer_json(out, q->words[2]);
        buffer_text(out, ", \"folder\": ");
        buffer_json(out, folder ? folder : "");
        buffer_text(out, ", \"set\": [");
        for (size_t i = 0; i < q->set_count; i++) {
            buffer_text(out, i ? ", " : "");
            buffer_json(out, q->sets[i]);
        }
        buffer_text(out, "]");
    }
    buffer_text(out, "}\n");
    free(folder);
}

/* ---- asking ------------------------------------------------------------------------------------
 */

static int send_all(int fd, const buffer *line)
{
    for (size_t sent = 0; sent < line->length;) {
        ssize_t done = send(fd, line->bytes + sent, line->length - sent, MSG_NOSIGNAL);
        if (done < 0 && errno != EINTR) {
            return -1;
        }
        sent += done > 0 ? (size_t)done : 0;
    }
    return 0;
}

/* The answer's line without its newline. -1 with errno set. */
static int receive_line(int fd, buffer *answer)
{
    char room[4096];
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int count = poll(&ready, 1, ANSWER_MS);
        if (count == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        ssize_t got = count < 0 ? -1 : recv(fd, room, sizeof room, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || answer->length + (size_t)got > ANSWER_LIMIT) {
            errno = got < 0 ? errno : got == 0 ? ECONNRESET : EMSGSIZE;
            return -1;
        }
        char *newline = memchr(room, '\n', (size_t)got);
        buffer_add(answer, room, newline ? (size_t)(newline - room) : (size_t)got);
        if (newline) {
            return 0;
        }
    }
}

/* The answer, parsed; NULL after printing why there is none. `may_be_gone`: it is no error where
 * nobody listens any more. */
static cJSON *ask(const char *path, const buffer *line, buffer *answer, int may_be_gone)
{
    int fd = ctl_connect(path);
    if (fd < 0 && may_be_gone) {
        return NULL;
    }
    if (fd < 0) {
        error_print(path, "no weft answers (found: %s, expected the socket of one that runs)",
                    strerror(errno));
        return NULL;
    }
    int failed = send_all(fd, line) || receive_line(fd, answer);
    int error = errno;
    close(fd);
    if (failed && may_be_gone && error == ECONNRESET) {
        return NULL;
    }
    cJSON *json = failed ? NULL : cJSON_ParseWithLength(answer->bytes, answer->length);
    if (!cJSON_IsObject(json)) {
        error_print(path, "weft gave no answer (found: %s, expected one JSON object)",
                    failed ? strerror(error) : "another text");
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

static const char *text_in(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

static uint64_t number_in(const cJSON *object, const char *key)
{
    double value = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return value > 0 && value < 0x1p63 ? (uint64_t)value : 0;
}

static int print_errors(const cJSON *json)
{
    const cJSON *item;
    int code = (int)number_in(json, "code");
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "errors"))
    {
        errors list = {0};
        errors_add(&list, "ctl", "%s", cJSON_IsString(item) ? item->valuestring : "no reason");
        fprintf(stderr, "weft: error: %s\n", list.lines[0] + strlen("ctl: ")); /* on one line */
        errors_free(&list);
    }
    return code > 0 && code < 128 ? code : EXIT_USAGE;
}

static void print_tracer(const cJSON *json)
{
    const cJSON *tracer = cJSON_GetObjectItemCaseSensitive(json, "tracer");
    const char *path = text_in(tracer, "path");
    printf("tracer %s since event %" PRIu64 "%s%s\n", text_in(tracer, "id"),
           number_in(tracer, "first"), *path ? ", writes " : "", path);
}

static void print_policy(const cJSON *json)
{
    printf("policy %s%s\n", text_in(json, "policy"),
           cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "policy_ejected"))
               ? ", ejected: the built-in policy serves"
               : "");
}

static void print_status(const cJSON *json, const char *path)
{
    const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(json, "seconds");
    uint64_t ticks = number_in(json, "ticks");
    printf("%s: %s, process %" PRIu64 ", %.1f s%s\n", path, text_in(json, "title"),
           number_in(json, "pid"), cJSON_IsNumber(seconds) ? seconds->valuedouble : 0.0,
           cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "ending")) ? ", ending" : "");
    printf("guest time %" PRIu64 ".%09" PRIu64 " s, %" PRIu64 " frames, %" PRIu64
           " events, %" PRIu64 " of class guest\n",
           ticks / WEFT_TICKS_PER_SECOND, ticks % WEFT_TICKS_PER_SECOND, number_in(json, "frames"),
           number_in(json, "sequence"), number_in(json, "guest_events"));
    print_tracer(json);
    print_policy(json);
}

static void print_answer(const cJSON *json, int row, const char *path)
{
    const char *request = requests[row].request;
    if (strcmp(request, "tracer.swap") == 0) {
        printf("%s took over from %s with event %" PRIu64 "\n", text_in(json, "tracer"),
               text_in(json, "before"), number_in(json, "first"));
    } else if (strcmp(request, "tracer.dump") == 0) {
        printf("%s\n", text_in(json, "path"));
    } else if (strcmp(request, "policy.swap") == 0) {
        printf("%s took over from %s after %" PRIu64 " slices\n", text_in(json, "policy"),
               text_in(json, "before"), number_in(json, "slices"));
    } else if (strcmp(requests[row].words[0], "policy") == 0) {
        print_policy(json);
    } else if (requests[row].words[1]) {
        print_tracer(json);
    } else if (strcmp(request, "status") == 0) {
        print_status(json, path);
    }
}

static int ask_and_print(const asking *q, int row, const char *path, int may_be_gone)
{
    buffer line = {0}, answer = {0};
    write_request(q, row, &line);
    cJSON *json = ask(path, &line, &answer, may_be_gone);
    int code = json || !may_be_gone ? EXIT_USAGE : EXIT_ENDED;
    if (json && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "ok"))) {
        code = EXIT_ENDED;
    } else if (json) {
        code = print_errors(json);
    }
    if (json && q->json) {
        printf("%.*s\n", (int)answer.length, answer.bytes);
    } else if (json && code == EXIT_ENDED) {
        print_answer(json, row, path);
    }
    cJSON_Delete(json);
    buffer_free(&line);
    buffer_free(&answer);
    return code;
}

/* Without --socket: the only one that runs. `status` asks them all. */
static int ask_found(const asking *q, int row)
{
    char **list = ctl_list();
    size_t count = 0;
    int code = EXIT_USAGE;
    while (list[count]) {
        count++;
    }
    if (count == 0) {
        error_print("weft ctl", "no weft runs (found no socket, expected one; see --socket)");
    } else if (count > 1 && strcmp(requests[row].request, "status") != 0) {
        error_print("weft ctl",
                    "several wefts run (found %zu, expected --socket with one of these)", count);
        for (size_t i = 0; i < count; i++) {
            fprintf(stderr, "%s\n", list[i]);
        }
    } else {
        code = EXIT_ENDED;
        for (size_t i = 0; i < count; i++) {
            int one = ask_and_print(q, row, list[i], count > 1); /* one may just have ended */
            code = one ? one : code;
        }
    }
    for (size_t i = 0; i < count; i++) {
        free(list[i]);
    }
    free(list);
    return code;
}

int command_ctl(int argc, char **argv)
{
    asking q = {0};
    int code = EXIT_USAGE;
    int parsed = args_parse(&command, argc, argv, take, &q);
    if (parsed) {
        free(q.sets);
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    int row = find_request(&q);
    if (row >= 0) {
        code = q.socket ? ask_and_print(&q, row, q.socket, 0) : ask_found(&q, row);
    }
    free(q.sets);
    return code;
}
