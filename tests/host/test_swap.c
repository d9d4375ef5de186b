/* test_swap.c: exchanging tracers: places, refusals, files, children, the record key, reloading. */
#include "support.h"

#include <dlfcn.h>

#include "host/plan.h"
#include "host/tracers.h"

/* ---- the plan as text --------------------------------------------------------------------------
 */

static void test_rules_are_read(void **state)
{
    plan_rule *rules;
    size_t count;
    char why[256];
    assert_int_equal(plan_parse("", &rules, &count, why, sizeof why), 0);
    assert_int_equal(count, 0);
    plan_free(rules, count);
    assert_int_equal(
        plan_parse("  frames=100 jsonl path=\"b c.jsonl\"  buffer_kib=0 then\tticks=7 none", &rules,
                   &count, why, sizeof why),
        0);
    assert_int_equal(count, 2);
    assert_int_equal(rules[0].what, SWAP_AT_FRAMES);
    assert_int_equal(rules[0].at, 100);
    assert_string_equal(rules[0].id, "jsonl");
    assert_int_equal(rules[0].count, 2);
    assert_string_equal(rules[0].settings[0], "path=b c.jsonl");
    assert_string_equal(rules[0].settings[1], "buffer_kib=0");
    assert_int_equal(rules[1].what, SWAP_AT_TICKS);
    assert_int_equal(rules[1].at, 7);
    assert_string_equal(rules[1].id, "none");
    assert_int_equal(rules[1].count, 0);
    plan_free(rules, count);
}

