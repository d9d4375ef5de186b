/* The GPU's memory, ring, command buffers, fences and swap. */
#include "gpu.h"

#define RING_LOG2_QUADS 12u /* 1 << (12 + 3) bytes (LESSONS 61) */
#define RING_BYTES      (1u << (RING_LOG2_QUADS + 3))
#define RING_DWORDS     (RING_BYTES / 4)
#define RING_ENTRY      4u /* dwords of a call of an indirect buffer, so that none goes round the end */
#define SWAP_DWORDS     64u /* what VdSwap fills (LESSONS 65) */
#define FENCE_DWORDS    16u /* room kept for what ends a buffer */

/* GPU register 0x1C5, the ring's write pointer in dwords (xenia graphics_system.cc). */
#define CP_RB_WPTR ((volatile u32 *)0x7FC80714)

#define INTERRUPT_VSYNC 0u
#define INTERRUPT_GPU   1u
#define ENGINES_FLAGS   0x4F810000u /* as Direct3D passes them */
#define HARDWARE_THREAD 1u          /* the interrupt goes to hardware thread 0, by mask */
#define SWIZZLE_ARGB    0x60Au      /* red is the third byte of a texel's word */
#define TILE            32u         /* texels; sides of tiled surfaces are whole tiles */
#define PAGE            4096u
#define SECOND          (-10000000) /* from now, in 100 ns */
#define MILLISECOND     (-10000)
#define FULL_TRIES      1000u /* milliseconds that the ring may stay full */

void *gpu_alloc(u32 bytes)
{
    bytes = (bytes + PAGE - 1) & ~(PAGE - 1);
    void *memory = MmAllocatePhysicalMemoryEx(0, bytes, PAGE_READWRITE | PAGE_WRITECOMBINE, 0,
                                              0xFFFFFFFFu, PAGE);
    if (memory == NULL) {
        DbgPrint("gpu: no %u bytes of physical memory\n", bytes);
        return NULL;
    }
    memset(memory, 0, bytes);
    return memory;
}

u32 gpu_address(const volatile void *memory)
{
    return MmGetPhysicalAddress((const void *)memory);
}

/* ---- interrupts -------------------------------------------------------------------------------
 */

/* DPC routines: at this level events may be set, in an interrupt not. */
static void on_vblank_dpc(void *dpc, void *context, u32 argument1, u32 argument2)
{
    (void)dpc;
    (void)argument1;
    (void)argument2;
    gpu *g = context;
    KeSetEvent(&g->vblank, 0, 0);
}

static void on_retired_dpc(void *dpc, void *context, u32 argument1, u32 argument2)
{
    (void)dpc;
    (void)argument1;
    (void)argument2;
    gpu *g = context;
    KeSetEvent(&g->retired, 0, 0);
}

static void on_interrupt(u32 source, void *context)
{
    gpu *g = context;
    if (source == INTERRUPT_VSYNC) {
        g->vblanks++;
        KeInsertQueueDpc(&g->vblank_dpc, 0, 0);
    } else if (source == INTERRUPT_GPU) {
        KeInsertQueueDpc(&g->retired_dpc, 0, 0);
    }
}

