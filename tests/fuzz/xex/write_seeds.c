/* fuzz-seeds-xex DIR: writes the seeds of the targets xex and pe to DIR/xex-N and DIR/pe-N. */
#include <stdio.h>
#include <stdlib.h>

#include "seeds.h"

/* Seeds are made here, not mutated. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room)
{
    return size;
}

static int write_all(const char *folder, const char *kind, unsigned count,
                     uint8_t *(*make)(unsigned, size_t *))
{
    for (unsigned i = 0; i < count; i++) {
        char path[4096];
        size_t size;
        uint8_t *bytes = make(i, &size);
        snprintf(path, sizeof path, "%s/%s-%u", folder, kind, i);
        FILE *f = fopen(path, "wb");
        int bad = !f || fwrite(bytes, 1, size, f) != size;
        if (f && fclose(f)) {
            bad = 1;
        }
        free(bytes);
        if (bad) {
            perror(path);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: fuzz-seeds-xex DIR\n", stderr);
        return 2;
    }
    return write_all(argv[1], "xex", xex_seed_count(), xex_seed_make) ||
           write_all(argv[1], "pe", pe_seed_count(), pe_seed_make);
}
