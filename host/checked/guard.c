#include "guard.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "../policies.h"

#define OVERDUE SIGVTALRM /* from guard_watch to the thread whose op takes too long */

/* A signal handler has nobody to ask: the innermost guard of the thread that it runs on. */
static _Thread_local guard *innermost;

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, OVERDUE};
#define SIGNALS (sizeof signals / sizeof signals[0])

/* Where it came from before there were guards; no handler of ours. */
static struct sigaction before[SIGNALS];

static void on_signal(int number, siginfo_t *info, void *context)
{
    guard *g = innermost;
    if (g && (number != OVERDUE || atomic_load(&g->c->overdue) == atomic_load(&g->c->op_number))) {
        g->signal = number;
        siglongjmp(g->place, 1);
    }
    for (size_t i = 0; i < SIGNALS; i++) {
        if (signals[i] != number || number == OVERDUE) {
            continue;
        }
        if (before[i].sa_flags & SA_SIGINFO) {
            before[i].sa_sigaction(number, info, context);
        } else { /* the instruction is made again, and this time ends the process */
            sigaction(number, &before[i], NULL);
        }
    }
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++) {
        sigaction(signals[i], &action, &before[i]);
    }
}

void guard_install(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
}

int guard_enter(guard *g, checked *c, const char *op)
{
    *g = (guard){.c = c, .op = op, .outer = innermost};
    if (c->broken) {
        return 0;
    }
    atomic_store(&c->op_thread, pthread_self());
    atomic_fetch_add(&c->op_number, 1); /* odd: within an op */
    innermost = g;
    return 1;
}

void guard_leave(guard *g)
{
    innermost = g->outer;
    atomic_fetch_add(&g->c->op_number, 1);
}

static const char *what_of(int number)
{
    return number == OVERDUE  ? "did not come back from"
           : number == SIGFPE ? "divided by zero in"
           : number == SIGILL ? "ran an illegal instruction in"
                              : "crashed in";
}

void guard_broken(guard *g)
{
    if (!g->signal) {
        return;
    }
    sigset_t blocked;
    int number = g->signal;
    innermost = g->outer;
    sigemptyset(&blocked);
    sigaddset(&blocked, number);
    pthread_sigmask(SIG_UNBLOCK, &blocked, NULL); /* it was while its handler ran */
    atomic_fetch_add(&g->c->op_number, 1);
    g->c->broken = 1;
    const policies *all = g->c->part->run->policies;
    if (!all || !all->kernel) {
        checked_violation(g->c, g->op, "the policy broke (found signal %d, expected an answer)",
                          number);
    }
    char reason[160];
    snprintf(reason, sizeof reason, "%s %s %s", g->c->part->plugin->desc->id, what_of(number),
             g->op);
    all->kernel->eject(all->kernel_instance, reason);
}

/* ---- ops that do not come back -----------------------------------------------------------------
 */

static uint64_t milliseconds(clockid_t clock)
{
    struct timespec t = {0};
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void guard_watch(checked *c)
{
    uint64_t number = atomic_load(&c->op_number), wall = milliseconds(CLOCK_MONOTONIC);
    pthread_t thread = atomic_load(&c->op_thread);
    clockid_t clock;
    if (!(number & 1) || pthread_getcpuclockid(thread, &clock)) {
        c->watched = 0;
        return;
    }
    uint64_t cpu = milliseconds(clock);
    if (c->watched != number) {
        c->watched = number;
        c->watched_cpu = cpu;
        c->watched_wall = wall;
    } else if (cpu - c->watched_cpu > GUARD_CPU_MS || wall - c->watched_wall > GUARD_WALL_MS) {
        atomic_store(&c->overdue, number);
        pthread_kill(thread, OVERDUE);
    }
}
