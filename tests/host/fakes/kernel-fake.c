/* kernel-fake.c: a kernel without a console. Its options say how many events, frames and vblanks it
 * makes and how it ends, so that the host can be tested from one end to the other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft/host.h"

typedef struct fake {
    const weft_host *host;
    weft_run_result result;
    char arguments[256];
    uint64_t instructions;
} fake;

static weft_status create(const weft_host *host, void **instance)
{
    if (strcmp(host->option_text(host, "end"), "refuse") == 0) {
        return host->fail(host, WEFT_E_INVALID, "fake does not like it (found it, expected not)");
    }
    fake *f = calloc(1, sizeof *f);
    f->host = host;
    *instance = f;
    return WEFT_OK;
}

static void destroy(void *instance)
{
    free(instance);
}

static weft_status info(void *instance, const char *path, weft_info_fn sink, void *context)
{
    fake *f = instance;
    if (strstr(path, "missing")) {
        return f->host->fail(f->host, WEFT_E_NOT_FOUND, "no such title (found none, expected one)");
    }
    static const char text[] =
        "{\"kind\":\"fake\",\"imports\":[{\"name\":\"NtFoo\",\"ordinal\":7}]}";
    sink(context, text, 10);
    sink(context, text + 10, sizeof text - 11);
    return WEFT_OK;
}

static weft_status open_title(void *instance, const char *path, const char *arguments)
{
    fake *f = instance;
    const weft_host *host = f->host;
    snprintf(f->arguments, sizeof f->arguments, "%s", arguments);
    if (strcmp(host->option_text(host, "end"), "malformed") == 0) {
        return host->fail(host, WEFT_E_FORMAT, "title is no title (found junk, expected a title)");
    }
    const weft_view view = {.size = sizeof view,
                            .base = 0x10000,
                            .length = 0x10000,
                            .backing = WEFT_BACKING_PRIVATE,
                            .name = "fake"};
    return host->memory->view_add(host->memory, &view);
}

static void emit_call(fake *f, uint64_t thread, uint64_t export_id, uint64_t tick)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_IMPORT_CALL);
    event.head.hw = 0;
    event.head.thread = thread;
    event.head.tid = 6;
    event.head.tick = tick;
    weft_event_word(&event, export_id);
    weft_event_word(&event, 0x82001000);
    f->host->emit(f->host, &event.head);
}

static void show_frame(fake *f, uint64_t tick, uint8_t shade)
{
    uint8_t pixels[2 * 4 * 4];
    for (uint32_t i = 0; i < 8; i++) {
        const uint8_t pixel[4] = {(uint8_t)i, shade, 0x80, 255};
        memcpy(pixels + i * 4, pixel, 4);
    }
    weft_frame frame = {.size = sizeof frame,
                        .width = 4,
                        .height = 2,
                        .stride = 16,
                        .tick = tick,
                        .pixels = pixels};
    f->host->present(f->host, &frame);
}

static uint32_t end_of(const char *word)
{
    return strcmp(word, "bugcheck") == 0    ? WEFT_END_BUGCHECK
           : strcmp(word, "exception") == 0 ? WEFT_END_EXCEPTION
           : strcmp(word, "deadlock") == 0  ? WEFT_END_DEADLOCK
                                            : WEFT_END_EXIT;
}

static weft_status run(void *instance, const weft_run_limits *limits)
{
    fake *f = instance;
    const weft_host *host = f->host;
    const char *end = host->option_text(host, "end");
    uint64_t events = (uint64_t)host->option_int(host, "events");
    uint64_t frames = (uint64_t)host->option_int(host, "frames");
    uint64_t thread = host->define(host, "thread", "thread:main");
    uint64_t call = host->define(host, "export", "xboxkrnl.exe!Fake");
    host->log(host, WEFT_LOG_WARN, "fake runs");
    if (host->option_bool(host, "print")) {
        host->print(host, thread, 6, 5, "hello from fake\n", 16);
    }
    for (uint64_t i = 0; i < events; i++) {
        emit_call(f, thread, call, i * 10);
    }
    weft_store32(host->memory->base + 0x10000, 0x12345678);
    f->result = (weft_run_result){.size = sizeof f->result,
                                  .end = end_of(end),
                                  .exit_code = (uint32_t)host->option_int(host, "code"),
                                  .thread_count = 1,
                                  .imports_called = events,
                                  .slices = 7,
                                  .reason = "the fake is done"};
    uint64_t vblank = 0;
    while (frames == 0 ? strcmp(end, "spin") == 0 : vblank < frames) {
        weft_pad pads[WEFT_PAD_COUNT];
        host->pads(host, vblank, vblank * 1000, pads);
        if (frames) {
            show_frame(f, vblank * 1000, (uint8_t)(vblank + pads[0].buttons));
        }
        f->result.instructions += 100;
        vblank++;
        if (host->stop_requested(host) ||
            (limits->instructions && f->result.instructions >= limits->instructions) ||
            (limits->ticks && vblank * 1000 >= limits->ticks)) {
            f->result.end = WEFT_END_CONDITION;
            f->result.reason = "a limit holds";
            break;
        }
    }
    f->result.ticks = vblank * 1000;
    f->result.state_digest = host->memory->digest(host->memory);
    if (strcmp(end, "status") == 0) {
        return host->fail(host, WEFT_E_STATE, "fake broke down (found itself, expected work)");
    }
    if (strcmp(end, "none") == 0) {
        f->result.end = 77;
    }
    return WEFT_OK;
}

static void result(void *instance, weft_run_result *answer)
{
    *answer = ((fake *)instance)->result;
}

static int32_t thread_at(void *instance, uint32_t index, weft_run_thread *thread)
{
    if (index > 0) {
        return 0;
    }
    *thread = (weft_run_thread){.size = sizeof *thread,
                                .tid = 6,
                                .id = weft_fnv1a("thread:main", 11),
                                .name = "thread:main",
                                .entry = 0x82000000,
                                .state = 4,
                                .retired = ((fake *)instance)->result.instructions,
                                .pc = 0x82000010,
                                .priority = 8};
    return 1;
}

static int32_t missing_at(void *instance, uint32_t index, weft_run_missing *missing)
{
    if (index > 0) {
        return 0;
    }
    *missing = (weft_run_missing){.size = sizeof *missing,
                                  .first_caller = 0x82001000,
                                  .count = 3,
                                  .name = "xboxkrnl.exe!NtFoo"};
    return 1;
}

static const weft_option options[] = {
    {.key = "end",
     .type = WEFT_OPTION_CHOICE,
     .default_value = "exit",
     .choices = "exit|bugcheck|exception|deadlock|status|malformed|refuse|spin|none",
     .help = "how it ends"},
    {.key = "code",
     .type = WEFT_OPTION_INT,
     .default_value = "0",
     .minimum = 0,
     .maximum = 255,
     .help = "the title's exit code"},
    {.key = "events",
     .type = WEFT_OPTION_INT,
     .default_value = "10",
     .minimum = 0,
     .maximum = 10000000,
     .help = "how many events it emits"},
    {.key = "frames",
     .type = WEFT_OPTION_INT,
     .default_value = "0",
     .minimum = 0,
     .maximum = 1000000,
     .help = "how many frames it shows"},
    {.key = "print", .type = WEFT_OPTION_BOOL, .default_value = "no", .help = "says hello"},
};

static const weft_kernel_ops ops = {
    .size = sizeof ops,
    .info = info,
    .open = open_title,
    .run = run,
    .result = result,
    .thread = thread_at,
    .missing = missing_at,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_KERNEL,
    .id = "kernel-fake",
    .version = "1.0",
    .summary = "a kernel for tests",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
