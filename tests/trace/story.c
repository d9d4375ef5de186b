/* story.c: see story.h. */
#include "story.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line.h"
#include "writer.h"

static void need(int good)
{
    if (!good) {
        abort();
    }
}

static weft_event_buffer *fresh(story *s)
{
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 64;
        s->events = realloc(s->events, s->room * sizeof *s->events);
        need(s->events != NULL);
    }
    return &s->events[s->count++];
}

static int thread_text(char *text, size_t room, unsigned n)
{
    return n ? snprintf(text, room, "thread:main/%u", n) : snprintf(text, room, "thread:main");
}

uint64_t story_thread(unsigned n)
{
    char text[32];
    return weft_fnv1a(text, (size_t)thread_text(text, sizeof text, n));
}

uint64_t story_define(story *s, const char *what, const char *text)
{
    uint64_t id = weft_fnv1a(text, strlen(text));
    weft_event_buffer *event = fresh(s);
    weft_event_begin(event, WEFT_EVENT_DEFINE);
    weft_event_word(event, id);
    weft_event_text(event, what, strlen(what));
    weft_event_text(event, text, strlen(text));
    return id;
}

size_t story_add(story *s, unsigned n, uint16_t kind, const uint64_t *words, uint32_t count)
{
    weft_event_buffer *event = fresh(s);
    weft_event_begin(event, kind);
    event->head.thread = story_thread(n);
    event->head.tid = n + 1;
    event->head.hw = (uint8_t)(n % 6);
    for (uint32_t i = 0; i < count; i++) {
        weft_event_word(event, words[i]);
    }
    return s->count - 1;
}

size_t story_begin_call(story *s, unsigned n, const char *text, uint64_t argument)
{
    uint64_t id = weft_fnv1a(text, strlen(text));
    size_t first = story_add(s, n, WEFT_EVENT_IMPORT_CALL, (const uint64_t[]){id, 0x82001000}, 2);
    story_add(s, n, WEFT_EVENT_KERNEL_CALL, (const uint64_t[]){id, 1, argument, 0}, 4);
    return first;
}

size_t story_end_call(story *s, unsigned n, const char *text, uint64_t answer)
{
    uint64_t id = weft_fnv1a(text, strlen(text));
    return story_add(s, n, WEFT_EVENT_KERNEL_RETURN, (const uint64_t[]){id, answer}, 2);
}

size_t story_call(story *s, unsigned n, const char *text, uint64_t argument, uint64_t answer)
{
    size_t first = story_begin_call(s, n, text, argument);
    story_end_call(s, n, text, answer);
    return first;
}

void story_remove(story *s, size_t at)
{
    memmove(s->events + at, s->events + at + 1, (--s->count - at) * sizeof *s->events);
}

void story_insert(story *s, size_t at, const weft_event_buffer *event)
{
    weft_event_buffer copy = *event;
    fresh(s);
    memmove(s->events + at + 1, s->events + at, (s->count - 1 - at) * sizeof *s->events);
    s->events[at] = copy;
}

story story_copy(const story *s)
{
    story copy = {
        .events = malloc(s->count * sizeof *s->events), .count = s->count, .room = s->count};
    need(copy.events != NULL);
    memcpy(copy.events, s->events, s->count * sizeof *s->events);
    return copy;
}

void story_free(story *s)
{
    free(s->events);
    *s = (story){0};
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    return remove(path);
}

static char folder[256];

static void remove_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

char *story_path(const char *name)
{
    char *path;
    if (!folder[0]) {
        const char *temporary = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/weft-story-XXXXXX", temporary ? temporary : "/tmp");
        need(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
    }
    need(asprintf(&path, "%s/%s", folder, name) > 0);
    return path;
}

char *story_text(const char *name, const char *text)
{
    char *path = story_path(name);
    FILE *file = fopen(path, "wb");
    need(file && fwrite(text, 1, strlen(text), file) == strlen(text) && fclose(file) == 0);
    return path;
}

/* Sequence, index and tick as a run would have them. */
static void number(weft_event *event, size_t n, uint64_t indices[64])
{
    event->sequence = n;
    event->tick = n * 100;
    event->index = 0;
    if (event->category == WEFT_CLASS_GUEST) {
        event->index = indices[event->tid % 64]++;
    }
}

char *story_write(const story *s, const char *name)
{
    weft_trace_begin begin = {.size = sizeof begin,
                              .engine = "weft",
                              .build = "0.1.0",
                              .title = "story.xex",
                              .profile_digest = "00112233445566778899aabbccddeeff",
                              .digest = "99aa06d3014798d86001c324468d497f"};
    static line_table table;
    line_context context = {.table = &table, .begin = &begin};
    uint64_t indices[64] = {0};
    char *path = story_path(name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int binary = strstr(name, ".wtr") != NULL;
    weft_trace_writer *w = binary ? weft_trace_writer_new(file, &begin, 0, 4096) : NULL;
    out o = {0};
    need(file >= 0 && (w || !binary));
    line_table_init(&table);
    line_begin(&o, &context);
    for (size_t n = 0; n < s->count; n++) {
        weft_event_buffer event = s->events[n];
        number(&event.head, n, indices);
        if (binary) {
            weft_trace_writer_add(w, &event.head);
        } else {
            line_event(&o, &context, &event.head);
        }
    }
    line_end(&o, &context, s->count - 1, "");
    if (binary) {
        weft_trace_writer_end(w, s->count - 1, "");
        need(weft_trace_writer_error(w, &(uint64_t){0}) == 0);
        weft_trace_writer_free(w);
    } else {
        need(write(file, o.bytes, o.used) == (ssize_t)o.used);
    }
    need(close(file) == 0);
    out_free(&o);
    return path;
}
