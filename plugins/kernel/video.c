/* Display, ring buffer, graphics interrupts, register access, and the vblank source. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "exports.h"
#include "input.h"
#include "kernel.h"
#include "mm.h"
#include "sched.h"
#include "xam.h"

#define GPU_BASE UINT32_C(0x7FC80000) /* xenia src/xenia/gpu/graphics_system.cc */
#define GPU_SIZE UINT32_C(0x00010000)
#define XMA_BASE UINT32_C(0x7FEA0000) /* xenia src/xenia/apu/xma_decoder.cc */
#define XMA_SIZE UINT32_C(0x00010000)

#define CYCLE_SECONDS 5 /* between looks for threads that wait for each other */

#define NOTIFY_INPUT_DEVICES UINT32_C(0x12) /* XDK: XN_SYS_INPUTDEVICESCHANGED */

#define INTERRUPTS_MOST 1024 /* that wait on a hardware thread which lets none in */

#define VSYNC_TARGET 2 /* the hardware thread that vsync interrupts (LESSONS 27) */

/* ---- interrupts --------------------------------------------------------------------------------
 */

/* The title's callback(source, context) runs on the hardware thread as a DPC would. A source that
 * is still pending there is not queued twice: vblanks must not burst (LESSONS 41). */
static void raise_interrupt(kernel *k, uint32_t source, uint32_t hw, uint64_t tick)
{
    if (!k->graphics_callback) {
        return;
    }
    uint32_t waiting = 0;
    for (kdpc *d = k->hw[hw].first_dpc; d; d = d->next) {
        waiting += d->interrupt && d->source == source;
        if (waiting == (source == WEFT_GPU_INTERRUPT_VSYNC ? 1 : INTERRUPTS_MOST)) {
            return;
        }
    }
    kdpc *dpc = calloc(1, sizeof *dpc);
    if (!dpc) {
        kend(k, WEFT_END_PLUGIN, 0, "kernel-hle: out of memory for an interrupt");
        return;
    }
    dpc->routine = k->graphics_callback;
    dpc->arguments[0] = source;
    dpc->arguments[1] = k->graphics_context;
    dpc->interrupt = true;
    dpc->source = source;
    dpc->tick = tick;
    ksched_dpc(k, hw, dpc);
}

static void gpu_interrupt(void *context, uint32_t source, uint32_t cpu_mask, uint64_t tick)
{
    kernel *k = context;
    k->last_progress = tick;
    for (uint32_t hw = 0; hw < WEFT_HW_COUNT; hw++) {
        if (cpu_mask >> hw & 1) {
            raise_interrupt(k, source, hw, tick);
        }
    }
}

static void sample_pads(kernel *k, uint64_t tick)
{
    weft_pad pads[WEFT_PAD_COUNT];
    memset(pads, 0, sizeof pads);
    k->host->pads(k->host, k->vblanks, tick, pads);
    kinput_sampled(k, pads);
    bool plugged = false;
    for (uint32_t i = 0; i < WEFT_PAD_COUNT; i++) {
        if (memcmp(&pads[i], &k->pads[i], sizeof pads[i]) != 0) {
            plugged |= pads[i].connected != k->pads[i].connected;
            k->pads[i] = pads[i];
            k->pad_packet[i]++;
        }
    }
    if (plugged) {
        kxam_notify(k, NOTIFY_INPUT_DEVICES, 0);
    }
}

static void vblank_fired(void *context, uint64_t tick, uint64_t count)
{
    kernel *k = context;
    uint64_t before = ksource_begin(k, KSOURCE_VBLANK);
    k->vblanks = count;
    if (k->gpu->vblank) {
        k->gpu->vblank(k->gpu_instance, count, tick);
    }
    sample_pads(k, tick);
    if (count % (CYCLE_SECONDS * k->machine->vblank_hz) == 0) {
        kdeadlock_watch(k);
    }
    raise_interrupt(k, WEFT_GPU_INTERRUPT_VSYNC, VSYNC_TARGET, tick);
    k->clock->schedule(k->clock, k->source_vblank,
                       weft_clock_periodic(count + 1, WEFT_TICKS_PER_SECOND, k->machine->vblank_hz),
                       count + 1);
    ksource_end(k, before);
}

