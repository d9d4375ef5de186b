/* XAM's tasks: procedures that run on threads of their own, at once, each time that an object is
 * signalled, or periodically. A task's handle is its thread's (attributes: homebrew's XAM headers).
 *
 * What runs more than once has this guest code, written here for the first such task:
 *
 *     do { wait for the cancel event, the object, or the period; if cancelled, end; call } while (!once)
 *
 * The table in its r31: objects {cancel event, object} @0, how many @8, address of the period or 0 @0xC,
 * procedure @0x10, parameter @0x14, once @0x18, the period as NT has it @0x20. */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

#define PROPERTY_WAIT           UINT32_C(0x00000001)
#define PROPERTY_PERIODIC       UINT32_C(0x00000008)
#define PROPERTY_ONCE           UINT32_C(0x01000000)
#define PROPERTY_WAIT_ON_HANDLE UINT32_C(0x08000000)

#define MODIFY_PROCEDURE  1
#define MODIFY_PARAMETER  2
#define MODIFY_ATTRIBUTES 4

#define TABLE_OBJECT    4
#define TABLE_COUNT     8
#define TABLE_TIMEOUT   0x0C
#define TABLE_PROCEDURE 0x10
#define TABLE_PARAMETER 0x14
#define TABLE_ONCE      0x18
#define TABLE_PERIOD    0x20
#define TABLE_SIZE      0x28

#define PERIOD_LEAST UINT32_C(1) /* ms */
#define E_PENDING    UINT32_C(0x8000000A)

#define ORDINAL_KeWaitForMultipleObjects 0xAF
#define ORDINAL_ExTerminateThread        0x19

typedef struct kxam_task {
    kthread *thread; /* threads live as long as the kernel */
    uint32_t procedure, parameter, properties, second;
    uint32_t table;  /* 0: it runs once, at once */
    kobject *cancel; /* of one with a table; retained */
    kobject *object; /* that it waits for, retained; may be NULL */
    bool cancelled;
    struct kxam_task *next;
} kxam_task;

/* Power ISA 2.03, Book I; calls are filled in. */
static const uint32_t worker_code[] = {
    0x7C7F1B78, /*  0 mr     r31,r3 */
    0x807F0008, /*  1 lwz    r3,8(r31)      again: */
    0x7FE4FB78, /*  2 mr     r4,r31 */
    0x38A00001, /*  3 li     r5,1           WaitAny */
    0x38C00003, /*  4 li     r6,3           UserRequest */
    0x38E00001, /*  5 li     r7,1           UserMode */
    0x39000000, /*  6 li     r8,0           not alertable */
    0x813F000C, /*  7 lwz    r9,12(r31) */
    0x39400000, /*  8 li     r10,0 */
    0x48000001, /*  9 bl     KeWaitForMultipleObjects */
    0x2C030000, /* 10 cmpwi  r3,0           the first is the cancel event */
    0x41820020, /* 11 beq    19 */
    0x817F0010, /* 12 lwz    r11,16(r31) */
    0x807F0014, /* 13 lwz    r3,20(r31) */
    0x7D6903A6, /* 14 mtctr  r11 */
    0x4E800421, /* 15 bctrl */
    0x817F0018, /* 16 lwz    r11,24(r31) */
    0x2C0B0000, /* 17 cmpwi  r11,0 */
    0x4182FFBC, /* 18 beq    1 */
    0x38600000, /* 19 li     r3,0 */
    0x48000001, /* 20 bl     ExTerminateThread */
};
#define WORKER_WORDS (sizeof worker_code / sizeof worker_code[0])
#define WORKER_WAIT  9
#define WORKER_END   20

/* Address of the code, 0: out of memory. */
static uint32_t worker(kernel *k)
{
    uint32_t targets[WORKER_WORDS] = {0};
    if (k->xam.task_code) {
        return k->xam.task_code;
    }
    targets[WORKER_WAIT] = kthunk(k, KMODULE_KRNL, ORDINAL_KeWaitForMultipleObjects);
    targets[WORKER_END] = kthunk(k, KMODULE_KRNL, ORDINAL_ExTerminateThread);
    bool there = targets[WORKER_WAIT] && targets[WORKER_END];
    uint32_t code = there ? kalloc_for(k, NULL, 0, sizeof worker_code, KALLOCATION_SYSTEM) : 0;
    for (uint32_t i = 0; code && i < WORKER_WORDS; i++) {
        uint32_t at = code + 4 * i; /* within bl's 32 MiB, as kernel memory spans 20 */
        uint32_t to = targets[i] ? (targets[i] - at) & UINT32_C(0x03FFFFFC) : 0;
        weft_store32(k->memory->base + at, worker_code[i] | to);
    }
    if (code) {
        kwritten(k, code, sizeof worker_code);
    }
    return k->xam.task_code = code;
}

