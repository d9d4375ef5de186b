/* The software back-end: a draw from registers to EDRAM. */
#include "soft.h"

#include <stdlib.h>

#include "bins.h"

#define HASH        8192u /* of a chunk's indices: twice SOFT_VERTICES */
#define FEW_PIXELS  8192u /* a chunk whose boxes have fewer is drawn without waking threads */
#define FEW_BATCHES 8u    /* of sixteen vertices */
#define MOST_STRIDE (sizeof(soft_vertex) + 16 * 4 * sizeof(float) + 16)

typedef struct chunk {
    xenos_primitive primitive[SOFT_PRIMITIVES];
    uint32_t slot[SOFT_PRIMITIVES][3];
    uint32_t primitives;
    uint32_t index[SOFT_VERTICES];
    uint32_t vertices;
    soft_start start[SOFT_VERTICES]; /* of tessellated draws */
    /* Open addressing; an entry of an older generation is free. */
    uint32_t generation;
    struct {
        uint32_t generation, index, slot;
    } hash[HASH];
} chunk;

/* Programs made ready to run, by open addressing on where the decoded program lies. */
#define PROGRAMS 1024u

typedef struct ready {
    const xenos_program *of; /* NULL: free */
    soft_program *program;
} ready;

typedef struct soft {
    const xenos_memory *memory;
    soft_workers *workers;
    soft_textures *textures;
    const soft_texture *texture[32];
    uint8_t *edram;
    soft_rop *rop;
    soft_bins *bins;
    soft_triangle *triangles;
    uint8_t *vertices; /* SOFT_VERTICES, then SOFT_CUT */
    chunk *chunk;
    ready ready[PROGRAMS];
    uint32_t ready_count;
    int patches;          /* the draw is tessellated */
    soft_vec4 *splats[2]; /* of the vertex and the pixel shader */
    soft_context context;
    xenos_extents extents;
    uint64_t limit; /* of the draw's work */
    uint64_t start; /* all workers' work before it */
    uint64_t tiles; /* work of looking at tiles */
    uint64_t share; /* of a batch of vertices, or of a triangle in a tile */
} soft;

/* Zeroed, aligned for vectors. Through calloc, so that what is never touched costs nothing; where it
 * begins stands before it. */
static void *block(size_t bytes)
{
    uint8_t *raw = calloc(1, bytes + 128);
    if (!raw) {
        return NULL;
    }
    uint8_t *p = raw + 64 + (64 - (uintptr_t)raw % 64) % 64;
    memcpy(p - sizeof raw, &raw, sizeof raw);
    return p;
}

static void unblock(void *p)
{
    if (p) {
        void *raw;
        memcpy(&raw, (uint8_t *)p - sizeof raw, sizeof raw);
        free(raw);
    }
}

static const xenos_extents nothing = {.x0 = UINT32_MAX, .y0 = UINT32_MAX, .z0 = 1.0f};

static void forget_all(soft *s)
{
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        soft_program_free(s->ready[i].program);
        s->ready[i] = (ready){0};
    }
    s->ready_count = 0;
}

/* Where a program stands, or the free place for it. */
static ready *find(soft *s, const xenos_program *program)
{
    uint32_t at = (uint32_t)((uintptr_t)program >> 4) * UINT32_C(0x9E3779B1) >> 22;
    while (s->ready[at].of && s->ready[at].of != program) {
        at = (at + 1) % PROGRAMS;
    }
    return &s->ready[at];
}

static const soft_program *code(soft *s, const xenos_program *program)
{
    ready *at = find(s, program);
    if (!at->of) {
        if (s->ready_count >= PROGRAMS * 3 / 4) {
            forget_all(s);
            at = find(s, program);
        }
        at->program = soft_program_new(program);
        if (!at->program) {
            return NULL; /* soft_exec does without */
        }
        at->of = program;
        s->ready_count++;
    }
    return at->program;
}

