// SPDX-License-Identifier: Apache-2.0
#include "store/cassandra/writer.h"

#include "base/memory.h"
#include "base/time.h"
#include <stdlib.h>

// Larger rows would not fit a server's commit log; of keys 65,535 bytes are the most, and those that lanes know may be twice as long.
enum { ROW_BYTES_MAX = 8 << 20, KEY_BYTES_MAX = 32000, SPARES_MAX = 1024, SPARE_BYTES_MAX = 4096, LANES_KEPT = 64 << 10, LEFT_MIN = 16 };

static struct cassandra_writer *mine(struct weir_writer *w)
{
    return (struct cassandra_writer *)w;
}

// ---- chunks

void chunk_count_bytes(struct cassandra_writer *w, int64_t bytes)
{
    atomic_fetch_add(&w->bytes, (size_t)bytes);
    size_t before = atomic_fetch_add(&w->store->bytes, (size_t)bytes);
    if (bytes < 0 && before >= w->store->options.memory_max && before + (size_t)bytes < w->store->options.memory_max)
        w->progress = true;
}

static uint32_t *left_of(struct cassandra_writer *w, uint64_t epoch)
{
    return &w->left[epoch & (w->left_capacity - 1)];
}

struct chunk *chunk_new(struct cassandra_writer *w, struct table_writer *t, uint64_t epoch)
{
    struct chunk *chunk = w->spare;
    if (chunk) {
        w->spare = chunk->next;
        w->spare_count--;
    } else {
        chunk = weir_zalloc(1, sizeof *chunk);
    }
    *chunk = (struct chunk){.writer = w, .table = t, .values = chunk->values, .lane = CHUNK_NO_LANE, .epoch = epoch};
    chunk->values.bytes = 0;
    ++*left_of(w, epoch);
    chunk_count_bytes(w, sizeof *chunk);
    return chunk;
}

static void chunk_free(struct chunk *chunk)
{
    weir_buffer_drop(&chunk->values);
    free(chunk->error);
    free(chunk);
}

void chunk_retire(struct cassandra_writer *w, struct chunk *chunk)
{
    chunk_count_bytes(w, -(int64_t)(sizeof *chunk + chunk->values.bytes));
    if (--*left_of(w, chunk->epoch) == 0 && chunk->epoch < w->epoch)
        w->progress = true;
    while (w->oldest < w->epoch && *left_of(w, w->oldest) == 0)
        w->oldest++;
    free(chunk->error);
    chunk->error = NULL;
    if (w->spare_count >= SPARES_MAX || chunk->values.capacity > SPARE_BYTES_MAX) {
        chunk_free(chunk);
        return;
    }
    chunk->next = w->spare;
    w->spare = chunk;
    w->spare_count++;
}

// ---- tables

static int prepare(struct cassandra_writer *w, struct table_writer *t, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer insert = {0}, delete = {0};
    cassandra_put_insert(&insert, w->keyspace, &t->shape);
    cassandra_put_delete(&delete, w->keyspace, &t->shape);
    weir_buffer_byte(&insert, 0);
    weir_buffer_byte(&delete, 0);
    if (cql_prepare(w->store->session, (const char *)insert.data, &t->insert, err) < 0)
        return weir_wrap(err, "table %s.%s", w->keyspace, t->shape.table->name);
    if (t->shape.table->upserts && cql_prepare(w->store->session, (const char *)delete.data, &t->delete, err) < 0)
        return weir_wrap(err, "table %s.%s", w->keyspace, t->shape.table->name);
    return 0;
}

static void free_all(struct chunk *first)
{
    for (struct chunk *chunk = first, *next; chunk; chunk = next) {
        next = chunk->next;
        chunk_free(chunk);
    }
}

static void table_writer_free(struct table_writer *t)
{
    free_all(t->ready.first);
    free_all(t->gathering.first);
    cassandra_shape_drop(&t->shape);
    store_lanes_drop(&t->lanes);
    free(t->lane);
    free(t);
}

