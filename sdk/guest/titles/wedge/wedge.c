/* wedge: the situation for which order matters, in small. Main gives jobs to four workers and waits
 * on an event; they push results under a critical section, and so does a periodic thread that is
 * like an audio engine. When main comes to take a result, and more have arrived meanwhile, it takes
 * the nested clean-up branch: one more Enter and Leave. So what main calls depends on the order of
 * all pushes, also of those that found nobody else at the critical section.
 *
 *     rounds=N     batches of eight jobs (default 200)
 *     variant=V    free: without races on memory (default)
 *                  try: and workers try to enter first, and do something else if they cannot
 *                  progress: and main reads how far the workers are, without a lock
 *                  counter: and workers add to a counter without a lock, on which all branch
 *
 * The sum of the results is the same under every schedule; the clean-ups that are printed are
 * not. */
#include "threads.h"

#define WORKERS     4u
#define BATCH       8u
#define STOP_JOB    0u   /* jobs count from 1 */
#define AUDIO_100NS 1000 /* 0.1 ms: the console's is 5.3, where a frame's work is as much longer */

enum { VARIANT_FREE, VARIANT_TRY, VARIANT_PROGRESS, VARIANT_COUNTER, VARIANTS };

static const char *const variants[VARIANTS] = {"free", "try", "progress", "counter"};

static struct {
    u32 variant;

    critical_section jobs;
    u32 job[BATCH + WORKERS];
    u32 job_count;
    u32 job_ready; /* semaphore */

    critical_section results;
    u32 result[BATCH + 1]; /* the last for the audio thread's */
    u32 result_count;
    bool mix_waits; /* the audio thread's is among them */
    bool stop;
    u32 arrived; /* automatic event */

    critical_section cleanup;

    volatile u32 progress[WORKERS]; /* races, by design */
    volatile u32 counter;
} wedge;

#define MIX 0u /* as a result: the audio thread's */

/* ---- workers ----------------------------------------------------------------------------------
 */

static u32 job_result(u32 job)
{
    return weft_mix(job) | 1; /* never MIX */
}

static u32 job_take(void)
{
    weft_wait(wedge.job_ready, WEFT_FOREVER);
    RtlEnterCriticalSection(&wedge.jobs);
    u32 job = wedge.job[0];
    wedge.job_count--;
    for (u32 i = 0; i < wedge.job_count; i++) {
        wedge.job[i] = wedge.job[i + 1];
    }
    RtlLeaveCriticalSection(&wedge.jobs);
    return job;
}

static void job_do(u32 index, u32 job)
{
    u32 parts = 1 + weft_mix(job) % 32;
    for (u32 i = 0; i < parts; i++) {
        weft_work(256);
        if (wedge.variant >= VARIANT_PROGRESS) {
            wedge.progress[index] = wedge.progress[index] + 1;
        }
        if (wedge.variant >= VARIANT_COUNTER) {
            u32 seen = wedge.counter;
            weft_work(8);
            wedge.counter = seen + 1; /* what others added meanwhile is lost */
        }
    }
    if (wedge.variant >= VARIANT_COUNTER && wedge.counter % 4 == 0) {
        NtYieldExecution();
    }
}

static void results_enter(void)
{
    if (wedge.variant >= VARIANT_TRY) {
        if (RtlTryEnterCriticalSection(&wedge.results) != 0) {
            return;
        }
        weft_work(400);
    }
    RtlEnterCriticalSection(&wedge.results);
}

static u32 worker(void *context)
{
    weft_member *m = context;
    for (;;) {
        u32 job = job_take();
        if (job == STOP_JOB) {
            return 0;
        }
        job_do(m->index, job);
        results_enter();
        wedge.result[wedge.result_count++] = job_result(job);
        RtlLeaveCriticalSection(&wedge.results);
        NtSetEvent(wedge.arrived, 0);
    }
}

/* ---- the periodic thread ------------------------------------------------------------------------
 * It pushes too, unless its last push was not taken yet. */

static u32 audio(void *context)
{
    (void)context;
    i64 period = -AUDIO_100NS;
    for (bool stop = false; !stop;) {
        KeDelayExecutionThread(USER_MODE, 0, &period);
        bool pushed = false;
        RtlEnterCriticalSection(&wedge.results);
        stop = wedge.stop;
        if (!stop && !wedge.mix_waits) {
            wedge.result[wedge.result_count++] = MIX;
            wedge.mix_waits = true;
            pushed = true;
        }
        RtlLeaveCriticalSection(&wedge.results);
        if (pushed) {
            NtSetEvent(wedge.arrived, 0);
        }
    }
    return 0;
}

/* ---- main ---------------------------------------------------------------------------------------
 */

