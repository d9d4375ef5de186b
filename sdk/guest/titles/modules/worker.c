/* worker.xex: a DLL that the title imports. */
#include "dll.h"

u32 worker_total; /* in .bss: only dll_main makes it 1000 */

u32 dll_main(void *module, u32 reason, void *reserved)
{
    (void)module;
    (void)reserved;
    worker_total = 1000;
    DbgPrint("worker: %s\n", reason == DLL_ATTACH ? "attach" : "detach");
    return 1;
}

u32 worker_sum(u32 n)
{
    u32 sum = 0;
    for (u32 i = 1; i <= n; i++) {
        sum += i;
    }
    return sum;
}

u32 worker_count(void)
{
    return ++worker_total;
}
