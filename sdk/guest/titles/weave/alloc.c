/* alloc: six threads allocate blocks, fill them, pass them to each other and free them. Which
 * address a block has depends on the order; that no two overlap, and what they hold, does not.
 *
 *     rounds=N   blocks of each thread (default 300) */
#include "threads.h"

#define TEAM 6u
#define BOX  16u /* blocks that wait for another thread */

typedef struct block {
    u32 words; /* all of it, this one included */
    u32 seed;
    u32 rest[];
} block;

static struct {
    u32 rounds;
    critical_section section;
    block *box[BOX];
    u32 count;
    volatile u32 made, freed, pages, sum, addresses, errors;
} heap;

static block *block_make(u32 seed)
{
    u32 words = 2 + weft_mix(seed) % 250;
    block *b = ExAllocatePool(words * 4);
    if (b == NULL) {
        weft_atomic_add(&heap.errors, 1);
        return NULL;
    }
    b->words = words;
    b->seed = seed;
    for (u32 i = 2; i < words; i++) {
        b->rest[i - 2] = seed + i;
    }
    weft_atomic_add(&heap.made, 1);
    return b;
}

static void block_free(block *b)
{
    u32 wrong = b->words != 2 + weft_mix(b->seed) % 250;
    for (u32 i = 2; !wrong && i < b->words; i++) {
        wrong = b->rest[i - 2] != b->seed + i;
    }
    weft_atomic_add(&heap.errors, wrong);
    weft_atomic_add(&heap.sum, weft_mix(b->seed));
    weft_atomic_add(&heap.freed, 1);
    ExFreePool(b);
}

/* Puts one into the box; where that is full, another comes out. */
static block *box_exchange(block *b)
{
    block *out = NULL;
    RtlEnterCriticalSection(&heap.section);
    if (heap.count == BOX) {
        out = heap.box[b->seed % BOX];
        heap.box[b->seed % BOX] = b;
    } else {
        heap.box[heap.count++] = b;
    }
    /* the order of addresses, not their values: an allocator may be exchanged */
    heap.addresses = heap.addresses * 31 + (out > b);
    RtlLeaveCriticalSection(&heap.section);
    return out;
}

/* A page of virtual memory is zero, and nobody else's. */
static void page_use(u32 seed)
{
    u32 base = 0, size = 0x1000;
    if (NtAllocateVirtualMemory(&base, &size, 0x3000 /* reserve and commit */, PAGE_READWRITE, 0) !=
        STATUS_SUCCESS) {
        weft_atomic_add(&heap.errors, 1);
        return;
    }
    volatile u32 *words = (volatile u32 *)(uintptr_t)base;
    u32 wrong = words[0] != 0 || words[1023] != 0;
    words[0] = words[1023] = seed;
    weft_work(100);
    wrong |= words[0] != seed || words[1023] != seed;
    weft_atomic_add(&heap.errors, wrong);
    weft_atomic_add(&heap.pages, 1);
    size = 0;
    NtFreeVirtualMemory(&base, &size, 0x8000 /* release */, 0);
}

static u32 member(void *context)
{
    weft_member *m = context;
    for (u32 r = 0; r < heap.rounds; r++) {
        u32 seed = m->index << 24 | (r + 1);
        block *b = block_make(seed);
        block *out = b == NULL ? NULL : box_exchange(b);
        if (out != NULL) {
            block_free(out);
        }
        if (r % 16 == 0) {
            page_use(seed);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static weft_team team;
    heap.rounds = weft_option_number(argc, argv, "rounds", 300);
    RtlInitializeCriticalSection(&heap.section);
    if (!weft_team_start(&team, TEAM, member, 0)) {
        return 2;
    }
    weft_team_join(&team);
    while (heap.count > 0) {
        block_free(heap.box[--heap.count]);
    }
    u32 sum = 0;
    for (u32 i = 0; i < TEAM; i++) {
        for (u32 r = 0; r < heap.rounds; r++) {
            sum += weft_mix(i << 24 | (r + 1));
        }
    }
    weft_verdict v;
    weft_verdict_begin(&v, "alloc");
    weft_check(&v, "blocks made", heap.made, TEAM * heap.rounds);
    weft_check(&v, "blocks freed", heap.freed, TEAM * heap.rounds);
    weft_check(&v, "sum", heap.sum, sum);
    weft_check(&v, "pages", heap.pages, TEAM * ((heap.rounds + 15) / 16));
    weft_check(&v, "errors", heap.errors, 0);
    DbgPrint("alloc: order of addresses 0x%08x\n", heap.addresses);
    return (int)weft_verdict_end(&v);
}
