/* A JSONL trace holds everything that the trace_digest covers: each line's canonical bytes are
 * rebuilt from its text alone (rebuild.c) and compared with the event that went in. */
#include <xxhash.h>

#include "rebuild.h"
#include "trace.h"
#include "trace_case.h"

/* xorshift64* (Vigna 2014): enough for test payloads. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(0x2545f4914f6cdd1d);
}

/* Large, small and boundary values in equal parts. */
static uint64_t random_value(uint64_t *seed)
{
    uint64_t value = next_random(seed);
    switch (next_random(seed) >> 60) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return (UINT64_C(1) << 53) + 1; /* the first that a double cannot hold */
    case 3:
        return UINT64_C(1) << 63;
    default:
        return value >> (value & 63);
    }
}

static void random_text(weft_event_buffer *event, uint64_t *seed)
{
    char bytes[40];
    size_t length = next_random(seed) % sizeof bytes;
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (char)(next_random(seed) >> 56);
    }
    weft_event_text(event, bytes, length);
}

/* An event of the kind with a payload that its row allows. */
static void random_event(weft_event_buffer *event, const weft_event_kind *kind, uint64_t *seed)
{
    trace_start(event, kind->number);
    event->head.hw = (uint8_t)(next_random(seed) % 7 == 6 ? WEFT_HW_NONE : next_random(seed) % 6);
    event->head.thread = next_random(seed);
    event->head.index = random_value(seed);
    event->head.tick = random_value(seed);
    event->head.sequence = random_value(seed);
    for (const char *at = kind->fields; (at = strchr(at, ':')); at++) {
        uint64_t values[6];
        uint32_t count = (uint32_t)(next_random(seed) % 7);
        for (uint32_t i = 0; i < 6; i++) {
            values[i] = random_value(seed);
        }
        if (at[1] == 's') {
            random_text(event, seed);
        } else if (strchr("UXDP", at[1])) {
            weft_event_array(event, values, count);
        } else {
            weft_event_word(event, values[0]);
        }
    }
}

/* Canonical words as weft/event.h describes them. */
static int canonical(const weft_event_buffer *event, uint64_t words[REBUILD_MAX_WORDS])
{
    int payload = (int)((event->head.size - sizeof event->head) / 8);
    words[0] = event->head.kind;
    words[1] = event->head.hw;
    words[2] = event->head.thread;
    words[3] = event->head.index;
    words[4] = event->head.tick;
    memcpy(words + 5, event->words, (size_t)payload * 8);
    return 5 + payload;
}

/* The same through sdk/trace, which `weft trace` reads with. */
static int read_line(const char *line, uint64_t words[REBUILD_MAX_WORDS])
{
    static const char header[] = "{\"schema_version\":1,\"engine\":\"weft\",\"kind\":"
                                 "\"schema_version\",\"payload\":{\"version\":1}}\n";
    size_t length = strlen(line), total = sizeof header - 1 + length + 1;
    char *text = malloc(total);
    weft_event_buffer event;
    memcpy(text, header, sizeof header - 1);
    memcpy(text + sizeof header - 1, line, length);
    text[total - 1] = '\n';
    weft_trace *trace = weft_trace_from(fmemopen(text, total, "rb"), "line");
    const weft_event *read = weft_trace_next(trace);
    int count = -1;
    if (read && read->size <= sizeof event) {
        memcpy(&event, read, read->size);
        count = canonical(&event, words);
    }
    weft_trace_close(trace);
    free(text);
    return count;
}

static void expect_rebuilt(const char *line, const weft_event_buffer *event)
{
    uint64_t expected[REBUILD_MAX_WORDS], rebuilt[REBUILD_MAX_WORDS];
    int count = canonical(event, expected);
    if (rebuild_line(line, rebuilt) != count || memcmp(rebuilt, expected, (size_t)count * 8) != 0) {
        fail_msg("not rebuilt: %s", line);
    }
    if (read_line(line, rebuilt) != count || memcmp(rebuilt, expected, (size_t)count * 8) != 0) {
        fail_msg("sdk/trace reads other words: %s", line);
    }
}

/* Writes `count` random events of a kind and rebuilds each from its line. */
static void check_kind(uint16_t number, unsigned count)
{
    trace_case c;
    uint64_t seed = number + 1;
    weft_event_buffer *events = malloc(count * sizeof *events);
    trace_setup(&c);
    trace_open(&c);
    for (unsigned i = 0; i < count; i++) {
        random_event(&events[i], weft_event_kind_of(number), &seed);
        trace_event(&c, &events[i]);
    }
    trace_close(&c, count);
    trace_text(&c);
    char *line = strchr(c.text, '\n') + 1;
    for (unsigned i = 0; i < count; i++) {
        char *end = strchr(line, '\n');
        *end = 0;
        expect_rebuilt(line, &events[i]);
        line = end + 1;
    }
    free(events);
    trace_teardown(&c);
}

static void each_kind_is_rebuilt_from_its_text(void **state)
{
    for (uint16_t number = 1; number < WEFT_EVENT_KIND_END; number++) {
        if (weft_event_kind_of(number)) {
            check_kind(number, 100);
        }
    }
}

