// SPDX-License-Identifier: Apache-2.0
// What every log must do. Include after cmocka.h. Each case finds in *state a subject with no topics but its own, which set_up made.
#pragma once
#include "base/hash.h"
#include "base/time.h"
#include "log/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct log_subject {
    const char *prefix;   // of topics' names, where others use the same log; NULL: none
    bool refuses_deleted; // a producer of a topic that is gone learns it at its next flush
    struct weir_log *log;
    struct weir_dead *dead;
    void (*reopen)(struct log_subject *s);                                      // closes and opens everything
    void (*topic)(struct log_subject *s, const char *name, int32_t partitions); // makes a topic where the log cannot; NULL: it can
    const char *where; // what another process needs to open the same log; only feed_kills.h asks
    void *context;
};

static void log_suite_ok(int rc, const struct weir_error *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

// A topic's name with the subject's prefix; the last eight are valid.
static const char *log_suite_name(const struct log_subject *s, const char *name)
{
    static _Thread_local char names[8][128];
    static _Thread_local unsigned next;
    char *out = names[next++ % 8];
    snprintf(out, sizeof names[0], "%s%s", s->prefix ? s->prefix : "", name);
    return out;
}

static void log_suite_topic(struct log_subject *s, const char *name, int32_t partitions, int64_t retention_ms)
{
    struct weir_error err;
    struct weir_topic_config config = {.name = log_suite_name(s, name), .partitions = partitions, .replication = 1, .retention_ms = retention_ms};
    if (s->topic)
        s->topic(s, log_suite_name(s, name), partitions);
    else
        log_suite_ok(weir_topic_create(s->log, &config, &err), &err);
}

static struct weir_producer *log_suite_producer(struct log_subject *s, const char *topic, const char *feed)
{
    struct weir_error err;
    struct weir_producer *p;
    log_suite_ok(weir_producer_open(s->log, log_suite_name(s, topic), feed, &p, &err), &err);
    return p;
}

// Record n: key and value are functions of it.
static void log_suite_add(struct weir_producer *p, uint32_t n, uint32_t value_bytes)
{
    char key[16], *value = malloc(value_bytes + 16);
    snprintf(key, sizeof key, "key-%u", n % 17);
    int head = snprintf(value, value_bytes + 16, "%u:", n);
    for (uint32_t i = (uint32_t)head; i < value_bytes; i++)
        value[i] = (char)(n * 31 + i);
    weir_producer_add(p, 1000 + n, weir_str_of(key), false, (struct weir_str){value, value_bytes > (uint32_t)head ? value_bytes : (uint32_t)head});
    free(value);
}

static void log_suite_flush(struct weir_producer *p, const char *position)
{
    struct weir_error err;
    log_suite_ok(weir_producer_flush(p, weir_str_of(position), &err), &err);
}

struct log_suite_read {
    uint64_t records, batches;
    int64_t next, lost;
    uint32_t last;     // number of the last record
    bool out_of_order; // numbers did not grow
    bool wrong_offset; // offsets were not one after the other
    bool wrong_partition;
};

static void log_suite_take_record(struct log_suite_read *r, const struct weir_record *record, int32_t partition, int32_t partitions)
{
    if (record->offset < r->next)
        return;
    uint32_t n = 0;
    for (uint32_t i = 0; i < record->value.bytes && record->value.data[i] != ':'; i++)
        n = n * 10 + (uint32_t)(record->value.data[i] - '0');
    r->wrong_offset |= record->offset != r->next || record->timestamp_ms != 1000 + n;
    r->out_of_order |= r->records > 0 && n <= r->last;
    r->wrong_partition |= weir_kafka_partition(record->key.data, record->key.bytes, partitions) != partition;
    r->last = n;
    r->next = record->offset + 1;
    r->records++;
}

static void log_suite_take_batch(struct log_suite_read *r, struct weir_str batch, int32_t partition, int32_t partitions)
{
    struct weir_batch_walk walk;
    struct weir_record record;
    int rc;
    weir_batch_walk_begin(&walk, batch);
    while ((rc = weir_batch_walk_next(&walk, &record)) > 0)
        log_suite_take_record(r, &record, partition, partitions);
    assert_int_equal(rc, 0);
    r->batches++;
}

static size_t log_suite_take_fetch(struct log_suite_read *r, const struct weir_fetch *fetch, int32_t partition, int32_t partitions)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < fetch->count; i++) {
        bytes += fetch->batches[i].bytes;
        log_suite_take_batch(r, fetch->batches[i], partition, partitions);
    }
    for (uint32_t i = 0; i < fetch->record_count; i++) {
        bytes += fetch->records[i].key.bytes + fetch->records[i].value.bytes;
        log_suite_take_record(r, &fetch->records[i], partition, partitions);
    }
    assert_true(fetch->count == 0 || fetch->record_count == 0);
    return bytes;
}

