// SPDX-License-Identifier: Apache-2.0
#include "cli/tail.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/letter.h"
#include "cli/printer.h"

enum { LAST_RECORDS = 10, FETCH_BYTES = 1 << 20, POLL_MS = 250 };

struct tail_partition {
    struct weir_reader *reader;
    int32_t number;
    int64_t next_offset;
    uint64_t left; // records still to print; UINT64_MAX: all that come
};

struct tail {
    struct session *session;
    struct weir_buffer value;
    struct tail_partition *partitions;
    uint32_t count;
};

static void print_value(struct tail *t, const struct weir_record *record)
{
    struct weir_error err;
    t->value.bytes = 0;
    if (record->null_value) {
        fputs("null", stdout);
    } else if (t->session->decoder && weir_record_print(t->session->decoder, record, &t->value, &err) == 0) {
        fwrite(t->value.data, 1, t->value.bytes, stdout);
    } else {
        t->value.bytes = 0;
        letter_bytes(record->value, &t->value);
        print_json_text(stdout, weir_buffer_view(&t->value));
    }
}

static void print_record(struct tail *t, int32_t partition, const struct weir_record *record)
{
    char time[32];
    weir_iso8601_format(record->timestamp_ms, time);
    printf("{\"partition\":%d,\"offset\":%lld,\"time\":\"%s\",\"key\":", partition, (long long)record->offset, time);
    if (record->null_key)
        fputs("null", stdout);
    else
        print_json_text(stdout, record->key);
    fputs(",\"value\":", stdout);
    print_value(t, record);
    fputs("}\n", stdout);
}

static void take_record(struct tail *t, struct tail_partition *p, const struct weir_record *record)
{
    if (record->offset < p->next_offset || p->left == 0)
        return;
    print_record(t, p->number, record);
    p->next_offset = record->offset + 1;
    p->left -= p->left != UINT64_MAX;
}

static int print_batch(struct tail *t, struct tail_partition *p, struct weir_str batch, struct weir_error *err)
{
    struct weir_batch_walk walk;
    struct weir_record record;
    weir_batch_walk_begin(&walk, batch);
    int more;
    while ((more = weir_batch_walk_next(&walk, &record)) > 0 && p->left > 0)
        take_record(t, p, &record);
    if (more < 0)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "partition %d holds a batch that makes no sense near offset %lld", p->number,
                         (long long)p->next_offset);
    return 0;
}

// Prints what there is; 1 if there was something.
static int print_fetch(struct tail *t, struct tail_partition *p, struct weir_error *err)
{
    struct weir_fetch fetch;
    int64_t lost;
    if (p->left == 0)
        return 0;
    if (weir_reader_fetch(p->reader, FETCH_BYTES, &fetch, &lost, err) < 0)
        return -1;
    for (uint32_t i = 0; i < fetch.count; i++) {
        if (print_batch(t, p, fetch.batches[i], err) < 0)
            return -1;
    }
    for (uint32_t i = 0; i < fetch.record_count; i++)
        take_record(t, p, &fetch.records[i]);
    return fetch.count + fetch.record_count > 0;
}

// Nothing more of what there is belongs on the screen.
static bool all_printed(const struct tail *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (t->partitions[i].left > 0 && !weir_reader_at_end(t->partitions[i].reader))
            return false;
    return true;
}

static int print_all(struct tail *t, bool follow, struct weir_error *err)
{
    uint64_t seen = 0;
    for (;;) {
        bool some = false, wanted = false;
        for (uint32_t i = 0; i < t->count; i++) {
            int got = print_fetch(t, &t->partitions[i], err);
            if (got < 0)
                return -1;
            some |= got > 0;
            wanted |= t->partitions[i].left > 0;
        }
        if (fflush(stdout) != 0 || !wanted)
            return 0;
        if (some)
            continue;
        if (!follow && all_printed(t))
            return 0;
        weir_log_wait(t->session->log, &seen, POLL_MS);
        if (weir_backends_refresh(t->session->backends, err) < 0)
            return -1;
    }
}

static int open_partition(struct tail *t, const struct tail_options *o, int32_t number, const struct weir_partition_info *info,
                          struct weir_error *err)
{
    uint64_t limit = o->limit ? o->limit : o->offset >= 0 ? UINT64_MAX : LAST_RECORDS;
    int64_t from = o->offset;
    if (from < 0) {
        uint64_t there = (uint64_t)(info->end_offset - info->start_offset);
        from = limit < there ? info->end_offset - (int64_t)limit : info->start_offset;
    }
    struct tail_partition p = {.number = number, .next_offset = from, .left = o->follow && o->offset < 0 ? UINT64_MAX : limit};
    if (weir_reader_open(t->session->log, o->topic, number, from, &p.reader, err) < 0)
        return -1;
    t->partitions[t->count++] = p;
    return 0;
}

static int open_partitions(struct tail *t, const struct tail_options *o, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_topic_config config;
    struct weir_partition_info *infos;
    if (weir_topic_describe(t->session->log, o->topic, &arena, &config, &infos, err) < 0)
        return -1;
    if (o->partition >= config.partitions)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "topic '%s' has partitions 0 to %d", o->topic, config.partitions - 1);
    t->partitions = weir_zalloc((size_t)config.partitions, sizeof(*t->partitions));
    for (int32_t i = 0; i < config.partitions; i++) {
        if ((o->partition < 0 || o->partition == i) && open_partition(t, o, i, &infos[i], err) < 0)
            return -1;
    }
    return 0;
}

int tail_topic(struct session *s, const struct tail_options *options, struct weir_error *err)
{
    struct tail t = {.session = s};
    int status = open_partitions(&t, options, err);
    if (status == 0)
        status = print_all(&t, options->follow, err);
    for (uint32_t i = 0; i < t.count; i++)
        weir_reader_close(t.partitions[i].reader);
    weir_freep(&t.partitions);
    weir_buffer_drop(&t.value);
    return status;
}
