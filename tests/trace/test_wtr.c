/* The binary trace (docs/trace.md, "The binary trace"): what goes in comes out, a cut file gives
 * its whole blocks and says what is missing, and no damage goes unnoticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

#include "case.h"
#include "source.h"
#include "writer.h"

/* Reads all events and expects them to be 0, 1, ...; returns how many, and leaves the trace open.
 */
static uint64_t expect_events(weft_trace *t)
{
    uint64_t count = 0;
    const weft_event *event;
    while ((event = weft_trace_next(t)) != NULL) {
        weft_event_buffer expected;
        case_event(&expected, count);
        assert_true(case_equal(event, &expected.head));
        count++;
    }
    return count;
}

static void check_all(uint64_t events, uint32_t group_events)
{
    bytes b = case_wtr(events, group_events, 1);
    weft_trace *t = case_open(b.at, b.length);
    assert_int_equal(expect_events(t), events);
    assert_null(weft_trace_failed(t, NULL));
    assert_int_equal(weft_trace_info_of(t)->complete, 1);
    assert_string_equal(weft_trace_info_of(t)->missing, "");
    weft_trace_close(t);
    free(b.at);
}

static void every_event_comes_back_as_it_was(void **state)
{
    check_all(1000, 4096);
}

static void blocks_of_one_event_come_back(void **state)
{
    check_all(200, 1);
}

/* More than the 65,536 events of a group. */
static void several_groups_come_back_in_order(void **state)
{
    check_all(140000, 4096);
}

static void header_tells_what_the_run_was(void **state)
{
    bytes b = case_wtr(3, 4096, 1);
    weft_trace *t = case_open(b.at, b.length);
    const weft_trace_info *info = weft_trace_info_of(t);
    assert_int_equal(info->binary, 1);
    assert_string_equal(info->engine, "weft");
    assert_string_equal(info->build, "0.1.0");
    assert_string_equal(info->title, "hello.xex");
    assert_string_equal(info->profile_digest, "00112233445566778899aabbccddeeff");
    assert_string_equal(info->before, "99aa06d3014798d86001c324468d497f");
    while (weft_trace_next(t)) {
    }
    assert_int_equal(info->last, 2);
    assert_string_equal(info->digest, "ffeeddccbbaa99887766554433221100");
    weft_trace_close(t);
    free(b.at);
}

/* The bytes that docs/trace.md gives: magic, version 2, length of the texts. */
static void file_begins_with_magic_and_version(void **state)
{
    bytes b = case_wtr(1, 4096, 1);
    assert_memory_equal(b.at, "WEFTWTR\n\2\0\0\0", 12);
    assert_memory_equal(b.at + b.length - 8, "WTR-END\n", 8);
    free(b.at);
}

static void equal_events_give_equal_bytes(void **state)
{
    bytes a = case_wtr(3000, 100, 1), b = case_wtr(3000, 100, 1);
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.at, b.at, a.length);
    free(a.at);
    free(b.at);
}

/* Cut at every byte: never a wrong event, never a failure behind the header, and the loss is told.
 */
static void cut_anywhere_gives_whole_blocks_and_says_so(void **state)
{
    bytes b = case_wtr(120, 7, 1);
    uint64_t before = 0;
    for (size_t length = 0; length < b.length; length++) {
        weft_trace *t = case_open(b.at, length);
        uint64_t count = 0, last = 0;
        const weft_event *event;
        while ((event = weft_trace_next(t)) != NULL) {
            weft_event_buffer expected;
            case_event(&expected, event->sequence);
            assert_true(case_equal(event, &expected.head));
            assert_true(count == 0 || event->sequence > last);
            last = event->sequence;
            count++;
        }
        if (!weft_trace_failed(t, NULL)) {
            assert_int_equal(weft_trace_info_of(t)->complete, 0);
            assert_true(weft_trace_info_of(t)->missing[0] != 0);
        } else {
            assert_int_equal(count, 0);
            assert_true(length < 200); /* the header: 20 bytes and five short texts */
        }
        assert_true(count >= before);
        before = count;
        weft_trace_close(t);
    }
    assert_int_equal(before, 120);
    free(b.at);
}

