/* The kernel plugin's own vocabulary: what its files share.
 *
 * One `kernel` is one console. Everything runs on the [guest] thread, in the loop of sched.c, or in
 * parallel mode with the dispatcher lock held (parallel.h), so nothing here locks. No host frame outlives a scheduling decision: an export that waits stores a
 * continuation in its thread and returns K_WAIT; guest code that the kernel calls is a pushed frame
 * (call.c) whose return runs the continuation. */
#ifndef WEFT_KERNEL_INTERNAL_H
#define WEFT_KERNEL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocation.h"
#include "source.h"
#include "status.h"
#include "watch.h"
#include "weft/host.h"

typedef struct kernel kernel;
typedef struct kthread kthread;
typedef struct kobject kobject;
typedef struct kcall kcall;
typedef struct kexport kexport;
typedef struct kmodule kmodule;
typedef struct kdpc *kdpc_ref;
typedef struct mm mm;
typedef struct vfs vfs;

/* ---- exports (call.c, exports.def) --------------------------------------------------------- */

/* What an export's function answers. */
#define K_DONE  UINT32_C(0) /* finished; r3 is set, or the export is void */
#define K_WAIT  UINT32_C(1) /* the thread waits; its continuation sets r3 later */
#define K_FRAME UINT32_C(2) /* a guest frame was pushed; its continuation sets r3 later */
#define K_GONE  UINT32_C(3) /* the thread no longer exists, or its context was replaced */
#define K_AGAIN UINT32_C(4) /* not yet: the call did not happen, and is made again next time */
#define K_LOCK  UINT32_C(5) /* nothing happened: it needs the dispatcher lock (call->unlocked) */

typedef uint32_t (*kexport_fn)(kcall *call);

/* How far an export does what the console's does. */
#define KEXPORT_FULL     1 /* implemented */
#define KEXPORT_PARTIAL  2 /* `remark` says what is missing */
#define KEXPORT_MISSING  0 /* no function: called, it logs once per site and returns an error */
#define KEXPORT_VARIABLE 3 /* a cell in kernel memory; `remark` says what is in it */

/* One row of the export table: exports/NAME.def, made of
 *     EXPORT(module, ordinal, Name, "ret(arg:type,...)", STATUS, "remark")
 * with module KRNL or XAM; for rows with STATUS FULL or PARTIAL there is a function
 * `uint32_t ex_Name(kcall *)`. Types: v void (as ret), u 32-bit unsigned, i 32-bit signed, p guest
 * pointer, h handle, q 64-bit, d double, `...` varargs (last). sdk/guest makes import stubs from the
 * same rows. */
struct kexport {
    uint16_t ordinal;
    uint8_t module; /* KMODULE_* */
    uint8_t status; /* KEXPORT_* */
    const char *name;
    const char *signature;
    const char *remark; /* "" where there is nothing to say */
    kexport_fn fn;
};
#define KMODULE_KRNL 0
#define KMODULE_XAM  1
#define KMODULE_XBDM 2

struct kcall {
    kernel *k;
    kthread *thread;
    weft_cpu_state *cpu;
    const kexport *export;
    uint64_t export_id; /* its identity, for events */
    uint32_t caller;    /* guest address behind the call: lr */
    bool faulted;       /* a guest pointer was bad: the call becomes an access violation */
    bool unlocked;      /* it is made without the dispatcher lock (uncontended.h) */
    uint32_t fault_address;
    bool fault_store;
    char path[512]; /* set by file exports: the raw path, for kernel.call's `path` */
};

/* Arguments: 0..7 in r3..r10, the ninth at sp+0x54, then every 8 bytes (LESSONS 24). */
uint32_t karg(kcall *call, unsigned n);
uint64_t karg64(kcall *call, unsigned n);
double karg_double(kcall *call, unsigned n); /* n-th floating-point argument: f1.. */
/* Sets r3 and answers K_DONE: `return kret(call, STATUS_SUCCESS);`. 32-bit values are zero-extended,
 * as `li`/`lwz` in the console's kernel leave most of them; statuses are sign-extended. */
uint32_t kret(kcall *call, uint32_t value);
uint32_t kret64(kcall *call, uint64_t value);
uint32_t kret_status(kcall *call, kstatus status);

