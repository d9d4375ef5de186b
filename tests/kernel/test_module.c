/* Modules: what XexLoadImage puts into guest memory, what holds it there, and what is refused. None
 * of these modules has an entry point; tests/sched and tests/run call DllMain. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "loader.h"
#include "modules.h"

#define TITLE_BASE UINT32_C(0x82000000)
#define BASE(n)    (UINT32_C(0x90000000) + (n)*UINT32_C(0x10000))
#define LDR_COUNT  0x40
#define XBOXKRNL   "xboxkrnl.exe"
#define DBG_PRINT  3

typedef struct set {
    fixture *f;
    char *folder;
    uint32_t out, text; /* guest memory for a handle and a name */
    uint32_t pages;     /* in use when only the title is loaded */
} set;

static void add(set *s, const char *file, test_module module)
{
    module_write(s->folder, file, &module);
}

static void open_title(set *s, test_module title)
{
    char err[KMODULE_ERROR_SIZE] = "";
    kmodule *m;
    title.base = TITLE_BASE;
    title.title = 1;
    add(s, "title.xex", title);
    assert_int_equal(kimage_get(s->f->k, NULL, "game:\\title.xex", 0, &m, err), STATUS_SUCCESS);
    assert_ptr_equal(s->f->k->title, m);
    m->stage = KSTAGE_READY;
    s->pages = mm_pages_used(s->f->k->mm);
}

static int set_up(void **state)
{
    set *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->f = fixture_open();
    s->folder = folder_make();
    assert_int_equal(vfs_mount_title(s->f->k->vfs, s->folder), STATUS_SUCCESS);
    s->out = s->f->scratch;
    s->text = s->f->scratch + 0x100;
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    set *s = *state;
    kloader_close(s->f->k);
    free(s->f->k->thunks);
    fixture_close(s->f);
    folder_remove(s->folder);
    free(s);
    return 0;
}

static kstatus load(set *s, const char *name, uint32_t *handle)
{
    set_word(s->f, s->out, 0xDEADBEEF);
    set_text(s->f, s->text, name);
    kstatus status = (kstatus)invoke(s->f, ex_XexLoadImage, 4, (uint64_t)s->text, (uint64_t)0,
                                     (uint64_t)0, (uint64_t)s->out);
    assert_false(s->f->call.faulted);
    assert_int_equal(s->f->k->loader_depth, 0);
    *handle = word(s->f, s->out);
    return status;
}

static uint32_t loaded(set *s, const char *name)
{
    uint32_t handle;
    assert_int_equal(load(s, name, &handle), STATUS_SUCCESS);
    return handle;
}

static kstatus unload(set *s, uint32_t handle)
{
    kstatus status = (kstatus)invoke(s->f, ex_XexUnloadImage, 1, (uint64_t)handle);
    assert_int_equal(s->f->k->loader_depth, 0);
    return status;
}

/* Handle by name; NULL asks for the title. */
static uint32_t handle_of(set *s, const char *name)
{
    if (name) {
        set_text(s->f, s->text, name);
    }
    set_word(s->f, s->out, 0xDEADBEEF);
    kstatus status = (kstatus)invoke(s->f, ex_XexGetModuleHandle, 2, (uint64_t)(name ? s->text : 0),
                                     (uint64_t)s->out);
    uint32_t handle = word(s->f, s->out);
    assert_int_equal(status, handle ? STATUS_SUCCESS : STATUS_NOT_FOUND);
    return handle;
}

static kstatus procedure(set *s, uint32_t handle, uint32_t ordinal, uint32_t *address)
{
    kstatus status = (kstatus)invoke(s->f, ex_XexGetProcedureAddress, 3, (uint64_t)handle,
                                     (uint64_t)ordinal, (uint64_t)s->out);
    *address = word(s->f, s->out);
    return status;
}

static uint32_t count_of(set *s, const char *name)
{
    return word(s->f, handle_of(s, name) + LDR_COUNT) >> 16;
}

