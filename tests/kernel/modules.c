#include "modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "xex_bytes.h"
#include "xex_layout.h"

#define TABLE     0x1600u /* exports by ordinal */
#define DIRECTORY 0x1700u /* PE export directory of the one that has a name */

static uint32_t put_exports(uint8_t *image, const test_module *m)
{
    uint8_t *p = image + TABLE;
    put_be32(p, XEX_EXPORT_MAGIC_0);
    put_be32(p + 4, XEX_EXPORT_MAGIC_1);
    put_be32(p + 8, XEX_EXPORT_MAGIC_2);
    put_be32(p + XEX_EXPORT_BASE_16, m->base >> 16);
    put_be32(p + XEX_EXPORT_COUNT, 4);
    put_be32(p + XEX_EXPORT_ORDINAL, m->first);
    for (uint32_t i = 0; i < 4; i++) {
        put_be32(p + XEX_EXPORT_ENTRIES + 4 * i, m->offsets[i]);
    }
    return m->base + TABLE;
}

/* Microsoft's PE/COFF specification, "The .edata Section". */
static void put_name(uint8_t *image, const test_module *m)
{
    uint8_t *directory = image + DIRECTORY;
    put_le32(image + 0x80 + 24 + 96, DIRECTORY);
    put_le32(image + 0x80 + 24 + 100, 0x80);
    put_le32(directory + 16, m->first);
    put_le32(directory + 20, 1);
    put_le32(directory + 24, 1);
    put_le32(directory + 28, DIRECTORY + 0x40);
    put_le32(directory + 32, DIRECTORY + 0x44);
    put_le32(directory + 36, DIRECTORY + 0x48);
    put_le32(directory + 0x40, m->offsets[0]);
    put_le32(directory + 0x44, DIRECTORY + 0x50);
    put_le16(directory + 0x48, 0);
    snprintf((char *)directory + 0x50, 0x30, "%s", m->name);
}

void module_write(const char *folder, const char *file, const test_module *m)
{
    uint8_t image[IMAGE_SIZE];
    weft_mkxex_import imports[MODULE_IMPORTS];
    make_image(image);
    weft_mkxex_spec spec = make_spec(image);
    spec.base = m->base;
    spec.entry = m->entry;
    spec.module_flags = m->title ? 0 : XEX_MODULE_DLL;
    spec.name = file;
    if (m->first) {
        spec.export_table = put_exports(image, m);
    }
    if (m->name) {
        put_name(image, m);
    }
    for (uint32_t i = 0; i < MODULE_IMPORTS && m->imports[i].library; i++) {
        imports[i] = (weft_mkxex_import){
            .kind = !m->imports[i].variable,
            .ordinal = m->imports[i].ordinal,
            .record_address = m->base + MODULE_CELL + 4 * i,
            .thunk_address = m->imports[i].variable ? 0 : m->base + MODULE_THUNK + 16 * i,
        };
        snprintf(imports[i].library, sizeof imports[i].library, "%s", m->imports[i].library);
        spec.import_count = i + 1;
    }
    spec.imports = imports;
    test_file made = file_make(&spec);
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(made.bytes, 1, made.size, out), made.size);
    fclose(out);
    file_close(&made);
}
