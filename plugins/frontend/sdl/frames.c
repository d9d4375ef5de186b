/* frames.c: see frames.h. */
#include "frames.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

void frames_init(frames *f)
{
    pthread_condattr_t monotonic;
    memset(f, 0, sizeof *f);
    f->waiting = 1;
    f->showing = 2;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->arrived, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void frames_free(frames *f)
{
    for (int i = 0; i < 3; i++) {
        free(f->slots[i].pixels);
    }
    pthread_cond_destroy(&f->arrived);
    pthread_mutex_destroy(&f->lock);
}

void frames_put(frames *f, const weft_frame *frame)
{
    picture *to = &f->slots[f->filling];
    size_t row = (size_t)frame->width * 4;
    if (frame->width == 0 || frame->width > FRAMES_MAX_SIDE || frame->height == 0 ||
        frame->height > FRAMES_MAX_SIDE || frame->stride < row || !frame->pixels) {
        return;
    }
    if (to->capacity < row * frame->height) {
        uint8_t *pixels = realloc(to->pixels, row * frame->height);
        if (!pixels) {
            return;
        }
        to->pixels = pixels;
        to->capacity = row * frame->height;
    }
    to->width = frame->width;
    to->height = frame->height;
    for (uint32_t y = 0; y < frame->height; y++) {
        memcpy(to->pixels + y * row, frame->pixels + (size_t)y * frame->stride, row);
    }
    pthread_mutex_lock(&f->lock);
    uint32_t filled = f->filling;
    f->filling = f->waiting;
    f->waiting = filled;
    f->fresh = 1;
    pthread_cond_signal(&f->arrived);
    pthread_mutex_unlock(&f->lock);
}

const picture *frames_fetch(frames *f)
{
    pthread_mutex_lock(&f->lock);
    int fresh = f->fresh;
    if (fresh) {
        uint32_t shown = f->showing;
        f->showing = f->waiting;
        f->waiting = shown;
        f->fresh = 0;
    }
    pthread_mutex_unlock(&f->lock);
    return fresh ? &f->slots[f->showing] : NULL;
}

void frames_wait(frames *f, uint32_t milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&f->lock);
    while (!f->fresh && pthread_cond_timedwait(&f->arrived, &f->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&f->lock);
}
