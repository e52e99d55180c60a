// SPDX-License-Identifier: Apache-2.0
// Snapshots of the cluster: made from rows of system tables, immutable, shared by counting.
#include "cql/inside.h"

#include "base/number.h"
#include "base/uuid.h"
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

struct topology *cql_topology_use(struct cql_session *s)
{
    pthread_mutex_lock(&s->lock);
    struct topology *t = s->topology;
    if (t)
        COUNT(t->users);
    pthread_mutex_unlock(&s->lock);
    return t;
}

void cql_topology_release(struct topology *t)
{
    if (!t || atomic_fetch_sub(&t->users, 1) > 1)
        return;
    for (uint32_t i = 0; i < t->keyspace_count; i++)
        cql_replicas_drop(&t->keyspaces[i].replicas);
    free(t->keyspaces);
    free(t->vnodes);
    pthread_mutex_destroy(&t->lock);
    struct weir_arena memory = t->memory;
    free(t);
    weir_arena_drop(&memory);
}

void cql_topology_publish(struct cql_session *s, struct topology *t)
{
    pthread_mutex_lock(&s->lock);
    struct topology *old = s->topology;
    s->topology = t;
    for (size_t i = 0; i < s->host_count; i++)
        s->hosts[i]->gone = true;
    for (uint32_t i = 0; i < t->host_count; i++)
        t->hosts[i]->gone = false;
    pthread_mutex_unlock(&s->lock);
    COUNT(s->topology_count);
    cql_topology_release(old);
}

static struct cql_ring topology_ring(const struct topology *t)
{
    return (struct cql_ring){.node_count = t->host_count, .vnode_count = t->vnode_count, .places = t->places, .vnodes = t->vnodes};
}

static struct keyspace *keyspace_find(struct topology *t, const char *name)
{
    for (uint32_t i = 0; i < t->keyspace_count; i++)
        if (strcmp(t->keyspaces[i].name, name) == 0)
            return &t->keyspaces[i];
    return NULL;
}

static void keyspace_make(struct topology *t, struct keyspace *k)
{
    pthread_mutex_lock(&t->lock);
    if (!atomic_load(&k->made)) {
        struct cql_ring ring = topology_ring(t);
        cql_replicas_make(&ring, &k->replication, &k->replicas);
        atomic_store(&k->made, true);
    }
    pthread_mutex_unlock(&t->lock);
}

uint32_t cql_topology_replicas(struct topology *t, const char *keyspace, int64_t token, const uint32_t **ret)
{
    struct keyspace *k = keyspace_find(t, keyspace);
    if (!k || t->vnode_count == 0)
        return 0;
    if (!atomic_load_explicit(&k->made, memory_order_acquire))
        keyspace_make(t, k);
    struct cql_ring ring = topology_ring(t);
    uint32_t vnode = cql_ring_find(&ring, token);
    *ret = k->replicas.nodes + k->replicas.first[vnode];
    return k->replicas.first[vnode + 1] - k->replicas.first[vnode];
}

// ---- rows

enum { COLUMNS_MAX = 256 };

struct row {
    const struct cql_result *result;
    struct cql_cell cells[COLUMNS_MAX];
};

static struct weir_str row_get(const struct row *row, const char *name)
{
    for (uint32_t i = 0; i < cql_result_columns(row->result); i++)
        if (weir_str_is(cql_result_column_name(row->result, i), name))
            return row->cells[i].null ? (struct weir_str){0} : row->cells[i].bytes;
    return (struct weir_str){0};
}

static void copy_text(struct weir_str from, char *to, size_t bytes)
{
    snprintf(to, bytes, "%.*s", (int)from.bytes, from.data ? from.data : "");
}

