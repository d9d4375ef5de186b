#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "host/clock.h"
#include "host/lock.h"
#include "host/memory.h"
#include "loader.h"
#include "policy.h"
#include "vfs.h"
#include "xam.h"
#include "xex_bytes.h"
#include "xex_layout.h"
#include "xex_write.h"

#define PE     0x80
#define TABLE  0x1000 /* .pdata */
#define RANGES 4096
#define SLICES 20000 /* of one run */

extern const weft_plugin_desc weft_plugin; /* the CPU's */

/* What consoles share, since it takes milliseconds to make: the host they are given, its memory, the
 * CPU with its tables, and the title. */
typedef struct shared {
    weft_host host; /* `impl` is the present world */
    weft_machine machine;
    struct reused *memory;
    void *cpu;
    weft_cpu_ops cpu_ops; /* its own, but that `attach` may come again */
    weft_cpu_host calls;
    ktitle_file *title;
} shared;

struct world {
    weft_host *host;
    kernel *k;
    XXH3_state_t *events;
    uint64_t wanted[4];
    uint32_t asked;
    fuzz_policy policy;
    kthread *threads[WORLD_THREADS];
};

static void check(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "fuzz-kernel: %s\n", what);
        abort();
    }
}

/* ---- memory ------------------------------------------------------------------------------------
 * The host's, made once: its views take milliseconds. What the kernel does to it goes through ops
 * that note which pages were ever given to anybody, and those are emptied for the next console. */

typedef struct range {
    uint32_t start, length;
} range;

struct reused {
    weft_memory face; /* what the kernel sees */
    weft_memory *real;
    bool declared, full;
    range ranges[RANGES];
    uint32_t count;
};
typedef struct reused reused;

static reused *reused_of(weft_memory *face)
{
    return (reused *)face;
}

static weft_status declare_physical(weft_memory *face, uint32_t bytes)
{
    reused *m = reused_of(face);
    weft_status status = m->declared ? WEFT_OK : m->real->declare_physical(m->real, bytes);
    face->physical = m->real->physical;
    face->physical_size = m->real->physical_size;
    return status;
}

static weft_status view_add(weft_memory *face, const weft_view *view)
{
    reused *m = reused_of(face);
    return m->declared ? WEFT_OK : m->real->view_add(m->real, view);
}

static weft_status mmio_add(weft_memory *face, uint32_t start, uint32_t length)
{
    reused *m = reused_of(face);
    return m->declared ? WEFT_OK : m->real->mmio_add(m->real, start, length);
}

/* Neighbours become one; where there is no room, the last one grows over what lies between. */
static void note(reused *m, uint32_t start, uint32_t length)
{
    for (uint32_t i = m->count; i-- > 0;) {
        range *r = &m->ranges[i];
        uint64_t end = (uint64_t)start + length, other = (uint64_t)r->start + r->length;
        if (start <= other && r->start <= end) {
            uint32_t first = start < r->start ? start : r->start;
            r->length = (uint32_t)((end > other ? end : other) - first);
            r->start = first;
            return;
        }
    }
    check(m->count < RANGES, "too many ranges of memory");
    m->ranges[m->count++] = (range){start, length};
}

static weft_status protect(weft_memory *face, uint32_t start, uint32_t length, uint8_t access)
{
    reused *m = reused_of(face);
    weft_status status = m->real->protect(m->real, start, length, access);
    if (status == WEFT_OK && access && length) {
        note(m, start, length);
    }
    return status;
}

static weft_status discard(weft_memory *face, uint32_t start, uint32_t length)
{
    return reused_of(face)->real->discard(reused_of(face)->real, start, length);
}

static weft_status watch(weft_memory *face, uint32_t start, uint32_t length)
{
    return reused_of(face)->real->watch(reused_of(face)->real, start, length);
}

static weft_status listen_to(weft_memory *face, weft_written_fn fn, void *context)
{
    return reused_of(face)->real->listen(reused_of(face)->real, fn, context);
}

static void unlisten(weft_memory *face, weft_written_fn fn, void *context)
{
    reused_of(face)->real->unlisten(reused_of(face)->real, fn, context);
}

static void written(weft_memory *face, uint32_t start, uint32_t length)
{
    reused_of(face)->real->written(reused_of(face)->real, start, length);
}

static void written_physical(weft_memory *face, uint32_t start, uint32_t length)
{
    reused_of(face)->real->written_physical(reused_of(face)->real, start, length);
}

