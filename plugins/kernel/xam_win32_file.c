/* Win32's files among XAM's exports: the kernel's, with GetLastError
 * (learn.microsoft.com/windows/win32/api). Paths have the title's links in front: "game:\file". */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "file.h"
#include "xam.h"

#define INVALID_HANDLE UINT32_C(0xFFFFFFFF)

/* Win32 errors that nothing else here answers ([MS-ERREF] 2.2). */
#define ERROR_WRITE_PROTECT     19
#define ERROR_HANDLE_EOF        38
#define ERROR_FILE_EXISTS       80
#define ERROR_INVALID_NAME      123
#define ERROR_OPERATION_ABORTED 995
#define ERROR_NOACCESS          998

/* CreateFile: dispositions, flags. */
enum { CREATE_NEW = 1, CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS, TRUNCATE_EXISTING };
#define FLAG_OVERLAPPED       UINT32_C(0x40000000)
#define FLAG_DELETE_ON_CLOSE  UINT32_C(0x04000000)
#define FLAG_BACKUP_SEMANTICS UINT32_C(0x02000000) /* folders can be opened too */

/* OVERLAPPED {status @0, bytes @4, offset low @8 and high @0xC, event @0x10}. */
#define OVERLAPPED_SIZE   20
#define OVERLAPPED_OFFSET 8
#define OVERLAPPED_EVENT  16

/* WIN32_FIND_DATAA {attributes @0, three times @4, size high @0x1C and low @0x20, reserved, name[260]
 * @0x2C, short name[14]}; WIN32_FILE_ATTRIBUTE_DATA ends before the reserved words. */
#define FIND_SIZE       0x140
#define FIND_NAME       0x2C
#define ATTRIBUTES_SIZE 0x24

static uint32_t error_of(kstatus status)
{
    switch (status) {
    case STATUS_OBJECT_NAME_NOT_FOUND:
    case STATUS_NO_SUCH_FILE:
        return X_ERROR_FILE_NOT_FOUND;
    case STATUS_OBJECT_PATH_NOT_FOUND:
        return X_ERROR_PATH_NOT_FOUND;
    case STATUS_OBJECT_NAME_COLLISION:
        return X_ERROR_ALREADY_EXISTS;
    case STATUS_OBJECT_NAME_INVALID:
        return ERROR_INVALID_NAME;
    case STATUS_DISK_FULL:
        return X_ERROR_DISK_FULL;
    case STATUS_MEDIA_WRITE_PROTECTED:
        return ERROR_WRITE_PROTECT;
    case STATUS_END_OF_FILE:
        return ERROR_HANDLE_EOF;
    case STATUS_ACCESS_VIOLATION:
        return ERROR_NOACCESS;
    case STATUS_CANCELLED:
        return ERROR_OPERATION_ABORTED;
    case STATUS_INVALID_PARAMETER:
        return X_ERROR_INVALID_PARAMETER;
    default:
        return X_ERROR_ACCESS_DENIED;
    }
}

/* A path argument, checked. */
static kstatus get_path(kcall *call, uint32_t address, bool pattern, char *path)
{
    uint32_t length = kget_string(call, address, path, VFS_PATH_MAX);
    if (call->faulted) {
        return STATUS_ACCESS_VIOLATION;
    }
    memcpy(call->path, path, length + 1);
    return length && kfile_name_valid(path, pattern) ? STATUS_SUCCESS : STATUS_OBJECT_NAME_INVALID;
}

/* ---- opening -----------------------------------------------------------------------------------
 */

