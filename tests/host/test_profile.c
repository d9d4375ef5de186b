/* test_profile.c: from text to a typed profile; every class of error with its exact line. */
#include "support.h"

#include "host/profile.h"

/* What one text resolves to. The fake kernel of tests/host/fakes is what [kernel] names. */
typedef struct resolved {
    loader loader;
    errors errors;
    ini text;
    profile profile;
} resolved;

static resolved *resolve(const char *text, const char *set)
{
    resolved *r = calloc(1, sizeof *r);
    loader_start(&r->loader, RUN_FOLDER "/plugins");
    r->text.errors = &r->errors;
    ini_read_memory(&r->text, "p.ini", text, strlen(text));
    if (set) {
        ini_set(&r->text, set);
    }
    profile_resolve(&r->profile, &r->text, &r->loader, "p.ini", PROFILE_ALL_ROLES);
    return r;
}

static void resolved_free(resolved *r)
{
    profile_free(&r->profile);
    ini_free(&r->text);
    errors_free(&r->errors);
    loader_end(&r->loader);
    free(r);
}

#define KERNEL "[kernel]\nplugin = fake\n" /* lines 1 and 2 */

/* `text` behind KERNEL gives exactly this one error. */
static void gives(const char *text, const char *set, const char *error)
{
    char all[4096];
    snprintf(all, sizeof all, KERNEL "%s", text);
    resolved *r = resolve(all, set);
    if (r->errors.count != 1 || strcmp(r->errors.lines[0], error) != 0) {
        errors_print(&r->errors, stdout);
        fail_msg("expected: %s", error);
    }
    resolved_free(r);
}

#define ERROR(name, text, error)                                                                   \
    static void name(void **state)                                                                 \
    {                                                                                              \
        gives(text, NULL, error);                                                                  \
    }

ERROR(test_unknown_section, "[machnie]\nseed = 1\nrtc = 2\n",
      "p.ini:4: unknown section (found [machnie], expected [machine])")
ERROR(test_unknown_section_far, "[zzzzzzzzzzzz]\nx = 1\n",
      "p.ini:4: unknown section (found [zzzzzzzzzzzz], expected cpu, kernel, gpu, tracer, policy, "
      "frontend, schedule, machine or include)")
ERROR(test_unknown_key, "[machine]\nsede = 1\n",
      "p.ini:4: unknown key in [machine] (found sede, expected seed)")
ERROR(test_unknown_plugin_key, "framess = 1\n",
      "p.ini:3: unknown key in [kernel] (found framess, expected frames)")
ERROR(test_integer_out_of_range, "[machine]\nvblank_hz = 0\n",
      "p.ini:4: [machine] vblank_hz has no such value (found 0, expected an integer from 1 to "
      "1000)")
ERROR(test_integer_with_letters, "[machine]\nvblank_hz = 60Hz\n",
      "p.ini:4: [machine] vblank_hz has no such value (found 60Hz, expected an integer from 1 to "
      "1000)")
ERROR(test_not_a_bool, "[machine]\nchecked = maybe\n",
      "p.ini:4: [machine] checked has no such value (found maybe, expected yes or no)")
ERROR(test_not_a_choice, "[machine]\nlog = loud\n",
      "p.ini:4: [machine] log has no such value (found loud, expected one of "
      "error|warn|info|debug)")
ERROR(test_not_a_time, "[machine]\nrtc = 2005-02-29T00:00:00Z\n",
      "p.ini:4: [machine] rtc has no such value (found 2005-02-29T00:00:00Z, expected a UTC time "
      "such as 2005-11-22T00:00:00Z)")
ERROR(test_unknown_kind, "[tracer]\nkinds = kernel.*,wait.bigin\n",
      "p.ini:4: [tracer] kinds: kind is none (found \"wait.bigin\", expected wait.begin)")
ERROR(test_not_a_thread, "[tracer]\nkinds = all\nthreads = 4294967296\n",
      "p.ini:5: [tracer] threads: thread is none (found \"4294967296\", expected a thread id below "
      "2^32)")
ERROR(test_unknown_tracer_key, "[tracer]\nkind = all\n",
      "p.ini:4: unknown key in [tracer] (found kind, expected kinds)")
ERROR(test_not_a_ratio, "[machine]\ninstruction_cost = 1/0\n",
      "p.ini:4: [machine] instruction_cost has no such value (found 1/0, expected N or N/M with N "
      "from 0 and M from 1 to 4294967295)")
ERROR(test_unknown_mode, "[schedule]\nmode = paralel\n",
      "p.ini:4: [schedule] mode has no such value (found paralel, expected one of "
      "lockstep|parallel)")
ERROR(test_set_twice, "[machine]\nseed = 1\nseed = 2\n",
      "p.ini:5: key is set twice (found [machine] seed again, expected only the one at p.ini:4)")
