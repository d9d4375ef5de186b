/* Runs build/weft as a process and keeps what it said. */
#ifndef WEFT_TEST_RUN_H
#define WEFT_TEST_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#ifndef WEFT_PROGRAM
#define WEFT_PROGRAM WEFT_BUILD_DIR "/weft"
#endif

typedef struct weft_run {
    int status;      /* exit code, or -1 */
    int signal;      /* that ended it, or 0 */
    char *out, *err; /* whole standard output and error, NUL-ended */
    cJSON *json;     /* what --json wrote, or NULL; the argument is added by weft_json */
} weft_run;

/* Runs `weft ARGUMENTS...` (NULL-ended); kills it after 120 s. weft_free ends it. */
weft_run weft(const char *first, ...);
/* `weft run --headless --json FILE ARGUMENTS...`, with the report parsed. */
weft_run weft_json(const char *first, ...);
void weft_free(weft_run *run);

/* Number of lines in `text` that contain `part`. */
int lines_with(const char *text, const char *part);

/* Path of a bundled title; skips the test where it was not built. Static buffer. */
const char *title(const char *name);

/* A string or number of the report. */
const char *report_text(const weft_run *run, const char *key);
double report_number(const weft_run *run, const char *key);

/* A scratch folder of this program, made at first use, removed at exit. */
const char *scratch(void);
/* scratch()/name. The caller frees it. */
char *scratch_file(const char *name);

#endif
