/* STFS packages as a device, against a writer made from the documents (stfs_writer.h), and packages
 * that nobody's writer makes. */
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stfs_writer.h"

#define BLOCK     4096u
#define BLOCK_0   0xC000 /* Free60 wiki: "the first block is located at 0xC000" */
#define ENTRY(i)  (BLOCK_0 + (i)*0x40)
#define IN_HEADER 0x379 /* the volume descriptor */
#define MOUNT     "\\Device\\Package"
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

typedef struct world {
    fixture *f;
    FILE *file;
    char why[256];
} world;

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    w->f = fixture_open();
    w->file = tmpfile();
    assert_non_null(w->file);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    fixture_close(w->f);
    fclose(w->file);
    free(w);
    return 0;
}

static void change(world *w, uint64_t offset, const void *bytes, size_t length)
{
    assert_int_equal(pwrite(fileno(w->file), bytes, length, (off_t)offset), length);
}

static void change_byte(world *w, uint64_t offset, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    change(w, offset, &byte, 1);
}

/* Makes the device of what is in the file now; NULL with a sentence in w->why. */
static vfs_device *make(world *w)
{
    struct stat st;
    assert_int_equal(fstat(fileno(w->file), &st), 0);
    int fd = dup(fileno(w->file));
    vfs_device *device = vfs_stfs_create(fd, (uint64_t)st.st_size, w->why, sizeof w->why);
    if (!device) {
        assert_int_equal(close(fd), 0); /* still the caller's */
    }
    return device;
}

static void mount_package(world *w)
{
    vfs_device *device = make(w);
    if (!device) {
        fail_msg("%s", w->why);
    }
    vfs_mount(w->f->k->vfs, device, MOUNT);
}

static void write_package(world *w, const stfs_file files[], size_t count, bool read_only_format)
{
    assert_int_equal(ftruncate(fileno(w->file), 0), 0);
    assert_true(stfs_write(w->file, files, count, read_only_format));
}

static kstatus open_path(world *w, const char *path, vfs_file **file)
{
    uint32_t action;
    char whole[VFS_PATH_MAX];
    snprintf(whole, sizeof whole, MOUNT "\\%s", path);
    return vfs_open(w->f->k->vfs, NULL, whole, VFS_OPEN, 0, file, &action);
}

static kstatus probe(world *w, const char *path)
{
    vfs_file *file;
    kstatus status = open_path(w, path, &file);
    vfs_close(file);
    return status;
}

/* Reads in one piece; the status. The rest of the buffer keeps 0xCC. */
static kstatus read_piece(world *w, const char *path, uint64_t offset, uint8_t *buffer,
                          uint32_t length, uint32_t *done)
{
    vfs_file *file;
    memset(buffer, 0xCC, length);
    assert_int_equal(open_path(w, path, &file), STATUS_SUCCESS);
    kstatus status = vfs_read(file, offset, buffer, length, done);
    vfs_close(file);
    return status;
}

static uint8_t *pattern(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    uint32_t x = 1;
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24);
    }
    return bytes;
}

/* The file is what it was written from: whole, and around every `step`-th byte, forwards and back. */
static void assert_content(world *w, const char *path, const uint8_t *bytes, uint32_t size,
                           uint32_t step)
{
    vfs_file *file;
    vfs_info info;
    uint32_t done;
    uint8_t *got = malloc(size + 100);
    assert_int_equal(open_path(w, path, &file), STATUS_SUCCESS);
    vfs_info_get(file, &info);
    assert_int_equal(info.size, size);
    assert_int_equal(vfs_read(file, 0, got, size + 100, &done), STATUS_SUCCESS);
    assert_int_equal(done, size);
    assert_memory_equal(got, bytes, size);
    for (uint32_t back = 0; back < 2; back++) {
        for (uint32_t i = 0; i + 50 < size; i += step) {
            uint32_t at = back ? size - 50 - i : i;
            assert_int_equal(vfs_read(file, at, got, 50, &done), STATUS_SUCCESS);
            assert_int_equal(done, 50);
            assert_memory_equal(got, bytes + at, 50);
        }
    }
    assert_int_equal(vfs_read(file, size, got, 1, &done), STATUS_END_OF_FILE);
    vfs_close(file);
    free(got);
}

/* ---- the writer ------------------------------------------------------------------------------ */

/* Where blocks lie, from the numbers in the Free60 wiki's ComputeLevelNHashBlockNumber: tables of
 * level 1 and 2 at blocks 0xAB and 0x718F behind the header with single tables, 0xAC and 0x723A with
 * double ones. Behind the table of level 1 comes the second one of level 0, then block 170. */
