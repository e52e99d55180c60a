// SPDX-License-Identifier: Apache-2.0
#include "store/cassandra/shape.h"

#include "base/time.h"
#include "base/uuid.h"
#include "base/zone.h"

enum { DAY_MS = 86400000, HOUR_MS = 3600000, UUID_TEXT_BYTES = 36 };

// ---- buckets

static enum cassandra_unit unit_of(const char *name)
{
    static const char *const names[] = {
        [CASSANDRA_HOUR] = "hour", [CASSANDRA_DAY] = "day", [CASSANDRA_WEEK] = "week", [CASSANDRA_MONTH] = "month", [CASSANDRA_YEAR] = "year"};
    for (unsigned unit = CASSANDRA_HOUR; name && unit <= CASSANDRA_YEAR; unit++)
        if (strcmp(names[unit], name) == 0)
            return (enum cassandra_unit)unit;
    return CASSANDRA_NO_BUCKET;
}

int64_t cassandra_bucket_ms(enum cassandra_unit unit, int64_t time_ms)
{
    enum { THURSDAY_TO_MONDAY_MS = 3 * DAY_MS }; // 1970 began on a Thursday
    struct weir_civil civil;
    switch (unit) {
    case CASSANDRA_HOUR:
        return weir_floor_div(time_ms, HOUR_MS) * HOUR_MS;
    case CASSANDRA_DAY:
        return weir_floor_div(time_ms, DAY_MS) * DAY_MS;
    case CASSANDRA_WEEK:
        return weir_floor_div(time_ms + THURSDAY_TO_MONDAY_MS, 7 * (int64_t)DAY_MS) * 7 * DAY_MS - THURSDAY_TO_MONDAY_MS;
    default:
        civil = weir_civil_of(time_ms);
        civil = (struct weir_civil){.year = civil.year, .month = unit == CASSANDRA_MONTH ? civil.month : 1, .day = 1};
        return weir_civil_ms(&civil);
    }
}

int64_t cassandra_bucket_next_ms(enum cassandra_unit unit, int64_t start_ms)
{
    static const int64_t at_most_days[] = {
        [CASSANDRA_HOUR] = 0, [CASSANDRA_DAY] = 1, [CASSANDRA_WEEK] = 7, [CASSANDRA_MONTH] = 31, [CASSANDRA_YEAR] = 366};
    if (unit == CASSANDRA_HOUR)
        return start_ms + HOUR_MS;
    return cassandra_bucket_ms(unit, start_ms + at_most_days[unit] * DAY_MS);
}

// ---- the row's time

static int whole_time(enum weir_time_part part, int64_t value, int64_t *ret_ms)
{
    if (part == WEIR_PART_S)
        return __builtin_mul_overflow(value, 1000, ret_ms) ? -1 : 0;
    *ret_ms = part == WEIR_PART_US ? weir_floor_div(value, 1000) : value;
    return 0;
}

// Year, month, day and hour: those that are there must be the first ones.
static int date_time(const struct weir_table *table, const struct weir_value *values, int64_t *ret_ms)
{
    int64_t fields[4] = {0, 1, 1, 0};
    bool there[4] = {false};
    for (uint32_t c = 0; c < table->column_count; c++) {
        if (table->time_parts[c] < WEIR_PART_YEAR)
            continue;
        if (values[c].null || values[c].i64 < -9999 || values[c].i64 > 9999)
            return -1;
        fields[table->time_parts[c] - WEIR_PART_YEAR] = values[c].i64;
        there[table->time_parts[c] - WEIR_PART_YEAR] = true;
    }
    for (int i = 1; i < 4; i++)
        if (there[i] && !there[i - 1])
            return -1;
    struct weir_civil civil = {.year = fields[0], .month = (int)fields[1], .day = (int)fields[2], .hour = (int)fields[3]};
    if (!there[0] || !weir_civil_valid(&civil))
        return -1;
    *ret_ms = table->zone ? weir_zone_instant(table->zone, &civil) : weir_civil_ms(&civil);
    return 0;
}

int cassandra_row_time(const struct weir_table *table, const struct weir_value *values, int64_t *ret_ms)
{
    for (uint32_t c = 0; table->time_parts && c < table->column_count; c++)
        if (table->time_parts[c] != WEIR_PART_NONE && table->time_parts[c] < WEIR_PART_YEAR && !values[c].null)
            return whole_time(table->time_parts[c], values[c].i64, ret_ms);
    return table->time_parts ? date_time(table, values, ret_ms) : -1;
}

bool cassandra_tells_time(const struct weir_table *table)
{
    bool there[WEIR_PART_HOUR + 1] = {false};
    for (uint32_t c = 0; table->time_parts && c < table->column_count; c++)
        there[table->time_parts[c]] = true;
    if (there[WEIR_PART_S] || there[WEIR_PART_MS] || there[WEIR_PART_US])
        return true;
    for (int part = WEIR_PART_MONTH; part <= WEIR_PART_HOUR; part++)
        if (there[part] && !there[part - 1])
            return false;
    return there[WEIR_PART_YEAR];
}

// ---- the table

