/* stream_case.c: see stream_case.h. */
#include "stream_case.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

static stream_case *case_of(const weft_host *host)
{
    return (stream_case *)((fake_host *)host->impl); /* its first member */
}

static void stop_run(const weft_host *host, const char *reason)
{
    stream_case *c = case_of(host);
    c->stops++;
    snprintf(c->reason, sizeof c->reason, "%s", reason);
}

static int32_t exit_code(const weft_host *host)
{
    return case_of(host)->exit_code;
}

static const void *extension(const weft_host *host, const char *name)
{
    static const weft_host_run run = {.size = sizeof run, .stop = stop_run, .exit_code = exit_code};
    return strcmp(name, WEFT_HOST_RUN) == 0 ? &run : NULL;
}

static void digest_of(uint64_t events, char hex[33])
{
    snprintf(hex, 33, "%032llx", (unsigned long long)events);
}

static void digest_now(void *names, char hex[33])
{
    digest_of(((stream_case *)names)->next, hex);
}

static const char *name_of(void *names, uint64_t id)
{
    static const char *const texts[] = {STREAM_THREAD, STREAM_CLOSE};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (weft_fnv1a(texts[i], strlen(texts[i])) == id) {
            return texts[i];
        }
    }
    return NULL;
}

const char *stream_path(const stream_case *c, const char *name, char room[128])
{
    snprintf(room, 128, "%s/%s", c->folder, name);
    return room;
}

void stream_setup(stream_case *c, const char *id, const char *name)
{
    memset(c, 0, sizeof *c);
    fake_load(&c->fake, id);
    c->fake.host.extension = extension;
    c->exit_code = -1;
    strcpy(c->folder, "/tmp/weft-stream-XXXXXX");
    assert_non_null(mkdtemp(c->folder));
    if (name) {
        fake_set(&c->fake, "path", stream_path(c, name, c->path));
    }
}

void stream_open(stream_case *c, uint64_t first)
{
    if (!c->fake.instance) {
        c->ops = fake_create(&c->fake);
    }
    digest_of(first, c->digest);
    c->next = first;
    c->begin = (weft_trace_begin){
        .size = sizeof c->begin,
        .first = first,
        .engine = "weft",
        .build = "0.1.0",
        .title = "hello.xex",
        .profile_digest = "00112233445566778899aabbccddeeff",
        .digest = c->digest,
        .name = name_of,
        .names = c,
        .digest_now = digest_now,
    };
    assert_int_equal(c->ops->open(c->fake.instance, &c->begin), WEFT_OK);
}

void stream_send(stream_case *c, weft_event_buffer *event)
{
    event->head.sequence = c->next++;
    if (event->head.category == WEFT_CLASS_GUEST) {
        event->head.index = c->index++;
    }
    c->ops->event(c->fake.instance, &event->head);
}

uint64_t stream_define(stream_case *c, const char *what, const char *text, int repeat)
{
    weft_event_buffer e;
    uint64_t id = weft_fnv1a(text, strlen(text));
    weft_event_begin(&e, WEFT_EVENT_DEFINE);
    weft_event_word(&e, id);
    weft_event_text(&e, what, strlen(what));
    weft_event_text(&e, text, strlen(text));
    if (repeat) {
        c->ops->event(c->fake.instance, &e.head);
    } else {
        stream_send(c, &e);
    }
    return id;
}

void stream_words(stream_case *c, uint16_t kind, const uint64_t *words, uint32_t count)
{
    weft_event_buffer e;
    weft_event_begin(&e, kind);
    e.head.thread = weft_fnv1a(STREAM_THREAD, strlen(STREAM_THREAD));
    e.head.tick = c->next * 1000;
    e.head.tid = 6;
    e.head.hw = 0;
    for (uint32_t i = 0; i < count; i++) {
        weft_event_word(&e, words[i]);
    }
    stream_send(c, &e);
}

void stream_return(stream_case *c, uint64_t value)
{
    uint64_t words[2] = {weft_fnv1a(STREAM_CLOSE, strlen(STREAM_CLOSE)), value};
    stream_words(c, WEFT_EVENT_KERNEL_RETURN, words, 2);
}

weft_status stream_close(stream_case *c)
{
    char hex[33];
    digest_of(c->next, hex);
    return c->ops->close(c->fake.instance, c->next - 1, hex);
}

const char *stream_text(stream_case *c, const char *name)
{
    char path[128];
    FILE *file = fopen(stream_path(c, name, path), "rb");
    free(c->text);
    c->text = NULL;
    if (!file) {
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    size_t length = (size_t)ftell(file);
    rewind(file);
    c->text = calloc(1, length + 1);
    assert_int_equal(fread(c->text, 1, length, file), length);
    fclose(file);
    return c->text;
}

void stream_teardown(stream_case *c)
{
    DIR *folder = opendir(c->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", c->folder, entry->d_name);
        unlink(path);
    }
    if (folder) {
        closedir(folder);
    }
    rmdir(c->folder);
    free(c->text);
    fake_close(&c->fake);
}

int stream_catch(stream_case *c)
{
    char path[128];
    int file = open(stream_path(c, "stderr", path), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
    close(file);
    return saved;
}

const char *stream_caught(stream_case *c, int saved)
{
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    return stream_text(c, "stderr");
}
