/* wtr.h: the binary trace, format version 1, as docs/trace.md describes it ("The binary trace").
 *
 * Little-endian throughout. A file is a header, then records of one shape: blocks (events of one
 * guest thread, in columns), marks (all events up to here are in the file) and a footer. What the
 * writer leaves at any moment is a prefix of the final file. */
#ifndef WEFT_TRACE_WTR_H
#define WEFT_TRACE_WTR_H

#include <stddef.h>
#include <stdint.h>

#include "weft/event.h"

#define WTR_MAGIC        "WEFTWTR\n" /* 8 bytes; the newline shows damage by text-mode copies */
#define WTR_VERSION      1
#define WTR_HEAD         20 /* magic, u32 version, u32 length of the texts, u32 CRC of the texts */
#define WTR_RECORD       24 /* header of a record */
#define WTR_TAIL         16 /* u64 offset of the footer record, then the tail's magic */
#define WTR_TAIL_MAGIC   "WTR-END\n"
#define WTR_RECORD_MAGIC UINT32_C(0x52545772) /* "rWTR" */

enum { WTR_BLOCK = 1, WTR_MARK = 2, WTR_FOOTER = 3 };
enum { WTR_PARTIAL = 1, WTR_PARALLEL = 2 }; /* flags of the header */
enum { WTR_STORED = 0, WTR_ZLIB = 1, WTR_ZSTD = 2 };

/* Limits of a file, which a reader may rely on: a group is what lies between two marks. */
#define WTR_MAX_RAW          (UINT32_C(1) << 25) /* bytes of a record before compression */
#define WTR_MAX_BLOCK_EVENTS UINT32_C(65536)
#define WTR_GROUP_EVENTS     UINT32_C(65536)
#define WTR_GROUP_WORDS      UINT32_C(524288) /* payload words after which a group ends: 4 MiB */
#define WTR_MAX_EVENT_WORDS  UINT32_C(65536)  /* payload words of one event */

/* Growing bytes. A failed allocation is remembered, and what follows is dropped. */
typedef struct wtr_bytes {
    uint8_t *at;
    size_t used, room;
    int no_memory;
} wtr_bytes;

void wtr_put(wtr_bytes *b, const void *bytes, size_t length);
void wtr_put_long_varint(wtr_bytes *b, uint64_t value);
void wtr_put_u32(wtr_bytes *b, uint32_t value);
void wtr_put_u64(wtr_bytes *b, uint64_t value);
void wtr_bytes_free(wtr_bytes *b);

static inline void wtr_put_byte(wtr_bytes *b, uint8_t value)
{
    if (b->used < b->room) {
        b->at[b->used++] = value;
    } else {
        wtr_put(b, &value, 1);
    }
}

/* LEB128: 7 bits a byte, low ones first. Most values of a trace take one byte. */
static inline void wtr_put_varint(wtr_bytes *b, uint64_t value)
{
    if (value < 0x80 && b->used < b->room) {
        b->at[b->used++] = (uint8_t)value;
    } else {
        wtr_put_long_varint(b, value);
    }
}

/* Bytes being read. Reading past the end gives zeros and sets `bad`. */
typedef struct wtr_view {
    const uint8_t *at, *end;
    int bad;
} wtr_view;

uint64_t wtr_take_varint(wtr_view *v);
uint32_t wtr_take_u32(wtr_view *v);
uint64_t wtr_take_u64(wtr_view *v);
const uint8_t *wtr_take(wtr_view *v, uint64_t length);

/* Signed values near zero as small unsigned ones: 0, -1, 1, -2 ... are 0, 1, 2, 3 ... */
static inline uint64_t wtr_zigzag(uint64_t value)
{
    return value << 1 ^ (UINT64_C(0) - (value >> 63));
}

static inline uint64_t wtr_unzigzag(uint64_t value)
{
    return value >> 1 ^ (UINT64_C(0) - (value & 1));
}

/* Appends a record with its header; compresses `raw` where that makes it smaller. */
void wtr_put_record(wtr_bytes *out, uint8_t type, const wtr_bytes *raw);

/* A record's header as read. */
typedef struct wtr_record {
    uint8_t type, codec;
    uint32_t raw, stored, crc;
} wtr_record;

/* 0 where the 24 bytes are no record header. */
int wtr_parse_record(const uint8_t bytes[WTR_RECORD], wtr_record *record);

/* The body of a record, checked and unpacked into `raw` (emptied first). NULL, or what is wrong. */
const char *wtr_unpack(const uint8_t header[WTR_RECORD], const wtr_record *record,
                       const uint8_t *body, wtr_bytes *raw);

/* A block's columns while it is being filled. */
enum {
    COL_KIND,
    COL_CLASS,
    COL_HW,
    COL_SEQUENCE,
    COL_INDEX,
    COL_TICK,
    COL_CYCLE,
    COL_TID,
    COL_COUNT, /* payload words */
    COL_WORDS, /* each: small, or a place in the dictionary */
    COL_DICTIONARY,
    COLUMNS
};

#define WTR_DICTIONARY_PLACES 4096

typedef struct wtr_block {
    uint64_t thread;
    uint32_t events;
    uint64_t words;
    uint64_t sequence, next_sequence, index, tick, cycle, tid; /* of the event before */
    uint64_t first;                                            /* sequence of the first event */
    uint64_t chain[2];                                         /* of the thread's last block */
    uint32_t dictionary;
    struct {
        uint64_t word;
        uint32_t place; /* from 1 */
        uint32_t block; /* which block it belongs to */
    } hash[WTR_DICTIONARY_PLACES];
    uint32_t block;
    wtr_bytes columns[COLUMNS];
} wtr_block;

void wtr_block_add(wtr_block *block, const weft_event *event);

/* The block's raw body, its chain taken one further; the block is empty then. */
void wtr_block_end(wtr_block *block, wtr_bytes *raw);
void wtr_block_free(wtr_block *block);

/* Events of a group being read: one arena, and where each event is in it. */
typedef struct wtr_group {
    uint64_t *words;
    size_t words_used, words_room;
    struct wtr_place {
        uint64_t sequence;
        size_t at;    /* in words */
        size_t order; /* as it stood in the file */
    } * places;
    size_t events, events_room;
} wtr_group;

/* Adds a block's events to the group. NULL, or what is wrong with it. `chain` gets the block's
 * digest and `before` what the block says its predecessor had. */
const char *wtr_block_read(wtr_group *group, const wtr_bytes *raw, uint64_t *thread,
                           uint64_t before[2], uint64_t chain[2]);

#endif
