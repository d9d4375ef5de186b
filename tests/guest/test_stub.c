/* What stubgen writes: the import record's format is the one that mkxex reads (elf_image.h), the
 * thunk's that of XEX files (xenia src/xenia/cpu/xex_module.cc), C types as xboxkrnl.h needs them.
 */
#include "test.h"

#include "stub.h"

static char text[16384];

static void write_row(const stub_row *row,
                      void (*write)(FILE *, const stub_row *, const signature *))
{
    signature s;
    char error[256];
    assert_true(signature_parse(row->signature, &s, error, sizeof error));
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    assert_non_null(out);
    write(out, row, &s);
    fclose(out);
}

static void assembly_has(const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no \"%s\" in:\n%s", part, text);
    }
}

static void a_function_has_record_thunk_and_library(void **state)
{
    stub_row row = {"KRNL", 0xCF, "NtClose", "u(handle:h)", "FULL", ""};
    write_row(&row, stub_assembly);
    assembly_has(".long 1,0xCF,__imp_NtClose,__thunk_NtClose\n");
    assembly_has(".ascii \"xboxkrnl.exe\"\n    .zero 4\n");
    assembly_has("__thunk_NtClose:\n    .long 0x010000CF,0x020000CF,0x7D6903A6,0x4E800420\n");
}

static void xam_is_named_as_its_file(void **state)
{
    stub_row row = {"XAM", 0x191, "XamInputGetState", "u(a:u,b:u,c:p)", "FULL", ""};
    write_row(&row, stub_assembly);
    assembly_has(".ascii \"xam.xex\"\n    .zero 9\n");
    assert_null(stub_library("XBDM"));
}

static void a_variable_has_a_cell_and_no_code(void **state)
{
    stub_row row = {"KRNL", 0xAD, "KeTimeStampBundle", "v()", "VARIABLE", "clocks"};
    write_row(&row, stub_assembly);
    assembly_has(".long 0,0xAD,__imp_KeTimeStampBundle,0\n");
    assert_null(strstr(text, ".text"));
}

static void a_call_that_needs_no_stack_leaves_lr_alone(void **state)
{
    stub_row row = {"KRNL", 1, "Words", "u(a:u,b:i)", "FULL", ""};
    write_row(&row, stub_assembly);
    assembly_has("    clrldi 3,3,32\n    extsw 4,4\n    b __thunk_Words\n");
    assert_null(strstr(text, "mflr"));
}

static void a_missing_export_can_be_called_too(void **state)
{
    stub_row row = {"KRNL", 2, "Absent", "u(a:u)", "MISSING", ""};
    write_row(&row, stub_assembly);
    assembly_has("b __thunk_Absent");
}

static void declarations_carry_types_and_names(void **state)
{
    stub_row row = {"KRNL", 3, "Mixed", "q(a:u,b:i,c:q,d:p,e:d,f:h)", "PARTIAL", "half"};
    write_row(&row, stub_declaration);
    assembly_has("uint64_t Mixed(uint32_t a, int32_t b, uint64_t c, const void *d, double e, "
                 "uint32_t f);");
    assembly_has("xboxkrnl.exe 0x003: half");
    assembly_has("#define Mixed Mixed\n"); /* for #ifdef */
}

static void declarations_know_empty_and_open_lists(void **state)
{
    stub_row none = {"KRNL", 4, "None", "v()", "FULL", ""};
    write_row(&none, stub_declaration);
    assembly_has("void None(void);");
    stub_row open = {"KRNL", 5, "Open", "p(format:p,...)", "FULL", ""};
    write_row(&open, stub_declaration);
    assembly_has("void *Open(const void *format, ...);");
}

static void a_keyword_as_argument_name_is_changed(void **state)
{
    stub_row row = {"KRNL", 6, "Word", "v(register:u)", "FULL", ""};
    write_row(&row, stub_declaration);
    assembly_has("void Word(uint32_t register_);");
}

static void a_variable_is_declared_as_its_address(void **state)
{
    stub_row row = {"KRNL", 0xAD, "KeTimeStampBundle", "v()", "VARIABLE", ""};
    write_row(&row, stub_declaration);
    assembly_has("extern void *const __imp_KeTimeStampBundle;");
    assembly_has("#define KeTimeStampBundle (__imp_KeTimeStampBundle)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_has_record_thunk_and_library),
        cmocka_unit_test(xam_is_named_as_its_file),
        cmocka_unit_test(a_variable_has_a_cell_and_no_code),
        cmocka_unit_test(a_call_that_needs_no_stack_leaves_lr_alone),
        cmocka_unit_test(a_missing_export_can_be_called_too),
        cmocka_unit_test(declarations_carry_types_and_names),
        cmocka_unit_test(declarations_know_empty_and_open_lists),
        cmocka_unit_test(a_keyword_as_argument_name_is_changed),
        cmocka_unit_test(a_variable_is_declared_as_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