/* A refused load leaves only the title. */
static void assert_refused(set *s, const char *name, kstatus expected)
{
    uint32_t handle;
    assert_int_equal(load(s, name, &handle), expected);
    assert_int_equal(handle, 0);
    assert_ptr_equal(s->f->k->modules, s->f->k->title);
    assert_null(s->f->k->title->next);
    assert_int_equal(mm_pages_used(s->f->k->mm), s->pages);
}

/* ---- binding -----------------------------------------------------------------------------------
 */

/* Power ISA: lis r11,0x9000; ori r11,r11,0x1004; mtctr r11; bctr. */
static void function_import_is_a_branch(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0), .first = 7, .offsets = {0x1004}});
    open_title(s, (test_module){.imports = {{"a.xex", 7}}});
    uint32_t thunk = TITLE_BASE + MODULE_THUNK;
    assert_int_equal(word(s->f, thunk), 0x3D609000);
    assert_int_equal(word(s->f, thunk + 4), 0x616B1004);
    assert_int_equal(word(s->f, thunk + 8), 0x7D6903A6);
    assert_int_equal(word(s->f, thunk + 12), 0x4E800420);
    assert_int_equal(word(s->f, TITLE_BASE + MODULE_CELL), BASE(0) + 0x1004);
}

static void variable_import_is_its_address(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0), .first = 1, .offsets = {0x1000, 0, 0x2800}});
    open_title(s, (test_module){.imports = {{"a.xex", 3, 1}}});
    assert_int_equal(word(s->f, TITLE_BASE + MODULE_CELL), BASE(0) + 0x2800);
}

static void system_imports_stay_kernel_calls(void **state)
{
    set *s = *state;
    open_title(s, (test_module){.imports = {{XBOXKRNL, DBG_PRINT}}});
    assert_int_equal(word(s->f, TITLE_BASE + MODULE_THUNK), 0x44000002); /* sc */
    assert_int_equal(word(s->f, TITLE_BASE + MODULE_CELL), TITLE_BASE + MODULE_THUNK);
}

static void module_load_is_an_event_each(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0), .first = 1, .offsets = {0x1000}});
    open_title(s, (test_module){.imports = {{"a.xex", 1}}});
    assert_int_equal(s->f->fake->events[WEFT_EVENT_MODULE_LOAD], 2);
}

/* ---- refusals ----------------------------------------------------------------------------------
 */

static void absent_module_is_not_found(void **state)
{
    set *s = *state;
    open_title(s, (test_module){0});
    assert_refused(s, "game:\\a.xex", STATUS_DLL_NOT_FOUND);
    assert_refused(s, "a.xex", STATUS_DLL_NOT_FOUND);
    assert_refused(s, "", STATUS_DLL_NOT_FOUND);
    assert_refused(s, "game:\\..\\..\\a.xex", STATUS_DLL_NOT_FOUND);
}

static void absent_import_is_not_found(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0), .imports = {{"b.xex", 1}}});
    open_title(s, (test_module){0});
    assert_refused(s, "a.xex", STATUS_DLL_NOT_FOUND);
}

static void absent_ordinal_is_not_found(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0), .imports = {{"b.xex", 2}}});
    add(s, "b.xex", (test_module){.base = BASE(1), .first = 1, .offsets = {0x1000}});
    open_title(s, (test_module){0});
    assert_refused(s, "a.xex", STATUS_ORDINAL_NOT_FOUND);
    assert_non_null(strstr(s->f->fake->logged, "b.xex: no export with ordinal 2"));
}

static void taken_range_is_a_conflict(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = TITLE_BASE});
    open_title(s, (test_module){0});
    assert_refused(s, "a.xex", STATUS_CONFLICTING_ADDRESSES);
    assert_non_null(strstr(s->f->fake->logged, "meets title.xex"));
}

