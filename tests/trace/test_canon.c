/* The canonical form (docs/trace.md, "Canonical form"). Hashes were made with xxhsum 0.8.1 (-H3, -H2)
 * over bytes that a script wrote down from the document's words, not by the code under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "canon.h"

/* Identities: FNV-1a of the texts behind them. */
#define MAIN     UINT64_C(0xdc23bb5e7f5288f4) /* thread:main */
#define VBLANK   UINT64_C(0x797a196a199b9be6) /* source:vblank */
#define NT_CLOSE UINT64_C(0xa28eeda7ba90b557) /* xboxkrnl.exe!NtClose(handle)#207 */
#define ALLOC    UINT64_C(0x38bd937cf51aa359) /* alloc:thread:main/82001234/0 */
#define OBJECT   UINT64_C(0x2fe706851317ba36) /* event:main@title.xex+0x12f4#0 */

static void alloc_of(weft_event_buffer *e, uint64_t id, uint64_t address, uint64_t size,
                     uint64_t alias)
{
    weft_event_begin(e, WEFT_EVENT_MEMORY_ALLOC);
    e->head.thread = MAIN;
    weft_event_word(e, id);
    weft_event_word(e, address);
    weft_event_word(e, size);
    weft_event_word(e, alias);
    weft_event_word(e, 0x82001234);
    weft_event_word(e, 0);
    weft_event_text(e, "pool", 4);
}

static void return_of(weft_event_buffer *e, uint64_t value)
{
    weft_event_begin(e, WEFT_EVENT_KERNEL_RETURN);
    e->head.thread = MAIN;
    weft_event_word(e, NT_CLOSE);
    weft_event_word(e, value);
}

static uint64_t add(weft_canon *c, const weft_event_buffer *e)
{
    uint64_t hash = 0;
    assert_int_equal(weft_canon_add(c, NULL, &e->head, &hash), 1);
    return hash;
}

static void add_alloc(weft_canon *c, uint64_t id, uint64_t address, uint64_t size, uint64_t alias)
{
    weft_event_buffer e;
    alloc_of(&e, id, address, size, alias);
    add(c, &e);
}

static void add_free(weft_canon *c, uint64_t id)
{
    weft_event_buffer e;
    weft_event_begin(&e, WEFT_EVENT_MEMORY_FREE);
    weft_event_word(&e, id);
    weft_event_word(&e, 0);
    add(c, &e);
}

static void add_handle(weft_canon *c, uint64_t id, uint64_t raw)
{
    weft_event_buffer e;
    weft_event_begin(&e, WEFT_EVENT_HANDLE_CREATE);
    weft_event_word(&e, id);
    weft_event_word(&e, 0);
    weft_event_word(&e, raw);
    add(c, &e);
}

static void close_handle(weft_canon *c, uint64_t id, uint64_t raw)
{
    weft_event_buffer e;
    weft_event_begin(&e, WEFT_EVENT_HANDLE_DESTROY);
    weft_event_word(&e, id);
    weft_event_word(&e, raw);
    weft_event_word(&e, 1);
    add(c, &e);
}

static void expect_name(const weft_canon *c, uint64_t word, uint64_t name, uint64_t base)
{
    uint64_t found_name = 0, found_base = 0;
    assert_int_equal(weft_canon_name(c, word, &found_name, &found_base), 1);
    assert_int_equal(found_name, name);
    assert_int_equal(found_base, base);
}

static void expect_none(const weft_canon *c, uint64_t word)
{
    uint64_t name, base;
    assert_int_equal(weft_canon_name(c, word, &name, &base), 0);
}

