#include "container.h"

#include "ucode.h"
#include "weft/memory.h"

int xenos_container_is(const uint8_t *bytes, size_t length)
{
    return length >= 4 && (weft_load32(bytes) & 0xFFFFFF00u) == 0x102A1100u;
}

const char *xenos_container_read(const uint8_t *bytes, size_t length, xenos_microcode *out)
{
    if (length < 36 || !xenos_container_is(bytes, length)) {
        return "container is cut off (found less than its head, expected 36 bytes)";
    }
    uint64_t first = weft_load32(bytes + 4);
    uint64_t second = weft_load32(bytes + 8);
    uint64_t head = weft_load32(bytes + 24);
    if (first + second > length) {
        return "container is cut off (found less than its parts, expected all of them)";
    }
    if (head + 8 > first) {
        return "head of the shader lies outside the container (found an offset behind its first "
               "part, "
               "expected one inside)";
    }
    uint64_t at = weft_load32(bytes + head);
    uint64_t size = weft_load32(bytes + head + 4);
    if (at + size > second || size % 4 != 0) {
        return "microcode lies outside the container (found an end behind its second part, "
               "expected one "
               "inside)";
    }
    *out = (xenos_microcode){
        .stage = weft_load32(bytes) & 1 ? XENOS_STAGE_VERTEX : XENOS_STAGE_PIXEL,
        .bytes = bytes + first + at,
        .length = (uint32_t)size,
    };
    return NULL;
}
