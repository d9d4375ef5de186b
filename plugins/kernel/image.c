/* Modules in guest memory: mapping, binding, what titles see of them, and taking them out again.
 *
 * An image stays where it was linked: .reloc lies outside the image in real titles (CPU-FACTS,
 * "What XDK titles do"), so a range that is taken is an error. Only the title's own TLS template
 * counts, as in xenia (src/xenia/kernel/xthread.cc): static TLS of other modules is not laid out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "loader.h"
#include "mm.h"
#include "vfs.h"
#include "xex_layout.h"

#define IMAGE_LOW  UINT32_C(0x82000000)
#define IMAGE_HIGH UINT64_C(0xA0000000)

/* LDR_DATA_TABLE_ENTRY (xenia src/xenia/kernel/xmodule.h). */
#define LDR_SIZE       0x64
#define LDR_LINKS      0x00 /* three LIST_ENTRYs; each alone in its list */
#define LDR_DLL_BASE   0x18
#define LDR_IMAGE_BASE 0x1C
#define LDR_IMAGE_SIZE 0x20
#define LDR_FULL_NAME  0x24 /* UNICODE_STRING {u16 length, u16 capacity, u32 text} */
#define LDR_BASE_NAME  0x2C
#define LDR_FULL_SIZE  0x38
#define LDR_ENTRY      0x3C
#define LDR_LOAD_COUNT 0x40 /* u16 */
#define LDR_ORIGINAL   0x44
#define LDR_HEADER     0x58

/* ---- finding -----------------------------------------------------------------------------------
 */

static bool is_path(const char *name)
{
    return strpbrk(name, "\\/:") != NULL;
}

static kmodule *find_path(kernel *k, const char *path)
{
    kmodule *m = k->modules;
    while (m && vfs_compare(m->path, path) != 0) {
        m = m->next;
    }
    return m;
}

static kmodule *find_name(kernel *k, const char *name)
{
    kmodule *m = k->modules;
    while (m && vfs_compare(m->name, name) != 0) {
        m = m->next;
    }
    return m;
}

kmodule *kimage_find(kernel *k, const char *name)
{
    if (!is_path(name)) {
        return find_name(k, name);
    }
    vfs_file *file;
    uint32_t action;
    if (vfs_open(k->vfs, NULL, name, VFS_OPEN, VFS_NON_DIRECTORY_FILE, &file, &action) !=
        STATUS_SUCCESS) {
        return NULL;
    }
    kmodule *m = find_path(k, vfs_path(file));
    vfs_close(file);
    return m;
}

kmodule *kimage_of_handle(kernel *k, uint32_t handle)
{
    kmodule *m = k->modules;
    while (m && m->handle != handle) {
        m = m->next;
    }
    return m;
}

kmodule *kimage_around(kernel *k, uint32_t address)
{
    kmodule *m = k->modules;
    while (m && address - m->base >= m->size) {
        m = m->next;
    }
    return m;
}

/* ---- what titles see ---------------------------------------------------------------------------
 */

static void put_unicode(uint8_t *p, uint32_t text, size_t characters)
{
    weft_store16(p, (uint16_t)(characters * 2));
    weft_store16(p + 2, (uint16_t)(characters * 2 + 2));
    weft_store32(p + 4, text);
}

static uint32_t system_data(kernel *k, uint32_t bytes)
{
    return kalloc_for(k, k->running, kcall_site(k->running), bytes, KALLOCATION_MODULE);
}