static void soft_destroy(void *self)
{
    soft *s = self;
    if (!s) {
        return;
    }
    forget_all(s);
    soft_workers_free(s->workers);
    if (s->textures) {
        soft_textures_free(s->textures);
    }
    soft_bins_free(s->bins);
    unblock(s->edram);
    unblock(s->rop);
    unblock(s->triangles);
    unblock(s->vertices);
    unblock(s->chunk);
    unblock(s->splats[0]);
    unblock(s->splats[1]);
    unblock(s);
}

static void *soft_create(const xenos_memory *memory, uint32_t threads)
{
    soft *s = block(sizeof *s);
    if (!s) {
        return NULL;
    }
    s->memory = memory;
    s->extents = nothing;
    s->workers = soft_workers_new(threads);
    s->textures = soft_textures_new(memory);
    s->edram = block(XENOS_EDRAM_BYTES);
    s->rop = block(soft_rop_size());
    s->bins = soft_bins_new();
    s->triangles = block(SOFT_TRIANGLES * sizeof(soft_triangle));
    s->vertices = block((SOFT_VERTICES + SOFT_CUT) * MOST_STRIDE);
    s->chunk = block(sizeof(chunk));
    s->splats[0] = block(SOFT_SPLATS * sizeof(soft_vec4));
    s->splats[1] = block(SOFT_SPLATS * sizeof(soft_vec4));
    if (!s->workers || !s->textures || !s->edram || !s->rop || !s->bins || !s->triangles ||
        !s->vertices || !s->chunk || !s->splats[0] || !s->splats[1]) {
        soft_destroy(s);
        return NULL;
    }
    return s;
}

/* The slot of a vertex in the chunk, which has room. */
static uint32_t slot(chunk *k, uint32_t index)
{
    uint32_t at = index * UINT32_C(0x9E3779B1) >> 19;
    while (k->hash[at].generation == k->generation) {
        if (k->hash[at].index == index) {
            return k->hash[at].slot;
        }
        at = (at + 1) % HASH;
    }
    k->hash[at].generation = k->generation;
    k->hash[at].index = index;
    k->hash[at].slot = k->vertices;
    k->index[k->vertices] = index;
    return k->vertices++;
}

static int gather(chunk *k, xenos_primitives *reader)
{
    k->primitives = k->vertices = 0;
    if (++k->generation == 0) {
        memset(k->hash, 0, sizeof k->hash);
        k->generation = 1;
    }
    while (k->primitives < SOFT_PRIMITIVES && k->vertices + 3 <= SOFT_VERTICES &&
           xenos_primitives_next(reader, &k->primitive[k->primitives])) {
        for (uint32_t i = 0; i < 3; i++) {
            k->slot[k->primitives][i] = slot(k, k->primitive[k->primitives].index[i]);
        }
        k->primitives++;
    }
    return k->primitives > 0;
}

/* Whole patches, each with its own vertices. */
static int gather_patches(chunk *k, xenos_primitives *reader)
{
    xenos_patch patch;
    k->primitives = k->vertices = 0;
    while (k->primitives + SOFT_PATCH <= SOFT_PRIMITIVES &&
           k->vertices + SOFT_PATCH <= SOFT_VERTICES && xenos_patches_next(reader, &patch)) {
        uint32_t vertices;
        uint32_t count = soft_patch_cut(reader->draw, &patch, k->vertices, &k->start[k->vertices],
                                        &vertices, &k->slot[k->primitives]);
        for (uint32_t i = 0; i < count; i++) {
            k->primitive[k->primitives++] =
                (xenos_primitive){.shape = XENOS_SHAPE_TRIANGLE, .edges = 7};
        }
        k->vertices += vertices;
    }
    return k->primitives > 0;
}

static void note_cut(soft_worker *worker)
{
    worker->cut |= worker->group.executed >= worker->group.limit;
}

/* 1: a worker had to leave something out since the last time. */
static int take_cut(soft *s)
{
    int cut = 0;
    for (uint32_t i = 0; i < soft_workers_count(s->workers); i++) {
        soft_worker *worker = soft_workers_at(s->workers, i);
        cut |= worker->cut;
        worker->cut = 0;
    }
    return cut;
}

