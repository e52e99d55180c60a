// SPDX-License-Identifier: Apache-2.0
// Any text as a pipeline file: it gives a plan, or mistakes with places; never a crash, a hang or a leak.
#include "base/buffer.h"
#include "spec/plan.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct weir_plan *plan)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer out = {0};
    for (uint32_t i = 0; i < plan->query_count; i++) {
        const struct weir_query_spec *q = &plan->queries[i];
        weir_query_fingerprint(plan, q);
        for (uint32_t c = 0; c < q->table.column_count; c++)
            weir_expr_print(plan, q, q->columns[c], &out);
        weir_assert(q->table.partition_count > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_plan *plan;
    struct weir_error err;
    char *shown = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&shown, &bytes);
    struct weir_str text = {(const char *)data, (uint32_t)size};
    if (weir_plan_parse("fuzz.yaml", text, NULL, stream, size % 2, &plan, &err) == 0) {
        walk(plan);
        weir_plan_free(plan);
    }
    fclose(stream);
    free(shown);
    return 0;
}