static void test_bad_rules_are_refused(void **state)
{
    static const char *const rows[][2] = {
        {"frames=0 none", "place is no number (found frames=0, expected one above 0)"},
        {"frames=-1 none", "place is no number (found frames=-1, expected one above 0)"},
        {"frames=18446744073709551616 none",
         "place is no number (found frames=18446744073709551616, expected one above 0)"},
        {"frame=5 none",
         "condition is unknown (found frame=5, expected events=N, ticks=N or frames=N)"},
        {"none", "condition is unknown (found none, expected events=N, ticks=N or frames=N)"},
        {"frames=5", "rule is not whole (found the end, expected the id of a tracer)"},
        {"frames=5 none then",
         "rule is not whole (found the end, expected events=N, ticks=N or frames=N)"},
        {"frames=5 jsonl path", "word is no assignment (found path, expected key=value or then)"},
        {"frames=5 jsonl =b", "word is no assignment (found =b, expected key=value or then)"},
        {"frames=5 jsonl path=\"b", "quote is not closed (found the end, expected \")"},
        {"ticks=5 none then ticks=5 null",
         "rules are out of order (found ticks=5 behind ticks=5, expected more)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        plan_rule *rules;
        size_t count;
        char why[256] = "";
        assert_int_equal(plan_parse(rows[i][0], &rules, &count, why, sizeof why), -1);
        assert_string_equal(why, rows[i][1]);
    }
}

/* ---- the plan at work --------------------------------------------------------------------------
 */

typedef struct recorder {
    uint64_t first, last, count, frames, first_tick;
    weft_status open_status;
    int opened, closed;
} recorder;

static weft_status rec_open(void *instance, const weft_trace_begin *begin)
{
    recorder *r = instance;
    r->opened++;
    r->first = begin->first;
    return r->open_status;
}

static void rec_event(void *instance, const weft_event *e)
{
    recorder *r = instance;
    if (e->category == WEFT_CLASS_GUEST && r->count++ == 0) {
        r->first_tick = e->tick;
    }
    r->frames += e->kind == WEFT_EVENT_GPU_SWAP;
}

static void rec_flush(void *instance)
{
}

static weft_status rec_close(void *instance, uint64_t last, const char *digest)
{
    recorder *r = instance;
    r->closed++;
    r->last = last;
    return WEFT_OK;
}

static const weft_tracer_ops rec_ops = {.size = sizeof rec_ops,
                                        .open = rec_open,
                                        .event = rec_event,
                                        .flush = rec_flush,
                                        .close = rec_close};

#define RECORDERS 5

static tracer_slot slot(recorder *r, size_t i)
{
    static const char *const ids[RECORDERS] = {"tracer-0", "tracer-1", "tracer-2", "tracer-3",
                                               "tracer-4"};
    return (tracer_slot){.ops = &rec_ops, .instance = &r[i], .id = ids[i]};
}

static void emit(events *e, uint16_t kind, uint64_t tick)
{
    weft_event_buffer event;
    weft_event_begin(&event, kind);
    event.head.thread = 7;
    event.head.tick = tick;
    weft_event_word(&event, tick);
    events_emit(e, &event.head);
}

static swap_step step(recorder *r, size_t i, uint32_t what, uint64_t at)
{
    tracer_slot next = slot(r, i);
    return (swap_step){.what = what, .at = at, .swap = swap_request_of(&next)};
}

/* 100 events, one per 10 ticks; every tenth is a frame. */
static void run_plan(recorder *r, swap_step *steps, size_t count, look_request *look)
{
    events e;
    tracer_slot first = slot(r, 0);
    swap_plan plan = {.steps = steps, .count = count};
    assert_int_equal(events_start(&e, &first, "t.xex", "0", 4096), WEFT_OK);
    events_plan(&e, &plan);
    for (uint64_t i = 0; i < 100; i++) {
        emit(&e, i % 10 == 9 ? WEFT_EVENT_GPU_SWAP : WEFT_EVENT_IMPORT_CALL, i * 10);
    }
    do {
        *look = look_request_of(0);
        events_ask(&e, &look->request);
    } while (look->guest < 100);
    events_finish(&e);
    events_free(&e);
}

static void test_plan_is_kept_to_the_event(void **state)
{
    recorder r[RECORDERS] = {{0}};
    look_request look;
    swap_step steps[] = {
        step(r, 1, SWAP_AT_EVENTS, 13), step(r, 2, SWAP_AT_TICKS, 255),
        step(r, 3, SWAP_AT_FRAMES, 4),
        step(r, 4, SWAP_AT_EVENTS, 5000), /* the run does not come to it */
    };
    run_plan(r, steps, 4, &look);
    /* events 0..12, then tracer.swap is number 13 */
    assert_int_equal(r[0].last, 12);
    assert_int_equal(r[1].first, 13);
    /* the first tick from 255 on is 260: the guest's 26 came before, and one tracer.swap */
    assert_int_equal(r[2].first, 27);
    assert_int_equal(r[2].first_tick, 260);
    /* the fourth frame is guest event 39, behind which two exchanges are numbered */
    assert_int_equal(r[3].first, 42);
    assert_int_equal(r[0].frames + r[1].frames + r[2].frames, 4);
    assert_int_equal(r[3].last, 102);
    assert_int_equal(r[4].opened, 0);
    assert_int_equal(r[0].count + r[1].count + r[2].count + r[3].count, 100);
    assert_int_equal(steps[3].swap.request.done, 0);
    assert_int_equal(look.sequence, 103);
    assert_int_equal(look.tick, 990);
    assert_int_equal(look.frames, 10);
    assert_int_equal(look.first, 42);
    assert_string_equal(look.tracer.id, "tracer-3");
}

static void test_plan_goes_on_after_a_tracer_that_fails(void **state)
{
    recorder r[RECORDERS] = {{0}, {.open_status = WEFT_E_IO}, {0}};
    look_request look;
    swap_step steps[] = {step(r, 1, SWAP_AT_EVENTS, 13), step(r, 2, SWAP_AT_EVENTS, 20)};
    run_plan(r, steps, 2, &look);
    assert_int_equal(steps[0].swap.status, WEFT_E_IO);
    assert_int_equal(r[1].closed, 0);
    assert_int_equal(r[0].last, 19);
    assert_int_equal(r[2].first, 20);
    assert_int_equal(r[0].count + r[2].count, 100);
}

static void test_steps_that_are_due_at_once(void **state)
{
    recorder r[RECORDERS] = {{0}};
    look_request look;
    swap_step steps[] = {step(r, 1, SWAP_AT_FRAMES, 1), step(r, 2, SWAP_AT_TICKS, 50),
                         step(r, 3, SWAP_AT_EVENTS, 11)};
    run_plan(r, steps, 3, &look);
    assert_int_equal(r[1].first, 10); /* behind the frame, which is event 9 */
    assert_int_equal(r[1].last, 10);  /* that it took over, and nothing else */
    assert_int_equal(r[2].first, 11);
    assert_int_equal(r[2].last, 11);
    assert_int_equal(r[3].first, 12);
    assert_int_equal(r[0].count + r[3].count, 100);
}

/* ---- a run over the fake plugins ---------------------------------------------------------------
 */

typedef struct bench {
    char folder[64];
    loader loader;
    errors errors;
    ini text;
    profile profile;
    run run;
    int begun;
    void (*task)(struct bench *b); /* once, on the main thread, while the title runs */
} bench;

static void pumped(void *context, run *r)
{
    bench *b = context;
    look_request look = look_request_of(0);
    events_ask(&r->events, &look.request);
    if (!b->begun && look.guest >= 10) { /* all that the fake emits */
        b->begun = 1;
        b->task(b);
        run_stop(r, "the test is done");
    }
}

static bench *bench_start(const char *plugins, const char *tracer, void (*task)(bench *b))
{
    bench *b = text_need_aligned(sizeof *b, _Alignof(bench));
    folder_start(b->folder);
    char *text =
        text_format("[kernel]\nplugin = fake\nend = %s\n[machine]\nlog = error\n[tracer]\n%s",
                    task ? "spin" : "exit", tracer);
    for (char *at; (at = strstr(text, "@@")) != NULL;) { /* the test's folder */
        char *whole = text_format("%.*s%s%s", (int)(at - text), text, b->folder, at + 2);
        free(text);
        text = whole;
    }
    loader_start(&b->loader, plugins ? plugins : RUN_FOLDER "/plugins");
    free(b->loader.folders[1]);
    b->loader.folders[1] = text_copy(plugins ? RUN_FOLDER "/plugins" : WEFT_BUILD_DIR "/plugins");
    b->text.errors = &b->errors;
    ini_read_memory(&b->text, "p.ini", text, strlen(text));
    free(text);
    if (profile_resolve(&b->profile, &b->text, &b->loader, "p.ini", PROFILE_ALL_ROLES)) {
        fail_msg("%s", b->errors.lines[0]);
    }
    b->task = task;
    run_options options = {
        .title = "t.xex", .arguments = "", .pumped = task ? pumped : NULL, .pumped_context = b};
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
    folder_end(b->folder);
    free(b);
}

/* Runs, and gives FOLDER/NAME, allocated. */
static char *run_for(bench *b, int code, const char *name)
{
    char path[256];
    assert_int_equal(run_title(&b->run), code);
    assert_true(!b->task || b->begun);
    snprintf(path, sizeof path, "%s/%s", b->folder, name);
    return file_text(path);
}

/* Makes a tracer with up to two settings, "@@" standing for the folder; its error otherwise. */
static tracer_instance *wish(bench *b, const char *id, const char *one, const char *two, char *why)
{
    char *settings[2] = {NULL};
    size_t count = 0;
    errors list = {0};
    int code;
    for (; count < 2 && (count ? two : one); count++) {
        const char *text = count ? two : one, *at = strstr(text, "@@");
        settings[count] = at ? text_format("%.*s%s%s", (int)(at - text), text, b->folder, at + 2)
                             : text_copy(text);
    }
    tracer_wish w = {.id = id, .settings = settings, .count = count};
    tracer_instance *t = tracers_make(&b->run, &w, NULL, &list, &code);
    snprintf(why, 512, "%d %s", t ? 0 : code, list.count ? list.lines[0] : "");
    free(settings[0]);
    free(settings[1]);
    errors_free(&list);
    return t;
}

static int swap_to(bench *b, const char *id, const char *one, const char *two, char *why)
{
    tracer_instance *t = wish(b, id, one, two, why);
    errors list = {0};
    if (!t) {
        return -1;
    }
    int code = tracers_swap(&b->run, t, &list);
    snprintf(why, 512, "%d %s", code, list.count ? list.lines[0] : "");
    errors_free(&list);
    return code;
}

/* The word behind the first line that begins with `start`. */
static void word_after(const char *text, const char *start, int skip, char word[64])
{
    const char *at = strstr(text, start);
    assert_non_null(at);
    for (at += strlen(start); skip > 0; skip--) {
        at = strchr(at, ' ');
        assert_non_null(at);
        at++;
    }
    snprintf(word, 64, "%.*s", (int)strcspn(at, " \n"), at);
}

static void test_profile_rules_take_over(void **state)
{
    char a[2][64];
    bench *b = bench_start(
        NULL, "plugin = fake\npath = @@/a\nswap_at = events=5 fake path=@@/b then ticks=60 none\n",
        NULL);
    char *first = run_for(b, 0, "a"), *path = text_format("%s/b", b->folder);
    char *second = file_text(path);
    word_after(first, "close ", 0, a[0]);
    word_after(second, "open ", 0, a[1]);
    assert_string_equal(a[0], "4");
    assert_string_equal(a[1], "5");
    word_after(first, "close ", 1, a[0]); /* digests chain */
    word_after(second, "open ", 2, a[1]);
    assert_string_equal(a[0], a[1]);
    assert_contains(second, "event 0 define 0\n"); /* repeated, in no numbering */
    assert_contains(second, "event 5 tracer.swap 0\n");
    free(first);
    free(second);
    free(path);
    bench_end(b);
}

static void test_rule_with_a_failing_tracer_is_5(void **state)
{
    bench *b = bench_start(
        NULL, "plugin = fake\npath = @@/a\nswap_at = events=5 fake path=@@/b fault=open\n", NULL);
    char *first = run_for(b, EXIT_PLUGIN, "a");
    assert_contains(first, "event 11 import.call"); /* the old one has it all */
    free(first);
    bench_end(b);
}

static void test_tracer_that_loses_its_output_is_5(void **state)
{
    bench *b = bench_start(
        NULL, "plugin = fake\npath = @@/a\nfault = close\nswap_at = events=5 none\n", NULL);
    char *first = run_for(b, EXIT_PLUGIN, "a");
    free(first);
    bench_end(b);
}

static void try_settings(bench *b)
{
    /* The sentences of test_profile.c, whatever asks. */
    static const char *const rows[][3] = {
        {"fake", "pth=x", "2 --set pth: unknown key in [tracer] (found pth, expected path)"},
        {"fake", "slow_us=-1",
         "2 --set slow_us: [tracer] slow_us has no such value (found -1, expected an integer from "
         "0 "
         "to 100000)"},
        {"fake", "fault=all",
         "2 --set fault: [tracer] fault has no such value (found all, expected one of "
         "none|open|close)"},
        {"fake", "path", "2 --set: option is no assignment (found path, expected key=value)"},
        {"fake", "kinds=kernel.cal", NULL}, /* the sentence is the filter's */
        {"../fake", "path=x", NULL},
        {"fake", "swap_at=events=1 none", NULL}, /* the profile's alone */
        {"fake", "plugin=none", NULL},
    };
    char why[512];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (wish(b, rows[i][0], rows[i][1], NULL, why) || why[0] != '2') {
            fail_msg("%s: %s", rows[i][1], why);
        }
        if (rows[i][2]) {
            assert_string_equal(why, rows[i][2]);
        }
    }
    assert_int_equal(swap_to(b, "fake", "path=@@/b", "kinds=kernel.*", why), 0);
}

