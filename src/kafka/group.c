// SPDX-License-Identifier: Apache-2.0
// Membership of a consumer group, with the eager protocol: at every change all partitions are given back (and committed), then shared anew.
//
// A generation's proof (member and generation id) is taken when its partitions come and goes with each commit, the one that begins a partition's state
// included, so that a commit for a partition that somebody else has by now is refused by the broker. Before a partition is opened, its committed
// offset is asked for in a way that waits until no transaction of an earlier owner is open on it: what that owner's state says is final then.
#include "kafka/group.h"

#include "base/memory.h"
#include "base/time.h"
#include <stdlib.h>

enum { SETTLE_MS = 60000, ASK_MS = 5000, RETRY_MS = 100 };

struct weir_kafka_group {
    struct weir_kafka *kafka;
    struct kafka_client *client;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    char *name, *topic;
    int32_t topic_partitions;
    struct weir_kafka_member member;
    void (*wake)(void *context);
    void *wake_context;
    pthread_mutex_t lock; // of what follows, and of the change of rk and queue
    struct weir_kafka_partition **partitions;
    size_t count;
    rd_kafka_consumer_group_metadata_t *proof; // NULL: nothing is ours
    atomic_bool settled;                       // partitions came once, be it none
    bool failed;
    struct weir_error failure;
};

static void fail(struct weir_kafka_group *g, const struct weir_error *err)
{
    if (!g->failed)
        g->failure = *err;
    g->failed = true;
}

// ---- partitions that come

static void on_filled(rd_kafka_t *rk, void *opaque)
{
    (void)rk;
    struct weir_kafka_group *g = opaque;
    g->wake(g->wake_context);
}

static void watch(struct weir_kafka_group *g, struct weir_kafka_partition *p)
{
    if (g->wake)
        rd_kafka_queue_cb_event_enable(p->queue, on_filled, g);
}

// Asks what is committed, until no transaction is open on it. The list's offsets are set.
static int settle(struct weir_kafka_group *g, rd_kafka_topic_partition_list_t *list, struct weir_error *err)
{
    int64_t begun_us = weir_monotonic_us();
    for (;;) {
        rd_kafka_resp_err_t code = rd_kafka_committed(g->rk, list, ASK_MS);
        for (int i = 0; !code && i < list->cnt; i++)
            code = list->elems[i].err;
        if (!code)
            return 0;
        if (!kafka_passes(code) || weir_monotonic_us() - begun_us > kafka_patience_us(g->kafka, SETTLE_MS))
            return kafka_fail(g->kafka, err, code, NULL, "ask Kafka at %s what group '%s' has committed for topic '%s'", g->kafka->brokers, g->name,
                              g->topic);
        struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
}

// As a number if it can be had: for "the start" the library would wait half a second to ask.
static int64_t start_of(struct weir_kafka_group *g, int32_t partition)
{
    struct weir_error ignored;
    int64_t start, end;
    return weir_kafka_offsets(g->kafka, g->topic, partition, &start, &end, &ignored) == 0 ? start : RD_KAFKA_OFFSET_BEGINNING;
}

// From here on they are ours to commit. Their queues are taken out of the client's own one before fetching begins.
static void hold(struct weir_kafka_group *g, const rd_kafka_topic_partition_list_t *list)
{
    pthread_mutex_lock(&g->lock);
    g->proof = rd_kafka_consumer_group_metadata(g->rk);
    g->partitions = weir_alloc((size_t)(list->cnt + 1) * sizeof *g->partitions);
    for (int i = 0; i < list->cnt; i++) {
        struct weir_kafka_partition *p = kafka_partition_new(g->kafka, g->rk, g->topic, list->elems[i].partition);
        p->committed = list->elems[i].offset >= 0 ? list->elems[i].offset : -1;
        watch(g, p);
        g->partitions[g->count++] = p;
    }
    pthread_mutex_unlock(&g->lock);
}

static void let_go(struct weir_kafka_group *g)
{
    pthread_mutex_lock(&g->lock);
    struct weir_kafka_partition **partitions = g->partitions;
    size_t count = g->count;
    g->partitions = NULL;
    g->count = 0;
    if (g->proof)
        rd_kafka_consumer_group_metadata_destroy(g->proof);
    g->proof = NULL;
    pthread_mutex_unlock(&g->lock);
    for (size_t i = 0; i < count; i++)
        weir_kafka_partition_close(partitions[i]);
    free(partitions);
}

// Lets the member say where to read each from; what it was told of before a failure it is told to let go of.
static int ask_member(struct weir_kafka_group *g, rd_kafka_topic_partition_list_t *list, struct weir_error *err)
{
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *at = &list->elems[i];
        int64_t offset = at->offset >= 0 ? at->offset : INT64_MIN;
        if (g->member.assigned(g->member.context, at->partition, &offset, err) < 0) {
            while (i-- > 0)
                g->member.revoked(g->member.context, list->elems[i].partition, true);
            return -1;
        }
        at->offset = offset >= 0 ? offset : start_of(g, at->partition);
        g->partitions[i]->position = at->offset >= 0 ? at->offset : -1;
    }
    return 0;
}

