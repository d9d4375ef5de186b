/* weft/frontend.h: the role that shows frames and reads hands.
 *
 * The host calls pump in a loop on the process's first thread while the title runs on another.
 * Nothing here can delay guest time in lockstep mode: present passes pixels and returns. */
#ifndef WEFT_FRONTEND_H
#define WEFT_FRONTEND_H

#include "gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A controller as the guest's XINPUT_GAMEPAD has it (bits: XDK's XINPUT_GAMEPAD_*). */
typedef struct weft_pad {
    uint32_t connected; /* 0: nothing is plugged in, the rest is zero */
    uint16_t buttons;   /* 1 up, 2 down, 4 left, 8 right, 0x10 start, 0x20 back, 0x40/0x80 thumbs,
                           0x100/0x200 shoulders, 0x1000 A, 0x2000 B, 0x4000 X, 0x8000 Y */
    uint8_t left_trigger, right_trigger;      /* 0..255 */
    int16_t left_x, left_y, right_x, right_y; /* up and right positive */
} weft_pad;
#define WEFT_PAD_COUNT 4

typedef struct weft_frontend_ops {
    uint32_t size; /* sizeof(weft_frontend_ops) */
    uint32_t reserved;

    /* Opens the window, named after `title`. NULL: nothing to open. A failure (host->fail first)
     * ends the run with exit code 5. [main] */
    weft_status (*open)(void *instance, const char *title);

    /* Handles window and input events for up to `milliseconds`; 0 while the run goes on, 1 when the
     * user asked to end it. NULL: the host sleeps. [main] */
    int32_t (*pump)(void *instance, uint32_t milliseconds);

    /* A frame to show; copy what is needed later. Frames may be dropped. NULL: not shown.
     * [guest] */
    void (*present)(void *instance, const weft_frame *frame);

    /* Samples the controllers as they are now: WEFT_PAD_COUNT records. NULL: none is connected.
     * [guest] */
    void (*pads)(void *instance, weft_pad *pads);

    /* Motors of controller `port`, 0..65535 each. NULL: ignored. [guest] */
    void (*rumble)(void *instance, uint32_t port, uint16_t left, uint16_t right);

    /* Closes the window. NULL: nothing to close. [main] */
    void (*close)(void *instance);

    /* State for save files; none is defined in 0.1. NULL: nothing is saved. [main] */
    weft_status (*save)(void *instance, void *buffer, uint64_t *length);

    /* Takes back what save wrote. NULL: nothing is taken back. [main] */
    weft_status (*load)(void *instance, const void *buffer, uint64_t length);
} weft_frontend_ops;

/* Host extension "record/1": the record key. */
#define WEFT_HOST_RECORD "record/1"

typedef struct weft_host_record {
    uint32_t size; /* sizeof(weft_host_record) */
    uint32_t reserved;

    /* Ends the trace that is being written; where none is, begins one in a new file, which `[tracer]
     * record` names. `line` receives one sentence for the user, at most `room` bytes with its NUL.
     * Returns 1 while a trace is being written, 0 where none is, or a negative status after a
     * failure. Waits for the drain. [main] */
    int32_t (*toggle)(const weft_host *host, char *line, uint32_t room);
} weft_host_record;

WEFT_STATIC_ASSERT(sizeof(weft_host_record) == 16, "ABI: weft_host_record");
WEFT_STATIC_ASSERT(sizeof(weft_pad) == 16, "ABI: weft_pad");
WEFT_STATIC_ASSERT(sizeof(weft_frontend_ops) == 72, "ABI: weft_frontend_ops");

#ifdef __cplusplus
}
#endif
#endif
