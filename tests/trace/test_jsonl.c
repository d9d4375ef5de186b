/* Lines into events: our own by docs/trace.md, and logs of the reference system, whose lines have
 * the nine fields of schema v1 alone. The fixtures are written by hand after the description of
 * that system's wire format (fields and kinds; no recorded log was at hand). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "case.h"
#include "line.h"
#include "reader.h"

#define FOREIGN(kind, tid, index, payload)                                                         \
    "{\"schema_version\":1,\"engine\":\"canary\",\"kind\":\"" kind "\",\"tid\":" #tid              \
    ",\"tid_event_idx\":" #index ",\"guest_cycle\":0,\"host_ns\":123456,\"deterministic\":true,"   \
    "\"payload\":{" payload "}}\n"
#define FOREIGN_HEAD FOREIGN("schema_version", 0, 0, "\"version\":1,\"emitter_build\":\"abc\"")
#define HEAD                                                                                       \
    "{\"schema_version\":1,\"engine\":\"weft\",\"kind\":\"schema_version\",\"tid\":0,"             \
    "\"payload\":{\"version\":1,\"emitter_build\":\"0.1.0\",\"title\":\"t.xex\",\"first\":0}}\n"
#define LINE(kind, payload)                                                                        \
    "{\"schema_version\":1,\"engine\":\"weft\",\"kind\":\"" kind "\",\"tid\":6,"                   \
    "\"tid_event_idx\":5,\"guest_cycle\":4242,\"host_ns\":0,\"deterministic\":true,\"payload\":"   \
    "{" payload "},\"hw\":4,\"thread\":\"0123456789abcdef\",\"seq\":77,\"tick\":1000000}\n"
#define END "{\"kind\":\"trace.end\",\"payload\":{\"last\":77,\"digest\":\"00\"}}\n"

static weft_trace *open_text(const char *text)
{
    return case_open(text, strlen(text));
}

/* The only event of a trace, as words. */
static weft_event_buffer only(const char *text)
{
    weft_event_buffer e;
    weft_trace *t = open_text(text);
    const weft_event *event = weft_trace_next(t);
    if (!event) {
        fail_msg("%s", weft_trace_failed(t, NULL));
    }
    memcpy(&e, event, event->size);
    assert_null(weft_trace_next(t));
    assert_null(weft_trace_failed(t, NULL));
    weft_trace_close(t);
    return e;
}

static void expect_words(const weft_event_buffer *e, const uint64_t *words, uint32_t count)
{
    assert_int_equal(e->head.size, sizeof e->head + count * 8);
    assert_memory_equal(e->words, words, count * 8);
}

static void line_of_ours_fills_the_header(void **state)
{
    weft_event_buffer e = only(HEAD LINE("thread.exit", "\"exit_code\":\"0x7\"") END);
    assert_int_equal(e.head.kind, WEFT_EVENT_THREAD_EXIT);
    assert_int_equal(e.head.category, WEFT_CLASS_GUEST);
    assert_int_equal(e.head.hw, 4);
    assert_int_equal(e.head.thread, 0x0123456789abcdef);
    assert_int_equal(e.head.sequence, 77);
    assert_int_equal(e.head.index, 5);
    assert_int_equal(e.head.tick, 1000000);
    assert_int_equal(e.head.cycle, 4242);
    assert_int_equal(e.head.tid, 6);
    expect_words(&e, (const uint64_t[]){7}, 1);
}

static void integers_keep_all_64_bits(void **state)
{
    weft_event_buffer e = only(HEAD LINE(
        "kernel.return", "\"name\":\"f\",\"return_value\":18446744073709551615,\"export\":"
                         "\"ffffffffffffffff\"") END);
    expect_words(&e, (const uint64_t[]){UINT64_MAX, UINT64_MAX}, 2);
}

static void return_without_value_is_the_void_kind(void **state)
{
    weft_event_buffer e = only(HEAD LINE("kernel.return", "\"export\":\"0000000000000001\"") END);
    assert_int_equal(e.head.kind, WEFT_EVENT_KERNEL_RETURN_VOID);
}

