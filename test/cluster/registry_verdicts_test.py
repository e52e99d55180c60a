#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# needs: registry
"""Compatibility verdicts of the embedded registry against those of another implementation of the same API, pair by pair."""
import itertools
import json
import os
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "registry"))
from serving import TYPE, Registry, Scenario  # noqa: E402
from harness import seeded  # noqa: E402

OTHER = os.environ["REGISTRY"]
TYPES = ["int", "long", "float", "double", "string", "bytes", "boolean", ["null", "int"], ["null", "string", "long"], {"type": "array", "items": "int"},
         {"type": "map", "values": "long"}, {"type": "enum", "name": "E", "symbols": ["A", "B"]}, {"type": "enum", "name": "E", "symbols": ["A"]},
         {"type": "enum", "name": "E", "symbols": ["A"], "default": "A"}, {"type": "fixed", "name": "F", "size": 4}, {"type": "fixed", "name": "F", "size": 8},
         {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]},
         {"type": "record", "name": "I", "fields": [{"name": "x", "type": "long"}, {"name": "y", "type": "int", "default": 0}]}]

LEVELS = ["BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"]
HISTORIES = 60
NUMBERS = ["int", "long", "float", "double"]


def field(rng, name):
    """A field of one of few shapes, so that histories often nearly fit."""
    kind = rng.choice([rng.choice(NUMBERS), ["null", rng.choice(NUMBERS)], "string", {"type": "enum", "name": f"E{name}", "symbols": rng.choice([["A"], ["A", "B"]])}])
    made = {"name": name, "type": kind}
    if isinstance(kind, list):
        made["default"] = None
    elif kind in NUMBERS and rng.random() < 0.5:
        made["default"] = 1
    return made


def distinct(rng):
    """Schemas that differ from each other, each a small change of the one before."""
    fields, seen = {name: field(rng, name) for name in rng.sample("abcd", 2)}, set()
    while True:
        text = json.dumps({"type": "record", "name": "R", "fields": list(fields.values())})
        if text not in seen:
            yield {"schema": text}
        seen.add(text)
        name = rng.choice("abcd")
        if name in fields and len(fields) > 1 and rng.random() < 0.5:
            del fields[name]
        else:
            fields[name] = field(rng, name)
    return out


def schema(kind):
    return {"schema": json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": kind}]})}


def other(method, path, body=None):
    request = urllib.request.Request(OTHER + path, method=method, data=body and json.dumps(body).encode(), headers={"Content-Type": TYPE})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def try_other(method, path, body):
    try:
        return other(method, path, body)
    except urllib.error.HTTPError as refusal:
        if refusal.code != 409:
            raise
        return None


class Verdicts(Scenario):
    def test_pairs_of_types(self):
        with Registry(self.folder) as r:
            asked, different = 0, []
            for number, writer in enumerate(TYPES):
                subject = f"registry-verdicts-{os.getpid()}-{number}"
                for ask in (other, r.must):
                    ask("POST", f"/subjects/{subject}/versions", schema(writer))
                for reader in TYPES:
                    path = f"/compatibility/subjects/{subject}/versions/latest"
                    verdicts = [ask("POST", path, schema(reader))["is_compatible"] for ask in (other, r.must)]
                    asked += 1
                    if verdicts[0] != verdicts[1]:
                        different.append((writer, reader, verdicts))
                other("DELETE", f"/subjects/{subject}")
            self.assertEqual(asked, len(list(itertools.product(TYPES, TYPES))))
            self.assertEqual(different, [])

    def history(self, ours, rng, number):
        """Three versions and a candidate. The other registry has no level NONE for a subject, so each version follows the one before in one direction."""
        subject, taken = f"registry-history-{os.getpid()}-{number}", []
        schemas = distinct(rng)
        while len(taken) < 3:
            version = next(schemas)
            for level in ("BACKWARD", "FORWARD"):
                if taken:
                    other("PUT", f"/config/{subject}", {"compatibility": level})
                if try_other("POST", f"/subjects/{subject}/versions", version):
                    taken.append(version)
                    break
        ours.must("PUT", f"/config/{subject}", {"compatibility": "NONE"})
        for version in taken:
            ours.must("POST", f"/subjects/{subject}/versions", version)
        return subject, taken, next(schemas)

    def test_histories_at_every_level(self):
        rng = seeded()
        with Registry(self.folder) as r:
            asked, different, seen = 0, [], set()
            wanted = {(level, fits) for level in LEVELS for fits in (True, False)}
            numbers = itertools.takewhile(lambda number: number < HISTORIES or (seen != wanted and number < 10 * HISTORIES), itertools.count())
            for number in numbers:  # until each verdict has come at each level
                subject, versions, candidate = self.history(r, rng, number)
                r.must("PUT", f"/config/{subject}", {"compatibility": "NONE"})
                self.assertTrue(r.must("POST", f"/compatibility/subjects/{subject}/versions", candidate)["is_compatible"])
                for level in LEVELS:
                    for ask in (other, r.must):
                        ask("PUT", f"/config/{subject}", {"compatibility": level})
                    path = f"/compatibility/subjects/{subject}/versions"
                    # without a version the other one asks of all versions, whatever the level; Confluent's and ours of those that the level means
                    theirs = other("POST", path if "TRANSITIVE" in level else path + "/latest", candidate)["is_compatible"]
                    verdicts = [theirs, r.must("POST", path, candidate)["is_compatible"]]
                    asked += 1
                    seen.add((level, verdicts[1]))
                    if verdicts[0] != verdicts[1]:
                        different.append((level, versions, candidate, verdicts))
                    status = r.call("POST", f"/subjects/{subject}/versions", candidate)[0] if not verdicts[1] else 409
                    self.assertEqual(status, 409, (level, versions, candidate))  # what does not fit is not taken
                other("DELETE", f"/subjects/{subject}")
            self.assertGreaterEqual(asked, HISTORIES * len(LEVELS))
            self.assertEqual(seen, wanted)
            self.assertEqual(different, [])


if __name__ == "__main__":
    unittest.main()
