#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# needs: registry
"""Compatibility verdicts of the embedded registry against those of another implementation of the same API, pair by pair."""
import itertools
import json
import os
import sys
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "registry"))
from serving import TYPE, Registry, Scenario  # noqa: E402

OTHER = os.environ["REGISTRY"]
TYPES = ["int", "long", "float", "double", "string", "bytes", "boolean", ["null", "int"], ["null", "string", "long"], {"type": "array", "items": "int"},
         {"type": "map", "values": "long"}, {"type": "enum", "name": "E", "symbols": ["A", "B"]}, {"type": "enum", "name": "E", "symbols": ["A"]},
         {"type": "enum", "name": "E", "symbols": ["A"], "default": "A"}, {"type": "fixed", "name": "F", "size": 4}, {"type": "fixed", "name": "F", "size": 8},
         {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]},
         {"type": "record", "name": "I", "fields": [{"name": "x", "type": "long"}, {"name": "y", "type": "int", "default": 0}]}]


def schema(kind):
    return {"schema": json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": kind}]})}


def other(method, path, body=None):
    request = urllib.request.Request(OTHER + path, method=method, data=body and json.dumps(body).encode(), headers={"Content-Type": TYPE})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


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


if __name__ == "__main__":
    unittest.main()
