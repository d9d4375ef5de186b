/* gpu.c: `./dev bench gpu`: frames a second of the software back-end at 1280x720, through the command
 * processor, beside lavapipe (Mesa's Vulkan driver for processors) drawing the same: seven loads, and a
 * frame of an XDK sample where one is at hand. A frame is drawn, resolved and converted for the
 * display; lavapipe's is drawn and copied out. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gpu.h"

#define FRAMES_MOST 64
#define THREADS     2
#define COLUMNS     (2 * THREADS)

/* Median of a frame's seconds. */
typedef struct cell {
    int known;
    double wall, processor;
} cell;

typedef struct options {
    const char *json, *sample;
    uint32_t frames;
} options;

static const char *const columns[COLUMNS] = {"ours, 1 thread", "ours, 2 threads",
                                             "lavapipe, 1 thread", "lavapipe, 2 threads"};

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int measure(gpu_bench *bench, uint32_t frames, cell *out)
{
    double wall[FRAMES_MOST], processor[FRAMES_MOST];
    /* The first decodes textures and starts threads (lavapipe compiles its shaders), the second finds
     * caches warm. */
    if (!bench->frame(bench) || !bench->frame(bench)) {
        return 0;
    }
    for (uint32_t i = 0; i < frames; i++) {
        double w = now(CLOCK_MONOTONIC), p = now(CLOCK_PROCESS_CPUTIME_ID);
        if (!bench->frame(bench)) {
            return 0;
        }
        wall[i] = now(CLOCK_MONOTONIC) - w;
        processor[i] = now(CLOCK_PROCESS_CPUTIME_ID) - p;
    }
    qsort(wall, frames, sizeof *wall, by_size);
    qsort(processor, frames, sizeof *processor, by_size);
    *out = (cell){1, wall[frames / 2], processor[frames / 2]};
    return 1;
}

/* ---- reports ---- */

static void print_row(const char *name, double pixels, const cell cells[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        const cell *c = &cells[i];
        if (!c->known) {
            continue;
        }
        printf("%-12s %-20s %8.1f %8.1f %9.1f %9.1f", i == 0 ? name : "", columns[i], c->wall * 1e3,
               c->processor * 1e3, 1 / c->wall, pixels / c->wall * 1e-6);
        const cell *other = &cells[i + THREADS];
        if (i < THREADS && other->known) {
            printf(" %8.2f", other->wall / c->wall);
        }
        printf("\n");
    }
}

static void add_row(cJSON *rows, const char *name, double pixels, const cell cells[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        if (!cells[i].known) {
            continue;
        }
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "load", name);
        cJSON_AddStringToObject(row, "by", i < THREADS ? "weft" : "lavapipe");
        cJSON_AddNumberToObject(row, "threads", i % THREADS + 1);
        cJSON_AddNumberToObject(row, "seconds", cells[i].wall);
        cJSON_AddNumberToObject(row, "processor_seconds", cells[i].processor);
        cJSON_AddNumberToObject(row, "frames_per_second", 1 / cells[i].wall);
        cJSON_AddNumberToObject(row, "mpixels_per_second", pixels / cells[i].wall * 1e-6);
        cJSON_AddItemToArray(rows, row);
    }
}

static int write_json(const char *path, cJSON *rows)
{
    char *text = cJSON_Print(rows);
    FILE *file = text != NULL ? fopen(path, "w") : NULL;
    int good = file != NULL && fprintf(file, "%s\n", text) > 0;
    good = (file == NULL || fclose(file) == 0) && good;
    if (!good) {
        fprintf(stderr, "bench: error: %s: cannot be written: %s\n", path, strerror(errno));
    }
    cJSON_free(text);
    return good;
}

/* ---- the loads ---- */

/* Lavapipe draws what we draw: the middle of both pictures, to what rounding may do. */
static int alike(uint32_t a, uint32_t b)
{
    for (int shift = 0; shift < 24; shift += 8) {
        int difference = (int)(a >> shift & 255) - (int)(b >> shift & 255);
        if (difference < -3 || difference > 3) {
            return 0;
        }
    }
    return 1;
}

static int run_load(const gpu_load *load, const options *o, cJSON *rows, int *skip)
{
    cell cells[COLUMNS] = {0};
    uint32_t middle = 0;
    for (uint32_t i = 0; i < COLUMNS; i++) {
        const char *why = NULL;
        uint32_t threads = i % THREADS + 1;
        if (i >= THREADS && *skip) {
            continue;
        }
        gpu_bench *bench =
            i < THREADS ? gpu_ours(load, threads) : gpu_lavapipe(load, threads, &why);
        if (bench == NULL && i >= THREADS) {
            printf("lavapipe is left out: %s\n", why);
            *skip = 1;
            continue;
        }
        int good = bench != NULL && measure(bench, o->frames, &cells[i]);
        uint32_t pixel = bench != NULL ? bench->middle : 0;
        if (bench != NULL) {
            bench->end(bench);
        }
        if (!good) {
            fprintf(stderr, "bench: error: gpu: %s cannot be drawn\n", load->name);
            return 0;
        }
        if (i >= THREADS && !alike(middle, pixel)) {
            fprintf(stderr, "bench: error: gpu: %s: lavapipe draws %08x, we %08x\n", load->name,
                    pixel, middle);
            return 0;
        }
        middle = pixel;
    }
    double pixels = (double)GPU_WIDTH * GPU_HEIGHT * load->passes;
    print_row(load->name, pixels, cells);
    add_row(rows, load->name, pixels, cells);
    return 1;
}

