// SPDX-License-Identifier: Apache-2.0
// The tables by which drivers learn what a ring looks like.
#include "base/uuid.h"
#include "inside.h"
#include <arpa/inet.h>
#include <stdio.h>

struct subject { // one row
    const struct fake_ring *ring;
    const struct fake_node *node;
    const char *keyspace;
};

static void put_text(struct weir_buffer *b, const char *text)
{
    cql_put_bytes(b, weir_str_of(text));
}

static void put_address(struct weir_buffer *b, const struct subject *s)
{
    uint8_t bytes[4];
    inet_pton(AF_INET, s->node->address, bytes);
    cql_put_bytes(b, (struct weir_str){(const char *)bytes, sizeof bytes});
}

static void put_port(struct weir_buffer *b, const struct subject *s)
{
    cql_bind_int(b, s->ring->port);
}

static void put_datacenter(struct weir_buffer *b, const struct subject *s)
{
    char name[16];
    snprintf(name, sizeof name, "dc%u", s->node->datacenter + 1);
    put_text(b, name);
}

static void put_rack(struct weir_buffer *b, const struct subject *s)
{
    char name[16];
    snprintf(name, sizeof name, "rack%u", s->node->rack + 1);
    put_text(b, name);
}

static void put_host_id(struct weir_buffer *b, const struct subject *s)
{
    cql_put_bytes(b, (struct weir_str){(const char *)s->node->host_uuid, 16});
}

static void put_schema_version(struct weir_buffer *b, const struct subject *s)
{
    char id[16] = "the fake schema";
    id[15] = (char)(s->node->disagrees ? 'x' : 'a' + s->ring->altered % 8);
    cql_put_bytes(b, (struct weir_str){id, sizeof id});
}

static void put_tokens(struct weir_buffer *b, const struct subject *s)
{
    struct weir_buffer set = {0};
    cql_put_int(&set, (int32_t)s->node->token_count);
    for (uint32_t i = 0; i < s->node->token_count; i++) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)s->node->tokens[i]);
        put_text(&set, text);
    }
    cql_put_bytes(b, weir_buffer_view(&set));
    weir_buffer_drop(&set);
}

static void put_keyspace(struct weir_buffer *b, const struct subject *s)
{
    put_text(b, s->keyspace);
}

static void put_true(struct weir_buffer *b, const struct subject *s)
{
    (void)s;
    cql_bind_boolean(b, true);
}

static void put_replication(struct weir_buffer *b, const struct subject *s)
{
    struct weir_buffer map = {0};
    char factor[12];
    snprintf(factor, sizeof factor, "%u", s->ring->options.replication);
    if (strcmp(s->keyspace, "ks") == 0) {
        cql_put_int(&map, 2);
        put_text(&map, "class"), put_text(&map, "org.apache.cassandra.locator.SimpleStrategy");
        put_text(&map, "replication_factor"), put_text(&map, factor);
    } else if (strcmp(s->keyspace, "nts") == 0) {
        cql_put_int(&map, 2);
        put_text(&map, "class"), put_text(&map, "org.apache.cassandra.locator.NetworkTopologyStrategy");
        put_text(&map, "dc1"), put_text(&map, factor);
    } else {
        cql_put_int(&map, 1);
        put_text(&map, "class"), put_text(&map, "org.apache.cassandra.locator.LocalStrategy");
    }
    cql_put_bytes(b, weir_buffer_view(&map));
    weir_buffer_drop(&map);
}

#define PUT_CONSTANT(name, text)                                                                                                                     \
    static void put_##name(struct weir_buffer *b, const struct subject *s)                                                                           \
    {                                                                                                                                                \
        (void)s;                                                                                                                                     \
        put_text(b, text);                                                                                                                           \
    }
PUT_CONSTANT(key, "local")
PUT_CONSTANT(bootstrapped, "COMPLETED")
PUT_CONSTANT(cluster, "fake ring")
PUT_CONSTANT(cql_version, "3.4.7")
PUT_CONSTANT(protocol, "5")
PUT_CONSTANT(partitioner, "org.apache.cassandra.dht.Murmur3Partitioner")
PUT_CONSTANT(release, "5.0.2")

