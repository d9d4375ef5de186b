/* A package of the console's as a read-only device: STFS behind a "CON ", "LIVE" or "PIRS" header.
 * Sources: Free60 wiki, STFS; xenia src/xenia/vfs/devices/stfs_container_device.cc and stfs_xbox.h.
 *
 * Behind the header, in blocks of 4096 bytes, lie data blocks, 170 at a time, and hash tables: one
 * of level 0 before each 170 blocks; one of level 1 for 170 of these, the first behind the first
 * 170 blocks, later ones before what they cover; one of level 2 before block 28,900. A package that
 * the console writes has each table twice, the valid one named by a bit one level above. A table's
 * entry has the SHA-1 of what it covers, and at level 0 the file's next block.
 *
 * Everything in a package is hostile. The file table is read and checked when the device is made;
 * a file's chain of blocks when the file is first read. A wrong digest is a warning and no error:
 * as with the executable's own (image.c), a package that was changed after it was signed may well
 * run. Memory is bounded by the package's size and MAX_LISTING, time by one walk of a chain. */
#include "vfs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xex_crypto.h"

#define BLOCK       4096u
#define PER_TABLE   170u     /* entries of a hash table */
#define PER_LEVEL_1 28900u   /* data blocks below a table of level 1: 170 * 170 */
#define BLOCKS_MAX  4913000u /* below the one of level 2: 170 * 170 * 170 */
#define DIGEST      20u
#define HASH_ENTRY  0x18u
#define CHAIN_END   UINT32_C(0xFFFFFF)
#define FILE_ENTRY  0x40u
#define PER_LISTING (BLOCK / FILE_ENTRY)
/* A path indicator has 16 bits; blocks of file table behind its reach cannot be meant. */
#define MAX_LISTING  (65536u / PER_LISTING)
#define NAME_ROOM    41 /* 40 bytes and a NUL */
#define ROOT         (-1)
#define MARK_EVERY   1024u /* blocks of a chain from one remembered block to the next */
#define CACHED_LEAFS 16u   /* tables of level 0 */
#define CACHED       (CACHED_LEAFS + 4u + 1u)

/* Offsets in the header (Free60 wiki, STFS: Metadata, Volume Descriptor). Big-endian, but for the
 * descriptor's first two numbers. */
#define HEADER_SIZE      0x340u
#define DESCRIPTOR       0x379u
#define DESCRIPTOR_SIZE  0x24u
#define DESCRIPTOR_FLAGS (DESCRIPTOR + 2)
#define TABLE_COUNT      (DESCRIPTOR + 3) /* blocks of file table, 16 bits */
#define TABLE_START      (DESCRIPTOR + 5) /* 24 bits */
#define TOP_DIGEST       (DESCRIPTOR + 8)
#define TOTAL_BLOCKS     (DESCRIPTOR + 0x1C)
#define VOLUME_TYPE      0x3A9u
#define HEADER_BYTES     0x3ADu /* up to here it is read */

#define FLAG_SINGLE    0x01u /* read-only format: each table once */
#define FLAG_SECOND    0x02u /* the second copy of the top table is the valid one */
#define STATUS_SECOND  0x40u /* in a hash entry above level 0: of the table below it */
#define ENTRY_LENGTH   0x3Fu
#define ENTRY_IN_ORDER 0x40u /* the file's blocks are consecutive */
#define ENTRY_FOLDER   0x80u

typedef struct entry {
    char name[NAME_ROOM]; /* "" for a free slot */
    uint8_t flags;
    uint32_t start, blocks, size;
    int32_t parent; /* index, or ROOT */
} entry;

typedef struct table {
    bool valid;
    uint32_t index; /* among those of its level */
    uint8_t bytes[BLOCK];
} table;

