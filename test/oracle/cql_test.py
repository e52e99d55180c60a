#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cassandra's wire format against the Python driver's: tokens, bound values, cells, segments, requests, results and errors, both ways.

usage: cql_test.py [DRIVER]   (CQL_SEED, CQL_KEYS in the environment)
"""
import io
import os
import random
import struct
import subprocess
import sys
import uuid
from datetime import datetime, timedelta, timezone

from cassandra import ConsistencyLevel, WriteType, cqltypes, protocol, segment
from cassandra.connection import segment_codec_lz4, segment_codec_no_compression, locally_supported_compressions
from cassandra.murmur3 import murmur3
from cassandra.query import BatchType, SimpleStatement

LZ4 = locally_supported_compressions["lz4"]
MAX = segment.Segment.MAX_PAYLOAD_LENGTH


def h(data):
    return bytes(data).hex() or "-"


class Driver:
    def __init__(self, path):
        self.path, self.lines, self.checks = path, [], []

    def ask(self, check, *words):
        """`check(answer)` is called by run(); a value stands for equality with it."""
        self.lines.append(" ".join(str(w) for w in words))
        self.checks.append(check)

    def run(self, what):
        done = subprocess.run([self.path], input="\n".join(self.lines) + "\n", capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr[-2000:]
        answers = done.stdout.split("\n")[:-1]
        assert len(answers) == len(self.lines), f"{len(answers)} answers to {len(self.lines)} questions"
        for line, check, answer in zip(self.lines, self.checks, answers):
            answer = answer.strip()
            if callable(check):
                check(answer)
            else:
                assert answer == str(check), f"{line[:300]}\n  here:  {answer[:600]}\n  there: {str(check)[:600]}"
        print(f"{what}: {len(answers)}", flush=True)
        self.lines, self.checks = [], []


def fields(answer):
    """name=value words as (name, value), in order."""
    return [(name, value) for name, _, value in (word.partition("=") for word in answer.split())]


# ---- tokens and keys

def tokens(driver, rng, count):
    for i in range(count):
        key = rng.randbytes(1 + i % 67 if i % 3 else rng.choice((15, 16, 17, 31, 32, 33)))
        driver.ask(min(max(murmur3(key), -2**63 + 1), 2**63 - 1), "token", h(key))
    driver.run("tokens")
    for _ in range(500):
        parts = [rng.randbytes(rng.randrange(40)) for _ in range(rng.randint(2, 5))]
        statement = SimpleStatement("")
        statement.routing_key = parts
        driver.ask(h(statement.routing_key), "key", *map(h, parts))
    driver.run("composite keys")


# ---- values

def bound(data):
    return h(struct.pack(">i", len(data)) + data)


def doubles(rng):
    return [0.0, -0.0, 1.0, -1.5, float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308] + \
        [struct.unpack(">d", rng.randbytes(8))[0] for _ in range(300)]


def floats(rng):
    return [0.0, -0.0, 2.5, float("inf"), 2.0**-149] + [struct.unpack(">f", rng.randbytes(4))[0] for _ in range(300)]


def same_float(want):
    def check(answer):
        got = float.fromhex(answer)
        assert got == want and str(got) == str(want) or got != got and want != want, (answer, want)
    return check


def integers(rng, bits):
    edge = [0, 1, -1, 2**(bits - 1) - 1, -2**(bits - 1)]
    return edge + [rng.getrandbits(rng.randint(1, bits)) - 2**(bits - 1) for _ in range(300)]


def values(driver, rng):
    def both(type_name, text, data, cell=None):
        driver.ask(bound(data), "bind", type_name, text)
        driver.ask(text if cell is None else cell, "cell", type_name, h(data))
    for v in (True, False):
        both("boolean", int(v), cqltypes.BooleanType.serialize(v, 4))
    for v in integers(rng, 32):
        both("int", v, cqltypes.Int32Type.serialize(v, 4))
    for v in integers(rng, 64):
        both("bigint", v, cqltypes.LongType.serialize(v, 4))
    for v in floats(rng):
        if v == v:
            both("float", v.hex(), cqltypes.FloatType.serialize(v, 4), same_float(v))
    for v in doubles(rng):
        if v == v:
            both("double", v.hex(), cqltypes.DoubleType.serialize(v, 4), same_float(v))
    for _ in range(300):
        at = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=rng.randrange(-10**12, 10**13))
        driver.ask(bound(cqltypes.DateType.serialize(at, 4)), "bind", "bigint", (at - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1))
    for text in ["", "Genova", "kremówki", "温度", "\0", "x" * 70000]:
        driver.ask(bound(cqltypes.UTF8Type.serialize(text, 4)), "bind", "text", h(text.encode()))
    for _ in range(300):
        v = uuid.UUID(bytes=rng.randbytes(16))
        both("uuid", v, cqltypes.UUIDType.serialize(v, 4))
        driver.ask(bound(v.bytes), "bind", "uuid", str(v).upper())
    for _ in range(100):
        for address in (".".join(str(rng.randrange(256)) for _ in range(4)), "2001:db8::" + hex(rng.randrange(1, 65536))[2:]):
            driver.ask(address, "cell", "inet", h(cqltypes.InetAddressType.serialize(address, 4)))
    out = io.BytesIO()
    protocol.write_value(out, None)
    driver.ask(h(out.getvalue()), "bind", "null", "-")
    out = io.BytesIO()
    protocol.write_value(out, protocol._UNSET_VALUE)
    driver.ask(h(out.getvalue()), "bind", "unset", "-")
    driver.run("values")


# ---- envelopes and segments

def random_body(rng, size):
    return rng.randbytes(size) if rng.random() < 0.5 else (b"%d," % rng.randrange(1000) * size)[:size]


def read_segments(codec, data):
    """All payloads, by the Python driver; an envelope of several segments must be alone in them."""
    f, payload = io.BytesIO(data), b""
    while f.tell() < len(data):
        header = codec.decode_header(f)
        payload += codec.decode(f, header).payload
    return payload


def segments(driver, rng):
    sizes = [0, 1, 50, 4000, MAX - 9, MAX - 8, MAX, MAX + 1, 2 * MAX - 9, 2 * MAX, 400000]
    for case in range(40):
        lz4 = case % 2
        codec = segment_codec_lz4 if lz4 else segment_codec_no_compression
        bodies = [random_body(rng, rng.choice(sizes)) for _ in range(rng.randint(1, 4))] + [random_body(rng, rng.randrange(300)) for _ in range(rng.randrange(60))]
        rng.shuffle(bodies)
        streams = [rng.randrange(-32768, 32768) for _ in bodies]
        envelopes = [struct.pack(">BBhBi", 0x85, 0, stream, 8, len(body)) + body for stream, body in zip(streams, bodies)]
        driver.ask(lambda answer, c=codec, want=b"".join(envelopes): check_payload(c, answer, want), "segments", lz4, h(b"".join(envelopes)))
        wire = io.BytesIO()
        for e in envelopes:
            codec.encode(wire, e)
        want = " ".join(f"0:{stream}:8:{h(body)}" for stream, body in zip(streams, bodies))
        driver.ask(want + " end", "decode", 5, 1, lz4, h(wire.getvalue()))
        driver.ask(want + " rest", "decode", 5, 1, lz4, h(wire.getvalue() + wire.getvalue()[:3]))
    driver.run("segments")


def check_payload(codec, answer, want):
    assert read_segments(codec, bytes.fromhex(answer)) == want, "the Python driver reads something else"


def envelopes(driver, rng):
    compress, decompress = LZ4
    for case in range(200):
        lz4 = case % 2
        body, stream = random_body(rng, rng.choice((0, 1, 100, 5000, 300000))), rng.randrange(-32768, 32768)

        def check(answer, body=body, stream=stream):
            data = bytes.fromhex(answer)
            version, flags, got_stream, opcode, length = struct.unpack(">BBhBi", data[:9])
            assert (version, got_stream, opcode, length) == (4, stream, 7, len(data) - 9)
            assert (decompress(data[9:]) if flags & 1 else data[9:]) == body

        driver.ask(check, "envelope", 4, lz4, stream, 7, h(body))
        packed = compress(body) if lz4 and body else body
        flags = 1 if lz4 and body else 0
        driver.ask(f"{flags}:{stream}:7:{h(body)} end", "decode", 4, 0, lz4, h(struct.pack(">BBhBi", 4, flags, stream, 7, len(packed)) + packed))
    driver.run("envelopes")


# ---- requests

def body_of(message, version):
    f = io.BytesIO()
    message.send_body(f, version)
    return f.getvalue()


def values_of(params):
    f = io.BytesIO()
    for p in params:
        protocol.write_value(f, p)
    return f.getvalue()


def asked_fields(want):
    def check(answer):
        got = fields(answer)
        for pair in want:
            pair = (pair[0], str(pair[1]))
            assert pair in got, f"{pair} is not in {answer[:500]}"
    return check


def random_values(rng):
    return [rng.choice([None, b"", rng.randbytes(rng.randrange(50)), protocol._UNSET_VALUE]) for _ in range(rng.randint(1, 9))]


def one_statement(driver, rng, version):
    serial = rng.choice([None, ConsistencyLevel.SERIAL, ConsistencyLevel.LOCAL_SERIAL])
    timestamp = rng.choice([None, rng.getrandbits(62), 0])
    page, paging = rng.choice([None, 1, 5000]), rng.choice([None, rng.randbytes(20)])
    consistency, skip = rng.randrange(11), rng.random() < 0.5
    tail = [consistency, "-" if serial is None else serial, "-" if timestamp is None else timestamp, page or 0, h(paging or b"")]
    want = [("consistency", consistency), ("serial", -1 if serial is None else serial), ("page_rows", page or 0), ("paging_state", h(paging or b""))]
    text = f"SELECT * FROM t WHERE k = '{rng.randrange(10**6)}'"
    body = body_of(protocol.QueryMessage(text, consistency, serial, page, paging, timestamp), version)
    driver.ask(h(body), "query", version, h(text.encode()), "-", 0, *tail, 0, "-", 0)
    driver.ask(asked_fields(want + [("text", h(text.encode()))]), "asked", version, 7, h(body))
    params, statement, metadata = random_values(rng), rng.randbytes(16), rng.randbytes(16)
    message = protocol.ExecuteMessage(statement, params, consistency, serial, page, paging, timestamp, skip, result_metadata_id=metadata)
    body, bytes_ = bytearray(body_of(message, version)), values_of(params)
    body[20 if version == 4 else 41] |= 2 * skip  # the flag that the Python driver never sets
    driver.ask(h(body), "execute", version, h(statement), h(metadata), 0, *tail, len(params), h(bytes_), int(skip))
    driver.ask(asked_fields(want + [("id", h(statement)), ("metadata_id", h(metadata if version == 5 else b"")), ("count", len(params)),
                                    ("values", h(bytes_)), ("skip", int(skip))]), "asked", version, 10, h(body))
    rows = [[rng.randbytes(rng.randrange(30)) for _ in params] for _ in range(rng.randint(1, 40))]
    message = protocol.BatchMessage(BatchType.UNLOGGED, [(True, statement, row) for row in rows], consistency, serial, timestamp)
    body, all_rows = body_of(message, version), b"".join(map(values_of, rows))
    driver.ask(h(body), "batch", version, h(statement), "-", len(rows), *tail[:3], 0, "-", len(params), h(all_rows), 0)
    driver.ask(asked_fields([("rows", len(rows)), ("type", 1), ("consistency", consistency), (f"row{len(rows) - 1}_count", len(params))]
                            + [("row_values", h(values_of(row))) for row in rows]), "asked", version, 13, h(body))


def requests(driver, rng):
    for version in (4, 5):
        for _ in range(150):
            one_statement(driver, rng, version)
        body = body_of(protocol.PrepareMessage("INSERT INTO t (k) VALUES (?)"), version)
        driver.ask(h(body), "prepare", version, h(b"INSERT INTO t (k) VALUES (?)"))
        driver.ask(asked_fields([("text", h(b"INSERT INTO t (k) VALUES (?)"))]), "asked", version, 9, h(body))
        body = body_of(protocol.RegisterMessage(["TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"]), version)
        driver.ask(h(body), "register", 7)
        driver.ask(asked_fields([("events", 7)]), "asked", version, 11, h(body))
        body = body_of(protocol.AuthResponseMessage(b"\0user\0secret"), version)
        driver.ask(h(body), "auth", h(b"user"), h(b"secret"))
        driver.ask(asked_fields([("token", h(b"\0user\0secret"))]), "asked", version, 15, h(body))
        body = body_of(protocol.StartupMessage("3.4.5", {"COMPRESSION": "lz4", "THROW_ON_OVERLOAD": "1"}), version)
        driver.ask(asked_fields([("lz4", 1), ("throw", 1)]), "asked", version, 1, h(body))

    def startup(answer):
        want = {"CQL_VERSION": "3.0.0", "COMPRESSION": "lz4", "THROW_ON_OVERLOAD": "1", "DRIVER_NAME": "weir"}
        assert protocol.read_stringmap(io.BytesIO(bytes.fromhex(answer))) == want

    driver.ask(startup, "startup", 1, 1, h(b"weir"))
    driver.run("requests")


# ---- results and errors: bodies made at random, read by both

SIMPLE = {1: "ascii", 2: "bigint", 3: "blob", 4: "boolean", 5: "counter", 6: "decimal", 7: "double", 8: "float", 9: "int", 0xb: "timestamp", 0xc: "uuid",
          0xd: "text", 0xe: "varint", 0xf: "timeuuid", 0x10: "inet", 0x11: "date", 0x12: "time", 0x13: "smallint", 0x14: "tinyint", 0x15: "duration"}
NESTED = {0x20: "list", 0x21: "map", 0x22: "set", 0x31: "tuple"}


def s(text):
    return struct.pack(">H", len(text.encode())) + text.encode()


def random_type(rng, depth=0):
    """(its name, its bytes)"""
    code = rng.choice(list(SIMPLE)) if depth > 3 or rng.random() < 0.7 else rng.choice([0x20, 0x21, 0x22, 0x30, 0x31])
    out = struct.pack(">H", code)
    if code in SIMPLE:
        return SIMPLE[code], out
    if code == 0x30:
        count = rng.randint(1, 4)
        return "udt", out + s("ks") + s("kind") + struct.pack(">H", count) + b"".join(s(f"f{i}") + random_type(rng, depth + 1)[1] for i in range(count))
    if code == 0x31:
        count = rng.randint(1, 4)
        return "tuple", out + struct.pack(">H", count) + b"".join(random_type(rng, depth + 1)[1] for _ in range(count))
    return NESTED[code], out + b"".join(random_type(rng, depth + 1)[1] for _ in range(2 if code == 0x21 else 1))


def columns(rng, count, one_table):
    out, names = s("ks") + s("t") if one_table else b"", []
    for i in range(count):
        name, code = random_type(rng)
        out += (b"" if one_table else s("ks") + s(f"t{i}")) + s(f"c{i}") + code
        names.append(name)
    return out, names


def rows_body(rng):
    count, rows, one_table = rng.randint(1, 12), rng.choice([0, 1, 30]), rng.random() < 0.5
    more, changed = rng.random() < 0.5, rng.random() < 0.3
    specs, names = columns(rng, count, one_table)
    head = struct.pack(">iii", 2, one_table | more << 1 | changed << 3, count)
    head += (struct.pack(">i", 5) + b"state" if more else b"") + (s("newid") if changed else b"")
    cells = [[rng.choice([None, b"", rng.randbytes(rng.randrange(20))]) for _ in range(count)] for _ in range(rows)]
    body = b"".join(struct.pack(">i", -1) if c is None else struct.pack(">i", len(c)) + c for row in cells for c in row)
    return head + specs + struct.pack(">i", rows) + body, names


class Raw(protocol.ResultMessage):
    """The Python driver's parser, leaving cells as they are."""
    def recv_results_rows(self, f, version, user_types, metadata, policy):
        self.recv_results_metadata(f, user_types)
        self.parsed_rows = [self.recv_row(f, len(self.column_metadata)) for _ in range(protocol.read_int(f))]


