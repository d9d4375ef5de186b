/* look.c: see look.h. */
#include "look.h"

#define MANY UINT64_C(0x4e616d6500000000)

static const char *name_of(void *names, uint64_t id)
{
    look *l = names;
    for (uint32_t i = 0; i < l->text_count; i++) {
        if (weft_fnv1a(l->texts[i], strlen(l->texts[i])) == id) {
            return l->texts[i];
        }
    }
    if (id >> 32 == MANY >> 32) {
        snprintf(l->room, sizeof l->room, "lib.xex!Name%u()#1", (unsigned)id);
        return l->room;
    }
    return NULL;
}

void look_start(look *l, const char *title)
{
    memset(l, 0, sizeof *l);
    l->begin = (weft_trace_begin){
        .size = sizeof l->begin,
        .engine = "weft",
        .build = "0.1.0",
        .title = title,
        .profile_digest = "00112233445566778899aabbccddeeff",
        .digest = "99aa06d3014798d86001c324468d497f",
        .name = name_of,
        .names = l,
    };
    l->file = tmpfile();
    assert_non_null(l->file);
}

uint64_t look_id(look *l, const char *text)
{
    uint64_t id = weft_fnv1a(text, strlen(text));
    if (!name_of(l, id)) {
        assert_true(l->text_count < sizeof l->texts / sizeof l->texts[0]);
        l->texts[l->text_count++] = text;
    }
    return id;
}

uint64_t look_many(uint32_t n)
{
    return MANY | n;
}

void look_put(look *l, uint16_t kind, uint64_t thread, uint64_t tick, int count, ...)
{
    weft_event_buffer e;
    va_list words;
    weft_event_begin(&e, kind);
    e.head.thread = thread;
    e.head.tick = tick;
    e.head.tid = (uint32_t)(thread % 1000 + 1);
    e.head.hw = (uint8_t)(thread % 6);
    e.head.sequence = l->sequence++;
    e.head.index = e.head.sequence;
    va_start(words, count);
    for (int i = 0; i < count; i++) {
        weft_event_word(&e, va_arg(words, uint64_t));
    }
    va_end(words);
    l->add(l->writer, &e.head, !l->hidden);
}

#define W(n) ((uint64_t)(n))

void look_call(look *l, uint64_t thread, uint64_t tick, uint64_t export_id)
{
    look_put(l, WEFT_EVENT_KERNEL_CALL, thread, tick, 3, export_id, W(0), W(0));
}

void look_return(look *l, uint64_t thread, uint64_t tick, uint64_t export_id)
{
    look_put(l, WEFT_EVENT_KERNEL_RETURN, thread, tick, 2, export_id, W(0));
}

void look_wait(look *l, uint64_t thread, uint64_t tick, uint64_t object)
{
    look_put(l, WEFT_EVENT_WAIT_BEGIN, thread, tick, 5, W(1), object, W(-1), W(0), W(0));
}

void look_woken(look *l, uint64_t thread, uint64_t tick, uint64_t object)
{
    look_put(l, WEFT_EVENT_WAIT_END, thread, tick, 3, W(0), object, W(0));
}

