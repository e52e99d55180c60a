// SPDX-License-Identifier: Apache-2.0
// Rows are encoded as they come, one behind the other, each with a note of its place; a flush sorts the notes by lane (partition key) and within
// a lane by clustering key, and copies the rows into blocks in that order.
#include "base/fault.h"
#include "base/memory.h"
#include "base/time.h"
#include "store/embedded/inside.h"
#include <endian.h>
#include <stdlib.h>

enum { BLOCK_ROWS_MAX = 1024, BLOCK_BYTES = 32 << 10, LANES_KEPT = 64 << 10, BUFFERED_BYTES_MAX = 1 << 30 };

struct note {
    uint64_t leading; // of the clustering key: decides nearly every comparison
    int64_t revision;
    uint32_t at, bytes, key_bytes;
    uint32_t lane : 31, deleted : 1;
};

struct table_writer {
    struct store_layout layout;
    uint32_t id;
    bool spans;
    struct store_lanes lanes;
    struct weir_buffer rows;
    struct note *notes;
    size_t note_count, note_capacity;
    int64_t base_revision; // of all rows that are buffered
    // scratch of a flush
    struct note *sorted;
    size_t sorted_capacity;
    uint32_t *lane_end;
    size_t lane_capacity;
};

struct embedded_writer {
    struct weir_writer base;
    struct embedded_store *store;
    char *keyspace;
    struct table_writer **tables;
    size_t table_count, table_capacity;
    struct weir_buffer key, block;
    uint64_t next_number; // of blocks
};

static struct embedded_writer *writer_of(struct weir_writer *w)
{
    return (struct embedded_writer *)w;
}

static void table_writer_free(struct table_writer *t)
{
    store_layout_drop(&t->layout);
    store_lanes_drop(&t->lanes);
    weir_buffer_drop(&t->rows);
    free(t->notes);
    free(t->sorted);
    free(t->lane_end);
    free(t);
}

static void writer_free(struct weir_writer *writer)
{
    struct embedded_writer *w = writer_of(writer);
    for (size_t i = 0; i < w->table_count; i++)
        table_writer_free(w->tables[i]);
    weir_buffer_drop(&w->key);
    weir_buffer_drop(&w->block);
    free(w->tables);
    free(w->keyspace);
    free(w);
}

static struct table_writer *add_table(struct embedded_writer *w, const struct weir_table *table, uint32_t id)
{
    struct table_writer *t = weir_zalloc(1, sizeof *t);
    store_layout_make(table, &t->layout);
    store_lanes_init(&t->lanes);
    t->id = id;
    t->spans = store_has_span(table);
    weir_grow(&w->tables, &w->table_capacity, w->table_count + 1, sizeof *w->tables);
    w->tables[w->table_count++] = t;
    return t;
}

static int table_writer_of(struct embedded_writer *w, const struct weir_table *table, struct table_writer **ret, struct weir_error *err)
{
    for (size_t i = 0; i < w->table_count; i++)
        if (w->tables[i]->layout.table == table) {
            *ret = w->tables[i];
            return 0;
        }
    uint32_t id;
    if (store_table_id(w->store, w->keyspace, table, &id, err) < 0)
        return -1;
    *ret = add_table(w, table, id);
    return 0;
}

// ---- buffering

static int add_row(struct table_writer *t, const struct weir_rows *rows, uint32_t row, struct weir_error *err)
{
    struct note note = {.revision = rows->revision[row], .at = (uint32_t)t->rows.bytes, .deleted = rows->deleted};
    uint32_t lane;
    if (store_lane_of(&t->lanes, rows, row, &lane, err) < 0 ||
        store_row_add(&t->layout, rows, row, t->base_revision, &t->rows, &note.key_bytes, err) < 0)
        return -1;
    note.lane = lane & INT32_MAX;
    note.bytes = (uint32_t)t->rows.bytes - note.at;
    note.leading = store_leading((struct weir_str){(const char *)t->rows.data + note.at, note.key_bytes});
    t->notes[t->note_count++] = note;
    return 0;
}

static int writer_add(struct weir_writer *writer, const struct weir_rows *rows, struct weir_error *err)
{
    struct embedded_writer *w = writer_of(writer);
    struct table_writer *t;
    if (table_writer_of(w, rows->table, &t, err) < 0)
        return -1;
    if (t->note_count == 0)
        t->base_revision = rows->revision[0];
    weir_assert(!rows->deleted || t->layout.upserts);
    weir_grow(&t->notes, &t->note_capacity, t->note_count + rows->count, sizeof *t->notes);
    for (uint32_t row = 0; row < rows->count; row++) {
        if (t->rows.bytes > BUFFERED_BYTES_MAX)
            return weir_fail(err, WEIR_INTERNAL, WEIR_STOP, "table %s: too many rows were added without a flush", rows->table->name);
        if (add_row(t, rows, row, err) < 0)
            return -1;
    }
    return 0;
}