static bool make_loader_entry(kernel *k, kmodule *m)
{
    size_t length = strlen(m->path), leaf = strlen(m->name);
    m->handle = system_data(k, LDR_SIZE);
    m->wide = system_data(k, (uint32_t)(length + 1) * 2);
    if (!m->handle || !m->wide) {
        return false;
    }
    uint8_t *p = k->memory->base + m->handle, *wide = k->memory->base + m->wide;
    for (size_t i = 0; i <= length; i++) {
        weft_store16(wide + i * 2, (uint8_t)m->path[i]);
    }
    leaf = leaf < length ? leaf : length;
    for (uint32_t at = LDR_LINKS; at < LDR_DLL_BASE; at += 8) {
        weft_store32(p + at, m->handle + at);
        weft_store32(p + at + 4, m->handle + at);
    }
    weft_store32(p + LDR_DLL_BASE, m->base);
    weft_store32(p + LDR_IMAGE_BASE, m->base);
    weft_store32(p + LDR_IMAGE_SIZE, m->size);
    put_unicode(p + LDR_FULL_NAME, m->wide, length);
    put_unicode(p + LDR_BASE_NAME, m->wide + (uint32_t)(length - leaf) * 2, leaf);
    weft_store32(p + LDR_FULL_SIZE, m->size);
    weft_store32(p + LDR_ENTRY, m->entry);
    weft_store32(p + LDR_ORIGINAL, m->base);
    weft_store32(p + LDR_HEADER, m->header);
    kwritten(k, m->handle, LDR_SIZE);
    kwritten(k, m->wide, (uint32_t)(length + 1) * 2);
    return true;
}

void kimage_counts(kernel *k)
{
    for (kmodule *m = k->modules; m; m = m->next) {
        uint32_t count = m->loads + (m == k->title);
        for (const kmodule *other = k->modules; other; other = other->next) {
            for (uint32_t i = 0; i < other->import_count; i++) {
                count += other->imports[i] == m;
            }
        }
        weft_store16(k->memory->base + m->handle + LDR_LOAD_COUNT,
                     (uint16_t)(count < 0xFFFF ? count : 0xFFFF));
        kwritten(k, m->handle + LDR_LOAD_COUNT, 2);
    }
}

static void emit_module(kernel *k, kmodule *m, const ktitle_file *t)
{
    m->told = true;
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_MODULE_LOAD);
    weft_event_text(&event, m->name, strlen(m->name));
    weft_event_word(&event, m->base);
    weft_event_word(&event, m->size);
    weft_event_word(&event, m->entry);
    weft_event_word(&event, XXH3_64bits(t->bytes, t->size));
    kemit(k, k->running, &event);
}

static void emit_unload(kernel *k, const kmodule *m)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_MODULE_UNLOAD);
    weft_event_text(&event, m->name, strlen(m->name));
    weft_event_word(&event, m->base);
    kemit(k, k->running, &event);
}

static void warn(kernel *k, const kmodule *m, const ktitle_file *t)
{
    char line[200];
    if (t->image.pages.ok != t->image.pages.total) {
        snprintf(line, sizeof line,
                 "%s: %u of %u page digests match: the image was changed after "
                 "it was signed",
                 m->name, t->image.pages.ok, t->image.pages.total);
        k->host->log(k->host, WEFT_LOG_WARN, line);
    }
    if (m != k->title && m->tls_data_size) {
        snprintf(line, sizeof line,
                 "%s: its %u bytes of static TLS are not laid out: only the "
                 "title's are",
                 m->name, m->tls_data_size);
        k->host->log(k->host, WEFT_LOG_WARN, line);
    }
}

/* ---- a module's own data -----------------------------------------------------------------------
 */

/* The list of exports, with names that outlive the decoded image. */
static kstatus keep_exports(kmodule *m, const ktitle_file *t, char *err)
{
    char text[256] = "";
    weft_xex_export *list;
    uint32_t count;
    int status = weft_xex_exports(t->xex, &t->image, &list, &count, text);
    if (status != WEFT_XEX_OK) {
        snprintf(err, KMODULE_ERROR_SIZE, "%s", text);
        return status == WEFT_XEX_E_MEMORY ? STATUS_NO_MEMORY : STATUS_INVALID_IMAGE_FORMAT;
    }
    m->exports = list;
    m->export_count = count;
    size_t bytes = 1;
    for (uint32_t i = 0; i < count; i++) {
        bytes += list[i].name ? strlen(list[i].name) + 1 : 0;
    }
    char *at = m->export_names = malloc(bytes);
    for (uint32_t i = 0; at && i < count; i++) {
        if (list[i].name) {
            size_t length = strlen(list[i].name) + 1;
            memcpy(at, list[i].name, length);
            list[i].name = at;
            at += length;
        }
    }
    if (!at) {
        snprintf(err, KMODULE_ERROR_SIZE, "out of memory");
        return STATUS_NO_MEMORY;
    }
    return STATUS_SUCCESS;
}

