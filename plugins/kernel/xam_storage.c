/* Packages of content and profile settings, as files of the storage device (xam_storage.h). */
#include "xam_storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "xam.h"

#define DEVICE      "\\CONTENT"
#define PATH_BYTES  256 /* the longest has 8 + 17 + 9 + 19 + 43 characters, and files below it */
#define HEADER_SIZE (KCONTENT_DATA_SIZE + 8)
#define ROOT_MOST   31
#define DEPTH_MOST  32   /* of folders in a package */
#define LIST_MOST   4096 /* packages of one kind that are looked at */

typedef struct kxam_mount {
    char root[ROOT_MOST + 2]; /* with its colon */
    kcontent content;
    struct kxam_mount *next;
} kxam_mount;

/* ---- files -------------------------------------------------------------------------------------
 */

static uint32_t error_of(kstatus status)
{
    switch (status) {
    case STATUS_SUCCESS:
        return X_ERROR_SUCCESS;
    case STATUS_DISK_FULL:
        return X_ERROR_DISK_FULL;
    case STATUS_OBJECT_NAME_NOT_FOUND:
    case STATUS_OBJECT_PATH_NOT_FOUND:
    case STATUS_NO_SUCH_FILE:
        return X_ERROR_FILE_NOT_FOUND;
    default:
        return X_ERROR_ACCESS_DENIED;
    }
}

static kstatus open_path(kernel *k, const char *path, uint32_t disposition, uint32_t options,
                         vfs_file **file)
{
    uint32_t action;
    return vfs_open(k->vfs, NULL, path, disposition, options, file, &action);
}

/* Makes every folder of a path but its last component. */
static kstatus make_parents(kernel *k, const char *path)
{
    char part[VFS_PATH_MAX];
    for (const char *at = path + strlen(DEVICE) + 1; (at = strchr(at, '\\')) != NULL; at++) {
        vfs_file *folder;
        snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
        kstatus status = open_path(k, part, VFS_OPEN_IF, VFS_DIRECTORY_FILE, &folder);
        if (status != STATUS_SUCCESS) {
            return status;
        }
        vfs_close(folder);
    }
    return STATUS_SUCCESS;
}

static uint32_t write_file(kernel *k, const char *path, const uint8_t *bytes, uint32_t size)
{
    vfs_file *file;
    uint32_t done = 0;
    kstatus status = make_parents(k, path);
    if (status == STATUS_SUCCESS) {
        status = open_path(k, path, VFS_OVERWRITE_IF, VFS_NON_DIRECTORY_FILE, &file);
    }
    if (status == STATUS_SUCCESS) {
        status = vfs_write(file, 0, bytes, size, &done);
        vfs_close(file);
    }
    return error_of(status);
}

/* At most `room` bytes of a file; *size is how many it has. */
static uint32_t read_file(kernel *k, const char *path, uint8_t *bytes, uint32_t room,
                          uint32_t *size)
{
    vfs_file *file;
    vfs_info info;
    uint32_t done = 0;
    *size = 0;
    kstatus status = open_path(k, path, VFS_OPEN, VFS_NON_DIRECTORY_FILE, &file);
    if (status != STATUS_SUCCESS) {
        return X_ERROR_FILE_NOT_FOUND;
    }
    vfs_info_get(file, &info);
    *size = info.size < UINT32_MAX ? (uint32_t)info.size : UINT32_MAX;
    status = room ? vfs_read(file, 0, bytes, room, &done) : STATUS_SUCCESS;
    vfs_close(file);
    return error_of(status == STATUS_END_OF_FILE ? STATUS_SUCCESS : status);
}