ERROR(test_indented_line, "[machine]\nseed = 1\n  rtc = 2\n",
      "p.ini:5: line is indented (found leading blanks, expected a key or section in the first "
      "column)")
ERROR(test_comment_behind_value, "[machine]\nseed = 1 ; one\n",
      "p.ini:4: comment behind a value (found ' ;', expected the comment on a line of its own)")
ERROR(test_line_without_value, "[machine]\nseed\n",
      "p.ini:4: line is no assignment (found seed, expected key = value)")
ERROR(test_section_without_end, "[machine\n",
      "p.ini:3: section has no end (found no ']', expected [section])")
ERROR(test_text_behind_section, "[machine] seed = 1\n",
      "p.ini:3: text behind a section (found seed = 1, expected nothing after ']')")
ERROR(test_control_character,
      "[machine]\nstate = a\x01"
      "b\n",
      "p.ini:4: line holds a control character (found byte 0x01, expected text)")
ERROR(
    test_plugin_by_path, "[policy]\nplugin = ./mine.so\n",
    "p.ini:4: [policy] plugin: plugin id is not well formed (found ./mine.so, expected an id such "
    "as policy-NAME, not a path)")
ERROR(test_unknown_include_key, "[include]\nflie = x\n",
      "p.ini:4: unknown key in [include] (found flie, expected file)")

static void test_long_line(void **state)
{
    /* inih's own buffer holds 198 bytes and a newline */
    char text[512] = "[machine]\nstate = ";
    memset(text + 18, 'x', 198 - 8); /* "state = " and 190 bytes: fits */
    strcpy(text + 18 + 190, "\n");
    char all[1024];
    snprintf(all, sizeof all, KERNEL "%s", text);
    resolved *r = resolve(all, NULL);
    assert_int_equal(r->errors.count, 0);
    assert_int_equal(strlen(r->profile.machine.state_folder), 190);
    resolved_free(r);
    memset(text + 18, 'x', 191);
    strcpy(text + 18 + 191, "\n");
    gives(text, NULL, "p.ini:4: line is too long (found 199 bytes, expected at most 198 bytes)");
}

static void test_all_errors_are_collected(void **state)
{
    resolved *r = resolve("[kernel]\nplugin = fake\ncode = x\nframes = y\n[cpuu]\na = b\n", NULL);
    assert_int_equal(r->errors.count, 3);
    resolved_free(r);
}

static void test_set_is_named_in_errors(void **state)
{
    gives("", "machine.seed=x",
          "--set machine.seed: [machine] seed has no such value (found x, expected an integer from "
          "0 to 9223372036854775807)");
    gives("", "machine",
          "--set: option is no assignment (found machine, expected "
          "section.key=value)");
}

static void test_set_wins(void **state)
{
    resolved *r = resolve(KERNEL "[machine]\nseed = 1\n", "machine.seed=0x10");
    assert_int_equal(r->profile.machine.seed, 16);
    resolved_free(r);
}

static void test_kernel_is_required(void **state)
{
    resolved *r = resolve("[machine]\nseed = 1\n", NULL);
    assert_int_equal(r->errors.count, 1);
    assert_string_equal(r->errors.lines[0], "p.ini: [kernel] plugin is missing (found none, "
                                            "expected an id such as kernel-hle)");
    resolved_free(r);
}

static void test_defaults(void **state)
{
    resolved *r = resolve(KERNEL, NULL);
    const weft_machine *m = &r->profile.machine;
    assert_int_equal(r->errors.count, 0);
    /* 1601 to 2005-11-22 are 147,883 days (Python: (date(2005,11,22)-date(1601,1,1)).days) */
    assert_int_equal(m->rtc, UINT64_C(147883) * 86400 * 10000000);
    assert_int_equal(m->instruction_cost_num, 1);
    assert_int_equal(m->instruction_cost_den, 1);
    assert_int_equal(m->call_cost, 100);
    assert_int_equal(m->io_cost, 200000);
    assert_int_equal(m->io_cost_per_kib, 20000);
    assert_int_equal(m->yield_cost, 16);
    assert_int_equal(m->lookahead, 20000);
    assert_int_equal(m->starve, 100000000);
    assert_int_equal(m->reservation_grace, 64);
    assert_int_equal(m->policy_faults, 16);
    assert_int_equal(m->vblank_hz, 60);
    assert_int_equal(m->width, 1280);
    assert_int_equal(m->height, 720);
    assert_string_equal(m->state_folder, "");
    assert_int_equal(r->profile.log, WEFT_LOG_WARN);
    assert_int_equal(r->profile.checked, 0);
    assert_string_equal(r->profile.sections[WEFT_ROLE_POLICY].plugin->desc->id, "policy-default");
    assert_null(r->profile.sections[WEFT_ROLE_CPU].plugin);
    resolved_free(r);
}