/* The example of docs/trace.md. */
static void worked_example_gives_the_documents_numbers(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    weft_canon_chains *chains = weft_canon_chains_new();
    weft_event_buffer e;
    char hex[33];
    uint64_t chain = 0, hash;

    alloc_of(&e, ALLOC, 0x40001000, 0x100, 0);
    hash = add(c, &e);
    assert_int_equal(hash, UINT64_C(0x06d7c62f0a4d2526));
    weft_canon_chains_add(chains, MAIN, hash);
    chain = weft_canon_chain(chain, hash);
    assert_int_equal(chain, UINT64_C(0x5af4b0b4eace0c20));

    weft_event_begin(&e, WEFT_EVENT_KERNEL_CALL);
    weft_event_word(&e, NT_CLOSE);
    weft_event_array(&e, (const uint64_t[]){0x40001010, 5}, 2);
    weft_event_text(&e, "", 0);
    hash = add(c, &e);
    assert_int_equal(hash, UINT64_C(0x3eeab80fb4092f85));
    weft_canon_chains_add(chains, MAIN, hash);
    chain = weft_canon_chain(chain, hash);
    assert_int_equal(chain, UINT64_C(0xbe7ce774ab823726));

    return_of(&e, 0x40001100); /* one behind the last byte */
    hash = add(c, &e);
    assert_int_equal(hash, UINT64_C(0x79b0f8029f0f2102));
    weft_canon_chains_add(chains, MAIN, hash);
    assert_int_equal(weft_canon_chain(chain, hash), UINT64_C(0xeb5d4601074a7884));
    weft_canon_chains_digest(chains, hex);
    assert_string_equal(hex, "2be62ce1be06b031f25f7e74f2e619e2");

    weft_event_begin(&e, WEFT_EVENT_SOURCE_FIRE);
    weft_event_word(&e, 0);
    hash = add(c, &e);
    assert_int_equal(hash, UINT64_C(0x84e3cb3217b0b065));
    weft_canon_chains_add(chains, VBLANK, hash);
    weft_canon_chains_digest(chains, hex); /* vblank's identity is the lower one */
    assert_string_equal(hex, "a3ebf632e37ce770d794f4debd6d7f75");
    weft_canon_chains_free(chains);
    weft_canon_free(c);
}

/* XXH3-128 of no bytes. */
static void digest_of_no_threads_is_that_of_no_bytes(void **state)
{
    char hex[33];
    weft_canon_chains *chains = weft_canon_chains_new();
    weft_canon_chains_digest(chains, hex);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
    weft_canon_chains_free(chains);
}

static void handle_stands_for_its_object_while_it_is_open(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    weft_event_buffer e;
    return_of(&e, 0xF8000004);
    assert_int_equal(add(c, &e), UINT64_C(0x4b480b926bff1ab4));
    add_handle(c, OBJECT, 0xF8000004);
    assert_int_equal(add(c, &e), UINT64_C(0xe05c64812c639d8a));
    expect_none(c, 0xF8000005); /* no offset into a handle */
    close_handle(c, OBJECT, 0xF8000004);
    assert_int_equal(add(c, &e), UINT64_C(0x4b480b926bff1ab4));
    weft_canon_free(c);
}

static void handle_given_out_again_stands_for_the_new_object(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    add_handle(c, OBJECT, 0xF8000004);
    add_handle(c, OBJECT + 1, 0xF8000004);
    expect_name(c, 0xF8000004, OBJECT + 1, 0xF8000004);
    weft_canon_free(c);
}

/* Words of the created event but for the raw handle: 8, identity, 0. */
static void field_with_a_tilde_does_not_count(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    weft_event_buffer e;
    for (uint64_t raw = 0; raw < 2; raw++) {
        weft_event_begin(&e, WEFT_EVENT_HANDLE_CREATE);
        weft_event_word(&e, OBJECT);
        weft_event_word(&e, 0);
        weft_event_word(&e, raw);
        assert_int_equal(add(c, &e), UINT64_C(0xf6b9cfd652c57999));
    }
    weft_canon_free(c);
}

static void alias_names_the_same_bytes(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    weft_event_buffer e;
    add_alloc(c, ALLOC, 0xA0000000, 0x100, 0x10000);
    return_of(&e, 0xA00000FF);
    assert_int_equal(add(c, &e), UINT64_C(0xbb3c94ab9a4be693));
    return_of(&e, 0x100FF);
    assert_int_equal(add(c, &e), UINT64_C(0xbb3c94ab9a4be693));
    expect_none(c, 0x10100);
    add_free(c, ALLOC);
    expect_none(c, 0xA0000000);
    expect_none(c, 0x10000);
    weft_canon_free(c);
}

static void alias_that_overlaps_its_own_range_is_none(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    add_alloc(c, ALLOC, 0x40000000, 0x100, 0x400000FF);
    expect_name(c, 0x400000FF, ALLOC, 0x40000000);
    expect_none(c, 0x40000100);
    weft_canon_free(c);
}

static void small_values_are_never_names(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    add_alloc(c, ALLOC, 0, 0x20000, 0);
    add_handle(c, OBJECT, 0x1000);
    expect_none(c, 0x1000);
    expect_none(c, 0xFFFF);
    expect_name(c, 0x10000, ALLOC, 0);
    weft_canon_free(c);
}

