/* tracer-live-diff: a reference and a run are written as scripts: "a1 b2" is a kernel.return of
 * thread a with the value 1, then one of thread b with 2. Where two scripts differ is seen by eye;
 * docs/trace.md, "tracer-live-diff", says what is told. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream_case.h"
#include "writer.h"

#define HEAD(engine)                                                                               \
    "{\"schema_version\":1,\"engine\":\"" engine "\",\"kind\":\"schema_version\",\"tid\":0,"       \
    "\"tid_event_idx\":0,\"guest_cycle\":0,\"host_ns\":0,\"deterministic\":true,\"payload\":{"     \
    "\"version\":1,\"emitter_build\":\"x\"}}\n"
#define LINE(kind, tid, index, payload)                                                            \
    "{\"schema_version\":1,\"engine\":\"canary\",\"kind\":\"" kind "\",\"tid\":" tid               \
    ",\"tid_event_idx\":" index ",\"guest_cycle\":0,\"host_ns\":0,\"deterministic\":true,"         \
    "\"payload\":{" payload "}}\n"

typedef struct diff_case {
    stream_case c; /* first: the fake host finds it */
    char reference[128];
    char *said;
} diff_case;

static diff_case *start(void **state)
{
    diff_case *d = calloc(1, sizeof *d);
    stream_setup(&d->c, "tracer-live-diff", "report.json");
    fake_set(&d->c.fake, "reference", stream_path(&d->c, "reference", d->reference));
    fake_set(&d->c.fake, "context", "1");
    *state = d;
    return d;
}

static int teardown(void **state)
{
    diff_case *d = *state;
    stream_teardown(&d->c);
    free(d->said);
    free(d);
    return 0;
}

/* Something that takes events: a file's writer or the run. */
typedef void (*take_fn)(void *to, weft_event_buffer *event);

static void take_run(void *to, weft_event_buffer *event)
{
    stream_send(to, event);
}

typedef struct file {
    weft_trace_writer *writer;
    uint64_t next, index;
} file;

static void take_file(void *to, weft_event_buffer *event)
{
    file *f = to;
    event->head.sequence = f->next++;
    event->head.index = event->head.category == WEFT_CLASS_GUEST ? f->index++ : 0;
    weft_trace_writer_add(f->writer, &event->head);
}

static void put_define(take_fn take, void *to, const char *what, const char *text)
{
    weft_event_buffer e;
    weft_event_begin(&e, WEFT_EVENT_DEFINE);
    weft_event_word(&e, weft_fnv1a(text, strlen(text)));
    weft_event_text(&e, what, strlen(what));
    weft_event_text(&e, text, strlen(text));
    take(to, &e);
}

static void put(take_fn take, void *to, char thread, uint16_t kind, const uint64_t *words,
                uint32_t count)
{
    char name[] = "thread:main/x";
    weft_event_buffer e;
    name[12] = thread;
    weft_event_begin(&e, kind);
    e.head.thread = weft_fnv1a(name, strlen(name));
    e.head.tid = (uint32_t)(thread - 'a' + 1);
    for (uint32_t i = 0; i < count; i++) {
        weft_event_word(&e, words[i]);
    }
    take(to, &e);
}

static void play(take_fn take, void *to, const char *script)
{
    for (const char *at = script; *at; at += strspn(at, " ")) {
        char *end;
        char thread = *at;
        uint64_t words[2] = {weft_fnv1a(STREAM_CLOSE, strlen(STREAM_CLOSE)),
                             strtoull(at + 1, &end, 10)};
        put(take, to, thread, WEFT_EVENT_KERNEL_RETURN, words, 2);
        at = end;
    }
}

