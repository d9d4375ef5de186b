/* A network that is not there: start-up succeeds, as titles insist on, and everything that would
 * touch the wire fails at once with WSAENETDOWN. Every function that takes a socket lists that
 * error first (learn.microsoft.com/windows/win32/winsock); no socket is ever made, so none is told
 * apart. The first argument of most is XNCALLER_TYPE (xenia src/xenia/kernel/xam/xam_net.cc). */
#include <stdio.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

#define WSAEINVAL          UINT32_C(10022)
#define WSAEMSGSIZE        UINT32_C(10040)
#define WSAENETDOWN        UINT32_C(10050)
#define WSAVERNOTSUPPORTED UINT32_C(10092)
#define WSANOTINITIALISED  UINT32_C(10093)
#define WSAHOST_NOT_FOUND  UINT32_C(11001)

#define SOCKET_ERROR_VALUE  UINT32_MAX /* also INVALID_SOCKET */
#define XNADDR_SIZE         36
#define XNADDR_NONE         1 /* XNET_GET_XNADDR_NONE: no network, and no wait for one */
#define XNDNS_SIZE          40
#define STARTUP_PARAMS_SIZE 13 /* XNetStartupParams; its first byte is its size */
#define SYSTEM_LINK_PORT    3074
#define FD_SETSIZE_MAX      64

/* ---- start and end -----------------------------------------------------------------------------
 */

/* WSADATA: version @0, highest version @2, description[257] @4, status[129], most sockets @0x186,
 * datagram size @0x188, vendor pointer @0x18C, which titles expect to stay as it is. */
static uint32_t startup(kcall *call)
{
    uint32_t version = karg(call, 1) & 0xFFFF, out = karg(call, 2);
    if ((version & 0xFF) == 0) { /* the major version is the low byte */
        return kret(call, WSAVERNOTSUPPORTED);
    }
    uint8_t *p = out ? kwrite(call, out, 0x18C) : NULL;
    if (p) {
        weft_store16(p, (uint16_t)version);
        weft_store16(p + 2, 0x0202);
        p[4] = 0;
        p[4 + 257] = 0;
        weft_store16(p + 0x186, 0);
        weft_store16(p + 0x188, 0);
        kwritten(call->k, out, 0x18C);
    }
    call->k->net.started++;
    return kret(call, 0);
}

uint32_t ex_NetDll_WSAStartup(kcall *call)
{
    return startup(call);
}

uint32_t ex_NetDll_WSAStartupEx(kcall *call)
{
    return startup(call);
}

uint32_t ex_NetDll_WSACleanup(kcall *call)
{
    if (call->k->net.started == 0) {
        return kfail_with(call, WSANOTINITIALISED, SOCKET_ERROR_VALUE);
    }
    call->k->net.started--;
    return kret(call, 0);
}

uint32_t ex_NetDll_XNetStartup(kcall *call)
{
    uint32_t in = karg(call, 1);
    const void *p = in ? kread(call, in, STARTUP_PARAMS_SIZE) : NULL;
    if (p) {
        memcpy(call->k->net.params, p, STARTUP_PARAMS_SIZE);
    }
    return kret(call, 0);
}

uint32_t ex_NetDll_XNetCleanup(kcall *call)
{
    return kret(call, 0);
}

/* Option 1: the parameters of XNetStartup. */
uint32_t ex_NetDll_XNetGetOpt(kcall *call)
{
    uint32_t out = karg(call, 2), size_at = karg(call, 3);
    if (karg(call, 1) != 1) {
        return kret(call, WSAEINVAL);
    }
    uint32_t size = kget32(call, size_at);
    kput32(call, size_at, STARTUP_PARAMS_SIZE);
    if (size < STARTUP_PARAMS_SIZE) {
        return kret(call, WSAEMSGSIZE);
    }
    void *p = kwrite(call, out, STARTUP_PARAMS_SIZE);
    if (p) {
        memcpy(p, call->k->net.params, STARTUP_PARAMS_SIZE);
        kwritten(call->k, out, STARTUP_PARAMS_SIZE);
    }
    return kret(call, 0);
}

