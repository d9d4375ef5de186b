/* The structs behind kernel.h. Included by it alone. */
#ifndef WEFT_KERNEL_STATE_H
#define WEFT_KERNEL_STATE_H

#define KHANDLE_MAX 16384
#define KFRAME_MAX  32 /* each level of nested exceptions takes one or two */
#define KTLS_SLOTS  1024

/* One object of a wait, queued at the object while its thread waits. */
typedef struct kwait {
    kthread *thread;
    kobject *object;
    struct kwait *next, *previous;
} kwait;

/* How a wait ended on one of its objects, until the thread goes on (order.c). */
typedef struct kended {
    uint64_t object, sequence;
    uint32_t pointer;
    uint32_t kind; /* WEFT_SYNC_WAKE, WEFT_SYNC_TIMEOUT */
} kended;

/* A user APC that waits for its thread to become alertable. */
typedef struct kapc {
    uint32_t routine, context, argument1, argument2;
    uint32_t body;  /* guest KAPC it came from, 0 if none */
    uint32_t timer; /* body of the timer it came from, 0 if none */
    struct kapc *next;
} kapc;

/* Registers and continuation to come back to when pushed guest code returns. */
typedef struct kframe {
    weft_cpu_state saved;
    kcontinuation cont;
    uint64_t data;
    const kexport *export;
    uint64_t export_id;
    uint32_t caller;
    /* the interrupted wait's, when the frame is an APC's */
    kcontinuation wait_cont;
    uint64_t wait_data[4];
} kframe;

struct kthread {
    /* The scheduler's (sched.c): what each slice looks at for all threads fills two lines of the
     * host's cache. First what the policy's view shows, as weft_sched_thread has it. */
    union {
        _Alignas(64) weft_sched_thread shown;
        struct {
            uint64_t id;           /* identity */
            uint64_t ready_since;  /* tick */
            uint64_t seen_retired; /* when its latest slice ended, or it last left the lock */
            uint64_t order;
            uint32_t state; /* WEFT_THREAD_* */
            uint32_t hw;
            uint32_t affinity;
            int32_t priority;
            uint32_t tid; /* guest thread id, from 1; 0: a hardware thread's context for DPCs */
        };
    };
    kthread *live_next; /* of those that have not ended, in order of creation */
    weft_cpu_state *cpu;
    uint64_t ready_at;    /* not before this tick */
    uint64_t slice_used;  /* ticks of its quantum */
    uint64_t last_slice;  /* number of its latest slice */
    uint64_t quantum;     /* the policy's latest answer, 0: none yet */
    uint64_t yield_since; /* slice in which it gave way; NEVER: it is held for good */
    uint32_t suspended;   /* count */
    bool held;            /* policy answered HOLD: the call is made again when others have run */
    bool executing;    /* parallel.c: without the lock; its registers are the engine's, and these */
    bool cont_ready;   /* the wait is over; the continuation runs when the thread is next picked */
    uint64_t seen_msr; /* are what it had when it gave the lock back: this and seen_retired */

    kernel *k;
    char name[64];                      /* text of its identity */
    uint32_t created;                   /* order of creation, from 0 */
    uint64_t parent;                    /* identity of its creator, 0: the kernel */
    kobject *object;                    /* its KOBJECT_THREAD; body is the KTHREAD */
    uint32_t entry, parameter, startup; /* startup: XapiThreadStartup, 0 if none */
    uint32_t stack_base, stack_size;    /* lowest address, bytes */
    uint32_t tls;                       /* guest address of its TLS block, 0 if none */
    uint32_t dynamic_tls[KTLS_SLOTS];
    uint32_t last_error;
    uint32_t exit_code;
    uint32_t process_type; /* 1 title, 2 system */