/* Takes a file or a folder with all that is in it. */
static kstatus remove_path(kernel *k, const char *path, unsigned depth)
{
    vfs_file *file;
    vfs_info info;
    kstatus status = open_path(k, path, VFS_OPEN, 0, &file);
    if (status != STATUS_SUCCESS) {
        return status;
    }
    vfs_info_get(file, &info);
    vfs_entry *entry = info.attributes & VFS_ATTRIBUTE_DIRECTORY ? malloc(sizeof *entry) : NULL;
    while (entry && status == STATUS_SUCCESS && vfs_list(file, 0, entry) == STATUS_SUCCESS) {
        char child[VFS_PATH_MAX];
        int length = snprintf(child, sizeof child, "%s\\%s", path, entry->name);
        status = depth == DEPTH_MOST || length >= (int)sizeof child
                     ? STATUS_ACCESS_DENIED
                     : remove_path(k, child, depth + 1);
    }
    free(entry);
    status = status == STATUS_SUCCESS ? vfs_delete_set(file, true) : status;
    vfs_close(file);
    return status;
}

/* ---- packages ----------------------------------------------------------------------------------
 */

/* `kind` "", ".header" or ".thumbnail"; a name "" leads to the folder of all. */
static void path_of(const kcontent *c, const char *kind, char *path, size_t capacity)
{
    snprintf(path, capacity, DEVICE "\\%016llX\\%08X\\%08X%s%s%s", (unsigned long long)c->xuid,
             c->title, c->type, kind, c->name[0] ? "\\" : "", c->name);
}

void kcontent_path(const kcontent *content, char *path, size_t capacity)
{
    path_of(content, "", path, capacity);
}

uint32_t kcontent_parse(const uint8_t *data, uint64_t xuid, uint32_t title, kcontent *c)
{
    uint32_t device = weft_load32(data);
    memcpy(c->data, data, sizeof c->data);
    c->xuid = xuid;
    c->title = title;
    c->type = weft_load32(data + KCONTENT_TYPE);
    memcpy(c->name, data + KCONTENT_NAME, KCONTENT_NAME_BYTES);
    c->name[KCONTENT_NAME_BYTES] = 0;
    if (device > KSTORAGE_DEVICE) {
        return X_ERROR_DEVICE_NOT_CONNECTED;
    }
    bool dots = c->name[strspn(c->name, ".")] == 0; /* "", ".", ".." */
    bool good = !dots && !strpbrk(c->name, "\\/:") && kfile_name_valid(c->name, false);
    return good ? X_ERROR_SUCCESS : X_ERROR_INVALID_PARAMETER;
}

bool kcontent_exists(kernel *k, const kcontent *c)
{
    char path[PATH_BYTES];
    vfs_info info;
    path_of(c, "", path, sizeof path);
    return vfs_query(k->vfs, NULL, path, &info) == STATUS_SUCCESS;
}

uint32_t kcontent_create(kernel *k, const kcontent *c)
{
    char path[PATH_BYTES];
    uint8_t header[HEADER_SIZE];
    vfs_file *folder;
    if (kcontent_exists(k, c)) {
        return X_ERROR_ALREADY_EXISTS;
    }
    path_of(c, ".header", path, sizeof path);
    memcpy(header, c->data, KCONTENT_DATA_SIZE);
    weft_store32(header, KSTORAGE_DEVICE);
    weft_store64(header + KCONTENT_DATA_SIZE, c->xuid);
    uint32_t result = write_file(k, path, header, sizeof header);
    if (result != X_ERROR_SUCCESS) {
        return result;
    }
    path_of(c, "", path, sizeof path);
    kstatus status = make_parents(k, path);
    if (status == STATUS_SUCCESS) {
        status = open_path(k, path, VFS_CREATE, VFS_DIRECTORY_FILE, &folder);
    }
    if (status == STATUS_SUCCESS) {
        vfs_close(folder);
    }
    return error_of(status);
}

static bool same_content(const kcontent *a, const kcontent *b)
{
    return a->xuid == b->xuid && a->title == b->title && a->type == b->type &&
           vfs_compare(a->name, b->name) == 0;
}

