/* policy.c: the kit of policies. Several instances are asked the same questions, some in another order
 * than others: their answers must be legal and equal (policy.h: same views, same answers). One begins
 * in the middle, as after a swap; one where there is `save` goes on from what another has saved. */
#include <stdlib.h>
#include <string.h>

#include "policy_kit.h"

#define ROUNDS      400
#define SWAP_ROUND  173 /* a newcomer takes over; `save` is tried */
#define HOLD_ROUNDS 3   /* how often a held operation is asked again */
#define ANSWERS_MAX 128 /* of one round */

enum { FIRST, SECOND, NEWCOMER, LOADED, INSTANCES };

/* The answers of one instance in one round. */
typedef struct answers {
    struct {
        const char *op;
        uint64_t value;
        int legal;
    } list[ANSWERS_MAX];
    uint32_t count;
} answers;

typedef struct policy_run {
    const weft_plugin_desc *desc;
    const weft_policy_ops *ops;
    const weft_host *host;
    weft_conform_report *report;
    void *instances[INSTANCES]; /* those that are there; an instance may be NULL itself */
    int there[INSTANCES];
    answers got[INSTANCES];
    kit questions;
} policy_run;

/* ---- questions --------------------------------------------------------------------------------- */

static void answered(answers *a, const char *op, uint64_t value, int legal)
{
    if (a->count < ANSWERS_MAX) {
        a->list[a->count].op = op;
        a->list[a->count].value = value;
        a->list[a->count++].legal = legal;
    }
}

static int can_run(const kit *k, int32_t index, uint32_t hw)
{
    return index >= 0 && (uint32_t)index < k->view.thread_count && k->threads[index].hw == hw &&
           k->threads[index].state <= WEFT_THREAD_RUNNING;
}

static void ask_next(const weft_policy_ops *ops, void *p, const kit *k, uint32_t hw, answers *a)
{
    int32_t index = 0;
    if (ops->pick_next) {
        index = ops->pick_next(p, &k->view, hw);
        answered(a, "pick_next", (uint64_t)(int64_t)index, can_run(k, index, hw));
    } else {
        while ((uint32_t)index < k->view.thread_count && !can_run(k, index, hw)) {
            index++;
        }
    }
    if (can_run(k, index, hw) && ops->quantum) {
        answered(a, "quantum", ops->quantum(p, &k->view, index), 1);
    }
}

/* Who runs: asked where somebody can, and about threads where they may be replaced. */
static void ask_scheduling(const weft_policy_ops *ops, void *p, const kit *k, answers *a)
{
    uint64_t slice = UINT64_MAX;
    int work = 0;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        work |= k->hw[i].ready > 0;
    }
    if (work && ops->pick_cpu) {
        uint32_t hw = ops->pick_cpu(p, &k->view, &slice);
        answered(a, "pick_cpu", hw, hw < WEFT_HW_COUNT && k->hw[hw].ready > 0);
        answered(a, "pick_cpu slice", slice, slice > 0);
    }
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        if (k->hw[i].ready > 0 && !k->hw[i].pinned) {
            ask_next(ops, p, k, i, a);
        }
    }
}

static int is_answer(uint32_t kind, uint32_t answer)
{
    return answer <= WEFT_ANSWER_SPIN ||
           (answer == WEFT_ANSWER_BLOCK && kind == WEFT_SYNC_ENTER_CONTENDED);
}

/* One operation, and if it is held, again after a while; then it takes effect. */
static void ask_op(const weft_policy_ops *ops, void *p, kit k[static 1], const weft_sync_op *op,
                   answers *a)
{
    int asked = ops->before && k->shape != VIEW_NOBODY; /* of clock sources only `after` tells */
    for (int i = 0; asked && i < HOLD_ROUNDS; i++) {
        uint64_t amount = 0;
        uint32_t answer = ops->before(p, &k->view, op, &amount);
        answered(a, "before", answer, is_answer(op->kind, answer));
        if (answer == WEFT_ANSWER_SPIN) {
            answered(a, "before amount", (uint32_t)amount, 1);
        }
        if (answer != WEFT_ANSWER_HOLD) {
            break;
        }
    }
    if (ops->after) {
        ops->after(p, &k->view, op);
    }
}

static void ask_rest(const weft_policy_ops *ops, void *p, const kit *k, answers *a)
{
    for (uint32_t kind = 0; ops->delay && kind < WEFT_DELAY_KINDS; kind++) {
        uint64_t ticks = ops->delay(p, kind, k->threads[0].id, 1000);
        answered(a, "delay", ticks, ticks <= 1000 + WEFT_DELAY_MOST);
    }
    for (uint32_t i = 0; ops->place && i < k->view.thread_count; i++) {
        uint32_t hw = ops->place(p, &k->view, (int32_t)i);
        answered(a, "place", hw, hw < WEFT_HW_COUNT);
    }
    if (ops->stuck && (k->shape == VIEW_HELD || k->shape == VIEW_NOBODY)) {
        answered(a, "stuck", ops->stuck(p, &k->view), 1);
    }
}

/* ---- judgement --------------------------------------------------------------------------------- */

