/* Win32's text conversions and local time among XAM's exports (learn.microsoft.com/windows/win32/api).
 * Code pages are Latin-1, as in rtl.c; the console's clock runs in UTC (config.c). */
#include <string.h>

#include "exports.h"
#include "xam.h"

#define CODE_PAGE_UTF8 65001

/* Units to convert: `length`, or with -1 those up to the NUL and it. */
static uint32_t units_of(kcall *call, uint32_t at, uint32_t length, uint32_t width)
{
    uint32_t n = 0;
    if (length != UINT32_MAX) {
        return length;
    }
    while (!call->faulted && (width == 2 ? kget16(call, at + 2 * n) : kget8(call, at + n)) != 0) {
        n++;
    }
    return n + 1;
}

/* (code page, flags, source, its length, target, its room): units written, or with room 0 needed. */
static uint32_t convert(kcall *call, uint32_t from_width, uint32_t to_width)
{
    uint32_t from = karg(call, 2), to = karg(call, 4), room = karg(call, 5);
    uint32_t given = karg(call, 3);
    if (!from || given == 0 || (room && !to) || karg(call, 0) == CODE_PAGE_UTF8) {
        return kfail_with(call, X_ERROR_INVALID_PARAMETER, 0);
    }
    uint32_t units = units_of(call, from, given, from_width);
    if (call->faulted || room == 0) {
        return kret(call, call->faulted ? 0 : units);
    }
    if (units > room) {
        return kfail_with(call, X_ERROR_INSUFFICIENT_BUFFER, 0);
    }
    for (uint32_t i = 0; i < units && !call->faulted; i++) {
        if (to_width == 2) {
            kput16(call, to + 2 * i, kget8(call, from + i));
        } else {
            uint16_t c = kget16(call, from + 2 * i);
            kput8(call, to + i, c < 256 ? (uint8_t)c : '?');
        }
    }
    return kret(call, units);
}

uint32_t ex_MultiByteToWideChar(kcall *call)
{
    return convert(call, 1, 2);
}

uint32_t ex_WideCharToMultiByte(kcall *call)
{
    return convert(call, 2, 1);
}

uint32_t ex_OutputDebugStringW(kcall *call)
{
    kernel *k = call->k;
    char text[1024];
    kxam_text(call, karg(call, 0), text, sizeof text);
    if (!call->faulted) {
        k->host->print(k->host, call->thread->id, call->thread->tid, know(k), text, strlen(text));
    }
    return K_DONE;
}

/* SYSTEMTIME {year, month, weekday, day, hour, minute, second, ms}; TIME_FIELDS has the weekday
 * last. */
uint32_t ex_GetLocalTime(kcall *call)
{
    static const uint8_t order[8] = {0, 1, 7, 2, 3, 4, 5, 6};
    uint32_t out = karg(call, 0);
    uint16_t fields[8];
    kput64(call, out, ktime_system(call->k, know(call->k)));
    if (call->faulted || !kwrite(call, out, 16)) {
        return K_DONE;
    }
    call->cpu->r[4] = out;
    ex_RtlTimeToTimeFields(call);
    for (uint32_t i = 0; i < 8; i++) {
        fields[i] = kget16(call, out + 2 * i);
    }
    for (uint32_t i = 0; i < 8; i++) {
        kput16(call, out + 2 * i, fields[order[i]]);
    }
    return K_DONE;
}