static void test_settings_are_checked_as_a_profile_s(void **state)
{
    bench *b = bench_start(NULL, "plugin = fake\npath = @@/a\n", try_settings);
    char *text = run_for(b, 0, "b");
    assert_contains(text, "close ");
    assert_null(strstr(text, "tracer.swap")); /* hidden by the filter */
    free(text);
    bench_end(b);
}

static void try_files(bench *b)
{
    char why[512], path[256];
    file_write(b->folder, "there", "x", path);
    snprintf(path, sizeof path, "ln -s b '%s/link'", b->folder);
    assert_int_equal(system(path), 0);
    assert_int_equal(swap_to(b, "fake", "path=@@/a", NULL, why), -1); /* the profile's */
    assert_contains(why, "2 ");
    assert_contains(why, "/a: file is another tracer's of this run (found a path that was used, "
                         "expected a new one)");
    assert_int_equal(swap_to(b, "fake", "path=@@/b", NULL, why), 0);
    assert_int_equal(swap_to(b, "fake", "path=@@/b", NULL, why), -1);
    assert_int_equal(swap_to(b, "fake", "path=@@/./b", NULL, why),
                     -1); /* the same by other names */
    assert_int_equal(swap_to(b, "fake", "path=@@/link", NULL, why), -1);
    assert_int_equal(swap_to(b, "fake", "path=@@/there", NULL, why), 0); /* nobody's of this run */
    assert_int_equal(swap_to(b, "fake", "path=/dev/null", NULL, why), 0);
    assert_int_equal(swap_to(b, "fake", "path=/dev/null", NULL, why), 0);
    assert_int_equal(swap_to(b, "fake", "path=@@/c", "fault=open", why), EXIT_PLUGIN);
    assert_string_equal(why, "5 tracer-fake.open: no place to write (found none, expected one)");
    assert_int_equal(swap_to(b, "fake", "path=@@/c", NULL, why), 0); /* it did not get it */
}

