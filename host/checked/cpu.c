/* cpu.c: the CPU's contract (weft/cpu.h), checked around each call. */
#include <fenv.h>

#include "checked.h"

static weft_status attach(void *self, const weft_cpu_host *calls)
{
    checked *c = self;
    checked_thread(c, "attach", WEFT_THREAD_MAIN | WEFT_THREAD_GUEST);
    CHECK(c, "attach", !c->attached, "called again (found 2 calls, expected 1)");
    CHECK(c, "attach", calls && calls->size <= sizeof *calls && calls->size >= 16,
          "callbacks have no size (found %u, expected %zu)", calls ? calls->size : 0,
          sizeof *calls);
    weft_status status = c->ops.cpu.attach(c->instance, calls);
    c->attached = status == WEFT_OK;
    return status;
}

static weft_status state_create(void *self, weft_cpu_state **state)
{
    checked *c = self;
    checked_thread(c, "state_create", WEFT_THREAD_MAIN | WEFT_THREAD_GUEST);
    CHECK(c, "state_create", c->attached,
          "called too early (found no attach, expected one before)");
    weft_status status = c->ops.cpu.state_create(c->instance, state);
    if (status == WEFT_OK) {
        const weft_cpu_state *s = *state;
        CHECK(c, "state_create", s != NULL, "made no state (found NULL, expected one)");
        CHECK(c, "state_create", s->msr == 0 && s->pc == 0 && s->retired == 0 && s->limit == 0,
              "state is not fresh (found msr %llx retired %llu, expected 0)",
              (unsigned long long)s->msr, (unsigned long long)s->retired);
        CHECK(c, "state_create", s->vscr == 0x00010000,
              "state is not fresh (found vscr 0x%08x, expected 0x00010000)", s->vscr);
    }
    return status;
}

static void state_destroy(void *self, weft_cpu_state *state)
{
    checked *c = self;
    checked_thread(c, "state_destroy", WEFT_THREAD_MAIN | WEFT_THREAD_GUEST);
    c->ops.cpu.state_destroy(c->instance, state);
}

static uint32_t cpu_run(void *self, weft_cpu_state *state)
{
    checked *c = self;
    checked_thread(c, "run", WEFT_THREAD_GUEST);
    CHECK(c, "run", c->attached, "called too early (found no attach, expected one before)");
    CHECK(c, "run", state->hw < 6, "state is on no hardware thread (found %u, expected 0 to 5)",
          state->hw);
    uint32_t bit = 1u << state->hw, running = atomic_fetch_or(&c->running, bit);
    CHECK(c, "run", !(running & bit), "entered from inside itself (found depth 2, expected 1)");
    int several = (c->ops.cpu.flags & WEFT_CPU_PARALLEL) &&
                  c->part->run->profile->machine.mode == WEFT_MODE_PARALLEL;
    CHECK(c, "run", !running || several,
          "entered for two states at once (found no WEFT_CPU_PARALLEL or no parallel mode, "
          "expected both)");
    uint64_t before = state->retired;
    uint32_t reason = c->ops.cpu.run(c->instance, state);
    atomic_fetch_and(&c->running, ~bit);
    CHECK(c, "run", reason <= WEFT_CPU_INTERRUPT, "unknown reason (found %u, expected 0 to %u)",
          reason, WEFT_CPU_INTERRUPT);
    CHECK(c, "run", state->retired >= before, "retired went back (found %llu, expected %llu)",
          (unsigned long long)state->retired, (unsigned long long)before);
    /* `limit` may have been lowered below what had retired already; never above it otherwise */
    CHECK(c, "run", reason != WEFT_CPU_LIMIT || state->retired >= state->limit,
          "LIMIT before the limit (found retired %llu, expected %llu)",
          (unsigned long long)state->retired, (unsigned long long)state->limit);
    CHECK(c, "run", fegetround() == FE_TONEAREST,
          "floating-point environment is not restored (found rounding mode %d, expected %d)",
          fegetround(), FE_TONEAREST);
    return reason;
}

static void flush(void *self, weft_cpu_state *state)
{
    checked *c = self;
    checked_thread(c, "flush", WEFT_THREAD_GUEST);
    c->ops.cpu.flush(c->instance, state);
}

static void reload(void *self, weft_cpu_state *state)
{
    checked *c = self;
    checked_thread(c, "reload", WEFT_THREAD_GUEST);
    c->ops.cpu.reload(c->instance, state);
}

static void reservation_clear(void *self, weft_cpu_state *state)
{
    checked *c = self;
    checked_thread(c, "reservation_clear", WEFT_THREAD_GUEST);
    c->ops.cpu.reservation_clear(c->instance, state);
    CHECK(c, "reservation_clear", state->reservation == 0,
          "reservation is still held (found %u, expected 0)", state->reservation);
}

static void disassemble(void *self, uint32_t address, uint32_t word, char *text, uint32_t capacity)
{
    checked *c = self;
    CHECK(c, "disassemble", capacity > 0, "no room (found 0 bytes, expected some)");
    c->ops.cpu.disassemble(c->instance, address, word, text, capacity);
}

void checked_cpu(role_ops *ops)
{
    ops->cpu.attach = attach;
    ops->cpu.state_create = state_create;
    ops->cpu.state_destroy = state_destroy;
    ops->cpu.run = cpu_run;
    ops->cpu.flush = flush;
    ops->cpu.reload = reload;
    ops->cpu.reservation_clear = reservation_clear;
    ops->cpu.disassemble = disassemble;
}
