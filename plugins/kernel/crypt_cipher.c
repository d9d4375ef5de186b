/* XeCrypt's ciphers with keys of the title's own: RC4, AES-128, DES and triple DES (FIPS 197, 46-3),
 * numbers modulo another, and random bytes. State layouts and arguments: xenia
 * src/xenia/kernel/xboxkrnl/xboxkrnl_crypt.cc. The console's own keys (XeKeys) are not here. */
#include <mbedtls/aes.h>
#include <mbedtls/bignum.h>
#include <mbedtls/des.h>
#include <mbedtls/sha1.h>
#include <string.h>

#include "exports.h"

/* ---- RC4 ---------------------------------------------------------------------------------------
 */

#define RC4_STATE 258 /* the permutation, then i and j */

static void rc4_key(uint8_t *state, const uint8_t *key, uint32_t size)
{
    for (uint32_t i = 0; i < 256; i++) {
        state[i] = (uint8_t)i;
    }
    state[256] = state[257] = 0;
    uint8_t j = 0;
    for (uint32_t i = 0; i < 256; i++) {
        uint8_t old = state[i];
        j = (uint8_t)(j + old + key[i % size]);
        state[i] = state[j];
        state[j] = old;
    }
}

static void rc4_run(uint8_t *state, uint8_t *bytes, uint32_t length)
{
    uint8_t i = state[256], j = state[257];
    for (uint32_t n = 0; n < length; n++) {
        uint8_t old = state[++i];
        j = (uint8_t)(j + old);
        state[i] = state[j];
        state[j] = old;
        bytes[n] ^= state[(uint8_t)(state[i] + old)];
    }
    state[256] = i;
    state[257] = j;
}

static bool rc4_begin(kcall *call, uint8_t *state, uint32_t key, uint32_t size)
{
    const uint8_t *bytes = size ? kread(call, key, size) : NULL;
    if (bytes) {
        rc4_key(state, bytes, size);
    }
    return bytes != NULL;
}

static void rc4_apply(kcall *call, uint8_t *state, uint32_t at, uint32_t length)
{
    uint8_t *bytes = length ? kwrite(call, at, length) : NULL;
    if (bytes) {
        rc4_run(state, bytes, length);
        kwritten(call->k, at, length);
    }
}

/* (state, key, its length) */
uint32_t ex_XeCryptRc4Key(kcall *call)
{
    uint8_t state[RC4_STATE], *p = kwrite(call, karg(call, 0), RC4_STATE);
    if (p && rc4_begin(call, state, karg(call, 1), karg(call, 2))) {
        memcpy(p, state, RC4_STATE);
        kwritten(call->k, karg(call, 0), RC4_STATE);
    }
    return K_DONE;
}

/* (state, bytes, length) */
uint32_t ex_XeCryptRc4Ecb(kcall *call)
{
    uint8_t state[RC4_STATE], *p = kwrite(call, karg(call, 0), RC4_STATE);
    if (p) {
        memcpy(state, p, RC4_STATE);
        rc4_apply(call, state, karg(call, 1), karg(call, 2));
        memcpy(p, state, RC4_STATE);
        kwritten(call->k, karg(call, 0), RC4_STATE);
    }
    return K_DONE;
}

/* (key, its length, bytes, length) */
uint32_t ex_XeCryptRc4(kcall *call)
{
    uint8_t state[RC4_STATE];
    if (rc4_begin(call, state, karg(call, 0), karg(call, 1))) {
        rc4_apply(call, state, karg(call, 2), karg(call, 3));
    }
    return K_DONE;
}

/* ---- block ciphers -----------------------------------------------------------------------------
 */

/* What a block cipher is asked for: blocks of 8 or 16 bytes, chained or one. */
typedef struct job {
    uint32_t block, length, out;
    const uint8_t *from;
    uint8_t *to, *feed; /* feed NULL: not chained */
    bool encrypt;
} job;

/* One block through a cipher whose guest state is at `state`. */
typedef void (*cipher_fn)(const uint8_t *state, const uint8_t *from, uint8_t *to, bool encrypt);

#define AES_ROUND_BYTES 176 /* eleven round keys, of which the first is the key */
#define AES_STATE       (2 * AES_ROUND_BYTES)
#define DES_WORDS       32 /* of one key's schedule */
#define DES_STATE       (DES_WORDS * 4)
#define DES3_STATE      (3 * DES_STATE)

