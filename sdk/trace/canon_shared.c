/* canon_shared.c: see canon_shared.h. The rules are REFERENCE: what the reference system's diff leaves
 * out of each kind, and how it names what an allocator gives out. */
#include "canon_shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "line.h"
#include "live.h"

/* Exports whose answer is an address that the kernel chose. */
static const char *const allocators[] = {
    "ExAllocatePool",
    "ExAllocatePoolTypeWithTag",
    "ExAllocatePoolWithTag",
    "MmAllocatePhysicalMemory",
    "MmAllocatePhysicalMemoryEx",
    "MmCreateKernelStack",
    "MmGetPhysicalAddress",
    "RtlAllocateHeap",
};

/* And those that take such an address back: it means nothing behind the call. */
static const char *const releases[] = {
    "ExFreePool",
    "MmDeleteKernelStack",
    "MmFreePhysicalMemory",
    "RtlFreeHeap",
};

/* Exports that return nothing, ordered. r3 behind them is whatever was in it: the caller of a void
 * function may not look (the rows with result `v` of plugins/kernel/exports). */
static const char *const voids[] = {
    "DbgBreakPoint",
    "DebugBreak",
    "ExFreePool",
    "ExRegisterTitleTerminateNotification",
    "ExTerminateThread",
    "GetSystemTimeAsFileTime",
    "HalGetPowerUpCause",
    "HalReturnToFirmware",
    "HalSendSMCMessage",
    "KeAcquireSpinLockAtRaisedIrql",
    "KeBugCheck",
    "KeBugCheckEx",
    "KeEnableFpuExceptions",
    "KeEnterCriticalRegion",
    "KeFlushEntireTb",
    "KeInitializeApc",
    "KeInitializeDpc",
    "KeInitializeEvent",
    "KeInitializeMutant",
    "KeInitializeSemaphore",
    "KeInitializeTimerEx",
    "KeLeaveCriticalRegion",
    "KeLockL2",
    "KeQuerySystemTime",
    "KeReleaseSpinLockFromRaisedIrql",
    "KeSetCurrentProcessType",
    "KeStallExecutionProcessor",
    "KeUnlockL2",
    "KfLowerIrql",
    "KfReleaseSpinLock",
    "KiApcNormalRoutineNop",
    "MmFreePhysicalMemory",
    "MmSetAddressProtect",
    "NetDll_WSASetLastError",
    "ObDereferenceObject",
    "OutputDebugStringA",
    "RtlCaptureContext",
    "RtlCopyString",
    "RtlCopyUnicodeString",
    "RtlEnterCriticalSection",
    "RtlFillMemoryUlong",
    "RtlFreeAnsiString",
    "RtlFreeUnicodeString",
    "RtlInitAnsiString",
    "RtlInitUnicodeString",
    "RtlInitializeCriticalSection",
    "RtlLeaveCriticalSection",
    "RtlRaiseException",
    "RtlRaiseStatus",
    "RtlTimeToTimeFields",
    "RtlUnwind",
    "RtlUnwind2",
    "SetLastError",
    "Sleep",
    "VdEnableRingBufferRPtrWriteBack",
    "VdGetCurrentDisplayGamma",
    "VdGetCurrentDisplayInformation",
    "VdGetSystemCommandBuffer",
    "VdInitializeRingBuffer",
    "VdQueryVideoMode",
    "VdSetGraphicsInterruptCallback",
    "VdSetSystemCommandBufferGpuIdentifierAddress",
    "VdShutdownEngines",
    "VdSwap",
    "XGetVideoMode",
    "XNotifyPositionUI",
    "XNotifyQueueUI",
    "XamLoaderLaunchTitle",
    "XamLoaderTerminateTitle",
    "XamSetDashContext",
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

enum { ALLOCATES = 1, RELEASES = 2, IS_VOID = 4 }; /* of an export */
enum { NAME_ALLOCATION = 1, NAME_CONTEXT = 2, NAME_HANDLE = 3, NAMESPACES };

#define LEAST_ADDRESS 0x1000 /* of a ctx_ptr: below, it is a small integer of the title's */
#define LEAST_HANDLE  0x1000
#define MOST_NAMES    (1u << 20) /* words that have one at a time; the next ones stay what they are */

typedef struct counters {
    uint64_t given[NAMESPACES]; /* names given out to a thread so far */
} counters;

struct canon_shared {
    live_map exports; /* by identity: hash of the bare name, flags */
    live_map names;   /* by word: thread, namespace and number (namespace << 56 | number) */
    live_map threads; /* by identity: place in `counts` */
    counters *counts;
    size_t count, room;
    uint64_t *words; /* of the latest event: its kind, then what is compared of it */
    uint8_t *fields; /* the field of the row that each is of */
    uint32_t used, words_room;
    int no_memory;
};

static int in_list(const char *const *list, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == length && memcmp(list[i], name, length) == 0) {
            return 1;
        }
    }
    return 0;
}

