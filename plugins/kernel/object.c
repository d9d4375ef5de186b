/* Kernel memory, objects, identities, handles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher.h"
#include "exports.h"
#include "names.h"
#include "order.h"

/* ---- kernel memory -----------------------------------------------------------------------------
 */

/* The kernel's own guest memory; mm.c commits it. Blocks are kept host-side, so that a title that
 * overwrites kernel memory cannot corrupt the list. First fit by address. */
#define HEAP_START UINT32_C(0x80040000)
#define HEAP_END   UINT32_C(0x81400000)

struct kheap_block {
    uint32_t address, size;
    bool used;
    struct kheap_block *next;
};

uint32_t kalloc(kernel *k, uint32_t bytes)
{
    if (bytes == 0 || bytes > HEAP_END - HEAP_START) {
        return 0;
    }
    bytes = (bytes + 15) & ~UINT32_C(15);
    if (!k->heap_blocks) {
        k->heap_blocks = calloc(1, sizeof *k->heap_blocks);
        if (!k->heap_blocks) {
            return 0;
        }
        k->heap_blocks->address = HEAP_START;
        k->heap_blocks->size = HEAP_END - HEAP_START;
    }
    for (struct kheap_block *b = k->heap_blocks; b; b = b->next) {
        if (b->used || b->size < bytes) {
            continue;
        }
        if (b->size > bytes) {
            struct kheap_block *rest = calloc(1, sizeof *rest);
            if (!rest) {
                return 0;
            }
            rest->address = b->address + bytes;
            rest->size = b->size - bytes;
            rest->next = b->next;
            b->next = rest;
            b->size = bytes;
        }
        b->used = true;
        memset(k->memory->base + b->address, 0, bytes);
        kwritten(k, b->address, bytes);
        return b->address;
    }
    return 0;
}

uint32_t kalloc_for(kernel *k, const kthread *owner, uint32_t site, uint32_t bytes, uint32_t what)
{
    uint32_t address = kalloc(k, bytes);
    if (address && !kallocation_add(k, owner, site, address, bytes, what)) {
        kfree(k, address);
        return 0;
    }
    return address;
}

void kfree(kernel *k, uint32_t address)
{
    kallocation_remove(k, address);
    struct kheap_block *previous = NULL;
    for (struct kheap_block *b = k->heap_blocks; b; previous = b, b = b->next) {
        if (b->address != address || !b->used) {
            continue;
        }
        b->used = false;
        struct kheap_block *next = b->next;
        if (next && !next->used) {
            b->size += next->size;
            b->next = next->next;
            free(next);
        }
        if (previous && !previous->used) {
            previous->size += b->size;
            previous->next = b->next;
            free(b);
        }
        return;
    }
}

/* ---- identities --------------------------------------------------------------------------------
 */

static const char *type_name(uint32_t type)
{
    static const char *const names[] = {
        [KOBJECT_EVENT] = "event",
        [KOBJECT_SEMAPHORE] = "semaphore",
        [KOBJECT_MUTANT] = "mutant",
        [KOBJECT_TIMER] = "timer",
        [KOBJECT_THREAD] = "thread",
        [KOBJECT_FILE] = "file",
        [KOBJECT_NOTIFY] = "notify",
        [KOBJECT_ENUMERATOR] = "enumerator",
        [KOBJECT_IO_COMPLETION] = "iocompletion",
        [KOBJECT_MODULE] = "module",
        [KOBJECT_SYMLINK] = "symlink",
        [KOBJECT_CRITICAL_SECTION] = "cs",
        [KOBJECT_SPIN_LOCK] = "spinlock",
    };
    return type < sizeof names / sizeof names[0] && names[type] ? names[type] : "object";
}

/* ---- objects -----------------------------------------------------------------------------------
 */

static kobject **bucket(kernel *k, uint32_t body)
{
    return &k->objects[(body >> 2) % (sizeof k->objects / sizeof k->objects[0])];
}

static void table_add(kernel *k, kobject *object)
{
    kobject **head = bucket(k, object->body);
    object->next = *head;
    *head = object;
}