static int table_writer_of(struct cassandra_writer *w, const struct weir_rows *rows, struct table_writer **ret, struct weir_error *err)
{
    for (size_t i = 0; i < w->table_count; i++)
        if (w->tables[i]->shape.table == rows->table) {
            *ret = w->tables[i];
            return 0;
        }
    struct table_writer *t = weir_zalloc(1, sizeof *t);
    store_lanes_init(&t->lanes);
    t->table_index = rows->table_index;
    if (cassandra_shape_make(rows->table, &t->shape, err) < 0 || prepare(w, t, err) < 0) {
        table_writer_free(t);
        return -1;
    }
    pthread_mutex_lock(&w->lock);
    weir_grow(&w->tables, &w->table_capacity, w->table_count + 1, sizeof *w->tables);
    w->tables[w->table_count++] = t;
    pthread_mutex_unlock(&w->lock);
    *ret = t;
    return 0;
}

// ---- rows

// The rows with the bucket column, where the table has one.
static int with_bucket(const struct table_writer *t, const struct weir_rows *rows, struct weir_arena *arena, struct weir_rows *ret,
                       struct weir_error *err)
{
    const struct weir_table *table = rows->table;
    struct weir_column *columns = weir_arena_alloc(arena, (table->column_count + 1) * sizeof *columns);
    struct weir_value *values = weir_arena_alloc(arena, table->column_count * sizeof *values);
    int64_t *bucket = weir_arena_alloc(arena, rows->count * sizeof *bucket);
    for (uint32_t row = 0; row < rows->count; row++) {
        int64_t time_ms = rows->window_start_ms ? rows->window_start_ms[row] : 0;
        for (uint32_t c = 0; c < table->column_count && !rows->window_start_ms; c++)
            values[c] = weir_column_get(&rows->columns[c], row);
        if (!rows->window_start_ms && cassandra_row_time(table, values, &time_ms) < 0)
            return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "table %s: a row has no time for its %s_bucket", table->name, table->partition_by);
        bucket[row] = cassandra_bucket_ms(t->shape.unit, time_ms);
    }
    memcpy(columns, rows->columns, table->column_count * sizeof *columns);
    columns[table->column_count] = (struct weir_column){.kind = WEIR_I64, .i64 = bucket};
    *ret = *rows;
    ret->table = &t->shape.physical;
    ret->columns = columns;
    return 0;
}

static int bind_column(const struct weir_rows *rows, uint32_t column, uint32_t row, struct weir_buffer *out, struct weir_error *err)
{
    struct weir_value value = weir_column_get(&rows->columns[column], row);
    if (value.kind == WEIR_STRS && !value.null && value.str.bytes > ROW_BYTES_MAX)
        value.str.bytes = ROW_BYTES_MAX + 1; // the row will be refused for it
    if (cassandra_bind(out, rows->table->columns[column].type, &value) == 0)
        return 0;
    return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "table %s: a value of column %s is no uuid", rows->table->name,
                     rows->table->columns[column].name);
}

static int bind_row(const struct weir_rows *rows, uint32_t row, struct weir_buffer *out, struct weir_error *err)
{
    for (uint32_t c = 0; c < rows->table->column_count; c++)
        if (bind_column(rows, c, row, out, err) < 0)
            return -1;
    cql_bind_bigint(out, rows->revision[row]);
    return 0;
}

// Of equal timestamps a deletion wins in Cassandra; but a row that is given again in the same breath comes after it. What is deleted has an older
// revision, so that one less is enough.
static int bind_delete(const struct weir_rows *rows, uint32_t row, struct weir_buffer *out, struct weir_error *err)
{
    const struct weir_table *table = rows->table;
    cql_bind_bigint(out, rows->revision[row] - 1);
    for (uint32_t i = 0; i < weir_table_key_count(table); i++)
        if (bind_column(rows, weir_table_key(table, i), row, out, err) < 0)
            return -1;
    return 0;
}