def check_result(body, version, names):
    def check(answer):
        there = Raw.recv_body(io.BytesIO(body), version, {}, None, None)
        got = fields(answer)
        assert ("kind", str(there.kind)) in got, answer[:500]
        if there.kind == protocol.RESULT_KIND_ROWS:
            columns = there.column_metadata
            cells = [("cell", "null" if c is None else h(c)) for row in there.parsed_rows for c in row]
            assert [pair for pair in got if pair[0] == "cell"] == cells, answer[:2000]
            assert got.count(("row", "")) == len(there.parsed_rows)
            assert ("paging_state", h(there.paging_state or b"")) in got
            assert ("new_id", h(getattr(there, "result_metadata_id", None) or b"")) in got
        else:
            columns = there.bind_metadata + (there.column_metadata or [])
            assert ("id", h(there.query_id)) in got and ("metadata_id", h(there.result_metadata_id or b"")) in got
            assert [int(v) for k, v in got if k == "key"] == there.pk_indexes
            columns = (there.column_metadata or []) + there.bind_metadata
        for i, name in enumerate(("keyspace", "table", "name")):
            found = [v for k, v in got if k == name]
            assert found[-len(columns):] == [h(c[i].encode()) for c in columns], (name, found)
        assert [v for k, v in got if k == "type"] == names, answer[:2000]
    return check


