/*
 * Inputs from which fuzzing starts: one small file for each form that mkxex's writer makes, all
 * below libFuzzer's default of 4096 bytes, and images with an export directory for the PE target.
 */
#ifndef WEFT_FUZZ_XEX_SEEDS_H
#define WEFT_FUZZ_XEX_SEEDS_H

#include <stddef.h>
#include <stdint.h>

unsigned xex_seed_count(void);
/* Seed number `index`, malloc'ed. */
uint8_t *xex_seed_make(unsigned index, size_t *size);

unsigned pe_seed_count(void);
uint8_t *pe_seed_make(unsigned index, size_t *size);

/*
 * One mutation for a libFuzzer custom mutator: now and then a whole seed, else a word of the big-
 * or little-endian kind set to an interesting value, a byte changed, or libFuzzer's own choice.
 */
size_t xex_mutate(uint8_t *data, size_t size, size_t room, uint32_t seed,
                  uint8_t *(*make)(unsigned, size_t *), unsigned count);

#endif
