/* Heaps over the guest's address space: which pages are reserved, committed and how protected.
 *
 * Placement follows the public description of the console's memory as xenia implements it
 * (src/xenia/memory.cc), since titles compare and pack pointers: virtual memory grows upwards
 * unless MEM_TOP_DOWN is given, physical memory always downwards. Page tables here say what the
 * title asked for; the host's access map follows them. Pages that nobody has committed hold zeros.
 */
#include "mm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_PAGE         UINT32_MAX
#define STATE_FREE      0
#define STATE_RESERVED  1
#define STATE_COMMITTED 2

/* What a region is for: who may free it and how its protection is known. */
#define KIND_TITLE  0
#define KIND_STACK  1
#define KIND_POOL   2
#define KIND_IMAGE  3 /* protection is the host's access map: the loader sets it per section */
#define KIND_KERNEL 4

enum { HEAP_V0, HEAP_V4, HEAP_V8, HEAP_V9, HEAP_A, HEAP_C, HEAP_E, HEAP_PHYSICAL, HEAP_COUNT };

typedef struct page {
    uint32_t first; /* first page of its region */
    uint32_t count; /* pages of the region; in its first page only */
    uint16_t allocation_protect, protect;
    uint8_t state, kind;
} page;

typedef struct heap {
    uint32_t base, page_size, page_count;
    uint32_t physical; /* physical address of `base`, UINT32_MAX for virtual heaps */
    page *pages;
} heap;

/* One row a heap; the order is that of the enum. `physical` UINT32_MAX: private memory. */
static const struct {
    uint32_t base, length, page_size, physical;
    const char *name;
} layout[HEAP_COUNT] = {
    {0x00000000, 0x40000000, 0x1000, UINT32_MAX, "virtual 4 KiB"},
    {0x40000000, 0x3F000000, 0x10000, UINT32_MAX, "virtual 64 KiB"},
    {0x80000000, 0x10000000, 0x10000, UINT32_MAX, "image 64 KiB"},
    {0x90000000, 0x10000000, 0x1000, UINT32_MAX, "image 4 KiB"},
    {0xA0000000, 0x20000000, 0x10000, 0x00000000, "physical 64 KiB"},
    {0xC0000000, 0x20000000, 0x1000000, 0x00000000, "physical 16 MiB"},
    {0xE0000000, 0x1FD00000, 0x1000, 0x00001000, "physical 4 KiB"},
    {0x00000000, MM_PHYSICAL_BYTES, 0x1000, 0x00000000, "physical"},
};

struct mm {
    kernel *k;
    weft_memory *memory;
    heap heaps[HEAP_COUNT];
    uint32_t used; /* committed 4 KiB pages */
};

/* ---- names ----------------------------------------------------------------------------------- */

void mm_place(mm *m, uint32_t address, char *text, size_t capacity)
{
    for (kmodule *module = m->k->modules; module; module = module->next) {
        if (address - module->base < module->size) {
            snprintf(text, capacity, "%s+0x%x", module->name, address - module->base);
            return;
        }
    }
    for (kthread *thread = m->k->threads; thread; thread = thread->next) {
        if (thread->state != WEFT_THREAD_TERMINATED &&
            address - thread->stack_base < thread->stack_size) {
            snprintf(text, capacity, "stack:%s+0x%x", thread->name, address - thread->stack_base);
            return;
        }
    }
    /* Physical memory is named by the view that it was allocated in, whichever view is used. */
    uint32_t physical = mm_physical(m, address);
    const kallocation *found = physical == UINT32_MAX ? kallocation_around(m->k, address) : NULL;
    for (int h = HEAP_A; physical != UINT32_MAX && !found && h <= HEAP_E; h++) {
        address = layout[h].base + physical - layout[h].physical;
        found = physical >= layout[h].physical ? kallocation_around(m->k, address) : NULL;
    }
    if (found) {
        char name[96];
        kallocation_name(found, name, sizeof name);
        snprintf(text, capacity, "%s+0x%x", name, address - found->address);
    } else if (physical != UINT32_MAX) {
        snprintf(text, capacity, "physical+0x%x", physical);
    } else if (address >= MM_KERNEL_START && address < MM_KERNEL_END) {
        snprintf(text, capacity, "kernel+0x%x", address - MM_KERNEL_START);
    } else {
        snprintf(text, capacity, "address+0x%x", address);
    }
}

/* ---- pages ----------------------------------------------------------------------------------- */

