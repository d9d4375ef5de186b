/* A trace as something to look things up in (sdk/trace/source.h): the same answers from every form
 * of a file, and those that a plain reading from front to back gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "case.h"
#include "line.h"
#include "source.h"
#include "writer.h"

#define EVENTS 60000 /* of five threads: each goes through two chain steps */

/* The made-up run's files: whole, without its end, and as lines. */
typedef struct files {
    char whole[32], cut[32], lines[32];
} files;

static void save(char path[32], const void *at, size_t length)
{
    strcpy(path, "/tmp/weft-source-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, at, length), length);
    close(file);
}

static int setup(void **state)
{
    files *f = calloc(1, sizeof *f);
    bytes whole = case_wtr(EVENTS, 4096, 1), cut = case_wtr(EVENTS, 4096, 0);
    save(f->whole, whole.at, whole.length);
    save(f->cut, cut.at, cut.length);
    line_table table;
    weft_trace_begin begin = {
        .engine = "weft", .build = "0", .title = "t", .profile_digest = "", .digest = ""};
    line_context context = {.table = &table, .begin = &begin};
    out o = {0};
    line_table_init(&table);
    line_begin(&o, &context);
    for (uint64_t n = 0; n < EVENTS; n++) {
        weft_event_buffer event;
        case_event(&event, n);
        line_event(&o, &context, &event.head);
    }
    line_end(&o, &context, EVENTS - 1, "");
    save(f->lines, o.bytes, o.used);
    out_free(&o);
    free(whole.at);
    free(cut.at);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    files *f = *state;
    unlink(f->whole);
    unlink(f->cut);
    unlink(f->lines);
    free(f);
    return 0;
}

static weft_trace_source *open_good(const char *path)
{
    weft_trace_source *s = weft_trace_source_open(path, WEFT_CANON_OWN, NULL);
    assert_null(weft_trace_source_failed(s, NULL));
    return s;
}

static void same_text(const char *a, const char *b)
{
    assert_int_equal(a != NULL, b != NULL);
    if (a) {
        assert_string_equal(a, b);
    }
}

static void same_summary(const weft_trace_summary *a, const weft_trace_summary *b)
{
    assert_int_equal(a->thread_count, b->thread_count);
    for (size_t i = 0; i < a->thread_count; i++) {
        const weft_trace_thread *x = &a->threads[i], *y = &b->threads[i];
        assert_int_equal(x->id, y->id);
        assert_int_equal(x->tid, y->tid);
        assert_int_equal(x->events, y->events);
        assert_int_equal(x->guest, y->guest);
        assert_int_equal(x->canonical, y->canonical);
        assert_int_equal(x->first_call, y->first_call);
        assert_int_equal(x->chain, y->chain);
        assert_int_equal(x->step_count, y->step_count);
        assert_memory_equal(x->steps, y->steps, x->step_count * sizeof *x->steps);
        same_text(x->name, y->name);
    }
    assert_int_equal(a->tally_count, b->tally_count);
    for (size_t i = 0; i < a->tally_count; i++) {
        assert_int_equal(a->tallies[i].kind, b->tallies[i].kind);
        assert_int_equal(a->tallies[i].id, b->tallies[i].id);
        assert_int_equal(a->tallies[i].times, b->tallies[i].times);
        same_text(a->tallies[i].name, b->tallies[i].name);
    }
    assert_memory_equal(a->kinds, b->kinds, sizeof a->kinds);
    assert_int_equal(a->events, b->events);
    assert_int_equal(a->guest, b->guest);
    assert_int_equal(a->first_tick, b->first_tick);
    assert_int_equal(a->last_tick, b->last_tick);
    assert_string_equal(a->canon_digest, b->canon_digest);
}

/* Counted here, event by event, with nothing of source.c. */
static void summary_counts_what_is_there(void **state)
{
    files *f = *state;
    weft_trace_source *s = open_good(f->lines);
    const weft_trace_summary *sum = weft_trace_source_summary(s);
    weft_canon *canon = weft_canon_new(WEFT_CANON_OWN);
    weft_canon_chains *chains = weft_canon_chains_new();
    uint64_t guest = 0, canonical[5] = {0}, chain[5] = {0}, step[5][3] = {{0}};
    for (uint64_t n = 0; n < EVENTS; n++) {
        weft_event_buffer e;
        uint64_t hash;
        case_event(&e, n);
        guest += e.head.category == WEFT_CLASS_GUEST;
        if (weft_canon_add(canon, NULL, &e.head, &hash)) {
            weft_canon_chains_add(chains, e.head.thread, hash);
            chain[n % 5] = weft_canon_chain(chain[n % 5], hash);
            if (++canonical[n % 5] % WEFT_TRACE_STEP == 0) {
                step[n % 5][canonical[n % 5] / WEFT_TRACE_STEP - 1] = chain[n % 5];
            }
        }
    }
    char hex[33];
    weft_canon_chains_digest(chains, hex);
    assert_string_equal(sum->canon_digest, hex);
    assert_int_equal(sum->events, EVENTS);
    assert_int_equal(sum->guest, guest);
    assert_int_equal(sum->thread_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(sum->threads[i].id, i * UINT64_C(0x9e3779b97f4a7c15));
        assert_int_equal(sum->threads[i].events, EVENTS / 5);
        assert_int_equal(sum->threads[i].canonical, canonical[i]);
        assert_int_equal(sum->threads[i].chain, chain[i]);
        assert_int_equal(sum->threads[i].step_count, 2);
        assert_memory_equal(sum->threads[i].steps, step[i], 2 * sizeof step[i][0]);
    }
    /* Kinds go round from 1 to the last. */
    assert_int_equal(sum->kinds[1], (EVENTS - 1) / (WEFT_EVENT_KIND_END - 1) + 1);
    assert_int_equal(sum->info.complete, 1);
    weft_canon_free(canon);
    weft_canon_chains_free(chains);
    weft_trace_source_close(s);
}

static void every_form_of_a_run_gives_the_same_summary(void **state)
{
    files *f = *state;
    weft_trace_source *lines = open_good(f->lines), *whole = open_good(f->whole),
                      *cut = open_good(f->cut);
    same_summary(weft_trace_source_summary(lines), weft_trace_source_summary(whole));
    same_summary(weft_trace_source_summary(lines), weft_trace_source_summary(cut));
    assert_int_equal(weft_trace_source_summary(whole)->info.complete, 1);
    assert_int_equal(weft_trace_source_summary(whole)->info.last, EVENTS - 1);
    assert_int_equal(weft_trace_source_summary(cut)->info.complete, 0);
    weft_trace_source_close(lines);
    weft_trace_source_close(whole);
    weft_trace_source_close(cut);
}

/* Checks that what comes is the run's, in order, with the right numbers and hashes. */
typedef struct expected {
    const weft_trace_window *windows;
    uint64_t (*hashes)[EVENTS]; /* of all events; 0: none */
    uint64_t (*numbers)[EVENTS];
    uint64_t got[8], last[8];
    int limit;
} expected;

static int check(void *context, size_t window, const weft_trace *trace, const weft_event *event,
                 uint64_t canonical, uint64_t hash)
{
    expected *x = context;
    char room[16];
    weft_event_buffer e;
    case_event(&e, event->sequence);
    assert_true(case_equal(event, &e.head));
    assert_string_equal(weft_trace_kind(trace, event, room), weft_event_kind_of(event->kind)->name);
    assert_int_equal(canonical, (*x->numbers)[event->sequence]);
    if (canonical != UINT64_MAX) {
        assert_int_equal(hash, (*x->hashes)[event->sequence]);
    }
    const weft_trace_window *w = &x->windows[window];
    if (w->thread == WEFT_TRACE_ALL) {
        assert_in_range(event->sequence, w->from, w->from + w->count - 1);
    } else {
        assert_int_equal(event->sequence % 5, w->thread);
        if (canonical != UINT64_MAX) {
            assert_in_range(canonical, w->from, w->from + w->count - 1);
        }
    }
    assert_true(x->got[window] == 0 || event->sequence > x->last[window]);
    x->last[window] = event->sequence;
    x->got[window]++;
    return --x->limit != 0;
}

static expected *expect(const weft_trace_window *windows)
{
    expected *x = calloc(1, sizeof *x);
    weft_canon *canon = weft_canon_new(WEFT_CANON_OWN);
    uint64_t canonical[5] = {0};
    x->windows = windows;
    x->hashes = malloc(sizeof *x->hashes);
    x->numbers = malloc(sizeof *x->numbers);
    for (uint64_t n = 0; n < EVENTS; n++) {
        weft_event_buffer e;
        case_event(&e, n);
        int has = weft_canon_add(canon, NULL, &e.head, &(*x->hashes)[n]);
        (*x->numbers)[n] = has ? canonical[n % 5]++ : UINT64_MAX;
    }
    weft_canon_free(canon);
    return x;
}

static void forget(expected *x)
{
    free(x->hashes);
    free(x->numbers);
    free(x);
}

static void check_windows(const char *path)
{
    static const weft_trace_window windows[] = {
        {.thread = 2, .from = 100, .count = 7},
        {.thread = WEFT_TRACE_ALL, .from = 17, .count = 40},
        {.thread = 0, .from = 8190, .count = 5},
        {.thread = 2, .from = 103, .count = 1},
        {.thread = 4, .from = 0, .count = 3},
        {.thread = 1, .from = 1000000, .count = 5},
        {.thread = 3, .from = 5, .count = 0},
        {.thread = 9, .from = 0, .count = 5},
    };
    weft_trace_source *s = open_good(path);
    expected *x = expect(windows);
    assert_int_equal(weft_trace_source_fetch(s, windows, 8, check, x), 1);
    /* How many there must be: those from the first canonical event to the last. */
    for (size_t w = 0; w < 8; w++) {
        uint64_t there = 0, in = 0;
        for (uint64_t n = 0; n < EVENTS; n++) {
            uint64_t number = (*x->numbers)[n];
            if (windows[w].thread == WEFT_TRACE_ALL) {
                there += n >= 17 && n < 57;
            } else if (n % 5 == windows[w].thread) {
                uint64_t at = number - windows[w].from;
                in += number != UINT64_MAX && at < windows[w].count;
                there +=
                    number == UINT64_MAX ? in > 0 && in < windows[w].count : at < windows[w].count;
            }
        }
        assert_int_equal(x->got[w], there);
    }
    /* Once more, backwards: a source is not used up. */
    memset(x->got, 0, sizeof x->got);
    x->windows = &windows[4];
    assert_int_equal(weft_trace_source_fetch(s, &windows[4], 1, check, x), 1);
    forget(x);
    weft_trace_source_close(s);
}

static void windows_of_lines_have_their_events(void **state)
{
    check_windows(((files *)*state)->lines);
}

static void windows_of_a_whole_file_have_their_events(void **state)
{
    check_windows(((files *)*state)->whole);
}

static void windows_of_a_cut_file_have_their_events(void **state)
{
    check_windows(((files *)*state)->cut);
}

static void fetch_stops_when_told(void **state)
{
    files *f = *state;
    const char *const paths[] = {f->lines, f->whole, f->cut};
    for (int i = 0; i < 3; i++) {
        weft_trace_window window = {.thread = 0, .from = 0, .count = 100};
        weft_trace_source *s = open_good(paths[i]);
        expected *x = expect(&window);
        x->limit = 3;
        assert_int_equal(weft_trace_source_fetch(s, &window, 1, check, x), 0);
        assert_int_equal(x->got[0], 3);
        assert_null(weft_trace_source_failed(s, NULL));
        forget(x);
        weft_trace_source_close(s);
    }
}

static void names_are_known_without_reading_on(void **state)
{
    files *f = *state;
    const char *const paths[] = {f->lines, f->whole, f->cut};
    weft_event_buffer e;
    case_event(&e, 1 + 3 * (WEFT_EVENT_KIND_END - 1)); /* a define */
    assert_int_equal(e.head.kind, WEFT_EVENT_DEFINE);
    for (int i = 0; i < 3; i++) {
        weft_trace_source *s = open_good(paths[i]);
        assert_non_null(weft_trace_source_name(s, e.words[0]));
        assert_null(weft_trace_source_name(s, 12345));
        weft_trace_source_close(s);
    }
}

/* Where groups end is nothing that chains know of. */
static void groups_of_any_size_give_the_same_chains(void **state)
{
    files *f = *state;
    static const uint32_t sizes[] = {333, 65536};
    weft_trace_source *lines = open_good(f->lines);
    for (int i = 0; i < 2; i++) {
        char path[32];
        bytes b = case_wtr(EVENTS, sizes[i], 1);
        save(path, b.at, b.length);
        weft_trace_source *s = open_good(path);
        same_summary(weft_trace_source_summary(lines), weft_trace_source_summary(s));
        weft_trace_source_close(s);
        unlink(path);
        free(b.at);
    }
    weft_trace_source_close(lines);
}

/* 38,000 groups of one event are as many blocks, of at least 7 bytes each in the index: more than the
 * 2^18 bytes of one record. */
static void index_of_several_records_is_read(void **state)
{
    char path[32];
    bytes b = case_wtr(38000, 1, 1);
    weft_trace_window window = {.thread = WEFT_TRACE_ALL, .from = 37000, .count = 100};
    save(path, b.at, b.length);
    uint64_t footer;
    memcpy(&footer, b.at + b.length - 16, sizeof footer);
    char *second = memmem(b.at + footer + 4, b.length - footer - 4, "rWTR", 4);
    assert_non_null(second);
    assert_int_equal(second[4], 3);
    weft_trace_source *s = open_good(path);
    assert_int_equal(weft_trace_source_summary(s)->events, 38000);
    expected *x = expect(&window);
    assert_int_equal(weft_trace_source_fetch(s, &window, 1, check, x), 1);
    assert_int_equal(x->got[0], 100);
    forget(x);
    weft_trace_source_close(s);
    unlink(path);
    free(b.at);
}

/* A run whose words have names: pool blocks that come and go at the same places, pointers into them,
 * one behind them, handles. */
static void named_event(weft_event_buffer *e, uint64_t n)
{
    uint64_t block = n * 7 % 64, base = 0x40000000 + block * 0x100,
             handle = 0xF8000000 + n % 10 * 4;
    const uint64_t args[] = {base + n % 0x140, 0x50000000 + n, handle, 7};
    switch (n % 6) {
    case 0:
        weft_event_begin(e, WEFT_EVENT_MEMORY_ALLOC);
        weft_event_word(e, 1000 + n);
        weft_event_word(e, base);
        weft_event_word(e, 0x100);
        weft_event_word(e, n % 4 ? 0 : base + 0x60000000);
        weft_event_word(e, 0x82001234);
        weft_event_word(e, n);
        weft_event_text(e, "pool", 4);
        break;
    case 1:
        weft_event_begin(e, WEFT_EVENT_KERNEL_CALL);
        weft_event_word(e, 77);
        weft_event_array(e, args, 4);
        weft_event_text(e, "game:\\a", 7);
        break;
    case 2:
        weft_event_begin(e, WEFT_EVENT_KERNEL_RETURN);
        weft_event_word(e, 77);
        weft_event_word(e, base + 0x60000000 + n % 0x100);
        break;
    case 3:
        weft_event_begin(e, n % 12 == 3 ? WEFT_EVENT_HANDLE_CREATE : WEFT_EVENT_HANDLE_DESTROY);
        weft_event_word(e, 5000 + n);
        weft_event_word(e, n % 12 == 3 ? 2 : handle);
        weft_event_word(e, n % 12 == 3 ? handle : 1);
        break;
    case 4:
        weft_event_begin(e, WEFT_EVENT_GPU_DRAW);
        weft_event_word(e, n);
        weft_event_word(e, 3);
        weft_event_word(e, 4);
        weft_event_word(e, base + 4);
        break;
    default:
        weft_event_begin(e, n % 12 == 5 ? WEFT_EVENT_MEMORY_FREE : WEFT_EVENT_CONTENTION_OBSERVED);
        weft_event_word(e, n % 12 == 5 ? 1000 + n - 41 : base); /* of 41 events ago */
        weft_event_word(e, 0);
        if (n % 12 != 5) {
            weft_event_word(e, 0x82004321);
        }
        break;
    }
    e->head.sequence = n;
    e->head.thread = n % 3 + 1;
    e->head.tid = (uint32_t)n % 3;
    e->head.index = n / 3;
}

typedef struct named {
    weft_canon *canon;
    uint64_t events, names;
} named;

static int check_named(void *context, size_t window, const weft_trace *trace,
                       const weft_event *event, uint64_t canonical, uint64_t hash)
{
    named *x = context;
    weft_event_buffer e;
    uint64_t right, name, base;
    (void)window;
    named_event(&e, event->sequence);
    assert_true(case_equal(event, &e.head));
    x->names +=
        event->kind == WEFT_EVENT_GPU_DRAW && weft_canon_name(x->canon, e.words[3], &name, &base);
    int has = weft_canon_add(x->canon, trace, &e.head, &right);
    assert_int_equal(canonical != UINT64_MAX, has);
    if (has) {
        assert_int_equal(hash, right);
    }
    x->events++;
    return 1;
}

/* The index gives hashes from the names that blocks have kept; weft_canon_add from what is live. */
static void blocks_keep_what_their_words_name(void **state)
{
    enum { COUNT = 30000 };
    weft_trace_begin begin = {
        .engine = "weft", .build = "0", .title = "t", .profile_digest = "", .digest = ""};
    weft_trace_window window = {.thread = WEFT_TRACE_ALL, .from = 0, .count = COUNT};
    char path[] = "/tmp/weft-named-XXXXXX";
    int file = mkstemp(path);
    weft_trace_writer *w = weft_trace_writer_new(file, &begin, 0, 1000);
    for (uint64_t n = 0; n < COUNT; n++) {
        weft_event_buffer e;
        named_event(&e, n);
        weft_trace_writer_add(w, &e.head);
    }
    weft_trace_writer_end(w, COUNT - 1, "");
    weft_trace_writer_free(w);
    close(file);
    weft_trace_source *s = open_good(path);
    named x = {.canon = weft_canon_new(WEFT_CANON_OWN)};
    assert_int_equal(weft_trace_source_fetch(s, &window, 1, check_named, &x), 1);
    assert_int_equal(x.events, COUNT);
    assert_in_range(x.names, 1000, 4900); /* of 5,000 draws: some have a name, and some none */
    weft_canon_free(x.canon);
    weft_trace_source_close(s);
    unlink(path);
}

/* The hashes of the last of many events, to be met in a stretch near the end of a file that has to be
 * read from front to back: it begins at a point behind half a million events or more. */
enum { MANY = 560000, LATE = 20 };

typedef struct late {
    uint64_t hashes[LATE], got;
} late;

static int check_late(void *context, size_t window, const weft_trace *trace,
                      const weft_event *event, uint64_t canonical, uint64_t hash)
{
    late *x = context;
    (void)window, (void)trace;
    assert_int_equal(event->sequence, MANY - LATE + x->got);
    assert_int_equal(canonical != UINT64_MAX ? hash : 0, x->hashes[x->got]);
    x->got++;
    return 1;
}

static void late_stretch_is_read_from_a_point_nearby(void **state)
{
    late x = {.got = 0};
    char path[32];
    weft_trace_window window = {.thread = WEFT_TRACE_ALL, .from = MANY - LATE, .count = LATE};
    bytes b = case_wtr(MANY, 8192, 0);
    save(path, b.at, b.length);
    free(b.at);
    weft_canon *canon = weft_canon_new(WEFT_CANON_OWN);
    for (uint64_t n = 0; n < MANY; n++) {
        weft_event_buffer e;
        uint64_t hash;
        case_event(&e, n);
        int has = weft_canon_add(canon, NULL, &e.head, &hash);
        if (n >= MANY - LATE) {
            x.hashes[n - (MANY - LATE)] = has ? hash : 0;
        }
    }
    weft_canon_free(canon);
    weft_trace_source *s = open_good(path);
    assert_int_equal(weft_trace_source_fetch(s, &window, 1, check_late, &x), 1);
    assert_int_equal(x.got, LATE);
    weft_trace_source_close(s);
    unlink(path);
}

static int add_up(void *context, size_t window, const weft_trace *trace, const weft_event *event,
                  uint64_t canonical, uint64_t hash)
{
    uint64_t *sum = context;
    (void)window, (void)trace, (void)event, (void)canonical;
    *sum += hash;
    return 1;
}

static void *sum_of(void *path)
{
    weft_trace_window window = {.thread = WEFT_TRACE_ALL, .from = 0, .count = EVENTS};
    weft_trace_source *s = weft_trace_source_open(path, WEFT_CANON_OWN, NULL);
    uint64_t *sum = calloc(1, sizeof *sum);
    weft_trace_source_fetch(s, &window, 1, add_up, sum);
    weft_trace_source_close(s);
    return sum;
}

/* Two files at once, from two threads, give what each gives alone; tsan watches this test too. */
static void sources_share_nothing(void **state)
{
    files *f = *state;
    pthread_t threads[2];
    void *sums[3];
    pthread_create(&threads[0], NULL, sum_of, f->lines);
    pthread_create(&threads[1], NULL, sum_of, f->whole);
    pthread_join(threads[0], &sums[0]);
    pthread_join(threads[1], &sums[1]);
    sums[2] = sum_of(f->cut);
    assert_int_equal(*(uint64_t *)sums[0], *(uint64_t *)sums[1]);
    assert_int_equal(*(uint64_t *)sums[0], *(uint64_t *)sums[2]);
    for (int i = 0; i < 3; i++) {
        free(sums[i]);
    }
}

static void file_that_is_none_is_refused(void **state)
{
    const char *where;
    weft_trace_source *s = weft_trace_source_open("/nonexistent/t.wtr", WEFT_CANON_OWN, NULL);
    assert_non_null(weft_trace_source_failed(s, &where));
    assert_string_equal(where, "/nonexistent/t.wtr");
    weft_trace_window window = {.thread = 0, .count = 1};
    assert_int_equal(weft_trace_source_fetch(s, &window, 1, check, NULL), 0);
    weft_trace_source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summary_counts_what_is_there),
        cmocka_unit_test(every_form_of_a_run_gives_the_same_summary),
        cmocka_unit_test(windows_of_lines_have_their_events),
        cmocka_unit_test(windows_of_a_whole_file_have_their_events),
        cmocka_unit_test(windows_of_a_cut_file_have_their_events),
        cmocka_unit_test(fetch_stops_when_told),
        cmocka_unit_test(names_are_known_without_reading_on),
        cmocka_unit_test(groups_of_any_size_give_the_same_chains),
        cmocka_unit_test(index_of_several_records_is_read),
        cmocka_unit_test(blocks_keep_what_their_words_name),
        cmocka_unit_test(late_stretch_is_read_from_a_point_nearby),
        cmocka_unit_test(sources_share_nothing),
        cmocka_unit_test(file_that_is_none_is_refused),
    };
    return cmocka_run_group_tests_name("trace-source", tests, setup, teardown);
}
