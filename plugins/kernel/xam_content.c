/* Content: packages that are made, mounted, listed and deleted on the storage device (xam_storage.h),
 * and what that device is. Arguments and structures: xenia src/xenia/kernel/xam/xam_content.cc and
 * xam_content_device.cc. */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "vfs.h"
#include "xam.h"
#include "xam_storage.h"

/* XDEVICE_DATA: id @0, type @4, bytes u64 @8, free u64 @0x10, name UTF-16 [28] @0x18. */
#define DEVICE_DATA_SIZE  0x50
#define DEVICE_NAME       0x18
#define DEVICE_NAME_UNITS 28
#define DEVICE_HARD_DISK  1 /* XCONTENTDEVICETYPE_HDD */

#define FLAG_NO_COMMON UINT32_C(0x1000) /* XCONTENTFLAG_ENUM_EXCLUDECOMMON */
#define THUMBNAIL_MOST UINT32_C(0x100000)
#define ROOT_BYTES     64
#define PATH_BYTES     256

static const char device_name[] = "Hard Drive";

/* ---- the device --------------------------------------------------------------------------------
 */

static void put_device(kernel *k, uint8_t *p)
{
    uint64_t total, left;
    kstorage_size(k, &total, &left);
    memset(p, 0, DEVICE_DATA_SIZE);
    weft_store32(p, KSTORAGE_DEVICE);
    weft_store32(p + 4, DEVICE_HARD_DISK);
    weft_store64(p + 8, total);
    weft_store64(p + 0x10, left);
    kxam_put_wide(p + DEVICE_NAME, DEVICE_NAME_UNITS, device_name);
}

static uint32_t fail(kcall *call, uint32_t result, uint32_t overlapped)
{
    return kxam_begin(call, overlapped, call->k->machine->io_cost,
                      &(kxam_request){.result = result, .extended = X_HRESULT(result)});
}

/* (device, name out, its characters) */
uint32_t ex_XamContentGetDeviceName(kcall *call)
{
    uint32_t room = karg(call, 2), units = sizeof device_name;
    if (karg(call, 0) != KSTORAGE_DEVICE) {
        return kret(call, X_ERROR_DEVICE_NOT_CONNECTED);
    }
    if (room < units) {
        return kret(call, X_ERROR_INSUFFICIENT_BUFFER);
    }
    uint8_t *p = kwrite(call, karg(call, 1), 2 * units);
    if (p) {
        kxam_put_wide(p, units, device_name);
        kwritten(call->k, karg(call, 1), 2 * units);
    }
    return kret(call, X_ERROR_SUCCESS);
}

uint32_t ex_XamContentGetDeviceData(kcall *call)
{
    if (karg(call, 0) != KSTORAGE_DEVICE) {
        return kret(call, X_ERROR_DEVICE_NOT_CONNECTED);
    }
    uint8_t *p = kwrite(call, karg(call, 1), DEVICE_DATA_SIZE);
    if (p) {
        put_device(call->k, p);
        kwritten(call->k, karg(call, 1), DEVICE_DATA_SIZE);
    }
    return kret(call, X_ERROR_SUCCESS);
}

uint32_t ex_XamContentGetDeviceState(kcall *call)
{
    bool there = karg(call, 0) == KSTORAGE_DEVICE;
    return fail(call, there ? X_ERROR_SUCCESS : X_ERROR_DEVICE_NOT_CONNECTED, karg(call, 1));
}

/* (device, path out, its size): where the device's volume is mounted. */
uint32_t ex_XamContentGetDeviceVolumePath(kcall *call)
{
    static const char path[] = "\\CONTENT";
    if (karg(call, 0) != KSTORAGE_DEVICE) {
        return kret(call, X_ERROR_DEVICE_NOT_CONNECTED);
    }
    if (karg(call, 2) < sizeof path) {
        return kret(call, X_ERROR_INSUFFICIENT_BUFFER);
    }
    void *p = kwrite(call, karg(call, 1), sizeof path);
    if (p) {
        memcpy(p, path, sizeof path);
        kwritten(call->k, karg(call, 1), sizeof path);
    }
    return kret(call, X_ERROR_SUCCESS);
}

