/* XeCrypt's digests: SHA-1, SHA-256, MD5 (RFC 3174, FIPS 180-4, RFC 1321) and their HMACs (RFC 2104).
 *
 * A state in guest memory is {bytes so far u32, chaining words, 64 bytes of block} (xenia
 * src/xenia/kernel/xboxkrnl/xboxkrnl_crypt.cc); that of an HMAC is two of them, inner and outer. */
#include <mbedtls/md5.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <string.h>

#include "exports.h"

#define BLOCK       64
#define DIGEST_MOST 32
#define WORDS_MOST  8

enum { SHA1, SHA256, MD5 };

static const struct {
    uint32_t words;
    uint32_t initial[WORDS_MOST];
} kinds[] = {
    [SHA1] = {5, {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}},
    [SHA256] = {8,
                {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB,
                 0x5BE0CD19}},
    [MD5] = {4, {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476}},
};

typedef struct digest {
    unsigned kind;
    uint32_t count;
    uint32_t words[WORDS_MOST];
    uint8_t block[BLOCK];
} digest;

static uint32_t digest_size(unsigned kind)
{
    return 4 * kinds[kind].words;
}

static uint32_t state_size(unsigned kind)
{
    return 4 + digest_size(kind) + BLOCK;
}

static void begin(digest *d, unsigned kind)
{
    *d = (digest){.kind = kind};
    memcpy(d->words, kinds[kind].initial, sizeof d->words);
}

/* The library's context goes by its documented fields: bytes, chaining words, block. */
#define RUN(context_type, update_fn, finish_fn, length_of_state)                                   \
    do {                                                                                           \
        context_type context;                                                                      \
        memset(&context, 0, sizeof context);                                                       \
        context.total[0] = d->count;                                                               \
        memcpy(context.state, d->words, length_of_state);                                          \
        memcpy(context.buffer, d->block, BLOCK);                                                   \
        if (out) {                                                                                 \
            (void)finish_fn(&context, out);                                                        \
        } else {                                                                                   \
            (void)update_fn(&context, bytes, length);                                              \
        }                                                                                          \
        d->count = context.total[0];                                                               \
        memcpy(d->words, context.state, length_of_state);                                          \
        memcpy(d->block, context.buffer, BLOCK);                                                   \
    } while (0)

/* Takes `length` bytes in, or with `out` ends the digest. */
static void run(digest *d, const uint8_t *bytes, size_t length, uint8_t *out)
{
    switch (d->kind) {
    case SHA1:
        RUN(mbedtls_sha1_context, mbedtls_sha1_update_ret, mbedtls_sha1_finish_ret, 20);
        break;
    case SHA256:
        RUN(mbedtls_sha256_context, mbedtls_sha256_update_ret, mbedtls_sha256_finish_ret, 32);
        break;
    default:
        RUN(mbedtls_md5_context, mbedtls_md5_update_ret, mbedtls_md5_finish_ret, 16);
        break;
    }
}

static bool load(kcall *call, uint32_t at, unsigned kind, digest *d)
{
    const uint8_t *p = kread(call, at, state_size(kind));
    if (!p) {
        return false;
    }
    *d = (digest){.kind = kind, .count = weft_load32(p)};
    for (uint32_t i = 0; i < kinds[kind].words; i++) {
        d->words[i] = weft_load32(p + 4 + 4 * i);
    }
    memcpy(d->block, p + 4 + digest_size(kind), BLOCK);
    return true;
}

static void store(kcall *call, uint32_t at, const digest *d)
{
    uint8_t *p = kwrite(call, at, state_size(d->kind));
    if (!p) {
        return;
    }
    weft_store32(p, d->count);
    for (uint32_t i = 0; i < kinds[d->kind].words; i++) {
        weft_store32(p + 4 + 4 * i, d->words[i]);
    }
    memcpy(p + 4 + digest_size(d->kind), d->block, BLOCK);
    kwritten(call->k, at, state_size(d->kind));
}

/* Takes guest memory in; nothing where either is 0. */
static void take(kcall *call, digest *d, uint32_t address, uint32_t length)
{
    const uint8_t *bytes = address && length ? kread(call, address, length) : NULL;
    if (bytes) {
        run(d, bytes, length, NULL);
    }
}

/* Three pieces, from the argument `first` on: address and length each. */
static void take_three(kcall *call, digest *d, unsigned first)
{
    for (unsigned i = first; i < first + 6; i += 2) {
        take(call, d, karg(call, i), karg(call, i + 1));
    }
}

static void give(kcall *call, const uint8_t *bytes, uint32_t have, uint32_t out, uint32_t room)
{
    uint32_t length = room < have ? room : have;
    uint8_t *p = length && !call->faulted ? kwrite(call, out, length) : NULL;
    if (p) {
        memcpy(p, bytes, length);
        kwritten(call->k, out, length);
    }
}

/* ---- digests -----------------------------------------------------------------------------------
 */

static uint32_t state_begin(kcall *call, unsigned kind)
{
    digest d;
    begin(&d, kind);
    store(call, karg(call, 0), &d);
    return K_DONE;
}

/* (state, bytes, length) */
static uint32_t state_update(kcall *call, unsigned kind)
{
    digest d;
    if (load(call, karg(call, 0), kind, &d)) {
        take(call, &d, karg(call, 1), karg(call, 2));
        store(call, karg(call, 0), &d);
    }
    return K_DONE;
}

