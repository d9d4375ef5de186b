/* XAM: controllers, display and locale queries. */
#include <string.h>

#include "exports.h"
#include "input.h"
#include "kernel.h"

#define FLAG_GAMEPAD            0x01u
#define FLAG_ANY_USER           0x40000000u
#define CAPABILITY_TYPE_GAMEPAD 1

/* The controller that a call means, -1: another kind of device. */
static int user_of(kcall *call)
{
    uint32_t user = karg(call, 0), flags = karg(call, 1);
    if ((flags & 0xFF) && !(flags & FLAG_GAMEPAD)) {
        return -1;
    }
    if ((user & 0xFF) == 0xFF || flags & FLAG_ANY_USER) {
        return 0;
    }
    return user < WEFT_PAD_COUNT ? (int)user : -1;
}

/* A NULL state only asks whether the controller is there. */
uint32_t ex_XamInputGetState(kcall *call)
{
    int user = user_of(call);
    uint32_t out = karg(call, 2);
    if (user < 0 || !call->k->pads[user].connected) {
        return kret(call, X_ERROR_DEVICE_NOT_CONNECTED);
    }
    uint8_t *p = out ? kwrite(call, out, 16) : NULL;
    if (p) {
        weft_store32(p, call->k->pad_packet[user]);
        kinput_put_pad(p + 4, &call->k->pads[user]);
        kwritten(call->k, out, 16);
    }
    return kret(call, X_ERROR_SUCCESS);
}

uint32_t ex_XamInputGetCapabilities(kcall *call)
{
    int user = user_of(call);
    uint32_t out = karg(call, 2);
    if (!out) {
        return kret(call, X_ERROR_BAD_ARGUMENTS);
    }
    if (user < 0 || !call->k->pads[user].connected) {
        return kret(call, X_ERROR_DEVICE_NOT_CONNECTED);
    }
    static const weft_pad everything = {
        .buttons = 0xF3FF,
        .left_trigger = 0xFF,
        .right_trigger = 0xFF,
        .left_x = -1, /* resolution masks: all bits */
        .left_y = -1,
        .right_x = -1,
        .right_y = -1,
    };
    uint8_t *p = kwrite(call, out, 20);
    if (p) {
        memset(p, 0, 20);
        p[0] = CAPABILITY_TYPE_GAMEPAD;
        p[1] = CAPABILITY_TYPE_GAMEPAD;
        kinput_put_pad(p + 4, &everything);
        weft_store16(p + 16, 0xFFFF);
        weft_store16(p + 18, 0xFFFF);
        kwritten(call->k, out, 20);
    }
    return kret(call, X_ERROR_SUCCESS);
}

uint32_t ex_XamInputSetState(kcall *call)
{
    int user = user_of(call);
    uint32_t in = karg(call, 2);
    if (!in) {
        return kret(call, X_ERROR_BAD_ARGUMENTS);
    }
    if (user < 0 || !call->k->pads[user].connected) {
        return kret(call, X_ERROR_DEVICE_NOT_CONNECTED);
    }
    uint16_t left = kget16(call, in), right = kget16(call, in + 2);
    if (!call->faulted) {
        call->k->host->rumble(call->k->host, (uint32_t)user, left, right);
    }
    return kret(call, X_ERROR_SUCCESS);
}

uint32_t ex_XGetAVPack(kcall *call)
{
    return kret(call, 8); /* HDMI (LESSONS 52) */
}

uint32_t ex_XGetLanguage(kcall *call)
{
    return kret(call, 1); /* English */
}

uint32_t ex_XGetGameRegion(kcall *call)
{
    return kret(call, 0xFF); /* NTSC, all (xenia xam_locale.cc) */
}
