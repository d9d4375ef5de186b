/* Guest exceptions, dispatched as NT dispatches them on machines with function tables: a search for
 * a frame whose handler takes the exception, then an unwind to it that runs termination handlers.
 *
 * Handlers are guest code, so neither phase is a host loop: each handler is a pushed guest frame
 * whose continuation takes the next step. The frames below which a walk has come are left where the
 * walk crosses the kernel's own call; other pushed calls (APCs, DllMain, callbacks) end it.
 *
 * What the console's code shows (an XDK sample's runtime): the establisher frame is the caller's
 * stack pointer; __C_ExecuteExceptionFilter calls a filter with r3 = EXCEPTION_POINTERS and r12 =
 * that frame, from which filters and termination handlers find their function's r31; an __except
 * block starts with the exception's code in r3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exception.h"
#include "exports.h"
#include "loader.h"
#include "unwind.h"

/* EXCEPTION_RECORD {code, flags, record, address, count, parameters[15]} and its flags (winnt.h) */
#define RECORD_SIZE    0x50
#define NONCONTINUABLE UINT32_C(0x01)
#define UNWINDING      UINT32_C(0x02)
#define EXIT_UNWIND    UINT32_C(0x04)
#define NESTED_CALL    UINT32_C(0x10)
#define TARGET_UNWIND  UINT32_C(0x20)
#define PARAMETERS_MAX 15

#define DISPOSITION_CONTINUE UINT32_C(0)
#define DISPOSITION_SEARCH   UINT32_C(1)
#define DISPOSITION_NESTED   UINT32_C(2)

/* What a dispatch keeps on the guest's stack. The dispatcher context begins as NT's does on RISC
 * machines {ControlPc, FunctionEntry, EstablisherFrame, ContextRecord}; ScopeIndex and TargetIp
 * behind them are the kernel's, as on x64. The function entry starts as in .pdata and goes on with
 * handler, data and the prologue's end, as the expanded form does. */
#define AREA_CONTEXT    0x000
#define AREA_RECORD     KCONTEXT_SIZE
#define AREA_DISPATCHER (AREA_RECORD + RECORD_SIZE)
#define AREA_FUNCTION   (AREA_DISPATCHER + 0x20)
#define AREA_SIZE       (AREA_FUNCTION + 0x20)
#define DC_CONTROL_PC   0
#define DC_FUNCTION     4
#define DC_FRAME        8
#define DC_CONTEXT      12
#define DC_SCOPE        16
#define DC_TARGET_IP    20

/* Prologues store below r1 before they move it: 152 bytes of r14-r31 and lr, 144 of f14-f31, 1,312
 * of vectors. A handler's frame stays clear of them. */
#define RED_ZONE 0x680
/* A caller's frame holds back chain, lr and the home of eight arguments up to 0x54(r1). */
#define CALL_ZONE 0x100
#define WALK_MAX  UINT32_C(262144) /* the least frame has 96 bytes: a stack of 24 MiB */
#define SCOPE_MAX UINT32_C(65536)

typedef struct kexception {
    struct kexception *outer; /* began earlier, still in progress */
    bool unwinding;
    uint32_t base;   /* pushed guest frames when it began; its handler's is the next */
    uint32_t floor;  /* its area lies below */
    uint32_t area;   /* guest address, 0: nothing written yet */
    uint32_t record; /* guest address, 0: `image` is to be written */
    uint32_t image[5 + PARAMETERS_MAX];
    weft_cpu_state origin; /* where it began */
    bool origin_called;

    /* the frame that is looked at, and its caller's */
    weft_cpu_state at, next;
    bool called;     /* at.pc is behind a call */
    uint32_t frames; /* pushed guest frames that the walk has not crossed */
    uint32_t steps;
    uint32_t scope; /* where a handler that was left is to go on */
    uint32_t control_pc, establisher;
    kfunction function;

    uint32_t target_frame, target_ip;
    uint64_t result;

    /* if nobody handles it */
    uint32_t report_pc, report_address, report_flags;
    char cause[128];
} kexception;

static uint32_t search_done(kcall *call, uint32_t status);
static uint32_t unwind_done(kcall *call, uint32_t status);
static uint32_t filter_done(kcall *call, uint32_t status);
static uint32_t finally_done(kcall *call, uint32_t status);
static uint32_t unwind(kcall *call, kexception *e);

