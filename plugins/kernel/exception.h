/* Guest exceptions: raising, searching frames for a handler, unwinding to it (exception.c); the
 * structures that handlers see (context.c). */
#ifndef WEFT_KERNEL_EXCEPTION_H
#define WEFT_KERNEL_EXCEPTION_H

#include "kernel.h"

/* CONTEXT, the console's: offsets of its parts (the debugger's public XCONTEXT lists the fields in
 * order). The vectors are in guest byte order; Vscr and Fpscr keep their word in the last four
 * bytes. */
#define KCONTEXT_SIZE           UINT32_C(0xA40)
#define KCONTEXT_FLAGS          0x000 /* u32 */
#define KCONTEXT_MSR            0x004 /* u32 Msr, Iar, Lr; u64 Ctr: CONTROL */
#define KCONTEXT_IAR            0x008
#define KCONTEXT_LR             0x00C
#define KCONTEXT_CTR            0x010
#define KCONTEXT_GPR            0x018 /* u64[32], u32 Cr, Xer: INTEGER */
#define KCONTEXT_CR             0x118
#define KCONTEXT_XER            0x11C
#define KCONTEXT_FPSCR          0x120 /* f64 Fpscr, Fpr[32]: FLOATING_POINT */
#define KCONTEXT_FPR            0x128
#define KCONTEXT_VSCR           0x230 /* 128 bits each Vscr, Vr[128]: VECTOR */
#define KCONTEXT_VR             0x240
#define KCONTEXT_CONTROL        UINT32_C(0x01)
#define KCONTEXT_FLOATING_POINT UINT32_C(0x02)
#define KCONTEXT_INTEGER        UINT32_C(0x04)
#define KCONTEXT_VECTOR         UINT32_C(0x10)
#define KCONTEXT_FULL           UINT32_C(0x17)

/* Writes a CONTEXT of all parts at `address`; false: not writable. */
bool kcontext_write(kernel *k, uint32_t address, const weft_cpu_state *state);
/* Takes over the parts that its flags name, but msr; false: not readable. */
bool kcontext_read(kernel *k, uint32_t address, weft_cpu_state *state);

/* The CPU stopped with `reason` (WEFT_CPU_TRAP...WEFT_CPU_FP) in the running thread: goes on in a
 * handler of the title's, or ends the run with `cause`. */
void kexception_cpu(kernel *k, kthread *thread, uint32_t reason, const char *cause);
/* An export was given a bad pointer: likewise, with the thread at its thunk. K_FRAME or K_GONE. */
uint32_t kexception_call(kcall *call);
/* Frees what the thread's exceptions hold. */
void kexception_free(kthread *thread);

#endif
