/* Exports that are too small for a file of their own: display, memory, threads, modules, XMA, XAM.
 * Expectations: LESSONS 52, 55, 58, NT's and Win32's documentation, RFC 2202, SP 800-17's relation of
 * CBC to ECB, xenia for the console's own structures. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exception.h"
#include "exports.h"
#include "xam.h"

#define U(x) ((uint64_t)(x))

#define OUT    0x100
#define IN     0x400
#define KEY    0x600
#define BUFFER 0x1000

static int setup(void **state)
{
    fixture *f = *state = fixture_open();
    f->thread->object = kobject_create(f->k, NULL, KOBJECT_THREAD, 0, 0xAB0);
    if (!f->thread->object) {
        return -1;
    }
    f->thread->object->data = f->thread;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static uint64_t self(const fixture *f)
{
    return f->thread->object->body;
}

static float float_at(fixture *f, uint32_t address)
{
    uint32_t bits = word(f, address);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

/* ---- display -----------------------------------------------------------------------------------
 */

static void the_display_mode(void **state)
{
    static const kexport_fn fns[] = {ex_VdQueryVideoMode, ex_XGetVideoMode};
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    for (int i = 0; i < 2; i++) {
        invoke(f, fns[i], 1, U(out));
        assert_int_equal(word(f, out), 1280);
        assert_int_equal(word(f, out + 4), 720);
        assert_int_equal(word(f, out + 8), 0);  /* progressive */
        assert_int_equal(word(f, out + 12), 1); /* wide */
        assert_true(float_at(f, out + 20) == 60.0f);
    }
    assert_int_equal(invoke(f, ex_VdQueryVideoFlags, 0), 3); /* LESSONS 58 */
    assert_int_equal(invoke(f, ex_XGetAVPack, 0), 8);        /* HDMI */
    invoke(f, ex_VdGetCurrentDisplayInformation, 1, U(out));
    assert_int_equal(word(f, out), 1280 << 16 | 720);
    invoke(f, ex_VdGetCurrentDisplayGamma, 2, U(out), U(out + 4));
    assert_int_equal(word(f, out), 2);
    assert_true(fabsf(float_at(f, out + 4) - 2.2222f) < 0.001f);
}

static void display_calls_that_change_nothing(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    assert_int_equal(invoke(f, ex_VdSetDisplayMode, 1, U(0x40000000)), 0);
    assert_int_equal(invoke(f, ex_VdSetDisplayModeOverride, 5, U(0), U(0), U(0), U(0), U(0)), 0);
    assert_int_equal(invoke(f, ex_VdCallGraphicsNotificationRoutines, 2, U(1), U(0)), 0);
    assert_int_equal(invoke(f, ex_VdIsHSIOTrainingSucceeded, 0), 1);
    assert_int_equal(invoke(f, ex_VdRetrainEDRAM, 6, U(0), U(0), U(0), U(0), U(0), U(0)), 0);
    assert_int_equal(invoke(f, ex_VdRetrainEDRAMWorker, 1, U(0)), 0);
    invoke(f, ex_VdEnableDisableClockGating, 1, U(1));
    invoke(f, ex_VdShutdownEngines, 0);
    invoke(f, ex_VdSetSystemCommandBufferGpuIdentifierAddress, 1, U(0xA0001000));
    assert_int_equal(f->k->gpu_identifier_address, 0xA0001000);
    assert_int_equal(invoke(f, ex_VdPersistDisplay, 2, U(0), U(out)), 1);
    assert_int_not_equal(invoke(f, ex_MmQueryAllocationSize, 1, U(word(f, out))), 0);
    /* no-operations of type 2, as many dwords as there is room */
    uint32_t buffer = f->scratch + BUFFER;
    assert_int_equal(invoke(f, ex_VdInitializeScalerCommandBuffer, 12, U(0), U(0), U(0), U(0), U(0),
                            U(0), U(0), U(0), U(0), U(0), U(buffer), U(3)),
                     3);
    assert_int_equal(word(f, buffer + 8), 0x80000000);
    assert_int_equal(word(f, buffer + 12), 0);
}

