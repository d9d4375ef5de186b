/* Exports about modules, and those that end a title. */
#include <stdio.h>
#include <string.h>

#include "exports.h"
#include "loader.h"
#include "vfs.h"
#include "xex_layout.h"

/* Handles of the system's own modules, which have no image here. */
#define HANDLE_KRNL UINT32_C(0x80010000)
#define HANDLE_XAM  UINT32_C(0x80010100)

static int system_module(uint32_t handle)
{
    return handle == HANDLE_KRNL ? KMODULE_KRNL : handle == HANDLE_XAM ? KMODULE_XAM : -1;
}

/* Handle of a system module by name, 0: none. */
static uint32_t system_handle(const char *name)
{
    return vfs_compare(name, "xboxkrnl.exe") == 0 ? HANDLE_KRNL
           : vfs_compare(name, "xam.xex") == 0    ? HANDLE_XAM
                                                  : 0;
}

uint32_t ex_XexGetModuleHandle(kcall *call)
{
    kernel *k = call->k;
    char name[VFS_PATH_MAX];
    uint32_t handle = 0;
    if (!karg(call, 0)) {
        handle = k->title->handle;
    } else {
        kget_string(call, karg(call, 0), name, sizeof name);
        handle = system_handle(name);
        const kmodule *m = handle ? NULL : kimage_find(k, name);
        handle = m ? m->handle : handle;
    }
    kput32(call, karg(call, 1), handle);
    return kret_status(call, handle ? STATUS_SUCCESS : STATUS_NOT_FOUND);
}

/* Address of a system module's export; `name` NULL: by ordinal. */
static uint32_t system_address(kernel *k, unsigned module, const char *name, uint32_t ordinal)
{
    const kexport *row = name ? kexport_named(module, name) : kexport_find(module, ordinal);
    ordinal = row ? row->ordinal : name ? 0 : ordinal;
    return row && row->status == KEXPORT_VARIABLE ? kvariable(k, module, ordinal)
           : ordinal                              ? kthunk(k, module, ordinal)
                                                  : 0;
}

static uint32_t module_address(const kmodule *m, const char *name, uint32_t ordinal)
{
    for (uint32_t i = 0; name && i < m->export_count; i++) {
        if (m->exports[i].name && strcmp(m->exports[i].name, name) == 0) {
            return m->exports[i].address;
        }
    }
    return name ? 0 : weft_xex_export_find(m->exports, m->export_count, ordinal);
}

/* `ordinal` below 64 KiB is one, else the address of a name; module 0 is the title (xenia
 * src/xenia/kernel/xboxkrnl/xboxkrnl_modules.cc). */
uint32_t ex_XexGetProcedureAddress(kcall *call)
{
    kernel *k = call->k;
    uint32_t handle = karg(call, 0), ordinal = karg(call, 1), address;
    char text[256], *name = NULL;
    if (ordinal >= 0x10000) {
        kget_string(call, ordinal, text, sizeof text);
        name = text;
    }
    int module = system_module(handle);
    if (module >= 0) {
        address = system_address(k, (unsigned)module, name, ordinal);
    } else {
        const kmodule *m = handle ? kimage_of_handle(k, handle) : k->title;
        if (!m) {
            return kret_status(call, STATUS_INVALID_HANDLE);
        }
        address = module_address(m, name, ordinal);
    }
    kput32(call, karg(call, 2), address);
    return kret_status(call, address ? STATUS_SUCCESS : STATUS_DRIVER_ENTRYPOINT_NOT_FOUND);
}

/* ---- loading and unloading ---------------------------------------------------------------------
 */

/* A load that failed: says why, takes back what it had made; r3. `out` 0: nobody wants a handle. */
static uint32_t load_failed(kcall *call, const char *export, uint32_t batch, uint32_t out,
                            kstatus status, bool found, const char *err)
{
    kernel *k = call->k;
    char line[KMODULE_ERROR_SIZE + 40];
    snprintf(line, sizeof line, "%s: %s", export, err);
    /* a title may well ask for what need not be there */
    bool absent = status == STATUS_DLL_NOT_FOUND && !found;
    k->host->log(k->host, absent ? WEFT_LOG_INFO : WEFT_LOG_WARN, line);
    kimage_drop(k, batch, KSTAGE_LOADED);
    kattach_leave(k);
    if (out) {
        kput32(call, out, 0);
    }
    return kret_status(call, status);
}

