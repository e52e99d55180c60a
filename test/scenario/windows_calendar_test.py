#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calendar windows against Python's zoneinfo: random instants of a century in many zones, thick around the changes of the clock."""
import bisect
import collections
import datetime
import zoneinfo

import harness
from windows_model import ROW, compare, pipeline, query, run_in_pieces

zoneinfo.reset_tzpath(["/usr/share/zoneinfo"])  # the same data that weir reads

ZONES = ["UTC", "Europe/Rome", "Europe/London", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "America/St_Johns", "America/Caracas",
         "Australia/Adelaide", "Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza", "Africa/Casablanca", "Africa/Monrovia",
         "Pacific/Apia", "Pacific/Chatham", "Pacific/Kwajalein", "Antarctica/Troll", "America/Scoresbysund"]
UNITS = ["hour", "day", "week", "month", "year"]
SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000
EPOCH = datetime.datetime(1970, 1, 1)
UTC = datetime.timezone.utc
COUNT = 250 if harness.sanitized() else 1000


def epoch_ms(naive):
    return (naive - EPOCH) // datetime.timedelta(milliseconds=1)


FROM, TO = epoch_ms(datetime.datetime(1925, 1, 1)), epoch_ms(datetime.datetime(2038, 1, 1))


def naive(ms):
    return EPOCH + datetime.timedelta(milliseconds=ms)