static void range_outside_the_images_is_refused(void **state)
{
    set *s = *state;
    add(s, "low.xex", (test_module){.base = 0x81FF0000});
    add(s, "high.xex", (test_module){.base = 0x9FFFE000});
    open_title(s, (test_module){0});
    assert_refused(s, "low.xex", STATUS_INVALID_IMAGE_FORMAT);
    assert_refused(s, "high.xex", STATUS_INVALID_IMAGE_FORMAT);
}

static void other_files_are_no_modules(void **state)
{
    set *s = *state;
    folder_file(s->folder, "a.xex", "not a module", 12);
    folder_file(s->folder, "empty.xex", "", 0);
    open_title(s, (test_module){0});
    assert_refused(s, "a.xex", STATUS_INVALID_IMAGE_FORMAT);
    assert_refused(s, "empty.xex", STATUS_INVALID_IMAGE_FORMAT);
}

/* Each imports the next: as deep as KMODULE_DEPTH_MAX, and one more. */
static void imports_may_not_go_too_deep(void **state)
{
    set *s = *state;
    for (uint32_t i = 0; i < KMODULE_DEPTH_MAX + 2; i++) {
        char file[16], next[16];
        snprintf(file, sizeof file, "m%u.xex", i);
        snprintf(next, sizeof next, "m%u.xex", i + 1);
        test_module m = {.base = BASE(i), .first = 1, .offsets = {0x1000}};
        m.imports[0] = (test_import){i <= KMODULE_DEPTH_MAX ? next : NULL, 1, 0};
        add(s, file, m);
    }
    open_title(s, (test_module){0});
    assert_refused(s, "m0.xex", STATUS_INSUFFICIENT_RESOURCES);
    assert_int_not_equal(loaded(s, "m1.xex"), 0);
}

static void modules_have_a_bound(void **state)
{
    set *s = *state;
    open_title(s, (test_module){0});
    for (uint32_t i = 0; i < KMODULES_MAX; i++) {
        char file[16];
        uint32_t handle;
        snprintf(file, sizeof file, "m%u.xex", i);
        add(s, file, (test_module){.base = BASE(i)});
        assert_int_equal(load(s, file, &handle),
                         i < KMODULES_MAX - 1 ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES);
    }
}

static void bad_pointer_is_the_callers_fault(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    set_text(s->f, s->text, "a.xex");
    invoke(s->f, ex_XexLoadImage, 4, (uint64_t)s->text, (uint64_t)0, (uint64_t)0, (uint64_t)0x10);
    assert_true(s->f->call.faulted);
    invoke(s->f, ex_XexLoadImage, 4, (uint64_t)0x10, (uint64_t)0, (uint64_t)0, (uint64_t)s->out);
    assert_true(s->f->call.faulted);
    assert_null(s->f->k->title->next);
}

/* ---- life --------------------------------------------------------------------------------------
 */

static void loads_are_counted(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    uint32_t handle = loaded(s, "a.xex");
    assert_int_equal(count_of(s, "a.xex"), 1);
    assert_int_equal(loaded(s, "game:\\A.XEX"), handle);
    assert_int_equal(count_of(s, "a.xex"), 2);
    assert_int_equal(unload(s, handle), STATUS_SUCCESS);
    assert_int_equal(count_of(s, "a.xex"), 1);
    assert_int_equal(unload(s, handle), STATUS_SUCCESS);
    assert_int_equal(handle_of(s, "a.xex"), 0);
    assert_int_equal(mm_pages_used(s->f->k->mm), s->pages);
    assert_int_equal(unload(s, handle), STATUS_INVALID_HANDLE);
}

static void unloaded_memory_is_gone(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    uint32_t handle = loaded(s, "a.xex");
    assert_true(weft_memory_ok(s->f->k->memory, BASE(0), MODULE_BYTES, WEFT_PAGE_READ));
    assert_int_equal(word(s->f, BASE(0) + 0x1000), 0x38600000); /* li r3,0 of the image */
    unload(s, handle);
    assert_false(weft_memory_ok(s->f->k->memory, BASE(0), 4, WEFT_PAGE_READ));
    assert_int_equal(word(s->f, BASE(0) + 0x1000), 0);
}

