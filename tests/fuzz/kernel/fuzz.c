/* fuzz.c: a title that calls any export with anything, on several threads, in APCs, DPCs and
 * interrupts: a libFuzzer target for the kernel (program.h says what an input is).
 *
 * The host survives it: no report of a sanitizer, no assertion, no leak; a run ends within its limits
 * and a second of the processor's time. Every eighth input runs twice and has to leave the same
 * events and memory. With FUZZ_KERNEL_PARALLEL in the environment the kernel runs in parallel mode: what is
 * found then need not come again, and coverage says little. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "program.h"

#define INSTRUCTIONS   40000
#define PARALLEL_TICKS 5000000 /* there they are real time */
#define PATIENCE       4.0 /* seconds of the processor's for a run, with sanitizers on a busy machine */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* Consoles come and go with megabytes of tables each. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=32";
}

/* libFuzzer's own patience is 20 minutes: less, before the arguments that may say otherwise. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char timeout[] = "-timeout=20";
    char **all = calloc((size_t)*argc + 2, sizeof *all);
    if (!all || *argc < 1) {
        abort();
    }
    all[0] = (*argv)[0];
    all[1] = timeout;
    for (int i = 1; i < *argc; i++) {
        all[i + 1] = (*argv)[i];
    }
    ++*argc;
    *argv = all;
    return 0;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* For whoever looks at an input: how it ended, and what r3 was after each operation that is a call. */
static void show(world *w)
{
    const kernel *k = world_kernel(w);
    fprintf(stderr, "end %u, %llu calls, %llu instructions, %u threads, %llu slices, %s\n", k->end,
            (unsigned long long)k->imports_called, (unsigned long long)k->instructions,
            k->thread_count, (unsigned long long)k->slices, k->reason);
    for (uint32_t i = 0; i < PROGRAM_OPS; i++) {
        fprintf(stderr, " %x", weft_load32(k->memory->base + PROGRAM_RESULTS + 4 * i));
    }
    fprintf(stderr, "\n");
}

static uint64_t run(const uint8_t *data, size_t size)
{
    uint8_t first = size ? data[0] : 0;
    double begun = seconds();
    world *w = world_open((first & 4 ? WORLD_WANTS : 0) | (first & 8 ? WORLD_POLICY : 0) |
                              (first & 16 ? WORLD_WATCH : 0),
                          size);
    program_write(w, data, size);
    uint64_t ticks = world_is_parallel() ? PARALLEL_TICKS : program_ticks(first);
    world_run(w, INSTRUCTIONS, ticks);
    uint64_t digest = (first & 0xE0) == 0xE0 && !world_is_parallel() ? world_digest(w) : 0;
    if (getenv("FUZZ_KERNEL_SHOW")) {
        show(w);
    }
    world_close(w);
    if (seconds() - begun > PATIENCE) {
        fprintf(stderr, "fuzz-kernel: a run took %.1f s\n", seconds() - begun);
        abort();
    }
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t digest = run(data, size);
    if (digest && run(data, size) != digest) {
        fprintf(stderr, "fuzz-kernel: the same input ran in two ways\n");
        abort();
    }
    return 0;
}
