/* The render driver and XMA contexts. The worker's guest code runs for real, on a processor of a
 * few instructions (Power ISA 2.03, Book I) in the kernel's own scheduler. Expectations: LESSONS
 * 28, 59, 78; xenia src/xenia/kernel/xboxkrnl/xboxkrnl_audio.cc and src/xenia/apu; arithmetic. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "exports.h"

#define U(x) ((uint64_t)(x))

#define MS UINT64_C(1000000)

/* Offsets in the scratch memory. */
#define CLIENT  0x000 /* {callback, argument} */
#define DRIVER  0x010
#define SAMPLES 0x10000
#define CODE    0x20000 /* callbacks */
#define LOG     0x30000 /* what they leave */

/* ---- a small processor -------------------------------------------------------------------------
 */

typedef struct small {
    weft_cpu_host calls;
    weft_memory *memory;
    bool equal; /* CR0[EQ]; one thread runs code */
} small;

static weft_status attach(void *instance, const weft_cpu_host *calls)
{
    ((small *)instance)->calls = *calls;
    return WEFT_OK;
}

static weft_status state_create(void *instance, weft_cpu_state **state)
{
    *state = calloc(1, sizeof **state);
    return *state ? WEFT_OK : WEFT_E_NO_MEMORY;
}

static void state_destroy(void *instance, weft_cpu_state *state)
{
    free(state);
}

static void execute(small *s, weft_cpu_state *c, uint32_t word)
{
    uint32_t d = word >> 21 & 31, a = word >> 16 & 31, b = word >> 11 & 31;
    uint64_t base = a ? c->r[a] : 0;
    int64_t immediate = (int16_t)word;
    uint32_t next = c->pc + 4;
    switch (word >> 26) {
    case 10: /* cmplwi */
        s->equal = (uint32_t)c->r[a] == (word & 0xFFFF);
        break;
    case 13: /* addic. */
        c->r[d] = c->r[a] + (uint64_t)immediate;
        s->equal = (uint32_t)c->r[d] == 0;
        break;
    case 14: /* addi */
        c->r[d] = base + (uint64_t)immediate;
        break;
    case 16: /* bc on CR0[EQ] */
        if (s->equal == ((word >> 21 & 31) == 12)) {
            next = c->pc + (uint32_t)(int32_t)(int16_t)(word & 0xFFFC);
        }
        break;
    case 18: /* b, bl */
        c->lr = word & 1 ? next : c->lr;
        next = c->pc + (uint32_t)((int32_t)(word << 6) >> 6 & ~3);
        break;
    case 19: /* blr, bctr */
        d = word & 1 ? next : (uint32_t)c->lr;
        next = (uint32_t)((word >> 1 & 0x3FF) == 528 ? c->ctr : c->lr);
        c->lr = d;
        break;
    case 31: /* mtctr, or */
        if ((word >> 1 & 0x3FF) == 467) {
            c->ctr = c->r[d];
        } else {
            c->r[a] = c->r[d] | c->r[b];
        }
        break;
    case 32: /* lwz */
        c->r[d] = weft_load32(s->memory->base + (uint32_t)(base + (uint64_t)immediate));
        break;
    case 36: /* stw */
        weft_store32(s->memory->base + (uint32_t)(base + (uint64_t)immediate), (uint32_t)c->r[d]);
        break;
    default:
        fail_msg("unexpected instruction 0x%08x at 0x%08x", word, c->pc);
    }
    c->pc = next;
    c->retired++;
}

static uint32_t run(void *instance, weft_cpu_state *c)
{
    small *s = instance;
    while (c->retired < c->limit) {
        uint32_t word = weft_load32(s->memory->base + c->pc);
        if (word != 0x44000002) {
            execute(s, c, word);
        } else if (s->calls.syscall(s->calls.context, c, 0) == WEFT_CPU_STOP) {
            return WEFT_CPU_STOPPED;
        }
    }
    return WEFT_CPU_LIMIT;
}

static const weft_cpu_ops small_ops = {
    .size = sizeof small_ops,
    .attach = attach,
    .state_create = state_create,
    .state_destroy = state_destroy,
    .run = run,
};