weft_status kvideo_init(kernel *k)
{
    k->gpu_calls = (weft_gpu_host){
        .size = sizeof k->gpu_calls,
        .context = k,
        .interrupt = gpu_interrupt,
    };
    weft_status status = k->gpu->attach(k->gpu_instance, &k->gpu_calls);
    if (status != WEFT_OK) {
        return status;
    }
    k->memory->mmio_add(k->memory, GPU_BASE, GPU_SIZE);
    k->memory->mmio_add(k->memory, XMA_BASE, XMA_SIZE);
    k->clock->source_add(k->clock, "vblank", WEFT_RANK_VBLANK, vblank_fired, k, &k->source_vblank);
    k->clock->schedule(k->clock, k->source_vblank,
                       weft_clock_periodic(1, WEFT_TICKS_PER_SECOND, k->machine->vblank_hz), 1);
    return WEFT_OK;
}

/* ---- registers ---------------------------------------------------------------------------------
 */

static void note_unknown(kernel *k, uint32_t address, const char *what)
{
    if (k->mmio_noted < 16) { /* a title polls; one line each for the first few is enough */
        char line[96];
        k->mmio_noted++;
        snprintf(line, sizeof line, "%s of device address 0x%08x, where nothing answers", what,
                 address);
        k->host->log(k->host, WEFT_LOG_INFO, line);
    }
}

/* Accesses are made of the 32-bit registers that they touch; 1 to 16 bytes wide (LESSONS 78). */
uint32_t kvideo_mmio_read(void *context, weft_cpu_state *cpu, uint32_t address, uint32_t length,
                          uint8_t *bytes)
{
    kernel *k = context;
    uint64_t tick = know(k);
    for (uint32_t i = 0; i < length;) {
        uint32_t at = address + i, word = at & ~3u, value = 0;
        if (word - GPU_BASE < GPU_SIZE) {
            value = k->gpu->register_read(k->gpu_instance, word - GPU_BASE, tick);
        } else if (word - XMA_BASE < XMA_SIZE) {
            value = kxma_register_read(k, word - XMA_BASE);
        } else {
            note_unknown(k, at, "read");
        }
        uint8_t big[4];
        weft_store32(big, value);
        for (; i < length && ((address + i) & ~3u) == word; i++) {
            bytes[i] = big[(address + i) & 3];
        }
    }
    return k->reschedule ? WEFT_CPU_STOP : WEFT_CPU_CONTINUE;
}

uint32_t kvideo_mmio_write(void *context, weft_cpu_state *cpu, uint32_t address, uint32_t length,
                           const uint8_t *bytes)
{
    kernel *k = context;
    uint64_t tick = know(k);
    if ((address | length) & 3) {
        note_unknown(k, address, "write of less than a register");
        return WEFT_CPU_CONTINUE;
    }
    for (uint32_t i = 0; i < length; i += 4) {
        if (address + i - GPU_BASE < GPU_SIZE) {
            k->gpu->register_write(k->gpu_instance, address + i - GPU_BASE, weft_load32(bytes + i),
                                   tick);
        } else if (address + i - XMA_BASE < XMA_SIZE) {
            kxma_register_write(k, address + i - XMA_BASE, weft_load32(bytes + i));
        } else {
            note_unknown(k, address + i, "write");
        }
    }
    ksched_bound(k);
    return k->reschedule ? WEFT_CPU_STOP : WEFT_CPU_CONTINUE;
}

/* ---- display mode ------------------------------------------------------------------------------
 */

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

/* XVIDEO_MODE, 48 bytes: width, height, interlaced, widescreen, high definition, refresh rate,
 * standard (1: NTSC), two words that titles do not name (xenia kernel/util/xvideo.h). */
static void write_mode(kcall *call, uint32_t out)
{
    const weft_machine *m = call->k->machine;
    uint8_t *p = kwrite(call, out, 48);
    if (!p) {
        return;
    }
    memset(p, 0, 48);
    weft_store32(p, m->width);
    weft_store32(p + 4, m->height);
    weft_store32(p + 12, m->width * 9 > m->height * 12);
    weft_store32(p + 16, m->height >= 720);
    weft_store32(p + 20, float_bits((float)m->vblank_hz));
    weft_store32(p + 24, 1);
    weft_store32(p + 28, 0x4A);
    weft_store32(p + 32, 1);
    kwritten(call->k, out, 48);
}

