/* tracer-ring: which events a dump has, and when there is one (docs/trace.md, "tracer-ring"). The
 * dumps are read with sdk/trace; what must be in them is counted by hand. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream_case.h"
#include "trace.h"

static stream_case *start(void **state, const char *name)
{
    stream_case *c = malloc(sizeof *c);
    stream_setup(c, "tracer-ring", name);
    *state = c;
    return c;
}

static int teardown(void **state)
{
    stream_teardown(*state);
    free(*state);
    return 0;
}

/* What a dump says of itself, and its events: definitions told in front, then the rest. */
typedef struct dumped {
    weft_trace_info info;
    uint32_t told, events;
    uint64_t told_id; /* of the latest told */
    uint64_t first, last;
    uint16_t last_kind;
    uint64_t bytes; /* of the events' records */
} dumped;

static dumped read_dump(const char *path)
{
    dumped d = {.first = UINT64_MAX};
    const char *where;
    uint32_t count;
    weft_trace *t = weft_trace_open(path);
    assert_non_null(t);
    const weft_event *e;
    while ((e = weft_trace_next(t)) != NULL) {
        if (e->kind == WEFT_EVENT_DEFINE && e->sequence == 0 && weft_trace_info_of(t)->first != 0) {
            d.told++;
            d.told_id = weft_trace_words(e, &count)[0];
            continue;
        }
        d.first = d.events == 0 ? e->sequence : d.first;
        d.last = e->sequence;
        d.last_kind = e->kind;
        d.events++;
        d.bytes += e->size;
    }
    if (weft_trace_failed(t, &where)) {
        fail_msg("%s: %s", where, weft_trace_failed(t, &where));
    }
    d.info = *weft_trace_info_of(t);
    weft_trace_close(t);
    return d;
}

static dumped close_and_read(stream_case *c)
{
    assert_int_equal(stream_close(c), WEFT_OK);
    return read_dump(c->path);
}

static void keeps_the_last_events_and_says_where_they_begin(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    fake_set(&c->fake, "events", "16"); /* one event a segment */
    fake_set(&c->fake, "dump_on", "close");
    stream_open(c, 0);
    for (uint64_t i = 0; i < 100; i++) {
        stream_return(c, i);
    }
    dumped d = close_and_read(c);
    assert_true(d.info.binary);
    assert_true(d.info.complete);
    assert_false(d.info.partial);
    assert_int_equal(d.events, 16);
    assert_int_equal(d.first, 84); /* 100 - 16 */
    assert_int_equal(d.info.first, 84);
    assert_int_equal(d.info.last, 99);
    /* the digests after 84 and after 100 events: 0x54, 0x64 */
    assert_string_equal(d.info.before, "00000000000000000000000000000054");
    assert_string_equal(d.info.digest, "00000000000000000000000000000064");
}

static void keeps_at_most_a_sixteenth_more(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    fake_set(&c->fake, "events", "160"); /* 10 events a segment */
    fake_set(&c->fake, "dump_on", "close");
    stream_open(c, 0);
    for (uint64_t i = 0; i < 1005; i++) {
        stream_return(c, i);
    }
    dumped d = close_and_read(c);
    /* Segments begin at multiples of 10; 1005 - 160 = 845, so the one from 840 is still needed. */
    assert_int_equal(d.first, 840);
    assert_int_equal(d.events, 165);
    assert_string_equal(d.info.before, "00000000000000000000000000000348"); /* 840 */
}

static void short_run_is_kept_whole(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    fake_set(&c->fake, "dump_on", "close");
    stream_open(c, 0);
    stream_define(c, "export", STREAM_CLOSE, 0);
    stream_return(c, 1);
    dumped d = close_and_read(c);
    assert_int_equal(d.info.first, 0);
    assert_int_equal(d.told, 0); /* it stands where it stood */
    assert_int_equal(d.events, 2);
}

static void bytes_are_bounded(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    fake_set(&c->fake, "kib", "64");
    fake_set(&c->fake, "dump_on", "close");
    stream_open(c, 0);
    static const char text[3000] = "a long line";
    for (int i = 0; i < 200; i++) {
        weft_event_buffer e;
        weft_event_begin(&e, WEFT_EVENT_DEBUG_PRINT);
        weft_event_text(&e, text, sizeof text);
        stream_send(c, &e);
    }
    dumped d = close_and_read(c);
    assert_int_equal(d.last, 199);
    assert_true(d.bytes <= 65536);
    assert_true(d.bytes >= 65536 * 3 / 4);
    assert_int_equal(d.first, d.info.first);
}

static void definitions_that_are_needed_come_first(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    fake_set(&c->fake, "events", "16");
    fake_set(&c->fake, "dump_on", "close");
    stream_open(c, 0);
    stream_define(c, "object", "object:unused", 0);
    uint64_t close = stream_define(c, "export", STREAM_CLOSE, 0);
    for (uint64_t i = 0; i < 50; i++) {
        stream_return(c, i);
    }
    dumped d = close_and_read(c);
    assert_int_equal(d.told, 1);
    assert_true(d.told_id == close);
    assert_int_equal(d.events, 16);
}

