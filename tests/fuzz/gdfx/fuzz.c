/* Any bytes as a disc image: everything that can be found is listed and read, to some depth. */
#include "vfs.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FOLDERS_MAX 64 /* for one input */
#define LISTED_MAX  64 /* entries of one folder */

static void check(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz-gdfx: %s\n", what);
        abort();
    }
}

static void read_some(vfs_device *device, void *node, const vfs_info *info)
{
    static uint8_t bytes[5000];
    uint64_t offsets[] = {0, info->size / 2, info->size ? info->size - 1 : 0, info->size};
    for (size_t i = 0; i < 4; i++) {
        uint32_t done;
        kstatus status = device->ops->read(device, node, offsets[i], bytes, sizeof bytes, &done);
        check(status == STATUS_SUCCESS, "a file that opened cannot be read");
        check(done <= sizeof bytes && done <= info->size - offsets[i], "read too much");
        check(offsets[i] == info->size || done > 0, "read nothing before the end");
    }
}

static void walk(vfs_device *device, const char *path, int *folders)
{
    void *node;
    vfs_info info;
    if (device->ops->open(device, path, &node) != STATUS_SUCCESS) {
        return;
    }
    device->ops->info(device, node, &info);
    if (!(info.attributes & VFS_ATTRIBUTE_DIRECTORY)) {
        read_some(device, node, &info);
    } else if ((*folders)++ < FOLDERS_MAX) {
        vfs_entry *entry = malloc(sizeof *entry);
        char last[VFS_NAME_MAX] = "", below[VFS_PATH_MAX];
        for (uint32_t i = 0; i < LISTED_MAX; i++) {
            if (device->ops->list(device, node, i, entry) != STATUS_SUCCESS) {
                break;
            }
            check(entry->name[0] && !strpbrk(entry->name, "/\\"), "a bad name is listed");
            check(vfs_compare(last, entry->name) <= 0, "a listing is not sorted");
            memcpy(last, entry->name, sizeof last);
            if (snprintf(below, sizeof below, "%s%s%s", path, *path ? "\\" : "", entry->name) <
                (int)sizeof below) {
                walk(device, below, folders);
            }
        }
        free(entry);
    }
    device->ops->close(device, node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[256] = "";
    int folders = 0, file = memfd_create("disc", MFD_CLOEXEC);
    check(file >= 0 && write(file, data, size) == (ssize_t)size, "no file");
    vfs_device *device = vfs_gdfx_create(file, size, why, sizeof why);
    check(device || why[0], "refused without a sentence");
    if (device) {
        vfs_volume volume;
        device->ops->volume(device, &volume);
        walk(device, "", &folders);
        walk(device, "DEFAULT.XEX", &folders);
        device->ops->destroy(device);
    } else {
        close(file);
    }
    return 0;
}
