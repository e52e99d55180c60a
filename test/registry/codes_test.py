#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The error codes that the Confluent Schema Registry's documentation lists, each brought about; contexts, normalized schemas, modes and references."""
import json
import unittest

from serving import A, B, B_REQUIRED, Registry, Scenario, record

# code: what brings it about, on a registry with subject `s` (two versions), `gone` (softly deleted) and `place` (referred to by `e`).
# Left out are 42209 to 42212 (rule sets and metadata, which schemas here do not have) and 50001 to 50003 (the store's own failures).
CODES = {
    40401: [("GET", "/subjects/none/versions"), ("GET", "/subjects/none/versions/1"), ("POST", "/subjects/none", record(A)), ("DELETE", "/subjects/none"),
            ("POST", "/compatibility/subjects/none/versions/1", record(A)), ("GET", "/subjects/none/versions/latest/schema")],
    40402: [("GET", "/subjects/s/versions/9"), ("DELETE", "/subjects/s/versions/9"), ("POST", "/compatibility/subjects/s/versions/9", record(A)),
            ("GET", "/subjects/s/versions/9/referencedby")],
    40403: [("GET", "/schemas/ids/999"), ("GET", "/schemas/ids/999/schema"), ("GET", "/schemas/ids/999/subjects"), ("GET", "/schemas/ids/999/versions"),
            ("POST", "/subjects/s", record({"name": "z", "type": "int"}))],
    40404: [("DELETE", "/subjects/gone")],
    40405: [("DELETE", "/subjects/s?permanent=true")],
    40406: [("DELETE", "/subjects/gone/versions/1")],
    40407: [("DELETE", "/subjects/s/versions/1?permanent=true")],
    40408: [("GET", "/config/s"), ("DELETE", "/config/s")],
    40409: [("GET", "/mode/s"), ("DELETE", "/mode/s")],
    409: [("POST", "/subjects/s/versions", record(A, B_REQUIRED))],
    42201: [("POST", "/subjects/s/versions", {"schema": "{"}), ("POST", "/subjects/s", {"schema": '"strange"'}),
            ("POST", "/compatibility/subjects/s/versions/latest", {"schema": '{"type": "record"}'}),
            ("POST", "/subjects/s/versions", {"schema": "x", "schemaType": "XSD"})],
    42202: [("GET", "/subjects/s/versions/0"), ("GET", "/subjects/s/versions/x"), ("DELETE", "/subjects/s/versions/earliest"),
            ("POST", "/compatibility/subjects/s/versions/x", record(A))],
    42203: [("PUT", "/config", {"compatibility": "SIDEWAYS"}), ("PUT", "/config/s", {"compatibility": ""}), ("PUT", "/config/s", {})],
    42204: [("PUT", "/mode", {"mode": "SOMEHOW"}), ("PUT", "/mode/s", {})],
    42205: [("PUT", "/mode", {"mode": "IMPORT"}), ("POST", "/subjects/s/versions", dict(record(B), id=500)), ("POST", "/subjects/locked/versions", record(A)),
            ("PUT", "/config/locked", {"compatibility": "NONE"})],
    42206: [("DELETE", "/subjects/place"), ("DELETE", "/subjects/place/versions/1")],
    42208: [("POST", "/subjects/%01/versions", record(A))],
}
PLACE = {"type": "record", "name": "Place", "namespace": "t", "fields": [{"name": "city", "type": "string"}]}


def referring(*names):
    """A schema that refers to others, each in a subject of its name."""
    fields = [{"name": name.lower(), "type": f"t.{name}"} for name in names]
    return dict(record(*fields, name="E"), references=[{"name": f"t.{name}", "subject": name.lower(), "version": 1} for name in names])