static void add_bucket_column(struct cassandra_shape *shape)
{
    struct weir_table *t = &shape->physical;
    struct weir_table_column *columns = weir_arena_alloc(&shape->arena, (t->column_count + 1) * sizeof *columns);
    uint32_t *partition = weir_arena_alloc(&shape->arena, (t->partition_count + 1) * sizeof *partition);
    memcpy(columns, t->columns, t->column_count * sizeof *columns);
    memcpy(partition, t->partition, t->partition_count * sizeof *partition);
    columns[t->column_count] = (struct weir_table_column){weir_arena_format(&shape->arena, "%s_bucket", t->partition_by), WEIR_CQL_TIMESTAMP};
    partition[t->partition_count++] = t->column_count++;
    t->columns = columns;
    t->partition = partition;
}

int cassandra_shape_make(const struct weir_table *table, struct cassandra_shape *ret, struct weir_error *err)
{
    struct cassandra_shape shape = {.table = table, .physical = *table, .unit = unit_of(table->partition_by), .write = CQL_LOCAL_QUORUM};
    if (table->consistency && cql_consistency_parse(weir_str_of(table->consistency), &shape.write) < 0)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "table %s: unknown consistency level '%s'", table->name, table->consistency);
    shape.read = shape.write == CQL_ANY ? CQL_ONE : shape.write; // ANY is for writes alone
    if (shape.unit != CASSANDRA_NO_BUCKET) {
        enum weir_time_part first = table->clustering_count && table->time_parts ? table->time_parts[table->clustering[0].column] : WEIR_PART_NONE;
        if (first == WEIR_PART_NONE || first > WEIR_PART_YEAR || !cassandra_tells_time(table))
            return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "table %s: 'partition_by' needs a time first among the clustering columns",
                             table->name);
        add_bucket_column(&shape);
    }
    *ret = shape;
    return 0;
}

void cassandra_shape_drop(struct cassandra_shape *shape)
{
    weir_arena_drop(&shape->arena);
}

// ---- bytes

int cassandra_bind(struct weir_buffer *out, enum weir_cql_type type, const struct weir_value *value)
{
    if (value->null) {
        cql_bind_unset(out);
        return 0;
    }
    switch (type) {
    case WEIR_CQL_TEXT:
        cql_bind_text(out, value->str);
        return 0;
    case WEIR_CQL_UUID:
        return cql_bind_uuid(out, value->str);
    case WEIR_CQL_BOOLEAN:
        cql_bind_boolean(out, value->i64 != 0);
        return 0;
    case WEIR_CQL_INT:
        cql_bind_int(out, (int32_t)value->i64);
        return 0;
    case WEIR_CQL_FLOAT:
        cql_bind_float(out, (float)value->f64);
        return 0;
    case WEIR_CQL_DOUBLE:
        cql_bind_double(out, value->f64);
        return 0;
    default:
        cql_bind_bigint(out, value->i64);
        return 0;
    }
}

struct weir_str cassandra_bound(const struct weir_buffer *out, size_t at)
{
    uint32_t bytes;
    memcpy(&bytes, out->data + at, sizeof bytes);
    return (struct weir_str){(const char *)out->data + at + 4, __builtin_bswap32(bytes)};
}

static int take_uuid(struct weir_str cell, struct weir_arena *arena, struct weir_value *ret)
{
    char *text = weir_arena_alloc(arena, UUID_TEXT_BYTES + 1);
    ret->str = (struct weir_str){text, UUID_TEXT_BYTES};
    return cql_cell_uuid(cell, text) ? 0 : -1;
}

static int take_number(struct weir_str cell, enum weir_cql_type type, struct weir_value *ret)
{
    bool good, boolean = false;
    int32_t narrow = 0;
    float single = 0;
    if (type == WEIR_CQL_BOOLEAN) {
        good = cql_cell_boolean(cell, &boolean);
        ret->i64 = boolean;
    } else if (type == WEIR_CQL_INT) {
        good = cql_cell_int(cell, &narrow);
        ret->i64 = narrow;
    } else if (type == WEIR_CQL_FLOAT) {
        good = cql_cell_float(cell, &single);
        ret->f64 = (double)single;
    } else {
        good = type == WEIR_CQL_DOUBLE ? cql_cell_double(cell, &ret->f64) : cql_cell_bigint(cell, &ret->i64);
    }
    return good ? 0 : -1;
}

int cassandra_take(const struct cql_cell *cell, enum weir_cql_type type, struct weir_arena *arena, struct weir_value *ret)
{
    *ret = (struct weir_value){.null = cell->null, .kind = weir_cql_kind(type)};
    if (cell->null)
        return 0;
    if (type == WEIR_CQL_TEXT) {
        ret->str = cell->bytes;
        return 0;
    }
    return type == WEIR_CQL_UUID ? take_uuid(cell->bytes, arena, ret) : take_number(cell->bytes, type, ret);
}

int64_t cassandra_token(struct weir_str bound, uint32_t columns, struct weir_buffer *scratch)
{
    const struct weir_buffer values = {(uint8_t *)(uintptr_t)bound.data, bound.bytes, bound.bytes};
    if (columns == 1)
        return cql_token(cassandra_bound(&values, 0));
    scratch->bytes = 0;
    size_t at = 0;
    for (uint32_t c = 0; c < columns; c++) {
        struct weir_str value = cassandra_bound(&values, at);
        cql_key_component(scratch, value);
        at += 4 + (size_t)value.bytes;
    }
    return cql_token(weir_buffer_view(scratch));
}