/* ---- memory ------------------------------------------------------------------------------------
 */

static void memory_by_other_names(void **state)
{
    fixture *f = *state;
    uint64_t block = invoke(f, ex_ExAllocatePoolWithTag, 2, U(100), U(0x74736574));
    assert_int_not_equal(block, 0);
    assert_true(invoke(f, ex_ExQueryPoolBlockSize, 1, block) >= 100);
    invoke(f, ex_ExFreePool, 1, block);
    uint64_t pages = invoke(f, ex_MmAllocatePhysicalMemory, 3, U(0), U(0x2000), U(4));
    assert_int_not_equal(pages, 0);
    assert_int_equal(invoke(f, ex_MmQueryAllocationSize, 1, pages), 0x2000);
    assert_int_equal(invoke(f, ex_MmMapIoSpace, 4, U(2), U(0x7FEA0000), U(64), U(0x204)),
                     0x7FEA0000);
}

/* PAGE_READONLY 2, PAGE_READWRITE 4; a page's protection is changed and told. */
static void protection_is_changed(void **state)
{
    fixture *f = *state;
    uint32_t base_at = f->scratch + OUT, size_at = base_at + 4, old_at = base_at + 8;
    uint32_t base = 0, size = 0x3000;
    assert_int_equal(
        mm_virtual_alloc(f->k->mm, NULL, &base, &size, MM_COMMIT | MM_RESERVE, MM_PAGE_READWRITE),
        0);
    set_word(f, base_at, base + 0x1000);
    set_word(f, size_at, 0x1000);
    assert_int_equal(
        invoke(f, ex_NtProtectVirtualMemory, 4, U(base_at), U(size_at), U(2), U(old_at)), 0);
    assert_int_equal(word(f, old_at), 4);
    assert_int_equal(invoke(f, ex_MmQueryAddressProtect, 1, U(base + 0x1000)), 2);
    assert_int_equal(invoke(f, ex_MmQueryAddressProtect, 1, U(base)), 4);
    set_word(f, base_at, 0x10);
    assert_int_not_equal(
        invoke(f, ex_NtProtectVirtualMemory, 4, U(base_at), U(size_at), U(2), U(old_at)), 0);
}

/* ---- threads, time -----------------------------------------------------------------------------
 */

static void threads_and_processors(void **state)
{
    fixture *f = *state;
    invoke(f, ex_KeSetCurrentProcessType, 1, U(2));
    assert_int_equal(invoke(f, ex_KeGetCurrentProcessType, 0), 2);
    assert_int_equal(invoke(f, ex_KeSetDisableBoostThread, 2, self(f), U(1)), 0);
    invoke(f, ex_KeEnableFpuExceptions, 1, U(1));
    invoke(f, ex_KeLockL2, 0);
    invoke(f, ex_KeUnlockL2, 0);
    invoke(f, ex_KeFlushEntireTb, 0);
    invoke(f, ex_KiApcNormalRoutineNop, 3, U(0), U(0), U(0));
    assert_int_equal(f->result, K_DONE);
    uint64_t before = know(f->k);
    invoke(f, ex_KeStallExecutionProcessor, 1, U(7)); /* microseconds */
    assert_int_equal(know(f->k) - before, 7000);
    assert_int_equal(invoke(f, ex_KeQueryPerformanceFrequency, 0), 50000000);
    assert_int_equal(invoke(f, ex_GetCurrentThreadId, 0), f->thread->tid);
    assert_int_equal(invoke(f, ex_ExRegisterTitleTerminateNotification, 2, U(f->scratch), U(1)), 0);
}

static void threads_by_id_and_pointer(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT, before = f->thread->object->references;
    assert_int_equal(invoke(f, ex_ObLookupAnyThreadByThreadId, 2, U(f->thread->tid), U(out)), 0);
    assert_int_equal(word(f, out), self(f));
    invoke(f, ex_ObReferenceObject, 1, self(f));
    assert_int_equal(f->thread->object->references, before + 2);
    invoke(f, ex_ObDereferenceObject, 1, self(f));
    invoke(f, ex_ObDereferenceObject, 1, self(f));
    assert_int_equal(f->thread->object->references, before);
    assert_int_not_equal(invoke(f, ex_ObLookupAnyThreadByThreadId, 2, U(99), U(out)), 0);
}

