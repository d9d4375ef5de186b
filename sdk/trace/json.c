/* json.c: see json.h. RFC 8259, nesting at most MAX_DEPTH. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 16

typedef struct parser {
    json_tree *tree;
    const char *line;
    size_t at, end;
} parser;

static int fail(parser *p, const char *what)
{
    if (!p->tree->error[0]) {
        p->tree->error_at = p->at;
        if (p->at < p->end) {
            snprintf(p->tree->error, sizeof p->tree->error,
                     "line is not JSON (found byte 0x%02x at column %zu, expected %s)",
                     (unsigned char)p->line[p->at], p->at + 1, what);
        } else {
            snprintf(p->tree->error, sizeof p->tree->error,
                     "line is not JSON (found its end at column %zu, expected %s)", p->at + 1,
                     what);
        }
    }
    return 0;
}

static void skip_space(parser *p)
{
    while (p->at < p->end && strchr(" \t\r\n", p->line[p->at]) && p->line[p->at]) {
        p->at++;
    }
}

static int peek(const parser *p)
{
    return p->at < p->end ? (unsigned char)p->line[p->at] : -1;
}

static int expect(parser *p, char byte, const char *what)
{
    skip_space(p);
    if (peek(p) != (unsigned char)byte) {
        return fail(p, what);
    }
    p->at++;
    return 1;
}

static int hex4(parser *p, uint32_t *point)
{
    *point = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(p);
        uint32_t digit;
        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
            digit = (uint32_t)((c | 32) - 'a' + 10);
        } else {
            return fail(p, "a hex digit");
        }
        *point = *point << 4 | digit;
        p->at++;
    }
    return 1;
}

static void put_byte(parser *p, uint32_t byte)
{
    p->tree->text[p->tree->text_used++] = (char)byte;
}

/* A code point of the text as the bytes it stands for. Never longer than it was in the line. */
static void put_point(parser *p, uint32_t point)
{
    if (point <= 0xFF) {
        put_byte(p, point);
    } else if (point <= 0x7FF) {
        put_byte(p, 0xC0 | point >> 6);
        put_byte(p, 0x80 | (point & 0x3F));
    } else if (point <= 0xFFFF) {
        put_byte(p, 0xE0 | point >> 12);
        put_byte(p, 0x80 | (point >> 6 & 0x3F));
        put_byte(p, 0x80 | (point & 0x3F));
    } else {
        put_byte(p, 0xF0 | point >> 18);
        put_byte(p, 0x80 | (point >> 12 & 0x3F));
        put_byte(p, 0x80 | (point >> 6 & 0x3F));
        put_byte(p, 0x80 | (point & 0x3F));
    }
}

/* One code point of UTF-8 in the line. */
static int utf8(parser *p)
{
    uint32_t first = (uint32_t)peek(p), more, point;
    if (first < 0x80) {
        p->at++;
        put_byte(p, first);
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        more = 1;
        point = first & 0x1F;
    } else if (first >= 0xE0 && first <= 0xEF) {
        more = 2;
        point = first & 0x0F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        more = 3;
        point = first & 0x07;
    } else {
        return fail(p, "UTF-8");
    }
    p->at++;
    for (; more > 0; more--) {
        int c = peek(p);
        if (c < 0 || (c & 0xC0) != 0x80) {
            return fail(p, "UTF-8");
        }
        point = point << 6 | ((uint32_t)c & 0x3F);
        p->at++;
    }
    put_point(p, point);
    return 1;
}

static int escape(parser *p)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    int c = peek(p);
    const char *found = c > 0 ? strchr(letters, c) : NULL;
    if (found) {
        p->at++;
        put_byte(p, (unsigned char)bytes[found - letters]);
        return 1;
    }
    if (c != 'u') {
        return fail(p, "an escape");
    }
    uint32_t point, low;
    p->at++;
    if (!hex4(p, &point)) {
        return 0;
    }
    if (point >= 0xD800 && point <= 0xDBFF) { /* half of a pair, RFC 8259, 7 */
        if (peek(p) != '\\' || p->at + 1 >= p->end || p->line[p->at + 1] != 'u') {
            return fail(p, "the second half of a surrogate pair");
        }
        p->at += 2;
        if (!hex4(p, &low)) {
            return 0;
        }
        if (low < 0xDC00 || low > 0xDFFF) {
            return fail(p, "the second half of a surrogate pair");
        }
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    put_point(p, point);
    return 1;
}

static int string(parser *p, const char **text, uint32_t *length)
{
    char *start = p->tree->text + p->tree->text_used;
    if (!expect(p, '"', "a string")) {
        return 0;
    }
    for (;;) {
        int c = peek(p);
        if (c == '"') {
            p->at++;
            *text = start;
            *length = (uint32_t)(p->tree->text + p->tree->text_used - start);
            return 1;
        }
        if (c < 0x20) {
            return fail(p, "the end of a string");
        }
        if (c == '\\') {
            p->at++;
            if (!escape(p)) {
                return 0;
            }
        } else if (!utf8(p)) {
            return 0;
        }
    }
}

static size_t digits(parser *p)
{
    size_t from = p->at;
    while (peek(p) >= '0' && peek(p) <= '9') {
        p->at++;
    }
    return p->at - from;
}