static void run_that_broke_off_keeps_what_was_held(void **state)
{
    bytes b = case_wtr(50, 4096, 0);
    weft_trace *t = case_open(b.at, b.length);
    assert_int_equal(expect_events(t), 50);
    assert_null(weft_trace_failed(t, NULL));
    assert_int_equal(weft_trace_info_of(t)->complete, 0);
    assert_non_null(strstr(weft_trace_info_of(t)->missing, "50 events are there"));
    weft_trace_close(t);
    free(b.at);
}

/* Each single bit turned: the file is refused, or it reads as cut (a length that grew), or the bit
 * was in none of what is read; never does an event differ. */
static void turned_bit_never_gives_another_event(void **state)
{
    bytes b = case_wtr(30, 15, 1);
    for (size_t bit = 0; bit < b.length * 8; bit++) {
        b.at[bit / 8] ^= (char)(1 << bit % 8);
        weft_trace *t = case_open(b.at, b.length);
        const weft_event *event;
        while ((event = weft_trace_next(t)) != NULL) {
            weft_event_buffer expected;
            case_event(&expected, event->sequence);
            assert_true(case_equal(event, &expected.head));
        }
        if (!weft_trace_failed(t, NULL) && weft_trace_info_of(t)->complete) {
            fail_msg("bit %zu of byte %zu goes unnoticed", bit % 8, bit / 8);
        }
        weft_trace_close(t);
        b.at[bit / 8] ^= (char)(1 << bit % 8);
    }
    free(b.at);
}

/* The record of a type (1 block, 2 mark, 3 footer, 4 names), the n-th from 0; NULL: there is none. */
static char *record(const bytes *b, char type, int n)
{
    char *at = b->at;
    while ((at = memmem(at, b->length - (size_t)(at - b->at), "rWTR", 4)) != NULL) {
        if (at[4] == type && n-- == 0) {
            return at;
        }
        at += 4;
    }
    return NULL;
}

/* What a killed run leaves: whole groups, of seven events each here, and nothing of the next. */
static void file_cut_between_groups_has_no_gap(void **state)
{
    bytes b = case_wtr(120, 7, 1);
    for (int groups = 1; groups < 17; groups++) {
        char *end = record(&b, 2, groups - 1) + 24 + 16; /* a mark is stored as it is */
        weft_trace *t = case_open(b.at, (size_t)(end - b.at));
        assert_int_equal(expect_events(t), groups * 7);
        assert_null(weft_trace_failed(t, NULL));
        assert_non_null(strstr(weft_trace_info_of(t)->missing, "at most 6 events"));
        weft_trace_close(t);
    }
    free(b.at);
}

/* Payloads of every size up to the most that an event of ours has, in the first event of a file: none
 * is larger than what the writer has made room for (tests run under ASan too). */
static void first_event_of_any_size_comes_back(void **state)
{
    weft_trace_begin begin = {
        .engine = "weft", .build = "0", .title = "t", .profile_digest = "", .digest = ""};
    static uint64_t words[7 + 9000];
    weft_event *event = (weft_event *)words;
    for (uint32_t count = 4000; count < 4096; count++) {
        FILE *file = tmpfile();
        weft_trace_writer *w = weft_trace_writer_new(fileno(file), &begin, 0, 10);
        *event = (weft_event){.size = 56 + 8 * count, .kind = 999, .category = WEFT_CLASS_GUEST};
        weft_trace_writer_add(w, event);
        weft_trace_writer_end(w, 0, "");
        weft_trace_writer_free(w);
        rewind(file);
        weft_trace *t = weft_trace_from(file, "t");
        assert_true(case_equal(weft_trace_next(t), event));
        assert_null(weft_trace_next(t));
        assert_int_equal(weft_trace_info_of(t)->complete, 1);
        weft_trace_close(t);
    }
}