static uint64_t memory_digest(weft_memory *face)
{
    return reused_of(face)->real->digest(reused_of(face)->real);
}

static weft_status watch_physical(weft_memory *face, uint32_t start, uint32_t length)
{
    return reused_of(face)->real->watch_physical(reused_of(face)->real, start, length);
}

static uint32_t physical_of(weft_memory *face, uint32_t address)
{
    return reused_of(face)->real->physical_of(reused_of(face)->real, address);
}

bool world_is_parallel(void)
{
    return getenv("FUZZ_KERNEL_PARALLEL") != NULL;
}

static reused *memory_make(void)
{
    reused *m = calloc(1, sizeof *m);
    check(m && (m->real = memory_create()) != NULL, "no guest memory");
    if (!world_is_parallel()) {
        memory_single(m->real);
    }
    m->face = *m->real;
    m->face.impl = m;
    m->face.declare_physical = declare_physical;
    m->face.view_add = view_add;
    m->face.protect = protect;
    m->face.discard = discard;
    m->face.mmio_add = mmio_add;
    m->face.watch = watch;
    m->face.listen = listen_to;
    m->face.unlisten = unlisten;
    m->face.written = written;
    m->face.written_physical = written_physical;
    m->face.digest = memory_digest;
    m->face.watch_physical = watch_physical;
    m->face.physical_of = physical_of;
    return m;
}

/* Views are the kernel's, and a range may span two that touch: page by page where it does. */
static void memory_empty(reused *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        range r = m->ranges[i];
        if (m->real->protect(m->real, r.start, r.length, 0) == WEFT_OK) {
            m->real->discard(m->real, r.start, r.length);
            continue;
        }
        for (uint32_t at = 0; at < r.length; at += WEFT_PAGE_SIZE) {
            m->real->protect(m->real, r.start + at, WEFT_PAGE_SIZE, 0);
            m->real->discard(m->real, r.start + at, WEFT_PAGE_SIZE);
        }
    }
    m->count = 0;
}

/* ---- the title's folder ------------------------------------------------------------------------
 */

static char folder[] = "/tmp/weft-fuzz-XXXXXX";

static void write_file(const char *name, const void *bytes, size_t length)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    check(file && fwrite(bytes, 1, length, file) == length && fclose(file) == 0, path);
}

static const char *const files[] = {"a.txt", "dir/b.bin", "dll.xex", "dep.xex", "default.xex"};

static void remove_folder(void)
{
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/dir", folder);
    rmdir(path);
    rmdir(folder);
}

/* PE headers with a .pdata of an entry each for `programs` programs. */
static void write_headers(uint8_t *image, uint32_t programs)
{
    memcpy(image, "MZ", 2);
    put_le32(image + 0x3C, PE);
    memcpy(image + PE, "PE\0\0", 4);
    put_le16(image + PE + 4, 0x1F2);
    put_le16(image + PE + 20, 0xE0);
    put_le16(image + PE + 24, 0x10B);
    put_le32(image + PE + 24 + 92, 16);
    if (programs) {
        put_le32(image + PE + 24 + 96 + 24, TABLE);
        put_le32(image + PE + 24 + 96 + 28, 8 * programs);
    }
    for (uint32_t i = 0; i < programs; i++) {
        put_be32(image + TABLE + 8 * i, world_entry(i));
        put_be32(image + TABLE + 8 * i + 4, 0xC0000003u | (WORLD_CODE_MAX - 8) / 4 << 8);
    }
}

/* A library of a page whose DllMain answers 1; it exports two ordinals, and imports a function of
 * the kernel's, or of `needs`. */
