/* Messages to XAM's applications, and overlapped operations seen from their caller (arguments: xenia
 * src/xenia/kernel/xam/xam_msg.cc and apps/). The applications know no session and no music, and of a
 * user that is signed in contexts alone. */
#include <stdio.h>

#include "exports.h"
#include "xam.h"

#define X_E_FAIL          UINT32_C(0x80004005)
#define IO_INCOMPLETE     UINT32_C(996) /* [MS-ERREF] 2.2 */
#define OVERLAPPED_LENGTH 4
#define OVERLAPPED_EVENT  12
#define APP_MUSIC         UINT32_C(0xFA)
#define APP_GAMES         UINT32_C(0xFB)
#define APP_LIVE          UINT32_C(0xFC)
#define APP_SYSTEM        UINT32_C(0xFE)
#define MUSIC_STATUS      UINT32_C(0x00070009) /* XMPGetStatus {client, state out} */
#define MUSIC_IDLE        0

/* What games ask of a user. The first word is the user, but for achievements: {count, list of {user,
 * achievement}}. Contexts are {user, 12 bytes, id @0x10, value @0x14}, when they are asked for
 * {user, 12 bytes, address of {id, value} @0x10}. */
#define GAMES_SET_CONTEXT  UINT32_C(0x000B0006)
#define GAMES_SET_PROPERTY UINT32_C(0x000B0007)
#define GAMES_ACHIEVEMENTS UINT32_C(0x000B0008)
#define GAMES_GET_CONTEXT  UINT32_C(0x000B0041)
#define CONTEXT_ID         0x10
#define CONTEXT_VALUE      0x14
#define ACHIEVEMENTS_MOST  256

static bool signed_in(const kernel *k, uint32_t user)
{
    uint64_t xuid;
    uint32_t error;
    return user < XUSER_COUNT && kxam_user(k, user, &xuid, &error);
}

/* The place of a context, or a new one; NULL: there are too many. */
static uint32_t *context_of(kernel *k, uint32_t id)
{
    kxam_state *x = &k->xam;
    for (uint32_t i = 0; i < x->context_count; i++) {
        if (x->contexts[i][0] == id) {
            return &x->contexts[i][1];
        }
    }
    if (x->context_count == KXAM_CONTEXTS) {
        return NULL;
    }
    x->contexts[x->context_count][0] = id;
    x->contexts[x->context_count][1] = 0;
    return &x->contexts[x->context_count++][1];
}

/* They go to the log: no list keeps them. */
static uint32_t achieve(kcall *call, uint32_t count, uint32_t list)
{
    for (uint32_t i = 0; i < count && i < ACHIEVEMENTS_MOST; i++) {
        char line[64];
        uint32_t user = kget32(call, list + 8 * i), id = kget32(call, list + 8 * i + 4);
        if (call->faulted || !signed_in(call->k, user)) {
            return X_E_NO_SUCH_USER;
        }
        snprintf(line, sizeof line, "achievement %u earned by user %u", id, user);
        call->k->host->log(call->k->host, WEFT_LOG_INFO, line);
    }
    return X_ERROR_SUCCESS;
}

static uint32_t ask_games(kcall *call, uint32_t message, uint32_t buffer)
{
    kernel *k = call->k;
    if (message == GAMES_ACHIEVEMENTS && k->xam.signed_in) {
        return achieve(call, kget32(call, buffer), kget32(call, buffer + 4));
    }
    if (message == GAMES_ACHIEVEMENTS || !signed_in(k, kget32(call, buffer))) {
        return X_E_NO_SUCH_USER;
    }
    uint32_t at = kget32(call, buffer + CONTEXT_ID), *value;
    switch (message) {
    case GAMES_SET_CONTEXT:
        value = context_of(k, at);
        if (value) {
            *value = kget32(call, buffer + CONTEXT_VALUE);
        }
        return value ? X_ERROR_SUCCESS : X_E_OUTOFMEMORY;
    case GAMES_GET_CONTEXT:
        value = context_of(k, kget32(call, at));
        kput32(call, at + 4, value ? *value : 0);
        return X_ERROR_SUCCESS;
    default: /* a property: only matchmaking reads them */
        return X_ERROR_SUCCESS;
    }
}

