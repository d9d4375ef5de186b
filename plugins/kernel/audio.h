/* audio.c: render driver clients and XMA contexts. */
#ifndef WEFT_KERNEL_AUDIO_H
#define WEFT_KERNEL_AUDIO_H

#include "kernel.h"

/* Registers the clock's source; once, at boot. */
void kaudio_init(kernel *k);

/* XMA's registers, `offset` bytes from 0x7FEA0000, a multiple of 4. Guest byte order is little
 * endian there; these are the words as the guest's lwz and stw see them. */
uint32_t kxma_register_read(kernel *k, uint32_t offset);
void kxma_register_write(kernel *k, uint32_t offset, uint32_t value);

#endif
