/* Exports that are not implemented: who called them, and what they answer. That is, for each
 * family, the error that its interface defines, so that a title takes its own way of saying no. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#define WSASYSNOTREADY       10091 /* winsock2.h */
#define WSANOTINITIALISED    10093
#define SOCKET_ERROR         UINT32_MAX
#define INVALID_HANDLE       UINT32_MAX
#define WAIT_FAILED          UINT32_MAX
#define XNET_GET_XNADDR_NONE 1 /* winsockx.h: no address */
#define E_NOTIMPL            UINT32_C(0x80004001)
#define CALL_NOT_IMPLEMENTED 120 /* [MS-ERREF] 2.2, ERROR_CALL_NOT_IMPLEMENTED */

/* Names that begin so, the first match counts. What answers a pointer, a handle, a count or a BOOL
 * answers 0. */
static const struct {
    uint8_t module;
    const char *prefix;
    uint32_t answer;
} families[] = {
    {KMODULE_XAM, "NetDll_WSAStartup", WSASYSNOTREADY},
    {KMODULE_XAM, "NetDll_XNetStartup", WSASYSNOTREADY},
    {KMODULE_XAM, "NetDll_WSAGetLastError", WSANOTINITIALISED},
    {KMODULE_XAM, "NetDll___WSAFDIsSet", 0},
    {KMODULE_XAM, "NetDll_XNetGetEthernetLinkStatus", 0}, /* no link */
    {KMODULE_XAM, "NetDll_XNetGetTitleXnAddr", XNET_GET_XNADDR_NONE},
    {KMODULE_XAM, "NetDll_XHttp", 0}, /* BOOL, handle */
    {KMODULE_XAM, "NetDll_", SOCKET_ERROR},
    {KMODULE_XAM, "Xui", E_NOTIMPL}, /* HRESULT */
    {KMODULE_XAM, "XUI", E_NOTIMPL},
    {KMODULE_XAM, "XNotify", 0}, /* BOOL: nothing there */
    {KMODULE_XAM, "XamNotifyCreateListener", 0},
    {KMODULE_XAM, "XamUserGetSigninState", 0}, /* not signed in */
    {KMODULE_XAM, "XamIsUIActive", 0},
    {KMODULE_XAM, "XamGetCurrentTitleId", 0},
    {KMODULE_XAM, "XamGetSystemVersion", 0},
    {KMODULE_XAM, "XamUpdateGetCurrentSystemVersion", 0},
    {KMODULE_XAM, "XamLoaderGetDvdTrayState", 0},
    /* Win32 under its own names: BOOL, handle or pointer */
    {KMODULE_XAM, "CreateFileA", INVALID_HANDLE},
    {KMODULE_XAM, "FindFirstFileA", INVALID_HANDLE},
    {KMODULE_XAM, "GetFileAttributesA", UINT32_MAX},
    {KMODULE_XAM, "WaitForSingleObject", WAIT_FAILED},
    {KMODULE_XAM, "ResumeThread", UINT32_MAX},
    {KMODULE_XAM, "GetLastError", CALL_NOT_IMPLEMENTED},
    {KMODULE_XAM, "XMemCpy", 0},
    {KMODULE_XAM, "X", CALL_NOT_IMPLEMENTED},
    {KMODULE_XAM, "?", CALL_NOT_IMPLEMENTED}, /* an ordinal without a name */
    {KMODULE_XAM, "", 0},
    {KMODULE_KRNL, "XeKeysHmacSha", 0}, /* BOOL */
    {KMODULE_KRNL, "XeKeysObfuscate", 0},
    {KMODULE_KRNL, "XeKeysUnObfuscate", 0},
    {KMODULE_KRNL, "", STATUS_NOT_IMPLEMENTED},
    {KMODULE_XBDM, "", E_NOTIMPL}, /* HRESULT */
};

static kmissing *entry_of(kernel *k, unsigned module, unsigned ordinal)
{
    for (uint32_t i = 0; i < k->missing_count; i++) {
        if (k->missing[i].module == module && k->missing[i].ordinal == ordinal) {
            return &k->missing[i];
        }
    }
    kmissing *grown = realloc(k->missing, (k->missing_count + 1) * sizeof *grown);
    if (!grown) {
        return NULL;
    }
    k->missing = grown;
    kmissing *entry = &k->missing[k->missing_count++];
    memset(entry, 0, sizeof *entry);
    entry->row = kexport_find(module, ordinal);
    entry->module = module;
    entry->ordinal = ordinal;
    return entry;
}

static bool new_site(kmissing *entry, uint32_t caller)
{
    for (uint32_t i = 0; i < entry->site_count; i++) {
        if (entry->sites[i] == caller) {
            return false;
        }
    }
    if (entry->site_count == KMISSING_SITES) {
        return false;
    }
    entry->sites[entry->site_count++] = caller;
    return true;
}

const char *kmissing_note(kcall *call, unsigned module, unsigned ordinal)
{
    kernel *k = call->k;
    const char *name = kexport_ordinal_name(module, ordinal);
    name = name ? name : "?";
    kmissing *entry = entry_of(k, module, ordinal);
    if (!entry) {
        return name; /* out of memory: the trace has it */
    }
    if (entry->count++ == 0) {
        entry->first_caller = call->caller;
        snprintf(entry->name, sizeof entry->name, "%s!%s", kexport_library(module), name);
    }
    if (new_site(entry, call->caller)) {
        char place[96], line[256];
        mm_place(k->mm, call->caller, place, sizeof place);
        snprintf(line, sizeof line, "%s (ordinal 0x%x) is not implemented, called from 0x%08x (%s)",
                 entry->name, ordinal, call->caller, place);
        k->host->log(k->host, WEFT_LOG_WARN, line);
    }
    return name;
}

/* Statuses and HRESULTs are signed; the other 32-bit values are not. */
uint64_t kmissing_answer(unsigned module, const char *name)
{
    for (unsigned i = 0; i < sizeof families / sizeof families[0]; i++) {
        uint32_t answer = families[i].answer;
        if (families[i].module == module &&
            strncmp(name, families[i].prefix, strlen(families[i].prefix)) == 0) {
            bool code = answer == E_NOTIMPL || answer == STATUS_NOT_IMPLEMENTED;
            return code ? (uint64_t)(int64_t)(int32_t)answer : answer;
        }
    }
    return 0;
}
