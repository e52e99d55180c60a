// SPDX-License-Identifier: Apache-2.0
// feed: file — rows of CSV or JSON lines, plain or packed.
//
//   position: inside a too long line u8 | unpacked offset varint | line varint | events varint | head hash u64 | head bytes varint | size varint
//
// Head and size are of the file as first seen; they tell whether it is the same file still. It may have grown: reading goes on at the offset. A last line
// without a break counts as whole, so that what is later written behind it without a break is a row of its own.
#include "base/hash.h"
#include "base/memory.h"
#include "base/time.h"
#include "feed/input.h"
#include "feed/kind.h"
#include "feed/mapping.h"
#include <stdlib.h>

enum { WINDOW_BYTES = 256 << 10, FIRST_LINE = 1 };

struct identity { // of a file: a hash of its first bytes, and its size
    uint64_t hash, head_bytes, size;
};

struct file_feed {
    struct weir_feed base;
    const struct weir_plan *plan;
    struct input *input;
    struct identity identity;
    struct csv_reader reader;
    char *window;
    size_t from, to, capacity; // window[from..to) is not yet taken
    bool last;                 // the input ends with the window
    bool failed;               // the input cannot be read on; told once the rows before are given
    struct weir_error failure;
    struct mapping *mapping;
    uint64_t events;
    bool anchored; // a paced feed's first event is due when it is first looked at
    int64_t anchor_us, anchor_ms;
};

// ---- the window

static void make_room(struct file_feed *f)
{
    if (f->from) {
        memmove(f->window, f->window + f->from, f->to - f->from);
        f->to -= f->from;
        f->from = 0;
    }
    if (f->to == f->capacity) {
        weir_assert(f->capacity < CSV_WINDOW_BYTES_MAX);
        f->capacity = f->capacity ? f->capacity * 2 : WINDOW_BYTES;
        f->window = weir_realloc(f->window, f->capacity);
    }
}

static int lengthen_window(struct file_feed *f, struct weir_error *err)
{
    if (!f->failed) {
        make_room(f);
        ssize_t got = input_read(f->input, f->window + f->to, f->capacity - f->to, &f->failure);
        f->failed = got < 0;
        f->last = got == 0;
        f->to += got > 0 ? (size_t)got : 0;
    }
    if (f->failed)
        *err = f->failure;
    return f->failed ? -1 : 0;
}

// Looks at the next row, which stays where it is until take_row.
static int next_row(struct file_feed *f, enum csv_found *ret_found, struct csv_row *ret, struct weir_error *err)
{
    bool lines = f->plan->feed.file_format == WEIR_FILE_JSONL;
    for (;;) {
        struct weir_str window = {f->window ? f->window + f->from : "", (uint32_t)(f->to - f->from)};
        *ret_found = lines ? csv_next_line(&f->reader, window, f->last, ret) : csv_next(&f->reader, window, f->last, ret);
        if (*ret_found != CSV_MORE)
            return 0;
        if (lengthen_window(f, err) < 0)
            return -1;
    }
}

static void take_row(struct file_feed *f, const struct csv_row *row)
{
    csv_take(&f->reader, row);
    f->from += row->bytes;
}

// ---- events

// Whether the row just read may be given now; else *ret_due_us is when. Rows without a time, or before the first one's, are due at once.
static bool is_due(struct file_feed *f, int64_t *ret_due_us)
{
    int64_t time_ms, now_us = weir_monotonic_us();
    if (!mapping_time(f->mapping, &time_ms))
        return true;
    if (!f->anchored) {
        f->anchored = true;
        f->anchor_us = now_us;
        f->anchor_ms = time_ms;
    }
    double ahead_us = (double)(time_ms - f->anchor_ms) * 1000 / f->plan->feed.pace;
    *ret_due_us = ahead_us < 4e18 ? f->anchor_us + (int64_t)ahead_us : INT64_MAX;
    return ahead_us <= 0 || *ret_due_us <= now_us;
}

// Gives the events of a row: how many, at least 1 so that work stays bounded; 0: not yet, *ret_due_us says when.
static uint32_t give_row(struct file_feed *f, const struct csv_row *row, const struct weir_feed_sink *sink, int64_t now_ms, int64_t *ret_due_us)
{
    uint32_t given = 0;
    bool read = mapping_read(f->mapping, row) == 0;
    if (read && f->plan->feed.pace > 0 && !is_due(f, ret_due_us))
        return 0;
    if (read)
        given = mapping_give(f->mapping, row, now_ms, sink);
    if (f->mapping->why[0])
        sink->reject(sink->context, row->line, row->raw, f->mapping->why);
    f->events += given;
    return given ? given : 1;
}

static int file_next(struct weir_feed *feed, uint32_t max_events, const struct weir_feed_sink *sink, struct weir_feed_step *ret,
                     struct weir_error *err)
{
    struct file_feed *f = (struct file_feed *)feed;
    const int64_t now_ms = weir_now_ms();
    *ret = (struct weir_feed_step){0};
    for (uint64_t given = 0; given < max_events;) {
        enum csv_found found;
        struct csv_row row;
        if (next_row(f, &found, &row, err) < 0)
            return given ? 0 : -1;
        if (found == CSV_END) {
            ret->end = true;
            break;
        }
        uint32_t now_given = 1;
        if (found == CSV_ROW)
            now_given = give_row(f, &row, sink, now_ms, &ret->wait_until_us);
        else if (found == CSV_BAD)
            sink->reject(sink->context, row.line, row.raw, row.wrong);
        if (now_given == 0)
            break;
        ret->wait_until_us = 0;
        take_row(f, &row);
        given += now_given;
    }
    return 0;
}