static void identities_in_arrays_and_the_thread_are_needed_too(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    fake_set(&c->fake, "events", "1");
    fake_set(&c->fake, "dump_on", "close");
    stream_open(c, 0);
    uint64_t ids[2] = {0, stream_define(c, "object", "object:a", 0)};
    stream_define(c, "thread", STREAM_THREAD, 0);
    stream_define(c, "export", STREAM_CLOSE, 0);
    weft_event_buffer e;
    weft_event_begin(&e, WEFT_EVENT_WAIT_BEGIN);
    e.head.thread = weft_fnv1a(STREAM_THREAD, strlen(STREAM_THREAD));
    weft_event_array(&e, ids, 2);
    weft_event_word(&e, 0);
    weft_event_word(&e, 0);
    weft_event_word(&e, 0);
    stream_send(c, &e);
    dumped d = close_and_read(c);
    assert_int_equal(d.told, 2); /* the object and the thread */
}

static void fault_is_dumped_at_once(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    weft_event_buffer e;
    stream_open(c, 0);
    stream_return(c, 1);
    weft_event_begin(&e, WEFT_EVENT_FAULT);
    weft_event_text(&e, "unmapped", 8);
    weft_event_word(&e, 0x82001000);
    weft_event_word(&e, 4);
    weft_event_word(&e, 0);
    int saved = stream_catch(c);
    stream_send(c, &e);
    const char *said = stream_caught(c, saved);
    assert_non_null(strstr(said, "weft: tracer-ring: fault: wrote "));
    assert_non_null(strstr(said, "the last 2 events up to 1\n"));
    dumped d = read_dump(c->path);
    assert_int_equal(d.last_kind, WEFT_EVENT_FAULT);
    assert_int_equal(d.last, 1);
    assert_true(d.info.complete);
    c->exit_code = 0;
    stream_return(c, 2);
    assert_int_equal(stream_close(c), WEFT_OK);
    assert_null(stream_text(c, "flight-2.wtr")); /* the run went on and ended well */
}

static void further_dumps_are_numbered_and_bounded(void **state)
{
    stream_case *c = start(state, "flight.jsonl");
    fake_set(&c->fake, "dump_on", "thread.exit");
    fake_set(&c->fake, "dumps", "3");
    stream_open(c, 0);
    int saved = stream_catch(c);
    for (uint64_t i = 0; i < 5; i++) {
        stream_words(c, WEFT_EVENT_THREAD_EXIT, &i, 1);
    }
    stream_caught(c, saved);
    assert_int_equal(stream_close(c), WEFT_OK);
    assert_non_null(stream_text(c, "flight.jsonl"));
    assert_non_null(stream_text(c, "flight-2.jsonl"));
    const char *third = stream_text(c, "flight-3.jsonl");
    assert_non_null(third);
    assert_memory_equal(third, "{\"schema_version\":1,", 20); /* text, by its name */
    assert_non_null(strstr(third, "\"payload\":{\"exit_code\":\"0x2\"}"));
    assert_null(strstr(third, "\"payload\":{\"exit_code\":\"0x3\"}"));
    assert_non_null(strstr(third, "\"kind\":\"trace.end\""));
    assert_null(stream_text(c, "flight-4.jsonl"));
}

static void failed_run_is_dumped_at_its_end(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    stream_open(c, 0);
    stream_return(c, 1);
    c->exit_code = 4; /* deadlock, CONTRACTS */
    int saved = stream_catch(c);
    assert_int_equal(stream_close(c), WEFT_OK);
    assert_non_null(strstr(stream_caught(c, saved), "failure: wrote "));
    assert_int_equal(read_dump(c->path).events, 1);
}

static void run_that_ends_well_leaves_no_file(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    stream_open(c, 0);
    stream_return(c, 1);
    c->exit_code = 0;
    assert_int_equal(stream_close(c), WEFT_OK);
    assert_null(stream_text(c, "flight.wtr"));
}

static void swapped_in_it_begins_where_it_came(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    fake_set(&c->fake, "dump_on", "close");
    stream_open(c, 1000);
    stream_define(c, "thread", STREAM_THREAD, 1);
    stream_define(c, "export", STREAM_CLOSE, 1);
    stream_define(c, "object", "object:unused", 1);
    stream_return(c, 1);
    stream_return(c, 2);
    dumped d = close_and_read(c);
    assert_int_equal(d.info.first, 1000);
    assert_string_equal(d.info.before, "000000000000000000000000000003e8"); /* 1000 */
    assert_int_equal(d.told, 2);
    assert_int_equal(d.events, 2);
    assert_int_equal(d.first, 1000);
}

