#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Avro against fastavro on random schemas and values, both ways: what fastavro writes is decoded and printed here, through reader schemas that
differ from the writer's by the rules of schema resolution; what is encoded here is read by fastavro.

usage: avro_roundtrip_test.py [DRIVER]   (AVRO_SEED, AVRO_CASES in the environment)
"""
import copy
import io
import json
import math
import os
import random
import struct
import subprocess
import sys

import fastavro

PRIMITIVES = ["boolean", "int", "long", "float", "double", "bytes", "string"]
PROMOTIONS = {"int": ["long", "float", "double"], "long": ["float", "double"], "float": ["double"], "string": ["bytes"], "bytes": ["string"]}


class Schemas:
    """Makes random schemas; every named type has a name of its own."""

    def __init__(self, rng):
        self.rng, self.names = rng, 0

    def name(self):
        self.names += 1
        return f"N{self.names}"

    def enum(self):
        count = self.rng.randint(1, 5)
        return {"type": "enum", "name": self.name(), "symbols": [f"S{i}" for i in range(count)]}

    def complex(self, depth):
        kind = self.rng.choice(["union", "enum", "array", "map", "record", "fixed", "recursive"])
        if kind == "union":
            return ["null"] + self.rng.sample(["boolean", "long", "double", "string"], self.rng.randint(1, 3))
        if kind == "enum":
            return self.enum()
        if kind == "array":
            return {"type": "array", "items": self.any(depth + 1)}
        if kind == "map":
            return {"type": "map", "values": self.any(depth + 1)}
        if kind == "fixed":
            return {"type": "fixed", "name": self.name(), "size": self.rng.choice([0, 1, 7, 16])}
        record = {"type": "record", "name": self.name(), "fields": []}
        for i in range(self.rng.randint(0, 4)):
            record["fields"].append({"name": f"m{i}", "type": self.any(depth + 1)})
        if kind == "recursive":
            record["fields"].append({"name": "next", "type": ["null", record["name"]]})
        return record

    def any(self, depth=0):
        roll = self.rng.random()
        if depth < 4 and roll < 0.3:
            return self.complex(depth)
        if roll < 0.6:
            return self.nullable(self.rng.choice(PRIMITIVES))
        return self.rng.choice(PRIMITIVES)

    def nullable(self, kind):
        return ["null", kind] if self.rng.random() < 0.7 else [kind, "null"]

    def record(self):
        fields = [{"name": f"f{i}", "type": self.any()} for i in range(self.rng.randint(0, 8))]
        fields.insert(self.rng.randint(0, len(fields)), {"name": "ts", "type": self.rng.choice(["long", "int"])})
        return {"type": "record", "name": "Event", "namespace": "x.y", "fields": fields}


def value_of(rng, schema, named, depth=0):
    if isinstance(schema, list):
        branches = [b for b in schema if depth < 6 or b == "null"] or schema
        return value_of(rng, rng.choice(branches), named, depth + 1)
    if isinstance(schema, str) and schema in named:
        schema = named[schema]
    kind = schema if isinstance(schema, str) else schema["type"]
    if isinstance(schema, dict) and "name" in schema:
        named = {**named, schema["name"]: schema}
    if kind == "null":
        return None
    if kind == "boolean":
        return rng.random() < 0.5
    if kind in ("int", "long"):
        bits = rng.randint(0, 31 if kind == "int" else 63)
        return rng.randint(-(1 << bits), (1 << bits) - 1)
    if kind in ("float", "double"):
        value = rng.choice([0.0, -0.0, 1.5, rng.uniform(-100, 100), rng.gauss(0, 1e30), math.inf, -math.inf, math.nan])
        return struct.unpack("<f", struct.pack("<f", value))[0] if kind == "float" else value
    if kind == "bytes":
        ascii_only = rng.random() < 0.5
        return bytes(rng.randrange(128 if ascii_only else 256) for _ in range(rng.choice([0, 1, 5, 70])))
    if kind == "string":
        return "".join(rng.choice('abcXYZ 0"\\\n\té€😀') for _ in range(rng.choice([0, 1, 5, 36, 200])))
    if kind == "fixed":
        return bytes(rng.randrange(256) for _ in range(schema["size"]))
    if kind == "enum":
        return rng.choice(schema["symbols"])
    if kind == "array":
        return [value_of(rng, schema["items"], named, depth + 1) for _ in range(rng.choice([0, 1, 3]))]
    if kind == "map":
        return {f"k{i}": value_of(rng, schema["values"], named, depth + 1) for i in range(rng.choice([0, 1, 3]))}
    return {f["name"]: value_of(rng, f["type"], named, depth + 1) for f in schema["fields"]}


def default_of(rng, schema):
    kind = schema[0] if isinstance(schema, list) else schema
    return {"null": None, "boolean": True, "int": rng.randint(-9, 9), "long": 1 << 40, "float": 0.5, "double": 0.25, "bytes": "\u00ffb", "string": "dé"}[kind]


def plain(schema):
    """The type of a field that becomes a column, null taken off; None for others."""
    if isinstance(schema, list):
        rest = [b for b in schema if b != "null"]
        schema = rest[0] if len(schema) == 2 and len(rest) == 1 else None
    if isinstance(schema, dict):
        return schema["type"] if schema["type"] in ("enum", "fixed") else None
    return schema if schema in PRIMITIVES else None


def evolve(rng, schemas, writer):
    """A reader schema some steps away from the writer's, good or bad."""
    reader = copy.deepcopy(writer)
    fields = reader["fields"]
    for field in fields:
        kind = field["type"]
        if field["name"] == "ts":
            field["type"] = "long"
        elif isinstance(kind, str) and rng.random() < 0.4:
            promoted = rng.choice(PROMOTIONS.get(kind, [kind]))
            field["type"] = schemas.nullable(promoted) if rng.random() < 0.5 else promoted
        elif isinstance(kind, list) and rng.random() < 0.3:
            field["type"] = [b for b in kind if b != "null"][0]
        elif isinstance(kind, list) and len(kind) > 2 and rng.random() < 0.5:
            field["type"] = ["null", kind[1]]
        elif isinstance(kind, dict) and kind["type"] == "enum" and rng.random() < 0.5:
            kind["symbols"] = kind["symbols"][1:] + ["EXTRA"]
            if rng.random() < 0.5:
                kind["default"] = "EXTRA"
        elif rng.random() < 0.03:
            field["type"] = rng.choice(PRIMITIVES[:-2])  # no string: an enum is read into one here
        if rng.random() < 0.15 and field["name"] != "ts":
            field["aliases"] = [field["name"]]
            field["name"] = "renamed_" + field["name"]
    if rng.random() < 0.5:
        fields[:] = [f for f in fields if f["name"] == "ts" or rng.random() < 0.7]
    if rng.random() < 0.5:
        rng.shuffle(fields)
    for i in range(rng.randint(0, 2)):
        kind = rng.choice(PRIMITIVES + [["null", p] for p in PRIMITIVES] + [[p, "null"] for p in PRIMITIVES])
        added = {"name": f"added{i}", "type": kind}
        if rng.random() < 0.93:
            added["default"] = default_of(rng, kind)
        fields.append(added)
    return reader


