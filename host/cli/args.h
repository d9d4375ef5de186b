/* args.h: command lines as tables: one row per flag gives parsing, refusal and --help. */
#ifndef WEFT_HOST_ARGS_H
#define WEFT_HOST_ARGS_H

#include <stddef.h>

/* One flag. A flag that may repeat is told again each time. */
typedef struct args_flag {
    const char *name;  /* "--profile" */
    const char *value; /* what stands behind it ("INI"), or NULL */
    const char *help;
} args_flag;

typedef struct args_command {
    const char *name;       /* "run" */
    const char *positional; /* as in usage: "TITLE [-- ARGS]" */
    const char *summary;
    const args_flag *flags; /* ended by a NULL name */
    size_t least, most;     /* positional arguments */
} args_command;

/* Receives a flag (index in flags) or a positional argument (index -1). Non-zero: refused, and a
 * message was printed. */
typedef int (*args_fn)(void *context, int index, const char *value);

/* 0: go on; 1: help was printed, exit 0; -1: an error was printed, exit 2. `argv` starts behind the
 * command's name; parsing ends at "--". */
int args_parse(const args_command *command, int argc, char **argv, args_fn fn, void *context);

/* Each command of `weft`: argv behind its name; returns the exit code. */
int command_run(int argc, char **argv);
int command_info(int argc, char **argv);
int command_plugins(int argc, char **argv);
int command_profile(int argc, char **argv);
int command_conform(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_ctl(int argc, char **argv);
int command_gpu(int argc, char **argv);

#endif
