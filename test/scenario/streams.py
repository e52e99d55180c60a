# SPDX-License-Identifier: Apache-2.0
"""Random streams of events as files, good and bad rows mixed, with what every row is known to be: an event, or a dead letter and why."""
import datetime
import json
import math
from dataclasses import dataclass, field

from model import to_float32

FIELDS = {"id": "string", "place": "string", "t": "long", "x": "optional double", "f": "optional float", "n": "optional long", "s": "optional string",
          "b": "optional boolean", "u": "optional string"}
TEXTS = ["a", "b", "Zürich", "semi;colon", "comma, inside", 'quoted "word"', "two\nlines", "a much longer text that does not fit in a few bytes"]
UUIDS = ["6fa459ea-ee8a-3ca4-894e-db77e160355e", "16fd2706-8baf-433b-82eb-8c7fada847da"]
PRESENT_MS = 1_600_000_000_000
SUMMER_ENDS_MS = 1_603_580_000_000  # a few hours before the clocks of Rome go back
MONTH_ENDS_MS = 1_604_150_000_000  # a day before those of New York do, and a month ends
FAR_FUTURE_MS = 7_000_000_000_000
ABSURD_MS = 9_100_000_000_000_000


@dataclass
class Stream:
    """Lines of a file with their meaning. `events` in their order; those with `refused` enter the topic but are dead letters of that reason there.
    `rejects`: the line numbers of rows that never become events."""

    text: bytes = b""
    line: int = 1
    row_ends: list = field(default_factory=list)  # in bytes: where the file may be cut
    events: list = field(default_factory=list)
    rejects: list = field(default_factory=list)

    def add(self, data, event=None):
        if event is None:
            self.rejects.append(self.line)
        else:
            self.events.append(event)
        self.skip(data)

    def skip(self, data):
        self.text += data + b"\n"
        self.line += data.count(b"\n") + 1
        self.row_ends.append(len(self.text))


def avro_schema():
    types = {"string": "string", "long": "long", "double": "double", "float": "float", "boolean": "boolean"}
    fields = []
    for name, kind in FIELDS.items():
        plain = types[kind.split()[-1]]
        optional = kind.startswith("optional")
        fields.append({"name": name, "type": ["null", plain], "default": None} if optional else {"name": name, "type": plain})
    return json.dumps({"type": "record", "name": "Sample", "fields": fields})


# ---- events


class Shape:
    """What is random about a whole stream."""

    def __init__(self, rnd):
        self.rnd = rnd
        self.count = rnd.choice([0, 1, 50, 400, 1500, 3000])
        self.keys = [f"key-{i}" for i in range(rnd.choice([1, 3, 20, 300]))] + rnd.choice([[], ["a" * 60], ["ключ"]])
        self.skew = rnd.choice(["even", "hot", "steep"])
        self.places = rnd.sample(["Roma", "Milano", "Bari", "x" * 70], rnd.randrange(1, 4))
        self.step = rnd.choice([10, 700, 40_000])
        self.grid = rnd.choice([1, 1, 500, 5000])  # times are multiples of it: some are equal, some on the edge of a window
        self.disorder = rnd.choice([0, 0.01, 0.3, 0.99])
        self.spread = rnd.choice([5_000, 200_000, 20_000_000])
        self.duplicates = rnd.choice([0, 0, 0.5])
        self.size = rnd.choice(["small", "mixed", "decimal"])
        self.nulls = rnd.choice([0, 0.1, 0.9])
        self.odd = rnd.choice([0, 0, 0.05])  # NaN and infinities
        self.corrupt = rnd.choice([0, 0.02, 0.2])
        self.refused = rnd.choice([0, 0.03])
        self.start = rnd.choice([PRESENT_MS, SUMMER_ENDS_MS, MONTH_ENDS_MS, 0])

    def key(self):
        if self.skew == "hot" and self.rnd.random() < 0.9:
            return self.keys[0]
        if self.skew == "steep":
            return self.keys[min(int(self.rnd.expovariate(0.5)), len(self.keys) - 1)]
        return self.rnd.choice(self.keys)

    def number(self):
        rnd = self.rnd
        if rnd.random() < self.odd:
            return rnd.choice([math.nan, math.nan, math.inf, -math.inf])
        if self.size == "small":
            return float(rnd.randrange(-3, 12))
        if self.size == "mixed":
            return rnd.choice([rnd.gauss(0, 1), rnd.gauss(0, 1e16), 1e-7 * rnd.random(), -0.0, 1e100 * rnd.random()])
        return round(rnd.uniform(-50, 50), 2)

    def maybe(self, value):
        return None if self.rnd.random() < self.nulls else value

    def event(self, now):
        rnd = self.rnd
        late = rnd.randrange(self.spread) if rnd.random() < self.disorder else 0
        return {"id": self.key(), "place": rnd.choice(self.places), "t": (now - late) // self.grid * self.grid, "x": self.maybe(self.number()),
                "f": self.maybe(to_float32(self.number() if self.size != "mixed" else rnd.gauss(0, 1e5))),
                "n": self.maybe(rnd.randrange(-5, 100) if self.size == "small" else rnd.randrange(-(1 << 40), 1 << 40)),
                "s": self.maybe(rnd.choice(TEXTS)), "b": self.maybe(rnd.random() < 0.5), "u": self.maybe(rnd.choice(UUIDS))}

    def spoil(self, event, ways):
        """An event that becomes a record but is then refused: a text where a uuid is wanted, a time out of all bounds, or too far ahead."""
        how = self.rnd.choice(ways)
        if how == "uuid":
            event.update(u="6fa459ea-no-uuid", refused="malformed")
        else:
            event.update(t=FAR_FUTURE_MS if how == "future" else ABSURD_MS, refused="future" if how == "future" else "malformed")
        return event