static void test_no_tracer_replaces_another_s_file(void **state)
{
    bench *b = bench_start(NULL, "plugin = fake\npath = @@/a\n", try_files);
    char *text = run_for(b, 0, "b");
    assert_contains(text, "open ");
    assert_contains(text, "close ");
    free(text);
    bench_end(b);
}

static void take_relative_path(bench *b)
{
    char *setting = text_copy("path=rel");
    errors list = {0};
    int code;
    tracer_wish w = {.id = "fake", .settings = &setting, .count = 1};
    tracer_instance *t = tracers_make(&b->run, &w, b->folder, &list, &code);
    assert_non_null(t);
    assert_int_equal(tracers_swap(&b->run, t, &list), 0);
    free(setting);
    setting = text_copy("setting=path=child"); /* of its children too */
    w.id = "parent";
    t = tracers_make(&b->run, &w, b->folder, &list, &code);
    assert_non_null(t);
    assert_int_equal(tracers_swap(&b->run, t, &list), 0);
    free(setting);
}

static void test_relative_paths_are_meant_from_the_caller_s_folder(void **state)
{
    bench *b = bench_start(NULL, "plugin = none\n", take_relative_path);
    char *text = run_for(b, 0, "rel"), *path = text_format("%s/child", b->folder);
    assert_contains(text, "open ");
    free(text);
    text = file_text(path);
    assert_non_null(text);
    free(text);
    free(path);
    bench_end(b);
}

