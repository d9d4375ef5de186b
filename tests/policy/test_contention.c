/* The three strategies on a contention manifest, met by a thread whose calls are made up here. The
 * index of each operation is counted by hand: import.call, kernel.call, (what the entry leaves),
 * kernel.return. */
#include <unistd.h>

#include "tracer/fake_host.h"

#include "views.h"

#define CS   0x82030000u
#define SITE 0x82001000u

/* docs/policy.md */
enum { REPLAYED, FREE, OWNED, POINTER, OTHER_SITE, VAIN };

/* FNV-1a of the export's name, as `weft trace dump` shows it. */
#define ENTER UINT64_C(0x01646aa6817990a4)
#define OTHER UINT64_C(0x5782506cbf39bafc)

typedef struct contention {
    fake_host fake;
    const weft_policy_ops *ops;
    views v;
    char path[64];
    uint64_t event, calls, sequence; /* of the thread */
    uint64_t told[64][2];            /* what, outcome */
    uint32_t tells;
} contention;

static void keep(const weft_host *host, weft_event *event)
{
    contention *c = (contention *)host->impl; /* fake is its first member */
    const uint64_t *words = (const uint64_t *)(event + 1);
    assert_int_equal(event->kind, WEFT_EVENT_POLICY_REPLAY);
    assert_in_range(c->tells, 0, 63);
    c->told[c->tells][0] = words[0];
    c->told[c->tells++][1] = words[1];
}

static contention *prepare(const char *id, const char *manifest)
{
    contention *c = calloc(1, sizeof *c);
    assert_non_null(c);
    fake_load(&c->fake, id);
    c->fake.host.emit = keep;
    strcpy(c->path, "/tmp/weft-manifest-XXXXXX");
    int fd = mkstemp(c->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, manifest, strlen(manifest)), (ssize_t)strlen(manifest));
    close(fd);
    fake_set(&c->fake, "manifest", c->path);
    views_init(&c->v);
    views_thread(&c->v, 0, 8, 1); /* tid 1 */
    return c;
}

static contention *begin(const char *id, const char *entries)
{
    char manifest[2048];
    snprintf(manifest, sizeof manifest, "{\"version\":1,\"entries\":[%s]}", entries);
    contention *c = prepare(id, manifest);
    c->ops = fake_create(&c->fake);
    return c;
}

/* Ends it and checks that the log has `line`. */
static void end(contention *c, const char *line)
{
    unlink(c->path);
    if (c->fake.instance) {
        c->fake.desc->destroy(c->fake.instance);
        c->fake.instance = NULL;
    }
    if (line && !strstr(c->fake.log_text, line)) {
        fail_msg("%s", c->fake.log_text);
    }
    fake_close(&c->fake);
    free(c);
}

static weft_sync_op op_of(contention *c, uint32_t kind, uint64_t object)
{
    return (weft_sync_op){.size = sizeof(weft_sync_op),
                          .kind = kind,
                          .thread = c->v.threads[0].id,
                          .object = object,
                          .sequence = kind == WEFT_SYNC_CALL ? 0 : c->sequence,
                          .site = SITE,
                          .pointer = kind == WEFT_SYNC_CALL ? 0 : CS,
                          .event = c->event};
}

static uint32_t ask(contention *c, const weft_sync_op *op)
{
    uint64_t amount = 0;
    return c->ops->before(c->fake.instance, &c->v.view, op, &amount);
}

static void tell(contention *c, const weft_sync_op *op)
{
    c->ops->after(c->fake.instance, &c->v.view, op);
}

/* import.call, kernel.call */
static void call(contention *c, uint64_t export)
{
    weft_sync_op op = op_of(c, WEFT_SYNC_CALL, export);
    assert_int_equal(ask(c, &op), WEFT_ANSWER_GO);
    c->event += 2;
    op.event = c->event;
    tell(c, &op);
}

/* A call of RtlEnterCriticalSection that goes through; the answer. A free one leaves sync.op, a contended
 * one contention.observed, wait.begin, sync.op twice, wait.end; then comes kernel.return. */
