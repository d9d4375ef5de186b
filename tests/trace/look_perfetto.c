/* look_perfetto.c: a reader of Perfetto traces that shares nothing with the writer. */
#include "look.h"

typedef struct wire {
    const unsigned char *at, *end;
} wire;

typedef struct field {
    uint64_t number, value; /* varint, or fixed64 */
    wire bytes;             /* of wire type 2 */
    int type;
} field;

static uint64_t varint(wire *w)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        assert_true(w->at < w->end && shift < 64);
        unsigned char byte = *w->at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            assert_false(byte == 0 && shift > 0); /* as short as can be */
            return value;
        }
    }
}

static int next(wire *w, field *f)
{
    if (w->at == w->end) {
        return 0;
    }
    uint64_t tag = varint(w);
    memset(f, 0, sizeof *f);
    f->number = tag >> 3;
    f->type = (int)(tag & 7);
    if (f->type == 0) {
        f->value = varint(w);
    } else if (f->type == 1) {
        assert_true(w->end - w->at >= 8);
        for (int i = 0; i < 8; i++) {
            f->value |= (uint64_t)w->at[i] << 8 * i;
        }
        w->at += 8;
    } else {
        assert_int_equal(f->type, 2);
        uint64_t length = varint(w);
        assert_true(length <= (uint64_t)(w->end - w->at));
        f->bytes = (wire){w->at, w->at + length};
        w->at += length;
    }
    return 1;
}

/* Interned names of a kind, by their ids. */
typedef struct names {
    wire *at;
    size_t room;
} names;

typedef struct sequence {
    int cleared;
    names names[4]; /* by InternedData's field: 1 categories, 2 events, 3 annotations */
} sequence;

typedef struct reader {
    look_marks *marks;
    sequence *sequences;
    size_t count;
} reader;

static sequence *sequence_of(reader *r, uint64_t number)
{
    if (number >= r->count) {
        r->sequences = realloc(r->sequences, (number + 1) * sizeof *r->sequences);
        assert_non_null(r->sequences);
        memset(r->sequences + r->count, 0, (number + 1 - r->count) * sizeof *r->sequences);
        r->count = number + 1;
    }
    return &r->sequences[number];
}

static wire name_of(const sequence *s, int kind, uint64_t id)
{
    if (id < s->names[kind].room && s->names[kind].at[id].at) {
        return s->names[kind].at[id];
    }
    fail_msg("name %u of kind %d was never told", (unsigned)id, kind);
    return (wire){0};
}

static void take_interned(sequence *s, wire w)
{
    field f, g;
    while (next(&w, &f)) {
        uint64_t id = 0;
        wire text = {0};
        assert_in_range(f.number, 1, 3);
        while (next(&f.bytes, &g)) {
            assert_in_range(g.number, 1, 2);
            if (g.number == 1) {
                id = g.value;
            } else {
                text = g.bytes;
            }
        }
        assert_in_range(id, 1, 1 << 24); /* 0 is no id */
        look_check_utf8((const char *)text.at, (size_t)(text.end - text.at));
        names *n = &s->names[f.number];
        if (id >= n->room) {
            size_t room = (size_t)id * 2;
            n->at = realloc(n->at, room * sizeof *n->at);
            assert_non_null(n->at);
            memset(n->at + n->room, 0, (room - n->room) * sizeof *n->at);
            n->room = room;
        }
        n->at[id] = text;
    }
}

static void take_annotation(const sequence *s, look_mark *m, wire w)
{
    size_t used = strlen(m->args);
    char *to = m->args + used;
    size_t room = sizeof m->args - used;
    field f;
    wire key = {0};
    while (next(&w, &f)) {
        if (f.number == 1) {
            key = name_of(s, 3, f.value);
            continue;
        }
        int length = (int)(key.end - key.at);
        const char *text = (const char *)key.at;
        switch (f.number) {
        case 3:
            snprintf(to, room, "%.*s=%llu;", length, text, (unsigned long long)f.value);
            break;
        case 4:
            snprintf(to, room, "%.*s=%lld;", length, text, (long long)f.value);
            break;
        case 6:
            look_check_utf8((const char *)f.bytes.at, (size_t)(f.bytes.end - f.bytes.at));
            snprintf(to, room, "%.*s=%.*s;", length, text, (int)(f.bytes.end - f.bytes.at),
                     (const char *)f.bytes.at);
            break;
        case 7:
            snprintf(to, room, "%.*s=0x%llx;", length, text, (unsigned long long)f.value);
            break;
        default:
            fail_msg("DebugAnnotation field %u", (unsigned)f.number);
        }
    }
}

