/* fuzz_order.c: 'o': an order manifest's text, which is written again if it can be read, and must then be
 * read as the same; anything else: a log, of which a manifest is made, by numbers or by times. */
#include <stdlib.h>
#include <string.h>

#include "order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static weft_order *read_text(const char *text, size_t length)
{
    char why[256] = "";
    size_t at;
    weft_order *order = weft_order_read(text, length, why, sizeof why, &at);
    if (!order && (why[0] == 0 || (at != SIZE_MAX && at > length))) {
        abort();
    }
    return order;
}

/* What is written can be read, and is the same. */
static void write_and_read(const weft_order *order)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    if (!weft_order_write(order, file, "fuzz", "")) {
        abort();
    }
    fclose(file);
    weft_order *again = read_text(text, length);
    if (!again || again->object_count != order->object_count ||
        again->thread_count != order->thread_count || again->operations != order->operations ||
        again->soft != order->soft) {
        abort();
    }
    for (uint32_t i = 0; i < order->object_count; i++) {
        const weft_order_object *a = &order->objects[i], *b = &again->objects[i];
        if (a->id != b->id || a->count != b->count || a->first != b->first ||
            memcmp(a->operations, b->operations, a->count * sizeof *a->operations) != 0 ||
            (a->count > 0 &&
             weft_order_place(a, a->count - 1) != weft_order_place(b, b->count - 1))) {
            abort();
        }
    }
    weft_order_free(again);
    free(text);
}

static void make(const uint8_t *data, size_t size)
{
    FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
    if (!file) {
        return;
    }
    weft_trace *trace = weft_trace_from(file, "fuzz");
    weft_order_builder *builder = weft_order_builder_new(size % 2 ? 1000 : 0);
    const weft_event *event;
    while ((event = weft_trace_next(trace)) != NULL) {
        weft_order_builder_add(builder, trace, event);
    }
    weft_order *order = weft_order_builder_end(builder);
    if (order) {
        write_and_read(order);
    }
    weft_order_free(order);
    weft_order_builder_free(builder);
    weft_trace_close(trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'o') {
        weft_order *order = read_text((const char *)data + 1, size - 1);
        if (order) {
            write_and_read(order);
        }
        weft_order_free(order);
    } else {
        make(data, size);
    }
    return 0;
}
