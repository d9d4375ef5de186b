/* check.h: cmocka, and a machine for each test. */
#ifndef CHECK_H
#define CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "asm.h"
#include "machine.h"

extern const weft_plugin_desc weft_plugin;

static inline int with_machine(void **state)
{
    *state = machine_make(&weft_plugin);
    return 0;
}

static inline int without_machine(void **state)
{
    machine_free(*state);
    return 0;
}

/* A test function with its machine `m` and state `s`. */
#define TEST(name)                                                                                 \
    static void name##_on(machine *m, weft_cpu_state *s);                                          \
    static void name(void **state)                                                                 \
    {                                                                                              \
        machine *m_ = *state;                                                                      \
        name##_on(m_, m_->state);                                                                  \
    }                                                                                              \
    static void name##_on(machine *m, weft_cpu_state *s)

#define ENTRY(name) cmocka_unit_test_setup_teardown(name, with_machine, without_machine)

/* Runs words up to the sc that ends them. */
#define OK(m, ...) assert_int_equal(RUN(m, __VA_ARGS__), WEFT_CPU_SYSCALL)

#define assert_u64(got, expected)                                                                  \
    assert_true((uint64_t)(got) == (uint64_t)(expected) ||                                         \
                (print_error("%s is 0x%llx, not 0x%llx\n", #got, (unsigned long long)(got),        \
                             (unsigned long long)(expected)),                                      \
                 0))

#define assert_vector(m, n, a, b, c, d)                                                            \
    do {                                                                                           \
        assert_u64(machine_word(m, n, 0), a);                                                      \
        assert_u64(machine_word(m, n, 1), b);                                                      \
        assert_u64(machine_word(m, n, 2), c);                                                      \
        assert_u64(machine_word(m, n, 3), d);                                                      \
    } while (0)

#endif
