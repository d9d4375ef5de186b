/* wtr.h: the binary trace, format version 2, as docs/trace.md describes it ("The binary trace").
 *
 * Little-endian throughout. A file is a header, then records of one shape: groups, each of them the
 * texts of its definitions, a block for each guest thread (its events in columns) and a mark; then a
 * footer with the index. What the writer leaves at any moment is a prefix of the final file. */
#ifndef WEFT_TRACE_WTR_H
#define WEFT_TRACE_WTR_H

#include <stddef.h>
#include <stdint.h>

#include "canon_own.h"
#include "survey.h"
#include "weft/event.h"

#define WTR_MAGIC        "WEFTWTR\n" /* 8 bytes; the newline shows damage by text-mode copies */
#define WTR_VERSION      2
#define WTR_HEAD         20 /* magic, u32 version, u32 length of the texts, u32 CRC of the texts */
#define WTR_RECORD       24 /* header of a record */
#define WTR_TAIL         16 /* u64 offset of the footer's first record, then the tail's magic */
#define WTR_TAIL_MAGIC   "WTR-END\n"
#define WTR_RECORD_MAGIC UINT32_C(0x52545772) /* "rWTR" */

enum { WTR_BLOCK = 1, WTR_MARK, WTR_FOOTER, WTR_NAMES };
enum { WTR_PARTIAL = 1, WTR_PARALLEL = 2 }; /* flags of the header */
enum { WTR_STORED = 0, WTR_ZLIB = 1, WTR_ZSTD = 2 };

/* Limits of a file, which a reader may rely on: a group is what lies between two marks. */
#define WTR_MAX_RAW         (UINT32_C(1) << 25) /* bytes of a record before compression */
#define WTR_GROUP_EVENTS    UINT32_C(65536)
#define WTR_GROUP_WORDS     UINT32_C(262144)     /* payload words after which a group ends: 2 MiB */
#define WTR_GROUP_TICKS     UINT64_C(1000000000) /* ns of guest time after which a group ends */
#define WTR_MAX_EVENT_WORDS UINT32_C(65536)      /* payload words of one event */
#define WTR_FOOTER_PART     (UINT32_C(1) << 18)  /* bytes of the footer in each of its records */

/* The most bytes that a footer at this offset has: a file cannot hold more blocks than it has room
 * for, and each takes less here than there. */
#define WTR_FOOTER_LIMIT(offset) ((UINT64_C(1) << 20) + 8 * (uint64_t)(offset))

/* Growing bytes. A failed allocation is remembered, and what follows is dropped. */
typedef struct wtr_bytes {
    uint8_t *at;
    size_t used, room;
    int no_memory;
} wtr_bytes;

uint8_t *wtr_room(wtr_bytes *b, size_t more); /* behind `used`; NULL without memory */
void wtr_put(wtr_bytes *b, const void *bytes, size_t length);
void wtr_put_varint(wtr_bytes *b, uint64_t value); /* LEB128: 7 bits a byte, low ones first */
void wtr_put_u32(wtr_bytes *b, uint32_t value);
void wtr_put_u64(wtr_bytes *b, uint64_t value);
void wtr_bytes_free(wtr_bytes *b);

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

/* What compression keeps between two records; zeros at first. */
typedef struct wtr_packer {
    void *pack, *unpack;
} wtr_packer;

void wtr_packer_end(wtr_packer *packer);

/* Appends a record with its header; compresses `raw` where that makes it smaller. */
void wtr_put_record(wtr_bytes *out, uint8_t type, const wtr_bytes *raw, wtr_packer *packer);

/* A record's header as read. */
typedef struct wtr_record {
    uint8_t type, codec;
    uint32_t raw, stored, crc;
} wtr_record;

/* 0 where the 24 bytes are no record header. */
int wtr_parse_record(const uint8_t bytes[WTR_RECORD], wtr_record *record);

/* The body of a record, checked and unpacked into `raw` (emptied first). NULL, or what is wrong. */
const char *wtr_unpack(const uint8_t header[WTR_RECORD], const wtr_record *record,
                       const uint8_t *body, wtr_bytes *raw, wtr_packer *packer);