void look_nonsense(look *l, uint32_t seed, uint32_t count)
{
    static const char *const texts[] = {"xboxkrnl.exe!RtlEnterCriticalSection(cs)#293",
                                        "xboxkrnl.exe!RtlLeaveCriticalSection(cs)#304",
                                        "xboxkrnl.exe!VdSwap(slot)#603",
                                        "event:a",
                                        "thread:main",
                                        "thread:main/0",
                                        "source:io",
                                        "thread:interrupt/2"};
    uint64_t ids[8], tick = 1000;
    for (int i = 0; i < 8; i++) {
        ids[i] = look_id(l, texts[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223; /* Numerical Recipes' generator */
        uint64_t who = ids[4 + (seed >> 28) % 4], whom = ids[4 + (seed >> 26) % 4];
        uint64_t what = ids[(seed >> 24) % 3], lock = (seed >> 22) % 2;
        tick += (seed >> 12) % 50;
        uint64_t at = (seed >> 20) % 16 == 0 ? tick - 900 : tick;
        switch ((seed >> 16) % 16) {
        case 0:
        case 1:
        case 2:
            look_put(l, WEFT_EVENT_KERNEL_CALL, who, at, 4, what, W(1), lock, W(0));
            break;
        case 3:
        case 4:
            look_return(l, who, at, what);
            break;
        case 5:
            look_put(l, WEFT_EVENT_KERNEL_RETURN_VOID, who, at, 1, what);
            break;
        case 6:
            look_wait(l, who, at, ids[3]);
            break;
        case 7:
            look_woken(l, who, at, ids[3]);
            break;
        case 8:
            look_put(l, WEFT_EVENT_SIGNAL_MATCH, who, at, 2, ids[3], whom);
            break;
        case 9:
            look_put(l, WEFT_EVENT_WAKE_REQUESTED, who, at, 6, whom, ids[3], W(1), W(0), W(1),
                     W(0));
            break;
        case 10:
            look_put(l, WEFT_EVENT_CONTENTION_OBSERVED, who, at, 3, lock, W(1), W(0));
            break;
        case 11:
            look_put(l, WEFT_EVENT_VFS_READ, who, at, 3, ids[3], W(0), W(16));
            break;
        case 12:
            look_put(l, WEFT_EVENT_IO_COMPLETE, ids[6], at, 4, ids[3], whom, W(0), W(16));
            break;
        case 13:
            look_put(l, WEFT_EVENT_SCHED_SWITCH, W(0), at, 4, who, whom, W(0), W(seed >> 30));
            break;
        case 14:
            if ((seed >> 8) % 2) {
                look_put(l, WEFT_EVENT_GPU_DRAW, W(0), at, 4, W(i), W(0), W(3), W(0));
            } else {
                look_put(l, WEFT_EVENT_SOURCE_FIRE, look_id(l, "source:vblank"), at, 1, W(i));
                look_put(l, WEFT_EVENT_GPU_INTERRUPT, W(0), at, 1, W(4));
                look_put(l, WEFT_EVENT_INTERRUPT, who, at, 2, lock, W(2));
            }
            break;
        default:
            look_put(l, (seed >> 8) % 8 ? WEFT_EVENT_THREAD_EXIT : WEFT_EVENT_GPU_SWAP, who, at,
                     (seed >> 8) % 8 ? 1 : 5, W(i), W(0), W(1), W(1), W(0));
            break;
        }
    }
}

char *look_bytes(const look *l, size_t *length)
{
    assert_int_equal(fseek(l->file, 0, SEEK_END), 0);
    *length = (size_t)ftell(l->file);
    rewind(l->file);
    char *bytes = malloc(*length + 1);
    assert_int_equal(fread(bytes, 1, *length, l->file), *length);
    bytes[*length] = 0;
    return bytes;
}

look_mark *look_add(look_marks *m)
{
    if (m->forget) {
        memset(&m->latest, 0, sizeof m->latest);
        return &m->latest;
    }
    if (m->count == m->room) {
        m->room = m->room ? m->room * 2 : 64;
        m->at = realloc(m->at, m->room * sizeof *m->at);
        assert_non_null(m->at);
    }
    look_mark *made = &m->at[m->count++];
    memset(made, 0, sizeof *made);
    return made;
}

void look_add_track(look_marks *m, uint64_t track, const char *name, size_t length)
{
    assert_null(look_track(m, track)); /* described once */
    m->tracks = realloc(m->tracks, (m->track_count + 1) * sizeof *m->tracks);
    assert_non_null(m->tracks);
    m->tracks[m->track_count].track = track;
    snprintf(m->tracks[m->track_count++].name, sizeof m->tracks->name, "%.*s", (int)length, name);
    look_check_utf8(name, length);
}

const char *look_track(const look_marks *m, uint64_t track)
{
    for (size_t i = m->track_count; i > 0; i--) {
        if (m->tracks[i - 1].track == track) {
            return m->tracks[i - 1].name;
        }
    }
    return NULL;
}

void look_free(look_marks *m)
{
    free(m->at);
    free(m->tracks);
    memset(m, 0, sizeof *m);
}

const look_mark *look_find(const look_marks *m, char type, const char *track, const char *name)
{
    for (size_t i = 0; i < m->count; i++) {
        const char *of = look_track(m, m->at[i].track);
        if (m->at[i].type == type && of && strcmp(of, track) == 0 &&
            strcmp(m->at[i].name, name) == 0) {
            return &m->at[i];
        }
    }
    return NULL;
}

/* RFC 3629, 4; and no control character. */
void look_check_utf8(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    while (p < end) {
        int more = *p < 0x80 ? 0 : *p >= 0xC2 && *p < 0xE0 ? 1 : *p >= 0xE0 && *p < 0xF0 ? 2 : 3;
        assert_true(*p >= 0x20 && *p != 0x7F && *p < 0xF5);
        assert_false(*p >= 0x80 && *p < 0xC2);
        assert_false(*p == 0xC2 && p + 1 < end && p[1] < 0xA0); /* U+0080..U+009F */
        assert_true(end - p > more);
        for (int i = 1; i <= more; i++) {
            assert_int_equal(p[i] & 0xC0, 0x80);
        }
        p += 1 + more;
    }
}

/* State of the check: keys with a value each, few enough to search. */
typedef struct pairs {
    uint64_t (*at)[3];
    size_t count;
} pairs;

static uint64_t *pair_of(pairs *p, uint64_t key)
{
    for (size_t i = p->count; i > 0; i--) {
        if (p->at[i - 1][0] == key) {
            return p->at[i - 1];
        }
    }
    p->at = realloc(p->at, (p->count + 1) * sizeof *p->at);
    assert_non_null(p->at);
    memset(p->at[p->count], 0, sizeof p->at[0]);
    p->at[p->count][0] = key;
    return p->at[p->count++];
}

void look_check(const look_marks *m)
{
    pairs tracks = {0}, sequences = {0}; /* depth and time; time */
    uint64_t last_flow = 0, *ends = calloc(m->count + 2, sizeof *ends);
    uint64_t *began = calloc(m->count + 2, sizeof *began);
    for (size_t i = 0; i < m->count; i++) {
        const look_mark *a = &m->at[i];
        uint64_t *track = pair_of(&tracks, a->track), *sequence = pair_of(&sequences, a->sequence);
        assert_non_null(look_track(m, a->track));
        assert_true(a->ns >= track[2] && a->ns >= sequence[2]);
        track[2] = sequence[2] = a->ns;
        track[1] += a->type == 'B';
        if (a->type == 'E') {
            assert_true(track[1] > 0);
            track[1]--;
        } else if (a->type != 'C') {
            assert_true(a->name[0] != 0);
        }
        for (uint32_t f = 0; f < a->out_count; f++) {
            assert_true(a->out[f] > 0 && a->out[f] < m->count + 2);
            assert_int_equal(began[a->out[f]], 0);
            began[a->out[f]] = a->ns + 1;
            last_flow = a->out[f] > last_flow ? a->out[f] : last_flow;
        }
        for (uint32_t f = 0; f < a->in_count; f++) {
            assert_true(a->in[f] > 0 && a->in[f] < m->count + 2);
            assert_true(began[a->in[f]] > 0);
            assert_int_equal(ends[a->in[f]]++, 0);
        }
    }
    for (size_t i = 0; i < tracks.count; i++) {
        assert_int_equal(tracks.at[i][1], 0);
    }
    for (uint64_t f = 1; f <= last_flow; f++) {
        assert_true(began[f] > 0);
        assert_int_equal(ends[f], 1);
    }
    free(tracks.at);
    free(sequences.at);
    free(ends);
    free(began);
}
