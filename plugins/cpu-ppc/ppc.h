/* The engine's own view of a processor: its state, decoded instructions, and the calling shape of
 * the handlers that execute them.
 *
 * A guest page of code is an array of 1024 `op` records, one per word, decoded when it is first
 * executed. An op names the handler that executes it and its operands. A handler ends by jumping to
 * the next op's handler (threaded code), with everything hot in registers: the core, the op, how
 * many instructions may still retire, and the two memory bases. pc and `retired` are functions of
 * (op, left), so they cost nothing until somebody asks. */
#ifndef PPC_H
#define PPC_H

#include <pthread.h>

#include "weft/cpu.h"
#include "weft/host.h"
#include "weft/memory.h"

typedef struct code_cache code_cache;
typedef struct core core;
typedef struct op op;
typedef struct engine engine;

/* Where execution goes on: with `op`, `left` instructions before the limit. op NULL: leave. */
typedef struct step {
    const op *op;
    uint64_t left;
} step;

#define PPC_ARGS core *c, const op *o, uint64_t left, uint8_t *base, const uint8_t *access
typedef step ppc_handler(PPC_ARGS);

/* One decoded instruction. Register numbers of general registers are one higher than in the word:
 * register 0 of the file is the constant zero that RA=0 means in addresses. */
struct op {
    ppc_handler *run;
    uint8_t d, a, b, c; /* by form, see decode.c */
    uint32_t imm;       /* immediate, branch distance in ops, mask, or the whole word: by form */
};

#define PPC_PAGE_OPS 1024u
#define PPC_FUSED    3u /* instructions that one op executes, at most */

typedef struct code_page {
    op ops[PPC_PAGE_OPS + 1]; /* the last one leads to the next page */
    uint32_t number;          /* guest address >> 12 */
    uint32_t watched;         /* the memory service tells us of stores to it */
    struct code_page *next;   /* of its cache */
    op plain[];               /* interp-blocks: as many ops again, one instruction each (fuse.c) */
} code_page;

#define PPC_POSTS 64 /* pages that a cache has been told of; more: all */

/* Decoded code: one in lockstep, one a hardware thread in parallel mode (code.c). */
struct code_cache {
    code_page *pages[WEFT_PAGE_COUNT]; /* by page number */
    code_page *first;
    uint32_t count;
    uint32_t posted; /* atomic: there are posts */
    core *last;      /* the state that ran last; in parallel mode only compared */
    /* under the lock: pages whose bytes another host thread has changed */
    pthread_mutex_t lock;
    uint32_t post_count, post_all;
    uint32_t posts[PPC_POSTS];
    /* parallel mode: conditional stores; those without a reservation or after another one to their
     * granule; those that found another value */
    uint64_t conditionals, lost, changed;
};

/* A vector register as the engine holds it: byte 0 of the guest is b[15], so that words, halfwords
 * and the whole register are in the host's order. Element i of n is at index n-1-i. */
typedef union vec {
    uint8_t b[16];
    int8_t sb[16];
    uint16_t h[8];
    int16_t sh[8];
    uint32_t w[4];
    int32_t sw[4];
    uint64_t d[2];
    float f[4];
} vec;

/* MSR bits that handlers look at; the others: weft/cpu.h. */
#define MSR_PR UINT64_C(0x4000)
#define MSR_HV (UINT64_C(1) << 60)

/* Special registers, by row of spr.def. */
enum {
#define SPR(number, name, access, kind) SPR_ROW_##name,
#include "spr.def"
#undef SPR
    PPC_SPRS
};

/* XER, CR and vectors live here while running, and in the state's tail after flush. */
struct core {
    uint64_t zero; /* general register number 0 of an op, see struct op */
    weft_cpu_state s;
    vec v[128];
    uint8_t cr[32];      /* one byte a bit, cr[0] is LT of CR0 */
    uint8_t so, ov, ca;  /* XER bits, 0 or 1 */
    uint8_t xer_count;   /* XER byte count, 7 bits */
    uint32_t mode_shift; /* 32 with MSR[SF]=0, else 0: moves the sign of a result to bit 0 */
    const op *ops;       /* ops of the page that runs */
    uint64_t until;      /* `retired` when left reaches 0 */
    uint32_t page_pc;    /* guest address of ops[0] */
    uint32_t exit;       /* WEFT_CPU_* or PPC_GO_ON: why the threaded code was left */
    code_page **pages;   /* of the cache */
    code_cache *cache;   /* of the hardware thread; valid in run */
    engine *engine;
    uint32_t reserve_address; /* of the reservation, valid while s.reservation */
    uint32_t reserve_length;  /* 4 or 8 */
    uint64_t reserve_value;   /* what was loaded, in the host's order */
    uint64_t reserve_granule; /* parallel mode: the granule's counter then */
    uint32_t reserve_version; /* of its page, then */
    uint64_t spr[PPC_SPRS];   /* special registers that only hold a value, by row of spr.def */
};

#define PPC_GO_ON UINT32_MAX /* run looks at limit and pending, and continues at s.pc */

/* Room for pages (aliases of one) whose watch an own store used up. */
#define PPC_REWATCH 16

/* Reservations are on blocks of this many bytes, the cache line, which is also icbi's. Parallel mode
 * counts stwcx. in them by hash. */