static void judge(policy_run *r, uint32_t round)
{
    const answers *first = &r->got[FIRST];
    for (uint32_t i = 0; i < first->count; i++) {
        if (!first->list[i].legal) {
            weft_conform_fail(r->report, "policy.%s: view %u: got %lld, expected a legal answer",
                              first->list[i].op, round, (long long)first->list[i].value);
        } else {
            weft_conform_pass(r->report);
        }
    }
    for (int who = SECOND; who < INSTANCES; who++) {
        const answers *other = &r->got[who];
        uint32_t i = 0;
        while (i < first->count && i < other->count &&
               first->list[i].value == other->list[i].value) {
            i++;
        }
        if (!r->there[who]) {
            continue;
        }
        if (who == NEWCOMER) { /* it has seen less, and may say something else */
            for (i = 0; i < other->count && other->list[i].legal; i++) {
            }
            if (i < other->count) {
                weft_conform_fail(r->report,
                                  "policy.%s: view %u: got %lld after a swap, expected a legal "
                                  "answer",
                                  other->list[i].op, round, (long long)other->list[i].value);
                continue;
            }
        } else if (i < first->count || i < other->count) {
            uint32_t at = i < first->count ? i : i - (i > 0);
            weft_conform_fail(r->report,
                              "policy.%s: view %u: got %lld and %lld from %s, expected equal "
                              "answers",
                              first->list[at].op, round, (long long)first->list[at].value,
                              i < other->count ? (long long)other->list[i].value : 0,
                              who == LOADED ? "one that loaded the other's state"
                                            : "two instances");
            continue;
        }
        weft_conform_pass(r->report);
    }
}

static void check_subscription(policy_run *r)
{
    uint32_t mask = r->ops->subscribe ? r->ops->subscribe(r->instances[FIRST]) : 0;
    uint32_t other = r->ops->subscribe ? r->ops->subscribe(r->instances[SECOND]) : 0;
    if ((mask & ~(WEFT_SYNC_NO_VIEW | WEFT_SYNC_SOURCES | WEFT_PICK_HELD)) >> WEFT_SYNC_KINDS) {
        weft_conform_fail(r->report, "policy.subscribe: got 0x%x, expected bits 0 to %u", mask,
                          WEFT_SYNC_KINDS - 1);
    } else if (mask != other) {
        weft_conform_fail(r->report,
                          "policy.subscribe: got 0x%x and 0x%x from two instances, expected equal "
                          "answers",
                          mask, other);
    } else {
        weft_conform_pass(r->report);
    }
}

/* ---- a run ------------------------------------------------------------------------------------- */

static int begin(policy_run *r, int who, const char *what)
{
    r->there[who] = r->desc->create(r->host, &r->instances[who]) == WEFT_OK;
    if (!r->there[who]) {
        weft_conform_fail(r->report, "policy.create: got a failure, expected %s", what);
    }
    return r->there[who];
}

static void start_threads(policy_run *r, int who)
{
    if (r->ops->subscribe) {
        (void)r->ops->subscribe(r->instances[who]);
    }
    for (uint32_t i = 0; r->ops->thread_start && i < KIT_MANY; i++) {
        r->ops->thread_start(r->instances[who], KIT_THREAD(i), i ? KIT_THREAD(i / 8) : 0);
    }
}

/* The newcomer is told of every thread that lives; then it is asked as all others. */
static void swap_in(policy_run *r)
{
    if (begin(r, NEWCOMER, "another instance while the others serve")) {
        start_threads(r, NEWCOMER);
    }
}

/* What one saves, another goes on from. A policy that refuses is asked no further. */
static void save_and_load(policy_run *r)
{
    uint64_t length = 0;
    if (!r->ops->save || !r->ops->load ||
        r->ops->save(r->instances[FIRST], NULL, &length) != WEFT_OK ||
        !begin(r, LOADED, "an instance to load into")) {
        return;
    }
    void *state = calloc(1, (size_t)length + 1);
    int good = state && r->ops->save(r->instances[FIRST], state, &length) == WEFT_OK;
    start_threads(r, LOADED);
    if (!good || r->ops->load(r->instances[LOADED], state, length) != WEFT_OK) {
        weft_conform_fail(r->report,
                          "policy.load: got a failure, expected it to take %llu bytes that save "
                          "wrote",
                          (unsigned long long)length);
        r->desc->destroy ? r->desc->destroy(r->instances[LOADED]) : (void)0;
        r->there[LOADED] = 0;
    } else {
        weft_conform_pass(r->report);
    }
    free(state);
}

