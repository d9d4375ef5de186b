/* A profile that is signed in: who it is, what it keeps. Expectations: XUSER_SIGNIN_INFO and
 * XUSER_PROFILE_SETTING as xenia src/xenia/kernel/xam/{xam_user.cc,user_profile.h} have them, [MS-ERREF]
 * for errors. */
#include "fixture.h"

#include <string.h>

#include "exports.h"
#include "xam.h"

#define U(x) ((uint64_t)(x))
#define MS   UINT64_C(1000000)

#define OUT     0x100
#define IDS     0x200
#define SIZE    0x300
#define WRITTEN 0x400
#define VALUE   0x800
#define RESULTS 0x1000

#define VIBRATION 0x10040003 /* XPROFILE_OPTION_CONTROLLER_VIBRATION */
#define TITLE_1   0x63E83FFF /* XPROFILE_TITLE_SPECIFIC1: a block of at most 1000 bytes */
#define MOTTO     0x402C0011 /* a text */

static int setup(void **state)
{
    fixture *f = *state = fixture_open();
    return kxam_user_init(f->k, "Red Panda 7") ? 0 : -1;
}

static int setup_none(void **state)
{
    *state = fixture_open();
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

/* ---- who ---------------------------------------------------------------------------------------
 */

static void names_are_gamertags(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } all[] = {
        {"none", true},   {"", true},    {"A", true},    {"Fifteen letters", true},
        {"a b c", true},  {"A1", true},  {"1A", false},  {"Sixteen letters!", false},
        {"a  b", false},  {" a", false}, {"a ", false},  {"a/b", false},
        {"a\xC3", false}, {"-", false},  {"a.b", false}, {"Sixteen lettersx", false},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(kxam_user_init(f->k, all[i].name), all[i].good);
    }
}

static void user_0_is_signed_in_here(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    assert_int_equal(invoke(f, ex_XamUserGetSigninState, 1, U(0)), 1); /* locally */
    assert_int_equal(invoke(f, ex_XamUserGetSigninState, 1, U(1)), 0);
    assert_int_equal(invoke(f, ex_XamUserGetSigninInfo, 3, U(0), U(0), U(out)), 0);
    assert_int_equal(quad(f, out), f->k->xam.xuid);
    assert_int_equal(word(f, out + 0xC), 1);
    assert_string_equal((char *)at(f, out + 0x18), "Red Panda 7");
    assert_int_equal(invoke(f, ex_XamUserGetSigninInfo, 3, U(0), U(1), U(out)), 0);
    assert_int_equal(quad(f, out), 0); /* XUSER_GET_SIGNIN_INFO_ONLINE_XUID_ONLY */
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetSigninInfo, 3, U(1), U(0), U(out)),
                     0x80070525);
    assert_int_equal(quad(f, out), 0);
}

/* Offline XUIDs have 0xE in their highest four bits; bits 54 and 55 mark guests. */
static void the_xuid_is_offline(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    assert_int_equal(invoke(f, ex_XamUserGetXUID, 3, U(0), U(1), U(out)), 0);
    assert_int_equal(quad(f, out) >> 60, 0xE);
    assert_int_equal(quad(f, out) & UINT64_C(0x00C0000000000000), 0);
    assert_int_equal(invoke(f, ex_XamUserGetXUID, 3, U(0), U(7), U(out)), 0);
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetXUID, 3, U(0), U(2), U(out)), 0x80070525);
    assert_int_equal(quad(f, out), 0);
    uint64_t before = f->k->xam.xuid;
    kxam_user_init(f->k, "Other");
    assert_int_not_equal(f->k->xam.xuid, before);
    kxam_user_init(f->k, "Red Panda 7");
    assert_int_equal(f->k->xam.xuid, before); /* the same in every run */
}

static void the_name_is_cut_to_fit(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    memset(at(f, out), 0xAA, 32);
    assert_int_equal(invoke(f, ex_XamUserGetName, 3, U(0), U(out), U(4)), 0);
    assert_memory_equal(at(f, out), "Red\0\xAA", 5);
    assert_int_equal(invoke(f, ex_XamUserGetName, 3, U(0), U(out), U(64)), 0);
    assert_string_equal((char *)at(f, out), "Red Panda 7");
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetGamerTag, 3, U(0), U(out), U(15)),
                     0x80070057);
    assert_int_equal(invoke(f, ex_XamUserGetGamerTag, 3, U(0), U(out), U(16)), 0);
    assert_memory_equal(at(f, out), "\0R\0e\0d\0 \0P\0a\0n\0d\0a\0 \0007\0\0", 24);
}

