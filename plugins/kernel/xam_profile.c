/* A profile's settings: numbers with defaults, texts, and the three blocks that each title has for
 * itself. What was written lies on the storage device (xam_storage.h).
 *
 * An id is type << 28 | size << 16 | number; numbers from 0x3F00 on are the title's own. A result is
 * {count, address of settings} and 40 bytes each: source @0, user @8 (or XUID, 8 bytes), id @0x10,
 * type u8 @0x18, value @0x20, which of texts and blocks is {size, address of a copy behind all} (xenia
 * src/xenia/kernel/xam/user_profile.h; ids: XPROFILE_* of the XDK, as py360 lists them). */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"
#include "xam_storage.h"

#define SETTINGS_MOST 32
#define RESULT_HEADER 8
#define SETTING_SIZE  40
#define SETTING_USER  8
#define SETTING_ID    0x10
#define SETTING_TYPE  0x18
#define SETTING_VALUE 0x20
#define VALUE_MOST    0xFFF /* what an id's 12 bits of size can say */

enum { TYPE_INT32 = 1, TYPE_INT64, TYPE_DOUBLE, TYPE_TEXT, TYPE_FLOAT, TYPE_BINARY, TYPE_TIME };
enum { SOURCE_NONE, SOURCE_DEFAULT, SOURCE_TITLE }; /* XSOURCE_NO_VALUE, _DEFAULT, _TITLE */

/* Settings that a fresh profile has, all of 32 bits. */
static const struct {
    uint32_t id, value;
    const char *name;
} defaults[] = {
    {0x10040002, 0, "Y axis inversion"},
    {0x10040003, 3, "controller vibration"},
    {0x10040004, 0, "gamercard zone"},
    {0x10040005, 0, "gamercard region"},
    {0x10040006, 0, "gamerscore"},
    {0x5004000B, 0, "reputation"},
    {0x1004000C, 0, "voice muted"},
    {0x1004000D, 0, "voice through speakers"},
    {0x1004000E, 100, "voice volume"},
    {0x10040012, 0, "titles played"},
    {0x10040013, 0, "achievements earned"},
    {0x10040015, 0, "difficulty"},
    {0x10040018, 0, "control sensitivity"},
    {0x1004001D, 0, "first preferred colour: none"},
    {0x1004001E, 0, "second preferred colour: none"},
    {0x10040022, 1, "action: auto aim"},
    {0x10040023, 0, "action: auto centre"},
    {0x10040024, 0, "action: movement control"},
    {0x10040026, 0, "race: transmission"},
    {0x10040027, 0, "race: camera location"},
    {0x10040028, 0, "race: brake control"},
    {0x10040029, 0, "race: accelerator control"},
    {0x10040038, 0, "gamerscore in this title"},
    {0x10040039, 0, "achievements in this title"},
};

static uint32_t type_of(uint32_t id)
{
    return id >> 28;
}

static bool is_block(uint32_t id)
{
    return type_of(id) == TYPE_TEXT || type_of(id) == TYPE_BINARY;
}

static bool is_titles(uint32_t id)
{
    return (id & 0x3F00) == 0x3F00;
}

/* Bytes of a value: of a text or block the most that it may have. */
static uint32_t value_size(uint32_t id)
{
    switch (type_of(id)) {
    case TYPE_INT32:
    case TYPE_FLOAT:
        return 4;
    case TYPE_INT64:
    case TYPE_DOUBLE:
    case TYPE_TIME:
        return 8;
    case TYPE_TEXT:
    case TYPE_BINARY:
        return id >> 16 & VALUE_MOST;
    default:
        return 0;
    }
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* A request to read: who asks about whom, and the ids. */
typedef struct reading {
    uint64_t xuid;
    uint32_t user, title, results, count;
    bool by_xuid;
    uint32_t ids[SETTINGS_MOST];
} reading;

/* The value of a setting, *size of it; its source. */
static uint32_t value_of(kernel *k, const reading *q, uint32_t id, uint8_t *value, uint32_t *size)
{
    uint32_t title = is_titles(id) ? q->title : 0;
    if (kprofile_read(k, q->xuid, title, id, value, value_size(id), size)) {
        bool whole = is_block(id) || *size == value_size(id);
        return whole ? SOURCE_TITLE : SOURCE_NONE;
    }
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        if (defaults[i].id == id) {
            weft_store32(value, defaults[i].value);
            *size = 4;
            return SOURCE_DEFAULT;
        }
    }
    *size = 0;
    return SOURCE_NONE;
}

