/* XNet's keys, addresses and probes, and the rest of Winsock, on a console without a network
 * (xam_net.c): what is the title's own works, what would need another machine fails at once. Arguments:
 * xenia src/xenia/kernel/xam/xam_net.cc; constants: winsockx.h as homebrew has it. */
#include <string.h>

#include "exports.h"
#include "xam.h"

#define WSAEINVAL         UINT32_C(10022)
#define WSAENETDOWN       UINT32_C(10050)
#define WSAENOBUFS        UINT32_C(10055)
#define WSANOTINITIALISED UINT32_C(10093)

#define SOCKET_ERROR_VALUE UINT32_MAX
#define WSA_WAIT_FAILED    UINT32_MAX
#define WSA_INFINITE       UINT32_MAX
#define WAIT_MOST          64

#define XNADDR_SIZE      36
#define XNADDR_NONE      1
#define XNKID_SIZE       KNET_KEY_ID
#define XNKEY_SIZE       16
#define CONNECT_LOST     3 /* XNET_CONNECT_STATUS_* */
#define PLATFORM_XBOX360 1 /* XNET_XNADDR_PLATFORM_XBOX360 */

/* XNQOS {count, pending, infos}; XNQOSINFO has 24 bytes, the first of which are flags. */
#define QOS_HEADER   8
#define QOS_INFO     24
#define QOS_COMPLETE 1 /* XNET_XNQOSINFO_COMPLETE; 2 would be TARGET_CONTACTED */
#define QOS_TARGETS  64

static uint32_t socket_error(kcall *call)
{
    return kfail_with(call, call->k->net.started ? WSAENETDOWN : WSANOTINITIALISED,
                      SOCKET_ERROR_VALUE);
}

/* ---- Winsock -----------------------------------------------------------------------------------
 */

uint32_t ex_NetDll_getsockopt(kcall *call)
{
    return socket_error(call);
}

uint32_t ex_NetDll_getsockname(kcall *call)
{
    return socket_error(call);
}

uint32_t ex_NetDll_getpeername(kcall *call)
{
    return socket_error(call);
}

uint32_t ex_NetDll_WSARecv(kcall *call)
{
    return socket_error(call);
}

uint32_t ex_NetDll_WSARecvFrom(kcall *call)
{
    return socket_error(call);
}

uint32_t ex_NetDll_WSASend(kcall *call)
{
    return socket_error(call);
}

uint32_t ex_NetDll_WSAEventSelect(kcall *call)
{
    return socket_error(call);
}

uint32_t ex_NetDll_WSACancelOverlappedIO(kcall *call)
{
    return socket_error(call);
}

/* BOOL */
uint32_t ex_NetDll_WSAGetOverlappedResult(kcall *call)
{
    socket_error(call);
    return kret(call, 0);
}

/* (count, events, all of them, milliseconds, alertable): as NtWaitForMultipleObjectsEx. */
uint32_t ex_NetDll_WSAWaitForMultipleEvents(kcall *call)
{
    kobject *events[WAIT_MOST];
    uint32_t count = karg(call, 0), milliseconds = karg(call, 3);
    if (count == 0 || count > WAIT_MOST) {
        return kfail_with(call, X_ERROR_INVALID_PARAMETER, WSA_WAIT_FAILED);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t handle = kget32(call, karg(call, 1) + 4 * i);
        events[i] = khandle_get(call->k, call->thread, handle, KOBJECT_EVENT);
        if (!events[i]) {
            return kfail_with(call, X_ERROR_INVALID_HANDLE, WSA_WAIT_FAILED);
        }
    }
    int64_t timeout = -(int64_t)milliseconds * 10000;
    return kwait_objects(call, events, count, karg(call, 2) != 0, karg(call, 4) != 0,
                         milliseconds == WSA_INFINITE ? NULL : &timeout, NULL);
}

/* ---- keys --------------------------------------------------------------------------------------
 */

/* `length` bytes as XeCryptRandom draws them: the same in every run. */
static void draw(kcall *call, uint32_t address, uint32_t length)
{
    uint64_t r3 = call->cpu->r[3], r4 = call->cpu->r[4];
    call->cpu->r[3] = address;
    call->cpu->r[4] = length;
    ex_XeCryptRandom(call);
    call->cpu->r[3] = r3;
    call->cpu->r[4] = r4;
}

/* (caller, buffer, length) */
uint32_t ex_NetDll_XNetRandom(kcall *call)
{
    draw(call, karg(call, 1), karg(call, 2));
    return kret(call, 0);
}

