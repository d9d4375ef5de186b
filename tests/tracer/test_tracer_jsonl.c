/* The lines that tracer-jsonl writes. Expectations are written out by hand from the description of
 * schema v1 (docs/trace.md): field names, order, number formats. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "trace_case.h"

#define HEAD_OF(kind)                                                                              \
    "{\"schema_version\":1,\"engine\":\"weft\",\"kind\":\"" kind "\",\"tid\":6,"                   \
    "\"tid_event_idx\":5,\"guest_cycle\":4242,\"host_ns\":0,\"deterministic\":true,\"payload\":{"
#define TAIL "},\"hw\":4,\"thread\":\"0123456789abcdef\",\"seq\":77,\"tick\":1000000}"

static int setup(void **state)
{
    trace_case *c = malloc(sizeof *c);
    trace_setup(c);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    trace_teardown(*state);
    free(*state);
    return 0;
}

static uint64_t id_of(const char *text)
{
    return weft_fnv1a(text, strlen(text));
}

/* The identity of an export as its line shows it. */
static char *with_id(char *buffer, size_t size, const char *before, const char *text,
                     const char *after)
{
    snprintf(buffer, size, "%s%016llx%s", before, (unsigned long long)id_of(text), after);
    return buffer;
}

static void header_line_comes_first_with_version_one(void **state)
{
    trace_case *c = *state;
    trace_open(c);
    trace_close(c, UINT64_MAX);
    assert_string_equal(trace_line(c, 0),
                        "{\"schema_version\":1,\"engine\":\"weft\",\"kind\":\"schema_version\","
                        "\"tid\":0,\"tid_event_idx\":0,\"guest_cycle\":0,\"host_ns\":0,"
                        "\"deterministic\":true,\"payload\":{\"version\":1,\"emitter_build\":"
                        "\"0.1.0\",\"title\":\"hello.xex\",\"profile_digest\":"
                        "\"00112233445566778899aabbccddeeff\",\"first\":0,\"digest\":"
                        "\"99aa06d3014798d86001c324468d497f\",\"partial\":false}}");
}

static void header_line_says_when_filters_hide_events(void **state)
{
    trace_case *c = *state;
    c->begin.partial = 1;
    c->begin.first = 9;
    trace_open(c);
    trace_close(c, 8);
    const char *line = trace_line(c, 0);
    assert_non_null(strstr(line, "\"first\":9,"));
    assert_non_null(strstr(line, "\"partial\":true}}"));
}

static void end_line_carries_last_sequence_and_digest(void **state)
{
    trace_case *c = *state;
    trace_open(c);
    trace_close(c, 1234);
    assert_string_equal(
        trace_line(c, 1),
        "{\"schema_version\":1,\"engine\":\"weft\",\"kind\":\"trace.end\",\"tid\":0,"
        "\"tid_event_idx\":0,\"guest_cycle\":0,\"host_ns\":0,\"deterministic\":true,"
        "\"payload\":{\"last\":1234,\"digest\":"
        "\"ffeeddccbbaa99887766554433221100\"}}");
}

static void generic_kind_follows_the_table(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_HANDLE_CREATE);
    weft_event_word(&e, 0x85944171f73967e8);
    weft_event_word(&e, 12);
    weft_event_word(&e, 0xf8000010);
    assert_string_equal(trace_one(*state, &e),
                        HEAD_OF("handle.create") "\"handle_semantic_id\":\"85944171f73967e8\","
                                                 "\"object_type\":12,\"raw_handle_id\":"
                                                 "\"0xf8000010\"" TAIL);
}

static void import_call_names_module_and_ordinal(void **state)
{
    weft_event_buffer e;
    char expected[1024];
    trace_start(&e, WEFT_EVENT_IMPORT_CALL);
    weft_event_word(&e, id_of(TRACE_CREATE_FILE));
    weft_event_word(&e, 0x82001234);
    with_id(expected, sizeof expected,
            HEAD_OF("import.call") "\"module\":\"xboxkrnl.exe\",\"ordinal\":210,\"name\":"
                                   "\"NtCreateFile\",\"export\":\"",
            TRACE_CREATE_FILE, "\",\"caller\":\"0x82001234\"" TAIL);
    assert_string_equal(trace_one(*state, &e), expected);
}

