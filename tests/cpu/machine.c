/* machine.c: see machine.h. The memory service here is the smallest that keeps weft/memory.h. */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SPACE (UINT64_C(1) << 32)

static machine *owner(weft_memory *memory)
{
    return memory->impl;
}

static uint8_t *access_of(weft_memory *memory)
{
    return (uint8_t *)memory->access;
}

static weft_status protect(weft_memory *memory, uint32_t start, uint32_t length, uint8_t access)
{
    for (uint32_t i = 0; i < length >> WEFT_PAGE_SHIFT; i++) {
        uint8_t *a = access_of(memory) + (start >> WEFT_PAGE_SHIFT) + i;
        *a = (uint8_t)((*a & WEFT_PAGE_WATCH) | access);
    }
    return WEFT_OK;
}

static weft_status mmio_add(weft_memory *memory, uint32_t start, uint32_t length)
{
    return protect(memory, start, length, WEFT_PAGE_READ | WEFT_PAGE_WRITE | WEFT_PAGE_MMIO);
}

static weft_status watch(weft_memory *memory, uint32_t start, uint32_t length)
{
    for (uint32_t i = 0; i < (length + 4095) >> WEFT_PAGE_SHIFT; i++) {
        __atomic_fetch_or(access_of(memory) + (start >> WEFT_PAGE_SHIFT) + i, WEFT_PAGE_WATCH,
                          __ATOMIC_SEQ_CST);
    }
    return WEFT_OK;
}

static weft_status listen(weft_memory *memory, weft_written_fn fn, void *context)
{
    machine *m = owner(memory);
    if (m->listener_count == 8) {
        return WEFT_E_LIMIT;
    }
    m->listeners[m->listener_count].fn = fn;
    m->listeners[m->listener_count++].context = context;
    return WEFT_OK;
}

static void unlisten(weft_memory *memory, weft_written_fn fn, void *context)
{
    machine *m = owner(memory);
    for (uint32_t i = 0; i < m->listener_count; i++) {
        if (m->listeners[i].fn == fn && m->listeners[i].context == context) {
            m->listeners[i] = m->listeners[--m->listener_count];
            return;
        }
    }
}

static void written(weft_memory *memory, uint32_t start, uint32_t length)
{
    machine *m = owner(memory);
    int told = 0;
    for (uint64_t p = start >> WEFT_PAGE_SHIFT; p <= (start + (uint64_t)length - 1) >> 12; p++) {
        __atomic_fetch_add((uint32_t *)memory->version + p, 1, __ATOMIC_SEQ_CST);
        told |=
            __atomic_fetch_and(access_of(memory) + p, (uint8_t)~WEFT_PAGE_WATCH, __ATOMIC_SEQ_CST) &
            WEFT_PAGE_WATCH;
    }
    for (uint32_t i = 0; told && i < m->listener_count; i++) {
        m->listeners[i].fn(m->listeners[i].context, start, length);
    }
}

static weft_status fail(const weft_host *host, weft_status status, const char *sentence)
{
    machine *m = host->impl;
    snprintf(m->failure, sizeof m->failure, "%s", sentence);
    return status;
}

static const char *option_text(const weft_host *host, const char *key)
{
    machine *m = host->impl;
    if (m->engine_name && strcmp(key, "engine") == 0) {
        return m->engine_name;
    }
    for (uint32_t i = 0; i < m->desc->option_count; i++) {
        if (strcmp(m->desc->options[i].key, key) == 0) {
            return m->desc->options[i].default_value;
        }
    }
    return "";
}

static int64_t option_int(const weft_host *host, const char *key)
{
    return strtoll(option_text(host, key), NULL, 0);
}

static int32_t option_bool(const weft_host *host, const char *key)
{
    return strcmp(option_text(host, key), "yes") == 0;
}

static uint32_t on_syscall(void *context, weft_cpu_state *state, uint32_t lev)
{
    machine *m = context;
    m->syscalls++;
    m->syscall_pc = state->pc;
    m->syscall_lev = lev;
    m->syscall_retired = state->retired;
    if (m->callback_limit) {
        state->limit = m->callback_limit;
    }
    if (m->syscall_answer == WEFT_CPU_CONTINUE) {
        state->pc += 4;
        state->retired++;
    }
    return m->syscall_answer;
}

static void note_mmio(machine *m, weft_cpu_state *state, uint32_t address, uint32_t length,
                      uint32_t store, const uint8_t *bytes)
{
    if (m->mmio_count < 64) {
        machine_mmio *r = &m->mmio[m->mmio_count++];
        *r = (machine_mmio){.address = address,
                            .length = length,
                            .store = store,
                            .pc = state->pc,
                            .retired = state->retired};
        memcpy(r->bytes, bytes, length);
    }
    if (m->callback_limit) {
        state->limit = m->callback_limit;
    }
}

