/* Controllers as the driver knows them: by device context, which for a controller is 0x10000000 and
 * its user's number (the form that homebrew gives XInputdPowerDownDevice). */
#include <string.h>

#include "exports.h"
#include "input.h"
#include "xam.h"

#define CONTEXT_PAD    UINT32_C(0x10000000)
#define CATEGORY_MOST  1                /* of XamUserGetDeviceContext: 0 input, 1 output */
#define WAKING_BUTTONS UINT16_C(0x0410) /* guide, Start */

void kinput_sampled(kernel *k, weft_pad *pads)
{
    for (uint32_t i = 0; i < WEFT_PAD_COUNT; i++) {
        if (!(k->pads_off >> i & 1)) {
            continue;
        }
        if (!pads[i].connected || pads[i].buttons & WAKING_BUTTONS) {
            k->pads_off &= ~(UINT32_C(1) << i);
        } else {
            memset(&pads[i], 0, sizeof pads[i]);
        }
    }
}

void kinput_put_pad(uint8_t *p, const weft_pad *pad)
{
    weft_store16(p, pad->buttons);
    p[2] = pad->left_trigger;
    p[3] = pad->right_trigger;
    weft_store16(p + 4, (uint16_t)pad->left_x);
    weft_store16(p + 6, (uint16_t)pad->left_y);
    weft_store16(p + 8, (uint16_t)pad->right_x);
    weft_store16(p + 10, (uint16_t)pad->right_y);
}

/* The controller of a context that is connected, -1: none. */
static int pad_of(const kernel *k, uint32_t context)
{
    uint32_t user = context ^ CONTEXT_PAD;
    return user < WEFT_PAD_COUNT && k->pads[user].connected ? (int)user : -1;
}

/* (context): the controller goes off, until its guide or Start button is pressed. */
uint32_t ex_XInputdPowerDownDevice(kcall *call)
{
    kernel *k = call->k;
    int user = pad_of(k, karg(call, 0));
    if (user >= 0) {
        k->pads_off |= UINT32_C(1) << user; /* the next vertical blank takes it away */
    }
    return K_DONE;
}

/* (context, packet number out, state out, unknown out or 0) */
uint32_t ex_XInputdReadState(kcall *call)
{
    kernel *k = call->k;
    int user = pad_of(k, karg(call, 0));
    if (user < 0) {
        return kret_status(call, STATUS_DEVICE_NOT_CONNECTED);
    }
    uint8_t *p = kwrite(call, karg(call, 2), 12);
    kput32(call, karg(call, 1), k->pad_packet[user]);
    if (p && !call->faulted) {
        kinput_put_pad(p, &k->pads[user]);
        kwritten(k, karg(call, 2), 12);
    }
    return kret_status(call, STATUS_SUCCESS);
}

/* (user, category, context out): of a controller, which takes input and output alike. */
uint32_t ex_XamUserGetDeviceContext(kcall *call)
{
    uint32_t user = karg(call, 0), category = karg(call, 1), out = karg(call, 2);
    bool known = user < WEFT_PAD_COUNT && category <= CATEGORY_MOST;
    bool there = known && call->k->pads[user].connected;
    kput32(call, out, there ? CONTEXT_PAD | user : 0);
    return kret_status(call, !known  ? X_E_INVALIDARG
                             : there ? 0
                                     : X_HRESULT(X_ERROR_DEVICE_NOT_CONNECTED));
}

/* (context, category, user out) */
uint32_t ex_XamUserLookupDevice(kcall *call)
{
    int user = pad_of(call->k, karg(call, 0));
    bool there = user >= 0 && karg(call, 1) <= CATEGORY_MOST;
    kput32(call, karg(call, 2), there ? (uint32_t)user : 0xFF);
    return kret_status(call, there ? 0 : X_HRESULT(X_ERROR_DEVICE_NOT_CONNECTED));
}