/* Guest memory seen from an export. A bad pointer marks the call as faulted (loads give 0, stores do
 * nothing); the dispatcher then raises an access violation in the caller, whatever was returned. */
uint8_t kget8(kcall *call, uint32_t address);
uint16_t kget16(kcall *call, uint32_t address);
uint32_t kget32(kcall *call, uint32_t address);
uint64_t kget64(kcall *call, uint32_t address);
void kput8(kcall *call, uint32_t address, uint8_t value);
void kput16(kcall *call, uint32_t address, uint16_t value);
void kput32(kcall *call, uint32_t address, uint32_t value);
void kput64(kcall *call, uint32_t address, uint64_t value);
/* Host pointer to `length` readable bytes, or NULL and faulted. */
const void *kread(kcall *call, uint32_t address, uint32_t length);
/* Host pointer to `length` writable bytes; call kwritten after storing. NULL and faulted if bad. */
void *kwrite(kcall *call, uint32_t address, uint32_t length);
void kwritten(kernel *k, uint32_t address, uint32_t length);
/* A NUL-ended guest string of at most capacity-1 bytes, cut there; returns its length. */
uint32_t kget_string(kcall *call, uint32_t address, char *text, uint32_t capacity);
/* An ANSI_STRING {u16 length, u16 capacity, u32 pointer}, likewise. */
uint32_t kget_ansi(kcall *call, uint32_t address, char *text, uint32_t capacity);

/* Counts a call of a function that is not implemented, and logs the first one of each site. Its name,
 * "?" where nobody knows it. */
const char *kmissing_note(kcall *call, unsigned module, unsigned ordinal);
/* What a function that is not implemented leaves in r3: an error that its interface defines. */
uint64_t kmissing_answer(unsigned module, const char *name);

/* The row of an export, or NULL. */
const kexport *kexport_find(unsigned module, unsigned ordinal);
const kexport *kexport_named(unsigned module, const char *name);
/* "xboxkrnl.exe" and so on, by KMODULE_*. */
const char *kexport_library(unsigned module);
/* All rows, for `weft info` and the guest SDK. */
const kexport *kexport_rows(uint32_t *count);

/* Name of any ordinal that is known, also without a row; NULL: unknown. */
const char *kexport_ordinal_name(unsigned module, unsigned ordinal);

/* Guest address of a callable thunk for an export (made at first use), also for rows that are
 * MISSING. 0: no such ordinal is known. */
uint32_t kthunk(kernel *k, unsigned module, unsigned ordinal);
/* Makes the 16 bytes of an image's import thunk at `address` call the export; also one that nobody
 * knows. False: out of memory. */
bool kthunk_place(kernel *k, unsigned module, unsigned ordinal, uint32_t address);
/* Forgets the thunks that were placed in a range: its image goes. */
void kthunk_drop(kernel *k, uint32_t base, uint32_t size);
/* Guest address of a variable export's cell, 0 if it has none. */
uint32_t kvariable(kernel *k, unsigned module, unsigned ordinal);

/* ---- time ----------------------------------------------------------------------------------- */

/* Guest time of the running thread's hardware thread, in ticks, never less than any time read
 * before by anybody. */
uint64_t know(kernel *k);
/* The console's clocks, as integer functions of ticks. */
uint64_t ktime_system(kernel *k, uint64_t tick);    /* 100 ns since 1601 */
uint64_t ktime_interrupt(kernel *k, uint64_t tick); /* 100 ns since power-on */
uint64_t ktime_base(kernel *k, uint64_t tick);      /* 50 MHz */
/* Charges the running thread ticks beyond its instructions. */
void kcharge(kernel *k, uint64_t ticks);

/* ---- objects and handles (object.c) ---------------------------------------------------------- */

#define KOBJECT_EVENT            1 /* the numbers are the trace schema's object types */
#define KOBJECT_SEMAPHORE        2
#define KOBJECT_MUTANT           3
#define KOBJECT_TIMER            4
#define KOBJECT_THREAD           5
#define KOBJECT_FILE             6
#define KOBJECT_NOTIFY           7
#define KOBJECT_ENUMERATOR       8
#define KOBJECT_IO_COMPLETION    9
#define KOBJECT_MODULE           10
#define KOBJECT_SYMLINK          11
#define KOBJECT_CRITICAL_SECTION 0x0C
#define KOBJECT_SPIN_LOCK        0x0D

