// SPDX-License-Identifier: Apache-2.0
#include "store/cassandra/writer.h"

#include "base/memory.h"
#include "base/time.h"
#include <stdlib.h>

enum { PATIENCE_MS = 5000, BACKOFF_MIN_US = 50000, BACKOFF_MAX_US = BACKOFF_MIN_US << 6, WRITER_IN_FLIGHT_MIN = 16 };

// ---- answers

// Refusals that are about the table or the login rather than the row: they pass once somebody mends that.
static bool is_tables_fault(const struct weir_error *error)
{
    static const char *const signs[] = {"preparing \"", "nauthorized", "permission", "unconfigured table", "does not exist", "Undefined column"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strstr(error->text, signs[i]))
            return true;
    return false;
}

static void note_answer(struct chunk *chunk, const struct cql_answer *answer)
{
    chunk->outcome = CHUNK_ACKNOWLEDGED;
    if (!answer->error)
        return;
    bool refused = answer->cause == CQL_CAUSE_REFUSED && !is_tables_fault(answer->error);
    chunk->outcome = refused ? CHUNK_REFUSED : CHUNK_FAILED;
    chunk->error = weir_alloc(sizeof *chunk->error);
    *chunk->error = *answer->error;
}

static void answered(void *context, const struct cql_answer *answer)
{
    struct chunk *chunk = context;
    struct cassandra_writer *w = chunk->writer;
    note_answer(chunk, answer);
    chunk->next = atomic_load(&w->answered);
    while (!atomic_compare_exchange_weak(&w->answered, &chunk->next, chunk))
        ;
    writer_tend(w, WRITER_NOW_OR_HOLDER);
    writer_unref(w);
}

// ---- settling

static void put_first(struct table_writer *t, struct chunk *chunk)
{
    chunk->next = t->ready.first;
    t->ready.first = chunk;
    t->ready.last = t->ready.last ? t->ready.last : chunk;
}

// Jitter keeps writers from coming back all at once.
static int64_t backoff_us(uint32_t failures, int64_t now_us)
{
    int64_t us = weir_backoff_us(BACKOFF_MIN_US, BACKOFF_MAX_US, failures);
    return us / 2 + now_us % (us / 2);
}

static void hold(struct cassandra_writer *w, struct table_writer *t, const struct weir_error *error)
{
    int64_t now_us = weir_monotonic_us();
    t->trouble = *error;
    t->hold_until_us = now_us + backoff_us(t->failures, now_us);
    t->failures++;
    atomic_fetch_add(&w->store->counters.retries, 1);
}

static size_t bytes_of_values(const struct weir_buffer *values, uint32_t count)
{
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bytes;
        memcpy(&bytes, values->data + at, sizeof bytes);
        bytes = __builtin_bswap32(bytes);
        at += 4 + ((int32_t)bytes > 0 ? bytes : 0);
    }
    return at;
}

static const struct cql_prepared *statement_of(const struct chunk *chunk)
{
    return chunk->deleted ? chunk->table->delete : chunk->table->insert;
}

// The halves are sent on their own, until a row that is refused stands alone.
static void halve(struct cassandra_writer *w, struct chunk *chunk)
{
    struct table_writer *t = chunk->table;
    uint32_t kept = chunk->rows / 2;
    size_t at = bytes_of_values(&chunk->values, kept * cql_prepared_values(statement_of(chunk)));
    struct chunk *rest = chunk_new(w, t, chunk->epoch);
    weir_buffer_add(&rest->values, chunk->values.data + at, chunk->values.bytes - at);
    rest->rows = chunk->rows - kept;
    rest->token = chunk->token;
    rest->deleted = chunk->deleted;
    chunk->values.bytes = at;
    chunk->rows = kept;
    put_first(t, rest);
    put_first(t, chunk);
}

static void forget_trouble(struct table_writer *t)
{
    t->failures = 0;
    t->hold_until_us = 0;
}

static void settle(struct cassandra_writer *w, struct chunk *chunk)
{
    struct table_writer *t = chunk->table;
    w->in_flight--;
    t->in_flight--;
    if (w->given_up) {
        chunk_retire(w, chunk);
        return;
    }
    if (chunk->outcome == CHUNK_FAILED) {
        hold(w, t, chunk->error);
        put_first(t, chunk);
    } else if (chunk->outcome == CHUNK_REFUSED && chunk->rows > 1) {
        halve(w, chunk);
    } else if (chunk->outcome == CHUNK_REFUSED) {
        writer_refuse(w, chunk, chunk->deleted, chunk->error->text);
        chunk_retire(w, chunk);
    } else {
        forget_trouble(t);
        atomic_fetch_add(&w->store->counters.rows, chunk->rows);
        chunk_retire(w, chunk);
    }
}

void writer_settle(struct cassandra_writer *w)
{
    struct chunk *chunk = atomic_exchange(&w->answered, NULL), *next;
    for (; chunk; chunk = next) {
        next = chunk->next;
        settle(w, chunk);
    }
}

// ---- sending

static struct chunk *take_first(struct chunk_queue *q)
{
    struct chunk *chunk = q->first;
    q->first = chunk->next;
    q->last = q->first ? q->last : NULL;
    return chunk;
}