uint32_t kcontent_delete(kernel *k, const kcontent *c)
{
    char path[PATH_BYTES];
    for (const kxam_mount *m = k->xam.mounts; m; m = m->next) {
        if (same_content(&m->content, c)) {
            return X_ERROR_ACCESS_DENIED;
        }
    }
    path_of(c, "", path, sizeof path);
    kstatus status = remove_path(k, path, 0);
    if (status == STATUS_SUCCESS) {
        path_of(c, ".header", path, sizeof path);
        remove_path(k, path, 0);
        path_of(c, ".thumbnail", path, sizeof path);
        remove_path(k, path, 0);
    }
    return error_of(status);
}

/* The header as it was written; false: there is none, or somebody else's bytes. */
static bool read_header(kernel *k, const kcontent *c, uint8_t *header)
{
    char path[PATH_BYTES];
    uint32_t size;
    path_of(c, ".header", path, sizeof path);
    return read_file(k, path, header, HEADER_SIZE, &size) == X_ERROR_SUCCESS && size == HEADER_SIZE;
}

uint64_t kcontent_creator(kernel *k, const kcontent *c)
{
    uint8_t header[HEADER_SIZE];
    return read_header(k, c, header) ? weft_load64(header + KCONTENT_DATA_SIZE) : 0;
}

/* XCONTENT_DATA of the package that `c` names: its header's, or what its folder tells. */
static void describe(kernel *k, const kcontent *c, uint8_t *data)
{
    uint8_t header[HEADER_SIZE];
    memset(data, 0, KCONTENT_DATA_SIZE);
    if (read_header(k, c, header)) {
        memcpy(data, header, KCONTENT_NAME);
    } else {
        kxam_put_wide(data + KCONTENT_DISPLAY, KCONTENT_DISPLAY_UNITS, c->name);
    }
    weft_store32(data, KSTORAGE_DEVICE);
    weft_store32(data + KCONTENT_TYPE, c->type);
    memcpy(data + KCONTENT_NAME, c->name, strlen(c->name));
}

bool kcontent_list(kernel *k, uint64_t xuid, uint32_t title, uint32_t type, uint8_t **items,
                   uint32_t *count)
{
    kcontent c = {.xuid = xuid, .title = title, .type = type};
    char path[PATH_BYTES];
    vfs_file *folder;
    path_of(&c, "", path, sizeof path);
    if (open_path(k, path, VFS_OPEN, VFS_DIRECTORY_FILE, &folder) != STATUS_SUCCESS) {
        return true; /* nothing of that kind was ever made */
    }
    vfs_entry *entry = malloc(sizeof *entry);
    bool good = entry != NULL;
    for (uint32_t i = 0; good && i < LIST_MOST && vfs_list(folder, i, entry) == STATUS_SUCCESS;
         i++) {
        /* a state folder may hold what no package can be */
        if (!(entry->info.attributes & VFS_ATTRIBUTE_DIRECTORY) ||
            strlen(entry->name) > KCONTENT_NAME_BYTES) {
            continue;
        }
        uint8_t *grown = realloc(*items, (size_t)(*count + 1) * KCONTENT_DATA_SIZE);
        good = grown != NULL;
        if (good) {
            snprintf(c.name, sizeof c.name, "%s", entry->name);
            *items = grown;
            describe(k, &c, grown + (size_t)*count * KCONTENT_DATA_SIZE);
            ++*count;
        }
    }
    free(entry);
    vfs_close(folder);
    return good;
}

uint32_t kcontent_thumbnail_get(kernel *k, const kcontent *c, uint8_t *bytes, uint32_t room,
                                uint32_t *size)
{
    char path[PATH_BYTES];
    path_of(c, ".thumbnail", path, sizeof path);
    return read_file(k, path, bytes, room, size);
}

uint32_t kcontent_thumbnail_set(kernel *k, const kcontent *c, const uint8_t *bytes, uint32_t size)
{
    char path[PATH_BYTES];
    path_of(c, ".thumbnail", path, sizeof path);
    return kcontent_exists(k, c) ? write_file(k, path, bytes, size) : X_ERROR_FILE_NOT_FOUND;
}

/* ---- mounts ------------------------------------------------------------------------------------
 */

