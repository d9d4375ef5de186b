#include "threads.h"

u32 weft_event(u32 type, bool set)
{
    u32 handle = 0;
    NtCreateEvent(&handle, 0, type, set);
    return handle;
}

u32 weft_semaphore(u32 count, u32 limit)
{
    u32 handle = 0;
    NtCreateSemaphore(&handle, 0, (i32)count, (i32)limit);
    return handle;
}

u32 weft_mutant(bool owned)
{
    u32 handle = 0;
    NtCreateMutant(&handle, 0, owned);
    return handle;
}

static u32 wait(u32 handle, u32 ms, u32 alertable)
{
    i64 timeout = weft_relative(ms);
    return NtWaitForSingleObjectEx(handle, USER_MODE, alertable,
                                   ms == WEFT_FOREVER ? NULL : &timeout);
}

u32 weft_wait(u32 handle, u32 ms)
{
    return wait(handle, ms, 0);
}

u32 weft_wait_alertable(u32 handle, u32 ms)
{
    return wait(handle, ms, 1);
}

u32 weft_wait_many(const u32 *handles, u32 count, u32 type, u32 ms)
{
    i64 timeout = weft_relative(ms);
    return NtWaitForMultipleObjectsEx(count, handles, type, USER_MODE, 0,
                                      ms == WEFT_FOREVER ? NULL : &timeout);
}

static u32 delay(u32 ms, u32 alertable)
{
    i64 interval = weft_relative(ms);
    return KeDelayExecutionThread(USER_MODE, alertable, &interval);
}

u32 weft_sleep(u32 ms)
{
    return delay(ms, 0);
}

u32 weft_sleep_alertable(u32 ms)
{
    return delay(ms, 1);
}

void weft_back_off(u32 *turns)
{
    static const i64 ten_us = -100;
    if (++*turns % 8 == 0) {
        KeDelayExecutionThread(USER_MODE, 0, &ten_us);
    } else {
        NtYieldExecution();
    }
}

u64 weft_system_time(void)
{
    u64 time = 0;
    KeQuerySystemTime(&time);
    return time;
}

bool weft_team_start(weft_team *team, u32 count, u32 (*entry)(void *), void *shared)
{
    team->count = count;
    for (u32 i = 0; i < count; i++) {
        team->members[i].index = i;
        team->members[i].shared = shared;
        u32 status = weft_thread_create(&team->handles[i], entry, &team->members[i], i % 6,
                                        CREATE_SUSPENDED);
        if (status != STATUS_SUCCESS) {
            DbgPrint("no thread %u, status 0x%08x\n", i, status);
            return false;
        }
    }
    for (u32 i = 0; i < count; i++) {
        NtResumeThread(team->handles[i], 0);
    }
    return true;
}

void weft_team_join(weft_team *team)
{
    weft_wait_many(team->handles, team->count, WAIT_ALL, WEFT_FOREVER);
    for (u32 i = 0; i < team->count; i++) {
        NtClose(team->handles[i]);
    }
}

/* xorshift32 with the triple 13, 17, 5 (Marsaglia, "Xorshift RNGs", 2003); 0 has no successor. */
u32 weft_random(u32 *state)
{
    u32 x = *state != 0 ? *state : 0x9E3779B9u;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}

/* Two rounds of multiply and fold; the factors are odd, so every step can be undone. */
u32 weft_mix(u32 value)
{
    value = (value ^ value >> 16) * 0x85EBCA6Bu;
    value = (value ^ value >> 13) * 0xC2B2AE35u;
    return value ^ value >> 16;
}

void weft_work(u32 n)
{
    for (u32 i = 0; i < n / 2; i++) {
        __asm__ volatile("");
    }
}

bool weft_swap_if(volatile u32 *cell, u32 old, u32 new)
{
    u32 seen;
    __asm__ volatile("1: lwarx %0,0,%2\n\t"
                     "cmpw %0,%3\n\t"
                     "bne- 2f\n\t"
                     "stwcx. %4,0,%2\n\t"
                     "bne- 1b\n"
                     "2: isync"
                     : "=&r"(seen), "+m"(*cell)
                     : "r"(cell), "r"(old), "r"(new)
                     : "cr0", "memory");
    return seen == old;
}

void weft_verdict_begin(weft_verdict *v, const char *title)
{
    v->title = title;
    v->checksum = 0x811C9DC5u;
    v->wrong = 0;
}

/* FNV-1a over the eight bytes of what was found, the most significant first. */
void weft_check(weft_verdict *v, const char *what, u64 found, u64 expected)
{
    for (u32 i = 0; i < 8; i++) {
        v->checksum = (v->checksum ^ (u32)(found >> (56 - 8 * i) & 0xFF)) * 0x01000193u;
    }
    if (found != expected) {
        DbgPrint("%s: %s: found 0x%08x%08x, expected 0x%08x%08x\n", v->title, what,
                 (u32)(found >> 32), (u32)found, (u32)(expected >> 32), (u32)expected);
        v->wrong++;
    }
}

u32 weft_verdict_end(const weft_verdict *v)
{
    if (v->wrong != 0) {
        DbgPrint("%s: checksum 0x%08x, %u wrong\n", v->title, v->checksum, v->wrong);
        return 1;
    }
    DbgPrint("%s: checksum 0x%08x ok\n", v->title, v->checksum);
    return 0;
}

u32 weft_option_number(int argc, char **argv, const char *name, u32 otherwise)
{
    const char *text = weft_option(argc, argv, name);
    return text != NULL ? weft_number(text) : otherwise;
}
