/* bench.c: `./dev bench`: how fast the engines of cpu-ppc run guest code, beside qemu-ppc64 and the
 * host itself on the same sources (kernels/). All must agree on each kernel's checksum. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

extern const weft_plugin_desc weft_plugin;

#define REPEATS    5
#define ENGINES    4 /* at most */
#define IMAGE_ROOM 0x100000u

typedef uint32_t native_kernel(uint32_t count);

typedef struct kernel {
    const char *name, *group;
    uint32_t count; /* rounds: an interpreter needs some tenths of a second */
    native_kernel *native;
} kernel;

#define KERNEL(name, group, count) native_kernel kernel_##name;
#include "kernels.def"
#undef KERNEL

static const kernel kernels[] = {
#define KERNEL(name, group, count) {#name, group, count, kernel_##name},
#include "kernels.def"
#undef KERNEL
};

#define KERNELS (sizeof kernels / sizeof *kernels)

static const char *const groups[] = {"integer", "fp", "vmx"};

/* A column of the table. */
typedef struct column {
    char name[32];
    machine *machine; /* NULL: qemu or native */
    int is_qemu;
    double seconds[KERNELS];
} column;

typedef struct bench {
    column columns[ENGINES + 2];
    uint32_t count, engines;
    int has_qemu;
    uint64_t instructions[KERNELS];
    uint32_t checksum[KERNELS];
} bench;

/* Processor time, so that other processes disturb less. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int failed(const char *kernel_name, const char *column_name, const char *what)
{
    fprintf(stderr, "bench: error: %s on %s: %s\n", kernel_name, column_name, what);
    return 0;
}

/* Loads the kernel's flat image, replacing what ran before. */
static int load(machine *m, const kernel *k)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.bin", BENCH_DIR, k->name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        return failed(k->name, "guest", "no image (found none, expected one in build/bench)");
    }
    memset(machine_at(m, MACHINE_CODE), 0, IMAGE_ROOM);
    size_t length = fread(machine_at(m, MACHINE_CODE), 1, IMAGE_ROOM, file);
    fclose(file);
    m->memory.written(&m->memory, MACHINE_CODE, IMAGE_ROOM);
    return length > 0;
}

static int run_guest(bench *b, column *on, size_t i, double *seconds)
{
    static const uint32_t sc = WORD_SC;
    const kernel *k = &kernels[i];
    machine *m = on->machine;
    if (!load(m, k)) {
        return 0;
    }
    m->code_at = MACHINE_DATA;
    machine_code(m, &sc, 1);
    m->state->pc = MACHINE_CODE;
    m->state->lr = MACHINE_DATA;
    m->state->r[1] = MACHINE_DATA + MACHINE_SIZE - 256;
    m->state->r[3] = k->count;
    uint64_t before = m->state->retired;
    double start = now();
    uint32_t exit = machine_continue(m, UINT64_C(1) << 40);
    *seconds = now() - start;
    if (exit != WEFT_CPU_SYSCALL) {
        char text[64], line[128];
        m->cpu->disassemble(m->engine, m->state->pc, weft_load32(machine_at(m, m->state->pc)), text,
                            sizeof text);
        snprintf(line, sizeof line, "ended with exit %u at %08x: %s", exit, m->state->pc, text);
        return failed(k->name, on->name, line);
    }
    uint64_t retired = m->state->retired - before;
    uint32_t sum = (uint32_t)m->state->r[3];
    if (b->instructions[i] == 0) {
        b->instructions[i] = retired;
        b->checksum[i] = sum;
    }
    if (b->instructions[i] != retired) {
        return failed(k->name, on->name, "another number of instructions than the first engine");
    }
    return b->checksum[i] == sum || failed(k->name, on->name, "another checksum");
}

static int run_qemu(bench *b, column *on, size_t i, double *seconds)
{
    char command[600];
    unsigned sum = 0;
    unsigned long long nanoseconds = 0;
    snprintf(command, sizeof command, "qemu-ppc64 -cpu 970 '%s/%s.elf' %u", BENCH_DIR,
             kernels[i].name, kernels[i].count);
    FILE *out = popen(command, "r");
    int got = out ? fscanf(out, "%x %llu", &sum, &nanoseconds) : 0;
    if ((out && pclose(out) != 0) || got != 2) {
        return failed(kernels[i].name, on->name, "the program failed");
    }
    *seconds = (double)nanoseconds * 1e-9;
    return b->checksum[i] == sum || failed(kernels[i].name, on->name, "another checksum");
}

