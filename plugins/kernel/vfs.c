/* Paths, links, devices and open files. What a device does with a path is its own file's business:
 * vfs_host.c (the title's folder), vfs_memory.c (writable devices). */
#include "vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINK_ROUNDS 8 /* links may lead to links, but not for ever */

typedef struct link {
    char name[VFS_PATH_MAX], target[VFS_PATH_MAX];
    bool preset; /* the kernel's own: a title that makes it again is answered success (xenia) */
    struct link *next;
} link_entry;

#define LINKS_MOST 4096 /* symbolic links; a title makes a handful */

struct vfs {
    kernel *k;
    vfs_device *devices;
    link_entry *links;
    uint32_t link_count;
};

struct vfs_file {
    vfs_device *device;
    void *node;
    bool remove;
    char path[VFS_PATH_MAX + 64]; /* mount and components */
    const char *below;            /* into path: the part below the device */
};

/* ---- text ------------------------------------------------------------------------------------ */

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

int vfs_compare(const char *a, const char *b)
{
    while (*a && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return (int)fold(*a) - (int)fold(*b);
}

bool vfs_match(const char *pattern, const char *name)
{
    if (*pattern == 0 || strcmp(pattern, "*.*") == 0) {
        return true;
    }
    const char *star = NULL, *retry = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern && (*pattern == '?' || fold(*pattern) == fold(*name))) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == 0;
}

/* Length of `prefix` if the path starts with it at a component's end, else 0. */
static size_t prefix_length(const char *path, const char *prefix)
{
    size_t n = 0;
    while (prefix[n]) {
        if (fold(path[n]) != fold(prefix[n])) {
            return 0;
        }
        n++;
    }
    bool whole = path[n] == 0 || path[n] == '\\' || (n > 0 && prefix[n - 1] == '\\');
    return whole ? n : 0;
}

/* Appends the components of `path` to `out`, each after one '\\'; `.` and empty ones vanish and
 * `..` takes one back. False: above the root, or too long. */
static bool append_components(char *out, size_t capacity, const char *path)
{
    size_t root = strlen(out), length = root;
    while (*path) {
        size_t n = strcspn(path, "\\");
        if (n == 2 && path[0] == '.' && path[1] == '.') {
            if (length == root) {
                return false;
            }
            while (out[length - 1] != '\\') {
                length--;
            }
            length--;
        } else if (n > 0 && !(n == 1 && path[0] == '.')) {
            if (n >= VFS_NAME_MAX || length + n + 2 > capacity) {
                return false;
            }
            out[length++] = '\\';
            memcpy(out + length, path, n);
            length += n;
        }
        path += n;
        path += *path == '\\';
    }
    out[length] = 0;
    return true;
}

static const char *skip_dos_prefix(const char *path)
{
    return strncmp(path, "\\??\\", 4) == 0 ? path + 4 : path;
}

/* ---- links and devices ----------------------------------------------------------------------- */