static void missing_export_names_module_and_ordinal(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_EXPORT_MISSING);
    weft_event_word(&e, id_of(TRACE_CLOSE));
    weft_event_word(&e, 0x82001234);
    assert_non_null(strstr(trace_one(*state, &e), "\"module\":\"xboxkrnl.exe\",\"ordinal\":207,"
                                                  "\"name\":\"NtClose\",\"export\":"));
}

static void kernel_call_puts_values_under_argument_names(void **state)
{
    weft_event_buffer e;
    char expected[1024];
    trace_start(&e, WEFT_EVENT_KERNEL_CALL);
    weft_event_word(&e, id_of(TRACE_CREATE_FILE));
    weft_event_array(&e, (const uint64_t[]){0x7001fe40, 0x80100080, 7}, 3);
    weft_event_text(&e, "game:\\a.txt", 11);
    with_id(expected, sizeof expected,
            HEAD_OF("kernel.call") "\"name\":\"NtCreateFile\",\"args\":{\"handle_out\":1879178816,"
                                   "\"access\":2148532352,\"attrs\":7},\"args_resolved\":{"
                                   "\"path\":\"game:\\\\a.txt\"},\"export\":\"",
            TRACE_CREATE_FILE, "\"" TAIL);
    assert_string_equal(trace_one(*state, &e), expected);
}

static void kernel_call_without_path_resolves_nothing(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_KERNEL_CALL);
    weft_event_word(&e, id_of(TRACE_CLOSE));
    weft_event_array(&e, (const uint64_t[]){16}, 1);
    weft_event_text(&e, "", 0);
    assert_non_null(
        strstr(trace_one(*state, &e), "\"args\":{\"handle\":16},\"args_resolved\":{},"));
}

static void variadic_arguments_are_numbered(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_KERNEL_CALL);
    weft_event_word(&e, id_of(TRACE_PRINT));
    weft_event_array(&e, (const uint64_t[]){1, 2, 3}, 3);
    weft_event_text(&e, "", 0);
    assert_non_null(
        strstr(trace_one(*state, &e), "\"args\":{\"format\":1,\"arg1\":2,\"arg2\":3},"));
}

static void export_without_definition_keeps_its_identity(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_KERNEL_CALL);
    weft_event_word(&e, 0xabc);
    weft_event_array(&e, (const uint64_t[]){1}, 1);
    weft_event_text(&e, "", 0);
    const char *line = trace_one(*state, &e);
    assert_non_null(strstr(line, "\"name\":\"\",\"args\":{\"arg0\":1},"));
    assert_non_null(strstr(line, "\"export\":\"0000000000000abc\""));
}

static void definition_of_another_form_is_all_name(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_KERNEL_RETURN_VOID);
    weft_event_word(&e, id_of("plain text"));
    assert_non_null(strstr(trace_one(*state, &e), "\"name\":\"plain text\","));
}

static void kernel_return_shows_all_64_bits_and_the_low_32_as_status(void **state)
{
    weft_event_buffer e;
    char expected[1024];
    trace_start(&e, WEFT_EVENT_KERNEL_RETURN);
    weft_event_word(&e, id_of(TRACE_CLOSE));
    weft_event_word(&e, 0xffffffffc0000034); /* = 2^64 - 1073741772, by hand */
    with_id(expected, sizeof expected,
            HEAD_OF("kernel.return") "\"name\":\"NtClose\",\"return_value\":18446744072635809844,"
                                     "\"status\":\"0xc0000034\",\"side_effects\":[],\"export\":\"",
            TRACE_CLOSE, "\"" TAIL);
    assert_string_equal(trace_one(*state, &e), expected);
}

static void kernel_return_status_has_eight_digits(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_KERNEL_RETURN);
    weft_event_word(&e, id_of(TRACE_CLOSE));
    weft_event_word(&e, 0);
    assert_non_null(strstr(trace_one(*state, &e), "\"return_value\":0,\"status\":\"0x00000000\","));
}

static void void_return_is_a_kernel_return_without_value(void **state)
{
    weft_event_buffer e;
    char expected[1024];
    trace_start(&e, WEFT_EVENT_KERNEL_RETURN_VOID);
    weft_event_word(&e, id_of(TRACE_PRINT));
    with_id(expected, sizeof expected,
            HEAD_OF("kernel.return") "\"name\":\"DbgPrint\",\"side_effects\":[],\"export\":\"",
            TRACE_PRINT, "\"" TAIL);
    assert_string_equal(trace_one(*state, &e), expected);
}

