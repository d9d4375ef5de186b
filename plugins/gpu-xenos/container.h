/* Shader binaries: the container that the XDK's compiler writes, or bare microcode.
 *
 * The container (facts: hedge-dev/XenosRecomp, XenosRecomp/shader.h) is big-endian: flags 0x102A11xx
 * with bit 0 set for vertex shaders, size of the first part, size of the microcode part behind it; at
 * byte 24 the offset of the shader's head: where in the second part its microcode starts, and its
 * bytes. */
#ifndef XENOS_CONTAINER_H
#define XENOS_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

typedef struct xenos_microcode {
    uint32_t stage;       /* XENOS_STAGE_* */
    const uint8_t *bytes; /* big-endian words */
    uint32_t length;      /* bytes, a multiple of 4 */
} xenos_microcode;

/* 1 when the bytes begin as a container does. */
int xenos_container_is(const uint8_t *bytes, size_t length);

/* Finds the microcode; NULL, or what is wrong. */
const char *xenos_container_read(const uint8_t *bytes, size_t length, xenos_microcode *out);

#endif
