/* Content and its enumerators. The console has no storage device: enumerations are empty, and every
 * device but "any" (0) is unknown (LESSONS 54). */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

#define USER_NONE         0xFE
#define CONTENT_DATA_SIZE 0x134 /* XCONTENT_DATA */
#define DEVICE_DATA_SIZE  0x50  /* XDEVICE_DATA */

/* An enumerator is a list made when it is created. */
typedef struct kxam_list {
    uint32_t item_size, per_call, count, next;
} kxam_list;

static void list_close(kernel *k, kobject *object)
{
    (void)k;
    free(object->data);
}

static uint32_t open_list(kcall *call, uint32_t item_size, uint32_t per_call)
{
    kernel *k = call->k;
    kxam_list *list = calloc(1, sizeof *list);
    kobject *object =
        list ? kobject_create(k, call->thread, KOBJECT_ENUMERATOR, call->caller, 0) : NULL;
    if (!object) {
        free(list);
        return 0;
    }
    list->item_size = item_size;
    list->per_call = per_call;
    object->data = list;
    object->close = list_close;
    uint32_t handle = khandle_open(k, call->thread, object);
    kobject_release(k, object);
    return handle;
}

/* (user, device, type, flags, items a call, buffer size out, handle out) */
uint32_t ex_XamContentCreateEnumerator(kcall *call)
{
    uint32_t user = karg(call, 0), device = karg(call, 1), items = karg(call, 4);
    uint32_t size_out = karg(call, 5), out = karg(call, 6);
    if (device != 0 || !out) {
        if (size_out) {
            kput32(call, size_out, 0);
        }
        return kret_status(call, X_E_INVALIDARG);
    }
    if (size_out) {
        kput32(call, size_out, items * CONTENT_DATA_SIZE);
    }
    if (user != USER_NONE) {
        return kret(call, X_ERROR_NO_SUCH_USER);
    }
    if (!kwrite(call, out, 4)) {
        return kret_status(call, X_E_INVALIDARG);
    }
    uint32_t handle = open_list(call, CONTENT_DATA_SIZE, items);
    kput32(call, out, handle);
    return kret_status(call, handle ? X_ERROR_SUCCESS : X_E_OUTOFMEMORY);
}

/* (types, flags, items a call, buffer size out, handle out) */
uint32_t ex_XamContentCreateDeviceEnumerator(kcall *call)
{
    uint32_t items = karg(call, 2), size_out = karg(call, 3), out = karg(call, 4);
    if (!out || !kwrite(call, out, 4)) {
        return kret_status(call, X_E_INVALIDARG);
    }
    if (size_out) {
        kput32(call, size_out, items * DEVICE_DATA_SIZE);
    }
    uint32_t handle = open_list(call, DEVICE_DATA_SIZE, items);
    kput32(call, out, handle);
    return kret_status(call, handle ? X_ERROR_SUCCESS : X_E_OUTOFMEMORY);
}

/* Lists hold nothing yet: what is left of one is counted, and there are no items to write. */
static void list_next(kernel *k, kxam_request *r)
{
    (void)k;
    kxam_list *list = r->object->data;
    uint32_t left = list->count - list->next;
    r->length = left < list->per_call ? left : list->per_call;
    list->next += r->length;
    r->result = r->length ? X_ERROR_SUCCESS : X_ERROR_NO_MORE_FILES;
    r->extended = X_HRESULT(r->result);
}

/* (enumerator, flags, buffer, its size, items out, overlapped): one of the last two. */
uint32_t ex_XamEnumerate(kcall *call)
{
    kernel *k = call->k;
    uint32_t out = karg(call, 4), overlapped = karg(call, 5);
    kobject *object = khandle_get(k, call->thread, karg(call, 0), KOBJECT_ENUMERATOR);
    if (!object) {
        return kret(call, X_ERROR_INVALID_HANDLE);
    }
    if (!karg(call, 2) || (!out && !overlapped)) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    if (out) {
        kput32(call, out, 0);
    }
    return kxam_begin(call, overlapped, k->machine->io_cost,
                      &(kxam_request){.fn = list_next, .object = object});
}

static uint32_t fail(kcall *call, uint32_t result, uint32_t overlapped)
{
    return kxam_begin(call, overlapped, call->k->machine->io_cost,
                      &(kxam_request){.result = result, .extended = X_HRESULT(result)});
}

uint32_t ex_XamContentGetDeviceName(kcall *call)
{
    return kret(call, X_ERROR_DEVICE_NOT_CONNECTED);
}

uint32_t ex_XamContentGetDeviceData(kcall *call)
{
    return kret(call, X_ERROR_DEVICE_NOT_CONNECTED);
}

uint32_t ex_XamContentGetDeviceState(kcall *call)
{
    return fail(call, X_ERROR_DEVICE_NOT_CONNECTED, karg(call, 1));
}

/* (user, root, data, flags, disposition, license mask, cache size, content size, overlapped) */
uint32_t ex_XamContentCreateEx(kcall *call)
{
    if (karg(call, 4)) {
        kput32(call, karg(call, 4), 0);
    }
    return fail(call, X_ERROR_DEVICE_NOT_CONNECTED, karg(call, 8));
}

/* No root was ever mounted, so none can be closed or flushed. */
uint32_t ex_XamContentClose(kcall *call)
{
    return fail(call, X_ERROR_PATH_NOT_FOUND, karg(call, 1));
}

uint32_t ex_XamContentFlush(kcall *call)
{
    return fail(call, X_ERROR_PATH_NOT_FOUND, karg(call, 1));
}

/* (user, data, overlapped) */
uint32_t ex_XamContentDelete(kcall *call)
{
    return fail(call, X_ERROR_DEVICE_NOT_CONNECTED, karg(call, 2));
}

/* Bit n: the n-th license is held. A title that came from a folder or a disc holds none. */
uint32_t ex_XamContentGetLicenseMask(kcall *call)
{
    kput32(call, karg(call, 0), 0);
    return fail(call, X_ERROR_SUCCESS, karg(call, 1));
}
