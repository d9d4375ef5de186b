/* Winsock and XNet without a network. Error numbers: WinSock2.h (learn.microsoft.com, "Windows
 * Sockets Error Codes"); XNet's constants: xenia src/xenia/kernel/xam/xam_net.cc. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"

#define U(x) ((uint64_t)(x))

#define CALLER      U(1) /* XNCALLER_TITLE */
#define FAILED      UINT32_C(0xFFFFFFFF)
#define NETDOWN     10050
#define NOT_STARTED 10093

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

static uint32_t last_error(fixture *f)
{
    return (uint32_t)invoke(f, ex_NetDll_WSAGetLastError, 0);
}

static void start(fixture *f)
{
    assert_int_equal(invoke(f, ex_NetDll_WSAStartup, 3, CALLER, U(0x0202), U(f->scratch)), 0);
}

/* WSADATA: version, highest version, description[257], status[129], two u16, a pointer at 0x18C
 * that the title compares before and after. */
static void test_startup_succeeds_and_fills_wsadata(void **state)
{
    fixture *f = *state;
    set_word(f, f->scratch + 0x18C, 0x12345678);
    start(f);
    assert_int_equal(weft_load16(at(f, f->scratch)), 0x0202);
    assert_int_equal(weft_load16(at(f, f->scratch + 2)), 0x0202);
    assert_int_equal(word(f, f->scratch + 0x18C), 0x12345678);
}

static void test_startup_refuses_version_zero(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_NetDll_WSAStartup, 3, CALLER, U(0), U(0)), 10092);
}

static void test_startup_ex_starts_too(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_NetDll_WSAStartupEx, 4, CALLER, U(0x0101), U(0), U(0)), 0);
    invoke(f, ex_NetDll_socket, 4, CALLER, U(2), U(1), U(6));
    assert_int_equal(last_error(f), NETDOWN);
}

static void test_socket_needs_startup(void **state)
{
    fixture *f = *state;
    assert_int_equal((uint32_t)invoke(f, ex_NetDll_socket, 4, CALLER, U(2), U(1), U(6)), FAILED);
    assert_int_equal(last_error(f), NOT_STARTED);
}

static void test_socket_fails_with_netdown(void **state)
{
    fixture *f = *state;
    start(f);
    assert_int_equal((uint32_t)invoke(f, ex_NetDll_socket, 4, CALLER, U(2), U(1), U(6)), FAILED);
    assert_int_equal(last_error(f), NETDOWN);
}

/* SOCKET_ERROR is -1 as a register of 64 bits: `cmpwi` and `cmpdi` must both see it. */
static void test_socket_error_is_sign_extended(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_NetDll_socket, 4, CALLER, U(2), U(1), U(6)), UINT64_MAX);
}

static void test_every_socket_call_fails_with_netdown(void **state)
{
    fixture *f = *state;
    static const kexport_fn calls[] = {
        ex_NetDll_closesocket, ex_NetDll_shutdown, ex_NetDll_ioctlsocket, ex_NetDll_setsockopt,
        ex_NetDll_bind,        ex_NetDll_connect,  ex_NetDll_listen,      ex_NetDll_accept,
        ex_NetDll_recv,        ex_NetDll_recvfrom, ex_NetDll_send,        ex_NetDll_sendto,
        ex_NetDll_WSASendTo,
    };
    start(f);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        invoke(f, ex_NetDll_WSASetLastError, 1, U(0));
        uint32_t answer = (uint32_t)invoke(f, calls[i], 7, CALLER, U(0xF8000004), U(f->scratch),
                                           U(4), U(0), U(0), U(0));
        assert_int_equal(answer, FAILED);
        assert_int_equal(last_error(f), NETDOWN);
    }
}

static void test_cleanup_ends_what_startup_began(void **state)
{
    fixture *f = *state;
    start(f);
    assert_int_equal(invoke(f, ex_NetDll_WSACleanup, 1, CALLER), 0);
    assert_int_equal((uint32_t)invoke(f, ex_NetDll_WSACleanup, 1, CALLER), FAILED);
    assert_int_equal(last_error(f), NOT_STARTED);
}

static void test_last_error_is_what_was_set(void **state)
{
    fixture *f = *state;
    invoke(f, ex_NetDll_WSASetLastError, 1, U(10035));
    assert_int_equal(last_error(f), 10035);
    assert_int_equal(invoke(f, ex_GetLastError, 0), 10035); /* one value for both */
}

