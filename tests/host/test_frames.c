/* test_frames.c: PNG files, read back with libpng's own simplified reader. */
#include "support.h"

#include <errno.h>
#include <png.h>

#include "host/frames.h"

static void test_frame_reads_back(void **state)
{
    char folder[64], path[256], why[128];
    uint8_t pixels[3 * 32], back[3 * 5 * 3];
    folder_start(folder);
    for (uint32_t y = 0; y < 3; y++) { /* 5 pixels a row, 12 bytes of gap behind each */
        for (uint32_t x = 0; x < 5; x++) {
            const uint8_t pixel[4] = {(uint8_t)(x * 50), (uint8_t)(y * 80), 7, 255};
            memcpy(pixels + y * 32 + x * 4, pixel, 4);
        }
    }
    const weft_frame frame = {.size = sizeof frame,
                              .width = 5,
                              .height = 3,
                              .stride = 32,
                              .number = 42,
                              .pixels = pixels};
    assert_int_equal(frame_write(folder, &frame, why, sizeof why), 0);
    snprintf(path, sizeof path, "%s/frame-000042.png", folder); /* CONTRACTS: frame-%06d.png */
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.width, 5);
    assert_int_equal(image.height, 3);
    assert_int_equal(image.format, PNG_FORMAT_RGB);
    assert_true(png_image_finish_read(&image, NULL, back, 0, NULL));
    for (uint32_t i = 0; i < 15; i++) {
        assert_int_equal(back[i * 3], i % 5 * 50);
        assert_int_equal(back[i * 3 + 1], i / 5 * 80);
        assert_int_equal(back[i * 3 + 2], 7);
    }
    folder_end(folder);
}

static void test_frame_that_cannot_be_written(void **state)
{
    char why[128];
    const uint8_t pixel[4] = {0};
    weft_frame frame = {
        .size = sizeof frame, .width = 1, .height = 1, .stride = 4, .number = 1, .pixels = pixel};
    assert_int_equal(frame_write("/nowhere/at/all", &frame, why, sizeof why), -1);
    assert_string_equal(why, "No such file or directory");
    char folder[64];
    folder_start(folder);
    frame.width = 0; /* libpng refuses an empty picture by its longjmp */
    assert_int_equal(frame_write(folder, &frame, why, sizeof why), -1);
    assert_contains(why, "IHDR");
    folder_end(folder);
}

static void test_folders_are_made(void **state)
{
    char folder[64], path[256];
    struct stat status;
    folder_start(folder);
    snprintf(path, sizeof path, "%s/a/b/c", folder);
    assert_int_equal(folder_make(path), 0);
    assert_int_equal(folder_make(path), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    file_write(folder, "file", "", path);
    assert_int_equal(folder_make(path), -1);
    assert_int_equal(errno, ENOTDIR);
    folder_end(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_reads_back),
        cmocka_unit_test(test_frame_that_cannot_be_written),
        cmocka_unit_test(test_folders_are_made),
    };
    return cmocka_run_group_tests_name("host frames", tests, NULL, NULL);
}
