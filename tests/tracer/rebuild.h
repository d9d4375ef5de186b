/* rebuild.h: a line of a JSONL trace back into the canonical bytes of its event.
 *
 * An independent reading of docs/trace.md: it shares no code with the tracer, and sees the line's
 * text and the table of weft/event.h, nothing else. */
#ifndef TESTS_REBUILD_H
#define TESTS_REBUILD_H

#include <stdint.h>

#define REBUILD_MAX_WORDS 640

/* Canonical words of the line's event (kind, hw, thread, index, tick, payload) in `words`; returns
 * their number, 0 for a header or end line, -1 for a line that cannot be read. */
int rebuild_line(const char *line, uint64_t words[REBUILD_MAX_WORDS]);

#endif
