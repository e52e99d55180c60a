// SPDX-License-Identifier: Apache-2.0
#include "embedded/handle.h"

#include "base/memory.h"
#include "base/process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DYING_MS = 10000, STEP_MS = 10 };

// Locks of open file descriptions: they also tell two opens of one process apart, end with the process, and can be asked about without taking them.
static struct flock whole_file(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

static int open_pid_file(const char *dir, int flags)
{
    weir_cleanup(weir_freep) char *path = weir_format("%s/weir.pid", dir);
    return open(path, flags | O_CLOEXEC, 0644);
}

static long read_pid(int fd)
{
    char text[24] = "";
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    return got > 0 ? strtol(text, NULL, 10) : 0;
}

static int refuse(int fd, const char *dir, struct weir_error *err)
{
    long pid = read_pid(fd);
    close(fd);
    if (pid <= 0)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "data folder %s is in use by another process", dir);
    return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "data folder %s is in use by process %ld%s", dir, pid,
                     pid == getpid() ? " (this one)" : "; stop it first, or give another folder with --data");
}

static bool take_lock(int fd)
{
    struct flock lock = whole_file(F_WRLCK);
    bool taken = fcntl(fd, F_OFD_SETLK, &lock) == 0;
    for (int waited_ms = 0; !taken && waited_ms < DYING_MS && weir_process_dying(read_pid(fd)); waited_ms += STEP_MS) {
        poll(NULL, 0, STEP_MS);
        taken = fcntl(fd, F_OFD_SETLK, &lock) == 0;
    }
    return taken;
}

int db_owner_lock(const char *dir, int *ret_fd, struct weir_error *err)
{
    int fd = open_pid_file(dir, O_RDWR | O_CREAT);
    if (fd < 0)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "cannot write to data folder %s: %s", dir, strerror(errno));
    if (!take_lock(fd))
        return refuse(fd, dir, err);
    char text[24];
    int bytes = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)bytes, 0) != bytes) {
        weir_fail(err, WEIR_IO, WEIR_STOP, "cannot write %s/weir.pid: %s", dir, strerror(errno));
        close(fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

void db_owner_unlock(int fd)
{
    if (fd < 0)
        return;
    if (ftruncate(fd, 0) < 0)
        (void)errno; // a stale number does no harm: the lock is what counts
    close(fd);
}

bool db_owner_present(const char *dir)
{
    int fd = open_pid_file(dir, O_RDONLY);
    if (fd < 0)
        return false;
    struct flock lock = whole_file(F_RDLCK);
    bool held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}
