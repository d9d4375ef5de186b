/* policy-follow: puts a run into the order of a reference.
 *
 * Who runs, and for how long, is the built-in policy's affair. Before each operation the thread is held
 * until it is its turn on that object, as the order manifest has it. Holding only takes choices
 * away, so what happens stays legal; and where nobody could go on, or somebody has waited too long, one
 * is let go before its turn, each entry once at most, so the run never stands still. Each such case is
 * counted and leaves policy.replay. docs/policy.md ("policy-follow") has the rules. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "course.h"
#include "pick.h"

#define AHEAD        64               /* entries */
#define LINE         8                /* entries in a line of the host's cache */
#define MOST_HELD    16               /* threads that pick_cpu looks at */
#define FAR_TICKS    UINT64_C(100000) /* so far behind it leaves nobody */
#define MOST_UNKNOWN 64 /* objects and threads that the manifest lacks, told one by one */

/* policy.replay `what`, and the places of the counters. */
enum {
    FOLLOWED,       /* operations in their turn; leave no event */
    STUCK,          /* let go since nobody could go on; outcome: entries it overtook at most */
    AGED,           /* let go since it had waited for too long; outcome: the same */
    STARVED,        /* let go by the kernel; outcome: the same */
    EARLY,          /* went before its turn, and could not be held; outcome: the same */
    LATE,           /* others were let past it before; leaves no event */
    SKIPPED,        /* outcome: entries that it left out */
    OFF_SCRIPT,     /* the thread does something else; its entries bind nobody */
    EXTRA,          /* of a thread off script, or after its last entry; leaves no event */
    UNKNOWN_OBJECT, /* the manifest lacks it */
    UNKNOWN_THREAD, /* the manifest lacks it */
    ABSENT,    /* outcome: its place in the manifest; it did not come, its entries bind nobody */
    GAVE_UP,   /* outcome: threads off script */
    POSTPONED, /* it was woken as in the reference, after its time-out; outcome: ticks after */
    COUNTERS
};

/* What an operation is in the manifest. */
typedef struct found_op {
    uint64_t thread_id, object_id;
    uint32_t kind;
    course_thread *thread; /* NULL: the manifest lacks it */
    course_object *object; /* likewise */
    course_lane *lane;     /* NULL: the thread has no entry there */
    uint32_t entry, skipped;
} found_op;

/* Where a thread is in the course: by the low bits of its identity. */
#define ACTORS 32
typedef struct actor {
    uint64_t id;
    course_thread *thread; /* NULL: the manifest lacks it */
} actor;

/* An operation that was let go in its turn, and has not been told of. */
typedef struct turn {
    const course_near *near; /* NULL: there is none */
    uint64_t sequence;
    uint32_t kind;
} turn;

typedef struct policy_follow {
    /* What each operation looks at fills two lines of the host's cache. */
    _Alignas(64) uint64_t acting; /* who acted last, 0: somebody else, or it is not plain */
    const course_near *places;    /* its own */
    turn turn;
    uint64_t now;   /* of the latest operation */
    uint64_t turns; /* operations of all threads */
    uint32_t gave_up, off, seen;
    uint64_t counters[COUNTERS];

    const weft_host *host;
    course course;
    found_op latest; /* looked up for `before`; mostly `after` comes with the same */
    actor actors[ACTORS];
    course_thread *held[MOST_HELD]; /* of those that are, in no order */
    uint32_t held_count;
    uint64_t next;           /* identity of whom pick_cpu has chosen, 0: nobody */
    uint64_t age, age_turns; /* ticks, operations; after so many one that is held is let go */
    uint64_t late;           /* ticks that a time-out which the reference did not see is put off */
    uint32_t give_up;        /* per cent of the threads */
    uint64_t
        departed; /* tick of the first event that leaves the reference's order; WEFT_TICK_NEVER: none */
    uint64_t unknown[MOST_UNKNOWN];
    uint32_t unknown_count;
} policy_follow;

/* ---- reports ----------------------------------------------------------------------------------- */

