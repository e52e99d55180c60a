// SPDX-License-Identifier: Apache-2.0
// A feed whose process is killed at every point of its appends, in turn: in the end each of its events is in the topic once. The test program calls
// itself for this, as `PROGRAM be-killed WHERE`, and then does feed_kills_be_killed on the same log.
#pragma once
#include "log_suite.h"

#include <sys/wait.h>
#include <unistd.h>

enum { FEED_KILLS_EVENTS = 400, FEED_KILLS_AT_ONCE = 10, FEED_KILLS_PARTITIONS = 2 };

static const char *feed_kills_program; // this one; main says it

// The process that is killed: goes on where the stored position says. Every fifth event has no key.
static int feed_kills_be_killed(struct log_subject *s)
{
    struct weir_producer *p = log_suite_producer(s, "killed", "feed");
    char position[16] = "";
    struct weir_str stored = weir_producer_position(p);
    if (stored.bytes > 0 && stored.bytes < sizeof position)
        memcpy(position, stored.data, stored.bytes);
    for (uint32_t n = (uint32_t)strtoul(position, NULL, 10); n < FEED_KILLS_EVENTS;) {
        for (int i = 0; i < FEED_KILLS_AT_ONCE; i++, n++) {
            char key[16], value[16];
            snprintf(key, sizeof key, "key-%u", n % 7);
            snprintf(value, sizeof value, "%u", n);
            weir_producer_add(p, 1000 + n, weir_str_of(key), n % 5 == 0, weir_str_of(value));
        }
        snprintf(position, sizeof position, "%u", n);
        log_suite_flush(p, position);
    }
    weir_producer_close(p);
    return 0;
}

static int feed_kills_run(const char *where, const char *point, int passage)
{
    char fault[64];
    snprintf(fault, sizeof fault, "%s:%d", point, passage);
    pid_t child = fork();
    if (child == 0) {
        setenv("WEIR_FAULT", fault, 1);
        execl(feed_kills_program, feed_kills_program, "be-killed", where, (char *)NULL);
        _exit(127);
    }
    int status;
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status) ? -1 : 0;
}

static void feed_kills_count(const struct weir_fetch *fetch, uint8_t *times)
{
    for (uint32_t i = 0; i < fetch->record_count; i++) {
        char text[16] = "";
        memcpy(text, fetch->records[i].value.data, fetch->records[i].value.bytes);
        times[strtoul(text, NULL, 10)]++;
    }
}

static void feed_kills_read(struct log_subject *s, int32_t partition, uint8_t *times)
{
    struct weir_error err;
    struct weir_reader *reader;
    int64_t deadline_us = weir_monotonic_us() + 60000000;
    log_suite_ok(weir_reader_open(s->log, log_suite_name(s, "killed"), partition, 0, &reader, &err), &err);
    for (;;) {
        struct weir_fetch fetch;
        int64_t lost;
        log_suite_ok(weir_reader_fetch(reader, 1 << 20, &fetch, &lost, &err), &err);
        feed_kills_count(&fetch, times);
        if (fetch.record_count == 0 && log_suite_ended(s, reader, deadline_us))
            break;
    }
    weir_reader_close(reader);
}

static void feed_kills_lose_and_double_nothing(void **state)
{
    struct log_subject *s = *state;
    static const char *const points[] = {"log.append.records", "log.append.before", "log.append.records", "log.append.after"};
    uint8_t times[FEED_KILLS_EVENTS] = {0};
    int kills = 0;
    log_suite_topic(s, "killed", FEED_KILLS_PARTITIONS, 0);
    while (kills < 100 && feed_kills_run(s->where, points[kills % 4], 1 + kills * 5 % 8) < 0)
        kills++;
    assert_true(kills >= 8);
    for (int32_t i = 0; i < FEED_KILLS_PARTITIONS; i++)
        feed_kills_read(s, i, times);
    for (int n = 0; n < FEED_KILLS_EVENTS; n++)
        assert_int_equal(times[n], 1);
}