// At the end, or nothing comes although there should be more.
static bool log_suite_ended(struct log_subject *s, struct weir_reader *reader, int64_t deadline_us)
{
    uint64_t seen = 0;
    if (weir_reader_at_end(reader))
        return true;
    weir_log_wait(s->log, &seen, 20);
    assert_true(weir_monotonic_us() < deadline_us);
    return false;
}

static struct log_suite_read log_suite_read_all(struct log_subject *s, const char *topic, int32_t partition, int32_t partitions, int64_t offset,
                                                size_t max_bytes)
{
    struct weir_error err;
    struct weir_reader *reader;
    struct log_suite_read r = {.next = offset};
    log_suite_ok(weir_reader_open(s->log, log_suite_name(s, topic), partition, offset, &reader, &err), &err);
    int64_t deadline_us = weir_monotonic_us() + 60000000;
    for (;;) {
        struct weir_fetch fetch;
        int64_t lost;
        log_suite_ok(weir_reader_fetch(reader, max_bytes, &fetch, &lost, &err), &err);
        r.lost += lost;
        r.next += lost;
        size_t bytes = log_suite_take_fetch(&r, &fetch, partition, partitions);
        assert_true(fetch.count + fetch.record_count <= 1 || bytes <= max_bytes);
        assert_int_equal(fetch.next_offset, r.next);
        if (fetch.count + fetch.record_count == 0 && log_suite_ended(s, reader, deadline_us))
            break;
    }
    assert_int_equal(weir_reader_end_offset(reader), r.next);
    weir_reader_close(reader);
    return r;
}

// ---- the suite

static inline void log_suite_reads_what_was_appended(void **state)
{
    struct log_subject *s = *state;
    enum { RECORDS = 5000, PARTITIONS = 3 };
    log_suite_topic(s, "read", PARTITIONS, 0);
    struct weir_producer *p = log_suite_producer(s, "read", NULL);
    for (uint32_t n = 0; n < RECORDS; n++) {
        log_suite_add(p, n, n % 400);
        if (n % 700 == 699)
            log_suite_flush(p, "");
    }
    log_suite_add(p, RECORDS, 700000); // more than a batch's usual size
    log_suite_flush(p, "");
    weir_producer_close(p);
    for (int again = 0; again < 2; again++) {
        static const size_t sizes[] = {0, 1000, 20000, 1 << 20, SIZE_MAX};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            uint64_t records = 0;
            for (int32_t partition = 0; partition < PARTITIONS; partition++) {
                struct log_suite_read r = log_suite_read_all(s, "read", partition, PARTITIONS, 0, sizes[i]);
                assert_false(r.out_of_order || r.wrong_offset || r.wrong_partition);
                records += r.records;
                struct log_suite_read tail = log_suite_read_all(s, "read", partition, PARTITIONS, r.next - 13, sizes[i]);
                assert_int_equal(tail.records, 13);
                assert_false(tail.out_of_order || tail.wrong_offset);
            }
            assert_int_equal(records, RECORDS + 1);
        }
        s->reopen(s);
    }
}

static inline void log_suite_keeps_positions(void **state)
{
    struct log_subject *s = *state;
    log_suite_topic(s, "position", 1, 0);
    struct weir_producer *p = log_suite_producer(s, "position", "feed");
    assert_int_equal(weir_producer_position(p).bytes, 0);
    log_suite_add(p, 1, 10);
    log_suite_flush(p, "line 1");
    assert_true(weir_str_is(weir_producer_position(p), "line 1"));
    log_suite_flush(p, "line 2"); // without a record
    log_suite_add(p, 2, 10);      // never flushed
    weir_producer_close(p);
    s->reopen(s);
    p = log_suite_producer(s, "position", "feed");
    assert_true(weir_str_is(weir_producer_position(p), "line 2"));
    struct weir_producer *other = log_suite_producer(s, "position", "other");
    assert_int_equal(weir_producer_position(other).bytes, 0);
    weir_producer_close(other);
    weir_producer_close(p);
    assert_int_equal(log_suite_read_all(s, "position", 0, 1, 0, 1000).records, 1);
}

