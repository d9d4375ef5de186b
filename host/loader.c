/* loader.c: the only dlopen and dlsym in the tree, and the only reader of a plugin's `size`s. */
#include "loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "option.h"
#include "text.h"

#ifndef WEFT_PLUGIN_PLACE /* installed plugins, relative to the program; set by the build */
#define WEFT_PLUGIN_PLACE "../lib/weft"
#endif

#define OPTION_LIMIT 256 /* keys of one plugin */
#define ID_LIMIT     64  /* bytes */

/* One row per role: its name and which ops a plugin must bring, as offsets in its table. */
typedef struct mandatory {
    const char *name;
    size_t offset;
} mandatory;

typedef struct role_row {
    const char *name;
    size_t ops_size;
    mandatory ops[8];
} role_row;

#define OP(role, op)                                                                               \
    {                                                                                              \
#op, offsetof(weft_##role##_ops, op)                                                       \
    }

static const role_row roles[WEFT_ROLE_COUNT] = {
    [WEFT_ROLE_CPU] = {"cpu",
                       sizeof(weft_cpu_ops),
                       {OP(cpu, attach), OP(cpu, state_create), OP(cpu, state_destroy),
                        OP(cpu, run)}},
    [WEFT_ROLE_KERNEL] = {"kernel",
                          sizeof(weft_kernel_ops),
                          {OP(kernel, info), OP(kernel, open), OP(kernel, run), OP(kernel, result),
                           OP(kernel, thread), OP(kernel, missing)}},
    [WEFT_ROLE_GPU] = {"gpu",
                       sizeof(weft_gpu_ops),
                       {OP(gpu, attach), OP(gpu, ring), OP(gpu, read_pointer_write_back),
                        OP(gpu, register_read), OP(gpu, register_write), OP(gpu, stats),
                        OP(gpu, digest)}},
    [WEFT_ROLE_TRACER] = {"tracer", sizeof(weft_tracer_ops), {OP(tracer, event)}},
    [WEFT_ROLE_POLICY] = {"policy", sizeof(weft_policy_ops), {{0}}},
    [WEFT_ROLE_FRONTEND] = {"frontend", sizeof(weft_frontend_ops), {{0}}},
};

const char *role_name(uint32_t role)
{
    return role > 0 && role < WEFT_ROLE_COUNT ? roles[role].name : NULL;
}

/* A descriptor's sentence of refusal. */
typedef struct refusal {
    char *why;
    size_t room;
} refusal;

#define REFUSE(r, ...) (snprintf((r)->why, (r)->room, __VA_ARGS__), -1)

static int aligned(const void *p)
{
    return ((uintptr_t)p & 7) == 0;
}

static int key_is_sane(const char *key)
{
    if (!*key || strlen(key) > 48 || strcmp(key, "plugin") == 0) {
        return 0;
    }
    for (; *key; key++) {
        if (!(*key >= 'a' && *key <= 'z') && !(*key >= '0' && *key <= '9') && *key != '_' &&
            *key != '.') {
            return 0;
        }
    }
    return 1;
}

static int check_option(const elf_image *image, const weft_option *o, uint32_t index, refusal *r)
{
    const char *key = elf_text(image, o->key);
    if (!key || !key_is_sane(key)) {
        return REFUSE(r, "option %u has no usable key (found %.48s, expected [a-z0-9_.]+)", index,
                      key ? key : "nothing");
    }
    if (!option_type_name(o->type) || o->type > WEFT_OPTION_PATH) {
        return REFUSE(r, "option %s has an unknown type (found %u, expected 1 to 5)", key, o->type);
    }
    if (o->flags & ~WEFT_OPTION_HOST) {
        return REFUSE(r, "option %s has unknown flags (found 0x%x, expected 0x%x or 0)", key,
                      o->flags, WEFT_OPTION_HOST);
    }
    if (!elf_text(image, o->default_value) || !elf_text(image, o->help)) {
        return REFUSE(r, "option %s lacks a text (found NULL, expected default and help)", key);
    }
    if (o->type == WEFT_OPTION_CHOICE && !elf_text(image, o->choices)) {
        return REFUSE(r, "option %s lacks its choices (found NULL, expected a|b|c)", key);
    }
    option_value value;
    char expected[160];
    if (option_parse(o, o->default_value, &value, expected, sizeof expected)) {
        return REFUSE(r, "option %s has a default out of its range (found %.48s, expected %s)", key,
                      o->default_value, expected);
    }
    free(value.text);
    return 0;
}

