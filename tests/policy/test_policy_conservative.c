/* policy-conservative on hand-made views. Expectations: the rules of docs/policy.md (highest
 * priority first, equals in queue order, one quantum for the starved), worked out by hand. */
#include "tracer/fake_host.h"

#include "views.h"

#define MS UINT64_C(1000000)

typedef struct policy_case {
    fake_host fake;
    const weft_policy_ops *ops;
    views v;
} policy_case;

static int setup(void **state)
{
    policy_case *c = calloc(1, sizeof *c);
    fake_load(&c->fake, "policy-conservative");
    fake_set(&c->fake, "starve_ms", "200");
    c->ops = fake_create(&c->fake);
    views_init(&c->v);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    fake_close(&((policy_case *)*state)->fake);
    free(*state);
    return 0;
}

/* A new instance, with an option of its own. */
static void again_with(policy_case *c, const char *key, const char *value)
{
    c->fake.desc->destroy(c->fake.instance);
    fake_set(&c->fake, key, value);
    fake_create(&c->fake);
}

static int32_t next(policy_case *c, uint32_t hw)
{
    return c->ops->pick_next(c->fake.instance, &c->v.view, hw);
}

/* docs/policy.md: the least time, which is the default (sched-policy's tests have it). */
static void hardware_threads_are_the_kernels_affair(void **state)
{
    policy_case *c = *state;
    assert_null(c->ops->pick_cpu);
}

static void highest_priority_runs(void **state)
{
    policy_case *c = *state;
    views_thread(&c->v, 0, 8, 1);
    views_thread(&c->v, 0, 15, 3);
    views_thread(&c->v, 0, 9, 2);
    assert_int_equal(next(c, 0), 1);
}

static void equals_go_in_queue_order(void **state)
{
    policy_case *c = *state;
    views_thread(&c->v, 0, 8, 7);
    views_thread(&c->v, 0, 8, 5);
    views_thread(&c->v, 0, 8, 6);
    assert_int_equal(next(c, 0), 1);
}

static void equal_places_in_the_queue_go_by_creation(void **state)
{
    policy_case *c = *state;
    views_thread(&c->v, 0, 8, 5);
    views_thread(&c->v, 0, 8, 5);
    assert_int_equal(next(c, 0), 0);
}

/* Three equals; whoever ran goes behind the others, as the kernel does at a quantum's end. */
static void equals_take_turns(void **state)
{
    policy_case *c = *state;
    static const int32_t turns[] = {0, 1, 2, 0, 1, 2, 0};
    uint64_t order = 0;
    for (int i = 0; i < 3; i++) {
        views_thread(&c->v, 0, 8, ++order);
    }
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        int32_t picked = next(c, 0);
        assert_int_equal(picked, turns[i]);
        c->v.threads[picked].order = ++order;
    }
}

static void running_thread_goes_on_among_equals(void **state)
{
    policy_case *c = *state;
    views_run(&c->v, views_thread(&c->v, 0, 8, 1));
    views_thread(&c->v, 0, 8, 2);
    assert_int_equal(next(c, 0), 0);
}

static void higher_priority_preempts_the_running_thread(void **state)
{
    policy_case *c = *state;
    views_run(&c->v, views_thread(&c->v, 0, 8, 1));
    views_thread(&c->v, 0, 9, 2);
    assert_int_equal(next(c, 0), 1);
}

static void waiting_and_suspended_threads_do_not_run(void **state)
{
    policy_case *c = *state;
    views_thread(&c->v, 0, 31, 1);
    views_thread(&c->v, 0, 30, 2);
    views_thread(&c->v, 0, 1, 3);
    c->v.threads[0].state = WEFT_THREAD_WAITING;
    c->v.threads[1].state = WEFT_THREAD_SUSPENDED;
    assert_int_equal(next(c, 0), 2);
}

static void threads_of_other_queues_do_not_run(void **state)
{
    policy_case *c = *state;
    views_thread(&c->v, 1, 31, 1);
    views_thread(&c->v, 0, 1, 2);
    assert_int_equal(next(c, 0), 1);
    assert_int_equal(next(c, 1), 0);
}

static void affinity_goes_before_priority(void **state)
{
    policy_case *c = *state;
    views_thread(&c->v, 2, 31, 1);
    views_thread(&c->v, 2, 1, 2);
    c->v.threads[0].affinity = 0x3b; /* all but hardware thread 2 */
    assert_int_equal(next(c, 2), 1);
}

static void thread_in_the_wrong_queue_runs_when_it_is_alone(void **state)
{
    policy_case *c = *state;
    views_thread(&c->v, 2, 31, 1);
    c->v.threads[0].affinity = 1;
    assert_int_equal(next(c, 2), 0); /* -1 would be illegal */
}

