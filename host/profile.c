/* profile.c: from text to a typed, complete, frozen profile. */
#include "profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "content.h"
#include "plan.h"

#define INT_OPTION(name, value, low, high, text)                                                   \
    {                                                                                              \
        .key = name, .type = WEFT_OPTION_INT, .default_value = value, .minimum = low,              \
        .maximum = high, .help = text                                                              \
    }

static const weft_option schedule_options[] = {
    {.key = "mode",
     .type = WEFT_OPTION_CHOICE,
     .default_value = "lockstep",
     .choices = "lockstep|parallel",
     .help = "lockstep: one host thread, bit-stable"},
    INT_OPTION("lookahead", "20000", 1, INT64_C(1000000000),
               "ticks that a hardware thread may run ahead of the others"),
    INT_OPTION("starve_ticks", "100000000", 1, INT64_MAX,
               "ready this long without running: the thread runs next"),
    INT_OPTION("faults", "16", 1, 1000000, "illegal answers until a policy is ejected"),
};

static const weft_option machine_options[] = {
    {.key = "rtc",
     .type = OPTION_TIME,
     .default_value = "2005-11-22T00:00:00Z",
     .help = "wall clock at power-on, UTC"},
    INT_OPTION("seed", "0", 0, INT64_MAX, "seed of everything that is random on the console"),
    {.key = "instruction_cost",
     .type = OPTION_RATIO,
     .default_value = "1",
     .help = "ticks an instruction takes, N or N/M"},
    INT_OPTION("call_cost", "100", 0, INT64_C(1000000000), "ticks a kernel call takes"),
    INT_OPTION("io_cost", "200000", 0, INT64_C(1000000000000), "ticks until a file answers"),
    INT_OPTION("io_cost_per_kib", "20000", 0, INT64_C(1000000000), "ticks to move 1 KiB"),
    INT_OPTION("yield_cost", "16", 0, INT64_C(1000000000), "ticks a spin hint takes"),
    INT_OPTION("reservation_grace", "64", 0, 1000000,
               "instructions a slice may overrun inside a reservation"),
    INT_OPTION("vblank_hz", "60", 1, 1000, "vertical blanks per second"),
    INT_OPTION("width", "1280", 64, 4096, "display mode, pixels"),
    INT_OPTION("height", "720", 64, 4096, "display mode, pixels"),
    /* the state folder counts by its contents, which the run adds */
    {.key = "state",
     .type = WEFT_OPTION_PATH,
     .flags = WEFT_OPTION_HOST,
     .default_value = "",
     .help = "folder of writable devices; empty: discarded at the end"},
    {.key = "checked",
     .type = WEFT_OPTION_BOOL,
     .flags = WEFT_OPTION_HOST,
     .default_value = "no",
     .help = "hold every plugin to its contract"},
    {.key = "pace",
     .type = WEFT_OPTION_BOOL,
     .flags = WEFT_OPTION_HOST,
     .default_value = "no",
     .help = "wait at each vertical blank until the host's clock has caught up; changes no result"},
    {.key = "log",
     .type = WEFT_OPTION_CHOICE,
     .flags = WEFT_OPTION_HOST,
     .default_value = "warn",
     .choices = "error|warn|info|debug",
     .help = "what reaches stderr"},
};

/* What every tracer's section takes beside the plugin's options (sdk/trace/filter.h). */
static const weft_option tracer_options[] = {
    {.key = "kinds",
     .type = WEFT_OPTION_STRING,
     .default_value = "",
     .help =
         "kinds of events that the tracer sees, such as kernel.*,!import.call; empty: all usual"},
    {.key = "threads",
     .type = WEFT_OPTION_STRING,
     .default_value = "",
     .help = "guest threads that it sees, by tid, identity or its text; empty: all"},
    {.key = "exports",
     .type = WEFT_OPTION_STRING,
     .default_value = "",
     .help = "exports whose calls it sees, such as Nt*,RtlEnterCriticalSection; empty: all"},
    {.key = "objects",
     .type = WEFT_OPTION_STRING,
     .default_value = "",
     .help = "objects whose events it sees, by identity or its text; empty: all"},
};

