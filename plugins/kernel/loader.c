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

/* Reads length bytes at the beginning; fewer, if the file has fewer. */
static size_t read_begin(int fd, void *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = pread(fd, (char *)bytes + done, length - done, (off_t)done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    return done;
}

bool kloader_read_file(vfs_device *device, const char *name, uint8_t **bytes, size_t *size)
{
    void *node;
    vfs_info info;
    if (!device || device->ops->open(device, name, &node) != STATUS_SUCCESS) {
        return false;
    }
    device->ops->info(device, node, &info);
    bool good = !(info.attributes & VFS_ATTRIBUTE_DIRECTORY) && info.size <= KMODULE_FILE_MAX;
    *size = good ? (size_t)info.size : 0;
    *bytes = good ? malloc(*size + 1) : NULL;
    uint32_t done = 1;
    for (size_t at = 0; *bytes && done > 0 && at < *size; at += done) {
        if (device->ops->read(device, node, at, *bytes + at, (uint32_t)(*size - at), &done) !=
            STATUS_SUCCESS) {
            done = 0;
        }
    }
    device->ops->close(device, node);
    if (*bytes && done == 0) {
        free(*bytes);
        *bytes = NULL;
    }
    return *bytes != NULL;
}

/* The file's own folder becomes game:. */
static weft_status use_xex(kernel *k, const char *path, int fd, uint64_t size, ktitle_file *t)
{
    const char *slash = strrchr(path, '/');
    snprintf(t->folder, sizeof t->folder, "%.*s",
             !slash          ? 1
             : slash == path ? 1
                             : (int)(slash - path),
             slash ? path : ".");
    snprintf(t->file, sizeof t->file, "%s", path);
    if (size > KMODULE_FILE_MAX) {
        return fail_path(k, WEFT_E_FORMAT, path,
                         "too large for an executable (expected at most 256 MiB)");
    }
    t->size = (size_t)size;
    t->bytes = malloc(t->size + 1);
    if (!t->bytes || read_begin(fd, t->bytes, t->size) < t->size) {
        return fail_path(k, WEFT_E_IO, path, "cannot be read whole");
    }
    t->device = vfs_host_create(t->folder);
    return t->device ? WEFT_OK
                     : fail_path(k, WEFT_E_IO, t->folder, "the title's folder cannot be opened");
}

/* Its device has default.xex. The descriptor is taken over. */
static weft_status use_image(kernel *k, const char *path, int fd, vfs_device *device,
                             const char *why, ktitle_file *t)
{
    if (!device) {
        close(fd);
        return fail_path(k, WEFT_E_FORMAT, path, why);
    }
    t->device = device;
    t->disc = true;
    snprintf(t->file, sizeof t->file, "%.1000s/default.xex", path);
    void *node;
    kstatus status = device->ops->open(device, "default.xex", &node);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND) {
        void *root;
        vfs_entry first = {.name = "nothing"};
        if (device->ops->open(device, "", &root) == STATUS_SUCCESS) {
            device->ops->list(device, root, 0, &first);
            device->ops->close(device, root);
        }
        char text[VFS_NAME_MAX + 100];
        snprintf(text, sizeof text,
                 "no title in this image (found no default.xex, but %s first, expected one)",
                 first.name);
        return fail_path(k, WEFT_E_NOT_FOUND, path, text);
    }
    if (status == STATUS_SUCCESS) {
        device->ops->close(device, node);
        if (kloader_read_file(device, "default.xex", &t->bytes, &t->size)) {
            return WEFT_OK;
        }
    }
    return fail_path(k, WEFT_E_FORMAT, t->file,
                     "cannot be read whole (expected a file of at most 256 MiB inside the image)");
}

static weft_status use_folder(kernel *k, const char *path, ktitle_file *t)
{
    snprintf(t->folder, sizeof t->folder, "%s", path);
    snprintf(t->file, sizeof t->file, "%.1000s/default.xex", path);
    if (access(t->file, R_OK) != 0) {
        return fail_path(k, WEFT_E_NOT_FOUND, path,
                         "no title in this folder (found no default.xex, expected one)");
    }
    return WEFT_OK;
}