static void table_remove(kernel *k, kobject *object)
{
    korder_forget(k, object);
    for (kobject **p = bucket(k, object->body); *p; p = &(*p)->next) {
        if (*p == object) {
            *p = object->next;
            return;
        }
    }
}

void kobject_text(kernel *k, const kobject *object, char *text, size_t capacity)
{
    char place[128];
    mm_place(k->mm, object->adopted ? object->body : object->site, place, sizeof place);
    if (object->adopted) {
        snprintf(text, capacity, "%s:%s~%u", type_name(object->type), place, object->generation);
    } else {
        snprintf(text, capacity, "%s:%s@%s#%u", type_name(object->type),
                 object->creator ? object->creator->name : "kernel", place, object->nth);
    }
}

kobject *kobject_create(kernel *k, kthread *creator, uint32_t type, uint32_t site,
                        uint32_t body_size)
{
    kobject *object = calloc(1, sizeof *object);
    if (!object) {
        return NULL;
    }
    object->type = type;
    object->references = 1;
    if (body_size) {
        object->body = kalloc_for(k, creator, site, body_size,
                                  type == KOBJECT_THREAD ? KALLOCATION_THREAD : KALLOCATION_OBJECT);
        if (!object->body) {
            free(object);
            return NULL;
        }
        table_add(k, object);
    }
    char text[256];
    object->creator = creator;
    object->site = site;
    object->nth = ksite_next(&k->sites, creator ? creator->id : 0, site);
    kobject_text(k, object, text, sizeof text);
    object->id = k->host->define(k->host, "object", text);
    return object;
}

void kobject_retain(kobject *object)
{
    object->references++;
}

void kobject_release(kernel *k, kobject *object)
{
    if (--object->references > 0) {
        return;
    }
    if (object->close) {
        object->close(k, object);
    }
    if (object->body) {
        table_remove(k, object);
        if (!object->adopted) {
            kfree(k, object->body);
        }
    }
    free(object);
}

/* KOBJECT_* of a dispatcher header's type byte (NT's KOBJECTS; LESSONS 32), 0: none; and how long
 * the body is. */
static uint32_t type_of_header(uint8_t type, uint32_t *size)
{
    switch (type) {
    case TYPE_EVENT_MANUAL:
    case TYPE_EVENT_AUTO:
        *size = HEADER_SIZE;
        return KOBJECT_EVENT;
    case TYPE_MUTANT:
        *size = MUTANT_SIZE;
        return KOBJECT_MUTANT;
    case TYPE_SEMAPHORE:
        *size = SEMAPHORE_SIZE;
        return KOBJECT_SEMAPHORE;
    case TYPE_TIMER_MANUAL:
    case TYPE_TIMER_AUTO:
        *size = TIMER_SIZE;
        return KOBJECT_TIMER;
    default:
        return 0;
    }
}

static kobject *found_at(kernel *k, uint32_t body)
{
    kobject *object = *bucket(k, body);
    while (object && object->body != body) {
        object = object->next;
    }
    return object;
}

/* Takes the place for an object of a type; `before`: what was adopted there, or NULL. Handles to that
 * lead on to it, but nothing finds it by its address any more. */
static kobject *adopt(kernel *k, uint32_t body, uint32_t type, kobject *before)
{
    uint32_t generation = 0;
    if (before) {
        generation = before->generation + 1;
        table_remove(k, before);
        kobject_release(k, before);
    }
    kobject *object = calloc(1, sizeof *object);
    if (!object) {
        return NULL;
    }
    object->type = type;
    object->references = 1;
    object->body = body;
    object->adopted = true;
    object->generation = generation;
    char text[256];
    kobject_text(k, object, text, sizeof text);
    object->id = k->host->define(k->host, "object", text);
    table_add(k, object);
    return object;
}

kobject *kobject_spin_lock(kernel *k, uint32_t body)
{
    kobject *object = found_at(k, body);
    if (object && (!object->adopted || object->type == KOBJECT_SPIN_LOCK || object->first_wait)) {
        return object;
    }
    return adopt(k, body, KOBJECT_SPIN_LOCK, object);
}

static void forget(kernel *k, kobject *object)
{
    if (object->adopted && !object->first_wait) {
        table_remove(k, object);
        kobject_release(k, object);
    }
}

