/* kernel.c: the kit of kernels (weft/kernel.h): titles of the kit's own run in a machine of the kit's own.
 * Each check is of the contract, not of one kernel: which threads, events and states a kernel has besides
 * is its affair. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel_kit.h"

#define LIMIT UINT64_C(2000000) /* instructions of a run that should end long before */

static const char *const program_names[KIT_PROGRAMS] = {
    [KIT_CALLS] = "a title that calls",
    [KIT_SPINS] = "a title that spins",
    [KIT_UNKNOWN] = "a call of an ordinal that nobody knows",
    [KIT_WAITS] = "a wait for nothing",
    [KIT_THREADS] = "two threads",
    [KIT_LOADS] = "a load from 0",
    [KIT_STORES] = "a store into the headers",
    [KIT_ILLEGAL] = "a word that is no instruction",
    [KIT_TRAPS] = "a trap",
    [KIT_ASTRAY] = "a branch to where nothing is",
    [KIT_NO_STACK] = "a load from 0 without a stack",
    [KIT_NO_SYSTEM] = "calls without a stack and r13",
    [KIT_POINTERS] = "calls with pointers that lead nowhere",
    [KIT_SYSCALL] = "an sc of the title's own",
};

/* Files that are no titles. */
enum { MISSING, EMPTY, SHORT, CUT, RANDOM, HOSTILES };

static const char *const hostile_names[HOSTILES] = {
    [MISSING] = "no file",
    [EMPTY] = "an empty file",
    [SHORT] = "a title's first 64 bytes",
    [CUT] = "a title without its last 4096 bytes",
    [RANDOM] = "a file of random bytes",
};

typedef struct kit {
    const weft_plugin_desc *desc;
    const weft_kernel_ops *ops;
    const weft_host *host;
    weft_conform_report *report;
    char folder[256];
    char titles[KIT_PROGRAMS][300], hostile[HOSTILES][300];
    uint8_t file[KIT_FILE];
} kit;

/* A run: how, and what came of it. */
typedef struct trial {
    kit_program program;
    kit_policy policy;
    uint64_t instructions, ticks, stop_after;
    kit_machine *machine;
    void *instance;
    weft_run_result result;
} trial;

static void check(const kit *k, int holds, const char *rule, const char *what, const char *got,
                  const char *expected)
{
    if (holds) {
        weft_conform_pass(k->report);
    } else {
        weft_conform_fail(k->report, "kernel.%s: %s: got %s, expected %s", rule, what, got,
                          expected);
    }
}

static void check_number(const kit *k, const char *rule, const char *what, uint64_t got,
                         uint64_t expected)
{
    if (got == expected) {
        weft_conform_pass(k->report);
    } else {
        weft_conform_fail(k->report, "kernel.%s: %s: got %llu, expected %llu", rule, what,
                          (unsigned long long)got, (unsigned long long)expected);
    }
}

/* ---- instances --------------------------------------------------------------------------------- */

static int make(const kit *k, trial *t)
{
    t->machine = kit_machine_create(k->host);
    if (!t->machine) {
        weft_conform_fail(k->report, "kernel: got no memory for the kit's machine, expected some");
        return 0;
    }
    t->machine->policy = t->policy;
    t->machine->stop_after = t->stop_after;
    weft_status status = k->desc->create(&t->machine->host, &t->instance);
    check(k, status == WEFT_OK, "create", "an instance", weft_status_name(status), "ok");
    if (status != WEFT_OK) {
        kit_machine_destroy(t->machine);
    }
    return status == WEFT_OK;
}

/* Ends the instance and says what the machine has noticed. */
static void end(const kit *k, trial *t, const char *what)
{
    static const char *const rules[KIT_OFFENCES] = {"events", "cpu", "policy", "host"};
    kit_machine *m = t->machine;
    if (k->desc->destroy) {
        k->desc->destroy(t->instance);
    }
    if (m->states) {
        kit_offence(m, KIT_OF_HOST, "cpu.state_destroy: got %u states left, expected none",
                    m->states);
    }
    if (kit_memory_listened(m)) {
        kit_offence(m, KIT_OF_HOST, "memory.unlisten: got a listener left, expected none");
    }
    for (int i = 0; i < KIT_OFFENCES; i++) {
        check(k, !m->offence[i][0], rules[i], what, m->offence[i], "the contract kept");
    }
    kit_machine_destroy(m);
}

