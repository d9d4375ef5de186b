/* The loads on lavapipe: one render pass to an image, which is then copied to memory that the host
 * reads, as a display would. Its loader takes lavapipe's driver alone. Pipelines and the command buffer
 * are made once, so a frame is what drawing costs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#include "gpu.h"
#include "gpu_color_frag.h"
#include "gpu_heavy_frag.h"
#include "gpu_load_vert.h"
#include "gpu_textured_frag.h"

#define DRIVER     "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"
#define COLOR      VK_FORMAT_R8G8B8A8_UNORM
#define DEPTH      VK_FORMAT_D32_SFLOAT /* lavapipe has it always; D24S8 it has too, at the same cost */
#define PICTURE    ((VkDeviceSize)GPU_WIDTH * GPU_HEIGHT * 4)
#define CHECK(...) (v->good = v->good && (__VA_ARGS__) == VK_SUCCESS)

typedef struct image {
    VkImage image;
    VkDeviceMemory memory;
    VkImageView view;
} image;

typedef struct buffer {
    VkBuffer buffer;
    VkDeviceMemory memory;
    void *bytes;
} buffer;

typedef struct vulkan {
    gpu_bench bench;
    const gpu_load *load;
    int good;
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
    VkCommandPool pool;
    VkCommandBuffer commands;
    image target, samples, depth, texture;
    buffer corners, texels, out;
    VkSampler sampler;
    VkDescriptorSetLayout set_layout;
    VkDescriptorPool descriptors;
    VkDescriptorSet set;
    VkPipelineLayout layout;
    VkRenderPass pass;
    VkFramebuffer framebuffer;
    VkPipeline pipeline;
    VkFence fence;
} vulkan;

/* ---- device ---- */

static int make_device(vulkan *v)
{
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .apiVersion = VK_API_VERSION_1_1};
    const VkInstanceCreateInfo instance = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                           .pApplicationInfo = &application};
    CHECK(vkCreateInstance(&instance, NULL, &v->instance));
    uint32_t count = 1;
    if (!v->good || vkEnumeratePhysicalDevices(v->instance, &count, &v->physical) < 0 ||
        count == 0) {
        return v->good = 0;
    }
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo device = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                       .queueCreateInfoCount = 1,
                                       .pQueueCreateInfos = &queue};
    CHECK(vkCreateDevice(v->physical, &device, NULL, &v->device));
    if (!v->good) {
        return 0;
    }
    vkGetDeviceQueue(v->device, 0, 0, &v->queue);
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    CHECK(vkCreateCommandPool(v->device, &pool, NULL, &v->pool));
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    CHECK(vkCreateFence(v->device, &fence, NULL, &v->fence));
    return v->good;
}

/* All of lavapipe's memory is the host's; the first type that fits does. */
static VkDeviceMemory allocate(vulkan *v, const VkMemoryRequirements *needs)
{
    VkDeviceMemory memory = VK_NULL_HANDLE;
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = needs->size,
        .memoryTypeIndex = (uint32_t)__builtin_ctz(needs->memoryTypeBits | 1u << 31),
    };
    CHECK(vkAllocateMemory(v->device, &info, NULL, &memory));
    return memory;
}

static void make_buffer(vulkan *v, buffer *b, VkDeviceSize size, VkBufferUsageFlags usage)
{
    VkMemoryRequirements needs;
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = size, .usage = usage};
    CHECK(vkCreateBuffer(v->device, &info, NULL, &b->buffer));
    if (v->good) {
        vkGetBufferMemoryRequirements(v->device, b->buffer, &needs);
        b->memory = allocate(v, &needs);
    }
    CHECK(vkBindBufferMemory(v->device, b->buffer, b->memory, 0));
    CHECK(vkMapMemory(v->device, b->memory, 0, VK_WHOLE_SIZE, 0, &b->bytes));
}

