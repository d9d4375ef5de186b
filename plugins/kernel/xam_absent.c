/* What a console without voice, sensor or party answers (arguments: xenia
 * src/xenia/kernel/xam). Each is the result that the interface has for it; rows say so. */
#include <string.h>

#include "exports.h"
#include "mm.h"
#include "xam.h"

#define XPARTY_NOT_IN_PARTY UINT32_C(0x807D0003)
#define NUI_STATUS_SIZE     24
#define FLAG_GAMEPAD        UINT32_C(1)

/* ---- dialogues ---------------------------------------------------------------------------------
 */

/* The console shows it for ever: the title is over. */
uint32_t ex_XamShowDirtyDiscErrorUI(kcall *call)
{
    kend(call->k, WEFT_END_EXIT, 1, "the title could not read its disc");
    return K_GONE;
}

uint32_t ex_XamShowPartyUI(kcall *call)
{
    return kret(call, X_ERROR_FUNCTION_FAILED);
}

uint32_t ex_XamShowCommunitySessionsUI(kcall *call)
{
    return kret(call, X_ERROR_FUNCTION_FAILED);
}

uint32_t ex_XamPartyGetUserList(kcall *call)
{
    return kret_status(call, XPARTY_NOT_IN_PARTY);
}

uint32_t ex_XamPartySendGameInvites(kcall *call)
{
    return kret_status(call, XPARTY_NOT_IN_PARTY);
}

uint32_t ex_XamPartySetCustomData(kcall *call)
{
    return kret_status(call, XPARTY_NOT_IN_PARTY);
}

/* ---- voice, sensors, keys ----------------------------------------------------------------------
 */

/* (unknown, unknown, voice out) */
uint32_t ex_XamVoiceCreate(kcall *call)
{
    kput32(call, karg(call, 2), 0);
    return kret(call, X_ERROR_ACCESS_DENIED);
}

uint32_t ex_XamVoiceClose(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_XamVoiceHeadsetPresent(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_XamVoiceIsActiveProcess(kcall *call)
{
    return kret(call, 0);
}

/* All zero: not connected. */
uint32_t ex_XamNuiGetDeviceStatus(kcall *call)
{
    uint8_t *p = kwrite(call, karg(call, 0), NUI_STATUS_SIZE);
    if (p) {
        memset(p, 0, NUI_STATUS_SIZE);
        kwritten(call->k, karg(call, 0), NUI_STATUS_SIZE);
    }
    return K_DONE;
}

static uint32_t no_keystroke(kcall *call, uint32_t user, uint32_t flags, uint32_t out)
{
    if (!out) {
        return kret(call, X_ERROR_BAD_ARGUMENTS);
    }
    user = (user & 0xFF) == 0xFF ? 0 : user;
    bool pad = (flags & 0xFF) == 0 || (flags & FLAG_GAMEPAD);
    bool there = pad && user < WEFT_PAD_COUNT && call->k->pads[user].connected;
    return kret(call, there ? X_ERROR_EMPTY : X_ERROR_DEVICE_NOT_CONNECTED);
}

/* (user, flags, keystroke out) */
uint32_t ex_XamInputGetKeystroke(kcall *call)
{
    return no_keystroke(call, karg(call, 0), karg(call, 1), karg(call, 2));
}

/* (user in and out, flags, keystroke out) */
uint32_t ex_XamInputGetKeystrokeEx(kcall *call)
{
    return no_keystroke(call, kget32(call, karg(call, 0)), karg(call, 1), karg(call, 2));
}

/* (unknown, user, flags, capabilities out) */
uint32_t ex_XamInputGetCapabilitiesEx(kcall *call)
{
    for (unsigned i = 3; i < 6; i++) {
        call->cpu->r[i] = call->cpu->r[i + 1];
    }
    return ex_XamInputGetCapabilities(call);
}

/* ---- memory and the rest -----------------------------------------------------------------------
 */

/* (flags, size, address out) */
uint32_t ex_XamAlloc(kcall *call)
{
    uint32_t out = karg(call, 2);
    if (!kwrite(call, out, 4)) {
        return kret_status(call, X_E_INVALIDARG);
    }
    uint32_t block = mm_pool_alloc(call->k->mm, call->thread, karg(call, 1));
    kput32(call, out, block);
    return kret_status(call, block ? 0 : X_E_OUTOFMEMORY);
}

uint32_t ex_XamFree(kcall *call)
{
    return kret_status(call, mm_pool_free(call->k->mm, karg(call, 0)) ? 0 : X_E_INVALIDARG);
}

/* The console never becomes inactive. */
uint32_t ex_XamResetInactivity(kcall *call)
{
    return kret(call, 0);
}

/* (name, value out, its size, type): the hive of Live's settings is empty. */
uint32_t ex_XamQueryLiveHiveW(kcall *call)
{
    return kret_status(call, STATUS_INVALID_PARAMETER_1);
}

/* No optional feature is on. */
uint32_t ex_XamFeatureEnabled(kcall *call)
{
    return kret(call, 0);
}

/* ---- network -----------------------------------------------------------------------------------
 */

/* A manual-reset event (winsock2.h). */
uint32_t ex_NetDll_WSACreateEvent(kcall *call)
{
    call->cpu->r[3] = 0;
    call->cpu->r[4] = 1;
    call->cpu->r[5] = call->cpu->r[6] = 0;
    return ex_CreateEventA(call);
}

uint32_t ex_NetDll_WSACloseEvent(kcall *call)
{
    return ex_CloseHandle(call);
}

uint32_t ex_NetDll_WSAResetEvent(kcall *call)
{
    return ex_ResetEvent(call);
}
