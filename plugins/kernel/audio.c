/* XAudio's render driver and XMA's contexts.
 *
 * Every 256 samples at 48 kHz the driver takes a frame and asks its clients for the next one. The
 * callbacks run on one guest thread of the kernel's own (LESSONS 28), whose guest code, written
 * here at the first registration, is this loop:
 *
 *     for (;;) { wait for the event; call each client that there is; }
 *
 * The table in its r31: the event's address @0, clients {callback, address of the cell that holds
 * the argument} from @8, the cells behind them (LESSONS 59). The event is an automatic one: firings
 * that come while a callback is still running become one. */
#include "audio.h"

#include <string.h>

#include "exports.h"
#include "mm.h"
#include "xam.h"

#define FRAME_SAMPLES 256
#define SAMPLE_RATE   48000
#define FRAME_BYTES   (6 * FRAME_SAMPLES * 4) /* six channels of floats, one after the other */
/* Ticks per frame as num / den: 256 * 10^9 / 48000, reduced. */
#define PERIOD_NUM UINT64_C(16000000)
#define PERIOD_DEN UINT64_C(3)

#define COOKIE        UINT32_C(0x41550000) /* "AU", and the client's index */
#define TABLE_CLIENTS 8
#define TABLE_CELLS   (TABLE_CLIENTS + 8 * KAUDIO_CLIENTS)
#define TABLE_SIZE    (TABLE_CELLS + 4 * KAUDIO_CLIENTS)

#define WORKER_STACK    0x10000
#define WORKER_CPU      5  /* XAudio2's default processor, XboxThread5 */
#define WORKER_PRIORITY 23 /* base 8 + THREAD_PRIORITY_TIME_CRITICAL, 15 */

#define ORDINAL_KeWaitForSingleObject 0xB0

/* ---- the worker --------------------------------------------------------------------------------
 */

/* Power ISA 2.03, Book I; branches are filled in. */
static const uint32_t worker_code[] = {
    0x7C7F1B78, /*  0 mr     r31,r3 */
    0x807F0000, /*  1 lwz    r3,0(r31)      wait: */
    0x38800003, /*  2 li     r4,3           UserRequest */
    0x38A00001, /*  3 li     r5,1           UserMode */
    0x38C00000, /*  4 li     r6,0           not alertable */
    0x38E00000, /*  5 li     r7,0           for ever */
    0x48000001, /*  6 bl     KeWaitForSingleObject */
    0x3BDF0008, /*  7 addi   r30,r31,8 */
    0x3BA00008, /*  8 li     r29,8 */
    0x817E0000, /*  9 lwz    r11,0(r30)     client: */
    0x807E0004, /* 10 lwz    r3,4(r30) */
    0x280B0000, /* 11 cmplwi r11,0 */
    0x4182000C, /* 12 beq    15 */
    0x7D6903A6, /* 13 mtctr  r11 */
    0x4E800421, /* 14 bctrl */
    0x3BDE0008, /* 15 addi   r30,r30,8 */
    0x37BDFFFF, /* 16 addic. r29,r29,-1 */
    0x4082FFE0, /* 17 bne    9 */
    0x4BFFFFBC, /* 18 b      1 */
};
#define WORKER_WORDS (sizeof worker_code / sizeof worker_code[0])
#define WORKER_CALL  6

static uint32_t write_worker(kernel *k)
{
    uint32_t wait = kthunk(k, KMODULE_KRNL, ORDINAL_KeWaitForSingleObject);
    uint32_t code = wait ? kalloc_for(k, NULL, 0, sizeof worker_code, KALLOCATION_SYSTEM) : 0;
    if (!code) {
        return 0;
    }
    uint8_t *p = k->memory->base + code;
    for (uint32_t i = 0; i < WORKER_WORDS; i++) {
        /* kernel memory spans 20 MiB, so that every thunk is within bl's 32 */
        uint32_t to = i == WORKER_CALL ? (wait - (code + 4 * i)) & UINT32_C(0x03FFFFFC) : 0;
        weft_store32(p + 4 * i, worker_code[i] | to);
    }
    kwritten(k, code, sizeof worker_code);
    return code;
}