/* ---- a console with it -------------------------------------------------------------------------
 */

typedef struct world {
    fixture *f;
    small cpu;
} world;

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    fixture *f = w->f = fixture_open();
    kernel *k = f->k;
    w->cpu.memory = k->memory;
    k->cpu = &small_ops;
    k->cpu_instance = &w->cpu;
    k->cpu_calls = (weft_cpu_host){
        .size = sizeof k->cpu_calls,
        .context = k,
        .syscall = kcall_syscall,
    };
    attach(&w->cpu, &k->cpu_calls);
    kcall_create(k);
    kaudio_init(k);
    for (uint32_t hw = 0; hw < WEFT_HW_COUNT; hw++) {
        k->hw[hw].interrupt = kthread_create_interrupt(k, hw);
        assert_non_null(k->hw[hw].interrupt);
    }
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    kernel *k = w->f->k;
    w->f->k->threads = w->f->thread->next; /* the fixture frees its own thread */
    w->f->thread->next = NULL;
    kthread_free_all(k);
    kcall_destroy(k);
    fixture_close(w->f);
    free(w);
    return 0;
}

/* Runs everybody but the fixture's thread until `tick`. */
static void run_until(fixture *f, uint64_t tick)
{
    kernel *k = f->k;
    weft_run_limits limits = {.size = sizeof limits, .ticks = tick};
    f->thread->state = WEFT_THREAD_WAITING;
    k->running = NULL;
    k->running_hw = NULL;
    k->end = WEFT_END_NONE;
    assert_int_equal(ksched_run(k, &limits), WEFT_OK);
    assert_int_equal(k->end, WEFT_END_CONDITION);
    f->thread->state = WEFT_THREAD_RUNNING;
    k->running = f->thread;
    k->running_hw = &k->hw[0];
    k->hw[0].time = tick;
}

/* A callback whose argument points to LOG + 16 * n: it counts there, and leaves its r3 behind it.
 */
static uint32_t callback(fixture *f, uint32_t n)
{
    uint32_t code = f->scratch + CODE + 0x100 * n;
    const uint32_t program[] = {
        0x81230000, /* lwz  r9,0(r3)    the argument */
        0x81490000, /* lwz  r10,0(r9)   the argument points to the log */
        0x394A0001, /* addi r10,r10,1 */
        0x91490000, /* stw  r10,0(r9) */
        0x90690004, /* stw  r3,4(r9) */
        0x4E800020, /* blr */
    };
    for (uint32_t i = 0; i < sizeof program / sizeof program[0]; i++) {
        set_word(f, code + 4 * i, program[i]);
    }
    return code;
}

static uint32_t register_client(fixture *f, uint32_t n)
{
    set_word(f, f->scratch + CLIENT, callback(f, n));
    set_word(f, f->scratch + CLIENT + 4, f->scratch + LOG + 16 * n);
    return (uint32_t)invoke(f, ex_XAudioRegisterRenderDriverClient, 2, U(f->scratch + CLIENT),
                            U(f->scratch + DRIVER));
}

static uint32_t calls_of(const fixture *f, uint32_t n)
{
    return word(f, f->scratch + LOG + 16 * n);
}

/* ---- render driver clients ---------------------------------------------------------------------
 */

/* LESSONS 59: cookie 0x4155xxxx, eight clients. */
static void test_cookies_and_their_number(void **state)
{
    fixture *f = ((world *)*state)->f;
    for (uint32_t n = 0; n < 8; n++) {
        assert_int_equal(register_client(f, n), 0);
        assert_int_equal(word(f, f->scratch + DRIVER), 0x41550000 | n);
    }
    assert_int_equal(register_client(f, 8), 0x8007000E); /* E_OUTOFMEMORY */
}

static void test_cookie_is_given_again(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    register_client(f, 1);
    assert_int_equal(invoke(f, ex_XAudioUnregisterRenderDriverClient, 1, U(0x41550000)), 0);
    assert_int_equal((uint32_t)invoke(f, ex_XAudioUnregisterRenderDriverClient, 1, U(0x41550000)),
                     0x80070057);
    register_client(f, 2);
    assert_int_equal(word(f, f->scratch + DRIVER), 0x41550000);
}

