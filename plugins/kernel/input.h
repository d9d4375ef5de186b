/* What the files about controllers share. */
#ifndef WEFT_KERNEL_INPUT_H
#define WEFT_KERNEL_INPUT_H

#include "kernel.h"

/* The host's controllers, just read: those that the title has turned off are taken out. */
void kinput_sampled(kernel *k, weft_pad *pads);
/* XINPUT_GAMEPAD, 12 bytes: buttons u16, triggers 2 x u8, sticks 4 x s16. */
void kinput_put_pad(uint8_t *p, const weft_pad *pad);

#endif
