/* I/O completion ports (NT documentation: NtCreateIoCompletion, NtSetIoCompletion,
 * NtRemoveIoCompletion; arguments: xenia src/xenia/kernel/xboxkrnl/xboxkrnl_io.cc).
 *
 * The port's signal state counts the packets that nobody was given yet. A packet that ends a wait
 * belongs to the thread that waited, although that thread fetches it only when it is next picked:
 * what others do in between cannot take it. */
#include "io_completion.h"

#include <stdlib.h>

#include "dispatcher.h"
#include "exports.h"
#include "order.h"

#define PORT_TYPE_QUEUE 4 /* NT's KOBJECTS: QueueObject */

typedef struct packet {
    const kthread *taker; /* whose wait it ended; NULL: nobody's yet */
    uint32_t key, context, information;
    kstatus status;
    struct packet *next;
} packet;

/* NT takes packets from its pool, and fails when that is used up. */
#define PACKETS_MOST 16384

typedef struct port {
    packet *first, *last;
    uint32_t count;
} port;

static void port_close(kernel *k, kobject *o)
{
    port *p = o->data;
    while (p && p->first) {
        packet *next = p->first->next;
        free(p->first);
        p->first = next;
    }
    free(p);
    o->data = NULL;
}

static kobject *port_get(kcall *call, uint32_t handle)
{
    return khandle_get(call->k, call->thread, handle, KOBJECT_IO_COMPLETION);
}

bool kcompletion_post(kernel *k, kobject *o, uint32_t key, uint32_t context, kstatus status,
                      uint32_t information)
{
    port *p = o->data;
    packet *made = p->count < PACKETS_MOST ? calloc(1, sizeof *made) : NULL;
    if (!made) {
        return false;
    }
    *made = (packet){.key = key, .context = context, .status = status, .information = information};
    *(p->last ? &p->last->next : &p->first) = made;
    p->last = made;
    p->count++;
    const kthread *first = o->first_wait ? o->first_wait->thread : NULL;
    int32_t count = state_get(k, o) + 1;
    state_set(k, o, count);
    korder_take(k, k->running, WEFT_SYNC_SIGNAL, o);
    kwait_signal(k, o);
    if (state_get(k, o) < count) {
        made->taker = first;
    }
    return true;
}

/* (handle out, access, attributes, threads that may run at once) */
uint32_t ex_NtCreateIoCompletion(kcall *call)
{
    port *p = calloc(1, sizeof *p);
    if (!p) {
        return kret_status(call, STATUS_INSUFFICIENT_RESOURCES);
    }
    kobject *o = NULL;
    uint32_t answer = dispatcher_create_named(call, karg(call, 2), KOBJECT_IO_COMPLETION,
                                              PORT_TYPE_QUEUE, 0x28, 0, &o);
    if (!o) {
        free(p);
        return answer;
    }
    o->data = p;
    o->close = port_close;
    return answer;
}

/* (port, key, context, status, information) */
uint32_t ex_NtSetIoCompletion(kcall *call)
{
    kobject *o = port_get(call, karg(call, 0));
    if (!o) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    if (!korder_before(call, WEFT_SYNC_SIGNAL, o)) {
        return K_AGAIN;
    }
    bool done =
        kcompletion_post(call->k, o, karg(call, 1), karg(call, 2), karg(call, 3), karg(call, 4));
    return kret_status(call, done ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES);
}

/* Takes the packet that is `taker`'s out of the port; NULL: there is none. */
static packet *packet_take(port *p, const kthread *taker)
{
    packet *previous = NULL;
    for (packet *at = p->first; at; previous = at, at = at->next) {
        if (at->taker == taker) {
            *(previous ? &previous->next : &p->first) = at->next;
            p->last = p->last == at ? previous : p->last;
            p->count--;
            return at;
        }
    }
    return NULL;
}

/* The wait is over. cont_data: the port, then where key, context and status block go. */
static uint32_t removed(kcall *call, uint32_t status)
{
    kthread *t = call->thread;
    kobject *o = (kobject *)(uintptr_t)t->cont_data[0];
    if (status == STATUS_WAIT_0) {
        port *p = o->data;
        packet *taken = packet_take(p, t);
        taken = taken ? taken : packet_take(p, NULL);
        if (taken) {
            uint32_t block = (uint32_t)t->cont_data[3];
            kput32(call, (uint32_t)t->cont_data[1], taken->key);
            kput32(call, (uint32_t)t->cont_data[2], taken->context);
            kput32(call, block, taken->status);
            kput32(call, block + 4, taken->information);
            free(taken);
        }
    }
    kobject_release(call->k, o);
    return kret_status(call, status);
}

/* (port, key out, context out, status block, timeout) */
uint32_t ex_NtRemoveIoCompletion(kcall *call)
{
    kthread *t = call->thread;
    kobject *o = port_get(call, karg(call, 0));
    uint32_t key = karg(call, 1), context = karg(call, 2), block = karg(call, 3);
    int64_t timeout = karg(call, 4) ? (int64_t)kget64(call, karg(call, 4)) : 0;
    if (!o) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    if (!kwrite(call, key, 4) || !kwrite(call, context, 4) || !kwrite(call, block, 8) ||
        call->faulted) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    if (!korder_before_wait(call, &o, 1)) {
        return K_AGAIN;
    }
    kobject_retain(o); /* until `removed` */
    t->cont_data[0] = (uintptr_t)o;
    t->cont_data[1] = key;
    t->cont_data[2] = context;
    t->cont_data[3] = block;
    return kwait_begin(call, &o, 1, false, false, karg(call, 4) ? &timeout : NULL, removed);
}

/* (port object, key, context, status, information): NtSetIoCompletion by pointer. */
uint32_t ex_IoSetIoCompletion(kcall *call)
{
    kobject *o = kobject_at(call->k, call->thread, karg(call, 0));
    if (!o || o->type != KOBJECT_IO_COMPLETION) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    if (!korder_before(call, WEFT_SYNC_SIGNAL, o)) {
        return K_AGAIN;
    }
    bool posted =
        kcompletion_post(call->k, o, karg(call, 1), karg(call, 2), karg(call, 3), karg(call, 4));
    return kret_status(call, posted ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES);
}
