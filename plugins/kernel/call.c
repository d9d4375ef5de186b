/* Calls from the guest into the kernel: thunks, arguments, exports, pushed guest frames.
 *
 * A thunk is 16 bytes of guest memory: `sc`, `blr`, its index in kernel.thunks, zero. It is
 * callable by `bl` as well as by pointer. The import thunks in an image branch to one, or are one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exception.h"
#include "exports.h"
#include "order.h"
#include "uncontended.h"

#define INSN_SC     UINT32_C(0x44000002)
#define INSN_BLR    UINT32_C(0x4E800020)
#define THUNK_CHUNK 4096

/* ---- the table ---------------------------------------------------------------------------------
 */

#define FULL     KEXPORT_FULL
#define PARTIAL  KEXPORT_PARTIAL
#define MISSING  KEXPORT_MISSING
#define VARIABLE KEXPORT_VARIABLE
#define KRNL     KMODULE_KRNL
#define XAM      KMODULE_XAM
#define XBDM     KMODULE_XBDM

#define FN_FULL(name)     ex_##name
#define FN_PARTIAL(name)  ex_##name
#define FN_MISSING(name)  NULL
#define FN_VARIABLE(name) NULL

static const kexport rows[] = {
#define EXPORT(module, ordinal, name, signature, status, remark)                                   \
    {ordinal, module, status, #name, signature, remark, FN_##status(name)},
#include "exports.def"
#undef EXPORT
};

#define ROW_COUNT ((uint32_t)(sizeof rows / sizeof rows[0]))

static const char *const module_names[] = {"xboxkrnl.exe", "xam.xex", "xbdm.xex"};

const char *kexport_library(unsigned module)
{
    return module_names[module];
}

const kexport *kexport_rows(uint32_t *count)
{
    *count = ROW_COUNT;
    return rows;
}

const kexport *kexport_find(unsigned module, unsigned ordinal)
{
    for (uint32_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].module == module && rows[i].ordinal == ordinal) {
            return &rows[i];
        }
    }
    return NULL;
}

