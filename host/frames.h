/* frames.h: frames as PNG files. */
#ifndef WEFT_HOST_FRAMES_H
#define WEFT_HOST_FRAMES_H

#include "weft/gpu.h"

/* Writes FOLDER/frame-NUMBER.png, six digits, red green blue. 0, or -1 with `why` set. */
int frame_write(const char *folder, const weft_frame *frame, char *why, size_t room);

/* Makes a folder and those above it. 0, or -1 with errno set. */
int folder_make(const char *path);

#endif