static uint8_t access_of(uint32_t protect)
{
    if (protect & MM_PAGE_GUARD) {
        return 0;
    }
    if (protect & (MM_PAGE_READWRITE | MM_PAGE_WRITECOPY | MM_PAGE_EXECUTE_READWRITE |
                   MM_PAGE_EXECUTE_WRITECOPY)) {
        return WEFT_PAGE_READ | WEFT_PAGE_WRITE;
    }
    return protect & (MM_PAGE_READONLY | MM_PAGE_EXECUTE | MM_PAGE_EXECUTE_READ) ? WEFT_PAGE_READ
                                                                                 : 0;
}

static bool protect_valid(uint32_t protect)
{
    uint32_t kind = protect & 0xFF;
    return kind != 0 && (kind & (kind - 1)) == 0;
}

/* The heap that an address belongs to, or NULL. */
static heap *heap_of(mm *m, uint32_t address)
{
    for (int h = 0; h < HEAP_PHYSICAL; h++) {
        if (address - layout[h].base < layout[h].length) {
            return &m->heaps[h];
        }
    }
    return NULL;
}

static bool heap_is_virtual(const mm *m, const heap *h)
{
    return h == &m->heaps[HEAP_V0] || h == &m->heaps[HEAP_V4];
}

static uint32_t page_of(const heap *h, uint32_t address)
{
    return (address - h->base) / h->page_size;
}

static uint32_t address_of(const heap *h, uint32_t index)
{
    return h->base + index * h->page_size;
}

/* Finds `count` free pages within [low, end) whose first is a multiple of `stride`. Walks over
 * whole regions, so that its cost is their number. */
static uint32_t find_free(const heap *h, uint32_t low, uint32_t end, uint32_t count,
                          uint32_t stride, bool top_down)
{
    if (end > h->page_count) {
        end = h->page_count;
    }
    if (count == 0 || end < low || end - low < count) {
        return NO_PAGE;
    }
    uint32_t at = top_down ? (end - count) / stride * stride
                           : (uint32_t)(((uint64_t)low + stride - 1) / stride * stride);
    while (at >= low && at <= end - count) {
        uint32_t busy = NO_PAGE;
        for (uint32_t i = at; i < at + count && busy == NO_PAGE; i++) {
            busy = h->pages[i].state != STATE_FREE ? i : NO_PAGE;
        }
        if (busy == NO_PAGE) {
            return at;
        }
        uint32_t first = h->pages[busy].first;
        if (top_down) {
            if (first < count) {
                return NO_PAGE;
            }
            at = (first - count) / stride * stride;
        } else {
            uint64_t next = (uint64_t)first + h->pages[first].count + stride - 1;
            if (next / stride * stride > UINT32_MAX) {
                return NO_PAGE;
            }
            at = (uint32_t)(next / stride * stride);
        }
    }
    return NO_PAGE;
}

static void region_set(heap *h, uint32_t first, uint32_t count, uint8_t state, uint32_t protect,
                       uint8_t kind)
{
    for (uint32_t i = first; i < first + count; i++) {
        h->pages[i] = (page){
            .first = first,
            .count = i == first ? count : 0,
            .allocation_protect = (uint16_t)(protect & 0x7FF),
            .protect = (uint16_t)(protect & 0x7FF),
            .state = state,
            .kind = kind,
        };
    }
}

/* Gives guest access to a range of a virtual heap, or of physical memory through all its views: the
 * console's three windows show the same page, and titles mix them. */
static void access_set(mm *m, const heap *h, uint32_t first, uint32_t count, uint8_t access)
{
    if (h->physical == UINT32_MAX) {
        m->memory->protect(m->memory, address_of(h, first), count * h->page_size, access);
        return;
    }
    uint32_t start = h->physical + first * h->page_size;
    uint64_t end = (uint64_t)start + (uint64_t)count * h->page_size;
    for (int v = HEAP_A; v <= HEAP_E; v++) {
        uint64_t low = start > layout[v].physical ? start : layout[v].physical;
        uint64_t top = (uint64_t)layout[v].physical + layout[v].length;
        uint64_t high = end < top ? end : top;
        if (low < high) {
            m->memory->protect(m->memory, (uint32_t)(layout[v].base + low - layout[v].physical),
                               (uint32_t)(high - low), access);
        }
    }
}

