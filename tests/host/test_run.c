/* test_run.c: services and parts of a run, in this process; hashes of what a run reads. */
#include "support.h"

#include "host/content.h"
#include "host/run.h"

/* A run over the fake plugins, not started. */
typedef struct bench {
    loader loader;
    errors errors;
    ini text;
    profile profile;
    run run;
} bench;

static bench *bench_start(const char *text)
{
    static const run_options options = {.title = "t.xex", .arguments = ""};
    bench *b = calloc(1, sizeof *b);
    loader_start(&b->loader, RUN_FOLDER "/plugins");
    b->text.errors = &b->errors;
    ini_read_memory(&b->text, "p.ini", text, strlen(text));
    assert_int_equal(profile_resolve(&b->profile, &b->text, &b->loader, "p.ini", PROFILE_ALL_ROLES),
                     0);
    assert_int_equal(run_start(&b->run, &b->loader, &b->profile, &options), 0);
    return b;
}

static void bench_end(bench *b)
{
    run_end(&b->run);
    profile_free(&b->profile);
    ini_free(&b->text);
    errors_free(&b->errors);
    loader_end(&b->loader);
    free(b);
}

#define PROFILE                                                                                    \
    "[kernel]\nplugin = fake\nevents = 0x20\nprint = on\n[frontend]\nplugin = fake\n[machine]\n"   \
    "seed = 9\nlog = error\n"

static void test_options_reach_the_plugin(void **state)
{
    bench *b = bench_start(PROFILE);
    assert_int_equal(run_create_part(&b->run, WEFT_ROLE_KERNEL), 0);
    const weft_host *host = &b->run.parts[WEFT_ROLE_KERNEL].host;
    assert_int_equal(host->option_int(host, "events"), 32);
    assert_int_equal(host->option_int(host, "frames"), 0); /* its default */
    assert_int_equal(host->option_bool(host, "print"), 1);
    assert_string_equal(host->option_text(host, "events"), "32");
    assert_string_equal(host->option_text(host, "end"), "exit");
    assert_int_equal(host->option_int(host, "undeclared"), 0);
    assert_string_equal(host->option_text(host, "undeclared"), "");
    assert_int_equal(host->machine->seed, 9);
    assert_null(host->extension(host, "anything/1"));
    bench_end(b);
}

static void test_parts_are_found_once_created(void **state)
{
    bench *b = bench_start(PROFILE);
    const void *ops = NULL;
    void *instance = NULL;
    run_create_part(&b->run, WEFT_ROLE_KERNEL);
    const weft_host *host = &b->run.parts[WEFT_ROLE_KERNEL].host;
    assert_int_equal(host->part(host, WEFT_ROLE_FRONTEND, &ops, &instance), WEFT_E_NOT_FOUND);
    run_create_part(&b->run, WEFT_ROLE_FRONTEND);
    assert_int_equal(host->part(host, WEFT_ROLE_FRONTEND, &ops, &instance), WEFT_OK);
    assert_int_equal(((const weft_frontend_ops *)ops)->size, sizeof(weft_frontend_ops));
    assert_int_equal(host->part(host, WEFT_ROLE_CPU, &ops, &instance), WEFT_E_NOT_FOUND);
    assert_int_equal(host->part(host, 99, &ops, &instance), WEFT_E_NOT_FOUND);
    bench_end(b);
}

static void test_single_plugin_has_one_instance(void **state)
{
    bench *b = bench_start(PROFILE);
    assert_int_equal(run_create_part(&b->run, WEFT_ROLE_FRONTEND), 0);
    run other;
    run_options options = {.title = "t.xex", .arguments = ""};
    assert_int_equal(run_start(&other, &b->loader, &b->profile, &options), 0);
    assert_int_equal(run_create_part(&other, WEFT_ROLE_FRONTEND), -1);
    assert_int_equal(run_create_part(&other, WEFT_ROLE_KERNEL), 0); /* others may have two */
    assert_int_equal(run_create_part(&b->run, WEFT_ROLE_KERNEL), 0);
    run_end(&other);
    bench_end(b);
}

static void test_fail_keeps_the_latest_sentence(void **state)
{
    bench *b = bench_start(PROFILE);
    part *p = &b->run.parts[WEFT_ROLE_KERNEL];
    run_create_part(&b->run, WEFT_ROLE_KERNEL);
    assert_int_equal((p->host.fail)(&p->host, WEFT_E_IO, "first"), WEFT_E_IO);
    (p->host.fail)(&p->host, WEFT_E_FORMAT, "second (found x, expected y)");
    char *sentence = part_sentence(p, "none");
    assert_string_equal(sentence, "second (found x, expected y)");
    free(sentence);
    bench_end(b);
}

static void test_first_reason_to_stop_stays(void **state)
{
    bench *b = bench_start(PROFILE);
    run_create_part(&b->run, WEFT_ROLE_KERNEL);
    const weft_host *host = &b->run.parts[WEFT_ROLE_KERNEL].host;
    assert_int_equal(host->stop_requested(host), 0);
    run_stop(&b->run, "one");
    run_stop(&b->run, "two");
    assert_int_not_equal(host->stop_requested(host), 0);
    assert_string_equal(b->run.stop_reason, "one");
    bench_end(b);
}

static void test_define_answers_without_a_drain(void **state)
{
    bench *b = bench_start(PROFILE);
    run_create_part(&b->run, WEFT_ROLE_KERNEL);
    const weft_host *host = &b->run.parts[WEFT_ROLE_KERNEL].host;
    assert_true(host->define(host, "x", "foobar") == UINT64_C(0x85944171f73967e8)); /* event.h */
    bench_end(b);
}

static void test_title_hash(void **state)
{
    char folder[64], path[256], one[33], two[33], none[33];
    folder_start(folder);
    content_title("/nowhere/at/all", none);
    assert_string_equal(none, "00000000000000000000000000000000");
    file_write(folder, "a.xex", "abc", path);
    content_title(path, one);
    content_title(folder, two);
    assert_string_not_equal(one, two);
    assert_string_not_equal(one, none);
    file_write(folder, "a.xex", "abd", path); /* same size */
    content_title(path, two);
    assert_string_not_equal(one, two);
    content_title(folder, one);
    file_write(folder, "data.bin", "x", path);
    content_title(folder, two);
    assert_string_not_equal(one, two);
    folder_end(folder);
}

static void test_folder_hash_does_not_depend_on_order(void **state)
{
    char a[64], b[64], path[256], one[33], two[33];
    static const char *const names[] = {"x", "y", "z", "aa"};
    folder_start(a);
    folder_start(b);
    for (int i = 0; i < 4; i++) {
        file_write(a, names[i], names[i], path);
        file_write(b, names[3 - i], names[3 - i], path);
    }
    content_folder(a, one);
    content_folder(b, two);
    assert_string_equal(one, two);
    file_write(b, "aa", "AA", path);
    content_folder(b, two);
    assert_string_not_equal(one, two);
    content_folder("", one);
    assert_string_equal(one, "00000000000000000000000000000000");
    folder_end(a);
    folder_end(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_reach_the_plugin),
        cmocka_unit_test(test_parts_are_found_once_created),
        cmocka_unit_test(test_single_plugin_has_one_instance),
        cmocka_unit_test(test_fail_keeps_the_latest_sentence),
        cmocka_unit_test(test_first_reason_to_stop_stays),
        cmocka_unit_test(test_define_answers_without_a_drain),
        cmocka_unit_test(test_title_hash),
        cmocka_unit_test(test_folder_hash_does_not_depend_on_order),
    };
    return cmocka_run_group_tests_name("host run", tests, NULL, NULL);
}
