/* Exchanging the policy of a running title: extension "policy/1" (weft/policy.h). The loop looks
 * before each slice, when no thread is in the middle of anything. */
#include <stdio.h>
#include <string.h>

#include "sched.h"

weft_status kpolicy_exchange(kernel *k, weft_policy_exchange *exchange)
{
    weft_policy_exchange *none = NULL;
    if (exchange->what == WEFT_POLICY_AT_ONCE) {
        return __atomic_compare_exchange_n(&k->exchange_posted, &none, exchange, 0,
                                           __ATOMIC_RELEASE, __ATOMIC_RELAXED)
                   ? WEFT_OK
                   : WEFT_E_STATE;
    }
    if (k->exchange_planned) {
        return WEFT_E_STATE;
    }
    k->exchange_planned = exchange;
    return WEFT_OK;
}

void kpolicy_eject_later(kernel *k, const char *reason)
{
    snprintf(k->ejection, sizeof k->ejection, "%s", reason);
}

bool kpolicy_break(kernel *k)
{
    char reason[sizeof k->ejection];
    memcpy(reason, k->ejection, sizeof reason);
    k->ejection[0] = 0;
    kpolicy_eject(k, reason);
    return true;
}

static void emit_swap(kernel *k, const weft_policy_exchange *exchange)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_POLICY_SWAP);
    weft_event_text(&event, exchange->id, strlen(exchange->id));
    weft_event_word(&event, k->slices);
    kemit(k, NULL, &event);
}

void kpolicy_welcome(kernel *k)
{
    k->policy_mask = k->ask_mask = k->tell_mask = 0;
    if (k->policy && k->policy->subscribe) {
        k->policy_mask = k->policy->subscribe(k->policy_instance);
        k->ask_mask = k->policy->before ? k->policy_mask : 0;
        k->tell_mask = k->policy->after ? k->policy_mask : 0;
    }
    (void)kpolicy_broken(k);
}

static void take_over(kernel *k, weft_policy_exchange *exchange)
{
    emit_swap(k, exchange);
    k->policy = exchange->ops;
    k->policy_instance = exchange->instance;
    k->policy_faults = 0;
    __atomic_store_n(&k->policy_ejected, false, __ATOMIC_RELAXED);
    kpolicy_welcome(k);
    /* Who is held stays so until others have run, and the newcomer is asked then: to ask at once would
     * be a decision that no recording of answers has. */
    for (kthread *t = k->live; t; t = t->live_next) {
        if (k->policy && k->policy->thread_start) {
            k->policy->thread_start(k->policy_instance, t->id, t->parent);
            (void)kpolicy_broken(k);
        }
    }
    exchange->told(exchange, k->slices);
}

static bool is_due(const kernel *k, const weft_policy_exchange *exchange, uint64_t now)
{
    return exchange->what == WEFT_POLICY_AT_TICKS ? now != WEFT_TICK_NEVER && now >= exchange->at
                                                  : k->slices >= exchange->at;
}

void kpolicy_exchange_due(kernel *k, uint64_t now)
{
    weft_policy_exchange *planned;
    while ((planned = k->exchange_planned) != NULL && is_due(k, planned, now)) {
        k->exchange_planned = NULL; /* `told` may plan the next one */
        take_over(k, planned);
    }
    weft_policy_exchange *posted = __atomic_load_n(&k->exchange_posted, __ATOMIC_RELAXED);
    if (posted) {
        posted = __atomic_exchange_n(&k->exchange_posted, NULL, __ATOMIC_ACQUIRE);
        take_over(k, posted);
    }
}