static void aes_block(const uint8_t *state, const uint8_t *from, uint8_t *to, bool encrypt)
{
    mbedtls_aes_context context;
    mbedtls_aes_init(&context);
    if (encrypt) {
        mbedtls_aes_setkey_enc(&context, state, 128);
    } else {
        mbedtls_aes_setkey_dec(&context, state, 128);
    }
    mbedtls_aes_crypt_ecb(&context, encrypt ? MBEDTLS_AES_ENCRYPT : MBEDTLS_AES_DECRYPT, from, to);
    mbedtls_aes_free(&context);
}

/* A schedule of 16 pairs of words, forwards or for decryption from its end. */
static void des_schedule(const uint8_t *state, uint32_t *words, bool forwards)
{
    for (uint32_t i = 0; i < DES_WORDS; i++) {
        uint32_t at = forwards ? i : (DES_WORDS - 2 - (i & ~1u)) + (i & 1);
        words[i] = weft_load32(state + 4 * at);
    }
}

static void des_block(const uint8_t *state, const uint8_t *from, uint8_t *to, bool encrypt)
{
    mbedtls_des_context context;
    des_schedule(state, context.sk, encrypt);
    mbedtls_des_crypt_ecb(&context, from, to);
}

/* E(k3, D(k2, E(k1))) and back. */
static void des3_block(const uint8_t *state, const uint8_t *from, uint8_t *to, bool encrypt)
{
    mbedtls_des3_context context;
    des_schedule(state + (encrypt ? 0 : 2) * DES_STATE, context.sk, encrypt);
    des_schedule(state + DES_STATE, context.sk + DES_WORDS, !encrypt);
    des_schedule(state + (encrypt ? 2 : 0) * DES_STATE, context.sk + 2 * DES_WORDS, encrypt);
    mbedtls_des3_crypt_ecb(&context, from, to);
}

static void chain(const job *j, const uint8_t *state, cipher_fn fn)
{
    uint8_t in[16], out[16];
    for (uint32_t at = 0; at + j->block <= j->length; at += j->block) {
        memcpy(in, j->from + at, j->block);
        for (uint32_t i = 0; j->feed && j->encrypt && i < j->block; i++) {
            in[i] ^= j->feed[i];
        }
        fn(state, in, out, j->encrypt);
        for (uint32_t i = 0; j->feed && !j->encrypt && i < j->block; i++) {
            out[i] ^= j->feed[i];
        }
        if (j->feed) {
            memcpy(j->feed, j->encrypt ? out : in, j->block);
        }
        memmove(j->to + at, out, j->block);
    }
}

/* (state, from, to, encrypt) */
static uint32_t one_block(kcall *call, uint32_t state_size, uint32_t block, cipher_fn fn)
{
    const uint8_t *state = kread(call, karg(call, 0), state_size);
    job j = {.block = block, .length = block, .encrypt = karg(call, 3) != 0};
    j.from = kread(call, karg(call, 1), block);
    j.to = kwrite(call, karg(call, 2), block);
    if (state && j.from && j.to) {
        chain(&j, state, fn);
        kwritten(call->k, karg(call, 2), block);
    }
    return K_DONE;
}

/* (state, from, length, to, feed, encrypt): whole blocks; the feed goes on into the next call. */
static uint32_t many_blocks(kcall *call, uint32_t state_size, uint32_t block, cipher_fn fn)
{
    const uint8_t *state = kread(call, karg(call, 0), state_size);
    job j = {.block = block, .encrypt = karg(call, 5) != 0};
    j.length = karg(call, 2) / block * block;
    if (j.length == 0) {
        return K_DONE;
    }
    j.from = kread(call, karg(call, 1), j.length);
    j.to = kwrite(call, karg(call, 3), j.length);
    j.feed = kwrite(call, karg(call, 4), block);
    if (state && j.from && j.to && j.feed) {
        chain(&j, state, fn);
        kwritten(call->k, karg(call, 3), j.length);
        kwritten(call->k, karg(call, 4), block);
    }
    return K_DONE;
}

static void round_keys(uint8_t *to, const mbedtls_aes_context *context)
{
    for (uint32_t i = 0; i < AES_ROUND_BYTES / 4; i++) { /* the library's words begin with byte 0 */
        uint32_t word = context->rk[i];
        for (uint32_t b = 0; b < 4; b++) {
            to[4 * i + b] = (uint8_t)(word >> 8 * b);
        }
    }
}