/* Takes access away and leaves zeros. */
static void storage_drop(mm *m, const heap *h, uint32_t first, uint32_t count)
{
    access_set(m, h, first, count, 0);
    uint32_t address = address_of(h, first);
    if (h->physical != UINT32_MAX) {
        address = layout[HEAP_A].base + h->physical + first * h->page_size;
    }
    m->memory->discard(m->memory, address, count * h->page_size);
}

uint32_t mm_pages_used(mm *m)
{
    return m->used;
}

uint32_t mm_pages_free(mm *m)
{
    return MM_PHYSICAL_BYTES / WEFT_PAGE_SIZE - m->used;
}

/* Commits pages of a reserved range; those that are committed already only change protection.
 * False: more than the console has. */
static bool commit(mm *m, heap *h, uint32_t first, uint32_t count, uint32_t protect)
{
    uint32_t fresh = 0, small = h->page_size / WEFT_PAGE_SIZE;
    for (uint32_t i = first; i < first + count; i++) {
        fresh += h->pages[i].state == STATE_COMMITTED ? 0 : small;
    }
    if (fresh > mm_pages_free(m)) {
        return false;
    }
    m->used += fresh;
    for (uint32_t i = first; i < first + count; i++) {
        h->pages[i].state = STATE_COMMITTED;
        h->pages[i].protect = (uint16_t)(protect & 0x7FF);
    }
    access_set(m, h, first, count, access_of(protect));
    return true;
}

static void decommit(mm *m, heap *h, uint32_t first, uint32_t count)
{
    uint32_t end = first + count, small = h->page_size / WEFT_PAGE_SIZE;
    for (uint32_t i = first; i < end;) {
        uint32_t run = i;
        while (run < end && h->pages[run].state == STATE_COMMITTED) {
            h->pages[run].state = STATE_RESERVED;
            run++;
        }
        if (run > i) {
            m->used -= (run - i) * small;
            storage_drop(m, h, i, run - i);
        }
        i = run > i ? run : i + 1;
    }
}

static void release(mm *m, heap *h, uint32_t first)
{
    uint32_t count = h->pages[first].count;
    decommit(m, h, first, count);
    memset(&h->pages[first], 0, count * sizeof *h->pages);
}

/* Reserves and commits pages anywhere in a virtual heap's range. */
static uint32_t place(mm *m, heap *h, uint32_t low, uint32_t end, uint32_t size, uint32_t protect,
                      uint8_t kind)
{
    uint32_t count = (uint32_t)(((uint64_t)size + h->page_size - 1) / h->page_size);
    uint32_t at = find_free(h, page_of(h, low), page_of(h, end), count, 1, false);
    if (at == NO_PAGE) {
        return 0;
    }
    region_set(h, at, count, STATE_RESERVED, protect, kind);
    if (!commit(m, h, at, count, protect)) {
        release(m, h, at);
        return 0;
    }
    return address_of(h, at);
}

