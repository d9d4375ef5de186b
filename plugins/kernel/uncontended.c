#include "uncontended.h"

#include <sched.h>
#include <stdlib.h>

#include "exports.h"
#include "order.h"
#include "parallel.h"
#include "sched.h"

#define THUNKS      256        /* of a power of two; two of one place take turns */
#define EVENT_WORDS 4096       /* of one hardware thread, beyond which it takes the lock */
#define CLOSED      UINT32_MAX /* as if every kind were asked about */
/* A policy that wants to be asked about any of these is asked each time. */
#define OF_LOCKS                                                                                   \
    (UINT32_C(1) << WEFT_SYNC_CALL | UINT32_C(1) << WEFT_SYNC_ENTER |                              \
     UINT32_C(1) << WEFT_SYNC_ENTER_CONTENDED | UINT32_C(1) << WEFT_SYNC_LEAVE |                   \
     UINT32_C(1) << WEFT_SYNC_TRY)

static const kexport_fn able[] = {
    ex_RtlEnterCriticalSection,
    ex_RtlLeaveCriticalSection,
    ex_RtlTryEnterCriticalSection,
    ex_KeAcquireSpinLockAtRaisedIrql,
    ex_KeReleaseSpinLockFromRaisedIrql,
    ex_KeTryToAcquireSpinLockAtRaisedIrql,
    ex_KfAcquireSpinLock,
    ex_KfReleaseSpinLock,
};
#define ABLE (sizeof able / sizeof able[0])

/* What one hardware thread has done since it last had the lock. Its own host thread's, or, while it is
 * not inside and all is closed, the lock holder's. */
typedef struct aside {
    uint32_t inside;                 /* atomic: it is in a call without the lock */
    uint32_t used;                   /* words of `events` */
    uint32_t irql, known_irql;       /* what it has, and what the others know of */
    kthread *thread;                 /* who executes */
    uint64_t tick;                   /* moment of the call under way */
    uint64_t asked[WEFT_SYNC_KINDS]; /* times that the policy would have been asked */
    uint64_t events[EVENT_WORDS + sizeof(weft_event_buffer) / 8];
} aside;

struct kuncontended {
    uint32_t asked;          /* atomic: kinds that the policy wants to be asked about, or CLOSED */
    uint32_t closed;         /* the lock holder's */
    uint64_t thunks[THUNKS]; /* atomic: guest address, and from bit 32 on 1 + its place in `able` */
    struct {
        const kexport *row;
        uint64_t id;
        uint32_t argument_count;
    } learnt[ABLE]; /* written before the first thunk that leads there */
    aside hw[WEFT_HW_COUNT];
};

bool kuncontended_create(kernel *k)
{
    k->uncontended = calloc(1, sizeof *k->uncontended);
    if (k->uncontended) {
        kuncontended_close(k);
    }
    return k->uncontended != NULL;
}

void kuncontended_destroy(kernel *k)
{
    free(k->uncontended);
    k->uncontended = NULL;
}

/* ---- thunks ------------------------------------------------------------------------------------
 */

static uint64_t *place_of(struct kuncontended *u, uint32_t address)
{
    return &u->thunks[address / 16 % THUNKS];
}

void kuncontended_learn(kernel *k, const kexport *row, uint64_t id, uint32_t address,
                        uint32_t argument_count)
{
    struct kuncontended *u = k->uncontended;
    for (uint32_t i = 0; row && i < ABLE; i++) {
        if (able[i] == row->fn) {
            if (!u->learnt[i].row) {
                u->learnt[i].row = row;
                u->learnt[i].id = id;
                u->learnt[i].argument_count = argument_count;
            }
            __atomic_store_n(place_of(u, address), (uint64_t)(i + 1) << 32 | address,
                             __ATOMIC_RELEASE);
            return;
        }
    }
}

void kuncontended_forget(kernel *k)
{
    kuncontended_close(k);
    for (uint32_t i = 0; i < THUNKS; i++) { /* who comes now looks here before it says so */
        __atomic_store_n(&k->uncontended->thunks[i], 0, __ATOMIC_RELAXED);
    }
}