static void submit(struct cassandra_writer *w, struct table_writer *t, struct chunk *chunk, int64_t now_us)
{
    if (chunk->lane != CHUNK_NO_LANE) {
        t->lane[chunk->lane].open[chunk->deleted] = NULL;
        t->lane[chunk->lane].sent_us = now_us;
    }
    chunk->lane = CHUNK_NO_LANE;
    free(chunk->error);
    chunk->error = NULL;
    t->in_flight++;
    w->in_flight++;
    writer_ref(w);
    atomic_fetch_add(&w->store->counters.batches, 1);
    struct cql_request request = {.kind = chunk->rows > 1 ? CQL_BATCH : CQL_EXECUTE,
                                  .prepared = statement_of(chunk),
                                  .rows = chunk->rows,
                                  .values = weir_buffer_view(&chunk->values),
                                  .consistency = t->shape.write,
                                  .has_token = true,
                                  .token = chunk->token,
                                  .keyspace = w->keyspace,
                                  .idempotent = true,
                                  .patience_ms = PATIENCE_MS};
    cql_submit(w->store->session, &request, answered, chunk);
}

// The table's queue whose first chunk may go; NULL: none. *ret_due_us is lowered to when one may, where time alone is in the way.
static struct chunk_queue *queue_to_go(struct table_writer *t, int64_t now_us, int64_t *ret_due_us)
{
    const struct chunk *gathering = t->gathering.first;
    if ((!t->ready.first && !gathering) || (t->failures > 0 && t->in_flight > 0))
        return NULL;
    bool gathers = !t->ready.first && gathering->lane != CHUNK_NO_LANE;
    int64_t due_us = gathers && gathering->due_us > t->hold_until_us ? gathering->due_us : t->hold_until_us;
    if (due_us <= now_us)
        return t->ready.first ? &t->ready : &t->gathering;
    *ret_due_us = due_us < *ret_due_us ? due_us : *ret_due_us;
    return NULL;
}

// How many requests more the writer may have in flight.
static uint32_t share(struct cassandra_writer *w)
{
    uint32_t writers = atomic_load(&w->store->writer_count), most = w->store->options.batches_in_flight / (writers ? writers : 1);
    if (most < WRITER_IN_FLIGHT_MIN)
        most = WRITER_IN_FLIGHT_MIN;
    if (most > w->store->options.batches_in_flight)
        most = w->store->options.batches_in_flight;
    if (w->in_flight >= most)
        return 0;
    uint32_t idle = cql_session_room(w->store->session) ? cql_session_idle(w->store->session) : 0;
    uint32_t left = most - w->in_flight;
    left = left < idle ? left : idle;
    return left > 0 ? left : w->in_flight == 0; // one brings the rest along when it is answered
}

static bool send_one(struct cassandra_writer *w, int64_t now_us, int64_t *ret_due_us)
{
    for (size_t i = 0; i < w->table_count; i++) {
        struct table_writer *t = w->tables[w->turn++ % w->table_count];
        struct chunk_queue *q = queue_to_go(t, now_us, ret_due_us);
        if (q) {
            submit(w, t, take_first(q), now_us);
            return true;
        }
    }
    return false;
}

void writer_send(struct cassandra_writer *w)
{
    int64_t now_us = weir_monotonic_us(), due_us = INT64_MAX;
    if (w->given_up)
        return;
    for (uint32_t left = share(w); left > 0 && send_one(w, now_us, &due_us); left--)
        ;
    if (due_us != INT64_MAX)
        cassandra_keeper_at(w->store, due_us);
}

void writer_tend(struct cassandra_writer *w, enum writer_patience patience)
{
    bool progress = false;
    do {
        if (patience == WRITER_WAIT)
            pthread_mutex_lock(&w->lock);
        else if (pthread_mutex_trylock(&w->lock) != 0)
            break; // who holds it looks again after letting go
        writer_settle(w);
        writer_send(w);
        progress |= w->progress;
        w->progress = false;
        pthread_mutex_unlock(&w->lock);
        patience = WRITER_NOW_OR_HOLDER;
    } while (atomic_load(&w->answered));
    if (progress)
        cassandra_progress(w->store);
}

// ---- all writers

static size_t take_writers(struct cassandra_store *s, struct cassandra_writer ***ret)
{
    struct cassandra_writer **writers = NULL;
    size_t count = 0, capacity = 0;
    pthread_mutex_lock(&s->lock);
    for (struct cassandra_writer *w = s->writers; w; w = w->next) {
        weir_grow(&writers, &capacity, count + 1, sizeof *writers);
        writer_ref(w);
        writers[count++] = w;
    }
    pthread_mutex_unlock(&s->lock);
    *ret = writers;
    return count;
}

void cassandra_writers_tend(struct cassandra_store *s)
{
    weir_cleanup(weir_freep) struct cassandra_writer **writers;
    size_t count = take_writers(s, &writers);
    for (size_t i = 0; i < count; i++) {
        writer_tend(writers[i], WRITER_WAIT);
        writer_unref(writers[i]);
    }
}

static bool put_troubles(struct cassandra_writer *w, struct weir_buffer *reasons)
{
    bool any = false;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->table_count; i++) {
        const struct table_writer *t = w->tables[i];
        if (t->failures > 0)
            weir_buffer_format(reasons, "Cassandra: rows of table %s.%s are not taken: %s\n", w->keyspace, t->shape.table->name, t->trouble.text);
        any |= t->failures > 0;
    }
    pthread_mutex_unlock(&w->lock);
    return any;
}

bool cassandra_writers_trouble(struct cassandra_store *s, struct weir_buffer *reasons)
{
    weir_cleanup(weir_freep) struct cassandra_writer **writers;
    size_t count = take_writers(s, &writers);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        any |= put_troubles(writers[i], reasons);
        writer_unref(writers[i]);
    }
    return any;
}