/* (state, digest out, its room) */
static uint32_t state_end(kcall *call, unsigned kind)
{
    digest d;
    uint8_t out[DIGEST_MOST];
    if (load(call, karg(call, 0), kind, &d)) {
        run(&d, NULL, 0, out);
        store(call, karg(call, 0), &d);
        give(call, out, digest_size(kind), karg(call, 1), karg(call, 2));
    }
    return K_DONE;
}

/* (three times bytes and length, digest out, its room) */
static uint32_t whole(kcall *call, unsigned kind)
{
    digest d;
    uint8_t out[DIGEST_MOST];
    begin(&d, kind);
    take_three(call, &d, 0);
    run(&d, NULL, 0, out);
    give(call, out, digest_size(kind), karg(call, 6), karg(call, 7));
    return K_DONE;
}

/* ---- HMAC --------------------------------------------------------------------------------------
 */

/* False, and the call faulted, where the key is not there. */
static bool hmac_begin(kcall *call, unsigned kind, uint32_t key, uint32_t size, digest *inner,
                       digest *outer)
{
    uint8_t pad[BLOCK] = {0};
    const uint8_t *bytes = size ? kread(call, key, size) : pad;
    if (!bytes) {
        return false;
    }
    if (size > BLOCK) {
        begin(inner, kind);
        run(inner, bytes, size, NULL);
        run(inner, NULL, 0, pad);
    } else {
        memmove(pad, bytes, size);
    }
    for (uint32_t i = 0; i < BLOCK; i++) {
        pad[i] ^= 0x36;
    }
    begin(inner, kind);
    run(inner, pad, BLOCK, NULL);
    for (uint32_t i = 0; i < BLOCK; i++) {
        pad[i] ^= 0x36 ^ 0x5C;
    }
    begin(outer, kind);
    run(outer, pad, BLOCK, NULL);
    return true;
}

static void hmac_end(digest *inner, digest *outer, uint8_t *out)
{
    run(inner, NULL, 0, out);
    run(outer, out, digest_size(outer->kind), NULL);
    run(outer, NULL, 0, out);
}

/* (state, key, its length) */
static uint32_t hmac_state_begin(kcall *call, unsigned kind)
{
    digest inner, outer;
    if (hmac_begin(call, kind, karg(call, 1), karg(call, 2), &inner, &outer)) {
        store(call, karg(call, 0), &inner);
        store(call, karg(call, 0) + state_size(kind), &outer);
    }
    return K_DONE;
}

static uint32_t hmac_state_end(kcall *call, unsigned kind)
{
    digest inner, outer;
    uint8_t out[DIGEST_MOST];
    if (load(call, karg(call, 0), kind, &inner) &&
        load(call, karg(call, 0) + state_size(kind), kind, &outer)) {
        hmac_end(&inner, &outer, out);
        give(call, out, digest_size(kind), karg(call, 1), karg(call, 2));
    }
    return K_DONE;
}

/* (key, its length, three times bytes and length): false where a piece is not there. */
static bool hmac_whole(kcall *call, unsigned kind, uint8_t *out)
{
    digest inner, outer;
    if (!hmac_begin(call, kind, karg(call, 0), karg(call, 1), &inner, &outer)) {
        return false;
    }
    take_three(call, &inner, 2);
    hmac_end(&inner, &outer, out);
    return !call->faulted;
}

static uint32_t hmac_give(kcall *call, unsigned kind)
{
    uint8_t out[DIGEST_MOST];
    if (hmac_whole(call, kind, out)) {
        give(call, out, digest_size(kind), karg(call, 8), karg(call, 9));
    }
    return K_DONE;
}

/* The ninth and tenth argument are what the HMAC should be. */
uint32_t ex_XeCryptHmacShaVerify(kcall *call)
{
    uint8_t out[DIGEST_MOST];
    uint32_t length = karg(call, 9) < digest_size(SHA1) ? karg(call, 9) : digest_size(SHA1);
    const uint8_t *wanted = length ? kread(call, karg(call, 8), length) : NULL;
    bool same = hmac_whole(call, SHA1, out) && wanted && memcmp(wanted, out, length) == 0;
    return kret(call, same);
}

/* ---- exports -----------------------------------------------------------------------------------
 */

#define DEFINE(name, fn, kind)                                                                     \
    uint32_t ex_XeCrypt##name(kcall *call)                                                         \
    {                                                                                              \
        return fn(call, kind);                                                                     \
    }

DEFINE(ShaInit, state_begin, SHA1)
DEFINE(ShaUpdate, state_update, SHA1)
DEFINE(ShaFinal, state_end, SHA1)
DEFINE(Sha, whole, SHA1)
DEFINE(Sha256Init, state_begin, SHA256)
DEFINE(Sha256Update, state_update, SHA256)
DEFINE(Sha256Final, state_end, SHA256)
DEFINE(Sha256, whole, SHA256)
DEFINE(Md5Init, state_begin, MD5)
DEFINE(Md5Update, state_update, MD5)
DEFINE(Md5Final, state_end, MD5)
DEFINE(Md5, whole, MD5)
DEFINE(HmacShaInit, hmac_state_begin, SHA1)
DEFINE(HmacShaUpdate, state_update, SHA1)
DEFINE(HmacShaFinal, hmac_state_end, SHA1)
DEFINE(HmacSha, hmac_give, SHA1)
DEFINE(HmacMd5Init, hmac_state_begin, MD5)
DEFINE(HmacMd5Update, state_update, MD5)
DEFINE(HmacMd5Final, hmac_state_end, MD5)
DEFINE(HmacMd5, hmac_give, MD5)
