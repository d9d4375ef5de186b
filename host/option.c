/* option.c: typed values from profile texts. */
#include "option.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#define UNITS_PER_SECOND INT64_C(10000000) /* 100 ns */

const char *option_type_name(uint32_t type)
{
    static const char *const names[] = {"", "int", "bool", "string", "choice", "path"};
    if (type == OPTION_RATIO) {
        return "ratio";
    }
    if (type == OPTION_TIME) {
        return "time";
    }
    return type >= WEFT_OPTION_INT && type <= WEFT_OPTION_PATH ? names[type] : NULL;
}

/* Decimal or 0x, whole text, no blanks. Octal is no format here: 010 is ten. */
static int parse_int(const char *text, int64_t *number)
{
    const char *digits = text + (*text == '-' || *text == '+');
    int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
    if (!isxdigit((unsigned char)digits[base == 16 ? 2 : 0])) {
        return -1;
    }
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, base);
    if (errno || *end || end == text) {
        return -1;
    }
    *number = value;
    return 0;
}

static int parse_bool(const char *text, int64_t *number)
{
    static const char *const words[][2] = {
        {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (int64_t v = 0; v < 2; v++) {
            if (strcasecmp(text, words[i][v]) == 0) {
                *number = v;
                return 0;
            }
        }
    }
    return -1;
}

static int is_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);
    if (length == 0 || strchr(word, '|')) {
        return 0;
    }
    for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
        if (strncmp(p, word, length) == 0 && (p[length] == '|' || p[length] == 0)) {
            return 1;
        }
    }
    return 0;
}

static int parse_ratio(const char *text, int64_t *number, int64_t *second)
{
    char part[32];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    *second = 1;
    if (length >= sizeof part) {
        return -1;
    }
    memcpy(part, text, length);
    part[length] = 0;
    if (parse_int(part, number) || (slash && parse_int(slash + 1, second))) {
        return -1;
    }
    return *number < 0 || *number > UINT32_MAX || *second < 1 || *second > UINT32_MAX ? -1 : 0;
}

/* Days since 1601-01-01 in the Gregorian calendar, which repeats every 400 years; 1601 starts a
 * cycle. */
static int64_t days_since_1601(int64_t year, int64_t month, int64_t day)
{
    static const int64_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t y = year - 1601;
    int64_t leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return y * 365 + y / 4 - y / 100 + y / 400 + before[month - 1] + (leap && month > 2) + day - 1;
}

static int parse_time(const char *text, int64_t *number)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, hour, minute, second;
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    for (size_t i = 0; i < sizeof shape; i++) {
        if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i]) {
            return -1;
        }
    }
    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &year, &month, &day, &hour, &minute, &second);
    if (year < 1601 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) {
        return -1;
    }
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day < 1 || day > month_days[month - 1] + (leap && month == 2)) {
        return -1;
    }
    int64_t seconds =
        days_since_1601(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *number = seconds * UNITS_PER_SECOND;
    return 0;
}

/* A profile cannot hold these, and a terminal should not see them. */
static int has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return 1;
        }
    }
    return 0;
}

int option_parse(const weft_option *option, const char *text, option_value *value, char *expected,
                 size_t room)
{
    *value = (option_value){0};
    switch (option->type) {
    case WEFT_OPTION_INT:
        if (parse_int(text, &value->number) || value->number < option->minimum ||
            value->number > option->maximum) {
            snprintf(expected, room, "an integer from %" PRId64 " to %" PRId64, option->minimum,
                     option->maximum);
            return -1;
        }
        value->text = text_format("%" PRId64, value->number);
        return 0;
    case WEFT_OPTION_BOOL:
        if (parse_bool(text, &value->number)) {
            snprintf(expected, room, "yes or no");
            return -1;
        }
        value->text = text_copy(value->number ? "yes" : "no");
        return 0;
    case WEFT_OPTION_CHOICE:
        if (!is_choice(option->choices, text)) {
            snprintf(expected, room, "one of %s", option->choices);
            return -1;
        }
        value->text = text_copy(text);
        return 0;
    case WEFT_OPTION_STRING:
    case WEFT_OPTION_PATH:
        if (has_control(text)) {
            snprintf(expected, room, "text without control characters");
            return -1;
        }
        value->text = text_copy(text);
        return 0;
    case OPTION_RATIO:
        if (parse_ratio(text, &value->number, &value->second)) {
            snprintf(expected, room, "N or N/M with N from 0 and M from 1 to 4294967295");
            return -1;
        }
        value->text = value->second == 1
                          ? text_format("%" PRId64, value->number)
                          : text_format("%" PRId64 "/%" PRId64, value->number, value->second);
        return 0;
    case OPTION_TIME:
        if (parse_time(text, &value->number)) {
            snprintf(expected, room, "a UTC time such as 2005-11-22T00:00:00Z");
            return -1;
        }
        value->text = text_copy(text);
        return 0;
    default:
        snprintf(expected, room, "a known option type");
        return -1;
    }
}