    /* sched_policy.c */
    int32_t base_priority;
    uint64_t granted_at;      /* retired + 1 of the call that the grants are for */
    uint32_t granted;         /* bits 1 << WEFT_SYNC_*: after YIELD, SPIN or a release, it is GO */
    uint64_t granted_objects; /* likewise bit n: the n-th object of a wait or of its end */
    uint32_t held_kind, held_position; /* of the operation that is held */
    uint64_t held_object;              /* its object's identity */
    uint64_t held_until;               /* not asked again before the object's number; 0: it is */
    uint64_t held_asked, held_round;   /* tick, kernel.rounds when it was last asked about */
    uint64_t held_since, held_at;      /* tick of the first HOLD; retired + 1 of the call */
    uint64_t announced;                /* retired + 1 of the call that was last announced */
    uint32_t irql; /* while it is not current on its hardware thread, which has it otherwise */
    uint32_t view_index; /* where the policy's view shows it */
    uint32_t spin_irql; /* 1 + the IRQL before the KfAcquireSpinLock that is being tried; 0: none */
    uint32_t critical_region; /* KeEnterCriticalRegion depth: no APCs */
    bool alerted;             /* by KeAlertThread, and has not waited alertably since */

    /* waits (wait.c) */
    kwait waits[KWAIT_MAX];
    uint32_t wait_count;
    bool wait_all, wait_alertable;
    uint64_t wait_deadline; /* clock handle, 0 none */
    uint64_t wait_begun;    /* tick */
    kended ended[KWAIT_MAX];
    uint32_t ended_count;
    uint32_t wait_status;
    uint64_t wait_woken_by; /* object identity */
    kcontinuation cont;
    uint64_t cont_data[4];
    const kexport *cont_export;
    uint64_t cont_export_id;
    uint32_t cont_caller;
    kapc *first_apc, *last_apc;
    uint32_t apc_count; /* in that queue */
    uint32_t apc_mode; /* of the KAPC whose kernel routine runs */

    kframe *frames[KFRAME_MAX];
    uint32_t frame_count;
    struct kexception *exceptions; /* in progress, latest first (exception.c) */
    uint32_t children;             /* threads created by it so far */
    uint64_t sites_made;           /* objects created by it so far */
    uint64_t sync_index[WEFT_SYNC_KINDS];
    uint64_t events; /* index of its next GUEST event */
    kthread *next;   /* all threads, in order of creation */
};
_Static_assert(offsetof(kthread, tid) == offsetof(weft_sched_thread, tid) &&
                   offsetof(kthread, seen_retired) == offsetof(weft_sched_thread, retired),
               "a thread begins as the policy's view shows it");

/* A deferred procedure call, or a graphics interrupt on its way to a hardware thread. */
typedef struct kdpc {
    uint32_t routine;
    uint64_t arguments[4];
    uint32_t body; /* guest KDPC, 0 for interrupts */
    bool interrupt;
    uint32_t source;
    uint64_t tick; /* not before */
    struct kdpc *next;
} kdpc;

#define KNOWN_LOCKS 128
typedef struct khw {
    uint64_t time;      /* its guest time in ticks */
    uint64_t started;   /* retired of the running state when `time` was last made exact */
    uint64_t remainder; /* of the instruction cost's division */
    kthread *current;   /* last that ran here and still can, or NULL */
    uint32_t pcr;       /* guest address of its KPCR */
    uint32_t irql;
    kdpc *first_dpc, *last_dpc;
    bool in_dpc;                 /* the interrupt thread is running one */
    uint32_t dpc_irql;           /* IRQL to come back to after it */
    kthread *interrupt;          /* the context that DPCs and interrupts run on */
    uint64_t pin_start;          /* tick since which the current thread is pinned, or NEVER */
    const kthread *shown;        /* who ran here last, for sched.switch; NULL: it is idle */
    bool yielded;                /* and gave the rest of its slice away */
    kobject *known[KNOWN_LOCKS]; /* order.c: locks that it has met, by address */
} khw;

/* Of a hardware thread's queue, when ksched_look last looked: the tick from which somebody may run;
 * bit n: the n-th of the first 64 live threads may; how many may. */
typedef struct kqueue {
    uint64_t first, bits;
    uint32_t ready;
    bool pinned; /* the current thread may not be replaced */
} kqueue;

