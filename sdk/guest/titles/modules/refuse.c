/* refuse.xex: a DLL that does not want to be loaded. */
#include "dll.h"

u32 dll_main(void *module, u32 reason, void *reserved)
{
    (void)module;
    (void)reserved;
    DbgPrint("refuse: %s\n", reason == DLL_ATTACH ? "attach" : "detach");
    return 0;
}