static int open_title(const kit *k, trial *t)
{
    if (!make(k, t)) {
        return 0;
    }
    weft_status status = k->ops->open(t->instance, k->titles[t->program], "");
    char got[KIT_TEXT + 40];
    snprintf(got, sizeof got, "%s: %s", weft_status_name(status), t->machine->failed);
    check(k, status == WEFT_OK, "open", program_names[t->program], got, "ok");
    if (status != WEFT_OK) {
        end(k, t, program_names[t->program]);
    }
    return status == WEFT_OK;
}

/* Opens, runs, takes the result; the instance lives on. */
static int run_title(const kit *k, trial *t)
{
    weft_run_limits limits = {
        .size = sizeof limits, .instructions = t->instructions, .ticks = t->ticks};
    const char *what = program_names[t->program];
    if (!open_title(k, t)) {
        return 0;
    }
    weft_status status = k->ops->run(t->instance, &limits);
    check(k, status == WEFT_OK, "run", what, weft_status_name(status), "ok");
    memset(&t->result, 0, sizeof t->result);
    t->result.size = sizeof t->result;
    k->ops->result(t->instance, &t->result);
    check(k,
          t->result.size == sizeof t->result && t->result.reason && *t->result.reason &&
              !strchr(t->result.reason, '\n'),
          "result", what, "no reason on one line", "one sentence");
    return 1;
}

static void check_end(const kit *k, const trial *t, uint32_t expected)
{
    check_number(k, "result.end", program_names[t->program], t->result.end, expected);
}

/* ---- events ------------------------------------------------------------------------------------ */

/* The n-th kept event of a kind on any thread, or NULL. */
static const weft_event *event_of(const kit_machine *m, uint16_t kind, uint32_t n)
{
    for (size_t at = 0; at < m->event_bytes;) {
        const weft_event *e = (const weft_event *)(const void *)(m->events + at);
        if (e->kind == kind && n-- == 0) {
            return e;
        }
        at += e->size;
    }
    return NULL;
}

/* Where two streams part: the number of the event, or UINT64_MAX. A prefix parts nowhere. */
static uint64_t part_at(const kit_machine *a, const kit_machine *b, const weft_event **found)
{
    uint64_t n = 0;
    size_t least = a->event_bytes < b->event_bytes ? a->event_bytes : b->event_bytes;
    for (size_t at = 0; at < least; n++) {
        const weft_event *e = (const weft_event *)(const void *)(a->events + at);
        if (at + e->size > least || memcmp(e, b->events + at, e->size) != 0) {
            *found = e;
            return n;
        }
        at += e->size;
    }
    return UINT64_MAX;
}

static void check_equal(const kit *k, const trial *a, const trial *b, const char *rule,
                        const char *what)
{
    const weft_event *e = NULL;
    uint64_t n = part_at(a->machine, b->machine, &e);
    if (n != UINT64_MAX) {
        weft_conform_fail(k->report,
                          "kernel.%s: %s: got another event number %llu (%s), expected equal "
                          "ones",
                          rule, what, (unsigned long long)n, weft_event_kind_of(e->kind)->name);
        return;
    }
    check_number(k, rule, what, b->machine->event_count, a->machine->event_count);
    int equal = a->result.end == b->result.end && a->result.exit_code == b->result.exit_code &&
                a->result.thread_count == b->result.thread_count &&
                a->result.instructions == b->result.instructions &&
                a->result.ticks == b->result.ticks &&
                a->result.imports_called == b->result.imports_called && a->result.reason &&
                b->result.reason && strcmp(a->result.reason, b->result.reason) == 0;
    check(k, equal, rule, what, "another result", "an equal one");
}