static uint32_t settings_size(const uint32_t *ids, uint32_t count, uint32_t users)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        size += SETTING_SIZE + (is_block(ids[i]) ? value_size(ids[i]) : 0);
    }
    return RESULT_HEADER + size * (users ? users : 1);
}

static void settings_read(kernel *k, kxam_request *r)
{
    const reading *q = r->more;
    uint32_t bytes = settings_size(q->ids, q->count, 1);
    uint8_t *p = kxam_memory(k, q->results, bytes, WEFT_PAGE_WRITE);
    r->result = r->extended = p ? X_ERROR_SUCCESS : X_ERROR_INVALID_PARAMETER;
    if (!p) {
        return;
    }
    uint32_t behind = RESULT_HEADER + q->count * SETTING_SIZE;
    memset(p, 0, bytes);
    weft_store32(p, q->count);
    weft_store32(p + 4, q->results + RESULT_HEADER);
    for (uint32_t i = 0; i < q->count; i++) {
        uint8_t value[VALUE_MOST + 1], *s = p + RESULT_HEADER + i * SETTING_SIZE;
        uint32_t size, id = q->ids[i];
        weft_store32(s, value_of(k, q, id, value, &size));
        if (q->by_xuid) {
            weft_store64(s + SETTING_USER, q->xuid);
        } else {
            weft_store32(s + SETTING_USER, q->user);
        }
        weft_store32(s + SETTING_ID, id);
        s[SETTING_TYPE] = (uint8_t)type_of(id);
        if (is_block(id)) {
            weft_store32(s + SETTING_VALUE, size);
            weft_store32(s + SETTING_VALUE + 4, size ? q->results + behind : 0);
            memcpy(p + behind, value, size);
            behind += size;
        } else {
            memcpy(s + SETTING_VALUE, value, size);
        }
    }
    kwritten(k, q->results, bytes);
}

/* Whose settings are meant; else why there are none. */
static uint32_t find_reader(kcall *call, reading *q)
{
    uint32_t users = karg(call, 2), error;
    q->user = karg(call, 1);
    q->by_xuid = users != 0;
    uint32_t asker = q->by_xuid ? XUSER_ANY : q->user;
    if (!kxam_user(call->k, asker, &q->xuid, &error)) {
        return error;
    }
    bool own = !q->by_xuid || (users == 1 && kget64(call, karg(call, 3)) == q->xuid);
    return own && q->xuid ? X_ERROR_SUCCESS : X_ERROR_NO_SUCH_USER;
}

/* (title, user, XUID count, XUIDs, setting count, settings, size, results, overlapped): 0 of size asks
 * for it. */
static uint32_t read_settings(kcall *call, uint32_t results, uint32_t overlapped)
{
    kernel *k = call->k;
    uint32_t users = karg(call, 2), count = karg(call, 4), ids = karg(call, 5);
    uint32_t size = karg(call, 6);
    reading q = {.results = results, .count = count};
    if (count < 1 || count > SETTINGS_MOST || !size || users > 32) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    for (uint32_t i = 0; i < count; i++) {
        q.ids[i] = kget32(call, ids + 4 * i);
    }
    uint32_t room = kget32(call, size), needed = settings_size(q.ids, count, users);
    if (room && !results) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    if (room < needed) {
        if (room == 0) {
            kput32(call, size, needed);
        }
        return kret(call, X_ERROR_INSUFFICIENT_BUFFER);
    }
    uint32_t result = find_reader(call, &q);
    if (call->faulted) {
        return K_DONE;
    }
    q.title = karg(call, 0) ? karg(call, 0) : kxam_title_id(k);
    reading *more = result == X_ERROR_SUCCESS ? malloc(sizeof *more) : NULL;
    if (more) {
        *more = q;
    } else if (result == X_ERROR_SUCCESS) {
        result = X_ERROR_FUNCTION_FAILED;
    }
    return kxam_begin(call, overlapped, k->machine->io_cost,
                      &(kxam_request){
                          .fn = more ? settings_read : NULL,
                          .more = more,
                          .result = result,
                          .extended = X_HRESULT(result),
                      });
}