/* Events that say the same as one before them, with all that may differ beside: hardware thread and
 * gaps in the index, and names that begin and end meanwhile. */
static void repeated_payload(weft_event_buffer *event, uint64_t n)
{
    uint64_t turn = n / 6, what = n % 6;
    weft_event_begin(event, what == 0   ? WEFT_EVENT_MEMORY_ALLOC
                            : what == 3 ? WEFT_EVENT_MEMORY_FREE
                                        : WEFT_EVENT_KERNEL_RETURN);
    event->head.sequence = event->head.tick = n;
    event->head.thread = 7;
    event->head.tid = 1;
    event->head.hw = (uint8_t)(turn % 6);
    event->head.index = n + turn / 3;
    if (what == 0) {
        const uint64_t words[] = {100 + turn % 2, 0x40000000, 0x1000, 0, 5, turn};
        for (int i = 0; i < 6; i++) {
            weft_event_word(event, words[i]);
        }
        weft_event_text(event, "pool", 4);
    } else if (what == 3) {
        weft_event_word(event, 100 + turn % 2);
        weft_event_word(event, 0);
    } else {
        weft_event_word(event, 55);
        weft_event_word(event, 0x40000010);
    }
}

static int same_hash(void *context, size_t window, const weft_trace *trace, const weft_event *event,
                     uint64_t canonical, uint64_t hash)
{
    const uint64_t *hashes = context;
    return canonical == event->sequence && hash == hashes[canonical];
}

static void payloads_told_again_come_back(void **state)
{
    static uint64_t hashes[1200];
    weft_trace_begin begin = {
        .engine = "weft", .build = "0", .title = "t", .profile_digest = "", .digest = ""};
    char path[] = "/tmp/weft-wtr-XXXXXX";
    int file = mkstemp(path);
    weft_trace_writer *w = weft_trace_writer_new(file, &begin, 0, 500);
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    weft_event_buffer event;
    for (uint64_t n = 0; n < 1200; n++) {
        repeated_payload(&event, n);
        weft_trace_writer_add(w, &event.head);
        assert_int_equal(weft_canon_add(c, NULL, &event.head, &hashes[n]), 1);
    }
    weft_canon_free(c);
    weft_trace_writer_end(w, 1199, "");
    weft_trace_writer_free(w);
    assert_true(lseek(file, 0, SEEK_END) < 1200 * 8); /* a payload alone has 16 bytes or more */
    close(file);
    weft_trace *t = weft_trace_open(path);
    for (uint64_t n = 0; n < 1200; n++) {
        repeated_payload(&event, n);
        assert_true(case_equal(weft_trace_next(t), &event.head));
    }
    assert_null(weft_trace_next(t));
    assert_null(weft_trace_failed(t, NULL));
    weft_trace_close(t);
    const weft_trace_window all = {.thread = 0, .from = 0, .count = UINT64_MAX};
    weft_trace_source *s = weft_trace_source_open(path, WEFT_CANON_OWN, NULL);
    assert_int_equal(weft_trace_source_fetch(s, &all, 1, same_hash, hashes), 1);
    weft_trace_source_close(s);
    unlink(path);
}

/* Threads that nearly fill a group, one after the other, all with the same few payloads, while the next
 * one says the same now and then: more heads than the writer keeps room for. */
static uint64_t thread_of_group(uint64_t n)
{
    return 1 + (n / 65536 + (n % 8 == 0)) % 18;
}