static void words_stand_for_any_payload(void **state)
{
    weft_event_buffer e = only(HEAD LINE("kind.999", "\"words\":[\"0x1\",\"0xff00\"]") END);
    assert_int_equal(e.head.kind, 999);
    expect_words(&e, (const uint64_t[]){1, 0xff00}, 2);
}

/* docs/trace.md: a code point above U+00FF stands for its UTF-8 bytes; U+20AC is e2 82 ac. */
/* As an editor or a program that joins lines leaves a file: the last line lacks its newline. */
static void last_line_may_lack_its_newline(void **state)
{
    char text[2048];
    snprintf(text, sizeof text, "%s%s%s", HEAD, LINE("thread.exit", "\"exit_code\":\"0x7\""), END);
    text[strlen(text) - 1] = 0;
    weft_event_buffer e = only(text);
    expect_words(&e, (const uint64_t[]){7}, 1);
    snprintf(text, sizeof text, "%s%s", HEAD, LINE("thread.exit", "\"exit_code\":\"0x7\""));
    text[strlen(text) - 1] = 0;
    e = only(text);
    expect_words(&e, (const uint64_t[]){7}, 1);
}

static void empty_lines_may_stand_at_the_end(void **state)
{
    weft_event_buffer e = only(HEAD LINE("thread.exit", "\"exit_code\":\"0x7\"") END "\n\r\n\n");
    expect_words(&e, (const uint64_t[]){7}, 1);
    weft_trace *t = open_text(HEAD LINE("thread.exit", "\"exit_code\":\"0x7\"") END "\n\n");
    while (weft_trace_next(t)) {
    }
    assert_int_equal(weft_trace_info_of(t)->complete, 1);
    weft_trace_close(t);
}

static void higher_code_points_are_their_utf8_bytes(void **state)
{
    weft_event_buffer e = only(HEAD LINE("debug.print", "\"text\":\"\\u0000\\u00e9\xc3\xa9\\u20ac"
                                                        "\xe2\x82\xac\"") END);
    assert_int_equal(e.words[0], 9);
    assert_memory_equal(&e.words[1], "\0\xe9\xe9\xe2\x82\xac\xe2\x82\xac", 9);
}

static void order_and_space_do_not_matter(void **state)
{
    weft_event_buffer e = only(
        HEAD
        " { \"seq\" : 1 , \"tick\":2,\"hw\":255, \"thread\":\"0\", \"payload\" : {\"exit_code\""
        ":\"0x0\" } ,\"tid\":0,\"kind\":\"thread.exit\"}\r\n" END);
    assert_int_equal(e.head.sequence, 1);
    assert_int_equal(e.head.hw, 255);
}

static void define_gives_an_identity_its_text(void **state)
{
    weft_trace *t = open_text(HEAD LINE(
        "define", "\"id\":\"85944171f73967e8\",\"what\":\"test\",\"text\":\"foobar\"") END);
    assert_null(weft_trace_name(t, 0x85944171f73967e8));
    assert_non_null(weft_trace_next(t));
    assert_string_equal(weft_trace_name(t, 0x85944171f73967e8), "foobar");
    weft_trace_close(t);
}

static void trace_without_its_end_says_that_it_was_cut(void **state)
{
    weft_trace *t = open_text(HEAD LINE("thread.exit", "\"exit_code\":\"0x0\""));
    assert_non_null(weft_trace_next(t));
    assert_null(weft_trace_next(t));
    assert_null(weft_trace_failed(t, NULL));
    assert_int_equal(weft_trace_info_of(t)->complete, 0);
    assert_non_null(strstr(weft_trace_info_of(t)->missing, "line 2"));
    weft_trace_close(t);
}

