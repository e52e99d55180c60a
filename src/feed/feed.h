// SPDX-License-Identifier: Apache-2.0
// Feeds: where events come from when nobody else fills the topic. A feed gives events as values; the engine encodes and appends them.
// A feed belongs to one thread. Given the same position it gives the same events again (a simulated `timestamp: now` aside).
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/value.h"
#include "spec/plan.h"

struct weir_feed;

// `position` as stored with the last durable append; empty: from the start. A position that does not fit the source any more (the file shrank, its
// head is another) fails with WEIR_BAD_DATA and says what to do.
int weir_feed_open(const struct weir_plan *plan, struct weir_str position, struct weir_feed **ret, struct weir_error *err);
void weir_feed_close(struct weir_feed *f);

// Gives a field of a simulated feed one value for every event, before the feed is opened. Fixing the key leaves one device: the one that has this key,
// else one that the key decides, so that what is not fixed (its group, its type) is that device's. Fails with WEIR_USAGE where the pipeline has no
// simulated feed or no such field, or the value does not fit it.
int weir_feed_fix(struct weir_plan *plan, struct weir_str field, struct weir_str value, struct weir_error *err);

struct weir_feed_sink {
    void *context;
    // One event: values by event field, valid inside the call; timestamp_ms is the record's own time (wall clock, or the feed's faster clock). `line`
    // of a simulated event is its number, from 1.
    void (*event)(void *context, int64_t timestamp_ms, int64_t line, const struct weir_value *values);
    // A line that cannot be an event; `raw` is the line, valid inside the call. line counts from 1 (a CSV header is line 1). A line is rejected at most
    // once; one that unpivots may still give events of its other columns.
    void (*reject)(void *context, int64_t line, struct weir_str raw, const char *text);
};

struct weir_feed_step {
    bool end;              // nothing more will come (file read to its end)
    int64_t wait_until_us; // weir_monotonic_us at which more is due; 0: now
};

// Gives up to max_events events (what one line unpivots into stays together, so it may be a few more). Stops early at the end or where the pace asks
// to wait. A source that cannot be read fails with WEIR_IO.
int weir_feed_next(struct weir_feed *f, uint32_t max_events, const struct weir_feed_sink *sink, struct weir_feed_step *ret, struct weir_error *err);

// Appends the position after the events given so far.
void weir_feed_position(const struct weir_feed *f, struct weir_buffer *out);

struct weir_feed_progress {
    uint64_t events;      // given so far, since the feed's very start
    uint64_t done, total; // bytes of the file (as stored); total 0: endless
};
struct weir_feed_progress weir_feed_progress(const struct weir_feed *f);
