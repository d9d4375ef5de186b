/* CONTEXT: a thread's registers as exception handlers and RtlCaptureContext see them. */
#include <string.h>

#include "exception.h"
#include "exports.h"

bool kcontext_write(kernel *k, uint32_t address, const weft_cpu_state *state)
{
    if (!weft_memory_ok(k->memory, address, KCONTEXT_SIZE, WEFT_PAGE_WRITE)) {
        return false;
    }
    uint8_t *p = k->memory->base + address;
    memset(p, 0, KCONTEXT_SIZE);
    weft_store32(p + KCONTEXT_FLAGS, KCONTEXT_FULL);
    weft_store32(p + KCONTEXT_MSR, (uint32_t)state->msr);
    weft_store32(p + KCONTEXT_IAR, state->pc);
    weft_store32(p + KCONTEXT_LR, (uint32_t)state->lr);
    weft_store64(p + KCONTEXT_CTR, state->ctr);
    for (unsigned i = 0; i < 32; i++) {
        weft_store64(p + KCONTEXT_GPR + 8 * i, state->r[i]);
        weft_store64(p + KCONTEXT_FPR + 8 * i, state->f[i]);
    }
    weft_store32(p + KCONTEXT_CR, state->cr);
    weft_store32(p + KCONTEXT_XER, state->xer);
    weft_store32(p + KCONTEXT_FPSCR + 4, state->fpscr);
    weft_store32(p + KCONTEXT_VSCR + 12, state->vscr);
    memcpy(p + KCONTEXT_VR, state->v, sizeof state->v);
    kwritten(k, address, KCONTEXT_SIZE);
    return true;
}

bool kcontext_read(kernel *k, uint32_t address, weft_cpu_state *state)
{
    if (!weft_memory_ok(k->memory, address, KCONTEXT_SIZE, WEFT_PAGE_READ)) {
        return false;
    }
    const uint8_t *p = k->memory->base + address;
    uint32_t flags = weft_load32(p + KCONTEXT_FLAGS);
    if (flags & KCONTEXT_CONTROL) {
        state->pc = weft_load32(p + KCONTEXT_IAR) & ~3u;
        state->lr = weft_load32(p + KCONTEXT_LR);
        state->ctr = weft_load64(p + KCONTEXT_CTR);
    }
    if (flags & KCONTEXT_INTEGER) {
        for (unsigned i = 0; i < 32; i++) {
            state->r[i] = weft_load64(p + KCONTEXT_GPR + 8 * i);
        }
        state->cr = weft_load32(p + KCONTEXT_CR);
        state->xer = weft_load32(p + KCONTEXT_XER);
    }
    if (flags & KCONTEXT_FLOATING_POINT) {
        for (unsigned i = 0; i < 32; i++) {
            state->f[i] = weft_load64(p + KCONTEXT_FPR + 8 * i);
        }
        state->fpscr = weft_load32(p + KCONTEXT_FPSCR + 4);
    }
    if (flags & KCONTEXT_VECTOR) {
        state->vscr = weft_load32(p + KCONTEXT_VSCR + 12);
        memcpy(state->v, p + KCONTEXT_VR, sizeof state->v);
    }
    return true;
}

/* The caller's registers, with Iar behind its call. */
uint32_t ex_RtlCaptureContext(kcall *call)
{
    kernel *k = call->k;
    if (k->cpu->flush) {
        k->cpu->flush(k->cpu_instance, call->cpu);
    }
    weft_cpu_state state = *call->cpu;
    state.pc = call->caller;
    if (!kcontext_write(k, karg(call, 0), &state)) {
        kfault(call, karg(call, 0), true);
    }
    return K_DONE;
}
