/* run.c: creating the parts, running the title, taking everything down again. */
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "checked/checked.h"
#include "content.h"
#include "frames.h"
#include "lock.h"
#include "policies.h"
#include "tracers.h"

#define PUMP_MS 5 /* the main thread looks this often whether the run has ended */

run *run_new(void)
{
    return text_need_aligned(sizeof(run), _Alignof(run));
}

int run_start(run *r, loader *l, const profile *p, const run_options *options)
{
    memset(r, 0, sizeof *r);
    r->loader = l;
    r->profile = p;
    r->options = *options;
    r->main_thread = pthread_self();
    pthread_mutex_init(&r->lock, NULL);
    for (uint32_t role = 1; role < WEFT_ROLE_COUNT; role++) {
        part *q = &r->parts[role];
        q->run = r;
        q->role = role;
        q->section = &p->sections[role];
        q->plugin = p->sections[role].plugin;
        pthread_mutex_init(&q->lock, NULL);
    }
    r->tracers = text_need(sizeof *r->tracers);
    r->policies = text_need(sizeof *r->policies);
    r->clock = clock_create();
    r->memory = memory_create();
    if (!r->memory) {
        error_print("host",
                    "guest memory cannot be reserved (found: %s, expected 4 GiB of "
                    "addresses)",
                    strerror(errno));
        return -1;
    }
    if (p->machine.mode == WEFT_MODE_LOCKSTEP) {
        memory_single(r->memory);
    }
    return 0;
}

int part_create(part *p, errors *list)
{
    char why[512];
    const char *id = p->plugin->desc->id;
    if ((p->plugin->desc->flags & WEFT_PLUGIN_SINGLE) && p->plugin->instances > 0) {
        errors_add(list, id, "plugin allows one instance (found %u in this process, expected none)",
                   p->plugin->instances);
        return -1;
    }
    if (plugin_open(p->plugin, why, sizeof why)) {
        errors_add(list, id, "%s", why);
        return -1;
    }
    p->ops = p->plugin->ops;
    services_start(p);
    int guarded = p->run->profile->checked && p->role == WEFT_ROLE_POLICY;
    weft_status status =
        guarded ? guard_create(p) : p->plugin->code->create(&p->host, &p->instance);
    if (status != WEFT_OK) {
        char *where = text_format("%s.create", id);
        part_add_error(p, where, status, list);
        free(where);
        return -1;
    }
    p->plugin->instances++;
    p->self = p->instance;
    if (p->run->profile->checked) {
        checked_wrap(p);
    }
    p->created = 1;
    return 0;
}

void part_destroy(part *p)
{
    if (p->created) {
        int broken = p->checked && ((checked *)p->checked)->broken;
        p->created = 0;
        if (p->plugin->code->destroy && !broken) {
            if (p->checked && p->role == WEFT_ROLE_POLICY) {
                guard_destroy(p->checked);
            } else {
                p->plugin->code->destroy(p->instance);
            }
        }
        checked_unwrap(p);
        p->plugin->instances--;
    }
    weft_filter_free(p->filter);
    p->filter = NULL;
}

int run_create_part(run *r, uint32_t role)
{
    part *p = &r->parts[role];
    errors list = {0};
    int failed = p->plugin ? part_create(p, &list) : 0;
    errors_print(&list, stderr);
    errors_free(&list);
    return failed;
}

/* Which of the kernel's own guest threads the calling one is; WEFT_HW_COUNT: none. */
static uint32_t guest_number(run *r)
{
    uint32_t taken = atomic_load(&r->guest_taken), i = 0;
    while (i < WEFT_HW_COUNT &&
           !((taken >> i & 1) && pthread_equal(pthread_self(), atomic_load(&r->guests[i])))) {
        i++;
    }
    return i;
}

weft_status run_guest_enter(run *r, const char *name)
{
    leaf_take(&r->lock, "run");
    uint32_t taken = atomic_load(&r->guest_taken), i = 0;
    while (i < WEFT_HW_COUNT && (taken >> i & 1)) {
        i++;
    }
    if (i < WEFT_HW_COUNT) {
        atomic_store(&r->guests[i], pthread_self());
        atomic_store(&r->guest_taken, taken | 1u << i);
    }
    leaf_give(&r->lock);
    if (i == WEFT_HW_COUNT) {
        return WEFT_E_LIMIT;
    }
    pthread_setname_np(pthread_self(), name);
    return WEFT_OK;
}