const kexport *kexport_named(unsigned module, const char *name)
{
    for (uint32_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].module == module && strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* ---- arguments and guest memory ----------------------------------------------------------------
 */

uint64_t karg64(kcall *call, unsigned n)
{
    if (n < 8) {
        return call->cpu->r[3 + n];
    }
    return kget64(call, (uint32_t)call->cpu->r[1] + 0x50 + 8 * (n - 8));
}

uint32_t karg(kcall *call, unsigned n)
{
    return (uint32_t)karg64(call, n);
}

double karg_double(kcall *call, unsigned n)
{
    double value;
    memcpy(&value, &call->cpu->f[1 + n], sizeof value);
    return value;
}

uint32_t kret64(kcall *call, uint64_t value)
{
    call->cpu->r[3] = value;
    return K_DONE;
}

uint32_t kret(kcall *call, uint32_t value)
{
    return kret64(call, value);
}

uint32_t kret_status(kcall *call, kstatus status)
{
    return kret64(call, (uint64_t)(int64_t)(int32_t)status);
}

void kfault(kcall *call, uint32_t address, bool store)
{
    if (!call->faulted) {
        call->faulted = true;
        call->fault_address = address;
        call->fault_store = store;
    }
}

const void *kread(kcall *call, uint32_t address, uint32_t length)
{
    if (!weft_memory_ok(call->k->memory, address, length, WEFT_PAGE_READ)) {
        kfault(call, address, false);
        return NULL;
    }
    return call->k->memory->base + address;
}

void *kwrite(kcall *call, uint32_t address, uint32_t length)
{
    if (!weft_memory_ok(call->k->memory, address, length, WEFT_PAGE_WRITE)) {
        kfault(call, address, true);
        return NULL;
    }
    return call->k->memory->base + address;
}

void kwritten(kernel *k, uint32_t address, uint32_t length)
{
    k->memory->written(k->memory, address, length);
}

uint8_t kget8(kcall *call, uint32_t address)
{
    const uint8_t *p = kread(call, address, 1);
    return p ? *p : 0;
}

uint16_t kget16(kcall *call, uint32_t address)
{
    const void *p = kread(call, address, 2);
    return p ? weft_load16(p) : 0;
}

uint32_t kget32(kcall *call, uint32_t address)
{
    const void *p = kread(call, address, 4);
    return p ? weft_load32(p) : 0;
}

uint64_t kget64(kcall *call, uint32_t address)
{
    const void *p = kread(call, address, 8);
    return p ? weft_load64(p) : 0;
}

void kput8(kcall *call, uint32_t address, uint8_t value)
{
    uint8_t *p = kwrite(call, address, 1);
    if (p) {
        *p = value;
        kwritten(call->k, address, 1);
    }
}

void kput16(kcall *call, uint32_t address, uint16_t value)
{
    void *p = kwrite(call, address, 2);
    if (p) {
        weft_store16(p, value);
        kwritten(call->k, address, 2);
    }
}

void kput32(kcall *call, uint32_t address, uint32_t value)
{
    void *p = kwrite(call, address, 4);
    if (p) {
        weft_store32(p, value);
        kwritten(call->k, address, 4);
    }
}

void kput64(kcall *call, uint32_t address, uint64_t value)
{
    void *p = kwrite(call, address, 8);
    if (p) {
        weft_store64(p, value);
        kwritten(call->k, address, 8);
    }
}

static uint32_t get_bytes(kcall *call, uint32_t address, uint32_t limit, char *text,
                          uint32_t capacity)
{
    uint32_t length = 0;
    while (length + 1 < capacity && length < limit) {
        char c = (char)kget8(call, address + length);
        if (c == 0 || call->faulted) {
            break;
        }
        text[length++] = c;
    }
    text[length] = 0;
    return length;
}

uint32_t kget_string(kcall *call, uint32_t address, char *text, uint32_t capacity)
{
    return get_bytes(call, address, UINT32_MAX, text, capacity);
}

uint32_t kget_ansi(kcall *call, uint32_t address, char *text, uint32_t capacity)
{
    uint16_t length = kget16(call, address);
    uint32_t buffer = kget32(call, address + 4);
    return get_bytes(call, buffer, length, text, capacity);
}

/* ---- events ------------------------------------------------------------------------------------
 */

void kemit(kernel *k, const kthread *thread, weft_event_buffer *event)
{
    weft_event *head = &event->head;
    head->tick = k->running_hw ? k->running_hw->time : k->clock->now(k->clock);
    head->thread = k->acting;
    if (thread) {
        head->thread = thread->id;
        head->tid = thread->tid;
        /* one that has just been moved runs on where it is until its call is over */
        head->hw = (uint8_t)(thread == k->running ? thread->cpu->hw : thread->hw);
        head->cycle = kthread_retired(thread);
    }
    k->host->emit(k->host, head);
    if (thread && head->category == WEFT_CLASS_GUEST) {
        ((kthread *)thread)->events = head->index + 1; /* const: of what a guest can see */
    }
}

static uint64_t export_identity(kernel *k, kthunk_entry *thunk)
{
    if (thunk->id == 0) {
        char text[512];
        const char *library = module_names[thunk->module];
        const char *known = kexport_ordinal_name(thunk->module, thunk->ordinal);
        const char *name = thunk->row ? thunk->row->name : known ? known : "?";
        /* "ret(a:t,b:t)" becomes "(a,b)": names for the trace's args */
        char arguments[256];
        size_t used = 0;
        const char *s = thunk->row ? strchr(thunk->row->signature, '(') : NULL;
        for (bool in_type = false; s && *s && used + 2 < sizeof arguments; s++) {
            in_type = *s == ':' ? true : (*s == ',' || *s == ')') ? false : in_type;
            if (!in_type && *s != ' ') {
                arguments[used++] = *s;
            }
        }
        arguments[used] = 0;
        snprintf(text, sizeof text, "%s!%s%s#%u", library, name, used ? arguments : "()",
                 thunk->ordinal);
        thunk->id = k->host->define(k->host, "export", text);
    }
    return thunk->id;
}

/* Counts a signature's named arguments and notes those of type q and d. */
static void read_signature(kthunk_entry *thunk)
{
    const char *s = thunk->row ? strchr(thunk->row->signature, '(') : NULL;
    while (s && *s != ')' && s[1] != ')' && s[1] != '.' && thunk->argument_count < KARGUMENTS) {
        s++;
        size_t length = strcspn(s, ",)");
        thunk->wide |= (uint32_t)(s[length - 1] == 'q') << thunk->argument_count;
        thunk->real |= (uint32_t)(s[length - 1] == 'd') << thunk->argument_count;
        thunk->argument_count++;
        s += length;
    }
}

/* The arguments as the export takes them, and nothing else of the registers: what lies in those
 * behind the last one is left from earlier calls. */
static unsigned read_arguments(kcall *call, const kthunk_entry *thunk, uint64_t *arguments)
{
    bool stack = weft_memory_ok(call->k->memory, (uint32_t)call->cpu->r[1], 0xA0, WEFT_PAGE_READ);
    unsigned reals = 0;
    for (unsigned i = 0; i < thunk->argument_count; i++) {
        uint64_t value = i < 8 || stack ? karg64(call, i) : 0;
        if (thunk->real >> i & 1) {
            memcpy(&arguments[i], &call->cpu->f[1 + reals++], sizeof arguments[i]);
        } else {
            arguments[i] = thunk->wide >> i & 1 ? value : (uint32_t)value;
        }
    }
    return thunk->argument_count;
}

static void emit_call(kcall *call, const uint64_t *arguments, unsigned count)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_KERNEL_CALL);
    weft_event_word(&event, call->export_id);
    weft_event_array(&event, arguments, count);
    weft_event_text(&event, call->path, strlen(call->path));
    kemit(call->k, call->thread, &event);
}

