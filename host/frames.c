/* frames.c: writing a frame with libpng. Speed over size: a run writes thousands of them. */
#include "frames.h"

#include <errno.h>
#include <inttypes.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

typedef struct writer {
    jmp_buf out;
    char *why;
    size_t room;
} writer;

static void on_error(png_structp png, png_const_charp message)
{
    writer *w = png_get_error_ptr(png);
    snprintf(w->why, w->room, "%s", message);
    longjmp(w->out, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
}

/* Everything between setjmp and longjmp that is freed after it lives in the caller. */
static int write_png(png_structp png, png_infop info, FILE *file, const weft_frame *frame,
                     uint8_t *row, writer *w)
{
    if (setjmp(w->out)) {
        return -1;
    }
    png_init_io(png, file);
    png_set_IHDR(png, info, frame->width, frame->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 1);
    png_set_filter(png, 0, PNG_FILTER_SUB);
    png_write_info(png, info);
    for (uint32_t y = 0; y < frame->height; y++) {
        const uint8_t *from = frame->pixels + (size_t)y * frame->stride;
        for (uint32_t x = 0; x < frame->width; x++) {
            memcpy(row + (size_t)x * 3, from + (size_t)x * 4, 3);
        }
        png_write_row(png, row);
    }
    png_write_end(png, info);
    return 0;
}

int frame_write(const char *folder, const weft_frame *frame, char *why, size_t room)
{
    writer w = {.why = why, .room = room};
    char *path = text_format("%s/frame-%06" PRIu64 ".png", folder, frame->number);
    FILE *file = fopen(path, "wb");
    free(path);
    if (!file) {
        snprintf(why, room, "%s", strerror(errno));
        return -1;
    }
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    uint8_t *row = text_need((size_t)frame->width * 3);
    int failed = -1;
    if (info) {
        failed = write_png(png, info, file, frame, row, &w);
    } else {
        snprintf(why, room, "no memory for libpng");
    }
    if (png) {
        png_destroy_write_struct(&png, &info);
    }
    free(row);
    if (fclose(file) && !failed) {
        snprintf(why, room, "%s", strerror(errno));
        failed = -1;
    }
    return failed;
}

int folder_make(const char *path)
{
    char *copy = text_copy(path);
    int failed = 0;
    for (char *p = copy + 1; !failed; p++) {
        if (*p == '/' || *p == 0) {
            char kept = *p;
            *p = 0;
            struct stat status;
            failed = mkdir(copy, 0777) && (errno != EEXIST || stat(copy, &status) ||
                                           (!S_ISDIR(status.st_mode) && (errno = ENOTDIR)));
            *p = kept;
            if (kept == 0) {
                break;
            }
        }
    }
    free(copy);
    return failed ? -1 : 0;
}