static void write_library(const char *name, uint32_t base, const char *needs)
{
    static uint8_t image[0x3000];
    memset(image, 0, sizeof image);
    write_headers(image, 0);
    put_be32(image + 0x1000, 0x38600001); /* li r3,1 */
    put_be32(image + 0x1004, 0x4E800020); /* blr */
    uint8_t *table = image + 0x1600;
    put_be32(table, XEX_EXPORT_MAGIC_0);
    put_be32(table + 4, XEX_EXPORT_MAGIC_1);
    put_be32(table + 8, XEX_EXPORT_MAGIC_2);
    put_be32(table + XEX_EXPORT_BASE_16, base >> 16);
    put_be32(table + XEX_EXPORT_COUNT, 2);
    put_be32(table + XEX_EXPORT_ORDINAL, 1);
    put_be32(table + XEX_EXPORT_ENTRIES, 0x1000);
    put_be32(table + XEX_EXPORT_ENTRIES + 4, 0x2000);
    weft_mkxex_import import = {.kind = 1,
                                .ordinal = needs ? 1 : 0x5A,
                                .record_address = base + 0x2000,
                                .thunk_address = base + 0x1400};
    snprintf(import.library, sizeof import.library, "%s", needs ? needs : "xboxkrnl.exe");
    weft_mkxex_spec spec = {
        .image = image,
        .image_size = sizeof image,
        .base = base,
        .entry = base + 0x1000,
        .small_pages = true,
        .module_flags = XEX_MODULE_DLL,
        .header_align = 16,
        .name = name,
        .export_table = base + 0x1600,
        .imports = &import,
        .import_count = 1,
    };
    uint8_t *bytes;
    size_t size;
    char err[256];
    check(weft_mkxex_write(&spec, &bytes, &size, err) == 0, err);
    write_file(name, bytes, size);
    free(bytes);
}

/* The title, decoded once and put into each console. */
static ktitle_file *make_title(void)
{
    static ktitle_file title;
    static uint8_t image[WORLD_SIZE];
    uint8_t *bytes;
    size_t size;
    char err[256];
    check(mkdtemp(folder) != NULL, "no temporary folder");
    atexit(remove_folder);
    char dir[64];
    snprintf(dir, sizeof dir, "%s/dir", folder);
    check(mkdir(dir, 0700) == 0, dir);
    write_file("a.txt", "twelve bytes", 12);
    static uint8_t block[20000];
    memset(block, 0x5A, sizeof block);
    write_file("dir/b.bin", block, sizeof block);
    write_library("dll.xex", 0x90000000, NULL);
    write_library("dep.xex", 0x91000000, "dll.xex");
    write_headers(image, WORLD_PROGRAMS);
    for (uint32_t i = 0; i < WORLD_PROGRAMS; i++) {
        uint8_t *before = image + (world_entry(i) - WORLD_BASE) - 8;
        put_be32(before, WORLD_HANDLER);
        put_be32(before + 4, 0);
    }
    /* The handler: goes on where r31 was to lead; the disposition is ExceptionContinueExecution.
     * r5 is the CONTEXT (kernel's exception.h). */
    static const uint32_t handler[] = {
        0xE9250110, /* ld r9,0x110(r5): Gpr31 */
        0x91250008, /* stw r9,8(r5): Iar */
        0x38600000, /* li r3,0 */
        0x4E800020, /* blr */
    };
    for (uint32_t i = 0; i < 4; i++) {
        put_be32(image + (WORLD_HANDLER - WORLD_BASE) + 4 * i, handler[i]);
    }
    weft_mkxex_spec spec = {
        .image = image,
        .image_size = sizeof image,
        .base = WORLD_BASE,
        .entry = world_entry(0),
        .name = "default.xex",
        .compression = WEFT_MKXEX_BASIC,
        .stack_size = 0x10000,
        .has_title_id = true,
        .title_id = 0x58410001,
        .has_tls = true,
        .tls = {8, WORLD_BASE + 0x2000, 64, 32},
    };
    check(weft_mkxex_write(&spec, &bytes, &size, err) == 0, err);
    write_file("default.xex", bytes, size);
    title.bytes = bytes;
    title.size = size;
    snprintf(title.folder, sizeof title.folder, "%s", folder);
    snprintf(title.file, sizeof title.file, "%s/default.xex", folder);
    check(kloader_decode(&title, err) == 0, err);
    return &title;
}

/* ---- the host ----------------------------------------------------------------------------------
 */

static world *world_of(const weft_host *host)
{
    return host->impl;
}

/* Part of what two equal runs have in common; nothing is in parallel mode. */
static void keep(const weft_host *host, const void *bytes, size_t length)
{
    if (host->machine->mode == WEFT_MODE_LOCKSTEP) {
        XXH3_64bits_update(world_of(host)->events, bytes, length);
    }
}

static weft_status fail(const weft_host *host, weft_status status, const char *sentence)
{
    keep(host, sentence, strlen(sentence));
    return status;
}

static void log_line(const weft_host *host, uint32_t level, const char *line)
{
    keep(host, line, strlen(line));
}

static int64_t option_int(const weft_host *host, const char *key)
{
    return 0;
}

static int32_t option_bool(const weft_host *host, const char *key)
{
    return 0;
}

static const char *option_text(const weft_host *host, const char *key)
{
    return "";
}

