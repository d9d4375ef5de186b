/* The frame handler of throw.S: what __CxxFrameHandler does, as far as the kernel's exports matter.
 */
#include "raise.h"

typedef struct cxx_info {
    const char *name;
    u32 begin, end;  /* of the try block */
    u32 catch_block; /* 0: none */
    u32 type;
    u32 destroy;
} cxx_info;

u32 cxx_outer(u32 value);
u32 cxx_decide(exception_record *record, u32 frame, exception_context *context,
               dispatcher_context *dispatcher);

u32 cxx_decide(exception_record *record, u32 frame, exception_context *context,
               dispatcher_context *dispatcher)
{
    const u32 *function = (const u32 *)dispatcher->function[0];
    const cxx_info *info = (const cxx_info *)function[-1];
    bool inside = dispatcher->control_pc >= info->begin && dispatcher->control_pc < info->end;
    seh_check(dispatcher->frame == frame && context != 0, "the dispatcher context fits");
    if (record->code != EXCEPTION_CXX || !inside) {
        return 0;
    }
    if (record->flags & EXCEPTION_UNWINDING) {
        if (info->destroy) {
            DbgPrint("seh: %s destroyed\n", info->name);
        }
        return 0;
    }
    DbgPrint("seh: %s asked for type %u\n", info->name, record->parameters[2]);
    seh_check(record->parameters[0] == 0x19930520 && record->count == 3, "a throw's parameters");
    return info->catch_block && info->type == record->parameters[2] ? info->catch_block : 0;
}

void throw_test(void)
{
    DbgPrint("seh: caught %u\n", cxx_outer(41));
}
