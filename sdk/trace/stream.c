/* stream.c: see stream.h. */
#include "stream.h"

#include <errno.h>
#include <unistd.h>

void stream_write(stream *s, int now)
{
    size_t done = 0;
    if (!now && s->buffer.used < s->threshold && !s->buffer.no_memory) {
        return;
    }
    while (done < s->buffer.used && s->error == 0) {
        ssize_t n = write(s->file, s->buffer.bytes + done, s->buffer.used - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            s->error = errno;
        }
    }
    s->written += done;
    s->buffer.used = 0;
    if (s->buffer.no_memory && s->error == 0) {
        s->error = ENOMEM;
    }
}