static void nothing_to_run_is_minus_one(void **state)
{
    policy_case *c = *state;
    assert_int_equal(next(c, 0), -1);
}

static void quantum_is_20_ms_by_default(void **state)
{
    policy_case *c = *state;
    views_thread(&c->v, 0, 8, 1);
    assert_int_equal(c->ops->quantum(c->fake.instance, &c->v.view, 0), 20 * MS);
}

static void quantum_follows_its_option(void **state)
{
    policy_case *c = *state;
    again_with(c, "quantum_ms", "5");
    views_thread(&c->v, 0, 8, 1);
    assert_int_equal(c->ops->quantum(c->fake.instance, &c->v.view, 0), 5 * MS);
}

/* Priority 31 spins since 0; priority 1 is ready since 10 ms, and due at 210 ms. */
static void spin_and_victim(policy_case *c)
{
    views_run(&c->v, views_thread(&c->v, 0, 31, 1));
    views_thread(&c->v, 0, 1, 2);
    c->v.threads[1].ready_since = 10 * MS;
}

static void starved_thread_gets_one_quantum(void **state)
{
    policy_case *c = *state;
    spin_and_victim(c);
    c->v.hw[0].time = 210 * MS - 1;
    assert_int_equal(next(c, 0), 0);
    c->v.hw[0].time = 210 * MS;
    assert_int_equal(next(c, 0), 1);
    views_run(&c->v, 1); /* as the kernel then shows it */
    c->v.threads[0].state = WEFT_THREAD_READY;
    c->v.threads[0].ready_since = 210 * MS;
    c->v.hw[0].time = 230 * MS - 1;
    assert_int_equal(next(c, 0), 1);
    c->v.hw[0].time = 230 * MS;
    assert_int_equal(next(c, 0), 0);
}

/* [schedule] starve_ticks of the shipped profiles is 100 ms: a policy that wants to be first must
 * be quicker. */
static void default_comes_before_the_hosts_own_rule(void **state)
{
    fake_host fake;
    fake_load(&fake, "policy-conservative");
    const char *text = fake_option_text(&fake.host, "starve_ms");
    int ms = atoi(text);
    fake_close(&fake);
    assert_in_range(ms, 1, 99);
}

static void longest_starved_goes_first(void **state)
{
    policy_case *c = *state;
    spin_and_victim(c);
    views_thread(&c->v, 0, 5, 3);
    views_thread(&c->v, 0, 2, 4);
    c->v.threads[2].ready_since = 9 * MS;
    c->v.threads[3].ready_since = 8 * MS;
    c->v.hw[0].time = 500 * MS;
    assert_int_equal(next(c, 0), 3);
}

static void boost_ends_when_its_thread_waits(void **state)
{
    policy_case *c = *state;
    spin_and_victim(c);
    c->v.hw[0].time = 300 * MS;
    assert_int_equal(next(c, 0), 1);
    c->v.threads[1].state = WEFT_THREAD_WAITING;
    assert_int_equal(next(c, 0), 0);
    c->v.threads[1].state = WEFT_THREAD_READY; /* back within the old quantum: not owed any more */
    c->v.threads[1].ready_since = 305 * MS;
    c->v.hw[0].time = 306 * MS;
    assert_int_equal(next(c, 0), 0);
}

static void starve_zero_means_strict_priorities(void **state)
{
    policy_case *c = *state;
    again_with(c, "starve_ms", "0");
    spin_and_victim(c);
    c->v.hw[0].time = 100000 * MS;
    assert_int_equal(next(c, 0), 0);
}

static void ready_since_in_the_future_is_no_starvation(void **state)
{
    policy_case *c = *state;
    spin_and_victim(c);
    c->v.threads[1].ready_since = 20 * MS; /* woken by a hardware thread that is ahead */
    c->v.hw[0].time = 10 * MS;
    assert_int_equal(next(c, 0), 0);
}

/* A small kernel in 40 lines: six spinners that never wait, all priorities apart. */
static void nobody_starves_in_a_simulated_run(void **state)
{
    policy_case *c = *state;
    uint64_t order = 0, ran[6] = {0};
    for (int i = 0; i < 6; i++) {
        views_thread(&c->v, 0, 5 * i + 1, ++order);
    }
    for (uint64_t time = 0; time < 10000 * MS; time += MS / 2) {
        c->v.hw[0].time = time;
        int32_t picked = next(c, 0);
        assert_true(views_legal(&c->v, 0, picked));
        int32_t before = c->v.hw[0].current;
        if (picked != before) {
            if (before >= 0) {
                c->v.threads[before].state = WEFT_THREAD_READY;
                c->v.threads[before].ready_since = time;
                c->v.threads[before].order = ++order;
            }
            views_run(&c->v, (uint32_t)picked);
        }
        ran[picked] += MS / 2;
    }
    for (int i = 0; i < 6; i++) {
        assert_true(ran[i] >= 500 * MS); /* of 10 s; each is owed 20 ms in every 200 or so */
    }
    assert_true(ran[5] > 4000 * MS); /* and the highest priority keeps the most */
    assert_true(ran[5] > ran[0] && ran[5] > ran[4]);
}

