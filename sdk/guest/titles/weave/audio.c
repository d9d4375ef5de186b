/* audio: three decoders fill a ring each, and a periodic thread of high priority takes a block of
 * every ring that has one. A ring that is empty when its block is due costs silence, a mix that is
 * not ready at the next period is late: both depend on the order and are told. That each ring gives
 * its blocks once and in order does not.
 *
 *     rounds=N    blocks of each decoder (default 60)
 *     period=N    of the mixer, in milliseconds (default 1; the console's is 5.3)
 *     driver      the mixer is XAudio's callback instead of a thread with a timer */
#include "threads.h"

#define DECODERS 3u
#define RING     4u
#define SAMPLES  64u

typedef struct ring {
    critical_section section;
    u32 blocks[RING][SAMPLES];
    u32 first, count;
    u32 room; /* semaphore */
    u32 taken, silent;
    u32 wrong; /* blocks that were not the next */
} ring;

static struct {
    u32 rounds, period;
    ring rings[DECODERS];
    u32 done; /* notification event: every block was taken */
    volatile u32 mixes, late, sum;
    float frame[256 * 6]; /* what the driver is given */
    u32 driver;
} audio;

static u32 sample(u32 decoder, u32 n, u32 i)
{
    return weft_mix(decoder << 24 | n << 8 | i);
}

static u32 decoder(void *context)
{
    weft_member *m = context;
    ring *r = &audio.rings[m->index];
    u32 chance = m->index + 1;
    for (u32 n = 0; n < audio.rounds; n++) {
        u32 block[SAMPLES];
        weft_work(weft_random(&chance) % 400000); /* 0.2 ms on average, 0.4 at most */
        if (weft_random(&chance) % 4 == 0) {
            weft_sleep(1 + chance % 8); /* as for a file */
        }
        for (u32 i = 0; i < SAMPLES; i++) {
            block[i] = sample(m->index, n, i);
        }
        weft_wait(r->room, WEFT_FOREVER);
        RtlEnterCriticalSection(&r->section);
        memcpy(r->blocks[(r->first + r->count) % RING], block, sizeof block);
        r->count++;
        RtlLeaveCriticalSection(&r->section);
    }
    return 0;
}

/* Adds what is there to the mix; whether a block was. */
static bool take(ring *r, u32 index, u32 *mix)
{
    RtlEnterCriticalSection(&r->section);
    bool there = r->count > 0;
    if (there) {
        for (u32 i = 0; i < SAMPLES; i++) {
            u32 value = r->blocks[r->first][i];
            r->wrong += value != sample(index, r->taken, i);
            mix[i] += value;
        }
        r->first = (r->first + 1) % RING;
        r->count--;
        r->taken++;
    } else if (r->taken < audio.rounds) {
        r->silent++;
    }
    RtlLeaveCriticalSection(&r->section);
    return there;
}

static void mix_once(void)
{
    u32 mix[SAMPLES] = {0};
    u32 ended = 0;
    for (u32 i = 0; i < DECODERS; i++) {
        ring *r = &audio.rings[i];
        if (take(r, i, mix)) {
            NtReleaseSemaphore(r->room, 1, 0);
        }
        ended += r->taken == audio.rounds;
    }
    for (u32 i = 0; i < SAMPLES; i++) {
        audio.sum += mix[i];
    }
    audio.mixes++;
    if (ended == DECODERS) {
        NtSetEvent(audio.done, 0);
    }
}

static u32 mixer(void *context)
{
    (void)context;
    u32 timer = 0;
    i64 due = weft_relative(audio.period);
    NtCreateTimer(&timer, 0, SYNCHRONIZATION);
    NtSetTimerEx(timer, &due, 0, USER_MODE, 0, 0, audio.period, 0);
    u64 deadline = weft_system_time() + 2 * (u64)audio.period * 10000;
    while (weft_wait(audio.done, 0) != STATUS_WAIT_0) {
        weft_wait(timer, WEFT_FOREVER);
        mix_once();
        audio.late += weft_system_time() > deadline;
        deadline += (u64)audio.period * 10000;
    }
    NtCancelTimer(timer, 0);
    NtClose(timer);
    return 0;
}

/* XAudio's: a frame is due. */
static void callback(u32 *cell)
{
    (void)cell;
    mix_once();
    XAudioSubmitRenderDriverFrame(audio.driver, audio.frame);
}

static bool mixer_run(bool by_driver)
{
    u32 thread = 0;
    if (by_driver) {
        static const struct {
            void (*function)(u32 *);
            u32 argument;
        } client = {callback, 0};
        if (XAudioRegisterRenderDriverClient(&client, &audio.driver) != 0) {
            return false;
        }
        weft_wait(audio.done, WEFT_FOREVER);
        XAudioUnregisterRenderDriverClient(audio.driver);
        return true;
    }
    void *object = NULL;
    weft_thread_create(&thread, mixer, 0, 4, CREATE_SUSPENDED);
    if (ObReferenceObjectByHandle(thread, 0, &object) != STATUS_SUCCESS) {
        return false;
    }
    KeSetBasePriorityThread(object, 8);
    ObDereferenceObject(object);
    NtResumeThread(thread, 0);
    weft_wait(thread, WEFT_FOREVER);
    NtClose(thread);
    return true;
}

int main(int argc, char **argv)
{
    static weft_team team;
    audio.rounds = weft_option_number(argc, argv, "rounds", 60);
    audio.period = weft_option_number(argc, argv, "period", 1);
    audio.done = weft_event(NOTIFICATION, false);
    for (u32 i = 0; i < DECODERS; i++) {
        RtlInitializeCriticalSection(&audio.rings[i].section);
        audio.rings[i].room = weft_semaphore(RING, RING);
    }
    if (!weft_team_start(&team, DECODERS, decoder, 0) ||
        !mixer_run(weft_option(argc, argv, "driver") != NULL)) {
        DbgPrint("audio: no mixer\n");
        return 2;
    }
    weft_team_join(&team);
    weft_verdict v;
    weft_verdict_begin(&v, "audio");
    u32 sum = 0, silent = 0;
    for (u32 d = 0; d < DECODERS; d++) {
        weft_check(&v, "blocks", audio.rings[d].taken, audio.rounds);
        weft_check(&v, "blocks out of order", audio.rings[d].wrong, 0);
        silent += audio.rings[d].silent;
        for (u32 n = 0; n < audio.rounds; n++) {
            for (u32 i = 0; i < SAMPLES; i++) {
                sum += sample(d, n, i);
            }
        }
    }
    weft_check(&v, "mix", audio.sum, sum);
    DbgPrint("audio: %u mixes, %u late, %u times silence\n", audio.mixes, audio.late, silent);
    return (int)weft_verdict_end(&v);
}
