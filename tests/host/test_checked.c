/* test_checked.c: violations of each role's contract end a process with one line and exit code 5;
 * so each runs in a child. */
#include "support.h"

#include <fenv.h>

#include "host/checked/checked.h"

/* A run without files: parts are filled in by hand around one fake plugin. */
typedef struct bench {
    profile profile;
    run run;
    plugin plugin;
    weft_plugin_desc desc;
    part *part;
} bench;

static bench *bench_start(uint32_t role, const char *id)
{
    bench *b = calloc(1, sizeof *b);
    b->profile.checked = 1;
    b->run.profile = &b->profile;
    b->run.main_thread = pthread_self();
    b->desc.id = id;
    b->desc.role = role;
    b->plugin.desc = &b->desc;
    b->part = &b->run.parts[role];
    b->part->run = &b->run;
    b->part->role = role;
    b->part->plugin = &b->plugin;
    builtin_defaults(role, &b->part->ops);
    return b;
}

/* Runs `body` in a child; it must end with exit code 5 and this line. */
static void violates(void (*body)(void), const char *line)
{
    int pipe_ends[2];
    char text[1024] = "";
    assert_int_equal(pipe(pipe_ends), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipe_ends[1], 2);
        body();
        _exit(0);
    }
    close(pipe_ends[1]);
    ssize_t got, length = 0;
    while ((got = read(pipe_ends[0], text + length, sizeof text - 1 - (size_t)length)) > 0) {
        length += got;
    }
    close(pipe_ends[0]);
    int status;
    waitpid(child, &status, 0);
    assert_string_equal(text, line);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 5);
}

static uint32_t cpu_answer(void *instance, weft_cpu_state *state)
{
    return *(uint32_t *)instance;
}

static weft_status cpu_attach(void *instance, const weft_cpu_host *calls)
{
    return WEFT_OK;
}

/* An attached CPU whose run answers `reason`. */
static bench *cpu(uint32_t *reason)
{
    static const weft_cpu_host calls = {.size = sizeof calls};
    bench *b = bench_start(WEFT_ROLE_CPU, "cpu-t");
    b->part->ops.cpu.run = cpu_answer;
    b->part->ops.cpu.attach = cpu_attach;
    b->part->instance = reason;
    checked_wrap(b->part);
    b->part->ops.cpu.attach(b->part->self, &calls);
    return b;
}

static void run_before_attach(void)
{
    weft_cpu_state state = {.limit = 5};
    bench *b = bench_start(WEFT_ROLE_CPU, "cpu-t");
    checked_wrap(b->part);
    b->part->ops.cpu.run(b->part->self, &state);
}

static void test_cpu_run_before_attach(void **state)
{
    violates(run_before_attach,
             "weft: error: cpu-t.run: called too early (found no attach, expected one before)\n");
}

static void unknown_reason(void)
{
    uint32_t reason = 99;
    weft_cpu_state state = {.limit = 5};
    bench *b = cpu(&reason);
    b->part->ops.cpu.run(b->part->self, &state);
}

static void test_cpu_unknown_reason(void **state)
{
    violates(unknown_reason,
             "weft: error: cpu-t.run: unknown reason (found 99, expected 0 to 10)\n");
}

static void limit_too_early(void)
{
    uint32_t reason = WEFT_CPU_LIMIT;
    weft_cpu_state state = {.limit = 5, .retired = 3};
    bench *b = cpu(&reason);
    b->part->ops.cpu.run(b->part->self, &state);
}

static void test_cpu_limit_too_early(void **state)
{
    violates(limit_too_early, "weft: error: cpu-t.run: LIMIT before the limit (found retired 3, "
                              "expected 5)\n");
}

/* A CPU that runs itself again, as a callback might make it do. */
static uint32_t cpu_again(void *instance, weft_cpu_state *state)
{
    const bench *b = *(bench **)instance;
    return b->part->ops.cpu.run(b->part->self, state);
}

static void run_inside_run(void)
{
    static const weft_cpu_host calls = {.size = sizeof calls};
    weft_cpu_state state = {.limit = 5};
    bench *b = bench_start(WEFT_ROLE_CPU, "cpu-t");
    b->part->ops.cpu.run = cpu_again;
    b->part->ops.cpu.attach = cpu_attach;
    b->part->instance = &b;
    checked_wrap(b->part);
    b->part->ops.cpu.attach(b->part->self, &calls);
    b->part->ops.cpu.run(b->part->self, &state);
}

static void test_cpu_run_inside_run(void **state)
{
    violates(run_inside_run,
             "weft: error: cpu-t.run: entered from inside itself (found depth 2, expected 1)\n");
}

/* The same for the state of another hardware thread, which only parallel mode does, and only with a
 * CPU that says that it can (cpu.h, WEFT_CPU_PARALLEL). */
static uint32_t cpu_other(void *instance, weft_cpu_state *state)
{
    const bench *b = *(bench **)instance;
    weft_cpu_state other = {.limit = 5, .retired = 5, .hw = 1};
    return state->hw == 0 ? b->part->ops.cpu.run(b->part->self, &other) : WEFT_CPU_LIMIT;
}

