# SPDX-License-Identifier: Apache-2.0
"""Windows by brute force: every window is the list of its events, and whether an event is late is asked event by event, window by window.

An event is (id, group, time in ms, value) with a small whole number as its value, so that sums of doubles are exact. Windows are (start, end) in ms.
"""
import collections
import math
import random

import harness
from model import partition_of

HEADER = "id,grp,t,v\n"
ROW = "start: bigint = epoch_ms(window_start), stop: bigint = epoch_ms(window_end), n: bigint = count(), total: double = sum(v), low: double = min(v), high: double = max(v)"

PIPELINE = """pipeline: windows
topic: {{name: windows, partitions: {partitions}}}
timezone: {zone}
event:
  format: json
  fields: {{id: string, grp: string, t: long, v: double}}
  key: id
  time: t
  max_ahead: 20000 days
{event}feed: {{file: {{path: {path}, format: csv, pace: {pace}}}}}
queries:
"""


def query(table, window, group="id", lateness=0, amend=0, emit="final", more="", row=ROW):
    """The lines of a query."""
    return "".join(line + "\n" for line in (
        f"  - table: {table}", f"    window: {window}", f"    group_by: [{group}]", f"    lateness: {lateness} ms", f"    emit: {emit}",
        f"    amend: {amend} ms" if amend else "", more, f"    columns: {{{group}: text, {row}}}", f"    key: [[{group}], start asc]") if line)


def pipeline(scenario, queries, events, name="windows", partitions=1, zone="UTC", event="", pace="max"):
    """A pipeline file over a CSV file of the events beside it."""
    write_events(scenario, events, name)
    head = PIPELINE.format(partitions=partitions, zone=zone, event=event, path=f"{name}.csv", pace=pace)
    return scenario.write(f"{name}.yaml", head + "".join(queries))


def write_events(scenario, events, name="windows"):
    return scenario.write(f"{name}.csv", HEADER + "".join(f"{id},{group},{t},{v}\n" for id, group, t, v in events))


def spread(events, partitions):
    """By partition, in the order they lie in there."""
    shared = [[] for _ in range(partitions)]
    for event in events:
        shared[partition_of(event[0], partitions)].append(event)
    return shared


def silent_key(partitions, partition, prefix="key"):
    """A key that lies in that partition."""
    return next(key for key in (f"{prefix}-{i}" for i in range(10_000)) if partition_of(key, partitions) == partition)


# ---- windows of an instant


def tumbling(size):
    return lambda t: [(t // size * size, t // size * size + size)]


def sliding(size, slide):
    """All windows over the instant, the earliest first: they start at multiples of the slide."""
    return lambda t: [(start, start + size) for start in range((t - size) // slide * slide + slide, t + 1, slide)]


# ---- what becomes of the events


class Folded:
    """An event without a value does not count, but time goes on with it. `windows`: {(group, start, end): values}; `late`: (partition, offset) of events all of whose windows were closed."""

    def __init__(self, partitions, windows_of, lateness, amend=0, group=0):
        self.windows, self.late, self.watermarks = collections.defaultdict(list), [], []
        for partition, events in enumerate(partitions):
            high = -math.inf
            for offset, event in enumerate(events):
                if event[3] is None:
                    high = max(high, event[2])
                    continue
                still_open = [w for w in windows_of(event[2]) if high - lateness < w[1] + amend]
                for start, end in still_open:
                    self.windows[event[group], start, end].append(event[3])
                if not still_open:
                    self.late.append((partition, offset))
                high = max(high, event[2])
            self.watermarks.append(high - lateness)

    def rows(self, until=math.inf):
        """Of windows that end until then."""
        return {(group, start): (end, len(values), sum(values), min(values), max(values))
                for (group, start, end), values in self.windows.items() if end <= until}

    def ended(self):
        """Of windows that every partition is past."""
        return self.rows(min(self.watermarks))


def table_rows(spec, data, table, group="id"):
    return {(row[group], int(row["start"])): (int(row["stop"]), int(row["n"]), float(row["total"]), float(row["low"]), float(row["high"]))
            for row in harness.table(spec, data, table)}


def late_letters(spec, data, table):
    return sorted((int(one["partition"]), int(one["offset"])) for one in harness.letters(spec, data) if one["reason"] == "late" and one["query"] == table)


def compare(scenario, got, want, what):
    """Dicts, with a message that names the first rows that differ."""
    if got == want:
        return
    wrong = sorted(key for key in got.keys() | want.keys() if got.get(key) != want.get(key))
    lines = [f"{key}: {got.get(key)} wanted {want.get(key)}" for key in wrong[:8]]
    scenario.fail(f"{what}: {len(got)} rows, wanted {len(want)}, {len(wrong)} wrong:\n" + "\n".join(lines))


def check(scenario, spec, data, table, folded, what, until_end=False, group="id"):
    """Rows and late events of one table; `until_end`: of a run that closed nothing."""
    compare(scenario, table_rows(spec, data, table, group), folded.ended() if until_end else folded.rows(), f"{what}: {table}")
    scenario.assertEqual(late_letters(spec, data, table), sorted(folded.late), f"{what}: late for {table}")


# ---- events


def random_events(rnd, count, ids, groups=("x",), start=1_600_000_000_000, step=1000, disorder=0.3, back=60_000, gap=0.002, gap_ms=3_600_000, grid=1):
    """Time goes on in random steps; now and then an event comes from `back` or less before, and now and then there is a long pause."""
    now, made = start, []
    for _ in range(count):
        now += rnd.randrange(2 * step) + (rnd.randrange(gap_ms) if rnd.random() < gap else 0)
        t = now - (rnd.randrange(back) if rnd.random() < disorder else 0)
        made.append((rnd.choice(ids), rnd.choice(groups), t // grid * grid, rnd.randrange(-50, 100)))
    return made


def pieces(rnd, events, count):
    """The events cut at random into so many parts, each of which ends where the next begins."""
    cuts = sorted(rnd.randrange(len(events) + 1) for _ in range(count - 1))
    return [events[a:b] for a, b in zip([0, *cuts], [*cuts, len(events)])]


def run_in_pieces(scenario, spec, data, rnd, events, count, name="windows"):
    """The file grows between runs that close nothing; the last run is left to the caller. The state goes through a checkpoint each time."""
    so_far = []
    for part in pieces(rnd, events, count):
        so_far += part
        write_events(scenario, so_far, name)
        harness.weir("run", spec, "--data", data, "--until-end", "--format", "json")


def forked(rnd):
    """A source of its own, for one case of many: a failing case can be told by its seed."""
    seed = rnd.randrange(1 << 32)
    return seed, random.Random(seed)