static void threads_that_fill_groups_come_back(void **state)
{
    enum { GROUP = 65536, TURNS = 19 };
    weft_trace_begin begin = {
        .engine = "weft", .build = "0", .title = "t", .profile_digest = "", .digest = ""};
    FILE *file = tmpfile();
    weft_trace_writer *w = weft_trace_writer_new(fileno(file), &begin, 0, GROUP);
    weft_event_buffer event;
    for (uint64_t n = 0; n < (uint64_t)TURNS * GROUP; n++) {
        weft_event_begin(&event, WEFT_EVENT_KERNEL_RETURN_VOID);
        event.head.sequence = event.head.tick = n;
        event.head.thread = thread_of_group(n);
        weft_event_word(&event, n % 3);
        weft_trace_writer_add(w, &event.head);
    }
    weft_trace_writer_end(w, 0, "");
    weft_trace_writer_free(w);
    rewind(file);
    weft_trace *t = weft_trace_from(file, "t");
    for (uint64_t n = 0; n < (uint64_t)TURNS * GROUP; n++) {
        const weft_event *e = weft_trace_next(t);
        assert_non_null(e);
        if (e->sequence != n || e->thread != thread_of_group(n) ||
            *(const uint64_t *)(e + 1) != n % 3) {
            fail_msg("event %llu differs", (unsigned long long)n);
        }
    }
    assert_null(weft_trace_next(t));
    assert_int_equal(weft_trace_info_of(t)->complete, 1);
    weft_trace_close(t);
}

/* One event each tenth of a second: eleven in a second, its first and its last moment included. What
 * is in the file while the run goes on are whole groups. */
static void group_ends_with_a_second_of_guest_time(void **state)
{
    weft_trace_begin begin = {
        .engine = "weft", .build = "0", .title = "t", .profile_digest = "", .digest = ""};
    FILE *file = tmpfile();
    weft_trace_writer *w = weft_trace_writer_new(fileno(file), &begin, 0, 8192);
    for (uint64_t n = 0; n < 25; n++) {
        weft_event_buffer e;
        case_event(&e, 10); /* handle.destroy or its like: of class guest */
        assert_int_equal(e.head.category, WEFT_CLASS_GUEST);
        e.head.sequence = n;
        e.head.tick = n * 100000000;
        weft_trace_writer_add(w, &e.head);
    }
    lseek(fileno(file), 0, SEEK_SET);
    weft_trace *t = weft_trace_from(fdopen(dup(fileno(file)), "rb"), "t");
    uint64_t events = 0;
    while (weft_trace_next(t)) {
        events++;
    }
    assert_int_equal(events, 22);
    weft_trace_close(t);
    weft_trace_writer_free(w);
    fclose(file);
}

static void file_cut_in_its_footer_has_all_events(void **state)
{
    bytes b = case_wtr(120, 7, 1);
    weft_trace *t = case_open(b.at, b.length - 1);
    assert_int_equal(expect_events(t), 120);
    assert_non_null(strstr(weft_trace_info_of(t)->missing, "all events are there"));
    assert_int_equal(weft_trace_info_of(t)->complete, 0);
    weft_trace_close(t);
    free(b.at);
}

static void failure_names_the_offset(void **state)
{
    const char *where;
    bytes b = case_wtr(60, 8, 1);
    b.at[b.length / 2] ^= 1;
    weft_trace *t = case_open(b.at, b.length);
    while (weft_trace_next(t)) {
    }
    assert_non_null(weft_trace_failed(t, &where));
    assert_memory_equal(where, "t+0x", 4);
    weft_trace_close(t);
    free(b.at);
}

/* A length of zero, found by the fuzz target. */
static void empty_header_is_refused(void **state)
{
    static const char header[20] = "WEFTWTR\n\2"; /* no texts; CRC-32 of nothing is 0 */
    weft_trace *t = case_open(header, sizeof header);
    assert_non_null(weft_trace_failed(t, NULL));
    weft_trace_close(t);
}

static void other_version_is_refused(void **state)
{
    bytes b = case_wtr(1, 8, 1);
    b.at[8] = 3;
    weft_trace *t = case_open(b.at, b.length);
    assert_non_null(strstr(weft_trace_failed(t, NULL), "found 3, expected 2"));
    weft_trace_close(t);
    b.at[8] = 1;
    t = case_open(b.at, b.length);
    assert_non_null(strstr(weft_trace_failed(t, NULL), "found 1, expected 2"));
    weft_trace_close(t);
    free(b.at);
}

