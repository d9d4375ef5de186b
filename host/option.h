/* option.h: the one place where a text becomes a typed option value. */
#ifndef WEFT_HOST_OPTION_H
#define WEFT_HOST_OPTION_H

#include "weft/plugin.h"

/* Types of the host's own keys, beside WEFT_OPTION_*. */
#define OPTION_RATIO UINT32_C(100) /* N or N/M; number = N, second = M */
#define OPTION_TIME  UINT32_C(101) /* ISO 8601 UTC; number = 100 ns units since 1601-01-01 */

typedef struct option_value {
    char *text;     /* canonical: one spelling per value; allocated */
    int64_t number; /* of INT, BOOL, RATIO, TIME */
    int64_t second; /* of RATIO */
} option_value;

/* Parses `text` as `option` says. On failure returns -1 and `expected` holds what was expected
 * (`room` bytes); value is then empty. */
int option_parse(const weft_option *option, const char *text, option_value *value, char *expected,
                 size_t room);

/* "int", "bool" ...; NULL for an unknown type. */
const char *option_type_name(uint32_t type);

#endif
