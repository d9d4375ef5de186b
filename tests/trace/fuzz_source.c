/* fuzz_source.c: a small whole trace, damaged where checksums would hide it, and then looked things up
 * in. Each four bytes of the input change one byte: 0: of the footer as unpacked, 1: of the file
 * before it, 2: cut the footer; two bytes of place; the value. Checksums are made right again. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "case.h"
#include "source.h"
#include "wtr.h"

#define EVENTS 60

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t word_at(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Where the footer's record begins; `fix`: with each record's CRC made right on the way. */
static size_t walk(bytes *file, int fix)
{
    size_t at = WTR_HEAD + word_at((uint8_t *)file->at + 12);
    for (;;) {
        uint8_t *record = (uint8_t *)file->at + at;
        if (at + WTR_RECORD > file->length || record[4] == WTR_FOOTER) {
            return at;
        }
        size_t stored = word_at(record + 12);
        if (stored > file->length - at - WTR_RECORD) {
            return at;
        }
        if (fix) {
            uLong crc = crc32(crc32(0, record, 16), record + WTR_RECORD, (uInt)stored);
            for (int i = 0; i < 4; i++) {
                record[16 + i] = (uint8_t)(crc >> 8 * i);
            }
        }
        at += WTR_RECORD + stored;
    }
}

static void damage(bytes *file, size_t footer, wtr_bytes *raw, const uint8_t *data, size_t size)
{
    for (; size >= 4; data += 4, size -= 4) {
        size_t at = data[1] | (size_t)data[2] << 8;
        if (data[0] % 3 == 0 && raw->used > 1) {
            raw->at[1 + at % (raw->used - 1)] = data[3];
        } else if (data[0] % 3 == 1) {
            file->at[WTR_HEAD + at % (footer - WTR_HEAD)] = (char)data[3];
        } else if (raw->used > 1) {
            raw->used = 1 + at % raw->used;
        }
    }
}

static int see(void *context, size_t window, const weft_trace *trace, const weft_event *event,
               uint64_t canonical, uint64_t hash)
{
    char room[16];
    weft_trace_kind(trace, event, room);
    return ++*(int *)context < 4 * EVENTS;
}

static int look_up(const char *path, int mode)
{
    weft_trace_source *source = weft_trace_source_open(path, mode, NULL);
    const weft_trace_summary *summary = weft_trace_source_summary(source);
    int seen = 0, good = !weft_trace_source_failed(source, NULL);
    for (size_t i = 0; good && i < summary->thread_count && i < 8; i++) {
        weft_trace_window windows[2] = {{i, 0, 3}, {i, summary->threads[i].canonical / 2, 5}};
        weft_trace_source_fetch(source, windows, 2, see, &seen);
    }
    weft_trace_window all = {WEFT_TRACE_ALL, 10, EVENTS};
    if (good) {
        weft_trace_source_fetch(source, &all, 1, see, &seen);
    }
    weft_trace_source_close(source);
    return good && seen > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bytes whole; /* made once: it takes most of the time */
    whole = whole.at ? whole : case_wtr(EVENTS, 16, 1);
    bytes file = {malloc(whole.length), whole.length};
    memcpy(file.at, whole.at, whole.length);
    wtr_bytes raw = {0}, end = {0};
    wtr_packer packer = {0};
    wtr_record record;
    size_t footer = walk(&file, 0);
    const uint8_t *head = (const uint8_t *)file.at + footer;
    if (!wtr_parse_record(head, &record) ||
        wtr_unpack(head, &record, head + WTR_RECORD, &raw, &packer)) {
        abort();
    }
    damage(&file, footer, &raw, data, size);
    walk(&file, 1);
    wtr_put_record(&end, WTR_FOOTER, &raw, &packer);
    wtr_put_u64(&end, footer);
    wtr_put(&end, WTR_TAIL_MAGIC, 8);
    char path[64];
    int to = memfd_create("fuzz", 0);
    if (write(to, file.at, footer) != (ssize_t)footer ||
        write(to, end.at, end.used) != (ssize_t)end.used) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", to);
    if (!look_up(path, size % 2 ? WEFT_CANON_SHARED : WEFT_CANON_OWN) && size < 4) {
        abort(); /* nothing was damaged */
    }
    close(to);
    wtr_bytes_free(&raw);
    wtr_bytes_free(&end);
    wtr_packer_end(&packer);
    free(file.at);
    return 0;
}
