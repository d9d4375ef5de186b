/* oracle.h: cases for the processor, and two machines that run them: a PowerPC 970 of qemu on bare
 * metal (guest.S), and the plugin. A case is up to seven instruction words with the whole state
 * before them; running it replaces the state by the one after, and says which exception ended it.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "machine.h"
#include "ppc.h"

#define ORACLE_WORDS 8
/* Memory that both machines have; the same addresses, the same bytes before a batch. */
#define ORACLE_CODE    UINT32_C(0x82000000) /* 64 KiB; case i at ORACLE_SLOT(i) */
#define ORACLE_DATA    UINT32_C(0x10001000) /* ORACLE_WINDOW bytes for each case */
#define ORACLE_WINDOW  UINT32_C(512)
#define ORACLE_LOW     UINT32_C(0x7000)     /* 4 KiB for RA=0 and absolute branches */
#define ORACLE_ZERO    UINT32_C(0x00A00000) /* 64 KiB of zero words, as branch targets */
#define ORACLE_BATCH   8192u
#define ORACLE_SLOT(i) (ORACLE_CODE + 0x8000 + ((i)&63) * 128)

/* MSR of a case: FP and VEC enabled, ME and RI set. */
#define ORACLE_MSR UINT64_C(0x2003002)
#define ORACLE_FE  UINT64_C(0x900)

/* In the host's byte order, but v and vscr in the guest's. guest.S knows the offsets. */
typedef struct oracle_case {
    uint64_t slot, msr;
    uint32_t words[ORACLE_WORDS]; /* the rest is filled with sc */
    uint64_t cr, xer, lr, ctr, fpscr, vrsave;
    uint8_t vscr[16];
    uint64_t cause, srr0, srr1, dar, dsisr, pad; /* after: see oracle_exit */
    uint64_t r[32];
    uint64_t f[32];
    uint8_t v[32][16];
    uint64_t rest[12];
} oracle_case;

_Static_assert(sizeof(oracle_case) == 1280, "guest.S: SIZE");
_Static_assert(offsetof(oracle_case, cr) == 48, "guest.S: CR");
_Static_assert(offsetof(oracle_case, v) == 672, "guest.S: VR");

/* WEFT_CPU_* that the interrupt means (SYSCALL: it ran to the end), or UINT32_MAX. */
uint32_t oracle_exit(const oracle_case *c);
/* Guest address of the instruction that was interrupted. */
uint32_t oracle_pc(const oracle_case *c);

/* qemu.c. NULL when qemu-system-ppc64 is missing or does not start; `binary` is guest.S assembled,
 * `ram` a file to make for the guest's memory, which is unlinked at once. */
typedef struct oracle oracle;
oracle *oracle_open(const char *binary, const char *ram);
void oracle_close(oracle *o);
uint8_t *oracle_at(oracle *o, uint32_t address);
/* 0, or -1 when qemu does not finish. */
int oracle_run(oracle *o, oracle_case *cases, uint32_t count);

/* plugin.c: the same on a machine of machine.h. */
void oracle_prepare(machine *m); /* gives it the memory above */
void oracle_run_here(machine *m, oracle_case *c);

/* compare.c */
/* Bits to compare. */
typedef struct oracle_mask {
    uint64_t r, f; /* of the target register */
    uint64_t cr, xer, fpscr, vscr;
} oracle_mask;
oracle_mask oracle_mask_of(const ppc_row *row, const oracle_case *in, const oracle_case *here);
/* The first difference as a sentence in `text`, or NULL. */
const char *oracle_difference(const ppc_row *row, const oracle_case *in, const oracle_case *here,
                              const oracle_case *there, char *text, size_t capacity);

/* generate.c: random instructions and states with edge values, seeded. */
typedef struct generator {
    uint64_t random;
    uint32_t sf; /* MSR[SF] of the cases */
} generator;
uint64_t generate_next(generator *g);
uint64_t generate_integer(generator *g);
uint64_t generate_double(generator *g);
uint32_t generate_single(generator *g);
/* Case number `index` of a batch, for this row. 0 when the row has no random form: privileged
 * registers, time base. */
int generate_case(generator *g, const ppc_row *row, uint32_t index, oracle_case *c);
/* A vector file for VMX128: 128 registers of floats or integers. */
void generate_vector(generator *g, int floats, uint8_t *v);

#endif
