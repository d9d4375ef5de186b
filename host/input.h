/* input.h: `weft run --input FILE`, a script of what hands do (docs/input.md). */
#ifndef WEFT_HOST_INPUT_H
#define WEFT_HOST_INPUT_H

#include "text.h"
#include "weft/frontend.h"

/* From vblank `vblank` on, controller `port` is as `pad` says. */
typedef struct input_step {
    uint64_t vblank;
    uint32_t port;
    weft_pad pad;
} input_step;

typedef struct input_script {
    input_step *steps; /* vblank never falls */
    size_t count, next;
    char digest[33]; /* XXH3-128 of the file */
} input_script;

/* 0, or -1 when `list` gained lines. */
int input_read(input_script *script, const char *path, errors *list);
int input_parse(input_script *script, const char *name, const char *bytes, size_t length,
                errors *list);

/* Brings WEFT_PAD_COUNT records up to vblank `vblank`. */
void input_apply(input_script *script, uint64_t vblank, weft_pad *pads);
void input_free(input_script *script);

#endif