def prepared_body(rng, version):
    binds, results = rng.randint(1, 8), rng.randint(0, 8)
    one_table, specs_flag = rng.random() < 0.5, rng.random() < 0.5
    bind_specs, bind_names = columns(rng, binds, one_table)
    keys = rng.sample(range(binds), rng.randint(0, min(binds, 3)))
    body = struct.pack(">i", 4) + s("statement-id-001") + (s("metadata-id") if version == 5 else b"")
    body += struct.pack(">iii", one_table, binds, len(keys)) + b"".join(struct.pack(">H", k) for k in keys) + bind_specs
    if results == 0:
        return body + struct.pack(">ii", 4, 0), bind_names
    specs, names = columns(rng, results, specs_flag)
    return body + struct.pack(">ii", specs_flag, results) + specs, names + bind_names


def results(driver, rng):
    for version in (4, 5):
        for _ in range(200):
            body, names = rows_body(rng)
            if version == 4 and struct.unpack(">i", body[4:8])[0] & 8:
                continue
            driver.ask(check_result(body, version, names), "result", version, h(body))
            body, names = prepared_body(rng, version)
            driver.ask(check_result(body, version, names), "result", version, h(body))
        driver.ask(asked_fields([("kind", 1)]), "result", version, h(struct.pack(">i", 1)))
        driver.ask(asked_fields([("kind", 3), ("keyspace", h(b"iot"))]), "result", version, h(struct.pack(">i", 3) + s("iot")))
        change = s("CREATED") + s("TABLE") + s("ks") + s("t")
        driver.ask(asked_fields([("change", h(b"CREATED")), ("target", h(b"TABLE")), ("change_keyspace", h(b"ks")), ("change_name", h(b"t"))]),
                   "result", version, h(struct.pack(">i", 5) + change))
    driver.run("results")