static void report(policy_follow *p, const weft_sched_view *view, uint32_t what, uint64_t thread,
                   uint64_t outcome, uint64_t object, uint64_t nth)
{
    weft_event_buffer event;
    p->counters[what]++;
    if (p->departed == WEFT_TICK_NEVER && what != UNKNOWN_OBJECT && what != UNKNOWN_THREAD &&
        what != POSTPONED) {
        p->departed = view->now != WEFT_TICK_NEVER ? view->now : p->now;
    }
    weft_event_begin(&event, WEFT_EVENT_POLICY_REPLAY);
    event.head.thread = thread;
    event.head.tick = view->now != WEFT_TICK_NEVER ? view->now : p->now;
    weft_event_word(&event, what);
    weft_event_word(&event, outcome);
    weft_event_word(&event, object);
    weft_event_word(&event, nth);
    p->host->emit(p->host, &event.head);
}

/* An identity that the manifest lacks: reported once, the first 64 of them. */
static void lacks(policy_follow *p, const weft_sched_view *view, uint32_t what,
                  const weft_sync_op *op, uint64_t id)
{
    for (uint32_t i = 0; i < p->unknown_count; i++) {
        if (p->unknown[i] == id) {
            return;
        }
    }
    if (p->unknown_count < MOST_UNKNOWN) {
        p->unknown[p->unknown_count++] = id;
        report(p, view, what, op->thread, 0, op->object, op->sequence);
    }
}

static void give_up_if_lost(policy_follow *p, const weft_sched_view *view)
{
    if (!p->gave_up && p->off * UINT64_C(100) > p->seen * (uint64_t)p->give_up) {
        p->gave_up = 1;
        p->turn.near = NULL;
        report(p, view, GAVE_UP, 0, p->off, 0, p->turns);
        p->host->log(p->host, WEFT_LOG_WARN,
                     "too many threads do other things than the reference: its order is followed "
                     "no longer");
    }
}

/* ---- threads ----------------------------------------------------------------------------------- */

static uint32_t place_of(const policy_follow *p, const course_thread *t)
{
    return (uint32_t)(t - p->course.threads);
}

/* Whatever has changed of a thread may make it plain or not. */
static void weigh(policy_follow *p, course_thread *t)
{
    course_weigh(t);
    p->acting = 0;
    p->places = NULL;
}

static void meet(policy_follow *p, course_thread *t)
{
    p->seen += !t->seen;
    t->seen = 1;
    weigh(p, t);
}

static void let_go(policy_follow *p, course_thread *t)
{
    if (t->held_object != COURSE_NONE && t->held_place < MOST_HELD) {
        course_thread *last = p->held[--p->held_count];
        p->held[t->held_place] = last;
        last->held_place = t->held_place;
    }
    t->held_object = COURSE_NONE;
    weigh(p, t);
}

static void hold_at(policy_follow *p, course_thread *t, uint32_t object, uint32_t entry)
{
    if (t->held_object == COURSE_NONE) {
        t->held_place = p->held_count < MOST_HELD ? p->held_count : MOST_HELD;
        if (t->held_place < MOST_HELD) {
            p->held[p->held_count++] = t;
        }
    }
    t->held_object = object;
    t->held_entry = entry;
    weigh(p, t);
}

/* Lets a held thread go before its turn. Who was never seen in this run will not be waited for again. */
static void relax(policy_follow *p, const weft_sched_view *view, course_thread *t, uint32_t what)
{
    course_object *o = &p->course.objects[t->held_object];
    uint32_t entry = t->held_entry, head = course_head(&p->course, o);
    course_thread *owner = head < entry ? &p->course.threads[course_owner(o, head)] : NULL;
    report(p, view, what, t->id, entry > head ? entry - head : 0, o->id, o->first + entry);
    if (owner && !owner->seen) {
        course_free(&p->course, &owner->off);
        weigh(p, owner);
        report(p, view, ABSENT, owner->id, place_of(p, owner), o->id, o->first + head);
    }
    course_pass(o, entry);
    t->relaxed_object = t->held_object;
    t->relaxed_entry = entry;
    let_go(p, t);
}

