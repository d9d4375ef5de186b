/* trace_manifest.c: `weft trace manifest`: where a reference run met contention, or the order of all its
 * operations. */
#include <errno.h>
#include <mbedtls/md.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../run.h"
#include "../text.h"
#include "args.h"
#include "manifest.h"
#include "order.h"
#include "trace_command.h"

#define MAX_PAIRS 256

enum { OUT, MAP, CHECK, ORDER, FROM_TIMES, ENTERS };

static const args_flag flags[] = {
    [OUT] = {"--out", "M.json", "file to write; required"},
    [MAP] = {"--map", "A=B,...",
             "thread ids: the reference's and ours; others are left out; with --order each is the "
             "thread's name, or tid:N, and others keep their names"},
    [CHECK] = {"--check", NULL, "REF is a manifest: say what it has, or what is wrong with it"},
    [ORDER] = {"--order", NULL, "version 2: the order of all synchronisation operations"},
    [FROM_TIMES] = {"--from-times", "US",
                    "with --order: do not look at numbers, but at when calls began and ended, in "
                    "steps of US microseconds (0.001 to 1000000)"},
    [ENTERS] = {"--enters", NULL,
                "entries of version 1 also say which call of RtlEnterCriticalSection it was on the "
                "thread, a key that other events do not shift"},
    {0},
};

static const args_command command = {
    .name = "trace manifest",
    .positional = "REF",
    .summary =
        "Writes the contention manifest, version 1, of a reference trace, or with --order the "
        "order manifest, version 2; or checks one.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

typedef struct request {
    const char *out, *path, *map;
    weft_trace_pair pairs[MAX_PAIRS];
    int pair_count, check, order, enters;
    uint64_t resolution; /* ticks; 0: by numbers */
} request;

/* Microseconds with at most three digits behind the point, as ticks; 0 where it is no such number. */
static uint64_t read_microseconds(const char *text)
{
    uint64_t ticks = 0;
    size_t whole = strspn(text, "0123456789");
    const char *point = text + whole;
    size_t decimals = *point == '.' ? strspn(point + 1, "0123456789") : 0;
    if (whole < 1 || whole > 7 || decimals > 3 || point[decimals ? decimals + 1 : 0] != 0) {
        return 0;
    }
    ticks = strtoull(text, NULL, 10) * 1000;
    for (uint64_t i = 1, unit = 100; i <= decimals; i++, unit /= 10) {
        ticks += (uint64_t)(point[i] - '0') * unit;
    }
    return ticks <= UINT64_C(1000000000) ? ticks : 0;
}

static int take(void *context, int index, const char *value)
{
    request *q = context;
    if (index == OUT) {
        q->out = value;
    } else if (index == MAP) {
        q->map = value;
    } else if (index == CHECK) {
        q->check = 1;
    } else if (index == ORDER) {
        q->order = 1;
    } else if (index == ENTERS) {
        q->enters = 1;
    } else if (index == FROM_TIMES) {
        q->resolution = read_microseconds(value);
        if (q->resolution == 0) {
            error_print("--from-times",
                        "resolution cannot be read (found %s, expected 0.001 to 1000000 "
                        "microseconds)",
                        value);
            return -1;
        }
    } else {
        q->path = value;
    }
    return 0;
}

/* SHA-256 of the file as 64 hex digits; 0 where it cannot be read. */
static int hash_file(const char *path, char hex[65])
{
    unsigned char bytes[16384], hash[32];
    FILE *file = fopen(path, "rb");
    mbedtls_md_context_t md;
    mbedtls_md_init(&md);
    int good = file && mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 0) == 0;
    good = good && mbedtls_md_starts(&md) == 0;
    size_t got;
    while (good && (got = fread(bytes, 1, sizeof bytes, file)) > 0) {
        good = mbedtls_md_update(&md, bytes, got) == 0;
    }
    good = good && !ferror(file) && mbedtls_md_finish(&md, hash) == 0;
    mbedtls_md_free(&md);
    if (file) {
        fclose(file);
    }
    for (int i = 0; good && i < 32; i++) {
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    }
    return good;
}