/* ---- making ------------------------------------------------------------------------------------
 */

static void task_free(kernel *k, kxam_task *task)
{
    if (task->cancel) {
        kobject_release(k, task->cancel);
    }
    if (task->object) {
        kobject_release(k, task->object);
    }
    free(task);
}

void kxam_task_destroy(kernel *k)
{
    while (k->xam.tasks) {
        kxam_task *next = k->xam.tasks->next;
        task_free(k, k->xam.tasks);
        k->xam.tasks = next;
    }
}

static void put_table(kernel *k, const kxam_task *task)
{
    uint8_t *p = k->memory->base + task->table;
    bool periodic = (task->properties & PROPERTY_PERIODIC) != 0;
    uint32_t ms = task->second < PERIOD_LEAST ? PERIOD_LEAST : task->second;
    weft_store32(p, task->cancel->body);
    weft_store32(p + TABLE_OBJECT, task->object ? task->object->body : 0);
    weft_store32(p + TABLE_COUNT, task->object ? 2 : 1);
    weft_store32(p + TABLE_TIMEOUT, periodic ? task->table + TABLE_PERIOD : 0);
    weft_store32(p + TABLE_PROCEDURE, task->procedure);
    weft_store32(p + TABLE_PARAMETER, task->parameter);
    weft_store32(p + TABLE_ONCE, (task->properties & PROPERTY_ONCE) != 0);
    weft_store64(p + TABLE_PERIOD, (uint64_t)(-(int64_t)ms * 10000));
    kwritten(k, task->table, TABLE_SIZE);
}

/* The object of a WAIT task, by handle or by pointer; NULL: it is none. */
static kobject *waitable(kcall *call, const kxam_task *task)
{
    kobject *o = task->properties & PROPERTY_WAIT_ON_HANDLE
                     ? khandle_get(call->k, call->thread, task->second, 0)
                     : kobject_at(call->k, call->thread, task->second);
    return o && o->body ? o : NULL;
}

/* Gives a task that runs more than once its table; an HRESULT. */
static uint32_t make_table(kcall *call, kxam_task *task)
{
    kernel *k = call->k;
    if (task->properties & PROPERTY_WAIT) {
        task->object = waitable(call, task);
        if (!task->object) {
            return X_E_INVALIDARG;
        }
        kobject_retain(task->object);
    }
    task->cancel = kobject_create(k, NULL, KOBJECT_EVENT, call->caller, 16);
    task->table =
        task->cancel && worker(k) ? kalloc_for(k, NULL, 0, TABLE_SIZE, KALLOCATION_SYSTEM) : 0;
    if (!task->table) {
        return X_E_OUTOFMEMORY;
    }
    put_table(k, task); /* the event's header is a notification's, all zero */
    return 0;
}

/* (procedure, parameter, attributes {properties, period or object} or 0, handle out) */
uint32_t ex_XamTaskSchedule(kcall *call)
{
    kernel *k = call->k;
    uint32_t size = k->title ? (k->title->stack_size + 0xFFF) & ~UINT32_C(0xFFF) : 0;
    uint32_t attributes = karg(call, 2), out = karg(call, 3);
    if (!karg(call, 0) || (out && !kwrite(call, out, 4))) {
        return kret_status(call, X_E_INVALIDARG);
    }
    kxam_task *task = calloc(1, sizeof *task);
    if (!task) {
        return kret_status(call, X_E_OUTOFMEMORY);
    }
    task->procedure = karg(call, 0);
    task->parameter = karg(call, 1);
    task->properties = attributes ? kget32(call, attributes) : 0;
    task->second = attributes ? kget32(call, attributes + 4) : 0;
    bool more = (task->properties & (PROPERTY_WAIT | PROPERTY_PERIODIC)) != 0;
    uint32_t error = call->faulted ? X_E_INVALIDARG : more ? make_table(call, task) : 0;
    if (!error) {
        task->thread = kthread_create(k, &(kthread_request){
                                             .stack_size = size < 0x4000 ? 0x4000 : size,
                                             .entry = more ? k->xam.task_code : task->procedure,
                                             .parameter = more ? task->table : task->parameter,
                                             .creator = call->thread,
                                             .site = call->caller,
                                         });
        error = task->thread ? 0 : X_E_OUTOFMEMORY;
    }
    if (error) {
        if (task->table) {
            kfree(k, task->table);
        }
        task_free(k, task);
        return kret_status(call, error);
    }
    task->next = k->xam.tasks;
    k->xam.tasks = task;
    uint32_t handle = out ? khandle_open(k, call->thread, task->thread->object) : 0;
    if (out) {
        kput32(call, out, handle);
    }
    kobject_release(k, task->thread->object); /* handle and thread hold it */
    return kret_status(call, 0);
}