static const struct system_column {
    const char *name;
    enum cql_type type;
    void (*put)(struct weir_buffer *b, const struct subject *s);
} system_columns[] = {
    {"key", CQL_VARCHAR, put_key},
    {"bootstrapped", CQL_VARCHAR, put_bootstrapped},
    {"broadcast_address", CQL_INET, put_address},
    {"cluster_name", CQL_VARCHAR, put_cluster},
    {"cql_version", CQL_VARCHAR, put_cql_version},
    {"data_center", CQL_VARCHAR, put_datacenter},
    {"host_id", CQL_UUID, put_host_id},
    {"listen_address", CQL_INET, put_address},
    {"native_address", CQL_INET, put_address},
    {"native_port", CQL_INT, put_port},
    {"native_protocol_version", CQL_VARCHAR, put_protocol},
    {"partitioner", CQL_VARCHAR, put_partitioner},
    {"peer", CQL_INET, put_address},
    {"peer_port", CQL_INT, put_port},
    {"rack", CQL_VARCHAR, put_rack},
    {"release_version", CQL_VARCHAR, put_release},
    {"rpc_address", CQL_INET, put_address},
    {"rpc_port", CQL_INT, put_port},
    {"schema_version", CQL_UUID, put_schema_version},
    {"tokens", CQL_SET, put_tokens},
    {"keyspace_name", CQL_VARCHAR, put_keyspace},
    {"durable_writes", CQL_BOOLEAN, put_true},
    {"replication", CQL_MAP, put_replication},
    // of the one table that is not the system's
    {"k", CQL_VARCHAR, NULL},
    {"c", CQL_BIGINT, NULL},
    {"v", CQL_VARCHAR, NULL},
    {"x", CQL_INT, NULL},
    {"device_id", CQL_UUID, NULL},
    {"timestamp", CQL_BIGINT, NULL},
    {"temperature", CQL_FLOAT, NULL},
    {"humidity", CQL_FLOAT, NULL},
    {"location", CQL_VARCHAR, NULL},
};

static const struct {
    const char *name, *columns; // of "*"
} tables[] = {
    {"system.local", "key bootstrapped broadcast_address cluster_name cql_version data_center host_id listen_address native_protocol_version "
                     "partitioner rack release_version rpc_address rpc_port schema_version tokens"},
    {"system.peers_v2", "peer peer_port data_center host_id native_address native_port rack release_version schema_version tokens"},
    {"system.peers", "peer data_center host_id rack release_version rpc_address schema_version tokens"},
    {"system_schema.keyspaces", "keyspace_name durable_writes replication"},
};
enum { LOCAL, PEERS_V2, PEERS, KEYSPACES, TABLES };

static const struct system_column *column_of(struct weir_str name)
{
    for (size_t i = 0; i < sizeof system_columns / sizeof *system_columns; i++) {
        if (weir_str_is(name, system_columns[i].name))
            return &system_columns[i];
    }
    return NULL;
}

static void put_type(struct weir_buffer *b, struct weir_str column)
{
    const struct system_column *known = column_of(column);
    enum cql_type type = known ? known->type : CQL_BLOB;
    cql_put_short(b, (uint16_t)type);
    if (type == CQL_SET || type == CQL_MAP)
        cql_put_short(b, CQL_VARCHAR);
    if (type == CQL_MAP)
        cql_put_short(b, CQL_VARCHAR);
}

void fake_put_columns(struct weir_buffer *b, const char *keyspace, const char *table, const struct weir_str *names, uint32_t count)
{
    cql_put_string(b, weir_str_of(keyspace));
    cql_put_string(b, weir_str_of(table));
    for (uint32_t i = 0; i < count; i++) {
        cql_put_string(b, names[i]);
        put_type(b, names[i]);
    }
}

// ---- rows

static uint32_t subjects_of(const struct fake_ring *r, uint32_t table, uint32_t viewer, struct subject *ret)
{
    static const char *const keyspaces[] = {"system", "system_schema", "ks", "nts"};
    uint32_t count = 0;
    if (table == LOCAL)
        ret[count++] = (struct subject){r, &r->nodes[viewer], ""};
    for (uint32_t i = 0; i < r->node_count && (table == PEERS || table == PEERS_V2); i++) {
        if (i != viewer && !r->nodes[i].gone)
            ret[count++] = (struct subject){r, &r->nodes[i], ""};
    }
    for (uint32_t i = 0; i < 4 && table == KEYSPACES; i++)
        ret[count++] = (struct subject){r, &r->nodes[viewer], keyspaces[i]};
    return count;
}