static link_entry **link_find(vfs *v, const char *name)
{
    link_entry **at = &v->links;
    while (*at && vfs_compare((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    return at;
}

kstatus vfs_link_create(vfs *v, const char *name, const char *target)
{
    name = skip_dos_prefix(name);
    size_t length = strlen(name);
    if (length == 0 || length >= VFS_PATH_MAX || strlen(target) >= VFS_PATH_MAX) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    link_entry **at = link_find(v, name);
    if (*at) {
        return (*at)->preset ? STATUS_SUCCESS : STATUS_OBJECT_NAME_COLLISION;
    }
    if (v->link_count == LINKS_MOST) { /* NT: no pool for the object */
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    link_entry *made = calloc(1, sizeof *made);
    if (!made) {
        return STATUS_NO_MEMORY;
    }
    snprintf(made->name, sizeof made->name, "%s", name);
    snprintf(made->target, sizeof made->target, "%s", skip_dos_prefix(target));
    made->next = v->links;
    v->links = made;
    v->link_count++;
    return STATUS_SUCCESS;
}

kstatus vfs_link_delete(vfs *v, const char *name)
{
    link_entry **at = link_find(v, skip_dos_prefix(name));
    link_entry *gone = *at;
    if (!gone) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    *at = gone->next;
    v->link_count--;
    free(gone);
    return STATUS_SUCCESS;
}

const char *vfs_link_target(vfs *v, const char *name)
{
    link_entry *found = *link_find(v, skip_dos_prefix(name));
    return found ? found->target : NULL;
}

/* A link that is there before the title starts. */
static void link_preset(vfs *v, const char *name, const char *target)
{
    if (vfs_link_create(v, name, target) == STATUS_SUCCESS) {
        v->links->preset = true;
    }
}

void vfs_mount(vfs *v, vfs_device *device, const char *path)
{
    snprintf(device->mount, sizeof device->mount, "%s", path);
    device->time = v->k->machine->rtc;
    device->next = v->devices;
    v->devices = device;
    device->k = v->k;
    if (device->warning[0]) {
        v->k->host->log(v->k->host, WEFT_LOG_WARN, device->warning);
    }
}

void vfs_device_warn(vfs_device *device, const char *text)
{
    if (device->warning[0]) {
        return;
    }
    snprintf(device->warning, sizeof device->warning, "%s", text);
    if (device->k) {
        device->k->host->log(device->k->host, WEFT_LOG_WARN, device->warning);
    }
}

/* Replaces links in front of an absolute path until none matches. */
static bool expand_links(vfs *v, char *path, size_t capacity)
{
    for (int round = 0; round < LINK_ROUNDS; round++) {
        const link_entry *best = NULL;
        size_t length = 0;
        for (const link_entry *l = v->links; l; l = l->next) {
            size_t n = prefix_length(path, l->name);
            if (n > length) {
                best = l;
                length = n;
            }
        }
        if (!best) {
            return true;
        }
        char longer[VFS_PATH_MAX * 2];
        int n = snprintf(longer, sizeof longer, "%s\\%s", best->target, path + length);
        if (n < 0 || (size_t)n >= capacity) {
            return false;
        }
        memcpy(path, longer, (size_t)n + 1);
    }
    return false;
}

/* Finds the device and canonical path; *below points behind the mount's part, without the '\\'. */
static kstatus resolve(vfs *v, const vfs_file *root, const char *path, vfs_device **device,
                       char *canonical, size_t capacity, const char **below)
{
    char text[VFS_PATH_MAX];
    path = skip_dos_prefix(path);
    size_t length = strlen(path);
    if (length >= sizeof text) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    for (size_t i = 0; i <= length; i++) {
        text[i] = path[i] == '/' ? '\\' : path[i];
    }
    const char *rest = text;
    if (root) {
        *device = root->device;
        snprintf(canonical, capacity, "%s", root->path);
    } else {
        if (length == 0) {
            return STATUS_OBJECT_NAME_INVALID;
        }
        if (!expand_links(v, text, sizeof text)) {
            return STATUS_OBJECT_NAME_INVALID;
        }
        size_t best = 0;
        *device = NULL;
        for (vfs_device *d = v->devices; d; d = d->next) {
            size_t n = prefix_length(text, d->mount);
            if (n > best) {
                best = n;
                *device = d;
            }
        }
        if (!*device) {
            return STATUS_OBJECT_NAME_NOT_FOUND;
        }
        snprintf(canonical, capacity, "%s", (*device)->mount);
        rest = text + best;
    }
    if (!append_components(canonical, capacity, rest)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    *below = canonical + strlen((*device)->mount);
    *below += **below == '\\';
    return STATUS_SUCCESS;
}

/* ---- the null device ------------------------------------------------------------------------- */

static kstatus null_open(vfs_device *device, const char *path, void **node)
{
    *node = device;
    return STATUS_SUCCESS;
}

static void null_close(vfs_device *device, void *node)
{
}

static void null_info(vfs_device *device, void *node, vfs_info *info)
{
    *info = (vfs_info){.time = device->time, .attributes = VFS_ATTRIBUTE_NORMAL};
}

static kstatus null_read(vfs_device *device, void *node, uint64_t offset, void *buffer,
                         uint32_t length, uint32_t *done)
{
    *done = 0;
    return STATUS_SUCCESS;
}

static kstatus null_write(vfs_device *device, void *node, uint64_t offset, const void *buffer,
                          uint32_t length, uint32_t *done)
{
    *done = length;
    return STATUS_SUCCESS;
}

static kstatus null_list(vfs_device *device, void *node, uint32_t index, vfs_entry *entry)
{
    return STATUS_NO_MORE_FILES;
}

static void null_volume(vfs_device *device, vfs_volume *volume)
{
    *volume = (vfs_volume){
        .name = "RAW",
        .name_max = 0,
        .bytes_per_sector = 512,
        .sectors_per_unit = 1,
    };
}

static void null_destroy(vfs_device *device)
{
    free(device);
}

static const vfs_device_ops null_ops = {
    .open = null_open,
    .close = null_close,
    .info = null_info,
    .read = null_read,
    .write = null_write,
    .list = null_list,
    .volume = null_volume,
    .destroy = null_destroy,
};

vfs_device *vfs_null_create(void)
{
    vfs_device *device = calloc(1, sizeof *device);
    if (device) {
        device->ops = &null_ops;
        device->null = true;
    }
    return device;
}

/* ---- open files ------------------------------------------------------------------------------ */

static bool is_directory(vfs_device *device, void *node)
{
    vfs_info info;
    device->ops->info(device, node, &info);
    return (info.attributes & VFS_ATTRIBUTE_DIRECTORY) != 0;
}

/* What the disposition and options say about a node that exists; empties it if asked to. */
static kstatus accept_existing(vfs_device *device, void *node, uint32_t disposition,
                               uint32_t options, uint32_t *action)
{
    bool directory = is_directory(device, node);
    *action = VFS_DOES_EXIST;
    if (disposition == VFS_CREATE) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    if (directory && (options & VFS_NON_DIRECTORY_FILE)) {
        return STATUS_FILE_IS_A_DIRECTORY;
    }
    if (!directory && (options & VFS_DIRECTORY_FILE) && !device->null) {
        return STATUS_NOT_A_DIRECTORY;
    }
    if (disposition == VFS_OPEN || disposition == VFS_OPEN_IF || device->null) {
        *action = VFS_DID_OPEN;
        return STATUS_SUCCESS;
    }
    if (directory) {
        return STATUS_FILE_IS_A_DIRECTORY;
    }
    if (!device->ops->resize) {
        return STATUS_ACCESS_DENIED;
    }
    *action = disposition == VFS_SUPERSEDE ? VFS_DID_SUPERSEDE : VFS_DID_OVERWRITE;
    return device->ops->resize(device, node, 0);
}

kstatus vfs_open(vfs *v, const vfs_file *root, const char *path, uint32_t disposition,
                 uint32_t options, vfs_file **file, uint32_t *action)
{
    *file = NULL;
    *action = VFS_DOES_NOT_EXIST;
    if (disposition > VFS_OVERWRITE_IF ||
        ((options & VFS_DIRECTORY_FILE) && (options & VFS_NON_DIRECTORY_FILE))) {
        return STATUS_INVALID_PARAMETER;
    }
    vfs_file *made = calloc(1, sizeof *made);
    if (!made) {
        return STATUS_NO_MEMORY;
    }
    kstatus status =
        resolve(v, root, path, &made->device, made->path, sizeof made->path, &made->below);
    if (status != STATUS_SUCCESS) {
        free(made);
        return status;
    }
    vfs_device *device = made->device;
    status = device->ops->open(device, made->below, &made->node);
    if (status == STATUS_SUCCESS) {
        status = accept_existing(device, made->node, disposition, options, action);
        if (status != STATUS_SUCCESS) {
            device->ops->close(device, made->node);
        }
    } else if (status == STATUS_OBJECT_NAME_NOT_FOUND && disposition != VFS_OPEN &&
               disposition != VFS_OVERWRITE) {
        status = device->ops->create
                     ? device->ops->create(device, made->below, (options & VFS_DIRECTORY_FILE) != 0,
                                           &made->node)
                     : STATUS_ACCESS_DENIED;
        *action = status == STATUS_SUCCESS ? VFS_DID_CREATE : VFS_DOES_NOT_EXIST;
    }
    if (status != STATUS_SUCCESS) {
        free(made);
        return status;
    }
    made->remove = (options & VFS_DELETE_ON_CLOSE) != 0 && device->ops->remove;
    *file = made;
    return STATUS_SUCCESS;
}

void vfs_close(vfs_file *file)
{
    if (!file) {
        return;
    }
    const vfs_device_ops *ops = file->device->ops;
    if (file->remove && ops->removable(file->device, file->node) == STATUS_SUCCESS) {
        ops->remove(file->device, file->node);
    } else if (ops->flush) {
        ops->flush(file->device, file->node);
    }
    ops->close(file->device, file->node);
    free(file);
}

kstatus vfs_read(vfs_file *file, uint64_t offset, void *buffer, uint32_t length, uint32_t *done)
{
    *done = 0;
    if (is_directory(file->device, file->node)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    kstatus status =
        file->device->ops->read(file->device, file->node, offset, buffer, length, done);
    if (status == STATUS_SUCCESS && *done == 0 && length != 0 && !file->device->null) {
        return STATUS_END_OF_FILE;
    }
    return status;
}

kstatus vfs_write(vfs_file *file, uint64_t offset, const void *buffer, uint32_t length,
                  uint32_t *done)
{
    *done = 0;
    if (!file->device->ops->write) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    if (is_directory(file->device, file->node)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    return file->device->ops->write(file->device, file->node, offset, buffer, length, done);
}

kstatus vfs_resize(vfs_file *file, uint64_t size)
{
    if (!file->device->ops->resize) {
        return file->device->null ? STATUS_SUCCESS : STATUS_MEDIA_WRITE_PROTECTED;
    }
    if (is_directory(file->device, file->node)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    return file->device->ops->resize(file->device, file->node, size);
}

void vfs_info_get(vfs_file *file, vfs_info *info)
{
    file->device->ops->info(file->device, file->node, info);
}

void vfs_flush(vfs_file *file)
{
    if (file->device->ops->flush) {
        file->device->ops->flush(file->device, file->node);
    }
}

void vfs_volume_get(vfs_file *file, vfs_volume *volume)
{
    file->device->ops->volume(file->device, volume);
}

kstatus vfs_list(vfs_file *file, uint32_t index, vfs_entry *entry)
{
    if (!file->device->null && !is_directory(file->device, file->node)) {
        return STATUS_INVALID_PARAMETER;
    }
    return file->device->ops->list(file->device, file->node, index, entry);
}

kstatus vfs_delete_set(vfs_file *file, bool remove)
{
    if (!file->device->ops->remove) {
        return remove ? STATUS_MEDIA_WRITE_PROTECTED : STATUS_SUCCESS;
    }
    kstatus status =
        remove ? file->device->ops->removable(file->device, file->node) : STATUS_SUCCESS;
    if (status == STATUS_SUCCESS) {
        file->remove = remove;
    }
    return status;
}

kstatus vfs_rename(vfs *v, vfs_file *file, const vfs_file *root, const char *path, bool replace)
{
    char canonical[sizeof file->path];
    const char *below;
    vfs_device *device;
    if (!file->device->ops->rename) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    kstatus status = resolve(v, root, path, &device, canonical, sizeof canonical, &below);
    if (status != STATUS_SUCCESS) {
        return status;
    }
    if (device != file->device) {
        return STATUS_NOT_SAME_DEVICE;
    }
    if (*below == 0) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    status = device->ops->rename(device, file->node, below, replace);
    if (status == STATUS_SUCCESS) {
        size_t at = (size_t)(below - canonical);
        memcpy(file->path, canonical, sizeof canonical);
        file->below = file->path + at;
    }
    return status;
}

bool vfs_is_null(const vfs_file *file)
{
    return file->device->null;
}

const char *vfs_path(const vfs_file *file)
{
    return file->path;
}

kstatus vfs_query(vfs *v, const vfs_file *root, const char *path, vfs_info *info)
{
    vfs_file *file;
    uint32_t action;
    kstatus status = vfs_open(v, root, path, VFS_OPEN, 0, &file, &action);
    if (status != STATUS_SUCCESS) {
        return status == STATUS_OBJECT_NAME_INVALID || status == STATUS_NO_MEMORY
                   ? status
                   : STATUS_NO_SUCH_FILE;
    }
    vfs_info_get(file, info);
    vfs_close(file);
    return STATUS_SUCCESS;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The writable devices and where titles look for them (xenia app/emulator_window, LESSONS 46). The
 * last is XAM's (xam_storage.c). */
static const struct {
    const char *mount, *link, *folder;
} writable[] = {
    {"\\CACHE", "cache:", "cache"},
    {"\\CACHE0", "cache0:", "cache0"},
    {"\\CACHE1", "cache1:", "cache1"},
    {"\\CONTENT", NULL, "content"},
};

/* Raw partitions that mounting code probes (LESSONS 49). */
static const char *const raw[] = {
    "\\Device\\Harddisk0\\Partition0",
    "\\Device\\Harddisk0\\Cache0",
    "\\Device\\Harddisk0\\Cache1",
};

vfs *vfs_create(kernel *k)
{
    vfs *v = calloc(1, sizeof *v);
    if (!v) {
        return NULL;
    }
    v->k = k;
    const char *state = k->machine->state_folder;
    for (size_t i = 0; i < sizeof writable / sizeof writable[0]; i++) {
        char folder[4096];
        bool kept = state && state[0];
        if (kept && snprintf(folder, sizeof folder, "%s/%s", state, writable[i].folder) >=
                        (int)sizeof folder) {
            kept = false;
        }
        vfs_device *device = vfs_memory_create(kept ? folder : NULL);
        if (!device) {
            char text[256];
            snprintf(text, sizeof text, "machine.state: cannot use \"%.200s\"", state);
            k->host->fail(k->host, WEFT_E_IO, text);
            vfs_destroy(v);
            return NULL;
        }
        vfs_mount(v, device, writable[i].mount);
        if (writable[i].link) {
            link_preset(v, writable[i].link, writable[i].mount);
        }
    }
    for (size_t i = 0; i < sizeof raw / sizeof raw[0]; i++) {
        vfs_device *device = vfs_null_create();
        if (device) {
            vfs_mount(v, device, raw[i]);
        }
    }
    return v;
}

void vfs_destroy(vfs *v)
{
    if (!v) {
        return;
    }
    while (v->devices) {
        vfs_device *next = v->devices->next;
        v->devices->ops->destroy(v->devices);
        v->devices = next;
    }
    while (v->links) {
        link_entry *next = v->links->next;
        free(v->links);
        v->links = next;
    }
    free(v);
}

void vfs_mount_game(vfs *v, vfs_device *device, bool disc)
{
    vfs_mount(v, device, disc ? "\\Device\\Cdrom0" : "\\Device\\Harddisk0\\Partition1");
    if (!disc) {
        link_preset(v, "\\Device\\Cdrom0", device->mount);
    }
    link_preset(v, "game:", device->mount);
    link_preset(v, "d:", device->mount);
}

kstatus vfs_mount_title(vfs *v, const char *host_folder)
{
    vfs_device *device = vfs_host_create(host_folder);
    if (!device) {
        return STATUS_OBJECT_PATH_NOT_FOUND;
    }
    vfs_mount_game(v, device, false);
    return STATUS_SUCCESS;
}
