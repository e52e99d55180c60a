// SPDX-License-Identifier: Apache-2.0
// Blocks of rows: any bytes as a block of a table with a column of every type, in its key and beside it.
#include "base/hash.h"
#include "store/embedded/block.h"

static struct weir_table_column columns[] = {{"p", WEIR_CQL_TEXT},      {"c", WEIR_CQL_TEXT},    {"d", WEIR_CQL_UUID},  {"e", WEIR_CQL_DOUBLE},
                                             {"f", WEIR_CQL_TIMESTAMP}, {"g", WEIR_CQL_TEXT},    {"h", WEIR_CQL_UUID},  {"i", WEIR_CQL_FLOAT},
                                             {"j", WEIR_CQL_INT},       {"k", WEIR_CQL_BOOLEAN}, {"l", WEIR_CQL_DOUBLE}};
static uint32_t partition[] = {0};
static struct weir_clustering clustering[] = {{1, true}, {2, false}, {3, true}, {4, false}};

static void read_block(const struct weir_table *table, struct weir_str bytes)
{
    struct store_layout layout;
    struct store_block block;
    struct store_row row;
    struct weir_value values[sizeof columns / sizeof *columns];
    struct weir_arena arena = {0};
    uint64_t sum = 0;
    store_layout_make(table, &layout);
    if (store_block_open(bytes, &block) == 0)
        while (store_block_next(&layout, &block, &row) > 0) {
            weir_arena_reset(&arena);
            if (store_row_values(&layout, &row, &arena, values) < 0)
                continue;
            for (uint32_t c = 1; c < table->column_count; c++)
                if (values[c].kind == WEIR_STRS && !values[c].null)
                    sum = weir_hash64(values[c].str.data, values[c].str.bytes, sum);
        }
    store_partition_values(&layout, bytes, &arena, values);
    weir_arena_drop(&arena);
    store_layout_drop(&layout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_table table = {.name = "t",
                               .column_count = sizeof columns / sizeof *columns,
                               .columns = columns,
                               .partition_count = 1,
                               .partition = partition,
                               .clustering_count = 4,
                               .clustering = clustering};
    struct weir_str bytes = {(const char *)data, (uint32_t)size};
    read_block(&table, bytes);
    table.windowed = true;
    read_block(&table, bytes);
    return 0;
}
