/* case.c: see case.h. */
#include "case.h"

#include <stdlib.h>
#include <unistd.h>

#include "writer.h"

void case_event(weft_event_buffer *event, uint64_t n)
{
    static const char text[] = "game:\\media\\a \"quoted\" name\n\xff";
    uint64_t words[8];
    uint16_t kind = (uint16_t)(1 + n % (WEFT_EVENT_KIND_END - 1));
    weft_event_begin(event, kind);
    event->head.sequence = n;
    event->head.thread = n % 5 ? n % 5 * UINT64_C(0x9e3779b97f4a7c15) : 0;
    event->head.hw = n % 5 ? (uint8_t)(n % 6) : WEFT_HW_NONE;
    event->head.index = n / 5;
    event->head.tick = n * 77 + n % 3 * 40; /* goes back now and then */
    event->head.cycle = n % 7 ? UINT64_MAX - n : 0;
    event->head.tid = n % 5 ? (uint32_t)(n % 5) : 0;
    for (uint32_t i = 0; i < 8; i++) {
        words[i] = i % 2 ? n * i : (n + i) * UINT64_C(0xd6e8feb86659fd93);
    }
    for (const char *p = strchr(weft_event_kind_of(kind)->fields, ':'); p; p = strchr(p + 1, ':')) {
        if (p[1] == 's') {
            weft_event_text(event, text, n % sizeof text);
        } else if (strchr("UXDP", p[1])) {
            weft_event_array(event, words, (uint32_t)(n % 9));
        } else {
            weft_event_word(event, words[n % 8]);
        }
    }
}

bytes case_wtr(uint64_t count, uint32_t group_events, int ended)
{
    weft_trace_begin begin = {.size = sizeof begin,
                              .engine = "weft",
                              .build = "0.1.0",
                              .title = "hello.xex",
                              .profile_digest = "00112233445566778899aabbccddeeff",
                              .digest = "99aa06d3014798d86001c324468d497f"};
    FILE *file = tmpfile();
    weft_trace_writer *w =
        file ? weft_trace_writer_new(fileno(file), &begin, 0, group_events) : NULL;
    bytes b = {0};
    if (!w) {
        abort();
    }
    for (uint64_t n = 0; n < count; n++) {
        weft_event_buffer event;
        case_event(&event, n);
        weft_trace_writer_add(w, &event.head);
    }
    if (ended) {
        weft_trace_writer_end(w, count - 1, "ffeeddccbbaa99887766554433221100");
    }
    weft_trace_writer_free(w);
    b.length = (size_t)lseek(fileno(file), 0, SEEK_END);
    b.at = malloc(b.length);
    if (!b.at || pread(fileno(file), b.at, b.length, 0) != (ssize_t)b.length) {
        abort();
    }
    fclose(file);
    return b;
}

weft_trace *case_open(const void *at, size_t length)
{
    FILE *file = length ? fmemopen((void *)(uintptr_t)at, length, "rb") : tmpfile();
    return file ? weft_trace_from(file, "t") : NULL;
}

int case_equal(const weft_event *a, const weft_event *b)
{
    return a->size == b->size && a->kind == b->kind && a->category == b->category &&
           a->hw == b->hw && a->sequence == b->sequence && a->thread == b->thread &&
           a->index == b->index && a->tick == b->tick && a->cycle == b->cycle && a->tid == b->tid &&
           memcmp(a + 1, b + 1, a->size - sizeof *a) == 0;
}