static void test_writer_lays_blocks_out_as_documented(void **state)
{
    static const struct {
        bool single;
        uint64_t level_1, block_170, level_2, block_28900;
    } cases[] = {
        {true, 0xB000 + UINT64_C(0xAB000), 0xB000 + UINT64_C(0xAD000), 0xB000 + UINT64_C(0x718F000),
         0xB000 + UINT64_C(0x7192000)},
        {false, 0xA000 + UINT64_C(0xAC000), 0xA000 + UINT64_C(0xB0000),
         0xA000 + UINT64_C(0x723A000), 0xA000 + UINT64_C(0x7240000)},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        FILE *file = tmpfile();
        uint8_t block[BLOCK], table[0x18], descriptor[0x24];
        /* blocks 1 to 169, 170 to 28,899, and 28,900 */
        stfs_file files[] = {{.path = "a", .hole = 169 * BLOCK},
                             {.path = "b", .bytes = "seventy", .size = 7},
                             {.path = "c", .hole = 28729 * BLOCK},
                             {.path = "d", .bytes = "hundred", .size = 7}};
        assert_true(stfs_write(file, files, 4, cases[i].single));
        int fd = fileno(file);
        assert_int_equal(pread(fd, block, 8, (off_t)cases[i].block_170), 8);
        assert_memory_equal(block, "seventy", 8);
        assert_int_equal(pread(fd, block, 8, (off_t)cases[i].block_28900), 8);
        assert_memory_equal(block, "hundred", 8);
        /* the first table of level 1 has entries for 170 tables; that of level 2 for two. The valid
         * copy of a first table is the second. */
        uint64_t copy = cases[i].single ? 0 : BLOCK;
        assert_int_equal(pread(fd, table, 0x18, (off_t)(cases[i].level_1 + copy + 169 * 0x18)),
                         0x18);
        assert_int_equal(table[20], 0); /* of table 169 the first copy */
        assert_int_not_equal(weft_load32(table), 0);
        assert_int_equal(pread(fd, table, 0x18, (off_t)(cases[i].level_2 + copy + 0x18)), 0x18);
        assert_int_not_equal(weft_load32(table), 0);
        assert_int_equal(pread(fd, table, 0x18, (off_t)(cases[i].level_2 + copy + 2 * 0x18)), 0x18);
        assert_int_equal(weft_load32(table), 0);
        assert_int_equal(pread(fd, descriptor, 0x24, IN_HEADER), 0x24);
        assert_int_equal(descriptor[2], cases[i].single ? 1 : 2);
        assert_int_equal(weft_load32(descriptor + 0x1C), 28901);
        fclose(file);
    }
}

/* ---- packages as the console makes them ------------------------------------------------------ */

static const stfs_file few[] = {
    {.path = "default.xex", .bytes = "XEX2 and more", .size = 13},
    {.path = "Media", .folder = true},
    {.path = "Media\\zebra.txt", .bytes = "z", .size = 1},
    {.path = "Media\\Apple.txt", .bytes = "apple", .size = 5, .scattered = true},
    {.path = "Media\\Fonts", .folder = true},
    {.path = "Media\\Fonts\\Arial.xpr", .bytes = "0123456789", .size = 10},
    {.path = "empty.bin"},
};

static void test_small_files_of_both_formats(void **state)
{
    world *w = *state;
    static const char magic[2][4] = {{'C', 'O', 'N', ' '}, {'P', 'I', 'R', 'S'}};
    for (unsigned single = 0; single < 2; single++) {
        write_package(w, few, COUNT(few), single);
        change(w, 0, magic[single], 4);
        vfs_device *device = make(w);
        assert_non_null(device);
        snprintf(device->mount, sizeof device->mount, "-");
        vfs_mount(w->f->k->vfs, device, single ? "\\Device\\Single" : "\\Device\\Double");
        vfs_file *file;
        uint32_t action, done;
        char text[20] = "";
        assert_int_equal(vfs_open(w->f->k->vfs, NULL,
                                  single ? "\\Device\\Single\\media\\fonts\\ARIAL.XPR"
                                         : "\\Device\\Double\\media\\fonts\\ARIAL.XPR",
                                  VFS_OPEN, 0, &file, &action),
                         STATUS_SUCCESS);
        assert_int_equal(vfs_read(file, 3, text, 20, &done), STATUS_SUCCESS);
        assert_int_equal(done, 7);
        assert_string_equal(text, "3456789");
        vfs_close(file);
        assert_string_equal(w->f->fake->logged, ""); /* every digest on the way matches */
    }
}

