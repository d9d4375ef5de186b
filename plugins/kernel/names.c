/* Named objects: events, semaphores, mutants, timers and ports that threads find by name
 * (NT documentation: OBJECT_ATTRIBUTES; roots and arguments: xenia
 * src/xenia/kernel/xboxkrnl/xboxkrnl_ob.cc). */
#include "names.h"

#include <stdio.h>
#include <string.h>

#include "exports.h"

#define OBJ_CASE_INSENSITIVE UINT32_C(0x40)
#define OBJ_OPENIF           UINT32_C(0x80)
#define ROOT_WIN32           UINT32_C(0xFFFFFFFC)
#define TEXT_MOST            512

static bool same(const char *a, const char *b, bool fold)
{
    for (;; a++, b++) {
        char x = *a, y = *b;
        x = fold && x >= 'a' && x <= 'z' ? (char)(x - 32) : x;
        y = fold && y >= 'a' && y <= 'z' ? (char)(y - 32) : y;
        if (x != y || !x) {
            return x == y;
        }
    }
}

static kobject *find(kernel *k, const char *name, bool fold)
{
    for (uint32_t i = 0; i < sizeof k->objects / sizeof k->objects[0]; i++) {
        for (kobject *o = k->objects[i]; o; o = o->next) {
            if (o->name[0] && o->handles && same(o->name, name, fold)) {
                return o;
            }
        }
    }
    return NULL;
}

/* As it is kept: names that do not fit end in a digest of the whole. */
static void keep(uint32_t root, const char *text, char *name)
{
    int length = snprintf(name, KNAME_BYTES, "%08X\\%s", root, text);
    if (length >= (int)KNAME_BYTES) {
        snprintf(name + KNAME_BYTES - 17, 17, "%016llX",
                 (unsigned long long)weft_fnv1a(text, strlen(text)));
    }
}

kobject *kname_plain(kernel *k, const char *text, char *name)
{
    keep(ROOT_WIN32, text, name);
    return find(k, name, false);
}

kstatus kname_of(kcall *call, uint32_t attributes, char *name, kobject **found)
{
    char text[TEXT_MOST];
    name[0] = 0;
    *found = NULL;
    uint32_t root = attributes ? kget32(call, attributes) : 0;
    uint32_t string = attributes ? kget32(call, attributes + 4) : 0;
    uint32_t flags = attributes ? kget32(call, attributes + 8) : 0;
    if (string && !call->faulted && kget16(call, string) != 0) {
        uint32_t length = kget_ansi(call, string, text, sizeof text);
        if (!call->faulted && (length != kget16(call, string) || strlen(text) != length)) {
            return STATUS_OBJECT_NAME_INVALID;
        }
        keep(root, text, name);
        *found = find(call->k, name, (flags & OBJ_CASE_INSENSITIVE) != 0);
    }
    return call->faulted ? STATUS_ACCESS_VIOLATION : STATUS_SUCCESS;
}

kstatus kname_claim(kcall *call, uint32_t attributes, uint32_t type, char *name, kobject **found)
{
    kstatus status = kname_of(call, attributes, name, found);
    if (status != STATUS_SUCCESS || !*found) {
        return status;
    }
    if (!(kget32(call, attributes + 8) & OBJ_OPENIF)) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    return (*found)->type == type ? STATUS_OBJECT_NAME_EXISTS : STATUS_OBJECT_TYPE_MISMATCH;
}

/* ---- exports -----------------------------------------------------------------------------------
 */

static kstatus named(kcall *call, const char *name, kobject *o, uint32_t type_cell)
{
    uint32_t type = kobject_type_of_cell(call->k, type_cell);
    if (!name[0]) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    return !o                        ? STATUS_OBJECT_NAME_NOT_FOUND
           : type && type != o->type ? STATUS_OBJECT_TYPE_MISMATCH
                                     : STATUS_SUCCESS;
}

/* (attributes, type, unknown, handle out) */
uint32_t ex_ObOpenObjectByName(kcall *call)
{
    char name[KNAME_BYTES];
    kobject *o;
    kstatus status = kname_of(call, karg(call, 0), name, &o);
    status = status == STATUS_SUCCESS ? named(call, name, o, karg(call, 1)) : status;
    if (status != STATUS_SUCCESS || !kwrite(call, karg(call, 3), 4)) {
        return kret_status(call, status);
    }
    uint32_t handle = khandle_open(call->k, call->thread, o);
    kput32(call, karg(call, 3), handle);
    return kret_status(call, handle ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES);
}

/* (name, flags, type, unknown, object out): below the root of the Win32 names. */
uint32_t ex_ObReferenceObjectByName(kcall *call)
{
    char text[TEXT_MOST], name[KNAME_BYTES];
    kget_ansi(call, karg(call, 0), text, sizeof text);
    if (call->faulted || !kwrite(call, karg(call, 4), 4)) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    kobject *o = kname_plain(call->k, text, name);
    kstatus status = text[0] ? named(call, name, o, karg(call, 2)) : STATUS_OBJECT_NAME_INVALID;
    if (status == STATUS_SUCCESS) {
        kobject_retain(o);
        o->pointers++;
        kput32(call, karg(call, 4), o->body);
    }
    return kret_status(call, status);
}

uint32_t ex_ObReferenceObject(kcall *call)
{
    kobject *o = kobject_at(call->k, call->thread, karg(call, 0));
    if (o && !o->adopted) { /* the title's own memory lives as long as the title lets it */
        kobject_retain(o);
        o->pointers++;
    }
    return K_DONE;
}

/* Every object here is the title's. */
uint32_t ex_ObIsTitleObject(kcall *call)
{
    return kret(call, kobject_at(call->k, call->thread, karg(call, 0)) != NULL);
}

uint32_t ex_ObLookupAnyThreadByThreadId(kcall *call)
{
    return ex_ObLookupThreadByThreadId(call);
}