static void nothing_is_online_or_restricted(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    set_word(f, out, 9);
    assert_int_equal(invoke(f, ex_XamUserCheckPrivilege, 3, U(0), U(254), U(out)), 0);
    assert_int_equal(word(f, out), 0);
    assert_int_equal(invoke(f, ex_XamUserIsOnlineEnabled, 1, U(0)), 0);
    assert_int_equal(invoke(f, ex_XamUserIsGuest, 1, U(0)), 0);
    assert_int_equal(invoke(f, ex_XamUserGetMembershipTier, 1, U(0)), 0);
    set_word(f, out, 9);
    assert_int_equal(invoke(f, ex_XamUserContentRestrictionGetFlags, 2, U(0), U(out)), 0);
    assert_int_equal(word(f, out), 0);
    assert_int_equal(
        invoke(f, ex_XamUserContentRestrictionGetRating, 4, U(0), U(0), U(out), U(out + 4)), 0);
    assert_int_equal(word(f, out), 0x3F);
    assert_int_equal(invoke(f, ex_XamUserContentRestrictionCheckAccess, 7, U(0), U(0), U(0), U(0),
                            U(0), U(out), U(0)),
                     0);
    assert_int_equal(word(f, out), 1);
}

/* XN_SYS_SIGNINCHANGED is 0x0A; its parameter has a bit for each user. */
static void signing_out_and_in_is_told(void **state)
{
    fixture *f = *state;
    uint32_t xuids = f->scratch + IDS, out = f->scratch + OUT;
    uint32_t handle = (uint32_t)invoke(f, ex_XamNotifyCreateListener, 2, U(1), U(0));
    while (invoke(f, ex_XNotifyGetNext, 4, U(handle), U(0), U(out), U(out + 4))) {
    }
    assert_int_equal(invoke(f, ex_XamUserLogon, 3, U(xuids), U(0), U(0)), 0);
    assert_int_equal(invoke(f, ex_XamUserGetSigninState, 1, U(0)), 0);
    assert_int_equal(invoke(f, ex_XNotifyGetNext, 4, U(handle), U(0), U(out), U(out + 4)), 1);
    assert_int_equal(word(f, out), 0x0A);
    assert_int_equal(word(f, out + 4), 1);
    assert_int_equal(invoke(f, ex_XamUserLogon, 3, U(xuids), U(0), U(0)), 0); /* no change */
    assert_int_equal(invoke(f, ex_XNotifyGetNext, 4, U(handle), U(0), U(out), U(out + 4)), 0);
    set_quad(f, xuids + 8, f->k->xam.xuid); /* as user 1 */
    assert_int_equal(invoke(f, ex_XamUserLogon, 3, U(xuids), U(0), U(0)), 1317);
    set_quad(f, xuids + 8, 0);
    set_quad(f, xuids, f->k->xam.xuid);
    assert_int_equal(invoke(f, ex_XamUserLogon, 3, U(xuids), U(0), U(0)), 0);
    assert_int_equal(invoke(f, ex_XamUserGetSigninState, 1, U(0)), 1);
}

static void the_dialogue_signs_in(void **state)
{
    fixture *f = *state;
    invoke(f, ex_XamUserLogon, 3, U(f->scratch + IDS), U(0), U(0));
    assert_int_equal(invoke(f, ex_XamShowSigninUI, 2, U(1), U(0)), 0);
    assert_int_equal(invoke(f, ex_XamUserGetSigninState, 1, U(0)), 1);
}

static void without_a_profile_nobody_signs_in(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XamShowSigninUI, 2, U(1), U(0)), 0);
    assert_int_equal(invoke(f, ex_XamUserGetSigninState, 1, U(0)), 0);
}

/* ---- lists -------------------------------------------------------------------------------------
 */

