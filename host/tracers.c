/* tracers.c: making tracers, putting them into service, ending them. */
#include "tracers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checked/checked.h"

#define MAX_LINKS    40      /* as the kernel follows */
#define RECORD_LIMIT 1000000 /* numbers that are tried for the record key's file */

/* ---- files -------------------------------------------------------------------------------------
 */

/* The file that a section's tracer will write (weft/tracer.h, "path"), or NULL. */
static const char *file_of(const profile_section *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const weft_option *o = s->values[i].option;
        const char *text = s->values[i].value.text;
        if (o->type == WEFT_OPTION_PATH && strcmp(o->key, "path") == 0) {
            return *text && strcmp(text, "-") != 0 ? text : NULL;
        }
    }
    return NULL;
}

/* Where a symbolic link leads, as a path from here; NULL where there is none. */
static char *link_target(const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0) {
        return NULL;
    }
    target[length] = 0;
    char *folder = text_folder(path);
    char *whole = target[0] == '/' ? text_copy(target) : text_format("%s/%s", folder, target);
    free(folder);
    return whole;
}

/* One key for all names of a file that is there or could be made, also by way of links; 0 for what is
 * no regular file, and may well be written twice (/dev/null, a terminal, a pipe). */
static uint64_t file_key(const char *path)
{
    struct stat info;
    char *at = text_copy(path), *real, *next;
    int found = stat(at, &info) == 0;
    /* A link may lead to a file that is not there yet. */
    for (int links = 0; !found && links < MAX_LINKS && (next = link_target(at)); links++) {
        free(at);
        at = next;
        found = stat(at, &info) == 0;
    }
    if (found && !S_ISREG(info.st_mode)) {
        free(at);
        return 0;
    }
    if (found) {
        real = realpath(at, NULL);
    } else {
        char *folder = text_folder(at), *name = text_file_name(at);
        char *real_folder = realpath(folder, NULL);
        real = text_format("%s/%s", real_folder ? real_folder : folder, name);
        free(real_folder);
        free(folder);
        free(name);
    }
    const char *text = real ? real : at;
    uint64_t key = weft_fnv1a(text, strlen(text));
    free(real);
    free(at);
    return key;
}

static void take_from_folder(profile_section *s, const char *folder)
{
    for (size_t i = 0; i < s->count; i++) {
        profile_value *v = &s->values[i];
        if (v->where && v->option->type == WEFT_OPTION_PATH && *v->value.text &&
            *v->value.text != '/' && strcmp(v->value.text, "-") != 0) {
            char *whole = text_format("%s/%s", folder, v->value.text);
            free(v->value.text);
            v->value.text = whole;
        }
    }
}

const char *tracers_for_file(const char *path)
{
    static const char *const rows[][2] = {{".jsonl", "tracer-jsonl"}, {".wtr", "tracer-binary"}};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t tail = strlen(rows[i][0]);
        if (length >= tail && strcmp(path + length - tail, rows[i][0]) == 0) {
            return rows[i][1];
        }
    }
    return NULL;
}

/* ---- instances ---------------------------------------------------------------------------------
 */

/* The instance that made it, or NULL. */
static tracer_instance *parent_of(const run *r, const tracer_instance *t)
{
    tracer_instance *parent = t->part.parent ? r->tracers->list : NULL;
    while (parent && &parent->part != t->part.parent) {
        parent = parent->next;
    }
    return parent;
}

static tracer_instance *root_of(const run *r, tracer_instance *t)
{
    for (tracer_instance *parent; (parent = parent_of(r, t)) != NULL;) {
        t = parent;
    }
    return t;
}

static void instance_end(run *r, tracer_instance *t)
{
    tracers *all = r->tracers;
    if (t->file && !root_of(r, t)->served) { /* it has not written anything */
        *map_at(&all->files, t->file, NULL) = 0;
    }
    part_destroy(&t->part);
    for (tracer_instance *child = all->list; child;) { /* what its destroy left */
        if (child->part.parent == &t->part) {
            instance_end(r, child);
            child = all->list;
        } else {
            child = child->next;
        }
    }
    tracer_instance **at = &all->list;
    while (*at != t) {
        at = &(*at)->next;
    }
    *at = t->next;
    plugin_close(t->part.plugin);
    profile_section_free(&t->section);
    pthread_mutex_destroy(&t->part.lock);
    free(t->part.sentence);
    free(t->folder);
    free(t);
}