static int check_options(const elf_image *image, const weft_plugin_desc *d, refusal *r)
{
    if (d->option_count == 0) {
        return 0;
    }
    if (d->option_count > OPTION_LIMIT || d->option_stride < sizeof(weft_option) ||
        d->option_stride % 8 != 0 || !aligned(d->options) ||
        !elf_holds(image, d->options, (size_t)d->option_count * d->option_stride)) {
        return REFUSE(r,
                      "option table is not sane (found %u records of %u bytes, expected at most "
                      "%u of %zu or more)",
                      d->option_count, d->option_stride, OPTION_LIMIT, sizeof(weft_option));
    }
    for (uint32_t i = 0; i < d->option_count; i++) {
        const weft_option *o =
            (const weft_option *)((const char *)d->options + (size_t)i * d->option_stride);
        if (check_option(image, o, i, r)) {
            return -1;
        }
        for (uint32_t j = 0; j < i; j++) {
            const weft_option *other =
                (const weft_option *)((const char *)d->options + (size_t)j * d->option_stride);
            if (strcmp(o->key, other->key) == 0) {
                return REFUSE(r, "option %s is declared twice (found 2, expected 1)", o->key);
            }
        }
    }
    return 0;
}

static int check_ops(const elf_image *image, const weft_plugin_desc *d, refusal *r)
{
    const role_row *role = &roles[d->role];
    if (!aligned(d->ops) || !elf_holds(image, d->ops, 8)) {
        return REFUSE(r, "ops table is missing (found none, expected weft_%s_ops)", role->name);
    }
    uint32_t size;
    memcpy(&size, d->ops, sizeof size);
    if (size > role->ops_size || size < 8 || size % 8 != 0 || !elf_holds(image, d->ops, size)) {
        return REFUSE(r,
                      "weft_%s_ops has a size that this host does not know (found %u, expected "
                      "8 to %zu)",
                      role->name, size, role->ops_size);
    }
    for (const mandatory *m = role->ops; m->name; m++) {
        const void *op = NULL;
        if (m->offset + sizeof op <= size) {
            memcpy(&op, (const char *)d->ops + m->offset, sizeof op);
        }
        if (!op) {
            return REFUSE(r, "op %s.%s is missing (found NULL, expected a function)", role->name,
                          m->name);
        }
    }
    return 0;
}

/* What weft_host.extension answers (services.c). */
static const char *const extensions[] = {WEFT_HOST_RUN, WEFT_HOST_TRACERS, WEFT_HOST_RECORD};

static int check_needs(const elf_image *image, const weft_plugin_desc *d, refusal *r)
{
    if (!d->needs) {
        return 0;
    }
    for (const char *const *need = d->needs;; need++) {
        if (!aligned(need) || !elf_holds(image, need, sizeof *need)) {
            return REFUSE(r, "list of needed extensions has no end (found none, expected NULL)");
        }
        if (!*need) {
            return 0;
        }
        const char *name = elf_text(image, *need);
        int known = 0;
        for (size_t i = 0; name && i < sizeof extensions / sizeof extensions[0]; i++) {
            known |= strcmp(name, extensions[i]) == 0;
        }
        if (known) {
            continue;
        }
        return REFUSE(r, "plugin needs a host extension (found none in this host, expected %.64s)",
                      name ? name : "an unreadable name");
    }
}