/* (path, access, share, security, disposition, flags, template) */
uint32_t ex_CreateFileA(kcall *call)
{
    static const uint8_t dispositions[] = {
        [CREATE_NEW] = VFS_CREATE,           [CREATE_ALWAYS] = VFS_OVERWRITE_IF,
        [OPEN_EXISTING] = VFS_OPEN,          [OPEN_ALWAYS] = VFS_OPEN_IF,
        [TRUNCATE_EXISTING] = VFS_OVERWRITE,
    };
    kernel *k = call->k;
    char path[VFS_PATH_MAX];
    uint32_t access = karg(call, 1), how = karg(call, 4), flags = karg(call, 5), action = 0;
    vfs_file *opened;
    if (how < CREATE_NEW || how > TRUNCATE_EXISTING) {
        return kfail_with(call, X_ERROR_INVALID_PARAMETER, INVALID_HANDLE);
    }
    uint32_t options = flags & FLAG_OVERLAPPED ? 0 : VFS_SYNCHRONOUS & 0x20;
    options |= flags & FLAG_DELETE_ON_CLOSE ? VFS_DELETE_ON_CLOSE : 0;
    options |= flags & FLAG_BACKUP_SEMANTICS ? 0 : VFS_NON_DIRECTORY_FILE;
    kstatus status = get_path(call, karg(call, 0), false, path);
    if (status == STATUS_SUCCESS) {
        status = vfs_open(k->vfs, NULL, path, dispositions[how], options, &opened, &action);
    }
    uint32_t handle = status == STATUS_SUCCESS ? kfile_handle(call, opened, access, options) : 0;
    if (status == STATUS_SUCCESS && !handle) {
        status = STATUS_INSUFFICIENT_RESOURCES;
    }
    kfile_emit_open(call, handle, path, access, dispositions[how], options, status);
    if (!handle) {
        bool exists = how == CREATE_NEW && status == STATUS_OBJECT_NAME_COLLISION;
        return kfail_with(call, exists ? ERROR_FILE_EXISTS : error_of(status), INVALID_HANDLE);
    }
    bool before = action == VFS_DID_OPEN || action == VFS_DID_OVERWRITE;
    bool always = how == CREATE_ALWAYS || how == OPEN_ALWAYS;
    klast_error_set(call->thread, before && always ? X_ERROR_ALREADY_EXISTS : X_ERROR_SUCCESS);
    return kret(call, handle);
}

/* ---- transfers ---------------------------------------------------------------------------------
 */

static uint32_t answer_of(kcall *call, kstatus status)
{
    return status == STATUS_SUCCESS ? kret(call, 1) : kfail_with(call, error_of(status), 0);
}

/* The transfer on a synchronous file is over: cont_data {status, bytes, where their count goes, whether
 * the end of the file is no error}. */
static uint32_t moved(kcall *call, uint32_t unused)
{
    const uint64_t *data = call->thread->cont_data;
    kstatus status = (kstatus)data[0];
    (void)unused;
    status = status == STATUS_END_OF_FILE && data[3] ? STATUS_SUCCESS : status;
    if (data[2]) {
        kput32(call, (uint32_t)data[2], (uint32_t)data[1]);
    }
    return answer_of(call, status);
}

/* (file, buffer, length, bytes out, overlapped) */
static uint32_t transfer(kcall *call, uint32_t what)
{
    kernel *k = call->k;
    uint32_t out = karg(call, 3), overlapped = karg(call, 4);
    kobject *object = khandle_get(k, call->thread, karg(call, 0), KOBJECT_FILE), *event = NULL;
    if (!object) {
        return kfail_with(call, X_ERROR_INVALID_HANDLE, 0);
    }
    const kfile *file = object->data;
    kfile_transfer t = {
        .what = what,
        .buffer = karg(call, 1),
        .length = karg(call, 2),
        .offset = KFILE_OFFSET_CURRENT,
        .status_block = overlapped,
    };
    if (!kfile_may(file, what)) {
        return kfail_with(call, X_ERROR_ACCESS_DENIED, 0);
    }
    if ((!overlapped && !kfile_is_synchronous(file)) ||
        (overlapped && !kwrite(call, overlapped, OVERLAPPED_SIZE))) {
        return kfail_with(call, X_ERROR_INVALID_PARAMETER, 0);
    }
    if (overlapped) {
        uint32_t handle = kget32(call, overlapped + OVERLAPPED_EVENT);
        event = khandle_get(k, call->thread, handle & ~UINT32_C(1), KOBJECT_EVENT);
        t.offset = kget32(call, overlapped + OVERLAPPED_OFFSET) |
                   (uint64_t)kget32(call, overlapped + OVERLAPPED_OFFSET + 4) << 32;
        if (handle && !event) {
            return kfail_with(call, X_ERROR_INVALID_HANDLE, 0);
        }
    }
    if (out) {
        kput32(call, out, 0);
    }
    if (call->faulted) {
        return K_DONE;
    }
    call->thread->cont_data[2] = out;
    call->thread->cont_data[3] = what == KFILE_READING && !overlapped;
    uint32_t answer = kfile_begin(call, object, event, &t, moved);
    if (answer == K_DONE && !kfile_is_synchronous(file)) {
        kstatus status = (kstatus)call->cpu->r[3];
        return kfail_with(call, status == STATUS_PENDING ? X_ERROR_IO_PENDING : error_of(status),
                          0);
    }
    return answer;
}

