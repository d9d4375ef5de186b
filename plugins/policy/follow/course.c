/* course.c: see course.h. */
#include "course.h"

#include <stdlib.h>
#include <string.h>

#define FAR 64 /* entries that are counted ahead */

static uint32_t hash_of(uint64_t id)
{
    return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* Zeros, from the beginning of a line of the host's cache on; sizes are multiples of 32. */
static void *lines(size_t count, size_t size)
{
    size_t bytes = (count * size + 63) / 64 * 64;
    void *p = aligned_alloc(64, bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

static uint32_t *table(uint32_t count, uint32_t *mask)
{
    uint32_t room = 16;
    while (room < count * 2) {
        room *= 2;
    }
    *mask = room - 1;
    return calloc(room, sizeof(uint32_t));
}

course_thread *course_thread_of(const course *c, uint64_t id)
{
    for (uint32_t slot = hash_of(id) & c->thread_mask; c->thread_slots[slot];
         slot = (slot + 1) & c->thread_mask) {
        course_thread *t = &c->threads[c->thread_slots[slot] - 1];
        if (t->id == id) {
            return t;
        }
    }
    return NULL;
}

course_object *course_object_of(const course *c, uint64_t id)
{
    for (uint32_t slot = hash_of(id) & c->object_mask; c->object_slots[slot];
         slot = (slot + 1) & c->object_mask) {
        course_object *o = &c->objects[c->object_slots[slot] - 1];
        if (o->id == id) {
            return o;
        }
    }
    return NULL;
}

static void enlist(uint32_t *slots, uint32_t mask, uint64_t id, uint32_t place)
{
    uint32_t slot = hash_of(id) & mask;
    while (slots[slot]) {
        slot = (slot + 1) & mask;
    }
    slots[slot] = place + 1;
}

static course_lane *lane_of(const course_object *o, uint32_t thread)
{
    for (uint32_t i = 0; i < o->lane_count; i++) {
        if (o->lanes[i].thread == thread) {
            return &o->lanes[i];
        }
    }
    return NULL;
}

/* `last`: by thread, its place in the object's lanes + 1; all 0 before and after. */
static int lay_lanes(course_object *o, uint32_t *last)
{
    uint32_t count = o->count, lanes = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t thread = o->order->operations[i] >> WEFT_ORDER_THREAD;
        if (!last[thread]) {
            last[thread] = ++lanes;
        }
    }
    o->entries = malloc((count + 1u) * sizeof *o->entries);
    o->lanes = malloc((lanes + 1u) * sizeof *o->lanes);
    if (!o->entries || !o->lanes) {
        return 0;
    }
    for (uint32_t i = 0; i < lanes; i++) {
        o->lanes[i].next = COURSE_NONE;
    }
    for (uint32_t i = count; i-- > 0;) {
        uint32_t operation = o->order->operations[i], thread = operation >> WEFT_ORDER_THREAD;
        course_lane *lane = &o->lanes[last[thread] - 1];
        lane->thread = thread;
        o->entries[i] = (course_entry){operation, lane->next};
        lane->next = i;
    }
    for (uint32_t i = 0; i < lanes; i++) {
        last[o->lanes[i].thread] = 0;
    }
    o->lane_count = lanes;
    free(o->order->operations);
    o->order->operations = NULL;
    return 1;
}

int course_start(course *c, weft_order *order, uint32_t ahead)
{
    uint32_t *last = calloc(order->thread_count + 1u, sizeof *last);
    *c = (course){
        .order = order,
        .ahead = ahead,
        .thread_count = order->thread_count,
        .object_count = order->object_count,
        .threads = calloc(order->thread_count + 1u, sizeof *c->threads),
        .objects = lines(order->object_count + 1u, sizeof *c->objects),
    };
    c->thread_slots = table(c->thread_count, &c->thread_mask);
    c->object_slots = table(c->object_count, &c->object_mask);
    int good = last && c->threads && c->objects && c->thread_slots && c->object_slots;
    for (uint32_t i = 0; good && i < c->thread_count; i++) {
        c->threads[i] = (course_thread){
            .id = order->threads[i].id,
            .held_object = COURSE_NONE,
            .relaxed_object = COURSE_NONE,
        };
        enlist(c->thread_slots, c->thread_mask, c->threads[i].id, i);
    }
    for (uint32_t i = 0; good && i < c->object_count; i++) {
        c->objects[i] = (course_object){
            .id = order->objects[i].id,
            .order = &order->objects[i],
            .count = order->objects[i].count,
            .first = order->objects[i].first,
            .links = order->objects[i].links,
            .link_count = order->objects[i].link_count,
        };
        enlist(c->object_slots, c->object_mask, c->objects[i].id, i);
        good = lay_lanes(&c->objects[i], last);
    }
    free(last);
    return good;
}

void course_end(course *c)
{
    for (uint32_t i = 0; c->objects && i < c->object_count; i++) {
        free(c->objects[i].entries);
        free(c->objects[i].lanes);
    }
    for (uint32_t i = 0; c->threads && i < c->thread_count; i++) {
        free(c->threads[i].near);
    }
    free(c->objects);
    free(c->threads);
    free(c->thread_slots);
    free(c->object_slots);
    weft_order_free(c->order);
}

const course_near *course_look_up(const course *c, course_thread *t, uint64_t object)
{
    if (!t->near) {
        t->near = lines(COURSE_NEAR, sizeof *t->near);
        if (!t->near) {
            return NULL;
        }
        course_weigh(t);
    }
    course_near *n = &t->near[object % COURSE_NEAR];
    *n = (course_near){.id = object, .object = course_object_of(c, object)};
    if (n->object) {
        n->lane = lane_of(n->object, (uint32_t)(t - c->threads));
    }
    return n;
}

uint32_t course_search(const course *c, const course_object *o, const course_lane *lane,
                       uint32_t kind, uint32_t *skipped)
{
    uint32_t entry = lane ? lane->next : COURSE_NONE;
    /* a wait that ended so here may have ended otherwise there: nothing further on is its entry */
    uint32_t most = course_is_end(kind) ? 0 : c->ahead;
    for (*skipped = 0; entry != COURSE_NONE && *skipped <= most; ++*skipped) {
        if (course_is_alike(kind, o->entries[entry].operation & WEFT_ORDER_KIND)) {
            return entry;
        }
        entry = o->entries[entry].next;
    }
    return COURSE_NONE;
}

/* Whether somebody is still to come for an entry. */
static int binds(const course *c, const course_object *o, uint32_t entry)
{
    const course_thread *owner = &c->threads[course_owner(o, entry)];
    return !(o->entries[entry].operation & COURSE_USED) && !owner->off && !owner->ended;
}

uint32_t course_seek_head(const course *c, course_object *o)
{
    while (o->head < o->count && !binds(c, o, o->head)) {
        o->head++;
    }
    return o->head;
}

uint32_t course_distance(const course *c, const course_object *o, uint32_t entry)
{
    uint32_t count = 0;
    for (uint32_t i = o->head; i < entry && count < FAR; i++) {
        count += c->freed ? (uint32_t)binds(c, o, i) : !(o->entries[i].operation & COURSE_USED);
    }
    return count > 0 ? count : 1;
}

void course_make_up(const course *c, course_object *o, uint64_t taken)
{
    while (o->ahead < taken && course_head(c, o) < o->count &&
           course_is_end(o->entries[o->head].operation & WEFT_ORDER_KIND)) {
        o->head++;
        o->ahead++;
    }
}

int course_waits(const course *c, const course_object *o, uint32_t entry)
{
    uint32_t low = 0, high = o->link_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (o->links[middle].entry < entry) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < o->link_count && o->links[low].entry == entry; low++) {
        course_object *other = &c->objects[o->links[low].after_object];
        if (course_head(c, other) <= o->links[low].after_entry) {
            return 1;
        }
    }
    return 0;
}

void course_pass(course_object *o, uint32_t entry)
{
    o->head = entry > o->head ? entry : o->head;
}
