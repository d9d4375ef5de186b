/* kernel_events.c: what the kit wants of an event as a kernel hands it to emit (weft/event.h). */
#include <string.h>

#include "kernel_kit.h"

#define MACHINE_TID UINT32_C(0)

static int bad(kit_machine *m, const weft_event_kind *row, const char *what, uint64_t found)
{
    kit_offence(m, KIT_OF_EVENTS, "emit %s: got %s 0x%llx", row->name, what,
                (unsigned long long)found);
    return 0;
}

static int known(const kit_machine *m, uint64_t id)
{
    return id == 0 || kit_name(m, id) != NULL;
}

/* One field: how many of `left` words it takes, or -1. */
static int32_t field(kit_machine *m, const weft_event_kind *row, char type, const uint64_t *words,
                     uint32_t left)
{
    if (left == 0) {
        return -1;
    }
    if (type == 'd' && !known(m, words[0])) {
        bad(m, row,
            "an identity that no define told of, expected one before it is used:", words[0]);
    }
    if (type == 's') {
        uint64_t length = words[0], more = length / 8 + (length % 8 != 0);
        if (more > left - 1) {
            return -1;
        }
        for (uint64_t i = length; i < more * 8; i++) {
            if (((const uint8_t *)(words + 1))[i]) {
                bad(m, row, "bytes behind a string, expected zeros:", words[more]);
                break;
            }
        }
        return (int32_t)(1 + more);
    }
    if (!strchr("UXDP", type)) {
        return 1;
    }
    if (words[0] > left - 1) {
        return -1;
    }
    for (uint64_t i = 1; type == 'D' && i <= words[0]; i++) {
        if (!known(m, words[i])) {
            bad(m, row,
                "an identity that no define told of, expected one before it is used:", words[i]);
        }
    }
    return (int32_t)(1 + words[0]);
}

/* The payload is the row's fields and nothing else. */
static int payload(kit_machine *m, const weft_event_kind *row, const weft_event *event)
{
    const uint64_t *words = (const uint64_t *)(event + 1);
    uint32_t count = (uint32_t)(event->size - sizeof *event) / 8, at = 0;
    for (const char *p = strchr(row->fields, ':'); p; p = strchr(p + 1, ':')) {
        int32_t taken = field(m, row, p[1], words + at, count - at);
        if (taken < 0) {
            return bad(m, row, "a payload shorter than its fields, words:", count);
        }
        at += (uint32_t)taken;
    }
    return at == count ? 1 : bad(m, row, "a payload longer than its fields, words:", count);
}

int kit_check_event(kit_machine *m, const weft_event *event)
{
    const weft_event_kind *row = event ? weft_event_kind_of(event->kind) : NULL;
    if (!row) {
        kit_offence(m, KIT_OF_EVENTS, "emit: got kind %u, expected one of event.h",
                    event ? event->kind : 0);
        return 0;
    }
    if (event->size < sizeof *event || event->size % 8 || event->size > sizeof(weft_event_buffer)) {
        return bad(m, row, "a size that no event has:", event->size);
    }
    if (event->category != row->category) {
        bad(m, row, "a class that is not the kind's:", event->category);
    }
    if (event->hw >= WEFT_HW_COUNT && event->hw != WEFT_HW_NONE) {
        bad(m, row, "hardware thread, expected 0 to 5 or 0xff:", event->hw);
    }
    if (!known(m, event->thread)) {
        bad(m, row, "a thread that no define told of:", event->thread);
    }
    if (!event->thread && event->tid != MACHINE_TID) {
        bad(m, row, "a thread id without a thread:", event->tid);
    }
    kit_source *s = kit_source_of(m, event->thread);
    if (s && row->category == WEFT_CLASS_GUEST) {
        if (event->tick < s->tick) {
            bad(m, row, "a tick before the thread's latest:", event->tick);
        }
        s->tick = event->tick;
    }
    if (event->kind == WEFT_EVENT_MEMORY_ALLOC && event->size >= sizeof *event + 8) {
        kit_name_add(m, *(const uint64_t *)(event + 1),
                     row->name); /* tells of its identity itself */
    }
    return payload(m, row, event);
}