static int take_partitions(struct weir_kafka_group *g, rd_kafka_topic_partition_list_t *list, struct weir_error *err)
{
    weir_assert(g->count == 0);
    if (settle(g, list, err) < 0)
        return -1;
    hold(g, list);
    int rc = ask_member(g, list, err);
    if (rc < 0)
        let_go(g);
    return rc;
}

static void on_assigned(struct weir_kafka_group *g, const rd_kafka_topic_partition_list_t *given)
{
    struct weir_error err;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_copy(given);
    if (g->failed || take_partitions(g, list, &err) < 0) {
        if (!g->failed)
            fail(g, &err);
        rd_kafka_assign(g->rk, NULL);
    } else {
        rd_kafka_assign(g->rk, list);
        g->settled = true;
        for (size_t i = 0; i < g->count; i++)
            g->member.opened(g->member.context, g->partitions[i]->partition, g->partitions[i]);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

// ---- and go

static void on_revoked(struct weir_kafka_group *g)
{
    bool lost = rd_kafka_assignment_lost(g->rk);
    for (size_t i = 0; i < g->count; i++)
        g->member.revoked(g->member.context, g->partitions[i]->partition, lost);
    let_go(g);
    rd_kafka_assign(g->rk, NULL);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *opaque)
{
    (void)rk;
    struct weir_kafka_group *g = ((struct kafka_client *)opaque)->owner;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        on_assigned(g, list);
    else
        on_revoked(g);
}

// ---- joining and leaving

static void configure(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
}

static void drop_client(struct weir_kafka_group *g)
{
    pthread_mutex_lock(&g->lock);
    rd_kafka_queue_t *queue = g->queue;
    struct kafka_client *client = g->client;
    g->queue = NULL;
    g->rk = NULL;
    g->client = NULL;
    pthread_mutex_unlock(&g->lock);
    if (queue)
        rd_kafka_queue_destroy(queue);
    kafka_client_close(client);
}

static void group_free(struct weir_kafka_group *g)
{
    drop_client(g);
    pthread_mutex_destroy(&g->lock);
    free(g->name);
    free(g->topic);
    free(g);
}

static rd_kafka_resp_err_t subscribe(struct weir_kafka_group *g)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, g->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(g->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code;
}

static int join(struct weir_kafka_group *g, const char *instance, struct weir_error *err)
{
    struct kafka_read_ahead ahead = kafka_read_ahead_of(g->topic_partitions);
    struct kafka_client_plan plan = {.role = KAFKA_MEMBER,
                                     .settings = {{"group.id", g->name},
                                                  {"group.instance.id", instance},
                                                  {"queued.min.messages", ahead.messages},
                                                  {"queued.max.messages.kbytes", ahead.kilobytes}},
                                     .configure = configure,
                                     .owner = g};
    if (kafka_client_open(g->kafka, &plan, &g->client, err) < 0)
        return -1;
    pthread_mutex_lock(&g->lock);
    g->rk = g->client->rk;
    rd_kafka_poll_set_consumer(g->rk);
    g->queue = rd_kafka_queue_get_consumer(g->rk);
    pthread_mutex_unlock(&g->lock);
    rd_kafka_resp_err_t code = subscribe(g);
    return code ? kafka_fail(g->kafka, err, code, NULL, "join group '%s' for topic '%s' in Kafka at %s", g->name, g->topic, g->kafka->brokers) : 0;
}

int weir_kafka_group_join(struct weir_kafka *k, const char *group, const char *topic, const char *instance, const struct weir_kafka_member *member,
                          struct weir_kafka_group **ret, struct weir_error *err)
{
    int32_t partitions;
    if (kafka_topic_known(k, topic, &partitions, err) < 0)
        return -1;
    struct weir_kafka_group *g = weir_zalloc(1, sizeof *g);
    g->kafka = k;
    g->topic_partitions = partitions;
    g->name = weir_strdup(group);
    g->topic = weir_strdup(topic);
    g->member = *member;
    pthread_mutex_init(&g->lock, NULL);
    if (join(g, instance, err) < 0) {
        group_free(g);
        return -1;
    }
    *ret = g;
    return 0;
}

static void close_consumer(struct weir_kafka_group *g)
{
    if (!g->rk)
        return;
    rd_kafka_consumer_close(g->rk); // takes the partitions back through on_revoked
    if (g->count > 0)
        on_revoked(g);
}

void weir_kafka_group_leave(struct weir_kafka_group *g)
{
    if (!g)
        return;
    close_consumer(g);
    group_free(g);
}

// A coordinator that dies while it lets us in may leave a member of our instance's name behind, under an id that was never told to us: the library gives
// up for good then. Under no name we are let in beside it, and it is gone when its session has ended.
static int join_without_name(struct weir_kafka_group *g, struct weir_error *err)
{
    close_consumer(g);
    drop_client(g);
    return join(g, NULL, err);
}

// ---- serving

// An error of the client as a whole. What passes is waited out; the library goes on by itself.
static int note_error(struct weir_kafka_group *g, const rd_kafka_message_t *m, bool *ret_fenced, struct weir_error *err)
{
    rd_kafka_resp_err_t code = m->err;
    const char *said = rd_kafka_message_errstr(m);
    char fatal[300];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        code = rd_kafka_fatal_error(g->rk, fatal, sizeof fatal);
        said = fatal;
    }
    if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
        *ret_fenced = true;
        return 0;
    }
    bool quiet = kafka_passes(code) || code == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                 code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
    if (quiet)
        return 0;
    return kafka_fail(g->kafka, err, code, said, "share topic '%s' in group '%s' of Kafka at %s", g->topic, g->name, g->kafka->brokers);
}

