/* follow.h: a trace read while it is written. The wait is where this test's writer writes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "case.h"
#include "follow.h"
#include "line.h"

#define EVENTS 60

/* Writes `bytes` on, a piece at each wait, and closes the file when all is written. */
typedef struct writer {
    char path[64];
    bytes bytes;
    size_t at, piece;
    size_t stop; /* closes the file after so many */
    FILE *file;
    int absent, waits; /* waits without the file, and all of them */
    int give_up;       /* after so many waits; 0: never */
} writer;

static int write_on(void *context, int there)
{
    writer *w = context;
    w->waits++;
    w->absent += !there;
    if (w->give_up && w->waits >= w->give_up) {
        return 0;
    }
    if (!w->file) {
        w->file = fopen(w->path, "wb");
        return 2;
    }
    size_t left = w->stop - w->at;
    size_t piece = left < w->piece ? left : w->piece;
    assert_int_equal(fwrite(w->bytes.at + w->at, 1, piece, w->file), piece);
    fflush(w->file);
    w->at += piece;
    if (w->at == w->stop) {
        fclose(w->file);
        w->stop = 0;
        w->at = 0;
    }
    return 2;
}

static writer writer_of(bytes all, size_t piece)
{
    writer w = {.path = "/tmp/weft-follow-XXXXXX", .bytes = all, .piece = piece};
    int file = mkstemp(w.path);
    assert_true(file >= 0);
    close(file);
    unlink(w.path);
    w.stop = all.length;
    return w;
}

static void writer_end(writer *w)
{
    unlink(w->path);
    free(w->bytes.at);
}

/* The made-up run of case.h as text. */
static bytes case_jsonl(void)
{
    line_table *table = malloc(sizeof *table);
    weft_trace_begin begin = {
        .engine = "weft", .build = "0", .title = "t", .profile_digest = "", .digest = ""};
    line_context context = {.table = table, .begin = &begin};
    out o = {0};
    line_table_init(table);
    line_begin(&o, &context);
    for (uint64_t n = 0; n < EVENTS; n++) {
        weft_event_buffer event;
        case_event(&event, n);
        line_event(&o, &context, &event.head);
    }
    line_end(&o, &context, EVENTS - 1, "");
    free(table);
    return (bytes){o.bytes, o.used};
}

/* How many events come; each must be the next of case.h. */
static uint64_t read_all(weft_trace *t)
{
    const weft_event *event;
    uint64_t n = 0;
    for (; (event = weft_trace_next(t)) != NULL; n++) {
        weft_event_buffer expected;
        case_event(&expected, n);
        assert_true(case_equal(event, &expected.head));
    }
    return n;
}

static void check_whole(bytes all, size_t piece)
{
    writer w = writer_of(all, piece);
    weft_trace *t = weft_trace_follow(w.path, write_on, &w);
    assert_int_equal(w.absent, 1);
    assert_int_equal(read_all(t), EVENTS);
    assert_null(weft_trace_failed(t, NULL));
    assert_true(weft_trace_info_of(t)->complete);
    assert_string_equal(weft_trace_info_of(t)->missing, "");
    weft_trace_close(t);
    writer_end(&w);
}

static void lines_come_whole_whatever_the_pieces(void **state)
{
    check_whole(case_jsonl(), 1);
    check_whole(case_jsonl(), 97);
    check_whole(case_jsonl(), 1 << 20);
}

static void blocks_come_whole_whatever_the_pieces(void **state)
{
    check_whole(case_wtr(EVENTS, 4, 1), 1);
    check_whole(case_wtr(EVENTS, 4, 1), 97);
    check_whole(case_wtr(EVENTS, 4, 1), 1 << 20);
}

/* Two lines are there, and their events come before the writer writes the third. */
static void an_event_comes_as_soon_as_its_line_is_there(void **state)
{
    bytes all = case_jsonl();
    const char *third = all.at;
    for (int lines = 0; lines < 3; third++) {
        lines += *third == '\n';
    }
    writer w = writer_of(all, (size_t)(third - all.at));
    weft_trace *t = weft_trace_follow(w.path, write_on, &w);
    assert_non_null(weft_trace_next(t));
    assert_non_null(weft_trace_next(t));
    assert_int_equal(w.at, w.piece);
    assert_non_null(weft_trace_next(t));
    assert_int_equal(w.at, 2 * w.piece);
    weft_trace_close(t);
    fclose(w.file);
    writer_end(&w);
}

