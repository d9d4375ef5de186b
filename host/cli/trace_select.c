/* trace_select.c: see trace_select.h. */
#include "trace_select.h"

#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "../text.h"

/* Decimal digits up to `end`; `other` where there are none. */
static int read_bound(const char *text, const char *end, uint64_t other, uint64_t *value)
{
    *value = text == end ? other : 0;
    for (; text < end; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || __builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, digit, value)) {
            return 0;
        }
    }
    return 1;
}

int span_read(span *s, const char *text)
{
    const char *dots = strstr(text, "..");
    s->given = 1;
    return dots && strcmp(text, "..") != 0 && read_bound(text, dots, 0, &s->from) &&
           read_bound(dots + 2, text + strlen(text), UINT64_MAX, &s->to) && s->from <= s->to;
}

int selection_take(selection *s, int index, const char *value)
{
    switch (index) {
    case SELECT_KIND:
        s->texts.kinds = value;
        break;
    case SELECT_THREAD:
        s->texts.threads = value;
        break;
    case SELECT_EXPORT:
        s->texts.exports = value;
        break;
    case SELECT_OBJECT:
        s->texts.objects = value;
        break;
    default:
        if (!span_read(index == SELECT_RANGE ? &s->sequence : &s->ticks, value)) {
            error_print(index == SELECT_RANGE ? "--range" : "--ticks",
                        "range cannot be read (found %s, expected A..B with A up to B, A.. or ..B)",
                        value);
            return -1;
        }
        break;
    }
    return 0;
}

static int names_definitions(const char *list)
{
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        size_t length = strcspn(at, ",");
        if ((length == 6 && memcmp(at, "define", 6) == 0) ||
            (length == 3 && memcmp(at, "all", 3) == 0)) {
            return 1;
        }
    }
    return 0;
}

int selection_open(selection *s)
{
    char why[256];
    const char *kinds = s->texts.kinds ? s->texts.kinds : "";
    s->definitions = !selection_has_lists(s) || names_definitions(kinds);
    /* What a file has of kinds that must be asked for, somebody has asked for. */
    s->kinds = text_format("%s%s", kinds[0] == 0 ? "all" : kinds[0] == '!' ? "all," : "", kinds);
    s->texts.kinds = s->kinds;
    s->filter = weft_filter_new(&s->texts, why, sizeof why);
    if (!s->filter) {
        error_print("weft trace", "%s", why);
        return EXIT_USAGE;
    }
    return 0;
}

static int reaches(const span *s, uint64_t value)
{
    return !s->given || (value >= s->from && value <= s->to);
}

int selection_reaches(const selection *s, const weft_event *event)
{
    return reaches(&s->sequence, event->sequence) && reaches(&s->ticks, event->tick);
}

int selection_wants(selection *s, const weft_trace *trace, const weft_event *event)
{
    int defines = event->kind == WEFT_EVENT_DEFINE;
    if (s->sequence.given && event->sequence > s->sequence.to) {
        return defines ? 0 : -1; /* behind it no event is within; a repeated definition may be */
    }
    int pass = weft_filter_pass(s->filter, event, weft_trace_name_of, (void *)(uintptr_t)trace);
    if (defines) {
        return 1;
    }
    return pass && selection_reaches(s, event);
}

int selection_has_lists(const selection *s)
{
    const weft_filter_texts *t = &s->texts;
    const char *const lists[] = {t->kinds, t->threads, t->exports, t->objects};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (lists[i] && lists[i][0] && lists[i] != s->kinds) {
            return 1;
        }
    }
    return s->kinds && strcmp(s->kinds, "all") != 0;
}

int selection_is_all(const selection *s)
{
    return !selection_has_lists(s) && !s->sequence.given && !s->ticks.given;
}

void selection_end(selection *s)
{
    weft_filter_free(s->filter);
    free(s->kinds);
}
