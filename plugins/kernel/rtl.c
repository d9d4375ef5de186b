/* Run-time library exports: counted strings, code pages, memory, times, status codes. Semantics are
 * those of the NT documentation; ANSI is Latin-1 here, as xenia has it (xboxkrnl_rtl.cc). */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "mm.h"

/* STRING and UNICODE_STRING: {length u16@0, capacity u16@2, pointer u32@4}, lengths in bytes. */
typedef struct counted {
    uint16_t length, capacity;
    uint32_t buffer;
} counted;

static counted get_string(kcall *call, uint32_t address)
{
    return (counted){
        .length = kget16(call, address),
        .capacity = kget16(call, address + 2),
        .buffer = kget32(call, address + 4),
    };
}

static void put_string(kcall *call, uint32_t address, counted string)
{
    kput16(call, address, string.length);
    kput16(call, address + 2, string.capacity);
    kput32(call, address + 4, string.buffer);
}

/* ---- characters ------------------------------------------------------------------------------ */

/* Latin-1 and what pairs with it; other scripts have no case here. 0xDF and 0xFF have no upper form
 * in the table that 0xD7 and 0xF7 (signs) leave out. */
static uint16_t upcase(uint16_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 0xE0 && c <= 0xFE && c != 0xF7)) {
        return (uint16_t)(c - 0x20);
    }
    return c == 0xFF ? 0x178 : c;
}

static uint16_t downcase(uint16_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7)) {
        return (uint16_t)(c + 0x20);
    }
    return c == 0x178 ? 0xFF : c;
}

static uint8_t ansi_of(uint16_t c)
{
    return c < 256 ? (uint8_t)c : '?';
}

uint32_t ex_RtlUpcaseUnicodeChar(kcall *call)
{
    return kret(call, upcase((uint16_t)karg(call, 0)));
}

uint32_t ex_RtlDowncaseUnicodeChar(kcall *call)
{
    return kret(call, downcase((uint16_t)karg(call, 0)));
}

uint32_t ex_RtlUpperChar(kcall *call)
{
    uint8_t c = (uint8_t)karg(call, 0);
    return kret(call, c >= 'a' && c <= 'z' ? c - 0x20u : c);
}

uint32_t ex_RtlLowerChar(kcall *call)
{
    uint8_t c = (uint8_t)karg(call, 0);
    return kret(call, c >= 'A' && c <= 'Z' ? c + 0x20u : c);
}

/* ---- counted strings ------------------------------------------------------------------------- */

/* Length in units of a NUL-ended guest text, at most `most`. */
static uint32_t text_length(kcall *call, uint32_t address, bool wide, uint32_t most)
{
    uint32_t n = 0;
    while (n < most && (wide ? kget16(call, address + n * 2) : kget8(call, address + n)) != 0 &&
           !call->faulted) {
        n++;
    }
    return n;
}

/* Longest text that the 16-bit fields can say, with its NUL (ReactOS sdk/lib/rtl). */
uint32_t ex_RtlInitAnsiString(kcall *call)
{
    counted string = {.buffer = karg(call, 1)};
    if (string.buffer != 0) {
        string.length = (uint16_t)text_length(call, string.buffer, false, 0xFFFE);
        string.capacity = string.length + 1;
    }
    put_string(call, karg(call, 0), string);
    return K_DONE;
}

uint32_t ex_RtlInitUnicodeString(kcall *call)
{
    counted string = {.buffer = karg(call, 1)};
    if (string.buffer != 0) {
        string.length = (uint16_t)(text_length(call, string.buffer, true, 0x7FFE) * 2);
        string.capacity = string.length + 2;
    }
    put_string(call, karg(call, 0), string);
    return K_DONE;
}

static uint32_t free_string(kcall *call)
{
    uint32_t address = karg(call, 0);
    mm_pool_free(call->k->mm, get_string(call, address).buffer);
    put_string(call, address, (counted){0});
    return K_DONE;
}

uint32_t ex_RtlFreeAnsiString(kcall *call)
{
    return free_string(call);
}

uint32_t ex_RtlFreeUnicodeString(kcall *call)
{
    return free_string(call);
}

