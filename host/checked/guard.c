#include "guard.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../policies.h"

#define OVERDUE SIGVTALRM /* from guard_watch to the thread whose op takes too long */
#define ENDED   (-1)      /* guard.signal: it called exit */

/* A signal handler has nobody to ask: the innermost guard of the thread that it runs on. */
static _Thread_local guard *innermost;
static _Thread_local pid_t own_tid; /* 0: it has not been in a guard */

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, OVERDUE};
#define SIGNALS (sizeof signals / sizeof signals[0])

/* What handlers run on where an op has used up its stack, or lost it. */
static _Thread_local _Alignas(16) char spare_stack[1 << 16];

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
        } else { /* it is made again, and this time ends the process */
            sigaction(number, &before[i], NULL);
        }
    }
}

/* Plugins that call exit find this one before the C library's (host/CMakeLists.txt). */
WEFT_EXPORT void exit(int code)
{
    if (innermost) {
        innermost->signal = ENDED;
        siglongjmp(innermost->place, 1);
    }
    loader_exit(code);
}

/* A sanitizer has put one there already. */
static void need_spare_stack(void)
{
    stack_t stack = {.ss_sp = spare_stack, .ss_size = sizeof spare_stack}, found;
    if (sigaltstack(NULL, &found) == 0 && (found.ss_flags & SS_DISABLE)) {
        sigaltstack(&stack, NULL);
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
    if (!own_tid) {
        own_tid = (pid_t)syscall(SYS_gettid);
        need_spare_stack();
    }
    atomic_store(&c->op_thread, pthread_self());
    atomic_store(&c->op_tid, own_tid);
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
    return number == OVERDUE   ? "did not come back from"
           : number == SIGFPE  ? "divided by zero in"
           : number == SIGILL  ? "ran an illegal instruction in"
           : number == SIGABRT ? "called abort in"
           : number == ENDED   ? "called exit in"
                               : "crashed in";
}

static void recover(guard *g)
{
    innermost = g->outer;
    if (g->signal != ENDED) {
        sigset_t blocked;
        sigemptyset(&blocked);
        sigaddset(&blocked, g->signal);
        pthread_sigmask(SIG_UNBLOCK, &blocked, NULL); /* it was while its handler ran */
    }
    atomic_fetch_add(&g->c->op_number, 1);
}

void guard_eject(checked *c, const char *does, const char *op)
{
    const policies *all = c->part->run->policies;
    c->broken = 1;
    if (!all || !all->kernel) {
        checked_violation(c, op, "the policy %s it (expected an answer)", does);
    }
    char reason[160];
    snprintf(reason, sizeof reason, "%s %s %s", c->part->plugin->desc->id, does, op);
    all->kernel->eject(all->kernel_instance, reason);
}

void guard_broken(guard *g)
{
    if (g->signal) {
        recover(g);
        guard_eject(g->c, what_of(g->signal), g->op);
    }
}

/* ---- a policy's beginning and end --------------------------------------------------------------
 */

weft_status guard_create(part *p)
{
    checked c = {.part = p};
    guard g;
    guard_install();
    guard_enter(&g, &c, "create");
    if (sigsetjmp(g.place, 0) == 0) {
        weft_status status = p->plugin->code->create(&p->host, &p->instance);
        guard_leave(&g);
        return status;
    }
    recover(&g);
    char sentence[160];
    snprintf(sentence, sizeof sentence, "%s %s create (expected an instance)", p->plugin->desc->id,
             what_of(g.signal));
    p->host.fail(&p->host, WEFT_E_STATE, sentence);
    return WEFT_E_STATE;
}

void guard_destroy(checked *c)
{
    guard g;
    if (guard_enter(&g, c, "destroy") && sigsetjmp(g.place, 0) == 0) {
        c->part->plugin->code->destroy(c->instance);
        guard_leave(&g);
    } else if (g.signal) {
        recover(&g);
        fprintf(stderr, "weft: warning: %s %s destroy\n", c->part->plugin->desc->id,
                what_of(g.signal));
    }
}

/* ---- ops that do not come back -----------------------------------------------------------------
 */

static uint64_t milliseconds(clockid_t clock)
{
    struct timespec t = {0};
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* It waits for something, rather than for a processor. */
static int asleep(pid_t tid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    FILE *f = fopen(path, "r");
    if (f) {
        text[fread(text, 1, sizeof text - 1, f)] = 0;
        fclose(f);
    }
    const char *name_end = strrchr(text, ')'); /* proc(5): tid (name) state */
    return name_end && name_end[1] == ' ' && name_end[2] == 'S';
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
        c->watched_asleep = 1;
        return;
    }
    uint64_t lasted = wall - c->watched_wall;
    c->watched_asleep = c->watched_asleep && asleep(atomic_load(&c->op_tid));
    if (cpu - c->watched_cpu > GUARD_CPU_MS || lasted > GUARD_WALL_MS ||
        (c->watched_asleep && lasted > GUARD_CPU_MS)) {
        atomic_store(&c->overdue, number);
        pthread_kill(thread, OVERDUE);
    }
}