// Where clients find a node. A peer that listens on all addresses is asked for at the one its peers know.
static bool row_address(const struct row *row, uint16_t port, struct sockaddr_storage *ret)
{
    static const char *const names[] = {"native_address", "rpc_address", "peer"};
    int32_t native_port;
    if (cql_cell_int(row_get(row, "native_port"), &native_port) && native_port > 0 && native_port < 65536)
        port = (uint16_t)native_port;
    char text[46];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (cql_cell_inet(row_get(row, names[i]), text) && strcmp(text, "0.0.0.0") != 0 && strcmp(text, "::") != 0)
            return cql_address_parse(text, port, ret) == 0;
    return false;
}

static struct host *host_of(struct cql_session *s, const uint8_t id[16]) // under s->lock
{
    for (size_t i = 0; i < s->host_count; i++)
        if (memcmp(s->hosts[i]->id, id, 16) == 0)
            return s->hosts[i];
    struct host *made = weir_zalloc(1, sizeof *made);
    memcpy(made->id, id, 16);
    weir_uuid_format(id, made->info.host_id);
    weir_grow(&s->hosts, &s->host_capacity, s->host_count + 1, sizeof(struct host *));
    s->hosts[s->host_count++] = made;
    return made;
}

struct builder {
    struct cql_session *s;
    struct topology *t;
    uint32_t room;
    size_t vnode_capacity;
};

static bool builder_has(const struct builder *b, const struct host *h)
{
    for (uint32_t i = 0; i < b->t->host_count; i++)
        if (b->t->hosts[i] == h)
            return true;
    return false;
}

static uint32_t builder_tokens(struct builder *b, struct weir_str cell)
{
    struct weir_cursor c;
    int32_t count;
    uint32_t before = b->t->vnode_count;
    if (!cql_cell_list(cell, &c, &count))
        return 0;
    for (int32_t i = 0; i < count; i++) {
        struct weir_str text;
        int64_t token;
        if (!cql_take_bytes(&c, &text) || c.bad || weir_parse_i64(text, &token) < 0)
            continue;
        weir_grow(&b->t->vnodes, &b->vnode_capacity, b->t->vnode_count + (size_t)1, sizeof *b->t->vnodes);
        b->t->vnodes[b->t->vnode_count++] = (struct cql_vnode){token, b->t->host_count};
    }
    return b->t->vnode_count - before;
}

static void builder_host(struct builder *b, const struct row *row, const struct sockaddr_storage *address)
{
    struct topology *t = b->t;
    struct weir_str id = row_get(row, "host_id"), dc = row_get(row, "data_center"), rack = row_get(row, "rack");
    if (id.bytes != 16 || dc.bytes == 0)
        return; // a node that is just joining: its row is not complete yet
    pthread_mutex_lock(&b->s->lock);
    struct host *h = host_of(b->s, (const uint8_t *)id.data);
    if (!builder_has(b, h)) {
        h->address = *address;
        cql_address_text(address, h->info.address);
        copy_text(dc, h->info.datacenter, sizeof h->info.datacenter);
        copy_text(rack, h->info.rack, sizeof h->info.rack);
        copy_text(row_get(row, "release_version"), h->info.release, sizeof h->info.release);
        h->info.tokens = builder_tokens(b, row_get(row, "tokens"));
        t->hosts[t->host_count] = h;
        t->addresses[t->host_count] = *address;
        t->places[t->host_count].datacenter = weir_arena_copy(&t->memory, weir_str_of(h->info.datacenter)).data;
        t->places[t->host_count].rack = weir_arena_copy(&t->memory, weir_str_of(h->info.rack)).data;
        t->host_count++;
    }
    pthread_mutex_unlock(&b->s->lock);
}

static int builder_hosts(struct builder *b, const struct topology_rows *rows, struct weir_error *err)
{
    const struct cql_result *tables[] = {rows->local, rows->peers};
    for (int i = 0; i < 2; i++) {
        struct row row = {.result = tables[i]};
        struct cql_rows at;
        int found;
        if (cql_result_columns(row.result) > COLUMNS_MAX)
            return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "a system table with %u columns", cql_result_columns(row.result));
        cql_rows_begin(row.result, &at);
        while ((found = cql_rows_next(&at, row.cells)) > 0) {
            struct sockaddr_storage address = rows->asked;
            if (i == 0 || row_address(&row, rows->port, &address))
                builder_host(b, &row, &address);
        }
        if (found < 0)
            return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "rows of a system table are damaged");
    }
    if (b->t->host_count == 0)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "the node does not say who it is (system.local)");
    return 0;
}

