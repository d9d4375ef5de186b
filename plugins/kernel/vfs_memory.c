/* A writable device: a tree in memory. By default it starts empty and is forgotten, so that two
 * runs begin alike; with a folder it starts as a copy of that folder, and a file is written back
 * when it is flushed or closed. Names in the folder are the guest's, checked by vfs.c: one
 * component each, no
 * '/' and no `..`; links in the folder are neither read nor followed. */
#include "vfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT_BYTES   UINT64_C(0x4000)     /* a FATX cluster */
#define DEVICE_BYTES UINT64_C(0x40000000) /* what a device holds */
#define DEPTH_MAX    32
#define NODES_MOST   (DEVICE_BYTES / UNIT_BYTES) /* were there a cluster for each */

typedef struct node {
    char name[VFS_NAME_MAX];
    bool directory;
    bool gone;  /* removed, or never linked: freed at the last close */
    bool dirty; /* to be written to the folder */
    uint32_t opens;
    uint8_t *data;
    uint64_t size, capacity;
    struct node *parent, *child, *next; /* children sorted by folded name */
} node;

typedef struct device {
    vfs_device head;
    node root;
    uint64_t used;
    uint64_t nodes; /* files and folders below the root */
    int folder;     /* -1: none */
} device;

/* ---- tree ------------------------------------------------------------------------------------ */

static node *child_find(const node *parent, const char *name)
{
    for (node *n = parent->child; n; n = n->next) {
        if (vfs_compare(n->name, name) == 0) {
            return n;
        }
    }
    return NULL;
}

static void child_link(node *parent, node *n)
{
    node **at = &parent->child;
    while (*at && vfs_compare((*at)->name, n->name) < 0) {
        at = &(*at)->next;
    }
    n->parent = parent;
    n->next = *at;
    *at = n;
}

static void child_unlink(node *n)
{
    node **at = &n->parent->child;
    while (*at != n) {
        at = &(*at)->next;
    }
    *at = n->next;
    n->next = NULL;
}

static node *node_make(device *d, node *parent, const char *name, bool directory)
{
    node *n = d->nodes < NODES_MOST ? calloc(1, sizeof *n) : NULL;
    if (n) {
        d->nodes++;
        snprintf(n->name, sizeof n->name, "%s", name);
        n->directory = directory;
        child_link(parent, n);
    }
    return n;
}

static void node_free(device *d, node *n)
{
    for (node *at = n, *up;; at = up) { /* a title can nest folders deeper than the stack is */
        while (at->child) {
            at = at->child;
        }
        up = at == n ? NULL : at->parent;
        if (up) {
            up->child = at->next;
        }
        d->used -= at->size;
        free(at->data);
        if (at != &d->root) {
            d->nodes--;
            free(at);
        }
        if (!up) {
            return;
        }
    }
}

/* Walks a path as far as it exists. *rest is what is left, `name` its
 * first component (or the last one that exists). */
static node *walk(device *d, const char *path, const char **rest, char *name)
{
    node *at = &d->root;
    while (*path) {
        size_t length = strcspn(path, "\\");
        if (length >= VFS_NAME_MAX) {
            break;
        }
        memcpy(name, path, length);
        name[length] = 0;
        node *next = at->directory ? child_find(at, name) : NULL;
        if (!next) {
            break;
        }
        at = next;
        path += length + (path[length] == '\\');
    }
    *rest = path;
    return at;
}

/* ---- the folder ------------------------------------------------------------------------------ */

