#include "fake.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPACE_BYTES (UINT64_C(1) << 32)
#define VIEW_MAX    16

typedef struct fake_memory {
    int fd;
    uint8_t *access;
    uint32_t *version;
    weft_view views[VIEW_MAX];
    uint32_t view_count;
    uint64_t written;
    weft_written_fn listener;
    void *listener_context;
} fake_memory;

static fake_memory *memory_of(weft_memory *memory)
{
    return memory->impl;
}

static void check(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static weft_status declare_physical(weft_memory *memory, uint32_t bytes)
{
    fake_memory *m = memory_of(memory);
    if (memory->physical_size != 0) {
        return WEFT_E_STATE;
    }
    m->fd = memfd_create("fake-physical", MFD_CLOEXEC);
    check(m->fd >= 0 && ftruncate(m->fd, bytes) == 0, "memfd");
    memory->physical =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, m->fd, 0);
    check(memory->physical != MAP_FAILED, "mmap physical");
    memory->physical_size = bytes;
    return WEFT_OK;
}

/* The view that holds a whole range, or NULL. */
static const weft_view *view_of(const fake_memory *m, uint32_t start, uint64_t length)
{
    for (uint32_t i = 0; i < m->view_count; i++) {
        const weft_view *view = &m->views[i];
        if (start >= view->base && start + length <= view->base + view->length) {
            return view;
        }
    }
    return NULL;
}

static weft_status view_add(weft_memory *memory, const weft_view *view)
{
    fake_memory *m = memory_of(memory);
    uint64_t end = view->base + view->length;
    if (m->view_count == VIEW_MAX || view->base % WEFT_PAGE_SIZE || view->length == 0 ||
        view->length % WEFT_PAGE_SIZE || end > SPACE_BYTES) {
        return WEFT_E_INVALID;
    }
    for (uint32_t i = 0; i < m->view_count; i++) {
        if (view->base < m->views[i].base + m->views[i].length && m->views[i].base < end) {
            return WEFT_E_INVALID;
        }
    }
    int shared = view->backing != WEFT_BACKING_PRIVATE;
    if (shared && view->backing + view->length > memory->physical_size) {
        return WEFT_E_INVALID;
    }
    void *at = mmap(memory->base + view->base, view->length, PROT_READ | PROT_WRITE,
                    MAP_FIXED | MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS),
                    shared ? m->fd : -1, shared ? (off_t)view->backing : 0);
    check(at != MAP_FAILED, "mmap view");
    m->views[m->view_count++] = *view;
    return WEFT_OK;
}

static weft_status protect(weft_memory *memory, uint32_t start, uint32_t length, uint8_t access)
{
    fake_memory *m = memory_of(memory);
    if (start % WEFT_PAGE_SIZE || length % WEFT_PAGE_SIZE || !view_of(m, start, length)) {
        return WEFT_E_INVALID;
    }
    for (uint32_t i = 0; i < length / WEFT_PAGE_SIZE; i++) {
        uint8_t *page = &m->access[(start >> WEFT_PAGE_SHIFT) + i];
        *page = (uint8_t)((*page & WEFT_PAGE_WATCH) | access);
    }
    return WEFT_OK;
}

static weft_status discard(weft_memory *memory, uint32_t start, uint32_t length)
{
    fake_memory *m = memory_of(memory);
    const weft_view *view = view_of(m, start, length);
    if (start % WEFT_PAGE_SIZE || length % WEFT_PAGE_SIZE || !view) {
        return WEFT_E_INVALID;
    }
    int how = view->backing == WEFT_BACKING_PRIVATE ? MADV_DONTNEED : MADV_REMOVE;
    check(length == 0 || madvise(memory->base + start, length, how) == 0, "madvise");
    return WEFT_OK;
}

static weft_status mmio_add(weft_memory *memory, uint32_t start, uint32_t length)
{
    fake_memory *m = memory_of(memory);
    for (uint32_t i = 0; i < length / WEFT_PAGE_SIZE; i++) {
        m->access[(start >> WEFT_PAGE_SHIFT) + i] = WEFT_PAGE_MMIO;
    }
    return WEFT_OK;
}

/* One listener, and no aliases. */
static weft_status watch(weft_memory *memory, uint32_t start, uint32_t length)
{
    fake_memory *m = memory_of(memory);
    if (!view_of(m, start, length)) {
        return WEFT_E_INVALID;
    }
    for (uint32_t page = start / WEFT_PAGE_SIZE; page <= (start + length - 1) / WEFT_PAGE_SIZE;
         page++) {
        m->access[page] |= WEFT_PAGE_WATCH;
    }
    return WEFT_OK;
}

static void unlisten(weft_memory *memory, weft_written_fn fn, void *context)
{
    memory_of(memory)->listener = NULL;
}

static weft_status listen_to(weft_memory *memory, weft_written_fn fn, void *context)
{
    memory_of(memory)->listener = fn;
    memory_of(memory)->listener_context = context;
    return WEFT_OK;
}

static void written_physical(weft_memory *memory, uint32_t start, uint32_t length)
{
    memory_of(memory)->written++;
}

