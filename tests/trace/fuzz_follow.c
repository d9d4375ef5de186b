/* fuzz_follow.c: any bytes as a trace that is written in pieces while it is followed: what is read must
 * be what is read of the finished file. The first byte is the size of a piece. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "follow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct pieces {
    const uint8_t *data;
    size_t left, piece;
    int file;
} pieces;

static int write_on(void *context, int there)
{
    pieces *p = context;
    size_t n = p->left < p->piece ? p->left : p->piece;
    if (n == 0) {
        return 0;
    }
    if (write(p->file, p->data, n) != (ssize_t)n) {
        abort();
    }
    p->data += n;
    p->left -= n;
    return 2;
}

/* What a trace says from end to end. */
static uint64_t read_all(weft_trace *trace, char hex[33], int *failed)
{
    weft_trace_digest *digest = weft_trace_digest_new();
    const weft_event *event;
    uint64_t n = 0;
    while ((event = weft_trace_next(trace)) != NULL) {
        weft_trace_digest_add(digest, event);
        n++;
    }
    weft_trace_digest_end(digest, hex);
    *failed = weft_trace_failed(trace, NULL) != NULL;
    weft_trace_close(trace);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char followed[33], whole[33], path[64];
    int failed, whole_failed;
    if (size < 2) {
        return 0;
    }
    pieces p = {
        .data = data + 1, .left = size - 1, .piece = data[0] < 64 ? data[0] + 1u : data[0] * 64u};
    int file_of_path = memfd_create("fuzz", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file_of_path);
    p.file = open(path, O_WRONLY); /* the kernel does not count who made it as a writer */
    uint64_t n = read_all(weft_trace_follow(path, write_on, &p), followed, &failed);
    close(p.file);
    close(file_of_path);
    /* Behind the end of a trace a follower does not look. */
    size_t read = size - 1 - p.left;
    FILE *file = fmemopen((void *)(uintptr_t)(data + 1), read ? read : 1, "rb");
    uint64_t m = read_all(weft_trace_from(file, "fuzz"), whole, &whole_failed);
    if (n != m || strcmp(followed, whole) != 0 || (failed && !whole_failed)) {
        abort();
    }
    return 0;
}
