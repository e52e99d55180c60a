#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# needs: registry
"""The rows of aggregates as contracts in a registry that others wrote: registered, looked at again, and refused where columns may not follow."""
import json
import os
import sys
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "registry"))
from serving import TYPE, Scenario, weir  # noqa: E402

REGISTRY = os.environ["REGISTRY"]
FILE = """pipeline: contracts-{pid}
topic: {{name: contracts-{pid}}}
event: {{format: avro, schema: r.avsc, key: id, time: at}}
queries:
  - table: hourly
    window: tumbling 1 hour
    group_by: [id]
    columns: {{id: text, hour: bigint = epoch_s(window_start), mean: double = avg(v){more}}}
    key: [[id], hour]
"""


def ask(path, method="GET", body=None):
    request = urllib.request.Request(REGISTRY + path, method=method, data=body and json.dumps(body).encode(), headers={"Content-Type": TYPE})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


class Rows(Scenario):
    def file(self, more=""):
        fields = [{"name": "id", "type": "string"}, {"name": "at", "type": "long"}, {"name": "v", "type": "double"}]
        (self.folder / "r.avsc").write_text(json.dumps({"type": "record", "name": "R", "fields": fields}))
        return self.write("rows.yaml", FILE.format(pid=os.getpid(), more=more))

    def run_it(self, file, data, expect=0):
        return weir("run", file, "--registry", REGISTRY, "--data", self.folder / data, "--no-feed", "--until-end", "--listen", "127.0.0.1:0", expect=expect)

    def test_rows(self):
        subject = f"contracts-{os.getpid()}.hourly-value"
        self.run_it(self.file(), "a")
        self.addCleanup(ask, f"/subjects/{subject}", "DELETE")
        self.run_it(self.file(), "a")
        self.assertEqual(ask(f"/subjects/{subject}/versions"), [1])
        self.assertEqual(json.loads(ask(f"/subjects/{subject}/versions/1")["schema"])["name"], "Hourly")
        counted = self.file(", n: bigint = count()")
        # this registry says NONE of a subject that has no level of its own, but goes by its global one: its refusal counts
        self.assertIn(subject, self.run_it(counted, "b", expect=65).err)
        ask(f"/config/{subject}", "PUT", {"compatibility": "BACKWARD"})
        for done in (weir("check", counted, "--registry", REGISTRY, expect=78), self.run_it(counted, "b", expect=78)):
            self.assertIn("'n'", done.err)
            self.assertIn("new name", done.err)
        self.run_it(self.file(", top: double = max(v)"), "c")
        self.assertEqual(ask(f"/subjects/{subject}/versions"), [1, 2])


if __name__ == "__main__":
    unittest.main()