/* Descriptor of the host folder of a node, or -1. */
static int folder_of(const device *d, const node *n)
{
    if (n == &d->root) {
        return fcntl(d->folder, F_DUPFD_CLOEXEC, 0);
    }
    int parent = folder_of(d, n->parent);
    if (parent < 0) {
        return -1;
    }
    int fd = openat(parent, n->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close(parent);
    return fd;
}

/* Writes a file, or makes a folder. Failures leave the tree in memory as the truth. */
static void folder_store(device *d, node *n)
{
    if (d->folder < 0 || !n->dirty || n->gone) {
        return;
    }
    n->dirty = false;
    int parent = folder_of(d, n->parent);
    if (parent < 0) {
        return;
    }
    if (n->directory) {
        mkdirat(parent, n->name, 0777);
    } else {
        int fd = openat(parent, n->name,
                        O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0666);
        uint64_t at = 0;
        while (fd >= 0 && at < n->size) {
            ssize_t put = write(fd, n->data + at, n->size - at);
            if (put <= 0) {
                break;
            }
            at += (uint64_t)put;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    close(parent);
}

static void folder_remove(device *d, const node *n)
{
    int parent = d->folder < 0 ? -1 : folder_of(d, n->parent);
    if (parent >= 0) {
        unlinkat(parent, n->name, n->directory ? AT_REMOVEDIR : 0);
        close(parent);
    }
}

static bool data_reserve(device *d, node *n, uint64_t size)
{
    if (size > DEVICE_BYTES || (size > n->size && d->used + (size - n->size) > DEVICE_BYTES)) {
        return false;
    }
    if (size > n->capacity) {
        uint64_t capacity = n->capacity ? n->capacity : 4096;
        while (capacity < size) {
            capacity *= 2;
        }
        uint8_t *grown = realloc(n->data, capacity);
        if (!grown) {
            return false;
        }
        n->data = grown;
        n->capacity = capacity;
    }
    return true;
}

static bool set_size(device *d, node *n, uint64_t size)
{
    if (!data_reserve(d, n, size)) {
        return false;
    }
    if (size > n->size) {
        memset(n->data + n->size, 0, size - n->size);
    }
    d->used = d->used - n->size + size;
    n->size = size;
    return true;
}

static int name_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void folder_load(device *d, node *into, int fd, int depth);

static void entry_load(device *d, node *into, int folder, const char *name, int depth)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0 || strlen(name) >= VFS_NAME_MAX ||
        (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) || child_find(into, name)) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    node *n = node_make(d, into, name, S_ISDIR(info.st_mode));
    if (n && n->directory) {
        folder_load(d, n, fd, depth + 1);
    } else if (n && set_size(d, n, (uint64_t)info.st_size)) {
        uint64_t at = 0;
        while (at < n->size) {
            ssize_t got = read(fd, n->data + at, n->size - at);
            if (got <= 0) {
                break;
            }
            at += (uint64_t)got;
        }
    }
    close(fd);
}

/* Copies a host folder into the tree, in byte order of names. */
static void folder_load(device *d, node *into, int fd, int depth)
{
    int again = depth < DEPTH_MAX ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    if (!dir) {
        if (again >= 0) {
            close(again);
        }
        return;
    }
    char **names = NULL;
    size_t count = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char **grown = realloc(names, (count + 1) * sizeof *names);
        if (!grown) {
            break;
        }
        names = grown;
        names[count] = strdup(entry->d_name);
        count += names[count] != NULL;
    }
    closedir(dir);
    if (count > 0) {
        qsort(names, count, sizeof *names, name_order);
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], ".") != 0 && strcmp(names[i], "..") != 0) {
            entry_load(d, into, fd, names[i], depth);
        }
        free(names[i]);
    }
    free(names);
}

/* ---- ops ------------------------------------------------------------------------------------- */

static kstatus memory_open(vfs_device *head, const char *path, void **out)
{
    char name[VFS_NAME_MAX];
    const char *rest;
    node *n = walk((device *)head, path, &rest, name);
    if (*rest) {
        return n->directory && !strchr(rest, '\\') ? STATUS_OBJECT_NAME_NOT_FOUND
                                                   : STATUS_OBJECT_PATH_NOT_FOUND;
    }
    n->opens++;
    *out = n;
    return STATUS_SUCCESS;
}

static kstatus memory_create(vfs_device *head, const char *path, bool directory, void **out)
{
    device *d = (device *)head;
    char name[VFS_NAME_MAX];
    const char *rest;
    node *parent = walk(d, path, &rest, name);
    if (*rest == 0 || !parent->directory || strchr(rest, '\\')) {
        return STATUS_OBJECT_PATH_NOT_FOUND;
    }
    node *n = node_make(d, parent, name, directory);
    if (!n) {
        return d->nodes < NODES_MOST ? STATUS_NO_MEMORY : STATUS_DISK_FULL;
    }
    n->opens = 1;
    n->dirty = true;
    folder_store(d, n);
    *out = n;
    return STATUS_SUCCESS;
}

static void memory_close(vfs_device *head, void *data)
{
    node *n = data;
    if (--n->opens == 0 && n->gone) {
        node_free((device *)head, n);
    }
}