static void test_ratio(void **state)
{
    resolved *r = resolve(KERNEL "[machine]\ninstruction_cost = 1/2\n", NULL);
    assert_int_equal(r->profile.machine.instruction_cost_num, 1);
    assert_int_equal(r->profile.machine.instruction_cost_den, 2);
    resolved_free(r);
}

static void test_bare_and_full_ids_are_one(void **state)
{
    char a[33], b[33];
    resolved *one = resolve("[kernel]\nplugin = fake\n", NULL);
    resolved *two = resolve("[kernel]\nplugin = kernel-fake\n", NULL);
    profile_digest(&one->profile, "", a);
    profile_digest(&two->profile, "", b);
    assert_string_equal(a, b);
    resolved_free(one);
    resolved_free(two);
}

static void digest_of(const char *text, char hex[33])
{
    resolved *r = resolve(text, NULL);
    assert_int_equal(r->errors.count, 0);
    profile_digest(&r->profile, "", hex);
    resolved_free(r);
}

static void test_digest_is_of_meaning_not_of_text(void **state)
{
    char a[33], b[33];
    digest_of(KERNEL "[machine]\nseed = 16\nchecked = yes\nlog = debug\n", a);
    digest_of("; a comment\n[machine]\nseed : 0x10\n\n" KERNEL
              "[tracer]\nplugin = fake\n[schedule]\nmode = lockstep\n",
              b);
    assert_string_equal(a, b);
    digest_of(KERNEL "[machine]\nseed = 17\n", b);
    assert_string_not_equal(a, b);
    digest_of(KERNEL "code = 1\n[machine]\nseed = 16\n", b);
    assert_string_not_equal(a, b);
}

static void test_tracer_filter(void **state)
{
    char why[256];
    resolved *r =
        resolve(KERNEL "[tracer]\nexports = Nt*\n", "tracer.kinds=kernel.call,gpu.packet");
    assert_int_equal(r->errors.count, 0);
    uint64_t bits[1];
    weft_filter *f = profile_tracer_filter(&r->profile.sections[WEFT_ROLE_TRACER], why, sizeof why);
    assert_non_null(f);
    assert_false(weft_filter_is_empty(f));
    weft_filter_kinds(f, bits, 1);
    /* event.h: kernel.call is kind 4, gpu.packet 42 and ASKED; definitions (2) always pass */
    assert_int_equal(bits[0], UINT64_C(1) << 4 | UINT64_C(1) << 42 | UINT64_C(1) << 2);
    weft_filter_free(f);
    resolved_free(r);
    r = resolve(KERNEL, NULL);
    f = profile_tracer_filter(&r->profile.sections[WEFT_ROLE_TRACER], why, sizeof why);
    assert_true(weft_filter_is_empty(f));
    weft_filter_kinds(f, bits, 1);
    assert_false(bits[0] >> 42 & 1);
    weft_filter_free(f);
    resolved_free(r);
}

static void test_print_reads_back(void **state)
{
    resolved *r = resolve(KERNEL "events = 0x20\n[machine]\nstate = /a b/c#d\ninstruction_cost = "
                                 "3/4\n",
                          NULL);
    buffer text = {0};
    char a[33], b[33];
    profile_print(&r->profile, &text);
    profile_digest(&r->profile, "", a);
    resolved *again = resolve(text.bytes, NULL);
    assert_int_equal(again->errors.count, 0);
    profile_digest(&again->profile, "", b);
    assert_string_equal(a, b);
    assert_string_equal(again->profile.machine.state_folder, "/a b/c#d");
    assert_contains(text.bytes, "events = 32\n");
    assert_contains(text.bytes, "; int 0..10000000, default 10; set at p.ini:3\n");
    buffer_free(&text);
    resolved_free(r);
    resolved_free(again);
}

/* Files of a folder read as one profile. */
static resolved *resolve_file(const char *path)
{
    resolved *r = calloc(1, sizeof *r);
    loader_start(&r->loader, RUN_FOLDER "/plugins");
    r->text.errors = &r->errors;
    ini_read_file(&r->text, path);
    profile_resolve(&r->profile, &r->text, &r->loader, path, PROFILE_ALL_ROLES);
    return r;
}

static void test_include_is_relative_and_weaker(void **state)
{
    char folder[64], path[256], command[256];
    folder_start(folder);
    snprintf(command, sizeof command, "mkdir %s/sub", folder);
    assert_int_equal(system(command), 0);
    file_write(folder, "sub/base.ini", KERNEL "code = 1\nframes = 2\n", path);
    file_write(folder, "top.ini", "[kernel]\ncode = 5\n[include]\nfile = sub/base.ini\n", path);
    resolved *r = resolve_file(path);
    assert_int_equal(r->errors.count, 0);
    assert_int_equal(profile_get(&r->profile, WEFT_ROLE_KERNEL, "code")->value.number, 5);
    assert_int_equal(profile_get(&r->profile, WEFT_ROLE_KERNEL, "frames")->value.number, 2);
    resolved_free(r);
    folder_end(folder);
}

