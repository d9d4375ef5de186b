/* order.c: the order manifest as a file (order.h). */
#include "order.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "json.h"
#include "out.h"

/* One letter for each WEFT_SYNC_* kind, a capital one where it is soft. CALL has no object. */
static const char letters[] = "eclwsk?tro";

#define MOST_THREADS (UINT32_C(1) << 20)
#define MOST_PERIOD  8 /* letters that are written once for all their repetitions */

uint64_t weft_order_place(const weft_order_object *o, uint32_t n)
{
    uint32_t step = n / WEFT_ORDER_STEP, within = n % WEFT_ORDER_STEP;
    uint64_t place = o->places[step];
    if (within > 0 && (step + 1) * WEFT_ORDER_STEP < o->count) {
        place += (o->places[step + 1] - place) * within / WEFT_ORDER_STEP;
    } else {
        place += within;
    }
    return place;
}

void weft_order_free(weft_order *order)
{
    if (!order) {
        return;
    }
    for (uint32_t i = 0; i < order->thread_count; i++) {
        free(order->threads[i].name);
    }
    for (uint32_t i = 0; i < order->object_count; i++) {
        free(order->objects[i].name);
        free(order->objects[i].operations);
        free(order->objects[i].places);
        free(order->objects[i].links);
    }
    free(order->threads);
    free(order->objects);
    free(order);
}

/* ---- writing ----------------------------------------------------------------------------------- */

static void put_member(out *o, const char *name, uint64_t value)
{
    out_str(o, name);
    out_u64(o, value);
}

static void put_letter(out *o, uint32_t operation)
{
    char letter = letters[operation & WEFT_ORDER_KIND];
    letter = operation & WEFT_ORDER_SOFT ? (char)(letter - 'a' + 'A') : letter;
    out_raw(o, &letter, 1);
}

/* How many operations from `at` on are those of `period` again and again, in whole turns. */
static uint32_t repeated(const weft_order_object *object, uint32_t at, uint32_t period)
{
    uint32_t n = at + period;
    while (n < object->count && object->operations[n] == object->operations[n - period]) {
        n++;
    }
    return (n - at) / period * period;
}

/* "3el.500 2cl": thread 3 enters and leaves 500 times, thread 2 once. */
static void put_operations(out *o, const weft_order_object *object)
{
    uint32_t thread = UINT32_MAX, n = 0;
    while (n < object->count) {
        uint32_t best = 0, period = 1;
        for (uint32_t p = 1; p <= MOST_PERIOD && n + p <= object->count; p++) {
            if (object->operations[n + p - 1] >> WEFT_ORDER_THREAD !=
                object->operations[n] >> WEFT_ORDER_THREAD) {
                break;
            }
            uint32_t covered = repeated(object, n, p);
            if (covered > p * 3 && covered > best) {
                best = covered;
                period = p;
            }
        }
        if (object->operations[n] >> WEFT_ORDER_THREAD != thread) {
            thread = object->operations[n] >> WEFT_ORDER_THREAD;
            out_u64(o, thread);
        } else if (best) {
            out_raw(o, " ", 1); /* a repetition is of the letters since the last digit or space */
        }
        for (uint32_t i = 0; i < period; i++) {
            put_letter(o, object->operations[n + i]);
        }
        if (best) {
            put_member(o, ".", best / period);
            out_raw(o, " ", 1);
        }
        n += best ? best : 1;
    }
}

/* "17<2.40 19<3.5": operation 17 comes after operation 40 of object 2. */
static void put_links(out *o, const weft_order_object *object)
{
    for (uint32_t i = 0; i < object->link_count; i++) {
        put_member(o, i ? " " : "", object->links[i].entry);
        put_member(o, "<", object->links[i].after_object);
        put_member(o, ".", object->links[i].after_entry);
    }
}

