#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An event that does not fit its schema never enters the topic, whichever way it comes; the refusal names the field and what was expected."""
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenario"))
from harness import letters  # noqa: E402
from serving import Scenario, Server, weir  # noqa: E402

FIELDS = [{"name": "id", "type": "string"}, {"name": "at", "type": "long"}, {"name": "flag", "type": "boolean"}, {"name": "small", "type": "int"},
          {"name": "single", "type": "float"}, {"name": "wide", "type": "double"},
          {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["ON", "OFF"]}},
          {"name": "level", "type": ["null", "int"], "default": None}, {"name": "mood", "type": ["null", "State"], "default": None}]
FILE = """pipeline: strict
topic: {{name: strict}}
event: {{format: avro, schema: strict.avsc, key: id, time: at}}
{feed}queries:
  - table: raw
    columns: {{id: text, at: bigint, small: int, state: text, single: float}}
    key: [[id], at]
"""
GOOD = {"id": "a", "at": 1760000000000, "flag": True, "small": 7, "single": 0.5, "wide": 1.25, "state": "ON", "level": 3, "mood": None}
GONE = object()
# field, value, what the refusal says besides the field's name
WRONG = [("id", 5, ["string"]), ("id", None, ["null"]), ("id", GONE, ["missing"]), ("at", "soon", ["integer", "string"]), ("at", 1.5, ["integer"]),
         ("at", 9223372036854775808, []), ("flag", 1, ["boolean", "number"]), ("flag", "true", ["boolean"]), ("small", 2147483648, ["range", "int"]),
         ("small", -2147483649, ["range", "int"]), ("small", "7", ["integer", "string"]), ("small", {}, ["integer", "object"]),
         ("single", 1e39, ["float"]), ("single", True, ["number"]), ("wide", "x", ["number", "string"]), ("wide", [], ["number", "array"]),
         ("state", "BROKEN", ["ON", "OFF", "BROKEN"]), ("state", "on", ["ON"]), ("state", 0, ["string"]), ("state", None, ["null"]),
         ("level", "high", ["integer"]), ("level", 4000000000, ["int"]), ("mood", "SAD", ["ON", "OFF", "SAD"])]


def changed(field, value):
    event = dict(GOOD)
    if value is GONE:
        del event[field]
    else:
        event[field] = value
    return event


class Producer(Scenario):
    def file(self, feed="", more=()):
        (self.folder / "strict.avsc").write_text(json.dumps({"type": "record", "name": "Strict", "fields": [*FIELDS, *more]}))
        return self.write("strict.yaml", FILE.format(feed=feed))

    def topic(self, file, data):
        lines = weir("topic", "tail", file, "--data", data, "--limit", 1000).out.splitlines()
        return [json.loads(line)["value"] for line in lines]

    def test_posts(self):
        file = self.file()
        with Server(self.folder, file, "--registry-listen", "127.0.0.1:0") as s:
            for field, value, words in WRONG:
                answer = s.post([GOOD, changed(field, value)], topic="strict")
                self.assertEqual(answer.status, 422 if answer.status == 422 else 400, (field, value, answer))
                said = json.dumps(answer.json)
                for word in (field, "event 2", *words):
                    self.assertIn(word, said, (field, value))
            for good in (GOOD, changed("level", GONE), changed("level", None), changed("mood", "OFF"), changed("small", -2147483648), changed("single", 3.4e38)):
                self.assertEqual(s.post([good], topic="strict").status, 202, good)
        self.assertEqual(len(self.topic(file, self.folder / "data")), 6)  # nothing of what was refused, not even what was good beside it

    def test_feeds(self):
        lines = [changed(field, value) for field, value, _ in WRONG]
        (self.folder / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [GOOD, *lines, changed("id", "b")]))
        file = self.file("feed: {file: {path: in.jsonl}}\n")
        data = self.folder / "fed"
        done = weir("run", file, "--data", data, "--until-end", "--close", "--listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0", "--format", "json")
        self.assertEqual(done.summary()["records"], 2, done)
        self.assertEqual([e["id"] for e in self.topic(file, data)], ["a", "b"])
        dead = letters(file, data)
        self.assertEqual({letter["reason"] for letter in dead}, {"malformed"})
        for letter, (field, value, words) in zip(dead, WRONG, strict=True):
            for word in (field, *words):
                self.assertIn(word, str(letter), (field, value))

    def test_what_no_event_can_say_is_refused_by_name(self):
        """Fields of types that JSON events have no value for are written as their default; without one, nothing can be written."""
        for kind in ({"type": "fixed", "name": "F", "size": 4}, "bytes", ["string", "int"], {"type": "array", "items": "int"}):
            with Server(self.folder, self.file(more=[{"name": "odd", "type": kind}]), "--registry-listen", "127.0.0.1:0", data=f"d{abs(hash(str(kind)))}") as s:
                answer = s.post([GOOD], topic="strict")
                self.assertIn(answer.status, (400, 422, 500, 503), answer)
                self.assertIn("odd", json.dumps(answer.json))


if __name__ == "__main__":
    unittest.main()
