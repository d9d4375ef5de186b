/* What the DLLs of this folder export, and why their entries are called. */
#ifndef MODULES_DLL_H
#define MODULES_DLL_H

#include "weft_guest.h"

#define DLL_DETACH 0u /* DLL_PROCESS_DETACH and _ATTACH (winnt.h) */
#define DLL_ATTACH 1u

/* The kernel calls it with the module's handle; false refuses to attach. */
u32 dll_main(void *module, u32 reason, void *reserved);

/* worker.xex: 1, 2, 3 */
u32 worker_sum(u32 n);                /* 1 + 2 + ... + n */
u32 worker_count(void);               /* adds one to the total and returns it */
extern u32 *const __imp_worker_total; /* 1000 when the module has attached */

/* extra.xex: 1; imports worker and mate */
u32 extra_value(u32 n); /* worker_sum(n) * mate_factor() */

/* mate.xex: 5 */
u32 mate_factor(void); /* 3 */

/* twin.xex: 1 */
u32 twin_value(u32 n); /* n * n */

#endif
