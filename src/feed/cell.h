// SPDX-License-Identifier: Apache-2.0
// Text of a cell → a value of an event field.
#pragma once
#include "base/value.h"

struct cell_shape {
    enum weir_type type;
    bool iso8601; // written as ISO 8601 text; becomes epoch ms
};

// An empty cell is null. Numbers and times may stand between blanks; booleans are true, false, 1, 0 in any case; integers may be written 12.0.
// On failure -1 and *ret_wrong says what the cell is not: "is not a double".
int cell_value(const struct cell_shape *shape, struct weir_str cell, struct weir_value *ret, const char **ret_wrong);