int canon_shared_is_void(const char *name, size_t length)
{
    return in_list(voids, COUNT(voids), name, length);
}

const char *canon_shared_export(const char *text, size_t *length)
{
    line_export e = line_export_of(text);
    const char *bang = e.module_length ? NULL : memchr(e.name, '!', e.name_length);
    if (bang) { /* "module!name" of another engine */
        e.name_length -= (size_t)(bang + 1 - e.name);
        e.name = bang + 1;
    }
    *length = e.name_length;
    return e.name;
}

/* An export's name as a hash, and its flags. One without a text goes by its identity. */
static void export_of(canon_shared *c, const weft_trace *trace, uint64_t id, uint64_t value[2])
{
    const uint64_t *known = live_map_find(&c->exports, id);
    if (known) {
        value[0] = known[0];
        value[1] = known[1];
        return;
    }
    const char *text = weft_trace_name(trace, id);
    value[0] = id;
    if (!text) {
        return;
    }
    size_t length;
    const char *name = canon_shared_export(text, &length);
    value[0] = weft_fnv1a(name, length);
    value[1] = (in_list(allocators, COUNT(allocators), name, length) ? ALLOCATES : 0u) |
               (in_list(releases, COUNT(releases), name, length) ? RELEASES : 0u) |
               (canon_shared_is_void(name, length) ? IS_VOID : 0u);
    c->no_memory |= !live_map_put(&c->exports, id, value);
}

static counters *counters_of(canon_shared *c, uint64_t thread)
{
    const uint64_t *place = live_map_find(&c->threads, thread);
    if (place) {
        return &c->counts[place[0]];
    }
    if (c->count == c->room) {
        size_t room = c->room ? c->room * 2 : 16;
        counters *more = realloc(c->counts, room * sizeof *more);
        if (!more) {
            c->no_memory = 1;
            return NULL;
        }
        c->counts = more;
        c->room = room;
    }
    if (!live_map_put(&c->threads, thread, (const uint64_t[]){c->count, 0})) {
        c->no_memory = 1;
        return NULL;
    }
    c->counts[c->count] = (counters){{0}};
    return &c->counts[c->count++];
}

/* From now on `word` is what the thread got as its next of this namespace. */
static void give_name(canon_shared *c, uint64_t thread, uint64_t word, uint64_t space)
{
    counters *of = counters_of(c, thread);
    if (of && (c->names.count < MOST_NAMES || live_map_find(&c->names, word))) {
        uint64_t value[2] = {thread, space << 56 | of->given[space]++};
        c->no_memory |= !live_map_put(&c->names, word, value);
    }
}

/* A word as it is compared: its name where it has one. Another thread's things are called that: how
 * the engines number their threads is not known here. The top byte of no address is in use, so that
 * a name equals no word of a title. */
static uint64_t compared(const canon_shared *c, uint64_t thread, uint64_t word)
{
    const uint64_t *name = word ? live_map_find(&c->names, word) : NULL;
    if (!name) {
        return word;
    }
    return name[1] | UINT64_C(0xE) << 60 | (uint64_t)(name[0] != thread) << 59;
}

void canon_shared_show(uint64_t word, char to[64])
{
    static const char *const spaces[NAMESPACES] = {NULL, "allocation", "context", "handle"};
    const char *space = word >> 60 == 0xE ? spaces[(word >> 56 & 7) % NAMESPACES] : NULL;
    to[0] = 0;
    if (space) {
        snprintf(to, 64, "%s %llu of %s thread", space,
                 (unsigned long long)(word & ((UINT64_C(1) << 56) - 1)),
                 word >> 59 & 1 ? "another" : "the");
    }
}

/* The word of ctx_ptr, named in a space of its own even where the address has another name. */
static uint64_t context_word(canon_shared *c, uint64_t thread, uint64_t word)
{
    counters *of = word < LEAST_ADDRESS ? NULL : counters_of(c, thread);
    return of ? (uint64_t)NAME_CONTEXT << 56 | UINT64_C(0xE) << 60 | of->given[NAME_CONTEXT] : word;
}

