/* Command streams that draw: the input is PM4 packets behind one another, as dwords, and in place of
 * packets of type 2 memory: a count in bits 15:0, an address, that many dwords. All of it goes through
 * the command processor to the software back-end. fuzz-seeds-gpu makes such inputs of the golden
 * scenes. */
#include <stdlib.h>
#include <string.h>

#include "cp.h"
#include "endian.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY  (8u << 20)
#define PACKETS 4096u
#define DRAWS   16u

static weft_status host_fail(const weft_host *host, weft_status status, const char *text)
{
    return status;
}

static void host_log(const weft_host *host, uint32_t level, const char *text)
{
}

static void host_emit(const weft_host *host, weft_event *event)
{
}

static void host_present(const weft_host *host, weft_frame *frame)
{
    const volatile uint8_t *pixels = (const volatile uint8_t *)frame->pixels;
    (void)pixels[(size_t)frame->height * frame->stride - 1];
}

static void memory_written(weft_memory *memory, uint32_t start, uint32_t length)
{
    if (start > memory->physical_size || length > memory->physical_size - start) {
        abort();
    }
}

static weft_status memory_watch(weft_memory *memory, uint32_t start, uint32_t length)
{
    memory_written(memory, start, length);
    return WEFT_OK;
}

static weft_status memory_listen(weft_memory *memory, weft_written_fn fn, void *context)
{
    return WEFT_E_LIMIT;
}

/* A piece of memory; returns the dwords that the input had for it. */
static size_t store(xenos_cp *cp, const uint32_t *words, size_t left)
{
    uint32_t count = words[0] & 0xFFFF;
    uint32_t at = left > 1 ? words[1] & (MEMORY - 4) : 0;
    left = left > 2 ? left - 2 : 0;
    count = count < left ? count : (uint32_t)left;
    count = count < (MEMORY - at) / 4 ? count : (MEMORY - at) / 4;
    memcpy(cp->host->memory->physical + at, words + 2, count * 4);
    xenos_drawing_changed(cp->drawing, at, count * 4);
    return 2 + (size_t)count;
}

static void run(xenos_cp *cp, const uint32_t *words, size_t left)
{
    for (uint32_t n = 0; n < PACKETS && left > 0 && cp->stats.draws < DRAWS; n++) {
        size_t taken = words[0] >> 30 == 2 ? store(cp, words, left) : xenos_packet_dwords(words[0]);
        if (taken > left) {
            break;
        }
        if (words[0] >> 30 != 2) {
            xenos_cp_execute(cp, words, (uint32_t)taken);
        }
        words += taken;
        left -= taken;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const xenos_costs free_of_charge = {1, 1, 1, 1, 1, 1, 0};
    uint64_t wanted[16] = {0};
    weft_memory memory = {.size = sizeof memory,
                          .physical_size = MEMORY,
                          .physical = calloc(1, MEMORY),
                          .written_physical = memory_written,
                          .watch_physical = memory_watch,
                          .listen = memory_listen};
    weft_host host = {.size = sizeof host,
                      .memory = &memory,
                      .wanted = wanted,
                      .fail = host_fail,
                      .log = host_log,
                      .emit = host_emit,
                      .present = host_present};
    uint32_t *words = malloc(size + 8);
    xenos_cp *cp = calloc(1, sizeof *cp);
    xenos_drawing *drawing = cp != NULL ? xenos_drawing_new(&host, cp, "soft", 1) : NULL;
    if (words != NULL && drawing != NULL && memory.physical != NULL) {
        memcpy(words, data, size);
        xenos_cp_init(cp, &host, &free_of_charge, drawing);
        run(cp, words, size / 4);
        xenos_cp_end(cp);
    } else {
        xenos_drawing_free(drawing);
    }
    free(cp);
    free(words);
    free(memory.physical);
    return 0;
}