static void emit_return(kcall *call)
{
    weft_event_buffer event;
    bool is_void = call->export->signature[0] == 'v';
    weft_event_begin(&event, is_void ? WEFT_EVENT_KERNEL_RETURN_VOID : WEFT_EVENT_KERNEL_RETURN);
    weft_event_word(&event, call->export_id);
    if (!is_void) {
        weft_event_word(&event, call->cpu->r[3]);
    }
    kemit(call->k, call->thread, &event);
}

/* IMPORT_CALL or EXPORT_MISSING. */
static void emit_import(kcall *call, uint16_t kind)
{
    weft_event_buffer event;
    weft_event_begin(&event, kind);
    weft_event_word(&event, call->export_id);
    weft_event_word(&event, call->caller);
    kemit(call->k, call->thread, &event);
}

void kcall_exception(kernel *k, kthread *thread, const char *cause, uint32_t address,
                     uint32_t flags)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_FAULT);
    weft_event_text(&event, cause, strlen(cause));
    weft_event_word(&event, thread->cpu->pc);
    weft_event_word(&event, address);
    weft_event_word(&event, flags);
    kemit(k, thread, &event);
    char place[128], text[256];
    mm_place(k->mm, thread->cpu->pc, place, sizeof place);
    snprintf(text, sizeof text, "%s at 0x%08x (%s), address 0x%08x, lr 0x%08x, thread %u (%s)",
             cause, thread->cpu->pc, place, address, (uint32_t)thread->cpu->lr, thread->tid,
             thread->name);
    kend(k, WEFT_END_EXCEPTION, 0, text);
}

void kend(kernel *k, uint32_t end, uint32_t exit_code, const char *reason)
{
    if (k->end == WEFT_END_NONE) {
        k->end = end;
        k->exit_code = exit_code;
        snprintf(k->reason, sizeof k->reason, "%s", reason);
    }
    k->reschedule = true;
}

/* ---- thunks ------------------------------------------------------------------------------------
 */

static void write_thunk_at(kernel *k, uint32_t address, uint32_t index)
{
    uint8_t *p = k->memory->base + address;
    weft_store32(p, INSN_SC);
    weft_store32(p + 4, INSN_BLR);
    weft_store32(p + 8, index);
    weft_store32(p + 12, 0);
    kwritten(k, address, 16);
}

static uint32_t write_thunk(kernel *k, uint32_t index)
{
    if (k->thunk_space_left < 16) {
        k->thunk_space = kalloc_for(k, NULL, 0, THUNK_CHUNK, KALLOCATION_SYSTEM);
        if (!k->thunk_space) {
            return 0;
        }
        k->thunk_space_left = THUNK_CHUNK;
    }
    uint32_t address = k->thunk_space;
    write_thunk_at(k, address, index);
    k->thunk_space += 16;
    k->thunk_space_left -= 16;
    return address;
}