/* ---- life --------------------------------------------------------------------------------------
 */

static void drop(kthread *thread, uint32_t base)
{
    while (thread->exceptions && thread->exceptions->base >= base) {
        kexception *e = thread->exceptions;
        thread->exceptions = e->outer;
        free(e);
    }
}

void kexception_free(kthread *thread)
{
    drop(thread, 0);
}

static void flush(kernel *k, kthread *thread)
{
    if (k->cpu->flush) {
        k->cpu->flush(k->cpu_instance, thread->cpu);
    }
}

/* A new exception of the running thread, at its present registers. NULL: out of memory. */
static kexception *begin(kernel *k, kthread *thread, bool called)
{
    kexception *e = calloc(1, sizeof *e);
    if (!e) {
        kend(k, WEFT_END_PLUGIN, 0, "kernel-hle: out of memory for a guest exception");
        return NULL;
    }
    flush(k, thread);
    e->outer = thread->exceptions;
    thread->exceptions = e;
    e->base = e->frames = thread->frame_count;
    e->origin = e->at = *thread->cpu;
    e->origin_called = e->called = called;
    e->floor = (uint32_t)thread->cpu->r[1] - RED_ZONE;
    e->report_pc = thread->cpu->pc;
    return e;
}

/* Nobody handles it: the run ends. */
static uint32_t give_up(kcall *call, kexception *e)
{
    char cause[sizeof e->cause];
    memcpy(cause, e->cause, sizeof cause);
    uint32_t address = e->report_address, flags = e->report_flags;
    call->cpu->pc = e->report_pc;
    drop(call->thread, e->base);
    kcall_exception(call->k, call->thread, cause, address, flags);
    return K_GONE;
}

/* Registers of `state` become the thread's; who runs, and for how long, stays. */
static uint32_t resume(kcall *call, const weft_cpu_state *state)
{
    kernel *k = call->k;
    weft_cpu_state *cpu = call->cpu, now = *cpu;
    *cpu = *state;
    cpu->msr = now.msr;
    cpu->retired = now.retired;
    cpu->limit = now.limit;
    cpu->hw = now.hw;
    cpu->pending = now.pending;
    cpu->interrupt = now.interrupt;
    cpu->reservation = 0;
    cpu->r[13] = now.r[13];
    if (k->cpu->reload) {
        k->cpu->reload(k->cpu_instance, cpu);
    }
    kcharge(k, k->machine->call_cost);
    return K_FRAME;
}

/* ---- the walk ----------------------------------------------------------------------------------
 */

static kexception *owner(kthread *thread, uint32_t base)
{
    kexception *e = thread->exceptions;
    while (e && e->base != base) {
        e = e->outer;
    }
    return e;
}

/* Where pushed guest code would return to the kernel: goes on in what the kernel interrupted, if
 * that was an exception of this file. */
static bool cross(kernel *k, kthread *thread, kexception *e)
{
    if (e->frames == 0) {
        return false;
    }
    const kframe *frame = thread->frames[e->frames - 1];
    const kexception *o = owner(thread, e->frames - 1);
    if (frame->cont == filter_done || frame->cont == finally_done) {
        e->at = frame->saved; /* in __C_specific_handler's thunk */
        e->called = false;
    } else if (frame->cont == search_done && o) {
        e->at = o->origin;
        e->called = o->origin_called;
    } else if (frame->cont == unwind_done && o) {
        /* collided: the frames up to this one have been unwound */
        uint32_t at = o->area + AREA_DISPATCHER + DC_SCOPE;
        e->at = o->at;
        e->called = o->called;
        e->scope = weft_memory_ok(k->memory, at, 4, WEFT_PAGE_READ)
                       ? weft_load32(k->memory->base + at)
                       : 0;
    } else {
        return false;
    }
    e->frames--;
    return true;
}

/* Finds the function of e->at, or of the next frame that has one, and its caller's registers.
 * False: the stack ends here. */