static file begin_reference(const diff_case *d, int *handle)
{
    weft_trace_begin begin = {.size = sizeof begin,
                              .engine = "weft",
                              .build = "x",
                              .title = "t",
                              .profile_digest = "",
                              .digest = ""};
    *handle = open(d->reference, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(*handle >= 0);
    file f = {.writer = weft_trace_writer_new(*handle, &begin, 0, 4096)};
    assert_non_null(f.writer);
    put_define(take_file, &f, "export", STREAM_CLOSE);
    put_define(take_file, &f, "thread", "thread:main/a");
    put_define(take_file, &f, "thread", "thread:main/b");
    return f;
}

static void end_reference(file *f, int handle, int whole)
{
    if (whole) {
        weft_trace_writer_end(f->writer, f->next - 1, "");
    }
    weft_trace_writer_free(f->writer);
    close(handle);
}

static void reference(const diff_case *d, const char *script)
{
    int handle;
    file f = begin_reference(d, &handle);
    play(take_file, &f, script);
    end_reference(&f, handle, 1);
}

static void reference_text(const diff_case *d, const char *text)
{
    FILE *out = fopen(d->reference, "wb");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void open_run(diff_case *d)
{
    stream_open(&d->c, 0);
    put_define(take_run, &d->c, "export", STREAM_CLOSE);
    put_define(take_run, &d->c, "thread", "thread:main/a");
    put_define(take_run, &d->c, "thread", "thread:main/b");
}

/* Plays the run; what was said on stderr. */
static const char *run(diff_case *d, const char *script)
{
    int saved = stream_catch(&d->c);
    open_run(d);
    play(take_run, &d->c, script);
    assert_int_equal(stream_close(&d->c), WEFT_OK);
    free(d->said);
    d->said = strdup(stream_caught(&d->c, saved));
    return d->said;
}

/* How often a text is in another. */
static int times(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) {
        count++;
    }
    return count;
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("missing: %s\nin: %s", part, text);
    }
}

static void equal_runs_agree(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1 b1 a2 b2");
    const char *said = run(d, "a1 b1 a2 b2");
    assert_contains(said, ": 2 threads equal, 0 shorter, 0 diverged, 0 only here, 0 only there; 4 "
                          "events equal of 4 here and 4 there\n");
    assert_int_equal(times(said, "\n"), 1);
    assert_int_equal(d->c.stops, 0);
}

static void order_between_threads_does_not_count(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1 a2 a3 b1 b2");
    assert_contains(run(d, "b1 b2 a1 a2 a3"), ": 2 threads equal, 0 shorter, 0 diverged");
}

static void first_divergence_of_a_thread_is_told_once(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1 b1 a2 a3 a4 b2");
    const char *said = run(d, "a1 b1 a2 a7 a8 b2");
    assert_contains(said, "weft: tracer-live-diff: thread:main/a diverges at its event 2: "
                          "kernel.return NtClose = 0x7, reference kernel.return NtClose = 0x3\n");
    assert_int_equal(times(said, "diverges"), 1);
    assert_contains(said, ": 1 threads equal, 0 shorter, 1 diverged, 0 only here, 0 only there; 4 "
                          "events equal of 6 here and 6 there\n");
    assert_contains(said, "  thread:main/a: diverged, 2 equal of 4 here and 4 there\n");
}

static void events_before_and_both_sides_are_shown(void **state)
{
    diff_case *d = start(state);
    fake_set(&d->c.fake, "context", "2");
    reference(d, "a1 a2 a3 a4");
    const char *said = run(d, "a1 a2 a3 a9");
    /* Two before (values 2 and 3), the reference's and ours. */
    assert_int_equal(times(said, "kernel.return"), 2 + 4);
    assert_int_equal(times(said, "\n       "), 2);
    assert_int_equal(times(said, "\n  ref  "), 1);
    assert_int_equal(times(said, "\n  here "), 1);
}

static void without_context_there_is_one_line(void **state)
{
    diff_case *d = start(state);
    fake_set(&d->c.fake, "context", "0");
    reference(d, "a1 a2");
    const char *said = run(d, "a1 a9");
    assert_int_equal(times(said, "\n"), 3); /* it, the summary, the thread's row */
}

static void run_is_stopped_where_it_is_asked_for(void **state)
{
    diff_case *d = start(state);
    fake_set(&d->c.fake, "stop", "yes");
    reference(d, "a1 a2 b1 b2");
    const char *said = run(d, "a1 a9 b9");
    assert_int_equal(d->c.stops, 1);
    assert_string_equal(d->c.reason,
                        "diverged from the reference: thread:main/a at its event 1: kernel.return "
                        "NtClose = 0x9, reference kernel.return NtClose = 0x2");
    assert_int_equal(times(said, "diverges"), 1); /* b9 came after the end */
    assert_contains(said, ": 0 threads equal, 0 shorter, 1 diverged, 0 only here, 0 only there; 1 "
                          "events equal of 2 here");
}

static void run_goes_on_otherwise(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1 a2 b1 b2");
    assert_int_equal(times(run(d, "a1 a9 b9"), "diverges"), 2);
    assert_int_equal(d->c.stops, 0);
}

