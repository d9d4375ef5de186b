/* Users. The console has no profile, or the one that [kernel] user names: of user 0, on this console
 * alone, unknown to Xbox Live. Results for an index without a user are those that the XDK documents
 * (xenia src/xenia/kernel/xam/xam_user.cc names them). */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

/* XUSER_SIGNIN_INFO: XUID @0, flags @8, state @0xC, guest number @0x10, sponsor @0x14, name[16]
 * @0x18. */
#define SIGNIN_INFO_SIZE  40
#define SIGNIN_INFO_STATE 0xC
#define SIGNIN_INFO_NAME  0x18
#define INFO_ONLINE_XUID  1 /* XUSER_GET_SIGNIN_INFO_ONLINE_XUID_ONLY */

#define SIGNED_IN_LOCALLY 1 /* eXUserSigninState_SignedInLocally */
#define XUID_OFFLINE      1 /* kinds of XUID that XamUserGetXUID is asked for, as bits */
#define NAME_MOST         15
#define RATING_ANY        0x3F /* "do not care" (xenia) */

/* PROFILEENUMRESULT: offline XUID @0, account @8 (with the gamertag, UTF-16 [16], @0x10),
 * device @0x184 (homebrew's XAM headers). */
#define PROFILE_SIZE   0x188
#define PROFILE_TAG    0x10
#define PROFILE_DEVICE 0x184
#define TAG_UNITS      16

/* ACHIEVEMENT_DETAILS, and room for its three texts if any is asked for (xenia xam_user.cc). */
#define ACHIEVEMENT_SIZE  36
#define ACHIEVEMENT_TEXTS 464
#define ACHIEVEMENT_FLAGS 7
#define TITLE_PLAYED_SIZE 0xA8 /* XUSER_TITLE_PLAYED */

/* ---- who is there ------------------------------------------------------------------------------
 */

/* An offline XUID has 0xE above; bits 54 and 55 are a guest's. The rest is the name's, so that a
 * profile has the same in every run. */
static uint64_t xuid_of(const char *name)
{
    return UINT64_C(0xE000000000000000) |
           (weft_fnv1a(name, strlen(name)) & UINT64_C(0x003FFFFFFFFFFFFF));
}

/* Gamertags have letters, digits and single blanks, and begin with a letter. */
static bool name_good(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool inside = (c >= '0' && c <= '9') || (c == ' ' && name[i - (i > 0)] != ' ');
        if (!letter && (i == 0 || !inside)) {
            return false;
        }
    }
    return length <= NAME_MOST && (length == 0 || name[length - 1] != ' ');
}

bool kxam_user_init(kernel *k, const char *name)
{
    name = strcmp(name, "none") == 0 ? "" : name;
    if (!name_good(name)) {
        return false;
    }
    memcpy(k->xam.user, name, strlen(name) + 1);
    k->xam.xuid = name[0] ? xuid_of(name) : 0;
    k->xam.signed_in = name[0] != 0;
    return true;
}

bool kxam_user(const kernel *k, uint32_t user, uint64_t *xuid, uint32_t *error)
{
    *xuid = 0;
    *error =
        user < XUSER_COUNT || user == XUSER_ANY ? X_ERROR_NO_SUCH_USER : X_ERROR_INVALID_PARAMETER;
    if (user == XUSER_NONE) {
        return true;
    }
    if ((user == 0 || user == XUSER_ANY) && k->xam.signed_in) {
        *xuid = k->xam.xuid;
        return true;
    }
    return false;
}

/* The user of an index 0 to 3 is there; else *error is why not. */
static bool is_there(const kernel *k, uint32_t user, uint32_t *error)
{
    uint64_t xuid;
    *error = X_ERROR_INVALID_PARAMETER;
    return user < XUSER_COUNT && kxam_user(k, user, &xuid, error);
}

/* ---- what is known of them ---------------------------------------------------------------------
 */

uint32_t ex_XamUserGetSigninState(kcall *call)
{
    uint32_t error;
    return kret(call, is_there(call->k, karg(call, 0), &error) ? SIGNED_IN_LOCALLY : 0);
}