def error_body(rng, code, version):
    out = struct.pack(">i", code) + s("what the server says")
    counts = struct.pack(">Hii", rng.randrange(11), rng.randrange(4), rng.randrange(1, 4))
    reasons = struct.pack(">i", 2)
    if version == 5:
        reasons += b"\4\x7f\0\0\1\0\0" + b"\x10" + rng.randbytes(16) + b"\0\1"
    kind = s(rng.choice(list(WriteType.name_to_value)))
    return out + {0x1000: counts, 0x1100: counts + kind, 0x1200: counts + b"\1", 0x1300: counts + reasons + b"\0", 0x1500: counts + reasons + kind,
                  0x1400: s("ks") + s("fn") + struct.pack(">H", 2) + s("int") + s("text"), 0x2400: s("ks") + s("t"), 0x2500: s("statement")}.get(code, b"")


def error_fields(body, version):
    e = protocol.ErrorMessage.recv_body(io.BytesIO(body), version)
    want = [("code", e.code), ("text", h(e.message.encode()))]
    info = e.info if isinstance(e.info, dict) else {}
    for theirs, ours in [("consistency", "consistency"), ("required_replicas", "required"), ("alive_replicas", "received"), ("received_responses", "received"),
                         ("required_responses", "required"), ("failures", "failures")]:
        if theirs in info:
            want.append((ours, info[theirs]))
    if "data_retrieved" in info:
        want.append(("data", int(info["data_retrieved"])))
    if "write_type" in info:
        want.append(("write_type", h(WriteType.value_to_name[info["write_type"]].encode())))
    want += [(ours, h(info[theirs].encode())) for theirs, ours in [("keyspace", "keyspace"), ("table", "name"), ("function", "name")] if theirs in info]
    if e.code == 0x2500:
        want.append(("id", h(e.info)))
    return want


def errors(driver, rng):
    for version in (4, 5):
        for code in sorted(protocol.error_classes):
            for _ in range(5):
                body = error_body(rng, code, version)
                driver.ask(asked_fields(error_fields(body, version)), "failure", version, h(body))
    driver.run("errors")


def main():
    driver = Driver(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.environ.get("WEIR_BUILD", "build"), "cql_driver"))
    seed = int(os.environ.get("CQL_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"CQL_SEED={seed}", flush=True)
    tokens(driver, random.Random(f"{seed}/tokens"), int(os.environ.get("CQL_KEYS", 100000)))
    for part in (values, envelopes, segments, requests, results, errors):
        part(driver, random.Random(f"{seed}/{part.__name__}"))


if __name__ == "__main__":
    main()
