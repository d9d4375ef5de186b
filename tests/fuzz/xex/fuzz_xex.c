/* Everything that the loader asks of an XEX file, on hostile bytes. */
#include <stdlib.h>

#include "seeds.h"
#include "xex.h"
#include "xex_layout.h"

#define MAX_IMAGE 0x40000u /* larger ones only cost time: nothing in the parsers depends on it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    return xex_mutate(data, size, room, seed, xex_seed_make, xex_seed_count());
}

static void ask_headers(const weft_xex *xex)
{
    weft_xex_tls tls;
    weft_xex_execution execution;
    weft_xex_resource resource;
    weft_xex_static_library library;
    const uint8_t *raw;
    uint32_t a, b;
    char name[16];

    weft_xex_entry_point(xex);
    weft_xex_tls_info(xex, &tls);
    weft_xex_execution_info(xex, &execution);
    weft_xex_checksum_timestamp(xex, &a, &b);
    weft_xex_pe_name(xex, name, sizeof name);
    for (uint32_t i = 0; i < 64 && !weft_xex_resource_at(xex, i, &resource); i++) {
        weft_xex_resource_find(xex, resource.name, &resource);
    }
    for (uint32_t i = 0; !weft_xex_static_library_at(xex, i, &library); i++) {
    }
    for (uint32_t i = 0; i < xex->header_count; i++) {
        weft_xex_header_name(xex->headers[i].key);
        if (!weft_xex_header_raw(xex, xex->headers[i].key, &raw, &a) && a) {
            volatile uint8_t last = raw[a - 1];
            (void)last;
        }
    }
}

static void ask_image(const weft_xex *xex)
{
    weft_xex_image image;
    weft_xex_import_list imports;
    weft_xex_export *exports;
    uint32_t count;
    char err[256];

    if (weft_xex_decode(xex, &image, err)) {
        return;
    }
    if (!weft_xex_imports(xex, &image, &imports, err)) {
        weft_xex_imports_free(&imports);
    }
    if (!weft_xex_exports(xex, &image, &exports, &count, err)) {
        weft_xex_export_find(exports, count, 11);
        free(exports);
    }
    weft_xex_image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weft_xex *xex;
    char err[256];
    if (!weft_xex_open(data, size, &xex, err)) {
        ask_headers(xex);
        if (xex->security.image_size <= MAX_IMAGE) {
            ask_image(xex);
        }
        weft_xex_close(xex);
    }
    return 0;
}
