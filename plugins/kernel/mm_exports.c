/* The memory exports of xboxkrnl: arguments in, mm.h's answers out. */
#include "exports.h"
#include "mm.h"

/* ---- virtual memory -------------------------------------------------------------------------- */

uint32_t ex_NtAllocateVirtualMemory(kcall *call)
{
    uint32_t base_at = karg(call, 0), size_at = karg(call, 1);
    uint32_t base = kget32(call, base_at), size = kget32(call, size_at);
    if (call->faulted) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    kstatus status =
        mm_virtual_alloc(call->k->mm, call->thread, &base, &size, karg(call, 2), karg(call, 3));
    if (status == STATUS_SUCCESS) {
        kput32(call, base_at, base);
        kput32(call, size_at, size);
    }
    return kret_status(call, status);
}

uint32_t ex_NtFreeVirtualMemory(kcall *call)
{
    uint32_t base_at = karg(call, 0), size_at = karg(call, 1);
    uint32_t base = kget32(call, base_at), size = kget32(call, size_at);
    if (call->faulted) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    if (base == 0) {
        return kret_status(call, STATUS_MEMORY_NOT_ALLOCATED);
    }
    kstatus status = mm_virtual_free(call->k->mm, &base, &size, karg(call, 2));
    if (status == STATUS_SUCCESS) {
        kput32(call, base_at, base);
        kput32(call, size_at, size);
    }
    return kret_status(call, status);
}

uint32_t ex_NtProtectVirtualMemory(kcall *call)
{
    uint32_t base_at = karg(call, 0), size_at = karg(call, 1), old_at = karg(call, 3), old = 0;
    uint32_t base = kget32(call, base_at), size = kget32(call, size_at);
    if (call->faulted) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    kstatus status = mm_virtual_protect(call->k->mm, &base, &size, karg(call, 2), &old);
    if (status == STATUS_SUCCESS) {
        kput32(call, base_at, base);
        kput32(call, size_at, size);
        if (old_at != 0) {
            kput32(call, old_at, old);
        }
    }
    return kret_status(call, status);
}

uint32_t ex_NtQueryVirtualMemory(kcall *call)
{
    mm_info info;
    uint32_t out = karg(call, 1);
    kstatus status = mm_query(call->k->mm, karg(call, 0), &info);
    if (status == STATUS_SUCCESS) {
        /* MEMORY_BASIC_INFORMATION, seven words (winnt.h) */
        const uint32_t words[7] = {info.base,        info.allocation_base, info.allocation_protect,
                                   info.region_size, info.state,           info.protect,
                                   info.type};
        for (uint32_t i = 0; i < 7; i++) {
            kput32(call, out + i * 4, words[i]);
        }
    }
    return kret_status(call, status);
}

uint32_t ex_MmQueryAddressProtect(kcall *call)
{
    return kret(call, mm_protect_get(call->k->mm, karg(call, 0)));
}

uint32_t ex_MmSetAddressProtect(kcall *call)
{
    mm_protect_set(call->k->mm, karg(call, 0), karg(call, 1), karg(call, 2));
    return K_DONE;
}

uint32_t ex_MmQueryAllocationSize(kcall *call)
{
    return kret(call, mm_allocation_size(call->k->mm, karg(call, 0)));
}

uint32_t ex_MmIsAddressValid(kcall *call)
{
    uint8_t access = call->k->memory->access[karg(call, 0) >> WEFT_PAGE_SHIFT];
    return kret(call, access & (WEFT_PAGE_READ | WEFT_PAGE_MMIO) ? 1 : 0);
}

/* ---- physical memory ------------------------------------------------------------------------- */

uint32_t ex_MmAllocatePhysicalMemoryEx(kcall *call)
{
    return kret(call, mm_physical_alloc(call->k->mm, call->thread, karg(call, 1), karg(call, 2),
                                        karg(call, 3), karg(call, 4), karg(call, 5)));
}

