/* memory.c: the guest's 4 GiB, with physical memory under several views.
 *
 * One reservation of 4 GiB holds every view. Physical memory is one memfd, private views are
 * another whose offsets are guest addresses; so aliases are plain mappings, pages that nobody wrote
 * are holes, and the digest skips them with SEEK_DATA. Pages that show the same physical page form
 * a ring (`alias`), which is what watches and versions walk.
 *
 * In parallel mode all changes are made by the kernel's dispatcher lock's holder, but `watch`, which
 * engines call as they decode; engines read `access` meanwhile. Hence its bytes change by relaxed
 * atomics, and WATCH on a ring under a lock of its own. */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "lock.h"

#define GUEST_SPACE  (UINT64_C(1) << 32)
#define GUARD        UINT64_C(65536) /* reserved behind the end: an access there stays inside */
#define VIEW_LIMIT   64
#define LISTEN_LIMIT 8
#define NO_PAGE      UINT32_MAX
#define PRIVATE_KEY  (UINT64_C(1) << 32) /* digest: added to the addresses of private pages */

typedef struct listener {
    weft_written_fn fn;
    void *context;
} listener;

typedef struct memory {
    weft_memory face;   /* what everybody sees; must be first */
    uint8_t *access;    /* face.access, writable */
    uint32_t *version;  /* face.version, writable */
    uint32_t *alias;    /* next page that shows the same bytes; itself when there is none */
    uint32_t *shown_at; /* by physical page: one guest page that shows it, or NO_PAGE */
    int physical_file, private_file;
    weft_view views[VIEW_LIMIT];
    uint32_t view_count;
    listener listeners[LISTEN_LIMIT];
    uint32_t listener_count;
    int single;                /* one host thread calls at a time */
    pthread_mutex_t ring_lock; /* WATCH bits change on whole rings; a leaf */
} memory;

static memory *of(weft_memory *face)
{
    return (memory *)face;
}

static void *zeroed(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static int whole_pages(uint64_t start, uint64_t length)
{
    return (start | length) % WEFT_PAGE_SIZE == 0 && start <= GUEST_SPACE &&
           length <= GUEST_SPACE - start;
}

/* The view that holds all of a range, or NULL. */
static const weft_view *view_of(const memory *m, uint64_t start, uint64_t length)
{
    for (uint32_t i = 0; i < m->view_count; i++) {
        const weft_view *v = &m->views[i];
        if (start >= v->base && start - v->base <= v->length &&
            length <= v->length - (start - v->base)) {
            return v;
        }
    }
    return NULL;
}

static weft_status declare_physical(weft_memory *face, uint32_t bytes)
{
    memory *m = of(face);
    if (face->physical || m->view_count) {
        return WEFT_E_STATE;
    }
    if (bytes == 0 || bytes % WEFT_PAGE_SIZE) {
        return WEFT_E_INVALID;
    }
    if (ftruncate(m->physical_file, bytes)) {
        return WEFT_E_NO_MEMORY;
    }
    void *p =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, m->physical_file, 0);
    m->shown_at = malloc(bytes / WEFT_PAGE_SIZE * sizeof *m->shown_at);
    if (p == MAP_FAILED || !m->shown_at) {
        if (p != MAP_FAILED) {
            munmap(p, bytes);
        }
        free(m->shown_at);
        m->shown_at = NULL;
        return WEFT_E_NO_MEMORY;
    }
    for (uint32_t i = 0; i < bytes / WEFT_PAGE_SIZE; i++) {
        m->shown_at[i] = NO_PAGE;
    }
    face->physical = p;
    face->physical_size = bytes;
    return WEFT_OK;
}

/* Joins the view's pages to the rings of the physical pages that they show. */
static void join_aliases(memory *m, const weft_view *view)
{
    uint32_t first = view->base >> WEFT_PAGE_SHIFT;
    uint32_t physical = (uint32_t)(view->backing >> WEFT_PAGE_SHIFT);
    for (uint32_t i = 0; i < view->length >> WEFT_PAGE_SHIFT; i++) {
        uint32_t *head = &m->shown_at[physical + i];
        if (*head == NO_PAGE) {
            *head = first + i;
        } else {
            m->alias[first + i] = m->alias[*head];
            m->alias[*head] = first + i;
        }
    }
}

