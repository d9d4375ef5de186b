/* The PE parser and both kinds of export directory, on hostile images. */
#include <stdlib.h>

#include "pe.h"
#include "seeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    return xex_mutate(data, size, room, seed, pe_seed_make, pe_seed_count());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weft_pe pe;
    weft_pe_export *exports;
    uint32_t rva, length, count;
    char err[256];

    if (weft_pe_parse(data, size, &pe, err)) {
        return 0;
    }
    weft_pe_section_find(&pe, ".text");
    for (uint32_t i = 0; i < 17; i++) {
        if (!weft_pe_directory(&pe, i, size, &rva, &length)) {
            volatile uint8_t last = data[rva + length - 1];
            (void)last;
        }
    }
    for (uint32_t relative = 0; relative < 2; relative++) {
        rva = pe.directories[0].rva ? pe.directories[0].rva : 0x680;
        if (!weft_pe_exports(data, size, rva, relative ? rva : 0, &exports, &count, err)) {
            for (uint32_t i = 0; i < count; i++) {
                volatile char first = exports[i].name ? exports[i].name[0] : 0;
                (void)first;
            }
            free(exports);
        }
    }
    return 0;
}
