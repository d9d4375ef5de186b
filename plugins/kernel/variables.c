/* Variable exports: cells in kernel memory, made when something first asks for them. */
#include <string.h>

#include "kernel.h"

static void fill(kernel *k, const kexport *row, uint32_t cell)
{
    uint8_t *p = k->memory->base + cell;
    switch (row->ordinal) {
    case 0x01B: /* object types: the pool tag, as NT's type names begin */
        memcpy(p + 0x10, "Thre", 4);
        break;
    case 0x00E:
        memcpy(p + 0x10, "Even", 4);
        break;
    case 0x012:
        memcpy(p + 0x10, "Muta", 4);
        break;
    case 0x017:
        memcpy(p + 0x10, "Sema", 4);
        break;
    case 0x01C:
        memcpy(p + 0x10, "Time", 4);
        break;
    case 0x112:
        memcpy(p + 0x10, "Symb", 4);
        break;
    case 0x106:
        memcpy(p + 0x10, "Dire", 4);
        break;
    case 0x036:
        memcpy(p + 0x10, "IoCo", 4);
        break;
    case 0x03A:
        memcpy(p + 0x10, "Devi", 4);
        break;
    case 0x03E:
        memcpy(p + 0x10, "File", 4);
        break;
    case 0x00C: /* as XGetGameRegion answers: North America */
        weft_store32(p, 0xFF);
        break;
    case 0x157: /* the kernel that consoles were first sold with (free60 wiki, "Kernel") */
        weft_store16(p, 2);
        weft_store16(p + 4, 1888);
        break;
    case 0x2DB: /* a KEVENT that stays signalled: there is nothing to enumerate any more */
        weft_store32(p + 4, 1);
        weft_store32(p + 8, cell + 8);
        weft_store32(p + 12, cell + 8);
        break;
    case 0x156: /* flags: bit 5, storage is ready; processor count (xenia xboxkrnl_module.cc) */
        weft_store32(p, 0x20);
        p[4] = 6;
        break;
    case 0x158: /* major, minor, build, qfe: the last public kernel */
        weft_store16(p, 2);
        weft_store16(p + 2, 0);
        weft_store16(p + 4, 17559);
        break;
    case 0x193: /* -> the title's loader entry */
        weft_store32(p, k->title ? k->title->handle : 0);
        break;
    case 0x1AE:
        memcpy(p, k->command_line_text, strlen(k->command_line_text) + 1);
        break;
    case 0x1AF:
        memcpy(p, k->image_path, strlen(k->image_path) + 1);
        break;
    case 0x1C0: /* MHz (xenia xboxkrnl_video.cc) */
        weft_store32(p, 500);
        break;
    case 0x1C1:
        kcs_init(k, cell, 10000);
        break;
    default: /* zero: no debug monitor, no device yet */
        break;
    }
}

uint32_t kvariable(kernel *k, unsigned module, unsigned ordinal)
{
    uint32_t count;
    const kexport *rows = kexport_rows(&count);
    const kexport *row = kexport_find(module, ordinal);
    if (!row || row->status != KEXPORT_VARIABLE) {
        return 0;
    }
    if (module == KMODULE_KRNL && ordinal == 0x0AD) {
        return k->time_bundle;
    }
    uint32_t *cell = &k->variables[row - rows];
    if (!*cell) {
        uint32_t size = ordinal == 0x1AE ? 1040 : ordinal == 0x1AF ? 272 : 32;
        *cell = kalloc_for(k, k->running, kcall_site(k->running), size, KALLOCATION_VARIABLE);
        if (*cell) {
            fill(k, row, *cell);
            kwritten(k, *cell, size);
        }
    }
    return *cell;
}
