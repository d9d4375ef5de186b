#include "policies.h"

#include <stdlib.h>
#include <string.h>

#include "checked/checked.h"
#include "swap.h"

/* ---- instances ---------------------------------------------------------------------------------
 */

static void instance_end(run *r, policy_instance *p)
{
    policy_instance **at = &r->policies->list;
    while (*at != p) {
        at = &(*at)->next;
    }
    *at = p->next;
    part_destroy(&p->part);
    plugin_close(p->part.plugin);
    profile_section_free(&p->section);
    pthread_mutex_destroy(&p->part.lock);
    free(p->part.sentence);
    free(p);
}

/* Owns what is in `section`, also where it fails. */
static policy_instance *instance_new(run *r, profile_section *section, errors *list)
{
    policy_instance *p = text_need(sizeof *p);
    p->section = *section;
    *section = (profile_section){0};
    p->part.section = &p->section;
    p->part.run = r;
    p->part.role = WEFT_ROLE_POLICY;
    p->part.plugin = p->section.plugin;
    pthread_mutex_init(&p->part.lock, NULL);
    p->next = r->policies->list;
    r->policies->list = p;
    if (part_create(&p->part, list)) {
        instance_end(r, p);
        return NULL;
    }
    return p;
}

policy_instance *policies_make(run *r, const tracer_wish *wish, errors *list, int *code)
{
    profile_section section;
    uint32_t refused = r->loader->refused;
    *code = EXIT_PLUGIN;
    if (!r->policies->kernel) {
        errors_add(list, r->parts[WEFT_ROLE_KERNEL].plugin->desc->id,
                   "kernel exchanges no policy (found no extension %s, expected it)",
                   WEFT_POLICY_EXTENSION);
        return NULL;
    }
    if (profile_policy(&section, wish, list, r->loader)) {
        *code = r->loader->refused > refused ? EXIT_PLUGIN : EXIT_USAGE;
        return NULL;
    }
    return instance_new(r, &section, list);
}

void policies_drop(run *r, policy_instance *p)
{
    instance_end(r, p);
}

const char *policies_id(run *r)
{
    const part *own = &r->parts[WEFT_ROLE_POLICY];
    const plugin *p =
        r->policies && r->policies->serving ? r->policies->serving->part.plugin : own->plugin;
    return p ? p->desc->id : "";
}

int policies_ejected(run *r)
{
    const policies *all = r->policies;
    return all && all->kernel && all->kernel->size >= sizeof *all->kernel &&
           all->kernel->ejected(all->kernel_instance);
}

/* ---- exchanges ---------------------------------------------------------------------------------
 */

static void submit(run *r);

/* [guest] */
static void took_over(weft_policy_exchange *exchange, uint64_t slices)
{
    policy_instance *p = exchange->context;
    run *r = p->part.run;
    policies *all = r->policies;
    size_t step = atomic_load(&all->step);
    p->slices = slices;
    atomic_store(&p->took_over, atomic_fetch_add(&all->done, 1) + 1);
    if (step < all->step_count && all->steps[step] == p) {
        atomic_store(&all->step, step + 1);
        all->submitted = 0;
        submit(r);
    }
}

static weft_status hand_over(run *r, policy_instance *p, uint32_t what, uint64_t at)
{
    p->exchange = (weft_policy_exchange){
        .size = sizeof p->exchange,
        .what = what,
        .at = at,
        .ops = &p->part.ops.policy,
        .instance = p->part.self,
        .id = p->part.plugin->desc->id,
        .told = took_over,
        .context = p,
    };
    return r->policies->kernel->exchange(r->policies->kernel_instance, &p->exchange);
}

/* Gives the kernel the step that is waited for: of frames once they were shown. [guest], or before */
static void submit(run *r)
{
    policies *all = r->policies;
    size_t step = atomic_load(&all->step);
    if (step == all->step_count || all->submitted) {
        return;
    }
    const profile_swap *rule = &r->profile->policy_swaps[step];
    if (rule->what == SWAP_AT_FRAMES && r->frames < rule->at) {
        return;
    }
    all->submitted = 1;
    hand_over(r, all->steps[step],
              rule->what == SWAP_AT_TICKS ? WEFT_POLICY_AT_TICKS : WEFT_POLICY_AT_DECISIONS,
              rule->what == SWAP_AT_FRAMES ? 0 : rule->at);
}

