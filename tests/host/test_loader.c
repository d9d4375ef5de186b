/* test_loader.c: every refusal, with its sentence, and without running the plugin's constructor. */
#include "support.h"

#include "host/loader.h"

#define RAN "WEFT_BAD_PLUGIN_RAN" /* set by the constructor in tests/bad-plugins/bad.c */

static void refused(const char *file, const char *sentence)
{
    loader l;
    char path[256], why[512] = "";
    loader_start(&l, NULL);
    snprintf(path, sizeof path, "%s/%s", BAD_FOLDER, file);
    assert_null(loader_find_file(&l, path, why, sizeof why));
    assert_string_equal(why, sentence);
    assert_null(getenv(RAN));
    loader_end(&l);
}

#define REFUSAL(name, file, sentence)                                                              \
    static void name(void **state)                                                                 \
    {                                                                                              \
        refused(file, sentence);                                                                   \
    }

REFUSAL(test_other_major, "policy-major.so",
        "ABI versions differ (found plugin ABI 1.1, expected host ABI 0.1)")
REFUSAL(test_other_minor, "policy-minor.so",
        "ABI versions differ (found plugin ABI 0.9, expected host ABI 0.1)")
/* plugin.h: while major is 0, equal minor */
REFUSAL(test_older_minor, "policy-older.so",
        "ABI versions differ (found plugin ABI 0.0, expected host ABI 0.1)")
REFUSAL(test_no_symbol, "policy-nosymbol.so",
        "file is no Weft plugin (found no data symbol weft_plugin, expected one)")
REFUSAL(test_unknown_role, "policy-norole.so", "role is unknown (found 99, expected 1 to 6)")
REFUSAL(test_id_of_another_role, "policy-wrongrole.so",
        "plugin's id does not fit its role (found policy-wrongrole, expected tracer-NAME)")
REFUSAL(test_unknown_flag, "policy-flag.so", "flags are unknown (found 0x8, expected only 0x3)")
REFUSAL(test_short_descriptor, "policy-short.so",
        "descriptor is too short (found 40 bytes, expected at least 104)")
REFUSAL(test_renamed_file, "policy-renamed.so",
        "plugin's id differs from its file's name (found policy-other in policy-renamed.so, "
        "expected policy-other.so)")
REFUSAL(test_missing_extension, "policy-needy.so",
        "plugin needs a host extension (found none in this host, expected time-travel/1)")
REFUSAL(test_default_out_of_range, "policy-default-range.so",
        "option first has a default out of its range (found 50, expected an integer from 1 to 9)")
REFUSAL(test_key_declared_twice, "policy-twice.so",
        "option first is declared twice (found 2, expected 1)")
REFUSAL(test_bad_key, "policy-key.so",
        "option 1 has no usable key (found Bad Key, expected [a-z0-9_.]+)")
REFUSAL(test_unknown_type, "policy-type.so",
        "option first has an unknown type (found 77, expected 1 to 5)")
REFUSAL(test_unknown_option_flags, "policy-option-flags.so",
        "option first has unknown flags (found 0x4, expected 0x1 or 0)")
REFUSAL(test_small_stride, "policy-stride.so",
        "option table is not sane (found 2 records of 8 bytes, expected at most 256 of 56 or more)")
REFUSAL(test_large_ops, "policy-ops-size.so",
        "weft_policy_ops has a size that this host does not know (found 4096, expected 8 to 120)")
REFUSAL(test_no_create, "policy-nocreate.so", "create is missing (found NULL, expected a function)")
REFUSAL(test_cpu_without_ops, "cpu-noops.so",
        "op cpu.attach is missing (found NULL, expected a function)")
REFUSAL(test_tracer_without_ops, "tracer-noops.so",
        "op tracer.event is missing (found NULL, expected a function)")
REFUSAL(test_kernel_without_ops, "kernel-noops.so",
        "op kernel.info is missing (found NULL, expected a function)")
REFUSAL(test_gpu_without_ops, "gpu-noops.so",
        "op gpu.attach is missing (found NULL, expected a function)")

