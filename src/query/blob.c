// SPDX-License-Identifier: Apache-2.0
#include "query/blob.h"

#include "base/memory.h"
#include <stdlib.h>

void blob_set(struct blob **blob, struct weir_str value)
{
    if (!*blob || (*blob)->capacity < value.bytes) {
        free(*blob);
        *blob = weir_alloc(sizeof **blob + value.bytes);
        (*blob)->capacity = value.bytes;
    }
    (*blob)->bytes = value.bytes;
    if (value.bytes)
        memcpy((*blob)->data, value.data, value.bytes);
}

void blob_drop(struct blob **blob)
{
    free(*blob);
    *blob = NULL;
}