/* (caller, key id out, key out) */
uint32_t ex_NetDll_XNetCreateKey(kcall *call)
{
    draw(call, karg(call, 1), XNKID_SIZE);
    draw(call, karg(call, 2), XNKEY_SIZE);
    return kret(call, 0);
}

/* The slot of a registered key id; KNET_KEYS: none. */
static uint32_t find_key(const knet_state *net, const void *id)
{
    uint32_t i = 0;
    while (i < KNET_KEYS && !(net->key_used[i] && memcmp(net->keys[i], id, XNKID_SIZE) == 0)) {
        i++;
    }
    return i;
}

/* (caller, key id, key) */
uint32_t ex_NetDll_XNetRegisterKey(kcall *call)
{
    knet_state *net = &call->k->net;
    const void *id = kread(call, karg(call, 1), XNKID_SIZE);
    uint32_t i = 0;
    if (!id || !kread(call, karg(call, 2), XNKEY_SIZE)) {
        return K_DONE;
    }
    if (find_key(net, id) < KNET_KEYS) {
        return kret(call, 0);
    }
    while (i < KNET_KEYS && net->key_used[i]) {
        i++;
    }
    if (i == KNET_KEYS) {
        return kret(call, WSAENOBUFS);
    }
    memcpy(net->keys[i], id, XNKID_SIZE);
    net->key_used[i] = true;
    return kret(call, 0);
}

/* (caller, key id) */
uint32_t ex_NetDll_XNetUnregisterKey(kcall *call)
{
    knet_state *net = &call->k->net;
    const void *id = kread(call, karg(call, 1), XNKID_SIZE);
    uint32_t i = id ? find_key(net, id) : KNET_KEYS;
    if (i == KNET_KEYS) {
        return kret(call, WSAEINVAL);
    }
    net->key_used[i] = false;
    return kret(call, 0);
}

/* (caller, key id, its replacement's) */
uint32_t ex_NetDll_XNetReplaceKey(kcall *call)
{
    knet_state *net = &call->k->net;
    const void *id = kread(call, karg(call, 1), XNKID_SIZE);
    const void *other = kread(call, karg(call, 2), XNKID_SIZE);
    bool known = id && other && find_key(net, id) < KNET_KEYS && find_key(net, other) < KNET_KEYS;
    return kret(call, known ? 0 : WSAEINVAL);
}

/* ---- addresses ---------------------------------------------------------------------------------
 */

static void put_zeros(kcall *call, uint32_t address, uint32_t length)
{
    void *p = address ? kwrite(call, address, length) : NULL;
    if (p) {
        memset(p, 0, length);
        kwritten(call->k, address, length);
    }
}

/* (caller, XNADDR, key id, address out): no other machine was ever met. */
uint32_t ex_NetDll_XNetXnAddrToInAddr(kcall *call)
{
    put_zeros(call, karg(call, 3), 4);
    return kret(call, WSAEINVAL);
}

/* (caller, address, XNADDR out, key id out) */
uint32_t ex_NetDll_XNetInAddrToXnAddr(kcall *call)
{
    put_zeros(call, karg(call, 2), XNADDR_SIZE);
    put_zeros(call, karg(call, 3), XNKID_SIZE);
    return kret(call, WSAEINVAL);
}

/* (caller, XNADDR, machine id out u64): not on Live, so none has an id. */
uint32_t ex_NetDll_XNetXnAddrToMachineId(kcall *call)
{
    put_zeros(call, karg(call, 2), 8);
    return kret(call, WSAEINVAL);
}

/* (caller, XNADDR, platform out) */
uint32_t ex_NetDll_XNetGetXnAddrPlatform(kcall *call)
{
    if (!kread(call, karg(call, 1), XNADDR_SIZE)) {
        return K_DONE;
    }
    kput32(call, karg(call, 2), PLATFORM_XBOX360);
    return kret(call, 0);
}

/* (caller, server, service, address out) */
uint32_t ex_NetDll_XNetServerToInAddr(kcall *call)
{
    put_zeros(call, karg(call, 3), 4);
    return kret(call, WSAENETDOWN);
}

/* (caller, address, service, key id, address out) */
uint32_t ex_NetDll_XNetTsAddrToInAddr(kcall *call)
{
    put_zeros(call, karg(call, 4), 4);
    return kret(call, WSAENETDOWN);
}

/* (caller, address, server out) */
uint32_t ex_NetDll_XNetInAddrToServer(kcall *call)
{
    put_zeros(call, karg(call, 2), 4);
    return kret(call, WSAEINVAL);
}

uint32_t ex_NetDll_XNetUnregisterInAddr(kcall *call)
{
    return kret(call, WSAEINVAL);
}