uint32_t ex_XamUserReadProfileSettings(kcall *call)
{
    return read_settings(call, karg(call, 7), karg(call, 8));
}

/* One more argument before the results, 0 where it was seen. */
uint32_t ex_XamUserReadProfileSettingsEx(kcall *call)
{
    return read_settings(call, karg(call, 8), karg(call, 9));
}

/* ---- writing -----------------------------------------------------------------------------------
 */

typedef struct writing {
    uint64_t xuid;
    uint32_t title, count;
    struct {
        uint32_t id, size;
        uint8_t value[VALUE_MOST + 1];
    } settings[];
} writing;

static void settings_written(kernel *k, kxam_request *r)
{
    const writing *q = r->more;
    r->result = X_ERROR_SUCCESS;
    for (uint32_t i = 0; i < q->count && r->result == X_ERROR_SUCCESS; i++) {
        uint32_t id = q->settings[i].id, title = is_titles(id) ? q->title : 0;
        r->result =
            kprofile_write(k, q->xuid, title, id, q->settings[i].value, q->settings[i].size);
    }
    r->extended = X_HRESULT(r->result);
}

/* Copies one setting out of the guest's; false: its value is not of its id's type or size. */
static bool take_setting(kcall *call, uint32_t at, writing *q, uint32_t i)
{
    uint32_t id = kget32(call, at + SETTING_ID), size = value_size(id);
    uint32_t from = at + SETTING_VALUE;
    if (kget8(call, at + SETTING_TYPE) != type_of(id) || size == 0) {
        return false;
    }
    if (is_block(id)) {
        uint32_t most = size;
        size = kget32(call, from);
        from = kget32(call, from + 4);
        if (size > most) {
            return false;
        }
    }
    const void *bytes = size && from ? kread(call, from, size) : NULL;
    q->settings[i].id = id;
    q->settings[i].size = size;
    if (bytes) { /* a block from nowhere is zeros (xenia) */
        memcpy(q->settings[i].value, bytes, size);
    }
    return true;
}

/* (title, user, count, settings, overlapped) */
uint32_t ex_XamUserWriteProfileSettings(kcall *call)
{
    kernel *k = call->k;
    uint32_t user = karg(call, 1), count = karg(call, 2), settings = karg(call, 3), result;
    uint64_t xuid;
    if (!count || !settings || count > SETTINGS_MOST) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    writing *q = NULL;
    if (user >= XUSER_COUNT) {
        result = X_ERROR_INVALID_PARAMETER;
    } else if (kxam_user(k, user, &xuid, &result)) {
        q = calloc(1, sizeof *q + count * sizeof q->settings[0]);
        result = q ? X_ERROR_SUCCESS : X_ERROR_FUNCTION_FAILED;
    }
    if (q) {
        *q = (writing){
            .xuid = xuid,
            .title = karg(call, 0) ? karg(call, 0) : kxam_title_id(k),
            .count = count,
        };
        for (uint32_t i = 0; i < count && result == X_ERROR_SUCCESS; i++) {
            bool good = take_setting(call, settings + i * SETTING_SIZE, q, i);
            result = good ? X_ERROR_SUCCESS : X_ERROR_INVALID_PARAMETER;
        }
    }
    if (call->faulted) {
        free(q);
        return K_DONE;
    }
    return kxam_begin(call, karg(call, 4), k->machine->io_cost,
                      &(kxam_request){
                          .fn = result == X_ERROR_SUCCESS ? settings_written : NULL,
                          .more = q,
                          .result = result,
                          .extended = X_HRESULT(result),
                      });
}