static void thread_that_the_reference_lacks_is_told(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1 a2");
    const char *said = run(d, "a1 b1 b2 a2");
    assert_contains(said, "thread:main/b diverges at its event 0: kernel.return NtClose = 0x1, "
                          "reference has no such thread\n");
    assert_int_equal(times(said, "diverges"), 1);
    assert_contains(said, ": 1 threads equal, 0 shorter, 0 diverged, 1 only here, 0 only there;");
}

static void thread_that_never_came_is_told_at_the_end(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1 b1 b2");
    const char *said = run(d, "a1");
    assert_contains(said, ": 1 threads equal, 0 shorter, 0 diverged, 0 only here, 1 only there; 1 "
                          "events equal of 1 here and 3 there\n");
    assert_contains(said, "  thread:main/b (tid 2): missing, 2 there\n");
}

static void run_that_ends_early_is_shorter_and_no_divergence(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1 a2 a3");
    const char *said = run(d, "a1 a2");
    assert_contains(said, ": 0 threads equal, 1 shorter, 0 diverged");
    assert_int_equal(times(said, "diverges"), 0);
}

static void event_behind_the_references_end_diverges(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1 a2");
    assert_contains(run(d, "a1 a2 a3"), "thread:main/a diverges at its event 2: kernel.return "
                                        "NtClose = 0x3, reference has ended\n");
}

static void reference_that_was_cut_off_ends_the_comparison(void **state)
{
    diff_case *d = start(state);
    int handle;
    file f = begin_reference(d, &handle);
    play(take_file, &f, "a1 a2");
    end_reference(&f, handle, 0);
    const char *said = run(d, "a1 a2 a3");
    assert_int_equal(times(said, "diverges"), 0);
    assert_contains(said, "  thread:main/a: cut off, 2 equal of 3 here and 2 there\n");
}

/* Allocation m at `address`, and a call with a pointer 0x10 behind its beginning. */
static void put_pointer(take_fn take, void *to, uint64_t address)
{
    uint64_t id = weft_fnv1a("allocation:m", 12);
    /* allocation, address, size, alias, site, nth, what: an empty text */
    uint64_t alloc[7] = {id, address, 0x1000, 0, 0x82000000, 0, 0};
    uint64_t free_[2] = {id, address};
    uint64_t call[4] = {weft_fnv1a(STREAM_CLOSE, strlen(STREAM_CLOSE)), 1, address + 0x10, 0};
    put(take, to, 'a', WEFT_EVENT_MEMORY_ALLOC, alloc, 7);
    put(take, to, 'a', WEFT_EVENT_KERNEL_CALL, call, 4);
    put(take, to, 'a', WEFT_EVENT_MEMORY_FREE, free_, 2);
}

static void allocations_may_lie_elsewhere(void **state)
{
    diff_case *d = start(state);
    int handle;
    file f = begin_reference(d, &handle);
    put_pointer(take_file, &f, 0x40000000);
    end_reference(&f, handle, 1);
    int saved = stream_catch(&d->c);
    open_run(d);
    put_pointer(take_run, &d->c, 0x50002000);
    assert_int_equal(stream_close(&d->c), WEFT_OK);
    assert_contains(stream_caught(&d->c, saved), ": 1 threads equal, 0 shorter, 0 diverged");
}

/* A log of the reference system: its thread 6 closes a handle, its thread 9 prints. */
static const char foreign[] = HEAD("canary") LINE("import.call", "9", "0", "\"name\":\"DbgPrint\"")
    LINE("import.call", "6", "0", "\"name\":\"NtClose\"")
        LINE("kernel.return", "6", "1", "\"name\":\"NtClose\",\"return_value\":0")
            LINE("import.call", "6", "2", "\"name\":\"NtClose\"")
                LINE("kernel.return", "6", "3", "\"name\":\"NtClose\",\"return_value\":0");

static void call_and_return(diff_case *d, char thread, uint64_t value)
{
    uint64_t id = weft_fnv1a(STREAM_CLOSE, strlen(STREAM_CLOSE));
    put(take_run, &d->c, thread, WEFT_EVENT_IMPORT_CALL, (uint64_t[]){id, 0x82001234}, 2);
    put(take_run, &d->c, thread, WEFT_EVENT_KERNEL_RETURN, (uint64_t[]){id, value}, 2);
}

static const char *run_against_foreign(diff_case *d, uint64_t second)
{
    int saved = stream_catch(&d->c);
    open_run(d);
    call_and_return(d, 'a', 0);
    call_and_return(d, 'a', second);
    assert_int_equal(stream_close(&d->c), WEFT_OK);
    free(d->said);
    return d->said = strdup(stream_caught(&d->c, saved));
}