/* Makes table, event, code and thread. False: out of memory. */
static bool start_worker(kernel *k)
{
    kaudio_state *a = &k->audio;
    if (a->table) {
        return true;
    }
    uint32_t code = write_worker(k),
             table = code ? kalloc_for(k, NULL, 0, TABLE_SIZE, KALLOCATION_SYSTEM) : 0;
    kobject *event = table ? kobject_create(k, NULL, KOBJECT_EVENT, code, 16) : NULL;
    if (!event) {
        return false;
    }
    k->memory->base[event->body] = 1; /* automatic */
    kwritten(k, event->body, 16);
    uint8_t *p = k->memory->base + table;
    weft_store32(p, event->body);
    for (uint32_t i = 0; i < KAUDIO_CLIENTS; i++) {
        weft_store32(p + TABLE_CLIENTS + 8 * i + 4, table + TABLE_CELLS + 4 * i);
    }
    kwritten(k, table, TABLE_SIZE);
    kthread *t = kthread_create(k, &(kthread_request){
                                       .stack_size = WORKER_STACK,
                                       .entry = code,
                                       .parameter = table,
                                       .flags = UINT32_C(1) << (24 + WORKER_CPU),
                                       .site = code,
                                   });
    if (!t) {
        kobject_release(k, event);
        return false;
    }
    t->base_priority = t->priority = WORKER_PRIORITY;
    a->table = table;
    a->event = event;
    a->worker = t->id;
    return true;
}

/* ---- the clock ---------------------------------------------------------------------------------
 */

static void schedule(kernel *k, uint64_t count)
{
    k->clock->schedule(k->clock, k->audio.source,
                       weft_clock_periodic(count, PERIOD_NUM, PERIOD_DEN), count);
    k->audio.ticking = true;
}

static void fired(void *context, uint64_t tick, uint64_t count)
{
    kernel *k = context;
    kaudio_state *a = &k->audio;
    uint64_t before = ksource_begin(k, KSOURCE_AUDIO);
    a->ticking = false;
    for (uint32_t i = 0; i < KAUDIO_CLIENTS; i++) {
        kaudio_client *c = &a->clients[i];
        if (c->callback && c->queued) {
            c->queued--;
            c->played++;
        } else if (c->callback) {
            c->silent++;
        }
    }
    if (a->client_count) {
        ksignal_event(k, a->event);
        schedule(k, count + 1);
    }
    ksource_end(k, before);
}

void kaudio_init(kernel *k)
{
    k->clock->source_add(k->clock, "audio", WEFT_RANK_AUDIO, fired, k, &k->audio.source);
}

/* ---- render driver clients ---------------------------------------------------------------------
 */

static kaudio_client *client_of(kcall *call)
{
    uint32_t cookie = karg(call, 0), index = cookie & 0xFFFF;
    kaudio_state *a = &call->k->audio;
    bool known =
        (cookie & 0xFFFF0000) == COOKIE && index < KAUDIO_CLIENTS && a->clients[index].callback;
    return known ? &a->clients[index] : NULL;
}

/* Lets the worker see the client. */
static void publish(kernel *k, uint32_t index)
{
    const kaudio_client *c = &k->audio.clients[index];
    uint32_t entry = k->audio.table + TABLE_CLIENTS + 8 * index;
    uint32_t cell = k->audio.table + TABLE_CELLS + 4 * index;
    weft_store32(k->memory->base + entry, c->callback);
    weft_store32(k->memory->base + cell, c->argument);
    kwritten(k, k->audio.table, TABLE_SIZE);
}

/* ({callback, argument}, cookie out) */
uint32_t ex_XAudioRegisterRenderDriverClient(kcall *call)
{
    kernel *k = call->k;
    kaudio_state *a = &k->audio;
    uint32_t callback = kget32(call, karg(call, 0)), argument = kget32(call, karg(call, 0) + 4);
    uint32_t index = 0;
    if (call->faulted || !callback || !kwrite(call, karg(call, 1), 4)) {
        return kret_status(call, X_E_INVALIDARG);
    }
    while (index < KAUDIO_CLIENTS && a->clients[index].callback) {
        index++;
    }
    if (index == KAUDIO_CLIENTS || !start_worker(k)) {
        return kret_status(call, X_E_OUTOFMEMORY);
    }
    a->clients[index] = (kaudio_client){.callback = callback, .argument = argument};
    a->client_count++;
    publish(k, index);
    if (!a->ticking) {
        /* the first firing of the one grid of ticks that lies ahead */
        schedule(k, know(k) * PERIOD_DEN / PERIOD_NUM + 1);
        ksched_bound(k);
    }
    kput32(call, karg(call, 1), COOKIE | index);
    return kret(call, X_ERROR_SUCCESS);
}

uint32_t ex_XAudioUnregisterRenderDriverClient(kcall *call)
{
    kaudio_client *c = client_of(call);
    if (!c) {
        return kret_status(call, X_E_INVALIDARG);
    }
    c->callback = 0;
    call->k->audio.client_count--;
    publish(call->k, (uint32_t)(c - call->k->audio.clients));
    return kret(call, X_ERROR_SUCCESS);
}

