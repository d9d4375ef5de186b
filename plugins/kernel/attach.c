/* DllMain in order, and when a module goes.
 *
 * A module is needed while the title or a loaded module that XexLoadImage holds reaches it through
 * imports; so modules that import each other go together. DllMain(module, reason, 0) runs as a
 * pushed frame of the thread that loads or unloads; imported modules attach before those that
 * import them and detach after. A load or unload is a batch; where it stands is in the modules'
 * stages, and in the thread's continuation data:
 *
 *     [0] batch   [1] what finishes it, FINISH_*   [2] the handle to store   [3] the status
 *
 * One thread at a time loads: the loader lock, which its holder may take again (DllMain may load).
 * DllMain is told of no threads (reasons 2 and 3). */
#include <stdio.h>
#include <string.h>

#include "loader.h"

#define DLL_ATTACH 1 /* DLL_PROCESS_ATTACH and _DETACH (winnt.h) */
#define DLL_DETACH 0

#define FINISH_TITLE  0 /* the first thread's entry comes next */
#define FINISH_UNLOAD 1
#define FINISH_EXIT   2 /* of an unload: the thread ends, its code is the call's second argument */
#define FINISH_LOAD   3 /* and more: the argument that says where the handle goes */

#define TYPE_SYNCHRONIZATION 1 /* dispatcher header's type of an event that lets one waiter go */

static uint32_t attached(kcall *call, uint32_t result);
static uint32_t detached(kcall *call, uint32_t result);

/* ---- the lock ----------------------------------------------------------------------------------
 */

bool kattach_enter(kcall *call, kcontinuation again, uint32_t *answer)
{
    kernel *k = call->k;
    kthread *owner = k->loader_owner;
    if (!owner || owner == call->thread || owner->state == WEFT_THREAD_TERMINATED) {
        k->loader_depth = owner == call->thread ? k->loader_depth + 1 : 1;
        k->loader_owner = call->thread;
        return true;
    }
    if (!k->loader_event) {
        k->loader_event = kobject_create(k, call->thread, KOBJECT_EVENT, call->caller, 16);
        if (!k->loader_event) {
            *answer = kret_status(call, STATUS_NO_MEMORY);
            return false;
        }
        k->memory->base[k->loader_event->body] = TYPE_SYNCHRONIZATION;
        kwritten(k, k->loader_event->body, 16);
    }
    *answer = kwait_objects(call, &k->loader_event, 1, false, false, NULL, again);
    return false;
}

void kattach_leave(kernel *k)
{
    if (k->loader_depth && --k->loader_depth == 0) {
        k->loader_owner = NULL;
        if (k->loader_event && k->loader_event->first_wait) {
            ksignal_event(k, k->loader_event); /* who wakes looks again: a third may be faster */
        }
    }
}

/* ---- what is needed ----------------------------------------------------------------------------
 */

static void reach(kmodule *m)
{
    if (!m->reached) {
        m->reached = true;
        for (uint32_t i = 0; i < m->import_count; i++) {
            reach(m->imports[i]); /* as deep as there are modules: KMODULES_MAX */
        }
    }
}

/* Marks what nothing needs for `batch`; true if there was any. Modules on their way in or out, in
 * other calls than that of `failed` (0: none), count as needed. */
static bool doom(kernel *k, uint32_t batch, uint32_t failed)
{
    bool any = false;
    for (kmodule *m = k->modules; m; m = m->next) {
        m->reached = false;
    }
    for (kmodule *m = k->modules; m; m = m->next) {
        bool moving = m->stage != KSTAGE_READY && m->batch != failed;
        if (m == k->title || m->loads || moving) {
            reach(m);
        }
    }
    for (kmodule *m = k->modules; m; m = m->next) {
        if (!m->reached && m->stage < KSTAGE_DOOMED) {
            m->stage = KSTAGE_DOOMED;
            m->batch = batch;
            any = true;
        }
    }
    return any;
}

/* ---- the sequence ------------------------------------------------------------------------------
 */

static uint32_t call_dll(kcall *call, const kmodule *m, uint32_t reason, kcontinuation cont)
{
    const uint64_t arguments[3] = {m->handle, reason, 0};
    return kframe_push(call, m->entry, arguments, 3, cont);
}

static uint32_t finish(kcall *call)
{
    kernel *k = call->k;
    uint64_t *data = call->thread->cont_data;
    kstatus status = (kstatus)data[3];
    kattach_leave(k);
    if (data[1] == FINISH_TITLE) {
        return K_FRAME; /* the thread has the registers that it started with */
    }
    if (data[1] == FINISH_EXIT) {
        kthread_exit(k, call->thread, karg(call, 1));
        return K_GONE;
    }
    uint32_t out = data[1] == FINISH_UNLOAD ? 0 : karg(call, (unsigned)data[1] - FINISH_LOAD);
    if (out) {
        kput32(call, out, status == STATUS_SUCCESS ? (uint32_t)data[2] : 0);
    }
    return kret_status(call, status);
}

