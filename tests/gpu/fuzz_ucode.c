/* Arbitrary words as microcode: decoding, its listing, and the listing assembled again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ucode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1u << 16) {
        return 0;
    }
    uint32_t stage = data[0] & 1, dwords = (uint32_t)((size - 1) / 4);
    uint32_t *words = malloc(4 * (size_t)dwords + 4);
    memcpy(words, data + 1, 4 * (size_t)dwords);
    xenos_program *program = xenos_program_new(stage, words, dwords);
    char *text = NULL, error[256];
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    xenos_disassemble(program, out);
    fclose(out);
    uint32_t again_stage, again_dwords;
    uint32_t *again = xenos_assemble(text, length, &again_stage, &again_dwords, error);
    if (again == NULL || again_stage != stage || again_dwords != program->dwords ||
        memcmp(again, words, 4 * (size_t)again_dwords) != 0) {
        abort();
    }
    free(again);
    free(text);
    xenos_program_free(program);
    free(words);
    return 0;
}
