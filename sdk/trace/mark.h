/* mark.h: one mark of a track under construction: its texts and arguments, within fixed room. Only
 * for sdk/trace. */
#ifndef WEFT_TRACE_MARK_H
#define WEFT_TRACE_MARK_H

#include "line.h"
#include "tracks.h"

#define MARK_ARGS   48
#define MARK_TEXT   32768 /* bytes of all texts of a mark */
#define MARK_STRING 2048  /* bytes of a guest's string that are kept */
#define MARK_ITEMS  16    /* elements of an array that are kept */

typedef struct mark {
    weft_track_mark head;
    weft_track_arg args[MARK_ARGS + 1];
    char text[MARK_TEXT];
    size_t used;
    const line_table *table;
    const weft_trace_begin *begin; /* for names */
} mark;

/* Starts anew, on a track. */
void mark_start(mark *m, uint32_t track, uint64_t tick, const char *category);

/* Copies bytes into the mark as UTF-8: each byte is a code point (docs/trace.md), control
 * characters become their pictures U+2400... What does not fit is cut. */
const char *mark_text(mark *m, const char *bytes, size_t length, size_t *written);

/* The same into any room of `size` bytes; the number of bytes written. */
size_t mark_utf8(char *to, size_t size, const char *bytes, size_t length);

/* The name: `first` and `bytes`, in a row. */
void mark_name(mark *m, const char *first, const char *bytes, size_t length);

/* Arguments; one too many is dropped. Names are literals or live as long as the mark. */
void mark_word(mark *m, const char *name, char type, uint64_t value);
void mark_string(mark *m, const char *name, const char *bytes, size_t length);
void mark_identity(mark *m, const char *name, uint64_t id);

/* The text of an identity, or its 16 hex digits in `room`. */
const char *mark_identity_text(const mark *m, uint64_t id, char room[17]);

/* All fields of a payload that line_fits, from field number `from` on, by the kind's row. */
void mark_fields(mark *m, const weft_event *event, uint32_t from);

/* Arguments of a kernel.call that line_fits, by the names in its export's text, and the path.
 * Registers behind the last name are left out where the export is known and takes no more. */
void mark_call(mark *m, const weft_event *event, const line_export *text);

/* One array of identities, such as a wait's objects; `words` has its count first. */
void mark_identities(mark *m, const char *name, const uint64_t *words);

#endif
