/* The kit of tracers finds what it is there to find: one faulty tracer for each check, and the line
 * that names the fault. The tracer writes one byte for each event into `path`. */
#include <fcntl.h>
#include <unistd.h>

#include "conform.h"
#include "fake_host.h"

#undef fail /* cmocka's, in the way of host->fail */

enum fault {
    NONE,
    SILENT_OPEN, /* open fails without a sentence */
    REFUSES,     /* open fails with one */
    NEEDS,       /* the same, for want of an option */
    WHOLE,       /* open fails in the middle of a run */
    KEEPS_ALL,   /* memory grows with the stream */
    PRINTS,      /* on stdout */
    ANY_PATH,    /* open succeeds where no file can be */
    LOSES,       /* close does not say that writes failed */
    COMPLAINS,   /* event calls host->fail */
    ONCE,        /* no second open in an instance */
    SHARES,      /* a second instance gets no file */
    DIFFERS,     /* equal streams leave different files */
};

typedef struct faulty {
    const weft_host *host;
    enum fault fault;
    FILE *file;
    int lost;
    uint32_t opened, number;
    void **kept;
    size_t count;
} faulty;

/* What the faults need to know of other instances. */
typedef struct world {
    fake_host fake;
    weft_plugin_desc desc;
    enum fault fault;
    uint32_t instances;
    uint32_t made;
    char lines[4096];
} world;

static world *world_of(const weft_host *host)
{
    return (world *)host->impl; /* `fake` is its first member */
}

static weft_status create(const weft_host *host, void **instance)
{
    faulty *f = calloc(1, sizeof *f);
    f->host = host;
    f->fault = world_of(host)->fault;
    world_of(host)->instances++;
    f->number = world_of(host)->made++;
    *instance = f;
    return WEFT_OK;
}

static void destroy(void *instance)
{
    faulty *f = instance;
    world_of(f->host)->instances--;
    if (f->file) {
        fclose(f->file);
    }
    for (size_t i = 0; i < f->count; i++) {
        free(f->kept[i]);
    }
    free(f->kept);
    free(f);
}

static weft_status faulty_open(void *instance, const weft_trace_begin *begin)
{
    faulty *f = instance;
    f->opened++;
    if (f->fault == SILENT_OPEN) {
        return WEFT_E_IO;
    }
    weft_status status = f->fault == REFUSES                                      ? WEFT_E_IO
                         : f->fault == ONCE && f->opened > 1                      ? WEFT_E_IO
                         : f->fault == SHARES && world_of(f->host)->instances > 1 ? WEFT_E_IO
                         : f->fault == NEEDS                                      ? WEFT_E_INVALID
                         : f->fault == WHOLE && begin->first > 0                  ? WEFT_E_STATE
                                                                                  : WEFT_OK;
    if (status != WEFT_OK) {
        return f->host->fail(f->host, status, "no (found this, expected that)");
    }
    if (f->file) {
        fclose(f->file);
    }
    f->file = fopen(f->host->option_text(f->host, "path"), "w");
    if (!f->file && f->fault != ANY_PATH) {
        return f->host->fail(f->host, WEFT_E_IO, "no file (found none, expected one)");
    }
    if (f->fault == DIFFERS) {
        fprintf(f->file, "%u", f->number);
    }
    return WEFT_OK;
}

static void event(void *instance, const weft_event *record)
{
    faulty *f = instance;
    if (f->file && fputc('.', f->file) == EOF) {
        f->lost = 1;
        if (f->fault == COMPLAINS) {
            f->host->fail(f->host, WEFT_E_IO, "full (found no room, expected some)");
        }
    }
    if (f->fault == KEEPS_ALL) {
        f->kept = (f->count & (f->count - 1)) == 0
                      ? realloc(f->kept, (f->count ? f->count * 2 : 1) * sizeof *f->kept)
                      : f->kept;
        f->kept[f->count] = malloc(record->size);
        memcpy(f->kept[f->count++], record, record->size);
    }
}

static void flush(void *instance)
{
    faulty *f = instance;
    f->lost |= f->file && fflush(f->file) != 0;
}

static weft_status faulty_close(void *instance, uint64_t last, const char *digest)
{
    faulty *f = instance;
    int lost = f->lost | (f->file && fclose(f->file) != 0);
    f->file = NULL;
    if (f->fault == PRINTS) {
        puts("a table");
    }
    return lost && f->fault != LOSES
               ? f->host->fail(f->host, WEFT_E_IO, "full (found no room, expected some)")
               : WEFT_OK;
}

static void keep_line(weft_conform_report *report, const char *line)
{
    world *w = report->context;
    size_t used = strlen(w->lines);
    snprintf(w->lines + used, sizeof w->lines - used, "%s\n", line);
}

