/* filter.c: see filter.h.
 *
 * A list has at most 64 entries. What an entry names (a kind, a thread, an export, an object) is
 * looked up once and kept as a mask of the entries that match; of the entries that match an event
 * the last one decides, and without one the event passes where the list begins with `!`. */
#include "filter.h"

#include <stdlib.h>

#include "line.h"

#define MAX_ENTRIES 64
#define MAX_TEXT    65536
#define MAX_OPEN    16 /* calls within calls of one thread; from there on the oldest is forgotten */
#define KIND_WORDS  ((WEFT_EVENT_KIND_END + 63) / 64)

enum { KINDS, THREADS, EXPORTS, OBJECTS, LISTS };

/* One entry: a text with wildcards, and what else it can be read as. */
typedef struct entry {
    const char *text; /* in list.text, ended by NUL */
    uint64_t id;
    uint32_t tid;
    uint8_t negative, is_id, is_tid;
} entry;

typedef struct list {
    char *text;
    entry entries[MAX_ENTRIES];
    uint32_t count;
    int has_tids;
} list;

/* From an identity to a word; open addressing, grows, forgets nothing. */
typedef struct slot {
    uint64_t id, value;
    int used;
} slot;

typedef struct table {
    slot *slots;
    size_t room, used;
} table;

/* The calls of a thread that pass and have not returned. */
typedef struct calls {
    uint64_t exports[MAX_OPEN];
    uint32_t count;
} calls;

struct weft_filter {
    list lists[LISTS];
    uint64_t kinds[KIND_WORDS]; /* that the list of kinds lets pass */
    table masks[LISTS];         /* by identity: which entries of the list match it */
    table threads;              /* by thread: place in `open`, from 1 */
    calls *open;
    size_t open_count;
    int no_memory; /* 1: nothing is hidden any more */
    line_table rows;
};

/* ------------------------------------------------------------------------------------------ texts
 */

/* Whether `text` is `pattern`, in which `*` stands for any text, none included. */
static int matches(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++resume;
        } else {
            return 0;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == 0;
}

/* Edits from one word to another: Levenshtein's distance, for the suggestion of a kind. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[65];
    size_t length = strlen(b);
    if (length >= sizeof row / sizeof row[0]) {
        return UINT32_MAX;
    }
    for (unsigned j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; *a; a++, i++) {
        unsigned corner = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= length; j++) {
            unsigned change = corner + (*a != b[j - 1]);
            unsigned other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            corner = row[j];
            row[j] = change < other ? change : other;
        }
    }
    return row[length];
}

static const char *nearest_kind(const char *name)
{
    const char *best = NULL;
    unsigned least = UINT32_MAX;
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        unsigned edits = distance(name, weft_event_kind_of(kind)->name);
        if (edits < least) {
            least = edits;
            best = weft_event_kind_of(kind)->name;
        }
    }
    return best;
}

/* Digits alone, of that base; 0 where it is anything else. */
static int is_number(const char *text, unsigned base, size_t least, size_t most, uint64_t *value)
{
    size_t length = strlen(text);
    *value = 0;
    for (; *text; text++) {
        const char *digits = "0123456789abcdefABCDEF";
        const char *at = strchr(digits, *text);
        unsigned digit = at ? (unsigned)(at - digits) : 99;
        digit = digit > 15 && digit < 99 ? digit - 6 : digit;
        if (digit >= base || length > most) {
            return 0;
        }
        *value = *value * base + digit;
    }
    return length >= least;
}

/* ------------------------------------------------------------------------------------------ lists
 */

/* Reads an entry for what its list takes; 0 with *expected where it is none. */
static int read_entry(list *l, int which, entry *e, const char **expected)
{
    uint64_t value;
    *expected = "a name";
    if (e->text[0] == 0) {
        return 0;
    }
    if (which == KINDS && !strchr(e->text, '*') && strcmp(e->text, "all") != 0 &&
        strncmp(e->text, "kind.", 5) != 0) {
        *expected = nearest_kind(e->text);
        return strcmp(*expected, e->text) == 0;
    }
    if (which == THREADS || which == OBJECTS) {
        e->is_id = (uint8_t)is_number(e->text, 16, 16, 16, &e->id);
    }
    if (which == THREADS && strcmp(e->text, "machine") == 0) {
        e->is_id = 1; /* identity 0 */
    }
    if (which == THREADS && !e->is_id && is_number(e->text, 10, 1, 20, &value)) {
        *expected = "a thread id below 2^32";
        e->tid = (uint32_t)value;
        e->is_tid = 1;
        l->has_tids = 1;
        return strlen(e->text) <= 10 && value <= UINT32_MAX;
    }
    return 1;
}