/* Every kind that the reference system writes, in the order of a call. */
static const char foreign_log[] = FOREIGN_HEAD FOREIGN("import.call", 6, 0,
                                                       "\"name\":\"NtCreateFile\"")
    FOREIGN("kernel.call", 6, 1,
            "\"name\":\"NtCreateFile\",\"args\":{\"r3\":1879048192,\"r4\":\"0x80100080\"},"
            "\"args_resolved\":{\"path\":\"game:\\\\a.bin\"}")
        FOREIGN("handle.create", 6, 2,
                "\"handle_semantic_id\":\"85944171f73967e8\",\"object_type\":1,"
                "\"raw_handle_id\":4160749584")
            FOREIGN("kernel.return", 6, 3,
                    "\"name\":\"NtCreateFile\",\"return_value\":18446744072635809792,"
                    "\"status\":\"0xc0000000\",\"side_effects\":[]")
                FOREIGN("wait.begin", 7, 0,
                        "\"handles_semantic_ids\":[\"85944171f73967e8\"],\"timeout_ns\":-1,"
                        "\"wait_type\":\"any\"") FOREIGN("contention.observed", 7, 1,
                                                         "\"cs_ptr\":\"0x82a00010\",\"contended\":"
                                                         "true,\"site_sid\":\"00000000000000aa\"")
                    FOREIGN(
                        "handle.destroy", 7, 2,
                        "\"handle_semantic_id\":\"85944171f73967e8\",\"raw_handle_id\":4160749584,"
                        "\"prior_refcount\":1") FOREIGN("thread.create", 6, 4,
                                                        "\"parent_tid\":6,\"entry_pc\":"
                                                        "\"0x82001000\",\"ctx_ptr\":\"0xbc65c890\","
                                                        "\"stack_size\":65536,\"affinity\":0")
                        FOREIGN("thread.exit", 7, 3, "\"exit_code\":0")
                            FOREIGN("signal.match", 6, 5, "\"handle\":4160749584") FOREIGN(
                                "shader.cached", 6, 6, "\"target_tid\":7,\"transitioned\":true");

static void reference_log_is_read_to_its_end(void **state)
{
    static const uint16_t kinds[] = {WEFT_EVENT_IMPORT_CALL,
                                     WEFT_EVENT_KERNEL_CALL,
                                     WEFT_EVENT_HANDLE_CREATE,
                                     WEFT_EVENT_KERNEL_RETURN,
                                     WEFT_EVENT_WAIT_BEGIN,
                                     WEFT_EVENT_CONTENTION_OBSERVED,
                                     WEFT_EVENT_HANDLE_DESTROY,
                                     WEFT_EVENT_THREAD_CREATE,
                                     WEFT_EVENT_THREAD_EXIT,
                                     WEFT_EVENT_SIGNAL_MATCH,
                                     0};
    weft_trace *t = open_text(foreign_log);
    assert_string_equal(weft_trace_info_of(t)->engine, "canary");
    assert_string_equal(weft_trace_info_of(t)->build, "abc");
    assert_int_equal(weft_trace_info_of(t)->foreign, 1);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const weft_event *event = weft_trace_next(t);
        if (!event) {
            fail_msg("event %zu: %s", i, weft_trace_failed(t, NULL));
        }
        assert_int_equal(event->kind, kinds[i]);
        assert_int_equal(event->sequence, i);
        assert_int_equal(event->hw, WEFT_HW_NONE);
        assert_int_equal(event->category, WEFT_CLASS_GUEST);
    }
    assert_null(weft_trace_next(t));
    assert_null(weft_trace_failed(t, NULL));
    assert_int_equal(weft_trace_info_of(t)->complete, 1);
    weft_trace_close(t);
}

static void reference_call_is_known_by_its_name(void **state)
{
    weft_trace *t = open_text(foreign_log);
    weft_trace_next(t);
    const weft_event *event = weft_trace_next(t);
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    assert_string_equal(weft_trace_name(t, words[0]), "NtCreateFile");
    assert_int_equal(words[1], 2);
    assert_int_equal(words[2], 1879048192);
    assert_int_equal(words[3], 0x80100080);
    assert_int_equal(words[4], 11); /* g a m e : \ a . b i n */
    assert_memory_equal(&words[5], "game:\\a.bi", 8);
    assert_string_equal(weft_trace_name(t, event->thread), "tid:6");
    weft_trace_close(t);
}

static void reference_contention_keeps_pointer_and_site(void **state)
{
    weft_trace *t = open_text(foreign_log);
    const weft_event *event;
    uint32_t count;
    do {
        event = weft_trace_next(t);
        assert_non_null(event);
    } while (event->kind != WEFT_EVENT_CONTENTION_OBSERVED);
    const uint64_t *words = weft_trace_words(event, &count);
    assert_int_equal(words[0], 0x82a00010);
    assert_int_equal(words[1], 1);
    assert_int_equal(words[2], 0xaa);
    weft_trace_close(t);
}