static int log_suite_count_letter(void *context, const struct weir_dead_letter *letter)
{
    assert_string_equal(letter->text, "no event");
    ++*(int *)context;
    return 0;
}

static inline void log_suite_appends_dead_letters(void **state)
{
    struct log_subject *s = *state;
    struct weir_error err;
    struct weir_dead_letter letter = {
        .reason = WEIR_MALFORMED, .topic = "letters", .partition = -1, .offset = 7, .text = "no event", .value = WEIR_STR("a,b"), .null_key = true};
    log_suite_topic(s, "letters", 2, 0);
    struct weir_producer *p = log_suite_producer(s, "letters", "feed");
    weir_producer_dead(p, s->dead, &letter);
    assert_true(weir_producer_bytes(p) > 0);
    int count = 0;
    log_suite_ok(weir_dead_scan(s->dead, WEIR_MALFORMED, log_suite_count_letter, &count, &err), &err);
    assert_int_equal(count, 0);
    log_suite_flush(p, "");
    assert_int_equal(weir_producer_bytes(p), 0);
    log_suite_ok(weir_dead_scan(s->dead, WEIR_MALFORMED, log_suite_count_letter, &count, &err), &err);
    assert_int_equal(count, 1);
    weir_producer_close(p);
}

static inline void log_suite_names_topics(void **state)
{
    struct log_subject *s = *state;
    struct weir_error err;
    struct weir_topic_config config = {.name = log_suite_name(s, "sensor-events"), .partitions = 3, .replication = 1};
    log_suite_topic(s, "sensor-events", 3, 0);
    log_suite_topic(s, "sensor-events", 3, 1000);
    config.partitions = 4;
    assert_true(weir_topic_create(s->log, &config, &err) < 0);
    assert_int_equal(err.code, WEIR_BAD_CONFIG);
    config.name = "a/b";
    assert_true(weir_topic_create(s->log, &config, &err) < 0);
    config = (struct weir_topic_config){.name = "none", .partitions = 0};
    assert_true(weir_topic_create(s->log, &config, &err) < 0);
    struct weir_arena arena = {0};
    struct weir_partition_info *partitions;
    assert_true(weir_topic_describe(s->log, log_suite_name(s, "sensor-event"), &arena, &config, &partitions, &err) < 0);
    assert_int_equal(err.code, WEIR_BAD_DATA);
    char quoted[140];
    snprintf(quoted, sizeof quoted, "'%s'", log_suite_name(s, "sensor-events"));
    assert_non_null(strstr(err.text, quoted));
    int64_t deadline_us = weir_monotonic_us() + 30000000; // brokers learn of changed settings one after the other
    do
        log_suite_ok(weir_topic_describe(s->log, log_suite_name(s, "sensor-events"), &arena, &config, &partitions, &err), &err);
    while (config.retention_ms != 1000 && weir_monotonic_us() < deadline_us);
    assert_int_equal(config.partitions, 3);
    assert_int_equal(config.retention_ms, 1000);
    assert_int_equal(partitions[2].end_offset, 0);
    weir_arena_drop(&arena);
}

static inline void log_suite_deletes_topics(void **state)
{
    struct log_subject *s = *state;
    struct weir_error err;
    log_suite_topic(s, "gone", 2, 0);
    struct weir_producer *p = log_suite_producer(s, "gone", "feed");
    for (uint32_t n = 0; n < 100; n++)
        log_suite_add(p, n, 5000);
    log_suite_flush(p, "position");
    log_suite_ok(weir_topic_delete(s->log, log_suite_name(s, "gone"), &err), &err);
    if (s->refuses_deleted) {
        log_suite_add(p, 1, 10);
        assert_true(weir_producer_flush(p, WEIR_STR(""), &err) < 0);
    }
    weir_producer_close(p);
    assert_true(weir_topic_delete(s->log, log_suite_name(s, "gone"), &err) < 0);
    log_suite_topic(s, "gone", 1, 0); // the name is free, and what it had is not there
    p = log_suite_producer(s, "gone", "feed");
    assert_int_equal(weir_producer_position(p).bytes, 0);
    log_suite_add(p, 5, 10);
    log_suite_flush(p, "");
    weir_producer_close(p);
    s->reopen(s);
    assert_int_equal(log_suite_read_all(s, "gone", 0, 1, 0, 1 << 20).records, 1);
}