/* Copies what fits; an absent source empties the destination. */
static uint32_t copy_string(kcall *call, uint32_t unit)
{
    uint32_t to_at = karg(call, 0), from_at = karg(call, 1);
    counted to = get_string(call, to_at);
    uint16_t length = 0;
    if (from_at != 0) {
        counted from = get_string(call, from_at);
        length = from.length < to.capacity ? from.length : to.capacity;
        length -= length % unit;
        const void *source = kread(call, from.buffer, length);
        void *target = kwrite(call, to.buffer, length);
        if (source && target) {
            memmove(target, source, length);
            kwritten(call->k, to.buffer, length);
        }
        if (unit == 2 && !call->faulted && length + 2u <= to.capacity) {
            kput16(call, to.buffer + length, 0);
        }
    }
    kput16(call, to_at, length);
    return K_DONE;
}

uint32_t ex_RtlCopyString(kcall *call)
{
    return copy_string(call, 1);
}

uint32_t ex_RtlCopyUnicodeString(kcall *call)
{
    return copy_string(call, 2);
}

/* Order of two runs of units: difference of the first that differ, else of the lengths (NT). */
static int32_t compare(kcall *call, uint32_t a, uint32_t a_units, uint32_t b, uint32_t b_units,
                       bool wide, bool fold)
{
    uint32_t most = a_units < b_units ? a_units : b_units;
    for (uint32_t i = 0; i < most && !call->faulted; i++) {
        uint16_t x = wide ? kget16(call, a + i * 2) : kget8(call, a + i);
        uint16_t y = wide ? kget16(call, b + i * 2) : kget8(call, b + i);
        if (fold) {
            x = upcase(x);
            y = upcase(y);
        }
        if (x != y) {
            return (int32_t)x - (int32_t)y;
        }
    }
    return (int32_t)(a_units - b_units); /* of counts that no string has, it wraps */
}

static uint32_t ret_signed(kcall *call, int32_t value)
{
    return kret64(call, (uint64_t)(int64_t)value);
}

uint32_t ex_RtlCompareString(kcall *call)
{
    counted a = get_string(call, karg(call, 0)), b = get_string(call, karg(call, 1));
    return ret_signed(
        call, compare(call, a.buffer, a.length, b.buffer, b.length, false, karg(call, 2) != 0));
}

uint32_t ex_RtlCompareUnicodeString(kcall *call)
{
    counted a = get_string(call, karg(call, 0)), b = get_string(call, karg(call, 1));
    return ret_signed(call, compare(call, a.buffer, a.length / 2, b.buffer, b.length / 2, true,
                                    karg(call, 2) != 0));
}

/* Texts with lengths; 0xFFFF means up to the NUL (xenia xboxkrnl_rtl.cc). */
static uint32_t compare_n(kcall *call, bool wide)
{
    uint32_t a = karg(call, 0), b = karg(call, 2);
    uint32_t a_units =
        karg(call, 1) == 0xFFFF ? text_length(call, a, wide, UINT32_MAX) : karg(call, 1);
    uint32_t b_units =
        karg(call, 3) == 0xFFFF ? text_length(call, b, wide, UINT32_MAX) : karg(call, 3);
    return ret_signed(call, compare(call, a, a_units, b, b_units, wide, karg(call, 4) != 0));
}

uint32_t ex_RtlCompareStringN(kcall *call)
{
    return compare_n(call, false);
}

uint32_t ex_RtlCompareUnicodeStringN(kcall *call)
{
    return compare_n(call, true);
}

/* ---- code pages ------------------------------------------------------------------------------ */

/* Copies `units` characters from one width to the other. */
static void convert(kcall *call, uint32_t to, uint32_t from, uint32_t units, bool widen)
{
    const uint8_t *source = kread(call, from, widen ? units : units * 2);
    uint8_t *target = kwrite(call, to, widen ? units * 2 : units);
    if (!source || !target) {
        return;
    }
    for (uint32_t i = 0; i < units; i++) {
        if (widen) {
            weft_store16(target + i * 2, source[i]);
        } else {
            target[i] = ansi_of(weft_load16(source + i * 2));
        }
    }
    kwritten(call->k, to, widen ? units * 2 : units);
}