static int run_native(bench *b, column *on, size_t i, double *seconds)
{
    double start = now();
    uint32_t sum = kernels[i].native(kernels[i].count);
    *seconds = now() - start;
    return b->checksum[i] == sum || failed(kernels[i].name, on->name, "another checksum");
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Each column once, then again: whatever else the machine does hits all of them alike. */
static int measure(bench *b, size_t i)
{
    double times[ENGINES + 2][REPEATS];
    for (uint32_t repeat = 0; repeat < REPEATS; repeat++) {
        for (uint32_t n = 0; n < b->count; n++) {
            column *on = &b->columns[n];
            double *seconds = &times[n][repeat];
            int ok = on->machine   ? run_guest(b, on, i, seconds)
                     : on->is_qemu ? run_qemu(b, on, i, seconds)
                                   : run_native(b, on, i, seconds);
            if (!ok) {
                return 0;
            }
        }
    }
    for (uint32_t n = 0; n < b->count; n++) {
        qsort(times[n], REPEATS, sizeof(double), by_size);
        b->columns[n].seconds[i] = times[n][REPEATS / 2];
    }
    return 1;
}

/* Speed of column n as a part of that of column `of`, over a group. */
static double group_ratio(const bench *b, uint32_t n, uint32_t of, const char *group)
{
    double sum = 0;
    unsigned count = 0;
    for (size_t i = 0; i < KERNELS; i++) {
        if (strcmp(kernels[i].group, group) == 0) {
            sum += log(b->columns[of].seconds[i] / b->columns[n].seconds[i]);
            count++;
        }
    }
    return exp(sum / count);
}

static double mips(const bench *b, uint32_t n, size_t i)
{
    return (double)b->instructions[i] / b->columns[n].seconds[i] * 1e-6;
}

/* Columns that others are held against. */
static uint32_t native_of(const bench *b)
{
    return b->count - 1;
}

static uint32_t qemu_of(const bench *b)
{
    return b->count - 2;
}

static void print_row(const bench *b, size_t i)
{
    for (uint32_t n = 0; n < b->count; n++) {
        double seconds = b->columns[n].seconds[i];
        printf("%-8s %-8s %-14s %8.0f %9.4f", n ? "" : kernels[i].name, n ? "" : kernels[i].group,
               b->columns[n].name, mips(b, n, i), seconds);
        if (b->has_qemu) {
            printf(" %8.1f%%", 100 * b->columns[qemu_of(b)].seconds[i] / seconds);
        }
        printf(" %8.1f%%\n", 100 * b->columns[native_of(b)].seconds[i] / seconds);
    }
}

static void print_means(const bench *b)
{
    printf("\ngeometric means of speed %27s%s %9s\n", "", b->has_qemu ? "   of qemu" : "",
           "of native");
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        for (uint32_t n = 0; n < native_of(b); n++) {
            printf("%-17s %-14s %18s", n ? "" : groups[g], b->columns[n].name, "");
            if (b->has_qemu) {
                printf(" %8.1f%%", 100 * group_ratio(b, n, qemu_of(b), groups[g]));
            }
            printf(" %8.1f%%\n", 100 * group_ratio(b, n, native_of(b), groups[g]));
        }
    }
}

static cJSON *json_kernel(const bench *b, size_t i)
{
    cJSON *row = cJSON_CreateObject();
    char sum[16];
    snprintf(sum, sizeof sum, "%08x", b->checksum[i]);
    cJSON_AddStringToObject(row, "name", kernels[i].name);
    cJSON_AddStringToObject(row, "group", kernels[i].group);
    cJSON_AddStringToObject(row, "checksum", sum);
    cJSON_AddNumberToObject(row, "instructions", (double)b->instructions[i]);
    cJSON *runs = cJSON_AddArrayToObject(row, "runs");
    for (uint32_t n = 0; n < b->count; n++) {
        double seconds = b->columns[n].seconds[i];
        cJSON *run = cJSON_CreateObject();
        cJSON_AddItemToArray(runs, run);
        cJSON_AddStringToObject(run, "on", b->columns[n].name);
        cJSON_AddNumberToObject(run, "seconds", seconds);
        cJSON_AddNumberToObject(run, "mips", mips(b, n, i));
        if (b->has_qemu) {
            cJSON_AddNumberToObject(run, "of_qemu", b->columns[qemu_of(b)].seconds[i] / seconds);
        }
        cJSON_AddNumberToObject(run, "of_native", b->columns[native_of(b)].seconds[i] / seconds);
    }
    return row;
}

