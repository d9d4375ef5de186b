/* ctl.c: the socket and its clients: accepting, reading a line, sending the answer; never waiting. */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* States of a client. */
enum {
    READS,   /* its line is not whole */
    WAITS,   /* its request cannot be begun: another one is with the drain */
    GOES_ON, /* its request is being done */
    SENDS,   /* the answer is on its way */
    ENDED,
};

struct ctl {
    run *run;
    char *path;
    int fd;
    dev_t device; /* of the socket in the file system, so that it is ours that is removed */
    ino_t inode;
    ctl_client *clients;
    size_t count;
};

static uint64_t milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void set_state(ctl_client *client, uint32_t state)
{
    client->state = state;
    client->since = milliseconds_now();
}

/* ---- the socket --------------------------------------------------------------------------------
 */

/* Binds; a socket on which nobody listens any more is in nobody's way. */
static int bind_at(int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    mode_t mask = umask(0177); /* 0600 from its first moment on */
    int failed = bind(fd, (struct sockaddr *)&address, sizeof address);
    if (failed && errno == EADDRINUSE) {
        struct stat info;
        int other = lstat(path, &info) == 0 && S_ISSOCK(info.st_mode) ? ctl_connect(path) : 0;
        if (other < 0 && errno == ECONNREFUSED && unlink(path) == 0) {
            failed = bind(fd, (struct sockaddr *)&address, sizeof address);
        } else {
            if (other > 0) {
                close(other);
            }
            errno = EADDRINUSE;
        }
    }
    int error = errno;
    umask(mask);
    errno = error;
    return failed;
}

static char *usual_path(errors *list)
{
    char *folder = ctl_folder(), why[256];
    char *path = NULL;
    if (ctl_folder_check(folder, 1, why, sizeof why)) {
        errors_add(list, folder, "%s", why);
    } else {
        path = text_format("%s/%ld.sock", folder, (long)getpid());
    }
    free(folder);
    return path;
}

ctl *ctl_start(run *r, const char *path, errors *list)
{
    ctl *c = text_need(sizeof *c);
    struct stat info;
    *c = (ctl){.run = r, .fd = -1, .path = path ? text_copy(path) : usual_path(list)};
    if (!c->path) {
        free(c);
        return NULL;
    }
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || bind_at(c->fd, c->path) || lstat(c->path, &info) ||
        listen(c->fd, CTL_CLIENTS)) {
        errors_add(list, c->path, "socket cannot be made (found: %s, expected a path that is free)",
                   strerror(errno));
        if (c->fd >= 0) {
            close(c->fd);
        }
        free(c->path);
        free(c);
        return NULL;
    }
    c->device = info.st_dev;
    c->inode = info.st_ino;
    return c;
}

/* Root may ask of anybody; the socket's mode keeps all others out already. */
static int is_allowed(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void accept_clients(ctl *c)
{
    while (c->count < CTL_CLIENTS) {
        int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        if (!is_allowed(fd)) {
            close(fd);
            continue;
        }
        ctl_client *client = text_need(sizeof *client);
        *client = (ctl_client){.server = c, .fd = fd, .next = c->clients};
        set_state(client, READS);
        c->clients = client;
        c->count++;
    }
}

/* ---- clients -----------------------------------------------------------------------------------
 */

static void take_line(ctl_client *client)
{
    const char *end = NULL;
    client->request = cJSON_ParseWithLengthOpts(client->line, client->length, &end, 0);
    if (!cJSON_IsObject(client->request) || end != client->line + client->length) {
        ctl_refuse(client, EXIT_USAGE,
                   "ctl: request is malformed (found another text, expected one JSON object)");
        set_state(client, SENDS);
    } else {
        set_state(client, WAITS);
    }
}

static void read_line(ctl_client *client)
{
    for (;;) {
        char room[4096];
        ssize_t got = recv(client->fd, room, sizeof room, 0);
        if (got <= 0) {
            if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
                set_state(client, ENDED); /* it hung up before its line was whole */
            }
            return;
        }
        char *newline = memchr(room, '\n', (size_t)got);
        size_t length = newline ? (size_t)(newline - room) : (size_t)got;
        if (client->length + length > CTL_LINE_LIMIT) {
            ctl_refuse(client, EXIT_USAGE,
                       "ctl: request is too long (found more, expected at most 65536 bytes)");
            set_state(client, SENDS);
            return;
        }
        client->line = text_grow(client->line, client->length + length + 1);
        memcpy(client->line + client->length, room, length);
        client->length += length;
        if (newline) {
            take_line(client);
            return;
        }
    }
}

static void send_answer(ctl_client *client)
{
    while (client->sent < client->answer.length) {
        ssize_t done = send(client->fd, client->answer.bytes + client->sent,
                            client->answer.length - client->sent, MSG_NOSIGNAL);
        if (done < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                set_state(client, ENDED);
            }
            return;
        }
        client->sent += (size_t)done;
    }
    set_state(client, ENDED);
}

static void end_client(ctl *c, ctl_client *client)
{
    ctl_client **at = &c->clients;
    while (*at != client) {
        at = &(*at)->next;
    }
    *at = client->next;
    c->count--;
    ctl_request_free(client);
    shutdown(client->fd, SHUT_WR);
    close(client->fd);
    cJSON_Delete(client->request);
    buffer_free(&client->answer);
    free(client->line);
    free(client);
}

static void serve_client(ctl_client *client, run *r)
{
    if (client->state == READS) {
        read_line(client);
    }
    if (client->state == WAITS || client->state == GOES_ON) {
        int now =
            client->state == WAITS ? ctl_request_begin(client, r) : ctl_request_go_on(client, r);
        if (now == CTL_ANSWERED) {
            set_state(client, SENDS);
        } else if (now == CTL_GOES_ON && client->state == WAITS) {
            set_state(client, GOES_ON);
        }
    }
    if (client->state == SENDS) {
        send_answer(client);
    }
    if ((client->state == READS || client->state == SENDS) &&
        milliseconds_now() - client->since > CTL_PATIENCE) {
        set_state(client, ENDED);
    }
}

void ctl_serve(void *context, run *r)
{
    ctl *c = context;
    accept_clients(c);
    for (ctl_client *client = c->clients, *next; client; client = next) {
        next = client->next;
        serve_client(client, r);
        if (client->state == ENDED) {
            end_client(c, client);
        }
    }
}

void ctl_end(ctl *c)
{
    struct stat info;
    while (c->clients) {
        ctl_client *client = c->clients;
        if (client->state == GOES_ON && ctl_request_go_on(client, c->run) == CTL_ANSWERED) {
            set_state(client, SENDS);
        } else if (client->state == WAITS || client->state == GOES_ON) {
            ctl_refuse(client, EXIT_USAGE,
                       "ctl: the run has ended (found its end, expected a run)");
            set_state(client, SENDS);
        }
        if (client->state == SENDS) {
            send_answer(client);
        }
        end_client(c, client);
    }
    close(c->fd);
    if (lstat(c->path, &info) == 0 && info.st_dev == c->device && info.st_ino == c->inode) {
        unlink(c->path);
    }
    free(c->path);
    free(c);
}