static void put_object(out *o, const weft_order_object *object)
{
    uint64_t last = 0;
    out_str(o, "{\"id\":");
    out_id(o, object->id);
    if (object->name) {
        out_str(o, ",\"name\":");
        out_string(o, object->name, strlen(object->name));
    }
    put_member(o, ",\"first\":", object->first);
    put_member(o, ",\"operations\":", object->count);
    out_str(o, ",\"at\":\"");
    for (uint32_t i = 0; i * WEFT_ORDER_STEP < object->count; i++) {
        put_member(o, i ? " " : "", object->places[i] - last);
        last = object->places[i];
    }
    out_str(o, "\",\"order\":\"");
    put_operations(o, object);
    if (object->link_count > 0) {
        out_str(o, "\",\"after\":\"");
        put_links(o, object);
    }
    out_str(o, "\"}");
}

static int flush(out *o, FILE *file)
{
    int good = !o->no_memory && fwrite(o->bytes, 1, o->used, file) == o->used;
    o->used = 0;
    return good;
}

int weft_order_write(const weft_order *order, FILE *file, const char *source, const char *sha256)
{
    out o = {0};
    put_member(&o, "{\"version\":", WEFT_ORDER_VERSION);
    out_str(&o, ",\"source\":");
    out_string(&o, source, strlen(source));
    out_str(&o, ",\"source_sha256\":");
    out_string(&o, sha256, strlen(sha256));
    put_member(&o, ",\n\"resolution\":", order->resolution);
    put_member(&o, ",\"events\":", order->events);
    put_member(&o, ",\"operations\":", order->operations);
    put_member(&o, ",\"soft\":", order->soft);
    put_member(&o, ",\"missing\":", order->missing);
    put_member(&o, ",\"duplicates\":", order->duplicates);
    out_str(&o, ",\n\"threads\":[");
    for (uint32_t i = 0; i < order->thread_count; i++) {
        out_str(&o, i ? ",\n{\"id\":" : "\n{\"id\":");
        out_id(&o, order->threads[i].id);
        if (order->threads[i].name) {
            out_str(&o, ",\"name\":");
            out_string(&o, order->threads[i].name, strlen(order->threads[i].name));
        }
        put_member(&o, ",\"operations\":", order->threads[i].operations);
        out_str(&o, "}");
    }
    out_str(&o, "],\n\"objects\":[");
    int good = 1;
    for (uint32_t i = 0; good && i < order->object_count; i++) {
        out_str(&o, i ? ",\n" : "\n");
        put_object(&o, &order->objects[i]);
        good = o.used < 1 << 16 || flush(&o, file);
    }
    out_str(&o, "\n]}\n");
    good = good && flush(&o, file) && fflush(file) == 0;
    out_free(&o);
    return good;
}

/* ---- reading ----------------------------------------------------------------------------------- */

typedef struct loading {
    weft_order *order;
    json_tree tree;
    char *why;
    size_t room;
} loading;

static int bad(loading *l, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(l->why, l->room, format, arguments);
    va_end(arguments);
    return 0;
}

static int count_of(const json_node *node, uint64_t *value)
{
    if (!node || node->type != JSON_NUMBER || !node->exact || node->negative) {
        return 0;
    }
    *value = node->number;
    return 1;
}

static int identity_of(const json_node *node, uint64_t *id)
{
    char text[17], *end;
    if (!node || node->type != JSON_STRING || node->length != 16 ||
        strspn(node->text, "0123456789abcdef") < 16) {
        return 0;
    }
    memcpy(text, node->text, 16);
    text[16] = 0;
    *id = strtoull(text, &end, 16);
    return 1;
}

/* A copy of a name, which may be left out. 0 without memory. */
static int name_of(const json_node *node, char **name)
{
    *name = NULL;
    if (node && node->type == JSON_STRING) {
        *name = malloc(node->length + 1);
        if (*name) {
            memcpy(*name, node->text, node->length);
            (*name)[node->length] = 0;
        }
        return *name != NULL;
    }
    return 1;
}