static weft_status part(const weft_host *host, uint32_t role, const void **ops, void **instance)
{
    *ops = NULL;
    *instance = NULL;
    return WEFT_E_NOT_FOUND;
}

static void emit(const weft_host *host, weft_event *event)
{
    check(event->size >= sizeof *event && event->size <= sizeof(weft_event_buffer) &&
              event->size % 8 == 0,
          "event of an impossible size");
    check(weft_event_kind_of(event->kind) != NULL, "event of an unknown kind");
    keep(host, event, event->size);
}

static uint64_t define(const weft_host *host, const char *what, const char *text)
{
    keep(host, text, strlen(text) + 1);
    return weft_fnv1a(text, strlen(text));
}

static void present(const weft_host *host, weft_frame *frame)
{
}

/* One controller, whose buttons change. */
static void pads(const weft_host *host, uint64_t vblank, uint64_t tick, weft_pad *p)
{
    p[0].connected = vblank % 64 != 63;
    p[0].buttons = p[0].connected ? (uint16_t)(vblank / 8) : 0;
}

static void rumble(const weft_host *host, uint32_t port, uint16_t left, uint16_t right)
{
}

static void print(const weft_host *host, uint64_t thread, uint32_t tid, uint64_t tick,
                  const char *text, size_t length)
{
    keep(host, text, length);
}

/* Asked once a slice. A thread that spins for a lock passes guest time in steps of some ticks, and
 * retires nothing. */
static int32_t stop_requested(const weft_host *host)
{
    return __atomic_fetch_add(&world_of(host)->asked, 1, __ATOMIC_RELAXED) > SLICES;
}

static const void *extension(const weft_host *host, const char *name)
{
    return strcmp(name, WEFT_HOST_LOCKS) == 0 ? lock_extension() : NULL;
}

/* ---- a GPU that draws nothing: a store to a register is an interrupt a little later ------------
 */

static weft_status gpu_attach(void *instance, const weft_gpu_host *calls)
{
    return WEFT_OK;
}

static weft_status gpu_ring(void *instance, uint32_t physical, uint32_t log2_quads)
{
    return WEFT_OK;
}

static void gpu_write_back(void *instance, uint32_t physical, uint32_t log2_quads)
{
}

static uint32_t gpu_read(void *instance, uint32_t offset, uint64_t tick)
{
    return offset;
}

static void gpu_write(void *instance, uint32_t offset, uint32_t value, uint64_t tick)
{
    kernel *k = instance;
    k->gpu_calls.interrupt(k->gpu_calls.context, 1, value & 0x3F, tick + (offset & 0xFFF));
}

static uint64_t gpu_digest(void *instance)
{
    return 0;
}

static const weft_gpu_ops gpu = {
    .size = sizeof gpu,
    .attach = gpu_attach,
    .ring = gpu_ring,
    .read_pointer_write_back = gpu_write_back,
    .register_read = gpu_read,
    .register_write = gpu_write,
    .digest = gpu_digest,
};

/* ---- the console -------------------------------------------------------------------------------
 */

/* Lockstep's defaults (configs/lockstep.ini). */
static const weft_machine lockstep = {
    .size = sizeof lockstep,
    .mode = WEFT_MODE_LOCKSTEP,
    .rtc = UINT64_C(127770912000000000), /* 2005-11-22T00:00:00Z */
    .instruction_cost_num = 1,
    .instruction_cost_den = 1,
    .call_cost = 100,
    .io_cost = 100000,
    .io_cost_per_kib = 100,
    .yield_cost = 16,
    .lookahead = 10000,
    .starve = 100000000,
    .reservation_grace = 64,
    .policy_faults = 16,
    .vblank_hz = 60,
    .width = 1280,
    .height = 720,
    .state_folder = "",
};

static void make_threads(world *w)
{
    kernel *k = w->k;
    for (uint32_t i = 0; i < WORLD_THREADS; i++) {
        kthread_request request = {
            .stack_size = 0x8000,
            .entry = world_entry(i),
            .parameter = i,
            .flags = i ? UINT32_C(1) << (24 + i) : 0,
        };
        w->threads[i] = kthread_create(k, &request);
        check(w->threads[i] != NULL, "no thread");
    }
    k->first_thread = w->threads[0];
}

static shared *share(void)
{
    static shared s;
    return &s;
}

/* The engine is attached once, to callbacks that are the present console's. */
static weft_status cpu_attach(void *instance, const weft_cpu_host *calls)
{
    shared *s = share();
    bool again = s->calls.size != 0;
    s->calls = *calls;
    return again ? WEFT_OK : ((const weft_cpu_ops *)weft_plugin.ops)->attach(instance, &s->calls);
}