/* Takes a frame; the next firings play what is queued, in order. */
uint32_t ex_XAudioSubmitRenderDriverFrame(kcall *call)
{
    kaudio_client *c = client_of(call);
    if (!c) {
        return kret_status(call, X_E_INVALIDARG);
    }
    if (kread(call, karg(call, 1), FRAME_BYTES)) {
        c->submitted++;
        c->queued++;
    }
    return kret(call, X_ERROR_SUCCESS);
}

/* Analogue stereo and digital, as xenia answers (xboxkrnl_audio.cc). */
uint32_t ex_XAudioGetSpeakerConfig(kcall *call)
{
    kput32(call, karg(call, 0), UINT32_C(0x00010001));
    return kret(call, X_ERROR_SUCCESS);
}

uint32_t ex_XAudioGetVoiceCategoryVolume(kcall *call)
{
    kput32(call, karg(call, 1), UINT32_C(0x3F800000)); /* 1.0f */
    return kret(call, X_ERROR_SUCCESS);
}

uint32_t ex_XAudioGetVoiceCategoryVolumeChangeMask(kcall *call)
{
    kput32(call, karg(call, 1), 0);
    return kret(call, X_ERROR_SUCCESS);
}

/* ---- XMA ---------------------------------------------------------------------------------------
 */

#define CONTEXT_SIZE 64

#define XMA_CONTEXT_ARRAY   0x600 /* register numbers: xenia src/xenia/apu/xma_register_table.inc */
#define XMA_CURRENT_CONTEXT 0x606
#define XMA_NEXT_CONTEXT    0x607

/* The array of contexts, made when first needed; its address in the uncached view, 0: no memory. */
static uint32_t contexts(kernel *k)
{
    kaudio_state *a = &k->audio;
    if (!a->contexts) {
        a->contexts =
            mm_physical_alloc(k->mm, k->running, KXMA_CONTEXTS * CONTEXT_SIZE,
                              MM_PAGE_READWRITE | MM_PAGE_NOCACHE, 0, MM_PHYSICAL_BYTES - 1, 256);
        a->next_context = 1;
    }
    return a->contexts;
}

uint32_t ex_XMACreateContext(kcall *call)
{
    kernel *k = call->k;
    uint32_t base = contexts(k), out = karg(call, 0), index = 0;
    while (index < KXMA_CONTEXTS && k->audio.context_used[index / 32] >> (index % 32) & 1) {
        index++;
    }
    if (!base || index == KXMA_CONTEXTS) {
        kput32(call, out, 0);
        return kret_status(call, STATUS_NO_MEMORY);
    }
    uint32_t address = base + index * CONTEXT_SIZE;
    kput32(call, out, address);
    if (!call->faulted) {
        k->audio.context_used[index / 32] |= 1u << (index % 32);
    }
    return kret_status(call, STATUS_SUCCESS);
}

/* A released context reads as zeros when it is next created. */
uint32_t ex_XMAReleaseContext(kcall *call)
{
    kernel *k = call->k;
    uint32_t offset = karg(call, 0) - k->audio.contexts, index = offset / CONTEXT_SIZE;
    bool used = k->audio.contexts && offset % CONTEXT_SIZE == 0 && index < KXMA_CONTEXTS &&
                k->audio.context_used[index / 32] >> (index % 32) & 1;
    if (used) {
        uint32_t address = k->audio.contexts + offset;
        k->audio.context_used[index / 32] &= ~(1u << (index % 32));
        if (kxam_memory(k, address, CONTEXT_SIZE, WEFT_PAGE_WRITE)) {
            memset(k->memory->base + address, 0, CONTEXT_SIZE);
            kwritten(k, address, CONTEXT_SIZE);
        }
    }
    return kret(call, 0);
}

static uint32_t swapped(uint32_t value)
{
    uint8_t bytes[4];
    weft_store32(bytes, value);
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

/* The index of the context in work goes round with every read, so that a title that waits for the
 * engine to move on does (xenia src/xenia/apu/xma_decoder.cc). */
uint32_t kxma_register_read(kernel *k, uint32_t offset)
{
    kaudio_state *a = &k->audio;
    uint32_t base = contexts(k);
    switch (offset / 4) {
    case XMA_CONTEXT_ARRAY:
        return swapped(base ? mm_physical(k->mm, base) : 0);
    case XMA_CURRENT_CONTEXT:
        a->current_context = a->next_context;
        a->next_context = (a->next_context + 1) % KXMA_CONTEXTS;
        return swapped(a->current_context);
    case XMA_NEXT_CONTEXT:
        return swapped(a->next_context);
    default:
        return 0;
    }
}

/* Kick, lock and clear name contexts by bit; without a decoder none of them has anything to do. */
void kxma_register_write(kernel *k, uint32_t offset, uint32_t value)
{
    if (offset / 4 == XMA_NEXT_CONTEXT) {
        k->audio.next_context = swapped(value) % KXMA_CONTEXTS;
    }
}
