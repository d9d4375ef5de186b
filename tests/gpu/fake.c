#include "fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const weft_plugin_desc weft_plugin;

static weft_status host_fail(const weft_host *host, weft_status status, const char *sentence)
{
    fake *f = host->impl;
    f->fails++;
    snprintf(f->last_log, sizeof f->last_log, "%s", sentence);
    return status;
}

static void host_log(const weft_host *host, uint32_t level, const char *line)
{
    fake *f = host->impl;
    f->logs++;
    snprintf(f->last_log, sizeof f->last_log, "%s", line);
}

static int64_t host_option_int(const weft_host *host, const char *key)
{
    const fake *f = host->impl;
    return strcmp(key, "packet_cost") == 0     ? f->packet_cost
           : strcmp(key, "dword_cost") == 0    ? f->dword_cost
           : strcmp(key, "draw_cost") == 0     ? f->draw_cost
           : strcmp(key, "vertex_cost") == 0   ? f->vertex_cost
           : strcmp(key, "threads") == 0       ? f->threads
           : strcmp(key, "capture_frame") == 0 ? f->capture_frame
           : strcmp(key, "poll_interval") == 0 ? f->poll_interval
           : strcmp(key, "batch") == 0         ? f->batch
           : strcmp(key, "vsync") == 0         ? f->vsync
                                               : 0;
}

static const char *host_option_text(const weft_host *host, const char *key)
{
    const fake *f = host->impl;
    if (strcmp(key, "capture") == 0) {
        return f->capture;
    }
    return strcmp(key, "backend") == 0 && f->backend != NULL ? f->backend : "null";
}

static void host_emit(const weft_host *host, weft_event *event)
{
    fake *f = host->impl;
    if (f->emitted < FAKE_EVENTS) {
        uint32_t size = event->size < sizeof *f->kept ? event->size : (uint32_t)sizeof *f->kept;
        memcpy(&f->kept[f->emitted], event, size);
    }
    f->emitted++;
    memcpy(&f->event, event, event->size);
}

static uint64_t host_define(const weft_host *host, const char *what, const char *text)
{
    return weft_fnv1a(text, strlen(text));
}

static void host_present(const weft_host *host, weft_frame *frame)
{
    fake *f = host->impl;
    f->presented++;
    f->frame = *frame;
    free(f->frame_pixels);
    f->frame_pixels = malloc((size_t)frame->stride * frame->height);
    memcpy(f->frame_pixels, frame->pixels, (size_t)frame->stride * frame->height);
    f->frame.pixels = f->frame_pixels;
}

static void memory_written(weft_memory *memory, uint32_t start, uint32_t length)
{
    fake *f = memory->impl;
    f->written_calls++;
    f->written_start = start;
    f->written_length = length;
    fake_written(f, start, length);
}

void fake_written(fake *f, uint32_t start, uint32_t length)
{
    for (uint32_t page = start / WEFT_PAGE_SIZE; page <= (start + length - 1) / WEFT_PAGE_SIZE;
         page++) {
        if (f->watched[page]) {
            f->watched[page] = 0;
            f->listener(f->listener_context, page * WEFT_PAGE_SIZE, WEFT_PAGE_SIZE);
        }
    }
}

static weft_status memory_watch(weft_memory *memory, uint32_t start, uint32_t length)
{
    fake *f = memory->impl;
    memset(f->watched + start / WEFT_PAGE_SIZE, 1,
           (start + length - 1) / WEFT_PAGE_SIZE - start / WEFT_PAGE_SIZE + 1);
    return WEFT_OK;
}

/* Guest addresses are physical ones here. */
static uint32_t memory_physical_of(weft_memory *memory, uint32_t address)
{
    return address < memory->physical_size ? address : WEFT_NOT_PHYSICAL;
}

static weft_status memory_listen(weft_memory *memory, weft_written_fn fn, void *context)
{
    fake *f = memory->impl;
    f->listener = fn;
    f->listener_context = context;
    return WEFT_OK;
}

static void memory_unlisten(weft_memory *memory, weft_written_fn fn, void *context)
{
    ((fake *)memory->impl)->listener = NULL;
}

static weft_status clock_source_add(weft_clock *clock, const char *name, uint32_t rank,
                                    weft_clock_fn fn, void *context, uint32_t *id)
{
    fake *f = clock->impl;
    f->fn = fn;
    f->fn_context = context;
    *id = 7;
    return WEFT_OK;
}

static uint64_t clock_schedule(weft_clock *clock, uint32_t source, uint64_t tick, uint64_t argument)
{
    fake *f = clock->impl;
    uint32_t at = f->pending_count++;
    while (at > 0 && f->pending[at - 1].tick > tick) {
        f->pending[at] = f->pending[at - 1];
        at--;
    }
    f->pending[at].tick = tick;
    f->pending[at].handle = ++f->handles;
    return f->handles;
}

static int32_t clock_cancel(weft_clock *clock, uint64_t handle)
{
    fake *f = clock->impl;
    for (uint32_t i = 0; i < f->pending_count; i++) {
        if (f->pending[i].handle == handle) {
            memmove(&f->pending[i], &f->pending[i + 1],
                    (f->pending_count - i - 1) * sizeof f->pending[0]);
            f->pending_count--;
            return 1;
        }
    }
    return 0;
}

