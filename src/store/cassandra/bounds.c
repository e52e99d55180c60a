// SPDX-License-Identifier: Apache-2.0
// Rows in Cassandra do not carry their window's start, but their columns mostly do: a column of seconds or milliseconds bounds it exactly, year, month,
// day and hour by the calendar. What the server is asked for may be a little more than is wanted; each row is held against the bounds again.
#include "base/time.h"
#include "base/zone.h"
#include "store/cassandra/read.h"

enum { DAY_MS = 86400000 }; // clocks are never set further

// ---- what is sent

static struct weir_value column_value(enum weir_cql_type type, int64_t value)
{
    if (type == WEIR_CQL_INT)
        value = value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : value;
    return (struct weir_value){.kind = WEIR_I64, .i64 = value};
}

static int64_t in_unit(enum weir_time_part part, int64_t ms, bool upper)
{
    int64_t us;
    if (part == WEIR_PART_S)
        return weir_floor_div(ms, 1000);
    if (part == WEIR_PART_MS)
        return ms;
    if (__builtin_mul_overflow(ms, 1000, &us) || __builtin_add_overflow(us, upper ? 999 : 0, &us))
        return ms < 0 ? INT64_MIN : INT64_MAX;
    return us;
}

static int bound_column(const struct cassandra_shape *shape, uint32_t column, const struct weir_value *value, bool upper, struct bounds *b,
                        struct weir_error *err)
{
    const struct weir_table_column *c = &shape->table->columns[column];
    weir_buffer_format(&b->text, " AND ");
    cassandra_put_name(&b->text, c->name);
    weir_buffer_format(&b->text, upper ? " <= ?" : " >= ?");
    if (cassandra_bind(&b->values, c->type, value) == 0)
        return 0;
    return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "table %s: the value for key column %s is no uuid", shape->table->name, c->name);
}

static int64_t civil_field(const struct weir_civil *civil, enum weir_time_part part)
{
    return part == WEIR_PART_YEAR ? civil->year : part == WEIR_PART_MONTH ? civil->month : part == WEIR_PART_DAY ? civil->day : civil->hour;
}

// (year, month, day, hour) >= (?, ?, ?, ?), of as many of these as lead the clustering key, in this order.
static void bound_date(const struct cassandra_shape *shape, int64_t ms, bool upper, struct bounds *b)
{
    const struct weir_table *table = shape->table;
    if (__builtin_add_overflow(ms, upper ? DAY_MS : -DAY_MS, &ms) || ms < -60000000000000 || ms > 250000000000000)
        return; // beyond the calendar: rows tell
    struct weir_civil civil = weir_zone_civil(table->zone, ms);
    uint32_t count = 0;
    while (count < table->clustering_count && count < 4 && table->time_parts[table->clustering[count].column] == WEIR_PART_YEAR + count)
        count++;
    weir_buffer_format(&b->text, " AND (");
    for (uint32_t i = 0; i < count; i++) {
        const struct weir_table_column *column = &table->columns[table->clustering[i].column];
        struct weir_value value = column_value(column->type, civil_field(&civil, table->time_parts[table->clustering[i].column]));
        weir_buffer_format(&b->text, i ? ", " : "");
        cassandra_put_name(&b->text, column->name);
        cassandra_bind(&b->values, column->type, &value);
    }
    weir_buffer_format(&b->text, upper ? ") <= (" : ") >= (");
    for (uint32_t i = 0; i < count; i++)
        weir_buffer_format(&b->text, i ? ", ?" : "?");
    weir_buffer_format(&b->text, ")");
}

static int bound_window(const struct cassandra_shape *shape, int64_t ms, bool upper, struct bounds *b, struct weir_error *err)
{
    const struct weir_table *table = shape->table;
    if (b->equal > 0 || table->clustering_count == 0)
        return 0; // rows tell
    uint32_t column = table->clustering[0].column;
    enum weir_time_part part = table->time_parts[column];
    if (part == WEIR_PART_YEAR)
        bound_date(shape, ms, upper, b);
    if (part == WEIR_PART_NONE || part >= WEIR_PART_YEAR)
        return 0;
    struct weir_value value = column_value(table->columns[column].type, in_unit(part, ms, upper));
    return bound_column(shape, column, &value, upper, b, err);
}