static void shade_batch(void *context, soft_worker *worker, uint32_t item)
{
    const soft *s = context;
    uint32_t first = item * SOFT_LANES;
    uint32_t count = s->chunk->vertices - first;
    worker->group.limit = worker->group.executed + s->share;
    soft_vertex_shade(
        &s->context, worker, &s->chunk->index[first], s->patches ? &s->chunk->start[first] : NULL,
        count < SOFT_LANES ? count : SOFT_LANES, s->vertices + first * s->context.stride);
    note_cut(worker);
}

static uint64_t all_work(const soft *s)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < soft_workers_count(s->workers); i++) {
        sum += soft_workers_at(s->workers, i)->group.executed;
    }
    return sum;
}

/* What the draw may still cost. */
static uint64_t work_left(const soft *s)
{
    uint64_t done = all_work(s) - s->start + s->tiles;
    return done < s->limit ? s->limit - done : 0;
}

static void draw_tile(void *context, soft_worker *worker, uint32_t item)
{
    const soft *s = context;
    uint64_t share = s->share * soft_bins_triangles(s->bins, item);
    worker->group.limit = worker->group.executed + share;
    soft_bins_draw(s->bins, &s->context, worker, s->triangles, item);
    note_cut(worker);
}

static void draw_ordered(const soft *s, const soft_triangle *t)
{
    const int32_t mask = ~(int32_t)(SOFT_TILE - 1);
    for (int32_t y = t->y0 & mask; y < t->y1; y += (int32_t)SOFT_TILE) {
        for (int32_t x = t->x0 & mask; x < t->x1; x += (int32_t)SOFT_TILE) {
            soft_raster_tile(&s->context, soft_workers_at(s->workers, 0), t, x, y);
        }
    }
}

static uint32_t cost_of(const soft_triangle *t)
{
    int32_t across = ((t->x1 - 1) >> SOFT_TILE_LOG2) - (t->x0 >> SOFT_TILE_LOG2) + 1;
    int32_t down = ((t->y1 - 1) >> SOFT_TILE_LOG2) - (t->y0 >> SOFT_TILE_LOG2) + 1;
    return (uint32_t)(across * down) * SOFT_TILE_COST;
}

/* Draws what has been set up, and makes room. */
static void flush(soft *s, soft_setup *setup)
{
    int32_t bottom = 0;
    for (uint32_t i = 0; i < setup->triangles; i++) {
        bottom = s->triangles[i].y1 > bottom ? s->triangles[i].y1 : bottom;
    }
    int ordered = s->context.ordered || soft_rop_aliases(s->rop, (uint32_t)bottom);
    uint32_t next = 0;
    uint64_t left = work_left(s);
    soft_group *first = &soft_workers_at(s->workers, 0)->group;
    first->limit = first->executed + left;
    while (next < setup->triangles && left > 0) {
        if (ordered) {
            s->tiles += cost_of(&s->triangles[next]);
            draw_ordered(s, &s->triangles[next++]);
            note_cut(soft_workers_at(s->workers, 0));
            left = work_left(s);
            continue;
        }
        while (next < setup->triangles && soft_bins_add(s->bins, s->triangles, next)) {
            s->tiles += cost_of(&s->triangles[next++]);
        }
        s->share = left / (soft_bins_entries(s->bins) + 1);
        soft_workers_run(s->workers, draw_tile, s, soft_bins_tiles(s->bins),
                         soft_bins_pixels(s->bins) < FEW_PIXELS);
        soft_bins_clear(s->bins);
        left = work_left(s);
    }
    setup->triangles = 0;
    setup->cuts.used = 0;
}

static void stage(soft *s, soft_stage *out, const xenos_draw *draw, const xenos_program *program,
                  uint32_t constants)
{
    *out = (soft_stage){
        .program = program,
        .code = program ? code(s, program) : NULL,
        .registers = draw->registers,
        .memory = s->memory,
        .textures = s->texture,
        .constant_base = xenos_bits(constants, 0, 9),
        .constant_count = xenos_bits(constants, 12, 9) + 1,
    };
    if (out->code) {
        soft_vec4 *splats = s->splats[program->stage == XENOS_STAGE_PIXEL];
        soft_splat_constants(out, splats);
        out->splats = splats;
    }
}

