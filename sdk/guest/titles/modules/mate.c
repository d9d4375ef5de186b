/* mate.xex: what extra.xex imports. */
#include "dll.h"

static u32 factor; /* set by dll_main alone */

u32 dll_main(void *module, u32 reason, void *reserved)
{
    (void)module;
    (void)reserved;
    factor = reason == DLL_ATTACH ? 3 : 0;
    DbgPrint("mate: %s\n", reason == DLL_ATTACH ? "attach" : "detach");
    return 1;
}

u32 mate_factor(void)
{
    return factor;
}