class Clock:
    """The local clock of a zone as stretches of one offset: (first instant, instant after the last, offset), all ms."""

    def __init__(self, name):
        self.zone = zoneinfo.ZoneInfo(name)
        starts, offsets = [FROM - 400 * DAY], [self.offset(FROM - 400 * DAY)]
        for at in range(FROM - 400 * DAY, TO + 400 * DAY, DAY // 2):
            while (after := self.offset(at + DAY // 2)) != offsets[-1]:
                starts.append(self.change(max(at, starts[-1]), at + DAY // 2))
                offsets.append(self.offset(starts[-1]))
                if offsets[-1] == after:
                    break
        self.stretches = list(zip(starts, [*starts[1:], TO + 400 * DAY], offsets))
        self.starts = starts

    def offset(self, ms):
        moment = datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(milliseconds=ms)
        return moment.astimezone(self.zone).utcoffset() // datetime.timedelta(milliseconds=1)

    def change(self, low, high):
        """The first instant after `low` with another offset; whole seconds."""
        before = self.offset(low)
        low, high = low // SECOND, high // SECOND
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.offset(middle * SECOND) == before else (low, middle)
        return high * SECOND

    def near(self, ms):
        """Stretches from some before the instant on."""
        return self.stretches[max(0, bisect.bisect_right(self.starts, ms) - 6):]

    def furthest(self, ms):
        """What the clock has shown at most until that instant: set back, it shows again what it has shown before."""
        return max(min(ms, end - 1) + offset for start, end, offset in self.near(ms) if start <= ms)

    def first_shown(self, local, about):
        """The first instant at which the clock shows that or later."""
        return next(max(start, local - offset) for start, end, offset in self.near(about - 3 * DAY) if end + offset > local)

    def window(self, unit, ms):
        begin = truncated(unit, naive(self.furthest(ms)))
        start = self.first_shown(epoch_ms(begin), epoch_ms(begin))
        after = following(unit, begin)
        return start, self.first_shown(epoch_ms(after), epoch_ms(after))


def truncated(unit, local):
    hour = local.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    return {"hour": hour, "day": day, "week": day - datetime.timedelta(days=day.isoweekday() - 1), "month": day.replace(day=1),
            "year": day.replace(month=1, day=1)}[unit]


def following(unit, begin):
    if unit in ("month", "year"):
        return truncated(unit, begin + datetime.timedelta(days=31 if unit == "month" else 366))
    return begin + {"hour": datetime.timedelta(hours=1), "day": datetime.timedelta(days=1), "week": datetime.timedelta(days=7)}[unit]


def instants(rnd, clock, count):
    """In two halves of the century, each in any order: half of them around changes of the clock."""
    changes = [start for start in clock.starts[1:] if FROM + DAY < start < TO - DAY] or [0]
    near = [0, -1, 1, rnd.randrange(-HOUR, HOUR), -HOUR, HOUR - 1]
    drawn = [rnd.randrange(FROM, TO) for _ in range(count // 2)]
    for _ in range(count // 2):
        drawn.append(rnd.choice(changes) + rnd.choice([*near, rnd.randrange(-3 * HOUR, 3 * HOUR), rnd.randrange(-2 * DAY, 2 * DAY)]))
    middle = (FROM + TO) // 2
    return [t for t in drawn if t < middle] + [t for t in drawn if t >= middle]


class Calendar(harness.Scenario):
    def rows(self, spec, data, unit):
        return {int(r["start"]): tuple(int(r[name]) for name in ("stop", "n", "y", "m", "d", "h")) for r in harness.table(spec, data, f"by_{unit}")}

    def want(self, clock, unit, times):
        counted = collections.Counter(clock.window(unit, t) for t in times)
        rows = {}
        for (start, end), n in counted.items():
            local = naive(start + clock.offset(start))
            rows[start] = (end, n, local.year, local.month, local.day, local.hour)
        return rows

    def pipeline(self, name, zone, times, units=UNITS, lateness=100 * 365 * DAY, emit="final"):
        row = ROW + ", y: int = year(window_start), m: int = month(window_start), d: int = day(window_start), h: int = hour(window_start)"
        lines = [query(f"by_{unit}", f"calendar {unit}", lateness=lateness, row=row, emit=emit) for unit in units]
        return pipeline(self, lines, [("a", "x", t, 1) for t in times], name, zone=zone)

    def test_a_century_of_instants(self):
        rnd, lengths = harness.seeded(), collections.defaultdict(set)
        for number, zone in enumerate(ZONES):
            clock = Clock(zone)
            times = instants(rnd, clock, COUNT)
            spec, data = self.pipeline(f"zone{number}", zone, times), self.folder / f"data{number}"
            summary = harness.run_to_end(spec, data).summary()
            self.assertEqual((summary["records"], summary["dead"]["late"], summary["dead"]["future"]), (len(times), 0, 0))
            for unit in UNITS:
                want = self.want(clock, unit, times)
                compare(self, self.rows(spec, data, unit), want, f"{zone}: {unit}")
                lengths[unit].update((end[0] - start) / HOUR for start, end in want.items())
        for unit, some in {"hour": {1.5, 2}, "day": {23, 25, 23.5, 24.5}, "week": {167, 169}, "month": {28 * 24, 29 * 24, 743, 745}, "year": {8760, 8784}}.items():
            self.assertLessEqual(some, lengths[unit], unit)

    def test_each_window_once_in_order(self):
        """With the events in order, no lateness, and the process started again between: every row is given when its window ends."""
        rnd = harness.seeded()
        for number, zone in enumerate(rnd.sample(ZONES, 4)):
            clock = Clock(zone)
            at = rnd.choice([start for start in clock.starts[1:] if FROM < start < TO] or [0])
            times = sorted(at + rnd.randrange(-4 * DAY, 4 * DAY) for _ in range(400))
            spec, data = self.pipeline(f"zone{number}", zone, times, lateness=0, emit=rnd.choice(["final", "update"])), self.folder / f"data{number}"
            run_in_pieces(self, spec, data, rnd, [("a", "x", t, 1) for t in times], 3, f"zone{number}")
            summary = harness.run_to_end(spec, data).summary()
            self.assertEqual(summary["dead"]["late"], 0)
            for unit in UNITS:
                compare(self, self.rows(spec, data, unit), self.want(clock, unit, times), f"{zone} around {at}: {unit}")

    def test_zones_that_are_none(self):
        for name in ("Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "zone.tab", "Europe", "''"):
            spec = self.pipeline("bad", name, [0])
            self.assertEqual(harness.weir("check", spec, expect=None).code, 78, name)


if __name__ == "__main__":
    harness.main()