/* ---- what a run leaves behind ------------------------------------------------------------------ */

/* The identity's text behind its "thread:" (weft/kernel.h). */
static int names_thread(const kit_machine *m, const weft_run_thread *thread)
{
    const char *text = kit_name(m, thread->id);
    if (!text || !thread->name || !*thread->name) {
        return 0;
    }
    return strncmp(text, "thread:", 7) == 0 && strcmp(text + 7, thread->name) == 0;
}

static void check_threads(const kit *k, const trial *t)
{
    const char *what = program_names[t->program];
    uint64_t retired = 0;
    weft_run_thread one;
    uint32_t count = 0;
    for (;; count++) {
        memset(&one, 0, sizeof one);
        one.size = sizeof one;
        if (count > t->result.thread_count || !k->ops->thread(t->instance, count, &one)) {
            break;
        }
        check(k, names_thread(t->machine, &one), "thread", what, one.name ? one.name : "no name",
              "the text of the thread's identity");
        check(k,
              one.state <= WEFT_THREAD_TERMINATED && one.priority >= 0 && one.priority <= 31 &&
                  one.tid,
              "thread", what, "a state, a priority or a tid that no thread has",
              "ones of policy.h");
        if (count == 0) {
            check_number(k, "thread.entry", what, one.entry, KIT_ENTRY);
        }
        retired += one.retired;
    }
    check_number(k, "thread", what, count, t->result.thread_count);
    check(k, !k->ops->thread(t->instance, UINT32_MAX, &one), "thread", what, "one past the last",
          "0");
    check(k, retired <= t->result.instructions, "thread.retired", what,
          "more in threads than in all", "at most the result's");
}

static void check_no_missing(const kit *k, const trial *t)
{
    weft_run_missing one = {.size = sizeof one};
    int there = k->ops->missing(t->instance, 0, &one);
    check(k, !there, "missing", program_names[t->program], one.name ? one.name : "an export",
          "none");
}

/* import.call, kernel.call and kernel.return follow each other on the thread, `count` times. */
static void check_calls(const kit *k, const trial *t, uint32_t count)
{
    static const uint16_t order[] = {WEFT_EVENT_IMPORT_CALL, WEFT_EVENT_KERNEL_CALL,
                                     WEFT_EVENT_KERNEL_RETURN};
    const char *what = program_names[t->program];
    for (uint32_t i = 0; i < count; i++) {
        const weft_event *last = NULL;
        for (uint32_t step = 0; step < 3; step++) {
            const weft_event *e = event_of(t->machine, order[step], i);
            const char *name = weft_event_kind_of(order[step])->name;
            if (!e) {
                check(k, 0, "calls", what, "an event too few", name);
                return;
            }
            check(k, e->thread && (!last || (e->thread == last->thread && e->index > last->index)),
                  "calls", what, "events of another order",
                  "import.call, kernel.call, kernel.return");
            const uint64_t *words = (const uint64_t *)(e + 1);
            const char *text = kit_name(t->machine, words[0]);
            check(k, text && strncmp(text, "xboxkrnl.exe!KeTlsAlloc", 23) == 0, "calls", what,
                  text ? text : "no name", "xboxkrnl.exe!KeTlsAlloc");
            if (step == 0) {
                check(k, words[1] >= KIT_BASE && words[1] < KIT_BASE + KIT_IMAGE, "calls", what,
                      "a caller outside the title", "where it called");
            }
            last = e;
        }
    }
    check(k, !event_of(t->machine, WEFT_EVENT_KERNEL_CALL, count), "calls", what, "one more",
          "as many as the title makes");
    check_number(k, "result.imports_called", what, t->result.imports_called, count);
}

/* ---- the checks -------------------------------------------------------------------------------- */

