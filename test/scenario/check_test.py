#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `weir check` says of a good file: the things one wants to know before it runs."""
import harness

METRICS = harness.ROOT / "pipelines/metrics.yaml"
EVENT = "{format: json, fields: {id: string, place: string, t: long, v: double}, key: id, time: t"
ROWS = "columns: {id: text, start: timestamp = window_start, v: 'double = %s'}, key: [[id], start]}\n"


class Check(harness.Scenario):
    def said_of(self, queries, event="", partitions=3, zone="Europe/Rome"):
        spec = self.write("p.yaml", f"pipeline: p\ntimezone: {zone}\ntopic: {{name: t, partitions: {partitions}}}\nevent: {EVENT}{event}}}\n"
                                    f"queries:\n{queries}")
        return harness.weir("check", spec).out

    def test_the_shipped_metrics(self):
        said = harness.weir("check", METRICS).out
        self.assertIn("hourly_metric_event_by_id: calendar hour in UTC by id, lateness 1 minute, updated every 1 minute\n", said)
        self.assertIn("monthly_metric_event_by_group: calendar month in UTC by group, lateness 2 days, updated every 1 minute; merged across partitions", said)
        self.assertIn("  merged across partitions: hourly_metric_event_by_group, daily_metric_event_by_group, monthly_metric_event_by_group\n", said)
        self.assertEqual(said.count("; merged across partitions"), 3)
        self.assertEqual(said.count("quantiles within 1 %"), 6)

    def test_kinds_of_windows(self):
        said = self.said_of("".join(f"  - {{table: {name}, window: {window}, group_by: [id], " + ROWS % value for name, window, value in (
            ("a", "calendar week", "avg(v)"), ("b", "sliding 30 days every 1 day", "quantile(v, 0.9)"), ("c", "session 5 minutes", "max(v)"))))
        self.assertIn("a: calendar week in Europe/Rome by id", said)
        self.assertIn("b: sliding 30 days every 1 day by id", said)
        self.assertIn("c: session with gaps of 5 minutes by id", said)
        self.assertEqual(said.count("quantiles within 1 %"), 1)
        self.assertNotIn("merged", said)

    def test_what_costs_memory_or_is_of_a_zone(self):
        said = self.said_of("  - {table: a, window: tumbling 1 h, group_by: [id], quantiles: exact, amend: 7 days, " + ROWS % "median(v)" +
                            "  - {table: b, columns: {id: text, y: int = year(t), t: bigint}, key: [[id], t]}\n")
        self.assertIn("exact quantiles keep every value: 8 bytes a value in memory", said)
        self.assertIn("amended for 1 week", said)
        self.assertIn("years, months, days and hours in Europe/Rome", said)

    def test_groups_and_partitions(self):
        query = "  - {table: a, group_by: [place], columns: {place: text, n: bigint = count()}, key: [place]}\n"
        self.assertIn("merged across partitions: a", self.said_of(query))
        self.assertNotIn("merged across partitions", self.said_of(query, partitions=1))

    def test_duplicates(self):
        query = "  - {table: a, columns: {id: text, t: bigint}, key: [[id], t]}\n"
        self.assertIn("duplicates dropped: same id, t within 1 day\n", self.said_of(query, ", dedupe: {by: [id, t], within: 1 day}"))
        self.assertIn("of one partition: the key id is not among them", self.said_of(query, ", dedupe: {by: [t], within: 1 day}"))


if __name__ == "__main__":
    harness.main()