static struct weir_partition_info log_suite_describe(struct log_subject *s, const char *topic)
{
    struct weir_error err;
    struct weir_arena arena = {0};
    struct weir_topic_config config;
    struct weir_partition_info *partitions, first;
    log_suite_ok(weir_topic_describe(s->log, log_suite_name(s, topic), &arena, &config, &partitions, &err), &err);
    first = partitions[0];
    weir_arena_drop(&arena);
    return first;
}

static inline void log_suite_expires(void **state)
{
    struct log_subject *s = *state;
    struct weir_error err;
    const int64_t retention_ms = 1000000;
    log_suite_topic(s, "old", 1, retention_ms);
    struct weir_producer *p = log_suite_producer(s, "old", NULL);
    for (uint32_t n = 0; n < 50; n++) {
        log_suite_add(p, n, 3000);
        if (n % 10 == 9)
            log_suite_flush(p, "");
    }
    int64_t later_ms = weir_now_ms() + retention_ms + 1000, all = INT64_MAX, some = 25;
    log_suite_ok(weir_topic_expire(s->log, log_suite_name(s, "old"), weir_now_ms(), &all, &err), &err);
    assert_int_equal(log_suite_describe(s, "old").start_offset, 0);
    log_suite_ok(weir_topic_expire(s->log, log_suite_name(s, "old"), later_ms, &some, &err), &err);
    struct weir_partition_info info = log_suite_describe(s, "old");
    assert_int_equal(info.start_offset, 20); // whole batches of ten, and record 25 is still wanted
    assert_int_equal(info.end_offset, 50);
    struct log_suite_read r = log_suite_read_all(s, "old", 0, 1, 3, 1 << 20);
    assert_int_equal(r.lost, 17);
    assert_int_equal(r.records, 30);
    weir_producer_close(p);
    s->reopen(s);
    r = log_suite_read_all(s, "old", 0, 1, 0, 1 << 20);
    assert_int_equal(r.lost, 20);
    log_suite_ok(weir_topic_expire(s->log, log_suite_name(s, "old"), later_ms, &all, &err), &err);
    info = log_suite_describe(s, "old");
    assert_int_equal(info.start_offset, 50);
    assert_int_equal(info.end_offset, 50);
    assert_int_equal(info.bytes, 0);
}

struct log_suite_appender {
    struct log_subject *subject;
    uint32_t first;
};

static void *log_suite_append_many(void *context)
{
    struct log_suite_appender *a = context;
    struct weir_producer *p = log_suite_producer(a->subject, "many", NULL);
    for (uint32_t n = 0; n < 200; n++) {
        log_suite_add(p, a->first + n, 50);
        if (n % 5 == 4)
            log_suite_flush(p, "");
    }
    weir_producer_close(p);
    return NULL;
}

static inline void log_suite_takes_several_producers(void **state)
{
    struct log_subject *s = *state;
    log_suite_topic(s, "many", 2, 0);
    struct log_suite_appender appenders[] = {{s, 0}, {s, 1000}, {s, 2000}};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, log_suite_append_many, &appenders[i]);
    uint64_t seen = 0;
    struct weir_error err;
    struct weir_reader *readers[2];
    uint32_t records = 0;
    for (int i = 0; i < 2; i++)
        log_suite_ok(weir_reader_open(s->log, log_suite_name(s, "many"), i, 0, &readers[i], &err), &err);
    while (records < 600) { // until all have come
        weir_log_wait(s->log, &seen, 10000);
        for (int i = 0; i < 2; i++) {
            struct weir_fetch fetch;
            int64_t lost;
            log_suite_ok(weir_reader_fetch(readers[i], 1 << 20, &fetch, &lost, &err), &err);
            records += fetch.record_count;
            for (uint32_t b = 0; b < fetch.count; b++) {
                struct weir_batch_info info;
                log_suite_ok(weir_batch_peek(fetch.batches[b], &info, &err), &err);
                records += (uint32_t)info.count;
            }
        }
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++)
        weir_reader_close(readers[i]);
    assert_int_equal(records, 600);
    for (int i = 0; i < 2; i++)
        assert_false(log_suite_read_all(s, "many", i, 2, 0, 1 << 20).wrong_offset);
}

// ---- sharing

