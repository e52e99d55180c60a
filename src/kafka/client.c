// SPDX-License-Identifier: Apache-2.0
// One handle of librdkafka: its properties by role, what it says (never to stderr), and whether any broker answers it.
#include "kafka/inside.h"

#include "base/memory.h"
#include "base/time.h"
#include <stdio.h>
#include <stdlib.h>

// What each role starts from; the user's properties go over it, then what must be so.
struct preset {
    unsigned roles; // bits of enum kafka_role
    const char *name, *value;
    bool forced;
};

#define ROLE(r)   (1u << (r))
#define READERS   (ROLE(KAFKA_READER) | ROLE(KAFKA_MEMBER))
#define CONSUMERS (READERS | ROLE(KAFKA_ADMIN))
#define SENDERS   (ROLE(KAFKA_SENDER) | ROLE(KAFKA_TRANSACTOR))
#define ALL       (CONSUMERS | SENDERS)

static const struct preset presets[] = {
    {ALL, "client.id", "weir", false},
    {ALL, "reconnect.backoff.max.ms", "2000", false}, // so that all goes on soon after a broker is back
    {ALL, "topic.metadata.refresh.fast.interval.ms", "100", false},
    {ALL, "socket.nagle.disable", "true", false},
    {READERS, "check.crcs", "true", false},
    {ROLE(KAFKA_MEMBER), "fetch.wait.max.ms", "100", false}, // a partition that joins waits for the fetch under way
    {ROLE(KAFKA_READER), "fetch.wait.max.ms", "20", false},
    {ROLE(KAFKA_MEMBER), "session.timeout.ms", "6000", false},
    {ROLE(KAFKA_MEMBER), "heartbeat.interval.ms", "2000", false},
    {ROLE(KAFKA_MEMBER), "max.poll.interval.ms", "600000", false},
    {ROLE(KAFKA_MEMBER), "partition.assignment.strategy", "range", true},
    {READERS, "enable.partition.eof", "true", true},
    {READERS, "auto.offset.reset", "earliest", true},
    {CONSUMERS, "enable.auto.commit", "false", true},
    {CONSUMERS, "enable.auto.offset.store", "false", true},
    {READERS, "isolation.level", "read_committed", true},
    {ROLE(KAFKA_ADMIN), "isolation.level", "read_uncommitted", true}, // an end behind open transactions: whoever reads to it waits for their fate
    {CONSUMERS, "allow.auto.create.topics", "false", false},
    {SENDERS, "linger.ms", "5", false},
    {SENDERS, "partitioner", "murmur2_random", true},
    {ROLE(KAFKA_SENDER), "message.timeout.ms", "0", false}, // for ever: brokers that are away are waited for
    {ROLE(KAFKA_TRANSACTOR), "transaction.timeout.ms", "10000", false},
    {ROLE(KAFKA_TRANSACTOR), "acks", "all", true},
};

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct weir_error *err)
{
    char said[300];
    if (rd_kafka_conf_set(conf, name, value, said, sizeof said) == RD_KAFKA_CONF_OK)
        return 0;
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "Kafka property '%s' cannot be '%s': %s", name, value, said);
}

static int set_presets(rd_kafka_conf_t *conf, enum kafka_role role, bool forced, struct weir_error *err)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if ((presets[i].roles & ROLE(role)) && presets[i].forced == forced && set(conf, presets[i].name, presets[i].value, err) < 0)
            return -1;
    return 0;
}

// A transaction's messages must fail no later than it does, and are acknowledged by all replicas.
static bool applies(const struct kafka_property *p, enum kafka_role role)
{
    bool consumer = (CONSUMERS & ROLE(role)) != 0;
    if (p->scope != KAFKA_COMMON && (p->scope == KAFKA_CONSUMER) != consumer)
        return false;
    bool transactional = strncmp(p->name, "transaction", 11) == 0;
    return role == KAFKA_TRANSACTOR || !transactional;
}

static int set_all(struct weir_kafka *k, rd_kafka_conf_t *conf, const struct kafka_client_plan *plan, struct weir_error *err)
{
    if (set(conf, "bootstrap.servers", k->brokers, err) < 0 || set_presets(conf, plan->role, false, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof plan->settings / sizeof *plan->settings; i++)
        if (plan->settings[i].name && plan->settings[i].value && set(conf, plan->settings[i].name, plan->settings[i].value, err) < 0)
            return -1;
    for (size_t i = 0; i < k->property_count; i++)
        if (applies(&k->properties[i], plan->role) && set(conf, k->properties[i].name, k->properties[i].value, err) < 0)
            return -1;
    bool idempotent = (SENDERS & ROLE(plan->role)) && (plan->role == KAFKA_TRANSACTOR || !kafka_properties_weak_acks(k));
    if (idempotent && set(conf, "enable.idempotence", "true", err) < 0)
        return -1;
    return set_presets(conf, plan->role, true, err);
}

// ---- what it says

static bool any_up(const struct kafka_client *c)
{
    for (size_t i = 0; i < c->connection_count; i++)
        if (c->connections[i].up)
            return true;
    return false;
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)rk;
    struct kafka_client *c = opaque;
    pthread_mutex_lock(&c->lock);
    if (!any_up(c) && (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !c->last_reason[0])) { // that all are down says less than why the last one is
        c->last_error = code;
        snprintf(c->last_reason, sizeof c->last_reason, "%s", reason ? reason : "");
    }
    pthread_mutex_unlock(&c->lock);
}

