/* Binary traces that somebody has made to hurt: every CRC and digest is right, and what they cover is
 * not. Read from front to back and by the index, such a file is refused or gives events; it never
 * makes the reader crash (tests run under ASan too), nor does the index give an event that no block
 * has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

#include "case.h"
#include "source.h"
#include "wtr.h"

#define EVENTS 150

/* A file taken apart: its header, and each record unpacked. */
typedef struct parts {
    bytes file;
    size_t head; /* bytes before the first record */
    struct part {
        uint8_t type;
        wtr_bytes raw;
    } records[64];
    size_t count;
    char path[32];
} parts;

static int setup(void **state)
{
    parts *p = calloc(1, sizeof *p);
    wtr_packer packer = {0};
    p->file = case_wtr(EVENTS, 40, 1);
    p->head = WTR_HEAD + *(uint8_t *)(p->file.at + 12);
    size_t at = p->head;
    while (at + WTR_TAIL < p->file.length) {
        wtr_record record;
        const uint8_t *header = (const uint8_t *)p->file.at + at;
        assert_true(p->count < 64);
        assert_int_equal(wtr_parse_record(header, &record), 1);
        struct part *part = &p->records[p->count++];
        part->type = record.type;
        assert_null(wtr_unpack(header, &record, header + WTR_RECORD, &part->raw, &packer));
        at += WTR_RECORD + record.stored;
    }
    assert_int_equal(at + WTR_TAIL, p->file.length);
    wtr_packer_end(&packer);
    strcpy(p->path, "/tmp/weft-hostile-XXXXXX");
    close(mkstemp(p->path));
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    parts *p = *state;
    for (size_t i = 0; i < p->count; i++) {
        wtr_bytes_free(&p->records[i].raw);
    }
    unlink(p->path);
    free(p->file.at);
    free(p);
    return 0;
}

/* Puts the file together again, into `out`. */
static void join(const parts *p, wtr_bytes *out)
{
    wtr_packer packer = {0};
    uint64_t footer = 0;
    out->used = 0;
    wtr_put(out, p->file.at, p->head);
    for (size_t i = 0; i < p->count; i++) {
        if (p->records[i].type == WTR_FOOTER && footer == 0) {
            footer = out->used;
        }
        wtr_put_record(out, p->records[i].type, &p->records[i].raw, &packer);
    }
    wtr_put_u64(out, footer);
    wtr_put(out, WTR_TAIL_MAGIC, 8);
    wtr_packer_end(&packer);
}

static void save(const parts *p, const wtr_bytes *file)
{
    FILE *f = fopen(p->path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(file->at, 1, file->used, f), file->used);
    fclose(f);
}

static int check(void *context, size_t window, const weft_trace *trace, const weft_event *event,
                 uint64_t canonical, uint64_t hash)
{
    weft_event_buffer expected;
    (void)window, (void)trace, (void)canonical, (void)hash;
    if (context) {
        assert_true(event->sequence < EVENTS);
        case_event(&expected, event->sequence);
        assert_true(case_equal(event, &expected.head));
    }
    return 1;
}

/* Opens it as a source and asks for all; `exact`: what comes must be the run's events. */
static int opens(const parts *p, const wtr_bytes *file, int exact)
{
    static const weft_trace_window windows[] = {
        {.thread = WEFT_TRACE_ALL, .from = 0, .count = UINT64_MAX},
        {.thread = 0, .from = 0, .count = UINT64_MAX},
        {.thread = 3, .from = 2, .count = 9},
    };
    save(p, file);
    weft_trace_source *s = weft_trace_source_open(p->path, WEFT_CANON_OWN, NULL);
    int good = !weft_trace_source_failed(s, NULL) &&
               weft_trace_source_fetch(s, windows, 3, check, exact ? s : NULL);
    weft_trace_source_close(s);
    return good;
}

/* Reads it from front to back; 1 where it is whole. */
static int reads(const wtr_bytes *file)
{
    weft_trace *t = case_open(file->at, file->used);
    while (weft_trace_next(t)) {
    }
    int good = !weft_trace_failed(t, NULL) && weft_trace_info_of(t)->complete;
    weft_trace_close(t);
    return good;
}

static struct part *first_of(parts *p, uint8_t type)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->records[i].type == type) {
            return &p->records[i];
        }
    }
    return NULL;
}

static void file_put_together_again_is_good(void **state)
{
    wtr_bytes file = {0};
    join(*state, &file);
    assert_int_equal(opens(*state, &file, 1), 1);
    assert_int_equal(reads(&file), 1);
    wtr_bytes_free(&file);
}

/* Every byte of the footer as 0, as 255 (a number that goes on), and one more: counts that are huge,
 * offsets out of the file, threads that are not there, identities that stand twice. */
static void footer_with_any_byte_changed_gives_no_wrong_event(void **state)
{
    parts *p = *state;
    wtr_bytes file = {0};
    struct part *footer = first_of(p, WTR_FOOTER);
    int refused = 0;
    for (size_t i = 1; i < footer->raw.used; i++) {
        uint8_t was = footer->raw.at[i], other[3] = {0, 255, (uint8_t)(was + 1)};
        for (int k = 0; k < 3; k++) {
            footer->raw.at[i] = other[k];
            join(p, &file);
            refused += !opens(p, &file, 1);
            reads(&file);
        }
        footer->raw.at[i] = was;
    }
    assert_true(refused > 500);
    wtr_bytes_free(&file);
}

static void footer_of_any_length_is_no_danger(void **state)
{
    parts *p = *state;
    wtr_bytes file = {0};
    struct part *footer = first_of(p, WTR_FOOTER);
    size_t whole = footer->raw.used;
    for (footer->raw.used = 1; footer->raw.used < whole; footer->raw.used++) {
        join(p, &file);
        assert_int_equal(opens(p, &file, 1), 0);
        assert_int_equal(reads(&file), 0);
    }
    wtr_bytes_free(&file);
}

