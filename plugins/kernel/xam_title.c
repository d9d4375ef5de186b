/* The title as XAM knows it: its identity, launch data, what ends it, its disc. */
#include <stdio.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

#define XEX_EXECUTION_INFO UINT32_C(0x00040006) /* key of the optional header; 24 bytes */
#define EXECUTION_TITLE_ID 12

/* The console's software, as in XboxKrnlVersion: 2.0.17559.0, packed major:4 minor:4 build:16 qfe:8
 * (values of that form in xenia src/xenia/kernel/xam/xam_info.cc). */
#define SYSTEM_VERSION (UINT32_C(2) << 28 | UINT32_C(17559) << 8)

/* Guest address of the title's execution info, 0: none. The header was checked when it was loaded;
 * guest memory may have changed since, so each word is checked again. Optional headers: count
 * @0x14, pairs {key, offset} @0x18 (xenia src/xenia/kernel/util/xex2_info.h). */
static uint32_t execution_info(kernel *k)
{
    uint32_t header = k->title ? k->title->header : 0;
    const uint8_t *p = kxam_memory(k, header, 0x18, WEFT_PAGE_READ);
    uint32_t count = p ? weft_load32(p + 0x14) : 0;
    for (uint32_t i = 0; i < count && i < 256; i++) {
        p = kxam_memory(k, header + 0x18 + 8 * i, 8, WEFT_PAGE_READ);
        if (!p) {
            return 0;
        }
        if (weft_load32(p) == XEX_EXECUTION_INFO) {
            return header + weft_load32(p + 4);
        }
    }
    return 0;
}

uint32_t ex_XamGetExecutionId(kcall *call)
{
    uint32_t info = execution_info(call->k);
    kput32(call, karg(call, 0), info);
    return kret_status(call, info ? STATUS_SUCCESS : STATUS_NOT_FOUND);
}

uint32_t kxam_title_id(kernel *k)
{
    uint32_t info = execution_info(k);
    const uint8_t *p = info ? kxam_memory(k, info + EXECUTION_TITLE_ID, 4, WEFT_PAGE_READ) : NULL;
    return p ? weft_load32(p) : 0;
}

uint32_t ex_XamGetCurrentTitleId(kcall *call)
{
    return kret(call, kxam_title_id(call->k));
}

uint32_t ex_XamGetSystemVersion(kcall *call)
{
    return kret(call, SYSTEM_VERSION);
}

uint32_t ex_XamUpdateGetCurrentSystemVersion(kcall *call)
{
    return kret(call, SYSTEM_VERSION);
}

/* (which timer, on): the console neither dims its screen nor turns itself off. */
uint32_t ex_XamEnableInactivityProcessing(kcall *call)
{
    return kret(call, X_ERROR_SUCCESS);
}

uint32_t ex_XamSetDashContext(kcall *call)
{
    call->k->xam.dash_context = karg(call, 0);
    return K_DONE;
}

uint32_t ex_XamGetDashContext(kcall *call)
{
    return kret(call, call->k->xam.dash_context);
}

/* ---- the end of the title ----------------------------------------------------------------------
 */

static uint32_t launch(kcall *call, uint32_t path, const char *what)
{
    char name[160] = "nothing", text[256];
    if (path) {
        kget_string(call, path, name, sizeof name);
    }
    snprintf(text, sizeof text, "the title asked to launch %s %s", what, name);
    kend(call->k, WEFT_END_EXIT, 0, text);
    return K_GONE;
}

uint32_t ex_XamContentLaunchImageFromFileInternal(kcall *call)
{
    return launch(call, karg(call, 0), "the package");
}

uint32_t ex_XamLoaderLaunchTitleEx(kcall *call)
{
    return launch(call, karg(call, 0), "the title");
}

/* (name, module out, flags, least version): instead of the title that runs. */
uint32_t ex_XexLoadExecutable(kcall *call)
{
    return launch(call, karg(call, 0), "the executable");
}

/* (user, XCONTENT_DATA, executable in it) */
uint32_t ex_XamContentLaunchImage(kcall *call)
{
    return launch(call, karg(call, 2), "from a package");
}

/* ---- the disc drive, which is empty ------------------------------------------------------------
 */

/* (media type out, title id out or 0): DVD_MEDIA_TYPE_NONE (homebrew's XAM headers). */
uint32_t ex_XamLoaderGetMediaInfo(kcall *call)
{
    kput32(call, karg(call, 0), 0);
    if (karg(call, 1)) {
        kput32(call, karg(call, 1), 0);
    }
    return kret(call, 0);
}

/* DVD_TRAY_STATE_EMPTY */
uint32_t ex_XamLoaderGetDvdTrayState(kcall *call)
{
    return kret(call, 0);
}

/* (mode), the service that Live would be asked: 0 production, 1 staging. */
uint32_t ex_XamSetStagingMode(kcall *call)
{
    call->k->xam.staging_mode = karg(call, 0);
    return K_DONE;
}

uint32_t ex_XamGetStagingMode(kcall *call)
{
    return kret(call, call->k->xam.staging_mode);
}

/* ---- launch data -------------------------------------------------------------------------------
 */

uint32_t ex_XamLoaderSetLaunchData(kcall *call)
{
    kernel *k = call->k;
    uint32_t size = karg(call, 1);
    if (size > KXAM_LAUNCH_DATA_MAX) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    const void *p = size ? kread(call, karg(call, 0), size) : NULL;
    if (p) {
        memcpy(k->xam.launch_data, p, size);
    }
    k->xam.launch_data_size = p ? size : 0;
    return kret(call, X_ERROR_SUCCESS);
}

uint32_t ex_XamLoaderGetLaunchDataSize(kcall *call)
{
    uint32_t out = karg(call, 0), size = call->k->xam.launch_data_size;
    if (!out) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    kput32(call, out, size);
    return kret(call, size ? X_ERROR_SUCCESS : X_ERROR_NOT_FOUND);
}

uint32_t ex_XamLoaderGetLaunchData(kcall *call)
{
    kernel *k = call->k;
    uint32_t size = karg(call, 1);
    if (k->xam.launch_data_size == 0) {
        return kret(call, X_ERROR_NOT_FOUND);
    }
    size = size < k->xam.launch_data_size ? size : k->xam.launch_data_size;
    void *p = size ? kwrite(call, karg(call, 0), size) : NULL;
    if (p) {
        memcpy(p, k->xam.launch_data, size);
        kwritten(k, karg(call, 0), size);
    }
    return kret(call, X_ERROR_SUCCESS);
}
