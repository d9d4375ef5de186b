/* What files, folders, volumes and links say about themselves. Structures are NT's (ntifs.h) in big
 * endian; which classes the console knows is from xenia (src/xenia/kernel/info,
 * xboxkrnl_io_info.cc). */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "file.h"

/* FILE_INFORMATION_CLASS */
#define INFO_BASIC        4
#define INFO_STANDARD     5
#define INFO_INTERNAL     6
#define INFO_RENAME       10
#define INFO_DISPOSITION  13
#define INFO_POSITION     14
#define INFO_MODE         16
#define INFO_ALIGNMENT    17
#define INFO_ALLOCATION   19
#define INFO_END_OF_FILE  20
#define INFO_SECTOR       26
#define INFO_COMPRESSION  27 /* Xctd: the XDK's compressed files */
#define INFO_COMPLETION   30
#define INFO_IO_PRIORITY  32
#define INFO_NETWORK_OPEN 34

/* FS_INFORMATION_CLASS */
#define VOLUME_LABEL     1
#define VOLUME_SIZE      3
#define VOLUME_DEVICE    4
#define VOLUME_ATTRIBUTE 5

#define DEVICE_CD_ROM UINT32_C(2) /* FILE_DEVICE_CD_ROM, FILE_DEVICE_DISK */
#define DEVICE_DISK   UINT32_C(7)

#define IOCTL_DISK_GET_DRIVE_GEOMETRY UINT32_C(0x70000)
#define IOCTL_DISK_GET_PARTITION_INFO UINT32_C(0x74004)
#define CACHE_BYTES                   UINT32_C(0xFF000) /* LESSONS 48 */

#define ENTRY_NAME 0x40 /* offset of the name in FILE_DIRECTORY_INFORMATION */

typedef struct class_length {
    uint32_t number, least; /* bytes that the caller must have */
} class_length;

static const class_length query_classes[] = {
    {INFO_BASIC, 40},
    {INFO_STANDARD, 24},
    {INFO_INTERNAL, 8},
    {INFO_POSITION, 8},
    {INFO_MODE, 4},
    {INFO_ALIGNMENT, 4},
    {INFO_SECTOR, 4},
    {INFO_COMPRESSION, 4},
    {INFO_IO_PRIORITY, 4},
    {INFO_NETWORK_OPEN, 56},
    {0, 0},
};
static const class_length set_classes[] = {
    {INFO_BASIC, 40},      {INFO_RENAME, 16},
    {INFO_DISPOSITION, 1}, {INFO_POSITION, 8},
    {INFO_MODE, 4},        {INFO_ALLOCATION, 8},
    {INFO_END_OF_FILE, 8}, {INFO_COMPLETION, 8},
    {INFO_IO_PRIORITY, 4}, {0, 0},
};
static const class_length volume_classes[] = {
    {VOLUME_LABEL, 24}, {VOLUME_SIZE, 24}, {VOLUME_DEVICE, 8}, {VOLUME_ATTRIBUTE, 16}, {0, 0},
};

