/* The fields of an XMA context, by the functions that read and write them. No decoder takes them up:
 * a valid buffer stays valid.
 *
 * A context is 16 words in guest memory; the fields' places are xenia's (src/xenia/apu/xma_context.h),
 * the arguments too (src/xenia/kernel/xboxkrnl/xboxkrnl_audio_xma.cc). */
#include <string.h>

#include "exports.h"

#define CONTEXT_SIZE  64
#define INIT_SIZE     56
#define HRESULT_FALSE 1

enum {
    IN0_PACKETS,
    LOOP_COUNT,
    IN0_VALID,
    IN1_VALID,
    OUT_BLOCKS,
    OUT_WRITE,
    IN1_PACKETS,
    LOOP_SUBFRAME_END,
    LOOP_SUBFRAME_SKIP,
    SUBFRAMES,
    SAMPLE_RATE,
    STEREO,
    OUT_VALID,
    IN_READ,
    LOOP_START,
    LOOP_END,
    PACKET_METADATA,
    IN0_AT,
    IN1_AT,
    OUT_AT,
    OUT_READ
};

static const struct {
    uint8_t word, shift, bits;
} fields[] = {
    [IN0_PACKETS] = {0, 0, 12},
    [LOOP_COUNT] = {0, 12, 8},
    [IN0_VALID] = {0, 20, 1},
    [IN1_VALID] = {0, 21, 1},
    [OUT_BLOCKS] = {0, 22, 5},
    [OUT_WRITE] = {0, 27, 5},
    [IN1_PACKETS] = {1, 0, 12},
    [LOOP_SUBFRAME_END] = {1, 14, 3},
    [LOOP_SUBFRAME_SKIP] = {1, 17, 3},
    [SUBFRAMES] = {1, 20, 4},
    [SAMPLE_RATE] = {1, 27, 2},
    [STEREO] = {1, 29, 1},
    [OUT_VALID] = {1, 31, 1},
    [IN_READ] = {2, 0, 26},
    [LOOP_START] = {3, 0, 26},
    [LOOP_END] = {4, 0, 26},
    [PACKET_METADATA] = {4, 26, 5},
    [IN0_AT] = {5, 0, 32},
    [IN1_AT] = {6, 0, 32},
    [OUT_AT] = {7, 0, 32},
    [OUT_READ] = {9, 0, 5},
};

static uint32_t mask_of(unsigned field)
{
    return (uint32_t)((UINT64_C(1) << fields[field].bits) - 1);
}

static uint32_t get(kcall *call, unsigned field)
{
    uint32_t word = kget32(call, karg(call, 0) + 4u * fields[field].word);
    return word >> fields[field].shift & mask_of(field);
}

static void set(kcall *call, unsigned field, uint32_t value)
{
    uint32_t at = karg(call, 0) + 4u * fields[field].word, mask = mask_of(field);
    uint32_t word = kget32(call, at) & ~(mask << fields[field].shift);
    kput32(call, at, word | (value & mask) << fields[field].shift);
}

/* The engine sees physical memory. False: there is none behind the address. */
static bool set_place(kcall *call, unsigned field, uint32_t address)
{
    uint32_t physical = address ? mm_physical(call->k->mm, address) : 0;
    if (physical == UINT32_MAX) {
        return false;
    }
    set(call, field, physical);
    return true;
}

/* {start, end, count u8, subframe end u8, subframe skip u8} */
static void set_loop(kcall *call, uint32_t in)
{
    set(call, LOOP_START, kget32(call, in));
    set(call, LOOP_END, kget32(call, in + 4));
    set(call, LOOP_COUNT, kget8(call, in + 8));
    set(call, LOOP_SUBFRAME_END, kget8(call, in + 9));
    set(call, LOOP_SUBFRAME_SKIP, kget8(call, in + 10));
}

/* (context, {input 0, its packets, input 1, its packets, read offset, output, its blocks, work
 * buffer, subframes, channels less one, rate, loop}) */
uint32_t ex_XMAInitializeContext(kcall *call)
{
    uint32_t in = karg(call, 1);
    uint8_t *p = kwrite(call, karg(call, 0), CONTEXT_SIZE);
    if (!p || !kread(call, in, INIT_SIZE)) {
        return kret(call, HRESULT_FALSE);
    }
    uint32_t words[11];
    for (uint32_t i = 0; i < 11; i++) {
        words[i] = kget32(call, in + 4 * i);
    }
    memset(p, 0, CONTEXT_SIZE);
    kwritten(call->k, karg(call, 0), CONTEXT_SIZE);
    if (!set_place(call, IN0_AT, words[0]) || !set_place(call, IN1_AT, words[2]) ||
        !set_place(call, OUT_AT, words[5])) {
        return kret(call, HRESULT_FALSE);
    }
    set(call, IN0_PACKETS, words[1]);
    set(call, IN1_PACKETS, words[3]);
    set(call, IN_READ, words[4]);
    set(call, OUT_BLOCKS, words[6]);
    set(call, SUBFRAMES, words[8]);
    set(call, STEREO, words[9] >= 1);
    set(call, SAMPLE_RATE, words[10]);
    set_loop(call, in + 44);
    return kret(call, 0);
}

uint32_t ex_XMASetLoopData(kcall *call)
{
    set_loop(call, karg(call, 1));
    return kret(call, 0);
}

/* (context, buffer, packets) */
static uint32_t set_input(kcall *call, unsigned place, unsigned packets)
{
    if (!set_place(call, place, karg(call, 1))) {
        return kret(call, HRESULT_FALSE);
    }
    set(call, packets, karg(call, 2));
    return kret(call, 0);
}

uint32_t ex_XMASetInputBuffer0(kcall *call)
{
    return set_input(call, IN0_AT, IN0_PACKETS);
}

uint32_t ex_XMASetInputBuffer1(kcall *call)
{
    return set_input(call, IN1_AT, IN1_PACKETS);
}

#define READER(name, field)                                                                        \
    uint32_t ex_XMA##name(kcall *call)                                                             \
    {                                                                                              \
        return kret(call, get(call, field));                                                       \
    }
#define WRITER(name, field, value)                                                                 \
    uint32_t ex_XMA##name(kcall *call)                                                             \
    {                                                                                              \
        set(call, field, value);                                                                   \
        return kret(call, 0);                                                                      \
    }

READER(GetInputBufferReadOffset, IN_READ)
WRITER(SetInputBufferReadOffset, IN_READ, karg(call, 1))
READER(IsInputBuffer0Valid, IN0_VALID)
WRITER(SetInputBuffer0Valid, IN0_VALID, 1)
READER(IsInputBuffer1Valid, IN1_VALID)
WRITER(SetInputBuffer1Valid, IN1_VALID, 1)
READER(IsOutputBufferValid, OUT_VALID)
WRITER(SetOutputBufferValid, OUT_VALID, 1)
READER(GetOutputBufferReadOffset, OUT_READ)
WRITER(SetOutputBufferReadOffset, OUT_READ, karg(call, 1))
READER(GetOutputBufferWriteOffset, OUT_WRITE)
READER(GetPacketMetadata, PACKET_METADATA)

/* Nothing works on a context, so it is as good as disabled, and never in use. */
uint32_t ex_XMAEnableContext(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_XMADisableContext(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_XMABlockWhileInUse(kcall *call)
{
    return kret(call, 0);
}
