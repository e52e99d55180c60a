// SPDX-License-Identifier: Apache-2.0
// A scan walks over blocks in the order of their first rows and merges those that overlap: a block is opened when the rows before its first are
// given, so that a scan with a limit opens no more than it gives. Of rows with one key the newest revision is given, then that of the later block.
#include "base/memory.h"
#include "base/time.h"
#include "store/embedded/inside.h"
#include "store/key.h"
#include <endian.h>
#include <stdlib.h>

enum { NUMBER_BYTES = 8, TABLE_ID_BYTES = 4 };

struct run { // an open block and the row it stands at
    struct run *next_free;
    struct weir_buffer bytes;
    struct store_block block;
    struct store_row row;
    uint64_t number;
};

struct scanning {
    struct embedded_store *store;
    const struct weir_scan *scan;
    const char *keyspace;
    struct store_layout layout;
    uint32_t table_id;
    int64_t now_ms;
    struct weir_walk *walk;
    struct weir_buffer prefix;    // of the keys of all blocks to look at
    struct weir_buffer low, high; // of clustering keys: the first to give, the first not to give any more; empty: no bound
    struct weir_buffer partition; // where the scan is
    struct run **heap;
    size_t heap_count, heap_capacity;
    struct run *free_runs;
    struct weir_arena partition_arena, row_arena;
    struct weir_value *values;
    uint64_t given;
    bool ended; // the visitor, or the limit, says so
    int (*visit)(void *context, const struct weir_value *values);
    void *context;
};

// ---- what to look at

static int bad_key(const struct scanning *s, uint32_t column, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "table %s: the value for key column %s is no uuid", s->scan->table->name,
                     s->scan->table->columns[column].name);
}

static int add_partition_prefix(struct scanning *s, struct weir_error *err)
{
    const struct weir_table *table = s->scan->table;
    weir_buffer_be32(&s->prefix, s->table_id);
    if (s->scan->key_count == 0)
        return 0;
    for (uint32_t i = 0; i < table->partition_count; i++) {
        uint32_t column = table->partition[i];
        if (store_key_add(&s->prefix, table->columns[column].type, false, &s->scan->key[i]) < 0)
            return bad_key(s, column, err);
    }
    return 0;
}

// Narrows low and high to keys that begin with `from` or come after it, and up to those that begin with `to`.
static void narrow(struct scanning *s, const struct weir_buffer *from, const struct weir_buffer *to)
{
    if (from->bytes && weir_str_compare(weir_buffer_view(from), weir_buffer_view(&s->low)) > 0) {
        s->low.bytes = 0;
        weir_buffer_add(&s->low, from->data, from->bytes);
    }
    weir_cleanup(weir_buffer_drop) struct weir_buffer after = {0};
    weir_buffer_add(&after, to->data, to->bytes);
    store_key_successor(&after);
    if (after.bytes && (!s->high.bytes || weir_str_compare(weir_buffer_view(&after), weir_buffer_view(&s->high)) < 0)) {
        s->high.bytes = 0;
        weir_buffer_add(&s->high, after.data, after.bytes);
    }
}

static int narrow_to_equal(struct scanning *s, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer equal = {0};
    const struct weir_table *table = s->scan->table;
    for (uint32_t i = table->partition_count; i < s->scan->key_count; i++) {
        const struct weir_clustering *clustering = &table->clustering[i - table->partition_count];
        if (store_key_add(&equal, table->columns[clustering->column].type, clustering->descending, &s->scan->key[i]) < 0)
            return bad_key(s, clustering->column, err);
    }
    narrow(s, &equal, &equal);
    return 0;
}

static int narrow_to_bounds(struct scanning *s, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer from = {0}, to = {0};
    const struct weir_table *table = s->scan->table;
    if (table->windowed || !(s->scan->bound_from || s->scan->bound_to))
        return 0;
    const struct weir_clustering *first = &table->clustering[0];
    enum weir_cql_type type = table->columns[first->column].type;
    if ((s->scan->bound_from && store_key_add(first->descending ? &to : &from, type, first->descending, &s->scan->from) < 0) ||
        (s->scan->bound_to && store_key_add(first->descending ? &from : &to, type, first->descending, &s->scan->to) < 0))
        return bad_key(s, first->column, err);
    narrow(s, &from, &to);
    return 0;
}

// ---- where to start

static bool unbounded_below(const struct scanning *s)
{
    return s->scan->key_count == 0 || s->low.bytes == 0;
}

// Blocks that begin before the first row may hold it: goes back as far as a block of the table ever reached.
static int seek_start(struct scanning *s, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer start = {0};
    if (unbounded_below(s) || !(s->layout.upserts || store_has_span(s->scan->table)))
        return 0;
    weir_buffer_add(&start, s->prefix.data, s->prefix.bytes);
    if (s->layout.upserts) {
        weir_buffer_add(&start, s->low.data, s->low.bytes);
    } else {
        uint64_t span = 0, low = store_leading(weir_buffer_view(&s->low));
        if (store_span(s->store, s->table_id, &span, err) < 0)
            return -1;
        weir_buffer_be64(&start, low > span ? low - span : 0);
    }
    weir_walk_seek(s->walk, weir_buffer_view(&start));
    return 0;
}