/* False: not within a second. */
static bool sleep_on(kevent *event)
{
    i64 interval = SECOND;
    return KeWaitForSingleObject(event, 3, USER_MODE, 0, &interval) == STATUS_WAIT_0;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

bool gpu_open(gpu *g, u32 width, u32 height)
{
    memset(g, 0, sizeof *g);
    g->width = width;
    g->height = height;
    u32 picture = width * ((height + TILE - 1) & ~(TILE - 1)) * 4;
    g->front[0] = gpu_alloc(picture);
    g->front[1] = gpu_alloc(picture);
    g->commands[0] = gpu_alloc(GPU_COMMAND_DWORDS * 4);
    g->commands[1] = gpu_alloc(GPU_COMMAND_DWORDS * 4);
    g->ring = gpu_alloc(RING_BYTES);
    g->read_back = gpu_alloc(PAGE);
    g->status = gpu_alloc(PAGE);
    if (g->front[0] == NULL || g->front[1] == NULL || g->commands[0] == NULL ||
        g->commands[1] == NULL || g->ring == NULL || g->read_back == NULL || g->status == NULL) {
        return false;
    }
    KeInitializeEvent(&g->vblank, SYNCHRONIZATION, 0);
    KeInitializeEvent(&g->retired, SYNCHRONIZATION, 0);
    KeInitializeDpc(&g->vblank_dpc, (const void *)on_vblank_dpc, g);
    KeInitializeDpc(&g->retired_dpc, (const void *)on_retired_dpc, g);
    VdInitializeEngines(ENGINES_FLAGS, 0, 0, 0, 0);
    VdSetGraphicsInterruptCallback((const void *)on_interrupt, g);
    VdInitializeRingBuffer(gpu_address(g->ring), RING_LOG2_QUADS);
    VdEnableRingBufferRPtrWriteBack(gpu_address(g->read_back), 6);
    VdGetSystemCommandBuffer(g->system_buffer, &g->system_token);
    gpu_defaults(g);
    return true;
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static void stop(gpu *g, const char *why)
{
    if (!g->failed) {
        DbgPrint("gpu: %s at fence %u of %u\n", why, g->status[0], g->fence);
    }
    g->failed = 1;
}

void gpu_flush(gpu *g)
{
    u32 dwords = g->used - g->flushed;
    if (dwords == 0 || g->failed) {
        g->flushed = g->used;
        return;
    }
    u32 next = (g->ring_write + RING_ENTRY) % RING_DWORDS;
    for (u32 tries = 0; *g->read_back == next; tries++) { /* full */
        i64 interval = MILLISECOND;
        if (tries == FULL_TRIES) {
            stop(g, "the ring stays full");
            return;
        }
        KeDelayExecutionThread(USER_MODE, 0, &interval);
    }
    volatile u32 *entry = g->ring + g->ring_write;
    entry[0] = PACKET3(PM4_INDIRECT_BUFFER, 2u);
    entry[1] = gpu_address(g->commands[g->current] + g->flushed);
    entry[2] = dwords;
    entry[3] = PACKET2;
    g->flushed = g->used;
    g->ring_write = next;
    weft_sync();
    *CP_RB_WPTR = next;
}

/* The fence and the interrupt that says so: FENCE_DWORDS are enough. */
static void put_fence(gpu *g)
{
    u32 *to = g->commands[g->current] + g->used;
    g->used += 6;
    to[0] = PACKET3(PM4_EVENT_WRITE_SHD, 3u);
    to[1] = EVENT_CACHE_FLUSH_TS;
    to[2] = gpu_address(g->status) | ENDIAN_8_IN_32;
    to[3] = ++g->fence;
    to[4] = PACKET3(PM4_INTERRUPT, 1u);
    to[5] = HARDWARE_THREAD;
    g->fences[g->current] = g->fence;
}

bool gpu_wait(gpu *g, u32 fence)
{
    while (!g->failed && (i32)(g->status[0] - fence) < 0) {
        if (!sleep_on(&g->retired) && (i32)(g->status[0] - fence) < 0) {
            stop(g, "the GPU stopped");
        }
    }
    return !g->failed;
}

u32 *gpu_reserve(gpu *g, u32 dwords)
{
    if (g->used + dwords + FENCE_DWORDS > GPU_COMMAND_DWORDS) {
        if (dwords + FENCE_DWORDS > GPU_COMMAND_DWORDS) {
            stop(g, "a packet is longer than a command buffer");
            dwords = 0;
        }
        put_fence(g);
        gpu_flush(g);
        gpu_wait(g, g->fence);
        g->used = 0;
        g->flushed = 0;
    }
    u32 *at = g->commands[g->current] + g->used;
    g->used += dwords;
    return at;
}

void gpu_emit(gpu *g, u32 word)
{
    *gpu_reserve(g, 1) = word;
}

void gpu_write(gpu *g, u32 first, const u32 *values, u32 count)
{
    u32 *to = gpu_reserve(g, 1 + count);
    to[0] = PACKET0(first, count);
    memcpy(to + 1, values, count * 4);
}

u32 *gpu_inline(gpu *g, u32 dwords)
{
    u32 *to = gpu_reserve(g, 1 + dwords);
    to[0] = PACKET3(PM4_NOP, dwords);
    return to + 1;
}

u32 gpu_fence(gpu *g)
{
    gpu_reserve(g, 0);
    put_fence(g);
    gpu_flush(g);
    return g->fence;
}

/* ---- the swap ---------------------------------------------------------------------------------
 */

static void swap(gpu *g)
{
    u32 buffer = (u32)g->front[g->back];
    u32 format = GPU_TEXTURE_8_8_8_8;
    u32 color_space = 0; /* RGB */
    u32 width = g->width;
    u32 height = g->height;
    /* The address in a Direct3D texture header, which VdSwap is given, is the CPU's. */
    u32 fetch[6] = {
        FETCH_TEXTURE | width / TILE << 22 | FETCH_TILED,
        GPU_TEXTURE_8_8_8_8 | ENDIAN_8_IN_32 << 6 | (buffer & 0xFFFFF000u),
        (width - 1) | (height - 1) << 13,
        SWIZZLE_ARGB << 1,
        0,
        DIMENSION_2D,
    };
    u32 *slot = gpu_reserve(g, SWAP_DWORDS);
    VdSwap(slot, fetch, (const void *)g->read_back, g->system_buffer, g->system_token, &buffer,
           &format, &color_space, &width, &height);
    memcpy(g->fetch0, fetch,
           sizeof fetch); /* a packet of the swap sets it, to the physical address */
    g->fetch0[1] = (fetch[1] & 0xFFF) | gpu_address(g->front[g->back]);
}

bool gpu_present(gpu *g)
{
    const gpu_texture to = {
        .base = g->front[g->back],
        .width = g->width,
        .height = g->height,
        .format = GPU_TEXTURE_8_8_8_8,
    };
    gpu_resolve(g, 0, &to, NULL);
    swap(g);
    u32 before = g->vblanks;
    gpu_fence(g);
    while (g->vblanks == before && sleep_on(&g->vblank)) {
    }
    g->back ^= 1;
    g->current ^= 1;
    bool good = gpu_wait(g, g->fences[g->current]);
    g->used = 0;
    g->flushed = 0;
    return good;
}