static bool find_frame(kernel *k, kthread *thread, kexception *e)
{
    while (e->steps++ < WALK_MAX) {
        uint32_t pc = e->at.pc;
        if (pc == k->return_thunk) {
            if (!cross(k, thread, e)) {
                return false;
            }
            continue;
        }
        e->control_pc = e->called ? pc - 4 : pc;
        const kmodule *m = kimage_around(k, e->control_pc);
        kfunction_table table;
        if (!m || !kunwind_table(k->memory, m->base, m->size, &table) ||
            !kunwind_lookup(&table, e->control_pc, &e->function)) {
            if (e->called) {
                return false;
            }
            e->at.pc = (uint32_t)e->at.lr & ~3u; /* a leaf */
            e->called = true;
            continue;
        }
        bool again;
        e->next = e->at;
        if (!kunwind_frame(&table, &e->function, e->called, &e->next, &again)) {
            return false;
        }
        if (again) {
            e->at = e->next;
            continue;
        }
        e->establisher = (uint32_t)e->next.r[1];
        uint32_t present = (uint32_t)e->at.r[1];
        return e->establisher > present || (e->establisher == present && !e->called);
    }
    return false;
}

static void next_frame(kexception *e)
{
    e->at = e->next;
    e->called = true;
    e->scope = 0;
}

/* ---- calling a handler -------------------------------------------------------------------------
 */

/* Makes room on the stack; false: it is full, or no stack. */
static bool make_area(kernel *k, kexception *e)
{
    if (!e->area) {
        uint32_t area = (e->floor - AREA_SIZE) & ~15u;
        if (!weft_memory_ok(k->memory, area - 2 * CALL_ZONE, AREA_SIZE + 2 * CALL_ZONE,
                            WEFT_PAGE_READ | WEFT_PAGE_WRITE)) {
            return false;
        }
        e->area = area;
        memset(k->memory->base + area, 0, AREA_SIZE);
        if (!e->record) {
            e->record = area + AREA_RECORD;
            for (unsigned i = 0; i < 5 + PARAMETERS_MAX; i++) {
                weft_store32(k->memory->base + e->record + 4 * i, e->image[i]);
            }
        }
        kwritten(k, area, AREA_SIZE);
    }
    return weft_memory_ok(k->memory, e->area, AREA_SIZE, WEFT_PAGE_READ | WEFT_PAGE_WRITE) &&
           weft_memory_ok(k->memory, e->record, RECORD_SIZE, WEFT_PAGE_READ | WEFT_PAGE_WRITE);
}

static uint32_t record_flags(kernel *k, const kexception *e)
{
    return weft_load32(k->memory->base + e->record + 4);
}

static void put_flags(kernel *k, const kexception *e, uint32_t flags)
{
    weft_store32(k->memory->base + e->record + 4, flags);
    kwritten(k, e->record + 4, 4);
}

/* Pushes handler(record, establisher frame, context, dispatcher context) of the present frame. */
static uint32_t call_handler(kcall *call, kexception *e, kcontinuation cont)
{
    kernel *k = call->k;
    uint8_t *base = k->memory->base;
    uint32_t dispatcher = e->area + AREA_DISPATCHER, entry = e->area + AREA_FUNCTION;
    if (e->unwinding) {
        kcontext_write(k, e->area + AREA_CONTEXT, &e->at);
    }
    const uint32_t dc[6] = {
        e->control_pc, entry, e->establisher, e->area + AREA_CONTEXT, e->scope, e->target_ip,
    };
    const uint32_t function[5] = {
        e->function.begin, e->function.word,     e->function.handler,
        e->function.data,  e->function.prologue,
    };
    for (unsigned i = 0; i < 6; i++) {
        weft_store32(base + dispatcher + 4 * i, dc[i]);
    }
    for (unsigned i = 0; i < 5; i++) {
        weft_store32(base + entry + 4 * i, function[i]);
    }
    kwritten(k, dispatcher, AREA_SIZE - AREA_DISPATCHER);
    const uint64_t arguments[4] = {
        e->record,
        e->establisher,
        e->area + AREA_CONTEXT,
        dispatcher,
    };
    uint32_t answer = kframe_push(call, e->function.handler & ~3u, arguments, 4, cont);
    if (answer == K_FRAME) {
        call->cpu->r[1] = e->area - CALL_ZONE;
    }
    return answer;
}

/* ---- searching ---------------------------------------------------------------------------------
 */