static void test_client_without_callback_is_refused(void **state)
{
    fixture *f = ((world *)*state)->f;
    assert_int_equal((uint32_t)invoke(f, ex_XAudioRegisterRenderDriverClient, 2,
                                      U(f->scratch + CLIENT), U(f->scratch + DRIVER)),
                     0x80070057);
}

/* 256 samples at 48 kHz are 5.333.. ms: floor(k * 16000000 / 3) is 5333333, 10666666, 16000000. */
static void test_callback_runs_every_256_samples(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    run_until(f, 5333333);
    assert_int_equal(calls_of(f, 0), 0); /* the worker has not run yet */
    run_until(f, 5433333);
    assert_int_equal(calls_of(f, 0), 1);
    run_until(f, 10600000);
    assert_int_equal(calls_of(f, 0), 1);
    run_until(f, 16100000);
    assert_int_equal(calls_of(f, 0), 3);
}

/* In the trace the clock's work is source:audio's: it fires, and wakes the worker by its event. */
static void test_firings_are_a_source(void **state)
{
    fixture *f = ((world *)*state)->f;
    uint64_t audio = weft_fnv1a("source:audio", 12);
    static const uint64_t ticks[] = {5333333, 10666666, 16000000};
    register_client(f, 0);
    run_until(f, 16 * MS + 1);
    assert_int_equal(f->fake->events[WEFT_EVENT_SOURCE_FIRE], 3);
    for (uint32_t i = 0; i < 3; i++) {
        const fake_event *fire = fake_event_at(f->fake, WEFT_EVENT_SOURCE_FIRE, i);
        const fake_event *wake = fake_event_at(f->fake, WEFT_EVENT_WAKE_REQUESTED, i);
        assert_int_equal(fire->head.thread, audio);
        assert_int_equal(fire->head.tick, ticks[i]);
        assert_int_equal(fire->words[0], i);
        assert_int_equal(wake->head.thread, audio);
        assert_int_equal(wake->words[1], f->k->audio.event->id);
    }
}

/* One second has 187.5 periods. */
static void test_callbacks_of_a_second(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    run_until(f, 1000 * MS);
    assert_int_equal(calls_of(f, 0), 187);
}

/* LESSONS 59: r3 is the address of a cell that holds the argument, not the argument. */
static void test_callback_gets_a_pointer_to_its_argument(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    run_until(f, 6 * MS);
    uint32_t cell = word(f, f->scratch + LOG + 4);
    assert_int_not_equal(cell, f->scratch + LOG);
    assert_int_equal(word(f, cell), f->scratch + LOG);
}

static void test_clients_are_called_side_by_side(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    register_client(f, 1);
    run_until(f, 30 * MS); /* five periods, 26.67 ms */
    assert_int_equal(calls_of(f, 0), 5);
    assert_int_equal(calls_of(f, 1), 5);
    assert_int_not_equal(word(f, f->scratch + LOG + 4), word(f, f->scratch + LOG + 20));
}

static void test_unregistered_client_is_not_called(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    register_client(f, 1);
    run_until(f, 6 * MS);
    invoke(f, ex_XAudioUnregisterRenderDriverClient, 1, U(0x41550000));
    run_until(f, 30 * MS);
    assert_int_equal(calls_of(f, 0), 1);
    assert_int_equal(calls_of(f, 1), 5);
}

/* The clock rests without clients, and comes back on the same grid of ticks. */
static void test_clock_rests_without_clients(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    run_until(f, 6 * MS);
    invoke(f, ex_XAudioUnregisterRenderDriverClient, 1, U(0x41550000));
    run_until(f, 100 * MS);
    assert_false(f->k->audio.ticking);
    register_client(f, 1);
    run_until(f, 101333333); /* 19 * 5.333 ms */
    assert_int_equal(calls_of(f, 1), 0);
    run_until(f, 101433333);
    assert_int_equal(calls_of(f, 1), 1);
}