static void make_image(vulkan *v, image *i, VkFormat format, uint32_t width, uint32_t height,
                       uint32_t samples, VkImageUsageFlags usage)
{
    VkMemoryRequirements needs;
    const VkImageCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .imageType = VK_IMAGE_TYPE_2D,
        .format = format,
        .extent = {width, height, 1},
        .mipLevels = 1,
        .arrayLayers = 1,
        .samples = (VkSampleCountFlagBits)samples,
        .usage = usage,
    };
    CHECK(vkCreateImage(v->device, &info, NULL, &i->image));
    if (v->good) {
        vkGetImageMemoryRequirements(v->device, i->image, &needs);
        i->memory = allocate(v, &needs);
    }
    CHECK(vkBindImageMemory(v->device, i->image, i->memory, 0));
    VkImageAspectFlags aspect =
        format == DEPTH ? VK_IMAGE_ASPECT_DEPTH_BIT : VK_IMAGE_ASPECT_COLOR_BIT;
    const VkImageViewCreateInfo view = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
        .image = i->image,
        .viewType = VK_IMAGE_VIEW_TYPE_2D,
        .format = format,
        .subresourceRange = {aspect, 0, 1, 0, 1},
    };
    CHECK(vkCreateImageView(v->device, &view, NULL, &i->view));
}

/* ---- what is drawn with ---- */

static void make_pass(vulkan *v)
{
    int several = v->load->samples > 1;
    VkSampleCountFlagBits samples = (VkSampleCountFlagBits)v->load->samples;
    const VkAttachmentDescription attachments[3] = {
        {.format = COLOR,
         .samples = samples,
         .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
         .storeOp = several ? VK_ATTACHMENT_STORE_OP_DONT_CARE : VK_ATTACHMENT_STORE_OP_STORE,
         .finalLayout = several ? VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL
                                : VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL},
        {.format = DEPTH,
         .samples = samples,
         .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
         .finalLayout = VK_IMAGE_LAYOUT_DEPTH_STENCIL_ATTACHMENT_OPTIMAL},
        {.format = COLOR,
         .samples = VK_SAMPLE_COUNT_1_BIT,
         .loadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
         .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
         .finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL},
    };
    const VkAttachmentReference color = {0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    const VkAttachmentReference depth = {1, VK_IMAGE_LAYOUT_DEPTH_STENCIL_ATTACHMENT_OPTIMAL};
    const VkAttachmentReference resolve = {2, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    const VkSubpassDescription subpass = {
        .pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
        .colorAttachmentCount = 1,
        .pColorAttachments = &color,
        .pResolveAttachments = several ? &resolve : NULL,
        .pDepthStencilAttachment = &depth,
    };
    /* The copy behind the pass waits for it. */
    const VkSubpassDependency after = {
        .srcSubpass = 0,
        .dstSubpass = VK_SUBPASS_EXTERNAL,
        .srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT,
        .srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
    };
    const VkRenderPassCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
        .attachmentCount = several ? 3 : 2,
        .pAttachments = attachments,
        .subpassCount = 1,
        .pSubpasses = &subpass,
        .dependencyCount = 1,
        .pDependencies = &after,
    };
    CHECK(vkCreateRenderPass(v->device, &info, NULL, &v->pass));
    const VkImageView views[3] = {several ? v->samples.view : v->target.view, v->depth.view,
                                  v->target.view};
    const VkFramebufferCreateInfo framebuffer = {
        .sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
        .renderPass = v->pass,
        .attachmentCount = info.attachmentCount,
        .pAttachments = views,
        .width = GPU_WIDTH,
        .height = GPU_HEIGHT,
        .layers = 1,
    };
    CHECK(vkCreateFramebuffer(v->device, &framebuffer, NULL, &v->framebuffer));
}

static void make_layout(vulkan *v)
{
    const VkSamplerCreateInfo sampler = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
                                         .magFilter = VK_FILTER_LINEAR,
                                         .minFilter = VK_FILTER_LINEAR};
    CHECK(vkCreateSampler(v->device, &sampler, NULL, &v->sampler));
    const VkDescriptorSetLayoutBinding binding = {
        .descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
        .descriptorCount = 1,
        .stageFlags = VK_SHADER_STAGE_FRAGMENT_BIT,
        .pImmutableSamplers = &v->sampler,
    };
    const VkDescriptorSetLayoutCreateInfo set = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding,
    };
    CHECK(vkCreateDescriptorSetLayout(v->device, &set, NULL, &v->set_layout));
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1};
    const VkDescriptorPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
        .maxSets = 1,
        .poolSizeCount = 1,
        .pPoolSizes = &size,
    };
    CHECK(vkCreateDescriptorPool(v->device, &pool, NULL, &v->descriptors));
    const VkDescriptorSetAllocateInfo allocate_set = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = v->descriptors,
        .descriptorSetCount = 1,
        .pSetLayouts = &v->set_layout,
    };
    CHECK(vkAllocateDescriptorSets(v->device, &allocate_set, &v->set));
    const VkPushConstantRange range = {VK_SHADER_STAGE_FRAGMENT_BIT, 0, 16};
    const VkPipelineLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = 1,
        .pSetLayouts = &v->set_layout,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &range,
    };
    CHECK(vkCreatePipelineLayout(v->device, &layout, NULL, &v->layout));
    if (v->good) {
        const VkDescriptorImageInfo info = {
            .imageView = v->texture.view, .imageLayout = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
        const VkWriteDescriptorSet write = {
            .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
            .dstSet = v->set,
            .descriptorCount = 1,
            .descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
            .pImageInfo = &info,
        };
        vkUpdateDescriptorSets(v->device, 1, &write, 0, NULL);
    }
}

