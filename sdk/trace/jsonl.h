/* jsonl.h: the reader of lines, shared by its two parsers: the full one (jsonl.c), which takes any
 * JSON, and the fast one (jsonl_fast.c), which takes lines as our writer lays them out and gives
 * the same for them. */
#ifndef WEFT_TRACE_JSONL_H
#define WEFT_TRACE_JSONL_H

#include "json.h"
#include "line.h"
#include "reader.h"

#define JSONL_PADDING                                                                              \
    64 /* zero bytes behind a line's buffer: no load of the fast parser is wider */

/* How a member of a payload stands in a line, and what of it goes into the event. */
typedef struct fast_member {
    char key[48]; /* with quotes, colon and, but for the first, a comma before */
    uint8_t length;
    char type; /* of weft/event.h */
} fast_member;

/* A kind by its name's first bytes and length. */
typedef struct fast_kind {
    char name[24];
    uint8_t length, count;
    uint16_t number;
    fast_member members[LINE_MAX_FIELDS];
} fast_kind;

#define FAST_PLACES  256
#define FAST_THREADS 64

struct jsonl_reader {
    line_table table;
    json_tree tree;
    char *buffer; /* bytes of the file not yet consumed, from `at` to `end` */
    size_t at, end, room;
    int eof;
    uint64_t number; /* of the current line, from 1 */
    const char *line;
    size_t length;
    int whole;       /* 1: `tree` is of the current line */
    uint64_t events; /* behind the header */
    int ended;       /* trace.end was read */
    weft_event *event;
    size_t words, words_room;
    out fields;
    int no_memory;
    int plain;     /* 1: every line goes through the full parser */
    char head[96]; /* a line's first bytes up to the kind's name, "" if no line is taken fast */
    size_t head_length;
    fast_kind *kinds;
    struct fast_thread { /* identities of the latest threads of another engine, by tid */
        uint64_t id;
        uint32_t tid, known;
    } threads[FAST_THREADS];
    uint8_t places[FAST_PLACES]; /* into `kinds`, from 1 */
};

/* Prepares the fast parser once the header is known. */
void jsonl_fast_init(weft_trace *t);

/* The current line as an event, or NULL where it is for the full parser to take or refuse. */
const weft_event *jsonl_fast(weft_trace *t);

#endif
