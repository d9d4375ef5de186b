/* A title's file, read and decoded: what loading and `weft info` share. */
#ifndef WEFT_KERNEL_LOADER_H
#define WEFT_KERNEL_LOADER_H

#include "kernel.h"
#include "xex.h"

typedef struct ktitle_file {
    char folder[1024]; /* what becomes game: */
    char file[1024];   /* the .xex */
    uint8_t *bytes;
    size_t size;
    weft_xex *xex;
    weft_xex_image image;
    weft_xex_import_list imports;
} ktitle_file;

/* Reads and decodes; every failure has its sentence in host->fail and leaves nothing behind. */
weft_status kloader_read(kernel *k, const char *path, ktitle_file *title);
void kloader_free(ktitle_file *title);

/* KMODULE_* of an import library's name, -1: none of ours. */
int kloader_module_number(const char *library);

#endif
