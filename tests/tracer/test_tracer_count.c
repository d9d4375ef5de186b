/* tracer-count: the numbers are counted by hand from the events that each test sends. Event n of
 * stream_case stands at tick n * 1000, so n events take (n - 1) us of guest time. */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stream_case.h"

#define OTHER "xboxkrnl.exe!NtOpenFile(handle_out)#223"

static stream_case *start(void **state, const char *name)
{
    stream_case *c = malloc(sizeof *c);
    stream_setup(c, "tracer-count", name);
    *state = c;
    return c;
}

static int teardown(void **state)
{
    stream_teardown(*state);
    free(*state);
    return 0;
}

static void call(stream_case *c, const char *text)
{
    uint64_t words[2] = {weft_fnv1a(text, strlen(text)), 0x82000000};
    stream_words(c, WEFT_EVENT_IMPORT_CALL, words, 2);
}

/* Calls: close, close, close, other; returns: 7. Eleven events in 10 us. */
static void send_eleven(stream_case *c)
{
    call(c, STREAM_CLOSE);
    for (uint64_t i = 0; i < 7; i++) {
        stream_return(c, i);
    }
    call(c, OTHER);
    call(c, STREAM_CLOSE);
    call(c, STREAM_CLOSE);
}

static void table_has_kinds_and_exports_by_number(void **state)
{
    stream_case *c = start(state, "count.txt");
    stream_open(c, 0);
    send_eleven(c);
    assert_int_equal(stream_close(c), WEFT_OK);
    /* 11 events in 10 us: 1,100,000 a second of guest time. OTHER has no text here: its identity. */
    char expected[1024];
    snprintf(expected, sizeof expected,
             "tracer-count: 0.000 s of guest time\n"
             "KIND                                             events    per guest s\n"
             "all                                                  11        1100000\n"
             "kernel.return                                         7         700000\n"
             "import.call                                           4         400000\n"
             "EXPORT                                            calls    per guest s\n"
             "NtClose                                               3         300000\n"
             "%016llx                                      1         100000\n",
             (unsigned long long)weft_fnv1a(OTHER, strlen(OTHER)));
    assert_string_equal(stream_text(c, "count.txt"), expected);
}

static void json_has_the_same_numbers(void **state)
{
    stream_case *c = start(state, "count.json");
    fake_set(&c->fake, "format", "json");
    fake_set(&c->fake, "top", "1");
    stream_open(c, 0);
    send_eleven(c);
    assert_int_equal(stream_close(c), WEFT_OK);
    assert_string_equal(
        stream_text(c, "count.json"),
        "{\"title\":\"hello.xex\",\"first\":0,\"last\":10,\"partial\":false,\"guest_ns\":10000,"
        "\"events\":11,\"per_guest_second\":1100000.0,\"kinds\":["
        "{\"kind\":\"import.call\",\"class\":\"guest\",\"events\":4,\"per_guest_second\":400000.0},"
        "{\"kind\":\"kernel.return\",\"class\":\"guest\",\"events\":7,"
        "\"per_guest_second\":700000.0}],\"exports\":["
        "{\"export\":\"xboxkrnl.exe!NtClose\",\"calls\":3,\"per_guest_second\":300000.0}],"
        "\"other_calls\":1}\n");
}

static void run_without_events_has_an_empty_table(void **state)
{
    stream_case *c = start(state, "count.json");
    fake_set(&c->fake, "format", "json");
    stream_open(c, 0);
    assert_int_equal(stream_close(c), WEFT_OK);
    assert_non_null(strstr(stream_text(c, "count.json"),
                           "\"last\":18446744073709551615,\"partial\":false,\"guest_ns\":0,"
                           "\"events\":0,\"per_guest_second\":0.0,\"kinds\":[],\"exports\":[],"
                           "\"other_calls\":0}"));
}

static void unknown_kinds_are_counted_together(void **state)
{
    stream_case *c = start(state, "count.json");
    fake_set(&c->fake, "format", "json");
    stream_open(c, 0);
    stream_words(c, 999, NULL, 0);
    stream_words(c, UINT16_MAX, NULL, 0);
    stream_words(c, 0, NULL, 0);
    assert_int_equal(stream_close(c), WEFT_OK);
    assert_non_null(strstr(stream_text(c, "count.json"),
                           "{\"kind\":\"unknown\",\"class\":\"unknown\",\"events\":3,"));
}

static void definitions_told_again_are_not_counted(void **state)
{
    stream_case *c = start(state, "count.json");
    fake_set(&c->fake, "format", "json");
    stream_open(c, 500);
    stream_define(c, "thread", STREAM_THREAD, 1);
    stream_define(c, "object", "object:new", 0);
    assert_int_equal(stream_close(c), WEFT_OK);
    const char *text = stream_text(c, "count.json");
    assert_non_null(strstr(text, "\"first\":500,\"last\":500,"));
    assert_non_null(strstr(text, "\"events\":1,"));
}

static void more_exports_than_the_table_holds_are_counted_together(void **state)
{
    stream_case *c = start(state, "count.json");
    fake_set(&c->fake, "format", "json");
    fake_set(&c->fake, "top", "0");
    stream_open(c, 0);
    for (uint64_t i = 0; i < 3 * 20000; i++) {
        uint64_t words[2] = {i % 20000, 0};
        stream_words(c, WEFT_EVENT_IMPORT_CALL, words, 2);
    }
    assert_int_equal(stream_close(c), WEFT_OK);
    assert_non_null(strstr(stream_text(c, "count.json"), "\"exports\":[],\"other_calls\":60000}"));
}