static void kind_that_only_they_have_keeps_its_name(void **state)
{
    char room[16];
    weft_trace *t = open_text(FOREIGN_HEAD FOREIGN("shader.cached", 6, 6, "\"target_tid\":7"));
    const weft_event *event = weft_trace_next(t);
    assert_string_equal(weft_trace_kind(t, event, room), "shader.cached");
    weft_trace_close(t);
}

static void malformed_lines_are_refused_with_their_number(void **state)
{
    static const char *const lines[] = {
        "\n" LINE("thread.exit", "\"exit_code\":\"0x0\""),
        "nonsense\n",
        "{}\n",
        "[]\n",
        "{\"kind\":\"thread.exit\"}\n",
        "{\"kind\":5,\"payload\":{}}\n",
        "{\"kind\":\"thread.exit\",\"payload\":[]}\n",
        "{\"kind\":\"thread.exit\",\"payload\":{}} x\n",
        "{\"kind\":\"thread.exit\",\"payload\":{},}\n",
        "{\"kind\":\"thread.exit\",\"payload\":{\"exit_code\":\"0x0\"},\"seq\":1}\n",
        LINE("thread.exit", ""),
        LINE("thread.exit", "\"exit_code\":\"seven\""),
        LINE("thread.exit", "\"exit_code\":1.5"),
        LINE("thread.exit", "\"exit_code\":18446744073709551616"),
        LINE("thread.exit", "\"exit_code\":\"0x11112222333344445\""),
        LINE("thread.exit", "\"exit_code\":01"),
        LINE("no.such.kind", "\"a\":1"),
        LINE("kind.70000", "\"words\":[]"),
        LINE("debug.print", "\"text\":5"),
        LINE("debug.print", "\"text\":\"\\x\""),
        LINE("debug.print", "\"text\":\"\\ud800\""),
        LINE("debug.print", "\"text\":\"\xff\""),
        LINE("debug.print", "\"text\":\"\t\""),
        LINE("kind.999", "\"words\":[{}]"),
        LINE("wait.begin", "\"handles_semantic_ids\":7,\"timeout_ns\":0,\"wait_type\":\"any\","
                           "\"alertable\":0"),
        "{\"kind\":\"a\",\"payload\":{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]}}\n",
        END END,
        "{\"kind\":\"thread.exit\",\"payload\":{\"exit_code\":\"0x0\"}", /* no newline */
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[2048];
        const char *where;
        int n = strcmp(lines[i], END END) == 0 ? 4 : 3;
        snprintf(text, sizeof text, "%s%s%s", HEAD, LINE("thread.exit", "\"exit_code\":\"0x0\""),
                 lines[i]);
        weft_trace *t = open_text(text);
        assert_non_null(weft_trace_next(t));
        assert_null(weft_trace_next(t));
        if (!weft_trace_failed(t, &where) || atoi(strchr(where, ':') + 1) != n) {
            fail_msg("line %zu is taken, or named wrong (%s): %s", i, where, lines[i]);
        }
        weft_trace_close(t);
    }
}

static void header_is_required_in_version_one(void **state)
{
    static const char *const files[] = {
        "",
        "W",
        "\n",
        "{",
        LINE("thread.exit", "\"exit_code\":\"0x0\""),
        "{\"kind\":\"schema_version\",\"payload\":{\"version\":2}}\n",
        "{\"kind\":\"schema_version\",\"payload\":{}}\n",
        "{\"kind\":\"schema_version\"}\n",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        weft_trace *t = open_text(files[i]);
        if (!weft_trace_failed(t, NULL)) {
            fail_msg("taken: %s", files[i]);
        }
        assert_null(weft_trace_next(t));
        weft_trace_close(t);
    }
}

/* Cut at every byte of a log: read up to the cut line, never a crash. A line without its newline is
 * whole. */
