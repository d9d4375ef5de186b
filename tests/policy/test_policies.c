/* The small policies on hand-made views and operations. Expectations: docs/policy.md, worked out by
 * hand. */
#include "tracer/fake_host.h"

#include "views.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

typedef struct policy_case {
    fake_host fake;
    const weft_policy_ops *ops;
    views v;
} policy_case;

static policy_case *load(const char *id)
{
    policy_case *c = calloc(1, sizeof *c);
    assert_non_null(c);
    fake_load(&c->fake, id);
    c->fake.machine.lookahead = 20 * US;
    views_init(&c->v);
    return c;
}

static policy_case *begin(const char *id, const char *key, const char *value)
{
    policy_case *c = load(id);
    if (key) {
        fake_set(&c->fake, key, value);
    }
    c->ops = fake_create(&c->fake);
    return c;
}

static void end(policy_case *c)
{
    fake_close(&c->fake);
    free(c);
}

/* `create` refuses the value with a sentence that has `part`. */
static void refuses(const char *id, const char *key, const char *value, const char *part)
{
    policy_case *c = load(id);
    fake_set(&c->fake, key, value);
    assert_int_not_equal(c->fake.desc->create(&c->fake.host, &c->fake.instance), WEFT_OK);
    assert_int_equal(c->fake.fails, 1);
    assert_non_null(strstr(c->fake.sentence, part));
    c->fake.instance = NULL;
    end(c);
}

static int32_t next(policy_case *c, uint32_t hw)
{
    return c->ops->pick_next(c->fake.instance, &c->v.view, hw);
}

static uint64_t quantum(policy_case *c)
{
    return c->ops->quantum(c->fake.instance, &c->v.view, 0);
}

static weft_sync_op op_of(const policy_case *c, uint32_t thread, uint32_t kind)
{
    return (weft_sync_op){
        .size = sizeof(weft_sync_op),
        .kind = kind,
        .thread = c->v.threads[thread].id,
        .object = 0x1234567812345678,
        .site = 0x82001000,
        .pointer = 0x82030000,
    };
}

static uint32_t before(policy_case *c, const weft_sync_op *op, uint64_t *amount)
{
    uint64_t none = 0;
    return c->ops->before(c->fake.instance, &c->v.view, op, amount ? amount : &none);
}

static void after(policy_case *c, const weft_sync_op *op)
{
    c->ops->after(c->fake.instance, &c->v.view, op);
}

/* ---- round_robin, host_like -------------------------------------------------------------------- */

static void turns_go_whatever_the_priorities(void **state)
{
    static const char *const ids[] = {"policy-round_robin", "policy-host_like"};
    for (int i = 0; i < 2; i++) {
        policy_case *c = begin(ids[i], NULL, NULL);
        views_thread(&c->v, 0, 31, 9);
        views_thread(&c->v, 0, 1, 4);
        views_thread(&c->v, 1, 31, 1);
        assert_int_equal(next(c, 0), 1);
        c->v.threads[1].order = 10;
        assert_int_equal(next(c, 0), 0);
        assert_int_equal(next(c, 5), -1);
        end(c);
    }
}

static void round_robin_has_one_quantum(void **state)
{
    policy_case *c = begin("policy-round_robin", "quantum_us", "750");
    views_thread(&c->v, 0, 8, 1);
    assert_int_equal(quantum(c), 750 * US);
    end(c);
}

/* ORDERING.md 1: 10 ms before a new thread runs; other delays are the kernel's unless asked for. */
static void host_like_delays_a_start(void **state)
{
    policy_case *c = begin("policy-host_like", NULL, NULL);
    void *p = c->fake.instance;
    assert_int_equal(c->ops->delay(p, WEFT_DELAY_START, 1, 5), 10 * MS + 5);
    assert_int_equal(c->ops->delay(p, WEFT_DELAY_WAKE, 1, 5), 5);
    assert_int_equal(c->ops->delay(p, WEFT_DELAY_IO, 1, 5), 5);
    assert_int_equal(c->ops->delay(p, WEFT_DELAY_START, 1, UINT64_MAX), UINT64_MAX);
    end(c);
    c = begin("policy-host_like", "io_us", "100000");
    assert_int_equal(c->ops->delay(c->fake.instance, WEFT_DELAY_IO, 1, 5), 100 * MS);
    end(c);
}