static void test_select_with_sockets_fails_with_netdown(void **state)
{
    fixture *f = *state;
    start(f);
    set_word(f, f->scratch, 1);
    set_word(f, f->scratch + 4, 0xF8000004);
    uint32_t answer =
        (uint32_t)invoke(f, ex_NetDll_select, 6, CALLER, U(0), U(f->scratch), U(0), U(0), U(0));
    assert_int_equal(answer, FAILED);
    assert_int_equal(last_error(f), NETDOWN);
}

/* "WSAEINVAL: ... all three descriptor parameters were null" (10022). */
static void test_select_without_sockets_is_invalid(void **state)
{
    fixture *f = *state;
    start(f);
    invoke(f, ex_NetDll_select, 6, CALLER, U(0), U(0), U(0), U(0), U(0));
    assert_int_equal(last_error(f), 10022);
}

/* A count beyond FD_SETSIZE, 64, must not lead out of the set. */
static void test_fd_is_set_looks_at_64_sockets(void **state)
{
    fixture *f = *state;
    set_word(f, f->scratch, 0xFFFFFFFF);
    set_word(f, f->scratch + 4 + 4 * 63, 77);
    set_word(f, f->scratch + 4 + 4 * 64, 78);
    assert_int_equal(invoke(f, ex_NetDll___WSAFDIsSet, 2, U(77), U(f->scratch)), 1);
    assert_int_equal(invoke(f, ex_NetDll___WSAFDIsSet, 2, U(78), U(f->scratch)), 0);
}

static uint32_t inet(fixture *f, const char *text)
{
    return (uint32_t)invoke(f, ex_NetDll_inet_addr, 1, U(set_text(f, f->scratch, text)));
}

/* inet_addr's documentation: "a.b.c.d", "a.b.c", "a.b", "a"; C prefixes for octal and hexadecimal.
 */
static void test_inet_addr_reads_every_form(void **state)
{
    fixture *f = *state;
    assert_int_equal(inet(f, "192.168.1.2"), 0xC0A80102);
    assert_int_equal(inet(f, "10.1.515"), 0x0A010203);  /* 515 = 0x203 */
    assert_int_equal(inet(f, "10.66051"), 0x0A010203);  /* 66051 = 0x10203 */
    assert_int_equal(inet(f, "167837955"), 0x0A010103); /* 10 * 2^24 + 1 * 2^16 + 1 * 2^8 + 3 */
    assert_int_equal(inet(f, "0x7f.0.0.01"), 0x7F000001);
}

static void test_inet_addr_refuses_what_is_no_address(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {"256.1.1.1", "1.2.3.256", "1.2.3.4.5", "1..2",
                                      "1.2.3.4x",  "host",      "4294967296"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(inet(f, bad[i]), 0xFFFFFFFF);
    }
    assert_int_equal(inet(f, ""), 0);
}

static void test_address_to_string(void **state)
{
    fixture *f = *state;
    assert_int_equal(
        invoke(f, ex_NetDll_XNetInAddrToString, 4, CALLER, U(0xC0A80102), U(f->scratch), U(16)), 0);
    assert_string_equal((char *)at(f, f->scratch), "192.168.1.2");
    /* 11 characters and the NUL need 12 */
    assert_int_equal(
        invoke(f, ex_NetDll_XNetInAddrToString, 4, CALLER, U(0xC0A80102), U(f->scratch), U(11)),
        10040);
}

static void test_title_has_no_address(void **state)
{
    fixture *f = *state;
    memset(at(f, f->scratch), 0xAA, 40);
    assert_int_equal(invoke(f, ex_NetDll_XNetGetTitleXnAddr, 2, CALLER, U(f->scratch)), 1);
    for (uint32_t i = 0; i < 36; i++) { /* sizeof(XNADDR) */
        assert_int_equal(*at(f, f->scratch + i), 0);
    }
    assert_int_equal(*at(f, f->scratch + 36), 0xAA);
}

static void test_no_link(void **state)
{
    assert_int_equal(invoke(*state, ex_NetDll_XNetGetEthernetLinkStatus, 1, CALLER), 0);
}

