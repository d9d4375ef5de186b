/* ini.h: profiles as text: files, includes and --set, before anything is typed.
 *
 * Layers: each file and each --set is one layer; a later layer wins over an earlier one. What a
 * file includes comes before the file itself, so a file's own lines win over what it includes,
 * wherever the include stands. */
#ifndef WEFT_HOST_INI_H
#define WEFT_HOST_INI_H

#include "text.h"

#define INI_INCLUDE_DEPTH 16
#define INI_FILE_LIMIT    (1u << 20) /* bytes */
#define INI_LINE_LIMIT    198        /* bytes; inih's buffer of 200 less newline and NUL */

typedef struct ini_entry {
    char *section, *key, *value;
    char *where;    /* "FILE:LINE", or "--set" and its text */
    uint32_t layer; /* higher wins */
} ini_entry;

typedef struct ini {
    ini_entry *entries; /* in the order of their layers */
    size_t count;
    uint32_t layers;
    errors *errors; /* where everything wrong is noted */
} ini;

/* Reads one file and all that it includes. -1 when something was wrong (see errors). */
int ini_read_file(ini *text, const char *path);

/* Reads a text in memory; includes are relative to the folder of `name`, and refused when `name` is
 * NULL. */
int ini_read_memory(ini *text, const char *name, const char *bytes, size_t length);

/* One `sec.key=value` from the command line. */
int ini_set(ini *text, const char *assignment);

/* The host's own override of a key, as a layer of its own, named `where` in messages. */
void ini_override(ini *text, const char *where, const char *section, const char *key,
                  const char *value);

/* The winning value of a key, or NULL. */
const ini_entry *ini_find(const ini *text, const char *section, const char *key);

void ini_free(ini *text);

#endif
