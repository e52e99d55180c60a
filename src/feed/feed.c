// SPDX-License-Identifier: Apache-2.0
#include "feed/feed.h"

#include "feed/kind.h"

int feed_bad_position(struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP,
                     "the feed's stored position is not one of this feed: the pipeline file had another feed before; use another data folder");
}

static int check_position(const struct weir_plan *plan, struct weir_cursor *position, struct weir_error *err)
{
    uint8_t version = weir_cursor_byte(position), kind = weir_cursor_byte(position);
    return position->bad || version != FEED_POSITION_VERSION || kind != (uint8_t)plan->feed.kind ? feed_bad_position(err) : 0;
}

int weir_feed_open(const struct weir_plan *plan, struct weir_str position, struct weir_feed **ret, struct weir_error *err)
{
    struct weir_cursor cursor = {(const uint8_t *)position.data, (const uint8_t *)position.data + position.bytes, false};
    struct weir_cursor *from = position.bytes ? &cursor : NULL;
    if (from && check_position(plan, from, err) < 0)
        return -1;
    switch (plan->feed.kind) {
    case WEIR_FEED_SIMULATE:
        return feed_simulate_open(plan, from, ret, err);
    case WEIR_FEED_FILE:
        return feed_file_open(plan, from, ret, err);
    case WEIR_FEED_NONE:
    case WEIR_FEED_HTTP:
        break;
    }
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s: the pipeline has no feed that can be read", plan->pipeline);
}

void weir_feed_close(struct weir_feed *f)
{
    if (f)
        f->ops->close(f);
}

int weir_feed_next(struct weir_feed *f, uint32_t max_events, const struct weir_feed_sink *sink, struct weir_feed_step *ret, struct weir_error *err)
{
    return f->ops->next(f, max_events, sink, ret, err);
}

void weir_feed_position(const struct weir_feed *f, struct weir_buffer *out)
{
    weir_buffer_byte(out, FEED_POSITION_VERSION);
    weir_buffer_byte(out, (uint8_t)f->ops->kind);
    f->ops->position(f, out);
}

struct weir_feed_progress weir_feed_progress(const struct weir_feed *f)
{
    return f->ops->progress(f);
}