static kstatus class_check(const class_length *classes, uint32_t number, uint32_t length)
{
    for (; classes->number != 0; classes++) {
        if (classes->number == number) {
            return length < classes->least ? STATUS_INFO_LENGTH_MISMATCH : STATUS_SUCCESS;
        }
    }
    return STATUS_INVALID_INFO_CLASS;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* FILE_NETWORK_OPEN_INFORMATION, 56 bytes. Change time is the write time (LESSONS 44). */
static void put_network_open(kcall *call, uint32_t out, const vfs_info *info)
{
    for (uint32_t i = 0; i < 4; i++) {
        kput64(call, out + i * 8, info->time);
    }
    kput64(call, out + 32, info->allocation);
    kput64(call, out + 40, info->size);
    kput32(call, out + 48, info->attributes);
    kput32(call, out + 52, 0);
}

static void put_zeros(kcall *call, uint32_t out, uint32_t length)
{
    void *bytes = kwrite(call, out, length);
    if (bytes) {
        memset(bytes, 0, length);
        kwritten(call->k, out, length);
    }
}

uint32_t ex_NtQueryInformationFile(kcall *call)
{
    uint32_t out = karg(call, 2), length = karg(call, 3), class = karg(call, 4), used = 0;
    kstatus status = class_check(query_classes, class, length);
    if (status != STATUS_SUCCESS) {
        return kret_status(call, status);
    }
    kfile *file = kfile_get(call, karg(call, 0));
    if (!file) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    vfs_info info;
    vfs_info_get(file->file, &info);
    put_zeros(call, out, length);
    switch (class) {
    case INFO_BASIC:
        for (uint32_t i = 0; i < 4; i++) {
            kput64(call, out + i * 8, info.time);
        }
        kput32(call, out + 32, info.attributes);
        used = 40;
        break;
    case INFO_STANDARD:
        kput64(call, out, info.allocation);
        kput64(call, out + 8, info.size);
        kput32(call, out + 16, 1); /* links */
        kput8(call, out + 21, (info.attributes & VFS_ATTRIBUTE_DIRECTORY) != 0);
        used = 24;
        break;
    case INFO_INTERNAL:
        /* unique per file and the same in every run: a hash of its path */
        kput64(call, out, weft_fnv1a(vfs_path(file->file), strlen(vfs_path(file->file))));
        used = 8;
        break;
    case INFO_POSITION:
        kput64(call, out, file->position);
        used = 8;
        break;
    case INFO_MODE:
        kput32(call, out, file->options);
        used = 4;
        break;
    case INFO_ALIGNMENT: /* FILE_BYTE_ALIGNMENT */
        used = 4;
        break;
    case INFO_NETWORK_OPEN:
        put_network_open(call, out, &info);
        used = 56;
        break;
    default:
        /* no file here is Xctd-compressed, has a sector or a priority */
        status = STATUS_INVALID_PARAMETER;
        break;
    }
    kfile_put_status(call, karg(call, 1), status, used);
    return kret_status(call, status);
}

/* FILE_RENAME_INFORMATION {replace u8@0, root handle@4, ANSI_STRING@8} (LESSONS 45). */
static kstatus rename_file(kcall *call, kfile *file, uint32_t in)
{
    char path[VFS_PATH_MAX];
    bool replace = kget8(call, in) != 0;
    uint32_t handle = kget32(call, in + 4);
    uint32_t length = kget_ansi(call, in + 8, path, sizeof path);
    kfile *root = handle && handle != UINT32_C(0xFFFFFFFD) ? kfile_get(call, handle) : NULL;
    if (call->faulted) {
        return STATUS_ACCESS_VIOLATION;
    }
    if (handle && handle != UINT32_C(0xFFFFFFFD) && !root) {
        return STATUS_INVALID_HANDLE;
    }
    if (length == 0 || length != kget16(call, in + 8) || strlen(path) != length ||
        !kfile_name_valid(path, false)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    return vfs_rename(call->k->vfs, file->file, root ? root->file : NULL, path, replace);
}

/* FILE_COMPLETION_INFORMATION {port handle, key}: once, and only for asynchronous files (NT). */
static kstatus bind_port(kcall *call, kfile *file, uint32_t in)
{
    uint32_t handle = kget32(call, in), key = kget32(call, in + 4);
    kobject *port = khandle_get(call->k, call->thread, handle, KOBJECT_IO_COMPLETION);
    if (call->faulted) {
        return STATUS_ACCESS_VIOLATION;
    }
    if (!port) {
        return STATUS_INVALID_HANDLE;
    }
    if (file->port || kfile_is_synchronous(file)) {
        return STATUS_INVALID_PARAMETER;
    }
    kobject_retain(port);
    file->port = port;
    file->port_key = key;
    return STATUS_SUCCESS;
}

uint32_t ex_NtSetInformationFile(kcall *call)
{
    uint32_t in = karg(call, 2), length = karg(call, 3), class = karg(call, 4);
    kstatus status = class_check(set_classes, class, length);
    if (status != STATUS_SUCCESS) {
        return kret_status(call, status);
    }
    kfile *file = kfile_get(call, karg(call, 0));
    if (!file) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    uint64_t value;
    switch (class) {
    case INFO_RENAME:
        status = rename_file(call, file, in);
        break;
    case INFO_DISPOSITION:
        status = vfs_delete_set(file->file, kget8(call, in) != 0);
        break;
    case INFO_POSITION:
        value = kget64(call, in);
        status = value > INT64_MAX ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
        file->position = status == STATUS_SUCCESS ? value : file->position;
        break;
    case INFO_END_OF_FILE:
        value = kget64(call, in);
        status = call->faulted ? STATUS_ACCESS_VIOLATION : vfs_resize(file->file, value);
        break;
    case INFO_ALLOCATION: { /* only shrinking below the end shows (NT) */
        vfs_info info;
        vfs_info_get(file->file, &info);
        value = kget64(call, in);
        if (!call->faulted && value < info.size) {
            status = vfs_resize(file->file, value);
        }
        break;
    }
    case INFO_COMPLETION:
        status = bind_port(call, file, in);
        break;
    default: /* times, mode and priority: taken, and without effect on what can be seen */
        break;
    }
    kfile_put_status(call, karg(call, 1), status, 0);
    return kret_status(call, status);
}

uint32_t ex_NtQueryFullAttributesFile(kcall *call)
{
    char path[VFS_PATH_MAX];
    const vfs_file *root;
    vfs_info info;
    kstatus status = kfile_name(call, karg(call, 0), path, &root);
    if (status == STATUS_SUCCESS) {
        status = vfs_query(call->k->vfs, root, path, &info);
    }
    if (status == STATUS_SUCCESS) {
        put_network_open(call, karg(call, 1), &info);
    }
    return kret_status(call, status);
}

/* ---- folders --------------------------------------------------------------------------------- */

/* The next entry that the scan's pattern takes. */
static kstatus next_entry(kfile *file, vfs_entry *entry)
{
    kstatus status;
    do {
        status = vfs_list(file->file, file->listed, entry);
        file->listed += status == STATUS_SUCCESS;
    } while (status == STATUS_SUCCESS && !vfs_match(file->pattern, entry->name));
    return status;
}

/* One FILE_DIRECTORY_INFORMATION a call, as XAPI's FindNextFile takes them. The first call of a
 * scan fixes the pattern; without a match it is STATUS_NO_SUCH_FILE, later STATUS_NO_MORE_FILES
 * (NT). */
uint32_t ex_NtQueryDirectoryFile(kcall *call)
{
    uint32_t status_block = karg(call, 4), out = karg(call, 5), length = karg(call, 6);
    uint32_t name = karg(call, 7), used = 0;
    if (length < 72) {
        return kret_status(call, STATUS_INFO_LENGTH_MISMATCH);
    }
    kfile *file = kfile_get(call, karg(call, 0));
    if (!file) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    bool first = !file->scanning || karg(call, 8) != 0;
    if (first) {
        char pattern[VFS_NAME_MAX] = "";
        if (name != 0) {
            kget_ansi(call, name, pattern, sizeof pattern);
        }
        if (call->faulted || !kfile_name_valid(pattern, true)) {
            return kret_status(call, STATUS_INVALID_PARAMETER);
        }
        memcpy(file->pattern, pattern, sizeof pattern);
        file->listed = 0;
        file->scanning = true;
    }
    vfs_entry entry;
    uint32_t index = file->listed;
    kstatus status = next_entry(file, &entry);
    if (status == STATUS_NO_MORE_FILES && first) {
        status = STATUS_NO_SUCH_FILE;
    }
    if (status == STATUS_SUCCESS) {
        uint32_t full = (uint32_t)strlen(entry.name);
        uint32_t fits = full < length - ENTRY_NAME ? full : length - ENTRY_NAME;
        uint8_t *bytes = kwrite(call, out, ENTRY_NAME + fits);
        if (!bytes) {
            return kret_status(call, STATUS_ACCESS_VIOLATION);
        }
        weft_store32(bytes, 0); /* no next entry */
        weft_store32(bytes + 4, index);
        for (uint32_t i = 0; i < 4; i++) {
            weft_store64(bytes + 8 + i * 8, entry.info.time);
        }
        weft_store64(bytes + 0x28, entry.info.size);
        weft_store64(bytes + 0x30, entry.info.allocation);
        weft_store32(bytes + 0x38, entry.info.attributes);
        weft_store32(bytes + 0x3C, full);
        memcpy(bytes + ENTRY_NAME, entry.name, fits);
        used = ENTRY_NAME + fits;
        kwritten(call->k, out, used);
        status = fits < full ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
    }
    kfile_put_status(call, status_block, status, used);
    return kret_status(call, status);
}

/* ---- volumes and devices --------------------------------------------------------------------- */

uint32_t ex_NtQueryVolumeInformationFile(kcall *call)
{
    uint32_t out = karg(call, 2), length = karg(call, 3), class = karg(call, 4), used = 0;
    kstatus status = class_check(volume_classes, class, length);
    if (status != STATUS_SUCCESS) {
        return kret_status(call, status);
    }
    kfile *file = kfile_get(call, karg(call, 0));
    if (!file) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    vfs_volume volume;
    vfs_volume_get(file->file, &volume);
    put_zeros(call, out, length);
    switch (class) {
    case VOLUME_LABEL: /* creation time, serial, label length, supports objects, label: all empty */
        used = 17;
        break;
    case VOLUME_SIZE:
        kput64(call, out, volume.units);
        kput64(call, out + 8, volume.units_free);
        kput32(call, out + 16, volume.sectors_per_unit);
        kput32(call, out + 20, volume.bytes_per_sector);
        used = 24;
        break;
    case VOLUME_DEVICE:
        kput32(call, out, volume.read_only ? DEVICE_CD_ROM : DEVICE_DISK);
        used = 8;
        break;
    case VOLUME_ATTRIBUTE: {
        uint32_t full = (uint32_t)strlen(volume.name);
        uint32_t fits = full < length - 12 ? full : length - 12;
        kput32(call, out + 4, volume.name_max);
        kput32(call, out + 8, full);
        for (uint32_t i = 0; i < fits; i++) {
            kput8(call, out + 12 + i, (uint8_t)volume.name[i]);
        }
        used = 12 + fits;
        status = fits < full ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
        break;
    }
    }
    kfile_put_status(call, karg(call, 1), status, used);
    return kret_status(call, status);
}

/* What XMountUtilityDrive asks of a partition (LESSONS 48). */
uint32_t ex_NtDeviceIoControlFile(kcall *call)
{
    uint32_t code = karg(call, 5), out = karg(call, 8), length = karg(call, 9), used = 0;
    kstatus status = STATUS_SUCCESS;
    if (!kfile_get(call, karg(call, 0))) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    if (code == IOCTL_DISK_GET_DRIVE_GEOMETRY) {
        if (length < 8) {
            status = STATUS_BUFFER_TOO_SMALL;
        } else {
            kput32(call, out, CACHE_BYTES / 512);
            kput32(call, out + 4, 512);
            used = 8;
        }
    } else if (code == IOCTL_DISK_GET_PARTITION_INFO) {
        if (length < 16) {
            status = STATUS_BUFFER_TOO_SMALL;
        } else {
            kput64(call, out, 0);
            kput64(call, out + 8, CACHE_BYTES);
            used = 16;
        }
    } else {
        status = STATUS_INVALID_DEVICE_REQUEST;
    }
    kfile_put_status(call, karg(call, 4), status, used);
    return kret_status(call, status);
}

/* The file cache's size is no matter here. */
uint32_t ex_FscGetCacheElementCount(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_FscSetCacheElementCount(kcall *call)
{
    return kret_status(call, STATUS_SUCCESS);
}

/* ---- links ----------------------------------------------------------------------------------- */

uint32_t ex_ObCreateSymbolicLink(kcall *call)
{
    char name[VFS_PATH_MAX], target[VFS_PATH_MAX];
    kget_ansi(call, karg(call, 0), name, sizeof name);
    kget_ansi(call, karg(call, 1), target, sizeof target);
    if (call->faulted) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    return kret_status(call, vfs_link_create(call->k->vfs, name, target));
}

uint32_t ex_ObDeleteSymbolicLink(kcall *call)
{
    char name[VFS_PATH_MAX];
    kget_ansi(call, karg(call, 0), name, sizeof name);
    if (call->faulted) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    return kret_status(call, vfs_link_delete(call->k->vfs, name));
}

static void link_closed(kernel *k, kobject *object)
{
    free(object->data);
    object->data = NULL;
}

uint32_t ex_NtOpenSymbolicLinkObject(kcall *call)
{
    char path[VFS_PATH_MAX];
    const vfs_file *root;
    uint32_t out = karg(call, 0);
    if (out == 0 || karg(call, 1) == 0) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    kstatus status = kfile_name(call, karg(call, 1), path, &root);
    if (status != STATUS_SUCCESS) {
        return kret_status(call, status);
    }
    const char *target = root ? NULL : vfs_link_target(call->k->vfs, path);
    if (!target) {
        return kret_status(call, STATUS_OBJECT_NAME_NOT_FOUND);
    }
    kobject *object = kobject_create(call->k, call->thread, KOBJECT_SYMLINK, call->caller, 0);
    if (!object) {
        return kret_status(call, STATUS_NO_MEMORY);
    }
    object->data = strdup(target);
    object->close = link_closed;
    uint32_t handle = object->data ? khandle_open(call->k, call->thread, object) : 0;
    kobject_release(call->k, object);
    if (handle == 0) {
        return kret_status(call, STATUS_INSUFFICIENT_RESOURCES);
    }
    kput32(call, out, handle);
    return kret_status(call, STATUS_SUCCESS);
}

/* Fills an ANSI_STRING's buffer and length. */
uint32_t ex_NtQuerySymbolicLinkObject(kcall *call)
{
    kobject *object = khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_SYMLINK);
    uint32_t string = karg(call, 1);
    if (!object) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    const char *target = object->data;
    uint32_t length = (uint32_t)strlen(target);
    if (length > kget16(call, string + 2)) {
        return kret_status(call, STATUS_BUFFER_TOO_SMALL);
    }
    uint32_t buffer = kget32(call, string + 4);
    void *bytes = kwrite(call, buffer, length);
    if (bytes) {
        memcpy(bytes, target, length);
        kwritten(call->k, buffer, length);
        kput16(call, string, (uint16_t)length);
    }
    return kret_status(call, STATUS_SUCCESS);
}
