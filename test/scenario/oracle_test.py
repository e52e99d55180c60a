#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random pipelines over random streams, row for row against the oracle in model.py."""
import collections
import gzip
import subprocess

import harness
from model import Column, Query, calendar, murmur2, outcome, partition_of, quantile, sliding, spread, tumbling
from streams import FIELDS, Csv, JsonLines, Shape, avro_schema, stream

CASES = 20 if harness.sanitized() else 60


# ---- filters: SQL's three-valued logic, NaN unlike everything


def compare(a, b, test):
    return None if a is None or b is None else test(a, b)


def both(a, b):
    return False if a is False or b is False else None if a is None or b is None else True


def either(a, b):
    return True if a is True or b is True else None if a is None or b is None else False


def invert(a):
    return None if a is None else not a


def above(x, limit):
    return compare(x, limit, lambda a, b: a > b)


FILTERS = [
    ("x > 5", lambda e: above(e["x"], 5)),
    ("x != 5", lambda e: compare(e["x"], 5, lambda a, b: a != b)),
    ("not (x <= 3)", lambda e: invert(compare(e["x"], 3, lambda a, b: a <= b))),
    ("s == 'a' or n < 3", lambda e: either(compare(e["s"], "a", lambda a, b: a == b), compare(e["n"], 3, lambda a, b: a < b))),
    ("s != 'b' and n >= 0", lambda e: both(compare(e["s"], "b", lambda a, b: a != b), compare(e["n"], 0, lambda a, b: a >= b))),
    ("place < 'N' and b", lambda e: both(e["place"].encode() < b"N", e["b"])),
    ("coalesce(n, 7) > 2", lambda e: (7 if e["n"] is None else e["n"]) > 2),
    ("not b or f > 0", lambda e: either(invert(e["b"]), above(e["f"], 0))),
    ("t - 1000 * (t / 1000) >= 0", lambda e: e["t"] - 1000.0 * (e["t"] / 1000.0) >= 0),
]

# ---- what is aggregated: (expression, CQL type of its values, value)

TIMES_TWO = ("x * 2", "double", lambda e: None if e["x"] is None else e["x"] * 2.0)
SUM_OF_TWO = ("x + n", "double", lambda e: None if e["x"] is None or e["n"] is None else e["x"] + float(e["n"]))
CHOSEN = ("if(x > 5, n, null)", "bigint", lambda e: e["n"] if above(e["x"], 5) else None)
NUMBERS = [(name, kind, lambda e, name=name: e[name]) for name, kind in (("x", "double"), ("f", "float"), ("n", "bigint"))]
NUMBERS += [TIMES_TWO, SUM_OF_TWO, CHOSEN]
VALUES = [*NUMBERS, ("s", "text", lambda e: e["s"]), ("place", "text", lambda e: e["place"]), ("b", "boolean", lambda e: e["b"]),
          ("t", "bigint", lambda e: e["t"])]


def aggregate(rnd, number, exact):
    """A random aggregate as a column of a type that holds it."""
    name = rnd.choice(["rows", "count", "sum", "avg", "stddev", "min", "max", "first", "last", "distinct", "quantile"])
    if name == "rows":
        return Column(f"c{number}", rnd.choice(["int", "bigint"]), "count()", "rows")
    if name == "quantile":
        text, _, value = rnd.choice(NUMBERS)
        call, q = rnd.choice([(f"median({text})", 0.5), (f"quantile({text}, 0.75)", 0.75), (f"quantile({text}, 1)", 1), (f"quantile({text}, 0)", 0)])
        return Column(f"c{number}", "double", call, quantile(q, exact), value)
    choices = NUMBERS if name in ("sum", "avg", "stddev") else VALUES
    text, kind, value = rnd.choice([v for v in choices if name not in ("min", "max") or v[1] != "boolean"])
    if name in ("count", "distinct"):
        kind = rnd.choice(["int", "bigint"])
    elif name in ("avg", "stddev"):
        kind = rnd.choice(["double", "double", "float"])
    elif name == "sum":
        kind = "bigint" if kind == "bigint" else "double"
    return Column(f"c{number}", kind, f"{name}({text})", name, value)


