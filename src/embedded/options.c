// SPDX-License-Identifier: Apache-2.0
#include "embedded/handle.h"

#include "base/memory.h"
#include "base/time.h"
#include <endian.h>
#include <stdlib.h>

enum { BLOCK_CACHE_BYTES = 8 << 20, TABLE_BLOCK_BYTES = 16 << 10, BLOOM_BITS = 10 };

const char *const db_family_names[WEIR_FAMILIES] = {"default", "log", "registry", "state", "tables", "dead"};

// Small in memory and quick to open: at most 64 MiB of write-ahead log to replay, at most 48 MiB of memtables. Point-in-time recovery cuts a torn
// tail and keeps what comes before it.
static const char database[] = "create_if_missing=true;create_missing_column_families=true;paranoid_checks=true;"
                               "wal_recovery_mode=kPointInTimeRecovery;avoid_flush_during_recovery=false;max_total_wal_size=67108864;"
                               "db_write_buffer_size=50331648;max_background_jobs=2;bytes_per_sync=1048576;"
                               "keep_log_file_num=2;max_log_file_size=1048576;info_log_level=WARN_LEVEL;"
                               "stats_dump_period_sec=0;stats_persist_period_sec=0;max_manifest_file_size=4194304";

// By family. The log's keys only grow, so that its files never overlap and are moved from level to level as they are; blocks of rows are merged
// seldom, as new ones come.
static const char *const families[WEIR_FAMILIES] = {
    [WEIR_META] = "write_buffer_size=4194304",
    [WEIR_LOG] = "write_buffer_size=16777216;compression=kLZ4Compression;target_file_size_base=67108864",
    [WEIR_REGISTRY] = "write_buffer_size=1048576;compression=kLZ4Compression",
    [WEIR_STATE] = "write_buffer_size=8388608;compression=kLZ4Compression",
    [WEIR_TABLES] = "write_buffer_size=16777216;compression=kLZ4Compression;compaction_style=kCompactionStyleUniversal",
    [WEIR_DEAD] = "write_buffer_size=4194304;compression=kLZ4Compression",
};

static rocksdb_options_t *parse(const rocksdb_options_t *base, const char *text)
{
    rocksdb_options_t *options = rocksdb_options_create();
    char *message = NULL;
    rocksdb_get_options_from_string(base, text, options, &message);
    weir_assert(message == NULL);
    return options;
}

static rocksdb_block_based_table_options_t *table_options(rocksdb_cache_t *cache)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_block_size(table, TABLE_BLOCK_BYTES);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
    return table;
}

// ---- rows that have expired

static unsigned char has_expired(void *state, int level, const char *key, size_t key_bytes, const char *value, size_t value_bytes, char **new_value,
                                 size_t *new_value_bytes, unsigned char *value_changed)
{
    (void)state, (void)level, (void)key, (void)key_bytes, (void)new_value, (void)new_value_bytes;
    *value_changed = 0;
    uint64_t expires_ms;
    if (value_bytes < sizeof expires_ms)
        return 0;
    memcpy(&expires_ms, value, sizeof expires_ms);
    expires_ms = be64toh(expires_ms);
    return expires_ms != 0 && (int64_t)expires_ms <= weir_now_ms();
}

static void no_state(void *state)
{
    (void)state;
}

static const char *filter_name(void *state)
{
    (void)state;
    return "weir-expiry";
}

struct weir_db_options *db_options_new(bool reader)
{
    struct weir_db_options *o = weir_zalloc(1, sizeof *o);
    o->cache = rocksdb_cache_create_lru(BLOCK_CACHE_BYTES);
    o->table = table_options(o->cache);
    rocksdb_options_t *plain = rocksdb_options_create();
    o->db = parse(plain, database);
    // A reader keeps all files open, so that those the owner deletes meanwhile stay readable.
    rocksdb_options_set_max_open_files(o->db, reader ? -1 : 256);
    for (int i = 0; i < WEIR_FAMILIES; i++) {
        o->family[i] = parse(o->db, families[i]);
        rocksdb_options_set_block_based_table_factory(o->family[i], o->table);
    }
    o->expiry = rocksdb_compactionfilter_create(NULL, no_state, has_expired, filter_name);
    rocksdb_options_set_compaction_filter(o->family[WEIR_TABLES], o->expiry);
    rocksdb_options_destroy(plain);
    return o;
}

void db_options_free(struct weir_db_options *o)
{
    if (!o)
        return;
    for (int i = 0; i < WEIR_FAMILIES; i++)
        rocksdb_options_destroy(o->family[i]);
    rocksdb_options_destroy(o->db);
    rocksdb_compactionfilter_destroy(o->expiry);
    rocksdb_block_based_options_destroy(o->table);
    rocksdb_cache_destroy(o->cache);
    free(o);
}
