/* fuzz-seeds-kernel DIR: sequences of calls that a title might make, and every export once, as inputs
 * of the fuzz target `kernel` (program.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

/* A line is an operation: the program, an export's name or another operation's, and an argument for
 * each that it takes: a letter and a number (hexadecimal behind w and q). */
static const char *const seeds[][24] = {
    {"events", "0 NtCreateEvent d0 s0 s1 s0", "0 NtSetEvent m0 s0",
     "0 NtWaitForSingleObjectEx m0 s1 s0 o25", "1 NtWaitForSingleObjectEx m0 s1 s1 o26",
     "0 NtPulseEvent m0 d16", "2 NtWaitForMultipleObjectsEx s1 d0 s1 s1 s1 o25",
     "0 NtSignalAndWaitForSingleObjectEx m0 m0 s1 s1 o25", "0 NtClearEvent m0", "0 NtClose m0"},
    {"inline", "0 KeInitializeEvent o8 s1 s0", "1 KeWaitForSingleObject o8 s3 s1 s1 o26",
     "2 KeWaitForMultipleObjects s3 o103 s0 s3 s1 s1 o25 s0", "0 work 20", "0 KeSetEvent o8 s1 s0",
     "0 KePulseEvent o4 s1 s0", "0 KeResetEvent o8", "0 KeInitializeSemaphore o9 s1 s4",
     "0 KeReleaseSemaphore o9 s1 s1 s0", "0 KeInitializeMutant o6 s1",
     "1 KeWaitForSingleObject o6 s3 s1 s0 s0", "0 KeReleaseMutant o6 s1 s0 s0"},
    {"named", "0 NtCreateEvent d0 o73 s1 s1", "1 NtCreateEvent d4 o73 s0 s0",
     "0 NtCreateMutant d8 o74 s1", "1 ObOpenObjectByName o74 s0 s0 d12",
     "0 ObReferenceObjectByHandle m8 s0 d16", "0 ObDereferenceObject m16", "0 NtClose m8",
     "1 NtClose m12", "0 NtDuplicateObject m0 d20 s3", "0 NtClose m20",
     "0 NtCreateSemaphore d24 o75 s1 s3", "0 NtReleaseSemaphore m24 s2 d28",
     "0 NtQuerySemaphore m24 d32"},
    {"sections", "0 RtlInitializeCriticalSection o0", "0 RtlEnterCriticalSection o0",
     "1 RtlEnterCriticalSection o0", "2 RtlTryEnterCriticalSection o0", "0 work 40",
     "0 KeDelayExecutionThread s1 s0 o25", "0 RtlLeaveCriticalSection o0",
     "1 RtlLeaveCriticalSection o0", "3 RtlEnterCriticalSection o1", "3 ExTerminateThread s3",
     "2 RtlEnterCriticalSection o1"},
    {"timers", "0 NtCreateTimer d0 s0 s1", "0 NtSetTimerEx m0 o25 c4 s1 s7 s0 s3 d8",
     "0 NtWaitForSingleObjectEx m0 s1 s1 o26", "0 KeDelayExecutionThread s1 s1 o26",
     "0 NtCancelTimer m0 d8", "0 KeInitializeTimerEx o12 s1 s1",
     "0 KeSetTimerEx o12 qFFFFFFFFFFFFD8F0 s2 o107", "0 KeDelayExecutionThread s1 s1 o26",
     "0 KeCancelTimer o12", "4 NtSetEvent m0 s0", "6 KeSetEvent o4 s1 s0",
     "6 KeInsertQueueDpc o108 s1 s2"},
    {"threads", "0 ExCreateThread d0 w4000 d4 s0 c4 s5 s1", "0 NtResumeThread m0 d8",
     "0 NtSuspendThread m0 d8", "0 KeSetAffinityThread k1 s4 d12", "0 NtResumeThread m0 d8",
     "0 KeSetBasePriorityThread k1 s2", "0 NtWaitForSingleObjectEx m0 s1 s0 o26", "4 KeTlsAlloc",
     "4 KeTlsSetValue r7 s9", "4 KeTlsGetValue r7", "4 ExTerminateThread s2", "0 NtClose m0"},
    {"apcs", "0 NtQueueApcThread n1 c4 s1 s2 s3", "0 KeInitializeApc o109 k1 c5 c6 c4 s1 s7",
     "0 KeInsertQueueApc o109 s1 s2 s3", "1 KeDelayExecutionThread s1 s1 o26",
     "0 KeDelayExecutionThread s1 s1 o25", "4 KeSetEvent o4 s1 s0",
     "4 KeDelayExecutionThread s1 s1 o25", "5 work 3", "1 KeAlertThread k0 s1",
     "0 KeRemoveQueueApc o109"},
    {"interrupts", "0 KeInitializeDpc o107 c6 s3", "0 KeInsertQueueDpc o107 s1 s2",
     "0 KfRaiseIrql s2", "0 KfLowerIrql s0", "0 KfAcquireSpinLock o112", "1 KfAcquireSpinLock o112",
     "0 KfReleaseSpinLock o112 s0", "0 VdSetGraphicsInterruptCallback c7 s1", "0 ee 0", "0 work 30",
     "0 ee 1", "0 store s1 e32", "0 KeDelayExecutionThread s1 s0 o26", "7 KeSetEvent o4 s1 s0"},
    {"files", "0 NtCreateFile d0 w80100080 o64 d8 s0 s0 s1 s1 w60",
     "0 NtReadFile m0 s0 s0 s0 d8 d32 s12 s0", "0 NtQueryInformationFile m0 d8 d64 w38 w22",
     "0 NtSetInformationFile m0 d8 o24 s8 s14", "0 NtReadFile m0 s0 c4 s5 d8 d32 w100 o24",
     "0 KeDelayExecutionThread s1 s1 o26", "0 NtOpenFile d4 w100001 o66 d8 w21",
     "0 NtQueryDirectoryFile m4 s0 s0 s0 d8 d128 w200 o50 s0",
     "0 NtQueryVolumeInformationFile m0 d8 d128 w18 s3", "0 NtCancelIoFile m0 d8", "0 NtClose m0"},
    {"writes", "0 NtCreateFile d0 wC0100080 o70 d8 o24 s0 s0 s5 w60",
     "0 NtWriteFile m0 s0 s0 s0 d8 t3 s12 o24", "0 NtFlushBuffersFile m0 d8",
     "0 NtWriteFile m0 s0 s0 s0 d8 d0 w3000 s0", "0 NtSetInformationFile m0 d8 o24 s8 w14",
     "0 NtQueryFullAttributesFile o70 d64", "0 NtCreateIoCompletion d4 s3 s0 s0",
     "0 NtSetIoCompletion m4 s1 s2 s3 s4", "0 NtRemoveIoCompletion m4 d16 d20 d24 o25",
     "0 NtDeleteFile o70", "0 ObCreateSymbolicLink o55 o36", "0 ObDeleteSymbolicLink o55"},
    {"memory", "0 store w30000 d4", "0 NtAllocateVirtualMemory d0 d4 w2000 s4 s0",
     "0 NtAllocateVirtualMemory d0 d4 w1000 s4 s0", "0 store s7 m0",
     "0 NtProtectVirtualMemory d0 d4 s2 d8 s0", "0 NtQueryVirtualMemory m0 d16 s0",
     "0 NtFreeVirtualMemory d0 d4 w8000 s0",
     "0 MmAllocatePhysicalMemoryEx s0 w20000 w20000004 s0 wFFFFFFFF w1000",
     "0 MmQueryAddressProtect r7", "0 MmGetPhysicalAddress r7", "0 MmSetAddressProtect r7 w1000 s2",
     "0 MmFreePhysicalMemory s0 r7", "0 ExAllocatePoolTypeWithTag w40 s5 s0",
     "0 ExQueryPoolBlockSize r12", "0 ExFreePool r12"},
    {"modules", "0 XexLoadImage t4 s8 s0 d0", "0 XexGetProcedureAddress m0 s1 d4", "0 jump m4",
     "0 XexGetModuleHandle t18 d8", "0 XexGetProcedureAddress m8 w5A d12",
     "0 XexPcToFileHeader c0 d16", "0 RtlImageXexHeaderField k6 w20401",
     "0 XexGetModuleSection k5 t0 d20 d24", "0 XexUnloadImage m0", "1 XexLoadImage t3 s8 s0 d28",
     "1 XexUnloadImageAndExitThread m28 s1"},
    {"exceptions", "0 RtlRaiseException o100", "0 load e0", "0 RtlCaptureContext d0",
     "0 word 00000000", "0 word 7FE00008", "0 RtlUnwind s0 c4 s0 s0", "4 RtlRaiseException o101",
     "0 jump c4", "0 store s1 e0", "0 RtlRaiseException o102", "0 RtlRaiseStatus wC0000005"},
    {"text", "0 RtlInitAnsiString d0 t0", "0 RtlAnsiStringToUnicodeString d8 d0 s1",
     "0 RtlFreeUnicodeString d8", "0 sprintf d64 t17 s7 s3 s65 s8", "0 _snprintf d64 s9 t16 s1 s2",
     "0 DbgPrint t17 s1 s2 s3 s4", "0 RtlUnicodeToMultiByteN d64 s9 d8 o92 s6",
     "0 RtlTimeToTimeFields o29 d128", "0 RtlTimeFieldsToTime d128 d160",
     "0 RtlCompareStringN t0 s4 t1 s4 s1"},
    {"users", "0 XamUserGetXUID s0 s1 d0", "0 XamUserGetName s0 d8 s15",
     "0 XamUserReadProfileSettings s0 s0 s0 s0 s1 d0 d4 d64 o96",
     "0 XamShowMessageBoxUI s0 o92 o93 s1 d0 s0 s0 d16 o97", "0 KeDelayExecutionThread s1 s1 o26",
     "0 XamNotifyCreateListener qFFFFFFFF s0", "0 XNotifyGetNext r5 s0 d20 d24",
     "0 XamUserWriteProfileSettings s0 s0 s1 o121 o98",
     "0 XamUserReadProfileSettings s0 s0 s0 s0 s3 o120 o24 d64 s0",
     "0 XamUserReadProfileSettings s0 s0 s0 s0 s3 o120 o111 d64 s0"},
    {"content", "0 XamContentCreate s0 t19 o118 w2 d4 s0 s0",
     "0 NtCreateFile d4 wC0100080 o84 d8 s0 s0 s0 s5 w60",
     "0 XamContentGetCreator s0 o118 d8 d16 o96",
     "0 XamContentCreateEnumerator s0 s1 s1 s0 s4 d12 d16",
     "0 XamEnumerate m16 s0 d128 w400 d20 o97", "0 XamContentSetThumbnail s0 o118 d64 s9 s0",
     "0 XamContentGetThumbnail s0 o118 d64 o0 s0", "0 NtClose m4", "0 XamContentClose t19 s0",
     "0 XamContentDelete s0 o118 s0", "0 XamContentCreate s0 t19 o116 w2 s0 s0 o98",
     "0 XamContentCreateDeviceEnumerator s1 s0 s1 d24 d28"},
    {"tasks", "0 XamTaskSchedule c4 s5 s0 d0", "0 XamTaskGetStatus m0", "4 XamTaskShouldExit",
     "0 XamTaskWaitOnCompletion m0", "0 XamTaskCancel m0", "0 XamTaskCloseHandle m0",
     "0 XMsgStartIORequestEx wFA w7000A o96 d16 s8 s0", "0 XMsgCancelIORequest o96 s1",
     "0 XMsgInProcessCall wFB wB0006 d16 s0"},
    {"sound", "0 XAudioRegisterRenderDriverClient d0 d8", "0 store c4 d0",
     "0 XAudioRegisterRenderDriverClient d0 d8", "0 XAudioSubmitRenderDriverFrame m8 d64",
     "0 KeDelayExecutionThread s1 s1 o26", "4 XAudioSubmitRenderDriverFrame m8 d64",
     "0 XAudioUnregisterRenderDriverClient m8", "0 XMACreateContext d16",
     "0 XMAReleaseContext m16"},
    {"sockets", "0 NetDll_WSAStartup s1 w202 d0", "0 NetDll_XNetStartup s1 s0",
     "0 NetDll_socket s1 s2 s1 s6", "0 NetDll_XNetDnsLookup s1 t9 s0 d4",
     "0 NetDll_XNetDnsRelease s1 m4", "0 NetDll_select s1 s0 d0 d8 d16 o25",
     "0 NetDll_WSACleanup s1"},
    {"win32", "0 CreateFileA t6 wC0000000 s0 s0 s2 s0 s0", "0 WriteFile r0 d0 s99 d8 s0",
     "0 SetFilePointer r0 s3 s0 s0", "0 ReadFile r0 d64 s9 d8 s0", "0 GetFileSize r0 d8",
     "0 CloseHandle r0", "0 FindFirstFileA t5 d128", "0 FindNextFileA r6 d128", "0 NtClose r6",
     "0 GetFileAttributesA t0", "0 DeleteFileA t6", "0 CreateEventA s0 s0 s1 t9",
     "0 WaitForSingleObject r11 s1", "0 Sleep s1", "0 OutputDebugStringA t17"},
    {"renames", "0 NtCreateFile d0 wC0110080 o70 d8 o24 s0 s0 s5 w60", "0 store s0 d256",
     "0 store w0 d260", "0 store s14 d264", "0 load o36",
     "0 NtSetInformationFile m0 d8 d256 s16 s10", "0 NtSetInformationFile m0 d8 o25 s8 s20",
     "0 NtSetInformationFile m0 d8 o25 s8 s14", "0 NtWriteFile m0 s0 s0 s0 d8 d0 w5000 o24",
     "0 NtQueryInformationFile m0 d8 d64 w68 s34", "0 NtSetInformationFile m0 d8 o30 s1 s13",
     "0 NtClose m0", "0 NtOpenFile d0 w100001 o41 d8 w21"},
    {"scribbles", "0 store e0 k0", "0 store w0 k4", "0 NtCreateEvent d0 s0 s1 s0",
     "0 ObReferenceObjectByHandle m0 s0 d4", "0 store w5000000 m4", "0 NtSetEvent m0 s0",
     "0 NtWaitForSingleObjectEx m0 s1 s0 o25", "0 store e12 e56", "0 load e0", "0 store e0 k5",
     "0 XexGetModuleHandle s0 d8", "1 KeWaitForSingleObject m4 s3 s1 s0 o26", "0 NtClose m0",
     "0 ObDereferenceObject m4"},
    {"many", "0 ExCreateThread d0 s0 s0 s0 c4 s0 s0", "0 again 200", "4 NtCreateEvent d8 s0 s1 s0",
     "4 again 250", "1 ExAllocatePool w100000", "1 again 255", "2 NtQueueApcThread n1 c5 s0 s0 s0",
     "2 again 255"},
};

