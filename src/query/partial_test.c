// SPDX-License-Identifier: Apache-2.0
// Groups that span partitions, merged by processes that know of each other only through logs of messages, against one process that has all partitions:
// cores and mergers die and are started again from what was committed, logs lose what compaction takes, and the tables come out the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "query/query.h"

static const char *const pipeline_text =
    "pipeline: t\n"
    "topic: {name: t, partitions: 3}\n"
    "event: {format: json, fields: {id: string, time: long, grp: string, v: double}, key: id, time: time}\n"
    "queries:\n"
    "  - {table: hourly, window: tumbling 1 h, group_by: [grp], lateness: 10 minutes, emit: final, key: [[grp], at desc],\n"
    "     columns: {grp: text, at: bigint = epoch_s(window_start), n: bigint = count(), low: double = min(v), mid: double = median(v)}}\n"
    "  - {table: sliding, window: sliding 1 h every 20 minutes, group_by: [grp], lateness: 10 minutes, emit: final, key: [[grp], at desc],\n"
    "     columns: {grp: text, at: bigint = epoch_s(window_start), n: bigint = count(), high: double = max(v), kinds: bigint = distinct(id)}}\n"
    "  - {table: daily, window: calendar day, group_by: [grp], lateness: 10 minutes, emit: update, every: 1 s, key: [[grp], at desc],\n"
    "     columns: {grp: text, at: bigint = epoch_s(window_start), n: bigint = count(), low: double = min(v)}}\n"
    "  - {table: ever, group_by: [grp], every: 1 s, key: [[grp]], columns: {grp: text, n: bigint = count(), high: double = max(v)}}\n";

enum { PARTITIONS = 3, QUERIES = 4, EVENTS = 900, GROUPS = 5, MINUTE = 60000, LINE_BYTES = 200 };

static uint64_t random_state;

static uint64_t rnd(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

struct event {
    int64_t time;
    double v;
    char id[16], grp[16];
};

// ---- a table: the newest row of each key

struct row {
    char key[LINE_BYTES], values[LINE_BYTES];
    int64_t revision;
};

struct tables {
    struct row *rows;
    size_t count, capacity;
};

static struct row *row_of(struct tables *t, const char *key)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->rows[i].key, key) == 0)
            return &t->rows[i];
    weir_grow(&t->rows, &t->capacity, t->count + 1, sizeof *t->rows);
    struct row *r = &t->rows[t->count++];
    *r = (struct row){.revision = INT64_MIN};
    snprintf(r->key, sizeof r->key, "%s", key);
    return r;
}

static size_t print_value(char *out, size_t bytes, struct weir_value v)
{
    int n = v.kind == WEIR_STRS  ? snprintf(out, bytes, "|%.*s", (int)v.str.bytes, v.str.data)
            : v.kind == WEIR_I64 ? snprintf(out, bytes, "|%lld", (long long)v.i64)
                                 : snprintf(out, bytes, "|%.17g", v.f64);
    return (size_t)n;
}

static int take_rows(void *context, const struct weir_rows *rows, struct weir_error *err)
{
    (void)err;
    uint32_t keys = weir_table_key_count(rows->table);
    for (uint32_t i = 0; i < rows->count; i++) {
        char key[LINE_BYTES], values[LINE_BYTES] = "";
        size_t at = (size_t)snprintf(key, sizeof key, "%s", rows->table->name), to = 0;
        for (uint32_t c = 0; c < rows->table->column_count; c++) {
            struct weir_value v = weir_column_get(&rows->columns[c], i);
            if (c < keys)
                at += print_value(key + at, sizeof key - at, v);
            else
                to += print_value(values + to, sizeof values - to, v);
        }
        struct row *r = row_of(context, key);
        if (rows->revision[i] == r->revision) // whatever was lost and done again: the same revision says the same
            assert_string_equal(r->values, values);
        if (rows->revision[i] > r->revision) {
            r->revision = rows->revision[i];
            memcpy(r->values, values, sizeof values);
        }
    }
    return 0;
}

static int take_late(void *context, uint32_t query, const struct weir_batch *batch, uint32_t row, struct weir_error *err)
{
    (void)context, (void)query, (void)batch, (void)row, (void)err;
    return 0;
}