static void kernel_interrupt(void *context, uint32_t source, uint32_t cpu_mask, uint64_t tick)
{
    fake *f = context;
    if (f->interrupt_count < FAKE_EVENTS) {
        f->interrupts[f->interrupt_count++] = (fake_interrupt){source, cpu_mask, tick};
    }
}

fake *fake_new_with(uint32_t memory)
{
    return fake_new_drawing(memory, NULL, 1);
}

fake *fake_new_drawing(uint32_t memory, const char *backend, uint32_t threads)
{
    return fake_new_capturing(memory, backend, threads, NULL, 0);
}

static fake *make(uint32_t memory, const char *backend, uint32_t threads, const char *capture,
                  uint32_t frame, int64_t vsync)
{
    fake *f = calloc(1, sizeof *f);
    f->vsync = vsync;
    f->capture = capture;
    f->capture_frame = frame;
    f->bytes = calloc(1, memory);
    f->watched = calloc(1, memory / WEFT_PAGE_SIZE + 1);
    f->backend = backend;
    f->threads = threads;
    f->packet_cost = 20;
    f->dword_cost = 2;
    f->draw_cost = 500;
    f->poll_interval = 10000;
    f->batch = 5000;
    f->memory.physical = f->bytes;
    f->memory.physical_size = memory;
    f->memory.impl = f;
    f->memory.written_physical = memory_written;
    f->memory.watch_physical = memory_watch;
    f->memory.physical_of = memory_physical_of;
    f->memory.listen = memory_listen;
    f->memory.unlisten = memory_unlisten;
    f->clock.impl = f;
    f->clock.source_add = clock_source_add;
    f->clock.schedule = clock_schedule;
    f->clock.cancel = clock_cancel;
    f->machine.vblank_hz = 60;
    f->machine.width = 1280;
    f->machine.height = 720;
    f->host.size = (uint32_t)sizeof f->host;
    f->host.impl = f;
    f->host.memory = &f->memory;
    f->host.clock = &f->clock;
    f->host.machine = &f->machine;
    f->host.fail = host_fail;
    f->host.log = host_log;
    f->host.option_int = host_option_int;
    f->host.option_text = host_option_text;
    f->host.emit = host_emit;
    f->host.define = host_define;
    f->host.wanted = f->wanted;
    f->host.present = host_present;
    f->ops = weft_plugin.ops;
    if (weft_plugin.create(&f->host, &f->gpu) != WEFT_OK) {
        abort();
    }
    const weft_gpu_host calls = {.size = sizeof calls, .context = f, .interrupt = kernel_interrupt};
    f->ops->attach(f->gpu, &calls);
    f->ops->ring(f->gpu, FAKE_RING, FAKE_LOG2);
    return f;
}

fake *fake_new_capturing(uint32_t memory, const char *backend, uint32_t threads,
                         const char *capture, uint32_t frame)
{
    return make(memory, backend, threads, capture, frame, 0);
}

fake *fake_new_synced(void)
{
    return make(FAKE_MEMORY, NULL, 1, NULL, 0, 1);
}

fake *fake_new(void)
{
    return fake_new_with(FAKE_MEMORY);
}

void fake_delete(fake *f)
{
    weft_plugin.destroy(f->gpu);
    free(f->frame_pixels);
    free(f->watched);
    free(f->bytes);
    free(f);
}

void fake_poke(fake *f, uint32_t address, uint32_t value)
{
    weft_store32(f->bytes + address, value);
}

uint32_t fake_peek(const fake *f, uint32_t address)
{
    return weft_load32(f->bytes + address);
}

void fake_put(fake *f, const uint32_t *dwords, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fake_poke(f, FAKE_RING + f->put * 4, dwords[i]);
        f->put = (f->put + 1) % (1u << (FAKE_LOG2 + 1));
    }
}

void fake_kick(fake *f)
{
    f->ops->register_write(f->gpu, 0x714, f->put, f->now);
}

static void fire_first(fake *f)
{
    uint64_t tick = f->pending[0].tick;
    f->pending_count--;
    memmove(&f->pending[0], &f->pending[1], f->pending_count * sizeof f->pending[0]);
    f->now = tick > f->now ? tick : f->now;
    f->fired++;
    f->fn(f->fn_context, tick, 0);
}

void fake_until(fake *f, uint64_t tick)
{
    while (f->pending_count > 0 && f->pending[0].tick <= tick) {
        fire_first(f);
    }
    f->now = tick > f->now ? tick : f->now;
}

int fake_settle(fake *f, uint64_t limit)
{
    while (f->pending_count > 0 && limit-- > 0) {
        fire_first(f);
    }
    return f->pending_count == 0;
}

uint32_t fake_register(fake *f, uint32_t number)
{
    return f->ops->register_read(f->gpu, number * 4, f->now);
}

weft_gpu_stats fake_stats(fake *f)
{
    weft_gpu_stats stats = {.size = sizeof stats};
    f->ops->stats(f->gpu, &stats);
    return stats;
}
