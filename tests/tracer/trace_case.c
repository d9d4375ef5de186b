/* trace_case.c: see trace_case.h. */
#include "trace_case.h"

#include <unistd.h>

static const char *name_of(void *names, uint64_t id)
{
    static const char *const texts[] = {TRACE_CREATE_FILE, TRACE_CLOSE, TRACE_PRINT, "plain text"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (weft_fnv1a(texts[i], strlen(texts[i])) == id) {
            return texts[i];
        }
    }
    return NULL;
}

void trace_setup(trace_case *c)
{
    memset(c, 0, sizeof *c);
    fake_load(&c->fake, "tracer-jsonl");
    strcpy(c->path, "/tmp/weft-trace-XXXXXX");
    int file = mkstemp(c->path);
    assert_true(file >= 0);
    close(file);
    fake_set(&c->fake, "path", c->path);
    c->ops = fake_create(&c->fake);
    c->begin = (weft_trace_begin){
        .size = sizeof c->begin,
        .engine = "weft",
        .build = "0.1.0",
        .title = "hello.xex",
        .profile_digest = "00112233445566778899aabbccddeeff",
        .digest = "99aa06d3014798d86001c324468d497f", /* XXH3-128 of no bytes at all */
        .name = name_of,
    };
}

void trace_open(trace_case *c)
{
    assert_int_equal(c->ops->open(c->fake.instance, &c->begin), WEFT_OK);
}

void trace_start(weft_event_buffer *event, uint16_t kind)
{
    weft_event_begin(event, kind);
    event->head.hw = 4;
    event->head.sequence = 77;
    event->head.thread = UINT64_C(0x0123456789abcdef);
    event->head.index = 5;
    event->head.tick = 1000000;
    event->head.cycle = 4242;
    event->head.tid = 6;
}

void trace_event(trace_case *c, const weft_event_buffer *event)
{
    c->ops->event(c->fake.instance, &event->head);
}

void trace_close(trace_case *c, uint64_t last)
{
    assert_int_equal(c->ops->close(c->fake.instance, last, "ffeeddccbbaa99887766554433221100"),
                     WEFT_OK);
}

const char *trace_text(trace_case *c)
{
    FILE *file = fopen(c->path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size_t length = (size_t)ftell(file);
    rewind(file);
    free(c->text);
    c->text = calloc(1, length + 1);
    assert_int_equal(fread(c->text, 1, length, file), length);
    fclose(file);
    return c->text;
}

char *trace_line(trace_case *c, unsigned n)
{
    trace_text(c);
    char *line = c->text;
    for (; n > 0; n--) {
        line = strchr(line, '\n');
        assert_non_null(line);
        line++;
    }
    char *end = strchr(line, '\n');
    assert_non_null(end);
    *end = 0;
    return line;
}

char *trace_one(trace_case *c, const weft_event_buffer *event)
{
    trace_open(c);
    trace_event(c, event);
    trace_close(c, event->head.sequence);
    return trace_line(c, 1);
}

void trace_teardown(trace_case *c)
{
    fake_close(&c->fake);
    unlink(c->path);
    free(c->text);
}
