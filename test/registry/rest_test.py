#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The embedded registry's REST surface, held against what the Confluent Schema Registry's documentation says of paths, codes and shapes."""
import json
import unittest

from serving import A, B, B_REQUIRED, Registry, Scenario, record


class Rest(Scenario):
    def test_versions_ids_and_lookup(self):
        with Registry(self.folder) as r:
            self.assertEqual(r.must("GET", "/subjects"), [])
            first = r.must("POST", "/subjects/s-value/versions", record(A))["id"]
            spaced = {"schema": json.dumps(json.loads(record(A)["schema"]), indent=4)}
            self.assertEqual(r.must("POST", "/subjects/s-value/versions", spaced)["id"], first)
            self.assertEqual(r.must("POST", "/subjects/a%2Fb/versions", record(A))["id"], first)
            second = r.must("POST", "/subjects/s-value/versions", record(A, B))["id"]
            self.assertNotEqual(first, second)
            self.assertEqual(r.must("GET", "/subjects"), ["a/b", "s-value"])
            self.assertEqual(r.must("GET", "/subjects?subjectPrefix=s-"), ["s-value"])
            self.assertEqual(r.must("GET", "/subjects/s-value/versions"), [1, 2])
            latest = r.must("GET", "/subjects/s-value/versions/latest")
            self.assertEqual(latest, r.must("GET", "/subjects/s-value/versions/-1"))
            self.assertEqual((latest["subject"], latest["version"], latest["id"]), ("s-value", 2, second))
            self.assertEqual(json.loads(latest["schema"]), r.must("GET", "/subjects/s-value/versions/2/schema"))
            self.assertEqual(json.loads(r.must("GET", f"/schemas/ids/{first}")["schema"]), r.must("GET", f"/schemas/ids/{first}/schema"))
            self.assertEqual(r.must("GET", f"/schemas/ids/{first}/subjects"), ["a/b", "s-value"])
            self.assertEqual(r.must("GET", f"/schemas/ids/{first}/versions"), [{"subject": "a/b", "version": 1}, {"subject": "s-value", "version": 1}])
            self.assertEqual(r.must("POST", "/subjects/s-value", spaced)["version"], 1)
            self.assertIn("AVRO", r.must("GET", "/schemas/types"))
            self.assertEqual(r.must("GET", "/contexts"), ["."])
            self.assertEqual(len(r.must("GET", "/schemas?latestOnly=true")), 2)
            r.refused(40401, "GET", "/subjects/none/versions")
            r.refused(40401, "GET", "/subjects/none/versions/latest")
            r.refused(40401, "POST", "/subjects/none", record(A))
            r.refused(40402, "GET", "/subjects/s-value/versions/9")
            r.refused(40403, "GET", "/schemas/ids/999")
            r.refused(40403, "POST", "/subjects/s-value", record({"name": "z", "type": "int"}))
            for wrong in ("0", "-2", "x", "99999999999"):
                r.refused(42202, "GET", f"/subjects/s-value/versions/{wrong}")
            r.refused(404, "GET", "/nothing/here")
            r.refused(405, "PUT", "/subjects")

    def test_wrong_bodies_are_refused(self):
        with Registry(self.folder) as r:
            path = "/subjects/s/versions"
            for schema in ("", "x", '{"type":"recor"}', '{"type":"record","name":"R"}', "[" * 100000, '{"type":"array","items":' * 500 + '"int"' + "}" * 500):
                r.refused(42201, "POST", path, {"schema": schema})
            r.refused(42201, "POST", path, {})
            r.refused(42201, "POST", path, {"schema": '"int"', "schemaType": "XML"})
            r.refused(42201, "POST", path, {"schema": '"int"', "references": [{"name": "x"}]})
            r.refused(42201, "POST", path, {"schema": '"int"', "references": [{"name": "x", "subject": "gone", "version": 1}]})
            r.refused(400, "POST", path, b"{")
            r.refused(400, "POST", path, b"[]")
            r.refused(415, "POST", path, b"{}", type="text/plain")
            r.refused(413, "POST", path, b'{"schema":"' + b"x" * (5 << 20) + b'"}')
            r.refused(42208, "POST", f"/subjects/{'n' * 600}/versions", record(A))
            self.assertEqual(r.must("GET", "/subjects"), [])

    def test_levels(self):
        with Registry(self.folder) as r:
            self.assertEqual(r.must("GET", "/config"), {"compatibilityLevel": "BACKWARD"})
            r.must("POST", "/subjects/s/versions", record(A))
            r.refused(40408, "GET", "/config/s")
            self.assertEqual(r.must("GET", "/config/s?defaultToGlobal=true"), {"compatibilityLevel": "BACKWARD"})
            verdict = r.must("POST", "/compatibility/subjects/s/versions/latest?verbose=true", record(A, B_REQUIRED))
            self.assertFalse(verdict["is_compatible"])
            self.assertIn("READER_FIELD_MISSING_DEFAULT_VALUE", "".join(verdict["messages"]))
            self.assertIn("'b'", "".join(verdict["messages"]))
            self.assertEqual(r.must("POST", "/compatibility/subjects/s/versions/1", record(A, B)), {"is_compatible": True})
            self.assertEqual(r.must("POST", "/compatibility/subjects/none/versions/latest", record(A)), {"is_compatible": True})
            r.refused(40402, "POST", "/compatibility/subjects/s/versions/9", record(A))
            self.assertIn("'b'", r.refused(409, "POST", "/subjects/s/versions", record(A, B_REQUIRED)))
            r.refused(42203, "PUT", "/config/s", {"compatibility": "SIDEWAYS"})
            # what each level says of a field that is new without, and new with a default, and dropped
            want = {"NONE": (1, 1, 1), "BACKWARD": (0, 1, 1), "FORWARD": (1, 1, 0), "FULL": (0, 1, 0)}
            for level, (required, optional, dropped) in want.items():
                for name in (level, level + "_TRANSITIVE") if level != "NONE" else (level,):
                    self.assertEqual(r.must("PUT", "/config/s", {"compatibility": name.lower()}), {"compatibility": name})
                    self.assertEqual(r.must("GET", "/config/s"), {"compatibilityLevel": name})
                    asked = [r.must("POST", "/compatibility/subjects/s/versions/latest", schema)["is_compatible"]
                             for schema in (record(A, B_REQUIRED), record(A, B), record())]
                    self.assertEqual(asked, [bool(required), bool(optional), bool(dropped)], name)
            self.assertEqual(r.must("DELETE", "/config/s"), {"compatibilityLevel": "FULL_TRANSITIVE"})
            r.refused(40408, "GET", "/config/s")

    def test_transitive_levels_ask_all_versions(self):
        with Registry(self.folder) as r:
            x_text, x_default = {"name": "x", "type": "string"}, {"name": "x", "type": "int", "default": 1}
            for schema in (record(A, x_text), record(A)):
                r.must("POST", "/subjects/s/versions", schema)
            path = "/compatibility/subjects/s/versions"
            self.assertTrue(r.must("POST", path, record(A, x_default))["is_compatible"])  # reads the last one
            r.must("PUT", "/config/s", {"compatibility": "BACKWARD_TRANSITIVE"})
            self.assertFalse(r.must("POST", path, record(A, x_default))["is_compatible"])  # but not the first
            r.refused(409, "POST", "/subjects/s/versions", record(A, x_default))

    def test_deletion(self):
        with Registry(self.folder) as r:
            first = r.must("POST", "/subjects/s/versions", record(A))["id"]
            second = r.must("POST", "/subjects/s/versions", record(A, B))["id"]
            r.refused(40405, "DELETE", "/subjects/s?permanent=true")
            r.refused(40407, "DELETE", "/subjects/s/versions/1?permanent=true")
            self.assertEqual(r.must("DELETE", "/subjects/s/versions/1"), 1)
            r.refused(40406, "DELETE", "/subjects/s/versions/1")
            self.assertEqual(r.must("GET", "/subjects/s/versions"), [2])
            self.assertEqual(r.must("GET", "/subjects/s/versions?deleted=true"), [1, 2])
            r.refused(40402, "GET", "/subjects/s/versions/1")
            r.must("GET", f"/schemas/ids/{first}")  # records that hold it can still be read
            self.assertEqual(r.must("DELETE", "/subjects/s/versions/1?permanent=true"), 1)
            r.refused(40403, "GET", f"/schemas/ids/{first}")
            self.assertEqual(r.must("DELETE", "/subjects/s"), [2])
            r.refused(40404, "DELETE", "/subjects/s")
            self.assertEqual((r.must("GET", "/subjects"), r.must("GET", "/subjects?deleted=true")), ([], ["s"]))
            again = r.must("POST", "/subjects/s/versions", record(A, B))["id"]
            self.assertEqual((again, r.must("GET", "/subjects/s/versions")), (second, [3]))
            r.must("DELETE", "/subjects/s")
            self.assertEqual(r.must("DELETE", "/subjects/s?permanent=true"), [2, 3])
            r.refused(40401, "DELETE", "/subjects/s")
            self.assertGreater(r.must("POST", "/subjects/s/versions", record(A))["id"], second)  # ids are never given twice

    def test_references(self):
        with Registry(self.folder) as r:
            place = {"type": "record", "name": "Place", "namespace": "t", "fields": [{"name": "city", "type": "string"}]}
            r.must("POST", "/subjects/place/versions", {"schema": json.dumps(place)})
            event = {"schema": json.dumps({"type": "record", "name": "E", "namespace": "t", "fields": [{"name": "at", "type": "Place"}]})}
            r.refused(42201, "POST", "/subjects/e/versions", event)
            event["references"] = [{"name": "t.Place", "subject": "place", "version": 1}]
            number = r.must("POST", "/subjects/e/versions", event)["id"]
            self.assertEqual(r.must("GET", f"/schemas/ids/{number}")["references"], event["references"])
            self.assertEqual(r.must("GET", "/subjects/place/versions/1/referencedby"), [number])
            r.refused(42206, "DELETE", "/subjects/place/versions/1")
            wrong = dict(event, schema=event["schema"].replace('"at", "type": "Place"', '"at", "type": ["null", "Place"]').replace("at", "to"))
            self.assertFalse(r.must("POST", "/compatibility/subjects/e/versions/latest", wrong)["is_compatible"])

    def test_other_kinds_of_schemas(self):
        with Registry(self.folder) as r:
            for kind, one, two in (("JSON", '{"type": "object"}', '{"type": "string"}'), ("PROTOBUF", 'syntax = "proto3"; message A {}', "message B {}")):
                path = f"/subjects/{kind}/versions"
                number = r.must("POST", path, {"schema": one, "schemaType": kind})["id"]
                self.assertEqual(r.must("GET", f"/schemas/ids/{number}")["schemaType"], kind)
                self.assertEqual(r.must("POST", path, {"schema": one, "schemaType": kind})["id"], number)
                self.assertIn("NONE", r.refused(42201, "POST", path, {"schema": two, "schemaType": kind}))
                r.must("PUT", f"/config/{kind}", {"compatibility": "NONE"})
                self.assertGreater(r.must("POST", path, {"schema": two, "schemaType": kind})["id"], number)

    def test_modes(self):
        with Registry(self.folder) as r:
            self.assertEqual(r.must("GET", "/mode"), {"mode": "READWRITE"})
            r.must("POST", "/subjects/s/versions", record(A))
            r.refused(40409, "GET", "/mode/s")
            r.refused(42204, "PUT", "/mode/s", {"mode": "SOMEHOW"})
            r.refused(42205, "PUT", "/mode", {"mode": "IMPORT"})
            r.must("PUT", "/mode/s", {"mode": "READONLY"})
            r.refused(42205, "POST", "/subjects/s/versions", record(A, B))
            r.refused(42205, "DELETE", "/subjects/s")
            self.assertEqual(r.must("DELETE", "/mode/s"), {"mode": "READONLY"})
            r.must("PUT", "/mode/i", {"mode": "IMPORT"})
            self.assertEqual(r.must("POST", "/subjects/i/versions", dict(record(B), id=77, version=5)), {"id": 77})
            self.assertEqual(r.must("GET", "/subjects/i/versions"), [5])
            r.refused(42205, "POST", "/subjects/s/versions", dict(record(A, B), id=90))
            self.assertEqual(r.must("POST", "/subjects/s/versions", record(A, {"name": "c", "type": "int", "default": 0}))["id"], 78)


if __name__ == "__main__":
    unittest.main()