static void answers_are_legal_for_random_views(void **state)
{
    policy_case *c = *state;
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        views_random(&c->v, &seed);
        for (uint32_t hw = 0; hw < WEFT_HW_COUNT; hw++) {
            int32_t answer = next(c, hw);
            assert_true(c->v.hw[hw].ready ? views_legal(&c->v, hw, answer) : answer == -1);
        }
    }
}

static void equal_views_get_equal_answers(void **state)
{
    policy_case *c = *state;
    fake_host other;
    fake_load(&other, "policy-conservative");
    fake_set(&other, "starve_ms", "200");
    const weft_policy_ops *ops = fake_create(&other);
    uint64_t seed = 2;
    for (int i = 0; i < 5000; i++) {
        views_random(&c->v, &seed);
        for (uint32_t hw = 0; hw < WEFT_HW_COUNT; hw++) {
            assert_int_equal(next(c, hw), ops->pick_next(other.instance, &c->v.view, hw));
        }
    }
    fake_close(&other);
}

static void saved_state_goes_on_where_it_was(void **state)
{
    policy_case *c = *state;
    char buffer[256];
    uint64_t length = 0;
    spin_and_victim(c);
    c->v.hw[0].time = 300 * MS;
    assert_int_equal(next(c, 0), 1); /* boosted until 320 ms */
    assert_int_equal(c->ops->save(c->fake.instance, NULL, &length), WEFT_OK);
    assert_true(length > 0 && length <= sizeof buffer);
    length = sizeof buffer;
    assert_int_equal(c->ops->save(c->fake.instance, buffer, &length), WEFT_OK);
    c->fake.desc->destroy(c->fake.instance);
    fake_create(&c->fake);
    c->v.threads[1].ready_since = 300 * MS;
    c->v.hw[0].time = 310 * MS;
    assert_int_equal(c->ops->load(c->fake.instance, buffer, length), WEFT_OK);
    assert_int_equal(next(c, 0), 1);
}

static void state_of_another_length_is_refused(void **state)
{
    policy_case *c = *state;
    char buffer[256] = {0};
    uint64_t length = 1;
    assert_int_equal(c->ops->save(c->fake.instance, buffer, &length), WEFT_E_LIMIT);
    assert_int_equal(c->ops->load(c->fake.instance, buffer, 1), WEFT_E_FORMAT);
}

static void ended_thread_is_forgotten(void **state)
{
    policy_case *c = *state;
    spin_and_victim(c);
    c->v.hw[0].time = 300 * MS;
    assert_int_equal(next(c, 0), 1);
    c->ops->thread_end(c->fake.instance, c->v.threads[1].id);
    c->v.threads[1].ready_since = 300 * MS;
    assert_int_equal(next(c, 0), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(hardware_threads_are_the_kernels_affair),
        CASE(highest_priority_runs),
        CASE(equals_go_in_queue_order),
        CASE(equal_places_in_the_queue_go_by_creation),
        CASE(equals_take_turns),
        CASE(running_thread_goes_on_among_equals),
        CASE(higher_priority_preempts_the_running_thread),
        CASE(waiting_and_suspended_threads_do_not_run),
        CASE(threads_of_other_queues_do_not_run),
        CASE(affinity_goes_before_priority),
        CASE(thread_in_the_wrong_queue_runs_when_it_is_alone),
        CASE(nothing_to_run_is_minus_one),
        CASE(quantum_is_20_ms_by_default),
        CASE(quantum_follows_its_option),
        CASE(starved_thread_gets_one_quantum),
        cmocka_unit_test(default_comes_before_the_hosts_own_rule),
        CASE(longest_starved_goes_first),
        CASE(boost_ends_when_its_thread_waits),
        CASE(starve_zero_means_strict_priorities),
        CASE(ready_since_in_the_future_is_no_starvation),
        CASE(nobody_starves_in_a_simulated_run),
        CASE(answers_are_legal_for_random_views),
        CASE(equal_views_get_equal_answers),
        CASE(saved_state_goes_on_where_it_was),
        CASE(state_of_another_length_is_refused),
        CASE(ended_thread_is_forgotten),
    };
    return cmocka_run_group_tests_name("policy-conservative", tests, NULL, NULL);
}