/* Goes on from the present frame until a handler is called or the stack ends. */
static uint32_t search(kcall *call, kexception *e)
{
    kernel *k = call->k;
    while (find_frame(k, call->thread, e)) {
        if (e->function.handler) {
            bool fresh = !e->area;
            if (!make_area(k, e) ||
                (fresh && !kcontext_write(k, e->area + AREA_CONTEXT, &e->origin))) {
                break;
            }
            if (e->frames < e->base) {
                put_flags(k, e, record_flags(k, e) | NESTED_CALL);
            }
            return call_handler(call, e, search_done);
        }
        next_frame(e);
    }
    return give_up(call, e);
}

static void emit_exception(kcall *call, uint32_t code, uint32_t address, uint32_t flags)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_EXCEPTION);
    weft_event_word(&event, code);
    weft_event_word(&event, address);
    weft_event_word(&event, flags);
    kemit(call->k, call->thread, &event);
}

/* The exception that e's image describes is raised. */
static uint32_t raise(kcall *call, kexception *e)
{
    emit_exception(call, e->image[0], e->image[3], e->image[1]);
    return search(call, e);
}

/* The exception's own handling went wrong: it becomes the cause of another one. */
static uint32_t raise_status(kcall *call, kexception *old, uint32_t status)
{
    uint32_t record = old->record, floor = old->area ? old->area - CALL_ZONE : old->floor;
    char what[24];
    snprintf(what, sizeof what, "0x%08x", status);
    drop(call->thread, old->base);
    kexception *e = begin(call->k, call->thread, false);
    if (!e) {
        return K_GONE;
    }
    e->floor = floor < e->floor ? floor : e->floor;
    e->image[0] = status;
    e->image[1] = NONCONTINUABLE;
    e->image[2] = record;
    e->image[3] = e->origin.pc;
    snprintf(e->cause, sizeof e->cause, "exception %s while handling another", what);
    return raise(call, e);
}

/* The exception whose handler has returned; NULL, and the end of the run: it is none. */
static kexception *returned(kcall *call, bool unwinding)
{
    kthread *thread = call->thread;
    drop(thread, thread->frame_count + 1);
    kexception *e = thread->exceptions;
    if (!e || e->base != thread->frame_count || e->unwinding != unwinding ||
        !make_area(call->k, e)) {
        kcall_exception(call->k, thread, "an exception handler returned to nothing", call->cpu->pc,
                        0);
        return NULL;
    }
    return e;
}

static uint32_t search_done(kcall *call, uint32_t status)
{
    kernel *k = call->k;
    kexception *e = returned(call, false);
    if (!e) {
        return K_GONE;
    }
    switch (status) {
    case DISPOSITION_CONTINUE:
        if (record_flags(k, e) & NONCONTINUABLE) {
            return raise_status(call, e, STATUS_NONCONTINUABLE_EXCEPTION);
        }
        weft_cpu_state state = e->origin;
        kcontext_read(k, e->area + AREA_CONTEXT, &state);
        drop(call->thread, e->base);
        return resume(call, &state);
    case DISPOSITION_SEARCH:
    case DISPOSITION_NESTED:
        next_frame(e);
        return search(call, e);
    default:
        return raise_status(call, e, STATUS_INVALID_DISPOSITION);
    }
}

/* ---- unwinding ---------------------------------------------------------------------------------
 */

/* The target frame is reached: everything below it is gone. */
static uint32_t arrive(kcall *call, kexception *e)
{
    kthread *thread = call->thread;
    weft_cpu_state state = e->at;
    state.pc = e->target_ip & ~3u;
    state.r[3] = e->result;
    while (thread->frame_count > e->frames) {
        free(thread->frames[--thread->frame_count]);
    }
    drop(thread, thread->frame_count);
    return resume(call, &state);
}

static uint32_t unwind(kcall *call, kexception *e)
{
    kernel *k = call->k;
    while (find_frame(k, call->thread, e)) {
        if (e->target_frame && e->establisher > e->target_frame) {
            return raise_status(call, e, STATUS_INVALID_UNWIND_TARGET);
        }
        bool last = e->establisher == e->target_frame;
        if (e->function.handler) {
            if (!make_area(k, e)) {
                break;
            }
            put_flags(k, e,
                      (record_flags(k, e) & ~(TARGET_UNWIND | EXIT_UNWIND)) | UNWINDING |
                          (last ? TARGET_UNWIND : 0) | (e->target_frame ? 0 : EXIT_UNWIND));
            return call_handler(call, e, unwind_done);
        }
        if (last) {
            return arrive(call, e);
        }
        next_frame(e);
    }
    return give_up(call, e);
}

