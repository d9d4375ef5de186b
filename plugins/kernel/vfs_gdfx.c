/* A disc image as a read-only device: GDFX, also called XDVDFS. Numbers are little-endian. Sources:
 * xenia src/xenia/vfs/devices/disc_image_device.cc; A. de Quincey, "Xbox DVD Filesystem Details"
 * (2002); Free60 wiki, GDFX. Everything in an image is hostile: each number is checked where it is
 * read, a folder when it is opened, and a file when it is opened. */
#include "vfs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR            2048u
#define DESCRIPTOR_SECTOR 32u
#define DESCRIPTOR_ROOT   0x14u  /* sector of the root's table; its size follows */
#define DESCRIPTOR_END    0x7ECu /* the magic again */
#define ENTRY_HEAD        14u    /* bytes before an entry's name */
#define ENTRY_DIRECTORY   0x10u
#define NOTHING           0xFFFFu /* instead of an ordinal: padding, no entry */
/* As far as ordinals of 16 bits, in units of 4 bytes, and the longest name reach. */
#define TABLE_REACH   (0xFFFFu * 4u + ENTRY_HEAD + 255u)
#define CACHED_TABLES 8
#define DEPTH_MAX     (VFS_PATH_MAX / 2)

static const char magic[20] = {'M', 'I', 'C', 'R', 'O', 'S', 'O', 'F', 'T', '*',
                               'X', 'B', 'O', 'X', '*', 'M', 'E', 'D', 'I', 'A'};

/* Where the game partition begins in images of several kinds: one that is all game, two of xenia's,
 * and of whole discs XGD3, XGD2, XGD1 and the hybrid XGD2 (LibXGD's table has the last two). */
static const uint64_t bases[] = {0,          0xFB20,     0x20600,   0x02080000,
                                 0x0FD90000, 0x18300000, 0x89D80000};

typedef struct extent {
    uint32_t sector, size;
    bool directory;
} extent;

typedef struct record {
    const char *name;
    uint32_t ordinal; /* the first of two equal names counts */
    extent place;
} record;

/* A folder's entries, sorted as listings are. */
typedef struct table {
    uint32_t sector, size; /* size 0: no table */
    record *records;
    uint32_t count;
    char *names;
    uint64_t used; /* the device's clock at the last use */
} table;

typedef struct device {
    vfs_device head;
    int file;
    uint64_t size, base;
    extent root;
    table tables[CACHED_TABLES];
    uint64_t clock;
} device;

/* A sentence `WHERE: WHAT (found X, expected Y)`, or nowhere to put it. */
typedef struct sentence {
    char *text;
    size_t room;
} sentence;

__attribute__((format(printf, 2, 3))) static bool refuse(sentence *why, const char *format, ...)
{
    if (why) {
        va_list list;
        va_start(list, format);
        vsnprintf(why->text, why->room, format, list);
        va_end(list);
    }
    return false;
}

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

