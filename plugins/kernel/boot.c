/* A console's power-on and power-off: everything but the title. */
#include <stdlib.h>

#include "audio.h"
#include "kernel.h"
#include "parallel.h"
#include "xam.h"

static weft_status make_hardware_threads(kernel *k)
{
    for (uint32_t hw = 0; hw < WEFT_HW_COUNT; hw++) {
        k->hw[hw].interrupt = kthread_create_interrupt(k, hw);
        if (!k->hw[hw].interrupt) {
            return k->host->fail(k->host, WEFT_E_NO_MEMORY, "out of memory for hardware threads");
        }
    }
    return WEFT_OK;
}

weft_status kboot(kernel *k)
{
    ksource_init(k);
    k->mm = mm_create(k);
    k->vfs = k->mm ? vfs_create(k) : NULL;
    if (!k->mm) {
        return k->host->fail(k->host, WEFT_E_NO_MEMORY, "no memory for the guest address space");
    }
    if (!k->vfs) { /* vfs_create has said why */
        mm_destroy(k->mm);
        return WEFT_E_IO;
    }
    k->opened = true;
    weft_status watching = kwatch_start(k);
    if (watching != WEFT_OK) {
        return watching;
    }
    if (!kparallel_create(k)) {
        return k->host->fail(k->host, WEFT_E_NO_MEMORY, "out of memory for parallel mode");
    }
    if (!kcall_create(k)) {
        return k->host->fail(k->host, WEFT_E_NO_MEMORY, "out of memory for the kernel's exports");
    }
    kwait_init(k);
    ktime_init(k);
    weft_status shown = kvideo_init(k);
    if (shown != WEFT_OK) {
        return shown;
    }
    kaudio_init(k);
    k->cpu_calls = (weft_cpu_host){
        .size = sizeof k->cpu_calls,
        .context = k,
        .syscall = kcall_syscall,
        .mmio_read = kvideo_mmio_read,
        .mmio_write = kvideo_mmio_write,
        .timebase = ktime_mftb,
    };
    if (k->parallel) {
        kparallel_callbacks(k);
    }
    weft_status status = k->cpu->attach(k->cpu_instance, &k->cpu_calls);
    return status == WEFT_OK ? make_hardware_threads(k) : status;
}

void kshutdown(kernel *k)
{
    kallocations_free(k); /* what goes from here on goes without an event */
    kwatch_end(k);
    if (k->opened) {
        kthread_free_all(k);
        kfile_destroy(k);
        kxam_destroy(k);
        kobject_destroy_all(k);
        kloader_close(k);
        kcall_destroy(k);
        ktime_end(k);
        vfs_destroy(k->vfs);
        mm_destroy(k->mm);
    }
    kparallel_destroy(k);
    free(k->view_threads);
    free(k->view_order);
}
