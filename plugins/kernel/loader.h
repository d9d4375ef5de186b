/* Modules: files, images in guest memory, and the order in which their code is told.
 *
 * loader.c reads a title from the host and starts it; image.c puts modules into guest memory, with
 * what they import, and takes them out; attach.c calls DllMain and decides what is still needed;
 * module.c has the exports. */
#ifndef WEFT_KERNEL_LOADER_H
#define WEFT_KERNEL_LOADER_H

#include "kernel.h"
#include "vfs.h"
#include "xex.h"

/* Bounds on what one title may ask for; a console's titles stay far below. */
#define KMODULES_MAX       64
#define KMODULE_DEPTH_MAX  16
#define KMODULE_FILE_MAX   (UINT64_C(256) << 20) /* as the XEX library's limit for images */
#define KMODULE_ERROR_SIZE 768                   /* room for the sentence of a failed load */

typedef struct ktitle_file {
    char folder[1024];  /* what becomes game:, if it is a folder of the host */
    char file[1024];    /* the .xex: a host path of a title, a guest path of other modules */
    vfs_device *device; /* a title's: what becomes game:; NULL once it is mounted */
    bool disc;          /* the device is a disc image or a package, not a folder */
    uint8_t *bytes;
    size_t size;
    weft_xex *xex;
    weft_xex_image image;
    weft_xex_import_list imports;
} ktitle_file;

/* ---- loader.c ---- */

/* Finds a title's device and the bytes of its executable, and decodes nothing; as kloader_read. */
weft_status kloader_locate(kernel *k, const char *path, ktitle_file *title);
/* Reads and decodes; every failure has its sentence in host->fail and leaves nothing behind. */
weft_status kloader_read(kernel *k, const char *path, ktitle_file *title);
/* All of a file of a device, at most KMODULE_FILE_MAX bytes; false: nothing is allocated. */
bool kloader_read_file(vfs_device *device, const char *name, uint8_t **bytes, size_t *size);
/* Decodes t->bytes. 0, or a negative status of xex.h with a sentence in err (256 bytes). */
int kloader_decode(ktitle_file *t, char *err);
void kloader_free(ktitle_file *title);

/* KMODULE_* of an import library's name, -1: none of ours. */
int kloader_module_number(const char *library);

/* ---- image.c ---- */

/* Puts a decoded file into guest memory as a module at the guest path `path`, with everything that
 * it imports. What fails says so in err (KMODULE_ERROR_SIZE bytes), and leaves the batch for
 * kimage_drop. The new modules belong to batch k->module_batch. */
kstatus kimage_make(kernel *k, ktitle_file *t, const char *path, unsigned depth, kmodule **out,
                    char *err);
/* The module of a name (beside `beside`) or path: a loaded one, else a new one as above. */
kstatus kimage_get(kernel *k, const kmodule *beside, const char *name, unsigned depth,
                   kmodule **out, char *err);
/* The module whose file is these bytes: a loaded one of that name, else a new one, which counts as
 * lying in the title's folder. */
kstatus kimage_get_memory(kernel *k, const char *name, const void *bytes, uint32_t size,
                          kmodule **out, char *err);
/* A module that is there by name or path, NULL: none. */
kmodule *kimage_find(kernel *k, const char *name);
kmodule *kimage_of_handle(kernel *k, uint32_t handle);
kmodule *kimage_around(kernel *k, uint32_t address);
/* Unmaps and frees the modules of a batch that are at `stage`. */
void kimage_drop(kernel *k, uint32_t batch, uint32_t stage);
/* Frees the host's part of a module alone. */
void kimage_free(kmodule *m);
/* Writes loads and importers into each module's loader entry. */
void kimage_counts(kernel *k);

/* ---- attach.c ---- */

/* Takes the loader lock for the calling thread, which may hold it already. False: *answer is what
 * the export has to return; `again` runs when the lock may be free. */
bool kattach_enter(kcall *call, kcontinuation again, uint32_t *answer);
void kattach_leave(kernel *k);

/* Calls DllMain(attach) of the new modules of batch k->module_batch in order, then finishes: stores
 * root's handle where the call's argument `out` says, status in r3. Ends with kattach_leave. */
uint32_t kattach_loaded(kcall *call, kmodule *root, unsigned out);
/* Takes away what nothing needs any more, DllMain(detach) first, then r3 is STATUS_SUCCESS, or the
 * thread ends with the call's second argument as its code. Ends with kattach_leave. */
uint32_t kattach_collect(kcall *call, bool and_exit);
/* The same for what the title imports, before its first thread's entry. */
void kattach_title(kernel *k);

#endif