/* Decimal digits; 0 where there are none, or too many. */
static int digits(const char **at, const char *end, uint64_t *value)
{
    const char *from = *at;
    *value = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        if (*value > (UINT64_MAX - 9) / 10) {
            return 0;
        }
        *value = *value * 10 + (uint64_t)(**at - '0');
    }
    return *at > from;
}

static int read_threads(loading *l, const json_node *list)
{
    const json_tree *t = &l->tree;
    if (!list || list->type != JSON_ARRAY || list->count > MOST_THREADS) {
        return bad(l, "manifest has no list of threads (expected at most %u)",
                   (unsigned)MOST_THREADS);
    }
    l->order->threads = calloc(list->count + 1u, sizeof *l->order->threads);
    if (!l->order->threads) {
        return bad(l, "no memory for a manifest");
    }
    for (const json_node *n = json_child(t, list); n; n = json_next(t, n)) {
        weft_order_thread *thread = &l->order->threads[l->order->thread_count];
        if (!identity_of(json_get(t, n, "id"), &thread->id)) {
            return bad(l, "thread %u has no usable id (expected 16 hex digits)",
                       l->order->thread_count);
        }
        l->order->thread_count++;
        if (!name_of(json_get(t, n, "name"), &thread->name)) {
            return bad(l, "no memory for a manifest");
        }
    }
    return 1;
}

static int read_places(loading *l, weft_order_object *o, const json_node *node)
{
    uint64_t place = 0, step;
    uint32_t count = (o->count + WEFT_ORDER_STEP - 1) / WEFT_ORDER_STEP;
    const char *at = node->text, *end = node->text + node->length;
    for (uint32_t i = 0; i < count; i++) {
        if ((i > 0 && (at == end || *at++ != ' ')) || !digits(&at, end, &step) ||
            step > UINT64_MAX - place) {
            return bad(l, "object %u has no usable at (found %u places, expected %u)",
                       l->order->object_count, i, count);
        }
        o->places[i] = place += step;
    }
    return at == end || bad(l, "object %u has more places than operations", l->order->object_count);
}

static int read_operations(loading *l, weft_order_object *o, const json_node *node)
{
    const char *text = node->text, *at = text, *end = text + node->length;
    uint64_t thread = UINT64_MAX, times;
    uint32_t used = 0, group = 0; /* where the letters begin that a repetition is of */
    int8_t kinds[256];            /* by letter; -1: none */
    memset(kinds, -1, sizeof kinds);
    for (int i = 0; letters[i]; i++) {
        if (letters[i] != '?') {
            kinds[(unsigned char)letters[i]] = (int8_t)i;
        }
    }
    while (at < end) {
        int kind = kinds[(unsigned char)*at | 0x20];
        size_t place = (size_t)(at - text);
        if (*at == ' ') {
            at++;
            group = used;
        } else if (*at >= '0' && *at <= '9') {
            if (!digits(&at, end, &thread) || thread >= l->order->thread_count) {
                return bad(l,
                           "object %u names a thread that is not there, at byte %zu of its "
                           "order (expected at most %u)",
                           l->order->object_count, place, l->order->thread_count);
            }
            group = used;
        } else if (*at == '.') {
            at++;
            if (!digits(&at, end, &times) || times < 1 || used == group ||
                times - 1 > (o->count - used) / (used - group)) {
                return bad(l, "object %u has a repetition that cannot be, at byte %zu of its order",
                           l->order->object_count, place);
            }
            uint32_t length = used - group, all = length * (uint32_t)(times - 1);
            for (uint32_t i = 0; i < all; i++, used++) {
                o->operations[used] = o->operations[used - length];
            }
            group = used;
        } else if (kind >= 0 && thread != UINT64_MAX && used < o->count) {
            o->operations[used++] = (uint32_t)thread << WEFT_ORDER_THREAD |
                                    (*at < 'a' ? WEFT_ORDER_SOFT : 0) | (uint32_t)kind;
            at++;
        } else {
            return bad(l,
                       "object %u cannot be read at byte %zu of its order (found 0x%02x, "
                       "expected an operation)",
                       l->order->object_count, place, (unsigned char)*at);
        }
    }
    for (uint32_t i = 0; i < used; i++) {
        l->order->soft += (o->operations[i] & WEFT_ORDER_SOFT) != 0;
        l->order->threads[o->operations[i] >> WEFT_ORDER_THREAD].operations++;
    }
    return used == o->count || bad(l, "object %u has too few operations (found %u, expected %u)",
                                   l->order->object_count, used, o->count);
}

