/* A host folder as a read-only device. Every component is opened beneath the folder's descriptor
 * with O_NOFOLLOW, and only plain files and folders count: no link, no `..`, no device leads out.
 */
#include "vfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT_BYTES 2048 /* a disc's sector */

typedef struct device {
    vfs_device head;
    int root;
} device;

typedef struct node {
    int fd;
    bool directory;
    uint64_t size; /* when it was opened: a file that grows meanwhile does not */
    char **names;  /* of a folder, sorted; read at the first listing */
    uint32_t count;
    bool listed;
} node;

static void names_free(node *n)
{
    for (uint32_t i = 0; i < n->count; i++) {
        free(n->names[i]);
    }
    free(n->names);
    n->names = NULL;
    n->count = 0;
}

/* Folded order first, so that listings look as the console's; then bytes, to have one order. */
static int name_order(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    int order = vfs_compare(x, y);
    return order != 0 ? order : strcmp(x, y);
}

/* All names of a folder, sorted, in n. */
static bool names_read(node *n)
{
    int again = openat(n->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    if (!dir) {
        if (again >= 0) {
            close(again);
        }
        return false;
    }
    uint32_t capacity = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (n->count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            char **grown = realloc(n->names, capacity * sizeof *grown);
            if (!grown) {
                break;
            }
            n->names = grown;
        }
        n->names[n->count] = strdup(entry->d_name);
        if (!n->names[n->count]) {
            break;
        }
        n->count++;
    }
    closedir(dir);
    if (n->count > 0) {
        qsort(n->names, n->count, sizeof *n->names, name_order);
    }
    return true;
}

/* Opens one plain file or folder by its exact name; -1 if there is none. */
static int open_exact(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return -1;
    }
    struct stat info;
    if (fstat(fd, &info) != 0 || (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

static int open_any_case(int folder, const char *name)
{
    int fd = open_exact(folder, name);
    if (fd >= 0) {
        return fd;
    }
    node listing = {.fd = folder};
    if (names_read(&listing)) {
        for (uint32_t i = 0; i < listing.count && fd < 0; i++) {
            if (vfs_compare(listing.names[i], name) == 0) {
                fd = open_exact(folder, listing.names[i]);
            }
        }
    }
    names_free(&listing);
    return fd;
}

static kstatus host_open(vfs_device *head, const char *path, void **out)
{
    int fd = openat(((device *)head)->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return STATUS_OBJECT_PATH_NOT_FOUND;
    }
    while (*path) {
        char name[VFS_NAME_MAX];
        size_t length = strcspn(path, "\\");
        bool last = path[length] == 0;
        if (length == 0 || length >= sizeof name) {
            close(fd);
            return STATUS_OBJECT_NAME_INVALID;
        }
        memcpy(name, path, length);
        name[length] = 0;
        /* resolve() leaves neither; refused here too, where the host would follow them */
        bool climbs = strcmp(name, "..") == 0 || strchr(name, '/') != NULL;
        int next = climbs ? -1 : open_any_case(fd, name);
        struct stat parent;
        bool folder = fstat(fd, &parent) == 0 && S_ISDIR(parent.st_mode);
        close(fd);
        if (next < 0) {
            return last && folder ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_OBJECT_PATH_NOT_FOUND;
        }
        fd = next;
        path += length + (last ? 0 : 1);
    }
    struct stat info;
    node *n = calloc(1, sizeof *n);
    if (!n || fstat(fd, &info) != 0) {
        free(n);
        close(fd);
        return STATUS_NO_MEMORY;
    }
    n->fd = fd;
    n->directory = S_ISDIR(info.st_mode);
    n->size = n->directory ? 0 : (uint64_t)info.st_size;
    *out = n;
    return STATUS_SUCCESS;
}

static void host_close(vfs_device *head, void *data)
{
    node *n = data;
    names_free(n);
    close(n->fd);
    free(n);
}

static void describe(const vfs_device *head, bool directory, uint64_t size, vfs_info *info)
{
    *info = (vfs_info){
        .size = size,
        .allocation = (size + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES,
        .time = head->time,
        .attributes = VFS_ATTRIBUTE_READONLY | (directory ? VFS_ATTRIBUTE_DIRECTORY : 0),
    };
}

static void host_info(vfs_device *head, void *data, vfs_info *info)
{
    const node *n = data;
    describe(head, n->directory, n->size, info);
}

static kstatus host_read(vfs_device *head, void *data, uint64_t offset, void *buffer,
                         uint32_t length, uint32_t *done)
{
    const node *n = data;
    *done = 0;
    if (offset >= n->size) {
        return STATUS_SUCCESS;
    }
    if (length > n->size - offset) {
        length = (uint32_t)(n->size - offset);
    }
    while (*done < length) {
        ssize_t got = pread(n->fd, (char *)buffer + *done, length - *done, (off_t)(offset + *done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return STATUS_UNSUCCESSFUL;
        }
        if (got == 0) {
            break;
        }
        *done += (uint32_t)got;
    }
    return STATUS_SUCCESS;
}

static kstatus host_list(vfs_device *head, void *data, uint32_t index, vfs_entry *entry)
{
    node *n = data;
    if (!n->listed) {
        n->listed = names_read(n);
    }
    uint32_t seen = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        /* names too long for the console and links do not exist for the title */
        struct stat info;
        if (strlen(n->names[i]) >= VFS_NAME_MAX ||
            fstatat(n->fd, n->names[i], &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))) {
            continue;
        }
        if (seen++ == index) {
            memcpy(entry->name, n->names[i], strlen(n->names[i]) + 1);
            bool directory = S_ISDIR(info.st_mode);
            describe(head, directory, directory ? 0 : (uint64_t)info.st_size, &entry->info);
            return STATUS_SUCCESS;
        }
    }
    return STATUS_NO_MORE_FILES;
}

/* A disc of 8 GB, full, in units of 2 KiB made of 512-byte sectors: titles ask that a sector has
 * 512 bytes (xenia xboxkrnl_io_info.cc). */
static void host_volume(vfs_device *head, vfs_volume *volume)
{
    *volume = (vfs_volume){
        .name = "GDFX",
        .name_max = 255,
        .bytes_per_sector = 512,
        .sectors_per_unit = UNIT_BYTES / 512,
        .units = UINT64_C(8) * 1024 * 1024 * 1024 / UNIT_BYTES,
        .units_free = 0,
        .read_only = true,
    };
}

static void host_destroy(vfs_device *head)
{
    close(((device *)head)->root);
    free(head);
}

static const vfs_device_ops host_ops = {
    .open = host_open,
    .close = host_close,
    .info = host_info,
    .read = host_read,
    .list = host_list,
    .volume = host_volume,
    .destroy = host_destroy,
};

vfs_device *vfs_host_create(const char *folder)
{
    device *d = calloc(1, sizeof *d);
    int root = d ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (root < 0) {
        free(d);
        return NULL;
    }
    d->head.ops = &host_ops;
    d->root = root;
    return &d->head;
}