typedef struct seed {
    uint8_t bytes[4096];
    size_t size;
} seed;

static void fatal(const char *what, const char *where)
{
    fprintf(stderr, "fuzz-seeds-kernel: %s: %s\n", what, where);
    exit(1);
}

static void add(seed *s, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes && s->size < sizeof s->bytes; i++) {
        s->bytes[s->size++] = (uint8_t)(value >> 8 * i);
    }
}

static void add_argument(seed *s, const char *text)
{
    static const struct {
        char letter;
        uint8_t kind, bytes;
        int base;
    } letters[] = {
        {'s', ARG_SHORT, 2, 10},  {'e', ARG_EDGE, 1, 10},   {'w', ARG_WORD, 4, 16},
        {'o', ARG_OBJECT, 1, 10}, {'d', ARG_DATA, 2, 10},   {'r', ARG_RESULT, 1, 10},
        {'m', ARG_READ, 2, 10},   {'t', ARG_TEXT, 1, 10},   {'q', ARG_QUAD, 8, 16},
        {'c', ARG_CODE, 0, 10},   {'k', ARG_KERNEL, 1, 10}, {'n', ARG_NEGATIVE, 0, 10},
    };
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (letters[i].letter == text[0]) {
            uint64_t value = strtoull(text + 1, NULL, letters[i].base);
            bool in_head = !letters[i].bytes || text[0] == 'k';
            add(s, letters[i].kind | (in_head ? value << 4 : 0), 1);
            add(s, text[0] == 'k' ? 0 : value, letters[i].bytes);
            return;
        }
    }
    fatal("no such argument", text);
}

