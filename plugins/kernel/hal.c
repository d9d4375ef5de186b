/* The system management controller, keys and the like: what a console without either answers. */
#include <string.h>

#include "exports.h"
#include "xam.h"

/* Commands of the SMC: their number is byte 0 of a 16-byte message and of its reply; those from
 * 0x80 on have no reply (free60 wiki, "System Management Controller"). */
#define SMC_SIZE        16
#define SMC_POWER_UP    0x01
#define SMC_REAL_TIME   0x04
#define SMC_SET_POWER   0x82
#define CONSOLE_RETAIL  2
#define POWER_UP_BUTTON 0x11 /* the console's own power button */
/* Milliseconds that the SMC counts from: 2001-01-01, in the kernel's 100 ns since 1601. */
#define SMC_EPOCH UINT64_C(126227808000000000)

static void power_up_cause(uint8_t *reply)
{
    reply[0] = SMC_POWER_UP;
    reply[1] = POWER_UP_BUTTON;
}

/* Five bytes of milliseconds, least first. */
static void real_time(kcall *call, uint8_t *reply)
{
    uint64_t now = (ktime_system(call->k, know(call->k)) - SMC_EPOCH) / 10000;
    for (unsigned i = 0; i < 5; i++) {
        reply[1 + i] = (uint8_t)(now >> (8 * i));
    }
}

uint32_t ex_HalSendSMCMessage(kcall *call)
{
    uint32_t in = karg(call, 0), out = karg(call, 1);
    const uint8_t *message = in ? kread(call, in, SMC_SIZE) : NULL;
    if (!message) {
        return K_DONE;
    }
    uint8_t command = message[0];
    if (command == SMC_SET_POWER) {
        kend(call->k, WEFT_END_EXIT, 0, "the title had the console powered down or restarted");
        return K_GONE;
    }
    uint8_t *reply = out ? kwrite(call, out, SMC_SIZE) : NULL;
    if (!reply) {
        return K_DONE;
    }
    memset(reply, 0, SMC_SIZE);
    reply[0] = command;
    if (command == SMC_POWER_UP) {
        power_up_cause(reply);
    } else if (command == SMC_REAL_TIME) {
        real_time(call, reply);
    }
    kwritten(call->k, out, SMC_SIZE);
    return K_DONE;
}

uint32_t ex_HalGetPowerUpCause(kcall *call)
{
    uint32_t out = karg(call, 0);
    uint8_t *reply = kwrite(call, out, SMC_SIZE);
    if (reply) {
        memset(reply, 0, SMC_SIZE);
        power_up_cause(reply);
        kwritten(call->k, out, SMC_SIZE);
    }
    return K_DONE;
}

/* (key, buffer, its size in and out): the key vault is empty. */
uint32_t ex_XeKeysGetKey(kcall *call)
{
    return kret_status(call, STATUS_NOT_FOUND);
}

/* (key, buffer, its size) */
uint32_t ex_XeKeysSetKey(kcall *call)
{
    return kret_status(call, STATUS_NOT_FOUND);
}

/* (key): its size, of which there is none. */
uint32_t ex_XeKeysGetKeyProperties(kcall *call)
{
    return kret(call, 0);
}

/* (type out): 2, a console as shops sold it (homebrew's kernel headers). */
uint32_t ex_XeKeysGetConsoleType(kcall *call)
{
    kput32(call, karg(call, 0), CONSOLE_RETAIL);
    return kret_status(call, STATUS_SUCCESS);
}

/* (5 bytes out, text out), each may be 0: the id lies in the key vault. */
uint32_t ex_XeKeysGetConsoleID(kcall *call)
{
    return kret_status(call, STATUS_NOT_FOUND);
}

/* (16 bytes out, whether the disc must be authentic): there is no disc. */
uint32_t ex_XeKeysGetMediaID(kcall *call)
{
    return kret_status(call, STATUS_NOT_FOUND);
}
