/* weft/policy.h: the role that decides how guest threads are woven.
 *
 * The kernel owns the mechanism (states, six hardware threads, priorities, affinity, waits,
 * deadlines); a policy only chooses among legal answers. It sees a flat view without pointers,
 * ordered by thread identity's creation, and reads nothing else: no clock, no environment, no host
 * address. A seed is an option. Same views, same answers.
 *
 * An op that is NULL means the default written at it. An illegal answer is replaced by the default,
 * counted and traced; after `[schedule] faults` of them (default 16) the policy is ejected and the
 * built-in one serves. A policy cannot starve a thread: one that was ready for
 * `[schedule] starve_ticks` without running is run next, whatever the policy says, and one that was
 * held for as long goes on.
 *
 * Every answer that is not the default is an event (policy.answer). With the same default
 * (WEFT_POLICY_DEFAULT_VERSION) and the same inputs these make the whole run: docs/policy.md,
 * "Decisions as events". */
#ifndef WEFT_POLICY_H
#define WEFT_POLICY_H

#include "event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_HW_COUNT 6

/* Rises whenever the built-in policy answers anything otherwise than before, or is asked more. */
#define WEFT_POLICY_DEFAULT_VERSION UINT32_C(3)

/* weft_sched_thread.state */
#define WEFT_THREAD_READY      UINT32_C(0)
#define WEFT_THREAD_RUNNING    UINT32_C(1) /* current on its hardware thread */
#define WEFT_THREAD_WAITING    UINT32_C(2)
#define WEFT_THREAD_SUSPENDED  UINT32_C(3)
#define WEFT_THREAD_TERMINATED UINT32_C(4)

typedef struct weft_sched_thread {
    uint64_t id;          /* identity, as in events */
    uint64_t ready_since; /* tick at which it last became ready */
    uint64_t retired;     /* instructions it has retired */
    uint64_t order;       /* rises each time a thread becomes ready or is preempted: FIFO order */
    uint32_t state;       /* WEFT_THREAD_* */
    uint32_t hw;          /* hardware thread whose queue it is in, 0..5 */
    uint32_t affinity;    /* bit n: may run on hardware thread n */
    int32_t priority;     /* 0..31, higher first */
    uint32_t tid;         /* the guest's thread id */
    uint32_t reserved;
} weft_sched_thread;

typedef struct weft_sched_hw {
    uint64_t time;   /* its own guest time, ticks */
    int32_t current; /* index in threads of the one that ran last and still can, or -1 */
    uint32_t ready;  /* how many threads of its queue are READY or RUNNING */
    uint32_t pinned; /* 1: interrupts are off or IRQL is raised; current must go on */
    uint32_t reserved;
} weft_sched_hw;

/* The whole view. `threads` lists those that are not TERMINATED, in order of creation. */
typedef struct weft_sched_view {
    uint32_t size; /* sizeof(weft_sched_view) */
    uint32_t thread_count;
    uint32_t thread_stride; /* bytes from one record of threads to the next */
    uint32_t hw_stride;     /* bytes from one record of hw to the next */
    uint64_t now;           /* least time of the hardware threads that have work */
    uint64_t next_deadline; /* next event of the clock, or WEFT_TICK_NEVER's value */
    const weft_sched_thread *threads;
    const weft_sched_hw *hw; /* WEFT_HW_COUNT records */
} weft_sched_view;

/* policy.answer's `op`: the place of the op in weft_policy_ops. BEFORE has the kind of the operation
 * in bits 8 and up. */
#define WEFT_POLICY_OP_PICK_CPU  UINT32_C(0)
#define WEFT_POLICY_OP_PICK_NEXT UINT32_C(1)
#define WEFT_POLICY_OP_QUANTUM   UINT32_C(2)
#define WEFT_POLICY_OP_BEFORE    UINT32_C(4)
#define WEFT_POLICY_OP_DELAY     UINT32_C(6)
#define WEFT_POLICY_OP_STUCK     UINT32_C(7)
#define WEFT_POLICY_OP_PLACE     UINT32_C(13)
#define WEFT_POLICY_OPS          14

