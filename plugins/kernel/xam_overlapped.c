/* XOVERLAPPED: XAM's asynchronous operations, completed in guest time by the I/O source.
 *
 * The structure, 28 bytes (xenia src/xenia/xbox.h, XAM_OVERLAPPED): result @0, length @4, thread
 * @8, event @0xC, completion routine @0x10, its context @0x14, extended error @0x18. The routine is
 * a user APC of the thread that started the operation: routine(result, length, overlapped). */
#include <stdlib.h>
#include <string.h>

#include "xam.h"
#include "xam_storage.h"

#define OVERLAPPED_SIZE     28
#define OVERLAPPED_LENGTH   4
#define OVERLAPPED_THREAD   8
#define OVERLAPPED_EVENT    12
#define OVERLAPPED_ROUTINE  16
#define OVERLAPPED_EXTENDED 24

/* How long a user takes to answer a dialogue, and XAM to fade it out: 100 ms each, as in xenia
 * (src/xenia/kernel/kernel_state.cc, xam/xam_ui.cc). Titles need the time to make a listener. */
#define UI_TICKS (WEFT_TICKS_PER_SECOND / 10)

#define HANDLE_CURRENT_THREAD UINT32_C(0xFFFFFFFE)

uint8_t *kxam_memory(kernel *k, uint32_t address, uint32_t length, uint8_t access)
{
    bool there = address && weft_memory_ok(k->memory, address, length, access);
    return there ? k->memory->base + address : NULL;
}

static void run(kernel *k, kxam_request *r)
{
    if (r->fn) {
        r->fn(k, r);
    }
}

static void finish(kernel *k, kxam_request *r)
{
    for (kxam_request **p = &k->xam.requests; *p; p = &(*p)->next) {
        if (*p == r) {
            *p = r->next;
            break;
        }
    }
    if (r->object) {
        kobject_release(k, r->object);
    }
    if (r->event) {
        kobject_release(k, r->event);
    }
    free(r->more);
    free(r);
}

static void ui_gone(kernel *k, void *unused)
{
    (void)unused;
    k->xam.ui_active--;
    kxam_notify(k, XN_SYS_UI, k->xam.ui_active > 0);
}

static void completed(kernel *k, void *argument)
{
    kxam_request *r = argument;
    run(k, r);
    uint8_t *p = kxam_memory(k, r->overlapped, OVERLAPPED_SIZE, WEFT_PAGE_WRITE);
    uint32_t routine = 0;
    if (p) {
        weft_store32(p, r->result);
        weft_store32(p + OVERLAPPED_LENGTH, r->length);
        weft_store32(p + OVERLAPPED_EXTENDED, r->extended);
        kwritten(k, r->overlapped, OVERLAPPED_SIZE);
        routine = weft_load32(p + OVERLAPPED_ROUTINE);
    }
    if (r->event) {
        ksignal_event(k, r->event);
    }
    if (routine && r->thread->state != WEFT_THREAD_TERMINATED) {
        kapc_queue(k, r->thread, routine, r->result, r->length, r->overlapped);
    }
    if (r->ui) {
        kio_schedule(k, k->clock->now(k->clock) + UI_TICKS, ui_gone, NULL, NULL);
    }
    finish(k, r);
}

static kobject *event_of(const void *request)
{
    return ((const kxam_request *)request)->event;
}

static kxam_request *prepare(kcall *call, uint32_t overlapped, const kxam_request *what)
{
    kernel *k = call->k;
    uint8_t *p = kwrite(call, overlapped, OVERLAPPED_SIZE);
    bool room = p && (!weft_load32(p + OVERLAPPED_ROUTINE) || kapc_room(call->thread));
    kxam_request *r = room ? malloc(sizeof *r) : NULL;
    if (!r) {
        return NULL;
    }
    *r = *what;
    r->overlapped = overlapped;
    r->thread = call->thread;
    r->event = khandle_get(k, call->thread, weft_load32(p + OVERLAPPED_EVENT), KOBJECT_EVENT);
    weft_store32(p, X_ERROR_IO_PENDING);
    weft_store32(p + OVERLAPPED_LENGTH, 0);
    weft_store32(p + OVERLAPPED_THREAD, HANDLE_CURRENT_THREAD);
    weft_store32(p + OVERLAPPED_EXTENDED, 0);
    kwritten(k, overlapped, OVERLAPPED_SIZE);
    if (r->event) {
        kobject_retain(r->event);
        kreset_event(k, r->event);
    }
    if (r->object) {
        kobject_retain(r->object);
    }
    r->next = k->xam.requests;
    k->xam.requests = r;
    return r;
}

uint32_t kxam_begin(kcall *call, uint32_t overlapped, uint64_t delay, const kxam_request *what)
{
    if (!overlapped) {
        kxam_request now = *what;
        run(call->k, &now);
        free(now.more);
        return kret(call, now.result);
    }
    kxam_request *r = prepare(call, overlapped, what);
    if (!r) {
        free(what->more);
        return kret(call, X_ERROR_FUNCTION_FAILED);
    }
    uint64_t now = know(call->k);
    kio_schedule(call->k,
                 kpolicy_deadline(call->k, call->thread, WEFT_DELAY_OVERLAPPED, now, now + delay),
                 completed, event_of, r);
    return kret(call, X_ERROR_IO_PENDING);
}

uint32_t kxam_begin_ui(kcall *call, uint32_t overlapped, const kxam_request *what)
{
    kernel *k = call->k;
    kxam_request ui = *what;
    ui.ui = overlapped != 0;
    uint32_t answer = kxam_begin(call, overlapped, UI_TICKS, &ui);
    if (call->faulted) {
        return answer;
    }
    kxam_notify(k, XN_SYS_UI, 1);
    if (!overlapped) {
        kxam_notify(k, XN_SYS_UI, k->xam.ui_active > 0);
    } else if (call->cpu->r[3] == X_ERROR_IO_PENDING) {
        k->xam.ui_active++;
    }
    return answer;
}

void kxam_destroy(kernel *k)
{
    while (k->xam.requests) {
        finish(k, k->xam.requests);
    }
    kxam_notify_destroy(k);
    kxam_task_destroy(k);
    kcontent_destroy(k);
}

void kxam_put_wide(uint8_t *p, uint32_t capacity, const char *text)
{
    bool over = false;
    for (uint32_t i = 0; i < capacity; i++) {
        over = over || i + 1 == capacity || text[i] == 0;
        weft_store16(p + 2 * i, over ? 0 : (uint8_t)text[i]);
    }
}

void kxam_text(kcall *call, uint32_t address, char *text, uint32_t capacity)
{
    uint32_t length = 0;
    while (address && length + 1 < capacity) {
        uint16_t c = kget16(call, address + 2 * length);
        if (c == 0 || call->faulted) {
            break;
        }
        text[length++] = c == '\n' || c == '\r' ? ' ' : c < 0x20 || c > 0x7E ? '?' : (char)c;
    }
    text[length] = 0;
}