typedef struct device {
    vfs_device head;
    int file;
    uint64_t size, base; /* of the host's file; where block 0's table lies in it */
    uint32_t copies;     /* of each table: 1 or 2 */
    bool second;
    uint8_t top_digest[DIGEST];
    uint32_t total; /* data blocks */
    entry *entries;
    uint32_t count;
    entry **order; /* all that are used, by folder and name */
    uint32_t used;
    table tables[CACHED]; /* by index modulo the level's share; a table takes 4 KiB */
    uint32_t block;       /* the one in `data`, or CHAIN_END */
    uint8_t data[BLOCK];
} device;

typedef struct node {
    const entry *e; /* NULL: the root */
    bool known;     /* the chain was walked, with this result */
    kstatus status;
    uint32_t *marks; /* of a chain: blocks number 0, MARK_EVERY, 2 * MARK_EVERY... of the file */
    uint32_t at, at_block; /* where the last read ended */
} node;

/* ---- the host's file ------------------------------------------------------------------------- */

static bool read_at(const device *d, uint64_t offset, void *buffer, uint32_t length)
{
    if (offset > d->size || length > d->size - offset) {
        return false;
    }
    for (uint32_t done = 0; done < length;) {
        ssize_t got = pread(d->file, (char *)buffer + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false; /* it shrank, or the host cannot */
        }
        done += (uint32_t)got;
    }
    return true;
}

__attribute__((format(printf, 2, 3))) static void warn(device *d, const char *format, ...)
{
    char text[sizeof d->head.warning];
    va_list arguments;
    va_start(arguments, format);
    int length = snprintf(text, sizeof text, "package: ");
    vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    va_end(arguments);
    vfs_device_warn(&d->head, text);
}

static void check_digest(device *d, const uint8_t *block, const uint8_t *expected, const char *what,
                         uint32_t number)
{
    uint8_t digest[DIGEST];
    weft_xex_sha1(block, BLOCK, NULL, 0, digest);
    if (memcmp(digest, expected, DIGEST) != 0) {
        warn(d, "the digest of %s %u does not match: it was changed after it was signed", what,
             number);
    }
}

/* ---- blocks and hash tables ------------------------------------------------------------------ */

/* Where a data block lies, in blocks behind the header: behind the tables that come before it. */
static uint64_t data_slot(const device *d, uint32_t block)
{
    uint64_t tables = block / PER_TABLE + 1;
    if (block >= PER_TABLE) {
        tables += block / PER_LEVEL_1 + 1;
    }
    if (block >= PER_LEVEL_1) {
        tables += 1;
    }
    return block + tables * d->copies;
}

static uint64_t table_slot(const device *d, uint32_t level, uint32_t index)
{
    switch (level) {
    case 0:
        return data_slot(d, index * PER_TABLE) - d->copies;
    case 1:
        return index == 0 ? data_slot(d, PER_TABLE - 1) + 1
                          : data_slot(d, index * PER_LEVEL_1) - 2 * d->copies;
    default:
        return data_slot(d, PER_LEVEL_1) - 3 * d->copies;
    }
}

static uint32_t top_level(const device *d)
{
    return d->total <= PER_TABLE ? 0 : d->total <= PER_LEVEL_1 ? 1 : 2;
}

static table *cached(device *d, uint32_t level, uint32_t index)
{
    static const struct {
        uint32_t first, count;
    } share[] = {{0, CACHED_LEAFS}, {CACHED_LEAFS, 4}, {CACHED_LEAFS + 4, 1}};
    return &d->tables[share[level].first + index % share[level].count];
}

/* The table of level 0 that has a block's entry; NULL if it lies outside the file. Goes down from
 * the top, since each table says where the one below it is valid. */
