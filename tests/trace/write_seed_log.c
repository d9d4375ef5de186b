/* write_seed_log.c: the first inputs of the fuzz targets dump, manifest, follow and source (TARGET),
 * into the folder given: the logs of fixtures/, each with what the target wants before it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME(target) #target
#define TEXT(target) NAME(target)

static const char *const logs[] = {"canary.jsonl", "ours.jsonl",       "declared.jsonl",
                                   "quirks.jsonl", "contention.jsonl", "small.jsonl"};

static void write_file(const char *folder, const char *name, const char *before, size_t length,
                       const char *text, size_t text_length)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(before, 1, length, file) != length ||
        fwrite(text, 1, text_length, file) != text_length || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* What stands before a log: lists, nothing, the size of a piece. */
static const char *before(const char *target)
{
    return strcmp(target, "dump") == 0       ? "kernel.*,!log|6,machine,thread:*|Nt*|*\n"
           : strcmp(target, "manifest") == 0 ? ""
                                             : "~";
}

int main(int argc, char **argv)
{
    static const char manifest[] =
        "m{\"version\":1,\"entries\":[{\"tid\":1,\"tid_event_idx\":4,\"site_sid\":"
        "\"00000000000000aa\",\"cs_ptr\":\"0x82a00010\",\"contended\":true}]}";
    const char *folder = argc > 1 ? argv[1] : ".", *target = TEXT(TARGET);
    static char text[1 << 16];
    if (strcmp(target, "source") == 0) {
        write_file(folder, "whole", "", 0, "", 0);
        write_file(folder, "damaged", "\0\1\0\xff\1\x80\1\2", 8, "", 0);
        return 0;
    }
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", FIXTURES, logs[i]);
        FILE *file = fopen(path, "rb");
        size_t length = file ? fread(text, 1, sizeof text, file) : 0;
        if (length == 0) {
            perror(path);
            return 1;
        }
        fclose(file);
        write_file(folder, logs[i], before(target), strlen(before(target)), text, length);
    }
    if (strcmp(target, "manifest") == 0) {
        write_file(folder, "manifest", manifest, sizeof manifest - 1, "", 0);
        write_file(folder, "map", "p6=1,7=2", 8, "", 0);
    }
    return 0;
}