static void test_names_paths_and_kinds(void **state)
{
    world *w = *state;
    vfs_file *file;
    vfs_info info;
    vfs_volume volume;
    uint32_t action, done;
    char byte;
    write_package(w, few, COUNT(few), true);
    mount_package(w);
    assert_int_equal(probe(w, ""), STATUS_SUCCESS);
    assert_int_equal(probe(w, "DEFAULT.XEX"), STATUS_SUCCESS);
    assert_int_equal(probe(w, "Media/../default.xex"), STATUS_SUCCESS);
    assert_int_equal(probe(w, "nothing"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(probe(w, "Media\\nothing"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(probe(w, "zebra.txt"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(probe(w, "nothing\\x"), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(probe(w, "default.xex\\x"), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(probe(w, "a-name-of-more-than-the-forty-bytes-of-an-entry"),
                     STATUS_OBJECT_NAME_NOT_FOUND);

    assert_int_equal(vfs_query(w->f->k->vfs, NULL, MOUNT "\\default.xex", &info), STATUS_SUCCESS);
    assert_int_equal(info.size, 13);
    assert_int_equal(info.allocation, BLOCK);
    assert_int_equal(info.attributes, VFS_ATTRIBUTE_READONLY);
    assert_int_equal(info.time, w->f->k->machine->rtc);
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, MOUNT "\\Media", &info), STATUS_SUCCESS);
    assert_int_equal(info.attributes, VFS_ATTRIBUTE_READONLY | VFS_ATTRIBUTE_DIRECTORY);

    assert_int_equal(open_path(w, "empty.bin", &file), STATUS_SUCCESS);
    assert_int_equal(vfs_read(file, 0, &byte, 1, &done), STATUS_END_OF_FILE);
    vfs_volume_get(file, &volume);
    assert_string_equal(volume.name, "STFS");
    assert_int_equal(volume.name_max, 40);
    assert_true(volume.read_only);
    assert_int_equal(volume.units, 5); /* a block of file table and four of files */
    assert_int_equal(vfs_write(file, 0, &byte, 1, &done), STATUS_MEDIA_WRITE_PROTECTED);
    vfs_close(file);
    assert_int_equal(vfs_open(w->f->k->vfs, NULL, MOUNT "\\new", VFS_CREATE, 0, &file, &action),
                     STATUS_ACCESS_DENIED);
    assert_int_equal(
        vfs_open(w->f->k->vfs, NULL, MOUNT "\\default.xex", VFS_OVERWRITE, 0, &file, &action),
        STATUS_ACCESS_DENIED);
}

static void assert_listing(world *w, const char *path, const char *const names[], uint32_t count)
{
    vfs_file *file;
    vfs_entry entry;
    assert_int_equal(open_path(w, path, &file), STATUS_SUCCESS);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(vfs_list(file, i, &entry), STATUS_SUCCESS);
        assert_string_equal(entry.name, names[i]);
    }
    assert_int_equal(vfs_list(file, count, &entry), STATUS_NO_MORE_FILES);
    assert_int_equal(vfs_list(file, UINT32_MAX, &entry), STATUS_NO_MORE_FILES);
    vfs_close(file);
}

static void test_listings_are_sorted(void **state)
{
    world *w = *state;
    vfs_file *file;
    vfs_entry entry;
    write_package(w, few, COUNT(few), false);
    mount_package(w);
    assert_listing(w, "", (const char *const[]){"default.xex", "empty.bin", "Media"}, 3);
    assert_listing(w, "Media", (const char *const[]){"Apple.txt", "Fonts", "zebra.txt"}, 3);
    assert_listing(w, "Media\\Fonts", (const char *const[]){"Arial.xpr"}, 1);
    assert_int_equal(open_path(w, "Media", &file), STATUS_SUCCESS);
    assert_int_equal(vfs_list(file, 0, &entry), STATUS_SUCCESS);
    assert_int_equal(entry.info.size, 5);
    assert_int_equal(vfs_list(file, 1, &entry), STATUS_SUCCESS);
    assert_int_equal(entry.info.attributes, VFS_ATTRIBUTE_READONLY | VFS_ATTRIBUTE_DIRECTORY);
    vfs_close(file);
}

/* vfs.h: the exact spelling first, then the first by byte order. */
static void test_several_spellings(void **state)
{
    world *w = *state;
    vfs_info info;
    const stfs_file files[] = {{.path = "same", .bytes = "12", .size = 2},
                               {.path = "SAME", .bytes = "1", .size = 1},
                               {.path = "Same", .bytes = "123", .size = 3}};
    write_package(w, files, 3, true);
    mount_package(w);
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, MOUNT "\\same", &info), STATUS_SUCCESS);
    assert_int_equal(info.size, 2);
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, MOUNT "\\sAME", &info), STATUS_SUCCESS);
    assert_int_equal(info.size, 1);
    assert_listing(w, "", (const char *const[]){"SAME", "Same", "same"}, 3);
}

/* More than 170 blocks: two levels of tables. 300 and 90 blocks, in order and backwards. */
static void test_files_across_hash_tables(void **state)
{
    world *w = *state;
    uint32_t size = 299 * BLOCK + 77, small = 90 * BLOCK;
    uint8_t *bytes = pattern(size);
    const stfs_file files[] = {
        {.path = "order", .bytes = bytes, .size = size},
        {.path = "back", .bytes = bytes, .size = size, .scattered = true},
        {.path = "small", .bytes = bytes, .size = small, .scattered = true},
    };
    for (unsigned single = 0; single < 2; single++) {
        write_package(w, files, 3, single);
        fixture_close(w->f);
        w->f = fixture_open();
        mount_package(w);
        assert_content(w, "order", bytes, size, 5000);
        assert_content(w, "back", bytes, size, 5000);
        assert_content(w, "small", bytes, small, 5000);
        assert_string_equal(w->f->fake->logged, "");
    }
    free(bytes);
}

/* More than 170 * 170 blocks, twice: three levels, and three tables of level 1. */
static void test_files_across_three_levels(void **state)
{
    world *w = *state;
    uint32_t size = 20 * BLOCK + 9, done;
    uint8_t *bytes = pattern(size), *got = malloc(size);
    const stfs_file files[] = {
        {.path = "first", .hole = 28890 * BLOCK, .bytes = bytes, .size = size},
        {.path = "back", .hole = 28900 * BLOCK, .bytes = bytes, .size = size, .scattered = true},
    };
    for (unsigned single = 0; single < 2; single++) {
        write_package(w, files, 2, single);
        fixture_close(w->f);
        w->f = fixture_open();
        mount_package(w);
        for (unsigned i = 0; i < 2; i++) {
            uint32_t from = files[i].hole;
            assert_int_equal(read_piece(w, files[i].path, from, got, size, &done), STATUS_SUCCESS);
            assert_int_equal(done, size);
            assert_memory_equal(got, bytes, size);
            assert_int_equal(read_piece(w, files[i].path, from - 1, got, 3, &done), STATUS_SUCCESS);
            assert_int_equal(got[0], 0);
            assert_memory_equal(got + 1, bytes, 2);
            assert_int_equal(read_piece(w, files[i].path, from / 2, got, 100, &done),
                             STATUS_SUCCESS);
            assert_int_equal(got[0] | got[99], 0);
        }
        assert_string_equal(w->f->fake->logged, "");
    }
    free(got);
    free(bytes);
}

/* Packages of 170, 171, 28,900 and 28,901 blocks: each has one level more than the one before, but
 * for the first of a pair. */
static void test_levels_begin_where_they_must(void **state)
{
    static const uint32_t totals[] = {170, 171, 28900, 28901};
    world *w = *state;
    uint8_t text[4];
    uint32_t done;
    for (size_t i = 0; i < 2 * COUNT(totals); i++) {
        /* a block of file table, and one file of all the others */
        const stfs_file file = {
            .path = "f", .hole = (totals[i / 2] - 2) * BLOCK, .bytes = "last", .size = 4};
        write_package(w, &file, 1, i % 2);
        fixture_close(w->f);
        w->f = fixture_open();
        mount_package(w);
        assert_int_equal(read_piece(w, "f", file.hole, text, 4, &done), STATUS_SUCCESS);
        assert_memory_equal(text, "last", 4);
        assert_string_equal(w->f->fake->logged, "");
    }
}

/* The wiki has the second number of blocks as a copy of the first, xenia one as of valid and the
 * other as of allocated blocks: the larger one counts. */
static void test_either_number_of_blocks_counts(void **state)
{
    world *w = *state;
    uint8_t byte;
    uint32_t done;
    for (unsigned i = 0; i < 2; i++) {
        write_package(w, few, COUNT(few), true);
        change(w, ENTRY(0) + (i ? 0x29 : 0x2C), "\0\0\0", 3);
        fixture_close(w->f);
        w->f = fixture_open();
        mount_package(w);
        assert_int_equal(read_piece(w, "default.xex", 0, &byte, 1, &done), STATUS_SUCCESS);
        assert_int_equal(byte, 'X');
    }
}

/* 200 entries: four blocks of file table, chained backwards by the writer. */
static void test_file_table_of_several_blocks(void **state)
{
    world *w = *state;
    stfs_file files[200] = {{.path = NULL}};
    static char names[200][24];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(names[i], sizeof names[i], i ? "folder\\file%03u" : "folder", i);
        files[i] =
            (stfs_file){.path = names[i], .bytes = names[i], .size = i ? 14 : 0, .folder = i == 0};
    }
    write_package(w, files, 200, false);
    mount_package(w);
    assert_listing(w, "", (const char *const[]){"folder"}, 1);
    assert_content(w, "folder\\file001", (const uint8_t *)names[1], 14, 1);
    assert_content(w, "folder\\file064", (const uint8_t *)names[64], 14, 1);
    assert_content(w, "folder\\file199", (const uint8_t *)names[199], 14, 1);
    assert_string_equal(w->f->fake->logged, "");
}