/* ---- operations -------------------------------------------------------------------------------- */

/* Since when a held one waits for anybody. That somebody's time-out comes takes as long as it takes. */
static uint64_t waits_since(policy_follow *p, const course_thread *t)
{
    course_object *o = &p->course.objects[t->held_object];
    uint32_t head = course_head(&p->course, o);
    if (head >= t->held_entry ||
        (o->entries[head].operation & WEFT_ORDER_KIND) != WEFT_SYNC_TIMEOUT) {
        return t->held_since;
    }
    uint64_t due = p->course.threads[course_owner(o, head)].deadline;
    return due > t->held_since ? due : t->held_since;
}

/* Whether a held one has waited for too long. */
static int is_aged(policy_follow *p, const weft_sched_view *view, const course_thread *t)
{
    uint64_t since = waits_since(p, t);
    return (view->now > since && view->now - since >= p->age) ||
           p->turns - t->held_turn >= p->age_turns;
}

static uint32_t hold(policy_follow *p, const weft_sched_view *view, course_thread *t,
                     uint32_t object, uint32_t entry)
{
    if (t->held_object != object || t->held_entry != entry) {
        hold_at(p, t, object, entry);
        t->held_since = view->now;
        t->held_turn = p->turns;
    } else if (is_aged(p, view, t)) {
        relax(p, view, t, AGED);
        return WEFT_ANSWER_GO;
    }
    return WEFT_ANSWER_HOLD;
}

static void go_off_script(policy_follow *p, const weft_sched_view *view, course_thread *t,
                          const weft_sync_op *op)
{
    course_free(&p->course, &t->off);
    weigh(p, t);
    p->off++;
    report(p, view, OFF_SCRIPT, t->id, op->kind, op->object, op->sequence);
    give_up_if_lost(p, view);
}

static course_thread *actor_of(policy_follow *p, uint64_t id)
{
    actor *a = &p->actors[id % ACTORS];
    if (a->id != id || !a->thread) {
        *a = (actor){.id = id, .thread = course_thread_of(&p->course, id)};
    }
    return a->thread;
}

static const found_op *look_up(policy_follow *p, const weft_sync_op *op)
{
    found_op *l = &p->latest;
    l->thread_id = op->thread;
    l->object_id = op->object;
    l->kind = op->kind;
    l->thread = actor_of(p, op->thread);
    l->lane = NULL;
    l->entry = COURSE_NONE;
    l->skipped = 0;
    const course_near *near = NULL;
    if (l->thread && (near = course_near_of(&p->course, l->thread, op->object)) != NULL) {
        l->object = near->object;
        l->lane = near->lane;
    } else {
        l->object = course_object_of(&p->course, op->object);
    }
    if (l->lane) {
        l->entry = course_find(&p->course, l->object, l->lane, op->kind, &l->skipped);
    }
    return l;
}

static const found_op *looked_up(policy_follow *p, const weft_sync_op *op)
{
    const found_op *l = &p->latest;
    int same = l->thread && l->thread_id == op->thread && l->object_id == op->object &&
               l->kind == op->kind;
    return same ? l : look_up(p, op);
}

/* Where the one that acts has its next entry on an object, if both are plain; else NULL. What is short
 * below is for these. */
static inline const course_near *plain_place(const policy_follow *p, const weft_sync_op *op)
{
    const course_near *near = p->places;
    if (op->thread != p->acting || !near) {
        return NULL;
    }
    near += op->object % COURSE_NEAR;
    return near->id == op->object && near->lane && near->object->plain ? near : NULL;
}

/* Another one may act. */
static const course_near *place_of_another(policy_follow *p, const weft_sync_op *op)
{
    if (op->thread != p->acting || !p->places) {
        const course_thread *t = actor_of(p, op->thread);
        p->acting = op->thread;
        p->places = t && t->plain ? t->near : NULL;
    }
    return plain_place(p, op);
}