/* ---- children ----------------------------------------------------------------------------------
 */

static int loaded(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (library) {
        dlclose(library);
    }
    return library != NULL;
}

static void try_children(bench *b)
{
    char why[512];
    assert_false(loaded(RUN_FOLDER "/plugins/tracer-parent.so"));
    assert_int_equal(swap_to(b, "parent", "setting=path=@@/a", NULL, why), 0);
    assert_true(loaded(RUN_FOLDER "/plugins/tracer-fake.so"));
    assert_int_equal(swap_to(b, "parent", "setting=path=@@/b", "tidy=no", why), 0);
    assert_int_equal(swap_to(b, "parent", "setting=fault=open", NULL, why), EXIT_PLUGIN);
    assert_string_equal(why, "5 tracer-parent.open: tracer-fake: no place to write (found none, "
                             "expected one)");
    assert_null(wish(b, "parent", "setting=pth=x", NULL, why));
    assert_string_equal(why, "5 tracer-parent.create: fake: unknown key in [tracer] (found pth, "
                             "expected path)");
    assert_null(wish(b, "parent", "setting=kinds=log", NULL, why)); /* would be without effect */
    assert_null(wish(b, "parent", "child=fak", NULL, why));
    assert_null(wish(b, "parent", "setting=path=@@/b", NULL, why)); /* another one's file */
    for (int i = 0; i < 2; i++) { /* a file that a child was to write, but did not, is free again */
        tracer_instance *t = wish(b, "parent", "setting=path=@@/c", NULL, why);
        assert_non_null(t);
        tracers_drop(&b->run, t);
    }
    assert_int_equal(swap_to(b, "none", NULL, NULL, why), 0);
    assert_false(loaded(RUN_FOLDER "/plugins/tracer-fake.so"));
    assert_false(loaded(RUN_FOLDER "/plugins/tracer-parent.so"));
}

