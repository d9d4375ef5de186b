/* Win32 functions that xam.xex exports: thin forms of the kernel's, with GetLastError (their
 * documentation: learn.microsoft.com/windows/win32/api). */
#include <string.h>

#include "exports.h"
#include "names.h"
#include "xam.h"

#define KTHREAD_LAST_ERROR   0x160 /* xenia src/xenia/kernel/xthread.h, X_KTHREAD */
#define INFINITE             UINT32_C(0xFFFFFFFF)
#define ERROR_ALREADY_EXISTS UINT32_C(183) /* [MS-ERREF] 2.2 */
#define WAIT_FAILED          UINT32_C(0xFFFFFFFF)

uint32_t klast_error(const kthread *t)
{
    return t->object ? weft_load32(t->k->memory->base + t->object->body + KTHREAD_LAST_ERROR)
                     : t->last_error;
}

void klast_error_set(kthread *t, uint32_t error)
{
    t->last_error = error;
    if (t->object) {
        uint32_t at = t->object->body + KTHREAD_LAST_ERROR;
        weft_store32(t->k->memory->base + at, error);
        kwritten(t->k, at, 4);
    }
}

uint32_t kfail_with(kcall *call, uint32_t error, uint32_t answer)
{
    klast_error_set(call->thread, error);
    return kret64(call, (uint64_t)(int64_t)(int32_t)answer);
}

uint32_t ex_GetLastError(kcall *call)
{
    return kret(call, klast_error(call->thread));
}

uint32_t ex_SetLastError(kcall *call)
{
    klast_error_set(call->thread, karg(call, 0));
    return K_DONE;
}

uint32_t ex_GetCurrentThreadId(kcall *call)
{
    return kret(call, call->thread->tid);
}

uint32_t ex_CloseHandle(kcall *call)
{
    bool closed = khandle_close(call->k, call->thread, karg(call, 0)) == STATUS_SUCCESS;
    return closed ? kret(call, 1) : kfail_with(call, X_ERROR_INVALID_HANDLE, 0);
}

/* ---- waits -------------------------------------------------------------------------------------
 */

/* Milliseconds as the kernel's relative timeout; NULL for INFINITE. */
static const int64_t *timeout_of(uint32_t milliseconds, int64_t *value)
{
    *value = -(int64_t)milliseconds * 10000;
    return milliseconds == INFINITE ? NULL : value;
}

static uint32_t sleep_for(kcall *call, uint32_t milliseconds, bool alertable, kcontinuation cont)
{
    if (milliseconds == 0) { /* gives the rest of its quantum to equals */
        call->thread->order = ++call->k->order;
        ksched_yield(call->k);
        return kret(call, 0);
    }
    int64_t value;
    return kwait_objects(call, NULL, 0, false, alertable, timeout_of(milliseconds, &value), cont);
}

static uint32_t slept(kcall *call, uint32_t status)
{
    return kret(call, status == STATUS_USER_APC ? STATUS_USER_APC : 0); /* WAIT_IO_COMPLETION */
}

uint32_t ex_Sleep(kcall *call)
{
    return sleep_for(call, karg(call, 0), false, slept);
}

uint32_t ex_SleepEx(kcall *call)
{
    return sleep_for(call, karg(call, 0), karg(call, 1) != 0, slept);
}

static uint32_t wait_for(kcall *call, bool alertable)
{
    kobject *o = khandle_get(call->k, call->thread, karg(call, 0), 0);
    if (!o || !o->body) {
        return kfail_with(call, X_ERROR_INVALID_HANDLE, WAIT_FAILED);
    }
    int64_t value;
    return kwait_objects(call, &o, 1, false, alertable, timeout_of(karg(call, 1), &value), NULL);
}

uint32_t ex_WaitForSingleObject(kcall *call)
{
    return wait_for(call, false);
}

uint32_t ex_WaitForSingleObjectEx(kcall *call)
{
    return wait_for(call, karg(call, 2) != 0);
}

/* ---- events ------------------------------------------------------------------------------------
 */

/* The NT export that does it, with its status as Win32's BOOL and last error. The NT forms take
 * their handle first and a pointer that may be NULL second. */