static void there_are_no_achievements(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    assert_int_equal(invoke(f, ex_XamUserCreateAchievementEnumerator, 8, U(0), U(0), U(0), U(0),
                            U(0), U(5), U(out), U(out + 4)),
                     0);
    assert_int_equal(word(f, out), 5 * 36);
    assert_int_equal(invoke(f, ex_XamEnumerate, 6, U(word(f, out + 4)), U(0),
                            U(f->scratch + RESULTS), U(180), U(out), U(0)),
                     18);
    assert_int_equal(invoke(f, ex_XamUserCreateAchievementEnumerator, 8, U(0), U(0), U(0), U(7),
                            U(0), U(5), U(out), U(out + 4)),
                     0);
    assert_int_equal(word(f, out), 5 * (36 + 464));
    assert_int_equal(invoke(f, ex_XamUserCreateAchievementEnumerator, 8, U(0), U(2), U(0), U(0),
                            U(0), U(5), U(out), U(out + 4)),
                     1317);
    assert_int_equal(invoke(f, ex_XamUserCreateTitlesPlayedEnumerator, 7, U(0), U(0), U(0), U(0),
                            U(2), U(out), U(out + 4)),
                     0);
    assert_int_equal(word(f, out), 2 * 0xA8);
}

static void profiles_are_listed(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT, result = f->scratch + RESULTS;
    assert_int_equal(invoke(f, ex_XamProfileCreateEnumerator, 2, U(0), U(out)), 0);
    uint32_t handle = word(f, out);
    assert_int_equal(invoke(f, ex_XamProfileEnumerate, 4, U(handle), U(0), U(result), U(0)), 0);
    assert_int_equal(quad(f, result), f->k->xam.xuid);
    assert_memory_equal(at(f, result + 0x10), "\0R\0e\0d", 6);
    assert_int_equal(word(f, result + 0x184), 1);
    assert_int_equal(invoke(f, ex_XamProfileEnumerate, 4, U(handle), U(0), U(result), U(0)), 18);
    assert_int_equal(invoke(f, ex_XamProfileEnumerate, 4, U(7), U(0), U(result), U(0)), 6);
}

/* ---- settings ----------------------------------------------------------------------------------
 */

static uint32_t read_settings(fixture *f, uint32_t count, uint32_t room)
{
    set_word(f, f->scratch + SIZE, room);
    return (uint32_t)invoke(f, ex_XamUserReadProfileSettings, 9, U(0), U(0), U(0), U(0), U(count),
                            U(f->scratch + IDS), U(f->scratch + SIZE), U(f->scratch + RESULTS),
                            U(0));
}

/* One XUSER_PROFILE_SETTING at WRITTEN. */
static uint32_t write_setting(fixture *f, uint32_t id, uint8_t type, uint64_t value)
{
    uint32_t s = f->scratch + WRITTEN;
    memset(at(f, s), 0, 40);
    set_word(f, s + 0x10, id);
    *at(f, s + 0x18) = type;
    set_quad(f, s + 0x20, value);
    return (uint32_t)invoke(f, ex_XamUserWriteProfileSettings, 5, U(0), U(0), U(1), U(s), U(0));
}

static void a_fresh_profile_has_defaults(void **state)
{
    fixture *f = *state;
    uint32_t r = f->scratch + RESULTS;
    set_word(f, f->scratch + IDS, VIBRATION);
    set_word(f, f->scratch + IDS + 4, TITLE_1);
    assert_int_equal(read_settings(f, 2, 0), 122);
    assert_int_equal(word(f, f->scratch + SIZE), 8 + 2 * 40 + 1000);
    assert_int_equal(read_settings(f, 2, 8 + 2 * 40 + 1000), 0);
    assert_int_equal(word(f, r), 2);
    assert_int_equal(word(f, r + 4), r + 8);
    assert_int_equal(word(f, r + 8), 1); /* XSOURCE_DEFAULT */
    assert_int_equal(word(f, r + 8 + 0x10), VIBRATION);
    assert_int_equal(*at(f, r + 8 + 0x18), 1); /* a 32-bit number */
    assert_int_equal(word(f, r + 8 + 0x20), 3);
    assert_int_equal(word(f, r + 48), 0); /* XSOURCE_NO_VALUE */
    assert_int_equal(*at(f, r + 48 + 0x18), 6);
    assert_int_equal(word(f, r + 48 + 0x20), 0);
}