static void each_interval_leaves_a_line_where_there_is_no_terminal(void **state)
{
    stream_case *c = start(state, "count.txt");
    fake_set(&c->fake, "interval_ms", "1");
    int saved = stream_catch(c);
    stream_open(c, 0);
    send_eleven(c);
    usleep(2000);
    c->ops->flush(c->fake.instance); /* the run is idle */
    assert_int_equal(stream_close(c), WEFT_OK);
    const char *said = stream_caught(c, saved);
    const char *begin = "tracer-count: 0.000 s of guest time, 11 events, 1100000 per guest s, ";
    assert_memory_equal(said, begin, strlen(begin));
    assert_non_null(strstr(said, " per s; kernel.return 7, import.call 4\n"));
}

static void table_goes_to_stderr_with_host_rates_by_default(void **state)
{
    stream_case *c = start(state, NULL);
    int saved = stream_catch(c);
    stream_open(c, 0);
    send_eleven(c);
    assert_int_equal(stream_close(c), WEFT_OK);
    const char *said = stream_caught(c, saved);
    assert_non_null(strstr(said, "KIND                                             events    "
                                 "per guest s          per s\n"));
    assert_non_null(strstr(said, "\nNtClose                                               3"));
}

/* What a terminal was told, up to the lines behind `last`; they come in pieces. */
static void read_terminal(int pty, char *text, size_t room, const char *last)
{
    size_t used = 0;
    struct pollfd wait = {.fd = pty, .events = POLLIN};
    while (used + 1 < room && poll(&wait, 1, used > 0 && strstr(text, last) ? 100 : 2000) > 0) {
        ssize_t n = read(pty, text + used, room - 1 - used);
        if (n <= 0) {
            break;
        }
        used += (size_t)n;
        text[used] = 0;
    }
    text[used] = 0;
}

static void terminal_shows_the_table_in_place(void **state)
{
    stream_case *c = start(state, "count.txt"); /* first: it is taken down after a skip too */
    int pty = posix_openpt(O_RDWR | O_NOCTTY);
    if (pty < 0) {
        skip(); /* a container without /dev/pts */
    }
    char said[8192];
    assert_int_equal(grantpt(pty), 0);
    assert_int_equal(unlockpt(pty), 0);
    int slave = open(ptsname(pty), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    struct winsize window = {.ws_row = 6, .ws_col = 60};
    ioctl(slave, TIOCSWINSZ, &window);
    fake_set(&c->fake, "interval_ms", "1");
    int saved = dup(STDERR_FILENO);
    dup2(slave, STDERR_FILENO);
    stream_open(c, 0);
    for (int i = 0; i < 2; i++) {
        send_eleven(c);
        usleep(2000);
        c->ops->flush(c->fake.instance);
    }
    dup2(saved, STDERR_FILENO);
    close(saved);
    read_terminal(pty, said, sizeof said, "\x1b[5A\r");
    /* Six rows hold five lines of the table; the second one is drawn over the first. */
    const char *again = strstr(said, "\x1b[5A\r");
    assert_non_null(again);
    assert_null(strstr(said, "NtClose")); /* it would be the seventh line */
    assert_non_null(strstr(again, "all                                                  22"));
    const char *end = strchr(said, '\x1b');
    assert_true(end - said <= 59); /* narrower than the window */
    assert_int_equal(stream_close(c), WEFT_OK);
    close(slave);
    close(pty);
}

static void full_disk_is_reported_at_close(void **state)
{
    stream_case *c = start(state, NULL);
    fake_set(&c->fake, "path", "/dev/full");
    stream_open(c, 0);
    send_eleven(c);
    assert_int_equal(stream_close(c), WEFT_E_IO);
    assert_string_equal(c->fake.sentence, "cannot write /dev/full (found No space left on device, "
                                          "expected room for a table)");
}

static void path_that_cannot_be_created_is_refused_at_open(void **state)
{
    stream_case *c = start(state, NULL);
    fake_set(&c->fake, "path", "/nonexistent/count.txt");
    c->ops = fake_create(&c->fake);
    weft_trace_begin begin = {.size = sizeof begin, .digest = ""};
    assert_int_equal(c->ops->open(c->fake.instance, &begin), WEFT_E_IO);
    assert_int_equal(c->fake.fails, 1);
}

#define CASE(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(table_has_kinds_and_exports_by_number),
        CASE(json_has_the_same_numbers),
        CASE(run_without_events_has_an_empty_table),
        CASE(unknown_kinds_are_counted_together),
        CASE(definitions_told_again_are_not_counted),
        CASE(more_exports_than_the_table_holds_are_counted_together),
        CASE(each_interval_leaves_a_line_where_there_is_no_terminal),
        CASE(table_goes_to_stderr_with_host_rates_by_default),
        CASE(terminal_shows_the_table_in_place),
        CASE(full_disk_is_reported_at_close),
        CASE(path_that_cannot_be_created_is_refused_at_open),
    };
    return cmocka_run_group_tests_name("tracer-count", tests, NULL, NULL);
}