void run_guest_leave(run *r)
{
    leaf_take(&r->lock, "run");
    uint32_t i = guest_number(r);
    if (i < WEFT_HW_COUNT) {
        atomic_fetch_and(&r->guest_taken, ~(1u << i));
    }
    leaf_give(&r->lock);
}

uint32_t run_thread_tag(run *r)
{
    pthread_t self = pthread_self();
    int guest_runs = atomic_load(&r->guest_runs) != 0;
    if (atomic_load(&r->events.started) && pthread_equal(self, atomic_load(&r->events.drain_id))) {
        return WEFT_THREAD_DRAIN;
    }
    if (pthread_equal(self, r->main_thread)) {
        return guest_runs ? WEFT_THREAD_MAIN : WEFT_THREAD_MAIN | WEFT_THREAD_GUEST;
    }
    return guest_runs && (pthread_equal(self, atomic_load(&r->guest_thread)) ||
                          guest_number(r) < WEFT_HW_COUNT)
               ? WEFT_THREAD_GUEST
               : WEFT_THREAD_GPU;
}

void run_stop(run *r, const char *reason)
{
    leaf_take(&r->lock, "run");
    if (!r->stop_reason) {
        r->stop_reason = text_copy(reason);
    }
    leaf_give(&r->lock);
    atomic_store(&r->stop, 1);
}

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

double run_seconds(const run *r)
{
    return r->started > 0 ? seconds_now() - r->started : 0;
}

/* After the run: everything the report holds, copied out of the plugins. */
static void collect(run *r)
{
    part *kernel = &r->parts[WEFT_ROLE_KERNEL];
    part *gpu = &r->parts[WEFT_ROLE_GPU];
    run_report *report = &r->report;
    report->result = (weft_run_result){.size = sizeof(weft_run_result)};
    kernel->ops.kernel.result(kernel->self, &report->result);
    report->has_result = 1;
    report->reason = text_copy(report->result.reason ? report->result.reason : "");
    report->result.reason = NULL; /* the plugin's; gone before the report is read */
    for (uint32_t i = 0;; i++) {
        weft_run_thread thread = {.size = sizeof thread};
        if (!kernel->ops.kernel.thread(kernel->self, i, &thread)) {
            break;
        }
        report->threads = text_grow(report->threads, (i + 1) * sizeof *report->threads);
        report->threads[i] = (run_thread_row){thread, text_copy(thread.name ? thread.name : "")};
        report->thread_count = i + 1;
    }
    for (uint32_t i = 0;; i++) {
        weft_run_missing missing = {.size = sizeof missing};
        if (!kernel->ops.kernel.missing(kernel->self, i, &missing)) {
            break;
        }
        report->missing = text_grow(report->missing, (i + 1) * sizeof *report->missing);
        report->missing[i] =
            (run_missing_row){missing, text_copy(missing.name ? missing.name : "")};
        report->missing_count = i + 1;
    }
    if (gpu->created) {
        weft_gpu_stats stats = {.size = sizeof stats};
        gpu->ops.gpu.stats(gpu->self, &stats);
        report->draws = stats.draws;
    }
}

static int is_title_error(weft_status status)
{
    return status == WEFT_E_NOT_FOUND || status == WEFT_E_FORMAT || status == WEFT_E_IO ||
           status == WEFT_E_NO_MEMORY || status == WEFT_E_UNSUPPORTED;
}

static void *guest_main(void *context)
{
    run *r = context;
    part *kernel = &r->parts[WEFT_ROLE_KERNEL];
    atomic_store(&r->guest_thread, pthread_self());
    weft_status status =
        kernel->ops.kernel.open(kernel->self, r->options.title, r->options.arguments);
    if (status != WEFT_OK) {
        part_error(kernel, r->options.title, status);
        r->open_failed = is_title_error(status);
        r->plugin_failed = !r->open_failed;
    } else {
        weft_run_limits limits = {.size = sizeof limits,
                                  .instructions = r->options.until_instructions,
                                  .ticks = r->options.until_ticks};
        status = kernel->ops.kernel.run(kernel->self, &limits);
        if (status != WEFT_OK) {
            part_error(kernel, kernel->plugin->desc->id, status);
            r->plugin_failed = 1;
        }
        collect(r);
    }
    atomic_store(&r->guest_done, 1);
    return NULL;
}

