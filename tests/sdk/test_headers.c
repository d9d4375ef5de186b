/* test_headers.c: each public header alone and all together, as C11, C17 and C++17 without a
 * warning; thread tags; the identity hash. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "weft/host.h"

#define INCLUDE_FOLDER WEFT_SOURCE_DIR "/sdk/include"
#define WARNINGS       "-Wall -Wextra -pedantic -Werror"

/* Compiles text from a pipe without output; the compiler's words go to the test's. */
static int compile(const char *compiler, const char *text)
{
    char command[512];
    snprintf(command, sizeof command, "%s " WARNINGS " -I" INCLUDE_FOLDER " -c -o /dev/null -",
             compiler);
    FILE *pipe = popen(command, "w");
    assert_non_null(pipe);
    fputs(text, pipe);
    return pclose(pipe);
}

static int is_header(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 2 && strcmp(entry->d_name + length - 2, ".h") == 0;
}

static void headers_with(const char *compiler)
{
    struct dirent **list;
    int count = scandir(INCLUDE_FOLDER "/weft", &list, is_header, alphasort);
    char all[4096] = "", back[4096] = "";
    assert_true(count >= 13); /* one per role and service */
    for (int i = 0; i < count; i++) {
        char line[300], text[4096];
        snprintf(line, sizeof line, "#include <weft/%s>\n", list[i]->d_name);
        if (compile(compiler, line)) {
            fail_msg("%s: %s", compiler, list[i]->d_name);
        }
        strcat(all, line);
        snprintf(text, sizeof text, "%s%s", line, back);
        strcpy(back, text);
        free(list[i]);
    }
    free(list);
    assert_int_equal(compile(compiler, all), 0);
    assert_int_equal(compile(compiler, back), 0); /* the other way round */
}

static void test_c11(void **state)
{
    headers_with("gcc -std=c11 -xc");
}

static void test_c17(void **state)
{
    headers_with("gcc -std=c17 -xc");
}

static void test_cxx17(void **state)
{
    headers_with("g++ -std=c++17 -xc++");
}

static void test_a_warning_would_be_seen(void **state)
{
    assert_int_not_equal(compile("gcc -std=c11 -xc", "static int unused;\n"), 0);
}

static void test_headers_include_the_standard_library_alone(void **state)
{
    static const char *const allowed[] = {"<stddef.h>", "<stdint.h>", "<string.h>"};
    FILE *pipe = popen("grep -h '#include' " INCLUDE_FOLDER "/weft/*.h", "r");
    char line[256];
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe)) {
        int fine = strchr(line, '"') && !strchr(line, '/');
        for (size_t i = 0; i < 3; i++) {
            fine |= strstr(line, allowed[i]) != NULL;
        }
        if (!fine) {
            fail_msg("%s", line);
        }
    }
    pclose(pipe);
}

static int check_tags(const char *text)
{
    char path[] = "/tmp/weft-tags-XXXXXX", command[256];
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    snprintf(command, sizeof command,
             WEFT_BUILD_DIR "/sdk-check/weft-check-tags %s >/dev/null 2>&1", path);
    int failed = system(command) != 0;
    unlink(path);
    return failed;
}

static void test_every_op_has_a_thread_tag(void **state)
{
    assert_int_equal(
        system(WEFT_BUILD_DIR "/sdk-check/weft-check-tags " INCLUDE_FOLDER "/weft/*.h >/dev/null"),
        0);
}

static void test_a_missing_tag_is_found(void **state)
{
    assert_int_equal(check_tags("struct s {\n/* Does it. [guest] */\nint (*op)(void *);\n};\n"), 0);
    assert_int_equal(check_tags("struct s {\n/* Does it. */\nint (*op)(void *);\n};\n"), 1);
    assert_int_equal(check_tags("struct s {\n/* Does it. [nobody] */\nint (*op)(void *);\n};\n"),
                     1);
    assert_int_equal(check_tags("struct s {\nint (*op)(void *);\n};\n"), 1);
    /* a comment serves one op, not the next one too */
    assert_int_equal(
        check_tags("struct s {\n/* It. [any] */\nint (*a)(int);\nint (*b)(int);\n};\n"), 1);
    assert_int_equal(
        check_tags("/* A type. [main][guest] */\ntypedef void (*fn)(int (*inner)(int));"), 0);
}

