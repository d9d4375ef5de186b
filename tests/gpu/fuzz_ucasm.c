/* Arbitrary text for the assembler; what it takes is a shader that survives its own listing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ucode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[256];
    uint32_t stage, dwords, again_stage, again_dwords;
    if (size > 1u << 16) {
        return 0;
    }
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    uint32_t *words = xenos_assemble(text, size, &stage, &dwords, error);
    free(text);
    if (words == NULL) {
        if (strstr(error, "(found ") == NULL || strstr(error, ", expected ") == NULL) {
            abort();
        }
        return 0;
    }
    xenos_program *program = xenos_program_new(stage, words, dwords);
    size_t length = 0;
    text = NULL;
    FILE *out = open_memstream(&text, &length);
    xenos_disassemble(program, out);
    fclose(out);
    uint32_t *again = xenos_assemble(text, length, &again_stage, &again_dwords, error);
    if (again == NULL || again_stage != stage || again_dwords != dwords ||
        memcmp(again, words, 4 * (size_t)dwords) != 0) {
        abort();
    }
    free(again);
    free(text);
    xenos_program_free(program);
    free(words);
    return 0;
}
