/* In whose name the machine acts. */
#include "source.h"

#include <stdio.h>

#include "kernel.h"

static const char *const names[KSOURCE_COUNT] = {
    [KSOURCE_VBLANK] = "vblank", [KSOURCE_AUDIO] = "audio", [KSOURCE_TIMER] = "timer",
    [KSOURCE_IO] = "io",         [KSOURCE_CLOCK] = "clock", [KSOURCE_GPU] = "gpu",
};

void ksource_init(kernel *k)
{
    for (uint32_t i = 0; i < KSOURCE_COUNT; i++) {
        char text[32];
        snprintf(text, sizeof text, "source:%s", names[i]);
        k->sources[i].id = k->host->define(k->host, "source", text);
    }
}

uint64_t ksource_act(kernel *k, uint32_t source)
{
    uint64_t before = k->acting;
    k->acting = k->sources[source].id;
    return before;
}

uint64_t ksource_begin(kernel *k, uint32_t source)
{
    uint64_t before = ksource_act(k, source);
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_SOURCE_FIRE);
    weft_event_word(&event, k->sources[source].fired++);
    kemit(k, NULL, &event);
    return before;
}

void ksource_end(kernel *k, uint64_t before)
{
    k->acting = before;
}

uint64_t *ksource_counts(kernel *k)
{
    for (uint32_t i = 0; i < KSOURCE_COUNT; i++) {
        if (k->sources[i].id == k->acting) {
            return k->sources[i].sync_index;
        }
    }
    return k->machine_sync_index;
}