static void builder_replication(struct cql_replication *r, struct weir_str map)
{
    struct weir_cursor c;
    int32_t pairs;
    if (!cql_cell_list(map, &c, &pairs)) // a map is a list of twice as many
        return;
    for (int32_t i = 0; i < pairs && !c.bad; i++) {
        struct weir_str key, value;
        if (cql_take_bytes(&c, &key) && cql_take_bytes(&c, &value) && !c.bad)
            cql_replication_put(r, key, value);
    }
}

static int builder_keyspaces(struct builder *b, const struct cql_result *result, struct weir_error *err)
{
    struct row row = {.result = result};
    struct cql_rows at;
    int found;
    if (cql_result_columns(result) > COLUMNS_MAX)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "a system table with %u columns", cql_result_columns(result));
    b->t->keyspaces = weir_zalloc(cql_result_rows(result), sizeof *b->t->keyspaces);
    cql_rows_begin(result, &at);
    while ((found = cql_rows_next(&at, row.cells)) > 0) {
        struct keyspace *k = &b->t->keyspaces[b->t->keyspace_count++];
        copy_text(row_get(&row, "keyspace_name"), k->name, sizeof k->name);
        builder_replication(&k->replication, row_get(&row, "replication"));
    }
    return found < 0 ? weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "rows of system_schema.keyspaces are damaged") : 0;
}

static int vnode_compare(const void *a, const void *b)
{
    int64_t one = ((const struct cql_vnode *)a)->token, other = ((const struct cql_vnode *)b)->token;
    return (one > other) - (one < other);
}

// The local data centre is that of the first node that answers, unless the options name it.
static int builder_local(struct builder *b, struct weir_error *err)
{
    struct topology *t = b->t;
    struct cql_session *s = b->s;
    uint32_t found = 0;
    pthread_mutex_lock(&s->lock);
    if (!s->local_dc[0])
        snprintf(s->local_dc, sizeof s->local_dc, "%s", t->places[0].datacenter);
    for (uint32_t i = 0; i < t->host_count; i++)
        found += t->local[i] = strcmp(t->places[i].datacenter, s->local_dc) == 0;
    pthread_mutex_unlock(&s->lock);
    if (found)
        return 0;
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "no node is in the local data centre '%s'; the first is in '%s'", s->local_dc,
                     t->places[0].datacenter);
}

int cql_topology_build(struct cql_session *s, const struct topology_rows *rows, struct topology **ret, struct weir_error *err)
{
    uint32_t room = cql_result_rows(rows->local) + cql_result_rows(rows->peers);
    struct topology *t = weir_zalloc(1, sizeof *t);
    atomic_init(&t->users, 1);
    pthread_mutex_init(&t->lock, NULL);
    t->hosts = weir_arena_zalloc(&t->memory, room * sizeof *t->hosts);
    t->addresses = weir_arena_zalloc(&t->memory, room * sizeof *t->addresses);
    t->places = weir_arena_zalloc(&t->memory, room * sizeof *t->places);
    t->local = weir_arena_zalloc(&t->memory, room * sizeof *t->local);
    struct builder b = {.s = s, .t = t, .room = room};
    if (builder_hosts(&b, rows, err) < 0 || builder_keyspaces(&b, rows->keyspaces, err) < 0 || builder_local(&b, err) < 0) {
        cql_topology_release(t);
        return -1;
    }
    if (t->vnode_count)
        qsort(t->vnodes, t->vnode_count, sizeof *t->vnodes, vnode_compare);
    *ret = t;
    return 0;
}