/* One round: the same questions to each, the first one's turn alternating. */
static void ask_all(policy_run *r, uint32_t round)
{
    kit *k = &r->questions;
    weft_sync_op ops[WEFT_SYNC_KINDS];
    uint32_t mask = r->ops->subscribe ? r->ops->subscribe(r->instances[FIRST]) : 0;
    kit_view(k, round);
    for (uint32_t kind = 0; kind < WEFT_SYNC_KINDS; kind++) {
        ops[kind] = kit_op(k, kind);
    }
    for (int i = 0; i < INSTANCES; i++) {
        int who = round % 2 ? INSTANCES - 1 - i : i;
        answers *a = &r->got[who];
        a->count = 0;
        if (!r->there[who]) {
            continue;
        }
        ask_scheduling(r->ops, r->instances[who], k, a);
        for (uint32_t kind = 0; kind < WEFT_SYNC_KINDS; kind++) {
            if (mask >> kind & 1) {
                ask_op(r->ops, r->instances[who], k, &ops[kind], a);
            }
        }
        ask_rest(r->ops, r->instances[who], k, a);
    }
    judge(r, round);
}

/* ---- spinners ---------------------------------------------------------------------------------- */

#define SPINNERS    6
#define SPIN_SLICES 2000
#define SPIN_TICKS  UINT64_C(1000000)
#define QUANTUM     UINT64_C(20000000)
#define STARVE      UINT64_C(100000000) /* [schedule] starve_ticks of the stock profile */

/* Threads that never wait, on one hardware thread, all priorities apart: how long is the longest kept
 * from running? The kernel ends that, so it is said, and is no fault. */
static void watch_spinners(policy_run *r)
{
    kit *k = &r->questions;
    uint64_t ready[SPINNERS] = {0}, used[SPINNERS] = {0}, longest = 0, order = 0;
    int32_t worst = 0;
    void *p = r->instances[FIRST];
    kit_view(k, VIEW_EQUAL);
    k->view.thread_count = SPINNERS;
    for (uint32_t i = 0; i < SPINNERS; i++) {
        k->threads[i] = (weft_sched_thread){.id = KIT_THREAD(i),
                                            .order = ++order,
                                            .state = WEFT_THREAD_READY,
                                            .affinity = 0x3F,
                                            .priority = (int32_t)(5 * i + 3),
                                            .tid = 6 + i};
    }
    memset(k->hw, 0, sizeof k->hw);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        k->hw[i].current = -1;
    }
    k->hw[0].ready = SPINNERS;
    for (uint32_t slice = 0; slice < SPIN_SLICES && r->ops->pick_next; slice++) {
        k->view.now = k->hw[0].time;
        int32_t index = r->ops->pick_next(p, &k->view, 0);
        if (index < 0 || index >= SPINNERS) {
            return; /* told before */
        }
        int32_t last = k->hw[0].current;
        if (last >= 0 && last != index) {
            k->threads[last].state = WEFT_THREAD_READY;
            k->threads[last].order = ++order;
            k->threads[last].ready_since = ready[last] = k->hw[0].time;
        }
        uint64_t waited = k->hw[0].time - ready[index];
        worst = last != index && waited > longest ? k->threads[index].priority : worst;
        longest = last != index && waited > longest ? waited : longest;
        k->hw[0].current = index;
        k->threads[index].state = WEFT_THREAD_RUNNING;
        k->hw[0].time += SPIN_TICKS;
        ready[index] = k->hw[0].time;
        uint64_t turn = r->ops->quantum ? r->ops->quantum(p, &k->view, index) : 0;
        used[index] += SPIN_TICKS;
        if (used[index] >= (turn ? turn : QUANTUM)) {
            used[index] = 0;
            k->threads[index].order = ++order;
        }
    }
    for (uint32_t i = 0; i < SPINNERS; i++) {
        if (k->hw[0].time - ready[i] > longest) {
            longest = k->hw[0].time - ready[i];
            worst = k->threads[i].priority;
        }
    }
    if (longest > STARVE) {
        weft_conform_note(r->report,
                          "policy.pick_next: a spinning thread of higher priority keeps one of %d "
                          "from running for %llu ms; the kernel lets it run after 100",
                          worst, (unsigned long long)(longest / 1000000));
    }
}

int weft_conform_policy(const weft_plugin_desc *desc, const weft_policy_ops *ops,
                        const weft_host *host, weft_conform_report *report)
{
    policy_run *r = calloc(1, sizeof *r);
    if (!r) {
        weft_conform_fail(report, "policy: got no memory for the kit, expected some");
        return 0;
    }
    r->desc = desc;
    r->ops = ops;
    r->host = host;
    r->report = report;
    if (begin(r, FIRST, "ok") && begin(r, SECOND, "a second instance")) {
        check_subscription(r);
        start_threads(r, FIRST);
        start_threads(r, SECOND);
        for (uint32_t round = 0; round < ROUNDS; round++) {
            if (round == SWAP_ROUND) {
                swap_in(r);
                save_and_load(r);
            }
            ask_all(r, round);
        }
        for (uint32_t i = 0; ops->thread_end && i < KIT_MANY; i++) {
            ops->thread_end(r->instances[FIRST], KIT_THREAD(KIT_MANY - 1 - i));
        }
        if (ops->deadlock) {
            ops->deadlock(r->instances[SECOND], &r->questions.view);
        }
        watch_spinners(r);
    }
    for (int who = 0; who < INSTANCES; who++) {
        if (r->there[who] && desc->destroy) {
            desc->destroy(r->instances[who]);
        }
    }
    free(r);
    return 0;
}
