/* Where Vulkan's headers or a compiler of shaders were not there at build time. */
#include <stddef.h>

#include "gpu.h"

gpu_bench *gpu_lavapipe(const gpu_load *load, uint32_t threads, const char **why)
{
    *why = "it was built without libvulkan-dev or glslang-tools";
    return NULL;
}