static void add_operation(seed *s, const char *line)
{
    static const struct {
        const char *name;
        uint8_t kind, bytes;
    } others[] = {
        {"store", OP_STORE, 0}, {"work", OP_WORK, 1}, {"yield", OP_YIELD, 0},
        {"ee", OP_EE, 1},       {"word", OP_WORD, 4}, {"again", OP_AGAIN, 1},
        {"load", OP_LOAD, 0},   {"jump", OP_JUMP, 0},
    };
    char copy[256], *rest;
    snprintf(copy, sizeof copy, "%s", line);
    uint32_t program = (uint32_t)strtoul(strtok_r(copy, " ", &rest), NULL, 10), rows;
    const char *name = strtok_r(NULL, " ", &rest), *argument;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(others[i].name, name) == 0) {
            add(s, others[i].kind << 3 | program, 1);
            if (others[i].bytes) {
                argument = strtok_r(NULL, " ", &rest);
                add(s, strtoull(argument, NULL, others[i].bytes == 4 ? 16 : 10), others[i].bytes);
            }
            while ((argument = strtok_r(NULL, " ", &rest)) != NULL) {
                add_argument(s, argument);
            }
            return;
        }
    }
    const kexport *all = kexport_rows(&rows), *row = NULL;
    for (uint32_t module = 0; module <= KMODULE_XBDM && !row; module++) {
        row = kexport_named(module, name);
    }
    if (!row) {
        fatal("no such export", line);
    }
    add(s, program, 1);
    add(s, (uint64_t)(row - all), 2);
    while ((argument = strtok_r(NULL, " ", &rest)) != NULL) {
        add_argument(s, argument);
    }
}

