#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reading while a run writes, and how runs end."""
import json
import signal
import threading
import time

import harness

DEVICES = 8
ROWS = 20_000 if harness.sanitized() else 60_000

PIPELINE = """pipeline: live
topic: {{name: live, partitions: 3}}
event: {{format: json, fields: {{device: string, seq: long, time: long}}, key: device, time: time}}
feed: {feed}
queries:
  - table: readings
    columns: {{device: text, seq: bigint, time: bigint}}
    key: [[device], seq asc]
  - table: totals
    group_by: [device]
    every: 10 ms
    columns: {{device: text, n: bigint = count(), top: bigint = max(seq), time: bigint = max(time)}}
    key: [device]
  - table: minutes
    window: tumbling 1 minute
    group_by: [device]
    lateness: 1 second
    columns: {{device: text, minute: timestamp = window_start, n: int = count()}}
    key: [[device], minute desc]
"""
NOW = "{simulate: {rate: 200 per second, seed: 3, fields: {device: {uuid: 8}, seq: {uniform: [0, 1000000]}, time: now}}}"


def lines(count):
    yield "device,seq,time"
    for i in range(count):
        yield f"dev-{i % DEVICES},{i // DEVICES},{1_600_000_000_000 + 20 * i}"
        if i % 1000 == 999:
            yield "broken"


class Readers(harness.Scenario):
    def paced(self, seconds):
        """A pipeline over a file that takes about so long to be read."""
        self.write("live.csv", "\n".join(lines(ROWS)) + "\n")
        pace = round(20 * ROWS / 1000 / seconds, 3)
        return self.write("live.yaml", PIPELINE.format(feed=f"{{file: {{path: live.csv, pace: {pace}x}}}}"))

    def test_readers_in_parallel(self):
        spec, data = self.paced(5), self.folder / "data"
        trouble, asked = [], [0]
        with harness.Running("run", spec, "--data", data, "--until-end", "--close", "--format", "json", folder=self.folder) as run:
            harness.poll("the folder is there", lambda: (data / "status.json").exists() or not run.alive())
            readers = [threading.Thread(target=self.read_on, args=(probe, run, spec, data, trouble, asked))
                       for probe in 2 * (self.read_table, self.read_totals, self.read_others)]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            done = run.end()
        self.assertEqual(done.code, 0, done)
        self.assertEqual(trouble, [])
        print(f"{asked[0]} readings while it ran", flush=True)
        self.assertGreater(asked[0], 10)
        self.assertEqual(done.summary()["rows"]["readings"], ROWS)
        self.assertEqual(len(harness.table(spec, data, "readings")), ROWS)

    def read_on(self, probe, run, spec, data, trouble, asked):
        before = {}
        try:
            while run.alive() and not trouble:
                probe(spec, data, before)
                asked[0] += 1
        except (AssertionError, ValueError, KeyError) as wrong:
            if run.alive():
                trouble.append(str(wrong))

    def read_table(self, spec, data, before):
        """Of each device, the events from the first on, without a gap; never fewer than a moment ago."""
        heard = {}
        for row in harness.table(spec, data, "readings"):
            heard.setdefault(row["device"], []).append(int(row["seq"]))
        for device, numbers in heard.items():
            self.assertEqual(numbers, list(range(len(numbers))), f"{device}: a prefix")
            self.assertGreaterEqual(len(numbers), before.get(device, 0), f"{device}: nothing is taken back")
            before[device] = len(numbers)

    def read_totals(self, spec, data, before):
        for row in harness.table(spec, data, "totals"):
            self.assertEqual(int(row["n"]), int(row["top"]) + 1, row)
            self.assertGreaterEqual(int(row["n"]), before.get(row["device"], 0))
            before[row["device"]] = int(row["n"])
        for row in harness.table(spec, data, "minutes"):
            self.assertEqual(int(row["n"]) > 0, True, row)

    def read_others(self, spec, data, before):
        topics = harness.weir("topic", "list", "--data", data, "--format", "csv").out
        self.assertIn("live", topics)
        header, partitions = harness.parse_csv(harness.weir("topic", "describe", spec, "--data", data, "--format", "csv").out)
        ends = [int(row[header.index("end")]) for row in partitions]
        self.assertEqual(len(ends), 3)
        self.assertGreaterEqual(sum(ends), before.get("ends", 0))
        before["ends"] = sum(ends)
        for line in harness.weir("topic", "tail", spec, "--data", data, "--limit", 5).out.splitlines():
            self.assertIn("device", json.loads(line)["value"])
        listed = harness.weir("dead", "list", spec, "--data", data, "--format", "csv").out
        header, reasons = harness.parse_csv(listed)
        count = sum(int(row[header.index("count")]) for row in reasons)
        self.assertGreaterEqual(count, before.get("dead", 0))
        before["dead"] = count
        status = harness.weir("status", "--data", data, "--format", "json", expect=(0, 69))
        if status.code == 0:
            self.assertEqual(json.loads(status.out)["pipelines"][0]["pipeline"], "live")


