// SPDX-License-Identifier: Apache-2.0
// Kafka's errors in a person's words: what they mean for a command's exit code, whether waiting helps, and what to do about them.
#include "kafka/inside.h"

#include <stdio.h>
#include <string.h>

struct meaning {
    rd_kafka_resp_err_t error;
    enum weir_code code;
    enum weir_fate fate;
    const char *remedy; // NULL: what Kafka says is enough. Where a right is missing: which, and of topics what it is on
};

#define ERR(name) RD_KAFKA_RESP_ERR_##name

static const struct meaning meanings[] = {
    {ERR(_TRANSPORT), WEIR_UNAVAILABLE, WEIR_RETRY, "is the broker running, and is its address right?"},
    {ERR(_ALL_BROKERS_DOWN), WEIR_UNAVAILABLE, WEIR_RETRY, "are the brokers running, and are their addresses right?"},
    {ERR(_RESOLVE), WEIR_UNAVAILABLE, WEIR_RETRY, "check the host's name"},
    {ERR(_TIMED_OUT), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_TIMED_OUT_QUEUE), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_MSG_TIMED_OUT), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_WAIT_COORD), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_WAIT_CACHE), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_NODE_UPDATE), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_RETRY), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_IN_PROGRESS), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_PREV_IN_PROGRESS), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_QUEUE_FULL), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_INTR), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(LEADER_NOT_AVAILABLE), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(NOT_LEADER_FOR_PARTITION), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(REQUEST_TIMED_OUT), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(BROKER_NOT_AVAILABLE), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(REPLICA_NOT_AVAILABLE), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(NETWORK_EXCEPTION), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(COORDINATOR_LOAD_IN_PROGRESS), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(COORDINATOR_NOT_AVAILABLE), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(NOT_COORDINATOR), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(NOT_ENOUGH_REPLICAS), WEIR_UNAVAILABLE, WEIR_RETRY, "too few of the topic's replicas are in sync (min.insync.replicas)"},
    {ERR(NOT_ENOUGH_REPLICAS_AFTER_APPEND), WEIR_UNAVAILABLE, WEIR_RETRY, "too few of the topic's replicas are in sync (min.insync.replicas)"},
    {ERR(REBALANCE_IN_PROGRESS), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(NOT_CONTROLLER), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(CONCURRENT_TRANSACTIONS), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(KAFKA_STORAGE_ERROR), WEIR_UNAVAILABLE, WEIR_RETRY, "a broker has trouble with its disk"},
    {ERR(OFFSET_NOT_AVAILABLE), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(UNSTABLE_OFFSET_COMMIT), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(UNKNOWN_LEADER_EPOCH), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(FENCED_LEADER_EPOCH), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(THROTTLING_QUOTA_EXCEEDED), WEIR_UNAVAILABLE, WEIR_RETRY, NULL},
    {ERR(_AUTHENTICATION), WEIR_UNAVAILABLE, WEIR_STOP, "check sasl.mechanism, sasl.username and sasl.password"},
    {ERR(SASL_AUTHENTICATION_FAILED), WEIR_UNAVAILABLE, WEIR_STOP, "check sasl.username and sasl.password"},
    {ERR(UNSUPPORTED_SASL_MECHANISM), WEIR_UNAVAILABLE, WEIR_STOP, "set sasl.mechanism to one that the broker has"},
    {ERR(_SSL), WEIR_UNAVAILABLE, WEIR_STOP, "check ssl.ca.location, and whether the listener at this address speaks TLS"},
    {ERR(TOPIC_AUTHORIZATION_FAILED), WEIR_UNAVAILABLE, WEIR_STOP, "on the topic"},
    {ERR(GROUP_AUTHORIZATION_FAILED), WEIR_UNAVAILABLE, WEIR_STOP, "Read on the consumer group"},
    {ERR(TRANSACTIONAL_ID_AUTHORIZATION_FAILED), WEIR_UNAVAILABLE, WEIR_STOP, "Write on the transactional id"},
    {ERR(CLUSTER_AUTHORIZATION_FAILED), WEIR_UNAVAILABLE, WEIR_STOP,
     "Write on the topic (with brokers before 2.8 also IdempotentWrite on the cluster)"},
    {ERR(UNKNOWN_TOPIC_OR_PART), WEIR_BAD_DATA, WEIR_STOP, "there is no such topic or partition"},
    {ERR(_UNKNOWN_TOPIC), WEIR_BAD_DATA, WEIR_STOP, "there is no such topic"},
    {ERR(_UNKNOWN_PARTITION), WEIR_BAD_DATA, WEIR_STOP, "there is no such partition"},
    {ERR(MSG_SIZE_TOO_LARGE), WEIR_BAD_DATA, WEIR_DEAD_LETTER, "raise message.max.bytes, and the topic's max.message.bytes"},
    {ERR(RECORD_LIST_TOO_LARGE), WEIR_BAD_DATA, WEIR_DEAD_LETTER, "lower batch.size, or raise the topic's segment.bytes"},
    {ERR(INVALID_RECORD), WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the topic refuses the record, perhaps for having no key"},
    {ERR(INVALID_TIMESTAMP), WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the topic's message.timestamp settings refuse the event's time"},
    {ERR(_BAD_MSG), WEIR_IO, WEIR_STOP, "the record batch is damaged"},
    {ERR(INVALID_MSG), WEIR_IO, WEIR_STOP, "the record batch is damaged"},
    {ERR(_BAD_COMPRESSION), WEIR_IO, WEIR_STOP, "the record batch cannot be decompressed"},
    {ERR(TOPIC_EXCEPTION), WEIR_BAD_CONFIG, WEIR_STOP, "names have letters, digits, '.', '_' and '-'"},
    {ERR(INVALID_PARTITIONS), WEIR_BAD_CONFIG, WEIR_STOP, NULL},
    {ERR(INVALID_REPLICATION_FACTOR), WEIR_BAD_CONFIG, WEIR_STOP, "set replication to at most the number of brokers"},
    {ERR(INVALID_CONFIG), WEIR_BAD_CONFIG, WEIR_STOP, NULL},
    {ERR(POLICY_VIOLATION), WEIR_BAD_CONFIG, WEIR_STOP, NULL},
    {ERR(INVALID_REQUIRED_ACKS), WEIR_BAD_CONFIG, WEIR_STOP, NULL},
    {ERR(TOPIC_DELETION_DISABLED), WEIR_BAD_CONFIG, WEIR_STOP, "the brokers' delete.topic.enable is false"},
    {ERR(INVALID_SESSION_TIMEOUT), WEIR_BAD_CONFIG, WEIR_STOP,
     "session.timeout.ms must lie between the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms"},
    {ERR(INVALID_TRANSACTION_TIMEOUT), WEIR_BAD_CONFIG, WEIR_STOP, "transaction.timeout.ms is over the brokers' transaction.max.timeout.ms"},
    {ERR(INCONSISTENT_GROUP_PROTOCOL), WEIR_BAD_CONFIG, WEIR_STOP,
     "the group's other members share partitions in another way; is another program in the group?"},
    {ERR(GROUP_MAX_SIZE_REACHED), WEIR_BAD_CONFIG, WEIR_STOP, "the brokers' group.max.size is reached"},
    {ERR(FENCED_INSTANCE_ID), WEIR_BAD_CONFIG, WEIR_STOP, "another process has joined with the same instance name"},
    {ERR(_INVALID_ARG), WEIR_BAD_CONFIG, WEIR_STOP, NULL},
    {ERR(UNSUPPORTED_VERSION), WEIR_BAD_CONFIG, WEIR_STOP, "the broker is too old"},
    {ERR(_UNSUPPORTED_FEATURE), WEIR_BAD_CONFIG, WEIR_STOP, "the broker is too old"},
};

static const struct meaning *meaning_of(rd_kafka_resp_err_t error)
{
    static const struct meaning other = {ERR(UNKNOWN), WEIR_FAILED, WEIR_STOP, NULL};
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].error == error)
            return &meanings[i];
    return &other;
}