uint32_t ex_ReadFile(kcall *call)
{
    return transfer(call, KFILE_READING);
}

uint32_t ex_WriteFile(kcall *call)
{
    return transfer(call, KFILE_WRITING);
}

/* ---- what files are ----------------------------------------------------------------------------
 */

/* Attributes, times and size; FILETIME and size have their halves in words of their own. */
static void put_information(uint8_t *p, const vfs_info *info)
{
    weft_store32(p, info->attributes);
    for (uint32_t i = 0; i < 3; i++) {
        weft_store32(p + 4 + 8 * i, (uint32_t)info->time);
        weft_store32(p + 8 + 8 * i, (uint32_t)(info->time >> 32));
    }
    weft_store32(p + 0x1C, (uint32_t)(info->size >> 32));
    weft_store32(p + 0x20, (uint32_t)info->size);
}

static kstatus query(kcall *call, vfs_info *info)
{
    char path[VFS_PATH_MAX];
    kstatus status = get_path(call, karg(call, 0), false, path);
    return status == STATUS_SUCCESS ? vfs_query(call->k->vfs, NULL, path, info) : status;
}

uint32_t ex_GetFileAttributesA(kcall *call)
{
    vfs_info info;
    kstatus status = query(call, &info);
    return status == STATUS_SUCCESS ? kret(call, info.attributes)
                                    : kfail_with(call, error_of(status), UINT32_MAX);
}

/* (path, level 0, information out) */
uint32_t ex_GetFileAttributesExA(kcall *call)
{
    vfs_info info;
    uint32_t out = karg(call, 2);
    kstatus status = karg(call, 1) == 0 ? query(call, &info) : STATUS_INVALID_PARAMETER;
    uint8_t *p = status == STATUS_SUCCESS ? kwrite(call, out, ATTRIBUTES_SIZE) : NULL;
    if (p) {
        put_information(p, &info);
        kwritten(call->k, out, ATTRIBUTES_SIZE);
    }
    return answer_of(call, status);
}

/* ---- searching ---------------------------------------------------------------------------------
 */

/* The next entry that the folder's pattern takes, into WIN32_FIND_DATAA. */
static kstatus find_next(kcall *call, kfile *folder, uint32_t out)
{
    vfs_entry *entry = malloc(sizeof *entry);
    kstatus status = entry ? STATUS_SUCCESS : STATUS_NO_MEMORY;
    while (status == STATUS_SUCCESS) {
        status = vfs_list(folder->file, folder->listed, entry);
        folder->listed += status == STATUS_SUCCESS;
        if (status != STATUS_SUCCESS || vfs_match(folder->pattern, entry->name)) {
            break;
        }
    }
    uint8_t *p = status == STATUS_SUCCESS ? kwrite(call, out, FIND_SIZE) : NULL;
    if (p) {
        memset(p, 0, FIND_SIZE);
        put_information(p, &entry->info);
        memcpy(p + FIND_NAME, entry->name, strlen(entry->name));
        kwritten(call->k, out, FIND_SIZE);
    }
    free(entry);
    return status;
}

