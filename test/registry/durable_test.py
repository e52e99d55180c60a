#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the registry said is so stays so, over kill -9, export and import; and what `weir schema` makes of it."""
import json
import random
import unittest
from pathlib import Path

from serving import A, B, B_REQUIRED, Registry, Scenario, record, weir


def everything(r):
    return {path: r.must("GET", path) for path in ("/subjects?deleted=true", "/schemas?deleted=true", "/config", "/mode")}


class Durable(Scenario):
    def test_every_answer_survives_a_kill(self):
        rnd, said, subjects = random.Random(5), {}, set()
        for _ in range(4):
            with Registry(self.folder) as r:
                for (subject, version), number in said.items():
                    self.assertEqual(r.must("GET", f"/subjects/{subject}/versions/{version}")["id"], number)
                for _ in range(30):
                    subject = f"s{rnd.randrange(10)}"
                    schema = record(*({"name": f"f{i}", "type": "int", "default": 0} for i in rnd.sample(range(40), 3)))
                    number = r.must("POST", f"/subjects/{subject}/versions", schema)["id"]
                    said[subject, r.must("POST", f"/subjects/{subject}", schema)["version"]] = number
                level = rnd.choice(["BACKWARD", "FULL_TRANSITIVE"])
                r.must("PUT", "/config/levels", {"compatibility": level})
                r.kill()
        with Registry(self.folder) as r:
            self.assertEqual(r.must("GET", "/config/levels"), {"compatibilityLevel": level})
            self.assertEqual(len({(subject, version) for subject, version in said}), len(said))
            for (subject, version), number in said.items():
                self.assertEqual(r.must("GET", f"/subjects/{subject}/versions/{version}")["id"], number)

    def test_export_and_import(self):
        out = Path(self.folder) / "all.jsonl"
        with Registry(self.folder) as r:
            r.must("POST", "/subjects/s/versions", record(A))
            r.must("POST", "/subjects/s/versions", record(A, B))
            r.must("POST", "/subjects/j/versions", {"schema": '{"type": "object"}', "schemaType": "JSON"})
            r.must("DELETE", "/subjects/s/versions/1")
            r.must("PUT", "/config/s", {"compatibility": "FULL"})
            before = everything(r)
        weir("registry", "export", out, "--data", Path(self.folder) / "data")
        for _ in range(2):  # the second time there is nothing to do
            weir("registry", "import", out, "--data", Path(self.folder) / "other")
        with Registry(self.folder, data="other") as r:
            self.assertEqual(everything(r), before)
            self.assertEqual(r.must("GET", "/config/s"), {"compatibilityLevel": "FULL"})
        out.write_text('{"subject":"s","version":1,"id":9,"schema":"\\"int\\""}\n')
        refused = weir("registry", "import", out, "--data", Path(self.folder) / "other", expect=65)
        self.assertIn("all.jsonl:1:", refused.err)

    def test_weir_schema_speaks_to_people(self):
        data = Path(self.folder) / "data"
        files = {}
        for name, fields in (("one", (A,)), ("good", (A, B)), ("bad", (A, B_REQUIRED))):
            files[name] = Path(self.folder) / f"{name}.avsc"
            files[name].write_text(record(*fields)["schema"])
        weir("schema", "register", "s", files["one"], "--data", data)
        with Registry(self.folder) as r:
            for where in (("--data", data), ("--registry", r.url)):
                refused = weir("schema", "check", "s", files["bad"], *where, expect=65)
                self.assertIn("field 'b'", refused.out)
                self.assertIn("default", refused.out)
                self.assertIn("may follow version 1", weir("schema", "check", "s", files["good"], *where).out)
                self.assertEqual(weir("schema", "diff", "s", files["good"], *where).out, "+ field b: [null, string] = null\n")
            self.assertEqual(weir("schema", "register", "s", files["good"], "--registry", r.url).out, "s: id 2\n")
            self.assertIn("incompatible", weir("schema", "register", "s", files["bad"], "--registry", r.url, expect=65).err)
            self.assertEqual(weir("schema", "diff", "s", "--registry", r.url).out, "+ field b: [null, string] = null\n")
            self.assertIn("s,2,2", weir("schema", "list", "--registry", r.url, "--format", "csv").out)
            self.assertEqual(json.loads(weir("schema", "show", "s", "--registry", r.url).out)["fields"][1], B)

    def test_tables_as_schemas(self):
        root = Path(__file__).resolve().parents[2]
        line = weir("schema", "export", root / "pipelines/iot-analytics.yaml", "hourly_aggregates").out
        schema = json.loads(line)
        shipped = json.loads((root / "schemas/hourly-aggregate.avsc").read_text())
        self.assertEqual((schema["name"], schema["namespace"]), (shipped["name"], shipped["namespace"]))
        self.assertEqual([f["name"] for f in schema["fields"]], [f["name"] for f in shipped["fields"]])
        import fastavro
        fastavro.parse_schema(schema)


if __name__ == "__main__":
    unittest.main()
