/* DllMain as a guest frame, and the loader lock. The DLL lies where scripts lie, so that program 1
 * is its entry; the title and the threads' programs are scripts as ever. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"
#include "modules.h"
#include "ordinals.h"

#define XexGetModuleHandle      0x195
#define XexLoadImage            0x199
#define XexUnloadImage          0x1A1
#define KeGetCurrentProcessType 0x066 /* answers 1 here: a DllMain that agrees */

#define DLL_MAIN 1 /* program */
#define OUT(n)   (s->scratch + 0x100 + 4 * (n))
#define NAME     (s->scratch)
#define INTERVAL (s->scratch + 0x40)

static char folder[64];

static void remove_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

/* A booted kernel with a title of no code, and game:\dll.xex whose DllMain is program 1. */
static script *open_loader_in(script *s, const script_step *dll_main)
{
    char err[KMODULE_ERROR_SIZE];
    kmodule *title;
    strcpy(folder, "/tmp/weft-loader-XXXXXX");
    assert_non_null(mkdtemp(folder));
    module_write(folder, "title.xex", &(test_module){.base = 0x90000000, .title = 1});
    module_write(folder, "dll.xex",
                 &(test_module){.base = SCRIPT_BASE, .entry = script_entry(DLL_MAIN)});
    assert_int_equal(vfs_mount_title(s->k->vfs, folder), STATUS_SUCCESS);
    assert_int_equal(kimage_get(s->k, NULL, "game:\\title.xex", 0, &title, err), STATUS_SUCCESS);
    title->stage = KSTAGE_READY;
    s->programs[DLL_MAIN] = dll_main;
    strcpy((char *)s->k->memory->base + NAME, "dll.xex");
    set_quad(s, INTERVAL, RELATIVE_MS(2));
    return s;
}

static script *open_loader(const script_step *dll_main)
{
    return open_loader_in(script_open(), dll_main);
}

static void close_loader(script *s)
{
    script_close(s);
    remove_file("title.xex");
    remove_file("dll.xex");
    rmdir(folder);
}

static void assert_log(const script *s, const uint32_t *expected, uint32_t count)
{
    assert_int_equal(s->log_count, count);
    assert_memory_equal(s->log, expected, count * sizeof *expected);
}

