/* Devices, symbolic links and open files, below the Nt*File exports.
 *
 * A guest path is `link:\dir\name` or `\Device\X\dir\name`; `\??\` in front is dropped, '/' counts
 * as a separator, and `..` is resolved by name, never above the device's root. Names compare
 * without case (ASCII); a folder that holds several spellings answers the exact one first, then the
 * first by byte order. Listings are sorted. All times are the machine's power-on time: nothing of
 * the host's clock is visible. */
#ifndef WEFT_KERNEL_VFS_H
#define WEFT_KERNEL_VFS_H

#include "kernel.h"

#define VFS_PATH_MAX 512
#define VFS_NAME_MAX 256

/* Create dispositions and the answers in IO_STATUS_BLOCK.Information (ntifs.h). */
#define VFS_SUPERSEDE    0
#define VFS_OPEN         1
#define VFS_CREATE       2
#define VFS_OPEN_IF      3
#define VFS_OVERWRITE    4
#define VFS_OVERWRITE_IF 5

#define VFS_DID_SUPERSEDE  0
#define VFS_DID_OPEN       1
#define VFS_DID_CREATE     2
#define VFS_DID_OVERWRITE  3
#define VFS_DOES_EXIST     4
#define VFS_DOES_NOT_EXIST 5

/* Create options (ntifs.h). */
#define VFS_DIRECTORY_FILE     UINT32_C(0x0001)
#define VFS_SYNCHRONOUS        UINT32_C(0x0030) /* ALERT 0x10 or NONALERT 0x20 */
#define VFS_NON_DIRECTORY_FILE UINT32_C(0x0040)
#define VFS_DELETE_ON_CLOSE    UINT32_C(0x1000)

/* File attributes (winnt.h). */
#define VFS_ATTRIBUTE_READONLY  UINT32_C(0x01)
#define VFS_ATTRIBUTE_DIRECTORY UINT32_C(0x10)
#define VFS_ATTRIBUTE_NORMAL    UINT32_C(0x80)

typedef struct vfs_file vfs_file;
typedef struct vfs_device vfs_device;

typedef struct vfs_info {
    uint64_t size, allocation;
    uint64_t time; /* creation, access, write and change: 100 ns since 1601 */
    uint32_t attributes;
} vfs_info;

typedef struct vfs_entry {
    char name[VFS_NAME_MAX];
    vfs_info info;
} vfs_entry;

typedef struct vfs_volume {
    const char *name; /* of the file system: "GDFX", "FATX" */
    uint32_t name_max;
    uint32_t bytes_per_sector, sectors_per_unit;
    uint64_t units, units_free;
    bool read_only;
} vfs_volume;

/* What a kind of device does. Paths are below the device: components separated by one '\\', "" for
 * its root. A NULL op answers STATUS_MEDIA_WRITE_PROTECTED. `node` is the device's own. */
typedef struct vfs_device_ops {
    /* STATUS_OBJECT_NAME_NOT_FOUND if only the last component is missing, else
     * STATUS_OBJECT_PATH_NOT_FOUND. */
    kstatus (*open)(vfs_device *device, const char *path, void **node);
    kstatus (*create)(vfs_device *device, const char *path, bool directory, void **node);
    void (*close)(vfs_device *device, void *node);
    void (*info)(vfs_device *device, void *node, vfs_info *info);
    /* Reads at most length bytes; *done 0 at the end is no error here. */
    kstatus (*read)(vfs_device *device, void *node, uint64_t offset, void *buffer, uint32_t length,
                    uint32_t *done);
    kstatus (*write)(vfs_device *device, void *node, uint64_t offset, const void *buffer,
                     uint32_t length, uint32_t *done);
    kstatus (*resize)(vfs_device *device, void *node, uint64_t size);
    kstatus (*removable)(vfs_device *device, void *node); /* may it go? an empty folder or a file */
    kstatus (*remove)(vfs_device *device, void *node);    /* its name goes now, storage at close */
    kstatus (*rename)(vfs_device *device, void *node, const char *path, bool replace);
    void (*flush)(vfs_device *device, void *node);
    /* The index-th name by folded byte order; STATUS_NO_MORE_FILES behind the last. */
    kstatus (*list)(vfs_device *device, void *node, uint32_t index, vfs_entry *entry);
    void (*volume)(vfs_device *device, vfs_volume *volume);
    void (*destroy)(vfs_device *device);
} vfs_device_ops;

