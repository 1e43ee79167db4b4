/* Let the n-th write or sync of a chosen file fail, once or for ever; loaded before libc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NOTHING, WRITE, SYNC };
static int kind, wanted, code, seen;
static char part[256];

/* Called through ctypes in the child: which call of which file fails, and how (0: short). */
void fault_set(int of, int nth, int error, const char *path_part)
{
    kind = of;
    wanted = nth;
    code = error;
    seen = 0;
    snprintf(part, sizeof part, "%s", path_part);
}

static int is_meant(int fd, int of)
{
    char link[64], path[4096];
    if (kind != of)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strstr(path, part) && ++seen >= wanted;
}

ssize_t write(int fd, const void *data, size_t length)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        real = dlsym(RTLD_NEXT, "write");
    if (is_meant(fd, WRITE)) {
        if (!code) /* a short write is no error: the rest must follow */
            return real(fd, data, length > 3 ? length / 3 : length);
        if (seen == wanted && length > 400 && code == ENOSPC)
            return real(fd, data, length / 2); /* the disk fills in the middle of it */
        if (seen == wanted || code != EIO) { /* a full disk stays full, EIO is said once */
            errno = code;
            return -1;
        }
    }
    return real(fd, data, length);
}

static int sync_of(int fd, const char *name)
{
    int (*real)(int) = dlsym(RTLD_NEXT, name);
    if (is_meant(fd, SYNC) && seen == wanted) { /* as Linux does: said once, then never again */
        errno = code;
        return -1;
    }
    return real(fd);
}

int fdatasync(int fd) { return sync_of(fd, "fdatasync"); }
int fsync(int fd) { return sync_of(fd, "fsync"); }