/* What nearly always is the case: the numbers are where they should be, and the first entry that binds
 * is the thread's own and of this kind. */
static inline int is_in_turn(policy_follow *p, const weft_sync_op *op)
{
    const course_near *near = plain_place(p, op);
    if (!near || p->gave_up || course_is_end(op->kind)) {
        return 0;
    }
    const course_object *o = near->object;
    uint32_t entry = near->lane->next;
    if (op->sequence != o->told + o->ahead || entry != o->head ||
        !course_is_alike(op->kind, o->entries[entry].operation & WEFT_ORDER_KIND)) {
        return 0;
    }
    p->turn.near = near;
    p->turn.sequence = op->sequence;
    p->turn.kind = op->kind;
    return 1;
}

/* The same where another one acted before, or numbers were taken that were not told of: ends of waits. */
static int is_in_turn_now(policy_follow *p, const weft_sync_op *op)
{
    const course_near *near = place_of_another(p, op);
    if (near && op->sequence > near->object->told + near->object->ahead) {
        course_make_up(&p->course, near->object, op->sequence - near->object->told);
    }
    return is_in_turn(p, op);
}

/* The next entry of the lane is used up, and further ones are fetched: the host's cache forgets a long
 * order between two entries. */
static inline void step(course_object *o, course_lane *lane)
{
    uint32_t entry = lane->next;
    lane->next = o->entries[entry].next;
    if (entry % LINE == 0 && entry + AHEAD < o->count) {
        __builtin_prefetch(&o->entries[entry + AHEAD]);
    }
}

/* The end of that. */
static inline int took_its_turn(policy_follow *p, const weft_sync_op *op)
{
    const course_near *near = p->turn.near;
    if (!near || p->acting != op->thread || near != &p->places[op->object % COURSE_NEAR] ||
        near->id != op->object || p->turn.sequence != op->sequence || p->turn.kind != op->kind ||
        near->lane->next != near->object->head) {
        return 0;
    }
    course_object *o = near->object;
    p->turn.near = NULL;
    o->told++;
    o->head++;
    step(o, near->lane);
    p->counters[FOLLOWED]++;
    return 1;
}

/* A wait has ended as the next entry says. */
static inline int ended_in_turn(policy_follow *p, const weft_sync_op *op)
{
    const course_near *near = place_of_another(p, op);
    p->turn.near = NULL;
    if (!near || near->lane->next == COURSE_NONE || op->sequence < near->object->first) {
        return 0;
    }
    course_object *o = near->object;
    uint32_t entry = near->lane->next;
    if ((o->entries[entry].operation & WEFT_ORDER_KIND) != op->kind) {
        return 0;
    }
    o->told++;
    o->ahead -= entry < o->head && o->ahead > 0;
    o->entries[entry].operation |= COURSE_USED;
    step(o, near->lane);
    (void)course_head(&p->course, o);
    p->counters[FOLLOWED]++;
    return 1;
}

/* The rest; apart, so that what is short sets up no frame for it. */
__attribute__((noinline)) static uint32_t look_closer(policy_follow *p, const weft_sched_view *view,
                                                      const weft_sync_op *op, uint64_t *amount)
{
    p->turn.near = NULL;
    if (p->gave_up || course_is_end(op->kind) || is_in_turn_now(p, op)) {
        return WEFT_ANSWER_GO;
    }
    const found_op *found = look_up(p, op);
    course_thread *t = found->thread;
    course_object *o = found->object;
    if (!t || !o || t->off || op->sequence < o->first) {
        return WEFT_ANSWER_GO;
    }
    uint32_t entry = found->entry, object = (uint32_t)(o - p->course.objects);
    meet(p, t);
    if (entry == COURSE_NONE) {
        if (!course_is_over(found->lane)) {
            go_off_script(p, view, t, op);
        }
        return WEFT_ANSWER_GO;
    }
    course_meet(&p->course, o, op->sequence);
    uint32_t head = course_head(&p->course, o);
    while (head < entry && course_owner(o, head) == place_of(p, t)) {
        course_pass(o, head + 1); /* what it leaves out itself does not keep it waiting */
        course_meet(&p->course, o, op->sequence);
        head = course_head(&p->course, o);
    }
    int relaxed = t->relaxed_object == object && t->relaxed_entry == entry;
    if (!relaxed && entry <= head && o->link_count > 0 && course_waits(&p->course, o, entry)) {
        return hold(p, view, t, object, entry); /* for somebody's turn elsewhere */
    }
    if (entry <= head || relaxed) {
        if (t->held_object == object) {
            let_go(p, t);
        }
        (void)is_in_turn_now(p, op);
        return WEFT_ANSWER_GO;
    }
    /* not to be asked again before so many others have had their turn there */
    *amount = op->sequence + course_distance(&p->course, o, entry);
    return hold(p, view, t, object, entry);
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    return is_in_turn(instance, op) ? WEFT_ANSWER_GO : look_closer(instance, view, op, amount);
}

