#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A partition that falls silent: windows that have ended are given as they stand, and corrected by what comes later."""
import signal

import harness

PIPELINE = """pipeline: idle
topic: {{name: idle, partitions: 3}}
event: {{format: json, fields: {{device: string, time: long, value: double}}, key: device, time: time}}
feed: {{file: {{path: idle.csv}}}}
queries:
  - table: minutes
    window: tumbling 1 minute
    group_by: [device]
    lateness: 1 day
    idle: {idle}
    columns: {{device: text, minute: bigint = epoch_s(window_start), n: bigint = count(), total: double = sum(value)}}
    key: [[device], minute asc]
"""
START_MS = 1_600_000_020_000


def rows(first, count):
    return "".join(f"dev-{i % 5},{START_MS + 1500 * i},{i / 8}\n" for i in range(first, first + count))


class Idle(harness.Scenario):
    def pipeline(self, name, idle):
        return self.write(name, PIPELINE.format(idle=idle))

    def until_shown(self, spec, data, total):
        """Runs until the table tells of so many events, then stops."""
        with harness.Running("run", spec, "--data", data, "--format", "json", folder=self.folder) as run:
            harness.poll(f"{total} events in windows", lambda: self.shown(spec, data, run) == total)
            done = run.end(signal.SIGTERM)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.summary()["dead"]["late"], 0)

    def shown(self, spec, data, run):
        self.assertTrue(run.alive(), "the run goes on")
        done = harness.weir("query", spec, "minutes", "--data", data, "--format", "csv", expect=None)
        header, found = harness.parse_csv(done.out) if done.code == 0 else ([], [])
        return sum(int(row[header.index("n")]) for row in found)

    def test_silence_then_more(self):
        spec, data = self.pipeline("idle.yaml", "150 ms"), self.folder / "data"
        path = self.write("idle.csv", "device,time,value\n" + rows(0, 1000))
        self.until_shown(spec, data, 1000)
        with open(path, "a") as file:  # for windows that have been given, and new ones
            file.write(rows(500, 300) + rows(1000, 200))
        self.until_shown(spec, data, 1500)
        summary = harness.run_to_end(spec, data).summary()
        self.assertEqual((summary["records"], summary["dead"]["late"]), (1500, 0))
        patient, calm = self.pipeline("patient.yaml", "1 hour"), self.folder / "calm"
        want = harness.run_to_end(patient, calm).summary()
        self.assertEqual(want["records"], 1500)
        self.same_text(harness.query_text(spec, data, "minutes"), harness.query_text(patient, calm, "minutes"), "whether a partition was silent or not")

    def test_nothing_is_given_before_its_time(self):
        """Windows that wait for their lateness are not shown while their partition may still speak."""
        spec, data = self.pipeline("patient.yaml", "1 hour"), self.folder / "data"
        self.write("idle.csv", "device,time,value\n" + rows(0, 1000))
        harness.weir("run", spec, "--data", data, "--until-end")
        self.assertEqual(harness.table(spec, data, "minutes"), [])
        harness.run_to_end(spec, data)
        self.assertEqual(sum(int(row["n"]) for row in harness.table(spec, data, "minutes")), 1000)


if __name__ == "__main__":
    harness.main()