static int write_manifest(weft_trace_manifest *manifest, const request *q)
{
    char sha256[65];
    if (!hash_file(q->path, sha256)) {
        error_print(q->path, "cannot read the file again, for its SHA-256");
        return EXIT_INPUT;
    }
    FILE *file = fopen(q->out, "wb");
    int good = file && weft_trace_manifest_write(manifest, file, q->path, sha256, time(NULL));
    if (file && fclose(file) != 0) {
        good = 0;
    }
    if (!good) {
        error_print(q->out, "cannot write the manifest (expected a path with room)");
    }
    return good ? EXIT_ENDED : EXIT_INPUT;
}

/* The line that a byte of a text is in, from 1. */
static size_t line_of(const char *text, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at && text[i]; i++) {
        line += text[i] == '\n';
    }
    return line;
}

/* What is wrong with a manifest, with the line where there is one. */
static void print_wrong(const char *path, size_t line, const char *why)
{
    if (line > 0) {
        char *where = text_format("%s:%zu", path, line);
        error_print(where, "%s", why);
        free(where);
    } else {
        error_print(path, "%s", why);
    }
}

static int check_order(const char *path)
{
    char why[256];
    size_t line;
    weft_order *order = weft_order_read_file(path, why, sizeof why, &line);
    if (!order) {
        print_wrong(path, line, why);
        return EXIT_INPUT;
    }
    printf("%s: version 2, %llu operations (%llu soft) of %u threads on %u objects\n", path,
           (unsigned long long)order->operations, (unsigned long long)order->soft,
           order->thread_count, order->object_count);
    weft_order_free(order);
    return EXIT_ENDED;
}

static int check_manifest(const char *path)
{
    char why[256];
    size_t length, at, count;
    char *text = text_read_file(path, WEFT_TRACE_MANIFEST_BYTES, &length);
    if (!text) {
        error_print(path, "cannot read the manifest (found %s, expected at most %u bytes)",
                    strerror(errno), (unsigned)WEFT_TRACE_MANIFEST_BYTES);
        return EXIT_INPUT;
    }
    weft_trace_manifest *m = weft_trace_manifest_read(text, length, why, sizeof why, &at);
    if (m) {
        const weft_trace_contention *entries = weft_trace_manifest_entries(m, &count);
        size_t threads = 0;
        for (size_t i = 0; i < count; i++) {
            threads += i == 0 || entries[i].tid != entries[i - 1].tid;
        }
        printf("%s: version 1, %zu entries of %zu threads\n", path, count, threads);
    } else {
        print_wrong(path, at != SIZE_MAX ? line_of(text, at) : 0, why);
    }
    int code = m ? EXIT_ENDED : EXIT_INPUT;
    weft_trace_manifest_free(m);
    free(text);
    return code;
}

/* ---- the order manifest ------------------------------------------------------------------------ */

/* "A=B,...": names of threads. -1 after saying what is wrong. */
static int map_names(weft_order_builder *builder, const char *pairs)
{
    char *copy = text_copy(pairs ? pairs : ""), *rest = copy;
    int code = 0;
    for (char *pair; code == 0 && *copy && (pair = strsep(&rest, ",")) != NULL;) {
        char *name = strchr(pair, '=');
        if (!name || name == pair || !name[1]) {
            error_print("--map",
                        "map cannot be read (found %s, expected A=B,... of names of threads)",
                        pairs);
            code = -1;
            break;
        }
        *name++ = 0;
        if (!weft_order_builder_map(builder, weft_fnv1a(pair, strlen(pair)),
                                    weft_fnv1a(name, strlen(name)), name)) {
            error_print("--map", "no memory for the map");
            code = -1;
        }
    }
    free(copy);
    return code;
}