/* The columns of a block. */
enum {
    COL_KIND, /* kind << 1 | odd; kind 0 where the payload is one from before: its place follows */
    COL_ODD,  /* of odd events: what else is not as expected */
    COL_SEQUENCE,
    COL_TICK,
    COL_CYCLE,
    COL_WORDS, /* of types u, x, i, p; lengths: less the one before in the slot */
    COL_IDS,   /* of type d: 0 as before in the slot, 1 the next of the dictionary, place + 2 */
    COL_NAMES, /* how p is named: 0 as before in the slot, else 1 + place (0: not at all) */
    COL_TEXT,  /* bytes of strings, without padding */
    COL_DICTIONARY, /* 8 bytes each: identities by place */
    COL_PLACES,     /* 16 bytes each: name and base, by place from 1 */
    COLUMNS
};

#define WTR_SLOTS 1024 /* words are told by how they differ from the last one of their slot */

/* The slots of an event: of its kind, and of the identity that its payload begins with, if any. */
static inline uint32_t wtr_slots(uint32_t kind, uint64_t context)
{
    return (uint32_t)((uint32_t)(context * 64 + kind) * UINT32_C(0x9e3779b1) >> 22);
}

static inline uint32_t wtr_slot(uint32_t slots, uint32_t place)
{
    return (slots + (place < 15 ? place : 15)) % WTR_SLOTS;
}

/* What a thread says in a group. The columns up to COL_CYCLE, the heads, are put as its events come:
 * a few bytes each. A payload waits in the encoder's arena till the group's end where no earlier event
 * of the thread's part had the same. */
#define WTR_HEADS (COL_CYCLE + 1)

typedef struct wtr_thread {
    uint32_t events, canonical;
    uint32_t head_room;          /* events for which the heads have room */
    uint32_t told;               /* payloads that may be told again */
    uint32_t first, last;        /* payload that waits, in words of the arena; 0: none does */
    size_t words;                /* of the payloads that wait */
    uint64_t index, tick, cycle; /* expected of the next event */
    uint32_t tid, hw;
    uint64_t sequence;           /* expected of the next event; */
    uint64_t begin, low, high;   /* of the first one, the lowest and the highest */
    uint8_t *heads[WTR_HEADS];   /* the columns, */
    uint8_t *head_at[WTR_HEADS]; /* and where the next byte goes */
    uint64_t chain[2];           /* of the last block */
    uint64_t canon_chain, canon; /* before the group: the canonical chain, and events */
} wtr_thread;

/* Payloads of at most so many words, of events that have a canonical form, can be told again: by the
 * number of the event that brought them. The others seldom say the same twice. Part of the format. */
#define WTR_AGAIN_WORDS  16
#define WTR_AGAIN_PLACES 4096

#define WTR_DICTIONARY_PLACES 1024
#define WTR_NAME_PLACES       256

/* Gathers a group, and puts it thread by thread. */
typedef struct wtr_encoder {
    /* The payloads that wait: wtr_held, refs, event and payload of each, one behind the other. A
     * place of 0 is none, so the first word is left free. */
    uint64_t *arena;
    size_t used, room;
    struct wtr_again {
        uint32_t at;     /* where the payload is, in words of the arena */
        uint32_t thread; /* by place */
        uint32_t place;  /* its number in the block */
        uint32_t group;
    } again[WTR_AGAIN_PLACES];
    uint32_t group;    /* counts groups from 1 */
    size_t head_bytes; /* that threads have for their heads */

    /* The block at hand. */
    uint8_t *at[COLUMNS]; /* where the next byte goes */
    uint8_t *columns[COLUMNS];
    size_t column_room[COLUMNS];
    uint64_t value[WTR_SLOTS];
    uint32_t naming[WTR_SLOTS];
    struct {
        uint64_t id;
        uint32_t place, block;
    } ids[WTR_DICTIONARY_PLACES];
    struct {
        uint64_t name, base;
        uint32_t place, block;
    } names[WTR_NAME_PLACES];
    uint32_t block, id_count, name_count;
} wtr_encoder;

/* NULL without memory. */
wtr_encoder *wtr_encoder_new(void);
void wtr_encoder_free(wtr_encoder *e);

