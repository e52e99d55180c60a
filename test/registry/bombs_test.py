#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Schemas that are made to be too much: deep, wide, without an end, or meeting themselves in too many ways. Each is refused or taken soon, and the
registry goes on."""
import json
import time
import unittest

from serving import A, Registry, Scenario, record

SOON_S = 20  # loose: for a sanitizer on a busy machine


def nested(depth, build):
    text = '"int"'
    for n in range(depth):
        text = build(n, text)
    return text


def ladder(leaf, rungs=26):
    """Each rung holds the one below twice, in unions that only differ far below: a comparison that forgets what it has seen takes 2^rungs steps."""
    below = f'{{"type":"record","name":"L0","fields":[{{"name":"x","type":"{leaf}"}}]}}'
    for n in range(1, rungs + 1):
        below = (f'{{"type":"record","name":"L{n}","fields":[{{"name":"a","type":["null",{below}]}},{{"name":"b","type":["null","L{n - 1}"]}},'
                 f'{{"name":"c","type":{{"type":"array","items":["L{n - 1}","null"]}}}}]}}')
    return below


REFUSED = {
    "deep arrays": '{"type":"array","items":' * 5000 + '"int"' + "}" * 5000,
    "deep records": nested(200, lambda n, t: f'{{"type":"record","name":"R{n}","fields":[{{"name":"f","type":{t}}}]}}'),
    "deep brackets": "[" * 200000,
    "deep objects": '{"type":' * 100000,
    "wide record": json.dumps({"type": "record", "name": "R", "fields": [{"name": f"f{n}", "type": "int"} for n in range(20000)]}),
    "wide enum": json.dumps({"type": "enum", "name": "E", "symbols": [f"s{n}" for n in range(50000)]}),
    "wide union": json.dumps([{"type": "fixed", "name": f"F{n}", "size": n} for n in range(15000)]),
    "endless record": json.dumps({"type": "record", "name": "R", "fields": [{"name": "r", "type": "R"}]}),
    "long name": json.dumps({"type": "record", "name": "n" * 100000, "fields": []}),
    "large": json.dumps({"type": "record", "name": "R", "doc": "d" * (2 << 20), "fields": []}),
    "large fixed": '{"type":"fixed","name":"F","size":99999999999999999999}',
}


class Bombs(Scenario):
    def soon(self, what, call):
        began = time.monotonic()
        answer = call()
        self.assertLess(time.monotonic() - began, SOON_S, what)
        return answer

    def test_what_is_too_much_is_refused(self):
        with Registry(self.folder) as r:
            for what, schema in REFUSED.items():
                status, answer = self.soon(what, lambda: r.call("POST", "/subjects/s/versions", {"schema": schema}))
                self.assertEqual((status, answer["error_code"]), (422, 42201), what)
                self.assertTrue(answer["message"], what)
            self.assertEqual(r.must("GET", "/subjects"), [])
            r.must("POST", "/subjects/s/versions", record(A))

    def test_bodies(self):
        with Registry(self.folder) as r:
            for path in ("/subjects/s/versions", "/subjects/s", "/compatibility/subjects/s/versions/latest"):
                self.soon(path, lambda: r.refused(413, "POST", path, b'{"schema":"' + b" " * (6 << 20) + b'"}'))
            self.soon("brackets", lambda: r.refused(400, "POST", "/subjects/s/versions", b"[" * (3 << 20)))
            self.soon("objects", lambda: r.refused(400, "POST", "/subjects/s/versions", b'{"schema":' * (1 << 18)))
            many = {"schema": '"int"', "references": [{"name": f"n{n}", "subject": "s", "version": 1} for n in range(5000)]}
            self.soon("references", lambda: r.refused(42201, "POST", "/subjects/s/versions", many))
            self.soon("name", lambda: r.refused(42208, "POST", "/subjects/" + "n" * 5000 + "/versions", record(A)))
            self.soon("control", lambda: r.refused(42208, "POST", "/subjects/a%0Ab/versions", record(A)))

    def test_schemas_that_meet_in_many_ways(self):
        with Registry(self.folder) as r:
            number = self.soon("register", lambda: r.must("POST", "/subjects/s/versions", {"schema": ladder("int")}))["id"]
            path = "/compatibility/subjects/s/versions?verbose=true"
            self.assertTrue(self.soon("same", lambda: r.must("POST", path, {"schema": ladder("int")}))["is_compatible"])
            self.assertTrue(self.soon("wider", lambda: r.must("POST", path, {"schema": ladder("long")}))["is_compatible"])
            status, verdict = self.soon("other", lambda: r.call("POST", path, {"schema": ladder("boolean")}))
            self.assertTrue(status == 422 or verdict["is_compatible"] is False, verdict)
            self.assertEqual(r.must("POST", "/subjects/s/versions", {"schema": ladder("int")})["id"], number)

    def test_references_that_refer_without_end(self):
        """A chain in which each refers twice to the one before; what is written out must not double with each link."""
        with Registry(self.folder) as r:
            r.must("POST", "/subjects/r0/versions", {"schema": json.dumps({"type": "enum", "name": "R0", "symbols": ["A"]})})
            taken = 0
            for n in range(1, 30):
                fields = [{"name": "x", "type": f"R{n - 1}"}, {"name": "y", "type": f"R{n - 1}"}]
                body = {"schema": json.dumps({"type": "record", "name": f"R{n}", "fields": fields}),
                        "references": [{"name": f"R{n - 1}", "subject": f"r{n - 1}", "version": 1}] * 2}
                status, answer = self.soon(n, lambda: r.call("POST", f"/subjects/r{n}/versions", body))
                if status != 200:
                    self.assertEqual(answer["error_code"], 42201)
                    break
                taken = n
            self.assertGreater(taken, 5)


if __name__ == "__main__":
    unittest.main()
