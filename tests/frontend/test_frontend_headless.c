/* frontend-headless: takes frames, has no hands. */
#include "tracer/fake_host.h"

static void frames_are_accepted(void **state)
{
    fake_host fake;
    static const uint8_t pixels[4 * 4 * 4];
    fake_load(&fake, "frontend-headless");
    const weft_frontend_ops *ops = fake_create(&fake);
    ops->present(fake.instance, &(weft_frame){
                                    .size = sizeof(weft_frame),
                                    .width = 4,
                                    .height = 4,
                                    .stride = 16,
                                    .pixels = pixels,
                                });
    assert_int_equal(fake.fails, 0);
    fake_close(&fake);
}

static void no_pad_is_connected(void **state)
{
    fake_host fake;
    weft_pad pads[WEFT_PAD_COUNT], none[WEFT_PAD_COUNT] = {0};
    memset(pads, 0xff, sizeof pads);
    fake_load(&fake, "frontend-headless");
    const weft_frontend_ops *ops = fake_create(&fake);
    ops->pads(fake.instance, pads);
    assert_memory_equal(pads, none, sizeof pads);
    fake_close(&fake);
}

static void two_instances_live_side_by_side(void **state)
{
    fake_host a, b;
    fake_load(&a, "frontend-headless");
    fake_load(&b, "frontend-headless");
    assert_int_equal(a.desc->role, WEFT_ROLE_FRONTEND);
    assert_int_equal(a.desc->flags, 0);
    fake_create(&a);
    fake_create(&b);
    assert_ptr_not_equal(a.instance, b.instance);
    fake_close(&a);
    fake_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_accepted),
        cmocka_unit_test(no_pad_is_connected),
        cmocka_unit_test(two_instances_live_side_by_side),
    };
    return cmocka_run_group_tests_name("frontend-headless", tests, NULL, NULL);
}