// By address: a broker's id becomes known only on the way. Coordinators have connections of their own, wherever they move.
static struct kafka_connection *connection_of(struct kafka_client *c, const char *host, int port)
{
    if (strcmp(host, "GroupCoordinator") == 0 || strcmp(host, "TxnCoordinator") == 0)
        port = 0;
    for (size_t i = 0; i < c->connection_count; i++)
        if (c->connections[i].port == port && strcmp(c->connections[i].host, host) == 0)
            return &c->connections[i];
    weir_grow(&c->connections, &c->connection_capacity, c->connection_count + 1, sizeof *c->connections);
    c->connections[c->connection_count] = (struct kafka_connection){port, weir_strdup(host), false};
    return &c->connections[c->connection_count++];
}

static rd_kafka_resp_err_t on_state(rd_kafka_t *rk, int32_t broker, const char *secproto, const char *name, int port, const char *state, void *opaque)
{
    (void)rk, (void)broker, (void)secproto;
    struct kafka_client *c = opaque;
    pthread_mutex_lock(&c->lock);
    bool up = strcmp(state, "UP") == 0 || strcmp(state, "UPDATE") == 0;
    connection_of(c, name ? name : "", port)->up = up;
    if (up) {
        c->down_since_ms = 0;
        c->last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
        c->last_reason[0] = '\0';
    } else if (strcmp(state, "DOWN") == 0 && c->down_since_ms == 0 && !any_up(c))
        c->down_since_ms = weir_now_ms();
    pthread_mutex_unlock(&c->lock);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *opaque, char *said, size_t bytes)
{
    (void)conf, (void)said, (void)bytes;
    return rd_kafka_interceptor_add_on_broker_state_change(rk, "weir", on_state, opaque);
}

void kafka_client_reason(struct kafka_client *c, rd_kafka_resp_err_t *ret_code, char *out, size_t bytes)
{
    pthread_mutex_lock(&c->lock);
    *ret_code = c->last_error;
    snprintf(out, bytes, "%s", c->last_reason);
    pthread_mutex_unlock(&c->lock);
}

// ---- opening and closing

static rd_kafka_conf_t *conf_of(struct kafka_client *c, const struct kafka_client_plan *plan, struct weir_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (set_all(c->kafka, conf, plan, err) < 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_log_cb(conf, NULL); // what matters comes as errors
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_interceptor_add_on_new(conf, "weir", on_new, c);
    if (plan->configure)
        plan->configure(conf);
    return conf;
}

static void client_free(struct kafka_client *c)
{
    pthread_mutex_destroy(&c->lock);
    for (size_t i = 0; i < c->connection_count; i++)
        free(c->connections[i].host);
    free(c->connections);
    for (size_t i = 0; i < c->found_count; i++)
        free(c->found[i]);
    free(c->found);
    free(c);
}

int kafka_client_open(struct weir_kafka *k, const struct kafka_client_plan *plan, struct kafka_client **ret, struct weir_error *err)
{
#ifdef KAFKA_UNDER_TSAN
    weir_assert(kafka_threads_are_seen);
#endif
    struct kafka_client *c = weir_zalloc(1, sizeof *c);
    c->kafka = k;
    c->role = plan->role;
    c->owner = plan->owner;
    pthread_mutex_init(&c->lock, NULL);
    rd_kafka_conf_t *conf = conf_of(c, plan, err);
    if (!conf) {
        client_free(c);
        return -1;
    }
    char said[300];
    c->rk = rd_kafka_new((CONSUMERS & ROLE(plan->role)) ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, said, sizeof said);
    if (!c->rk) {
        rd_kafka_conf_destroy(conf);
        client_free(c);
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "Kafka's client cannot be made: %s", said);
    }
    pthread_mutex_lock(&k->lock);
    c->next = k->clients;
    k->clients = c;
    pthread_mutex_unlock(&k->lock);
    *ret = c;
    return 0;
}

void kafka_client_close(struct kafka_client *c)
{
    if (!c)
        return;
    struct weir_kafka *k = c->kafka;
    pthread_mutex_lock(&k->lock);
    struct kafka_client **at = &k->clients;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    pthread_mutex_unlock(&k->lock);
    rd_kafka_destroy(c->rk);
    client_free(c);
}

// ---- topics to write to

static bool is_found(const struct kafka_client *c, const char *topic)
{
    for (size_t i = 0; i < c->found_count; i++)
        if (strcmp(c->found[i], topic) == 0)
            return true;
    return false;
}

void kafka_client_find(struct kafka_client *c, const char *topic, int timeout_ms)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *local = is_found(c, topic) ? NULL : rd_kafka_topic_new(c->rk, topic, NULL);
    if (!local)
        return;
    if (rd_kafka_metadata(c->rk, 0, local, &metadata, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
        weir_grow(&c->found, &c->found_capacity, c->found_count + 1, sizeof *c->found);
        c->found[c->found_count++] = weir_strdup(topic);
    }
    rd_kafka_topic_destroy(local);
}
