/* checked.h: `[machine] checked = yes`: every role's ops behind wrappers that hold caller and
 * plugin to their contract: which thread calls, in which state, with which arguments, and whether
 * the answer is one. A violation is a fault of a plugin: one line, exit code 5. Digests are the
 * same with it on and off. */
#ifndef WEFT_HOST_CHECKED_H
#define WEFT_HOST_CHECKED_H

#include "../run.h"

/* What is known about one wrapped instance. */
typedef struct checked {
    part *part;
    role_ops ops;   /* the plugin's own */
    void *instance; /* the plugin's own */
    int attached, opened, ran;
    _Atomic uint32_t running; /* CPU: bit n: inside `run` for hardware thread n */
    uint64_t last_sequence;   /* tracer: of the latest event, + 1 */
    int partial;              /* tracer: a filter hides some */

    /* policy: what it is shown is a copy */
    weft_sched_view view;
    void *view_records;
    size_t view_room; /* bytes of it */
    int few_views;    /* `before` and `after` get none (WEFT_SYNC_NO_VIEW) */

    /* policy, guard.c */
    int broken; /* it crashed or did not come back, and is not called again */
    _Atomic uint64_t op_number, overdue; /* odd: within an op; the one that takes too long */
    _Atomic(pthread_t) op_thread;
    _Atomic pid_t op_tid;
    uint64_t watched, watched_cpu, watched_wall; /* the main thread's; ms */
    int watched_asleep;                          /* whenever it was looked at */
} checked;

/* Puts the wrappers between a created part and its callers. */
void checked_wrap(part *p);
void checked_unwrap(part *p);

/* A host service was called: from an allowed thread? Does nothing unless the profile says checked.
 */
void checked_service(part *p, const char *service, uint32_t tags);

/* A service that one thread at a time may call, whose entry sets `busy` and whose end clears it. */
void checked_alone(part *p, const char *service, _Atomic uint32_t *busy);

/* Catches what a guarded op may do; before the first one. */
void guard_install(void);
/* A policy's create and destroy, which may go wrong as its ops may: STATE, with a sentence. */
weft_status guard_create(part *p);
void guard_destroy(checked *c);
/* Now and then on the main thread: ends the op that a policy does not come back from. */
void guard_watch(checked *c);

/* For the wrappers: ends the process with the line `ID.op: sentence` and exit code 5. */
void checked_violation(const checked *c, const char *op, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

/* For the wrappers: the calling thread must have one of these tags. */
void checked_thread(const checked *c, const char *op, uint32_t tags);

/* For the wrappers: `condition` must hold. */
#define CHECK(c, op, condition, ...)                                                               \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            checked_violation(c, op, __VA_ARGS__);                                                 \
        }                                                                                          \
    } while (0)

/* The tables of wrappers (checked/ROLE.c). */
void checked_cpu(role_ops *ops);
void checked_kernel(role_ops *ops);
void checked_gpu(role_ops *ops);
void checked_tracer(role_ops *ops);
void checked_policy(role_ops *ops);
void checked_frontend(role_ops *ops);

#endif