static void share_make(shared *s)
{
    s->title = make_title();
    s->memory = memory_make();
    s->host = (weft_host){
        .size = sizeof s->host,
        .memory = &s->memory->face,
        .machine = &s->machine,
        .fail = fail,
        .log = log_line,
        .option_int = option_int,
        .option_bool = option_bool,
        .option_text = option_text,
        .part = part,
        .emit = emit,
        .define = define,
        .present = present,
        .pads = pads,
        .rumble = rumble,
        .print = print,
        .stop_requested = stop_requested,
        .extension = extension,
    };
    s->machine = lockstep;
    s->machine.mode = world_is_parallel() ? WEFT_MODE_PARALLEL : WEFT_MODE_LOCKSTEP;
    s->cpu_ops = *(const weft_cpu_ops *)weft_plugin.ops;
    s->cpu_ops.attach = cpu_attach;
    check(weft_plugin.create(&s->host, &s->cpu) == WEFT_OK, "no CPU");
}

static void load_title(kernel *k, ktitle_file *title)
{
    char err[KMODULE_ERROR_SIZE];
    kmodule *module;
    snprintf(k->command_line_text, sizeof k->command_line_text, "\"default.xex\"");
    snprintf(k->image_path, sizeof k->image_path, "\\Device\\Harddisk0\\Partition1\\default.xex");
    check(vfs_mount_title(k->vfs, folder) == STATUS_SUCCESS, "no folder");
    k->module_batch++;
    check(kimage_make(k, title, k->image_path, 0, &module, err) == STATUS_SUCCESS, "no title");
}

world *world_open(uint32_t how, uint64_t seed)
{
    shared *s = share();
    if (!s->memory) {
        share_make(s);
    }
    memory_empty(s->memory);
    world *w = calloc(1, sizeof *w);
    check(w && (w->k = calloc(1, sizeof *w->k)) && (w->events = XXH3_createState()), "no memory");
    XXH3_64bits_reset(w->events);
    memset(w->wanted, how & WORLD_WANTS ? 0xFF : 0, sizeof w->wanted);
    w->host = &s->host;
    s->host.impl = w;
    s->host.wanted = w->wanted;
    s->host.clock = clock_create();
    kernel *k = w->k;
    k->host = &s->host;
    k->memory = s->host.memory;
    k->clock = s->host.clock;
    k->machine = &s->machine;
    k->cpu = &s->cpu_ops;
    k->cpu_instance = s->cpu;
    k->gpu = &gpu;
    k->gpu_instance = k;
    if (how & WORLD_POLICY) {
        w->policy.state = seed;
        k->policy = fuzz_policy_ops();
        k->policy_instance = &w->policy;
    }
    const char *watched = how & WORLD_WATCH ? "0x82040000+0x8000, 0x82050000+0x100" : "";
    check(kwatch_parse(k->host, watched, &k->watches) == WEFT_OK, "no watch");
    check(kxam_user_init(k, "Fuzz"), "no user");
    check(kboot(k) == WEFT_OK, "no kernel");
    s->memory->declared = true;
    load_title(k, s->title);
    make_threads(w);
    kattach_title(k);
    return w;
}

void world_close(world *w)
{
    kernel *k = w->k;
    kshutdown(k);
    clock_destroy(w->host->clock);
    XXH3_freeState(w->events);
    free(k);
    free(w);
}

kernel *world_kernel(world *w)
{
    return w->k;
}

kthread *world_thread(world *w, uint32_t n)
{
    return w->threads[n % WORLD_THREADS];
}

void world_run(world *w, uint64_t instructions, uint64_t ticks)
{
    weft_run_limits limits = {.size = sizeof limits, .instructions = instructions, .ticks = ticks};
    check(ksched_run(w->k, &limits) == WEFT_OK, "run failed");
    check(w->k->end != WEFT_END_NONE && w->k->end != WEFT_END_PLUGIN, w->k->reason);
}

uint64_t world_digest(world *w)
{
    const kernel *k = w->k;
    uint64_t words[] = {k->end,    k->exit_code,    k->instructions,
                        k->slices, k->thread_count, k->memory->digest(k->memory)};
    XXH3_64bits_update(w->events, words, sizeof words);
    XXH3_64bits_update(w->events, k->reason, strlen(k->reason));
    return XXH3_64bits_digest(w->events);
}
