// SPDX-License-Identifier: Apache-2.0
// What a good pipeline file means, field by field.
#include "base/memory.h"
#include "spec/plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct weir_plan *parse(const char *text, const struct weir_overrides *overrides)
{
    struct weir_plan *plan;
    struct weir_error err;
    if (weir_plan_parse("dir/p.yaml", weir_str_of(text), overrides, stderr, false, &plan, &err) < 0)
        fail_msg("%s", err.text);
    return plan;
}

#define EVENT  "event: {format: json, fields: {id: string, t: long, v: double, n: optional int, ok: optional boolean}, key: id, time: t}\n"
#define HEAD   "pipeline: p\ntopic: t\n" EVENT
#define DIGEST "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define TAIL   "queries: [{table: raw, columns: {id: text, t: bigint}, key: [[id], t]}]\n"

static void the_shipped_pipeline(void **state)
{
    (void)state;
    struct weir_plan *p;
    struct weir_error err;
    if (weir_plan_load(WEIR_SOURCE_DIR "/pipelines/iot-analytics.yaml", NULL, stderr, false, &p, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(p->pipeline, "iot-analytics");
    assert_string_equal(p->topic.name, "sensor-events");
    assert_int_equal(p->topic.partitions, 3);
    assert_int_equal(p->topic.retention_ms, 750LL * 3600 * 1000);
    assert_int_equal(p->event.format, WEIR_FORMAT_AVRO);
    assert_string_equal(p->event.record_name, "com.iot.pipeline.SensorEvent");
    assert_int_equal(p->event.field_count, 6);
    assert_true(p->event.fields[0].is_uuid);
    assert_true(p->event.fields[1].optional);
    assert_int_equal(p->event.fields[2].type, WEIR_LONG);
    assert_int_equal(p->event.fields[3].type, WEIR_FLOAT);
    assert_int_equal(p->event.key_field, 0);
    assert_int_equal(p->event.time_field, 2);
    assert_int_equal(p->event.max_ahead_ms, 86400000);
    assert_int_equal(p->query_count, 3);
    weir_plan_free(p);
}

static void the_shipped_feed(void **state)
{
    (void)state;
    struct weir_plan *p;
    struct weir_error err;
    assert_int_equal(weir_plan_load(WEIR_SOURCE_DIR "/pipelines/iot-analytics.yaml", NULL, stderr, false, &p, &err), 0);
    const struct weir_feed_spec *f = &p->feed;
    assert_int_equal(f->kind, WEIR_FEED_SIMULATE);
    assert_true(f->rate_per_s == 100);
    assert_int_equal(f->seed, 1);
    assert_int_equal(f->sim[0].kind, WEIR_SIM_UUID);
    assert_int_equal(f->sim[0].members, 100);
    assert_int_equal(f->sim[1].kind, WEIR_SIM_TEXT);
    assert_string_equal(f->sim[1].text, "sensor-{n}");
    assert_int_equal(f->sim[2].kind, WEIR_SIM_NOW);
    assert_int_equal(f->sim[3].kind, WEIR_SIM_UNIFORM);
    assert_true(f->sim[3].low == 15 && f->sim[3].high == 35 && f->sim[3].digits == -1);
    assert_int_equal(f->sim[5].kind, WEIR_SIM_ONE_OF);
    assert_int_equal(f->sim[5].choice_count, 7);
    assert_true(weir_str_is(f->sim[5].choices[1], "Milano"));
    weir_plan_free(p);
}

static void the_shipped_queries(void **state)
{
    (void)state;
    struct weir_plan *p;
    struct weir_error err;
    assert_int_equal(weir_plan_load(WEIR_SOURCE_DIR "/pipelines/iot-analytics.yaml", NULL, stderr, false, &p, &err), 0);
    const struct weir_query_spec *raw = weir_plan_query(p, "sensor_events"), *hourly = weir_plan_query(p, "hourly_aggregates");
    const struct weir_query_spec *devices = weir_plan_query(p, "devices");
    assert_null(weir_plan_query(p, "nothing"));
    assert_false(raw->grouped);
    assert_int_equal(raw->table.column_count, 5);
    assert_int_equal(raw->table.columns[0].type, WEIR_CQL_UUID);
    assert_int_equal(raw->table.partition_count, 1);
    assert_int_equal(raw->table.clustering_count, 1);
    assert_int_equal(raw->table.clustering[0].column, 1);
    assert_true(raw->table.clustering[0].descending);
    assert_string_equal(raw->table.consistency, "ONE");
    assert_int_equal(raw->table.compaction_count, 3);
    assert_string_equal(raw->table.compaction[1].name, "min_threshold");
    assert_int_equal(hourly->window.kind, WEIR_WINDOW_TUMBLING);
    assert_int_equal(hourly->window.size_ms, 3600000);
    assert_true(hourly->table.windowed && hourly->grouped && !hourly->emit_update && !hourly->spans_partitions);
    assert_int_equal(hourly->lateness_ms, 60000);
    assert_int_equal(hourly->idle_ms, 60000);
    assert_int_equal(hourly->every_ms, 10000);
    assert_int_equal(hourly->aggregate_count, 4);
    assert_true(devices->grouped && devices->emit_update && !devices->table.windowed);
    assert_int_equal(devices->aggregate_count, 4);
    assert_int_equal(devices->aggregates[2].kind, WEIR_AGG_MIN);
    weir_plan_free(p);
}

static struct weir_plan *load(const char *path)
{
    struct weir_plan *p;
    struct weir_error err;
    if (weir_plan_load(path, NULL, stderr, false, &p, &err) < 0)
        fail_msg("%s", err.text);
    return p;
}

static void expect_metric_table(const struct weir_plan *p, const char *name, enum weir_calendar calendar, int64_t lateness_ms, bool by_group)
{
    static const char *const columns[] = {"year", "month", "day", "hour", "avg", "min", "max", "median"};
    const struct weir_query_spec *q = weir_plan_query(p, name);
    assert_non_null(q);
    assert_int_equal(q->window.kind, WEIR_WINDOW_CALENDAR);
    assert_int_equal(q->window.calendar, calendar);
    assert_int_equal(q->lateness_ms, lateness_ms);
    assert_int_equal(q->every_ms, 60000);
    assert_true(q->emit_update && q->spans_partitions == by_group);
    assert_int_equal(q->table.column_count, 9);
    assert_string_equal(q->table.columns[0].name, by_group ? "group" : "id");
    for (uint32_t c = 0; c < 8; c++) {
        assert_string_equal(q->table.columns[c + 1].name, columns[c]);
        assert_int_equal(q->table.columns[c + 1].type, c < 4 ? WEIR_CQL_INT : WEIR_CQL_DOUBLE);
    }
    assert_int_equal(q->table.partition_count, 1);
    assert_int_equal(q->table.clustering_count, 4);
    for (uint32_t c = 0; c < 4; c++)
        assert_true(q->table.clustering[c].column == c + 1 && q->table.clustering[c].descending);
}

static void the_shipped_metrics(void **state)
{
    (void)state;
    struct weir_plan *p = load(WEIR_SOURCE_DIR "/pipelines/metrics.yaml");
    assert_string_equal(p->topic.name, "metrics");
    assert_true(p->topic.partitions == 3 && p->topic.replication == 2 && p->topic.retention_ms == 750LL * 3600 * 1000);
    assert_string_equal(p->event.fields[p->event.key_field].name, "id");
    assert_int_equal(p->query_count, 8);
    const struct weir_query_spec *raw = weir_plan_query(p, "metric_event_by_group");
    assert_true(!raw->grouped && !raw->spans_partitions && raw->every_ms == 1000);
    assert_int_equal(raw->table.clustering_count, 2);
    const int64_t day_ms = 86400000;
    for (int by_group = 0; by_group < 2; by_group++) {
        expect_metric_table(p, by_group ? "hourly_metric_event_by_group" : "hourly_metric_event_by_id", WEIR_CAL_HOUR, 60000, by_group);
        expect_metric_table(p, by_group ? "daily_metric_event_by_group" : "daily_metric_event_by_id", WEIR_CAL_DAY, 300000, by_group);
        expect_metric_table(p, by_group ? "monthly_metric_event_by_group" : "monthly_metric_event_by_id", WEIR_CAL_MONTH, 2 * day_ms, by_group);
    }
    weir_plan_free(p);
}

#define ROWS "columns: {id: text, w: bigint = epoch_s(window_start), m: int = month(window_start), q: 'double = quantile(v, 1)'}, key: [[id], w]}\n"

static void windows_of_every_kind(void **state)
{
    (void)state;
    struct weir_plan *p = parse(HEAD "timezone: Europe/Rome\nqueries:\n"
                                     "  - {table: a, window: sliding 30 days every 1 day, group_by: [id], " ROWS
                                     "  - {table: b, window: session 5 minutes, group_by: [id], emit: update, amend: 7 days, " ROWS
                                     "  - {table: c, window: calendar week, group_by: [id], quantiles: exact, " ROWS
                                     "  - {table: d, window: sliding 10000 ms every 1 ms, group_by: [id], " ROWS,
                                NULL);
    const struct weir_query_spec *sliding = &p->queries[0], *session = &p->queries[1], *week = &p->queries[2];
    assert_true(sliding->window.kind == WEIR_WINDOW_SLIDING && sliding->window.slide_ms == 86400000 && sliding->window.size_ms == 30LL * 86400000);
    assert_true(session->window.kind == WEIR_WINDOW_SESSION && session->window.size_ms == 300000);
    assert_true(session->emit_update && session->amend_ms == 7LL * 86400000);
    assert_true(week->window.kind == WEIR_WINDOW_CALENDAR && week->window.calendar == WEIR_CAL_WEEK && week->exact_quantiles);
    assert_true(week->aggregate_count == 1 && week->aggregates[0].quantile == 1);
    assert_string_equal(p->timezone, "Europe/Rome");
    assert_int_equal(weir_zone_civil(p->zone, 0).hour, 1);
    weir_plan_free(p);
}

static void utc_needs_no_zone(void **state)
{
    (void)state;
    struct weir_plan *p = parse(HEAD TAIL, NULL), *named = parse(HEAD "timezone: UTC\n" TAIL, NULL);
    assert_true(!p->zone && !named->zone);
    weir_plan_free(p);
    weir_plan_free(named);
}

static void groups_that_span_partitions(void **state)
{
    (void)state;
    static const char event[] = "event: {format: json, fields: {id: string, t: long, n: int}, key: id, time: t}\n";
    static const struct {
        const char *topic, *group, *column;
        bool spans;
    } cases[] = {
        {"{name: t, partitions: 2}", "n", "n: int", true},
        {"{name: t, partitions: 1}", "n", "n: int", false}, // there is nothing to span
        {"{name: t, partitions: 2}", "n, id", "n: int, id: text", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool both = strchr(cases[i].group, ',');
        weir_cleanup(weir_freep) char *text =
            weir_format("pipeline: p\ntopic: %s\n%squeries: [{table: h, group_by: [%s], columns: {%s}, key: [[%s]]}]\n", cases[i].topic, event,
                        cases[i].group, cases[i].column, both ? "n, id" : "n");
        struct weir_plan *p = parse(text, NULL);
        assert_true(p->queries[0].spans_partitions == cases[i].spans);
        weir_plan_free(p);
    }
}

static void duplicates_and_posted_events(void **state)
{
    (void)state;
    struct weir_plan *p = parse("pipeline: p\ntopic: t\nfeed: {http: {}}\nevent: {format: json, fields: {id: string, t: long}, key: id, time: t, "
                                "dedupe: {by: [t, id], within: 1 day}}\n" TAIL,
                                NULL);
    assert_int_equal(p->feed.kind, WEIR_FEED_HTTP);
    assert_true(p->event.dedupe_count == 2 && p->event.dedupe_fields[0] == 1 && p->event.dedupe_fields[1] == 0);
    assert_int_equal(p->event.dedupe_within_ms, 86400000);
    weir_plan_free(p);
}

static void http_section(void **state)
{
    (void)state;
    setenv("WEIR_TEST_NAME", "https://idp.example/keys", 1);
    struct weir_plan *p = parse(HEAD "http:\n"
                                     "  listen: '[::1]:0'\n"
                                     "  body: 2 MiB\n"
                                     "  tokens:\n"
                                     "    - {name: page, sha256: " DIGEST ", role: reader}\n"
                                     "    - {name: ops, sha256: " DIGEST ", role: operator}\n"
                                     "  jwt: {issuer: https://idp.example, audience: weir, keys: '${env:WEIR_TEST_NAME}', role_claim: r}\n" TAIL,
                                NULL);
    const struct weir_http_spec *http = &p->http;
    assert_string_equal(http->listen, "[::1]:0");
    assert_int_equal(http->body_bytes_max, 2 << 20);
    assert_int_equal(http->token_count, 2);
    assert_string_equal(http->tokens[1].name, "ops");
    assert_string_equal(http->tokens[1].role, "operator");
    assert_string_equal(http->tokens[0].sha256, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    assert_string_equal(http->jwt_issuer, "https://idp.example");
    assert_string_equal(http->jwt_audience, "weir");
    assert_string_equal(http->jwt_keys, "https://idp.example/keys");
    assert_string_equal(http->jwt_role_claim, "r");
    weir_plan_free(p);
    p = parse(HEAD "http: {body: 4096, jwt: {issuer: i, audience: a, keys: keys.json}}\n" TAIL, NULL);
    assert_string_equal(p->http.jwt_keys, "dir/keys.json");
    assert_int_equal(p->http.body_bytes_max, 4096);
    assert_true(!p->http.listen && !p->http.tokens && !p->http.jwt_role_claim);
    weir_plan_free(p);
}

static void rates(void **state)
{
    (void)state;
    double rate = 0;
    assert_true(weir_rate_parse(WEIR_STR("100 per second"), &rate) == 0 && rate == 100);
    assert_true(weir_rate_parse(WEIR_STR("6 per minute"), &rate) == 0 && rate == 0.1);
    assert_true(weir_rate_parse(WEIR_STR("0.5"), &rate) == 0 && rate == 0.5);
    assert_true(weir_rate_parse(WEIR_STR("often"), &rate) < 0 && weir_rate_parse(WEIR_STR("-1"), &rate) < 0 && rate == 0.5);
}

static void defaults(void **state)
{
    (void)state;
    unsetenv("WEIR_LOG");
    unsetenv("WEIR_DATA");
    struct weir_plan *p = parse(HEAD TAIL, NULL);
    assert_true(p->log.embedded && p->registry.embedded && p->store.embedded);
    assert_string_equal(p->data_dir, "weir-data");
    assert_string_equal(p->timezone, "UTC");
    assert_int_equal(p->topic.partitions, 1);
    assert_int_equal(p->topic.retention_ms, 0);
    assert_int_equal(p->event.max_ahead_ms, -1);
    assert_int_equal(p->event.time_unit, WEIR_UNIT_MS);
    assert_int_equal(p->feed.kind, WEIR_FEED_NONE);
    assert_string_equal(p->queries[0].table.consistency, "LOCAL_QUORUM");
    assert_false(p->event.fields[2].used);
    assert_true(p->event.fields[0].used && p->event.fields[1].used);
    weir_plan_free(p);
}

static void a_flag_wins_over_the_environment_and_that_over_the_file(void **state)
{
    (void)state;
    struct weir_overrides flags = {.log = "embedded", .data_dir = "by-flag"};
    setenv("WEIR_STORE", "embedded", 1);
    setenv("WEIR_DATA", "by-variable", 1);
    struct weir_plan *p = parse("log: kafka://a:9092\nstore: cassandra://a/k\ndata: by-file\n" HEAD TAIL, &flags);
    assert_true(p->log.embedded && p->store.embedded);
    assert_string_equal(p->data_dir, "by-flag");
    weir_plan_free(p);
    p = parse("log: embedded\nstore: cassandra://a/k\ndata: by-file\n" HEAD TAIL, NULL);
    assert_string_equal(p->data_dir, "by-variable");
    weir_plan_free(p);
    unsetenv("WEIR_STORE");
    unsetenv("WEIR_DATA");
    p = parse("data: by-file\n" HEAD TAIL, NULL);
    assert_string_equal(p->data_dir, "dir/by-file");
    weir_plan_free(p);
}

static void a_wrong_variable_is_named(void **state)
{
    (void)state;
    char *out = NULL;
    size_t bytes = 0;
    struct weir_plan *p;
    struct weir_error err;
    setenv("WEIR_LOG", "kafka:/a:9092", 1);
    FILE *stream = open_memstream(&out, &bytes);
    assert_true(weir_plan_parse("p.yaml", WEIR_STR(HEAD TAIL), NULL, stream, false, &p, &err) < 0);
    fclose(stream);
    assert_non_null(strstr(out, "WEIR_LOG: error: 'kafka:/a:9092' is no log"));
    free(out);
    unsetenv("WEIR_LOG");
}

static void a_file_feed(void **state)
{
    (void)state;
    struct weir_plan *p = parse(HEAD "feed: {file: {path: a.csv.zst, delimiter: ';', pace: 60x, time_format: iso8601, fields: {t: when},\n"
                                     "  unpivot: {columns: [a, b], name: id, value: v}}}\n" TAIL,
                                NULL);
    const struct weir_feed_spec *f = &p->feed;
    assert_int_equal(f->kind, WEIR_FEED_FILE);
    assert_string_equal(f->path, "dir/a.csv.zst");
    assert_int_equal(f->file_format, WEIR_FILE_CSV);
    assert_int_equal(f->delimiter, ';');
    assert_true(f->pace == 60 && f->iso8601_time);
    assert_null(f->columns[0]);
    assert_string_equal(f->columns[1], "when");
    assert_null(f->columns[2]);
    assert_string_equal(f->columns[3], "n");
    assert_int_equal(f->unpivot_count, 2);
    assert_string_equal(f->unpivot_columns[1], "b");
    assert_int_equal(f->unpivot_name, 0);
    assert_int_equal(f->unpivot_value, 2);
    weir_plan_free(p);
    p = parse(HEAD "feed: {file: {path: /x/a.ndjson.gz}}\n" TAIL, NULL);
    assert_int_equal(p->feed.file_format, WEIR_FILE_JSONL);
    assert_string_equal(p->feed.path, "/x/a.ndjson.gz");
    weir_plan_free(p);
}

static void simulated_constants_and_clock(void **state)
{
    (void)state;
    struct weir_plan *p =
        parse(HEAD "feed: {simulate: {rate: 6 per minute, seed: 7, fields: {id: a b, t: {clock: 360x}, v: {uniform: [10, 100], digits: 2},\n"
                   "  n: 5, ok: null}}}\n" TAIL,
              NULL);
    const struct weir_sim_field *sim = p->feed.sim;
    assert_true(p->feed.rate_per_s == 0.1);
    assert_int_equal(p->feed.seed, 7);
    assert_int_equal(sim[0].kind, WEIR_SIM_CONSTANT);
    assert_true(weir_str_is(sim[0].constant.str, "a b"));
    assert_int_equal(sim[1].kind, WEIR_SIM_CLOCK);
    assert_true(sim[1].clock_factor == 360);
    assert_int_equal(sim[2].digits, 2);
    assert_int_equal(sim[3].constant.i64, 5);
    assert_int_equal(sim[4].kind, WEIR_SIM_NULL);
    weir_plan_free(p);
}

static void table_options(void **state)
{
    (void)state;
    struct weir_plan *p =
        parse(HEAD "queries:\n  - {table: raw, columns: {id: text, t: bigint}, key: [id, t asc], ttl: 90 days, partition_by: month,\n"
                   "     consistency: EACH_QUORUM}\n",
              NULL);
    const struct weir_table *t = &p->queries[0].table;
    assert_int_equal(t->ttl_ms, 90LL * 86400 * 1000);
    assert_string_equal(t->partition_by, "month");
    assert_string_equal(t->consistency, "EACH_QUORUM");
    assert_int_equal(t->partition_count, 1);
    assert_false(t->clustering[0].descending);
    assert_int_equal(p->queries[0].line, 5);
    weir_plan_free(p);
}

static void keyspaces_and_what_columns_say_of_time(void **state)
{
    (void)state;
    struct weir_plan *p = parse("store: cassandra://a,b:9042/metric\n" HEAD "queries:\n"
                                "  - {table: raw, columns: {id: text, t: bigint}, key: [id, t]}\n"
                                "  - {table: sums, window: calendar day, group_by: [id], columns: {id: text, year: int = year(window_start),\n"
                                "     day: int = day(window_start), s: bigint = epoch_s(window_start), n: int = count()}, key: [id, year]}\n",
                                NULL);
    assert_string_equal(p->keyspace, "metric");
    assert_int_equal(p->queries[0].table.time_parts[0], WEIR_PART_NONE);
    assert_int_equal(p->queries[0].table.time_parts[1], WEIR_PART_MS);
    static const enum weir_time_part parts[] = {WEIR_PART_NONE, WEIR_PART_YEAR, WEIR_PART_DAY, WEIR_PART_S, WEIR_PART_NONE};
    assert_memory_equal(p->queries[1].table.time_parts, parts, sizeof parts);
    weir_plan_free(p);
    p = parse(HEAD TAIL, NULL);
    assert_string_equal(p->keyspace, p->pipeline);
    weir_plan_free(p);
}

static void secrets_come_from_variables_and_files(void **state)
{
    (void)state;
    setenv("WEIR_TEST_NAME", "from-env", 1);
    struct weir_plan *p = parse("pipeline: ${env:WEIR_TEST_NAME}-x\ntopic: t\n" EVENT TAIL, NULL);
    assert_string_equal(p->pipeline, "from-env-x");
    weir_plan_free(p);
}

#define HOURLY(more, columns)                                                                                                                        \
    HEAD "queries: [{table: h, window: tumbling 1 hour, group_by: [id], " more "columns: {id: text, w: bigint = epoch_s(window_start), " columns     \
         "}, key: [[id], w]}]\n"

static uint64_t fingerprint(const char *text)
{
    struct weir_plan *p = parse(text, NULL);
    uint64_t print = weir_query_fingerprint(p, &p->queries[0]);
    weir_plan_free(p);
    return print;
}

static void fingerprints_follow_the_state(void **state)
{
    (void)state;
    uint64_t base = fingerprint(HOURLY("", "a: double = avg(v)"));
    assert_true(base == fingerprint(HOURLY("lateness: 1 h, emit: update, ", "a: double = avg(  v )")));
    assert_true(base == fingerprint(HOURLY("", "b: double = 2 * avg(v), c: double = avg(v)")));
    assert_true(base != fingerprint(HOURLY("", "a: double = min(v)")));
    assert_true(base != fingerprint(HOURLY("", "a: double = avg(v + 1)")));
    assert_true(base != fingerprint(HOURLY("where: v > 0, ", "a: double = avg(v)")));
}

static void a_file_that_cannot_be_read(void **state)
{
    (void)state;
    struct weir_plan *p;
    struct weir_error err;
    assert_true(weir_plan_load("/no/such.yaml", NULL, NULL, false, &p, &err) < 0);
    assert_int_equal(err.code, WEIR_NO_INPUT);
    assert_non_null(strstr(err.text, "/no/such.yaml"));
    assert_true(weir_plan_load("/dev/null", NULL, NULL, false, &p, &err) < 0);
    assert_int_equal(err.code, WEIR_NO_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_pipeline),
        cmocka_unit_test(the_shipped_feed),
        cmocka_unit_test(the_shipped_queries),
        cmocka_unit_test(the_shipped_metrics),
        cmocka_unit_test(windows_of_every_kind),
        cmocka_unit_test(utc_needs_no_zone),
        cmocka_unit_test(groups_that_span_partitions),
        cmocka_unit_test(duplicates_and_posted_events),
        cmocka_unit_test(http_section),
        cmocka_unit_test(rates),
        cmocka_unit_test(defaults),
        cmocka_unit_test(a_flag_wins_over_the_environment_and_that_over_the_file),
        cmocka_unit_test(a_wrong_variable_is_named),
        cmocka_unit_test(a_file_feed),
        cmocka_unit_test(simulated_constants_and_clock),
        cmocka_unit_test(table_options),
        cmocka_unit_test(keyspaces_and_what_columns_say_of_time),
        cmocka_unit_test(secrets_come_from_variables_and_files),
        cmocka_unit_test(fingerprints_follow_the_state),
        cmocka_unit_test(a_file_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