static void cut_anywhere_is_read_up_to_the_cut(void **state)
{
    for (size_t length = 0; length < sizeof foreign_log - 1; length++) {
        weft_trace *t = case_open(foreign_log, length);
        while (weft_trace_next(t)) {
        }
        int whole = length > 0 && (foreign_log[length - 1] == '\n' || foreign_log[length] == '\n');
        assert_int_equal(weft_trace_failed(t, NULL) == NULL, whole);
        weft_trace_close(t);
    }
}

static void line_beyond_the_limit_is_refused(void **state)
{
    size_t length = (3u << 20) + sizeof HEAD;
    char *text = malloc(length);
    memset(text, ' ', length);
    memcpy(text, HEAD, sizeof HEAD - 1);
    weft_trace *t = case_open(text, length);
    assert_null(weft_trace_next(t));
    assert_non_null(strstr(weft_trace_failed(t, NULL), "too long"));
    weft_trace_close(t);
    free(text);
}

/* Both parsers over the same bytes: the same events, and the same refusals of the same lines. A
 * refusal would end a trace; here both go on behind it. Returns how many lines went through. */
static size_t compare_parsers(const char *text, size_t length)
{
    weft_trace *fast = case_open(text, length), *plain = case_open(text, length);
    size_t lines = 0;
    jsonl_plain(plain);
    for (;; lines++) {
        const weft_event *a = weft_trace_next(fast), *b = weft_trace_next(plain);
        size_t at;
        const char *line = weft_trace_line(plain, &at);
        if (strcmp(fast->error, plain->error) != 0 || !a != !b || (a && !case_equal(a, b))) {
            fail_msg("line %zu is read differently (%s; %s): %.*s", lines + 2, fast->error,
                     plain->error, (int)at, line);
        }
        if (!a && !plain->error[0]) {
            break;
        }
        if (a) {
            const char *name = weft_trace_name(plain, a->thread);
            const char *other = weft_trace_name(fast, a->thread);
            assert_true(name ? other && strcmp(name, other) == 0 : !other);
        }
        fast->error[0] = plain->error[0] = 0;
    }
    weft_trace_close(fast);
    weft_trace_close(plain);
    return lines;
}

/* Lines of `count` events of every kind, as our writer makes them. */
static void write_lines(out *o, uint64_t count)
{
    static line_table table;
    weft_trace_begin begin = {
        .engine = "weft", .build = "0", .title = "t", .profile_digest = "", .digest = ""};
    line_context context = {.table = &table, .begin = &begin};
    line_table_init(&table);
    line_begin(o, &context);
    for (uint64_t n = 0; n < count; n++) {
        weft_event_buffer event;
        case_event(&event, n);
        line_event(o, &context, &event.head);
    }
}

static void both_parsers_read_the_same(void **state)
{
    out o = {0};
    write_lines(&o, 3000);
    assert_int_equal(compare_parsers(o.bytes, o.used), 3000);
    out_free(&o);
    assert_int_equal(compare_parsers(foreign_log, sizeof foreign_log - 1), 11);
}

/* Every byte of a line of each kind replaced by others: what one parser makes of it, or refuses,
 * the other does too. */
static void both_parsers_agree_on_damaged_lines(void **state)
{
    static const char others[] = "0g\"\\ }\x01\xc3";
    out from = {0}, to = {0};
    write_lines(&from, 2 * WEFT_EVENT_KIND_END);
    out_raw(&from, foreign_log + sizeof FOREIGN_HEAD - 1, sizeof foreign_log - sizeof FOREIGN_HEAD);
    for (int foreign = 0; foreign < 2; foreign++) {
        const char *line = from.bytes, *end = from.bytes + from.used;
        size_t wanted = 0;
        to.used = 0;
        out_str(&to, foreign ? FOREIGN_HEAD : HEAD);
        for (int n = 0; line < end; n++) {
            size_t length = (size_t)((char *)memchr(line, '\n', (size_t)(end - line)) - line) + 1;
            if (n > 0 && strstr(line, foreign ? "\"canary\"" : "\"weft\"") < line + length) {
                for (size_t at = 0; at + 1 < length; at += foreign ? 1 : 3) {
                    out_raw(&to, line, length);
                    to.bytes[to.used - length + at] = others[wanted++ % (sizeof others - 1)];
                }
            }
            line += length;
        }
        assert_int_equal(compare_parsers(to.bytes, to.used), wanted);
    }
    out_free(&from);
    out_free(&to);
}