static void device_selected(kernel *k, kxam_request *r)
{
    uint8_t *p = kxam_memory(k, r->data[0], 4, WEFT_PAGE_WRITE);
    if (p) {
        weft_store32(p, KSTORAGE_DEVICE);
        kwritten(k, r->data[0], 4);
    }
    r->result = r->extended = p ? X_ERROR_SUCCESS : X_ERROR_INVALID_PARAMETER;
}

/* (user, type, flags, bytes wanted, device out, overlapped): the user takes the only one there is. */
uint32_t ex_XamShowDeviceSelectorUI(kcall *call)
{
    if (!karg(call, 4) || !kwrite(call, karg(call, 4), 4)) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    return kxam_begin_ui(call, karg(call, 5),
                         &(kxam_request){.fn = device_selected, .data = {karg(call, 4)}});
}

/* ---- lists -------------------------------------------------------------------------------------
 */

/* (types, flags, items a call, buffer size out, handle out) */
uint32_t ex_XamContentCreateDeviceEnumerator(kcall *call)
{
    uint32_t items = karg(call, 2), size_out = karg(call, 3), out = karg(call, 4);
    if (!out || !kwrite(call, out, 4)) {
        return kret_status(call, X_E_INVALIDARG);
    }
    if (size_out) {
        kput32(call, size_out, items * DEVICE_DATA_SIZE);
    }
    uint8_t *device = malloc(DEVICE_DATA_SIZE);
    if (device) {
        put_device(call->k, device);
    }
    uint32_t handle = device ? kxam_list_open(call, DEVICE_DATA_SIZE, items, 1, device) : 0;
    kput32(call, out, handle);
    return kret_status(call, handle ? X_ERROR_SUCCESS : X_E_OUTOFMEMORY);
}

/* (user, device, type, flags, items a call, buffer size out, handle out): what the user has of a
 * type, and then what everybody has. */
uint32_t ex_XamContentCreateEnumerator(kcall *call)
{
    kernel *k = call->k;
    uint32_t device = karg(call, 1), type = karg(call, 2), items = karg(call, 4);
    uint32_t size_out = karg(call, 5), out = karg(call, 6), error, count = 0;
    uint64_t xuid;
    uint8_t *list = NULL;
    if (device > KSTORAGE_DEVICE || !out) {
        if (size_out) {
            kput32(call, size_out, 0);
        }
        return kret_status(call, X_E_INVALIDARG);
    }
    if (size_out) {
        kput32(call, size_out, items * KCONTENT_DATA_SIZE);
    }
    if (!kxam_user(k, karg(call, 0), &xuid, &error)) {
        return kret(call, error);
    }
    if (!kwrite(call, out, 4)) {
        return kret_status(call, X_E_INVALIDARG);
    }
    uint32_t title = kxam_title_id(k);
    bool good = kcontent_list(k, xuid, title, type, &list, &count);
    if (good && xuid && !(karg(call, 3) & FLAG_NO_COMMON)) {
        good = kcontent_list(k, 0, title, type, &list, &count);
    }
    if (!good) {
        free(list);
        return kret_status(call, X_E_OUTOFMEMORY);
    }
    uint32_t handle = kxam_list_open(call, KCONTENT_DATA_SIZE, items, count, list);
    kput32(call, out, handle);
    return kret_status(call, handle ? X_ERROR_SUCCESS : X_E_OUTOFMEMORY);
}

/* ---- packages ----------------------------------------------------------------------------------
 */

/* An operation on a package, on its way: what it needs of the call. */
typedef struct kcontent_request {
    kcontent content;
    char root[ROOT_BYTES];
    uint32_t flags, disposition_out, license_out;
    uint32_t bytes, size; /* of a thumbnail */
    uint32_t size_out;
    uint64_t xuid; /* of who asks */
    uint8_t thumbnail[];
} kcontent_request;

static void done(kxam_request *r, uint32_t result)
{
    r->result = result;
    r->extended = X_HRESULT(result);
}

