// SPDX-License-Identifier: Apache-2.0
// What the engine is doing, as JSON: for the page, and as a file that other processes read. Processes that share a data folder have a file each.
#include "base/memory.h"
#include "base/time.h"
#include "engine/pipeline.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STATUS_BYTES_MAX = 4 << 20 };

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *partitions_json(const struct weir_pipeline_status *s)
{
    json_t *list = json_array();
    for (int32_t i = 0; i < s->plan->topic.partitions; i++) {
        const struct weir_partition_status *p = &s->partitions[i];
        json_t *one = json_pack("{s:i, s:b, s:I, s:I, s:I}", "partition", (int)i, "owned", p->owned, "next_offset", (json_int_t)p->next_offset,
                                "end_offset", (json_int_t)p->end_offset, "lag", (json_int_t)(p->end_offset - p->next_offset));
        json_object_set_new(one, "high_ms", p->high_ms == INT64_MIN ? json_null() : json_integer(p->high_ms));
        json_array_append_new(list, one);
    }
    return list;
}

// ---- the store

static json_t *known(int64_t value)
{
    return value < 0 ? json_null() : json_integer((json_int_t)value);
}

static json_t *known_us(double us)
{
    return us < 0 ? json_null() : json_real(us / 1000);
}

static json_t *node_json(const struct weir_store_node *n)
{
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:b, s:s?, s:i, s:f, s:i, s:i, s:I, s:I, s:I, s:I, s:f}", "address", n->address, "host_id",
                     n->host_id, "datacenter", n->datacenter, "rack", n->rack, "release", n->release, "up", !n->trouble, "trouble", n->trouble,
                     "tokens", (int)n->tokens, "ownership", n->ownership, "in_flight", (int)n->in_flight, "window", (int)n->window, "requests",
                     (json_int_t)n->requests, "errors", (json_int_t)n->errors, "timeouts", (json_int_t)n->timeouts, "overloaded",
                     (json_int_t)n->overloaded, "latency_ms", (double)n->latency_us / 1000);
}

static json_t *table_json(const struct weir_store_table *t)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "table", t->name, "sstables", known(t->sstables), "bytes", known(t->bytes),
                     "rows", known(t->rows), "reads", known(t->reads), "writes", known(t->writes), "read_latency_ms", known_us(t->read_latency_us),
                     "write_latency_ms", known_us(t->write_latency_us), "compactions_pending", known(t->compactions_pending));
}

static void take_store(void *context, const struct weir_store_stats *stats)
{
    json_t *nodes = json_array(), *tables = json_array(), *compactions = json_array();
    for (uint32_t i = 0; i < stats->node_count; i++)
        json_array_append_new(nodes, node_json(&stats->nodes[i]));
    for (uint32_t i = 0; i < stats->table_count; i++)
        json_array_append_new(tables, table_json(&stats->tables[i]));
    for (uint32_t i = 0; i < stats->compaction_count; i++) {
        const struct weir_store_compaction *c = &stats->compactions[i];
        json_array_append_new(compactions, json_pack("{s:s?, s:s?, s:s?, s:I, s:I}", "table", c->table, "kind", c->kind, "node", c->node,
                                                     "done_bytes", (json_int_t)c->done_bytes, "total_bytes", (json_int_t)c->total_bytes));
    }
    *(json_t **)context = json_pack("{s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:f}", "kind", stats->kind, "where", stats->where, "nodes",
                                    nodes, "tables", tables, "compactions", compactions, "rows_sent", (json_int_t)stats->rows_sent, "requests",
                                    (json_int_t)stats->requests, "retries", (json_int_t)stats->retries, "refused", (json_int_t)stats->refused,
                                    "batches", (json_int_t)stats->batches, "rows_per_batch", stats->rows_per_batch);
}

static json_t *store_json(struct weir_engine *e, uint32_t pipeline)
{
    json_t *store = NULL;
    weir_engine_store(e, pipeline, take_store, &store);
    return store ? store : json_null();
}

// ---- pipelines

