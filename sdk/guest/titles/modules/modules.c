/* modules: a title of several modules. It imports two functions and a variable from worker.xex by
 * ordinal, and loads extra.xex (which imports worker.xex and mate.xex), twin.xex and refuse.xex
 * when it runs. Every line follows from arithmetic and from what the NT status codes mean
 * ([MS-ERREF]). Exit code 0 when each check held, else 1. */
#include "dll.h"

typedef u32 (*unary)(u32);

static u32 failures;

static void check(bool good, const char *what)
{
    if (!good) {
        failures++;
        DbgPrint("modules: wrong: %s\n", what);
    }
}

static u32 load(const char *path, u32 *module)
{
    *module = 0xDEADBEEF;
    u32 status = XexLoadImage((void *)path, 0, 0, module);
    DbgPrint("modules: %s loads with 0x%08x\n", path, status);
    check((status == STATUS_SUCCESS) == (*module != 0), "a handle for a loaded module alone");
    return status;
}

static unary find(u32 module, u32 ordinal)
{
    u32 address = 0;
    u32 status = XexGetProcedureAddress((void *)module, ordinal, &address);
    DbgPrint("modules: ordinal %u gives 0x%08x\n", ordinal, status);
    return (unary)address;
}

static u32 handle_of(const char *name)
{
    u32 handle = 0;
    XexGetModuleHandle((void *)name, &handle);
    return handle;
}

static void imported(void)
{
    unary pointer = worker_sum;
    unary volatile cell = pointer; /* so that the call goes through the thunk's address */
    DbgPrint("modules: the sum to 100 is %u, by pointer to 10 %u\n", worker_sum(100), cell(10));
    worker_count();
    *__imp_worker_total += 100;
    u32 count = worker_count();
    DbgPrint("modules: the count is %u, the variable %u\n", count, *__imp_worker_total);
    DbgPrint("modules: worker itself has %u\n", worker_count());
    u32 entry = 0;
    u32 base =
        (u32)XexPcToFileHeader((void *)*(const u32 *)(handle_of("worker.xex") + 0x3C), &entry);
    DbgPrint("modules: worker lies at 0x%08x\n", base);
    check(entry == handle_of("WORKER.XEX"), "the entry around worker's code is its handle");
}

static void loaded(void)
{
    u32 extra, again, twin;
    check(load("game:\\extra.xex", &extra) == STATUS_SUCCESS, "extra loads");
    unary value = find(extra, 1);
    DbgPrint("modules: extra gives %u\n", value(100));
    check(find(extra, 2) == 0, "extra has no second export");

    /* loaded twice, it goes with the second unload */
    load("extra.xex", &again);
    check(again == extra, "one module, one handle");
    XexUnloadImage((void *)again);
    DbgPrint("modules: extra still gives %u\n", value(4));

    load("game:\\twin.xex", &twin); /* its range is extra's */
    XexUnloadImage((void *)extra);
    check(handle_of("extra.xex") == 0 && handle_of("mate.xex") == 0, "extra and mate are gone");
    check(handle_of("worker.xex") != 0, "worker stays: the title imports it");

    load("game:\\twin.xex", &twin);
    value = find(twin, 1);
    DbgPrint("modules: twin gives %u\n", value(100));
    XexUnloadImage((void *)twin);
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    u32 module;
    DbgPrint("modules: main\n");
    imported();
    loaded();
    load("game:\\absent.xex", &module);
    load("game:\\refuse.xex", &module);
    check(handle_of("refuse.xex") == 0, "refuse is not there");
    DbgPrint("modules: a handle that is none gives 0x%08x\n", XexUnloadImage((void *)0x1234));
    DbgPrint("modules: %u checks failed\n", failures);
    return failures != 0;
}