/* The operation has an entry: it is used up, and where it came too early or too late, that counts. */
static void account(policy_follow *p, const weft_sched_view *view, const found_op *found,
                    const weft_sync_op *op)
{
    course_thread *t = found->thread;
    course_object *o = found->object;
    uint32_t entry = found->entry;
    uint32_t object = (uint32_t)(o - p->course.objects);
    uint32_t head = course_head(&p->course, o);
    if (t->relaxed_object == object && t->relaxed_entry == entry) {
        t->relaxed_object = COURSE_NONE;
    } else if (entry < head && !t->ended && !course_is_end(op->kind)) {
        p->counters[LATE]++;
    } else if (entry <= head || course_is_end(op->kind)) { /* settled with the signal before it */
        p->counters[FOLLOWED]++;
    } else if (t->held_object == object && t->held_entry == entry) {
        relax(p, view, t, STARVED);
        t->relaxed_object = COURSE_NONE;
    } else {
        report(p, view, EARLY, t->id, entry - head, o->id, op->sequence);
    }
    course_use(&p->course, o, found->lane, entry);
    let_go(p, t);
}

__attribute__((noinline)) static void
enter_in_the_course(policy_follow *p, const weft_sched_view *view, const weft_sync_op *op)
{
    p->turn.near = NULL;
    const found_op *found = looked_up(p, op);
    course_thread *t = found->thread;
    course_object *o = found->object;
    p->latest.kind = WEFT_SYNC_KINDS; /* its entry is used up now */
    if (o && !t) {
        course_tell(o, op->kind, op->sequence);
    }
    if (!t || !o) {
        lacks(p, view, o ? UNKNOWN_THREAD : UNKNOWN_OBJECT, op, o ? op->thread : op->object);
        return;
    }
    meet(p, t);
    if (!course_is_end(op->kind)) {
        course_meet(&p->course, o, op->sequence);
    }
    course_tell(o, op->kind, op->sequence);
    if (op->sequence < o->first) {
        return;
    }
    if (found->entry == COURSE_NONE || t->off) {
        p->counters[EXTRA]++;
        return;
    }
    if (found->skipped > 0) {
        report(p, view, SKIPPED, t->id, found->skipped, o->id, op->sequence);
    }
    account(p, view, found, op);
}

/* A wait has begun: what comes behind it in the reference says how it ended there. One that was over at
 * once has neither. The objects of one wait come one right behind the other. */
static void foresee(policy_follow *p, const weft_sync_op *op)
{
    course_thread *t = actor_of(p, op->thread);
    if (!t) {
        return;
    }
    t->foreseen = op->event == t->wait_event + 1 ? t->foreseen : 0;
    t->wait_event = op->event;
    t->deadline = 0;
    const course_near *near = op->object ? course_near_of(&p->course, t, op->object) : NULL;
    if (near && !course_is_over(near->lane)) {
        uint32_t kind = near->object->entries[near->lane->next].operation & WEFT_ORDER_KIND;
        t->foreseen |= course_is_end(kind) ? UINT32_C(1) << kind : 0;
    }
}

