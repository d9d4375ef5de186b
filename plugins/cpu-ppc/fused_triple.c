/* fused_triple.c: handlers of three instructions: the commonest pairs before each kind or end; and
 * of a comparison with the branch that asks for it, alone or after another instruction. */
#include "fuse.h"

/* Counted on the kernels of bench/. */
#define HOT_PAIRS(X)                                                                               \
    X(addi, addi)                                                                                  \
    X(addi, add)                                                                                   \
    X(addi, rlwinm)                                                                                \
    X(addi, lwz)                                                                                   \
    X(addi, stw) X(add, addi) X(lwz, addi) X(lwz, add) X(lwz, lwz) X(lwz, stw) X(stw, addi)        \
        X(stw, stw) X(rlwinm, addi) X(rlwinm, rlwinm) X(rlwinm, lwzx) X(lbz, stb) X(lhau, lha)     \
            X(mullw, add) X(lfs, lfs) X(ld, addi)
#define THIRDS(X, x, y)                                                                            \
    X(addi, x, y)                                                                                  \
    X(add, x, y)                                                                                   \
    X(rlwinm, x, y)                                                                                \
    X(lwz, x, y) X(stw, x, y) X(stb, x, y) X(or, x, y) X(xor, x, y) X(mullw, x, y) X(lfs, x, y)

#define TRIPLE(z, x, y)                                                                            \
    FUSED(x##_##y##_##z, 3)                                                                        \
    DO_##x(o, 0, 3) DO_##y(o + 1, 1, 3) DO_##z(o + 2, 2, 3) FUSED_GO(3, o + 3);                    \
    }
#define TRIPLE_END(z, x, y)                                                                        \
    FUSED(x##_##y##_##z, 3)                                                                        \
    DO_##x(o, 0, 3) DO_##y(o + 1, 1, 3) DO_##z(o + 2, 2, 3)                                        \
    }
#define TRIPLES_OF(x, y) THIRDS(TRIPLE, x, y) PPC_ENDS(TRIPLE_END, x, y)
HOT_PAIRS(TRIPLES_OF)

#define CELL(z, x, y) [KIND_##z] = x##_##y##_##z,
#define ROW_OF(x, y)  {KIND_##x, KIND_##y, {THIRDS(CELL, x, y) PPC_ENDS(CELL, x, y)}},
static const struct hot_pair {
    uint8_t first, second;
    ppc_handler *run[KIND_NONE];
} hot_pairs[] = {HOT_PAIRS(ROW_OF)};

ppc_handler *ppc_fused_triple(unsigned first, unsigned second, unsigned third)
{
    for (size_t i = 0; i < sizeof hot_pairs / sizeof *hot_pairs; i++) {
        if (hot_pairs[i].first == first && hot_pairs[i].second == second) {
            return third < KIND_NONE ? hot_pairs[i].run[third] : NULL;
        }
    }
    return NULL;
}

/* A comparison at `p` and the branch after it, which goes when the relation is as `sense` says. */
#define IS_lt(x, y) ((x) < (y))
#define IS_gt(x, y) ((x) > (y))
#define IS_eq(x, y) ((x) == (y))
#define DO_BRANCH(p, n, type, relation, sense)                                                     \
    {                                                                                              \
        F(p);                                                                                      \
        type x_ = (type)RA_, y_ = (type)RIGHT;                                                     \
        put_relation(c, D_, x_<y_, x_> y_);                                                        \
        if (IS_##relation(x_, y_) == (sense)) {                                                    \
            FUSED_GO(n, (p) + 1 + (int32_t)(p)[1].imm);                                            \
        }                                                                                          \
        FUSED_GO(n, (p) + 2);                                                                      \
    }

/* before: the kinds that an instruction before the comparison may have. */
#define BEFORES(X, ...)                                                                            \
    X(addi, ##__VA_ARGS__)                                                                         \
    X(rlwinm, ##__VA_ARGS__)                                                                       \
    X(lwz, ##__VA_ARGS__)                                                                          \
    X(lwzx, ##__VA_ARGS__)                                                                         \
    X(lwzu, ##__VA_ARGS__)                                                                         \
    X(lbz, ##__VA_ARGS__) X(lhz, ##__VA_ARGS__) X(stw, ##__VA_ARGS__) X(add, ##__VA_ARGS__)
#define BRANCH_AFTER(x, cmp, relation, sense)                                                      \
    FUSED(x##_##cmp##_##relation##_##sense, 3)                                                     \
    DO_##x(o, 0, 3) DO_BRANCH(o + 1, 3, TYPE_##cmp, relation, sense)                               \
    }
#define BRANCHES(cmp, relation, sense)                                                             \
    FUSED(cmp##_##relation##_##sense, 2)                                                           \
    DO_BRANCH(o, 2, TYPE_##cmp, relation, sense)                                                   \
    }                                                                                              \
    BEFORES(BRANCH_AFTER, cmp, relation, sense)
#define RELATIONS(X, cmp)                                                                          \
    X(cmp, lt, 0) X(cmp, lt, 1) X(cmp, gt, 0) X(cmp, gt, 1) X(cmp, eq, 0) X(cmp, eq, 1)
RELATIONS(BRANCHES, cmpw)
RELATIONS(BRANCHES, cmplw)
RELATIONS(BRANCHES, cmpd)

#define ALONE KIND_NONE
#define BRANCH_CELL(x, cmp, relation, sense)                                                       \
    [KIND_##x][KIND_##cmp - KIND_cmpw][RELATION_##relation][sense] =                               \
        x##_##cmp##_##relation##_##sense,
#define BRANCH_CELLS(cmp, relation, sense)                                                         \
    [ALONE][KIND_##cmp - KIND_cmpw][RELATION_##relation][sense] = cmp##_##relation##_##sense,      \
                         BEFORES(BRANCH_CELL, cmp, relation, sense)
static ppc_handler *const branches[KIND_NONE + 1][3][3][2] = {
    RELATIONS(BRANCH_CELLS, cmpw) RELATIONS(BRANCH_CELLS, cmplw) RELATIONS(BRANCH_CELLS, cmpd)};

ppc_handler *ppc_fused_compare(unsigned before, unsigned compare, unsigned relation, int sense)
{
    return compare >= KIND_cmpw && compare <= KIND_cmpd && relation <= RELATION_eq
               ? branches[before][compare - KIND_cmpw][relation][sense]
               : NULL;
}