static void check_hostile(const kit *k)
{
    for (int i = 0; i < HOSTILES; i++) {
        trial t = {0};
        if (!make(k, &t)) {
            return;
        }
        weft_status status = k->ops->open(t.instance, k->hostile[i], "");
        int right = i == MISSING ? status == WEFT_E_NOT_FOUND
                                 : status == WEFT_E_FORMAT || status == WEFT_E_IO;
        check(k, right, "open", hostile_names[i], weft_status_name(status),
              i == MISSING ? "not-found" : "format or io");
        check_number(k, "open, host->fail", hostile_names[i], t.machine->fails, 1);
        check(k,
              !event_of(t.machine, WEFT_EVENT_THREAD_CREATE, 0) &&
                  !event_of(t.machine, WEFT_EVENT_MODULE_LOAD, 0),
              "open, events", hostile_names[i], "a module or a thread", "none of a refused title");
        check_number(k, "open, host->print", hostile_names[i], t.machine->printed, 0);
        end(k, &t, hostile_names[i]);
    }
}

/* A text that grows. */
typedef struct gathered {
    char *text;
    size_t length;
} gathered;

static void gather(void *context, const char *text, size_t length)
{
    gathered *g = context;
    char *more = realloc(g->text, g->length + length + 1);
    if (more) {
        memcpy(more + g->length, text, length);
        g->text = more;
        g->length += length;
    }
}

/* Without other parts: info needs none. */
static void check_info(const kit *k)
{
    trial t = {0};
    gathered g = {0};
    if (!k->ops->info || !make(k, &t)) {
        return;
    }
    t.machine->no_parts = 1;
    weft_status status = k->ops->info(t.instance, k->titles[KIT_CALLS], gather, &g);
    const char *stop = NULL;
    cJSON *root = g.text ? cJSON_ParseWithLengthOpts(g.text, g.length, &stop, 0) : NULL;
    check(k, status == WEFT_OK && cJSON_IsObject(root), "info", program_names[KIT_CALLS],
          weft_status_name(status), "ok and one JSON object");
    cJSON_Delete(root);
    free(g.text);
    for (int i = 0; i < HOSTILES; i++) {
        gathered nothing = {0};
        uint32_t fails = t.machine->fails;
        status = k->ops->info(t.instance, k->hostile[i], gather, &nothing);
        check(k,
              status == WEFT_E_NOT_FOUND ||
                  (i != MISSING && (status == WEFT_E_FORMAT || status == WEFT_E_IO)),
              "info", hostile_names[i], weft_status_name(status), "not-found, format or io");
        check_number(k, "info, host->fail", hostile_names[i], t.machine->fails - fails, 1);
        free(nothing.text);
    }
    end(k, &t, "info");
}

static void check_image(const kit *k, const uint8_t *image)
{
    trial t = {0};
    uint8_t bytes[256];
    uint32_t done = 0;
    if (!k->desc->extension || !make(k, &t)) {
        return;
    }
    t.machine->no_parts = 1;
    const weft_image_extension *x = k->desc->extension(t.instance, WEFT_IMAGE_EXTENSION);
    if (x && x->size >= sizeof *x && x->read) {
        static const uint32_t places[] = {0, 0x1000, 0x1FFC, KIT_IMAGE - sizeof bytes};
        const char *title = k->titles[KIT_CALLS];
        for (uint32_t i = 0; i < 4; i++) {
            weft_status status =
                x->read(t.instance, title, KIT_BASE + places[i], sizeof bytes, bytes, &done);
            check(k,
                  status == WEFT_OK && done == sizeof bytes &&
                      memcmp(bytes, image + places[i], done) == 0,
                  "image", "the title", weft_status_name(status), "its bytes, no import patched");
        }
        weft_status status =
            x->read(t.instance, title, KIT_BASE + KIT_IMAGE - 8, sizeof bytes, bytes, &done);
        check(k, status == WEFT_OK && done == 8, "image", "the last 8 bytes",
              weft_status_name(status), "8 bytes");
        status = x->read(t.instance, title, KIT_BASE + KIT_IMAGE, 4, bytes, &done);
        check(k, status == WEFT_E_INVALID, "image", "an address behind the image",
              weft_status_name(status), "invalid");
        for (int i = 0; i < HOSTILES; i++) {
            status = x->read(t.instance, k->hostile[i], KIT_BASE, 4, bytes, &done);
            check(k, status < 0, "image", hostile_names[i], weft_status_name(status), "a failure");
        }
    }
    end(k, &t, "image");
}