void policies_frame(run *r)
{
    if (atomic_load_explicit(&r->policies->step, memory_order_relaxed) < r->policies->step_count) {
        submit(r);
    }
}

int policies_swap_begin(run *r, policy_instance *next, policies_told told, void *context)
{
    policies *all = r->policies;
    if (all->swapping || hand_over(r, next, WEFT_POLICY_AT_ONCE, 0) != WEFT_OK) {
        return -1;
    }
    all->swapping = next;
    all->told = told;
    all->context = context;
    return 0;
}

static policy_instance *number(const policies *all, uint64_t n)
{
    policy_instance *p = all->list;
    while (p && atomic_load(&p->took_over) != n) {
        p = p->next;
    }
    return p;
}

/* The one that `now` took over from ends here. */
static void look_after(run *r, policy_instance *now)
{
    policies *all = r->policies;
    policy_instance *old = all->serving;
    char *before = text_copy(policies_id(r));
    all->serving = now;
    if (old) {
        instance_end(r, old);
    } else {
        part_destroy(&r->parts[WEFT_ROLE_POLICY]);
        plugin_close(r->parts[WEFT_ROLE_POLICY].plugin);
    }
    if (now == all->swapping) {
        all->swapping = NULL;
        if (all->told) {
            all->told(all->context, now, before);
        }
    }
    free(before);
}

static void watch(const part *p)
{
    if (p->checked) {
        guard_watch(p->checked);
    }
}

void policies_pump(run *r)
{
    policies *all = r->policies;
    watch(all->serving ? &all->serving->part : &r->parts[WEFT_ROLE_POLICY]);
    while (all->seen < atomic_load(&all->done)) {
        policy_instance *now = number(all, all->seen + 1);
        if (!now) {
            return; /* it is just being written down */
        }
        all->seen++;
        look_after(r, now);
    }
}

/* ---- the run's beginning and end ---------------------------------------------------------------
 */

int policies_start(run *r)
{
    policies *all = r->policies;
    const part *kernel = &r->parts[WEFT_ROLE_KERNEL];
    const weft_plugin_desc *code = kernel->plugin->code;
    errors list = {0};
    all->kernel_instance = kernel->instance;
    all->kernel = code->extension ? code->extension(kernel->instance, WEFT_POLICY_EXTENSION) : NULL;
    size_t count = r->profile->policy_swap_count;
    all->steps = text_need((count + 1) * sizeof *all->steps);
    if (count > 0 && !all->kernel) {
        errors_add(&list, kernel->plugin->desc->id,
                   "kernel exchanges no policy (found no extension %s, expected it)",
                   WEFT_POLICY_EXTENSION);
    }
    for (size_t i = 0; i < count && list.count == 0; i++) {
        profile_section section = profile_section_copy(&r->profile->policy_swaps[i].section);
        all->steps[i] = instance_new(r, &section, &list);
    }
    int failed = list.count > 0 ? -1 : 0;
    errors_print(&list, stderr);
    errors_free(&list);
    if (!failed) {
        all->step_count = count;
        submit(r);
    }
    return failed;
}

void policies_end_run(run *r)
{
    static const char *const names[] = {"events", "ticks", "frames", "decisions"};
    policies *all = r->policies;
    policies_pump(r);
    for (size_t i = atomic_load(&all->step); i < all->step_count; i++) {
        const profile_swap *rule = &r->profile->policy_swaps[i];
        fprintf(stderr, "weft: warning: [policy] swap_at: the run did not come to %s=%llu\n",
                names[rule->what], (unsigned long long)rule->at);
    }
}

void policies_free(run *r)
{
    policies *all = r->policies;
    if (!all) {
        return;
    }
    while (all->list) {
        instance_end(r, all->list);
    }
    free(all->steps);
    free(all);
    r->policies = NULL;
}
