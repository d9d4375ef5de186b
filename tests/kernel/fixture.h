/* A kernel with memory, files and one thread on a fake host, for tests that call exports directly.
 */
#ifndef WEFT_TEST_FIXTURE_H
#define WEFT_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include "kernel.h"
#include "mm.h"
#include "vfs.h"

#define SCRATCH_BYTES UINT32_C(0x100000)

typedef struct fixture {
    fake_host *fake;
    kernel *k;
    kthread *thread;
    kcall call;
    uint32_t scratch; /* SCRATCH_BYTES of zeroed guest memory */
    uint32_t result;  /* K_* of the last call */
} fixture;

fixture *fixture_open(void);
void fixture_close(fixture *f);

/* Calls an export with `count` arguments: eight in registers, the rest on the stack. Answers r3. */
uint64_t invoke(fixture *f, kexport_fn fn, unsigned count, ...);

/* Lets guest time pass: what is due happens, as between two slices. */
void pass(fixture *f, uint64_t ticks);
/* Runs the thread's continuation if its wait is over; r3 and f->result are then final. */
bool resume(fixture *f);

/* Guest memory, unchecked. */
uint8_t *at(const fixture *f, uint32_t address);
uint32_t word(const fixture *f, uint32_t address);
uint64_t quad(const fixture *f, uint32_t address);
void set_word(fixture *f, uint32_t address, uint32_t value);
void set_quad(fixture *f, uint32_t address, uint64_t value);
/* Copies NUL-ended text; answers the address. */
uint32_t set_text(fixture *f, uint32_t address, const char *text);
/* Writes big-endian UTF-16 of ASCII text with its NUL. */
uint32_t set_wide(fixture *f, uint32_t address, const char *text);

/* Makes a temporary folder; the answer is freed by folder_remove, with all that lies in it. */
char *folder_make(void);
void folder_file(const char *folder, const char *name, const void *bytes, size_t length);
void folder_remove(char *folder);

#endif
