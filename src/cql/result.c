// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "cql/cql.h"
#include "cql/message.h"
#include <stdlib.h>

enum { ONE_TABLE = 0x01, MORE_PAGES = 0x02, NO_METADATA = 0x04, METADATA_CHANGED = 0x08 };
enum { COLUMN_BYTES_MIN = 4 };

static void take_columns(struct weir_cursor *c, bool one_table, struct weir_arena *arena, struct cql_metadata *m)
{
    struct weir_str keyspace = {0}, table = {0};
    if (one_table) {
        keyspace = cql_take_string(c);
        table = cql_take_string(c);
    }
    if (m->count > (size_t)(c->end - c->at) / COLUMN_BYTES_MIN) {
        c->bad = true;
        return;
    }
    struct cql_column *columns = weir_arena_alloc(arena, m->count * sizeof *columns);
    for (uint32_t i = 0; i < m->count && !c->bad; i++) {
        columns[i].keyspace = one_table ? keyspace : cql_take_string(c);
        columns[i].table = one_table ? table : cql_take_string(c);
        columns[i].name = cql_take_string(c);
        columns[i].type = cql_take_type(c);
    }
    m->columns = columns;
}

// How many columns there are is an int on the wire; no statement has more than a short's worth.
static uint32_t take_column_count(struct weir_cursor *c)
{
    int32_t count = cql_take_int(c);
    c->bad |= count < 0 || count > UINT16_MAX;
    return c->bad ? 0 : (uint32_t)count;
}

static void take_result_metadata(struct weir_cursor *c, enum cql_version version, struct weir_arena *arena, struct cql_metadata *m)
{
    uint32_t flags = weir_cursor_be32(c);
    m->count = take_column_count(c);
    if (flags & MORE_PAGES)
        cql_take_bytes(c, &m->paging_state);
    if (flags & METADATA_CHANGED && version >= CQL_V5)
        m->new_id = cql_take_short_bytes(c);
    if (!(flags & NO_METADATA) && !c->bad)
        take_columns(c, flags & ONE_TABLE, arena, m);
}

static void take_bind_metadata(struct weir_cursor *c, struct weir_arena *arena, struct cql_metadata *m)
{
    uint32_t flags = weir_cursor_be32(c);
    m->count = take_column_count(c);
    uint32_t keys = weir_cursor_be32(c);
    if (c->bad || keys > (size_t)(c->end - c->at) / 2) {
        c->bad = true;
        return;
    }
    uint16_t *key_values = weir_arena_alloc(arena, keys * sizeof *key_values);
    for (uint32_t i = 0; i < keys; i++) {
        key_values[i] = cql_take_short(c);
        c->bad |= key_values[i] >= m->count;
    }
    m->key_count = keys;
    m->key_values = key_values;
    if (!c->bad)
        take_columns(c, flags & ONE_TABLE, arena, m);
}

static void take_prepared(struct weir_cursor *c, enum cql_version version, struct weir_arena *arena, struct cql_result *r)
{
    r->id = cql_take_short_bytes(c);
    if (version >= CQL_V5)
        r->metadata_id = cql_take_short_bytes(c);
    take_bind_metadata(c, arena, &r->values);
    take_result_metadata(c, version, arena, &r->metadata);
}

// Rows are walked once, so that what reads them later meets no damage.
static void pass_rows(struct weir_cursor *c, uint32_t rows, uint32_t columns)
{
    struct weir_str cell;
    for (uint64_t cells = (uint64_t)rows * columns; cells && !c->bad; cells--)
        cql_take_bytes(c, &cell);
}

static void take_rows(struct weir_cursor *c, enum cql_version version, const struct cql_metadata *known, struct weir_arena *arena,
                      struct cql_result *r)
{
    take_result_metadata(c, version, arena, &r->metadata);
    if (!r->metadata.columns && known && known->count == r->metadata.count)
        r->metadata.columns = known->columns;
    c->bad |= !r->metadata.columns && r->metadata.count;
    int32_t rows = cql_take_int(c);
    const uint8_t *start = c->at;
    c->bad |= rows < 0 || (rows > 0 && r->metadata.count == 0);
    if (c->bad)
        return;
    r->rows = (uint32_t)rows;
    pass_rows(c, r->rows, r->metadata.count);
    r->cells = (struct weir_str){(const char *)start, (uint32_t)(c->at - start)};
}

