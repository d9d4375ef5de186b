/* The memory manager's own interface, below the exports: mm_exports.c, rtl.c, the loader and tests
 * call it. Addresses are the guest's; sizes are bytes.
 *
 * The address space (xenia src/xenia/memory.cc; free60 wiki "Memory map"):
 *
 *     0x00000000 .. 0x3FFFFFFF  virtual, 4 KiB pages; the first 64 KiB are never mapped
 *     0x40000000 .. 0x7EFFFFFF  virtual, 64 KiB pages; thread stacks from 0x70000000
 *     0x7F000000 .. 0x7FFFFFFF  device registers
 *     0x80000000 .. 0x8FFFFFFF  kernel and images, 64 KiB pages
 *     0x90000000 .. 0x9FFFFFFF  images, 4 KiB pages
 *     0xA0000000 .. 0xBFFFFFFF  physical memory, 64 KiB pages
 *     0xC0000000 .. 0xDFFFFFFF  physical memory, 16 MiB pages
 *     0xE0000000 .. 0xFFCFFFFF  physical memory from 0x1000 on, 4 KiB pages
 */
#ifndef WEFT_KERNEL_MM_H
#define WEFT_KERNEL_MM_H

#include "kernel.h"

#define MM_PHYSICAL_BYTES UINT32_C(0x20000000)
#define MM_KERNEL_START   UINT32_C(0x80040000)
#define MM_KERNEL_END     UINT32_C(0x81400000)
#define MM_STACK_START    UINT32_C(0x70000000)
#define MM_STACK_END      UINT32_C(0x7F000000)

/* Allocation types and page protections by their winnt.h names and values; the three page-size
 * flags are the XDK's (xenia src/xenia/xbox.h). */
#define MM_COMMIT      UINT32_C(0x00001000)
#define MM_RESERVE     UINT32_C(0x00002000)
#define MM_DECOMMIT    UINT32_C(0x00004000)
#define MM_RELEASE     UINT32_C(0x00008000)
#define MM_FREE        UINT32_C(0x00010000)
#define MM_PRIVATE     UINT32_C(0x00020000)
#define MM_RESET       UINT32_C(0x00080000)
#define MM_TOP_DOWN    UINT32_C(0x00100000)
#define MM_NOZERO      UINT32_C(0x00800000)
#define MM_LARGE_PAGES UINT32_C(0x20000000)
#define MM_16MB_PAGES  UINT32_C(0x80000000)

#define MM_PAGE_NOACCESS          UINT32_C(0x001)
#define MM_PAGE_READONLY          UINT32_C(0x002)
#define MM_PAGE_READWRITE         UINT32_C(0x004)
#define MM_PAGE_WRITECOPY         UINT32_C(0x008)
#define MM_PAGE_EXECUTE           UINT32_C(0x010)
#define MM_PAGE_EXECUTE_READ      UINT32_C(0x020)
#define MM_PAGE_EXECUTE_READWRITE UINT32_C(0x040)
#define MM_PAGE_EXECUTE_WRITECOPY UINT32_C(0x080)
#define MM_PAGE_GUARD             UINT32_C(0x100)
#define MM_PAGE_NOCACHE           UINT32_C(0x200)
#define MM_PAGE_WRITECOMBINE      UINT32_C(0x400)

/* What NtQueryVirtualMemory says: MEMORY_BASIC_INFORMATION in host order. */
typedef struct mm_info {
    uint32_t base, allocation_base, allocation_protect, region_size, state, protect, type;
} mm_info;

/* NtAllocateVirtualMemory: *base 0 means anywhere. Rounds both to pages. `owner` (NULL: the
 * kernel itself) and its call's return address go into the allocation's name. */
kstatus mm_virtual_alloc(mm *m, kthread *owner, uint32_t *base, uint32_t *size, uint32_t type,
                         uint32_t protect);
kstatus mm_virtual_free(mm *m, uint32_t *base, uint32_t *size, uint32_t type);
/* Changes the protection of committed virtual pages; *old is that of the first page. */
kstatus mm_virtual_protect(mm *m, uint32_t *base, uint32_t *size, uint32_t protect, uint32_t *old);
/* The pages from `address` on that are alike. INVALID_PARAMETER outside every heap. */
kstatus mm_query(mm *m, uint32_t address, mm_info *info);

/* MmAllocatePhysicalMemoryEx: minimum and maximum are physical addresses, both inclusive; the page
 * size in `protect` chooses the view. 0: none. */
uint32_t mm_physical_alloc(mm *m, kthread *owner, uint32_t size, uint32_t protect, uint32_t minimum,
                           uint32_t maximum, uint32_t alignment);
bool mm_physical_free(mm *m, uint32_t address);

/* MM_PAGE_* bits of an address, 0 where nothing is committed. */
uint32_t mm_protect_get(mm *m, uint32_t address);
/* MmSetAddressProtect: any committed range but the kernel's own. */
bool mm_protect_set(mm *m, uint32_t address, uint32_t size, uint32_t protect);
/* Bytes of the allocation that holds the address, 0: none. */
uint32_t mm_allocation_size(mm *m, uint32_t address);

/* Committed 4 KiB pages of physical memory and of virtual memory; images and kernel count too. */
uint32_t mm_pages_used(mm *m);
uint32_t mm_pages_free(mm *m);

/* Kernel stacks without guard pages (MmCreateKernelStack): lowest address, 0: none. */
uint32_t mm_kernel_stack_alloc(mm *m, const kthread *owner, uint32_t size);
bool mm_kernel_stack_free(mm *m, uint32_t base);

/* Pool memory (ExAllocatePool): zeroed, 16-byte aligned, whole pages from 4 KiB on. 0: none. */
uint32_t mm_pool_alloc(mm *m, kthread *owner, uint32_t size);
/* False, and nothing happens, if no pool block starts there. */
bool mm_pool_free(mm *m, uint32_t address);
/* Bytes that were asked for, 0 if no pool block starts there. */
uint32_t mm_pool_size(mm *m, uint32_t address);

#endif
