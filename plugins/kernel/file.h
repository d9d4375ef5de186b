/* What the file exports share: file.c (opening and transfers), file_info.c (everything else). */
#ifndef WEFT_KERNEL_FILE_H
#define WEFT_KERNEL_FILE_H

#include "vfs.h"

/* Access rights (winnt.h). */
#define KFILE_READ_DATA   UINT32_C(0x00000001)
#define KFILE_WRITE_DATA  UINT32_C(0x00000002)
#define KFILE_APPEND_DATA UINT32_C(0x00000004)
#define KFILE_DELETE      UINT32_C(0x00010000)
#define KFILE_ALL         UINT32_C(0x10000000)
#define KFILE_WRITE       UINT32_C(0x40000000)
#define KFILE_READ        UINT32_C(0x80000000)

/* The data of a KOBJECT_FILE. */
typedef struct kfile {
    vfs_file *file;
    uint64_t position;
    uint32_t access, options;
    uint32_t listed; /* next index of a directory scan */
    bool scanning;
    char pattern[VFS_NAME_MAX]; /* of that scan */
    kobject *port;              /* retained: is told of each transfer that ends; NULL: none */
    uint32_t port_key;
} kfile;

/* A transfer, as asked for. The forms for pages have a list of their addresses in `buffer`. */
enum { KFILE_READING, KFILE_SCATTER, KFILE_WRITING, KFILE_GATHER };
#define KFILE_OFFSET_APPEND  UINT64_C(0xFFFFFFFFFFFFFFFF) /* FILE_WRITE_TO_END_OF_FILE */
#define KFILE_OFFSET_CURRENT UINT64_C(0xFFFFFFFFFFFFFFFE) /* FILE_USE_FILE_POINTER_POSITION */
typedef struct kfile_transfer {
    uint32_t what, buffer, length;
    uint32_t status_block, routine, context; /* each may be 0 */
    uint64_t offset;
} kfile_transfer;

/* Begins a transfer on a file, with an event to signal or NULL. On a synchronous file the caller waits,
 * and `cont` finds the status in cont_data[0] and the bytes moved in [1]; [2] and [3] are the caller's
 * own. On any other r3 becomes STATUS_PENDING. */
uint32_t kfile_begin(kcall *call, kobject *file, kobject *event, const kfile_transfer *t,
                     kcontinuation cont);
/* Whether a file was opened for such transfers. */
bool kfile_may(const kfile *file, uint32_t what);

/* Wraps an open file in an object and a handle, 0: none. Takes the file over. */
uint32_t kfile_handle(kcall *call, vfs_file *opened, uint32_t access, uint32_t options);
/* vfs.open: of a handle, or 0 where it was refused. */
void kfile_emit_open(kcall *call, uint32_t handle, const char *path, uint32_t access,
                     uint32_t disposition, uint32_t options, kstatus status);

/* The file behind a handle, NULL if it is none. */
kfile *kfile_get(kcall *call, uint32_t handle);
bool kfile_is_synchronous(const kfile *file);

/* Path and root of an OBJECT_ATTRIBUTES {root handle u32@0, ANSI_STRING *@4, attributes u32@8};
 * *root NULL for an absolute path. STATUS_OBJECT_NAME_INVALID for characters that no device takes.
 */
kstatus kfile_name(kcall *call, uint32_t attributes, char *path, const vfs_file **root);
/* The same check for a text; patterns may hold `*` and `?`. */
bool kfile_name_valid(const char *name, bool pattern);

/* Stores an IO_STATUS_BLOCK {status u32@0, information u32@4}; address 0: nothing. */
void kfile_put_status(kcall *call, uint32_t address, kstatus status, uint32_t information);

#endif