static int check_id(const elf_image *image, const weft_plugin_desc *d, const char *path, refusal *r)
{
    const char *id = elf_text(image, d->id);
    const char *role = roles[d->role].name;
    size_t length = strlen(role);
    if (!id || strlen(id) > ID_LIMIT || strncmp(id, role, length) != 0 || id[length] != '-') {
        return REFUSE(r, "plugin's id does not fit its role (found %.64s, expected %s-NAME)",
                      id ? id : "nothing", role);
    }
    char *file = text_file_name(path);
    char *expected = text_format("%s.so", id);
    int same = strcmp(file, expected) == 0;
    free(expected);
    if (!same) {
        snprintf(r->why, r->room,
                 "plugin's id differs from its file's name (found %s in %.80s, expected %s.so)", id,
                 file, id);
    }
    free(file);
    return same ? 0 : -1;
}

/* Everything that can be known about a plugin before its code runs. */
static int check_descriptor(const elf_image *image, const weft_plugin_desc *d, size_t symbol_size,
                            const char *path, refusal *r)
{
    if (!aligned(d) || symbol_size < 8 || d->size < sizeof *d || symbol_size < d->size) {
        uint32_t size = symbol_size >= 4 && aligned(d) ? d->size : (uint32_t)symbol_size;
        return REFUSE(r, "descriptor is too short (found %u bytes, expected at least %zu)", size,
                      sizeof *d);
    }
    if (d->abi_major != WEFT_ABI_MAJOR || d->abi_minor > WEFT_ABI_MINOR ||
        (WEFT_ABI_MAJOR == 0 && d->abi_minor != WEFT_ABI_MINOR)) {
        return REFUSE(r, "ABI versions differ (found plugin ABI %u.%u, expected host ABI %u.%u)",
                      d->abi_major, d->abi_minor, WEFT_ABI_MAJOR, WEFT_ABI_MINOR);
    }
    if (!role_name(d->role)) {
        return REFUSE(r, "role is unknown (found %u, expected 1 to %u)", d->role,
                      WEFT_ROLE_COUNT - 1);
    }
    if (d->flags & ~(WEFT_PLUGIN_SINGLE | WEFT_PLUGIN_PERMANENT)) {
        return REFUSE(r, "flags are unknown (found 0x%x, expected only 0x%x)", d->flags,
                      WEFT_PLUGIN_SINGLE | WEFT_PLUGIN_PERMANENT);
    }
    const char *sanitizers = elf_text(image, d->sanitizers);
    if (!sanitizers || !elf_text(image, d->version) || !elf_text(image, d->summary)) {
        return REFUSE(r, "descriptor lacks a text (found NULL, expected version, summary and "
                         "sanitizers)");
    }
    if (*sanitizers && strcmp(sanitizers, WEFT_SANITIZERS) != 0) {
        return REFUSE(r,
                      "sanitizers differ (found plugin with '%.32s', expected '' or the host's "
                      "'%s')",
                      sanitizers, WEFT_SANITIZERS);
    }
    if (!elf_holds(image, (const void *)(uintptr_t)d->create, 1)) {
        return REFUSE(r, "create is missing (found NULL, expected a function)");
    }
    return check_id(image, d, path, r) || check_needs(image, d, r) || check_options(image, d, r) ||
                   check_ops(image, d, r)
               ? -1
               : 0;
}

static file_stamp stamp_of(const char *path)
{
    struct stat info;
    if (stat(path, &info)) {
        return (file_stamp){0};
    }
    return (file_stamp){.device = info.st_dev,
                        .inode = info.st_ino,
                        .size = (uint64_t)info.st_size,
                        .seconds = info.st_mtim.tv_sec,
                        .nanoseconds = info.st_mtim.tv_nsec};
}

static int same_stamp(const file_stamp *a, const file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->seconds == b->seconds && a->nanoseconds == b->nanoseconds;
}

