/* kernel.c: the kernel's contract (weft/kernel.h). */
#include "checked.h"

static weft_status info(void *self, const char *path, weft_info_fn sink, void *context)
{
    checked *c = self;
    checked_thread(c, "info", WEFT_THREAD_MAIN);
    return c->ops.kernel.info(c->instance, path, sink, context);
}

static weft_status open_title(void *self, const char *path, const char *arguments)
{
    checked *c = self;
    checked_thread(c, "open", WEFT_THREAD_MAIN | WEFT_THREAD_GUEST);
    CHECK(c, "open", !c->opened, "called again (found 2 calls, expected 1)");
    weft_status status = c->ops.kernel.open(c->instance, path, arguments);
    CHECK(c, "open", status <= WEFT_OK && status >= WEFT_E_LIMIT,
          "unknown status (found %d, expected 0 to %d)", status, WEFT_E_LIMIT);
    c->opened = status == WEFT_OK;
    return status;
}

static weft_status run_loop(void *self, const weft_run_limits *limits)
{
    checked *c = self;
    checked_thread(c, "run", WEFT_THREAD_GUEST);
    CHECK(c, "run", c->opened, "called too early (found no title, expected open before)");
    CHECK(c, "run", !c->ran, "called again (found 2 calls, expected 1)");
    c->ran = 1;
    return c->ops.kernel.run(c->instance, limits);
}

static void result(void *self, weft_run_result *answer)
{
    checked *c = self;
    checked_thread(c, "result", WEFT_THREAD_MAIN | WEFT_THREAD_GUEST);
    CHECK(c, "result", c->ran, "called too early (found no run, expected one before)");
    c->ops.kernel.result(c->instance, answer);
    CHECK(c, "result", answer->end <= WEFT_END_PLUGIN && answer->end != WEFT_END_NONE,
          "end is unknown (found %u, expected 1 to %u)", answer->end, WEFT_END_PLUGIN);
    CHECK(c, "result", answer->reason != NULL, "reason is missing (found NULL, expected text)");
}

static int32_t thread(void *self, uint32_t index, weft_run_thread *answer)
{
    checked *c = self;
    checked_thread(c, "thread", WEFT_THREAD_MAIN | WEFT_THREAD_GUEST);
    CHECK(c, "thread", c->ran, "called too early (found no run, expected one before)");
    int32_t more = c->ops.kernel.thread(c->instance, index, answer);
    CHECK(c, "thread", !more || answer->name != NULL,
          "name is missing (found NULL, expected text)");
    return more;
}

static int32_t missing(void *self, uint32_t index, weft_run_missing *answer)
{
    checked *c = self;
    checked_thread(c, "missing", WEFT_THREAD_MAIN | WEFT_THREAD_GUEST);
    CHECK(c, "missing", c->ran, "called too early (found no run, expected one before)");
    int32_t more = c->ops.kernel.missing(c->instance, index, answer);
    CHECK(c, "missing", !more || answer->name != NULL,
          "name is missing (found NULL, expected text)");
    return more;
}

void checked_kernel(role_ops *ops)
{
    ops->kernel.info = info;
    ops->kernel.open = open_title;
    ops->kernel.run = run_loop;
    ops->kernel.result = result;
    ops->kernel.thread = thread;
    ops->kernel.missing = missing;
}
