# SPDX-License-Identifier: Apache-2.0
"""What weir must make of a stream of events, worked out one event at a time with exact arithmetic: the oracle of the scenarios.

A query is a Query; events are dicts (None: null) in the order of the feed. Nothing here knows of batches, offsets in files or threads.
"""
import datetime
import math
import struct
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Callable, Optional
from zoneinfo import ZoneInfo


def murmur2(data):
    """As Kafka's Java client hashes keys (org.apache.kafka.common.utils.Utils.murmur2): 32-bit murmur 2 with its own seed."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for (k,) in struct.iter_unpack("<I", data[:whole]):
        k = k * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if len(data) > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def partition_of(key, partitions):
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def to_float32(x):
    try:
        return struct.unpack("f", struct.pack("f", x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)


def missing(x):
    """What aggregates skip."""
    return x is None or (isinstance(x, float) and math.isnan(x))


# ---- results, and how near to them is near enough


class Exactly:
    """A value that has one right answer."""

    def __init__(self, value):
        self.value = value

    def agrees(self, text, kind):
        value = self.value
        if value is None or text is None:
            return value is None and text is None
        if kind in ("text", "uuid"):
            return text == value
        if kind == "boolean":
            return text == ("true" if value else "false")
        if kind in ("int", "bigint"):
            return text == str(value)
        got = float(text)
        want = to_float32(value) if kind == "float" else float(value)
        got = to_float32(got) if kind == "float" else got
        return got == want or (math.isnan(got) and math.isnan(want))

    def __repr__(self):
        return repr(self.value)


class Near:
    """A real number, known exactly, that a double comes within `slack` of, beside the rounding of the double (and of a float column) itself."""

    def __init__(self, value, slack=0):
        self.value, self.slack = value, slack

    def agrees(self, text, kind):
        if text is None:
            return False
        got = float(text)
        if kind == "float" and math.isinf(got):
            return (self.value if got > 0 else -self.value) + self.slack >= FLOAT_END
        if kind == "float" and abs(self.value) - self.slack >= FLOAT_END:
            return False
        ulp = Fraction(math.ulp(float(self.value)))
        if kind == "float":
            ulp = max(abs(self.value) * Fraction(1, 1 << 23), Fraction(1, 1 << 149))
        return math.isfinite(got) and abs(Fraction(got) - self.value) <= 2 * ulp + self.slack

    def __repr__(self):
        return f"{float(self.value)!r} ± {float(self.slack):.1g}"


class Root:
    """The square root of an exactly known number."""

    def __init__(self, square, slack):
        self.square, self.slack = square, slack

    def agrees(self, text, kind):
        if text is None:
            return False
        got = float(text)
        if kind == "float" and got == math.inf:
            return self.square + self.slack >= FLOAT_END ** 2
        if kind == "float" and self.square - self.slack >= FLOAT_END ** 2:
            return False
        digits = 22 if kind == "float" else 50
        return math.isfinite(got) and abs(Fraction(got) ** 2 - self.square) <= self.square * Fraction(1, 1 << digits) + self.slack

    def __repr__(self):
        return f"√{float(self.square)!r}"


class Count:
    """A number of distinct values: exact up to so many, estimated beyond."""

    EXACT = 768

    def __init__(self, value):
        self.value = value

    def agrees(self, text, kind):
        return text is not None and abs(int(text) - self.value) <= (self.value * 0.05 if self.value > self.EXACT else 0)

    def __repr__(self):
        return repr(self.value)


FLOAT_END = (1 << 128) - (1 << 103)  # what rounds to infinity as a float

# What a sum in two doubles may lose of the magnitudes that went into it.
SUM_LOSS = Fraction(1, 1 << 98)


def total(values):
    if all(isinstance(x, int) for x in values):
        whole = sum(values)
        return Exactly(whole if -(1 << 63) <= whole < 1 << 63 else None)
    if not all(map(math.isfinite, values)):
        return Exactly(infinite_sum(values))
    return Near(sum(map(Fraction, values)), sum(abs(Fraction(x)) for x in values) * SUM_LOSS)


def infinite_sum(values):
    signs = {x for x in values if math.isinf(x)}
    return math.nan if len(signs) == 2 else signs.pop()


def mean(values):
    if not all(map(math.isfinite, values)):
        return Exactly(infinite_sum(values))
    exact = sum(map(Fraction, values)) / len(values)
    return Near(exact, sum(abs(Fraction(x)) for x in values) / len(values) * SUM_LOSS)


def deviation(values):
    """Of a sample."""
    n = len(values)
    if n < 2:
        return Exactly(None)
    if not all(map(math.isfinite, values)):
        return Exactly(math.nan)
    if len(set(values)) == 1:
        return Exactly(0.0)
    exact = [Fraction(x) for x in values]
    squares, whole = sum(x * x for x in exact), sum(exact)
    return Root((squares - whole * whole / n) / (n - 1), (squares + abs(whole) ** 2 / n) * Fraction(1, 1 << 96))


class Anything:
    """Where no answer is the right one: between infinities."""

    def agrees(self, text, kind):
        return True


def quantile(q, exact):
    """Of n values the one q (n - 1) ranks above the lowest, on the straight line between two; within 1 % where it is not exact."""

    def of(pairs):
        values = sorted(value for _, value in pairs)
        if not values:
            return Exactly(None)
        at = Fraction(q) * (len(values) - 1)
        low, high = values[int(at)], values[min(int(at) + 1, len(values) - 1)]
        if not (math.isfinite(low) and math.isfinite(high)):
            return Anything()
        size = max(abs(Fraction(low)), abs(Fraction(high)))
        return Near(Fraction(low) + (Fraction(high) - Fraction(low)) * (at - int(at)), size * (Fraction(1, 1 << 50) if exact else Fraction(101, 10000)))

    return of


def order(value):
    return value.encode() if isinstance(value, str) else value


AGGREGATES = {  # over the (time, value) pairs that are no nulls and no NaN, in the order of the partition
    "count": lambda pairs: Exactly(len(pairs)),
    "distinct": lambda pairs: Count(len({value for _, value in pairs})),
    "sum": lambda pairs: total([value for _, value in pairs]) if pairs else Exactly(None),
    "avg": lambda pairs: mean([value for _, value in pairs]) if pairs else Exactly(None),
    "stddev": lambda pairs: deviation([value for _, value in pairs]),
    "min": lambda pairs: Exactly(min((value for _, value in pairs), key=order, default=None)),
    "max": lambda pairs: Exactly(max((value for _, value in pairs), key=order, default=None)),
    "first": lambda pairs: Exactly(min(enumerate(pairs), key=lambda p: (p[1][0], p[0]))[1][1] if pairs else None),
    "last": lambda pairs: Exactly(max(enumerate(pairs), key=lambda p: (p[1][0], p[0]))[1][1] if pairs else None),
}


# ---- windows: a name for the pipeline file, and the (start, end) of those that hold a time


def tumbling(size):
    return f"tumbling {size} ms", lambda t: [(t // size * size, t // size * size + size)]


def sliding(size, slide):
    def spans(t):
        last = t // slide * slide
        return [(start, start + size) for start in range(last, t - size, -slide)]

    return f"sliding {size} ms every {slide} ms", spans


def calendar(unit, zone):
    """Days, weeks (from Monday), months and years as the clocks of a zone have them."""
    zone = ZoneInfo(zone)

    def instant(year, month, day):
        return int(datetime.datetime(year, month, day, tzinfo=zone).timestamp()) * 1000

    def spans(t):
        day = datetime.datetime.fromtimestamp(t // 1000, zone).date()
        if unit in ("day", "week"):
            first = day - datetime.timedelta(days=day.weekday() if unit == "week" else 0)
            after = first + datetime.timedelta(days=7 if unit == "week" else 1)
        elif unit == "month":
            first = day.replace(day=1)
            after = (first + datetime.timedelta(days=31)).replace(day=1)
        else:
            first, after = day.replace(month=1, day=1), day.replace(year=day.year + 1, month=1, day=1)
        return [(instant(first.year, first.month, first.day), instant(after.year, after.month, after.day))]

    return f"calendar {unit}", spans


# ---- queries


@dataclass
class Column:
    name: str
    kind: str                           # CQL type
    text: Optional[str] = None          # the expression in the pipeline file; None: the field of that name
    aggregate: object = None            # name in AGGREGATES, or a function as they are, over `value`; "rows": count()
    value: Optional[Callable] = None    # of an event; of a group's first event where there is no aggregate
    window: bool = False                # the window's start in ms, through `value`

    def line(self):
        return f"{self.name}: {self.kind}" + (f" = {self.text}" if self.text else "")


@dataclass
class Query:
    table: str
    columns: list
    key: str                            # as in the pipeline file
    key_columns: list                   # names
    group_by: Optional[list] = None
    window: Optional[tuple] = None      # from tumbling, sliding or calendar
    lateness_ms: int = 0
    emit: str = "final"
    exact: bool = False                 # quantiles
    where_text: Optional[str] = None
    where: Callable = field(default=lambda event: True)

    def lines(self):
        yield f"  - table: {self.table}"
        if self.window:
            yield f"    window: {self.window[0]}"
        if self.group_by:
            yield f"    group_by: [{', '.join(self.group_by)}]"
            yield f"    emit: {self.emit}"
            yield f"    quantiles: {'exact' if self.exact else 'approximate'}"
        if self.window:
            yield f"    lateness: {self.lateness_ms} ms"
        if self.where_text:
            yield f'    where: "{self.where_text}"'
        yield "    columns:"
        for column in self.columns:
            yield f'      {column.name}: "{column.line().split(": ", 1)[1]}"'
        yield f"    key: {self.key}"


@dataclass
class Outcome:
    rows: dict          # by primary key (texts): {column: Exactly | Near | Root | Count}
    written: int        # rows written on the way, upserts of the same key counted each time; None: not a function of the log
    late: list          # (partition, offset)


def plain_rows(query, partitions):
    rows, written = {}, 0
    for events in partitions:
        for event in events:
            if query.where(event) is not True:
                continue
            written += 1
            values = {c.name: Exactly(c.value(event) if c.value else event[c.name]) for c in query.columns}
            rows[tuple(str(values[name].value) for name in query.key_columns)] = values
    return Outcome(rows, written, [])


def grouped_rows(query, partitions):
    """An event joins its windows that are still open; it is late where none is."""
    groups, late = {}, []
    for partition, events in enumerate(partitions):
        watermark = -math.inf
        for event in events:
            if query.where(event) is True:
                spans = query.window[1](event["t"]) if query.window else [(None, math.inf)]
                still_open = [start for start, end in spans if watermark < end]
                if not still_open:
                    late.append((partition, event["offset"]))
                for start in still_open:
                    groups.setdefault((start, *(event[name] for name in query.group_by)), []).append(event)
            watermark = max(watermark, event["t"] - query.lateness_ms)
    rows = {}
    for (start, *_), events in groups.items():
        values = {c.name: result(c, start, events) for c in query.columns}
        rows[tuple(str(values[name].value) for name in query.key_columns)] = values
    return Outcome(rows, len(rows) if query.emit == "final" else None, late)


def result(column, start, events):
    if column.window:
        return Exactly(column.value(start))
    if column.aggregate == "rows":
        return Exactly(len(events))
    if not column.aggregate:
        return Exactly(column.value(events[0]) if column.value else events[0][column.name])
    pairs = [(event["t"], column.value(event)) for event in events]
    how = AGGREGATES[column.aggregate] if isinstance(column.aggregate, str) else column.aggregate
    return how([(t, value) for t, value in pairs if not missing(value)])


def outcome(query, partitions):
    return grouped_rows(query, partitions) if query.group_by else plain_rows(query, partitions)


def spread(events, partitions):
    """The events by partition, each with its offset there; `refused` ones (events that do not decode) take an offset but are left out."""
    shared, ends = [[] for _ in range(partitions)], [0] * partitions
    for event in events:
        at = partition_of(event["id"], partitions)
        if not event.get("refused"):
            shared[at].append(dict(event, offset=ends[at]))
        ends[at] += 1
    return shared