static struct {
    u64 sum;
    u32 jobs, mixes, cleanups, empty;
    u32 progress_seen;
} taken;

static void jobs_give(const u32 *jobs, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        RtlEnterCriticalSection(&wedge.jobs);
        wedge.job[wedge.job_count++] = jobs[i];
        RtlLeaveCriticalSection(&wedge.jobs);
        NtReleaseSemaphore(wedge.job_ready, 1, 0);
    }
}

static void result_take(void)
{
    u32 result = wedge.result[--wedge.result_count];
    if (result == MIX) {
        wedge.mix_waits = false;
        taken.mixes++;
    } else {
        taken.sum += result;
        taken.jobs++;
    }
}

/* Without a lock: whether the workers have come so far that a result may be there. */
static bool progress_promises(void)
{
    u32 sum = 0;
    for (u32 i = 0; i < WORKERS; i++) {
        sum += wedge.progress[i];
    }
    bool promises = sum - taken.progress_seen > 16;
    taken.progress_seen = sum;
    return promises;
}

static void arrived_wait(void)
{
    if (wedge.variant >= VARIANT_PROGRESS && progress_promises() &&
        weft_wait(wedge.arrived, 0) == STATUS_WAIT_0) {
        return;
    }
    weft_wait(wedge.arrived, WEFT_FOREVER);
}

/* Takes all that is there, so that an event that was set twice is enough for both. */
static void results_take(void)
{
    RtlEnterCriticalSection(&wedge.results);
    if (wedge.result_count == 0) { /* the last time took what this event was for */
        taken.empty++;
    } else {
        result_take();
    }
    if (wedge.result_count != 0) {
        RtlEnterCriticalSection(&wedge.cleanup);
        while (wedge.result_count != 0) {
            result_take();
        }
        taken.cleanups++;
        RtlLeaveCriticalSection(&wedge.cleanup);
    }
    RtlLeaveCriticalSection(&wedge.results);
    if (wedge.variant >= VARIANT_COUNTER && wedge.counter % 2 != 0) {
        RtlEnterCriticalSection(&wedge.cleanup);
        RtlLeaveCriticalSection(&wedge.cleanup);
    }
}

static void batch(u32 first)
{
    u32 jobs[BATCH];
    for (u32 i = 0; i < BATCH; i++) {
        jobs[i] = first + i;
    }
    jobs_give(jobs, BATCH);
    u32 end = first + BATCH - 1;
    while (taken.jobs < end) {
        arrived_wait();
        results_take();
    }
}

static void finish(void)
{
    static const u32 stops[WORKERS] = {STOP_JOB, STOP_JOB, STOP_JOB, STOP_JOB};
    jobs_give(stops, WORKERS);
    RtlEnterCriticalSection(&wedge.results);
    wedge.stop = true;
    RtlLeaveCriticalSection(&wedge.results);
}

int main(int argc, char **argv)
{
    u32 rounds = weft_option_number(argc, argv, "rounds", 200);
    const char *variant = weft_option(argc, argv, "variant");
    for (u32 i = 0; variant != NULL && strcmp(variant, variants[wedge.variant]) != 0; i++) {
        if (i == VARIANTS - 1) {
            DbgPrint("wedge: no variant %s (free, try, progress, counter)\n", variant);
            return 2;
        }
        wedge.variant = i + 1;
    }
    RtlInitializeCriticalSection(&wedge.jobs);
    RtlInitializeCriticalSection(&wedge.results);
    RtlInitializeCriticalSection(&wedge.cleanup);
    wedge.job_ready = weft_semaphore(0, BATCH + WORKERS);
    wedge.arrived = weft_event(SYNCHRONIZATION, false);

    static weft_team workers;
    u32 audio_thread = 0;
    if (!weft_team_start(&workers, WORKERS, worker, 0) ||
        weft_thread_create(&audio_thread, audio, 0, WORKERS, 0) != STATUS_SUCCESS) {
        return 2;
    }
    u64 expected = 0;
    for (u32 r = 0; r < rounds; r++) {
        batch(r * BATCH + 1);
        for (u32 i = 0; i < BATCH; i++) {
            expected += job_result(r * BATCH + 1 + i);
        }
    }
    finish();
    weft_team_join(&workers);
    weft_wait(audio_thread, WEFT_FOREVER);

    weft_verdict v;
    weft_verdict_begin(&v, "wedge");
    weft_check(&v, "sum of results", taken.sum, expected);
    weft_check(&v, "jobs", taken.jobs, rounds * BATCH);
    DbgPrint("wedge: %u clean-ups, %u mixes, %u times nothing\n", taken.cleanups, taken.mixes,
             taken.empty);
    return (int)weft_verdict_end(&v);
}