/* A kernel object. Waitable ones have a dispatcher header in guest memory at `body`
 * (type u8@0, signal state s32@4, wait list @8), which is the truth about their state, since titles
 * read and reinitialise it inline. */
struct kobject {
    uint32_t type;          /* KOBJECT_* */
    uint32_t references;    /* handles, waits, and pointers given to the guest */
    uint32_t handles;       /* how many handles lead here */
    uint32_t pointers;      /* references that the guest got with a pointer and may give back */
    uint32_t generation;    /* of an adopted object: how many others were at its place before */
    uint32_t body;          /* guest address of the object's body, 0 if it has none */
    uint64_t id;            /* identity, defined */
    const kthread *creator; /* of one that is not adopted: who made it, NULL: the kernel; */
    uint32_t site, nth;     /* where, and how many were made there before */
    uint64_t operations;    /* synchronisation operations so far: the per-object sequence */
    uint32_t claimed;       /* atomic: a lock whose words and number are somebody's (order.c) */
    uint64_t awaited;       /* the least of them that a held thread waits for; 0: none does */
    bool adopted;           /* the body is the title's memory, not ours */
    void *data;             /* of the type: kthread *, a file ... */
    void (*close)(kernel *k, kobject *object); /* last reference went; frees data. May be NULL */
    struct kwait *first_wait, *last_wait;      /* who waits, in order */
    kobject *next;                             /* table chain */
    char name[64];                             /* of a named object, else "" */
};

/* Makes an object with one reference. `body_size` bytes of zeroed kernel memory become its body
 * (0: none; a waitable object needs >= 16). `site` (guest address) and the creator go into its
 * identity. NULL: out of memory. */
kobject *kobject_create(kernel *k, kthread *creator, uint32_t type, uint32_t site,
                        uint32_t body_size);
/* The text of its identity. */
void kobject_text(kernel *k, const kobject *object, char *text, size_t capacity);
void kobject_retain(kobject *object);
void kobject_release(kernel *k, kobject *object);
/* A new handle to the object (the handle holds a reference); emits handle.create. 0: table full. */
uint32_t khandle_open(kernel *k, kthread *thread, kobject *object);
/* Emits handle.destroy. STATUS_INVALID_HANDLE if there is none. */
kstatus khandle_close(kernel *k, kthread *thread, uint32_t handle);
/* The object behind a handle, borrowed; NULL if there is none or its type is not `type` (0: any).
 * Resolves the pseudo-handle of the current thread (0xFFFFFFFE). */
kobject *khandle_get(kernel *k, kthread *thread, uint32_t handle, uint32_t type);
/* Why khandle_get gave nothing: STATUS_OBJECT_TYPE_MISMATCH or STATUS_INVALID_HANDLE. */
kstatus khandle_error(kernel *k, kthread *thread, uint32_t handle);
/* The object whose body is at `body`: ours, or adopted from its dispatcher header's type byte.
 * NULL: not a dispatcher header. Borrowed. */
kobject *kobject_at(kernel *k, kthread *thread, uint32_t body);
/* The spin lock in the readable word at `body`. NULL: out of memory. Borrowed. */
kobject *kobject_spin_lock(kernel *k, uint32_t body);
/* A range of guest memory is taken back: what was adopted there is no more. */
void kobject_forget_range(kernel *k, uint32_t base, uint32_t size);

/* ---- waits (wait.c) -------------------------------------------------------------------------- */

#define KWAIT_MAX 64

/* Runs when a waiting thread is released, with the wait's status; sets r3 (kret...) and answers
 * K_DONE, or waits again. `data` is thread->cont_data. */
typedef uint32_t (*kcontinuation)(kcall *call, uint32_t status);

/* Makes the calling thread wait for objects (count 0: only for the deadline: a delay). `timeout`:
 * NULL for ever, else 100 ns units, negative relative, positive absolute system time. If the wait
 * is satisfied at once, runs `cont` at once (NULL: status in r3). Returns what the export returns. */
