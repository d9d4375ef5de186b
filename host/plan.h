/* plan.h: `swap_at` of [tracer] and [policy] as text: which plugin takes over when.
 *
 *     swap_at = frames=100 jsonl path=b.jsonl then ticks=5000000000 none
 *
 * A rule is a condition (events=N for a tracer, decisions=N for a policy, ticks=N or frames=N; swap.h
 * says what each means), the id of a plugin, and any number of its options; `then` stands between rules. Blanks separate the words;
 * double quotes keep those inside a word. */
#ifndef WEFT_HOST_PLAN_H
#define WEFT_HOST_PLAN_H

#include <stddef.h>
#include <stdint.h>

typedef struct plan_rule {
    uint32_t what; /* SWAP_AT_* */
    uint64_t at;
    char *id;
    char **settings; /* "key=value" */
    size_t count;
} plan_rule;

/* The rules of a text; an empty one has none. -1 with `why` set ("WHAT (found X, expected Y)"). */
int plan_parse(const char *text, plan_rule **rules, size_t *count, char *why, size_t room);
int plan_parse_policy(const char *text, plan_rule **rules, size_t *count, char *why, size_t room);
void plan_free(plan_rule *rules, size_t count);

#endif