/* a needs b and c, both need d; d stays while one of them does. */
static void imports_hold_their_modules(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0), .imports = {{"b.xex", 1}, {"c.xex", 1}}});
    add(s, "b.xex", (test_module){BASE(1), 0, 0, 1, {0x1000}, NULL, {{"d.xex", 1, 0}}});
    add(s, "c.xex", (test_module){BASE(2), 0, 0, 1, {0x1000}, NULL, {{"d.xex", 1, 0}}});
    add(s, "d.xex", (test_module){.base = BASE(3), .first = 1, .offsets = {0x1000}});
    open_title(s, (test_module){0});
    uint32_t a = loaded(s, "a.xex");
    assert_int_equal(count_of(s, "d.xex"), 2);
    uint32_t b = loaded(s, "b.xex");
    unload(s, a);
    assert_int_equal(handle_of(s, "a.xex"), 0);
    assert_int_equal(handle_of(s, "c.xex"), 0);
    assert_int_not_equal(handle_of(s, "d.xex"), 0);
    assert_int_equal(count_of(s, "d.xex"), 1);
    unload(s, b);
    assert_int_equal(handle_of(s, "d.xex"), 0);
    assert_int_equal(mm_pages_used(s->f->k->mm), s->pages);
}

static void modules_may_import_each_other(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){BASE(0), 0, 0, 1, {0x1010}, NULL, {{"b.xex", 2, 0}}});
    add(s, "b.xex", (test_module){BASE(1), 0, 0, 2, {0x1020}, NULL, {{"a.xex", 1, 0}}});
    open_title(s, (test_module){0});
    uint32_t a = loaded(s, "a.xex");
    assert_int_equal(word(s->f, BASE(0) + MODULE_CELL), BASE(1) + 0x1020);
    assert_int_equal(word(s->f, BASE(1) + MODULE_CELL), BASE(0) + 0x1010);
    uint32_t b = loaded(s, "b.xex");
    unload(s, a);
    assert_int_equal(handle_of(s, "a.xex"), a); /* b needs it */
    unload(s, b);
    assert_int_equal(handle_of(s, "a.xex"), 0);
    assert_int_equal(mm_pages_used(s->f->k->mm), s->pages);
}

static void failed_cycle_leaves_nothing(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){BASE(0), 0, 0, 1, {0x1010}, NULL, {{"b.xex", 2, 0}}});
    add(s, "b.xex", (test_module){BASE(1), 0, 0, 2, {0x1020}, NULL, {{"a.xex", 9, 0}}});
    open_title(s, (test_module){0});
    assert_refused(s, "a.xex", STATUS_ORDINAL_NOT_FOUND);
}

static void what_the_title_imports_stays(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0), .first = 1, .offsets = {0x1000}});
    open_title(s, (test_module){.imports = {{"a.xex", 1}}});
    uint32_t a = handle_of(s, "a.xex");
    assert_int_equal(unload(s, a), STATUS_SUCCESS);
    assert_int_equal(unload(s, s->f->k->title->handle), STATUS_SUCCESS);
    assert_int_equal(handle_of(s, "a.xex"), a);
    assert_int_equal(handle_of(s, NULL), s->f->k->title->handle);
}

/* Thunks in an image go with it: entries are used again, and nobody else is given one. */
static void thunks_go_with_their_image(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0), .imports = {{XBOXKRNL, DBG_PRINT}}});
    open_title(s, (test_module){0});
    uint32_t count = 0, address, kernel_handle = handle_of(s, XBOXKRNL);
    for (int i = 0; i < 20; i++) {
        uint32_t a = loaded(s, "a.xex");
        assert_int_equal(procedure(s, kernel_handle, DBG_PRINT, &address), STATUS_SUCCESS);
        assert_true(address - BASE(0) >= MODULE_BYTES);
        unload(s, a);
        count = i == 0 ? s->f->k->thunk_count : count;
    }
    assert_int_equal(s->f->k->thunk_count, count);
}

