/* sdk/trace's picture: SVG that any reader of XML takes, with what was asked for in it. */
#include "look.h"
#include "timeline.h"

#define W(n) ((uint64_t)(n))

static void add(void *writer, const weft_event *event, int show)
{
    weft_timeline_add(writer, event, show);
}

static void start(look *l, const char *title)
{
    look_start(l, title);
    l->writer = weft_timeline_new(fileno(l->file), &l->begin, 65536);
    assert_non_null(l->writer);
    l->add = add;
}

static char *finish(look *l, uint64_t tick, uint64_t *left_out)
{
    size_t length;
    uint64_t written;
    weft_timeline_end(l->writer, tick);
    assert_int_equal(weft_timeline_error(l->writer, &written, left_out), 0);
    weft_timeline_free(l->writer);
    char *text = look_bytes(l, &length);
    assert_int_equal(length, written);
    assert_int_equal(strlen(text), length);
    fclose(l->file);
    return text;
}

/* XML 1.0: tags that nest, values in quotes, & only before a known entity, < only in tags. */
static void check_xml(const char *text)
{
    char open[32][16];
    int depth = 0, elements = 0;
    for (const char *p = text; *p;) {
        if (*p == '&') {
            assert_true(strncmp(p, "&lt;", 4) == 0 || strncmp(p, "&gt;", 4) == 0 ||
                        strncmp(p, "&amp;", 5) == 0 || strncmp(p, "&quot;", 6) == 0 ||
                        strncmp(p, "&#39;", 5) == 0);
            p++;
            continue;
        }
        if (*p != '<') {
            assert_int_not_equal(*p, '>');
            p++;
            continue;
        }
        int closing = p[1] == '/';
        const char *name = p + 1 + closing;
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz");
        assert_in_range(length, 1, 15);
        int quoted = 0;
        for (p = name + length; *p && (quoted || *p != '>'); p++) {
            quoted ^= *p == '"';
            assert_int_not_equal(*p, '<');
        }
        assert_int_equal(*p, '>');
        if (closing) {
            assert_true(depth > 0 && strlen(open[depth - 1]) == length &&
                        strncmp(open[depth - 1], name, length) == 0);
            depth--;
        } else if (p[-1] != '/') {
            assert_true(depth < 32);
            snprintf(open[depth++], 16, "%.*s", (int)length, name);
        }
        elements++;
        p++;
    }
    assert_int_equal(depth, 0);
    assert_true(elements > 10);
}

static uint32_t times(const char *text, const char *part)
{
    uint32_t count = 0;
    for (const char *p = strstr(text, part); p; p = strstr(p + 1, part)) {
        count++;
    }
    return count;
}

/* Two threads, one wait, one arrow. The plot is 1034 px wide from x = 150 (1200 - 150 - 16), so
 * that in 1000 ns the wait from 200 to 700 begins at 356.8 and is 517.0 wide. */
static void wait_and_arrow_stand_where_they_belong(void **state)
{
    look l;
    uint64_t left_out;
    start(&l, "t.xex");
    uint64_t a = look_id(&l, "thread:main"), b = look_id(&l, "thread:main/0");
    uint64_t event = look_id(&l, "event:x");
    weft_timeline_from(l.writer, 0);
    look_wait(&l, b, 200, event);
    look_put(&l, WEFT_EVENT_SIGNAL_MATCH, a, 650, 2, event, b);
    look_woken(&l, b, 700, event);
    char *text = finish(&l, 1000, &left_out);
    check_xml(text);
    assert_int_equal(left_out, 0);
    assert_non_null(strstr(text, "<rect x=\"356.8\""));
    const char *box = strstr(text, "<rect x=\"356.8\"");
    assert_non_null(strstr(box, "width=\"517.0\""));
    assert_non_null(strstr(text, ">wait event:x</text>"));
    assert_non_null(strstr(text, ">main (tid ")); /* "thread:" would say nothing */
    /* one arrow of the run, from 650 (822.1) to 700 (873.8), and one in the legend */
    assert_int_equal(times(text, "marker-end"), 2);
    assert_non_null(strstr(text, "<path d=\"M822.1 "));
    assert_non_null(strstr(text, " 873.8 "));
    free(text);
}

/* What lies before the range is not drawn; what reaches into it begins at its edge. */
static void range_is_what_is_drawn(void **state)
{
    look l;
    uint64_t left_out;
    start(&l, "t.xex");
    uint64_t a = look_id(&l, "thread:main"), gone = look_id(&l, "x!NtGone()#1");
    uint64_t long_one = look_id(&l, "x!NtLong()#2");
    l.hidden = 1;
    weft_timeline_from(l.writer, 1000);
    look_call(&l, a, 10, gone);
    look_return(&l, a, 20, gone);
    look_call(&l, a, 30, long_one);
    l.hidden = 0;
    look_return(&l, a, 1500, long_one);
    char *text = finish(&l, 2000, &left_out);
    check_xml(text);
    assert_null(strstr(text, "NtGone"));
    assert_non_null(strstr(text, ">NtLong</text>"));
    assert_non_null(strstr(text, "guest time, 1 \xc2\xb5s to 2 \xc2\xb5s"));
    assert_non_null(strstr(text, "<rect x=\"150.0\"")); /* the plot's left edge */
    free(text);
}

