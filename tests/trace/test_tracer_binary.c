/* The plugin tracer-binary: its file, its options, its failures. */
#include <unistd.h>

#include "case.h"
#include "fake_host.h"

typedef struct fixture {
    fake_host fake;
    const weft_tracer_ops *ops;
    weft_trace_begin begin;
    char path[64];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    fake_load(&f->fake, "tracer-binary");
    strcpy(f->path, "/tmp/weft-binary-XXXXXX");
    close(mkstemp(f->path));
    fake_set(&f->fake, "path", f->path);
    f->begin = (weft_trace_begin){.size = sizeof f->begin,
                                  .engine = "weft",
                                  .build = "0.1.0",
                                  .title = "hello.xex",
                                  .profile_digest = "00112233445566778899aabbccddeeff",
                                  .digest = "99aa06d3014798d86001c324468d497f"};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    fake_close(&f->fake);
    unlink(f->path);
    free(f);
    return 0;
}

static void trace(fixture *f, uint64_t events)
{
    assert_int_equal(f->ops->open(f->fake.instance, &f->begin), WEFT_OK);
    for (uint64_t n = 0; n < events; n++) {
        weft_event_buffer e;
        case_event(&e, n);
        f->ops->event(f->fake.instance, &e.head);
    }
}

static uint64_t count(const char *path, int complete)
{
    weft_trace *t = weft_trace_open(path);
    uint64_t events = 0;
    while (weft_trace_next(t)) {
        events++;
    }
    assert_null(weft_trace_failed(t, NULL));
    assert_int_equal(weft_trace_info_of(t)->complete, complete);
    weft_trace_close(t);
    return events;
}

static void file_holds_every_event(void **state)
{
    fixture *f = *state;
    f->ops = fake_create(&f->fake);
    trace(f, 300);
    assert_int_equal(f->ops->close(f->fake.instance, 299, "00"), WEFT_OK);
    assert_int_equal(count(f->path, 1), 300);
}

static void second_open_replaces_the_file(void **state)
{
    fixture *f = *state;
    f->ops = fake_create(&f->fake);
    trace(f, 300);
    assert_int_equal(f->ops->close(f->fake.instance, 299, "00"), WEFT_OK);
    trace(f, 20);
    assert_int_equal(f->ops->close(f->fake.instance, 19, "00"), WEFT_OK);
    assert_int_equal(count(f->path, 1), 20);
}

/* Groups of ten: a killed run would leave just this. */
static void full_groups_are_in_the_file_at_once(void **state)
{
    fixture *f = *state;
    fake_set(&f->fake, "group_events", "10");
    f->ops = fake_create(&f->fake);
    trace(f, 109);
    assert_int_equal(count(f->path, 0), 100);
    weft_event_buffer e;
    case_event(&e, 109);
    f->ops->event(f->fake.instance, &e.head);
    assert_int_equal(count(f->path, 0), 110);
}

static void destroy_without_close_keeps_what_was_traced(void **state)
{
    fixture *f = *state;
    f->ops = fake_create(&f->fake);
    trace(f, 33);
    f->fake.desc->destroy(f->fake.instance);
    f->fake.instance = NULL;
    assert_int_equal(count(f->path, 0), 33);
}

static void path_that_cannot_be_created_is_refused_at_open(void **state)
{
    fixture *f = *state;
    fake_set(&f->fake, "path", "/nonexistent/folder/t.wtr");
    f->ops = fake_create(&f->fake);
    assert_int_equal(f->ops->open(f->fake.instance, &f->begin), WEFT_E_IO);
    assert_non_null(strstr(f->fake.sentence, "/nonexistent/folder/t.wtr"));
}

static void full_disk_is_reported_once_at_close(void **state)
{
    fixture *f = *state;
    fake_set(&f->fake, "path", "/dev/full"); /* every write gives ENOSPC */
    fake_set(&f->fake, "group_events", "10");
    f->ops = fake_create(&f->fake);
    trace(f, 200);
    assert_int_equal(f->fake.fails, 0);
    assert_int_equal(f->ops->close(f->fake.instance, 199, "00"), WEFT_E_IO);
    assert_int_equal(f->fake.fails, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(file_holds_every_event),
        CASE(second_open_replaces_the_file),
        CASE(full_groups_are_in_the_file_at_once),
        CASE(destroy_without_close_keeps_what_was_traced),
        CASE(path_that_cannot_be_created_is_refused_at_open),
        CASE(full_disk_is_reported_once_at_close),
    };
    return cmocka_run_group_tests_name("tracer-binary", tests, NULL, NULL);
}