/* ---- questions ---------------------------------------------------------------------------------
 */

static void handles_are_found_by_name(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    uint32_t a = loaded(s, "a.xex");
    assert_int_equal(handle_of(s, "A.xex"), a);
    assert_int_equal(handle_of(s, "d:\\a.xex"), a);
    assert_int_equal(handle_of(s, "b.xex"), 0);
    assert_int_equal(handle_of(s, "title.xex"), handle_of(s, NULL));
    assert_int_not_equal(handle_of(s, "xam.xex"), 0);
}

static void procedures_are_found(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){BASE(0), 0, 0, 5, {0x1000, 0, 0x1008}, "first", {{0}}});
    open_title(s, (test_module){.first = 1, .offsets = {0x1010}});
    uint32_t a = loaded(s, "a.xex"), address;
    assert_int_equal(procedure(s, a, 5, &address), STATUS_SUCCESS);
    assert_int_equal(address, BASE(0) + 0x1000);
    assert_int_equal(procedure(s, a, 7, &address), STATUS_SUCCESS);
    assert_int_equal(address, BASE(0) + 0x1008);
    assert_int_equal(procedure(s, a, 6, &address), STATUS_DRIVER_ENTRYPOINT_NOT_FOUND);
    assert_int_equal(address, 0);
    assert_int_equal(procedure(s, a, set_text(s->f, s->text, "first"), &address), STATUS_SUCCESS);
    assert_int_equal(address, BASE(0) + 0x1000);
    assert_int_equal(procedure(s, a, set_text(s->f, s->text, "second"), &address),
                     STATUS_DRIVER_ENTRYPOINT_NOT_FOUND);
    assert_int_equal(procedure(s, 0, 1, &address), STATUS_SUCCESS); /* the title's */
    assert_int_equal(address, TITLE_BASE + 0x1010);
    assert_int_equal(procedure(s, 0x1234, 1, &address), STATUS_INVALID_HANDLE);
}

/* LDR_DATA_TABLE_ENTRY as xenia src/xenia/kernel/xmodule.h lays it out. */
static void loader_entry_describes_the_module(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    uint32_t entry = loaded(s, "a.xex");
    assert_int_equal(word(s->f, entry + 0x18), BASE(0));
    assert_int_equal(word(s->f, entry + 0x1C), BASE(0));
    assert_int_equal(word(s->f, entry + 0x20), MODULE_BYTES);
    assert_int_equal(word(s->f, entry + 0x38), MODULE_BYTES);
    assert_int_equal(word(s->f, entry + 0x3C), 0);
    assert_int_equal(word(s->f, word(s->f, entry + 0x58)), 0x58455832); /* "XEX2" */
    /* BaseDllName: 5 characters of UTF-16 */
    assert_int_equal(word(s->f, entry + 0x2C), 10 << 16 | 12);
    assert_memory_equal(at(s->f, word(s->f, entry + 0x30)), "\0a\0.\0x\0e\0x\0", 12);
}

static void pc_leads_to_its_module(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    uint32_t a = loaded(s, "a.xex");
    assert_int_equal(invoke(s->f, ex_XexPcToFileHeader, 2, (uint64_t)(BASE(0) + MODULE_BYTES - 1),
                            (uint64_t)s->out),
                     BASE(0));
    assert_int_equal(word(s->f, s->out), a);
    assert_int_equal(
        invoke(s->f, ex_XexPcToFileHeader, 2, (uint64_t)(BASE(0) + MODULE_BYTES), (uint64_t)s->out),
        0);
    assert_int_equal(word(s->f, s->out), 0);
}