static int write_order(const weft_order *order, const request *q)
{
    char sha256[65];
    if (!hash_file(q->path, sha256)) {
        error_print(q->path, "cannot read the file again, for its SHA-256");
        return EXIT_INPUT;
    }
    FILE *file = fopen(q->out, "wb");
    int good = file && weft_order_write(order, file, q->path, sha256);
    if (file && fclose(file) != 0) {
        good = 0;
    }
    if (!good) {
        error_print(q->out, "cannot write the manifest (expected a path with room)");
    }
    return good ? EXIT_ENDED : EXIT_INPUT;
}

static int make_order(const request *q)
{
    weft_order_builder *builder = weft_order_builder_new(q->resolution);
    if (builder && map_names(builder, q->map)) {
        weft_order_builder_free(builder);
        return EXIT_USAGE;
    }
    reading r;
    reading_open(&r, q->path);
    const weft_event *event;
    int good = builder != NULL;
    while (good && (event = reading_next(&r)) != NULL) {
        good = weft_order_builder_add(builder, r.trace, event);
    }
    weft_order *order = good ? weft_order_builder_end(builder) : NULL;
    if (!order) {
        error_print(q->path, "no memory for the manifest, or more than %u operations",
                    (unsigned)WEFT_ORDER_MOST);
    }
    int code = reading_close(&r);
    if (code == EXIT_ENDED && order && order->operations == 0) {
        error_print(q->path, "trace tells of no order (found no sync.op, expected the trace of a "
                             "run of Weft that keeps kind sync.op)");
        code = EXIT_INPUT;
    } else if (code == EXIT_ENDED) {
        code = order ? write_order(order, q) : EXIT_INPUT;
    }
    weft_order_free(order);
    weft_order_builder_free(builder);
    return code;
}

/* Whether the text is a manifest of version 2, going by its first bytes. */
static int is_order(const char *path)
{
    char head[32] = "";
    FILE *file = fopen(path, "rb");
    size_t got = file ? fread(head, 1, sizeof head - 1, file) : 0;
    if (file) {
        fclose(file);
    }
    return got > 0 && strncmp(head, "{\"version\":2", 12) == 0;
}

int trace_manifest(int argc, char **argv)
{
    request q = {0};
    reading r;
    int parsed = args_parse(&command, argc, argv, take, &q);
    if (parsed) {
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    if (q.check) {
        return q.order || is_order(q.path) ? check_order(q.path) : check_manifest(q.path);
    }
    if (!q.out) {
        error_print("weft trace manifest", "option is missing (found no --out, expected --out "
                                           "M.json)");
        return EXIT_USAGE;
    }
    struct stat info;
    if (strcmp(q.path, "-") == 0 || (stat(q.path, &info) == 0 && S_ISFIFO(info.st_mode))) {
        error_print("weft trace manifest", "file is read twice (found a pipe, expected a file)");
        return EXIT_USAGE;
    }
    if (q.resolution && !q.order) {
        error_print("--from-times", "option is of the order manifest (expected --order)");
        return EXIT_USAGE;
    }
    if (q.order) {
        return make_order(&q);
    }
    q.pair_count = q.map ? weft_trace_read_pairs(q.map, q.pairs, MAX_PAIRS) : 0;
    if (q.pair_count < 0) {
        error_print("--map", "map cannot be read (found %s, expected A=B,... of thread ids)",
                    q.map);
        return EXIT_USAGE;
    }
    reading_open(&r, q.path);
    weft_trace_manifest *manifest = weft_trace_manifest_new(q.pairs, (uint32_t)q.pair_count);
    const weft_event *event;
    int good = manifest != NULL;
    if (good && q.enters) {
        weft_trace_manifest_count_enters(manifest);
    }
    while (good && (event = reading_next(&r)) != NULL) {
        good = weft_trace_manifest_add(manifest, r.trace, event);
    }
    if (!good) {
        error_print(q.path, "no memory for the manifest");
    }
    int code = reading_close(&r);
    if (code == EXIT_ENDED) {
        code = good ? write_manifest(manifest, &q) : EXIT_INPUT;
    }
    weft_trace_manifest_free(manifest);
    return code;
}