static int rasterises(const xenos_draw *draw)
{
    const uint32_t *r = draw->registers;
    uint32_t mode = xenos_bits(r[XENOS_RB_MODECONTROL], 0, 3);
    /* VS_EXPORT_MODE 7: multipass, nothing is drawn (xenia draw_util.cc). */
    return (mode == XENOS_MODE_COLOR_DEPTH || mode == XENOS_MODE_DEPTH) &&
           xenos_bits(r[XENOS_SQ_PROGRAM_CNTL], 24, 3) != 7 &&
           xenos_bits(r[XENOS_RB_SURFACE_INFO], 0, 14) != 0;
}

/* Draws that leave no pixels have extents all the same: the set-up unit's, before the back-end. */
static int has_extents(const xenos_draw *draw)
{
    return xenos_bits(draw->registers[XENOS_SQ_PROGRAM_CNTL], 24, 3) != 7 &&
           (draw->vertex->exports >> XENOS_EXPORT_POSITION & 1);
}

static void prepare(soft *s, const xenos_draw *draw)
{
    const uint32_t *r = draw->registers;
    soft_context *c = &s->context;
    memset(c, 0, sizeof *c);
    c->draw = draw;
    /* Depth-only draws have no pixel shader, whatever is loaded (xenia xenos.h, EdramMode). */
    int color = xenos_bits(r[XENOS_RB_MODECONTROL], 0, 3) == XENOS_MODE_COLOR_DEPTH;
    const xenos_program *pixel = color ? draw->pixel : NULL;
    stage(s, &c->vertex, draw, draw->vertex, r[XENOS_SQ_VS_CONST]);
    stage(s, &c->pixel, draw, pixel, r[XENOS_SQ_PS_CONST]);

    soft_rop_prepare(s->rop, r, pixel, s->edram);
    c->rop = s->rop;
    c->early = (uint32_t)soft_rop_early(s->rop);
    c->tests_depth = xenos_bits(r[XENOS_RB_DEPTHCONTROL], 1, 1);
    if (pixel) {
        for (uint32_t i = 0; i < 4; i++) {
            c->writes_color |=
                pixel->exports >> i & 1 && xenos_bits(r[XENOS_RB_COLOR_MASK], 4 * i, 4) != 0;
        }
        /* A shader whose colours go nowhere matters for what else it does. */
        c->shades = c->writes_color || !c->early || pixel->memory_export;
        c->kills = pixel->kills;
        c->writes_depth = c->shades && (pixel->exports >> XENOS_EXPORT_DEPTH & 1);
        c->clear = pixel->temporaries ? pixel->temporaries : 1;
        c->clear = c->clear < XENOS_TEMPORARIES ? c->clear : XENOS_TEMPORARIES;
    }
    c->ordered = c->shades && pixel->memory_export;

    soft_setup_prepare(c);
    soft_vertex_prepare(c);
    soft_pixel_prepare(c);

    uint32_t used = draw->vertex->textures | (c->shades ? pixel->textures : 0);
    for (uint32_t i = 0; i < 32; i++) {
        s->texture[i] = used >> i & 1
                            ? soft_textures_prepare(s->textures, &r[XENOS_CONSTANT_FETCH + 6 * i])
                            : NULL;
    }
}