/* A wait has ended. */
static void look_back(policy_follow *p, const weft_sched_view *view, const weft_sync_op *op)
{
    course_thread *t = actor_of(p, op->thread);
    if (t && t->deadline && op->kind == WEFT_SYNC_WAKE && view->now > t->deadline) {
        report(p, view, POSTPONED, t->id, view->now - t->deadline, op->object, op->sequence);
    }
    if (t) {
        t->deadline = 0;
    }
}

__attribute__((noinline)) static void tell_more(policy_follow *p, const weft_sched_view *view,
                                                const weft_sync_op *op)
{
    if (p->gave_up) {
        return;
    }
    int end = course_is_end(op->kind);
    if (op->object != 0 && !(end ? ended_in_turn(p, op) : took_its_turn(p, op))) {
        enter_in_the_course(p, view, op);
    }
    if (op->kind == WEFT_SYNC_WAIT) {
        foresee(p, op);
    } else if (end) {
        look_back(p, view, op);
    }
}

static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    policy_follow *p = instance;
    p->turns++;
    p->now = view->now != WEFT_TICK_NEVER ? view->now : p->now;
    if (op->kind == WEFT_SYNC_WAIT || !took_its_turn(p, op)) {
        tell_more(p, view, op);
    }
}

/* The time-out of a wait that has just begun. One that the reference did not see is put off, so that
 * what ended the wait there has time to come here too; one that it saw comes when it is due, and what
 * came behind it there waits for it. */
static uint64_t delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    policy_follow *p = instance;
    course_thread *t = kind == WEFT_DELAY_TIMEOUT && !p->gave_up ? actor_of(p, thread) : NULL;
    uint32_t foreseen = t && !t->off ? t->foreseen : 0;
    if (!foreseen) {
        return natural;
    }
    t->foreseen = 0;
    t->deadline = natural < UINT64_MAX - p->now ? p->now + natural : UINT64_MAX;
    int woken = (foreseen >> WEFT_SYNC_WAKE & 1) != 0;
    return woken && natural < UINT64_MAX - p->late ? natural + p->late : natural;
}

static uint32_t subscribe(void *instance)
{
    const policy_follow *p = instance;
    uint32_t kinds = ((UINT32_C(1) << WEFT_SYNC_KINDS) - 1) & ~(UINT32_C(1) << WEFT_SYNC_CALL);
    return WEFT_SYNC_NO_VIEW | WEFT_SYNC_SOURCES | WEFT_PICK_HELD |
           (p->course.object_count > 0 ? kinds : 0);
}

/* A thread that can run, on a hardware thread that is not far ahead of the others; else NULL. */
static const weft_sched_thread *can_go(const weft_sched_view *view, const course_thread *t)
{
    const weft_sched_thread *shown = pick_thread(view, t->id);
    if (!shown || shown->state > WEFT_THREAD_RUNNING) {
        return NULL;
    }
    const weft_sched_hw *hw = weft_view_hw(view, shown->hw);
    return hw->ready > 0 && !hw->pinned && hw->time <= pick_add(view->now, FAR_TICKS) ? shown
                                                                                      : NULL;
}

/* For an order that is exact, as long as the run keeps to it; what times tell, and what is beyond the
 * order, is nearer to the reference where all advance together.
 * Somebody is held, so the run does not keep to the reference's course of itself. Whom the held ones
 * wait for goes first, then who of them need not wait any more. The others have just been woken,
 * mostly, and would only come to where they are held too, which costs two switches more. NULL: none
 * of these can go. */
static const weft_sched_thread *who_goes(policy_follow *p, const weft_sched_view *view)
{
    const weft_sched_thread *next = NULL;
    for (uint32_t i = 0; i < p->held_count; i++) {
        const course_thread *t = p->held[i];
        course_object *o = &p->course.objects[t->held_object];
        uint32_t head = course_head(&p->course, o);
        if (head < t->held_entry) {
            const weft_sched_thread *owner =
                can_go(view, &p->course.threads[course_owner(o, head)]);
            if (owner) {
                return owner;
            }
        } else if (!next) {
            next = can_go(view, t);
        }
    }
    return next;
}