/* Makes the instance of a section, which it owns where `own` is not NULL. */
static tracer_instance *instance_new(run *r, const profile_section *shared, profile_section *own,
                                     const char *folder, part *parent, errors *list, int *code)
{
    tracers *all = r->tracers;
    const char *path = file_of(own ? own : shared);
    uint64_t key = path ? file_key(path) : 0;
    char why[256];
    *code = EXIT_USAGE;
    if (key && *map_at(&all->files, key, NULL)) {
        errors_add(list, path,
                   "file is another tracer's of this run (found a path that was used, expected a "
                   "new one)");
        return NULL;
    }
    tracer_instance *t = text_need(sizeof *t);
    if (own) {
        t->section = *own;
        *own = (profile_section){0};
    }
    t->part.section = shared ? shared : &t->section;
    t->part.run = r;
    t->part.role = WEFT_ROLE_TRACER;
    t->part.plugin = t->part.section->plugin;
    t->part.parent = parent;
    t->folder = folder ? text_copy(folder) : NULL;
    pthread_mutex_init(&t->part.lock, NULL);
    t->next = all->list;
    all->list = t;
    t->part.filter = profile_tracer_filter(t->part.section, why, sizeof why);
    if (!t->part.filter) {
        errors_add(list, "[tracer]", "%s", why);
        instance_end(r, t);
        return NULL;
    }
    *code = EXIT_PLUGIN;
    if (part_create(&t->part, list)) {
        instance_end(r, t);
        return NULL;
    }
    t->file = key;
    if (key) {
        *map_at(&all->files, key, NULL) = 1;
    }
    return t;
}

static tracer_instance *make(run *r, const tracer_wish *wish, const char *folder, part *parent,
                             errors *list, int *code)
{
    profile_section own;
    uint32_t refused = r->loader->refused;
    if (profile_tracer(&own, r->profile, wish, list, r->loader)) {
        *code = r->loader->refused > refused ? EXIT_PLUGIN : EXIT_USAGE;
        return NULL;
    }
    if (folder) {
        take_from_folder(&own, folder);
    }
    tracer_instance *t = instance_new(r, NULL, &own, folder, parent, list, code);
    profile_section_free(&own);
    return t;
}

tracer_instance *tracers_make(run *r, const tracer_wish *wish, const char *folder, errors *list,
                              int *code)
{
    return make(r, wish, folder, NULL, list, code);
}

void tracers_drop(run *r, tracer_instance *t)
{
    instance_end(r, t);
}

static tracer_slot slot_of(tracer_instance *t)
{
    return (tracer_slot){
        .ops = &t->part.ops.tracer,
        .instance = t->part.self,
        .id = t->part.plugin->desc->id,
        .owner = t,
        .deaf = t->part.plugin->path == NULL,
        .filter = t->part.filter,
    };
}

static void add_op_error(tracer_instance *t, const char *op, weft_status status, errors *list)
{
    char *where = text_format("%s.%s", t->part.plugin->desc->id, op);
    part_add_error(&t->part, where, status, list);
    free(where);
}

/* ---- exchanges ---------------------------------------------------------------------------------
 */

/* After an exchange: whichever of the two is out of service ends here. */
static int after_swap(run *r, swap_request *swap, errors *list)
{
    tracer_instance *next = swap->next.owner;
    if (swap->status != WEFT_OK) {
        add_op_error(next, "open", swap->status, list);
        instance_end(r, next);
        return EXIT_PLUGIN;
    }
    next->served = 1;
    if (swap->closed !=
        WEFT_OK) { /* the exchange is done, but what the old one wrote is not whole */
        errors lost = {0};
        add_op_error(swap->old.owner, "close", swap->closed, &lost);
        errors_print(&lost, stderr);
        errors_free(&lost);
        r->tracers->failed = 1;
    }
    instance_end(r, swap->old.owner);
    return 0;
}

static void finish_swap(run *r)
{
    tracers *all = r->tracers;
    errors list = {0};
    swap_request swap = all->swap;
    int code = after_swap(r, &swap, &list);
    all->swapping = 0;
    if (all->told) {
        all->told(all->context, code, &swap, &list);
    }
    errors_free(&list);
}