/* (path with a pattern, data out): a handle of the search, which is the folder's. */
uint32_t ex_FindFirstFileA(kcall *call)
{
    kernel *k = call->k;
    char path[VFS_PATH_MAX], pattern[VFS_NAME_MAX] = "";
    uint32_t action, out = karg(call, 1);
    vfs_file *opened;
    kstatus status = get_path(call, karg(call, 0), true, path);
    char *slash = strpbrk(path, "\\/") ? strrchr(path, '\\') : NULL;
    char *leaf = slash ? slash + 1 : path;
    char *colon = strrchr(leaf, ':');
    leaf = colon ? colon + 1 : leaf;
    if (status == STATUS_SUCCESS && (!*leaf || strlen(leaf) >= sizeof pattern)) {
        status = STATUS_OBJECT_NAME_INVALID;
    }
    if (status == STATUS_SUCCESS) {
        memcpy(pattern, leaf, strlen(leaf) + 1);
        *leaf = 0;
        status = strpbrk(path, "*?")
                     ? STATUS_OBJECT_NAME_INVALID
                     : vfs_open(k->vfs, NULL, path, VFS_OPEN, VFS_DIRECTORY_FILE, &opened, &action);
    }
    if (status != STATUS_SUCCESS) {
        bool absent = status == STATUS_OBJECT_NAME_NOT_FOUND;
        return kfail_with(call, absent ? X_ERROR_PATH_NOT_FOUND : error_of(status), INVALID_HANDLE);
    }
    uint32_t handle = kfile_handle(call, opened, KFILE_READ_DATA, VFS_SYNCHRONOUS & 0x20);
    kfile *folder = handle ? kfile_get(call, handle) : NULL;
    if (!folder) {
        return kfail_with(call, X_ERROR_FUNCTION_FAILED, INVALID_HANDLE);
    }
    memcpy(folder->pattern, pattern, sizeof pattern);
    folder->scanning = true;
    status = find_next(call, folder, out);
    if (status != STATUS_SUCCESS || call->faulted) {
        khandle_close(k, call->thread, handle);
        return kfail_with(call, X_ERROR_FILE_NOT_FOUND, INVALID_HANDLE);
    }
    return kret(call, handle);
}

/* (handle, data out) */
uint32_t ex_FindNextFileA(kcall *call)
{
    kfile *folder = kfile_get(call, karg(call, 0));
    if (!folder || !folder->scanning) {
        return kfail_with(call, X_ERROR_INVALID_HANDLE, 0);
    }
    kstatus status = find_next(call, folder, karg(call, 1));
    return status == STATUS_SUCCESS ? kret(call, 1) : kfail_with(call, X_ERROR_NO_MORE_FILES, 0);
}

/* ---- positions, sizes, names -------------------------------------------------------------------
 */

/* The file of the first argument; NULL, and the last error is set. */
static kfile *get_file(kcall *call)
{
    kfile *file = kfile_get(call, karg(call, 0));
    if (!file) {
        klast_error_set(call->thread, X_ERROR_INVALID_HANDLE);
    }
    return file;
}