static uint32_t dispatch(kcall *call, uint32_t app, uint32_t message, uint32_t buffer)
{
    if (app == APP_MUSIC && message == MUSIC_STATUS) {
        kput32(call, kget32(call, buffer + 4), MUSIC_IDLE);
        return X_ERROR_SUCCESS;
    }
    if (app == APP_GAMES && ((message >= GAMES_SET_CONTEXT && message <= GAMES_ACHIEVEMENTS) ||
                             message == GAMES_GET_CONTEXT)) {
        return ask_games(call, message, buffer);
    }
    bool known = app == APP_MUSIC || app == APP_GAMES || app == APP_LIVE || app == APP_SYSTEM;
    return known ? X_E_FAIL : X_ERROR_NOT_FOUND;
}

/* (application, message, buffer, its length) */
uint32_t ex_XMsgInProcessCall(kcall *call)
{
    return kret_status(call, dispatch(call, karg(call, 0), karg(call, 1), karg(call, 2)));
}

uint32_t ex_XMsgSystemProcessCall(kcall *call)
{
    return kret_status(call, dispatch(call, karg(call, 0), karg(call, 1), karg(call, 2)));
}

/* (application, message, overlapped, buffer, its length) */
uint32_t ex_XMsgStartIORequest(kcall *call)
{
    uint32_t result = dispatch(call, karg(call, 0), karg(call, 1), karg(call, 3));
    if (result == X_ERROR_NOT_FOUND) {
        klast_error_set(call->thread, X_ERROR_NOT_FOUND);
        result = X_E_INVALIDARG;
    }
    if (!karg(call, 2)) {
        return kret_status(call, result);
    }
    return kxam_begin(call, karg(call, 2), call->k->machine->io_cost,
                      &(kxam_request){.result = result, .extended = result});
}

uint32_t ex_XMsgStartIORequestEx(kcall *call)
{
    return ex_XMsgStartIORequest(call);
}

/* (overlapped, result, extended error, length) */
uint32_t ex_XMsgCompleteIORequest(kcall *call)
{
    kxam_begin(call, karg(call, 0), 0,
               &(kxam_request){
                   .result = karg(call, 1), .extended = karg(call, 2), .length = karg(call, 3)});
    return kret(call, X_ERROR_SUCCESS);
}

/* The event of an operation on its way, NULL: it is over, or has none. */
static kobject *pending_event(kcall *call, uint32_t overlapped)
{
    uint32_t result = kget32(call, overlapped);
    uint32_t handle = kget32(call, overlapped + OVERLAPPED_EVENT);
    return call->faulted || result != X_ERROR_IO_PENDING
               ? NULL
               : khandle_get(call->k, call->thread, handle, KOBJECT_EVENT);
}

static uint32_t cancelled(kcall *call, uint32_t status)
{
    (void)status;
    return kret(call, X_ERROR_SUCCESS);
}

/* (overlapped, wait) */
uint32_t ex_XMsgCancelIORequest(kcall *call)
{
    kobject *event = pending_event(call, karg(call, 0));
    return event && karg(call, 1) ? kwait_objects(call, &event, 1, false, false, NULL, cancelled)
                                  : kret(call, X_ERROR_SUCCESS);
}

static uint32_t give_result(kcall *call, uint32_t overlapped, uint32_t length_out)
{
    uint32_t result = kget32(call, overlapped);
    if (result == X_ERROR_SUCCESS && length_out) {
        kput32(call, length_out, kget32(call, overlapped + OVERLAPPED_LENGTH));
    }
    return kret(call, result == X_ERROR_IO_PENDING ? IO_INCOMPLETE : result);
}

static uint32_t result_waited(kcall *call, uint32_t status)
{
    const uint64_t *data = call->thread->cont_data;
    (void)status;
    return give_result(call, (uint32_t)data[0], (uint32_t)data[1]);
}

/* (overlapped, length out, wait) */
uint32_t ex_XamGetOverlappedResult(kcall *call)
{
    uint32_t overlapped = karg(call, 0), length_out = karg(call, 1);
    kobject *event = pending_event(call, overlapped);
    if (!event || !karg(call, 2)) {
        return give_result(call, overlapped, length_out);
    }
    call->thread->cont_data[0] = overlapped;
    call->thread->cont_data[1] = length_out;
    return kwait_objects(call, &event, 1, false, false, NULL, result_waited);
}
