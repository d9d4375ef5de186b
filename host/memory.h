/* memory.h: the one implementation of weft_memory. */
#ifndef WEFT_HOST_MEMORY_H
#define WEFT_HOST_MEMORY_H

#include "weft/memory.h"

/* Reserves the address space. NULL when the host has none left (errno set). */
weft_memory *memory_create(void);
/* Lockstep: `written` and `watch` are called by one host thread at a time from here on. */
void memory_single(weft_memory *memory);
void memory_destroy(weft_memory *memory);

#endif