static int start_walk(struct scanning *s, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer end = {0};
    weir_buffer_add(&end, s->prefix.data, s->prefix.bytes);
    if (s->scan->key_count > 0 && s->high.bytes)
        weir_buffer_add(&end, s->high.data, s->high.bytes);
    else
        store_key_successor(&end);
    s->walk = weir_walk_new(s->store->db, WEIR_TABLES, weir_buffer_view(&s->prefix), weir_buffer_view(&end));
    return seek_start(s, err); // only now: spans that are noted later belong to blocks the walk does not see
}

// ---- the merge

static int damaged(const struct scanning *s, struct weir_error *err)
{
    return weir_fail(err, WEIR_IO, WEIR_STOP, "a block of table %s.%s is damaged", s->keyspace, s->scan->table->name);
}

static bool comes_first(const struct run *a, const struct run *b)
{
    int order = weir_str_compare(a->row.clustering, b->row.clustering);
    if (order != 0)
        return order < 0;
    if (a->row.revision != b->row.revision)
        return a->row.revision > b->row.revision;
    return a->number > b->number;
}

static void sift_up(struct scanning *s, size_t at)
{
    for (; at > 0 && comes_first(s->heap[at], s->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        struct run *run = s->heap[at];
        s->heap[at] = s->heap[(at - 1) / 2];
        s->heap[(at - 1) / 2] = run;
    }
}

static void sift_down(struct scanning *s, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < s->heap_count; at = child) {
        if (child + 1 < s->heap_count && comes_first(s->heap[child + 1], s->heap[child]))
            child++;
        if (!comes_first(s->heap[child], s->heap[at]))
            return;
        struct run *run = s->heap[at];
        s->heap[at] = s->heap[child];
        s->heap[child] = run;
    }
}

// Its bytes stay readable until another block is opened.
static void let_go(struct scanning *s, struct run *run)
{
    run->next_free = s->free_runs;
    s->free_runs = run;
}

static int advance_top(struct scanning *s, struct weir_error *err)
{
    struct run *top = s->heap[0];
    int rc = store_block_next(&s->layout, &top->block, &top->row);
    if (rc < 0)
        return damaged(s, err);
    if (rc == 0) {
        let_go(s, top);
        s->heap[0] = s->heap[--s->heap_count];
    }
    sift_down(s, 0);
    return 0;
}

static void close_runs(struct scanning *s)
{
    while (s->heap_count > 0)
        let_go(s, s->heap[--s->heap_count]);
}

static struct run *take_run(struct scanning *s)
{
    struct run *run = s->free_runs;
    if (!run)
        return weir_zalloc(1, sizeof *run);
    s->free_runs = run->next_free;
    return run;
}

// Goes to the first row that the bounds let through; 0 where there is none.
static int first_row(struct scanning *s, struct run *run)
{
    int rc;
    while ((rc = store_block_next(&s->layout, &run->block, &run->row)) > 0)
        if (s->low.bytes == 0 || weir_str_compare(run->row.clustering, weir_buffer_view(&s->low)) >= 0)
            break;
    return rc;
}

static int open_block(struct scanning *s, struct weir_str bytes, uint64_t number, struct weir_error *err)
{
    struct store_block block;
    if (store_block_open(bytes, &block) < 0)
        return damaged(s, err);
    bool expired = block.expires_ms != 0 && block.expires_ms <= s->now_ms;
    if (expired || (s->low.bytes && weir_str_compare(block.last_key, weir_buffer_view(&s->low)) < 0))
        return 0;
    struct run *run = take_run(s);
    run->bytes.bytes = 0;
    weir_buffer_add(&run->bytes, bytes.data, bytes.bytes);
    store_block_open(weir_buffer_view(&run->bytes), &run->block);
    run->number = number;
    int rc = first_row(s, run);
    if (rc <= 0) {
        let_go(s, run);
        return rc < 0 ? damaged(s, err) : 0;
    }
    weir_grow(&s->heap, &s->heap_capacity, s->heap_count + 1, sizeof *s->heap);
    s->heap[s->heap_count++] = run;
    sift_up(s, s->heap_count - 1);
    return 0;
}

// ---- giving rows

static bool window_is_outside(const struct scanning *s, const struct store_row *row)
{
    if (!s->scan->table->windowed)
        return false;
    return (s->scan->bound_from && row->window_start_ms < s->scan->from.i64) || (s->scan->bound_to && row->window_start_ms > s->scan->to.i64);
}

static int give(struct scanning *s, const struct store_row *row, struct weir_error *err)
{
    if (window_is_outside(s, row))
        return 0;
    weir_arena_reset(&s->row_arena);
    if (store_row_values(&s->layout, row, &s->row_arena, s->values) < 0)
        return damaged(s, err);
    s->given++;
    s->ended = s->visit(s->context, s->values) != 0 || s->given == s->scan->limit;
    return 0;
}