/* One link at *at, which moves behind it. */
static int read_link(const char **at, const char *end, weft_order_link *link)
{
    uint64_t entry, object, after;
    if (!digits(at, end, &entry) || *at == end || *(*at)++ != '<' || !digits(at, end, &object) ||
        *at == end || *(*at)++ != '.' || !digits(at, end, &after)) {
        return 0;
    }
    *link = (weft_order_link){(uint32_t)entry, (uint32_t)object, (uint32_t)after};
    return entry < WEFT_ORDER_MOST && object < WEFT_ORDER_MOST && after < WEFT_ORDER_MOST;
}

/* What there is to read is checked further by check_links, when all objects are known. */
static int read_links(loading *l, weft_order_object *o, const json_node *node)
{
    const char *at = node->text, *end = node->text + node->length;
    o->links = malloc((node->length / 6 + 1) * sizeof *o->links); /* the shortest is "0<0.0 " */
    if (!o->links) {
        return bad(l, "no memory for a manifest");
    }
    while (at < end) {
        weft_order_link *link = &o->links[o->link_count];
        size_t place = (size_t)(at - node->text);
        if ((o->link_count > 0 && *at++ != ' ') || !read_link(&at, end, link) ||
            link->entry >= o->count || (o->link_count > 0 && link->entry < link[-1].entry)) {
            return bad(l, "object %u has a link that cannot be read, at byte %zu",
                       l->order->object_count, place);
        }
        o->link_count++;
    }
    l->order->links += o->link_count;
    return 1;
}

static int check_links(loading *l)
{
    const weft_order *order = l->order;
    for (uint32_t i = 0; i < order->object_count; i++) {
        for (uint32_t n = 0; n < order->objects[i].link_count; n++) {
            const weft_order_link *link = &order->objects[i].links[n];
            if (link->after_object >= order->object_count ||
                link->after_entry >= order->objects[link->after_object].count) {
                return bad(l,
                           "object %u has a link to an operation that is not there (found %u.%u)",
                           i, link->after_object, link->after_entry);
            }
        }
    }
    return 1;
}

static int read_object(loading *l, const json_node *n)
{
    const json_tree *t = &l->tree;
    weft_order_object *o = &l->order->objects[l->order->object_count];
    const json_node *at = json_get(t, n, "at"), *text = json_get(t, n, "order");
    const json_node *after = json_get(t, n, "after"); /* there where something has to wait */
    uint64_t count;
    if (!identity_of(json_get(t, n, "id"), &o->id)) {
        return bad(l, "object %u has no usable id (expected 16 hex digits)",
                   l->order->object_count);
    }
    if (!count_of(json_get(t, n, "first"), &o->first) ||
        !count_of(json_get(t, n, "operations"), &count) || !at || at->type != JSON_STRING ||
        !text || text->type != JSON_STRING) {
        return bad(l,
                   "object %u has no usable first, operations, at or order (expected what a "
                   "manifest of version 2 has)",
                   l->order->object_count);
    }
    if (count > WEFT_ORDER_MOST - l->order->operations) {
        return bad(l, "manifest has too many operations (expected at most %u)",
                   (unsigned)WEFT_ORDER_MOST);
    }
    o->count = o->room = (uint32_t)count;
    o->operations = malloc((count + 1) * sizeof *o->operations);
    o->places = malloc((count / WEFT_ORDER_STEP + 1) * sizeof *o->places);
    int named = name_of(json_get(t, n, "name"), &o->name);
    l->order->operations += count;
    int good = o->operations && o->places && named;
    good = good ? read_places(l, o, at) && read_operations(l, o, text)
                : bad(l, "no memory for a manifest");
    if (good && after && after->type == JSON_STRING) {
        good = read_links(l, o, after);
    }
    l->order->object_count++;
    return good;
}