/* (user, which XUID, info out) */
uint32_t ex_XamUserGetSigninInfo(kcall *call)
{
    const kxam_state *x = &call->k->xam;
    uint32_t flags = karg(call, 1), out = karg(call, 2), error;
    if (!out) {
        return kret_status(call, X_E_INVALIDARG);
    }
    uint8_t *p = kwrite(call, out, SIGNIN_INFO_SIZE);
    bool there = is_there(call->k, karg(call, 0), &error);
    if (p) {
        memset(p, 0, SIGNIN_INFO_SIZE);
        if (there) {
            weft_store64(p, flags & INFO_ONLINE_XUID ? 0 : x->xuid);
            weft_store32(p + SIGNIN_INFO_STATE, SIGNED_IN_LOCALLY);
            memcpy(p + SIGNIN_INFO_NAME, x->user, sizeof x->user);
        }
        kwritten(call->k, out, SIGNIN_INFO_SIZE);
    }
    return kret_status(call, there ? 0 : X_E_NO_SUCH_USER);
}

/* (user, kinds of XUID, out): the profile has an offline one alone. */
uint32_t ex_XamUserGetXUID(kcall *call)
{
    uint32_t out = karg(call, 2), user = karg(call, 0), error;
    if (!out) {
        return kret_status(call, X_E_INVALIDARG);
    }
    bool there = is_there(call->k, user, &error) && karg(call, 1) & XUID_OFFLINE;
    kput64(call, out, there ? call->k->xam.xuid : 0);
    return kret_status(call, there ? 0 : user < XUSER_COUNT ? X_E_NO_SUCH_USER : X_E_INVALIDARG);
}

/* (user, text out, its room) */
uint32_t ex_XamUserGetName(kcall *call)
{
    uint32_t out = karg(call, 1), room = karg(call, 2), error;
    if (!is_there(call->k, karg(call, 0), &error)) {
        return kret_status(call, error == X_ERROR_NO_SUCH_USER ? X_E_NO_SUCH_USER : X_E_INVALIDARG);
    }
    room = room < NAME_MOST + 1 ? room : NAME_MOST + 1;
    char *p = room ? kwrite(call, out, room) : NULL;
    if (p) {
        memcpy(p, call->k->xam.user, room);
        p[room - 1] = 0;
        kwritten(call->k, out, room);
    }
    return kret_status(call, room ? 0 : X_E_INVALIDARG);
}

/* (user, UTF-16 out, its room) */
uint32_t ex_XamUserGetGamerTag(kcall *call)
{
    uint32_t out = karg(call, 1), error;
    if (!is_there(call->k, karg(call, 0), &error)) {
        return kret_status(call, error == X_ERROR_NO_SUCH_USER ? X_E_NO_SUCH_USER : X_E_INVALIDARG);
    }
    if (!out || karg(call, 2) < TAG_UNITS) {
        return kret_status(call, X_E_INVALIDARG);
    }
    uint8_t *p = kwrite(call, out, 2 * TAG_UNITS);
    if (p) {
        kxam_put_wide(p, TAG_UNITS, call->k->xam.user);
        kwritten(call->k, out, 2 * TAG_UNITS);
    }
    return kret_status(call, 0);
}

/* 0 is none. */
uint32_t ex_XamUserGetMembershipTier(kcall *call)
{
    uint32_t error;
    return kret(call, is_there(call->k, karg(call, 0), &error) ? 0 : error);
}

