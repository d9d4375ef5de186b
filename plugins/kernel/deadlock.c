/* The end of a run in which nothing can go on: who waits for what, and who has it. Where the owners
 * lead back to where they began, that cycle is the reason; the log has every thread. A cycle among
 * some threads only is told of, since the others may end the title. */
#include <stdarg.h>
#include <stdio.h>

#include "dispatcher.h"
#include "sched.h"

#define LINES 64 /* of the log; a title may have left hundreds of threads waiting */

/* A text that grows to the end of its buffer, and no further. */
typedef struct line {
    char text[1000];
    size_t length;
} line;

static void add(line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(line *l, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(l->text + l->length, sizeof l->text - l->length, format, list);
    va_end(list);
    if (length > 0) {
        size_t room = sizeof l->text - 1 - l->length;
        l->length += (size_t)length < room ? (size_t)length : room;
    }
}

/* ---- who has what ------------------------------------------------------------------------------
 */

static const kthread *thread_with(const kernel *k, uint32_t body)
{
    const kthread *t = body ? k->live : NULL;
    while (t && t->object->body != body) {
        t = t->live_next;
    }
    return t;
}

/* Whether the object has an owner; *owner is NULL where that has ended. */
static bool owned(kernel *k, const kthread *t, const kobject *o, const kthread **owner)
{
    uint32_t section = kcs_awaited(t), body = 0;
    if (section) {
        body = kcs_owner(k, section);
    } else if (o->type == KOBJECT_MUTANT) {
        body = mutant_owner(k, o);
    } else if (o->type == KOBJECT_THREAD) {
        body = o->body;
    }
    *owner = thread_with(k, body);
    return body != 0;
}

/* The thread that must do something before this one can go on, and what that has; NULL: nobody, or
 * anybody. */
static const kthread *blocker(kernel *k, const kthread *t, bool others_run, const kobject **what)
{
    bool any = t->wait_count > 1 && !t->wait_all;
    bool otherwise = t->wait_deadline || t->wait_alertable || t->held; /* it may go on without */
    any = any || (others_run && otherwise);
    for (uint32_t i = 0; t->state == WEFT_THREAD_WAITING && !any && i < t->wait_count; i++) {
        const kthread *owner;
        if (owned(k, t, t->waits[i].object, &owner) && owner) {
            *what = t->waits[i].object;
            return owner;
        }
    }
    return NULL;
}

/* ---- what is said ------------------------------------------------------------------------------
 */

static void add_object(kernel *k, line *l, const kthread *t, const kobject *o)
{
    char text[256];
    kobject_text(k, o, text, sizeof text);
    add(l, "%s%s", kcs_awaited(t) ? "critical section " : "", text);
}

static void add_owner(line *l, const kobject *o, const kthread *owner)
{
    if (o->type == KOBJECT_THREAD) {
        add(l, ", which is thread %u", owner->tid);
    } else {
        add(l, ", which thread %u has", owner->tid);
    }
}

static void add_site(kernel *k, line *l, const kthread *t)
{
    char place[128];
    mm_place(k->mm, t->cont_caller, place, sizeof place);
    add(l, "thread %u (%s) waits at 0x%08x (%s)", t->tid, t->name, t->cont_caller, place);
}

static void describe(kernel *k, line *l, const kthread *t)
{
    if (t->state != WEFT_THREAD_WAITING) {
        add(l, "thread %u (%s) is suspended", t->tid, t->name);
        return;
    }
    add_site(k, l, t);
    for (uint32_t i = 0; i < t->wait_count; i++) {
        const kobject *o = t->waits[i].object;
        const kthread *owner;
        add(l, "%s", i == 0 ? " for " : t->wait_all ? " and " : " or ");
        add_object(k, l, t, o);
        if (!owned(k, t, o, &owner)) {
            continue;
        }
        if (owner) {
            add_owner(l, o, owner);
        } else if (o->type != KOBJECT_THREAD) {
            add(l, ", which a thread that has ended has");
        }
    }
}

/* A thread of a cycle, the one created first; NULL: there is none. */
static const kthread *find_cycle(kernel *k, bool others_run)
{
    const kobject *what;
    for (const kthread *t = k->live; t; t = t->live_next) {
        const kthread *at = t;
        for (uint32_t i = 0; at && i < k->live_threads; i++) { /* no path is longer */
            at = blocker(k, at, others_run, &what);
            if (at == t) {
                return t;
            }
        }
    }
    return NULL;
}

static void say_cycle(kernel *k, line *l, const kthread *first)
{
    const kthread *t = first;
    const kobject *what = NULL;
    const char *before = "";
    do {
        const kthread *next = blocker(k, t, false, &what);
        add(l, "%s", before);
        add_site(k, l, t);
        add(l, " for ");
        add_object(k, l, t, what);
        add_owner(l, what, next);
        before = "; ";
        t = next;
    } while (t != first);
}

bool kdeadlock_certain(kernel *k)
{
    const kobject *what;
    bool any = false;
    for (const kthread *t = k->live; t; t = t->live_next) {
        const kthread *at = t;
        for (uint32_t i = 0; t->id != k->audio.worker && at && i < k->live_threads; i++) {
            at = blocker(k, at, true, &what);
        }
        if (!at) { /* its last one waits for nobody in particular */
            return false;
        }
        any |= t->id != k->audio.worker;
    }
    return any;
}

void kdeadlock_watch(kernel *k)
{
    const kthread *cycle = find_cycle(k, true);
    /* by the second time it would have ended the run if nobody else ran */
    if (cycle && ++k->cycle_looks == 2) {
        line one = {.length = 0};
        add(&one, "threads wait for each other for ever: ");
        say_cycle(k, &one, cycle);
        k->host->log(k->host, WEFT_LOG_WARN, one.text);
    }
}

void kdeadlock(kernel *k)
{
    line reason = {.length = 0};
    const kthread *cycle = find_cycle(k, false);
    if (cycle) {
        say_cycle(k, &reason, cycle);
    } else {
        add(&reason, "no thread can run and nothing is due");
    }
    uint32_t count = 0;
    for (const kthread *t = k->live; t; t = t->live_next) {
        line one = {.length = 0};
        describe(k, &one, t);
        if (count++ < LINES) {
            k->host->log(k->host, WEFT_LOG_WARN, one.text);
        }
        if (!cycle) {
            add(&reason, "; %s", one.text);
        }
    }
    if (count > LINES) {
        line rest = {.length = 0};
        add(&rest, "and %u more threads", count - LINES);
        k->host->log(k->host, WEFT_LOG_WARN, rest.text);
    }
    kend(k, WEFT_END_DEADLOCK, 0, reason.text);
}
