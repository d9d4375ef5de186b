/* fuzz_diff.c: any bytes as two traces, compared with every option on: refused or reported, twice the
 * same way. The input is cut in two at its first zero line, else in the middle. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int put_file(const char *name, const uint8_t *data, size_t size, char path[64])
{
    int file = memfd_create(name, MFD_CLOEXEC);
    if (file < 0 || write(file, data, size) != (ssize_t)size) {
        abort();
    }
    snprintf(path, 64, "/proc/self/fd/%d", file);
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char cut[] = "\n----\n";
    static const weft_trace_pair map[] = {{6, 1}, {7, 2}};
    const uint8_t *at = memmem(data, size, cut, sizeof cut - 1);
    size_t first = at ? (size_t)(at - data) + 1 : size / 2;
    size_t second = at ? first + sizeof cut - 2 : first;
    char paths[2][64];
    int files[2] = {put_file("ref", data, first, paths[0]),
                    put_file("ours", data + second, size - second, paths[1])};
    const char *const names[2] = {paths[0], paths[1]};
    for (unsigned k = 0; k < 4; k++) {
        weft_diff_options options = {.map = map,
                                     .map_count = k & 1 ? 2 : 0,
                                     .absorb = k & 1 ? 7 : 0,
                                     .ignored = {k & 2 ? UINT64_C(1) << 7 : 0, 0},
                                     .cones = 1};
        weft_trace_diff d;
        int good = weft_trace_diff_run(&d, names, &options);
        for (size_t i = 0; good && i < d.pair_count; i++) {
            const weft_trace_diff_pair *p = &d.pairs[i];
            if (p->diverged && (!p->category || (!p->at[0].text && !p->at[1].text))) {
                abort();
            }
        }
        weft_trace_diff_free(&d);
    }
    close(files[0]);
    close(files[1]);
    return 0;
}
