// SPDX-License-Identifier: Apache-2.0
// What tests of the client share: a session on a fake ring, numbered rows, and a tally that sees every callback.
#pragma once
#include "base/time.h"
#include "cql/cql.h"
#include "fake.h"
#include <pthread.h>
#include <stdio.h>

#define INSERT "INSERT INTO ks.t (k, c, v) VALUES (?, ?, ?)"
#define SELECT "SELECT k, c, v FROM ks.t WHERE k = ?"

// Looks again and again until it holds; fails the test after half a minute.
#define EVENTUALLY(condition)                                                                                                                        \
    do {                                                                                                                                             \
        int64_t deadline_us = weir_monotonic_us() + 30 * 1000 * 1000;                                                                                \
        while (!(condition)) {                                                                                                                       \
            if (weir_monotonic_us() > deadline_us)                                                                                                   \
                fail_msg("half a minute, and still not: %s", #condition);                                                                            \
            moment();                                                                                                                                \
        }                                                                                                                                            \
    } while (0)
void moment(void); // a millisecond

struct client {
    struct fake_ring *ring;
    struct cql_session *session;
    const struct cql_prepared *insert, *select;
    const char *hosts[FAKE_NODES_MAX];
    pthread_mutex_t lock; // of what the session logged
    char log[16384];
    size_t log_bytes;
};

// A ring and a session that knows all its nodes' addresses; `options` NULL: defaults. Sets options->hosts, port and log.
int client_try(struct client *c, const struct fake_options *ring, const struct cql_options *options, struct weir_error *err);
void client_open(struct client *c, const struct fake_options *ring, const struct cql_options *options); // and both statements prepared
int client_session(struct client *c, const struct cql_options *options, struct weir_error *err);        // on the ring that is there
void client_close(struct client *c);
bool client_logged(struct client *c, const char *part);
uint32_t client_up(struct client *c);                         // nodes that have a connection
struct cql_node client_node(struct client *c, uint32_t node); // as the session sees it, by host id; zeros: it does not know it

// ---- requests

enum { TALLY_MAX = 65536 };
struct tally { // of requests by number
    pthread_mutex_t lock;
    uint32_t submitted, done, good, failed, refused; // refused: of the failed, those that never pass (WEIR_DEAD_LETTER)
    uint32_t twice;                                  // callbacks beyond the first
    uint32_t causes[CQL_CAUSE_CLOSED + 1];
    uint32_t attempts_max;
    uint8_t seen[TALLY_MAX]; // 1: done, 2: and good
    struct weir_error last;
};
struct tally *tally_make(void);
void tally_free(struct tally *t);
struct tally *tally_wait(struct tally *t); // until all that was submitted is done; fails the test after half a minute
uint32_t tally_done(struct tally *t);

struct row_options {
    bool not_idempotent;
    uint32_t batch; // so many rows of one partition at once; 0: EXECUTE
    uint32_t timeout_ms, patience_ms;
    uint32_t value_bytes; // longer values
};
// Row n is ("key<n / batch>", n, "value<n>") under timestamp 10^15 + n. Rows [first, first + count) go out in requests that the tally knows by first row.
void client_write(struct client *c, struct tally *t, uint32_t first, uint32_t count, const struct row_options *options);
// How many of the rows that were acknowledged are not there with their value and timestamp, or were written under another one.
uint32_t client_missing(struct client *c, const struct tally *t, uint32_t first, uint32_t count, const struct row_options *options);