static const uint8_t *leaf_table(device *d, uint32_t block)
{
    uint32_t leaf = block / PER_TABLE;
    table *t = cached(d, 0, leaf);
    if (t->valid && t->index == leaf) {
        return t->bytes;
    }
    static const char *const what[] = {"hash table", "hash table of level 1",
                                       "hash table of level 2"};
    const uint8_t *expected = d->top_digest;
    bool second = d->second;
    for (uint32_t level = top_level(d);; level--) {
        uint32_t index = level == 0 ? leaf : level == 1 ? block / PER_LEVEL_1 : 0;
        t = cached(d, level, index);
        if (!t->valid || t->index != index) {
            uint64_t slot = table_slot(d, level, index) + (d->copies == 2 && second ? 1 : 0);
            t->index = index;
            t->valid = read_at(d, d->base + slot * BLOCK, t->bytes, BLOCK);
            if (!t->valid) {
                warn(d, "%s %u lies outside the file", what[level], index);
                return NULL;
            }
            check_digest(d, t->bytes, expected, what[level], index);
        }
        if (level == 0) {
            return t->bytes;
        }
        uint32_t below = level == 1 ? leaf % PER_TABLE : block / PER_LEVEL_1;
        expected = t->bytes + below * HASH_ENTRY;
        second = (expected[DIGEST] & STATUS_SECOND) != 0;
    }
}

/* A data block's entry: digest, status, next block. */
static const uint8_t *hash_entry(device *d, uint32_t block)
{
    const uint8_t *leaf = leaf_table(d, block);
    return leaf ? leaf + block % PER_TABLE * HASH_ENTRY : NULL;
}

static bool next_block(device *d, uint32_t block, uint32_t *next)
{
    const uint8_t *e = hash_entry(d, block);
    if (e) {
        *next = (uint32_t)e[21] << 16 | (uint32_t)e[22] << 8 | e[23];
    }
    return e != NULL;
}

/* Into d->data, which keeps the last one: titles read a block in many small pieces. */
static bool load_block(device *d, uint32_t block)
{
    if (d->block == block) {
        return true;
    }
    d->block = CHAIN_END;
    const uint8_t *e = hash_entry(d, block);
    if (!e) {
        return false;
    }
    if (!read_at(d, d->base + data_slot(d, block) * BLOCK, d->data, BLOCK)) {
        warn(d, "block %u lies outside the file", block);
        return false;
    }
    check_digest(d, d->data, e, "block", block);
    d->block = block;
    return true;
}

/* ---- a file's blocks ------------------------------------------------------------------------- */

static uint32_t block_count(const entry *e)
{
    return (uint32_t)(((uint64_t)e->size + BLOCK - 1) / BLOCK);
}

/* Walks the whole chain once: it must have as many blocks as the size needs, none of them twice. */
static kstatus walk_chain(device *d, node *n)
{
    uint32_t count = block_count(n->e), block = n->e->start;
    uint8_t *seen = calloc(d->total / 8 + 1, 1);
    n->marks = malloc((count / MARK_EVERY + 1) * sizeof *n->marks);
    kstatus status = seen && n->marks ? STATUS_SUCCESS : STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < count && status == STATUS_SUCCESS; i++) {
        if (block >= d->total) {
            warn(d, "%s: a chain of blocks leads to block %u after %u (expected %u of %u)",
                 n->e->name, block, i, count, d->total);
            status = STATUS_FILE_CORRUPT_ERROR;
        } else if (seen[block / 8] & 1u << block % 8) {
            warn(d, "%s: a chain of blocks comes back to block %u", n->e->name, block);
            status = STATUS_FILE_CORRUPT_ERROR;
        } else {
            seen[block / 8] |= (uint8_t)(1u << block % 8);
            if (i % MARK_EVERY == 0) {
                n->marks[i / MARK_EVERY] = block;
            }
            if (i + 1 < count && !next_block(d, block, &block)) {
                status = STATUS_FILE_CORRUPT_ERROR;
            }
        }
    }
    free(seen);
    return status;
}

/* The blocks that the size needs are there, as far as the tables tell. */
static kstatus check_blocks(device *d, node *n)
{
    const entry *e = n->e;
    uint32_t count = block_count(e);
    n->at_block = e->start;
    if (count > e->blocks) {
        warn(d, "%s: %u bytes in %u blocks (expected %u)", e->name, e->size, e->blocks, count);
        return STATUS_FILE_CORRUPT_ERROR;
    }
    if (count > d->total || (e->flags & ENTRY_IN_ORDER && e->start > d->total - count)) {
        warn(d, "%s: %u blocks from block %u, of %u", e->name, count, e->start, d->total);
        return STATUS_FILE_CORRUPT_ERROR;
    }
    return e->flags & ENTRY_IN_ORDER ? STATUS_SUCCESS : walk_chain(d, n);
}

