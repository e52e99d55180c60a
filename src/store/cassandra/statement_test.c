// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void check(const char *keyspace, const struct weir_table *table, const char *want)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
    struct weir_error err;
    assert_int_equal(weir_cassandra_table_text(&text, keyspace, table, &err), 0);
    weir_buffer_byte(&text, 0);
    assert_string_equal((const char *)text.data, want);
}

static void the_iot_tables(void **state)
{
    (void)state;
    struct weir_table_column columns[] = {{"device_id", WEIR_CQL_UUID}, {"timestamp", WEIR_CQL_BIGINT}, {"temperature", WEIR_CQL_FLOAT}};
    struct weir_option compaction[] = {{"class", "SizeTieredCompactionStrategy"}, {"min_threshold", "4"}};
    struct weir_clustering clustering[] = {{1, true}};
    struct weir_table table = {
        .name = "sensor_events",
        .column_count = 3,
        .columns = columns,
        .partition_count = 1,
        .partition = (uint32_t[]){0},
        .clustering_count = 1,
        .clustering = clustering,
        .compaction_count = 2,
        .compaction = compaction,
        .ttl_ms = 90LL * 86400000,
    };
    check("iot-analytics", &table,
          "CREATE TABLE IF NOT EXISTS iot_analytics.sensor_events (\n"
          "    device_id uuid,\n"
          "    timestamp bigint,\n"
          "    temperature float,\n"
          "    PRIMARY KEY ((device_id), timestamp)\n"
          ") WITH CLUSTERING ORDER BY (timestamp DESC)\n"
          "    AND compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': '4'}\n"
          "    AND default_time_to_live = 7776000;\n");
}

static void names_are_quoted_where_cql_wants_it(void **state)
{
    (void)state;
    struct weir_table_column columns[] = {{"group", WEIR_CQL_TEXT}, {"order", WEIR_CQL_INT}, {"Mixed\"", WEIR_CQL_DOUBLE}};
    struct weir_option compaction[] = {{"class", "it's"}};
    struct weir_table table = {
        .name = "t",
        .column_count = 3,
        .columns = columns,
        .partition_count = 2,
        .partition = (uint32_t[]){0, 1},
        .compaction_count = 1,
        .compaction = compaction,
    };
    check("k", &table,
          "CREATE TABLE IF NOT EXISTS k.t (\n"
          "    group text,\n"
          "    \"order\" int,\n"
          "    \"Mixed\"\"\" double,\n"
          "    PRIMARY KEY ((group, \"order\"))\n"
          ") WITH compaction = {'class': 'it''s'};\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_iot_tables),
        cmocka_unit_test(names_are_quoted_where_cql_wants_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
