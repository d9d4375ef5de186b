/* Opening a title: the host's file, the modules, the first thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"
#include "loader.h"
#include "xex_layout.h"

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
        char text[160];
        snprintf(text, sizeof text, "cannot be opened (found: %s, expected an .xex)",
                 strerror(errno));
        weft_status answer = fail_path(k, status, path, text);
        if (fd >= 0) {
            close(fd);
        }
        return answer;
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > KMODULE_FILE_MAX) {
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
        char text[160];
        snprintf(text, sizeof text, "cannot be opened (found: %s, expected an .xex or a folder)",
                 strerror(errno));
        return fail_path(k, WEFT_E_NOT_FOUND, path, text);
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

int kloader_decode(ktitle_file *t, char *err)
{
    int status = weft_xex_open(t->bytes, t->size, &t->xex, err);
    status = status ? status : weft_xex_decode(t->xex, &t->image, err);
    return status ? status : weft_xex_imports(t->xex, &t->image, &t->imports, err);
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
    if (status == WEFT_OK && kloader_decode(t, err) != WEFT_XEX_OK) {
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

/* ---- the title --------------------------------------------------------------------------------- */

static weft_status load_modules(kernel *k, ktitle_file *t)
{
    char err[KMODULE_ERROR_SIZE] = "";
    kmodule *title;
    k->module_batch++;
    kstatus status = kimage_make(k, t, k->image_path, 0, &title, err);
    if (status == STATUS_SUCCESS && !title->entry) {
        snprintf(err, sizeof err, "no entry point (expected one in a title)");
        status = STATUS_INVALID_IMAGE_FORMAT;
    }
    switch (status) {
    case STATUS_SUCCESS:
        return WEFT_OK;
    case STATUS_DLL_NOT_FOUND:
        return fail_path(k, WEFT_E_NOT_FOUND, t->file, err);
    case STATUS_NO_MEMORY:
        return fail_path(k, WEFT_E_NO_MEMORY, t->file, err);
    default:
        return fail_path(k, WEFT_E_FORMAT, t->file, err);
    }
}

static weft_status make_first_thread(kernel *k, const ktitle_file *t)
{
    uint32_t stack = (k->title->stack_size + 0xFFF) & ~UINT32_C(0xFFF);
    kthread_request request = {
        .stack_size = stack < 0x4000      ? 0x4000
                      : stack > 0x4000000 ? 0x4000000
                                          : stack,
        .entry = k->title->entry,
    };
    k->first_thread = kthread_create(k, &request);
    return k->first_thread
               ? WEFT_OK
               : fail_path(k, WEFT_E_NO_MEMORY, t->file, "out of memory for the first thread");
}

weft_status kloader_open(kernel *k, const char *path, const char *arguments)
{
    ktitle_file t;
    weft_status status = kloader_read(k, path, &t);
    if (status != WEFT_OK) {
        return status;
    }
    if (t.xex->module_flags & XEX_MODULE_DLL && !(t.xex->module_flags & XEX_MODULE_TITLE)) {
        status = fail_path(k, WEFT_E_FORMAT, t.file,
                           "a library, whose entry is its DllMain (found module flag DLL, expected "
                           "TITLE)");
        kloader_free(&t);
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
        status = load_modules(k, &t);
    }
    if (status == WEFT_OK) {
        status = make_first_thread(k, &t);
    }
    if (status == WEFT_OK) {
        kattach_title(k);
    }
    kloader_free(&t);
    return status;
}

void kloader_close(kernel *k)
{
    for (kmodule *m = k->modules, *next; m; m = next) {
        next = m->next;
        kimage_free(m);
    }
    k->modules = k->title = NULL;
}