/* The main thread's part of a run: window events, signals, the host's clock. */
static void pump(run *r, const sigset_t *signals)
{
    part *frontend = &r->parts[WEFT_ROLE_FRONTEND];
    const struct timespec at_once = {0, 0};
    while (!atomic_load(&r->guest_done)) {
        if (frontend->ops.frontend.pump(frontend->self, PUMP_MS)) {
            run_stop(r, "the window was closed");
        }
        tracers_pump(r);
        policies_pump(r);
        if (r->options.pumped) {
            r->options.pumped(r->options.pumped_context, r);
        }
        if (r->options.watch_signals && sigtimedwait(signals, NULL, &at_once) > 0) {
            run_stop(r, "interrupted by a signal");
        }
        if (r->options.until_seconds > 0 && run_seconds(r) >= r->options.until_seconds) {
            run_stop(r, "reached the limit of seconds");
        }
    }
}

static int end_code(const run_report *report)
{
    switch (report->result.end) {
    case WEFT_END_EXIT:
        return report->result.exit_code == 0 ? EXIT_ENDED : EXIT_TITLE;
    case WEFT_END_CONDITION:
        return EXIT_ENDED;
    case WEFT_END_EXCEPTION:
    case WEFT_END_BUGCHECK:
        return EXIT_TITLE;
    case WEFT_END_DEADLOCK:
        return EXIT_STUCK;
    default:
        return EXIT_PLUGIN;
    }
}

static int judge(run *r)
{
    run_report *report = &r->report;
    if (r->open_failed) {
        return EXIT_INPUT;
    }
    if (r->plugin_failed || !report->has_result) {
        return EXIT_PLUGIN;
    }
    if (r->write_failed) {
        return EXIT_USAGE;
    }
    if (report->result.end == WEFT_END_CONDITION && r->stop_reason) {
        free(report->reason);
        report->reason = text_copy(r->stop_reason);
    }
    int code = end_code(report);
    if (code == EXIT_TITLE && report->result.end == WEFT_END_EXIT) {
        error_print(r->options.title, "title failed: %s (found exit code %u, expected 0)",
                    report->reason, report->result.exit_code);
    } else if (code != EXIT_ENDED) {
        error_print(r->options.title, "%s: %s",
                    code == EXIT_STUCK    ? "deadlock"
                    : code == EXIT_PLUGIN ? "the kernel gave up"
                                          : "title failed",
                    report->reason);
    }
    return code;
}

static void hash_piece(void *digest, const char *bytes, size_t length)
{
    digest_add(digest, bytes, length);
}

/* What a large file holds is known to a kernel, and no instance is there yet whose run could take
 * part in it: one of its own is asked, as `weft info` asks. What cannot be read is told when the title
 * is opened. NULL: nothing is known. */
static char *digest_inside(const run *r)
{
    run *own = run_new();
    part *kernel = &own->parts[WEFT_ROLE_KERNEL];
    char hex[33] = "";
    errors list = {0};
    if (run_start(own, r->loader, r->profile, &r->options) == 0 && kernel->plugin &&
        part_create(kernel, &list) == 0) {
        const weft_plugin_desc *desc = kernel->plugin->code;
        const weft_content_extension *content =
            desc->extension ? desc->extension(kernel->instance, WEFT_CONTENT_EXTENSION) : NULL;
        digest_stream digest;
        if (content && content->size >= sizeof *content && content->read && digest_start(&digest)) {
            if (content->read(kernel->instance, r->options.title, hash_piece, &digest) == WEFT_OK) {
                digest_text(&digest, hex);
            }
            digest_end(&digest);
        }
    }
    errors_free(&list);
    run_end(own);
    free(own);
    return hex[0] ? text_copy(hex) : NULL;
}

/* What the run reads besides its profile, as lines of the profile digest. */
static void digest_inputs(run *r)
{
    char title[33], state[33];
    content_title(r->options.title, title);
    content_folder(r->profile->machine.state_folder, state);
    char *extra = text_format("title=%s\narguments=%s\ninput=%s\nstate=%s\n", title,
                              r->options.arguments, r->input.digest, state);
    char *inside = content_partial(r->options.title) ? digest_inside(r) : NULL;
    if (inside) {
        char *more = text_format("%sinside=%s\n", extra, inside);
        free(extra);
        extra = more;
    }
    free(inside);
    profile_digest(r->profile, extra, r->report.profile_digest);
    free(extra);
}