static void stack_limits(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    set_word(f, f->thread->object->body + 0x5C, 0x70010000); /* X_KTHREAD: base, limit */
    set_word(f, f->thread->object->body + 0x60, 0x70000000);
    invoke(f, ex_RtlGetStackLimits, 2, U(out), U(out + 4));
    assert_int_equal(word(f, out), 0x70000000);
    assert_int_equal(word(f, out + 4), 0x70010000);
}

/* Win32: WAIT_IO_COMPLETION 0xC0 only for an APC; ResumeThread answers the previous count. */
static void win32_threads(void **state)
{
    fixture *f = *state;
    invoke(f, ex_SleepEx, 2, U(2), U(1));
    assert_int_equal(f->result, K_WAIT);
    pass(f, 2000001);
    assert_true(resume(f));
    assert_int_equal(f->thread->cpu->r[3], 0);
    f->thread->suspended = 3;
    assert_int_equal(invoke(f, ex_ResumeThread, 1, U(0xFFFFFFFE)), 3);
    assert_int_equal((uint32_t)invoke(f, ex_ResumeThread, 1, U(12)), 0xFFFFFFFF);
    uint32_t event = (uint32_t)invoke(f, ex_NetDll_WSACreateEvent, 0);
    invoke(f, ex_SetEvent, 1, U(event));
    assert_int_equal(invoke(f, ex_NetDll_WSAResetEvent, 1, U(event)), 1);
    assert_int_equal(invoke(f, ex_WaitForSingleObject, 2, U(event), U(0)), 258);
    kobject_retain(f->thread->object); /* as a thread that lives does */
    invoke(f, ex_ExitThread, 1, U(9));
    assert_int_equal(f->result, K_GONE);
    assert_int_equal(f->thread->exit_code, 9);
}

/* ---- text --------------------------------------------------------------------------------------
 */

/* A UNICODE_STRING {bytes, capacity, text} at `offset` with its text behind it. */
static uint64_t unicode(fixture *f, uint32_t offset, const char *text, uint16_t capacity)
{
    uint32_t s = f->scratch + offset;
    set_wide(f, s + 16, text);
    weft_store16(at(f, s), (uint16_t)(2 * strlen(text)));
    weft_store16(at(f, s + 2), capacity);
    set_word(f, s + 4, s + 16);
    return s;
}