uint32_t ex_VdQueryVideoMode(kcall *call)
{
    write_mode(call, karg(call, 0));
    return K_DONE;
}

uint32_t ex_XGetVideoMode(kcall *call)
{
    write_mode(call, karg(call, 0));
    return K_DONE;
}

uint32_t ex_VdQueryVideoFlags(kcall *call)
{
    const weft_machine *m = call->k->machine; /* LESSONS 58 */
    return kret(call, (m->width * 9 > m->height * 12 ? 1u : 0) | (m->width >= 1280 ? 2u : 0) |
                          (m->width >= 1920 ? 4u : 0));
}

/* 0x58 bytes: front buffer and display sizes, scaler rectangle, overscan (xenia X_DISPLAY_INFO). */
uint32_t ex_VdGetCurrentDisplayInformation(kcall *call)
{
    const weft_machine *m = call->k->machine;
    uint32_t out = karg(call, 0);
    uint8_t *p = kwrite(call, out, 0x58);
    if (!p) {
        return K_DONE;
    }
    memset(p, 0, 0x58);
    weft_store16(p, (uint16_t)m->width);
    weft_store16(p + 2, (uint16_t)m->height);
    weft_store32(p + 0x10, m->width); /* source rectangle: x1, y1 zero; x2, y2 */
    weft_store32(p + 0x14, m->height);
    weft_store32(p + 0x18, m->width); /* scaled output */
    weft_store32(p + 0x1C, m->height);
    weft_store32(p + 0x20, 1); /* vertical filter type */
    weft_store32(p + 0x30, 1); /* horizontal filter type */
    weft_store16(p + 0x40, (uint16_t)(m->width / 4));
    weft_store16(p + 0x42, (uint16_t)(m->height / 4));
    weft_store16(p + 0x44, (uint16_t)(m->width / 4));
    weft_store16(p + 0x46, (uint16_t)(m->height / 4));
    weft_store16(p + 0x48, (uint16_t)m->width);
    weft_store16(p + 0x4A, (uint16_t)m->height);
    weft_store32(p + 0x4C, float_bits((float)m->vblank_hz));
    weft_store16(p + 0x56, (uint16_t)m->width);
    kwritten(call->k, out, 0x58);
    return K_DONE;
}

/* Type 2: the television's curve (BT.709); the power only counts for type 3. */
uint32_t ex_VdGetCurrentDisplayGamma(kcall *call)
{
    kput32(call, karg(call, 0), 2);
    kput32(call, karg(call, 1), float_bits(20.0f / 9.0f));
    return K_DONE;
}

/* ---- engines and ring --------------------------------------------------------------------------
 */

uint32_t ex_VdInitializeEngines(kcall *call)
{
    return kret(call, 1);
}

uint32_t ex_VdShutdownEngines(kcall *call)
{
    return K_DONE;
}

uint32_t ex_VdSetGraphicsInterruptCallback(kcall *call)
{
    call->k->graphics_callback = karg(call, 0);
    call->k->graphics_context = karg(call, 1);
    return K_DONE;
}

/* Addresses of these two are physical already, or virtual in a physical view: both are titles'
 * habits, and the low 29 bits of a 0xA0000000 or 0xC0000000 address are the physical one. */
static uint32_t to_physical(kernel *k, uint32_t address)
{
    uint32_t physical = mm_physical(k->mm, address);
    return physical != UINT32_MAX && address >= UINT32_C(0xA0000000) ? physical
                                                                     : address & 0x1FFFFFFF;
}

uint32_t ex_VdInitializeRingBuffer(kcall *call)
{
    kernel *k = call->k;
    weft_status status =
        k->gpu->ring(k->gpu_instance, to_physical(k, karg(call, 0)), karg(call, 1));
    if (status != WEFT_OK) {
        k->host->log(k->host, WEFT_LOG_ERROR, "VdInitializeRingBuffer: the ring was refused");
    }
    return K_DONE;
}

uint32_t ex_VdEnableRingBufferRPtrWriteBack(kcall *call)
{
    kernel *k = call->k;
    k->gpu->read_pointer_write_back(k->gpu_instance, to_physical(k, karg(call, 0)), karg(call, 1));
    return K_DONE;
}

/* Tokens that D3D hands back to VdSwap unread (xenia xboxkrnl_video.cc). */
uint32_t ex_VdGetSystemCommandBuffer(kcall *call)
{
    kput32(call, karg(call, 0), UINT32_C(0xBEEF0000));
    kput32(call, karg(call, 1), UINT32_C(0xBEEF0001));
    return K_DONE;
}