/* Creates everything and runs. -1 when a part refused. */
static int run_parts(run *r, const sigset_t *signals)
{
    static const uint32_t order[] = {WEFT_ROLE_POLICY, WEFT_ROLE_GPU, WEFT_ROLE_CPU,
                                     WEFT_ROLE_FRONTEND, WEFT_ROLE_KERNEL};
    if (tracers_start(r)) {
        return -1;
    }
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (run_create_part(r, order[i])) {
            return -1;
        }
    }
    if (policies_start(r)) {
        return -1;
    }
    part *frontend = &r->parts[WEFT_ROLE_FRONTEND];
    char *name = text_file_name(r->options.title);
    weft_status status = frontend->ops.frontend.open(frontend->self, name);
    free(name);
    if (status != WEFT_OK) {
        char *where = text_format("%s.open", frontend->plugin->desc->id);
        part_error(frontend, where, status);
        free(where);
        return -1;
    }
    r->started = seconds_now();
    pthread_t guest;
    atomic_store(&r->guest_runs, 1);
    if (pthread_create(&guest, NULL, guest_main, r)) {
        atomic_store(&r->guest_runs, 0);
        error_print("host", "guest thread cannot be started (found: no resources, expected one)");
        frontend->ops.frontend.close(frontend->self);
        return -1;
    }
    pump(r, signals);
    pthread_join(guest, NULL);
    atomic_store(&r->guest_runs, 0);
    r->report.seconds = run_seconds(r);
    policies_end_run(r);
    frontend->ops.frontend.close(frontend->self);
    return 0;
}

/* Ends a part. What it could not leave behind, such as a file, it says now with host->fail. */
static void finish_part(run *r, part *p)
{
    free(p->sentence);
    p->sentence = NULL;
    part_destroy(p);
    char *sentence = part_sentence(p, "");
    if (sentence[0]) {
        error_print(p->plugin->desc->id, "%s", sentence);
        if (r->report.exit_code == EXIT_ENDED) {
            r->report.exit_code = EXIT_PLUGIN;
        }
    }
    free(sentence);
}

int run_title(run *r)
{
    run_report *report = &r->report;
    errors list = {0};
    if (r->options.frames_to && folder_make(r->options.frames_to)) {
        error_print(r->options.frames_to, "folder cannot be made (found: %s, expected a folder)",
                    strerror(errno));
        return EXIT_USAGE;
    }
    if (r->options.input && input_read(&r->input, r->options.input, &list)) {
        errors_print(&list, stderr);
        errors_free(&list);
        return EXIT_INPUT;
    }
    digest_inputs(r);
    sigset_t signals, before;
    sigemptyset(&signals);
    if (r->options.watch_signals) {
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
    }
    pthread_sigmask(SIG_BLOCK, &signals, &before); /* before any thread: all inherit it */
    int failed = run_parts(r, &signals);
    report->frames = r->frames;
    report->exit_code = failed ? EXIT_PLUGIN : judge(r);
    atomic_store(&r->judged, 1);
    static const uint32_t order[] = {WEFT_ROLE_KERNEL, WEFT_ROLE_FRONTEND, WEFT_ROLE_CPU,
                                     WEFT_ROLE_GPU, WEFT_ROLE_POLICY};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        finish_part(r, &r->parts[order[i]]);
    }
    policies_free(r);
    int traced = atomic_load(&r->events.started) != 0;
    if (tracers_finish(r)) {
        report->exit_code = EXIT_PLUGIN;
    }
    if (traced) {
        events_digest(&r->events, report->trace_digest);
        events_canon_digest(&r->events, report->canon_digest);
        report->trace_events = r->events.guest;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return report->exit_code;
}

void run_end(run *r)
{
    for (uint32_t role = WEFT_ROLE_COUNT - 1; role > 0; role--) {
        part_destroy(&r->parts[role]);
    }
    policies_free(r);
    tracers_free(r);
    events_free(&r->events);
    for (uint32_t role = 1; role < WEFT_ROLE_COUNT; role++) {
        free(r->parts[role].sentence);
        pthread_mutex_destroy(&r->parts[role].lock);
    }
    for (size_t i = 0; i < r->report.thread_count; i++) {
        free(r->report.threads[i].name);
    }
    for (size_t i = 0; i < r->report.missing_count; i++) {
        free(r->report.missing[i].name);
    }
    free(r->report.threads);
    free(r->report.missing);
    free(r->report.reason);
    free(r->stop_reason);
    input_free(&r->input);
    clock_destroy(r->clock);
    memory_destroy(r->memory);
    pthread_mutex_destroy(&r->lock);
}
