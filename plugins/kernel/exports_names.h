/* Tables of ordinals and names, one a module; exports_names.c searches them. */
#ifndef WEFT_KERNEL_EXPORTS_NAMES_H
#define WEFT_KERNEL_EXPORTS_NAMES_H

#include <stdint.h>

typedef struct kexport_name {
    uint16_t ordinal;
    const char *name;
} kexport_name;

extern const kexport_name kexport_names_xboxkrnl[], kexport_names_xam[], kexport_names_xbdm[];
extern const uint32_t kexport_names_xboxkrnl_count, kexport_names_xam_count,
    kexport_names_xbdm_count;

#endif
