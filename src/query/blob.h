// SPDX-License-Identifier: Apache-2.0
// The part of an accumulator that has no fixed size: bytes on the heap, behind one pointer that may be NULL (empty).
#pragma once
#include "base/str.h"

struct blob {
    uint32_t bytes, capacity;
    char data[];
};

void blob_set(struct blob **blob, struct weir_str value);
void blob_drop(struct blob **blob);

static inline struct weir_str blob_view(const struct blob *blob)
{
    return blob ? (struct weir_str){blob->data, blob->bytes} : (struct weir_str){"", 0};
}
