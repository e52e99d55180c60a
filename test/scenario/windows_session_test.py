#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""Sessions against a brute-force model that takes one event after the other: joins, events out of order, amendments, updates, kill -9."""
import math
import signal
from dataclasses import dataclass

import harness
from windows_model import compare, forked, late_letters, pipeline, query, random_events, run_in_pieces, table_rows

CASES = 4 if harness.sanitized() else 6


@dataclass(eq=False)
class Session:
    times: list
    values: list

    def end(self, gap):
        return max(self.times) + gap


class Sessions:
    """A session is closed once the watermark has come to its last event + gap (+ amend); an event joins the open sessions that it lies within a gap of.
    `ambiguous`: an open session came to start where a closed one of its key did, so that they have one row between them."""

    def __init__(self, events, gap, lateness, amend=0):
        self.late, self.gap, self.ambiguous = [], gap, False
        by_id, high = {}, -math.inf
        for offset, (id, _, t, value) in enumerate(events):
            closed = high - lateness - amend
            sessions = by_id.setdefault(id, [])
            near = [s for s in sessions if closed < s.end(gap) and min(s.times) - gap < t < s.end(gap)]
            if not near and closed >= t + gap:
                self.late.append((0, offset))
            else:
                joined = Session([t], [value])
                for s in near:
                    joined.times += s.times
                    joined.values += s.values
                    sessions.remove(s)
                self.ambiguous |= any(min(s.times) == min(joined.times) for s in sessions)
                sessions.append(joined)
            high = max(high, t)
        self.watermark = high - lateness
        self.by_id = by_id

    def rows(self, until=math.inf):
        return {(id, min(s.times)): (s.end(self.gap), len(s.values), sum(s.values), min(s.values), max(s.values))
                for id, sessions in self.by_id.items() for s in sessions if s.end(self.gap) <= until}


class Windows(harness.Scenario):
    def case(self, rnd, name):
        shapes, lines = [], []
        for i in range(6):
            gap, lateness, amend = rnd.choice([1, 250, 3_000, 30_000]), rnd.choice([0, 500, 20_000, 100_000]), rnd.choice([0, 0, 5_000, 90_000])
            emit = rnd.choice(["final", "update"])
            lines.append(query(f"s{i}", f"session {gap} ms", lateness=lateness, amend=amend, emit=emit, more=f"    every: {rnd.choice([1, 20, 60_000])} ms"))
            shapes.append((f"s{i}", gap, lateness, amend, emit))
        events = random_events(rnd, rnd.choice([5, 300, 2500]), [f"id{i}" for i in range(rnd.choice([1, 3, 150]))], step=rnd.choice([20, 700]),
                               disorder=rnd.choice([0, 0.1, 0.6]), back=rnd.choice([2_000, 60_000, 300_000]), grid=rnd.choice([1, 250]), gap_ms=100_000)
        return shapes, pipeline(self, lines, events, name), events

    def check(self, spec, data, shapes, events, what, summary=None):
        for table, gap, lateness, amend, emit in shapes:
            model = Sessions(events, gap, lateness, amend)
            if model.ambiguous:
                continue
            label = f"{what}: {table}, session {gap}, lateness {lateness}, amend {amend}, {emit}"
            ended = summary is None and emit == "final" and not amend  # with amendments a session that was given may have grown since
            if summary or ended or emit == "update":
                compare(self, table_rows(spec, data, table), model.rows(model.watermark if ended else math.inf), label)
            self.assertEqual(late_letters(spec, data, table), model.late, label)
            if summary and emit == "final" and not amend:
                self.assertEqual(summary["rows"][table], len(model.rows()), f"{label}: each row given once")

    def test_against_brute_force(self):
        source = harness.seeded()
        for number in range(CASES):
            seed, rnd = forked(source)
            shapes, spec, events = self.case(rnd, f"case{number}")
            data = self.folder / f"data{number}"
            if rnd.random() < 0.6:
                run_in_pieces(self, spec, data, rnd, events, 4, f"case{number}")
                self.check(spec, data, shapes, events, f"case {seed}, before the end")
            self.check(spec, data, shapes, events, f"case {seed}", harness.run_to_end(spec, data).summary())

    def test_every_event_alone(self):
        """A run and a commit for each event: what one event changes in the table, deletions included, is there at once."""
        rnd = harness.seeded()
        events = random_events(rnd, 14, ["a", "b"], step=1500, disorder=0.5, back=9_000, grid=500, gap=0, start=0)
        shape = [("s0", 3_000, 10_000, 0, "update"), ("s1", 3_000, 2_000, 8_000, "update")]
        spec = pipeline(self, [query(t, f"session {gap} ms", lateness=late, amend=amend, emit=emit) for t, gap, late, amend, emit in shape], [])
        for end in range(1, len(events) + 1):
            run_in_pieces(self, spec, self.folder / "data", rnd, events[:end], 1)
            self.check(spec, self.folder / "data", shape, events[:end], f"after {end} events")

    def test_update_takes_back_what_was_joined(self):
        """Two sessions shown, then one event between them; and one before the first, so that its row has another key."""
        events = [("a", "x", 10_000, 1), ("a", "x", 14_000, 2), ("a", "x", 12_000, 4), ("a", "x", 9_000, 8)]
        spec, data = pipeline(self, [query("s", "session 3 s", lateness=60_000, emit="update")], []), self.folder / "data"
        shown = []
        for end in range(1, 5):
            run_in_pieces(self, spec, data, harness.random.Random(1), events[:end], 1)
            shown.append(table_rows(spec, data, "s"))
        self.assertEqual(shown, [{("a", 10_000): (13_000, 1, 1, 1, 1)}, {("a", 10_000): (13_000, 1, 1, 1, 1), ("a", 14_000): (17_000, 1, 2, 2, 2)},
                                 {("a", 10_000): (17_000, 3, 7, 1, 4)}, {("a", 9_000): (17_000, 4, 15, 1, 8)}])

    def test_killed(self):
        rnd, kills = harness.seeded(), 0
        lines = [query("f", "session 2 s", lateness=5_000), query("u", "session 2 s", lateness=5_000, emit="update", more="    every: 5 ms"),
                 query("m", "session 700 ms", lateness=1_000, amend=20_000, emit="update", more="    every: 1 ms")]
        shapes = [("f", 2_000, 5_000, 0, "final"), ("u", 2_000, 5_000, 0, "update"), ("m", 700, 1_000, 20_000, "update")]
        events = random_events(rnd, 6000, [f"id{i}" for i in range(40)], step=100, disorder=0.4, back=8_000, gap=0)
        length = (max(e[2] for e in events) - min(e[2] for e in events)) / 1000
        spec, data = pipeline(self, lines, events, pace=f"{length / 1.5}x"), self.folder / "data"
        while True:
            done = harness.weir("run", spec, "--data", data, "--until-end", "--close", "--format", "json",
                                **({"kill_after": rnd.uniform(0.02, 0.15)} if kills < 20 else {}))
            if done.code != -signal.SIGKILL:
                break
            kills += 1
        print(f"{kills} kills", flush=True)
        self.check(spec, data, shapes, events, f"after {kills} kills", done.summary())


if __name__ == "__main__":
    harness.main()
