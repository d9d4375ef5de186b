/* cmocka in the order it wants. */
#ifndef TESTS_GPU_TEST_H
#define TESTS_GPU_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "fake.h"

static inline int fake_setup(void **state)
{
    *state = fake_new();
    return 0;
}

static inline int fake_teardown(void **state)
{
    fake_delete(*state);
    return 0;
}

#define FAKE_TEST(function) cmocka_unit_test_setup_teardown(function, fake_setup, fake_teardown)

#endif