def plain_query(rnd, table):
    columns = [Column("id", "text"), Column("t", "bigint"), Column("place", "text")]
    columns += [Column(name, kind) for name, kind in (("x", "double"), ("f", "float"), ("n", "bigint"), ("s", "text"), ("b", "boolean"), ("u", "uuid"))]
    columns += [Column("seconds", "bigint", "epoch_s(t)", value=lambda e: e["t"] // 1000),
                Column("sum_of_two", "double", "x + n", value=SUM_OF_TWO[2])]
    key, names = rnd.choice([("[[id], t desc]", ["id", "t"]), ("[[id], t asc]", ["id", "t"]), ("[[id, place], t desc]", ["id", "place", "t"]),
                             ("[[place], id desc, t asc]", ["place", "id", "t"])])
    rest = columns[3:]
    rnd.shuffle(rest)
    return Query(table, [*columns[:3], *rest], key, names)


def grouped_query(rnd, table, windows):
    groups = rnd.choice([["id"], ["id", "place"], ["place", "id"], ["place"]])
    exact = rnd.random() < 0.5
    columns = [Column(name, "text") for name in groups]
    columns += [aggregate(rnd, i, exact) for i in range(rnd.randrange(1, 9))]
    query = Query(table, columns, f"[[{', '.join(groups)}]]", groups, group_by=groups, emit="update", exact=exact)
    if rnd.random() < 0.75:
        query.window = rnd.choice(windows)
        query.lateness_ms = rnd.choice([0, 1, 5_000, 60_000, 100_000_000])
        query.emit = rnd.choice(["final", "update"])
        columns.insert(0, Column("start", "bigint", "epoch_ms(window_start)", value=lambda start: start, window=True))
        query.key = f"[[{', '.join(groups)}], start {rnd.choice(['asc', 'desc'])}]"
        query.key_columns = [*groups, "start"]
    return query


def random_query(rnd, number, windows):
    query = plain_query(rnd, f"table_{number}") if rnd.random() < 0.3 else grouped_query(rnd, f"table_{number}", windows)
    if rnd.random() < 0.4:
        query.where_text, query.where = rnd.choice(FILTERS)
    return query


SLIDING = """pipeline: sliding
topic: {name: sliding, partitions: 1}
event: {format: json, fields: {id: string, t: long}, key: id, time: t}
feed: {file: {path: sliding.csv}}
queries:
  - table: sliding
    window: sliding 60 s every 20 s
    group_by: [id]
    lateness: 0 s
    columns: {id: text, start: bigint = epoch_ms(window_start), n: int = count()}
    key: [[id], start asc]
"""

# ---- one random pipeline


class Case:
    def __init__(self, rnd, folder, sliding_only):
        self.rnd, self.folder = rnd, folder
        self.shape = Shape(rnd)
        self.partitions = rnd.randrange(1, 5)
        self.iso8601 = rnd.random() < 0.3
        self.format = rnd.choice(["json", "avro"])
        self.zone = rnd.choice(["UTC", "Europe/Rome", "America/New_York", "Asia/Kolkata"])
        ahead = rnd.random() < 0.5
        ways = ["uuid"] + ([] if self.iso8601 else ["absurd"]) + (["future"] if ahead else [])
        self.writer = rnd.choice([Csv, Csv, JsonLines])(rnd, self.iso8601)
        fixed = [tumbling(size) for size in (1000, 60_000, 3_600_000, 12_345)] + [calendar(unit, self.zone) for unit in ("day", "week", "month", "year")]
        windows = [sliding(60_000, 20_000), sliding(3_600_000, 900_000)] if sliding_only else fixed
        self.queries = [plain_query(rnd, "plain")] + [random_query(rnd, i, windows) for i in range(rnd.randrange(4))]
        self.stream = stream(self.shape, self.writer, ways)
        self.spec = self.write(ahead)
        self.shared = spread(self.stream.events, self.partitions)

    def write_file(self):
        """The file as it is, packed, or to grow in stages with a run after each."""
        how = self.rnd.choice(["plain", "gz", "zst", "grow", "grow", "grow"])
        path = self.folder / f"events.{how}"
        self.stages = []
        if how == "gz":
            path.write_bytes(gzip.compress(self.stream.text, 1))
        elif how == "zst":
            subprocess.run(["zstd", "-q", "-f", "-o", path, "-"], input=self.stream.text, check=True)
        else:
            path.write_bytes(self.stream.text)
        if how == "grow" and self.stream.row_ends:
            self.stages = sorted(self.rnd.choices(self.stream.row_ends, k=self.rnd.randrange(1, 4)))
        return path

    def run(self, data):
        path = self.folder / "events.grow"
        for end in self.stages:
            path.write_bytes(self.stream.text[:end])
            harness.weir("run", self.spec, "--data", data, "--until-end")
        if self.stages:
            path.write_bytes(self.stream.text)
        return harness.run_to_end(self.spec, data).summary()

    def event(self, ahead):
        fields = ", ".join(f"{name}: {kind}" for name, kind in FIELDS.items())
        (self.folder / "sample.avsc").write_text(avro_schema())
        how = f"format: json, fields: {{{fields}}}" if self.format == "json" else "format: avro, schema: sample.avsc"
        return f"{{{how}, key: id, time: t{', max_ahead: 1 day' if ahead else ''}}}"

    def write(self, ahead):
        lines = ["pipeline: random", f"timezone: {self.zone}", f"topic: {{name: random, partitions: {self.partitions}}}", f"event: {self.event(ahead)}",
                 f"feed: {{file: {{path: {self.write_file().name}, {self.writer.settings()}{', time_format: iso8601' if self.iso8601 else ''}}}}}",
                 "queries:"]
        for query in self.queries:
            lines += query.lines()
        spec = self.folder / "random.yaml"
        spec.write_text("\n".join(lines) + "\n")
        return spec

    def letters(self, outcomes):
        """(reason, partition, offset or line, query) of every dead letter that there must be."""
        found = [("malformed", None, str(line), None) for line in self.stream.rejects]
        ends = collections.Counter()
        for event in self.stream.events:
            at = partition_of(event["id"], self.partitions)
            if event.get("refused"):
                found.append((event["refused"], str(at), str(ends[at]), None))
            ends[at] += 1
        for query, result in outcomes:
            found += [("late", str(at), str(offset), query.table) for at, offset in result.late]
        return collections.Counter(found)


class Oracle(harness.Scenario):
    def test_murmur2(self):
        """Values of Kafka's own unit test (UtilsTest.testMurmur2)."""
        known = {"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536, "a-little-bit-longer-string": -1486304829,
                 "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107}
        for text, want in known.items():
            got = murmur2(text.encode())
            self.assertEqual(got - (1 << 32) if got >> 31 else got, want, text)

    def test_windows_close_between_the_events_of_a_batch(self):
        """An event of a sliding window that has ended does not join it, be the two in one batch or in two."""
        spec = self.write("sliding.yaml", SLIDING)
        before, after = "id,t\na,0\na,61000\n", "a,30000\n"
        for cuts in ([before + after], [before, before + after]):
            data = self.folder / f"data-{len(cuts)}"
            for text in cuts:
                self.write("sliding.csv", text)
                harness.weir("run", spec, "--data", data, "--until-end", *(["--close"] if text is cuts[-1] else []))
            got = [(int(row["start"]), int(row["n"])) for row in harness.table(spec, data, "sliding")]
            self.assertEqual(got, [(-40_000, 1), (-20_000, 1), (0, 1), (20_000, 2), (40_000, 1), (60_000, 1)], f"{len(cuts)} runs")

    def test_random_pipelines(self):
        self.check_cases(CASES, sliding_only=False)

    def test_random_sliding_windows(self):
        self.check_cases(CASES // 4, sliding_only=True)

    def check_cases(self, count, sliding_only):
        rnd = harness.seeded()
        for number in range(count):
            case_seed = rnd.randrange(1 << 62)
            folder = self.folder / str(number)
            folder.mkdir()
            case = Case(harness.random.Random(case_seed), folder, sliding_only)
            with self.subTest(case=number, folder=str(folder)):
                self.check_case(case)

    def check_case(self, case):
        data = case.folder / "data"
        summary = case.run(data)
        outcomes = [(query, outcome(query, case.shared)) for query in case.queries]
        letters = case.letters(outcomes)
        self.assertEqual(summary["records"], len(case.stream.events), "records")
        for reason in ("late", "malformed", "future", "unknown_schema"):
            self.assertEqual(summary["dead"][reason], sum(n for letter, n in letters.items() if letter[0] == reason), f"dead letters: {reason}")
        for query, want in outcomes:
            self.check_table(query, harness.table(case.spec, data, query.table), want)
            if want.written is not None:
                self.assertEqual(summary["rows"][query.table], want.written, f"{query.table}: rows written")
        got = harness.letters(case.spec, data)
        self.assertEqual(collections.Counter((one["reason"], None if one["partition"] is None else one["partition"], one["offset"], one["query"])
                                             for one in got), letters)

    def check_table(self, query, got, want):
        keys = [tuple(row[name] for name in query.key_columns) for row in got]
        self.assertEqual(len(set(keys)), len(keys), f"{query.table}: a key twice")
        lost, extra = want.rows.keys() - set(keys), set(keys) - want.rows.keys()
        self.assertFalse(lost or extra, f"{query.table}: {len(lost)} rows lacking, e.g. {sorted(lost)[:2]}; {len(extra)} too many, e.g. {sorted(extra)[:2]}")
        for key, row in zip(keys, got):
            self.assertEqual(list(row), [column.name for column in query.columns])
            for column in query.columns:
                if not want.rows[key][column.name].agrees(row[column.name], column.kind):
                    self.fail(f"{query.table} {key}: {column.line()} is {row[column.name]!r}, wanted {want.rows[key][column.name]}")
        self.assertEqual(keys, sorted(keys, key=lambda key: order_of(query, key)), f"{query.table}: order of rows")


def order_of(query, key):
    """Partition columns ascending by value, then clustering columns in their order."""
    descending = {part.split()[0] for part in query.key.strip("[]").replace("]", "").split(", ") if part.endswith(" desc")}
    return [reverse(by_value(query, name, text)) if name in descending else by_value(query, name, text) for name, text in zip(query.key_columns, key)]


def by_value(query, name, text):
    kind = next(column.kind for column in query.columns if column.name == name)
    return int(text) if kind in ("int", "bigint") else tuple(text.encode())


def reverse(value):
    return -value if isinstance(value, int) else tuple(-b for b in value) + (1,)


if __name__ == "__main__":
    harness.main()