static const char *const list_names[LISTS] = {"kind", "thread", "export", "object"};

/* Cuts a list apart; 0 with the reason in `why`. Spaces around entries do not count. */
static int read_list(list *l, int which, const char *text, char *why, size_t room)
{
    const char *expected;
    size_t length = text ? strlen(text) : 0;
    if (length == 0 || strspn(text, " \t") == length) {
        return 1;
    }
    if (length > MAX_TEXT) {
        snprintf(why, room, "list of %ss is too long (found %zu bytes, expected at most %d)",
                 list_names[which], length, MAX_TEXT);
        return 0;
    }
    l->text = malloc(length + 1);
    if (!l->text) {
        snprintf(why, room, "no memory for a filter");
        return 0;
    }
    memcpy(l->text, text, length + 1);
    for (char *at = l->text, *next; at; at = next) {
        next = strchr(at, ',');
        if (next) {
            *next++ = 0;
        }
        at += strspn(at, " \t");
        for (size_t end = strlen(at); end > 0 && strchr(" \t", at[end - 1]); end--) {
            at[end - 1] = 0;
        }
        if (l->count == MAX_ENTRIES) {
            snprintf(why, room, "list of %ss is too long (found more than %d entries)",
                     list_names[which], MAX_ENTRIES);
            return 0;
        }
        entry *e = &l->entries[l->count];
        e->negative = *at == '!';
        e->text = at + e->negative;
        l->count++;
        if (!read_entry(l, which, e, &expected)) {
            snprintf(why, room, "%s is none (found \"%.64s\", expected %s)", list_names[which],
                     e->text, expected);
            return 0;
        }
    }
    return 1;
}

/* Whether the list wants what the entries of the mask match: the last of them decides. */
static int decide(const list *l, uint64_t mask)
{
    if (l->count == 0) {
        return 1;
    }
    for (uint32_t i = l->count; i-- > 0;) {
        if (mask >> i & 1) {
            return !l->entries[i].negative;
        }
    }
    return l->entries[0].negative;
}

/* The entries whose text, or identity, is this. `text` may be NULL. */
static uint64_t match_list(const list *l, const char *text, uint64_t id)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        const entry *e = &l->entries[i];
        int match = e->is_id ? e->id == id : !e->is_tid && text && matches(e->text, text);
        mask |= (uint64_t)match << i;
    }
    return mask;
}

/* The entries that name a kind. A line calls kernel.return.void "kernel.return", and so may a list.
 */
static uint64_t match_kind(const list *l, const char *name)
{
    uint64_t mask = match_list(l, name, 0);
    if (strcmp(name, "kernel.return.void") == 0) {
        mask |= match_list(l, "kernel.return", 0);
    }
    for (uint32_t i = 0; i < l->count; i++) {
        mask |= (uint64_t)(strcmp(l->entries[i].text, "all") == 0) << i;
    }
    return mask;
}

/* ----------------------------------------------------------------------------------------- tables
 */