static void test_other_sanitizer(void **state)
{
    char sentence[160];
    snprintf(sentence, sizeof sentence,
             "sanitizers differ (found plugin with 'memory', expected '' or the host's '%s')",
             WEFT_SANITIZERS);
    refused("policy-sanitized.so", sentence);
}

/* A file in a fresh folder whose bytes are the good plugin's, changed by `edit`. */
static void refused_bytes(size_t keep, size_t at, int value, const char *part)
{
    char folder[64], path[256], why[512] = "";
    FILE *file = fopen(BAD_FOLDER "/policy-good.so", "rb");
    char *bytes = malloc(1 << 20);
    size_t length = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    assert_true(length > 4096 && length < 1 << 20);
    if (value >= 0) {
        bytes[at] = (char)value;
    }
    folder_start(folder);
    snprintf(path, sizeof path, "%s/policy-good.so", folder);
    file = fopen(path, "wb");
    fwrite(bytes, 1, keep && keep < length ? keep : length, file);
    fclose(file);
    loader l;
    loader_start(&l, NULL);
    assert_null(loader_find_file(&l, path, why, sizeof why));
    assert_contains(why, part);
    assert_null(getenv(RAN));
    loader_end(&l);
    folder_end(folder);
    free(bytes);
}

static void test_text_is_no_elf(void **state)
{
    char folder[64], path[256], why[512];
    folder_start(folder);
    file_write(folder, "policy-text.so", "#!/bin/sh\nexit 1\n", path);
    loader l;
    loader_start(&l, NULL);
    assert_null(loader_find_file(&l, path, why, sizeof why));
    assert_string_equal(why, "file is no shared object (found no ELF header, expected one)");
    file_write(folder, "policy-empty.so", "", path);
    assert_null(loader_find_file(&l, path, why, sizeof why));
    assert_null(loader_find_file(&l, folder, why, sizeof why));
    assert_contains(why, "plugin cannot be read (found: Is a directory");
    loader_end(&l);
    folder_end(folder);
}

static void test_truncated_elf(void **state)
{
    refused_bytes(20, 0, -1, "file is cut off or damaged");
    refused_bytes(100, 0, -1, "program headers lie past the end");
    refused_bytes(1000, 0, -1, "file is cut off or damaged");
    refused_bytes(4096, 0, -1, "file is cut off or damaged");
}

/* Bytes of the ELF header: 4 class, 16 type, 18 machine (gABI, figure 4-3). */
static void test_elf_of_another_kind(void **state)
{
    refused_bytes(0, 4, 1, "file is for another machine");
    refused_bytes(0, 16, 2, "file is no shared object (found ELF type 2, expected 3)");
    refused_bytes(0, 18, 21, "file is for another machine (found ELF machine 21, expected ");
}

/* Any one byte of the tables may be wrong: a refusal or a plugin, never a crash. */
static void test_damaged_elf_never_crashes(void **state)
{
    char folder[64], path[256], why[512];
    FILE *file = fopen(BAD_FOLDER "/policy-good.so", "rb");
    char *bytes = malloc(1 << 20);
    size_t length = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    folder_start(folder);
    snprintf(path, sizeof path, "%s/policy-good.so", folder);
    for (size_t at = 0; at < length; at += at < 2048 ? 5 : 61) {
        char kept = bytes[at];
        bytes[at] = (char)(kept ^ 0xA5);
        file = fopen(path, "wb");
        fwrite(bytes, 1, length, file);
        fclose(file);
        bytes[at] = kept;
        loader l;
        loader_start(&l, NULL);
        why[0] = 0;
        if (!loader_find_file(&l, path, why, sizeof why)) {
            assert_true(why[0] != 0);
        }
        loader_end(&l);
    }
    assert_null(getenv(RAN));
    folder_end(folder);
    free(bytes);
}

static void test_good_plugin_is_described_without_running(void **state)
{
    loader l;
    char why[512];
    loader_start(&l, BAD_FOLDER);
    plugin *p = loader_find(&l, WEFT_ROLE_POLICY, "good", why, sizeof why);
    assert_non_null(p);
    assert_string_equal(p->desc->id, "policy-good");
    assert_string_equal(p->desc->options[0].key, "first");
    assert_null(getenv(RAN));
    assert_ptr_equal(loader_find(&l, WEFT_ROLE_POLICY, "policy-good", why, sizeof why), p);
    loader_end(&l);
}