static void bytes_behind_the_end_are_refused(void **state)
{
    bytes b = case_wtr(10, 8, 1);
    b.at = realloc(b.at, b.length + 1);
    b.at[b.length] = 0;
    weft_trace *t = case_open(b.at, b.length + 1);
    while (weft_trace_next(t)) {
    }
    assert_non_null(weft_trace_failed(t, NULL));
    weft_trace_close(t);
    free(b.at);
}

/* What lies between two intact files' blocks: a block left out breaks its thread's chain, though
 * every CRC is right. Records begin with the bytes "rWTR". */
static void block_left_out_is_noticed(void **state)
{
    bytes b = case_wtr(60, 4, 1);
    char *first = memmem(b.at, b.length, "rWTR", 4);
    char *second = memmem(first + 4, b.length - (size_t)(first + 4 - b.at), "rWTR", 4);
    memmove(first, second, (size_t)(b.at + b.length - second));
    weft_trace *t = case_open(b.at, b.length - (size_t)(second - first));
    while (weft_trace_next(t)) {
    }
    assert_non_null(weft_trace_failed(t, NULL));
    weft_trace_close(t);
    free(b.at);
}

/* The digest is of class guest alone, in sequence order, though the file keeps threads apart. */
static void digest_is_that_of_the_events_in_sequence(void **state)
{
    char of_events[33], of_file[33];
    bytes b = case_wtr(500, 16, 1);
    weft_trace *t = case_open(b.at, b.length);
    weft_trace_digest *x = weft_trace_digest_new(), *y = weft_trace_digest_new();
    const weft_event *event;
    uint64_t guest = 0;
    for (uint64_t n = 0; n < 500; n++) {
        weft_event_buffer e;
        case_event(&e, n);
        guest += e.head.category == WEFT_CLASS_GUEST;
        weft_trace_digest_add(x, &e.head);
    }
    while ((event = weft_trace_next(t)) != NULL) {
        weft_trace_digest_add(y, event);
    }
    assert_int_equal(weft_trace_digest_end(x, of_events), guest);
    assert_int_equal(weft_trace_digest_end(y, of_file), guest);
    assert_string_equal(of_events, of_file);
    weft_trace_close(t);
    free(b.at);
}

/* XXH3-128 of no bytes, seed 0, as xxHash's own tests have it. */
static void digest_of_nothing_is_that_of_xxhash(void **state)
{
    char hex[33];
    assert_int_equal(weft_trace_digest_end(weft_trace_digest_new(), hex), 0);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_comes_back_as_it_was),
        cmocka_unit_test(blocks_of_one_event_come_back),
        cmocka_unit_test(several_groups_come_back_in_order),
        cmocka_unit_test(header_tells_what_the_run_was),
        cmocka_unit_test(file_begins_with_magic_and_version),
        cmocka_unit_test(equal_events_give_equal_bytes),
        cmocka_unit_test(cut_anywhere_gives_whole_blocks_and_says_so),
        cmocka_unit_test(run_that_broke_off_keeps_what_was_held),
        cmocka_unit_test(turned_bit_never_gives_another_event),
        cmocka_unit_test(file_cut_between_groups_has_no_gap),
        cmocka_unit_test(first_event_of_any_size_comes_back),
        cmocka_unit_test(payloads_told_again_come_back),
        cmocka_unit_test(threads_that_fill_groups_come_back),
        cmocka_unit_test(group_ends_with_a_second_of_guest_time),
        cmocka_unit_test(file_cut_in_its_footer_has_all_events),
        cmocka_unit_test(failure_names_the_offset),
        cmocka_unit_test(empty_header_is_refused),
        cmocka_unit_test(other_version_is_refused),
        cmocka_unit_test(bytes_behind_the_end_are_refused),
        cmocka_unit_test(block_left_out_is_noticed),
        cmocka_unit_test(digest_is_that_of_the_events_in_sequence),
        cmocka_unit_test(digest_of_nothing_is_that_of_xxhash),
    };
    return cmocka_run_group_tests_name("trace-wtr", tests, NULL, NULL);
}
