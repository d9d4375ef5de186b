/* From an ELF written here byte by byte to an XEX, and what the reader then says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "elf_image.h"
#include "pe.h"
#include "support.h"
#include "xex_bytes.h"

#define TEXT 0x82010000u
#define DATA 0x82020000u

enum { PROGBITS = 1, NOBITS = 8, WRITE = 1, ALLOC = 2, EXECUTE = 4, TLS = 0x400 };

/* .rodata, .text, .data, .bss as a title's linker script lays them out; not finished yet. */
static void start_title(test_elf *elf)
{
    static const uint8_t code[8] = {0x38, 0x60, 0, 0, 0x4E, 0x80, 0, 0x20}; /* li r3,0; blr */
    uint8_t text[64] = {0};
    memcpy(text, code, sizeof code);
    elf_start(elf, TEXT);
    elf_section(elf, ".text", PROGBITS, ALLOC | EXECUTE, TEXT, text, sizeof text);
    elf_section(elf, ".rodata", PROGBITS, ALLOC, 0x82000400, "constant", 9);
    elf_section(elf, ".data", PROGBITS, ALLOC | WRITE, DATA, "variable", 9);
    elf_section(elf, ".bss", NOBITS, ALLOC | WRITE, DATA + 0x10, NULL, 0x12345);
    elf_section(elf, ".comment", PROGBITS, 0, 0, "not loaded", 11);
}

/* Links, writes, opens and decodes; fails the test with the sentence if a step does not work. */
typedef struct made {
    weft_mkxex_image linked;
    test_file file;
    weft_xex_image image;
    weft_pe pe;
} made;

static made make(test_elf *elf, const weft_mkxex_options *options)
{
    made m;
    char err[256] = "";
    uint32_t size = elf_finish(elf);
    if (weft_mkxex_from_elf(elf->bytes, size, options, &m.linked, err)) {
        fail_msg("%s", err);
    }
    m.file = file_make(&m.linked.spec);
    if (weft_xex_decode(m.file.xex, &m.image, err) ||
        weft_pe_parse(m.image.bytes, m.image.size, &m.pe, err)) {
        fail_msg("%s", err);
    }
    return m;
}

static void unmake(made *m)
{
    weft_xex_image_free(&m->image);
    file_close(&m->file);
    weft_mkxex_image_free(&m->linked);
}

static void refuse(test_elf *elf, const weft_mkxex_options *options, const char *word)
{
    weft_mkxex_image linked;
    char err[256] = "";
    uint32_t size = elf_finish(elf);
    assert_int_not_equal(weft_mkxex_from_elf(elf->bytes, size, options, &linked, err), 0);
    assert_non_null(strstr(err, word));
}

static const weft_mkxex_options plain;

static void test_sections_land_at_their_addresses(void **state)
{
    test_elf elf;
    start_title(&elf);
    made m = make(&elf, &plain);
    assert_int_equal(m.image.base, 0x82000000);
    assert_int_equal(m.image.size, 0x40000); /* .bss ends at 0x32355: four pages */
    assert_int_equal(weft_xex_entry_point(m.file.xex), TEXT);
    assert_string_equal((const char *)m.image.bytes + 0x400, "constant");
    assert_string_equal((const char *)m.image.bytes + 0x20000, "variable");
    assert_int_equal(be32(m.image.bytes + 0x10000), 0x38600000);
    assert_int_equal(m.image.pages.ok, 4);
    unmake(&m);
}

static void test_pe_sections_have_the_usual_names(void **state)
{
    static const struct {
        const char *name;
        uint32_t rva, size, flags;
    } expected[] = {
        {".rdata", 0x400, 9, 0x40000040},
        {".text", 0x10000, 64, 0x60000020},
        {".data", 0x20000, 9, 0xC0000040},
        {".bss", 0x20010, 0x12345, 0xC0000080},
    };
    test_elf elf;
    start_title(&elf);
    made m = make(&elf, &plain);
    assert_int_equal(m.pe.section_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_string_equal(m.pe.sections[i].name, expected[i].name);
        assert_int_equal(m.pe.sections[i].rva, expected[i].rva);
        assert_int_equal(m.pe.sections[i].virtual_size, expected[i].size);
        assert_int_equal(m.pe.sections[i].flags, expected[i].flags);
    }
    assert_int_equal(m.pe.subsystem, 14);
    assert_int_equal(m.pe.entry_rva, 0x10000);
    assert_int_equal(m.pe.image_size, m.image.size);
    unmake(&m);
}

