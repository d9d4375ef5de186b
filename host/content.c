/* content.c: hashing files and folders in an order that no host decides. */
#include "content.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "text.h"

#define WHOLE_LIMIT (UINT64_C(64) << 20)
#define PART        (UINT64_C(32) << 20)
#define DEPTH_LIMIT 64

static void hash_range(XXH3_state_t *hash, int file, uint64_t from, uint64_t length)
{
    static const size_t chunk = 1 << 16;
    char *bytes = text_need(chunk);
    while (length > 0) {
        ssize_t got = pread(file, bytes, length < chunk ? length : chunk, (off_t)from);
        if (got <= 0) {
            break;
        }
        XXH3_128bits_update(hash, bytes, (size_t)got);
        from += (uint64_t)got;
        length -= (uint64_t)got;
    }
    free(bytes);
}

static void hash_file(XXH3_state_t *hash, const char *path, uint64_t size, int all)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return;
    }
    if (all || size <= WHOLE_LIMIT) {
        hash_range(hash, file, 0, size);
    } else {
        hash_range(hash, file, 0, PART);
        hash_range(hash, file, size - PART, PART);
    }
    close(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* `contents`: how many levels of files are read, not only named. Links are not followed. */
static void hash_folder(XXH3_state_t *hash, const char *path, uint32_t contents, uint32_t depth)
{
    struct dirent **list;
    int count = depth < DEPTH_LIMIT ? scandir(path, &list, NULL, by_name) : -1;
    for (int i = 0; i < count; i++) {
        const char *name = list[i]->d_name;
        char *full = text_format("%s/%s", path, name);
        struct stat status;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && lstat(full, &status) == 0) {
            uint64_t size = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : UINT64_MAX;
            XXH3_128bits_update(hash, name, strlen(name) + 1);
            XXH3_128bits_update(hash, &size, sizeof size);
            if (S_ISDIR(status.st_mode)) {
                hash_folder(hash, full, contents ? contents - 1 : 0, depth + 1);
            } else if (S_ISREG(status.st_mode) && contents &&
                       (contents > 1 || size <= WHOLE_LIMIT)) {
                hash_file(hash, full, size, 1);
            }
        }
        free(full);
        free(list[i]);
    }
    if (count >= 0) {
        free(list);
    }
}

static void content(const char *path, uint32_t levels, char *hex)
{
    struct stat status;
    XXH3_state_t *hash = XXH3_createState();
    text_hash_hex(0, 0, hex);
    if (hash && *path && stat(path, &status) == 0) {
        XXH3_128bits_reset(hash);
        if (S_ISDIR(status.st_mode)) {
            hash_folder(hash, path, levels, 0);
        } else if (S_ISREG(status.st_mode)) { /* a pipe would be waited for */
            uint64_t size = (uint64_t)status.st_size;
            XXH3_128bits_update(hash, &size, sizeof size);
            hash_file(hash, path, size, 0);
        }
        XXH128_hash_t result = XXH3_128bits_digest(hash);
        text_hash_hex(result.high64, result.low64, hex);
    }
    XXH3_freeState(hash);
}

void content_title(const char *path, char *hex)
{
    content(path, 1, hex);
}

void content_folder(const char *path, char *hex)
{
    content(path, DEPTH_LIMIT + 1, hex);
}

int content_partial(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
           (uint64_t)status.st_size > WHOLE_LIMIT;
}
