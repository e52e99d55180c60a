// SPDX-License-Identifier: Apache-2.0
// The Kafka client for tests in other languages, one verb a run:
//   topic BROKERS create NAME PARTITIONS RETENTION_MS COMPACTED | delete NAME | empty NAME | describe NAME | list | offsets NAME PARTITION
//   produce BROKERS TOPIC [name=value…]   lines of "timestamp_ms<TAB>key<TAB>value" from stdin; key "-" is none
//   scan BROKERS TOPIC PARTITION OFFSET   prints offset, timestamp, key, value, headers, then "next N"
//   read BROKERS TOPIC PARTITION OFFSET   the same in bulk to the end, then "lost N", "next N"
//   member BROKERS TOPIC GROUP ID OUT     copies every record to OUT in transactions with its offset; says what it is given and what is taken
#include "base/memory.h"
#include "base/number.h"
#include "base/time.h"
#include "kafka/kafka.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static int failed(const struct weir_error *err)
{
    printf("error %d %d %s\n", err->code, err->fate, err->text);
    return 1;
}

static void print_message(const struct weir_kafka_message *m)
{
    printf("%" PRId64 "\t%" PRId64 "\t%.*s\t%.*s", m->offset, m->timestamp_ms, m->null_key ? 1 : (int)m->key.bytes, m->null_key ? "-" : m->key.data,
           m->null_value ? 1 : (int)m->value.bytes, m->null_value ? "-" : m->value.data);
}

// ---- topic

static int print_topic(void *context, const struct weir_kafka_topic *t)
{
    (void)context;
    printf("%s %d %d %" PRId64 " %d\n", t->name, t->partitions, t->replication, t->retention_ms, t->compacted);
    return 0;
}

static int topic(struct weir_kafka *k, char **arg, struct weir_error *err)
{
    struct weir_arena arena = {0};
    struct weir_kafka_topic t = {.name = arg[1], .replication = 1};
    int64_t start, end;
    bool created;
    int rc = 0;
    if (strcmp(arg[0], "create") == 0) {
        t.partitions = (int32_t)strtol(arg[2], NULL, 10);
        t.retention_ms = strtoll(arg[3], NULL, 10);
        t.compacted = strcmp(arg[4], "1") == 0;
        if ((rc = weir_kafka_topic_create(k, &t, &created, err)) == 0)
            printf("%s\n", created ? "created" : "exists");
    } else if (strcmp(arg[0], "delete") == 0)
        rc = weir_kafka_topic_delete(k, arg[1], err);
    else if (strcmp(arg[0], "empty") == 0)
        rc = weir_kafka_topic_empty(k, arg[1], err);
    else if (strcmp(arg[0], "list") == 0)
        rc = weir_kafka_topic_list(k, print_topic, NULL, err);
    else if (strcmp(arg[0], "offsets") == 0) {
        if ((rc = weir_kafka_offsets(k, arg[1], (int32_t)strtol(arg[2], NULL, 10), &start, &end, err)) == 0)
            printf("%" PRId64 " %" PRId64 "\n", start, end);
    } else if ((rc = weir_kafka_topic_describe(k, arg[1], &arena, &t, err)) == 0)
        print_topic(NULL, &t);
    weir_arena_drop(&arena);
    return rc;
}

// ---- produce, scan, read

static int produce(struct weir_kafka *k, char **arg, struct weir_error *err)
{
    struct weir_kafka_producer *p;
    if (weir_kafka_producer_open(k, arg[0], &p, err) < 0)
        return -1;
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t bytes; (bytes = getline(&line, &capacity, stdin)) > 0;) {
        line[bytes - 1] = '\0';
        char *rest = line, *timestamp = strsep(&rest, "\t"), *key = strsep(&rest, "\t");
        weir_kafka_producer_add(p, strtoll(timestamp, NULL, 10), weir_str_of(key), strcmp(key, "-") == 0, weir_str_of(rest));
    }
    free(line);
    int rc = weir_kafka_producer_flush(p, err);
    weir_kafka_producer_close(p);
    return rc;
}

static int print_scanned(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t count,
                         struct weir_error *err)
{
    (void)context, (void)err;
    print_message(m);
    for (uint32_t i = 0; i < count; i++)
        printf("\t%s=%.*s", headers[i].name, (int)headers[i].value.bytes, headers[i].value.data ? headers[i].value.data : "");
    printf("\n");
    return 0;
}

static int64_t offset_of(const char *text)
{
    return strcmp(text, "start") == 0 ? INT64_MIN : strtoll(text, NULL, 10);
}

static int scan(struct weir_kafka *k, char **arg, struct weir_error *err)
{
    int64_t next = -1;
    int rc = weir_kafka_scan(k, arg[0], (int32_t)strtol(arg[1], NULL, 10), offset_of(arg[2]), print_scanned, NULL, &next, err);
    if (rc == 0)
        printf("next %" PRId64 "\n", next);
    return rc;
}

static int read_all(struct weir_kafka *k, char **arg, struct weir_error *err)
{
    enum { MAX = 1000 };
    struct weir_kafka_message messages[MAX];
    struct weir_kafka_partition *p;
    if (weir_kafka_partition_open(k, arg[0], (int32_t)strtol(arg[1], NULL, 10), offset_of(arg[2]), &p, err) < 0)
        return -1;
    int64_t lost = 0, lost_now, deadline_us = weir_monotonic_us() + 20000000;
    int rc = 0;
    while (rc >= 0 && !weir_kafka_partition_at_end(p) && weir_monotonic_us() < deadline_us) {
        rc = weir_kafka_partition_read(p, messages, MAX, &lost_now, err);
        for (int i = 0; i < rc; i++) {
            print_message(&messages[i]);
            printf("\n");
        }
        lost += rc >= 0 ? lost_now : 0;
    }
    if (rc >= 0)
        printf("lost %" PRId64 "\nnext %" PRId64 "\n", lost, weir_kafka_partition_end(p));
    weir_kafka_partition_close(p);
    return rc < 0 ? -1 : 0;
}