static void test_one_worker_serves_all(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    uint32_t threads = f->k->thread_count;
    register_client(f, 1);
    assert_int_equal(f->k->thread_count, threads);
    assert_int_equal(f->k->last_thread->hw, 5);
}

/* Firings while the worker cannot run become one: it must not burst. */
static void test_missed_firings_do_not_burst(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    run_until(f, 1 * MS); /* the worker waits */
    kthread *worker = f->k->last_thread;
    worker->suspended = 1;
    run_until(f, 50 * MS);
    assert_int_equal(calls_of(f, 0), 0);
    worker->suspended = 0;
    if (worker->state == WEFT_THREAD_SUSPENDED) {
        ksched_ready(f->k, worker, 50 * MS, WEFT_DELAY_WAKE);
    }
    run_until(f, 53 * MS);                 /* the next firing is at 53.33 ms */
    assert_in_range(calls_of(f, 0), 1, 2); /* the wait that had ended, and one event */
}

static void test_frames_are_played_on_time(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            invoke(f, ex_XAudioSubmitRenderDriverFrame, 2, U(0x41550000), U(f->scratch + SAMPLES)),
            0);
    }
    run_until(f, 11 * MS); /* two firings */
    const kaudio_client *c = &f->k->audio.clients[0];
    assert_int_equal(c->played, 2);
    assert_int_equal(c->queued, 1);
    run_until(f, 22 * MS); /* four */
    assert_int_equal(c->played, 3);
    assert_int_equal(c->silent, 1);
}

/* The firing itself, without the worker's latency: floor(k * 16000000 / 3), to the tick. */
static void test_firings_are_exact(void **state)
{
    fixture *f = ((world *)*state)->f;
    static const uint64_t firings[] = {5333333, 10666666, 16000000, 21333333};
    register_client(f, 0);
    const kaudio_client *c = &f->k->audio.clients[0];
    for (uint32_t i = 0; i < 4; i++) {
        run_until(f, firings[i] - 1);
        assert_int_equal(c->silent, i);
        run_until(f, firings[i]);
        assert_int_equal(c->silent, i + 1);
    }
}

static void test_frame_of_a_stranger_is_refused(void **state)
{
    fixture *f = ((world *)*state)->f;
    static const uint32_t cookies[] = {0x41550000, 0x41550008, 0x4155FFFF, 0, 0x12340000};
    for (size_t i = 0; i < sizeof cookies / sizeof cookies[0]; i++) {
        assert_int_equal(
            (uint32_t)invoke(f, ex_XAudioSubmitRenderDriverFrame, 2, U(cookies[i]), U(f->scratch)),
            0x80070057);
    }
}

/* Six channels of 256 floats are 6144 bytes: a frame that leaves memory is an access violation. */
static void test_frame_outside_memory_faults(void **state)
{
    fixture *f = ((world *)*state)->f;
    register_client(f, 0);
    invoke(f, ex_XAudioSubmitRenderDriverFrame, 2, U(0x41550000),
           U(f->scratch + SCRATCH_BYTES - 6143));
    assert_true(f->call.faulted);
    assert_int_equal(f->k->audio.clients[0].queued, 0);
    invoke(f, ex_XAudioSubmitRenderDriverFrame, 2, U(0x41550000),
           U(f->scratch + SCRATCH_BYTES - 6144));
    assert_int_equal(f->k->audio.clients[0].queued, 1);
}

static void test_volumes_and_speakers(void **state)
{
    fixture *f = ((world *)*state)->f;
    assert_int_equal(invoke(f, ex_XAudioGetVoiceCategoryVolume, 2, U(0), U(f->scratch)), 0);
    assert_int_equal(word(f, f->scratch), 0x3F800000); /* 1.0f */
    assert_int_equal(invoke(f, ex_XAudioGetSpeakerConfig, 1, U(f->scratch)), 0);
    assert_int_equal(word(f, f->scratch), 0x00010001);
    assert_int_equal(invoke(f, ex_XAudioGetVoiceCategoryVolumeChangeMask, 2, U(0), U(f->scratch)),
                     0);
    assert_int_equal(word(f, f->scratch), 0);
}