static void test_pages_are_read_only_code_and_data(void **state)
{
    test_elf elf;
    start_title(&elf);
    made m = make(&elf, &plain);
    const uint32_t kinds[4] = {3, 1, 2, 2};
    assert_int_equal(m.file.xex->page_run_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(m.file.xex->page_runs[i].kind, kinds[i]);
    }
    unmake(&m);
}

/* TLS: 12 bytes of template, then 20 of zeros, which take no place in the image. */
static void test_tls_sections_make_the_tls_header(void **state)
{
    test_elf elf;
    weft_xex_tls tls;
    start_title(&elf);
    elf_section(&elf, ".tdata", PROGBITS, ALLOC | WRITE | TLS, 0x82040000, "template...", 12);
    elf_section(&elf, ".tbss", NOBITS, ALLOC | WRITE | TLS, 0x82040010, NULL, 16);
    made m = make(&elf, &plain);
    assert_int_equal(weft_xex_tls_info(m.file.xex, &tls), 0);
    assert_int_equal(tls.slot_count, 64);
    assert_int_equal(tls.data_address, 0x82040000);
    assert_int_equal(tls.data_size, 0x20);
    assert_int_equal(tls.raw_size, 12);
    assert_string_equal((const char *)m.image.bytes + 0x40000, "template...");
    unmake(&m);
}

static void test_no_tls_sections_no_tls_header(void **state)
{
    test_elf elf;
    weft_xex_tls tls;
    start_title(&elf);
    made m = make(&elf, &plain);
    assert_int_equal(weft_xex_tls_info(m.file.xex, &tls), WEFT_XEX_E_NOT_FOUND);
    unmake(&m);
}

static void check_import_section(uint32_t flags)
{
    test_elf elf;
    uint8_t records[64];
    weft_xex_import_list list;
    start_title(&elf);
    elf_import(records, 1, 3, DATA + 4, TEXT + 0x20, "xboxkrnl.exe");
    elf_import(records + 32, 0, 0x193, DATA + 8, 0, "xboxkrnl.exe");
    elf_section(&elf, ".weft.imports", PROGBITS, flags, 0x82050000, records, sizeof records);
    made m = make(&elf, &plain);
    assert_int_equal(m.image.size, 0x40000); /* the section itself is not in the image */
    assert_int_equal(weft_xex_imports(m.file.xex, &m.image, &list, NULL), 0);
    assert_int_equal(list.library_count, 1);
    assert_int_equal(list.libraries[0].import_count, 2);
    assert_int_equal(list.libraries[0].imports[0].kind, WEFT_XEX_FUNCTION);
    assert_int_equal(list.libraries[0].imports[0].thunk_address, TEXT + 0x20);
    assert_int_equal(list.libraries[0].imports[1].kind, WEFT_XEX_VARIABLE);
    assert_int_equal(list.libraries[0].imports[1].ordinal, 0x193);
    assert_int_equal(be32(m.image.bytes + 0x10020), 0x01000003);
    assert_int_equal(be32(m.image.bytes + 0x20008), 0x00000193);
    weft_xex_imports_free(&list);
    unmake(&m);
}

static void test_imports_come_from_their_section(void **state)
{
    check_import_section(0);
    check_import_section(ALLOC);
}

