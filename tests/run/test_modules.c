/* Titles of several modules, end to end. What sdk/guest/titles/modules prints follows from its
 * sources: sums by arithmetic, statuses by their names in [MS-ERREF], order by the rule that what
 * is imported attaches first and detaches last (Microsoft, "DllMain entry point"). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft_run.h"

static const char *const modules[] = {"modules", "worker", "extra", "mate", "twin", "refuse"};
#define MODULE_COUNT (sizeof modules / sizeof modules[0])

typedef struct blob {
    uint8_t *bytes;
    size_t size;
} blob;

static blob read_blob(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    blob b = {.size = (size_t)ftell(file)};
    rewind(file);
    b.bytes = malloc(b.size + 1);
    assert_non_null(b.bytes);
    assert_int_equal(fread(b.bytes, 1, b.size, file), b.size);
    fclose(file);
    return b;
}

static void write_blob(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* scratch()/set/name, static buffer. */
static char *in_set(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/set/%s", scratch(), name);
    return path;
}

static void copy(const char *built, const char *name)
{
    blob b = read_blob(title(built));
    write_blob(in_set(name), b.bytes, b.size);
    free(b.bytes);
}

/* A folder of its own with all modules of the title, as built. */
static void make_set(void)
{
    title("modules");
    mkdir(in_set(""), 0700);
    for (size_t i = 0; i < MODULE_COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.xex", modules[i]);
        unlink(in_set(name));
        copy(modules[i], name);
    }
    unlink(in_set("WORKER.XEX"));
}

static weft_run run_set(void)
{
    return weft_json(in_set("modules.xex"), NULL);
}

static void assert_refused(const char *part)
{
    weft_run r = run_set();
    assert_int_equal(r.signal, 0);
    assert_int_equal(r.status, 3);
    assert_int_equal(lines_with(r.err, "weft: error:"), 1);
    assert_int_equal(lines_with(r.err, ""), 1);
    assert_non_null(strstr(r.err, "modules.xex"));
    if (!strstr(r.err, part)) {
        print_message("%s", r.err);
    }
    assert_non_null(strstr(r.err, part));
    weft_free(&r);
}

static void title_of_modules_runs(void **state)
{
    weft_run r = weft_json(title("modules"), NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "worker: attach\n"
                               "modules: main\n"
                               "modules: the sum to 100 is 5050, by pointer to 10 55\n"
                               "modules: the count is 1102, the variable 1102\n"
                               "modules: worker itself has 1103\n"
                               "modules: worker lies at 0x88000000\n"
                               "mate: attach\n"
                               "extra: attach, mate gives 3, handle given\n"
                               "modules: game:\\extra.xex loads with 0x00000000\n"
                               "modules: ordinal 1 gives 0x00000000\n"
                               "modules: extra gives 15150\n" /* 5050 * 3 */
                               "modules: ordinal 2 gives 0xc0000263\n"
                               "modules: extra.xex loads with 0x00000000\n"
                               "modules: extra still gives 30\n" /* (1 + 2 + 3 + 4) * 3 */
                               "modules: game:\\twin.xex loads with 0xc0000018\n"
                               "extra: detach, mate gives 3, handle given\n"
                               "mate: detach\n"
                               "twin: attach\n"
                               "modules: game:\\twin.xex loads with 0x00000000\n"
                               "modules: ordinal 1 gives 0x00000000\n"
                               "modules: twin gives 10000\n" /* not extra's decoded code */
                               "twin: detach\n"
                               "modules: game:\\absent.xex loads with 0xc0000135\n"
                               "refuse: attach\n"
                               "refuse: detach\n"
                               "modules: game:\\refuse.xex loads with 0xc0000142\n"
                               "modules: a handle that is none gives 0xc0000008\n"
                               "modules: 0 checks failed\n");
    /* what could not be loaded is told; what was not there is the title's business */
    assert_int_equal(lines_with(r.err, "warn"), 2);
    assert_int_equal(lines_with(r.err, "refuse.xex: its DllMain refused to attach"), 1);
    assert_int_equal(lines_with(r.err, "twin.xex: image at 0x88100000"), 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(r.json, "unimplemented")), 0);
    weft_free(&r);
}

static void runs_are_equal(void **state)
{
    weft_run a = weft_json(title("modules"), NULL);
    weft_run b = weft_json(title("modules"), NULL);
    assert_int_equal(a.status, 0);
    assert_string_equal(report_text(&a, "trace_digest"), report_text(&b, "trace_digest"));
    assert_string_equal(report_text(&a, "state_digest"), report_text(&b, "state_digest"));
    weft_free(&a);
    weft_free(&b);
}

/* One module.load a load, what is imported before what imports it. */
static void loads_are_traced(void **state)
{
    static const char *const order[] = {"worker", "modules", "mate", "extra", "twin", "refuse"};
    char *path = scratch_file("trace.jsonl");
    weft_run r = weft_json("--trace", path, title("modules"), NULL);
    assert_int_equal(r.status, 0);
    blob text = read_blob(path);
    text.bytes[text.size] = 0;
    const char *at = (char *)text.bytes;
    for (size_t i = 0; i < MODULE_COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "\"%s.xex\"", order[i]);
        at = strstr(at, "\"module.load\"");
        assert_non_null(at);
        const char *end = strchr(at, '\n');
        assert_non_null(memmem(at, (size_t)(end - at), name, strlen(name)));
        at = end;
    }
    assert_null(strstr(at, "\"module.load\""));
    free(text.bytes);
    free(path);
    weft_free(&r);
}