int cql_result_parse(struct weir_cursor body, enum cql_version version, const struct cql_metadata *known, struct weir_arena *arena,
                     struct cql_result *ret, struct weir_error *err)
{
    struct cql_result r = {.kind = (enum cql_result_kind)cql_take_int(&body)};
    switch (r.kind) {
    case CQL_RESULT_VOID:
        break;
    case CQL_RESULT_ROWS:
        take_rows(&body, version, known, arena, &r);
        break;
    case CQL_RESULT_KEYSPACE:
        r.keyspace = cql_take_string(&body);
        break;
    case CQL_RESULT_PREPARED:
        take_prepared(&body, version, arena, &r);
        break;
    case CQL_RESULT_SCHEMA:
        cql_take_change(&body, &r.change);
        break;
    default:
        body.bad = true;
    }
    if (body.bad)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: a RESULT of kind %d is damaged", (int)r.kind);
    *ret = r;
    return 0;
}

// ---- copies

struct cql_metadata cql_metadata_keep(const struct cql_metadata *m, struct weir_arena *arena)
{
    struct cql_metadata kept = *m;
    if (m->columns) {
        struct cql_column *columns = weir_arena_alloc(arena, m->count * sizeof *columns);
        for (uint32_t i = 0; i < m->count; i++) {
            const struct cql_column *c = &m->columns[i];
            columns[i] =
                (struct cql_column){weir_arena_copy(arena, c->keyspace), weir_arena_copy(arena, c->table), weir_arena_copy(arena, c->name), c->type};
        }
        kept.columns = columns;
    }
    kept.paging_state = weir_arena_copy(arena, m->paging_state);
    kept.new_id = weir_arena_copy(arena, m->new_id);
    if (m->key_count) {
        uint16_t *keys = weir_arena_alloc(arena, m->key_count * sizeof *keys);
        memcpy(keys, m->key_values, m->key_count * sizeof *keys);
        kept.key_values = keys;
    }
    return kept;
}

struct cql_result *cql_result_keep(const struct cql_result *r)
{
    struct cql_result *kept = weir_alloc(sizeof *kept);
    *kept = *r;
    kept->memory = (struct weir_arena){0};
    kept->metadata = cql_metadata_keep(&r->metadata, &kept->memory);
    kept->values = cql_metadata_keep(&r->values, &kept->memory);
    struct weir_str *texts[] = {&kept->cells,         &kept->keyspace,        &kept->id,         &kept->metadata_id, &kept->change.change,
                                &kept->change.target, &kept->change.keyspace, &kept->change.name};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = weir_arena_copy(&kept->memory, *texts[i]);
    return kept;
}

void cql_result_free(struct cql_result *r)
{
    if (r) {
        weir_arena_drop(&r->memory);
        free(r);
    }
}

// ---- reading

uint32_t cql_result_columns(const struct cql_result *r)
{
    return r->kind == CQL_RESULT_ROWS ? r->metadata.count : 0;
}

struct weir_str cql_result_column_name(const struct cql_result *r, uint32_t column)
{
    weir_assert(column < cql_result_columns(r));
    return r->metadata.columns[column].name;
}

enum cql_type cql_result_column_type(const struct cql_result *r, uint32_t column)
{
    weir_assert(column < cql_result_columns(r));
    return r->metadata.columns[column].type;
}

uint32_t cql_result_rows(const struct cql_result *r)
{
    return r->rows;
}

struct weir_str cql_result_paging_state(const struct cql_result *r)
{
    return r->metadata.paging_state;
}

void cql_rows_begin(const struct cql_result *r, struct cql_rows *ret)
{
    *ret = (struct cql_rows){r, cql_cursor(r->cells), r->rows};
}

int cql_rows_next(struct cql_rows *rows, struct cql_cell *cells)
{
    if (rows->left == 0)
        return 0;
    rows->left--;
    for (uint32_t i = 0; i < rows->result->metadata.count; i++)
        cells[i].null = !cql_take_bytes(&rows->cursor, &cells[i].bytes);
    return rows->cursor.bad ? -1 : 1;
}
