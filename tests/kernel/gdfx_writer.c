#include "gdfx_writer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct partition {
    uint8_t *bytes;
    uint32_t sectors;
} partition;

typedef struct child {
    char name[256];
    uint32_t sector, size, at; /* at: its entry's offset in the table */
    uint16_t left, right;
    int folder;
} child;

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value & 0xFFFF);
    put16(p + 2, value >> 16);
}

static uint32_t allocate(partition *i, size_t size, int fill)
{
    uint32_t first = i->sectors;
    i->sectors += (uint32_t)((size + GDFX_SECTOR - 1) / GDFX_SECTOR);
    i->bytes = realloc(i->bytes, (size_t)i->sectors * GDFX_SECTOR);
    if (!i->bytes) {
        abort();
    }
    memset(i->bytes + (size_t)first * GDFX_SECTOR, fill,
           (size_t)(i->sectors - first) * GDFX_SECTOR);
    return first;
}

static int by_name(const void *a, const void *b)
{
    const char *x = ((const child *)a)->name, *y = ((const child *)b)->name;
    while (*x && toupper((unsigned char)*x) == toupper((unsigned char)*y)) {
        x++;
        y++;
    }
    return toupper((unsigned char)*x) - toupper((unsigned char)*y);
}

/* Gives the entries from..to their places, the middle one first; its unit of 4 bytes. */
static uint16_t place(child *list, unsigned from, unsigned to, uint32_t *end)
{
    if (from == to) {
        return 0;
    }
    unsigned middle = from + (to - from) / 2;
    child *c = &list[middle];
    uint32_t length = (uint32_t)(14 + strlen(c->name));
    *end = (*end + 3) / 4 * 4;
    if (*end / GDFX_SECTOR != (*end + length - 1) / GDFX_SECTOR) {
        *end = (*end + GDFX_SECTOR - 1) / GDFX_SECTOR * GDFX_SECTOR;
    }
    c->at = *end;
    *end += length;
    c->left = place(list, from, middle, end);
    c->right = place(list, middle + 1, to, end);
    return (uint16_t)(c->at / 4);
}

/* The names directly below `prefix`. */
static child *children(const gdfx_file *files, unsigned count, const char *prefix, unsigned *found)
{
    size_t skip = strlen(prefix);
    child *list = calloc(count + 1, sizeof *list);
    *found = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *rest = files[i].path + skip;
        if (strncmp(files[i].path, prefix, skip) != 0 || !*rest) {
            continue;
        }
        size_t length = strcspn(rest, "/");
        unsigned same = 0;
        while (rest[length] && same < *found &&
               (strlen(list[same].name) != length || memcmp(list[same].name, rest, length) != 0)) {
            same++;
        }
        if (!rest[length] || same == *found) {
            child *c = &list[(*found)++];
            memcpy(c->name, rest, length);
            c->folder = rest[length] == '/';
            c->sector = i; /* until it is known */
        }
    }
    qsort(list, *found, sizeof *list, by_name);
    return list;
}

static void folder_make(partition *i, const gdfx_file *files, unsigned count, const char *prefix,
                        uint32_t *sector, uint32_t *size)
{
    unsigned found;
    child *list = children(files, count, prefix, &found);
    uint32_t end = 0;
    place(list, 0, found, &end);
    *size = (end + GDFX_SECTOR - 1) / GDFX_SECTOR * GDFX_SECTOR;
    *sector = *size ? allocate(i, *size, 0xFF) : 0;
    for (unsigned n = 0; n < found; n++) {
        child *c = &list[n];
        if (c->folder) {
            char below[1024];
            snprintf(below, sizeof below, "%s%s/", prefix, c->name);
            folder_make(i, files, count, below, &c->sector, &c->size);
        } else {
            const gdfx_file *f = &files[c->sector];
            c->size = (uint32_t)f->size;
            c->sector = f->size ? allocate(i, f->size, 0) : 0;
            if (f->size) {
                memcpy(i->bytes + (size_t)c->sector * GDFX_SECTOR, f->bytes, f->size);
            }
        }
        uint8_t *entry = i->bytes + (size_t)*sector * GDFX_SECTOR + c->at;
        put16(entry, c->left);
        put16(entry + 2, c->right);
        put32(entry + 4, c->sector);
        put32(entry + 8, c->size);
        entry[12] = c->folder ? 0x10 : 0x80;
        entry[13] = (uint8_t)strlen(c->name);
        memcpy(entry + 14, c->name, strlen(c->name));
    }
    free(list);
}

uint8_t *gdfx_make(const gdfx_file *files, unsigned count, size_t *size)
{
    static const char magic[] = "MICROSOFT*XBOX*MEDIA";
    partition i = {0};
    uint32_t sector, bytes;
    allocate(&i, GDFX_ROOT * GDFX_SECTOR, 0);
    folder_make(&i, files, count, "", &sector, &bytes);
    uint8_t *descriptor = i.bytes + 32u * GDFX_SECTOR;
    memcpy(descriptor, magic, 20);
    put32(descriptor + 0x14, sector);
    put32(descriptor + 0x18, bytes);
    memcpy(descriptor + 0x7EC, magic, 20);
    *size = (size_t)i.sectors * GDFX_SECTOR;
    return i.bytes;
}

static uint32_t get(const uint8_t *p, int bytes)
{
    uint32_t value = 0;
    while (bytes > 0) {
        value = value << 8 | p[--bytes];
    }
    return value;
}

size_t gdfx_entry(const uint8_t *image, const char *path)
{
    size_t table = (size_t)GDFX_ROOT * GDFX_SECTOR, at = table;
    for (;;) {
        size_t length = strcspn(path, "/"), own = image[at + 13];
        const char *name = (const char *)image + at + 14;
        int order = strncasecmp(path, name, length < own ? length : own);
        order = order ? order : (int)length - (int)own;
        if (order == 0 && !path[length]) {
            return at;
        }
        if (order == 0) {
            path += length + 1;
            table = at = (size_t)get(image + at + 4, 4) * GDFX_SECTOR;
            continue;
        }
        uint32_t next = get(image + at + (order < 0 ? 0 : 2), 2);
        if (next == 0) {
            abort();
        }
        at = table + (size_t)next * 4;
    }
}

void gdfx_save(const char *file, uint64_t base, const uint8_t *image, size_t size)
{
    FILE *f = fopen(file, "wb");
    if (!f || fseeko(f, (off_t)base, SEEK_SET) != 0 || fwrite(image, 1, size, f) != size ||
        fclose(f) != 0) {
        abort();
    }
}