def write(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


def read(body, writer, reader=None):
    source = io.BytesIO(body)
    value = fastavro.schemaless_reader(source, writer, reader)
    assert source.tell() == len(body)
    return value


def single(value):
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def same_number(a, b):
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))


def same_column(kind, text, expected):
    if expected is None or text is None:
        return text is None and expected is None
    if kind in ("string", "enum"):
        return bytes.fromhex(text) == expected.encode()
    if kind in ("bytes", "fixed"):
        return bytes.fromhex(text) == (expected.encode("latin-1") if isinstance(expected, str) else expected)
    if kind in ("float", "double"):
        return same_number(float(text), single(expected) if kind == "float" else float(expected))
    return int(text) == int(expected)


def same_print(got, expected):
    if isinstance(expected, bytes):
        return got == expected.decode("latin-1")
    if isinstance(expected, bool) or expected is None:
        return got is expected
    if isinstance(expected, float):
        if not math.isfinite(expected):
            return got == ("NaN" if math.isnan(expected) else "Infinity" if expected > 0 else "-Infinity")
        return isinstance(got, (int, float)) and (same_number(float(got), expected) or same_number(single(got), expected))
    if isinstance(expected, list):
        return len(got) == len(expected) and all(map(same_print, got, expected))
    if isinstance(expected, dict):
        return list(got) == list(expected) and all(same_print(got[k], expected[k]) for k in expected)
    return type(got) is type(expected) and got == expected


class Driver:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"the driver died of {json.dumps(question)}")
        return json.loads(answer)

    def end(self):
        self.process.stdin.close()
        return self.process.wait()


def with_defaults_as_bytes(value, reader, writer):
    """fastavro gives a bytes default as the schema's text."""
    names = {f["name"] for f in writer["fields"]}
    for field in reader["fields"]:
        if field["name"].startswith("added") and field["name"] not in names and isinstance(value.get(field["name"]), str) and plain(field["type"]) == "bytes":
            value[field["name"]] = value[field["name"]].encode("latin-1")
    return value


def expected_of(body, writer, reader):
    """What fastavro reads, "refused", or None where it cannot judge (bytes that are no text read as a string)."""
    try:
        return with_defaults_as_bytes(read(body, writer, reader), reader, writer)
    except UnicodeDecodeError:
        return None
    except Exception:  # fastavro raises whatever fits
        return "refused"