/* Slots are used again: a folder may come behind what lies in it (Free60 wiki: the indicator is the
 * folder's place in the listing), and slots with no name are free but count. */
static void test_free_slots_and_late_folders(void **state)
{
    world *w = *state;
    const stfs_file files[] = {{.path = "inside", .bytes = "i", .size = 1},
                               {.path = "gone", .bytes = "g", .size = 1},
                               {.path = "late", .folder = true}};
    write_package(w, files, 3, true);
    change_byte(w, ENTRY(0) + 0x32, 0);
    change_byte(w, ENTRY(0) + 0x33, 2);
    change_byte(w, ENTRY(1) + 0x28, 0x40); /* the name's bytes stay */
    change(w, ENTRY(1) + 0x32, "\0\1", 2); /* what a free slot says does not count */
    mount_package(w);
    assert_listing(w, "", (const char *const[]){"late"}, 1);
    assert_listing(w, "late", (const char *const[]){"inside"}, 1);
    assert_int_equal(probe(w, "gone"), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* ---- changed packages ------------------------------------------------------------------------ */

static void test_changed_data_is_read_with_one_warning(void **state)
{
    world *w = *state;
    uint8_t text[13];
    uint32_t done;
    write_package(w, few, COUNT(few), true);
    change_byte(w, BLOCK_0 + BLOCK + 5, 'A'); /* default.xex: block 1 */
    change_byte(w, BLOCK_0 + 2 * BLOCK, 'Z'); /* zebra.txt: block 2 */
    mount_package(w);
    assert_string_equal(w->f->fake->logged, "");
    assert_int_equal(read_piece(w, "default.xex", 0, text, 13, &done), STATUS_SUCCESS);
    assert_memory_equal(text, "XEX2 And more", 13);
    assert_string_equal(
        w->f->fake->logged,
        "package: the digest of block 1 does not match: it was changed after it was signed");
    w->f->fake->logged[0] = 0;
    assert_int_equal(read_piece(w, "Media\\zebra.txt", 0, text, 1, &done), STATUS_SUCCESS);
    assert_int_equal(text[0], 'Z');
    assert_string_equal(w->f->fake->logged, "");
}

/* What is found before the device is mounted is logged when it is. */
static void test_changed_tables_are_warned_of(void **state)
{
    static const struct {
        uint64_t offset;
        bool single;
        const char *text;
    } cases[] = {
        {0x379 + 8, true, "package: the digest of hash table 0 "},
        {0xB000 + 0xFFF, true, "package: the digest of hash table 0 "},
        {0xB000 + 0xFFF, false, "package: the digest of hash table 0 "}, /* the second copy */
        {BLOCK_0 + 0x38, true, "package: the digest of block 0 "},       /* a time */
    };
    world *w = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_package(w, few, COUNT(few), cases[i].single);
        uint8_t byte;
        assert_int_equal(pread(fileno(w->file), &byte, 1, (off_t)cases[i].offset), 1);
        change_byte(w, cases[i].offset, byte ^ 1u);
        vfs_device *device = make(w);
        assert_non_null(device);
        assert_string_equal(w->f->fake->logged, "");
        char mount[32];
        snprintf(mount, sizeof mount, "\\Device\\Package%zu", i);
        vfs_mount(w->f->k->vfs, device, mount);
        assert_memory_equal(w->f->fake->logged, cases[i].text, strlen(cases[i].text));
        w->f->fake->logged[0] = 0;
    }
}

/* Only the valid copy of a double table counts. */
static void test_invalid_copy_is_not_looked_at(void **state)
{
    world *w = *state;
    uint8_t text[13];
    uint32_t done;
    write_package(w, few, COUNT(few), false);
    for (unsigned i = 0; i < BLOCK; i++) {
        change_byte(w, 0xA000 + i, i);
    }
    mount_package(w);
    assert_int_equal(read_piece(w, "default.xex", 0, text, 13, &done), STATUS_SUCCESS);
    assert_memory_equal(text, "XEX2 and more", 13);
    assert_string_equal(w->f->fake->logged, "");
}

/* ---- hostile packages ------------------------------------------------------------------------ */

typedef struct hostile {
    const char *why; /* in the sentence */
    uint64_t offset;
    const char *bytes;
    size_t length;
} hostile;

static void assert_refused(world *w, const hostile *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        write_package(w, few, COUNT(few), true);
        change(w, cases[i].offset, cases[i].bytes, cases[i].length);
        vfs_device *device = make(w);
        if (device || !strstr(w->why, cases[i].why)) {
            fail_msg("case %zu: %s (found \"%s\")", i, cases[i].why, device ? "a device" : w->why);
        }
    }
}