/* Says that a thread, or the kernel itself, was given memory. */
static void given(mm *m, const kthread *owner, uint32_t address, uint32_t size, uint32_t what)
{
    kallocation_add(m->k, owner, kcall_site(owner), address, size, what);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* What is taken before the title starts, as physical addresses (xenia src/xenia/memory.cc): the
 * GPU's write-back memory, and 0x350000 bytes at the top that belong to the system. */
static const struct {
    uint32_t base, length;
    uint8_t state;
} reserved_physical[] = {
    {0x00000000, 0x01000000, STATE_COMMITTED},
    {0x1FCB0000, 0x00350000, STATE_RESERVED},
};

static bool views_declare(mm *m)
{
    const weft_host *host = m->k->host;
    if (m->memory->declare_physical(m->memory, MM_PHYSICAL_BYTES) != WEFT_OK) {
        host->fail(host, WEFT_E_NO_MEMORY, "guest memory: 512 MiB of physical memory refused");
        return false;
    }
    for (int h = 0; h < HEAP_PHYSICAL; h++) {
        weft_view view = {
            .size = sizeof view,
            .base = layout[h].base,
            .length = layout[h].length,
            .backing = layout[h].physical == UINT32_MAX ? WEFT_BACKING_PRIVATE : layout[h].physical,
            .name = layout[h].name,
        };
        weft_status status = m->memory->view_add(m->memory, &view);
        if (status != WEFT_OK) {
            char text[160];
            snprintf(text, sizeof text, "guest memory: view \"%s\" at 0x%08x refused (%s)",
                     view.name, view.base, weft_status_name(status));
            host->fail(host, status, text);
            return false;
        }
    }
    return true;
}

mm *mm_create(kernel *k)
{
    mm *m = calloc(1, sizeof *m);
    if (!m) {
        return NULL;
    }
    m->k = k;
    m->memory = k->memory;
    for (int i = 0; i < HEAP_COUNT; i++) {
        m->heaps[i] = (heap){
            .base = layout[i].base,
            .page_size = layout[i].page_size,
            .page_count = layout[i].length / layout[i].page_size,
            .physical = layout[i].physical,
            .pages = calloc(layout[i].length / layout[i].page_size, sizeof(page)),
        };
        if (!m->heaps[i].pages) {
            mm_destroy(m);
            return NULL;
        }
    }
    if (!views_declare(m)) {
        mm_destroy(m);
        return NULL;
    }

    region_set(&m->heaps[HEAP_V0], 0, 0x10000 / WEFT_PAGE_SIZE, STATE_RESERVED, MM_PAGE_NOACCESS,
               KIND_KERNEL);
    heap *images = &m->heaps[HEAP_V8];
    uint32_t start = page_of(images, MM_KERNEL_START), end = page_of(images, MM_KERNEL_END);
    region_set(images, 0, start, STATE_RESERVED, MM_PAGE_NOACCESS, KIND_KERNEL);
    region_set(images, start, end - start, STATE_RESERVED, MM_PAGE_READWRITE, KIND_KERNEL);
    commit(m, images, start, end - start, MM_PAGE_READWRITE);
    heap *physical = &m->heaps[HEAP_PHYSICAL];
    for (size_t i = 0; i < sizeof reserved_physical / sizeof reserved_physical[0]; i++) {
        uint32_t first = reserved_physical[i].base / WEFT_PAGE_SIZE;
        uint32_t count = reserved_physical[i].length / WEFT_PAGE_SIZE;
        region_set(physical, first, count, STATE_RESERVED, MM_PAGE_READWRITE, KIND_KERNEL);
        if (reserved_physical[i].state == STATE_COMMITTED) {
            commit(m, physical, first, count, MM_PAGE_READWRITE);
        } else {
            m->used += count; /* the system's: nothing there for the title, but not free either */
        }
    }
    return m;
}

void mm_destroy(mm *m)
{
    if (!m) {
        return;
    }
    for (int i = 0; i < HEAP_COUNT; i++) {
        free(m->heaps[i].pages);
    }
    kallocations_free(m->k);
    free(m);
}

/* ---- virtual memory -------------------------------------------------------------------------- */

/* The pages that [base, base+size) touches. False: not inside the heap, or nothing. */
static bool page_range(const heap *h, uint32_t base, uint32_t size, uint32_t *first,
                       uint32_t *count)
{
    if (!h || size == 0) {
        return false;
    }
    uint64_t start = (base - h->base) / h->page_size;
    uint64_t last = ((uint64_t)(base - h->base) + size - 1) / h->page_size;
    if (last >= h->page_count) {
        return false;
    }
    *first = (uint32_t)start;
    *count = (uint32_t)(last - start + 1);
    return true;
}

static bool range_has(const heap *h, uint32_t first, uint32_t count, uint8_t least, uint8_t most)
{
    for (uint32_t i = first; i < first + count; i++) {
        if (h->pages[i].state < least || h->pages[i].state > most) {
            return false;
        }
    }
    return true;
}

static kstatus alloc_anywhere(mm *m, kthread *owner, uint32_t *base, uint32_t *size, uint32_t type,
                              uint32_t protect)
{
    heap *h = &m->heaps[type & (MM_LARGE_PAGES | MM_16MB_PAGES) ? HEAP_V4 : HEAP_V0];
    uint64_t bytes = ((uint64_t)*size + h->page_size - 1) / h->page_size * h->page_size;
    if (bytes > (uint64_t)h->page_count * h->page_size) {
        return STATUS_NO_MEMORY;
    }
    uint32_t count = (uint32_t)(bytes / h->page_size);
    /* The last page of a heap is never handed out (xenia: its search ends one page early). */
    uint32_t at = find_free(h, 0, h->page_count - 1, count, 1, (type & MM_TOP_DOWN) != 0);
    if (at == NO_PAGE) {
        return STATUS_NO_MEMORY;
    }
    region_set(h, at, count, STATE_RESERVED, protect, KIND_TITLE);
    if ((type & MM_COMMIT) && !commit(m, h, at, count, protect)) {
        release(m, h, at);
        return STATUS_NO_MEMORY;
    }
    given(m, owner, address_of(h, at), (uint32_t)bytes, KALLOCATION_VIRTUAL);
    *base = address_of(h, at);
    *size = (uint32_t)bytes;
    return STATUS_SUCCESS;
}

kstatus mm_virtual_alloc(mm *m, kthread *owner, uint32_t *base, uint32_t *size, uint32_t type,
                         uint32_t protect)
{
    if (*size == 0 || !(type & (MM_COMMIT | MM_RESERVE | MM_RESET)) ||
        ((type & MM_RESET) && (type & ~MM_RESET))) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!protect_valid(protect)) {
        return STATUS_INVALID_PAGE_PROTECTION;
    }
    if (*base == 0) {
        return type & MM_RESET ? STATUS_INVALID_PARAMETER
                               : alloc_anywhere(m, owner, base, size, type, protect);
    }

    /* A given base decides the page size, whatever the flags say (xenia xboxkrnl_memory.cc). */
    heap *h = heap_of(m, *base);
    uint32_t first, count;
    if (!h || !heap_is_virtual(m, h) || !page_range(h, *base, *size, &first, &count)) {
        return STATUS_INVALID_PARAMETER;
    }
    bool unused = range_has(h, first, count, STATE_FREE, STATE_FREE);
    bool known = range_has(h, first, count, STATE_RESERVED, STATE_COMMITTED);
    if (type & MM_RESET) {
        return known ? STATUS_SUCCESS : STATUS_CONFLICTING_ADDRESSES;
    }
    /* MEM_COMMIT alone on free memory reserves it too; titles rely on it (xenia memory.cc). */
    bool reserve = (type & MM_RESERVE) || unused;
    if (reserve ? !unused : !known) {
        return STATUS_CONFLICTING_ADDRESSES;
    }
    for (uint32_t i = first; i < first + count; i++) {
        if (h->pages[i].state != STATE_FREE && h->pages[i].kind != KIND_TITLE) {
            return STATUS_CONFLICTING_ADDRESSES;
        }
    }
    if (reserve) {
        region_set(h, first, count, STATE_RESERVED, protect, KIND_TITLE);
    }
    if ((type & MM_COMMIT) && !commit(m, h, first, count, protect)) {
        if (reserve) {
            release(m, h, first);
        }
        return STATUS_NO_MEMORY;
    }
    *base = address_of(h, first);
    *size = count * h->page_size;
    if (reserve) {
        given(m, owner, *base, *size, KALLOCATION_VIRTUAL);
    }
    return STATUS_SUCCESS;
}

