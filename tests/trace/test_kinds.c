/* The table of kinds: docs/trace.md's is what `weft trace kinds --markdown` prints.
 *
 *     build/tests/test-trace-kinds --write
 *
 * puts the table into docs/trace.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "weft/event.h"
#include "weft_run.h"

#define DOCUMENT WEFT_SOURCE_DIR "/docs/trace.md"
#define HEAD     "| # | kind |"

static char *read_document(void)
{
    FILE *file = fopen(DOCUMENT, "rb");
    char *text = calloc(1, 1 << 20);
    if (!file || !text || fread(text, 1, (1 << 20) - 1, file) == 0) {
        perror(DOCUMENT);
        exit(1);
    }
    fclose(file);
    return text;
}

/* Where the document's table begins and how long it is: up to the empty line. */
static char *find_table(char *text, size_t *length)
{
    char *table = strstr(text, HEAD);
    char *end = table ? strstr(table, "\n\n") : NULL;
    if (!end) {
        fprintf(stderr, "%s: no table that begins with \"%s\"\n", DOCUMENT, HEAD);
        exit(1);
    }
    *length = (size_t)(end + 1 - table);
    return table;
}

static void write_document(void)
{
    size_t length;
    char *text = read_document(), *table = find_table(text, &length);
    out o = {0};
    out_raw(&o, text, (size_t)(table - text));
    weft_trace_kinds_markdown(&o);
    out_str(&o, table + length);
    FILE *file = fopen(DOCUMENT, "wb");
    if (!file || fwrite(o.bytes, 1, o.used, file) != o.used || fclose(file) != 0) {
        perror(DOCUMENT);
        exit(1);
    }
    out_free(&o);
    free(text);
}

static void the_document_has_the_table_as_printed(void **state)
{
    size_t length;
    char *text = read_document(), *table = find_table(text, &length);
    weft_run r = weft("trace", "kinds", "--markdown", NULL);
    assert_int_equal(r.status, 0);
    int same = strlen(r.out) == length && memcmp(r.out, table, length) == 0;
    weft_free(&r);
    free(text);
    if (!same) {
        fail_msg("docs/trace.md has another table of kinds than weft trace kinds --markdown; "
                 "run: build/tests/test-trace-kinds --write");
    }
}

static void every_kind_says_what_it_is(void **state)
{
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        const char *what = weft_trace_kind_what(kind);
        assert_non_null(what);
        assert_true(strlen(what) > 0);
        assert_null(strchr(what, '|')); /* would end a cell of the table */
    }
    assert_null(weft_trace_kind_what(0));
    assert_null(weft_trace_kind_what(WEFT_EVENT_KIND_END));
}

/* Two rows, read off weft/event.h by hand: the first with a field that is no part of the canonical
 * form, the second with a flag. */
static void json_has_each_field_with_its_type(void **state)
{
    weft_run r = weft("trace", "kinds", "--json", NULL);
    cJSON *json = cJSON_Parse(r.out);
    assert_int_equal(r.status, 0);
    assert_int_equal(cJSON_GetArraySize(json), WEFT_EVENT_KIND_END - 1);
    cJSON *create = cJSON_GetArrayItem(json, 7), *packet = cJSON_GetArrayItem(json, 41);
    assert_int_equal(cJSON_GetObjectItem(create, "number")->valueint, 8);
    assert_string_equal(cJSON_GetObjectItem(create, "kind")->valuestring, "handle.create");
    assert_string_equal(cJSON_GetObjectItem(create, "class")->valuestring, "guest");
    assert_string_equal(cJSON_GetObjectItem(create, "flags")->valuestring, "");
    cJSON *fields = cJSON_GetObjectItem(create, "fields");
    assert_int_equal(cJSON_GetArraySize(fields), 3);
    char *raw = cJSON_PrintUnformatted(cJSON_GetArrayItem(fields, 2));
    assert_string_equal(raw, "{\"name\":\"raw_handle_id\",\"type\":\"x\",\"canonical\":false}");
    free(raw);
    assert_string_equal(cJSON_GetObjectItem(packet, "kind")->valuestring, "gpu.packet");
    assert_string_equal(cJSON_GetObjectItem(packet, "flags")->valuestring, "asked");
    cJSON_Delete(json);
    weft_free(&r);
}

static void plain_text_has_two_lines_a_kind(void **state)
{
    weft_run r = weft("trace", "kinds", NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, ""), 2 * (WEFT_EVENT_KIND_END - 1));
    assert_int_equal(lines_with(r.out, " 8  handle.create "), 1);
    weft_free(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_has_the_table_as_printed),
        cmocka_unit_test(every_kind_says_what_it_is),
        cmocka_unit_test(json_has_each_field_with_its_type),
        cmocka_unit_test(plain_text_has_two_lines_a_kind),
    };
    if (argc > 1 && strcmp(argv[1], "--write") == 0) {
        write_document();
        return 0;
    }
    return cmocka_run_group_tests_name("trace-kinds", tests, NULL, NULL);
}
