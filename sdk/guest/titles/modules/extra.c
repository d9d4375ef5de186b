/* extra.xex: a DLL that is loaded when the title runs, and brings mate.xex with it. */
#include "dll.h"

u32 dll_main(void *module, u32 reason, void *reserved)
{
    (void)reserved;
    /* mate has attached, and has not detached yet, in both cases */
    DbgPrint("extra: %s, mate gives %u, handle %s\n", reason == DLL_ATTACH ? "attach" : "detach",
             mate_factor(), module != 0 ? "given" : "missing");
    return 1;
}

u32 extra_value(u32 n)
{
    return worker_sum(n) * mate_factor();
}
