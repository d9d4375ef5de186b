/* The console's settings and the title's privileges. */
#include <string.h>

#include "exports.h"

/* XConfig settings by category and number (free60 wiki "XConfig"; xenia xboxkrnl_xconfig.cc). A
 * console sold in the USA: English, UTC, 720p over HDMI. Sizes are the setting's own. */
static const struct {
    uint16_t category, setting, size;
    uint32_t value;
    const char *name;
} settings[] = {
    {2, 2, 4, 0x00001000, "secured: AV region, USA and Canada: NTSC-M"},
    {2, 3, 2, 0x00FF, "secured: game region, North America"},
    {3, 1, 4, 0, "user: time zone bias, minutes"},
    {3, 2, 4, 0, "user: standard time name"},
    {3, 3, 4, 0, "user: daylight time name"},
    {3, 4, 4, 0, "user: standard time start"},
    {3, 5, 4, 0, "user: daylight time start"},
    {3, 6, 4, 0, "user: standard time bias"},
    {3, 7, 4, 0, "user: daylight time bias"},
    {3, 9, 4, 1, "user: language, English"},
    {3, 10, 4, 0x00040000, "user: video flags, widescreen"},
    {3, 11, 4, 0, "user: audio flags, digital stereo"},
    {3, 12, 4, 0, "user: retail flags"},
    {3, 14, 1, 103, "user: country, USA"},
    {3, 15, 1, 0, "user: parental control flags"},
    {3, 16, 3, 0, "user: SMB configuration"},
};

/* (category, setting, buffer, buffer size, required size out u16). Without a buffer the size must
 * be 0, and only the required size is told. */
uint32_t ex_ExGetXConfigSetting(kcall *call)
{
    uint16_t category = (uint16_t)karg(call, 0), setting = (uint16_t)karg(call, 1);
    uint32_t buffer = karg(call, 2), required = karg(call, 4);
    uint16_t size = (uint16_t)karg(call, 3);
    size_t i = 0, count = sizeof settings / sizeof settings[0];
    bool category_known = false;
    for (; i < count; i++) {
        category_known |= settings[i].category == category;
        if (settings[i].category == category && settings[i].setting == setting) {
            break;
        }
    }
    if (i == count) {
        return kret_status(call, category_known ? STATUS_INVALID_PARAMETER_2
                                                : STATUS_INVALID_PARAMETER_1);
    }
    if (buffer == 0 && size != 0) {
        return kret_status(call, STATUS_INVALID_PARAMETER_3);
    }
    if (buffer != 0 && size < settings[i].size) {
        return kret_status(call, STATUS_BUFFER_TOO_SMALL);
    }
    for (uint32_t n = 0; buffer != 0 && n < settings[i].size; n++) {
        kput8(call, buffer + n, (uint8_t)(settings[i].value >> 8 * (settings[i].size - 1 - n)));
    }
    if (required != 0) {
        kput16(call, required, settings[i].size);
    }
    return kret_status(call, STATUS_SUCCESS);
}

/* Bit n of the XEX header's system flags; 0 from 32 on (LESSONS 51). */
uint32_t ex_XexCheckExecutablePrivilege(kcall *call)
{
    uint32_t privilege = karg(call, 0);
    uint32_t flags = call->k->title ? call->k->title->system_flags : 0;
    return kret(call, privilege < 32 ? flags >> privilege & 1 : 0);
}
