/* XeCrypt against the vectors of the standards: FIPS 180-4 and RFC 1321 ("abc"), RFC 2202 case 1 and
 * 6, FIPS 197 A.1 and C.1, SP 800-38A F.2.1, SP 800-67 B.1; RC4 from its article's "Key"/"Plaintext";
 * numbers by hand (4^13 mod 497 = 445, 65^17 mod 3233 = 2790). */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"

#define U(x) ((uint64_t)(x))

#define STATE 0x100
#define IN    0x400
#define KEY   0x600
#define OUT   0x800
#define FEED  0x900

static int setup(void **state)
{
    *state = fixture_open();
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

/* Hex text to guest memory; answers its bytes. */
static uint32_t put(fixture *f, uint32_t offset, const char *hex)
{
    uint32_t n = 0;
    for (; hex[2 * n]; n++) {
        char pair[3] = {hex[2 * n], hex[2 * n + 1], 0};
        *at(f, f->scratch + offset + n) = (uint8_t)strtoul(pair, NULL, 16);
    }
    return n;
}

static void expect(fixture *f, uint32_t offset, const char *hex)
{
    uint8_t wanted[256];
    uint32_t n = 0;
    for (; hex[2 * n]; n++) {
        char pair[3] = {hex[2 * n], hex[2 * n + 1], 0};
        wanted[n] = (uint8_t)strtoul(pair, NULL, 16);
    }
    assert_memory_equal(at(f, f->scratch + offset), wanted, n);
}

static const char sha1_abc[] = "a9993e364706816aba3e25717850c26c9cd0d89d";
static const char sha256_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char md5_abc[] = "900150983cd24fb0d6963f7d28e17f72";

static void digests_of_three_pieces(void **state)
{
    static const struct {
        kexport_fn fn;
        const char *wanted;
    } all[] = {{ex_XeCryptSha, sha1_abc}, {ex_XeCryptSha256, sha256_abc}, {ex_XeCryptMd5, md5_abc}};
    fixture *f = *state;
    uint32_t in = set_text(f, f->scratch + IN, "abc");
    for (unsigned i = 0; i < 3; i++) {
        invoke(f, all[i].fn, 8, U(in), U(1), U(in + 1), U(1), U(in + 2), U(1), U(f->scratch + OUT),
               U(32));
        expect(f, OUT, all[i].wanted);
    }
}

/* A million of "a", 1000 at a time: the state goes through guest memory (FIPS 180-4's example). */
static void a_digest_piece_by_piece(void **state)
{
    static const struct {
        kexport_fn init, update, final;
        const char *wanted;
    } all[] = {
        {ex_XeCryptShaInit, ex_XeCryptShaUpdate, ex_XeCryptShaFinal,
         "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
        {ex_XeCryptSha256Init, ex_XeCryptSha256Update, ex_XeCryptSha256Final,
         "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
        {ex_XeCryptMd5Init, ex_XeCryptMd5Update, ex_XeCryptMd5Final,
         "7707d6ae4e027c70eea2a935c2296f21"},
    };
    fixture *f = *state;
    uint32_t s = f->scratch + STATE, in = f->scratch + 0x1000;
    memset(at(f, in), 'a', 1000);
    for (unsigned i = 0; i < 3; i++) {
        invoke(f, all[i].init, 1, U(s));
        for (unsigned n = 0; n < 1000; n++) {
            invoke(f, all[i].update, 3, U(s), U(in), U(1000));
        }
        assert_int_equal(word(f, s), 1000000);
        invoke(f, all[i].final, 3, U(s), U(f->scratch + OUT), U(32));
        expect(f, OUT, all[i].wanted);
    }
}

static void only_the_room_that_there_is(void **state)
{
    fixture *f = *state;
    uint32_t in = set_text(f, f->scratch + IN, "abc");
    memset(at(f, f->scratch + OUT), 0x77, 32);
    invoke(f, ex_XeCryptSha, 8, U(in), U(3), U(0), U(0), U(0), U(0), U(f->scratch + OUT), U(2));
    expect(f, OUT, "a9997777");
}

static void hmacs(void **state)
{
    fixture *f = *state;
    uint32_t key = f->scratch + KEY, in = set_text(f, f->scratch + IN, "Hi There");
    uint32_t out = f->scratch + OUT, s = f->scratch + STATE;
    const char *wanted = "b617318655057264e28bc0b6fb378c8ef146be00";
    memset(at(f, key), 0x0B, 20);
    invoke(f, ex_XeCryptHmacSha, 10, U(key), U(20), U(in), U(8), U(0), U(0), U(0), U(0), U(out),
           U(20));
    expect(f, OUT, wanted);
    assert_int_equal(invoke(f, ex_XeCryptHmacShaVerify, 10, U(key), U(20), U(in), U(8), U(0), U(0),
                            U(0), U(0), U(out), U(20)),
                     1);
    *at(f, out + 19) ^= 1;
    assert_int_equal(invoke(f, ex_XeCryptHmacShaVerify, 10, U(key), U(20), U(in), U(8), U(0), U(0),
                            U(0), U(0), U(out), U(20)),
                     0);
    invoke(f, ex_XeCryptHmacShaInit, 3, U(s), U(key), U(20));
    invoke(f, ex_XeCryptHmacShaUpdate, 3, U(s), U(in), U(8));
    invoke(f, ex_XeCryptHmacShaFinal, 3, U(s), U(out), U(20));
    expect(f, OUT, wanted);
    invoke(f, ex_XeCryptHmacMd5, 10, U(key), U(16), U(in), U(8), U(0), U(0), U(0), U(0), U(out),
           U(16));
    expect(f, OUT, "9294727a3638bb1c13f48ef8158bfc9d");
}

/* RFC 2202 case 6: a key of 80 bytes, more than a block. */
static void hmac_of_a_long_key(void **state)
{
    fixture *f = *state;
    uint32_t key = f->scratch + KEY, out = f->scratch + OUT;
    uint32_t in =
        set_text(f, f->scratch + IN, "Test Using Larger Than Block-Size Key - Hash Key First");
    memset(at(f, key), 0xAA, 80);
    invoke(f, ex_XeCryptHmacSha, 10, U(key), U(80), U(in), U(54), U(0), U(0), U(0), U(0), U(out),
           U(20));
    expect(f, OUT, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

static void rc4(void **state)
{
    fixture *f = *state;
    uint32_t key = set_text(f, f->scratch + KEY, "Key");
    uint32_t in = set_text(f, f->scratch + IN, "Plaintext"), s = f->scratch + STATE;
    invoke(f, ex_XeCryptRc4, 4, U(key), U(3), U(in), U(9));
    expect(f, IN, "bbf316e8d940af0ad3");
    invoke(f, ex_XeCryptRc4Key, 3, U(s), U(key), U(3));
    invoke(f, ex_XeCryptRc4Ecb, 3, U(s), U(in), U(4)); /* in two calls, as one stream */
    invoke(f, ex_XeCryptRc4Ecb, 3, U(s), U(in + 4), U(5));
    assert_memory_equal(at(f, in), "Plaintext", 9);
}

static void aes_one_block(void **state)
{
    fixture *f = *state;
    uint32_t s = f->scratch + STATE, in = f->scratch + IN, out = f->scratch + OUT;
    put(f, KEY, "000102030405060708090a0b0c0d0e0f");
    put(f, IN, "00112233445566778899aabbccddeeff");
    invoke(f, ex_XeCryptAesKey, 2, U(s), U(f->scratch + KEY));
    invoke(f, ex_XeCryptAesEcb, 4, U(s), U(in), U(out), U(1));
    expect(f, OUT, "69c4e0d86a7b0430d8cdb78070b4c55a");
    invoke(f, ex_XeCryptAesEcb, 4, U(s), U(out), U(out), U(0));
    expect(f, OUT, "00112233445566778899aabbccddeeff");
}

static void aes_schedule(void **state)
{
    fixture *f = *state;
    put(f, KEY, "2b7e151628aed2a6abf7158809cf4f3c");
    invoke(f, ex_XeCryptAesKey, 2, U(f->scratch + STATE), U(f->scratch + KEY));
    expect(f, STATE + 160, "d014f9a8c9ee2589e13f0cc8b6630ca6");
    expect(f, STATE + 176, "d014f9a8c9ee2589e13f0cc8b6630ca6"); /* decryption begins with it */
}

static void aes_chained(void **state)
{
    static const char text[] = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
    static const char secret[] = "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2";
    static const char feed[] = "000102030405060708090a0b0c0d0e0f";
    fixture *f = *state;
    uint32_t s = f->scratch + STATE, in = f->scratch + IN, iv = f->scratch + FEED;
    put(f, KEY, "2b7e151628aed2a6abf7158809cf4f3c");
    put(f, IN, text);
    put(f, FEED, feed);
    invoke(f, ex_XeCryptAesKey, 2, U(s), U(f->scratch + KEY));
    invoke(f, ex_XeCryptAesCbc, 6, U(s), U(in), U(16), U(in), U(iv), U(1));
    invoke(f, ex_XeCryptAesCbc, 6, U(s), U(in + 16), U(16), U(in + 16), U(iv), U(1));
    expect(f, IN, secret);
    expect(f, FEED, secret + 32);
    put(f, FEED, feed);
    invoke(f, ex_XeCryptAesCbc, 6, U(s), U(in), U(32), U(in), U(iv), U(0));
    expect(f, IN, text);
}

/* J. Orlin Grabbe's worked example of DES; SP 800-67's of triple DES. */
static void des(void **state)
{
    static const char text[] = "5468652071756663";
    fixture *f = *state;
    uint32_t s = f->scratch + STATE, in = f->scratch + IN, out = f->scratch + OUT;
    put(f, KEY, "133457799bbcdff1");
    put(f, IN, "0123456789abcdef");
    invoke(f, ex_XeCryptDesKey, 2, U(s), U(f->scratch + KEY));
    invoke(f, ex_XeCryptDesEcb, 4, U(s), U(in), U(out), U(1));
    expect(f, OUT, "85e813540f0ab405");
    invoke(f, ex_XeCryptDesEcb, 4, U(s), U(out), U(out), U(0));
    expect(f, OUT, "0123456789abcdef");
    put(f, KEY, "0123456789abcdef23456789abcdef01456789abcdef0123");
    put(f, IN, text);
    invoke(f, ex_XeCryptDes3Key, 2, U(s), U(f->scratch + KEY));
    invoke(f, ex_XeCryptDes3Ecb, 4, U(s), U(in), U(out), U(1));
    expect(f, OUT, "a826fd8ce53b855f");
    put(f, FEED, "0000000000000000");
    invoke(f, ex_XeCryptDes3Cbc, 6, U(s), U(in), U(8), U(out), U(f->scratch + FEED), U(1));
    expect(f, OUT, "a826fd8ce53b855f");
    invoke(f, ex_XeCryptDes3Ecb, 4, U(s), U(out), U(out), U(0));
    expect(f, OUT, text);
}

static void parity_is_odd(void **state)
{
    fixture *f = *state;
    put(f, IN, "000102fe7f");
    invoke(f, ex_XeCryptDesParity, 3, U(f->scratch + IN), U(5), U(f->scratch + OUT));
    expect(f, OUT, "010102fe7f");
}

static void powers(void **state)
{
    fixture *f = *state;
    uint32_t a = f->scratch + IN, out = f->scratch + OUT, key = f->scratch + KEY;
    set_quad(f, a, 4);
    set_quad(f, a + 16, 13);
    set_quad(f, a + 32, 497); /* two words each, the second 0 */
    assert_int_equal(invoke(f, ex_XeCryptBnQwNeModExp, 5, U(out), U(a), U(a + 16), U(a + 32), U(2)),
                     1);
    assert_int_equal(quad(f, out), 445);
    assert_int_equal(quad(f, out + 8), 0);
    set_quad(f, a, 65);
    set_word(f, key, 1);
    set_word(f, key + 4, 17);
    set_quad(f, key + 16, 3233);
    assert_int_equal(invoke(f, ex_XeCryptBnQwNeRsaPubCrypt, 3, U(a), U(out), U(key)), 1);
    assert_int_equal(quad(f, out), 2790);
    set_word(f, key, 0x20000001); /* times eight it is small again */
    assert_int_equal(invoke(f, ex_XeCryptBnQwNeRsaPubCrypt, 3, U(a), U(out), U(key)), 0);
}

static void words_are_copied_and_turned(void **state)
{
    fixture *f = *state;
    put(f, IN, "0102030405060708");
    invoke(f, ex_XeCryptBnQw_SwapDwQwLeBe, 3, U(f->scratch + IN), U(f->scratch + OUT), U(1));
    expect(f, OUT, "0807060504030201");
    invoke(f, ex_XeCryptBnQw_Copy, 3, U(f->scratch + IN), U(f->scratch + OUT), U(1));
    expect(f, OUT, "0102030405060708");
    invoke(f, ex_XeCryptBnQw_Copy, 3, U(f->scratch + IN), U(f->scratch + OUT), U(0x20000001));
    assert_true(f->call.faulted);
}

static void random_bytes_are_the_same_in_every_run(void **state)
{
    fixture *f = *state, *other = fixture_open();
    uint32_t out = f->scratch + OUT;
    invoke(f, ex_XeCryptRandom, 2, U(out), U(64));
    invoke(other, ex_XeCryptRandom, 2, U(other->scratch + OUT), U(64));
    assert_memory_equal(at(f, out), at(other, other->scratch + OUT), 64);
    pass(f, 100);
    invoke(f, ex_XeCryptRandom, 2, U(out), U(64));
    assert_memory_not_equal(at(f, out), at(other, other->scratch + OUT), 64);
    fixture_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(digests_of_three_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(a_digest_piece_by_piece, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_room_that_there_is, setup, teardown),
        cmocka_unit_test_setup_teardown(hmacs, setup, teardown),
        cmocka_unit_test_setup_teardown(hmac_of_a_long_key, setup, teardown),
        cmocka_unit_test_setup_teardown(rc4, setup, teardown),
        cmocka_unit_test_setup_teardown(aes_one_block, setup, teardown),
        cmocka_unit_test_setup_teardown(aes_schedule, setup, teardown),
        cmocka_unit_test_setup_teardown(aes_chained, setup, teardown),
        cmocka_unit_test_setup_teardown(des, setup, teardown),
        cmocka_unit_test_setup_teardown(parity_is_odd, setup, teardown),
        cmocka_unit_test_setup_teardown(powers, setup, teardown),
        cmocka_unit_test_setup_teardown(words_are_copied_and_turned, setup, teardown),
        cmocka_unit_test_setup_teardown(random_bytes_are_the_same_in_every_run, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