static uint32_t on_read(void *context, weft_cpu_state *state, uint32_t address, uint32_t length,
                        uint8_t *bytes)
{
    machine *m = context;
    memcpy(bytes, m->mmio_bytes, length);
    note_mmio(m, state, address, length, 0, bytes);
    return m->mmio_answer;
}

static uint32_t on_write(void *context, weft_cpu_state *state, uint32_t address, uint32_t length,
                         const uint8_t *bytes)
{
    machine *m = context;
    note_mmio(m, state, address, length, 1, bytes);
    return m->mmio_answer;
}

static uint64_t on_timebase(void *context, weft_cpu_state *state)
{
    machine *m = context;
    m->stack = (uintptr_t)__builtin_frame_address(0);
    return m->timebase;
}

static weft_status view_add(weft_memory *memory, const weft_view *view)
{
    return WEFT_OK; /* all of the space is there from the start */
}

machine *machine_bare(const weft_plugin_desc *desc)
{
    machine *m = calloc(1, sizeof *m);
    m->desc = desc;
    m->cpu = desc->ops;
    m->memory.size = sizeof m->memory;
    m->memory.impl = m;
    m->memory.base = mmap(NULL, SPACE + 4096, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    m->memory.access = calloc(WEFT_PAGE_COUNT, 1);
    m->memory.version = calloc(WEFT_PAGE_COUNT, 4);
    m->memory.view_add = view_add;
    m->memory.protect = protect;
    m->memory.mmio_add = mmio_add;
    m->memory.watch = watch;
    m->memory.listen = listen;
    m->memory.unlisten = unlisten;
    m->memory.written = written;
    m->host.size = sizeof m->host;
    m->host.impl = m;
    m->host.memory = &m->memory;
    m->host.fail = fail;
    m->host.option_text = option_text;
    m->host.option_int = option_int;
    m->host.option_bool = option_bool;
    m->calls.size = sizeof m->calls;
    m->calls.context = m;
    m->calls.syscall = on_syscall;
    m->calls.mmio_read = on_read;
    m->calls.mmio_write = on_write;
    m->calls.timebase = on_timebase;
    return m;
}

machine *machine_make(const weft_plugin_desc *desc)
{
    return machine_make_engine(desc, NULL);
}

machine *machine_make_engine(const weft_plugin_desc *desc, const char *engine_name)
{
    machine *m = machine_bare(desc);
    m->engine_name = engine_name;
    m->syscall_answer = WEFT_CPU_STOP;
    protect(&m->memory, MACHINE_CODE, MACHINE_SIZE, WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    protect(&m->memory, MACHINE_DATA, MACHINE_SIZE, WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    mmio_add(&m->memory, MACHINE_MMIO, 4096);
    m->code_at = MACHINE_CODE;
    if (desc->create(&m->host, &m->engine) != WEFT_OK ||
        m->cpu->attach(m->engine, &m->calls) != WEFT_OK ||
        m->cpu->state_create(m->engine, &m->state) != WEFT_OK) {
        fprintf(stderr, "machine: %s\n", m->failure);
        abort();
    }
    return m;
}

void machine_free(machine *m)
{
    m->cpu->state_destroy(m->engine, m->state);
    m->desc->destroy(m->engine);
    machine_bare_free(m);
}

void machine_bare_free(machine *m)
{
    munmap(m->memory.base, SPACE + 4096);
    free((void *)m->memory.access);
    free((void *)m->memory.version);
    free(m);
}

uint8_t *machine_at(machine *m, uint32_t address)
{
    return m->memory.base + address;
}

void machine_code(machine *m, const uint32_t *words, uint32_t count)
{
    uint32_t start = m->code_at;
    for (uint32_t i = 0; i < count; i++, m->code_at += 4) {
        weft_store32(machine_at(m, m->code_at), words[i]);
    }
    written(&m->memory, start, count * 4);
}

uint32_t machine_continue(machine *m, uint64_t instructions)
{
    m->cpu->reload(m->engine, m->state);
    m->state->limit = m->state->retired + instructions;
    uint32_t exit = m->cpu->run(m->engine, m->state);
    m->cpu->flush(m->engine, m->state);
    return exit;
}

uint32_t machine_run(machine *m, const uint32_t *words, uint32_t count)
{
    static const uint32_t end = WORD_SC;
    m->code_at = MACHINE_CODE;
    machine_code(m, words, count);
    machine_code(m, &end, 1);
    m->state->pc = MACHINE_CODE;
    return machine_continue(m, 100000);
}

void machine_vector(machine *m, unsigned n, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    weft_store32(m->state->v[n], a);
    weft_store32(m->state->v[n] + 4, b);
    weft_store32(m->state->v[n] + 8, c);
    weft_store32(m->state->v[n] + 12, d);
}

uint32_t machine_word(const machine *m, unsigned n, unsigned i)
{
    return weft_load32(m->state->v[n] + 4 * i);
}