plugin *loader_find_file(loader *l, const char *path, char *why, size_t room)
{
    char *real = realpath(path, NULL);
    file_stamp stamp = stamp_of(real ? real : path); /* before it is read: a change after is seen */
    for (plugin *p = real ? l->plugins : NULL; p; p = p->next) {
        if (p->path && strcmp(p->path, real) == 0 &&
            (p->library || same_stamp(&p->stamp, &stamp))) {
            free(real);
            return p;
        }
    }
    plugin *p = text_need(sizeof *p);
    p->stamp = stamp;
    p->path = real ? real : text_copy(path);
    if (elf_read(&p->image, p->path, why, room)) {
        free(p->path);
        free(p);
        return NULL;
    }
    size_t size = 0;
    const weft_plugin_desc *desc = elf_symbol(&p->image, "weft_plugin", &size);
    int failed = -1;
    if (!desc) {
        snprintf(why, room,
                 "file is no Weft plugin (found no data symbol weft_plugin, expected "
                 "one)");
    } else {
        failed = check_descriptor(&p->image, desc, size, p->path, &(refusal){why, room});
    }
    if (failed) {
        elf_free(&p->image);
        free(p->path);
        free(p);
        return NULL;
    }
    p->desc = desc;
    p->next = l->plugins;
    l->plugins = p;
    return p;
}

static plugin *find_builtin(loader *l, uint32_t role, const char *id)
{
    for (plugin *p = l->plugins; p; p = p->next) {
        if (!p->path && p->desc->role == role && strcmp(p->desc->id, id) == 0) {
            return p;
        }
    }
    return NULL;
}

/* Ids that could have been meant, for the message. */
static char *nearest_id(const loader *l, uint32_t role, const char *id)
{
    char *best = NULL;
    for (uint32_t i = 0; i < l->folder_count; i++) {
        char **list = loader_list(l->folders[i]);
        size_t count = 0, kept = 0;
        while (list[count]) {
            count++;
        }
        for (size_t j = 0; j < count; j++) {
            char *name = text_file_name(list[j]);
            name[strlen(name) - 3] = 0;
            free(list[j]);
            size_t prefix = strlen(roles[role].name);
            if (strncmp(name, roles[role].name, prefix) == 0 && name[prefix] == '-') {
                list[kept++] = name;
            } else {
                free(name);
            }
        }
        const char *near = text_nearest(id, (const char *const *)list, kept);
        if (near && !best) {
            best = text_copy(near);
        }
        for (size_t j = 0; j < kept; j++) {
            free(list[j]);
        }
        free(list);
    }
    return best;
}

plugin *loader_find(loader *l, uint32_t role, const char *id, char *why, size_t room)
{
    const char *name = roles[role].name;
    size_t prefix = strlen(name);
    for (const char *p = id; *p || p == id; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
              *p == '-' || *p == '_') ||
            p - id > ID_LIMIT) {
            snprintf(why, room,
                     "plugin id is not well formed (found %.80s, expected an id such as "
                     "%s-NAME, not a path)",
                     *id ? id : "nothing", name);
            return NULL;
        }
    }
    char *full = strncmp(id, name, prefix) == 0 && id[prefix] == '-'
                     ? text_copy(id)
                     : text_format("%s-%s", name, id);
    plugin *p = find_builtin(l, role, full);
    int found = p != NULL;
    for (uint32_t i = 0; i < l->folder_count && !found; i++) {
        char *path = text_format("%s/%s.so", l->folders[i], full);
        if (access(path, F_OK) == 0) {
            found = 1;
            p = loader_find_file(l, path, why, room);
            l->refused += p == NULL;
        }
        free(path);
    }
    if (!found) {
        char *near = nearest_id(l, role, full);
        snprintf(why, room, "no such plugin (found %s, expected %s%s.so in %s)", full,
                 near ? "perhaps " : "", near ? near : full,
                 l->folder_count ? l->folders[0] : "no folder");
        free(near);
    }
    free(full);
    return p;
}