static void numbers_are_kept(void **state)
{
    fixture *f = *state;
    uint32_t r = f->scratch + RESULTS;
    assert_int_equal(write_setting(f, VIBRATION, 1, UINT64_C(0x1122334400000000)), 0);
    set_word(f, f->scratch + IDS, VIBRATION);
    assert_int_equal(read_settings(f, 1, 48), 0);
    assert_int_equal(word(f, r + 8), 2); /* XSOURCE_TITLE */
    assert_int_equal(word(f, r + 8 + 0x20), 0x11223344);
}

static void blocks_are_kept(void **state)
{
    fixture *f = *state;
    uint32_t r = f->scratch + RESULTS;
    memcpy(at(f, f->scratch + VALUE), "progress", 8);
    assert_int_equal(write_setting(f, TITLE_1, 6, U(8) << 32 | (f->scratch + VALUE)), 0);
    memset(at(f, f->scratch + VALUE), 0, 8);
    set_word(f, f->scratch + IDS, TITLE_1);
    assert_int_equal(read_settings(f, 1, 48 + 1000), 0);
    assert_int_equal(word(f, r + 8 + 0x20), 8);
    assert_int_equal(word(f, r + 8 + 0x24), r + 48);
    assert_memory_equal(at(f, r + 48), "progress", 8);
}

/* A number from 0x3F00 on is each title's own; the first argument says which. */
static void blocks_are_each_titles_own(void **state)
{
    fixture *f = *state;
    uint32_t s = f->scratch + WRITTEN;
    memcpy(at(f, f->scratch + VALUE), "one", 3);
    write_setting(f, TITLE_1, 6, U(3) << 32 | (f->scratch + VALUE));
    memcpy(at(f, f->scratch + VALUE), "two", 3);
    assert_int_equal(
        invoke(f, ex_XamUserWriteProfileSettings, 5, U(0x4D5307E6), U(0), U(1), U(s), U(0)), 0);
    set_word(f, f->scratch + IDS, TITLE_1);
    read_settings(f, 1, 48 + 1000);
    assert_memory_equal(at(f, f->scratch + RESULTS + 48), "one", 3);
}

static void what_does_not_fit_is_refused(void **state)
{
    fixture *f = *state;
    assert_int_equal(write_setting(f, TITLE_1, 6, U(1001) << 32 | (f->scratch + VALUE)), 87);
    assert_int_equal(write_setting(f, TITLE_1, 4, U(4) << 32 | (f->scratch + VALUE)), 87);
    assert_int_equal(write_setting(f, VIBRATION, 2, 0), 87);
    assert_int_equal(write_setting(f, 0, 0, 0), 87);
    write_setting(f, TITLE_1, 6, U(8) << 32 | 0x10);
    assert_true(f->call.faulted);
    assert_int_equal(
        invoke(f, ex_XamUserWriteProfileSettings, 5, U(0), U(0), U(33), U(f->scratch), U(0)), 87);
    assert_int_equal(
        invoke(f, ex_XamUserWriteProfileSettings, 5, U(0), U(1), U(1), U(f->scratch), U(0)), 1317);
}

static void others_have_no_settings(void **state)
{
    fixture *f = *state;
    uint32_t xuid = f->scratch + OUT;
    set_word(f, f->scratch + IDS, MOTTO);
    for (int own = 0; own < 2; own++) {
        set_quad(f, xuid, own ? f->k->xam.xuid : 12345);
        set_word(f, f->scratch + SIZE, 200);
        assert_int_equal(invoke(f, ex_XamUserReadProfileSettingsEx, 10, U(0), U(0), U(1), U(xuid),
                                U(1), U(f->scratch + IDS), U(f->scratch + SIZE), U(0),
                                U(f->scratch + RESULTS), U(0)),
                         own ? 0 : 1317);
    }
    assert_int_equal(quad(f, f->scratch + RESULTS + 16), f->k->xam.xuid);
    assert_int_equal(*at(f, f->scratch + RESULTS + 8 + 0x18), 4); /* a text */
}