/* weft_sync_op.kind, also bits (1 << kind) of weft_policy_ops.subscribe's answer. Which operation of
 * the kernel's is which: docs/kernel.md, "The order of operations". */
#define WEFT_SYNC_ENTER           UINT32_C(0) /* uncontended critical section or spin lock enter */
#define WEFT_SYNC_ENTER_CONTENDED UINT32_C(1)
#define WEFT_SYNC_LEAVE           UINT32_C(2)
#define WEFT_SYNC_WAIT            UINT32_C(3)
#define WEFT_SYNC_SIGNAL          UINT32_C(4)
#define WEFT_SYNC_WAKE            UINT32_C(5)
#define WEFT_SYNC_CALL            UINT32_C(6) /* any kernel call */
#define WEFT_SYNC_TRY             UINT32_C(7) /* an attempt that never waits, whatever comes of it */
#define WEFT_SYNC_RESET           UINT32_C(8) /* an event made unsignalled; a timer set or cancelled */
#define WEFT_SYNC_TIMEOUT         UINT32_C(9) /* a wait gives up: its time is over, or an APC came */
#define WEFT_SYNC_KINDS           10

/* A further bit of subscribe's answer: `before` and `after` read nothing of the view but `now`, which is
 * the time of the hardware thread then; the rest is some earlier view's. That is cheaper. */
#define WEFT_SYNC_NO_VIEW (UINT32_C(1) << 31)

/* Another one: `before` is also asked about the signal of a timer, of a file's transfer and of XAM's
 * overlapped request, before anything of it is done; `thread` is the clock source's identity. HOLD puts
 * it off by WEFT_SYNC_PATIENCE, after which it is asked for again; anything else lets it go. */
#define WEFT_SYNC_SOURCES  (UINT32_C(1) << 30)
#define WEFT_SYNC_PATIENCE UINT64_C(10000) /* ticks */

/* And one: `pick_cpu` and `pick_next` are asked only while there is an operation that was held and has
 * not gone yet; before that the view is not filled for them, which is cheaper. */
#define WEFT_PICK_HELD (UINT32_C(1) << 29)

typedef struct weft_sync_op {
    uint32_t size;     /* sizeof(weft_sync_op) */
    uint32_t kind;     /* WEFT_SYNC_* */
    uint64_t thread;   /* identity of the caller */
    uint64_t object;   /* identity of the object, or of the export for CALL */
    uint64_t index;    /* n-th operation of this kind on this thread, from 0 */
    uint64_t sequence; /* n-th operation on this object, from 0: in `before` the one that it will be
                        * if it goes now; of WAKE and TIMEOUT it is settled already. 0 for CALL */
    uint32_t site;     /* guest address of the caller */
    uint32_t pointer;  /* guest address of the object, 0 where it has none */
    uint64_t event;    /* weft_event.index that the thread's next GUEST event gets */
    uint32_t spin; /* of ENTER_CONTENDED in `before`: turns that the section asks to spin for before
                        * a wait, else 0. The kernel does not spin; a policy may, by SPIN */
    uint32_t reserved;
} weft_sync_op;

/* Answers of `before`. For SPIN the low 32 bits of *amount are instructions' worth of ticks. For HOLD
 * *amount is 0, or a number of the object's that is to come: then the operation is asked for again
 * when its `sequence` would be that, or others have run for long, or nobody else can; that is cheaper
 * than after each slice. It counts in `before` of an operation that has not its number yet. */
#define WEFT_ANSWER_GO UINT32_C(0) /* the default */
#define WEFT_ANSWER_HOLD                                                                           \
    UINT32_C(1) /* not yet: nothing retires, asked again when others have run */
#define WEFT_ANSWER_YIELD                                                                          \
    UINT32_C(2) /* GO once each other thread that is ready on the hardware thread has run a slice */
