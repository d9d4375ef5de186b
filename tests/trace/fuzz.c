/* fuzz.c: any bytes as a trace: read to the end, each event digested, or refused. Text is read by
 * both of its parsers, which must agree.
 *
 * A block's or a footer's checksums keep random bytes out, so these come without: a first byte of 1 is
 * followed by a block as docs/trace.md has it, 2 by a footer's content; a block's digest is made
 * right here. */
#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "wtr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(const uint8_t *data, size_t size)
{
    FILE *file = fmemopen((void *)(uintptr_t)data, size, "rb");
    if (!file) {
        return;
    }
    weft_trace *trace = weft_trace_from(file, "fuzz"), *plain = NULL;
    if (!trace->binary) {
        plain = weft_trace_from(fmemopen((void *)(uintptr_t)data, size, "rb"), "fuzz");
        jsonl_plain(plain);
    }
    weft_trace_digest *digest = weft_trace_digest_new();
    weft_canon *canon = weft_canon_new(WEFT_CANON_OWN);
    const weft_event *event;
    char hex[33], room[16];
    uint64_t hash;
    while ((event = weft_trace_next(trace)) != NULL) {
        weft_trace_digest_add(digest, event);
        weft_canon_add(canon, trace, event, &hash);
        weft_trace_kind(trace, event, room);
        const weft_event *other = plain ? weft_trace_next(plain) : event;
        if (!other || event->size != other->size || memcmp(event, other, event->size) != 0) {
            abort();
        }
    }
    if (plain && (weft_trace_next(plain) || strcmp(plain->error, trace->error) != 0)) {
        abort();
    }
    weft_trace_close(plain);
    weft_trace_digest_end(digest, hex);
    weft_canon_free(canon);
    weft_trace_close(trace);
}

static void read_block(const uint8_t *data, size_t size)
{
    canon_kind kinds[WEFT_EVENT_KIND_END];
    wtr_group group = {0};
    wtr_bytes raw = {0};
    wtr_block block;
    wtr_put(&raw, data, size);
    if (raw.used >= 40) {
        uint64_t chain[2];
        memcpy(chain, raw.at + 8, sizeof chain);
        wtr_chain_on(chain, raw.at + 40, raw.used - 40);
        memcpy(raw.at + 24, chain, sizeof chain);
    }
    canon_own_kinds(kinds);
    wtr_block_read(&group, kinds, &raw, 0, &block);
    wtr_block_read(&group, kinds, &raw, 1, &block);
    wtr_group_sort(&group);
    wtr_group_end(&group);
    wtr_bytes_free(&raw);
}

static void read_footer(const uint8_t *data, size_t size)
{
    wtr_footer footer = {0};
    wtr_bytes raw = {0};
    wtr_put(&raw, data, size);
    wtr_footer_read(&footer, &raw, UINT64_C(1) << 20);
    wtr_footer_end(&footer);
    wtr_bytes_free(&raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1 && data[0] == 1) {
        read_block(data + 1, size - 1);
    } else if (size > 1 && data[0] == 2) {
        read_footer(data + 1, size - 1);
    } else if (size > 0) {
        read_file(data, size);
    }
    return 0;
}