static void every_byte_value_survives_a_string(void **state)
{
    trace_case c;
    weft_event_buffer e;
    char bytes[256];
    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)i;
    }
    trace_setup(&c);
    trace_start(&e, WEFT_EVENT_DEBUG_PRINT);
    weft_event_text(&e, bytes, sizeof bytes);
    expect_rebuilt(trace_one(&c, &e), &e);
    trace_teardown(&c);
}

static void call_with_defined_arguments_is_rebuilt(void **state)
{
    trace_case c;
    weft_event_buffer e;
    trace_setup(&c);
    trace_start(&e, WEFT_EVENT_KERNEL_CALL);
    weft_event_word(&e, weft_fnv1a(TRACE_CREATE_FILE, strlen(TRACE_CREATE_FILE)));
    weft_event_array(&e, (const uint64_t[]){UINT64_MAX, 0, 7, 8}, 4);
    weft_event_text(&e, "game:\\media\\a b.txt", 19);
    expect_rebuilt(trace_one(&c, &e), &e);
    trace_teardown(&c);
}

static void payloads_outside_the_table_are_rebuilt(void **state)
{
    static const uint16_t kinds[] = {WEFT_EVENT_KERNEL_RETURN, WEFT_EVENT_KERNEL_RETURN_VOID,
                                     WEFT_EVENT_KERNEL_CALL, WEFT_EVENT_DEBUG_PRINT, 999};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        trace_case c;
        weft_event_buffer e;
        trace_setup(&c);
        trace_start(&e, kinds[i]);
        weft_event_word(&e, 1);
        weft_event_word(&e, 0xff00); /* as a string: one byte, and padding that is not zero */
        weft_event_word(&e, UINT64_MAX);
        expect_rebuilt(trace_one(&c, &e), &e);
        trace_teardown(&c);
    }
}

/* What follows a string's last byte in its word is digested, and no JSON string could hold it. */
static void padding_that_is_not_zero_is_rebuilt(void **state)
{
    trace_case c;
    weft_event_buffer e;
    trace_setup(&c);
    trace_start(&e, WEFT_EVENT_DEBUG_PRINT);
    weft_event_word(&e, 1);
    weft_event_word(&e, 0xff41);
    expect_rebuilt(trace_one(&c, &e), &e);
    trace_teardown(&c);
}

static void longest_event_is_rebuilt(void **state)
{
    static char bytes[WEFT_EVENT_MAX_WORDS * 8];
    trace_case c;
    weft_event_buffer e;
    trace_setup(&c);
    memset(bytes, 0xff, sizeof bytes);
    trace_start(&e, WEFT_EVENT_DEBUG_PRINT);
    weft_event_text(&e, bytes, sizeof bytes); /* cut to fit */
    assert_true(e.head.size > 4000);
    expect_rebuilt(trace_one(&c, &e), &e);
    trace_teardown(&c);
}

/* XXH3-128 over the GUEST events, once from memory and once from the file's text. */
static void text_gives_the_digest_of_the_events(void **state)
{
    trace_case c;
    uint64_t seed = 42, words[REBUILD_MAX_WORDS];
    XXH3_state_t *of_events = XXH3_createState(), *of_text = XXH3_createState();
    XXH3_128bits_reset(of_events);
    XXH3_128bits_reset(of_text);
    trace_setup(&c);
    trace_open(&c);
    for (int i = 0; i < 1000; i++) {
        weft_event_buffer e;
        uint16_t number = (uint16_t)(1 + next_random(&seed) % (WEFT_EVENT_KIND_END - 1));
        random_event(&e, weft_event_kind_of(number), &seed);
        trace_event(&c, &e);
        if (e.head.category == WEFT_CLASS_GUEST) {
            XXH3_128bits_update(of_events, words, (size_t)canonical(&e, words) * 8);
        }
    }
    trace_close(&c, 999);
    trace_text(&c);
    for (char *line = strtok(c.text, "\n"); line; line = strtok(NULL, "\n")) {
        int count = rebuild_line(line, words);
        assert_true(count >= 0);
        if (count > 0 && weft_event_kind_of((uint16_t)words[0])->category == WEFT_CLASS_GUEST) {
            XXH3_128bits_update(of_text, words, (size_t)count * 8);
        }
    }
    XXH128_hash_t a = XXH3_128bits_digest(of_events), b = XXH3_128bits_digest(of_text);
    assert_true(XXH128_isEqual(a, b));
    XXH3_freeState(of_events);
    XXH3_freeState(of_text);
    trace_teardown(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_rebuilt_from_its_text),
        cmocka_unit_test(every_byte_value_survives_a_string),
        cmocka_unit_test(call_with_defined_arguments_is_rebuilt),
        cmocka_unit_test(payloads_outside_the_table_are_rebuilt),
        cmocka_unit_test(padding_that_is_not_zero_is_rebuilt),
        cmocka_unit_test(longest_event_is_rebuilt),
        cmocka_unit_test(text_gives_the_digest_of_the_events),
    };
    return cmocka_run_group_tests_name("trace-digest", tests, NULL, NULL);
}
