/* weft/gpu.h: the role behind the GPU's registers and ring buffer.
 *
 * The command processor is a source on the clock (rank WEFT_RANK_GPU) that the plugin registers
 * itself. What the guest can see (memory written by packets, read pointer, interrupts, swaps)
 * changes only when the clock fires it, on the guest thread, at its tick. Guest-visible results
 * never depend on the host's GPU or clock. Addresses in registers and packets are physical. */
#ifndef WEFT_GPU_H
#define WEFT_GPU_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sources of an interrupt, the first argument of the title's callback
 * (xenia src/xenia/gpu/graphics_system.cc). */
#define WEFT_GPU_INTERRUPT_VSYNC UINT32_C(0)
#define WEFT_GPU_INTERRUPT_CP    UINT32_C(1)

/* A frame on its way to a window or a file. Pixels are 4 bytes each: red, green, blue, 255. */
typedef struct weft_frame {
    uint32_t size;   /* sizeof(weft_frame) */
    uint32_t width;  /* pixels */
    uint32_t height; /* pixels */
    uint32_t stride; /* bytes from one row to the next */
    uint64_t number; /* swaps so far, this one included: the first frame is 1. Set by the host */
    uint64_t tick;   /* guest time of the swap */
    const uint8_t *pixels; /* height * stride bytes; valid until the call returns */
} weft_frame;

/* What a GPU calls; filled by the kernel plugin, valid from attach on. */
typedef struct weft_gpu_host {
    uint32_t size;
    uint32_t reserved;
    void *context;

    /* Raises an interrupt on each hardware thread of `cpu_mask` (bit n: thread n), taken when it has
     * interrupts enabled and its IRQL allows. [guest] */
    void (*interrupt)(void *context, uint32_t source, uint32_t cpu_mask, uint64_t tick);
} weft_gpu_host;

/* Counters since create, for reports. */
typedef struct weft_gpu_stats {
    uint32_t size;
    uint32_t reserved;
    uint64_t packets; /* PM4 packets executed */
    uint64_t draws;   /* draw packets */
    uint64_t swaps;
    uint64_t unknown_packets; /* executed as nothing because their opcode is not known */
} weft_gpu_stats;

typedef struct weft_gpu_ops {
    uint32_t size; /* sizeof(weft_gpu_ops) */
    uint32_t reserved;

    /* Gives the callbacks; before any other op, once. [guest] */
    weft_status (*attach)(void *instance, const weft_gpu_host *calls);

    /* The primary ring: `physical` address of the first of 1 << (log2_quads + 3) bytes, as
     * VdInitializeRingBuffer says it. Read and write pointers become 0. [guest] */
    weft_status (*ring)(void *instance, uint32_t physical, uint32_t log2_quads);

    /* From now on the read pointer (in dwords, big-endian) is written to `physical` whenever
     * 1 << log2_quads dwords more were consumed, and when the ring runs empty. 0 ends it. [guest] */
    void (*read_pointer_write_back)(void *instance, uint32_t physical, uint32_t log2_quads);

    /* A 32-bit register read at byte `offset` from the start of the register block (guest address
     * 0x7FC80000), at guest time `tick`. Value as the guest's lwz sees it. [guest] */
    uint32_t (*register_read)(void *instance, uint32_t offset, uint64_t tick);

    /* The write to match. [guest] */
    void (*register_write)(void *instance, uint32_t offset, uint32_t value, uint64_t tick);

    /* A vertical blank begins at `tick` and is number `count` (from 1); called by the kernel's
     * display source before it interrupts. NULL: not told. [guest] */
    void (*vblank)(void *instance, uint64_t count, uint64_t tick);

    /* The display's gamma ramp: 256 entries of 3x10 bits as DC_LUT_30_COLOR holds them; NULL means
     * linear. Op NULL: ignored. [guest] */
    void (*gamma)(void *instance, const uint32_t *table);

    /* Fills the counters. [guest] */
    void (*stats)(void *instance, weft_gpu_stats *stats);

    /* A 64-bit hash of all guest-visible GPU state outside guest memory: registers, ring pointers,
     * EDRAM. [guest] */
    uint64_t (*digest)(void *instance);

    /* The whole state. NULL: saving is refused, by id. [guest] */
    weft_status (*save)(void *instance, void *buffer, uint64_t *length);

    /* Takes back what save wrote. NULL: loading is refused. [guest] */
    weft_status (*load)(void *instance, const void *buffer, uint64_t length);
} weft_gpu_ops;

WEFT_STATIC_ASSERT(sizeof(weft_frame) == 40, "ABI: weft_frame");
WEFT_STATIC_ASSERT(sizeof(weft_gpu_host) == 24, "ABI: weft_gpu_host");
WEFT_STATIC_ASSERT(sizeof(weft_gpu_stats) == 40, "ABI: weft_gpu_stats");
WEFT_STATIC_ASSERT(sizeof(weft_gpu_ops) == 96, "ABI: weft_gpu_ops");

#ifdef __cplusplus
}
#endif
#endif