/* ---- open and closed ---------------------------------------------------------------------------
 * A hardware thread says that it is inside and then looks whether it may; who closes says so and then
 * looks whether anybody is inside. All four are sequentially consistent, so one of the two sees the
 * other. */

void kuncontended_close(kernel *k)
{
    struct kuncontended *u = k->uncontended;
    u->closed = 1;
    __atomic_store_n(&u->asked, CLOSED, __ATOMIC_SEQ_CST);
    for (uint32_t hw = 0; hw < WEFT_HW_COUNT; hw++) {
        while (__atomic_load_n(&u->hw[hw].inside, __ATOMIC_SEQ_CST)) {
            sched_yield(); /* that call waits for nobody */
        }
        kuncontended_flush(k, hw);
    }
}

void kuncontended_open(kernel *k)
{
    struct kuncontended *u = k->uncontended;
    if (u->closed || u->asked != k->policy_mask) {
        u->closed = 0;
        __atomic_store_n(&u->asked, k->policy_mask, __ATOMIC_SEQ_CST);
    }
}

/* ---- events ------------------------------------------------------------------------------------
 */

static weft_event_buffer *event_begin(aside *a, uint16_t kind)
{
    weft_event_buffer *event = (weft_event_buffer *)&a->events[a->used];
    weft_event_begin(event, kind);
    return event;
}

static void event_end(aside *a, kthread *t, weft_event_buffer *event)
{
    event->head.thread = t->id;
    event->head.tid = t->tid;
    event->head.hw = (uint8_t)t->cpu->hw;
    event->head.cycle = t->cpu->retired;
    a->used += event->head.size / 8;
    t->events++; /* all of them are of class GUEST */
}

static void emit_call(aside *a, const kcall *call, uint32_t argument_count)
{
    uint64_t arguments[4];
    for (uint32_t i = 0; i < argument_count; i++) {
        arguments[i] = (uint32_t)call->cpu->r[3 + i];
    }
    weft_event_buffer *event = event_begin(a, WEFT_EVENT_IMPORT_CALL);
    weft_event_word(event, call->export_id);
    weft_event_word(event, call->caller);
    event_end(a, call->thread, event);
    event = event_begin(a, WEFT_EVENT_KERNEL_CALL);
    weft_event_word(event, call->export_id);
    weft_event_array(event, arguments, argument_count);
    weft_event_text(event, "", 0);
    event_end(a, call->thread, event);
}

static void emit_return(aside *a, const kcall *call)
{
    bool is_void = call->export->signature[0] == 'v';
    weft_event_buffer *event =
        event_begin(a, is_void ? WEFT_EVENT_KERNEL_RETURN_VOID : WEFT_EVENT_KERNEL_RETURN);
    weft_event_word(event, call->export_id);
    if (!is_void) {
        weft_event_word(event, call->cpu->r[3]);
    }
    event_end(a, call->thread, event);
}

static aside *aside_of(const kcall *call)
{
    return &call->k->uncontended->hw[call->cpu->hw];
}

void kuncontended_moment(kcall *call)
{
    aside_of(call)->tick = kparallel_clock(call->k);
}

void kuncontended_operation(kcall *call, const weft_sync_op *op)
{
    aside *a = aside_of(call);
    weft_event_buffer *event = event_begin(a, WEFT_EVENT_SYNC_OP);
    weft_event_word(event, op->kind);
    weft_event_word(event, op->object);
    weft_event_word(event, op->sequence);
    weft_event_word(event, op->index);
    event_end(a, call->thread, event);
    a->asked[op->kind]++;
}

/* ---- IRQL --------------------------------------------------------------------------------------
 * A spin lock that is taken and given back between two times that its hardware thread has the lock
 * raises the IRQL and lowers it again, and nobody else knows. Meanwhile others take it for what it was:
 * they may ask the hardware thread to stop for what a raised IRQL keeps out, which costs a turn, or
 * suspend its thread, which is put off below. To lower it to anything but what is known is for the
 * lock's holder, since something may be waiting for that. */

void kuncontended_leave(kernel *k, kthread *t)
{
    aside *a = &k->uncontended->hw[t->cpu->hw];
    a->thread = t;
    a->irql = a->known_irql = k->hw[t->cpu->hw].irql;
}

uint32_t kuncontended_irql(const kcall *call)
{
    return aside_of(call)->irql;
}