/* By root, with or without its colon. */
static kxam_mount **find_mount(kernel *k, const char *root)
{
    char wanted[ROOT_MOST + 2];
    kxam_mount **at = &k->xam.mounts;
    snprintf(wanted, sizeof wanted, "%.*s:", (int)strcspn(root, ":"), root);
    while (*at && vfs_compare((*at)->root, wanted) != 0) {
        at = &(*at)->next;
    }
    return at;
}

uint32_t kcontent_mount(kernel *k, const char *root, const kcontent *c)
{
    char path[PATH_BYTES];
    size_t length = strlen(root);
    if (length == 0 || length > ROOT_MOST || strpbrk(root, "\\/:") ||
        !kfile_name_valid(root, false)) {
        return X_ERROR_INVALID_PARAMETER;
    }
    if (!kcontent_exists(k, c)) {
        return X_ERROR_FILE_NOT_FOUND;
    }
    kxam_mount *m = calloc(1, sizeof *m);
    if (!m) {
        return X_ERROR_FUNCTION_FAILED;
    }
    snprintf(m->root, sizeof m->root, "%s:", root);
    m->content = *c;
    path_of(c, "", path, sizeof path);
    /* game: and the like are the kernel's own links, which it lets nobody take */
    if (vfs_link_target(k->vfs, m->root) ||
        vfs_link_create(k->vfs, m->root, path) != STATUS_SUCCESS) {
        free(m);
        return X_ERROR_ALREADY_EXISTS;
    }
    m->next = k->xam.mounts;
    k->xam.mounts = m;
    return X_ERROR_SUCCESS;
}

uint32_t kcontent_unmount(kernel *k, const char *root)
{
    kxam_mount **at = find_mount(k, root), *m = *at;
    if (!m) {
        return X_ERROR_PATH_NOT_FOUND;
    }
    *at = m->next;
    vfs_link_delete(k->vfs, m->root);
    free(m);
    return X_ERROR_SUCCESS;
}

const kcontent *kcontent_mounted(kernel *k, const char *root)
{
    const kxam_mount *m = *find_mount(k, root);
    return m ? &m->content : NULL;
}

void kcontent_destroy(kernel *k)
{
    while (k->xam.mounts) {
        kxam_mount *next = k->xam.mounts->next;
        free(k->xam.mounts);
        k->xam.mounts = next;
    }
}

/* ---- profiles ----------------------------------------------------------------------------------
 */

/* `title` 0: a setting that all titles share. */
static void setting_path(uint64_t xuid, uint32_t title, uint32_t id, char *path, size_t capacity)
{
    char own[16] = "";
    if (title) {
        snprintf(own, sizeof own, "%08X\\", title);
    }
    snprintf(path, capacity, DEVICE "\\%016llX\\profile\\%s%08X", (unsigned long long)xuid, own,
             id);
}

bool kprofile_read(kernel *k, uint64_t xuid, uint32_t title, uint32_t id, uint8_t *bytes,
                   uint32_t room, uint32_t *size)
{
    char path[PATH_BYTES];
    setting_path(xuid, title, id, path, sizeof path);
    bool there = read_file(k, path, bytes, room, size) == X_ERROR_SUCCESS;
    *size = *size < room ? *size : room;
    return there;
}

uint32_t kprofile_write(kernel *k, uint64_t xuid, uint32_t title, uint32_t id, const uint8_t *bytes,
                        uint32_t size)
{
    char path[PATH_BYTES];
    setting_path(xuid, title, id, path, sizeof path);
    return write_file(k, path, bytes, size);
}

void kstorage_size(kernel *k, uint64_t *total, uint64_t *left)
{
    vfs_file *root;
    vfs_volume volume = {0};
    if (open_path(k, DEVICE, VFS_OPEN, 0, &root) == STATUS_SUCCESS) {
        vfs_volume_get(root, &volume);
        vfs_close(root);
    }
    uint64_t unit = (uint64_t)volume.bytes_per_sector * volume.sectors_per_unit;
    *total = volume.units * unit;
    *left = volume.units_free * unit;
}
