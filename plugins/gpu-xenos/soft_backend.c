/* Chooses by what the host's processor says when a back-end is created; afterwards calls go straight
 * to the one that was chosen. */
#include "soft_backend.h"

#include <stdlib.h>

extern const xenos_backend xenos_soft_plain;
#ifdef XENOS_SOFT_SETS
extern const xenos_backend xenos_soft_avx2, xenos_soft_avx512;
#endif

uint32_t xenos_soft_sets(xenos_soft_set sets[3])
{
    uint32_t count = 0;
#ifdef XENOS_SOFT_SETS
    /* What the flags of soft/ in CMakeLists.txt let the compiler use. */
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
        sets[count++] = (xenos_soft_set){"avx512", &xenos_soft_avx512};
    }
    if (__builtin_cpu_supports("avx2")) {
        sets[count++] = (xenos_soft_set){"avx2", &xenos_soft_avx2};
    }
#endif
    sets[count++] = (xenos_soft_set){"plain", &xenos_soft_plain};
    return count;
}

typedef struct chosen {
    const xenos_backend *backend;
    void *self;
} chosen;

static void *create(const xenos_memory *memory, uint32_t threads)
{
    xenos_soft_set sets[3];
    chosen *c = malloc(sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    xenos_soft_sets(sets);
    c->backend = sets[0].backend;
    c->self = c->backend->create(memory, threads);
    if (c->self == NULL) {
        free(c);
        return NULL;
    }
    return c;
}

static void destroy(void *self)
{
    chosen *c = self;
    if (c != NULL) {
        c->backend->destroy(c->self);
        free(c);
    }
}

static int draw(void *self, const xenos_draw *what)
{
    const chosen *c = self;
    return c->backend->draw(c->self, what);
}

static void resolve(void *self, const xenos_draw *what, xenos_resolved *done)
{
    const chosen *c = self;
    c->backend->resolve(c->self, what, done);
}

static void counts(void *self, xenos_counts *out)
{
    const chosen *c = self;
    c->backend->counts(c->self, out);
}

static void extents(void *self, xenos_extents *out, int reset)
{
    const chosen *c = self;
    c->backend->extents(c->self, out, reset);
}

static void written(void *self, uint32_t start, uint32_t length)
{
    const chosen *c = self;
    c->backend->written(c->self, start, length);
}

static void forget(void *self, const xenos_program *program)
{
    const chosen *c = self;
    c->backend->forget(c->self, program);
}

static uint8_t *edram(void *self)
{
    const chosen *c = self;
    return c->backend->edram(c->self);
}

static void run(void *self, xenos_job job, void *context, uint32_t items)
{
    const chosen *c = self;
    c->backend->run(c->self, job, context, items);
}

const xenos_backend xenos_soft_backend = {
    .name = "soft",
    .create = create,
    .destroy = destroy,
    .draw = draw,
    .resolve = resolve,
    .counts = counts,
    .extents = extents,
    .written = written,
    .forget = forget,
    .edram = edram,
    .run = run,
};
