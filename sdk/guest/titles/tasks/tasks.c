/* tasks: XAM's tasks, which run once, each time that an event is set, and periodically; asked what they
 * are, changed, cancelled, waited for.
 *
 *     rounds=N   times that all of it is done (default 3) */
#include "threads.h"

#define PROPERTY_WAIT           0x00000001u
#define PROPERTY_DEDICATED      0x00000002u
#define PROPERTY_PERIODIC       0x00000008u
#define PROPERTY_ONCE           0x01000000u
#define PROPERTY_WAIT_ON_HANDLE 0x08000000u

#define MODIFY_PARAMETER  2u
#define MODIFY_ATTRIBUTES 4u

#define S_OK      0u
#define E_PENDING 0x8000000Au

typedef struct attributes {
    u32 properties, second;
} attributes;

typedef struct counter {
    volatile u32 calls, stopped;
    u32 done; /* event: a call is over */
} counter;

static u32 count(counter *c)
{
    c->calls++;
    NtSetEvent(c->done, 0);
    return 0;
}

/* Runs until it is cancelled. */
static u32 linger(counter *c)
{
    NtSetEvent(c->done, 0);
    while (!XamTaskShouldExit()) {
        weft_sleep(1);
    }
    c->stopped = 1;
    return 0;
}

static u32 schedule(u32 (*procedure)(counter *), counter *c, u32 properties, u32 second)
{
    attributes a = {properties, second};
    u32 task = 0;
    c->calls = c->stopped = 0;
    XamTaskSchedule((const void *)procedure, c, &a, &task);
    return task;
}

static void end(weft_verdict *v, u32 task)
{
    XamTaskCancel(task);
    XamTaskWaitOnCompletion(task);
    weft_check(v, "it has ended", XamTaskGetStatus(task), S_OK);
    XamTaskCloseHandle(task);
}

static void once(weft_verdict *v, counter *c)
{
    u32 task = schedule(count, c, PROPERTY_DEDICATED, 0);
    XamTaskWaitOnCompletion(task);
    weft_check(v, "called once", c->calls, 1);
    weft_wait(c->done, WEFT_FOREVER);
    end(v, task);
}

static void cancelled(weft_verdict *v, counter *c)
{
    u32 task = schedule(linger, c, PROPERTY_DEDICATED, 0);
    weft_wait(c->done, WEFT_FOREVER);
    weft_check(v, "it runs", XamTaskGetStatus(task), E_PENDING);
    end(v, task);
    weft_check(v, "it was told", c->stopped, 1);
    weft_check(v, "nobody else was", XamTaskShouldExit(), 0);
}

static void on_event(weft_verdict *v, counter *c)
{
    u32 event = weft_event(SYNCHRONIZATION, false);
    u32 task = schedule(count, c, PROPERTY_WAIT | PROPERTY_WAIT_ON_HANDLE, event);
    for (u32 i = 1; i <= 4; i++) {
        NtSetEvent(event, 0);
        weft_wait(c->done, WEFT_FOREVER);
        weft_check(v, "called for each", c->calls, i);
    }
    end(v, task);
    NtSetEvent(event, 0);
    weft_sleep(1);
    weft_check(v, "not after its end", c->calls, 4);
    NtClearEvent(event);

    task = schedule(count, c, PROPERTY_WAIT | PROPERTY_WAIT_ON_HANDLE | PROPERTY_ONCE, event);
    NtSetEvent(event, 0);
    XamTaskWaitOnCompletion(task);
    weft_check(v, "once for one", c->calls, 1);
    weft_wait(c->done, WEFT_FOREVER);
    XamTaskCloseHandle(task);
    NtClose(event);
}

static void periodic(weft_verdict *v, counter *c)
{
    static counter other;
    attributes a = {0, 0};
    u64 start = weft_system_time();
    u32 task = schedule(count, c, PROPERTY_PERIODIC, 5);
    for (u32 i = 0; i < 3; i++) {
        weft_wait(c->done, WEFT_FOREVER);
    }
    weft_check(v, "15 ms", weft_system_time() - start >= 14 * 10000u, true);
    weft_check(v, "its attributes", XamTaskGetAttributes(task, &a), S_OK);
    weft_check(v, "its kind", a.properties, PROPERTY_PERIODIC);
    weft_check(v, "its period", a.second, 5);
    a.second = 1;
    other = *c;
    XamTaskModify(task, MODIFY_PARAMETER | MODIFY_ATTRIBUTES, 0, &other, &a);
    u32 before = other.calls;
    while (other.calls < before + 3) {
        weft_wait(c->done, WEFT_FOREVER);
    }
    XamTaskGetAttributes(task, &a);
    weft_check(v, "its new period", a.second, 1);
    end(v, task);
}

int main(int argc, char **argv)
{
    u32 rounds = weft_option_number(argc, argv, "rounds", 3);
    static counter c;
    weft_verdict v;
    weft_verdict_begin(&v, "tasks");
    for (u32 r = 0; r < rounds; r++) {
        c.done = weft_event(SYNCHRONIZATION, false);
        once(&v, &c);
        cancelled(&v, &c);
        on_event(&v, &c);
        periodic(&v, &c);
        NtClose(c.done);
    }
    return (int)weft_verdict_end(&v);
}