/* destroy follows where no open was, and where no run was. */
static void check_broken_off(const kit *k)
{
    trial t = {0};
    for (int i = 0; i < 2; i++) {
        if (make(k, &t)) {
            end(k, &t, "destroy without open");
        }
    }
    if (open_title(k, &t)) {
        check(k, t.machine->states > 0, "open", program_names[t.program], "no state of a CPU",
              "that of the first thread");
        check_number(k, "open, instructions", program_names[t.program], t.machine->executed, 0);
        end(k, &t, "destroy without run");
    }
}

static void check_whole_run(const kit *k)
{
    trial t = {.program = KIT_CALLS, .instructions = LIMIT};
    if (!run_title(k, &t)) {
        return;
    }
    check_end(k, &t, WEFT_END_EXIT);
    check_number(k, "result.exit_code", program_names[t.program], t.result.exit_code,
                 KIT_EXIT_CODE);
    check(k, t.machine->entered == 1, "run", program_names[t.program],
          "a first thread that does not begin at the entry point, or twice", "one that does, once");
    check_number(k, "result.instructions", program_names[t.program], t.result.instructions,
                 t.machine->executed);
    check_threads(k, &t);
    check_no_missing(k, &t);
    check_calls(k, &t, KIT_CALL_COUNT);
    end(k, &t, program_names[t.program]);
}

static void check_unknown(const kit *k)
{
    trial t = {.program = KIT_UNKNOWN, .instructions = LIMIT};
    const char *what = program_names[t.program];
    weft_run_missing one = {.size = sizeof one};
    if (!run_title(k, &t)) {
        return;
    }
    const weft_event *e = event_of(t.machine, WEFT_EVENT_EXPORT_MISSING, 0);
    const char *text = e ? kit_name(t.machine, ((const uint64_t *)(e + 1))[0]) : NULL;
    check(k, text && strncmp(text, "xboxkrnl.exe!", 13) == 0, "missing", what,
          text ? text : "no export.missing", "one that names the module");
    if (t.result.end != WEFT_END_EXIT) { /* a kernel may end the run at the first */
        check_end(k, &t, WEFT_END_BUGCHECK);
    } else {
        check_end(k, &t, WEFT_END_EXIT);
    }
    int there = k->ops->missing(t.instance, 0, &one);
    check(k, there && one.name && strncmp(one.name, "xboxkrnl.exe!", 13) == 0, "missing", what,
          there && one.name ? one.name : "none", "\"xboxkrnl.exe!...\"");
    check(k, there && one.count == (t.result.end == WEFT_END_EXIT ? 2 : 1), "missing", what,
          "another count", "the calls that were made");
    check(k, there && one.first_caller >= KIT_BASE && one.first_caller < KIT_BASE + KIT_IMAGE,
          "missing", what, "a caller outside the title", "where it called");
    check(k, !k->ops->missing(t.instance, 1, &one), "missing", what, "one more", "one");
    end(k, &t, what);
}