/* The index for a new entry: one that kthunk_drop has left, or the next. UINT32_MAX: no memory. */
static uint32_t thunk_slot(kernel *k)
{
    for (uint32_t i = 0; k->thunks_free && i < k->thunk_count; i++) {
        if (k->thunks[i].address == 0) {
            k->thunks_free--;
            return i;
        }
    }
    if (k->thunk_count == k->thunk_capacity) {
        uint32_t capacity = k->thunk_capacity ? k->thunk_capacity * 2 : 256;
        kthunk_entry *grown = realloc(k->thunks, capacity * sizeof *grown);
        if (!grown) {
            return UINT32_MAX;
        }
        k->thunks = grown;
        k->thunk_capacity = capacity;
    }
    k->thunks[k->thunk_count].address = 0;
    return k->thunk_count++;
}

/* A new entry at `address`, or in kernel memory where that is 0. */
static uint32_t add_thunk(kernel *k, unsigned module, unsigned ordinal, uint32_t address)
{
    uint32_t index = thunk_slot(k);
    if (index == UINT32_MAX) {
        return 0;
    }
    k->thunks[index] = (kthunk_entry){
        .address = address,
        .row = kexport_find(module, ordinal),
        .module = module,
        .ordinal = ordinal,
        .placed = address != 0,
    };
    read_signature(&k->thunks[index]);
    if (address) {
        write_thunk_at(k, address, index);
    } else if ((k->thunks[index].address = write_thunk(k, index)) == 0) {
        k->thunks_free++;
    }
    return k->thunks[index].address;
}

void kthunk_drop(kernel *k, uint32_t base, uint32_t size)
{
    if (k->uncontended) {
        kuncontended_forget(k);
    }
    for (uint32_t i = 0; i < k->thunk_count; i++) {
        if (k->thunks[i].placed && k->thunks[i].address - base < size) {
            k->thunks[i].address = 0;
            k->thunks[i].placed = false;
            k->thunks_free++;
        }
    }
}

uint32_t kthunk(kernel *k, unsigned module, unsigned ordinal)
{
    if (module > KMODULE_XBDM) {
        return 0;
    }
    for (uint32_t i = 0; i < k->thunk_count; i++) {
        if (k->thunks[i].address && !k->thunks[i].placed && k->thunks[i].module == module &&
            k->thunks[i].ordinal == ordinal) {
            return k->thunks[i].address;
        }
    }
    const kexport *row = kexport_find(module, ordinal);
    if ((!row && !kexport_ordinal_name(module, ordinal)) ||
        (row && row->status == KEXPORT_VARIABLE)) {
        return 0;
    }
    return add_thunk(k, module, ordinal, 0);
}

bool kthunk_place(kernel *k, unsigned module, unsigned ordinal, uint32_t address)
{
    return add_thunk(k, module, ordinal, address) != 0;
}

static kthunk_entry *thunk_at(kernel *k, uint32_t pc)
{
    if (!weft_memory_ok(k->memory, pc, 12, WEFT_PAGE_READ)) {
        return NULL;
    }
    uint32_t index = weft_load32(k->memory->base + pc + 8);
    return index < k->thunk_count && k->thunks[index].address == pc ? &k->thunks[index] : NULL;
}

bool kcall_create(kernel *k)
{
    k->variables = calloc(ROW_COUNT, sizeof *k->variables);
    k->return_thunk = write_thunk(k, UINT32_MAX);
    k->exit_thunk = write_thunk(k, UINT32_MAX);
    k->dpc_thunk = write_thunk(k, UINT32_MAX);
    return k->variables && k->dpc_thunk;
}

void kcall_destroy(kernel *k)
{
    free(k->thunks);
    free(k->missing);
    free(k->variables);
}

/* Exports whose path goes into kernel.call: the argument that is an OBJECT_ATTRIBUTES
 * {u32 root, u32 name (ANSI_STRING *), u32 flags} (REFERENCE-SYSTEM 2.2, args_resolved.path). */
void kcall_resolve_path(kcall *call)
{
    static const struct {
        uint16_t ordinal, argument;
    } files[] = {{0xD2, 2}, {0xDF, 2}, {0xE7, 0}, {0xE0, 1}};
    for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (call->export->module != KMODULE_KRNL || call->export->ordinal != files[i].ordinal) {
            continue;
        }
        uint32_t name = kget32(call, karg(call, files[i].argument) + 4);
        if (name) {
            kget_ansi(call, name, call->path, sizeof call->path);
        }
        call->faulted = false; /* the export itself judges its pointers */
        return;
    }
}

