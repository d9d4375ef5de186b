#include "display.h"

#define RING_LOG2_QUADS 12u /* 1 << (12 + 3) bytes (LESSONS 61) */
#define RING_BYTES      (1u << (RING_LOG2_QUADS + 3))
#define RING_DWORDS     (RING_BYTES / 4)
#define SLOT_DWORDS     64u /* what VdSwap fills (LESSONS 65) */

#define BUFFER_BYTES (DISPLAY_TILES_X * DISPLAY_TILES_Y * DISPLAY_TILE_BYTES)

/* GPU register 0x1C5, the ring's write pointer in dwords (xenia src/xenia/gpu/graphics_system.cc).
 */
#define CP_RB_WPTR ((volatile u32 *)0x7FC80714)

#define INTERRUPT_VSYNC 0u

/* Fields of a texture fetch constant and values of its format (xenia src/xenia/gpu/xenos.h). */
#define FETCH_TEXTURE    2u
#define FETCH_TILED      0x80000000u
#define FORMAT_8_8_8_8   6u
#define ENDIAN_8_IN_32   2u
#define SWIZZLE_ARGB     0x60Au /* red is the third byte of a little-endian pixel */
#define DIMENSION_2D     1u
#define COLOR_SPACE_RGB  0u
#define ENGINES_FLAGS    0x4F810000u /* as Direct3D passes them */
#define IDLE_TRIES_LIMIT 1000u       /* milliseconds that the GPU may lag behind */

static void *physical_memory(u32 bytes)
{
    void *memory = MmAllocatePhysicalMemoryEx(0, bytes, PAGE_READWRITE | PAGE_WRITECOMBINE, 0,
                                              0xFFFFFFFFu, DISPLAY_TILE_BYTES);
    if (memory == NULL) {
        DbgPrint("plasma: no %u bytes of physical memory\n", bytes);
    }
    return memory;
}

/* A DPC's routine: at this level events may be set, in an interrupt not. */
static void on_vblank_dpc(void *dpc, void *context, u32 argument1, u32 argument2)
{
    (void)dpc;
    (void)argument1;
    (void)argument2;
    display *d = context;
    KeSetEvent(&d->vblank, 0, 0);
}

static void on_interrupt(u32 source, void *context)
{
    display *d = context;
    if (source == INTERRUPT_VSYNC) {
        d->vblanks++;
        KeInsertQueueDpc(&d->vblank_dpc, 0, 0);
    }
}

bool display_open(display *d)
{
    memset(d, 0, sizeof *d);
    d->buffers[0] = physical_memory(BUFFER_BYTES);
    d->buffers[1] = physical_memory(BUFFER_BYTES);
    d->ring = physical_memory(RING_BYTES);
    d->ring_read = physical_memory(DISPLAY_TILE_BYTES);
    if (d->buffers[0] == NULL || d->buffers[1] == NULL || d->ring == NULL || d->ring_read == NULL) {
        return false;
    }
    KeInitializeEvent(&d->vblank, SYNCHRONIZATION, 0);
    KeInitializeDpc(&d->vblank_dpc, (const void *)on_vblank_dpc, d);
    VdInitializeEngines(ENGINES_FLAGS, 0, 0, 0, 0);
    VdSetGraphicsInterruptCallback((const void *)on_interrupt, d);
    VdInitializeRingBuffer(MmGetPhysicalAddress((const void *)d->ring), RING_LOG2_QUADS);
    VdEnableRingBufferRPtrWriteBack(MmGetPhysicalAddress((const void *)d->ring_read), 6);
    VdGetSystemCommandBuffer(d->system_buffer, &d->system_token);
    return true;
}

u8 *display_back(display *d)
{
    return d->buffers[d->shown ^ 1];
}

/* Lets VdSwap put its commands into the ring, and tells the GPU that they are there. */
static void submit_swap(display *d, u32 buffer)
{
    u32 width = DISPLAY_WIDTH;
    u32 height = DISPLAY_HEIGHT;
    u32 format = FORMAT_8_8_8_8;
    u32 color_space = COLOR_SPACE_RGB;
    /* The address in a Direct3D texture header, which VdSwap is given, is the CPU's. */
    u32 fetch[6] = {
        FETCH_TEXTURE | (width / 32) << 22 | FETCH_TILED,
        FORMAT_8_8_8_8 | ENDIAN_8_IN_32 << 6 | (buffer & 0xFFFFF000u),
        (width - 1) | (height - 1) << 13,
        SWIZZLE_ARGB << 1,
        0,
        DIMENSION_2D << 9,
    };
    VdSwap((const void *)&d->ring[d->ring_write], fetch, (const void *)d->ring_read,
           d->system_buffer, d->system_token, &buffer, &format, &color_space, &width, &height);
    d->ring_write = (d->ring_write + SLOT_DWORDS) % RING_DWORDS;
    weft_sync();
    *CP_RB_WPTR = d->ring_write;
}

static bool wait_until_idle(display *d)
{
    for (u32 tries = 0; *d->ring_read != d->ring_write; tries++) {
        if (tries == IDLE_TRIES_LIMIT) {
            DbgPrint("plasma: the GPU stopped at dword %u of %u\n", *d->ring_read, d->ring_write);
            return false;
        }
        i64 interval = -10000; /* 1 ms from now */
        KeDelayExecutionThread(USER_MODE, 0, &interval);
    }
    return true;
}

bool display_show(display *d)
{
    submit_swap(d, (u32)display_back(d));
    d->shown ^= 1;
    u32 before = d->vblanks;
    while (d->vblanks == before) {
        KeWaitForSingleObject(&d->vblank, 3, USER_MODE, 0, 0);
    }
    return wait_until_idle(d);
}
