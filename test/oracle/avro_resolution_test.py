#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Schema resolution against fastavro: random pairs of writer's and reader's schemas, every scalar of the reader's record compared through its path;
canonical forms and fingerprints too.

Where fastavro is not the measure, because it differs from the specification or from Java:
  * of a reader's union it takes the first branch that reads the value, a promotion too; Java looks for the exact type first: the writer's values
    are compared, which promotions leave the same, except that a string and bytes may stand for each other;
  * bytes that are no text, read as a string, it refuses; Java replaces characters; here the bytes are kept: such events are not compared;
  * it refuses arrays and maps by their types, empty ones too; Java, and weir, what is in them: avro_model.py reads as Java does, and has the last
    word on whether a value is refused;
  * of a record's default it leaves out what the record's fields have defaults for: these defaults are whole;
  * records and fixed of another name in a union it tells apart by name alone, Java takes records by structure: unions here have one record.

usage: avro_resolution_test.py [DRIVER]   (AVRO_SEED, AVRO_CASES in the environment)
"""
import copy
import json
import math
import os
import random
import struct
import sys

import fastavro
import fastavro.schema

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from avro_model import Reader, Refused  # noqa: E402
from avro_roundtrip_test import Driver, read, single, value_of, write  # noqa: E402

PRIMITIVES = ["boolean", "int", "long", "float", "double", "bytes", "string"]
PROMOTIONS = {"int": ["long", "float", "double"], "long": ["float", "double"], "float": ["double"], "string": ["bytes"], "bytes": ["string"]}
DEFAULTS = {"boolean": True, "int": -3, "long": 1 << 40, "float": 0.5, "double": 0.25, "bytes": "ab", "string": "de", "null": None}
DEPTH = 3


class Pair:
    """A writer's schema and a reader's, made together: the reader's is the writer's with mutations."""

    def __init__(self, rng):
        self.rng, self.names, self.recursive = rng, 0, 0

    def name(self):
        self.names += 1
        return f"N{self.names}"

    def chance(self, p):
        return self.rng.random() < p

    def scalar(self):
        kind = self.rng.choice(PRIMITIVES)
        reader = self.rng.choice(PROMOTIONS.get(kind, [kind])) if self.chance(0.3) else kind
        if self.chance(0.03):
            reader = self.rng.choice(PRIMITIVES)
        return kind, reader

    def enum(self):
        name = self.name()
        symbols = [f"S{i}" for i in range(self.rng.randint(1, 5))]
        writer = {"type": "enum", "name": name, "symbols": symbols}
        reader = copy.deepcopy(writer)
        if self.chance(0.4):
            reader["symbols"] = self.rng.sample(symbols, self.rng.randint(0, len(symbols))) + ["EXTRA"]
            if self.chance(0.5):
                reader["default"] = "EXTRA"
        self.rename(reader)
        return writer, reader

    def rename(self, reader):
        if self.chance(0.15):
            reader["aliases"] = [reader["name"]]
            reader["name"] = self.name()

    def fixed(self):
        writer = {"type": "fixed", "name": self.name(), "size": self.rng.choice([1, 5, 16])}
        reader = dict(writer)
        self.rename(reader)
        if self.chance(0.05):
            reader["size"] += 1
        return writer, reader

    def union(self, depth):
        """Branches of different types; the reader's may be more, fewer, in another order."""
        kinds = self.rng.sample(["null", "boolean", "int", "string", "double"], self.rng.randint(1, 3))
        pairs = [(k, k) for k in kinds]
        if depth < DEPTH and self.chance(0.3):
            pairs.append(self.record(depth + 1))
        if self.chance(0.3):
            pairs.append(self.enum())
        writer, reader = [w for w, _ in pairs], [r for _, r in pairs]
        if self.chance(0.3):
            self.rng.shuffle(reader)
        if self.chance(0.2) and len(reader) > 2:
            reader.pop(self.rng.randrange(len(reader)))
        elif self.chance(0.3):
            extra = [k for k in ["null", "boolean", "string", "double"] if k not in reader]
            reader += extra[:1]
        if all(isinstance(b, dict) or b == "null" for b in reader):
            reader.append("boolean")  # without a scalar there is no column to look at
            reader[:] = [b for i, b in enumerate(reader) if b not in reader[:i]]
        return writer, reader

    def any(self, depth):
        roll = self.rng.random()
        if depth >= DEPTH or roll < 0.35:
            writer, reader = self.scalar()
            if self.chance(0.35):
                writer = ["null", writer] if self.chance(0.7) else [writer, "null"]
            if self.chance(0.35):
                reader = ["null", reader]
            return writer, reader
        if roll < 0.45:
            return self.enum()
        if roll < 0.52:
            return self.fixed()
        if roll < 0.70:
            return self.union(depth)
        if roll < 0.80:
            writer, reader = self.any(depth + 1)
            return {"type": "array", "items": writer}, {"type": "array", "items": reader}
        if roll < 0.88:
            writer, reader = self.any(depth + 1)
            return {"type": "map", "values": writer}, {"type": "map", "values": reader}
        return self.record(depth + 1)

    def added(self, i):
        kind = self.rng.choice(PRIMITIVES + [["null", p] for p in PRIMITIVES] + [[p, "null"] for p in PRIMITIVES] + ["record"])
        field = {"name": f"added{i}", "type": kind, "default": DEFAULTS.get(kind if isinstance(kind, str) else kind[0])}
        if kind == "record":
            field["type"] = {"type": "record", "name": self.name(), "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "string", "default": "q"}]}
            field["default"] = {"x": 5, "y": "w"}
        if self.chance(0.06):
            del field["default"]
        return field

    def record(self, depth, top=False):
        writer = {"type": "record", "name": "Event" if top else self.name(), "fields": []}
        reader = {"type": "record", "name": writer["name"], "fields": []}
        for i in range(self.rng.randint(1, 6 if top else 3)):
            w, r = self.any(depth)
            writer["fields"].append({"name": f"f{i}", "type": w})
            field = {"name": f"f{i}", "type": r}
            if self.chance(0.12):
                field = {"name": f"renamed{i}", "type": r, "aliases": [f"f{i}"]}
            if not self.chance(0.12):
                reader["fields"].append(field)
        if not top and self.recursive < 2 and self.chance(0.25):
            self.recursive += 1
            writer["fields"].append({"name": "next", "type": ["null", writer["name"]]})
            reader["fields"].append({"name": "next", "type": ["null", reader["name"]]})
        elif not top:
            self.rename(reader)
        reader["fields"] += [self.added(i) for i in range(self.rng.randint(0, 2))]
        if self.chance(0.4):
            self.rng.shuffle(reader["fields"])
        if top:
            writer["fields"].append({"name": "ts", "type": "long"})
            reader["fields"].insert(0, {"name": "ts", "type": "long"})
        return writer, reader


def named_types(schema, found):
    if isinstance(schema, list):
        for branch in schema:
            named_types(branch, found)
    elif isinstance(schema, dict):
        if "name" in schema:
            found[schema["name"]] = schema
        for part in ("items", "values"):
            named_types(schema.get(part), found)
        for field in schema.get("fields", []):
            named_types(field["type"], found)
    return found


def paths_of(schema, named, at, depth, found):
    """Every path to a scalar that a value could have, lists and maps as long as value_of makes them."""
    if isinstance(schema, str) and schema in named:
        schema = named[schema]
    if isinstance(schema, list):
        for branch in schema:
            paths_of(branch, named, at, depth, found)
    elif isinstance(schema, dict) and schema["type"] == "record":
        if depth < 9:
            for field in schema["fields"]:
                paths_of(field["type"], named, f"{at}.{field['name']}" if at else field["name"], depth + 1, found)
    elif isinstance(schema, dict) and schema["type"] == "array":
        for i in range(3):
            paths_of(schema["items"], named, f"{at}[{i}]", depth + 1, found)
    elif isinstance(schema, dict) and schema["type"] == "map":
        for i in range(3):
            paths_of(schema["values"], named, f"{at}.k{i}", depth + 1, found)
    elif schema != "null":
        found.append(at)
    return found


def value_at(value, path):
    for step in path.replace("[", ".[").split("."):
        if step.startswith("["):
            index = int(step[1:-1])
            value = value[index] if isinstance(value, list) and index < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def texts_of(value):
    """How a column may say a value: by its own type, or as text where the column is one of several types."""
    if isinstance(value, bool):
        return {"1" if value else "0", ("true" if value else "false").encode().hex()}
    if isinstance(value, str):
        return {value.encode().hex()} | ({value.encode("latin-1").hex()} if value.isascii() else set())
    if isinstance(value, bytes):
        return {value.hex()}
    return set()


def number_fits(text, value):
    def of(t):
        return float(t) if t.lower() not in ("nan", "inf", "-inf", "infinity", "-infinity") else float(t)

    candidates = [text]
    try:
        candidates.append(bytes.fromhex(text).decode())
    except ValueError:
        pass
    for candidate in candidates:
        try:
            got = of(candidate)
        except ValueError:
            continue
        for wanted in (float(value), single(value)):
            if got == wanted or (math.isnan(got) and math.isnan(wanted)):
                return True
    return False


def same(text, value):
    if text is None or value is None:
        return text is None and value is None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number_fits(text, value)
    return text in texts_of(value)


def model_of(body, writer, reader):
    """What Java reads, by the model; "refused"."""
    try:
        return Reader(body, named_types(writer, {}), named_types(reader, {})).value(writer, reader)
    except Refused:
        return "refused"


def expected_of(body, writer, reader, counts):
    """What fastavro reads, "refused", or None where it cannot judge. Where it and the model of Java differ on whether to refuse, Java's word counts."""
    try:
        expected = read(body, writer, reader)
    except UnicodeDecodeError:
        return None
    except Exception:  # fastavro raises whatever fits
        expected = "refused"
    model = model_of(body, writer, reader)
    if (model == "refused") == (expected == "refused"):
        return expected
    counts["as Java, not fastavro"] += 1
    return model


def is_plain_value(value):
    """A dict, a list or a scalar that a column can be."""
    return not isinstance(value, (dict, list))


def check_pair(driver, rng, counts):
    writer, reader = Pair(rng).record(0, top=True)
    named = named_types(writer, {})
    values = [value_of(rng, writer, named) for _ in range(4)]
    for value in values:
        value["ts"] = abs(value["ts"]) % (1 << 50)
    bodies = [write(writer, v) for v in values]
    paths = [p for p in paths_of(reader, named_types(reader, {}), "", 0, []) if "." in p or "[" in p]
    answer = driver.ask({"writer": json.dumps(writer), "reader": json.dumps(reader), "paths": sorted(set(paths)), "hex": [b.hex() for b in bodies]})
    assert "rows" in answer, (writer, reader, answer)
    rows = iter(answer["rows"])
    for i, body in enumerate(bodies):
        row = None if str(i) in answer["rejects"] else next(rows)
        expected = expected_of(body, writer, reader, counts)
        if expected is None:
            counts["not compared"] += 1
            continue
        detail = (json.dumps(writer), json.dumps(reader), values[i], expected, answer["rejects"].get(str(i)))
        assert (row is None) == (expected == "refused"), detail
        counts["refused" if row is None else "decoded"] += 1
        for path, text in (row or {}).items():
            value = value_at(expected, path)
            if is_plain_value(value):
                counts["columns"] += 1
                assert same(text, value), (path, text, value) + detail


def check_canonical(driver, rng, counts):
    writer, _ = Pair(rng).record(0, top=True)
    answer = driver.ask({"canonical": json.dumps(writer)})
    form = fastavro.schema.to_parsing_canonical_form(writer)
    assert answer["text"] == form, (answer, form)
    wanted = fastavro.schema.fingerprint(form, "CRC-64-AVRO")
    assert bytes.fromhex(answer["fingerprint"])[::-1].hex() == wanted, (form, answer, wanted)
    counts["canonical forms"] += 1


def check_verdict(driver, rng, counts):
    """A pair found compatible is one that no value of it is refused in."""
    writer, reader = Pair(rng).record(0, top=True)
    answer = driver.ask({"compare": [json.dumps(reader), json.dumps(writer)]})
    assert answer["fits"] == (not answer["findings"]), answer
    counts["compatible" if answer["fits"] else "incompatible"] += 1
    if answer["fits"]:
        for _ in range(3):
            value = value_of(rng, writer, named_types(writer, {}))
            assert model_of(write(writer, value), writer, reader) != "refused", (json.dumps(writer), json.dumps(reader), value)


def main():
    driver_path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.environ.get("WEIR_BUILD", "build"), "avro_driver")
    seed = int(os.environ.get("AVRO_SEED", random.SystemRandom().randrange(1 << 32)))
    cases = int(os.environ.get("AVRO_CASES", 2400))
    print(f"AVRO_SEED={seed}", flush=True)
    driver = Driver(driver_path)
    counts = dict.fromkeys(["decoded", "refused", "as Java, not fastavro", "not compared", "columns", "canonical forms", "compatible", "incompatible"], 0)
    for case in range(cases):
        rng = random.Random(f"{seed}/{case}")
        try:
            check_pair(driver, rng, counts)
            if case % 4 == 0:
                check_canonical(driver, rng, counts)
                check_verdict(driver, rng, counts)
        except AssertionError:
            print(f"case {case} of AVRO_SEED={seed}", file=sys.stderr)
            raise
    assert driver.end() == 0
    print(f"{cases} pairs: " + ", ".join(f"{n} {what}" for what, n in counts.items()))


if __name__ == "__main__":
    main()
