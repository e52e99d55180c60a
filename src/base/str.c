// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

int weir_str_compare(struct weir_str a, struct weir_str b)
{
    uint32_t common = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order != 0)
        return order;
    return a.bytes < b.bytes ? -1 : a.bytes > b.bytes;
}