/* Waits for the exchange on its way. */
static void settle(run *r)
{
    if (r->tracers->swapping) {
        events_wait(&r->events, &r->tracers->swap.request);
        finish_swap(r);
    }
}

int tracers_swap_begin(run *r, tracer_instance *next, tracers_told told, void *context)
{
    tracers *all = r->tracers;
    if (all->swapping) {
        return -1;
    }
    tracer_slot slot = slot_of(next);
    all->swap = swap_request_of(&slot);
    if (events_post(&r->events, &all->swap.request)) {
        return -1;
    }
    all->swapping = 1;
    all->told = told;
    all->context = context;
    return 0;
}

typedef struct outcome {
    int code;
    errors *list;
} outcome;

static void keep_outcome(void *context, int code, const swap_request *swap, const errors *list)
{
    outcome *o = context;
    o->code = code;
    for (size_t i = 0; i < list->count; i++) {
        o->list->lines = text_grow(o->list->lines, (o->list->count + 1) * sizeof *o->list->lines);
        o->list->lines[o->list->count++] = text_copy(list->lines[i]);
    }
}

int tracers_swap(run *r, tracer_instance *next, errors *list)
{
    outcome o = {.list = list};
    do {
        settle(r);
        events_wait(&r->events, NULL);
    } while (tracers_swap_begin(r, next, keep_outcome, &o));
    settle(r);
    return o.code;
}

/* A step of the plan that the drain has taken. */
static void look_after_step(run *r, swap_step *step)
{
    errors list = {0};
    if (after_swap(r, &step->swap, &list)) {
        r->tracers->failed = 1;
    }
    errors_print(&list, stderr);
    errors_free(&list);
}

void tracers_pump(run *r)
{
    tracers *all = r->tracers;
    while (all->seen < all->plan.count &&
           events_done(&r->events, &all->plan.steps[all->seen].swap.request)) {
        look_after_step(r, &all->plan.steps[all->seen++]);
    }
    if (all->swapping && events_done(&r->events, &all->swap.request)) {
        finish_swap(r);
    }
}

/* ---- the run's beginning and end ---------------------------------------------------------------
 */

static int print_and_free(errors *list)
{
    int failed = list->count > 0 ? -1 : 0;
    errors_print(list, stderr);
    errors_free(list);
    return failed;
}

/* Tracers of the plan are made before the run, so that none is refused in the middle of it. */
static int make_plan(run *r)
{
    tracers *all = r->tracers;
    errors list = {0};
    int code;
    all->plan.steps = text_need((r->profile->swap_count + 1) * sizeof *all->plan.steps);
    for (size_t i = 0; i < r->profile->swap_count && list.count == 0; i++) {
        const profile_swap *rule = &r->profile->swaps[i];
        tracer_instance *t = instance_new(r, &rule->section, NULL, NULL, NULL, &list, &code);
        if (t) {
            tracer_slot slot = slot_of(t);
            all->plan.steps[all->plan.count++] =
                (swap_step){.what = rule->what, .at = rule->at, .swap = swap_request_of(&slot)};
        }
    }
    return print_and_free(&list);
}

int tracers_start(run *r)
{
    errors list = {0};
    int code;
    const profile_section *section = &r->profile->sections[WEFT_ROLE_TRACER];
    tracer_instance *first = instance_new(r, section, NULL, NULL, NULL, &list, &code);
    if (print_and_free(&list) || make_plan(r)) {
        return -1;
    }
    tracer_slot slot = slot_of(first);
    char *title = text_file_name(r->options.title);
    weft_status status = events_start(&r->events, &slot, title, r->report.profile_digest, 0);
    free(title);
    if (status != WEFT_OK) {
        add_op_error(first, "open", status, &list);
        return print_and_free(&list);
    }
    first->served = 1;
    events_plan(&r->events, &r->tracers->plan);
    return 0;
}

static void warn_of_step(const swap_step *step)
{
    static const char *const names[] = {"events", "ticks", "frames"};
    fprintf(stderr, "weft: warning: [tracer] swap_at: the run did not come to %s=%llu\n",
            names[step->what], (unsigned long long)step->at);
}