static bool in_image(const ktitle_file *t, uint32_t address, uint32_t length)
{
    return address >= t->image.base && address - t->image.base <= t->image.size &&
           length <= t->image.size - (address - t->image.base);
}

static void read_headers(kernel *k, kmodule *m, const ktitle_file *t)
{
    m->base = t->image.base;
    m->size = t->image.size;
    m->dll = (t->xex->module_flags & XEX_MODULE_DLL) != 0 && k->title;
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
}

/* Maps the image and enters the module into the list; from here on kimage_drop takes it out. */
static kstatus enter_module(kernel *k, kmodule *m, const ktitle_file *t, char *err)
{
    uint32_t count = 0;
    kmodule **last = &k->modules;
    for (; *last; last = &(*last)->next) {
        count++;
    }
    if (count >= KMODULES_MAX) {
        snprintf(err, KMODULE_ERROR_SIZE, "too many modules (expected at most %u)", KMODULES_MAX);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    kstatus status = m->base < IMAGE_LOW || (uint64_t)m->base + m->size > IMAGE_HIGH
                         ? STATUS_INVALID_IMAGE_FORMAT
                         : mm_map_image(k->mm, k->running, m->base, m->size);
    const kmodule *other =
        status == STATUS_CONFLICTING_ADDRESSES ? kimage_around(k, m->base) : NULL;
    if (status == STATUS_CONFLICTING_ADDRESSES) {
        snprintf(err, KMODULE_ERROR_SIZE,
                 "image at 0x%08x + 0x%x meets %s (expected a range of its own)", m->base, m->size,
                 other ? other->name : "other memory");
        return status;
    }
    if (status != STATUS_SUCCESS) {
        snprintf(err, KMODULE_ERROR_SIZE,
                 "image does not fit the address space (found 0x%08x + 0x%x, expected within "
                 "0x82000000..0x9fffffff)",
                 m->base, m->size);
        return status == STATUS_NO_MEMORY ? status : STATUS_INVALID_IMAGE_FORMAT;
    }
    memcpy(k->memory->base + m->base, t->image.bytes, m->size);
    *last = m;
    k->title = k->title ? k->title : m;
    return STATUS_SUCCESS;
}

static kstatus make_guest_data(kernel *k, kmodule *m, const ktitle_file *t, char *err)
{
    m->header = system_data(k, t->xex->header_size);
    if (m->header) {
        memcpy(k->memory->base + m->header, t->bytes, t->xex->header_size);
        kwritten(k, m->header, t->xex->header_size);
    }
    if (!m->header || !make_loader_entry(k, m)) {
        snprintf(err, KMODULE_ERROR_SIZE, "kernel memory is exhausted by the headers");
        return STATUS_NO_MEMORY;
    }
    return STATUS_SUCCESS;
}

/* ---- imports -----------------------------------------------------------------------------------
 */

/* The system's libraries: functions become kernel calls, variables get the kernel's cells. */
static kstatus bind_system(kernel *k, const ktitle_file *t, const weft_xex_library *library,
                           unsigned module, char *err)
{
    for (uint32_t i = 0; i < library->import_count; i++) {
        const weft_xex_import *import = &library->imports[i];
        uint8_t *cell = k->memory->base + import->record_address;
        bool has_cell = in_image(t, import->record_address, 4);
        if (import->kind == WEFT_XEX_FUNCTION) {
            if (!in_image(t, import->thunk_address, 16) ||
                !kthunk_place(k, module, import->ordinal, import->thunk_address)) {
                snprintf(err, KMODULE_ERROR_SIZE, "an import thunk cannot be placed");
                return STATUS_INVALID_IMAGE_FORMAT;
            }
            if (has_cell) {
                weft_store32(cell, import->thunk_address);
            }
            continue;
        }
        uint32_t variable = kvariable(k, module, import->ordinal);
        if (!variable) {
            char line[160];
            const char *name = kexport_ordinal_name(module, import->ordinal);
            snprintf(line, sizeof line,
                     "%s!%s (ordinal 0x%x) is a variable that is not there: zero", library->name,
                     name ? name : "?", import->ordinal);
            k->host->log(k->host, WEFT_LOG_WARN, line);
            variable = kalloc_for(k, k->running, kcall_site(k->running), 64, KALLOCATION_VARIABLE);
        }
        if (has_cell) {
            weft_store32(cell, variable);
        }
    }
    return STATUS_SUCCESS;
}

/* lis r11,hi; ori r11,r11,lo; mtctr r11; bctr: what the console's loader writes (xenia
 * src/xenia/cpu/xex_module.cc, SetupLibraryImports). */
static void write_branch(uint8_t *thunk, uint32_t target)
{
    weft_store32(thunk, UINT32_C(0x3D600000) | target >> 16);
    weft_store32(thunk + 4, UINT32_C(0x616B0000) | (target & 0xFFFF));
    weft_store32(thunk + 8, UINT32_C(0x7D6903A6));
    weft_store32(thunk + 12, UINT32_C(0x4E800420));
}

static bool add_edge(kmodule *m, kmodule *target)
{
    kmodule **grown = realloc(m->imports, (m->import_count + 1) * sizeof(kmodule *));
    if (!grown) {
        return false;
    }
    m->imports = grown;
    m->imports[m->import_count++] = target;
    return true;
}

/* Another module's exports, by ordinal. */
static kstatus bind_module(kernel *k, const ktitle_file *t, kmodule *m,
                           const weft_xex_library *library, unsigned depth, char *err)
{
    char inner[KMODULE_ERROR_SIZE] = "";
    kmodule *target;
    kstatus status = kimage_get(k, m, library->name, depth + 1, &target, inner);
    if (status == STATUS_SUCCESS && !add_edge(m, target)) {
        snprintf(inner, sizeof inner, "out of memory");
        status = STATUS_NO_MEMORY;
    }
    for (uint32_t i = 0; status == STATUS_SUCCESS && i < library->import_count; i++) {
        const weft_xex_import *import = &library->imports[i];
        uint32_t address =
            weft_xex_export_find(target->exports, target->export_count, import->ordinal);
        if (!address) {
            snprintf(inner, sizeof inner,
                     "%s: no export with ordinal %u (found %u exports, expected it among them)",
                     target->name, import->ordinal, target->export_count);
            status = STATUS_ORDINAL_NOT_FOUND;
            break;
        }
        if (import->kind == WEFT_XEX_FUNCTION && in_image(t, import->thunk_address, 16)) {
            write_branch(k->memory->base + import->thunk_address, address);
        }
        if (in_image(t, import->record_address, 4)) {
            weft_store32(k->memory->base + import->record_address, address);
        }
    }
    if (status != STATUS_SUCCESS) {
        snprintf(err, KMODULE_ERROR_SIZE, "imports %s", inner);
    }
    return status;
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

/* ---- in and out --------------------------------------------------------------------------------
 */

void kimage_free(kmodule *m)
{
    free(m->exports);
    free(m->export_names);
    free(m->imports);
    free(m);
}

/* The module is in the list before its imports are bound, so that modules that import each other
 * find each other, and none is loaded twice. */
kstatus kimage_make(kernel *k, ktitle_file *t, const char *path, unsigned depth, kmodule **out,
                    char *err)
{
    kmodule *m = *out = calloc(1, sizeof *m);
    if (!m) {
        snprintf(err, KMODULE_ERROR_SIZE, "out of memory");
        return STATUS_NO_MEMORY;
    }
    const char *slash = strrchr(path, '\\');
    snprintf(m->name, sizeof m->name, "%s", slash ? slash + 1 : path);
    snprintf(m->path, sizeof m->path, "%s", path);
    m->batch = k->module_batch;
    read_headers(k, m, t);
    kstatus status = enter_module(k, m, t, err);
    if (status != STATUS_SUCCESS) {
        kimage_free(m);
        *out = NULL;
        return status;
    }
    status = make_guest_data(k, m, t, err);
    if (status == STATUS_SUCCESS) {
        status = keep_exports(m, t, err);
    }
    if (status == STATUS_SUCCESS && m->entry && (!in_image(t, m->entry, 4) || m->entry & 3)) {
        snprintf(err, KMODULE_ERROR_SIZE, "entry point lies outside the image (found 0x%08x)",
                 m->entry);
        status = STATUS_INVALID_IMAGE_FORMAT;
    }
    for (uint32_t i = 0; status == STATUS_SUCCESS && i < t->imports.library_count; i++) {
        const weft_xex_library *library = &t->imports.libraries[i];
        int module = kloader_module_number(library->name);
        status = module < 0 ? bind_module(k, t, m, library, depth, err)
                            : bind_system(k, t, library, (unsigned)module, err);
    }
    if (status == STATUS_SUCCESS) {
        m->order = ++k->module_order;
        kwritten(k, m->base, m->size);
        protect_image(k, t);
        warn(k, m, t);
        emit_module(k, m, t);
    }
    return status;
}

static kstatus decode_module(ktitle_file *t, char *err)
{
    char text[256] = "";
    int status = kloader_decode(t, text);
    snprintf(err, KMODULE_ERROR_SIZE, "%s", text);
    return status == WEFT_XEX_OK         ? STATUS_SUCCESS
           : status == WEFT_XEX_E_MEMORY ? STATUS_NO_MEMORY
                                         : STATUS_INVALID_IMAGE_FORMAT;
}

static kstatus read_module(vfs_file *file, ktitle_file *t, char *err)
{
    vfs_info info;
    vfs_info_get(file, &info);
    if (info.size > KMODULE_FILE_MAX) {
        snprintf(err, KMODULE_ERROR_SIZE, "not a module (expected at most 256 MiB)");
        return STATUS_INVALID_IMAGE_FORMAT;
    }
    t->size = (size_t)info.size;
    t->bytes = malloc(t->size + 1);
    if (!t->bytes) {
        snprintf(err, KMODULE_ERROR_SIZE, "out of memory");
        return STATUS_NO_MEMORY;
    }
    uint32_t done = 0;
    for (size_t at = 0; at < t->size; at += done) {
        kstatus status = vfs_read(file, at, t->bytes + at, (uint32_t)(t->size - at), &done);
        if (status != STATUS_SUCCESS || !done) {
            snprintf(err, KMODULE_ERROR_SIZE, "cannot be read whole");
            return status ? status : STATUS_END_OF_FILE;
        }
    }
    return decode_module(t, err);
}

/* A module that was found loaded. */
static kstatus take_loaded(kmodule *m, kmodule **out, char *err)
{
    *out = m;
    if (m->stage >= KSTAGE_DOOMED) {
        snprintf(err, KMODULE_ERROR_SIZE, "%s: is just being unloaded", m->name);
        return STATUS_DLL_NOT_FOUND;
    }
    return STATUS_SUCCESS;
}

/* A new module at the guest path `path`: read from `file`, or with that NULL made of `bytes`. */
static kstatus load_new(kernel *k, vfs_file *file, const void *bytes, uint32_t size,
                        const char *path, unsigned depth, kmodule **out, char *err)
{
    char inner[KMODULE_ERROR_SIZE] = "";
    const char *slash = strrchr(path, '\\');
    ktitle_file *t = calloc(1, sizeof *t);
    kstatus status = STATUS_NO_MEMORY;
    if (t) {
        snprintf(t->file, sizeof t->file, "%s", path);
    }
    if (t && file) {
        status = read_module(file, t, inner);
        /* reading takes guest time, as a transfer of file.c does */
        kcharge(k, k->machine->io_cost + k->machine->io_cost_per_kib * ((t->size + 1023) / 1024));
    } else if (t && (t->bytes = malloc((size_t)size + 1)) != NULL) {
        t->size = size;
        memcpy(t->bytes, bytes, size); /* the title may change its own meanwhile */
        status = decode_module(t, inner);
    }
    if (status == STATUS_SUCCESS) {
        status = kimage_make(k, t, path, depth, out, inner);
    }
    if (status != STATUS_SUCCESS) {
        snprintf(err, KMODULE_ERROR_SIZE, "%s: %s", slash ? slash + 1 : path, inner);
    }
    if (t) {
        kloader_free(t);
    }
    free(t);
    return status;
}

kstatus kimage_get(kernel *k, const kmodule *beside, const char *name, unsigned depth,
                   kmodule **out, char *err)
{
    char path[VFS_PATH_MAX];
    kmodule *known = is_path(name) ? NULL : find_name(k, name);
    if (known) {
        return take_loaded(known, out, err);
    }
    if (depth > KMODULE_DEPTH_MAX) {
        snprintf(err, KMODULE_ERROR_SIZE, "%s: imports go too deep (expected at most %u levels)",
                 name, KMODULE_DEPTH_MAX);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    int folder = 0;
    if (!is_path(name)) {
        const char *slash = strrchr(beside->path, '\\');
        folder = slash ? (int)(slash + 1 - beside->path) : 0;
    }
    int length = snprintf(path, sizeof path, "%.*s%s", folder, folder ? beside->path : "", name);
    vfs_file *file = NULL;
    uint32_t action;
    if (!*name || length < 0 || (size_t)length >= sizeof path ||
        vfs_open(k->vfs, NULL, path, VFS_OPEN, VFS_NON_DIRECTORY_FILE, &file, &action) !=
            STATUS_SUCCESS) {
        snprintf(err, KMODULE_ERROR_SIZE, "%.200s: no such module (expected it at %.300s)", name,
                 path);
        return STATUS_DLL_NOT_FOUND;
    }
    known = find_path(k, vfs_path(file));
    kstatus status = known ? take_loaded(known, out, err)
                           : load_new(k, file, NULL, 0, vfs_path(file), depth, out, err);
    vfs_close(file);
    return status;
}

kstatus kimage_get_memory(kernel *k, const char *name, const void *bytes, uint32_t size,
                          kmodule **out, char *err)
{
    char path[VFS_PATH_MAX];
    const char *leaf = strrchr(name, '\\'), *slash = strrchr(k->title->path, '\\');
    leaf = leaf ? leaf + 1 : name;
    kmodule *known = find_name(k, leaf);
    if (known) {
        return take_loaded(known, out, err);
    }
    int folder = slash ? (int)(slash + 1 - k->title->path) : 0;
    int length = snprintf(path, sizeof path, "%.*s%s", folder, k->title->path, leaf);
    if (!*leaf || length < 0 || (size_t)length >= sizeof path) {
        snprintf(err, KMODULE_ERROR_SIZE, "a module in memory without a name that can be used");
        return STATUS_OBJECT_NAME_INVALID;
    }
    return load_new(k, NULL, bytes, size, path, 0, out, err);
}

void kimage_drop(kernel *k, uint32_t batch, uint32_t stage)
{
    for (kmodule **at = &k->modules; *at;) {
        kmodule *m = *at;
        if (m->batch != batch || m->stage != stage || m == k->title) {
            at = &m->next;
            continue;
        }
        *at = m->next;
        if (m->told) {
            emit_unload(k, m);
        }
        kthunk_drop(k, m->base, m->size);
        mm_unmap_image(k->mm, m->base);
        kfree(k, m->header);
        kfree(k, m->handle);
        kfree(k, m->wide);
        kimage_free(m);
    }
}