static void test_open_fills_defaults(void **state)
{
    loader l;
    char why[512];
    loader_start(&l, BAD_FOLDER);
    plugin *p = loader_find(&l, WEFT_ROLE_POLICY, "good", why, sizeof why);
    assert_int_equal(plugin_open(p, why, sizeof why), 0);
    assert_int_equal(p->ops.policy.size, sizeof(weft_policy_ops));
    /* policy.h: before GO, delay natural; save NULL means refused */
    assert_int_equal(p->ops.policy.before(NULL, NULL, NULL, NULL), WEFT_ANSWER_GO);
    assert_int_equal(p->ops.policy.delay(NULL, 0, 0, 77), 77);
    assert_null(p->ops.policy.save);
    assert_null(p->ops.policy.pick_cpu); /* the kernel's to answer, as are these */
    assert_null(p->ops.policy.pick_next);
    assert_null(p->ops.policy.quantum);
    assert_null(p->ops.policy.place);
    assert_non_null(getenv(RAN)); /* now, and only now */
    unsetenv(RAN);
    loader_end(&l);
}

static void not_found(const char *id, const char *part)
{
    loader l;
    char why[512];
    loader_start(&l, BAD_FOLDER);
    assert_null(loader_find(&l, WEFT_ROLE_POLICY, id, why, sizeof why));
    assert_contains(why, part);
    assert_int_equal(l.refused, 0);
    loader_end(&l);
}

static void test_profile_names_no_paths(void **state)
{
    not_found("../policy-good", "plugin id is not well formed (found ../policy-good");
    not_found("/tmp/policy-good", "plugin id is not well formed");
    not_found("", "plugin id is not well formed (found nothing");
}

static void test_unknown_id_suggests_another(void **state)
{
    not_found("goood", "no such plugin (found policy-goood, expected perhaps policy-good.so in ");
}

static void test_builtins_need_no_file(void **state)
{
    loader l;
    char why[512];
    loader_start(&l, NULL);
    assert_non_null(loader_find(&l, WEFT_ROLE_TRACER, "none", why, sizeof why));
    assert_non_null(loader_find(&l, WEFT_ROLE_POLICY, "policy-default", why, sizeof why));
    assert_non_null(loader_find(&l, WEFT_ROLE_FRONTEND, "none", why, sizeof why));
    loader_end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_major),
        cmocka_unit_test(test_other_minor),
        cmocka_unit_test(test_older_minor),
        cmocka_unit_test(test_no_symbol),
        cmocka_unit_test(test_unknown_role),
        cmocka_unit_test(test_id_of_another_role),
        cmocka_unit_test(test_unknown_flag),
        cmocka_unit_test(test_short_descriptor),
        cmocka_unit_test(test_renamed_file),
        cmocka_unit_test(test_missing_extension),
        cmocka_unit_test(test_default_out_of_range),
        cmocka_unit_test(test_key_declared_twice),
        cmocka_unit_test(test_bad_key),
        cmocka_unit_test(test_unknown_type),
        cmocka_unit_test(test_unknown_option_flags),
        cmocka_unit_test(test_small_stride),
        cmocka_unit_test(test_large_ops),
        cmocka_unit_test(test_no_create),
        cmocka_unit_test(test_cpu_without_ops),
        cmocka_unit_test(test_tracer_without_ops),
        cmocka_unit_test(test_kernel_without_ops),
        cmocka_unit_test(test_gpu_without_ops),
        cmocka_unit_test(test_other_sanitizer),
        cmocka_unit_test(test_text_is_no_elf),
        cmocka_unit_test(test_truncated_elf),
        cmocka_unit_test(test_elf_of_another_kind),
        cmocka_unit_test(test_damaged_elf_never_crashes),
        cmocka_unit_test(test_good_plugin_is_described_without_running),
        cmocka_unit_test(test_open_fills_defaults),
        cmocka_unit_test(test_profile_names_no_paths),
        cmocka_unit_test(test_unknown_id_suggests_another),
        cmocka_unit_test(test_builtins_need_no_file),
    };
    return cmocka_run_group_tests_name("host loader", tests, NULL, NULL);
}