/* Fills `text` with what a file begins with, as far as that can be printed. */
static const char *printed(const uint8_t *bytes, size_t count, char *text)
{
    static const char hex[] = "0123456789abcdef";
    bool plain = count > 0;
    for (size_t i = 0; i < count; i++) {
        plain = plain && bytes[i] >= ' ' && bytes[i] <= '~';
        text[i * 2] = hex[bytes[i] >> 4];
        text[i * 2 + 1] = hex[bytes[i] & 15];
    }
    text[count * 2] = 0;
    if (plain) {
        memcpy(text, bytes, count);
        text[count] = 0;
    }
    return count > 0 ? text : "an empty file";
}

/* What it is shows in its contents, not in its name. Takes the descriptor over. */
static weft_status use_file(kernel *k, const char *path, int fd, uint64_t size, ktitle_file *t)
{
    static const char *const packages[] = {"CON ", "LIVE", "PIRS"};
    uint8_t begin[4];
    char why[384] = "";
    size_t count = read_begin(fd, begin, sizeof begin);
    for (int i = 0; i < 3; i++) {
        if (count == 4 && memcmp(begin, packages[i], 4) == 0) {
            vfs_device *device = vfs_stfs_create(fd, size, why, sizeof why);
            return use_image(k, path, fd, device, why, t);
        }
    }
    bool xex = count == 4 && memcmp(begin, "XEX", 3) == 0;
    if (!xex && vfs_gdfx_is(fd, size)) {
        vfs_device *device = vfs_gdfx_create(fd, size, why, sizeof why);
        return use_image(k, path, fd, device, why, t);
    }
    weft_status status;
    if (xex) {
        status = use_xex(k, path, fd, size, t);
    } else {
        char text[128], room[16];
        snprintf(text, sizeof text,
                 "not a title (found %s, expected an .xex, a disc image, a package or a folder)",
                 printed(begin, count, room));
        status = fail_path(k, WEFT_E_FORMAT, path, text);
    }
    close(fd);
    return status;
}

/* Finds the title behind a path: its device and its file's bytes. */
static weft_status locate(kernel *k, const char *path, ktitle_file *t)
{
    if (strlen(path) + 16 > sizeof t->file) {
        return fail_path(k, WEFT_E_INVALID, path, "path is too long");
    }
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        weft_status status = use_folder(k, path, t);
        if (status != WEFT_OK) {
            return status;
        }
        path = t->file;
    }
    /* a pipe is not waited for */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        weft_status status = errno == ENOENT ? WEFT_E_NOT_FOUND : WEFT_E_IO;
        char text[160];
        snprintf(text, sizeof text, "cannot be opened (found: %s, expected a title)",
                 strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return fail_path(k, status, path, text);
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return fail_path(k, WEFT_E_FORMAT, path, "not a title (expected a regular file)");
    }
    char whole[sizeof t->file]; /* path may be t->file, which is written */
    snprintf(whole, sizeof whole, "%s", path);
    return use_file(k, whole, fd, (uint64_t)st.st_size, t);
}

int kloader_decode(ktitle_file *t, char *err)
{
    int status = weft_xex_open(t->bytes, t->size, &t->xex, err);
    status = status ? status : weft_xex_decode(t->xex, &t->image, err);
    return status ? status : weft_xex_imports(t->xex, &t->image, &t->imports, err);
}

weft_status kloader_locate(kernel *k, const char *path, ktitle_file *t)
{
    memset(t, 0, sizeof *t);
    weft_status status = locate(k, path, t);
    if (status != WEFT_OK) {
        kloader_free(t);
    }
    return status;
}

weft_status kloader_read(kernel *k, const char *path, ktitle_file *t)
{
    weft_status status = kloader_locate(k, path, t);
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
    if (t->device) {
        t->device->ops->destroy(t->device);
    }
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
    vfs_mount_game(k->vfs, t.device, t.disc);
    snprintf(k->image_path, sizeof k->image_path, "%.50s\\%.200s", t.device->mount, name);
    t.device = NULL;
    status = load_modules(k, &t);
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