static uint32_t load_again(kcall *call, uint32_t status)
{
    return ex_XexLoadImage(call);
}

uint32_t ex_XexLoadImage(kcall *call)
{
    kernel *k = call->k;
    char name[VFS_PATH_MAX], err[KMODULE_ERROR_SIZE] = "";
    uint32_t answer, handle;
    kget_string(call, karg(call, 0), name, sizeof name);
    if (!kwrite(call, karg(call, 3), 4) || call->faulted) {
        return K_DONE;
    }
    if ((handle = system_handle(name)) != 0) {
        kput32(call, karg(call, 3), handle);
        return kret_status(call, STATUS_SUCCESS);
    }
    if (!kattach_enter(call, load_again, &answer)) {
        return answer;
    }
    uint32_t batch = ++k->module_batch;
    kmodule *m = NULL;
    kstatus status = kimage_get(k, k->title, name, 0, &m, err);
    if (status != STATUS_SUCCESS) {
        return load_failed(call, "XexLoadImage", batch, karg(call, 3), status, m != NULL, err);
    }
    m->loads++;
    return kattach_loaded(call, m, 3);
}

static uint32_t load_memory_again(kcall *call, uint32_t status)
{
    return ex_XexLoadImageFromMemory(call);
}

/* (bytes, their count, name, flags, least version, module out): the last may be 0, as homebrew has
 * it. */
uint32_t ex_XexLoadImageFromMemory(kcall *call)
{
    kernel *k = call->k;
    char name[VFS_PATH_MAX], err[KMODULE_ERROR_SIZE] = "";
    uint32_t answer, size = karg(call, 1), out = karg(call, 5);
    kget_string(call, karg(call, 2), name, sizeof name);
    const void *bytes = size && size <= KMODULE_FILE_MAX ? kread(call, karg(call, 0), size) : NULL;
    if ((out && !kwrite(call, out, 4)) || call->faulted) {
        return K_DONE;
    }
    if (!bytes) {
        return kret_status(call, STATUS_INVALID_IMAGE_FORMAT);
    }
    if (!kattach_enter(call, load_memory_again, &answer)) {
        return answer;
    }
    uint32_t batch = ++k->module_batch;
    kmodule *m = NULL;
    kstatus status = kimage_get_memory(k, name, bytes, size, &m, err);
    if (status != STATUS_SUCCESS) {
        return load_failed(call, "XexLoadImageFromMemory", batch, out, status, m != NULL, err);
    }
    m->loads++;
    return kattach_loaded(call, m, 5);
}