/* When each hardware thread could next run something, or NEVER: the least of these times and whose it
 * is, and the least of the others'; the clock's next event. */
typedef struct koutlook {
    uint64_t times[WEFT_HW_COUNT];
    uint64_t least, second, deadline;
    uint32_t at;
} koutlook;

/* Where a module is in its life (attach.c). */
#define KSTAGE_LOADED  0 /* mapped and bound; its DllMain has not been called yet */
#define KSTAGE_RUNNING 1 /* DllMain(attach) is being called */
#define KSTAGE_READY   2
#define KSTAGE_DOOMED  3 /* nothing needs it any more; DllMain(detach) comes next */
#define KSTAGE_GONE    4 /* DllMain(detach) is being called or was; unmapped next */

struct kmodule {
    char name[64];  /* "title.xex" */
    char path[576]; /* canonical, as vfs_path gives it */
    uint32_t base, size, entry;
    uint32_t header; /* guest copy of the XEX header */
    uint32_t handle; /* guest address of its LDR_DATA_TABLE_ENTRY: the HMODULE */
    uint32_t wide;   /* guest copy of its names in UTF-16, 0 if it could not be made */
    uint32_t tls_slots, tls_data, tls_data_size, tls_raw_size;
    uint32_t stack_size;
    uint32_t system_flags;
    bool dll;
    bool attached; /* DllMain(attach) was called: DllMain(detach) is due before it goes */
    uint32_t stage;
    uint32_t batch; /* the load or unload call that it belongs to */
    uint32_t order; /* of initialisation: what it imports has a lower one, but for cycles */
    uint32_t loads; /* XexLoadImage less XexUnloadImage */
    bool reached;   /* scratch of the search for what is still needed */
    bool told;      /* module.load was emitted: module.unload is due */
    struct weft_xex_export *exports; /* by ordinal, xex.h */
    uint32_t export_count;
    char *export_names; /* the storage of their names */
    kmodule **imports;  /* the other modules that it is bound to */
    uint32_t import_count;
    kmodule *next; /* in order of loading */
};

#define KMISSING_SITES 8 /* of one export in the log; a title may call from everywhere */

typedef struct kmissing {
    const kexport *row; /* NULL for an unknown ordinal */
    char name[80];
    uint32_t module, ordinal, first_caller;
    uint32_t sites[KMISSING_SITES], site_count; /* callers that were logged */
    uint64_t count;
} kmissing;

#define KARGUMENTS 16 /* of one export, at most */

/* One callable thunk; its index is the word behind its `sc`. */
typedef struct kthunk_entry {
    uint32_t address;
    const kexport *row; /* NULL: unknown ordinal, named in missing */
    uint32_t module, ordinal;
    uint64_t id; /* identity of the export, 0 until first called */
    uint32_t argument_count;
    uint32_t wide; /* bit n: argument n is 64 bits wide */
    uint32_t real; /* bit n: it is a double, in f1 and up */
    bool placed;   /* lies in an image, and goes with it */
} kthunk_entry;

/* xam_*.c */
#define KXAM_CONTEXTS        64
#define KXAM_LAUNCH_DATA_MAX 1020 /* MAX_LAUNCH_DATA_SIZE of the XDK */
typedef struct kxam_listener kxam_listener;
typedef struct kxam_state {
    struct kxam_request *requests; /* overlapped, on their way; latest first */
    kxam_listener *listeners;      /* latest first */
    bool system_told, live_told;   /* the area's first listener was told the state of things */
    uint32_t ui_active;            /* dialogues that are up */
    char user[16];                 /* name of the console's profile, "": it has none */
    uint64_t xuid;                 /* the profile's */
    bool signed_in;                /* as user 0 */
    struct kxam_mount *mounts;     /* content that is open (xam_storage.c), latest first */
    struct kxam_task *tasks;       /* xam_task.c, latest first */
    uint32_t task_code;            /* guest code of tasks that run more than once, 0: not made */
    uint32_t contexts[KXAM_CONTEXTS][2]; /* the user's: id, value */
    uint32_t context_count;
    uint32_t dash_context;
    uint32_t staging_mode;
    uint32_t launch_data_size;
    uint8_t launch_data[KXAM_LAUNCH_DATA_MAX];
} kxam_state;

