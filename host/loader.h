/* loader.h: finding, checking and opening plugins.
 *
 * A plugin is described from its file alone (elf.h), so listing and refusing run none of its code.
 * Opening, which runs its constructors, comes when an instance is wanted. */
#ifndef WEFT_HOST_LOADER_H
#define WEFT_HOST_LOADER_H

#include "elf.h"
#include "weft/host.h"

/* Every role's ops, in full size, with the defaults filled in. */
typedef union role_ops {
    uint32_t size;
    weft_cpu_ops cpu;
    weft_kernel_ops kernel;
    weft_gpu_ops gpu;
    weft_tracer_ops tracer;
    weft_policy_ops policy;
    weft_frontend_ops frontend;
} role_ops;

/* Which file it was that a plugin was described from. */
typedef struct file_stamp {
    uint64_t device, inode, size;
    int64_t seconds, nanoseconds; /* of its latest change */
} file_stamp;

typedef struct plugin {
    const weft_plugin_desc *desc; /* its data, as the file has it; lives as long as the loader */
    const weft_plugin_desc *code; /* the same with its functions, while the library is loaded */
    char *path;                   /* NULL for a built-in */
    file_stamp stamp;
    elf_image image;
    void *library;
    uint32_t instances; /* counted by who creates and destroys them */
    role_ops ops;       /* while the library is loaded */
    struct plugin *next;
} plugin;

typedef struct loader {
    char *folders[3]; /* where ids are looked up, first match wins */
    uint32_t folder_count;
    char *program_folder;
    plugin *plugins;  /* described so far */
    uint32_t refused; /* files that loader_find found and refused: exit code 5, not 2 */
} loader;

/* Looks beside the program, then in the installed place. `folder`, when given, comes first. */
void loader_start(loader *l, const char *folder);
void loader_end(loader *l);

/* The plugin with an id of a role ("ppc" and "cpu-ppc" are the same for WEFT_ROLE_CPU). NULL with
 * `why` set ("WHAT (found X, expected Y)"). */
plugin *loader_find(loader *l, uint32_t role, const char *id, char *why, size_t room);

/* The plugin in a file, of any role. A file that was replaced since it was described, and is not
 * loaded, is described anew. */
plugin *loader_find_file(loader *l, const char *path, char *why, size_t room);

/* Runs the file's constructors and fills `code` and `ops`. -1 with `why` set. */
int plugin_open(plugin *p, char *why, size_t room);

/* Unloads the library of a plugin without instances; one that is PERMANENT stays. Its `desc` is
 * still there, and plugin_open loads it again. */
void plugin_close(plugin *p);

/* The C library's exit, for who stands before it. */
_Noreturn void loader_exit(int code);

/* Paths of all ID.so in a folder, sorted; NULL-ended, allocated, each allocated. */
char **loader_list(const char *folder);

/* "cpu", "kernel" ...; NULL for no role. */
const char *role_name(uint32_t role);

/* The plugins that live in the host: tracer-none, policy-default, frontend-none. NULL past the
 * last. */
const weft_plugin_desc *builtin_plugin(uint32_t index);

/* The role's table with every op's default, mandatory ops NULL (host/builtin/defaults.c). */
void builtin_defaults(uint32_t role, role_ops *ops);

#endif