uint32_t ex_VdSetSystemCommandBufferGpuIdentifierAddress(kcall *call)
{
    call->k->gpu_identifier_address = karg(call, 0);
    return K_DONE;
}

/* PM4 headers: type 0 writes `count` registers from `base`, type 2 does nothing, type 3 is an
 * opcode (xenia src/xenia/gpu/xenos.h, MakePacketType*). */
#define PACKET0(base, count) ((((count)-1u) & 0x3FFFu) << 16 | ((base)&0x7FFFu))
#define PACKET2              UINT32_C(0x80000000)
#define PACKET3(opcode, count)                                                                     \
    (UINT32_C(0xC0000000) | (((count)-1u) & 0x3FFFu) << 16 | (opcode) << 8)
#define FETCH_CONSTANT_0 0x4800
#define OPCODE_SWAP      0x64
#define SWAP_SIGNATURE   UINT32_C(0x53574150) /* "SWAP" */
#define SLOT_DWORDS      64

/* Fills the 64 dwords that D3D reserved in its command buffer: fetch constant 0 := the front
 * buffer's, a swap packet, no-operations. Moves no write pointer and raises nothing (LESSONS 65).
 */
uint32_t ex_VdSwap(kcall *call)
{
    kernel *k = call->k;
    uint32_t slot = karg(call, 0), fetch = karg(call, 1);
    const uint8_t *source = kread(call, fetch, 24);
    uint32_t width = kget32(call, karg(call, 8)), height = kget32(call, karg(call, 9));
    uint8_t *p = kwrite(call, slot, SLOT_DWORDS * 4);
    if (call->faulted || !source || !p) {
        return K_DONE;
    }
    /* The texture header's constant holds a virtual address: make it the physical one. */
    uint32_t address = weft_load32(source + 4) & 0xFFFFF000;
    uint32_t physical = to_physical(k, address);
    uint32_t words[SLOT_DWORDS];
    uint32_t n = 0;
    words[n++] = PACKET0(FETCH_CONSTANT_0, 6);
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t word = weft_load32(source + 4 * i);
        words[n++] = i == 1 ? (word & 0xFFF) | (physical & 0xFFFFF000) : word;
    }
    words[n++] = PACKET3(OPCODE_SWAP, 4);
    words[n++] = SWAP_SIGNATURE;
    words[n++] = physical;
    words[n++] = width;
    words[n++] = height;
    while (n < SLOT_DWORDS) {
        words[n++] = PACKET2;
    }
    for (uint32_t i = 0; i < SLOT_DWORDS; i++) {
        weft_store32(p + 4 * i, words[i]);
    }
    kwritten(k, slot, SLOT_DWORDS * 4);
    return K_DONE;
}

/* ---- the rest ----------------------------------------------------------------------------------
 */

uint32_t ex_VdSetDisplayMode(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_VdSetDisplayModeOverride(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_VdInitializeScalerCommandBuffer(kcall *call)
{
    uint32_t buffer = karg(call, 10), count = karg(call, 11);
    count = count > 0x10000 ? 0x10000 : count;
    uint8_t *p = kwrite(call, buffer, count * 4);
    for (uint32_t i = 0; p && i < count; i++) {
        weft_store32(p + 4 * i, PACKET2);
    }
    if (p) {
        kwritten(call->k, buffer, count * 4);
    }
    return kret(call, count);
}

uint32_t ex_VdCallGraphicsNotificationRoutines(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_VdIsHSIOTrainingSucceeded(kcall *call)
{
    return kret(call, 1);
}

/* The surface that keeps the last picture up: the title frees it with MmFreePhysicalMemory. */
uint32_t ex_VdPersistDisplay(kcall *call)
{
    if (karg(call, 1)) {
        kput32(call, karg(call, 1),
               mm_physical_alloc(call->k->mm, call->thread, 64, MM_PAGE_READWRITE, 0,
                                 MM_PHYSICAL_BYTES - 1, 32));
    }
    return kret(call, 1);
}

uint32_t ex_VdRetrainEDRAMWorker(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_VdRetrainEDRAM(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_VdEnableDisableClockGating(kcall *call)
{
    return kret(call, 0);
}