#define WEFT_ANSWER_SPIN  UINT32_C(3) /* let *amount ticks pass, then GO */
#define WEFT_ANSWER_BLOCK UINT32_C(4) /* of ENTER_CONTENDED: wait at once, without spinning */

/* Kinds of `delay`. */
#define WEFT_DELAY_START      UINT32_C(0) /* from resume to the thread's first instruction */
#define WEFT_DELAY_WAKE       UINT32_C(1) /* from signal to ready */
#define WEFT_DELAY_IO         UINT32_C(2) /* from request to completion of a file's transfer */
#define WEFT_DELAY_TIMEOUT    UINT32_C(3) /* from a wait or delay that waits to its time-out */
#define WEFT_DELAY_TIMER      UINT32_C(4) /* from setting a timer to its first signal */
#define WEFT_DELAY_OVERLAPPED UINT32_C(5) /* from request to completion of XAM's */
#define WEFT_DELAY_KINDS      6

/* Ticks by which an answer of `delay` may exceed the kernel's figure. */
#define WEFT_DELAY_MOST UINT64_C(1000000000000)

typedef struct weft_policy_ops {
    uint32_t size; /* sizeof(weft_policy_ops) */
    uint32_t reserved;

    /* Which hardware thread runs next: 0..5 with ready > 0. *slice may be lowered: the most ticks
     * that it runs before the policy is asked again. Default: the least time, then the lowest
     * number. [guest] */
    uint32_t (*pick_cpu)(void *instance, const weft_sched_view *view, uint64_t *slice);

    /* Which thread of hardware thread `hw` runs: an index in view->threads that is READY or RUNNING
     * and queued there. Default: highest priority, then least `order`. Not asked while pinned.
     * [guest] */
    int32_t (*pick_next)(void *instance, const weft_sched_view *view, uint32_t hw);

    /* Ticks that a thread runs before it goes behind its equals. The view is as the slice began, but
     * for `now` and what the thread has retired. 0 or NULL: 20 ms. [guest] */
    uint64_t (*quantum)(void *instance, const weft_sched_view *view, int32_t thread);

    /* Which operations `before` and `after` want to see: bits 1 << WEFT_SYNC_*, and WEFT_SYNC_NO_VIEW.
     * NULL: none. [guest] */
    uint32_t (*subscribe)(void *instance);

    /* Before a subscribed operation takes effect: WEFT_ANSWER_*. Asked once for each object of a wait
     * and of its end (WAKE, TIMEOUT), in argument order; a HOLD of one asks about all of them again.
     * After YIELD, SPIN or a release by `stuck` it is not asked again. Not asked of DPCs, interrupts
     * and clock sources, of which `after` tells, but for WEFT_SYNC_SOURCES. NULL: GO. [guest] */
    uint32_t (*before)(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount);

    /* After it took effect. NULL: not told. [guest] */
    void (*after)(void *instance, const weft_sched_view *view, const weft_sync_op *op);

    /* Ticks for WEFT_DELAY_*, at most `natural`, the kernel's own figure, and WEFT_DELAY_MOST. NULL:
     * `natural`. [guest] */
    uint64_t (*delay)(void *instance, uint32_t kind, uint64_t thread, uint64_t natural);

    /* Every runnable thread is held, and no time-out, timer or I/O is due: the identity of the one to
     * release. NULL, or an answer that is not held: the one held longest. [guest] */
    uint64_t (*stuck)(void *instance, const weft_sched_view *view);

    /* Nothing can run and nothing is due: the run ends with exit code 4 after this. NULL: not told.
     * [guest] */
    void (*deadlock)(void *instance, const weft_sched_view *view);

    /* A thread exists from here on; after a swap, told once for each in order of creation. NULL: not
     * told. [guest] */
    void (*thread_start)(void *instance, uint64_t thread, uint64_t parent);

    /* It has ended. NULL: not told. [guest] */
    void (*thread_end)(void *instance, uint64_t thread);

    /* The policy's whole state. NULL: saving is refused, by id. [guest] */
    weft_status (*save)(void *instance, void *buffer, uint64_t *length);

    /* Takes back what save wrote. NULL: loading is refused. [guest] */
    weft_status (*load)(void *instance, const void *buffer, uint64_t length);

    /* On which hardware thread a thread (index in view->threads) is queued, 0..5: asked when it becomes
     * ready and when its affinity has changed. One that the affinity leaves out is legal too: an engine
     * that ignores affinities does that, and the guest sees another processor number and no more.
     * Default: where it is, if its affinity has that, else the affinity's lowest. [guest] */
    uint32_t (*place)(void *instance, const weft_sched_view *view, int32_t thread);
} weft_policy_ops;