static uint32_t enter(contention *c, uint32_t kind)
{
    call(c, ENTER);
    weft_sync_op op = op_of(c, kind, 77);
    uint32_t answer = ask(c, &op);
    c->event += kind == WEFT_SYNC_ENTER ? 2 : 6;
    c->sequence++;
    tell(c, &op);
    return answer;
}

static uint32_t outcome(const contention *c)
{
    assert_true(c->tells > 0);
    return (uint32_t)c->told[c->tells - 1][1];
}

/* ---- conservative ------------------------------------------------------------------------------ */

/* Entry 1 is at the second enter: 4 events of the first (free), then import.call and kernel.call: 2 and
 * 2 more: index 6. */
static void conservative_says_what_it_finds(void **state)
{
    contention *c = begin("policy-conservative",
                          "{\"tid\":1,\"tid_event_idx\":6,\"site_sid\":\"0000000082001000\","
                          "\"cs_ptr\":\"0x82030000\",\"contended\":true}");
    assert_int_equal(enter(c, WEFT_SYNC_ENTER), WEFT_ANSWER_GO);
    assert_int_equal(c->tells, 0);
    assert_int_equal(enter(c, WEFT_SYNC_ENTER_CONTENDED), WEFT_ANSWER_GO);
    assert_int_equal(c->tells, 1);
    assert_int_equal(c->told[0][0], 16);
    assert_int_equal(outcome(c), REPLAYED);
    end(c, "1 entries: 1 replayed, 0 skipped because free");
}

static void conservative_leaves_a_free_one(void **state)
{
    contention *c = begin("policy-conservative",
                          "{\"tid\":1,\"tid_event_idx\":2,\"site_sid\":\"0000000082001000\","
                          "\"cs_ptr\":\"0x82030000\",\"contended\":true},"
                          "{\"tid\":2,\"tid_event_idx\":2,\"site_sid\":\"0000000082001000\","
                          "\"cs_ptr\":\"0x82030000\",\"contended\":true}");
    assert_int_equal(enter(c, WEFT_SYNC_ENTER), WEFT_ANSWER_GO);
    assert_int_equal(outcome(c), FREE);
    end(c, "2 entries: 0 replayed, 1 skipped because free, 0 because self-owned, 0 because the "
           "pointer differs, 0 because the site differs, 0 held in vain, 1 not come to");
}

/* The reference was contended at its enters 0, 1 and 2: 2, then 8 + 2, then 16 + 2. Ours is at 2, then
 * 4 + 2, then 8 + 2, and was never contended. */
static void index_is_translated_past_entries_met(void **state)
{
    contention *c =
        begin("policy-conservative", "{\"tid\":1,\"tid_event_idx\":2,\"site_sid\":\"1\","
                                     "\"cs_ptr\":\"0x82030000\",\"contended\":true},"
                                     "{\"tid\":1,\"tid_event_idx\":10,\"site_sid\":\"1\","
                                     "\"cs_ptr\":\"0x82030000\",\"contended\":true},"
                                     "{\"tid\":1,\"tid_event_idx\":18,\"site_sid\":\"1\","
                                     "\"cs_ptr\":\"0x82030000\",\"contended\":true}");
    for (int i = 0; i < 3; i++) {
        enter(c, WEFT_SYNC_ENTER);
    }
    assert_int_equal(c->tells, 3);
    end(c, "3 skipped because free");
}

/* Ours is contended at the enter before, which takes 8 events instead of 4; the entry is at 6. */
static void own_contention_is_translated_away(void **state)
{
    contention *c =
        begin("policy-conservative", "{\"tid\":1,\"tid_event_idx\":6,\"site_sid\":\"1\","
                                     "\"cs_ptr\":\"0x82030000\",\"contended\":true}");
    enter(c, WEFT_SYNC_ENTER_CONTENDED);
    assert_int_equal(c->tells, 0);
    assert_int_equal(c->event, 8);
    enter(c, WEFT_SYNC_ENTER_CONTENDED);
    assert_int_equal(outcome(c), REPLAYED);
    end(c, "1 replayed");
}