uint32_t ex_XamUserIsOnlineEnabled(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_XamUserIsGuest(kcall *call)
{
    return kret(call, 0);
}

/* (user, privilege, result out): nothing that needs Live is allowed. */
uint32_t ex_XamUserCheckPrivilege(kcall *call)
{
    uint32_t user = karg(call, 0), error = X_ERROR_SUCCESS;
    if (user != XUSER_ANY && user >= XUSER_COUNT) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    kput32(call, karg(call, 2), 0);
    bool there = user == XUSER_ANY || is_there(call->k, user, &error);
    return kret(call, there ? X_ERROR_SUCCESS : error);
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

/* ---- what parents allow: everything ------------------------------------------------------------
 */

/* (user, flags out) */
uint32_t ex_XamUserContentRestrictionGetFlags(kcall *call)
{
    uint32_t error;
    if (!is_there(call->k, karg(call, 0), &error)) {
        return kret(call, error);
    }
    kput32(call, karg(call, 1), 0);
    return kret(call, X_ERROR_SUCCESS);
}

/* (user, unknown, rating out, unknown out) */
uint32_t ex_XamUserContentRestrictionGetRating(kcall *call)
{
    uint32_t error;
    if (!is_there(call->k, karg(call, 0), &error)) {
        return kret(call, error);
    }
    kput32(call, karg(call, 2), RATING_ANY);
    kput32(call, karg(call, 3), 0);
    return kret(call, X_ERROR_SUCCESS);
}

/* (user, three unknown, unknown, allowed out, overlapped) */
uint32_t ex_XamUserContentRestrictionCheckAccess(kcall *call)
{
    kput32(call, karg(call, 5), 1);
    return kxam_begin(call, karg(call, 6), call->k->machine->io_cost,
                      &(kxam_request){.result = X_ERROR_SUCCESS});
}

/* ---- signing in and out ------------------------------------------------------------------------
 */

static void sign(kernel *k, bool in)
{
    if (k->xam.signed_in != in) {
        k->xam.signed_in = in;
        kxam_notify(k, XN_SYS_SIGNINCHANGED, 1); /* bit 0: user 0 */
    }
}

static void logged_on(kernel *k, kxam_request *r)
{
    if (r->result == X_ERROR_SUCCESS) {
        sign(k, r->data[0] != 0);
    }
}

/* (four XUIDs, one a user index; flags; overlapped). 0 and all ones are nobody. */
uint32_t ex_XamUserLogon(kcall *call)
{
    const kxam_state *x = &call->k->xam;
    uint32_t xuids = karg(call, 0), result = X_ERROR_SUCCESS, in = 0;
    if (!xuids) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    for (uint32_t i = 0; i < XUSER_COUNT; i++) {
        uint64_t xuid = kget64(call, xuids + 8 * i);
        if (i == 0 && x->user[0] && xuid == x->xuid) {
            in = 1;
        } else if (xuid != 0 && xuid != UINT64_MAX) {
            result = X_ERROR_NO_SUCH_USER;
        }
    }
    return kxam_begin(call, karg(call, 2), call->k->machine->io_cost,
                      &(kxam_request){
                          .fn = logged_on,
                          .data = {in},
                          .result = result,
                          .extended = X_HRESULT(result),
                      });
}

/* (panes, flags): comes and goes; whoever has a profile signs in. */
uint32_t ex_XamShowSigninUI(kcall *call)
{
    uint32_t answer = kxam_begin_ui(call, 0, &(kxam_request){.result = X_ERROR_SUCCESS});
    if (call->k->xam.user[0]) {
        sign(call->k, true);
    }
    return answer;
}

/* ---- lists -------------------------------------------------------------------------------------
 */

/* An empty list for a user: size and handle are stored. */
static uint32_t empty_list(kcall *call, uint32_t user, uint32_t item_size, uint32_t items,
                           uint32_t size_out, uint32_t out)
{
    uint32_t error;
    if (!items || !size_out || !out || !kwrite(call, out, 4)) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    if (!is_there(call->k, user, &error)) {
        return kret(call, error);
    }
    kput32(call, size_out, items * item_size);
    uint32_t handle = kxam_list_open(call, item_size, items, 0, NULL);
    kput32(call, out, handle);
    return kret(call, handle ? X_ERROR_SUCCESS : X_ERROR_FUNCTION_FAILED);
}

/* (title, user, XUID, flags, offset, count, size out, handle out) */
uint32_t ex_XamUserCreateAchievementEnumerator(kcall *call)
{
    uint32_t size = ACHIEVEMENT_SIZE;
    size += karg(call, 3) & ACHIEVEMENT_FLAGS ? ACHIEVEMENT_TEXTS : 0;
    return empty_list(call, karg(call, 1), size, karg(call, 5), karg(call, 6), karg(call, 7));
}

/* (title, user, XUID, offset, count, size out, handle out) */
uint32_t ex_XamUserCreateTitlesPlayedEnumerator(kcall *call)
{
    return empty_list(call, karg(call, 1), TITLE_PLAYED_SIZE, karg(call, 4), karg(call, 5),
                      karg(call, 6));
}

/* (device, handle out): the profiles on a device. */
uint32_t ex_XamProfileCreateEnumerator(kcall *call)
{
    const kxam_state *x = &call->k->xam;
    uint32_t out = karg(call, 1), count = x->user[0] != 0;
    if (!kwrite(call, out, 4)) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    uint8_t *profile = count ? calloc(1, PROFILE_SIZE) : NULL;
    if (profile) {
        weft_store64(profile, x->xuid);
        kxam_put_wide(profile + PROFILE_TAG, TAG_UNITS, x->user);
        weft_store32(profile + PROFILE_DEVICE, 1);
    }
    uint32_t handle = kxam_list_open(call, PROFILE_SIZE, 1, profile ? 1 : 0, profile);
    kput32(call, out, handle);
    return kret(call, handle ? X_ERROR_SUCCESS : X_ERROR_FUNCTION_FAILED);
}

/* (enumerator, flags, one result out, overlapped) */
uint32_t ex_XamProfileEnumerate(kcall *call)
{
    return kxam_list_next(call, karg(call, 0), karg(call, 2), PROFILE_SIZE, 0, karg(call, 3));
}
