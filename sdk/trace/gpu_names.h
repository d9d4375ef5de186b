/* gpu_names.h: words of gpu.* events as people call them. */
#ifndef WEFT_TRACE_GPU_NAMES_H
#define WEFT_TRACE_GPU_NAMES_H

#include <stdint.h>

/* What a packet's header says: the opcode's name, or that it writes registers. NULL: no known opcode. */
const char *gpu_packet_name(uint64_t header);

/* The primitive type of VGT_DRAW_INITIATOR. NULL: none that is known. */
const char *gpu_primitive_name(uint64_t initiator);

/* What RB_COPY_CONTROL copies from. NULL: nothing that exists. */
const char *gpu_copy_source(uint64_t control);

#endif