/* xam_net.c */
#define KNET_DNS_MAX 16
#define KNET_KEYS    8
#define KNET_KEY_ID  8 /* bytes of an XNKID */
typedef struct knet_state {
    uint32_t started;                     /* WSAStartup less WSACleanup */
    uint16_t link_port;                   /* 0: the default */
    uint8_t params[13];                   /* of XNetStartup */
    uint32_t dns[KNET_DNS_MAX];           /* XNDNS blocks that the title holds */
    uint32_t qos[KNET_DNS_MAX];           /* XNQOS blocks, likewise */
    uint8_t keys[KNET_KEYS][KNET_KEY_ID]; /* XNKIDs that it has registered */
    bool key_used[KNET_KEYS];
} knet_state;

/* audio.c */
#define KAUDIO_CLIENTS 8
#define KXMA_CONTEXTS  320
typedef struct kaudio_client {
    uint32_t callback, argument; /* callback 0: free */
    uint64_t queued;             /* frames that wait to be played */
    uint64_t submitted, played;
    uint64_t silent; /* firings at which no frame was there */
} kaudio_client;

typedef struct kaudio_state {
    uint32_t source;
    bool ticking;    /* a firing is scheduled */
    uint32_t table;  /* guest address of the worker's table, 0: no worker yet */
    kobject *event;  /* what the worker waits for */
    uint64_t worker; /* identity of its thread */
    uint32_t client_count;
    kaudio_client clients[KAUDIO_CLIENTS];
    uint32_t contexts; /* guest address of XMA's array, 0: not made */
    uint32_t context_used[KXMA_CONTEXTS / 32];
    uint32_t current_context, next_context;
} kaudio_state;

struct kernel {
    const weft_host *host;
    weft_memory *memory;
    weft_clock *clock;
    const weft_machine *machine;
    const weft_cpu_ops *cpu;
    void *cpu_instance;
    const weft_gpu_ops *gpu;
    void *gpu_instance;
    const weft_policy_ops *policy;
    void *policy_instance;

    /* sched.c */
    khw hw[WEFT_HW_COUNT];
    kthread *threads, *last_thread;
    kthread *live, *last_live; /* of them those that have not ended */
    uint32_t thread_count, live_threads;
    kthread *running; /* whose instructions or continuation are being executed */
    khw *running_hw;
    uint64_t last_read; /* latest time that anybody read */
    uint64_t order;     /* source of kthread.order */
    bool reschedule;    /* the running slice should end at the next callback */
    uint32_t policy_faults;
    bool policy_ejected;
    uint64_t pins_broken;         /* threads replaced though they were pinned: for too long */
    uint64_t holds_broken;        /* threads that went on though they were held: for too long */
    uint64_t slices;              /* given out so far */
    uint32_t held;                /* threads that are */
    uint32_t behind;              /* threads whose operation was held, and has not gone yet */
    uint64_t rounds;              /* slices after which those that are held were looked at */
    uint64_t round_tick;          /* when they last were */
    uint64_t ask_round, ask_tick; /* none of them is to be asked before that round, and that tick */
    char ejection[160];           /* why the policy is to go when its op returns; "": it is not */
    weft_policy_exchange *exchange_planned, *exchange_posted; /* the latter by any thread */
    uint64_t askings[WEFT_POLICY_OPS], before_askings[WEFT_SYNC_KINDS];
    uint64_t instructions, instruction_limit, tick_limit;
    uint64_t slice_end;   /* tick at which the running slice ends */
    uint32_t policy_mask; /* what it has subscribed to; nothing where it has no op for that: */
    uint32_t ask_mask, tell_mask; /* `before`, `after` */
    uint64_t last_progress;       /* tick of the last event that was not a periodic source's */
    uint64_t last_wake;           /* the same, but for what the audio's worker does */
    uint32_t cycle_looks;         /* that found threads which wait for each other */
    uint64_t imports_called;
    weft_sched_view view;
    weft_sched_thread *view_threads;
    uint32_t view_capacity;
    weft_sched_hw view_hw[WEFT_HW_COUNT];
    kthread **view_order; /* the live threads, in order of creation */
    kqueue queues[WEFT_HW_COUNT];
    koutlook outlook; /* of the latest ksched_look */
    /* Since then more has happened than a slice of `ran` that only executed instructions: */
    bool stale;       /* anything, */
    bool entered;     /* or it entered the kernel, and the clock may have another event next, */
    uint32_t touched; /* and queues of which this has a bit may have changed too */
    uint32_t ran;     /* hardware thread of the latest slice */
    bool shown;       /* the latest ksched_look filled the view too */
    struct kparallel *parallel;       /* parallel.c; NULL in lockstep */
    struct kuncontended *uncontended; /* uncontended.c; likewise */

