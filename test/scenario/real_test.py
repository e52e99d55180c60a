#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""Real readings of dust sensors and air-quality stations against aggregates that another program made (see README.md beside the data)."""
import csv
import gzip
import io
import json
import math
import os
import subprocess
import unittest
from datetime import datetime, timezone
from pathlib import Path

import harness
from model import partition_of

DATA = Path(os.environ.get("DATA", harness.ROOT.parent / "shared" / "data"))
ABERDEEN = DATA / "sensorcommunity-aberdeen.csv.zst"
BEIJING = DATA / "beijing-air-quality.csv.gz"
READINGS = 2_188_883
METRICS = "pm2_5 pm10 so2 no2 co o3 temperature dew_point pressure rain wind_speed".split()

DUST = """pipeline: dust
topic: {{name: dust, partitions: {partitions}}}
event: {event}
feed: {{file: {{path: {path}, format: csv, delimiter: ';', time_format: iso8601, fields: {{device: sensor_id, time: timestamp, p1: P1, p2: P2}}}}}}
queries:
  - table: readings
    columns: {{device: text, time: bigint, p1: double, p2: double}}
    key: [[device], time desc]
  - table: hourly
    window: tumbling 1 hour
    group_by: [device]
    lateness: {lateness}
    emit: {emit}
    columns:
      device: text
      hour: bigint = epoch_s(window_start)
      events: bigint = count()
      p1_count: bigint = count(p1)
      p1_sum: double = sum(p1)
      p1_min: double = min(p1)
      p1_max: double = max(p1)
      p1_mean: double = avg(p1)
      p2_count: bigint = count(p2)
      p2_mean: double = avg(p2)
    key: [[device], hour desc]
"""
AIR = """pipeline: air
topic: {{name: air, partitions: {partitions}}}
event: {event}
feed: {{file: {{path: {path}, format: csv, fields: {{time: timestamp_ms}}, unpivot: {{columns: [{metrics}], name: metric, value: value}}}}}}
queries:
  - table: daily
    window: tumbling 1 day
    group_by: [station, metric]
    lateness: 1 hour
    emit: update
    columns:
      station: text
      metric: text
      day: bigint = epoch_ms(window_start)
      n: bigint = count(value)
      low: double = min(value)
      high: double = max(value)
      mean: double = avg(value)
    key: [[station, metric], day desc]
"""


def opened(path, delimiter=","):
    if path.suffix == ".gz":
        text = gzip.open(path, "rt", newline="")
    else:
        text = io.StringIO(subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout.decode(), newline="")
    return csv.DictReader(text, delimiter=delimiter)


def events_by_hour(partitions, lateness_ms):
    """How many events each (device, hour) keeps, and how many are late, by the rule of the watermark."""
    kept, late, high = {}, 0, [-math.inf] * partitions
    at = {}
    for row in opened(ABERDEEN, ";"):
        device, text = row["sensor_id"], row["timestamp"]
        try:
            ms = int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()) * 1000
        except (TypeError, ValueError):
            continue
        if row["durP2"] is None:
            continue
        here = at.setdefault(device, partition_of(device, partitions))
        hour = ms // 3_600_000
        if high[here] - lateness_ms >= (hour + 1) * 3_600_000:
            late += 1
        else:
            kept[device, hour * 3600] = kept.get((device, hour * 3600), 0) + 1
        high[here] = max(high[here], ms)
    return kept, late


