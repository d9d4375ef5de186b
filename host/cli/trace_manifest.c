/* trace_manifest.c: `weft trace manifest`: where a reference run met contention. */
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

enum { OUT, MAP };

static const args_flag flags[] = {
    [OUT] = {"--out", "M.json", "file to write; required"},
    [MAP] = {"--map", "A=B,...", "thread ids: the reference's and ours; others are left out"},
    {0},
};

static const args_command command = {
    .name = "trace manifest",
    .positional = "REF",
    .summary = "Writes the contention manifest, version 1, of a reference trace.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

typedef struct request {
    const char *out, *path;
    weft_trace_pair pairs[MAX_PAIRS];
    int pair_count;
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

int trace_manifest(int argc, char **argv)
{
    request q = {0};
    reading r;
    int parsed = args_parse(&command, argc, argv, take, &q);
    if (parsed) {
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
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
        good = weft_trace_manifest_add(manifest, event);
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