kstatus mm_virtual_free(mm *m, uint32_t *base, uint32_t *size, uint32_t type)
{
    heap *h = heap_of(m, *base);
    if (!h || !heap_is_virtual(m, h) || (type != MM_DECOMMIT && type != MM_RELEASE)) {
        return STATUS_INVALID_PARAMETER;
    }
    uint32_t first = page_of(h, *base), count = 0;
    const page *start = &h->pages[first];
    if (start->state == STATE_FREE || start->kind != KIND_TITLE) {
        return STATUS_MEMORY_NOT_ALLOCATED;
    }
    bool whole = *size == 0;
    if (whole && start->first != first) {
        return STATUS_FREE_VM_NOT_AT_BASE;
    }
    if (type == MM_RELEASE) {
        /* The size is not looked at: the whole region goes, as on the console (xenia). */
        if (start->first != first) {
            return STATUS_FREE_VM_NOT_AT_BASE;
        }
        count = start->count;
        kallocation_remove(m->k, address_of(h, first));
        release(m, h, first);
    } else {
        if (whole) {
            count = start->count;
        } else if (!page_range(h, *base, *size, &first, &count)) {
            return STATUS_INVALID_PARAMETER;
        }
        uint32_t region = h->pages[first].first;
        if (first + count > region + h->pages[region].count) {
            return STATUS_UNABLE_TO_FREE_VM;
        }
        decommit(m, h, first, count);
    }
    *base = address_of(h, first);
    *size = count * h->page_size;
    return STATUS_SUCCESS;
}

/* All pages committed and of one region that is not the kernel's. */
static kstatus protect_check(const heap *h, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        if (h->pages[i].state != STATE_COMMITTED) {
            return STATUS_NOT_COMMITTED;
        }
        if (h->pages[i].first != h->pages[first].first || h->pages[i].kind == KIND_KERNEL) {
            return STATUS_CONFLICTING_ADDRESSES;
        }
    }
    return STATUS_SUCCESS;
}

