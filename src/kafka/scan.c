// SPDX-License-Identifier: Apache-2.0
// Reading a partition once, to its end as of the call.
#include "kafka/inside.h"

#include "base/memory.h"
#include "base/time.h"
#include <inttypes.h>
#include <stdlib.h>

enum { TAKEN = 2000, WAIT_MS = 5, /* a batch that is not full waits as long */ SILENCE_MS = 30000 };

typedef int visit_fn(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count,
                     struct weir_error *err);

struct scan {
    struct weir_kafka_partition *partition;
    int64_t end;
    visit_fn *visit;
    void *context;
    struct weir_kafka_header *headers;
    size_t header_capacity;
    int64_t heard_us;
    bool answered;
};

static void scan_drop(struct scan *s)
{
    weir_kafka_partition_close(s->partition);
    free(s->headers);
}

static uint32_t take_headers(struct scan *s, const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *list;
    if (rd_kafka_message_headers(m, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    size_t count = rd_kafka_header_cnt(list);
    weir_grow(&s->headers, &s->header_capacity, count, sizeof *s->headers);
    for (size_t i = 0; i < count; i++) {
        const void *value;
        size_t bytes;
        rd_kafka_header_get_all(list, i, &s->headers[i].name, &value, &bytes);
        s->headers[i].value = (struct weir_str){value, (uint32_t)bytes};
    }
    return (uint32_t)count;
}

// Visits what was taken, up to the end.
static int scan_taken(struct scan *s, struct weir_error *err)
{
    struct weir_kafka_partition *p = s->partition;
    int64_t lost = 0;
    for (size_t i = 0; i < p->held_count && !p->failed; i++) {
        const rd_kafka_message_t *m = p->held[i];
        if (!kafka_partition_accept(p, m, &lost) || m->offset >= s->end)
            continue;
        struct weir_kafka_message view = kafka_message_view(m);
        uint32_t headers = take_headers(s, m);
        int rc = s->visit(s->context, &view, s->headers, headers, err);
        if (rc != 0)
            return rc;
    }
    if (p->failed)
        *err = p->failure;
    return p->failed ? -1 : 0;
}

static int scan_next(struct scan *s, struct weir_error *err)
{
    struct weir_kafka_partition *p = s->partition;
    kafka_partition_take(p, TAKEN, WAIT_MS);
    int rc = scan_taken(s, err);
    if (rc != 0)
        return rc;
    s->answered |= p->held_count > 0;
    if (p->held_count > 0)
        s->heard_us = weir_monotonic_us();
    else if (weir_monotonic_us() - s->heard_us > kafka_patience_us(p->kafka, SILENCE_MS))
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "Kafka at %s gave nothing of %s[%d] from offset %" PRId64 " on for %d seconds",
                         p->kafka->brokers, p->topic, p->partition, p->position, (int)((weir_monotonic_us() - s->heard_us) / 1000000));
    return 0;
}

static int scan_open(struct scan *s, struct weir_kafka *k, const char *topic, int32_t partition, int64_t offset, struct weir_error *err)
{
    s->heard_us = weir_monotonic_us();
    return weir_kafka_partition_open(k, topic, partition, offset, &s->partition, err);
}

int weir_kafka_scan(struct weir_kafka *k, const char *topic, int32_t partition, int64_t offset, visit_fn *visit, void *context, int64_t *ret_next,
                    struct weir_error *err)
{
    int64_t start, end;
    if (weir_kafka_offsets(k, topic, partition, &start, &end, err) < 0)
        return -1;
    weir_cleanup(scan_drop) struct scan s = {.end = end, .visit = visit, .context = context};
    if (start < end && offset < end) {
        int64_t from = offset > start ? offset : start; // a number: for "the start" the library would wait half a second to ask
        if (scan_open(&s, k, topic, partition, from, err) < 0)
            return -1;
        while (s.partition->position < end) {
            int rc = scan_next(&s, err);
            if (rc != 0)
                return rc;
        }
    }
    if (ret_next)
        *ret_next = offset > end ? offset : end;
    return 0;
}

int weir_kafka_readable(struct weir_kafka *k, const char *topic, int32_t partition, struct weir_error *err)
{
    int64_t start, end;
    weir_cleanup(scan_drop) struct scan s = {.end = INT64_MIN}; // visits nothing
    if (weir_kafka_offsets(k, topic, partition, &start, &end, err) < 0 || scan_open(&s, k, topic, partition, end, err) < 0)
        return -1;
    while (!s.answered)
        if (scan_next(&s, err) < 0)
            return -1;
    return 0;
}