static int give_top(struct scanning *s, struct weir_error *err)
{
    struct store_row row = s->heap[0]->row;
    if (s->high.bytes && weir_str_compare(row.clustering, weir_buffer_view(&s->high)) >= 0) {
        close_runs(s);
        return 0;
    }
    do {
        if (advance_top(s, err) < 0)
            return -1;
    } while (s->heap_count > 0 && weir_str_eq(s->heap[0]->row.clustering, row.clustering)); // older versions
    return give(s, &row, err);
}

// Gives rows until one at or after `first`, where the next block begins; NULL: all.
static int give_before(struct scanning *s, const struct weir_str *first, struct weir_error *err)
{
    while (s->heap_count > 0 && !s->ended && (!first || weir_str_compare(s->heap[0]->row.clustering, *first) < 0))
        if (give_top(s, err) < 0)
            return -1;
    return 0;
}

// ---- blocks, one after the other

struct place { // of a block, from its key
    struct weir_str partition, first;
    uint64_t number;
};

static int parse_key(const struct scanning *s, struct weir_str key, struct place *ret)
{
    const struct weir_table *table = s->scan->table;
    uint32_t tail = s->layout.upserts ? 0 : NUMBER_BYTES;
    if (key.bytes < TABLE_ID_BYTES + tail)
        return -1;
    struct weir_cursor c = {.at = (const uint8_t *)key.data + TABLE_ID_BYTES, .end = (const uint8_t *)key.data + key.bytes - tail};
    const uint8_t *start = c.at;
    for (uint32_t i = 0; i < table->partition_count; i++)
        store_key_skip(&c, table->columns[table->partition[i]].type, false);
    *ret = (struct place){.partition = {(const char *)start, (uint32_t)(c.at - start)}, .first = {(const char *)c.at, (uint32_t)(c.end - c.at)}};
    if (tail)
        memcpy(&ret->number, c.end, sizeof ret->number);
    ret->number = be64toh(ret->number);
    return c.bad ? -1 : 0;
}

static int enter_partition(struct scanning *s, struct weir_str partition, struct weir_error *err)
{
    s->partition.bytes = 0;
    weir_buffer_add(&s->partition, partition.data, partition.bytes);
    weir_arena_reset(&s->partition_arena);
    if (store_partition_values(&s->layout, weir_buffer_view(&s->partition), &s->partition_arena, s->values) < 0)
        return damaged(s, err);
    return 0;
}

static int pass_block(struct scanning *s, struct weir_error *err)
{
    struct place place;
    if (parse_key(s, weir_walk_key(s->walk), &place) < 0)
        return damaged(s, err);
    bool same_partition = weir_str_eq(place.partition, weir_buffer_view(&s->partition));
    if (give_before(s, same_partition ? &place.first : NULL, err) < 0)
        return -1;
    if (s->ended)
        return 0;
    if (!same_partition && enter_partition(s, place.partition, err) < 0)
        return -1;
    return open_block(s, weir_walk_value(s->walk), place.number, err);
}

static int run_scan(struct scanning *s, struct weir_error *err)
{
    for (; weir_walk_valid(s->walk) && !s->ended; weir_walk_next(s->walk))
        if (pass_block(s, err) < 0)
            return -1;
    if (weir_walk_error(s->walk, err) < 0)
        return weir_wrap(err, "table %s.%s", s->keyspace, s->scan->table->name);
    return give_before(s, NULL, err);
}

static void scanning_drop(struct scanning *s)
{
    close_runs(s);
    while (s->free_runs) {
        struct run *run = s->free_runs;
        s->free_runs = run->next_free;
        weir_buffer_drop(&run->bytes);
        free(run);
    }
    weir_walk_free(s->walk);
    weir_buffer_drop(&s->prefix);
    weir_buffer_drop(&s->low);
    weir_buffer_drop(&s->high);
    weir_buffer_drop(&s->partition);
    weir_arena_drop(&s->partition_arena);
    weir_arena_drop(&s->row_arena);
    store_layout_drop(&s->layout);
    free(s->heap);
    free(s->values);
}

int embedded_scan(struct weir_store *base, const char *keyspace, const struct weir_scan *scan,
                  int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err)
{
    struct embedded_store *store = embedded_store_of(base);
    uint32_t id;
    if (store_table_id(store, keyspace, scan->table, &id, err) < 0)
        return -1;
    struct scanning s = {
        .store = store, .scan = scan, .keyspace = keyspace, .table_id = id, .now_ms = weir_now_ms(), .visit = visit, .context = context};
    store_layout_make(scan->table, &s.layout);
    s.values = weir_zalloc(scan->table->column_count, sizeof *s.values);
    int rc = add_partition_prefix(&s, err);
    if (rc == 0)
        rc = narrow_to_equal(&s, err);
    if (rc == 0)
        rc = narrow_to_bounds(&s, err);
    if (rc == 0)
        rc = start_walk(&s, err);
    if (rc == 0)
        rc = run_scan(&s, err);
    scanning_drop(&s);
    return rc;
}