/* Adds an event to the part of a thread, whose place among the threads tells it from the others;
 * `canon` has its form where it is canonical, and `fits` in any case. 0 without memory. */
int wtr_encoder_add(wtr_encoder *e, const canon_kind *kinds, uint32_t place, wtr_thread *thread,
                    const weft_event *event, const weft_event_canon *canon, int canonical);

/* Puts a thread's part of a group into `raw` and takes its chain on; `canon_chain` is the canonical
 * chain behind it. */
void wtr_block_put(wtr_encoder *e, const canon_kind *kinds, uint64_t id, wtr_thread *thread,
                   uint64_t canon_chain, wtr_bytes *raw);

/* Empties a part that was put. */
void wtr_thread_next(wtr_encoder *e, wtr_thread *thread, uint64_t canon_chain, uint64_t canon);
void wtr_thread_end(wtr_thread *thread);

/* Begins the next group: all blocks of the one before are put. */
void wtr_encoder_next(wtr_encoder *e);

/* The chain of a block: XXH3-128 (seed 0), low half first, of the chain before, and of these bytes. */
void wtr_chain_on(uint64_t chain[2], const uint8_t *bytes, size_t length);

/* What a block says of itself. */
typedef struct wtr_block {
    uint64_t thread, before[2], chain[2];
    uint64_t canon_before, canon_chain;         /* the canonical chain before and behind it */
    uint64_t canonical_before, canonical_count; /* canonical events before and in it */
    uint64_t events, first;
} wtr_block;

/* Events of a group being read: one arena, and where each event is in it. */
typedef struct wtr_group {
    uint64_t *words;
    size_t words_used, words_room;
    struct wtr_place {
        uint64_t sequence;
        size_t at;                /* in words */
        size_t order;             /* as it stood in the file */
        uint64_t canonical, hash; /* number and hash, where they were asked for */
        uint32_t refs, ref_count; /* what its words name, among the group's */
    } * places;
    size_t events, events_room;
    struct wtr_decoder *decoder;
    canon_words canon; /* room for hashing */
} wtr_group;

/* Adds a block's events to the group, with canonical numbers and hashes where `hashed`. NULL, or what
 * is wrong with it. */
const char *wtr_block_read(wtr_group *group, const canon_kind *kinds, const wtr_bytes *raw,
                           int hashed, wtr_block *block);

/* The canonical words of an event of the group, valid until the next call; NULL where they were not
 * asked for, or without memory. */
const uint64_t *wtr_group_canon(wtr_group *group, const canon_kind *kinds,
                                const struct wtr_place *place, uint32_t *count);

/* Puts a group in the run's order. 0 without memory. */
int wtr_group_sort(wtr_group *group);
void wtr_group_empty(wtr_group *group);
void wtr_group_end(wtr_group *group);

/* The footer: what the survey has, and where the records are. */
typedef struct wtr_index_block {
    uint64_t offset, first, last; /* lowest and highest sequence */
    uint64_t canonical_before;
    uint32_t thread, events, canonical;
    uint32_t begins; /* 1: its group begins here */
} wtr_index_block;

typedef struct wtr_footer {
    uint64_t last;
    char digest[40], canon_digest[40];
    survey survey; /* without the maps of places */
    uint64_t (*chains)[2];
    wtr_index_block *blocks;
    size_t block_count;
    uint64_t *names; /* offsets of the records with texts */
    size_t name_count;
} wtr_footer;

/* What the writer gathers for it, as bytes. */
typedef struct wtr_index {
    wtr_bytes blocks, names;
    uint64_t block_count, name_count;
    uint64_t offset, sequence, name_offset; /* of the one before */
} wtr_index;

void wtr_index_block_put(wtr_index *index, uint64_t offset, size_t thread, int begins,
                         const wtr_thread *of);
void wtr_index_names_put(wtr_index *index, uint64_t offset);

void wtr_footer_put(wtr_bytes *to, uint64_t last, const char *digest, const survey *s,
                    const wtr_thread *threads, const wtr_index *index);

/* NULL, or what is wrong with it. `end` is where the footer begins: no record can be behind. */
const char *wtr_footer_read(wtr_footer *f, const wtr_bytes *bytes, uint64_t end);
void wtr_footer_end(wtr_footer *f);

#endif
