/* Disc images. They are made by gdfx_writer.c after the format's description, and damaged here byte
 * by byte: offsets in an entry are left 0, right 2, sector 4, size 8, attributes 12, length 13. */
#include "fixture.h"
#include "gdfx_writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTOR (32u * GDFX_SECTOR)
#define ROOT       (GDFX_ROOT * GDFX_SECTOR)

typedef struct world {
    fixture *f;
    char *folder;
    char file[512];
    uint8_t *image;
    size_t size;
    char why[256];
} world;

static uint8_t large[3 * GDFX_SECTOR + 17];

static const gdfx_file files[] = {
    {"default.xex", "XEX2", 4},         {"Media/Fonts/Arial.xpr", "0123456789", 10},
    {"Media/zebra.txt", "z", 1},        {"Media/Apple.txt", "a", 1},
    {"Media/empty.txt", NULL, 0},       {"Empty/", NULL, 0},
    {"large.bin", large, sizeof large},
};

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    for (size_t i = 0; i < sizeof large; i++) {
        large[i] = (uint8_t)(i * 7 + i / 256);
    }
    w->f = fixture_open();
    w->folder = folder_make();
    snprintf(w->file, sizeof w->file, "%s/a.iso", w->folder);
    w->image = gdfx_make(files, sizeof files / sizeof files[0], &w->size);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    fixture_close(w->f);
    folder_remove(w->folder);
    free(w->image);
    free(w);
    return 0;
}

/* The image as it is now, behind `base` bytes; NULL and w->why: refused. */
static vfs_device *device_at(world *w, uint64_t base)
{
    gdfx_save(w->file, base, w->image, w->size);
    int file = open(w->file, O_RDONLY);
    assert_true(file >= 0);
    w->why[0] = 0;
    vfs_device *device = vfs_gdfx_create(file, base + w->size, w->why, sizeof w->why);
    if (!device) {
        assert_int_equal(close(file), 0); /* was not taken over */
        assert_null(strchr(w->why, '\n'));
        assert_non_null(strstr(w->why, "found"));
        assert_non_null(strstr(w->why, "expected"));
    }
    return device;
}

static void mount(world *w)
{
    vfs_device *device = device_at(w, 0);
    assert_non_null(device);
    vfs_mount_game(w->f->k->vfs, device, true);
}

static vfs_file *opened(world *w, const char *path)
{
    vfs_file *file = NULL;
    uint32_t action;
    assert_int_equal(vfs_open(w->f->k->vfs, NULL, path, VFS_OPEN, 0, &file, &action),
                     STATUS_SUCCESS);
    return file;
}

static kstatus probe(world *w, const char *path)
{
    vfs_file *file = NULL;
    uint32_t action;
    kstatus status = vfs_open(w->f->k->vfs, NULL, path, VFS_OPEN, 0, &file, &action);
    vfs_close(file);
    return status;
}

/* The names of a folder, each with a space behind it. */
static void listed(world *w, const char *path, char *names)
{
    vfs_file *file = opened(w, path);
    vfs_entry entry;
    *names = 0;
    for (uint32_t i = 0; vfs_list(file, i, &entry) == STATUS_SUCCESS; i++) {
        strcat(strcat(names, entry.name), " ");
    }
    vfs_close(file);
}

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

/* ---- sound images ---------------------------------------------------------------------------- */