/* What the profile's own [tracer] takes besides: what becomes of the tracer while the title runs. */
static const weft_option tracing_options[] = {
    {.key = "swap_at",
     .type = WEFT_OPTION_STRING,
     .default_value = "",
     .help = "tracers that take over: events=N|ticks=N|frames=N ID KEY=VALUE... [then ...]"},
    {.key = "record",
     .type = WEFT_OPTION_PATH,
     .default_value = "trace-###.wtr",
     .help = "the record key's file, .wtr or .jsonl; ### becomes the first free number"},
};

/* What the profile's own [policy] takes besides. */
static const weft_option policy_options[] = {
    {.key = "swap_at",
     .type = WEFT_OPTION_STRING,
     .default_value = "",
     .help = "policies that take over: decisions=N|ticks=N|frames=N ID KEY=VALUE... [then ...]"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Plugin that serves a role when the profile names none; NULL: the part is absent. */
static const char *fallback(uint32_t role)
{
    static const char *const ids[WEFT_ROLE_COUNT] = {[WEFT_ROLE_TRACER] = "tracer-none",
                                                     [WEFT_ROLE_POLICY] = "policy-default",
                                                     [WEFT_ROLE_FRONTEND] = "frontend-none"};
    return ids[role];
}

static const char *section_name(uint32_t index)
{
    return index == PROFILE_SCHEDULE  ? "schedule"
           : index == PROFILE_MACHINE ? "machine"
                                      : role_name(index);
}

static const weft_option *option_at(const profile_section *s, uint32_t index, size_t i)
{
    if (index == PROFILE_SCHEDULE) {
        return i < COUNT(schedule_options) ? &schedule_options[i] : NULL;
    }
    if (index == PROFILE_MACHINE) {
        return i < COUNT(machine_options) ? &machine_options[i] : NULL;
    }
    if (!s->plugin) {
        return NULL;
    }
    const weft_plugin_desc *d = s->plugin->desc;
    if (i < d->option_count) {
        return (const weft_option *)((const char *)d->options + i * d->option_stride);
    }
    i -= d->option_count;
    if (s->further == 2) {
        return NULL;
    }
    if (index == WEFT_ROLE_POLICY) {
        return !s->further && i < COUNT(policy_options) ? &policy_options[i] : NULL;
    }
    if (index != WEFT_ROLE_TRACER || i < COUNT(tracer_options)) {
        return index == WEFT_ROLE_TRACER ? &tracer_options[i] : NULL;
    }
    i -= COUNT(tracer_options);
    return !s->further && i < COUNT(tracing_options) ? &tracing_options[i] : NULL;
}

/* Options of a section that are the host's: they hold for whichever plugin serves it. */
static int is_host_option(const profile_section *s, const weft_option *option)
{
    const char *first = s->plugin ? (const char *)s->plugin->desc->options : NULL;
    size_t bytes =
        s->plugin ? (size_t)s->plugin->desc->option_count * s->plugin->desc->option_stride : 0;
    return !first || (const char *)option < first || (const char *)option >= first + bytes;
}

static void unknown_section(const ini *text, const ini_entry *entry)
{
    const char *names[PROFILE_SECTIONS];
    size_t count = 0;
    for (uint32_t i = 1; i < PROFILE_SECTIONS; i++) {
        names[count++] = section_name(i);
    }
    names[count++] = "include";
    const char *near = text_nearest(entry->section, names, count);
    if (near) {
        errors_add(text->errors, entry->where, "unknown section (found [%s], expected [%s])",
                   entry->section, near);
    } else {
        errors_add(text->errors, entry->where,
                   "unknown section (found [%s], expected cpu, kernel, gpu, tracer, policy, "
                   "frontend, schedule, machine or include)",
                   entry->section);
    }
}

/* Sections are checked by their first entry in each layer: one message, not one per key. */
static void check_sections(const ini *text)
{
    for (size_t i = 0; i < text->count; i++) {
        const ini_entry *entry = &text->entries[i];
        int known = 0, told = 0;
        for (uint32_t s = 1; s < PROFILE_SECTIONS; s++) {
            known |= strcmp(entry->section, section_name(s)) == 0;
        }
        for (size_t j = 0; j < i && !known; j++) {
            told |= text->entries[j].layer == entry->layer &&
                    strcmp(text->entries[j].section, entry->section) == 0;
        }
        if (!known && !told) {
            unknown_section(text, entry);
        }
    }
}

/* Chooses the section's plugin. *layer is the layer from which on the section's keys are meant for
 * it: what an earlier layer said was said to the plugin that the later one replaced. */
static void choose_plugin(profile_section *s, uint32_t role, const ini *text, loader *l,
                          uint32_t *layer)
{
    const ini_entry *chosen = ini_find(text, s->name, "plugin");
    const char *id = chosen ? chosen->value : fallback(role);
    char why[512];
    *layer = 0;
    if (!id) {
        return;
    }
    s->plugin = loader_find(l, role, id, why, sizeof why);
    if (!s->plugin) {
        errors_add(text->errors, chosen->where, "[%s] plugin: %s", s->name, why);
        return;
    }
    const char *full = s->plugin->desc->id;
    const char *bare = strchr(full, '-') + 1;
    for (size_t i = 0; i < text->count; i++) {
        const ini_entry *entry = &text->entries[i];
        if (strcmp(entry->section, s->name) == 0 && strcmp(entry->key, "plugin") == 0 &&
            strcmp(entry->value, full) != 0 && strcmp(entry->value, bare) != 0) {
            *layer = entry->layer + 1;
        }
    }
}

static void unknown_key(const profile_section *s, uint32_t index, const ini *text,
                        const ini_entry *entry)
{
    const char *keys[320];
    size_t count = 0;
    if (index < WEFT_ROLE_COUNT) {
        keys[count++] = "plugin";
    }
    for (size_t i = 0; option_at(s, index, i) && count < COUNT(keys); i++) {
        keys[count++] = option_at(s, index, i)->key;
    }
    const char *near = text_nearest(entry->key, keys, count);
    buffer list = {0};
    for (size_t i = 0; i < count && !near; i++) {
        buffer_format(&list, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", keys[i]);
    }
    errors_add(text->errors, entry->where, "unknown key in [%s] (found %s, expected %s)", s->name,
               entry->key,
               near    ? near
               : count ? list.bytes
                       : "no key");
    buffer_free(&list);
}

static void resolve_section(profile_section *s, uint32_t index, const ini *text, loader *l)
{
    uint32_t layer = 0;
    size_t before = text->errors->count;
    if (index < WEFT_ROLE_COUNT) {
        choose_plugin(s, index, text, l, &layer);
        if (text->errors->count > before) {
            return; /* without the plugin its keys cannot be judged */
        }
    }
    for (size_t i = 0; option_at(s, index, i); i++) {
        s->values = text_grow(s->values, (i + 1) * sizeof *s->values);
        s->values[i] = (profile_value){.option = option_at(s, index, i)};
        s->count = i + 1;
    }
    for (size_t i = 0; i < text->count; i++) {
        const ini_entry *entry = &text->entries[i];
        if (strcmp(entry->section, s->name) != 0 ||
            (index < WEFT_ROLE_COUNT && strcmp(entry->key, "plugin") == 0)) {
            continue;
        }
        size_t k = 0;
        while (k < s->count && strcmp(s->values[k].option->key, entry->key) != 0) {
            k++;
        }
        if (entry->layer < layer && (k == s->count || !is_host_option(s, s->values[k].option))) {
            continue;
        }
        if (k == s->count) {
            unknown_key(s, index, text, entry);
            continue;
        }
        option_value value;
        char expected[160];
        if (option_parse(s->values[k].option, entry->value, &value, expected, sizeof expected)) {
            errors_add(text->errors, entry->where,
                       "[%s] %s has no such value (found %s, expected "
                       "%s)",
                       s->name, entry->key, *entry->value ? entry->value : "nothing", expected);
            continue;
        }
        free(s->values[k].value.text);
        free(s->values[k].where);
        s->values[k].value = value;
        s->values[k].where = text_copy(entry->where);
    }
    for (size_t k = 0; k < s->count; k++) {
        if (!s->values[k].value.text) {
            char expected[160];
            option_parse(s->values[k].option, s->values[k].option->default_value,
                         &s->values[k].value, expected, sizeof expected);
        }
    }
}

const profile_value *profile_get(const profile *p, uint32_t section, const char *key)
{
    const profile_section *s = &p->sections[section];
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->values[i].option->key, key) == 0) {
            return &s->values[i];
        }
    }
    return NULL;
}