/* A capture of the sample's 60th frame, where `sample` is a title; else it is a capture. */
static int capture_of(const char *sample, char *path, size_t size, int *made)
{
    size_t length = strlen(sample);
    *made = length < 4 || strcmp(sample + length - 4, ".cap") != 0;
    if (!*made) {
        snprintf(path, size, "%s", sample);
        return 1;
    }
    char command[2048];
    snprintf(path, size, "%s/bench-gpu-%ld.cap", WEFT_BUILD_DIR, (long)getpid());
    snprintf(command, sizeof command,
             "'%s/weft' run --headless --until frames=62 --capture '%s@frame=60' '%s' >&2",
             WEFT_BUILD_DIR, path, sample);
    return system(command) == 0 && access(path, R_OK) == 0;
}

static int run_sample(const options *o, cJSON *rows)
{
    char path[1024];
    int made, good = 1;
    if (!capture_of(o->sample, path, sizeof path, &made)) {
        fprintf(stderr, "bench: error: gpu: %s: no frame of it could be captured\n", o->sample);
        return 0;
    }
    cell cells[COLUMNS] = {0};
    for (uint32_t threads = 1; threads <= THREADS && good; threads++) {
        gpu_bench *bench = gpu_captured(path, threads);
        good = bench != NULL && measure(bench, o->frames, &cells[threads - 1]);
        if (bench != NULL) {
            bench->end(bench);
        }
    }
    if (made) {
        unlink(path);
    }
    if (good) {
        double pixels = (double)GPU_WIDTH * GPU_HEIGHT;
        print_row("sample", pixels, cells);
        add_row(rows, "sample", pixels, cells);
    }
    return good;
}

static int is_load(const char *name)
{
    int known = strcmp(name, "sample") == 0;
    for (uint32_t i = 0; i < gpu_load_count; i++) {
        known |= strcmp(name, gpu_loads[i].name) == 0;
    }
    return known;
}

static int usage(FILE *out, int code)
{
    fprintf(
        out,
        "usage: bench gpu [--frames N] [--sample FILE] [--json FILE] [--only LOAD]\n"
        "\n"
        "Draws loads at 1280x720 with 1 and 2 threads, and the same on lavapipe where Vulkan's\n"
        "loader and Mesa's driver are installed. Mpixel/s are pixels of all passes; the last\n"
        "column is lavapipe's time through ours.\n"
        "\n"
        "  --frames N     frames whose median counts, 1 to %d; default: 15\n"
        "  --sample FILE  a title, or a frame of it that weft run --capture wrote (*.cap), too;\n"
        "                 default: WEFT_SAMPLE of the environment\n"
        "  --only LOAD    one alone: fill, blend, texture, alu60, small, small-alu60, msaa4, "
        "sample\n"
        "  --json FILE    the numbers as JSON\n"
        "  --help         this text\n",
        FRAMES_MOST);
    return code;
}

int main(int argc, char **argv)
{
    options o = {.frames = 15, .sample = getenv("WEFT_SAMPLE")};
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--help") == 0) {
            return usage(stdout, 0);
        }
        if (value == NULL) {
            return usage(stderr, 2);
        }
        if (strcmp(argv[i], "--json") == 0) {
            o.json = value;
        } else if (strcmp(argv[i], "--sample") == 0) {
            o.sample = value;
        } else if (strcmp(argv[i], "--only") == 0 && is_load(value)) {
            only = value;
        } else if (strcmp(argv[i], "--frames") == 0 && atoi(value) > 0 &&
                   atoi(value) <= FRAMES_MOST) {
            o.frames = (uint32_t)atoi(value);
        } else {
            return usage(stderr, 2);
        }
        i++;
    }
    printf("%-12s %-20s %8s %8s %9s %9s %8s\n", "load", "by", "ms", "cpu ms", "frames/s",
           "Mpixel/s", "ratio");
    cJSON *rows = cJSON_CreateArray();
    int good = 1, skip = 0;
    for (uint32_t i = 0; i < gpu_load_count && good; i++) {
        if (only == NULL || strcmp(only, gpu_loads[i].name) == 0) {
            good = run_load(&gpu_loads[i], &o, rows, &skip);
        }
    }
    if (good && (only == NULL || strcmp(only, "sample") == 0)) {
        if (o.sample != NULL && *o.sample != '\0') {
            good = run_sample(&o, rows);
        } else {
            printf("sample       left out: neither --sample nor WEFT_SAMPLE names one\n");
        }
    }
    good = good && (o.json == NULL || write_json(o.json, rows));
    cJSON_Delete(rows);
    return good ? 0 : 1;
}