void loader_exit(int code)
{
    void (*next)(int) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "exit");
    memcpy(&next, &symbol, sizeof next);
    if (next) {
        next(code);
    }
    _exit(code);
}

int plugin_open(plugin *p, char *why, size_t room)
{
    if (p->code) {
        return 0;
    }
    const weft_plugin_desc *desc = p->desc;
    if (p->path) {
        file_stamp stamp = stamp_of(p->path);
        void *library = dlopen(p->path, RTLD_NOW | RTLD_LOCAL);
        if (!library) {
            const char *reason = dlerror();
            snprintf(why, room, "plugin cannot be loaded (found: %.200s, expected a loadable file)",
                     reason ? reason : "no reason");
            return -1;
        }
        desc = dlsym(library, "weft_plugin");
        if (!desc || !same_stamp(&p->stamp, &stamp) || desc->size != p->desc->size ||
            desc->role != p->desc->role || desc->abi_major != p->desc->abi_major ||
            desc->abi_minor != p->desc->abi_minor) {
            snprintf(why, room,
                     "file changed while it was read (found another descriptor, "
                     "expected the same)");
            dlclose(library);
            return -1;
        }
        p->library = library;
    }
    p->code = desc;
    builtin_defaults(desc->role, &p->ops);
    size_t full = roles[desc->role].ops_size;
    uint32_t size = *(const uint32_t *)desc->ops;
    for (size_t at = 8; at + sizeof(void *) <= size && at < full; at += sizeof(void *)) {
        const void *op;
        memcpy(&op, (const char *)desc->ops + at, sizeof op);
        if (op) {
            memcpy((char *)&p->ops + at, &op, sizeof op);
        }
    }
    memcpy((char *)&p->ops + 4, (const char *)desc->ops + 4, 4); /* flags, of the roles with some */
    p->ops.size = (uint32_t)full;
    return 0;
}

void plugin_close(plugin *p)
{
    if (!p->library || p->instances > 0 || (p->desc->flags & WEFT_PLUGIN_PERMANENT)) {
        return;
    }
    dlclose(p->library);
    p->library = NULL;
    p->code = NULL;
    p->ops = (role_ops){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **loader_list(const char *folder)
{
    char **list = text_need(sizeof *list);
    size_t count = 0;
    DIR *d = opendir(folder);
    for (struct dirent *entry; d && (entry = readdir(d)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0) {
            list = text_grow(list, (count + 2) * sizeof *list);
            list[count++] = text_format("%s/%s", folder, entry->d_name);
            list[count] = NULL;
        }
    }
    if (d) {
        closedir(d);
    }
    qsort(list, count, sizeof *list, by_name);
    return list;
}

void loader_start(loader *l, const char *folder)
{
    *l = (loader){0};
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    l->program_folder = text_folder(program);
    if (folder) {
        l->folders[l->folder_count++] = text_copy(folder);
    }
    l->folders[l->folder_count++] = text_format("%s/plugins", l->program_folder);
    l->folders[l->folder_count++] = text_format("%s/%s", l->program_folder, WEFT_PLUGIN_PLACE);
    const weft_plugin_desc *desc;
    for (uint32_t i = 0; (desc = builtin_plugin(i)) != NULL; i++) {
        plugin *p = text_need(sizeof *p);
        p->desc = desc;
        p->next = l->plugins;
        l->plugins = p;
    }
}

void loader_end(loader *l)
{
    for (plugin *p = l->plugins, *next; p; p = next) {
        next = p->next;
        p->instances = 0;
        plugin_close(p);
        elf_free(&p->image);
        free(p->path);
        free(p);
    }
    for (uint32_t i = 0; i < l->folder_count; i++) {
        free(l->folders[i]);
    }
    free(l->program_folder);
    *l = (loader){0};
}