/* Extension of a kernel plugin: who serves as its policy, while a title runs. */
#define WEFT_POLICY_EXTENSION "policy/1"

/* weft_policy_exchange.what */
#define WEFT_POLICY_AT_ONCE      UINT32_C(0) /* before the next slice */
#define WEFT_POLICY_AT_DECISIONS UINT32_C(1) /* once `at` slices have been given out */
#define WEFT_POLICY_AT_TICKS     UINT32_C(2) /* before what happens at tick `at` or later */

/* An exchange of the policy: the caller's, from `exchange` until `told`. */
typedef struct weft_policy_exchange {
    uint32_t size; /* sizeof(weft_policy_exchange) */
    uint32_t what; /* WEFT_POLICY_AT_* */
    uint64_t at;
    const weft_policy_ops *ops; /* of the newcomer; whole, no op is missing at the end */
    void *instance;
    const char *id;

    /* It is done, before slice number `slices`, from 0: the one before is not called any more.
     * [guest] */
    void (*told)(struct weft_policy_exchange *exchange, uint64_t slices);
    void *context; /* the caller's */
} weft_policy_exchange;

typedef struct weft_policy_extension {
    uint32_t size; /* sizeof(weft_policy_extension) */
    uint32_t reserved;

    /* Asks for an exchange. The newcomer is asked about what the one before holds, when others have
     * run; it gets `subscribe`, then thread_start for each thread that lives, in order of creation; policy.swap
     * tells of it. STATE: one of that kind (at once, planned) is on its way already. A planned one
     * from [main] only before the run. [main][guest] */
    weft_status (*exchange)(void *instance, weft_policy_exchange *exchange);

    /* From within an op of the policy: once it returns, its answer counts as none, and the built-in
     * policy serves. [guest] */
    void (*eject)(void *instance, const char *reason);

    /* 1: the policy that was to serve has been ejected, and the built-in one does. [any] */
    uint32_t (*ejected)(void *instance);
} weft_policy_extension;

WEFT_STATIC_ASSERT(sizeof(weft_policy_exchange) == 56, "ABI: weft_policy_exchange");
WEFT_STATIC_ASSERT(sizeof(weft_policy_extension) == 32, "ABI: weft_policy_extension");
WEFT_STATIC_ASSERT(sizeof(weft_sched_thread) == 56, "ABI: weft_sched_thread");
WEFT_STATIC_ASSERT(sizeof(weft_sched_hw) == 24, "ABI: weft_sched_hw");
WEFT_STATIC_ASSERT(sizeof(weft_sched_view) == 48, "ABI: weft_sched_view");
WEFT_STATIC_ASSERT(sizeof(weft_sync_op) == 64, "ABI: weft_sync_op");
WEFT_STATIC_ASSERT(sizeof(weft_policy_ops) == 120, "ABI: weft_policy_ops");

/* The i-th thread and hardware thread of a view. [any] */
static inline const weft_sched_thread *weft_view_thread(const weft_sched_view *view, uint32_t i)
{
    return (const weft_sched_thread *)((const char *)view->threads +
                                       (size_t)i * view->thread_stride);
}

static inline const weft_sched_hw *weft_view_hw(const weft_sched_view *view, uint32_t i)
{
    return (const weft_sched_hw *)((const char *)view->hw + (size_t)i * view->hw_stride);
}

#ifdef __cplusplus
}
#endif
#endif
