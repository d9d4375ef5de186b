/* Bugs of depth 2 and 3: a thread must be stopped inside a window while another runs. The windows
 * are most of what the threads do, as in a title where something else goes on there; what goes on
 * is bookkeeping under a critical section of its own. */
#include "bugs.h"

typedef struct book {
    critical_section section;
    u32 entries;
} book;

/* Threads of a deadlock that has shown stay, and go on with theirs: the bugs that come after it have
 * another one. */
static book common, of_deadlock;

static void book_open(book *b)
{
    RtlInitializeCriticalSection(&b->section);
}

static void book_keep(book *b, u32 entries)
{
    for (u32 i = 0; i < entries; i++) {
        RtlEnterCriticalSection(&b->section);
        b->entries++;
        RtlLeaveCriticalSection(&b->section);
    }
}

/* ---- lost: the consumer looks, finds nothing, and waits for a pulse -----------------------------
 * A pulse between look and wait finds nobody. That it is lost is certain once the producer has
 * pulsed, an item is there, and the consumer's wait timed out. */

static struct {
    critical_section section;
    u32 count;
    u32 arrived; /* automatic event */
    bool fixed;
    volatile bool pulsed, lost;
} shop;

static u32 shop_producer(void *context)
{
    (void)context;
    weft_work(8000); /* so that by default the consumer waits already */
    RtlEnterCriticalSection(&shop.section);
    shop.count++;
    RtlLeaveCriticalSection(&shop.section);
    if (shop.fixed) {
        NtSetEvent(shop.arrived, 0);
    } else {
        NtPulseEvent(shop.arrived, 0);
    }
    shop.pulsed = true;
    return 0;
}

static u32 shop_consumer(void *context)
{
    (void)context;
    RtlEnterCriticalSection(&shop.section);
    bool nothing = shop.count == 0;
    RtlLeaveCriticalSection(&shop.section);
    book_keep(&common, 8); /* the window */
    while (nothing) {
        bool pulsed = shop.pulsed;
        if (weft_wait(shop.arrived, 10) == STATUS_WAIT_0) {
            return 0;
        }
        shop.lost = pulsed;
        nothing = !pulsed;
    }
    return 0;
}

bool lost_shows(attempt a)
{
    shop.fixed = a.fixed;
    shop.count = 0;
    shop.pulsed = shop.lost = false;
    shop.arrived = weft_event(SYNCHRONIZATION, false);
    RtlInitializeCriticalSection(&shop.section);
    book_open(&common);
    pair_run(shop_consumer, shop_producer, WEFT_FOREVER, NULL);
    NtClose(shop.arrived);
    return shop.lost;
}

/* ---- atomic: read in one critical section, written in the next --------------------------------
 */

#define DEPOSIT 100u

static struct {
    critical_section section;
    u32 balance;
    bool fixed;
} account;

static u32 account_member(void *context)
{
    (void)context;
    RtlEnterCriticalSection(&account.section);
    u32 balance = account.balance;
    if (!account.fixed) {
        RtlLeaveCriticalSection(&account.section);
    }
    book_keep(&common, 5); /* the window */
    if (!account.fixed) {
        RtlEnterCriticalSection(&account.section);
    }
    account.balance = balance + DEPOSIT;
    RtlLeaveCriticalSection(&account.section);
    return 0;
}

bool atomic_shows(attempt a)
{
    account.fixed = a.fixed;
    account.balance = 0;
    RtlInitializeCriticalSection(&account.section);
    book_open(&common);
    pair_run(account_member, account_member, WEFT_FOREVER, NULL);
    return account.balance != 2 * DEPOSIT;
}

/* ---- aba: a stack without a lock whose head has no counter --------------------------------------
 * One takes a node; the other takes two and puts the first back. Where all of that falls between
 * the first one's look and its exchange, the head becomes a node that is somebody's. */

#define NODES 3u
#define NONE  0xFFFFu

static struct {
    volatile u32 head; /* counter << 16 | node; the counter stays 0 unless fixed */
    volatile u32 next[NODES];
    u32 step; /* what each change adds to the counter */
    u32 held[2];
} stack;

static void node_push(u32 node)
{
    u32 head;
    do {
        head = stack.head;
        stack.next[node] = head & 0xFFFF;
        weft_publish();
    } while (!weft_swap_if(&stack.head, head, (head & 0xFFFF0000u) + stack.step + node));
}

