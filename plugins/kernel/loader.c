/* Opening a title: file to image, imports to thunks, the first thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "kernel.h"
#include "loader.h"
#include "mm.h"
#include "xex_layout.h"

#define FILE_MAX (UINT64_C(256) << 20) /* as the XEX library's limit for images */

/* ---- the file ---------------------------------------------------------------------------------- */

static weft_status fail_path(kernel *k, weft_status status, const char *path, const char *what)
{
    char text[768];
    snprintf(text, sizeof text, "%s: %s", path, what);
    return k->host->fail(k->host, status, text);
}

static weft_status read_file(kernel *k, const char *path, uint8_t **bytes, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        weft_status status = errno == ENOENT ? WEFT_E_NOT_FOUND : WEFT_E_IO;
        weft_status answer = fail_path(k, status, path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return answer;
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > FILE_MAX) {
        close(fd);
        return fail_path(k, WEFT_E_FORMAT, path,
                         "not a title (expected a regular file of at most 256 MiB)");
    }
    *size = (size_t)st.st_size;
    *bytes = malloc(*size + 1);
    size_t done = 0;
    while (*bytes && done < *size) {
        ssize_t n = read(fd, *bytes + done, *size - done);
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    close(fd);
    if (!*bytes || done < *size) {
        free(*bytes);
        return fail_path(k, WEFT_E_IO, path, "cannot be read whole");
    }
    return WEFT_OK;
}

/* Splits `path` into the folder that becomes game: and the file; a folder gets default.xex. */
static weft_status locate(kernel *k, const char *path, char *folder, char *file, size_t capacity)
{
    struct stat st;
    if (strlen(path) + 16 > capacity) {
        return fail_path(k, WEFT_E_INVALID, path, "path is too long");
    }
    if (stat(path, &st) != 0) {
        return fail_path(k, WEFT_E_NOT_FOUND, path, strerror(errno));
    }
    if (S_ISDIR(st.st_mode)) {
        snprintf(folder, capacity, "%s", path);
        snprintf(file, capacity, "%s/default.xex", path);
        if (access(file, R_OK) != 0) {
            return fail_path(k, WEFT_E_NOT_FOUND, path,
                             "no title in this folder (found no default.xex, expected one)");
        }
        return WEFT_OK;
    }
    const char *slash = strrchr(path, '/');
    snprintf(folder, capacity, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (slash == path) {
        snprintf(folder, capacity, "/");
    }
    snprintf(file, capacity, "%s", path);
    return WEFT_OK;
}

static weft_status check_kind(kernel *k, const char *path, const uint8_t *bytes, size_t size)
{
    static const char *const packages[] = {"CON ", "LIVE", "PIRS"};
    for (unsigned i = 0; i < 3; i++) {
        if (size >= 4 && memcmp(bytes, packages[i], 4) == 0) {
            return fail_path(k, WEFT_E_UNSUPPORTED, path,
                             "STFS packages are not read yet (expected an .xex or a folder)");
        }
    }
    size_t length = strlen(path);
    if (length > 4 && strcmp(path + length - 4, ".iso") == 0) {
        return fail_path(k, WEFT_E_UNSUPPORTED, path,
                         "disc images are not read yet (expected an .xex or a folder)");
    }
    return WEFT_OK;
}

weft_status kloader_read(kernel *k, const char *path, ktitle_file *t)
{
    memset(t, 0, sizeof *t);
    weft_status status = locate(k, path, t->folder, t->file, sizeof t->folder);
    if (status == WEFT_OK) {
        status = read_file(k, t->file, &t->bytes, &t->size);
    }
    if (status == WEFT_OK) {
        status = check_kind(k, t->file, t->bytes, t->size);
    }
    char err[256] = "";
    if (status == WEFT_OK &&
        (weft_xex_open(t->bytes, t->size, &t->xex, err) != WEFT_XEX_OK ||
         weft_xex_decode(t->xex, &t->image, err) != WEFT_XEX_OK ||
         weft_xex_imports(t->xex, &t->image, &t->imports, err) != WEFT_XEX_OK)) {
        status = fail_path(k, WEFT_E_FORMAT, t->file, err);
    }
    if (status != WEFT_OK) {
        kloader_free(t);
    }
    return status;
}

void kloader_free(ktitle_file *t)
{
    weft_xex_imports_free(&t->imports);
    weft_xex_image_free(&t->image);
    weft_xex_close(t->xex);
    free(t->bytes);
    memset(t, 0, sizeof *t);
}

int kloader_module_number(const char *library)
{
    static const char *const names[] = {"xboxkrnl.exe", "xam.xex", "xbdm.xex"};
    for (int i = 0; i < 3; i++) {
        if (strcasecmp(names[i], library) == 0) {
            return i;
        }
    }
    return -1;
}

/* ---- into guest memory ------------------------------------------------------------------------- */

static weft_status map_image(kernel *k, const ktitle_file *t)
{
    uint32_t base = t->image.base, size = t->image.size;
    if (base < UINT32_C(0x82000000) || (uint64_t)base + size > UINT64_C(0xA0000000) ||
        mm_map_image(k->mm, base, size) != STATUS_SUCCESS) {
        char text[160];
        snprintf(text, sizeof text,
                 "image does not fit the address space (found 0x%08x + 0x%x, expected within "
                 "0x82000000..0x9fffffff)",
                 base, size);
        return fail_path(k, WEFT_E_FORMAT, t->file, text);
    }
    memcpy(k->memory->base + base, t->image.bytes, size);
    return WEFT_OK;
}

/* Read-only and code pages, as the page descriptors say. */
static void protect_image(kernel *k, const ktitle_file *t)
{
    uint64_t address = t->image.base, end = address + t->image.size;
    for (uint32_t i = 0; i < t->xex->page_run_count && address < end; i++) {
        const weft_xex_pages *run = &t->xex->page_runs[i];
        uint64_t length = (uint64_t)run->count * t->xex->page_size;
        length = length > end - address ? end - address : length;
        if (run->kind == XEX_PAGE_CODE || run->kind == XEX_PAGE_READONLY) {
            k->memory->protect(k->memory, (uint32_t)address, (uint32_t)length, WEFT_PAGE_READ);
        }
        address += length;
    }
}

static bool in_image(const ktitle_file *t, uint32_t address, uint32_t length)
{
    return address >= t->image.base && address - t->image.base <= t->image.size &&
           length <= t->image.size - (address - t->image.base);
}

static weft_status bind_library(kernel *k, const ktitle_file *t, const weft_xex_library *library)
{
    int module = kloader_module_number(library->name);
    for (uint32_t i = 0; i < library->import_count; i++) {
        const weft_xex_import *import = &library->imports[i];
        uint8_t *cell = k->memory->base + import->record_address;
        if (import->kind == WEFT_XEX_FUNCTION) {
            if (!in_image(t, import->thunk_address, 16) ||
                !kthunk_place(k, module < 0 ? KMODULE_XBDM : (unsigned)module, import->ordinal,
                              import->thunk_address)) {
                return fail_path(k, WEFT_E_FORMAT, t->file, "an import thunk cannot be placed");
            }
            if (in_image(t, import->record_address, 4)) {
                weft_store32(cell, import->thunk_address);
            }
            continue;
        }
        uint32_t variable = module < 0 ? 0 : kvariable(k, (unsigned)module, import->ordinal);
        if (!variable) {
            char line[160];
            const char *name =
                module < 0 ? NULL : kexport_ordinal_name((unsigned)module, import->ordinal);
            snprintf(line, sizeof line, "%s!%s (ordinal 0x%x) is a variable that is not there: zero",
                     library->name, name ? name : "?", import->ordinal);
            k->host->log(k->host, WEFT_LOG_WARN, line);
            variable = kalloc(k, 64);
        }
        if (in_image(t, import->record_address, 4)) {
            weft_store32(cell, variable);
        }
    }
    return WEFT_OK;
}

/* LDR_DATA_TABLE_ENTRY, as far as titles look (xenia src/xenia/kernel/user_module.cc). */
static uint32_t make_loader_entry(kernel *k, const kmodule *m)
{
    uint32_t entry = kalloc(k, 0x60);
    if (entry) {
        uint8_t *p = k->memory->base + entry;
        weft_store32(p + 0x18, m->base);   /* DllBase */
        weft_store32(p + 0x1C, m->base);   /* image base */
        weft_store32(p + 0x20, m->size);   /* SizeOfImage */
        weft_store32(p + 0x38, m->size);   /* full image size */
        weft_store32(p + 0x3C, m->entry);  /* EntryPoint */
        weft_store16(p + 0x40, 1);         /* load count */
        weft_store32(p + 0x44, m->base);
        weft_store32(p + 0x58, m->header); /* XEX header */
        kwritten(k, entry, 0x60);
    }
    return entry;
}

static weft_status make_module(kernel *k, ktitle_file *t)
{
    kmodule *m = calloc(1, sizeof *m);
    if (!m) {
        return fail_path(k, WEFT_E_NO_MEMORY, t->file, "out of memory");
    }
    const char *slash = strrchr(t->file, '/');
    snprintf(m->name, sizeof m->name, "%s", slash ? slash + 1 : t->file);
    m->base = t->image.base;
    m->size = t->image.size;
    m->entry = weft_xex_entry_point(t->xex);
    m->stack_size = weft_xex_header_u32(t->xex, XEX_KEY_STACK_SIZE, 0x40000);
    m->system_flags = weft_xex_header_u32(t->xex, XEX_KEY_SYSTEM_FLAGS, 0);
    weft_xex_tls tls;
    if (weft_xex_tls_info(t->xex, &tls) == WEFT_XEX_OK) {
        m->tls_slots = tls.slot_count;
        m->tls_data = tls.data_address;
        m->tls_data_size = tls.data_size < 0x100000 ? tls.data_size : 0x100000;
        m->tls_raw_size = tls.raw_size < m->tls_data_size ? tls.raw_size : m->tls_data_size;
    }
    m->header = kalloc(k, t->xex->header_size);
    if (m->header) {
        memcpy(k->memory->base + m->header, t->bytes, t->xex->header_size);
        kwritten(k, m->header, t->xex->header_size);
    }
    m->handle = make_loader_entry(k, m);
    m->next = k->modules;
    k->modules = m;
    k->title = m;
    if (!m->header || !m->handle) {
        return fail_path(k, WEFT_E_NO_MEMORY, t->file, "kernel memory is exhausted by the header");
    }
    if (!in_image(t, m->entry, 4) || m->entry & 3) {
        char text[96];
        snprintf(text, sizeof text, "entry point lies outside the image (found 0x%08x)", m->entry);
        return fail_path(k, WEFT_E_FORMAT, t->file, text);
    }
    return WEFT_OK;
}

static weft_status make_first_thread(kernel *k, const ktitle_file *t)
{
    uint32_t stack = (k->title->stack_size + 0xFFF) & ~UINT32_C(0xFFF);
    kthread_request request = {
        .stack_size = stack < 0x4000 ? 0x4000 : stack > 0x4000000 ? 0x4000000 : stack,
        .entry = k->title->entry,
    };
    k->first_thread = kthread_create(k, &request);
    return k->first_thread
               ? WEFT_OK
               : fail_path(k, WEFT_E_NO_MEMORY, t->file, "out of memory for the first thread");
}

static void emit_module(kernel *k, const ktitle_file *t)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_MODULE_LOAD);
    weft_event_text(&event, k->title->name, strlen(k->title->name));
    weft_event_word(&event, k->title->base);
    weft_event_word(&event, k->title->size);
    weft_event_word(&event, k->title->entry);
    weft_event_word(&event, XXH3_64bits(t->bytes, t->size));
    kemit(k, NULL, &event);
}