static void files_are_found_without_case(void **state)
{
    world *w = *state;
    mount(w);
    assert_int_equal(probe(w, "game:\\default.xex"), STATUS_SUCCESS);
    assert_int_equal(probe(w, "d:\\DEFAULT.XEX"), STATUS_SUCCESS);
    assert_int_equal(probe(w, "\\Device\\Cdrom0\\media\\fonts\\ARIAL.xpr"), STATUS_SUCCESS);
    assert_int_equal(probe(w, "game:\\Media"), STATUS_SUCCESS);
    assert_int_equal(probe(w, "game:\\"), STATUS_SUCCESS);
    assert_int_equal(probe(w, "game:\\nothing"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(probe(w, "game:\\Media\\nothing"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(probe(w, "game:\\nothing\\x"), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(probe(w, "game:\\default.xex\\x"), STATUS_OBJECT_PATH_NOT_FOUND);
}

/* Sorted without case, as vfs.h says; the tree on the disc has another order. */
static void listings_are_sorted(void **state)
{
    world *w = *state;
    char names[256];
    mount(w);
    listed(w, "game:\\", names);
    assert_string_equal(names, "default.xex Empty large.bin Media ");
    listed(w, "game:\\Media", names);
    assert_string_equal(names, "Apple.txt empty.txt Fonts zebra.txt ");
    listed(w, "game:\\Empty", names);
    assert_string_equal(names, "");
}

static void reads_cross_sectors(void **state)
{
    world *w = *state;
    static const struct {
        uint32_t offset, length, expected;
    } reads[] = {{0, sizeof large, sizeof large},
                 {2047, 2, 2},
                 {2000, 4100, 4100},
                 {sizeof large - 1, 100, 1},
                 {6144, 5000, 17}};
    uint8_t bytes[sizeof large];
    uint32_t done;
    mount(w);
    vfs_file *file = opened(w, "game:\\large.bin");
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        assert_int_equal(vfs_read(file, reads[i].offset, bytes, reads[i].length, &done),
                         STATUS_SUCCESS);
        assert_int_equal(done, reads[i].expected);
        assert_memory_equal(bytes, large + reads[i].offset, done);
    }
    assert_int_equal(vfs_read(file, sizeof large, bytes, 1, &done), STATUS_END_OF_FILE);
    vfs_close(file);
    file = opened(w, "game:\\Media\\empty.txt");
    assert_int_equal(vfs_read(file, 0, bytes, 1, &done), STATUS_END_OF_FILE);
    vfs_close(file);
}

static void facts_of_a_file_are_the_discs(void **state)
{
    world *w = *state;
    vfs_info info;
    vfs_volume volume;
    mount(w);
    vfs_file *file = opened(w, "game:\\large.bin");
    vfs_info_get(file, &info);
    assert_int_equal(info.size, 3 * 2048 + 17);
    assert_int_equal(info.allocation, 4 * 2048);
    assert_int_equal(info.attributes, VFS_ATTRIBUTE_READONLY);
    assert_int_equal(info.time, w->f->k->machine->rtc);
    vfs_volume_get(file, &volume);
    assert_string_equal(volume.name, "GDFX");
    assert_true(volume.read_only);
    assert_int_equal(volume.bytes_per_sector * volume.sectors_per_unit, 2048);
    assert_int_equal(volume.units, w->size / 2048);
    assert_int_equal(volume.units_free, 0);
    vfs_close(file);
    file = opened(w, "game:\\Media");
    vfs_info_get(file, &info);
    assert_int_equal(info.attributes, VFS_ATTRIBUTE_READONLY | VFS_ATTRIBUTE_DIRECTORY);
    vfs_close(file);
}

static void nothing_is_written(void **state)
{
    world *w = *state;
    vfs_file *file = NULL;
    uint32_t action, done;
    mount(w);
    assert_int_equal(vfs_open(w->f->k->vfs, NULL, "game:\\new", VFS_CREATE, 0, &file, &action),
                     STATUS_ACCESS_DENIED); /* as for a folder */
    file = opened(w, "game:\\large.bin");
    assert_int_equal(vfs_write(file, 0, "x", 1, &done), STATUS_MEDIA_WRITE_PROTECTED);
    vfs_close(file);
}

/* xenia disc_image_device.cc has the first five, LibXGD's table XGD1 and the hybrid. The images are
 * sparse. */
static void partitions_lie_at_known_places(void **state)
{
    world *w = *state;
    static const uint64_t bases[] = {0,          0xFB20,     0x20600,   0x02080000,
                                     0x0FD90000, 0x18300000, 0x89D80000};
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        vfs_device *device = device_at(w, bases[i]);
        assert_non_null(device);
        void *node;
        uint8_t bytes[10];
        uint32_t done;
        assert_int_equal(device->ops->open(device, "Media\\Fonts\\Arial.xpr", &node),
                         STATUS_SUCCESS);
        assert_int_equal(device->ops->read(device, node, 0, bytes, 10, &done), STATUS_SUCCESS);
        assert_memory_equal(bytes, "0123456789", 10);
        device->ops->close(device, node);
        device->ops->destroy(device);
    }
    assert_null(device_at(w, 0x12345000));
}

/* 3000 names need 36 sectors or more; the tree is 12 deep. More folders than are kept are used in
 * turn. */
static void many_files_in_many_folders(void **state)
{
    world *w = *state;
    enum { FILES = 3000, FOLDERS = 20 };
    gdfx_file *many = calloc(FILES + FOLDERS, sizeof *many);
    char(*names)[40] = calloc(FILES + FOLDERS, sizeof *names);
    for (unsigned i = 0; i < FILES + FOLDERS; i++) {
        snprintf(names[i], sizeof names[i], i < FILES ? "all/file%04u.dat" : "f%u/only.txt",
                 i < FILES ? i : i - FILES);
        many[i] = (gdfx_file){names[i], names[i], strlen(names[i])};
    }
    free(w->image);
    w->image = gdfx_make(many, FILES + FOLDERS, &w->size);
    mount(w);
    vfs_file *folder = opened(w, "game:\\all");
    vfs_entry entry;
    for (unsigned i = 0; i < FILES; i += 7) {
        char path[64], bytes[40] = "";
        uint32_t done;
        assert_int_equal(vfs_list(folder, i, &entry), STATUS_SUCCESS);
        assert_string_equal(entry.name, names[i] + 4);
        snprintf(path, sizeof path, "game:\\f%u\\ONLY.TXT", i % FOLDERS);
        assert_int_equal(probe(w, path), STATUS_SUCCESS);
        snprintf(path, sizeof path, "game:\\ALL\\FILE%04u.dat", i);
        vfs_file *file = opened(w, path);
        assert_int_equal(vfs_read(file, 0, bytes, sizeof bytes, &done), STATUS_SUCCESS);
        assert_string_equal(bytes, names[i]);
        vfs_close(file);
    }
    assert_int_equal(vfs_list(folder, FILES, &entry), STATUS_NO_MORE_FILES);
    vfs_close(folder);
    free(names);
    free(many);
}

/* An empty root is sector and size 0; some tools write a table of padding or of zeros. */
static void empty_folders_have_three_forms(void **state)
{
    world *w = *state;
    for (int form = 0; form < 3; form++) {
        if (form == 0) {
            memset(w->image + DESCRIPTOR + 0x14, 0, 8);
        } else {
            put32(w->image + DESCRIPTOR + 0x14, GDFX_ROOT);
            put32(w->image + DESCRIPTOR + 0x18, GDFX_SECTOR);
            memset(w->image + ROOT, form == 1 ? 0xFF : 0, GDFX_SECTOR);
        }
        vfs_device *device = device_at(w, 0);
        void *node;
        vfs_entry entry;
        assert_non_null(device);
        assert_int_equal(device->ops->open(device, "", &node), STATUS_SUCCESS);
        assert_int_equal(device->ops->list(device, node, 0, &entry), STATUS_NO_MORE_FILES);
        device->ops->close(device, node);
        device->ops->destroy(device);
    }
}

/* A link into the padding at a sector's end leads to the next sector (extract-xiso does so). */
static void links_to_padding_go_on_at_the_next_sector(void **state)
{
    world *w = *state;
    uint8_t *table = calloc(2, GDFX_SECTOR);
    memset(table, 0xFF, 2 * GDFX_SECTOR);
    memcpy(table, w->image + gdfx_entry(w->image, "default.xex"), 14 + 11);
    memcpy(table + GDFX_SECTOR, w->image + gdfx_entry(w->image, "large.bin"), 14 + 9);
    put16(table, 0);
    put16(table + 2, 2000 / 4);
    put32(table + GDFX_SECTOR, 0xFFFF0000); /* left nothing, right padding */
    w->image = realloc(w->image, w->size + 2 * GDFX_SECTOR);
    memcpy(w->image + w->size, table, 2 * GDFX_SECTOR);
    put32(w->image + DESCRIPTOR + 0x14, (uint32_t)(w->size / GDFX_SECTOR));
    put32(w->image + DESCRIPTOR + 0x18, 2 * GDFX_SECTOR);
    w->size += 2 * GDFX_SECTOR;
    free(table);
    char names[64];
    mount(w);
    listed(w, "game:\\", names);
    assert_string_equal(names, "default.xex large.bin ");
}

/* Several spellings: the exact one, else the first by byte order; of equal names the first entry. */
static void equal_names_have_an_order(void **state)
{
    world *w = *state;
    static const gdfx_file same[] = {
        {"Same.txt", "mixed", 5}, {"same.txt", "low", 3}, {"zzzz.txt", "last", 4}};
    char names[64];
    vfs_info info;
    free(w->image);
    w->image = gdfx_make(same, 3, &w->size);
    mount(w);
    listed(w, "game:\\", names);
    assert_string_equal(names, "Same.txt same.txt zzzz.txt ");
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, "game:\\same.txt", &info), STATUS_SUCCESS);
    assert_int_equal(info.size, 3);
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, "game:\\SAME.TXT", &info), STATUS_SUCCESS);
    assert_int_equal(info.size, 5); /* "Same" is before "same" */
}

