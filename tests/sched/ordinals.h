/* xboxkrnl ordinals that the scripts call (shared reference: xenia xboxkrnl_table.inc). */
#ifndef WEFT_TEST_ORDINALS_H
#define WEFT_TEST_ORDINALS_H

#define ExCreateThread                     0x00D
#define ExRegisterThreadNotification       0x014
#define ExTerminateThread                  0x019
#define KeAcquireSpinLockAtRaisedIrql      0x04D
#define KeCancelTimer                      0x054
#define KeDelayExecutionThread             0x05A
#define KeEnterCriticalRegion              0x05F
#define KeInitializeApc                    0x06D
#define KeInitializeDpc                    0x06F
#define KeInitializeEvent                  0x070
#define KeInitializeMutant                 0x072
#define KeInitializeSemaphore              0x074
#define KeInitializeTimerEx                0x075
#define KeInsertQueueApc                   0x07A
#define KeInsertQueueDpc                   0x07B
#define KeLeaveCriticalRegion              0x07D
#define KePulseEvent                       0x07F
#define KeQueryBasePriorityThread          0x081
#define KeQueryInterruptTime               0x082
#define KeQuerySystemTime                  0x084
#define KeRaiseIrqlToDpcLevel              0x085
#define KeReleaseMutant                    0x087
#define KeReleaseSemaphore                 0x088
#define KeReleaseSpinLockFromRaisedIrql    0x089
#define KeRemoveQueueDpc                   0x08E
#define KeResetEvent                       0x08F
#define KeResumeThread                     0x092
#define KeSetAffinityThread                0x097
#define KeSetBasePriorityThread            0x099
#define KeSetEvent                         0x09D
#define KeSetTimer                         0x0A6
#define KeSetTimerEx                       0x0A7
#define KeSuspendThread                    0x0A9
#define KeTryToAcquireSpinLockAtRaisedIrql 0x0AE
#define KeWaitForMultipleObjects           0x0AF
#define KeWaitForSingleObject              0x0B0
#define KfAcquireSpinLock                  0x0B1
#define KfRaiseIrql                        0x0B2
#define KfLowerIrql                        0x0B3
#define KfReleaseSpinLock                  0x0B4
#define NtAllocateVirtualMemory            0x0CC
#define NtCancelTimer                      0x0CD
#define NtClearEvent                       0x0CE
#define NtClose                            0x0CF
#define NtCreateEvent                      0x0D1
#define NtCreateMutant                     0x0D4
#define NtCreateSemaphore                  0x0D5
#define NtCreateTimer                      0x0D7
#define NtDuplicateObject                  0x0DA
#define NtFreeVirtualMemory                0x0DC
#define NtPulseEvent                       0x0E2
#define NtQueueApcThread                   0x0E3
#define NtReleaseMutant                    0x0F2
#define NtReleaseSemaphore                 0x0F3
#define NtResumeThread                     0x0F5
#define NtSetEvent                         0x0F6
#define NtSetTimerEx                       0x0FA
#define NtSignalAndWaitForSingleObjectEx   0x0FB
#define NtSuspendThread                    0x0FC
#define NtWaitForSingleObjectEx            0x0FD
#define NtWaitForMultipleObjectsEx         0x0FE
#define NtYieldExecution                   0x101
#define ObDereferenceObject                0x105
#define ObLookupThreadByThreadId           0x10B
#define ObOpenObjectByPointer              0x10E
#define ObReferenceObjectByHandle          0x110
#define RtlEnterCriticalSection            0x125
#define RtlInitializeCriticalSection       0x12E
#define RtlLeaveCriticalSection            0x130
#define RtlTryEnterCriticalSection         0x141
#define KeTlsAlloc                         0x152
#define KeTlsFree                          0x153
#define KeTlsGetValue                      0x154
#define KeTlsSetValue                      0x155
#define VdSetGraphicsInterruptCallback     0x1D5
#define KeRemoveQueueApc                   0x2F0

/* Threads start on the hardware thread of this bit (flags of ExCreateThread). */
#define ON(hw)         (UINT32_C(1) << (24 + (hw)))
#define SUSPENDED      1u
#define MS             1000000                             /* ticks */
#define RELATIVE_MS(n) ((uint64_t)0 - (uint64_t)(n)*10000) /* 100 ns units, NT's form */

#endif