static bench *two_states(uint32_t flags, uint32_t mode)
{
    static const weft_cpu_host calls = {.size = sizeof calls};
    static bench *b;
    weft_cpu_state state = {.limit = 5, .retired = 5};
    b = bench_start(WEFT_ROLE_CPU, "cpu-t");
    b->part->ops.cpu.flags = flags;
    b->profile.machine.mode = mode;
    b->part->ops.cpu.run = cpu_other;
    b->part->ops.cpu.attach = cpu_attach;
    b->part->instance = &b;
    checked_wrap(b->part);
    b->part->ops.cpu.attach(b->part->self, &calls);
    b->part->ops.cpu.run(b->part->self, &state);
    return b;
}

static void two_states_unasked(void)
{
    two_states(0, WEFT_MODE_PARALLEL);
}

static void two_states_in_lockstep(void)
{
    two_states(WEFT_CPU_PARALLEL, WEFT_MODE_LOCKSTEP);
}

static void test_cpu_runs_one_state_unless_it_can_more(void **state)
{
    static const char line[] = "weft: error: cpu-t.run: entered for two states at once (found no "
                               "WEFT_CPU_PARALLEL or no parallel mode, expected both)\n";
    violates(two_states_unasked, line);
    violates(two_states_in_lockstep, line);
}

static void test_cpu_that_can_runs_several_states(void **state)
{
    bench *b = two_states(WEFT_CPU_PARALLEL, WEFT_MODE_PARALLEL);
    checked_unwrap(b->part);
    free(b);
}

/* A second thread that emits while one is at it: parallel mode without the kernel's lock. */
static void emits_twice(void)
{
    uint32_t reason = 0;
    _Atomic uint32_t busy = 0;
    bench *b = cpu(&reason);
    checked_alone(b->part, "host.emit", &busy);
    checked_alone(b->part, "host.emit", &busy);
}

static void test_one_thread_emits(void **state)
{
    violates(emits_twice, "weft: error: cpu-t.host.emit: called by two threads at once (found no "
                          "lock around it, expected the kernel's)\n");
}

static uint32_t cpu_rounds(void *instance, weft_cpu_state *state)
{
    fesetround(FE_UPWARD);
    return WEFT_CPU_YIELD;
}

static void rounding_kept(void)
{
    uint32_t reason = 0;
    weft_cpu_state state = {.limit = 5};
    bench *b = bench_start(WEFT_ROLE_CPU, "cpu-t");
    static const weft_cpu_host calls = {.size = sizeof calls};
    b->part->ops.cpu.run = cpu_rounds;
    b->part->ops.cpu.attach = cpu_attach;
    b->part->instance = &reason;
    checked_wrap(b->part);
    b->part->ops.cpu.attach(b->part->self, &calls);
    b->part->ops.cpu.run(b->part->self, &state);
}

static void test_cpu_leaves_the_rounding_mode(void **state)
{
    char line[160];
    snprintf(line, sizeof line,
             "weft: error: cpu-t.run: floating-point environment is not restored "
             "(found rounding mode %d, expected %d)\n",
             FE_UPWARD, FE_TONEAREST);
    violates(rounding_kept, line);
}

static void *run_cpu(void *context)
{
    weft_cpu_state state = {.limit = 5};
    bench *b = context;
    b->part->ops.cpu.run(b->part->self, &state);
    return NULL;
}

static void wrong_thread(void)
{
    uint32_t reason = WEFT_CPU_YIELD;
    pthread_t thread;
    bench *b = cpu(&reason);
    pthread_create(&thread, NULL, run_cpu, b);
    pthread_join(thread, NULL);
}

static void test_cpu_on_the_wrong_thread(void **state)
{
    violates(wrong_thread, "weft: error: cpu-t.run: called on the wrong thread (found [gpu], "
                           "expected [guest])\n");
}

static void test_cpu_that_behaves_passes(void **state)
{
    uint32_t reason = WEFT_CPU_YIELD;
    weft_cpu_state cpu_state = {.limit = 5};
    bench *b = cpu(&reason);
    assert_int_equal(b->part->ops.cpu.run(b->part->self, &cpu_state), WEFT_CPU_YIELD);
    checked_unwrap(b->part);
    free(b);
}

static void drop(void *instance, const weft_event *event)
{
}

static void gap_in_trace(void)
{
    bench *b = bench_start(WEFT_ROLE_TRACER, "tracer-t");
    const weft_trace_begin begin = {.size = sizeof begin, .first = 10};
    weft_event event = {.size = sizeof event, .kind = WEFT_EVENT_LOG, .sequence = 10};
    b->part->ops.tracer.event = drop;
    checked_wrap(b->part);
    atomic_store(&b->run.events.started, 1); /* this thread plays the drain */
    atomic_store(&b->run.events.drain_id, pthread_self());
    b->part->ops.tracer.open(b->part->self, &begin);
    b->part->ops.tracer.event(b->part->self, &event);
    event.sequence = 12;
    b->part->ops.tracer.event(b->part->self, &event);
}

static void test_tracer_gap(void **state)
{
    violates(gap_in_trace, "weft: error: tracer-t.event: an event is lost (found sequence 12, "
                           "expected 11)\n");
}