uint32_t ex_MmAllocatePhysicalMemory(kcall *call)
{
    return kret(call, mm_physical_alloc(call->k->mm, call->thread, karg(call, 1), karg(call, 2), 0,
                                        UINT32_MAX, 0));
}

uint32_t ex_MmFreePhysicalMemory(kcall *call)
{
    mm_physical_free(call->k->mm, karg(call, 1));
    return K_DONE;
}

uint32_t ex_MmGetPhysicalAddress(kcall *call)
{
    uint32_t physical = mm_physical(call->k->mm, karg(call, 0));
    return kret(call, physical == UINT32_MAX ? 0 : physical);
}

/* Seen only with the XMA contexts, which are addressed where they are (xenia xboxkrnl_memory.cc).
 */
uint32_t ex_MmMapIoSpace(kcall *call)
{
    return kret(call, karg(call, 1));
}

/* One half of MMQUERY_STATISTICS: eleven words from `at`. */
static void put_statistics(kcall *call, uint32_t at, const uint32_t *words)
{
    for (uint32_t i = 0; i < 11; i++) {
        kput32(call, at + i * 4, words[i]);
    }
}

/* 104 bytes: size, total and kernel pages, a section for the title and one for the system, highest
 * page (xenia xboxkrnl_memory.cc, X_MM_QUERY_STATISTICS_RESULT). */
uint32_t ex_MmQueryStatistics(kcall *call)
{
    uint32_t out = karg(call, 0);
    if (out == 0) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    if (kget32(call, out) != 104) {
        return kret_status(call, STATUS_BUFFER_TOO_SMALL);
    }
    mm *m = call->k->mm;
    const uint32_t title[11] = {
        mm_pages_free(m), /* available pages */
        0x2FFF0000,       /* virtual bytes that a title may use */
        0x00160000,       /* and those reserved */
        mm_pages_used(m), /* physical pages */
        0x10,             /* pool, stack, image, heap, virtual, page table and cache pages: */
        0x100,
        0x100,
        0x100,
        0x100,
        0x100,
        0x100, /* figures that xenia gives */
    };
    const uint32_t none[11] = {0};
    kput32(call, out + 4, MM_PHYSICAL_BYTES / WEFT_PAGE_SIZE);
    kput32(call, out + 8, 0x300); /* kernel pages (xenia) */
    put_statistics(call, out + 12, title);
    put_statistics(call, out + 56, none);
    kput32(call, out + 100, MM_PHYSICAL_BYTES / WEFT_PAGE_SIZE - 1);
    return kret_status(call, STATUS_SUCCESS);
}

/* Answers the stack's high end; freed by (high, low). */
uint32_t ex_MmCreateKernelStack(kcall *call)
{
    uint32_t size = karg(call, 0);
    uint32_t base = mm_kernel_stack_alloc(call->k->mm, call->thread, size);
    return kret(call, base ? base + size : 0);
}

uint32_t ex_MmDeleteKernelStack(kcall *call)
{
    bool freed = mm_kernel_stack_free(call->k->mm, karg(call, 1));
    return kret_status(call, freed ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL);
}

/* ---- pool ------------------------------------------------------------------------------------ */

uint32_t ex_ExAllocatePool(kcall *call)
{
    return kret(call, mm_pool_alloc(call->k->mm, call->thread, karg(call, 0)));
}

uint32_t ex_ExAllocatePoolWithTag(kcall *call)
{
    return kret(call, mm_pool_alloc(call->k->mm, call->thread, karg(call, 0)));
}

uint32_t ex_ExAllocatePoolTypeWithTag(kcall *call)
{
    return kret(call, mm_pool_alloc(call->k->mm, call->thread, karg(call, 0)));
}

uint32_t ex_ExFreePool(kcall *call)
{
    mm_pool_free(call->k->mm, karg(call, 0));
    return K_DONE;
}

uint32_t ex_ExQueryPoolBlockSize(kcall *call)
{
    return kret(call, mm_pool_size(call->k->mm, karg(call, 0)));
}