/* The tail points to the file's middle, to its end, and far behind it. */
static void tail_that_points_elsewhere_is_refused(void **state)
{
    parts *p = *state;
    wtr_bytes file = {0};
    join(p, &file);
    uint64_t places[] = {0,         p->head,    file.used - WTR_TAIL,
                         file.used, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        file.used -= WTR_TAIL;
        wtr_put_u64(&file, places[i]);
        wtr_put(&file, WTR_TAIL_MAGIC, 8);
        assert_int_equal(opens(p, &file, 1), 0);
        assert_int_equal(reads(&file), 0);
    }
    wtr_bytes_free(&file);
}

/* A block whose bytes were changed and whose digest was made anew: bytes 24 to 39 of it. */
static void block_with_any_byte_changed_is_no_danger(void **state)
{
    parts *p = *state;
    wtr_bytes file = {0};
    for (size_t n = 0; n < p->count; n++) {
        struct part *block = &p->records[n];
        if (block->type != WTR_BLOCK || n > 8) {
            continue;
        }
        for (size_t i = 40; i < block->raw.used; i++) {
            uint8_t was = block->raw.at[i], digest[16];
            memcpy(digest, block->raw.at + 24, 16);
            for (int k = 0; k < 2; k++) {
                uint64_t chain[2];
                block->raw.at[i] = k ? (uint8_t)(was ^ 0x80) : (uint8_t)(was + 1);
                memcpy(chain, block->raw.at + 8, 16);
                wtr_chain_on(chain, block->raw.at + 40, block->raw.used - 40);
                memcpy(block->raw.at + 24, chain, 16);
                join(p, &file);
                assert_int_equal(reads(&file), 0); /* the footer has the chain too */
                if (i % 5 == 0) {
                    opens(p, &file, 0);
                }
            }
            block->raw.at[i] = was;
            memcpy(block->raw.at + 24, digest, 16);
        }
    }
    wtr_bytes_free(&file);
}

/* Kind 0 says that an event repeats an earlier one, the byte behind it which: of this class or another,
 * with names or without, or one that is not there. The kinds stand within the first bytes. */
static void block_that_repeats_any_event_is_no_danger(void **state)
{
    parts *p = *state;
    wtr_bytes file = {0};
    struct part *block = first_of(p, WTR_BLOCK);
    for (size_t i = 56; i < 100; i++) {
        uint8_t was[2], digest[16];
        memcpy(was, block->raw.at + i, 2);
        memcpy(digest, block->raw.at + 24, 16);
        for (int k = 0; k < 6; k++) {
            uint64_t chain[2];
            block->raw.at[i] = (uint8_t)(k & 1); /* odd or not */
            block->raw.at[i + 1] = (uint8_t)(k / 2);
            memcpy(chain, block->raw.at + 8, 16);
            wtr_chain_on(chain, block->raw.at + 40, block->raw.used - 40);
            memcpy(block->raw.at + 24, chain, 16);
            join(p, &file);
            reads(&file);
            opens(p, &file, 0);
        }
        memcpy(block->raw.at + i, was, 2);
        memcpy(block->raw.at + 24, digest, 16);
    }
    wtr_bytes_free(&file);
}

/* The canonical chain behind the block, bytes 48 to 55: found by whoever hashes its events, though
 * the digest of the bytes is right. */
static void canonical_chain_that_is_none_is_found(void **state)
{
    parts *p = *state;
    wtr_bytes file = {0};
    struct part *block = first_of(p, WTR_BLOCK);
    uint64_t chain[2];
    block->raw.at[48] ^= 1;
    memcpy(chain, block->raw.at + 8, 16);
    wtr_chain_on(chain, block->raw.at + 40, block->raw.used - 40);
    memcpy(block->raw.at + 24, chain, 16);
    join(p, &file);
    assert_int_equal(opens(p, &file, 1), 0);
    block->raw.at[48] ^= 1;
    wtr_bytes_free(&file);
}

static void texts_with_any_byte_changed_are_no_danger(void **state)
{
    parts *p = *state;
    wtr_bytes file = {0};
    struct part *names = first_of(p, WTR_NAMES);
    assert_non_null(names);
    for (size_t i = 0; i < names->raw.used; i++) {
        uint8_t was = names->raw.at[i];
        names->raw.at[i] = 255;
        join(p, &file);
        opens(p, &file, 1);
        names->raw.at[i] = was;
    }
    wtr_bytes_free(&file);
}

/* A footer in parts that never end: each says that more follow. */
static void footer_without_a_last_part_is_refused(void **state)
{
    parts *p = *state;
    wtr_bytes file = {0};
    struct part *footer = first_of(p, WTR_FOOTER);
    footer->raw.at[0] = 1;
    join(p, &file);
    assert_int_equal(opens(p, &file, 1), 0);
    assert_int_equal(reads(&file), 0);
    footer->raw.at[0] = 0;
    wtr_bytes_free(&file);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(file_put_together_again_is_good),
        CASE(footer_with_any_byte_changed_gives_no_wrong_event),
        CASE(footer_of_any_length_is_no_danger),
        CASE(tail_that_points_elsewhere_is_refused),
        CASE(block_with_any_byte_changed_is_no_danger),
        CASE(block_that_repeats_any_event_is_no_danger),
        CASE(canonical_chain_that_is_none_is_found),
        CASE(texts_with_any_byte_changed_are_no_danger),
        CASE(footer_without_a_last_part_is_refused),
    };
    return cmocka_run_group_tests_name("trace-wtr-hostile", tests, NULL, NULL);
}
