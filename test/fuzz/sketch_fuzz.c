// SPDX-License-Identifier: Apache-2.0
// Any bytes as a saved sketch, or as saved values. What is taken must be bounded, answer, go on counting, and be saved and read again as the same.
#include "base/error.h"
#include "query/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SKETCH_BYTES_MAX = 40200 };

static void try_sketch(struct weir_cursor c)
{
    struct blob *sketch = NULL, *again = NULL, *doubled = NULL;
    if (sketch_restore(&sketch, &c) < 0) {
        weir_assert(!sketch);
        return;
    }
    uint64_t n = sketch_count(sketch);
    weir_cleanup(weir_buffer_drop) struct weir_buffer first = {0}, second = {0};
    sketch_save(sketch, &first);
    struct weir_cursor saved = {first.data, first.data + first.bytes, false};
    weir_assert(sketch_restore(&again, &saved) == 0 && saved.at == saved.end);
    sketch_save(again, &second);
    weir_assert(weir_str_eq(weir_buffer_view(&first), weir_buffer_view(&second)));
    sketch_merge(&doubled, sketch);
    sketch_merge(&doubled, again);
    weir_assert(sketch_count(doubled) == 2 * n);
    if (sketch)
        weir_assert(sketch_quantile(sketch, 0) <= sketch_quantile(sketch, 1) && sketch_quantile(doubled, 0.3) <= sketch_quantile(doubled, 1));
    sketch_add(&sketch, 3.5);
    weir_assert(sketch_count(sketch) == n + 1 && sketch->bytes <= SKETCH_BYTES_MAX);
    blob_drop(&sketch);
    blob_drop(&again);
    blob_drop(&doubled);
}

static void try_values(struct weir_cursor c)
{
    struct blob *set = NULL;
    if (exact_restore(&set, &c) < 0) {
        weir_assert(!set);
        return;
    }
    uint64_t n = exact_count(set);
    weir_assert(n == 0 || exact_quantile(set, 0) <= exact_quantile(set, 1));
    exact_add(&set, -2);
    weir_assert(exact_count(set) == n + 1);
    blob_drop(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_sketch((struct weir_cursor){data, data + size, false});
    try_values((struct weir_cursor){data, data + size, false});
    return 0;
}