/* Which of the host's keys of [tracer] a value is for; -1: it is the plugin's. */
static int tracer_key(const profile_value *v)
{
    for (int i = 0; i < (int)COUNT(tracer_options); i++) {
        if (v->option == &tracer_options[i]) {
            return i;
        }
    }
    return -1;
}

static weft_filter *filter_of(const char *const *texts, char *why, size_t room)
{
    return weft_filter_new(&(weft_filter_texts){texts[0], texts[1], texts[2], texts[3]}, why, room);
}

weft_filter *profile_tracer_filter(const profile_section *s, char *why, size_t room)
{
    const char *texts[COUNT(tracer_options)] = {0};
    for (size_t k = 0; k < s->count; k++) {
        int i = tracer_key(&s->values[k]);
        if (i >= 0) {
            texts[i] = s->values[k].value.text;
        }
    }
    return filter_of(texts, why, room);
}

/* Each list by itself, so that the error has the line of the key that is wrong. */
static void check_filters(const profile_section *s, const ini *text)
{
    for (size_t k = 0; k < s->count; k++) {
        const profile_value *v = &s->values[k];
        const char *texts[COUNT(tracer_options)] = {0};
        int i = tracer_key(v);
        char why[256];
        if (i < 0 || !v->where) {
            continue;
        }
        texts[i] = v->value.text;
        weft_filter *filter = filter_of(texts, why, sizeof why);
        if (!filter) {
            errors_add(text->errors, v->where, "[%s] %s: %s", s->name, v->option->key, why);
        }
        weft_filter_free(filter);
    }
}