// ---- messages and pages: what was committed, key → bytes, in the order of the last writing

struct entry {
    struct weir_buffer key, value;
    bool deleted;
};

struct store {
    struct entry *items;
    size_t count, capacity;
};

static void store_drop(struct store *s)
{
    for (size_t i = 0; i < s->count; i++) {
        weir_buffer_drop(&s->items[i].key);
        weir_buffer_drop(&s->items[i].value);
    }
    free(s->items);
    *s = (struct store){0};
}

static void store_append(struct store *s, struct weir_str key, struct weir_str value)
{
    weir_grow(&s->items, &s->capacity, s->count + 1, sizeof *s->items);
    struct entry *e = &s->items[s->count++];
    *e = (struct entry){.deleted = value.data == NULL};
    weir_buffer_add(&e->key, key.data, key.bytes);
    weir_buffer_add(&e->value, value.data, value.bytes);
}

// Some of the messages that later ones of their key replace go; so may deletions that stand at the end of their key.
static void store_compact(struct store *s, bool all)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        bool newer = false;
        for (size_t j = i + 1; j < s->count && !newer; j++)
            newer = weir_str_eq(weir_buffer_view(&s->items[i].key), weir_buffer_view(&s->items[j].key));
        if ((newer || s->items[i].deleted) && (all || rnd(2))) {
            weir_buffer_drop(&s->items[i].key);
            weir_buffer_drop(&s->items[i].value);
        } else {
            s->items[kept++] = s->items[i];
        }
    }
    s->count = kept;
}

// ---- the world: three partitions, each with a core and a merger, and what they have committed

struct part {
    struct weir_core *core;
    struct weir_merger *merger;
    struct store pages, partials; // committed
    size_t read;                  // of partials, by the merger
    uint32_t next, committed;     // of the partition's events
};

struct world {
    struct weir_plan *plan;
    struct tables tables;
    struct part parts[PARTITIONS];
    struct store sent[PARTITIONS]; // of the commit under way, by partition of the partials
    struct event *events[PARTITIONS];
    uint32_t counts[PARTITIONS];
    struct weir_arena arena;
    uint32_t committing;
};

static struct weir_core_sink sink_of(struct world *w)
{
    return (struct weir_core_sink){&w->tables, take_rows, take_late};
}

static void drop_sent(void *context, uint64_t hash, struct weir_str key, struct weir_str value)
{
    struct world *w = context;
    (void)hash;
    store_append(&w->sent[w->committing], key, value);
}

static void send_record(void *context, uint64_t hash, struct weir_str key, struct weir_str value)
{
    store_append(&((struct world *)context)->sent[hash % PARTITIONS], key, value);
}

static void send_to_all(void *context, uint64_t hash, struct weir_str key, struct weir_str value)
{
    (void)hash;
    for (int p = 0; p < PARTITIONS; p++)
        store_append(&((struct world *)context)->sent[p], key, value);
}

static void put_page(void *context, struct weir_str key, struct weir_str page)
{
    store_append(context, key, page.bytes ? page : (struct weir_str){NULL, 0});
}

static int order_pages(const void *a, const void *b)
{
    return weir_str_compare(weir_buffer_view(&((const struct entry *)a)->key), weir_buffer_view(&((const struct entry *)b)->key));
}

static void start_core(struct world *w, uint32_t p)
{
    struct part *part = &w->parts[p];
    struct weir_error err;
    struct weir_core_sink sink = sink_of(w);
    weir_core_free(part->core);
    part->core = weir_core_new(w->plan, 1000, &sink);
    store_compact(&part->pages, true);
    if (part->pages.count)
        qsort(part->pages.items, part->pages.count, sizeof *part->pages.items, order_pages);
    for (size_t i = 0; i < part->pages.count; i++)
        assert_int_equal(
            weir_core_restore(part->core, weir_buffer_view(&part->pages.items[i].key), weir_buffer_view(&part->pages.items[i].value), &err), 0);
    weir_core_restored(part->core);
    part->next = part->committed;
}