#define PPC_GRANULE      UINT32_C(128)
#define PPC_GRANULES_LOG 12

struct engine {
    const weft_host *host;
    weft_memory *memory;
    const weft_cpu_host *calls;
    const weft_host_locks *locks;      /* NULL in lockstep, which takes none */
    uint16_t *lookup;                  /* row + 1 by primary opcode and the word's low 11 bits */
    code_cache *caches[WEFT_HW_COUNT]; /* lockstep: [0] */
    uint64_t granules[1 << PPC_GRANULES_LOG];
    uint32_t parallel; /* `run` is in several states at once */
    uint32_t rewatch[PPC_REWATCH];
    uint32_t rewatch_count;
    uint32_t storing; /* the write that listeners hear of is our own */
    uint32_t blocks;  /* interp-blocks, else interp-plain */
    uint32_t fma;     /* the host multiplies and adds in one instruction */
};

/* Rows of the instruction table. */
typedef enum ppc_form {
#define FORM(name, text) FORM_##name,
#include "forms.def"
#undef FORM
    FORM_COUNT
} ppc_form;

#define PPC_VARIANT_RC 1u  /* bit 31 selects run[.. | 1] */
#define PPC_VARIANT_OE 2u  /* bit 21 selects run[.. | 2] */
#define PPC_VARIANT_VC 4u  /* as RC, but bit 21: VMX compares */
#define PPC_VARIANT_VR 8u  /* as RC, but bit 25: VMX128 compares */
#define PPC_HINT       16u /* disassembled without operands */

typedef struct ppc_row {
    const char *name; /* mnemonic without dot and o */
    uint32_t mask, value;
    uint8_t form;
    uint8_t variants;
    ppc_handler *run[4];
} ppc_row;

#define ROW(name, value, mask, form, handler)  ppc_handler handler;
#define ROWR(name, value, mask, form, handler) ppc_handler handler, handler##_rc;
#define ROWV(name, value, mask, form, handler) ppc_handler handler, handler##_rc;
#define ROWW(name, value, mask, form, handler) ppc_handler handler, handler##_rc;
#define ROWO(name, value, mask, form, handler)                                                     \
    ppc_handler handler, handler##_rc, handler##_oe, handler##_oe_rc;
#include "table.def"
#undef ROW
#undef ROWR
#undef ROWV
#undef ROWW
#undef ROWO

/* Handlers that a word's operands select; no rows of their own. */
ppc_handler op_rlwinm_wrap, op_rlwinm_wrap_rc, op_li, op_mr, op_mr_rc, op_yield, op_nop;
ppc_handler op_b_near, op_bl_near, op_bt_near, op_bf_near, op_bdnz_near, op_blr, op_bctr, op_bctrl;
ppc_handler op_mflr, op_mtlr, op_mfctr, op_mtctr;

/* decode.c */
const ppc_row *ppc_rows(uint32_t *count);
uint16_t *ppc_lookup_make(void);
const ppc_row *ppc_row_find(const uint16_t *lookup, uint32_t word);
void ppc_decode(const uint16_t *lookup, uint32_t address, uint32_t word, op *out);

/* fuse.c: interp-blocks */
void ppc_fuse(const engine *e, code_page *page, uint32_t index);
step ppc_single(PPC_ARGS);

/* fused_*.c: the handler of two or three instructions of these kinds, or NULL */
ppc_handler *ppc_fused_pair(unsigned first, unsigned second);
ppc_handler *ppc_fused_triple(unsigned first, unsigned second, unsigned third);
ppc_handler *ppc_fused_compare(unsigned before, unsigned compare, unsigned relation, int sense);

/* fast_fp.c, fast_vmx.c: a faster handler of the same results, or NULL */
ppc_handler *ppc_fast_fp(ppc_handler *plain);
ppc_handler *ppc_fast_vmx(ppc_handler *plain);

/* code.c */
ppc_handler op_undecoded, op_page_end;
code_cache *ppc_cache_make(void);
void ppc_cache_free(code_cache *k);
code_page *ppc_page_make(engine *e, code_cache *k, uint32_t number);
void ppc_decode_plain(const engine *e, const code_page *page, uint32_t index, op *out);
void ppc_posts_take(const engine *e, code_cache *k);
void ppc_on_written(void *context, uint32_t start, uint32_t length); /* the memory listener */
void ppc_written(core *c, uint32_t start, uint32_t length);          /* after an own store */

/* disasm.c */
void ppc_disassemble(const uint16_t *lookup, uint32_t address, uint32_t word, char *text,
                     uint32_t capacity);

/* engine.c */
extern const weft_cpu_ops ppc_ops;
weft_status ppc_create(const weft_host *host, void **instance);
void ppc_destroy(void *instance);
ppc_handler op_illegal;
step ppc_leave_chunk(PPC_ARGS);
step ppc_leave(core *c, const op *o, uint64_t left, uint32_t exit);
step ppc_leave_fault(core *c, const op *o, uint64_t left, uint32_t address, uint32_t flags);
step ppc_leave_to(core *c, uint32_t pc, uint64_t left);
void ppc_mode_update(core *c);
uint32_t ppc_cr_pack(const core *c);
void ppc_cr_unpack(core *c, uint32_t value);
uint32_t ppc_xer_pack(const core *c);
void ppc_xer_unpack(core *c, uint32_t value);

#endif