class Codes(Scenario):
    def test_every_documented_code(self):
        with Registry(self.folder) as r:
            for subject, schema in (("s", record(A)), ("s", record(A, B)), ("gone", record(A)), ("place", {"schema": json.dumps(PLACE)})):
                r.must("POST", f"/subjects/{subject}/versions", schema)
            r.must("POST", "/subjects/e/versions", referring("Place"))
            r.must("DELETE", "/subjects/gone")
            r.must("PUT", "/mode/locked", {"mode": "READONLY"})
            before = r.must("GET", "/schemas?deleted=true")
            for code, requests in CODES.items():
                for request in requests:
                    r.refused(code, *request)
            self.assertEqual(r.must("GET", "/schemas?deleted=true"), before)

    def test_normalized(self):
        with Registry(self.folder) as r:
            one = {"schema": '{"type":"record","name":"R","fields":[{"name":"a","type":"int","x":1,"b":2}],"z":1,"y":{"q":1,"p":2}}'}
            two = {"schema": '{"y":{"p":2,"q":1},"z":1,"fields":[{"b":2,"x":1,"type":{"type":"int"},"name":"a"}],"name":"R","type":"record"}'}
            number = r.must("POST", "/subjects/n/versions?normalize=true", one)["id"]
            self.assertEqual(r.must("POST", "/subjects/n/versions?normalize=true", two)["id"], number)
            self.assertEqual(r.must("POST", "/subjects/n?normalize=true", two)["version"], 1)
            r.must("POST", "/subjects/place/versions", {"schema": json.dumps(PLACE)})
            r.must("POST", "/subjects/site/versions", {"schema": json.dumps(dict(PLACE, name="Site"))})
            both = referring("Place", "Site")
            number = r.must("POST", "/subjects/e/versions?normalize=true", both)["id"]
            turned = dict(both, references=both["references"][::-1])
            self.assertEqual(r.must("POST", "/subjects/e/versions?normalize=true", turned)["id"], number)
            self.assertNotEqual(r.must("POST", "/subjects/e/versions", turned)["id"], number)

    def test_references_reach_across_subjects(self):
        with Registry(self.folder) as r:
            r.must("POST", "/subjects/place/versions", {"schema": json.dumps(PLACE)})
            site = {"schema": json.dumps({"type": "record", "name": "Site", "namespace": "t", "fields": [{"name": "at", "type": "Place"}]}),
                    "references": [{"name": "t.Place", "subject": "place", "version": 1}]}
            r.must("POST", "/subjects/site/versions", site)
            number = r.must("POST", "/subjects/e/versions", referring("Site"))["id"]  # which refers further
            self.assertEqual(r.must("GET", "/subjects/site/versions/1/referencedby"), [number])
            # compatible by what is referred to, not by the name alone
            wide = dict(PLACE, fields=[*PLACE["fields"], {"name": "zip", "type": "string"}])
            r.must("PUT", "/config/place", {"compatibility": "NONE"})
            r.must("POST", "/subjects/place/versions", {"schema": json.dumps(wide)})
            site["references"][0]["version"] = 2
            self.assertIn("'zip'", r.refused(409, "POST", "/subjects/site/versions", site))
            r.refused(42206, "DELETE", "/subjects/site")
            self.assertEqual(r.must("DELETE", "/subjects/place/versions/2"), 2)  # nobody refers to it
            r.must("DELETE", "/subjects/e")
            r.must("DELETE", "/subjects/e?permanent=true")
            self.assertEqual(r.must("DELETE", "/subjects/site"), [1])
            self.assertEqual(r.must("DELETE", "/subjects/site?permanent=true"), [1])
            self.assertEqual(r.must("DELETE", "/subjects/place"), [1])

    def test_contexts(self):
        with Registry(self.folder) as r:
            first = r.must("POST", "/subjects/s/versions", record(A))["id"]
            there = r.must("POST", "/subjects/:.lab:s/versions", record(A, B))["id"]
            self.assertEqual(r.must("GET", "/contexts"), [".", ".lab"])
            self.assertEqual(r.must("GET", "/subjects"), [":.lab:s", "s"])
            self.assertEqual(r.must("GET", "/subjects?subjectPrefix=:.lab:"), [":.lab:s"])
            self.assertEqual(r.must("GET", "/subjects?subjectPrefix=:*:"), [":.lab:s", "s"])
            self.assertEqual(r.must("GET", "/subjects/:.:s/versions"), [1])  # the default context by name
            self.assertEqual(r.must("GET", "/subjects/:.lab:s/versions/latest")["id"], there)
            self.assertEqual(r.must("GET", f"/schemas/ids/{first}?subject=:.:s")["schema"], r.must("GET", "/subjects/s/versions/1")["schema"])
            r.must("PUT", "/config/:.lab:s", {"compatibility": "NONE"})
            r.must("POST", "/subjects/:.lab:s/versions", record(B_REQUIRED))
            r.refused(409, "POST", "/subjects/s/versions", record(B_REQUIRED))
            r.must("DELETE", "/subjects/:.lab:s")
            self.assertEqual(r.must("GET", "/subjects"), ["s"])

    def test_modes(self):
        with Registry(self.folder) as r:
            r.must("POST", "/subjects/s/versions", record(A))
            for mode in ("READONLY", "READONLY_OVERRIDE"):
                self.assertEqual(r.must("PUT", "/mode", {"mode": mode}), {"mode": mode})
                for request in (("POST", "/subjects/s/versions", record(A, B)), ("DELETE", "/subjects/s"), ("PUT", "/config/s", {"compatibility": "NONE"})):
                    r.refused(42205, *request)
                r.must("POST", "/subjects/s/versions", record(A))  # what is there may be registered again
                r.must("POST", "/subjects/s", record(A))
                r.must("GET", "/subjects/s/versions/1")
            r.must("PUT", "/mode/s", {"mode": "READWRITE"})
            r.refused(42205, "POST", "/subjects/s/versions", record(A, B))  # the override is over subjects too
            r.must("PUT", "/mode", {"mode": "READONLY"})
            r.must("POST", "/subjects/s/versions", record(A, B))
            self.assertEqual(r.must("GET", "/mode/other?defaultToGlobal=true"), {"mode": "READONLY"})
            r.must("PUT", "/mode", {"mode": "READWRITE"})
            r.must("PUT", "/mode/moved?force=true", {"mode": "IMPORT"})
            r.refused(42205, "POST", "/subjects/moved/versions", record(B_REQUIRED))  # with its id only
            self.assertEqual(r.must("POST", "/subjects/moved/versions", dict(record(B_REQUIRED), id=900, version=3)), {"id": 900})
            r.refused(42205, "POST", "/subjects/moved/versions", dict(record({"name": "q", "type": "int"}), id=900))  # an id is one schema's
            self.assertEqual(r.must("GET", "/subjects/moved/versions"), [3])
            r.must("PUT", "/mode/moved", {"mode": "READWRITE"})
            r.must("PUT", "/config/moved", {"compatibility": "NONE"})
            self.assertGreater(r.must("POST", "/subjects/moved/versions", record(name="Next"))["id"], 900)


if __name__ == "__main__":
    unittest.main()
