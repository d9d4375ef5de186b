/* reader.h: what the two readers share: the open file, the identities' texts, the failure. */
#ifndef WEFT_TRACE_READER_H
#define WEFT_TRACE_READER_H

#include "trace.h"

/* Texts by identity: open addressing, never shrinks. */
typedef struct names {
    struct name {
        uint64_t id;
        char *text; /* NULL: free place */
    } * places;
    size_t room, used;
} names;

/* Keeps a text; the first one of an identity stays. 0 without memory. */
int names_add(names *n, uint64_t id, const char *text, size_t length);
const char *names_find(const names *n, uint64_t id);
void names_free(names *n);

typedef struct jsonl_reader jsonl_reader;
typedef struct binary_reader binary_reader;
typedef struct trace_follow trace_follow;

struct weft_trace {
    FILE *file;
    char *path;
    char *where;
    char error[384]; /* "": none */
    weft_trace_info info;
    names names;
    uint64_t bytes, size;
    jsonl_reader *jsonl; /* one of the two */
    binary_reader *binary;
    trace_follow *follow; /* not NULL: the file is being written, and its end is waited for */
};

/* A trace of an open file. It owns `follow` (malloc), which may be NULL. */
weft_trace *trace_from(FILE *file, const char *path, trace_follow *follow);

/* The file's next bytes, counted in t->bytes: `room` of them, or of a followed file as many as there
 * are; 0 at its end. And exactly `length`, fewer only at the end. */
size_t trace_read(weft_trace *t, void *to, size_t room);
size_t trace_read_all(weft_trace *t, void *to, size_t length);

/* Each reads the header, and sets the failure if there is none that it can read. `head` are bytes
 * already taken from the file. */
jsonl_reader *jsonl_open(weft_trace *t, const char *head, size_t length);
const weft_event *jsonl_next(weft_trace *t);
const char *jsonl_line(const jsonl_reader *r, size_t *length);
const char *jsonl_fields(jsonl_reader *r, size_t *length);
void jsonl_close(jsonl_reader *r);

/* Where the line behind the latest event begins in the file, and how many lines stand before it;
 * and back there: the next event is the one that followed. Names learned meanwhile stay. 0 with the
 * failure set where the file cannot be sought. */
void jsonl_place(const weft_trace *t, uint64_t *offset, uint64_t *line);
int jsonl_seek(weft_trace *t, uint64_t offset, uint64_t line);

/* From here on every line goes through the full parser. */
void jsonl_plain(weft_trace *t);

binary_reader *binary_open(weft_trace *t, const char *head, size_t length);
const weft_event *binary_next(weft_trace *t);
void binary_close(binary_reader *r);

/* Where the next event's group begins, if the latest event was the last of its group, else 0; and
 * going there, `events` being how many are before it. */
int binary_place(const weft_trace *t, uint64_t *offset);
int binary_seek(weft_trace *t, uint64_t offset, uint64_t events);

/* Sets the failure, if it is the first. Always returns NULL. */
void *trace_fail_line(weft_trace *t, uint64_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void *trace_fail_offset(weft_trace *t, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
