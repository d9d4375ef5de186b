/* The bundled titles end to end. What hello prints is in its source; the checksums of locks come
 * from its formula, computed apart from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <png.h>

#include "weft_run.h"

static void hello_speaks(void **state)
{
    weft_run r = weft_json(title("hello"), NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "hello: integers 42 -42 4000000000\n"));
    assert_non_null(strstr(r.out, "hello: hexadecimal 0x0badf00d 0xC0FFEE\n"));
    assert_non_null(strstr(r.out, "hello: strings [text] [   right] [left    ] [!]\n"));
    /* the ninth argument and later ones come from the stack */
    assert_non_null(strstr(r.out, "hello: twelve 1 2 3 4 5 6 7 8 9 10 11 12\n"));
    assert_string_equal(r.err, "");
    assert_int_equal((int)report_number(&r, "exit_code"), 0);
    weft_free(&r);
}

static void hello_reads_its_file(void **state)
{
    weft_run r = weft_json(title("hello"), NULL);
    assert_non_null(strstr(r.out, "hello.txt has 78 bytes: This file lies beside hello.xex"));
    weft_free(&r);
}

static void hello_sees_its_arguments(void **state)
{
    weft_run r = weft_json(title("hello"), "--", "one", "two=2", NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "one"));
    assert_non_null(strstr(r.out, "two=2"));
    weft_free(&r);
}

/* CONTRACTS: the title's exit code is its first thread's; weft's is 1 when that is not zero. */
static void exit_code_is_the_first_threads(void **state)
{
    weft_run r = weft_json(title("hello"), "--", "exit=7", NULL);
    assert_int_equal(r.status, 1);
    assert_int_equal((int)report_number(&r, "exit_code"), 7);
    assert_int_equal(lines_with(r.err, "weft: error:"), 1);
    weft_free(&r);
}

static void fault_is_the_guests(void **state)
{
    weft_run r = weft_json(title("hello"), "--", "fault", NULL);
    assert_int_equal(r.status, 1);
    assert_int_equal(lines_with(r.err, "weft: error:"), 1);
    assert_non_null(strstr(r.err, "access violation on store"));
    assert_non_null(strstr(r.err, "address 0x00000010"));
    weft_free(&r);
}

static void deadlock_is_told(void **state)
{
    weft_run r = weft_json(title("hello"), "--", "deadlock", NULL);
    assert_int_equal(r.status, 4);
    assert_int_equal(lines_with(r.err, "weft: error:"), 1);
    weft_free(&r);
}

/* An export that is missing: one log line and one row in the report, with name and caller. */
static void missing_export_is_reported(void **state)
{
    weft_run r = weft_json(title("hello"), "--", "missing", NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.err, "is not implemented"), 1);
    const cJSON *list = cJSON_GetObjectItem(r.json, "unimplemented");
    assert_int_equal(cJSON_GetArraySize(list), 1);
    const cJSON *row = cJSON_GetArrayItem(list, 0);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(row, "name")),
                        "xboxkrnl.exe!XeKeysObfuscate");
    weft_free(&r);
}

static void locks_checksum_is_right(void **state)
{
    weft_run r = weft_json(title("locks"), NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "locks: checksum 0xa9599a95 ok\n");
    assert_true(report_number(&r, "instructions") <= 50e6);
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(r.json, "threads")) >= 6);
    weft_free(&r);
}

