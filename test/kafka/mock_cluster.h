// SPDX-License-Identifier: Apache-2.0
// librdkafka's mock cluster: brokers in this very process, so that sanitizers see all of it. Include after cmocka.h.
#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

enum { MOCK_URL_BYTES = 300 };

// Gives the url that weir_kafka_new takes.
static inline rd_kafka_mock_cluster_t *mock_cluster_start(int brokers, char ret_url[MOCK_URL_BYTES])
{
    char said[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, said, sizeof said); // what the brokers live in
    if (!host)
        fail_msg("%s", said);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, brokers);
    snprintf(ret_url, MOCK_URL_BYTES, "kafka://%s", rd_kafka_mock_cluster_bootstraps(cluster));
    return cluster;
}

static inline void mock_cluster_end(rd_kafka_mock_cluster_t *cluster)
{
    rd_kafka_t *host = rd_kafka_mock_cluster_handle(cluster);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
}