static void write_file(const char *folder, const char *name, const seed *s)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/seed.%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(s->bytes, 1, s->size, file) != s->size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* Eight exports each, one after the other, with pointers to memory and small numbers. */
static void write_all_exports(const char *folder)
{
    uint32_t rows;
    const kexport *all = kexport_rows(&rows);
    for (uint32_t i = 0; i < rows; i += 8) {
        seed s = {{3}, 1};
        char name[32];
        for (uint32_t j = i; j < i + 8 && j < rows; j++) {
            const char *c = all[j].fn ? strchr(all[j].signature, '(') : NULL;
            if (!c) {
                continue;
            }
            add(&s, 0, 1);
            add(&s, j, 2);
            for (uint32_t n = 0; *c; c++) {
                if (*c == ':') {
                    char text[16];
                    snprintf(text, sizeof text, c[1] == 'p' ? "d%u" : "s%u",
                             c[1] == 'p' ? 256 * n : n);
                    add_argument(&s, text);
                    n++;
                }
            }
        }
        snprintf(name, sizeof name, "all.%03u", i / 8);
        write_file(folder, name, &s);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: fuzz-seeds-kernel DIR\n", stderr);
        return 2;
    }
    /* for long, heard; with a policy as well; and twice, watched too */
    static const uint8_t firsts[] = {0x07, 0x0F, 0xFF};
    for (size_t i = 0; i < 3 * (sizeof seeds / sizeof seeds[0]); i++) {
        const char *const *lines = seeds[i / 3];
        seed s = {{firsts[i % 3]}, 1};
        char name[64];
        for (size_t j = 1; j < sizeof seeds[0] / sizeof seeds[0][0] && lines[j]; j++) {
            add_operation(&s, lines[j]);
        }
        snprintf(name, sizeof name, "%s.%02x", lines[0], firsts[i % 3]);
        write_file(argv[1], name, &s);
    }
    write_all_exports(argv[1]);
    return 0;
}