/* ---- XMA ---------------------------------------------------------------------------------------
 */

static uint32_t context(fixture *f)
{
    invoke(f, ex_XMACreateContext, 1, U(f->scratch));
    return word(f, f->scratch);
}

/* LESSONS 78: 320 contexts of 64 bytes. */
static void test_contexts_and_their_number(void **state)
{
    fixture *f = ((world *)*state)->f;
    uint32_t first = context(f);
    assert_int_not_equal(first, 0);
    assert_int_equal(first % 256, 0);
    for (uint32_t i = 1; i < 320; i++) {
        assert_int_equal(context(f), first + 64 * i);
    }
    assert_int_equal(context(f), 0);
    assert_int_equal((uint32_t)f->thread->cpu->r[3], 0xC0000017); /* STATUS_NO_MEMORY */
}

static void test_released_context_is_given_again_empty(void **state)
{
    fixture *f = ((world *)*state)->f;
    uint32_t a = context(f), b = context(f);
    set_word(f, a + 60, 0x12345678);
    set_word(f, b, 0x12345678);
    invoke(f, ex_XMAReleaseContext, 1, U(a));
    assert_int_equal(context(f), a);
    assert_int_equal(word(f, a + 60), 0);
    assert_int_equal(word(f, b), 0x12345678);
}

static void test_release_of_no_context_does_nothing(void **state)
{
    fixture *f = ((world *)*state)->f;
    invoke(f, ex_XMAReleaseContext, 1, U(0)); /* before any was made */
    uint32_t a = context(f);
    set_word(f, a, 1);
    invoke(f, ex_XMAReleaseContext, 1, U(a + 4));
    invoke(f, ex_XMAReleaseContext, 1, U(a + 64));
    invoke(f, ex_XMAReleaseContext, 1, U(a - 64));
    invoke(f, ex_XMAReleaseContext, 1, U(0xFFFFFFC0));
    assert_int_equal(word(f, a), 1);
    assert_int_equal(context(f), a + 64);
}

static uint32_t swap(uint32_t v)
{
    return v >> 24 | (v >> 8 & 0xFF00) | (v << 8 & 0xFF0000) | v << 24;
}

/* Register 0x600, little endian, holds the array's physical address (xma_decoder.cc). */
static void test_register_names_the_array(void **state)
{
    fixture *f = ((world *)*state)->f;
    uint32_t a = context(f);
    assert_int_equal(swap(kxma_register_read(f->k, 0x600 * 4)), mm_physical(f->k->mm, a));
}

/* Register 0x606 goes round the 320 contexts. */
static void test_current_context_goes_round(void **state)
{
    fixture *f = ((world *)*state)->f;
    for (uint32_t i = 1; i < 320; i++) {
        assert_int_equal(swap(kxma_register_read(f->k, 0x606 * 4)), i);
    }
    assert_int_equal(swap(kxma_register_read(f->k, 0x606 * 4)), 0);
    kxma_register_write(f->k, 0x607 * 4, swap(7));
    assert_int_equal(swap(kxma_register_read(f->k, 0x606 * 4)), 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cookies_and_their_number),
        TEST(test_cookie_is_given_again),
        TEST(test_client_without_callback_is_refused),
        TEST(test_callback_runs_every_256_samples),
        TEST(test_firings_are_a_source),
        TEST(test_callbacks_of_a_second),
        TEST(test_callback_gets_a_pointer_to_its_argument),
        TEST(test_clients_are_called_side_by_side),
        TEST(test_unregistered_client_is_not_called),
        TEST(test_clock_rests_without_clients),
        TEST(test_one_worker_serves_all),
        TEST(test_missed_firings_do_not_burst),
        TEST(test_frames_are_played_on_time),
        TEST(test_firings_are_exact),
        TEST(test_frame_of_a_stranger_is_refused),
        TEST(test_frame_outside_memory_faults),
        TEST(test_volumes_and_speakers),
        TEST(test_contexts_and_their_number),
        TEST(test_released_context_is_given_again_empty),
        TEST(test_release_of_no_context_does_nothing),
        TEST(test_register_names_the_array),
        TEST(test_current_context_goes_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