static bool keys_fit(const struct weir_rows *rows, uint32_t row)
{
    const struct weir_table *table = rows->table;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < weir_table_key_count(table); i++) {
        uint32_t c = weir_table_key(table, i);
        bytes += rows->columns[c].kind == WEIR_STRS ? rows->columns[c].str[row].bytes : 0;
    }
    return bytes <= KEY_BYTES_MAX;
}

static int token_of(const struct weir_rows *rows, uint32_t row, struct weir_buffer *scratch, int64_t *ret, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer bound = {0};
    const struct weir_table *table = rows->table;
    for (uint32_t i = 0; i < table->partition_count; i++)
        if (bind_column(rows, table->partition[i], row, &bound, err) < 0)
            return -1;
    *ret = cassandra_token(weir_buffer_view(&bound), table->partition_count, scratch);
    return 0;
}

// A table of very many keys: those seen are forgotten, and with them what chunks could still take.
static void forget_lanes(struct table_writer *t)
{
    struct chunk *queues[] = {t->ready.first, t->gathering.first};
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        for (struct chunk *chunk = queues[i]; chunk; chunk = chunk->next)
            chunk->lane = CHUNK_NO_LANE;
    store_lanes_drop(&t->lanes);
    store_lanes_init(&t->lanes);
    t->lane_count = 0;
}

static int lane_of(struct cassandra_writer *w, struct table_writer *t, const struct weir_rows *rows, uint32_t row, uint32_t *ret,
                   struct weir_error *err)
{
    uint32_t lane;
    if (t->lane_count >= LANES_KEPT)
        forget_lanes(t);
    if (store_lane_of(&t->lanes, rows, row, &lane, err) < 0)
        return -1;
    if (lane >= t->lane_count) {
        int64_t token;
        if (token_of(rows, row, &w->key, &token, err) < 0)
            return -1;
        weir_grow(&t->lane, &t->lane_capacity, lane + 1u, sizeof *t->lane);
        t->lane[lane] = (struct lane){.token = token};
        t->lane_count = lane + 1;
    }
    *ret = lane;
    return 0;
}

static void append(struct chunk_queue *q, struct chunk *chunk)
{
    if (q->last)
        q->last->next = chunk;
    else
        q->first = chunk;
    q->last = chunk;
}

static struct chunk *open_chunk(struct cassandra_writer *w, struct table_writer *t, uint32_t lane, bool deleted)
{
    struct lane *l = &t->lane[lane];
    if (l->open[deleted])
        return l->open[deleted];
    struct chunk *chunk = l->open[deleted] = chunk_new(w, t, w->epoch);
    chunk->lane = lane;
    chunk->token = l->token;
    chunk->deleted = deleted;
    int64_t linger_us = w->store->options.linger_ms * 1000, now_us = linger_us ? weir_monotonic_us() : 0;
    bool busy = linger_us > 0 && l->sent_us && now_us - l->sent_us < linger_us;
    chunk->due_us = busy ? (now_us / linger_us + 1) * linger_us : 0; // a moment that all partitions share
    append(busy ? &t->gathering : &t->ready, chunk);
    return chunk;
}

static void close_if_full(const struct cassandra_store *s, struct chunk *chunk)
{
    if (chunk->rows < s->options.batch_rows_max && chunk->values.bytes < s->options.batch_bytes_max)
        return;
    chunk->table->lane[chunk->lane].open[chunk->deleted] = NULL;
    chunk->lane = CHUNK_NO_LANE;
}

// A row that no server would take, in a chunk of its own.
static void refuse(struct cassandra_writer *w, struct table_writer *t, struct weir_str bound, bool deleted, const char *text)
{
    struct chunk row = {
        .writer = w, .table = t, .values = {(uint8_t *)(uintptr_t)bound.data, bound.bytes, bound.bytes}, .rows = 1, .deleted = deleted};
    writer_refuse(w, &row, deleted, text);
}