static void read_partials(struct part *part)
{
    struct weir_error err;
    for (; part->read < part->partials.count; part->read++) {
        const struct entry *e = &part->partials.items[part->read];
        struct weir_str value = e->deleted ? (struct weir_str){NULL, 0} : weir_buffer_view(&e->value);
        if (weir_merger_import(part->merger, weir_buffer_view(&e->key), value, &err) < 0)
            fail_msg("%s", err.text);
    }
    weir_merger_imported(part->merger);
}

static void start_merger(struct world *w, uint32_t p)
{
    struct part *part = &w->parts[p];
    weir_merger_free(part->merger);
    part->merger = weir_merger_new(w->plan, 1000);
    weir_merger_on_dropped(part->merger, &(struct weir_partial_sink){w, drop_sent});
    store_compact(&part->partials, false);
    part->read = 0;
    read_partials(part);
}

static void apply(struct world *w, uint32_t p, uint32_t count)
{
    struct part *part = &w->parts[p];
    struct weir_error err;
    count = part->next + count > w->counts[p] ? w->counts[p] - part->next : count;
    weir_arena_reset(&w->arena);
    static const enum weir_kind kinds[4] = {WEIR_STRS, WEIR_I64, WEIR_STRS, WEIR_F64};
    struct weir_column *columns = weir_arena_zalloc(&w->arena, 4 * sizeof *columns);
    for (int c = 0; c < 4; c++)
        columns[c] = (struct weir_column){.kind = kinds[c], .data = weir_arena_zalloc(&w->arena, count * 16 + 1)};
    struct weir_batch batch = {.rows = count, .column_count = 4, .columns = columns, .time_ms = columns[1].i64, .arena = &w->arena};
    batch.offset = weir_arena_alloc(&w->arena, count * 8 + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct event *e = &w->events[p][part->next + i];
        columns[0].str[i] = weir_str_of(e->id);
        columns[1].i64[i] = e->time;
        columns[2].str[i] = weir_str_of(e->grp);
        columns[3].f64[i] = e->v;
        batch.offset[i] = part->next + i;
    }
    part->next += count;
    assert_int_equal(weir_core_apply(part->core, &batch, part->next, &err), 0);
}

// What a task does at a commit; half of the time it dies when the rows are in the tables and nothing else is.
static void commit(struct world *w, uint32_t p, bool everything, bool may_die)
{
    static const bool idle[QUERIES];
    struct part *part = &w->parts[p];
    struct weir_core_sink sink = sink_of(w);
    struct weir_error err;
    struct store pages = {0};
    w->committing = p;
    weir_core_export(part->core, p, &(struct weir_partial_sink){w, send_record});
    weir_core_export_progress(part->core, p, idle, &(struct weir_partial_sink){w, send_to_all});
    read_partials(part);
    for (uint32_t q = 0; q < QUERIES; q++)
        assert_int_equal(weir_merger_give(part->merger, q, &sink, everything || w->plan->queries[q].emit_update, INT64_MIN, &err), 0);
    weir_merger_export_progress(part->merger);
    weir_core_checkpoint(part->core, put_page, &pages);
    bool dies = may_die && rnd(4) == 0;
    for (uint32_t to = 0; to < PARTITIONS; to++) {
        for (size_t i = 0; i < w->sent[to].count && !dies; i++) {
            const struct entry *e = &w->sent[to].items[i];
            store_append(&w->parts[to].partials, weir_buffer_view(&e->key), e->deleted ? (struct weir_str){NULL, 0} : weir_buffer_view(&e->value));
        }
        store_drop(&w->sent[to]);
    }
    for (size_t i = 0; i < pages.count && !dies; i++) {
        const struct entry *e = &pages.items[i];
        store_append(&part->pages, weir_buffer_view(&e->key), e->deleted ? (struct weir_str){NULL, 0} : weir_buffer_view(&e->value));
    }
    store_drop(&pages);
    if (dies) {
        start_core(w, p);
        start_merger(w, p);
        return;
    }
    part->committed = part->next;
}

// ---- events

