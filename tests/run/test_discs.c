/* Titles that come as one file: disc images and packages run as their folder does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gdfx_writer.h"
#include "stfs_writer.h"
#include "weft_run.h"

#define FILES_MAX 8

static char *slurp(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    bytes[*size] = 0;
    fclose(file);
    return bytes;
}

/* A title and what lies beside it, as a list of files. */
typedef struct kit {
    gdfx_file files[FILES_MAX];
    unsigned count;
} kit;

static void kit_add(kit *k, const char *path, const void *bytes, size_t size)
{
    assert_true(k->count < FILES_MAX);
    void *copy = malloc(size + 1);
    memcpy(copy, bytes, size);
    k->files[k->count++] = (gdfx_file){path, copy, size};
}

/* A bundled title as default.xex, and more files of the folder of titles. */
static void kit_title(kit *k, const char *name, const char *const *beside)
{
    size_t size;
    char *bytes = slurp(title(name), &size);
    kit_add(k, "default.xex", bytes, size);
    free(bytes);
    for (; beside && *beside; beside++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/titles/%s", WEFT_BUILD_DIR, *beside);
        bytes = slurp(path, &size);
        kit_add(k, *beside, bytes, size);
        free(bytes);
    }
}

static char *kit_folder(const kit *k, const char *name)
{
    char *folder = scratch_file(name);
    mkdir(folder, 0777);
    for (unsigned i = 0; i < k->count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, k->files[i].path);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(k->files[i].bytes, 1, k->files[i].size, file), k->files[i].size);
        fclose(file);
    }
    return folder;
}

static char *kit_image(const kit *k, const char *name, uint64_t base)
{
    size_t size;
    char *path = scratch_file(name);
    uint8_t *image = gdfx_make(k->files, k->count, &size);
    gdfx_save(path, base, image, size);
    free(image);
    return path;
}

static char *kit_package(const kit *k, const char *name, bool read_only)
{
    stfs_file files[FILES_MAX] = {0};
    char *path = scratch_file(name);
    FILE *file = fopen(path, "w+b");
    assert_non_null(file);
    for (unsigned i = 0; i < k->count; i++) {
        files[i].path = k->files[i].path;
        files[i].bytes = k->files[i].bytes;
        files[i].size = (uint32_t)k->files[i].size;
        files[i].scattered = !read_only;
    }
    assert_true(stfs_write(file, files, k->count, read_only));
    fclose(file);
    return path;
}

static void kit_free(kit *k)
{
    for (unsigned i = 0; i < k->count; i++) {
        free((void *)k->files[i].bytes);
    }
}

static weft_run traced(const char *path, char **trace)
{
    char *file = scratch_file("t.jsonl");
    size_t size;
    weft_run r = weft("run", "--headless", "--trace", file, path, NULL);
    *trace = slurp(file, &size);
    free(file);
    return r;
}

/* What the title prints is the same, and so is each event's kind, thread and time. The digests
 * differ: an image is \Device\Cdrom0 and a folder \Device\Harddisk0\Partition1, a path that the kernel
 * keeps in guest memory, in blocks as long as it is. */
static void same_run(const char *one, const char *other)
{
    char *a, *b, *left, *right;
    weft_run ra = traced(one, &a), rb = traced(other, &b);
    assert_int_equal(ra.status, 0);
    assert_int_equal(rb.status, 0);
    assert_string_equal(ra.err, rb.err);
    assert_string_equal(ra.out, rb.out);
    unsigned lines = 0;
    char *x = strtok_r(a, "\n", &left), *y = strtok_r(b, "\n", &right);
    for (; x && y; lines++) {
        char *end_x = strstr(x, "\"host_ns\""), *end_y = strstr(y, "\"host_ns\"");
        assert_non_null(end_x);
        assert_non_null(end_y);
        *end_x = *end_y = 0;
        assert_string_equal(x, y);
        x = strtok_r(NULL, "\n", &left);
        y = strtok_r(NULL, "\n", &right);
    }
    assert_true(!x && !y && lines > 50);
    free(a);
    free(b);
    weft_free(&ra);
    weft_free(&rb);
}

static const char *const hello_beside[] = {"hello.txt", NULL};
static const char *const modules_beside[] = {"worker.xex", "mate.xex", "extra.xex",
                                             "refuse.xex", "twin.xex", NULL};

static const struct {
    const char *name;
    const char *const *beside;
} titles[] = {
    {"hello", hello_beside}, {"saves", NULL}, {"locks", NULL}, {"modules", modules_beside}};

static void a_disc_runs_as_its_folder(void **state)
{
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        kit k = {0};
        char name[64];
        kit_title(&k, titles[i].name, titles[i].beside);
        char *folder = kit_folder(&k, titles[i].name);
        snprintf(name, sizeof name, "%s.bin", titles[i].name); /* the name says nothing */
        char *image = kit_image(&k, name, 0);
        same_run(folder, image);
        free(image);
        free(folder);
        kit_free(&k);
    }
}

