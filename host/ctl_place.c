/* ctl_place.c: the folder and the names of the sockets. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"

char *ctl_folder(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR"); /* basedir-spec: absolute, else ignored */
    struct stat info;
    if (runtime && *runtime == '/' && stat(runtime, &info) == 0 && S_ISDIR(info.st_mode)) {
        return text_format("%s/weft", runtime);
    }
    return text_format("/tmp/weft-%lu", (unsigned long)geteuid());
}

int ctl_folder_check(const char *folder, int make, char *why, size_t room)
{
    struct stat info;
    if (make && mkdir(folder, 0700) && errno != EEXIST) {
        snprintf(why, room, "folder of sockets cannot be made (found: %s, expected a folder)",
                 strerror(errno));
        return -1;
    }
    if (lstat(folder, &info)) {
        snprintf(why, room, "folder of sockets cannot be looked at (found: %s, expected a folder)",
                 strerror(errno));
        return -1;
    }
    if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
        snprintf(why, room,
                 "folder of sockets is not the user's alone (found %s of user %lu with mode %03o, "
                 "expected a folder of user %lu with mode 700)",
                 S_ISDIR(info.st_mode) ? "a folder" : "something else", (unsigned long)info.st_uid,
                 (unsigned)info.st_mode & 07777, (unsigned long)geteuid());
        return -1;
    }
    return 0;
}

int ctl_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        return fd;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* The process of a socket's name, 0 where it is none of ours. */
static pid_t pid_of(const char *name)
{
    char *end;
    long pid = strtol(name, &end, 10);
    return *name >= '1' && *name <= '9' && strcmp(end, ".sock") == 0 ? (pid_t)pid : 0;
}

/* A socket is left over where nobody listens and the process of its name is gone. Either alone can
 * be seen of a run that is just beginning. */
static int answers(const char *path, pid_t pid)
{
    int fd = ctl_connect(path);
    if (fd >= 0) {
        close(fd);
        return 1;
    }
    if (errno == ECONNREFUSED && kill(pid, 0) && errno == ESRCH) {
        unlink(path);
    }
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **ctl_list(void)
{
    char **list = text_need(sizeof *list), *folder = ctl_folder(), why[256];
    size_t count = 0;
    DIR *d = ctl_folder_check(folder, 0, why, sizeof why) ? NULL : opendir(folder);
    for (struct dirent *entry; d && (entry = readdir(d)) != NULL;) {
        pid_t pid = pid_of(entry->d_name);
        char *path = text_format("%s/%s", folder, entry->d_name);
        if (pid && answers(path, pid)) {
            list = text_grow(list, (count + 2) * sizeof *list);
            list[count++] = path;
            list[count] = NULL;
        } else {
            free(path);
        }
    }
    if (d) {
        closedir(d);
    }
    free(folder);
    qsort(list, count, sizeof *list, by_text);
    return list;
}
