/* The transcendental unit, sixteen lanes a call. The console's documents call these operations
 * approximations without giving their error; here each is the exact value rounded once to single
 * precision, but for about one argument in 2^30, where it is the neighbour as close.
 * Built from IEEE double +, -, *, / and sqrt, which every host rounds alike.
 *
 * Arguments are flushed; results are settled (part.h): no denormals, one NaN. `out` may be `in`. */
#ifndef SOFT_MATH_H
#define SOFT_MATH_H

#include "lanes.h"

void soft_exp2(const soft_f *in, soft_f *out);
void soft_log2(const soft_f *in, soft_f *out);
void soft_rcp(const soft_f *in, soft_f *out);
void soft_sqrt(const soft_f *in, soft_f *out);
void soft_rsq(const soft_f *in, soft_f *out); /* 1 / sqrt: -infinity of -0 */
void soft_sin(const soft_f *in, soft_f *out); /* radians */
void soft_cos(const soft_f *in, soft_f *out);

#endif
