/* Winsock and XNet without a network. Error numbers: WinSock2.h (learn.microsoft.com, "Windows
 * Sockets Error Codes"); XNet's constants: xenia src/xenia/kernel/xam/xam_net.cc. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

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

/* ---- keys, addresses, probes -------------------------------------------------------------------
 */

#define CALLER U(1) /* XNCALLER_TITLE */

static void the_rest_of_winsock_is_down(void **state)
{
    static const kexport_fn fns[] = {
        ex_NetDll_getsockopt,     ex_NetDll_getsockname,           ex_NetDll_getpeername,
        ex_NetDll_WSARecv,        ex_NetDll_WSARecvFrom,           ex_NetDll_WSASend,
        ex_NetDll_WSAEventSelect, ex_NetDll_WSACancelOverlappedIO,
    };
    fixture *f = *state;
    f->k->net.started = 1;
    for (size_t i = 0; i < sizeof fns / sizeof fns[0]; i++) {
        klast_error_set(f->thread, 0);
        assert_int_equal((uint32_t)invoke(f, fns[i], 4, CALLER, U(1), U(0), U(0)), 0xFFFFFFFF);
        assert_int_equal(klast_error(f->thread), 10050); /* WSAENETDOWN */
    }
    assert_int_equal(invoke(f, ex_NetDll_WSAGetOverlappedResult, 4, CALLER, U(1), U(0), U(0)), 0);
    f->k->net.started = 0;
    invoke(f, ex_NetDll_WSARecv, 4, CALLER, U(1), U(0), U(0));
    assert_int_equal(klast_error(f->thread), 10093); /* WSANOTINITIALISED */
}

static void events_are_waited_for(void **state)
{
    fixture *f = *state;
    uint32_t list = f->scratch + 0x100;
    set_word(f, list, (uint32_t)invoke(f, ex_NetDll_WSACreateEvent, 0));
    set_word(f, list + 4, (uint32_t)invoke(f, ex_NetDll_WSACreateEvent, 0));
    assert_int_equal(
        invoke(f, ex_NetDll_WSAWaitForMultipleEvents, 5, U(2), U(list), U(0), U(0), U(0)), 258);
    invoke(f, ex_NetDll_WSASetEvent, 1, U(word(f, list + 4)));
    assert_int_equal(
        invoke(f, ex_NetDll_WSAWaitForMultipleEvents, 5, U(2), U(list), U(0), U(0), U(0)), 1);
    assert_int_equal(
        invoke(f, ex_NetDll_WSAWaitForMultipleEvents, 5, U(2), U(list), U(1), U(0), U(0)), 258);
    invoke(f, ex_NetDll_WSAWaitForMultipleEvents, 5, U(2), U(list), U(1), U(3), U(0));
    assert_int_equal(f->result, K_WAIT);
    pass(f, 2999999);
    assert_false(resume(f));
    pass(f, 2);
    assert_true(resume(f));
    assert_int_equal((uint32_t)invoke(f, ex_NetDll_WSAWaitForMultipleEvents, 5, U(65), U(list),
                                      U(0), U(0), U(0)),
                     0xFFFFFFFF);
    set_word(f, list, 12);
    assert_int_equal(
        (uint32_t)invoke(f, ex_NetDll_WSAWaitForMultipleEvents, 5, U(2), U(list), U(0), U(0), U(0)),
        0xFFFFFFFF);
    assert_int_equal(klast_error(f->thread), 6);
}

static void keys_are_registered(void **state)
{
    fixture *f = *state;
    uint32_t id = f->scratch + 0x100, key = f->scratch + 0x200;
    assert_int_equal(invoke(f, ex_NetDll_XNetUnregisterKey, 2, CALLER, U(id)), 10022);
    for (uint32_t i = 0; i < 9; i++) {
        assert_int_equal(invoke(f, ex_NetDll_XNetCreateKey, 3, CALLER, U(id), U(key)), 0);
        set_word(f, id, i); /* whatever was drawn, another one */
        assert_int_equal(invoke(f, ex_NetDll_XNetRegisterKey, 3, CALLER, U(id), U(key)),
                         i < 8 ? 0 : 10055); /* WSAENOBUFS */
        assert_int_equal(invoke(f, ex_NetDll_XNetRegisterKey, 3, CALLER, U(id), U(key)),
                         i < 8 ? 0 : 10055);
    }
    assert_int_equal(invoke(f, ex_NetDll_XNetReplaceKey, 3, CALLER, U(id), U(id)), 10022);
    uint64_t before = quad(f, id);
    f->k->net.key_used[3] = false;
    assert_int_equal(invoke(f, ex_NetDll_XNetRegisterKey, 3, CALLER, U(id), U(key)), 0);
    assert_int_equal(invoke(f, ex_NetDll_XNetReplaceKey, 3, CALLER, U(id), U(id)), 0);
    assert_int_equal(invoke(f, ex_NetDll_XNetQosListen, 6, CALLER, U(id), U(0), U(0), U(0), U(0)),
                     10050);
    assert_int_equal(invoke(f, ex_NetDll_XNetUnregisterKey, 2, CALLER, U(id)), 0);
    assert_int_equal(invoke(f, ex_NetDll_XNetUnregisterKey, 2, CALLER, U(id)), 10022);
    assert_int_equal(quad(f, id), before);
    invoke(f, ex_NetDll_XNetRegisterKey, 3, CALLER, U(0x10), U(key));
    assert_true(f->call.faulted);
}

static void random_bytes_differ(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + 0x100;
    assert_int_equal(invoke(f, ex_NetDll_XNetRandom, 3, CALLER, U(out), U(8)), 0);
    uint64_t first = quad(f, out);
    f->k->hw[0].time += 1000;
    invoke(f, ex_NetDll_XNetRandom, 3, CALLER, U(out), U(8));
    assert_int_not_equal(quad(f, out), first);
    assert_int_equal(quad(f, out + 8), 0);
}

