/* Names of objects: unique among those that have a handle, gone with the last one (NT). */
#ifndef WEFT_KERNEL_NAMES_H
#define WEFT_KERNEL_NAMES_H

#include "kernel.h"

#define KNAME_BYTES sizeof(((kobject *)NULL)->name)

/* What an OBJECT_ATTRIBUTES {root u32@0, ANSI_STRING *@4, flags u32@8} asks for: the name as it is
 * kept ("" for none) in `name`, and the object that has it, borrowed, or NULL. attributes 0: none. */
kstatus kname_of(kcall *call, uint32_t attributes, char *name, kobject **found);
/* The same for a plain text below the root of the Win32 names. */
kobject *kname_plain(kernel *k, const char *text, char *name);
/* May a new object take the name? STATUS_SUCCESS: it is free, or none. STATUS_OBJECT_NAME_EXISTS:
 * `found` is to be opened. Else an error. */
kstatus kname_claim(kcall *call, uint32_t attributes, uint32_t type, char *name, kobject **found);

/* KOBJECT_* of an object type variable's cell (object.c), 0: unknown or NULL. */
uint32_t kobject_type_of_cell(kernel *k, uint32_t cell);

#endif
