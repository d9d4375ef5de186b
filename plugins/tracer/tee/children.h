/* children.h: what `to` of tracer-tee says: ids of tracers with their settings.
 *
 *     binary path=a.wtr and jsonl path="b c.jsonl"
 *
 * Blanks separate the words; double quotes keep those inside a word; `and` stands between tracers.
 * (`[tracer] swap_at` is written the same way, with `then`.) */
#ifndef WEFT_TEE_CHILDREN_H
#define WEFT_TEE_CHILDREN_H

#include <stddef.h>

typedef struct child_text {
    char *id;
    char *settings; /* "key=value" on each line, as the host's tracers/1 takes them */
} child_text;

/* Cuts the text; *list is allocated, with *count entries, none of an empty text. -1 with `why` ("WHAT
 * (found X, expected Y)") where it is malformed or there is no memory; then there is no list. */
int children_parse(const char *text, child_text **list, size_t *count, char *why, size_t room);
void children_free(child_text *list, size_t count);

#endif