static int number(parser *p, json_node *node)
{
    uint64_t value = 0;
    int negative = peek(p) == '-', fits = 1;
    p->at += (size_t)negative;
    size_t from = p->at;
    if (digits(p) == 0 || (p->line[from] == '0' && p->at - from > 1)) {
        p->at = from;
        return fail(p, "a number");
    }
    for (size_t i = from; i < p->at; i++) {
        uint64_t digit = (uint64_t)(p->line[i] - '0');
        fits &= value <= (UINT64_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    if (peek(p) == '.') {
        p->at++;
        fits = 0;
        if (digits(p) == 0) {
            return fail(p, "a digit");
        }
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->at++;
        fits = 0;
        if (peek(p) == '+' || peek(p) == '-') {
            p->at++;
        }
        if (digits(p) == 0) {
            return fail(p, "a digit");
        }
    }
    if (negative && value > UINT64_C(1) << 63) {
        fits = 0;
    }
    node->type = JSON_NUMBER;
    node->exact = (uint8_t)fits;
    node->negative = (uint8_t)negative;
    node->number = negative ? UINT64_C(0) - value : value;
    return 1;
}

static int word(parser *p, json_node *node, const char *text, uint8_t type)
{
    size_t length = strlen(text);
    if (p->end - p->at < length || memcmp(p->line + p->at, text, length) != 0) {
        return fail(p, "a value");
    }
    p->at += length;
    node->type = type;
    return 1;
}

/* A fresh node, zeroed; its place, or 0 where memory is short (0 is taken by the root). */
static int add(parser *p, uint32_t *place)
{
    json_tree *t = p->tree;
    if (t->used == t->room) {
        uint32_t room = t->room ? t->room * 2 : 64;
        json_node *nodes = realloc(t->nodes, room * sizeof *nodes);
        if (!nodes) {
            snprintf(t->error, sizeof t->error, "no memory for a line");
            return 0;
        }
        t->nodes = nodes;
        t->room = room;
    }
    *place = t->used++;
    memset(&t->nodes[*place], 0, sizeof *t->nodes);
    return 1;
}

static int value(parser *p, uint32_t place, int depth);

/* The children of an array or object up to its closing bracket. */
static int children(parser *p, uint32_t place, int depth, char close)
{
    uint32_t last = 0;
    p->at++;
    skip_space(p);
    if (peek(p) == close) {
        p->at++;
        return 1;
    }
    for (;;) {
        uint32_t child;
        const char *key = NULL;
        uint32_t key_length = 0;
        if (close == '}' && (!string(p, &key, &key_length) || !expect(p, ':', "a colon"))) {
            return 0;
        }
        if (!add(p, &child)) {
            return 0;
        }
        p->tree->nodes[child].key = key;
        p->tree->nodes[child].key_length = key_length;
        if (last) {
            p->tree->nodes[last].next = child;
        } else {
            p->tree->nodes[place].child = child;
        }
        p->tree->nodes[place].count++;
        last = child;
        if (!value(p, child, depth + 1)) {
            return 0;
        }
        skip_space(p);
        if (peek(p) == close) {
            p->at++;
            return 1;
        }
        if (!expect(p, ',', "a comma")) {
            return 0;
        }
        skip_space(p);
    }
}

static int value(parser *p, uint32_t place, int depth)
{
    skip_space(p);
    json_node node = p->tree->nodes[place];
    int done;
    node.from = (uint32_t)p->at;
    if (depth > MAX_DEPTH) {
        return fail(p, "less nesting");
    }
    switch (peek(p)) {
    case '{':
    case '[':
        p->tree->nodes[place].type = peek(p) == '{' ? JSON_OBJECT : JSON_ARRAY;
        p->tree->nodes[place].from = node.from;
        done = children(p, place, depth, peek(p) == '{' ? '}' : ']');
        p->tree->nodes[place].to = (uint32_t)p->at;
        return done;
    case '"':
        node.type = JSON_STRING;
        done = string(p, &node.text, &node.length);
        break;
    case 't':
        done = word(p, &node, "true", JSON_TRUE);
        break;
    case 'f':
        done = word(p, &node, "false", JSON_FALSE);
        break;
    case 'n':
        done = word(p, &node, "null", JSON_NULL);
        break;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        done = number(p, &node);
        break;
    default:
        return fail(p, "a value");
    }
    node.to = (uint32_t)p->at;
    p->tree->nodes[place] = node;
    return done;
}

const json_node *json_read(json_tree *tree, const char *line, size_t length)
{
    parser p = {.tree = tree, .line = line, .end = length};
    uint32_t root;
    tree->used = 0;
    tree->text_used = 0;
    tree->error[0] = 0;
    if (tree->text_room < length + 1) {
        free(tree->text);
        tree->text_room = length + 1 > 4096 ? (length + 1) * 2 : 4096;
        tree->text = malloc(tree->text_room);
        if (!tree->text) {
            tree->text_room = 0;
            snprintf(tree->error, sizeof tree->error, "no memory for a line");
            return NULL;
        }
    }
    if (!add(&p, &root) || !value(&p, root, 0)) {
        return NULL;
    }
    skip_space(&p);
    if (p.at < p.end) {
        fail(&p, "the end of the line");
        return NULL;
    }
    return tree->nodes;
}

const json_node *json_child(const json_tree *tree, const json_node *parent)
{
    return parent && parent->child ? &tree->nodes[parent->child] : NULL;
}

const json_node *json_next(const json_tree *tree, const json_node *node)
{
    return node->next ? &tree->nodes[node->next] : NULL;
}

const json_node *json_get(const json_tree *tree, const json_node *object, const char *name)
{
    size_t length = strlen(name);
    if (!object || object->type != JSON_OBJECT) {
        return NULL;
    }
    for (const json_node *n = json_child(tree, object); n; n = json_next(tree, n)) {
        if (n->key_length == length && memcmp(n->key, name, length) == 0) {
            return n;
        }
    }
    return NULL;
}

int json_is(const json_node *node, const char *text)
{
    size_t length = strlen(text);
    return node && node->type == JSON_STRING && node->length == length &&
           memcmp(node->text, text, length) == 0;
}

void json_free(json_tree *tree)
{
    free(tree->nodes);
    free(tree->text);
    memset(tree, 0, sizeof *tree);
}
