/* trace_command.h: what the subcommands of `weft trace` share: a trace being read, with a sign of
 * life for the person who waits. */
#ifndef WEFT_HOST_TRACE_COMMAND_H
#define WEFT_HOST_TRACE_COMMAND_H

#include "follow.h"

typedef struct reading {
    weft_trace *trace;
    const char *path;
    uint64_t events;
    int terminal; /* 1: stderr is one, and long work shows how far it is */
} reading;

void reading_open(reading *r, const char *path);

/* The same of a file that is being written (follow.h). */
void reading_follow(reading *r, const char *path, weft_trace_wait_fn wait, void *context);
const weft_event *reading_next(reading *r);

/* Prints the failure, or what is missing, and closes. Returns the exit code. */
int reading_close(reading *r);

/* Whether a file ends as a whole binary trace does, whose index (sdk/trace/source.h) can be asked;
 * and its size. */
int trace_is_indexed(const char *path, uint64_t *bytes);

/* Each subcommand: argv behind its name; returns the exit code. */
int trace_dump(int argc, char **argv);
int trace_stat(int argc, char **argv);
int trace_digest(int argc, char **argv);
int trace_chain(const char *const *paths, size_t count); /* of `digest --chain` */
int trace_diff(int argc, char **argv);
int trace_export(int argc, char **argv);
int trace_manifest(int argc, char **argv);
int trace_kinds(int argc, char **argv);
int trace_cut(int argc, char **argv);

#endif
