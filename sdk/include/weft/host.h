/* weft/host.h: what the host gives every plugin instance.
 *
 * One const weft_host per instance, passed to create and valid until destroy returns. Every service
 * is there (the loader refuses a plugin that needs more); none takes a varargs list. */
#ifndef WEFT_HOST_H
#define WEFT_HOST_H

#include "clock.h"
#include "cpu.h"
#include "event.h"
#include "frontend.h"
#include "gpu.h"
#include "kernel.h"
#include "memory.h"
#include "plugin.h"
#include "policy.h"
#include "tracer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_LOG_ERROR UINT32_C(0)
#define WEFT_LOG_WARN  UINT32_C(1)
#define WEFT_LOG_INFO  UINT32_C(2)
#define WEFT_LOG_DEBUG UINT32_C(3)

#define WEFT_MODE_LOCKSTEP UINT32_C(0)
#define WEFT_MODE_PARALLEL UINT32_C(1)

/* The profile's [machine] and [schedule] sections: what belongs to no plugin. Frozen before any
 * plugin is created. All costs are ticks (ns of guest time). */
typedef struct weft_machine {
    uint32_t size;                 /* sizeof(weft_machine) */
    uint32_t mode;                 /* WEFT_MODE_* */
    uint64_t rtc;                  /* wall clock at power-on: 100 ns units since 1601-01-01 UTC */
    uint64_t seed;                 /* for everything that is random on the console */
    uint64_t instruction_cost_num; /* ticks per instruction = num / den */
    uint64_t instruction_cost_den;
    uint64_t call_cost;         /* a kernel call, besides its instructions */
    uint64_t io_cost;           /* a file operation's latency */
    uint64_t io_cost_per_kib;   /* and its transfer */
    uint64_t yield_cost;        /* a db16cyc */
    uint64_t lookahead;         /* how far one hardware thread may run ahead of the others */
    uint64_t starve;            /* ready this long without running: run next */
    uint64_t reservation_grace; /* instructions a slice may overrun inside lwarx..stwcx. */
    uint32_t policy_faults;     /* illegal answers until ejection */
    uint32_t vblank_hz;         /* 60 */
    uint32_t width, height;     /* display mode */
    const char *state_folder;   /* writable devices; "" means an empty overlay, discarded */
} weft_machine;

struct weft_host {
    uint32_t size; /* sizeof(weft_host) */
    uint32_t reserved;
    void *impl; /* the host's */
    weft_memory *memory;
    weft_clock *clock;
    const weft_machine *machine;

    /* One relaxed load answers whether a kind is wanted by anyone: bit k % 64 of wanted[k / 64].
     * GUEST kinds are always set. Changes when the tracer does: read it with weft_host_wants. */
    const uint64_t *wanted;

    /* Keeps the sentence for the error that the caller is about to return: "WHAT (found X, expected
     * Y)", one line. The host prints it with where it came from. Returns `status`. [any] */
    weft_status (*fail)(const weft_host *host, weft_status status, const char *sentence);

    /* One line for the log: stderr by the profile's `[machine] log` level, and a LOG event. [any] */
    void (*log)(const weft_host *host, uint32_t level, const char *line);

    /* Options of this instance's own section, already checked against its declaration. A key that
     * was not declared gives 0, 0 or "". [any] */
    int64_t (*option_int)(const weft_host *host, const char *key);

    /* 0 or 1. [any] */
    int32_t (*option_bool)(const weft_host *host, const char *key);

    /* Text of an option of any type; lives as long as the instance. [any] */
    const char *(*option_text)(const weft_host *host, const char *key);

    /* The run's part of a role: its full-size ops table (defaults filled in, checked if the profile
     * says so) and its instance. NOT_FOUND when the run has none. The kernel asks in `open`, when
     * all parts are created. [main][guest] */
    weft_status (*part)(const weft_host *host, uint32_t role, const void **ops, void **instance);

    /* Emits an event; the host sets `index` for class GUEST, the drain the sequence. Blocks while
     * the ring is full (guest time stands still). [guest] */
    void (*emit)(const weft_host *host, weft_event *event);

    /* Introduces an identity: returns FNV-1a of `text`, and the first time emits DEFINE {id, what,
     * text}. `what` is "thread", "object", "export" or the like. [guest] */
    uint64_t (*define)(const weft_host *host, const char *what, const char *text);