static void protect_pages(mm *m, heap *h, uint32_t first, uint32_t count, uint32_t protect)
{
    for (uint32_t i = first; i < first + count; i++) {
        h->pages[i].protect = (uint16_t)(protect & 0x7FF);
    }
    access_set(m, h, first, count, access_of(protect));
    if (h->physical != UINT32_MAX && h != &m->heaps[HEAP_PHYSICAL]) {
        uint32_t small = h->page_size / WEFT_PAGE_SIZE;
        uint32_t start = h->physical / WEFT_PAGE_SIZE + first * small;
        for (uint32_t i = start; i < start + count * small; i++) {
            m->heaps[HEAP_PHYSICAL].pages[i].protect = (uint16_t)(protect & 0x7FF);
        }
    }
}

kstatus mm_virtual_protect(mm *m, uint32_t *base, uint32_t *size, uint32_t protect, uint32_t *old)
{
    heap *h = heap_of(m, *base);
    uint32_t first, count;
    if (!h || !heap_is_virtual(m, h) || !page_range(h, *base, *size, &first, &count)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!protect_valid(protect)) {
        return STATUS_INVALID_PAGE_PROTECTION;
    }
    kstatus status = protect_check(h, first, count);
    if (status != STATUS_SUCCESS) {
        return status;
    }
    *old = h->pages[first].protect;
    protect_pages(m, h, first, count, protect);
    *base = address_of(h, first);
    *size = count * h->page_size;
    return STATUS_SUCCESS;
}

/* ---- physical memory ------------------------------------------------------------------------- */

uint32_t mm_physical(mm *m, uint32_t address)
{
    const heap *h = heap_of(m, address);
    return h && h->physical != UINT32_MAX ? h->physical + (address - h->base) : UINT32_MAX;
}

uint32_t mm_physical_alloc(mm *m, kthread *owner, uint32_t size, uint32_t protect, uint32_t minimum,
                           uint32_t maximum, uint32_t alignment)
{
    if (!(protect & (MM_PAGE_READONLY | MM_PAGE_READWRITE)) || size == 0 ||
        size > MM_PHYSICAL_BYTES || alignment > MM_PHYSICAL_BYTES) {
        return 0;
    }
    int which = protect & MM_LARGE_PAGES ? HEAP_A : protect & MM_16MB_PAGES ? HEAP_C : HEAP_E;
    heap *view = &m->heaps[which], *physical = &m->heaps[HEAP_PHYSICAL];
    uint64_t bytes = ((uint64_t)size + view->page_size - 1) / view->page_size * view->page_size;
    uint64_t align = ((uint64_t)alignment + view->page_size - 1) / view->page_size;
    align = (align ? align : 1) * view->page_size;

    /* Bounds are inclusive; an upper bound counts as the end of its aligned unit (xenia). */
    uint64_t low = minimum > view->physical ? minimum : view->physical;
    uint64_t top = view->physical + (uint64_t)view->page_count * view->page_size;
    uint64_t high = maximum < top - 1 ? maximum : top - 1;
    high = (high + align - 1) / align * align;
    if (high > MM_PHYSICAL_BYTES - 1) {
        high = MM_PHYSICAL_BYTES - 1;
    }
    high = high / align * align;
    if (high > top) {
        high = top / align * align;
    }
    if (low >= high || bytes > high - low) {
        return 0;
    }
    uint32_t count = (uint32_t)(bytes / WEFT_PAGE_SIZE);
    uint32_t at = find_free(physical, (uint32_t)((low + WEFT_PAGE_SIZE - 1) / WEFT_PAGE_SIZE),
                            (uint32_t)(high / WEFT_PAGE_SIZE), count,
                            (uint32_t)(align / WEFT_PAGE_SIZE), true);
    if (at == NO_PAGE) {
        return 0;
    }
    region_set(physical, at, count, STATE_RESERVED, protect, KIND_TITLE);
    if (!commit(m, physical, at, count, protect)) {
        release(m, physical, at);
        return 0;
    }
    uint32_t first = (at * WEFT_PAGE_SIZE - view->physical) / view->page_size;
    region_set(view, first, (uint32_t)(bytes / view->page_size), STATE_COMMITTED, protect,
               KIND_TITLE);
    given(m, owner, address_of(view, first), (uint32_t)bytes, KALLOCATION_PHYSICAL);
    return address_of(view, first);
}