static weft_status view_add(weft_memory *face, const weft_view *view)
{
    memory *m = of(face);
    if (view->size < sizeof *view || view->length == 0 || !whole_pages(view->base, view->length) ||
        m->view_count == VIEW_LIMIT) {
        return WEFT_E_INVALID;
    }
    int shows_physical = view->backing != WEFT_BACKING_PRIVATE;
    if (shows_physical && (view->backing % WEFT_PAGE_SIZE || view->backing > face->physical_size ||
                           view->length > face->physical_size - view->backing)) {
        return WEFT_E_INVALID;
    }
    for (uint32_t i = 0; i < m->view_count; i++) {
        const weft_view *v = &m->views[i];
        if (view->base < v->base + v->length && v->base < view->base + view->length) {
            return WEFT_E_INVALID;
        }
    }
    uint32_t first = view->base >> WEFT_PAGE_SHIFT;
    for (uint32_t i = 0; i < view->length >> WEFT_PAGE_SHIFT; i++) {
        if (m->access[first + i] & WEFT_PAGE_MMIO) {
            return WEFT_E_INVALID;
        }
    }
    int file = shows_physical ? m->physical_file : m->private_file;
    off_t offset = (off_t)(shows_physical ? view->backing : view->base);
    if (mmap(face->base + view->base, view->length, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_FIXED | MAP_NORESERVE, file, offset) == MAP_FAILED) {
        return WEFT_E_NO_MEMORY;
    }
    m->views[m->view_count++] = *view;
    if (shows_physical) {
        join_aliases(m, view);
    }
    return WEFT_OK;
}

static weft_status protect(weft_memory *face, uint32_t start, uint32_t length, uint8_t access)
{
    memory *m = of(face);
    if (!whole_pages(start, length) || !view_of(m, start, length) ||
        (access & ~(WEFT_PAGE_READ | WEFT_PAGE_WRITE))) {
        return WEFT_E_INVALID;
    }
    for (uint32_t i = 0; i < length >> WEFT_PAGE_SHIFT; i++) {
        uint8_t *a = &m->access[(start >> WEFT_PAGE_SHIFT) + i];
        uint8_t old = __atomic_load_n(a, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(a, &old, (uint8_t)((old & WEFT_PAGE_WATCH) | access), 1,
                                            __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        }
    }
    return WEFT_OK;
}

static weft_status discard(weft_memory *face, uint32_t start, uint32_t length)
{
    memory *m = of(face);
    const weft_view *v = whole_pages(start, length) ? view_of(m, start, length) : NULL;
    if (!v) {
        return WEFT_E_INVALID;
    }
    if (length == 0) {
        return WEFT_OK;
    }
    int shows_physical = v->backing != WEFT_BACKING_PRIVATE;
    int file = shows_physical ? m->physical_file : m->private_file;
    uint64_t offset = shows_physical ? v->backing + (start - v->base) : start;
    if (fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, length)) {
        memset(face->base + start, 0, length);
    }
    face->written(face, start, length);
    return WEFT_OK;
}

static weft_status mmio_add(weft_memory *face, uint32_t start, uint32_t length)
{
    memory *m = of(face);
    if (length == 0 || !whole_pages(start, length)) {
        return WEFT_E_INVALID;
    }
    for (uint32_t i = 0; i < m->view_count; i++) {
        const weft_view *v = &m->views[i];
        if (start < v->base + v->length && v->base < (uint64_t)start + length) {
            return WEFT_E_INVALID;
        }
    }
    memset(m->access + (start >> WEFT_PAGE_SHIFT), WEFT_PAGE_MMIO, length >> WEFT_PAGE_SHIFT);
    return WEFT_OK;
}

/* Under ring_lock. */
static void watch_ring(memory *m, uint32_t page)
{
    uint32_t p = page;
    do {
        __atomic_fetch_or(&m->access[p], WEFT_PAGE_WATCH, __ATOMIC_RELAXED);
        p = m->alias[p];
    } while (p != page);
}

static weft_status watch(weft_memory *face, uint32_t start, uint32_t length)
{
    memory *m = of(face);
    if (length == 0) {
        return WEFT_OK;
    }
    if (!view_of(m, start, length)) {
        return WEFT_E_INVALID;
    }
    uint32_t last = (uint32_t)(((uint64_t)start + length - 1) >> WEFT_PAGE_SHIFT);
    leaf_take(&m->ring_lock, "memory map");
    for (uint32_t page = start >> WEFT_PAGE_SHIFT; page <= last; page++) {
        watch_ring(m, page);
    }
    leaf_give(&m->ring_lock);
    return WEFT_OK;
}

static weft_status watch_physical(weft_memory *face, uint32_t start, uint32_t length)
{
    memory *m = of(face);
    if (length == 0) {
        return WEFT_OK;
    }
    if ((uint64_t)start + length > face->physical_size) {
        return WEFT_E_INVALID;
    }
    uint32_t last = (uint32_t)(((uint64_t)start + length - 1) >> WEFT_PAGE_SHIFT);
    leaf_take(&m->ring_lock, "memory map");
    for (uint32_t page = start >> WEFT_PAGE_SHIFT; page <= last; page++) {
        if (m->shown_at[page] != NO_PAGE) {
            watch_ring(m, m->shown_at[page]);
        }
    }
    leaf_give(&m->ring_lock);
    return WEFT_OK;
}