static uint32_t unwind_done(kcall *call, uint32_t status)
{
    kexception *e = returned(call, true);
    if (!e) {
        return K_GONE;
    }
    if (status != DISPOSITION_SEARCH) {
        return raise_status(call, e, STATUS_INVALID_DISPOSITION);
    }
    if (e->establisher == e->target_frame) {
        return arrive(call, e);
    }
    next_frame(e);
    return unwind(call, e);
}

/* Unwinds to the frame, and goes on there at `ip` with `result` in r3. `called`: the call's pc lies
 * behind the call already. Without a record one of STATUS_UNWIND serves. */
static uint32_t unwind_to(kcall *call, bool called, uint32_t frame, uint32_t ip, uint32_t record,
                          uint64_t result)
{
    kexception *e = begin(call->k, call->thread, called);
    if (!e) {
        return K_GONE;
    }
    e->unwinding = true;
    e->target_frame = frame;
    e->target_ip = ip;
    e->result = result;
    e->record = record;
    e->image[0] = STATUS_UNWIND;
    e->image[3] = e->origin.pc;
    e->report_address = frame;
    snprintf(e->cause, sizeof e->cause, "unwind to a frame that is not on the stack");
    return unwind(call, e);
}

/* The caller's registers are those behind its call. */
static void step_over(kcall *call)
{
    call->cpu->pc = call->caller & ~3u;
    call->cpu->retired++;
}

uint32_t ex_RtlUnwind(kcall *call)
{
    uint32_t frame = karg(call, 0), ip = karg(call, 1), record = karg(call, 2);
    uint64_t result = karg64(call, 3);
    step_over(call);
    return unwind_to(call, true, frame, ip, record, result);
}

/* RtlUnwind with a CONTEXT to work in, which this one does not need. */
uint32_t ex_RtlUnwind2(kcall *call)
{
    return ex_RtlUnwind(call);
}

/* ---- raising -----------------------------------------------------------------------------------
 */

/* The record is the caller's; 0x406D1388 with parameters {0x1000, name, thread id, flags} only
 * tells a debugger a thread's name (Microsoft, "How to: Set a Thread Name in Native Code"). */
uint32_t ex_RtlRaiseException(kcall *call)
{
    uint32_t record = karg(call, 0), code = kget32(call, record);
    uint32_t raised_flags = kget32(call, record + 4);
    if (code == UINT32_C(0x406D1388)) {
        if (!call->faulted) {
            emit_exception(call, code, call->caller, raised_flags);
        }
        return K_DONE;
    }
    uint32_t address = kget32(call, record + 12);
    kput32(call, record + 12, call->caller);
    if (call->faulted || !kwrite(call, record, RECORD_SIZE)) {
        return K_DONE;
    }
    step_over(call);
    kexception *e = begin(call->k, call->thread, true);
    if (!e) {
        return K_GONE;
    }
    e->record = record;
    e->report_address = address;
    snprintf(e->cause, sizeof e->cause, "exception 0x%08x raised", code);
    emit_exception(call, code, call->caller, raised_flags);
    return search(call, e);
}

uint32_t ex_RtlRaiseStatus(kcall *call)
{
    uint32_t status = karg(call, 0);
    step_over(call);
    kexception *e = begin(call->k, call->thread, true);
    if (!e) {
        return K_GONE;
    }
    e->image[0] = status;
    e->image[1] = NONCONTINUABLE;
    e->image[3] = call->caller;
    snprintf(e->cause, sizeof e->cause, "exception 0x%08x raised", status);
    return raise(call, e);
}

static void describe(kexception *e, const char *cause, uint32_t address, uint32_t flags)
{
    snprintf(e->cause, sizeof e->cause, "%s", cause);
    e->report_address = address;
    e->report_flags = flags;
}

/* {0 load or 1 store, address}, as for all of NT's access violations. */
static void set_access(kexception *e, uint32_t code, uint32_t address, uint32_t flags)
{
    e->image[0] = code;
    e->image[4] = 2;
    e->image[5] = flags & WEFT_FAULT_STORE ? 1 : 0;
    e->image[6] = address;
}