static void put_out(kernel *k, uint32_t address, uint32_t value)
{
    uint8_t *p = kxam_memory(k, address, 4, WEFT_PAGE_WRITE);
    if (p) {
        weft_store32(p, value);
        kwritten(k, address, 4);
    }
}

/* The package that XCONTENT_DATA at `data` means to a user; the call's answer where there is none. A
 * package that the user has not is looked for among everybody's. */
static kcontent_request *ask(kcall *call, uint32_t user, uint32_t data, uint32_t more,
                             uint32_t *error)
{
    kernel *k = call->k;
    uint64_t xuid;
    const uint8_t *bytes = kread(call, data, KCONTENT_DATA_SIZE);
    *error = X_ERROR_INVALID_PARAMETER;
    if (!bytes || !kxam_user(k, user, &xuid, error)) {
        return NULL;
    }
    kcontent_request *q = calloc(1, sizeof *q + more);
    if (!q) {
        *error = X_ERROR_FUNCTION_FAILED;
        return NULL;
    }
    *error = kcontent_parse(bytes, xuid, kxam_title_id(k), &q->content);
    if (*error != X_ERROR_SUCCESS) {
        free(q);
        return NULL;
    }
    q->xuid = xuid;
    kcontent common = q->content;
    common.xuid = 0;
    if (xuid && !kcontent_exists(k, &q->content) && kcontent_exists(k, &common)) {
        q->content = common;
    }
    return q;
}

static uint32_t begin(kcall *call, uint32_t overlapped, kcontent_request *q,
                      void (*fn)(kernel *, kxam_request *))
{
    if (call->faulted) {
        free(q);
        return K_DONE;
    }
    if (!overlapped) { /* the caller waits for the disk */
        kcharge(call->k, call->k->machine->io_cost);
    }
    return kxam_begin(call, overlapped, call->k->machine->io_cost,
                      &(kxam_request){.fn = fn, .more = q});
}

/* XContentCreate's dispositions, flags & 15 (the same as CreateFile's), and what it did. */
enum { CREATE_NEW = 1, CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS, TRUNCATE_EXISTING };
enum { DID_NOTHING, DID_CREATE, DID_OPEN };

static uint32_t create_or_open(kernel *k, kcontent_request *q, uint32_t *did)
{
    uint32_t how = q->flags & 15, result = X_ERROR_SUCCESS;
    bool there = kcontent_exists(k, &q->content);
    *did = DID_NOTHING;
    if (how < CREATE_NEW || how > TRUNCATE_EXISTING) {
        return X_ERROR_INVALID_PARAMETER;
    }
    if (there && how == CREATE_NEW) {
        return X_ERROR_ALREADY_EXISTS;
    }
    if (!there && (how == OPEN_EXISTING || how == TRUNCATE_EXISTING)) {
        return X_ERROR_PATH_NOT_FOUND;
    }
    if (kcontent_mounted(k, q->root)) {
        return X_ERROR_ALREADY_EXISTS;
    }
    if (there && (how == CREATE_ALWAYS || how == TRUNCATE_EXISTING)) {
        result = kcontent_delete(k, &q->content);
        there = false;
    }
    if (result == X_ERROR_SUCCESS && !there) {
        result = kcontent_create(k, &q->content);
        *did = DID_CREATE;
    } else {
        *did = DID_OPEN;
    }
    return result == X_ERROR_SUCCESS ? kcontent_mount(k, q->root, &q->content) : result;
}

static void created(kernel *k, kxam_request *r)
{
    kcontent_request *q = r->more;
    uint32_t did;
    done(r, create_or_open(k, q, &did));
    did = r->result == X_ERROR_SUCCESS ? did : DID_NOTHING;
    put_out(k, q->disposition_out, did);
    if (r->result == X_ERROR_SUCCESS) {
        put_out(k, q->license_out, 0); /* no licence is held */
    }
    r->length = did;
}