static uint32_t physical_of(weft_memory *face, uint32_t address)
{
    const weft_view *view = view_of(of(face), address, 1);
    if (!view || view->backing == WEFT_BACKING_PRIVATE) {
        return WEFT_NOT_PHYSICAL;
    }
    return (uint32_t)(view->backing + (address - view->base));
}

static weft_status listen_add(weft_memory *face, weft_written_fn fn, void *context)
{
    memory *m = of(face);
    if (m->listener_count == LISTEN_LIMIT) {
        return WEFT_E_LIMIT;
    }
    m->listeners[m->listener_count++] = (listener){fn, context};
    return WEFT_OK;
}

static void listen_remove(weft_memory *face, weft_written_fn fn, void *context)
{
    memory *m = of(face);
    for (uint32_t i = 0; i < m->listener_count; i++) {
        if (m->listeners[i].fn == fn && m->listeners[i].context == context) {
            memmove(&m->listeners[i], &m->listeners[i + 1],
                    (m->listener_count - i - 1) * sizeof m->listeners[0]);
            m->listener_count--;
            return;
        }
    }
}

/* One page of a reported write: bytes [from, from + length) of it changed. */
static void page_written(memory *m, uint32_t page, uint32_t from, uint32_t length)
{
    uint32_t p = page;
    /* set on a whole ring, or on none of it */
    int watched = __atomic_load_n(&m->access[page], __ATOMIC_RELAXED) & WEFT_PAGE_WATCH;
    do {
        __atomic_store_n(&m->version[p], m->version[p] + 1, __ATOMIC_RELAXED);
        p = m->alias[p];
    } while (p != page);
    if (!watched) {
        return;
    }
    leaf_take(&m->ring_lock, "memory map");
    do {
        __atomic_fetch_and(&m->access[p], (uint8_t)~WEFT_PAGE_WATCH, __ATOMIC_RELAXED);
        p = m->alias[p];
    } while (p != page);
    leaf_give(&m->ring_lock);
    do {
        for (uint32_t i = 0; i < m->listener_count; i++) {
            m->listeners[i].fn(m->listeners[i].context, (p << WEFT_PAGE_SHIFT) + from, length);
        }
        p = m->alias[p];
    } while (p != page);
}

/* An engine watches a page and then reads its words; the bytes here have changed before the look at
 * the watch. One of the two sees the other, if neither's accesses pass each other. On one thread they
 * do not, and the fence would wait for the events on their way to the drain's core. */
static void settle(const memory *m)
{
    if (!m->single) {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
}

static void written(weft_memory *face, uint32_t start, uint32_t length)
{
    memory *m = of(face);
    settle(m);
    uint64_t end = (uint64_t)start + length;
    end = end > GUEST_SPACE ? GUEST_SPACE : end;
    for (uint64_t at = start; at < end;) {
        uint32_t from = (uint32_t)(at % WEFT_PAGE_SIZE);
        uint64_t room = end - at;
        uint32_t piece = room < WEFT_PAGE_SIZE - from ? (uint32_t)room : WEFT_PAGE_SIZE - from;
        page_written(m, (uint32_t)(at >> WEFT_PAGE_SHIFT), from, piece);
        at += piece;
    }
}

static void written_physical(weft_memory *face, uint32_t start, uint32_t length)
{
    memory *m = of(face);
    settle(m);
    uint64_t end = (uint64_t)start + length;
    end = end > face->physical_size ? face->physical_size : end;
    for (uint64_t at = start; at < end;) {
        uint32_t from = (uint32_t)(at % WEFT_PAGE_SIZE);
        uint64_t room = end - at;
        uint32_t piece = room < WEFT_PAGE_SIZE - from ? (uint32_t)room : WEFT_PAGE_SIZE - from;
        uint32_t page = m->shown_at[at >> WEFT_PAGE_SHIFT];
        if (page != NO_PAGE) {
            page_written(m, page, from, piece);
        }
        at += piece;
    }
}

static int is_zero(const uint8_t *page)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < WEFT_PAGE_SIZE; i += 8) {
        uint64_t word;
        memcpy(&word, page + i, sizeof word);
        any |= word;
    }
    return any == 0;
}

/* Hashes the pages of one mapping of `file` that hold something, in order; `key` is added to the
 * offset to make the page's address. */