def check_decode(driver, rng, counts):
    schemas = Schemas(rng)
    writer = schemas.record()
    reader = evolve(rng, schemas, writer) if rng.random() < 0.8 else copy.deepcopy(writer)
    values = [value_of(rng, writer, {}) for _ in range(4)]
    for value in values:
        value["ts"] = abs(value["ts"]) % (1 << 31 if {"name": "ts", "type": "int"} in writer["fields"] else 1 << 50)
    bodies = [write(writer, v) for v in values]
    answer = driver.ask({"writer": json.dumps(writer), "reader": json.dumps(reader), "hex": [b.hex() for b in bodies]})
    rows = iter(answer["rows"])
    for i, body in enumerate(bodies):
        row = None if str(i) in answer["rejects"] else next(rows)
        expected = expected_of(body, writer, reader)
        if expected is not None:
            assert (row is None) == (expected == "refused"), (writer, reader, values[i], expected, answer["rejects"])
        if row is None or expected is None:
            counts["refused"] += 1
        else:
            counts["decoded"] += 1
            for field in reader["fields"]:
                kind = plain(field["type"])
                if kind:
                    assert same_column(kind, row[field["name"]], expected[field["name"]]), (writer, reader, field, row, expected)
        printed = json.loads(answer["prints"][i], parse_int=lambda text: -0.0 if text == "-0" else int(text))
        assert same_print(printed, read(body, writer)), (writer, printed, read(body, writer))
    # No prefix of a record is a record, and none goes beyond it.
    if bodies[0]:
        cut = driver.ask({"writer": json.dumps(writer), "reader": json.dumps(writer), "hex": [bodies[0][:-1].hex(), bodies[0].hex() + "00"]})
        assert set(cut["rejects"]) == {"0", "1"}, (writer, values[0], cut)


def check_encode(driver, rng, counts):
    schemas = Schemas(rng)
    fields = [{"name": "ts", "type": "long"}]
    for i in range(rng.randint(0, 8)):
        kind = schemas.enum() if rng.random() < 0.1 else rng.choice(PRIMITIVES)
        fields.append({"name": f"f{i}", "type": schemas.nullable(kind) if rng.random() < 0.4 else kind})
    others = [
        {"name": "list", "type": {"type": "array", "items": "int"}, "default": [1, -2]},
        {"name": "map", "type": {"type": "map", "values": "string"}, "default": {"a": "b"}},
        {"name": "choice", "type": ["null", "int", "string"], "default": None},
        {"name": "inner", "type": {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": "int", "default": 3}]}, "default": {}},
        {"name": "id", "type": {"type": "fixed", "name": "Id", "size": 2}, "default": "\u0001\u00fe"},
    ]
    fields += rng.sample(others, rng.randint(0, 3))
    rng.shuffle(fields)
    schema = {"type": "record", "name": "Event", "fields": fields}
    columns = {f["name"]: plain(f["type"]) for f in fields if plain(f["type"])}
    events = []
    for _ in range(3):
        value = value_of(rng, schema, {})
        events.append({k: value[k] for k in columns})

    def text(kind, v):
        if v is None:
            return None
        if kind in ("string", "enum"):
            return v.encode().hex()
        return v.hex() if kind in ("bytes", "fixed") else repr(float(v)) if kind in ("float", "double") else str(int(v))

    answer = driver.ask({"reader": json.dumps(schema), "values": [{k: text(columns[k], e[k]) for k in columns} for e in events]})
    assert "hex" in answer, (schema, events, answer)
    defaults = {"list": [1, -2], "map": {"a": "b"}, "choice": None, "inner": {"x": 3}, "id": b"\x01\xfe"}
    for event, body in zip(events, answer["hex"]):
        got = read(bytes.fromhex(body), schema)
        for field in fields:
            name = field["name"]
            assert same_print(
                got[name].decode("latin-1") if isinstance(got[name], bytes) else "NaN" if got[name] != got[name] else
                ("Infinity" if got[name] > 0 else "-Infinity") if isinstance(got[name], float) and math.isinf(got[name]) else got[name],
                event.get(name, defaults.get(name))), (schema, event, got)
        counts["encoded"] += 1


def main():
    driver_path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.environ.get("WEIR_BUILD", "build"), "avro_driver")
    seed = int(os.environ.get("AVRO_SEED", random.SystemRandom().randrange(1 << 32)))
    cases = int(os.environ.get("AVRO_CASES", 1500))
    print(f"AVRO_SEED={seed}", flush=True)
    driver, counts = Driver(driver_path), {"decoded": 0, "refused": 0, "encoded": 0}
    for case in range(cases):
        rng = random.Random(f"{seed}/{case}")
        try:
            (check_encode if case % 3 == 0 else check_decode)(driver, rng, counts)
        except AssertionError:
            print(f"case {case} of AVRO_SEED={seed}", file=sys.stderr)
            raise
    assert driver.end() == 0
    print(f"{cases} cases: " + ", ".join(f"{n} {what}" for what, n in counts.items()))


if __name__ == "__main__":
    main()