bool mm_physical_free(mm *m, uint32_t address)
{
    heap *view = heap_of(m, address), *physical = &m->heaps[HEAP_PHYSICAL];
    if (!view || view->physical == UINT32_MAX) {
        return false;
    }
    uint32_t first = page_of(view, address);
    if (view->pages[first].state == STATE_FREE || view->pages[first].first != first) {
        return false;
    }
    kallocation_remove(m->k, address_of(view, first));
    memset(&view->pages[first], 0, view->pages[first].count * sizeof *view->pages);
    release(m, physical, (view->physical + first * view->page_size) / WEFT_PAGE_SIZE);
    return true;
}

/* ---- questions ------------------------------------------------------------------------------- */

static uint32_t protect_of_access(uint8_t access)
{
    return access & WEFT_PAGE_WRITE  ? MM_PAGE_READWRITE
           : access & WEFT_PAGE_READ ? MM_PAGE_READONLY
                                     : MM_PAGE_NOACCESS;
}

uint32_t mm_protect_get(mm *m, uint32_t address)
{
    const heap *h = heap_of(m, address);
    if (!h) {
        return 0;
    }
    const page *p = &h->pages[page_of(h, address)];
    if (h->physical != UINT32_MAX && p->state == STATE_FREE) {
        /* through another view than the one it was allocated in */
        p = &m->heaps[HEAP_PHYSICAL].pages[mm_physical(m, address) / WEFT_PAGE_SIZE];
    }
    if (p->state != STATE_COMMITTED) {
        return 0;
    }
    return p->kind == KIND_IMAGE ? protect_of_access(m->memory->access[address >> WEFT_PAGE_SHIFT])
                                 : p->protect;
}

bool mm_protect_set(mm *m, uint32_t address, uint32_t size, uint32_t protect)
{
    heap *h = heap_of(m, address);
    uint32_t first, count;
    if (!protect_valid(protect) || !page_range(h, address, size, &first, &count) ||
        protect_check(h, first, count) != STATUS_SUCCESS) {
        return false;
    }
    protect_pages(m, h, first, count, protect);
    return true;
}

uint32_t mm_allocation_size(mm *m, uint32_t address)
{
    const heap *h = heap_of(m, address);
    if (!h) {
        return 0;
    }
    const page *p = &h->pages[page_of(h, address)];
    return p->state == STATE_FREE ? 0 : h->pages[p->first].count * h->page_size;
}

kstatus mm_query(mm *m, uint32_t address, mm_info *info)
{
    const heap *h = heap_of(m, address);
    if (!h) {
        return STATUS_INVALID_PARAMETER;
    }
    uint32_t first = page_of(h, address), end = first;
    const page *p = &h->pages[first];
    memset(info, 0, sizeof *info);
    info->base = address_of(h, first);
    while (end < h->page_count && h->pages[end].state == p->state &&
           (p->state == STATE_FREE ||
            (h->pages[end].first == p->first && h->pages[end].protect == p->protect))) {
        end++;
    }
    info->region_size = (end - first) * h->page_size;
    if (p->state == STATE_FREE) {
        info->state = MM_FREE;
        info->protect = MM_PAGE_NOACCESS;
        return STATUS_SUCCESS;
    }
    info->allocation_base = address_of(h, p->first);
    info->allocation_protect = p->allocation_protect;
    info->state = p->state == STATE_COMMITTED ? MM_COMMIT : MM_RESERVE;
    info->protect = p->state == STATE_COMMITTED ? mm_protect_get(m, address) : 0;
    info->type = MM_PRIVATE;
    return STATUS_SUCCESS;
}

/* ---- what the kernel itself needs ------------------------------------------------------------ */

kstatus mm_map_image(mm *m, const kthread *owner, uint32_t base, uint32_t size)
{
    heap *h = heap_of(m, base);
    uint32_t first, count;
    if (!h || h->physical != UINT32_MAX || base % WEFT_PAGE_SIZE != 0 ||
        !page_range(h, base, size, &first, &count)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!range_has(h, first, count, STATE_FREE, STATE_FREE)) {
        return STATUS_CONFLICTING_ADDRESSES;
    }
    region_set(h, first, count, STATE_RESERVED, MM_PAGE_READWRITE, KIND_IMAGE);
    if (!commit(m, h, first, count, MM_PAGE_READWRITE)) {
        release(m, h, first);
        return STATUS_NO_MEMORY;
    }
    given(m, owner, base, size, KALLOCATION_IMAGE);
    return STATUS_SUCCESS;
}