/* A writer that dies leaves the trace as any other cut one. Without the answer about writers the
 * wait would not end, and the test would run into its limit. */
static void the_trace_ends_with_its_writer(void **state)
{
    bytes all = case_jsonl();
    writer w = writer_of(all, 512);
    const char *end =
        strstr(all.at, "{\"schema_version\":1,\"engine\":\"weft\",\"kind\":\"trace.end\"");
    w.stop = (size_t)(end - all.at);
    weft_trace *t = weft_trace_follow(w.path, write_on, &w);
    assert_int_equal(read_all(t), EVENTS);
    assert_null(weft_trace_failed(t, NULL));
    assert_false(weft_trace_info_of(t)->complete);
    assert_non_null(strstr(weft_trace_info_of(t)->missing, "ends without trace.end"));
    weft_trace_close(t);
    writer_end(&w);
}

static void a_binary_trace_ends_with_its_writer(void **state)
{
    bytes all = case_wtr(EVENTS, 4, 1);
    writer w = writer_of(all, 100);
    w.stop = all.length - 20;
    weft_trace *t = weft_trace_follow(w.path, write_on, &w);
    assert_int_equal(read_all(t), EVENTS);
    assert_null(weft_trace_failed(t, NULL));
    assert_non_null(strstr(weft_trace_info_of(t)->missing, "cut"));
    weft_trace_close(t);
    writer_end(&w);
}

static void giving_up_ends_the_trace(void **state)
{
    writer w = writer_of(case_jsonl(), 4096);
    w.give_up = 3;
    weft_trace *t = weft_trace_follow(w.path, write_on, &w);
    while (weft_trace_next(t)) {
    }
    assert_int_equal(w.waits, 3);
    weft_trace_close(t);
    fclose(w.file);
    writer_end(&w);
}

static void giving_up_on_a_missing_file_says_so(void **state)
{
    writer w = writer_of(case_jsonl(), 4096);
    w.give_up = 1;
    weft_trace *t = weft_trace_follow(w.path, write_on, &w);
    assert_non_null(strstr(weft_trace_failed(t, NULL), "No such file"));
    weft_trace_close(t);
    writer_end(&w);
}

static int shorten(void *context, int there)
{
    writer *w = context;
    int answer = write_on(w, there);
    if (w->waits == 4) {
        assert_int_equal(truncate(w->path, 10), 0);
    }
    return answer;
}

static void a_file_that_becomes_shorter_is_refused(void **state)
{
    writer w = writer_of(case_jsonl(), 2000);
    weft_trace *t = weft_trace_follow(w.path, shorten, &w);
    while (weft_trace_next(t)) {
    }
    assert_non_null(strstr(weft_trace_failed(t, NULL), "became shorter"));
    weft_trace_close(t);
    fclose(w.file);
    writer_end(&w);
}

static void a_whole_file_is_not_waited_for(void **state)
{
    bytes all = case_jsonl();
    writer w = writer_of(all, all.length);
    w.file = fopen(w.path, "wb");
    assert_int_equal(fwrite(all.at, 1, all.length, w.file), all.length);
    fflush(w.file); /* and it stays open */
    weft_trace *t = weft_trace_follow(w.path, write_on, &w);
    assert_int_equal(read_all(t), EVENTS);
    assert_int_equal(w.waits, 0);
    weft_trace_close(t);
    fclose(w.file);
    writer_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_whatever_the_pieces),
        cmocka_unit_test(blocks_come_whole_whatever_the_pieces),
        cmocka_unit_test(an_event_comes_as_soon_as_its_line_is_there),
        cmocka_unit_test(the_trace_ends_with_its_writer),
        cmocka_unit_test(a_binary_trace_ends_with_its_writer),
        cmocka_unit_test(giving_up_ends_the_trace),
        cmocka_unit_test(giving_up_on_a_missing_file_says_so),
        cmocka_unit_test(a_file_that_becomes_shorter_is_refused),
        cmocka_unit_test(a_whole_file_is_not_waited_for),
    };
    return cmocka_run_group_tests_name("trace-follow", tests, NULL, NULL);
}
