// SPDX-License-Identifier: Apache-2.0
#include "format/avro_known.h"

#include "avro/schema.h"
#include "base/memory.h"
#include "base/time.h"
#include <stdlib.h>

enum { LIST_AGAIN_US = 10000000, KNOWN_MAX = 100000 };

static bool has_id(const struct avro_known *k, int32_t id)
{
    for (size_t i = k->count; i-- > 0;)
        if (k->items[i].id == id)
            return true;
    return false;
}

// Texts that are no Avro schemas are of other types: nothing is written with them here.
static int take(void *context, const struct weir_subject_version *v)
{
    struct avro_known *k = context;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const struct weir_avro_schema *schema;
    json_t *json;
    struct weir_error mistake;
    if (has_id(k, v->id) || weir_avro_parse(weir_str_of(v->schema), &arena, &schema, &json, &mistake) < 0)
        return 0;
    weir_grow(&k->items, &k->capacity, k->count + 1, sizeof *k->items);
    k->items[k->count++] = (struct known_schema){weir_avro_fingerprint(schema), v->id};
    json_decref(json);
    return k->count == KNOWN_MAX;
}

static bool find(const struct avro_known *k, uint64_t fingerprint, int32_t *ret_id)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->items[i].fingerprint == fingerprint) {
            *ret_id = k->items[i].id;
            return true;
        }
    return false;
}

void known_begin(struct avro_known *k)
{
    k->asked = false;
}

int known_find(struct avro_known *k, const struct avro_source *source, uint64_t fingerprint, int32_t *ret_id, struct weir_error *err)
{
    if (find(k, fingerprint, ret_id))
        return 1;
    int64_t now_us = weir_monotonic_us();
    if (!source->list || k->asked || k->count == KNOWN_MAX || (k->listed_us && now_us - k->listed_us < LIST_AGAIN_US))
        return 0;
    if (source->list(source->context, take, k, err) < 0)
        return -1;
    k->asked = true;
    k->listed_us = now_us;
    return find(k, fingerprint, ret_id) ? 1 : 0;
}

void known_drop(struct avro_known *k)
{
    free(k->items);
}
