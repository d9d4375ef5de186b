/* AES and SHA-1 through the library's wrapper, against the standards' own vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xex_crypto.h"

/* NIST FIPS-197, appendix C.1. */
static void test_aes_decrypts_the_fips_197_block(void **state)
{
    static const uint8_t key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const uint8_t cipher[16] = {0x69, 0xC4, 0xE0, 0xD8, 0x6A, 0x7B, 0x04, 0x30,
                                       0xD8, 0xCD, 0xB7, 0x80, 0x70, 0xB4, 0xC5, 0x5A};
    uint8_t out[16];
    weft_xex_aes_decrypt(key, cipher, out, 16);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(out[i], i * 0x11);
    }
}

/* NIST SP 800-38A, F.2.1 (CBC-AES128); its IV is XORed into the first block, as ours is zero. */
static const uint8_t nist_key[16] = {0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6,
                                     0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C};
static const uint8_t nist_plain[32] = {
    0x6B, 0xC1, 0xBE, 0xE2, 0x2E, 0x40, 0x9F, 0x96, 0xE9, 0x3D, 0x7E, 0x11, 0x73, 0x93, 0x17, 0x2A,
    0xAE, 0x2D, 0x8A, 0x57, 0x1E, 0x03, 0xAC, 0x9C, 0x9E, 0xB7, 0x6F, 0xAC, 0x45, 0xAF, 0x8E, 0x51};
static const uint8_t nist_cipher[32] = {
    0x76, 0x49, 0xAB, 0xAC, 0x81, 0x19, 0xB2, 0x46, 0xCE, 0xE9, 0x8E, 0x9B, 0x12, 0xE9, 0x19, 0x7D,
    0x50, 0x86, 0xCB, 0x9B, 0x50, 0x72, 0x19, 0xEE, 0x95, 0xDB, 0x11, 0x3A, 0x91, 0x76, 0x78, 0xB2};

static void test_aes_chains_blocks_as_nist_cbc(void **state)
{
    uint8_t out[32];
    weft_xex_aes_decrypt(nist_key, nist_cipher, out, 32);
    for (unsigned i = 0; i < 16; i++) {
        out[i] ^= (uint8_t)i; /* the vector's IV is 00 01 .. 0f */
    }
    assert_memory_equal(out, nist_plain, 32);
}

static void test_aes_encrypts_as_nist_cbc_in_place(void **state)
{
    uint8_t data[32];
    memcpy(data, nist_plain, 32);
    for (unsigned i = 0; i < 16; i++) {
        data[i] ^= (uint8_t)i;
    }
    weft_xex_aes_encrypt(nist_key, data, data, 32);
    assert_memory_equal(data, nist_cipher, 32);
}

static void test_aes_leaves_a_partial_block_alone(void **state)
{
    uint8_t out[32];
    memset(out, 0x5A, sizeof out);
    weft_xex_aes_decrypt(nist_key, nist_cipher, out, 31);
    for (unsigned i = 16; i < 32; i++) {
        assert_int_equal(out[i], 0x5A);
    }
}

/* NIST FIPS 180-1, appendix A and B. */
static void test_sha1_of_abc_in_one_and_two_pieces(void **state)
{
    static const uint8_t abc[20] = {0xA9, 0x99, 0x3E, 0x36, 0x47, 0x06, 0x81, 0x6A, 0xBA, 0x3E,
                                    0x25, 0x71, 0x78, 0x50, 0xC2, 0x6C, 0x9C, 0xD0, 0xD8, 0x9D};
    uint8_t digest[20];
    weft_xex_sha1((const uint8_t *)"abc", 3, NULL, 0, digest);
    assert_memory_equal(digest, abc, 20);
    weft_xex_sha1((const uint8_t *)"a", 1, (const uint8_t *)"bc", 2, digest);
    assert_memory_equal(digest, abc, 20);
}

static void test_sha1_of_two_blocks(void **state)
{
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const uint8_t expected[20] = {0x84, 0x98, 0x3E, 0x44, 0x1C, 0x3B, 0xD2,
                                         0x6E, 0xBA, 0xAE, 0x4A, 0xA1, 0xF9, 0x51,
                                         0x29, 0xE5, 0xE5, 0x46, 0x70, 0xF1};
    uint8_t digest[20];
    weft_xex_sha1((const uint8_t *)text, 56, NULL, 0, digest);
    assert_memory_equal(digest, expected, 20);
}

/* The retail key as it is published (xenia src/xenia/cpu/xex_module.cc); the devkit's is all zero.
 */
static void test_console_keys_are_the_published_ones(void **state)
{
    static const uint32_t retail[4] = {0x20B185A5, 0x9D28FDC3, 0x40583FBB, 0x0896BF91};
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(weft_xex_retail_key[i], (retail[i / 4] >> (24 - i % 4 * 8)) & 0xFF);
        assert_int_equal(weft_xex_devkit_key[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aes_decrypts_the_fips_197_block),
        cmocka_unit_test(test_aes_chains_blocks_as_nist_cbc),
        cmocka_unit_test(test_aes_encrypts_as_nist_cbc_in_place),
        cmocka_unit_test(test_aes_leaves_a_partial_block_alone),
        cmocka_unit_test(test_sha1_of_abc_in_one_and_two_pieces),
        cmocka_unit_test(test_sha1_of_two_blocks),
        cmocka_unit_test(test_console_keys_are_the_published_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
