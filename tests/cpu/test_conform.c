/* test_conform.c: the CPU kit against cpu-ppc, and its reading of vectors files. */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conform.h"

typedef struct kit_run {
    weft_conform_report report;
    machine *m;
    char lines[4096];
    int status;
} kit_run;

static void keep(weft_conform_report *report, const char *line)
{
    kit_run *run = report->context;
    size_t used = strlen(run->lines);
    snprintf(run->lines + used, sizeof run->lines - used, "%s\n", line);
}

/* Runs the kit with a vectors file of this text (NULL: none). */
static void run_kit(kit_run *run, const char *text)
{
    char path[] = "/tmp/weft-vectors-XXXXXX";
    memset(run, 0, sizeof *run);
    run->report.print = keep;
    run->report.context = run;
    machine *m = machine_bare(&weft_plugin);
    if (text) {
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
    }
    run->status =
        weft_conform_cpu(&weft_plugin, m->cpu, &m->host, text ? path : NULL, &run->report);
    if (text) {
        unlink(path);
    }
    machine_bare_free(m);
}

static void kit_passes(void **state)
{
    kit_run run;
    run_kit(&run, NULL);
    assert_int_equal(run.status, 0);
    assert_string_equal(run.lines, "");
    assert_int_equal(run.report.failed, 0);
    assert_true(run.report.passed > 70);
}

/* A vectors file adds these to the kit's own checks. */
static void expect_vectors(const char *text, int status, int passed, int failed, int loose)
{
    kit_run run;
    run_kit(&run, NULL);
    uint64_t own = run.report.passed;
    run_kit(&run, text);
    if (run.status != status || run.report.passed != own + (uint64_t)passed ||
        run.report.failed != (uint64_t)failed || run.report.loose != (uint64_t)loose) {
        fail_msg("status %d, %d passed, %d failed, %d loose: %s", run.status,
                 (int)(run.report.passed - own), (int)run.report.failed, (int)run.report.loose,
                 run.lines);
    }
}

/* vectors.jsonl holds answers of qemu (oracle/vectors.c); every line passes. */
static void committed_vectors_pass(void **state)
{
    kit_run run;
    run_kit(&run, NULL);
    uint64_t own = run.report.passed, lines = 0;
    FILE *file = fopen(WEFT_SOURCE_DIR "/tests/cpu/vectors.jsonl", "r");
    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;) {
        lines += c == '\n';
    }
    fclose(file);
    machine *m = machine_bare(&weft_plugin);
    memset(&run, 0, sizeof run);
    run.report.print = keep;
    run.report.context = &run;
    assert_int_equal(weft_conform_cpu(&weft_plugin, m->cpu, &m->host,
                                      WEFT_SOURCE_DIR "/tests/cpu/vectors.jsonl", &run.report),
                     0);
    machine_bare_free(m);
    assert_string_equal(run.lines, "");
    assert_true(lines > 250);
    assert_int_equal(run.report.passed, own + lines);
    assert_int_equal(run.report.failed, 0);
}

static void vectors_compare_registers(void **state)
{
    expect_vectors("{\"name\":\"add\",\"code\":\"7c632a144e800020\","
                   "\"regs_in\":{\"r3\":\"0000000000000001\",\"r5\":\"00000000ffffffff\"},"
                   "\"regs_out\":{\"r3\":\"0000000100000000\"},\"clobber\":true}\n"
                   "\n"
                   "{\"name\":\"wrong\",\"code\":\"7c632a144e800020\","
                   "\"regs_out\":{\"r3\":\"0000000000000007\"}}\n"
                   "{\"name\":\"loose\",\"code\":\"7c632a144e800020\",\"loose\":true,"
                   "\"regs_out\":{\"r3\":\"0000000000000007\"}}\n",
                   0, 1, 1, 1);
}

static void vectors_notice_clobbered_registers(void **state)
{
    expect_vectors("{\"name\":\"c\",\"code\":\"388000014e800020\",\"regs_out\":{},"
                   "\"clobber\":true}\n",
                   0, 0, 1, 0);
}

static void vectors_use_memory_and_mode(void **state)
{
    expect_vectors(
        "{\"name\":\"m\",\"code\":\"80a3000090a300044e800020\",\"regs_in\":{\"r3\":"
        "\"0000000010001000\"},\"mem_in\":{\"10001000\":\"01 02 03 04\"},"
        "\"mem_out\":{\"10001004\":\"01020304\"}}\n"
        "{\"name\":\"sf\",\"code\":\"7c8523784e800020\",\"sf\":1,\"unknown\":[1,{}],"
        "\"regs_in\":{\"r4\":\"0000000100000000\"},\"regs_out\":{\"r5\":\"0000000100000000\"}}\n",
        0, 2, 0, 0);
}