static void test_headers_are_refused(void **state)
{
    static const hostile cases[] = {
        {"magic (found 58455832, expected \"CON \", \"LIVE\" or \"PIRS\")", 0, "XEX2", 4},
        {"volume type (found 1, SVOD, whose data lies in files of its own: it is not read, "
         "expected 0, STFS)",
         0x3A9, "\0\0\0\1", 4},
        {"volume type (found 2, expected 0, STFS)", 0x3A9, "\0\0\0\2", 4},
        {"size of the volume descriptor (found 35, expected 36)", IN_HEADER, "\x23", 1},
        {"size of the header (found 940, ", 0x340, "\0\0\x03\xAC", 4},
        {"size of the header (found 4294967295, ", 0x340, "\xFF\xFF\xFF\xFF", 4},
        {"number of blocks (found 0, ", IN_HEADER + 0x1C, "\0\0\0\0", 4},
        {"number of blocks (found 4913001, expected 1 to 4913000)", IN_HEADER + 0x1C,
         "\0\x4A\xF7\x69", 4},
        {"number of blocks (found 16777216, ", IN_HEADER + 0x1C, "\x01\0\0\0", 4},
        {"blocks of file table (found 65535, expected at most 5)", IN_HEADER + 3, "\xFF\xFF", 2},
        {"blocks of file table (found 6, expected at most 5)", IN_HEADER + 3, "\x06\0", 2},
        {"file table: block 0 (found 16777215, expected less than 5)", IN_HEADER + 5,
         "\xFF\xFF\xFF", 3},
        {"file table: block 0 (found 5, expected less than 5)", IN_HEADER + 5, "\5\0\0", 3},
    };
    assert_refused(*state, cases, COUNT(cases));
}