static void wait_for_any_shows_identities_and_infinite_timeout(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_WAIT_BEGIN);
    weft_event_array(&e, (const uint64_t[]){1, 0x85944171f73967e8}, 2);
    weft_event_word(&e, (uint64_t)-1);
    weft_event_word(&e, 0);
    weft_event_word(&e, 1);
    assert_string_equal(trace_one(*state, &e),
                        HEAD_OF("wait.begin") "\"handles_semantic_ids\":[\"0000000000000001\","
                                              "\"85944171f73967e8\"],\"timeout_ns\":-1,"
                                              "\"wait_type\":\"any\",\"alertable\":1" TAIL);
}

static void wait_for_all_says_so(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_WAIT_BEGIN);
    weft_event_array(&e, NULL, 0);
    weft_event_word(&e, 30000000);
    weft_event_word(&e, 1);
    weft_event_word(&e, 0);
    assert_non_null(strstr(trace_one(*state, &e),
                           "\"handles_semantic_ids\":[],\"timeout_ns\":30000000,"
                           "\"wait_type\":\"all\",\"alertable\":0"));
}

static void define_is_a_kind_of_its_own(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_DEFINE);
    weft_event_word(&e, id_of("foobar")); /* the FNV-1a test vector: 85944171f73967e8 */
    weft_event_text(&e, "thread", 6);
    weft_event_text(&e, "foobar", 6);
    assert_non_null(strstr(trace_one(*state, &e),
                           "\"kind\":\"define\",\"tid\":6,\"tid_event_idx\":5,\"guest_cycle\":4242,"
                           "\"host_ns\":0,\"deterministic\":true,\"payload\":{\"id\":"
                           "\"85944171f73967e8\",\"what\":\"thread\",\"text\":\"foobar\"}"));
}

static void smallest_and_largest_integers_are_exact(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_WAIT_BEGIN);
    e.head.tick = UINT64_MAX;
    weft_event_array(&e, NULL, 0);
    weft_event_word(&e, UINT64_C(1) << 63);
    weft_event_word(&e, 0);
    weft_event_word(&e, UINT64_MAX);
    const char *line = trace_one(*state, &e);
    assert_non_null(strstr(line, "\"timeout_ns\":-9223372036854775808,"));
    assert_non_null(strstr(line, "\"alertable\":18446744073709551615}"));
    assert_non_null(strstr(line, "\"tick\":18446744073709551615}"));
}

static void control_characters_and_quotes_are_escaped(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_DEBUG_PRINT);
    weft_event_text(&e, "a\"b\\c\n\r\t\b\f\x01\x7f/", 13);
    assert_non_null(
        strstr(trace_one(*state, &e), "{\"text\":\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u007f/\"}"));
}

static void bytes_above_ascii_become_escapes(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_DEBUG_PRINT);
    weft_event_text(&e, "\xc3\xa9\xff\0z", 5); /* valid UTF-8, an invalid byte, a NUL */
    assert_non_null(strstr(trace_one(*state, &e), "{\"text\":\"\\u00c3\\u00a9\\u00ff\\u0000z\"}"));
}

static void payload_that_does_not_fit_is_kept_as_words(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_THREAD_EXIT);
    weft_event_word(&e, 1);
    weft_event_word(&e, 0xff); /* one more than the row has */
    assert_string_equal(trace_one(*state, &e),
                        HEAD_OF("thread.exit") "\"words\":[\"0x1\",\"0xff\"]" TAIL);
}

static void string_longer_than_its_event_is_not_read(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_DEBUG_PRINT);
    weft_event_word(&e, UINT64_MAX - 3); /* rounds to 0 words if nobody looks */
    assert_non_null(strstr(trace_one(*state, &e), "{\"words\":[\"0xfffffffffffffffc\"]}"));
}

static void unknown_kind_is_kept_by_number(void **state)
{
    weft_event_buffer e;
    trace_start(&e, 999);
    weft_event_word(&e, 16);
    assert_string_equal(trace_one(*state, &e), HEAD_OF("kind.999") "\"words\":[\"0x10\"]" TAIL);
}