static int add_row(struct cassandra_writer *w, struct table_writer *t, const struct weir_rows *rows, uint32_t row, struct weir_error *err)
{
    uint32_t lane = 0;
    bool fits = keys_fit(rows, row);
    struct chunk *chunk = NULL;
    if (fits && lane_of(w, t, rows, row, &lane, err) < 0)
        return -1;
    if (fits)
        chunk = open_chunk(w, t, lane, rows->deleted);
    struct weir_buffer *out = fits ? &chunk->values : &w->delete_row;
    out->bytes = fits ? out->bytes : 0;
    size_t at = out->bytes;
    if ((rows->deleted ? bind_delete(rows, row, out, err) : bind_row(rows, row, out, err)) < 0) {
        out->bytes = at;
        return -1;
    }
    if (!fits || out->bytes - at > ROW_BYTES_MAX) {
        struct weir_str bound = {(const char *)out->data + at, (uint32_t)(out->bytes - at)};
        refuse(w, t, bound, rows->deleted, fits ? "the row is longer than 8 MiB" : "its key is longer than 32,000 bytes");
        out->bytes = at;
        return 0;
    }
    chunk->rows++;
    chunk_count_bytes(w, (int64_t)(out->bytes - at));
    close_if_full(w->store, chunk);
    return 0;
}

static int add_rows(struct cassandra_writer *w, struct table_writer *t, const struct weir_rows *rows, struct weir_error *err)
{
    for (uint32_t row = 0; row < rows->count; row++)
        if (add_row(w, t, rows, row, err) < 0)
            return -1;
    return 0;
}

// ---- what store.c calls

// Lets go of the lock, having looked after everything that came while it was held.
static void done(struct cassandra_writer *w)
{
    writer_settle(w);
    writer_send(w);
    bool progress = w->progress;
    w->progress = false;
    pthread_mutex_unlock(&w->lock);
    if (atomic_load(&w->answered))
        writer_tend(w, WRITER_NOW_OR_HOLDER);
    if (progress)
        cassandra_progress(w->store);
}

static int writer_add(struct weir_writer *writer, const struct weir_rows *rows, struct weir_error *err)
{
    struct cassandra_writer *w = mine(writer);
    struct table_writer *t;
    struct weir_rows bucketed;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    weir_assert(!rows->deleted || rows->table->upserts);
    if (table_writer_of(w, rows, &t, err) < 0)
        return -1;
    if (t->shape.unit != CASSANDRA_NO_BUCKET) {
        if (with_bucket(t, rows, &arena, &bucketed, err) < 0)
            return -1;
        rows = &bucketed;
    }
    pthread_mutex_lock(&w->lock);
    int rc = add_rows(w, t, rows, err);
    done(w);
    return rc;
}

static size_t writer_bytes(const struct weir_writer *w)
{
    return atomic_load(&((const struct cassandra_writer *)w)->bytes);
}

static bool writer_full(struct weir_writer *writer)
{
    struct cassandra_writer *w = mine(writer);
    return atomic_load(&w->store->bytes) >= w->store->options.memory_max;
}

static void make_room_for_epoch(struct cassandra_writer *w)
{
    if (w->epoch - w->oldest + 2 < w->left_capacity)
        return;
    uint32_t *old = w->left;
    size_t old_capacity = w->left_capacity;
    w->left_capacity *= 2;
    w->left = weir_zalloc(w->left_capacity, sizeof *w->left);
    for (uint64_t epoch = w->oldest; epoch <= w->epoch; epoch++)
        *left_of(w, epoch) = old[epoch & (old_capacity - 1)];
    free(old);
}