static void reading_may_be_overlapped(void **state)
{
    fixture *f = *state;
    uint32_t o = f->scratch + OUT;
    set_word(f, f->scratch + IDS, VIBRATION);
    set_word(f, f->scratch + SIZE, 48);
    assert_int_equal(invoke(f, ex_XamUserReadProfileSettings, 9, U(0), U(0), U(0), U(0), U(1),
                            U(f->scratch + IDS), U(f->scratch + SIZE), U(f->scratch + RESULTS),
                            U(o)),
                     997);
    assert_int_equal(word(f, f->scratch + RESULTS), 0);
    pass(f, 10 * MS);
    assert_int_equal(word(f, o), 0);
    assert_int_equal(word(f, f->scratch + RESULTS), 1);
}

/* ---- contexts, achievements --------------------------------------------------------------------
 */

static uint32_t message(fixture *f, uint32_t number)
{
    return (uint32_t)invoke(f, ex_XMsgInProcessCall, 4, U(0xFB), U(number), U(f->scratch + IDS),
                            U(24));
}

/* XGIUserSetContextEx {user, .., id @0x10, value @0x14} and XGIUserGetContext {.., address @0x10}. */
static void contexts_are_kept(void **state)
{
    fixture *f = *state;
    uint32_t b = f->scratch + IDS, context = f->scratch + OUT;
    for (uint32_t i = 0; i < 65; i++) {
        set_word(f, b + 0x10, 100 + i);
        set_word(f, b + 0x14, 7 * i);
        assert_int_equal(message(f, 0xB0006), i < 64 ? 0 : 0x8007000E); /* E_OUTOFMEMORY */
    }
    set_word(f, b + 0x10, 105);
    set_word(f, b + 0x14, 5);
    assert_int_equal(message(f, 0xB0006), 0); /* once more */
    set_word(f, b + 0x10, context);
    set_word(f, context, 105);
    assert_int_equal(message(f, 0xB0041), 0);
    assert_int_equal(word(f, context + 4), 5);
    set_word(f, context, 163);
    message(f, 0xB0041);
    assert_int_equal(word(f, context + 4), 63 * 7);
    assert_int_equal(message(f, 0xB0007), 0);
    set_word(f, b, 1);
    assert_int_equal(message(f, 0xB0006), 0x80070525);
}

/* {count, list of {user, achievement}} */
static void achievements_are_told(void **state)
{
    fixture *f = *state;
    uint32_t b = f->scratch + IDS, list = f->scratch + OUT;
    set_word(f, b, 2);
    set_word(f, b + 4, list);
    set_word(f, list, 0);
    set_word(f, list + 4, 11);
    set_word(f, list + 8, 0);
    set_word(f, list + 12, 12);
    assert_int_equal(message(f, 0xB0008), 0);
    assert_string_equal(f->fake->logged, "achievement 12 earned by user 0");
    set_word(f, list, 3);
    assert_int_equal(message(f, 0xB0008), 0x80070525);
}

/* ---- dialogues, other names --------------------------------------------------------------------
 */

/* XN_SYS_UI (9) with 1 and then 0. */
static void dialogues_come_and_go(void **state)
{
    static const kexport_fn fns[] = {ex_XamShowAchievementsUI, ex_XamShowGamerCardUI,
                                     ex_XamShowGamerCardUIForXUID};
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    uint32_t handle = (uint32_t)invoke(f, ex_XamNotifyCreateListener, 2, U(1), U(0));
    while (invoke(f, ex_XNotifyGetNext, 4, U(handle), U(0), U(out), U(out + 4))) {
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(invoke(f, fns[i], 3, U(0), U(0), U(0)), 0);
        for (int up = 1; up >= 0; up--) {
            assert_int_equal(invoke(f, ex_XNotifyGetNext, 4, U(handle), U(0), U(out), U(out + 4)),
                             1);
            assert_int_equal(word(f, out), 9);
            assert_int_equal(word(f, out + 4), up);
        }
        assert_int_equal(invoke(f, fns[i], 3, U(1), U(0), U(0)), 1317);
        assert_int_equal(invoke(f, fns[i], 3, U(4), U(0), U(0)), 87);
    }
}