uint32_t kexception_call(kcall *call)
{
    kexception *e = begin(call->k, call->thread, false);
    if (!e) {
        return K_GONE;
    }
    uint32_t flags = call->fault_store ? WEFT_FAULT_STORE : 0;
    e->image[3] = e->origin.pc;
    e->report_pc = call->caller; /* who passed the pointer */
    set_access(e, STATUS_ACCESS_VIOLATION, call->fault_address, flags);
    describe(e, "access violation in a kernel call", call->fault_address, flags);
    return raise(call, e);
}

/* Compilers trap with `twllei rN,0` where a divisor is zero, and with `twlgei rN,-1` where a
 * quotient overflows (an XDK sample's code: all its trap instructions but the debug services). */
static uint32_t trap_status(kernel *k, const weft_cpu_state *state)
{
    if (!weft_memory_ok(k->memory, state->pc, 4, WEFT_PAGE_READ)) {
        return STATUS_BREAKPOINT;
    }
    uint32_t word = weft_load32(k->memory->base + state->pc);
    uint32_t opcode = word >> 26, to = word >> 21 & 31;
    if (opcode == 2 || opcode == 3) {
        if (to == 6 && (word & 0xFFFF) == 0) {
            return STATUS_INTEGER_DIVIDE_BY_ZERO;
        }
        if (to == 5 && (word & 0xFFFF) == 0xFFFF) {
            return STATUS_INTEGER_OVERFLOW;
        }
    }
    return STATUS_BREAKPOINT;
}

/* Of the exceptions that FPSCR shows and enables: VX, OX, UX, ZX, XX at bits 2-6, their enables at
 * 24-28 (PowerISA 2.03, 4.2.2). */
static uint32_t fp_status(const weft_cpu_state *state)
{
    static const uint32_t statuses[5] = {
        STATUS_FLOAT_INVALID_OPERATION, STATUS_FLOAT_OVERFLOW,       STATUS_FLOAT_UNDERFLOW,
        STATUS_FLOAT_DIVIDE_BY_ZERO,    STATUS_FLOAT_INEXACT_RESULT,
    };
    uint32_t raised = state->fpscr >> 25 & state->fpscr >> 3 & 31;
    for (unsigned i = 0; i < 5; i++) {
        if (raised & 16 >> i) {
            return statuses[i];
        }
    }
    return STATUS_FLOAT_INVALID_OPERATION;
}

void kexception_cpu(kernel *k, kthread *thread, uint32_t reason, const char *cause)
{
    kexception *e = begin(k, thread, false);
    if (!e) {
        return;
    }
    weft_cpu_state *cpu = thread->cpu;
    e->image[3] = cpu->pc;
    describe(e, cause, cpu->fault_address, cpu->fault_flags);
    switch (reason) {
    case WEFT_CPU_FAULT:
        set_access(e, STATUS_ACCESS_VIOLATION, cpu->fault_address, cpu->fault_flags);
        break;
    case WEFT_CPU_ALIGNMENT:
        set_access(e, STATUS_DATATYPE_MISALIGNMENT, cpu->fault_address, cpu->fault_flags);
        break;
    case WEFT_CPU_PRIVILEGED:
        e->image[0] = STATUS_PRIVILEGED_INSTRUCTION;
        break;
    case WEFT_CPU_TRAP:
        e->image[0] = trap_status(k, cpu);
        break;
    case WEFT_CPU_FP:
        e->image[0] = fp_status(cpu);
        break;
    default:
        e->image[0] = STATUS_ILLEGAL_INSTRUCTION;
        break;
    }
    kcall call = {.k = k, .thread = thread, .cpu = cpu, .caller = cpu->pc};
    raise(&call, e);
}

/* ---- __C_specific_handler ----------------------------------------------------------------------
 */

/* Handler data: {count, {begin, end, handler, target}...}, innermost scope first. With a target the
 * handler is a filter and the target its __except block; without one it is a termination handler. A
 * filter of 1 is a constant. */
typedef struct scope_entry {
    uint32_t begin, end, handler, target;
} scope_entry;

static uint32_t scope_count(kcall *call, uint32_t *table)
{
    uint32_t entry = kget32(call, karg(call, 3) + DC_FUNCTION);
    uint32_t begin = kget32(call, entry);
    *table = kget32(call, begin - 4);
    uint32_t count = call->faulted ? 0 : kget32(call, *table);
    return count < SCOPE_MAX ? count : SCOPE_MAX;
}

