/* tracer-null does nothing, and does it twice in one process. */
#include "fake_host.h"

static void takes_every_kind_of_event(void **state)
{
    fake_host fake;
    weft_event_buffer e;
    fake_load(&fake, "tracer-null");
    const weft_tracer_ops *ops = fake_create(&fake);
    for (uint16_t kind = 0; kind <= WEFT_EVENT_KIND_END; kind++) {
        weft_event_begin(&e, kind);
        ops->event(fake.instance, &e.head);
    }
    assert_int_equal(fake.fails, 0);
    fake_close(&fake);
}

static void has_only_the_op_that_a_tracer_must_have(void **state)
{
    fake_host fake;
    fake_load(&fake, "tracer-null");
    const weft_tracer_ops *ops = fake.desc->ops;
    assert_int_equal(fake.desc->role, WEFT_ROLE_TRACER);
    assert_int_equal(ops->size, sizeof *ops);
    assert_non_null(ops->event);
    assert_null(ops->open);
    assert_null(ops->close);
    fake_close(&fake);
}

static void two_instances_live_side_by_side(void **state)
{
    fake_host a, b;
    fake_load(&a, "tracer-null");
    fake_load(&b, "tracer-null");
    fake_create(&a);
    fake_create(&b);
    assert_ptr_not_equal(a.instance, b.instance);
    fake_close(&a);
    fake_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_kind_of_event),
        cmocka_unit_test(has_only_the_op_that_a_tracer_must_have),
        cmocka_unit_test(two_instances_live_side_by_side),
    };
    return cmocka_run_group_tests_name("tracer-null", tests, NULL, NULL);
}