/* ERROR_FUNCTION_FAILED is 1627; ERROR_NOT_FOUND 1168. */
static void what_needs_live_fails(void **state)
{
    static const kexport_fn fns[] = {ex_XamShowFriendsUI,
                                     ex_XamShowMessagesUI,
                                     ex_XamShowPlayersUI,
                                     ex_XamShowPlayerReviewUI,
                                     ex_XamShowMarketplaceUI,
                                     ex_XamShowMarketplaceDownloadItemsUI,
                                     ex_XamShowMessageComposeUI,
                                     ex_XamShowGameInviteUI,
                                     ex_XamShowFriendRequestUI,
                                     ex_XamShowCustomPlayerListUI,
                                     ex_XamShowCustomMessageComposeUI};
    fixture *f = *state;
    for (size_t i = 0; i < sizeof fns / sizeof fns[0]; i++) {
        assert_int_equal(invoke(f, fns[i], 3, U(0), U(0), U(0)), 1627);
    }
    assert_int_equal(
        invoke(f, ex_XamReadTileToTexture, 8, U(0), U(0), U(1), U(0), U(0), U(0), U(0), U(0)),
        1168);
}

static void users_are_found_by_xuid(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    set_word(f, out, 9);
    assert_int_equal(invoke(f, ex_XamUserGetIndexFromXUID, 3, f->k->xam.xuid, U(0), U(out)), 0);
    assert_int_equal(word(f, out), 0);
    assert_int_equal((uint32_t)invoke(f, ex_XamUserGetIndexFromXUID, 3, U(5), U(0), U(out)),
                     0x80070525);
    assert_int_equal(invoke(f, ex_XamUserGetUserIndexMask, 0), 1);
    invoke(f, ex_XamUserLogon, 3, U(f->scratch + IDS), U(0), U(0)); /* out */
    assert_int_equal(invoke(f, ex_XamUserGetUserIndexMask, 0), 0);
    assert_int_equal(
        (uint32_t)invoke(f, ex_XamUserGetIndexFromXUID, 3, f->k->xam.xuid, U(0), U(out)),
        0x80070525);
}

static void overlapped_results_by_other_names(void **state)
{
    fixture *f = *state;
    uint32_t o = f->scratch + IDS, out = f->scratch + OUT;
    set_word(f, o + 4, 33);
    set_word(f, o + 24, 0x80070005);
    assert_int_equal(invoke(f, ex_XGetOverlappedResult, 3, U(o), U(out), U(0)), 0);
    assert_int_equal(word(f, out), 33);
    assert_int_equal(invoke(f, ex_XGetOverlappedExtendedError, 1, U(o)), 0x80070005);
    invoke(f, ex_SetLastError, 1, U(77));
    assert_int_equal(invoke(f, ex_XGetOverlappedExtendedError, 1, U(0)), 77);
    assert_int_equal(invoke(f, ex_XMemSet, 3, U(out), U(0x1AB), U(3)), out);
    assert_int_equal(word(f, out), 0xABABAB21); /* of 33 = 0x21 the last byte is left */
    invoke(f, ex_XMemSet, 3, U(0x10), U(0), U(0));
    assert_false(f->call.faulted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_gamertags),
        TEST(user_0_is_signed_in_here),
        TEST(the_xuid_is_offline),
        TEST(the_name_is_cut_to_fit),
        TEST(nothing_is_online_or_restricted),
        TEST(signing_out_and_in_is_told),
        TEST(the_dialogue_signs_in),
        cmocka_unit_test_setup_teardown(without_a_profile_nobody_signs_in, setup_none, teardown),
        TEST(there_are_no_achievements),
        TEST(profiles_are_listed),
        TEST(a_fresh_profile_has_defaults),
        TEST(numbers_are_kept),
        TEST(blocks_are_kept),
        TEST(blocks_are_each_titles_own),
        TEST(what_does_not_fit_is_refused),
        TEST(others_have_no_settings),
        TEST(reading_may_be_overlapped),
        TEST(contexts_are_kept),
        TEST(achievements_are_told),
        TEST(dialogues_come_and_go),
        TEST(what_needs_live_fails),
        TEST(users_are_found_by_xuid),
        TEST(overlapped_results_by_other_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