    /* end */
    uint32_t end, exit_code;
    char reason[1000];
    kthread *first_thread;

    /* call.c */
    kthunk_entry *thunks;
    uint32_t thunk_count, thunk_capacity;
    uint32_t thunks_free;                   /* entries among them whose image is gone: address 0 */
    uint32_t thunk_space, thunk_space_left; /* guest memory for more */
    uint32_t return_thunk;                  /* where pushed guest code returns to */
    uint32_t exit_thunk;                    /* where a thread's entry returns to */
    uint32_t dpc_thunk;                     /* where DPCs and interrupts return to */
    kmissing *missing;
    uint32_t missing_count;

    /* object.c */
    kobject *objects[4096]; /* by body address */
    kobject *named;
    kobject *handles[KHANDLE_MAX];
    uint32_t handle_hint;
    uint32_t heap_next, heap_end;
    struct kheap_block *heap_blocks;
    ksites sites; /* objects made */

    kallocations given; /* allocation.c */
    kwatches watches;   /* watch.c */

    /* source.c */
    ksource sources[KSOURCE_COUNT];
    uint64_t acting; /* identity of who acts when no thread does; 0: the machine itself */
    uint64_t machine_sync_index[WEFT_SYNC_KINDS];

    /* time.c, wait.c, sync.c */
    uint32_t source_deadline, source_timer, source_io, source_vblank, source_bundle;
    uint32_t timers_pending; /* that are on the clock */
    struct kio *io_pending;
    uint64_t io_serial;
    uint32_t time_bundle; /* guest KeTimeStampBundle */
    uint64_t vblanks;
    uint32_t tls_used[KTLS_SLOTS / 32];

    /* loader.c, image.c, attach.c */
    kmodule *modules;
    kmodule *title;
    uint32_t module_batch, module_order; /* last given */
    kthread *loader_owner;               /* who holds the loader lock */
    uint32_t loader_depth;               /* how often */
    kobject *loader_event;               /* what others wait for; made when first needed */
    char command_line_text[1024];
    char image_path[256];
    uint32_t *variables; /* cells of VARIABLE rows, by row; 0 until asked for */

    /* video.c */
    uint32_t graphics_callback, graphics_context;
    uint32_t system_command_buffer;
    uint32_t gpu_identifier_address;

    /* xam.c */
    weft_pad pads[WEFT_PAD_COUNT];
    uint32_t pad_packet[WEFT_PAD_COUNT];
    uint32_t device_lock; /* guest word behind IoAcquireDeviceObjectLock, 0: not made yet */
    uint32_t pads_off;    /* bit n: the title has turned the n-th off (input.c) */
    kxam_state xam;
    knet_state net;
    kaudio_state audio;

    uint32_t mmio_noted;

    mm *mm;
    vfs *vfs;
    struct kfile_request *file_requests; /* file.c: on their way, latest first */

    /* plugin.c */
    bool opened;
    weft_cpu_host cpu_calls;
    weft_gpu_host gpu_calls;
};

#endif
