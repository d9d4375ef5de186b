/* Memory that somebody wants to be told of.
 *
 * Pages with a watched range report each store (weft/memory.h), which uses the watch up; what
 * changed is found by comparing with a copy, and the watch is set again. The guest cannot notice:
 * its stores only take the engine's slow path there. */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#define EVENT_WORDS 64 /* of one event; a longer change is several */

/* ---- the option ------------------------------------------------------------------------------ */

static const char *blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* An unsigned number of at most 32 bits at *text, which moves behind it. */
static bool number(const char **text, uint32_t *value)
{
    char *end;
    if (**text < '0' || **text > '9') {
        return false;
    }
    int base = (*text)[0] == '0' && ((*text)[1] | 0x20) == 'x' ? 16 : 10;
    errno = 0;
    unsigned long long wide = strtoull(*text, &end, base);
    if (errno || wide > UINT32_MAX || (base == 16 && end < *text + 3)) {
        return false;
    }
    *value = (uint32_t)wide;
    *text = end;
    return true;
}

static weft_status refuse(const weft_host *host, const char *found)
{
    char line[160];
    snprintf(
        line, sizeof line,
        "watch does not name ranges (found \"%.40s\", expected ADDRESS+LENGTH of 1 to %u bytes "
        "below 4 GiB, separated by commas)",
        found, KWATCH_BYTES_MAX);
    return host->fail(host, WEFT_E_INVALID, line);
}

weft_status kwatch_parse(const weft_host *host, const char *text, kwatches *out)
{
    memset(out, 0, sizeof *out);
    const char *at = blanks(text);
    while (*at) {
        const char *item = at;
        uint32_t start, length;
        if (!number(&at, &start) || *(at = blanks(at)) != '+') {
            return refuse(host, item);
        }
        at = blanks(at + 1);
        if (!number(&at, &length) || length == 0 || length > KWATCH_BYTES_MAX ||
            length - 1 > UINT32_MAX - start) {
            return refuse(host, item);
        }
        if (out->count == KWATCH_MAX) {
            char line[80];
            snprintf(line, sizeof line, "watch names too many ranges (expected at most %u)",
                     KWATCH_MAX);
            return host->fail(host, WEFT_E_INVALID, line);
        }
        uint32_t first = start & ~3u, last = (start + (length - 1)) | 3;
        out->rows[out->count++] = (kwatch){.start = first, .length = last - first + 1};
        at = blanks(at);
        if (*at == ',') {
            at = blanks(at + 1);
            if (!*at) {
                return refuse(host, item);
            }
        } else if (*at) {
            return refuse(host, item);
        }
    }
    return WEFT_OK;
}

/* ---- looking --------------------------------------------------------------------------------- */

static void emit_change(kernel *k, const kwatch *w, uint32_t at, uint32_t words)
{
    uint64_t before[EVENT_WORDS], after[EVENT_WORDS];
    const uint8_t *now = k->memory->base + w->start + at;
    for (uint32_t i = 0; i < words; i++) {
        before[i] = weft_load32(w->shadow + at + 4 * i);
        after[i] = weft_load32(now + 4 * i);
    }
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_MEM_WRITE);
    weft_event_word(&event, w->start + at);
    weft_event_word(&event, 4 * words);
    weft_event_array(&event, before, words);
    weft_event_array(&event, after, words);
    kemit(k, k->running, &event);
}

/* One event for each run of words that are not what they were. */
static void compare(kernel *k, const kwatch *w)
{
    const uint8_t *now = k->memory->base + w->start;
    if (memcmp(now, w->shadow, w->length) == 0) {
        return;
    }
    for (uint32_t at = 0; at < w->length;) {
        uint32_t words = 0;
        while (words < EVENT_WORDS && at + 4 * words < w->length &&
               memcmp(now + at + 4 * words, w->shadow + at + 4 * words, 4) != 0) {
            words++;
        }
        if (words) {
            emit_change(k, w, at, words);
        }
        at += words ? 4 * words : 4;
    }
    memcpy(w->shadow, now, w->length);
}

static void written(void *context, uint32_t start, uint32_t length)
{
    kernel *k = context;
    uint64_t first = start & ~(WEFT_PAGE_SIZE - 1), end = (uint64_t)start + length;
    end = (end + WEFT_PAGE_SIZE - 1) & ~(uint64_t)(WEFT_PAGE_SIZE - 1);
    for (uint32_t i = 0; i < k->watches.count; i++) {
        const kwatch *w = &k->watches.rows[i];
        if (w->start < end && first < (uint64_t)w->start + w->length) {
            compare(k, w);
            k->memory->watch(k->memory, w->start, w->length);
        }
    }
}

weft_status kwatch_start(kernel *k)
{
    const weft_host *host = k->host;
    if (k->watches.count == 0) {
        return WEFT_OK;
    }
    for (uint32_t i = 0; i < k->watches.count; i++) {
        kwatch *w = &k->watches.rows[i];
        if (k->memory->watch(k->memory, w->start, w->length) != WEFT_OK) {
            char line[128];
            snprintf(line, sizeof line,
                     "watch: no memory can be there (found 0x%08x+0x%x, expected a range inside "
                     "one view)",
                     w->start, w->length);
            return host->fail(host, WEFT_E_INVALID, line);
        }
        w->shadow = malloc(w->length);
        if (!w->shadow) {
            return host->fail(host, WEFT_E_NO_MEMORY, "out of memory for watched ranges");
        }
        memcpy(w->shadow, k->memory->base + w->start, w->length);
    }
    weft_status status = k->memory->listen(k->memory, written, k);
    return status == WEFT_OK ? WEFT_OK
                             : host->fail(host, status, "watch: the memory has too many listeners");
}

void kwatch_end(kernel *k)
{
    if (k->watches.count) {
        k->memory->unlisten(k->memory, written, k);
    }
    for (uint32_t i = 0; i < k->watches.count; i++) {
        free(k->watches.rows[i].shadow);
    }
    k->watches.count = 0;
}
