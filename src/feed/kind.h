// SPDX-License-Identifier: Apache-2.0
// What a kind of feed brings; feed.c chooses among them.
//
// A position starts with the version and the kind; the rest is the kind's own.
#pragma once
#include "feed/feed.h"

enum { FEED_POSITION_VERSION = 1 };

struct feed_ops {
    enum weir_feed_kind kind;
    int (*next)(struct weir_feed *f, uint32_t max_events, const struct weir_feed_sink *sink, struct weir_feed_step *ret, struct weir_error *err);
    void (*position)(const struct weir_feed *f, struct weir_buffer *out); // without version and kind
    struct weir_feed_progress (*progress)(const struct weir_feed *f);
    void (*close)(struct weir_feed *f);
};

struct weir_feed {
    const struct feed_ops *ops;
};

// `position` is behind version and kind, NULL: from the start. A cursor that turns bad makes the open fail; the kinds look at it once.
int feed_simulate_open(const struct weir_plan *plan, struct weir_cursor *position, struct weir_feed **ret, struct weir_error *err);
int feed_file_open(const struct weir_plan *plan, struct weir_cursor *position, struct weir_feed **ret, struct weir_error *err);

int feed_bad_position(struct weir_error *err);
