/* twin.xex: other code at the addresses of extra.xex. It waits while it attaches: the load goes on
 * when the wait is over. */
#include "dll.h"

u32 dll_main(void *module, u32 reason, void *reserved)
{
    (void)module;
    (void)reserved;
    if (reason == DLL_ATTACH) {
        i64 millisecond = -10000;
        KeDelayExecutionThread(USER_MODE, 0, &millisecond);
    }
    DbgPrint("twin: %s\n", reason == DLL_ATTACH ? "attach" : "detach");
    return 1;
}

u32 twin_value(u32 n)
{
    return n * n;
}