uint32_t kwait_objects(kcall *call, kobject **objects, uint32_t count, bool all, bool alertable,
                       const int64_t *timeout, kcontinuation cont);
/* The same without asking the policy, for a call that it has let go already. */
uint32_t kwait_begin(kcall *call, kobject **objects, uint32_t count, bool all, bool alertable,
                     const int64_t *timeout, kcontinuation cont);
/* For the owner of a critical section to leave it; of that it is the attempt, no wait. */
uint32_t kwait_section(kcall *call, kobject *section, kcontinuation cont);
/* Sets an event's signal state to 1 and releases waiters as its type says; previous state. An
 * operation on it, as kreset_event is. */
int32_t ksignal_event(kernel *k, kobject *event);
void kreset_event(kernel *k, kobject *event);
/* Queues a user APC: runs `routine(context, arg1, arg2)` in the thread when it waits alertably. */
void kapc_queue(kernel *k, kthread *thread, uint32_t routine, uint32_t context, uint32_t arg1,
                uint32_t arg2);

/* Room for one more in the thread's queue. The console's APCs come from its pool, and what asks for one
 * fails when that is used up; here at KAPC_MOST of a thread, so that none can fill the host's memory. */
#define KAPC_MOST 16384
bool kapc_room(const kthread *thread);

/* The same for the timer at `timer`, unless its APC is queued already: it has only one. */
void kapc_timer_queue(kernel *k, kthread *thread, uint32_t timer, uint32_t routine,
                      uint32_t context, uint32_t arg1, uint32_t arg2);

/* Takes the APC of the timer at `timer` off the thread's queue, if it is there. */
void kapc_timer_remove(kthread *thread, uint32_t timer);

/* ---- guest frames (call.c) ------------------------------------------------------------------- */

/* Calls guest code on behalf of the running thread: saves its registers, sets r3.. to `arguments`,
 * and when the code returns restores them and runs `cont` with its r3 as status. */
uint32_t kframe_push(kcall *call, uint32_t pc, const uint64_t *arguments, unsigned count,
                     kcontinuation cont);

/* Makes fn's invocation end in the guest exception that the call's fault describes. */
void kfault(kcall *call, uint32_t address, bool store);

/* Ends the run: WEFT_END_*, with a sentence. */
void kend(kernel *k, uint32_t end, uint32_t exit_code, const char *reason);

/* ---- asynchronous I/O ------------------------------------------------------------------------ */

/* Runs at `tick` on the clock's I/O source, on no guest thread. */
typedef void (*kio_fn)(kernel *k, void *request);
/* The object that a request signals when it ends, borrowed; NULL: none, or it was cancelled. */
typedef kobject *(*kio_object_fn)(const void *request);
/* `object` NULL: nobody is asked before. */
void kio_schedule(kernel *k, uint64_t tick, kio_fn fn, kio_object_fn object, void *request);

/* ---- kernel memory --------------------------------------------------------------------------- */

/* Zeroed guest memory that the kernel owns (0x80000000 region), 16-byte aligned; 0: exhausted. */
uint32_t kalloc(kernel *k, uint32_t bytes);
/* The same for what the title can get a pointer to: KALLOCATION_*, in the name of a thread (NULL: of
 * the machine) that was called from `site`. */
uint32_t kalloc_for(kernel *k, const kthread *owner, uint32_t site, uint32_t bytes, uint32_t what);
void kfree(kernel *k, uint32_t address);

/* ---- parts written elsewhere in the plugin ---------------------------------------------------- */

/* mm.c: the memory manager. mm_create declares physical memory and the views. */
mm *mm_create(kernel *k);
void mm_destroy(mm *m);
/* Reserves and commits a fixed range for an image; access per page set later by the loader. */
kstatus mm_map_image(mm *m, const kthread *owner, uint32_t base, uint32_t size);
/* Frees the image at `base`; its pages read as nothing and decoded code is dropped. */
void mm_unmap_image(mm *m, uint32_t base);
/* Commits stack memory (size rounded up to 4 KiB, a guard page below); lowest usable address, 0: none. */
uint32_t mm_stack_alloc(mm *m, const kthread *owner, uint32_t site, uint32_t size);
void mm_stack_free(mm *m, uint32_t base, uint32_t size);
/* Physical address behind a guest address, or UINT32_MAX. */
uint32_t mm_physical(mm *m, uint32_t address);
/* Name of the place of an address, for identities: "MODULE+OFFSET", "stack:THREAD+OFFSET",
 * "alloc:THREAD/SITE/N+OFFSET", weak ones "heap:THREAD/SITE/N+OFFSET". Always fits. */
