/* tracer_kit.c: see tracer_kit.h. */
#include "tracer_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIX UINT64_C(0x9E3779B97F4A7C15) /* 2^64 / golden ratio: words with no pattern */

static weft_status watch_fail(const weft_host *host, weft_status status, const char *sentence)
{
    kit_host *kit = (kit_host *)host;
    kit->fails++;
    snprintf(kit->sentence, sizeof kit->sentence, "%s", sentence ? sentence : "");
    return status;
}

static const char *own_option(const weft_host *host, const char *key)
{
    const kit_host *kit = (const kit_host *)host;
    if (kit->path && strcmp(key, "path") == 0) {
        return kit->path;
    }
    return kit->inner->option_text(kit->inner, key);
}

/* The other services find the host's own state by `impl`, which stays: they are as they were. */
void kit_host_start(kit_host *kit, const weft_host *inner, const char *path)
{
    *kit = (kit_host){.host = *inner, .inner = inner, .path = path};
    kit->host.fail = watch_fail;
    kit->host.option_text = own_option;
}

int kit_has_path(const weft_plugin_desc *desc)
{
    for (uint32_t i = 0; i < desc->option_count; i++) {
        const weft_option *o =
            (const weft_option *)((const char *)desc->options + (size_t)i * desc->option_stride);
        if (o->type == WEFT_OPTION_PATH && strcmp(o->key, "path") == 0) {
            return 1;
        }
    }
    return 0;
}

/* Texts of identities in every shape that a definition can have; many are unknown. */
static const char *name_of(void *names, uint64_t id)
{
    static const char *const texts[] = {
        "conform.exe!Call(a,b,...)#7", "conform.exe!Call()#", "!(#)", "", "thread:main/0/1",
        "a \"text\" \\ \x01\xff",
    };
    return id % 8 < sizeof texts / sizeof texts[0] ? texts[id % 8] : NULL;
}

static void digest_now(void *names, char hex[33])
{
    const kit_stream *s = names;
    snprintf(hex, 33, "%032llx", (unsigned long long)s->sequence);
}

weft_status kit_open(kit_stream *s, uint64_t first, int told)
{
    s->sequence = first;
    memset(s->index, 0, sizeof s->index);
    s->begin = (weft_trace_begin){
        .size = sizeof s->begin,
        .first = first,
        .engine = "weft",
        .build = "conform",
        .title = "conform \"title\"",
        .profile_digest = "00000000000000000000000000000000",
        .digest = "99aa06d3014798d86001c324468d497f", /* XXH3-128 of nothing */
        .name = name_of,
        .names = s,
        .digest_now = told ? digest_now : NULL,
    };
    return s->ops->open(s->instance, &s->begin);
}

static void hand_on(const kit_stream *s, const weft_event_buffer *event)
{
    weft_event *exact = malloc(event->head.size);
    if (exact) {
        memcpy(exact, event, event->head.size);
        s->ops->event(s->instance, exact);
        memset(exact, 0xA5, event->head.size);
        free(exact);
    }
}

void kit_send(kit_stream *s, weft_event_buffer *event, uint32_t thread)
{
    event->head.sequence = s->sequence++;
    event->head.tick = event->head.sequence * 1000;
    event->head.thread = thread ? UINT64_C(0x1234000000000000) + thread : 0;
    event->head.tid = thread;
    event->head.hw = thread ? (uint8_t)thread : WEFT_HW_NONE;
    event->head.cycle = event->head.sequence * 10;
    event->head.index = event->head.category == WEFT_CLASS_GUEST ? s->index[thread]++ : 0;
    hand_on(s, event);
}