static void places_are_named_by_module(void **state)
{
    set *s = *state;
    char place[128];
    add(s, "a.xex", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    uint32_t a = loaded(s, "a.xex");
    mm_place(s->f->k->mm, BASE(0) + 0x1234, place, sizeof place);
    assert_string_equal(place, "a.xex+0x1234");
    unload(s, a);
    mm_place(s->f->k->mm, BASE(0) + 0x1234, place, sizeof place);
    assert_null(strstr(place, "a.xex"));
}

static void system_modules_load_and_stay(void **state)
{
    set *s = *state;
    open_title(s, (test_module){0});
    uint32_t handle = loaded(s, "xam.xex");
    assert_int_equal(handle, handle_of(s, "xam.xex"));
    assert_int_equal(unload(s, handle), STATUS_SUCCESS);
    assert_int_equal(handle_of(s, "xam.xex"), handle);
}

/* io_cost 100000 ticks and 100 a KiB or part of one (fake.c); the file's size is its KiB. */
static void loading_takes_guest_time(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    uint64_t before = s->f->k->hw[0].time;
    loaded(s, "a.xex");
    uint64_t took = s->f->k->hw[0].time - before;
    assert_true(took > 100000 && (took - 100000) % 100 == 0);
    assert_in_range(took, 100000 + 12 * 100, 100000 + 20 * 100); /* 12 KiB of image, headers */
    loaded(s, "a.xex");                                          /* that is there */
    assert_int_equal(s->f->k->hw[0].time - before, took);
}

/* module.unload: name and base, once for each module.load, and not before its last user goes. */
static void unloading_is_told(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    uint32_t handle = loaded(s, "a.xex");
    loaded(s, "a.xex");
    unload(s, handle);
    assert_int_equal(s->f->fake->events[WEFT_EVENT_MODULE_UNLOAD], 0);
    unload(s, handle);
    assert_int_equal(s->f->fake->events[WEFT_EVENT_MODULE_UNLOAD], 1);
    const fake_event *e = fake_event_at(s->f->fake, WEFT_EVENT_MODULE_UNLOAD, 0);
    assert_int_equal(e->words[0], 5);
    assert_memory_equal(&e->words[1], "a.xex", 5);
    assert_int_equal(e->words[2], BASE(0));
    assert_int_equal(e->head.thread, s->f->thread->id);
}

/* What was never loaded is not unloaded: its import is not there. */
static void a_failed_load_unloads_nothing(void **state)
{
    set *s = *state;
    uint32_t handle;
    add(s, "a.xex", (test_module){.base = BASE(0), .imports = {{"none.xex", 1, 0}}});
    open_title(s, (test_module){0});
    assert_int_not_equal(load(s, "a.xex", &handle), STATUS_SUCCESS);
    assert_int_equal(s->f->fake->events[WEFT_EVENT_MODULE_UNLOAD], 0);
}

/* ---- from memory -------------------------------------------------------------------------------
 */

/* Puts a file into guest memory and loads it from there, as `name`. */
static kstatus load_memory(set *s, const char *file, const char *name, uint32_t out)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", s->folder, file);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    uint32_t bytes = s->f->scratch + 0x1000;
    size_t size = fread(at(s->f, bytes), 1, SCRATCH_BYTES / 2, f);
    fclose(f);
    set_text(s->f, s->text, name);
    return (kstatus)invoke(s->f, ex_XexLoadImageFromMemory, 6, (uint64_t)bytes, (uint64_t)size,
                           (uint64_t)s->text, (uint64_t)8, (uint64_t)0, (uint64_t)out);
}

static void module_in_memory_loads(void **state)
{
    set *s = *state;
    uint32_t address;
    add(s, "a.bin", (test_module){.base = BASE(0), .first = 7, .offsets = {0x1004}});
    open_title(s, (test_module){0});
    assert_int_equal(load_memory(s, "a.bin", "a.xex", s->out), STATUS_SUCCESS);
    uint32_t handle = word(s->f, s->out);
    assert_int_equal(handle_of(s, "a.xex"), handle);
    assert_int_equal(procedure(s, handle, 7, &address), STATUS_SUCCESS);
    assert_int_equal(address, BASE(0) + 0x1004);
    assert_int_equal(s->f->k->loader_depth, 0);
    unload(s, handle);
    assert_int_equal(handle_of(s, "a.xex"), 0);
}

