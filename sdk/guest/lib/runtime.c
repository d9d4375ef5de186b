/* What freestanding C needs (the compiler calls the memory functions on its own), and the way from
 * the kernel's command line to main. */
#include "weft_guest.h"

#define ARGUMENTS_MAX 32
#define COMMAND_LINE  1024 /* bytes of ExLoadedCommandLine */

int main(int argc, char **argv);
int weft_main(void);

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    for (; count >= 8 && ((uintptr_t)t & 7) == 0 && ((uintptr_t)f & 7) == 0; count -= 8) {
        *(u64 *)t = *(const u64 *)f;
        t += 8;
        f += 8;
    }
    while (count-- > 0) {
        *t++ = *f++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t count)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    if (t <= f || t >= f + count) {
        return memcpy(to, from, count);
    }
    while (count-- > 0) {
        t[count] = f[count];
    }
    return to;
}

void *memset(void *to, int value, size_t count)
{
    unsigned char *t = to;
    u64 pattern = (unsigned char)value * 0x0101010101010101ull;
    for (; count > 0 && ((uintptr_t)t & 7) != 0; count--) {
        *t++ = (unsigned char)value;
    }
    for (; count >= 8; count -= 8) {
        *(u64 *)t = pattern;
        t += 8;
    }
    while (count-- > 0) {
        *t++ = (unsigned char)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t count)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    for (size_t i = 0; i < count; i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t count)
{
    for (; count > 0 && *a != '\0' && *a == *b; count--) {
        a++;
        b++;
    }
    return count == 0 ? 0 : (unsigned char)*a - (unsigned char)*b;
}

const char *weft_option(int argc, char **argv, const char *name)
{
    size_t length = strlen(name);
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        while (*text == '-') {
            text++;
        }
        if (strncmp(text, name, length) == 0 && (text[length] == '\0' || text[length] == '=')) {
            return text[length] == '=' ? &text[length + 1] : "";
        }
    }
    return 0;
}

u32 weft_number(const char *text)
{
    u32 base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    u32 value = 0;
    for (text += base == 16 ? 2 : 0; *text != '\0'; text++) {
        u32 digit = (u32)*text - '0';
        if (digit > 9) {
            digit = ((u32)*text | 0x20) - 'a' + 10;
        }
        if (digit >= base) {
            break;
        }
        value = value * base + digit;
    }
    return value;
}

u32 weft_thread_create(u32 *handle, u32 (*entry)(void *), void *context, u32 cpu, u32 flags)
{
    /* The top byte of the flags is the mask of allowed hardware threads (xenia
     * src/xenia/kernel/xthread.cc). */
    u32 thread_id = 0;
    return ExCreateThread(handle, 0x10000, &thread_id, (void *)weft_thread_startup, (void *)entry,
                          context, flags | 1u << (24 + cpu));
}

/* Splits the line at spaces; a part in double quotes keeps its spaces and loses the quotes. */
static int split(char *line, char **argv, int capacity)
{
    int argc = 0;
    char *out = line;
    while (*line == ' ') {
        line++;
    }
    while (*line != '\0' && argc < capacity) {
        argv[argc++] = out;
        bool quoted = false;
        for (; *line != '\0' && (quoted || *line != ' '); line++) {
            if (*line == '"') {
                quoted = !quoted;
            } else {
                *out++ = *line;
            }
        }
        while (*line == ' ') {
            line++;
        }
        *out++ = '\0';
    }
    return argc;
}

int weft_main(void)
{
    static char line[COMMAND_LINE];
    static char *argv[ARGUMENTS_MAX + 1];
    memcpy(line, ExLoadedCommandLine, sizeof line - 1);
    int argc = split(line, argv, ARGUMENTS_MAX);
    return main(argc, argv);
}