static void test_exports_come_from_symbols(void **state)
{
    static const weft_mkxex_export exports[] = {{7, "start_here"}};
    const weft_mkxex_options options = {.exports = exports, .export_count = 1};
    test_elf elf;
    weft_xex_export *list;
    uint32_t count;
    start_title(&elf);
    elf_symbol(&elf, "start_here", TEXT + 4);
    made m = make(&elf, &options);
    assert_int_equal(m.file.xex->security.export_table, 0x82040000); /* a page behind the rest */
    assert_int_equal(weft_xex_exports(m.file.xex, &m.image, &list, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(weft_xex_export_find(list, count, 7), TEXT + 4);
    free(list);
    unmake(&m);
}

static void test_refuses_exports_that_cannot_be(void **state)
{
    static const weft_mkxex_export missing[] = {{7, "nowhere"}};
    static const weft_mkxex_export twice[] = {{7, "start_here"}, {7, "start_here"}};
    static const weft_mkxex_export far[] = {{0x10000, "start_here"}};
    test_elf elf;
    start_title(&elf);
    elf_symbol(&elf, "start_here", TEXT + 4);
    refuse(&elf, &(weft_mkxex_options){.exports = missing, .export_count = 1}, "nowhere");
    start_title(&elf);
    elf_symbol(&elf, "start_here", TEXT + 4);
    refuse(&elf, &(weft_mkxex_options){.exports = twice, .export_count = 2}, "ordinal of its own");
    start_title(&elf);
    elf_symbol(&elf, "start_here", TEXT + 4);
    refuse(&elf, &(weft_mkxex_options){.exports = far, .export_count = 1}, "65536");
}

static void test_files_become_resources(void **state)
{
    static const weft_mkxex_file files[] = {{"ICON", (const uint8_t *)"picture", 8},
                                            {"LONGNAME", (const uint8_t *)"x", 1}};
    const weft_mkxex_options options = {.files = files, .file_count = 2};
    test_elf elf;
    weft_xex_resource r;
    start_title(&elf);
    made m = make(&elf, &options);
    assert_int_equal(weft_xex_resource_find(m.file.xex, "ICON", &r), 0);
    assert_int_equal(r.address, 0x82040000);
    assert_int_equal(r.size, 8);
    assert_string_equal((const char *)m.image.bytes + 0x40000, "picture");
    assert_int_equal(weft_xex_resource_find(m.file.xex, "LONGNAME", &r), 0);
    assert_int_equal(r.size, 1);
    unmake(&m);
    start_title(&elf);
    static const weft_mkxex_file bad[] = {{"NINECHARS", (const uint8_t *)"x", 1}};
    refuse(&elf, &(weft_mkxex_options){.files = bad, .file_count = 1}, "NINECHARS");
}

static void test_pdata_becomes_the_exception_directory(void **state)
{
    test_elf elf;
    uint32_t rva, size;
    start_title(&elf);
    elf_section(&elf, ".pdata", PROGBITS, ALLOC, 0x82000800, NULL, 16);
    made m = make(&elf, &plain);
    assert_int_equal(weft_pe_directory(&m.pe, 3, m.image.size, &rva, &size), 0);
    assert_int_equal(rva, 0x800);
    assert_int_equal(size, 16);
    assert_non_null(weft_pe_section_find(&m.pe, ".pdata"));
    unmake(&m);
}

static void test_refuses_other_inputs(void **state)
{
    test_elf elf;
    start_title(&elf);
    uint32_t size = elf_finish(&elf);
    const struct {
        uint32_t offset;
        uint8_t value;
    } changes[] = {{0, 0}, {4, 2}, {5, 1}, {17, 1}, {19, 21}};
    for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        weft_mkxex_image linked;
        uint8_t old = elf.bytes[changes[i].offset];
        elf.bytes[changes[i].offset] = changes[i].value;
        assert_int_equal(weft_mkxex_from_elf(elf.bytes, size, &plain, &linked, NULL),
                         WEFT_XEX_E_FORMAT);
        elf.bytes[changes[i].offset] = old;
    }
}

static void test_refuses_code_and_data_in_one_page(void **state)
{
    test_elf elf;
    start_title(&elf);
    elf_section(&elf, ".sdata", PROGBITS, ALLOC | WRITE, TEXT + 0x8000, "small", 6);
    refuse(&elf, &plain, "64 KiB apart");
}

static void test_refuses_writable_code_and_overlaps(void **state)
{
    test_elf elf;
    start_title(&elf);
    elf_section(&elf, ".got", PROGBITS, ALLOC | WRITE | EXECUTE, 0x82040000, NULL, 16);
    refuse(&elf, &plain, "writable code");
    start_title(&elf);
    elf_section(&elf, ".more", PROGBITS, ALLOC, 0x82000408, NULL, 16);
    refuse(&elf, &plain, "overlap");
}

static void test_refuses_sections_without_room_for_headers(void **state)
{
    test_elf elf;
    start_title(&elf);
    elf_section(&elf, ".first", PROGBITS, ALLOC, 0x82000100, NULL, 16);
    refuse(&elf, &plain, "PE headers");
    start_title(&elf);
    elf_section(&elf, ".low", PROGBITS, ALLOC, 0x81FFFFF0, NULL, 16);
    refuse(&elf, &plain, ".low");
    start_title(&elf);
    elf_section(&elf, ".high", NOBITS, ALLOC | WRITE, 0x82050000, NULL, 0x10000000);
    refuse(&elf, &plain, "at most");
}

static void test_refuses_an_entry_outside_the_image(void **state)
{
    test_elf elf;
    start_title(&elf);
    elf.entry = 0x90000000;
    refuse(&elf, &plain, "entry point");
}

static void test_damaged_elfs_end_in_an_answer(void **state)
{
    test_elf elf;
    start_title(&elf);
    elf_symbol(&elf, "start_here", TEXT);
    uint32_t size = elf_finish(&elf), seed = 9;
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t at = random_next(&seed) % size, n = random_next(&seed) % 4 ? size : at;
        uint8_t old = elf.bytes[at], *copy;
        weft_mkxex_image linked;
        char err[256] = "";
        elf.bytes[at] = (uint8_t)random_next(&seed);
        copy = malloc(n + 1);
        memcpy(copy, elf.bytes, n);
        if (!weft_mkxex_from_elf(copy, n, &plain, &linked, err)) {
            weft_mkxex_image_free(&linked);
        } else {
            assert_string_not_equal(err, "");
        }
        free(copy);
        elf.bytes[at] = old;
    }
}