static void an_equal_name_counts_once(void **state)
{
    world *w = *state;
    static const gdfx_file same[] = {{"aaa", "1", 1}, {"bbb", "22", 2}, {"ccc", "333", 3}};
    char names[64];
    vfs_info info;
    free(w->image);
    w->image = gdfx_make(same, 3, &w->size);
    size_t first = gdfx_entry(w->image, "bbb"), second = gdfx_entry(w->image, "ccc");
    assert_true(first < second);
    memcpy(w->image + second + 14, "bbb", 3);
    mount(w);
    listed(w, "game:\\", names);
    assert_string_equal(names, "aaa bbb ");
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, "game:\\bbb", &info), STATUS_SUCCESS);
    assert_int_equal(info.size, 2);
}

/* ---- damaged images -------------------------------------------------------------------------- */

static void other_files_are_no_discs(void **state)
{
    world *w = *state;
    memset(w->image + DESCRIPTOR, 'x', 1);
    assert_null(device_at(w, 0));
    assert_non_null(strstr(w->why, "no disc image"));
    w->size = 0;
    assert_null(device_at(w, 0));
    w->size = DESCRIPTOR + GDFX_SECTOR - 1; /* a byte short of a descriptor */
    memset(w->image + DESCRIPTOR, 'M', 1);
    assert_null(device_at(w, 0));
}