/* By hand: the ends of each integer's range, and one beyond. 2^64 - 1 = 18446744073709551615,
 * 2^63 = 9223372036854775808. */
static void both_parsers_agree_on_odd_numbers(void **state)
{
    static const char *const numbers[] = {
        "0",
        "9",
        "10",
        "99999999",
        "100000000",
        "9999999999999999",
        "10000000000000000",
        "18446744073709551615",
        "18446744073709551616",
        "28446744073709551615",
        "184467440737095516150",
        "00",
        "01",
        "-0",
        "-1",
        "-9223372036854775807",
        "-9223372036854775808",
        "-9223372036854775809",
        "9223372036854775808",
        "1.0",
        "1e3",
        "",
        "true",
        "null",
        "\"0x0\"",
        "\"0xffffffffffffffff\"",
        "\"0x1ffffffffffffffff\"",
        "\"0xAB\"",
        "\"0x\"",
        "\"12\"",
        "\"0x1g\"",
    };
    out o = {0};
    out_str(&o, HEAD);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char line[1024];
        snprintf(line, sizeof line,
                 LINE("wait.begin", "\"handles_semantic_ids\":[],\"timeout_ns\":%s,"
                                    "\"wait_type\":\"any\",\"alertable\":0")
                     LINE("kernel.return", "\"name\":\"f\",\"return_value\":%s,\"status\":"
                                           "\"0x0\",\"side_effects\":[],\"export\":"
                                           "\"0000000000000001\"")
                         LINE("thread.exit", "\"exit_code\":%s"),
                 numbers[i], numbers[i], numbers[i]);
        out_str(&o, line);
    }
    assert_int_equal(compare_parsers(o.bytes, o.used), 3 * sizeof numbers / sizeof numbers[0]);
    out_free(&o);
}

/* Fields that are missing, in other forms, in another order, or unknown. */
static void both_parsers_agree_on_other_engines_fields(void **state)
{
    static const char log[] = FOREIGN_HEAD FOREIGN("thread.exit", 6, 0, "")
        FOREIGN("thread.exit", 6, 1, "\"exit_code\":\"0x5\"") FOREIGN(
            "thread.exit", 7, 0, "\"exit_code\":\"5\"") FOREIGN("thread.exit", 6, 2,
                                                                "\"exit_code\":-5")
            FOREIGN("handle.create", 6, 3, "\"object_type\":1,\"raw_handle_id\":64") FOREIGN(
                "handle.create", 6, 4, "\"handle_semantic_id\":\"9\",\"raw_handle_id\":\"0x40\"")
                FOREIGN("handle.create", 6, 5, "\"handle_semantic_id\":5,\"object_type\":true")
                    FOREIGN("handle.create", 6, 6, "\"handle_semantic_id\":\"xyz\"")
                        FOREIGN("handle.create", 6, 7, "\"raw_handle_id\":64,\"object_type\":1")
                            FOREIGN("handle.create", 70, 0, "\"handle_semantic_id\":\"0xAB\"")
                                FOREIGN("vfs.open", 6, 8, "\"path\":\"a\",\"access\":null") FOREIGN(
                                    "vfs.open", 6, 9, "\"object\":\"0\",\"access\":2")
                                    FOREIGN("input", 6, 10, "\"port\":0,\"sticks\":[\"0x1\",2]")
                                        FOREIGN("kernel.return", 6, 11, "\"name\":\"f\"") FOREIGN(
                                            "kernel.call", 6, 12, "\"name\":\"f\",\"args\":[1,2]")
                                            FOREIGN("import.call", 6, 13,
                                                    "\"module\":\"xboxkrnl.exe\",\"ordinal\":207");
    assert_int_equal(compare_parsers(log, sizeof log - 1), 16);
}