static void test_fnv1a(void **state)
{
    /* published vectors of FNV-1a 64: draft-eastlake-fnv, test vectors */
    assert_true(weft_fnv1a("", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(weft_fnv1a("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(weft_fnv1a("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

static void test_event_table_is_sane(void **state)
{
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        const weft_event_kind *row = weft_event_kind_of(kind);
        assert_non_null(row); /* numbers have no gap */
        assert_int_equal(row->number, kind);
        for (const char *p = strchr(row->fields, ':'); p; p = strchr(p + 1, ':')) {
            assert_non_null(strchr("uxidpsUXDP", p[1]));
            const char *end = p + 2 + (p[2] == '~'); /* `~`: no part of the canonical form */
            assert_true(*end == ',' || *end == 0);
        }
        for (uint16_t other = 1; other < kind; other++) {
            assert_string_not_equal(weft_event_kind_of(other)->name, row->name);
        }
    }
    assert_null(weft_event_kind_of(0));
    assert_null(weft_event_kind_of(WEFT_EVENT_KIND_END));
}

static void test_event_payload_layout(void **state)
{
    weft_event_buffer e;
    const uint64_t values[] = {7, 8};
    weft_event_begin(&e, WEFT_EVENT_WAIT_BEGIN);
    weft_event_text(&e, "ninebytes", 9);
    weft_event_array(&e, values, 2);
    weft_event_text(&e, "", 0);
    /* event.h: string = length word and zero-padded bytes; array = count word and words */
    assert_int_equal(e.head.size, sizeof(weft_event) + 8 * (1 + 2 + 1 + 2 + 1));
    assert_int_equal(e.words[0], 9);
    assert_memory_equal(&e.words[1], "ninebytes\0\0\0\0\0\0\0", 16);
    assert_int_equal(e.words[3], 2);
    assert_int_equal(e.words[5], 8);
    assert_int_equal(e.words[6], 0);
}

static void test_event_payload_is_cut_to_fit(void **state)
{
    static char text[WEFT_EVENT_MAX_WORDS * 16];
    static uint64_t values[WEFT_EVENT_MAX_WORDS * 2];
    weft_event_buffer e;
    memset(text, 'x', sizeof text);
    weft_event_begin(&e, WEFT_EVENT_DEBUG_PRINT);
    weft_event_text(&e, text, sizeof text);
    weft_event_array(&e, values, WEFT_EVENT_MAX_WORDS * 2);
    weft_event_word(&e, 1);
    assert_true(e.head.size <= sizeof e);
    assert_int_equal(e.head.size % 8, 0);
    assert_true(e.words[0] < sizeof text);
}

static void test_status_names(void **state)
{
    assert_string_equal(weft_status_name(WEFT_OK), "ok");
    assert_string_equal(weft_status_name(WEFT_E_LIMIT), "limit");
    assert_string_equal(weft_status_name(-10), "unknown");
    assert_string_equal(weft_status_name(1), "unknown");
}

static void test_big_endian_helpers(void **state)
{
    uint8_t bytes[8];
    weft_store64(bytes, UINT64_C(0x0102030405060708));
    for (int i = 0; i < 8; i++) {
        assert_int_equal(bytes[i], i + 1);
    }
    assert_int_equal(weft_load16(bytes + 1), 0x0203);
    assert_int_equal(weft_load32(bytes + 1), 0x02030405);
    assert_true(weft_load64(bytes) == UINT64_C(0x0102030405060708));
    weft_store16(bytes, 0xABCD);
    weft_store32(bytes + 2, 0x89ABCDEF);
    assert_memory_equal(bytes, "\xAB\xCD\x89\xAB\xCD\xEF", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c11),
        cmocka_unit_test(test_c17),
        cmocka_unit_test(test_cxx17),
        cmocka_unit_test(test_a_warning_would_be_seen),
        cmocka_unit_test(test_headers_include_the_standard_library_alone),
        cmocka_unit_test(test_every_op_has_a_thread_tag),
        cmocka_unit_test(test_a_missing_tag_is_found),
        cmocka_unit_test(test_fnv1a),
        cmocka_unit_test(test_event_table_is_sane),
        cmocka_unit_test(test_event_payload_layout),
        cmocka_unit_test(test_event_payload_is_cut_to_fit),
        cmocka_unit_test(test_status_names),
        cmocka_unit_test(test_big_endian_helpers),
    };
    return cmocka_run_group_tests_name("sdk headers", tests, NULL, NULL);
}