static scope_entry scope_at(kcall *call, uint32_t table, uint32_t index)
{
    uint32_t at = table + 4 + 16 * index;
    return (scope_entry){
        kget32(call, at),
        kget32(call, at + 4),
        kget32(call, at + 8),
        kget32(call, at + 12),
    };
}

/* Runs an __except block: unwinds to the frame, with the exception's code as result. */
static uint32_t execute_handler(kcall *call, const scope_entry *scope)
{
    uint32_t record = karg(call, 0), code = kget32(call, record);
    return call->faulted ? K_DONE
                         : unwind_to(call, false, karg(call, 1), scope->target, record, code);
}

/* Pushes a filter(pointers) or a termination handler(abnormal, frame), each with r12 = frame. */
static uint32_t call_scope(kcall *call, uint32_t index, const scope_entry *scope, uint32_t first,
                           kcontinuation cont)
{
    uint64_t frame = karg(call, 1);
    const uint64_t arguments[2] = {first, frame};
    call->thread->cont_data[0] = index;
    uint32_t answer = kframe_push(call, scope->handler & ~3u, arguments, 2, cont);
    if (answer == K_FRAME) {
        call->cpu->r[12] = frame;
    }
    return answer;
}

static uint32_t filter_scopes(kcall *call, uint32_t index)
{
    uint32_t control_pc = kget32(call, karg(call, 3) + DC_CONTROL_PC), table;
    uint32_t count = scope_count(call, &table);
    for (; index < count && !call->faulted; index++) {
        scope_entry scope = scope_at(call, table, index);
        if (control_pc < scope.begin || control_pc >= scope.end || !scope.target) {
            continue;
        }
        if (scope.handler == 1) {
            return execute_handler(call, &scope);
        }
        uint32_t pointers = ((uint32_t)call->cpu->r[1] - 0x20) & ~15u;
        kput32(call, pointers, karg(call, 0));
        kput32(call, pointers + 4, karg(call, 2));
        return call->faulted ? K_DONE : call_scope(call, index, &scope, pointers, filter_done);
    }
    return kret(call, DISPOSITION_SEARCH);
}

static uint32_t filter_done(kcall *call, uint32_t status)
{
    uint32_t index = (uint32_t)call->thread->cont_data[0], table;
    if ((int32_t)status < 0) {
        return kret(call, DISPOSITION_CONTINUE);
    }
    if (status == 0) {
        return filter_scopes(call, index + 1);
    }
    uint32_t count = scope_count(call, &table);
    scope_entry scope = index < count ? scope_at(call, table, index) : (scope_entry){0};
    return call->faulted ? K_DONE : execute_handler(call, &scope);
}

static uint32_t finally_scopes(kcall *call, uint32_t index)
{
    uint32_t dispatcher = karg(call, 3), table;
    uint32_t control_pc = kget32(call, dispatcher + DC_CONTROL_PC);
    uint32_t target_ip = kget32(call, dispatcher + DC_TARGET_IP);
    bool at_target = (kget32(call, karg(call, 0) + 4) & TARGET_UNWIND) != 0;
    uint32_t count = scope_count(call, &table);
    for (; index < count && !call->faulted; index++) {
        scope_entry scope = scope_at(call, table, index);
        if (control_pc < scope.begin || control_pc >= scope.end) {
            continue;
        }
        /* what also holds the target is not left */
        if (at_target && ((target_ip >= scope.begin && target_ip < scope.end) ||
                          (scope.target && scope.target == target_ip))) {
            break;
        }
        if (!scope.target) {
            kput32(call, dispatcher + DC_SCOPE, index + 1);
            return call->faulted ? K_DONE : call_scope(call, index, &scope, 1, finally_done);
        }
    }
    return kret(call, DISPOSITION_SEARCH);
}

static uint32_t finally_done(kcall *call, uint32_t status)
{
    (void)status;
    return finally_scopes(call, (uint32_t)call->thread->cont_data[0] + 1);
}

/* (record, establisher frame, context, dispatcher context): answers a disposition in r3. */
uint32_t ex___C_specific_handler(kcall *call)
{
    uint32_t index = kget32(call, karg(call, 3) + DC_SCOPE);
    if (call->faulted) {
        return K_DONE;
    }
    return kget32(call, karg(call, 0) + 4) & (UNWINDING | EXIT_UNWIND) ? finally_scopes(call, index)
                                                                       : filter_scopes(call, index);
}
