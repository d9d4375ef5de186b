#include "stfs_writer.h"

#include <mbedtls/sha1.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define BLOCK     4096u
#define PER_TABLE 170u   /* 0xAA */
#define PER_TWO   28900u /* 0x70E4 */
#define CHAIN_END 0xFFFFFFu
#define LEVELS    3

typedef struct place {
    uint32_t start, blocks;
} place;

typedef struct package {
    FILE *file;
    uint64_t base;
    uint32_t copies, total, tables[LEVELS];
    uint64_t *data_slot, *table_slot[LEVELS];
    uint32_t *next;
    uint8_t *table[LEVELS]; /* their bytes, one after the other */
    bool good;
} package;

static void big(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    }
}

static void little24(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    to[2] = (uint8_t)(value >> 16);
}

static void put(package *p, uint64_t offset, const void *bytes, size_t length)
{
    p->good = p->good && fseeko(p->file, (off_t)offset, SEEK_SET) == 0 &&
              fwrite(bytes, 1, length, p->file) == length;
}

/* The order of blocks on the medium: what a table covers follows it, but for the first 170 blocks
 * (their table of level 1 comes behind them) and the first 28,900 (the one of level 2 comes behind
 * them). Free60 wiki: the tables of level 1 and 2 at 0xAB and 0x718F, or 0xAC and 0x723A. */
static void lay_out(package *p)
{
    uint64_t slot = 0;
    for (uint32_t b = 0; b < p->total; b++) {
        if (b == PER_TWO) {
            p->table_slot[2][p->tables[2]++] = slot;
            slot += p->copies;
        }
        if (b == PER_TABLE || (b > 0 && b % PER_TWO == 0)) {
            p->table_slot[1][p->tables[1]++] = slot;
            slot += p->copies;
        }
        if (b % PER_TABLE == 0) {
            p->table_slot[0][p->tables[0]++] = slot;
            slot += p->copies;
        }
        p->data_slot[b] = slot++;
    }
}

/* A table's entry: digest, status (0x80: in use), next block or what level N has there. */
static uint8_t *entry_of(package *p, int level, uint32_t index)
{
    return p->table[level] + (size_t)(index / PER_TABLE) * BLOCK + index % PER_TABLE * 0x18;
}

/* Writes a data block and its entry. */
static void data_block(package *p, uint32_t b, const uint8_t bytes[BLOCK])
{
    static const uint8_t zeros[BLOCK];
    uint8_t *entry = entry_of(p, 0, b);
    if (memcmp(bytes, zeros, BLOCK) != 0) {
        put(p, p->base + p->data_slot[b] * BLOCK, bytes, BLOCK);
    }
    mbedtls_sha1_ret(bytes, BLOCK, entry);
    entry[20] = 0x80;
    big(entry + 21, p->next[b], 3);
}

/* Which copy of a table is valid: the second of the first one, and so on in turn. */
static bool second_is_valid(const package *p, uint32_t index)
{
    return p->copies == 2 && index % 2 == 0;
}

/* Writes all tables from the lowest level, each with its digest one level above. */
static void hash_tables(package *p, uint8_t top_digest[20])
{
    uint8_t wrong[BLOCK];
    memset(wrong, 0xEE, sizeof wrong);
    for (int level = 0; level < LEVELS && p->tables[level] > 0; level++) {
        bool top = level == 2 || p->tables[level + 1] == 0;
        for (uint32_t i = 0; i < p->tables[level]; i++) {
            uint8_t *table = p->table[level] + (size_t)i * BLOCK, digest[20];
            uint64_t offset = p->base + p->table_slot[level][i] * BLOCK;
            bool second = second_is_valid(p, i);
            mbedtls_sha1_ret(table, BLOCK, digest);
            put(p, offset + (second ? BLOCK : 0), table, BLOCK);
            if (p->copies == 2) {
                put(p, offset + (second ? 0 : BLOCK), wrong, BLOCK);
            }
            if (top) {
                memcpy(top_digest, digest, 20);
            } else {
                uint8_t *above = entry_of(p, level + 1, i);
                memcpy(above, digest, 20);
                above[20] = second ? 0x40 : 0;
            }
        }
    }
}

static void write_file(package *p, const stfs_file *f, const place *at)
{
    for (uint32_t i = 0; i < at->blocks; i++) {
        uint8_t bytes[BLOCK] = {0};
        uint64_t from = (uint64_t)i * BLOCK, size = (uint64_t)f->hole + f->size;
        for (uint64_t j = from < f->hole ? f->hole : from; j < from + BLOCK && j < size; j++) {
            bytes[j - from] = ((const uint8_t *)f->bytes)[j - f->hole];
        }
        data_block(p, f->scattered ? at->start - i : at->start + i, bytes);
    }
}

