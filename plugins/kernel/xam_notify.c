/* Notification listeners (LESSONS 53), and notices on the screen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

#define VERSION_MAX     10 /* the latest that XDK titles ask for (xenia xam_notify.cc) */
#define QUEUE_MAX       64 /* a listener that is never asked forgets its oldest */
#define BODY_SIZE       16 /* a dispatcher header: listeners can be waited for */
#define LIVE_LOGGED_OFF UINT32_C(0x001510F1) /* XONLINE_S_LOGON_DISCONNECTED (LESSONS 53) */

struct kxam_listener {
    kobject *object;
    uint64_t mask;
    uint32_t version;
    uint32_t count;
    struct {
        uint32_t id, parameter;
    } queue[QUEUE_MAX];
    kxam_listener *next;
};

static void enqueue(kernel *k, kxam_listener *l, uint32_t id, uint32_t parameter)
{
    uint32_t area = id >> 25 & 0x3F, version = id >> 16 & 0x1FF;
    if (!(l->mask >> area & 1) || version > l->version) {
        return;
    }
    if (l->count == QUEUE_MAX) {
        memmove(&l->queue[0], &l->queue[1], sizeof l->queue - sizeof l->queue[0]);
        l->count--;
    }
    l->queue[l->count].id = id;
    l->queue[l->count++].parameter = parameter;
    ksignal_event(k, l->object); /* signalled while anything is queued */
}

void kxam_notify(kernel *k, uint32_t id, uint32_t parameter)
{
    for (kxam_listener *l = k->xam.listeners; l; l = l->next) {
        enqueue(k, l, id, parameter);
    }
}

static void listener_close(kernel *k, kobject *object)
{
    for (kxam_listener **p = &k->xam.listeners; *p; p = &(*p)->next) {
        if (*p == object->data) {
            *p = (*p)->next;
            break;
        }
    }
    free(object->data);
}

void kxam_notify_destroy(kernel *k)
{
    while (k->xam.listeners) {
        kobject *object = k->xam.listeners->object;
        listener_close(k, object);
        object->data = NULL;
        object->close = NULL;
    }
}

/* What the console tells the first listener of an area: the state of things. */
static void tell_state(kernel *k, kxam_listener *l)
{
    if (l->mask & XNOTIFY_SYSTEM && !k->xam.system_told) {
        k->xam.system_told = true;
        enqueue(k, l, XN_SYS_UI, k->xam.ui_active > 0);
        enqueue(k, l, XN_SYS_SIGNINCHANGED, 1);
    }
    if (l->mask & XNOTIFY_LIVE && !k->xam.live_told) {
        k->xam.live_told = true;
        enqueue(k, l, XN_LIVE_CONNECTIONCHANGED, LIVE_LOGGED_OFF);
        enqueue(k, l, XN_LIVE_LINK_STATE_CHANGED, 0);
    }
}

static uint32_t create_listener(kcall *call, uint64_t mask, uint32_t version)
{
    kernel *k = call->k;
    kxam_listener *l = calloc(1, sizeof *l);
    kobject *object =
        l ? kobject_create(k, call->thread, KOBJECT_NOTIFY, call->caller, BODY_SIZE) : NULL;
    if (!object) {
        free(l);
        return kret(call, 0);
    }
    object->data = l;
    object->close = listener_close;
    l->object = object;
    l->mask = mask;
    l->version = version > VERSION_MAX ? VERSION_MAX : version;
    l->next = k->xam.listeners;
    k->xam.listeners = l;
    tell_state(k, l);
    uint32_t handle = khandle_open(k, call->thread, object);
    kobject_release(k, object);
    return kret(call, handle);
}

uint32_t ex_XamNotifyCreateListener(kcall *call)
{
    return create_listener(call, karg64(call, 0), karg(call, 1));
}

uint32_t ex_XamNotifyCreateListenerInternal(kcall *call)
{
    return create_listener(call, karg64(call, 0), karg(call, 2));
}

/* With an id: the first of that id, which may overtake others; without: the oldest. */
uint32_t ex_XNotifyGetNext(kcall *call)
{
    kernel *k = call->k;
    uint32_t wanted = karg(call, 1), id_out = karg(call, 2), parameter_out = karg(call, 3);
    if (parameter_out) {
        kput32(call, parameter_out, 0);
    }
    if (!id_out) {
        return kret(call, 0);
    }
    kput32(call, id_out, 0);
    kobject *object = khandle_get(k, call->thread, karg(call, 0), KOBJECT_NOTIFY);
    kxam_listener *l = object ? object->data : NULL;
    for (uint32_t i = 0; l && i < l->count; i++) {
        if (wanted && l->queue[i].id != wanted) {
            continue;
        }
        kput32(call, id_out, l->queue[i].id);
        if (parameter_out) {
            kput32(call, parameter_out, l->queue[i].parameter);
        }
        l->count--;
        memmove(&l->queue[i], &l->queue[i + 1], (l->count - i) * sizeof l->queue[0]);
        if (l->count == 0) {
            kreset_event(k, object);
        }
        return kret(call, 1);
    }
    return kret(call, 0);
}

uint32_t ex_XNotifyPositionUI(kcall *call)
{
    return K_DONE; /* notices go to the log, which has no corners */
}

/* (type, user, areas, text, context): the notice becomes a log line. */
uint32_t ex_XNotifyQueueUI(kcall *call)
{
    char text[160], line[192];
    kxam_text(call, karg(call, 3), text, sizeof text);
    snprintf(line, sizeof line, "notice: %s", text);
    call->k->host->log(call->k->host, WEFT_LOG_INFO, line);
    return K_DONE;
}