static void logs_are_not_deterministic(void **state)
{
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_LOG);
    weft_event_word(&e, 2);
    weft_event_text(&e, "host", 4);
    assert_non_null(strstr(trace_one(*state, &e), "\"deterministic\":false"));
}

static void nothing_is_deterministic_in_parallel_mode(void **state)
{
    trace_case *c = *state;
    weft_event_buffer e;
    c->fake.machine.mode = WEFT_MODE_PARALLEL;
    trace_start(&e, WEFT_EVENT_THREAD_EXIT);
    weft_event_word(&e, 0);
    assert_non_null(strstr(trace_one(c, &e), "\"deterministic\":false"));
}

/* A run that is killed at once leaves what `weft trace stat` can read. */
static void open_brings_the_header_into_the_file(void **state)
{
    trace_case *c = *state;
    trace_open(c);
    assert_non_null(strstr(trace_line(c, 0), "\"kind\":\"schema_version\""));
    trace_close(c, UINT64_MAX);
}

static void flush_brings_whole_lines_into_the_file(void **state)
{
    trace_case *c = *state;
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_THREAD_EXIT);
    weft_event_word(&e, 0);
    trace_open(c);
    trace_event(c, &e);
    assert_null(strstr(trace_text(c), "thread.exit")); /* 256 KiB are gathered first */
    c->ops->flush(c->fake.instance);
    const char *text = trace_text(c);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_non_null(strstr(text, "thread.exit"));
    trace_close(c, 77);
}

static void buffer_of_zero_writes_each_line_at_once(void **state)
{
    trace_case *c = *state;
    weft_event_buffer e;
    c->fake.desc->destroy(c->fake.instance);
    fake_set(&c->fake, "buffer_kib", "0");
    fake_create(&c->fake);
    trace_start(&e, WEFT_EVENT_THREAD_EXIT);
    weft_event_word(&e, 0);
    trace_open(c);
    trace_event(c, &e);
    assert_non_null(strstr(trace_text(c), "thread.exit"));
    trace_close(c, 77);
}

static void host_time_fills_host_ns_on_request_only(void **state)
{
    trace_case *c = *state;
    weft_event_buffer e;
    c->fake.desc->destroy(c->fake.instance);
    fake_set(&c->fake, "host_time", "yes");
    fake_create(&c->fake);
    trace_start(&e, WEFT_EVENT_THREAD_EXIT);
    weft_event_word(&e, 0);
    trace_open(c);
    usleep(1);
    trace_event(c, &e);
    trace_close(c, 77);
    assert_null(strstr(trace_line(c, 1), "\"host_ns\":0,"));
}

static void equal_runs_leave_equal_bytes(void **state)
{
    trace_case *c = *state;
    weft_event_buffer e;
    char *texts[2];
    for (int run = 0; run < 2; run++) {
        trace_open(c);
        for (uint64_t i = 0; i < 200; i++) {
            trace_start(&e, WEFT_EVENT_GPU_SWAP);
            for (uint64_t word = 0; word < 5; word++) {
                weft_event_word(&e, i * 0x9e3779b97f4a7c15 + word);
            }
            trace_event(c, &e);
        }
        trace_close(c, 199);
        texts[run] = strdup(trace_text(c));
    }
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

static void second_open_starts_a_new_file(void **state)
{
    trace_case *c = *state;
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_THREAD_EXIT);
    weft_event_word(&e, 0);
    trace_one(c, &e);
    trace_open(c);
    trace_close(c, 77);
    assert_null(strstr(trace_text(c), "thread.exit"));
}

static void two_instances_write_two_files(void **state)
{
    trace_case *c = *state;
    trace_case other;
    weft_event_buffer e;
    trace_setup(&other);
    trace_open(c);
    trace_open(&other);
    trace_start(&e, WEFT_EVENT_THREAD_EXIT);
    weft_event_word(&e, 0);
    trace_event(&other, &e);
    trace_close(c, 77);
    trace_close(&other, 77);
    assert_null(strstr(trace_text(c), "thread.exit"));
    assert_non_null(strstr(trace_text(&other), "thread.exit"));
    trace_teardown(&other);
}

