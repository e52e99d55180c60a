// SPDX-License-Identifier: Apache-2.0
#include "embedded/handle.h"

#include "base/buffer.h"
#include "base/memory.h"
#include <stdlib.h>

// ---- pins

static rocksdb_pinnableslice_t *slice_of(struct weir_pin *pin)
{
    return (rocksdb_pinnableslice_t *)pin;
}

int weir_pin_get(struct weir_embedded *db, enum weir_family family, struct weir_str key, struct weir_pin **ret_pin, struct weir_str *ret_value,
                 struct weir_error *err)
{
    char *message = NULL;
    rocksdb_pinnableslice_t *slice = rocksdb_get_pinned_cf(db->db, db->read, db->family[family], key.data, key.bytes, &message);
    if (message)
        return db_fail(db, message, "reading", err);
    size_t bytes = 0;
    const char *data = rocksdb_pinnableslice_value(slice, &bytes);
    weir_assert(bytes <= UINT32_MAX);
    *ret_pin = (struct weir_pin *)slice;
    *ret_value = (struct weir_str){data, (uint32_t)bytes};
    return 0;
}

void weir_pin_drop(struct weir_pin *pin)
{
    if (pin)
        rocksdb_pinnableslice_destroy(slice_of(pin));
}

int weir_embedded_get_number(struct weir_embedded *db, struct weir_str key, uint32_t bytes, uint64_t missing, uint64_t *ret, struct weir_error *err)
{
    struct weir_pin *pin;
    struct weir_str value;
    if (weir_pin_get(db, WEIR_META, key, &pin, &value, err) < 0)
        return -1;
    struct weir_cursor c = {.at = (const uint8_t *)value.data, .end = (const uint8_t *)value.data + value.bytes};
    *ret = !pin ? missing : bytes == 4 ? weir_cursor_be32(&c) : weir_cursor_be64(&c);
    weir_pin_drop(pin);
    return c.bad ? weir_fail(err, WEIR_IO, WEIR_STOP, "%.*s is damaged in folder %s", (int)key.bytes, key.data, db->dir) : 0;
}

// ---- walks

struct weir_walk {
    struct weir_embedded *db;
    rocksdb_readoptions_t *options;
    rocksdb_iterator_t *iterator;
    uint32_t bound_bytes;
    char bound[]; // the database looks at it for as long as the walk lives
};

struct weir_walk *weir_walk_new(struct weir_embedded *db, enum weir_family family, struct weir_str from, struct weir_str to)
{
    struct weir_walk *w = weir_alloc(sizeof *w + to.bytes);
    w->db = db;
    w->options = rocksdb_readoptions_create();
    w->bound_bytes = to.bytes;
    if (to.bytes) {
        memcpy(w->bound, to.data, to.bytes);
        rocksdb_readoptions_set_iterate_upper_bound(w->options, w->bound, w->bound_bytes);
    }
    w->iterator = rocksdb_create_iterator_cf(db->db, w->options, db->family[family]);
    weir_walk_seek(w, from);
    return w;
}

void weir_walk_free(struct weir_walk *w)
{
    if (!w)
        return;
    rocksdb_iter_destroy(w->iterator);
    rocksdb_readoptions_destroy(w->options);
    free(w);
}

bool weir_walk_valid(const struct weir_walk *w)
{
    return rocksdb_iter_valid(w->iterator);
}

struct weir_str weir_walk_key(const struct weir_walk *w)
{
    size_t bytes;
    const char *data = rocksdb_iter_key(w->iterator, &bytes);
    return (struct weir_str){data, (uint32_t)bytes};
}

struct weir_str weir_walk_value(const struct weir_walk *w)
{
    size_t bytes;
    const char *data = rocksdb_iter_value(w->iterator, &bytes);
    weir_assert(bytes <= UINT32_MAX);
    return (struct weir_str){data, (uint32_t)bytes};
}

void weir_walk_next(struct weir_walk *w)
{
    rocksdb_iter_next(w->iterator);
}

void weir_walk_seek(struct weir_walk *w, struct weir_str key)
{
    rocksdb_iter_seek(w->iterator, key.data, key.bytes);
}

void weir_walk_seek_for_prev(struct weir_walk *w, struct weir_str key)
{
    rocksdb_iter_seek_for_prev(w->iterator, key.data, key.bytes);
}

int weir_walk_error(const struct weir_walk *w, struct weir_error *err)
{
    char *message = NULL;
    rocksdb_iter_get_error(w->iterator, &message);
    return message ? db_fail(w->db, message, "reading", err) : 0;
}

void weir_embedded_drop_files(struct weir_embedded *db, enum weir_family family, struct weir_str from, struct weir_str to)
{
    char *message = NULL;
    rocksdb_delete_file_in_range_cf(db->db, db->family[family], from.data, from.bytes, to.data, to.bytes, &message);
    rocksdb_free(message); // the space is given back another time
}
