/* dump.c: see dump.h. */
#include "dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line.h"
#include "writer.h"

#define BLOCK_EVENTS 4096      /* tracer-binary's usual size */
#define WRITE_BYTES  (1 << 18) /* text that is gathered before a write */

int ring_names_learn(ring_names *names, const weft_event *event)
{
    int fresh;
    if (event->size < sizeof *event + 8) {
        return 1;
    }
    uint64_t id = *(const uint64_t *)(event + 1);
    uint64_t *place = idmap_at(&names->places, id, &fresh);
    if (!place) {
        return 0;
    }
    if (!fresh && *place > 0) {
        return 1;
    }
    if (names->count == names->room) {
        size_t room = names->room ? names->room * 2 : 64;
        ring_definition *list = realloc(names->list, room * sizeof *list);
        if (!list) {
            return 0;
        }
        names->list = list;
        names->room = room;
    }
    weft_event *copy = malloc(event->size);
    if (!copy) {
        return 0;
    }
    memcpy(copy, event, event->size);
    names->list[names->count++] = (ring_definition){.event = copy, .id = id};
    *place = names->count;
    return 1;
}

void ring_names_free(ring_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->list[i].event);
    }
    free(names->list);
    idmap_free(&names->places);
    *names = (ring_names){0};
}

/* A file being written in one of the two forms. */
typedef struct sink {
    int file, error;
    uint64_t written;
    weft_trace_writer *binary; /* NULL: text */
    line_context context;
    out text;
} sink;

/* Takes the half line back that a failed write left: `done` bytes of the text, which begins with a
 * whole line, are in the file. */
static void cut_half_line(sink *s, size_t done)
{
    size_t whole = done;
    while (whole > 0 && s->text.bytes[whole - 1] != '\n') {
        whole--;
    }
    if (whole < done && ftruncate(s->file, (off_t)(s->written + whole)) == 0) {
        s->written -= done - whole;
    }
}

static void write_text(sink *s)
{
    size_t done = 0;
    if (s->text.no_memory && s->error == 0) {
        s->error = ENOMEM;
    }
    while (done < s->text.used && s->error == 0) {
        ssize_t n = write(s->file, s->text.bytes + done, s->text.used - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            s->error = errno;
        }
    }
    if (done < s->text.used) {
        cut_half_line(s, done);
    }
    s->written += done;
    s->text.used = 0;
}

static void put(sink *s, const weft_event *event)
{
    if (s->binary) {
        weft_trace_writer_add(s->binary, event);
        return;
    }
    line_event(&s->text, &s->context, event);
    if (s->text.used >= WRITE_BYTES || s->text.no_memory) {
        write_text(s);
    }
}

/* Identities that the kept events name, marked with 1. 0 without memory. */
typedef struct needs {
    idmap ids;
    int no_memory;
} needs;

static void need(needs *n, uint64_t id)
{
    int fresh;
    uint64_t *place = idmap_at(&n->ids, id, &fresh);
    if (place) {
        *place = 1;
    } else {
        n->no_memory = 1;
    }
}

/* The identities of one event: its thread, and its fields of type d and D. A payload that does not
 * match its row is left at the first field that lies beyond it. */
static void need_of(needs *n, const line_table *table, const weft_event *event)
{
    const uint64_t *at = (const uint64_t *)(event + 1);
    uint64_t left = (event->size - sizeof *event) / 8;
    need(n, event->thread);
    if (event->kind >= WEFT_EVENT_KIND_END) {
        return;
    }
    const line_kind *kind = &table->kinds[event->kind];
    for (uint32_t i = 0; i < kind->count && left > 0; i++) {
        char type = kind->fields[i].type;
        uint64_t value = *at++;
        uint64_t count = type == 's'            ? value / 8 + (value % 8 != 0)
                         : strchr("UXDP", type) ? value
                                                : 0;
        left--;
        if (type == 'd') {
            need(n, value);
        }
        if (count > left) {
            return;
        }
        for (uint64_t k = 0; type == 'D' && k < count; k++) {
            need(n, at[k]);
        }
        at += count;
        left -= count;
    }
}

/* Definitions that came before the first kept event, as the host repeats them to a tracer that is
 * swapped in: with sequence 0. */
static int put_definitions(sink *s, const ring_dump *dump, uint64_t first)
{
    needs n = {0};
    store_cursor cursor = {0};
    const weft_event *event;
    while ((event = store_next(dump->store, &cursor)) != NULL) {
        need_of(&n, s->context.table, event);
    }
    for (size_t i = 0; i < dump->names->count && first > 0; i++) {
        const ring_definition *d = &dump->names->list[i];
        if (d->event->sequence < first && idmap_find(&n.ids, d->id)) {
            uint64_t sequence = d->event->sequence;
            d->event->sequence = 0;
            put(s, d->event);
            d->event->sequence = sequence;
        }
    }
    idmap_free(&n.ids);
    return !n.no_memory;
}

static void put_all(sink *s, const ring_dump *dump, const weft_trace_begin *begin)
{
    store_cursor cursor = {0};
    const weft_event *event;
    if (!s->binary) {
        line_begin(&s->text, &s->context);
    }
    if (!put_definitions(s, dump, begin->first) && s->error == 0) {
        s->error = ENOMEM;
    }
    while ((event = store_next(dump->store, &cursor)) != NULL) {
        put(s, event);
    }
    if (s->binary) {
        weft_trace_writer_end(s->binary, dump->last, dump->digest);
    } else {
        line_end(&s->text, &s->context, dump->last, dump->digest);
        write_text(s);
    }
}

int ring_dump_write(const ring_dump *dump, const char *path, uint64_t *written)
{
    sink s = {.error = 0};
    line_table *table = malloc(sizeof *table);
    weft_trace_begin begin = *dump->begin;
    begin.canon = NULL; /* of the latest event alone */
    const store_segment *oldest = store_oldest(dump->store);
    if (oldest) {
        begin.first = oldest->first;
        begin.digest = oldest->before;
    }
    size_t length = strlen(path);
    int text = length >= 6 && strcmp(path + length - 6, ".jsonl") == 0;
    *written = 0;
    s.file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (!table || s.file < 0) {
        s.error = table ? errno : ENOMEM;
    } else {
        line_table_init(table);
        s.context = (line_context){.table = table, .begin = &begin, .parallel = dump->parallel};
        s.binary =
            text ? NULL : weft_trace_writer_new(s.file, &begin, dump->parallel, BLOCK_EVENTS);
        if (text || s.binary) {
            put_all(&s, dump, &begin);
        } else {
            s.error = ENOMEM;
        }
    }
    if (s.binary) {
        int error = weft_trace_writer_error(s.binary, &s.written);
        s.error = s.error ? s.error : error;
        weft_trace_writer_free(s.binary);
    }
    if (s.file >= 0 && close(s.file) != 0 && s.error == 0) {
        s.error = errno; /* some file systems report a full disk here first */
    }
    out_free(&s.text);
    free(table);
    *written = s.written;
    return s.error;
}
