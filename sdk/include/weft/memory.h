/* weft/memory.h: the guest's address space.
 *
 * The kernel plugin declares views (ranges of the 4 GiB of guest addresses with their backing); the
 * host maps them. The page table, one record per 4 KiB of guest addresses, is the truth about
 * access; nothing is protected by the host's MMU, so every engine checks `access` before it touches
 * memory for the guest:
 *
 *     load   allowed when (access[ea >> 12] & (WEFT_PAGE_READ | WEFT_PAGE_MMIO)) == WEFT_PAGE_READ
 *     store  allowed when (access[ea >> 12] & (WEFT_PAGE_WRITE | WEFT_PAGE_MMIO | WEFT_PAGE_WATCH))
 *            == WEFT_PAGE_WRITE
 *
 * An access that crosses a page checks both. Otherwise the slow path: MMIO goes to the kernel's
 * callback; a store to a watched page is done and followed by `written`; the rest is a guest fault.
 *
 * `base + ea` is always writable for the kernel, the GPU and loaders, whatever `access` says; they
 * call `written` afterwards, which drops decoded code, watches and reservations over the range.
 * Host addresses beyond a view's end are reserved but not mapped: check ranges first
 * (weft_memory_ok). Guest memory is big-endian; touch it through the helpers below. */
#ifndef WEFT_MEMORY_H
#define WEFT_MEMORY_H

#include <string.h>

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_PAGE_SIZE  UINT32_C(4096)
#define WEFT_PAGE_SHIFT 12
#define WEFT_PAGE_COUNT UINT32_C(0x100000)

/* Bits of weft_memory.access[page]. 0: nothing is mapped there for the guest. */
#define WEFT_PAGE_READ  UINT8_C(1)
#define WEFT_PAGE_WRITE UINT8_C(2)
#define WEFT_PAGE_MMIO  UINT8_C(4) /* accesses go to the kernel plugin's mmio callback */
#define WEFT_PAGE_WATCH UINT8_C(8) /* somebody holds something derived from it: stores report */

/* A range of guest addresses with its backing. Views with the same `backing` bytes alias. */
typedef struct weft_view {
    uint32_t size;    /* sizeof(weft_view) */
    uint32_t base;    /* first guest address; 4 KiB aligned */
    uint64_t length;  /* bytes, 4 KiB multiple; base + length <= 4 GiB */
    uint64_t backing; /* WEFT_BACKING_PRIVATE, or the offset in physical memory it shows */
    const char *name; /* for messages and `weft info`; lives as long as the memory */
} weft_view;
#define WEFT_BACKING_PRIVATE UINT64_MAX

/* Told after bytes changed behind an engine's or GPU's back. start..start+length lies in one view.
 * Views that alias are reported once each where they are watched. [guest] */
typedef void (*weft_written_fn)(void *context, uint32_t start, uint32_t length);

/* The memory service; one per machine, owned by the host. Data members are read by anyone, and
 * change only through the ops. */
typedef struct weft_memory {
    uint32_t size;           /* sizeof(weft_memory) */
    uint32_t physical_size;  /* bytes behind `physical`; 0 until declare_physical */
    uint8_t *base;           /* host address of guest address 0 */
    uint8_t *physical;       /* host address of physical address 0 */
    const uint8_t *access;   /* WEFT_PAGE_COUNT bytes of WEFT_PAGE_* bits */
    const uint32_t *version; /* WEFT_PAGE_COUNT counters: +1 for every reported write to the page */
    void *impl;              /* the host's */

    /* Allots `bytes` of zeroed physical memory. Once, before any view that shows it. Errors:
     * STATE, NO_MEMORY. [main][guest] */
    weft_status (*declare_physical)(struct weft_memory *memory, uint32_t bytes);

    /* Maps a view, with no access. Errors: INVALID (range, overlap), NO_MEMORY. [main][guest] */
    weft_status (*view_add)(struct weft_memory *memory, const weft_view *view);

    /* Gives pages access (READ|WRITE bits; 0 takes them away). WATCH bits stay. Start and length are
     * 4 KiB multiples inside one view. Contents stay. [guest] */
    weft_status (*protect)(struct weft_memory *memory, uint32_t start, uint32_t length,
                           uint8_t access);

    /* Zeroes pages and gives the storage back to the host; access and versions change as if written.
     * [guest] */
    weft_status (*discard)(struct weft_memory *memory, uint32_t start, uint32_t length);

    /* Marks pages as MMIO. No view may lie there. [main][guest] */
    weft_status (*mmio_add)(struct weft_memory *memory, uint32_t start, uint32_t length);

    /* Asks to be told of writes to the pages of a range: sets WATCH on them and on every alias until
     * the next reported write there, which clears it before the listeners run. In parallel mode also
     * without the dispatcher lock. [guest] */
    weft_status (*watch)(struct weft_memory *memory, uint32_t start, uint32_t length);

    /* Registers a listener for writes to watched pages. At most 8. [main] */
    weft_status (*listen)(struct weft_memory *memory, weft_written_fn fn, void *context);

    /* Bytes changed: bumps versions of the pages and their aliases, tells listeners where WATCH was
     * set. Called after every store by kernel, GPU or loader, and by an engine after a store to a
     * page with WATCH. Costs one byte test per page when nobody watches. [guest] */
    void (*written)(struct weft_memory *memory, uint32_t start, uint32_t length);

    /* As `written`, for a range of physical memory. [guest] */
    void (*written_physical)(struct weft_memory *memory, uint32_t start, uint32_t length);

    /* A 64-bit XXH3 over (address, bytes) of all pages that hold a non-zero byte, in address order,
     * each backing page once. Equal for equal contents whatever was mapped in what order. [guest] */
    uint64_t (*digest)(struct weft_memory *memory);

    /* Takes a listener back; nothing happens where there is none such. An instance that listens calls
     * it before it ends. [main] */
    void (*unlisten)(struct weft_memory *memory, weft_written_fn fn, void *context);

    /* As `watch`, for a range of physical memory: every page that shows it. Pages that no view shows
     * are left out: nobody can write them but through `physical`. [any] */
    weft_status (*watch_physical)(struct weft_memory *memory, uint32_t start, uint32_t length);

    /* The physical address behind a guest address, or WEFT_NOT_PHYSICAL. [any] */
    uint32_t (*physical_of)(struct weft_memory *memory, uint32_t address);
} weft_memory;
#define WEFT_NOT_PHYSICAL UINT32_MAX

