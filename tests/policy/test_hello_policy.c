/* sdk/template/hello-policy, built away from the tree by the command of its README. */
#include "tracer/fake_host.h"
#include "tracer/template_build.h"

#include "views.h"

static void compiles_by_its_readmes_command(void **state)
{
    char path[512];
    template_build("hello-policy", "policy-hello", "", path);
    template_remove(path);
}

static void compiles_without_a_warning(void **state)
{
    char path[512];
    template_build("hello-policy", "policy-hello",
                   "-O2 -Wall -Wextra -Wno-unused-parameter -pedantic -Werror", path);
    template_remove(path);
}

/* CONTRACTS: one .c file of at most 40 lines that are neither blank nor comment. */
static void has_at_most_forty_lines_of_code(void **state)
{
    int lines = template_code_lines("hello-policy");
    assert_in_range(lines, 10, 40);
}

static void takes_turns_whatever_the_priorities(void **state)
{
    fake_host fake;
    char path[512];
    views v;
    template_build("hello-policy", "policy-hello", "", path);
    fake_open(&fake, path);
    assert_string_equal(fake.desc->id, "policy-hello");
    const weft_policy_ops *ops = fake_create(&fake);
    views_init(&v);
    views_thread(&v, 0, 31, 9);
    views_thread(&v, 0, 1, 4);
    views_thread(&v, 0, 15, 6);
    views_thread(&v, 1, 31, 1); /* in another queue */
    assert_int_equal(ops->pick_next(fake.instance, &v.view, 0), 1);
    v.threads[1].order = 10; /* its turn is over */
    assert_int_equal(ops->pick_next(fake.instance, &v.view, 0), 2);
    v.threads[2].state = WEFT_THREAD_WAITING;
    assert_int_equal(ops->pick_next(fake.instance, &v.view, 0), 0);
    fake_close(&fake);
    template_remove(path);
}

static void answers_are_legal_for_random_views(void **state)
{
    fake_host fake;
    char path[512];
    template_build("hello-policy", "policy-hello", "", path);
    fake_open(&fake, path);
    const weft_policy_ops *ops = fake_create(&fake);
    uint64_t seed = 7;
    for (int i = 0; i < 5000; i++) {
        views v;
        views_random(&v, &seed);
        for (uint32_t hw = 0; hw < WEFT_HW_COUNT; hw++) {
            int32_t answer = v.hw[hw].ready ? ops->pick_next(fake.instance, &v.view, hw) : -1;
            assert_true(!v.hw[hw].ready || views_legal(&v, hw, answer));
        }
    }
    fake_close(&fake);
    template_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compiles_by_its_readmes_command),
        cmocka_unit_test(compiles_without_a_warning),
        cmocka_unit_test(has_at_most_forty_lines_of_code),
        cmocka_unit_test(takes_turns_whatever_the_priorities),
        cmocka_unit_test(answers_are_legal_for_random_views),
    };
    return cmocka_run_group_tests_name("hello-policy", tests, NULL, NULL);
}
