/* The command processor: reads PM4 packets from the primary ring and from indirect buffers, and
 * changes registers and guest memory.
 *
 * Time: the clock fires xenos_cp_run, which executes packets and says when it wants to run next. A
 * packet costs `packet` ticks plus `dword` per dword. Packets that only set registers run together,
 * until they have cost `batch` ticks; a packet with an effect that the guest can see without asking
 * the GPU (memory, interrupt, swap, wait) only runs at the very tick to which all before it add up,
 * and nothing runs after it in the same firing. The read pointer becomes visible when the time of
 * the packets is over. Work per firing is bounded by `batch` and one packet. */
#ifndef XENOS_CP_H
#define XENOS_CP_H

#include <stdint.h>

#include "drawing.h"
#include "gamma.h"
#include "registers.h"
#include "weft/host.h"

#define XENOS_IB_DEPTH      8u /* indirect buffers inside each other; the hardware has 2 levels */
#define XENOS_SHADER_DWORDS 0x10000u
#define XENOS_PHYSICAL_MASK 0x1FFFFFFFu /* 512 MiB, as xenia xenos.h CpuToGpu */
#define XENOS_RBBM_IDLE     0x00040010u /* bit 18 is set on an idle chip (libxenon xe.c) */
#define XENOS_RBBM_ACTIVE   0x80000000u /* GUI_ACTIVE */
#define XENOS_COHER_PENDING 0x80000000u

/* Ticks, all at least 1; and whether swaps wait. */
typedef struct xenos_costs {
    uint64_t packet;
    uint64_t dword;
    uint64_t draw;   /* a draw packet, besides its dwords */
    uint64_t vertex; /* each index of a draw */
    uint64_t poll;   /* from one look at a condition to the next */
    uint64_t batch;
    uint32_t vsync; /* 1: at most one swap from a vertical blank to the next */
} xenos_costs;

/* A buffer of packets that is read from start to end. */
typedef struct xenos_ib {
    uint32_t base; /* physical address */
    uint32_t next; /* dwords read */
    uint32_t size; /* dwords */
} xenos_ib;

/* Microcode in the sequencer: 0 vertex, 1 pixel. */
typedef struct xenos_shader {
    uint32_t start;
    uint32_t size; /* dwords */
    uint32_t code[XENOS_SHADER_DWORDS];
} xenos_shader;

typedef struct xenos_cp {
    const weft_host *host;
    uint64_t identity; /* of the pseudo-thread source:gpu; 0 until there is a guest */
    weft_gpu_host calls;
    xenos_costs costs;

    uint64_t tick;  /* of the firing in progress */
    uint64_t at;    /* when the packet in hand is due: `tick` and what those before it cost */
    uint64_t ran;   /* of the latest firing: nothing starts before it */
    uint64_t armed; /* tick of the next firing, or WEFT_TICK_NEVER */

    uint32_t ring_base;   /* physical */
    uint32_t ring_dwords; /* a power of two; 0: no ring */
    uint32_t read;        /* dwords, as far as executed */
    uint32_t write;
    uint32_t shown;    /* the read pointer that the guest sees */
    uint32_t mirror;   /* physical address of the read pointer's mirror, 0: none */
    uint32_t block;    /* dwords between updates of the mirror */
    uint32_t mirrored; /* the value there */

    xenos_ib stack[XENOS_IB_DEPTH];
    uint32_t depth;
    xenos_ib call; /* set by INDIRECT_BUFFER, pushed behind the packet; size 0: none */

    uint64_t bin_mask, bin_select;
    uint32_t bin_base;     /* SET_BIN_BASE_OFFSET */
    uint32_t shader_bases; /* SET_SHADER_BASES */
    uint32_t skip;         /* dwords that COND_EXEC leaves out */
    xenos_counts counted;  /* by the back-end when RB_SAMPLE_COUNT_CTL last reset the counters */
    xenos_counts query;    /* at the start of the visibility query */
    uint64_t counter;      /* vertical blanks and swaps, for EVENT_WRITE_SHD */
    uint64_t extra;        /* ticks that the packet costs besides its dwords */
    uint32_t waiting;      /* the packet in hand was looked at before */
    uint64_t until;        /* tick at which the packet that waits is done, 0: it asks again */
    uint64_t blank;        /* vertical blanks before the latest swap, and 1; 0: none was */

    weft_gpu_stats stats;
    uint64_t malformed;  /* packets skipped because they make no sense */
    uint64_t complained; /* bit set of xenos_complaint: each is logged once */
    uint64_t unknown[2]; /* opcodes logged */

    xenos_drawing *drawing;
    struct xenos_capture *capture; /* NULL: none; owned */
    const uint32_t *direct;        /* a packet given by xenos_cp_execute, else NULL */
    uint32_t direct_dwords;
    xenos_gamma gamma;
    uint32_t *pixels; /* the latest frame */
    uint64_t pixels_size;

    uint32_t registers[XENOS_REGISTER_COUNT];
    xenos_shader shaders[2];
} xenos_cp;