    /* A swap: counts the frame, writes it where --frames-to says, shows it. [guest] */
    void (*present)(const weft_host *host, weft_frame *frame);

    /* Controllers as of this vblank: WEFT_PAD_COUNT records, from the frontend or the input script;
     * emits INPUT where one changed. Called once per vblank. [guest] */
    void (*pads)(const weft_host *host, uint64_t vblank, uint64_t tick, weft_pad *pads);

    /* Motors of a controller. [guest] */
    void (*rumble)(const weft_host *host, uint32_t port, uint16_t left, uint16_t right);

    /* Text that the title printed for its developer (DbgPrint): stdout and a DEBUG_PRINT event in the
     * name of `thread` at `tick`. [guest] */
    void (*print)(const weft_host *host, uint64_t thread, uint32_t tid, uint64_t tick,
                  const char *text, size_t length);

    /* Non-zero once the run should end: a frame limit, the window's close button, a signal. The
     * kernel looks between slices. [any] */
    int32_t (*stop_requested)(const weft_host *host);

    /* A host extension "name/rev", or NULL. [any] */
    const void *(*extension)(const weft_host *host, const char *name);
};

/* 1 while somebody wants events of that kind. [any] */
static inline int32_t weft_host_wants(const struct weft_host *host, uint16_t kind)
{
    return (int32_t)(__atomic_load_n(&host->wanted[kind / 64], __ATOMIC_RELAXED) >> kind % 64 & 1);
}

/* Host extension "run/1": the run as a whole, for tools that watch it. */
#define WEFT_HOST_RUN "run/1"

typedef struct weft_host_run {
    uint32_t size; /* sizeof(weft_host_run) */
    uint32_t reserved;

    /* Asks the run to end, as a condition that held: exit code 0 with `reason`, which is copied; the
     * first reason stays. Where the guest stands by then depends on the host's speed. [any] */
    void (*stop)(const weft_host *host, const char *reason);

    /* Exit code of the run (0: ended as asked, 1: the title failed, 4: deadlock, 5: a plugin
     * failed), -1 while it goes on. It is there before the tracer is closed at the end. [any] */
    int32_t (*exit_code)(const weft_host *host);
} weft_host_run;

WEFT_STATIC_ASSERT(sizeof(weft_host_run) == 24, "ABI: weft_host_run");

/* Host extension "threads/1": for a kernel that runs hardware threads on host threads of its own. */
#define WEFT_HOST_THREADS "threads/1"

typedef struct weft_host_threads {
    uint32_t size; /* sizeof(weft_host_threads) */
    uint32_t reserved;

    /* The calling thread is a [guest] one from here on; debuggers see `name` (at most 15
     * characters). LIMIT: WEFT_HW_COUNT have entered already. [any] */
    weft_status (*enter)(const weft_host *host, const char *name);

    /* It no longer is. [guest] */
    void (*leave)(const weft_host *host);
} weft_host_threads;

WEFT_STATIC_ASSERT(sizeof(weft_host_threads) == 24, "ABI: weft_host_threads");

/* Host extension "locks/1": the order of locks, for a plugin that has some. A thread may take a lock of a
 * rank above all that it holds; anything else ends the process with a message. */
#define WEFT_HOST_LOCKS "locks/1"

#define WEFT_LOCK_DISPATCHER UINT32_C(0) /* the kernel's, in parallel mode */
#define WEFT_LOCK_LEAF       UINT32_C(1) /* any other: nothing else is taken under it */
#define WEFT_LOCK_RANKS      2

typedef struct weft_host_locks {
    uint32_t size; /* sizeof(weft_host_locks) */
    uint32_t reserved;

    /* The calling thread is about to take a lock. `what` names it in messages, and lives until give.
     * [any] */
    void (*take)(const weft_host *host, uint32_t rank, const char *what);

    /* It has given it back. [any] */
    void (*give)(const weft_host *host, uint32_t rank);
} weft_host_locks;

WEFT_STATIC_ASSERT(sizeof(weft_host_locks) == 24, "ABI: weft_host_locks");

WEFT_STATIC_ASSERT(sizeof(weft_machine) == 120, "ABI: weft_machine");
WEFT_STATIC_ASSERT(offsetof(weft_host, memory) == 16, "ABI: weft_host.memory");
WEFT_STATIC_ASSERT(sizeof(struct weft_host) == 160, "ABI: weft_host");

#ifdef __cplusplus
}
#endif
#endif