/* False when the host cannot give all of it: the file shrank, or its medium is bad. */
static bool read_all(int file, uint64_t offset, void *buffer, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t got = pread(file, (char *)buffer + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

static uint64_t position(const device *d, uint32_t sector)
{
    return d->base + (uint64_t)sector * SECTOR;
}

static bool inside(const device *d, const extent *e)
{
    uint64_t at = position(d, e->sector);
    return e->size == 0 || (at <= d->size && e->size <= d->size - at);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void table_free(table *t)
{
    free(t->records);
    free(t->names);
    *t = (table){0};
}

static int record_order(const void *a, const void *b)
{
    const record *x = a, *y = b;
    int order = vfs_compare(x->name, y->name);
    order = order != 0 ? order : strcmp(x->name, y->name);
    return order != 0 ? order : x->ordinal < y->ordinal ? -1 : 1;
}

static bool name_good(const uint8_t *name, size_t length)
{
    bool dots = name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
    return length > 0 && !dots && !memchr(name, 0, length) && !memchr(name, '/', length) &&
           !memchr(name, '\\', length);
}

/* The walk over the entries of a table. They hang together as a binary tree; every ordinal is
 * visited once, so that neither order nor depth nor a cycle matters. */
typedef struct walk {
    const uint8_t *bytes;
    uint32_t length, where; /* `where`: the table's sector, for sentences */
    uint8_t seen[0x10000 / 8];
    uint16_t *pending; /* ordinals; as many as there are records at most, and one */
    uint32_t pending_count, room;
    uint32_t taken; /* bytes of all entries: those of a sound table do not overlap */
    sentence *why;
} walk;

/* Nothing but 0xFF where an entry would have its links and its sector, or up to a sector's end. */
static bool padding(const uint8_t *bytes, uint32_t at, uint32_t length)
{
    uint32_t end = at / SECTOR * SECTOR + SECTOR, i = at;
    end = end < length ? end : length;
    end = end - at > 8 ? at + 8 : end;
    while (i < end && bytes[i] == 0xFF) {
        i++;
    }
    return i == end;
}

/* A link that leads to padding goes on at the next sector: entries do not cross sectors (the same
 * is done by extract-xiso). */
static bool follow(walk *w, uint32_t ordinal)
{
    uint32_t at = ordinal * 4;
    if (at < w->length && padding(w->bytes, at, w->length)) {
        at = at / SECTOR * SECTOR + SECTOR;
        ordinal = at / 4;
    }
    if (at > TABLE_REACH || at + ENTRY_HEAD > w->length ||
        w->bytes[at + 13] > w->length - at - ENTRY_HEAD) {
        return refuse(w->why,
                      "folder at sector %u: an entry is not in its table (found offset 0x%x, "
                      "expected it to end below 0x%x)",
                      w->where, at, w->length);
    }
    if (w->seen[ordinal / 8] >> (ordinal % 8) & 1) {
        return refuse(w->why,
                      "folder at sector %u: entries go in a circle (found offset 0x%x twice, "
                      "expected a tree)",
                      w->where, at);
    }
    w->seen[ordinal / 8] |= (uint8_t)(1u << (ordinal % 8));
    w->taken += ENTRY_HEAD + w->bytes[at + 13];
    if (w->taken > w->length || w->pending_count == w->room) {
        return refuse(w->why,
                      "folder at sector %u: entries overlap (found %u bytes of them, expected at "
                      "most %u)",
                      w->where, w->taken, w->length);
    }
    w->pending[w->pending_count++] = (uint16_t)ordinal;
    return true;
}

static bool take(walk *w, table *t, uint32_t ordinal, char **names)
{
    const uint8_t *entry = w->bytes + ordinal * 4;
    uint32_t length = entry[13];
    if (!name_good(entry + ENTRY_HEAD, length)) {
        return refuse(w->why,
                      "folder at sector %u: bad name at offset 0x%x (found %u bytes, expected a "
                      "name without separators, NUL and dots alone)",
                      w->where, ordinal * 4, length);
    }
    memcpy(*names, entry + ENTRY_HEAD, length);
    (*names)[length] = 0;
    t->records[t->count++] = (record){
        .name = *names,
        .ordinal = ordinal,
        .place =
            {
                .sector = get32(entry + 4),
                .size = get32(entry + 8),
                .directory = entry[12] & ENTRY_DIRECTORY,
            },
    };
    *names += length + 1;
    for (int side = 0; side < 2; side++) {
        uint32_t next = get16(entry + side * 2);
        if (next != 0 && next != NOTHING && !follow(w, next)) {
            return false;
        }
    }
    return true;
}

/* Sorts, and leaves of equal names the first in the table. */
static void table_sort(table *t)
{
    if (t->count == 0) {
        return;
    }
    qsort(t->records, t->count, sizeof *t->records, record_order);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < t->count; i++) {
        if (strcmp(t->records[i].name, t->records[kept - 1].name) != 0) {
            t->records[kept++] = t->records[i];
        }
    }
    t->count = kept;
}

/* An empty folder may have a table all the same: padding, or zeros. */
static bool table_empty(const uint8_t *bytes, uint32_t length)
{
    static const uint8_t zeros[ENTRY_HEAD];
    return padding(bytes, 0, length) ||
           (length >= ENTRY_HEAD && memcmp(bytes, zeros, ENTRY_HEAD) == 0);
}

static bool table_parse(table *t, const uint8_t *bytes, uint32_t length, uint32_t where,
                        sentence *why)
{
    if (table_empty(bytes, length)) {
        return true;
    }
    uint32_t room = length / (ENTRY_HEAD + 1) + 1; /* a name has a byte at least */
    walk *w = calloc(1, sizeof *w);
    t->records = malloc(room * sizeof *t->records);
    t->names = malloc(length);
    uint16_t *pending = malloc(room * sizeof *pending);
    bool good = w && t->records && t->names && pending;
    if (!good) {
        refuse(why, "folder at sector %u: no memory for it", where);
    } else {
        *w = (walk){
            .bytes = bytes,
            .length = length,
            .where = where,
            .pending = pending,
            .room = room,
            .why = why,
        };
        char *names = t->names;
        good = follow(w, 0);
        while (good && w->pending_count > 0) {
            good = take(w, t, w->pending[--w->pending_count], &names);
        }
    }
    free(pending);
    free(w);
    if (good) {
        table_sort(t);
    }
    return good;
}

static bool table_read(const device *d, const extent *folder, table *t, sentence *why)
{
    if (!inside(d, folder)) {
        return refuse(why,
                      "folder at sector %u: its table is not in the image (found %u bytes at "
                      "0x%llx, expected them before 0x%llx)",
                      folder->sector, folder->size, (unsigned long long)position(d, folder->sector),
                      (unsigned long long)d->size);
    }
    uint32_t length = folder->size < TABLE_REACH ? folder->size : TABLE_REACH;
    uint8_t *bytes = malloc(length);
    bool good = false;
    if (!bytes) {
        refuse(why, "folder at sector %u: no memory for its table", folder->sector);
    } else if (!read_all(d->file, position(d, folder->sector), bytes, length)) {
        refuse(why, "folder at sector %u: its table cannot be read", folder->sector);
    } else {
        good = table_parse(t, bytes, length, folder->sector, why);
    }
    free(bytes);
    if (!good) {
        table_free(t);
        return false;
    }
    t->sector = folder->sector;
    t->size = folder->size;
    return true;
}

/* A folder's table out of a few kept ones; NULL: it is damaged. Valid until the next call. */
static const table *table_get(device *d, const extent *folder, sentence *why)
{
    static const table empty = {0};
    table *oldest = &d->tables[0];
    if (folder->size == 0) {
        return &empty;
    }
    for (int i = 0; i < CACHED_TABLES; i++) {
        table *t = &d->tables[i];
        if (t->size == folder->size && t->sector == folder->sector) {
            t->used = ++d->clock;
            return t;
        }
        oldest = t->used < oldest->used ? t : oldest;
    }
    table_free(oldest);
    if (!table_read(d, folder, oldest, why)) {
        return NULL;
    }
    oldest->used = ++d->clock;
    return oldest;
}

/* The same for a title, which learns no sentence: the log does. */
static const table *table_open(device *d, const extent *folder)
{
    char text[sizeof d->head.warning];
    sentence why = {text, sizeof text};
    const table *t = table_get(d, folder, &why);
    if (!t) {
        vfs_device_warn(&d->head, text);
    }
    return t;
}

static void warn_file(device *d, const extent *e, const char *what)
{
    char text[sizeof d->head.warning];
    snprintf(text, sizeof text,
             "file at sector %u: %s (found an image of 0x%llx bytes, expected 0x%llx)", e->sector,
             what, (unsigned long long)d->size,
             (unsigned long long)(position(d, e->sector) + e->size));
    vfs_device_warn(&d->head, text);
}

/* The exact spelling, else the first by byte order, which is how they are sorted. */
static const record *table_find(const table *t, const char *name)
{
    uint32_t low = 0, high = t->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (vfs_compare(t->records[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const record *first = NULL;
    for (; low < t->count && vfs_compare(t->records[low].name, name) == 0; low++) {
        if (strcmp(t->records[low].name, name) == 0) {
            return &t->records[low];
        }
        first = first ? first : &t->records[low];
    }
    return first;
}

/* ---- the device ------------------------------------------------------------------------------ */

static kstatus gdfx_open(vfs_device *head, const char *path, void **out)
{
    device *d = (device *)head;
    extent here = d->root;
    uint32_t above[DEPTH_MAX], depth = 0; /* sectors of the folders on the way */
    while (*path) {
        char name[VFS_NAME_MAX];
        size_t length = strcspn(path, "\\");
        bool last = path[length] == 0;
        if (length == 0 || length >= sizeof name || depth == DEPTH_MAX) {
            return STATUS_OBJECT_NAME_INVALID;
        }
        memcpy(name, path, length);
        name[length] = 0;
        if (!here.directory) {
            return STATUS_OBJECT_PATH_NOT_FOUND;
        }
        const table *t = table_open(d, &here);
        if (!t) {
            return STATUS_FILE_CORRUPT_ERROR;
        }
        const record *found = table_find(t, name);
        if (!found) {
            return last ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_OBJECT_PATH_NOT_FOUND;
        }
        above[depth++] = here.sector;
        here = found->place;
        for (uint32_t i = 0; here.directory && here.size > 0 && i < depth; i++) {
            if (above[i] == here.sector) {
                vfs_device_warn(head, "a folder is inside itself (expected a tree of folders)");
                return STATUS_FILE_CORRUPT_ERROR;
            }
        }
        path += length + (last ? 0 : 1);
    }
    if (here.directory && !table_open(d, &here)) {
        return STATUS_FILE_CORRUPT_ERROR;
    }
    if (!here.directory && !inside(d, &here)) {
        warn_file(d, &here, "ends behind the image");
        return STATUS_FILE_CORRUPT_ERROR;
    }
    extent *node = malloc(sizeof *node);
    if (!node) {
        return STATUS_NO_MEMORY;
    }
    *node = here;
    *out = node;
    return STATUS_SUCCESS;
}

static void gdfx_close(vfs_device *head, void *node)
{
    (void)head;
    free(node);
}

static void describe(const vfs_device *head, const extent *e, vfs_info *info)
{
    uint64_t size = e->directory ? 0 : e->size;
    *info = (vfs_info){
        .size = size,
        .allocation = (size + SECTOR - 1) / SECTOR * SECTOR,
        .time = head->time,
        .attributes = VFS_ATTRIBUTE_READONLY | (e->directory ? VFS_ATTRIBUTE_DIRECTORY : 0),
    };
}

static void gdfx_info(vfs_device *head, void *node, vfs_info *info)
{
    describe(head, node, info);
}

static kstatus gdfx_read(vfs_device *head, void *node, uint64_t offset, void *buffer,
                         uint32_t length, uint32_t *done)
{
    device *d = (device *)head;
    const extent *e = node;
    *done = 0;
    if (e->directory || offset >= e->size) {
        return STATUS_SUCCESS;
    }
    if (length > e->size - offset) {
        length = (uint32_t)(e->size - offset);
    }
    /* it lay inside when it was opened: the image shrank, or the host cannot read it */
    if (!read_all(d->file, position(d, e->sector) + offset, buffer, length)) {
        warn_file(d, e, "cannot be read, the image has become shorter or its medium is bad");
        return STATUS_UNEXPECTED_IO_ERROR;
    }
    *done = length;
    return STATUS_SUCCESS;
}

static kstatus gdfx_list(vfs_device *head, void *node, uint32_t index, vfs_entry *entry)
{
    const extent *folder = node;
    const table *t = folder->directory ? table_open((device *)head, folder) : NULL;
    if (!t) {
        return STATUS_FILE_CORRUPT_ERROR;
    }
    if (index >= t->count) {
        return STATUS_NO_MORE_FILES;
    }
    const record *r = &t->records[index];
    memcpy(entry->name, r->name, strlen(r->name) + 1);
    describe(head, &r->place, &entry->info);
    return STATUS_SUCCESS;
}

/* Units and sectors as of a folder that stands for a disc (vfs_host.c); the size is the image's. */
static void gdfx_volume(vfs_device *head, vfs_volume *volume)
{
    const device *d = (const device *)head;
    *volume = (vfs_volume){
        .name = "GDFX",
        .name_max = 255,
        .bytes_per_sector = 512,
        .sectors_per_unit = SECTOR / 512,
        .units = (d->size - d->base) / SECTOR,
        .units_free = 0,
        .read_only = true,
    };
}

static void gdfx_destroy(vfs_device *head)
{
    device *d = (device *)head;
    for (int i = 0; i < CACHED_TABLES; i++) {
        table_free(&d->tables[i]);
    }
    close(d->file);
    free(d);
}

static const vfs_device_ops gdfx_ops = {
    .open = gdfx_open,
    .close = gdfx_close,
    .info = gdfx_info,
    .read = gdfx_read,
    .list = gdfx_list,
    .volume = gdfx_volume,
    .destroy = gdfx_destroy,
};

/* ---- the volume ------------------------------------------------------------------------------ */

/* The first base whose descriptor begins with the magic; UINT64_MAX: none. */
static uint64_t base_find(int file, uint64_t size, uint8_t *descriptor)
{
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        uint64_t at = bases[i] + DESCRIPTOR_SECTOR * SECTOR;
        if (size >= SECTOR && at <= size - SECTOR && read_all(file, at, descriptor, SECTOR) &&
            memcmp(descriptor, magic, sizeof magic) == 0) {
            return bases[i];
        }
    }
    return UINT64_MAX;
}

bool vfs_gdfx_is(int file, uint64_t size)
{
    uint8_t descriptor[SECTOR];
    return base_find(file, size, descriptor) != UINT64_MAX;
}

static bool volume_read(device *d, sentence *why)
{
    uint8_t descriptor[SECTOR];
    d->base = base_find(d->file, d->size, descriptor);
    if (d->base == UINT64_MAX) {
        return refuse(why,
                      "no disc image (found no MICROSOFT*XBOX*MEDIA, expected it in sector 32 of "
                      "the game partition)");
    }
    unsigned long long at = d->base + DESCRIPTOR_SECTOR * SECTOR;
    if (memcmp(descriptor + DESCRIPTOR_END, magic, sizeof magic) != 0) {
        return refuse(why,
                      "volume descriptor at 0x%llx: not whole (found no MICROSOFT*XBOX*MEDIA at "
                      "0x%llx, expected it at both ends)",
                      at, at + DESCRIPTOR_END);
    }
    d->root = (extent){
        .sector = get32(descriptor + DESCRIPTOR_ROOT),
        .size = get32(descriptor + DESCRIPTOR_ROOT + 4),
        .directory = true,
    };
    return table_get(d, &d->root, why) != NULL;
}

vfs_device *vfs_gdfx_create(int file, uint64_t size, char *why, size_t room)
{
    sentence text = {why, room};
    device *d = calloc(1, sizeof *d);
    if (!d) {
        refuse(&text, "no memory for a disc image");
        return NULL;
    }
    d->head.ops = &gdfx_ops;
    d->file = file;
    d->size = size;
    if (!volume_read(d, &text)) {
        free(d); /* the descriptor stays the caller's; a failed table has left nothing */
        return NULL;
    }
    return &d->head;
}
