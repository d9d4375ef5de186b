/* The titles as files: what weft.ld, the stubs and mkxex make of them, read with the XEX library.
 */
#include "test.h"

#include "xex.h"
#include "xex_layout.h"

#ifdef HAVE_TITLES
#define NEEDS_TITLES
#else
#define NEEDS_TITLES skip()
#endif

typedef struct title {
    uint8_t *bytes;
    weft_xex *xex;
    weft_xex_image image;
    weft_xex_import_list imports;
} title;

static void title_open(title *t, const char *name)
{
    char path[512];
    char error[256] = "";
    snprintf(path, sizeof path, "%s/titles/%s.xex", WEFT_BUILD_DIR, name);
    memset(t, 0, sizeof *t);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    t->bytes = malloc(1 << 22);
    size_t size = fread(t->bytes, 1, 1 << 22, file);
    fclose(file);
    if (weft_xex_open(t->bytes, size, &t->xex, error) != 0 ||
        weft_xex_decode(t->xex, &t->image, error) != 0 ||
        weft_xex_imports(t->xex, &t->image, &t->imports, error) != 0) {
        fail_msg("%s: %s", path, error);
    }
}

static void title_close(title *t)
{
    weft_xex_imports_free(&t->imports);
    weft_xex_image_free(&t->image);
    weft_xex_close(t->xex);
    free(t->bytes);
}

static const weft_xex_import *import_find(const title *t, const char *library, uint32_t ordinal)
{
    for (uint32_t l = 0; l < t->imports.library_count; l++) {
        const weft_xex_library *found = &t->imports.libraries[l];
        for (uint32_t i = 0; strcmp(found->name, library) == 0 && i < found->import_count; i++) {
            if (found->imports[i].ordinal == ordinal) {
                return &found->imports[i];
            }
        }
    }
    return NULL;
}

/* Ordinals: xenia src/xenia/kernel/xboxkrnl/xboxkrnl_table.inc, xam/xam_table.inc. */
static void hello_imports_what_it_calls_and_no_more(void **state)
{
    NEEDS_TITLES;
    title t;
    title_open(&t, "hello");
    const weft_xex_import *print = import_find(&t, "xboxkrnl.exe", 0x003);
    const weft_xex_import *line = import_find(&t, "xboxkrnl.exe", 0x1AE);
    assert_non_null(print);
    assert_int_equal(print->kind, WEFT_XEX_FUNCTION);
    assert_int_equal(print->thunk_address % 16, 0);
    assert_non_null(line);
    assert_int_equal(line->kind, WEFT_XEX_VARIABLE);
    assert_null(import_find(&t, "xboxkrnl.exe", 0x25B)); /* VdSwap */
    title_close(&t);
}

static void plasma_imports_from_both_libraries(void **state)
{
    NEEDS_TITLES;
    title t;
    title_open(&t, "plasma");
    assert_int_equal(t.imports.library_count, 2);
    assert_non_null(import_find(&t, "xboxkrnl.exe", 0x25B)); /* VdSwap */
    assert_non_null(import_find(&t, "xam.xex", 0x191));      /* XamInputGetState */
    title_close(&t);
}

static void each_title_has_its_form(void **state)
{
    NEEDS_TITLES;
    static const struct {
        const char *name;
        uint16_t encryption, compression;
    } forms[] = {
        {"hello", XEX_ENCRYPTION_NONE, XEX_COMPRESSION_NONE},
        {"plasma", XEX_ENCRYPTION_NONE, XEX_COMPRESSION_BASIC},
        {"locks", XEX_ENCRYPTION_AES, XEX_COMPRESSION_LZX},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        title t;
        title_open(&t, forms[i].name);
        assert_int_equal(t.xex->format.encryption, forms[i].encryption);
        assert_int_equal(t.xex->format.compression, forms[i].compression);
        assert_int_equal(t.image.pages.ok, t.image.pages.total);
        title_close(&t);
    }
}

/* The entry's first instruction makes its own frame: stwu r1,-128(r1) is 0x9421FF80 (PowerISA). */
static void the_entry_is_crt0(void **state)
{
    NEEDS_TITLES;
    title t;
    title_open(&t, "locks");
    uint32_t entry = weft_xex_entry_point(t.xex);
    assert_int_equal(t.image.base, 0x82000000);
    assert_in_range(entry, t.image.base, t.image.base + t.image.size - 4);
    const uint8_t *word = t.image.bytes + (entry - t.image.base);
    assert_memory_equal(word, "\x94\x21\xFF\x80", 4);
    title_close(&t);
}

/* Code, constants and data on pages of their own (64 KiB): else code would be writable. */
static void code_and_data_share_no_page(void **state)
{
    NEEDS_TITLES;
    title t;
    title_open(&t, "locks");
    uint32_t code = 0;
    uint32_t total = 0;
    for (uint32_t i = 0; i < t.xex->page_run_count; i++) {
        code += t.xex->page_runs[i].kind == XEX_PAGE_CODE ? t.xex->page_runs[i].count : 0;
        total += t.xex->page_runs[i].count;
    }
    assert_int_equal(t.xex->page_size, 0x10000);
    assert_int_equal(code, 1);
    assert_int_equal(total * t.xex->page_size, t.image.size);
    title_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_imports_what_it_calls_and_no_more),
        cmocka_unit_test(plasma_imports_from_both_libraries),
        cmocka_unit_test(each_title_has_its_form),
        cmocka_unit_test(the_entry_is_crt0),
        cmocka_unit_test(code_and_data_share_no_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
