/* Captured frames: the packets between two swaps, the state that they start from and the memory that
 * they read.
 *
 * A capture is a gzip stream of records: kind, length in bytes, payload; numbers are little-endian.
 *
 *     HEAD  version 1, frame number, flags 0
 *     REGS  all registers
 *     CODE  stage, start, microcode                      one for each stage that has some
 *     GAMA  256 table entries, 128 * 3 segments, component
 *     STAT  bin mask, bin select, counter (64 bits each), draws
 *     EDRM  10 MiB of EDRAM                               absent while all of it is zero
 *     MEM   physical address, bytes                       before the first packet that reads them
 *     PACK  physical address of the packet, its dwords    indirect buffers are followed, not kept
 *     SWAP  XXH3 of the frame's pixels (64 bits)          behind the packet that swapped
 *     END   -
 *
 * A packet that waits is kept once, when it goes on. Memory that a packet wrote is not kept: drawing
 * again writes the same. */
#ifndef XENOS_CAPTURE_H
#define XENOS_CAPTURE_H

#include <stdint.h>

#include "cp.h"

#define XENOS_CAPTURE_VERSION 1u

enum {
    XENOS_RECORD_HEAD = 0x44414548, /* the four letters, the first lowest */
    XENOS_RECORD_REGS = 0x53474552,
    XENOS_RECORD_CODE = 0x45444F43,
    XENOS_RECORD_GAMA = 0x414D4147,
    XENOS_RECORD_STAT = 0x54415453,
    XENOS_RECORD_EDRM = 0x4D524445,
    XENOS_RECORD_MEM = 0x204D454D,
    XENOS_RECORD_PACK = 0x4B434150,
    XENOS_RECORD_SWAP = 0x50415753,
    XENOS_RECORD_END = 0x20444E45,
};

/* No record is longer: EDRAM is the longest. */
#define XENOS_RECORD_MOST XENOS_EDRAM_BYTES

typedef struct xenos_capture xenos_capture;

/* Writes frame `frame` (from 1: the packets up to and with that swap) to a file that is made at once; one
 * that is there is kept until the frame begins. NULL: it cannot be made (errno says why). */
xenos_capture *xenos_capture_new(const char *path, uint64_t frame);
/* Ends the file. 0 when it is not complete, and `why` says so: the frame did not come in as many as
 * there were (then none is left that was not there before), or it could not be written. */
#define XENOS_CAPTURE_WHY 512
int xenos_capture_free(xenos_capture *capture, uint64_t frames, char why[XENOS_CAPTURE_WHY]);

/* The command processor is about to execute a packet for the first time. */
void xenos_capture_packet(xenos_capture *capture, xenos_cp *cp, uint32_t address, uint32_t dwords);
/* It swapped. */
void xenos_capture_swap(xenos_capture *capture, const xenos_cp *cp, uint64_t pixels);
/* The GPU wrote memory. */
void xenos_capture_wrote(xenos_capture *capture, const weft_memory *memory, uint32_t start,
                         uint32_t length);

#endif
