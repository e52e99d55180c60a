// SPDX-License-Identifier: Apache-2.0
#include "embedded/handle.h"

#include "base/fault.h"
#include "base/memory.h"
#include <endian.h>
#include <stdlib.h>

struct weir_txn {
    struct weir_embedded *db;
    rocksdb_writebatch_t *batch;
};

struct weir_txn *weir_txn_new(struct weir_embedded *db)
{
    weir_assert(!db->reader);
    struct weir_txn *txn = weir_alloc(sizeof *txn);
    *txn = (struct weir_txn){db, rocksdb_writebatch_create()};
    return txn;
}

void weir_txn_free(struct weir_txn *txn)
{
    if (!txn)
        return;
    rocksdb_writebatch_destroy(txn->batch);
    free(txn);
}

size_t weir_txn_bytes(const struct weir_txn *txn)
{
    size_t bytes;
    rocksdb_writebatch_data(txn->batch, &bytes);
    return bytes;
}

void weir_txn_clear(struct weir_txn *txn)
{
    rocksdb_writebatch_clear(txn->batch);
}

void weir_txn_put(struct weir_txn *txn, enum weir_family family, struct weir_str key, struct weir_str value)
{
    rocksdb_writebatch_put_cf(txn->batch, txn->db->family[family], key.data, key.bytes, value.data, value.bytes);
}

void weir_txn_delete(struct weir_txn *txn, enum weir_family family, struct weir_str key)
{
    rocksdb_writebatch_delete_cf(txn->batch, txn->db->family[family], key.data, key.bytes);
}

void weir_txn_delete_range(struct weir_txn *txn, enum weir_family family, struct weir_str from, struct weir_str to)
{
    rocksdb_writebatch_delete_range_cf(txn->batch, txn->db->family[family], from.data, from.bytes, to.data, to.bytes);
}

// What follows a lost write must not stand without it, so the first failure is the last word.
static void remember(struct weir_embedded *db, const struct weir_error *failure)
{
    pthread_mutex_lock(&db->mutex);
    if (!atomic_load(&db->failed))
        db->failure = *failure;
    atomic_store(&db->failed, true);
    pthread_mutex_unlock(&db->mutex);
}

static int fail_again(struct weir_embedded *db, struct weir_error *err)
{
    pthread_mutex_lock(&db->mutex);
    *err = db->failure;
    pthread_mutex_unlock(&db->mutex);
    return -1;
}

int weir_txn_commit(struct weir_txn *txn, bool durable, struct weir_error *err)
{
    struct weir_embedded *db = txn->db;
    if (atomic_load(&db->failed))
        return fail_again(db, err);
    weir_fault("txn.commit.before");
    char *message = NULL;
    rocksdb_write(db->db, durable ? db->write_durable : db->write, txn->batch, &message);
    if (message) {
        db_fail(db, message, "writing", err);
        remember(db, err);
        return -1;
    }
    weir_fault("txn.commit.after");
    weir_txn_clear(txn);
    return 0;
}

int weir_embedded_take_numbers(struct weir_embedded *db, uint32_t count, uint64_t *ret_first, struct weir_error *err)
{
    struct weir_str key = WEIR_STR("next-number");
    uint64_t first = 0;
    pthread_mutex_lock(&db->numbers);
    int rc = weir_embedded_get_number(db, key, sizeof first, 0, &first, err);
    first = (first + count - 1) / count * count;
    uint64_t next = htobe64(first + count);
    struct weir_txn *txn = weir_txn_new(db);
    weir_txn_put(txn, WEIR_META, key, (struct weir_str){(const char *)&next, sizeof next});
    if (rc == 0)
        rc = weir_txn_commit(txn, false, err); // whatever uses the numbers comes after it in the log
    weir_txn_free(txn);
    pthread_mutex_unlock(&db->numbers);
    if (rc == 0)
        *ret_first = first;
    return rc;
}