/* Moves the file's position by `distance` from its begin, itself or its end. */
static kstatus seek(kfile *file, int64_t distance, uint32_t from)
{
    vfs_info info;
    vfs_info_get(file->file, &info);
    uint64_t base = from == 0 ? 0 : from == 1 ? file->position : info.size;
    if (from > 2 || (distance < 0 && (uint64_t)0 - (uint64_t)distance > base) ||
        base + (uint64_t)distance > INT64_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    file->position = base + (uint64_t)distance;
    return STATUS_SUCCESS;
}

/* (file, distance low, distance high in and out or 0, from) */
uint32_t ex_SetFilePointer(kcall *call)
{
    uint32_t low = karg(call, 1), high_at = karg(call, 2);
    kfile *file = get_file(call);
    int64_t distance =
        high_at ? (int64_t)((uint64_t)kget32(call, high_at) << 32 | low) : (int64_t)(int32_t)low;
    if (!file || call->faulted) {
        return kret(call, UINT32_MAX);
    }
    uint64_t before = file->position;
    kstatus status = seek(file, distance, karg(call, 3));
    if (status != STATUS_SUCCESS || (!high_at && file->position > UINT32_MAX)) {
        file->position = before;
        return kfail_with(call, X_ERROR_INVALID_PARAMETER, UINT32_MAX);
    }
    if (high_at) {
        kput32(call, high_at, (uint32_t)(file->position >> 32));
    }
    klast_error_set(call->thread, X_ERROR_SUCCESS); /* all ones may be a position */
    return kret(call, (uint32_t)file->position);
}

/* (file, distance, position out or 0, from) */
uint32_t ex_SetFilePointerEx(kcall *call)
{
    kfile *file = get_file(call);
    kstatus status = file ? seek(file, (int64_t)karg64(call, 1), karg(call, 3)) : STATUS_SUCCESS;
    if (!file || status != STATUS_SUCCESS) {
        return file ? kfail_with(call, X_ERROR_INVALID_PARAMETER, 0) : kret(call, 0);
    }
    if (karg(call, 2)) {
        kput64(call, karg(call, 2), file->position);
    }
    return kret(call, 1);
}

/* (file, high out or 0) */
uint32_t ex_GetFileSize(kcall *call)
{
    vfs_info info;
    kfile *file = get_file(call);
    if (!file) {
        return kret(call, UINT32_MAX);
    }
    vfs_info_get(file->file, &info);
    if (karg(call, 1)) {
        kput32(call, karg(call, 1), (uint32_t)(info.size >> 32));
    }
    klast_error_set(call->thread, X_ERROR_SUCCESS);
    return kret(call, (uint32_t)info.size);
}

/* (file, size out) */
uint32_t ex_GetFileSizeEx(kcall *call)
{
    vfs_info info;
    kfile *file = get_file(call);
    if (!file) {
        return kret(call, 0);
    }
    vfs_info_get(file->file, &info);
    kput64(call, karg(call, 1), info.size);
    return kret(call, 1);
}

uint32_t ex_SetEndOfFile(kcall *call)
{
    kfile *file = get_file(call);
    if (!file) {
        return kret(call, 0);
    }
    bool may = kfile_may(file, KFILE_WRITING);
    return answer_of(call, may ? vfs_resize(file->file, file->position) : STATUS_ACCESS_DENIED);
}

uint32_t ex_FlushFileBuffers(kcall *call)
{
    kfile *file = get_file(call);
    if (file) {
        vfs_flush(file->file);
    }
    return kret(call, file != NULL);
}

uint32_t ex_DeleteFileA(kcall *call)
{
    char path[VFS_PATH_MAX];
    vfs_file *opened;
    uint32_t action;
    kstatus status = get_path(call, karg(call, 0), false, path);
    if (status == STATUS_SUCCESS) {
        status =
            vfs_open(call->k->vfs, NULL, path, VFS_OPEN, VFS_NON_DIRECTORY_FILE, &opened, &action);
    }
    if (status == STATUS_SUCCESS) {
        status = vfs_delete_set(opened, true);
        vfs_close(opened);
    }
    return answer_of(call, status);
}

/* (path, security) */
uint32_t ex_CreateDirectoryA(kcall *call)
{
    char path[VFS_PATH_MAX];
    vfs_file *opened;
    uint32_t action;
    kstatus status = get_path(call, karg(call, 0), false, path);
    if (status == STATUS_SUCCESS) {
        status =
            vfs_open(call->k->vfs, NULL, path, VFS_CREATE, VFS_DIRECTORY_FILE, &opened, &action);
    }
    if (status == STATUS_SUCCESS) {
        vfs_close(opened);
    }
    return answer_of(call, status);
}