static void test_truncated_headers_are_refused(void **state)
{
    world *w = *state;
    write_package(w, few, COUNT(few), true);
    static const struct {
        off_t size;
        const char *why;
    } cases[] = {
        {0xC000, "file table: block 0 or its hash tables lie outside the file"},
        {0xB000, "size of the header (found 44302, expected from 941 to the file's 45056)"},
        {0xAFFF, "size of the header (found 44302, expected from 941 to the file's 45055)"},
        {0x3AD, "size of the header (found 44302, expected from 941 to the file's 941)"},
        {0x3AC, "header (found 940 bytes, expected 941 at least)"},
        {4, "header (found 4 bytes, expected 941 at least)"},
        {0, "header (found 0 bytes, expected 941 at least)"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(ftruncate(fileno(w->file), cases[i].size), 0);
        assert_null(make(w));
        assert_string_equal(w->why, cases[i].why);
    }
}

static void test_file_tables_are_refused(void **state)
{
    static const hostile cases[] = {
        {"entry 0: length of its name (found 63, expected at most 40)", ENTRY(0) + 0x28, "\x7F", 1},
        {"entry 0: length of its name (found 41, expected at most 40)", ENTRY(0) + 0x28, "\x69", 1},
        {"entry 0: its name", ENTRY(0) + 0x28, "\x4C", 1}, /* 12 bytes: the last is 0 */
        {"entry 0: its name", ENTRY(0), "\0", 1},
        {"entry 0: its name", ENTRY(0) + 3, "/", 1},
        {"entry 0: its name", ENTRY(0) + 3, "\\", 1},
        {"entry 0: its name", ENTRY(0) + 3, "\n", 1},
        {"entry 0: its path (found entry 2, ", ENTRY(0) + 0x32, "\0\2", 2},    /* a file */
        {"entry 0: its path (found entry 7, ", ENTRY(0) + 0x32, "\0\7", 2},    /* a free slot */
        {"entry 0: its path (found entry 64, ", ENTRY(0) + 0x32, "\0\x40", 2}, /* behind the end */
        {"entry 0: its path (found entry 65534, ", ENTRY(0) + 0x32, "\xFF\xFE", 2},
        {"entry 1: it lies in itself", ENTRY(1) + 0x32, "\0\1", 2},
        {"it lies in itself", ENTRY(1) + 0x32, "\0\4", 2}, /* Media in Media\Fonts */
        {"entry 3: its name is taken (found \"zebra.txt\" twice)", ENTRY(3), "zebra.txt", 9},
    };
    assert_refused(*state, cases, COUNT(cases));
}

static void test_names_of_points_are_refused(void **state)
{
    world *w = *state;
    write_package(w, few, COUNT(few), true);
    change(w, ENTRY(1), "..\0\0\0", 5);
    for (unsigned length = 1; length <= 2; length++) {
        change_byte(w, ENTRY(1) + 0x28, 0x80 | length);
        assert_null(make(w));
        assert_non_null(strstr(w->why, "entry 1: its name"));
    }
}

static void test_free_slots_are_no_folders(void **state)
{
    world *w = *state;
    write_package(w, few, COUNT(few), true);
    change_byte(w, ENTRY(7) + 0x28, 0x80); /* no name */
    change(w, ENTRY(0) + 0x32, "\0\7", 2);
    assert_null(make(w));
    assert_string_equal(w->why,
                        "file table entry 0: its path (found entry 7, expected a folder's)");
}

/* Entry of level 0 of a block; single tables. */
#define NEXT(block) (0xB000 + (block)*0x18 + 0x15)

static void test_chains_of_file_tables(void **state)
{
    world *w = *state;
    stfs_file files[130] = {{.path = NULL}};
    static char names[130][8];
    for (unsigned i = 0; i < 130; i++) {
        snprintf(names[i], sizeof names[i], "f%u", i);
        files[i] = (stfs_file){.path = names[i]};
    }
    write_package(w, files, 130, true); /* blocks 2, 1, 0 */
    change(w, NEXT(1), "\0\0\2", 3);
    assert_null(make(w));
    assert_string_equal(w->why, "file table: its chain comes back to block 2");
    change(w, NEXT(1), "\0\0\3", 3);
    assert_null(make(w));
    assert_string_equal(w->why, "file table: block 2 (found 3, expected less than 3)");
    change(w, NEXT(1), "\xFF\xFF\xFF", 3); /* ends early: what is there is there */
    mount_package(w);
    assert_int_equal(probe(w, "f127"), STATUS_SUCCESS);
    assert_int_equal(probe(w, "f128"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_string_not_equal(w->f->fake->logged, "");
}

/* Three files of four blocks: 1 to 4 backwards, 5 to 8 and 9 to 12 in order. */
static void write_three(world *w, const uint8_t *bytes)
{
    const stfs_file files[] = {
        {.path = "back", .bytes = bytes, .size = 4 * BLOCK, .scattered = true},
        {.path = "order", .bytes = bytes, .size = 4 * BLOCK},
        {.path = "other", .bytes = bytes, .size = 4 * BLOCK},
    };
    write_package(w, files, 3, true);
}

/* Changes three bytes, and reads one byte of a file: it must be refused, and the others be whole. */
static void assert_corrupt(world *w, uint64_t offset, const char *bytes, size_t length,
                           const char *path, const char *logged)
{
    uint8_t *data = pattern(4 * BLOCK), byte;
    uint32_t done;
    write_three(w, data);
    change(w, offset, bytes, length);
    fixture_close(w->f);
    w->f = fixture_open();
    vfs_device *device = make(w);
    assert_non_null(device);
    device->warning[0] = 0; /* that of the changed table */
    vfs_mount(w->f->k->vfs, device, MOUNT);
    assert_int_equal(read_piece(w, path, 0, &byte, 1, &done), STATUS_FILE_CORRUPT_ERROR);
    assert_int_equal(done, 0);
    assert_string_equal(w->f->fake->logged, logged);
    assert_content(w, "other", data, 4 * BLOCK, 3000);
    free(data);
}

static void test_chains_of_files(void **state)
{
    world *w = *state;
    assert_corrupt(w, NEXT(2), "\0\0\4", 3, "back",
                   "package: back: a chain of blocks comes back to block 4");
    assert_corrupt(w, NEXT(2), "\0\0\2", 3, "back",
                   "package: back: a chain of blocks comes back to block 2");
    assert_corrupt(w, NEXT(3), "\xFF\xFF\xFF", 3, "back",
                   "package: back: a chain of blocks leads to block 16777215 after 2 (expected 4 "
                   "of 13)");
    assert_corrupt(w, NEXT(3), "\0\0\x0D", 3, "back",
                   "package: back: a chain of blocks leads to block 13 after 2 (expected 4 of 13)");
    assert_corrupt(w, ENTRY(0) + 0x2F, "\xFF\xFF\xFF", 3, "back",
                   "package: back: a chain of blocks leads to block 16777215 after 0 (expected 4 "
                   "of 13)");
}

static void test_sizes_and_places_of_files(void **state)
{
    world *w = *state;
    /* one byte more than the blocks have */
    assert_corrupt(w, ENTRY(1) + 0x34, "\0\0\x40\x01", 4, "order",
                   "package: order: 16385 bytes in 4 blocks (expected 5)");
    assert_corrupt(w, ENTRY(0) + 0x34, "\xFF\xFF\xFF\xFF", 4, "back",
                   "package: back: 4294967295 bytes in 4 blocks (expected 1048576)");
    assert_corrupt(w, ENTRY(1) + 0x2F, "\x0A\0\0", 3, "order",
                   "package: order: 4 blocks from block 10, of 13");
    assert_corrupt(w, ENTRY(1) + 0x2F, "\xFF\xFF\xFF", 3, "order",
                   "package: order: 4 blocks from block 16777215, of 13");
    /* 4 GiB in 2^24 - 1 blocks of which 13 exist: in order, and chained */
    assert_corrupt(w, ENTRY(1) + 0x29, "\xFF\xFF\xFF\xFF\xFF\xFF\x05\0\0\xFF\xFF\xFF\xFF\xFF\xFF",
                   15, "order", "package: order: 1048576 blocks from block 5, of 13");
    assert_corrupt(w, ENTRY(0) + 0x29, "\xFF\xFF\xFF\xFF\xFF\xFF\x04\0\0\xFF\xFF\xFF\xFF\xFF\xFF",
                   15, "back", "package: back: 1048576 blocks from block 4, of 13");
}

/* The file ends before its blocks do; the descriptor says that there are as many as there can be. */
static void test_blocks_outside_the_file(void **state)
{
    world *w = *state;
    uint8_t *data = pattern(4 * BLOCK), *got = malloc(4 * BLOCK);
    uint32_t done;
    write_three(w, data);
    assert_int_equal(ftruncate(fileno(w->file), BLOCK_0 + 7 * BLOCK + 100), 0);
    mount_package(w);
    assert_content(w, "back", data, 4 * BLOCK, 3000);
    assert_int_equal(read_piece(w, "order", 0, got, 4 * BLOCK, &done), STATUS_FILE_CORRUPT_ERROR);
    assert_string_equal(w->f->fake->logged, "package: block 7 lies outside the file");
    assert_int_equal(read_piece(w, "order", 0, got, 2 * BLOCK, &done), STATUS_SUCCESS);
    assert_memory_equal(got, data, 2 * BLOCK);
    assert_int_equal(read_piece(w, "other", 0, got, 1, &done), STATUS_FILE_CORRUPT_ERROR);
    /* a file that grows meanwhile does not */
    assert_int_equal(ftruncate(fileno(w->file), BLOCK_0 + 20 * BLOCK), 0);
    assert_int_equal(read_piece(w, "other", 0, got, 1, &done), STATUS_FILE_CORRUPT_ERROR);
    free(got);
    free(data);
}

static void test_hash_tables_outside_the_file(void **state)
{
    world *w = *state;
    write_package(w, few, COUNT(few), true);
    change(w, IN_HEADER + 0x1C, "\0\x4A\xF7\x68", 4); /* 170 * 170 * 170 blocks: three levels */
    assert_null(make(w));
    assert_string_equal(w->why, "file table: block 0 or its hash tables lie outside the file");
}

static void test_a_file_that_shrinks_is_an_error(void **state)
{
    world *w = *state;
    uint8_t *data = pattern(4 * BLOCK), byte;
    uint32_t done;
    write_three(w, data);
    mount_package(w);
    assert_int_equal(read_piece(w, "order", 0, &byte, 1, &done), STATUS_SUCCESS);
    assert_int_equal(ftruncate(fileno(w->file), 100), 0);
    assert_int_equal(read_piece(w, "other", 0, &byte, 1, &done), STATUS_FILE_CORRUPT_ERROR);
    free(data);
}

/* 1,024 blocks of file table reach as far as the indicator's 16 bits; all the slots may be used. */
static void test_many_entries_are_bounded(void **state)
{
    world *w = *state;
    size_t count = 65535;
    stfs_file *files = calloc(count + 64, sizeof *files);
    char(*names)[8] = calloc(count + 64, sizeof *names);
    for (size_t i = 0; i < count + 64; i++) {
        snprintf(names[i], sizeof names[i], "f%05zu", i);
        files[i].path = names[i];
    }
    write_package(w, files, count, true);
    mount_package(w);
    assert_int_equal(probe(w, "f65534"), STATUS_SUCCESS);
    assert_string_equal(w->f->fake->logged, "");
    write_package(w, files, count + 64, true);
    assert_null(make(w));
    assert_string_equal(w->why, "blocks of file table (found 1025, expected at most 1024)");
    free(names);
    free(files);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writer_lays_blocks_out_as_documented, setup, teardown),
        cmocka_unit_test_setup_teardown(test_small_files_of_both_formats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_paths_and_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_listings_are_sorted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_several_spellings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files_across_hash_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files_across_three_levels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_levels_begin_where_they_must, setup, teardown),
        cmocka_unit_test_setup_teardown(test_either_number_of_blocks_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_table_of_several_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_slots_and_late_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed_data_is_read_with_one_warning, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_changed_tables_are_warned_of, setup, teardown),
        cmocka_unit_test_setup_teardown(test_invalid_copy_is_not_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(test_headers_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncated_headers_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_tables_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_of_points_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_slots_are_no_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chains_of_file_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chains_of_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sizes_and_places_of_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_blocks_outside_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hash_tables_outside_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_that_shrinks_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_entries_are_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
