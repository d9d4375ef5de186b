/* clock.h: the one implementation of weft_clock. */
#ifndef WEFT_HOST_CLOCK_H
#define WEFT_HOST_CLOCK_H

#include "weft/clock.h"

weft_clock *clock_create(void);
void clock_destroy(weft_clock *clock);

#endif
