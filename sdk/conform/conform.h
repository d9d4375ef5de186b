/* conform.h: the conformance kits that `weft conform PLUGIN.so` runs, one per role.
 *
 * A kit knows the public headers and nothing of the host: it is given a descriptor, an ops table
 * with the defaults filled in, and a weft_host to create instances with. Each check is one `pass`,
 * `fail` or `loose` on the report; `weft conform` prints `N passed, N failed, N loose` at the end
 * and exits 0 or 6. */
#ifndef WEFT_CONFORM_H
#define WEFT_CONFORM_H

#include "weft/host.h"

typedef struct weft_conform_report weft_conform_report;

/* Receives each line that a kit has to say: a failure with name, place, got and expected, or a
 * remark on a loose vector. `line` has no newline and lives until the call returns. */
typedef void (*weft_conform_print_fn)(weft_conform_report *report, const char *line);

struct weft_conform_report {
    uint64_t passed;
    uint64_t failed;
    uint64_t loose;              /* ran, differs, and does not count: marked so by its vector */
    weft_conform_print_fn print; /* never NULL */
    void *context;               /* for print */
    int32_t malformed;           /* the vectors file was not readable: exit code 3 */
};

/* One check passed. */
void weft_conform_pass(weft_conform_report *report);

/* One check failed; `format` and what follows is the line to print, without a newline. */
void weft_conform_fail(weft_conform_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One loose check differed. */
void weft_conform_loose(weft_conform_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A remark that counts as nothing. */
void weft_conform_note(weft_conform_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The kits. Each returns 0 when it could run to its end (whatever failed), or -1 when an input file
 * was malformed; then `malformed` is set and a line printed. `host` is good for one instance at a
 * time, and its memory is empty: a kit declares what it needs. */

/* Every role: the descriptor's texts, options and defaults, two instances side by side (one for
 * SINGLE), unknown extensions answered with NULL. */
int weft_conform_descriptor(const weft_plugin_desc *desc, const weft_host *host,
                            weft_conform_report *report);

/* `vectors` is a JSONL file as CONTRACTS.md describes it, or NULL for the built-in checks alone. */
int weft_conform_cpu(const weft_plugin_desc *desc, const weft_cpu_ops *ops, const weft_host *host,
                     const char *vectors, weft_conform_report *report);

/* Answers must be legal for many generated views, and equal for equal views. */
int weft_conform_policy(const weft_plugin_desc *desc, const weft_policy_ops *ops,
                        const weft_host *host, weft_conform_report *report);

/* The order of the ops, a swap, payloads of every shape, two instances, files that cannot be made or
 * written, memory, stdout; once for each. */
int weft_conform_tracer(const weft_plugin_desc *desc, const weft_tracer_ops *ops,
                        const weft_host *host, weft_conform_report *report);

/* Registers, a ring of packets without draws, its read pointer, fences, interrupts, waits, packets that
 * nobody knows and streams of chance, in a machine of the kit's own: what the guest can see changes when
 * the clock says so, and the same input leaves the same state. Of `host` only the options serve. */
int weft_conform_gpu(const weft_plugin_desc *desc, const weft_gpu_ops *ops, const weft_host *host,
                     weft_conform_report *report);

/* Small titles of the kit's own, and files that are none, in a machine of the kit's own: opening, limits,
 * ends, calls, faults, deadlock, events against event.h, what the policy and the CPU are asked. Of `host`
 * only the options serve. */
int weft_conform_kernel(const weft_plugin_desc *desc, const weft_kernel_ops *ops,
                        const weft_host *host, weft_conform_report *report);

#endif
