/* Users: nobody is signed in, and there is no profile to sign in with. Results are those that the
 * XDK documents for a user index without a user (xenia src/xenia/kernel/xam/xam_user.cc names
 * them). */
#include <string.h>

#include "exports.h"
#include "xam.h"

#define SIGNIN_INFO_SIZE 40 /* XUSER_SIGNIN_INFO */
#define USER_ANY         0xFF

/* eXUserSigninState_NotSignedIn */
uint32_t ex_XamUserGetSigninState(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_XamUserGetSigninInfo(kcall *call)
{
    uint32_t out = karg(call, 2);
    if (!out) {
        return kret_status(call, X_E_INVALIDARG);
    }
    uint8_t *p = kwrite(call, out, SIGNIN_INFO_SIZE);
    if (p) {
        memset(p, 0, SIGNIN_INFO_SIZE);
        kwritten(call->k, out, SIGNIN_INFO_SIZE);
    }
    return kret_status(call, X_E_NO_SUCH_USER);
}

uint32_t ex_XamUserGetXUID(kcall *call)
{
    uint32_t out = karg(call, 2);
    if (!out) {
        return kret_status(call, X_E_INVALIDARG);
    }
    kput64(call, out, 0);
    return kret_status(call, karg(call, 0) < XUSER_COUNT ? X_E_NO_SUCH_USER : X_E_INVALIDARG);
}

uint32_t ex_XamUserGetName(kcall *call)
{
    return kret_status(call, karg(call, 0) < XUSER_COUNT ? X_E_NO_SUCH_USER : X_E_INVALIDARG);
}

/* (four XUIDs, one a user index; flags; overlapped). Signing everybody out is done already; 0 and
 * all ones mean nobody. */
uint32_t ex_XamUserLogon(kcall *call)
{
    uint32_t xuids = karg(call, 0), result = X_ERROR_SUCCESS;
    if (!xuids) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    for (uint32_t i = 0; i < XUSER_COUNT; i++) {
        uint64_t xuid = kget64(call, xuids + 8 * i);
        if (xuid != 0 && xuid != UINT64_MAX) {
            result = X_ERROR_NO_SUCH_USER;
        }
    }
    return kxam_begin(call, karg(call, 2), call->k->machine->io_cost,
                      &(kxam_request){.result = result, .extended = X_HRESULT(result)});
}

uint32_t ex_XamUserCheckPrivilege(kcall *call)
{
    uint32_t user = karg(call, 0);
    if (user != USER_ANY && user >= XUSER_COUNT) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    kput32(call, karg(call, 2), 0);
    return kret(call, user == USER_ANY ? X_ERROR_SUCCESS : X_ERROR_NO_SUCH_USER);
}

/* (user, XUIDs, count, result, overlapped) */
uint32_t ex_XamUserAreUsersFriends(kcall *call)
{
    uint32_t result =
        karg(call, 0) < XUSER_COUNT ? X_ERROR_NOT_LOGGED_ON : X_ERROR_INVALID_PARAMETER;
    if (karg(call, 3)) {
        kput32(call, karg(call, 3), 0);
    }
    return kxam_begin(call, karg(call, 4), call->k->machine->io_cost,
                      &(kxam_request){.result = result, .extended = X_HRESULT(result)});
}

/* Bytes that the results of a request need: a header of 8, 40 a setting, and the data of strings
 * and binaries, whose size is in the setting's id: type in bits 28-31, size in 16-27 (xenia
 * src/xenia/kernel/xam/user_profile.h). */
static uint32_t settings_size(kcall *call, uint32_t ids, uint32_t count, uint32_t users)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = kget32(call, ids + 4 * i), type = id >> 28;
        size += 40 + (type == 4 || type == 6 ? id >> 16 & 0xFFF : 0);
    }
    return 8 + size * (users ? users : 1);
}

/* (title, user, XUID count, XUIDs, setting count, settings, size, results, overlapped) */
uint32_t ex_XamUserReadProfileSettings(kcall *call)
{
    uint32_t users = karg(call, 2), count = karg(call, 4), size = karg(call, 6);
    if (count < 1 || count > 32 || !size || users > 32) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    uint32_t room = kget32(call, size), needed = settings_size(call, karg(call, 5), count, users);
    if (room && !karg(call, 7)) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    if (room < needed) {
        if (room == 0) {
            kput32(call, size, needed);
        }
        return kret(call, X_ERROR_INSUFFICIENT_BUFFER);
    }
    uint32_t result = X_ERROR_NO_SUCH_USER;
    return kxam_begin(call, karg(call, 8), call->k->machine->io_cost,
                      &(kxam_request){.result = result, .extended = X_HRESULT(result)});
}