/* The doomed module of a batch that goes next: the last that was initialised. */
static kmodule *next_doomed(kernel *k, uint32_t batch)
{
    kmodule *best = NULL;
    for (kmodule *m = k->modules; m; m = m->next) {
        if (m->batch == batch && m->stage == KSTAGE_DOOMED && (!best || m->order > best->order)) {
            best = m;
        }
    }
    return best;
}

static uint32_t go_on_detaching(kcall *call)
{
    kernel *k = call->k;
    uint32_t batch = (uint32_t)call->thread->cont_data[0];
    do {
        for (kmodule *m; (m = next_doomed(k, batch)) != NULL;) {
            m->stage = KSTAGE_GONE;
            if (m->attached) {
                return call_dll(call, m, DLL_DETACH, detached);
            }
        }
        kimage_drop(k, batch, KSTAGE_GONE);
    } while (doom(k, batch, 0)); /* what only those had needed */
    kimage_counts(k);
    return finish(call);
}

static uint32_t detached(kcall *call, uint32_t result)
{
    return go_on_detaching(call);
}

static uint32_t go_on_attaching(kcall *call)
{
    kernel *k = call->k;
    uint32_t batch = (uint32_t)call->thread->cont_data[0];
    for (;;) {
        kmodule *best = NULL;
        for (kmodule *m = k->modules; m; m = m->next) {
            if (m->batch == batch && m->stage == KSTAGE_LOADED &&
                (!best || m->order < best->order)) {
                best = m;
            }
        }
        if (!best) {
            kimage_counts(k);
            return finish(call);
        }
        best->stage = KSTAGE_READY;
        if (best->dll && best->entry) {
            best->stage = KSTAGE_RUNNING;
            best->attached = true;
            return call_dll(call, best, DLL_ATTACH, attached);
        }
    }
}

static kmodule *running_module(kernel *k, uint32_t batch)
{
    kmodule *m = k->modules;
    while (m && (m->batch != batch || m->stage != KSTAGE_RUNNING)) {
        m = m->next;
    }
    return m;
}

/* DllMain(attach) has returned; false refuses: STATUS_DLL_INIT_FAILED, and the batch goes again
 * (Microsoft, "DllMain entry point"). */
static uint32_t attached(kcall *call, uint32_t result)
{
    kernel *k = call->k;
    uint64_t *data = call->thread->cont_data;
    kmodule *m = running_module(k, (uint32_t)data[0]);
    m->stage = KSTAGE_READY;
    if (result) {
        return go_on_attaching(call);
    }
    char line[160];
    snprintf(line, sizeof line, "%s: its DllMain refused to attach", m->name);
    if (data[1] == FINISH_TITLE) {
        kattach_leave(k);
        kend(k, WEFT_END_EXCEPTION, 0, line);
        return K_GONE;
    }
    k->host->log(k->host, WEFT_LOG_WARN, line);
    kmodule *root = kimage_of_handle(k, (uint32_t)data[2]);
    root->loads -= root->loads > 0;
    uint32_t failed = (uint32_t)data[0];
    data[0] = ++k->module_batch;
    data[3] = STATUS_DLL_INIT_FAILED;
    doom(k, k->module_batch, failed);
    return go_on_detaching(call);
}

static void begin(kthread *thread, uint32_t batch, uint32_t what, uint32_t handle)
{
    thread->cont_data[0] = batch;
    thread->cont_data[1] = what;
    thread->cont_data[2] = handle;
    thread->cont_data[3] = STATUS_SUCCESS;
}

uint32_t kattach_loaded(kcall *call, kmodule *root, unsigned out)
{
    begin(call->thread, call->k->module_batch, FINISH_LOAD + out, root->handle);
    return go_on_attaching(call);
}

uint32_t kattach_collect(kcall *call, bool and_exit)
{
    kernel *k = call->k;
    begin(call->thread, ++k->module_batch, and_exit ? FINISH_EXIT : FINISH_UNLOAD, 0);
    doom(k, k->module_batch, 0);
    return go_on_detaching(call);
}

void kattach_title(kernel *k)
{
    kthread *t = k->first_thread;
    kcall call = {.k = k, .thread = t, .cpu = t->cpu};
    k->loader_owner = t;
    k->loader_depth = 1;
    begin(t, k->module_batch, FINISH_TITLE, 0);
    (void)go_on_attaching(&call); /* a pushed frame, or nothing to call */
}
