/* inversion: on one hardware thread, a thread of low priority holds a lock that one of high
 * priority wants, and one between them keeps it from running. The title ends all the same: the
 * middle one gives up after a while, or the scheduler lets nobody starve.
 *
 *     rounds=N   times (default 3)
 *     us=N       how long the middle one spins at most, in microseconds (default 2000)
 *     forever    the middle one spins until the high one is done: ends only where nobody starves */
#include "threads.h"

#define HARDWARE_THREAD 2u
#define TICKS_PER_US    50u /* of the time base */

static struct {
    u32 limit; /* ticks of the time base, 0: none */
    critical_section section;
    u32 held;  /* notification event: the low one has the lock */
    u32 ready; /* semaphore: the others wait for that */
    volatile u32 done;
    volatile u32 order, entries;
    u32 waited_us, gave_up;
} scene;

enum { LOW, MIDDLE, HIGH, ROLES };

static const i32 increments[ROLES] = {-2, 0, 2}; /* on the base priority */

static void play_low(void)
{
    weft_wait(scene.ready, WEFT_FOREVER);
    weft_wait(scene.ready, WEFT_FOREVER);
    RtlEnterCriticalSection(&scene.section);
    scene.order = scene.order * 10 + LOW + 1;
    NtSetEvent(scene.held, 0); /* from here on it is alone with the two above it */
    weft_work(20000);
    scene.entries++;
    RtlLeaveCriticalSection(&scene.section);
}

static void play_middle(void)
{
    NtReleaseSemaphore(scene.ready, 1, 0);
    weft_wait(scene.held, WEFT_FOREVER);
    u32 start = (u32)weft_timebase();
    while (scene.done == 0) {
        if (scene.limit != 0 && (u32)weft_timebase() - start > scene.limit) {
            scene.gave_up++;
            return;
        }
    }
}

static void play_high(void)
{
    NtReleaseSemaphore(scene.ready, 1, 0);
    weft_wait(scene.held, WEFT_FOREVER);
    u32 start = (u32)weft_timebase();
    RtlEnterCriticalSection(&scene.section);
    scene.order = scene.order * 10 + HIGH + 1;
    scene.entries++;
    RtlLeaveCriticalSection(&scene.section);
    scene.waited_us += ((u32)weft_timebase() - start) / TICKS_PER_US;
    scene.done = 1;
}

static u32 role(void *context)
{
    u32 which = (u32)(uintptr_t)context;
    if (which == LOW) {
        play_low();
    } else if (which == MIDDLE) {
        play_middle();
    } else {
        play_high();
    }
    return 0;
}

static bool thread_start(u32 *handle, u32 which)
{
    void *object = NULL;
    if (weft_thread_create(handle, role, (void *)(uintptr_t)which, HARDWARE_THREAD,
                           CREATE_SUSPENDED) != STATUS_SUCCESS ||
        ObReferenceObjectByHandle(*handle, 0, &object) != STATUS_SUCCESS) {
        return false;
    }
    KeSetBasePriorityThread(object, increments[which]);
    ObDereferenceObject(object);
    return true;
}

int main(int argc, char **argv)
{
    u32 rounds = weft_option_number(argc, argv, "rounds", 3);
    bool forever = weft_option(argc, argv, "forever") != NULL;
    scene.limit = forever ? 0 : TICKS_PER_US * weft_option_number(argc, argv, "us", 2000);
    RtlInitializeCriticalSection(&scene.section);
    scene.ready = weft_semaphore(0, 2);
    weft_verdict v;
    weft_verdict_begin(&v, "inversion");
    for (u32 r = 0; r < rounds; r++) {
        u32 handles[ROLES];
        scene.done = scene.order = scene.entries = 0;
        scene.held = weft_event(NOTIFICATION, false);
        for (u32 i = 0; i < ROLES; i++) {
            if (!thread_start(&handles[i], i)) {
                DbgPrint("inversion: no thread %u\n", i);
                return 2;
            }
        }
        for (u32 i = 0; i < ROLES; i++) {
            NtResumeThread(handles[i], 0);
        }
        weft_wait_many(handles, ROLES, WAIT_ALL, WEFT_FOREVER);
        weft_check(&v, "order", scene.order, (LOW + 1) * 10 + HIGH + 1);
        weft_check(&v, "entries", scene.entries, 2);
        NtClose(scene.held);
        for (u32 i = 0; i < ROLES; i++) {
            NtClose(handles[i]);
        }
    }
    DbgPrint("inversion: the high one waited %u us, the middle one gave up %u times\n",
             scene.waited_us, scene.gave_up);
    return (int)weft_verdict_end(&v);
}