static void test_include_in_a_circle(void **state)
{
    char folder[64], path[256];
    folder_start(folder);
    file_write(folder, "b.ini", "[include]\nfile = a.ini\n", path);
    file_write(folder, "a.ini", KERNEL "[include]\nfile = b.ini\n", path);
    resolved *r = resolve_file(path);
    assert_int_equal(r->errors.count, 1);
    assert_contains(r->errors.lines[0], "b.ini:2: include goes in a circle (found ");
    resolved_free(r);
    folder_end(folder);
}

static void test_include_too_deep(void **state)
{
    char folder[64], path[256], name[32], text[64];
    folder_start(folder);
    for (int i = 19; i >= 0; i--) {
        snprintf(name, sizeof name, "%d.ini", i);
        snprintf(text, sizeof text, "[include]\nfile = %d.ini\n", i + 1);
        file_write(folder, name, i == 19 ? KERNEL : text, path);
    }
    resolved *r = resolve_file(path);
    assert_contains(r->errors.lines[0], "15.ini:2: includes are nested too deep (found 16.ini, "
                                        "expected at most 16 files in a chain)");
    resolved_free(r);
    folder_end(folder);
}

static void test_include_that_is_not_there(void **state)
{
    char folder[64], path[256];
    folder_start(folder);
    file_write(folder, "a.ini", KERNEL "[include]\nfile = gone.ini\n", path);
    resolved *r = resolve_file(path);
    assert_int_equal(r->errors.count, 1);
    assert_contains(r->errors.lines[0], "a.ini:4: profile ");
    assert_contains(r->errors.lines[0],
                    "gone.ini cannot be read (found: No such file or directory");
    resolved_free(r);
    folder_end(folder);
}

static void test_another_plugin_drops_the_old_ones_keys(void **state)
{
    char folder[64], path[256];
    folder_start(folder);
    file_write(folder, "base.ini", KERNEL "[tracer]\nplugin = fake\nslow_us = 5\n", path);
    file_write(folder, "top.ini", "[include]\nfile = base.ini\n[tracer]\nplugin = none\n", path);
    resolved *r = resolve_file(path);
    assert_int_equal(r->errors.count, 0);
    assert_string_equal(r->profile.sections[WEFT_ROLE_TRACER].plugin->desc->id, "tracer-none");
    resolved_free(r);
    folder_end(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_section),
        cmocka_unit_test(test_unknown_section_far),
        cmocka_unit_test(test_unknown_key),
        cmocka_unit_test(test_unknown_plugin_key),
        cmocka_unit_test(test_integer_out_of_range),
        cmocka_unit_test(test_integer_with_letters),
        cmocka_unit_test(test_not_a_bool),
        cmocka_unit_test(test_not_a_choice),
        cmocka_unit_test(test_not_a_time),
        cmocka_unit_test(test_not_a_ratio),
        cmocka_unit_test(test_unknown_mode),
        cmocka_unit_test(test_set_twice),
        cmocka_unit_test(test_indented_line),
        cmocka_unit_test(test_comment_behind_value),
        cmocka_unit_test(test_line_without_value),
        cmocka_unit_test(test_section_without_end),
        cmocka_unit_test(test_text_behind_section),
        cmocka_unit_test(test_control_character),
        cmocka_unit_test(test_plugin_by_path),
        cmocka_unit_test(test_unknown_include_key),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_all_errors_are_collected),
        cmocka_unit_test(test_set_is_named_in_errors),
        cmocka_unit_test(test_set_wins),
        cmocka_unit_test(test_kernel_is_required),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_bare_and_full_ids_are_one),
        cmocka_unit_test(test_digest_is_of_meaning_not_of_text),
        cmocka_unit_test(test_unknown_kind),
        cmocka_unit_test(test_not_a_thread),
        cmocka_unit_test(test_unknown_tracer_key),
        cmocka_unit_test(test_tracer_filter),
        cmocka_unit_test(test_print_reads_back),
        cmocka_unit_test(test_include_is_relative_and_weaker),
        cmocka_unit_test(test_include_in_a_circle),
        cmocka_unit_test(test_include_too_deep),
        cmocka_unit_test(test_include_that_is_not_there),
        cmocka_unit_test(test_another_plugin_drops_the_old_ones_keys),
    };
    return cmocka_run_group_tests_name("host profile", tests, NULL, NULL);
}