/* Most ranges are small, and hold less words than the table has lists. */
void kobject_forget_range(kernel *k, uint32_t base, uint32_t size)
{
    const uint32_t lists = sizeof k->objects / sizeof k->objects[0];
    for (uint32_t i = 0; i < lists && i < (size + 3) / 4; i++) {
        for (kobject *o = *bucket(k, base + 4 * i), *next; o; o = next) {
            next = o->next;
            if (o->body - base < size) {
                forget(k, o);
            }
        }
    }
}

kobject *kobject_at(kernel *k, kthread *thread, uint32_t body)
{
    kobject *object = found_at(k, body);
    (void)thread;
    if (object && !object->adopted) {
        return object;
    }
    if (!weft_memory_ok(k->memory, body, 1, WEFT_PAGE_READ)) {
        return NULL;
    }
    uint32_t size, type = type_of_header(k->memory->base[body], &size);
    if (type == 0 || !weft_memory_ok(k->memory, body, size, WEFT_PAGE_READ)) {
        return NULL;
    }
    /* Memory that was given to another kind of object is a new generation of the place. */
    return object && (object->type == type || object->first_wait) ? object
                                                                  : adopt(k, body, type, object);
}

void kobject_destroy_all(kernel *k)
{
    for (uint32_t i = 0; i < KHANDLE_MAX; i++) {
        if (k->handles[i]) {
            kobject *object = k->handles[i];
            k->handles[i] = NULL;
            kobject_release(k, object);
        }
    }
    for (uint32_t i = 0; i < sizeof k->objects / sizeof k->objects[0]; i++) {
        while (k->objects[i]) {
            kobject *object = k->objects[i];
            k->objects[i] = object->next;
            if (object->close) {
                object->close(k, object);
            }
            free(object);
        }
    }
    while (k->heap_blocks) {
        struct kheap_block *next = k->heap_blocks->next;
        free(k->heap_blocks);
        k->heap_blocks = next;
    }
    ksites_free(&k->sites);
}

/* ---- handles -----------------------------------------------------------------------------------
 */

/* Handles look like the console's: 0xF8000000 + 4 * slot (xenia
 * src/xenia/kernel/util/object_table.cc). Slots are reused lowest first; a slot's object is
 * retained by every wait on it, so a reused slot never wakes somebody else's waiter. */
#define HANDLE_BASE           UINT32_C(0xF8000000)
#define HANDLE_CURRENT_THREAD UINT32_C(0xFFFFFFFE)

uint32_t khandle_open(kernel *k, kthread *thread, kobject *object)
{
    for (uint32_t i = k->handle_hint; i < KHANDLE_MAX; i++) {
        if (!k->handles[i]) {
            k->handles[i] = object;
            k->handle_hint = i + 1;
            kobject_retain(object);
            object->handles++;
            uint32_t handle = HANDLE_BASE + 4 * i;
            weft_event_buffer event;
            weft_event_begin(&event, WEFT_EVENT_HANDLE_CREATE);
            weft_event_word(&event, object->id);
            weft_event_word(&event, object->type);
            weft_event_word(&event, handle);
            kemit(k, thread, &event);
            return handle;
        }
    }
    return 0;
}

static kobject **slot_of(kernel *k, uint32_t handle)
{
    uint32_t i = (handle - HANDLE_BASE) / 4;
    return handle >= HANDLE_BASE && (handle & 3) == 0 && i < KHANDLE_MAX && k->handles[i]
               ? &k->handles[i]
               : NULL;
}

kstatus khandle_close(kernel *k, kthread *thread, uint32_t handle)
{
    kobject **slot = slot_of(k, handle);
    if (!slot) {
        return STATUS_INVALID_HANDLE;
    }
    kobject *object = *slot;
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_HANDLE_DESTROY);
    weft_event_word(&event, object->id);
    weft_event_word(&event, handle);
    weft_event_word(&event, object->handles);
    kemit(k, thread, &event);
    *slot = NULL;
    uint32_t i = (handle - HANDLE_BASE) / 4;
    if (i < k->handle_hint) {
        k->handle_hint = i;
    }
    object->handles--;
    if (object->type == KOBJECT_FILE && object->handles == 0) {
        weft_event_begin(&event, WEFT_EVENT_VFS_CLOSE);
        weft_event_word(&event, object->id);
        kemit(k, thread, &event);
    }
    kobject_release(k, object);
    return STATUS_SUCCESS;
}

