/* kernel_memory.c: guest memory and the clock of the kit's machine, after weft/memory.h and clock.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel_kit.h"

#define SPACE     (UINT64_C(1) << 32)
#define VIEWS     32
#define LISTENERS 8
#define SOURCES   64
#define FIRINGS   1024

struct kit_memory {
    int file; /* behind physical memory */
    uint8_t *access;
    uint32_t *version;
    weft_view views[VIEWS];
    uint32_t view_count;
    struct {
        weft_written_fn fn;
        void *context;
    } listeners[LISTENERS];
};

struct kit_clock {
    struct {
        uint32_t rank;
        weft_clock_fn fn;
        void *context;
    } sources[SOURCES];
    uint32_t source_count, firing_count;
    struct kit_firing {
        uint64_t tick, order, argument;
        uint32_t source;
    } firings[FIRINGS];
    uint64_t order, now;
};

/* ---- memory ------------------------------------------------------------------------------------ */

static weft_status declare_physical(weft_memory *memory, uint32_t bytes)
{
    kit_memory *p = ((kit_machine *)memory->impl)->pages;
    if (memory->physical_size) {
        return WEFT_E_STATE;
    }
    p->file = memfd_create("weft-conform", MFD_CLOEXEC);
    void *at =
        p->file >= 0 && ftruncate(p->file, bytes) == 0
            ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, p->file, 0)
            : MAP_FAILED;
    if (at == MAP_FAILED) {
        return WEFT_E_NO_MEMORY;
    }
    memory->physical = at;
    memory->physical_size = bytes;
    return WEFT_OK;
}

static const weft_view *view_of(const kit_memory *p, uint32_t start, uint64_t length)
{
    for (uint32_t i = 0; i < p->view_count; i++) {
        const weft_view *v = &p->views[i];
        if (start >= v->base && start + length <= v->base + v->length) {
            return v;
        }
    }
    return NULL;
}

static weft_status view_add(weft_memory *memory, const weft_view *view)
{
    kit_memory *p = ((kit_machine *)memory->impl)->pages;
    uint64_t end = view->base + view->length;
    int shared = view->backing != WEFT_BACKING_PRIVATE;
    int bad = p->view_count == VIEWS || view->length == 0 || view->base % WEFT_PAGE_SIZE ||
              view->length % WEFT_PAGE_SIZE || end > SPACE ||
              (shared && view->backing + view->length > memory->physical_size);
    for (uint32_t i = 0; i < p->view_count; i++) {
        bad |= view->base < p->views[i].base + p->views[i].length && p->views[i].base < end;
    }
    if (bad) {
        return WEFT_E_INVALID;
    }
    int flags = MAP_FIXED | MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
    if (mmap(memory->base + view->base, view->length, PROT_READ | PROT_WRITE, flags,
             shared ? p->file : -1, shared ? (off_t)view->backing : 0) == MAP_FAILED) {
        return WEFT_E_NO_MEMORY;
    }
    p->views[p->view_count++] = *view;
    return WEFT_OK;
}

/* 1 where a range is whole pages of one view; else the kernel has offended. */
static int whole(kit_machine *m, uint32_t start, uint32_t length, const char *op)
{
    int good = start % WEFT_PAGE_SIZE == 0 && length % WEFT_PAGE_SIZE == 0 &&
               view_of(m->pages, start, length);
    if (!good) {
        kit_offence(m, KIT_OF_HOST, "memory.%s: got 0x%08x + 0x%x, expected pages of one view", op,
                    start, length);
    }
    return good;
}

static weft_status protect(weft_memory *memory, uint32_t start, uint32_t length, uint8_t access)
{
    kit_machine *m = memory->impl;
    if (!whole(m, start, length, "protect")) {
        return WEFT_E_INVALID;
    }
    for (uint32_t i = 0; i < length / WEFT_PAGE_SIZE; i++) {
        uint8_t *page = &m->pages->access[start / WEFT_PAGE_SIZE + i];
        *page =
            (uint8_t)((*page & WEFT_PAGE_WATCH) | (access & (WEFT_PAGE_READ | WEFT_PAGE_WRITE)));
    }
    return WEFT_OK;
}

static weft_status discard(weft_memory *memory, uint32_t start, uint32_t length)
{
    kit_machine *m = memory->impl;
    if (!whole(m, start, length, "discard")) {
        return WEFT_E_INVALID;
    }
    int shared = view_of(m->pages, start, length)->backing != WEFT_BACKING_PRIVATE;
    if (length && madvise(memory->base + start, length, shared ? MADV_REMOVE : MADV_DONTNEED)) {
        memset(memory->base + start, 0, length);
    }
    memory->written(memory, start, length);
    return WEFT_OK;
}

static weft_status mmio_add(weft_memory *memory, uint32_t start, uint32_t length)
{
    kit_memory *p = ((kit_machine *)memory->impl)->pages;
    for (uint32_t i = 0; i < length / WEFT_PAGE_SIZE; i++) {
        p->access[(start / WEFT_PAGE_SIZE + i) % WEFT_PAGE_COUNT] = WEFT_PAGE_MMIO;
    }
    return WEFT_OK;
}

