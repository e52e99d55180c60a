#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rows of aggregates are contracts: registered when a pipeline starts, and a change of columns that may not follow is refused, with its reason."""
import http.server
import json
import threading
import unittest
from pathlib import Path

from serving import Registry, Scenario, weir

SCHEMA = json.dumps({"type": "record", "name": "Reading", "namespace": "t", "fields": [
    {"name": "id", "type": "string"}, {"name": "at", "type": "long"}, {"name": "v", "type": "double"}, {"name": "w", "type": ["null", "int"], "default": None}]})
FILE = """pipeline: rows
{more}topic: {{name: readings}}
event: {{format: avro, schema: reading.avsc, key: id, time: at}}
queries:
  - table: raw
    columns: {{id: text, at: bigint, v: double}}
    key: [[id], at]
  - table: {table}
    window: tumbling 1 hour
    group_by: [id]
    columns: {{id: text, hour: bigint = epoch_s(window_start){columns}}}
    key: [[id], hour]
"""
COLUMNS = ", mean: double = avg(v)"
SUBJECT = "rows.hourly_figures-value"
READ_ONLY = {405: "reading only", 501: "reading only", 403: "credentials"}


class OnlyReads(http.server.BaseHTTPRequestHandler):
    """A registry that has nothing yet, and takes nothing."""

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/schemas/types":
            self.answer(200, ["AVRO"])
        elif self.path.startswith("/config") and self.server.knows_levels:
            self.answer(200, {"compatibilityLevel": "BACKWARD"})
        else:
            self.answer(404, {"error_code": 40401, "message": "not found"})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append(self.path)
        self.answer(self.server.refusal, {})

    def log_message(self, *_):
        pass


class Rows(Scenario):
    def file(self, columns=COLUMNS, table="hourly_figures", more="", name="rows.yaml"):
        (self.folder / "reading.avsc").write_text(SCHEMA)
        path = self.folder / name
        path.write_text(FILE.format(columns=columns, table=table, more=more))
        return path

    def run_it(self, file, *more, data="d", expect=0):
        listen = () if "--registry" in more else ("--registry-listen", "127.0.0.1:0")
        return weir("run", file, "--data", self.folder / data, "--no-feed", "--until-end", "--listen", "127.0.0.1:0", *listen, *more, expect=expect)

    def subjects(self, data="d"):
        return {line.split(",")[0]: int(line.split(",")[1]) for line in weir("schema", "list", "--data", self.folder / data).out.split()[1:]}

    def test_the_rows_of_aggregates_are_registered(self):
        self.run_it(self.file())
        self.run_it(self.file())
        self.assertEqual(self.subjects(), {SUBJECT: 1, **{s: 1 for s in self.subjects() if s == "readings-value"}})  # not the raw table
        shown = json.loads(weir("schema", "show", SUBJECT, "--data", self.folder / "d").out)
        self.assertEqual((shown["namespace"], shown["name"]), ("t", "HourlyFigure"))
        exported = json.loads(weir("schema", "export", self.file(), "hourly_figures").out)
        self.assertEqual(shown, exported)

    def test_columns_that_may_not_follow_are_refused(self):
        self.run_it(self.file())
        for columns, column, why in ((", mean: double = avg(v), n: bigint = count()", "n", "default"), (", mean: text = last(id)", "mean", "string")):
            changed = self.file(columns=columns)
            for done in (self.run_it(changed, expect=78), weir("check", changed, "--registry", "embedded", "--data", self.folder / "d", expect=78)):
                self.assertIn(f"'{column}'" if why == "default" else column, done.err)
                for word in (why, "hourly_figures", "version 1", "BACKWARD", "new name", "NONE", "rows.yaml:"):
                    self.assertIn(word, done.err)
            self.assertEqual(self.subjects()[SUBJECT], 1)
            weir("check", changed)  # connects nowhere
        renamed = self.file(columns=", mean: double = avg(v), n: bigint = count()", table="hourly_counts")
        self.assertIn("may follow", weir("check", renamed, "--registry", "embedded", "--data", self.folder / "d").out)
        weir("reset", renamed, "--data", self.folder / "d")
        self.run_it(renamed)
        self.assertEqual(self.subjects()["rows.hourly_counts-value"], 1)

    def test_tables_of_one_name_are_each_their_own(self):
        """Two pipelines may each have a table of a name; a topic may have it too."""
        with Registry(self.folder) as r:
            r.must("POST", "/subjects/hourly_figures-value/versions", {"schema": '"string"'})
            self.run_it(self.file(), "--registry", r.url)
            other = self.file(columns=", n: bigint = count()", name="other.yaml")
            other.write_text(other.read_text().replace("pipeline: rows", "pipeline: other"))
            self.run_it(other, "--registry", r.url, data="other")
            subjects = {s for s in r.must("GET", "/subjects") if "hourly" in s}
            self.assertEqual(subjects, {"hourly_figures-value", SUBJECT, "other.hourly_figures-value"})

    def test_each_remedy_helps(self):
        with Registry(self.folder) as r:
            self.run_it(self.file(), "--registry", r.url)
            more = self.file(columns=COLUMNS + ", top: double = max(v)")  # of no event there is none: optional, with a default
            self.assertIn("may follow", weir("check", more, "--registry", r.url).out)
            self.run_it(more, "--registry", r.url, data="other")
            self.assertEqual(r.must("GET", f"/subjects/{SUBJECT}/versions"), [1, 2])
            counts = self.file(columns=COLUMNS + ", n: bigint = count()")
            self.assertIn("'n'", weir("check", counts, "--registry", r.url, expect=78).err)
            r.must("PUT", f"/config/{SUBJECT}", {"compatibility": "NONE"})
            weir("check", counts, "--registry", r.url)
            self.run_it(counts, "--registry", r.url, data="third")
            self.assertEqual(r.must("GET", f"/subjects/{SUBJECT}/versions"), [1, 2, 3])

    def test_the_events_schema_is_checked_too(self):
        file = self.file()
        with Registry(self.folder) as r:
            old = json.loads(SCHEMA)
            old["fields"] = old["fields"][:2]
            r.must("POST", "/subjects/readings-value/versions", {"schema": json.dumps(old)})
            self.assertIn("'v'", weir("check", file, "--registry", r.url, expect=78).err)

    def test_a_registry_that_is_for_reading_keeps_nobody_from_running(self):
        for knows_levels in (False, True):
            for status, why in READ_ONLY.items():
                server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OnlyReads)
                server.asked, server.posted, server.refusal, server.knows_levels = [], [], status, knows_levels
                threading.Thread(target=server.serve_forever, daemon=True).start()
                done = self.run_it(self.file(), "--registry", f"http://127.0.0.1:{server.server_port}", data=f"{status}{knows_levels}")
                self.assertIn("are not registered" if knows_levels else "are not checked", done.err)
                if knows_levels:
                    self.assertIn(why, done.err)
                self.assertLess(len(server.asked) + len(server.posted), 8, server.asked)
                server.shutdown()
                server.server_close()


if __name__ == "__main__":
    unittest.main()
