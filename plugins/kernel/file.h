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
