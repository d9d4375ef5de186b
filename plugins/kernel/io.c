/* Io* and Ke* exports of which drivers have more use than titles: those that mean something without
 * device objects and request packets. */
#include "exports.h"
#include "kernel.h"

/* NtCreateFile with more options behind, which are the I/O manager's. */
uint32_t ex_IoCreateFile(kcall *call)
{
    return ex_NtCreateFile(call);
}

/* The lock's word; 0: out of memory. */
static uint32_t device_lock(kernel *k)
{
    if (!k->device_lock) {
        k->device_lock = kalloc_for(k, NULL, 0, 16, KALLOCATION_SYSTEM);
    }
    return k->device_lock;
}

/* A spin lock of the kernel's own: the previous IRQL. */
uint32_t ex_IoAcquireDeviceObjectLock(kcall *call)
{
    uint32_t lock = device_lock(call->k);
    if (!lock) {
        kend(call->k, WEFT_END_PLUGIN, 0, "kernel-hle: out of memory for the device lock");
        return K_GONE;
    }
    uint64_t before = call->cpu->r[3];
    call->cpu->r[3] = lock;
    uint32_t answer = ex_KfAcquireSpinLock(call);
    if (answer == K_AGAIN) { /* with the registers that it had */
        call->cpu->r[3] = before;
    }
    return answer;
}

/* (previous IRQL) */
uint32_t ex_IoReleaseDeviceObjectLock(kcall *call)
{
    uint32_t irql = karg(call, 0), lock = device_lock(call->k);
    if (!lock) {
        return K_DONE;
    }
    uint64_t before = call->cpu->r[4];
    call->cpu->r[3] = lock;
    call->cpu->r[4] = irql;
    uint32_t answer = ex_KfReleaseSpinLock(call);
    if (answer == K_AGAIN) {
        call->cpu->r[3] = irql;
        call->cpu->r[4] = before;
    }
    return answer;
}

/* Caches are coherent here: there is nothing to write back, nothing to forget. */
uint32_t ex_KeFlushCacheRange(kcall *call)
{
    return K_DONE;
}

uint32_t ex_KeSweepDcacheRange(kcall *call)
{
    return K_DONE;
}

uint32_t ex_KeSweepIcacheRange(kcall *call)
{
    return K_DONE;
}

/* (exit code) */
uint32_t ex_ExTerminateTitleProcess(kcall *call)
{
    kend(call->k, WEFT_END_EXIT, karg(call, 0), "the title terminated its process");
    return K_GONE;
}

/* (registration, create): the management controller has no tray, remote or fan that could say
 * anything, so nobody is ever called. */
uint32_t ex_HalRegisterSMCNotification(kcall *call)
{
    return K_DONE;
}