void mm_unmap_image(mm *m, uint32_t base)
{
    heap *h = heap_of(m, base);
    if (!h || h->physical != UINT32_MAX) {
        return;
    }
    uint32_t first = page_of(h, base);
    if (h->pages[first].state == STATE_COMMITTED && h->pages[first].first == first &&
        h->pages[first].kind == KIND_IMAGE) {
        kallocation_remove(m->k, base);
        release(m, h, first);
    }
}

/* Stacks lie in the 64 KiB heap with an inaccessible page on either side (xenia xthread.cc). */
uint32_t mm_stack_alloc(mm *m, const kthread *owner, uint32_t site, uint32_t size)
{
    heap *h = &m->heaps[HEAP_V4];
    if (size == 0 || size > MM_STACK_END - MM_STACK_START - 2 * h->page_size) {
        return 0;
    }
    uint32_t base =
        place(m, h, MM_STACK_START, MM_STACK_END,
              (size + h->page_size - 1) / h->page_size * h->page_size + 2 * h->page_size,
              MM_PAGE_READWRITE, KIND_STACK);
    if (base == 0) {
        return 0;
    }
    uint32_t first = page_of(h, base);
    decommit(m, h, first, 1);
    decommit(m, h, first + h->pages[first].count - 1, 1);
    kallocation_add(m->k, owner, site, base + h->page_size, size, KALLOCATION_STACK);
    return base + h->page_size;
}

void mm_stack_free(mm *m, uint32_t base, uint32_t size)
{
    heap *h = &m->heaps[HEAP_V4];
    if (heap_of(m, base) != h || base % h->page_size != 0) {
        return;
    }
    uint32_t first = page_of(h, base) - 1;
    if (first < h->page_count && h->pages[first].state != STATE_FREE &&
        h->pages[first].first == first && h->pages[first].kind == KIND_STACK) {
        kallocation_remove(m->k, base);
        release(m, h, first);
    }
}

uint32_t mm_kernel_stack_alloc(mm *m, const kthread *owner, uint32_t size)
{
    if (size == 0 || size > MM_STACK_END - MM_STACK_START) {
        return 0;
    }
    uint32_t base = place(m, &m->heaps[HEAP_V4], MM_STACK_START, MM_STACK_END, size,
                          MM_PAGE_READWRITE, KIND_STACK);
    if (base) {
        given(m, owner, base, size, KALLOCATION_STACK);
    }
    return base;
}

bool mm_kernel_stack_free(mm *m, uint32_t base)
{
    heap *h = &m->heaps[HEAP_V4];
    if (heap_of(m, base) != h) {
        return false;
    }
    uint32_t first = page_of(h, base);
    if (h->pages[first].state != STATE_COMMITTED || h->pages[first].first != first ||
        h->pages[first].kind != KIND_STACK) {
        return false;
    }
    kallocation_remove(m->k, base);
    release(m, h, first);
    return true;
}

uint32_t mm_pool_alloc(mm *m, kthread *owner, uint32_t size)
{
    uint32_t asked = size ? size : 1;
    bool small = asked < WEFT_PAGE_SIZE;
    if (asked > MM_PHYSICAL_BYTES) {
        return 0;
    }
    uint32_t address =
        small ? kalloc(m->k, asked)
              : place(m, &m->heaps[HEAP_V0], 0, 0x3FFFF000, asked, MM_PAGE_READWRITE, KIND_POOL);
    if (address) {
        given(m, owner, address, asked, KALLOCATION_POOL);
    }
    return address;
}

/* The pool block that starts there, or NULL. */
static const kallocation *pool_block(mm *m, uint32_t address)
{
    const kallocation *found = kallocation_at(m->k, address);
    return found && found->what == KALLOCATION_POOL ? found : NULL;
}

bool mm_pool_free(mm *m, uint32_t address)
{
    const kallocation *found = pool_block(m, address);
    if (!found) {
        return false;
    }
    if (found->size < WEFT_PAGE_SIZE) {
        kfree(m->k, address);
    } else {
        kallocation_remove(m->k, address);
        release(m, &m->heaps[HEAP_V0], page_of(&m->heaps[HEAP_V0], address));
    }
    return true;
}

uint32_t mm_pool_size(mm *m, uint32_t address)
{
    const kallocation *found = pool_block(m, address);
    return found ? found->size : 0;
}
