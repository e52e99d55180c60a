// SPDX-License-Identifier: Apache-2.0
// The two real data sets, where they are at hand beside the source tree.
#include "feed/feed_testing.h"

static bool at_hand(const char *file)
{
    bool there = access(file, R_OK) == 0;
    if (!there)
        print_message("%s is not here: skipped\n", file);
    return there;
}

static void hear_file(const char *event, const char *file, const char *rest, struct heard *h)
{
    char *spec = weir_format("{file: {path: %s, format: csv, %s}}", file, rest);
    struct weir_plan *plan = plan_of(event, spec);
    struct weir_feed *feed = feed_at(plan, WEIR_STR(""));
    struct weir_error err;
    int64_t start_us = weir_monotonic_us();
    *h = (struct heard){.plan = plan, .counting = true};
    if (hear_all(feed, 1024, h, &err) < 0)
        fail_msg("%s", err.text);
    double seconds = (double)(weir_monotonic_us() - start_us) / 1e6;
    print_message("%llu events in %.2f s: %.2f M events/s\n", (unsigned long long)h->events, seconds, (double)h->events / seconds / 1e6);
    weir_feed_close(feed);
    weir_plan_free(plan);
    free(spec);
}

static void aberdeen_has_one_broken_row(void **state)
{
    (void)state;
    static const char file[] = WEIR_SOURCE_DIR "/../shared/data/sensorcommunity-aberdeen.csv.zst";
    struct heard h;
    if (!at_hand(file))
        return;
    hear_file("{format: json, fields: {id: string, time: long, p1: optional double, p2: optional double}, key: id, time: time}", file,
              "delimiter: ';', time_format: iso8601, fields: {id: sensor_id, time: timestamp, p1: P1, p2: P2}", &h);
    assert_int_equal(h.events, 2188883);
    assert_int_equal(h.rejects, 1);
    assert_int_equal(h.last_reject_line, 1119684);
}

// As many as Python's csv module finds non-empty cells in these columns.
static void beijing_unpivots_to_its_filled_cells(void **state)
{
    (void)state;
    static const char file[] = WEIR_SOURCE_DIR "/../shared/data/beijing-air-quality.csv.gz";
    struct heard h;
    if (!at_hand(file))
        return;
    hear_file("{format: json, fields: {id: string, metric: string, time: long, value: double}, key: id, time: time}", file,
              "fields: {id: station, time: timestamp_ms}, unpivot: {columns: [pm2_5, pm10, so2, no2, co, o3, temperature, dew_point, pressure, rain, "
              "wind_speed], name: metric, value: value}",
              &h);
    assert_int_equal(h.rejects, 0);
    assert_int_equal(h.events, 4556243);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(aberdeen_has_one_broken_row), cmocka_unit_test(beijing_unpivots_to_its_filled_cells)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