static int writer_flush(struct weir_writer *writer, const struct weir_commit *commit, uint64_t *ret_ticket, struct weir_error *err)
{
    struct cassandra_writer *w = mine(writer);
    (void)commit, (void)err;
    pthread_mutex_lock(&w->lock);
    *ret_ticket = w->epoch - 1;
    if (*left_of(w, w->epoch) > 0) {
        make_room_for_epoch(w);
        *ret_ticket = w->epoch++;
        *left_of(w, w->epoch) = 0;
        while (w->oldest < w->epoch && *left_of(w, w->oldest) == 0)
            w->oldest++;
    }
    done(w);
    return 0;
}

static bool writer_acked(struct weir_writer *writer, uint64_t ticket)
{
    struct cassandra_writer *w = mine(writer);
    pthread_mutex_lock(&w->lock);
    writer_settle(w);
    bool acked = ticket < w->oldest;
    done(w);
    return acked;
}

static void drop_given(struct cassandra_writer *w)
{
    if (!w->given)
        return;
    weir_buffer_drop(&w->given->json);
    free(w->given);
    w->given = NULL;
}

static bool writer_refused(struct weir_writer *writer, struct weir_refused_row *ret)
{
    struct cassandra_writer *w = mine(writer);
    pthread_mutex_lock(&w->lock);
    writer_settle(w);
    drop_given(w);
    w->given = w->refused;
    if (w->given) {
        w->refused = w->given->next;
        w->last_refused = w->refused ? w->last_refused : NULL;
        chunk_count_bytes(w, -(int64_t)(sizeof *w->given + w->given->json.bytes));
        *ret = w->given->row;
    }
    bool found = w->given != NULL;
    done(w);
    return found;
}

// ---- its life

void writer_ref(struct cassandra_writer *w)
{
    atomic_fetch_add(&w->refs, 1);
}

void writer_unref(struct cassandra_writer *w)
{
    if (atomic_fetch_sub(&w->refs, 1) != 1)
        return;
    writer_settle(w); // what was answered since
    for (size_t i = 0; i < w->table_count; i++)
        table_writer_free(w->tables[i]);
    free_all(w->spare);
    for (struct refusal *r = w->refused, *next; r; r = next) {
        next = r->next;
        weir_buffer_drop(&r->json);
        free(r);
    }
    drop_given(w);
    atomic_fetch_sub(&w->store->bytes, atomic_load(&w->bytes));
    pthread_mutex_destroy(&w->lock);
    weir_buffer_drop(&w->key);
    weir_buffer_drop(&w->delete_row);
    free(w->tables);
    free(w->left);
    free(w);
}

static void writer_free(struct weir_writer *writer)
{
    struct cassandra_writer *w = mine(writer);
    struct cassandra_store *s = w->store;
    pthread_mutex_lock(&s->lock);
    struct cassandra_writer **at = &s->writers;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    atomic_fetch_sub(&s->writer_count, 1);
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_lock(&w->lock);
    w->given_up = true;
    pthread_mutex_unlock(&w->lock);
    writer_unref(w);
}

int cassandra_writer_new(struct weir_store *store, const char *keyspace, struct weir_writer **ret, struct weir_error *err)
{
    static const struct writer_ops ops = {
        .free = writer_free,
        .add = writer_add,
        .bytes = writer_bytes,
        .full = writer_full,
        .flush = writer_flush,
        .acked = writer_acked,
        .refused = writer_refused,
    };
    struct cassandra_store *s = cassandra_store_of(store);
    struct cassandra_writer *w = weir_zalloc(1, sizeof *w);
    (void)err;
    *w = (struct cassandra_writer){.base.ops = &ops, .store = s, .epoch = 1, .oldest = 1, .left_capacity = LEFT_MIN};
    w->left = weir_zalloc(LEFT_MIN, sizeof *w->left);
    cassandra_keyspace_name(keyspace, w->keyspace);
    atomic_store(&w->refs, 1);
    pthread_mutex_init(&w->lock, NULL);
    pthread_mutex_lock(&s->lock);
    w->next = s->writers;
    s->writers = w;
    atomic_fetch_add(&s->writer_count, 1);
    pthread_mutex_unlock(&s->lock);
    *ret = &w->base;
    return 0;
}