static void a_descriptor_has_its_mark_at_both_ends(void **state)
{
    world *w = *state;
    w->image[DESCRIPTOR + 0x7EC + 19] = 0;
    assert_null(device_at(w, 0));
    assert_non_null(strstr(w->why, "volume descriptor at 0x10000"));
}

static void a_root_beyond_the_image_is_refused(void **state)
{
    world *w = *state;
    static const struct {
        uint32_t sector, size;
    } roots[] = {{0xFFFFFFFF, 2048}, {GDFX_ROOT, 0xFFFFFFFF}};
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        put32(w->image + DESCRIPTOR + 0x14, roots[i].sector);
        put32(w->image + DESCRIPTOR + 0x18, roots[i].size);
        assert_null(device_at(w, 0));
        assert_non_null(strstr(w->why, "not in the image"));
    }
    put32(w->image + DESCRIPTOR + 0x14, (uint32_t)(w->size / GDFX_SECTOR) - 1);
    put32(w->image + DESCRIPTOR + 0x18, GDFX_SECTOR + 1); /* a byte behind the end */
    assert_null(device_at(w, 0));
}

static void circles_are_refused(void **state)
{
    world *w = *state;
    size_t child = gdfx_entry(w->image, "default.xex");
    assert_true(child > ROOT);
    put16(w->image + child, (uint32_t)(child - ROOT) / 4); /* to itself */
    assert_null(device_at(w, 0));
    assert_non_null(strstr(w->why, "circle"));
    put16(w->image + child, 0);
    uint32_t other = (uint32_t)w->image[ROOT] | (uint32_t)w->image[ROOT + 1] << 8;
    put16(w->image + ROOT + 2, other); /* both sides to one */
    assert_null(device_at(w, 0));
    assert_non_null(strstr(w->why, "circle"));
}

static void entries_beyond_their_table_are_refused(void **state)
{
    world *w = *state;
    static const uint32_t units[] = {0xFFFE, 512, 511};
    for (size_t i = 0; i < 3; i++) {
        put16(w->image + ROOT + 2, units[i]);
        w->image[ROOT + 2044] = w->image[ROOT + 2045] = 0; /* no padding there */
        assert_null(device_at(w, 0));
        assert_non_null(strstr(w->why, "not in its table"));
    }
    size_t entry = gdfx_entry(w->image, "default.xex"); /* 14 + 11 bytes, and 16 are left */
    memcpy(w->image + ROOT + 2032, w->image + entry, 16);
    put16(w->image + ROOT + 2, 2032 / 4);
    assert_null(device_at(w, 0));
    assert_non_null(strstr(w->why, "not in its table"));
    put16(w->image + ROOT + 2, 0);
    put32(w->image + DESCRIPTOR + 0x18, 13); /* shorter than an entry's head */
    assert_null(device_at(w, 0));
    put32(w->image + DESCRIPTOR + 0x18, 16); /* shorter than the name */
    assert_null(device_at(w, 0));
}

/* Two entries of 14 + 255 bytes, 16 bytes apart, in a table of 300. */
static void entries_that_overlap_are_refused(void **state)
{
    world *w = *state;
    memset(w->image + ROOT, 0xFF, 300);
    put16(w->image + ROOT, 0);
    put16(w->image + ROOT + 2, 16 / 4);
    w->image[ROOT + 16 + 4] = 1; /* a sector: no padding */
    put32(w->image + DESCRIPTOR + 0x18, 300);
    assert_null(device_at(w, 0));
    assert_non_null(strstr(w->why, "overlap"));
}