/* ORDERING.md 1: relative delays are cut to whole ms (what is shorter is a yield), deferred overlapped
 * completion takes 100 ms; a timer of a host that looks each ms comes no earlier than asked for. */
static void host_like_waits_as_a_host_does(void **state)
{
    static const struct {
        const char *key, *value;
        uint32_t kind;
        uint64_t natural, answer;
    } cases[] = {
        {NULL, NULL, WEFT_DELAY_TIMEOUT, 2 * MS + 999 * US, 2 * MS},
        {NULL, NULL, WEFT_DELAY_TIMEOUT, 999 * US, 0},
        {NULL, NULL, WEFT_DELAY_TIMEOUT, 3 * MS, 3 * MS},
        {"timeout_us", "0", WEFT_DELAY_TIMEOUT, 999 * US, 999 * US},
        {"timeout_us", "15000", WEFT_DELAY_TIMEOUT, 44 * MS, 30 * MS},
        {NULL, NULL, WEFT_DELAY_TIMER, 1, 1 * MS},
        {NULL, NULL, WEFT_DELAY_TIMER, 2 * MS, 2 * MS},
        {"timer_us", "0", WEFT_DELAY_TIMER, 1, 1},
        {"timer_us", "15000", WEFT_DELAY_TIMER, 44 * MS, 45 * MS},
        {NULL, NULL, WEFT_DELAY_OVERLAPPED, 5, 100 * MS},
        {"overlapped_us", "7", WEFT_DELAY_OVERLAPPED, 5, 7 * US},
        {"overlapped_us", "-1", WEFT_DELAY_OVERLAPPED, 5, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        policy_case *c = begin("policy-host_like", cases[i].key, cases[i].value);
        assert_int_equal(c->ops->delay(c->fake.instance, cases[i].kind, 1, cases[i].natural),
                         cases[i].answer);
        end(c);
    }
}

/* ORDERING.md 1: a held section's own count says how often a host tries before it waits. */
static void host_like_spins_as_the_section_asks(void **state)
{
    uint64_t ticks = 9;
    policy_case *c = begin("policy-host_like", "spin_ns", "3");
    views_thread(&c->v, 0, 8, 1);
    weft_sync_op op = op_of(c, 0, WEFT_SYNC_ENTER_CONTENDED);
    assert_true(c->ops->subscribe(c->fake.instance) >> WEFT_SYNC_ENTER_CONTENDED & 1);
    assert_int_equal(before(c, &op, &ticks), WEFT_ANSWER_GO);
    op.spin = 1024;
    assert_int_equal(before(c, &op, &ticks), WEFT_ANSWER_SPIN);
    assert_int_equal(ticks, 3072);
    end(c);
    c = begin("policy-host_like", "spin_ns", "0");
    assert_int_equal(c->ops->subscribe(c->fake.instance), 0);
    end(c);
}

static uint32_t place(policy_case *c, int32_t thread)
{
    return c->ops->place(c->fake.instance, &c->v.view, thread);
}

/* Two cores: threads 0 and 1 run on core 0, 2 on core 1, 3 waits; who comes joins the shorter queue,
 * and stays where queues are equal. */
static void host_like_shares_its_cores(void **state)
{
    policy_case *c = begin("policy-host_like", "cores", "2");
    views_thread(&c->v, 0, 8, 1);
    views_thread(&c->v, 0, 8, 2);
    views_thread(&c->v, 1, 8, 3);
    views_thread(&c->v, 5, 8, 4);
    c->v.threads[3].state = WEFT_THREAD_WAITING;
    c->v.threads[3].affinity = 0x20;
    assert_int_equal(place(c, 3), 1); /* one against two; core 5 there is none */
    assert_int_equal(place(c, 0), 0); /* one other here, one there */
    c->v.threads[1].state = WEFT_THREAD_WAITING;
    assert_int_equal(place(c, 2), 1); /* nobody else here */
    c->v.threads[2].state = WEFT_THREAD_SUSPENDED;
    assert_int_equal(place(c, 3), 1);
    end(c);
    c = begin("policy-host_like", "cores", "0"); /* the affinity counts */
    views_thread(&c->v, 0, 8, 1);
    assert_int_equal(place(c, 0), 0);
    c->v.threads[0].affinity = 0x28;
    assert_int_equal(place(c, 0), 3);
    c->v.threads[0].hw = 5;
    assert_int_equal(place(c, 0), 5);
    end(c);
}

/* ---- xenon ------------------------------------------------------------------------------------- */

static void xenon_boosts_by_one_after_a_wait(void **state)
{
    policy_case *c = begin("policy-xenon", NULL, NULL);
    views_thread(&c->v, 0, 8, 1);
    views_thread(&c->v, 0, 8, 2);
    assert_int_equal(next(c, 0), 0);
    weft_sync_op wake = op_of(c, 1, WEFT_SYNC_WAKE);
    after(c, &wake);
    assert_int_equal(next(c, 0), 1); /* 9 goes before 8 */
    views_run(&c->v, 1);
    c->v.threads[1].order = 3; /* its turn is over, and with it the boost */
    assert_int_equal(next(c, 0), 0);
    end(c);
}

/* Win32 "Priority Boosts": only priorities 0 to 15 are boosted, and 15 is the end. */
static void xenon_leaves_real_time_alone(void **state)
{
    policy_case *c = begin("policy-xenon", NULL, NULL);
    views_thread(&c->v, 0, 16, 1);
    views_thread(&c->v, 0, 15, 2);
    weft_sync_op wake = op_of(c, 1, WEFT_SYNC_WAKE);
    after(c, &wake);
    assert_int_equal(next(c, 0), 0);
    views_run(&c->v, 0);
    c->v.hw[0].time = 1000 * MS; /* nor does age lift above it */
    assert_int_equal(next(c, 0), 0);
    end(c);
}

static void xenon_ages_a_level_for_each_interval(void **state)
{
    policy_case *c = begin("policy-xenon", "age_ms", "10");
    views_thread(&c->v, 0, 8, 1);
    views_thread(&c->v, 0, 6, 2);
    views_run(&c->v, 0);
    c->v.hw[0].time = 30 * MS - 1; /* two levels: 8 against 8, and 0 is first in line */
    assert_int_equal(next(c, 0), 0);
    c->v.hw[0].time = 30 * MS; /* three */
    assert_int_equal(next(c, 0), 1);
    end(c);
}

static void xenon_spinner_passes_a_turn(void **state)
{
    policy_case *c = begin("policy-xenon", "spins", "3");
    views_thread(&c->v, 0, 31, 1);
    views_thread(&c->v, 0, 1, 2);
    assert_int_equal(next(c, 0), 0);
    views_run(&c->v, 0);
    for (uint64_t order = 3; order < 5;
         order++) { /* db16cyc: behind its equals, long before time */
        c->v.threads[0].order = order;
        c->v.hw[0].time += 100;
        assert_int_equal(next(c, 0), 0);
    }
    c->v.threads[0].order = 5;
    assert_int_equal(next(c, 0), 1);
    end(c);
}

/* ---- per_cs_yield ------------------------------------------------------------------------------ */

static void named_sections_yield(void **state)
{
    static const struct {
        const char *key, *value;
        uint32_t answer;
    } cases[] = {
        {"sections", "0x82030000", WEFT_ANSWER_YIELD},
        {"sections", "1, 82030000", WEFT_ANSWER_YIELD},
        {"sections", "1234567812345678", WEFT_ANSWER_YIELD},
        {"sections", "0x82030004", WEFT_ANSWER_GO},
        {"sites", "82001000,5", WEFT_ANSWER_YIELD},
        {"sites", "0x82030000", WEFT_ANSWER_GO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        policy_case *c = begin("policy-per_cs_yield", cases[i].key, cases[i].value);
        views_thread(&c->v, 0, 8, 1);
        weft_sync_op op = op_of(c, 0, WEFT_SYNC_ENTER);
        assert_int_equal(before(c, &op, NULL), cases[i].answer);
        op.kind = WEFT_SYNC_ENTER_CONTENDED;
        assert_int_equal(before(c, &op, NULL), cases[i].answer);
        op.kind = WEFT_SYNC_LEAVE;
        assert_int_equal(before(c, &op, NULL), WEFT_ANSWER_GO);
        end(c);
    }
}

static void spin_lets_ticks_pass_instead(void **state)
{
    policy_case *c = load("policy-per_cs_yield");
    uint64_t amount = 0;
    fake_set(&c->fake, "sections", "82030000");
    fake_set(&c->fake, "spin", "5000");
    c->ops = fake_create(&c->fake);
    views_thread(&c->v, 0, 8, 1);
    weft_sync_op op = op_of(c, 0, WEFT_SYNC_ENTER);
    assert_int_equal(before(c, &op, &amount), WEFT_ANSWER_SPIN);
    assert_int_equal(amount, 5000);
    end(c);
}

static void lists_that_cannot_be_read_are_refused(void **state)
{
    char many[65 * 3 + 1] = "";
    refuses("policy-per_cs_yield", "sections", "main", "sections cannot be read (found main");
    refuses("policy-per_cs_yield", "sites", "0x1;0x2", "found 0x1;0x2");
    refuses("policy-per_cs_yield", "sites", "0x1,,2", "found ,2");
    refuses("policy-per_cs_yield", "sites", "11112222333344445", "at most 64 hexadecimal numbers");
    for (int i = 0; i < 65; i++) {
        strcat(many, "1f,");
    }
    refuses("policy-per_cs_yield", "sites", many, "at most 64");
}

/* ---- pct --------------------------------------------------------------------------------------- */

/* Of two that can run one goes, and the other is held, whichever asks first. */
static void pct_lets_the_highest_go(void **state)
{
    int first = 0;
    for (int seed = 1; seed <= 16; seed++) {
        char text[16];
        snprintf(text, sizeof text, "%d", seed);
        policy_case *c = load("policy-pct");
        fake_set(&c->fake, "seed", text);
        fake_set(&c->fake, "depth", "1");
        c->ops = fake_create(&c->fake);
        views_thread(&c->v, 0, 8, 1);
        views_thread(&c->v, 1, 31, 2);
        weft_sync_op a = op_of(c, 0, WEFT_SYNC_CALL), b = op_of(c, 1, WEFT_SYNC_CALL);
        uint32_t answers[2] = {before(c, &a, NULL), before(c, &b, NULL)};
        assert_int_equal(answers[0] + answers[1], WEFT_ANSWER_GO + WEFT_ANSWER_HOLD);
        assert_int_equal(before(c, &a, NULL), answers[0]);
        first += answers[0] == WEFT_ANSWER_GO;
        end(c);
    }
    assert_in_range(first, 3, 13); /* of 16; by chance it would be outside once in 240 times */
}

/* A held one ends the reign of the other after patience_us. */
static void pct_tires_of_a_spinner(void **state)
{
    policy_case *c = load("policy-pct");
    fake_set(&c->fake, "depth", "1");
    fake_set(&c->fake, "patience_us", "10");
    c->ops = fake_create(&c->fake);
    views_thread(&c->v, 0, 8, 1);
    views_thread(&c->v, 1, 8, 2);
    weft_sync_op ops[2] = {op_of(c, 0, WEFT_SYNC_CALL), op_of(c, 1, WEFT_SYNC_CALL)};
    int low = before(c, &ops[0], NULL) == WEFT_ANSWER_HOLD ? 0 : 1;
    assert_int_equal(before(c, &ops[1], NULL), low == 1 ? WEFT_ANSWER_HOLD : WEFT_ANSWER_GO);
    c->v.threads[low].state = WEFT_THREAD_WAITING; /* as a held one shows */
    c->v.view.now = 10 * US - 1;
    assert_int_equal(before(c, &ops[low], NULL), WEFT_ANSWER_HOLD);
    c->v.view.now = 10 * US;
    assert_int_equal(before(c, &ops[low], NULL), WEFT_ANSWER_GO);
    c->v.threads[low].state = WEFT_THREAD_READY;
    assert_int_equal(before(c, &ops[1 - low], NULL), WEFT_ANSWER_HOLD);
    end(c);
}

/* A change at the only step of the horizon: who comes first becomes the lowest. */
static void pct_changes_within_the_horizon(void **state)
{
    policy_case *c = load("policy-pct");
    fake_set(&c->fake, "depth", "2");
    fake_set(&c->fake, "horizon", "1");
    c->ops = fake_create(&c->fake);
    views_thread(&c->v, 0, 8, 1);
    views_thread(&c->v, 1, 8, 2);
    weft_sync_op a = op_of(c, 0, WEFT_SYNC_CALL), b = op_of(c, 1, WEFT_SYNC_CALL);
    assert_int_equal(before(c, &a, NULL), WEFT_ANSWER_HOLD);
    c->v.threads[0].state = WEFT_THREAD_WAITING;
    assert_int_equal(before(c, &b, NULL), WEFT_ANSWER_GO);
    assert_int_equal(c->ops->stuck(c->fake.instance, &c->v.view), c->v.threads[0].id);
    c->ops->thread_end(c->fake.instance, c->v.threads[0].id);
    assert_int_equal(c->ops->stuck(c->fake.instance, &c->v.view), 0);
    end(c);
}

/* ---- chaos ------------------------------------------------------------------------------------- */

static void chaos_without_traits_holds_nobody(void **state)
{
    static const char *const traits[] = {"low",        "main_low", "short",
                                         "very_short", "windows",  "stalls"};
    policy_case *c = load("policy-chaos");
    for (int i = 0; i < 6; i++) {
        fake_set(&c->fake, traits[i], "0");
    }
    c->ops = fake_create(&c->fake);
    views_thread(&c->v, 0, 8, 1);
    views_thread(&c->v, 1, 31, 2);
    for (int i = 0; i < 1000; i++) {
        weft_sync_op op = op_of(c, 0, WEFT_SYNC_CALL);
        uint64_t slice = UINT64_MAX;
        c->v.view.now += 7 * US;
        c->v.hw[0].time = c->v.hw[1].time = c->v.view.now;
        assert_int_equal(before(c, &op, NULL), WEFT_ANSWER_GO);
        assert_in_range(c->ops->pick_cpu(c->fake.instance, &c->v.view, &slice), 0, 1);
        assert_true(slice == UINT64_MAX);
    }
    end(c);
}

/* Of 10,000 slices about a tenth are very short and a tenth short (binomial, 5 sigma: 150). */
static void chaos_cuts_a_fifth_of_the_slices(void **state)
{
    policy_case *c = begin("policy-chaos", NULL, NULL);
    int very_short = 0, cut = 0;
    views_thread(&c->v, 0, 8, 1);
    for (int i = 0; i < 10000; i++) {
        uint64_t slice = UINT64_MAX;
        c->ops->pick_cpu(c->fake.instance, &c->v.view, &slice);
        assert_true(slice > 0 && (slice <= 10000 || slice == UINT64_MAX));
        very_short += slice <= 100;
        cut += slice <= 10000;
    }
    assert_in_range(cut, 1800, 2200);
    assert_in_range(very_short, 860, 1160); /* with one short slice in a hundred as short as that */
    end(c);
}

/* Of 10,000 calls of one that is not low, 3 % stall (binomial, 5 sigma: 85). */
static void chaos_stalls_some_calls(void **state)
{
    policy_case *c = begin("policy-chaos", "low", "0");
    int stalls = 0;
    views_thread(&c->v, 0, 8, 1);
    weft_sync_op op = op_of(c, 0, WEFT_SYNC_CALL);
    for (int i = 0; i < 10000; i++) {
        uint64_t amount = 0;
        uint32_t answer = before(c, &op, &amount);
        assert_true(answer == WEFT_ANSWER_GO || (amount > 0 && amount <= UINT64_C(1024) << 11));
        stalls += answer == WEFT_ANSWER_SPIN;
    }
    assert_in_range(stalls, 215, 385);
    end(c);
}

/* The hardware thread is drawn among those within the lookahead of the last. */
static void chaos_keeps_hardware_threads_together(void **state)
{
    policy_case *c = begin("policy-chaos", NULL, NULL);
    int seen[WEFT_HW_COUNT] = {0};
    views_thread(&c->v, 1, 8, 1);
    views_thread(&c->v, 2, 8, 2);
    views_thread(&c->v, 3, 8, 3);
    c->v.hw[2].time = 20 * US - 1;
    c->v.hw[3].time = 20 * US;
    for (int i = 0; i < 200; i++) {
        uint64_t slice = UINT64_MAX;
        seen[c->ops->pick_cpu(c->fake.instance, &c->v.view, &slice)]++;
    }
    assert_true(seen[1] > 0 && seen[2] > 0);
    assert_int_equal(seen[1] + seen[2], 200);
    end(c);
}

/* A low one is held while others can run; when none can, it goes, or sits out a window. */
static void chaos_low_ones_wait_for_others(void **state)
{
    policy_case *c = load("policy-chaos");
    fake_set(&c->fake, "low", "0");
    fake_set(&c->fake, "main_low", "100");
    c->ops = fake_create(&c->fake);
    views_thread(&c->v, 0, 8, 1);
    views_thread(&c->v, 1, 8, 2);
    c->ops->thread_start(c->fake.instance, c->v.threads[0].id, 0);
    weft_sync_op op = op_of(c, 0, WEFT_SYNC_CALL);
    assert_int_equal(before(c, &op, NULL), WEFT_ANSWER_HOLD);
    c->v.threads[1].state = WEFT_THREAD_WAITING;
    int windows = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t amount = 0;
        c->v.view.now += 10 * US;
        uint32_t answer = before(c, &op, &amount);
        assert_true(answer == WEFT_ANSWER_GO || answer == WEFT_ANSWER_SPIN);
        assert_true(answer == WEFT_ANSWER_GO || (amount > 0 && amount <= UINT64_C(1024) << 11));
        windows += answer == WEFT_ANSWER_SPIN;
        c->v.view.now += amount;
    }
    assert_in_range(windows, 1, 500);
    end(c);
}

/* ---- all --------------------------------------------------------------------------------------- */

static const char *const ids[] = {
    "policy-aggressive",  "policy-per_cs_yield", "policy-xenon", "policy-host_like",
    "policy-round_robin", "policy-pct",          "policy-chaos",
};

static void answers_are_legal_and_equal_for_random_views(void **state)
{
    for (size_t p = 0; p < sizeof ids / sizeof ids[0]; p++) {
        policy_case *c = begin(ids[p], NULL, NULL), *other = begin(ids[p], NULL, NULL);
        uint64_t seed = p + 1;
        for (int i = 0; c->ops->pick_next && i < 3000; i++) {
            views_random(&c->v, &seed);
            for (uint32_t hw = 0; hw < WEFT_HW_COUNT; hw++) {
                if (c->v.hw[hw].ready) {
                    int32_t answer = next(c, hw);
                    assert_true(views_legal(&c->v, hw, answer));
                    assert_int_equal(answer,
                                     other->ops->pick_next(other->fake.instance, &c->v.view, hw));
                }
            }
        }
        end(c);
        end(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_go_whatever_the_priorities),
        cmocka_unit_test(round_robin_has_one_quantum),
        cmocka_unit_test(host_like_delays_a_start),
        cmocka_unit_test(host_like_waits_as_a_host_does),
        cmocka_unit_test(host_like_spins_as_the_section_asks),
        cmocka_unit_test(host_like_shares_its_cores),
        cmocka_unit_test(xenon_boosts_by_one_after_a_wait),
        cmocka_unit_test(xenon_leaves_real_time_alone),
        cmocka_unit_test(xenon_ages_a_level_for_each_interval),
        cmocka_unit_test(xenon_spinner_passes_a_turn),
        cmocka_unit_test(named_sections_yield),
        cmocka_unit_test(spin_lets_ticks_pass_instead),
        cmocka_unit_test(lists_that_cannot_be_read_are_refused),
        cmocka_unit_test(pct_lets_the_highest_go),
        cmocka_unit_test(pct_tires_of_a_spinner),
        cmocka_unit_test(pct_changes_within_the_horizon),
        cmocka_unit_test(chaos_without_traits_holds_nobody),
        cmocka_unit_test(chaos_cuts_a_fifth_of_the_slices),
        cmocka_unit_test(chaos_stalls_some_calls),
        cmocka_unit_test(chaos_keeps_hardware_threads_together),
        cmocka_unit_test(chaos_low_ones_wait_for_others),
        cmocka_unit_test(answers_are_legal_and_equal_for_random_views),
    };
    return cmocka_run_group_tests_name("policies", tests, NULL, NULL);
}
