/* probe_stubs FILE: writes the probe's import stubs. */
#include <stdio.h>

#include "probe_rows.h"
#include "stub.h"

int main(int argc, char **argv)
{
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (out == NULL) {
        fprintf(stderr, "usage: probe_stubs FILE\n");
        return 2;
    }
#define ROW(name, signature) {"KRNL", 0x123, #name, signature, "FULL", ""},
    static const stub_row rows[] = {PROBE_ROWS(ROW)};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        signature s;
        char error[128];
        if (!signature_parse(rows[i].signature, &s, error, sizeof error)) {
            fprintf(stderr, "%s\n", error);
            return 1;
        }
        stub_assembly(out, &rows[i], &s);
    }
    return fclose(out) == 0 ? 0 : 1;
}
