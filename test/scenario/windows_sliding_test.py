#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sliding windows against brute force: random sizes, slides and lateness, final and update, with and without amendments, events out of order."""
import harness
from windows_model import Folded, check, forked, pipeline, query, random_events, run_in_pieces, sliding

CASES = 4 if harness.sanitized() else 12


def random_window(rnd):
    slide = rnd.choice([250, 1000, 10_000, 7_001])
    return slide * rnd.choice([1, 2, 3, 6, 30]), slide


class Sliding(harness.Scenario):
    def case(self, rnd, number):
        """A file of several sliding queries over the same events."""
        shapes, lines = [], []
        for i in range(6):
            (size, slide), lateness = random_window(rnd), rnd.choice([0, 500, 20_000, 100_000])
            amend, emit = rnd.choice([0, 0, 5_000, 90_000]), rnd.choice(["final", "update"])
            every = f"    every: {rnd.choice([1, 20, 60_000])} ms"
            lines.append(query(f"s{i}", f"sliding {size} ms every {slide} ms", lateness=lateness, amend=amend, emit=emit, more=every))
            shapes.append((f"s{i}", size, slide, lateness, amend, emit))
        events = random_events(rnd, rnd.choice([5, 300, 3000]), ["a", "b", "c"], step=rnd.choice([20, 700]), disorder=rnd.choice([0, 0.1, 0.6]),
                               back=rnd.choice([2_000, 60_000, 300_000]), grid=rnd.choice([1, 250]), gap_ms=100_000)
        return shapes, pipeline(self, lines, events, f"case{number}"), events

    def check_all(self, spec, data, shapes, events, what, summary=None):
        for table, size, slide, lateness, amend, emit in shapes:
            folded = Folded([events], sliding(size, slide), lateness, amend)
            label = f"{what}: sliding {size} every {slide}, lateness {lateness}, amend {amend}, {emit}"
            ended = summary is None and emit == "final"
            check(self, spec, data, table, folded, label, until_end=ended)
            if summary and emit == "final" and not amend:
                self.assertEqual(summary["rows"][table], len(folded.rows()), f"{label}: each row given once")

    def test_against_brute_force(self):
        source = harness.seeded()
        for number in range(CASES):
            seed, rnd = forked(source)
            shapes, spec, events = self.case(rnd, number)
            data = self.folder / f"data{number}"
            if rnd.random() < 0.5:
                run_in_pieces(self, spec, data, rnd, events, 3, f"case{number}")
                self.check_all(spec, data, shapes, events, f"case {seed}, before the end")
            summary = harness.run_to_end(spec, data).summary()
            self.check_all(spec, data, shapes, events, f"case {seed}", summary)

    def test_event_that_some_windows_still_take(self):
        """It counts in the windows that are open, and leaves those that are closed as they were, however the log is cut."""
        rows = [("a", "x", 5_000, 1), ("a", "x", 55_000, 2), ("a", "x", 62_000, 4), ("a", "x", 57_000, 8), ("a", "x", 150_000, 16)]
        want = Folded([rows], sliding(60_000, 10_000), 0)
        self.assertEqual(want.rows()["a", 0][1], 2)
        for emit in ("final", "update"):
            for parts in (1, 5):
                spec = pipeline(self, [query("s", "sliding 60 s every 10 s", emit=emit)], rows, f"{emit}{parts}")
                data = self.folder / f"{emit}{parts}"
                for end in range(1, 6) if parts == 5 else ():
                    run_in_pieces(self, spec, data, harness.random.Random(1), rows[:end], 1, f"{emit}{parts}")
                harness.run_to_end(spec, data)
                check(self, spec, data, "s", want, f"{emit}, {parts} runs")


if __name__ == "__main__":
    harness.main()
