# SPDX-License-Identifier: Apache-2.0
"""Avro's schema resolution, a value at a time and as Java does it: what cannot be read fails when it is met. Slow and plain, to be compared with."""
import struct

PROMOTIONS = {"int": {"long", "float", "double"}, "long": {"float", "double"}, "float": {"double"}, "string": {"bytes"}, "bytes": {"string"}}


class Refused(Exception):
    pass


def kind_of(schema):
    return "union" if isinstance(schema, list) else schema if isinstance(schema, str) else schema["type"]


def matches(writer, reader):
    return writer["name"] == reader["name"] or writer["name"] in reader.get("aliases", [])


def source_of(writer, field):
    names = [field["name"]] + field.get("aliases", [])
    return next((w for n in names for w in writer["fields"] if w["name"] == n), None)


class Reader:
    def __init__(self, body, writer_names, reader_names):
        self.body, self.at = body, 0
        self.writer_names, self.reader_names = writer_names, reader_names

    def take(self, count):
        self.at += count
        return self.body[self.at - count:self.at]

    def long(self):
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value >> 1 ^ -(value & 1)

    def scalar(self, schema):
        kind = kind_of(schema)
        if kind == "null":
            return None
        if kind == "boolean":
            return self.take(1) == b"\1"
        if kind in ("int", "long"):
            return self.long()
        if kind == "float":
            return struct.unpack("<f", self.take(4))[0]
        if kind == "double":
            return struct.unpack("<d", self.take(8))[0]
        if kind == "bytes":
            return self.take(self.long())
        if kind == "string":
            return self.take(self.long()).decode()
        if kind == "enum":
            return schema["symbols"][self.long()]
        return self.take(schema["size"])

    def blocks(self, item):
        count = self.long()
        while count:
            if count < 0:
                self.long()
            for _ in range(abs(count)):
                yield item()
            count = self.long()

    def skip(self, writer):
        self.value(writer, None)

    def fits(self, writer, reader):
        """As a field of a record: looks no deeper."""
        writer, reader = self.writer_names.get(str(writer), writer), self.reader_names.get(str(reader), reader)
        kind = kind_of(writer)
        if kind == "union":
            return True
        if kind_of(reader) == "union":
            return any(self.fits(writer, b) for b in reader)
        if kind != kind_of(reader):
            return kind_of(reader) in PROMOTIONS.get(kind, ())
        if kind == "record":
            return all(source_of(writer, f) or "default" in f for f in reader["fields"])
        return kind not in ("enum", "fixed") or (matches(writer, reader) and writer.get("size") == reader.get("size"))

    def branch_for(self, writer, union):
        union = [self.reader_names.get(str(b), b) for b in union]
        kind = kind_of(writer)
        for b in union:
            if kind_of(b) == kind and (kind not in ("record", "enum", "fixed") or matches(writer, b)):
                return b
        for b in union:
            if kind == kind_of(b) == "record" and all(
                    self.fits(source_of(writer, f)["type"], f["type"]) if source_of(writer, f) else "default" in f for f in b["fields"]):
                return b
        return next((b for b in union if kind_of(b) in PROMOTIONS.get(kind, ())), None)

    def record(self, writer, reader):
        got = {}
        fields = {source_of(writer, f)["name"]: f for f in reader["fields"] if source_of(writer, f)} if reader else {}
        for field in reader["fields"] if reader else []:
            if not source_of(writer, field):
                if "default" not in field:
                    raise Refused(field["name"])
                got[field["name"]] = field["default"]
        for field in writer["fields"]:
            own = fields.get(field["name"])
            value = self.value(field["type"], own["type"] if own else None)
            if own:
                got[own["name"]] = value
        return got

    def value(self, writer, reader):
        """The next value as the reader sees it; reader None: only goes over it."""
        writer, reader = self.writer_names.get(str(writer), writer), self.reader_names.get(str(reader), reader)
        kind = kind_of(writer)
        if kind == "union":
            return self.value(writer[self.long()], reader)
        chosen = reader
        if reader is not None and kind_of(reader) == "union":
            chosen = self.branch_for(writer, reader)
            if chosen is None:
                raise Refused("no branch")
        if chosen is not None and kind_of(chosen) != kind and kind_of(chosen) not in PROMOTIONS.get(kind, ()):
            raise Refused("type")
        if kind in ("record", "enum", "fixed") and chosen is not None and chosen is reader and not matches(writer, chosen):
            raise Refused("name")
        if kind == "record":
            return self.record(writer, chosen)
        if kind == "array":
            return list(self.blocks(lambda: self.value(writer["items"], chosen and chosen["items"])))
        if kind == "map":
            return dict(self.blocks(lambda: (self.scalar("string"), self.value(writer["values"], chosen and chosen["values"]))))
        value = self.scalar(writer)
        if kind == "enum" and chosen and value not in chosen["symbols"]:
            if "default" not in chosen:
                raise Refused("symbol")
            return chosen["default"]
        if kind == "fixed" and chosen and chosen["size"] != writer["size"]:
            raise Refused("size")
        return value
