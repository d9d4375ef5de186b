/* What a title's one large file holds, for the hash of a run's inputs: the executable, and of an image
 * what counts of a folder too, that is the names and sizes of everything and the contents of the
 * files beside the executable. */
#include <stdlib.h>
#include <string.h>

#include "loader.h"

/* A file beside the executable counts up to here, as in a folder (host/content.h). */
#define CONTENTS_MAX (UINT64_C(64) << 20)
/* Bounds on what an image of bad faith can ask for; a disc stays far below. */
#define FOLDERS_MAX 16384u
#define ENTRIES_MAX (1u << 20)
#define CHUNK       (1u << 16)

typedef struct survey {
    vfs_device *device;
    weft_info_fn sink;
    void *context;
    char **folders; /* paths, in the order in which they are visited */
    uint32_t count, entries;
} survey;

static void tell_number(const survey *s, uint64_t value)
{
    char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (char)(value >> (i * 8));
    }
    s->sink(s->context, bytes, sizeof bytes);
}

/* A file that cannot be read tells nothing. */
static void tell_file(const survey *s, const char *path, char *buffer)
{
    void *node;
    uint32_t done = 1;
    if (s->device->ops->open(s->device, path, &node) != STATUS_SUCCESS) {
        return;
    }
    for (uint64_t at = 0; done > 0; at += done) {
        if (s->device->ops->read(s->device, node, at, buffer, CHUNK, &done) != STATUS_SUCCESS) {
            break;
        }
        s->sink(s->context, buffer, done);
    }
    s->device->ops->close(s->device, node);
}

static void add_folder(survey *s, const char *parent, const char *name)
{
    char path[VFS_PATH_MAX];
    size_t length = strlen(parent);
    bool fits = length + strlen(name) + 2 <= sizeof path;
    if (fits && s->count < FOLDERS_MAX) {
        memcpy(path, parent, length);
        if (length > 0) {
            path[length++] = '\\';
        }
        memcpy(path + length, name, strlen(name) + 1);
        s->folders[s->count] = strdup(path);
        s->count += s->folders[s->count] != NULL;
    }
}

static void tell_folder(survey *s, const char *path, char *buffer)
{
    void *node;
    vfs_entry entry;
    if (s->device->ops->open(s->device, path, &node) != STATUS_SUCCESS) {
        return;
    }
    for (uint32_t i = 0; s->entries < ENTRIES_MAX; i++, s->entries++) {
        if (s->device->ops->list(s->device, node, i, &entry) != STATUS_SUCCESS) {
            break;
        }
        bool folder = entry.info.attributes & VFS_ATTRIBUTE_DIRECTORY;
        s->sink(s->context, entry.name, strlen(entry.name) + 1);
        tell_number(s, folder ? UINT64_MAX : entry.info.size);
        if (folder) {
            add_folder(s, path, entry.name);
        } else if (!*path && entry.info.size <= CONTENTS_MAX) {
            tell_file(s, entry.name, buffer);
        }
    }
    s->device->ops->close(s->device, node);
}

weft_status kloader_content(kernel *k, const char *path, weft_info_fn sink, void *context)
{
    ktitle_file t;
    weft_status status = kloader_locate(k, path, &t);
    if (status != WEFT_OK) {
        return status;
    }
    survey s = {
        .device = t.device,
        .sink = sink,
        .context = context,
        .folders = t.disc ? calloc(FOLDERS_MAX, sizeof(char *)) : NULL,
    };
    char *buffer = malloc(CHUNK);
    sink(context, (const char *)t.bytes, t.size);
    if (s.folders && buffer) {
        s.folders[s.count++] = strdup("");
        for (uint32_t i = 0; i < s.count && s.folders[i]; i++) {
            tell_folder(&s, s.folders[i], buffer);
            free(s.folders[i]);
        }
    } else if (t.disc || !buffer) {
        status = k->host->fail(k->host, WEFT_E_NO_MEMORY, "out of memory for the title's contents");
    }
    free(buffer);
    free(s.folders);
    kloader_free(&t);
    return status;
}
