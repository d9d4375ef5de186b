/* Arbitrary bytes as the unpacked stream of a capture: drawn again and printed. Also as a shader
 * container. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "container.h"
#include "fake.h"
#include "replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first record is given, so that the search begins behind it; the registers are all zero. */
static void write_file(const char *path, const uint8_t *data, size_t size)
{
    static const uint8_t head[20] = "HEAD\14\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0";
    gzFile file = gzopen(path, "wb0");
    if (file == NULL || gzwrite(file, head, sizeof head) != (int)sizeof head ||
        gzwrite(file, data, (unsigned)size) != (int)size) {
        abort();
    }
    gzclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    xenos_microcode code;
    xenos_container_read(data, size, &code);
    char path[64];
    snprintf(path, sizeof path, "/tmp/fuzz-capture-%d", (int)getpid());
    write_file(path, data + 1, size - 1);
    fake *f = fake_new();
    weft_gpu_replayed done = {.size = sizeof done};
    FILE *out = fopen("/dev/null", "w");
    xenos_replay(&f->host, path, data[0] & 1 ? "soft" : "null", 1, 1, NULL, NULL, &done);
    xenos_dump(&f->host, path, out);
    fclose(out);
    unlink(path);
    fake_delete(f);
    return 0;
}