static void test_children_of_a_tracer(void **state)
{
    bench *b = bench_start(NULL, "plugin = none\n", try_children);
    char *text = run_for(b, 0, "a"), *path = text_format("%s/b", b->folder);
    assert_contains(text, "open ");
    assert_contains(text, "close ");
    free(text);
    text = file_text(path);
    assert_contains(text, " tracer.swap 0\n");
    assert_contains(text, "close ");
    free(text);
    free(path);
    bench_end(b);
}

static void try_dump(bench *b)
{
    char why[512];
    tracers_dump_request dump = tracers_dump_of();
    events_ask(&b->run.events, &dump.request);
    assert_int_equal(dump.status, WEFT_E_UNSUPPORTED);
    assert_string_equal(dump.why, "tracer-none: tracer keeps nothing to dump (found no extension "
                                  "dump/1, expected a tracer such as tracer-ring)");
    free(dump.why);
    assert_int_equal(swap_to(b, "parent", "dump=/x/y", NULL, why), 0);
    dump = tracers_dump_of();
    events_ask(&b->run.events, &dump.request);
    assert_int_equal(dump.status, WEFT_OK);
    assert_string_equal(dump.path, "/x/y");
    free(dump.path);
    assert_int_equal(swap_to(b, "parent", "dump=fail", NULL, why), 0);
    dump = tracers_dump_of();
    events_ask(&b->run.events, &dump.request);
    assert_int_equal(dump.status, WEFT_E_IO);
    assert_string_equal(dump.why,
                        "tracer-parent.dump: nothing to dump (found none, expected some)");
    free(dump.why);
}

static void test_dump_on_request(void **state)
{
    bench *b = bench_start(NULL, "plugin = none\n", try_dump);
    free(run_for(b, 0, "nothing"));
    bench_end(b);
}

/* ---- the record key ----------------------------------------------------------------------------
 */

static void press(bench *b, int32_t expected, const char *sentence)
{
    char line[256], whole[256];
    assert_int_equal(tracers_record(&b->run, line, sizeof line), expected);
    const char *at = strstr(sentence, "@@");
    snprintf(whole, sizeof whole, "%.*s%s%s", at ? (int)(at - sentence) : 0, sentence,
             at ? b->folder : "", at ? at + 2 : sentence);
    assert_string_equal(line, whole);
}

static void press_often(bench *b)
{
    char path[256];
    file_write(b->folder, "t-02.jsonl", "mine", path);
    press(b, 1, "recording to @@/t-01.jsonl");
    press(b, 0, "recording ended: @@/t-01.jsonl");
    press(b, 1, "recording to @@/t-03.jsonl");
    press(b, 0, "recording ended: @@/t-03.jsonl");
}

static void test_record_key(void **state)
{
    bench *b = bench_start(NULL, "plugin = none\nrecord = @@/t-##.jsonl\n", press_often);
    char *text = run_for(b, 0, "t-02.jsonl"), *path = text_format("%s/t-03.jsonl", b->folder);
    assert_string_equal(text, "mine"); /* no file is replaced */
    free(text);
    text = file_text(path);
    assert_contains(text, "\"kind\":\"schema_version\"");
    assert_contains(text, "\"kind\":\"trace.end\"");
    free(text);
    free(path);
    bench_end(b);
}