static void swaps_are_marked_through_all_tracks(void **state)
{
    look l;
    uint64_t left_out;
    start(&l, "t.xex");
    look_put(&l, WEFT_EVENT_GPU_SWAP, 0, 500, 5, W(1), W(0), W(64), W(64), W(0));
    look_put(&l, WEFT_EVENT_GPU_SWAP, 0, 900, 5, W(2), W(0), W(64), W(64), W(0));
    char *text = finish(&l, 1000, &left_out);
    check_xml(text);
    assert_int_equal(times(text, "stroke-dasharray"), 3); /* and the legend's */
    assert_non_null(strstr(text, ">frame 2</text>"));
    free(text);
}

static void texts_are_escaped(void **state)
{
    look l;
    uint64_t left_out;
    start(&l, "</text><script>&\"'\x01.xex");
    uint64_t call = look_id(&l, "x!<b>&amp;\xff(a<b,\">)#1");
    look_put(&l, WEFT_EVENT_KERNEL_CALL, look_id(&l, "thread:</svg>"), 10, 5, call, W(2), W(1),
             W(2), W(0));
    char *text = finish(&l, 1000, &left_out);
    check_xml(text);
    assert_null(strstr(text, "<script"));
    assert_non_null(strstr(text, "&lt;b&gt;&amp;amp;\xc3\xbf"));
    free(text);
}

static void any_run_gives_xml(void **state)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        look l;
        uint64_t left_out;
        start(&l, "t.xex");
        look_nonsense(&l, seed, 400);
        char *text = finish(&l, 0, &left_out);
        check_xml(text);
        free(text);
    }
}

static void equal_runs_give_equal_pictures(void **state)
{
    char *texts[2];
    for (int i = 0; i < 2; i++) {
        look l;
        uint64_t left_out;
        start(&l, "t.xex");
        look_nonsense(&l, 5, 2000);
        texts[i] = finish(&l, 0, &left_out);
    }
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

/* More than a picture holds: it is drawn up to the limit, and says so. */
static void too_much_is_said_to_be_left_out(void **state)
{
    look l;
    uint64_t left_out;
    start(&l, "t.xex");
    uint64_t call = look_id(&l, "x!NtClose()#1");
    for (uint32_t i = 0; i < WEFT_TIMELINE_MARKS + 500; i++) {
        look_call(&l, 8, i * 2, call);
        look_return(&l, 8, i * 2 + 1, call);
    }
    char *text = finish(&l, 0, &left_out);
    assert_true(left_out >= 500);
    assert_non_null(strstr(text, "marks are left out: choose a shorter range"));
    free(text);
}

/* A single moment, and the largest ticks there are, are no reason to divide by zero or to run for
 * ever. */
static void ends_of_time_are_drawn(void **state)
{
    static const uint64_t ticks[][2] = {
        {0, 0}, {UINT64_MAX, UINT64_MAX}, {0, UINT64_MAX}, {UINT64_MAX - 3, UINT64_MAX}};
    for (int i = 0; i < 4; i++) {
        look l;
        uint64_t left_out;
        start(&l, "t.xex");
        look_put(&l, WEFT_EVENT_SOURCE_FIRE, 7, ticks[i][0], 1, W(1));
        look_put(&l, WEFT_EVENT_SOURCE_FIRE, 7, ticks[i][1], 1, W(2));
        char *text = finish(&l, 0, &left_out);
        check_xml(text);
        assert_null(strstr(text, "nan"));
        assert_null(strstr(text, "inf"));
        free(text);
    }
}

static void full_disk_ends_the_writing(void **state)
{
    look l;
    uint64_t written, left_out;
    look_start(&l, "t.xex");
    FILE *full = fopen("/dev/full", "w"); /* every write gives ENOSPC */
    assert_non_null(full);
    l.writer = weft_timeline_new(fileno(full), &l.begin, 100);
    l.add = add;
    look_nonsense(&l, 1, 500);
    weft_timeline_end(l.writer, 0);
    assert_int_not_equal(weft_timeline_error(l.writer, &written, &left_out), 0);
    weft_timeline_free(l.writer);
    fclose(full);
    fclose(l.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait_and_arrow_stand_where_they_belong),
        cmocka_unit_test(range_is_what_is_drawn),
        cmocka_unit_test(swaps_are_marked_through_all_tracks),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(any_run_gives_xml),
        cmocka_unit_test(equal_runs_give_equal_pictures),
        cmocka_unit_test(too_much_is_said_to_be_left_out),
        cmocka_unit_test(ends_of_time_are_drawn),
        cmocka_unit_test(full_disk_ends_the_writing),
    };
    return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