/* ---- what becomes of them ----------------------------------------------------------------------
 */

static kxam_task *task_of(kernel *k, const kthread *thread)
{
    kxam_task *task = thread ? k->xam.tasks : NULL;
    while (task && task->thread != thread) {
        task = task->next;
    }
    return task;
}

/* The task of the first argument, NULL: no task's handle. */
static kxam_task *task_argument(kcall *call)
{
    return task_of(call->k,
                   kthread_of(khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_THREAD)));
}

uint32_t ex_XamTaskCloseHandle(kcall *call)
{
    return kret(call, khandle_close(call->k, call->thread, karg(call, 0)) == STATUS_SUCCESS);
}

/* (task): one that waits ends; one that runs is told when it asks. */
uint32_t ex_XamTaskCancel(kcall *call)
{
    kxam_task *task = task_argument(call);
    if (task) {
        task->cancelled = true;
    }
    if (task && task->cancel) {
        ksignal_event(call->k, task->cancel);
    }
    return K_DONE;
}

/* Whether the task that asks has been cancelled. */
uint32_t ex_XamTaskShouldExit(kcall *call)
{
    const kxam_task *task = task_of(call->k, call->thread);
    return kret(call, task && task->cancelled);
}

/* (task): S_OK when it has ended. */
uint32_t ex_XamTaskGetStatus(kcall *call)
{
    const kxam_task *task = task_argument(call);
    if (!task) {
        return kret_status(call, X_E_INVALIDARG);
    }
    return kret_status(call, task->thread->state == WEFT_THREAD_TERMINATED ? 0 : E_PENDING);
}

static uint32_t waited(kcall *call, uint32_t status)
{
    (void)call;
    (void)status;
    return K_DONE;
}

/* (task): until it has ended. */
uint32_t ex_XamTaskWaitOnCompletion(kcall *call)
{
    const kxam_task *task = task_argument(call);
    kobject *object = task ? task->thread->object : NULL;
    return object ? kwait_objects(call, &object, 1, false, false, NULL, waited) : K_DONE;
}

/* (task, attributes out) */
uint32_t ex_XamTaskGetAttributes(kcall *call)
{
    const kxam_task *task = task_argument(call);
    if (!task) {
        return kret_status(call, X_E_INVALIDARG);
    }
    kput32(call, karg(call, 1), task->properties);
    kput32(call, karg(call, 1) + 4, task->second);
    return kret_status(call, 0);
}

/* (task, what, procedure, parameter, attributes): from the next time on that it runs. What it is, and
 * which object it waits for, cannot be changed. */
uint32_t ex_XamTaskModify(kcall *call)
{
    kxam_task *task = task_argument(call);
    uint32_t what = karg(call, 1), attributes = karg(call, 4);
    if (!task) {
        return K_DONE;
    }
    if (what & MODIFY_ATTRIBUTES && task->properties & PROPERTY_PERIODIC) {
        uint32_t period = kget32(call, attributes + 4);
        task->second = call->faulted ? task->second : period;
    }
    task->procedure = what & MODIFY_PROCEDURE ? karg(call, 2) : task->procedure;
    task->parameter = what & MODIFY_PARAMETER ? karg(call, 3) : task->parameter;
    if (task->table) {
        put_table(call->k, task);
    }
    return K_DONE;
}