// ---- opening

static struct identity identify(const struct input *in, uint64_t head_bytes_max)
{
    size_t bytes;
    const void *head = input_head(in, &bytes);
    if (bytes > head_bytes_max)
        bytes = (size_t)head_bytes_max;
    return (struct identity){weir_hash64(head, bytes, 0), bytes, input_size(in)};
}

static int check_identity(const struct file_feed *f, struct weir_error *err)
{
    const struct identity *then = &f->identity, now = identify(f->input, then->head_bytes);
    if (now.size < then->size)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP,
                         "%s: has shrunk from %llu to %llu bytes since it was first read: put the file back, or start with another data folder",
                         f->plan->feed.path, (unsigned long long)then->size, (unsigned long long)now.size);
    if (now.head_bytes != then->head_bytes || now.hash != then->hash)
        return weir_fail(
            err, WEIR_BAD_DATA, WEIR_STOP,
            "%s: is not the file that was read before, it starts with other bytes: put that file back, or start with another data folder",
            f->plan->feed.path);
    return 0;
}

// The header is read anew at every open; it is where the columns are.
static int read_header(struct file_feed *f, struct weir_error *err)
{
    enum csv_found found;
    struct csv_row row;
    if (f->plan->feed.file_format == WEIR_FILE_JSONL) {
        f->mapping = mapping_of_members(f->plan);
        return 0;
    }
    do {
        if (next_row(f, &found, &row, err) < 0)
            return -1;
        if (found == CSV_SKIP)
            take_row(f, &row);
    } while (found == CSV_SKIP);
    if (found != CSV_ROW)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "%s: has no header line%s%s", f->plan->feed.path, found == CSV_BAD ? ": " : "",
                         found == CSV_BAD ? row.wrong : "");
    if (mapping_of_cells(f->plan, &row, &f->mapping, err) < 0)
        return -1;
    take_row(f, &row);
    return 0;
}

static int resume(struct file_feed *f, const struct csv_reader *at, struct weir_error *err)
{
    uint64_t ahead = at->offset - f->reader.offset, held = f->to - f->from;
    if (at->offset < f->reader.offset)
        return feed_bad_position(err);
    if (ahead <= held) {
        f->from += ahead;
    } else {
        f->from = f->to = 0;
        f->last = false;
        if (f->failed || input_skip_to(f->input, at->offset, err) < 0) {
            *err = f->failed ? f->failure : *err;
            return -1;
        }
    }
    f->reader.offset = at->offset;
    f->reader.line = at->line;
    f->reader.skipping = at->skipping;
    return 0;
}

static int open_file(struct file_feed *f, struct weir_cursor *position, struct weir_error *err)
{
    struct csv_reader at = {0};
    if (position) {
        at.skipping = weir_cursor_byte(position);
        at.offset = weir_cursor_varint(position);
        at.line = (int64_t)weir_cursor_varint(position);
        f->events = weir_cursor_varint(position);
        f->identity.hash = weir_cursor_be64(position);
        f->identity.head_bytes = weir_cursor_varint(position);
        f->identity.size = weir_cursor_varint(position);
        if (position->bad || at.line < FIRST_LINE || f->identity.head_bytes > INPUT_HEAD_BYTES)
            return feed_bad_position(err);
    }
    if (input_open(f->plan->feed.path, &f->input, err) < 0)
        return -1;
    if (position ? check_identity(f, err) < 0 : (f->identity = identify(f->input, INPUT_HEAD_BYTES), false))
        return -1;
    return read_header(f, err) < 0 || (position && resume(f, &at, err) < 0) ? -1 : 0;
}

static void file_close(struct weir_feed *feed)
{
    struct file_feed *f = (struct file_feed *)feed;
    input_close(f->input);
    csv_reader_drop(&f->reader);
    mapping_free(f->mapping);
    free(f->window);
    free(f);
}

static void file_position(const struct weir_feed *feed, struct weir_buffer *out)
{
    const struct file_feed *f = (const struct file_feed *)feed;
    weir_buffer_byte(out, f->reader.skipping);
    weir_buffer_varint(out, f->reader.offset);
    weir_buffer_varint(out, (uint64_t)f->reader.line);
    weir_buffer_varint(out, f->events);
    weir_buffer_be64(out, f->identity.hash);
    weir_buffer_varint(out, f->identity.head_bytes);
    weir_buffer_varint(out, f->identity.size);
}

static struct weir_feed_progress file_progress(const struct weir_feed *feed)
{
    const struct file_feed *f = (const struct file_feed *)feed;
    uint64_t done = input_stored(f->input), size = input_size(f->input);
    return (struct weir_feed_progress){f->events, done, size < done ? done : size};
}

int feed_file_open(const struct weir_plan *plan, struct weir_cursor *position, struct weir_feed **ret, struct weir_error *err)
{
    static const struct feed_ops ops = {WEIR_FEED_FILE, file_next, file_position, file_progress, file_close};
    struct file_feed *f = weir_zalloc(1, sizeof *f);
    f->base.ops = &ops;
    f->plan = plan;
    f->reader = csv_reader_at(plan->feed.delimiter, 0, FIRST_LINE);
    if (open_file(f, position, err) < 0) {
        file_close(&f->base);
        return -1;
    }
    *ret = &f->base;
    return 0;
}