static int write_json(const bench *b, const char *path)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *rows = cJSON_AddArrayToObject(root, "kernels");
    for (size_t i = 0; i < KERNELS; i++) {
        cJSON_AddItemToArray(rows, json_kernel(b, i));
    }
    cJSON *means = cJSON_AddArrayToObject(root, "means");
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        for (uint32_t n = 0; n < native_of(b); n++) {
            cJSON *mean = cJSON_CreateObject();
            cJSON_AddItemToArray(means, mean);
            cJSON_AddStringToObject(mean, "group", groups[g]);
            cJSON_AddStringToObject(mean, "on", b->columns[n].name);
            if (b->has_qemu) {
                cJSON_AddNumberToObject(mean, "of_qemu", group_ratio(b, n, qemu_of(b), groups[g]));
            }
            cJSON_AddNumberToObject(mean, "of_native", group_ratio(b, n, native_of(b), groups[g]));
        }
    }
    char *text = cJSON_Print(root);
    FILE *file = fopen(path, "w");
    int ok = file && fprintf(file, "%s\n", text) > 0;
    ok = (!file || fclose(file) == 0) && ok;
    free(text);
    cJSON_Delete(root);
    return ok;
}

/* A column for each word of the plugin's option `engine`, then qemu, then native. */
static void columns_make(bench *b)
{
    const char *p = "";
    for (uint32_t i = 0; i < weft_plugin.option_count; i++) {
        if (strcmp(weft_plugin.options[i].key, "engine") == 0) {
            p = weft_plugin.options[i].choices;
        }
    }
    while (*p && b->count < ENGINES) {
        column *on = &b->columns[b->count++];
        int length = (int)strcspn(p, "|");
        snprintf(on->name, sizeof on->name, "%.*s", length, p);
        on->machine = machine_make_engine(&weft_plugin, on->name);
        on->machine->memory.protect(&on->machine->memory, MACHINE_CODE, IMAGE_ROOM,
                                    WEFT_PAGE_READ | WEFT_PAGE_WRITE);
        p += (size_t)length + (p[length] == '|');
    }
    b->engines = b->count;
    b->has_qemu = system("command -v qemu-ppc64 >/dev/null 2>&1") == 0;
    if (b->has_qemu) {
        b->columns[b->count] = (column){.name = "qemu-ppc64", .is_qemu = 1};
        b->count++;
    } else {
        printf("qemu-ppc64 is not installed: its columns are left out\n");
    }
    b->columns[b->count++] = (column){.name = "native"};
}

static const char usage[] =
    "usage: bench [--json FILE]\n"
    "       bench trace|diff|weave|gpu [ARGS]   other benchmarks; each has its --help\n"
    "Runs each kernel on every engine of cpu-ppc, on qemu-ppc64 and natively, in turns; prints\n"
    "guest MIPS and seconds of processor time (medians of 5), and speed as a part\n"
    "of qemu's and of native.\n"
    "For qemu and native, MIPS are the interpreter's instructions over their seconds.\n";

/* The other benchmarks are programs beside this one. */
static int run_other(char **argv)
{
    char path[600];
    snprintf(path, sizeof path, "%s/bench-%s", BENCH_DIR, argv[0]);
    execv(path, argv);
    fprintf(stderr, "bench: error: %s: cannot be run (found: %s, expected a program)\n", path,
            strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "trace") == 0 || strcmp(argv[1], "diff") == 0 ||
                     strcmp(argv[1], "weave") == 0 || strcmp(argv[1], "gpu") == 0)) {
        return run_other(argv + 1);
    }
    const char *json = NULL;
    bench *b = calloc(1, sizeof *b);
    int status = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else {
            int asked = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
            fputs(usage, asked ? stdout : stderr);
            free(b);
            return asked ? 0 : 2;
        }
    }
    columns_make(b);
    printf("%-8s %-8s %-14s %8s %9s%s %9s\n", "kernel", "group", "on", "MIPS", "seconds",
           b->has_qemu ? "   of qemu" : "", "of native");
    for (size_t i = 0; i < KERNELS && status == 0; i++) {
        if (measure(b, i)) {
            print_row(b, i);
            fflush(stdout);
        } else {
            status = 1;
        }
    }
    if (status == 0) {
        print_means(b);
        if (json && !write_json(b, json)) {
            fprintf(stderr, "bench: error: %s: cannot be written\n", json);
            status = 1;
        }
    }
    for (uint32_t n = 0; n < b->engines; n++) {
        machine_free(b->columns[n].machine);
    }
    free(b);
    return status;
}