static uint32_t create(kcall *call, uint32_t overlapped)
{
    uint32_t error, disposition = karg(call, 4), license = karg(call, 5);
    if ((disposition && !kwrite(call, disposition, 4)) || (license && !kwrite(call, license, 4))) {
        return K_DONE;
    }
    if (disposition) {
        kput32(call, disposition, DID_NOTHING);
    }
    kcontent_request *q = ask(call, karg(call, 0), karg(call, 2), 0, &error);
    if (!q) {
        return fail(call, error, overlapped);
    }
    if ((karg(call, 3) & 15) == CREATE_NEW) {
        q->content.xuid = q->xuid; /* everybody's is none of the user's own */
    }
    kget_string(call, karg(call, 1), q->root, sizeof q->root);
    q->flags = karg(call, 3);
    q->disposition_out = disposition;
    q->license_out = license;
    return begin(call, overlapped, q, created);
}

/* (user, root, data, flags, disposition out, license mask out, overlapped) */
uint32_t ex_XamContentCreate(kcall *call)
{
    return create(call, karg(call, 6));
}

/* (user, root, data, flags, disposition out, license mask out, cache size, content size, overlapped)
 */
uint32_t ex_XamContentCreateEx(kcall *call)
{
    return create(call, karg(call, 8));
}

static void closed(kernel *k, kxam_request *r)
{
    const kcontent_request *q = r->more;
    done(r, kcontent_unmount(k, q->root));
}

static void flushed(kernel *k, kxam_request *r)
{
    const kcontent_request *q = r->more; /* files are written back when they are closed */
    done(r, kcontent_mounted(k, q->root) ? X_ERROR_SUCCESS : X_ERROR_PATH_NOT_FOUND);
}

static uint32_t on_root(kcall *call, void (*fn)(kernel *, kxam_request *))
{
    kcontent_request *q = calloc(1, sizeof *q);
    if (!q) {
        return fail(call, X_ERROR_FUNCTION_FAILED, karg(call, 1));
    }
    if (karg(call, 0)) {
        kget_string(call, karg(call, 0), q->root, sizeof q->root);
    }
    return begin(call, karg(call, 1), q, fn);
}

/* (root, overlapped) */
uint32_t ex_XamContentClose(kcall *call)
{
    return on_root(call, closed);
}

uint32_t ex_XamContentFlush(kcall *call)
{
    return on_root(call, flushed);
}

static void deleted(kernel *k, kxam_request *r)
{
    const kcontent_request *q = r->more;
    done(r, kcontent_delete(k, &q->content));
}

/* (user, data, overlapped) */
uint32_t ex_XamContentDelete(kcall *call)
{
    uint32_t error;
    kcontent_request *q = ask(call, karg(call, 0), karg(call, 1), 0, &error);
    return q ? begin(call, karg(call, 2), q, deleted) : fail(call, error, karg(call, 2));
}

static void creator_found(kernel *k, kxam_request *r)
{
    const kcontent_request *q = r->more;
    uint64_t creator = kcontent_creator(k, &q->content);
    bool there = kcontent_exists(k, &q->content);
    bool saved = q->content.type == KCONTENT_SAVED_GAME;
    put_out(k, q->disposition_out, there && saved && creator == q->xuid);
    uint8_t *p = there ? kxam_memory(k, q->size_out, 8, WEFT_PAGE_WRITE) : NULL;
    if (p) {
        weft_store64(p, saved ? creator : 0);
        kwritten(k, q->size_out, 8);
    }
    done(r, there ? X_ERROR_SUCCESS : X_ERROR_PATH_NOT_FOUND);
}

/* (user, data, is creator out, XUID out, overlapped): of saved games; other content has none. */
uint32_t ex_XamContentGetCreator(kcall *call)
{
    uint32_t error;
    kcontent_request *q = ask(call, karg(call, 0), karg(call, 1), 0, &error);
    if (!q) {
        return fail(call, error, karg(call, 4));
    }
    q->disposition_out = karg(call, 2);
    q->size_out = karg(call, 3);
    return begin(call, karg(call, 4), q, creator_found);
}