/* What the md5 of a foreign log is made from does not depend on which parser took the line. */
static void fields_of_a_line_come_from_either_parser(void **state)
{
    weft_trace *t = open_text(HEAD LINE("thread.exit", "\"exit_code\":\"0x7\"") END);
    size_t length;
    weft_trace_next(t);
    const char *fields = weft_trace_fields(t, &length);
    static const char expected[] =
        "{\"schema_version\":1,\"engine\":\"weft\",\"kind\":\"thread.exit\",\"tid\":6,"
        "\"tid_event_idx\":5,\"deterministic\":true,\"payload\":{\"exit_code\":\"0x7\"},\"hw\":4,"
        "\"thread\":\"0123456789abcdef\",\"seq\":77,\"tick\":1000000}";
    assert_int_equal(length, sizeof expected - 1);
    assert_memory_equal(fields, expected, length);
    weft_trace_close(t);
}

/* From each place on, and in any order, the same events follow as at first. */
static void a_trace_is_read_on_from_any_of_its_places(void **state)
{
    out o = {0};
    uint64_t offsets[50], lines[50];
    write_lines(&o, 50);
    weft_trace *t = case_open(o.bytes, o.used);
    for (int n = 0; n < 50; n++) {
        jsonl_place(t, &offsets[n], &lines[n]);
        assert_non_null(weft_trace_next(t));
    }
    assert_int_equal(offsets[0], strchr(o.bytes, '\n') + 1 - o.bytes);
    assert_int_equal(lines[0], 1);
    for (int k = 0; k < 50; k++) {
        int n = k * 37 % 50;
        assert_int_equal(jsonl_seek(t, offsets[n], lines[n]), 1);
        for (int m = n; m < 50; m++) {
            assert_int_equal(weft_trace_next(t)->sequence, m);
        }
        assert_null(weft_trace_next(t));
    }
    weft_trace_close(t);
    out_free(&o);
}

/* A line without `seq` has the number of its line, less the header, before and after a seek. */
static void a_foreign_log_keeps_its_numbers_after_a_seek(void **state)
{
    weft_trace *t = open_text(foreign_log);
    uint64_t offset, line;
    for (int n = 0; n < 4; n++) {
        weft_trace_next(t);
    }
    jsonl_place(t, &offset, &line);
    weft_trace_next(t);
    weft_trace_next(t);
    jsonl_seek(t, offset, line);
    assert_int_equal(weft_trace_next(t)->sequence, 4);
    weft_trace_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_of_ours_fills_the_header),
        cmocka_unit_test(integers_keep_all_64_bits),
        cmocka_unit_test(return_without_value_is_the_void_kind),
        cmocka_unit_test(words_stand_for_any_payload),
        cmocka_unit_test(last_line_may_lack_its_newline),
        cmocka_unit_test(empty_lines_may_stand_at_the_end),
        cmocka_unit_test(higher_code_points_are_their_utf8_bytes),
        cmocka_unit_test(order_and_space_do_not_matter),
        cmocka_unit_test(define_gives_an_identity_its_text),
        cmocka_unit_test(trace_without_its_end_says_that_it_was_cut),
        cmocka_unit_test(reference_log_is_read_to_its_end),
        cmocka_unit_test(reference_call_is_known_by_its_name),
        cmocka_unit_test(reference_contention_keeps_pointer_and_site),
        cmocka_unit_test(kind_that_only_they_have_keeps_its_name),
        cmocka_unit_test(malformed_lines_are_refused_with_their_number),
        cmocka_unit_test(header_is_required_in_version_one),
        cmocka_unit_test(cut_anywhere_is_read_up_to_the_cut),
        cmocka_unit_test(line_beyond_the_limit_is_refused),
        cmocka_unit_test(both_parsers_read_the_same),
        cmocka_unit_test(both_parsers_agree_on_damaged_lines),
        cmocka_unit_test(both_parsers_agree_on_odd_numbers),
        cmocka_unit_test(both_parsers_agree_on_other_engines_fields),
        cmocka_unit_test(fields_of_a_line_come_from_either_parser),
        cmocka_unit_test(a_trace_is_read_on_from_any_of_its_places),
        cmocka_unit_test(a_foreign_log_keeps_its_numbers_after_a_seek),
    };
    return cmocka_run_group_tests_name("trace-jsonl", tests, NULL, NULL);
}
