#include "drawing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "cp.h"
#include "soft_backend.h"
#include "state.h"

/* Programs that are kept; a title has hundreds. All go when they are more. */
#define PROGRAM_LIMIT 4096u
#define TABLE_SIZE    8192u /* a power of two above the limit */

/* Pages that changed since the last draw. Stores are told of on the thread that makes them, which in
 * parallel mode is not the one that draws: hence a list, and a lock. */
#define CHANGE_LIMIT 256u

typedef struct change {
    uint32_t start, length;
} change;

struct xenos_drawing {
    const weft_host *host;
    xenos_cp *cp;
    const xenos_backend *backend;
    void *self; /* created at the first draw */
    uint32_t threads;
    uint32_t listening;
    xenos_memory memory;

    const xenos_program *program[2];
    xenos_program *table[TABLE_SIZE];
    uint32_t programs;

    pthread_mutex_t lock;
    change changes[CHANGE_LIMIT];
    uint32_t change_count; /* CHANGE_LIMIT + 1: too many, everything may have changed */
};

/* ---- null: draws nothing ---- */

static void *null_create(const xenos_memory *memory, uint32_t threads)
{
    static const char here = 0;
    return (void *)(uintptr_t)&here;
}

static void null_destroy(void *self)
{
}

static int null_draw(void *self, const xenos_draw *draw)
{
    return 1;
}

static void null_resolve(void *self, const xenos_draw *draw, xenos_resolved *done)
{
    *done = (xenos_resolved){0, 0};
}

const xenos_backend xenos_null_backend = {
    .name = "null",
    .create = null_create,
    .destroy = null_destroy,
    .draw = null_draw,
    .resolve = null_resolve,
};

static const xenos_backend *const backends[] = {&xenos_soft_backend, &xenos_null_backend};

/* ---- memory ---- */

static void tell_written(void *context, uint32_t start, uint32_t length)
{
    xenos_drawing *d = context;
    xenos_cp_wrote(d->cp, start, length);
}

static void ask_watch(void *context, uint32_t start, uint32_t length)
{
    xenos_drawing *d = context;
    d->host->memory->watch_physical(d->host->memory, start, length);
}

/* A watch ends with the first store to its page, so the whole page counts as changed. */
static void heard(void *context, uint32_t start, uint32_t length)
{
    xenos_drawing *d = context;
    uint32_t page = d->host->memory->physical_of(d->host->memory, start);
    if (page == WEFT_NOT_PHYSICAL) {
        return;
    }
    page &= ~(uint32_t)(WEFT_PAGE_SIZE - 1);
    pthread_mutex_lock(&d->lock);
    change *last = d->change_count > 0 && d->change_count <= CHANGE_LIMIT
                       ? &d->changes[d->change_count - 1]
                       : NULL;
    if (last != NULL && page - last->start <= last->length) {
        if (page - last->start == last->length) {
            last->length += WEFT_PAGE_SIZE;
        }
    } else if (d->change_count < CHANGE_LIMIT) {
        d->changes[d->change_count++] = (change){page, WEFT_PAGE_SIZE};
    } else {
        d->change_count = CHANGE_LIMIT + 1;
    }
    pthread_mutex_unlock(&d->lock);
}

void xenos_drawing_changed(xenos_drawing *d, uint32_t start, uint32_t length)
{
    if (d->self != NULL && d->backend->written != NULL) {
        d->backend->written(d->self, start, length);
    }
}

static void pass_changes(xenos_drawing *d)
{
    change changes[CHANGE_LIMIT];
    pthread_mutex_lock(&d->lock);
    uint32_t count = d->change_count;
    memcpy(changes, d->changes, (count < CHANGE_LIMIT ? count : CHANGE_LIMIT) * sizeof changes[0]);
    d->change_count = 0;
    pthread_mutex_unlock(&d->lock);
    if (count > CHANGE_LIMIT) {
        changes[0] = (change){0, d->memory.size};
        count = 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        d->backend->written(d->self, changes[i].start, changes[i].length);
    }
}

/* ---- life ---- */

xenos_drawing *xenos_drawing_new(const weft_host *host, struct xenos_cp *cp, const char *name,
                                 uint32_t threads)
{
    const xenos_backend *backend = NULL;
    for (uint32_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (strcmp(backends[i]->name, name) == 0) {
            backend = backends[i];
        }
    }
    xenos_soft_set sets[3];
    uint32_t count = strncmp(name, "soft-", 5) == 0 ? xenos_soft_sets(sets) : 0;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(sets[i].name, name + 5) == 0) {
            backend = sets[i].backend;
        }
    }
    xenos_drawing *d = backend != NULL ? calloc(1, sizeof *d) : NULL;
    if (d == NULL) {
        return NULL;
    }
    d->host = host;
    d->cp = cp;
    d->backend = backend;
    d->threads = threads;
    pthread_mutex_init(&d->lock, NULL);
    return d;
}

static void forget_programs(xenos_drawing *d)
{
    for (uint32_t i = 0; i < TABLE_SIZE; i++) {
        if (d->table[i] != NULL && d->self != NULL && d->backend->forget != NULL) {
            d->backend->forget(d->self, d->table[i]);
        }
        xenos_program_free(d->table[i]);
        d->table[i] = NULL;
    }
    d->programs = 0;
    d->program[0] = NULL;
    d->program[1] = NULL;
}

void xenos_drawing_free(xenos_drawing *d)
{
    if (d == NULL) {
        return;
    }
    if (d->listening) {
        d->host->memory->unlisten(d->host->memory, heard, d);
    }
    forget_programs(d);
    if (d->self != NULL) {
        d->backend->destroy(d->self);
    }
    pthread_mutex_destroy(&d->lock);
    free(d);
}

