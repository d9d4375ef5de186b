/* Guest memory that was given out, by address: for memory.alloc and memory.free, and for the names
 * of places. An allocation is (who asks, the call's return address, how many were made there
 * before); the sites count objects by the same rule. */
#ifndef WEFT_KERNEL_ALLOCATION_H
#define WEFT_KERNEL_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kernel kernel;
typedef struct kthread kthread;

/* How many a thread has made at one call site: an open-addressed table. */
typedef struct ksite {
    uint64_t thread;
    uint32_t site, count;
} ksite;
typedef struct ksites {
    ksite *slots;
    uint32_t count, capacity;
} ksites;

/* How many were made there before this one, which now counts too. */
uint32_t ksite_next(ksites *sites, uint64_t thread, uint32_t site);
void ksites_free(ksites *sites);

/* What an allocation is for. */
enum {
    KALLOCATION_POOL,
    KALLOCATION_VIRTUAL,
    KALLOCATION_PHYSICAL,
    KALLOCATION_STACK,
    KALLOCATION_TLS,
    KALLOCATION_THREAD, /* a KTHREAD */
    KALLOCATION_OBJECT, /* the body of another object */
    KALLOCATION_IMAGE,
    KALLOCATION_MODULE,   /* a loader entry, its names, its header */
    KALLOCATION_VARIABLE, /* what a variable export leads to */
    KALLOCATION_SYSTEM,   /* thunks, KPCRs, the audio worker and other things of the kernel's */
    KALLOCATION_COUNT,
};

typedef struct kallocation {
    uint64_t id; /* identity */
    uint32_t address, size;
    uint32_t site, nth;
    const kthread *owner; /* NULL: the kernel. Threads live as long as the kernel */
    uint32_t what;
} kallocation;

/* Sorted by address. */
typedef struct kallocations {
    kallocation *rows;
    uint32_t count, capacity;
    ksites sites;
} kallocations;

/* Memory was given out on behalf of a thread (NULL: the kernel's own doing), which was called from
 * `site`. False: out of memory, and the run ends. */
bool kallocation_add(kernel *k, const kthread *owner, uint32_t site, uint32_t address,
                     uint32_t size, uint32_t what);
/* It was taken back, by whoever acts now. An address that is not known is none of the title's. */
void kallocation_remove(kernel *k, uint32_t address);
/* The allocation at, or around, an address; NULL: none. Valid until the next change. */
const kallocation *kallocation_at(const kernel *k, uint32_t address);
const kallocation *kallocation_around(const kernel *k, uint32_t address);
/* "alloc:main/820012f4/0", or "heap:..." where the title divides the memory itself. */
void kallocation_name(const kallocation *allocation, char *text, size_t capacity);
/* Forgets them all, without a word: the kernel ends. */
void kallocations_free(kernel *k);

#endif