/* Runs the kit over the tracer with one fault. */
static weft_conform_report conform(world *w, enum fault fault)
{
    static const weft_option options[] = {
        {.key = "path", .type = WEFT_OPTION_PATH, .default_value = "", .help = "a file"},
    };
    static const weft_tracer_ops ops = {
        .size = sizeof ops,
        .open = faulty_open,
        .event = event,
        .flush = flush,
        .close = faulty_close,
    };
    memset(w, 0, sizeof *w);
    w->fault = fault;
    w->desc = (weft_plugin_desc){
        .size = sizeof w->desc,
        .role = WEFT_ROLE_TRACER,
        .id = "tracer-faulty",
        .options = options,
        .option_count = fault == REFUSES ? 0 : 1,
        .option_stride = sizeof(weft_option),
        .ops = &ops,
        .create = create,
        .destroy = destroy,
    };
    w->fake.desc = &w->desc;
    w->fake.host = (weft_host){
        .size = sizeof w->fake.host,
        .impl = w,
        .fail = fake_fail,
        .log = fake_log,
        .option_int = fake_option_int,
        .option_bool = fake_option_bool,
        .option_text = fake_option_text,
    };
    weft_conform_report report = {.print = keep_line, .context = w};
    assert_int_equal(weft_conform_tracer(&w->desc, &ops, &w->fake.host, &report), 0);
    assert_int_equal(w->instances, 0);
    return report;
}

static void good_tracer_passes(void **state)
{
    world w;
    weft_conform_report r = conform(&w, NONE);
    assert_string_equal(w.lines, "");
    assert_int_equal(r.failed, 0);
    assert_int_equal(r.loose, 0);
    assert_true(r.passed >= 20);
}

static void expect(enum fault fault, const char *line)
{
    world w;
    weft_conform_report r = conform(&w, fault);
    assert_true(r.failed > 0);
    if (!strstr(w.lines, line)) {
        assert_string_equal(w.lines, line); /* shows both */
    }
}

static void refusal_without_a_sentence_fails(void **state)
{
    expect(SILENT_OPEN, "tracer.open: got a failure without host->fail, expected one sentence\n");
}

static void refusal_with_a_sentence_is_told_and_passes(void **state)
{
    world w;
    weft_conform_report r = conform(&w, REFUSES);
    assert_int_equal(r.failed, 0);
    assert_string_equal(w.lines, "tracer.open: refused, so events are not checked: no (found this, "
                                 "expected that)\n");
}

static void option_that_is_missing_is_told_and_passes(void **state)
{
    world w;
    weft_conform_report r = conform(&w, NEEDS);
    assert_int_equal(r.failed, 0);
    assert_string_equal(w.lines, "tracer.open: refused, so events are not checked: no (found this, "
                                 "expected that)\n");
}

static void need_of_the_whole_run_is_told_and_passes(void **state)
{
    world w;
    weft_conform_report r = conform(&w, WHOLE);
    assert_int_equal(r.failed, 0);
    assert_string_equal(w.lines,
                        "tracer.open, again after close: refused: no (found this, expected "
                        "that)\ntracer.open, swapped in: refused: no (found this, expected "
                        "that)\n");
}

static void memory_that_grows_with_the_stream_fails(void **state)
{
    expect(KEEPS_ALL, "expected at most 4194304 after 100000 more events\n");
}

static void output_on_stdout_fails(void **state)
{
    expect(PRINTS, "tracer.stdout: got output, expected nothing: stdout is the title's\n");
}

static void path_that_cannot_be_must_be_refused(void **state)
{
    expect(ANY_PATH, "tracer.open, path in no folder: got ok, expected a failure\n");
}

static void lost_output_must_be_reported(void **state)
{
    expect(LOSES, "tracer.close, /dev/full: got ok, expected a failure\n");
}

static void lost_output_is_not_for_event_to_report(void **state)
{
    expect(COMPLAINS, "tracer.event, /dev/full: got a failure, expected it kept for close\n");
}

static void second_open_must_work(void **state)
{
    expect(ONCE, "tracer.open, again after close: got i/o: no (found this, expected that), "
                 "expected ok\n");
}

static void second_instance_must_work(void **state)
{
    expect(SHARES, "tracer.open, second instance: got ");
}

static void different_files_of_equal_streams_are_told(void **state)
{
    world w;
    weft_conform_report r = conform(&w, DIFFERS);
    assert_int_equal(r.failed, 0);
    assert_int_equal(r.loose, 1);
    assert_string_equal(w.lines, "tracer: equal streams left different files\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_tracer_passes),
        cmocka_unit_test(refusal_without_a_sentence_fails),
        cmocka_unit_test(refusal_with_a_sentence_is_told_and_passes),
        cmocka_unit_test(option_that_is_missing_is_told_and_passes),
        cmocka_unit_test(need_of_the_whole_run_is_told_and_passes),
        cmocka_unit_test(memory_that_grows_with_the_stream_fails),
        cmocka_unit_test(output_on_stdout_fails),
        cmocka_unit_test(path_that_cannot_be_must_be_refused),
        cmocka_unit_test(lost_output_must_be_reported),
        cmocka_unit_test(lost_output_is_not_for_event_to_report),
        cmocka_unit_test(second_open_must_work),
        cmocka_unit_test(second_instance_must_work),
        cmocka_unit_test(different_files_of_equal_streams_are_told),
    };
    return cmocka_run_group_tests_name("conform tracer", tests, NULL, NULL);
}
