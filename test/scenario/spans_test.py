#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""Groups whose events lie in several partitions: rows are the partitions' parts merged, whatever the order in which they were read."""
import signal

import harness
from windows_calendar_test import Clock
from windows_model import (Folded, check, compare, forked, pipeline, query, random_events, run_in_pieces, silent_key, sliding, spread, table_rows,
                           tumbling, write_events)

CASES = 8
KEYS = [f"id{i}" for i in range(12)]
SLIDING_PARTS = [(60_000, 10_000), (5_000, 1_000), (3_000, 3_000)]


def skewed(rnd, events, partitions):
    """Partitions run ahead of each other by up to half a minute: each has its own watermark."""
    ahead = {key: rnd.randrange(30_000) for key in KEYS}
    return [(id, group, t + ahead[id], v) for id, group, t, v in events] if partitions > 1 and rnd.random() < 0.5 else events


class Spans(harness.Scenario):
    def shapes(self, rnd, clock, count):
        for i in range(count):
            lateness, amend, emit = rnd.choice([0, 500, 20_000]), rnd.choice([0, 0, 9_000]), rnd.choice(["final", "update"])
            kind = rnd.choice(["tumbling", "sliding", "calendar"])
            if kind == "tumbling":
                size = rnd.choice([1_000, 7_000, 60_000])
                window, windows_of = f"tumbling {size} ms", tumbling(size)
            elif kind == "sliding":
                size, slide = rnd.choice(SLIDING_PARTS)
                window, windows_of = f"sliding {size} ms every {slide} ms", sliding(size, slide)
            else:
                unit = rnd.choice(["hour", "day", "month"])
                window, windows_of = f"calendar {unit}", lambda t, unit=unit: [clock.window(unit, t)]
            yield f"w{i}", window, windows_of, lateness, amend, emit

    def lines(self, rnd, shapes):
        return [query(name, window, group="grp", lateness=lateness, amend=amend, emit=emit, more=f"    every: {rnd.choice([1, 20, 60_000])} ms")
                for name, window, _, lateness, amend, emit in shapes]

    def check_all(self, spec, data, shapes, parts, what, summary=None):
        for name, window, windows_of, lateness, amend, emit in shapes:
            folded = Folded(parts, windows_of, lateness, amend, group=1)
            label = f"{what}: {window}, lateness {lateness}, amend {amend}, {emit}, {len(parts)} partitions"
            check(self, spec, data, name, folded, label, until_end=summary is None and emit == "final", group="grp")
            if summary and emit == "final" and not amend:
                self.assertEqual(summary["rows"][name], len(folded.rows()), f"{label}: each row given once")

    def events(self, rnd, partitions, count=None):
        made = random_events(rnd, count or rnd.choice([3, 300, 2500]), KEYS, ["x", "y", "z"], step=rnd.choice([20, 700]),
                             disorder=rnd.choice([0, 0.1, 0.6]), back=rnd.choice([2_000, 60_000]), grid=rnd.choice([1, 500]), gap_ms=100_000)
        return skewed(rnd, made, partitions)

    def test_against_brute_force(self):
        source, clock = harness.seeded(), Clock("America/St_Johns")
        for number in range(CASES):
            seed, rnd = forked(source)
            partitions, shapes = rnd.randrange(2, 6), list(self.shapes(rnd, clock, 5))
            events = self.events(rnd, partitions)
            spec = pipeline(self, self.lines(rnd, shapes), events, f"case{number}", partitions=partitions, zone="America/St_Johns")
            parts, data = spread(events, partitions), self.folder / f"data{number}"
            if rnd.random() < 0.6:
                run_in_pieces(self, spec, data, rnd, events, 3, f"case{number}")
                self.check_all(spec, data, shapes, parts, f"case {seed}, before the end")
            self.check_all(spec, data, shapes, parts, f"case {seed}", harness.run_to_end(spec, data).summary())

    def test_partitions_without_events(self):
        """One key: the other partitions never have an event, and hold back what is final until the end."""
        events = [(KEYS[0], "x", t * 1000, t) for t in range(300)]
        spec = pipeline(self, [query("f", "tumbling 1 minute", group="grp"), query("u", "tumbling 1 minute", group="grp", emit="update"),
                               query("s", "sliding 1 minute every 20 s", group="grp")], events, partitions=3)
        data, folded = self.folder / "data", Folded(spread(events, 3), tumbling(60_000), 0, group=1)
        slid = Folded(spread(events, 3), sliding(60_000, 20_000), 0, group=1)
        run_in_pieces(self, spec, data, harness.random.Random(1), events, 2)
        for name, want in (("f", {}), ("u", folded.rows()), ("s", {})):
            compare(self, table_rows(spec, data, name, "grp"), want, f"{name} before the end")
        harness.run_to_end(spec, data)
        for name, want in (("f", folded.rows()), ("u", folded.rows()), ("s", slid.rows())):
            compare(self, table_rows(spec, data, name, "grp"), want, name)

    def test_a_partition_that_falls_silent(self):
        """Two partitions, told in real time; the second is silent for a second and a half. What has ended is shown without it, and corrected by what it
        tells later: its own watermark has stood still, so that none of it is late. The tables end as if it never had been silent."""
        fast, slow = (silent_key(2, partition) for partition in (0, 1))
        start, told = 1_600_000_000_000, []
        for tenth in range(30):
            told.append((fast, "x", start + tenth * 100, 1))
            if tenth < 5 or tenth >= 20:
                told.append((slow, "x", start + tenth * 100 - (1_500 if 20 <= tenth < 24 else 0), 100))
        windows = [("tumbling 200 ms", tumbling(200)), ("sliding 600 ms every 200 ms", sliding(600, 200))]
        shapes = [(f"{emit}{i}", window, windows_of, emit) for i, (window, windows_of) in enumerate(windows) for emit in ("final", "update")]
        lines = [query(name, window, group="grp", emit=emit, more="    idle: 300 ms\n    every: 10 ms") for name, window, _, emit in shapes]
        spec, data = pipeline(self, lines, told, partitions=2, pace="realtime"), self.folder / "data"
        harness.run_to_end(spec, data)
        for name, window, windows_of, emit in shapes:
            check(self, spec, data, name, Folded(spread(told, 2), windows_of, 0, group=1), f"{window}, {emit}", group="grp")

    def test_silence_before_a_restart(self):
        """All are silent, so that everything is shown; then the process ends, and more comes for the same windows."""
        fast, slow = (silent_key(2, partition) for partition in (0, 1))
        start = 1_600_000_000_000
        first = [(key, "x", start + i * 1000, 1) for i in range(30) for key in (fast, slow)]
        then = [(slow, "x", start + 10_500, 7), (fast, "x", start + 29_000, 9), (slow, "x", start + 40_000, 11)]
        windows = [("t", "tumbling 10 s", tumbling(10_000)), ("s", "sliding 20 s every 5 s", sliding(20_000, 5_000))]
        lines = [query(name, window, group="grp", lateness=60_000, more="    idle: 150 ms") for name, window, _ in windows]
        spec, data = pipeline(self, lines, first, partitions=2), self.folder / "data"
        shown = {name: Folded(spread(first, 2), windows_of, 60_000, group=1).rows() for name, _, windows_of in windows}
        with harness.Running("run", spec, "--data", data, "--format", "json", "--listen", "127.0.0.1:0", folder=self.folder) as run:
            harness.poll("all that ended", lambda: run.alive() and all(self.tables(spec, data, name) == rows for name, rows in shown.items()), 20)
            self.assertEqual(run.end(signal.SIGTERM).code, 0)
        write_events(self, first + then)
        harness.run_to_end(spec, data)
        for name, _, windows_of in windows:
            check(self, spec, data, name, Folded(spread(first + then, 2), windows_of, 60_000, group=1), "after the restart", group="grp")

    def tables(self, spec, data, name):
        done = harness.weir("query", spec, name, "--data", data, expect=None)
        return table_rows(spec, data, name, "grp") if done.code == 0 else None

    def test_killed(self):
        """As undisturbed, to the bit, in every table; what floats make of sums depends on no order either."""
        rnd, kills, clock = harness.seeded(), 0, Clock("Europe/Rome")
        partitions, shapes = 4, [("t", "tumbling 7 s", tumbling(7_000), 5_000, 0, "final"), ("s", "sliding 1 minute every 10 s", sliding(60_000, 10_000), 5_000, 0, "final"),
                                 ("u", "sliding 5 s every 1 s", sliding(5_000, 1_000), 2_000, 0, "update"), ("a", "tumbling 3 s", tumbling(3_000), 0, 9_000, "final"),
                                 ("c", "calendar day", lambda t: [clock.window("day", t)], 0, 0, "update")]
        events = skewed(rnd, random_events(rnd, 6000, KEYS, ["x", "y", "z"], step=100, disorder=0.3, back=9_000, gap=0), partitions)
        row = "start: bigint = epoch_ms(window_start), total: double = sum(v / 7), spread: double = stddev(v / 3), mid: double = median(v)"
        exact = query("e", "tumbling 5 s", group="grp", lateness=3_000, row=row)
        length = (max(e[2] for e in events) - min(e[2] for e in events)) / 1000
        spec = pipeline(self, self.lines(rnd, shapes) + [exact], events, partitions=partitions, pace=f"{length / 1.5}x", zone="Europe/Rome")
        calm, data = self.folder / "calm", self.folder / "data"
        harness.run_to_end(spec, calm)
        while True:
            done = harness.weir("run", spec, "--data", data, "--until-end", "--close", "--format", "json",
                                **({"kill_after": rnd.uniform(0.02, 0.15)} if kills < 22 else {}))
            if done.code != -signal.SIGKILL:
                break
            kills += 1
        print(f"{kills} kills", flush=True)
        for table in (*(shape[0] for shape in shapes), "e"):
            self.same_text(harness.query_text(spec, data, table), harness.query_text(spec, calm, table), f"after {kills} kills: {table}")
        self.assertEqual(harness.letters(spec, data), harness.letters(spec, calm))
        self.check_all(spec, data, shapes, spread(events, partitions), f"after {kills} kills", done.summary())


if __name__ == "__main__":
    harness.main()
