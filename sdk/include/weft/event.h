/* weft/event.h: the records that a run leaves behind.
 *
 * An event is a header of 56 bytes and a payload of 8-byte words, in host byte order (little-endian
 * on every supported host). The kinds below are one table: number, class, name and payload fields.
 * Writers, readers, JSONL and docs/trace.md follow it.
 *
 * Payload fields, in the table's order, each `name:type`:
 *
 *     u  unsigned 64-bit          x  the same, shown as "0x..."       i  signed 64-bit
 *     d  identity (64-bit, shown as 16 hex digits; text in the matching `define` event)
 *     p  address or handle of the guest, shown as x: see "Canonical form"
 *     s  string: one word of length in bytes, then the bytes, zero-padded to whole words
 *     U X D P  array of u, x, d, p: one word of count, then the words
 *
 * A `~` behind the type says that the field is no part of the canonical form.
 *
 * Identity: 64-bit FNV-1a over a text that is the same in every run and every engine, such as
 * "thread:main/0/3" (creator, n-th creation there). The text travels once, in a `define` event.
 *
 * Classes: GUEST events are what the title and the machine did; they are always produced and make
 * the trace_digest. DECISION events are what a policy answered. LOCAL events (logs, swaps of
 * tracers, host facts) are in no digest.
 *
 * Canonical form: what an event says that is the same in every mode and for every allocator. It is
 * defined for GUEST events whose kind has not the flag ENGINE: the kind and the fields without `~`;
 * a word of type p that lies in a live allocation (memory.alloc) stands for (allocation, offset),
 * one that is a live handle (handle.create) for its identity. docs/trace.md has the rule to the
 * bit. Sequence, index, tick, cycle, tid and hardware thread are no part of it.
 *
 * trace_digest: XXH3-128 (seed 0) over the GUEST events in sequence order, each as its canonical
 * bytes: kind (8-byte little-endian word), then hw, thread, index, tick, then the payload words as
 * they stand. It is printed as 32 hex digits, high half first. */
#ifndef WEFT_EVENT_H
#define WEFT_EVENT_H

#include <string.h>

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_CLASS_GUEST    UINT8_C(0)
#define WEFT_CLASS_DECISION UINT8_C(1)
#define WEFT_CLASS_LOCAL    UINT8_C(2)

/* Flags of a kind. */
#define WEFT_KIND_NONE   UINT16_C(0)
#define WEFT_KIND_ENGINE UINT16_C(1) /* how this engine works, not what the title does */
#define WEFT_KIND_ASKED  UINT16_C(2) /* LOCAL, many: wanted where `[tracer] kinds` names it */

#define WEFT_HW_NONE UINT8_C(0xFF) /* not on a hardware thread: clock sources, the host */

typedef struct weft_event {
    uint32_t size;     /* of the whole record, header included; a multiple of 8 */
    uint16_t kind;     /* WEFT_EVENT_* */
    uint8_t category;  /* WEFT_CLASS_* */
    uint8_t hw;        /* hardware thread 0..5 or WEFT_HW_NONE */
    uint64_t sequence; /* position in the whole run; assigned by the drain, 0 before */
    uint64_t thread;   /* identity of the guest thread, or 0 for the machine's own sources */
    uint64_t index;    /* counts GUEST events of this thread from 0; set by host->emit */
    uint64_t tick;     /* guest time */
    uint64_t cycle;    /* the thread's retired instructions; 0 where not known. Not digested */
    uint32_t tid;      /* the guest's thread id, for people; 0 for the machine */
    uint32_t reserved;
} weft_event;

WEFT_STATIC_ASSERT(sizeof(weft_event) == 56, "ABI: weft_event");

