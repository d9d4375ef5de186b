/* template_build.c: see template_build.h. */
#include "template_build.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void template_build(const char *folder, const char *id, const char *flags, char path[512])
{
    char into[] = "/tmp/weft-template-XXXXXX";
    char command[2048], said[4096];
    assert_non_null(mkdtemp(into));
    snprintf(path, 512, "%s/%s.so", into, id);
    snprintf(command, sizeof command,
             "cd %s && gcc -std=c11 -fPIC -shared -I%s/sdk/include %s %s/sdk/template/%s/%s.c "
             "-o %s.so 2>&1",
             into, WEFT_SOURCE_DIR, flags, WEFT_SOURCE_DIR, folder, folder, id);
    FILE *gcc = popen(command, "r");
    assert_non_null(gcc);
    said[fread(said, 1, sizeof said - 1, gcc)] = 0;
    if (pclose(gcc) != 0 || said[0] != 0) {
        fail_msg("%s\n%s", command, said);
    }
}

void template_remove(const char *path)
{
    char folder[512];
    snprintf(folder, sizeof folder, "%s", path);
    unlink(folder);
    *strrchr(folder, '/') = 0;
    rmdir(folder);
}

int template_code_lines(const char *folder)
{
    char path[512], line[1024];
    snprintf(path, sizeof path, "%s/sdk/template/%s/%s.c", WEFT_SOURCE_DIR, folder, folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int count = 0, in_comment = 0;
    while (fgets(line, sizeof line, file)) {
        int code = 0;
        for (const char *at = line; *at; at++) {
            if (in_comment) {
                in_comment = strncmp(at, "*/", 2) != 0;
                at += !in_comment;
            } else if (strncmp(at, "//", 2) == 0) {
                break;
            } else if (strncmp(at, "/*", 2) == 0) {
                in_comment = 1;
                at++;
            } else {
                code |= !isspace((unsigned char)*at);
            }
        }
        count += code;
    }
    fclose(file);
    return count;
}