static void make_events(struct world *w)
{
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        w->events[p] = weir_zalloc(EVENTS, sizeof **w->events);
        w->counts[p] = EVENTS;
        for (uint32_t i = 0; i < EVENTS; i++) {
            struct event *e = &w->events[p][i];
            e->time = 1760000400000 + (int64_t)i * 3 * MINUTE - (int64_t)rnd(8) * MINUTE;
            e->v = (double)rnd(10000) / 100;
            snprintf(e->id, sizeof e->id, "id%u", (unsigned)(p + PARTITIONS * rnd(4)));
            snprintf(e->grp, sizeof e->grp, "g%u", (unsigned)rnd(GROUPS));
        }
    }
}

static void world_open(struct world *w)
{
    struct weir_error err;
    *w = (struct world){0};
    if (weir_plan_parse("test.yaml", weir_str_of(pipeline_text), &(struct weir_overrides){0}, stderr, false, &w->plan, &err) < 0)
        fail_msg("%s", err.text);
    for (uint32_t q = 0; q < QUERIES; q++)
        assert_true(w->plan->queries[q].spans_partitions);
    make_events(w);
}

static void world_close(struct world *w)
{
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        weir_core_free(w->parts[p].core);
        weir_merger_free(w->parts[p].merger);
        store_drop(&w->parts[p].pages);
        store_drop(&w->parts[p].partials);
        free(w->events[p]);
    }
    free(w->tables.rows);
    weir_plan_free(w->plan);
    weir_arena_drop(&w->arena);
}

// ---- the same by one merger that has all cores at hand

static void expect_by_one_process(struct world *w, struct tables *ret)
{
    struct weir_error err;
    struct weir_core_sink sink = {ret, take_rows, take_late};
    struct weir_merger *merger = weir_merger_new(w->plan, 1000);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        weir_core_free(w->parts[p].core);
        w->parts[p].core = weir_core_new(w->plan, 1000, &sink);
        w->parts[p].next = 0;
        apply(w, p, EVENTS);
        weir_merger_take(merger, p, w->parts[p].core);
    }
    for (uint32_t q = 0; q < QUERIES; q++)
        assert_int_equal(weir_merger_give(merger, q, &sink, true, INT64_MIN, &err), 0);
    weir_merger_free(merger);
}

static void assert_same(struct tables *got, struct tables *want)
{
    assert_true(want->count > 100);
    assert_int_equal(got->count, want->count);
    for (size_t i = 0; i < want->count; i++) {
        struct row *r = row_of(got, want->rows[i].key);
        if (strcmp(r->values, want->rows[i].values) != 0)
            fail_msg("%s: %s where %s is right", r->key, r->values, want->rows[i].values);
    }
}

static bool all_read(const struct world *w)
{
    bool all = true;
    for (uint32_t p = 0; p < PARTITIONS; p++)
        all &= w->parts[p].committed == w->counts[p];
    return all;
}

static void play(uint64_t seed)
{
    struct world w;
    struct tables want = {0};
    random_state = seed;
    world_open(&w);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        start_core(&w, p);
        start_merger(&w, p);
    }
    while (!all_read(&w)) {
        uint32_t p = (uint32_t)rnd(PARTITIONS);
        apply(&w, p, (uint32_t)rnd(60));
        if (rnd(3))
            commit(&w, p, false, true);
        if (rnd(40) == 0) {
            start_core(&w, p);
            start_merger(&w, p);
        }
    }
    for (int round = 0; round < 2; round++) // all has been sent when the second begins
        for (uint32_t p = 0; p < PARTITIONS; p++)
            commit(&w, p, round == 1, false);
    expect_by_one_process(&w, &want);
    assert_same(&w.tables, &want);
    free(want.rows);
    world_close(&w);
}

static void tables_come_out_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        play(seed);
    }
}

static void strange_messages_are_refused(void **state)
{
    (void)state;
    struct world w;
    struct weir_error err;
    world_open(&w);
    struct weir_merger *m = weir_merger_new(w.plan, 1000);
    static const char *const keys[] = {"", "X", "R", "H", "G", "Rsomething that is long enough to be a key of partials", "Hxxxx", "Gxxxxxxxx"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_true(weir_merger_import(m, weir_str_of(keys[i]), WEIR_STR("12345678901234567890"), &err) < 0);
        assert_int_equal(err.code, WEIR_BAD_CONFIG);
    }
    weir_merger_free(m);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_come_out_the_same),
        cmocka_unit_test(strange_messages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