// What WHERE compares the first column with, as a cell; false: there is no WHERE, or none that is understood.
static bool condition(const struct fake_request *q, struct weir_str *ret_column, struct weir_str *ret_value, uint8_t address[4])
{
    struct weir_str where = fake_text_after(q->text, " WHERE ");
    if (!where.data)
        return false;
    *ret_column = fake_text_word(where);
    struct weir_str quoted = fake_text_after(where, "'");
    const struct cql_parameters *p = &q->asked.parameters;
    if (!quoted.data) {
        struct weir_cursor c = {(const uint8_t *)p->values.data, (const uint8_t *)p->values.data + p->values.bytes, false};
        return p->value_count && cql_take_value(&c, ret_value);
    }
    const char *end = memchr(quoted.data, '\'', quoted.bytes);
    *ret_value = (struct weir_str){quoted.data, end ? (uint32_t)(end - quoted.data) : quoted.bytes};
    char text[16] = "";
    if (ret_value->bytes < sizeof text)
        memcpy(text, ret_value->data, ret_value->bytes);
    if (inet_pton(AF_INET, text, address) == 1)
        *ret_value = (struct weir_str){(const char *)address, 4};
    return true;
}

static bool subject_matches(const struct subject *s, struct weir_str column, struct weir_str value)
{
    const struct system_column *known = column_of(column);
    if (!known || !known->put)
        return true;
    struct weir_buffer cell = {0};
    known->put(&cell, s);
    bool same = weir_str_eq(value, (struct weir_str){(const char *)cell.data + 4, (uint32_t)cell.bytes - 4});
    weir_buffer_drop(&cell);
    return same || known->put == put_port; // of "peer = … AND peer_port = …" the address is enough
}

static uint32_t columns_of(const struct fake_request *q, uint32_t table, struct weir_str *ret)
{
    uint32_t count = fake_select_columns(q->text, ret);
    if (count != 1 || !weir_str_is(ret[0], "*"))
        return count;
    if (table == TABLES) {
        ret[0] = WEIR_STR("keyspace_name");
        return 1;
    }
    count = 0;
    struct weir_str all = weir_str_of(tables[table].columns);
    for (struct weir_str word = fake_text_word(all); word.bytes && count < FAKE_COLUMNS_MAX; word = fake_text_word(all)) {
        ret[count++] = word;
        all = (struct weir_str){word.data + word.bytes, (uint32_t)(all.data + all.bytes - word.data - word.bytes)};
    }
    return count;
}

static void put_row(struct weir_buffer *b, const struct subject *s, const struct weir_str *columns, uint32_t column_count)
{
    for (uint32_t c = 0; c < column_count; c++) {
        const struct system_column *known = column_of(columns[c]);
        if (known && known->put)
            known->put(b, s);
        else
            cql_put_int(b, -1);
    }
}

void fake_put_system(struct fake_ring *r, uint32_t node, const struct fake_request *q, struct weir_buffer *b)
{
    struct weir_str columns[FAKE_COLUMNS_MAX], column, value, from = fake_text_word(fake_text_after(q->text, " FROM "));
    struct subject subjects[FAKE_NODES_MAX + 4];
    uint8_t address[4];
    uint32_t table = 0, rows = 0;
    while (table < TABLES && !weir_str_is(from, tables[table].name))
        table++;
    uint32_t column_count = columns_of(q, table, columns), subject_count = subjects_of(r, table, node, subjects);
    bool filtered = condition(q, &column, &value, address);
    struct weir_buffer cells = {0};
    for (uint32_t i = 0; i < subject_count; i++) {
        if (filtered && !subject_matches(&subjects[i], column, value))
            continue;
        put_row(&cells, &subjects[i], columns, column_count);
        rows++;
    }
    const char *dot = memchr(from.data, '.', from.bytes);
    char keyspace[64] = "system";
    if (dot)
        snprintf(keyspace, sizeof keyspace, "%.*s", (int)(dot - from.data), from.data);
    bool left_out = q->asked.parameters.skip_metadata;
    cql_put_int(b, CQL_RESULT_ROWS);
    cql_put_int(b, left_out ? 4 : 1);
    cql_put_int(b, (int32_t)column_count);
    if (!left_out)
        fake_put_columns(b, keyspace, table < TABLES ? strchr(tables[table].name, '.') + 1 : "unknown", columns, column_count);
    cql_put_int(b, (int32_t)rows);
    weir_buffer_add(b, cells.data, cells.bytes);
    weir_buffer_drop(&cells);
}