static void thumbnail_read(kernel *k, kxam_request *r)
{
    kcontent_request *q = r->more;
    uint32_t size = 0, room = q->bytes ? q->size : 0;
    uint8_t *p = room ? kxam_memory(k, q->bytes, room, WEFT_PAGE_WRITE) : NULL;
    uint32_t result = room && !p ? X_ERROR_INVALID_PARAMETER
                                 : kcontent_thumbnail_get(k, &q->content, p, room, &size);
    if (p) {
        kwritten(k, q->bytes, room);
    }
    put_out(k, q->size_out, size);
    done(r, result == X_ERROR_SUCCESS && q->bytes && size > room ? X_ERROR_INSUFFICIENT_BUFFER
                                                                 : result);
}

/* (user, data, picture out, its size in and out, overlapped); no picture asks for the size. */
uint32_t ex_XamContentGetThumbnail(kcall *call)
{
    uint32_t error, size_at = karg(call, 3), room = kget32(call, size_at);
    kcontent_request *q = ask(call, karg(call, 0), karg(call, 1), 0, &error);
    if (!q) {
        return fail(call, error, karg(call, 4));
    }
    q->bytes = karg(call, 2);
    q->size = room < THUMBNAIL_MOST ? room : THUMBNAIL_MOST;
    q->size_out = size_at;
    return begin(call, karg(call, 4), q, thumbnail_read);
}

static void thumbnail_written(kernel *k, kxam_request *r)
{
    kcontent_request *q = r->more;
    done(r, kcontent_thumbnail_set(k, &q->content, q->thumbnail, q->size));
}

/* (user, data, picture, its size, overlapped) */
uint32_t ex_XamContentSetThumbnail(kcall *call)
{
    uint32_t error = X_ERROR_INVALID_PARAMETER, size = karg(call, 3);
    const void *picture = size && size <= THUMBNAIL_MOST ? kread(call, karg(call, 2), size) : NULL;
    kcontent_request *q = picture ? ask(call, karg(call, 0), karg(call, 1), size, &error) : NULL;
    if (!q) {
        return fail(call, error, karg(call, 4));
    }
    memcpy(q->thumbnail, picture, size);
    q->size = size;
    return begin(call, karg(call, 4), q, thumbnail_written);
}

/* (user, data, path out, its size): where a package lies. */
uint32_t ex_XamContentResolve(kcall *call)
{
    uint32_t error, room = karg(call, 3);
    char path[PATH_BYTES];
    kcontent_request *q = ask(call, karg(call, 0), karg(call, 1), 0, &error);
    if (!q) {
        return kret(call, error);
    }
    bool there = kcontent_exists(call->k, &q->content);
    kcontent_path(&q->content, path, sizeof path);
    free(q);
    uint32_t size = (uint32_t)strlen(path) + 1;
    if (!there) {
        return kret(call, X_ERROR_NOT_FOUND);
    }
    if (room < size) {
        return kret(call, X_ERROR_INSUFFICIENT_BUFFER);
    }
    void *p = kwrite(call, karg(call, 2), size);
    if (p) {
        memcpy(p, path, size);
        kwritten(call->k, karg(call, 2), size);
    }
    return kret(call, X_ERROR_SUCCESS);
}

/* (user, root, file, flags, cache size, license mask out, overlapped): mounts an STFS file, of which
 * none can be read. */
uint32_t ex_XamContentOpenFile(kcall *call)
{
    char path[VFS_PATH_MAX];
    vfs_info info;
    kget_string(call, karg(call, 2), path, sizeof path);
    bool there = !call->faulted && vfs_query(call->k->vfs, NULL, path, &info) == STATUS_SUCCESS;
    return fail(call, there ? X_ERROR_NOT_SUPPORTED : X_ERROR_FILE_NOT_FOUND, karg(call, 6));
}

/* Bit n: the n-th license is held. A title that came from a folder or a disc holds none. */
uint32_t ex_XamContentGetLicenseMask(kcall *call)
{
    kput32(call, karg(call, 0), 0);
    return fail(call, X_ERROR_SUCCESS, karg(call, 1));
}