static u32 node_pop(u32 entries)
{
    for (;;) {
        u32 head = stack.head, node = head & 0xFFFF;
        if (node == NONE) {
            return NONE;
        }
        u32 below = stack.next[node];
        book_keep(&common, entries); /* the window */
        if (weft_swap_if(&stack.head, head, (head & 0xFFFF0000u) + stack.step + below)) {
            return node;
        }
    }
}

static u32 stack_first(void *context)
{
    (void)context;
    stack.held[0] = node_pop(8);
    return 0;
}

static u32 stack_second(void *context)
{
    (void)context;
    u32 node = node_pop(1);
    stack.held[1] = node_pop(1);
    node_push(node);
    return 0;
}

bool aba_shows(attempt a)
{
    stack.step = a.fixed ? 0x10000u : 0;
    stack.head = NONE;
    for (u32 i = 0; i < NODES; i++) {
        node_push(i);
    }
    book_open(&common);
    pair_run(stack_first, stack_second, WEFT_FOREVER, NULL);
    u32 times[NODES] = {0};
    bool twice = false;
    u32 node = stack.held[0];
    for (u32 i = 0; i <= NODES && node != NONE; i++) {
        twice |= ++times[node] > 1;
        node = i == 0 ? stack.held[1] : node_pop(0);
    }
    return twice;
}

/* ---- deadlock: A then B, and B then A -----------------------------------------------------------
 * Each says how many it has entered; one each is the deadlock, for none leaves before it has
 * both. */

static struct {
    critical_section sections[2];
    volatile u32 entered[2];
    bool fixed;
} cross;

static u32 cross_member(void *context)
{
    u32 index = (u32)(uintptr_t)context, first = cross.fixed ? 0 : index;
    RtlEnterCriticalSection(&cross.sections[first]);
    cross.entered[index] = 1;
    book_keep(&of_deadlock, 5); /* the window */
    RtlEnterCriticalSection(&cross.sections[1 - first]);
    cross.entered[index] = 2;
    RtlLeaveCriticalSection(&cross.sections[1 - first]);
    RtlLeaveCriticalSection(&cross.sections[first]);
    return 0;
}

static bool cross_over(void)
{
    return !cross.fixed && cross.entered[0] == 1 && cross.entered[1] == 1;
}

bool deadlock_shows(attempt a)
{
    cross.fixed = a.fixed;
    cross.entered[0] = cross.entered[1] = 0;
    RtlInitializeCriticalSection(&cross.sections[0]);
    RtlInitializeCriticalSection(&cross.sections[1]);
    book_open(&of_deadlock);
    return !pair_run(cross_member, cross_member, a.hang ? WEFT_FOREVER : 10, cross_over);
}

/* ---- twice: one item, taken in four steps -------------------------------------------------------
 * Whoever counts down and finds the slot empty gives up cleanly, so that one preemption does no
 * harm: both must have looked before either counts, and one must stop before it empties the
 * slot. */

static struct {
    critical_section section;
    i32 count;
    u32 item; /* 0: taken */
    u32 got[2];
    bool fixed;
} slot;

static bool slot_count(i32 amount)
{
    RtlEnterCriticalSection(&slot.section);
    bool any = slot.count > 0;
    slot.count += amount;
    RtlLeaveCriticalSection(&slot.section);
    return any;
}

static u32 slot_item(bool empty)
{
    RtlEnterCriticalSection(&slot.section);
    u32 item = slot.item;
    if (empty) {
        slot.item = 0;
    }
    RtlLeaveCriticalSection(&slot.section);
    return item;
}

static u32 slot_member(void *context)
{
    u32 index = (u32)(uintptr_t)context;
    if (!slot_count(0)) {
        return 0;
    }
    book_keep(&common, 8); /* the first window */
    slot_count(-1);
    u32 item = slot_item(slot.fixed);
    if (item == 0) {
        slot_count(1);
        return 0;
    }
    book_keep(&common, 8); /* the second window */
    slot_item(true);
    slot.got[index] = item;
    return 0;
}

bool twice_shows(attempt a)
{
    slot.fixed = a.fixed;
    slot.count = 1;
    slot.item = 7;
    slot.got[0] = slot.got[1] = 0;
    RtlInitializeCriticalSection(&slot.section);
    book_open(&common);
    pair_run(slot_member, slot_member, WEFT_FOREVER, NULL);
    return slot.got[0] != 0 && slot.got[1] != 0;
}