static int further_tracer(profile_section *s, const profile *base, const ini *text, loader *l,
                          int child)
{
    size_t before = text->errors->count;
    *s = (profile_section){.name = section_name(WEFT_ROLE_TRACER), .further = child ? 2 : 1};
    resolve_section(s, WEFT_ROLE_TRACER, text, l);
    for (size_t i = 0; i < s->count; i++) {
        const profile_value *shared = profile_get(base, WEFT_ROLE_TRACER, s->values[i].option->key);
        if (!s->values[i].where && is_host_option(s, s->values[i].option) && shared) {
            free(s->values[i].value.text);
            s->values[i].value = shared->value;
            s->values[i].value.text = text_copy(shared->value.text);
        }
    }
    check_filters(s, text);
    if (text->errors->count > before) {
        profile_section_free(s);
        return -1;
    }
    return 0;
}

/* What is wished for as the entries of a section. -1 after adding to the text's errors. */
static int wish_text(ini *text, const char *section, const tracer_wish *wish)
{
    errors *list = text->errors;
    size_t before = list->count;
    ini_override(text, wish->where ? wish->where : section, section, "plugin", wish->id);
    for (size_t i = 0; i < wish->count; i++) {
        const char *setting = wish->settings[i];
        size_t length = strcspn(setting, "=");
        char *key = text_copy_n(setting, length);
        char *where = wish->where ? text_copy(wish->where) : text_format("--set %s", key);
        if (!setting[length] || length == 0) {
            errors_add(list, wish->where ? wish->where : "--set",
                       "option is no assignment (found %s, expected key=value)", setting);
        } else if (strcmp(key, "plugin") == 0) {
            errors_add(list, where, "unknown key in [%s] (found plugin, expected an option of %s)",
                       section, wish->id);
        } else {
            ini_override(text, where, section, key, setting + length + 1);
        }
        free(where);
        free(key);
    }
    return list->count > before ? -1 : 0;
}

int profile_tracer(profile_section *s, const profile *base, const tracer_wish *wish, errors *list,
                   loader *l)
{
    ini text = {.errors = list};
    int failed =
        wish_text(&text, "tracer", wish) || further_tracer(s, base, &text, l, wish->child) ? -1 : 0;
    ini_free(&text);
    return failed;
}

int profile_policy(profile_section *s, const tracer_wish *wish, errors *list, loader *l)
{
    ini text = {.errors = list};
    size_t before = list->count;
    *s = (profile_section){.name = section_name(WEFT_ROLE_POLICY), .further = 1};
    if (wish_text(&text, "policy", wish) == 0) {
        resolve_section(s, WEFT_ROLE_POLICY, &text, l);
    }
    ini_free(&text);
    if (list->count > before) {
        profile_section_free(s);
        return -1;
    }
    return 0;
}

profile_section profile_section_copy(const profile_section *s)
{
    profile_section copy = *s;
    copy.values = text_need((s->count + 1) * sizeof *copy.values);
    for (size_t i = 0; i < s->count; i++) {
        copy.values[i] = s->values[i];
        copy.values[i].value.text = text_copy(s->values[i].value.text);
        copy.values[i].where = s->values[i].where ? text_copy(s->values[i].where) : NULL;
    }
    return copy;
}

