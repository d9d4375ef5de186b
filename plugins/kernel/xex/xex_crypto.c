#include "xex_crypto.h"

#include <mbedtls/aes.h>
#include <mbedtls/sha1.h>

const uint8_t weft_xex_devkit_key[16] = {0};
const uint8_t weft_xex_retail_key[16] = {0x20, 0xB1, 0x85, 0xA5, 0x9D, 0x28, 0xFD, 0xC3,
                                         0x40, 0x58, 0x3F, 0xBB, 0x08, 0x96, 0xBF, 0x91};

/* mbedTLS fails here only for a key size other than 128, 192 or 256 or a size not in blocks. */
void weft_xex_aes_decrypt(const uint8_t key[16], const uint8_t *in, uint8_t *out, size_t size)
{
    mbedtls_aes_context aes;
    uint8_t iv[16] = {0};

    mbedtls_aes_init(&aes);
    mbedtls_aes_setkey_dec(&aes, key, 128);
    mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_DECRYPT, size & ~(size_t)15, iv, in, out);
    mbedtls_aes_free(&aes);
}

void weft_xex_aes_encrypt(const uint8_t key[16], const uint8_t *in, uint8_t *out, size_t size)
{
    mbedtls_aes_context aes;
    uint8_t iv[16] = {0};

    mbedtls_aes_init(&aes);
    mbedtls_aes_setkey_enc(&aes, key, 128);
    mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_ENCRYPT, size & ~(size_t)15, iv, in, out);
    mbedtls_aes_free(&aes);
}

void weft_xex_sha1(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                   uint8_t digest[20])
{
    mbedtls_sha1_context sha;

    mbedtls_sha1_init(&sha);
    mbedtls_sha1_starts_ret(&sha);
    mbedtls_sha1_update_ret(&sha, a, a_size);
    if (b_size) {
        mbedtls_sha1_update_ret(&sha, b, b_size);
    }
    mbedtls_sha1_finish_ret(&sha, digest);
    mbedtls_sha1_free(&sha);
}