/* An entry of the file table; false if its folder is not in the table. */
static bool file_entry(uint8_t *raw, const stfs_file files[], size_t index, const place *at)
{
    const stfs_file *f = &files[index];
    const char *name = strrchr(f->path, '\\');
    uint32_t parent = 0xFFFF;
    if (name) {
        size_t length = (size_t)(name++ - f->path);
        for (size_t i = 0; i < index; i++) {
            if (files[i].folder && strlen(files[i].path) == length &&
                memcmp(files[i].path, f->path, length) == 0) {
                parent = (uint32_t)i;
            }
        }
        if (parent == 0xFFFF) {
            return false;
        }
    } else {
        name = f->path;
    }
    memcpy(raw, name, strlen(name));
    raw[0x28] = (uint8_t)(strlen(name) | (f->folder ? 0x80 : f->scattered ? 0 : 0x40));
    little24(raw + 0x29, at->blocks);
    little24(raw + 0x2C, at->blocks);
    little24(raw + 0x2F, at->blocks ? at->start : 0);
    big(raw + 0x32, parent, 2);
    big(raw + 0x34, f->folder ? 0 : (uint64_t)f->hole + f->size, 4);
    big(raw + 0x38, 0x3C212345, 4); /* a day in 2010 */
    big(raw + 0x3C, 0x3C212345, 4);
    return true;
}

static void header(package *p, uint32_t size, uint32_t listing, const uint8_t top_digest[20])
{
    uint8_t *h = calloc(1, p->base);
    if (!h) {
        p->good = false;
        return;
    }
    memcpy(h, p->copies == 1 ? "LIVE" : "CON ", 4);
    big(h + 0x340, size, 4);
    big(h + 0x344, 0xD0000, 4); /* an arcade title */
    big(h + 0x348, 2, 4);
    big(h + 0x34C, (uint64_t)p->total * BLOCK, 8);
    uint8_t *descriptor = h + 0x379;
    descriptor[0] = 0x24;
    descriptor[2] = p->copies == 1 ? 1 : second_is_valid(p, 0) ? 2 : 0;
    descriptor[3] = (uint8_t)listing;
    descriptor[4] = (uint8_t)(listing >> 8);
    little24(descriptor + 5, listing - 1);
    memcpy(descriptor + 8, top_digest, 20);
    big(descriptor + 0x1C, p->total, 4);
    mbedtls_sha1_ret(h + 0x344, p->base - 0x344, h + 0x32C);
    put(p, 0, h, p->base);
    free(h);
}

/* The file table first, its blocks in descending order; then the files, one behind the other. */
static uint32_t allocate(const stfs_file files[], size_t count, uint32_t listing, place *places)
{
    uint32_t total = listing;
    for (size_t i = 0; i < count; i++) {
        uint64_t size = files[i].folder ? 0 : (uint64_t)files[i].hole + files[i].size;
        uint32_t blocks = (uint32_t)((size + BLOCK - 1) / BLOCK);
        places[i] = (place){files[i].scattered ? total + blocks - 1 : total, blocks};
        total += blocks;
    }
    return total;
}

static void chain(package *p, uint32_t start, uint32_t blocks, bool descending)
{
    for (uint32_t i = 0; i < blocks; i++) {
        uint32_t b = descending ? start - i : start + i;
        p->next[b] = i + 1 == blocks ? CHAIN_END : descending ? b - 1 : b + 1;
    }
}

static void write_all(package *p, const stfs_file files[], size_t count, const place *places,
                      uint32_t listing, uint8_t *table)
{
    lay_out(p);
    chain(p, listing - 1, listing, true);
    for (size_t i = 0; i < count; i++) {
        chain(p, places[i].start, places[i].blocks, files[i].scattered);
        p->good = p->good && file_entry(table + i * 0x40, files, i, &places[i]);
    }
    for (uint32_t i = 0; i < listing; i++) {
        data_block(p, listing - 1 - i, table + (size_t)i * BLOCK);
    }
    for (size_t i = 0; i < count; i++) {
        write_file(p, &files[i], &places[i]);
    }
    uint8_t top_digest[20];
    hash_tables(p, top_digest);
    header(p, p->copies == 1 ? 0xAD0E : 0x971A, listing, top_digest);
    /* a last block of zeros was not written */
    uint64_t end = p->base + (p->data_slot[p->total - 1] + 1) * BLOCK;
    p->good = p->good && fseeko(p->file, 0, SEEK_END) == 0;
    if (p->good && (uint64_t)ftello(p->file) < end) {
        put(p, end - 1, "", 1);
    }
    p->good = p->good && fflush(p->file) == 0;
}

bool stfs_write(FILE *file, const stfs_file files[], size_t count, bool read_only_format)
{
    uint32_t listing = (uint32_t)(count / 64 + 1);
    place *places = calloc(count + 1, sizeof *places);
    uint8_t *table = calloc(listing, BLOCK);
    if (!places || !table) {
        free(places);
        free(table);
        return false;
    }
    package p = {
        .file = file,
        .base = read_only_format ? 0xB000 : 0xA000,
        .copies = read_only_format ? 1 : 2,
        .total = allocate(files, count, listing, places),
        .good = true,
    };
    p.data_slot = calloc(p.total, sizeof *p.data_slot);
    p.next = calloc(p.total, sizeof *p.next);
    p.good = p.data_slot && p.next;
    uint32_t covered = p.total;
    for (int level = 0; level < LEVELS; level++) {
        covered = covered / PER_TABLE + 1;
        p.table_slot[level] = calloc(covered, sizeof *p.table_slot[level]);
        p.table[level] = calloc(covered, BLOCK);
        p.good = p.good && p.table_slot[level] && p.table[level];
    }
    if (p.good) {
        write_all(&p, files, count, places, listing, table);
    }
    for (int level = 0; level < LEVELS; level++) {
        free(p.table_slot[level]);
        free(p.table[level]);
    }
    free(p.data_slot);
    free(p.next);
    free(places);
    free(table);
    return p.good;
}