static int read_order(loading *l, const json_node *root)
{
    const json_tree *t = &l->tree;
    uint64_t version = 0;
    if (!count_of(json_get(t, root, "version"), &version) || version != WEFT_ORDER_VERSION) {
        return bad(l, "manifest cannot be read (found version %llu, expected %u)",
                   (unsigned long long)version, (unsigned)WEFT_ORDER_VERSION);
    }
    if (!count_of(json_get(t, root, "resolution"), &l->order->resolution)) {
        return bad(l, "manifest has no usable resolution (expected ticks)");
    }
    count_of(json_get(t, root, "events"), &l->order->events);
    count_of(json_get(t, root, "missing"), &l->order->missing);
    count_of(json_get(t, root, "duplicates"), &l->order->duplicates);
    const json_node *objects = json_get(t, root, "objects");
    if (!read_threads(l, json_get(t, root, "threads"))) {
        return 0;
    }
    if (!objects || objects->type != JSON_ARRAY) {
        return bad(l, "manifest has no list of objects (expected one)");
    }
    l->order->objects = calloc(objects->count + 1u, sizeof *l->order->objects);
    if (!l->order->objects) {
        return bad(l, "no memory for a manifest");
    }
    for (const json_node *n = json_child(t, objects); n; n = json_next(t, n)) {
        if (!read_object(l, n)) {
            return 0;
        }
    }
    return check_links(l);
}

weft_order *weft_order_read(const char *text, size_t length, char *why, size_t room, size_t *at)
{
    loading l = {.order = calloc(1, sizeof *l.order), .why = why, .room = room};
    int good;
    *at = SIZE_MAX;
    if (!l.order) {
        good = bad(&l, "no memory for a manifest");
    } else if (length > WEFT_ORDER_BYTES) {
        good = bad(&l, "manifest is too long (found %zu bytes, expected at most %u)", length,
                   (unsigned)WEFT_ORDER_BYTES);
    } else {
        const json_node *root = json_read(&l.tree, text, length);
        good = root ? read_order(&l, root) : bad(&l, "%s", l.tree.error);
        *at = root ? SIZE_MAX : l.tree.error_at;
    }
    json_free(&l.tree);
    if (!good) {
        weft_order_free(l.order);
        return NULL;
    }
    return l.order;
}

weft_order *weft_order_read_file(const char *path, char *why, size_t room, size_t *at)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t length = 0, place;
    *at = 0;
    if (!file || fstat(fileno(file), &info) != 0) {
        snprintf(why, room, "cannot be read (found: %s, expected a file)", strerror(errno));
    } else if (!S_ISREG(info.st_mode) || (uint64_t)info.st_size > WEFT_ORDER_BYTES) {
        snprintf(why, room, "cannot be read (expected a file of at most %u bytes)",
                 (unsigned)WEFT_ORDER_BYTES);
    } else if ((text = malloc((size_t)info.st_size + 1)) == NULL) {
        snprintf(why, room, "no memory for a manifest");
    } else {
        length = fread(text, 1, (size_t)info.st_size, file);
    }
    if (file) {
        fclose(file);
    }
    if (!text) {
        return NULL;
    }
    weft_order *order = weft_order_read(text, length, why, room, &place);
    if (place != SIZE_MAX) {
        *at = 1;
        for (size_t i = 0; i < place && i < length; i++) {
            *at += text[i] == '\n';
        }
    }
    free(text);
    return order;
}