// ---- member: one thread does everything

enum { PARTITIONS_MAX = 64, BATCH_MAX = 200 };

struct task {
    struct weir_kafka_partition *partition;
    int64_t next;
};

struct copier {
    struct weir_kafka *kafka;
    struct weir_kafka_group *group;
    struct weir_kafka_txn *txn;
    struct weir_kafka_batch *batch;
    const char *id, *out;
    struct task tasks[PARTITIONS_MAX];
    bool rejoin; // what was read is not committed: read again
};

static int on_assigned(void *context, int32_t partition, int64_t *ret_offset, struct weir_error *err)
{
    (void)err;
    struct copier *c = context;
    c->tasks[partition].next = *ret_offset < 0 ? 0 : *ret_offset;
    printf("assigned %d from %" PRId64 "\n", partition, c->tasks[partition].next);
    return 0;
}

static void on_opened(void *context, int32_t partition, struct weir_kafka_partition *p)
{
    ((struct copier *)context)->tasks[partition].partition = p;
}

static void on_revoked(void *context, int32_t partition, bool lost)
{
    ((struct copier *)context)->tasks[partition].partition = NULL;
    printf("%s %d\n", lost ? "lost" : "revoked", partition);
}

static int commit(struct copier *c, int32_t partition, int64_t next, struct weir_error *err)
{
    enum weir_kafka_fate fate;
    if (weir_kafka_txn_begin(c->txn, err) < 0 || weir_kafka_txn_add(c->txn, c->batch, err) < 0 ||
        weir_kafka_txn_offset(c->txn, c->group, partition, next, "watermark 1", err) < 0)
        return -1;
    while (weir_kafka_txn_commit(c->txn, &fate, err) < 0)
        if (err->fate != WEIR_RETRY)
            return -1;
    static const char *const names[] = {"done", "aborted", "fenced"};
    printf("%s %d %" PRId64 "%s%s\n", names[fate], partition, next, fate ? " " : "", fate ? err->text : "");
    c->rejoin = fate != WEIR_KAFKA_DONE;
    return 0;
}

static int copy(struct copier *c, int32_t partition, struct weir_error *err)
{
    struct task *t = &c->tasks[partition];
    struct weir_kafka_message messages[BATCH_MAX];
    int64_t lost;
    int count = weir_kafka_partition_read(t->partition, messages, BATCH_MAX, &lost, err);
    if (count <= 0)
        return count;
    weir_kafka_batch_clear(c->batch);
    for (int i = 0; i < count; i++) {
        struct weir_kafka_header header = {"weir.member", weir_str_of(c->id)};
        weir_kafka_batch_add(c->batch, c->out, partition, messages[i].timestamp_ms, messages[i].key, messages[i].null_key, messages[i].value, &header,
                             1);
    }
    t->next = messages[count - 1].offset + 1;
    return commit(c, partition, t->next, err);
}

static int serve(struct copier *c, struct weir_error *err)
{
    while (!stopping && !c->rejoin) {
        if (weir_kafka_group_poll(c->group, 10, err) < 0)
            return -1;
        for (int32_t p = 0; p < PARTITIONS_MAX && !c->rejoin; p++)
            if (c->tasks[p].partition && copy(c, p, err) < 0)
                return -1;
        fflush(stdout);
    }
    return 0;
}

static int member(struct weir_kafka *k, char **arg, struct weir_error *err)
{
    struct copier c = {.kafka = k, .id = arg[2], .out = arg[3], .batch = weir_kafka_batch_new()};
    const struct weir_kafka_member calls = {&c, on_assigned, on_opened, on_revoked};
    int rc = weir_kafka_txn_open(k, arg[2], &c.txn, err);
    while (rc == 0 && !stopping) {
        c.rejoin = false;
        if ((rc = weir_kafka_group_join(k, arg[1], arg[0], NULL, &calls, &c.group, err)) < 0)
            break;
        rc = serve(&c, err);
        weir_kafka_group_leave(c.group);
    }
    weir_kafka_txn_close(c.txn);
    weir_kafka_batch_free(c.batch);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(struct weir_kafka *k, char **arg, struct weir_error *err);
        int arguments;
    } verbs[] = {{"topic", topic, 3}, {"produce", produce, 3}, {"scan", scan, 5}, {"read", read_all, 5}, {"member", member, 6}};
    struct weir_option options[16];
    uint32_t option_count = 0;
    for (int i = 3; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals && option_count < 16) {
            *equals = '\0';
            options[option_count++] = (struct weir_option){argv[i], equals + 1};
        }
    }
    signal(SIGTERM, on_signal);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (argc <= verbs[i].arguments || strcmp(argv[1], verbs[i].name) != 0)
            continue;
        char url[256];
        snprintf(url, sizeof url, "kafka://%s", argv[2]);
        struct weir_kafka *k;
        struct weir_error err;
        if (weir_kafka_new(url, option_count, options, &k, &err) < 0)
            return failed(&err);
        int rc = verbs[i].run(k, argv + 3, &err) < 0 ? failed(&err) : 0;
        weir_kafka_free(k);
        return rc;
    }
    return 2;
}
