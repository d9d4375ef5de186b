/* I/O completion ports: packets that threads take in the order in which they came. */
#ifndef WEFT_KERNEL_IO_COMPLETION_H
#define WEFT_KERNEL_IO_COMPLETION_H

#include "kernel.h"

/* Queues a packet at a port and lets the first thread that waits for one go. False: out of memory. */
bool kcompletion_post(kernel *k, kobject *port, uint32_t key, uint32_t context, kstatus status,
                      uint32_t information);

#endif