def events(shape, ways):
    now, last = shape.start, None
    for _ in range(shape.count):
        if last and shape.rnd.random() < shape.duplicates:
            yield dict(last)
            continue
        now += shape.rnd.randrange(2 * shape.step)
        last = shape.event(now)
        if shape.rnd.random() < shape.refused:
            last = shape.spoil(last, ways)
        yield last


# ---- CSV


class Csv:
    def __init__(self, rnd, iso8601):
        self.rnd, self.iso8601 = rnd, iso8601
        self.delimiter = rnd.choice([",", ";", "\t"])
        self.line_end = rnd.choice(["\n", "\r\n"])
        self.header = [*FIELDS, "unused"]
        rnd.shuffle(self.header)
        self.mapping = {"t": "time of the reading"} if rnd.random() < 0.5 else {}

    def settings(self):
        mapping = f", fields: {{{', '.join(f'{name}: {column}' for name, column in self.mapping.items())}}}" if self.mapping else ""
        return f"format: csv, delimiter: {json.dumps(self.delimiter)}{mapping}"

    def begin(self, stream):
        if self.rnd.random() < 0.3:
            stream.text += b"\xef\xbb\xbf"
        stream.skip(self.row([self.mapping.get(name, name) for name in self.header]))

    def row(self, cells):
        quoted = [self.quote(cell) for cell in cells]
        return (self.delimiter.join(quoted) + self.line_end[:-1]).encode()

    def quote(self, cell):
        if any(c in cell for c in '"\n\r' + self.delimiter) or (cell.isalpha() and self.rnd.random() < 0.05):
            return '"' + cell.replace('"', '""') + '"'
        return cell

    def cell(self, name, value):
        if value is None:
            return self.rnd.choice(["x", "", "12"]) if name == "unused" else ""
        if name == "t" and self.iso8601:
            return iso8601(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return "nan" if math.isnan(value) else repr(value).replace("inf", "Infinity")
        return str(value)

    def cells(self, event):
        return [self.cell(name, event.get(name)) for name in self.header]

    def good(self, event):
        return self.row(self.cells(event))

    def bad(self, event):
        cells = self.cells(dict(event, s="plain", place="Roma"))
        at = {name: i for i, name in enumerate(self.header)}
        how = self.rnd.randrange(9)
        if how == 0:
            cells.pop()
        elif how == 1:
            cells.append("one more")
        elif how == 2:
            cells[at["x"]] = self.rnd.choice(["1.2.3", "12x", "--3", "one", "0x10", "1e999x"])
        elif how == 3:
            cells[at["t"]] = self.rnd.choice(["", "yesterday", "99999999999999999999"])
        elif how == 4:
            cells[at["n"]] = self.rnd.choice(["1.5", "9223372036854775808", "n"])
        elif how == 5:
            cells[at["f"]] = "1e60"
        elif how == 6:
            return self.row(cells).replace(b"Roma", b"Rom\xff\xfe")
        elif how == 7:
            return (f'"no end of this{self.delimiter}' + self.delimiter.join(cells)).encode()
        else:
            cells[at["id"]] = ""
        return self.row(cells)


def iso8601(ms):
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds")


# ---- JSON lines


class JsonLines:
    def __init__(self, rnd, iso8601):
        self.rnd, self.iso8601 = rnd, iso8601

    def settings(self):
        return "format: jsonl"

    def begin(self, stream):
        pass

    def good(self, event):
        members = {name: value for name, value in event.items() if name in FIELDS and (value is not None or self.rnd.random() < 0.5)}
        if self.iso8601:
            members["t"] = iso8601(event["t"])
        if self.rnd.random() < 0.2:
            members["more"] = [{"deep": [1, "]"]}]
        names = list(members)
        if self.rnd.random() < 0.2:
            self.rnd.shuffle(names)
        return json.dumps({name: members[name] for name in names}, ensure_ascii=self.rnd.random() < 0.5).encode()

    def bad(self, event):
        text = self.good(dict(event, place="Roma"))
        how = self.rnd.randrange(8)
        if how == 0:
            return text[:-1]
        if how == 1:
            return b"[" + text + b"]"
        if how == 2:
            return text + b"}"
        if how == 3:
            return self.good({name: value for name, value in event.items() if name != "id"})
        if how == 4:
            return self.good(dict(event, place=12))
        if how == 5:
            return self.good(dict(event, n=1.5))
        if how == 6:
            return text.replace(b'"Roma"', b'"Rom\xff"')
        return b"not json at all"


def stream(shape, writer, ways):
    """The whole file: good rows, refused rows (in these ways: uuid, absurd, future), rows that are none, blank lines, now and then a huge one."""
    made, rnd = Stream(), shape.rnd
    writer.begin(made)
    for event in events(shape, ways):
        if rnd.random() < shape.corrupt:
            made.add(writer.bad(event))
        elif rnd.random() < shape.corrupt / 10:
            made.skip(b"")
        made.add(writer.good(event), event)
        if rnd.random() < shape.corrupt / 300:
            made.add(writer.good(dict(event, s="long " * 300_000)))
    if rnd.random() < 0.3:
        made.text = made.text.removesuffix(b"\n")
    return made