static VkShaderModule make_module(vulkan *v, const uint32_t *words, size_t bytes)
{
    VkShaderModule module = VK_NULL_HANDLE;
    const VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = bytes, .pCode = words};
    CHECK(vkCreateShaderModule(v->device, &info, NULL, &module));
    return module;
}

static void make_pipeline(vulkan *v)
{
    static const struct {
        const uint32_t *words;
        size_t bytes;
    } pixel[] = {
        [GPU_COLOR] = {gpu_color_frag, sizeof gpu_color_frag},
        [GPU_TEXTURED] = {gpu_textured_frag, sizeof gpu_textured_frag},
        [GPU_HEAVY] = {gpu_heavy_frag, sizeof gpu_heavy_frag},
    };
    gpu_shader shader = v->load->shader;
    VkShaderModule modules[2] = {make_module(v, gpu_load_vert, sizeof gpu_load_vert),
                                 make_module(v, pixel[shader].words, pixel[shader].bytes)};
    const VkPipelineShaderStageCreateInfo stages[2] = {
        {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
         .stage = VK_SHADER_STAGE_VERTEX_BIT,
         .module = modules[0],
         .pName = "main"},
        {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
         .stage = VK_SHADER_STAGE_FRAGMENT_BIT,
         .module = modules[1],
         .pName = "main"},
    };
    const VkVertexInputBindingDescription binding = {0, GPU_CORNER_FLOATS * 4,
                                                     VK_VERTEX_INPUT_RATE_VERTEX};
    const VkVertexInputAttributeDescription attributes[2] = {
        {0, 0, VK_FORMAT_R32G32B32A32_SFLOAT, 0}, {1, 0, VK_FORMAT_R32G32B32A32_SFLOAT, 16}};
    const VkPipelineVertexInputStateCreateInfo input = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO,
        .vertexBindingDescriptionCount = 1,
        .pVertexBindingDescriptions = &binding,
        .vertexAttributeDescriptionCount = 2,
        .pVertexAttributeDescriptions = attributes,
    };
    const VkPipelineInputAssemblyStateCreateInfo assembly = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
        .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
    };
    const VkViewport area = {0, 0, GPU_WIDTH, GPU_HEIGHT, 0, 1};
    const VkRect2D scissor = {{0, 0}, {GPU_WIDTH, GPU_HEIGHT}};
    const VkPipelineViewportStateCreateInfo viewport = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
        .viewportCount = 1,
        .pViewports = &area,
        .scissorCount = 1,
        .pScissors = &scissor,
    };
    const VkPipelineRasterizationStateCreateInfo raster = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
        .lineWidth = 1,
    };
    const VkPipelineMultisampleStateCreateInfo samples = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
        .rasterizationSamples = (VkSampleCountFlagBits)v->load->samples,
    };
    const VkPipelineDepthStencilStateCreateInfo depth = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO,
        .depthTestEnable = v->load->depth,
        .depthWriteEnable = v->load->depth,
        .depthCompareOp = VK_COMPARE_OP_LESS_OR_EQUAL,
    };
    const VkPipelineColorBlendAttachmentState blend = {
        .blendEnable = v->load->blend,
        .srcColorBlendFactor = VK_BLEND_FACTOR_SRC_ALPHA,
        .dstColorBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA,
        .srcAlphaBlendFactor = VK_BLEND_FACTOR_SRC_ALPHA,
        .dstAlphaBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA,
        .colorWriteMask = 0xF,
    };
    const VkPipelineColorBlendStateCreateInfo blending = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
        .attachmentCount = 1,
        .pAttachments = &blend,
    };
    const VkGraphicsPipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
        .stageCount = 2,
        .pStages = stages,
        .pVertexInputState = &input,
        .pInputAssemblyState = &assembly,
        .pViewportState = &viewport,
        .pRasterizationState = &raster,
        .pMultisampleState = &samples,
        .pDepthStencilState = &depth,
        .pColorBlendState = &blending,
        .layout = v->layout,
        .renderPass = v->pass,
    };
    CHECK(vkCreateGraphicsPipelines(v->device, VK_NULL_HANDLE, 1, &info, NULL, &v->pipeline));
    for (int i = 0; i < 2; i++) {
        vkDestroyShaderModule(v->device, modules[i], NULL);
    }
}