/* (state, key) */
uint32_t ex_XeCryptAesKey(kcall *call)
{
    const uint8_t *key = kread(call, karg(call, 1), 16);
    uint8_t *state = kwrite(call, karg(call, 0), AES_STATE), bytes[16];
    if (key && state) {
        mbedtls_aes_context context;
        memcpy(bytes, key, sizeof bytes);
        mbedtls_aes_init(&context);
        mbedtls_aes_setkey_enc(&context, bytes, 128);
        round_keys(state, &context);
        mbedtls_aes_setkey_dec(&context, bytes, 128);
        round_keys(state + AES_ROUND_BYTES, &context);
        mbedtls_aes_free(&context);
        kwritten(call->k, karg(call, 0), AES_STATE);
    }
    return K_DONE;
}

uint32_t ex_XeCryptAesEcb(kcall *call)
{
    return one_block(call, AES_STATE, 16, aes_block);
}

uint32_t ex_XeCryptAesCbc(kcall *call)
{
    return many_blocks(call, AES_STATE, 16, aes_block);
}

/* (state, one or three keys of 8 bytes) */
static uint32_t des_key(kcall *call, uint32_t keys)
{
    const uint8_t *key = kread(call, karg(call, 1), 8 * keys);
    uint8_t *state = kwrite(call, karg(call, 0), keys * DES_STATE), bytes[24];
    if (!key || !state) {
        return K_DONE;
    }
    memcpy(bytes, key, 8 * keys);
    for (uint32_t i = 0; i < keys; i++) {
        uint32_t words[DES_WORDS];
        mbedtls_des_setkey(words, bytes + 8 * i);
        for (uint32_t n = 0; n < DES_WORDS; n++) {
            weft_store32(state + i * DES_STATE + 4 * n, words[n]);
        }
    }
    kwritten(call->k, karg(call, 0), keys * DES_STATE);
    return K_DONE;
}

uint32_t ex_XeCryptDesKey(kcall *call)
{
    return des_key(call, 1);
}

uint32_t ex_XeCryptDesEcb(kcall *call)
{
    return one_block(call, DES_STATE, 8, des_block);
}

uint32_t ex_XeCryptDesCbc(kcall *call)
{
    return many_blocks(call, DES_STATE, 8, des_block);
}

uint32_t ex_XeCryptDes3Key(kcall *call)
{
    return des_key(call, 3);
}

uint32_t ex_XeCryptDes3Ecb(kcall *call)
{
    return one_block(call, DES3_STATE, 8, des3_block);
}

uint32_t ex_XeCryptDes3Cbc(kcall *call)
{
    return many_blocks(call, DES3_STATE, 8, des3_block);
}

/* (bytes, length, out): the lowest bit of each byte makes its number of ones odd. */
uint32_t ex_XeCryptDesParity(kcall *call)
{
    uint32_t length = karg(call, 1);
    const uint8_t *from = length ? kread(call, karg(call, 0), length) : NULL;
    uint8_t *to = from ? kwrite(call, karg(call, 2), length) : NULL;
    for (uint32_t i = 0; to && i < length; i++) {
        uint8_t ones = from[i] & 0xFE;
        ones ^= ones >> 4;
        ones ^= ones >> 2;
        ones ^= ones >> 1;
        to[i] = (uint8_t)((from[i] & 0xFE) | (~ones & 1));
    }
    if (to) {
        kwritten(call->k, karg(call, 2), length);
    }
    return K_DONE;
}

/* ---- big numbers -------------------------------------------------------------------------------
 */

#define QWORDS_MOST 64 /* 4096 bits */

/* Numbers are arrays of 64-bit words, the least significant first. */
static bool number_get(kcall *call, uint32_t at, uint32_t qwords, mbedtls_mpi *to)
{
    uint8_t bytes[8 * QWORDS_MOST];
    const uint8_t *p = kread(call, at, 8 * qwords);
    for (uint32_t i = 0; p && i < qwords; i++) {
        memcpy(bytes + 8 * (qwords - 1 - i), p + 8 * i, 8);
    }
    return p && mbedtls_mpi_read_binary(to, bytes, 8 * qwords) == 0;
}

static bool number_put(kcall *call, uint32_t at, uint32_t qwords, const mbedtls_mpi *from)
{
    uint8_t bytes[8 * QWORDS_MOST], *p = kwrite(call, at, 8 * qwords);
    if (!p || mbedtls_mpi_write_binary(from, bytes, 8 * qwords) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < qwords; i++) {
        memcpy(p + 8 * i, bytes + 8 * (qwords - 1 - i), 8);
    }
    kwritten(call->k, at, 8 * qwords);
    return true;
}

