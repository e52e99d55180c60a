// SPDX-License-Identifier: Apache-2.0
// Reading a topic: a bare librdkafka consumer that only counts, batches of 1,000, against weir_kafka_partition_read over the same partitions.
// Both take turns; the best of each counts. Usage: bench_kafka BROKERS TOPIC [ROUNDS]
#include "base/memory.h"
#include "base/time.h"
#include "kafka/kafka.h"
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { BATCH = 1000, PARTITIONS_MAX = 64, WAIT_MS = 100 };

struct figures {
    int64_t messages, bytes, wall_us, cpu_us;
};

static void give_up(const char *what)
{
    fprintf(stderr, "bench_kafka: %s\n", what);
    exit(1);
}

static int64_t cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char said[200];
    if (rd_kafka_conf_set(conf, name, value, said, sizeof said) != RD_KAFKA_CONF_OK)
        give_up(said);
}

static rd_kafka_t *bare_consumer(const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char said[200];
    set(conf, "bootstrap.servers", brokers);
    set(conf, "group.id", "bench_kafka");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "check.crcs", "true");
    set(conf, "fetch.wait.max.ms", "100"); // as weir: how long the end is waited for
    set(conf, "queued.min.messages", "400000");
    set(conf, "queued.max.messages.kbytes", "131072");
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, said, sizeof said);
    if (!rk)
        give_up(said);
    return rk;
}

// The clock starts with the first message: joining and connecting are not what is measured.
static void start_clock(struct figures *f, int64_t got)
{
    if (f->messages > 0 || got <= 0)
        return;
    f->wall_us = -weir_monotonic_us();
    f->cpu_us = -cpu_us();
}

static int count_taken(rd_kafka_message_t **taken, ssize_t got, struct figures *f)
{
    int ended = 0;
    start_clock(f, got);
    for (ssize_t i = 0; i < got; i++) {
        if (taken[i]->err)
            ended += taken[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        else {
            f->messages++;
            f->bytes += (int64_t)taken[i]->len;
        }
        rd_kafka_message_destroy(taken[i]);
    }
    return ended;
}

static void read_bare(const char *brokers, const char *topic, int32_t partitions, struct figures *f)
{
    rd_kafka_t *rk = bare_consumer(brokers);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = 0;
    rd_kafka_poll_set_consumer(rk);
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_message_t *taken[BATCH];
    for (int ended = 0; ended < partitions;)
        ended += count_taken(taken, rd_kafka_consume_batch_queue(queue, WAIT_MS, taken, BATCH), f);
    f->wall_us += weir_monotonic_us();
    f->cpu_us += cpu_us();
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

// A member of a group of its own, as a pipeline reads.
struct reader {
    struct weir_kafka_partition *partitions[PARTITIONS_MAX];
};

static int on_assigned(void *context, int32_t partition, int64_t *ret_offset, struct weir_error *err)
{
    (void)context, (void)partition, (void)err;
    *ret_offset = INT64_MIN;
    return 0;
}

static void on_opened(void *context, int32_t partition, struct weir_kafka_partition *p)
{
    ((struct reader *)context)->partitions[partition] = p;
}

static void on_revoked(void *context, int32_t partition, bool lost)
{
    (void)lost;
    ((struct reader *)context)->partitions[partition] = NULL;
}

static int read_partition(struct weir_kafka_partition *p, struct figures *f, struct weir_error *err)
{
    static struct weir_kafka_message messages[BATCH];
    int64_t lost;
    int count = weir_kafka_partition_read(p, messages, BATCH, &lost, err);
    if (count < 0)
        give_up(err->text);
    start_clock(f, count);
    for (int i = 0; i < count; i++)
        f->bytes += messages[i].value.bytes;
    f->messages += count;
    return count;
}

static void read_ours(struct weir_kafka *k, const char *topic, int32_t partitions, struct figures *f)
{
    struct reader r = {0};
    struct weir_error err;
    struct weir_kafka_group *g;
    const struct weir_kafka_member member = {&r, on_assigned, on_opened, on_revoked};
    char group[64];
    snprintf(group, sizeof group, "bench_kafka-%lld", (long long)weir_monotonic_us());
    if (weir_kafka_group_join(k, group, topic, NULL, &member, &g, &err) < 0)
        give_up(err.text);
    while (!r.partitions[0])
        if (weir_kafka_group_poll(g, WAIT_MS, &err) < 0)
            give_up(err.text);
    for (int ended = 0; ended < partitions;) {
        int count = 0;
        ended = 0;
        for (int32_t p = 0; p < partitions; p++) {
            count += read_partition(r.partitions[p], f, &err);
            ended += weir_kafka_partition_at_end(r.partitions[p]);
        }
        if (count == 0 && ended < partitions && weir_kafka_group_poll(g, 1, &err) < 0)
            give_up(err.text);
    }
    f->wall_us += weir_monotonic_us();
    f->cpu_us += cpu_us();
    weir_kafka_group_leave(g);
}

static void report(const char *name, const struct figures *f)
{
    printf("%-5s %9lld messages  %6.2f M/s  %6.3f µs CPU a message\n", name, (long long)f->messages, (double)f->messages / (double)f->wall_us,
           (double)f->cpu_us / (double)f->messages);
}

static void keep_best(struct figures *best, const struct figures *f)
{
    if (best->wall_us == 0 || f->wall_us < best->wall_us)
        *best = *f;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        give_up("usage: bench_kafka BROKERS TOPIC [ROUNDS]");
    char url[256];
    snprintf(url, sizeof url, "kafka://%s", argv[1]);
    struct weir_kafka *k;
    struct weir_error err;
    struct weir_arena arena = {0};
    struct weir_kafka_topic topic;
    if (weir_kafka_new(url, 0, NULL, &k, &err) < 0 || weir_kafka_topic_describe(k, argv[2], &arena, &topic, &err) < 0)
        give_up(err.text);
    if (topic.partitions > PARTITIONS_MAX)
        give_up("the topic has too many partitions");
    struct figures bare = {0}, ours = {0};
    long rounds = argc > 3 ? strtol(argv[3], NULL, 10) : 5;
    for (long i = 0; i < rounds; i++) {
        struct figures b = {0}, o = {0};
        read_bare(argv[1], argv[2], topic.partitions, &b);
        read_ours(k, argv[2], topic.partitions, &o);
        keep_best(&bare, &b);
        keep_best(&ours, &o);
    }
    report("bare", &bare);
    report("weir", &ours);
    printf("ratio %.3f\n", (double)bare.wall_us / (double)ours.wall_us);
    weir_arena_drop(&arena);
    weir_kafka_free(k);
}