bool kuncontended_irql_may(const kcall *call, uint32_t irql)
{
    const aside *a = aside_of(call);
    return irql >= a->irql || irql == a->known_irql;
}

void kuncontended_irql_set(kcall *call, uint32_t irql)
{
    const khw *hw = &call->k->hw[call->cpu->hw];
    aside_of(call)->irql = irql;
    __atomic_store_n(&call->k->memory->base[hw->pcr + KSCHED_PCR_IRQL], (uint8_t)irql,
                     __ATOMIC_RELAXED);
}

/* The others get to know. */
static void show_irql(kernel *k, uint32_t hw)
{
    aside *a = &k->uncontended->hw[hw];
    kthread *t = a->thread;
    if (a->irql == a->known_irql) {
        return;
    }
    bool current = k->hw[hw].current == t; /* else moved meanwhile, and it takes its IRQL along */
    *(current ? &k->hw[hw].irql : &t->irql) = a->irql;
    a->known_irql = a->irql;
    if (t->state == WEFT_THREAD_SUSPENDED) { /* when it could not be: kirql_set makes up for it */
        t->state = current ? WEFT_THREAD_RUNNING : WEFT_THREAD_READY;
    }
}

void kuncontended_flush(kernel *k, uint32_t hw)
{
    aside *a = &k->uncontended->hw[hw];
    if (!a->used) {
        return;
    }
    show_irql(k, hw);
    for (uint32_t at = 0; at < a->used;) {
        weft_event *event = (weft_event *)&a->events[at];
        at += event->size / 8;
        k->imports_called += event->kind == WEFT_EVENT_IMPORT_CALL;
        k->host->emit(k->host, event);
    }
    a->used = 0;
    for (uint32_t i = 0; i < WEFT_SYNC_KINDS; i++) {
        k->before_askings[i] += a->asked[i];
        a->asked[i] = 0;
    }
}

/* ---- the call ----------------------------------------------------------------------------------
 */

static bool make_call(kernel *k, kthread *t, aside *a, uint32_t which)
{
    kcall call;
    call.k = k;
    call.thread = t;
    call.cpu = t->cpu;
    call.export = k->uncontended->learnt[which].row;
    call.export_id = k->uncontended->learnt[which].id;
    call.caller = (uint32_t)t->cpu->lr;
    call.faulted = false;
    call.unlocked = true;
    call.path[0] = 0;
    uint32_t from = a->used;
    uint64_t events = t->events;
    a->tick = 0;
    emit_call(a, &call, k->uncontended->learnt[which].argument_count);
    if (able[which](&call) != K_DONE || call.faulted) {
        a->used = from;
        t->events = events;
        return false;
    }
    emit_return(a, &call);
    if (!a->tick) {
        kuncontended_moment(&call);
    }
    for (uint32_t at = from; at < a->used;) {
        weft_event *event = (weft_event *)&a->events[at];
        at += event->size / 8;
        event->tick = a->tick;
    }
    t->sync_index[WEFT_SYNC_CALL]++;
    a->asked[WEFT_SYNC_CALL]++;
    t->cpu->pc += 4;
    t->cpu->retired++;
    return true;
}

bool kuncontended_call(kernel *k, kthread *t, weft_cpu_state *cpu)
{
    struct kuncontended *u = k->uncontended;
    aside *a = &u->hw[cpu->hw];
    uint64_t thunk = __atomic_load_n(place_of(u, cpu->pc), __ATOMIC_ACQUIRE);
    if (!thunk || (uint32_t)thunk != cpu->pc || kthread_is_interrupt(t) ||
        t->announced == cpu->retired + 1 || __atomic_load_n(&cpu->pending, __ATOMIC_RELAXED)) {
        return false;
    }
    uint32_t which = (uint32_t)(thunk >> 32) - 1;
    __atomic_store_n(&a->inside, 1, __ATOMIC_SEQ_CST);
    bool done = !(__atomic_load_n(&u->asked, __ATOMIC_SEQ_CST) & OF_LOCKS) &&
                a->used <= EVENT_WORDS && make_call(k, t, a, which);
    __atomic_store_n(&a->inside, 0, __ATOMIC_RELEASE);
    return done;
}