/* A LIVE package with hash tables once, and a CON package with each twice. */
static void a_package_runs_as_its_folder(void **state)
{
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        kit k = {0};
        char name[64];
        if (!titles[i].beside) { /* one file is the lesser test */
            continue;
        }
        kit_title(&k, titles[i].name, titles[i].beside);
        snprintf(name, sizeof name, "of-%s", titles[i].name);
        char *folder = kit_folder(&k, name);
        for (int form = 0; form < 2; form++) {
            snprintf(name, sizeof name, "%s-%d", titles[i].name, form);
            char *package = kit_package(&k, name, form);
            same_run(folder, package);
            free(package);
        }
        free(folder);
        kit_free(&k);
    }
}

static void a_packages_digests_warn(void **state)
{
    kit k = {0};
    size_t size;
    kit_title(&k, "hello", NULL);
    kit_add(&k, "hello.txt", "abcdefgh-abcdefgh", 17);
    char *path = kit_package(&k, "changed", true), *bytes = slurp(path, &size);
    char *text = memmem(bytes, size, "abcdefgh-abcdefgh", 17);
    assert_non_null(text);
    text[8] = '+';
    gdfx_save(path, 0, (uint8_t *)bytes, size);
    weft_run r = weft("run", "--headless", path, NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "abcdefgh+abcdefgh"));
    assert_int_equal(lines_with(r.err, "weft: warn:"), 1);
    weft_free(&r);
    free(bytes);
    free(path);
    kit_free(&k);
}

static void a_disc_reads_its_files(void **state)
{
    kit k = {0};
    kit_title(&k, "hello", NULL);
    kit_add(&k, "Hello.TXT", "hi\n", 3);
    char *image = kit_image(&k, "files.iso", 0x0FD90000); /* XGD2 */
    weft_run r = weft_json(image, NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "hello.txt has 3 bytes"));
    weft_free(&r);
    r = weft("info", image, NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "files.iso/default.xex"));
    assert_non_null(strstr(r.out, "name: hello"));
    weft_free(&r);
    free(image);
    kit_free(&k);
}

/* ---- the title's hash ------------------------------------------------------------------------ */

/* The profile digest of an image that begins 253 MiB into its file and ends 64 MiB before the file's
 * end: outside of both ends that the host hashes. */
static void digest_of(const kit *k, char *digest)
{
    char *image = kit_image(k, "large.iso", 0x0FD90000);
    struct stat info;
    assert_int_equal(stat(image, &info), 0);
    off_t end = (info.st_size / (1 << 20) + 65) * (1 << 20);
    assert_int_equal(truncate(image, end), 0);
    weft_run r = weft_json(image, NULL);
    assert_int_equal(r.status, 0);
    snprintf(digest, 33, "%s", report_text(&r, "profile_digest"));
    weft_free(&r);
    free(image);
}

/* As of a folder: the executable, the names and sizes of all, the contents of what lies beside. */
static void a_large_discs_hash_covers_what_counts(void **state)
{
    kit k = {0};
    char first[33], next[33];
    kit_title(&k, "hello", hello_beside);
    kit_add(&k, "media/data.bin", "0123456789", 10);
    digest_of(&k, first);
    digest_of(&k, next);
    assert_string_equal(first, next);

    char *beside = (char *)k.files[1].bytes; /* hello.txt */
    beside[0] ^= 1;
    digest_of(&k, next);
    assert_string_not_equal(first, next);
    beside[0] ^= 1;

    k.files[2].path = "media/date.bin";
    digest_of(&k, next);
    assert_string_not_equal(first, next);
    k.files[2].path = "media/data.bin";

    k.files[2].size = 9;
    digest_of(&k, next);
    assert_string_not_equal(first, next);
    k.files[2].size = 10;

    char *text = memmem(k.files[0].bytes, k.files[0].size, "the guest speaks", 16);
    assert_non_null(text); /* hello's image is neither compressed nor encrypted */
    memcpy(text, "the guest squeak", 16);
    digest_of(&k, next);
    assert_string_not_equal(first, next);
    memcpy(text, "the guest speaks", 16);
    digest_of(&k, next);
    assert_string_equal(first, next);
    kit_free(&k);
}