static void add(canon_shared *c, uint8_t field, uint64_t word)
{
    c->words[c->used] = word;
    c->fields[c->used++] = field;
}

/* Gathers a payload; 0 where it is not what its row says. Fields go by their place in the row. An
 * allocator's answer has been given its name; a ctx_ptr is about to get one. */
static int gather(canon_shared *c, const weft_event *event, const uint64_t *export_)
{
    uint32_t count;
    const uint64_t *w = weft_trace_words(event, &count);
    uint64_t thread = event->thread;
    switch (event->kind) {
    case WEFT_EVENT_IMPORT_CALL: /* export, caller */
        add(c, 0, export_[0]);
        return count == 2;
    case WEFT_EVENT_KERNEL_CALL: { /* export, args, path */
        if (count < 3 || w[1] > count - 3 || w[2 + w[1]] > (count - 3 - w[1]) * 8) {
            return 0;
        }
        add(c, 0, export_[0]);
        add(c, 1, w[1]);
        for (uint64_t i = 0; i < w[1]; i++) {
            add(c, 1, compared(c, thread, w[2 + i]));
        }
        const uint64_t *path = w + 2 + w[1];
        add(c, 2, path[0] ? XXH3_64bits(path + 1, (size_t)path[0]) : 0);
        return 1;
    }
    case WEFT_EVENT_KERNEL_RETURN: /* export, return_value */
        if (count != 2) {
            return 0;
        }
        add(c, 0, export_[0]);
        if (!(export_[1] & IS_VOID)) {
            add(c, 1, compared(c, thread, w[1]));
        }
        return 1;
    case WEFT_EVENT_KERNEL_RETURN_VOID: /* export */
        add(c, 0, export_[0]);
        return count == 1;
    case WEFT_EVENT_HANDLE_CREATE: /* identity, object_type, raw value */
        add(c, 1, count == 3 ? w[1] : 0);
        return count == 3;
    case WEFT_EVENT_HANDLE_DESTROY: /* identity, raw value, prior_refcount */
        add(c, 2, count == 3 ? w[2] : 0);
        return count == 3;
    case WEFT_EVENT_THREAD_CREATE: /* child, two tids, entry_pc, ctx_ptr, ... */
        if (count != 8) {
            return 0;
        }
        add(c, 3, w[3]);
        add(c, 4, context_word(c, thread, w[4]));
        return 1;
    case WEFT_EVENT_THREAD_EXIT: /* exit_code */
        add(c, 0, count == 1 ? w[0] : 0);
        return count == 1;
    default: /* wait.begin: identities, timeout_ns, wait_all, alertable */
        if (count < 4 || w[0] != count - 4) {
            return 0;
        }
        add(c, 1, w[1 + w[0]]);
        add(c, 2, w[2 + w[0]]);
        return 1;
    }
}

/* The machine makes the first thread, which other engines do not tell. */
static int has_form(const weft_event *event)
{
    switch (event->kind) {
    case WEFT_EVENT_IMPORT_CALL:
    case WEFT_EVENT_KERNEL_CALL:
    case WEFT_EVENT_KERNEL_RETURN:
    case WEFT_EVENT_KERNEL_RETURN_VOID:
    case WEFT_EVENT_HANDLE_CREATE:
    case WEFT_EVENT_HANDLE_DESTROY:
    case WEFT_EVENT_THREAD_CREATE:
    case WEFT_EVENT_THREAD_EXIT:
    case WEFT_EVENT_WAIT_BEGIN:
        return event->category == WEFT_CLASS_GUEST && event->thread != 0;
    default:
        return 0;
    }
}

static int has_export(uint16_t kind)
{
    return kind == WEFT_EVENT_IMPORT_CALL || kind == WEFT_EVENT_KERNEL_CALL ||
           kind == WEFT_EVENT_KERNEL_RETURN || kind == WEFT_EVENT_KERNEL_RETURN_VOID;
}

