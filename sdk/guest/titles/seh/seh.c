/* seh: exceptions of every kind, taken by the title's own handlers.
 *
 *     unhandled    ends in a trap that all filters decline
 *     nested       raises in a filter, again and again */
#include "raise.h"

static u32 failures;

void seh_check(bool good, const char *what)
{
    if (!good) {
        failures++;
        DbgPrint("seh: FAILED: %s\n", what);
    }
}

static int take(exception_pointers *pointers, seh_block *block)
{
    block->user = pointers->record->code;
    DbgPrint("seh: filter sees 0x%08x, flags %u, %u parameters\n", pointers->record->code,
             pointers->record->flags, pointers->record->count);
    return EXCEPTION_EXECUTE_HANDLER;
}

static int decline(exception_pointers *pointers, seh_block *block)
{
    (void)block;
    DbgPrint("seh: filter declines 0x%08x\n", pointers->record->code);
    return EXCEPTION_CONTINUE_SEARCH;
}

/* Steps over the instruction, with a result. */
static int step_over(exception_pointers *pointers, seh_block *block)
{
    seh_check(pointers->context->iar == pointers->record->address, "Iar is the address");
    pointers->context->iar += 4;
    pointers->context->gpr[3] = block->user;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* Ignores what was raised, also where that is not allowed. */
static int ignore(exception_pointers *pointers, seh_block *block)
{
    return pointers->record->code == block->user ? EXCEPTION_CONTINUE_EXECUTION
                                                 : EXCEPTION_CONTINUE_SEARCH;
}

static int map_page(exception_pointers *pointers, seh_block *block)
{
    u32 base = pointers->record->parameters[1] & ~0xFFFu, size = 0x1000;
    block->user++;
    DbgPrint("seh: fault %u: %s\n", block->user,
             pointers->record->parameters[0] ? "store" : "load");
    u32 status = NtAllocateVirtualMemory(&base, &size, 0x1000, 4, 0); /* MEM_COMMIT, READWRITE */
    return status == STATUS_SUCCESS ? EXCEPTION_CONTINUE_EXECUTION : EXCEPTION_CONTINUE_SEARCH;
}

static void tell(u32 abnormal, seh_block *block)
{
    DbgPrint("seh: finally %u, abnormal %u\n", block->user, abnormal);
}

static u32 add(void *words)
{
    const u32 *w = words;
    return w[0] + w[1];
}

/* ---- the cases ---------------------------------------------------------------------------------
 */

static void cpu_exceptions(void)
{
    static const struct {
        const char *name;
        u32 (*body)(void *);
        u32 words[2];
        u32 code;
    } cases[] = {
        {"store", raise_store, {0x10, 1}, EXCEPTION_ACCESS_VIOLATION},
        {"divide", raise_divide, {7, 0}, EXCEPTION_INT_DIVIDE_BY_ZERO},
        {"overflow", raise_overflow, {0xFFFFFFFF, 0}, EXCEPTION_INT_OVERFLOW},
        {"illegal", raise_illegal, {0, 0}, EXCEPTION_ILLEGAL_INSTRUCTION},
        {"trap", raise_trap, {0, 0}, EXCEPTION_BREAKPOINT},
        {"misaligned", raise_misaligned, {0x82010001, 0}, EXCEPTION_DATATYPE_MISALIGNMENT},
    };
    for (u32 i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        u32 words[2] = {cases[i].words[0], cases[i].words[1]};
        seh_block b = {cases[i].body, words, take, 0, 0, 0};
        u32 result = seh_try(&b);
        DbgPrint("seh: %s gives 0x%08x\n", cases[i].name, result);
        seh_check(result == cases[i].code && b.code == result && b.user == result, cases[i].name);
    }
    u32 words[2] = {42, 6};
    seh_block none = {raise_divide, words, take, 0, 0, 0};
    seh_check(seh_try(&none) == 7 && none.code == 0, "42 / 6");
}

static void continued(void)
{
    u32 base = 0, size = 0x10000;
    seh_check(NtAllocateVirtualMemory(&base, &size, 0x2000, 4, 0) == STATUS_SUCCESS, "reserve");
    u32 words[2] = {base + 0x1234, 0xCAFE};
    seh_block map = {raise_store, words, map_page, 0, 0, 0};
    u32 result = seh_try(&map);
    DbgPrint("seh: stored 0x%x after %u fault, handler code %u\n", result, map.user, map.code);
    seh_check(result == 0xCAFE && map.user == 1 && map.code == 0, "store after mapping");

    seh_block skip = {raise_trap, 0, step_over, 0, 0, 9};
    seh_check(seh_try(&skip) == 7, "a trap stepped over");
    exception_record record = {0xE0000001, 0, 0, 0, 0, {0}};
    seh_block go_on = {raise_record, &record, ignore, 0, 0, 0xE0000001};
    seh_check(seh_try(&go_on) == 5, "RtlRaiseException comes back");
    record.flags = EXCEPTION_NONCONTINUABLE;
    seh_block outer = {seh_try, &go_on, take, 0, 0, 0};
    DbgPrint("seh: ignoring the noncontinuable gives 0x%08x\n", seh_try(&outer));
}

/* An export is given a pointer to nothing: the title's handler takes it. */
static void in_the_kernel(void)
{
    seh_block b = {raise_record, (void *)0x20, take, 0, 0, 0};
    DbgPrint("seh: a bad record gives 0x%08x\n", seh_try(&b));
}

static void finally_in_order(void)
{
    u32 words[2] = {1, 2};
    seh_block normal = {add, words, 0, tell, 0, 1};
    DbgPrint("seh: sum %u\n", seh_finally(&normal));

    exception_record record = {0xE0000002, 0, 0, 0, 0, {0}};
    seh_block inner = {raise_record, &record, 0, tell, 0, 2};
    seh_block no = {seh_finally, &inner, decline, 0, 0, 0};
    seh_block middle = {seh_try, &no, 0, tell, 0, 3};
    seh_block outer = {seh_finally, &middle, take, 0, 0, 0};
    DbgPrint("seh: nested gives 0x%08x\n", seh_try(&outer));
}

static void collided(void)
{
    exception_record record = {0xE0000003, 0, 0, 0, 0, {0}};
    seh_block first = {raise_record, &record, 0, tell, 0, 4};
    seh_block second = {seh_finally, &first, 0, raise_in_finally, 0, 0xE0000004};
    seh_block third = {seh_finally, &second, 0, tell, 0, 5};
    seh_block outer = {seh_finally, &third, take, 0, 0, 0};
    DbgPrint("seh: collided gives 0x%08x\n", seh_try(&outer));
}

static void registers(void)
{
    static exception_context context;
    exception_record record = {0xE0000005, 0, 0, 0, 0, {0}};
    seh_block b = {raise_deep, &record, take, 0, 0, 0};
    u32 same = raise_preserved(&b);
    DbgPrint("seh: registers preserved: %u, code 0x%08x\n", same, b.code);
    seh_check(same == 1 && b.code == 0xE0000005, "registers after an unwind");
    raise_capture(&context);
    seh_check((u32)(context.gpr[20] >> 32) == 0x11223344 && (u32)context.gpr[20] == 0x55667788 &&
                  (u32)(context.fpr[20] >> 32) == 0x3FF80000,
              "RtlCaptureContext");
}

static void jump(void)
{
    static seh_block inner = {raise_jump, 0, 0, tell, 0, 6};
    static seh_block no = {seh_finally, &inner, decline, 0, 0, 0};
    static seh_block landing = {seh_try, &no, 0, 0, 0, 0};
    DbgPrint("seh: landed with %u\n", raise_landing(&landing));
}

/* A filter that handles an exception of its own. */
static int take_inside(exception_pointers *pointers, seh_block *block)
{
    u32 words[2] = {0x20, 1};
    seh_block b = {raise_store, words, take, 0, 0, 0};
    block->user = seh_try(&b);
    return pointers->record->code == EXCEPTION_BREAKPOINT ? EXCEPTION_EXECUTE_HANDLER
                                                          : EXCEPTION_CONTINUE_SEARCH;
}

static void nested(void)
{
    seh_block b = {raise_trap, 0, take_inside, 0, 0, 0};
    u32 result = seh_try(&b);
    DbgPrint("seh: 0x%08x while filtering 0x%08x\n", b.user, result);
}

/* raise_in_finally(pointers, block) serves as a filter that raises: for ever, if nothing stopped
 * it. */
static void without_end(void)
{
    exception_record record = {0xE0000006, 0, 0, 0, 0, {0}};
    seh_block b = {raise_record, &record, 0, 0, 0, 0xE0000007};
    b.filter = (int (*)(exception_pointers *, seh_block *))(void *)raise_in_finally;
    seh_try(&b);
}

int main(int argc, char **argv)
{
    if (weft_option(argc, argv, "unhandled")) {
        seh_block b = {raise_trap, 0, decline, 0, 0, 0};
        seh_try(&b);
    }
    if (weft_option(argc, argv, "nested")) {
        without_end();
    }
    cpu_exceptions();
    continued();
    in_the_kernel();
    finally_in_order();
    collided();
    registers();
    jump();
    nested();
    throw_test();
    DbgPrint("seh: %u checks failed\n", failures);
    return (int)failures;
}