static void full_disk_is_reported_once_at_close(void **state)
{
    trace_case *c = *state;
    weft_event_buffer e;
    c->fake.values[0] = "/dev/full"; /* writes fail with ENOSPC, see full(4) */
    trace_start(&e, WEFT_EVENT_DEBUG_PRINT);
    weft_event_text(&e, "a line of text", 14);
    trace_open(c);
    for (int i = 0; i < 5000; i++) {
        trace_event(c, &e);
    }
    assert_int_equal(c->fake.fails, 0);
    assert_int_equal(c->ops->close(c->fake.instance, 77, ""), WEFT_E_IO);
    assert_int_equal(c->fake.fails, 1);
    assert_string_equal(c->fake.sentence, "cannot write /dev/full (found No space left on device, "
                                          "expected room beyond the first 0 bytes)");
}

static void path_that_cannot_be_created_is_refused_at_open(void **state)
{
    trace_case *c = *state;
    c->fake.values[0] = "/nonexistent/folder/trace.jsonl";
    assert_int_equal(c->ops->open(c->fake.instance, &c->begin), WEFT_E_IO);
    assert_int_equal(c->fake.fails, 1);
    assert_non_null(strstr(c->fake.sentence, "/nonexistent/folder/trace.jsonl"));
    assert_non_null(strstr(c->fake.sentence, "No such file or directory"));
}

static void dash_writes_to_stdout_and_leaves_it_open(void **state)
{
    trace_case *c = *state;
    int file = open(c->path, O_WRONLY | O_TRUNC);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    dup2(file, STDOUT_FILENO);
    c->fake.values[0] = "-";
    trace_open(c);
    trace_close(c, 77);
    int still_open = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(file);
    assert_true(still_open);
    assert_non_null(strstr(trace_line(c, 0), "\"kind\":\"schema_version\""));
}

static void destroy_without_close_keeps_what_was_traced(void **state)
{
    trace_case *c = *state;
    weft_event_buffer e;
    trace_start(&e, WEFT_EVENT_THREAD_EXIT);
    weft_event_word(&e, 0);
    trace_open(c);
    trace_event(c, &e);
    c->fake.desc->destroy(c->fake.instance);
    c->fake.instance = NULL;
    assert_non_null(strstr(trace_text(c), "thread.exit"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(header_line_comes_first_with_version_one),
        CASE(header_line_says_when_filters_hide_events),
        CASE(end_line_carries_last_sequence_and_digest),
        CASE(generic_kind_follows_the_table),
        CASE(import_call_names_module_and_ordinal),
        CASE(missing_export_names_module_and_ordinal),
        CASE(kernel_call_puts_values_under_argument_names),
        CASE(kernel_call_without_path_resolves_nothing),
        CASE(variadic_arguments_are_numbered),
        CASE(export_without_definition_keeps_its_identity),
        CASE(definition_of_another_form_is_all_name),
        CASE(kernel_return_shows_all_64_bits_and_the_low_32_as_status),
        CASE(kernel_return_status_has_eight_digits),
        CASE(void_return_is_a_kernel_return_without_value),
        CASE(wait_for_any_shows_identities_and_infinite_timeout),
        CASE(wait_for_all_says_so),
        CASE(define_is_a_kind_of_its_own),
        CASE(smallest_and_largest_integers_are_exact),
        CASE(control_characters_and_quotes_are_escaped),
        CASE(bytes_above_ascii_become_escapes),
        CASE(payload_that_does_not_fit_is_kept_as_words),
        CASE(string_longer_than_its_event_is_not_read),
        CASE(unknown_kind_is_kept_by_number),
        CASE(logs_are_not_deterministic),
        CASE(nothing_is_deterministic_in_parallel_mode),
        CASE(open_brings_the_header_into_the_file),
        CASE(flush_brings_whole_lines_into_the_file),
        CASE(buffer_of_zero_writes_each_line_at_once),
        CASE(host_time_fills_host_ns_on_request_only),
        CASE(equal_runs_leave_equal_bytes),
        CASE(second_open_starts_a_new_file),
        CASE(two_instances_write_two_files),
        CASE(full_disk_is_reported_once_at_close),
        CASE(path_that_cannot_be_created_is_refused_at_open),
        CASE(dash_writes_to_stdout_and_leaves_it_open),
        CASE(destroy_without_close_keeps_what_was_traced),
    };
    return cmocka_run_group_tests_name("tracer-jsonl", tests, NULL, NULL);
}
