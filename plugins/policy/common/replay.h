/* replay.h: a contention manifest, version 1, met by a run: where the reference found a critical
 * section taken, and what this run finds there.
 *
 * An entry's key is (thread, its event index), as the reference system has it, or the better (thread,
 * n-th call of RtlEnterCriticalSection) where the manifest has `enter`, checked by the call site. A
 * contended entry leaves more events than a free one, so our index is translated into the
 * reference's: ours, less those that our contended entries left more, plus those of the entries of
 * the reference that the thread has met. Threads count for themselves; a miss changes nothing. */
#ifndef WEFT_POLICY_REPLAY_H
#define WEFT_POLICY_REPLAY_H

#include "pick.h"

/* policy.replay's `what`: by whom. follow has 0..15. */
#define REPLAY_CONSERVATIVE UINT32_C(16)
#define REPLAY_AGGRESSIVE   UINT32_C(17)
#define REPLAY_YIELD        UINT32_C(18)

/* policy.replay's `outcome`, and the places of the counters. */
enum {
    REPLAY_REPLAYED, /* contended here too, or made so by the policy */
    REPLAY_FREE,     /* skipped: nobody had it */
    REPLAY_OWNED,    /* skipped: the thread had it already */
    REPLAY_POINTER,  /* skipped: another critical section than the reference's */
    REPLAY_SITE,     /* skipped: another call site than the reference's; by `enter` only */
    REPLAY_VAIN,     /* made to wait, but nobody else came: let go */
    REPLAY_OUTCOMES
};

typedef struct replay replay;

/* Reads the option `manifest`; *made is NULL where it is empty. Fails by host->fail. */
weft_status replay_create(replay **made, const weft_host *host, uint32_t who);
/* Tells the log how it went. NULL is none, as in what follows. */
void replay_free(replay *r);

/* What replay_meets and replay_after have to see. */
uint32_t replay_subscribe(const replay *r);
/* Whether this operation is an enter that the manifest names, with the reference's critical section;
 * if so, replay_tell is to say what became of it. True again each time that a held one is asked. */
int replay_meets(replay *r, const weft_sched_view *view, const weft_sync_op *op);
void replay_tell(replay *r, const weft_sched_view *view, const weft_sync_op *op, uint32_t outcome);
/* A thread was made to wait for so long at a section that was free. */
void replay_parked(replay *r, uint64_t ticks);
/* From `after`, of every subscribed operation. Before it, replay_meets still says whether the
 * operation is such an enter. */
void replay_after(replay *r, const weft_sched_view *view, const weft_sync_op *op);
void replay_thread_end(replay *r, uint64_t thread);

#define REPLAY_OPTIONS                                                                             \
    {                                                                                              \
        .key = "manifest",                                                                         \
        .type = WEFT_OPTION_PATH,                                                                  \
        .default_value = "",                                                                       \
        .help = "contention manifest, version 1, of weft trace manifest; none: nothing to replay", \
    },                                                                                             \
        {                                                                                          \
            .key = "manifest_extra",                                                               \
            .type = WEFT_OPTION_INT,                                                               \
            .default_value = "4",                                                                  \
            .minimum = 0,                                                                          \
            .maximum = 100,                                                                        \
            .help = "events that a contended enter leaves more than a free one, in the reference", \
        },                                                                                         \
    {                                                                                              \
        .key = "manifest_pointers", .type = WEFT_OPTION_BOOL, .default_value = "yes",              \
        .help = "an entry counts only where the critical section has the reference's address",     \
    }

#endif
