/* Win32's threads, modules, exceptions and heap among XAM's exports
 * (learn.microsoft.com/windows/win32/api). */
#include <string.h>

#include "exports.h"
#include "loader.h"
#include "mm.h"
#include "vfs.h"
#include "xam.h"

#define ERROR_NOT_ENOUGH_MEMORY 8 /* [MS-ERREF] 2.2 */
#define ERROR_MOD_NOT_FOUND     126

/* EXCEPTION_RECORD {code, flags, next, address, count, parameters[15]}. */
#define RECORD_SIZE       80
#define RECORD_PARAMETERS 15
#define RECORD_BELOW      0x400 /* the caller's stack pointer; exception.c keeps clear of it */
#define NONCONTINUABLE    1

#define HEAP            UINT32_C(0x80010200) /* the handle of the one heap: no address of its own */
#define HEAP_ZERO       8
#define HEAP_SIZE_WRONG UINT32_MAX

/* ---- threads and modules -----------------------------------------------------------------------
 */

/* (security, stack size, entry, parameter, flags: 4 suspended, thread id out) */
uint32_t ex_CreateThread(kcall *call)
{
    kernel *k = call->k;
    uint32_t size = karg(call, 1), out = karg(call, 5);
    size = size ? size : k->title ? k->title->stack_size : 0;
    size = size > 0x4000000 ? 0x4000000 : (size + 0xFFF) & ~UINT32_C(0xFFF);
    if (out && !kwrite(call, out, 4)) {
        return K_DONE;
    }
    kthread *t = kthread_create(k, &(kthread_request){
                                       .stack_size = size < 0x4000 ? 0x4000 : size,
                                       .entry = karg(call, 2),
                                       .parameter = karg(call, 3),
                                       .flags = karg(call, 4) & 4 ? 1 : 0,
                                       .creator = call->thread,
                                       .site = call->caller,
                                   });
    if (!t) {
        return kfail_with(call, ERROR_NOT_ENOUGH_MEMORY, 0);
    }
    uint32_t handle = khandle_open(k, call->thread, t->object);
    kobject_release(k, t->object); /* handle and thread hold it */
    if (out) {
        kput32(call, out, t->tid);
    }
    return kret(call, handle);
}

/* (exit code) */
uint32_t ex_ExitThread(kcall *call)
{
    return ex_ExTerminateThread(call);
}

/* (name, 0: the title) */
uint32_t ex_GetModuleHandleA(kcall *call)
{
    kernel *k = call->k;
    char name[VFS_PATH_MAX];
    if (!karg(call, 0)) {
        return kret(call, k->title ? k->title->handle : 0);
    }
    kget_string(call, karg(call, 0), name, sizeof name);
    const kmodule *m = call->faulted ? NULL : kimage_find(k, name);
    return m ? kret(call, m->handle) : kfail_with(call, ERROR_MOD_NOT_FOUND, 0);
}

/* (code, flags, parameter count, parameters): the record is made below the caller's stack pointer. */
uint32_t ex_RaiseException(kcall *call)
{
    uint32_t count = karg(call, 3) ? karg(call, 2) : 0, from = karg(call, 3);
    uint32_t record = ((uint32_t)call->cpu->r[1] - RECORD_BELOW) & ~UINT32_C(15);
    count = count < RECORD_PARAMETERS ? count : RECORD_PARAMETERS;
    uint8_t *p = kwrite(call, record, RECORD_SIZE);
    uint32_t values[RECORD_PARAMETERS] = {0};
    for (uint32_t i = 0; i < count; i++) {
        values[i] = kget32(call, from + 4 * i);
    }
    if (!p || call->faulted) {
        return K_DONE;
    }
    memset(p, 0, RECORD_SIZE);
    weft_store32(p, karg(call, 0));
    weft_store32(p + 4, karg(call, 1) & NONCONTINUABLE);
    weft_store32(p + 12, call->caller);
    weft_store32(p + 16, count);
    for (uint32_t i = 0; i < count; i++) {
        weft_store32(p + 20 + 4 * i, values[i]);
    }
    kwritten(call->k, record, RECORD_SIZE);
    call->cpu->r[3] = record;
    return ex_RtlRaiseException(call);
}

/* ---- the heap: the pool under a handle ---------------------------------------------------------
 */

uint32_t ex_GetProcessHeap(kcall *call)
{
    return kret(call, HEAP);
}

/* (heap, flags, size) */
uint32_t ex_RtlAllocateHeap(kcall *call)
{
    uint32_t size = karg(call, 2);
    uint32_t block = karg(call, 0) == HEAP ? mm_pool_alloc(call->k->mm, call->thread, size) : 0;
    void *p = block && karg(call, 1) & HEAP_ZERO ? kwrite(call, block, size) : NULL;
    if (p) {
        memset(p, 0, size);
        kwritten(call->k, block, size);
    }
    return kret(call, block);
}

/* (heap, flags, block or 0): BOOL */
uint32_t ex_RtlFreeHeap(kcall *call)
{
    uint32_t block = karg(call, 2);
    bool freed = karg(call, 0) == HEAP && (!block || mm_pool_free(call->k->mm, block));
    return kret(call, freed);
}

/* (heap, flags, block): its bytes. */
uint32_t ex_RtlSizeHeap(kcall *call)
{
    uint32_t size = karg(call, 0) == HEAP ? mm_pool_size(call->k->mm, karg(call, 2)) : 0;
    return kret(call, size ? size : HEAP_SIZE_WRONG);
}