/* The new allocation has the older one's last byte: all of the older is over, and its alias. */
static void later_allocation_ends_the_older_at_its_place(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    add_alloc(c, 1, 0x40000000, 0x1000, 0xA0000000);
    add_alloc(c, 2, 0x50000000, 0x1000, 0);
    add_alloc(c, 3, 0x40000FFF, 0x10, 0);
    expect_none(c, 0x40000000);
    expect_none(c, 0xA0000000);
    expect_name(c, 0x40000FFF, 3, 0x40000FFF);
    expect_name(c, 0x50000FFF, 2, 0x50000000);
    add_free(c, 1); /* over already: changes nothing */
    expect_name(c, 0x4000100E, 3, 0x40000FFF);
    weft_canon_free(c);
}

static void allocation_of_no_bytes_names_nothing(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    add_alloc(c, 1, 0x40000000, 0, 0);
    expect_none(c, 0x40000000);
    add_alloc(c, 2, UINT64_MAX - 1, 100, 0); /* reaches the end of all addresses, and no further */
    expect_name(c, UINT64_MAX, 2, UINT64_MAX - 1);
    expect_none(c, 0x10000);
    weft_canon_free(c);
}

static void engine_kinds_and_other_classes_have_no_form(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    weft_event_buffer e;
    uint64_t hash;
    assert_true(weft_event_kind_of(WEFT_EVENT_CONTENTION_OBSERVED)->flags & WEFT_KIND_ENGINE);
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        const weft_event_kind *row = weft_event_kind_of(kind);
        weft_event_begin(&e, kind);
        int expected = row->category == WEFT_CLASS_GUEST && !(row->flags & WEFT_KIND_ENGINE);
        assert_int_equal(weft_canon_add(c, NULL, &e.head, &hash), expected);
    }
    weft_canon_free(c);
}

static void payload_off_its_row_counts_word_by_word(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    weft_event_buffer e;
    weft_event_begin(&e, WEFT_EVENT_KERNEL_RETURN);
    weft_event_word(&e, NT_CLOSE); /* and no return_value */
    assert_int_equal(add(c, &e), UINT64_C(0x0ab60e9d7e4b2779));
    weft_event_begin(&e, 999);
    e.head.category = WEFT_CLASS_GUEST;
    weft_event_word(&e, 7);
    weft_event_word(&e, 8);
    assert_int_equal(add(c, &e), UINT64_C(0x63358507a370805b));
    weft_canon_free(c);
}

static void clone_goes_on_by_itself(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    add_alloc(c, 1, 0x40000000, 0x1000, 0);
    add_handle(c, OBJECT, 0xF8000004);
    weft_canon *d = weft_canon_clone(c);
    add_free(c, 1);
    close_handle(d, OBJECT, 0xF8000004);
    expect_none(c, 0x40000000);
    expect_name(d, 0x40000000, 1, 0x40000000);
    expect_name(c, 0xF8000004, OBJECT, 0xF8000004);
    expect_none(d, 0xF8000004);
    weft_canon_free(c);
    weft_canon_free(d);
}

/* The same event, said again while its word comes to mean something and no longer does. */
static void form_follows_what_its_words_mean_now(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    weft_event_buffer e;
    uint32_t count;
    const uint8_t *fields;
    return_of(&e, 0x40000010);
    uint64_t plain = add(c, &e);
    assert_int_equal(add(c, &e), plain);
    add_alloc(c, ALLOC, 0x40000000, 0x1000, 0);
    uint64_t named = add(c, &e);
    /* canonical words: kind, export, then the p as (name, offset) */
    const uint64_t words[] = {WEFT_EVENT_KERNEL_RETURN, NT_CLOSE, ALLOC, 0x10};
    for (int again = 0; again < 2; again++) {
        assert_int_equal(add(c, &e), named);
        assert_memory_equal(weft_canon_words(c, &fields, &count), words, sizeof words);
        assert_int_equal(count, 4);
    }
    assert_true(named != plain);
    add_free(c, ALLOC);
    assert_int_equal(add(c, &e), plain);
    add_handle(c, OBJECT, 0x40000010);
    assert_true(add(c, &e) != plain && add(c, &e) != named);
    close_handle(c, OBJECT, 0x40000010);
    assert_int_equal(add(c, &e), plain);
    weft_canon_free(c);
}

/* The rule once more, as plainly as it can be said: a list, searched from the front. */
typedef struct model {
    struct {
        uint64_t id, address, size, alias;
    } all[4096];
    size_t count;
} model;