static uint32_t unload(kcall *call, bool and_exit, kcontinuation again)
{
    kernel *k = call->k;
    uint32_t answer, handle = karg(call, 0);
    if (!kattach_enter(call, again, &answer)) {
        return answer;
    }
    kmodule *m = kimage_of_handle(k, handle);
    if (!m && !and_exit) {
        kattach_leave(k);
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    if (m) {
        m->loads -= m->loads > 0;
    }
    return kattach_collect(call, and_exit);
}

static uint32_t unload_again(kcall *call, uint32_t status)
{
    return ex_XexUnloadImage(call);
}

/* What only imports hold stays: an answer of success, as for the system's modules. */
uint32_t ex_XexUnloadImage(kcall *call)
{
    return system_module(karg(call, 0)) >= 0 ? kret_status(call, STATUS_SUCCESS)
                                             : unload(call, false, unload_again);
}

static uint32_t unload_exit_again(kcall *call, uint32_t status)
{
    return ex_XexUnloadImageAndExitThread(call);
}

/* (module, exit code): for a thread whose code lies in the module, so it returns to nobody (Win32's
 * FreeLibraryAndExitThread). */
uint32_t ex_XexUnloadImageAndExitThread(kcall *call)
{
    return unload(call, true, unload_exit_again);
}

/* The module around an address: its base, and its loader entry in *entry; both 0 if there is none
 * (RtlPcToFileHeader of NT; homebrew that calls it reads the entry). */
uint32_t ex_XexPcToFileHeader(kcall *call)
{
    const kmodule *m = kimage_around(call->k, karg(call, 0));
    if (karg(call, 1)) {
        kput32(call, karg(call, 1), m ? m->handle : 0);
    }
    return kret(call, m ? m->base : 0);
}

/* Optional header of a XEX header in guest memory: big-endian {key, value} pairs at 0x18. */
static bool find_header(kcall *call, uint32_t header, uint32_t key, uint32_t *at)
{
    uint32_t count = kget32(call, header + 0x14);
    for (uint32_t i = 0; i < count && i < 256 && !call->faulted; i++) {
        if (kget32(call, header + 0x18 + 8 * i) == key) {
            *at = header + 0x18 + 8 * i + 4;
            return true;
        }
    }
    return false;
}

/* The key's low byte: 0 the value itself, 1 where the value is, else the offset of a structure. */
uint32_t ex_RtlImageXexHeaderField(kcall *call)
{
    uint32_t header = karg(call, 0), key = karg(call, 1), at;
    if (!header || !find_header(call, header, key, &at)) {
        return kret(call, 0);
    }
    switch (key & 0xFF) {
    case 0:
        return kret(call, kget32(call, at));
    case 1:
        return kret(call, at);
    default:
        return kret(call, header + kget32(call, at));
    }
}

/* Resource {char name[8], u32 address, u32 size} list of header 0x000002FF. */
uint32_t ex_XexGetModuleSection(kcall *call)
{
    kernel *k = call->k;
    char name[9] = "";
    uint32_t at, handle = karg(call, 0);
    kget_string(call, karg(call, 1), name, sizeof name);
    const kmodule *m = kimage_of_handle(k, handle);
    if (!m) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    if (find_header(call, m->header, XEX_KEY_RESOURCES, &at)) {
        uint32_t list = m->header + kget32(call, at);
        uint32_t size = kget32(call, list);
        for (uint32_t i = 4; i + 16 <= size && !call->faulted; i += 16) {
            char entry[9] = "";
            for (uint32_t c = 0; c < 8; c++) {
                entry[c] = (char)kget8(call, list + i + c);
            }
            if (strcmp(entry, name) == 0) {
                kput32(call, karg(call, 2), kget32(call, list + i + 8));
                kput32(call, karg(call, 3), kget32(call, list + i + 12));
                return kret_status(call, STATUS_SUCCESS);
            }
        }
    }
    return kret_status(call, STATUS_NOT_FOUND);
}

/* ---- ends --------------------------------------------------------------------------------------
 */

static uint32_t bug_check(kcall *call, unsigned parameters)
{
    char text[200];
    int used = snprintf(text, sizeof text, "bug check 0x%08x", karg(call, 0));
    for (unsigned i = 1; i <= parameters && used > 0 && (size_t)used < sizeof text; i++) {
        used += snprintf(text + used, sizeof text - (size_t)used, ", 0x%08x", karg(call, i));
    }
    if (used > 0 && (size_t)used < sizeof text) {
        snprintf(text + used, sizeof text - (size_t)used, ", called from 0x%08x", call->caller);
    }
    kend(call->k, WEFT_END_BUGCHECK, 0, text);
    return K_GONE;
}

uint32_t ex_KeBugCheck(kcall *call)
{
    return bug_check(call, 0);
}

uint32_t ex_KeBugCheckEx(kcall *call)
{
    return bug_check(call, 4);
}

uint32_t ex_HalReturnToFirmware(kcall *call)
{
    kend(call->k, WEFT_END_EXIT, 0, "the title returned to the firmware");
    return K_GONE;
}

uint32_t ex_XamLoaderTerminateTitle(kcall *call)
{
    kend(call->k, WEFT_END_EXIT, 0, "the title terminated itself");
    return K_GONE;
}

uint32_t ex_XamLoaderLaunchTitle(kcall *call)
{
    char path[200] = "the dashboard", text[240];
    if (karg(call, 0)) {
        kget_string(call, karg(call, 0), path, sizeof path);
    }
    snprintf(text, sizeof text, "the title asked to launch %s", path);
    kend(call->k, WEFT_END_EXIT, 0, text);
    return K_GONE;
}

uint32_t ex_DbgBreakPoint(kcall *call)
{
    call->k->host->log(call->k->host, WEFT_LOG_WARN, "DbgBreakPoint: no debugger is attached");
    return K_DONE;
}