/* The kit's CPU decodes nothing, so that only the kernel itself watches; aliases are left out. */
static weft_status watch(weft_memory *memory, uint32_t start, uint32_t length)
{
    kit_memory *p = ((kit_machine *)memory->impl)->pages;
    if (!view_of(p, start, length)) {
        return WEFT_E_INVALID;
    }
    for (uint64_t page = start / WEFT_PAGE_SIZE;
         length && page * WEFT_PAGE_SIZE < (uint64_t)start + length; page++) {
        p->access[page] |= WEFT_PAGE_WATCH;
    }
    return WEFT_OK;
}

/* Every page that shows a range of physical memory. */
static weft_status watch_physical(weft_memory *memory, uint32_t start, uint32_t length)
{
    kit_memory *p = ((kit_machine *)memory->impl)->pages;
    uint64_t end = (uint64_t)start + length;
    for (uint32_t i = 0; i < p->view_count; i++) {
        const weft_view *v = &p->views[i];
        uint64_t from = start > v->backing ? start : v->backing;
        uint64_t to = end < v->backing + v->length ? end : v->backing + v->length;
        for (uint64_t at = from & ~(uint64_t)(WEFT_PAGE_SIZE - 1);
             v->backing != WEFT_BACKING_PRIVATE && at < to; at += WEFT_PAGE_SIZE) {
            p->access[(v->base + at - v->backing) / WEFT_PAGE_SIZE] |= WEFT_PAGE_WATCH;
        }
    }
    return WEFT_OK;
}

static weft_status listen_to(weft_memory *memory, weft_written_fn fn, void *context)
{
    kit_memory *p = ((kit_machine *)memory->impl)->pages;
    for (uint32_t i = 0; i < LISTENERS; i++) {
        if (!p->listeners[i].fn) {
            p->listeners[i].fn = fn;
            p->listeners[i].context = context;
            return WEFT_OK;
        }
    }
    return WEFT_E_LIMIT;
}

static void unlisten(weft_memory *memory, weft_written_fn fn, void *context)
{
    kit_memory *p = ((kit_machine *)memory->impl)->pages;
    for (uint32_t i = 0; i < LISTENERS; i++) {
        if (p->listeners[i].fn == fn && p->listeners[i].context == context) {
            p->listeners[i].fn = NULL;
        }
    }
}

static void written(weft_memory *memory, uint32_t start, uint32_t length)
{
    kit_memory *p = ((kit_machine *)memory->impl)->pages;
    int watched = 0;
    for (uint64_t page = start / WEFT_PAGE_SIZE;
         page < WEFT_PAGE_COUNT && page * WEFT_PAGE_SIZE < (uint64_t)start + length; page++) {
        p->version[page]++;
        watched |= p->access[page] & WEFT_PAGE_WATCH;
        p->access[page] &= (uint8_t)~WEFT_PAGE_WATCH;
    }
    for (uint32_t i = 0; watched && i < LISTENERS; i++) {
        if (p->listeners[i].fn) {
            p->listeners[i].fn(p->listeners[i].context, start, length);
        }
    }
}

/* Reported where the first view shows it. */
static void written_physical(weft_memory *memory, uint32_t start, uint32_t length)
{
    kit_memory *p = ((kit_machine *)memory->impl)->pages;
    for (uint32_t i = 0; i < p->view_count; i++) {
        const weft_view *v = &p->views[i];
        if (v->backing != WEFT_BACKING_PRIVATE && start >= v->backing &&
            start + (uint64_t)length <= v->backing + v->length) {
            written(memory, v->base + (uint32_t)(start - v->backing), length);
            return;
        }
    }
}

/* Of all that the guest can read and somebody has written: enough to tell two runs apart. */
static uint64_t digest(weft_memory *memory)
{
    const kit_memory *p = ((kit_machine *)memory->impl)->pages;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint64_t page = 0; page < WEFT_PAGE_COUNT; page++) {
        uint64_t words[WEFT_PAGE_SIZE / 8];
        if (!(p->access[page] & WEFT_PAGE_READ) || p->version[page] == 0) {
            continue;
        }
        memcpy(words, memory->base + page * WEFT_PAGE_SIZE, sizeof words);
        for (uint32_t i = 0; i < WEFT_PAGE_SIZE / 8; i++) {
            if (words[i]) {
                hash = (hash ^ (page << 12 | i)) * UINT64_C(0x100000001b3);
                hash = (hash ^ words[i]) * UINT64_C(0x9E3779B97F4A7C15);
                hash ^= hash >> 29;
            }
        }
    }
    return hash;
}

/* ---- clock ------------------------------------------------------------------------------------- */