static slot *place(slot *slots, size_t room, uint64_t id)
{
    size_t at = (size_t)((id ^ id >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (room - 1);
    while (slots[at].used && slots[at].id != id) {
        at = (at + 1) & (room - 1);
    }
    return &slots[at];
}

static slot *find(const table *t, uint64_t id)
{
    slot *s = t->room ? place(t->slots, t->room, id) : NULL;
    return s && s->used ? s : NULL;
}

/* Adds what find has not found. 0 without memory. */
static int add(table *t, uint64_t id, uint64_t value)
{
    if (t->used * 2 >= t->room) {
        size_t room = t->room ? t->room * 2 : 64;
        slot *slots = calloc(room, sizeof *slots);
        if (!slots) {
            return 0;
        }
        for (size_t i = 0; i < t->room; i++) {
            if (t->slots[i].used) {
                *place(slots, room, t->slots[i].id) = t->slots[i];
            }
        }
        free(t->slots);
        t->slots = slots;
        t->room = room;
    }
    *place(t->slots, t->room, id) = (slot){.id = id, .value = value, .used = 1};
    t->used++;
    return 1;
}

/* ----------------------------------------------------------------------------------------- filter
 */

weft_filter *weft_filter_new(const weft_filter_texts *texts, char *why, size_t room)
{
    const char *all[LISTS] = {texts->kinds, texts->threads, texts->exports, texts->objects};
    weft_filter *f = calloc(1, sizeof *f);
    if (!f) {
        snprintf(why, room, "no memory for a filter");
        return NULL;
    }
    for (int i = 0; i < LISTS; i++) {
        if (!read_list(&f->lists[i], i, all[i], why, room)) {
            weft_filter_free(f);
            return NULL;
        }
    }
    line_table_init(&f->rows);
    const list *l = &f->lists[KINDS];
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        const weft_event_kind *row = weft_event_kind_of(kind);
        uint64_t mask = match_kind(l, row->name);
        int asked = row->flags & WEFT_KIND_ASKED;
        /* Nobody asks for a kind by taking another away. */
        int pass = mask == 0 && asked ? 0 : decide(l, mask);
        f->kinds[kind / 64] |= (uint64_t)(pass || kind == WEFT_EVENT_DEFINE) << kind % 64;
    }
    return f;
}

void weft_filter_free(weft_filter *f)
{
    if (f) {
        for (int i = 0; i < LISTS; i++) {
            free(f->lists[i].text);
            free(f->masks[i].slots);
        }
        free(f->threads.slots);
        free(f->open);
        free(f);
    }
}

/* An event on its way through the lists. */
typedef struct passing {
    weft_filter *filter;
    const weft_event *event;
    const uint64_t *words;
    uint32_t count;
    const char *(*name)(void *names, uint64_t id);
    void *names;
} passing;

/* An export's bare name, out of "module!name(argument,...)#ordinal". */
static const char *bare_name(const char *text, char *room, size_t size)
{
    const char *bang = strchr(text, '!');
    const char *open = bang ? strchr(bang, '(') : NULL;
    if (!open) {
        return text;
    }
    snprintf(room, size, "%.*s", (int)(open - bang - 1), bang + 1);
    return room;
}

/* The entries of a list that match an identity; kept once its text is known. */
static uint64_t mask_of(passing *p, int which, uint64_t id)
{
    weft_filter *f = p->filter;
    const slot *s = find(&f->masks[which], id);
    char room[256];
    if (s) {
        return s->value;
    }
    const char *text = p->name ? p->name(p->names, id) : NULL;
    const char *shown = text && which == EXPORTS ? bare_name(text, room, sizeof room) : text;
    uint64_t mask = which == KINDS ? match_kind(&f->lists[which], shown ? shown : "")
                                   : match_list(&f->lists[which], shown, id);
    if (text || (which == THREADS && id == 0)) {
        f->no_memory |= !add(&f->masks[which], id, mask);
    }
    return mask;
}

static int kind_passes(passing *p)
{
    weft_filter *f = p->filter;
    uint16_t kind = p->event->kind;
    char room[16];
    if (f->lists[KINDS].count == 0 && !weft_event_kind_of(kind)) {
        return 1;
    }
    if (weft_event_kind_of(kind)) {
        return (int)(f->kinds[kind / 64] >> kind % 64 & 1);
    }
    if (kind == 0 && p->count > 0) { /* another engine's: the first word is the name's identity */
        return decide(&f->lists[KINDS], mask_of(p, KINDS, p->words[0]));
    }
    snprintf(room, sizeof room, "kind.%u", kind);
    return decide(&f->lists[KINDS], match_kind(&f->lists[KINDS], room));
}

static int thread_passes(passing *p)
{
    const list *l = &p->filter->lists[THREADS];
    if (l->count == 0) {
        return 1;
    }
    uint64_t mask = mask_of(p, THREADS, p->event->thread);
    for (uint32_t i = 0; l->has_tids && i < l->count; i++) {
        mask |= (uint64_t)(l->entries[i].is_tid && l->entries[i].tid == p->event->tid) << i;
    }
    return decide(l, mask);
}

/* The calls of the event's thread; made where `make`. NULL where there are none. */
static calls *calls_of(passing *p, int make)
{
    weft_filter *f = p->filter;
    const slot *s = find(&f->threads, p->event->thread);
    if (s || !make) {
        return s ? &f->open[s->value] : NULL;
    }
    if ((f->open_count & (f->open_count - 1)) == 0) { /* full: a power of two, or none */
        size_t room = f->open_count ? f->open_count * 2 : 1;
        calls *more = realloc(f->open, room * sizeof *more);
        if (!more) {
            f->no_memory = 1;
            return NULL;
        }
        f->open = more;
    }
    if (!add(&f->threads, p->event->thread, f->open_count)) {
        f->no_memory = 1;
        return NULL;
    }
    f->open[f->open_count].count = 0;
    return &f->open[f->open_count++];
}

static void begin_call(calls *c, uint64_t export)
{
    if (c->count == MAX_OPEN) {
        memmove(c->exports, c->exports + 1, (MAX_OPEN - 1) * sizeof c->exports[0]);
        c->count--;
    }
    c->exports[c->count++] = export;
}

/* Ends the latest call of the export and those within it, which an unwinding guest left behind. */
static void end_call(calls *c, uint64_t export)
{
    for (uint32_t i = c->count; i-- > 0;) {
        if (c->exports[i] == export) {
            c->count = i;
            return;
        }
    }
}

static int export_passes(passing *p)
{
    const list *l = &p->filter->lists[EXPORTS];
    uint16_t kind = p->event->kind;
    if (l->count == 0) {
        return 1;
    }
    const line_kind *row = kind < WEFT_EVENT_KIND_END ? &p->filter->rows.kinds[kind] : NULL;
    int has_export = row && row->count > 0 && row->fields[0].name_length == 6 &&
                     memcmp(row->fields[0].name, "export", 6) == 0 && p->count > 0;
    if (!has_export) {
        calls *c = calls_of(p, 0);
        int inside = c && c->count > 0;
        if (inside && kind == WEFT_EVENT_THREAD_EXIT) {
            c->count = 0;
        }
        return inside;
    }
    int pass = decide(l, mask_of(p, EXPORTS, p->words[0]));
    calls *c = pass ? calls_of(p, kind == WEFT_EVENT_KERNEL_CALL) : NULL;
    if (c && kind == WEFT_EVENT_KERNEL_CALL) {
        begin_call(c, p->words[0]);
    } else if (c && (kind == WEFT_EVENT_KERNEL_RETURN || kind == WEFT_EVENT_KERNEL_RETURN_VOID)) {
        end_call(c, p->words[0]);
    }
    return pass;
}

static int object_passes(passing *p)
{
    const list *l = &p->filter->lists[OBJECTS];
    uint16_t kind = p->event->kind;
    uint64_t mask = 0;
    if (l->count == 0) {
        return 1;
    }
    const line_kind *row = kind < WEFT_EVENT_KIND_END ? &p->filter->rows.kinds[kind] : NULL;
    uint32_t at = 0;
    for (uint32_t i = 0; row && i < row->count && at < p->count; i++) {
        char type = row->fields[i].type;
        uint64_t first = p->words[at++];
        uint64_t more = type == 's'            ? first / 8 + (first % 8 != 0)
                        : strchr("UXDP", type) ? first
                                               : 0;
        if (more > p->count - at) {
            break; /* not what its row says: nothing is known of the rest */
        }
        mask |= type == 'd' ? mask_of(p, OBJECTS, first) : 0;
        for (uint64_t j = 0; type == 'D' && j < more; j++) {
            mask |= mask_of(p, OBJECTS, p->words[at + j]);
        }
        at += (uint32_t)more;
    }
    return decide(l, mask);
}

int weft_filter_by_kind(const weft_filter *f)
{
    return !(f->lists[THREADS].count | f->lists[EXPORTS].count | f->lists[OBJECTS].count);
}

int weft_filter_pass(weft_filter *f, const weft_event *event,
                     const char *(*name)(void *names, uint64_t id), void *names)
{
    if (event->kind == WEFT_EVENT_DEFINE) {
        return 1;
    }
    if (weft_filter_by_kind(f) && weft_event_kind_of(event->kind)) { /* most filters do */
        return (int)(f->kinds[event->kind / 64] >> event->kind % 64 & 1) || f->no_memory;
    }
    passing p = {.filter = f, .event = event, .name = name, .names = names};
    p.words = weft_trace_words(event, &p.count);
    /* Exports first: it follows the calls, whether or not the others hide the event. */
    int pass = export_passes(&p);
    pass = pass && kind_passes(&p) && thread_passes(&p) && object_passes(&p);
    return pass || f->no_memory;
}

void weft_filter_kinds(const weft_filter *f, uint64_t *bits, size_t words)
{
    memset(bits, 0, words * sizeof *bits);
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END && kind / 64 < words; kind++) {
        const line_kind *row = &f->rows.kinds[kind];
        const list *objects = &f->lists[OBJECTS];
        int has_object = objects->count == 0 || objects->entries[0].negative;
        for (uint32_t i = 0; i < row->count; i++) {
            has_object |= row->fields[i].type == 'd' || row->fields[i].type == 'D';
        }
        uint64_t pass = (uint64_t)(has_object && (f->kinds[kind / 64] >> kind % 64 & 1));
        bits[kind / 64] |= pass << kind % 64;
    }
}

int weft_filter_is_empty(const weft_filter *f)
{
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        if (!(weft_event_kind_of(kind)->flags & WEFT_KIND_ASKED) &&
            !(f->kinds[kind / 64] >> kind % 64 & 1)) {
            return 0;
        }
    }
    return f->lists[THREADS].count == 0 && f->lists[EXPORTS].count == 0 &&
           f->lists[OBJECTS].count == 0;
}