/* A run cut at n instructions is the beginning of the whole one. */
static void check_limits(const kit *k)
{
    static const uint64_t limits[] = {1, 2, 12, 1000, 12345, 300001};
    for (uint32_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        trial t = {.program = KIT_SPINS, .instructions = limits[i]};
        if (run_title(k, &t)) {
            check_end(k, &t, WEFT_END_CONDITION);
            check_number(k, "limit, instructions", "a title that spins", t.result.instructions,
                         limits[i]);
            check_number(k, "limit, executed", "a title that spins", t.machine->executed,
                         limits[i]);
            end(k, &t, program_names[t.program]);
        }
    }
    trial whole = {.program = KIT_CALLS, .instructions = LIMIT};
    if (run_title(k, &whole)) {
        for (uint64_t n = 1; n < whole.result.instructions; n++) {
            trial t = {.program = KIT_CALLS, .instructions = n};
            const weft_event *e = NULL;
            if (run_title(k, &t)) {
                check(k, t.machine->executed == n && t.result.end == WEFT_END_CONDITION,
                      "limit, instructions", program_names[t.program], "another place",
                      "the limit");
                check(k,
                      part_at(t.machine, whole.machine, &e) == UINT64_MAX &&
                          t.machine->event_count <= whole.machine->event_count,
                      "limit, events", program_names[t.program], "others than without a limit",
                      "the beginning of the same");
                end(k, &t, program_names[t.program]);
            }
        }
        end(k, &whole, program_names[whole.program]);
    }
    trial ticks = {.program = KIT_SPINS, .ticks = 200000, .instructions = LIMIT};
    if (run_title(k, &ticks)) {
        check_end(k, &ticks, WEFT_END_CONDITION);
        check(k,
              ticks.result.ticks >= 200000 &&
                  ticks.result.ticks <= 200000 + ticks.machine->machine.lookahead,
              "limit, ticks", "a title that spins", "another time",
              "200000, and at most a lookahead more");
        end(k, &ticks, program_names[ticks.program]);
    }
}

static void check_stop(const kit *k)
{
    trial t = {.program = KIT_SPINS, .instructions = LIMIT, .stop_after = 50000};
    if (run_title(k, &t)) {
        check_end(k, &t, WEFT_END_CONDITION);
        check(k, t.result.instructions >= 50000 && t.result.instructions < LIMIT, "stop_requested",
              program_names[t.program], "a run that goes on", "its end between slices");
        end(k, &t, program_names[t.program]);
    }
}

static void check_deadlock(const kit *k)
{
    trial t = {.program = KIT_WAITS, .policy = KIT_LOOKS, .instructions = LIMIT};
    if (run_title(k, &t)) {
        check_end(k, &t, WEFT_END_DEADLOCK);
        check_number(k, "policy.deadlock", program_names[t.program], t.machine->deadlocks, 1);
        check(k, event_of(t.machine, WEFT_EVENT_WAIT_BEGIN, 0) != NULL, "events",
              program_names[t.program], "no wait.begin", "one");
        check_threads(k, &t);
        end(k, &t, program_names[t.program]);
    }
}

/* Two instances side by side in one process; whatever the policy answers, the default is at work. */
static void check_repeated(const kit *k)
{
    static const kit_program programs[] = {KIT_CALLS, KIT_THREADS, KIT_WAITS, KIT_UNKNOWN};
    for (uint32_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        const char *what = program_names[programs[i]];
        trial a = {.program = programs[i], .instructions = LIMIT};
        if (!run_title(k, &a)) {
            continue;
        }
        for (int policy = KIT_NO_OPS; policy <= KIT_ILLICIT; policy++) {
            static const char *const rules[] = {"again", "policy of defaults",
                                                "policy that is illegal"};
            trial b = {.program = programs[i], .policy = (kit_policy)policy, .instructions = LIMIT};
            if ((k->desc->flags & WEFT_PLUGIN_SINGLE) || !run_title(k, &b)) {
                continue;
            }
            check_equal(k, &a, &b, rules[policy], what);
            if (policy == KIT_NO_OPS) {
                check(k, a.result.state_digest == b.result.state_digest, "again, state_digest",
                      what, "another", "an equal one");
            }
            if (policy == KIT_LOOKS) {
                check(k, b.machine->asked > 0, "policy", what, "no question", "some");
            }
            end(k, &b, what);
        }
        if (programs[i] == KIT_THREADS) {
            check_end(k, &a, WEFT_END_EXIT);
            check(k, a.result.thread_count >= 2, "thread", what, "fewer than two", "both");
            check_threads(k, &a);
        }
        end(k, &a, what);
    }
}