static void other_pointer_is_told(void **state)
{
    contention *c =
        begin("policy-conservative", "{\"tid\":1,\"tid_event_idx\":2,\"site_sid\":\"1\","
                                     "\"cs_ptr\":\"0x40544890\",\"contended\":true}");
    enter(c, WEFT_SYNC_ENTER_CONTENDED);
    assert_int_equal(outcome(c), POINTER);
    end(c, "1 because the pointer differs");
}

/* A recursive enter is no operation: nothing is asked before the next call. */
static void self_owned_is_told(void **state)
{
    contention *c =
        begin("policy-conservative", "{\"tid\":1,\"tid_event_idx\":2,\"site_sid\":\"1\","
                                     "\"cs_ptr\":\"0x82030000\",\"contended\":true}");
    call(c, ENTER);
    c->event++;
    assert_int_equal(c->tells, 0);
    call(c, OTHER);
    assert_int_equal(outcome(c), OWNED);
    end(c, "1 because self-owned");
}

/* By `enter` the index does not count, and the call site is checked. */
static void key_by_enter_is_not_shifted(void **state)
{
    contention *c = begin("policy-conservative",
                          "{\"tid\":1,\"tid_event_idx\":999,\"site_sid\":\"0000000082001000\","
                          "\"cs_ptr\":\"0x82030000\",\"enter\":1,\"contended\":true},"
                          "{\"tid\":1,\"tid_event_idx\":1999,\"site_sid\":\"0000000082001004\","
                          "\"cs_ptr\":\"0x82030000\",\"enter\":2,\"contended\":true}");
    enter(c, WEFT_SYNC_ENTER);
    for (int i = 0; i < 5; i++) {
        call(c, OTHER);
    }
    assert_int_equal(c->tells, 0);
    enter(c, WEFT_SYNC_ENTER_CONTENDED);
    assert_int_equal(outcome(c), REPLAYED);
    enter(c, WEFT_SYNC_ENTER_CONTENDED);
    assert_int_equal(outcome(c), OTHER_SITE);
    end(c, "1 because the site differs");
}

static void without_a_manifest_nothing_is_asked(void **state)
{
    fake_host fake;
    fake_load(&fake, "policy-conservative");
    const weft_policy_ops *ops = fake_create(&fake);
    assert_int_equal(ops->subscribe(fake.instance), 0);
    assert_int_equal(fake.logs, 0);
    fake_close(&fake);
}

/* ---- aggressive, per_cs_yield ------------------------------------------------------------------ */

#define FIRST_ENTER                                                                                \
    "{\"tid\":1,\"tid_event_idx\":2,\"site_sid\":\"1\",\"cs_ptr\":\"0x82030000\",\"contended\":"   \
    "true}"

static void aggressive_parks_until_another_comes(void **state)
{
    contention *c = begin("policy-aggressive", FIRST_ENTER);
    call(c, ENTER);
    weft_sync_op op = op_of(c, WEFT_SYNC_ENTER, 77);
    assert_int_equal(ask(c, &op), WEFT_ANSWER_HOLD);
    assert_int_equal(ask(c, &op), WEFT_ANSWER_HOLD);
    assert_int_equal(c->tells, 0);
    op.sequence += 2; /* another one has entered and left */
    assert_int_equal(ask(c, &op), WEFT_ANSWER_GO);
    assert_int_equal(outcome(c), REPLAYED);
    assert_int_equal(c->told[0][0], 17);
    end(c, "1 replayed");
}

static void aggressive_says_that_it_was_in_vain(void **state)
{
    contention *c = begin("policy-aggressive", FIRST_ENTER);
    call(c, ENTER);
    weft_sync_op op = op_of(c, WEFT_SYNC_ENTER, 77);
    assert_int_equal(ask(c, &op), WEFT_ANSWER_HOLD);
    tell(c, &op); /* released by the kernel, which does not ask again */
    assert_int_equal(outcome(c), VAIN);
    end(c, "1 held in vain");
}

