// SPDX-License-Identifier: Apache-2.0
// Each slot is a partition on its way: a page is asked for, copied when it comes, and the next page asked for once it was visited. Slots go round, so
// that rows come in the order of the partitions while those behind are under way already.
#include "base/memory.h"
#include "store/cassandra/read.h"

enum { SLOTS = 16 };

struct slot {
    struct fetching *fetching;
    bool waiting, failed;
    struct weir_buffer values; // of the request
    struct weir_buffer cells;  // of the page: length i32 and bytes, as in a result
    struct weir_buffer paging;
    uint32_t rows;
    struct weir_error error;
};

struct fetching {
    const struct fetch_request *request;
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct slot slots[SLOTS];
    size_t next; // partition to ask for
    struct weir_value *values;
    struct weir_buffer scratch;
    struct weir_arena arena;
    int (*visit)(void *context, const struct weir_value *values, struct weir_error *err);
    void *context;
};

// ---- asking

static void copy_rows(struct slot *slot, const struct cql_result *result, uint32_t columns)
{
    struct cql_rows rows;
    weir_cleanup(weir_freep) struct cql_cell *row = weir_zalloc(columns, sizeof *row);
    int more;
    cql_rows_begin(result, &rows);
    while ((more = cql_rows_next(&rows, row)) > 0) {
        for (uint32_t c = 0; c < columns; c++) {
            if (row[c].null)
                cql_bind_null(&slot->cells);
            else
                cql_put_bytes(&slot->cells, row[c].bytes);
        }
        slot->rows++;
    }
    slot->failed = more < 0;
}

static void take_page(struct slot *slot, const struct cql_answer *answer)
{
    uint32_t columns = slot->fetching->request->shape->table->column_count;
    slot->cells.bytes = slot->paging.bytes = slot->rows = 0;
    slot->failed = answer->error != NULL;
    if (answer->error) {
        slot->error = *answer->error;
        return;
    }
    if (!answer->result || cql_result_columns(answer->result) != columns)
        slot->failed = true;
    else
        copy_rows(slot, answer->result, columns);
    if (slot->failed) {
        weir_fail(&slot->error, WEIR_BAD_DATA, WEIR_STOP, "the rows that Cassandra sent cannot be read");
        return;
    }
    struct weir_str next = cql_result_paging_state(answer->result);
    weir_buffer_add(&slot->paging, next.data, next.bytes);
}

static void page_came(void *context, const struct cql_answer *answer)
{
    struct slot *slot = context;
    struct fetching *f = slot->fetching;
    pthread_mutex_lock(&f->lock);
    take_page(slot, answer);
    slot->waiting = false;
    pthread_cond_signal(&f->came);
    pthread_mutex_unlock(&f->lock);
}

static void ask_page(struct slot *slot, struct weir_str partition)
{
    struct fetching *f = slot->fetching;
    const struct fetch_request *r = f->request;
    struct cql_request request = {.kind = CQL_EXECUTE,
                                  .prepared = r->select,
                                  .values = weir_buffer_view(&slot->values),
                                  .consistency = r->shape->read,
                                  .has_token = true,
                                  .token = cassandra_token(partition, r->shape->physical.partition_count, &f->scratch),
                                  .keyspace = r->keyspace,
                                  .idempotent = true,
                                  .page_rows = r->page_rows,
                                  .paging_state = weir_buffer_view(&slot->paging)};
    slot->waiting = true;
    cql_submit(r->store->session, &request, page_came, slot);
}

static void ask_next(struct fetching *f)
{
    const struct fetch_request *r = f->request;
    if (f->next == r->partitions->count)
        return;
    struct slot *slot = &f->slots[f->next % SLOTS];
    struct weir_str partition = partition_bound(r->partitions, &r->partitions->items[f->next++]);
    slot->fetching = f;
    slot->values.bytes = slot->paging.bytes = 0;
    weir_buffer_add(&slot->values, partition.data, partition.bytes);
    weir_buffer_add(&slot->values, r->more.data, r->more.bytes);
    ask_page(slot, partition);
}

static void await(struct fetching *f, struct slot *slot)
{
    pthread_mutex_lock(&f->lock);
    while (slot->waiting)
        pthread_cond_wait(&f->came, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

// ---- visiting

static int visit_page(struct fetching *f, const struct slot *slot, struct weir_error *err)
{
    const struct weir_table *table = f->request->shape->table;
    struct weir_cursor c = {.at = slot->cells.data, .end = slot->cells.data + slot->cells.bytes};
    for (uint32_t row = 0; row < slot->rows; row++) {
        weir_arena_reset(&f->arena);
        for (uint32_t i = 0; i < table->column_count; i++) {
            struct cql_cell cell = {0};
            cell.null = !cql_take_bytes(&c, &cell.bytes);
            if (cassandra_take(&cell, table->columns[i].type, &f->arena, &f->values[i]) < 0)
                return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "column %s is not as the pipeline has it", table->columns[i].name);
        }
        int rc = f->visit(f->context, f->values, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int visit_partition(struct fetching *f, size_t i, struct weir_error *err)
{
    const struct partitions *p = f->request->partitions;
    struct slot *slot = &f->slots[i % SLOTS];
    for (;;) {
        await(f, slot);
        if (slot->failed) {
            *err = slot->error;
            return -1;
        }
        int rc = visit_page(f, slot, err);
        if (rc != 0 || slot->paging.bytes == 0)
            return rc;
        ask_page(slot, partition_bound(p, &p->items[i]));
    }
}

static int visit_all(struct fetching *f, struct weir_error *err)
{
    for (int i = 0; i < SLOTS; i++)
        ask_next(f);
    for (size_t i = 0; i < f->request->partitions->count; i++) {
        int rc = visit_partition(f, i, err);
        if (rc != 0)
            return rc;
        ask_next(f);
    }
    return 0;
}

int fetch_rows(const struct fetch_request *request, int (*visit)(void *context, const struct weir_value *values, struct weir_error *err),
               void *context, struct weir_error *err)
{
    struct fetching *f = weir_zalloc(1, sizeof *f);
    f->request = request;
    f->visit = visit;
    f->context = context;
    f->values = weir_zalloc(request->shape->table->column_count, sizeof *f->values);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->came, NULL);
    int rc = visit_all(f, err);
    for (int i = 0; i < SLOTS; i++) { // what is still under way comes here
        await(f, &f->slots[i]);
        weir_buffer_drop(&f->slots[i].values);
        weir_buffer_drop(&f->slots[i].cells);
        weir_buffer_drop(&f->slots[i].paging);
    }
    pthread_cond_destroy(&f->came);
    pthread_mutex_destroy(&f->lock);
    weir_buffer_drop(&f->scratch);
    weir_arena_drop(&f->arena);
    weir_freep(&f->values);
    weir_freep(&f);
    return rc < 0 ? weir_wrap(err, "table %s.%s", request->keyspace, request->shape->table->name) : 0;
}