static void written(weft_memory *memory, uint32_t start, uint32_t length)
{
    fake_memory *m = memory_of(memory);
    bool watched = false;
    m->written++;
    for (uint64_t page = start / WEFT_PAGE_SIZE;
         length && page <= ((uint64_t)start + length - 1) / WEFT_PAGE_SIZE; page++) {
        uint8_t was =
            __atomic_fetch_and(&m->access[page], (uint8_t)~WEFT_PAGE_WATCH, __ATOMIC_RELAXED);
        watched |= (was & WEFT_PAGE_WATCH) != 0;
    }
    if (watched && m->listener) {
        m->listener(m->listener_context, start, length);
    }
}

static uint64_t digest(weft_memory *memory)
{
    return 0;
}

uint64_t fake_written_count(const fake_host *fake)
{
    return ((const fake_memory *)fake->memory_impl)->written;
}

static void memory_open(fake_host *fake)
{
    fake_memory *m = calloc(1, sizeof *m);
    check(m != NULL, "calloc");
    m->fd = -1;
    m->access = calloc(WEFT_PAGE_COUNT, 1);
    m->version = calloc(WEFT_PAGE_COUNT, sizeof *m->version);
    void *base =
        mmap(NULL, SPACE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(m->access && m->version && base != MAP_FAILED, "guest memory");
    fake->memory_impl = m;
    fake->memory = (weft_memory){
        .size = sizeof fake->memory,
        .base = base,
        .access = m->access,
        .version = m->version,
        .impl = m,
        .declare_physical = declare_physical,
        .view_add = view_add,
        .protect = protect,
        .discard = discard,
        .mmio_add = mmio_add,
        .watch = watch,
        .listen = listen_to,
        .unlisten = unlisten,
        .written = written,
        .written_physical = written_physical,
        .digest = digest,
    };
}

/* ---- clock ----------------------------------------------------------------------------------- */

#define SOURCE_MAX 64
#define FIRING_MAX 256

typedef struct firing {
    uint64_t tick, order, argument;
    uint32_t source;
} firing;

typedef struct fake_clock {
    struct {
        uint32_t rank;
        weft_clock_fn fn;
        void *context;
    } sources[SOURCE_MAX];
    uint32_t source_count, firing_count;
    firing firings[FIRING_MAX];
    uint64_t order, now;
} fake_clock;

static weft_status source_add(weft_clock *clock, const char *name, uint32_t rank, weft_clock_fn fn,
                              void *context, uint32_t *id)
{
    fake_clock *c = clock->impl;
    if (c->source_count == SOURCE_MAX) {
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
    fake_clock *c = clock->impl;
    check(c->firing_count < FIRING_MAX && source < c->source_count, "fake clock");
    c->firings[c->firing_count++] = (firing){tick, ++c->order, argument, source};
    return c->order;
}

static int32_t cancel(weft_clock *clock, uint64_t handle)
{
    fake_clock *c = clock->impl;
    for (uint32_t i = 0; i < c->firing_count; i++) {
        if (c->firings[i].order == handle) {
            c->firings[i] = c->firings[--c->firing_count];
            return 1;
        }
    }
    return 0;
}

/* Index of what fires first, or -1. */
static int first_firing(const fake_clock *c)
{
    int best = -1;
    for (uint32_t i = 0; i < c->firing_count; i++) {
        const firing *a = &c->firings[i], *b = best < 0 ? NULL : &c->firings[best];
        if (!b || a->tick < b->tick ||
            (a->tick == b->tick &&
             (c->sources[a->source].rank < c->sources[b->source].rank ||
              (c->sources[a->source].rank == c->sources[b->source].rank && a->order < b->order)))) {
            best = (int)i;
        }
    }
    return best;
}

static uint64_t next(weft_clock *clock)
{
    fake_clock *c = clock->impl;
    int i = first_firing(c);
    return i < 0 ? WEFT_TICK_NEVER : c->firings[i].tick;
}

static uint64_t advance(weft_clock *clock, uint64_t until)
{
    fake_clock *c = clock->impl;
    uint64_t fired = 0;
    for (int i = first_firing(c); i >= 0 && c->firings[i].tick <= until; i = first_firing(c)) {
        firing f = c->firings[i];
        c->firings[i] = c->firings[--c->firing_count];
        c->now = f.tick > c->now ? f.tick : c->now;
        c->sources[f.source].fn(c->sources[f.source].context, f.tick, f.argument);
        fired++;
    }
    c->now = until > c->now ? until : c->now;
    return fired;
}

static uint64_t now(weft_clock *clock)
{
    return ((fake_clock *)clock->impl)->now;
}

static void clock_open(fake_host *fake)
{
    fake_clock *c = calloc(1, sizeof *c);
    check(c != NULL, "calloc");
    fake->clock_impl = c;
    fake->clock = (weft_clock){
        .size = sizeof fake->clock,
        .impl = c,
        .source_add = source_add,
        .schedule = schedule,
        .cancel = cancel,
        .next = next,
        .advance = advance,
        .now = now,
    };
}

/* ---- host ------------------------------------------------------------------------------------ */

static fake_host *fake_of(const weft_host *host)
{
    return host->impl;
}

static weft_status fail(const weft_host *host, weft_status status, const char *sentence)
{
    snprintf(fake_of(host)->failed, sizeof fake_of(host)->failed, "%s", sentence);
    return status;
}

static void log_line(const weft_host *host, uint32_t level, const char *line)
{
    snprintf(fake_of(host)->logged, sizeof fake_of(host)->logged, "%s", line);
}

static int64_t option_int(const weft_host *host, const char *key)
{
    return 0;
}

static int32_t option_bool(const weft_host *host, const char *key)
{
    return 0;
}

static const char *option_text(const weft_host *host, const char *key)
{
    return "";
}

static weft_status part(const weft_host *host, uint32_t role, const void **ops, void **instance)
{
    *ops = NULL;
    *instance = NULL;
    return WEFT_E_NOT_FOUND;
}

static void emit(const weft_host *host, weft_event *event)
{
    fake_host *fake = fake_of(host);
    if (event->kind < 64) {
        fake->events[event->kind]++;
    }
    if (fake->kept_count < FAKE_KEPT) {
        fake_event *kept = &fake->kept[fake->kept_count++];
        memcpy(kept, event, event->size < sizeof *kept ? event->size : sizeof *kept);
    }
}

static uint64_t define(const weft_host *host, const char *what, const char *text)
{
    fake_host *fake = fake_of(host);
    uint64_t id = weft_fnv1a(text, strlen(text));
    if (fake->name_count < FAKE_NAMES && strcmp(fake_name(fake, id), "?") == 0) {
        fake->names[fake->name_count].id = id;
        snprintf(fake->names[fake->name_count++].text, sizeof fake->names[0].text, "%s", text);
    }
    return id;
}

const fake_event *fake_event_at(const fake_host *fake, uint16_t kind, uint32_t n)
{
    for (uint32_t i = 0; i < fake->kept_count; i++) {
        if (fake->kept[i].head.kind == kind && n-- == 0) {
            return &fake->kept[i];
        }
    }
    return NULL;
}

const char *fake_name(const fake_host *fake, uint64_t id)
{
    for (uint32_t i = 0; i < fake->name_count; i++) {
        if (fake->names[i].id == id) {
            return fake->names[i].text;
        }
    }
    return "?";
}

static void present(const weft_host *host, weft_frame *frame)
{
}

static void pads(const weft_host *host, uint64_t vblank, uint64_t tick, weft_pad *p)
{
}

static void rumble(const weft_host *host, uint32_t port, uint16_t left, uint16_t right)
{
}

static void print(const weft_host *host, uint64_t thread, uint32_t tid, uint64_t tick,
                  const char *text, size_t length)
{
    fake_host *fake = fake_of(host);
    size_t at = strlen(fake->printed);
    if (at + length < sizeof fake->printed) {
        memcpy(fake->printed + at, text, length);
        fake->printed[at + length] = 0;
    }
}

static int32_t stop_requested(const weft_host *host)
{
    return 0;
}

static const void *extension(const weft_host *host, const char *name)
{
    return NULL;
}

fake_host *fake_host_create(void)
{
    fake_host *fake = calloc(1, sizeof *fake);
    check(fake != NULL, "calloc");
    memory_open(fake);
    clock_open(fake);
    fake->machine = (weft_machine){
        .size = sizeof fake->machine,
        .mode = WEFT_MODE_LOCKSTEP,
        .rtc = UINT64_C(127770912000000000), /* 2005-11-22T00:00:00Z */
        .instruction_cost_num = 1,
        .instruction_cost_den = 1,
        .call_cost = 100,
        .io_cost = 100000,
        .io_cost_per_kib = 100,
        .lookahead = 10000,
        .vblank_hz = 60,
        .width = 1280,
        .height = 720,
        .state_folder = "",
        .starve = 100000000,
        .reservation_grace = 64,
        .policy_faults = 16,
    };
    fake->host = (struct weft_host){
        .size = sizeof fake->host,
        .impl = fake,
        .memory = &fake->memory,
        .clock = &fake->clock,
        .machine = &fake->machine,
        .wanted = fake->wanted,
        .fail = fail,
        .log = log_line,
        .option_int = option_int,
        .option_bool = option_bool,
        .option_text = option_text,
        .part = part,
        .emit = emit,
        .define = define,
        .present = present,
        .pads = pads,
        .rumble = rumble,
        .print = print,
        .stop_requested = stop_requested,
        .extension = extension,
    };
    return fake;
}

void fake_host_destroy(fake_host *fake)
{
    fake_memory *m = fake->memory_impl;
    munmap(fake->memory.base, SPACE_BYTES);
    if (fake->memory.physical_size != 0) {
        munmap(fake->memory.physical, fake->memory.physical_size);
        close(m->fd);
    }
    free(m->access);
    free(m->version);
    free(m);
    free(fake->clock_impl);
    free(fake);
}