/* Types every rule of a role's swap_at, tracer or policy, so that a run finds nothing wrong with
 * them later. */
static void resolve_swaps(profile *p, uint32_t role, const ini *text, loader *l)
{
    int tracer = role == WEFT_ROLE_TRACER;
    profile_swap **swaps = tracer ? &p->swaps : &p->policy_swaps;
    size_t *swap_count = tracer ? &p->swap_count : &p->policy_swap_count;
    const profile_value *v = profile_get(p, role, "swap_at");
    plan_rule *rules;
    size_t count;
    char why[256];
    if (!v || !v->where || !is_host_option(&p->sections[role], v->option)) {
        return;
    }
    if ((tracer ? plan_parse : plan_parse_policy)(v->value.text, &rules, &count, why, sizeof why)) {
        errors_add(text->errors, v->where, "[%s] swap_at: %s", tracer ? "tracer" : "policy", why);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        profile_swap swap = {.what = rules[i].what, .at = rules[i].at};
        tracer_wish wish = {.where = v->where,
                            .id = rules[i].id,
                            .settings = rules[i].settings,
                            .count = rules[i].count};
        int bad = tracer ? profile_tracer(&swap.section, p, &wish, text->errors, l)
                         : profile_policy(&swap.section, &wish, text->errors, l);
        if (!bad) {
            *swaps = text_grow(*swaps, (*swap_count + 1) * sizeof **swaps);
            (*swaps)[(*swap_count)++] = swap;
        }
    }
    plan_free(rules, count);
}

static uint64_t machine_number(const profile *p, uint32_t section, const char *key)
{
    return (uint64_t)profile_get(p, section, key)->value.number;
}

static void fill_machine(profile *p, const ini *text)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    const profile_value *mode = profile_get(p, PROFILE_SCHEDULE, "mode");
    const option_value *cost = &profile_get(p, PROFILE_MACHINE, "instruction_cost")->value;
    p->machine = (weft_machine){
        .size = sizeof(weft_machine),
        .mode = strcmp(mode->value.text, "parallel") == 0 ? WEFT_MODE_PARALLEL : WEFT_MODE_LOCKSTEP,
        .rtc = machine_number(p, PROFILE_MACHINE, "rtc"),
        .seed = machine_number(p, PROFILE_MACHINE, "seed"),
        .instruction_cost_num = (uint64_t)cost->number,
        .instruction_cost_den = (uint64_t)cost->second,
        .call_cost = machine_number(p, PROFILE_MACHINE, "call_cost"),
        .io_cost = machine_number(p, PROFILE_MACHINE, "io_cost"),
        .io_cost_per_kib = machine_number(p, PROFILE_MACHINE, "io_cost_per_kib"),
        .yield_cost = machine_number(p, PROFILE_MACHINE, "yield_cost"),
        .lookahead = machine_number(p, PROFILE_SCHEDULE, "lookahead"),
        .starve = machine_number(p, PROFILE_SCHEDULE, "starve_ticks"),
        .reservation_grace = machine_number(p, PROFILE_MACHINE, "reservation_grace"),
        .policy_faults = (uint32_t)machine_number(p, PROFILE_SCHEDULE, "faults"),
        .vblank_hz = (uint32_t)machine_number(p, PROFILE_MACHINE, "vblank_hz"),
        .width = (uint32_t)machine_number(p, PROFILE_MACHINE, "width"),
        .height = (uint32_t)machine_number(p, PROFILE_MACHINE, "height"),
        .state_folder = profile_get(p, PROFILE_MACHINE, "state")->value.text,
    };
    p->checked = (uint32_t)machine_number(p, PROFILE_MACHINE, "checked");
    p->pace = (uint32_t)machine_number(p, PROFILE_MACHINE, "pace");
    for (uint32_t i = 0; i < COUNT(levels); i++) {
        if (strcmp(levels[i], profile_get(p, PROFILE_MACHINE, "log")->value.text) == 0) {
            p->log = i;
        }
    }
}

