/* trace_manifest.c: `weft trace manifest`: where a reference run met contention. */
#include <errno.h>
#include <mbedtls/md.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../run.h"
#include "../text.h"
#include "args.h"
#include "manifest.h"
#include "trace_command.h"

#define MAX_PAIRS 256

enum { OUT, MAP, CHECK };

static const args_flag flags[] = {
    [OUT] = {"--out", "M.json", "file to write; required"},
    [MAP] = {"--map", "A=B,...", "thread ids: the reference's and ours; others are left out"},
    [CHECK] = {"--check", NULL, "REF is a manifest: say what it has, or what is wrong with it"},
    {0},
};

static const args_command command = {
    .name = "trace manifest",
    .positional = "REF",
    .summary = "Writes the contention manifest, version 1, of a reference trace, or checks one.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

typedef struct request {
    const char *out, *path;
    weft_trace_pair pairs[MAX_PAIRS];
    int pair_count, check;
} request;

static int take(void *context, int index, const char *value)
{
    request *q = context;
    if (index == OUT) {
        q->out = value;
    } else if (index == MAP) {
        q->pair_count = weft_trace_read_pairs(value, q->pairs, MAX_PAIRS);
        if (q->pair_count < 0) {
            error_print("--map", "map cannot be read (found %s, expected A=B,... of thread ids)",
                        value);
            return -1;
        }
    } else if (index == CHECK) {
        q->check = 1;
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
    } else if (at != SIZE_MAX) {
        char *where = text_format("%s:%zu", path, line_of(text, at));
        error_print(where, "%s", why);
        free(where);
    } else {
        error_print(path, "%s", why);
    }
    int code = m ? EXIT_ENDED : EXIT_INPUT;
    weft_trace_manifest_free(m);
    free(text);
    return code;
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
        return check_manifest(q.path);
    }
    if (!q.out) {
        error_print("weft trace manifest", "option is missing (found no --out, expected --out "
                                           "M.json)");
        return EXIT_USAGE;
    }
    reading_open(&r, q.path);
    weft_trace_manifest *manifest = weft_trace_manifest_new(q.pairs, (uint32_t)q.pair_count);
    const weft_event *event;
    int good = manifest != NULL;
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
