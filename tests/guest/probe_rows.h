/* The exports that the probe calls: one for each way in which the two calling conventions differ.
 */
#ifndef PROBE_ROWS_H
#define PROBE_ROWS_H

#define PROBE_ROWS(ROW)                                                                            \
    ROW(Words, "u(a:u,b:i,c:h,d:p)")                                                               \
    ROW(PairInside, "v(a:u,b:q,c:u)")                                                              \
    ROW(PairResult, "q(a:q)")                                                                      \
    ROW(NineWords, "u(a:u,b:u,c:u,d:u,e:u,f:u,g:u,h:u,i:i)")                                       \
    ROW(FivePairs, "v(a:q,b:q,c:q,d:q,e:q)")                                                       \
    ROW(SplitPair, "v(a:u,b:u,c:u,d:u,e:u,f:u,g:u,h:q,i:u)")                                       \
    ROW(PairOnStack, "q(a:u,b:u,c:u,d:u,e:u,f:u,g:u,h:u,i:u,j:q,k:i)")                             \
    ROW(DoubleInside, "u(a:u,b:d,c:u)")                                                            \
    ROW(Variadic, "u(a:p,...)")

/* What one call leaves: 64-bit big-endian words. */
#define PROBE_SLOTS  8 /* of the console's stack arguments */
#define PROBE_FLOAT  (8 + PROBE_SLOTS)
#define PROBE_RESULT (PROBE_FLOAT + 1) /* what the C caller was given */
#define PROBE_CALL   (PROBE_RESULT + 1)
#define PROBE_ANSWER 0x8877665544332211 /* what every export returns in r3 */
#define PROBE_CALLS  9

#endif
