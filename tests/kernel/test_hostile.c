/* Every implemented export with hostile and random arguments: pointers to nothing, to the end of
 * memory and to data that looks like objects, huge sizes, wrong handles. Nothing may be broken on
 * the host; what the calls answer is their own tests' matter. The rows come from the table, so that a
 * new export is called here as soon as it has a row. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "exception.h"
#include "xam.h"

#define ROUNDS 24 /* calls of each export, each with other arguments */

static weft_status state_create(void *instance, weft_cpu_state **state)
{
    *state = calloc(1, sizeof **state);
    return *state ? WEFT_OK : WEFT_E_NO_MEMORY;
}

static void state_destroy(void *instance, weft_cpu_state *state)
{
    free(state);
}

/* A processor that runs nothing. */
static const weft_cpu_ops still = {
    .size = sizeof still,
    .state_create = state_create,
    .state_destroy = state_destroy,
};

static weft_status ring(void *instance, uint32_t physical, uint32_t log2_quads)
{
    return WEFT_OK;
}

static void read_pointer_write_back(void *instance, uint32_t physical, uint32_t log2_quads)
{
}

/* A graphics processor that is told of its ring and draws nothing. */
static const weft_gpu_ops blind = {
    .size = sizeof blind,
    .ring = ring,
    .read_pointer_write_back = read_pointer_write_back,
};

/* Splitmix64: the same arguments in every run. */
static uint64_t draw(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static const uint32_t edges[] = {
    0,          1,          2,          3,          4,          7,          16,
    0x7F,       0xFE,       0xFF,       0x100,      0x1000,     0xFFFF,     0x10000,
    0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFC, 0xFFFFFFF0,
    0xFFFFF000, 0x20000000, 0x1FFFFFFF, 0xF8000000, 0xF8000004, 0xF8000008, 0xF8000010,
    0x82000000, 0x90000000, 0xA0000000, 0xE0000000, 0x7FEA0000, 0x40000000,
};

typedef struct guest {
    fixture *f;
    kobject *thread;
    kmodule title;
    uint32_t end; /* of the scratch memory */
} guest;

static uint64_t argument(guest *g, uint64_t *seed)
{
    uint64_t r = draw(seed);
    uint32_t scratch = g->f->scratch;
    switch (r % 8) {
    case 0:
    case 1:
        return edges[(r >> 8) % (sizeof edges / sizeof edges[0])];
    case 2:
        return scratch + (r >> 8) % 0x1000;
    case 3:
        return scratch + ((r >> 8) % 0x1000 & ~UINT64_C(3));
    case 4:
        return g->end - (r >> 8) % 64; /* the last bytes */
    case 5:
        return g->thread->body;
    case 6:
        return (r >> 8) % 64;
    default:
        return r >> 32;
    }
}

/* What a title's memory may hold: words as above, so that pointers lead on to more of them. */
static void fill(guest *g, uint64_t *seed)
{
    for (uint32_t i = 0; i < 0x1000; i += 4) {
        set_word(g->f, g->f->scratch + i, (uint32_t)argument(g, seed));
    }
    /* the words that begin objects */
    *at(g->f, g->f->scratch) = (uint8_t)(draw(seed) % 16);
    *at(g->f, g->f->scratch + 0x40) = 1;
    *at(g->f, g->f->scratch + 0x80) = 5;
    set_text(g->f, g->f->scratch + 0x100, "game:\\none");
}

static void open_guest(guest *g)
{
    fixture *f = g->f = fixture_open();
    f->k->cpu = &still;
    f->k->gpu = &blind;
    f->k->return_thunk = 0x80001000;
    g->end = f->scratch + SCRATCH_BYTES;
    f->thread->cpu->r[1] = f->scratch + 0x80000;
    f->thread->affinity = 0x3F;
    f->thread->priority = f->thread->base_priority = 8;
    g->thread = kobject_create(f->k, NULL, KOBJECT_THREAD, 0, 0xAB0);
    g->thread->data = f->thread;
    *at(f, g->thread->body) = 6;
    f->thread->object = g->thread;
    kobject_retain(g->thread); /* as a thread that has not ended does */
    khandle_open(f->k, f->thread, g->thread);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        f->k->hw[i].pcr = kalloc(f->k, 0x2D8);
        f->k->hw[i].pin_start = WEFT_TICK_NEVER;
    }
    f->k->first_thread = f->thread;
    g->title = (kmodule){.name = "title.xex",
                         .path = "game:\\title.xex",
                         .base = f->scratch,
                         .size = 0x10000,
                         .header = f->scratch + 0x800,
                         .handle = f->scratch + 0x900,
                         .stage = KSTAGE_READY};
    f->k->title = f->k->modules = &g->title;
    uint32_t count;
    (void)kexport_rows(&count);
    f->k->variables = calloc(count, sizeof *f->k->variables);
    kaudio_init(f->k);
}

static void close_guest(guest *g)
{
    fixture *f = g->f;
    kexception_free(f->thread);
    while (f->thread->frame_count) {
        free(f->thread->frames[--f->thread->frame_count]);
    }
    while (f->thread->first_apc) {
        kapc *next = f->thread->first_apc->next;
        free(f->thread->first_apc);
        f->thread->first_apc = next;
    }
    kwait_cancel(f->k, f->thread);
    f->k->threads = f->thread->next; /* the fixture frees its own */
    kthread_free_all(f->k);
    f->k->title = f->k->modules = NULL;
    free(f->k->thunks);
    free(f->k->variables);
    kallocations_free(f->k);
    fixture_close(f);
    free(g);
}

/* The thread is what it was, whatever the last call did with it. */
static void go_on(fixture *f)
{
    kthread *t = f->thread;
    kwait_cancel(f->k, t);
    t->state = WEFT_THREAD_RUNNING;
    t->cont_ready = false;
    t->suspended = 0;
    while (t->frame_count) {
        free(t->frames[--t->frame_count]);
    }
    kexception_free(t);
    f->k->end = 0;
}

static void every_export(void **state)
{
    uint32_t count, called = 0;
    const kexport *rows = kexport_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (!rows[i].fn) {
            continue;
        }
        guest *g = calloc(1, sizeof *g);
        uint64_t seed = 1 + i;
        open_guest(g);
        fixture *f = g->f;
        f->call.export = &rows[i];
        for (uint32_t n = 0; n < ROUNDS && f->thread->state != WEFT_THREAD_TERMINATED; n++) {
            uint64_t a[12];
            fill(g, &seed);
            for (unsigned j = 0; j < 12; j++) {
                a[j] = argument(g, &seed);
            }
            f->call.caller = f->scratch + 0x200;
            f->thread->cpu->r[1] = f->scratch + 0x80000;
            if (getenv("HOSTILE_SHOW")) {
                fprintf(stderr, "%s %llx %llx %llx %llx %llx %llx\n", rows[i].name,
                        (unsigned long long)a[0], (unsigned long long)a[1],
                        (unsigned long long)a[2], (unsigned long long)a[3],
                        (unsigned long long)a[4], (unsigned long long)a[5]);
            }
            invoke(f, rows[i].fn, 12, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9],
                   a[10], a[11]);
            called++;
            if (f->thread->state == WEFT_THREAD_TERMINATED) {
                break;
            }
            go_on(f);
        }
        close_guest(g);
    }
    assert_true(called >= 300 * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_export)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