static void press_first_ends(bench *b)
{
    press(b, 0, "recording ended: @@/a");
    press(b, WEFT_E_IO,
          "[tracer] record: file's suffix chooses no tracer (found x.txt, expected "
          ".jsonl or .wtr)");
}

static void test_record_key_ends_the_profile_s_tracer(void **state)
{
    bench *b = bench_start(NULL, "plugin = fake\npath = @@/a\nrecord = x.txt\n", press_first_ends);
    char *text = run_for(b, 0, "a");
    assert_contains(text, "close ");
    free(text);
    bench_end(b);
}

/* ---- reloading ---------------------------------------------------------------------------------
 */

static void copy(const char *from, const char *to)
{
    char command[512]; /* a new file under the old name, as a linker leaves it */
    snprintf(command, sizeof command, "cp '%s' '%s.new' && mv '%s.new' '%s'", from, to, to, to);
    assert_int_equal(system(command), 0);
}

static void try_rebuilt(bench *b)
{
    char why[512], path[256];
    snprintf(path, sizeof path, "%s/tracer-fake.so", b->loader.folders[0]);
    tracer_instance *t = wish(b, "fake", "path=@@/b", NULL, why);
    assert_string_equal(t->part.plugin->desc->version, "1.0");
    errors list = {0};
    assert_int_equal(tracers_swap(&b->run, t, &list), 0);
    copy(RUN_FOLDER "/rebuilt/tracer-fake.so", path);
    t = wish(b, "fake", "path=@@/c", NULL, why); /* while the old one is in service, it serves on */
    assert_string_equal(t->part.plugin->desc->version, "1.0");
    assert_int_equal(tracers_swap(&b->run, t, &list), 0);
    assert_int_equal(swap_to(b, "none", NULL, NULL, why), 0);
    assert_false(loaded(path));
    t = wish(b, "fake", "path=@@/d", NULL, why);
    assert_string_equal(t->part.plugin->desc->version, "2.0");
    assert_string_equal(t->part.plugin->code->version, "2.0");
    assert_int_equal(tracers_swap(&b->run, t, &list), 0);
}

static void test_plugin_that_was_built_anew(void **state)
{
    char folder[64], path[256];
    folder_start(folder);
    snprintf(path, sizeof path, "%s/tracer-fake.so", folder);
    copy(RUN_FOLDER "/plugins/tracer-fake.so", path);
    bench *b = bench_start(folder, "plugin = none\n", try_rebuilt);
    char *text = run_for(b, 0, "d");
    assert_contains(text, "close ");
    free(text);
    bench_end(b);
    folder_end(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_are_read),
        cmocka_unit_test(test_bad_rules_are_refused),
        cmocka_unit_test(test_plan_is_kept_to_the_event),
        cmocka_unit_test(test_plan_goes_on_after_a_tracer_that_fails),
        cmocka_unit_test(test_steps_that_are_due_at_once),
        cmocka_unit_test(test_profile_rules_take_over),
        cmocka_unit_test(test_rule_with_a_failing_tracer_is_5),
        cmocka_unit_test(test_tracer_that_loses_its_output_is_5),
        cmocka_unit_test(test_settings_are_checked_as_a_profile_s),
        cmocka_unit_test(test_no_tracer_replaces_another_s_file),
        cmocka_unit_test(test_relative_paths_are_meant_from_the_caller_s_folder),
        cmocka_unit_test(test_children_of_a_tracer),
        cmocka_unit_test(test_dump_on_request),
        cmocka_unit_test(test_record_key),
        cmocka_unit_test(test_record_key_ends_the_profile_s_tracer),
        cmocka_unit_test(test_plugin_that_was_built_anew),
    };
    return cmocka_run_group_tests_name("host swap", tests, NULL, NULL);
}