/* number, symbol, class, flags, name, payload. Numbers are dense, and stay what they are. */
#define WEFT_EVENT_TABLE(X)                                                                        \
    X(1, SCHEMA_VERSION, LOCAL, NONE, "schema_version", "version:u,emitter_build:s")               \
    X(2, DEFINE, LOCAL, NONE, "define", "id:d,what:s,text:s")                                      \
    X(3, IMPORT_CALL, GUEST, NONE, "import.call", "export:d,caller:x")                             \
    X(4, KERNEL_CALL, GUEST, NONE, "kernel.call", "export:d,args:P,path:s")                        \
    X(5, KERNEL_RETURN, GUEST, NONE, "kernel.return", "export:d,return_value:p")                   \
    X(6, KERNEL_RETURN_VOID, GUEST, NONE, "kernel.return.void", "export:d")                        \
    X(7, EXPORT_MISSING, GUEST, NONE, "export.missing", "export:d,caller:x")                       \
    X(8, HANDLE_CREATE, GUEST, NONE, "handle.create",                                              \
      "handle_semantic_id:d,object_type:u,raw_handle_id:x~")                                       \
    X(9, HANDLE_DESTROY, GUEST, NONE, "handle.destroy",                                            \
      "handle_semantic_id:d,raw_handle_id:x~,prior_refcount:u")                                    \
    X(10, THREAD_CREATE, GUEST, NONE, "thread.create",                                             \
      "child:d,parent_tid:u~,child_tid:u~,entry_pc:x,ctx_ptr:p,stack_size:u,affinity:x,suspended:" \
      "u")                                                                                         \
    X(11, THREAD_EXIT, GUEST, NONE, "thread.exit", "exit_code:x")                                  \
    X(12, WAIT_BEGIN, GUEST, NONE, "wait.begin",                                                   \
      "handles_semantic_ids:D,timeout_ns:i,wait_all:u,alertable:u")                                \
    X(13, WAIT_END, GUEST, NONE, "wait.end", "status:x,woken_by_semantic_id:d,wait_ticks:u~")      \
    X(14, CONTENTION_OBSERVED, GUEST, ENGINE, "contention.observed",                               \
      "cs_ptr:p,contended:u,site:x")                                                               \
    X(15, SIGNAL_MATCH, GUEST, NONE, "signal.match", "object:d,woken:d")                           \
    X(16, MODULE_LOAD, GUEST, NONE, "module.load", "name:s,base:x,size:x,entry:x,hash:x")          \
    X(17, INTERRUPT, GUEST, NONE, "interrupt", "source:u,target:u")                                \
    X(18, GPU_SWAP, GUEST, NONE, "gpu.swap", "frame:u,front_buffer:p,width:u,height:u,pixels:d")   \
    X(19, FAULT, GUEST, NONE, "fault", "cause:s,pc:x,address:p,flags:u")                           \
    X(20, INPUT, GUEST, NONE, "input", "port:u,buttons:x,triggers:x,sticks:X")                     \
    X(21, DEBUG_PRINT, GUEST, NONE, "debug.print", "text:s")                                       \
    X(22, POLICY_ANSWER, DECISION, NONE, "policy.answer",                                          \
      "op:u,answer:x,instead_of:x,amount:u,nth:u,taken:u")                                         \
    X(23, POLICY_EJECTED, LOCAL, NONE, "policy.ejected", "reason:s")                               \
    X(24, LOG, LOCAL, NONE, "log", "level:u,text:s")                                               \
    X(25, TRACER_SWAP, LOCAL, NONE, "tracer.swap", "id:s,last:u")                                  \
    X(26, MEMORY_ALLOC, GUEST, NONE, "memory.alloc",                                               \
      "allocation:d,address:x~,size:u,alias:x~,site:x,nth:u,what:s")                               \
    X(27, MEMORY_FREE, GUEST, NONE, "memory.free", "allocation:d,address:x~")                      \
    X(28, THREAD_SUSPEND, GUEST, NONE, "thread.suspend", "target:d,previous_count:u")              \
    X(29, THREAD_RESUME, GUEST, NONE, "thread.resume", "target:d,previous_count:u")                \
    X(30, WAKE_REQUESTED, GUEST, NONE, "wake.requested",                                           \
      "target:d,handle:d,transitioned:u,new_state:u,target_tid:u~,target_cpu:u~")                  \
    X(31, VFS_OPEN, GUEST, NONE, "vfs.open",                                                       \
      "object:d,path:s,access:x,disposition:u,options:x,status:x")                                 \
    X(32, VFS_READ, GUEST, NONE, "vfs.read", "object:d,offset:u,length:u")                         \
    X(33, VFS_WRITE, GUEST, NONE, "vfs.write", "object:d,offset:u,length:u")                       \
    X(34, VFS_CLOSE, GUEST, NONE, "vfs.close", "object:d")                                         \
    X(35, IO_COMPLETE, GUEST, NONE, "io.complete", "object:d,requester:d,status:x,transferred:u")  \
    X(36, SOURCE_FIRE, GUEST, NONE, "source.fire", "count:u")                                      \
    X(37, APC_DELIVER, GUEST, NONE, "apc.deliver", "routine:x,mode:u")                             \
    X(38, DPC_RUN, GUEST, NONE, "dpc.run", "routine:x")                                            \
    X(39, EXCEPTION, GUEST, NONE, "exception", "code:x,address:x,flags:x")                         \
    X(40, MODULE_UNLOAD, GUEST, NONE, "module.unload", "name:s,base:x")                            \
    X(41, SCHED_SWITCH, DECISION, NONE, "sched.switch", "from:d,to:d,reason:u,ready:u")            \
    X(42, GPU_PACKET, LOCAL, ASKED, "gpu.packet", "address:x,header:x,opcode:u,length:u")          \
    X(43, GPU_DRAW, GUEST, NONE, "gpu.draw", "number:u,initiator:x,count:u,indices:p")             \
    X(44, GPU_RESOLVE, GUEST, NONE, "gpu.resolve",                                                 \
      "control:x,source:x,destination:p,pitch:x,format:x")                                         \
    X(45, GPU_INTERRUPT, GUEST, NONE, "gpu.interrupt", "mask:x")                                   \
    X(46, MEM_WRITE, LOCAL, ASKED, "mem.write", "address:x,length:u,before:X,after:X")             \
    X(47, SYNC_OP, GUEST, ENGINE, "sync.op", "op:u,object:d,sequence:u,nth:u")                     \
    X(48, POLICY_REPLAY, DECISION, NONE, "policy.replay", "what:u,outcome:u,object:d,nth:u")       \
    X(49, POLICY_SWAP, DECISION, NONE, "policy.swap", "id:s,slices:u")