static void locks_scales(void **state)
{
    static const struct {
        const char *rounds, *line;
    } cases[] = {
        {"rounds=0", "locks: checksum 0xf88a3414 ok\n"},
        {"rounds=1", "locks: checksum 0x351facb8 ok\n"},
        {"rounds=7", "locks: checksum 0x66117f6d ok\n"},
        {"rounds=2000", "locks: checksum 0xc2e9e310 ok\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weft_run r = weft_json(title("locks"), "--", cases[i].rounds, NULL);
        assert_int_equal(r.status, 0);
        assert_string_equal(r.out, cases[i].line);
        weft_free(&r);
    }
}

/* A PNG's pixels as RGB rows; the caller frees them. */
static png_bytep read_png(const char *path, png_image *image)
{
    memset(image, 0, sizeof *image);
    image->version = PNG_IMAGE_VERSION;
    assert_true(png_image_begin_read_from_file(image, path));
    image->format = PNG_FORMAT_RGB;
    png_bytep pixels = malloc(PNG_IMAGE_SIZE(*image));
    assert_non_null(pixels);
    assert_true(png_image_finish_read(image, NULL, pixels, 0, NULL));
    return pixels;
}

static void plasma_moves(void **state)
{
    char *folder = scratch_file("frames"), path[512];
    weft_run r = weft_json("--frames-to", folder, "--until", "frames=30", title("plasma"), NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal((int)report_number(&r, "frames"), 30);
    png_image first, last;
    snprintf(path, sizeof path, "%s/frame-000001.png", folder);
    png_bytep a = read_png(path, &first);
    snprintf(path, sizeof path, "%s/frame-000030.png", folder);
    png_bytep b = read_png(path, &last);
    assert_int_equal(first.width, 1280);
    assert_int_equal(first.height, 720);
    size_t different = 0, size = PNG_IMAGE_SIZE(first);
    for (size_t i = 0; i < size; i++) {
        different += a[i] != b[i];
    }
    assert_true(different > size / 2);
    free(a);
    free(b);
    free(folder);
    weft_free(&r);
}

/* 60 Hz of guest time: the k-th vblank is floor(k * 10^9 / 60) ns. */
static void plasma_keeps_to_the_vblank(void **state)
{
    weft_run r = weft_json(title("plasma"), "--", "frames=60", NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal((int)report_number(&r, "frames"), 60);
    assert_in_range((uint64_t)report_number(&r, "ticks"), 966666666u, 1050000000u);
    weft_free(&r);
}

static void plasma_reacts_to_the_pad(void **state)
{
    char *script = scratch_file("input.txt");
    FILE *file = fopen(script, "w");
    assert_non_null(file);
    fputs("5 0 buttons=0x1000 lx=20000\n8 0 buttons=0\n", file);
    fclose(file);
    weft_run a = weft_json("--until", "frames=20", title("plasma"), NULL);
    weft_run b = weft_json("--input", script, "--until", "frames=20", title("plasma"), NULL);
    weft_run c = weft_json("--input", script, "--until", "frames=20", title("plasma"), NULL);
    assert_int_equal(b.status, 0);
    assert_string_not_equal(report_text(&a, "trace_digest"), report_text(&b, "trace_digest"));
    assert_string_equal(report_text(&b, "trace_digest"), report_text(&c, "trace_digest"));
    free(script);
    weft_free(&a);
    weft_free(&b);
    weft_free(&c);
}

static void info_names_imports_with_their_status(void **state)
{
    weft_run r = weft("info", "--json", title("hello"), NULL);
    assert_int_equal(r.status, 0);
    cJSON *info = cJSON_Parse(r.out);
    assert_non_null(info);
    assert_int_equal((uint32_t)cJSON_GetObjectItem(info, "base")->valuedouble, 0x82000000u);
    int seen = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(info, "imports"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(item, "name"));
        const char *status = cJSON_GetStringValue(cJSON_GetObjectItem(item, "status"));
        seen += strcmp(name, "DbgPrint") == 0 && strcmp(status, "implemented") == 0;
        seen += strcmp(name, "XeKeysObfuscate") == 0 && strcmp(status, "missing") == 0;
    }
    assert_int_equal(seen, 2);
    const cJSON *hashes = cJSON_GetObjectItem(info, "hashes");
    assert_true(cJSON_GetObjectItem(hashes, "total")->valuedouble > 0);
    assert_true(cJSON_GetObjectItem(hashes, "ok")->valuedouble ==
                cJSON_GetObjectItem(hashes, "total")->valuedouble);
    cJSON_Delete(info);
    weft_free(&r);
}

/* The three titles use three forms of image. */
static void info_tells_the_image_form(void **state)
{
    static const struct {
        const char *name, *encryption, *compression;
    } forms[] = {
        {"hello", "none", "none"}, {"plasma", "none", "basic"}, {"locks", "normal", "lzx"}};
    for (int i = 0; i < 3; i++) {
        weft_run r = weft("info", "--json", title(forms[i].name), NULL);
        cJSON *info = cJSON_Parse(r.out);
        assert_non_null(info);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(info, "encryption")),
                            forms[i].encryption);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(info, "compression")),
                            forms[i].compression);
        cJSON_Delete(info);
        weft_free(&r);
    }
}

/* A folder with default.xex is a title too. */
static void folder_is_a_title(void **state)
{
    char *folder = scratch_file("folder"), command[1200];
    snprintf(command, sizeof command,
             "mkdir -p %s && cp %s %s/default.xex && echo hi > %s/hello.txt", folder,
             title("hello"), folder, folder);
    assert_int_equal(system(command), 0);
    weft_run r = weft_json(folder, NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "hello.txt has 3 bytes"));
    free(folder);
    weft_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_speaks),
        cmocka_unit_test(hello_reads_its_file),
        cmocka_unit_test(hello_sees_its_arguments),
        cmocka_unit_test(exit_code_is_the_first_threads),
        cmocka_unit_test(fault_is_the_guests),
        cmocka_unit_test(deadlock_is_told),
        cmocka_unit_test(missing_export_is_reported),
        cmocka_unit_test(locks_checksum_is_right),
        cmocka_unit_test(locks_scales),
        cmocka_unit_test(plasma_moves),
        cmocka_unit_test(plasma_keeps_to_the_vblank),
        cmocka_unit_test(plasma_reacts_to_the_pad),
        cmocka_unit_test(info_names_imports_with_their_status),
        cmocka_unit_test(info_tells_the_image_form),
        cmocka_unit_test(folder_is_a_title),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
