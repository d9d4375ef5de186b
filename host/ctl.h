/* ctl.h: talking to a running weft: a Unix stream socket of the user's, served by the run's main
 * thread between looks at the frontend.
 *
 * A client sends one JSON object on one line, gets one back, and is hung up on (docs/trace.md,
 * "Talking to a running title"). Nothing that it does can hold up the run: no call blocks, what it
 * sends and what it may be sent are bounded, and so is how long it may take. Nothing that it asks for
 * changes the guest, but that `quit` ends the run as a condition, and that another policy answers
 * otherwise. */
#ifndef WEFT_HOST_CTL_H
#define WEFT_HOST_CTL_H

#include <cjson/cJSON.h>

#include "policies.h"
#include "tracers.h"

#define CTL_LINE_LIMIT 65536 /* bytes of a request */
#define CTL_CLIENTS    8     /* served at once; others wait in the socket's queue */
#define CTL_PATIENCE   2000  /* ms that a client has to send its line, and to take the answer */

/* ---- where sockets are (ctl_place.c) -----------------------------------------------------------
 */

/* The folder of the sockets: $XDG_RUNTIME_DIR/weft, or /tmp/weft-UID where there is no such folder
 * of the session's. Allocated. */
char *ctl_folder(void);

/* The user's alone: made with 0700 where `make`, and refused where it is somebody else's, open to
 * others or no folder. 0, or -1 with `why` ("WHAT (found X, expected Y)"). */
int ctl_folder_check(const char *folder, int make, char *why, size_t room);

/* A connected socket, or -1 with errno. ENAMETOOLONG where the path does not fit. */
int ctl_connect(const char *path);

/* Paths of the sockets in the folder on which a weft answers; removes those of processes that are no
 * more. NULL-ended, allocated, each allocated. */
char **ctl_list(void);

/* ---- the run's end of it (ctl.c) ---------------------------------------------------------------
 */

typedef struct ctl ctl;

/* A client from its connection to its end. */
typedef struct ctl_client {
    ctl *server;
    int fd;
    uint64_t since; /* ms of the host's clock: when its state began */
    uint32_t state; /* ctl.c */
    char *line;     /* what it has sent so far */
    size_t length;
    buffer answer;
    size_t sent;
    cJSON *request;            /* parsed; while it cannot be begun yet, or goes on */
    tracer_instance *tracer;   /* made for it, not yet on its way into service */
    policy_instance *policy;   /* likewise */
    look_request look;         /* status, flush */
    tracers_dump_request dump; /* dump */
    drain_request *asked;      /* which of the two is with the drain */
    struct ctl_client *next;
} ctl_client;

/* Listens at `path`, or at PID.sock in the folder. NULL after adding to `list`. */
ctl *ctl_start(run *r, const char *path, errors *list);

/* run_options.pumped with the ctl as its context. */
void ctl_serve(void *context, run *r);

/* After the run: answers who still waits, removes the socket. */
void ctl_end(ctl *c);

/* ---- requests (ctl_request.c) ------------------------------------------------------------------
 */

enum { CTL_LATER, CTL_GOES_ON, CTL_ANSWERED };

/* Begins the request in client->request. CTL_LATER: to be begun again, nothing has happened. */
int ctl_request_begin(ctl_client *client, run *r);

/* Looks after one that goes on. */
int ctl_request_go_on(ctl_client *client, run *r);

/* The answer of a request that failed: the lines of `list`, or one sentence. */
void ctl_refuse(ctl_client *client, int code, const char *sentence);

/* Frees what a request has left; none of it is on its way any more. */
void ctl_request_free(ctl_client *client);

#endif