/* What a whole event changes: names given out, and names that end with it. */
static void follow(canon_shared *c, const weft_event *event, const uint64_t *export_)
{
    const uint64_t *w = (const uint64_t *)(event + 1);
    uint64_t thread = event->thread;
    switch (event->kind) {
    case WEFT_EVENT_KERNEL_CALL:
        for (uint64_t i = 0; export_[1] & RELEASES && i < w[1]; i++) {
            live_map_remove(&c->names, w[2 + i]);
        }
        break;
    case WEFT_EVENT_HANDLE_CREATE:
        if (w[2] >= LEAST_HANDLE) {
            give_name(c, thread, w[2], NAME_HANDLE);
        }
        break;
    case WEFT_EVENT_HANDLE_DESTROY:
        live_map_remove(&c->names, w[1]);
        break;
    case WEFT_EVENT_THREAD_CREATE:
        if (w[4] >= LEAST_ADDRESS && !live_map_find(&c->names, w[4])) {
            give_name(c, thread, w[4], NAME_CONTEXT);
        } else if (w[4] >= LEAST_ADDRESS) { /* it keeps the name that it has */
            counters *of = counters_of(c, thread);
            if (of) {
                of->given[NAME_CONTEXT]++;
            }
        }
        break;
    default:
        break;
    }
}

static int reserve(canon_shared *c, uint32_t count)
{
    if (count >= c->words_room) {
        uint32_t room = count < 256 ? 512 : count * 2;
        uint64_t *words = realloc(c->words, room * sizeof *words);
        c->words = words ? words : c->words;
        uint8_t *fields = realloc(c->fields, room);
        c->fields = fields ? fields : c->fields;
        if (!words || !fields) {
            c->no_memory = 1;
            return 0;
        }
        c->words_room = room;
    }
    return 1;
}

/* An allocator's answer, which goes by its new name in its own event already. */
static void learn_answer(canon_shared *c, const weft_event *event, const uint64_t *export_)
{
    uint32_t count;
    const uint64_t *w = weft_trace_words(event, &count);
    if (event->kind == WEFT_EVENT_KERNEL_RETURN && count == 2 && export_[1] & ALLOCATES &&
        w[1] != 0) {
        give_name(c, event->thread, w[1], NAME_ALLOCATION);
    }
}

int canon_shared_add(canon_shared *c, const weft_trace *trace, const weft_event *event,
                     uint64_t *hash)
{
    uint64_t export_[2] = {0, 0};
    uint32_t count;
    const uint64_t *w = weft_trace_words(event, &count);
    if (!has_form(event) || !reserve(c, count + 2)) {
        return 0;
    }
    if (has_export(event->kind) && count > 0) {
        export_of(c, trace, w[0], export_);
    }
    learn_answer(c, event, export_);
    c->used = 0;
    add(c, 0,
        event->kind == WEFT_EVENT_KERNEL_RETURN_VOID ? WEFT_EVENT_KERNEL_RETURN : event->kind);
    if (gather(c, event, export_)) {
        follow(c, event, export_);
    } else { /* word by word */
        c->used = 1;
        for (uint32_t i = 0; i < count; i++) {
            add(c, UINT8_MAX, w[i]);
        }
    }
    *hash = XXH3_64bits(c->words, c->used * sizeof *c->words);
    return 1;
}

const uint64_t *canon_shared_words(const canon_shared *c, const uint8_t **fields, uint32_t *count)
{
    *fields = c->fields;
    *count = c->used;
    return c->words;
}

int canon_shared_no_memory(const canon_shared *c)
{
    return c->no_memory;
}

canon_shared *canon_shared_new(void)
{
    return calloc(1, sizeof(canon_shared));
}

static int copy_map(live_map *to, const live_map *from)
{
    *to = *from;
    to->entries = NULL;
    if (from->room) {
        to->entries = malloc(from->room * sizeof *to->entries);
        if (!to->entries) {
            return 0;
        }
        memcpy(to->entries, from->entries, from->room * sizeof *to->entries);
    }
    return 1;
}

canon_shared *canon_shared_clone(const canon_shared *from)
{
    canon_shared *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    c->no_memory = from->no_memory;
    c->counts = malloc((from->room + 1) * sizeof *c->counts);
    if (!c->counts || !copy_map(&c->exports, &from->exports) ||
        !copy_map(&c->names, &from->names) || !copy_map(&c->threads, &from->threads)) {
        canon_shared_free(c);
        return NULL;
    }
    if (from->count) {
        memcpy(c->counts, from->counts, from->count * sizeof *c->counts);
    }
    c->count = from->count;
    c->room = from->room;
    return c;
}

void canon_shared_free(canon_shared *c)
{
    if (c) {
        free(c->exports.entries);
        free(c->names.entries);
        free(c->threads.entries);
        free(c->counts);
        free(c->words);
        free(c->fields);
        free(c);
    }
}
