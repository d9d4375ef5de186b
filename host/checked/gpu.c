/* gpu.c: the GPU's contract (weft/gpu.h). */
#include "checked.h"

static weft_status attach(void *self, const weft_gpu_host *calls)
{
    checked *c = self;
    checked_thread(c, "attach", WEFT_THREAD_GUEST);
    CHECK(c, "attach", !c->attached, "called again (found 2 calls, expected 1)");
    weft_status status = c->ops.gpu.attach(c->instance, calls);
    c->attached = status == WEFT_OK;
    return status;
}

static void enter(checked *c, const char *op)
{
    checked_thread(c, op, WEFT_THREAD_GUEST);
    CHECK(c, op, c->attached, "called too early (found no attach, expected one before)");
}

static weft_status ring_set(void *self, uint32_t physical, uint32_t log2_quads)
{
    checked *c = self;
    enter(c, "ring");
    return c->ops.gpu.ring(c->instance, physical, log2_quads);
}

static void read_pointer_write_back(void *self, uint32_t physical, uint32_t log2_quads)
{
    checked *c = self;
    enter(c, "read_pointer_write_back");
    c->ops.gpu.read_pointer_write_back(c->instance, physical, log2_quads);
}

static uint32_t register_read(void *self, uint32_t offset, uint64_t tick)
{
    checked *c = self;
    enter(c, "register_read");
    CHECK(c, "register_read", offset % 4 == 0,
          "no such register (found offset 0x%x, expected a multiple of 4)", offset);
    return c->ops.gpu.register_read(c->instance, offset, tick);
}

static void register_write(void *self, uint32_t offset, uint32_t value, uint64_t tick)
{
    checked *c = self;
    enter(c, "register_write");
    CHECK(c, "register_write", offset % 4 == 0,
          "no such register (found offset 0x%x, expected a multiple of 4)", offset);
    c->ops.gpu.register_write(c->instance, offset, value, tick);
}

static void vblank(void *self, uint64_t count, uint64_t tick)
{
    checked *c = self;
    enter(c, "vblank");
    CHECK(c, "vblank", count > 0, "count starts too low (found 0, expected 1 or more)");
    c->ops.gpu.vblank(c->instance, count, tick);
}

static void gamma_set(void *self, const uint32_t *table)
{
    checked *c = self;
    enter(c, "gamma");
    c->ops.gpu.gamma(c->instance, table);
}

static void stats(void *self, weft_gpu_stats *answer)
{
    checked *c = self;
    checked_thread(c, "stats", WEFT_THREAD_GUEST);
    c->ops.gpu.stats(c->instance, answer);
}

static uint64_t digest(void *self)
{
    checked *c = self;
    checked_thread(c, "digest", WEFT_THREAD_GUEST);
    uint64_t first = c->ops.gpu.digest(c->instance);
    uint64_t second = c->ops.gpu.digest(c->instance);
    CHECK(c, "digest", first == second,
          "digest changes by asking (found %016llx, expected %016llx)", (unsigned long long)second,
          (unsigned long long)first);
    return first;
}

void checked_gpu(role_ops *ops)
{
    ops->gpu.attach = attach;
    ops->gpu.ring = ring_set;
    ops->gpu.read_pointer_write_back = read_pointer_write_back;
    ops->gpu.register_read = register_read;
    ops->gpu.register_write = register_write;
    ops->gpu.vblank = vblank;
    ops->gpu.gamma = gamma_set;
    ops->gpu.stats = stats;
    ops->gpu.digest = digest;
}