static void unicode_strings(void **state)
{
    fixture *f = *state;
    uint64_t a = unicode(f, 0x400, "Apple", 64), b = unicode(f, 0x500, "aPPLE", 64);
    assert_true((int32_t)invoke(f, ex_RtlCompareUnicodeString, 3, a, b, U(0)) < 0);
    assert_int_equal(invoke(f, ex_RtlCompareUnicodeString, 3, a, b, U(1)), 0);
    assert_true((int32_t)invoke(f, ex_RtlCompareUnicodeStringN, 5, a + 16, U(4), b + 16, U(2),
                                U(1)) > 0); /* the longer one */
    invoke(f, ex_RtlCopyUnicodeString, 2, b, a);
    assert_int_equal(invoke(f, ex_RtlCompareUnicodeString, 3, a, b, U(0)), 0);
    uint64_t small = unicode(f, 0x600, "xyz", 6);
    invoke(f, ex_RtlCopyUnicodeString, 2, small, a); /* cut to fit */
    assert_int_equal(weft_load16(at(f, (uint32_t)small)), 6);
    assert_memory_equal(at(f, (uint32_t)small + 16), "\0A\0p\0p", 6);
    assert_int_equal(invoke(f, ex_RtlAppendUnicodeStringToString, 2, a, small), 0);
    assert_int_equal(weft_load16(at(f, (uint32_t)a)), 16);
    assert_memory_equal(at(f, (uint32_t)a + 16 + 10), "\0A\0p\0p", 6);
    assert_int_equal((uint32_t)invoke(f, ex_RtlAppendUnicodeStringToString, 2, small, a),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(invoke(f, ex__scwprintf, 2, U(set_wide(f, f->scratch + IN, "%d!")), U(1234)),
                     5);
    set_wide(f, f->scratch + IN, "wide");
    invoke(f, ex_OutputDebugStringW, 1, U(f->scratch + IN));
    assert_string_equal(f->fake->printed, "wide");
}

/* ---- modules, the title's end ------------------------------------------------------------------
 */

/* The key's low byte: 0 the value, 1 where it is, else an offset from the header (LESSONS 55). */
static void header_fields_and_sections(void **state)
{
    fixture *f = *state;
    uint32_t h = f->scratch + BUFFER, out = f->scratch + OUT;
    set_word(f, h + 0x14, 3);
    set_word(f, h + 0x18, 0x00030000); /* system flags */
    set_word(f, h + 0x1C, 0x1234);
    set_word(f, h + 0x20, 0x00020401);
    set_word(f, h + 0x24, 77);
    set_word(f, h + 0x28, 0x000002FF); /* resources */
    set_word(f, h + 0x2C, 0x100);
    assert_int_equal(invoke(f, ex_RtlImageXexHeaderField, 2, U(h), U(0x00030000)), 0x1234);
    assert_int_equal(invoke(f, ex_RtlImageXexHeaderField, 2, U(h), U(0x00020401)), h + 0x24);
    assert_int_equal(invoke(f, ex_RtlImageXexHeaderField, 2, U(h), U(0x000002FF)), h + 0x100);
    assert_int_equal(invoke(f, ex_RtlImageXexHeaderField, 2, U(h), U(0x000103FF)), 0);
    set_word(f, h + 0x100, 4 + 2 * 16);
    memcpy(at(f, h + 0x104), "first", 5);
    memcpy(at(f, h + 0x114), "12345678", 8);
    set_word(f, h + 0x11C, 0x82010000);
    set_word(f, h + 0x120, 500);
    kmodule title = {.header = h, .handle = 0x80041000};
    f->k->modules = f->k->title = &title;
    set_text(f, f->scratch + IN, "12345678");
    assert_int_equal(
        invoke(f, ex_XexGetModuleSection, 4, U(0x80041000), U(f->scratch + IN), U(out), U(out + 4)),
        0);
    assert_int_equal(word(f, out), 0x82010000);
    assert_int_equal(word(f, out + 4), 500);
    set_text(f, f->scratch + IN, "none");
    assert_int_equal((uint32_t)invoke(f, ex_XexGetModuleSection, 4, U(0x80041000),
                                      U(f->scratch + IN), U(out), U(out + 4)),
                     STATUS_NOT_FOUND);
    f->k->modules = f->k->title = NULL;
}

static void titles_end(void **state)
{
    static const struct {
        kexport_fn fn;
        uint32_t end;
        const char *reason;
    } all[] = {
        {ex_KeBugCheck, WEFT_END_BUGCHECK, "bug check 0x000000e2"},
        {ex_KeBugCheckEx, WEFT_END_BUGCHECK, "bug check 0x000000e2, 0x00000001, 0x00000002"},
        {ex_HalReturnToFirmware, WEFT_END_EXIT, "firmware"},
        {ex_XamLoaderTerminateTitle, WEFT_END_EXIT, "terminated"},
        {ex_XamShowDirtyDiscErrorUI, WEFT_END_EXIT, "disc"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        f->k->end = 0;
        invoke(f, all[i].fn, 5, U(0xE2), U(1), U(2), U(3), U(4));
        assert_int_equal(f->result, K_GONE);
        assert_int_equal(f->k->end, all[i].end);
        assert_non_null(strstr(f->k->reason, all[i].reason));
    }
    static const kexport_fn launches[] = {ex_XamLoaderLaunchTitle, ex_XamLoaderLaunchTitleEx};
    for (int i = 0; i < 2; i++) {
        f->k->end = 0;
        invoke(f, launches[i], 4, U(set_text(f, f->scratch + IN, "game:\\b.xex")), U(0), U(0),
               U(0));
        assert_int_equal(f->result, K_GONE);
        assert_non_null(strstr(f->k->reason, "game:\\b.xex"));
    }
    invoke(f, ex_DebugBreak, 0);
    assert_int_equal(f->result, K_DONE);
}

/* ---- crypt -------------------------------------------------------------------------------------
 */

/* RFC 2202, section 2, test case 2. */
static void hmac_md5_in_pieces(void **state)
{
    fixture *f = *state;
    uint32_t s = f->scratch + BUFFER, in = f->scratch + IN, out = f->scratch + OUT;
    memcpy(at(f, f->scratch + KEY), "Jefe", 4);
    memcpy(at(f, in), "what do ya want for nothing?", 28);
    invoke(f, ex_XeCryptHmacMd5Init, 3, U(s), U(f->scratch + KEY), U(4));
    invoke(f, ex_XeCryptHmacMd5Update, 3, U(s), U(in), U(9));
    invoke(f, ex_XeCryptHmacMd5Update, 3, U(s), U(in + 9), U(19));
    invoke(f, ex_XeCryptHmacMd5Final, 3, U(s), U(out), U(16));
    assert_memory_equal(at(f, out),
                        "\x75\x0c\x78\x3e\x6a\xb0\xb5\x03\xea\xa8\x6e\x31\x0a\x5d\xb7\x38", 16);
}

/* C1 = E(P1 ^ IV), C2 = E(P2 ^ C1); the feed is left at the last block. */
static void des_in_chains(void **state)
{
    fixture *f = *state;
    uint32_t s = f->scratch + BUFFER, in = f->scratch + IN, out = f->scratch + OUT;
    uint32_t feed = f->scratch + KEY + 0x40;
    memcpy(at(f, f->scratch + KEY), "\x01\x23\x45\x67\x89\xAB\xCD\xEF", 8);
    invoke(f, ex_XeCryptDesKey, 2, U(s), U(f->scratch + KEY));
    memcpy(at(f, in), "sixteen bytes ok", 16);
    set_quad(f, feed, UINT64_C(0x0102030405060708));
    invoke(f, ex_XeCryptDesCbc, 6, U(s), U(in), U(16), U(out), U(feed), U(1));
    uint64_t c1 = quad(f, out), c2 = quad(f, out + 8);
    assert_int_equal(quad(f, feed), c2);
    set_quad(f, in, quad(f, in) ^ UINT64_C(0x0102030405060708));
    invoke(f, ex_XeCryptDesEcb, 4, U(s), U(in), U(in), U(1));
    assert_int_equal(quad(f, in), c1);
    set_quad(f, in + 8, quad(f, in + 8) ^ c1);
    invoke(f, ex_XeCryptDesEcb, 4, U(s), U(in + 8), U(in + 8), U(1));
    assert_int_equal(quad(f, in + 8), c2);
    set_quad(f, feed, UINT64_C(0x0102030405060708));
    invoke(f, ex_XeCryptDesCbc, 6, U(s), U(out), U(16), U(out), U(feed), U(0));
    assert_memory_equal(at(f, out), "sixteen bytes ok", 16);
}

/* ---- XMA: bits as xenia's xma_context.h has them -----------------------------------------------
 */

static void xma_fields(void **state)
{
    fixture *f = *state;
    uint32_t c = f->scratch + BUFFER, loop = f->scratch + IN;
    uint32_t page = mm_physical_alloc(f->k->mm, NULL, 0x1000, MM_PAGE_READWRITE, 0,
                                      MM_PHYSICAL_BYTES - 1, 0x1000);
    assert_int_equal(invoke(f, ex_XMASetInputBuffer0, 3, U(c), U(page), U(5)), 0);
    assert_int_equal(invoke(f, ex_XMASetInputBuffer1, 3, U(c), U(page), U(6)), 0);
    assert_int_equal(word(f, c), 5);
    assert_int_equal(word(f, c + 4), 6);
    assert_int_equal(word(f, c + 20), mm_physical(f->k->mm, page));
    assert_int_equal(word(f, c + 24), mm_physical(f->k->mm, page));
    invoke(f, ex_XMASetInputBuffer0Valid, 1, U(c));
    assert_int_equal(word(f, c), 1u << 20 | 5);
    assert_int_equal(invoke(f, ex_XMAIsOutputBufferValid, 1, U(c)), 0);
    set_word(f, c + 4, 0x80000000);
    assert_int_equal(invoke(f, ex_XMAIsOutputBufferValid, 1, U(c)), 1);
    invoke(f, ex_XMASetOutputBufferReadOffset, 2, U(c), U(37)); /* five bits */
    assert_int_equal(word(f, c + 36), 5);
    assert_int_equal(invoke(f, ex_XMAGetOutputBufferReadOffset, 1, U(c)), 5);
    set_word(f, loop, 0x111);
    set_word(f, loop + 4, 0x222);
    set_word(f, loop + 8, 0x03040500);
    invoke(f, ex_XMASetLoopData, 2, U(c), U(loop));
    assert_int_equal(word(f, c + 12), 0x111);
    assert_int_equal(word(f, c + 16), 0x222);
    assert_int_equal(word(f, c) >> 12 & 0xFF, 3);
    assert_int_equal(invoke(f, ex_XMAEnableContext, 1, U(c)), 0);
    assert_int_equal(invoke(f, ex_XMADisableContext, 2, U(c), U(1)), 0);
    assert_int_equal(invoke(f, ex_XMABlockWhileInUse, 1, U(c)), 0);
}

/* ---- XAM ---------------------------------------------------------------------------------------
 */

/* XINPUT_CAPABILITIES: type 1, a gamepad; vibration of 16 bits each. */
static void controllers(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + OUT;
    assert_int_equal(invoke(f, ex_XamInputGetCapabilities, 3, U(0), U(1), U(out)), 1167);
    f->k->pads[0].connected = 1;
    assert_int_equal(invoke(f, ex_XamInputGetCapabilities, 3, U(0), U(1), U(out)), 0);
    assert_int_equal(*at(f, out), 1);
    assert_int_equal(word(f, out + 16), 0xFFFFFFFF);
    assert_int_equal(invoke(f, ex_XamInputGetCapabilities, 3, U(0), U(1), U(0)), 160);
    set_word(f, out, 0x80004000);
    assert_int_equal(invoke(f, ex_XamInputSetState, 3, U(0), U(0), U(out)), 0);
    assert_int_equal(invoke(f, ex_XamInputSetState, 3, U(1), U(0), U(out)), 1167);
    set_word(f, out, 0); /* user 0 */
    assert_int_equal(invoke(f, ex_XamInputGetKeystrokeEx, 3, U(out), U(1), U(out)), 4306);
}

static void the_console(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XGetLanguage, 0), 1);                   /* English */
    assert_int_equal(invoke(f, ex_XamGetLocaleEx, 2, U(103), U(40)), 36); /* USA */
    assert_int_equal(invoke(f, ex_XamEnableInactivityProcessing, 2, U(0), U(1)), 0);
    assert_int_equal(invoke(f, ex_XamResetInactivity, 0), 0);
    assert_int_equal(invoke(f, ex_XamFeatureEnabled, 1, U(1)), 0);
    assert_int_equal((uint32_t)invoke(f, ex_XamQueryLiveHiveW, 4, U(0), U(0), U(0), U(0)),
                     STATUS_INVALID_PARAMETER_1);
    invoke(f, ex_XNotifyPositionUI, 1, U(3));
    assert_int_equal(f->result, K_DONE);
    uint32_t out = f->scratch + OUT;
    memset(at(f, out), 0xAA, 32);
    invoke(f, ex_XamNuiGetDeviceStatus, 1, U(out));
    assert_int_equal(quad(f, out + 16), 0);
    assert_int_equal(*at(f, out + 24), 0xAA);
}

