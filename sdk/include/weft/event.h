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
 *     s  string: one word of length in bytes, then the bytes, zero-padded to whole words
 *     U  array of u: one word of count, then the words                X  array of x   D  array of d
 *
 * Identity: 64-bit FNV-1a over a text that is the same in every run and every engine, such as
 * "thread:main/0/3" (creator, n-th creation there). The text travels once, in a `define` event.
 *
 * Classes: GUEST events are what the title and the machine did; they are always produced and make
 * the trace_digest. DECISION events are what a policy answered. LOCAL events (logs, swaps of
 * tracers, host facts) are in no digest.
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

/* number, symbol, class, name, payload */
#define WEFT_EVENT_TABLE(X)                                                                        \
    X(1, SCHEMA_VERSION, LOCAL, "schema_version", "version:u,emitter_build:s")                     \
    X(2, DEFINE, LOCAL, "define", "id:d,what:s,text:s")                                            \
    X(3, IMPORT_CALL, GUEST, "import.call", "export:d,caller:x")                                   \
    X(4, KERNEL_CALL, GUEST, "kernel.call", "export:d,args:X,path:s")                              \
    X(5, KERNEL_RETURN, GUEST, "kernel.return", "export:d,return_value:x")                         \
    X(6, KERNEL_RETURN_VOID, GUEST, "kernel.return.void", "export:d")                              \
    X(7, EXPORT_MISSING, GUEST, "export.missing", "export:d,caller:x")                             \
    X(8, HANDLE_CREATE, GUEST, "handle.create",                                                    \
      "handle_semantic_id:d,object_type:u,raw_handle_id:x")                                        \
    X(9, HANDLE_DESTROY, GUEST, "handle.destroy",                                                  \
      "handle_semantic_id:d,raw_handle_id:x,prior_refcount:u")                                     \
    X(10, THREAD_CREATE, GUEST, "thread.create",                                                   \
      "child:d,parent_tid:u,child_tid:u,entry_pc:x,ctx_ptr:x,stack_size:u,affinity:x,suspended:u") \
    X(11, THREAD_EXIT, GUEST, "thread.exit", "exit_code:x")                                        \
    X(12, WAIT_BEGIN, GUEST, "wait.begin",                                                         \
      "handles_semantic_ids:D,timeout_ns:i,wait_all:u,alertable:u")                                \
    X(13, WAIT_END, GUEST, "wait.end", "status:x,woken_by_semantic_id:d,wait_ticks:u")             \
    X(14, CONTENTION_OBSERVED, GUEST, "contention.observed", "cs_ptr:x,contended:u,site:x")        \
    X(15, SIGNAL_MATCH, GUEST, "signal.match", "object:d,woken:d")                                 \
    X(16, MODULE_LOAD, GUEST, "module.load", "name:s,base:x,size:x,entry:x,hash:x")                \
    X(17, INTERRUPT, GUEST, "interrupt", "source:u,target:u")                                      \
    X(18, GPU_SWAP, GUEST, "gpu.swap", "frame:u,front_buffer:x,width:u,height:u,pixels:d")         \
    X(19, FAULT, GUEST, "fault", "cause:s,pc:x,address:x,flags:u")                                 \
    X(20, INPUT, GUEST, "input", "port:u,buttons:x,triggers:x,sticks:X")                           \
    X(21, DEBUG_PRINT, GUEST, "debug.print", "text:s")                                             \
    X(22, POLICY_ANSWER, DECISION, "policy.answer", "op:u,answer:x,instead_of:x")                  \
    X(23, POLICY_EJECTED, LOCAL, "policy.ejected", "reason:s")                                     \
    X(24, LOG, LOCAL, "log", "level:u,text:s")                                                     \
    X(25, TRACER_SWAP, LOCAL, "tracer.swap", "id:s,last:u")

/* WEFT_EVENT_IMPORT_CALL and so on, as the number that weft_event.kind holds. */
#define WEFT_EVENT_ENUM_(number, symbol, category, name, fields) WEFT_EVENT_##symbol = number,
enum { WEFT_EVENT_TABLE(WEFT_EVENT_ENUM_) WEFT_EVENT_KIND_END };
#undef WEFT_EVENT_ENUM_

/* One row of the table. */
typedef struct weft_event_kind {
    uint16_t number;
    uint8_t category;
    const char *name;
    const char *fields;
} weft_event_kind;

/* The row of a kind, or NULL. [any] */
static inline const weft_event_kind *weft_event_kind_of(uint16_t kind)
{
#define WEFT_EVENT_ROW_(number, symbol, category, name, fields)                                    \
    {number, WEFT_CLASS_##category, name, fields},
    static const weft_event_kind rows[] = {WEFT_EVENT_TABLE(WEFT_EVENT_ROW_)};
#undef WEFT_EVENT_ROW_
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].number == kind) {
            return &rows[i];
        }
    }
    return 0;
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
