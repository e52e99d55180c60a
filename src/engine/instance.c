// SPDX-License-Identifier: Apache-2.0
// Processes of a consumer group that share a data folder: each takes the first file DIR/instance.N that no other holds locked. What is written in it
// names the process's transactions, so that one which was killed in the middle of one is followed by a successor that ends it.
#include "base/memory.h"
#include "base/process.h"
#include "engine/pipeline.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 16, DYING_MS = 10000, STEP_MS = 10 };

int instance_folder(const char *dir, struct weir_error *err)
{
    if (mkdir(dir, 0777) < 0 && errno != EEXIST)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "data folder %s: %s", dir, strerror(errno));
    return 0;
}

static bool lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static long holder(int fd)
{
    char text[NAME_BYTES + 24] = "";
    ssize_t bytes = pread(fd, text, sizeof text - 1, 0);
    return bytes > NAME_BYTES ? strtol(text + NAME_BYTES, NULL, 10) : 0;
}

// 1: locked, 0: another process has it.
static int try_slot(const char *path, int *ret_fd, struct weir_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "%s: %s", path, strerror(errno));
    bool locked = lock(fd);
    for (int waited_ms = 0; !locked && waited_ms < DYING_MS && holder(fd) && weir_process_dying(holder(fd)); waited_ms += STEP_MS) {
        poll(NULL, 0, STEP_MS); // its successor is us
        locked = lock(fd);
    }
    if (locked) {
        *ret_fd = fd;
        return 1;
    }
    close(fd);
    return 0;
}

static bool is_name(const char *text, ssize_t bytes)
{
    bool good = bytes == NAME_BYTES;
    for (int i = 0; good && i < NAME_BYTES; i++)
        good = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    return good;
}

// NAME PID
static int read_or_make_name(int fd, const char *path, char **ret, struct weir_error *err)
{
    char name[NAME_BYTES + 1] = {0}, text[NAME_BYTES + 24];
    uint64_t number;
    if (!is_name(name, pread(fd, name, NAME_BYTES, 0))) {
        if (getrandom(&number, sizeof number, 0) != sizeof number)
            return weir_fail(err, WEIR_IO, WEIR_STOP, "no random numbers: %s", strerror(errno));
        snprintf(name, sizeof name, "%016llx", (unsigned long long)number);
    }
    int bytes = snprintf(text, sizeof text, "%s %ld\n", name, (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)bytes, 0) != bytes)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "%s: %s", path, strerror(errno));
    *ret = weir_strdup(name);
    return 0;
}

int instance_take(const char *data_dir, struct weir_engine *e, struct weir_error *err)
{
    for (unsigned slot = 0; slot < ENGINE_SLOTS; slot++) {
        weir_cleanup(weir_freep) char *path = weir_format("%s/instance.%u", data_dir, slot);
        int taken = try_slot(path, &e->instance_fd, err);
        if (taken < 0)
            return -1;
        if (taken > 0) {
            e->slot = slot;
            return read_or_make_name(e->instance_fd, path, &e->instance, err);
        }
    }
    return weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP, "%d processes share data folder %s: name another with --data", ENGINE_SLOTS, data_dir);
}

void instance_drop(struct weir_engine *e)
{
    if (e->instance_fd >= 0)
        close(e->instance_fd);
    free(e->instance);
}