/* ---- the call ----------------------------------------------------------------------------------
 */

/* The call is done: event, cost, on to the instruction behind the sc. */
static void finish(kcall *call)
{
    emit_return(call);
    call->cpu->pc += 4;
    call->cpu->retired++;
    kcharge(call->k, call->k->machine->call_cost);
}

/* What follows an export's or continuation's answer. True: the thread goes on at its pc. */
static bool conclude(kcall *call, uint32_t answer)
{
    kernel *k = call->k;
    if (call->faulted && answer == K_DONE) {
        return kexception_call(call) == K_FRAME;
    }
    if (call->faulted && answer != K_GONE) {
        call->cpu->pc = call->caller; /* the caller passed the pointer */
        kcall_exception(k, call->thread, "access violation in a kernel call", call->fault_address,
                        call->fault_store ? WEFT_FAULT_STORE : 0);
        return false;
    }
    switch (answer) {
    case K_DONE:
        finish(call);
        return true;
    case K_FRAME:
        return true;
    default: /* K_WAIT, K_GONE, K_AGAIN */
        return false;
    }
}

static uint32_t leave(kernel *k, bool goes_on)
{
    return goes_on && !k->reschedule && k->end == WEFT_END_NONE ? WEFT_CPU_CONTINUE : WEFT_CPU_STOP;
}

/* The call as an operation. */
static weft_sync_op call_op(const kcall *call)
{
    return (weft_sync_op){
        .size = sizeof(weft_sync_op),
        .kind = WEFT_SYNC_CALL,
        .thread = call->thread->id,
        .object = call->export_id,
        .index = call->thread->sync_index[WEFT_SYNC_CALL],
        .site = call->caller,
        .event = call->thread->events,
    };
}

static inline bool may_begin(kcall *call)
{
    if (kpolicy_passes(call->k, call->thread, WEFT_SYNC_CALL, 0)) {
        return true;
    }
    weft_sync_op op = call_op(call);
    return kpolicy_before(call, &op, 0, NULL);
}

static uint32_t call_export(kernel *k, kthunk_entry *thunk)
{
    kthread *thread = k->running;
    kcall call;
    call.k = k;
    call.thread = thread;
    call.cpu = thread->cpu;
    call.export = thunk->row;
    call.export_id = export_identity(k, thunk);
    call.caller = (uint32_t)thread->cpu->lr;
    call.faulted = false;
    call.unlocked = false;
    call.path[0] = 0;
    if (k->uncontended) {
        kuncontended_learn(k, call.export, call.export_id, thunk->address, thunk->argument_count);
    }
    /* a call that was held is made again at the same retired count: asked and announced once */
    bool announced = thread->announced == thread->cpu->retired + 1;
    if (!announced && !may_begin(&call)) {
        return WEFT_CPU_STOP;
    }
    thread->announced = thread->cpu->retired + 1;
    uint64_t arguments[KARGUMENTS];
    unsigned count = read_arguments(&call, thunk, arguments);
    if (!announced) {
        k->imports_called++;
        emit_import(&call, WEFT_EVENT_IMPORT_CALL);
    }
    if (!thunk->row || !thunk->row->fn) {
        emit_import(&call, WEFT_EVENT_EXPORT_MISSING);
        const char *name = kmissing_note(&call, thunk->module, thunk->ordinal);
        thread->cpu->r[3] = kmissing_answer(thunk->module, name);
        thread->cpu->pc += 4;
        thread->cpu->retired++;
        kcharge(k, k->machine->call_cost);
        return leave(k, true);
    }
    kcall_resolve_path(&call);
    if (!announced) {
        emit_call(&call, arguments, count);
        if (kpolicy_told(k, WEFT_SYNC_CALL)) {
            weft_sync_op op = call_op(&call);
            thread->sync_index[WEFT_SYNC_CALL]++;
            kpolicy_after(k, &op);
        } else {
            thread->sync_index[WEFT_SYNC_CALL]++;
        }
    }
    uint32_t answer = thunk->row->fn(&call);
    return leave(k, conclude(&call, answer));
}

