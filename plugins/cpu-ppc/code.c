/* code.c: pages of decoded code, and what makes them forget.
 *
 * In lockstep all states share one cache. In parallel mode each hardware thread has its own, which
 * only the host thread that runs it touches: nothing that is being executed is ever changed or freed
 * by another. Whoever hears of a write posts the pages to the caches that have them; a cache forgets
 * them when its run looks around: before the instruction after an own store into code, at isync, and
 * at the latest after CHUNK instructions. That is sooner than the architecture asks for (book II,
 * 3.2.1). Rule: a page that some cache holds decoded words of is watched, or posted to it. */
#include "threaded.h"

#include <stdlib.h>

#define PAGES_ONE  16384u /* a cache starts afresh when it has as many: 64 MiB of code */
#define PAGES_EACH 4096u  /* with six caches */

static void decode(const engine *e, uint32_t address, op *out)
{
    ppc_decode(e->lookup, address, guest_load32(e->memory->base + address), out);
    if (!e->parallel && (out->run == op_isync || out->run == op_icbi)) {
        out->run = op_nop; /* code is coherent */
    }
}

void ppc_decode_plain(const engine *e, const code_page *page, uint32_t index, op *out)
{
    decode(e, (page->number << WEFT_PAGE_SHIFT) + 4 * index, out);
}

/* First execution of a word since it was last written: decodes it in place, then executes it. The
 * page is watched before the word is read: a write is reported, or is read. */
static PPC_NOINLINE void decode_here(core *c, const op *o)
{
    engine *e = c->engine;
    uint32_t pc = pc_of(c, o);
    code_page *page = c->pages[pc >> WEFT_PAGE_SHIFT];
    if (!page->watched) {
        page->watched = 1;
        e->memory->watch(e->memory, pc & ~(WEFT_PAGE_SIZE - 1), WEFT_PAGE_SIZE);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    uint32_t index = pc >> 2 & (PPC_PAGE_OPS - 1);
    if (e->blocks && c->ops == page->ops) {
        ppc_fuse(e, page, index);
    } else {
        op *ops = e->blocks ? page->plain : page->ops;
        decode(e, pc, &ops[index]);
    }
}

HANDLER(op_undecoded)
{
    decode_here(c, o);
    GO(o);
}

HANDLER(op_page_end)
{
    return ppc_leave_to(c, pc_of(c, o), left);
}

/* ---- caches ------------------------------------------------------------------------------------
 */

code_cache *ppc_cache_make(void)
{
    code_cache *k = calloc(1, sizeof *k);
    if (k && pthread_mutex_init(&k->lock, NULL)) {
        free(k);
        return NULL;
    }
    return k;
}

/* Pages are read by other host threads only as being there or not. */
static void put_page(code_cache *k, uint32_t number, code_page *page)
{
    __atomic_store_n(&k->pages[number], page, __ATOMIC_RELAXED);
}

static void drop_all(code_cache *k)
{
    while (k->first) {
        code_page *page = k->first;
        k->first = page->next;
        put_page(k, page->number, NULL);
        free(page);
    }
    k->count = 0;
}

void ppc_cache_free(code_cache *k)
{
    if (k) {
        drop_all(k);
        pthread_mutex_destroy(&k->lock);
        free(k);
    }
}

code_page *ppc_page_make(engine *e, code_cache *k, uint32_t number)
{
    if (k->count == (e->parallel ? PAGES_EACH : PAGES_ONE)) {
        drop_all(k);
    }
    code_page *page = malloc(sizeof *page + (e->blocks ? sizeof page->ops : 0));
    if (!page) {
        return NULL;
    }
    for (uint32_t i = 0; i <= PPC_PAGE_OPS; i++) {
        op empty = {.run = i < PPC_PAGE_OPS ? op_undecoded : op_page_end};
        page->ops[i] = empty;
        if (e->blocks) {
            page->plain[i] = empty;
        }
    }
    page->number = number;
    page->watched = 0;
    page->next = k->first;
    k->first = page;
    k->count++;
    put_page(k, number, page);
    return page;
}

/* Forgets the words from `from` to `to`, and handlers that execute them with words before them. */
static void forget(const engine *e, code_page *page, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; e->blocks && i <= to; i++) {
        page->plain[i].run = op_undecoded;
    }
    from -= e->blocks && from >= PPC_FUSED ? PPC_FUSED - 1 : e->blocks ? from : 0;
    for (uint32_t i = from; i <= to; i++) {
        page->ops[i].run = op_undecoded;
    }
}

