/* tracer.c: the kit of tracers: every kind of event with payloads of several sizes, from open to
 * close, in two instances one after the other, as a swap would do it. What is written is not judged
 * here: formats are the tests' of `weft trace`. */
#include "conform.h"

#include <string.h>

#define BIG 256 /* words: more than any array of a usual event */

static const char *no_name(void *names, uint64_t id)
{
    return NULL;
}

/* Appends a value for each field of `fields` ("name:t,name:t"), of size class `round`. */
static void fill(weft_event_buffer *event, const char *fields, uint32_t round)
{
    static const char text[] = "a text with \"quotes\", a back\\slash, \x01 and \xC3\xA9";
    uint64_t words[BIG];
    for (uint32_t i = 0; i < BIG; i++) {
        words[i] = UINT64_C(0x9E3779B97F4A7C15) * (i + round);
    }
    for (const char *p = strchr(fields, ':'); p; p = strchr(p + 1, ':')) {
        switch (p[1]) {
        case 's':
            weft_event_text(event, text, round == 0 ? 0 : sizeof text - 1);
            break;
        case 'U':
        case 'X':
        case 'D':
            weft_event_array(event, words, round == 0 ? 0 : round == 1 ? 3 : BIG);
            break;
        default:
            weft_event_word(event, round == 0 ? 0 : round == 1 ? 1 : UINT64_MAX);
            break;
        }
    }
}

static void run_once(const weft_plugin_desc *desc, const weft_tracer_ops *ops,
                     const weft_host *host, weft_conform_report *report)
{
    const weft_trace_begin begin = {.size = sizeof begin,
                                    .engine = "weft",
                                    .build = "conform",
                                    .title = "conform",
                                    .profile_digest = "00000000000000000000000000000000",
                                    .digest = "99aa06d3014798d86001c324468d497f",
                                    .name = no_name};
    void *instance = NULL;
    uint64_t sequence = 0;
    if (desc->create(host, &instance) != WEFT_OK) {
        weft_conform_fail(report, "tracer.create: got a failure, expected ok");
        return;
    }
    weft_status status = ops->open(instance, &begin);
    if (status != WEFT_OK) {
        weft_conform_fail(report, "tracer.open: got %s, expected ok", weft_status_name(status));
    } else {
        for (uint32_t round = 0; round < 3; round++) {
            for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
                const weft_event_kind *row = weft_event_kind_of(kind);
                weft_event_buffer event;
                weft_event_begin(&event, kind);
                event.head.sequence = sequence++;
                event.head.tick = sequence * 1000;
                event.head.thread = round ? 0x1234 : 0;
                event.head.hw = round ? 3 : WEFT_HW_NONE;
                fill(&event, row->fields, round);
                ops->event(instance, &event.head);
                weft_conform_pass(report);
            }
            ops->flush(instance);
        }
        status = ops->close(instance, sequence - 1, "00000000000000000000000000000000");
        if (status == WEFT_OK) {
            weft_conform_pass(report);
        } else {
            weft_conform_fail(report, "tracer.close: got %s, expected ok",
                              weft_status_name(status));
        }
    }
    if (desc->destroy) {
        desc->destroy(instance);
    }
}

int weft_conform_tracer(const weft_plugin_desc *desc, const weft_tracer_ops *ops,
                        const weft_host *host, weft_conform_report *report)
{
    run_once(desc, ops, host, report);
    run_once(desc, ops, host, report);
    return 0;
}
