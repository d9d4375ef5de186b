/* align.c: behind a divergence: where both threads agree again, and what lies between.
 *
 * Three equal events in a row count as agreement: one alone would be found by chance. Of the places
 * where they occur within DIFF_GAP events, the one is taken that leaves out least. */
#include <stdlib.h>
#include <string.h>

#include "diff_parts.h"

#define IN_A_ROW 3

typedef struct sequence {
    const uint64_t *at;
    size_t count;
} sequence;

/* Whether both agree from there on: three events, or all that is left where that is less and both
 * end together. */
static int agree(sequence a, sequence b)
{
    size_t least = a.count < b.count ? a.count : b.count;
    size_t n = least < IN_A_ROW ? least : IN_A_ROW;
    return n > 0 && (n == IN_A_ROW || a.count == b.count) &&
           memcmp(a.at, b.at, n * sizeof *a.at) == 0;
}

static sequence from(sequence s, size_t n)
{
    return (sequence){s.at + n, s.count - n};
}

/* The nearest such place: how many events of each are left out. 0: there is none. */
static int find(sequence a, sequence b, size_t gap[2])
{
    for (size_t sum = 0; sum <= 2 * DIFF_GAP; sum++) {
        /* Of equal sums, as many of one as of the other first: an event that has changed. */
        for (size_t k = 0; k <= sum + 1; k++) {
            size_t half = sum / 2, i = k % 2 ? half - (k + 1) / 2 : half + k / 2, j = sum - i;
            if (i > sum) {
                continue;
            }
            if (i <= DIFF_GAP && j <= DIFF_GAP && i < a.count && j < b.count &&
                agree(from(a, i), from(b, j))) {
                gap[0] = i;
                gap[1] = j;
                return 1;
            }
        }
    }
    return 0;
}

static void add_change(diff_work *w, weft_trace_diff_pair *p, char what, const diff_kept *a,
                       const diff_kept *b)
{
    weft_diff_change *more =
        diff_grown(&w->no_memory, p->changes, p->change_count, sizeof *p->changes);
    const diff_kept *both[2] = {a, b};
    if (!more) {
        return;
    }
    p->changes = more;
    weft_diff_change *c = &p->changes[p->change_count++];
    *c = (weft_diff_change){.what = what};
    for (int n = 0; n < 2; n++) {
        if (both[n]) {
            diff_show(w, n, both[n], &c->events[n]);
        }
    }
}

/* The cheapest way from the events left out of one to those of the other: what is only here, only
 * there, and what stands in the same place and differs. */
static void list_changes(diff_work *w, const diff_view views[2], const size_t gap[2],
                         weft_trace_diff_pair *p)
{
    static const int same = 0, differ = 3,
                     alone = 2; /* two alone are dearer than one that differs */
    size_t m = gap[0], n = gap[1], wide = n + 1;
    const uint64_t *a = views[0].hashes, *b = views[1].hashes;
    const diff_kept *x = views[0].kept.at, *y = views[1].kept.at;
    uint16_t *cost = malloc((m + 1) * wide * sizeof *cost); /* from (i, j) to the end */
    if (!cost) {
        w->no_memory = 1;
        return;
    }
    for (size_t i = m + 1; i-- > 0;) {
        for (size_t j = n + 1; j-- > 0;) {
            int best = i == m && j == n ? 0 : INT32_MAX;
            if (i < m) {
                best = cost[(i + 1) * wide + j] + alone;
            }
            if (j < n && cost[i * wide + j + 1] + alone < best) {
                best = cost[i * wide + j + 1] + alone;
            }
            if (i < m && j < n) {
                int both = cost[(i + 1) * wide + j + 1] + (a[i] == b[j] ? same : differ);
                best = both < best ? both : best;
            }
            cost[i * wide + j] = (uint16_t)best;
        }
    }
    for (size_t i = 0, j = 0; i < m || j < n;) {
        int here = cost[i * wide + j];
        if (i < m && j < n &&
            here == cost[(i + 1) * wide + j + 1] + (a[i] == b[j] ? same : differ)) {
            add_change(w, p, a[i] == b[j] ? '=' : '~', &x[i], &y[j]);
            i++;
            j++;
        } else if (i < m && here == cost[(i + 1) * wide + j] + alone) {
            add_change(w, p, '-', &x[i++], NULL);
        } else {
            add_change(w, p, '+', NULL, &y[j++]);
        }
    }
    free(cost);
}

void diff_align(diff_work *w, const diff_view views[2], weft_trace_diff_pair *p)
{
    sequence a = {views[0].hashes, views[0].hash_count};
    sequence b = {views[1].hashes, views[1].hash_count};
    size_t gap[2];
    p->window[0] = a.count;
    p->window[1] = b.count;
    if (!find(a, b, gap)) {
        return;
    }
    p->resynced = 1;
    p->resync[0] = views[0].from + gap[0];
    p->resync[1] = views[1].from + gap[1];
    if (gap[0] <= views[0].kept.count && gap[1] <= views[1].kept.count) {
        list_changes(w, views, gap, p);
    }
    for (;;) {
        a = from(a, gap[0]);
        b = from(b, gap[1]);
        size_t n = 0;
        while (n < a.count && n < b.count && a.at[n] == b.at[n]) {
            n++;
        }
        p->again += n;
        a = from(a, n);
        b = from(b, n);
        /* Where only one has events left, its window or its thread may just be longer. */
        if (a.count == 0 || b.count == 0) {
            break;
        }
        p->later++;
        if (!find(a, b, gap)) {
            break;
        }
    }
}