static void test_startup_parameters_are_read_back(void **state)
{
    fixture *f = *state;
    for (uint32_t i = 0; i < 13; i++) {
        *at(f, f->scratch + i) = (uint8_t)(13 + i);
    }
    assert_int_equal(invoke(f, ex_NetDll_XNetStartup, 2, CALLER, U(f->scratch)), 0);
    set_word(f, f->scratch + 0x100, 12);
    assert_int_equal(invoke(f, ex_NetDll_XNetGetOpt, 4, CALLER, U(1), U(f->scratch + 0x40),
                            U(f->scratch + 0x100)),
                     10040); /* WSAEMSGSIZE, and the size that is needed */
    assert_int_equal(word(f, f->scratch + 0x100), 13);
    assert_int_equal(invoke(f, ex_NetDll_XNetGetOpt, 4, CALLER, U(1), U(f->scratch + 0x40),
                            U(f->scratch + 0x100)),
                     0);
    assert_memory_equal(at(f, f->scratch + 0x40), at(f, f->scratch), 13);
    assert_int_equal(invoke(f, ex_NetDll_XNetCleanup, 2, CALLER, U(0)), 0);
}

static void test_dns_finds_no_host_and_signals(void **state)
{
    fixture *f = *state;
    uint32_t event = (uint32_t)invoke(f, ex_CreateEventA, 4, U(0), U(1), U(0), U(0));
    set_text(f, f->scratch + 0x40, "example.org");
    assert_int_equal(invoke(f, ex_NetDll_XNetDnsLookup, 4, CALLER, U(f->scratch + 0x40), U(event),
                            U(f->scratch)),
                     0);
    uint32_t dns = word(f, f->scratch);
    assert_int_equal(word(f, dns), 11001); /* WSAHOST_NOT_FOUND */
    assert_int_equal(word(f, dns + 4), 0); /* no addresses */
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(event), U(0)), 0);
    assert_int_equal(invoke(f, ex_NetDll_XNetDnsRelease, 2, CALLER, U(dns)), 0);
    assert_int_equal(invoke(f, ex_NetDll_XNetDnsRelease, 2, CALLER, U(dns)), 10022);
}

static void test_dns_gives_out_sixteen_at_a_time(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 16; i++) {
        assert_int_equal(invoke(f, ex_NetDll_XNetDnsLookup, 4, CALLER, U(0), U(0), U(f->scratch)),
                         0);
    }
    assert_int_equal(invoke(f, ex_NetDll_XNetDnsLookup, 4, CALLER, U(0), U(0), U(f->scratch)),
                     NETDOWN);
    assert_int_equal(word(f, f->scratch), 0);
}

static void test_system_link_port(void **state)
{
    fixture *f = *state;
    invoke(f, ex_NetDll_XNetGetSystemLinkPort, 2, CALLER, U(f->scratch));
    assert_int_equal(weft_load16(at(f, f->scratch)), 3074); /* the documented default */
    invoke(f, ex_NetDll_XNetSetSystemLinkPort, 2, CALLER, U(5000));
    invoke(f, ex_NetDll_XNetGetSystemLinkPort, 2, CALLER, U(f->scratch));
    assert_int_equal(weft_load16(at(f, f->scratch)), 5000);
}

static void test_wsa_set_event(void **state)
{
    fixture *f = *state;
    uint32_t event = (uint32_t)invoke(f, ex_CreateEventA, 4, U(0), U(1), U(0), U(0));
    assert_int_equal(invoke(f, ex_NetDll_WSASetEvent, 1, U(event)), 1);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(event), U(0)), 0);
    assert_int_equal(invoke(f, ex_NetDll_WSASetEvent, 1, U(0xF8000FFC)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_startup_succeeds_and_fills_wsadata),
        TEST(test_startup_refuses_version_zero),
        TEST(test_startup_ex_starts_too),
        TEST(test_socket_needs_startup),
        TEST(test_socket_fails_with_netdown),
        TEST(test_socket_error_is_sign_extended),
        TEST(test_every_socket_call_fails_with_netdown),
        TEST(test_cleanup_ends_what_startup_began),
        TEST(test_last_error_is_what_was_set),
        TEST(test_select_with_sockets_fails_with_netdown),
        TEST(test_select_without_sockets_is_invalid),
        TEST(test_fd_is_set_looks_at_64_sockets),
        TEST(test_inet_addr_reads_every_form),
        TEST(test_inet_addr_refuses_what_is_no_address),
        TEST(test_address_to_string),
        TEST(test_title_has_no_address),
        TEST(test_no_link),
        TEST(test_startup_parameters_are_read_back),
        TEST(test_dns_finds_no_host_and_signals),
        TEST(test_dns_gives_out_sixteen_at_a_time),
        TEST(test_system_link_port),
        TEST(test_wsa_set_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