static weft_status source_add(weft_clock *clock, const char *name, uint32_t rank, weft_clock_fn fn,
                              void *context, uint32_t *id)
{
    kit_clock *c = ((kit_machine *)clock->impl)->queue;
    if (!name || !fn || c->source_count == SOURCES) {
        return WEFT_E_LIMIT;
    }
    *id = c->source_count;
    c->sources[c->source_count].rank = rank;
    c->sources[c->source_count].fn = fn;
    c->sources[c->source_count++].context = context;
    return WEFT_OK;
}

static uint64_t schedule(weft_clock *clock, uint32_t source, uint64_t tick, uint64_t argument)
{
    kit_machine *m = clock->impl;
    kit_clock *c = m->queue;
    if (source >= c->source_count || c->firing_count == FIRINGS) {
        kit_offence(m, KIT_OF_HOST,
                    "clock.schedule: got source %u and %u firings, expected %u and "
                    "fewer than %u",
                    source, c->firing_count, c->source_count, FIRINGS);
        return ++c->order;
    }
    c->firings[c->firing_count++] = (struct kit_firing){tick, ++c->order, argument, source};
    return c->order;
}

static int32_t cancel(weft_clock *clock, uint64_t handle)
{
    kit_clock *c = ((kit_machine *)clock->impl)->queue;
    for (uint32_t i = 0; i < c->firing_count; i++) {
        if (c->firings[i].order == handle) {
            c->firings[i] = c->firings[--c->firing_count];
            return 1;
        }
    }
    return 0;
}

/* Whether a firing comes before another: by tick, rank, source, order. */
static int before(const kit_clock *c, const struct kit_firing *a, const struct kit_firing *b)
{
    uint32_t rank_a = c->sources[a->source].rank, rank_b = c->sources[b->source].rank;
    return a->tick != b->tick       ? a->tick < b->tick
           : rank_a != rank_b       ? rank_a < rank_b
           : a->source != b->source ? a->source < b->source
                                    : a->order < b->order;
}

static struct kit_firing *first(kit_clock *c)
{
    struct kit_firing *best = NULL;
    for (uint32_t i = 0; i < c->firing_count; i++) {
        best = !best || before(c, &c->firings[i], best) ? &c->firings[i] : best;
    }
    return best;
}

static uint64_t next(weft_clock *clock)
{
    const struct kit_firing *f = first(((kit_machine *)clock->impl)->queue);
    return f ? f->tick : WEFT_TICK_NEVER;
}

static uint64_t advance(weft_clock *clock, uint64_t until)
{
    kit_clock *c = ((kit_machine *)clock->impl)->queue;
    uint64_t fired = 0;
    for (struct kit_firing *f = first(c); f && f->tick <= until; f = first(c)) {
        struct kit_firing now = *f;
        *f = c->firings[--c->firing_count];
        c->now = now.tick > c->now ? now.tick : c->now;
        c->sources[now.source].fn(c->sources[now.source].context, now.tick, now.argument);
        fired++;
    }
    c->now = until > c->now ? until : c->now;
    return fired;
}

static uint64_t now(weft_clock *clock)
{
    return ((kit_machine *)clock->impl)->queue->now;
}

/* ---- both -------------------------------------------------------------------------------------- */

int kit_memory_start(kit_machine *m)
{
    kit_memory *p = m->pages = calloc(1, sizeof *p);
    m->queue = calloc(1, sizeof *m->queue);
    void *base = mmap(NULL, SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    m->memory.base = base == MAP_FAILED ? NULL : base;
    if (!p || !m->queue || !m->memory.base) {
        return 0;
    }
    p->file = -1;
    p->access = calloc(WEFT_PAGE_COUNT, 1);
    p->version = calloc(WEFT_PAGE_COUNT, sizeof *p->version);
    m->memory = (weft_memory){
        .size = sizeof m->memory,
        .base = base,
        .access = p->access,
        .version = p->version,
        .impl = m,
        .declare_physical = declare_physical,
        .view_add = view_add,
        .protect = protect,
        .discard = discard,
        .mmio_add = mmio_add,
        .watch = watch,
        .listen = listen_to,
        .written = written,
        .written_physical = written_physical,
        .digest = digest,
        .unlisten = unlisten,
        .watch_physical = watch_physical,
    };
    m->clock = (weft_clock){
        .size = sizeof m->clock,
        .impl = m,
        .source_add = source_add,
        .schedule = schedule,
        .cancel = cancel,
        .next = next,
        .advance = advance,
        .now = now,
    };
    return p->access && p->version;
}

int kit_memory_listened(const kit_machine *m)
{
    int listened = 0;
    for (uint32_t i = 0; i < LISTENERS; i++) {
        listened |= m->pages->listeners[i].fn != NULL;
    }
    return listened;
}

void kit_memory_end(kit_machine *m)
{
    if (m->memory.base) {
        munmap(m->memory.base, SPACE);
    }
    if (m->memory.physical) {
        munmap(m->memory.physical, m->memory.physical_size);
    }
    if (m->pages) {
        if (m->pages->file >= 0) {
            close(m->pages->file);
        }
        free(m->pages->access);
        free(m->pages->version);
    }
    free(m->pages);
    free(m->queue);
}
