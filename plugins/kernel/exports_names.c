/* What an ordinal is called, whether or not there is a row for it. */
#include "exports_names.h"

#include "kernel.h"

const char *kexport_ordinal_name(unsigned module, unsigned ordinal)
{
    const struct {
        const kexport_name *names;
        uint32_t count;
    } modules[] = {
        [KMODULE_KRNL] = {kexport_names_xboxkrnl, kexport_names_xboxkrnl_count},
        [KMODULE_XAM] = {kexport_names_xam, kexport_names_xam_count},
        [KMODULE_XBDM] = {kexport_names_xbdm, kexport_names_xbdm_count},
    };
    if (module >= sizeof modules / sizeof modules[0]) {
        return NULL;
    }
    const kexport_name *names = modules[module].names;
    uint32_t low = 0, high = modules[module].count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (names[middle].ordinal < ordinal) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < modules[module].count && names[low].ordinal == ordinal ? names[low].name : NULL;
}
