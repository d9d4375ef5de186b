/* write_seed.c: the first inputs of the fuzz targets `wtr` and `jsonl`, into the folder given. */
#include <stdlib.h>

#include "case.h"
#include "line.h"
#include "wtr.h"

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

/* The first record of a type, unpacked, behind the byte that fuzz.c knows it by. */
static void write_record(const char *folder, const char *name, const bytes *file, uint8_t type)
{
    wtr_packer packer = {0};
    wtr_bytes raw = {0}, seed = {0};
    const uint8_t *at = (const uint8_t *)file->at + WTR_HEAD + (uint8_t)file->at[12];
    wtr_record record;
    while (wtr_parse_record(at, &record) && record.type != type) {
        at += WTR_RECORD + record.stored;
    }
    if (wtr_unpack(at, &record, at + WTR_RECORD, &raw, &packer)) {
        exit(1);
    }
    wtr_put(&seed, &(uint8_t){type == WTR_BLOCK ? 1 : 2}, 1);
    wtr_put(&seed, raw.at + (type == WTR_FOOTER), raw.used - (type == WTR_FOOTER));
    write_file(folder, name, seed.at, seed.used);
    wtr_bytes_free(&raw);
    wtr_bytes_free(&seed);
    wtr_packer_end(&packer);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    bytes wtr = case_wtr(60, 4, 1), large = case_wtr(500, 500, 1);
    line_table table;
    weft_trace_begin begin = {
        .engine = "weft", .build = "0", .title = "t", .profile_digest = "", .digest = ""};
    line_context context = {.table = &table, .begin = &begin};
    out o = {0};
    write_file(folder, "seed.wtr", wtr.at, wtr.length);
    write_record(folder, "seed.block", &large, WTR_BLOCK);
    write_record(folder, "seed.footer", &large, WTR_FOOTER);
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
    free(large.at);
    return 0;
}
