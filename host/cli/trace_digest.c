/* trace_digest.c: `weft trace digest`: one number for all that a trace says. */
#include <errno.h>
#include <inttypes.h>
#include <mbedtls/md.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "../text.h"
#include "args.h"
#include "trace_command.h"

enum { DIGEST_MD5, DIGEST_CHAIN };

static const args_flag digest_flags[] = {
    [DIGEST_MD5] = {"--md5", NULL, "the MD5 of what is deterministic in a JSONL log's lines"},
    [DIGEST_CHAIN] =
        {"--chain", NULL,
         "FILEs are one run's, by successive tracers: prove that nothing is lost, print "
         "the whole's"},
    {0},
};

static const args_command digest_command = {
    .name = "trace digest",
    .positional = "FILE...",
    .summary = "Prints DIGEST TOTAL_EVENTS FILE for each file: the trace_digest of its events of "
               "class guest,\nand how many these are. Equal for both formats, and to run --json.",
    .flags = digest_flags,
    .least = 1,
    .most = SIZE_MAX,
};

typedef struct digest_request {
    const char **paths;
    size_t count;
    int md5, chain;
} digest_request;

static int digest_take(void *context, int index, const char *value)
{
    digest_request *q = context;
    if (index >= 0) {
        *(index == DIGEST_MD5 ? &q->md5 : &q->chain) = 1;
        return 0;
    }
    q->paths = text_grow(q->paths, (q->count + 1) * sizeof *q->paths);
    q->paths[q->count++] = value;
    return 0;
}

/* A whole file's digest may differ from what its end says only if it was edited or is a part. */
static void digest_warn(const char *path, const weft_trace_info *info, const char *digest)
{
    if (info->partial || info->first > 0) {
        fprintf(stderr, "weft: warning: %s: digest is of the events in the file alone (%s)\n", path,
                info->partial ? "filters hid others" : "it begins after a swap of tracers");
    } else if (info->digest[0] && strcmp(info->digest, digest) != 0) {
        fprintf(stderr,
                "weft: warning: %s: digest is not what the end says (found %s, expected "
                "%s)\n",
                path, digest, info->digest);
    }
}

static int digest_file(const char *path)
{
    char hex[33];
    reading r;
    reading_open(&r, path);
    weft_trace_digest *digest = weft_trace_digest_new();
    const weft_event *event;
    while ((event = reading_next(&r)) != NULL) {
        weft_trace_digest_add(digest, event);
    }
    uint64_t count = weft_trace_digest_end(digest, hex);
    if (!weft_trace_failed(r.trace, NULL)) {
        printf("%s %" PRIu64 " %s\n", hex, count, path);
        fflush(stdout);
        digest_warn(path, weft_trace_info_of(r.trace), hex);
    }
    return reading_close(&r);
}

/* MD5 over the event lines of a JSONL log without host_ns and guest_cycle (docs/trace.md). */
static int md5_file(const char *path)
{
    unsigned char hash[16];
    size_t length;
    reading r;
    reading_open(&r, path);
    if (weft_trace_info_of(r.trace)->binary) {
        weft_trace_close(r.trace);
        error_print(path, "--md5 is of lines (found a binary trace, expected JSONL)");
        return EXIT_USAGE;
    }
    mbedtls_md_context_t md;
    mbedtls_md_init(&md);
    int good = mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_MD5), 0) == 0 &&
               mbedtls_md_starts(&md) == 0;
    while (good && reading_next(&r)) {
        const char *fields = weft_trace_fields(r.trace, &length);
        good = fields && mbedtls_md_update(&md, (const unsigned char *)fields, length) == 0 &&
               mbedtls_md_update(&md, (const unsigned char *)"\n", 1) == 0;
    }
    good = good && mbedtls_md_finish(&md, hash) == 0;
    mbedtls_md_free(&md);
    uint64_t count = r.events;
    int code = reading_close(&r);
    if (code == EXIT_ENDED && !good) {
        error_print(path, "MD5 cannot be computed (expected a library that has it)");
        return EXIT_INPUT;
    }
    if (code == EXIT_ENDED) {
        for (int i = 0; i < 16; i++) {
            printf("%02x", hash[i]);
        }
        printf(" %" PRIu64 " %s\n", count, path);
    }
    return code;
}

int trace_digest(int argc, char **argv)
{
    digest_request q = {0};
    int code = EXIT_ENDED;
    int parsed = args_parse(&digest_command, argc, argv, digest_take, &q);
    if (parsed) {
        free(q.paths);
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    if (q.md5 && q.chain) {
        error_print("--chain",
                    "digests are chained by trace_digest (found --md5, expected one of the "
                    "two)");
        free(q.paths);
        return EXIT_USAGE;
    }
    if (q.chain) {
        code = trace_chain(q.paths, q.count);
        q.count = 0;
    }
    for (size_t i = 0; i < q.count; i++) {
        int one = (q.md5 ? md5_file : digest_file)(q.paths[i]);
        code = one ? one : code;
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_ENDED) {
        error_print("stdout", "cannot be written (found %s, expected room for the digests)",
                    strerror(errno));
        code = EXIT_INPUT;
    }
    free(q.paths);
    return code;
}