/* What is logged once. */
typedef enum xenos_complaint {
    XENOS_BAD_ADDRESS,
    XENOS_BAD_REGISTER,
    XENOS_BAD_COUNT,
    XENOS_BAD_IB,
    XENOS_IB_TOO_DEEP,
    XENOS_RING_CORRUPT,
    XENOS_BAD_CONSTANT,
    XENOS_BAD_SHADER,
    XENOS_BAD_DRAW,
    XENOS_BAD_PRIMITIVE,
    XENOS_DRAW_CUT,
    XENOS_BAD_SWAP,
    XENOS_SWAP_UNREADABLE,
    XENOS_WPTR_WILD,
} xenos_complaint;

/* A zeroed object becomes a command processor at rest, which owns `drawing`. */
void xenos_cp_init(xenos_cp *cp, const weft_host *host, const xenos_costs *costs,
                   xenos_drawing *drawing);

/* Frees what it holds. */
void xenos_cp_end(xenos_cp *cp);

/* Back to an empty ring of 1 << (log2_quads + 3) bytes. INVALID: it does not lie in memory. */
weft_status xenos_cp_ring(xenos_cp *cp, uint32_t physical, uint32_t log2_quads);

/* Read pointer mirror, as weft_gpu_ops.read_pointer_write_back. */
void xenos_cp_mirror(xenos_cp *cp, uint32_t physical, uint32_t log2_quads);

/* Executes what is due at `tick`; returns (and keeps in `armed`) when to run next. */
uint64_t xenos_cp_run(xenos_cp *cp, uint64_t tick);

/* Executes a packet that lies in host memory, in host order; its waits are over, its indirect buffer
 * is not read. For replays. */
void xenos_cp_execute(xenos_cp *cp, const uint32_t *packet, uint32_t dwords);

/* The dwords of a packet with this header. */
uint32_t xenos_packet_dwords(uint32_t header);

/* The GPU wrote physical memory: tells whoever holds something derived from it. */
void xenos_cp_wrote(xenos_cp *cp, uint32_t start, uint32_t length);

/* A register as packets write and read it. */
void xenos_cp_set(xenos_cp *cp, uint32_t number, uint32_t value);
uint32_t xenos_cp_get(xenos_cp *cp, uint32_t number);

/* The CPU's view: byte offsets from 0x7FC80000. A write to CP_RB_WPTR may set `armed`. */
uint32_t xenos_mmio_read(xenos_cp *cp, uint32_t offset, uint64_t tick);
void xenos_mmio_write(xenos_cp *cp, uint32_t offset, uint32_t value, uint64_t tick);

/* Over everything the guest can see: registers, pointers, bins, ramps, microcode, EDRAM. */
uint64_t xenos_cp_digest(const xenos_cp *cp);

/* For the packets' code. Dword `index` of the packet being executed, 0 its header. */
uint32_t xenos_cp_dword(const xenos_cp *cp, uint32_t index);

/* Guest memory through an address whose bits 1:0 say the byte order. 0 when it is outside. */
int xenos_cp_load(xenos_cp *cp, uint32_t address, uint32_t *value);
int xenos_cp_store(xenos_cp *cp, uint32_t address, uint32_t value);

/* Logs `what` once per kind. */
void xenos_cp_complain(xenos_cp *cp, xenos_complaint kind, const char *what);

/* Emits an event in the name of source:gpu, at the time of the packet in hand. */
void xenos_cp_emit(xenos_cp *cp, weft_event_buffer *event);

/* Executes XE_SWAP (swap.h). */
void xenos_swap(xenos_cp *cp, uint32_t front_buffer, uint32_t width, uint32_t height);

#endif
