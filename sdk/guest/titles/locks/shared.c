/* Phases in which six threads change the same memory. R is the number of rounds; member i adds i +
 * 1, so that all six add 21. */
#include "locks.h"

#define TEAM_SUM 21u /* 1 + 2 + 3 + 4 + 5 + 6 */

/* ---- critical sections: 21 R in a counter without atomics, entered twice --------------------- */

static struct {
    critical_section section;
    volatile u32 inside; /* 0 outside, 1 inside: more is a broken lock */
    volatile u64 sum;
    volatile u32 failed_tries;
} guarded;

static void guarded_add(locks *l, u32 amount)
{
    guarded.inside = guarded.inside + 1;
    guarded.sum = guarded.sum + amount;
    if (guarded.inside != 1) {
        team_error(l);
    }
    guarded.inside = guarded.inside - 1;
}

static u32 sections_member(void *context)
{
    member *m = context;
    for (u32 r = 0; r < m->l->rounds; r++) {
        RtlEnterCriticalSection(&guarded.section);
        RtlEnterCriticalSection(&guarded.section); /* the owner may enter again */
        guarded_add(m->l, m->index + 1);
        RtlLeaveCriticalSection(&guarded.section);
        RtlLeaveCriticalSection(&guarded.section);
    }
    return 0;
}

verdict phase_sections(locks *l)
{
    memset(&guarded, 0, sizeof guarded);
    RtlInitializeCriticalSection(&guarded.section);
    team_run(l, sections_member);
    return (verdict){guarded.sum, (u64)TEAM_SUM * l->rounds};
}

/* ---- try enter: 21 R, whoever fails to enter at once waits ------------------------------------
 */

static u32 try_member(void *context)
{
    member *m = context;
    for (u32 r = 0; r < m->l->rounds; r++) {
        if (RtlTryEnterCriticalSection(&guarded.section) == 0) {
            weft_atomic_add(&guarded.failed_tries, 1);
            RtlEnterCriticalSection(&guarded.section);
        }
        guarded_add(m->l, m->index + 1);
        RtlLeaveCriticalSection(&guarded.section);
    }
    return 0;
}

verdict phase_try_enter(locks *l)
{
    memset(&guarded, 0, sizeof guarded);
    RtlInitializeCriticalSection(&guarded.section);
    team_run(l, try_member);
    return (verdict){guarded.sum, (u64)TEAM_SUM * l->rounds};
}

/* ---- reservations: 8 R * 21 in a word; the same times 2^32 + 1 in a doubleword --------------- */

#define ATOMIC_FACTOR 8u

static volatile u32 word;
static volatile u64 doubleword;

static u32 words_member(void *context)
{
    member *m = context;
    for (u32 r = 0; r < ATOMIC_FACTOR * m->l->rounds; r++) {
        weft_atomic_add(&word, m->index + 1);
    }
    return 0;
}

verdict phase_words(locks *l)
{
    word = 0;
    team_run(l, words_member);
    return (verdict){word, (u32)(TEAM_SUM * ATOMIC_FACTOR * l->rounds)};
}

static u32 doublewords_member(void *context)
{
    member *m = context;
    for (u32 r = 0; r < ATOMIC_FACTOR * m->l->rounds; r++) {
        weft_atomic_add64(&doubleword, (m->index + 1) * 0x100000001ull);
    }
    return 0;
}

verdict phase_doublewords(locks *l)
{
    doubleword = 0;
    team_run(l, doublewords_member);
    return (verdict){doubleword, (u64)TEAM_SUM * ATOMIC_FACTOR * l->rounds * 0x100000001ull};
}

/* ---- a spin lock of the title's own: 21 (R / 8) -----------------------------------------------
 */

#define SPIN_DIVISOR 8u

static struct {
    volatile u32 lock;
    volatile u64 sum;
} spun;

static void spin_acquire(volatile u32 *lock)
{
    u32 seen;
    do {
        while (*lock != 0) {
            __asm__ volatile("or 31,31,31"); /* db16cyc: let the other threads of the core run */
        }
        __asm__ volatile("lwarx %0,0,%2\n\t"
                         "cmpwi %0,0\n\t"
                         "bne- 1f\n\t"
                         "stwcx. %3,0,%2\n\t"
                         "li %0,1\n\t"
                         "bne- 1f\n\t"
                         "li %0,0\n"
                         "1: isync"
                         : "=&r"(seen), "+m"(*lock)
                         : "r"(lock), "r"(1)
                         : "cr0", "memory");
    } while (seen != 0);
}

static void spin_release(volatile u32 *lock)
{
    __asm__ volatile("lwsync" : : : "memory");
    *lock = 0;
}

static u32 spin_member(void *context)
{
    member *m = context;
    for (u32 r = 0; r < m->l->rounds / SPIN_DIVISOR; r++) {
        spin_acquire(&spun.lock);
        spun.sum = spun.sum + m->index + 1;
        spin_release(&spun.lock);
    }
    return 0;
}

verdict phase_spin(locks *l)
{
    memset(&spun, 0, sizeof spun);
    team_run(l, spin_member);
    return (verdict){spun.sum, (u64)TEAM_SUM * (l->rounds / SPIN_DIVISOR)};
}

/* ---- mutant: 21 R, acquired twice; one that is not owned cannot be released --------------------
 */

static struct {
    u32 mutant;
    volatile u64 sum;
} owned;

static u32 mutant_member(void *context)
{
    member *m = context;
    for (u32 r = 0; r < m->l->rounds; r++) {
        wait_one(owned.mutant, WAIT_FOREVER);
        wait_one(owned.mutant, WAIT_FOREVER);
        owned.sum = owned.sum + m->index + 1;
        NtReleaseMutant(owned.mutant, 0);
        NtReleaseMutant(owned.mutant, 0);
    }
    return 0;
}

verdict phase_mutant(locks *l)
{
    owned.sum = 0;
    NtCreateMutant(&owned.mutant, 0, 0);
    if (NtReleaseMutant(owned.mutant, 0) != STATUS_MUTANT_NOT_OWNED) {
        team_error(l);
    }
    team_run(l, mutant_member);
    if (wait_one(owned.mutant, 0) != STATUS_WAIT_0) { /* free again */
        team_error(l);
    }
    NtReleaseMutant(owned.mutant, 0);
    NtClose(owned.mutant);
    return (verdict){owned.sum, (u64)TEAM_SUM * l->rounds};
}

/* ---- thread local storage: each sees its own value in both slots: 21 (1 + 0x100) --------------
 */

static struct {
    u32 slots[2];
    volatile u32 sum;
} local;

static u32 tls_member(void *context)
{
    member *m = context;
    if (KeTlsGetValue(local.slots[0]) != 0) { /* a new thread's slots are clear */
        team_error(m->l);
    }
    KeTlsSetValue(local.slots[0], m->index + 1);
    KeTlsSetValue(local.slots[1], (m->index + 1) << 8);
    sleep_ms(1);
    weft_atomic_add(&local.sum, KeTlsGetValue(local.slots[0]) + KeTlsGetValue(local.slots[1]));
    return 0;
}

verdict phase_tls(locks *l)
{
    local.sum = 0;
    local.slots[0] = KeTlsAlloc();
    local.slots[1] = KeTlsAlloc();
    if (local.slots[0] == local.slots[1]) {
        team_error(l);
    }
    team_run(l, tls_member);
    KeTlsFree(local.slots[1]);
    KeTlsFree(local.slots[0]);
    return (verdict){local.sum, TEAM_SUM * 0x101};
}