static uint32_t as_bool(kcall *call, kexport_fn fn)
{
    call->cpu->r[4] = 0;
    uint32_t answer = fn(call);
    if (answer != K_DONE) {
        return answer;
    }
    bool done = (uint32_t)call->cpu->r[3] == STATUS_SUCCESS;
    return done ? kret(call, 1) : kfail_with(call, X_ERROR_INVALID_HANDLE, 0);
}

uint32_t ex_SetEvent(kcall *call)
{
    return as_bool(call, ex_NtSetEvent);
}

uint32_t ex_ResetEvent(kcall *call)
{
    return as_bool(call, ex_NtClearEvent);
}

/* (attributes, manual reset, initially set, name) */
uint32_t ex_CreateEventA(kcall *call)
{
    kernel *k = call->k;
    char text[260], name[KNAME_BYTES] = "";
    kobject *found = NULL;
    if (karg(call, 3) && kget_string(call, karg(call, 3), text, sizeof text) != 0) {
        found = kname_plain(k, text, name);
    }
    if (found) {
        bool event = found->type == KOBJECT_EVENT;
        klast_error_set(call->thread, event ? ERROR_ALREADY_EXISTS : X_ERROR_INVALID_HANDLE);
        return kret(call, event ? khandle_open(k, call->thread, found) : 0);
    }
    kobject *o = kobject_create(k, call->thread, KOBJECT_EVENT, call->caller, 16);
    if (!o) {
        return kfail_with(call, X_ERROR_FUNCTION_FAILED, 0);
    }
    k->memory->base[o->body] = karg(call, 1) ? 0 : 1; /* notification, synchronization */
    weft_store32(k->memory->base + o->body + 4, karg(call, 2) != 0);
    kwritten(k, o->body, 16);
    memcpy(o->name, name, sizeof name);
    uint32_t handle = khandle_open(k, call->thread, o);
    kobject_release(k, o);
    klast_error_set(call->thread, 0);
    return kret(call, handle);
}

uint32_t ex_ResumeThread(kcall *call)
{
    uint32_t handle = karg(call, 0);
    kthread *t = kthread_of(khandle_get(call->k, call->thread, handle, KOBJECT_THREAD));
    if (!t) {
        return kfail_with(call, X_ERROR_INVALID_HANDLE, INFINITE);
    }
    call->cpu->r[3] = t->object->body;
    return ex_KeResumeThread(call); /* answers the previous count, as Win32 does */
}

/* ---- time and text -----------------------------------------------------------------------------
 */

uint32_t ex_QueryPerformanceCounter(kcall *call)
{
    kput64(call, karg(call, 0), ktime_base(call->k, know(call->k)));
    return kret(call, 1);
}

uint32_t ex_QueryPerformanceFrequency(kcall *call)
{
    kput64(call, karg(call, 0), 50000000); /* the time base's 50 MHz */
    return kret(call, 1);
}

uint32_t ex_GetSystemTimeAsFileTime(kcall *call)
{
    uint64_t now = ktime_system(call->k, know(call->k));
    kput32(call, karg(call, 0), (uint32_t)now); /* dwLowDateTime comes first */
    kput32(call, karg(call, 0) + 4, (uint32_t)(now >> 32));
    return K_DONE;
}

uint32_t ex_GetTickCount(kcall *call)
{
    return kret(call, (uint32_t)(know(call->k) / 1000000));
}

uint32_t ex_OutputDebugStringA(kcall *call)
{
    kernel *k = call->k;
    char text[1024];
    uint32_t length = kget_string(call, karg(call, 0), text, sizeof text);
    if (!call->faulted) {
        uint64_t tick = know(k);
        k->host->print(k->host, call->thread->id, call->thread->tid, tick, text, length);
    }
    return K_DONE;
}

uint32_t ex_DebugBreak(kcall *call)
{
    call->k->host->log(call->k->host, WEFT_LOG_WARN, "DebugBreak: no debugger is attached");
    return K_DONE;
}

uint32_t ex_XMemCpy(kcall *call)
{
    uint32_t to = karg(call, 0), from = karg(call, 1), length = karg(call, 2);
    if (length) {
        const void *source = kread(call, from, length);
        void *target = kwrite(call, to, length);
        if (source && target) {
            memmove(target, source, length);
            kwritten(call->k, to, length);
        }
    }
    return kret(call, to);
}