void mm_place(mm *m, uint32_t address, char *text, size_t capacity);

/* vfs.c: devices, links, the title's folder. */
vfs *vfs_create(kernel *k);
void vfs_destroy(vfs *v);
/* Mounts the host folder that holds the title as game: and d: (read-only, case-insensitive). */
kstatus vfs_mount_title(vfs *v, const char *host_folder);

/* ---- the core's own seams ---------------------------------------------------------------------- */

/* boot.c */
/* Makes everything but the title, once k's host, parts, memory, clock and machine are set. */
weft_status kboot(kernel *k);
/* Frees what kboot and a run have made; also after a failed kboot. */
void kshutdown(kernel *k);

/* sched.c */
weft_status ksched_run(kernel *k, const weft_run_limits *limits);
/* Brings the running hardware thread's time up to the instructions retired. */
void ksched_sync(kernel *k);
/* Makes a thread ready at `tick`, with the policy's delay of that kind (WEFT_DELAY_*). */
void ksched_ready(kernel *k, kthread *thread, uint64_t tick, uint32_t delay_kind);
/* The running slice ends no later than the clock's next event; after anything that may schedule. */
void ksched_bound(kernel *k);
/* The running slice ends at the next callback. */
void ksched_yield(kernel *k);
/* Room for one more among the threads that have not ended. False: out of memory. */
bool ksched_live_room(kernel *k);
/* It is one of them from here on; it is none any more. */
void ksched_live_add(kernel *k, kthread *thread);
void ksched_live_remove(kernel *k, kthread *thread);
/* Takes a thread with a suspend count out of the ready ones, unless its IRQL or a critical region
 * puts that off. */
void ksched_suspend(kernel *k, kthread *thread);
/* Moves the thread to a hardware thread that its affinity allows. */
void ksched_place(kernel *k, kthread *thread);
/* Runs a DPC or interrupt on a hardware thread as soon as IRQL and EE allow. Owns `dpc`. */
void ksched_dpc(kernel *k, uint32_t hw, kdpc_ref dpc);
/* The DPC on the running hardware thread has returned. */
void ksched_dpc_done(kernel *k);
/* Sets the running hardware thread's IRQL; lowering it lets pending DPCs in. Previous IRQL. */
uint32_t kirql_set(kernel *k, uint32_t irql);
/* The hardware thread the call runs on. */
struct khw *kcall_hw(kcall *call);

/* call.c */
/* False: out of memory. */
bool kcall_create(kernel *k);
/* Fills call->path for the exports whose arguments name a file, before kernel.call is emitted. */
void kcall_resolve_path(kcall *call);
void kcall_destroy(kernel *k);
/* The CPU's syscall callback. */
uint32_t kcall_syscall(void *context, weft_cpu_state *cpu, uint32_t lev);
/* Runs the continuation of a thread whose wait is over. */
void kcall_resume(kernel *k, kthread *thread);
/* A guest exception that nobody handles: event, log, end of the run. */
void kcall_exception(kernel *k, kthread *thread, const char *cause, uint32_t address,
                     uint32_t flags);
/* Fills an event's thread, hardware thread, tick and cycle, and emits it. thread NULL: the source
 * that acts, or the machine. */
void kemit(kernel *k, const kthread *thread, weft_event_buffer *event);
/* Whether anyone wants a kind that is not of class GUEST. */
static inline bool kwanted(const weft_host *host, uint16_t kind)
{
    return weft_host_wants(host, kind) != 0;
}
/* On which hardware thread the thread is to be queued. */
uint32_t kpolicy_place(kernel *k, const kthread *thread);
/* What a start, a wake or an I/O takes (WEFT_DELAY_*); `natural`: the kernel's own figure. */
uint64_t kpolicy_delay(kernel *k, const kthread *thread, uint32_t kind, uint64_t natural);
/* The same for what is due at `due`: when it comes. */
uint64_t kpolicy_deadline(kernel *k, const kthread *thread, uint32_t kind, uint64_t now,
                          uint64_t due);
