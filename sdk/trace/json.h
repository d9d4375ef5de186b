/* json.h: one line of JSON as a tree, with every integer exact and every string as bytes.
 *
 * A general JSON library keeps numbers as doubles, which lose digits beyond 2^53, and ends strings
 * at a NUL; a trace needs both (docs/trace.md). The tree lives in buffers that are used again for
 * the next line. Code points up to U+00FF are one byte each, higher ones their UTF-8 bytes. */
#ifndef WEFT_TRACE_JSON_H
#define WEFT_TRACE_JSON_H

#include <stddef.h>
#include <stdint.h>

enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

typedef struct json_node {
    uint8_t type;
    uint8_t exact;    /* number: an integer that fits 64 bits */
    uint8_t negative; /* number: `number` is two's complement */
    uint8_t depth;
    uint32_t key_length;
    const char *key; /* of a member, else NULL */
    const char *text;
    uint32_t length;
    uint32_t count; /* of an array's or object's children */
    uint64_t number;
    uint32_t child, next; /* places in `nodes`; 0: none, since 0 is the root */
    uint32_t from, to;    /* where the value stands in the line */
} json_node;

typedef struct json_tree {
    json_node *nodes;
    uint32_t used, room;
    char *text; /* decoded strings */
    size_t text_used, text_room;
    char error[128];
    size_t error_at; /* the byte that `error` is about */
} json_tree;

/* Reads one line. Returns the root, or NULL with `error` set. The nodes live until the next call.
 */
const json_node *json_read(json_tree *tree, const char *line, size_t length);

/* The first member of that name, or NULL; NULL too if `object` is NULL or no object. */
const json_node *json_get(const json_tree *tree, const json_node *object, const char *name);

/* The first child, and the next one; NULL at the end. */
const json_node *json_child(const json_tree *tree, const json_node *parent);
const json_node *json_next(const json_tree *tree, const json_node *node);

/* Whether a string is exactly this text. */
int json_is(const json_node *node, const char *text);

void json_free(json_tree *tree);

#endif
