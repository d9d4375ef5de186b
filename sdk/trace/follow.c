/* follow.c: see follow.h. Both readers take their bytes here (trace_read), whether they follow or
 * not. */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reader.h"

struct trace_follow {
    weft_trace_wait_fn wait;
    void *context;
    int no_writer; /* 1: nobody writes any more, and what is read from now on is all there is */
};

/* 1 where somebody has the file open for writing, or that cannot be known. */
static int has_writer(int file)
{
    /* Whoever opens the file for writing in between lets the kernel send a signal: one that is
     * ignored by default in place of SIGIO, which ends a process. */
    if (fcntl(file, F_SETSIG, SIGURG) != 0 || fcntl(file, F_SETLEASE, F_RDLCK) != 0) {
        return 1;
    }
    fcntl(file, F_SETLEASE, F_UNLCK);
    return 0;
}

/* Waits a little; 0 where there is nothing to wait for any more. */
static int wait_a_little(trace_follow *f, int there)
{
    struct timespec pause = {.tv_nsec = WEFT_FOLLOW_MS * 1000000};
    int answer = f->wait ? f->wait(f->context, there) : 1;
    if (answer == 1) {
        nanosleep(&pause, NULL);
    }
    return answer != 0;
}

/* At the end of what there is: 1 where more may come. */
static int may_grow(weft_trace *t)
{
    trace_follow *f = t->follow;
    int file = fileno(t->file);
    struct stat status;
    if (t->info.complete || f->no_writer || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        return 0;
    }
    if ((uint64_t)status.st_size < t->bytes) {
        trace_fail_offset(t, t->bytes,
                          "file became shorter while it was followed (found %llu bytes, expected "
                          "at least %llu)",
                          (unsigned long long)status.st_size, (unsigned long long)t->bytes);
        return 0;
    }
    f->no_writer = !has_writer(file); /* then once more: the last bytes may have come in between */
    if (!f->no_writer && !wait_a_little(f, 1)) {
        f->no_writer = 1;
    }
    return 1;
}

size_t trace_read(weft_trace *t, void *to, size_t room)
{
    if (!t->follow) {
        size_t got = fread(to, 1, room, t->file);
        t->bytes += got;
        return got;
    }
    for (;;) {
        ssize_t got = read(fileno(t->file), to, room);
        if (got > 0) {
            t->bytes += (uint64_t)got;
            return (size_t)got;
        }
        if (got < 0 ? errno != EINTR : !may_grow(t)) {
            return 0;
        }
    }
}

size_t trace_read_all(weft_trace *t, void *to, size_t length)
{
    size_t got, used = 0;
    while (used < length && (got = trace_read(t, (char *)to + used, length - used)) > 0) {
        used += got;
    }
    return used;
}

weft_trace *weft_trace_follow(const char *path, weft_trace_wait_fn wait, void *context)
{
    trace_follow *f = malloc(sizeof *f);
    FILE *file;
    if (!f) {
        return NULL;
    }
    *f = (trace_follow){.wait = wait, .context = context};
    for (;;) {
        file = strcmp(path, "-") == 0 ? fdopen(dup(0), "rb") : fopen(path, "rb");
        if (file) {
            return trace_from(file, path, f);
        }
        if (errno != ENOENT || !wait_a_little(f, 0)) {
            free(f);
            return weft_trace_open(path); /* says why */
        }
    }
}