@unittest.skipUnless(ABERDEEN.exists() and BEIJING.exists(), f"the real data is not there: {DATA}")
class Real(harness.Scenario):
    def event(self, kind, fields):
        """The event as JSON, or as Avro with the same fields."""
        if kind == "json":
            return f"{{format: json, fields: {{{', '.join(f'{name}: {of}' for name, of in fields.items())}}}, key: {next(iter(fields))}, time: time}}"
        types = [{"name": name, "type": ["null", of.split()[1]] if of.startswith("optional") else of} for name, of in fields.items()]
        self.write("event.avsc", json.dumps({"type": "record", "name": "Event", "fields": types}))
        return f"{{format: avro, schema: event.avsc, key: {next(iter(fields))}, time: time}}"

    def dust(self, kind, **more):
        event = self.event(kind, {"device": "string", "time": "long", "p1": "optional double", "p2": "optional double"})
        return self.write("dust.yaml", DUST.format(event=event, path=ABERDEEN, **more))

    def close_to(self, got, want, relative, what, absolute=1e-12):
        if (got is None) != (want in (None, "")):
            self.fail(f"{what}: {got}, wanted {want}")
        if got is not None and not math.isclose(float(got), float(want), rel_tol=relative, abs_tol=absolute):
            self.fail(f"{what}: {got}, wanted {want}")

    def check_dust(self, kind, partitions, emit):
        spec, data = self.dust(kind, partitions=partitions, lateness="2 days", emit=emit), self.folder / f"dust-{kind}-{partitions}"
        summary = harness.run_to_end(spec, data).summary()
        self.assertEqual(summary["records"], READINGS)
        self.assertEqual(summary["rows"]["readings"], READINGS)
        self.assertEqual(summary["dead"], {"late": 0, "malformed": 1, "future": 0, "unknown_schema": 0})
        got = {(row["device"], int(row["hour"])): row for row in harness.table(spec, data, "hourly")}
        want = list(opened(DATA / "sensorcommunity-aberdeen.expected.hourly.csv.gz"))
        self.assertEqual(got.keys(), {(row["device"], int(row["window_start_epoch"])) for row in want})
        for row in want:
            ours, field = got[row["device"], int(row["window_start_epoch"])], row["field"].lower()
            what = f"{row['device']} {row['window_start']} {field}"
            self.assertEqual(ours[f"{field}_count"], row["count"], what)
            self.close_to(ours[f"{field}_mean"], row["mean"], 0, what, absolute=5.01e-7)  # kept to six decimals
            if field == "p1":
                self.close_to(ours["p1_sum"], row["sum"], 1e-12, what)
                self.close_to(ours["p1_min"], row["min"], 0, what)
                self.close_to(ours["p1_max"], row["max"], 0, what)
        [letter] = harness.letters(spec, data)
        self.assertEqual((letter["reason"], letter["offset"]), ("malformed", "1119684"))

    def test_dust_json_one_partition(self):
        self.check_dust("json", 1, "final")

    def test_dust_avro_four_partitions(self):
        self.check_dust("avro", 4, "update")

    def test_dust_strictly(self):
        """With a minute of lateness, what is late is a function of the log."""
        for kind, partitions in (("avro", 1), ("json", 4)):
            with self.subTest(partitions=partitions):
                spec, data = self.dust(kind, partitions=partitions, lateness="1 minute", emit="final"), self.folder / f"strict-{partitions}"
                summary = harness.run_to_end(spec, data).summary()
                kept, late = events_by_hour(partitions, 60_000)
                self.assertEqual(summary["dead"]["late"], late)
                self.assertGreater(late, 0)
                self.assertEqual({(row["device"], int(row["hour"])): int(row["events"]) for row in harness.table(spec, data, "hourly")}, kept)

    def test_air(self):
        """One event of each number of a wide table, daily."""
        want = {(row["station"], row["metric"], int(row["window_start_ms"])): row
                for row in opened(DATA / "beijing-air-quality.expected.daily.csv.gz") if row["metric"] in METRICS}
        for kind, partitions in (("json", 4), ("avro", 1)):
            with self.subTest(kind=kind, partitions=partitions):
                event = self.event(kind, {"station": "string", "metric": "string", "time": "long", "value": "double"})
                spec = self.write("air.yaml", AIR.format(event=event, partitions=partitions, path=BEIJING, metrics=", ".join(METRICS)))
                data = self.folder / f"air-{kind}"
                harness.run_to_end(spec, data)
                got = {(row["station"], row["metric"], int(row["day"])): row for row in harness.table(spec, data, "daily")}
                self.assertEqual(got.keys(), want.keys())
                for key, row in want.items():
                    self.assertEqual(got[key]["n"], row["count"], key)
                    for ours, theirs, relative in (("low", "min", 0), ("high", "max", 0), ("mean", "mean", 1e-12)):
                        self.close_to(got[key][ours], row[theirs], relative, key)


if __name__ == "__main__":
    harness.main()
