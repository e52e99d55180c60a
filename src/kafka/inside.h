// SPDX-License-Identifier: Apache-2.0
// What the files of kafka/ share: handles of librdkafka with the properties that each role needs, errors in words, partitions being read.
#pragma once
#include "kafka/kafka.h"
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

// ---- properties (properties.c)

enum kafka_scope { KAFKA_COMMON, KAFKA_CONSUMER, KAFKA_PRODUCER };

struct kafka_property { // given by the user, checked
    char *name, *value;
    enum kafka_scope scope;
};

int kafka_properties_check(struct weir_kafka *k, uint32_t count, const struct weir_option *options, struct weir_error *err);
const char *kafka_property_get(const struct weir_kafka *k, const char *name); // the user's value or NULL
bool kafka_properties_weak_acks(const struct weir_kafka *k);                  // the user wants acks 0 or 1, so no idempotence

// ---- clients (client.c): one handle of librdkafka with its health

enum kafka_role { KAFKA_ADMIN, KAFKA_READER, KAFKA_MEMBER, KAFKA_SENDER, KAFKA_TRANSACTOR };

struct kafka_connection { // as its last change of state left it
    int port;
    char *host;
    bool up;
};

struct kafka_client {
    struct weir_kafka *kafka;
    struct kafka_client *next;
    enum kafka_role role;
    rd_kafka_t *rk;
    void *owner;                    // for the callbacks that `configure` has set
    pthread_mutex_t lock;           // of what follows
    int64_t down_since_ms;          // 0: some broker answers, as far as known
    rd_kafka_resp_err_t last_error; // what the error callback said last
    char last_reason[256];
    struct kafka_connection *connections;
    size_t connection_count, connection_capacity;
    char **found; // topics whose leaders were asked for; of the thread that writes
    size_t found_count, found_capacity;
};

struct kafka_setting {
    const char *name, *value; // value NULL: left out
};

struct kafka_client_plan {
    enum kafka_role role;
    struct kafka_setting settings[6]; // beside the role's own
    void (*configure)(rd_kafka_conf_t *conf);
    void *owner;
};

struct weir_kafka {
    char *brokers;
    struct kafka_property *properties;
    size_t property_count;
    atomic_bool hurried;  // see weir_kafka_hurry
    pthread_mutex_t lock; // of what follows
    struct kafka_client *admin, *clients;
};

int kafka_client_open(struct weir_kafka *k, const struct kafka_client_plan *plan, struct kafka_client **ret, struct weir_error *err);
void kafka_client_close(struct kafka_client *c); // takes NULL
// Before a client's first message to a topic: asks who leads its partitions. The library alone would come to that up to a second later. Where nobody
// answers in time it is left to the library.
void kafka_client_find(struct kafka_client *c, const char *topic, int timeout_ms);
enum { KAFKA_FIND_MS = 1000 }; // what a caller without a nearer deadline allows kafka_client_find
int kafka_admin(struct weir_kafka *k, rd_kafka_t **ret, struct weir_error *err);
// How long to wait for others: as long as given, or a moment where the process is in a hurry. To be asked again while waiting.
int64_t kafka_patience_us(const struct weir_kafka *k, int64_t ms);
// The reason that the error callback gave last, or "" where all is well.
void kafka_client_reason(struct kafka_client *c, rd_kafka_resp_err_t *ret_code, char *out, size_t bytes);

#if defined(__SANITIZE_THREAD__)
#define KAFKA_UNDER_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KAFKA_UNDER_TSAN
#endif
#endif
extern const bool kafka_threads_are_seen; // threads.c

// ---- errors (errors.c)

// "cannot DOING: what Kafka said; remedy", with code and fate of that error. `said` may be NULL. Returns -1.
int kafka_fail(const struct weir_kafka *k, struct weir_error *err, rd_kafka_resp_err_t code, const char *said, const char *doing, ...)
    __attribute__((format(printf, 5, 6)));
// The same where the admin client was asked: when no broker answered, what was said about that.
int kafka_fail_admin(struct weir_kafka *k, struct weir_error *err, rd_kafka_resp_err_t code, const char *said, const char *doing, ...)
    __attribute__((format(printf, 5, 6)));
bool kafka_passes(rd_kafka_resp_err_t code);      // trouble of the kind that ends by itself
bool kafka_lacks_right(rd_kafka_resp_err_t code); // an ACL is missing

// ---- topics (topics.c)

int kafka_topic_partitions(struct weir_kafka *k, const char *topic, int32_t *ret, struct weir_error *err);
// For who is about to use it: a broker that has just come back may not know of it yet, so that "there is none" is believed after a moment only.
int kafka_topic_known(struct weir_kafka *k, const char *topic, int32_t *ret, struct weir_error *err);
int kafka_no_topic(struct weir_kafka *k, const char *topic, struct weir_error *err); // fails with the nearest name

// ---- reading (partition.c)

struct weir_kafka_partition {
    struct weir_kafka *kafka;
    char *topic;
    int32_t partition;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct kafka_client *own; // outside of groups: its own client, and the topic it was started through
    rd_kafka_topic_t *started;
    rd_kafka_message_t **held; // what the last read has given views into
    size_t held_count, held_capacity;
    int64_t position;  // the next offset to read; -1: not known yet
    int64_t committed; // what the group had committed, for transactions whose fate is not known; -1: nothing
    bool at_end, failed;
    struct weir_error failure; // where `failed`
};

// Limits of what is read ahead, so that `partitions` of them stay within a process's share of memory.
struct kafka_read_ahead {
    char messages[16], kilobytes[16];
};
struct kafka_read_ahead kafka_read_ahead_of(int32_t partitions);

// A partition of a group's member; its queue is its own from now on. Where it is read from is said later.
struct weir_kafka_partition *kafka_partition_new(struct weir_kafka *k, rd_kafka_t *rk, const char *topic, int32_t partition);
// Lets go of what the last call gave and takes up to `max` messages and events, waiting up to timeout_ms for the first. They are p->held.
void kafka_partition_take(struct weir_kafka_partition *p, uint32_t max, int timeout_ms);
// Whether this is a record to be given; events and gaps are noted in p (failed: nothing more may be given).
bool kafka_partition_accept(struct weir_kafka_partition *p, const rd_kafka_message_t *m, int64_t *lost);
struct weir_kafka_message kafka_message_view(const rd_kafka_message_t *m);