static void bad_names_are_refused(void **state)
{
    world *w = *state;
    static const char *const bad[] = {"a/b", "a\\b", "a\0b", "..", ".", ""};
    static const uint8_t lengths[] = {3, 3, 3, 2, 1, 0};
    size_t at = gdfx_entry(w->image, "default.xex");
    for (size_t i = 0; i < 6; i++) {
        w->image[at + 13] = lengths[i];
        memcpy(w->image + at + 14, bad[i], lengths[i]);
        assert_null(device_at(w, 0));
        assert_non_null(strstr(w->why, "bad name"));
    }
}

/* What is wrong with one folder concerns that folder alone. */
static void a_bad_folder_fails_alone(void **state)
{
    world *w = *state;
    vfs_info info;
    put32(w->image + gdfx_entry(w->image, "Media/Fonts") + 4, 0x7FFFFFFF);
    mount(w);
    assert_int_equal(probe(w, "game:\\Media\\Fonts"), STATUS_FILE_CORRUPT_ERROR);
    assert_int_equal(probe(w, "game:\\Media\\Fonts\\Arial.xpr"), STATUS_FILE_CORRUPT_ERROR);
    assert_int_equal(probe(w, "game:\\Media\\zebra.txt"), STATUS_SUCCESS);
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, "game:\\large.bin", &info), STATUS_SUCCESS);
}

static void files_beyond_the_image_fail_alone(void **state)
{
    world *w = *state;
    char names[256];
    put32(w->image + gdfx_entry(w->image, "large.bin") + 4, 0xFFFFFFFF);
    put32(w->image + gdfx_entry(w->image, "Media/zebra.txt") + 8, 0xFFFFFFFF);
    mount(w);
    assert_int_equal(probe(w, "game:\\large.bin"), STATUS_FILE_CORRUPT_ERROR);
    assert_int_equal(probe(w, "game:\\Media\\zebra.txt"), STATUS_FILE_CORRUPT_ERROR);
    assert_int_equal(probe(w, "game:\\Media\\apple.txt"), STATUS_SUCCESS);
    listed(w, "game:\\", names);
    assert_string_equal(names, "default.xex Empty large.bin Media ");
}

/* A title that walks all folders must come to an end. */
static void a_folder_inside_itself_is_refused(void **state)
{
    world *w = *state;
    size_t fonts = gdfx_entry(w->image, "Media/Fonts"), media = gdfx_entry(w->image, "Media");
    memcpy(w->image + fonts + 4, w->image + media + 4, 8);
    mount(w);
    assert_int_equal(probe(w, "game:\\Media\\Fonts"), STATUS_FILE_CORRUPT_ERROR);
    assert_int_equal(probe(w, "game:\\Media\\Fonts\\Fonts\\Fonts"), STATUS_FILE_CORRUPT_ERROR);
    assert_int_equal(probe(w, "game:\\Media\\apple.txt"), STATUS_SUCCESS);
}

static void an_image_that_shrinks_is_an_io_error(void **state)
{
    world *w = *state;
    uint8_t bytes[sizeof large];
    uint32_t done;
    mount(w);
    vfs_file *file = opened(w, "game:\\large.bin");
    assert_int_equal(truncate(w->file, DESCRIPTOR), 0);
    assert_int_equal(vfs_read(file, 0, bytes, sizeof bytes, &done), STATUS_UNEXPECTED_IO_ERROR);
    assert_int_equal(done, 0);
    vfs_close(file);
    assert_int_equal(probe(w, "game:\\Media\\zebra.txt"), STATUS_FILE_CORRUPT_ERROR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_found_without_case),
        TEST(listings_are_sorted),
        TEST(reads_cross_sectors),
        TEST(facts_of_a_file_are_the_discs),
        TEST(nothing_is_written),
        TEST(partitions_lie_at_known_places),
        TEST(many_files_in_many_folders),
        TEST(empty_folders_have_three_forms),
        TEST(links_to_padding_go_on_at_the_next_sector),
        TEST(equal_names_have_an_order),
        TEST(an_equal_name_counts_once),
        TEST(other_files_are_no_discs),
        TEST(a_descriptor_has_its_mark_at_both_ends),
        TEST(a_root_beyond_the_image_is_refused),
        TEST(circles_are_refused),
        TEST(entries_beyond_their_table_are_refused),
        TEST(entries_that_overlap_are_refused),
        TEST(bad_names_are_refused),
        TEST(a_bad_folder_fails_alone),
        TEST(files_beyond_the_image_fail_alone),
        TEST(a_folder_inside_itself_is_refused),
        TEST(an_image_that_shrinks_is_an_io_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