static void thread_of_another_engine_is_found_by_its_first_call(void **state)
{
    diff_case *d = start(state);
    reference_text(d, foreign);
    const char *said = run_against_foreign(d, 0);
    assert_int_equal(times(said, "diverges"), 0);
    assert_contains(said, ": 1 threads equal, 0 shorter, 0 diverged, 0 only here, 1 only there; 4 "
                          "events equal of 4 here and 5 there\n");
}

static void other_engine_diverges_by_value(void **state)
{
    diff_case *d = start(state);
    reference_text(d, foreign);
    assert_contains(run_against_foreign(d, 0xc0000008), "thread:main/a diverges at its event 3: ");
}

static void map_names_the_counterpart(void **state)
{
    diff_case *d = start(state);
    fake_set(&d->c.fake, "map", "9=1"); /* thread a has tid 1 */
    reference_text(d, foreign);
    assert_contains(run_against_foreign(d, 0), "thread:main/a diverges at its event 0: ");
}

static void what_does_not_fit_into_memory_is_read_again(void **state)
{
    diff_case *d = start(state);
    int handle;
    uint64_t words[2] = {0};
    fake_set(&d->c.fake, "memory_mib", "1"); /* 131,072 hashes */
    file f = begin_reference(d, &handle);
    for (uint64_t i = 0; i < 150000; i++) {
        words[1] = i;
        put(take_file, &f, 'a', WEFT_EVENT_KERNEL_RETURN, words, 2);
    }
    play(take_file, &f, "b1 b2");
    end_reference(&f, handle, 1);
    int saved = stream_catch(&d->c);
    open_run(d);
    play(take_run, &d->c, "b1 b2"); /* all of thread a lies before */
    for (uint64_t i = 0; i < 150000; i++) {
        words[1] = i;
        put(take_run, &d->c, 'a', WEFT_EVENT_KERNEL_RETURN, words, 2);
    }
    assert_int_equal(stream_close(&d->c), WEFT_OK);
    assert_contains(stream_caught(&d->c, saved), ": 2 threads equal, 0 shorter, 0 diverged, 0 only "
                                                 "here, 0 only there; 150002 events equal of "
                                                 "150002 here and 150002 there\n");
}

/* Thread c has two hashes waiting when there is room for no more; its third is passed by, and its
 * fourth must not take the place of it once thread a has made room. */
static void gap_in_what_waits_is_read_again(void **state)
{
    diff_case *d = start(state);
    int handle;
    uint64_t words[2] = {0};
    fake_set(&d->c.fake, "memory_mib", "1");
    file f = begin_reference(d, &handle);
    for (uint64_t i = 0; i < 131070; i++) {
        put(take_file, &f, 'a', WEFT_EVENT_KERNEL_RETURN, words, 2);
    }
    play(take_file, &f, "c1 c2 c3 b1 c4 e1");
    end_reference(&f, handle, 1);
    int saved = stream_catch(&d->c);
    open_run(d);
    play(take_run, &d->c, "b1");
    for (uint64_t i = 0; i < 131070; i++) {
        put(take_run, &d->c, 'a', WEFT_EVENT_KERNEL_RETURN, words, 2);
    }
    play(take_run, &d->c, "e1 c1 c2 c3 c4");
    assert_int_equal(stream_close(&d->c), WEFT_OK);
    assert_contains(stream_caught(&d->c, saved), ": 4 threads equal, 0 shorter, 0 diverged");
}

static void report_is_one_json_object(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1 a2 b1");
    run(d, "a1 a3");
    char expected[1024];
    snprintf(expected, sizeof expected,
             "{\"reference\":\"%s\",\"stopped\":false,\"read_to_end\":true,\"equal\":0,"
             "\"shorter\":0,\"diverged\":1,\"extra\":0,\"missing\":1,\"events_equal\":1,"
             "\"events_here\":2,\"events_there\":3,\"threads\":[{\"thread\":\"%016llx\","
             "\"name\":\"thread:main/a\",\"tid\":1,\"state\":\"diverged\",\"equal\":1,\"here\":2,"
             "\"there\":2},{\"thread\":\"%016llx\",\"name\":\"thread:main/b\",\"tid\":2,"
             "\"state\":\"missing\",\"equal\":0,\"here\":0,\"there\":1}]}\n",
             d->reference, (unsigned long long)weft_fnv1a("thread:main/a", 13),
             (unsigned long long)weft_fnv1a("thread:main/b", 13));
    assert_string_equal(stream_text(&d->c, "report.json"), expected);
}

