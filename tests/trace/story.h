/* story.h: made-up runs for the tests of the comparison: calls of a few threads, written as either
 * format. What is changed in one of two equal runs is what a comparison has to find. */
#ifndef TESTS_TRACE_STORY_H
#define TESTS_TRACE_STORY_H

#include "diff.h"

typedef struct story {
    weft_event_buffer *events;
    size_t count, room;
} story;

/* Identity of thread n, whose tid is n + 1 and whose text "thread:main" or "thread:main/N". */
uint64_t story_thread(unsigned n);

/* Identity of a text, defined at this place; what: "export", "object", "alloc" ... */
uint64_t story_define(story *s, const char *what, const char *text);

/* An event of thread n, its payload's words as they are. Returns its number. */
size_t story_add(story *s, unsigned n, uint16_t kind, const uint64_t *words, uint32_t count);

/* import.call, kernel.call with one argument, kernel.return. `text` is an export's. Returns the number
 * of the first. */
size_t story_call(story *s, unsigned n, const char *text, uint64_t argument, uint64_t answer);

/* The two halves, for what happens within a call. */
size_t story_begin_call(story *s, unsigned n, const char *text, uint64_t argument);
size_t story_end_call(story *s, unsigned n, const char *text, uint64_t answer);

void story_remove(story *s, size_t at);
void story_insert(story *s, size_t at, const weft_event_buffer *event);
story story_copy(const story *s);
void story_free(story *s);

/* Writes it, numbered anew, as a .wtr or .jsonl file; the path is the caller's to free. */
char *story_write(const story *s, const char *name);

/* A path in a folder of this process alone. */
char *story_path(const char *name);

/* Writes text as it is. */
char *story_text(const char *name, const char *text);

#endif
