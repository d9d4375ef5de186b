/* The console's storage device as XAM uses it: packages of content, and what profiles keep.
 *
 * One device, which is there always: \CONTENT (vfs.c), in memory, or with [machine] state a folder.
 * A package is a folder; beside it lie a header and a thumbnail (TITLE and TYPE are 8 digits in
 * hexadecimal, XUID 16):
 *
 *     \CONTENT\XUID\TITLE\TYPE\NAME\              the package's files
 *     \CONTENT\XUID\TITLE\TYPE.header\NAME        XCONTENT_DATA and its creator's XUID
 *     \CONTENT\XUID\TITLE\TYPE.thumbnail\NAME     a PNG
 *     \CONTENT\XUID\profile\ID                    a setting's value
 *     \CONTENT\XUID\profile\TITLE\ID              one that is the title's own
 */
#ifndef WEFT_KERNEL_XAM_STORAGE_H
#define WEFT_KERNEL_XAM_STORAGE_H

#include "kernel.h"

#define KSTORAGE_DEVICE 1 /* its id: a hard disk (xenia xam_content_device.cc) */

/* XCONTENT_DATA: device @0, type @4, UTF-16 display name [128] @8, file name [42] @0x108. */
#define KCONTENT_DATA_SIZE     0x134
#define KCONTENT_TYPE          4
#define KCONTENT_DISPLAY       8
#define KCONTENT_DISPLAY_UNITS 128
#define KCONTENT_NAME          0x108
#define KCONTENT_NAME_BYTES    42
#define KCONTENT_SAVED_GAME    1

/* Which package is meant. */
typedef struct kcontent {
    uint8_t data[KCONTENT_DATA_SIZE]; /* as the guest gave it */
    uint64_t xuid;                    /* whose it is; 0: everybody's */
    uint32_t title, type;
    char name[KCONTENT_NAME_BYTES + 1];
} kcontent;

/* All answer Win32 errors (X_ERROR_*). */

/* Takes a package's identity out of XCONTENT_DATA. DEVICE_NOT_CONNECTED for another device than
 * KSTORAGE_DEVICE or 0, INVALID_PARAMETER for a name that is none. */
uint32_t kcontent_parse(const uint8_t *data, uint64_t xuid, uint32_t title, kcontent *content);
bool kcontent_exists(kernel *k, const kcontent *content);
/* Makes the folder and header, mounts nothing. ALREADY_EXISTS, DISK_FULL. */
uint32_t kcontent_create(kernel *k, const kcontent *content);
/* With all that is in it. FILE_NOT_FOUND; ACCESS_DENIED while it is mounted. */
uint32_t kcontent_delete(kernel *k, const kcontent *content);
/* Who made it; 0: nobody's, or unknown. */
uint64_t kcontent_creator(kernel *k, const kcontent *content);
/* Appends the packages of a kind by folded name, as XCONTENT_DATA each, to *items (grown with
 * realloc) and *count. False: out of memory. */
bool kcontent_list(kernel *k, uint64_t xuid, uint32_t title, uint32_t type, uint8_t **items,
                   uint32_t *count);
/* FILE_NOT_FOUND where it has none; *size is what there is, also if more than `room`. */
uint32_t kcontent_thumbnail_get(kernel *k, const kcontent *content, uint8_t *bytes, uint32_t room,
                                uint32_t *size);
uint32_t kcontent_thumbnail_set(kernel *k, const kcontent *content, const uint8_t *bytes,
                                uint32_t size);

/* Makes `root:` lead into a package. ALREADY_EXISTS for a root that is in use, FILE_NOT_FOUND
 * without the package, INVALID_PARAMETER for a root that is no name. */
uint32_t kcontent_mount(kernel *k, const char *root, const kcontent *content);
/* PATH_NOT_FOUND for a root that no package is mounted at. */
uint32_t kcontent_unmount(kernel *k, const char *root);
/* What is mounted at a root, NULL: nothing; and its path, below which its files lie. */
const kcontent *kcontent_mounted(kernel *k, const char *root);
/* Path of a package, for XamContentResolve; at least 128 bytes. */
void kcontent_path(const kcontent *content, char *path, size_t capacity);
/* Forgets the mounts; before the VFS goes. */
void kcontent_destroy(kernel *k);

/* A profile's setting: at most `room` bytes of it, *size of them. False: it was never written. */
bool kprofile_read(kernel *k, uint64_t xuid, uint32_t title, uint32_t id, uint8_t *bytes,
                   uint32_t room, uint32_t *size);
uint32_t kprofile_write(kernel *k, uint64_t xuid, uint32_t title, uint32_t id, const uint8_t *bytes,
                        uint32_t size);

/* Bytes of the device, all and free. */
void kstorage_size(kernel *k, uint64_t *total, uint64_t *left);

#endif