static void vectors_mask_and_tolerate(void **state)
{
    expect_vectors(
        "{\"name\":\"mask\",\"code\":\"386012344e800020\",\"regs_out\":{\"r3\":"
        "\"0000000000009934\"},\"out_mask\":{\"r3\":\"00000000000000ff\"}}\n"
        "{\"name\":\"tol\",\"code\":\"ec4008304e800020\",\"regs_in\":{\"f1\":\"4008000000000000\"},"
        "\"regs_out\":{\"f2\":\"3fd5500000000000\"},\"tol\":\"1/256\"}\n"
        "{\"name\":\"fine\",\"code\":\"ec4008304e800020\",\"regs_in\":{\"f1\":"
        "\"4008000000000000\"},\"regs_out\":{\"f2\":\"3fd5500000000000\"},\"tol\":\"1/65536\"}\n"
        "{\"name\":\"nan\",\"code\":\"fc4008244e800020\",\"regs_out\":{\"f2\":"
        "\"fff8000000000001\"},\"nan_any\":true}\n",
        0, 3, 1, 0);
}

static void vectors_expect_traps(void **state)
{
    expect_vectors("{\"name\":\"t\",\"code\":\"0fe000004e800020\",\"trap\":true}\n"
                   "{\"name\":\"n\",\"code\":\"600000004e800020\",\"trap\":true}\n"
                   "{\"name\":\"loop\",\"code\":\"48000000\"}\n",
                   0, 1, 2, 0);
}

static void vectors_read_all_register_names(void **state)
{
    expect_vectors(
        "{\"name\":\"names\",\"code\":\"4e800020\",\"regs_in\":{\"cr\":\"12345678\",\"ctr\":"
        "\"0000000000000005\",\"fpscr\":\"00000003\",\"xer.ca\":1,\"xer.ov\":0,\"xer.so\":1,"
        "\"xer.count\":9,\"vscr.nj\":0,\"vscr.sat\":1,\"v127\":"
        "\"000102030405060708090a0b0c0d0e0f\"},\"regs_out\":{\"cr\":\"12345678\",\"ctr\":"
        "\"0000000000000005\",\"fpscr\":\"00000003\",\"xer.ca\":1,\"xer.ov\":0,\"xer.so\":1,"
        "\"xer.count\":9,\"vscr.nj\":0,\"vscr.sat\":1,\"v127\":"
        "\"000102030405060708090a0b0c0d0e0f\"},\"clobber\":true}\n",
        0, 1, 0, 0);
}

static void malformed_vectors_are_named(void **state)
{
    static const char *const bad[] = {
        "{",
        "[]",
        "{\"name\":\"x\"}",
        "{\"name\":\"x\",\"code\":\"4e8000\"}",
        "{\"name\":\"x\",\"code\":\"4e80002g\"}",
        "{\"name\":\"x\",\"code\":\"4e800020\",\"regs_in\":{\"r32\":\"00\"}}",
        "{\"name\":\"x\",\"code\":\"4e800020\",\"regs_in\":{\"r3\":[]}}",
        "{\"name\":\"x\",\"code\":\"4e800020\",\"regs_out\":{\"v128\":\"00\"}}",
        "{\"name\":\"x\",\"code\":\"4e800020\",\"regs_in\":[]}",
        "{\"name\":\"x\",\"code\":\"4e800020\",\"mem_in\":{\"0\":\"00\"}}",
        "{\"name\":\"x\",\"code\":\"4e800020\",\"mem_in\":{\"1000ffff\":\"0000\"}}",
        "{\"name\":\"x\",\"code\":\"4e800020\",\"tol\":\"abs\"}",
        "\xFF\xFE",
    };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        kit_run run;
        char text[512];
        snprintf(text, sizeof text, "{\"name\":\"ok\",\"code\":\"4e800020\"}\n%s\n", bad[i]);
        run_kit(&run, text);
        assert_int_equal(run.status, -1);
        assert_int_equal(run.report.malformed, 1);
        assert_non_null(strstr(run.lines, ":2: malformed vector"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kit_passes),
        cmocka_unit_test(committed_vectors_pass),
        cmocka_unit_test(vectors_compare_registers),
        cmocka_unit_test(vectors_notice_clobbered_registers),
        cmocka_unit_test(vectors_use_memory_and_mode),
        cmocka_unit_test(vectors_mask_and_tolerate),
        cmocka_unit_test(vectors_expect_traps),
        cmocka_unit_test(vectors_read_all_register_names),
        cmocka_unit_test(malformed_vectors_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