static uint32_t pick_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    policy_follow *p = instance;
    int exact = p->course.order->resolution == 0 && p->departed == WEFT_TICK_NEVER;
    const weft_sched_thread *next = exact ? who_goes(p, view) : NULL;
    p->next = next ? next->id : 0;
    return next ? next->hw : pick_least_time(view);
}

/* The one that pick_cpu has chosen; else as the kernel does: by priority, then by turns. */
static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    const policy_follow *p = instance;
    const weft_sched_thread *best = NULL;
    int32_t index = -1;
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *t = weft_view_thread(view, i);
        if (!pick_can_run(t, hw)) {
            continue;
        }
        if (p->next == t->id) {
            return (int32_t)i;
        }
        if (!best || t->priority > best->priority ||
            (t->priority == best->priority && t->order < best->order)) {
            best = t;
            index = (int32_t)i;
        }
    }
    return index;
}

/* Nobody can go on: the one that is earliest in the reference goes, and of several that the reference
 * is sure of and others that it is not, one of these. */
static uint64_t stuck(void *instance, const weft_sched_view *view)
{
    policy_follow *p = instance;
    course_thread *best = NULL;
    uint64_t best_place = 0;
    int best_hard = 0;
    for (uint32_t i = 0; i < p->course.thread_count; i++) {
        course_thread *t = &p->course.threads[i];
        if (t->held_object == COURSE_NONE || t->ended ||
            !pick_thread(view, t->id) /* a clock source: the clock asks again */) {
            continue;
        }
        const course_object *o = &p->course.objects[t->held_object];
        uint64_t place = weft_order_place(o->order, t->held_entry);
        int hard = !(o->entries[t->held_entry].operation & WEFT_ORDER_SOFT);
        if (!best || hard < best_hard || (hard == best_hard && place < best_place)) {
            best = t;
            best_place = place;
            best_hard = hard;
        }
    }
    if (!best) {
        return 0;
    }
    relax(p, view, best, STUCK);
    return best->id;
}

static void thread_start(void *instance, uint64_t thread, uint64_t parent)
{
    policy_follow *p = instance;
    course_thread *t = course_thread_of(&p->course, thread);
    if (t) {
        t->off = t->seen ? t->off : 0; /* it came after all */
        meet(p, t);
    }
}

static void thread_end(void *instance, uint64_t thread)
{
    policy_follow *p = instance;
    course_thread *t = course_thread_of(&p->course, thread);
    if (t) {
        course_free(&p->course, &t->ended);
        let_go(p, t);
    }
}

/* ---- life -------------------------------------------------------------------------------------- */

static weft_status refuse(policy_follow *p, weft_status status, const char *sentence)
{
    const weft_host *host = p->host;
    course_end(&p->course);
    free(p);
    return host->fail(host, status, sentence);
}

static weft_status create(const weft_host *host, void **instance)
{
    char why[256] = "no memory", sentence[640];
    size_t line = 0;
    const char *path = host->option_text(host, "order");
    policy_follow *p = aligned_alloc(_Alignof(policy_follow), sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-follow");
    }
    memset(p, 0, sizeof *p);
    p->host = host;
    p->departed = WEFT_TICK_NEVER;
    p->age = (uint64_t)host->option_int(host, "age_ms") * TICKS_PER_MS;
    p->age_turns = (uint64_t)host->option_int(host, "age_operations");
    p->late = (uint64_t)host->option_int(host, "late_ms") * TICKS_PER_MS;
    p->give_up = (uint32_t)host->option_int(host, "give_up");
    if (!*path) {
        p->gave_up = 1;
        host->log(host, WEFT_LOG_WARN, "there is no order to follow: the built-in policy serves");
    }
    weft_order *order =
        *path ? weft_order_read_file(path, why, sizeof why, &line) : calloc(1, sizeof *order);
    if (!order) {
        char place[32] = "";
        if (line > 0) {
            snprintf(place, sizeof place, ":%zu", line);
        }
        snprintf(sentence, sizeof sentence, "order manifest %.300s%s: %s", path, place, why);
        return refuse(p, WEFT_E_FORMAT, sentence);
    }
    if (!course_start(&p->course, order, (uint32_t)host->option_int(host, "ahead"))) {
        return refuse(p, WEFT_E_NO_MEMORY, "no memory for the order manifest");
    }
    *instance = p;
    return WEFT_OK;
}