static void nobody_has_an_address(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + 0x100, in = f->scratch;
    memset(at(f, out), 0xAA, 64);
    assert_int_equal(invoke(f, ex_NetDll_XNetXnAddrToInAddr, 4, CALLER, U(in), U(in), U(out)),
                     10022);
    assert_int_equal(word(f, out), 0);
    assert_int_equal(invoke(f, ex_NetDll_XNetInAddrToXnAddr, 4, CALLER, U(1), U(out), U(0)), 10022);
    assert_int_equal(*at(f, out + 35), 0);
    assert_int_equal(*at(f, out + 36), 0xAA); /* an XNADDR has 36 bytes */
    assert_int_equal(invoke(f, ex_NetDll_XNetXnAddrToMachineId, 3, CALLER, U(in), U(out)), 10022);
    assert_int_equal(invoke(f, ex_NetDll_XNetGetXnAddrPlatform, 3, CALLER, U(in), U(out)), 0);
    assert_int_equal(word(f, out), 1);
    assert_int_equal(invoke(f, ex_NetDll_XNetServerToInAddr, 4, CALLER, U(1), U(1), U(out)), 10050);
    assert_int_equal(invoke(f, ex_NetDll_XNetTsAddrToInAddr, 5, CALLER, U(1), U(1), U(in), U(out)),
                     10050);
    assert_int_equal(invoke(f, ex_NetDll_XNetInAddrToServer, 3, CALLER, U(1), U(out)), 10022);
    assert_int_equal(invoke(f, ex_NetDll_XNetUnregisterInAddr, 2, CALLER, U(1)), 10022);
    assert_int_equal(invoke(f, ex_NetDll_XNetGetDebugXnAddr, 2, CALLER, U(out)), 1);
    assert_int_equal(invoke(f, ex_NetDll_XNetGetBroadcastVersionStatus, 2, CALLER, U(1)), 0);
    assert_int_equal(invoke(f, ex_NetDll_XNetConnect, 2, CALLER, U(1)), 10050);
    assert_int_equal(invoke(f, ex_NetDll_XNetGetConnectStatus, 2, CALLER, U(1)), 3); /* lost */
    assert_int_equal(invoke(f, ex_NetDll_XNetSetOpt, 4, CALLER, U(1), U(in), U(4)), 10022);
    assert_int_equal(invoke(f, ex_NetDll_XNetQosGetListenStats, 3, CALLER, U(in), U(out)), 10022);
}

static void startup_with_a_version(void **state)
{
    fixture *f = *state;
    set_word(f, f->scratch, 0x0D010203); /* size and flags */
    assert_int_equal(invoke(f, ex_NetDll_XNetStartupEx, 3, CALLER, U(f->scratch), U(0x20449700)),
                     0);
    assert_int_equal(f->k->net.params[0], 0x0D);
}

/* XNQOS: count, pending; an info is complete (1), and the target was not contacted (2). */
static void probes_reach_nobody(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + 0x100;
    uint32_t event = (uint32_t)invoke(f, ex_NetDll_WSACreateEvent, 0);
    assert_int_equal(invoke(f, ex_NetDll_XNetQosLookup, 13, CALLER, U(2), U(0), U(0), U(0), U(1),
                            U(0), U(0), U(8), U(0), U(0), U(event), U(out)),
                     0);
    uint32_t qos = word(f, out);
    assert_int_equal(word(f, qos), 3);
    assert_int_equal(word(f, qos + 4), 0);
    assert_int_equal(*at(f, qos + 8 + 2 * 24), 1);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(event), U(0)), 0);
    assert_int_equal(invoke(f, ex_NetDll_XNetQosRelease, 2, CALLER, U(qos)), 0);
    assert_int_equal(invoke(f, ex_NetDll_XNetQosRelease, 2, CALLER, U(qos)), 10022);
    assert_int_equal(invoke(f, ex_NetDll_XNetQosServiceLookup, 4, CALLER, U(0), U(0), U(out)), 0);
    assert_int_equal(word(f, word(f, out)), 1);
    assert_int_equal(invoke(f, ex_NetDll_XNetQosLookup, 13, CALLER, U(0xFFFFFFFF), U(0), U(0), U(0),
                            U(2), U(0), U(0), U(8), U(0), U(0), U(0), U(out)),
                     10022);
    for (int i = 1; i < 16; i++) {
        invoke(f, ex_NetDll_XNetQosServiceLookup, 4, CALLER, U(0), U(0), U(out));
    }
    assert_int_equal(invoke(f, ex_NetDll_XNetQosServiceLookup, 4, CALLER, U(0), U(0), U(out)),
                     10055);
    assert_int_equal(word(f, out), 0);
}

static void addresses_have_no_names(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + 0x100;
    assert_int_equal(
        invoke(f, ex_NetDll_XNetDnsReverseLookup, 4, CALLER, U(0x7F000001), U(0), U(out)), 0);
    assert_int_equal(word(f, word(f, out)), 11001); /* WSAHOST_NOT_FOUND */
    assert_int_equal(invoke(f, ex_NetDll_XNetDnsReverseRelease, 2, CALLER, U(word(f, out))), 0);
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
        TEST(the_rest_of_winsock_is_down),
        TEST(events_are_waited_for),
        TEST(keys_are_registered),
        TEST(random_bytes_differ),
        TEST(nobody_has_an_address),
        TEST(startup_with_a_version),
        TEST(probes_reach_nobody),
        TEST(addresses_have_no_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