static weft_status open_only(diff_case *d, uint64_t first, uint32_t partial)
{
    weft_trace_begin begin = {
        .size = sizeof begin, .first = first, .partial = partial, .digest = ""};
    d->c.ops = fake_create(&d->c.fake);
    return d->c.ops->open(d->c.fake.instance, &begin);
}

static void no_reference_is_refused(void **state)
{
    diff_case *d = start(state);
    fake_set(&d->c.fake, "reference", "");
    assert_int_equal(open_only(d, 0, 0), WEFT_E_INVALID);
    assert_string_equal(d->c.fake.sentence, "no reference is named (found an empty `reference`, "
                                            "expected a trace)");
}

static void reference_that_is_not_there_is_refused(void **state)
{
    diff_case *d = start(state);
    assert_int_equal(open_only(d, 0, 0), WEFT_E_FORMAT);
    assert_contains(d->c.fake.sentence, "cannot be opened (found No such file or directory");
}

static void reference_that_is_no_trace_is_refused(void **state)
{
    diff_case *d = start(state);
    reference_text(d, "hello\n");
    assert_int_equal(open_only(d, 0, 0), WEFT_E_FORMAT);
    assert_contains(d->c.fake.sentence, "/reference:1: ");
}

static void swapped_in_later_it_is_refused(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1");
    assert_int_equal(open_only(d, 5, 0), WEFT_E_STATE);
    assert_contains(d->c.fake.sentence, "found a swap in its middle");
}

static void behind_filters_it_is_refused(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1");
    assert_int_equal(open_only(d, 0, 1), WEFT_E_STATE);
    assert_contains(d->c.fake.sentence, "found filters");
}

static void map_that_cannot_be_read_is_refused(void **state)
{
    diff_case *d = start(state);
    fake_set(&d->c.fake, "map", "1=x");
    assert_int_equal(d->c.fake.desc->create(&d->c.fake.host, &d->c.fake.instance), WEFT_E_INVALID);
    assert_contains(d->c.fake.sentence, "found 1=x");
}

static void reference_that_breaks_later_is_reported_at_close(void **state)
{
    diff_case *d = start(state);
    char text[4096];
    snprintf(text, sizeof text, "%s{\"no event\"\n", foreign);
    reference_text(d, text);
    int saved = stream_catch(&d->c);
    open_run(d);
    call_and_return(d, 'a', 0);
    weft_status status = stream_close(&d->c);
    stream_caught(&d->c, saved);
    assert_int_equal(status, WEFT_E_FORMAT);
    assert_contains(d->c.fake.sentence, "/reference:7: "); /* the header and five lines before */
}

static void second_open_begins_anew(void **state)
{
    diff_case *d = start(state);
    reference(d, "a1 a2");
    run(d, "a9");
    assert_contains(run(d, "a1 a2"), ": 1 threads equal, 0 shorter, 0 diverged");
}

#define CASE(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(equal_runs_agree),
        CASE(order_between_threads_does_not_count),
        CASE(first_divergence_of_a_thread_is_told_once),
        CASE(events_before_and_both_sides_are_shown),
        CASE(without_context_there_is_one_line),
        CASE(run_is_stopped_where_it_is_asked_for),
        CASE(run_goes_on_otherwise),
        CASE(thread_that_the_reference_lacks_is_told),
        CASE(thread_that_never_came_is_told_at_the_end),
        CASE(run_that_ends_early_is_shorter_and_no_divergence),
        CASE(event_behind_the_references_end_diverges),
        CASE(reference_that_was_cut_off_ends_the_comparison),
        CASE(allocations_may_lie_elsewhere),
        CASE(thread_of_another_engine_is_found_by_its_first_call),
        CASE(other_engine_diverges_by_value),
        CASE(map_names_the_counterpart),
        CASE(what_does_not_fit_into_memory_is_read_again),
        CASE(gap_in_what_waits_is_read_again),
        CASE(report_is_one_json_object),
        CASE(no_reference_is_refused),
        CASE(reference_that_is_not_there_is_refused),
        CASE(reference_that_is_no_trace_is_refused),
        CASE(swapped_in_later_it_is_refused),
        CASE(behind_filters_it_is_refused),
        CASE(map_that_cannot_be_read_is_refused),
        CASE(reference_that_breaks_later_is_reported_at_close),
        CASE(second_open_begins_anew),
    };
    return cmocka_run_group_tests_name("tracer-live-diff", tests, NULL, NULL);
}
