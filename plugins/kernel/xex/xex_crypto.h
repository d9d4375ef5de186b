/*
 * The two primitives that XEX files need, over mbedTLS: AES-128 in CBC mode with a zero IV, and
 * SHA-1 over up to two pieces (every digest of the format is over at most two).
 */
#ifndef WEFT_XEX_CRYPTO_H
#define WEFT_XEX_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

/* The console keys under which a file's own key is encrypted; xenia src/xenia/cpu/xex_module.cc. */
extern const uint8_t weft_xex_devkit_key[16];
extern const uint8_t weft_xex_retail_key[16];

/*
 * Decrypts or encrypts the whole 16-byte blocks of size bytes from in to out (which may be equal);
 * a rest of fewer than 16 bytes is not written. [any]
 */
void weft_xex_aes_decrypt(const uint8_t key[16], const uint8_t *in, uint8_t *out, size_t size);
void weft_xex_aes_encrypt(const uint8_t key[16], const uint8_t *in, uint8_t *out, size_t size);

/* SHA-1 of a followed by b; b may be NULL with b_size 0. [any] */
void weft_xex_sha1(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                   uint8_t digest[20]);

#endif