/* 0x807D0003: not in a party; 1627 is ERROR_FUNCTION_FAILED. */
static void there_is_no_company(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_XamShowPartyUI, 2, U(0), U(0)), 1627);
    assert_int_equal(invoke(f, ex_XamShowCommunitySessionsUI, 2, U(0), U(0)), 1627);
    assert_int_equal((uint32_t)invoke(f, ex_XamPartyGetUserList, 1, U(0)), 0x807D0003);
    assert_int_equal((uint32_t)invoke(f, ex_XamPartySendGameInvites, 3, U(0), U(0), U(0)),
                     0x807D0003);
    assert_int_equal((uint32_t)invoke(f, ex_XamPartySetCustomData, 3, U(0), U(0), U(0)),
                     0x807D0003);
    assert_int_equal(invoke(f, ex_XamVoiceHeadsetPresent, 1, U(0)), 0);
    assert_int_equal(invoke(f, ex_XamVoiceIsActiveProcess, 0), 0);
    assert_int_equal(invoke(f, ex_XamVoiceClose, 1, U(0)), 0);
}

static void messages_by_other_names(void **state)
{
    fixture *f = *state;
    uint32_t buffer = f->scratch + IN, o = f->scratch + BUFFER;
    set_word(f, buffer + 4, f->scratch + OUT);
    set_word(f, f->scratch + OUT, 7);
    assert_int_equal(invoke(f, ex_XMsgSystemProcessCall, 4, U(0xFA), U(0x70009), U(buffer), U(8)),
                     0);
    assert_int_equal(word(f, f->scratch + OUT), 0); /* music is idle */
    set_word(f, f->scratch + OUT, 7);
    assert_int_equal(
        invoke(f, ex_XMsgStartIORequestEx, 6, U(0xFA), U(0x70009), U(0), U(buffer), U(8), U(0)), 0);
    assert_int_equal(word(f, f->scratch + OUT), 0);
    assert_int_equal(invoke(f, ex_XMsgCancelIORequest, 2, U(o), U(1)), 0);
    assert_int_equal(f->result, K_DONE);
}