kobject *khandle_get(kernel *k, kthread *thread, uint32_t handle, uint32_t type)
{
    kobject *object = NULL;
    if (handle == HANDLE_CURRENT_THREAD) {
        object = thread ? thread->object : NULL;
    } else {
        kobject **slot = slot_of(k, handle);
        object = slot ? *slot : NULL;
    }
    return object && (type == 0 || object->type == type) ? object : NULL;
}

kstatus khandle_error(kernel *k, kthread *thread, uint32_t handle)
{
    return khandle_get(k, thread, handle, 0) ? STATUS_OBJECT_TYPE_MISMATCH : STATUS_INVALID_HANDLE;
}

/* ---- exports -----------------------------------------------------------------------------------
 */

uint32_t ex_NtClose(kcall *call)
{
    return kret_status(call, khandle_close(call->k, call->thread, karg(call, 0)));
}

/* options: 1 closes the source, 2 same access (LESSONS 33). */
uint32_t ex_NtDuplicateObject(kcall *call)
{
    kobject *object = khandle_get(call->k, call->thread, karg(call, 0), 0);
    uint32_t out = karg(call, 1);
    if (!object) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    kobject_retain(object);
    uint32_t handle = out ? khandle_open(call->k, call->thread, object) : 0;
    if (karg(call, 2) & 1) {
        khandle_close(call->k, call->thread, karg(call, 0));
    }
    kobject_release(call->k, object);
    if (out) {
        kput32(call, out, handle);
        if (!handle) {
            return kret_status(call, STATUS_INSUFFICIENT_RESOURCES);
        }
    }
    return kret_status(call, STATUS_SUCCESS);
}

/* KOBJECT_* for an object type variable's cell (the pointer that titles pass), 0: unknown or NULL.
 */
uint32_t kobject_type_of_cell(kernel *k, uint32_t cell)
{
    static const struct {
        uint16_t ordinal;
        uint8_t type;
    } types[] = {
        {0x1B, KOBJECT_THREAD},    {0x0E, KOBJECT_EVENT},         {0x12, KOBJECT_MUTANT},
        {0x17, KOBJECT_SEMAPHORE}, {0x1C, KOBJECT_TIMER},         {0x3E, KOBJECT_FILE},
        {0x112, KOBJECT_SYMLINK},  {0x36, KOBJECT_IO_COMPLETION},
    };
    for (unsigned i = 0; cell && i < sizeof types / sizeof types[0]; i++) {
        uint32_t variable = kvariable(k, KMODULE_KRNL, types[i].ordinal);
        if (variable == cell) {
            return types[i].type;
        }
    }
    return 0;
}

uint32_t ex_ObReferenceObjectByHandle(kcall *call)
{
    kobject *object = khandle_get(call->k, call->thread, karg(call, 0), 0);
    uint32_t wanted = kobject_type_of_cell(call->k, karg(call, 1));
    uint32_t out = karg(call, 2);
    kput32(call, out, 0);
    if (!object) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    if ((wanted && wanted != object->type) || !object->body) {
        return kret_status(call, STATUS_OBJECT_TYPE_MISMATCH);
    }
    kobject_retain(object);
    object->pointers++;
    kput32(call, out, object->body);
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_ObDereferenceObject(kcall *call)
{
    kobject *object = kobject_at(call->k, call->thread, karg(call, 0));
    if (object && object->pointers) { /* no title takes back what it was not given */
        object->pointers--;
        kobject_release(call->k, object);
    }
    return K_DONE;
}

uint32_t ex_ObOpenObjectByPointer(kcall *call)
{
    kobject *object = kobject_at(call->k, call->thread, karg(call, 0));
    if (!object) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    uint32_t handle = khandle_open(call->k, call->thread, object);
    kput32(call, karg(call, 3), handle);
    return kret_status(call, handle ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES);
}