static void forget_page(const engine *e, code_page *page)
{
    if (page && page->watched) {
        page->watched = 0;
        forget(e, page, 0, PPC_PAGE_OPS - 1);
    }
}

/* ---- writes ------------------------------------------------------------------------------------
 */

static void lock_posts(const engine *e, code_cache *k)
{
    if (e->locks) {
        e->locks->take(e->host, WEFT_LOCK_LEAF, "code cache");
    }
    pthread_mutex_lock(&k->lock);
}

static void unlock_posts(const engine *e, code_cache *k)
{
    pthread_mutex_unlock(&k->lock);
    if (e->locks) {
        e->locks->give(e->host, WEFT_LOCK_LEAF);
    }
}

static void post(const engine *e, code_cache *k, uint32_t number)
{
    uint32_t i = 0;
    lock_posts(e, k);
    while (i < k->post_count && k->posts[i] != number) {
        i++;
    }
    if (i == k->post_count && i < PPC_POSTS) {
        k->posts[k->post_count++] = number;
    } else if (i == PPC_POSTS) {
        k->post_all = 1;
    }
    __atomic_store_n(&k->posted, 1, __ATOMIC_RELEASE);
    unlock_posts(e, k);
}

void ppc_posts_take(const engine *e, code_cache *k)
{
    uint32_t posts[PPC_POSTS];
    lock_posts(e, k);
    uint32_t count = k->post_count, all = k->post_all;
    memcpy(posts, k->posts, count * sizeof *posts);
    k->post_count = k->post_all = 0;
    __atomic_store_n(&k->posted, 0, __ATOMIC_RELAXED);
    unlock_posts(e, k);
    for (code_page *page = all ? k->first : NULL; page; page = page->next) {
        forget_page(e, page);
    }
    for (uint32_t i = 0; i < count; i++) {
        forget_page(e, k->pages[posts[i]]);
    }
}

static void written_parallel(engine *e, uint32_t first, uint32_t last)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (uint32_t number = first; number <= last; number++) {
        for (uint32_t hw = 0; hw < WEFT_HW_COUNT; hw++) {
            code_cache *k = e->caches[hw];
            if (__atomic_load_n(&k->pages[number], __ATOMIC_RELAXED)) {
                post(e, k, number);
            }
        }
    }
}

/* Bytes of a page with decoded code changed, which used up the page's watch. In lockstep the watch
 * is renewed before the next instruction after an own store (ppc_written), so that only the written
 * words have to be forgotten. After anybody else's, more writes may follow unreported: the whole
 * page goes. */
void ppc_on_written(void *context, uint32_t start, uint32_t length)
{
    engine *e = context;
    if (length == 0) {
        return;
    }
    uint32_t last = start + (length - 1);
    if (e->parallel) {
        written_parallel(e, start >> WEFT_PAGE_SHIFT, last >> WEFT_PAGE_SHIFT);
        return;
    }
    for (uint32_t number = start >> WEFT_PAGE_SHIFT; number <= last >> WEFT_PAGE_SHIFT; number++) {
        code_page *page = e->caches[0]->pages[number];
        if (!page || !page->watched) {
            continue;
        }
        if (!e->storing || e->rewatch_count == PPC_REWATCH) {
            forget_page(e, page);
            continue;
        }
        uint32_t first_byte = number << WEFT_PAGE_SHIFT;
        uint32_t from = start > first_byte ? (start - first_byte) / 4 : 0;
        uint32_t to =
            last - first_byte < WEFT_PAGE_SIZE ? (last - first_byte) / 4 : PPC_PAGE_OPS - 1;
        forget(e, page, from, to);
        e->rewatch[e->rewatch_count++] = number;
    }
}

void ppc_written(core *c, uint32_t start, uint32_t length)
{
    engine *e = c->engine;
    const weft_cpu_host *calls = e->calls;
    if (e->parallel) {
        __atomic_thread_fence(
            __ATOMIC_SEQ_CST); /* the store is there before the page's watch goes */
    }
    if (calls->written) {
        calls->written(calls->context, &c->s, start, length);
        return;
    }
    e->storing = 1;
    e->memory->written(e->memory, start, length);
    e->storing = 0;
    while (e->rewatch_count) {
        uint32_t number = e->rewatch[--e->rewatch_count];
        e->memory->watch(e->memory, number << WEFT_PAGE_SHIFT, WEFT_PAGE_SIZE);
    }
}
