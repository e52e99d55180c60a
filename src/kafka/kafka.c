// SPDX-License-Identifier: Apache-2.0
#include "kafka/inside.h"

#include "base/memory.h"
#include "base/time.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { REACH_STEP_MS = 250, HURRY_MS = 1000 };

static int bad_url(const char *url, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "'%s' is not kafka://host:port[,host:port…]", url);
}

static int check_address(const char *url, struct weir_str address, struct weir_error *err)
{
    const char *colon = memrchr(address.data, ':', address.bytes), *end = address.data + address.bytes;
    const char *bracket = memrchr(address.data, ']', address.bytes);
    if (address.bytes == 0 || colon == address.data)
        return bad_url(url, err);
    for (const char *at = address.data; at < end; at++)
        if (!isgraph((unsigned char)*at) || strchr("/@?#", *at))
            return bad_url(url, err);
    if (!colon || (bracket && bracket > colon)) // without a port: 9092
        return 0;
    char *stop;
    long port = strtol(colon + 1, &stop, 10);
    return stop == end && port > 0 && port < 65536 ? 0 : bad_url(url, err);
}

static int check_url(const char *url, struct weir_error *err)
{
    if (strncmp(url, "kafka://", 8) != 0)
        return bad_url(url, err);
    for (const char *at = url + 8;; at++) {
        size_t bytes = strcspn(at, ",");
        if (check_address(url, (struct weir_str){at, (uint32_t)bytes}, err) < 0)
            return -1;
        at += bytes;
        if (!*at)
            return 0;
    }
}

int weir_kafka_new(const char *url, uint32_t option_count, const struct weir_option *options, struct weir_kafka **ret, struct weir_error *err)
{
    if (check_url(url, err) < 0)
        return -1;
    struct weir_kafka *k = weir_zalloc(1, sizeof *k);
    pthread_mutex_init(&k->lock, NULL);
    k->brokers = weir_strdup(url + 8);
    if (kafka_properties_check(k, option_count, options, err) < 0) {
        weir_kafka_free(k);
        return -1;
    }
    *ret = k;
    return 0;
}

void weir_kafka_hurry(struct weir_kafka *k)
{
    atomic_store(&k->hurried, true);
}

int64_t kafka_patience_us(const struct weir_kafka *k, int64_t ms)
{
    return (atomic_load(&k->hurried) && ms > HURRY_MS ? HURRY_MS : ms) * 1000;
}

void weir_kafka_free(struct weir_kafka *k)
{
    if (!k)
        return;
    kafka_client_close(k->admin);
    weir_assert(!k->clients);
    for (size_t i = 0; i < k->property_count; i++) {
        free(k->properties[i].name);
        free(k->properties[i].value);
    }
    free(k->properties);
    free(k->brokers);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

const char *weir_kafka_brokers(const struct weir_kafka *k)
{
    return k->brokers;
}

static int admin_client(struct weir_kafka *k, struct kafka_client **ret, struct weir_error *err)
{
    pthread_mutex_lock(&k->lock);
    struct kafka_client *c = k->admin;
    pthread_mutex_unlock(&k->lock);
    if (!c && kafka_client_open(k, &(struct kafka_client_plan){.role = KAFKA_ADMIN}, &c, err) < 0)
        return -1;
    pthread_mutex_lock(&k->lock);
    struct kafka_client *other = k->admin && k->admin != c ? c : NULL; // another thread was faster
    k->admin = k->admin ? k->admin : c;
    *ret = k->admin;
    pthread_mutex_unlock(&k->lock);
    kafka_client_close(other);
    return 0;
}

int kafka_admin(struct weir_kafka *k, rd_kafka_t **ret, struct weir_error *err)
{
    struct kafka_client *c;
    if (admin_client(k, &c, err) < 0)
        return -1;
    *ret = c->rk;
    return 0;
}

// Trouble that no waiting ends, as long as nobody changes a password or a certificate.
static bool hopeless(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL;
}

int weir_kafka_reach(struct weir_kafka *k, int64_t timeout_ms, struct weir_error *err)
{
    struct kafka_client *c;
    if (admin_client(k, &c, err) < 0)
        return -1;
    int64_t deadline_us = weir_monotonic_us() + timeout_ms * 1000;
    rd_kafka_resp_err_t code, why;
    char reason[sizeof c->last_reason];
    do {
        const struct rd_kafka_metadata *metadata;
        code = rd_kafka_metadata(c->rk, 0, NULL, &metadata, REACH_STEP_MS);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_metadata_destroy(metadata);
            return 0;
        }
        rd_kafka_poll(c->rk, code == RD_KAFKA_RESP_ERR__TIMED_OUT ? 0 : REACH_STEP_MS / 10); // serves the error callback
        kafka_client_reason(c, &why, reason, sizeof reason);
    } while (!hopeless(why) && weir_monotonic_us() < deadline_us);
    const char *user = why == RD_KAFKA_RESP_ERR__AUTHENTICATION ? kafka_property_get(k, "sasl.username") : NULL;
    return kafka_fail(k, err, why ? why : code, reason[0] ? reason : "no answer", "reach Kafka at %s%s%s%s", k->brokers, user ? " as user '" : "",
                      user ? user : "", user ? "'" : "");
}

// An admin client or a producer with nothing to send may have no connection at all.
static bool waits_for_brokers(const struct weir_kafka *k, const struct kafka_client *c)
{
    if (c->role == KAFKA_ADMIN)
        return !k->clients->next;
    return c->role == KAFKA_READER || c->role == KAFKA_MEMBER || rd_kafka_outq_len(c->rk) > 0;
}

static bool client_healthy(struct kafka_client *c, struct weir_buffer *reasons)
{
    pthread_mutex_lock(&c->lock);
    bool healthy = c->down_since_ms == 0;
    if (!healthy) {
        char since[32];
        weir_iso8601_format(c->down_since_ms, since);
        weir_buffer_format(reasons, "Kafka at %s has not answered since %s%s%s\n", c->kafka->brokers, since, c->last_reason[0] ? ": " : "",
                           c->last_reason);
    }
    pthread_mutex_unlock(&c->lock);
    return healthy;
}

bool weir_kafka_healthy(struct weir_kafka *k, struct weir_buffer *reasons)
{
    bool healthy = true;
    pthread_mutex_lock(&k->lock);
    if (k->admin)
        rd_kafka_poll(k->admin->rk, 0); // nobody else serves its callbacks
    for (struct kafka_client *c = k->clients; c && healthy; c = c->next)
        healthy = !waits_for_brokers(k, c) || client_healthy(c, reasons);
    pthread_mutex_unlock(&k->lock);
    return healthy;
}