static void digest_range(XXH3_state_t *hash, int file, const uint8_t *bytes, uint64_t offset,
                         uint64_t length, uint64_t key)
{
    uint64_t end = offset + length;
    for (uint64_t at = offset; at < end;) {
        off_t data = lseek(file, (off_t)at, SEEK_DATA);
        off_t hole = data >= 0 ? lseek(file, data, SEEK_HOLE) : -1;
        if (data < 0 && errno == ENXIO) {
            return; /* only holes from here on */
        }
        uint64_t from = data < 0 ? at : (uint64_t)data / WEFT_PAGE_SIZE * WEFT_PAGE_SIZE;
        uint64_t to = data < 0 || hole < 0 || (uint64_t)hole > end ? end : (uint64_t)hole;
        for (at = from; at < to; at += WEFT_PAGE_SIZE) {
            const uint8_t *page = bytes + (at - offset);
            uint64_t address = key + at;
            if (!is_zero(page)) {
                XXH3_64bits_update(hash, &address, sizeof address);
                XXH3_64bits_update(hash, page, WEFT_PAGE_SIZE);
            }
        }
    }
}

/* Physical pages by physical address, then private pages by 2^32 + guest address; addresses go in
 * as 64-bit little-endian words. Written bytes alone count, whatever views there are. */
static uint64_t digest(weft_memory *face)
{
    memory *m = of(face);
    XXH3_state_t *hash = XXH3_createState();
    uint64_t result = 0;
    if (!hash) {
        return result;
    }
    XXH3_64bits_reset(hash);
    if (face->physical) {
        digest_range(hash, m->physical_file, face->physical, 0, face->physical_size, 0);
    }
    for (uint64_t from = 0; from < GUEST_SPACE;) {
        const weft_view *next = NULL; /* the private view with the least base from `from` on */
        for (uint32_t i = 0; i < m->view_count; i++) {
            const weft_view *v = &m->views[i];
            if (v->backing == WEFT_BACKING_PRIVATE && v->base >= from &&
                (!next || v->base < next->base)) {
                next = v;
            }
        }
        if (!next) {
            break;
        }
        digest_range(hash, m->private_file, face->base + next->base, next->base, next->length,
                     PRIVATE_KEY);
        from = next->base + next->length;
    }
    result = XXH3_64bits_digest(hash);
    XXH3_freeState(hash);
    return result;
}

void memory_single(weft_memory *face)
{
    of(face)->single = 1;
}

weft_memory *memory_create(void)
{
    memory *m = calloc(1, sizeof *m);
    if (!m) {
        return NULL;
    }
    pthread_mutex_init(&m->ring_lock, NULL);
    m->physical_file = memfd_create("weft-physical", MFD_CLOEXEC);
    m->private_file = memfd_create("weft-private", MFD_CLOEXEC);
    m->access = zeroed(WEFT_PAGE_COUNT);
    m->version = zeroed(WEFT_PAGE_COUNT * sizeof *m->version);
    m->alias = zeroed(WEFT_PAGE_COUNT * sizeof *m->alias);
    void *base = mmap(NULL, GUEST_SPACE + GUARD, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    m->face = (weft_memory){
        .size = sizeof(weft_memory),
        .base = base == MAP_FAILED ? NULL : base,
        .access = m->access,
        .version = m->version,
        .impl = m,
        .declare_physical = declare_physical,
        .view_add = view_add,
        .protect = protect,
        .discard = discard,
        .mmio_add = mmio_add,
        .watch = watch,
        .listen = listen_add,
        .unlisten = listen_remove,
        .written = written,
        .written_physical = written_physical,
        .digest = digest,
        .watch_physical = watch_physical,
        .physical_of = physical_of,
    };
    if (m->physical_file < 0 || m->private_file < 0 || !m->access || !m->version || !m->alias ||
        !m->face.base || ftruncate(m->private_file, (off_t)GUEST_SPACE)) {
        memory_destroy(&m->face);
        return NULL;
    }
    for (uint32_t i = 0; i < WEFT_PAGE_COUNT; i++) {
        m->alias[i] = i;
    }
    return &m->face;
}

void memory_destroy(weft_memory *face)
{
    if (!face) {
        return;
    }
    memory *m = of(face);
    if (face->base) {
        munmap(face->base, GUEST_SPACE + GUARD);
    }
    if (face->physical) {
        munmap(face->physical, face->physical_size);
    }
    if (m->access) {
        munmap(m->access, WEFT_PAGE_COUNT);
    }
    if (m->version) {
        munmap(m->version, WEFT_PAGE_COUNT * sizeof *m->version);
    }
    if (m->alias) {
        munmap(m->alias, WEFT_PAGE_COUNT * sizeof *m->alias);
    }
    if (m->physical_file >= 0) {
        close(m->physical_file);
    }
    if (m->private_file >= 0) {
        close(m->private_file);
    }
    pthread_mutex_destroy(&m->ring_lock);
    free(m->shown_at);
    free(m);
}
