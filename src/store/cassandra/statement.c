// SPDX-License-Identifier: Apache-2.0
#include "store/cassandra/statement.h"

#include "store/store.h"

#include <stdio.h>

// Words that CQL keeps for itself ("Appendix A: CQL Keywords", reserved); a column of that name is quoted.
static const char *const reserved[] = {
    "add",    "allow",   "alter",  "and",         "apply",    "asc",   "authorize", "batch",    "begin", "by",           "columnfamily",
    "create", "default", "delete", "desc",        "describe", "drop",  "entries",   "execute",  "from",  "full",         "grant",
    "if",     "in",      "index",  "infinity",    "insert",   "into",  "is",        "keyspace", "limit", "materialized", "mbean",
    "mbeans", "modify",  "nan",    "norecursive", "not",      "null",  "of",        "on",       "or",    "order",        "primary",
    "rename", "replace", "revoke", "schema",      "select",   "set",   "table",     "to",       "token", "truncate",     "unlogged",
    "unset",  "update",  "use",    "using",       "view",     "where", "with",
};

static bool is_plain(const char *name)
{
    if (name[0] < 'a' || name[0] > 'z')
        return false;
    for (const char *at = name; *at; at++) {
        if (!((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_'))
            return false;
    }
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strcmp(name, reserved[i]) == 0)
            return false;
    }
    return true;
}

void cassandra_put_name(struct weir_buffer *out, const char *name)
{
    if (is_plain(name)) {
        weir_buffer_format(out, "%s", name);
        return;
    }
    weir_buffer_byte(out, '"');
    for (; *name; name++) {
        if (*name == '"')
            weir_buffer_byte(out, '"');
        weir_buffer_byte(out, (uint8_t)*name);
    }
    weir_buffer_byte(out, '"');
}

static void add_keyspace(struct weir_buffer *out, const char *keyspace)
{
    char name[64];
    snprintf(name, sizeof(name), "%s", keyspace);
    for (char *at = name; *at; at++)
        *at = *at == '-' ? '_' : *at;
    cassandra_put_name(out, name);
}

static void add_text(struct weir_buffer *out, const char *text)
{
    weir_buffer_byte(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            weir_buffer_byte(out, '\'');
        weir_buffer_byte(out, (uint8_t)*text);
    }
    weir_buffer_byte(out, '\'');
}

static void add_columns(struct weir_buffer *out, const struct weir_table *table)
{
    for (uint32_t c = 0; c < table->column_count; c++) {
        weir_buffer_format(out, "    ");
        cassandra_put_name(out, table->columns[c].name);
        weir_buffer_format(out, " %s,\n", weir_cql_type_name(table->columns[c].type));
    }
}

static void add_key(struct weir_buffer *out, const struct weir_table *table)
{
    weir_buffer_format(out, "    PRIMARY KEY ((");
    for (uint32_t i = 0; i < table->partition_count; i++) {
        weir_buffer_format(out, "%s", i ? ", " : "");
        cassandra_put_name(out, table->columns[table->partition[i]].name);
    }
    weir_buffer_format(out, ")");
    for (uint32_t i = 0; i < table->clustering_count; i++) {
        weir_buffer_format(out, ", ");
        cassandra_put_name(out, table->columns[table->clustering[i].column].name);
    }
    weir_buffer_format(out, ")\n)");
}

static void add_clustering(struct weir_buffer *out, const struct weir_table *table)
{
    weir_buffer_format(out, "CLUSTERING ORDER BY (");
    for (uint32_t i = 0; i < table->clustering_count; i++) {
        weir_buffer_format(out, "%s", i ? ", " : "");
        cassandra_put_name(out, table->columns[table->clustering[i].column].name);
        weir_buffer_format(out, " %s", table->clustering[i].descending ? "DESC" : "ASC");
    }
    weir_buffer_format(out, ")");
}

static void add_compaction(struct weir_buffer *out, const struct weir_table *table)
{
    weir_buffer_format(out, "compaction = {");
    for (uint32_t i = 0; i < table->compaction_count; i++) {
        weir_buffer_format(out, "%s", i ? ", " : "");
        add_text(out, table->compaction[i].name);
        weir_buffer_format(out, ": ");
        add_text(out, table->compaction[i].value);
    }
    weir_buffer_format(out, "}");
}

static void add_joint(struct weir_buffer *out, bool *first)
{
    weir_buffer_format(out, *first ? " WITH " : "\n    AND ");
    *first = false;
}

void cassandra_put_table(struct weir_buffer *out, const char *keyspace, const struct weir_table *table)
{
    add_keyspace(out, keyspace);
    weir_buffer_byte(out, '.');
    cassandra_put_name(out, table->name);
}

// ---- definitions

void cassandra_put_create_keyspace(struct weir_buffer *out, const char *keyspace, const char *replication)
{
    weir_buffer_format(out, "CREATE KEYSPACE IF NOT EXISTS ");
    add_keyspace(out, keyspace);
    weir_buffer_format(out, " WITH replication = %s", replication);
}

void cassandra_put_create_table(struct weir_buffer *out, const char *keyspace, const struct cassandra_shape *shape)
{
    const struct weir_table *table = &shape->physical;
    weir_buffer_format(out, "CREATE TABLE IF NOT EXISTS ");
    cassandra_put_table(out, keyspace, table);
    weir_buffer_format(out, " (\n");
    add_columns(out, table);
    add_key(out, table);
    bool first = true;
    if (table->clustering_count > 0) {
        add_joint(out, &first);
        add_clustering(out, table);
    }
    if (table->compaction_count > 0) {
        add_joint(out, &first);
        add_compaction(out, table);
    }
    if (table->ttl_ms > 0) {
        add_joint(out, &first);
        weir_buffer_format(out, "default_time_to_live = %lld", (long long)((table->ttl_ms + 999) / 1000));
    }
}

// ---- rows

static void add_equal(struct weir_buffer *out, const struct weir_table *table, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        weir_buffer_format(out, i ? " AND " : " WHERE ");
        cassandra_put_name(out, table->columns[weir_table_key(table, i)].name);
        weir_buffer_format(out, " = ?");
    }
}