bool kafka_passes(rd_kafka_resp_err_t code)
{
    return meaning_of(code)->fate == WEIR_RETRY;
}

// The right on a topic that an operation needs, by the words that say what was done.
static const char *right_for(const char *doing)
{
    static const struct {
        const char *doing, *right;
    } rights[] = {
        {"make", "Create"},
        {"describe", "Describe"},
        {"read the settings", "DescribeConfigs"},
        {"set the retention", "AlterConfigs"},
        {"empty", "Delete"},
        {"delete", "Delete"},
        {"append", "Write"},
        {"commit", "Write"},
        {"ask", "Describe"},
    };
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        if (strncmp(doing, rights[i].doing, strlen(rights[i].doing)) == 0)
            return rights[i].right;
    return "Read";
}

bool kafka_lacks_right(rd_kafka_resp_err_t code)
{
    return code == ERR(TOPIC_AUTHORIZATION_FAILED) || code == ERR(GROUP_AUTHORIZATION_FAILED) || code == ERR(TRANSACTIONAL_ID_AUTHORIZATION_FAILED) ||
           code == ERR(CLUSTER_AUTHORIZATION_FAILED);
}

static void describe_right(const struct weir_kafka *k, const struct meaning *meaning, const char *what, char *out, size_t bytes)
{
    const char *user = kafka_property_get(k, "sasl.username");
    const char *right = meaning->error == ERR(TOPIC_AUTHORIZATION_FAILED) ? right_for(what) : "";
    snprintf(out, bytes, "%s%s%s needs the right (ACL) %s%s%s", user ? "user '" : "this client's user", user ? user : "", user ? "'" : "", right,
             *right ? " " : "", meaning->remedy);
}