/* ---- commands ---- */

static void begin(vulkan *v)
{
    const VkCommandBufferAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = v->pool,
        .commandBufferCount = 1,
    };
    const VkCommandBufferBeginInfo start = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    CHECK(vkAllocateCommandBuffers(v->device, &info, &v->commands));
    CHECK(vkBeginCommandBuffer(v->commands, &start));
}

static int submit(vulkan *v)
{
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &v->commands};
    CHECK(vkQueueSubmit(v->queue, 1, &info, v->fence));
    CHECK(vkWaitForFences(v->device, 1, &v->fence, VK_TRUE, UINT64_MAX));
    CHECK(vkResetFences(v->device, 1, &v->fence));
    return v->good;
}

static void move_texture(vulkan *v, VkImageLayout from, VkImageLayout to)
{
    const VkImageMemoryBarrier barrier = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
        .oldLayout = from,
        .newLayout = to,
        .image = v->texture.image,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
    };
    vkCmdPipelineBarrier(v->commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
}

static void fill_texture(vulkan *v)
{
    uint32_t *texels = v->texels.bytes;
    const VkBufferImageCopy all = {.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                   .imageExtent = {GPU_TEXTURE, GPU_TEXTURE, 1}};
    begin(v);
    if (!v->good) {
        return;
    }
    for (uint32_t i = 0; i < GPU_TEXTURE * GPU_TEXTURE; i++) {
        texels[i] = gpu_texel(i % GPU_TEXTURE, i / GPU_TEXTURE);
    }
    move_texture(v, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vkCmdCopyBufferToImage(v->commands, v->texels.buffer, v->texture.image,
                           VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &all);
    move_texture(v, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
    CHECK(vkEndCommandBuffer(v->commands));
    submit(v);
}

/* The frame, for all frames. */
static void record(vulkan *v, uint32_t corners)
{
    static const float add[4] = {0.125f, 0.125f, 0.125f, 0.125f};
    const VkClearValue clear[2] = {{.color = {.float32 = {0, 0, 0, 1}}},
                                   {.depthStencil = {1.0f, 0}}};
    const VkDeviceSize zero = 0;
    begin(v);
    if (!v->good) {
        return;
    }
    const VkRenderPassBeginInfo pass = {
        .sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
        .renderPass = v->pass,
        .framebuffer = v->framebuffer,
        .renderArea = {{0, 0}, {GPU_WIDTH, GPU_HEIGHT}},
        .clearValueCount = 2,
        .pClearValues = clear,
    };
    vkCmdBeginRenderPass(v->commands, &pass, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(v->commands, VK_PIPELINE_BIND_POINT_GRAPHICS, v->pipeline);
    vkCmdBindDescriptorSets(v->commands, VK_PIPELINE_BIND_POINT_GRAPHICS, v->layout, 0, 1, &v->set,
                            0, NULL);
    vkCmdPushConstants(v->commands, v->layout, VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof add, add);
    vkCmdBindVertexBuffers(v->commands, 0, 1, &v->corners.buffer, &zero);
    for (uint32_t i = 0; i < v->load->passes; i++) {
        vkCmdDraw(v->commands, corners, 1, 0, 0);
    }
    vkCmdEndRenderPass(v->commands);
    const VkBufferImageCopy all = {.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                   .imageExtent = {GPU_WIDTH, GPU_HEIGHT, 1}};
    vkCmdCopyImageToBuffer(v->commands, v->target.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                           v->out.buffer, 1, &all);
    CHECK(vkEndCommandBuffer(v->commands));
}

static int frame(gpu_bench *bench)
{
    vulkan *v = (vulkan *)bench;
    if (!submit(v)) {
        return 0;
    }
    size_t middle = ((size_t)GPU_HEIGHT / 2 * GPU_WIDTH + GPU_WIDTH / 2) * 4;
    memcpy(&bench->middle, (const char *)v->out.bytes + middle, sizeof bench->middle);
    return 1;
}

/* ---- life ---- */

static void end_image(vulkan *v, const image *i)
{
    vkDestroyImageView(v->device, i->view, NULL);
    vkDestroyImage(v->device, i->image, NULL);
    vkFreeMemory(v->device, i->memory, NULL);
}

static void end_buffer(vulkan *v, const buffer *b)
{
    vkDestroyBuffer(v->device, b->buffer, NULL);
    vkFreeMemory(v->device, b->memory, NULL);
}

static void end(gpu_bench *bench)
{
    vulkan *v = (vulkan *)bench;
    if (v->device != VK_NULL_HANDLE) {
        vkDeviceWaitIdle(v->device);
        vkDestroyPipeline(v->device, v->pipeline, NULL);
        vkDestroyFramebuffer(v->device, v->framebuffer, NULL);
        vkDestroyRenderPass(v->device, v->pass, NULL);
        vkDestroyPipelineLayout(v->device, v->layout, NULL);
        vkDestroyDescriptorPool(v->device, v->descriptors, NULL);
        vkDestroyDescriptorSetLayout(v->device, v->set_layout, NULL);
        vkDestroySampler(v->device, v->sampler, NULL);
        end_image(v, &v->target);
        end_image(v, &v->samples);
        end_image(v, &v->depth);
        end_image(v, &v->texture);
        end_buffer(v, &v->corners);
        end_buffer(v, &v->texels);
        end_buffer(v, &v->out);
        vkDestroyFence(v->device, v->fence, NULL);
        vkDestroyCommandPool(v->device, v->pool, NULL);
        vkDestroyDevice(v->device, NULL);
    }
    if (v->instance != VK_NULL_HANDLE) {
        vkDestroyInstance(v->instance, NULL);
    }
    free(v);
}

static void make_images(vulkan *v)
{
    const VkImageUsageFlags color =
        VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    make_image(v, &v->target, COLOR, GPU_WIDTH, GPU_HEIGHT, 1, color);
    if (v->load->samples > 1) {
        make_image(v, &v->samples, COLOR, GPU_WIDTH, GPU_HEIGHT, v->load->samples, color);
    }
    make_image(v, &v->depth, DEPTH, GPU_WIDTH, GPU_HEIGHT, v->load->samples,
               VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT);
    make_image(v, &v->texture, COLOR, GPU_TEXTURE, GPU_TEXTURE, 1,
               VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT);
}

gpu_bench *gpu_lavapipe(const gpu_load *load, uint32_t threads, const char **why)
{
    char number[16];
    snprintf(number, sizeof number, "%u", threads);
    /* Read when the driver makes its device. */
    setenv("LP_NUM_THREADS", number, 1);
    setenv("VK_ICD_FILENAMES", DRIVER, 1);
    vulkan *v = calloc(1, sizeof *v);
    if (v == NULL) {
        *why = "no memory";
        return NULL;
    }
    v->bench = (gpu_bench){.frame = frame, .end = end};
    v->load = load;
    v->good = 1;
    if (!make_device(v)) {
        *why = "no device (mesa-vulkan-drivers is not installed)";
        end(&v->bench);
        return NULL;
    }
    uint32_t corners = gpu_load_corners(load, NULL);
    make_images(v);
    make_buffer(v, &v->corners, (VkDeviceSize)corners * GPU_CORNER_FLOATS * 4,
                VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    make_buffer(v, &v->texels, GPU_TEXTURE * GPU_TEXTURE * 4, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    make_buffer(v, &v->out, PICTURE, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    if (v->good) {
        gpu_load_corners(load, v->corners.bytes);
        make_layout(v);
        make_pass(v);
        make_pipeline(v);
        fill_texture(v);
        record(v, corners);
    }
    if (!v->good) {
        *why = "Vulkan refuses something that is needed";
        end(&v->bench);
        return NULL;
    }
    return &v->bench;
}