/* Homebrew passes no place for the handle. */
static void module_in_memory_needs_no_handle(void **state)
{
    set *s = *state;
    add(s, "a.bin", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    assert_int_equal(load_memory(s, "a.bin", "game:\\x\\a.xex", 0), STATUS_SUCCESS);
    uint32_t handle = handle_of(s, "a.xex");
    assert_int_not_equal(handle, 0);
    assert_int_equal(load_memory(s, "a.bin", "a.xex", s->out), STATUS_SUCCESS); /* once more */
    assert_int_equal(word(s->f, s->out), handle);
    assert_int_equal(count_of(s, "a.xex"), 2);
}

/* [MS-ERREF]: STATUS_INVALID_IMAGE_FORMAT 0xC000007B. */
static void memory_that_is_no_module_is_refused(void **state)
{
    set *s = *state;
    folder_file(s->folder, "a.bin", "XEX2 but for the rest of it", 27);
    open_title(s, (test_module){0});
    assert_int_equal(load_memory(s, "a.bin", "a.xex", s->out), 0xC000007B);
    assert_int_equal(word(s->f, s->out), 0);
    assert_null(s->f->k->title->next);
    invoke(s->f, ex_XexLoadImageFromMemory, 6, (uint64_t)0x10, (uint64_t)64, (uint64_t)s->text,
           (uint64_t)8, (uint64_t)0, (uint64_t)s->out);
    assert_true(s->f->call.faulted);
    assert_int_equal(s->f->k->loader_depth, 0);
}

/* The thread must not come back to code that is gone. */
static void unloading_and_exiting_ends_the_thread(void **state)
{
    set *s = *state;
    add(s, "a.xex", (test_module){.base = BASE(0)});
    open_title(s, (test_module){0});
    uint32_t handle = loaded(s, "a.xex");
    kthread *self = s->f->thread;
    self->object = kobject_create(s->f->k, NULL, KOBJECT_THREAD, 0, 0xAB0);
    kobject_retain(self->object); /* as a thread that lives does */
    invoke(s->f, ex_XexUnloadImageAndExitThread, 2, (uint64_t)handle, (uint64_t)42);
    assert_int_equal(s->f->result, K_GONE);
    assert_int_equal(self->state, WEFT_THREAD_TERMINATED);
    assert_int_equal(self->exit_code, 42);
    assert_int_equal(s->f->k->loader_depth, 0);
    assert_null(s->f->k->title->next);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(function_import_is_a_branch),
        TEST(variable_import_is_its_address),
        TEST(system_imports_stay_kernel_calls),
        TEST(module_load_is_an_event_each),
        TEST(absent_module_is_not_found),
        TEST(absent_import_is_not_found),
        TEST(absent_ordinal_is_not_found),
        TEST(taken_range_is_a_conflict),
        TEST(range_outside_the_images_is_refused),
        TEST(other_files_are_no_modules),
        TEST(imports_may_not_go_too_deep),
        TEST(modules_have_a_bound),
        TEST(bad_pointer_is_the_callers_fault),
        TEST(loads_are_counted),
        TEST(unloaded_memory_is_gone),
        TEST(imports_hold_their_modules),
        TEST(modules_may_import_each_other),
        TEST(failed_cycle_leaves_nothing),
        TEST(what_the_title_imports_stays),
        TEST(thunks_go_with_their_image),
        TEST(handles_are_found_by_name),
        TEST(procedures_are_found),
        TEST(loader_entry_describes_the_module),
        TEST(pc_leads_to_its_module),
        TEST(places_are_named_by_module),
        TEST(system_modules_load_and_stay),
        TEST(loading_takes_guest_time),
        TEST(unloading_is_told),
        TEST(a_failed_load_unloads_nothing),
        TEST(module_in_memory_loads),
        TEST(module_in_memory_needs_no_handle),
        TEST(memory_that_is_no_module_is_refused),
        TEST(unloading_and_exiting_ends_the_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
