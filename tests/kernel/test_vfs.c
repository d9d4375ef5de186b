/* Paths, links, devices: what the title may name, and what it must not reach. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "\\Device\\Harddisk0\\Partition1"

typedef struct world {
    fixture *f;
    char *folder; /* the title's */
} world;

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    w->f = fixture_open();
    w->folder = folder_make();
    folder_file(w->folder, "default.xex", "XEX2", 4);
    folder_file(w->folder, "Media/Fonts/Arial.xpr", "0123456789", 10);
    folder_file(w->folder, "Media/zebra.txt", "z", 1);
    folder_file(w->folder, "Media/Apple.txt", "a", 1);
    assert_int_equal(vfs_mount_title(w->f->k->vfs, w->folder), STATUS_SUCCESS);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    fixture_close(w->f);
    folder_remove(w->folder);
    free(w);
    return 0;
}

static kstatus open_path(world *w, const char *path, uint32_t disposition, uint32_t options,
                         vfs_file **file)
{
    uint32_t action;
    return vfs_open(w->f->k->vfs, NULL, path, disposition, options, file, &action);
}

/* Opens, closes; the status. */
static kstatus probe(world *w, const char *path)
{
    vfs_file *file;
    kstatus status = open_path(w, path, VFS_OPEN, 0, &file);
    vfs_close(file);
    return status;
}

static vfs_file *made(world *w, const char *path, const char *text)
{
    vfs_file *file;
    uint32_t done;
    assert_int_equal(open_path(w, path, VFS_OVERWRITE_IF, 0, &file), STATUS_SUCCESS);
    assert_int_equal(vfs_write(file, 0, text, (uint32_t)strlen(text), &done), STATUS_SUCCESS);
    return file;
}

static void make_folder(world *w, const char *path)
{
    vfs_file *file;
    assert_int_equal(open_path(w, path, VFS_CREATE, VFS_DIRECTORY_FILE, &file), STATUS_SUCCESS);
    vfs_close(file);
}

static void test_title_is_found_under_all_its_names(void **state)
{
    assert_int_equal(probe(*state, "game:\\default.xex"), STATUS_SUCCESS);
    assert_int_equal(probe(*state, "d:\\default.xex"), STATUS_SUCCESS);
    assert_int_equal(probe(*state, "\\??\\D:\\default.xex"), STATUS_SUCCESS);
    assert_int_equal(probe(*state, "\\Device\\Harddisk0\\Partition1\\default.xex"), STATUS_SUCCESS);
    assert_int_equal(probe(*state, "\\Device\\Cdrom0\\default.xex"), STATUS_SUCCESS);
    assert_int_equal(probe(*state, "game:\\"), STATUS_SUCCESS);
    assert_int_equal(probe(*state, "game:"), STATUS_SUCCESS);
}

static void test_names_ignore_case(void **state)
{
    assert_int_equal(probe(*state, "GAME:\\MEDIA\\fonts\\aRIAL.XPR"), STATUS_SUCCESS);
    assert_int_equal(probe(*state, "game:/Media/Fonts/Arial.xpr"), STATUS_SUCCESS);
}

/* Two spellings in one host folder: the exact one wins, else the first in byte order. */
static void test_case_collisions_are_deterministic(void **state)
{
    world *w = *state;
    folder_file(w->folder, "SAME.TXT", "upper", 5);
    folder_file(w->folder, "same.txt", "lo", 2);
    vfs_info info;
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, "game:\\same.txt", &info), STATUS_SUCCESS);
    assert_int_equal(info.size, 2);
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, "game:\\Same.Txt", &info), STATUS_SUCCESS);
    assert_int_equal(info.size, 5); /* 'S' < 's' */
}