/* The file's index-th block, of which check_blocks found that it is there. Reading on from the last
 * one is a step; going anywhere else takes MARK_EVERY at most. */
static bool find_block(device *d, node *n, uint32_t index, uint32_t *block)
{
    if (n->e->flags & ENTRY_IN_ORDER) {
        *block = n->e->start + index;
        return true;
    }
    uint32_t at = index / MARK_EVERY * MARK_EVERY;
    *block = n->marks[index / MARK_EVERY];
    if (n->at >= at && n->at <= index) {
        at = n->at;
        *block = n->at_block;
    }
    while (at < index) {
        /* the host's file may have changed since the walk */
        if (!next_block(d, *block, block) || *block >= d->total) {
            return false;
        }
        at++;
    }
    n->at = at;
    n->at_block = *block;
    return true;
}

/* ---- the file table -------------------------------------------------------------------------- */

/* By folder, then as listings are sorted: without case, then by bytes. */
static int order_of(const entry *a, int32_t parent, const char *name)
{
    if (a->parent != parent) {
        return a->parent < parent ? -1 : 1;
    }
    return vfs_compare(a->name, name);
}

static int entry_order(const void *a, const void *b)
{
    const entry *x = *(const entry *const *)a, *y = *(const entry *const *)b;
    int order = order_of(x, y->parent, y->name);
    return order != 0 ? order : strcmp(x->name, y->name);
}