int weir_kafka_group_poll(struct weir_kafka_group *g, int64_t timeout_ms, struct weir_error *err)
{
    int rc = 0;
    bool fenced = false;
    rd_kafka_message_t *m = g->failed ? NULL : rd_kafka_consumer_poll(g->rk, (int)timeout_ms);
    if (m) {
        rc = m->err ? note_error(g, m, &fenced, err) : 0;
        rd_kafka_message_destroy(m);
    }
    if (fenced)
        rc = join_without_name(g, err);
    if (rc < 0)
        fail(g, err);
    if (g->failed)
        *err = g->failure;
    return g->failed ? -1 : 0;
}

bool weir_kafka_group_settled(const struct weir_kafka_group *g)
{
    return g->settled;
}

void weir_kafka_group_wake(struct weir_kafka_group *g)
{
    pthread_mutex_lock(&g->lock);
    if (g->queue)
        rd_kafka_queue_yield(g->queue);
    pthread_mutex_unlock(&g->lock);
}

void weir_kafka_group_on_records(struct weir_kafka_group *g, void (*wake)(void *context), void *context)
{
    pthread_mutex_lock(&g->lock);
    g->wake = wake;
    g->wake_context = context;
    for (size_t i = 0; i < g->count; i++)
        watch(g, g->partitions[i]);
    pthread_mutex_unlock(&g->lock);
}

// ---- for transactions

static struct weir_kafka_partition *find(struct weir_kafka_group *g, int32_t partition)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->partitions[i]->partition == partition)
            return g->partitions[i];
    return NULL;
}

// The library copies such a proof only through its written form.
static rd_kafka_consumer_group_metadata_t *copy_proof(const rd_kafka_consumer_group_metadata_t *proof)
{
    void *bytes;
    size_t size;
    rd_kafka_consumer_group_metadata_t *copy = NULL;
    rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(proof, &bytes, &size);
    if (!error) {
        error = rd_kafka_consumer_group_metadata_read(&copy, bytes, size);
        rd_kafka_mem_free(NULL, bytes);
    }
    weir_assert(!error);
    return copy;
}

int kafka_group_claim(struct weir_kafka_group *g, int32_t partition, int64_t next_offset, const char *metadata,
                      rd_kafka_topic_partition_list_t *offsets, rd_kafka_consumer_group_metadata_t **ret)
{
    pthread_mutex_lock(&g->lock);
    bool ours = g->proof && find(g, partition);
    if (ours && !*ret)
        *ret = copy_proof(g->proof);
    pthread_mutex_unlock(&g->lock);
    if (!ours)
        return -1;
    rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_add(offsets, g->topic, partition);
    at->offset = next_offset;
    at->metadata_size = metadata ? strlen(metadata) : 0;
    if (metadata) {
        at->metadata = rd_kafka_mem_malloc(NULL, at->metadata_size + 1); // freed with the list
        memcpy(at->metadata, metadata, at->metadata_size + 1);
    }
    return 0;
}

int kafka_group_committed(struct weir_kafka_group *g, const char *topic, int32_t partition, int64_t *ret, struct weir_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    int rc = settle(g, list, err);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    if (rc == 0)
        *ret = offset >= 0 ? offset : -1;
    return rc;
}

void kafka_group_note_committed(struct weir_kafka_group *g, int32_t partition, int64_t offset)
{
    pthread_mutex_lock(&g->lock);
    struct weir_kafka_partition *p = find(g, partition);
    if (p)
        p->committed = offset;
    pthread_mutex_unlock(&g->lock);
}

int64_t kafka_group_last_committed(struct weir_kafka_group *g, int32_t partition)
{
    pthread_mutex_lock(&g->lock);
    struct weir_kafka_partition *p = find(g, partition);
    int64_t committed = p ? p->committed : -1;
    pthread_mutex_unlock(&g->lock);
    return committed;
}