/* The built-in policy serves from here on. */
void kpolicy_eject(kernel *k, const char *reason);
/* It wants something else than that an operation goes (see kpolicy_before), or is ejected. */
bool kpolicy_goes_otherwise(kcall *call, const weft_sync_op *op, uint32_t position, kobject *o,
                            uint32_t value, uint64_t amount);
/* An op has just returned, and somebody has asked for its policy's end. True. */
bool kpolicy_break(kernel *k);
/* Fills k->view alone. */
void kpolicy_view(kernel *k);
/* The same for a source, which was to act at `due`: false: later. */
bool kpolicy_before_source(kernel *k, const weft_sync_op *op, uint64_t due);
/* An object has come to the number that somebody is held for. */
void kpolicy_awaited(kernel *k, kobject *o);

/* thread.c */
typedef struct kthread_request {
    uint32_t stack_size, startup, entry, parameter, flags;
    kthread *creator; /* NULL: the kernel itself */
    uint32_t site;
} kthread_request;
kthread *kthread_create(kernel *k, const kthread_request *request);
/* Ends a thread: signals it, releases what it holds, wakes its waiters. */
void kthread_exit(kernel *k, kthread *thread, uint32_t exit_code);
/* The context on which a hardware thread's DPCs run. */
kthread *kthread_create_interrupt(kernel *k, uint32_t hw);
void kthread_free_all(kernel *k);
kthread *kthread_of(kobject *object);
/* Writes what the guest sees of a thread that goes on a hardware thread: PCR, r13. */
void kthread_dispatch(kernel *k, kthread *thread, uint32_t hw);

/* object.c */
void kobject_create_all(kernel *k);
void kobject_destroy_all(kernel *k);

/* A thread became ready, or would have but for its suspension: wake.requested, by who acts now.
 * `by`: identity of the object that woke it, 0 for time-outs, alerts and resumption; `waited`: it
 * was waiting. */
void ksched_emit_wake(kernel *k, const kthread *thread, uint64_t by, bool waited);

/* wait.c */
/* The thread's wait ends with `status`, at `tick`, because of `by` (identity or 0). */
void kwait_end(kernel *k, kthread *thread, uint32_t status, uint64_t by, uint64_t tick);
/* The object may have become signalled: releases the waiters that it satisfies. The signal itself has
 * been counted (korder_take). */
void kwait_signal(kernel *k, kobject *object);
void kwait_cancel(kernel *k, kthread *thread);
/* The thread, now picked, comes out of its wait: wait.end, APCs, continuation. */
uint32_t kwait_resume(kcall *call);
/* Pushes the frame of the thread's next APC, or goes on with the wait's continuation. */
uint32_t kwait_deliver_apc(kcall *call, uint32_t status);
void kwait_init(kernel *k);
/* A DPC or interrupt routine asks for what only a thread can do, such as to wait: bug check. */
uint32_t kwait_in_dpc(kernel *k);
/* A timer is set that will wake somebody or run an APC. */
bool kwait_timer_due(kernel *k);
/* A thread ends: the mutants that it owns are abandoned. */
void kwait_abandon(kernel *k, kthread *thread);
/* The continuation of a delay: a time-out is success. */
uint32_t kdelay_done(kcall *call, uint32_t status);

/* sync.c */
/* Makes the 28 bytes at `cs` a free critical section. */
void kcs_init(kernel *k, uint32_t cs, uint32_t spin);
/* The critical section that a thread waits for, 0: none; and who has that: a KTHREAD, 0: nobody. */
uint32_t kcs_awaited(const kthread *thread);
uint32_t kcs_owner(kernel *k, uint32_t cs);

/* time.c */
void ktime_init(kernel *k);
void ktime_end(kernel *k);
/* The CPU's time base callback. */
uint64_t ktime_mftb(void *context, weft_cpu_state *cpu);

