/* Bad input ends in exit code 2, 3 or 5 and one line; never in a signal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft_run.h"

static uint8_t *bytes;
static size_t size;

static int load(void **state)
{
    char path[512];
    snprintf(path, sizeof path, "%s/titles/locks.xex", WEFT_BUILD_DIR);
    FILE *file = fopen(path, "rb");
    if (file) {
        fseek(file, 0, SEEK_END);
        size = (size_t)ftell(file);
        rewind(file);
        bytes = malloc(size);
        size = fread(bytes, 1, size, file);
        fclose(file);
    }
    return 0;
}

static int unload(void **state)
{
    free(bytes);
    return 0;
}

static void write_file(const char *path, const void *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    fclose(file);
}

static void assert_refused(weft_run *r, int code)
{
    assert_int_equal(r->signal, 0);
    assert_int_equal(r->status, code);
    assert_int_equal(lines_with(r->err, "weft: error:"), 1);
    assert_int_equal(lines_with(r->err, ""), lines_with(r->err, "weft: "));
    weft_free(r);
}

static void truncated_titles_are_refused(void **state)
{
    title("locks");
    char *path = scratch_file("cut.xex");
    for (int i = 0; i < 24; i++) {
        size_t length = size * (size_t)i / 24;
        write_file(path, bytes, length);
        weft_run r = weft_json(path, NULL);
        assert_refused(&r, 3);
    }
    free(path);
}

/* A flipped bit may hit what nobody reads, the header, or the image: it is refused, or runs and is
 * told; it never ends weft itself. */
static void flipped_bits_never_crash(void **state)
{
    title("locks");
    char *path = scratch_file("flip.xex");
    uint32_t seed = 12345;
    for (int i = 0; i < 40; i++) {
        seed = seed * 1664525u + 1013904223u;
        size_t at = i < 20 ? (seed >> 8) % 0x800 : (seed >> 8) % size;
        bytes[at] ^= (uint8_t)(1u << (i & 7));
        write_file(path, bytes, size);
        bytes[at] ^= (uint8_t)(1u << (i & 7));
        weft_run r = weft_json("--until", "instructions=20000000", path, NULL);
        assert_int_equal(r.signal, 0);
        assert_true(r.status == 0 || r.status == 1 || r.status == 3 || r.status == 4);
        assert_int_equal(lines_with(r.err, "weft: error:"), r.status != 0);
        weft_free(&r);
    }
    free(path);
}

static void other_files_are_no_titles(void **state)
{
    char *path = scratch_file("x.xex");
    static const char *const texts[] = {
        "", "X", "XEX2", "XEX1 and more of that kind", "MZ", "CON package", "not a title at all"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(path, texts[i], strlen(texts[i]));
        weft_run r = weft_json(path, NULL);
        assert_refused(&r, 3);
    }
    free(path);
}

static void absent_titles_are_named(void **state)
{
    weft_run r = weft("run", "--headless", "/nonexistent/x.xex", NULL);
    assert_non_null(strstr(r.err, "/nonexistent/x.xex"));
    assert_refused(&r, 3);
    char *folder = scratch_file("");
    r = weft("run", "--headless", folder, NULL);
    assert_non_null(strstr(r.err, "default.xex"));
    assert_refused(&r, 3);
    free(folder);
}

static void a_library_is_no_title(void **state)
{
    weft_run r = weft_json(title("worker"), NULL);
    assert_non_null(strstr(r.err, "a library"));
    assert_refused(&r, 3);
}

static void info_refuses_them_too(void **state)
{
    char *path = scratch_file("y.xex");
    write_file(path, "XEX2aaaaaaaaaaaaaaaaaaaaaaaa", 28);
    weft_run r = weft("info", path, NULL);
    assert_refused(&r, 3);
    free(path);
}

static void usage_errors_are_two(void **state)
{
    weft_run r = weft("run", NULL);
    assert_refused(&r, 2);
    r = weft("run", "--until", "moons=3", "x.xex", NULL);
    assert_refused(&r, 2);
    r = weft("run", "--nonsense", "x.xex", NULL);
    assert_refused(&r, 2);
    r = weft("frobnicate", NULL);
    assert_refused(&r, 2);
    r = weft("run", "--set", "cpu.plugni=x", "x.xex", NULL);
    assert_refused(&r, 2);
}

static void broken_profiles_are_two(void **state)
{
    char *path = scratch_file("p.ini");
    static const char *const texts[] = {
        "[cpu\nplugin = cpu-ppc\n", "[cpu]\nplugin = nothing-there\n", "plugin = x\n",
        "[moon]\na = 1\n",          "[schedule]\nmode = sideways\n",   "[machine]\nrtc = soon\n",
        "[include]\nfile = p.ini\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(path, texts[i], strlen(texts[i]));
        weft_run r = weft("run", "--headless", "--profile", path, "x.xex", NULL);
        assert_int_equal(r.signal, 0);
        assert_true(r.status == 2 || r.status == 5);
        assert_true(lines_with(r.err, "weft: error:") >= 1);
        assert_non_null(strstr(r.err, "p.ini:"));
        weft_free(&r);
    }
    free(path);
}

/* Random bytes, and cuts of a good profile, as a profile. */
static void noise_is_no_profile(void **state)
{
    char *path = scratch_file("n.ini");
    uint32_t seed = 99;
    for (int i = 0; i < 30; i++) {
        uint8_t noise[600];
        for (size_t j = 0; j < sizeof noise; j++) {
            seed = seed * 1664525u + 1013904223u;
            noise[j] = (uint8_t)(seed >> 24);
        }
        write_file(path, noise, sizeof noise);
        weft_run r = weft("profile", "check", path, NULL);
        assert_int_equal(r.signal, 0);
        assert_int_equal(r.status, 2);
        assert_true(lines_with(r.err, "weft: error:") >= 1);
        weft_free(&r);
    }
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_titles_are_refused), cmocka_unit_test(flipped_bits_never_crash),
        cmocka_unit_test(other_files_are_no_titles),    cmocka_unit_test(absent_titles_are_named),
        cmocka_unit_test(a_library_is_no_title),        cmocka_unit_test(info_refuses_them_too),
        cmocka_unit_test(usage_errors_are_two),         cmocka_unit_test(broken_profiles_are_two),
        cmocka_unit_test(noise_is_no_profile),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
