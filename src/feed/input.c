// SPDX-License-Identifier: Apache-2.0
#include "feed/input.h"

#include "base/memory.h"
#include "feed/unpack.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 128 << 10, DISCARD_BYTES = 64 << 10 };

struct input {
    char *path;
    int fd;
    uint64_t size, stored, offset; // stored: read from the file
    unsigned char head[INPUT_HEAD_BYTES];
    size_t head_bytes;
    struct unpack *unpack; // NULL: plain
    unsigned char *chunk;  // stored bytes, those from chunk_at on not yet unpacked
    size_t chunk_at, chunk_bytes;
};

static ssize_t read_stored(struct input *in, void *to, size_t bytes, struct weir_error *err)
{
    ssize_t got;
    do
        got = read(in->fd, to, bytes);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "%s: cannot be read at byte %llu: %s", in->path, (unsigned long long)in->stored, strerror(errno));
    in->stored += (uint64_t)got;
    return got;
}

static int read_head(struct input *in, struct weir_error *err)
{
    struct stat info;
    if (fstat(in->fd, &info) < 0)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "%s: %s", in->path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return weir_fail(err, WEIR_NO_INPUT, WEIR_STOP, "%s: is a folder", in->path);
    in->size = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
    while (in->head_bytes < INPUT_HEAD_BYTES) {
        ssize_t got = read_stored(in, in->head + in->head_bytes, INPUT_HEAD_BYTES - in->head_bytes, err);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        in->head_bytes += (size_t)got;
    }
    return 0;
}

int input_open(const char *path, struct input **ret, struct weir_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return weir_fail(err, errno == ENOENT ? WEIR_NO_INPUT : WEIR_IO, WEIR_STOP, "%s: cannot be opened: %s", path, strerror(errno));
    struct input *in = weir_zalloc(1, sizeof *in);
    in->fd = fd;
    in->path = weir_strdup(path);
    if (read_head(in, err) < 0) {
        input_close(in);
        return -1;
    }
    in->chunk = weir_alloc(CHUNK_BYTES);
    memcpy(in->chunk, in->head, in->head_bytes);
    in->chunk_bytes = in->head_bytes;
    in->unpack = unpack_for(in->head, in->head_bytes);
    *ret = in;
    return 0;
}

void input_close(struct input *in)
{
    if (!in)
        return;
    unpack_free(in->unpack);
    free(in->chunk);
    free(in->path);
    close(in->fd);
    free(in);
}

// Makes sure that there are stored bytes to unpack. 0: the file is at its end.
static ssize_t fill_chunk(struct input *in, struct weir_error *err)
{
    if (in->chunk_at < in->chunk_bytes)
        return 1;
    in->chunk_at = in->chunk_bytes = 0;
    ssize_t got = read_stored(in, in->chunk, CHUNK_BYTES, err);
    if (got > 0)
        in->chunk_bytes = (size_t)got;
    return got;
}

static ssize_t read_plain(struct input *in, void *to, size_t bytes, struct weir_error *err)
{
    size_t left = in->chunk_bytes - in->chunk_at;
    if (left == 0)
        return read_stored(in, to, bytes, err);
    if (bytes > left)
        bytes = left;
    memcpy(to, in->chunk + in->chunk_at, bytes);
    in->chunk_at += bytes;
    return (ssize_t)bytes;
}

static int damaged(struct input *in, const char *wrong, struct weir_error *err)
{
    return weir_fail(err, WEIR_IO, WEIR_STOP, "%s: %s at byte %llu (after %llu unpacked bytes)", in->path, wrong,
                     (unsigned long long)input_stored(in), (unsigned long long)in->offset);
}

static ssize_t read_packed(struct input *in, void *to, size_t bytes, struct weir_error *err)
{
    size_t done = 0;
    while (done == 0) {
        ssize_t filled = fill_chunk(in, err);
        if (filled < 0)
            return -1;
        struct unpack_step step = {in->chunk + in->chunk_at, in->chunk_bytes - in->chunk_at, to, bytes};
        const char *wrong = unpack_step(in->unpack, &step);
        in->chunk_at = in->chunk_bytes - step.in_bytes;
        done = bytes - step.out_bytes;
        if (done)
            break;
        if (wrong)
            return damaged(in, wrong, err);
        if (filled == 0)
            return unpack_at_end(in->unpack) ? 0 : damaged(in, "the archive is cut short", err);
    }
    return (ssize_t)done;
}

ssize_t input_read(struct input *in, void *to, size_t bytes, struct weir_error *err)
{
    ssize_t got = in->unpack ? read_packed(in, to, bytes, err) : read_plain(in, to, bytes, err);
    if (got > 0)
        in->offset += (uint64_t)got;
    return got;
}

static int too_short(struct input *in, uint64_t offset, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "%s: ends at byte %llu of its text, but was read to byte %llu before", in->path,
                     (unsigned long long)in->offset, (unsigned long long)offset);
}

static int seek_to(struct input *in, uint64_t offset, struct weir_error *err)
{
    if (in->size < offset) {
        in->offset = in->size;
        return too_short(in, offset, err);
    }
    if (lseek(in->fd, (off_t)offset, SEEK_SET) < 0)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "%s: no way to byte %llu: %s", in->path, (unsigned long long)offset, strerror(errno));
    in->chunk_at = in->chunk_bytes = 0;
    in->stored = in->offset = offset;
    return 0;
}

int input_skip_to(struct input *in, uint64_t offset, struct weir_error *err)
{
    weir_assert(offset >= in->offset);
    if (!in->unpack && in->size > 0)
        return offset == in->offset ? 0 : seek_to(in, offset, err);
    weir_cleanup(weir_freep) unsigned char *discarded = weir_alloc(DISCARD_BYTES);
    while (in->offset < offset) {
        uint64_t left = offset - in->offset;
        ssize_t got = input_read(in, discarded, left < DISCARD_BYTES ? (size_t)left : DISCARD_BYTES, err);
        if (got <= 0)
            return got < 0 ? -1 : too_short(in, offset, err);
    }
    return 0;
}

uint64_t input_offset(const struct input *in)
{
    return in->offset;
}

uint64_t input_stored(const struct input *in)
{
    return in->stored - (in->chunk_bytes - in->chunk_at);
}

uint64_t input_size(const struct input *in)
{
    return in->size;
}

const void *input_head(const struct input *in, size_t *ret_bytes)
{
    *ret_bytes = in->head_bytes;
    return in->head;
}
