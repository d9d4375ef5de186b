/* Depth and stencil of 4x4 pixels: each sample's word is read once, compared as integers, and written
 * back. Depth rounds to nearest even in both formats (edram.h). */
#include "../state.h"
#include "color.h"
#include "rop.h"
#include "rop_state.h"

/* 0..1 to the 24 bits of the format. */
SOFT_INLINE part_i to_depth(part_f z, uint32_t is_float)
{
    part_f depth = soft_clamp_positive(z, 1.0f);
    if (is_float) {
        return (part_i)soft_shrink(depth, 112, 3);
    }
    part_f scaled = depth * 16777215.0f;
    part_f rounded = (scaled + 8388608.0f) - 8388608.0f; /* as addition rounds */
    return __builtin_convertvector(part_select(scaled < 8388608.0f, rounded, scaled), part_i);
}

/* All ones where `a function b`. */
SOFT_INLINE part_i compare(uint32_t function, part_i a, part_i b)
{
    int32_t less = function & XENOS_LESS ? -1 : 0;
    int32_t equal = function & XENOS_EQUAL ? -1 : 0;
    int32_t greater = function & XENOS_GREATER ? -1 : 0;
    return ((a < b) & less) | ((a == b) & equal) | ((a > b) & greater);
}

/* xenia xenos.h, StencilOp. Only the low 8 bits of the result count. */
SOFT_INLINE part_i operate(uint32_t operation, part_i old, uint32_t reference)
{
    switch (operation) {
    case 1:
        return part_integer(0);
    case 2:
        return part_integer((int32_t)reference);
    case 3:
        return part_select_i(old < 255, old + 1, old);
    case 4:
        return part_select_i(old > 0, old - 1, old);
    case 5:
        return ~old;
    case 6:
        return old + 1;
    case 7:
        return old - 1;
    default:
        return old;
    }
}

/* One part of a sample; `covered` is all ones where the sample lives. Writes what changes and says
 * where the tests passed. */
SOFT_INLINE void test_part(const soft_rop *rop, const soft_block *block, uint32_t stride,
                           uint32_t sample, uint32_t n, part_f z, uint32_t back, part_i covered,
                           part_i *passed, part_i *stencil_passed)
{
    part_u word = soft_block_load(block, stride, sample & 1, sample >> 1, n);
    part_i old = (part_i)(word >> 8);
    part_i new = to_depth(z, rop->depth_float);
    part_i depth_pass = compare(rop->depth_function, new, old);
    part_i pass = depth_pass;
    part_i stencil = (part_i)(word & 255u);
    part_i stencil_pass = part_integer(-1);
    if (rop->stencil_used) {
        const soft_stencil *face = &rop->stencil[back & 1];
        part_i reference = part_integer((int32_t)(face->reference & face->read_mask));
        stencil_pass = compare(face->function, reference, stencil & (int32_t)face->read_mask);
        part_i fail = operate(face->operation[0], stencil, face->reference);
        part_i depth_fail = operate(face->operation[1], stencil, face->reference);
        part_i both = operate(face->operation[2], stencil, face->reference);
        part_i changed = part_select_i(depth_pass, both, depth_fail);
        changed = part_select_i(stencil_pass, changed, fail);
        int32_t mask = (int32_t)face->write_mask;
        stencil = (stencil & ~mask) | (changed & mask);
        pass &= stencil_pass;
    }
    *passed = pass;
    *stencil_passed = stencil_pass;
    if (rop->stencil_used || rop->depth_write) {
        part_i depth = rop->depth_write ? part_select_i(pass, new, old) : old;
        part_u changed = (part_u)depth << 8 | (part_u)stencil;
        changed = (changed & (part_u)covered) | (word & ~(part_u)covered);
        soft_block_store(block, stride, sample & 1, sample >> 1, n, changed);
    }
}

SOFT_INLINE void test_sample(const soft_rop *rop, const soft_block *block, uint32_t stride,
                             uint32_t sample, soft_fragment *fragment, xenos_counts *counts)
{
    soft_mask coverage = fragment->coverage[sample];
    part_i pass[SOFT_PARTS], stencil_pass[SOFT_PARTS];
    for (uint32_t n = 0; n < SOFT_PARTS; n++) {
        test_part(rop, block, stride, sample, n, part_of(&fragment->depth[sample], n),
                  fragment->back, part_expand(coverage, n), &pass[n], &stencil_pass[n]);
    }
    soft_mask passed = part_gather(pass) & coverage;
    soft_mask stencil_passed = part_gather(stencil_pass) & coverage;
    counts->total += (uint64_t)__builtin_popcount(coverage);
    counts->stencil_fail += (uint64_t)__builtin_popcount(coverage & ~stencil_passed);
    counts->z_fail += (uint64_t)__builtin_popcount(stencil_passed & ~passed);
    counts->z_pass += (uint64_t)__builtin_popcount(passed);
    fragment->coverage[sample] = passed;
}

void soft_rop_depth(const soft_rop *rop, soft_fragment *fragment, xenos_counts *counts)
{
    if (!rop->depth_used) {
        for (uint32_t s = 0; s < rop->samples; s++) {
            uint64_t passed = (uint64_t)__builtin_popcount(fragment->coverage[s]);
            counts->total += passed;
            counts->z_pass += passed;
        }
        return;
    }
    soft_block block = soft_block_at(rop->edram, &rop->depth, fragment->x, fragment->y);
    for (uint32_t s = 0; s < rop->samples; s++) {
        if (fragment->coverage[s] == 0) {
            continue;
        }
        if (block.stride == 1) {
            test_sample(rop, &block, 1, s, fragment, counts);
        } else {
            test_sample(rop, &block, 2, s, fragment, counts);
        }
    }
}