static size_t writer_bytes(const struct weir_writer *writer)
{
    const struct embedded_writer *w = (const struct embedded_writer *)writer;
    size_t bytes = 0;
    for (size_t i = 0; i < w->table_count; i++)
        bytes += w->tables[i]->rows.bytes + w->tables[i]->note_count * sizeof(struct note);
    return bytes;
}

// ---- order

static void sort_by_lane(struct table_writer *t)
{
    uint32_t lanes = store_lanes_count(&t->lanes);
    weir_grow(&t->lane_end, &t->lane_capacity, lanes + 1u, sizeof *t->lane_end);
    weir_grow(&t->sorted, &t->sorted_capacity, t->note_count, sizeof *t->sorted);
    memset(t->lane_end, 0, (lanes + 1u) * sizeof *t->lane_end);
    for (size_t i = 0; i < t->note_count; i++)
        t->lane_end[t->notes[i].lane + 1]++;
    for (uint32_t lane = 0; lane < lanes; lane++)
        t->lane_end[lane + 1] += t->lane_end[lane];
    for (size_t i = 0; i < t->note_count; i++) // moves each lane's start to its end
        t->sorted[t->lane_end[t->notes[i].lane]++] = t->notes[i];
}

static struct weir_str note_key(const struct table_writer *t, const struct note *note)
{
    return (struct weir_str){(const char *)t->rows.data + note->at, note->key_bytes};
}

// By clustering key; of one key the newest revision first, and of one revision the row that was added last.
static int by_clustering(const void *left, const void *right, void *context)
{
    const struct note *a = left, *b = right;
    if (a->leading != b->leading)
        return a->leading < b->leading ? -1 : 1;
    int order = weir_str_compare(note_key(context, a), note_key(context, b));
    if (order != 0)
        return order;
    if (a->revision != b->revision)
        return a->revision > b->revision ? -1 : 1;
    return a->at > b->at ? -1 : 1;
}

static bool ascends(const struct note *notes, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (notes[i - 1].leading >= notes[i].leading)
            return false;
    return true;
}

static bool descends(const struct note *notes, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (notes[i - 1].leading <= notes[i].leading)
            return false;
    return true;
}

static void reverse(struct note *notes, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct note other = notes[i];
        notes[i] = notes[count - 1 - i];
        notes[count - 1 - i] = other;
    }
}

static size_t keep_newest(struct note *notes, size_t count)
{
    size_t newest = 0;
    for (size_t i = 1; i < count; i++)
        if (notes[i].revision >= notes[newest].revision)
            newest = i;
    notes[0] = notes[newest];
    return 1;
}

static size_t drop_older(struct table_writer *t, struct note *notes, size_t count)
{
    size_t kept = 1;
    for (size_t i = 1; i < count; i++)
        if (notes[i].leading != notes[kept - 1].leading || !weir_str_eq(note_key(t, &notes[i]), note_key(t, &notes[kept - 1])))
            notes[kept++] = notes[i];
    return kept;
}

// Puts a lane's rows into clustering order, one for each key; returns how many are left. Time mostly runs forwards, so that rows mostly come in
// the order of their keys, or in the opposite one.
static size_t order_lane(struct table_writer *t, struct note *notes, size_t count)
{
    if (t->layout.table->clustering_count == 0)
        return keep_newest(notes, count);
    if (ascends(notes, count))
        return count;
    if (descends(notes, count)) {
        reverse(notes, count);
        return count;
    }
    qsort_r(notes, count, sizeof *notes, by_clustering, t);
    return drop_older(t, notes, count);
}

// ---- blocks

struct flush {
    struct embedded_writer *w;
    struct table_writer *t;
    struct weir_txn *txn;
    int64_t expires_ms;
    unsigned level_max; // of the blocks' spans
    struct weir_error *err;
};

static int next_number(struct embedded_writer *w, uint64_t *ret, struct weir_error *err)
{
    enum { AT_ONCE = 1 << 20 };
    if (w->next_number % AT_ONCE == 0) {
        uint64_t first;
        if (weir_embedded_take_numbers(w->store->db, AT_ONCE, &first, err) < 0)
            return -1;
        w->next_number = first;
    }
    *ret = w->next_number++;
    return 0;
}