static json_t *pipeline_json(const struct weir_pipeline_status *s)
{
    json_t *rows = json_object(), *late = json_object(), *queries = json_object(), *dead = json_object();
    for (uint32_t q = 0; q < s->plan->query_count; q++) {
        json_object_set_new(rows, s->plan->queries[q].table.name, integer(s->rows[q]));
        if (s->plan->queries[q].grouped)
            json_object_set_new(late, s->plan->queries[q].table.name, integer(s->queries[q].late));
        json_object_set_new(queries, s->plan->queries[q].table.name,
                            json_pack("{s:o, s:o, s:o}", "filtered", integer(s->queries[q].filtered), "late", integer(s->queries[q].late), "folded",
                                      integer(s->queries[q].folded)));
    }
    for (int r = 0; r < WEIR_REASONS; r++)
        json_object_set_new(dead, weir_reason_name((enum weir_reason)r), integer(s->dead[r]));
    json_t *state = json_pack("{s:o, s:o, s:o, s:o}", "open_windows", integer(s->open_windows), "open_groups", integer(s->open_groups), "keys",
                              integer(s->keys), "bytes", integer(s->state_bytes));
    json_t *feed = json_pack("{s:o, s:o, s:o, s:o, s:b}", "events", integer(s->feed_events), "rejects", integer(s->feed_rejects), "done_bytes",
                             integer(s->feed_done), "total_bytes", integer(s->feed_total), "ended", s->feed_ended);
    return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "pipeline", s->plan->pipeline, "file",
                     s->plan->file, "topic", s->plan->topic.name, "shared", s->shared, "records", integer(s->records), "events", integer(s->events),
                     "duplicates", integer(s->duplicates), "rows", rows, "late", late, "queries", queries, "dead", dead, "partitions",
                     partitions_json(s), "state", state, "feed", feed, "commits", integer(s->commits), "lost", integer(s->lost), "seconds",
                     s->seconds);
}

static char *status_path(const char *data_dir, unsigned slot, const char *suffix)
{
    return slot ? weir_format("%s/status.%u.json%s", data_dir, slot, suffix) : weir_format("%s/status.json%s", data_dir, suffix);
}

static int write_file(const char *path, const char *text, struct weir_error *err)
{
    FILE *file = fopen(path, "w");
    bool good = file && fputs(text, file) >= 0;
    if (file)
        good = fclose(file) == 0 && good;
    return good ? 0 : weir_fail(err, WEIR_IO, WEIR_RETRY, "%s: %s", path, strerror(errno));
}

static json_t *lines_json(struct weir_str text)
{
    json_t *list = json_array();
    while (text.bytes) {
        const char *end = memchr(text.data, '\n', text.bytes);
        uint32_t bytes = end ? (uint32_t)(end - text.data) : text.bytes;
        json_t *line = json_stringn(text.data, bytes);
        json_array_append_new(list, line ? line : json_string("(no UTF-8)"));
        bytes += end != NULL;
        text = (struct weir_str){text.data + bytes, text.bytes - bytes};
    }
    return list;
}

char *weir_engine_status_json(struct weir_engine *e)
{
    json_t *pipelines = json_array();
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    for (uint32_t p = 0; p < e->pipeline_count; p++) {
        struct weir_pipeline_status s;
        weir_engine_status(e, p, &arena, &s);
        json_t *one = pipeline_json(&s);
        json_object_set_new(one, "store", store_json(e, p));
        json_array_append_new(pipelines, one);
    }
    weir_cleanup(weir_buffer_drop) struct weir_buffer reasons = {0};
    bool ready = weir_engine_ready(e, &reasons);
    json_t *all = json_pack("{s:b, s:o, s:I, s:I, s:I, s:s?, s:o}", "ready", ready, "reasons", lines_json(weir_buffer_view(&reasons)), "pid",
                            (json_int_t)getpid(), "started_ms", (json_int_t)e->started_ms, "updated_ms", (json_int_t)weir_now_ms(), "http", e->url,
                            "pipelines", pipelines);
    char *text = json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    weir_assert(text);
    return text;
}

int status_write(struct weir_engine *e, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *text = weir_engine_status_json(e);
    weir_cleanup(weir_freep) char *path = status_path(e->data_dir, e->slot, "");
    weir_cleanup(weir_freep) char *fresh = status_path(e->data_dir, e->slot, ".new");
    if (write_file(fresh, text, err) < 0)
        return -1;
    return rename(fresh, path) == 0 ? 0 : weir_fail(err, WEIR_IO, WEIR_RETRY, "%s: %s", path, strerror(errno));
}

void status_remove(struct weir_engine *e)
{
    weir_cleanup(weir_freep) char *path = status_path(e->data_dir, e->slot, "");
    unlink(path);
}

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    char *text = weir_alloc(STATUS_BYTES_MAX + 1);
    size_t bytes = fread(text, 1, STATUS_BYTES_MAX, file);
    fclose(file);
    text[bytes] = 0;
    return weir_realloc(text, bytes + 1);
}

static bool is_alive(const char *text)
{
    json_t *status = json_loads(text, 0, NULL);
    pid_t pid = (pid_t)json_integer_value(json_object_get(status, "pid"));
    json_decref(status);
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

int weir_status_read(const char *data_dir, unsigned *slot, char **ret_json, struct weir_error *err)
{
    for (unsigned at = *slot; at < ENGINE_SLOTS; at++) {
        weir_cleanup(weir_freep) char *path = status_path(data_dir, at, "");
        char *text = read_whole(path);
        if (text && is_alive(text)) {
            *ret_json = text;
            *slot = at + 1;
            return 0;
        }
        free(text);
    }
    return weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP, "nothing runs in %s: start a pipeline with `weir run FILE`, or name its folder with --data",
                     data_dir);
}
