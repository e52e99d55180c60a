# SPDX-License-Identifier: Apache-2.0
"""Kill -9 at random moments and at named points, start again, and compare with a run that nobody disturbed."""
import re
import shutil
import signal
import time

from fleet import MEAN_STEP_MS, TABLES, of_file, simulated
from harness import ROOT, counts, letters, parse_csv, query_text, run_to_end, weir

FEEDING = ("feed.", "log.")  # points that a mere producer passes
POINT = re.compile(r'weir_fault\("([\w.-]+)"\)')


def fault_points():
    """The names of all points at which the sources let a test kill a process whose engines are embedded."""
    passed = (path for path in (ROOT / "src").rglob("*.c") if not {"kafka", "cassandra"} & set(path.parts))
    found = {name for path in passed for name in POINT.findall(path.read_text())}
    return sorted(found)


class Picture:
    """All that must be the same after any number of kills."""

    @classmethod
    def undisturbed(cls, spec, data):
        return cls(spec, data, run_to_end(spec, data).summary())

    def __init__(self, spec, data, summary):
        self.tables = {name: query_text(spec, data, name) for name in TABLES}
        self.letters = letters(spec, data)
        self.counts = counts(summary)
        for name in ("daily", "devices"):  # how often an update is given is up to the clock
            self.counts["rows"].pop(name)


class Kills:
    def __init__(self, rnd):
        self.rnd = rnd
        self.points = fault_points()
        self.at = {name: 0 for name in self.points}
        self.anywhere = 0

    def total(self):
        return self.anywhere + sum(self.at.values())

    def once(self, seconds, *args):
        """Runs weir with death within `seconds`, or at one of the first passages of a point. True if it died, False if it came to its end before."""
        if self.rnd.random() < 0.5:
            point = self.rnd.choice([name for name in self.points if args[0] == "run" or name.startswith(FEEDING)])
            done = weir(*args, fault=f"{point}:{1 + int(self.rnd.expovariate(0.4))}")
        else:
            point = None
            done = weir(*args, kill_after=self.rnd.uniform(0, seconds))
        if done.code == 0:
            return False
        if done.code != -signal.SIGKILL:
            raise AssertionError(f"neither at its end nor killed: {done}")
        if point:
            self.at[point] += 1
        else:
            self.anywhere += 1
        return True

    def until_done(self, seconds, *args, most):
        """Again and again until a run comes to its end; after `most` kills it is let."""
        for _ in range(most):
            if not self.once(seconds, *args):
                return
        weir(*args)

    @staticmethod
    def same(scenario, spec, data, want, what):
        got = Picture.undisturbed(spec, data)
        scenario.assertEqual(got.counts, want.counts, what)
        for name in TABLES:
            scenario.same_text(got.tables[name], want.tables[name], f"{what}: table {name}")
        scenario.assertEqual(got.letters, want.letters, what)

    def report(self):
        points = ", ".join(f"{name} {count}" for name, count in self.at.items())
        print(f"{self.total()} kills: {self.anywhere} at random moments, {points}", flush=True)


def of_runs(scenario, kills, rows, rounds, event, partitions, ending, first_produce=False, lasting=None):
    """Rounds of: a fresh data folder, kills until the file has been read to its end, the same picture as undisturbed.
    `lasting`: seconds for which the feed is held back, so that there are many small commits on the way."""
    folder = scenario.subfolder()
    spec = of_file(folder, kills.rnd, rows, event, partitions, ending, f"{rows * MEAN_STEP_MS / 1000 / lasting}x" if lasting else "max")
    calm, data = folder / "calm", folder / "killed"
    started = time.monotonic()
    want = Picture.undisturbed(spec, calm)
    seconds = time.monotonic() - started
    scenario.assertGreater(len(want.letters), 0)
    for number in range(rounds):
        shutil.rmtree(data, ignore_errors=True)
        if first_produce:
            kills.until_done(seconds / 4, "produce", spec, "--data", data, most=4)
        kills.until_done(seconds / 4, "run", spec, "--data", data, "--until-end", "--close", most=15)
        kills.same(scenario, spec, data, want, f"{event}, {partitions} partitions, {ending}, round {number + 1}")


def topic_events(spec, data):
    header, partitions = parse_csv(weir("topic", "describe", spec, "--data", data, "--format", "csv").out)
    return sum(int(row[header.index("records")]) for row in partitions)


def of_produce(scenario, kills, limit, most):
    """A simulated feed, killed while it produces: every event is there once, and becomes a row once."""
    folder = scenario.subfolder()
    spec, data = simulated(folder), folder / "produced"
    for _ in range(most):
        there = topic_events(spec, data) if (data / "CURRENT").exists() and kills_left_a_topic(spec, data) else 0
        if there >= limit or not kills.once(limit / 200_000, "produce", spec, "--data", data, "--limit", limit - there):
            break
    there = topic_events(spec, data) if kills_left_a_topic(spec, data) else 0
    if there < limit:
        weir("produce", spec, "--data", data, "--limit", limit - there)
    scenario.assertEqual(topic_events(spec, data), limit)
    summary = weir("run", spec, "--data", data, "--no-feed", "--until-end", "--close", "--format", "json").summary()
    scenario.assertEqual(summary["records"], limit)
    scenario.assertEqual(summary["rows"]["readings"], limit)
    header, devices = parse_csv(query_text(spec, data, "devices"))
    turns = sorted(int(row[header.index("n")]) for row in devices)
    scenario.assertEqual((len(devices), sum(turns)), (50, limit))
    scenario.assertLessEqual(turns[-1] - turns[0], 1, "every device speaks in turn")


def kills_left_a_topic(spec, data):
    """Whether the folder had come to life before the kill: one without a database, or without the topic, is no error to start from."""
    done = weir("topic", "describe", spec, "--data", data, expect=(0, 65, 66, 74))
    return done.code == 0