uint32_t ex_RtlMultiByteToUnicodeN(kcall *call)
{
    uint32_t room = karg(call, 1) / 2, written = karg(call, 2), units = karg(call, 4);
    units = units < room ? units : room;
    convert(call, karg(call, 0), karg(call, 3), units, true);
    if (written != 0) {
        kput32(call, written, units * 2);
    }
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_RtlUnicodeToMultiByteN(kcall *call)
{
    uint32_t room = karg(call, 1), written = karg(call, 2), units = karg(call, 4) / 2;
    units = units < room ? units : room;
    convert(call, karg(call, 0), karg(call, 3), units, false);
    if (written != 0) {
        kput32(call, written, units);
    }
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_RtlMultiByteToUnicodeSize(kcall *call)
{
    kput32(call, karg(call, 0), karg(call, 2) * 2);
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_RtlUnicodeToMultiByteSize(kcall *call)
{
    kput32(call, karg(call, 0), karg(call, 2) / 2);
    return kret_status(call, STATUS_SUCCESS);
}

/* (destination, source, allocate): both directions. The result always ends in NUL; without room for
 * all of it, what fits is converted and the status is BUFFER_OVERFLOW. */
static uint32_t convert_string(kcall *call, bool widen)
{
    uint32_t to_at = karg(call, 0), unit = widen ? 2 : 1;
    counted from = get_string(call, karg(call, 1)), to = get_string(call, to_at);
    uint32_t units = widen ? from.length : from.length / 2, bytes = (units + 1) * unit;
    kstatus status = STATUS_SUCCESS;
    if (call->faulted) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    if (bytes > 0xFFFF) {
        return kret_status(call, STATUS_INVALID_PARAMETER_2);
    }
    if (karg(call, 2) & 0xFF) {
        to.buffer = mm_pool_alloc(call->k->mm, call->thread, bytes);
        if (to.buffer == 0) {
            return kret_status(call, STATUS_NO_MEMORY);
        }
        to.capacity = (uint16_t)bytes;
    } else if (bytes > to.capacity) {
        if (to.capacity < unit) {
            return kret_status(call, STATUS_BUFFER_OVERFLOW);
        }
        units = to.capacity / unit - 1;
        status = STATUS_BUFFER_OVERFLOW;
    }
    convert(call, to.buffer, from.buffer, units, widen);
    if (widen) {
        kput16(call, to.buffer + units * 2, 0);
    } else {
        kput8(call, to.buffer + units, 0);
    }
    to.length = (uint16_t)(units * unit);
    put_string(call, to_at, to);
    return kret_status(call, status);
}

uint32_t ex_RtlUnicodeStringToAnsiString(kcall *call)
{
    return convert_string(call, false);
}

uint32_t ex_RtlAnsiStringToUnicodeString(kcall *call)
{
    return convert_string(call, true);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Bytes that are equal before the first that differs (NT documentation). */
uint32_t ex_RtlCompareMemory(kcall *call)
{
    uint32_t length = karg(call, 2), n = 0;
    const uint8_t *a = kread(call, karg(call, 0), length), *b = kread(call, karg(call, 1), length);
    while (a && b && n < length && a[n] == b[n]) {
        n++;
    }
    return kret(call, n);
}

/* Bytes equal to the pattern from the start; whole words only, 0 if unaligned (NT documentation).
 */
uint32_t ex_RtlCompareMemoryUlong(kcall *call)
{
    uint32_t source = karg(call, 0), length = karg(call, 1) & ~UINT32_C(3), n = 0;
    const uint8_t *words = source % 4 == 0 ? kread(call, source, length) : NULL;
    while (words && n < length && weft_load32(words + n) == karg(call, 2)) {
        n += 4;
    }
    return kret(call, n);
}

uint32_t ex_RtlFillMemoryUlong(kcall *call)
{
    uint32_t length = karg(call, 1) & ~UINT32_C(3);
    uint8_t *words = kwrite(call, karg(call, 0), length);
    for (uint32_t n = 0; words && n < length; n += 4) {
        weft_store32(words + n, karg(call, 2));
    }
    if (words) {
        kwritten(call->k, karg(call, 0), length);
    }
    return K_DONE;
}

/* CRC-32 of IEEE 802.3, reflected, continued from a seed (xenia: same polynomial and inversions).
 */
uint32_t ex_RtlComputeCrc32(kcall *call)
{
    uint32_t crc = ~karg(call, 0), length = karg(call, 2);
    const uint8_t *bytes = kread(call, karg(call, 1), length);
    for (uint32_t i = 0; bytes && i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
        }
    }
    return kret(call, ~crc);
}

/* ---- times ----------------------------------------------------------------------------------- */

#define UNITS_PER_MS  UINT64_C(10000)
#define UNITS_PER_DAY UINT64_C(864000000000)

/* Days of 400 years, and before each month of a plain year. */
#define DAYS_PER_400 146097u
static const uint16_t days_before[13] = {0,   31,  59,  90,  120, 151, 181,
                                         212, 243, 273, 304, 334, 365};

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1601-01-01 to January 1st of a year; 1601 begins a cycle of 400 years. */
static uint32_t days_to_year(uint32_t year)
{
    uint32_t n = year - 1601;
    return n * 365 + n / 4 - n / 100 + n / 400;
}

static uint32_t days_to_month(uint32_t year, uint32_t month)
{
    return days_before[month - 1] + (month > 2 && is_leap(year) ? 1 : 0);
}

/* TIME_FIELDS: eight u16: year, month, day, hour, minute, second, milliseconds, weekday (0 Sunday).
 */
uint32_t ex_RtlTimeToTimeFields(kcall *call)
{
    uint64_t time = kget64(call, karg(call, 0));
    uint32_t out = karg(call, 1), days = (uint32_t)(time / UNITS_PER_DAY);
    uint32_t ms = (uint32_t)(time % UNITS_PER_DAY / UNITS_PER_MS);
    uint32_t year = 1601 + days / DAYS_PER_400 * 400 + days % DAYS_PER_400 / 366;
    while (days_to_year(year + 1) <= days) {
        year++;
    }
    uint32_t day = days - days_to_year(year), month = 12;
    while (days_to_month(year, month) > day) {
        month--;
    }
    const uint32_t fields[8] = {
        year,         month,           day - days_to_month(year, month) + 1,
        ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
        ms % 1000,    (days + 1) % 7, /* 1601-01-01 was a Monday */
    };
    for (uint32_t i = 0; i < 8; i++) {
        kput16(call, out + i * 2, (uint16_t)fields[i]);
    }
    return K_DONE;
}

uint32_t ex_RtlTimeFieldsToTime(kcall *call)
{
    uint32_t in = karg(call, 0), f[7];
    for (uint32_t i = 0; i < 7; i++) {
        f[i] = kget16(call, in + i * 2);
    }
    uint32_t year = f[0], month = f[1], day = f[2];
    if (year < 1601 || year > 30827 || month < 1 || month > 12 || day < 1 || f[3] > 23 ||
        f[4] > 59 || f[5] > 59 || f[6] > 999) {
        return kret(call, 0);
    }
    uint32_t days_in_month =
        (month == 12 ? 365u + (is_leap(year) ? 1 : 0) : days_to_month(year, month + 1)) -
        days_to_month(year, month);
    if (day > days_in_month) {
        return kret(call, 0);
    }
    uint64_t days = days_to_year(year) + days_to_month(year, month) + day - 1;
    uint64_t ms = ((f[3] * UINT64_C(60) + f[4]) * 60 + f[5]) * 1000 + f[6];
    kput64(call, karg(call, 1), days * UNITS_PER_DAY + ms * UNITS_PER_MS);
    return kret(call, 1);
}

/* ---- status codes ---------------------------------------------------------------------------- */

#define ERROR_MR_MID_NOT_FOUND 317 /* for statuses without a Win32 error */

/* [MS-ERREF] 2.3.1 with the Win32 error that RtlNtStatusToDosError documents for each. Sorted. */
static const struct {
    uint32_t status, error;
} dos_errors[] = {
    {0x00000103, 997},        /* PENDING: IO_PENDING */
    {0x00000105, 234},        /* MORE_ENTRIES: MORE_DATA */
    {0x80000001, 0x80000001}, /* GUARD_PAGE_VIOLATION and the next three stay as they are */
    {0x80000002, 998},        /* DATATYPE_MISALIGNMENT: NOACCESS */
    {0x80000003, 0x80000003}, {0x80000004, 0x80000004}, {0x80000005, 234}, /* BUFFER_OVERFLOW:
                                                                              MORE_DATA */
    {0x80000006, 18},                                                      /* NO_MORE_FILES */
    {0x80000011, 170},                                                     /* DEVICE_BUSY: BUSY */
    {0x8000001A, 259},        /* NO_MORE_ENTRIES: NO_MORE_ITEMS */
    {0xC0000001, 31},         /* UNSUCCESSFUL: GEN_FAILURE */
    {0xC0000002, 1},          /* NOT_IMPLEMENTED: INVALID_FUNCTION */
    {0xC0000003, 87},         /* INVALID_INFO_CLASS: INVALID_PARAMETER */
    {0xC0000004, 24},         /* INFO_LENGTH_MISMATCH: BAD_LENGTH */
    {0xC0000005, 998},        /* ACCESS_VIOLATION: NOACCESS */
    {0xC0000006, 999},        /* IN_PAGE_ERROR: SWAPERROR */
    {0xC0000008, 6},          /* INVALID_HANDLE */
    {0xC000000B, 87},         /* INVALID_CID */
    {0xC000000D, 87},         /* INVALID_PARAMETER */
    {0xC000000E, 2},          /* NO_SUCH_DEVICE: FILE_NOT_FOUND */
    {0xC000000F, 2},          /* NO_SUCH_FILE */
    {0xC0000010, 1},          /* INVALID_DEVICE_REQUEST: INVALID_FUNCTION */
    {0xC0000011, 38},         /* END_OF_FILE: HANDLE_EOF */
    {0xC0000013, 21},         /* NO_MEDIA_IN_DEVICE: NOT_READY */
    {0xC0000014, 1785},       /* UNRECOGNIZED_MEDIA */
    {0xC0000015, 27},         /* NONEXISTENT_SECTOR: SECTOR_NOT_FOUND */
    {0xC0000016, 234},        /* MORE_PROCESSING_REQUIRED: MORE_DATA */
    {0xC0000017, 8},          /* NO_MEMORY: NOT_ENOUGH_MEMORY */
    {0xC0000018, 487},        /* CONFLICTING_ADDRESSES: INVALID_ADDRESS */
    {0xC0000019, 487},        /* NOT_MAPPED_VIEW */
    {0xC000001A, 87},         /* UNABLE_TO_FREE_VM */
    {0xC000001B, 87},         /* UNABLE_TO_DELETE_SECTION */
    {0xC000001D, 0xC000001D}, /* ILLEGAL_INSTRUCTION stays */
    {0xC0000022, 5},          /* ACCESS_DENIED */
    {0xC0000023, 122},        /* BUFFER_TOO_SMALL: INSUFFICIENT_BUFFER */
    {0xC0000024, 6},          /* OBJECT_TYPE_MISMATCH: INVALID_HANDLE */
    {0xC000002D, 487},        /* NOT_COMMITTED: INVALID_ADDRESS */
    {0xC0000030, 87},         /* INVALID_PARAMETER_MIX */
    {0xC0000032, 1393},       /* DISK_CORRUPT_ERROR: DISK_CORRUPT */
    {0xC0000033, 123},        /* OBJECT_NAME_INVALID: INVALID_NAME */
    {0xC0000034, 2},          /* OBJECT_NAME_NOT_FOUND: FILE_NOT_FOUND */
    {0xC0000035, 183},        /* OBJECT_NAME_COLLISION: ALREADY_EXISTS */
    {0xC0000039, 161},        /* OBJECT_PATH_INVALID: BAD_PATHNAME */
    {0xC000003A, 3},          /* OBJECT_PATH_NOT_FOUND: PATH_NOT_FOUND */
    {0xC000003B, 161},        /* OBJECT_PATH_SYNTAX_BAD: BAD_PATHNAME */
    {0xC000003E, 23},         /* DATA_ERROR: CRC */
    {0xC000003F, 23},         /* CRC_ERROR */
    {0xC0000040, 8},          /* SECTION_TOO_BIG: NOT_ENOUGH_MEMORY */
    {0xC0000043, 32},         /* SHARING_VIOLATION */
    {0xC0000045, 87},         /* INVALID_PAGE_PROTECTION */
    {0xC0000046, 288},        /* MUTANT_NOT_OWNED: NOT_OWNER */
    {0xC0000047, 298},        /* SEMAPHORE_LIMIT_EXCEEDED: TOO_MANY_POSTS */
    {0xC0000054, 33},         /* FILE_LOCK_CONFLICT: LOCK_VIOLATION */
    {0xC0000056, 5},          /* DELETE_PENDING: ACCESS_DENIED */
    {0xC000007B, 193},        /* INVALID_IMAGE_FORMAT: BAD_EXE_FORMAT */
    {0xC000007F, 112},        /* DISK_FULL */
    {0xC0000094, 0xC0000094}, /* INTEGER_DIVIDE_BY_ZERO stays */
    {0xC0000096, 0xC0000096}, /* PRIVILEGED_INSTRUCTION stays */
    {0xC000009A, 1450},       /* INSUFFICIENT_RESOURCES: NO_SYSTEM_RESOURCES */
    {0xC000009C, 23},         /* DEVICE_DATA_ERROR: CRC */
    {0xC000009D, 1167},       /* DEVICE_NOT_CONNECTED */
    {0xC000009F, 487},        /* FREE_VM_NOT_AT_BASE: INVALID_ADDRESS */
    {0xC00000A0, 487},        /* MEMORY_NOT_ALLOCATED: INVALID_ADDRESS */
    {0xC00000A2, 19},         /* MEDIA_WRITE_PROTECTED: WRITE_PROTECT */
    {0xC00000A3, 21},         /* DEVICE_NOT_READY: NOT_READY */
    {0xC00000B5, 121},        /* IO_TIMEOUT: SEM_TIMEOUT */
    {0xC00000BA, 5},          /* FILE_IS_A_DIRECTORY: ACCESS_DENIED */
    {0xC00000BB, 50},         /* NOT_SUPPORTED */
    {0xC00000D4, 17},         /* NOT_SAME_DEVICE */
    {0xC00000EF, 87},         /* INVALID_PARAMETER_1 .. _12 */
    {0xC00000F0, 87},         {0xC00000F1, 87},         {0xC00000F2, 87},  {0xC00000F3, 87},
    {0xC00000F4, 87},         {0xC00000F5, 87},         {0xC0000101, 145}, /* DIRECTORY_NOT_EMPTY:
                                                                              DIR_NOT_EMPTY */
    {0xC0000102, 1392}, /* FILE_CORRUPT_ERROR: FILE_CORRUPT */
    {0xC0000103, 267},  /* NOT_A_DIRECTORY: DIRECTORY */
    {0xC0000120, 995},  /* CANCELLED: OPERATION_ABORTED */
    {0xC0000121, 5},    /* CANNOT_DELETE: ACCESS_DENIED */
    {0xC0000123, 5},    /* FILE_DELETED: ACCESS_DENIED */
    {0xC0000128, 6},    /* FILE_CLOSED: INVALID_HANDLE */
    {0xC0000135, 126},  /* DLL_NOT_FOUND: MOD_NOT_FOUND */
    {0xC0000138, 182},  /* ORDINAL_NOT_FOUND: INVALID_ORDINAL */
    {0xC0000139, 127},  /* ENTRYPOINT_NOT_FOUND: PROC_NOT_FOUND */
    {0xC0000225, 1168}, /* NOT_FOUND */
};

/* HRESULTs of Win32 errors (0x8007) and the customer facility 0xC001 carry the error in their low
 * half; 0xD is a status that was made an HRESULT (xenia xboxkrnl_error.cc, ReactOS
 * sdk/lib/rtl/error.c). */
uint32_t ex_RtlNtStatusToDosError(kcall *call)
{
    uint32_t status = karg(call, 0);
    if (status == 0 || (status & 0x20000000) != 0) {
        return kret(call, status);
    }
    if (status >> 16 == 0x8007 || status >> 16 == 0xC001) {
        return kret(call, status & 0xFFFF);
    }
    if (status >> 28 == 0xD) {
        status &= ~UINT32_C(0x10000000);
    }
    size_t low = 0, high = sizeof dos_errors / sizeof dos_errors[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dos_errors[middle].status < status) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool known = low < sizeof dos_errors / sizeof dos_errors[0] && dos_errors[low].status == status;
    return kret(call, known ? dos_errors[low].error : ERROR_MR_MID_NOT_FOUND);
}
