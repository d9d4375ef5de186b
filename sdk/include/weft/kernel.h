/* weft/kernel.h: the role that is the console's system software.
 *
 * The kernel plugin opens the title, loads its image, owns guest threads and runs the loop in which
 * everything happens. It finds the CPU, GPU and policy through weft_host.part. */
#ifndef WEFT_KERNEL_H
#define WEFT_KERNEL_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why a run ended; weft's exit code follows from it (CONTRACTS: 0, 1, 3, 4, 5). */
#define WEFT_END_NONE      UINT32_C(0) /* has not run */
#define WEFT_END_EXIT      UINT32_C(1) /* the title's first thread ended, or the title asked to */
#define WEFT_END_CONDITION UINT32_C(2) /* a limit was reached, or the host asked to stop */
#define WEFT_END_EXCEPTION UINT32_C(3) /* a guest exception that no handler took */
#define WEFT_END_BUGCHECK  UINT32_C(4) /* KeBugCheck and the like */
#define WEFT_END_DEADLOCK  UINT32_C(5) /* nothing can run and nothing is due */
#define WEFT_END_PLUGIN    UINT32_C(6) /* a plugin failed */

typedef struct weft_run_limits {
    uint32_t size; /* sizeof(weft_run_limits) */
    uint32_t reserved;
    uint64_t instructions; /* stop when this many have retired in all threads; 0: no limit */
    uint64_t ticks;        /* stop at this guest time; 0: no limit */
} weft_run_limits;

/* What `weft run --json` reports. Strings live until the instance's destroy. */
typedef struct weft_run_result {
    uint32_t size;      /* sizeof(weft_run_result) */
    uint32_t end;       /* WEFT_END_* */
    uint32_t exit_code; /* of EXIT: the first thread's */
    uint32_t thread_count;
    uint64_t instructions, ticks;
    uint64_t imports_called;
    uint64_t state_digest; /* guest memory, thread states, GPU */
    const char *reason;    /* one sentence */
    uint64_t slices;       /* how often a thread was put on a hardware thread; 0: not counted */
} weft_run_result;

typedef struct weft_run_thread {
    uint32_t size; /* sizeof(weft_run_thread) */
    uint32_t tid;
    uint64_t id;      /* identity */
    const char *name; /* the identity's text behind "thread:", such as "main/0" */
    uint32_t entry;
    uint32_t state; /* WEFT_THREAD_* of policy.h */
    uint64_t retired;
    uint32_t pc;
    int32_t priority;
} weft_run_thread;

typedef struct weft_run_missing {
    uint32_t size;         /* sizeof(weft_run_missing) */
    uint32_t first_caller; /* guest address */
    uint64_t count;
    const char *name; /* "xboxkrnl.exe!NtFoo" */
} weft_run_missing;

/* Receives `weft info`'s answer in pieces: a JSON text. [main] */
typedef void (*weft_info_fn)(void *context, const char *text, size_t length);

typedef struct weft_kernel_ops {
    uint32_t size; /* sizeof(weft_kernel_ops) */
    uint32_t reserved;

    /* Describes a title without running it: one JSON object as CONTRACTS.md has it for `weft info`.
     * Needs no other plugin. Errors: NOT_FOUND, FORMAT, IO. [main] */
    weft_status (*info)(void *instance, const char *path, weft_info_fn sink, void *context);

    /* Opens and loads the title; `arguments` is what stands behind `--` on the command line, one
     * string ("" for none). Errors: NOT_FOUND, FORMAT, IO, NO_MEMORY, UNSUPPORTED: exit code 3.
     * [main][guest] */
    weft_status (*open)(void *instance, const char *path, const char *arguments);

    /* Runs the title until it ends or a limit holds, or host->stop_requested. Once. The result says
     * how it ended; a status other than OK means that a plugin failed. [guest] */
    weft_status (*run)(void *instance, const weft_run_limits *limits);

    /* After run. [guest][main] */
    void (*result)(void *instance, weft_run_result *result);

    /* After run: the index-th thread ever made, in order of creation; 0 past the last.
     * [guest][main] */
    int32_t (*thread)(void *instance, uint32_t index, weft_run_thread *thread);

    /* After run: the index-th export that was called and does not exist; 0 past the last.
     * [guest][main] */
    int32_t (*missing)(void *instance, uint32_t index, weft_run_missing *missing);

    /* The whole state. NULL: saving is refused, by id. [guest] */
    weft_status (*save)(void *instance, void *buffer, uint64_t *length);

    /* Takes back what save wrote. NULL: loading is refused. [guest] */
    weft_status (*load)(void *instance, const void *buffer, uint64_t length);
} weft_kernel_ops;

/* Extension of a kernel plugin (weft_plugin_desc.extension): a title's code and data as they lie in
 * guest memory, without running it. Disassemblers and other tools ask for it. */
#define WEFT_IMAGE_EXTENSION "image/1"

typedef struct weft_image_extension {
    uint32_t size; /* sizeof(weft_image_extension) */
    uint32_t reserved;

    /* Copies up to `length` bytes at guest address `address` of the image of the title at `path`,
     * in guest byte order, before any import is patched; *done is how many, fewer only where the
     * image ends. Opens and decodes the title at each call. Errors: those of `info`; INVALID for an
     * address outside the image. [main] */
    weft_status (*read)(void *instance, const char *path, uint32_t address, uint32_t length,
                        uint8_t *bytes, uint32_t *done);
} weft_image_extension;

/* Extension of a kernel plugin: what a title that is one large file holds. Of such a file the host
 * itself hashes the two ends alone, for the digest of a run's inputs; with this also what counts. */
#define WEFT_CONTENT_EXTENSION "content/1"

typedef struct weft_content_extension {
    uint32_t size; /* sizeof(weft_content_extension) */
    uint32_t reserved;

    /* Gives in pieces, and always in the same order, all bytes of the executable of the title at
     * `path`, and what else of the file a run is expected to depend on. Pieces are bytes, not text;
     * how they are cut means nothing. Needs no other plugin. Errors: those of `info`. [main] */
    weft_status (*read)(void *instance, const char *path, weft_info_fn sink, void *context);
} weft_content_extension;

WEFT_STATIC_ASSERT(sizeof(weft_content_extension) == 16, "ABI: weft_content_extension");
WEFT_STATIC_ASSERT(sizeof(weft_image_extension) == 16, "ABI: weft_image_extension");
WEFT_STATIC_ASSERT(sizeof(weft_run_limits) == 24, "ABI: weft_run_limits");
WEFT_STATIC_ASSERT(sizeof(weft_run_result) == 64, "ABI: weft_run_result");
WEFT_STATIC_ASSERT(sizeof(weft_run_thread) == 48, "ABI: weft_run_thread");
WEFT_STATIC_ASSERT(sizeof(weft_run_missing) == 24, "ABI: weft_run_missing");
WEFT_STATIC_ASSERT(sizeof(weft_kernel_ops) == 72, "ABI: weft_kernel_ops");

#ifdef __cplusplus
}
#endif
#endif
