/* plan.c: reading swap_at. */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "swap.h"
#include "text.h"

static const struct {
    const char *name;
    uint32_t what;
} conditions[] = {
    {"events", SWAP_AT_EVENTS},
    {"ticks", SWAP_AT_TICKS},
    {"frames", SWAP_AT_FRAMES},
    {"decisions", SWAP_AT_DECISIONS},
};

/* Whose rules are read. */
typedef struct reader {
    uint32_t but; /* the condition that has no meaning for it */
    const char *conditions, *what;
} reader;

static const reader tracer_rules = {
    .but = SWAP_AT_DECISIONS,
    .conditions = "events=N, ticks=N or frames=N",
    .what = "the id of a tracer",
};
static const reader policy_rules = {
    .but = SWAP_AT_EVENTS,
    .conditions = "decisions=N, ticks=N or frames=N",
    .what = "the id of a policy",
};

/* The next word, allocated; NULL at the end, and with *open where a quote is not closed. */
static char *next_word(const char **text, int *open)
{
    const char *p = *text;
    size_t length = 0;
    while (*p == ' ' || *p == '\t') {
        p++;
    }
    if (!*p) {
        return NULL;
    }
    char *word = text_need(strlen(p) + 1);
    for (*open = 0; *p && (*open || (*p != ' ' && *p != '\t')); p++) {
        if (*p == '"') {
            *open ^= 1;
        } else {
            word[length++] = *p;
        }
    }
    word[length] = 0;
    *text = p;
    return word;
}

static int parse_condition(const reader *who, const char *word, plan_rule *rule, char *why,
                           size_t room)
{
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : 0;
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        if (conditions[i].what != who->but && length == strlen(conditions[i].name) &&
            memcmp(word, conditions[i].name, length) == 0) {
            char *end;
            errno = 0;
            unsigned long long value = strtoull(equals + 1, &end, 10);
            if (equals[1] < '0' || equals[1] > '9' || *end || errno || value == 0) {
                snprintf(why, room, "place is no number (found %.60s, expected one above 0)", word);
                return -1;
            }
            rule->what = conditions[i].what;
            rule->at = value;
            return 0;
        }
    }
    snprintf(why, room, "condition is unknown (found %.60s, expected %s)", word, who->conditions);
    return -1;
}

/* One word of a rule whose condition is there. */
static int take_word(plan_rule *rule, char *word, char *why, size_t room)
{
    if (!rule->id) {
        rule->id = word;
        return 0;
    }
    if (!strchr(word, '=') || word[0] == '=') {
        snprintf(why, room, "word is no assignment (found %.60s, expected key=value or then)",
                 word);
        free(word);
        return -1;
    }
    rule->settings = text_grow(rule->settings, (rule->count + 1) * sizeof *rule->settings);
    rule->settings[rule->count++] = word;
    return 0;
}

/* Steps are taken in their order, so one that is due before the step before it says something else
 * than it does. */
static int check_order(const plan_rule *rules, size_t count, char *why, size_t room)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (rules[j].what == rules[i].what && rules[j].at >= rules[i].at) {
                snprintf(why, room,
                         "rules are out of order (found %s=%llu behind %s=%llu, expected more)",
                         conditions[rules[i].what].name, (unsigned long long)rules[i].at,
                         conditions[rules[j].what].name, (unsigned long long)rules[j].at);
                return -1;
            }
        }
    }
    return 0;
}

static int read_rules(const reader *who, const char *text, plan_rule **rules, size_t *count,
                      char *why, size_t room)
{
    plan_rule *list = NULL;
    size_t length = 0;
    int failed = 0, wanted = 0, open = 0; /* wanted: a condition has to come */
    char *word;
    while (!failed && (word = next_word(&text, &open)) != NULL) {
        if (length == 0 || wanted) {
            list = text_grow(list, (length + 1) * sizeof *list);
            list[length] = (plan_rule){0};
            failed = parse_condition(who, word, &list[length++], why, room);
            wanted = 0;
            free(word);
        } else if (strcmp(word, "then") == 0 && list[length - 1].id) {
            wanted = 1;
            free(word);
        } else {
            failed = take_word(&list[length - 1], word, why, room);
        }
    }
    if (!failed && open) {
        snprintf(why, room, "quote is not closed (found the end, expected \")");
        failed = -1;
    } else if (!failed && (wanted || (length > 0 && !list[length - 1].id))) {
        snprintf(why, room, "rule is not whole (found the end, expected %s)",
                 wanted ? who->conditions : who->what);
        failed = -1;
    }
    if (failed || check_order(list, length, why, room)) {
        plan_free(list, length);
        return -1;
    }
    *rules = list;
    *count = length;
    return 0;
}

int plan_parse(const char *text, plan_rule **rules, size_t *count, char *why, size_t room)
{
    return read_rules(&tracer_rules, text, rules, count, why, room);
}

int plan_parse_policy(const char *text, plan_rule **rules, size_t *count, char *why, size_t room)
{
    return read_rules(&policy_rules, text, rules, count, why, room);
}

void plan_free(plan_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < rules[i].count; k++) {
            free(rules[i].settings[k]);
        }
        free(rules[i].settings);
        free(rules[i].id);
    }
    free(rules);
}
