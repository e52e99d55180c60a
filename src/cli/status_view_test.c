// SPDX-License-Identifier: Apache-2.0
// status.json as `weir status` prints it: pipelines on embedded engines, and on a ring in a consumer group.
#include "base/memory.h"
#include "cli/status_view.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char pipeline[] =
    "'pipeline': 'iot', 'seconds': 61.0, 'records': 1300, 'rows': {'hourly': 12}, 'late': {'hourly': 1}, 'dead': {'late': 1}, 'state': {'keys': 2}, ";

static char *printed(const char *now_text, const char *before_text)
{
    const char *texts[] = {now_text, before_text};
    json_t *parsed[2] = {0};
    for (int i = 0; i < 2 && texts[i]; i++) {
        char *json = weir_strdup(texts[i]);
        for (char *c = json; *c; c++)
            *c = *c == '\'' ? '"' : *c;
        parsed[i] = json_loads(json, 0, NULL);
        assert_non_null(parsed[i]);
        free(json);
    }
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    status_print(out, parsed[0], parsed[1], false);
    fclose(out);
    json_decref(parsed[0]);
    json_decref(parsed[1]);
    return text;
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is missing in:\n%s", part, text);
}

static void embedded_engines_have_no_ring(void **state)
{
    (void)state;
    weir_cleanup(weir_freep) char *now = weir_format(
        "[{'ready': true, 'reasons': [], 'pid': 7, 'updated_ms': 2000, 'http': 'http://h:1', 'pipelines': [{%s'shared': false, 'partitions': "
        "[{'owned': true, 'lag': 3, 'high_ms': 1000}, {'owned': true, 'lag': 4, 'high_ms': null}], 'store': {'kind': 'embedded', 'where': 'd', "
        "'nodes': [], 'tables': [{'table': 'hourly', 'rows': null}], 'compactions': []}}]}]",
        pipeline);
    weir_cleanup(weir_freep) char *before = weir_strdup("[{'pid': 7, 'updated_ms': 1000, 'pipelines': [{'records': 1000}]}]");
    weir_cleanup(weir_freep) char *text = printed(now, before);
    assert_string_equal(text, "iot  running for 1:01\n"
                              "  records       1,300   300/s   lag 7\n"
                              "  event time    1970-01-01T00:00:01Z\n"
                              "  rows          hourly 12   \n"
                              "  late          hourly 1   \n"
                              "  dead letters  late 1   \n"
                              "  state         keys 2   \n"
                              "\nprocess 7, dashboard http://h:1\n");
}

static void a_ring_in_columns(void **state)
{
    (void)state;
    weir_cleanup(weir_freep) char *now = weir_format(
        "[{'ready': false, 'reasons': ['Cassandra: 127.0.0.2 is down'], 'pid': 7, 'updated_ms': 2000, 'http': null, 'pipelines': [{%s'shared': true, "
        "'partitions': [{'owned': false, 'lag': 9, 'high_ms': null}, {'owned': true, 'lag': 3, 'high_ms': 1000}], 'store': {'kind': 'cassandra', "
        "'where': 'iot_analytics', 'rows_sent': 12345, 'requests': 400, 'retries': 2, 'refused': 0, 'rows_per_batch': 30.86, 'nodes': ["
        "{'address': '127.0.0.1', 'up': true, 'trouble': null, 'datacenter': 'dc1', 'ownership': 0.3333, 'in_flight': 12, 'window': 256, "
        "'latency_ms': 1.25, 'requests': 400, 'errors': 0, 'timeouts': 0, 'overloaded': 0},"
        "{'address': '127.0.0.2', 'up': false, 'trouble': 'connection refused', 'datacenter': null, 'ownership': 0.6667, 'in_flight': 0, 'window': "
        "8, "
        "'latency_ms': 120.0, 'requests': 4, 'errors': 1000, 'timeouts': 1, 'overloaded': 0}],"
        "'tables': [{'table': 'hourly', 'sstables': null, 'bytes': 1250000, 'rows': 100, 'reads': 5, 'writes': 12345, 'read_latency_ms': 0.5, "
        "'write_latency_ms': null, 'compactions_pending': 1}],"
        "'compactions': [{'table': 'hourly', 'kind': 'Compaction', 'node': '127.0.0.1', 'done_bytes': 500000, 'total_bytes': 1000000}]}}]}]",
        pipeline);
    weir_cleanup(weir_freep) char *text = printed(now, NULL);
    has(text, "  records       1,300   lag 3\n");
    has(text, "  partitions    1 (lag 3) of 2\n");
    has(text, "  store         cassandra iot_analytics   12,345 rows sent   400 requests   2 sent again   0 rows refused   30.9 rows a batch\n");
    has(text, "\nnode       state  data centre    owns  in flight  latency  requests  errors  timeouts  overloaded\n"
              "127.0.0.1  up     dc1          33.3 %  12 of 256  1.25 ms       400       0         0           0\n"
              "127.0.0.2  down   –            66.7 %     0 of 8   120 ms         4   1,000         1           0\n"
              "127.0.0.2 is down: connection refused\n");
    has(text, "\ntable   rows, about  SSTables  on disk  reads   a read  writes  a write  compactions pending\n"
              "hourly          100         –  1.25 MB      5  0.50 ms  12,345        –                    1\n");
    has(text, "\nCompaction of hourly on 127.0.0.1  ");
    has(text, "  500 kB of 1.00 MB\n");
    has(text, "\nnot ready\n  Cassandra: 127.0.0.2 is down\n");
}

static void what_is_missing_is_no_crash(void **state)
{
    (void)state;
    weir_cleanup(weir_freep) char *text =
        printed("[{'pipelines': [{}, {'store': {'kind': 'cassandra', 'nodes': [{}], 'tables': [{}], 'compactions': [{}]}}]}]", NULL);
    has(text, "process 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embedded_engines_have_no_ring),
        cmocka_unit_test(a_ring_in_columns),
        cmocka_unit_test(what_is_missing_is_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