static void test_the_same_input_gives_the_same_file(void **state)
{
    test_elf elf;
    uint8_t *a, *b;
    size_t a_size, b_size;
    weft_mkxex_image linked;
    start_title(&elf);
    uint32_t size = elf_finish(&elf);
    assert_int_equal(weft_mkxex_from_elf(elf.bytes, size, &plain, &linked, NULL), 0);
    linked.spec.compression = WEFT_MKXEX_LZX;
    linked.spec.encryption = WEFT_MKXEX_DEVKIT;
    assert_int_equal(weft_mkxex_write(&linked.spec, &a, &a_size, NULL), 0);
    assert_int_equal(weft_mkxex_write(&linked.spec, &b, &b_size, NULL), 0);
    assert_int_equal(a_size, b_size);
    assert_memory_equal(a, b, a_size);
    free(a);
    free(b);
    weft_mkxex_image_free(&linked);
}

static void test_options_reach_the_headers(void **state)
{
    test_elf elf;
    char name[32];
    weft_xex_execution e;
    weft_mkxex_image linked;
    start_title(&elf);
    uint32_t size = elf_finish(&elf);
    assert_int_equal(weft_mkxex_from_elf(elf.bytes, size, &plain, &linked, NULL), 0);
    linked.spec.has_title_id = true;
    linked.spec.title_id = 0x57460001;
    linked.spec.stack_size = 0x80000;
    linked.spec.name = "hello.exe";
    linked.spec.module_flags = 8;
    test_file file = file_make(&linked.spec);
    assert_int_equal(weft_xex_execution_info(file.xex, &e), 0);
    assert_int_equal(e.title_id, 0x57460001);
    assert_int_equal(e.disc_number, 1);
    assert_int_equal(e.disc_count, 1);
    assert_int_equal(weft_xex_header_u32(file.xex, 0x00020200, 0), 0x80000);
    assert_int_equal(weft_xex_pe_name(file.xex, name, sizeof name), 0);
    assert_string_equal(name, "hello.exe");
    assert_int_equal(file.xex->module_flags, 8);
    for (uint32_t i = 1; i < file.xex->header_count; i++) {
        assert_true(file.xex->headers[i - 1].key < file.xex->headers[i].key);
    }
    file_close(&file);
    weft_mkxex_image_free(&linked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections_land_at_their_addresses),
        cmocka_unit_test(test_pe_sections_have_the_usual_names),
        cmocka_unit_test(test_pages_are_read_only_code_and_data),
        cmocka_unit_test(test_tls_sections_make_the_tls_header),
        cmocka_unit_test(test_no_tls_sections_no_tls_header),
        cmocka_unit_test(test_imports_come_from_their_section),
        cmocka_unit_test(test_exports_come_from_symbols),
        cmocka_unit_test(test_refuses_exports_that_cannot_be),
        cmocka_unit_test(test_files_become_resources),
        cmocka_unit_test(test_pdata_becomes_the_exception_directory),
        cmocka_unit_test(test_refuses_other_inputs),
        cmocka_unit_test(test_refuses_code_and_data_in_one_page),
        cmocka_unit_test(test_refuses_writable_code_and_overlaps),
        cmocka_unit_test(test_refuses_sections_without_room_for_headers),
        cmocka_unit_test(test_refuses_an_entry_outside_the_image),
        cmocka_unit_test(test_damaged_elfs_end_in_an_answer),
        cmocka_unit_test(test_the_same_input_gives_the_same_file),
        cmocka_unit_test(test_options_reach_the_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
