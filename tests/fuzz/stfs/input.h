/* A package as an input of the fuzz target `stfs`: the header's first bytes, and those blocks behind
 * it that are not all zeros, each with its place. So an input of some blocks can have all three
 * levels of hash tables, of which the last begins 113 MiB behind the header. */
#ifndef WEFT_FUZZ_STFS_INPUT_H
#define WEFT_FUZZ_STFS_INPUT_H

#define INPUT_HEADER 0x400u  /* what the reader looks at; the size of the header that seeds say */
#define INPUT_BASE   0x1000u /* where the blocks begin: that size rounded up */
#define INPUT_BLOCK  0x1000u
#define INPUT_RECORD (2u + INPUT_BLOCK) /* place, little-endian, and bytes */

#endif