/* An executable of 80 MiB, whose byte at 40 MiB lies in neither end. */
static void a_large_executable_counts_whole(void **state)
{
    kit k = {0};
    char digests[2][33];
    kit_title(&k, "saves", NULL);
    char *path = scratch_file("large.xex");
    for (int i = 0; i < 2; i++) {
        gdfx_save(path, 0, k.files[0].bytes, k.files[0].size);
        assert_int_equal(truncate(path, 80 << 20), 0);
        if (i == 1) {
            FILE *file = fopen(path, "r+b");
            assert_non_null(file);
            assert_int_equal(fseek(file, 40 << 20, SEEK_SET), 0);
            assert_int_equal(fputc('x', file), 'x');
            assert_int_equal(fclose(file), 0);
        }
        weft_run r = weft_json(path, NULL);
        assert_int_equal(r.status, 0);
        snprintf(digests[i], 33, "%s", report_text(&r, "profile_digest"));
        weft_free(&r);
    }
    assert_string_not_equal(digests[0], digests[1]);
    free(path);
    kit_free(&k);
}

/* ---- what is no title ------------------------------------------------------------------------ */

static void refused(const char *path, const char *what)
{
    static const char *const commands[] = {"run", "info"};
    for (int i = 0; i < 2; i++) {
        weft_run r =
            i ? weft(commands[i], path, NULL) : weft(commands[i], "--headless", path, NULL);
        assert_int_equal(r.signal, 0);
        assert_int_equal(r.status, 3);
        assert_int_equal(lines_with(r.err, "weft: error:"), 1);
        assert_int_equal(lines_with(r.err, ""), 1);
        assert_non_null(strstr(r.err, path));
        if (!strstr(r.err, what)) {
            fail_msg("%s", r.err);
        }
        weft_free(&r);
    }
}

static void an_image_without_a_title_is_refused(void **state)
{
    kit k = {0};
    kit_add(&k, "other.xex", "XEX2", 4);
    kit_add(&k, "A\nb.txt", "x", 1); /* one line of the log is one line */
    char *image = kit_image(&k, "none.iso", 0);
    refused(image, "found no default.xex, but A?b.txt first, expected one");
    free(image);
    kit_free(&k);
    k = (kit){0};
    image = kit_image(&k, "empty.iso", 0);
    refused(image, "but nothing first");
    free(image);
    kit_add(&k, "default.xex/x", "x", 1);
    image = kit_image(&k, "folder.iso", 0);
    refused(image, "default.xex");
    free(image);
    kit_free(&k);
}

static void a_bad_package_is_refused(void **state)
{
    kit k = {0};
    size_t size;
    kit_add(&k, "other.xex", "XEX2", 4);
    char *path = kit_package(&k, "none", true), *bytes = slurp(path, &size);
    refused(path, "found no default.xex, but other.xex first, expected one");
    gdfx_save(path, 0, (uint8_t *)bytes, 0x300); /* within the header */
    refused(path, "expected");
    gdfx_save(path, 0, (uint8_t *)bytes, 4);
    refused(path, "expected");
    free(bytes);
    free(path);
    kit_free(&k);
}

static void a_damaged_image_is_refused(void **state)
{
    kit k = {0};
    size_t size;
    kit_title(&k, "hello", NULL);
    uint8_t *image = gdfx_make(k.files, k.count, &size);
    char *path = scratch_file("damaged.iso");
    gdfx_save(path, 0, image, size / 2); /* the executable's second half is missing */
    refused(path, "cannot be read whole");
    gdfx_save(path, 0, image, (size_t)GDFX_ROOT * GDFX_SECTOR); /* the root is missing */
    refused(path, "its table is not in the image");
    image[32 * GDFX_SECTOR + 0x7EC] = 0;
    gdfx_save(path, 0, image, size);
    refused(path, "volume descriptor at 0x10000");
    free(path);
    free(image);
    kit_free(&k);
}

static void traps_are_no_titles(void **state)
{
    char *path = scratch_file("folder-named.iso");
    mkdir(path, 0777);
    refused(path, "default.xex");
    free(path);
    path = scratch_file("pipe.iso");
    assert_int_equal(mkfifo(path, 0600), 0);
    refused(path, "expected a regular file");
    free(path);
    path = scratch_file("nothing.iso");
    gdfx_save(path, 0, (const uint8_t *)"", 0);
    refused(path, "found an empty file");
    free(path);
    path = scratch_file("zeros.iso");
    gdfx_save(path, (uint64_t)9 << 30, (const uint8_t *)"", 0);
    assert_int_equal(truncate(path, (off_t)9 << 30), 0);
    refused(path, "found 00000000, expected an .xex");
    free(path);
    refused("/dev/null", "expected a regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disc_runs_as_its_folder),
        cmocka_unit_test(a_package_runs_as_its_folder),
        cmocka_unit_test(a_packages_digests_warn),
        cmocka_unit_test(a_disc_reads_its_files),
        cmocka_unit_test(a_large_discs_hash_covers_what_counts),
        cmocka_unit_test(a_large_executable_counts_whole),
        cmocka_unit_test(an_image_without_a_title_is_refused),
        cmocka_unit_test(a_bad_package_is_refused),
        cmocka_unit_test(a_damaged_image_is_refused),
        cmocka_unit_test(traps_are_no_titles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