static void take_event(const sequence *s, look_mark *m, wire w)
{
    static const char types[] = {0, 'B', 'E', 'i', 'C'};
    field f;
    while (next(&w, &f)) {
        wire text;
        switch (f.number) {
        case 3:
            name_of(s, 1, f.value);
            break;
        case 4:
            take_annotation(s, m, f.bytes);
            break;
        case 9:
            assert_in_range(f.value, 1, 4);
            m->type = types[f.value];
            break;
        case 10:
            text = name_of(s, 2, f.value);
            snprintf(m->name, sizeof m->name, "%.*s", (int)(text.end - text.at),
                     (const char *)text.at);
            break;
        case 11:
            m->track = f.value;
            break;
        case 30:
            m->value = (int64_t)f.value;
            break;
        case 47:
            assert_int_equal(f.type, 1);
            m->out[m->out_count++] = f.value;
            break;
        case 48:
            assert_int_equal(f.type, 1);
            m->in[m->in_count++] = f.value;
            break;
        default:
            fail_msg("TrackEvent field %u", (unsigned)f.number);
        }
    }
}

static void take_descriptor(look_marks *m, wire w)
{
    uint64_t uuid = 0;
    wire text = {0}, inner;
    field f, g;
    while (next(&w, &f)) {
        if (f.number == 1) {
            uuid = f.value;
        } else if (f.number == 2) {
            text = f.bytes;
        } else if (f.number == 3 || f.number == 4) {
            for (inner = f.bytes; next(&inner, &g);) {
                if (g.type == 2) { /* process_name or thread_name */
                    text = g.bytes;
                }
            }
        }
    }
    look_add_track(m, uuid, (const char *)text.at, (size_t)(text.end - text.at));
}

static void take_packet(reader *r, wire w)
{
    field f;
    uint64_t number = 0, flags = 0, ns = 0;
    wire event = {0}, interned = {0}, descriptor = {0};
    while (next(&w, &f)) {
        switch (f.number) {
        case 8:
            ns = f.value;
            break;
        case 10:
            number = f.value;
            break;
        case 11:
            event = f.bytes;
            break;
        case 12:
            interned = f.bytes;
            break;
        case 13:
            flags = f.value;
            break;
        case 60:
            descriptor = f.bytes;
            break;
        default:
            fail_msg("TracePacket field %u", (unsigned)f.number);
        }
    }
    assert_in_range(number, 1, 1 << 20); /* 0 is no sequence */
    sequence *s = sequence_of(r, number);
    if (flags & 1) {
        r->marks->restarts += s->cleared;
        s->cleared = 1;
        for (int i = 0; i < 4; i++) {
            free(s->names[i].at);
            s->names[i] = (names){0};
        }
    }
    assert_true(!(flags & 2) || s->cleared);
    take_interned(s, interned);
    if (descriptor.at) {
        take_descriptor(r->marks, descriptor);
    }
    if (event.at) {
        look_mark *m = look_add(r->marks);
        m->sequence = number;
        m->ns = ns;
        take_event(s, m, event);
    }
}

void look_perfetto(look_marks *m, const char *bytes, size_t length)
{
    reader r = {.marks = m};
    wire w = {(const unsigned char *)bytes, (const unsigned char *)bytes + length};
    field f;
    while (next(&w, &f)) {
        assert_int_equal(f.number, 1);
        take_packet(&r, f.bytes);
    }
    for (size_t i = 0; i < r.count; i++) {
        for (int k = 0; k < 4; k++) {
            free(r.sequences[i].names[k].at);
        }
    }
    free(r.sequences);
}
