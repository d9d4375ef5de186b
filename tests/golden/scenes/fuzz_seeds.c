/* fuzz-seeds-gpu DIR: the golden scenes as inputs of fuzz_gpu.c. fuzz-seeds-capture DIR: as those of
 * fuzz_capture.c, records of a capture for the soft back-end. */
#include <stdlib.h>

#include "capture.h"
#include "scene.h"

#ifdef SEEDS_CAPTURE
static void put(uint32_t word, FILE *out)
{
    fwrite(&word, 4, 1, out);
}

/* PACK records of packets and MEM records of memory, then END. */
static int write_seed(const scene_row *row, FILE *out)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    int done = stream != NULL && scene_record(row, stream) && fclose(stream) == 0;
    fputc(1, out);
    for (const uint32_t *at = (uint32_t *)bytes; done && size >= 4;) {
        int memory = at[0] >> 30 == 2;
        uint32_t dwords = memory ? 2 + (at[0] & 0xFFFF) : xenos_packet_dwords(at[0]);
        put(memory ? XENOS_RECORD_MEM : XENOS_RECORD_PACK, out);
        put(memory ? dwords * 4 - 4 : dwords * 4 + 4, out);
        if (!memory) {
            put(0, out); /* where it lay */
        }
        fwrite(memory ? at + 1 : at, 4, memory ? dwords - 1 : dwords, out);
        at += dwords;
        size -= dwords * 4;
    }
    put(XENOS_RECORD_END, out);
    put(0, out);
    free(bytes);
    return done;
}
#else
static int write_seed(const scene_row *row, FILE *out)
{
    return scene_record(row, out);
}
#endif

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 2;
    }
    for (const scene_row *const *row = scene_table(); *row != NULL; row++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], (*row)->name);
        FILE *out = fopen(path, "wb");
        if (out == NULL || !write_seed(*row, out) || fclose(out) != 0) {
            fprintf(stderr, "%s: error: %s cannot be written\n", argv[0], path);
            return 1;
        }
    }
    return 0;
}