/* First member of every device. */
struct vfs_device {
    const vfs_device_ops *ops;
    char mount[64]; /* "\Device\Harddisk0\Partition1" */
    uint64_t time;
    bool null; /* partition0: any path opens, nothing is ever read (LESSONS 49) */
    vfs_device *next;
    kernel *k;         /* once mounted: its log gets the warning */
    char warning[160]; /* a device's only one; "" while there is no reason */
};

/* Makes devices; NULL if the host refuses. The folder is opened once and walked beneath. */
vfs_device *vfs_host_create(const char *folder);
/* A writable tree in memory; with a folder (may be NULL) it starts as a copy of it, and changes are
 * written back to it. */
vfs_device *vfs_memory_create(const char *folder);
vfs_device *vfs_null_create(void);
/* Read-only file systems inside a regular file of the host: a disc's game partition, a package. The
 * descriptor is the device's once this succeeds; else NULL, and a sentence in `why`. */
bool vfs_gdfx_is(int file, uint64_t size); /* has one of the places the mark of a disc? */
vfs_device *vfs_gdfx_create(int file, uint64_t size, char *why, size_t room);
vfs_device *vfs_stfs_create(int file, uint64_t size, char *why, size_t room);
/* Takes the device over. */
void vfs_mount(vfs *v, vfs_device *device, const char *path);
/* For devices: what is wrong with the medium. The first line of a device is logged, now or when it
 * is mounted; later ones are dropped, so that a title which reads on does not fill the log. */
void vfs_device_warn(vfs_device *device, const char *text);
/* The title's device, with game: and d:. A disc is \Device\Cdrom0; a folder is the hard disk's first
 * partition, and \Device\Cdrom0 too. */
void vfs_mount_game(vfs *v, vfs_device *device, bool disc);

/* Links: name without `\??\`, "game:" or a path; target a path. Creating an existing one is a
 * STATUS_OBJECT_NAME_COLLISION. */
kstatus vfs_link_create(vfs *v, const char *name, const char *target);
kstatus vfs_link_delete(vfs *v, const char *name);
/* Target of a link, or NULL. */
const char *vfs_link_target(vfs *v, const char *name);

/* Opens or creates; *action is a VFS_DID_ or VFS_DOES_ number. `root`: path is relative to this
 * open folder (NULL: it is absolute). */
kstatus vfs_open(vfs *v, const vfs_file *root, const char *path, uint32_t disposition,
                 uint32_t options, vfs_file **file, uint32_t *action);
void vfs_close(vfs_file *file);
/* STATUS_END_OF_FILE at or behind the end, if length is not 0. */
kstatus vfs_read(vfs_file *file, uint64_t offset, void *buffer, uint32_t length, uint32_t *done);
kstatus vfs_write(vfs_file *file, uint64_t offset, const void *buffer, uint32_t length,
                  uint32_t *done);
kstatus vfs_resize(vfs_file *file, uint64_t size);
void vfs_info_get(vfs_file *file, vfs_info *info);
void vfs_flush(vfs_file *file);
void vfs_volume_get(vfs_file *file, vfs_volume *volume);
kstatus vfs_list(vfs_file *file, uint32_t index, vfs_entry *entry);
/* Sets or clears deletion at close. */
kstatus vfs_delete_set(vfs_file *file, bool remove);
/* Moves within the device; parents are made (LESSONS 45). */
kstatus vfs_rename(vfs *v, vfs_file *file, const vfs_file *root, const char *path, bool replace);
bool vfs_is_null(const vfs_file *file);
/* Canonical path: mount and components. Lives as long as the file. */
const char *vfs_path(const vfs_file *file);
/* What a path leads to. STATUS_NO_SUCH_FILE if nothing (LESSONS 44). */
kstatus vfs_query(vfs *v, const vfs_file *root, const char *path, vfs_info *info);

/* Case-insensitive order and equality of ASCII text. */
int vfs_compare(const char *a, const char *b);
/* `name` against a pattern of `*` and `?`, without case; "" and "*.*" match everything (NT). */
bool vfs_match(const char *pattern, const char *name);

#endif