static int bound_one(const struct cassandra_shape *shape, const struct weir_value *value, bool upper, struct bounds *b, struct weir_error *err)
{
    if (shape->table->windowed)
        return bound_window(shape, value->i64, upper, b, err);
    return b->equal > 0 ? 0 : bound_column(shape, shape->table->clustering[0].column, value, upper, b, err);
}

static int bind_equal(const struct cassandra_shape *shape, struct bounds *b, struct weir_error *err)
{
    const struct weir_table *table = shape->table;
    for (uint32_t i = 0; i < b->equal; i++) {
        const struct weir_table_column *column = &table->columns[table->clustering[i].column];
        if (cassandra_bind(&b->values, column->type, &b->scan->key[table->partition_count + i]) < 0)
            return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "table %s: the value for key column %s is no uuid", table->name, column->name);
    }
    return 0;
}

int bounds_make(const struct cassandra_shape *shape, const struct weir_scan *scan, struct bounds *ret, struct weir_error *err)
{
    const struct weir_table *table = shape->table;
    struct bounds b = {
        .scan = scan, .equal = scan->key_count ? scan->key_count - table->partition_count : 0, .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    b.rows_tell = (scan->bound_from || scan->bound_to) && (table->windowed || b.equal > 0);
    if (table->windowed && scan->bound_from)
        b.from_ms = scan->from.i64;
    if (table->windowed && scan->bound_to)
        b.to_ms = scan->to.i64;
    *ret = b;
    if (b.rows_tell && table->windowed && !cassandra_tells_time(table))
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP,
                         "table %s: no column tells when a row's window started, and Cassandra keeps nothing else: from and to need one made of "
                         "window_start, such as hour: bigint = epoch_s(window_start)",
                         table->name);
    int rc = bind_equal(shape, &b, err);
    if (rc == 0 && scan->bound_from)
        rc = bound_one(shape, &scan->from, false, &b, err);
    if (rc == 0 && scan->bound_to)
        rc = bound_one(shape, &scan->to, true, &b, err);
    *ret = b;
    return rc;
}

void bounds_drop(struct bounds *b)
{
    weir_buffer_drop(&b->text);
    weir_buffer_drop(&b->values);
}

// ---- what comes back

static int compare(const struct weir_value *a, const struct weir_value *b)
{
    if (a->kind == WEIR_STRS)
        return weir_str_compare(a->str, b->str);
    if (a->kind == WEIR_F64)
        return (a->f64 > b->f64) - (a->f64 < b->f64);
    return (a->i64 > b->i64) - (a->i64 < b->i64);
}

bool bounds_let_through(const struct bounds *b, const struct weir_value *values)
{
    const struct weir_table *table = b->scan->table;
    int64_t ms;
    if (!b->rows_tell)
        return true;
    if (table->windowed)
        return cassandra_row_time(table, values, &ms) == 0 && ms >= b->from_ms && ms <= b->to_ms;
    const struct weir_value *value = &values[table->clustering[0].column];
    return !(b->scan->bound_from && compare(value, &b->scan->from) < 0) && !(b->scan->bound_to && compare(value, &b->scan->to) > 0);
}

// Bounds of a table without windows are on its first clustering column, which is a time wherever there are buckets.
bool bounds_let_bucket_through(const struct bounds *b, const struct cassandra_shape *shape, int64_t bucket_ms)
{
    int64_t from_ms = b->from_ms, to_ms = b->to_ms;
    const struct weir_table *table = shape->table;
    if (!table->windowed) {
        enum weir_time_part part = table->time_parts[table->clustering[0].column];
        int64_t per_ms = part == WEIR_PART_US ? 1000 : 1;
        if (b->scan->bound_from)
            from_ms = part == WEIR_PART_S ? in_unit(WEIR_PART_US, b->scan->from.i64, false) : weir_floor_div(b->scan->from.i64, per_ms);
        if (b->scan->bound_to)
            to_ms = part == WEIR_PART_S ? in_unit(WEIR_PART_US, b->scan->to.i64, false) : weir_floor_div(b->scan->to.i64, per_ms);
    }
    return to_ms >= bucket_ms && from_ms < cassandra_bucket_next_ms(shape->unit, bucket_ms);
}