static int touches(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

static void model_alloc(model *m, uint64_t id, uint64_t address, uint64_t size, uint64_t alias)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        uint64_t of[2] = {m->all[i].address, m->all[i].alias};
        int over = m->all[i].id == id;
        for (int k = 0; k < (of[1] ? 2 : 1); k++) {
            over |= touches(of[k], m->all[i].size, address, size);
            over |= alias && touches(of[k], m->all[i].size, alias, size);
        }
        if (!over) {
            m->all[kept++] = m->all[i];
        }
    }
    m->count = kept;
    m->all[m->count].id = id;
    m->all[m->count].address = address;
    m->all[m->count].size = size;
    m->all[m->count++].alias = alias;
}

static void model_free(model *m, uint64_t id)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->all[i].id == id) {
            m->all[i] = m->all[--m->count];
            return;
        }
    }
}

static int model_find(const model *m, uint64_t word, uint64_t *name, uint64_t *base)
{
    for (size_t i = 0; i < m->count; i++) {
        uint64_t of[2] = {m->all[i].address, m->all[i].alias};
        for (int k = 0; k < (of[1] ? 2 : 1); k++) {
            if (word >= of[k] && word - of[k] < m->all[i].size) {
                *name = m->all[i].id;
                *base = of[k];
                return 1;
            }
        }
    }
    return 0;
}

/* 6,000 steps over some hundreds of live allocations, which is many leaves; every look-up is made
 * through an event's hash too, which may answer from what it kept. */
static void many_allocations_are_found_like_in_a_plain_list(void **state)
{
    weft_canon *c = weft_canon_new(WEFT_CANON_OWN);
    model *m = calloc(1, sizeof *m);
    uint64_t random = 1, found = 0;
    for (int step = 0; step < 6000; step++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t id = 1 + (random >> 20) % 1500;
        uint64_t address = 0x100000 + ((random >> 33) % 60000) * 16;
        uint64_t alias = random >> 60 == 0 ? 0xA0000000 + address : 0;
        if (random >> 62 == 3) {
            model_free(m, id);
            add_free(c, id);
        } else {
            uint64_t size = 1 + (random >> 12) % 200;
            model_alloc(m, id, address, size, alias);
            add_alloc(c, id, address, size, alias);
        }
        for (int i = 0; i < 4; i++) {
            uint64_t word = 0x100000 + (random >> (7 + 8 * i)) % 960000, name = 0, base = 0;
            weft_event_buffer e, plain;
            uint64_t hash, expected;
            int named = model_find(m, word, &name, &base);
            uint64_t got_name = 0, got_base = 0;
            assert_int_equal(weft_canon_name(c, word, &got_name, &got_base), named);
            assert_true(!named || (got_name == name && got_base == base));
            found += (uint64_t)named;
            /* A payload of three words does not fit the row of two, and counts as it stands. */
            return_of(&e, word);
            hash = add(c, &e);
            weft_event_begin(&plain, 5);
            plain.head.category = WEFT_CLASS_GUEST;
            weft_event_word(&plain, NT_CLOSE);
            weft_event_word(&plain, name);
            weft_event_word(&plain, word - base);
            expected = add(c, &plain);
            assert_int_equal(hash, expected);
        }
    }
    assert_true(m->count > 300);
    assert_true(found > 500);
    free(m);
    weft_canon_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example_gives_the_documents_numbers),
        cmocka_unit_test(digest_of_no_threads_is_that_of_no_bytes),
        cmocka_unit_test(handle_stands_for_its_object_while_it_is_open),
        cmocka_unit_test(handle_given_out_again_stands_for_the_new_object),
        cmocka_unit_test(field_with_a_tilde_does_not_count),
        cmocka_unit_test(alias_names_the_same_bytes),
        cmocka_unit_test(alias_that_overlaps_its_own_range_is_none),
        cmocka_unit_test(small_values_are_never_names),
        cmocka_unit_test(later_allocation_ends_the_older_at_its_place),
        cmocka_unit_test(allocation_of_no_bytes_names_nothing),
        cmocka_unit_test(engine_kinds_and_other_classes_have_no_form),
        cmocka_unit_test(payload_off_its_row_counts_word_by_word),
        cmocka_unit_test(clone_goes_on_by_itself),
        cmocka_unit_test(form_follows_what_its_words_mean_now),
        cmocka_unit_test(many_allocations_are_found_like_in_a_plain_list),
    };
    return cmocka_run_group_tests_name("trace-canon", tests, NULL, NULL);
}