/* loader.c, info.c */
weft_status kloader_open(kernel *k, const char *path, const char *arguments);
weft_status kloader_info(kernel *k, const char *path, weft_info_fn sink, void *context);
weft_status kloader_content(kernel *k, const char *path, weft_info_fn sink, void *context);
weft_status kloader_image_read(kernel *k, const char *path, uint32_t address, uint32_t length,
                               uint8_t *bytes, uint32_t *done);
void kloader_close(kernel *k);

/* video.c */
weft_status kvideo_init(kernel *k); /* what the GPU said of attach */
uint32_t kvideo_mmio_read(void *context, weft_cpu_state *cpu, uint32_t address, uint32_t length,
                          uint8_t *bytes);
uint32_t kvideo_mmio_write(void *context, weft_cpu_state *cpu, uint32_t address, uint32_t length,
                           const uint8_t *bytes);

/* file.c: drops requests that never completed; before kobject_destroy_all. */
void kfile_destroy(kernel *k);

/* The console. Fields are grouped by the file that owns them (kernel_state.h). */
#include "kernel_state.h"

/* The context on which a hardware thread's DPCs and interrupts run: no thread object, no waits. */
static inline bool kthread_is_interrupt(const kthread *thread)
{
    return thread->tid == 0;
}

/* Return address of the import call that a thread is in; 0 for NULL. */
static inline uint32_t kcall_site(const kthread *thread)
{
    return thread && thread->cpu ? (uint32_t)thread->cpu->lr : 0;
}

/* Whether the policy is asked about operations of a kind, and whether it is told of them. */
static inline bool kpolicy_asked(const kernel *k, uint32_t kind)
{
    return (k->ask_mask >> kind & 1) != 0;
}

static inline bool kpolicy_told(const kernel *k, uint32_t kind)
{
    return (k->tell_mask >> kind & 1) != 0;
}

/* An operation is about to happen. True: it goes, without the policy; one that the policy has let go
 * already, in this call (after YIELD or SPIN, or because it was held too long), is not even counted. */
static inline bool kpolicy_passes(kernel *k, const kthread *t, uint32_t kind, uint32_t position)
{
    bool granted = (t->granted >> kind & 1) && t->granted_at == t->cpu->retired + 1 &&
                   (t->granted_objects >> position & 1);
    if (granted || kthread_is_interrupt(t)) {
        return true; /* in a DPC nothing else may run before it returns */
    }
    k->before_askings[kind]++;
    return !kpolicy_asked(k, kind);
}

/* What `before` and `after` are shown. */
static inline void kpolicy_view_operation(kernel *k)
{
    bool sparing = (k->policy_mask & WEFT_SYNC_NO_VIEW) != 0;
    if (!sparing || k->view.size == 0) {
        kpolicy_view(k);
    }
    if (sparing) {
        k->view.now = k->running_hw ? k->running_hw->time : k->clock->now(k->clock);
    }
}

/* Asks the policy about an operation that kpolicy_passes has not let pass: true to go on; false: answer
 * K_AGAIN (HOLD, YIELD, SPIN). `position`: which object of a wait, else 0; `o`: the object whose number
 * the operation would get, NULL: none. */
static inline bool kpolicy_before(kcall *call, const weft_sync_op *op, uint32_t position,
                                  kobject *o)
{
    kernel *k = call->k;
    uint64_t amount = 0;
    kpolicy_view_operation(k);
    uint32_t value = k->policy->before(k->policy_instance, &k->view, op, &amount);
    return (value == WEFT_ANSWER_GO && !k->ejection[0]) ||
           kpolicy_goes_otherwise(call, op, position, o, value, amount);
}

/* Tells it of an operation of a kind that it has subscribed to. */
static inline void kpolicy_after(kernel *k, const weft_sync_op *op)
{
    kpolicy_view_operation(k);
    k->policy->after(k->policy_instance, &k->view, op);
    if (k->ejection[0]) {
        (void)kpolicy_break(k);
    }
}

/* Instructions that it has retired; while it executes on another host thread, those up to when it
 * last called the kernel. */
static inline uint64_t kthread_retired(const kthread *thread)
{
    return thread->executing ? thread->seen_retired : thread->cpu->retired;
}

#endif
