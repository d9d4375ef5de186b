/* jsonl_fast.c: the fast parser of jsonl.h. It goes once over a line, compares what is always the
 * same and reads eight bytes at a time. At the first thing that it does not know (another order,
 * an escape, space) it gives the line up; what it takes is what the full parser would have made of
 * it, which tests/trace/test_jsonl.c and the fuzz target hold against each other.
 *
 * A cursor that has failed is NULL. Loads may go JSONL_PADDING bytes beyond a line, where zeros
 * stand; a step never goes over a byte that it has not compared, so none leaves the line. */
#include <stdlib.h>
#include <string.h>

#include "jsonl.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (uint64_t)(byte))
#define HIGH       EACH(0x80)

typedef const char *cursor;

static inline uint64_t load(cursor p)
{
    uint64_t w;
    memcpy(&w, p, 8); /* the host is little-endian: the first byte is the low one */
    return w;
}

static inline cursor literal_of(cursor p, const char *text, size_t length)
{
    return p && memcmp(p, text, length) == 0 ? p + length : NULL;
}

#define LITERAL(p, text) literal_of(p, text, sizeof(text) - 1)

/* The value of eight decimal digits, the first one in the low byte: pairs, fours, eight. */
static inline uint64_t eight_digits(uint64_t d)
{
    d = d * 10 + (d >> 8);
    d = (d & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
        (d >> 16 & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001);
    return d >> 32;
}

/* A decimal integer that fits 64 bits. */
static inline cursor decimal(cursor p, uint64_t *value)
{
    static const uint64_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    uint64_t sum = 0;
    if (!p || (p[0] == '0' && (uint8_t)(p[1] - '0') <= 9)) {
        return NULL;
    }
    for (int chunk = 0; chunk < 3; chunk++) {
        uint64_t w = load(p), d = w - EACH('0');
        /* The lowest byte that is no digit has its top bit set in one of the two; bytes above it
         * may be wrong, and do not matter. */
        uint64_t other = (d | (w + EACH(0x7F - '9'))) & HIGH;
        unsigned n = other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
        uint64_t part = n == 0 ? 0 : eight_digits(d << (8 - n) * 8 % 64);
        if (__builtin_mul_overflow(sum, powers[n], &sum) ||
            __builtin_add_overflow(sum, part, &sum)) {
            return NULL;
        }
        p += n;
        if (n < 8) {
            *value = sum;
            return chunk > 0 || n > 0 ? p : NULL;
        }
    }
    return NULL;
}

/* Hex digits, lower case, as values in the low nibbles; the number of digits in front. */
static inline unsigned nibbles(uint64_t w, uint64_t *values)
{
    uint64_t nibble = (w & EACH(0x0F)) + (w >> 6 & EACH(1)) * 9;
    uint64_t letters = (nibble + EACH(0x80 - 10)) >> 7 & EACH(1);
    uint64_t other =
        (w ^ (nibble + EACH('0') + letters * ('a' - '0' - 10))) | (nibble & EACH(0x10));
    *values = nibble;
    return other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
}

/* Eight nibbles, the first one in the low byte, as a number. */
static inline uint64_t packed(uint64_t v)
{
    v = __builtin_bswap64(v);
    v = (v | v >> 4) & UINT64_C(0x00FF00FF00FF00FF);
    v = (v | v >> 8) & UINT64_C(0x0000FFFF0000FFFF);
    return (v | v >> 16) & UINT32_MAX;
}

/* 1 to 16 hex digits and a quote. */
static inline cursor hex(cursor p, uint64_t *value)
{
    uint64_t a, b;
    if (!p) {
        return NULL;
    }
    unsigned n = nibbles(load(p), &a);
    if (n == 0) {
        return NULL;
    }
    *value = packed(a << (8 - n) * 8);
    p += n;
    if (n == 8) {
        n = nibbles(load(p), &b);
        if (n > 0) {
            *value = *value << n * 4 | packed(b << (8 - n) * 8);
        }
        p += n;
    }
    return *p == '"' ? p + 1 : NULL;
}

/* An identity as the writer has it: 16 digits in quotes. */
static inline cursor identity(cursor p, uint64_t *value)
{
    uint64_t a, b;
    p = LITERAL(p, "\"");
    if (!p || nibbles(load(p), &a) != 8 || nibbles(load(p + 8), &b) != 8 || p[16] != '"') {
        return NULL;
    }
    *value = packed(a) << 32 | packed(b);
    return p + 17;
}

/* The rest of a string without escapes, all of it 0x20..0x7E: the cursor behind its quote. */
static inline cursor text(cursor p, cursor *from)
{
    if (!p) {
        return NULL;
    }
    *from = p;
    for (;; p += 8) {
        uint64_t w = load(p), quote = w ^ EACH('"'), slash = w ^ EACH('\\'), del = w ^ EACH(0x7F);
        /* In each term the lowest byte that is set is right. */
        uint64_t stop = (((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash) |
                         ((del - EACH(1)) & ~del) | ((w - EACH(0x20)) & ~w) | w) &
                        HIGH;
        if (stop) {
            p += __builtin_ctzll(stop) / 8;
            return *p == '"' ? p + 1 : NULL;
        }
    }
}

static inline int room_for(jsonl_reader *r, size_t more)
{
    if (r->words + more <= r->words_room) {
        return 1;
    }
    size_t room = (r->words + more) * 2;
    weft_event *event = realloc(r->event, sizeof *event + room * 8);
    if (!event) {
        return 0; /* the full parser will say so */
    }
    r->event = event;
    r->words_room = room;
    return 1;
}

static inline uint64_t *words_of(jsonl_reader *r)
{
    return (uint64_t *)(r->event + 1);
}

static inline cursor put(jsonl_reader *r, cursor p, uint64_t word)
{
    if (!p || !room_for(r, 1)) {
        return NULL;
    }
    words_of(r)[r->words++] = word;
    return p;
}

static cursor put_text(jsonl_reader *r, cursor p)
{
    cursor from = p;
    p = text(LITERAL(p, "\""), &from);
    size_t length = p ? (size_t)(p - 1 - from) : 0, count = (length + 7) / 8;
    if (!p || !room_for(r, count + 1)) {
        return NULL;
    }
    uint64_t *to = words_of(r) + r->words;
    to[0] = length;
    to[count] = count ? 0 : length;
    memcpy(to + 1, from, length);
    r->words += count + 1;
    return p;
}

static inline cursor scalar(cursor p, char type, uint64_t *value)
{
    switch (type) {
    case 'd':
    case 'D':
        return identity(p, value);
    case 'x':
    case 'X':
    case 'p':
    case 'P':
        return hex(LITERAL(p, "\"0x"), value);
    case 'i':
        if (p && *p == '-') {
            p = decimal(p + 1, value);
            int fits = p && *value > 0 && *value <= UINT64_C(1) << 63;
            *value = UINT64_C(0) - *value;
            return fits ? p : NULL;
        }
        p = decimal(p, value);
        return p;
    default:
        return decimal(p, value);
    }
}

static inline cursor put_scalar(jsonl_reader *r, cursor p, char type)
{
    uint64_t value = 0;
    p = scalar(p, type, &value);
    return put(r, p, value);
}

static cursor put_array(jsonl_reader *r, cursor p, char type)
{
    size_t count_at = r->words;
    p = put(r, LITERAL(p, "["), 0);
    if (p && *p == ']') {
        return p + 1;
    }
    while (p) {
        p = put_scalar(r, p, type);
        if (p && *p != ',') {
            words_of(r)[count_at] = r->words - count_at - 1;
            return LITERAL(p, "]");
        }
        p = p ? p + 1 : NULL;
    }
    return NULL;
}

/* {"handle":1,"flags":"0x2"}: the values, whatever they are called. */
static cursor put_arguments(jsonl_reader *r, cursor p)
{
    size_t count_at = r->words;
    p = put(r, LITERAL(p, "{"), 0);
    if (p && *p == '}') {
        return p + 1;
    }
    while (p) {
        cursor key;
        p = LITERAL(text(LITERAL(p, "\""), &key), ":");
        p = put_scalar(r, p, p && *p == '"' ? 'x' : 'u');
        if (p && *p != ',') {
            words_of(r)[count_at] = r->words - count_at - 1;
            return LITERAL(p, "}");
        }
        p = p ? p + 1 : NULL;
    }
    return NULL;
}

/* An export: by its identity in lines of ours, by its name in those of others. */
typedef struct export_ref {
    cursor name, name_end;
    uint64_t id;
} export_ref;

static inline cursor name_member(cursor p, export_ref *e)
{
    p = text(LITERAL(p, "\"name\":\""), &e->name);
    e->name_end = p ? p - 1 : NULL;
    return p;
}

static inline cursor export_member(weft_trace *t, cursor p, export_ref *e)
{
    cursor id = LITERAL(p, ",\"export\":");
    if (id || !t->info.foreign) {
        return identity(id, &e->id);
    }
    if (p) {
        size_t length = (size_t)(e->name_end - e->name);
        e->id = weft_fnv1a(e->name, length);
        t->jsonl->no_memory |= !names_add(&t->names, e->id, e->name, length);
    }
    return p;
}

static cursor import_call(weft_trace *t, cursor p)
{
    jsonl_reader *r = t->jsonl;
    export_ref e = {0};
    uint64_t ordinal = 0, caller = 0;
    cursor module = text(LITERAL(p, "\"module\":\""), &e.name);
    if (module) {
        p = LITERAL(decimal(LITERAL(module, ",\"ordinal\":"), &ordinal), ",");
    } else if (!t->info.foreign) {
        return NULL;
    }
    p = export_member(t, name_member(p, &e), &e);
    cursor more = LITERAL(p, ",\"caller\":");
    if (more || !t->info.foreign) {
        p = scalar(more, 'x', &caller);
    }
    return put(r, put(r, p, e.id), caller);
}

static cursor kernel_call(weft_trace *t, cursor p)
{
    jsonl_reader *r = t->jsonl;
    export_ref e = {0};
    p = put(r, name_member(p, &e), 0);
    p = LITERAL(put_arguments(r, LITERAL(p, ",\"args\":")), ",\"args_resolved\":{");
    if (p && *p == '}') {
        p = put(r, p, 0);
    } else {
        p = put_text(r, LITERAL(p, "\"path\":"));
    }
    p = export_member(t, LITERAL(p, "}"), &e);
    words_of(r)[0] = e.id;
    return p;
}

static cursor kernel_return(weft_trace *t, cursor p, uint16_t *number)
{
    jsonl_reader *r = t->jsonl;
    export_ref e = {0};
    uint64_t value = 0;
    cursor status;
    p = name_member(p, &e);
    cursor answer = LITERAL(p, ",\"return_value\":");
    if (answer) {
        p = text(LITERAL(scalar(answer, 'u', &value), ",\"status\":\""), &status);
    } else {
        *number = WEFT_EVENT_KERNEL_RETURN_VOID;
    }
    p = export_member(t, LITERAL(p, ",\"side_effects\":[]"), &e);
    p = put(r, p, e.id);
    return answer ? put(r, p, value) : p;
}

static cursor wait_begin(weft_trace *t, cursor p)
{
    jsonl_reader *r = t->jsonl;
    uint64_t alertable = 0;
    p = put_array(r, LITERAL(p, "\"handles_semantic_ids\":"), 'D');
    p = LITERAL(put_scalar(r, LITERAL(p, ",\"timeout_ns\":"), 'i'), ",\"wait_type\":\"a");
    cursor any = LITERAL(p, "ny\"");
    p = put(r, any ? any : LITERAL(p, "ll\""), !any);
    cursor more = LITERAL(p, ",\"alertable\":");
    if (more || !t->info.foreign) {
        p = scalar(more, 'u', &alertable);
    }
    return put(r, p, alertable);
}

/* A member as other engines may write it: any form of an integer that means the same for all. */
static cursor loose_member(jsonl_reader *r, cursor p, char type)
{
    uint64_t value = 0;
    if (type == 's') {
        return put_text(r, p);
    }
    if (strchr("UXDP", type)) {
        return put_array(r, p, type);
    }
    cursor is_true = LITERAL(p, "true"), is_false = LITERAL(p, "false");
    if (is_true || is_false) {
        return put(r, is_true ? is_true : is_false, is_true != NULL);
    }
    if (*p != '"') {
        p = decimal(p, &value);
    } else {
        cursor digits = LITERAL(p, "\"0x");
        p = hex(digits ? digits : type == 'd' ? p + 1 : NULL, &value);
    }
    return put(r, p, value);
}

static cursor payload(weft_trace *t, const fast_kind *kind, cursor p, uint16_t *number)
{
    jsonl_reader *r = t->jsonl;
    switch (*number) {
    case WEFT_EVENT_IMPORT_CALL:
    case WEFT_EVENT_EXPORT_MISSING:
        return import_call(t, p);
    case WEFT_EVENT_KERNEL_CALL:
        return kernel_call(t, p);
    case WEFT_EVENT_KERNEL_RETURN:
        return kernel_return(t, p, number);
    case WEFT_EVENT_WAIT_BEGIN:
        return wait_begin(t, p);
    default:
        break;
    }
    for (unsigned i = 0; p && i < kind->count; i++) {
        const fast_member *m = &kind->members[i];
        cursor here = literal_of(p, m->key, m->length);
        if (t->info.foreign) {
            p = here ? loose_member(r, here, m->type) : put(r, p, 0); /* 0, "" or none */
            continue;
        }
        p = here;
        switch (m->type) {
        case 's':
            p = put_text(r, p);
            break;
        case 'U':
        case 'X':
        case 'D':
        case 'P':
            p = put_array(r, p, m->type);
            break;
        default:
            p = put_scalar(r, p, m->type);
            break;
        }
    }
    return p;
}

static unsigned place_of(const char *name, size_t length)
{
    char bytes[16] = {0};
    memcpy(bytes, name, length < 16 ? length : 16);
    uint64_t mixed = (load(bytes) ^ load(bytes + 8) << 3 ^ (uint64_t)length << 59) *
                     UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned)(mixed >> 56);
}

static const fast_kind *kind_of(const jsonl_reader *r, cursor name, size_t length)
{
    for (unsigned at = place_of(name, length); r->places[at]; at = (at + 1) % FAST_PLACES) {
        const fast_kind *kind = &r->kinds[r->places[at] - 1];
        if (kind->length == length && memcmp(kind->name, name, length) == 0) {
            return kind;
        }
    }
    return NULL;
}

/* The identity of a thread that has only an id, as the full parser makes it. */
static uint64_t thread_of(weft_trace *t, uint32_t tid)
{
    jsonl_reader *r = t->jsonl;
    struct fast_thread *known = &r->threads[tid % FAST_THREADS];
    if (!known->known || known->tid != tid) {
        char room[32];
        int length = snprintf(room, sizeof room, "tid:%u", tid);
        *known =
            (struct fast_thread){.id = weft_fnv1a(room, (size_t)length), .tid = tid, .known = 1};
        r->no_memory |= !names_add(&t->names, known->id, room, (size_t)length);
    }
    return known->id;
}

const weft_event *jsonl_fast(weft_trace *t)
{
    jsonl_reader *r = t->jsonl;
    weft_event head = {0};
    uint64_t tid = 0, host_ns, hw = WEFT_HW_NONE;
    cursor p = r->line, name;
    if (r->plain || r->head_length == 0 || r->ended || r->length < r->head_length) {
        return NULL;
    }
    p = text(literal_of(p, r->head, r->head_length), &name);
    const fast_kind *kind = p ? kind_of(r, name, (size_t)(p - 1 - name)) : NULL;
    if (!kind) {
        return NULL;
    }
    head.kind = kind->number;
    r->words = 0;
    p = decimal(LITERAL(p, ",\"tid\":"), &tid);
    p = decimal(LITERAL(p, ",\"tid_event_idx\":"), &head.index);
    p = decimal(LITERAL(p, ",\"guest_cycle\":"), &head.cycle);
    p = decimal(LITERAL(p, ",\"host_ns\":"), &host_ns);
    p = LITERAL(p, ",\"deterministic\":");
    cursor is_true = LITERAL(p, "true");
    p = LITERAL(is_true ? is_true : LITERAL(p, "false"), ",\"payload\":{");
    p = LITERAL(payload(t, kind, p, &head.kind), "}");
    if (p && *p == '}' && t->info.foreign) {
        head.thread = thread_of(t, (uint32_t)tid);
        head.sequence = r->events;
    } else {
        p = decimal(LITERAL(p, ",\"hw\":"), &hw);
        p = identity(LITERAL(p, ",\"thread\":"), &head.thread);
        p = decimal(LITERAL(p, ",\"seq\":"), &head.sequence);
        p = decimal(LITERAL(p, ",\"tick\":"), &head.tick);
    }
    p = LITERAL(p, "}");
    if (!p || p != r->line + r->length || tid > UINT32_MAX || hw > UINT8_MAX || r->no_memory) {
        return NULL;
    }
    head.hw = (uint8_t)hw;
    head.tid = (uint32_t)tid;
    const weft_event_kind *row = r->table.kinds[head.kind].row;
    head.category = row->category;
    head.size = (uint32_t)(sizeof head + r->words * 8);
    *r->event = head;
    r->events++;
    return r->event;
}

void jsonl_fast_init(weft_trace *t)
{
    jsonl_reader *r = t->jsonl;
    out head = {0};
    out_str(&head, "{\"schema_version\":1,\"engine\":");
    out_string(&head, t->info.engine, strlen(t->info.engine));
    out_str(&head, ",\"kind\":\"");
    r->kinds = calloc(WEFT_EVENT_KIND_END, sizeof *r->kinds);
    if (!r->kinds || head.no_memory || head.used >= sizeof r->head) {
        out_free(&head);
        return;
    }
    memcpy(r->head, head.bytes, head.used);
    r->head_length = head.used;
    out_free(&head);
    for (uint16_t number = 1; number < WEFT_EVENT_KIND_END; number++) {
        const line_kind *from = &r->table.kinds[number];
        fast_kind *to = &r->kinds[number - 1];
        size_t length = from->row ? strlen(from->row->name) : 0;
        /* A return without a value is written under the name of one with a value. A line of kind
         * schema_version within a trace is rare enough. */
        if (length == 0 || length > sizeof to->name || number == WEFT_EVENT_SCHEMA_VERSION ||
            number == WEFT_EVENT_KERNEL_RETURN_VOID || from->count > LINE_MAX_FIELDS) {
            continue;
        }
        memcpy(to->name, from->row->name, length);
        to->length = (uint8_t)length;
        to->number = number;
        to->count = (uint8_t)from->count;
        for (uint32_t i = 0; i < from->count; i++) {
            fast_member *m = &to->members[i];
            m->type = from->fields[i].type;
            m->length = (uint8_t)snprintf(m->key, sizeof m->key, "%s\"%.*s\":", i ? "," : "",
                                          (int)from->fields[i].name_length, from->fields[i].name);
        }
        unsigned at = place_of(to->name, length);
        while (r->places[at]) {
            at = (at + 1) % FAST_PLACES;
        }
        r->places[at] = (uint8_t)number;
    }
}
