/* Dialogues beyond questions to the user: those about the profile come and go unseen; those that need
 * Xbox Live fail, as the console's do when it is not connected (results of the kind:
 * xenia src/xenia/kernel/xam/xam_ui.cc, XamShowPartyUI). */
#include <string.h>

#include "exports.h"
#include "xam.h"

/* (user, ...) */
static uint32_t about_user(kcall *call)
{
    uint64_t xuid;
    uint32_t error = X_ERROR_INVALID_PARAMETER, user = karg(call, 0);
    if (user >= XUSER_COUNT || !kxam_user(call->k, user, &xuid, &error)) {
        return kret(call, error);
    }
    return kxam_begin_ui(call, 0, &(kxam_request){.result = X_ERROR_SUCCESS});
}

uint32_t ex_XamShowAchievementsUI(kcall *call)
{
    return about_user(call);
}

uint32_t ex_XamShowGamerCardUI(kcall *call)
{
    return about_user(call);
}

uint32_t ex_XamShowGamerCardUIForXUID(kcall *call)
{
    return about_user(call);
}

#define NEEDS_LIVE(name)                                                                           \
    uint32_t ex_XamShow##name(kcall *call)                                                         \
    {                                                                                              \
        return kret(call, X_ERROR_FUNCTION_FAILED);                                                \
    }

NEEDS_LIVE(FriendsUI)
NEEDS_LIVE(MessagesUI)
NEEDS_LIVE(PlayersUI)
NEEDS_LIVE(PlayerReviewUI)
NEEDS_LIVE(MarketplaceUI)
NEEDS_LIVE(MarketplaceDownloadItemsUI)
NEEDS_LIVE(MessageComposeUI)
NEEDS_LIVE(GameInviteUI)
NEEDS_LIVE(FriendRequestUI)
NEEDS_LIVE(CustomPlayerListUI)
NEEDS_LIVE(CustomMessageComposeUI)

/* ---- pictures: there are none ------------------------------------------------------------------
 */

/* (kind, title, image, user, buffer, pitch, height, overlapped) */
uint32_t ex_XamReadTileToTexture(kcall *call)
{
    uint32_t result = X_ERROR_NOT_FOUND;
    return kxam_begin(call, karg(call, 7), call->k->machine->io_cost,
                      &(kxam_request){.result = result, .extended = X_HRESULT(result)});
}

/* ---- users and overlapped operations by other names --------------------------------------------
 */

/* (XUID, flags, index out) */
uint32_t ex_XamUserGetIndexFromXUID(kcall *call)
{
    const kxam_state *x = &call->k->xam;
    bool own = x->signed_in && karg64(call, 0) == x->xuid;
    if (!karg(call, 2)) {
        return kret_status(call, X_E_INVALIDARG);
    }
    if (own) {
        kput32(call, karg(call, 2), 0);
    }
    return kret_status(call, own ? 0 : X_E_NO_SUCH_USER);
}

/* Bit n: user n is signed in. */
uint32_t ex_XamUserGetUserIndexMask(kcall *call)
{
    return kret(call, call->k->xam.signed_in);
}

/* (overlapped, length out, wait) */
uint32_t ex_XGetOverlappedResult(kcall *call)
{
    return ex_XamGetOverlappedResult(call);
}

/* (overlapped or 0: the thread's last error) */
uint32_t ex_XGetOverlappedExtendedError(kcall *call)
{
    uint32_t at = karg(call, 0);
    return kret(call, at ? kget32(call, at + 24) : klast_error(call->thread));
}

/* (target, byte, length): the target. */
uint32_t ex_XMemSet(kcall *call)
{
    uint32_t to = karg(call, 0), length = karg(call, 2);
    void *p = length ? kwrite(call, to, length) : NULL;
    if (p) {
        memset(p, (int)(karg(call, 1) & 0xFF), length);
        kwritten(call->k, to, length);
    }
    return kret(call, to);
}
