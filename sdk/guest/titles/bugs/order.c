/* Bugs of depth 1: it is enough that one thread comes before another. */
#include "bugs.h"

/* ---- init: main creates a thread, and only then makes what the thread uses ----------------------
 */

static struct {
    critical_section section;
    u32 *table;
    volatile bool missed;
} service;

static u32 service_thread(void *context)
{
    (void)context;
    RtlEnterCriticalSection(&service.section);
    u32 *table = service.table;
    RtlLeaveCriticalSection(&service.section);
    service.missed = table == NULL || table[0] != 1;
    return 0;
}

static void table_make(void)
{
    u32 *table = ExAllocatePool(256);
    table[0] = 1;
    RtlEnterCriticalSection(&service.section);
    service.table = table;
    RtlLeaveCriticalSection(&service.section);
}

bool init_shows(attempt a)
{
    u32 thread = 0;
    service.table = NULL;
    service.missed = false;
    RtlInitializeCriticalSection(&service.section);
    if (a.fixed) {
        table_make();
    }
    weft_thread_create(&thread, service_thread, 0, 1, 0);
    if (!a.fixed) {
        table_make();
    }
    weft_wait(thread, WEFT_FOREVER);
    NtClose(thread);
    ExFreePool(service.table);
    return service.missed;
}

/* ---- early: the event is set, and only then the data is stored ---------------------------------
 */

static struct {
    critical_section section;
    u32 ready; /* automatic event */
    u32 data;
    bool fixed;
    volatile bool missed;
} letter;

static void data_store(void)
{
    RtlEnterCriticalSection(&letter.section);
    letter.data = 1;
    RtlLeaveCriticalSection(&letter.section);
}

static u32 letter_writer(void *context)
{
    (void)context;
    if (letter.fixed) {
        data_store();
    }
    NtSetEvent(letter.ready, 0);
    if (!letter.fixed) {
        data_store();
    }
    return 0;
}

static u32 letter_reader(void *context)
{
    (void)context;
    weft_wait(letter.ready, WEFT_FOREVER);
    RtlEnterCriticalSection(&letter.section);
    letter.missed = letter.data == 0;
    RtlLeaveCriticalSection(&letter.section);
    return 0;
}

bool early_shows(attempt a)
{
    letter.fixed = a.fixed;
    letter.data = 0;
    letter.missed = false;
    letter.ready = weft_event(SYNCHRONIZATION, false);
    RtlInitializeCriticalSection(&letter.section);
    pair_run(letter_writer, letter_reader, WEFT_FOREVER, NULL);
    NtClose(letter.ready);
    return letter.missed;
}
