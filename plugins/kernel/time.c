/* The console's clocks, all integer functions of guest ticks, and asynchronous I/O's source. */
#include <stdlib.h>

#include "exports.h"
#include "kernel.h"
#include "order.h"

#define BUNDLE_PERIOD                                                                              \
    UINT64_C(1000000) /* the console updates KeTimeStampBundle every millisecond */

uint64_t ktime_interrupt(kernel *k, uint64_t tick)
{
    return tick / 100;
}

uint64_t ktime_system(kernel *k, uint64_t tick)
{
    return k->machine->rtc + tick / 100;
}

uint64_t ktime_base(kernel *k, uint64_t tick)
{
    return tick / 20; /* 50 MHz */
}

/* {u64 interrupt time, u64 system time, u32 milliseconds, u32 0} (LESSONS 39). */
static void write_bundle(kernel *k, uint64_t tick)
{
    uint8_t *p = k->memory->base + k->time_bundle;
    weft_store64(p, ktime_interrupt(k, tick));
    weft_store64(p + 8, ktime_system(k, tick));
    weft_store32(p + 16, (uint32_t)(tick / 1000000));
    kwritten(k, k->time_bundle, 24);
}

static void bundle_fired(void *context, uint64_t tick, uint64_t count)
{
    kernel *k = context;
    uint64_t before = ksource_act(k, KSOURCE_CLOCK);
    write_bundle(k, tick);
    ksource_end(k, before);
    k->clock->schedule(k->clock, k->source_bundle, (count + 1) * BUNDLE_PERIOD, count + 1);
}

typedef struct kio {
    kio_fn fn;
    kio_object_fn object;
    void *request;
    struct kio *next;
    uint64_t serial;
    uint64_t due; /* tick; the policy may put it off */
} kio;

void kio_schedule(kernel *k, uint64_t tick, kio_fn fn, kio_object_fn object, void *request)
{
    kio *io = calloc(1, sizeof *io);
    if (!io) {
        kend(k, WEFT_END_PLUGIN, 0, "kernel-hle: out of memory for an I/O request");
        return;
    }
    io->fn = fn;
    io->object = object;
    io->due = tick;
    io->request = request;
    io->serial = ++k->io_serial;
    io->next = k->io_pending;
    k->io_pending = io;
    k->clock->schedule(k->clock, k->source_io, tick, io->serial);
}

static void io_fired(void *context, uint64_t tick, uint64_t serial)
{
    kernel *k = context;
    for (kio **p = &k->io_pending; *p; p = &(*p)->next) {
        if ((*p)->serial == serial) {
            kio *io = *p;
            kobject *object = io->object ? io->object(io->request) : NULL;
            if (object && korder_source_held(k, KSOURCE_IO, object, io->due)) {
                k->clock->schedule(k->clock, k->source_io, tick + WEFT_SYNC_PATIENCE, serial);
                return;
            }
            *p = io->next;
            k->last_progress = tick;
            uint64_t before = ksource_begin(k, KSOURCE_IO);
            io->fn(k, io->request);
            ksource_end(k, before);
            free(io);
            return;
        }
    }
}

uint64_t ktime_mftb(void *context, weft_cpu_state *cpu)
{
    kernel *k = context;
    return ktime_base(k, know(k));
}

void ktime_end(kernel *k)
{
    while (k->io_pending) {
        kio *next = k->io_pending->next;
        free(k->io_pending);
        k->io_pending = next;
    }
}

void ktime_init(kernel *k)
{
    k->clock->source_add(k->clock, "I/O completion", WEFT_RANK_IO, io_fired, k, &k->source_io);
    k->clock->source_add(k->clock, "time stamp bundle", WEFT_RANK_TIMER, bundle_fired, k,
                         &k->source_bundle);
    k->time_bundle = kalloc_for(k, NULL, 0, 24, KALLOCATION_VARIABLE);
    write_bundle(k, 0);
    k->clock->schedule(k->clock, k->source_bundle, BUNDLE_PERIOD, 1);
}

uint32_t ex_KeQueryPerformanceFrequency(kcall *call)
{
    return kret(call, 50000000);
}

uint32_t ex_KeQueryInterruptTime(kcall *call)
{
    return kret64(call, ktime_interrupt(call->k, know(call->k)));
}

uint32_t ex_KeQuerySystemTime(kcall *call)
{
    kernel *k = call->k;
    uint64_t now = know(k);
    write_bundle(k, now);
    kput64(call, karg(call, 0), ktime_system(k, now));
    return K_DONE;
}