/* [MS-ERREF]: the last component missing is a name, one before it a path. */
static void test_missing_names_and_paths(void **state)
{
    assert_int_equal(probe(*state, "game:\\nothing.txt"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(probe(*state, "game:\\nothing\\x.txt"), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(probe(*state, "game:\\default.xex\\x.txt"), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(probe(*state, "nodevice:\\x"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(probe(*state, ""), STATUS_OBJECT_NAME_INVALID);
}

static void test_dots_stay_below_the_device(void **state)
{
    assert_int_equal(probe(*state, "game:\\Media\\..\\default.xex"), STATUS_SUCCESS);
    assert_int_equal(probe(*state, "game:\\.\\Media\\.\\zebra.txt"), STATUS_SUCCESS);
    assert_int_equal(probe(*state, "game:\\..\\x"), STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(probe(*state, "game:\\Media\\..\\..\\etc\\passwd"),
                     STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(probe(*state, "game:/../../etc/passwd"), STATUS_OBJECT_NAME_INVALID);
}

static void test_host_links_do_not_exist(void **state)
{
    world *w = *state;
    char path[256];
    snprintf(path, sizeof path, "%s/secret", w->folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/out", w->folder);
    assert_int_equal(symlink("/etc", path), 0);
    assert_int_equal(probe(w, "game:\\secret"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(probe(w, "game:\\out\\passwd"), STATUS_OBJECT_PATH_NOT_FOUND);
    vfs_file *root;
    vfs_entry entry;
    assert_int_equal(open_path(w, "game:\\", VFS_OPEN, 0, &root), STATUS_SUCCESS);
    for (uint32_t i = 0; vfs_list(root, i, &entry) == STATUS_SUCCESS; i++) {
        assert_string_not_equal(entry.name, "secret");
        assert_string_not_equal(entry.name, "out");
    }
    vfs_close(root);
}

static void test_host_pipes_do_not_exist(void **state)
{
    world *w = *state;
    char path[256];
    snprintf(path, sizeof path, "%s/pipe", w->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(probe(w, "game:\\pipe"), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void test_long_names_are_refused(void **state)
{
    char path[700];
    memset(path, 'a', sizeof path);
    memcpy(path, "game:\\", 6);
    path[sizeof path - 1] = 0;
    assert_int_equal(probe(*state, path), STATUS_OBJECT_NAME_INVALID);
    path[300] = 0; /* one component of 294 */
    assert_int_equal(probe(*state, path), STATUS_OBJECT_NAME_INVALID);
}

static void test_listing_is_sorted_without_case(void **state)
{
    world *w = *state;
    vfs_file *folder;
    vfs_entry entry;
    assert_int_equal(open_path(w, "game:\\Media", VFS_OPEN, 0, &folder), STATUS_SUCCESS);
    const char *const names[] = {"Apple.txt", "Fonts", "zebra.txt"};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(vfs_list(folder, i, &entry), STATUS_SUCCESS);
        assert_string_equal(entry.name, names[i]);
    }
    assert_int_equal(entry.info.attributes & VFS_ATTRIBUTE_DIRECTORY, 0);
    assert_int_equal(vfs_list(folder, 3, &entry), STATUS_NO_MORE_FILES);
    vfs_close(folder);

    /* more than a host folder would return in order by chance */
    for (uint32_t i = 0; i < 26; i++) {
        char name[16];
        snprintf(name, sizeof name, "many/%c", (int)((i & 1 ? 'A' : 'a') + i * 7 % 26));
        folder_file(w->folder, name, "", 0);
    }
    assert_int_equal(open_path(w, "game:\\many", VFS_OPEN, 0, &folder), STATUS_SUCCESS);
    for (uint32_t i = 0; i < 26; i++) {
        char name[2] = {(char)('a' + i), 0};
        assert_int_equal(vfs_list(folder, i, &entry), STATUS_SUCCESS);
        assert_int_equal(vfs_compare(entry.name, name), 0);
    }
    vfs_close(folder);
}

static void test_title_is_read_only(void **state)
{
    world *w = *state;
    vfs_file *file;
    uint32_t done;
    assert_int_equal(open_path(w, "game:\\new.txt", VFS_CREATE, 0, &file), STATUS_ACCESS_DENIED);
    assert_int_equal(open_path(w, "game:\\default.xex", VFS_OVERWRITE, 0, &file),
                     STATUS_ACCESS_DENIED);
    assert_int_equal(open_path(w, "game:\\default.xex", VFS_OPEN_IF, 0, &file), STATUS_SUCCESS);
    assert_int_equal(vfs_write(file, 0, "x", 1, &done), STATUS_MEDIA_WRITE_PROTECTED);
    assert_int_equal(vfs_resize(file, 0), STATUS_MEDIA_WRITE_PROTECTED);
    assert_int_equal(vfs_delete_set(file, true), STATUS_MEDIA_WRITE_PROTECTED);
    vfs_close(file);
    assert_int_equal(probe(w, "game:\\default.xex"), STATUS_SUCCESS);
}

/* Times come from the machine, not from the host's files. */
static void test_times_are_the_machines(void **state)
{
    world *w = *state;
    vfs_info info;
    assert_int_equal(vfs_query(w->f->k->vfs, NULL, "game:\\default.xex", &info), STATUS_SUCCESS);
    assert_int_equal(info.time, UINT64_C(127770912000000000));
    assert_int_equal(info.size, 4);
    assert_int_equal(info.allocation, 2048);
}

static void test_reads_end_at_the_end(void **state)
{
    world *w = *state;
    vfs_file *file;
    uint32_t done;
    char bytes[16];
    assert_int_equal(open_path(w, "d:\\media\\fonts\\arial.xpr", VFS_OPEN, 0, &file),
                     STATUS_SUCCESS);
    assert_int_equal(vfs_read(file, 7, bytes, sizeof bytes, &done), STATUS_SUCCESS);
    assert_int_equal(done, 3);
    assert_memory_equal(bytes, "789", 3);
    assert_int_equal(vfs_read(file, 10, bytes, 1, &done), STATUS_END_OF_FILE);
    assert_int_equal(vfs_read(file, UINT64_MAX, bytes, 1, &done), STATUS_END_OF_FILE);
    assert_int_equal(vfs_read(file, 10, bytes, 0, &done), STATUS_SUCCESS);
    vfs_close(file);
}

/* LESSONS 46: which dispositions may create. */
static void test_dispositions_on_a_missing_file(void **state)
{
    const struct {
        uint32_t disposition;
        kstatus status;
        uint32_t action;
    } rows[] = {
        {VFS_SUPERSEDE, STATUS_SUCCESS, VFS_DID_CREATE},
        {VFS_OPEN, STATUS_OBJECT_NAME_NOT_FOUND, VFS_DOES_NOT_EXIST},
        {VFS_CREATE, STATUS_SUCCESS, VFS_DID_CREATE},
        {VFS_OPEN_IF, STATUS_SUCCESS, VFS_DID_CREATE},
        {VFS_OVERWRITE, STATUS_OBJECT_NAME_NOT_FOUND, VFS_DOES_NOT_EXIST},
        {VFS_OVERWRITE_IF, STATUS_SUCCESS, VFS_DID_CREATE},
    };
    world *w = *state;
    for (uint32_t i = 0; i < 6; i++) {
        char path[32];
        vfs_file *file;
        uint32_t action;
        snprintf(path, sizeof path, "cache:\\file%u", i);
        assert_int_equal(vfs_open(w->f->k->vfs, NULL, path, rows[i].disposition, 0, &file, &action),
                         rows[i].status);
        assert_int_equal(action, rows[i].action);
        vfs_close(file);
        assert_int_equal(probe(w, path) == STATUS_SUCCESS, rows[i].status == STATUS_SUCCESS);
    }
    assert_int_equal(probe(w, "cache:\\missing\\file"), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(probe(w, "cache:\\missing"), STATUS_OBJECT_NAME_NOT_FOUND); /* no mkdir */
}

static void test_dispositions_on_an_existing_file(void **state)
{
    const struct {
        uint32_t disposition;
        kstatus status;
        uint32_t action, size;
    } rows[] = {
        {VFS_SUPERSEDE, STATUS_SUCCESS, VFS_DID_SUPERSEDE, 0},
        {VFS_OPEN, STATUS_SUCCESS, VFS_DID_OPEN, 3},
        {VFS_CREATE, STATUS_OBJECT_NAME_COLLISION, VFS_DOES_EXIST, 3},
        {VFS_OPEN_IF, STATUS_SUCCESS, VFS_DID_OPEN, 3},
        {VFS_OVERWRITE, STATUS_SUCCESS, VFS_DID_OVERWRITE, 0},
        {VFS_OVERWRITE_IF, STATUS_SUCCESS, VFS_DID_OVERWRITE, 0},
    };
    world *w = *state;
    for (uint32_t i = 0; i < 6; i++) {
        vfs_file *file;
        uint32_t action;
        vfs_info info;
        vfs_close(made(w, "cache:\\there", "abc"));
        assert_int_equal(
            vfs_open(w->f->k->vfs, NULL, "cache:\\there", rows[i].disposition, 0, &file, &action),
            rows[i].status);
        assert_int_equal(action, rows[i].action);
        vfs_close(file);
        assert_int_equal(vfs_query(w->f->k->vfs, NULL, "cache:\\there", &info), STATUS_SUCCESS);
        assert_int_equal(info.size, rows[i].size);
    }
}

/* LESSONS 47: with FILE_DIRECTORY_FILE a folder is made, and children can be made in it. */
static void test_directory_option_makes_folders(void **state)
{
    world *w = *state;
    vfs_file *file;
    make_folder(w, "cache:\\saves");
    vfs_close(made(w, "cache:\\saves\\slot1", "x"));
    assert_int_equal(probe(w, "cache:\\SAVES\\SLOT1"), STATUS_SUCCESS);
    assert_int_equal(open_path(w, "cache:\\saves", VFS_OPEN, VFS_NON_DIRECTORY_FILE, &file),
                     STATUS_FILE_IS_A_DIRECTORY);
    assert_int_equal(open_path(w, "cache:\\saves\\slot1", VFS_OPEN, VFS_DIRECTORY_FILE, &file),
                     STATUS_NOT_A_DIRECTORY);
}

static void test_sparse_writes_are_zero_filled_and_bounded(void **state)
{
    world *w = *state;
    uint32_t done;
    char bytes[6];
    vfs_file *file = made(w, "cache0:\\x", "ab");
    assert_int_equal(vfs_write(file, 5, "z", 1, &done), STATUS_SUCCESS);
    assert_int_equal(vfs_read(file, 0, bytes, 6, &done), STATUS_SUCCESS);
    assert_memory_equal(bytes, "ab\0\0\0z", 6);
    assert_int_equal(vfs_write(file, UINT64_C(1) << 60, "z", 1, &done), STATUS_DISK_FULL);
    assert_int_equal(vfs_resize(file, UINT64_C(1) << 60), STATUS_DISK_FULL);
    assert_int_equal(vfs_resize(file, 1), STATUS_SUCCESS);
    assert_int_equal(vfs_resize(file, 3), STATUS_SUCCESS);
    assert_int_equal(vfs_read(file, 0, bytes, 6, &done), STATUS_SUCCESS);
    assert_int_equal(done, 3);
    assert_memory_equal(bytes, "a\0\0", 3);
    vfs_close(file);
}

/* A device of 1 GiB has 65,536 clusters of 16 KiB: no more files and folders than that (free60's
 * description of FATX: a folder takes a cluster). */
static void test_a_device_holds_so_many_files(void **state)
{
    world *w = *state;
    uint32_t made = 0, action;
    kstatus status = STATUS_SUCCESS;
    for (uint32_t i = 0; i < 400 && status == STATUS_SUCCESS; i++) {
        char path[64];
        snprintf(path, sizeof path, "cache0:\\%u", i);
        vfs_file *root;
        status = vfs_open(w->f->k->vfs, NULL, path, VFS_CREATE, VFS_DIRECTORY_FILE, &root, &action);
        vfs_close(root);
        made += status == STATUS_SUCCESS;
        for (uint32_t j = 0; j < 255 && status == STATUS_SUCCESS; j++) {
            vfs_file *file;
            snprintf(path, sizeof path, "cache0:\\%u\\%u", i, j);
            status = vfs_open(w->f->k->vfs, NULL, path, VFS_CREATE, 0, &file, &action);
            vfs_close(file);
            made += status == STATUS_SUCCESS;
        }
    }
    assert_int_equal(status, STATUS_DISK_FULL);
    assert_int_equal(made, 65536);
}

/* A folder moves into a new one, that into the next: deeper than any path, and than the host's
 * stack has room for calls. All goes when the device does. */
static void test_folders_nest_until_the_device_is_full(void **state)
{
    world *w = *state;
    vfs_file *file;
    kstatus status = STATUS_SUCCESS;
    make_folder(w, "cache0:\\top");
    for (uint32_t i = 0; i < 1000000 && status == STATUS_SUCCESS; i++) {
        status = open_path(w, "cache0:\\new", VFS_CREATE, VFS_DIRECTORY_FILE, &file);
        vfs_close(file);
        if (status != STATUS_SUCCESS) {
            break;
        }
        assert_int_equal(open_path(w, "cache0:\\top", VFS_OPEN, 0, &file), STATUS_SUCCESS);
        assert_int_equal(vfs_rename(w->f->k->vfs, file, NULL, "cache0:\\new\\top", false),
                         STATUS_SUCCESS);
        vfs_close(file);
        assert_int_equal(open_path(w, "cache0:\\new", VFS_OPEN, 0, &file), STATUS_SUCCESS);
        assert_int_equal(vfs_rename(w->f->k->vfs, file, NULL, "cache0:\\top", false),
                         STATUS_SUCCESS);
        vfs_close(file);
    }
    assert_int_equal(status, STATUS_DISK_FULL);
}

/* As many as a kernel's pool might hold, and not as many as the host's memory does. */
static void test_links_are_bounded(void **state)
{
    world *w = *state;
    kstatus status = STATUS_SUCCESS;
    uint32_t made = 0;
    while (made < 100000 && status == STATUS_SUCCESS) {
        char name[32];
        snprintf(name, sizeof name, "\\??\\l%u:", made);
        status = vfs_link_create(w->f->k->vfs, name, ROOT);
        made += status == STATUS_SUCCESS;
    }
    assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
    assert_in_range(made, 100, 10000);
    assert_int_equal(vfs_link_delete(w->f->k->vfs, "l7:"), STATUS_SUCCESS);
    assert_int_equal(vfs_link_create(w->f->k->vfs, "again:", ROOT), STATUS_SUCCESS);
}

static void test_deletion_happens_at_close(void **state)
{
    world *w = *state;
    vfs_file *file = made(w, "cache:\\x", "ab");
    assert_int_equal(vfs_delete_set(file, true), STATUS_SUCCESS);
    assert_int_equal(probe(w, "cache:\\x"), STATUS_SUCCESS);
    vfs_close(file);
    assert_int_equal(probe(w, "cache:\\x"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(open_path(w, "cache:\\y", VFS_CREATE, VFS_DELETE_ON_CLOSE, &file),
                     STATUS_SUCCESS);
    vfs_close(file);
    assert_int_equal(probe(w, "cache:\\y"), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void test_full_folders_stay(void **state)
{
    world *w = *state;
    vfs_file *folder;
    make_folder(w, "cache:\\a");
    vfs_close(made(w, "cache:\\a\\b", "x"));
    assert_int_equal(open_path(w, "cache:\\a", VFS_OPEN, 0, &folder), STATUS_SUCCESS);
    assert_int_equal(vfs_delete_set(folder, true), STATUS_DIRECTORY_NOT_EMPTY);
    vfs_close(folder);
    assert_int_equal(probe(w, "cache:\\a\\b"), STATUS_SUCCESS);
}

/* LESSONS 45: parents are made, the handle follows. */
static void test_rename_moves_and_makes_parents(void **state)
{
    world *w = *state;
    kernel *k = w->f->k;
    vfs_file *file = made(w, "cache:\\x", "ab");
    assert_int_equal(vfs_rename(k->vfs, file, NULL, "cache:\\one\\two\\y", false), STATUS_SUCCESS);
    assert_string_equal(vfs_path(file), "\\CACHE\\one\\two\\y");
    assert_int_equal(probe(w, "cache:\\x"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(probe(w, "cache:\\one\\two\\y"), STATUS_SUCCESS);
    assert_int_equal(vfs_rename(k->vfs, file, NULL, "cache:\\one\\two\\Y", false), STATUS_SUCCESS);
    vfs_close(made(w, "cache:\\z", "other"));
    assert_int_equal(vfs_rename(k->vfs, file, NULL, "cache:\\z", false),
                     STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(vfs_rename(k->vfs, file, NULL, "cache:\\z", true), STATUS_SUCCESS);
    vfs_info info;
    assert_int_equal(vfs_query(k->vfs, NULL, "cache:\\z", &info), STATUS_SUCCESS);
    assert_int_equal(info.size, 2);
    assert_int_equal(vfs_rename(k->vfs, file, NULL, "cache0:\\z", true), STATUS_NOT_SAME_DEVICE);
    vfs_close(file);
}

static void test_a_folder_cannot_move_into_itself(void **state)
{
    world *w = *state;
    vfs_file *folder;
    make_folder(w, "cache:\\a");
    assert_int_equal(open_path(w, "cache:\\a", VFS_OPEN, 0, &folder), STATUS_SUCCESS);
    assert_int_equal(vfs_rename(w->f->k->vfs, folder, NULL, "cache:\\a\\b", false),
                     STATUS_INVALID_PARAMETER);
    vfs_close(folder);
}

/* LESSONS 49: reads of partition0 succeed, give nothing and touch nothing. */
static void test_partition0_is_a_null_device(void **state)
{
    world *w = *state;
    vfs_file *file;
    uint32_t done = 9;
    char byte = 'u';
    assert_int_equal(open_path(w, "\\Device\\Harddisk0\\partition0", VFS_OPEN, 0, &file),
                     STATUS_SUCCESS);
    assert_int_equal(vfs_read(file, 0x800, &byte, 1, &done), STATUS_SUCCESS);
    assert_int_equal(done, 0);
    assert_int_equal(byte, 'u');
    vfs_close(file);
}

static void test_links_can_be_made_and_deleted(void **state)
{
    world *w = *state;
    vfs *v = w->f->k->vfs;
    assert_int_equal(vfs_link_create(v, "\\??\\fonts:", "game:\\Media\\Fonts"), STATUS_SUCCESS);
    assert_int_equal(probe(w, "fonts:\\arial.xpr"), STATUS_SUCCESS);
    assert_int_equal(vfs_link_create(v, "FONTS:", "d:"), STATUS_OBJECT_NAME_COLLISION);
    assert_string_equal(vfs_link_target(v, "fonts:"), "game:\\Media\\Fonts");
    assert_int_equal(vfs_link_delete(v, "\\??\\fonts:"), STATUS_SUCCESS);
    assert_int_equal(vfs_link_delete(v, "fonts:"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(probe(w, "fonts:\\arial.xpr"), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void test_link_loops_end(void **state)
{
    world *w = *state;
    vfs_link_create(w->f->k->vfs, "a:", "b:");
    vfs_link_create(w->f->k->vfs, "b:", "a:");
    assert_int_equal(probe(w, "a:\\x"), STATUS_OBJECT_NAME_INVALID);
}

/* A name that only begins like a link is another name. */
static void test_links_match_whole_components(void **state)
{
    world *w = *state;
    vfs_link_create(w->f->k->vfs, "gam", "game:");
    assert_int_equal(probe(w, "gam\\default.xex"), STATUS_SUCCESS);
    assert_int_equal(probe(w, "gamma\\default.xex"), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void test_patterns(void **state)
{
    assert_true(vfs_match("", "x"));
    assert_true(vfs_match("*", ""));
    assert_true(vfs_match("*.*", "noextension"));
    assert_true(vfs_match("*.TXT", "a.b.txt"));
    assert_true(vfs_match("a?c", "AbC"));
    assert_false(vfs_match("a?c", "ac"));
    assert_false(vfs_match("*.txt", "a.txtx"));
    assert_true(vfs_match("a*b*c", "aXXbYYbc"));
}

/* [machine] state: what one run writes, the next one reads. */
static void test_state_folder_keeps_files(void **state)
{
    world *w = *state;
    char *kept = folder_make();
    w->f->fake->machine.state_folder = kept;
    kernel *k = w->f->k;
    vfs *shared = k->vfs;
    k->vfs = vfs_create(k);
    assert_non_null(k->vfs);
    make_folder(w, "cache:\\deep");
    vfs_close(made(w, "cache:\\deep\\save", "hello"));
    vfs_close(made(w, "cache:\\gone", "x"));
    vfs_file *file = made(w, "cache:\\gone", "x");
    vfs_delete_set(file, true);
    vfs_close(file);
    vfs_destroy(k->vfs);
    k->vfs = vfs_create(k);
    char bytes[8];
    uint32_t done;
    assert_int_equal(open_path(w, "cache:\\deep\\save", VFS_OPEN, 0, &file), STATUS_SUCCESS);
    assert_int_equal(vfs_read(file, 0, bytes, 8, &done), STATUS_SUCCESS);
    assert_int_equal(done, 5);
    assert_memory_equal(bytes, "hello", 5);
    vfs_close(file);
    assert_int_equal(probe(w, "cache:\\gone"), STATUS_OBJECT_NAME_NOT_FOUND);
    vfs_destroy(k->vfs);
    k->vfs = shared;
    folder_remove(kept);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_title_is_found_under_all_its_names),
        TEST(test_names_ignore_case),
        TEST(test_case_collisions_are_deterministic),
        TEST(test_missing_names_and_paths),
        TEST(test_dots_stay_below_the_device),
        TEST(test_host_links_do_not_exist),
        TEST(test_host_pipes_do_not_exist),
        TEST(test_long_names_are_refused),
        TEST(test_listing_is_sorted_without_case),
        TEST(test_title_is_read_only),
        TEST(test_times_are_the_machines),
        TEST(test_reads_end_at_the_end),
        TEST(test_dispositions_on_a_missing_file),
        TEST(test_dispositions_on_an_existing_file),
        TEST(test_directory_option_makes_folders),
        TEST(test_sparse_writes_are_zero_filled_and_bounded),
        TEST(test_a_device_holds_so_many_files),
        TEST(test_folders_nest_until_the_device_is_full),
        TEST(test_links_are_bounded),
        TEST(test_deletion_happens_at_close),
        TEST(test_full_folders_stay),
        TEST(test_rename_moves_and_makes_parents),
        TEST(test_a_folder_cannot_move_into_itself),
        TEST(test_partition0_is_a_null_device),
        TEST(test_links_can_be_made_and_deleted),
        TEST(test_link_loops_end),
        TEST(test_links_match_whole_components),
        TEST(test_patterns),
        TEST(test_state_folder_keeps_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
