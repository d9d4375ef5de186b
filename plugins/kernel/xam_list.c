/* Enumerators: lists that are made when they are created, and handed out some items a call. */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

typedef struct kxam_list {
    uint32_t item_size, per_call, count, next;
    uint8_t *items;
} kxam_list;

static void list_close(kernel *k, kobject *object)
{
    kxam_list *list = object->data;
    (void)k;
    free(list->items);
    free(list);
}

uint32_t kxam_list_open(kcall *call, uint32_t item_size, uint32_t per_call, uint32_t count,
                        void *items)
{
    kernel *k = call->k;
    kxam_list *list = calloc(1, sizeof *list);
    kobject *object =
        list ? kobject_create(k, call->thread, KOBJECT_ENUMERATOR, call->caller, 0) : NULL;
    if (!object) {
        free(list);
        free(items);
        return 0;
    }
    *list = (kxam_list){
        .item_size = item_size,
        .per_call = per_call,
        .count = count,
        .items = items,
    };
    object->data = list;
    object->close = list_close;
    uint32_t handle = khandle_open(k, call->thread, object);
    kobject_release(k, object);
    return handle;
}

/* data: buffer, its size, where the count goes (0: into the overlapped's length alone). */
static void list_next(kernel *k, kxam_request *r)
{
    kxam_list *list = r->object->data;
    uint32_t left = list->count - list->next, room = r->data[1] / list->item_size;
    uint32_t count = left < list->per_call ? left : list->per_call;
    count = count < room ? count : room;
    r->result = left == 0 ? X_ERROR_NO_MORE_FILES : count == 0 ? X_ERROR_INSUFFICIENT_BUFFER : 0;
    uint32_t bytes = count * list->item_size;
    uint8_t *p = count ? kxam_memory(k, r->data[0], bytes, WEFT_PAGE_WRITE) : NULL;
    if (count && !p) {
        r->result = X_ERROR_INVALID_PARAMETER;
    }
    if (p) {
        memcpy(p, list->items + (size_t)list->next * list->item_size, bytes);
        kwritten(k, r->data[0], bytes);
        list->next += count;
        r->length = count;
        uint8_t *out = kxam_memory(k, r->data[2], 4, WEFT_PAGE_WRITE);
        if (out) {
            weft_store32(out, count);
            kwritten(k, r->data[2], 4);
        }
    }
    r->extended = X_HRESULT(r->result);
}

uint32_t kxam_list_next(kcall *call, uint32_t handle, uint32_t buffer, uint32_t size, uint32_t out,
                        uint32_t overlapped)
{
    kernel *k = call->k;
    kobject *object = khandle_get(k, call->thread, handle, KOBJECT_ENUMERATOR);
    if (!object) {
        return kret(call, X_ERROR_INVALID_HANDLE);
    }
    if (!buffer) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    return kxam_begin(call, overlapped, k->machine->io_cost,
                      &(kxam_request){
                          .fn = list_next,
                          .object = object,
                          .data = {buffer, size, overlapped ? 0 : out},
                      });
}

/* (enumerator, flags, buffer, its size, items out, overlapped): one of the last two. */
uint32_t ex_XamEnumerate(kcall *call)
{
    uint32_t handle = karg(call, 0), out = karg(call, 4), overlapped = karg(call, 5);
    bool known = khandle_get(call->k, call->thread, handle, KOBJECT_ENUMERATOR) != NULL;
    if (known && !out && !overlapped) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    if (known && out && karg(call, 2)) {
        kput32(call, out, 0);
    }
    return kxam_list_next(call, handle, karg(call, 2), karg(call, 3), out, overlapped);
}