static void add_column_names(struct weir_buffer *out, const struct weir_table *table)
{
    for (uint32_t c = 0; c < table->column_count; c++) {
        weir_buffer_format(out, c ? ", " : "");
        cassandra_put_name(out, table->columns[c].name);
    }
}

void cassandra_put_insert(struct weir_buffer *out, const char *keyspace, const struct cassandra_shape *shape)
{
    weir_buffer_format(out, "INSERT INTO ");
    cassandra_put_table(out, keyspace, shape->table);
    weir_buffer_format(out, " (");
    add_column_names(out, &shape->physical);
    weir_buffer_format(out, ") VALUES (");
    for (uint32_t c = 0; c < shape->physical.column_count; c++)
        weir_buffer_format(out, c ? ", ?" : "?");
    weir_buffer_format(out, ") USING TIMESTAMP ?");
}

void cassandra_put_delete(struct weir_buffer *out, const char *keyspace, const struct cassandra_shape *shape)
{
    weir_buffer_format(out, "DELETE FROM ");
    cassandra_put_table(out, keyspace, shape->table);
    weir_buffer_format(out, " USING TIMESTAMP ?");
    add_equal(out, &shape->physical, weir_table_key_count(&shape->physical));
}

void cassandra_put_select(struct weir_buffer *out, const char *keyspace, const struct cassandra_shape *shape, uint32_t equal)
{
    weir_buffer_format(out, "SELECT ");
    add_column_names(out, shape->table);
    weir_buffer_format(out, " FROM ");
    cassandra_put_table(out, keyspace, shape->table);
    add_equal(out, &shape->physical, shape->physical.partition_count + equal);
}

void cassandra_put_select_keys(struct weir_buffer *out, const char *keyspace, const struct cassandra_shape *shape)
{
    weir_buffer_format(out, "SELECT DISTINCT ");
    for (uint32_t i = 0; i < shape->physical.partition_count; i++) {
        weir_buffer_format(out, i ? ", " : "");
        cassandra_put_name(out, shape->physical.columns[shape->physical.partition[i]].name);
    }
    weir_buffer_format(out, " FROM ");
    cassandra_put_table(out, keyspace, shape->table);
}

int weir_cassandra_table_text(struct weir_buffer *out, const char *keyspace, const struct weir_table *table, struct weir_error *err)
{
    struct cassandra_shape shape;
    if (cassandra_shape_make(table, &shape, err) < 0)
        return -1;
    cassandra_put_create_table(out, keyspace, &shape);
    weir_buffer_format(out, ";\n");
    cassandra_shape_drop(&shape);
    return 0;
}
