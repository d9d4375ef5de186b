/* text.c: strings and diagnostics. */
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *needed(void *p, size_t bytes)
{
    if (!p) {
        fprintf(stderr, "weft: error: host: out of memory (found none, expected %zu bytes)\n",
                bytes);
        abort();
    }
    return p;
}

void *text_grow(void *old, size_t bytes)
{
    return needed(realloc(old, bytes ? bytes : 1), bytes);
}

void *text_need(size_t bytes)
{
    void *p = text_grow(NULL, bytes);
    memset(p, 0, bytes);
    return p;
}

void *text_need_aligned(size_t bytes, size_t alignment)
{
    void *p = needed(aligned_alloc(alignment, bytes), bytes);
    memset(p, 0, bytes);
    return p;
}

char *text_copy_n(const char *text, size_t length)
{
    char *copy = text_need(length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *text_copy(const char *text)
{
    return text_copy_n(text, strlen(text));
}

static char *format_list(const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = text_need(length < 0 ? 1 : (size_t)length + 1);
    if (length >= 0) {
        vsnprintf(text, (size_t)length + 1, format, list);
    }
    return text;
}

char *text_format(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = format_list(format, list);
    va_end(list);
    return text;
}

static void one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

void errors_add(errors *list, const char *where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *what = format_list(format, arguments);
    va_end(arguments);
    char *line = text_format("%s: %s", where, what);
    free(what);
    one_line(line);
    list->lines = text_grow(list->lines, (list->count + 1) * sizeof *list->lines);
    list->lines[list->count++] = line;
}

void errors_print(const errors *list, FILE *file)
{
    for (size_t i = 0; i < list->count; i++) {
        fprintf(file, "weft: error: %s\n", list->lines[i]);
    }
}

void errors_free(errors *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->lines[i]);
    }
    free(list->lines);
    list->lines = NULL;
    list->count = 0;
}

void error_print(const char *where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *what = format_list(format, arguments);
    va_end(arguments);
    char *line = text_format("%s: %s", where, what);
    one_line(line);
    fprintf(stderr, "weft: error: %s\n", line);
    free(line);
    free(what);
}

/* Levenshtein distance with one row; words here are short. */
static size_t distance(const char *a, const char *b)
{
    size_t columns = strlen(b);
    size_t row[64];
    if (columns >= 64) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= columns; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            best = best < above + 1 ? best : above + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[columns];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t least = strlen(word) / 2 + 1; /* further away than that is no misspelling */
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, candidates[i]);
        if (d < least || (d == least && !nearest)) {
            least = d;
            nearest = candidates[i];
        }
    }
    return nearest;
}

char *text_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        return text_copy(".");
    }
    return slash == path ? text_copy("/") : text_copy_n(path, (size_t)(slash - path));
}

char *text_file_name(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    size_t start = length;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    return text_copy_n(path + start, length - start);
}

void buffer_add(buffer *b, const void *bytes, size_t length)
{
    if (b->length + length + 1 > b->room) {
        b->room = (b->length + length + 1) * 2;
        b->bytes = text_grow(b->bytes, b->room);
    }
    if (length) {
        memcpy(b->bytes + b->length, bytes, length);
    }
    b->length += length;
    b->bytes[b->length] = 0;
}

void buffer_text(buffer *b, const char *text)
{
    buffer_add(b, text, strlen(text));
}

void buffer_format(buffer *b, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = format_list(format, list);
    va_end(list);
    buffer_text(b, text);
    free(text);
}

/* Length of the well-formed UTF-8 sequence at p, or 0 (RFC 3629). */
static size_t utf8_length(const unsigned char *p)
{
    size_t length = *p < 0x80 ? 1 : *p >= 0xC2 && *p < 0xE0 ? 2 : (*p & 0xF0) == 0xE0 ? 3 : 4;
    if (*p >= 0x80 && (*p < 0xC2 || *p > 0xF4)) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F) || (*p == 0xF0 && p[1] < 0x90) ||
        (*p == 0xF4 && p[1] > 0x8F)) {
        return 0;
    }
    return length;
}

void buffer_json(buffer *b, const char *text)
{
    buffer_text(b, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t length = utf8_length(p);
        if (*p == '"' || *p == '\\') {
            buffer_format(b, "\\%c", *p);
            length = 1;
        } else if (*p < 0x20 || length == 0) {
            buffer_format(b, "\\u%04x", *p);
            length = 1;
        } else {
            buffer_add(b, p, length);
        }
        p += length;
    }
    buffer_text(b, "\"");
}

void buffer_free(buffer *b)
{
    free(b->bytes);
    *b = (buffer){0};
}

char *text_read_file(const char *path, size_t limit, size_t *length)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0) {
        return NULL;
    }
    if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
        close(file);
        errno = EISDIR;
        return NULL;
    }
    buffer b = {0};
    char chunk[16384];
    ssize_t got;
    while ((got = read(file, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 || b.length + (size_t)got > limit) {
            int reason = got < 0 ? errno : EFBIG;
            close(file);
            buffer_free(&b);
            errno = reason;
            return NULL;
        }
        buffer_add(&b, chunk, (size_t)got);
    }
    close(file);
    buffer_add(&b, "", 0);
    *length = b.length;
    return b.bytes;
}

void text_hash_hex(uint64_t high, uint64_t low, char *hex)
{
    snprintf(hex, 33, "%016" PRIx64 "%016" PRIx64, high, low);
}
