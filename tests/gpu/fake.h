/* A host for gpu-xenos that keeps what it is told: 16 MiB of memory, a clock with a sorted list, a
 * kernel that notes interrupts. */
#ifndef TESTS_GPU_FAKE_H
#define TESTS_GPU_FAKE_H

#include "weft/host.h"

#include "cp.h"
#include "pm4.h"
#include "swap.h"

#define FAKE_MEMORY (16u << 20)
#define FAKE_RING   0x10000u /* physical address of the ring */
#define FAKE_LOG2   9u       /* its size: 1 << 12 bytes, 1024 dwords */
#define FAKE_EVENTS 64u

typedef struct fake_interrupt {
    uint32_t source, mask;
    uint64_t tick;
} fake_interrupt;

/* An event with the first words of its payload. */
typedef struct fake_event {
    weft_event head;
    uint64_t words[8];
} fake_event;

typedef struct fake {
    weft_host host;
    weft_memory memory;
    weft_clock clock;
    weft_machine machine;
    uint8_t *bytes;

    /* clock: one source, pending firings in order */
    weft_clock_fn fn;
    void *fn_context;
    struct {
        uint64_t tick, handle;
    } pending[16];
    uint32_t pending_count;
    uint64_t now, handles, fired;

    fake_interrupt interrupts[FAKE_EVENTS];
    uint32_t interrupt_count;
    uint32_t logs;
    char last_log[256]; /* of log and fail */
    uint32_t fails;
    uint64_t written_calls;
    uint32_t written_start, written_length;
    uint32_t emitted;
    weft_event_buffer event; /* the latest */
    fake_event kept[FAKE_EVENTS];
    uint64_t wanted[4];
    uint32_t presented;
    weft_frame frame; /* the latest */
    uint8_t *frame_pixels;

    int64_t packet_cost, dword_cost, draw_cost, vertex_cost, poll_interval, batch, threads, vsync;
    const char *backend; /* NULL: null */
    const char *capture; /* path, or NULL */
    int64_t capture_frame;

    weft_written_fn listener;
    void *listener_context;
    uint8_t *watched; /* by page */

    void *gpu;
    const weft_gpu_ops *ops;
    uint32_t put; /* dwords written to the ring */
} fake;

/* The plugin with costs 20, 2, 500, 10000, 5000, back-end null, attached, with a ring; also with other
 * amounts of memory than 16 MiB, or another back-end and number of threads. */
fake *fake_new(void);
fake *fake_new_with(uint32_t memory);
fake *fake_new_drawing(uint32_t memory, const char *backend, uint32_t threads);
void fake_delete(fake *f);
/* That also captures a frame. */
fake *fake_new_capturing(uint32_t memory, const char *backend, uint32_t threads,
                         const char *capture, uint32_t frame);
/* With at most one swap a vertical blank. */
fake *fake_new_synced(void);

/* Big-endian dwords of guest memory. */
void fake_poke(fake *f, uint32_t address, uint32_t value);
uint32_t fake_peek(const fake *f, uint32_t address);

/* Bytes changed by the processor: tells the listener where the page is watched. */
void fake_written(fake *f, uint32_t start, uint32_t length);

/* Appends dwords to the ring; fake_kick writes CP_RB_WPTR at the clock's present. */
void fake_put(fake *f, const uint32_t *dwords, uint32_t count);
void fake_kick(fake *f);
#define FAKE_PUT(f, ...)                                                                           \
    do {                                                                                           \
        const uint32_t put_[] = {__VA_ARGS__};                                                     \
        fake_put(f, put_, sizeof put_ / sizeof put_[0]);                                           \
    } while (0)

/* Fires what is due up to a tick; fake_settle until nothing is pending (at most `limit` firings; 1
 * when it came to rest). */
void fake_until(fake *f, uint64_t tick);
int fake_settle(fake *f, uint64_t limit);

/* FAKE_PUT, kick and settle. */
#define FAKE_RUN(f, ...)                                                                           \
    do {                                                                                           \
        FAKE_PUT(f, __VA_ARGS__);                                                                  \
        fake_kick(f);                                                                              \
        fake_settle(f, 100000);                                                                    \
    } while (0)

uint32_t fake_register(fake *f, uint32_t number);
weft_gpu_stats fake_stats(fake *f);

#endif