/* ---- errors ------------------------------------------------------------------------------------
 */

uint32_t ex_NetDll_WSAGetLastError(kcall *call)
{
    return kret(call, klast_error(call->thread));
}

uint32_t ex_NetDll_WSASetLastError(kcall *call)
{
    klast_error_set(call->thread, karg(call, 0));
    return K_DONE;
}

/* ---- sockets -----------------------------------------------------------------------------------
 */

static uint32_t down(kcall *call)
{
    uint32_t error = call->k->net.started ? WSAENETDOWN : WSANOTINITIALISED;
    return kfail_with(call, error, SOCKET_ERROR_VALUE);
}

uint32_t ex_NetDll_socket(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_closesocket(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_shutdown(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_ioctlsocket(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_setsockopt(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_bind(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_connect(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_listen(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_accept(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_recv(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_recvfrom(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_send(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_sendto(kcall *call)
{
    return down(call);
}

uint32_t ex_NetDll_WSASendTo(kcall *call)
{
    return down(call);
}

/* Sockets in an fd_set {u32 count, u32 sockets[64]}; NULL has none. */
static uint32_t set_count(kcall *call, uint32_t set)
{
    uint32_t count = set ? kget32(call, set) : 0;
    return count < FD_SETSIZE_MAX ? count : FD_SETSIZE_MAX;
}

/* (caller, ignored, read, write, except, timeout): three empty sets are an error of their own. */
uint32_t ex_NetDll_select(kcall *call)
{
    uint32_t sockets = set_count(call, karg(call, 2)) + set_count(call, karg(call, 3)) +
                       set_count(call, karg(call, 4));
    if (sockets == 0 && call->k->net.started) {
        return kfail_with(call, WSAEINVAL, SOCKET_ERROR_VALUE);
    }
    return down(call);
}

uint32_t ex_NetDll___WSAFDIsSet(kcall *call)
{
    uint32_t set = karg(call, 1), count = set_count(call, set);
    for (uint32_t i = 0; i < count; i++) {
        if (kget32(call, set + 4 + 4 * i) == karg(call, 0)) {
            return kret(call, 1);
        }
    }
    return kret(call, 0);
}

uint32_t ex_NetDll_WSASetEvent(kcall *call)
{
    return ex_SetEvent(call);
}

/* ---- addresses ---------------------------------------------------------------------------------
 */

/* One part of a dotted address: decimal, 0 octal or 0x hexadecimal. False: none there. */
static bool parse_part(const char **text, uint64_t *value)
{
    const char *s = *text;
    unsigned base = 10, digits = 0;
    *value = 0;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    } else if (s[0] == '0') {
        base = 8;
    }
    for (;; s++, digits++) {
        unsigned digit = *s >= '0' && *s <= '9'   ? (unsigned)(*s - '0')
                         : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a') + 10
                         : *s >= 'A' && *s <= 'F' ? (unsigned)(*s - 'A') + 10
                                                  : 99;
        if (digit >= base || *value > UINT32_MAX) {
            break;
        }
        *value = *value * base + digit;
    }
    *text = s;
    return digits > 0;
}

/* a.b.c.d, or fewer parts, of which the last fills what is left. INADDR_NONE: no address. */
static uint32_t parse_address(const char *text)
{
    uint64_t parts[4];
    unsigned count = 0;
    do {
        if (count == 4 || !parse_part(&text, &parts[count])) {
            return UINT32_MAX;
        }
        count++;
    } while (*text == '.' && *++text);
    uint32_t address = 0;
    for (unsigned i = 0; i + 1 < count; i++) {
        if (parts[i] > 255) {
            return UINT32_MAX;
        }
        address |= (uint32_t)parts[i] << (24 - 8 * i);
    }
    uint64_t last_limit = UINT64_C(1) << (8 * (5 - count));
    return *text || parts[count - 1] >= last_limit ? UINT32_MAX
                                                   : address | (uint32_t)parts[count - 1];
}

/* The address in network order, which is the console's own. "" is 0, as in old versions. */
uint32_t ex_NetDll_inet_addr(kcall *call)
{
    char text[64];
    if (!karg(call, 0)) {
        return kret(call, UINT32_MAX);
    }
    kget_string(call, karg(call, 0), text, sizeof text);
    return kret(call, text[0] ? parse_address(text) : 0);
}

/* (caller, address, text out, its size) */
uint32_t ex_NetDll_XNetInAddrToString(kcall *call)
{
    uint32_t address = karg(call, 1), out = karg(call, 2), room = karg(call, 3);
    char text[16];
    int length = snprintf(text, sizeof text, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
                          address >> 8 & 255, address & 255);
    if (room <= (uint32_t)length) {
        return kret(call, WSAEMSGSIZE);
    }
    void *p = kwrite(call, out, (uint32_t)length + 1);
    if (p) {
        memcpy(p, text, (size_t)length + 1);
        kwritten(call->k, out, (uint32_t)length + 1);
    }
    return kret(call, 0);
}

uint32_t ex_NetDll_XNetGetTitleXnAddr(kcall *call)
{
    uint32_t out = karg(call, 1);
    void *p = kwrite(call, out, XNADDR_SIZE);
    if (p) {
        memset(p, 0, XNADDR_SIZE);
        kwritten(call->k, out, XNADDR_SIZE);
    }
    return kret(call, XNADDR_NONE);
}

/* XNET_ETHERNET_LINK_* bits: none, no cable. */
uint32_t ex_NetDll_XNetGetEthernetLinkStatus(kcall *call)
{
    return kret(call, 0);
}

/* (caller, host, event, XNDNS pointer out): done at once, with a host that nobody knows. XNDNS:
 * status
 * @0, address count @4, eight addresses. */
uint32_t ex_NetDll_XNetDnsLookup(kcall *call)
{
    kernel *k = call->k;
    uint32_t out = karg(call, 3), slot = 0;
    while (slot < KNET_DNS_MAX && k->net.dns[slot]) {
        slot++;
    }
    if (!out || !kwrite(call, out, 4)) {
        return kret(call, WSAEINVAL);
    }
    uint32_t dns = slot < KNET_DNS_MAX
                       ? kalloc_for(k, call->thread, call->caller, XNDNS_SIZE, KALLOCATION_SYSTEM)
                       : 0;
    kput32(call, out, dns);
    if (!dns) {
        return kret(call, WSAENETDOWN);
    }
    k->net.dns[slot] = dns;
    weft_store32(k->memory->base + dns, WSAHOST_NOT_FOUND);
    kwritten(k, dns, 4);
    kobject *event = khandle_get(k, call->thread, karg(call, 2), KOBJECT_EVENT);
    if (event) {
        ksignal_event(k, event);
    }
    return kret(call, 0);
}

uint32_t ex_NetDll_XNetDnsRelease(kcall *call)
{
    kernel *k = call->k;
    for (uint32_t i = 0; i < KNET_DNS_MAX; i++) {
        if (k->net.dns[i] && k->net.dns[i] == karg(call, 1)) {
            kfree(k, k->net.dns[i]);
            k->net.dns[i] = 0;
            return kret(call, 0);
        }
    }
    return kret(call, WSAEINVAL);
}

uint32_t ex_NetDll_XNetSetSystemLinkPort(kcall *call)
{
    call->k->net.link_port = (uint16_t)karg(call, 1);
    return kret(call, 0);
}

uint32_t ex_NetDll_XNetGetSystemLinkPort(kcall *call)
{
    uint16_t port = call->k->net.link_port;
    kput16(call, karg(call, 1), port ? port : SYSTEM_LINK_PORT);
    return kret(call, 0);
}
