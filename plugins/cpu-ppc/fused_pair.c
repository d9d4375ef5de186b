/* fused_pair.c: handlers of two instructions: each kind before each kind or end. */
#include "fuse.h"

#define PAIR(second, first)                                                                        \
    FUSED(first##_##second, 2)                                                                     \
    DO_##first(o, 0, 2) DO_##second(o + 1, 1, 2) FUSED_GO(2, o + 2);                               \
    }
#define PAIR_END(second, first)                                                                    \
    FUSED(first##_##second, 2)                                                                     \
    DO_##first(o, 0, 2) DO_##second(o + 1, 1, 2)                                                   \
    }
#define PAIRS_OF(first) PPC_SECONDS(PAIR, first) PPC_ENDS(PAIR_END, first)
PPC_KINDS(PAIRS_OF)

#define CELL(second, first) [KIND_##second] = first##_##second,
#define ROW_OF(first)       [KIND_##first] = {PPC_SECONDS(CELL, first) PPC_ENDS(CELL, first)},
static ppc_handler *const pairs[KIND_COUNT][KIND_NONE] = {PPC_KINDS(ROW_OF)};

ppc_handler *ppc_fused_pair(unsigned first, unsigned second)
{
    return first < KIND_COUNT && second < KIND_NONE ? pairs[first][second] : NULL;
}
