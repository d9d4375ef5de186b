/* follow.h: a trace that is still being written, read as it grows.
 *
 * Events come as soon as they are whole: lines of JSONL one by one, those of a binary file with their
 * blocks. The trace ends with its last line or footer, or when nobody has the file open for writing
 * any more and all of it is read; what is missing then is told as of any other cut file. Who writes
 * is asked of the kernel by a lease (fcntl, F_SETLEASE), which Linux grants for reading where nobody
 * writes; where it cannot be asked (another user's file, some network file systems), the wait goes
 * on until the end comes or `wait` gives up. A pipe ends when its writer closes it. */
#ifndef WEFT_TRACE_FOLLOW_H
#define WEFT_TRACE_FOLLOW_H

#include "trace.h"

#define WEFT_FOLLOW_MS 20 /* between two looks at a file that does not grow */

/* Called before each wait; `there` is 0 while there is no such file. Returns what to do: 0 gives up, and
 * the trace ends as if its writer were gone; 1 waits WEFT_FOLLOW_MS; 2 looks again at once. */
typedef int (*weft_trace_wait_fn)(void *context, int there);

/* As weft_trace_open, but waits for the file, its header, and then for each event. `wait` may be
 * NULL. "-" is stdin. */
weft_trace *weft_trace_follow(const char *path, weft_trace_wait_fn wait, void *context);

#endif