/* Parked at 1000 and let in at 6000; one that finds the section held waits without being parked. */
static void aggressive_says_for_how_long(void **state)
{
    contention *c = begin("policy-aggressive", FIRST_ENTER);
    call(c, ENTER);
    weft_sync_op op = op_of(c, WEFT_SYNC_ENTER, 77);
    c->v.hw[0].time = 1000;
    assert_int_equal(ask(c, &op), WEFT_ANSWER_HOLD);
    c->v.hw[0].time = 4000;
    assert_int_equal(ask(c, &op), WEFT_ANSWER_HOLD);
    op.sequence++;
    op.kind = WEFT_SYNC_ENTER_CONTENDED; /* another one is inside */
    c->v.hw[0].time = 6000;
    assert_int_equal(ask(c, &op), WEFT_ANSWER_GO);
    end(c,
        "1 replayed, 0 skipped because free, 0 because self-owned, 0 because the pointer differs, "
        "0 because the site differs, 0 held in vain, 0 not come to; 1 times parked at a free one, "
        "for 5000 ticks");
    c = begin("policy-aggressive", FIRST_ENTER);
    assert_int_equal(enter(c, WEFT_SYNC_ENTER_CONTENDED), WEFT_ANSWER_GO);
    end(c, "; 0 times parked at a free one, for 0 ticks");
}

static void per_cs_yield_takes_a_manifest(void **state)
{
    contention *c = begin("policy-per_cs_yield", FIRST_ENTER);
    assert_int_equal(enter(c, WEFT_SYNC_ENTER), WEFT_ANSWER_YIELD);
    assert_int_equal(outcome(c), FREE);
    assert_int_equal(c->told[0][0], 18);
    assert_int_equal(enter(c, WEFT_SYNC_ENTER), WEFT_ANSWER_GO);
    end(c, "1 skipped because free");
}

/* ---- files ------------------------------------------------------------------------------------- */

static void bad_manifests_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"", ": "},
        {"{\"version\":2,\"entries\":[]}", "found version 2, expected 1"},
        {"{\"version\":1}", "no array of entries"},
        {"{\"version\":1,\"entries\":[{\"tid\":1}]}", "entry 0 has no usable tid_event_idx"},
        {"{\"version\":1,\"entries\":[{\"tid\":1,\"tid_event_idx\":2,\"site_sid\":\"1\",\"cs_ptr\":"
         "\"0x8\",\"enter\":-1,\"contended\":true}]}",
         "entry 0 has no usable enter"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        contention *c = prepare("policy-conservative", cases[i][0]);
        weft_status status = c->fake.desc->create(&c->fake.host, &c->fake.instance);
        assert_int_equal(status, WEFT_E_FORMAT);
        assert_non_null(strstr(c->fake.sentence, cases[i][1]));
        assert_non_null(strstr(c->fake.sentence, c->path));
        c->fake.instance = NULL;
        end(c, NULL);
    }
}

static void missing_manifest_is_refused(void **state)
{
    contention *c = prepare("policy-aggressive", "");
    unlink(c->path);
    weft_status status = c->fake.desc->create(&c->fake.host, &c->fake.instance);
    assert_int_equal(status, WEFT_E_NOT_FOUND);
    assert_non_null(strstr(c->fake.sentence, "cannot read"));
    c->fake.instance = NULL;
    end(c, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conservative_says_what_it_finds),
        cmocka_unit_test(conservative_leaves_a_free_one),
        cmocka_unit_test(index_is_translated_past_entries_met),
        cmocka_unit_test(own_contention_is_translated_away),
        cmocka_unit_test(other_pointer_is_told),
        cmocka_unit_test(self_owned_is_told),
        cmocka_unit_test(key_by_enter_is_not_shifted),
        cmocka_unit_test(without_a_manifest_nothing_is_asked),
        cmocka_unit_test(aggressive_parks_until_another_comes),
        cmocka_unit_test(aggressive_says_that_it_was_in_vain),
        cmocka_unit_test(aggressive_says_for_how_long),
        cmocka_unit_test(per_cs_yield_takes_a_manifest),
        cmocka_unit_test(bad_manifests_are_refused),
        cmocka_unit_test(missing_manifest_is_refused),
    };
    return cmocka_run_group_tests_name("contention", tests, NULL, NULL);
}