static void warn_hashes(kernel *k, const ktitle_file *t)
{
    if (t->image.pages.ok != t->image.pages.total) {
        char line[200];
        snprintf(line, sizeof line, "%s: %u of %u page digests match: the image was changed after "
                 "it was signed", k->title->name, t->image.pages.ok, t->image.pages.total);
        k->host->log(k->host, WEFT_LOG_WARN, line);
    }
}

weft_status kloader_open(kernel *k, const char *path, const char *arguments)
{
    ktitle_file t;
    weft_status status = kloader_read(k, path, &t);
    if (status != WEFT_OK) {
        return status;
    }
    const char *slash = strrchr(t.file, '/');
    const char *name = slash ? slash + 1 : t.file;
    snprintf(k->command_line_text, sizeof k->command_line_text, "\"%.60s\"%s%s", name,
             *arguments ? " " : "", arguments);
    snprintf(k->image_path, sizeof k->image_path, "\\Device\\Harddisk0\\Partition1\\%.200s", name);
    if (vfs_mount_title(k->vfs, t.folder) != STATUS_SUCCESS) {
        status = fail_path(k, WEFT_E_IO, t.folder, "the title's folder cannot be opened");
    }
    if (status == WEFT_OK) {
        status = map_image(k, &t);
    }
    if (status == WEFT_OK) {
        status = make_module(k, &t);
    }
    for (uint32_t i = 0; status == WEFT_OK && i < t.imports.library_count; i++) {
        status = bind_library(k, &t, &t.imports.libraries[i]);
    }
    if (status == WEFT_OK) {
        kwritten(k, t.image.base, t.image.size);
        protect_image(k, &t);
        warn_hashes(k, &t);
        emit_module(k, &t);
        status = make_first_thread(k, &t);
    }
    kloader_free(&t);
    return status;
}

void kloader_close(kernel *k)
{
    while (k->modules) {
        kmodule *next = k->modules->next;
        free(k->modules);
        k->modules = next;
    }
}