void kcall_resume(kernel *k, kthread *thread)
{
    kcall call = {
        .k = k,
        .thread = thread,
        .cpu = thread->cpu,
        .export = thread->cont_export,
        .export_id = thread->cont_export_id,
        .caller = thread->cont_caller,
    };
    if (!korder_resume(&call)) {
        return; /* picked again, it is asked or goes on */
    }
    thread->cont_ready = false;
    uint32_t answer = kwait_resume(&call);
    (void)conclude(&call, answer);
}

/* ---- guest frames ------------------------------------------------------------------------------
 */

uint32_t kframe_push(kcall *call, uint32_t pc, const uint64_t *arguments, unsigned count,
                     kcontinuation cont)
{
    kernel *k = call->k;
    kthread *thread = call->thread;
    if (thread->frame_count == KFRAME_MAX) {
        kcall_exception(k, thread, "too many nested kernel-to-guest calls", pc, 0);
        return K_GONE;
    }
    kframe *frame = calloc(1, sizeof *frame);
    if (!frame) {
        kend(k, WEFT_END_PLUGIN, 0, "kernel-hle: out of memory for a guest frame");
        return K_GONE;
    }
    if (k->cpu->flush) {
        k->cpu->flush(k->cpu_instance, thread->cpu);
    }
    frame->saved = *thread->cpu;
    frame->cont = cont;
    frame->export = call->export;
    frame->export_id = call->export_id;
    frame->caller = call->caller;
    frame->wait_cont = thread->cont;
    memcpy(frame->wait_data, thread->cont_data, sizeof frame->wait_data);
    thread->frames[thread->frame_count++] = frame;
    for (unsigned i = 0; i < count && i < 8; i++) {
        thread->cpu->r[3 + i] = arguments[i];
    }
    /* Below the caller's frame and its red zone, with room for the callee's home area. */
    thread->cpu->r[1] = (uint32_t)((thread->cpu->r[1] - 0x200) & ~UINT64_C(15));
    thread->cpu->lr = k->return_thunk;
    thread->cpu->pc = pc;
    return K_FRAME;
}

static uint32_t frame_return(kernel *k)
{
    kthread *thread = k->running;
    if (thread->frame_count == 0) {
        kcall_exception(k, thread, "return to the kernel without a call", thread->cpu->pc, 0);
        return WEFT_CPU_STOP;
    }
    kframe *frame = thread->frames[--thread->frame_count];
    uint32_t result = (uint32_t)thread->cpu->r[3];
    weft_cpu_state *cpu = thread->cpu;
    uint64_t retired = cpu->retired + 1, limit = cpu->limit;
    uint32_t hw = cpu->hw, interrupt = cpu->interrupt;
    *cpu = frame->saved;
    cpu->retired = retired;
    cpu->limit = limit;
    cpu->hw = hw;
    cpu->interrupt = interrupt;
    cpu->reservation = 0;
    cpu->r[13] = k->hw[thread->hw].pcr;
    if (k->cpu->reload) {
        k->cpu->reload(k->cpu_instance, cpu);
    }
    kcall call = {
        .k = k,
        .thread = thread,
        .cpu = cpu,
        .export = frame->export,
        .export_id = frame->export_id,
        .caller = frame->caller,
    };
    thread->cont = frame->wait_cont;
    memcpy(thread->cont_data, frame->wait_data, sizeof frame->wait_data);
    kcontinuation cont = frame->cont;
    free(frame);
    uint32_t answer = cont(&call, result);
    return leave(k, conclude(&call, answer));
}

uint32_t kcall_syscall(void *context, weft_cpu_state *cpu, uint32_t lev)
{
    kernel *k = context;
    uint32_t pc = cpu->pc;
    ksched_sync(k);
    kthunk_entry *thunk = thunk_at(k, pc);
    if (thunk) {
        uint32_t answer = call_export(k, thunk);
        ksched_bound(k);
        return answer;
    }
    if (pc == k->return_thunk) {
        uint32_t answer = frame_return(k);
        ksched_bound(k);
        return answer;
    }
    if (pc == k->exit_thunk) {
        cpu->retired++;
        kthread_exit(k, k->running, (uint32_t)cpu->r[3]);
        return WEFT_CPU_STOP;
    }
    if (pc == k->dpc_thunk) {
        cpu->retired++;
        ksched_dpc_done(k);
        return WEFT_CPU_STOP;
    }
    kcall_exception(k, k->running, "system call outside a kernel thunk", pc, 0);
    return WEFT_CPU_STOP;
}