/* First position in d->order that is not before a name of a folder. */
static uint32_t lower_bound(const device *d, int32_t parent, const char *name)
{
    uint32_t low = 0, high = d->used;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (order_of(d->order[middle], parent, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool name_is_fit(const uint8_t *raw, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        if (raw[i] < ' ' || raw[i] == 0x7F || raw[i] == '\\' || raw[i] == '/') {
            return false;
        }
    }
    return !(length == 1 && raw[0] == '.') && !(length == 2 && raw[0] == '.' && raw[1] == '.');
}

__attribute__((format(printf, 3, 4))) static bool refuse(char *why, size_t room, const char *format,
                                                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, room, format, arguments);
    va_end(arguments);
    return false;
}

/* An entry whose name has no length is a slot that was freed; the slot still counts. */
static bool take_entry(device *d, const uint8_t *raw, uint32_t index, char *why, size_t room)
{
    entry *e = &d->entries[index];
    uint32_t length = raw[0x28] & ENTRY_LENGTH;
    if (length >= NAME_ROOM) {
        return refuse(why, room,
                      "file table entry %u: length of its name (found %u, expected at most 40)",
                      index, length);
    }
    if (!name_is_fit(raw, length)) {
        return refuse(why, room,
                      "file table entry %u: its name (found a separator, a control character, "
                      "\".\" or \"..\", expected a name)",
                      index);
    }
    memcpy(e->name, raw, length);
    e->flags = raw[0x28] & (ENTRY_IN_ORDER | ENTRY_FOLDER);
    uint32_t valid = raw[0x29] | (uint32_t)raw[0x2A] << 8 | (uint32_t)raw[0x2B] << 16;
    uint32_t allocated = raw[0x2C] | (uint32_t)raw[0x2D] << 8 | (uint32_t)raw[0x2E] << 16;
    e->blocks = valid > allocated ? valid : allocated;
    e->start = raw[0x2F] | (uint32_t)raw[0x30] << 8 | (uint32_t)raw[0x31] << 16;
    uint32_t parent = weft_load16(raw + 0x32);
    e->parent = parent == 0xFFFF ? ROOT : (int32_t)parent;
    e->size = e->flags & ENTRY_FOLDER ? 0 : weft_load32(raw + 0x34);
    return true;
}

static bool read_listing(device *d, uint32_t block, uint32_t blocks, char *why, size_t room)
{
    uint8_t *seen = calloc(d->total / 8 + 1, 1);
    bool good = seen != NULL;
    if (!good) {
        refuse(why, room, "out of memory");
    }
    for (uint32_t i = 0; i < blocks && good; i++) {
        if (block == CHAIN_END && i > 0) {
            warn(d, "the file table ends after %u blocks (expected %u)", i, blocks);
            break; /* what is there is whole; xenia takes it too */
        }
        if (block >= d->total) {
            good = refuse(why, room, "file table: block %u (found %u, expected less than %u)", i,
                          block, d->total);
        } else if (seen[block / 8] & 1u << block % 8) {
            good = refuse(why, room, "file table: its chain comes back to block %u", block);
        } else if (!load_block(d, block)) {
            good = refuse(why, room, "file table: block %u or its hash tables lie outside the file",
                          block);
        } else {
            seen[block / 8] |= (uint8_t)(1u << block % 8);
            for (uint32_t j = 0; j < PER_LISTING && good; j++) {
                good = take_entry(d, d->data + j * FILE_ENTRY, i * PER_LISTING + j, why, room);
            }
            good = good && (next_block(d, block, &block) ||
                            refuse(why, room, "file table: a hash table lies outside the file"));
        }
    }
    free(seen);
    return good;
}

/* A parent may come later in the table, since slots are used again; it must be a folder, and lead
 * to the root. */
static bool check_parents(const device *d, uint32_t *marks, char *why, size_t room)
{
    for (uint32_t i = 0; i < d->count; i++) {
        int32_t parent = d->entries[i].parent;
        if (!d->entries[i].name[0] || parent == ROOT) {
            continue;
        }
        if ((uint32_t)parent >= d->count || !d->entries[parent].name[0] ||
            !(d->entries[parent].flags & ENTRY_FOLDER)) {
            return refuse(why, room,
                          "file table entry %u: its path (found entry %d, expected a folder's)", i,
                          parent);
        }
    }
    for (uint32_t i = 0; i < d->count; i++) {
        int32_t at = d->entries[i].name[0] ? (int32_t)i : ROOT;
        while (at != ROOT && marks[at] == 0) {
            marks[at] = i + 1;
            at = d->entries[at].parent;
        }
        if (at != ROOT && marks[at] == i + 1) {
            return refuse(why, room, "file table entry %d: it lies in itself", at);
        }
    }
    return true;
}

static bool sort_entries(device *d, char *why, size_t room)
{
    for (uint32_t i = 0; i < d->count; i++) {
        if (d->entries[i].name[0]) {
            d->order[d->used++] = &d->entries[i];
        }
    }
    if (d->used > 0) {
        qsort(d->order, d->used, sizeof *d->order, entry_order);
    }
    for (uint32_t i = 1; i < d->used; i++) {
        const entry *a = d->order[i - 1], *b = d->order[i];
        if (entry_order(&a, &b) == 0) {
            return refuse(why, room, "file table entry %u: its name is taken (found \"%s\" twice)",
                          (uint32_t)((a > b ? a : b) - d->entries), a->name);
        }
    }
    return true;
}

static bool read_header(device *d, uint32_t *start, uint32_t *blocks, char *why, size_t room)
{
    uint8_t h[HEADER_BYTES];
    if (!read_at(d, 0, h, sizeof h)) {
        return refuse(why, room, "header (found %llu bytes, expected %u at least)",
                      (unsigned long long)d->size, HEADER_BYTES);
    }
    if (memcmp(h, "CON ", 4) != 0 && memcmp(h, "LIVE", 4) != 0 && memcmp(h, "PIRS", 4) != 0) {
        return refuse(why, room, "magic (found %08X, expected \"CON \", \"LIVE\" or \"PIRS\")",
                      weft_load32(h));
    }
    uint32_t type = weft_load32(h + VOLUME_TYPE);
    if (type != 0) {
        return refuse(why, room, "volume type (found %u%s, expected 0, STFS)", type,
                      type == 1 ? ", SVOD, whose data lies in files of its own: it is not read"
                                : "");
    }
    if (h[DESCRIPTOR] != DESCRIPTOR_SIZE) {
        return refuse(why, room, "size of the volume descriptor (found %u, expected 36)",
                      h[DESCRIPTOR]);
    }
    uint32_t header = weft_load32(h + HEADER_SIZE);
    d->base = ((uint64_t)header + BLOCK - 1) / BLOCK * BLOCK;
    if (header < HEADER_BYTES || d->base >= d->size) {
        return refuse(why, room,
                      "size of the header (found %u, expected from %u to the file's %llu)", header,
                      HEADER_BYTES, (unsigned long long)d->size);
    }
    d->total = weft_load32(h + TOTAL_BLOCKS);
    if (d->total == 0 || d->total > BLOCKS_MAX) {
        return refuse(why, room, "number of blocks (found %u, expected 1 to %u)", d->total,
                      BLOCKS_MAX);
    }
    *blocks = h[TABLE_COUNT] | (uint32_t)h[TABLE_COUNT + 1] << 8;
    *start =
        h[TABLE_START] | (uint32_t)h[TABLE_START + 1] << 8 | (uint32_t)h[TABLE_START + 2] << 16;
    uint64_t most = (d->size - d->base) / BLOCK;
    most = most < d->total ? most : d->total;
    most = most < MAX_LISTING ? most : MAX_LISTING;
    if (*blocks > most) {
        return refuse(why, room, "blocks of file table (found %u, expected at most %u)", *blocks,
                      (uint32_t)most);
    }
    d->copies = h[DESCRIPTOR_FLAGS] & FLAG_SINGLE ? 1 : 2;
    d->second = (h[DESCRIPTOR_FLAGS] & FLAG_SECOND) != 0;
    memcpy(d->top_digest, h + TOP_DIGEST, DIGEST);
    return true;
}

static bool read_package(device *d, char *why, size_t room)
{
    uint32_t start, blocks;
    if (!read_header(d, &start, &blocks, why, room)) {
        return false;
    }
    d->count = blocks * PER_LISTING;
    d->entries = calloc((size_t)d->count + 1, sizeof *d->entries);
    d->order = calloc((size_t)d->count + 1, sizeof *d->order);
    uint32_t *marks = calloc((size_t)d->count + 1, sizeof *marks);
    bool good = d->entries && d->order && marks;
    if (!good) {
        refuse(why, room, "out of memory");
    }
    good = good && read_listing(d, start, blocks, why, room) &&
           check_parents(d, marks, why, room) && sort_entries(d, why, room);
    free(marks);
    return good;
}

/* ---- the device's operations ----------------------------------------------------------------- */

static int32_t index_of(const device *d, const entry *e)
{
    return e ? (int32_t)(e - d->entries) : ROOT;
}

/* The exact spelling before the first by byte order (vfs.h). */
static const entry *find_entry(const device *d, int32_t parent, const char *name)
{
    const entry *found = NULL;
    for (uint32_t i = lower_bound(d, parent, name);
         i < d->used && order_of(d->order[i], parent, name) == 0; i++) {
        if (!found || strcmp(d->order[i]->name, name) == 0) {
            found = d->order[i];
        }
    }
    return found;
}

static kstatus stfs_open(vfs_device *head, const char *path, void **out)
{
    const device *d = (const device *)head;
    const entry *e = NULL;
    while (*path) {
        char name[NAME_ROOM];
        size_t length = strcspn(path, "\\");
        bool last = path[length] == 0;
        if (length == 0) {
            return STATUS_OBJECT_NAME_INVALID;
        }
        if (e && !(e->flags & ENTRY_FOLDER)) {
            return STATUS_OBJECT_PATH_NOT_FOUND;
        }
        const entry *next = NULL;
        if (length < sizeof name) {
            memcpy(name, path, length);
            name[length] = 0;
            next = find_entry(d, index_of(d, e), name);
        }
        if (!next) {
            return last ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_OBJECT_PATH_NOT_FOUND;
        }
        e = next;
        path += length + (last ? 0 : 1);
    }
    node *n = calloc(1, sizeof *n);
    if (!n) {
        return STATUS_NO_MEMORY;
    }
    n->e = e;
    *out = n;
    return STATUS_SUCCESS;
}

static void stfs_close(vfs_device *head, void *data)
{
    node *n = data;
    free(n->marks);
    free(n);
}

static void describe(const vfs_device *head, const entry *e, vfs_info *info)
{
    bool folder = !e || e->flags & ENTRY_FOLDER;
    *info = (vfs_info){
        .size = folder ? 0 : e->size,
        .allocation = folder ? 0 : (uint64_t)block_count(e) * BLOCK,
        .time = head->time,
        .attributes = VFS_ATTRIBUTE_READONLY | (folder ? VFS_ATTRIBUTE_DIRECTORY : 0),
    };
}

static void stfs_info(vfs_device *head, void *data, vfs_info *info)
{
    const node *n = data;
    describe(head, n->e, info);
}

static kstatus stfs_read(vfs_device *head, void *data, uint64_t offset, void *buffer,
                         uint32_t length, uint32_t *done)
{
    device *d = (device *)head;
    node *n = data;
    *done = 0;
    uint32_t size = n->e ? n->e->size : 0;
    if (offset >= size || length == 0) {
        return STATUS_SUCCESS;
    }
    if (!n->known) {
        n->status = check_blocks(d, n);
        n->known = true;
    }
    if (n->status != STATUS_SUCCESS) {
        return n->status;
    }
    if (length > size - offset) {
        length = (uint32_t)(size - offset);
    }
    while (*done < length) {
        uint32_t at = (uint32_t)offset + *done, block;
        uint32_t within = at % BLOCK, piece = BLOCK - within;
        if (piece > length - *done) {
            piece = length - *done;
        }
        if (!find_block(d, n, at / BLOCK, &block) || !load_block(d, block)) {
            return STATUS_FILE_CORRUPT_ERROR;
        }
        memcpy((char *)buffer + *done, d->data + within, piece);
        *done += piece;
    }
    return STATUS_SUCCESS;
}

static kstatus stfs_list(vfs_device *head, void *data, uint32_t index, vfs_entry *out)
{
    const device *d = (const device *)head;
    const node *n = data;
    int32_t folder = index_of(d, n->e);
    uint64_t at = (uint64_t)lower_bound(d, folder, "") + index;
    if (at >= d->used || d->order[at]->parent != folder) {
        return STATUS_NO_MORE_FILES;
    }
    memcpy(out->name, d->order[at]->name, NAME_ROOM);
    describe(head, d->order[at], &out->info);
    return STATUS_SUCCESS;
}

/* xenia stfs_container_device.h: sectors of 512 bytes, a unit is a block. */
static void stfs_volume(vfs_device *head, vfs_volume *volume)
{
    *volume = (vfs_volume){
        .name = "STFS",
        .name_max = NAME_ROOM - 1,
        .bytes_per_sector = 512,
        .sectors_per_unit = BLOCK / 512,
        .units = ((const device *)head)->total,
        .units_free = 0,
        .read_only = true,
    };
}

static void destroy(device *d)
{
    free(d->entries);
    free(d->order);
    free(d);
}

static void stfs_destroy(vfs_device *head)
{
    close(((device *)head)->file);
    destroy((device *)head);
}

static const vfs_device_ops stfs_ops = {
    .open = stfs_open,
    .close = stfs_close,
    .info = stfs_info,
    .read = stfs_read,
    .list = stfs_list,
    .volume = stfs_volume,
    .destroy = stfs_destroy,
};

vfs_device *vfs_stfs_create(int file, uint64_t size, char *why, size_t room)
{
    device *d = calloc(1, sizeof *d);
    if (!d) {
        refuse(why, room, "out of memory");
        return NULL;
    }
    d->head.ops = &stfs_ops;
    d->file = file;
    d->size = size;
    d->block = CHAIN_END;
    if (!read_package(d, why, room)) {
        destroy(d); /* the descriptor stays the caller's */
        return NULL;
    }
    return &d->head;
}