/* out = base ** exponent mod modulus. */
static bool power(kcall *call, uint32_t out, uint32_t base_at, const mbedtls_mpi *exponent,
                  uint32_t modulus_at, uint32_t qwords)
{
    mbedtls_mpi base, modulus, result;
    mbedtls_mpi_init(&base);
    mbedtls_mpi_init(&modulus);
    mbedtls_mpi_init(&result);
    bool good = number_get(call, base_at, qwords, &base) &&
                number_get(call, modulus_at, qwords, &modulus) &&
                mbedtls_mpi_exp_mod(&result, &base, exponent, &modulus, NULL) == 0 &&
                number_put(call, out, qwords, &result);
    mbedtls_mpi_free(&base);
    mbedtls_mpi_free(&modulus);
    mbedtls_mpi_free(&result);
    return good;
}

/* (result, base, exponent, modulus, their 64-bit words) */
uint32_t ex_XeCryptBnQwNeModExp(kcall *call)
{
    uint32_t qwords = karg(call, 4);
    mbedtls_mpi exponent;
    mbedtls_mpi_init(&exponent);
    bool good = qwords != 0 && qwords <= QWORDS_MOST &&
                number_get(call, karg(call, 2), qwords, &exponent) &&
                power(call, karg(call, 0), karg(call, 1), &exponent, karg(call, 3), qwords);
    mbedtls_mpi_free(&exponent);
    return kret(call, good);
}

/* (number, result, key): the key is {words u32, exponent u32, 8 bytes, modulus}. */
uint32_t ex_XeCryptBnQwNeRsaPubCrypt(kcall *call)
{
    uint32_t key = karg(call, 2), qwords = kget32(call, key);
    const uint8_t *bytes = kread(call, key + 4, 4);
    mbedtls_mpi exponent;
    mbedtls_mpi_init(&exponent);
    bool good = bytes && qwords != 0 && qwords <= QWORDS_MOST &&
                mbedtls_mpi_read_binary(&exponent, bytes, 4) == 0 &&
                power(call, karg(call, 1), karg(call, 0), &exponent, key + 16, qwords);
    mbedtls_mpi_free(&exponent);
    return kret(call, good);
}

/* (from, to, 64-bit words) */
uint32_t ex_XeCryptBnQw_Copy(kcall *call)
{
    uint32_t count = karg(call, 2), length = count * 8;
    if (count > UINT32_C(0x1FFFFFFF)) {
        kfault(call, karg(call, 1), true);
        return K_DONE;
    }
    const uint8_t *from = length ? kread(call, karg(call, 0), length) : NULL;
    uint8_t *to = from ? kwrite(call, karg(call, 1), length) : NULL;
    if (to) {
        memmove(to, from, length);
        kwritten(call->k, karg(call, 1), length);
    }
    return K_DONE;
}

/* (from, to, 64-bit words): each with its bytes turned round. */
uint32_t ex_XeCryptBnQw_SwapDwQwLeBe(kcall *call)
{
    uint32_t count = karg(call, 2), length = count * 8;
    if (count > UINT32_C(0x1FFFFFFF)) {
        kfault(call, karg(call, 1), true);
        return K_DONE;
    }
    const uint8_t *from = length ? kread(call, karg(call, 0), length) : NULL;
    uint8_t *to = from ? kwrite(call, karg(call, 1), length) : NULL;
    for (uint32_t i = 0; to && i < count; i++) {
        uint8_t bytes[8];
        memcpy(bytes, from + 8 * i, 8);
        for (uint32_t b = 0; b < 8; b++) {
            to[8 * i + b] = bytes[7 - b];
        }
    }
    if (to) {
        kwritten(call->k, karg(call, 1), length);
    }
    return K_DONE;
}

/* ---- random bytes ------------------------------------------------------------------------------
 */

/* (buffer, length): digests of guest time, thread and place, so that every run of a title draws the
 * same. */
uint32_t ex_XeCryptRandom(kcall *call)
{
    uint32_t out = karg(call, 0), length = karg(call, 1);
    uint8_t *p = length ? kwrite(call, out, length) : NULL;
    uint8_t seed[24], block[20];
    weft_store64(seed, know(call->k));
    weft_store64(seed + 8, (uint64_t)call->thread->tid << 32 | out);
    for (uint32_t at = 0; p && at < length; at += sizeof block) {
        weft_store64(seed + 16, (uint64_t)call->caller << 32 | at);
        (void)mbedtls_sha1_ret(seed, sizeof seed, block);
        memcpy(p + at, block, length - at < sizeof block ? length - at : sizeof block);
    }
    if (p) {
        kwritten(call->k, out, length);
    }
    return K_DONE;
}
