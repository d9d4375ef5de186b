/* The plugin tracer-perfetto: its file, its options, its failures. What stands in the file is
 * tests/trace/test_perfetto.c's affair. */
#include <sys/stat.h>
#include <unistd.h>

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
    fake_load(&f->fake, "tracer-perfetto");
    strcpy(f->path, "/tmp/weft-perfetto-XXXXXX");
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

/* Calls of two threads, each within the one before up to ten deep. */
static void trace(fixture *f, uint64_t events)
{
    assert_int_equal(f->ops->open(f->fake.instance, &f->begin), WEFT_OK);
    for (uint64_t n = 0; n < events; n++) {
        weft_event_buffer e;
        int begins = n % 20 < 10;
        weft_event_begin(&e, begins ? WEFT_EVENT_KERNEL_CALL : WEFT_EVENT_KERNEL_RETURN);
        e.head.sequence = n;
        e.head.thread = 1 + n / 20 % 2;
        e.head.tick = n * 100;
        weft_event_word(&e, 77);
        weft_event_word(&e, 0);
        if (begins) {
            weft_event_word(&e, 0);
        }
        f->ops->event(f->fake.instance, &e.head);
    }
}

static char *bytes_of(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *bytes = calloc(1, 1 << 20);
    assert_non_null(file);
    *length = fread(bytes, 1, (1 << 20) - 1, file);
    fclose(file);
    return bytes;
}

static void equal_runs_leave_equal_files_whatever_the_buffer(void **state)
{
    static const char *const buffers[] = {"0", "1", "256"};
    char *first = NULL;
    size_t first_length = 0, length;
    for (int i = 0; i < 3; i++) {
        fixture *f = NULL;
        assert_int_equal(setup((void **)&f), 0);
        fake_set(&f->fake, "buffer_kib", buffers[i]);
        f->ops = fake_create(&f->fake);
        trace(f, 400);
        if (i == 2) {
            f->ops->flush(f->fake.instance); /* the host's idleness must not show */
        }
        assert_int_equal(f->ops->close(f->fake.instance, 399, "00"), WEFT_OK);
        char *bytes = bytes_of(f->path, &length);
        assert_true(length > 400 * 10);
        if (first) {
            assert_int_equal(length, first_length);
            assert_memory_equal(bytes, first, length);
            free(bytes);
        } else {
            first = bytes;
            first_length = length;
        }
        void *done = f;
        teardown(&done);
    }
    free(first);
}

static void second_open_replaces_the_file(void **state)
{
    fixture *f = *state;
    size_t many, few;
    f->ops = fake_create(&f->fake);
    trace(f, 400);
    assert_int_equal(f->ops->close(f->fake.instance, 399, "00"), WEFT_OK);
    free(bytes_of(f->path, &many));
    trace(f, 40);
    assert_int_equal(f->ops->close(f->fake.instance, 39, "00"), WEFT_OK);
    free(bytes_of(f->path, &few));
    assert_in_range(few, 1, many / 5);
}

static void flush_hands_on_what_is_held(void **state)
{
    fixture *f = *state;
    size_t before, after;
    f->ops = fake_create(&f->fake);
    trace(f, 40);
    free(bytes_of(f->path, &before));
    f->ops->flush(f->fake.instance);
    free(bytes_of(f->path, &after));
    assert_int_equal(before, 0);
    assert_true(after > 400);
}

static void destroy_without_close_keeps_what_was_traced(void **state)
{
    fixture *f = *state;
    size_t length;
    f->ops = fake_create(&f->fake);
    trace(f, 45);
    f->fake.desc->destroy(f->fake.instance);
    f->fake.instance = NULL;
    free(bytes_of(f->path, &length));
    assert_true(length > 450);
}

static void path_that_cannot_be_created_is_refused_at_open(void **state)
{
    fixture *f = *state;
    fake_set(&f->fake, "path", "/nonexistent/folder/t.pftrace");
    f->ops = fake_create(&f->fake);
    assert_int_equal(f->ops->open(f->fake.instance, &f->begin), WEFT_E_IO);
    assert_non_null(strstr(f->fake.sentence, "/nonexistent/folder/t.pftrace"));
}

static void full_disk_is_reported_once_at_close(void **state)
{
    fixture *f = *state;
    fake_set(&f->fake, "path", "/dev/full"); /* every write gives ENOSPC */
    fake_set(&f->fake, "buffer_kib", "0");
    f->ops = fake_create(&f->fake);
    trace(f, 200);
    assert_int_equal(f->fake.fails, 0);
    assert_int_equal(f->ops->close(f->fake.instance, 199, "00"), WEFT_E_IO);
    assert_int_equal(f->fake.fails, 1);
}

/* 300 calls within calls are more than the 256 that a track shows. A log line would be an event; it
 * is told on stderr. */
static void what_is_left_out_is_told_and_not_logged(void **state)
{
    fixture *f = *state;
    f->ops = fake_create(&f->fake);
    assert_int_equal(f->ops->open(f->fake.instance, &f->begin), WEFT_OK);
    for (uint64_t n = 0; n < 300; n++) {
        weft_event_buffer e;
        weft_event_begin(&e, WEFT_EVENT_KERNEL_CALL);
        e.head.thread = 1;
        weft_event_word(&e, 77);
        weft_event_word(&e, 0);
        weft_event_word(&e, 0);
        f->ops->event(f->fake.instance, &e.head);
    }
    char said[256] = "";
    FILE *heard = tmpfile();
    int saved = dup(STDERR_FILENO);
    dup2(fileno(heard), STDERR_FILENO);
    weft_status status = f->ops->close(f->fake.instance, 299, "00");
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(heard);
    assert_non_null(fgets(said, sizeof said, heard));
    fclose(heard);
    assert_int_equal(status, WEFT_OK);
    assert_int_equal(f->fake.logs, 0);
    assert_non_null(strstr(said, " 44 events are left out"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_runs_leave_equal_files_whatever_the_buffer),
        CASE(second_open_replaces_the_file),
        CASE(flush_hands_on_what_is_held),
        CASE(destroy_without_close_keeps_what_was_traced),
        CASE(path_that_cannot_be_created_is_refused_at_open),
        CASE(full_disk_is_reported_once_at_close),
        CASE(what_is_left_out_is_told_and_not_logged),
    };
    return cmocka_run_group_tests_name("tracer-perfetto", tests, NULL, NULL);
}
