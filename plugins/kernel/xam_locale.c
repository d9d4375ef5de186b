/* Countries, languages, dates and times as texts, resource locators. The numbers of countries,
 * languages and locales are the console's; their codes are ISO 3166 and 639 (xenia
 * src/xenia/kernel/xam/xam_locale.cc). The console is that of config.c: USA, English. */
#include <stdio.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

#define X_E_NOTFOUND  UINT32_C(0x80070490)
#define COUNTRY_USA   103
#define LOCALE_USA    36
#define UNITS_PER_DAY UINT64_C(864000000000)
#define UNITS_PER_MIN UINT64_C(600000000)

/* Two letters each; "--": no such number. */
static const char countries[] = "ZZAEALAMARATAUAZBEBGBHBNBOBRBYBZCA--CHCLCNCOCRCZDEDKDODZECEE"
                                "EGESFIFOFRGBGEGRGTHKHNHRHUIDIEILINIQIRISITJMJOJPKEKGKRKWKZLB"
                                "LILTLULVLYMAMCMKMNMOMVMXMYNINLNONZOMPAPEPHPKPLPRPTPYQARORUSA"
                                "SESGSISK--SVSYTHTNTRTTTWUAUSUYUZVEVNYEZAZWZZ";
static const char languages[] = "zzenjadefresitkozhpt--plrusvtrnbnlzh";
static const char locales[] =
    "ZZAUATBEBRCACLCNCOCZDKFIFRDEGRHKHUINIEITJPKRMXNLNZNOPLPTSGSKZAESSECHTW"
    "GBUSRUZZTRARSAILAE";

/* ASCII as UTF-16 with its NUL into `room` characters, cut to fit. */
static void put_wide(kcall *call, uint32_t out, uint32_t room, const char *text)
{
    uint32_t length = (uint32_t)strlen(text);
    length = length < room ? length : room - 1;
    for (uint32_t i = 0; room && i < length; i++) {
        kput16(call, out + 2 * i, (uint8_t)text[i]);
    }
    if (room) {
        kput16(call, out + 2 * length, 0);
    }
}

/* (number, room, buffer) */
static uint32_t code_of(kcall *call, const char *table, size_t size)
{
    uint32_t id = karg(call, 0) & 0xFF, room = karg(call, 1);
    if (room >= UINT32_C(0x80000000)) {
        return kret_status(call, X_E_INVALIDARG);
    }
    if (id >= size / 2 || table[2 * id] == '-') {
        return kret_status(call, X_E_NOTFOUND);
    }
    if (room < 3) {
        return kret_status(call, X_HRESULT(X_ERROR_INSUFFICIENT_BUFFER));
    }
    put_wide(call, karg(call, 2), 3, (const char[]){table[2 * id], table[2 * id + 1], 0});
    return kret(call, 0);
}

uint32_t ex_XamGetCountryString(kcall *call)
{
    return code_of(call, countries, sizeof countries);
}

uint32_t ex_XamGetLanguageString(kcall *call)
{
    return code_of(call, languages, sizeof languages);
}

uint32_t ex_XamGetLocaleString(kcall *call)
{
    return code_of(call, locales, sizeof locales);
}

uint32_t ex_XamGetLocale(kcall *call)
{
    return kret(call, LOCALE_USA);
}

/* (highest country, highest locale that the title knows): where it does not know ours, the game
 * region decides, which is North America's here. */
uint32_t ex_XamGetLocaleEx(kcall *call)
{
    return kret(call, LOCALE_USA);
}

/* Year, month and day of days since 1601-01-01, in cycles of 400, 100, 4 and 1 years. */
static void date_of(uint32_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
    static const uint8_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t cycle = days / 146097, rest = days % 146097;
    uint32_t century = rest / 36524 < 3 ? rest / 36524 : 3;
    rest -= century * 36524;
    uint32_t four = rest / 1461;
    rest -= four * 1461;
    uint32_t one = rest / 365 < 3 ? rest / 365 : 3;
    rest -= one * 365;
    *year = 1601 + cycle * 400 + century * 100 + four * 4 + one;
    bool leap = one == 3 && (four != 24 || century == 3);
    for (*month = 1;; ++*month) {
        uint32_t length = lengths[*month - 1] + (*month == 2 && leap ? 1u : 0);
        if (rest < length) {
            break;
        }
        rest -= length;
    }
    *day = rest + 1;
}

static void format(kcall *call, bool date)
{
    uint64_t time = karg64(call, 1);
    uint32_t out = karg(call, 2), room = karg(call, 3), year, month, day;
    char text[32];
    date_of((uint32_t)(time / UNITS_PER_DAY), &year, &month, &day);
    uint32_t minutes = (uint32_t)(time % UNITS_PER_DAY / UNITS_PER_MIN);
    if (date) {
        snprintf(text, sizeof text, "%02u/%02u/%u", month, day, year);
    } else {
        snprintf(text, sizeof text, "%02u:%02u", minutes / 60, minutes % 60);
    }
    put_wide(call, out, room, text);
}

/* (unknown, 100 ns since 1601, buffer, its characters) */
uint32_t ex_XamFormatDateString(kcall *call)
{
    format(call, true);
    return K_DONE;
}

uint32_t ex_XamFormatTimeString(kcall *call)
{
    format(call, false);
    return K_DONE;
}

/* (module, container, resource, buffer, its characters): where a resource lies, in a section of a
 * module or in a file beside the title. */
uint32_t ex_XamBuildResourceLocator(kcall *call)
{
    char container[64], resource[128], text[224];
    uint32_t module = karg(call, 0);
    kxam_text(call, karg(call, 1), container, sizeof container);
    kxam_text(call, karg(call, 2), resource, sizeof resource);
    if (module) {
        snprintf(text, sizeof text, "section://%X,%s#%s", module, container, resource);
    } else {
        snprintf(text, sizeof text, "file://media:/%s.xzp#%s", container, resource);
    }
    put_wide(call, karg(call, 3), karg(call, 4), text);
    return kret(call, 0);
}
