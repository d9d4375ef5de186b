/* tracer-tee: its children are the test's own, which write down what they are called with. One letter
 * an op: o open, e event, f flush, c close, d dump. */
#include "stream_case.h"

#define MAX_CHILDREN 4

typedef struct toy {
    struct toys *all;
    char id[64], settings[128];
    char seen[64]; /* ops, in order */
    uint64_t last, first;
    weft_status open_status, close_status;
    int ended;
} toy;

typedef struct toys {
    stream_case c; /* first: the fake host finds it */
    toy list[MAX_CHILDREN];
    uint32_t made;
    uint32_t refuse; /* number of the child that cannot be made; 0: none */
    char order[256]; /* "0e1e" : which child was called */
} toys;

static void note(toy *t, char op)
{
    size_t used = strlen(t->seen), all = strlen(t->all->order);
    t->seen[used] = op;
    t->seen[used + 1] = 0;
    snprintf(t->all->order + all, sizeof t->all->order - all, "%d%c", (int)(t - t->all->list), op);
}

static weft_status toy_open(void *instance, const weft_trace_begin *begin)
{
    toy *t = instance;
    note(t, 'o');
    t->first = begin->first;
    return t->open_status;
}

static void toy_event(void *instance, const weft_event *event)
{
    note(instance, 'e');
}

static void toy_flush(void *instance)
{
    note(instance, 'f');
}

static weft_status toy_close(void *instance, uint64_t last, const char *digest)
{
    toy *t = instance;
    note(t, 'c');
    t->last = last;
    return t->close_status;
}

static weft_status toy_dump(void *instance, const char **path)
{
    note(instance, 'd');
    *path = "flight.wtr";
    return WEFT_OK;
}

static toys *toys_of(const weft_host *host)
{
    return (toys *)host->impl;
}

static weft_status make(const weft_host *host, const char *id, const char *settings,
                        const weft_tracer_ops **ops, void **instance)
{
    static const weft_tracer_ops table = {
        .size = sizeof table,
        .open = toy_open,
        .event = toy_event,
        .flush = toy_flush,
        .close = toy_close,
    };
    toys *all = toys_of(host);
    if (all->refuse == all->made + 1) {
        return fake_fail(host, WEFT_E_INVALID, "no such tracer (found it, expected another)");
    }
    toy *t = &all->list[all->made++];
    t->all = all;
    snprintf(t->id, sizeof t->id, "%s", id);
    snprintf(t->settings, sizeof t->settings, "%s", settings);
    *ops = &table;
    *instance = t;
    return WEFT_OK;
}

static void end(const weft_host *host, void *instance)
{
    ((toy *)instance)->ended++;
}

static const void *child_extension(const weft_host *host, void *instance, const char *name,
                                   void **target)
{
    static const weft_tracer_dump dump = {.size = sizeof dump, .dump = toy_dump};
    const toy *t = instance;
    *target = instance;
    return strcmp(t->id, "ring") == 0 && strcmp(name, "dump/1") == 0 ? &dump : NULL;
}

static const void *extension(const weft_host *host, const char *name)
{
    static const weft_host_tracers tracers = {
        .size = sizeof tracers, .make = make, .end = end, .extension = child_extension};
    return strcmp(name, "tracers/1") == 0 ? &tracers : NULL;
}

static toys *start(void **state, const char *to)
{
    toys *all = calloc(1, sizeof *all);
    stream_setup(&all->c, "tracer-tee", NULL);
    all->c.fake.host.extension = extension;
    fake_set(&all->c.fake, "to", to);
    *state = all;
    return all;
}

static int teardown(void **state)
{
    toys *all = *state;
    stream_teardown(&all->c);
    free(all);
    return 0;
}

static void each_child_gets_each_call_in_order(void **state)
{
    toys *all = start(state, "binary path=a.wtr and jsonl path=b.jsonl buffer_kib=0");
    stream_open(&all->c, 7);
    stream_return(&all->c, 1);
    all->c.ops->flush(all->c.fake.instance);
    assert_int_equal(stream_close(&all->c), WEFT_OK);
    assert_int_equal(all->made, 2);
    assert_string_equal(all->list[0].id, "binary");
    assert_string_equal(all->list[0].settings, "path=a.wtr\n");
    assert_string_equal(all->list[1].id, "jsonl");
    assert_string_equal(all->list[1].settings, "path=b.jsonl\nbuffer_kib=0\n");
    assert_string_equal(all->order, "0o1o0e1e0f1f0c1c");
    assert_int_equal(all->list[1].first, 7);
    assert_int_equal(all->list[1].last, 7);
}

static void quotes_keep_blanks(void **state)
{
    toys *all = start(state, "  tracer-jsonl path=\"my and your.jsonl\"\tand null ");
    stream_open(&all->c, 0);
    assert_int_equal(all->made, 2);
    assert_string_equal(all->list[0].id, "tracer-jsonl");
    assert_string_equal(all->list[0].settings, "path=my and your.jsonl\n");
    assert_string_equal(all->list[1].settings, "");
}

static void children_end_with_it(void **state)
{
    toys *all = start(state, "null and null");
    stream_open(&all->c, 0);
    all->c.fake.desc->destroy(all->c.fake.instance);
    all->c.fake.instance = NULL;
    assert_int_equal(all->list[0].ended, 1);
    assert_int_equal(all->list[1].ended, 1);
}