static int fail(const struct weir_kafka *k, struct weir_error *err, rd_kafka_resp_err_t code, const char *said, const char *what)
{
    const struct meaning *meaning = meaning_of(code);
    const char *remedy = meaning->remedy;
    char right[200];
    if (kafka_lacks_right(code)) {
        describe_right(k, meaning, what, right, sizeof right);
        remedy = right;
    }
    if (!said || !*said)
        said = rd_kafka_err2str(code);
    size_t bytes = strlen(said);
    while (remedy && bytes > 0 && said[bytes - 1] == '.') // the sentence goes on
        bytes--;
    return weir_fail(err, meaning->code, meaning->fate, "cannot %s: %.*s%s%s", what, (int)bytes, said, remedy ? "; " : "", remedy ? remedy : "");
}

int kafka_fail(const struct weir_kafka *k, struct weir_error *err, rd_kafka_resp_err_t code, const char *said, const char *doing, ...)
{
    char what[256];
    va_list args;
    va_start(args, doing);
    vsnprintf(what, sizeof what, doing, args);
    va_end(args);
    return fail(k, err, code, said, what);
}

static bool unanswered(rd_kafka_resp_err_t code)
{
    return code == ERR(_TRANSPORT) || code == ERR(_TIMED_OUT) || code == ERR(_ALL_BROKERS_DOWN) || code == ERR(_TIMED_OUT_QUEUE);
}

int kafka_fail_admin(struct weir_kafka *k, struct weir_error *err, rd_kafka_resp_err_t code, const char *said, const char *doing, ...)
{
    char what[256], reason[256] = "";
    rd_kafka_resp_err_t why = RD_KAFKA_RESP_ERR_NO_ERROR;
    va_list args;
    va_start(args, doing);
    vsnprintf(what, sizeof what, doing, args);
    va_end(args);
    if (unanswered(code) && k->admin) {
        rd_kafka_poll(k->admin->rk, 0); // serves the error callback
        kafka_client_reason(k->admin, &why, reason, sizeof reason);
    }
    return why ? fail(k, err, why, reason, what) : fail(k, err, code, said, what);
}
