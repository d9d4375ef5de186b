/* write_seed.c: the first inputs of the fuzz targets `wtr` and `jsonl`, into the folder given. */
#include <stdlib.h>

#include "case.h"
#include "line.h"

static void write_file(const char *folder, const char *name, const void *at, size_t length)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(at, 1, length, file) != length || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    bytes wtr = case_wtr(60, 4, 1);
    line_table table;
    weft_trace_begin begin = {
        .engine = "weft", .build = "0", .title = "t", .profile_digest = "", .digest = ""};
    line_context context = {.table = &table, .begin = &begin};
    out o = {0};
    write_file(folder, "seed.wtr", wtr.at, wtr.length);
    line_table_init(&table);
    line_begin(&o, &context);
    for (uint64_t n = 0; n < 60; n++) {
        weft_event_buffer event;
        case_event(&event, n);
        line_event(&o, &context, &event.head);
    }
    line_end(&o, &context, 59, "");
    write_file(folder, "seed.jsonl", o.bytes, o.used);
    out_free(&o);
    free(wtr.at);
    return 0;
}