static void request_is_answered_with_the_file(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    const char *path = NULL;
    stream_open(c, 0);
    stream_return(c, 1);
    const weft_tracer_dump *x = c->fake.desc->extension(c->fake.instance, "dump/1");
    assert_non_null(x);
    int saved = stream_catch(c);
    assert_int_equal(x->dump(c->fake.instance, &path), WEFT_OK);
    stream_caught(c, saved);
    assert_string_equal(path, c->path);
    assert_int_equal(read_dump(c->path).events, 1);
    assert_int_equal(stream_close(c), WEFT_OK);
}

static void request_outside_of_a_run_is_refused(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    const char *path = NULL;
    c->ops = fake_create(&c->fake);
    const weft_tracer_dump *x = c->fake.desc->extension(c->fake.instance, "dump/1");
    assert_int_equal(x->dump(c->fake.instance, &path), WEFT_E_STATE);
    assert_int_equal(c->fake.fails, 1);
}

static void unknown_reason_is_refused_by_name(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    fake_set(&c->fake, "dump_on", "fault, explosion");
    assert_int_equal(c->fake.desc->create(&c->fake.host, &c->fake.instance), WEFT_E_INVALID);
    assert_non_null(strstr(c->fake.sentence, "found explosion"));
}

static void folder_that_is_not_there_is_refused_at_open(void **state)
{
    stream_case *c = start(state, NULL);
    fake_set(&c->fake, "path", "/nonexistent/flight.wtr");
    c->ops = fake_create(&c->fake);
    weft_trace_begin begin = {.size = sizeof begin, .digest = ""};
    assert_int_equal(c->ops->open(c->fake.instance, &begin), WEFT_E_IO);
    assert_string_equal(c->fake.sentence,
                        "cannot create /nonexistent/flight.wtr (found No such file or directory, "
                        "expected a path that can be written)");
}

static void full_disk_is_reported_at_close(void **state)
{
    stream_case *c = start(state, NULL);
    fake_set(&c->fake, "path", "/dev/full");
    fake_set(&c->fake, "dump_on", "thread.exit");
    uint64_t zero = 0;
    stream_open(c, 0);
    stream_words(c, WEFT_EVENT_THREAD_EXIT, &zero, 1);
    assert_int_equal(c->fake.fails, 0);
    assert_int_equal(stream_close(c), WEFT_E_IO);
    assert_string_equal(c->fake.sentence, "cannot write /dev/full (found No space left on device, "
                                          "expected room beyond the first 0 bytes)");
}

/* A limit on the size of files fails a write midway, as a full disk does (setrlimit(2), EFBIG). */
static void text_on_a_full_disk_ends_behind_a_line(void **state)
{
    stream_case *c = start(state, "flight.jsonl");
    fake_set(&c->fake, "dump_on", "close");
    stream_open(c, 0);
    for (uint64_t i = 0; i < 5000; i++) { /* of some 300 bytes each as text */
        stream_return(c, i);
    }
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){100003, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    weft_status status = stream_close(c);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, WEFT_E_IO);
    dumped d = read_dump(c->path);
    assert_true(d.events > 100 && d.events < 1000);
    assert_false(d.info.complete);
}

static void file_of_a_filtered_stream_is_marked(void **state)
{
    stream_case *c = start(state, "flight.wtr");
    fake_set(&c->fake, "dump_on", "close");
    stream_open(c, 0);
    c->begin.partial = 1;
    stream_return(c, 1);
    c->next += 10; /* hidden by a filter */
    stream_return(c, 2);
    dumped d = close_and_read(c);
    assert_true(d.info.partial);
    assert_int_equal(d.events, 2);
    assert_int_equal(d.last, 11);
}

#define CASE(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(keeps_the_last_events_and_says_where_they_begin),
        CASE(keeps_at_most_a_sixteenth_more),
        CASE(short_run_is_kept_whole),
        CASE(bytes_are_bounded),
        CASE(definitions_that_are_needed_come_first),
        CASE(identities_in_arrays_and_the_thread_are_needed_too),
        CASE(fault_is_dumped_at_once),
        CASE(further_dumps_are_numbered_and_bounded),
        CASE(failed_run_is_dumped_at_its_end),
        CASE(run_that_ends_well_leaves_no_file),
        CASE(swapped_in_it_begins_where_it_came),
        CASE(request_is_answered_with_the_file),
        CASE(request_outside_of_a_run_is_refused),
        CASE(unknown_reason_is_refused_by_name),
        CASE(folder_that_is_not_there_is_refused_at_open),
        CASE(full_disk_is_reported_at_close),
        CASE(text_on_a_full_disk_ends_behind_a_line),
        CASE(file_of_a_filtered_stream_is_marked),
    };
    return cmocka_run_group_tests_name("tracer-ring", tests, NULL, NULL);
}
