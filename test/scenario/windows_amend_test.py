#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Windows that ended and are kept for corrections: tumbling and calendar, on one partition."""
import harness
from windows_calendar_test import DAY, HOUR, Clock
from windows_model import Folded, check, forked, late_letters, pipeline, query, random_events, run_in_pieces, table_rows, tumbling

CASES = 4 if harness.sanitized() else 10


class Amend(harness.Scenario):
    def shapes(self, rnd, clock, names):
        """(table, window in the pipeline file, the model's windows, lateness, amend, emit)"""
        for name in names:
            lateness, emit = rnd.choice([0, 500, 20_000, HOUR]), rnd.choice(["final", "update"])
            amend = rnd.choice([0, 1, 5_000, 90_000, 3 * HOUR, 7 * DAY])
            if rnd.random() < 0.5:
                unit = rnd.choice(["hour", "day", "week"])
                yield name, f"calendar {unit}", lambda t, unit=unit: [clock.window(unit, t)], lateness, amend, emit
            else:
                size = rnd.choice([1, 1_000, 60_000, 7 * HOUR])
                yield name, f"tumbling {size} ms", tumbling(size), lateness, amend, emit

    def test_against_brute_force(self):
        source, clock = harness.seeded(), Clock("Europe/Rome")
        for number in range(CASES):
            seed, rnd = forked(source)
            shapes = list(self.shapes(rnd, clock, [f"w{i}" for i in range(6)]))
            step = rnd.choice([100, 60_000, 600_000])
            events = random_events(rnd, rnd.choice([3, 300, 1500]), ["a", "b", "c"], start=1_572_000_000_000, step=step, disorder=rnd.choice([0.1, 0.6]),
                                   back=rnd.choice([3, 300, 3000]) * step, grid=rnd.choice([1, step]))
            lines = [query(name, window, lateness=lateness, amend=amend, emit=emit) for name, window, _, lateness, amend, emit in shapes]
            spec, data = pipeline(self, lines, events, f"case{number}", zone="Europe/Rome"), self.folder / f"data{number}"
            run_in_pieces(self, spec, data, rnd, events, rnd.choice([1, 4]), f"case{number}")
            for closing in (False, True):
                summary = closing and harness.run_to_end(spec, data).summary()
                for name, window, windows_of, lateness, amend, emit in shapes:
                    folded, label = Folded([events], windows_of, lateness, amend), f"case {seed}: {window}, lateness {lateness}, amend {amend}, {emit}"
                    check(self, spec, data, name, folded, label, until_end=not closing and emit == "final")
                    if closing and emit == "final" and not amend:
                        self.assertEqual(summary["rows"][name], len(folded.rows()), f"{label}: each row given once")

    def test_one_correction_after_the_other(self):
        """A run for each event: a row is there once its window has ended, follows what comes within `amend`, and what comes later is late."""
        times = [5_000, 65_000, 10_000, 119_999, 20_000, 120_000, 30_000, 200_000]
        shown = [None, None, None, None, None, (60_000, 3), (60_000, 3), (60_000, 3)]
        shown[1:5] = [(60_000, 1), (60_000, 2), (60_000, 2), (60_000, 3)]
        rnd = harness.random.Random(1)
        spec, data = pipeline(self, [query("w", "tumbling 1 minute", amend=60_000)], []), self.folder / "data"
        for end, want in enumerate(shown, 1):
            run_in_pieces(self, spec, data, rnd, [("a", "x", t, 1) for t in times[:end]], 1)
            got = table_rows(spec, data, "w").get(("a", 0))
            self.assertEqual(got and got[:2], want, f"after {end} events")
        self.assertEqual(late_letters(spec, data, "w"), [(0, 6)])


if __name__ == "__main__":
    harness.main()
