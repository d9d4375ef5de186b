/* guard.h: a policy's ops in checked mode: one that crashes or does not come back is left where it
 * is, and the caller goes on. What the op had in its hands (memory, locks) is lost with it, so the
 * instance is never called again, not even to end it.
 *
 *     guard g;
 *     if (guard_enter(&g, c, "pick_next") && sigsetjmp(g.place, 0) == 0) {
 *         answer = c->ops.policy.pick_next(...);
 *         guard_leave(&g);
 *     } else {
 *         guard_broken(&g);
 *     } */
#ifndef WEFT_HOST_GUARD_H
#define WEFT_HOST_GUARD_H

#include <setjmp.h>
#include <signal.h>

#include "checked.h"

#define GUARD_CPU_MS  1000  /* of an op, on its processor, or asleep from first to last look */
#define GUARD_WALL_MS 10000 /* of an op, however little of that it runs */

typedef struct guard {
    sigjmp_buf place;
    struct guard *outer;
    checked *c;
    const char *op;
    volatile sig_atomic_t signal; /* that ended it; 0: none */
} guard;

/* False: the instance has been given up. */
int guard_enter(guard *g, checked *c, const char *op);
void guard_leave(guard *g);
/* After the jump: asks the kernel to eject the policy; does nothing where guard_enter refused. */
void guard_broken(guard *g);
/* It did something else that ends its service, and is not called again. */
void guard_eject(checked *c, const char *does, const char *op);

#endif