/* The back-end, created when it is needed first: the guest's memory is there by then. */
static int ready(xenos_drawing *d)
{
    if (d->self != NULL) {
        return 1;
    }
    weft_memory *memory = d->host->memory;
    d->memory = (xenos_memory){
        .bytes = memory->physical,
        .size = memory->physical_size,
        .context = d,
        .written = tell_written,
        .watch = ask_watch,
    };
    d->self = d->backend->create(&d->memory, d->threads);
    if (d->self != NULL && d->backend->written != NULL) {
        d->listening = memory->listen(memory, heard, d) == WEFT_OK;
    }
    return d->self != NULL;
}

/* ---- shaders ---- */

void xenos_drawing_shader(xenos_drawing *d, uint32_t stage, const uint32_t *code, uint32_t dwords)
{
    dwords -= dwords % 3;
    uint64_t hash = XXH3_64bits_withSeed(code, dwords * sizeof *code, stage);
    uint32_t at = (uint32_t)hash & (TABLE_SIZE - 1);
    for (; d->table[at] != NULL; at = (at + 1) & (TABLE_SIZE - 1)) {
        const xenos_program *p = d->table[at];
        if (p->stage == stage && p->dwords == dwords &&
            memcmp(p->code, code, dwords * sizeof *code) == 0) {
            d->program[stage] = p;
            return;
        }
    }
    if (d->programs == PROGRAM_LIMIT) {
        forget_programs(d);
        at = (uint32_t)hash & (TABLE_SIZE - 1);
    }
    xenos_program *program = xenos_program_new(stage, code, dwords);
    d->program[stage] = program;
    if (program != NULL) {
        d->table[at] = program;
        d->programs++;
    }
}

const xenos_program *xenos_drawing_program(xenos_drawing *d, uint32_t stage)
{
    return d->program[stage];
}

/* ---- draws ---- */

static uint32_t mode_of(const uint32_t *registers)
{
    return registers[XENOS_RB_MODECONTROL] & 7;
}

int xenos_drawing_visible(xenos_drawing *d, const uint32_t *registers)
{
    if (mode_of(registers) == XENOS_MODE_COPY) {
        return 1;
    }
    return (d->program[XENOS_STAGE_VERTEX] != NULL &&
            d->program[XENOS_STAGE_VERTEX]->memory_export) ||
           (d->program[XENOS_STAGE_PIXEL] != NULL && d->program[XENOS_STAGE_PIXEL]->memory_export);
}

/* PA_SC_VIZ_QUERY bits 0 and 7: the draw is only tested, and leaves no pixel (xenia registers.h). */
static int only_tested(const uint32_t *registers)
{
    return (registers[XENOS_PA_SC_VIZ_QUERY] & 0x81) == 0x81;
}

static int draw_untested(xenos_drawing *d, uint32_t *registers, const xenos_draw *draw)
{
    if (!only_tested(registers)) {
        return d->backend->draw(d->self, draw);
    }
    uint32_t mask = registers[XENOS_RB_COLOR_MASK];
    uint32_t depth = registers[XENOS_RB_DEPTHCONTROL];
    registers[XENOS_RB_COLOR_MASK] = 0;
    registers[XENOS_RB_DEPTHCONTROL] = depth & ~UINT32_C(5); /* no stencil, no depth write */
    int whole = d->backend->draw(d->self, draw);
    registers[XENOS_RB_COLOR_MASK] = mask;
    registers[XENOS_RB_DEPTHCONTROL] = depth;
    return whole;
}

void xenos_drawing_draw(xenos_drawing *d, uint32_t *registers, xenos_draw *draw,
                        xenos_resolved *done)
{
    *done = (xenos_resolved){0, 0};
    uint32_t mode = mode_of(registers);
    draw->registers = registers;
    draw->vertex = d->program[XENOS_STAGE_VERTEX];
    /* Depth-only passes never run the pixel shader (xenia xenos.h, EdramMode). */
    draw->pixel = mode == XENOS_MODE_COLOR_DEPTH ? d->program[XENOS_STAGE_PIXEL] : NULL;
    if (!ready(d)) {
        return;
    }
    if (d->listening) {
        pass_changes(d);
    }
    if (mode == XENOS_MODE_COPY) {
        d->backend->resolve(d->self, draw, done);
    } else if (draw->vertex != NULL && draw->count > 0 && !draw_untested(d, registers, draw)) {
        xenos_cp_complain(d->cp, XENOS_DRAW_CUT,
                          "a draw costs more than one may, and some of it is left out");
    }
}

int xenos_drawing_counts(xenos_drawing *d, xenos_counts *counts)
{
    *counts = (xenos_counts){0, 0, 0, 0};
    if (d->backend->counts == NULL) {
        return 0;
    }
    if (d->self != NULL) {
        d->backend->counts(d->self, counts);
    }
    return 1;
}

int xenos_drawing_extents(xenos_drawing *d, xenos_extents *extents)
{
    *extents = (xenos_extents){0, 0, 0, 0, 0, 0};
    if (d->backend->extents == NULL) {
        return 0;
    }
    if (d->self != NULL) {
        d->backend->extents(d->self, extents, 1);
    }
    return 1;
}

void xenos_drawing_run(void *drawing, xenos_job job, void *context, uint32_t items)
{
    xenos_drawing *d = drawing;
    if (d->self != NULL && d->backend->run != NULL) {
        d->backend->run(d->self, job, context, items);
        return;
    }
    for (uint32_t i = 0; i < items; i++) {
        job(context, i);
    }
}

uint8_t *xenos_drawing_edram(xenos_drawing *d)
{
    return d->backend->edram != NULL && ready(d) ? d->backend->edram(d->self) : NULL;
}
