/* sdk/template/hello-tracer, built away from the tree by the command of its README. */
#include <unistd.h>

#include "fake_host.h"
#include "template_build.h"

static void compiles_by_its_readmes_command(void **state)
{
    char path[512];
    template_build("hello-tracer", "tracer-hello", "", path);
    template_remove(path);
}

static void compiles_without_a_warning(void **state)
{
    char path[512];
    template_build("hello-tracer", "tracer-hello",
                   "-O2 -Wall -Wextra -Wno-unused-parameter -pedantic -Werror", path);
    template_remove(path);
}

static void prints_a_table_of_kinds_at_close(void **state)
{
    fake_host fake;
    weft_event_buffer e;
    char path[512], text[1024];
    char table[] = "/tmp/weft-table-XXXXXX";
    template_build("hello-tracer", "tracer-hello", "", path);
    fake_open(&fake, path);
    assert_string_equal(fake.desc->id, "tracer-hello");
    const weft_tracer_ops *ops = fake_create(&fake);
    for (int i = 0; i < 12; i++) {
        weft_event_begin(&e, i < 9 ? WEFT_EVENT_KERNEL_CALL : i < 11 ? WEFT_EVENT_GPU_SWAP : 999);
        ops->event(fake.instance, &e.head);
    }
    fflush(stderr);
    int file = mkstemp(table);
    int saved = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
    weft_status status = ops->close(fake.instance, 11, "");
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    text[pread(file, text, sizeof text - 1, 0)] = 0;
    close(file);
    unlink(table);
    fake_close(&fake);
    template_remove(path);
    assert_int_equal(status, WEFT_OK);
    assert_string_equal(text, "unknown                         1\n"
                              "kernel.call                     9\n"
                              "gpu.swap                        2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compiles_by_its_readmes_command),
        cmocka_unit_test(compiles_without_a_warning),
        cmocka_unit_test(prints_a_table_of_kinds_at_close),
    };
    return cmocka_run_group_tests_name("hello-tracer", tests, NULL, NULL);
}