WEFT_STATIC_ASSERT(sizeof(weft_view) == 32, "ABI: weft_view");
WEFT_STATIC_ASSERT(offsetof(weft_memory, base) == 8, "ABI: weft_memory.base");
WEFT_STATIC_ASSERT(sizeof(weft_memory) == 152, "ABI: weft_memory");

/* True when every page of [start, start+length) has all bits of `access` and none is MMIO; length 0
 * is fine anywhere. [any] */
static inline int weft_memory_ok(const weft_memory *memory, uint32_t start, uint32_t length,
                                 uint8_t access)
{
    if (length == 0) {
        return 1;
    }
    uint64_t last = (uint64_t)start + length - 1;
    if (last > UINT32_MAX) {
        return 0;
    }
    for (uint32_t page = start >> WEFT_PAGE_SHIFT; page <= (uint32_t)(last >> WEFT_PAGE_SHIFT);
         page++) {
        uint8_t now = __atomic_load_n(&memory->access[page], __ATOMIC_RELAXED);
        if ((now & (access | WEFT_PAGE_MMIO)) != access) {
            return 0;
        }
    }
    return 1;
}

/* Guest memory changes under its readers in parallel mode. A host does each of the moves below in one
 * piece where it is aligned, as a relaxed atomic; only the thread sanitizer has to be told. */
#if defined(__SANITIZE_THREAD__)
#define WEFT_MOVE_IN(v, p)                                                                         \
    ((uintptr_t)(p) % sizeof(v)                                                                    \
         ? (void)memcpy(&(v), (p), sizeof(v))                                                      \
         : __atomic_load((const __typeof__(v) *)(p), &(v), __ATOMIC_RELAXED))
#define WEFT_MOVE_OUT(p, v)                                                                        \
    ((uintptr_t)(p) % sizeof(v) ? (void)memcpy((p), &(v), sizeof(v))                               \
                                : __atomic_store((__typeof__(v) *)(p), &(v), __ATOMIC_RELAXED))
#else
#define WEFT_MOVE_IN(v, p)  memcpy(&(v), (p), sizeof(v))
#define WEFT_MOVE_OUT(p, v) memcpy((p), &(v), sizeof(v))
#endif

/* Big-endian loads and stores at any alignment. [any] */
static inline uint16_t weft_load16(const void *p)
{
    uint16_t v;
    WEFT_MOVE_IN(v, p);
    return __builtin_bswap16(v);
}

static inline uint32_t weft_load32(const void *p)
{
    uint32_t v;
    WEFT_MOVE_IN(v, p);
    return __builtin_bswap32(v);
}

static inline uint64_t weft_load64(const void *p)
{
    uint64_t v;
    WEFT_MOVE_IN(v, p);
    return __builtin_bswap64(v);
}

static inline void weft_store16(void *p, uint16_t value)
{
    value = __builtin_bswap16(value);
    WEFT_MOVE_OUT(p, value);
}

static inline void weft_store32(void *p, uint32_t value)
{
    value = __builtin_bswap32(value);
    WEFT_MOVE_OUT(p, value);
}

static inline void weft_store64(void *p, uint64_t value)
{
    value = __builtin_bswap64(value);
    WEFT_MOVE_OUT(p, value);
}

#ifdef __cplusplus
}
#endif
#endif