int profile_resolve(profile *p, const ini *text, loader *l, const char *name, uint32_t roles)
{
    *p = (profile){0};
    size_t before = text->errors->count;
    check_sections(text);
    for (uint32_t i = 1; i < PROFILE_SECTIONS; i++) {
        p->sections[i].name = section_name(i);
        if (i >= WEFT_ROLE_COUNT || (roles >> i & 1)) {
            resolve_section(&p->sections[i], i, text, l);
        }
    }
    check_filters(&p->sections[WEFT_ROLE_TRACER], text);
    resolve_swaps(p, WEFT_ROLE_TRACER, text, l);
    resolve_swaps(p, WEFT_ROLE_POLICY, text, l);
    if (!ini_find(text, "kernel", "plugin")) {
        errors_add(text->errors, name,
                   "[kernel] plugin is missing (found none, expected an id such "
                   "as kernel-hle)");
    }
    fill_machine(p, text);
    return text->errors->count > before ? -1 : 0;
}

void profile_print(const profile *p, buffer *out)
{
    for (uint32_t i = 1; i < PROFILE_SECTIONS; i++) {
        const profile_section *s = &p->sections[i];
        if (i < WEFT_ROLE_COUNT && !s->plugin) {
            continue;
        }
        buffer_format(out, "%s[%s]\n", out->length ? "\n" : "", s->name);
        if (s->plugin) {
            buffer_format(out, "; %.120s, version %.40s\nplugin = %s\n", s->plugin->desc->summary,
                          s->plugin->desc->version, s->plugin->desc->id);
        }
        for (size_t k = 0; k < s->count; k++) {
            const profile_value *v = &s->values[k];
            const weft_option *o = v->option;
            buffer_format(out, "; %.100s\n; %s", o->help, option_type_name(o->type));
            if (o->type == WEFT_OPTION_INT) {
                buffer_format(out, " %" PRId64 "..%" PRId64, o->minimum, o->maximum);
            } else if (o->type == WEFT_OPTION_CHOICE) {
                buffer_format(out, " %.80s", o->choices);
            }
            buffer_format(out, ", default %.60s; %s%.60s\n%s = %s\n",
                          *o->default_value ? o->default_value : "(empty)",
                          v->where ? "set at " : "not set", v->where ? v->where : "", o->key,
                          v->value.text);
        }
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void profile_digest(const profile *p, const char *extra, char *hex)
{
    char **lines = NULL;
    size_t count = 0;
    for (uint32_t i = 1; i < PROFILE_SECTIONS; i++) {
        const profile_section *s = &p->sections[i];
        if (i == WEFT_ROLE_TRACER || i == WEFT_ROLE_FRONTEND) {
            continue;
        }
        lines = text_grow(lines, (count + s->count + 1) * sizeof *lines);
        if (s->plugin) {
            lines[count++] = text_format("%s.plugin=%s %s\n", s->name, s->plugin->desc->id,
                                         s->plugin->desc->version);
        }
        for (size_t k = 0; k < s->count; k++) {
            const char *key = s->values[k].option->key;
            if (s->values[k].option->flags & WEFT_OPTION_HOST) {
                continue;
            }
            const char *text = s->values[k].value.text;
            char content[33];
            if (i == WEFT_ROLE_POLICY && s->values[k].option->type == WEFT_OPTION_PATH && *text) {
                content_title(text, content); /* a manifest counts by what is in it */
                text = content;
            }
            lines[count++] = text_format("%s.%s=%s\n", s->name, key, text);
        }
    }
    qsort(lines, count, sizeof *lines, by_text);
    buffer text = {0};
    for (size_t i = 0; i < count; i++) {
        buffer_text(&text, lines[i]);
        free(lines[i]);
    }
    buffer_text(&text, extra);
    XXH128_hash_t hash = XXH3_128bits(text.bytes, text.length);
    text_hash_hex(hash.high64, hash.low64, hex);
    buffer_free(&text);
    free(lines);
}

void profile_section_free(profile_section *s)
{
    for (size_t k = 0; k < s->count; k++) {
        free(s->values[k].value.text);
        free(s->values[k].where);
    }
    free(s->values);
    *s = (profile_section){0};
}

void profile_free(profile *p)
{
    for (uint32_t i = 1; i < PROFILE_SECTIONS; i++) {
        profile_section_free(&p->sections[i]);
    }
    for (size_t i = 0; i < p->swap_count; i++) {
        profile_section_free(&p->swaps[i].section);
    }
    free(p->swaps);
    for (size_t i = 0; i < p->policy_swap_count; i++) {
        profile_section_free(&p->policy_swaps[i].section);
    }
    free(p->policy_swaps);
    *p = (profile){0};
}