uint32_t ex_NetDll_XNetGetDebugXnAddr(kcall *call)
{
    put_zeros(call, karg(call, 1), XNADDR_SIZE);
    return kret(call, XNADDR_NONE);
}

/* Bits for other versions of games heard on the network. */
uint32_t ex_NetDll_XNetGetBroadcastVersionStatus(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_NetDll_XNetConnect(kcall *call)
{
    return kret(call, WSAENETDOWN);
}

uint32_t ex_NetDll_XNetGetConnectStatus(kcall *call)
{
    return kret(call, CONNECT_LOST);
}

/* (caller, parameters, version): as XNetStartup. */
uint32_t ex_NetDll_XNetStartupEx(kcall *call)
{
    return ex_NetDll_XNetStartup(call);
}

/* No option can be set. */
uint32_t ex_NetDll_XNetSetOpt(kcall *call)
{
    return kret(call, WSAEINVAL);
}

/* ---- probes ------------------------------------------------------------------------------------
 */

/* A look-up of `count` targets that is over at once: none was contacted. */
static uint32_t probe(kcall *call, uint32_t count, uint32_t event_handle, uint32_t out)
{
    kernel *k = call->k;
    uint32_t slot = 0, bytes = QOS_HEADER + QOS_INFO * count;
    while (slot < KNET_DNS_MAX && k->net.qos[slot]) {
        slot++;
    }
    if (!out || !kwrite(call, out, 4) || count > QOS_TARGETS) {
        return kret(call, WSAEINVAL);
    }
    uint32_t qos = slot < KNET_DNS_MAX
                       ? kalloc_for(k, call->thread, call->caller, bytes, KALLOCATION_SYSTEM)
                       : 0;
    kput32(call, out, qos);
    if (!qos) {
        return kret(call, WSAENOBUFS);
    }
    k->net.qos[slot] = qos;
    uint8_t *p = k->memory->base + qos;
    weft_store32(p, count);
    for (uint32_t i = 0; i < count; i++) {
        p[QOS_HEADER + QOS_INFO * i] = QOS_COMPLETE;
    }
    kwritten(k, qos, bytes);
    kobject *event = khandle_get(k, call->thread, event_handle, KOBJECT_EVENT);
    if (event) {
        ksignal_event(k, event);
    }
    return kret(call, 0);
}

/* (caller, XNADDR count, XNADDRs, key ids, keys, address count, addresses, services, probes, bits per
 * second, flags, event, XNQOS out) */
uint32_t ex_NetDll_XNetQosLookup(kcall *call)
{
    uint32_t machines = karg(call, 1), servers = karg(call, 5);
    uint32_t count =
        machines > QOS_TARGETS || servers > QOS_TARGETS ? QOS_TARGETS + 1 : machines + servers;
    return probe(call, count, karg(call, 11), karg(call, 12));
}

/* (caller, flags, event, XNQOS out) */
uint32_t ex_NetDll_XNetQosServiceLookup(kcall *call)
{
    return probe(call, 1, karg(call, 2), karg(call, 3));
}

/* (caller, XNQOS) */
uint32_t ex_NetDll_XNetQosRelease(kcall *call)
{
    kernel *k = call->k;
    for (uint32_t i = 0; i < KNET_DNS_MAX; i++) {
        if (k->net.qos[i] && k->net.qos[i] == karg(call, 1)) {
            kfree(k, k->net.qos[i]);
            k->net.qos[i] = 0;
            return kret(call, 0);
        }
    }
    return kret(call, WSAEINVAL);
}

/* (caller, key id, data, its size, bits per second, flags): nobody will ask. */
uint32_t ex_NetDll_XNetQosListen(kcall *call)
{
    const void *id = kread(call, karg(call, 1), XNKID_SIZE);
    bool known = id && find_key(&call->k->net, id) < KNET_KEYS;
    return kret(call, known ? WSAENETDOWN : WSAEINVAL);
}

/* (caller, key id, statistics out): no key is listened on. */
uint32_t ex_NetDll_XNetQosGetListenStats(kcall *call)
{
    return kret(call, WSAEINVAL);
}

/* ---- names of addresses: nobody knows any ------------------------------------------------------
 */

/* (caller, address, event, XNDNS out): as for a host, which is in the same argument. */
uint32_t ex_NetDll_XNetDnsReverseLookup(kcall *call)
{
    return ex_NetDll_XNetDnsLookup(call);
}

uint32_t ex_NetDll_XNetDnsReverseRelease(kcall *call)
{
    return ex_NetDll_XNetDnsRelease(call);
}
