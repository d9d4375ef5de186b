/* fuse.c: interp-blocks: which handler executes the instructions from a word on. */
#include "fuse.h"

/* Which operands of a plain op its kind does not have, and has to find as zero. */
enum { ALL, NO_B, NO_IMM, NO_B_IMM, NOTHING };

static const struct kind_of {
    ppc_handler *run;
    uint8_t kind, lacks;
} kind_of[] = {
    {op_addi, KIND_addi, NO_B},   {op_li, KIND_addi, NO_B},      {op_mr, KIND_addi, NO_B_IMM},
    {op_add, KIND_add, NO_IMM},   {op_nop, KIND_addi, NOTHING},  {op_rlwinm, KIND_rlwinm, ALL},
    {op_lwz, KIND_lwz, NO_B},     {op_lwzx, KIND_lwzx, NO_IMM},  {op_stw, KIND_stw, NO_B},
    {op_stwx, KIND_stwx, NO_IMM}, {op_lbz, KIND_lbz, NO_B},      {op_lbzx, KIND_lbzx, NO_IMM},
    {op_stb, KIND_stb, NO_B},     {op_stbx, KIND_stb, NO_IMM},   {op_lhz, KIND_lhz, NO_B},
    {op_lhzx, KIND_lhz, NO_IMM},  {op_lha, KIND_lha, NO_B},      {op_lhax, KIND_lha, NO_IMM},
    {op_ld, KIND_ld, NO_B},       {op_ldx, KIND_ld, NO_IMM},     {op_std, KIND_std, NO_B},
    {op_stdx, KIND_std, NO_IMM},  {op_lfs, KIND_lfs, NO_B},      {op_lfsx, KIND_lfs, NO_IMM},
    {op_lfd, KIND_lfd, NO_B},     {op_lfdx, KIND_lfd, NO_IMM},   {op_lwbrx, KIND_lwbrx, NO_IMM},
    {op_stwu, KIND_stwu, NO_B},   {op_lwzu, KIND_lwzu, NO_B},    {op_lbzu, KIND_lbzu, NO_B},
    {op_lhau, KIND_lhau, NO_B},   {op_stbu, KIND_stbu, NO_B},    {op_lvx, KIND_lvx, NO_IMM},
    {op_or, KIND_or, ALL},        {op_and, KIND_and, ALL},       {op_xor, KIND_xor, ALL},
    {op_ori, KIND_ori, ALL},      {op_andi_rc, KIND_andi, ALL},  {op_subf, KIND_subf, ALL},
    {op_mullw, KIND_mullw, ALL},  {op_rldicl, KIND_rldicl, ALL}, {op_cmpwi, KIND_cmpw, NO_B},
    {op_cmpw, KIND_cmpw, NO_IMM}, {op_cmplwi, KIND_cmplw, NO_B}, {op_cmplw, KIND_cmplw, NO_IMM},
    {op_cmpdi, KIND_cmpd, NO_B},  {op_cmpd, KIND_cmpd, NO_IMM},  {op_b_near, KIND_b, ALL},
    {op_bt_near, KIND_bt, ALL},   {op_bf_near, KIND_bf, ALL},    {op_bdnz_near, KIND_bdnz, ALL},
    {op_blr, KIND_blr, ALL},      {op_bctr, KIND_bctr, ALL},
};

/* The op in canonical operands, which suit the plain handler too; returns its kind. */
static unsigned canonical(op *o)
{
    for (size_t i = 0; i < sizeof kind_of / sizeof *kind_of; i++) {
        if (kind_of[i].run == o->run) {
            uint8_t lacks = kind_of[i].lacks;
            if (lacks == NOTHING) { /* r0 = r0 + 0 */
                o->d = o->a = 1;
            }
            if (lacks == NO_B || lacks == NO_B_IMM || lacks == NOTHING) {
                o->b = 0;
            }
            if (lacks == NO_IMM || lacks == NO_B_IMM || lacks == NOTHING) {
                o->imm = 0;
            }
            return kind_of[i].kind;
        }
    }
    return KIND_NONE;
}

/* A comparison at o[at] and a branch on its result after it. */
static ppc_handler *compare_branch(unsigned before, const unsigned *kinds, const op *o, unsigned at)
{
    unsigned end = kinds[at + 1], bit = o[at + 1].a;
    if ((end != KIND_bt && end != KIND_bf) || (bit & 0x1C) != o[at].d) {
        return NULL;
    }
    return ppc_fused_compare(before, kinds[at], bit & 3, end == KIND_bt);
}

static ppc_handler *choose(const unsigned *kinds, const op *o)
{
    ppc_handler *run = kinds[0] < KIND_COUNT ? compare_branch(kinds[0], kinds, o, 1) : NULL;
    if (!run) {
        run = compare_branch(KIND_NONE, kinds, o, 0);
    }
    if (!run && !ppc_fused_compare(KIND_NONE, kinds[2], RELATION_eq, 0)) {
        run = ppc_fused_triple(kinds[0], kinds[1], kinds[2]);
    }
    return run ? run : ppc_fused_pair(kinds[0], kinds[1]);
}

/* Decodes the word at `index`, and those after it that its handler may execute with it. They keep
 * their handlers: who enters there finds an op of its own. */
void ppc_fuse(const engine *e, code_page *page, uint32_t index)
{
    op o[PPC_FUSED];
    unsigned kinds[PPC_FUSED];
    for (uint32_t k = 0; k < PPC_FUSED; k++) {
        o[k] = (op){.run = op_page_end};
        if (index + k < PPC_PAGE_OPS) {
            op *plain = &page->plain[index + k];
            if (plain->run == op_undecoded) {
                ppc_decode_plain(e, page, index + k, plain);
            }
            o[k] = *plain;
        }
        kinds[k] = canonical(&o[k]);
    }
    ppc_handler *fused = choose(kinds, o);
    for (uint32_t k = 1; fused && k < PPC_FUSED && index + k < PPC_PAGE_OPS; k++) {
        op *behind = &page->ops[index + k];
        if (behind->run == op_undecoded) {
            *behind = o[k];
            behind->run = op_undecoded;
        }
    }
    if (!fused && e->fma) {
        fused = ppc_fast_fp(o[0].run);
        fused = fused ? fused : ppc_fast_vmx(o[0].run);
    }
    page->ops[index] = o[0];
    page->ops[index].run = fused ? fused : o[0].run;
}

/* Executes one instruction by its plain handler and goes back to run(): where fewer instructions
 * are left than a handler executes, and where one of them is not the common case. */
step ppc_single(PPC_ARGS)
{
    code_page *page = c->pages[c->page_pc >> WEFT_PAGE_SHIFT];
    const op *plain = page->plain + (o - c->ops);
    c->until = c->until - left + 1;
    c->ops = page->plain;
    left = 1;
    GO(plain);
}
