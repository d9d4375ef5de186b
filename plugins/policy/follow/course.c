/* course.c: see course.h. */
#include "course.h"

#include <stdlib.h>
#include <string.h>

/* In an entry: it has been used up. */
#define USED UINT32_C(0x40)
#define FAR  64 /* entries that are counted ahead */

static uint32_t hash_of(uint64_t id)
{
    return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
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
    uint32_t count = o->order->count, lanes = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t thread = course_owner(o, i);
        if (!last[thread]) {
            last[thread] = ++lanes;
        }
    }
    o->following = malloc((count + 1u) * sizeof *o->following);
    o->lanes = malloc((lanes + 1u) * sizeof *o->lanes);
    if (!o->following || !o->lanes) {
        return 0;
    }
    for (uint32_t i = 0; i < lanes; i++) {
        o->lanes[i].next = COURSE_NONE;
    }
    for (uint32_t i = count; i-- > 0;) {
        uint32_t thread = course_owner(o, i);
        course_lane *lane = &o->lanes[last[thread] - 1];
        lane->thread = thread;
        o->following[i] = lane->next;
        lane->next = i;
    }
    for (uint32_t i = 0; i < lanes; i++) {
        last[o->lanes[i].thread] = 0;
    }
    o->lane_count = lanes;
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
        .objects = calloc(order->object_count + 1u, sizeof *c->objects),
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
        c->objects[i] = (course_object){.id = order->objects[i].id, .order = &order->objects[i]};
        enlist(c->object_slots, c->object_mask, c->objects[i].id, i);
        good = lay_lanes(&c->objects[i], last);
    }
    free(last);
    return good;
}

void course_end(course *c)
{
    for (uint32_t i = 0; c->objects && i < c->object_count; i++) {
        free(c->objects[i].following);
        free(c->objects[i].lanes);
    }
    free(c->objects);
    free(c->threads);
    free(c->thread_slots);
    free(c->object_slots);
    weft_order_free(c->order);
}

/* Whether an operation of one kind may stand for an entry of another: whether a section is found free
 * or held is what the order decides. */
static int is_alike(uint32_t kind, uint32_t other)
{
    return kind == other ||
           (kind <= WEFT_SYNC_ENTER_CONTENDED && other <= WEFT_SYNC_ENTER_CONTENDED);
}

uint32_t course_find(const course *c, const course_object *o, uint32_t thread, uint32_t kind,
                     uint32_t *skipped)
{
    const course_lane *lane = lane_of(o, thread);
    uint32_t entry = lane ? lane->next : COURSE_NONE;
    /* a wait that ended so here may have ended otherwise there: nothing further on is its entry */
    uint32_t most = course_is_end(kind) ? 0 : c->ahead;
    for (*skipped = 0; entry != COURSE_NONE && *skipped <= most; ++*skipped) {
        if (is_alike(kind, o->order->operations[entry] & WEFT_ORDER_KIND)) {
            return entry;
        }
        entry = o->following[entry];
    }
    return COURSE_NONE;
}

int course_is_over(const course_object *o, uint32_t thread)
{
    const course_lane *lane = lane_of(o, thread);
    return !lane || lane->next == COURSE_NONE;
}

/* Whether somebody is still to come for an entry. */
static int binds(const course *c, const course_object *o, uint32_t entry)
{
    const course_thread *owner = &c->threads[course_owner(o, entry)];
    return !(o->order->operations[entry] & USED) && !owner->off && !owner->ended;
}

uint32_t course_head(const course *c, course_object *o)
{
    while (o->head < o->order->count && !binds(c, o, o->head)) {
        o->head++;
    }
    return o->head;
}

uint32_t course_distance(const course *c, const course_object *o, uint32_t entry)
{
    uint32_t count = 0;
    for (uint32_t i = o->head; i < entry && count < FAR; i++) {
        count += binds(c, o, i);
    }
    return count > 0 ? count : 1;
}

void course_meet(const course *c, course_object *o, uint64_t sequence)
{
    if (!o->met) {
        o->met = 1;
        o->told = sequence;
    }
    uint64_t taken = sequence > o->told ? sequence - o->told : 0;
    while (o->ahead < taken && course_head(c, o) < o->order->count &&
           course_is_end(o->order->operations[o->head] & WEFT_ORDER_KIND)) {
        o->head++;
        o->ahead++;
    }
}

void course_tell(course_object *o, uint32_t kind, uint64_t sequence)
{
    if (!o->met && !course_is_end(kind)) {
        o->met = 1;
        o->told = sequence;
    }
    o->told += o->met;
}

void course_pass(course_object *o, uint32_t entry)
{
    o->head = entry > o->head ? entry : o->head;
}

void course_use(const course *c, course_object *o, uint32_t thread, uint32_t entry)
{
    course_lane *lane = lane_of(o, thread);
    while (lane->next != COURSE_NONE && lane->next <= entry) {
        int was_ahead = lane->next < o->head &&
                        course_is_end(o->order->operations[lane->next] & WEFT_ORDER_KIND);
        o->ahead -= was_ahead && o->ahead > 0;
        o->order->operations[lane->next] |= USED;
        lane->next = o->following[lane->next];
    }
    (void)course_head(c, o);
}