/* ---- files, unwinding --------------------------------------------------------------------------
 */

static void there_is_no_file_cache(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_FscGetCacheElementCount, 1, U(0)), 0);
    assert_int_equal(invoke(f, ex_FscSetCacheElementCount, 2, U(0), U(16)), 0);
}

static const weft_cpu_ops still = {.size = sizeof still};

/* The same as RtlUnwind, with arguments that the latter does not look at: a target that is no frame
 * ends both alike. */
static void unwinding_by_its_other_name(void **state)
{
    uint32_t results[2], ends[2];
    static const kexport_fn fns[] = {ex_RtlUnwind, ex_RtlUnwind2};
    for (int i = 0; i < 2; i++) {
        fixture *f = fixture_open();
        f->k->first_thread = f->thread;
        f->k->cpu = &still;
        invoke(f, fns[i], 4, U(0), U(0x82000000), U(0), U(0));
        results[i] = f->result;
        ends[i] = f->k->end;
        while (f->thread->frame_count) {
            free(f->thread->frames[--f->thread->frame_count]);
        }
        kexception_free(f->thread);
        fixture_close(f);
    }
    assert_int_equal(results[0], results[1]);
    assert_int_equal(ends[0], ends[1]);
    assert_int_equal(ends[0], WEFT_END_EXCEPTION);
    (void)state;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_display_mode),
        TEST(display_calls_that_change_nothing),
        TEST(memory_by_other_names),
        TEST(protection_is_changed),
        TEST(threads_and_processors),
        TEST(threads_by_id_and_pointer),
        TEST(stack_limits),
        TEST(win32_threads),
        TEST(unicode_strings),
        TEST(header_fields_and_sections),
        TEST(titles_end),
        TEST(hmac_md5_in_pieces),
        TEST(des_in_chains),
        TEST(xma_fields),
        TEST(controllers),
        TEST(the_console),
        TEST(there_is_no_company),
        TEST(messages_by_other_names),
        TEST(there_is_no_file_cache),
        TEST(unwinding_by_its_other_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
