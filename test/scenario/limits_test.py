#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""What weir may take: memory while pipeline A runs, bytes of the binary."""
import os
import signal
import subprocess

import harness

PIPELINE_A = harness.ROOT / "pipelines/iot-analytics.yaml"
MEMORY_MAX = 64 << 20
BINARY_MAX = 10 << 20
EVENTS = 800  # eight seconds of pipeline A


class Limits(harness.Scenario):
    def test_memory_of_pipeline_a(self):
        data = self.folder / "data"
        with harness.Running("run", PIPELINE_A, "--data", data, "--format", "json", folder=self.folder) as run:
            harness.poll(f"{EVENTS} events", lambda: self.events(data) >= EVENTS)
            peak = run.peak_bytes()
            done = run.end(signal.SIGTERM)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.summary()["rows"]["sensor_events"], done.summary()["records"])
        print(f"{peak / (1 << 20):.1f} MiB at most", flush=True)
        self.assertLess(peak, MEMORY_MAX)

    def events(self, data):
        done = harness.weir("topic", "describe", "sensor-events", "--data", data, "--format", "csv", expect=None)
        if done.code:
            return 0
        header, partitions = harness.parse_csv(done.out)
        return sum(int(row[header.index("records")]) for row in partitions)

    def test_size_of_the_binary(self):
        """As a package ships it: without what only a debugger reads."""
        small = self.folder / "weir"
        subprocess.run(["strip", "-o", small, harness.WEIR], check=True)
        size = os.path.getsize(small)
        print(f"{size / (1 << 20):.2f} MiB, {os.path.getsize(harness.WEIR) / (1 << 20):.2f} with debug information", flush=True)
        self.assertLess(size, BINARY_MAX)


if __name__ == "__main__":
    harness.main()
