/* For programs that run on Weft (or a console): types, the structures that kernel exports take, and
 * the few instructions that C cannot say. The exports themselves are declared by xboxkrnl.h and
 * xam.h, which stubgen makes; layouts are those of xenia src/xenia/xbox.h. */
#ifndef WEFT_GUEST_H
#define WEFT_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xam.h"
#include "xboxkrnl.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

/* NT status values. */
#define STATUS_SUCCESS                  0u
#define STATUS_WAIT_0                   0u
#define STATUS_TIMEOUT                  0x102u
#define STATUS_PENDING                  0x103u
#define STATUS_END_OF_FILE              0xC0000011u
#define STATUS_SEMAPHORE_LIMIT_EXCEEDED 0xC0000047u
#define STATUS_MUTANT_NOT_OWNED         0xC0000046u

/* Flags of ExCreateThread. */
#define CREATE_SUSPENDED 1u

/* Types of events and timers: the first stays signalled, the second releases one waiter. */
#define NOTIFICATION    0u
#define SYNCHRONIZATION 1u

#define WAIT_ALL  0u /* wait_type of NtWaitForMultipleObjectsEx */
#define WAIT_ANY  1u
#define USER_MODE 1u

#define FILE_READ_DATA               1u
#define SYNCHRONIZE                  0x00100000u
#define GENERIC_READ                 0x80000000u
#define FILE_SHARE_READ              1u
#define FILE_OPEN                    1u
#define FILE_SYNCHRONOUS_IO_NONALERT 0x20u
#define FILE_NON_DIRECTORY_FILE      0x40u
#define OBJ_CASE_INSENSITIVE         0x40u
#define OBJ_DOS_ROOT                 0xFFFFFFFDu /* root of names such as game:\file */

#define PAGE_READWRITE    4u
#define PAGE_WRITECOMBINE 0x400u

typedef struct ansi_string {
    u16 length; /* without the NUL */
    u16 capacity;
    const char *text;
} ansi_string;

typedef struct object_attributes {
    u32 root;
    const ansi_string *name;
    u32 attributes;
} object_attributes;

typedef struct io_status {
    u32 status;
    u32 information; /* bytes moved */
} io_status;

/* A dispatcher object's head with its event or semaphore: 16 and 20 bytes. */
typedef struct kevent {
    u32 words[4];
} kevent;

typedef struct kdpc {
    u32 words[7];
} kdpc;

typedef struct critical_section {
    u32 words[7];
} critical_section;

/* KeTimeStampBundle points to one (LESSONS 39). */
typedef struct time_bundle {
    u64 interrupt_time; /* 100 ns since power-on */
    u64 system_time;    /* 100 ns since 1601 */
    u32 tick_count;     /* ms */
    u32 reserved;
} time_bundle;

typedef struct gamepad {
    u32 packet;
    u16 buttons;
    u8 left_trigger;
    u8 right_trigger;
    int16_t left_x;
    int16_t left_y;
    int16_t right_x;
    int16_t right_y;
} gamepad;
#define GAMEPAD_UP    0x0001u
#define GAMEPAD_DOWN  0x0002u
#define GAMEPAD_LEFT  0x0004u
#define GAMEPAD_RIGHT 0x0008u
#define GAMEPAD_START 0x0010u
#define GAMEPAD_BACK  0x0020u
#define GAMEPAD_A     0x1000u
#define GAMEPAD_B     0x2000u
#define INPUT_GAMEPAD 1u /* flags of XamInputGetState */

_Static_assert(sizeof(object_attributes) == 12, "layout");
_Static_assert(sizeof(critical_section) == 28, "layout");
_Static_assert(sizeof(gamepad) == 16, "layout");

/* ---- runtime.c, crt0.S ------------------------------------------------------------------------
 */

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t count);

/* The text behind `name=` among the arguments (with or without leading dashes), "" for a bare
 * `name`, NULL if it is not there. */
const char *weft_option(int argc, char **argv, const char *name);

/* A decimal or 0x number; ends at the first character that is no digit. */
u32 weft_number(const char *text);

/* Starts entry(context) on hardware thread `cpu` (0..5) with a 64 KiB stack; its result is the
 * thread's exit code. Returns an NT status. */
u32 weft_thread_create(u32 *handle, u32 (*entry)(void *), void *context, u32 cpu, u32 flags);

/* The xapi_startup of ExCreateThread that weft_thread_create passes. */
void weft_thread_startup(void);

/* ---- instructions -----------------------------------------------------------------------------
 */

/* 50 MHz (LESSONS, time). */
static inline u64 weft_timebase(void)
{
    u64 value;
    __asm__ volatile("mftb %0" : "=r"(value));
    return value;
}

static inline void weft_sync(void)
{
    __asm__ volatile("sync" : : : "memory");
}

/* Adds and returns the new value. */
static inline u32 weft_atomic_add(volatile u32 *cell, u32 amount)
{
    u32 value;
    __asm__ volatile("1: lwarx %0,0,%2\n\t"
                     "add %0,%0,%3\n\t"
                     "stwcx. %0,0,%2\n\t"
                     "bne- 1b"
                     : "=&r"(value), "+m"(*cell)
                     : "r"(cell), "r"(amount)
                     : "cr0", "memory");
    return value;
}

/* The doubleword form: ldarx and stdcx. */
static inline void weft_atomic_add64(volatile u64 *cell, u64 amount)
{
    u64 value;
    __asm__ volatile("1: ldarx %0,0,%2\n\t"
                     "add %0,%0,%3\n\t"
                     "stdcx. %0,0,%2\n\t"
                     "bne- 1b"
                     : "=&r"(value), "+m"(*cell)
                     : "r"(cell), "r"(amount)
                     : "cr0", "memory");
}

#endif