static void file_names_match_without_case(void **state)
{
    make_set();
    unlink(in_set("worker.xex"));
    copy("worker", "WORKER.XEX");
    weft_run r = run_set();
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "modules: 0 checks failed\n"));
    weft_free(&r);
}

static void absent_module_is_named(void **state)
{
    make_set();
    unlink(in_set("worker.xex"));
    assert_refused("imports worker.xex: no such module");
}

/* A module that a module needs: the load fails, the title does not. */
static void absent_inner_module_fails_the_load(void **state)
{
    make_set();
    unlink(in_set("mate.xex"));
    weft_run r = run_set();
    assert_int_equal(r.signal, 0);
    assert_non_null(strstr(r.out, "modules: game:\\extra.xex loads with 0xc0000135\n"));
    assert_int_equal(lines_with(r.err, "extra.xex: imports mate.xex: no such module"), 1);
    weft_free(&r);
}

static void truncated_module_is_refused(void **state)
{
    make_set();
    blob b = read_blob(in_set("worker.xex"));
    for (size_t i = 0; i < 12; i++) {
        write_blob(in_set("worker.xex"), b.bytes, b.size * i / 12);
        assert_refused("imports worker.xex: ");
    }
    free(b.bytes);
}

/* mate.xex under another name has ordinal 5 alone. */
static void absent_ordinal_is_named(void **state)
{
    make_set();
    copy("mate", "worker.xex");
    assert_refused("worker.xex: no export with ordinal 1 ");
}

/* Another title is linked where this one is. */
static void taken_range_is_refused(void **state)
{
    make_set();
    copy("hello", "worker.xex");
    assert_refused("image at 0x82000000");
}

static void links_lead_nowhere(void **state)
{
    make_set();
    unlink(in_set("worker.xex"));
    assert_int_equal(symlink(title("worker"), in_set("worker.xex")), 0);
    assert_refused("imports worker.xex: no such module");
    unlink(in_set("worker.xex"));
}

/* DllMain of a module that the title imports answers false: `li r3,1` becomes `li r3,0`. */
static void refusal_before_the_title_ends_it(void **state)
{
    static const uint8_t one[] = {0x38, 0x60, 0x00, 0x01};
    make_set();
    blob b = read_blob(in_set("worker.xex"));
    int found = 0;
    for (uint8_t *at; (at = memmem(b.bytes, b.size, one, 4)) != NULL; found++) {
        at[3] = 0; /* the compiler has more than one return in dll_main, and nowhere else */
    }
    assert_true(found > 0);
    write_blob(in_set("worker.xex"), b.bytes, b.size);
    weft_run r = run_set();
    assert_int_equal(r.status, 1);
    assert_string_equal(r.out, "worker: attach\n");
    assert_int_equal(lines_with(r.err, "weft: error:"), 1);
    assert_non_null(strstr(r.err, "worker.xex: its DllMain refused to attach"));
    free(b.bytes);
    weft_free(&r);
}

static const char *field(const cJSON *item, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(item, key));
    return text ? text : "";
}

/* Imports of `library` with `status` that `weft info` lists for the set's title. */
static int imports_with(const char *library, const char *status)
{
    weft_run r = weft("info", "--json", in_set("modules.xex"), NULL);
    assert_int_equal(r.status, 0);
    cJSON *info = cJSON_Parse(r.out);
    assert_non_null(info);
    int count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(info, "imports"))
    {
        count += strcmp(field(item, "library"), library) == 0 &&
                 strcmp(field(item, "status"), status) == 0;
    }
    cJSON_Delete(info);
    weft_free(&r);
    return count;
}

static void info_looks_beside_the_title(void **state)
{
    make_set();
    assert_int_equal(imports_with("worker.xex", "implemented"), 3);
    assert_int_equal(imports_with("worker.xex", "missing"), 0);
    copy("mate", "worker.xex");
    assert_int_equal(imports_with("worker.xex", "missing"), 3);
    unlink(in_set("worker.xex"));
    assert_int_equal(imports_with("worker.xex", "missing"), 3);
    assert_int_equal(imports_with("worker.xex", "implemented"), 0);
}

static void info_lists_a_dlls_exports(void **state)
{
    weft_run r = weft("info", "--json", title("worker"), NULL);
    assert_int_equal(r.status, 0);
    cJSON *info = cJSON_Parse(r.out);
    assert_non_null(info);
    const cJSON *list = cJSON_GetObjectItem(info, "exports");
    assert_int_equal(cJSON_GetArraySize(list), 3);
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        assert_int_equal((int)cJSON_GetObjectItem(item, "ordinal")->valuedouble, i + 1);
        assert_in_range((uint64_t)cJSON_GetObjectItem(item, "address")->valuedouble, 0x88010000u,
                        0x88050000u);
    }
    cJSON_Delete(info);
    weft_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(title_of_modules_runs),
        cmocka_unit_test(runs_are_equal),
        cmocka_unit_test(loads_are_traced),
        cmocka_unit_test(file_names_match_without_case),
        cmocka_unit_test(absent_module_is_named),
        cmocka_unit_test(absent_inner_module_fails_the_load),
        cmocka_unit_test(truncated_module_is_refused),
        cmocka_unit_test(absent_ordinal_is_named),
        cmocka_unit_test(taken_range_is_refused),
        cmocka_unit_test(links_lead_nowhere),
        cmocka_unit_test(refusal_before_the_title_ends_it),
        cmocka_unit_test(info_looks_beside_the_title),
        cmocka_unit_test(info_lists_a_dlls_exports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