static int block_key(struct flush *f, const struct note *first)
{
    struct weir_buffer *key = &f->w->key;
    struct weir_str partition = store_lane_key(&f->t->lanes, first->lane), clustering = note_key(f->t, first);
    key->bytes = 0;
    weir_buffer_be32(key, f->t->id);
    weir_buffer_add(key, partition.data, partition.bytes);
    weir_buffer_add(key, clustering.data, clustering.bytes);
    if (f->t->layout.upserts)
        return 0;
    uint64_t number;
    if (next_number(f->w, &number, f->err) < 0)
        return -1;
    weir_buffer_be64(key, number);
    return 0;
}

static void note_span(struct flush *f, const struct note *first, const struct note *last)
{
    uint64_t span = last->leading - first->leading;
    unsigned level = span ? 64 - (unsigned)__builtin_clzll(span) : 0;
    if (f->t->spans && level > f->level_max)
        f->level_max = level;
}

static int put_block(struct flush *f, const struct note *notes, size_t count)
{
    struct weir_buffer *block = &f->w->block;
    if (block_key(f, notes) < 0)
        return -1;
    if (notes[0].deleted) {
        weir_txn_delete(f->txn, WEIR_TABLES, weir_buffer_view(&f->w->key));
        return 0;
    }
    block->bytes = 0;
    store_block_begin(block, f->expires_ms, (uint32_t)count, f->t->base_revision, note_key(f->t, &notes[count - 1]));
    for (size_t i = 0; i < count; i++)
        weir_buffer_add(block, f->t->rows.data + notes[i].at, notes[i].bytes);
    note_span(f, &notes[0], &notes[count - 1]);
    weir_txn_put(f->txn, WEIR_TABLES, weir_buffer_view(&f->w->key), weir_buffer_view(block));
    return 0;
}

static size_t block_rows(const struct flush *f, const struct note *notes, size_t count)
{
    size_t rows = 0, bytes = 0, most = f->t->layout.upserts ? 1 : BLOCK_ROWS_MAX;
    while (rows < count && rows < most && (rows == 0 || bytes + notes[rows].bytes <= BLOCK_BYTES))
        bytes += notes[rows++].bytes;
    return rows;
}

static int flush_lane(struct flush *f, struct note *notes, size_t count)
{
    count = order_lane(f->t, notes, count);
    for (size_t done = 0; done < count;) {
        size_t rows = block_rows(f, notes + done, count - done);
        if (put_block(f, notes + done, rows) < 0)
            return -1;
        done += rows;
    }
    return 0;
}

static void forget_rows(struct table_writer *t)
{
    t->rows.bytes = 0;
    t->note_count = 0;
    if (store_lanes_count(&t->lanes) > LANES_KEPT) {
        store_lanes_drop(&t->lanes);
        store_lanes_init(&t->lanes);
    }
}

static int flush_table(struct flush *f)
{
    struct table_writer *t = f->t;
    sort_by_lane(t);
    uint32_t lanes = store_lanes_count(&t->lanes), begin = 0;
    for (uint32_t lane = 0; lane < lanes; lane++) {
        uint32_t end = t->lane_end[lane];
        if (end > begin && flush_lane(f, t->sorted + begin, end - begin) < 0)
            return -1;
        begin = end;
    }
    if (f->level_max > 0 && !t->layout.upserts)
        store_put_span(f->txn, t->id, f->level_max);
    forget_rows(t);
    return 0;
}

static int writer_flush(struct weir_writer *writer, const struct weir_commit *commit, uint64_t *ret_ticket, struct weir_error *err)
{
    struct embedded_writer *w = writer_of(writer);
    weir_fault("store.flush.before");
    for (size_t i = 0; i < w->table_count; i++) {
        struct table_writer *t = w->tables[i];
        int64_t ttl_ms = t->layout.table->ttl_ms;
        struct flush f = {.w = w, .t = t, .txn = commit->embedded, .expires_ms = ttl_ms ? weir_now_ms() + ttl_ms : 0, .err = err};
        if (t->note_count > 0 && flush_table(&f) < 0)
            return -1;
    }
    weir_fault("store.flush.after");
    *ret_ticket = 0;
    return 0;
}

// ---- a writer that nothing refuses: the commit is all or nothing

static bool writer_full(struct weir_writer *w)
{
    (void)w;
    return false;
}

static bool writer_acked(struct weir_writer *w, uint64_t ticket)
{
    (void)w, (void)ticket;
    return true;
}

static bool writer_refused(struct weir_writer *w, struct weir_refused_row *ret)
{
    (void)w, (void)ret;
    return false;
}

int embedded_writer_new(struct weir_store *s, const char *keyspace, struct weir_writer **ret, struct weir_error *err)
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
    (void)err;
    struct embedded_writer *w = weir_zalloc(1, sizeof *w);
    w->base.ops = &ops;
    w->store = embedded_store_of(s);
    w->keyspace = weir_strdup(keyspace);
    *ret = &w->base;
    return 0;
}