struct log_suite_member {
    struct log_subject *subject;
    struct weir_reader *readers[3];
    int assigned, opened, revoked, lost;
};

static int log_suite_assigned(void *context, int32_t partition, int64_t *ret_offset, struct weir_error *err)
{
    (void)err;
    struct log_suite_member *m = context;
    assert_int_equal(*ret_offset, INT64_MIN);
    *ret_offset = partition; // past the first records
    m->assigned++;
    return 0;
}

static void log_suite_opened(void *context, int32_t partition, struct weir_reader *reader)
{
    struct log_suite_member *m = context;
    m->readers[partition] = reader;
    m->opened++;
}

static void log_suite_revoked(void *context, int32_t partition, bool lost)
{
    struct log_suite_member *m = context;
    assert_non_null(m->readers[partition]);
    m->revoked++;
    m->lost += lost;
}

static inline void log_suite_shares_alone(void **state)
{
    struct log_subject *s = *state;
    enum { RECORDS = 300, PARTITIONS = 3 };
    struct weir_error err;
    struct weir_share *share;
    struct log_suite_member member = {.subject = s};
    const struct weir_sharer sharer = {&member, log_suite_assigned, log_suite_opened, log_suite_revoked};
    log_suite_topic(s, "shared", PARTITIONS, 0);
    struct weir_producer *p = log_suite_producer(s, "shared", NULL);
    for (uint32_t n = 0; n < RECORDS; n++)
        log_suite_add(p, n, 20);
    log_suite_flush(p, "");
    log_suite_ok(weir_share_join(s->log, log_suite_name(s, "shared"), NULL, &sharer, &share, &err), &err);
    int64_t deadline_us = weir_monotonic_us() + 60000000;
    while (!weir_share_settled(share) && weir_monotonic_us() < deadline_us)
        log_suite_ok(weir_share_poll(share, 50, &err), &err);
    assert_int_equal(member.assigned, PARTITIONS);
    assert_int_equal(member.opened, PARTITIONS);
    uint64_t seen = 0, skipped = 0 + 1 + 2;
    struct log_suite_read reads[PARTITIONS] = {{.next = 0}, {.next = 1}, {.next = 2}};
    for (uint64_t records = 0; records < RECORDS - skipped && weir_monotonic_us() < deadline_us;) {
        weir_log_wait(s->log, &seen, 50);
        log_suite_ok(weir_share_poll(share, 0, &err), &err);
        records = 0;
        for (int i = 0; i < PARTITIONS; i++) {
            struct weir_fetch fetch;
            int64_t lost;
            log_suite_ok(weir_reader_fetch(member.readers[i], 500, &fetch, &lost, &err), &err);
            log_suite_take_fetch(&reads[i], &fetch, i, PARTITIONS);
            assert_false(reads[i].wrong_offset || reads[i].out_of_order || reads[i].wrong_partition);
            records += reads[i].records;
        }
    }
    assert_int_equal(reads[0].records + reads[1].records + reads[2].records, RECORDS - skipped);
    weir_share_wake(share); // the next poll does not wait
    int64_t before_us = weir_monotonic_us();
    log_suite_ok(weir_share_poll(share, 20000, &err), &err);
    assert_true(weir_monotonic_us() - before_us < 10000000);
    weir_share_leave(share);
    assert_int_equal(member.revoked, PARTITIONS);
    assert_int_equal(member.lost, 0);
    weir_producer_close(p);
}

// ---- lists of tests

#define LOG_SUITE(set_up, tear_down)                                                                                                                 \
    cmocka_unit_test_setup_teardown(log_suite_reads_what_was_appended, set_up, tear_down),                                                           \
        cmocka_unit_test_setup_teardown(log_suite_keeps_positions, set_up, tear_down),                                                               \
        cmocka_unit_test_setup_teardown(log_suite_appends_dead_letters, set_up, tear_down),                                                          \
        cmocka_unit_test_setup_teardown(log_suite_takes_several_producers, set_up, tear_down),                                                       \
        cmocka_unit_test_setup_teardown(log_suite_shares_alone, set_up, tear_down)

// Of logs that make and delete topics themselves.
#define LOG_SUITE_TOPICS(set_up, tear_down)                                                                                                          \
    cmocka_unit_test_setup_teardown(log_suite_names_topics, set_up, tear_down),                                                                      \
        cmocka_unit_test_setup_teardown(log_suite_deletes_topics, set_up, tear_down)