int tracers_finish(run *r)
{
    tracers *all = r->tracers;
    int failed = 0;
    if (atomic_load(&r->events.started)) {
        settle(r);
        weft_status status = events_finish(&r->events);
        if (status != WEFT_OK) {
            tracer_instance *last = r->events.tracer.owner;
            part_error(&last->part, r->events.failed, status);
            failed = 1;
        }
        tracers_pump(r);
        for (size_t i = all->seen; i < all->plan.count; i++) {
            warn_of_step(&all->plan.steps[i]);
        }
    }
    while (all->list) {
        instance_end(r, root_of(r, all->list)); /* a child ends with its parent */
    }
    return failed || all->failed;
}

void tracers_free(run *r)
{
    if (r->tracers) {
        tracers_finish(r);
        free(r->tracers->plan.steps);
        map_free(&r->tracers->files);
        free(r->tracers);
        r->tracers = NULL;
    }
}

/* ---- what is asked of the one in service -------------------------------------------------------
 */

const char *tracers_file(run *r, const tracer_slot *slot)
{
    for (tracer_instance *t = r->tracers->list; t; t = t->next) {
        if (t == slot->owner && t->part.self == slot->instance) {
            return file_of(t->part.section);
        }
    }
    return NULL;
}

static void do_dump(events *e, drain_request *request)
{
    tracers_dump_request *dump = (tracers_dump_request *)request;
    tracer_instance *t = e->tracer.owner;
    const weft_plugin_desc *code = t->part.plugin->code;
    const weft_tracer_dump *able =
        code->extension ? code->extension(t->part.instance, WEFT_TRACER_DUMP) : NULL;
    const char *path = NULL;
    errors list = {0};
    if (!able) {
        dump->status = WEFT_E_UNSUPPORTED;
        errors_add(&list, e->tracer.id,
                   "tracer keeps nothing to dump (found no extension %s, expected a tracer such as "
                   "tracer-ring)",
                   WEFT_TRACER_DUMP);
    } else if ((dump->status = able->dump(t->part.instance, &path)) != WEFT_OK) {
        add_op_error(t, "dump", dump->status, &list);
    }
    dump->path = path ? text_copy(path) : NULL;
    dump->why = list.count ? text_copy(list.lines[0]) : NULL;
    errors_free(&list);
}

tracers_dump_request tracers_dump_of(void)
{
    return (tracers_dump_request){.request.work = do_dump};
}

/* ---- the record key ----------------------------------------------------------------------------
 */

/* Makes the first file of the pattern that is not there yet; its name, or NULL with errno. */
static char *record_file(const char *pattern)
{
    size_t end = strlen(pattern), width = 0;
    while (end > 0 && pattern[end - 1] != '#') {
        end--;
    }
    while (width < end && pattern[end - width - 1] == '#') {
        width++;
    }
    for (unsigned number = 1; number < RECORD_LIMIT; number++) {
        char *path = width ? text_format("%.*s%0*u%s", (int)(end - width), pattern, (int)width,
                                         number, pattern + end)
                           : text_copy(pattern);
        int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0) {
            close(file);
            return path;
        }
        int error = errno;
        free(path);
        errno = error;
        if (error != EEXIST || !width) {
            return NULL;
        }
    }
    errno = EEXIST;
    return NULL;
}

static int record_begin(run *r, errors *list, char *line, uint32_t room)
{
    const profile_value *record = profile_get(r->profile, WEFT_ROLE_TRACER, "record");
    const char *pattern = record ? record->value.text : "";
    const char *id = tracers_for_file(pattern);
    int code;
    if (!id) {
        errors_add(list, "[tracer] record",
                   "file's suffix chooses no tracer (found %s, expected .jsonl or .wtr)", pattern);
        return EXIT_USAGE;
    }
    char *path = record_file(pattern);
    if (!path) {
        errors_add(list, pattern, "trace cannot be made (found: %s, expected a new file)",
                   strerror(errno));
        return EXIT_USAGE;
    }
    char *setting = text_format("path=%s", path);
    tracer_wish wish = {.where = "[tracer] record", .id = id, .settings = &setting, .count = 1};
    tracer_instance *t = tracers_make(r, &wish, NULL, list, &code);
    code = t ? tracers_swap(r, t, list) : code;
    snprintf(line, room, "recording to %s", path);
    free(setting);
    free(path);
    return code;
}

