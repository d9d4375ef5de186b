/* A host for kernel tests: enough of weft_host to run the plugin's parts without `weft`. Memory is
 * real (a 4 GiB reservation, views of one memfd, so physical memory aliases), the clock is a sorted
 * list, and what the kernel says is kept for the test to look at. */
#ifndef WEFT_TEST_FAKE_H
#define WEFT_TEST_FAKE_H

#include "weft/host.h"

#define FAKE_TEXT_MAX 4096
#define FAKE_KEPT     4096 /* events that are kept; later ones are only counted */
#define FAKE_NAMES    512

/* An event with the first words of its payload. */
typedef struct fake_event {
    weft_event head;
    uint64_t words[16];
} fake_event;

typedef struct fake_host {
    struct weft_host host; /* first: what the kernel is given */
    weft_memory memory;
    weft_clock clock;
    weft_machine machine;
    char failed[512];            /* last sentence given to fail */
    char logged[512];            /* last log line */
    char printed[FAKE_TEXT_MAX]; /* everything that was printed, NUL-ended */
    uint32_t events[64];         /* emitted so far, by kind */
    fake_event kept[FAKE_KEPT];  /* in order */
    uint32_t kept_count;
    struct {
        uint64_t id;
        char text[120];
    } names[FAKE_NAMES]; /* defined so far */
    uint32_t name_count;
    uint64_t wanted[4];
    void *memory_impl, *clock_impl;
} fake_host;

/* A fresh host; the machine has the documented defaults (1 ns an instruction, 2005-11-22). Ends the
 * test program when the system refuses the memory. */
fake_host *fake_host_create(void);
void fake_host_destroy(fake_host *fake);

/* How often guest pages were reported as written. */
uint64_t fake_written_count(const fake_host *fake);

/* The n-th event of a kind from 0, or NULL; and the text of an identity, "?" where there is none. */
const fake_event *fake_event_at(const fake_host *fake, uint16_t kind, uint32_t n);
const char *fake_name(const fake_host *fake, uint64_t id);

#endif