static void memory_info(vfs_device *head, void *data, vfs_info *info)
{
    const node *n = data;
    *info = (vfs_info){
        .size = n->size,
        .allocation = (n->size + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES,
        .time = head->time,
        .attributes = n->directory ? VFS_ATTRIBUTE_DIRECTORY : VFS_ATTRIBUTE_NORMAL,
    };
}

static kstatus memory_read(vfs_device *head, void *data, uint64_t offset, void *buffer,
                           uint32_t length, uint32_t *done)
{
    const node *n = data;
    *done = 0;
    if (offset < n->size) {
        *done = length < n->size - offset ? length : (uint32_t)(n->size - offset);
        memcpy(buffer, n->data + offset, *done);
    }
    return STATUS_SUCCESS;
}

static kstatus memory_write(vfs_device *head, void *data, uint64_t offset, const void *buffer,
                            uint32_t length, uint32_t *done)
{
    node *n = data;
    *done = 0;
    if (length == 0) {
        return STATUS_SUCCESS;
    }
    if (offset > DEVICE_BYTES ||
        (offset + length > n->size && !set_size((device *)head, n, offset + length))) {
        return STATUS_DISK_FULL;
    }
    memcpy(n->data + offset, buffer, length);
    n->dirty = true;
    *done = length;
    return STATUS_SUCCESS;
}

static kstatus memory_resize(vfs_device *head, void *data, uint64_t size)
{
    node *n = data;
    n->dirty = true;
    return set_size((device *)head, n, size) ? STATUS_SUCCESS : STATUS_DISK_FULL;
}

static kstatus memory_removable(vfs_device *head, void *data)
{
    const node *n = data;
    if (n == &((device *)head)->root) {
        return STATUS_ACCESS_DENIED;
    }
    return n->child ? STATUS_DIRECTORY_NOT_EMPTY : STATUS_SUCCESS;
}

static kstatus memory_remove(vfs_device *head, void *data)
{
    node *n = data;
    if (!n->gone) {
        folder_remove((device *)head, n);
        child_unlink(n);
        n->gone = true;
    }
    return STATUS_SUCCESS;
}

/* Makes the folders of a path; its last component in `name`. NULL: a file is in the way. */
static node *parents_make(device *d, const char *path, char *name)
{
    const char *rest;
    node *at = walk(d, path, &rest, name);
    while (at->directory && strchr(rest, '\\')) {
        at = node_make(d, at, name, true);
        if (!at) {
            return NULL;
        }
        at->dirty = true;
        folder_store(d, at);
        rest = strchr(rest, '\\') + 1;
        size_t length = strcspn(rest, "\\");
        if (length >= VFS_NAME_MAX) {
            return NULL;
        }
        memcpy(name, rest, length);
        name[length] = 0;
    }
    return at->directory ? at : NULL;
}

static kstatus memory_rename(vfs_device *head, void *data, const char *path, bool replace)
{
    device *d = (device *)head;
    node *n = data;
    char name[VFS_NAME_MAX];
    const char *rest;
    if (n == &d->root || n->gone) {
        return STATUS_ACCESS_DENIED;
    }
    node *there = walk(d, path, &rest, name);
    if (*rest == 0 && there != n) {
        if (!replace || there->directory || there->opens > 0) {
            return !replace ? STATUS_OBJECT_NAME_COLLISION : STATUS_ACCESS_DENIED;
        }
        memory_remove(head, there);
        node_free(d, there);
    }
    node *parent = *rest == 0 && there == n ? n->parent : parents_make(d, path, name);
    for (node *up = parent; up; up = up->parent) {
        if (up == n) {
            return STATUS_INVALID_PARAMETER; /* a folder into itself */
        }
    }
    if (!parent) {
        return STATUS_OBJECT_PATH_NOT_FOUND;
    }
    /* a new spelling of the same name arrives here too: `name` is then as asked */
    const char *slash = strrchr(path, '\\');
    snprintf(name, sizeof name, "%s", slash ? slash + 1 : path);
    int from = d->folder < 0 ? -1 : folder_of(d, n->parent);
    int to = d->folder < 0 ? -1 : folder_of(d, parent);
    if (from >= 0 && to >= 0 && renameat(from, n->name, to, name) != 0) {
        n->dirty = true;
    }
    if (from >= 0) {
        close(from);
    }
    if (to >= 0) {
        close(to);
    }
    child_unlink(n);
    memcpy(n->name, name, sizeof n->name);
    child_link(parent, n);
    return STATUS_SUCCESS;
}

static void memory_flush(vfs_device *head, void *data)
{
    folder_store((device *)head, data);
}

static kstatus memory_list(vfs_device *head, void *data, uint32_t index, vfs_entry *entry)
{
    node *n = ((node *)data)->child;
    for (uint32_t i = 0; n && i < index; i++) {
        n = n->next;
    }
    if (!n) {
        return STATUS_NO_MORE_FILES;
    }
    memcpy(entry->name, n->name, sizeof entry->name);
    memory_info(head, n, &entry->info);
    return STATUS_SUCCESS;
}

static void memory_volume(vfs_device *head, vfs_volume *volume)
{
    *volume = (vfs_volume){
        .name = "FATX",
        .name_max = 42,
        .bytes_per_sector = 512,
        .sectors_per_unit = UNIT_BYTES / 512,
        .units = DEVICE_BYTES / UNIT_BYTES,
        .units_free = (DEVICE_BYTES - ((device *)head)->used) / UNIT_BYTES,
    };
}

static void memory_destroy(vfs_device *head)
{
    device *d = (device *)head;
    node_free(d, &d->root);
    if (d->folder >= 0) {
        close(d->folder);
    }
    free(d);
}

static const vfs_device_ops memory_ops = {
    .open = memory_open,
    .create = memory_create,
    .close = memory_close,
    .info = memory_info,
    .read = memory_read,
    .write = memory_write,
    .resize = memory_resize,
    .removable = memory_removable,
    .remove = memory_remove,
    .rename = memory_rename,
    .flush = memory_flush,
    .list = memory_list,
    .volume = memory_volume,
    .destroy = memory_destroy,
};

vfs_device *vfs_memory_create(const char *folder)
{
    device *d = calloc(1, sizeof *d);
    if (!d) {
        return NULL;
    }
    d->head.ops = &memory_ops;
    d->root.directory = true;
    d->folder = -1;
    if (folder) {
        mkdir(folder, 0777);
        d->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (d->folder < 0) {
            free(d);
            return NULL;
        }
        folder_load(d, &d->root, d->folder, 0);
    }
    return &d->head;
}
