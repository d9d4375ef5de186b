/* kernel_kit.h: what the kit of kernels runs a kernel in: a title of its own, and a machine with memory,
 * clock, a small CPU, a GPU that does nothing and a policy that looks at what it is asked. */
#ifndef WEFT_CONFORM_KERNEL_KIT_H
#define WEFT_CONFORM_KERNEL_KIT_H

#include "conform.h"

/* ---- titles (kernel_title.c) ------------------------------------------------------------------- */

#define KIT_BASE   UINT32_C(0x82000000)
#define KIT_IMAGE  UINT32_C(0x20000)    /* bytes: a page of 64 KiB for code, one for data */
#define KIT_HEADER UINT32_C(0x1000)     /* bytes of the file before the image */
#define KIT_ENTRY  UINT32_C(0x82002000) /* the first thread begins here */
#define KIT_FILE   (KIT_HEADER + KIT_IMAGE)

/* What a title does; the first thread of each begins at KIT_ENTRY. */
typedef enum kit_program {
    KIT_CALLS,     /* calls KeTlsAlloc three times, returns 42 */
    KIT_SPINS,     /* never ends */
    KIT_UNKNOWN,   /* calls an ordinal that no kernel has twice, returns */
    KIT_WAITS,     /* waits on an event that nobody sets */
    KIT_THREADS,   /* a second thread; both wait for each other and take a critical section */
    KIT_LOADS,     /* loads from address 0 */
    KIT_STORES,    /* stores into its own PE header */
    KIT_ILLEGAL,   /* a word that is no instruction */
    KIT_TRAPS,     /* a trap that always holds */
    KIT_ASTRAY,    /* branches to where nothing is */
    KIT_NO_STACK,  /* loads from address 0 with r1 = 0 */
    KIT_NO_SYSTEM, /* calls with r1 = r13 = 0xFFFFFFF0 */
    KIT_POINTERS,  /* calls with pointers that lead nowhere */
    KIT_SYSCALL,   /* an `sc` of its own */
    KIT_PROGRAMS
} kit_program;

/* How many ordinals KIT_CALLS calls, and what it returns. */
#define KIT_CALL_COUNT 3
#define KIT_EXIT_CODE  42

/* The whole file of a title, KIT_FILE bytes: headers, then the image as it lies in memory. */
void kit_title(kit_program program, uint8_t file[KIT_FILE]);

/* ---- the machine (kernel_machine.c, kernel_memory.c) ------------------------------------------- */

#define KIT_TEXT      240
#define KIT_NAMES     2048
#define KIT_STATES    64
#define KIT_THREADS_N 64

/* Which policy `part` gives. */
typedef enum kit_policy {
    KIT_NO_OPS,  /* one whose ops are all NULL */
    KIT_LOOKS,   /* answers the defaults, and checks what it is asked */
    KIT_ILLICIT, /* answers what is never legal */
} kit_policy;

/* What goes wrong in a machine, by who notices; the first of each is kept. */
enum { KIT_OF_EVENTS, KIT_OF_CPU, KIT_OF_POLICY, KIT_OF_HOST, KIT_OFFENCES };

/* A guest thread or other source of events. */
typedef struct kit_source {
    uint64_t id, index, tick;
    uint64_t operations[WEFT_SYNC_KINDS];
    int started; /* told to the policy: 1, and ended: 2 */
} kit_source;

typedef struct kit_state {
    weft_cpu_state cpu; /* first */
    int used, busy;
} kit_state;

typedef struct kit_memory kit_memory;
typedef struct kit_clock kit_clock;

typedef struct kit_machine {
    struct weft_host host; /* first: what the kernel is given */
    const weft_host *inner;
    weft_machine machine;
    weft_memory memory;
    weft_clock clock;
    uint64_t wanted[(WEFT_EVENT_KIND_END + 63) / 64];
    kit_memory *pages;
    kit_clock *queue;
    kit_policy policy;
    uint64_t stop_after; /* instructions until stop_requested; 0: never */
    int no_parts;        /* `part` knows none */

    char offence[KIT_OFFENCES][KIT_TEXT];
    char failed[KIT_TEXT]; /* latest sentence of host->fail */
    uint32_t fails;
    uint32_t printed; /* calls of host->print */

    uint8_t *events; /* GUEST events as they came, headers included */
    size_t event_bytes;
    uint64_t event_count;
    struct {
        uint64_t id;
        char text[160];
    } names[KIT_NAMES];
    uint32_t name_count;
    kit_source sources[KIT_THREADS_N];
    uint32_t source_count;

    weft_cpu_host calls; /* given to attach */
    int attached;
    uint64_t executed;         /* instructions of all states */
    uint32_t states;           /* that exist */
    int entered;               /* somebody has reached KIT_ENTRY */
    uint32_t deadlocks, asked; /* of the policy */
} kit_machine;

/* A fresh machine, or NULL. Options are those of `inner`. */
kit_machine *kit_machine_create(const weft_host *inner);
void kit_machine_destroy(kit_machine *m);

int kit_memory_start(kit_machine *m);
void kit_memory_end(kit_machine *m);

/* Non-zero while a listener is registered. */
int kit_memory_listened(const kit_machine *m);

/* Notes an offence; the first of its kind stays. */
void kit_offence(kit_machine *m, int of, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Keeps the text of an identity; the first one stays. */
void kit_name_add(kit_machine *m, uint64_t id, const char *text);

/* The text of an identity, or NULL. */
const char *kit_name(const kit_machine *m, uint64_t id);

/* The source of an identity, made where there is none; NULL where there is no room. */
kit_source *kit_source_of(kit_machine *m, uint64_t id);

/* Checks an event as it is handed to emit, against its row and what came before. 0: not to be kept.
 * (kernel_events.c) */
int kit_check_event(kit_machine *m, const weft_event *event);

extern const weft_cpu_ops kit_cpu_ops;         /* instance: the machine (kernel_cpu.c) */
extern const weft_policy_ops kit_policy_looks; /* (kernel_policy.c) */
extern const weft_policy_ops kit_policy_illicit;

#endif