static int soft_draw(void *self, const xenos_draw *draw)
{
    soft *s = self;
    int visible = rasterises(draw);
    int placed = visible || has_extents(draw);
    if (!placed && !draw->vertex->memory_export) {
        return 1;
    }
    prepare(s, draw);
    const soft_context *c = &s->context;
    soft_setup setup = {
        .context = c,
        .cuts = {.bytes = s->vertices + SOFT_VERTICES * c->stride, .limit = SOFT_CUT},
        .triangle = s->triangles,
        .limit = SOFT_TRIANGLES,
        .extents = &s->extents,
    };
    xenos_primitives reader;
    xenos_primitives_begin(&reader, draw, s->memory);
    chunk *k = s->chunk;
    s->patches = xenos_patches_known(draw);
    s->limit = draw->limit != 0 ? draw->limit : SOFT_DRAW_LIMIT;
    s->start = all_work(s);
    s->tiles = 0;
    while (work_left(s) > 0 && (s->patches ? gather_patches(k, &reader) : gather(k, &reader))) {
        uint32_t batches = (k->vertices + SOFT_LANES - 1) / SOFT_LANES;
        s->share = work_left(s) / batches + 1;
        soft_workers_run(s->workers, shade_batch, s, batches,
                         batches < FEW_BATCHES || draw->vertex->memory_export);
        for (uint32_t i = 0; i < k->primitives && placed; i++) {
            const soft_vertex *v[3];
            for (uint32_t j = 0; j < 3; j++) {
                v[j] = (const soft_vertex *)(s->vertices + k->slot[i][j] * c->stride);
            }
            if (setup.limit - setup.triangles < SOFT_ONE ||
                setup.cuts.limit - setup.cuts.used < SOFT_ONE) {
                flush(s, &setup);
            }
            soft_setup_primitive(&setup, &k->primitive[i], v);
            setup.triangles = visible ? setup.triangles : 0;
            setup.cuts.used = visible ? setup.cuts.used : 0;
        }
        flush(s, &setup);
    }
    soft_textures_release(s->textures);
    return !take_cut(s) && work_left(s) > 0;
}

static void soft_resolve_draw(void *self, const xenos_draw *draw, xenos_resolved *done)
{
    soft *s = self;
    soft_resolve(draw->registers, s->edram, s->memory, s->workers, done);
    if (done->length) {
        soft_textures_written(s->textures, done->start, done->length);
    }
}

static void soft_counts(void *self, xenos_counts *counts)
{
    soft *s = self;
    *counts = (xenos_counts){0};
    for (uint32_t i = 0; i < soft_workers_count(s->workers); i++) {
        const xenos_counts *w = &soft_workers_at(s->workers, i)->counts;
        counts->total += w->total;
        counts->z_fail += w->z_fail;
        counts->z_pass += w->z_pass;
        counts->stencil_fail += w->stencil_fail;
    }
}

static void soft_extents(void *self, xenos_extents *extents, int reset)
{
    soft *s = self;
    *extents = s->extents.x0 < s->extents.x1 ? s->extents : (xenos_extents){0};
    if (reset) {
        s->extents = nothing;
    }
}

static void soft_written(void *self, uint32_t start, uint32_t length)
{
    soft *s = self;
    soft_textures_written(s->textures, start, length);
}

/* A program goes away; a table of this kind is emptied rather than thinned. */
static void soft_forget(void *self, const xenos_program *program)
{
    soft *s = self;
    if (find(s, program)->of) {
        forget_all(s);
    }
}

static uint8_t *soft_edram(void *self)
{
    soft *s = self;
    return s->edram;
}

typedef struct lent {
    xenos_job job;
    void *context;
} lent;

static void do_lent(void *context, soft_worker *worker, uint32_t item)
{
    const lent *l = context;
    l->job(l->context, item);
}

static void soft_run(void *self, xenos_job job, void *context, uint32_t items)
{
    soft *s = self;
    lent l = {job, context};
    soft_workers_run(s->workers, do_lent, &l, items, 0);
}

#ifndef SOFT_BACKEND
#define SOFT_BACKEND xenos_soft_plain /* CMakeLists.txt has others */
#endif
extern const xenos_backend SOFT_BACKEND;

const xenos_backend SOFT_BACKEND = {
    .name = "soft",
    .create = soft_create,
    .destroy = soft_destroy,
    .draw = soft_draw,
    .resolve = soft_resolve_draw,
    .counts = soft_counts,
    .extents = soft_extents,
    .written = soft_written,
    .forget = soft_forget,
    .edram = soft_edram,
    .run = soft_run,
};
