/* Any bytes as an STFS package: everything that can be found is listed, and read in several ways that
 * must agree. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "input.h"
#include "vfs.h"

#define FOLDERS_MAX 64 /* for one input */
#define LISTED_MAX  80 /* entries of one folder */
#define READ_MAX    20000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

/* Half of the time a piece that is likely to matter: the descriptor, an entry of a file table or of a
 * hash table, mostly of the first ones. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    static const struct {
        uint32_t first, step, length;
    } pieces[] = {{0x340, 0, 0x6D}, {0, 0x40, 0x40}, {0, 0x18, 0x18}, {20, 0x18, 4}};
    uint32_t kind = seed >> 1 & 3, records = 0, random = seed >> 3;
    if (size > INPUT_HEADER) {
        records = (uint32_t)((size - INPUT_HEADER) / INPUT_RECORD);
    }
    if (seed & 1 || size < INPUT_HEADER || (kind > 0 && records == 0)) {
        return LLVMFuzzerMutate(data, size, room);
    }
    uint8_t *at = data + pieces[kind].first;
    if (kind > 0) {
        uint32_t entries = random & 0x8000 ? 170 : 8;
        at += INPUT_HEADER + (size_t)(random % records) * INPUT_RECORD + 2;
        uint32_t place = (random >> 4) % entries * pieces[kind].step;
        at += place + pieces[kind].first + pieces[kind].length <= INPUT_BLOCK ? place : 0;
    }
    LLVMFuzzerMutate(at, pieces[kind].length, pieces[kind].length);
    return size;
}

static void check(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz-stfs: %s\n", what);
        abort();
    }
}

static int package_file(const uint8_t *data, size_t size)
{
    int file = memfd_create("package", MFD_CLOEXEC);
    size_t header = size < INPUT_HEADER ? size : INPUT_HEADER;
    check(file >= 0 && pwrite(file, data, header, 0) == (ssize_t)header, "no file");
    for (size_t at = header; at + 2 < size; at += INPUT_RECORD) {
        size_t length = size - at - 2 < INPUT_BLOCK ? size - at - 2 : INPUT_BLOCK;
        off_t to = INPUT_BASE + (off_t)(data[at] | data[at + 1] << 8) * INPUT_BLOCK;
        check(pwrite(file, data + at + 2, length, to) == (ssize_t)length, "no file");
    }
    return file;
}

/* Backwards in pieces, of the part that was read forwards at once. */
static void read_again(vfs_device *device, void *node, uint64_t from, const uint8_t *whole,
                       uint32_t length)
{
    uint8_t piece[700];
    for (uint32_t end = length; end > 0;) {
        uint32_t size = end < sizeof piece ? end : (uint32_t)sizeof piece, done;
        end -= size;
        check(device->ops->read(device, node, from + end, piece, size, &done) == STATUS_SUCCESS &&
                  done == size && memcmp(piece, whole + end, size) == 0,
              "two reads differ");
    }
}

static void read_some(vfs_device *device, void *node, const vfs_info *info)
{
    static uint8_t bytes[READ_MAX];
    uint64_t offsets[] = {0, info->size / 2, info->size > 100 ? info->size - 100 : 0, info->size};
    for (size_t i = 0; i < 4; i++) {
        uint32_t done = 1;
        kstatus status = device->ops->read(device, node, offsets[i], bytes, READ_MAX, &done);
        check(done <= READ_MAX && done <= info->size - offsets[i], "read too much");
        check(status == STATUS_SUCCESS || device->warning[0], "failed without a warning");
        if (status == STATUS_SUCCESS) {
            check(done == READ_MAX || done == info->size - offsets[i], "read too little");
            read_again(device, node, offsets[i], bytes, done);
        }
    }
}

static void walk(vfs_device *device, const char *path, int *folders)
{
    void *node;
    vfs_info info;
    if (device->ops->open(device, path, &node) != STATUS_SUCCESS) {
        check(0, "what is listed cannot be opened");
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
            check(vfs_compare(last, entry->name) <= 0 && strcmp(last, entry->name) != 0,
                  "a listing is not sorted");
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[256] = "";
    int folders = 0, file = package_file(data, size);
    off_t length = lseek(file, 0, SEEK_END);
    vfs_device *device = vfs_stfs_create(file, (uint64_t)length, why, sizeof why);
    check(device || why[0], "refused without a sentence");
    if (device) {
        vfs_volume volume;
        device->ops->volume(device, &volume);
        walk(device, "", &folders);
        device->ops->destroy(device);
    } else {
        close(file);
    }
    return 0;
}