static void event_on_main(void)
{
    bench *b = bench_start(WEFT_ROLE_TRACER, "tracer-t");
    weft_event event = {.size = sizeof event, .kind = WEFT_EVENT_LOG};
    checked_wrap(b->part);
    b->part->ops.tracer.event(b->part->self, &event);
}

static void test_tracer_off_the_drain(void **state)
{
    violates(event_on_main, "weft: error: tracer-t.event: called on the wrong thread (found "
                            "[main][guest], expected [drain])\n");
}

static void gpu_before_attach(void)
{
    bench *b = bench_start(WEFT_ROLE_GPU, "gpu-t");
    checked_wrap(b->part);
    b->part->ops.gpu.register_write(b->part->self, 0, 0, 0);
}

static void test_gpu_before_attach(void **state)
{
    violates(gpu_before_attach, "weft: error: gpu-t.register_write: called too early (found no "
                                "attach, expected one before)\n");
}

static int32_t nobody(void *instance, const weft_sched_view *view, uint32_t hw)
{
    return -1;
}

static void policy_view(void)
{
    bench *b = bench_start(WEFT_ROLE_POLICY, "policy-t");
    const weft_sched_hw hw[6] = {{.current = 3}};
    const weft_sched_view view = {.size = sizeof view,
                                  .thread_stride = sizeof(weft_sched_thread),
                                  .hw_stride = sizeof hw[0],
                                  .hw = hw};
    b->part->ops.policy.pick_next = nobody;
    checked_wrap(b->part);
    b->part->ops.policy.pick_next(b->part->self, &view, 0);
}

static void test_policy_is_given_a_broken_view(void **state)
{
    violates(policy_view,
             "weft: error: policy-t.pick_next: current thread of 0 is in no list (found "
             "3, expected less than 0)\n");
}

/* Ops without a default of the host's are the kernel's to answer, checked or not. */
static void test_what_a_policy_lacks_stays_so(void **state)
{
    bench *b = bench_start(WEFT_ROLE_POLICY, "policy-t");
    checked_wrap(b->part);
    assert_null(b->part->ops.policy.pick_cpu);
    assert_null(b->part->ops.policy.pick_next);
    assert_null(b->part->ops.policy.quantum);
    assert_null(b->part->ops.policy.place);
    assert_non_null(b->part->ops.policy.before);
    checked_unwrap(b->part);
    free(b);
}

static void frontend_before_open(void)
{
    bench *b = bench_start(WEFT_ROLE_FRONTEND, "frontend-t");
    checked_wrap(b->part);
    b->part->ops.frontend.pump(b->part->self, 1);
}

static void test_frontend_before_open(void **state)
{
    violates(frontend_before_open, "weft: error: frontend-t.pump: called too early (found no open, "
                                   "expected one before)\n");
}

static void kernel_before_open(void)
{
    bench *b = bench_start(WEFT_ROLE_KERNEL, "kernel-t");
    weft_run_limits limits = {.size = sizeof limits};
    checked_wrap(b->part);
    b->part->ops.kernel.run(b->part->self, &limits);
}

static void test_kernel_before_open(void **state)
{
    violates(kernel_before_open, "weft: error: kernel-t.run: called too early (found no title, "
                                 "expected open before)\n");
}

static void *use_service(void *context)
{
    bench *b = context;
    checked_service(b->part, "host.emit", WEFT_THREAD_GUEST);
    return NULL;
}

static void service_elsewhere(void)
{
    pthread_t thread;
    bench *b = bench_start(WEFT_ROLE_GPU, "gpu-t");
    pthread_create(&thread, NULL, use_service, b);
    pthread_join(thread, NULL);
}

static void test_service_on_the_wrong_thread(void **state)
{
    violates(service_elsewhere, "weft: error: gpu-t.host.emit: called on the wrong thread (found "
                                "[gpu], expected [guest])\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu_run_before_attach),
        cmocka_unit_test(test_cpu_unknown_reason),
        cmocka_unit_test(test_cpu_limit_too_early),
        cmocka_unit_test(test_cpu_leaves_the_rounding_mode),
        cmocka_unit_test(test_cpu_run_inside_run),
        cmocka_unit_test(test_cpu_runs_one_state_unless_it_can_more),
        cmocka_unit_test(test_cpu_that_can_runs_several_states),
        cmocka_unit_test(test_one_thread_emits),
        cmocka_unit_test(test_cpu_on_the_wrong_thread),
        cmocka_unit_test(test_cpu_that_behaves_passes),
        cmocka_unit_test(test_tracer_gap),
        cmocka_unit_test(test_tracer_off_the_drain),
        cmocka_unit_test(test_gpu_before_attach),
        cmocka_unit_test(test_policy_is_given_a_broken_view),
        cmocka_unit_test(test_what_a_policy_lacks_stays_so),
        cmocka_unit_test(test_frontend_before_open),
        cmocka_unit_test(test_kernel_before_open),
        cmocka_unit_test(test_service_on_the_wrong_thread),
    };
    return cmocka_run_group_tests_name("host checked", tests, NULL, NULL);
}