/* WEFT_EVENT_IMPORT_CALL and so on, as the number that weft_event.kind holds. */
#define WEFT_EVENT_ENUM_(number, symbol, category, flags, name, fields)                            \
    WEFT_EVENT_##symbol = number,
enum { WEFT_EVENT_TABLE(WEFT_EVENT_ENUM_) WEFT_EVENT_KIND_END };
#undef WEFT_EVENT_ENUM_

/* One row of the table. */
typedef struct weft_event_kind {
    uint16_t number;
    uint8_t category;
    uint16_t flags; /* WEFT_KIND_* */
    const char *name;
    const char *fields;
} weft_event_kind;

/* The row of a kind, or NULL. [any] */
static inline const weft_event_kind *weft_event_kind_of(uint16_t kind)
{
#define WEFT_EVENT_ROW_(number, symbol, category, flags, name, fields)                             \
    {number, WEFT_CLASS_##category, WEFT_KIND_##flags, name, fields},
    static const weft_event_kind rows[] = {WEFT_EVENT_TABLE(WEFT_EVENT_ROW_)};
#undef WEFT_EVENT_ROW_
    return kind > 0 && kind < WEFT_EVENT_KIND_END ? &rows[kind - 1] : 0;
}

/* FNV-1a, 64 bits: the hash of every identity. "foobar" gives 0x85944171f73967e8. [any] */
static inline uint64_t weft_fnv1a(const void *bytes, size_t length)
{
    const uint8_t *p = (const uint8_t *)bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Room for one event under construction. Longer strings and arrays are cut to fit. */
#define WEFT_EVENT_MAX_WORDS 512
typedef struct weft_event_buffer {
    weft_event head;
    uint64_t words[WEFT_EVENT_MAX_WORDS];
} weft_event_buffer;

/* Starts an event of a kind: header zero but size, kind, category and hw. [any] */
static inline void weft_event_begin(weft_event_buffer *event, uint16_t kind)
{
    const weft_event_kind *row = weft_event_kind_of(kind);
    memset(&event->head, 0, sizeof event->head);
    event->head.size = (uint32_t)sizeof(weft_event);
    event->head.kind = kind;
    event->head.category = row ? row->category : WEFT_CLASS_LOCAL;
    event->head.hw = WEFT_HW_NONE;
}

/* Appends one scalar of any type (u, x, i as two's complement, d). [any] */
static inline void weft_event_word(weft_event_buffer *event, uint64_t value)
{
    uint32_t at = (event->head.size - (uint32_t)sizeof(weft_event)) / 8;
    if (at < WEFT_EVENT_MAX_WORDS) {
        event->words[at] = value;
        event->head.size += 8;
    }
}

/* Appends a string. [any] */
static inline void weft_event_text(weft_event_buffer *event, const char *text, size_t length)
{
    uint32_t at = (event->head.size - (uint32_t)sizeof(weft_event)) / 8;
    size_t room = at + 8 < WEFT_EVENT_MAX_WORDS ? (WEFT_EVENT_MAX_WORDS - at - 8) * 8u : 0;
    if (length > room) {
        length = room;
    }
    weft_event_word(event, length);
    if (length > 0) {
        uint32_t words = (uint32_t)((length + 7) / 8);
        event->words[at + words] = 0;
        memcpy(&event->words[at + 1], text, length);
        event->head.size += words * 8;
    }
}

/* Appends an array. [any] */
static inline void weft_event_array(weft_event_buffer *event, const uint64_t *values,
                                    uint32_t count)
{
    uint32_t at = (event->head.size - (uint32_t)sizeof(weft_event)) / 8;
    uint32_t room = at + 8 < WEFT_EVENT_MAX_WORDS ? WEFT_EVENT_MAX_WORDS - at - 8 : 0;
    if (count > room) {
        count = room;
    }
    weft_event_word(event, count);
    for (uint32_t i = 0; i < count; i++) {
        weft_event_word(event, values[i]);
    }
}

#ifdef __cplusplus
}
#endif
#endif
