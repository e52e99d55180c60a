#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands as people and scripts meet them: exit codes, formats, what is said where."""
import csv
import fcntl
import io
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest
from pathlib import Path

WEIR = os.environ["WEIR"]
ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "pipelines/iot-analytics.yaml"

READINGS = [("a", 1000, "1.5"), ("b", 2000, "0.1"), ("a", 3_600_000, ""), ("a", 3_601_000, "2"), ("b", 7_300_000, "1e300")]
PIPELINE = """pipeline: small
topic: {name: readings, partitions: 1}
event: {format: json, fields: {device: string, time: long, value: optional double}, key: device, time: time}
feed: {file: {path: readings.csv}}
queries:
  - table: raw
    columns: {device: text, time: bigint, value: double}
    key: [[device], time desc]
  - table: hourly
    window: tumbling 1 hour
    group_by: [device]
    lateness: 1 minute
    columns:
      device: text
      hour: bigint = epoch_s(window_start)
      n: int = count()
      high: double = max(value)
    key: [[device], hour desc]
"""


def weir(*args, **more):
    environment = dict(os.environ, NO_COLOR="1")
    environment.pop("WEIR_DATA", None)
    return subprocess.run([WEIR, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, env=environment, **more)


class Usage(unittest.TestCase):
    def says(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stdout + done.stderr)

    def test_overview_and_help(self):
        self.says(weir(), 0, "demo", "query", "completion")
        self.says(weir("help", "run"), 0, "--until-end", "examples:")
        self.says(weir("topic", "tail", "--help"), 0, "--follow")
        self.says(weir("help", "topic", "tail"), 0, "--follow")
        self.says(weir("version"), 0, "weir ")
        self.says(weir("--version"), 0, "weir ")

    def test_mistakes(self):
        self.says(weir("runn"), 64, "unknown command 'runn'", "'run'")
        self.says(weir("topic"), 64, "describe")
        self.says(weir("topic", "lst"), 64, "'list'")
        self.says(weir("run"), 64, "FILE")
        self.says(weir("run", "a.yaml", "--until-ende"), 64, "did you mean '--until-end'?")
        self.says(weir("query", "a.yaml", "b", "c"), 64, "unexpected 'c'")
        self.says(weir("completion", "tcsh"), 64, "bash, zsh and fish")
        self.says(weir("run", "no-such.yaml"), 66, "no-such.yaml")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([WEIR, "help", "run"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 74)
        self.assertIn("could not be written", done.stderr)

    def test_completions_are_scripts(self):
        for shell in ("bash", "zsh", "fish"):
            script = weir("completion", shell)
            self.assertEqual(script.returncode, 0)
            if shutil.which(shell):
                self.assertEqual(subprocess.run([shell, "-n"], input=script.stdout, text=True).returncode, 0)
        asked = weir("completion", "bash").stdout + "\nCOMP_WORDS=(weir topic ta); COMP_CWORD=2; _weir; echo \"${COMPREPLY[*]}\"\n" \
            "COMP_WORDS=(weir run --unt); COMP_CWORD=2; _weir; echo \"${COMPREPLY[*]}\"\n" \
            "COMP_WORDS=(weir query --format j); COMP_CWORD=3; _weir; echo \"${COMPREPLY[*]}\"\n"
        got = subprocess.run(["bash"], input=asked, capture_output=True, text=True).stdout
        self.assertEqual(got.split(), ["tail", "--until-end", "json"])

    def test_the_shipped_pipeline(self):
        self.says(weir("check", SHIPPED), 0, "ok", "hourly_aggregates", "tumbling 1 hour by device_id")
        self.says(weir("table", "show", SHIPPED), 0, "CREATE TABLE IF NOT EXISTS iot_analytics.sensor_events",
                  "PRIMARY KEY ((device_id), timestamp)", "CLUSTERING ORDER BY (timestamp DESC)", "'class': 'TimeWindowCompactionStrategy'")


class Small(unittest.TestCase):
    """A small pipeline, run once; every command looks at what it left."""

    @classmethod
    def setUpClass(cls):
        cls.dir = Path(tempfile.mkdtemp(prefix="weir-commands-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        lines = ["device,time,value", *(f"{d},{t},{v}" for d, t, v in READINGS), "b,7100000,5", "c,never,1"]
        (cls.dir / "readings.csv").write_text("\n".join(lines) + "\n")
        (cls.dir / "small.yaml").write_text(PIPELINE)
        cls.ran = cls.weir("run", "small.yaml", "--data", "d", "--until-end", "--close", "--format", "json")

    @classmethod
    def weir(cls, *args):
        return weir(*args, cwd=cls.dir)

    def rows(self, *args):
        done = self.weir("query", "small.yaml", *args, "--data", "d", "--format", "csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        return list(csv.reader(io.StringIO(done.stdout)))

    def test_summary(self):
        self.assertEqual(self.ran.returncode, 0, self.ran.stderr)
        summary = json.loads(self.ran.stdout.splitlines()[-1])
        self.assertIsInstance(summary.pop("seconds"), float)
        self.assertEqual(summary, {"pipeline": "small", "records": 6, "rows": {"raw": 6, "hourly": 4},
                                   "dead": {"late": 1, "malformed": 1, "future": 0, "unknown_schema": 0}})
        again = json.loads(self.weir("run", "small.yaml", "--data", "d", "--until-end", "--close", "--format", "json").stdout.splitlines()[-1])
        self.assertEqual({k: again[k] for k in summary}, summary)

    def test_rows_in_key_order(self):
        self.assertEqual(self.rows("raw"), [["device", "time", "value"], ["a", "3601000", "2"], ["a", "3600000", ""], ["a", "1000", "1.5"],
                                            ["b", "7300000", "1e+300"], ["b", "7100000", "5"], ["b", "2000", "0.1"]])
        self.assertEqual(self.rows("hourly"), [["device", "hour", "n", "high"], ["a", "3600", "2", "2"], ["a", "0", "1", "1.5"],
                                               ["b", "7200", "1", "1e+300"], ["b", "0", "1", "0.1"]])

    def test_by_key_and_bounds(self):
        self.assertEqual([r[1] for r in self.rows("raw", "--key", "b")[1:]], ["7300000", "7100000", "2000"])
        self.assertEqual([r[1] for r in self.rows("raw", "--key", "b", "--key", "2000")[1:]], ["2000"])
        self.assertEqual([r[1] for r in self.rows("raw", "--from", "1970-01-01T01:00:00Z", "--to", "1970-01-01T01:00:01Z")[1:]], ["3601000", "3600000"])
        self.assertEqual([r[1] for r in self.rows("hourly", "--from", "3600", "--to", "1970-01-01T01:59")[1:]], ["3600"])
        self.assertEqual(len(self.rows("raw", "--limit", "2")), 3)
        self.assertEqual(self.rows("raw", "--key", "nobody"), [["device", "time", "value"]])

    def test_formats(self):
        first = self.weir("query", "small.yaml", "raw", "--data", "d", "--format", "json", "--limit", "2").stdout.splitlines()
        self.assertEqual([json.loads(line) for line in first], [{"device": "a", "time": 3601000, "value": 2}, {"device": "a", "time": 3600000, "value": None}])
        self.assertIn("device  ", self.weir("query", "small.yaml", "raw", "--data", "d", "--format", "table").stdout)

    def test_wrong_questions(self):
        for args, word in ((("raws",), "'raw'"), (("raw", "--key", "a", "--key", "x"), "'x' is no bigint"), (("raw", "--from", "soon"), "soon"),
                           (("raw", "--key", "a", "--key", "1", "--key", "2"), "2 key columns")):
            done = self.weir("query", "small.yaml", *args, "--data", "d")
            self.assertEqual(done.returncode, 64, done.stderr)
            self.assertIn(word, done.stderr)
        self.assertEqual(self.weir("query", "small.yaml", "raw", "--data", "nowhere").returncode, 66)

    def test_a_reader_that_goes_away(self):
        script = f'set -o pipefail; "{WEIR}" query small.yaml raw --data d | head -n 1'
        done = subprocess.run(["bash", "-c", script], cwd=self.dir, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "device,time,value\n", ""))

    def test_topics(self):
        self.assertIn("readings", self.weir("topic", "list", "--data", "d").stdout)
        described = list(csv.DictReader(io.StringIO(self.weir("topic", "describe", "readings", "--data", "d", "--format", "csv").stdout)))
        self.assertEqual([(r["partition"], r["start"], r["end"]) for r in described], [("0", "0", "6")])
        tail = [json.loads(line) for line in self.weir("topic", "tail", "small.yaml", "--data", "d", "--limit", "2").stdout.splitlines()]
        self.assertEqual([(r["offset"], r["key"], r["value"]["time"]) for r in tail], [(4, "b", 7300000), (5, "b", 7100000)])
        raw = [json.loads(line) for line in self.weir("topic", "tail", "readings", "--data", "d", "--offset", "1", "--limit", "1").stdout.splitlines()]
        self.assertEqual([(r["offset"], json.loads(r["value"])["device"]) for r in raw], [(1, "b")])
        done = self.weir("topic", "describe", "reading", "--data", "d")
        self.assertEqual(done.returncode, 65)
        self.assertIn("readings", done.stderr)

    def test_topic_create_and_delete(self):
        self.assertEqual(self.weir("topic", "create", "t", "--partitions", "2", "--data", "other").returncode, 0)
        self.assertIn("t,2", self.weir("topic", "list", "--data", "other", "--format", "csv").stdout)
        self.assertEqual(self.weir("topic", "create", "t", "--partitions", "3", "--data", "other").returncode, 78)
        self.assertEqual(self.weir("topic", "delete", "t", "--data", "other").returncode, 0)
        self.assertNotIn("t,2", self.weir("topic", "list", "--data", "other", "--format", "csv").stdout)

    def test_dead_letters(self):
        listed = [json.loads(line) for line in self.weir("dead", "list", "small.yaml", "--data", "d", "--format", "json").stdout.splitlines()]
        self.assertEqual([(r["reason"], r["count"]) for r in listed], [("late", 1), ("malformed", 1)])
        shown = [json.loads(line) for line in self.weir("dead", "show", "small.yaml", "--data", "d", "--reason", "late", "--format", "json").stdout.splitlines()]
        self.assertEqual([(r["query"], r["offset"], json.loads(r["value"])["value"]) for r in shown], [("hourly", 5, 5)])
        self.assertEqual(self.weir("dead", "replay", "small.yaml", "--data", "d", "--reason", "late").returncode, 64)
        self.assertEqual(self.weir("dead", "show", "small.yaml", "--data", "d", "--reason", "lat").returncode, 64)

    def test_nothing_runs(self):
        self.assertEqual(self.weir("status", "--data", "d").returncode, 69)


class Running(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="weir-running-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def start(self, *args):
        process = subprocess.Popen([WEIR, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        return process

    def wait_for(self, what):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            got = what()
            if got:
                return got
        self.fail("it never came")

    def test_status_while_it_runs_and_clean_stops(self):
        for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
            process = self.start("run", SHIPPED, "--data", self.dir / "d", "--format", "json")

            def status():
                done = weir("status", "--data", self.dir / "d", "--format", "json")
                return done.returncode == 0 and json.loads(done.stdout)["pipelines"][0]["records"] >= 100 and done
            self.wait_for(status)
            self.assertIn("iot-analytics", weir("status", "--data", self.dir / "d").stdout)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, code, err)
            self.assertGreaterEqual(json.loads(out.splitlines()[-1])["records"], 100)

    def test_demo_in_plain_lines(self):
        done = weir("demo", "--for", "3s", "--data", self.dir / "demo", cwd=self.dir)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("events", done.stdout)
        self.assertIn("hourly_aggregates --data", done.stdout)
        pipeline = self.dir / "demo/demo/pipelines/iot-analytics.yaml"
        rows = weir("query", pipeline, "sensor_events", "--data", self.dir / "demo", "--limit", "3", "--format", "csv")
        self.assertEqual(len(rows.stdout.splitlines()), 4, rows.stderr)

    def on_a_terminal(self, *args):
        """Runs weir on a terminal of 100 columns; returns the exit code and all that it wrote there."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        environment = dict(os.environ, TERM="xterm-256color", NO_COLOR="1")
        process = subprocess.Popen([WEIR, *map(str, args)], stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        self.addCleanup(process.kill)
        os.close(theirs)
        written = b""
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:  # the terminal is gone: all have closed it
            pass
        os.close(ours)
        return process.wait(timeout=60), written.decode()

    def test_demo_on_a_terminal(self):
        code, written = self.on_a_terminal("demo", "--for", "3s", "--data", self.dir / "demo")
        self.assertEqual(code, 0, written)
        screen, _, after = written.partition("\x1b[?1049l")
        self.assertIn("\x1b[?1049h", screen)
        self.assertIn("events/s", screen)
        self.assertIn("hourly_aggregates --data", after)
        self.assertNotIn("\x1b[1m", written)  # NO_COLOR

    def test_run_on_a_terminal(self):
        code, written = self.on_a_terminal("run", SHIPPED, "--for", "3s", "--data", self.dir / "d")
        self.assertEqual(code, 0, written)
        self.assertIn("watermark", written)
        self.assertRegex(written.splitlines()[-1], r"devices +[\d,]+ rows written")

    def test_produce_fills_the_topic_only(self):
        done = weir("produce", SHIPPED, "--limit", "200", "--data", self.dir / "p", "--format", "json")
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["records"], 200, done.stderr)
        ends = csv.DictReader(io.StringIO(weir("topic", "describe", "sensor-events", "--data", self.dir / "p", "--format", "csv").stdout))
        self.assertEqual(sum(int(r["end"]) for r in ends), 200)
        self.assertIn("sensor-events-value", weir("schema", "list", "--data", self.dir / "p").stdout)
        self.assertEqual(json.loads(weir("schema", "show", "sensor-events-value", "--data", self.dir / "p").stdout)["name"], "SensorEvent")


if __name__ == "__main__":
    unittest.main()
