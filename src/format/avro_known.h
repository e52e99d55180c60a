// SPDX-License-Identifier: Apache-2.0
// Ids of schemas by the fingerprints of their canonical forms, filled from what the registry has. One that is not among them makes the registry be
// listed again, once a batch and once in ten seconds at most.
#pragma once
#include "format/avro.h"
#include <stddef.h>

struct avro_known {
    struct known_schema {
        uint64_t fingerprint;
        int32_t id;
    } * items;
    size_t count, capacity;
    int64_t listed_us; // 0: never
    bool asked;        // in this batch
};

void known_begin(struct avro_known *k); // of a batch
// 1: *ret_id, 0: the registry has none of it, -1: it is away.
int known_find(struct avro_known *k, const struct avro_source *source, uint64_t fingerprint, int32_t *ret_id, struct weir_error *err);
void known_drop(struct avro_known *k);