class Ends(harness.Scenario):
    def live(self):
        return self.write("now.yaml", PIPELINE.format(feed=NOW)), self.folder / "data"

    def start(self, spec, data, *more):
        run = harness.Running("run", spec, "--data", data, "--format", "json", *more, folder=self.folder)
        self.addCleanup(run.__exit__)
        harness.poll("rows", lambda: harness.weir("query", spec, "readings", "--data", data, "--limit", 1, expect=None).out.count("\n") > 1)
        return run

    def check_end(self, number, code):
        spec, data = self.live()
        done = self.start(spec, data).end(number)
        self.assertEqual(done.code, code, done)
        summary = done.summary()
        self.assertEqual(summary["records"], summary["rows"]["readings"])
        again = harness.weir("run", spec, "--data", data, "--no-feed", "--until-end", "--close", "--format", "json").summary()
        self.assertGreaterEqual(again["records"], summary["records"])
        self.assertEqual(again["records"], again["rows"]["readings"])
        self.assertEqual(sum(int(row["n"]) for row in harness.table(spec, data, "totals")), again["records"])
        self.assertEqual(sum(int(row["n"]) for row in harness.table(spec, data, "minutes")), again["records"])

    def test_sigterm_ends_with_0(self):
        self.check_end(signal.SIGTERM, 0)

    def test_sigint_ends_with_130(self):
        self.check_end(signal.SIGINT, 130)

    def test_a_second_run_is_refused(self):
        spec, data = self.live()
        run = self.start(spec, data)
        second = harness.weir("run", spec, "--data", data, expect=69)
        self.assertIn(str(run.pid), second.err)
        self.assertTrue(run.alive())
        self.assertEqual(harness.weir("status", "--data", data).code, 0)
        self.assertEqual(run.end(signal.SIGTERM).code, 0)
        harness.weir("status", "--data", data, expect=69)

    def test_for_a_while(self):
        spec, data = self.live()
        started = time.monotonic()
        done = harness.weir("run", spec, "--data", data, "--for", "1s", "--format", "json")
        took = time.monotonic() - started
        self.assertGreaterEqual(took, 1)
        self.assertLess(took, 10)
        self.assertGreater(done.summary()["records"], 50)

    def test_rows_are_readable_at_once(self):
        """Half a second from an event to its row at the slowest; the best of ten tries, as this machine may be busy."""
        spec, data = self.live()
        run = self.start(spec, data)
        best = min(self.delay(spec, data) for _ in range(10))
        self.assertEqual(run.end(signal.SIGTERM).code, 0)
        print(f"an event is a readable row after {best * 1000:.0f} ms, a process started to read it included", flush=True)
        self.assertLess(best, 5 if harness.sanitized() else 0.5)

    def delay(self, spec, data):
        """Seconds until an event of right now is in a table that the next reader sees."""
        marked = time.time()
        harness.poll("the newest event", lambda: max(int(row["time"]) for row in harness.table(spec, data, "totals")) >= marked * 1000)
        return time.time() - marked


if __name__ == "__main__":
    harness.main()