static int record_end(run *r, const tracer_slot *serving, errors *list, char *line, uint32_t room)
{
    tracer_wish wish = {.where = "[tracer] record", .id = "tracer-none"};
    int code;
    const char *path = file_of(((tracer_instance *)serving->owner)->part.section);
    snprintf(line, room, "recording ended: %s", path ? path : serving->id);
    tracer_instance *t = tracers_make(r, &wish, NULL, list, &code);
    return t ? tracers_swap(r, t, list) : code;
}

int32_t tracers_record(run *r, char *line, uint32_t room)
{
    errors list = {0};
    look_request look = look_request_of(0);
    if (!atomic_load(&r->events.started)) {
        snprintf(line, room, "nothing runs that could be recorded");
        return WEFT_E_STATE;
    }
    settle(r);
    events_ask(&r->events, &look.request);
    int idle = look.tracer.deaf || strcmp(look.tracer.id, "tracer-null") == 0;
    int code =
        idle ? record_begin(r, &list, line, room) : record_end(r, &look.tracer, &list, line, room);
    if (code) {
        errors_print(&list, stderr);
        snprintf(line, room, "%s", list.count ? list.lines[0] : "recording failed");
    }
    errors_free(&list);
    return code ? WEFT_E_IO : idle;
}

/* ---- extension tracers/1 -----------------------------------------------------------------------
 */

static tracer_instance *child_of(const weft_host *host, const void *instance)
{
    part *parent = host->impl;
    for (tracer_instance *t = parent->run->tracers->list; t; t = t->next) {
        if (t->part.parent == parent && t->part.self == instance) {
            return t;
        }
    }
    return NULL;
}

static weft_status make_child(const weft_host *host, const char *id, const char *settings,
                              const weft_tracer_ops **ops, void **instance)
{
    part *parent = host->impl;
    char **list = NULL;
    size_t count = 0;
    errors refused = {0};
    int code;
    checked_service(parent, "tracers.make", WEFT_THREAD_MAIN);
    for (const char *at = settings ? settings : ""; *at; at += *at == '\n') {
        size_t length = strcspn(at, "\n");
        if (length > 0) {
            list = text_grow(list, (count + 1) * sizeof *list);
            list[count++] = text_copy_n(at, length);
        }
        at += length;
    }
    tracer_wish wish = {.where = id, .id = id, .settings = list, .count = count, .child = 1};
    tracer_instance *maker = parent->run->tracers->list; /* none where a kit is the parent */
    while (maker && &maker->part != parent) {
        maker = maker->next;
    }
    const char *folder = maker ? maker->folder : NULL;
    tracer_instance *t = make(parent->run, &wish, folder, parent, &refused, &code);
    for (size_t i = 0; i < count; i++) {
        free(list[i]);
    }
    free(list);
    weft_status status = WEFT_OK;
    if (t) {
        *ops = &t->part.ops.tracer;
        *instance = t->part.self;
    } else {
        status = host->fail(host, code == EXIT_USAGE ? WEFT_E_INVALID : WEFT_E_UNSUPPORTED,
                            refused.count ? refused.lines[0] : "tracer was refused");
    }
    errors_free(&refused);
    return status;
}

static void end_child(const weft_host *host, void *instance)
{
    part *parent = host->impl;
    checked_service(parent, "tracers.end", WEFT_THREAD_MAIN);
    tracer_instance *t = child_of(host, instance);
    if (t) {
        instance_end(parent->run, t);
    }
}

static const void *child_extension(const weft_host *host, void *instance, const char *name,
                                   void **target)
{
    checked_service(host->impl, "tracers.extension", WEFT_THREAD_MAIN);
    tracer_instance *t = child_of(host, instance);
    if (!t || !t->part.plugin->code->extension) {
        return NULL;
    }
    *target = t->part.instance;
    return t->part.plugin->code->extension(t->part.instance, name);
}

const weft_host_tracers *tracers_extension(void)
{
    static const weft_host_tracers table = {
        .size = sizeof table,
        .make = make_child,
        .end = end_child,
        .extension = child_extension,
    };
    return &table;
}
