// SPDX-License-Identifier: Apache-2.0
// Files that are part of the binary, so that the demo needs nothing beside it.
#pragma once
#include "base/error.h"
#include <stddef.h>

struct shipped_file {
    const char *path; // below the project's root; NULL ends the table
    const char *text;
    size_t bytes;
};
extern const struct shipped_file shipped_files[]; // made by the build

// Writes them below `dir`, which is made where it is missing.
int shipped_write(const char *dir, struct weir_error *err);