static void child_that_cannot_be_made_ends_the_others(void **state)
{
    toys *all = start(state, "null and nul");
    all->refuse = 2;
    assert_int_equal(all->c.fake.desc->create(&all->c.fake.host, &all->c.fake.instance),
                     WEFT_E_INVALID);
    assert_string_equal(all->c.fake.sentence, "no such tracer (found it, expected another)");
    assert_int_equal(all->c.fake.fails, 1);
    assert_int_equal(all->list[0].ended, 1);
}

static void child_that_does_not_open_closes_the_others(void **state)
{
    toys *all = start(state, "null and null and null");
    all->c.ops = fake_create(&all->c.fake);
    all->list[1].open_status = WEFT_E_IO;
    weft_trace_begin begin = {.size = sizeof begin, .first = 9, .digest = ""};
    assert_int_equal(all->c.ops->open(all->c.fake.instance, &begin), WEFT_E_IO);
    assert_string_equal(all->order, "0o1o0c");
    assert_int_equal(all->list[0].last, 8); /* first - 1: there was no event */
}

static void child_that_fails_stops_no_other(void **state)
{
    toys *all = start(state, "null and null and null");
    stream_open(&all->c, 0);
    all->list[1].close_status = WEFT_E_IO;
    stream_return(&all->c, 1);
    assert_int_equal(stream_close(&all->c), WEFT_E_IO);
    assert_string_equal(all->list[0].seen, "oec");
    assert_string_equal(all->list[1].seen, "oec");
    assert_string_equal(all->list[2].seen, "oec");
}

static void request_reaches_who_keeps_events(void **state)
{
    toys *all = start(state, "null and ring");
    const char *path = NULL;
    stream_open(&all->c, 0);
    const weft_tracer_dump *dump =
        all->c.fake.desc->extension(all->c.fake.instance, WEFT_TRACER_DUMP);
    assert_non_null(dump);
    assert_int_equal(dump->dump(all->c.fake.instance, &path), WEFT_OK);
    assert_string_equal(path, "flight.wtr");
    assert_string_equal(all->order, "0o1o1d");
}

static void request_that_nobody_can_answer_is_refused(void **state)
{
    toys *all = start(state, "null");
    const char *path = NULL;
    stream_open(&all->c, 0);
    const weft_tracer_dump *dump =
        all->c.fake.desc->extension(all->c.fake.instance, WEFT_TRACER_DUMP);
    assert_int_equal(dump->dump(all->c.fake.instance, &path), WEFT_E_UNSUPPORTED);
    assert_int_equal(all->c.fake.fails, 1);
}

static void nothing_named_is_refused_at_open(void **state)
{
    toys *all = start(state, "");
    all->c.ops = fake_create(&all->c.fake);
    weft_trace_begin begin = {.size = sizeof begin, .digest = ""};
    assert_int_equal(all->c.ops->open(all->c.fake.instance, &begin), WEFT_E_INVALID);
    assert_string_equal(all->c.fake.sentence, "no tracers are named (found an empty `to`, expected "
                                              "ID KEY=VALUE... and ID ...)");
}

static void malformed(void **state, const char *to, const char *sentence)
{
    toys *all = start(state, to);
    assert_int_equal(all->c.fake.desc->create(&all->c.fake.host, &all->c.fake.instance),
                     WEFT_E_INVALID);
    assert_string_equal(all->c.fake.sentence, sentence);
    assert_int_equal(all->made, 0);
}

static void word_that_is_no_setting_is_refused(void **state)
{
    malformed(state, "null path",
              "to: word is no assignment (found path, expected key=value or and)");
}

static void setting_without_a_tracer_is_refused(void **state)
{
    malformed(state, "path=a.wtr", "to: word is no tracer (found path=a.wtr, expected an id)");
}

static void open_quote_is_refused(void **state)
{
    malformed(state, "null path=\"a b", "to: quote is not closed (found the end, expected \")");
}

static void and_at_the_end_is_refused(void **state)
{
    malformed(state, "null and",
              "to: a tracer is missing (found the end, expected an id behind and)");
}

static void host_that_makes_no_tracers_is_told(void **state)
{
    toys *all = start(state, "null");
    all->c.fake.host.extension = NULL;
    assert_int_equal(all->c.fake.desc->create(&all->c.fake.host, &all->c.fake.instance),
                     WEFT_E_UNSUPPORTED);
    assert_non_null(strstr(all->c.fake.sentence, "tracers/1"));
}

#define CASE(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_child_gets_each_call_in_order),
        CASE(quotes_keep_blanks),
        CASE(children_end_with_it),
        CASE(child_that_cannot_be_made_ends_the_others),
        CASE(child_that_does_not_open_closes_the_others),
        CASE(child_that_fails_stops_no_other),
        CASE(request_reaches_who_keeps_events),
        CASE(request_that_nobody_can_answer_is_refused),
        CASE(nothing_named_is_refused_at_open),
        CASE(word_that_is_no_setting_is_refused),
        CASE(setting_without_a_tracer_is_refused),
        CASE(open_quote_is_refused),
        CASE(and_at_the_end_is_refused),
        CASE(host_that_makes_no_tracers_is_told),
    };
    return cmocka_run_group_tests_name("tracer-tee", tests, NULL, NULL);
}