/* The run ends as the contract has it, and what the title did is in the events. */
static void check_faults(const kit *k)
{
    for (kit_program p = KIT_LOADS; p < KIT_PROGRAMS; p++) {
        trial t = {.program = p, .policy = KIT_LOOKS, .instructions = LIMIT};
        int sure = p == KIT_LOADS || p == KIT_STORES || p == KIT_ILLEGAL || p == KIT_ASTRAY ||
                   p == KIT_TRAPS || p == KIT_NO_STACK;
        if (!run_title(k, &t)) {
            continue;
        }
        if (sure) {
            check_end(k, &t, WEFT_END_EXCEPTION);
        }
        check(k, t.result.end != WEFT_END_NONE && t.result.end <= WEFT_END_DEADLOCK, "result.end",
              program_names[p], "none or a plugin's failure", "an end of the title's");
        check(k,
              t.result.end != WEFT_END_EXCEPTION || event_of(t.machine, WEFT_EVENT_EXCEPTION, 0) ||
                  event_of(t.machine, WEFT_EVENT_FAULT, 0),
              "events", program_names[p], "an exception that no event tells of",
              "fault or exception");
        check_threads(k, &t);
        end(k, &t, program_names[p]);
    }
}

/* ---- files ------------------------------------------------------------------------------------- */

static int write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    int good = f && fwrite(bytes, 1, size, f) == size;
    return (f && fclose(f) == 0) && good;
}

static int write_files(kit *k)
{
    int good = 1;
    for (kit_program p = 0; p < KIT_PROGRAMS; p++) {
        snprintf(k->titles[p], sizeof k->titles[p], "%s/title%d.xex", k->folder, (int)p);
        kit_title(p, k->file);
        good &= write_file(k->titles[p], k->file, KIT_FILE);
    }
    for (int i = 0; i < HOSTILES; i++) {
        snprintf(k->hostile[i], sizeof k->hostile[i], "%s/hostile%d.xex", k->folder, i);
    }
    kit_title(KIT_CALLS, k->file);
    good &= write_file(k->hostile[EMPTY], k->file, 0) &&
            write_file(k->hostile[SHORT], k->file, 64) &&
            write_file(k->hostile[CUT], k->file, KIT_FILE - 4096);
    uint8_t random[4096];
    uint64_t x = 88172645463325252u; /* xorshift64's usual start */
    for (size_t i = 0; i < sizeof random; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        random[i] = (uint8_t)x;
    }
    return good & write_file(k->hostile[RANDOM], random, sizeof random);
}

static void remove_files(const kit *k)
{
    for (kit_program p = 0; p < KIT_PROGRAMS; p++) {
        unlink(k->titles[p]);
    }
    for (int i = 0; i < HOSTILES; i++) {
        unlink(k->hostile[i]);
    }
    rmdir(k->folder);
}

int weft_conform_kernel(const weft_plugin_desc *desc, const weft_kernel_ops *ops,
                        const weft_host *host, weft_conform_report *report)
{
    kit *k = calloc(1, sizeof *k);
    const char *temporary = getenv("TMPDIR");
    if (!k) {
        weft_conform_fail(report, "kernel: got no memory for the kit, expected some");
        return 0;
    }
    *k = (kit){.desc = desc, .ops = ops, .host = host, .report = report};
    snprintf(k->folder, sizeof k->folder, "%.200s/weft-conform-XXXXXX",
             temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(k->folder) || !write_files(k)) {
        weft_conform_fail(report, "kernel: got no titles at %s, expected to write them", k->folder);
    } else {
        check_broken_off(k);
        check_hostile(k);
        check_info(k);
        check_image(k, k->file + KIT_HEADER);
        check_whole_run(k);
        check_unknown(k);
        check_limits(k);
        check_stop(k);
        check_deadlock(k);
        check_repeated(k);
        check_faults(k);
    }
    remove_files(k);
    free(k);
    return 0;
}