static void destroy(void *instance)
{
    policy_follow *p = instance;
    char line[640];
    uint32_t unseen = 0;
    for (uint32_t i = 0; i < p->course.thread_count; i++) {
        unseen += !p->course.threads[i].seen && p->course.order->threads[i].operations > 0;
    }
    const uint64_t *n = p->counters;
    snprintf(line, sizeof line,
             "order of the reference: %" PRIu64 " operations followed, %" PRIu64
             " relaxed (%" PRIu64 " stuck, %" PRIu64 " aged, %" PRIu64 " starved), %" PRIu64
             " early, %" PRIu64 " late, %" PRIu64 " resynchronised, %" PRIu64 " extra; %" PRIu64
             " threads off script%s; it lacks %" PRIu64 " objects and %" PRIu64
             " threads, the run %u threads; %" PRIu64 " time-outs put off",
             n[FOLLOWED], n[STUCK] + n[AGED] + n[STARVED], n[STUCK], n[AGED], n[STARVED], n[EARLY],
             n[LATE], n[SKIPPED], n[EXTRA], n[OFF_SCRIPT], p->gave_up ? ", given up" : "",
             n[UNKNOWN_OBJECT], n[UNKNOWN_THREAD], unseen, n[POSTPONED]);
    if (p->course.object_count > 0) {
        p->host->log(p->host, WEFT_LOG_INFO, line);
    }
    if (p->departed != WEFT_TICK_NEVER) {
        snprintf(line, sizeof line,
                 "order of the reference does not determine the run from tick %" PRIu64 " on",
                 p->departed);
        p->host->log(p->host, WEFT_LOG_WARN, line);
    }
    course_end(&p->course);
    free(p);
}

static const weft_option options[] = {
    {
        .key = "order",
        .type = WEFT_OPTION_PATH,
        .default_value = "",
        .help = "order manifest of the reference (weft trace manifest --order); none: no order",
    },
    {
        .key = "age_ms",
        .type = WEFT_OPTION_INT,
        .default_value = "20",
        .minimum = 1,
        .maximum = 100000,
        .help = "ms of guest time after which a thread that is held goes before its turn",
    },
    {
        .key = "age_operations",
        .type = WEFT_OPTION_INT,
        .default_value = "100000",
        .minimum = 1,
        .maximum = INT64_MAX,
        .help = "the same, counted in operations of other threads",
    },
    {
        .key = "ahead",
        .type = WEFT_OPTION_INT,
        .default_value = "16",
        .minimum = 0,
        .maximum = 65536,
        .help = "entries of a thread on an object that it may leave out to fit again",
    },
    {
        .key = "late_ms",
        .type = WEFT_OPTION_INT,
        .default_value = "1000",
        .minimum = 0,
        .maximum = 1000000,
        .help = "ms of guest time that a time-out which the reference did not see is put off",
    },
    {
        .key = "give_up",
        .type = WEFT_OPTION_INT,
        .default_value = "50",
        .minimum = 0,
        .maximum = 100,
        .help = "more than so many per cent of the threads off script: the order is given up",
    },
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_cpu = pick_cpu,
    .pick_next = pick_next,
    .subscribe = subscribe,
    .before = before,
    .after = after,
    .delay = delay,
    .stuck = stuck,
    .thread_start = thread_start,
    .thread_end = thread_end,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-follow",
    .version = "0.1",
    .summary = "the order of a reference run, operation by operation",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