/* Appends a value for each field of a row. */
static void fill(weft_event_buffer *event, const char *fields, uint32_t round)
{
    static const char usual[] = "a text with \"quotes\", a back\\slash, \x01 and \xC3\xA9";
    char bytes[256];
    uint64_t words[64];
    for (uint32_t i = 0; i < 256; i++) {
        bytes[i] = (char)i; /* NUL, control characters, every byte that is not UTF-8 */
    }
    for (uint32_t i = 0; i < 64; i++) {
        words[i] = round == 2 ? UINT64_MAX : MIX * (i + round);
    }
    for (const char *p = strchr(fields, ':'); p; p = strchr(p + 1, ':')) {
        if (p[1] == 's') {
            weft_event_text(event, round < 2 ? usual : bytes,
                            round == 0   ? 0
                            : round == 1 ? sizeof usual - 1
                                         : sizeof bytes);
        } else if (strchr("UXDP", p[1])) {
            weft_event_array(event, words, round == 0 ? 0 : round == 1 ? 3 : 64);
        } else {
            weft_event_word(event, round == 0   ? 0
                                   : round == 1 ? 1
                                   : round == 2 ? UINT64_MAX
                                                : MIX * event->head.kind);
        }
    }
}

void kit_send_kinds(kit_stream *s, uint32_t round)
{
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        weft_event_buffer event;
        weft_event_begin(&event, kind);
        fill(&event, weft_event_kind_of(kind)->fields, round);
        kit_send(s, &event, (kind + round) % 4);
    }
}

static void send_odd_kind(kit_stream *s, uint16_t kind)
{
    const weft_event_kind *row = weft_event_kind_of(kind);
    weft_event_buffer event;
    for (uint32_t shape = 0; shape < 6; shape++) {
        weft_event_begin(&event, kind);
        if (shape > 0 && shape < 4 && row) {
            fill(&event, row->fields, 1);
        }
        if (shape == 1 && event.head.size > sizeof event.head) {
            event.head.size -= 8; /* one word short */
        } else if (shape == 2) {
            weft_event_word(&event, 1); /* one too many */
        } else if (shape == 3) {        /* what may be a length or a count lies */
            uint32_t count = (event.head.size - (uint32_t)sizeof event.head) / 8;
            for (uint32_t i = 0; i < count; i++) {
                event.words[i] = UINT64_MAX - 7 * i;
            }
        } else if (shape == 4) {
            weft_event_word(&event, UINT64_MAX);
        } else if (shape == 5) {
            for (uint32_t i = 0; i < WEFT_EVENT_MAX_WORDS; i++) {
                weft_event_word(&event, i);
            }
        }
        kit_send(s, &event, shape % 4);
    }
}

void kit_send_odd(kit_stream *s)
{
    static const uint16_t none[] = {0, WEFT_EVENT_KIND_END, 999, UINT16_MAX};
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        send_odd_kind(s, kind);
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        send_odd_kind(s, none[i]);
    }
}

void kit_tell_definitions(kit_stream *s)
{
    static const char *const texts[] = {"thread:main", "thread:main/0", "conform.exe!Call(a)#7"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        weft_event_buffer event;
        weft_event_begin(&event, WEFT_EVENT_DEFINE);
        weft_event_word(&event, weft_fnv1a(texts[i], strlen(texts[i])));
        weft_event_text(&event, i < 2 ? "thread" : "export", 6);
        weft_event_text(&event, texts[i], strlen(texts[i]));
        hand_on(s, &event);
    }
}

void kit_send_calls(kit_stream *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        static const uint16_t kinds[] = {WEFT_EVENT_IMPORT_CALL, WEFT_EVENT_KERNEL_CALL,
                                         WEFT_EVENT_KERNEL_RETURN};
        uint64_t arguments[2] = {i, 16};
        weft_event_buffer event;
        weft_event_begin(&event, kinds[i % 3]);
        weft_event_word(&event, 8 * (i / 3 % 50)); /* an export that has a text */
        if (event.head.kind == WEFT_EVENT_KERNEL_CALL) {
            weft_event_array(&event, arguments, 2);
            weft_event_text(&event, "", 0);
        } else {
            weft_event_word(&event, 0x82000000 + i % 1000);
        }
        kit_send(s, &event, 1);
    }
}

weft_status kit_close(kit_stream *s)
{
    char digest[33];
    digest_now(s, digest);
    return s->ops->close(s->instance, s->sequence - 1, digest);
}
