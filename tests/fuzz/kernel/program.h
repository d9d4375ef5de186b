/* A fuzz input as guest programs.
 *
 * The first byte says how long the title runs (bits 0-1: program_ticks), and who looks on (bits 2-4:
 * somebody listens to everything, a policy serves, the title's data are watched; fuzz.c). Each operation that follows starts
 * with a byte: the program that it is appended to (bits 0-2) and what it is (bits 3-7, OP_*). A
 * call has the index of its export's row (2 bytes, little-endian, modulo the table), then one
 * argument for each of its signature's. An argument starts with a byte, its kind in bits 0-3
 * (ARG_*), `s` in bits 4-7. Bytes that are missing are 0. */
#ifndef WEFT_FUZZ_KERNEL_PROGRAM_H
#define WEFT_FUZZ_KERNEL_PROGRAM_H

#include <stddef.h>

#include "world.h"

#define PROGRAM_OPS 64 /* of one input; more are not looked at */

enum {
    OP_CALL = 0,   /* 0..23 */
    OP_STORE = 24, /* value argument, address argument: a word is stored */
    OP_WORK,       /* u8: 16 times as many turns of a loop */
    OP_YIELD,      /* db16cyc */
    OP_EE,         /* u8: interrupts off (even) or on */
    OP_WORD,       /* u32: that instruction */
    OP_AGAIN,      /* u8: back to the program's start, so often in all */
    OP_LOAD,       /* address argument: a word becomes the operation's result */
    OP_JUMP,       /* address argument: called as a function */
};

enum {
    ARG_SMALL,    /* s */
    ARG_EDGE,     /* u8: of a table of words at limits */
    ARG_WORD,     /* u32 */
    ARG_OBJECT,   /* u8: structure n (program_object), + 4 * s */
    ARG_DATA,     /* u16: offset in the title's free data */
    ARG_END,      /* the last s bytes of the title's memory */
    ARG_RESULT,   /* u8: result of operation n, when it is run */
    ARG_READ,     /* u16: what the word at that offset of the free data is by then */
    ARG_CODE,     /* program s % 8, from 8 on something that is none */
    ARG_KERNEL,   /* s: an address of the kernel's own */
    ARG_NEGATIVE, /* -1 - s */
    ARG_TEXT,     /* u8: text n (program_text) */
    ARG_PHYSICAL, /* u16: in a view of physical memory, or of devices */
    ARG_BIT,      /* u8: 1 << n, - s % 2 */
    ARG_QUAD,     /* u64 */
    ARG_SHORT,    /* u16 */
};

/* Layout of the title's data. */
#define PROGRAM_OBJECTS      128
#define PROGRAM_OBJECT_BYTES 0x100
#define PROGRAM_RESULTS      (WORLD_DATA + 0x8000)
#define PROGRAM_COUNTERS     (WORLD_DATA + 0x8200)
#define PROGRAM_TEXTS        (WORLD_DATA + 0x9000)
#define PROGRAM_TEXT_BYTES   0x80
#define PROGRAM_FREE         (WORLD_DATA + 0x10000)

/* Structures of the title's, by number. */
enum {
    OBJECT_SECTION = 0,     /* 4 critical sections */
    OBJECT_DISPATCHER = 4,  /* 16: types 0.. */
    OBJECT_TIME = 24,       /* 12: LARGE_INTEGERs */
    OBJECT_STRING = 36,     /* ANSI_STRING of text n */
    OBJECT_ATTRIBUTES = 64, /* OBJECT_ATTRIBUTES of string n */
    OBJECT_WIDE = 92,       /* 4 UNICODE_STRINGs */
    OBJECT_OVERLAPPED = 96, /* 4 */
    OBJECT_RECORD = 100,    /* 3 EXCEPTION_RECORDs */
    OBJECT_ARRAY = 103,     /* dispatchers; handles */
    OBJECT_LIST = 105,      /* 2 list heads that point to themselves */
    OBJECT_DPC = 107,       /* 2 KDPCs */
    OBJECT_APC = 109,       /* 2 KAPCs */
    OBJECT_HEAP = 111,      /* where allocations are asked for: {address, size} */
    OBJECT_PLAIN = 112,     /* zeros */
    OBJECT_CONTENT = 116,   /* 2 XCONTENT_DATA, of two places each */
    OBJECT_SETTINGS = 120,  /* ids of profile settings; one with a value */
};

static inline uint32_t program_object(uint32_t n)
{
    return WORLD_DATA + n % PROGRAM_OBJECTS * PROGRAM_OBJECT_BYTES;
}

/* Texts, by number; a seed's writer looks one up. */
uint32_t program_text_count(void);
const char *program_text(uint32_t n);

/* Limits of a run, by the first byte. */
uint64_t program_ticks(uint8_t first);

/* Writes what the input means into the world's title. */
void program_write(world *w, const uint8_t *data, size_t size);

#endif