static void dll_main_runs_inside_load_and_unload(void **state)
{
    static const script_step dll_main[] = {MARK(1), CALL(KeGetCurrentProcessType, 0), END};
    script *s = open_loader(dll_main);
    script_step main_steps[] = {
        MARK(10), CALL(XexLoadImage, NAME, 0, 0, OUT(0)),
        MARK(11), CALL(XexUnloadImage, AT(OUT(0))),
        MARK(12), END,
    };
    script_thread(s, 0, main_steps, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    static const uint32_t order[] = {10, 1, 11, 1, 12};
    assert_log(s, order, 5);
    assert_null(s->k->title->next);
    assert_int_equal(s->k->loader_depth, 0);
    close_loader(s);
}

/* An answer of 0 refuses: detached at once, no handle, [MS-ERREF] STATUS_DLL_INIT_FAILED. */
static void refusal_detaches_and_fails(void **state)
{
    static const script_step dll_main[] = {MARK(1), CALL(KeEnterCriticalRegion, 0), END};
    script *s = open_loader(dll_main);
    script_step main_steps[] = {CALL(XexLoadImage, NAME, 0, 0, OUT(0)), END};
    set_word(s, OUT(0), 7);
    kthread *t = script_thread(s, 0, main_steps, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    static const uint32_t order[] = {1, 1};
    assert_log(s, order, 2);
    assert_int_equal(word(s, OUT(0)), 0);
    assert_int_equal(t->exit_code, 0xC0000142);
    assert_null(s->k->title->next);
    close_loader(s);
}

/* The second thread asks while DllMain waits: it gets the same module, after DllMain's end. */
static void one_thread_loads_at_a_time(void **state)
{
    script_step dll_main[] = {MARK(1), CALL(KeDelayExecutionThread, 0, 0, 0), MARK(2),
                              CALL(KeGetCurrentProcessType, 0), END};
    script *s = open_loader(dll_main);
    dll_main[1].arguments[2] = INTERVAL;
    script_step first[] = {CALL(XexLoadImage, NAME, 0, 0, OUT(0)), MARK(10), WORK(5000000), END};
    script_step second[] = {WORK(500000), MARK(20), CALL(XexLoadImage, NAME, 0, 0, OUT(1)),
                            MARK(21), END};
    script_thread(s, 0, first, ON(0));
    script_thread(s, 2, second, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 5);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 20);
    assert_int_equal(s->log[2], 2);
    /* 10 and 21 follow, on two hardware threads */
    assert_int_equal(s->log[3] + s->log[4], 31);
    assert_int_equal(word(s, OUT(0)), word(s, OUT(1)));
    assert_int_equal(s->k->title->next->loads, 2);
    assert_null(s->k->loader_owner);
    close_loader(s);
}

/* A DllMain may load: the lock's holder does not wait for itself. Here it loads itself again. */
static void dll_main_may_load(void **state)
{
    script_step dll_main[] = {MARK(1), CALL(XexLoadImage, 0, 0, 0, 0), MARK(2),
                              CALL(KeGetCurrentProcessType, 0), END};
    script *s = open_loader(dll_main);
    dll_main[1].arguments[0] = NAME;
    dll_main[1].arguments[3] = OUT(1);
    script_step main_steps[] = {CALL(XexLoadImage, NAME, 0, 0, OUT(0)), MARK(10), END};
    script_thread(s, 0, main_steps, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    static const uint32_t order[] = {1, 2, 10};
    assert_log(s, order, 3);
    assert_int_equal(s->k->title->next->loads, 2);
    assert_int_equal(s->k->loader_depth, 0);
    close_loader(s);
}

/* A DllMain that unloads its own module: its code stays until it has returned, in both calls. */
static void unload_from_dll_main_is_survived(void **state)
{
    script_step dll_main[] = {MARK(1), CALL(XexGetModuleHandle, 0, 0),   CALL(XexUnloadImage, 0),
                              MARK(2), CALL(KeGetCurrentProcessType, 0), END};
    script *s = open_loader(dll_main);
    dll_main[1].arguments[0] = NAME;
    dll_main[1].arguments[1] = OUT(1);
    dll_main[2].arguments[0] = AT(OUT(1));
    script_step main_steps[] = {CALL(XexLoadImage, NAME, 0, 0, OUT(0)), MARK(10),
                                CALL(XexUnloadImage, AT(OUT(0))), MARK(11), END};
    script_thread(s, 0, main_steps, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    static const uint32_t order[] = {1, 2, 10, 1, 2, 11};
    assert_log(s, order, 6);
    assert_null(s->k->title->next);
    assert_int_equal(s->k->loader_depth, 0);
    close_loader(s);
}

/* In parallel mode, while others enter and leave a section without the dispatcher lock: what they look
 * a call up in forgets the library's thunks meanwhile. ThreadSanitizer (./dev test tsan) is the judge. */
static void libraries_go_while_others_take_locks(void **state)
{
    static const script_step dll_main[] = {CALL(KeGetCurrentProcessType, 0), END};
    script *s = open_loader_in(script_open_parallel(WEFT_CPU_PARALLEL), dll_main);
    s->thunks[KeGetCurrentProcessType] = kthunk(s->k, KMODULE_KRNL, KeGetCurrentProcessType);
    script_step main_steps[SCRIPT_STEPS] = {MEET(3)}, others[2][SCRIPT_STEPS];
    for (uint32_t i = 0; i < 20; i++) {
        main_steps[1 + 2 * i] = (script_step)CALL(XexLoadImage, NAME, 0, 0, OUT(0));
        main_steps[2 + 2 * i] = (script_step)CALL(XexUnloadImage, AT(OUT(0)));
    }
    main_steps[41] = (script_step)END;
    for (uint32_t t = 0; t < 2; t++) {
        kcs_init(s->k, OUT(8 + 8 * t), 0);
        others[t][0] = (script_step)MEET(3);
        for (uint32_t i = 0; i < 30; i++) {
            others[t][1 + 2 * i] = (script_step)CALL(RtlEnterCriticalSection, OUT(8 + 8 * t));
            others[t][2 + 2 * i] = (script_step)CALL(RtlLeaveCriticalSection, OUT(8 + 8 * t));
        }
        others[t][61] = (script_step)END;
    }
    script_thread(s, 0, main_steps, ON(0));
    script_thread(s, 2, others[0], ON(2));
    script_thread(s, 3, others[1], ON(4));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_null(s->k->title->next);
    close_loader(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dll_main_runs_inside_load_and_unload),
        cmocka_unit_test(refusal_detaches_and_fails),
        cmocka_unit_test(one_thread_loads_at_a_time),
        cmocka_unit_test(dll_main_may_load),
        cmocka_unit_test(unload_from_dll_main_is_survived),
        cmocka_unit_test(libraries_go_while_others_take_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
